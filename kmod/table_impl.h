/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What a table is made of, for the files that implement table.h: table.c
 * (life), lookup.h and match_inline.h (packets), record.c (put and delete), dump.c
 * (reading back).
 *
 * Objects with ids (rules, portsets, classes, sets) are spread over arrays by
 * id: whether they exist and how often they are referred to, their tags, and
 * what lookups need. Counts of use change far more often than what they
 * count, so they do not share parts with what packets read.
 *
 * What a packet reads for one side of a verdict, a line each, beside the two
 * lines of this table (struct knp_front, and the groups of its endpoints) that
 * lead to all of it:
 *
 *   endpoint   cell of the address (cells.h): set, default, pages of the row
 *   class      group of the block of 28 addresses (IPv6: 16)
 *	        cell of the block: class by the address's place in there
 *	        where it has none, the prefixes: IPv4 in a trie (trie.h) of three
 *	        lines and more, IPv6 in a tree of ranges (ranges.h)
 *   row        page: portset by class (row.h)
 *   port       struct knp_ports of the portset; with more than 510 portsets a
 *	        line that leads to it; with more than two entries a line or two
 *
 * Many records and few lookups are one half of the work: that half is done by
 * the maps of endpoints, prefixes, interfaces and bindings, and by the sets' rows. What
 * binds them together for packets (fronts, endpoints, tries) is made of them
 * when a table is frozen, if they changed. It borrows what they own, so it
 * needs no counts, and a clone keeps it until a change makes it stale.
 */
#ifndef KNP_TABLE_IMPL_H
#define KNP_TABLE_IMPL_H

#include "cells.h"
#include "map.h"
#include "parts.h"
#include "row.h"
#include "table.h"
#include "trie.h"

/* Parts of what packets read of portsets: 510 in one. */
#define KNP_PORTS_BYTES	8192
#define KNP_PORTS_LEAF	KNP_PER_LEAF(KNP_PORTS_BYTES, sizeof(struct knp_ports))

/* Tables whose records are known by id; they come first in enum knp_table. */
#define KNP_IDS_MAX	KNP_TABLE_SET

/**
 * struct knp_set - a set, and its row
 * @row: see row.h
 * @dflt: portset id
 * @direction: enum knp_direction
 * @epoch: of the table in which it changed last
 */
struct knp_set {
	struct knp_part *row;
	u16 dflt;
	u8 direction;
	u32 epoch;
};

/**
 * struct knp_port - an entry of a portset
 * @key: protocol and first port, see knp_port_key()
 * @last: last port
 * @rule: its rule
 */
struct knp_port {
	u32 key;
	u16 last;
	u16 rule;
};

/**
 * struct knp_portset - a portset, the data of a part
 * @n: entries, those of protocol 0 left out
 * @any: rule of the entry of protocol 0, 0: there is none
 * @pad: so that the entries begin with a line; packets read nothing else
 * @port: the entries, ascending
 */
struct knp_portset {
	u32 n;
	u32 any;
	u64 pad[3];
	struct knp_port port[];
};

#define KNP_PORTS_NEAR	2

/**
 * struct knp_ports - what packets read of a portset
 * @lo: first port of an entry
 * @hi: last port
 * @more: instead, if there are more entries: the portset; borrowed
 * @rule: the entry's, 0: there is none; with @many: how many entries @more has,
 *	  and its rule of protocol 0
 * @proto: of an entry, 0: any
 * @many: there are more entries, so @more is set, and @rule
 *
 * The entry of protocol 0 comes last.
 */
struct knp_ports {
	union {
		struct {
			u16 lo[KNP_PORTS_NEAR];
			u16 hi[KNP_PORTS_NEAR];
		};
		const struct knp_portset *more;
	};
	u16 rule[KNP_PORTS_NEAR];
	u8 proto[KNP_PORTS_NEAR];
	bool many;
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
	/* struct knp_ports by id */
	KNP_ROOT_PORTS,
	/* what owns the trie */
	KNP_ROOT_TRIE,
	/* see ranges.h */
	KNP_ROOT_RANGES,
	KNP_NROOTS,
};

/* enum knp_map_id - maps of a table */
enum knp_map_id {
	KNP_MAP_ENDPOINTS,	/* a: egress set, b: ingress set */
	KNP_MAP_CIDRS = KNP_MAP_ENDPOINTS + KNP_NFAMILIES, /* a: class */
	KNP_MAP_IFACES = KNP_MAP_CIDRS + KNP_NFAMILIES, /* a: role */
	KNP_MAP_BINDINGS,	/* a: interface index */
	KNP_NMAPS = KNP_MAP_BINDINGS + KNP_NFAMILIES,
};

/**
 * struct knp_front - where packets of a family begin
 * @seed: what IPv4 needs of the table's
 * @endpoint_filter: bits for the /24 (IPv6: /64) of endpoints
 * @block_filter: bits for the /16 (IPv6: /64) of peers
 * @endpoints: of the table's endpoints, see knp_cells_first()
 * @blocks: of the table's blocks
 * @ports: array of struct knp_ports: data of its root
 * @trie: IPv4 prefixes
 * @ranges: IPv6 prefixes
 * @nblocks: groups
 * @nendpoints: groups
 * @ports_level: of the array
 *
 * Copies of what stands elsewhere in the table, so that it is one line. The
 * endpoints of a node are in a few /24, the pods of a cluster in a few /16, and
 * most other addresses are not: the filters spare these a lookup.
 */
struct knp_front {
	u64 seed;
	u64 endpoint_filter;
	u64 block_filter;
	const void *endpoints;
	const void *blocks;
	const void *ports;
	union {
		unsigned long trie;
		const struct knp_part *ranges;
	};
	u32 nblocks;
	u16 nendpoints;
	u8 ports_level;
} __aligned(64);

/**
 * struct knp_tables - a table
 * @front: by family, set when it is frozen
 * @endpoints: by family, made of the map of endpoints when it is frozen
 * @blocks: by family, classes of peers
 * @endpoint_filter: by family, see struct knp_front
 * @block_filter: by family; bits for peers that went may be left
 * @seed: of all maps, the same in all clones
 * @map: by enum knp_map_id
 * @root: by enum knp_root
 * @count: records by enum knp_table
 * @trie: child that leads to all others
 * @epoch: number of frozen tables before it in its line of clones
 * @stale: the family's trie or ranges are not those of its CIDRs
 * @unbound: the family's @endpoints may not be those of its records
 * @frozen: nothing may change any more
 * @broken: memory ran out half-way through a record, good for being freed
 */
struct knp_tables {
	struct knp_front front[KNP_NFAMILIES];
	struct knp_cells endpoints[KNP_NFAMILIES];
	struct knp_cells blocks[KNP_NFAMILIES];
	u64 endpoint_filter[KNP_NFAMILIES];
	u64 block_filter[KNP_NFAMILIES];
	struct knp_seed seed;
	struct knp_map map[KNP_NMAPS];
	struct knp_part *root[KNP_NROOTS];
	u32 count[__KNP_TABLE_MAX];
	unsigned long trie;
	u32 epoch;
	bool stale[KNP_NFAMILIES];
	bool unbound[KNP_NFAMILIES];
	bool frozen;
	bool broken;
};

/* The rule by which a portset with many entries allows a port, 0 if none. */
u32 knp_ports_many(const struct knp_ports *p, u8 proto, u16 port,
		   bool has_port);

extern const struct knp_shape knp_shape_uses;
extern const struct knp_shape knp_shape_tags;
extern const struct knp_shape knp_shape_sets;
extern const struct knp_shape knp_shape_portsets;
extern const struct knp_shape knp_shape_ports;

static inline u32 knp_port_key(u8 proto, u16 port)
{
	return (u32)proto << 16 | port;
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

static inline const struct knp_set *knp_set_at(const struct knp_tables *t,
					       u32 id)
{
	return knp_array_get(t->root[KNP_ROOT_SETS], id, KNP_PART_BYTES,
			     sizeof(struct knp_set));
}

static inline const struct knp_portset *
knp_portset_at(const struct knp_tables *t, u32 id)
{
	struct knp_part *const *part;

	part = knp_array_get(t->root[KNP_ROOT_PORTSETS], id, KNP_PART_BYTES,
			     sizeof(*part));
	return part && *part ? knp_part_data(*part) : NULL;
}

/* The bit of a filter that stands for addresses of the same /24, /16 or /64. */
static __always_inline u64 knp_filter_bit(bool wide, const struct knp_addr *a,
					  u32 mask)
{
	if (wide)
		return 1ULL << (a->q[0] * 0x9e3779b97f4a7c15ULL >> 58);
	mask &= __be32_to_cpu(a->w[0]);
	return 1ULL << (mask * 0x9e3779b1U >> 26);
}

static __always_inline u64 knp_endpoint_bit(bool wide, const struct knp_addr *a)
{
	return knp_filter_bit(wide, a, 0xffffff00);
}

static __always_inline u64 knp_block_bit(bool wide, const struct knp_addr *a)
{
	return knp_filter_bit(wide, a, 0xffff0000);
}

/* The class of a peer's own record, 0 if it has none. */
static inline u32 knp_peer_class(const struct knp_tables *t,
				 unsigned int family,
				 const struct knp_addr *addr)
{
	bool wide = family == KNP_V6;
	const struct knp_cell *cell;
	struct knp_addr block;
	u32 i;

	i = knp_block_of(wide, addr, &block);
	cell = knp_cells_find(&t->blocks[family], &t->seed, wide, &block);
	return cell ? knp_block_class(wide, cell, i) : 0;
}

#endif /* KNP_TABLE_IMPL_H */
