// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "cells.h"

static_assert(sizeof(struct knp_cell) == 64);
static_assert(2 * KNP_PART_HEAD == sizeof(struct knp_cell));
static_assert(offsetof(struct knp_cell, number4) ==
	      offsetof(struct knp_cell, key));
static_assert(sizeof(struct knp_cell) - sizeof(u32) ==
	      offsetof(struct knp_cell, class4[KNP_BLOCK_SIZE4]));

/*
 * Keys to a group, on average, at most. With 40 of them the pilots that are left
 * for a new key are few, and to find one takes twice as long.
 */
#define KEYS_MEAN	36

/* Keys that share a pilot; there are three on average. */
#define SHARING_MAX	16

/* One level of pointers; far more than there are peers. */
#define GROUPS_MAX	(KNP_GROUPS_LEAF * KNP_PER_NODE(KNP_GROUPS_BYTES))

static_assert(KNP_PART_HEAD + sizeof(struct knp_groups) <= KNP_GROUPS_BYTES);
static_assert(KNP_GROUPS_HELD * KNP_GROUPS_HOLDERS >= KNP_GROUPS_LEAF);
static_assert(offsetof(struct knp_groups, group) % sizeof(struct knp_group) ==
	      0);

static const struct knp_group *group_at(const struct knp_cells *c, u32 i)
{
	const struct knp_part *leaf = c->root;

	if (c->ngroups <= KNP_GROUPS_NEAR)
		return &c->near[i];
	if (leaf && c->ngroups > KNP_GROUPS_LEAF)
		leaf = knp_part_child(leaf, i / KNP_GROUPS_LEAF);
	return leaf ? &knp_groups_of(leaf)[i % KNP_GROUPS_LEAF] : NULL;
}

/* A part of nothing but pointers. */
static struct knp_part **pointers_edit(struct knp_part **slot, u32 n)
{
	return knp_part_edit(slot, n * sizeof(struct knp_part *), n);
}

/* The groups among which is number @i. */
static struct knp_groups *groups_edit(struct knp_cells *c, u32 i)
{
	struct knp_part **slot = &c->root;

	if (c->ngroups > KNP_GROUPS_LEAF) {
		slot = pointers_edit(slot, KNP_PER_NODE(KNP_GROUPS_BYTES));
		if (!slot)
			return NULL;
		slot += i / KNP_GROUPS_LEAF;
	}
	return knp_part_edit(slot, sizeof(struct knp_groups),
			     KNP_GROUPS_HOLDERS);
}

static bool cells_edit(struct knp_part **slot)
{
	return knp_part_edit(slot, KNP_PART_BYTES - KNP_PART_HEAD, 0);
}

/* A group with cells, to be changed as they are; NULL if out of memory. */
static struct knp_group *group_edit(struct knp_cells *c, u32 i)
{
	struct knp_groups *groups;
	struct knp_part **slot;

	if (c->ngroups <= KNP_GROUPS_NEAR)
		return cells_edit(&c->near[i].part) ? &c->near[i] : NULL;

	groups = groups_edit(c, i);
	if (!groups)
		return NULL;
	i %= KNP_GROUPS_LEAF;
	slot = pointers_edit(&groups->holder[i / KNP_GROUPS_HELD],
			     KNP_GROUPS_HELD);
	if (!slot)
		return NULL;
	slot += i % KNP_GROUPS_HELD;
	if (!cells_edit(slot))
		return NULL;
	groups->group[i].part = *slot;
	return &groups->group[i];
}

static struct knp_cell *cells_of(struct knp_group *group)
{
	return (struct knp_cell *)group->part + 1;
}

/**
 * struct sharing - the keys of a group that share a pilot
 * @n: how many
 * @hash: of each
 * @from: cell of each; KNP_GROUP_CELLS: it has none yet
 */
struct sharing {
	u32 n;
	u64 hash[SHARING_MAX];
	u8 from[SHARING_MAX];
};

static bool sharing_add(struct sharing *s, u64 hash, u32 from)
{
	if (s->n == SHARING_MAX)
		return false;
	s->hash[s->n] = hash;
	s->from[s->n++] = from;
	return true;
}

/* Which of the cells are taken, but by those that would move. */
static u64 sharing_find(struct sharing *s, const struct knp_seed *seed,
			bool wide, const struct knp_cell *cells, u32 pilot,
			bool *fits)
{
	u64 taken = 0;
	u64 hash;
	u32 i;

	for (i = 0; i < KNP_GROUP_CELLS; i++) {
		if (!cells[i].used)
			continue;
		if (cells[i].used != pilot + 1) {
			taken |= 1ULL << i;
			continue;
		}
		hash = knp_cells_hash(seed->s, wide, &cells[i].key);
		if (!sharing_add(s, hash, i))
			*fits = false;
	}
	return taken;
}

/* Whether all have a cell of their own under a pilot. */
static bool sharing_fits(const struct sharing *s, u64 taken, u16 pilot)
{
	u64 bit;
	u32 i;

	for (i = 0; i < s->n; i++) {
		bit = 1ULL << knp_cells_pos(s->hash[i], pilot);
		if (taken & bit)
			return false;
		taken |= bit;
	}
	return true;
}

/* Move the cells to where the pilot wants them. */
static void sharing_move(const struct sharing *s, struct knp_cell *cells,
			 u16 pilot)
{
	struct knp_cell moved[SHARING_MAX];
	u32 i;

	for (i = 0; i < s->n; i++) {
		if (s->from[i] == KNP_GROUP_CELLS)
			continue;
		moved[i] = cells[s->from[i]];
		memset(&cells[s->from[i]], 0, sizeof(*cells));
	}
	for (i = 0; i < s->n; i++) {
		if (s->from[i] != KNP_GROUP_CELLS)
			cells[knp_cells_pos(s->hash[i], pilot)] = moved[i];
	}
}

/* A pilot under which the new key has a cell, too; false: there is none. */
static bool displace(const struct knp_seed *seed, bool wide,
		     struct knp_group *group, struct knp_cell *cells, u64 hash,
		     u32 pilot)
{
	struct sharing s = { .n = 0 };
	bool fits = true;
	u64 taken;
	u32 i;

	taken = sharing_find(&s, seed, wide, cells, pilot, &fits);
	if (!fits || !sharing_add(&s, hash, KNP_GROUP_CELLS))
		return false;

	for (i = 0; i <= 0xffff; i++) {
		if (!sharing_fits(&s, taken, i))
			continue;
		sharing_move(&s, cells, i);
		group->pilot[pilot] = i;
		return true;
	}
	return false;
}

/*
 * Insert a key that is not there. NULL with @full: more groups are needed,
 * without: out of memory.
 */
static struct knp_cell *insert(struct knp_cells *c, const struct knp_seed *seed,
			       bool wide, const struct knp_addr *key, bool *full)
{
	u64 hash = knp_cells_hash(seed->s, wide, key);
	u32 rest, i = knp_cells_group(hash, c->ngroups, &rest);
	u32 pilot = knp_cells_pilot(rest);
	struct knp_group *group = group_edit(c, i);
	struct knp_cell *cells, *cell;

	*full = false;
	if (!group)
		return NULL;

	cells = cells_of(group);
	cell = &cells[knp_cells_pos(hash, group->pilot[pilot])];
	if (cell->used) {
		*full = !displace(seed, wide, group, cells, hash, pilot);
		if (*full)
			return NULL;
		cell = &cells[knp_cells_pos(hash, group->pilot[pilot])];
	}

	cell->key = *key;
	cell->used = 1 + pilot;
	c->used++;
	return cell;
}

static int copy_all(struct knp_cells *to, const struct knp_cells *from,
		    const struct knp_seed *seed, bool wide, bool *full)
{
	const struct knp_cell *old;
	struct knp_cell *new;
	u32 pos, pilot;

	for (pos = 0; pos < knp_cells_end(from); pos++) {
		if (pos % KNP_GROUP_CELLS == 0)
			cond_resched();
		old = knp_cells_at(from, pos);
		if (!old)
			continue;
		new = insert(to, seed, wide, &old->key, full);
		if (!new)
			return -ENOMEM;
		pilot = new->used;
		*new = *old;
		new->used = pilot;
	}
	return 0;
}

/*
 * What a table gets that is full on average, so that a key is moved twice until
 * there are many; and one in which a single group is.
 */
static u32 many_groups(u32 ngroups)
{
	return ngroups + ngroups / 2 + 1;
}

static u32 more_groups(u32 ngroups)
{
	return ngroups + ngroups / 4 + 1;
}

/* Replace a table by one with at least this many groups. */
static int rebuild(struct knp_cells *c, const struct knp_seed *seed, bool wide,
		   u32 ngroups)
{
	struct knp_cells new;
	bool full = false;
	int err;

	for (;; ngroups = more_groups(ngroups)) {
		if (ngroups > GROUPS_MAX)
			return -ENOMEM;
		memset(&new, 0, sizeof(new));
		new.ngroups = ngroups;
		/* There is at least one, whatever is copied. */
		err = group_edit(&new, 0) ?
		      copy_all(&new, c, seed, wide, &full) : -ENOMEM;
		if (!err)
			break;
		knp_cells_put(&new);
		if (!full)
			return err;
	}

	knp_cells_put(c);
	*c = new;
	return 0;
}

/* The cell of a key that is there, for writing. */
static struct knp_cell *find_edit(struct knp_cells *c,
				  const struct knp_seed *seed, bool wide,
				  const struct knp_addr *key)
{
	u64 hash = knp_cells_hash(seed->s, wide, key);
	u32 rest, i = knp_cells_group(hash, c->ngroups, &rest);
	struct knp_group *group = group_edit(c, i);

	if (!group)
		return NULL;
	return cells_of(group) +
	       knp_cells_pos(hash, group->pilot[knp_cells_pilot(rest)]);
}

const struct knp_cell *knp_cells_find(const struct knp_cells *c,
				      const struct knp_seed *seed, bool wide,
				      const struct knp_addr *key)
{
	const struct knp_cell *cell;

	if (!c->ngroups)
		return NULL;
	cell = knp_cells_look(knp_cells_first(c), c->ngroups, seed->s, wide,
			      key);
	if (!cell || !cell->used || !knp_addr_equal(&cell->key, key, wide))
		return NULL;
	return cell;
}

struct knp_cell *knp_cells_edit(struct knp_cells *c,
				const struct knp_seed *seed, bool wide,
				const struct knp_addr *key)
{
	struct knp_cell *cell;
	bool full;

	if (knp_cells_find(c, seed, wide, key))
		return find_edit(c, seed, wide, key);

	if (c->used >= c->ngroups * KEYS_MEAN &&
	    rebuild(c, seed, wide, many_groups(c->ngroups)))
		return NULL;

	for (;;) {
		cell = insert(c, seed, wide, key, &full);
		if (cell || !full)
			return cell;
		if (rebuild(c, seed, wide, more_groups(c->ngroups)))
			return NULL;
	}
}

int knp_cells_remove(struct knp_cells *c, const struct knp_seed *seed,
		     bool wide, const struct knp_addr *key)
{
	struct knp_cell *cell;

	if (!knp_cells_find(c, seed, wide, key))
		return 0;
	cell = find_edit(c, seed, wide, key);
	if (!cell)
		return -ENOMEM;

	memset(cell, 0, sizeof(*cell));
	c->used--;
	if (!c->used) {
		knp_cells_put(c);
		memset(c, 0, sizeof(*c));
		return 0;
	}
	if (c->ngroups > 1 && c->used < c->ngroups * KEYS_MEAN / 4)
		return rebuild(c, seed, wide, c->ngroups / 2);
	return 0;
}

const struct knp_cell *knp_cells_at(const struct knp_cells *c, u32 pos)
{
	const struct knp_group *group = group_at(c, pos / KNP_GROUP_CELLS);
	const struct knp_cell *cell;

	if (!group || !group->part)
		return NULL;
	cell = knp_cells_of(group->part) + pos % KNP_GROUP_CELLS;
	return cell->used ? cell : NULL;
}

void knp_cells_get(struct knp_cells *c)
{
	u32 i;

	knp_part_get(c->root);
	for (i = 0; i < KNP_GROUPS_NEAR; i++)
		knp_part_get(c->near[i].part);
}

void knp_cells_put(struct knp_cells *c)
{
	u32 i;

	knp_part_put(c->root);
	for (i = 0; i < KNP_GROUPS_NEAR; i++)
		knp_part_put(c->near[i].part);
}
