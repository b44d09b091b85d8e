// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "mem.h"
#include "ranges.h"
#include "table_impl.h"

/* Ids are stored in 16 bits. */
static_assert(KNP_RULES_MAX <= 65535 && KNP_PORTSETS_MAX <= 65535 &&
	      KNP_CLASSES_MAX <= 65535);

const struct knp_shape knp_shape_uses = {
	.bytes = KNP_PART_BYTES,
	.elem = sizeof(u32),
};

const struct knp_shape knp_shape_tags = {
	.bytes = KNP_PART_BYTES,
	.elem = KNP_TAG_LEN,
};

const struct knp_shape knp_shape_sets = {
	.bytes = KNP_PART_BYTES,
	.elem = sizeof(struct knp_set),
	.ptrs = true,
};

const struct knp_shape knp_shape_portsets = {
	.bytes = KNP_PART_BYTES,
	.elem = sizeof(struct knp_part *),
	.ptrs = true,
};

const struct knp_shape knp_shape_row = {
	.bytes = KNP_ROW_BYTES,
	.elem = sizeof(u16),
};

struct knp_tables *knp_tables_new(void)
{
	struct knp_tables *t = knp_zalloc(sizeof(*t));
	unsigned int family;

	if (!t)
		return NULL;

	get_random_bytes(&t->seed, sizeof(t->seed));
	for (family = 0; family < KNP_NFAMILIES; family++)
		t->map[KNP_MAP_PEERS + family].parts = true;
	return t;
}

struct knp_tables *knp_tables_clone(struct knp_tables *t)
{
	struct knp_tables *clone = knp_zalloc(sizeof(*clone));
	u32 i;

	if (!clone)
		return NULL;

	*clone = *t;
	clone->frozen = false;
	for (i = 0; i < KNP_NMAPS; i++)
		knp_part_get(clone->map[i].root);
	for (i = 0; i < KNP_NROOTS; i++)
		knp_part_get(clone->root[i]);
	return clone;
}

void knp_tables_free(struct knp_tables *t)
{
	u32 i;

	if (!t)
		return;

	for (i = 0; i < KNP_NMAPS; i++)
		knp_part_put(t->map[i].root);
	for (i = 0; i < KNP_NROOTS; i++)
		knp_part_put(t->root[i]);
	knp_free(t);
}

static int compile_cidrs(struct knp_tables *t, unsigned int family)
{
	const struct knp_map *map = &t->map[KNP_MAP_CIDRS + family];
	struct knp_part **root = &t->root[KNP_ROOT_RANGES + family];
	struct knp_prefix *p = NULL;
	struct knp_part *ranges;
	u32 pos, n = 0;
	int err;

	if (map->used) {
		p = knp_vcalloc(map->used, sizeof(*p));
		if (!p)
			return -ENOMEM;
	}

	for (pos = 0; pos < map->nslots; pos++) {
		const struct knp_slot *slot = knp_map_at(map, pos);

		if (!slot)
			continue;
		knp_prefix_set(&p[n], &slot->key);
		p[n].len = slot->extra;
		p[n++].class_id = slot->a;
		if (n % 1024 == 0)
			cond_resched();
	}

	err = knp_ranges_compile(family, p, n, &ranges);
	knp_vfree(p);
	if (err)
		return err;

	knp_part_put(*root);
	*root = ranges;
	return 0;
}

int knp_tables_freeze(struct knp_tables *t)
{
	unsigned int family;
	int err;

	if (t->broken)
		return -ENOMEM;

	for (family = 0; family < KNP_NFAMILIES; family++) {
		if (!t->stale[family])
			continue;
		err = compile_cidrs(t, family);
		if (err)
			return err;
		t->stale[family] = false;
	}

	t->frozen = true;
	return 0;
}

u32 knp_tables_count(const struct knp_tables *t, u32 table)
{
	return table <= KNP_TABLE_MAX ? t->count[table] : 0;
}

u32 knp_tables_limit(u32 table)
{
	static const u32 limits[__KNP_TABLE_MAX] = {
		[KNP_TABLE_RULE] = KNP_RULES_MAX,
		[KNP_TABLE_PORTSET] = KNP_PORTSETS_MAX,
		[KNP_TABLE_CLASS] = KNP_CLASSES_MAX,
		[KNP_TABLE_SET] = KNP_SETS_MAX,
		[KNP_TABLE_ROW] = KNP_ROWS_MAX,
		[KNP_TABLE_PEER] = KNP_PEERS_MAX,
		[KNP_TABLE_CIDR] = KNP_CIDRS_MAX,
		[KNP_TABLE_ENDPOINT] = KNP_ENDPOINTS_MAX,
		[KNP_TABLE_IFACE] = KNP_IFACES_MAX,
	};

	return table <= KNP_TABLE_MAX ? limits[table] : 0;
}

const u8 *knp_tables_tag(const struct knp_tables *t, u32 table, u32 id)
{
	if (!table || table > KNP_IDS_MAX || !knp_uses(t, table, id))
		return NULL;
	return knp_array_get(t->root[knp_tags_root(table)], id, KNP_PART_BYTES,
			     KNP_TAG_LEN);
}

bool knp_tables_endpoint(const struct knp_tables *t, unsigned int family,
			 const struct knp_addr *addr, u32 *egress_set,
			 u32 *ingress_set)
{
	const struct knp_slot *slot;

	slot = knp_map_find(&t->map[KNP_MAP_ENDPOINTS + family], &t->seed,
			    addr, 0);
	*egress_set = slot ? slot->a : 0;
	*ingress_set = slot ? slot->b : 0;
	return slot;
}

u32 knp_tables_class(const struct knp_tables *t, unsigned int family,
		     const struct knp_addr *addr)
{
	u32 class_id = knp_peer_class(t, family, addr);

	if (class_id)
		return class_id;
	return knp_ranges_class(t->root[KNP_ROOT_RANGES + family], family,
				addr);
}

u32 knp_tables_row(const struct knp_tables *t, u32 set, u32 class_id)
{
	const struct knp_set *s = knp_set_at(t, set);
	u32 portset;

	if (!s)
		return 0;

	portset = knp_row_at(s->row, class_id);
	return portset ? portset : s->dflt;
}

u32 knp_tables_port(const struct knp_tables *t, u32 portset, u8 proto,
		    u16 port, bool has_port)
{
	const struct knp_portset *p = knp_portset_at(t, portset);
	u32 key, n, i = 0;
	u16 last;

	if (!p)
		return 0;

	n = p->n;
	if (!n)
		return p->any;

	/* A full range is the only entry of its protocol. */
	key = knp_portset_key(proto, has_port ? port : 0);
	while (n > 1) {
		u32 half = n / 2;

		if (p->key[i + half] <= key)
			i += half;
		n -= half;
	}

	if (p->key[i] > key || p->key[i] >> 16 != proto)
		return p->any;
	last = knp_portset_last(p)[i];
	if (has_port ? port <= last : p->key[i] == key && last == 65535)
		return knp_portset_rules(p)[i];
	return p->any;
}

u8 knp_tables_role(const struct knp_tables *t, u32 ifindex)
{
	const struct knp_addr key = { .q = { ifindex } };
	const struct knp_slot *slot;

	slot = knp_map_find(&t->map[KNP_MAP_IFACES], &t->seed, &key, 0);
	return slot ? slot->a : KNP_ROLE_OTHER;
}
