// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/string.h>

#include "change.h"

int knp_use(struct knp_tables *t, u32 table, u32 id, int delta)
{
	u32 *uses;

	if (!id)
		return 0;

	uses = knp_array_edit(&t->root[knp_uses_root(table)], id,
			      &knp_shape_uses);
	if (!uses)
		return -ENOMEM;

	*uses += delta;
	return 0;
}

int knp_use_instead(struct knp_tables *t, u32 table, u32 old, u32 new)
{
	int err;

	if (old == new)
		return 0;
	err = knp_use(t, table, new, 1);
	return err ? err : knp_use(t, table, old, -1);
}

int knp_object_add(struct knp_tables *t, u32 table, u32 id, const u8 *tag)
{
	void *stored;

	if (!knp_uses(t, table, id)) {
		if (knp_use(t, table, id, 1))
			return -ENOMEM;
		t->count[table]++;
	}

	stored = knp_array_edit(&t->root[knp_tags_root(table)], id,
				&knp_shape_tags);
	if (!stored)
		return -ENOMEM;

	memcpy(stored, tag, KNP_TAG_LEN);
	return 0;
}

static int use_rules(struct knp_tables *t, const struct knp_portset *p,
		     int delta)
{
	u32 i;

	if (!p)
		return 0;

	for (i = 0; i < p->n; i++) {
		if (knp_use(t, KNP_TABLE_RULE, p->port[i].rule, delta))
			return -ENOMEM;
	}
	return knp_use(t, KNP_TABLE_RULE, p->any, delta);
}

/* What packets read of a portset. */
static struct knp_ports near_of(const struct knp_portset *p)
{
	struct knp_ports near = { .many = false };
	u32 i;

	if (!p)
		return near;
	if (p->n + !!p->any > KNP_PORTS_NEAR) {
		near.more = p;
		near.rule[0] = p->n;
		near.rule[1] = p->any;
		near.many = true;
		return near;
	}

	for (i = 0; i < p->n; i++) {
		near.lo[i] = p->port[i].key;
		near.hi[i] = p->port[i].last;
		near.rule[i] = p->port[i].rule;
		near.proto[i] = p->port[i].key >> 16;
	}
	if (p->any) {
		near.lo[i] = 0;
		near.hi[i] = 65535;
		near.rule[i] = p->any;
	}
	return near;
}

int knp_ports_set(struct knp_tables *t, u32 id, struct knp_part *new)
{
	const struct knp_portset *p = new ? knp_part_data(new) : NULL;
	struct knp_ports *near;
	struct knp_part **slot;

	if (use_rules(t, p, 1) || use_rules(t, knp_portset_at(t, id), -1))
		goto err_put;

	slot = knp_array_edit(&t->root[KNP_ROOT_PORTSETS], id,
			      &knp_shape_portsets);
	near = knp_array_edit(&t->root[KNP_ROOT_PORTS], id, &knp_shape_ports);
	if (!slot || !near)
		goto err_put;

	*near = near_of(p);
	knp_part_put(*slot);
	*slot = new;
	return 0;

err_put:
	knp_part_put(new);
	return -ENOMEM;
}

/* What endpoints are bound to changes. */
static void unbind(struct knp_tables *t, struct knp_set *set)
{
	unsigned int family;

	set->epoch = t->epoch;
	for (family = 0; family < KNP_NFAMILIES; family++)
		t->unbound[family] = true;
}

int knp_set_put(struct knp_tables *t, u32 id, u8 direction, u32 dflt)
{
	struct knp_set *set;

	set = knp_array_edit(&t->root[KNP_ROOT_SETS], id, &knp_shape_sets);
	if (!set || knp_use_instead(t, KNP_TABLE_PORTSET, set->dflt, dflt))
		return -ENOMEM;

	set->dflt = dflt;
	set->direction = direction;
	unbind(t, set);
	return 0;
}

int knp_entry_set(struct knp_tables *t, u32 id, u32 class_id, u32 portset)
{
	struct knp_set *set;
	u32 old;

	set = knp_array_edit(&t->root[KNP_ROOT_SETS], id, &knp_shape_sets);
	if (!set)
		return -ENOMEM;
	old = knp_row_get(set->row, class_id);
	if (knp_row_set(&set->row, class_id, portset))
		return -ENOMEM;

	unbind(t, set);
	t->count[KNP_TABLE_ROW] += !!portset;
	t->count[KNP_TABLE_ROW] -= !!old;
	if (knp_use_instead(t, KNP_TABLE_CLASS, old ? class_id : 0,
			    portset ? class_id : 0))
		return -ENOMEM;
	return knp_use_instead(t, KNP_TABLE_PORTSET, old, portset);
}

/* Take back what a row refers to, before it is dropped as a whole. */
static int unuse_row(struct knp_tables *t, const struct knp_part *row)
{
	u32 i;

	for (i = knp_row_next(row, 0); i != U32_MAX;
	     i = knp_row_next(row, i + 1)) {
		t->count[KNP_TABLE_ROW]--;
		if (knp_use(t, KNP_TABLE_CLASS, i, -1) ||
		    knp_use(t, KNP_TABLE_PORTSET, knp_row_get(row, i), -1))
			return -ENOMEM;
	}
	return 0;
}

int knp_set_clear(struct knp_tables *t, u32 id)
{
	struct knp_set *set;

	set = knp_array_edit(&t->root[KNP_ROOT_SETS], id, &knp_shape_sets);
	if (!set || unuse_row(t, set->row) ||
	    knp_use(t, KNP_TABLE_PORTSET, set->dflt, -1))
		return -ENOMEM;

	knp_part_put(set->row);
	memset(set, 0, sizeof(*set));
	unbind(t, set);
	return 0;
}

static bool is_empty(bool wide, const struct knp_cell *block)
{
	u32 i;

	for (i = 0; i < knp_block_size(wide); i++) {
		if (knp_block_class(wide, block, i))
			return false;
	}
	return true;
}

int knp_peer_set(struct knp_tables *t, unsigned int family,
		 const struct knp_addr *addr, u32 class_id)
{
	struct knp_cells *blocks = &t->blocks[family];
	bool wide = family == KNP_V6;
	struct knp_addr block;
	struct knp_cell *cell;
	u32 i, old;

	i = knp_block_of(wide, addr, &block);
	cell = knp_cells_edit(blocks, &t->seed, wide, &block);
	if (!cell)
		return -ENOMEM;

	t->block_filter[family] |= knp_block_bit(wide, addr);
	old = knp_block_class(wide, cell, i);
	if (wide)
		cell->class6[i] = class_id;
	else
		cell->class4[i] = class_id;
	t->count[KNP_TABLE_PEER] += !!class_id;
	t->count[KNP_TABLE_PEER] -= !!old;
	if (knp_use_instead(t, KNP_TABLE_CLASS, old, class_id))
		return -ENOMEM;

	if (class_id || !is_empty(wide, cell))
		return 0;
	if (knp_cells_remove(blocks, &t->seed, wide, &block))
		return -ENOMEM;
	if (!blocks->used)
		t->block_filter[family] = 0;
	return 0;
}

struct knp_slot *knp_slot_edit(struct knp_tables *t, u32 table,
			       struct knp_map *map, const struct knp_addr *key,
			       u32 extra)
{
	u32 used = map->used;
	struct knp_slot *slot = knp_map_edit(map, &t->seed, key, extra);

	t->count[table] += map->used - used;
	return slot;
}

int knp_slot_remove(struct knp_tables *t, u32 table, struct knp_map *map,
		    const struct knp_addr *key, u32 extra)
{
	t->count[table]--;
	return knp_map_remove(map, &t->seed, key, extra);
}
