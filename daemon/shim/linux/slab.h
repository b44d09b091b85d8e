/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Shim, see types.h.
 *
 * Tests make the n-th allocation from now on fail by setting knp_shim_fail_in
 * to n, and see in knp_shim_live and knp_shim_bytes what is allocated.
 */
#ifndef KNP_SHIM_LINUX_SLAB_H
#define KNP_SHIM_LINUX_SLAB_H

#include <malloc.h>
#include <stdlib.h>
#include <linux/types.h>

#define GFP_KERNEL_ACCOUNT 0

extern long knp_shim_fail_in;
extern long knp_shim_live;
extern long knp_shim_bytes;

/* Weak, so that the shims need no source file of their own. */
long knp_shim_fail_in __weak;
long knp_shim_live __weak;
long knp_shim_bytes __weak;

static inline void *kcalloc(size_t n, size_t size, int flags)
{
	void *p;

	(void)flags;
	if (knp_shim_fail_in) {
		knp_shim_fail_in--;
		if (!knp_shim_fail_in)
			return NULL;
	}

	p = calloc(n, size);
	if (p) {
		knp_shim_live++;
		knp_shim_bytes += (long)malloc_usable_size(p);
	}
	return p;
}

static inline void *kzalloc(size_t size, int flags)
{
	return kcalloc(1, size, flags);
}

static inline void kfree(void *p)
{
	if (p) {
		knp_shim_live--;
		knp_shim_bytes -= (long)malloc_usable_size(p);
	}
	free(p);
}

#define kvcalloc kcalloc
#define kvfree kfree

#endif /* KNP_SHIM_LINUX_SLAB_H */
