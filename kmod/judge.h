/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The verdict about one packet. What is judged, and why, is in judge.c. */
#ifndef KNP_JUDGE_H
#define KNP_JUDGE_H

#include <linux/netdevice.h>
#include <linux/netfilter_bridge.h>
#include <linux/skbuff.h>

#include "match_inline.h"
#include "netns.h"
#include "packet.h"

struct nf_hook_state;

/**
 * knp_packet_in() - the interface that a packet came in by
 * @skb: the packet
 *
 * Return: its index, of what br_netfilter shows that of the port; 0 if this node
 * generated it.
 */
static inline u32 knp_packet_in(const struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_BRIDGE_NETFILTER)
	u32 port = nf_bridge_get_physinif(skb);

	if (port)
		return port;
#endif
	return skb->skb_iif;
}

/** knp_packet_out() - the one that it leaves by; @out: the hook's, may be NULL */
static inline u32 knp_packet_out(const struct sk_buff *skb,
				 const struct net_device *out)
{
#if IS_ENABLED(CONFIG_BRIDGE_NETFILTER)
	u32 port = nf_bridge_get_physoutif(skb);

	if (port && out)
		return port;
#endif
	return out ? out->ifindex : 0;
}

/**
 * knp_judge_rest() - what knp_judge() leaves over
 * @kn: the namespace
 * @snap: its tables, NULL before the first commit
 * @skb: the packet
 * @state: of the packet's own family
 * @p: set
 *
 * There are no tables, or no entry, or the packet is an error about a
 * connection.
 *
 * Return: enum knp_reason.
 */
u32 knp_judge_rest(const struct knp_net *kn, const struct knp_snapshot *snap,
		   const struct sk_buff *skb, const struct nf_hook_state *state,
		   struct knp_packet *p);

/**
 * knp_judge_twice() - what the tables' verdict on connections is not all of
 * @kn: the namespace
 * @snap: its tables
 * @skb: the packet
 * @state: of the packet's own family
 * @p: what is known of it
 * @reason: the verdict
 *
 * Return: enum knp_reason.
 */
u32 knp_judge_twice(const struct knp_net *kn, const struct knp_snapshot *snap,
		    const struct sk_buff *skb,
		    const struct nf_hook_state *state,
		    const struct knp_packet *p, u32 reason);

/**
 * knp_judge_is_forged() - is it an error that its pod has made up?
 * @snap: the tables
 * @skb: the packet; conntrack has seen it
 * @iif: the interface that it came in by, of a bridged one the port
 * @p: set if it is
 */
bool knp_judge_is_forged(const struct knp_snapshot *snap,
			 const struct sk_buff *skb, u32 iif,
			 struct knp_packet *p);

/**
 * knp_judge() - may a packet pass?
 * @kn: the namespace
 * @snap: its tables, NULL before the first commit
 * @skb: the packet; conntrack has seen it, destination NAT is done, source NAT
 *	 is not
 * @state: of the packet's own family; a hook other than LOCAL_IN is taken for
 *	   one on the way out
 * @p: set
 *
 * Of what this node generated itself, nothing is to be asked. Inline is what
 * nearly all packets take.
 *
 * Return: enum knp_reason.
 */
static __always_inline u32 knp_judge(const struct knp_net *kn,
				     const struct knp_snapshot *snap,
				     const struct sk_buff *skb,
				     const struct nf_hook_state *state,
				     struct knp_packet *p)
{
	enum ip_conntrack_info ctinfo;
	const struct nf_conn *ct = nf_ct_get(skb, &ctinfo);
	u32 reason;

	if (unlikely(!snap || !ct || ctinfo == IP_CT_RELATED ||
		     ctinfo == IP_CT_RELATED_REPLY))
		return knp_judge_rest(kn, snap, skb, state, p);

	knp_packet_set_conn(p, ct, ctinfo);
	knp_match_inline(snap->tables, &p->flow, &p->verdict);
	reason = p->verdict.reason;
	if (reason <= KNP_REASON_PASS_LAST &&
	    READ_ONCE(kn->config.unknown_local) != KNP_DROP &&
	    likely(!knp_flow_is_link_local(&p->flow)))
		return reason;

	return knp_judge_twice(kn, snap, skb, state, p, reason);
}

/**
 * knp_judge_account() - which sides of an allowed packet count where it is now
 * @snap: the tables that judged it
 * @p: the packet; a side that does not count here is forgotten
 * @iif: the interface that it came in by, of a bridged one the port
 * @oif: the one that it leaves by, likewise
 *
 * Where the network sends a packet between two pods of a node out and back
 * (Azure's tunnel modes), it passes twice. Both times it is judged in full;
 * it counts for the sender where it comes from a pod and for the receiver where
 * it goes to one.
 *
 * Return: KNP_REASON_ALLOWED, or KNP_REASON_NOT_ISOLATED if no side is left.
 */
u32 knp_judge_account(const struct knp_snapshot *snap, struct knp_packet *p,
		      u32 iif, u32 oif);

#endif /* KNP_JUDGE_H */
