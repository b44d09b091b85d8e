/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Parts: what tables are made of, and sparse arrays of them. PURE, see
 * table.h.
 *
 * A part is one allocation of at most 8 KiB: a small head and data. It is
 * shared by a plain count, which counts the pointers to it. Parts that contain
 * pointers to parts say where, so that copying and dropping needs no knowledge
 * of what they mean. That makes every structure here persistent: whoever
 * changes it first makes the parts on the way from the root his own
 * (copy-on-write) and leaves the others shared.
 *
 * An array is a pointer to its root part. Elements have a fixed size, those
 * that were never edited read as absent. A small array is one leaf; a larger
 * one has one or two levels of pointers above its leaves:
 *
 *   root (level 2) --> parts of level 1 --> leaves (level 0): elements
 *
 *   array of 2-byte elements in parts of 512 bytes: 240 elements in a leaf,
 *   60 pointers in an inner part. Element 1000 of an array with one level of
 *   pointers: leaf 1000 / 240 = 4, element 1000 % 240 = 40.
 *
 * Sizes are compile-time constants in all callers, so that the divisions of
 * the inline accessor become multiplications.
 *
 * Ownership: functions that change counts belong to the writer, see table.h.
 * Reading takes no count.
 */
#ifndef KNP_PARTS_H
#define KNP_PARTS_H

#include <linux/types.h>

#define KNP_PART_BYTES	4096	/* of most parts, head included */
#define KNP_PART_HEAD	32	/* keeps 32-byte elements within cache lines */

/**
 * struct knp_part - one allocation of a table
 * @refs: pointers to it
 * @size: bytes of @data
 * @nptrs: pointers to parts in @data, which may be NULL
 * @stride: bytes from one of these pointers to the next; the first is at 0
 * @level: of an array: levels of pointers down to the leaves
 * @sparse: of a row, see row.h
 * @next: while it is being freed: the next one to be freed
 * @head: what pads the above to KNP_PART_HEAD
 * @data: what it holds, zero at first
 */
struct knp_part {
	union {
		struct {
			u32 refs;
			u16 size;
			u16 nptrs;
			u16 stride;
			u8 level;
			bool sparse;
			struct knp_part *next;
		};
		u8 head[KNP_PART_HEAD];
	};
	u64 data[];
};

/**
 * struct knp_shape - the constants of an array
 * @bytes: of a part, head included
 * @elem: bytes of an element
 * @ptrs: each element starts with a pointer to a part
 */
struct knp_shape {
	u16 bytes;
	u16 elem;
	bool ptrs;
};

/* Elements in a leaf and pointers in an inner part, of parts of these bytes. */
#define KNP_PER_LEAF(bytes, elem) (((bytes) - KNP_PART_HEAD) / (u32)(elem))
#define KNP_PER_NODE(bytes) KNP_PER_LEAF(bytes, sizeof(struct knp_part *))

/**
 * knp_part_new() - a part of zeroes with one reference
 * @size: bytes of data
 * @nptrs: pointers in it
 * @stride: bytes between them
 *
 * Return: the part, NULL if out of memory.
 */
struct knp_part *knp_part_new(u32 size, u32 nptrs, u32 stride);

/**
 * knp_part_own() - make sure that nobody else sees what is changed
 * @slot: pointer to the part; replaced by a copy if the part is shared
 *
 * Return: 0 or -ENOMEM with nothing changed.
 */
int knp_part_own(struct knp_part **slot);

/**
 * knp_part_edit() - a part to be changed, made if there is none
 * @slot: pointer to the part, which may be NULL; replaced where needed
 * @size: bytes of data of a new one
 * @nptrs: pointers at the start of its data
 *
 * Return: its data, NULL if out of memory with nothing changed.
 */
void *knp_part_edit(struct knp_part **slot, u32 size, u32 nptrs);

/**
 * knp_part_get() - take a reference
 * @part: may be NULL
 *
 * Return: @part.
 */
static inline struct knp_part *knp_part_get(struct knp_part *part)
{
	if (part)
		part->refs++;
	return part;
}

/**
 * knp_part_put() - drop a reference
 * @part: may be NULL; freed with all that only it referred to
 *
 * Context: may sleep. Iterative, reschedules between parts.
 */
void knp_part_put(struct knp_part *part);

/* A part's data, read only and for writing. */
static __always_inline const void *knp_part_data(const struct knp_part *part)
{
	return part->data;
}

static __always_inline struct knp_part *knp_part_child(const struct knp_part *p,
						       u32 i)
{
	return ((struct knp_part *const *)knp_part_data(p))[i];
}

/**
 * knp_array_leaf() - find a leaf
 * @root: of the array, not NULL
 * @level: the root's
 * @no: number of the leaf
 * @bytes: of a part
 *
 * Return: the leaf, NULL if it is absent.
 */
static __always_inline const struct knp_part *
knp_array_leaf(const struct knp_part *root, u32 level, u32 no, u32 bytes)
{
	const u32 fan = KNP_PER_NODE(bytes);

	switch (level) {
	case 0:
		return no ? NULL : root;
	case 1:
		return no < fan ? knp_part_child(root, no) : NULL;
	default:
		if (no >= fan * fan)
			return NULL;
		root = knp_part_child(root, no / fan);
		return root ? knp_part_child(root, no % fan) : NULL;
	}
}

/**
 * knp_array_look() - read an element, for packets
 * @root: of the array, not NULL
 * @level: the root's; who has it elsewhere spares a line
 * @i: index
 * @bytes: of a part
 * @elem: bytes of an element
 *
 * Return: the element, NULL if it is absent. A present one may be all zero.
 */
static __always_inline const void *knp_array_look(const struct knp_part *root,
						  u32 level, u32 i, u32 bytes,
						  u32 elem)
{
	const struct knp_part *leaf;

	leaf = knp_array_leaf(root, level, i / KNP_PER_LEAF(bytes, elem),
			      bytes);
	if (!leaf)
		return NULL;
	return (const u8 *)knp_part_data(leaf) +
	       i % KNP_PER_LEAF(bytes, elem) * elem;
}

/* The same; @root may be NULL. */
static __always_inline const void *knp_array_get(const struct knp_part *root,
						 u32 i, u32 bytes, u32 elem)
{
	return root ? knp_array_look(root, root->level, i, bytes, elem) : NULL;
}

/**
 * knp_array_edit() - get an element for writing
 * @root: of the array, replaced where needed
 * @i: index
 * @shape: of the array
 *
 * Return: the element, valid until the array is edited again, NULL if out of
 * memory; the array's elements are unchanged then.
 */
void *knp_array_edit(struct knp_part **root, u32 i,
		     const struct knp_shape *shape);

/**
 * knp_array_seek() - skip what is absent
 * @root: of the array, may be NULL
 * @i: index
 * @shape: of the array
 *
 * Return: the smallest index from @i on that is present, U32_MAX if none.
 */
u32 knp_array_seek(const struct knp_part *root, u32 i,
		   const struct knp_shape *shape);

#endif /* KNP_PARTS_H */
