// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/errno.h>
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
		if (knp_use(t, KNP_TABLE_RULE, knp_portset_rules(p)[i], delta))
			return -ENOMEM;
	}
	return knp_use(t, KNP_TABLE_RULE, p->any, delta);
}

int knp_ports_set(struct knp_tables *t, u32 id, struct knp_part *new)
{
	struct knp_part **slot;

	if (use_rules(t, new ? knp_part_data(new) : NULL, 1) ||
	    use_rules(t, knp_portset_at(t, id), -1))
		goto err_put;

	slot = knp_array_edit(&t->root[KNP_ROOT_PORTSETS], id,
			      &knp_shape_portsets);
	if (!slot)
		goto err_put;

	knp_part_put(*slot);
	*slot = new;
	return 0;

err_put:
	knp_part_put(new);
	return -ENOMEM;
}

int knp_row_set(struct knp_tables *t, u32 id, u32 class_id, u32 portset)
{
	struct knp_set *set;
	u16 *entry;
	u32 old;

	set = knp_array_edit(&t->root[KNP_ROOT_SETS], id, &knp_shape_sets);
	if (!set)
		return -ENOMEM;
	entry = knp_array_edit(&set->row, class_id, &knp_shape_row);
	if (!entry)
		return -ENOMEM;

	old = *entry;
	*entry = portset;
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
	u32 portset, i;

	for (i = 0; ; i++) {
		i = knp_array_seek(row, i, &knp_shape_row);
		if (i > KNP_CLASSES_MAX)
			return 0;
		portset = knp_row_at(row, i);
		if (!portset)
			continue;
		t->count[KNP_TABLE_ROW]--;
		if (knp_use(t, KNP_TABLE_CLASS, i, -1) ||
		    knp_use(t, KNP_TABLE_PORTSET, portset, -1))
			return -ENOMEM;
	}
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
	return 0;
}

static bool is_empty(const u16 *classes)
{
	u32 i;

	for (i = 0; i < KNP_BLOCK_SIZE; i++) {
		if (classes[i])
			return false;
	}
	return true;
}

int knp_peer_set(struct knp_tables *t, unsigned int family,
		 const struct knp_addr *addr, u32 class_id)
{
	struct knp_map *map = &t->map[KNP_MAP_PEERS + family];
	struct knp_addr block;
	struct knp_slot *slot;
	u16 *classes;
	u32 i, old;

	i = knp_block_of(family, addr, &block);
	slot = knp_map_edit(map, &t->seed, &block, 0);
	if (!slot)
		return -ENOMEM;
	if (!slot->part)
		slot->part = knp_part_new(KNP_BLOCK_SIZE * sizeof(u16), 0, 0);
	if (!slot->part || knp_part_own(&slot->part))
		return -ENOMEM;

	classes = (u16 *)slot->part->data;
	old = classes[i];
	classes[i] = class_id;
	t->count[KNP_TABLE_PEER] += !!class_id;
	t->count[KNP_TABLE_PEER] -= !!old;
	if (knp_use_instead(t, KNP_TABLE_CLASS, old, class_id))
		return -ENOMEM;

	if (!class_id && is_empty(classes))
		return knp_map_remove(map, &t->seed, &block, 0);
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
