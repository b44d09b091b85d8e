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
 * n prefixes give at most 2n + 1 ranges. They are packed into leaves of one
 * part each; nodes above them hold the first start of every child, at most two
 * levels of them. A lookup is one binary search per level: its cost depends neither on
 * the number of policies nor on how many prefix lengths are in use.
 *
 *   leaf   IPv4: 676 starts of 4 bytes,  IPv6: 225 starts of 16 bytes,
 *	    and as many classes of 2 bytes
 *   node   IPv4: 337 children,           IPv6: 169 children
 *
 * 10,000 IPv4 prefixes are at most 30 leaves under one node.
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
 * knp_ranges_compile() - compile prefixes
 * @family: enum knp_family
 * @p: the prefixes in any order, no two the same; sorted on return
 * @n: how many, may be 0
 * @ret: the ranges, one reference; NULL if there are no prefixes
 *
 * Context: may sleep; reschedules.
 *
 * Return: 0 or -ENOMEM; @ret is untouched on failure.
 */
int knp_ranges_compile(unsigned int family, struct knp_prefix *p, u32 n,
		       struct knp_part **ret);

/**
 * knp_ranges_class() - look up an address
 * @root: the ranges, may be NULL
 * @family: enum knp_family
 * @addr: the address
 *
 * Context: any. Return: its class, 0 if it is in none.
 */
u32 knp_ranges_class(const struct knp_part *root, unsigned int family,
		     const struct knp_addr *addr);

#endif /* KNP_RANGES_H */
