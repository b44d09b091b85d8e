/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* See ../README. */
#ifndef KNP_COMPAT_NET_GENETLINK_H
#define KNP_COMPAT_NET_GENETLINK_H

#include_next <net/genetlink.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 10, 0)
#error "knp needs Linux 5.10 or newer"
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
/* Both types have the member that is read here, attrs. */
#define genl_info_dump(cb)	genl_dumpit_info(cb)
#endif

/*
 * No version test: stable releases got it, too. Those before 6.1 have it by
 * another name, since their groups have the flags of operations.
 */
#ifndef GENL_MCAST_CAP_NET_ADMIN
#define GENL_MCAST_CAP_NET_ADMIN	GENL_UNS_ADMIN_PERM
#endif

#endif /* KNP_COMPAT_NET_GENETLINK_H */
