/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* See ../README. */
#ifndef KNP_COMPAT_LINUX_LOCKDEP_H
#define KNP_COMPAT_LINUX_LOCKDEP_H

#include_next <linux/lockdep.h>

#ifndef lockdep_assert_in_softirq
#define lockdep_assert_in_softirq() do { } while (0)
#endif

#endif /* KNP_COMPAT_LINUX_LOCKDEP_H */
