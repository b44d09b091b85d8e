// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <linux/icmpv6.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/tcp.h>
#include <net/addrconf.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/route.h>

#include "packet.h"

void knp_packet_source(const struct sk_buff *skb, u8 pf, struct knp_addr *src)
{
	if (pf == NFPROTO_IPV4)
		knp_addr_set_v4(src, ip_hdr(skb)->saddr);
	else
		knp_addr_set_v6(src, &ipv6_hdr(skb)->saddr);
}

bool knp_addr_is_node(struct net *net, unsigned int family,
		      const struct knp_addr *a)
{
	if (family == KNP_V4)
		return inet_addr_type(net, a->w[0]) == RTN_LOCAL;
#if IS_ENABLED(CONFIG_IPV6)
	return ipv6_chk_addr(net, (const struct in6_addr *)a->b, NULL, 0);
#else
	return false;
#endif
}

void knp_packet_set_header(struct knp_packet *p, const struct sk_buff *skb,
			   u8 pf)
{
	struct knp_flow *f = &p->flow;

	memset(p, 0, sizeof(*p));
	if (pf == NFPROTO_IPV4) {
		f->family = KNP_V4;
		knp_addr_set_v4(&f->src, ip_hdr(skb)->saddr);
		knp_addr_set_v4(&f->dst, ip_hdr(skb)->daddr);
		f->proto = ip_hdr(skb)->protocol;
	} else {
		f->family = KNP_V6;
		knp_addr_set_v6(&f->src, &ipv6_hdr(skb)->saddr);
		knp_addr_set_v6(&f->dst, &ipv6_hdr(skb)->daddr);
		f->proto = ipv6_hdr(skb)->nexthdr;
	}
}

u32 knp_transport_find(const struct sk_buff *skb, u8 pf, u8 *proto,
		       unsigned int *offset)
{
	unsigned short frag = 0;
	unsigned int off = 0;
	int nexthdr, flags = 0;

	if (pf == NFPROTO_IPV4) {
		if (ntohs(ip_hdr(skb)->frag_off) & IP_OFFSET)
			return KNP_REASON_FRAGMENT;
		*offset = skb_network_offset(skb) + ip_hdrlen(skb);
		*proto = ip_hdr(skb)->protocol;
		return 0;
	}

	nexthdr = ipv6_find_hdr(skb, &off, -1, &frag, &flags);
	if (nexthdr < 0)
		return KNP_REASON_MALFORMED;
	if (frag)
		return KNP_REASON_FRAGMENT;
	*offset = off;
	*proto = nexthdr;

	return 0;
}

u32 knp_transport_parse(const struct sk_buff *skb, u8 pf, struct knp_flow *f,
			struct knp_transport *t)
{
	const struct tcphdr *th;
	struct tcphdr tcp_buf;
	const __be16 *ports;
	__be16 port_buf[2];
	unsigned int off;
	u32 broken;

	broken = knp_transport_find(skb, pf, &f->proto, &off);
	if (broken)
		return broken;

	switch (f->proto) {
	case IPPROTO_TCP:
		th = skb_header_pointer(skb, off, sizeof(tcp_buf), &tcp_buf);
		if (!th)
			return KNP_REASON_MALFORMED;
		t->sport = ntohs(th->source);
		t->first = th->syn && !th->ack;
		f->dport = ntohs(th->dest);
		break;
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
		/* Both headers begin with the source and destination port. */
		ports = skb_header_pointer(skb, off, sizeof(port_buf), port_buf);
		if (!ports)
			return KNP_REASON_MALFORMED;
		t->sport = ntohs(ports[0]);
		t->first = true;
		f->dport = ntohs(ports[1]);
		break;
	default:
		t->first = true;
		return 0;
	}
	f->has_port = true;

	return 0;
}

/* Conntrack ignores all of these. */
bool knp_packet_is_ndp(const struct sk_buff *skb, u8 pf)
{
	const struct icmp6hdr *icmp;
	struct icmp6hdr buf;
	unsigned int off;
	u8 proto;

	if (pf != NFPROTO_IPV6 || knp_transport_find(skb, pf, &proto, &off) ||
	    proto != IPPROTO_ICMPV6)
		return false;
	icmp = skb_header_pointer(skb, off, sizeof(buf), &buf);
	if (!icmp)
		return false;

	switch (icmp->icmp6_type) {
	case ICMPV6_MGM_QUERY:
	case ICMPV6_MGM_REPORT:
	case ICMPV6_MGM_REDUCTION:
	case ICMPV6_MLD2_REPORT:
	case NDISC_ROUTER_SOLICITATION:
	case NDISC_NEIGHBOUR_SOLICITATION:
	case NDISC_NEIGHBOUR_ADVERTISEMENT:
		return true;
	default:
		/* Advertisements of routers and redirects are not a pod's. */
		return false;
	}
}
