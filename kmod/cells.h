/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Addresses to cells of one cache line, by a perfect hash. PURE, see table.h.
 *
 * What a packet waits for is memory, not instructions: beyond the second level
 * cache a line costs as much as a hundred instructions, and lines that depend
 * on each other add up. A hash with chains, or with open addressing, reads a
 * second line for every second key, and a third one now and then. Here a key
 * has one place, and a lookup that fails ends there as well:
 *
 *   hash of the key --> group --> its pilot for this key --> cell
 *
 * Keys are hashed to groups of 63 cells, one part each. What leads to a group
 * (struct knp_group) holds, beside the pointer to that part, 12 pilots of 16
 * bits. A part of the hash chooses one of the pilots, and the pilot and another
 * part of the hash choose the cell. When a key comes whose cell is taken, the
 * keys that share its pilot (three, on average) get another pilot, for which
 * the cells of all of them are free. "Hash, displace" is this construction
 * (Belazzougui, Botelho, Dietzfelbinger: "Hash, displace, and compress", 2009),
 * here with groups, so that a change touches one part and one struct knp_group,
 * and with spare cells, so that a pilot is found at once.
 *
 *	struct knp_group		part of the group
 *	+------+----+----+--   --+	+------+--------+--------+--   --+
 *	| part | p0 | p1 |  ...  |----->| head | cell 0 | cell 1 |  ...  |
 *	+------+----+----+--   --+	+------+--------+--------+--   --+
 *	  32 bytes			  64	 64	  64
 *
 * Up to KNP_GROUPS_NEAR groups stand in struct knp_cells itself, up to 251 in a
 * part (struct knp_groups), more of them in parts to which another part leads.
 * Packets find the cells by the pointers in the groups. What owns the cells is
 * beside them: 16 groups have a part that holds their references. So who changes
 * a group copies two sets of 16 references, and not one of 251: each of them is
 * a line that no cache has, and another one when the copy is dropped.
 *
 * Where there are more than 36 keys to a group on average (57 %), the table is
 * built anew with half as many groups again; where no pilot is found, which with
 * a thousand groups happens to one of them before, with a quarter. It is a third
 * to 57 % full: a key costs 115 to 195 bytes.
 *
 * Two kinds of tables are made of them:
 *   blocks     of 28 addresses, IPv6: of 16 (/124), with a class each: as many
 *	        as fill a line. The pods of a node have neighbouring addresses,
 *	        so most of a block is used; a lone address costs its line.
 *   endpoints  of this node, with what their rows are looked up by.
 *
 * Keys are chosen by whoever gives pods their addresses, so the hash is seeded
 * with secret random numbers: multilinear hashing of the key's 32-bit words,
 * h = s1*w1 + s2*w2 + ... mod 2^64, which is universal in its upper half (Lemire
 * and Kaser, "Strongly universal string hashing is fast", 2014). A step of shift
 * and multiplication then makes use of the lower half as well.
 */
#ifndef KNP_CELLS_H
#define KNP_CELLS_H

#include <asm/byteorder.h>

#include "map.h"
#include "parts.h"
#include "table.h"

#define KNP_GROUP_CELLS	63
#define KNP_GROUP_PILOTS 12
#define KNP_GROUPS_NEAR	8

/* Groups have the largest parts. */
#define KNP_GROUPS_BYTES 8192
#define KNP_GROUPS_HELD	16
#define KNP_GROUPS_HOLDERS 16
#define KNP_GROUPS_LEAF	\
	((KNP_GROUPS_BYTES - KNP_PART_HEAD -	\
	  KNP_GROUPS_HOLDERS * (u32)sizeof(struct knp_part *)) /	\
	 (u32)sizeof(struct knp_group))

/* Addresses in one block of peers. */
#define KNP_BLOCK_SIZE4	28
#define KNP_BLOCK_SIZE6	16

/* Pages of a row (row.h) that an endpoint leads to directly. */
#define KNP_PAGES_NEAR	2

/**
 * struct knp_cell - what is known of a key
 * @key: address of the endpoint, first address of the IPv6 block, number of the
 *	 IPv4 block in its first word
 * @class6: of an IPv6 block: class of each address, 0: not a peer
 * @page: of an endpoint: see knp_row_bind(); borrowed from the set
 * @set: of an endpoint: policy set, 0: not isolated
 * @dflt: of an endpoint: portset where the row has no entry
 * @last: of an endpoint: see knp_row_bind()
 * @used: one more than the number of the key's pilot, 0: an empty cell
 * @ifindex: of an endpoint: interface to which it is bound, 0: to none
 * @number4: of an IPv4 block: the first word of @key
 * @class4: of an IPv4 block: class of each address, instead of all that is
 *	    between @number4 and @used
 *
 * What endpoints have twice is by direction, egress first.
 */
struct knp_cell {
	union {
		struct {
			struct knp_addr key;
			union {
				u16 class6[KNP_BLOCK_SIZE6];
				const struct knp_part *page[2][KNP_PAGES_NEAR];
			};
			u16 set[2];
			u16 dflt[2];
			u16 last[2];
			u32 used : 4;
			u32 ifindex : 28;
		};
		struct {
			u32 number4;
			u16 class4[KNP_BLOCK_SIZE4];
		};
	};
} __aligned(64);

/**
 * struct knp_group - what leads to the cells of a group
 * @part: the cells, NULL if there are none; in struct knp_groups it is borrowed
 * @pilot: what chooses among them
 */
struct knp_group {
	struct knp_part *part;
	u16 pilot[KNP_GROUP_PILOTS];
};

/**
 * struct knp_groups - the groups of a table that has more, the data of a part
 * @holder: what owns the cells, KNP_GROUPS_HELD groups each; NULL: there are none
 * @group: what packets read
 */
struct knp_groups {
	struct knp_part *holder[KNP_GROUPS_HOLDERS];
	struct knp_group group[KNP_GROUPS_LEAF];
};

/**
 * struct knp_cells - a table
 * @near: the groups, if there are few
 * @root: the groups, if there are more: a part of struct knp_groups, or one of
 *	  pointers to such parts
 * @ngroups: how many
 * @used: keys
 *
 * All zero is an empty table.
 */
struct knp_cells {
	struct knp_group near[KNP_GROUPS_NEAR];
	struct knp_part *root;
	u32 ngroups;
	u32 used;
} __aligned(64);

/* @seed: of IPv4 the first word is enough. */
static __always_inline u64 knp_cells_hash(const u64 *seed, bool wide,
					  const struct knp_addr *key)
{
	u64 h = seed[0] * (__force u32)key->w[0];

	if (wide)
		h += seed[1] * (__force u32)key->w[1] +
		     seed[2] * (u32)key->q[1] + seed[3] * (key->q[1] >> 32);
	h ^= h >> 32;
	return h * 0x9e3779b97f4a7c15ULL;
}

/* The group of a key; @rest: what is left to choose a pilot by. */
static __always_inline u32 knp_cells_group(u64 hash, u32 ngroups, u32 *rest)
{
	u64 scaled = (hash >> 32) * ngroups;

	*rest = scaled;
	return scaled >> 32;
}

static __always_inline u32 knp_cells_pilot(u32 rest)
{
	return (u64)rest * KNP_GROUP_PILOTS >> 32;
}

/*
 * The cell of a key. The multiplication carries a difference in any bit of the
 * hash to the upper bits, and the exclusive or before it changes how: hardly
 * two keys meet under every pilot, and if they do, more groups part them.
 */
static __always_inline u32 knp_cells_pos(u64 hash, u16 pilot)
{
	u32 x = ((u32)hash ^ pilot) * 0x9e3779b1U;

	return (u64)x * KNP_GROUP_CELLS >> 32;
}

/* Cells begin in the second line of their part. */
static __always_inline const struct knp_cell *
knp_cells_of(const struct knp_part *part)
{
	return (const struct knp_cell *)part + 1;
}

static __always_inline bool knp_addr_equal(const struct knp_addr *a,
					   const struct knp_addr *b, bool wide)
{
	if (!wide)
		return a->w[0] == b->w[0];
	return a->q[0] == b->q[0] && a->q[1] == b->q[1];
}

static __always_inline const struct knp_group *
knp_groups_of(const struct knp_part *leaf)
{
	return ((const struct knp_groups *)knp_part_data(leaf))->group;
}

/* The groups of a table if they are one piece, else pointers to the pieces. */
static __always_inline const void *
knp_cells_first(const struct knp_cells *c)
{
	if (c->ngroups <= KNP_GROUPS_NEAR)
		return c->near;
	if (c->ngroups <= KNP_GROUPS_LEAF)
		return knp_groups_of(c->root);
	return knp_part_data(c->root);
}

/**
 * knp_cells_look() - look up, for packets
 * @first: knp_cells_first()
 * @ngroups: how many
 * @seed: the table's
 * @wide: IPv6
 * @key: what for
 *
 * Return: the only cell where @key can be, NULL if there is none. The caller
 * checks that it is the key's; an empty one has a key of zeroes.
 */
static __always_inline const struct knp_cell *
knp_cells_look(const void *first, u32 ngroups, const u64 *seed, bool wide,
	       const struct knp_addr *key)
{
	u64 hash = knp_cells_hash(seed, wide, key);
	const struct knp_group *group = first;
	const struct knp_part *leaf;
	u32 i, rest;

	i = knp_cells_group(hash, ngroups, &rest);
	if (unlikely(ngroups > KNP_GROUPS_LEAF)) {
		leaf = ((struct knp_part *const *)first)[i / KNP_GROUPS_LEAF];
		if (!leaf)
			return NULL;
		group = knp_groups_of(leaf);
		i %= KNP_GROUPS_LEAF;
	}
	group += i;
	if (!group->part)
		return NULL;
	return knp_cells_of(group->part) +
	       knp_cells_pos(hash, group->pilot[knp_cells_pilot(rest)]);
}

/* The key of an address's block, and its place in there. */
static __always_inline u32 knp_block_of(bool wide, const struct knp_addr *addr,
					struct knp_addr *block)
{
	const u32 last = KNP_BLOCK_SIZE6 - 1;
	u32 ip;

	if (!wide) {
		ip = __be32_to_cpu(addr->w[0]);
		block->q[1] = 0;
		block->q[0] = 0;
		block->w[0] = (__force __be32)(ip / KNP_BLOCK_SIZE4);
		return ip % KNP_BLOCK_SIZE4;
	}
	block->q[0] = addr->q[0];
	block->q[1] = addr->q[1] & (__force u64)__cpu_to_be64(~(u64)last);
	return addr->b[15] & last;
}

/* The address at a place of a block. */
static inline struct knp_addr knp_block_addr(bool wide,
					     const struct knp_cell *cell, u32 i)
{
	struct knp_addr addr = { .q = { 0 } };

	if (!wide) {
		addr.w[0] = __cpu_to_be32(cell->number4 * KNP_BLOCK_SIZE4 + i);
		return addr;
	}
	addr = cell->key;
	addr.b[15] += i;
	return addr;
}

static __always_inline u32 knp_block_size(bool wide)
{
	return wide ? KNP_BLOCK_SIZE6 : KNP_BLOCK_SIZE4;
}

static __always_inline u32 knp_block_class(bool wide,
					   const struct knp_cell *cell, u32 i)
{
	return wide ? cell->class6[i] : cell->class4[i];
}

/**
 * knp_cells_find() - look up, for the writer
 * @c: the table
 * @seed: the table's
 * @wide: IPv6
 * @key: the key
 *
 * Return: the cell, NULL if there is no such key.
 */
const struct knp_cell *knp_cells_find(const struct knp_cells *c,
				      const struct knp_seed *seed, bool wide,
				      const struct knp_addr *key);

/**
 * knp_cells_edit() - find or insert, for writing
 * @c: the table
 * @seed: the table's
 * @wide: IPv6
 * @key: the key
 *
 * Return: the cell, valid until the table is changed again; a new one has only
 * its key. NULL if out of memory; the keys are unchanged then.
 */
struct knp_cell *knp_cells_edit(struct knp_cells *c,
				const struct knp_seed *seed, bool wide,
				const struct knp_addr *key);

/**
 * knp_cells_remove() - remove a key
 * @c: the table
 * @seed: the table's
 * @wide: IPv6
 * @key: the key, which may not be there
 *
 * Return: 0 or -ENOMEM, after which the table can only be dropped.
 */
int knp_cells_remove(struct knp_cells *c, const struct knp_seed *seed,
		     bool wide, const struct knp_addr *key);

/* Positions run from 0 to this. */
static inline u32 knp_cells_end(const struct knp_cells *c)
{
	return c->ngroups * KNP_GROUP_CELLS;
}

/* The cell at a position, NULL if it is empty. */
const struct knp_cell *knp_cells_at(const struct knp_cells *c, u32 pos);

/* References to what a table consists of: for a copy of it, and no more. */
void knp_cells_get(struct knp_cells *c);
void knp_cells_put(struct knp_cells *c);

#endif /* KNP_CELLS_H */
