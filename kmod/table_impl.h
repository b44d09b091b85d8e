/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What a table is made of, for the files that implement table.h: table.c
 * (life and lookups), record.c (put and delete), dump.c (reading back).
 *
 * Objects with ids (rules, portsets, classes, sets) are spread over arrays by
 * id: whether they exist and how often they are referred to, their tags, and
 * what lookups need. Counts of use change far more often than what they
 * count, so they do not share parts with what packets read.
 *
 * What a packet reads for one side of a verdict:
 *   endpoint   map of addresses -> egress set, ingress set
 *   class      map of /26 (IPv6: /122) -> part of 64 classes by the last bits
 *	        of the address, the block that address managers commonly give to
 *	        nodes; where it says 0, the ranges (ranges.h)
 *   row        array of sets -> default and row; row: array by class
 *   port       array of portsets -> part of sorted entries
 */
#ifndef KNP_TABLE_IMPL_H
#define KNP_TABLE_IMPL_H

#include "map.h"
#include "parts.h"
#include "table.h"

/* Addresses in one block of peers. */
#define KNP_BLOCK_BITS	6
#define KNP_BLOCK_SIZE	(1U << KNP_BLOCK_BITS)

/* Small parts: there is a row for every set, and most have few classes. */
#define KNP_ROW_BYTES	512

/* Tables whose records are known by id; they come first in enum knp_table. */
#define KNP_IDS_MAX	KNP_TABLE_SET

/**
 * struct knp_set - a set, and its row
 * @row: array of portset ids (u16) by class, 0: @dflt
 * @dflt: portset id
 * @direction: enum knp_direction
 */
struct knp_set {
	struct knp_part *row;
	u16 dflt;
	u8 direction;
};

/**
 * struct knp_portset - a portset, the data of a part
 * @n: entries, those of protocol 0 left out
 * @any: rule of the entry of protocol 0, 0: there is none
 * @key: protocol and first port of entry i, see knp_portset_key(); behind all
 *	keys the last ports (u16), behind these the rules (u16)
 */
struct knp_portset {
	u16 n;
	u16 any;
	u32 key[];
};

/* enum knp_root - parts that a table refers to, beside its maps */
enum knp_root {
	/* u32 by id, for each table up to KNP_IDS_MAX; 0: absent, n: n-1 uses */
	KNP_ROOT_USES,
	/* tags by id */
	KNP_ROOT_TAGS = KNP_ROOT_USES + KNP_IDS_MAX,
	/* struct knp_set by id */
	KNP_ROOT_SETS = KNP_ROOT_TAGS + KNP_IDS_MAX,
	/* pointers to parts with a struct knp_portset, by id */
	KNP_ROOT_PORTSETS,
	/* see ranges.h, by family */
	KNP_ROOT_RANGES,
	KNP_NROOTS = KNP_ROOT_RANGES + KNP_NFAMILIES,
};

/* enum knp_map_id - maps of a table */
enum knp_map_id {
	KNP_MAP_ENDPOINTS,	/* a: egress set, b: ingress set */
	KNP_MAP_PEERS = KNP_MAP_ENDPOINTS + KNP_NFAMILIES, /* part of u16 */
	KNP_MAP_CIDRS = KNP_MAP_PEERS + KNP_NFAMILIES, /* a: class */
	KNP_MAP_IFACES = KNP_MAP_CIDRS + KNP_NFAMILIES, /* a: role */
	KNP_NMAPS,
};

/**
 * struct knp_tables - a table
 * @seed: of all maps, the same in all clones
 * @map: by enum knp_map_id
 * @root: by enum knp_root
 * @count: records by enum knp_table
 * @stale: the family's ranges are not those of its CIDRs
 * @frozen: nothing may change any more
 * @broken: memory ran out half-way through a record, good for being freed
 */
struct knp_tables {
	struct knp_seed seed;
	struct knp_map map[KNP_NMAPS];
	struct knp_part *root[KNP_NROOTS];
	u32 count[__KNP_TABLE_MAX];
	bool stale[KNP_NFAMILIES];
	bool frozen;
	bool broken;
};

extern const struct knp_shape knp_shape_uses;
extern const struct knp_shape knp_shape_tags;
extern const struct knp_shape knp_shape_sets;
extern const struct knp_shape knp_shape_portsets;
extern const struct knp_shape knp_shape_row;

static __always_inline u32 knp_portset_key(u8 proto, u16 port)
{
	return (u32)proto << 16 | port;
}

static __always_inline const u16 *
knp_portset_last(const struct knp_portset *p)
{
	return (const u16 *)&p->key[p->n];
}

static __always_inline const u16 *
knp_portset_rules(const struct knp_portset *p)
{
	return knp_portset_last(p) + p->n;
}

static __always_inline u32 knp_uses_root(u32 table)
{
	return KNP_ROOT_USES + table - 1;
}

static __always_inline u32 knp_tags_root(u32 table)
{
	return KNP_ROOT_TAGS + table - 1;
}

/* 0: no such object, else one more than there are references to it. */
static inline u32 knp_uses(const struct knp_tables *t, u32 table, u32 id)
{
	const u32 *uses = knp_array_get(t->root[knp_uses_root(table)], id,
					KNP_PART_BYTES, sizeof(*uses));

	return uses ? *uses : 0;
}

static __always_inline const struct knp_set *
knp_set_at(const struct knp_tables *t, u32 id)
{
	return knp_array_get(t->root[KNP_ROOT_SETS], id, KNP_PART_BYTES,
			     sizeof(struct knp_set));
}

static __always_inline const struct knp_portset *
knp_portset_at(const struct knp_tables *t, u32 id)
{
	struct knp_part *const *part;

	part = knp_array_get(t->root[KNP_ROOT_PORTSETS], id, KNP_PART_BYTES,
			     sizeof(*part));
	return part && *part ? knp_part_data(*part) : NULL;
}

/* The row's own entry, 0 if it has none. */
static __always_inline u32 knp_row_at(const struct knp_part *row, u32 class_id)
{
	const u16 *portset = knp_array_get(row, class_id, KNP_ROW_BYTES,
					   sizeof(*portset));

	return portset ? *portset : 0;
}

static __always_inline u32 knp_last_byte(unsigned int family)
{
	return family == KNP_V4 ? 3 : 15;
}

/* The block of an address, and its place in there. */
static __always_inline u32 knp_block_of(unsigned int family,
					const struct knp_addr *addr,
					struct knp_addr *block)
{
	u8 *last = &block->b[knp_last_byte(family)];
	u32 i;

	*block = *addr;
	i = *last & (KNP_BLOCK_SIZE - 1);
	*last -= i;
	return i;
}

/* The class of a peer's own record, 0 if it has none. */
static __always_inline u32 knp_peer_class(const struct knp_tables *t,
					  unsigned int family,
					  const struct knp_addr *addr)
{
	const struct knp_slot *slot;
	struct knp_addr block;
	u32 i;

	i = knp_block_of(family, addr, &block);
	slot = knp_map_find(&t->map[KNP_MAP_PEERS + family], &t->seed, &block,
			    0);
	return slot ? ((const u16 *)knp_part_data(slot->part))[i] : 0;
}

#endif /* KNP_TABLE_IMPL_H */
