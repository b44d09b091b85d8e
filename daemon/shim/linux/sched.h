/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Shim, see types.h. */
#ifndef KNP_SHIM_LINUX_SCHED_H
#define KNP_SHIM_LINUX_SCHED_H

#include_next <linux/sched.h>

static inline void cond_resched(void)
{
}

#endif /* KNP_SHIM_LINUX_SCHED_H */
