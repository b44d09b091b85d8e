/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Shim, see types.h: the kernel declares U32_MAX here. */
#include_next <linux/limits.h>
#include <linux/types.h>
