/* SPDX-License-Identifier: Apache-2.0 */
/* See ../linux/skbuff.h. */
#ifndef KNP_SKB_NET_ROUTE_H
#define KNP_SKB_NET_ROUTE_H

#include <linux/rtnetlink.h>
#include <linux/skbuff.h>

/* A node that has no addresses. */
static inline unsigned int inet_addr_type(struct net *net, __be32 addr)
{
	(void)net;
	(void)addr;
	return RTN_UNICAST;
}

#endif /* KNP_SKB_NET_ROUTE_H */
