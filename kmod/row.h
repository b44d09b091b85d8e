/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Rows: what a set allows, by class. PURE, see table.h.
 *
 * A row is sparse as long as it can be. Most sets allow few of the classes that
 * there are, and what is not read need not be in a cache: a sparse row consists
 * of stretches of 192 classes, a line each. A stretch has a bit for each class
 * with an entry, and the entries, portset ids, in the order of their classes. So
 * many bits are set before that of a class is the place of its entry; they are
 * counted in one word, and those of the words before it are written down.
 *
 *	struct knp_stretch
 *	+-------------+--------+-----------------------+
 *	| 3 x 64 bits | before | up to 18 entries      |
 *	+-------------+--------+-----------------------+
 *
 *   classes up to	191  575  1343	2879  5951  12095  24383
 *   bytes	       128  256	  512	  1K	2K     4K     8K
 *
 * When a stretch has no room for an entry, or a class is beyond the last that
 * 8 KiB have stretches for, the row becomes dense for good: a portset id of 2
 * bytes for each class, 0 where the set's default holds. Up to KNP_PAGE_CLASSES
 * classes it is one part, of the smallest size that the kernel's allocator has
 * for it; a longer one is a part of pointers to pages of that size, of which
 * only the last is smaller and those without an entry are absent.
 *
 *   classes up to	47  111  239  495  1007  2031  4079
 *   bytes	       128  256  512   1K    2K    4K    8K
 *
 * A packet should need one line of a row. So what leads to an endpoint's two
 * rows stands in the endpoint's own line (cells.h), put there when a table is
 * frozen: the row itself or its first two pages. 8,160 classes of a dense row
 * are found like that, 65,535 with one line more.
 */
#ifndef KNP_ROW_H
#define KNP_ROW_H

#include <linux/bitops.h>

#include "cells.h"
#include "parts.h"

/* Of a dense row. Parts of 8 KiB at most. */
#define KNP_PAGE_CLASSES ((8192 - KNP_PART_HEAD) / sizeof(u16))

/* Of a sparse row. */
#define KNP_STRETCH_WORDS 3
#define KNP_STRETCH_CLASSES (KNP_STRETCH_WORDS * 64)
#define KNP_STRETCH_ENTRIES 18

/* In a pointer to a page, which is aligned to more: it is a sparse row. */
#define KNP_PAGE_SPARSE	1UL

/**
 * struct knp_stretch - the entries of some classes of a sparse row
 * @has: a bit for each class that has an entry
 * @before: by word of @has, how many entries those before have; in the end how
 *	    many there are
 * @entry: portset ids
 */
struct knp_stretch {
	u64 has[KNP_STRETCH_WORDS];
	u8 before[KNP_STRETCH_WORDS + 1];
	u16 entry[KNP_STRETCH_ENTRIES];
} __aligned(64);

/* The place of a class's entry, if it has one or gets one. */
static __always_inline u32 knp_stretch_place(const struct knp_stretch *s, u32 i)
{
	const u64 below = (1ULL << (i % 64)) - 1;

	return s->before[i / 64] + hweight64(s->has[i / 64] & below);
}

/* @page: a sparse row. Stretches begin in the second line of their part. */
static __always_inline u32 knp_sparse_entry(const void *page, u32 class_id)
{
	const struct knp_stretch *s = page;
	const u32 i = class_id % KNP_STRETCH_CLASSES;

	s += 1 + class_id / KNP_STRETCH_CLASSES;
	if (!(s->has[i / 64] >> (i % 64) & 1))
		return 0;
	return s->entry[knp_stretch_place(s, i)];
}

static __always_inline u32 knp_page_entry(const struct knp_part *page, u32 i)
{
	return page ? ((const u16 *)knp_part_data(page))[i] : 0;
}

/**
 * knp_row_get() - the entry of a class
 * @row: may be NULL
 * @class_id: the class
 *
 * Return: portset id, 0 if there is no entry.
 */
u32 knp_row_get(const struct knp_part *row, u32 class_id);

/**
 * knp_row_set() - change the entry of a class
 * @row: the row; replaced where needed, nothing it shares is changed
 * @class_id: the class
 * @portset: id, 0 removes the entry
 *
 * Return: 0 or -ENOMEM; the entries are unchanged then.
 */
int knp_row_set(struct knp_part **row, u32 class_id, u32 portset);

/**
 * knp_row_next() - skip classes without an entry
 * @row: may be NULL
 * @class_id: where to begin
 *
 * Return: the first class from there on that has an entry, U32_MAX if none.
 */
u32 knp_row_next(const struct knp_part *row, u32 class_id);

/**
 * knp_row_bind() - what knp_row_look() needs
 * @row: may be NULL; must outlive what is bound to it
 * @page: filled: the first pages; the second is the row itself if it has more;
 *	  or a sparse row with KNP_PAGE_SPARSE
 * @last: filled: the last class that the row has room for
 */
void knp_row_bind(const struct knp_part *row,
		  const struct knp_part *page[KNP_PAGES_NEAR], u16 *last);

/**
 * knp_row_look() - the entry of a class, for packets
 * @page: bound
 * @last: bound
 * @class_id: the class
 *
 * Return: portset id, 0 if there is no entry.
 */
static __always_inline u32
knp_row_look(const struct knp_part *const page[KNP_PAGES_NEAR], u32 last,
	     u32 class_id)
{
	const unsigned long first = (unsigned long)page[0];
	const struct knp_part *further;
	u32 i;

	if (class_id > last)
		return 0;
	if (first & KNP_PAGE_SPARSE)
		return knp_sparse_entry((const void *)(first - KNP_PAGE_SPARSE),
					class_id);
	if (likely(class_id < KNP_PAGE_CLASSES))
		return knp_page_entry(page[0], class_id);

	further = page[1];
	i = class_id / KNP_PAGE_CLASSES;
	if (last >= KNP_PAGES_NEAR * KNP_PAGE_CLASSES)
		further = knp_part_child(further, i);
	return knp_page_entry(further, class_id % KNP_PAGE_CLASSES);
}

#endif /* KNP_ROW_H */
