/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* See ../README: from 6.1 a refusal can say which attribute is missing. */
#ifndef KNP_COMPAT_LINUX_NETLINK_H
#define KNP_COMPAT_LINUX_NETLINK_H

#include_next <linux/netlink.h>

#ifndef NL_SET_ERR_ATTR_MISS
#define NL_SET_ERR_ATTR_MISS(extack, nest, type) \
	do { (void)(extack); (void)(nest); (void)(type); } while (0)
#endif

#endif /* KNP_COMPAT_LINUX_NETLINK_H */
