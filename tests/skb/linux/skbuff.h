/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A packet, as far as kmod/packet.c looks at it, for userspace: bytes that are
 * linear, and bytes behind them that are not. Only what that file uses is here
 * and beside it; like daemon/shim, these headers shadow the kernel's.
 *
 * Both parts are allocations of their own, of exactly their length, so that a
 * sanitizer sees a read beyond either.
 */
#ifndef KNP_SKB_LINUX_SKBUFF_H
#define KNP_SKB_LINUX_SKBUFF_H

#include <arpa/inet.h>
#include <string.h>

#include <linux/types.h>

/* Configured to have everything. */
#define IS_ENABLED(CONFIG_any) 1

struct net;

/**
 * struct sk_buff - a packet
 * @head: what is linear; the network header begins it
 * @rest: what is not
 * @headlen: bytes at @head
 * @len: bytes of both
 */
struct sk_buff {
	const unsigned char *head;
	const unsigned char *rest;
	unsigned int headlen;
	unsigned int len;
};

static inline int skb_network_offset(const struct sk_buff *skb)
{
	(void)skb;
	return 0;
}

static inline const void *skb_header_pointer(const struct sk_buff *skb,
					     unsigned int offset,
					     unsigned int len, void *buf)
{
	unsigned int linear;

	if (offset > skb->len || len > skb->len - offset)
		return NULL;
	if (offset + len <= skb->headlen)
		return skb->head + offset;

	linear = offset < skb->headlen ? skb->headlen - offset : 0;
	memcpy(buf, skb->head + offset - (linear ? 0 : offset), linear);
	memcpy((char *)buf + linear, skb->rest + offset + linear - skb->headlen,
	       len - linear);
	return buf;
}

#endif /* KNP_SKB_LINUX_SKBUFF_H */
