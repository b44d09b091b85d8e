// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What a pod may not send, whatever policies say: packets in another's name,
 * what only routers may say, and packets in packets for its own node.
 *
 * In another's name. Policies know peers by their addresses, so an address has
 * to stand for who has it, of pods that no policy selects, too: others may allow
 * theirs. An endpoint is bound to an interface, and its address is a source
 * behind no other interface of role pod. Loopback, multicast and the node's own
 * addresses are nobody's: IPv4 rejects most of them itself (not those of
 * 127/8 with route_localnet, CVE-2020-8558), IPv6 the node's not at all; of
 * IPv4 in IPv6 sockets make the IPv4 address, which somebody else may have. An
 * address that is no endpoint, or is bound to none, cannot be told from that of
 * a pod nobody has told of yet: that is what UNKNOWN_LOCAL is for.
 *
 * Routers. A pod that advertises itself as a router, or redirects, takes over
 * the traffic of its node (CVE-2020-10749). What finds neighbours passes.
 *
 * Packets in packets. A node that has an overlay takes them apart, and the
 * inner packet comes as from another node, with any source. Only what is for
 * this node is dropped: a tunnel to anywhere else is an ordinary connection,
 * which policies judge, and other nodes ask for themselves.
 *
 * Cost. Most packets are of endpoints that come by their own interface: one
 * look for the endpoint, which is read again when it is judged, then the
 * protocol. Only what is not asks for the role of its interface.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "guard.h"

/* Without a source yet: what finds duplicates, routers, and listeners. */
static bool is_nobodys_v6(const struct sk_buff *skb)
{
	const struct in6_addr *src = &ipv6_hdr(skb)->saddr;

	if (ipv6_addr_any(src))
		return !knp_packet_is_ndp(skb, NFPROTO_IPV6);

	return ipv6_addr_loopback(src) || ipv6_addr_is_multicast(src) ||
	       ipv6_addr_v4mapped(src);
}

static bool is_nobodys(struct net *net, const struct sk_buff *skb, u8 pf,
		       const struct knp_addr *src)
{
	__be32 ip = src->w[0];

	if (pf == NFPROTO_IPV4)
		return ipv4_is_loopback(ip) || ipv4_is_multicast(ip) ||
		       ipv4_is_zeronet(ip) || ipv4_is_lbcast(ip) ||
		       knp_addr_is_node(net, KNP_V4, src);

	return is_nobodys_v6(skb) || knp_addr_is_node(net, KNP_V6, src);
}

static bool is_router_message(const struct sk_buff *skb, u8 proto,
			      unsigned int offset)
{
	const u8 *type;
	u8 buf;

	type = skb_header_pointer(skb, offset, sizeof(buf), &buf);
	if (!type)
		return false;
	if (proto == IPPROTO_ICMP)
		return *type == ICMP_REDIRECT;

	return *type == NDISC_REDIRECT || *type == NDISC_ROUTER_ADVERTISEMENT;
}

static bool is_tunnel_port(const struct sk_buff *skb, unsigned int offset)
{
	const __be16 *ports;
	__be16 buf[2];

	ports = skb_header_pointer(skb, offset, sizeof(buf), buf);
	if (!ports)
		return false;

	switch (ntohs(ports[1])) {
	case 4754:	/* GRE in UDP */
	case 4789:	/* VXLAN */
	case 6081:	/* Geneve */
	case 8472:	/* VXLAN as Linux had it first */
		return true;
	default:
		return false;
	}
}

static bool is_for_node(struct net *net, const struct sk_buff *skb, u8 pf)
{
	struct knp_packet p;

	knp_packet_set_header(&p, skb, pf);
	return knp_addr_is_node(net, p.flow.family, &p.flow.dst);
}

/* Fragments that nobody has put together are not looked into. */
static u32 check_transport(const struct knp_net *kn, const struct sk_buff *skb,
			   u8 pf)
{
	unsigned int offset;
	u8 proto;

	if (knp_transport_find(skb, pf, &proto, &offset))
		return 0;

	switch (proto) {
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return is_router_message(skb, proto, offset) ?
		       KNP_REASON_ROUTER : 0;
	case IPPROTO_UDP:
		if (!is_tunnel_port(skb, offset))
			return 0;
		fallthrough;
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
	case IPPROTO_GRE:
		return READ_ONCE(kn->config.encap) == KNP_DROP &&
		       is_for_node(kn->net, skb, pf) ? KNP_REASON_ENCAP : 0;
	default:
		return 0;
	}
}

u32 knp_guard(const struct knp_net *kn, const struct knp_snapshot *snap,
	      const struct sk_buff *skb, u8 pf, u32 ifindex)
{
	unsigned int family = pf == NFPROTO_IPV4 ? KNP_V4 : KNP_V6;
	struct knp_addr src;
	u32 bound;
	u8 proto;

	knp_packet_source(skb, pf, &src);
	knp_tables_bound(snap->tables, family, &src, &bound);
	if (bound != ifindex) {
		if (knp_tables_role(snap->tables, ifindex) != KNP_ROLE_POD)
			return 0;
		if (bound || is_nobodys(kn->net, skb, pf, &src))
			return KNP_REASON_SPOOF;
	}

	proto = pf == NFPROTO_IPV4 ? ip_hdr(skb)->protocol :
				     ipv6_hdr(skb)->nexthdr;
	return proto == IPPROTO_TCP ? 0 : check_transport(kn, skb, pf);
}
