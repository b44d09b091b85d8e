// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/errno.h>
#include <linux/string.h>

#include "row.h"

/* Pages of a row with entries for all classes there may be. */
#define PAGES_MAX ((KNP_CLASSES_MAX + KNP_PAGE_CLASSES) / KNP_PAGE_CLASSES)

#define SMALLEST 128

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

	if (!row || !row->level)
		return page_room(row);
	for (i = PAGES_MAX - 1; i && !knp_part_child(row, i); i--)
		;
	return i * KNP_PAGE_CLASSES + page_room(knp_part_child(row, i));
}

u32 knp_row_get(const struct knp_part *row, u32 class_id)
{
	const struct knp_part *page = page_of(row, class_id);
	u32 i = class_id % KNP_PAGE_CLASSES;

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

int knp_row_set(struct knp_part **row, u32 class_id, u32 portset)
{
	struct knp_part *page;

	if (!portset && !knp_row_get(*row, class_id))
		return 0;
	page = page_edit(row, class_id);
	if (!page)
		return -ENOMEM;
	((u16 *)page->data)[class_id % KNP_PAGE_CLASSES] = portset;
	return 0;
}

u32 knp_row_next(const struct knp_part *row, u32 class_id)
{
	u32 room = row_room(row);

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
	page[0] = page_of(row, 0);
	page[1] = page_of(row, KNP_PAGE_CLASSES);
	if (room > KNP_PAGES_NEAR * KNP_PAGE_CLASSES)
		page[1] = row;
}
