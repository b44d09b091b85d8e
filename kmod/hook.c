// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Hooks: from a packet to its policy tuple, to a verdict.
 *
 * Each packet is judged in one hook on its way, where both translations can be
 * undone: POST_ROUTING before source NAT for what is routed (however it was
 * translated, IPVS included), LOCAL_IN after IPVS for what pods send to the
 * node. Neither sees a packet twice.
 *
 * Known connection. NAT and IPVS alter only the reply tuple of a conntrack
 * entry, so ORIGINAL.src -> REPLY.src is the connection before source NAT and
 * after destination NAT. It is judged for each packet of both directions and
 * for the ICMP errors about it, which carry its entry; nothing of the packet
 * itself is parsed, and there is no memory per connection.
 *
 * No entry although conntrack looked: the packet is invalid. Its headers prove
 * nothing, so it is dropped where an isolated address is involved.
 *
 * Untracked: judged by its own headers. A TCP segment that is not the first
 * of a connection may be a reply, so it passes in either orientation.
 *
 * The node's own traffic passes by how it came. skb_iif is 0 only if this
 * node generated the packet; it survives IPVS, bridges and socket
 * early demux, and unlike an address no pod can forge it. Answers to the node
 * carry no such proof: on the way to a drop, a packet in the reply direction
 * passes if the connection began at an address of this node.
 *
 * Context: hooks run in an RCU read section, in softirq or process context.
 * They allocate nothing, take no lock, and write only to lines of their CPU.
 */
#include <linux/bottom_half.h>
#include <linux/icmpv6.h>
#include <linux/inetdevice.h>
#include <linux/ipv6.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/sctp.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>

#include "hook.h"
#include "netns.h"

/* Between destination NAT and source NAT; LOCAL_IN also after IPVS. */
#define PRI_POST_ROUTING	(NF_IP_PRI_NAT_SRC - 5)
#define PRI_LOCAL_IN		(NF_IP_PRI_NAT_SRC + 1)

/**
 * struct packet - what a hook finds out about one packet
 * @flow: the policy tuple
 * @verdict: of the tables; all zero if they were not asked
 * @tracked: @flow comes from a connection
 * @reply: the packet goes from @flow.dst to @flow.src
 *
 * All of it is set where the packet's headers or its connection are looked at,
 * and nothing before: kernels that zero what is on the stack would spend on it
 * half of what a verdict costs.
 */
struct packet {
	struct knp_flow flow;
	struct knp_verdict verdict;
	bool tracked;
	bool reply;
};

/**
 * struct transport - what is read of an untracked packet's transport header
 * @sport: source port, host byte order
 * @first: it can only open a connection
 */
struct transport {
	u16 sport;
	bool first;
};

#if __has_attribute(__uninitialized__)
#define __set_later	__attribute__((__uninitialized__))
#else
#define __set_later
#endif

static void addr_set_v4(struct knp_addr *a, __be32 ip)
{
	const struct knp_addr v = { .w = { ip } };

	/* As they are read: a load that spans two stores waits for both. */
	a->q[0] = v.q[0];
	a->q[1] = v.q[1];
}

static void addr_set_v6(struct knp_addr *a, const void *ip)
{
	memcpy(a->b, ip, sizeof(a->b));
}

/*
 * Without its own tracker, SCTP is tracked without ports: port 0 in the tuple
 * would be a lie.
 */
static bool proto_has_port(u8 proto)
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

static void flow_of_conn(struct knp_flow *f, const struct nf_conn *ct)
{
	const struct nf_conntrack_tuple *orig = nf_ct_tuple(ct,
							    IP_CT_DIR_ORIGINAL);
	const struct nf_conntrack_tuple *reply = nf_ct_tuple(ct,
							     IP_CT_DIR_REPLY);

	if (nf_ct_l3num(ct) == NFPROTO_IPV4) {
		f->family = KNP_V4;
		addr_set_v4(&f->src, orig->src.u3.ip);
		addr_set_v4(&f->dst, reply->src.u3.ip);
	} else {
		f->family = KNP_V6;
		addr_set_v6(&f->src, &orig->src.u3);
		addr_set_v6(&f->dst, &reply->src.u3);
	}
	f->proto = nf_ct_protonum(ct);
	f->has_port = proto_has_port(f->proto);
	f->dport = f->has_port ? ntohs(reply->src.u.all) : 0;
}

/* Addresses only; the header itself was checked when the packet came in. */
static void packet_of_header(struct packet *p, const struct sk_buff *skb,
			     u8 pf)
{
	struct knp_flow *f = &p->flow;

	memset(p, 0, sizeof(*p));
	if (pf == NFPROTO_IPV4) {
		f->family = KNP_V4;
		addr_set_v4(&f->src, ip_hdr(skb)->saddr);
		addr_set_v4(&f->dst, ip_hdr(skb)->daddr);
		f->proto = ip_hdr(skb)->protocol;
	} else {
		f->family = KNP_V6;
		addr_set_v6(&f->src, &ipv6_hdr(skb)->saddr);
		addr_set_v6(&f->dst, &ipv6_hdr(skb)->daddr);
		f->proto = ipv6_hdr(skb)->nexthdr;
	}
}

/*
 * Find the transport header. Fragments that are not the first have none.
 *
 * Return: 0, KNP_REASON_FRAGMENT or KNP_REASON_MALFORMED.
 */
static u32 transport_find(const struct sk_buff *skb, u8 pf, u8 *proto,
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

/*
 * Read the ports of an untracked packet.
 *
 * Return: 0, KNP_REASON_FRAGMENT or KNP_REASON_MALFORMED; @f then has the
 * addresses only.
 */
static u32 transport_parse(const struct sk_buff *skb, u8 pf, struct knp_flow *f,
			   struct transport *t)
{
	const struct tcphdr *th;
	struct tcphdr tcp_buf;
	const __be16 *ports;
	__be16 port_buf[2];
	unsigned int off;
	u32 broken;

	broken = transport_find(skb, pf, &f->proto, &off);
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

/* Messages that keep a pod and its node in touch; conntrack ignores them. */
static bool is_ndp(const struct sk_buff *skb, u8 pf)
{
	const struct icmp6hdr *icmp;
	struct icmp6hdr buf;
	unsigned int off;
	u8 proto;

	if (pf != NFPROTO_IPV6 || transport_find(skb, pf, &proto, &off) ||
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
				    struct packet *p)
{
	struct transport th = {};
	struct packet back;
	u32 broken;

	packet_of_header(p, skb, pf);
	broken = transport_parse(skb, pf, &p->flow, &th);
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

/* Judge by the tables alone. */
static u32 judge(const struct knp_tables *t, const struct sk_buff *skb,
		 const struct nf_hook_state *state, struct packet *p)
{
	enum ip_conntrack_info ctinfo;
	const struct nf_conn *ct = nf_ct_get(skb, &ctinfo);

	if (ct) {
		p->tracked = true;
		p->reply = CTINFO2DIR(ctinfo) == IP_CT_DIR_REPLY;
		flow_of_conn(&p->flow, ct);
		knp_match(t, &p->flow, &p->verdict);
		return p->verdict.reason;
	}
	if (state->hook == NF_INET_LOCAL_IN && is_ndp(skb, state->pf)) {
		packet_of_header(p, skb, state->pf);
		return KNP_REASON_NDP;
	}
	/* Without an entry, ctinfo says only whether it was left out. */
	if (ctinfo == IP_CT_UNTRACKED)
		return judge_untracked(t, skb, state->pf, p);

	packet_of_header(p, skb, state->pf);
	return broken_unless_free(t, &p->flow, KNP_REASON_CT_INVALID);
}

static bool is_unknown(const struct knp_tables *t, u32 ifindex,
		       unsigned int family, const struct knp_addr *a)
{
	u32 egress, ingress;

	return ifindex && knp_tables_role(t, ifindex) == KNP_ROLE_POD &&
	       !knp_tables_endpoint(t, family, a, &egress, &ingress);
}

static bool has_unknown_side(const struct knp_tables *t, const struct packet *p,
			     u32 iif, u32 oif)
{
	const struct knp_flow *f = &p->flow;
	const struct knp_addr *from = p->reply ? &f->dst : &f->src;
	const struct knp_addr *to = p->reply ? &f->src : &f->dst;

	return is_unknown(t, iif, f->family, from) ||
	       is_unknown(t, oif, f->family, to);
}

static bool is_node_address(struct net *net, unsigned int family,
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

static bool answers_node(const struct nf_hook_state *state,
			 const struct packet *p)
{
	return state->hook == NF_INET_LOCAL_IN && p->tracked && p->reply &&
	       is_node_address(state->net, p->flow.family, &p->flow.src);
}

static u32 decide(const struct knp_net *kn, const struct knp_snapshot *snap,
		  const struct sk_buff *skb, const struct nf_hook_state *state,
		  struct packet *p)
{
	u32 oif = state->out ? state->out->ifindex : 0;
	u32 reason;

	if (!snap) {
		packet_of_header(p, skb, state->pf);
		if (state->hook == NF_INET_LOCAL_IN ||
		    READ_ONCE(kn->config.dflt) == KNP_PASS)
			return KNP_REASON_DEFAULT_PASS;
		return KNP_REASON_DEFAULT_DROP;
	}

	reason = judge(snap->tables, skb, state, p);
	if (reason <= KNP_REASON_PASS_LAST && reason != KNP_REASON_NDP &&
	    READ_ONCE(kn->config.unknown_local) == KNP_DROP &&
	    has_unknown_side(snap->tables, p, skb->skb_iif, oif))
		reason = KNP_REASON_UNKNOWN_LOCAL;
	if (reason > KNP_REASON_PASS_LAST && answers_node(state, p))
		reason = KNP_REASON_NODE;

	return reason;
}

static void report(struct knp_net *kn, const struct knp_snapshot *snap,
		   const struct sk_buff *skb, const struct nf_hook_state *state,
		   const struct packet *p, u32 reason, u8 mode)
{
	struct knp_event *e = knp_events_slot(kn);

	if (!e)
		return;
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

static unsigned int hook(void *priv, struct sk_buff *skb,
			 const struct nf_hook_state *state)
{
	const struct knp_snapshot *snap = NULL;
	struct knp_net *kn = priv;
	u8 mode = READ_ONCE(kn->config.mode);
	u32 reason = KNP_REASON_NODE;
	struct packet p __set_later;
	bool drop, stayed;

	if (state->hook != NF_INET_POST_ROUTING || skb->skb_iif) {
		snap = rcu_dereference(kn->snap);
		reason = decide(kn, snap, skb, state, &p);
	}
	drop = reason > KNP_REASON_PASS_LAST;

	stayed = stay();
	knp_counters_hit_reason(&kn->counters, reason, skb->len);
	if (reason == KNP_REASON_ALLOWED) {
		knp_counters_hit_rule(&kn->counters, p.verdict.egress.rule,
				      skb->len);
		knp_counters_hit_rule(&kn->counters, p.verdict.ingress.rule,
				      skb->len);
	}
	if (drop)
		report(kn, snap, skb, state, &p, reason, mode);
	if (stayed)
		local_bh_enable();

	return drop && mode == KNP_MODE_ENFORCE ? NF_DROP : NF_ACCEPT;
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
	err = nf_ct_netns_get(kn->net, f->pf);
	if (err)
		return err;
	ops_set(kn, f);
	err = nf_register_net_hooks(kn->net, ops_of(kn, f), KNP_HOOKS);
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

	while (i--)
		if (kn->families & unwanted & families[i].bit)
			family_detach(kn, &families[i]);
}
