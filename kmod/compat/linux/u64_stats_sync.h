/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* See ../README: from 6.3 the plain reader is safe against softirq writers. */
#ifndef KNP_COMPAT_LINUX_U64_STATS_SYNC_H
#define KNP_COMPAT_LINUX_U64_STATS_SYNC_H

#include_next <linux/u64_stats_sync.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define u64_stats_fetch_begin	u64_stats_fetch_begin_irq
#define u64_stats_fetch_retry	u64_stats_fetch_retry_irq
#endif

#endif /* KNP_COMPAT_LINUX_U64_STATS_SYNC_H */
