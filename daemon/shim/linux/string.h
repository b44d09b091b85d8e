/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Shim, see types.h. */
#ifndef KNP_SHIM_LINUX_STRING_H
#define KNP_SHIM_LINUX_STRING_H

#include <string.h>

#endif /* KNP_SHIM_LINUX_STRING_H */
