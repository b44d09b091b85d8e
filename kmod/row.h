/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Rows: what a set allows, by class. PURE, see table.h.
 *
 * A row is dense: a portset id of 2 bytes for each class, 0 where the set's
 * default holds. It grows with the largest class that has an entry. Up to
 * KNP_PAGE_CLASSES classes it is one part, of the smallest size that the
 * kernel's allocator has for it; a longer one is a part of pointers to pages
 * of that size, of which only the last is smaller and those without an entry
 * are absent.
 *
 *   classes up to	47  111  239  495  1007  2031  4079
 *   bytes	       128  256  512   1K    2K    4K    8K
 *
 * A packet should need one line of it. So what leads to an endpoint's two rows
 * stands in the endpoint's own line (cells.h), put there when a table is
 * frozen: the row itself or its first two pages. 8,160 classes are found like
 * that, 65,535 with one line more.
 */
#ifndef KNP_ROW_H
#define KNP_ROW_H

#include "cells.h"
#include "parts.h"

/* Parts of 8 KiB at most. */
#define KNP_PAGE_CLASSES ((8192 - KNP_PART_HEAD) / sizeof(u16))

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
 * @page: filled: the first pages; the second is the row itself if it has more
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
	const struct knp_part *further;
	u32 i;

	if (class_id > last)
		return 0;
	if (likely(class_id < KNP_PAGE_CLASSES))
		return knp_page_entry(page[0], class_id);

	further = page[1];
	i = class_id / KNP_PAGE_CLASSES;
	if (last >= KNP_PAGES_NEAR * KNP_PAGE_CLASSES)
		further = knp_part_child(further, i);
	return knp_page_entry(further, class_id % KNP_PAGE_CLASSES);
}

#endif /* KNP_ROW_H */
