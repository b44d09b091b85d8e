// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * From a packet to its policy tuple, to a verdict.
 *
 * Known connection. NAT and IPVS alter only the reply tuple of a conntrack
 * entry, so ORIGINAL.src -> REPLY.src is the connection before source NAT and
 * after destination NAT. It is judged for each packet of both directions and
 * for the ICMP errors about it, which carry its entry; nothing of the packet
 * itself is parsed, and there is no memory per connection. What a helper of
 * conntrack expects (RELATED, too) has a tuple of its own and is judged by it.
 *
 * So a UDP "connection" that outlives one of its pods gives the next pod with
 * that address nothing: its tuple names the address, and whatever policies
 * select the address now judge each packet. Entries are not deleted; what they
 * translate addresses to is kube-proxy's, which deletes those of its backends.
 *
 * No entry although conntrack looked: the packet is invalid. Its headers prove
 * nothing, so it is dropped where an isolated address is involved.
 *
 * Untracked: judged by its own headers. A TCP segment that is not the first
 * of a connection may be a reply, so it passes in either orientation.
 *
 * Answers to the node carry no proof of how they came to be: on the way to a
 * drop, a packet in the reply direction passes if the connection began at an
 * address of this node. There, too, the switches are asked: what pods send to
 * their own node, and Azure's load balancer to them, may pass where policies
 * deny it.
 *
 * Link-local. Every pod has such an IPv6 address, which nobody tells and no policy
 * can name, and whoever shares a link with it, a port of the same bridge, could
 * reach it there. So behind a pod's interface it is as closed as an address that
 * is not known where UNKNOWN_LOCAL is drop, whatever that says. A pod reaches its
 * own node by it, unless NODE_EGRESS is drop.
 */
#include <linux/netfilter.h>

#include "judge.h"
#include "node_list.h"

static bool is_isolated(const struct knp_tables *t, unsigned int family,
			const struct knp_addr *a)
{
	u32 egress, ingress;

	return knp_tables_endpoint(t, family, a, &egress, &ingress) &&
	       (egress || ingress);
}

static u32 broken_unless_free(const struct knp_tables *t,
			      const struct knp_flow *f, u32 reason)
{
	if (is_isolated(t, f->family, &f->src) ||
	    is_isolated(t, f->family, &f->dst))
		return reason;

	return KNP_REASON_NOT_ISOLATED;
}

/* Not inlined: @back is large, and most packets are tracked. */
static noinline u32 judge_untracked(const struct knp_tables *t,
				    const struct sk_buff *skb, u8 pf,
				    struct knp_packet *p)
{
	struct knp_transport th = {};
	struct knp_packet back;
	u32 broken;

	knp_packet_set_header(p, skb, pf);
	broken = knp_transport_parse(skb, pf, &p->flow, &th);
	if (broken)
		return broken_unless_free(t, &p->flow, broken);

	knp_match(t, &p->flow, &p->verdict);
	if (p->verdict.pass || th.first)
		return p->verdict.reason;

	back = *p;
	back.flow.src = p->flow.dst;
	back.flow.dst = p->flow.src;
	back.flow.dport = th.sport;
	back.reply = true;
	knp_match(t, &back.flow, &back.verdict);
	if (back.verdict.pass)
		*p = back;

	return p->verdict.reason;
}

static bool may_be_behind(const struct knp_tables *t, u32 ifindex,
			  unsigned int family, const struct knp_addr *a)
{
	u32 bound;

	return knp_tables_bound(t, family, a, &bound) &&
	       (!bound || bound == ifindex);
}

/*
 * Anybody may have sent an ICMP error, and conntrack finds the connection that
 * it is about by what it quotes. A pod is no router: what it says of the
 * connections of others it has made up.
 */
static bool is_of_others(const struct knp_tables *t, u32 iif,
			 const struct knp_flow *f)
{
	return iif && knp_tables_role(t, iif) == KNP_ROLE_POD &&
	       !may_be_behind(t, iif, f->family, &f->src) &&
	       !may_be_behind(t, iif, f->family, &f->dst);
}

static bool is_forged(const struct knp_tables *t, const struct nf_conn *ct,
		      enum ip_conntrack_info ctinfo, u32 iif,
		      struct knp_packet *p)
{
	knp_packet_set_conn(p, ct, ctinfo);
	memset(&p->verdict, 0, sizeof(p->verdict));

	return is_of_others(t, iif, &p->flow);
}

bool knp_judge_is_forged(const struct knp_snapshot *snap,
			 const struct sk_buff *skb, u32 iif,
			 struct knp_packet *p)
{
	enum ip_conntrack_info ctinfo;
	const struct nf_conn *ct = nf_ct_get(skb, &ctinfo);

	return ct && (ctinfo == IP_CT_RELATED ||
		      ctinfo == IP_CT_RELATED_REPLY) &&
	       is_forged(snap->tables, ct, ctinfo, iif, p);
}

/* Judge what is not simply a packet of a connection, by the tables alone. */
static u32 judge_other(const struct knp_tables *t, const struct sk_buff *skb,
		       const struct nf_hook_state *state, struct knp_packet *p)
{
	enum ip_conntrack_info ctinfo;
	const struct nf_conn *ct = nf_ct_get(skb, &ctinfo);

	if (ct) {
		if (is_forged(t, ct, ctinfo, knp_packet_in(skb), p))
			return KNP_REASON_SPOOF;
		knp_match(t, &p->flow, &p->verdict);
		return p->verdict.reason;
	}
	/* Routers forward none; bridges do, whoever shows their frames. */
	if ((state->hook != NF_INET_POST_ROUTING ||
	     nf_bridge_info_exists(skb)) &&
	    knp_packet_is_ndp(skb, state->pf)) {
		knp_packet_set_header(p, skb, state->pf);
		return KNP_REASON_NDP;
	}
	/* Without an entry, ctinfo says only whether it was left out. */
	if (ctinfo == IP_CT_UNTRACKED)
		return judge_untracked(t, skb, state->pf, p);

	knp_packet_set_header(p, skb, state->pf);
	return broken_unless_free(t, &p->flow, KNP_REASON_CT_INVALID);
}

static bool is_unknown(const struct knp_tables *t, u32 ifindex,
		       unsigned int family, const struct knp_addr *a)
{
	u32 egress, ingress;

	return ifindex && knp_tables_role(t, ifindex) == KNP_ROLE_POD &&
	       !knp_tables_endpoint(t, family, a, &egress, &ingress);
}

static bool has_unknown_side(const struct knp_tables *t,
			     const struct knp_packet *p, u32 iif, u32 oif)
{
	const struct knp_flow *f = &p->flow;
	const struct knp_addr *from = p->reply ? &f->dst : &f->src;
	const struct knp_addr *to = p->reply ? &f->src : &f->dst;

	return is_unknown(t, iif, f->family, from) ||
	       is_unknown(t, oif, f->family, to);
}

static bool answers_node(const struct nf_hook_state *state,
			 const struct knp_packet *p)
{
	return state->hook == NF_INET_LOCAL_IN && p->tracked && p->reply &&
	       knp_addr_is_node(state->net, p->flow.family, &p->flow.src);
}

/* The health probes of Azure's load balancer, which no pod can be behind. */
static bool is_probe(const struct knp_tables *t, const struct knp_packet *p,
		     u32 iif, u32 oif)
{
	const struct knp_flow *f = &p->flow;

	return f->family == KNP_V4 && f->src.w[0] == KNP_LB_PROBES &&
	       knp_tables_role(t, p->reply ? oif : iif) != KNP_ROLE_POD;
}

static bool may_reach_node(const struct knp_net *kn, const struct knp_packet *p)
{
	return READ_ONCE(kn->config.node_egress) == KNP_PASS ||
	       knp_node_list_has(kn, &p->flow);
}

/* Asked on the way to a drop alone. */
static bool is_switched_on(const struct knp_net *kn, const struct knp_tables *t,
			   const struct sk_buff *skb,
			   const struct nf_hook_state *state,
			   const struct knp_packet *p, u32 reason)
{
	u32 oif = knp_packet_out(skb, state->out);

	switch (reason) {
	case KNP_REASON_EGRESS:
		return state->hook == NF_INET_LOCAL_IN && may_reach_node(kn, p);
	case KNP_REASON_INGRESS:
		return READ_ONCE(kn->config.lb_probes) == KNP_PASS &&
		       is_probe(t, p, knp_packet_in(skb), oif);
	default:
		return false;
	}
}

/* Whether an address behind a pod's interface that is not known is closed. */
static bool unknown_is_closed(const struct knp_net *kn,
			      const struct nf_hook_state *state,
			      const struct knp_flow *f)
{
	if (READ_ONCE(kn->config.unknown_local) == KNP_DROP)
		return true;

	return knp_flow_is_link_local(f) &&
	       (state->hook != NF_INET_LOCAL_IN ||
		READ_ONCE(kn->config.node_egress) == KNP_DROP);
}

u32 knp_judge_twice(const struct knp_net *kn, const struct knp_snapshot *snap,
		    const struct sk_buff *skb,
		    const struct nf_hook_state *state,
		    const struct knp_packet *p, u32 reason)
{
	if (reason <= KNP_REASON_PASS_LAST && reason != KNP_REASON_NDP &&
	    unknown_is_closed(kn, state, &p->flow) &&
	    has_unknown_side(snap->tables, p, knp_packet_in(skb),
			     knp_packet_out(skb, state->out)))
		reason = KNP_REASON_UNKNOWN_LOCAL;
	/* What is made up about the node's connections is no answer. */
	if (reason > KNP_REASON_PASS_LAST && reason != KNP_REASON_SPOOF &&
	    (answers_node(state, p) ||
	     is_switched_on(kn, snap->tables, skb, state, p, reason)))
		reason = KNP_REASON_NODE;

	return reason;
}

u32 knp_judge_rest(const struct knp_net *kn, const struct knp_snapshot *snap,
		   const struct sk_buff *skb, const struct nf_hook_state *state,
		   struct knp_packet *p)
{
	u32 reason;

	if (snap) {
		reason = judge_other(snap->tables, skb, state, p);
		return knp_judge_twice(kn, snap, skb, state, p, reason);
	}

	knp_packet_set_header(p, skb, state->pf);
	if (state->hook == NF_INET_LOCAL_IN ||
	    READ_ONCE(kn->config.dflt) == KNP_PASS)
		return KNP_REASON_DEFAULT_PASS;
	return KNP_REASON_DEFAULT_DROP;
}

u32 knp_judge_account(const struct knp_snapshot *snap, struct knp_packet *p,
		      u32 iif, u32 oif)
{
	bool from_pod = knp_tables_role(snap->tables, iif) == KNP_ROLE_POD;
	bool to_pod = knp_tables_role(snap->tables, oif) == KNP_ROLE_POD;
	struct knp_verdict *v = &p->verdict;
	bool egress_is_elsewhere;

	if (from_pod == to_pod)
		return KNP_REASON_ALLOWED;

	egress_is_elsewhere = p->reply ? from_pod : to_pod;
	if (egress_is_elsewhere)
		memset(&v->egress, 0, sizeof(v->egress));
	else
		memset(&v->ingress, 0, sizeof(v->ingress));

	return v->egress.set || v->ingress.set ? KNP_REASON_ALLOWED :
						 KNP_REASON_NOT_ISOLATED;
}
