/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Shim, see types.h.
 *
 * Tests make the n-th allocation from now on fail by setting knp_shim_fail_in
 * to n, and see in knp_shim_live and knp_shim_bytes what is allocated: the
 * bytes that the kernel's allocator would take, at its alignment, so that cache
 * lines can be counted here.
 */
#ifndef KNP_SHIM_LINUX_SLAB_H
#define KNP_SHIM_LINUX_SLAB_H

#include <stdlib.h>
#include <string.h>
#include <linux/types.h>

#define GFP_KERNEL_ACCOUNT 0
#define KNP_SHIM_LINE 64

extern long knp_shim_fail_in;
extern long knp_shim_live;
extern long knp_shim_bytes;

/* Weak, so that the shims need no source file of their own. */
long knp_shim_fail_in __weak;
long knp_shim_live __weak;
long knp_shim_bytes __weak;

/* What kmalloc() takes for @size: powers of 2, and 96 and 192 between them. */
static inline long knp_shim_room(size_t size)
{
	size_t room = 8;

	if (size > 64 && size <= 96)
		return 96;
	if (size > 128 && size <= 192)
		return 192;
	while (room < size)
		room *= 2;
	return (long)room;
}

static inline size_t ksize(const void *p)
{
	if (!p)
		return 0;
	return (size_t)knp_shim_room(*(const size_t *)((const char *)p -
						       KNP_SHIM_LINE));
}

static inline void *kcalloc(size_t n, size_t size, int flags)
{
	void *p;

	(void)flags;
	if (knp_shim_fail_in) {
		knp_shim_fail_in--;
		if (!knp_shim_fail_in)
			return NULL;
	}

	if ((size && n > (SIZE_MAX - KNP_SHIM_LINE) / size) ||
	    posix_memalign(&p, KNP_SHIM_LINE, KNP_SHIM_LINE + n * size))
		return NULL;

	/* The size stands in a line of its own before what it is the size of. */
	memset(p, 0, KNP_SHIM_LINE + n * size);
	*(size_t *)p = n * size;
	knp_shim_live++;
	knp_shim_bytes += knp_shim_room(n * size);
	return (char *)p + KNP_SHIM_LINE;
}

static inline void *kzalloc(size_t size, int flags)
{
	return kcalloc(1, size, flags);
}

/* What nobody has written yet reads as something odd. */
static inline void *kmalloc(size_t size, int flags)
{
	void *p = kcalloc(1, size, flags);

	if (p)
		memset(p, 0xa5, size);
	return p;
}

static inline void kfree(void *p)
{
	size_t *head;

	if (!p)
		return;

	head = (size_t *)((char *)p - KNP_SHIM_LINE);
	knp_shim_live--;
	knp_shim_bytes -= knp_shim_room(*head);
	free(head);
}

#define kvcalloc kcalloc
#define kvfree kfree

#endif /* KNP_SHIM_LINUX_SLAB_H */
