/* SPDX-License-Identifier: Apache-2.0 */
/* See ../linux/skbuff.h. */
#ifndef KNP_SKB_NET_IPV6_H
#define KNP_SKB_NET_IPV6_H

#include <errno.h>

#include <linux/ipv6.h>
#include <linux/skbuff.h>

#define NDISC_ROUTER_SOLICITATION	133
#define NDISC_ROUTER_ADVERTISEMENT	134
#define NDISC_NEIGHBOUR_SOLICITATION	135
#define NDISC_NEIGHBOUR_ADVERTISEMENT	136
#define NDISC_REDIRECT			137

static inline const struct ipv6hdr *ipv6_hdr(const struct sk_buff *skb)
{
	return (const void *)skb->head;
}

static inline bool knp_skb_is_extension(u8 header)
{
	return header == 0 || header == 43 || header == 44 || header == 51 ||
	       header == 60;
}

/* Bytes of an extension header whose first two are at @b. */
static inline unsigned int knp_skb_extension_len(u8 header, const u8 *b)
{
	switch (header) {
	case 44:
		return 8;
	case 51:
		return (b[1] + 2U) * 4;
	default:
		return (b[1] + 1U) * 8;
	}
}

/*
 * The transport header, as the kernel's function of this name finds it when it
 * is asked for the last one (@target -1) from the packet's beginning.
 */
static inline int ipv6_find_hdr(const struct sk_buff *skb, unsigned int *offset,
				int target, unsigned short *fragoff, int *flags)
{
	unsigned int at = sizeof(struct ipv6hdr);
	u8 header = ipv6_hdr(skb)->nexthdr;
	const u8 *b;
	u8 buf[4];

	(void)target;
	(void)flags;
	*fragoff = 0;
	while (knp_skb_is_extension(header)) {
		u32 needs = header == 43 || header == 44 ? 4 : 2;

		b = skb_header_pointer(skb, at, needs, buf);
		if (!b)
			return -EBADMSG;
		if (header == 44 && (b[2] || b[3] & 0xf8)) {
			if (knp_skb_is_extension(b[0]))
				return -ENOENT;
			*fragoff = (b[2] << 8 | b[3]) & 0xfff8;
			return b[0];
		}
		at += knp_skb_extension_len(header, b);
		header = b[0];
	}
	*offset = at;
	return header;
}

#endif /* KNP_SKB_NET_IPV6_H */
