// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "mem.h"
#include "parts.h"

static_assert(sizeof(struct knp_part) == KNP_PART_HEAD);

static struct knp_part **ptr_at(struct knp_part *part, u32 i)
{
	return (struct knp_part **)((u8 *)part->data + i * part->stride);
}

struct knp_part *knp_part_new(u32 size, u32 nptrs, u32 stride)
{
	struct knp_part *part = knp_zalloc(sizeof(*part) + size);

	if (!part)
		return NULL;

	part->refs = 1;
	part->size = size;
	part->nptrs = nptrs;
	part->stride = stride;
	return part;
}

int knp_part_own(struct knp_part **slot)
{
	struct knp_part *old = *slot;
	struct knp_part *new;
	u32 i;

	if (old->refs == 1)
		return 0;

	new = knp_alloc(sizeof(*old) + old->size);
	if (!new)
		return -ENOMEM;

	memcpy(new, old, sizeof(*old) + old->size);
	new->refs = 1;
	for (i = 0; i < new->nptrs; i++)
		knp_part_get(*ptr_at(new, i));

	old->refs--;
	*slot = new;
	return 0;
}

void *knp_part_edit(struct knp_part **slot, u32 size, u32 nptrs)
{
	if (!*slot)
		*slot = knp_part_new(size, nptrs, sizeof(struct knp_part *));
	if (!*slot || knp_part_own(slot))
		return NULL;
	return (*slot)->data;
}

void knp_part_put(struct knp_part *part)
{
	struct knp_part *todo = NULL;
	struct knp_part *child;
	u32 i;

	if (!part || --part->refs)
		return;

	for (todo = part; todo; cond_resched()) {
		part = todo;
		todo = part->next;
		for (i = 0; i < part->nptrs; i++) {
			child = *ptr_at(part, i);
			if (!child || --child->refs)
				continue;
			child->next = todo;
			todo = child;
		}
		knp_free(part);
	}
}

/* Leaves that an array of this level can hold. */
static u32 leaves(u32 level, u32 fan)
{
	u32 n = 1;

	while (level--)
		n *= fan;
	return n;
}

static struct knp_part *new_node(u32 level, const struct knp_shape *shape)
{
	u32 stride = sizeof(struct knp_part *);
	u32 n = KNP_PER_NODE(shape->bytes);
	struct knp_part *part;

	if (!level) {
		n = KNP_PER_LEAF(shape->bytes, shape->elem);
		stride = shape->elem;
	}
	part = knp_part_new(n * stride, level || shape->ptrs ? n : 0, stride);
	if (part)
		part->level = level;
	return part;
}

/* Make the root high enough for leaf @no. */
static int grow(struct knp_part **root, u32 no, const struct knp_shape *shape)
{
	u32 level = *root ? (*root)->level : 0;
	u32 fan = KNP_PER_NODE(shape->bytes);
	struct knp_part *new;

	while (no >= leaves(level, fan)) {
		level++;
		if (!*root)
			continue;
		new = new_node(level, shape);
		if (!new)
			return -ENOMEM;
		*ptr_at(new, 0) = *root;
		*root = new;
	}
	if (!*root)
		*root = new_node(level, shape);
	return *root ? 0 : -ENOMEM;
}

void *knp_array_edit(struct knp_part **root, u32 i,
		     const struct knp_shape *shape)
{
	u32 per = KNP_PER_LEAF(shape->bytes, shape->elem);
	u32 fan = KNP_PER_NODE(shape->bytes);
	struct knp_part **slot = root;
	u32 no = i / per;
	u32 level;

	if (grow(root, no, shape))
		return NULL;

	for (level = (*root)->level; ; level--) {
		if (!*slot)
			*slot = new_node(level, shape);
		if (!*slot || knp_part_own(slot))
			return NULL;
		if (!level)
			break;
		slot = ptr_at(*slot, no / leaves(level - 1, fan) % fan);
	}
	return (u8 *)(*slot)->data + i % per * shape->elem;
}

u32 knp_array_seek(const struct knp_part *root, u32 i,
		   const struct knp_shape *shape)
{
	u32 per = KNP_PER_LEAF(shape->bytes, shape->elem);
	u32 end, no;

	if (!root)
		return U32_MAX;

	end = leaves(root->level, KNP_PER_NODE(shape->bytes));
	for (no = i / per; no < end; no++) {
		if (knp_array_leaf(root, root->level, no, shape->bytes))
			return i > no * per ? i : no * per;
	}
	return U32_MAX;
}
