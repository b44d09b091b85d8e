/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The only allocations of the module. PURE, see table.h.
 *
 * What allocates stands in one of the macros below, calls of the kernel's that
 * allocate for their caller in knp_try(). A test build makes each of them fail
 * (faults.h); tests/guest/fault_sites holds that none is left out.
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

/**
 * knp_try() - make a call that needs memory
 * @call: the call
 * @failed: what it returns where there is none
 */
#ifdef KNP_FAULTS
#include "faults.h"
#define knp_try(call, failed)	\
	(knp_fault_is_due(__FILE__, __LINE__) ? (failed) : (call))
#else
#define knp_try(call, failed)	(call)
#endif

static inline void *knp_mem_count(void *p)
{
	if (p)
		atomic_long_add(ksize(p), &knp_mem_bytes);

	return p;
}

/*
 * For what lives in a table: at most 8 KiB, because a higher order fails on a
 * node whose memory is fragmented.
 */
#define knp_zalloc(size)	\
	knp_mem_count(knp_try(kzalloc(size, GFP_KERNEL_ACCOUNT), NULL))

/* The same, for what is written over at once. */
#define knp_alloc(size)		\
	knp_mem_count(knp_try(kmalloc(size, GFP_KERNEL_ACCOUNT), NULL))

/* Not counted any more: what is about to be freed by other means. */
static inline void knp_mem_uncount(const void *p)
{
	atomic_long_sub(ksize(p), &knp_mem_bytes);
}

static inline void knp_free(void *p)
{
	knp_mem_uncount(p);
	kfree(p);
}

/* For what is large, or lives during one call; never seen by a packet. */
#define knp_vcalloc(n, size)	\
	knp_try(kvcalloc(n, size, GFP_KERNEL_ACCOUNT), NULL)

static inline void knp_vfree(void *p)
{
	kvfree(p);
}

/* For each CPU; zero. To be freed with free_percpu(). */
#define knp_percpu_alloc(type)	\
	knp_try(alloc_percpu_gfp(type, GFP_KERNEL_ACCOUNT), NULL)

#endif /* KNP_MEM_H */
