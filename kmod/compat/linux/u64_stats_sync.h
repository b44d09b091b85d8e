/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* See ../README. */
#ifndef KNP_COMPAT_LINUX_U64_STATS_SYNC_H
#define KNP_COMPAT_LINUX_U64_STATS_SYNC_H

#include_next <linux/u64_stats_sync.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 16, 0)
static inline void u64_stats_set(u64_stats_t *p, u64 val)
{
#if BITS_PER_LONG == 64
	local64_set(&p->v, val);
#else
	p->v = val;
#endif
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define u64_stats_fetch_begin	u64_stats_fetch_begin_irq
#define u64_stats_fetch_retry	u64_stats_fetch_retry_irq
#endif

#endif /* KNP_COMPAT_LINUX_U64_STATS_SYNC_H */
