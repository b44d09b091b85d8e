/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A persistent hash map: (16 bytes, a small number) -> two numbers. For records
 * that no packet looks up. PURE, see table.h.
 *
 * Open addressing with linear probing in an array of slots (parts.h), at most
 * two thirds full. Deleting moves the slots behind it back, so there are no
 * tombstones and a lookup ends at the first empty slot. A full map is rebuilt
 * with twice the slots, a nearly empty one with half of them.
 *
 * Keys are chosen by whoever gives pods their addresses, so the hash is seeded
 * with secret random numbers: multilinear hashing of the key's 32-bit words,
 * h = s0 + s1*w1 + ... mod 2^64, which is strongly universal in its upper half
 * (Lemire and Kaser, "Strongly universal string hashing is fast", 2014): two
 * keys collide with a probability of 2^-32 whatever they are. A finaliser of
 * multiplications and shifts then breaks up the regular gaps that neighbouring
 * addresses would leave, to which linear probing is sensitive. SipHash costs
 * several times that, for a secret that never leaves the kernel.
 */
#ifndef KNP_MAP_H
#define KNP_MAP_H

#include "parts.h"
#include "table.h"

/**
 * struct knp_seed - the secret of all maps of a table and its clones
 * @s: random
 */
struct knp_seed {
	u64 s[6];
};

/**
 * struct knp_slot - one entry
 * @a: value
 * @b: value
 * @key: the address, or whatever else fits
 * @extra: rest of the key
 * @hash: of the key, never 0; 0: empty
 */
struct knp_slot {
	u32 a;
	u32 b;
	struct knp_addr key;
	u32 extra;
	u32 hash;
};

/**
 * struct knp_map - a map
 * @root: array of slots
 * @nslots: how many, 0 before the first insertion
 * @used: not empty
 *
 * All zero is an empty map.
 */
struct knp_map {
	struct knp_part *root;
	u32 nslots;
	u32 used;
};

static __always_inline u32 knp_map_hash(const struct knp_seed *seed,
					const struct knp_addr *key, u32 extra)
{
	const u64 *s = seed->s;
	u64 h = s[0] + s[1] * (u32)key->q[0] + s[2] * (key->q[0] >> 32) +
		s[3] * (u32)key->q[1] + s[4] * (key->q[1] >> 32) +
		s[5] * extra;

	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15ULL;
	h ^= h >> 29;
	h *= 0xbf58476d1ce4e5b9ULL;
	h >>= 32;
	return h ? h : 1;
}

/* The slot where a key is, unless others were there before it. */
static __always_inline u32 knp_map_home(const struct knp_map *m, u32 hash)
{
	return (u64)hash * m->nslots >> 32;
}

/**
 * knp_map_at() - the slot at a position
 * @m: the map
 * @pos: below @m->nslots
 *
 * Return: the slot, NULL if it is empty.
 */
static __always_inline const struct knp_slot *
knp_map_at(const struct knp_map *m, u32 pos)
{
	const struct knp_slot *slot;

	slot = knp_array_get(m->root, pos, KNP_PART_BYTES, sizeof(*slot));
	return slot && slot->hash ? slot : NULL;
}

/**
 * knp_map_probe() - walk the slots of a key
 * @m: a map with slots
 * @hash: of the key
 * @key: first part of the key
 * @extra: second part of the key
 * @pos: where the key is or, if there is no such key, where it would go
 *
 * Return: the slot, NULL if there is none.
 */
static __always_inline const struct knp_slot *
knp_map_probe(const struct knp_map *m, u32 hash, const struct knp_addr *key,
	      u32 extra, u32 *pos)
{
	const struct knp_slot *slot;

	*pos = knp_map_home(m, hash);
	while ((slot = knp_map_at(m, *pos))) {
		if (slot->hash == hash && slot->key.q[0] == key->q[0] &&
		    slot->key.q[1] == key->q[1] && slot->extra == extra)
			return slot;
		if (++*pos == m->nslots)
			*pos = 0;
	}
	return NULL;
}

/**
 * knp_map_find() - look up
 * @m: the map
 * @seed: the table's
 * @key: first part of the key
 * @extra: second part of the key
 *
 * Return: the slot, NULL if there is none.
 */
static __always_inline const struct knp_slot *
knp_map_find(const struct knp_map *m, const struct knp_seed *seed,
	     const struct knp_addr *key, u32 extra)
{
	u32 pos;

	if (!m->used)
		return NULL;
	return knp_map_probe(m, knp_map_hash(seed, key, extra), key, extra,
			     &pos);
}

/**
 * knp_map_edit() - find or insert, for writing
 * @m: the map
 * @seed: the table's
 * @key: first part of the key
 * @extra: second part of the key
 *
 * Return: the slot, valid until the map is changed again; a new one has value
 * 0. NULL if out of memory; the entries are unchanged then.
 */
struct knp_slot *knp_map_edit(struct knp_map *m, const struct knp_seed *seed,
			      const struct knp_addr *key, u32 extra);

/**
 * knp_map_remove() - remove an entry
 * @m: the map
 * @seed: the table's
 * @key: first part of the key
 * @extra: second part of the key
 *
 * Return: 0, -ENOENT, or -ENOMEM, after which the map can only be dropped.
 */
int knp_map_remove(struct knp_map *m, const struct knp_seed *seed,
		   const struct knp_addr *key, u32 extra);

#endif /* KNP_MAP_H */
