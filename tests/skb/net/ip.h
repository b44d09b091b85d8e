/* SPDX-License-Identifier: Apache-2.0 */
/* See ../linux/skbuff.h. */
#ifndef KNP_SKB_NET_IP_H
#define KNP_SKB_NET_IP_H

#include <linux/ip.h>
#include <linux/skbuff.h>

#define IP_OFFSET	0x1fff

static inline const struct iphdr *ip_hdr(const struct sk_buff *skb)
{
	return (const void *)skb->head;
}

static inline unsigned int ip_hdrlen(const struct sk_buff *skb)
{
	return ip_hdr(skb)->ihl * 4U;
}

#endif /* KNP_SKB_NET_IP_H */
