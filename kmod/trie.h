/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * IPv4 ranges (ranges.h) compiled for few cache lines. PURE, see table.h.
 *
 * A binary search over 200,000 ranges reads some 15 lines. Here the upper bits
 * of an address choose a child of a node, the next bits a child of that, until
 * at most eight ranges are left, which fit in one line with their classes:
 *
 *   split   2^bits children, as many bits as leave some four ranges to a child
 *	     on average: one line to read, whichever child it is
 *   line    eight starts and classes, searched without a branch
 *   class   all of a child's addresses have one class; it takes no memory
 *
 * So ranges that are spread evenly take three lines, however many they are:
 * 200,000 ranges make a first split of 9 bits and 512 second ones of 7. Where
 * they are crowded (all /24 of one /8) there are more splits, at worst as many
 * as a path has room for: two bits each.
 *
 * A child is an unsigned long: the address of what it leads to, with its kind
 * and bits in the lower six bits, which are free since everything is aligned
 * to lines; or a class. All of it is built at once, in parts that are filled
 * one after the other; an array owns them.
 */
#ifndef KNP_TRIE_H
#define KNP_TRIE_H

#include "parts.h"
#include "ranges.h"

#define KNP_LINE_RANGES	8

/* Of a child, in its lower six bits: what it is; bits of a split above it. */
#define KNP_CHILD_KIND	3UL
#define KNP_CHILD_CLASS	0UL
#define KNP_CHILD_LINE	1UL
#define KNP_CHILD_SPLIT	2UL
#define KNP_CHILD_BITS	2
#define KNP_CHILD_LOW	63UL

/* A class is that far above the kind. */
#define KNP_CHILD_ID	16

/**
 * struct knp_line - up to eight ranges
 * @start: first address of each, ascending; the last is repeated to the end
 * @class_id: its class
 */
struct knp_line {
	u32 start[KNP_LINE_RANGES];
	u16 class_id[KNP_LINE_RANGES];
} __aligned(64);

/**
 * struct knp_trie - compiled ranges
 * @root: a child
 * @parts: array that owns the parts
 *
 * All zero: every address has class 0.
 */
struct knp_trie {
	unsigned long root;
	struct knp_part *parts;
};

/**
 * knp_trie_compile() - compile ranges
 * @ranges: ascending, the first starts at 0; no two neighbours of one class
 * @n: how many, at least 1
 * @ret: filled, one reference to @parts
 *
 * Context: may sleep; reschedules.
 *
 * Return: 0 or -ENOMEM; @ret is untouched on failure.
 */
int knp_trie_compile(const struct knp_prefix *ranges, u32 n,
		     struct knp_trie *ret);

/* The class in a line that has one for every address. */
static __always_inline u32 knp_line_class(const struct knp_line *line, u32 ip)
{
	u32 i = line->start[4] <= ip ? 4 : 0;

	i += line->start[i + 2] <= ip ? 2 : 0;
	i += line->start[i + 1] <= ip;
	return line->class_id[i];
}

/**
 * knp_trie_look() - look up an address
 * @child: the root
 * @ip: the address, host byte order
 *
 * Context: any. Return: its class.
 */
static __always_inline u32 knp_trie_look(unsigned long child, u32 ip)
{
	u32 left = ip;
	u32 bits;

	while ((child & KNP_CHILD_KIND) == KNP_CHILD_SPLIT) {
		bits = (child & KNP_CHILD_LOW) >> KNP_CHILD_BITS;
		child = ((const unsigned long *)(child & ~KNP_CHILD_LOW))
			[left >> (32 - bits)];
		left <<= bits;
	}
	if ((child & KNP_CHILD_KIND) == KNP_CHILD_CLASS)
		return child >> KNP_CHILD_ID;
	return knp_line_class((const struct knp_line *)
			      (child & ~KNP_CHILD_LOW), ip);
}

#endif /* KNP_TRIE_H */
