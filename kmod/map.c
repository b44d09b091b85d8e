// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "map.h"

static_assert(sizeof(struct knp_slot) == 32);

/* Slots come by the leaf, so that none is wasted. */
#define SLOTS_MIN KNP_PER_LEAF(KNP_PART_BYTES, sizeof(struct knp_slot))

static struct knp_slot *edit_at(struct knp_map *m, u32 pos)
{
	const struct knp_shape shape = {
		.bytes = KNP_PART_BYTES,
		.elem = sizeof(struct knp_slot),
	};

	return knp_array_edit(&m->root, pos, &shape);
}

static int rebuild(struct knp_map *m, u32 nslots)
{
	struct knp_map new = { .nslots = nslots };
	const struct knp_slot *from;
	struct knp_slot *to;
	u32 pos, at;

	for (pos = 0; pos < m->nslots; pos++) {
		if (!(pos % SLOTS_MIN))
			cond_resched();
		from = knp_map_at(m, pos);
		if (!from)
			continue;
		knp_map_probe(&new, from->hash, &from->key, from->extra, &at);
		to = edit_at(&new, at);
		if (!to) {
			knp_part_put(new.root);
			return -ENOMEM;
		}
		*to = *from;
		new.used++;
	}

	knp_part_put(m->root);
	*m = new;
	return 0;
}

struct knp_slot *knp_map_edit(struct knp_map *m, const struct knp_seed *seed,
			      const struct knp_addr *key, u32 extra)
{
	u32 hash = knp_map_hash(seed, key, extra);
	struct knp_slot *slot;
	u32 pos;

	if (m->used && knp_map_probe(m, hash, key, extra, &pos))
		return edit_at(m, pos);

	if (m->used + 1 > m->nslots / 3 * 2 &&
	    rebuild(m, m->nslots ? m->nslots * 2 : SLOTS_MIN))
		return NULL;

	knp_map_probe(m, hash, key, extra, &pos);
	slot = edit_at(m, pos);
	if (!slot)
		return NULL;

	slot->key = *key;
	slot->extra = extra;
	slot->hash = hash;
	m->used++;
	return slot;
}

/* Whether @home does not lie in the ring's stretch behind @hole up to @pos. */
static bool may_move(u32 home, u32 hole, u32 pos)
{
	if (hole <= pos)
		return home <= hole || home > pos;
	return home <= hole && home > pos;
}

/* Close the gap, so that what was put behind the hole is still found. */
static int close_gap(struct knp_map *m, u32 hole)
{
	const struct knp_slot *slot;
	struct knp_slot *from, *to;
	u32 pos = hole;

	for (;;) {
		if (++pos == m->nslots)
			pos = 0;
		slot = knp_map_at(m, pos);
		if (!slot)
			return 0;
		if (!may_move(knp_map_home(m, slot->hash), hole, pos))
			continue;

		/* Editing the one must not move the other: own both first. */
		if (!edit_at(m, hole))
			return -ENOMEM;
		from = edit_at(m, pos);
		if (!from)
			return -ENOMEM;
		to = edit_at(m, hole);
		*to = *from;
		memset(from, 0, sizeof(*from));
		hole = pos;
	}
}

int knp_map_remove(struct knp_map *m, const struct knp_seed *seed,
		   const struct knp_addr *key, u32 extra)
{
	struct knp_slot *slot;
	int err;
	u32 pos;

	if (!m->used || !knp_map_probe(m, knp_map_hash(seed, key, extra), key,
				       extra, &pos))
		return -ENOENT;

	slot = edit_at(m, pos);
	if (!slot)
		return -ENOMEM;

	memset(slot, 0, sizeof(*slot));
	m->used--;

	err = close_gap(m, pos);
	if (err)
		return err;

	if (m->nslots > SLOTS_MIN && m->used < m->nslots / 8)
		return rebuild(m, m->nslots / 2);
	return 0;
}
