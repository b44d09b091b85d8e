/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The only allocations of the core. PURE, see table.h.
 *
 * Context: may sleep. Everything is charged to the memory cgroup of the
 * process that commits, so that the daemon's limit bounds the kernel's memory.
 */
#ifndef KNP_MEM_H
#define KNP_MEM_H

#include <linux/atomic.h>
#include <linux/mm.h>
#include <linux/slab.h>

/* Bytes that tables take, of all namespaces and generations. */
extern atomic_long_t knp_mem_bytes;

/*
 * For what lives in a table: at most 8 KiB, because a higher order fails on a
 * node whose memory is fragmented.
 */
static inline void *knp_zalloc(size_t size)
{
	void *p = kzalloc(size, GFP_KERNEL_ACCOUNT);

	if (p)
		atomic_long_add(ksize(p), &knp_mem_bytes);

	return p;
}

/* The same, for what is written over at once. */
static inline void *knp_alloc(size_t size)
{
	return kmalloc(size, GFP_KERNEL_ACCOUNT);
}

static inline void knp_free(void *p)
{
	atomic_long_sub(ksize(p), &knp_mem_bytes);
	kfree(p);
}

/* For arrays that live during one call and are never seen by a packet. */
static inline void *knp_vcalloc(size_t n, size_t size)
{
	return kvcalloc(n, size, GFP_KERNEL_ACCOUNT);
}

static inline void knp_vfree(void *p)
{
	kvfree(p);
}

#endif /* KNP_MEM_H */
