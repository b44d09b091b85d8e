/* SPDX-License-Identifier: Apache-2.0 */
/* See skbuff.h: the C library's addresses come first, or there are two of each. */
#ifndef KNP_SKB_LINUX_IPV6_H
#define KNP_SKB_LINUX_IPV6_H

#include <netinet/in.h>
#include_next <linux/ipv6.h>

#endif /* KNP_SKB_LINUX_IPV6_H */
