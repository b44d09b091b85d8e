/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What a packet says of itself, in its headers or by its connection.
 *
 * The network header was checked when the packet came in (ip_rcv(),
 * ip6_rcv()): it is linear, its lengths are those of the packet. Of all that
 * follows nothing was: each header is read by skb_header_pointer(), which fails
 * where the packet ends.
 *
 * Context: softirq or process context, in an RCU read section. Nothing is
 * allocated, and the packet is not changed.
 */
#ifndef KNP_PACKET_H
#define KNP_PACKET_H

#include <linux/skbuff.h>
#include <net/netfilter/nf_conntrack.h>

#include "match.h"

/**
 * struct knp_packet - what a hook finds out about one packet
 * @flow: the policy tuple
 * @verdict: of the tables; all zero if they were not asked
 * @tracked: @flow comes from a connection
 * @reply: the packet goes from @flow.dst to @flow.src
 *
 * All of it is set where the packet's headers or its connection are looked at,
 * and nothing before: kernels that zero what is on the stack would spend on it
 * half of what a verdict costs.
 */
struct knp_packet {
	struct knp_flow flow;
	struct knp_verdict verdict;
	bool tracked;
	bool reply;
};

/**
 * struct knp_transport - what is read of an untracked packet's transport header
 * @sport: source port, host byte order
 * @first: it can only open a connection
 */
struct knp_transport {
	u16 sport;
	bool first;
};

static inline void knp_addr_set_v4(struct knp_addr *a, __be32 ip)
{
	const struct knp_addr v = { .w = { ip } };

	/* As they are read: a load that spans two stores waits for both. */
	a->q[0] = v.q[0];
	a->q[1] = v.q[1];
}

static inline void knp_addr_set_v6(struct knp_addr *a, const void *ip)
{
	memcpy(a->b, ip, sizeof(a->b));
}

/*
 * Without its own tracker, SCTP is tracked without ports: port 0 in the tuple
 * would be a lie.
 */
static inline bool knp_proto_has_port(u8 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		return true;
	case IPPROTO_SCTP:
		return IS_ENABLED(CONFIG_NF_CT_PROTO_SCTP);
	default:
		return false;
	}
}

/**
 * knp_packet_set_conn() - the policy tuple of a known connection
 * @p: its flow, @tracked and @reply are set; the verdict is not
 * @ct: the connection
 * @ctinfo: what the packet is to it
 *
 * NAT and IPVS alter only the reply tuple, so ORIGINAL.src -> REPLY.src is the
 * connection before source NAT and after destination NAT.
 *
 * Inline: this is what happens to nearly all packets.
 */
static inline void knp_packet_set_conn(struct knp_packet *p,
				       const struct nf_conn *ct,
				       enum ip_conntrack_info ctinfo)
{
	const struct nf_conntrack_tuple *orig = nf_ct_tuple(ct,
							    IP_CT_DIR_ORIGINAL);
	const struct nf_conntrack_tuple *reply = nf_ct_tuple(ct,
							     IP_CT_DIR_REPLY);
	struct knp_flow *f = &p->flow;

	p->tracked = true;
	p->reply = CTINFO2DIR(ctinfo) == IP_CT_DIR_REPLY;
	if (nf_ct_l3num(ct) == NFPROTO_IPV4) {
		f->family = KNP_V4;
		knp_addr_set_v4(&f->src, orig->src.u3.ip);
		knp_addr_set_v4(&f->dst, reply->src.u3.ip);
	} else {
		f->family = KNP_V6;
		knp_addr_set_v6(&f->src, &orig->src.u3);
		knp_addr_set_v6(&f->dst, &reply->src.u3);
	}
	f->proto = nf_ct_protonum(ct);
	f->has_port = knp_proto_has_port(f->proto);
	f->dport = f->has_port ? ntohs(reply->src.u.all) : 0;
}

/**
 * knp_packet_set_header() - the addresses and the protocol of the header
 * @p: all of it is set
 * @skb: the packet
 * @pf: NFPROTO_IPV4 or NFPROTO_IPV6
 */
void knp_packet_set_header(struct knp_packet *p, const struct sk_buff *skb,
			   u8 pf);

/**
 * knp_transport_find() - find the transport header
 * @skb: the packet
 * @pf: NFPROTO_IPV4 or NFPROTO_IPV6
 * @proto: its protocol
 * @offset: where it begins
 *
 * Fragments that are not the first have none.
 *
 * Return: 0, KNP_REASON_FRAGMENT or KNP_REASON_MALFORMED.
 */
u32 knp_transport_find(const struct sk_buff *skb, u8 pf, u8 *proto,
		       unsigned int *offset);

/**
 * knp_transport_parse() - read the ports of an untracked packet
 * @skb: the packet
 * @pf: NFPROTO_IPV4 or NFPROTO_IPV6
 * @f: has the addresses; the rest of it is set
 * @t: set
 *
 * Return: 0, KNP_REASON_FRAGMENT or KNP_REASON_MALFORMED; @f then has the
 * addresses only.
 */
u32 knp_transport_parse(const struct sk_buff *skb, u8 pf, struct knp_flow *f,
			struct knp_transport *t);

/* 168.63.129.16, the platform's address in every Azure network, and no pod's. */
#define KNP_LB_PROBES	htonl(0xa83f8110)

/** knp_flow_is_link_local() - is either side an IPv6 address of a link alone? */
static inline bool knp_flow_is_link_local(const struct knp_flow *f)
{
	const __be32 mask = htonl(0xffc00000), prefix = htonl(0xfe800000);

	return f->family == KNP_V6 && ((f->src.w[0] & mask) == prefix ||
				       (f->dst.w[0] & mask) == prefix);
}

/** knp_packet_source() - the source address of the header */
void knp_packet_source(const struct sk_buff *skb, u8 pf, struct knp_addr *src);

/** knp_addr_is_node() - is it an address of this node? */
bool knp_addr_is_node(struct net *net, unsigned int family,
		      const struct knp_addr *a);

/** knp_packet_is_ndp() - what keeps a pod and its node in touch by IPv6 */
bool knp_packet_is_ndp(const struct sk_buff *skb, u8 pf);

#endif /* KNP_PACKET_H */
