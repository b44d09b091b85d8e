/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Shim, see types.h: the kernel declares kvcalloc() here. */
#include <linux/slab.h>
