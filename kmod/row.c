// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/string.h>

#include "row.h"

static_assert(sizeof(struct knp_stretch) == 64);
static_assert(2 * KNP_PART_HEAD == sizeof(struct knp_stretch));

/* Pages of a row with entries for all classes there may be. */
#define PAGES_MAX ((KNP_CLASSES_MAX + KNP_PAGE_CLASSES) / KNP_PAGE_CLASSES)

#define SMALLEST 128
#define LARGEST	 8192

/* What an entry does not fit in. */
#define FULL 1

static u32 sparse_room(const struct knp_part *row)
{
	return (row->size + KNP_PART_HEAD) / sizeof(struct knp_stretch) *
	       KNP_STRETCH_CLASSES - KNP_STRETCH_CLASSES;
}

static u32 page_room(const struct knp_part *page)
{
	return page ? page->size / sizeof(u16) : 0;
}

static struct knp_part **children(struct knp_part *row)
{
	return (struct knp_part **)row->data;
}

/* The page of a class; NULL if it is absent. */
static const struct knp_part *page_of(const struct knp_part *row, u32 class_id)
{
	u32 i = class_id / KNP_PAGE_CLASSES;

	if (!row || !row->level)
		return i ? NULL : row;
	return knp_part_child(row, i);
}

/* How many classes the row has room for. */
static u32 row_room(const struct knp_part *row)
{
	u32 i;

	if (row && row->sparse)
		return sparse_room(row);
	if (!row || !row->level)
		return page_room(row);
	for (i = PAGES_MAX - 1; i && !knp_part_child(row, i); i--)
		;
	return i * KNP_PAGE_CLASSES + page_room(knp_part_child(row, i));
}

u32 knp_row_get(const struct knp_part *row, u32 class_id)
{
	const struct knp_part *page;
	u32 i = class_id % KNP_PAGE_CLASSES;

	if (row && row->sparse)
		return class_id < sparse_room(row) ?
			knp_sparse_entry(row, class_id) : 0;
	page = page_of(row, class_id);
	return i < page_room(page) ? knp_page_entry(page, i) : 0;
}

/* Make a page the writer's own, with room for at least @n classes. */
static int page_own(struct knp_part **page, u32 n)
{
	u32 bytes = SMALLEST;
	struct knp_part *new;

	if (*page && page_room(*page) >= n)
		return knp_part_own(page);

	while (bytes < KNP_PART_HEAD + n * sizeof(u16))
		bytes *= 2;
	new = knp_part_new(bytes - KNP_PART_HEAD, 0, 0);
	if (!new)
		return -ENOMEM;
	if (*page)
		memcpy(new->data, (*page)->data, (*page)->size);
	knp_part_put(*page);
	*page = new;
	return 0;
}

/* The only page becomes the first of many. */
static int row_grow(struct knp_part **row)
{
	struct knp_part *new;

	new = knp_part_new(PAGES_MAX * sizeof(struct knp_part *), PAGES_MAX,
			   sizeof(struct knp_part *));
	if (!new)
		return -ENOMEM;
	new->level = 1;
	children(new)[0] = *row;
	*row = new;
	return 0;
}

/* The page of a class, the writer's own. Only the last page may be small. */
static struct knp_part *page_edit(struct knp_part **row, u32 class_id)
{
	u32 no = class_id / KNP_PAGE_CLASSES;
	u32 n = class_id % KNP_PAGE_CLASSES + 1;
	struct knp_part **page;
	u32 i;

	if (!*row || !(*row)->level) {
		if (!no)
			return page_own(row, n) ? NULL : *row;
		if (row_grow(row))
			return NULL;
	}
	if (knp_part_own(row))
		return NULL;

	page = children(*row);
	for (i = 0; i < no; i++) {
		if (page[i] && page_room(page[i]) < KNP_PAGE_CLASSES &&
		    page_own(&page[i], KNP_PAGE_CLASSES))
			return NULL;
	}
	for (i = no + 1; i < PAGES_MAX; i++) {
		if (page[i])
			n = KNP_PAGE_CLASSES;
	}
	return page_own(&page[no], n) ? NULL : page[no];
}

static int dense_set(struct knp_part **row, u32 class_id, u32 portset)
{
	struct knp_part *page = page_edit(row, class_id);

	if (!page)
		return -ENOMEM;
	((u16 *)page->data)[class_id % KNP_PAGE_CLASSES] = portset;
	return 0;
}

/* Make a sparse row the writer's own, with room for a class. */
static int sparse_own(struct knp_part **row, u32 class_id)
{
	u32 bytes = SMALLEST;
	struct knp_part *new;

	if (*row && class_id < sparse_room(*row))
		return knp_part_own(row);

	while (bytes / sizeof(struct knp_stretch) <=
	       class_id / KNP_STRETCH_CLASSES + 1)
		bytes *= 2;
	if (bytes > LARGEST)
		return FULL;
	new = knp_part_new(bytes - KNP_PART_HEAD, 0, 0);
	if (!new)
		return -ENOMEM;
	new->sparse = true;
	if (*row)
		memcpy(new->data, (*row)->data, (*row)->size);
	knp_part_put(*row);
	*row = new;
	return 0;
}

/* @old: what there is. 0, -ENOMEM or FULL: then the entries are unchanged. */
static int sparse_set(struct knp_part **row, u32 class_id, u32 old,
		      u32 portset)
{
	u32 i = class_id % KNP_STRETCH_CLASSES;
	struct knp_stretch *s;
	u32 word, place, n;
	int err;

	err = sparse_own(row, class_id);
	if (err)
		return err;
	s = (struct knp_stretch *)*row + 1 + class_id / KNP_STRETCH_CLASSES;
	n = s->before[KNP_STRETCH_WORDS];
	if (!old && n == KNP_STRETCH_ENTRIES)
		return FULL;

	place = knp_stretch_place(s, i);
	if (old && portset) {
		s->entry[place] = portset;
		return 0;
	}
	if (portset) {
		memmove(&s->entry[place + 1], &s->entry[place],
			(n - place) * sizeof(s->entry[0]));
		s->entry[place] = portset;
	} else {
		memmove(&s->entry[place], &s->entry[place + 1],
			(n - place - 1) * sizeof(s->entry[0]));
	}
	s->has[i / 64] ^= 1ULL << (i % 64);
	for (word = i / 64 + 1; word <= KNP_STRETCH_WORDS; word++)
		s->before[word] += portset ? 1 : -1;
	return 0;
}

/* Make a sparse row dense. */
static int row_spread(struct knp_part **row)
{
	struct knp_part *new = NULL;
	u32 i;

	for (i = knp_row_next(*row, 0); i != U32_MAX;
	     i = knp_row_next(*row, i + 1)) {
		if (dense_set(&new, i, knp_row_get(*row, i))) {
			knp_part_put(new);
			return -ENOMEM;
		}
	}
	knp_part_put(*row);
	*row = new;
	return 0;
}

int knp_row_set(struct knp_part **row, u32 class_id, u32 portset)
{
	u32 old = knp_row_get(*row, class_id);
	int err;

	if (portset == old)
		return 0;
	if (*row && !(*row)->sparse)
		return dense_set(row, class_id, portset);

	err = sparse_set(row, class_id, old, portset);
	if (err != FULL)
		return err;
	err = row_spread(row);
	return err ? err : dense_set(row, class_id, portset);
}

static u32 sparse_next(const struct knp_part *row, u32 class_id)
{
	u32 room = sparse_room(row);
	const struct knp_stretch *s;
	u64 left;

	/* By words: stretches consist of whole ones. */
	for (; class_id < room; class_id += 64 - class_id % 64) {
		s = (const struct knp_stretch *)row + 1 +
		    class_id / KNP_STRETCH_CLASSES;
		left = s->has[class_id % KNP_STRETCH_CLASSES / 64] >>
		       (class_id % 64);
		if (left)
			return class_id + __ffs64(left);
	}
	return U32_MAX;
}

u32 knp_row_next(const struct knp_part *row, u32 class_id)
{
	u32 room;

	if (row && row->sparse)
		return sparse_next(row, class_id);

	room = row_room(row);
	while (class_id < room && !knp_row_get(row, class_id))
		class_id += page_of(row, class_id) ? 1 : KNP_PAGE_CLASSES -
			    class_id % KNP_PAGE_CLASSES;
	return class_id < room ? class_id : U32_MAX;
}

void knp_row_bind(const struct knp_part *row,
		  const struct knp_part *page[KNP_PAGES_NEAR], u16 *last)
{
	u32 room = row_room(row);

	/* The last page has room for ids that there are not. */
	if (room > KNP_CLASSES_MAX)
		room = KNP_CLASSES_MAX + 1;
	*last = room ? room - 1 : 0;
	if (row && row->sparse) {
		page[0] = (const void *)((unsigned long)row | KNP_PAGE_SPARSE);
		page[1] = NULL;
		return;
	}
	page[0] = page_of(row, 0);
	page[1] = page_of(row, KNP_PAGE_CLASSES);
	if (room > KNP_PAGES_NEAR * KNP_PAGE_CLASSES)
		page[1] = row;
}
