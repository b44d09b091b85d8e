/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Prefixes compiled for lookup. PURE, see table.h.
 *
 * "The longest prefix wins" is decided once, when a table is frozen, not per
 * packet: the prefixes of a family are cut into disjoint ranges that cover the
 * whole address space, each with the class of its longest prefix, neighbours
 * of one class merged. Only the start of a range is stored; it ends where the
 * next one starts.
 *
 *   10.0.0.0/8     class 1	0.0.0.0		0
 *   10.1.0.0/16    class 2	10.0.0.0	1
 *   10.1.2.0/24    class 0	10.1.0.0	2
 *				10.1.2.0	0   a hole: an "except"
 *				10.1.3.0	2
 *				10.2.0.0	1
 *				11.0.0.0	0
 *
 * n prefixes give at most 2n + 1 ranges. Those of IPv4 go into a trie (trie.h).
 * Those of IPv6 are packed into leaves of one part each, 225 starts of 16 bytes
 * and as many classes of 2 bytes; nodes above them hold the first start of
 * each of up to 169 children, at most two levels of them. A lookup is one
 * binary search per level: its cost depends neither on the number of policies
 * nor on how many prefix lengths are in use.
 */
#ifndef KNP_RANGES_H
#define KNP_RANGES_H

#include "parts.h"
#include "table.h"

/**
 * struct knp_prefix - a prefix to compile
 * @hi: upper half of the address, host byte order; IPv4 in its upper half
 * @lo: lower half of the address
 * @len: prefix length
 * @class_id: its class
 */
struct knp_prefix {
	u64 hi;
	u64 lo;
	u16 class_id;
	u8 len;
};

/* An address in the form of struct knp_prefix. */
void knp_prefix_set(struct knp_prefix *p, const struct knp_addr *addr);

/**
 * knp_ranges_cut() - cut prefixes into ranges
 * @p: the prefixes in any order, no two the same; sorted on return
 * @n: how many
 * @ret_n: how many ranges, at least 1
 *
 * Context: may sleep; reschedules.
 *
 * Return: the ranges, @len unused, to be freed with knp_vfree(); NULL if out of
 * memory.
 */
struct knp_prefix *knp_ranges_cut(struct knp_prefix *p, u32 n, u32 *ret_n);

/**
 * knp_ranges_pack() - compile ranges of IPv6
 * @p: the ranges
 * @n: how many, at least 1
 * @ret: for knp_ranges_class(), one reference
 *
 * Context: may sleep; reschedules.
 *
 * Return: 0 or -ENOMEM; @ret is untouched on failure.
 */
int knp_ranges_pack(const struct knp_prefix *p, u32 n, struct knp_part **ret);

/**
 * knp_ranges_class() - look up an IPv6 address
 * @part: what knp_ranges_pack() made, may be NULL
 * @addr: the address
 *
 * Context: any. Return: its class, 0 if it is in none.
 */
u32 knp_ranges_class(const struct knp_part *part, const struct knp_addr *addr);

#endif /* KNP_RANGES_H */
