// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "lookup.h"
#include "mem.h"

atomic_long_t knp_mem_bytes;

/* Ids are stored in 16 bits. */
static_assert(KNP_RULES_MAX <= 65535 && KNP_PORTSETS_MAX <= 65535 &&
	      KNP_CLASSES_MAX <= 65535 && KNP_SETS_MAX <= 65535);

static_assert(sizeof(struct knp_front) == 64);
static_assert(sizeof(struct knp_cell) == 64 && KNP_GROUP_PILOTS < 16);
static_assert(sizeof(struct knp_ports) == 16);
static_assert(KNP_PART_HEAD + offsetof(struct knp_portset, port) == 64);
static_assert(KNP_PORTSETS_MAX / KNP_PORTS_LEAF < KNP_PER_NODE(KNP_PORTS_BYTES));

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

const struct knp_shape knp_shape_ports = {
	.bytes = KNP_PORTS_BYTES,
	.elem = sizeof(struct knp_ports),
};

struct knp_tables *knp_tables_new(void)
{
	struct knp_tables *t = knp_zalloc(sizeof(*t));

	if (t)
		get_random_bytes(&t->seed, sizeof(t->seed));
	return t;
}

struct knp_tables *knp_tables_clone(struct knp_tables *t)
{
	struct knp_tables *clone = knp_alloc(sizeof(*clone));
	u32 i;

	if (!clone)
		return NULL;

	*clone = *t;
	clone->frozen = false;
	clone->epoch += t->frozen;
	for (i = 0; i < KNP_NFAMILIES; i++) {
		knp_cells_get(&clone->endpoints[i]);
		knp_cells_get(&clone->blocks[i]);
	}
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

	for (i = 0; i < KNP_NFAMILIES; i++) {
		knp_cells_put(&t->endpoints[i]);
		knp_cells_put(&t->blocks[i]);
	}
	for (i = 0; i < KNP_NMAPS; i++)
		knp_part_put(t->map[i].root);
	for (i = 0; i < KNP_NROOTS; i++)
		knp_part_put(t->root[i]);
	knp_free(t);
}

static void root_replace(struct knp_tables *t, u32 root, struct knp_part *new)
{
	knp_part_put(t->root[root]);
	t->root[root] = new;
}

/* All prefixes of a family; @p has room for them. */
static void list_cidrs(const struct knp_map *map, struct knp_prefix *p)
{
	const struct knp_slot *slot;
	u32 pos, n = 0;

	for (pos = 0; pos < map->nslots; pos++) {
		slot = knp_map_at(map, pos);
		if (!slot)
			continue;
		knp_prefix_set(&p[n], &slot->key);
		p[n].len = slot->extra;
		p[n++].class_id = slot->a;
		if (n % 1024 == 0)
			cond_resched();
	}
}

static int compile_ranges(struct knp_tables *t, unsigned int family,
			  const struct knp_prefix *ranges, u32 n)
{
	struct knp_part *packed;
	struct knp_trie trie;
	int err;

	if (family == KNP_V6) {
		err = knp_ranges_pack(ranges, n, &packed);
		if (!err)
			root_replace(t, KNP_ROOT_RANGES, packed);
		return err;
	}

	err = knp_trie_compile(ranges, n, &trie);
	if (err)
		return err;
	root_replace(t, KNP_ROOT_TRIE, trie.parts);
	t->trie = trie.root;
	return 0;
}

static int compile_cidrs(struct knp_tables *t, unsigned int family)
{
	const struct knp_map *map = &t->map[KNP_MAP_CIDRS + family];
	struct knp_prefix *p, *ranges;
	int err = -ENOMEM;
	u32 n;

	p = knp_vcalloc(map->used + 1, sizeof(*p));
	if (!p)
		return -ENOMEM;

	list_cidrs(map, p);
	ranges = knp_ranges_cut(p, map->used, &n);
	if (ranges)
		err = compile_ranges(t, family, ranges, n);
	knp_vfree(ranges);
	knp_vfree(p);
	return err;
}

/* Whether a cell does not say what the record and the sets do. */
static bool is_unbound(const struct knp_tables *t, const struct knp_cell *cell,
		       u32 side, u32 id)
{
	return cell->set[side] != id ||
	       (id && knp_set_at(t, id)->epoch == t->epoch);
}

static void bind_side(const struct knp_tables *t, struct knp_cell *cell,
		      u32 side, u32 id)
{
	const struct knp_set *set = id ? knp_set_at(t, id) : NULL;

	cell->set[side] = id;
	cell->dflt[side] = set ? set->dflt : 0;
	knp_row_bind(set ? set->row : NULL, cell->page[side],
		     &cell->last[side]);
}

static u32 bound_to(const struct knp_tables *t, unsigned int family,
		    const struct knp_addr *addr)
{
	const struct knp_slot *slot;

	slot = knp_map_find(&t->map[KNP_MAP_BINDINGS + family], &t->seed, addr,
			    0);
	return slot ? slot->a : 0;
}

/*
 * What packets read of endpoints, out of their records, the sets' and the
 * bindings'. Cells of endpoints that went are gone already.
 */
static int bind_endpoints(struct knp_tables *t, unsigned int family)
{
	const struct knp_map *map = &t->map[KNP_MAP_ENDPOINTS + family];
	struct knp_cells *cells = &t->endpoints[family];
	const struct knp_slot *slot;
	const struct knp_cell *old;
	struct knp_cell *cell;
	u64 filter = 0;
	u32 pos, bound;

	for (pos = 0; pos < map->nslots; pos++) {
		slot = knp_map_at(map, pos);
		if (!slot)
			continue;
		bound = bound_to(t, family, &slot->key);
		filter |= knp_endpoint_bit(family == KNP_V6, &slot->key);
		old = knp_cells_find(cells, &t->seed, family == KNP_V6,
				     &slot->key);
		if (old && old->ifindex == bound &&
		    !is_unbound(t, old, 0, slot->a) &&
		    !is_unbound(t, old, 1, slot->b))
			continue;
		cell = knp_cells_edit(cells, &t->seed, family == KNP_V6,
				      &slot->key);
		if (!cell)
			return -ENOMEM;
		bind_side(t, cell, 0, slot->a);
		bind_side(t, cell, 1, slot->b);
		cell->ifindex = bound;
	}
	t->endpoint_filter[family] = filter;
	return 0;
}

static void front_set(struct knp_tables *t, unsigned int family)
{
	const struct knp_part *ports = t->root[KNP_ROOT_PORTS];
	struct knp_front *front = &t->front[family];

	/* Without bits in a filter there are no groups, and no look for them. */
	*front = (struct knp_front){
		.seed = t->seed.s[0],
		.endpoint_filter = t->endpoint_filter[family],
		.block_filter = t->block_filter[family],
		.endpoints = knp_cells_first(&t->endpoints[family]),
		.blocks = knp_cells_first(&t->blocks[family]),
		.nendpoints = t->endpoints[family].ngroups,
		.nblocks = t->blocks[family].ngroups,
	};
	if (ports) {
		front->ports = knp_part_data(ports);
		front->ports_level = ports->level;
	}
	if (family == KNP_V4)
		front->trie = t->trie;
	else
		front->ranges = t->root[KNP_ROOT_RANGES];
}

static int freeze_family(struct knp_tables *t, unsigned int family)
{
	int err;

	if (t->stale[family]) {
		err = compile_cidrs(t, family);
		if (err)
			return err;
		t->stale[family] = false;
	}
	if (t->unbound[family]) {
		err = bind_endpoints(t, family);
		if (err)
			return err;
		t->unbound[family] = false;
	}
	front_set(t, family);
	return 0;
}

int knp_tables_freeze(struct knp_tables *t)
{
	unsigned int family;
	int err;

	if (t->broken)
		return -ENOMEM;

	for (family = 0; family < KNP_NFAMILIES; family++) {
		err = freeze_family(t, family);
		if (err)
			return err;
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
		[KNP_TABLE_BINDING] = KNP_BINDINGS_MAX,
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

static const struct knp_cell *endpoint(const struct knp_tables *t,
				       unsigned int family,
				       const struct knp_addr *addr)
{
	const struct knp_cell *cell;

	cell = family == KNP_V4 ? knp_look_endpoint(t, false, addr) :
				  knp_look_endpoint(t, true, addr);
	return cell && cell->used ? cell : NULL;
}

bool knp_tables_bound(const struct knp_tables *t, unsigned int family,
		      const struct knp_addr *addr, u32 *ifindex)
{
	const struct knp_cell *cell = endpoint(t, family, addr);

	*ifindex = cell ? cell->ifindex : 0;
	return cell;
}

bool knp_tables_endpoint(const struct knp_tables *t, unsigned int family,
			 const struct knp_addr *addr, u32 *egress_set,
			 u32 *ingress_set)
{
	const struct knp_cell *cell = endpoint(t, family, addr);

	*egress_set = cell ? cell->set[0] : 0;
	*ingress_set = cell ? cell->set[1] : 0;
	return cell;
}

u32 knp_ports_many(const struct knp_ports *p, u8 proto, u16 port,
		   bool has_port)
{
	const u32 key = knp_port_key(proto, has_port ? port : 0);
	const struct knp_port *e = p->more->port;
	const u32 any = p->rule[1];
	u32 n = p->rule[0];

	while (n > 1) {
		u32 half = n / 2;

		if (e[half].key <= key)
			e += half;
		n -= half;
	}

	if (e->key > key || e->key >> 16 != proto)
		return any;
	/* A full range is the only entry of its protocol. */
	if (has_port ? port <= e->last : e->key == key && e->last == 65535)
		return e->rule;
	return any;
}

u8 knp_tables_role(const struct knp_tables *t, u32 ifindex)
{
	const struct knp_addr key = { .q = { ifindex } };
	const struct knp_slot *slot;

	slot = knp_map_find(&t->map[KNP_MAP_IFACES], &t->seed, &key, 0);
	return slot ? slot->a : KNP_ROLE_OTHER;
}
