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
 * a pod nobody has told of yet: that is what UNKNOWN_LOCAL is for. Azure's load
 * balancer, whose probes a switch lets pass, is no pod.
 *
 * Neighbours. Who says where an address is, by ARP or an advertisement, says that
 * it is his, and what is sent to it on a bridge would be (CVE-2020-10749).
 *
 * Routers. A pod that advertises itself as a router, or redirects, takes over
 * the traffic of its node.
 *
 * Packets in packets. A node that has an overlay takes them apart, and the
 * inner packet comes as from another node, with any source. Only what is for
 * this node, alone or among others, is dropped: a tunnel to anywhere else is an
 * ordinary connection, which policies judge, and other nodes ask for themselves.
 *
 * Cost. Most packets are of endpoints that come by their own interface: one
 * look for the endpoint, which is read again when it is judged, then the
 * protocol. Only what is not asks for the role of its interface.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/route.h>

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
		       ip == KNP_LB_PROBES ||
		       knp_addr_is_node(net, KNP_V4, src);

	return is_nobodys_v6(skb) || knp_addr_is_node(net, KNP_V6, src);
}

/* Whether @a is behind another interface than @ifindex, or here. */
static bool is_anothers(const struct knp_net *kn,
			const struct knp_snapshot *snap, unsigned int family,
			const struct knp_addr *a, u32 ifindex)
{
	u32 bound;

	knp_tables_bound(snap->tables, family, a, &bound);

	return bound ? bound != ifindex : knp_addr_is_node(kn->net, family, a);
}

/* Of what passes between neighbours, and so from a pod to its node. */
static u32 check_icmpv6(const struct knp_net *kn,
			const struct knp_snapshot *snap,
			const struct sk_buff *skb, unsigned int offset,
			u32 ifindex)
{
	const struct icmp6hdr *icmp;
	const struct in6_addr *ip;
	struct knp_addr target;
	struct icmp6hdr buf;
	struct in6_addr ip_buf;

	icmp = skb_header_pointer(skb, offset, sizeof(buf), &buf);
	if (!icmp)
		return 0;

	switch (icmp->icmp6_type) {
	case NDISC_REDIRECT:
	case NDISC_ROUTER_ADVERTISEMENT:
		return KNP_REASON_ROUTER;
	case NDISC_NEIGHBOUR_ADVERTISEMENT:
		ip = skb_header_pointer(skb, offset + sizeof(buf),
					sizeof(ip_buf), &ip_buf);
		if (!ip)
			return 0;
		knp_addr_set_v6(&target, ip);
		return is_anothers(kn, snap, KNP_V6, &target, ifindex) ?
		       KNP_REASON_SPOOF : 0;
	default:
		return 0;
	}
}

static u32 check_icmp(const struct sk_buff *skb, unsigned int offset)
{
	const u8 *type;
	u8 buf;

	type = skb_header_pointer(skb, offset, sizeof(buf), &buf);

	return type && *type == ICMP_REDIRECT ? KNP_REASON_ROUTER : 0;
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

/* The node is one of those that have this address, as a router of a network. */
static bool is_anycast(struct net *net, const struct in6_addr *ip)
{
#if IS_ENABLED(CONFIG_IPV6)
	struct flowi6 fl6 = { .daddr = *ip };
	struct dst_entry *dst;
	bool found;

	dst = ip6_route_lookup(net, &fl6, NULL, 0);
	found = ((struct rt6_info *)dst)->rt6i_flags & RTF_ANYCAST;
	dst_release(dst);

	return found;
#else
	return false;
#endif
}

static bool is_for_node(struct net *net, const struct sk_buff *skb, u8 pf)
{
	const struct in6_addr *ip;
	struct knp_addr dst;

	if (pf == NFPROTO_IPV4)
		return inet_addr_type(net, ip_hdr(skb)->daddr) != RTN_UNICAST;

	ip = &ipv6_hdr(skb)->daddr;
	knp_addr_set_v6(&dst, ip);

	return ipv6_addr_is_multicast(ip) ||
	       ipv6_addr_type(ip) & IPV6_ADDR_LINKLOCAL ||
	       knp_addr_is_node(net, KNP_V6, &dst) || is_anycast(net, ip);
}

/* Fragments that nobody has put together are not looked into. */
static u32 check_transport(const struct knp_net *kn,
			   const struct knp_snapshot *snap,
			   const struct sk_buff *skb, u8 pf, u32 ifindex)
{
	unsigned int offset;
	u8 proto;

	if (knp_transport_find(skb, pf, &proto, &offset))
		return 0;

	switch (proto) {
	case IPPROTO_ICMP:
		return check_icmp(skb, offset);
	case IPPROTO_ICMPV6:
		return check_icmpv6(kn, snap, skb, offset, ifindex);
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
		/* What the node sends to many comes back as if by it. */
		if (skb->pkt_type == PACKET_LOOPBACK)
			return 0;
		if (bound || is_nobodys(kn->net, skb, pf, &src))
			return KNP_REASON_SPOOF;
	}

	proto = pf == NFPROTO_IPV4 ? ip_hdr(skb)->protocol :
				     ipv6_hdr(skb)->nexthdr;
	return proto == IPPROTO_TCP ? 0 :
	       check_transport(kn, snap, skb, pf, ifindex);
}

/* struct arp_of_ip - as it is in a frame, of Ethernet and IPv4 */
struct arp_of_ip {
	struct arphdr hdr;
	u8 sender[ETH_ALEN];
	__be32 ip;
	u8 target[ETH_ALEN];
	__be32 target_ip;
} __packed;

u32 knp_guard_arp(const struct knp_net *kn, const struct knp_snapshot *snap,
		  const struct sk_buff *skb, u32 ifindex, struct knp_packet *p)
{
	const struct arp_of_ip *arp;
	struct arp_of_ip buf;
	u32 bound;

	memset(p, 0, sizeof(*p));
	arp = skb_header_pointer(skb, skb_network_offset(skb), sizeof(buf),
				 &buf);
	if (!arp || arp->hdr.ar_hrd != htons(ARPHRD_ETHER) ||
	    arp->hdr.ar_pro != htons(ETH_P_IP) || arp->hdr.ar_hln != ETH_ALEN ||
	    arp->hdr.ar_pln != sizeof(arp->ip))
		return KNP_REASON_L2PROTO;
	/* Who looks for duplicates has none yet. */
	if (!arp->ip)
		return 0;

	p->flow.family = KNP_V4;
	knp_addr_set_v4(&p->flow.src, arp->ip);
	knp_addr_set_v4(&p->flow.dst, arp->target_ip);
	if (is_anothers(kn, snap, KNP_V4, &p->flow.src, ifindex))
		return KNP_REASON_SPOOF;

	return READ_ONCE(kn->config.unknown_local) == KNP_DROP &&
	       !knp_tables_bound(snap->tables, KNP_V4, &p->flow.src, &bound) ?
	       KNP_REASON_UNKNOWN_LOCAL : 0;
}
