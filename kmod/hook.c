// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Hooks: where packets are judged, counted and reported.
 *
 * Each packet is judged in one hook on its way, where both translations can be
 * undone: POST_ROUTING before source NAT for what is routed (however it was
 * translated, IPVS included), LOCAL_IN after IPVS for what pods send to the
 * node. Neither sees a packet twice. How it is judged is in judge.c.
 *
 * Before that, as it comes in, a packet by a pod's interface is looked at for
 * what no policy can allow (guard.c): behind defragmentation, so that what is
 * read is not read of a part; before everything that rules and conntrack do, so
 * that a packet in another's name neither makes an entry nor touches one. The
 * two hooks may meet two generations, of which each asks for something else.
 *
 * The node's own traffic passes by how it came. skb_iif is 0 only if this
 * node generated the packet; it survives IPVS, bridges and socket
 * early demux, and unlike an address no pod can forge it. (A pod by ipvlan in its
 * modes L3 can: the driver has this node send what the pod does. Of such pods
 * nothing is seen anyhow, as README says.)
 *
 * Context: hooks run in an RCU read section, in softirq or process context.
 * They allocate nothing, take no lock, and write only to lines of their CPU.
 */
#include <linux/bottom_half.h>
#include <linux/lockdep.h>
#include <linux/netfilter_bridge.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/preempt.h>
#include <net/ipv6.h>

#include "bridge.h"
#include "guard.h"
#include "hook.h"
#include "judge.h"
#include "mem.h"

/* Behind defragmentation, before the raw tables. */
#define PRI_PRE_ROUTING		(NF_IP_PRI_RAW - 50)
/* Between destination NAT and source NAT; LOCAL_IN also after IPVS. */
#define PRI_POST_ROUTING	(NF_IP_PRI_NAT_SRC - 5)
#define PRI_LOCAL_IN		(NF_IP_PRI_NAT_SRC + 1)

#if __has_attribute(__uninitialized__)
#define __set_later	__attribute__((__uninitialized__))
#else
#define __set_later
#endif

static void report(struct knp_net *kn, const struct knp_snapshot *snap,
		   const struct sk_buff *skb, const struct nf_hook_state *state,
		   const struct knp_packet *p, u32 reason, u8 mode)
{
	struct knp_event *e;

	/* Where softirqs are threads, others run while bottom halves are off. */
	preempt_disable();
	e = knp_events_slot(kn);
	if (!e)
		goto out;
	*e = (struct knp_event){
		.generation = snap ? snap->generation : 0,
		.time = ktime_get_real_ns(),
		.flow = p->flow,
		.egress = p->verdict.egress,
		.ingress = p->verdict.ingress,
		.reason = reason,
		.iif = skb->skb_iif,
		.oif = state->out ? state->out->ifindex : 0,
		.mode = mode,
	};
	knp_events_push(kn);
out:
	preempt_enable();
}

/*
 * Packets of other CPUs write elsewhere, so what is needed is that this CPU
 * stays and takes no packet meanwhile: most hooks run in a softirq, where it
 * is so already, and enabling it again costs as much as a lookup.
 */
static bool stay(void)
{
	if (softirq_count())
		return false;
	local_bh_disable();
	return true;
}

/* Both may deny: each set is one whose policies have to change. */
static noinline void hit_sets(struct knp_net *kn, const struct knp_verdict *v,
			      u32 reason, unsigned int bytes)
{
	if (reason != KNP_REASON_EGRESS && reason != KNP_REASON_INGRESS)
		return;
	if (!v->egress.rule)
		knp_counters_hit(&kn->counters, KNP_COUNTED_SET, v->egress.set,
				 bytes);
	if (!v->ingress.rule)
		knp_counters_hit(&kn->counters, KNP_COUNTED_SET, v->ingress.set,
				 bytes);
}

static __always_inline unsigned int
hook_end(struct knp_net *kn, const struct knp_snapshot *snap,
	 const struct sk_buff *skb, const struct nf_hook_state *state,
	 const struct knp_packet *p, u32 reason)
{
	u8 mode = READ_ONCE(kn->config.mode);
	bool drop = reason > KNP_REASON_PASS_LAST;
	bool stayed = stay();

	lockdep_assert_in_softirq();
	knp_counters_hit_reason(&kn->counters, reason, skb->len);
	if (reason == KNP_REASON_ALLOWED) {
		knp_counters_hit(&kn->counters, KNP_COUNTED_RULE,
				 p->verdict.egress.rule, skb->len);
		knp_counters_hit(&kn->counters, KNP_COUNTED_RULE,
				 p->verdict.ingress.rule, skb->len);
	}
	if (drop) {
		hit_sets(kn, &p->verdict, reason, skb->len);
		report(kn, snap, skb, state, p, reason, mode);
	}
	if (stayed)
		local_bh_enable();

	return drop && mode == KNP_MODE_ENFORCE ? NF_DROP : NF_ACCEPT;
}

unsigned int knp_hook_end(struct knp_net *kn, const struct knp_snapshot *snap,
			  const struct sk_buff *skb,
			  const struct nf_hook_state *state,
			  const struct knp_packet *p, u32 reason)
{
	return hook_end(kn, snap, skb, state, p, reason);
}

unsigned int knp_hook_guard(struct knp_net *kn, const struct knp_snapshot *snap,
			    const struct sk_buff *skb,
			    const struct nf_hook_state *state)
{
	struct knp_packet p __set_later;
	struct knp_transport th = {};
	u32 reason;

	reason = knp_guard(kn, snap, skb, state->pf, skb->skb_iif);
	if (likely(!reason))
		return NF_ACCEPT;

	knp_packet_set_header(&p, skb, state->pf);
	knp_transport_parse(skb, state->pf, &p.flow, &th);

	return knp_hook_end(kn, snap, skb, state, &p, reason);
}

/* Only what is bridged or untracked may pass this node twice. */
static bool may_pass_twice(const struct sk_buff *skb,
			   const struct nf_hook_state *state,
			   const struct knp_packet *p)
{
	return state->hook == NF_INET_POST_ROUTING &&
	       (!p->tracked || nf_bridge_info_exists(skb));
}

/* What it sends to a group or to all comes back to it by each interface. */
static bool is_nodes_own(const struct sk_buff *skb,
			 const struct nf_hook_state *state)
{
	return state->hook == NF_INET_POST_ROUTING ?
	       !skb->skb_iif : skb->pkt_type == PACKET_LOOPBACK;
}

static unsigned int hook_guard(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state)
{
	struct knp_net *kn = priv;
	const struct knp_snapshot *snap = rcu_dereference(kn->snap);

	if (!snap || !snap->ifaces)
		return NF_ACCEPT;

	return knp_hook_guard(kn, snap, skb, state);
}

static unsigned int hook(void *priv, struct sk_buff *skb,
			 const struct nf_hook_state *state)
{
	const struct knp_snapshot *snap = NULL;
	struct knp_net *kn = priv;
	u32 reason = KNP_REASON_NODE;
	struct knp_packet p __set_later;

	if (!is_nodes_own(skb, state)) {
		snap = rcu_dereference(kn->snap);
		reason = knp_judge(kn, snap, skb, state, &p);
	}
	if (reason == KNP_REASON_ALLOWED && may_pass_twice(skb, state, &p))
		reason = knp_judge_account(snap, &p, skb->skb_iif,
					   knp_packet_out(skb, state->out));

	return hook_end(kn, snap, skb, state, &p, reason);
}

/**
 * struct family - how one family is attached
 * @bit: KNP_FAMILY_*
 * @pf: of its packets
 */
struct family {
	u32 bit;
	u8 pf;
};

static const struct family families[] = {
	{ KNP_FAMILY_IPV4, NFPROTO_IPV4 },
	{ KNP_FAMILY_IPV6, NFPROTO_IPV6 },
};

static struct nf_hook_ops *ops_of(struct knp_net *kn, const struct family *f)
{
	BUILD_BUG_ON(ARRAY_SIZE(kn->hooks) != ARRAY_SIZE(families));

	return kn->hooks[f - families];
}

/* What a hook is given leads it to the namespace's state in no step at all. */
static void ops_set(struct knp_net *kn, const struct family *f)
{
	struct nf_hook_ops *ops = ops_of(kn, f);

	ops[0] = (struct nf_hook_ops){
		.hook = hook,
		.priv = kn,
		.pf = f->pf,
		.hooknum = NF_INET_POST_ROUTING,
		.priority = PRI_POST_ROUTING,
	};
	ops[1] = (struct nf_hook_ops){
		.hook = hook,
		.priv = kn,
		.pf = f->pf,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = PRI_LOCAL_IN,
	};
	ops[2] = (struct nf_hook_ops){
		.hook = hook_guard,
		.priv = kn,
		.pf = f->pf,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = PRI_PRE_ROUTING,
	};
}

static void family_detach(struct knp_net *kn, const struct family *f)
{
	nf_unregister_net_hooks(kn->net, ops_of(kn, f), KNP_HOOKS);
	nf_ct_netns_put(kn->net, f->pf);
	kn->families &= ~f->bit;
}

static int family_attach(struct knp_net *kn, const struct family *f)
{
	int err;

	if (f->bit == KNP_FAMILY_IPV6 && !ipv6_mod_enabled())
		return -EOPNOTSUPP;

	/* Connection tracking and defragmentation first: hooks rely on them. */
	err = knp_try(nf_ct_netns_get(kn->net, f->pf), -ENOMEM);
	if (err)
		return err;
	ops_set(kn, f);
	err = knp_try(nf_register_net_hooks(kn->net, ops_of(kn, f), KNP_HOOKS),
		      -ENOMEM);
	if (err) {
		nf_ct_netns_put(kn->net, f->pf);
		return err;
	}
	kn->families |= f->bit;

	return 0;
}

int knp_hooks_attach(struct knp_net *kn, u32 wanted)
{
	u32 before = kn->families;
	unsigned int i;
	int err;

	lockdep_assert_held(&kn->lock);

	err = knp_counters_prepare(&kn->counters);
	if (err)
		return err;
	err = knp_events_prepare(&kn->events);
	if (err)
		return err;

	for (i = 0; i < ARRAY_SIZE(families); i++) {
		if (!(wanted & families[i].bit & ~before))
			continue;
		err = family_attach(kn, &families[i]);
		if (err)
			goto err_detach;
	}
	if (wanted & KNP_FAMILY_BRIDGE & ~before) {
		err = knp_bridge_attach(kn);
		if (err)
			goto err_detach;
		kn->families |= KNP_FAMILY_BRIDGE;
	}

	return 0;

err_detach:
	/* What hooks use lives until the namespace goes: no need to wait. */
	knp_hooks_detach(kn, kn->families & ~before);
	return err;
}

void knp_hooks_detach(struct knp_net *kn, u32 unwanted)
{
	unsigned int i = ARRAY_SIZE(families);

	lockdep_assert_held(&kn->lock);

	if (kn->families & unwanted & KNP_FAMILY_BRIDGE) {
		knp_bridge_detach(kn);
		kn->families &= ~KNP_FAMILY_BRIDGE;
	}
	while (i--)
		if (kn->families & unwanted & families[i].bit)
			family_detach(kn, &families[i]);
}
