// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "trie.h"

static_assert(sizeof(struct knp_line) == 64);

/* Bits of one split: its children fit in one part. */
#define BITS_MIN	2
#define BITS_MAX	9
#define DEPTH_MAX	(32 / BITS_MIN)

/* Ranges to a child on average. */
#define CHILD_MEAN	4

#define LINE		64
#define TRIE_BYTES	8192

static const struct knp_shape shape = {
	.bytes = KNP_PART_BYTES,
	.elem = sizeof(struct knp_part *),
	.ptrs = true,
};

/**
 * struct level - a split whose children are being made
 * @child: all of them
 * @base: first address of the split
 * @used: bits of the address that lead to it
 * @bits: bits that choose a child
 * @next: the child to make
 */
struct level {
	unsigned long *child;
	u32 base;
	u8 used;
	u8 bits;
	u16 next;
};

/**
 * struct build - the work on one trie
 * @range: see knp_trie_compile()
 * @n: how many
 * @at: the range in which the address that is worked on lies
 * @parts: array of the parts so far
 * @nparts: how many
 * @room: bytes left in the last of them
 */
struct build {
	const struct knp_prefix *range;
	u32 n;
	u32 at;
	struct knp_part *parts;
	u32 nparts;
	u32 room;
};

static u32 start_of(const struct build *b, u32 i)
{
	return b->range[i].hi >> 32;
}

/* Memory from the parts, a multiple of lines, zero. */
static void *take(struct build *b, u32 bytes)
{
	struct knp_part **slot;
	u8 *end;

	if (b->room < bytes) {
		slot = knp_array_edit(&b->parts, b->nparts, &shape);
		if (!slot)
			return NULL;
		*slot = knp_part_new(TRIE_BYTES - KNP_PART_HEAD, 0, 0);
		if (!*slot)
			return NULL;
		b->nparts++;
		/* The head takes half of the first line. */
		b->room = TRIE_BYTES - LINE;
		cond_resched();
	}

	slot = knp_array_edit(&b->parts, b->nparts - 1, &shape);
	if (!slot)
		return NULL;
	end = (u8 *)*slot + TRIE_BYTES;
	b->room -= bytes;
	return end - b->room - bytes;
}

static unsigned long new_line(struct build *b, u32 count)
{
	struct knp_line *line = take(b, sizeof(*line));
	u32 i, from;

	if (!line)
		return 0;

	for (i = 0; i < KNP_LINE_RANGES; i++) {
		from = b->at + (i < count ? i : count - 1);
		line->start[i] = start_of(b, from);
		line->class_id[i] = b->range[from].class_id;
	}
	return (unsigned long)line | KNP_CHILD_LINE;
}

/* The ranges from b->at on that begin not behind @last. */
static u32 count_to(const struct build *b, u32 last)
{
	u32 lo = b->at, n = b->n - b->at;

	while (n > 1) {
		u32 half = n / 2;

		if (start_of(b, lo + half) <= last)
			lo += half;
		n -= half;
	}
	return lo - b->at + 1;
}

static u32 bits_for(u32 count, u32 used)
{
	u32 bits = BITS_MIN;

	while (bits < BITS_MAX && count >> bits > CHILD_MEAN)
		bits++;
	return bits < 32 - used ? bits : 32 - used;
}

/*
 * Make the child for the addresses that begin with these bits. A split is
 * returned in @level, to be worked on.
 */
static int new_child(struct build *b, unsigned long *child, u32 base, u32 used,
		     struct level *level, bool *split)
{
	u32 last = base | (u32)(0xffffffffULL >> used);
	u32 count, bytes;

	while (b->at + 1 < b->n && start_of(b, b->at + 1) <= base)
		b->at++;
	count = count_to(b, last);

	*split = false;
	if (count == 1) {
		*child = (unsigned long)b->range[b->at].class_id
			 << KNP_CHILD_ID;
		return 0;
	}
	if (count <= KNP_LINE_RANGES) {
		*child = new_line(b, count);
		return *child ? 0 : -ENOMEM;
	}

	*split = true;
	*level = (struct level){
		.base = base, .used = used, .bits = bits_for(count, used),
	};
	bytes = sizeof(*child) << level->bits;
	level->child = take(b, bytes < LINE ? LINE : bytes);
	if (!level->child)
		return -ENOMEM;
	*child = (unsigned long)level->child | KNP_CHILD_SPLIT |
		 (unsigned long)level->bits << KNP_CHILD_BITS;
	return 0;
}

/* Depth first, so that addresses, and with them ranges, come in order. */
static int build(struct build *b, unsigned long *root)
{
	struct level levels[DEPTH_MAX];
	unsigned int depth = 0;
	struct level *l;
	bool split;
	u32 used;
	int err;

	err = new_child(b, root, 0, 0, &levels[0], &split);
	depth = split;
	while (!err && depth) {
		l = &levels[depth - 1];
		if (l->next >> l->bits) {
			depth--;
			continue;
		}
		used = l->used + l->bits;
		err = new_child(b, &l->child[l->next],
				l->base + ((u32)l->next << (32 - used)), used,
				l + 1, &split);
		l->next++;
		depth += split;
	}
	return err;
}

int knp_trie_compile(const struct knp_prefix *ranges, u32 n,
		     struct knp_trie *ret)
{
	struct build b = { .range = ranges, .n = n };
	unsigned long root;

	if (build(&b, &root)) {
		knp_part_put(b.parts);
		return -ENOMEM;
	}

	*ret = (struct knp_trie){ .root = root, .parts = b.parts };
	return 0;
}
