// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Frames between the ports of a bridge, which the hooks of IP never see where
 * br_netfilter is absent or told not to call them.
 *
 * FORWARD judges IPv4 and IPv6 as the hooks of IP would. Conntrack has seen the
 * frame in PRE_ROUTING, put fragments together and checked what it tracks;
 * what it does not track it may have left unchecked, so the network header is
 * checked here again. Frames that br_netfilter shows to the hooks of IP are
 * theirs: none is judged twice.
 *
 * The port of a pod carries IPv4, IPv6 and ARP, and neither tags nor anything
 * else: policies cannot say what such a frame is, and a tag leads to addresses
 * that are none of the pod's. What pods send is looked at in PRE_ROUTING,
 * before a bridge that knows VLANs gives the frame a tag of its own; what they
 * are sent in FORWARD, after that tag is off again. A port has no policies, so
 * this holds for all pods, isolated or not. There, too, is dropped what no
 * policy can allow a pod to send (guard.c), ARP in another's name, and errors that
 * it has made up (judge.c): the hooks of IP know of a frame from a bridge only the
 * bridge.
 *
 * Nothing here needs the module bridge to be loaded.
 *
 * Context: as hook.c.
 */
#include <linux/if_ether.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter_bridge.h>
#include <linux/netfilter_ipv4.h>
#include <net/netfilter/nf_conntrack.h>

#include "bridge.h"
#include "guard.h"
#include "hook.h"
#include "judge.h"
#include "mem.h"

static bool is_pod(const struct knp_snapshot *snap,
		   const struct net_device *port)
{
	return snap &&
	       knp_tables_role(snap->tables, port->ifindex) == KNP_ROLE_POD;
}

/* What the port of a pod may carry. */
static bool is_plain(const struct sk_buff *skb)
{
	if (skb_vlan_tag_present(skb))
		return false;

	switch (skb->protocol) {
	case htons(ETH_P_IP):
	case htons(ETH_P_IPV6):
	case htons(ETH_P_ARP):
		return true;
	default:
		return false;
	}
}

/* As ip_rcv_core() does, but for the checksum, which routers alone need. */
static bool ipv4_is_sound(struct sk_buff *skb)
{
	const struct iphdr *iph;
	unsigned int len;

	if (!pskb_may_pull(skb, sizeof(*iph)))
		return false;
	iph = ip_hdr(skb);
	if (iph->version != 4 || iph->ihl < 5 ||
	    !pskb_may_pull(skb, iph->ihl * 4))
		return false;
	iph = ip_hdr(skb);
	len = ntohs(iph->tot_len);
	/* What is larger than it can say is to be cut up yet (since 6.3). */
	if (!len && skb_is_gso(skb) &&
	    skb_shinfo(skb)->gso_type & SKB_GSO_TCPV4)
		return true;

	return len >= iph->ihl * 4 && len <= skb->len;
}

/* As ip6_rcv_core(); a payload length of 0 is that of a jumbogram. */
static bool ipv6_is_sound(struct sk_buff *skb)
{
	if (!pskb_may_pull(skb, sizeof(struct ipv6hdr)))
		return false;

	return ipv6_hdr(skb)->version == 6 &&
	       ntohs(ipv6_hdr(skb)->payload_len) + sizeof(struct ipv6hdr) <=
	       skb->len;
}

/* Of what is IP. */
static u8 family_of(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IP) ? NFPROTO_IPV4 : NFPROTO_IPV6;
}

static bool is_sound(struct sk_buff *skb, u8 pf)
{
	return pf == NFPROTO_IPV4 ? ipv4_is_sound(skb) : ipv6_is_sound(skb);
}

static unsigned int refuse(struct knp_net *kn, const struct knp_snapshot *snap,
			   const struct sk_buff *skb,
			   const struct nf_hook_state *state)
{
	struct knp_packet p = {};

	return knp_hook_end(kn, snap, skb, state, &p, KNP_REASON_L2PROTO);
}

/* By ARP neighbours learn where to send what is for an address. */
static unsigned int look_at_arp(struct knp_net *kn,
				const struct knp_snapshot *snap,
				const struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	struct knp_packet p;
	u32 reason;

	reason = knp_guard_arp(kn, snap, skb, state->in->ifindex, &p);
	if (!reason)
		return NF_ACCEPT;

	return knp_hook_end(kn, snap, skb, state, &p, reason);
}

/* What leaves a pod's port, to another port and to the node alike. */
static unsigned int pre_routing(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	struct nf_hook_state inet = *state;
	const struct knp_snapshot *snap;
	struct knp_net *kn = priv;
	struct knp_packet p;

	snap = rcu_dereference(kn->snap);
	if (!is_pod(snap, state->in))
		return NF_ACCEPT;
	if (!is_plain(skb))
		return refuse(kn, snap, skb, state);
	if (skb->protocol == htons(ETH_P_ARP))
		return look_at_arp(kn, snap, skb, state);
	inet.pf = family_of(skb);
	if (!is_sound(skb, inet.pf))
		return refuse(kn, snap, skb, state);
	/* Handed up, it would come by the bridge, of which nothing is known. */
	if (knp_judge_is_forged(snap, skb, state->in->ifindex, &p))
		return knp_hook_end(kn, snap, skb, &inet, &p, KNP_REASON_SPOOF);

	return knp_hook_guard(kn, snap, skb, &inet);
}

static unsigned int judge_ip(struct knp_net *kn,
			     const struct knp_snapshot *snap,
			     struct sk_buff *skb,
			     const struct nf_hook_state *state)
{
	struct nf_hook_state inet = *state;
	struct knp_packet p;
	u32 reason;

	inet.pf = family_of(skb);
	inet.hook = NF_INET_FORWARD;
	if (!is_sound(skb, inet.pf))
		return is_pod(snap, state->in) || is_pod(snap, state->out) ?
		       refuse(kn, snap, skb, state) : NF_ACCEPT;

	reason = knp_judge(kn, snap, skb, &inet, &p);
	if (reason == KNP_REASON_ALLOWED)
		reason = knp_judge_account(snap, &p, state->in->ifindex,
					   state->out->ifindex);

	return knp_hook_end(kn, snap, skb, &inet, &p, reason);
}

static unsigned int forward(void *priv, struct sk_buff *skb,
			    const struct nf_hook_state *state)
{
	const struct knp_snapshot *snap;
	struct knp_net *kn = priv;

	if (nf_bridge_info_exists(skb))
		return NF_ACCEPT;

	snap = rcu_dereference(kn->snap);
	if (!is_plain(skb) && is_pod(snap, state->out))
		return refuse(kn, snap, skb, state);

	if (skb->protocol != htons(ETH_P_IP) &&
	    skb->protocol != htons(ETH_P_IPV6))
		return NF_ACCEPT;

	return judge_ip(kn, snap, skb, state);
}

static void ops_set(struct knp_net *kn)
{
	kn->bridge_hooks[0] = (struct nf_hook_ops){
		.hook = pre_routing,
		.priv = kn,
		.pf = NFPROTO_BRIDGE,
		.hooknum = NF_BR_PRE_ROUTING,
		.priority = NF_IP_PRI_CONNTRACK + 1,
	};
	kn->bridge_hooks[1] = (struct nf_hook_ops){
		.hook = forward,
		.priv = kn,
		.pf = NFPROTO_BRIDGE,
		.hooknum = NF_BR_FORWARD,
		.priority = NF_BR_PRI_FILTER_BRIDGED,
	};
}

int knp_bridge_attach(struct knp_net *kn)
{
	int err;

	/* Replies are told by it; asks for its module. */
	err = knp_try(nf_ct_netns_get(kn->net, NFPROTO_BRIDGE), -ENOMEM);
	if (err)
		return err == -EPROTO ? -EOPNOTSUPP : err;
	ops_set(kn);
	err = knp_try(nf_register_net_hooks(kn->net, kn->bridge_hooks,
					    KNP_BRIDGE_HOOKS), -ENOMEM);
	if (err)
		nf_ct_netns_put(kn->net, NFPROTO_BRIDGE);

	return err;
}

void knp_bridge_detach(struct knp_net *kn)
{
	nf_unregister_net_hooks(kn->net, kn->bridge_hooks, KNP_BRIDGE_HOOKS);
	nf_ct_netns_put(kn->net, NFPROTO_BRIDGE);
}
