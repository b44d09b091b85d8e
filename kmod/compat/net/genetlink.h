/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* See ../README: genl_info_dump() came with 6.6. */
#ifndef KNP_COMPAT_NET_GENETLINK_H
#define KNP_COMPAT_NET_GENETLINK_H

#include_next <net/genetlink.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
/* Both types have the member that is read here, attrs. */
#define genl_info_dump(cb)	genl_dumpit_info(cb)
#endif

#endif /* KNP_COMPAT_NET_GENETLINK_H */
