/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Shim, see types.h. */
#ifndef KNP_SHIM_LINUX_BUILD_BUG_H
#define KNP_SHIM_LINUX_BUILD_BUG_H

#include <assert.h>

#endif /* KNP_SHIM_LINUX_BUILD_BUG_H */
