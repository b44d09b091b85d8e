/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Shim, see types.h. */
#ifndef KNP_SHIM_LINUX_BITOPS_H
#define KNP_SHIM_LINUX_BITOPS_H

#include <linux/types.h>

static inline unsigned int hweight64(u64 w)
{
	return __builtin_popcountll(w);
}

static inline unsigned int __ffs64(u64 w)
{
	return __builtin_ctzll(w);
}

#endif /* KNP_SHIM_LINUX_BITOPS_H */
