/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Shim, see types.h. */
#include_next <linux/errno.h>
