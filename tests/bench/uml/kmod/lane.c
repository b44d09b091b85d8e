// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <linux/inetdevice.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter_ipv4.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <net/net_namespace.h>
#include <net/netfilter/nf_conntrack_zones.h>

#include "lane.h"
#include "maps.h"

static unsigned int accept(void *priv, struct sk_buff *skb,
			   const struct nf_hook_state *state)
{
	return NF_ACCEPT;
}

/*
 * What connection tracking registers for itself costs all contenders the same;
 * it has run already, or will later.
 */
static bool is_measured(const struct nf_hook_ops *ops)
{
	switch (ops->priority) {
	case NF_IP_PRI_CONNTRACK_DEFRAG:
	case NF_IP_PRI_CONNTRACK:
	case NF_IP_PRI_CONNTRACK_HELPER:
	case NF_IP_PRI_CONNTRACK_CONFIRM:
		return false;
	default:
		return true;
	}
}

static struct nf_hook_entries *entries_alloc(unsigned int n)
{
	struct nf_hook_entries *e;

	e = kzalloc(struct_size(e, hooks, n), GFP_KERNEL);
	if (e)
		e->num_hook_entries = n;

	return e;
}

static struct nf_hook_entries *entries_of(nf_hookfn *fn, void *priv)
{
	struct nf_hook_entries *e = entries_alloc(1);

	if (e)
		e->hooks[0] = (struct nf_hook_entry){
			.hook = fn,
			.priv = priv,
		};

	return e;
}

/* Nothing registers hooks meanwhile: the benchmark alone sets up namespaces. */
static struct nf_hook_entries *entries_copy(struct net *net, u8 pf, u8 hook)
{
	const struct nf_hook_entries *from;
	struct nf_hook_entries *to;
	struct nf_hook_ops **ops;
	unsigned int i, n = 0;

	from = pf == NFPROTO_IPV4 ?
		rcu_dereference_protected(net->nf.hooks_ipv4[hook], true) :
		rcu_dereference_protected(net->nf.hooks_ipv6[hook], true);
	if (!from)
		return ERR_PTR(-ENOENT);
	to = entries_alloc(from->num_hook_entries);
	if (!to)
		return ERR_PTR(-ENOMEM);
	ops = nf_hook_entries_get_hook_ops(from);
	for (i = 0; i < from->num_hook_entries; i++)
		if (is_measured(ops[i]))
			to->hooks[n++] = from->hooks[i];
	to->num_hook_entries = n;
	if (!n) {
		kfree(to);
		return ERR_PTR(-ENOENT);
	}

	return to;
}

static int hooks_set(struct kb_lane *l, const struct kb_lane_new *arg)
{
	switch (arg->kind) {
	case KB_NONE:
		return 0;
	case KB_EMPTY:
		l->hooks = entries_of(accept, NULL);
		return l->hooks ? 0 : -ENOMEM;
	case KB_MAPS:
		l->maps = kb_maps_new(arg);
		if (IS_ERR(l->maps)) {
			int err = PTR_ERR(l->maps);

			l->maps = NULL;
			return err;
		}
		l->hooks = entries_of(kb_maps_hook, l->maps);
		return l->hooks ? 0 : -ENOMEM;
	case KB_HOOKS:
		l->hooks = entries_copy(l->net, l->state.pf, l->state.hook);
		if (IS_ERR(l->hooks)) {
			int err = PTR_ERR(l->hooks);

			l->hooks = NULL;
			return err;
		}
		return 0;
	default:
		return -EINVAL;
	}
}

static int devices_find(struct kb_lane *l)
{
	char name[IFNAMSIZ];
	unsigned int i;

	for (i = 0; i < KB_PODS; i++) {
		snprintf(name, sizeof(name), "cali%02x", i);
		l->out[i] = dev_get_by_name(l->net, name);
	}
	l->devices = true;

	return l->out[0] ? 0 : -ENODEV;
}

static struct sk_buff *packet_new(struct kb_lane *l)
{
	bool v4 = l->state.pf == NFPROTO_IPV4;
	struct sk_buff *skb;
	struct tcphdr *th;

	skb = alloc_skb(256, GFP_KERNEL);
	if (!skb)
		return NULL;
	skb_reserve(skb, 64);
	skb_reset_network_header(skb);
	if (v4) {
		struct iphdr *iph = skb_put_zero(skb, sizeof(*iph));

		iph->version = 4;
		iph->ihl = 5;
		iph->ttl = 63;
		iph->protocol = IPPROTO_TCP;
		iph->tot_len = htons(sizeof(*iph) + sizeof(*th));
	} else {
		struct ipv6hdr *iph = skb_put_zero(skb, sizeof(*iph));

		iph->version = 6;
		iph->hop_limit = 63;
		iph->nexthdr = IPPROTO_TCP;
		iph->payload_len = htons(sizeof(*th));
	}
	skb_set_transport_header(skb, skb->len);
	th = skb_put_zero(skb, sizeof(*th));
	th->doff = sizeof(*th) / 4;
	th->syn = 1;
	skb->protocol = htons(v4 ? ETH_P_IP : ETH_P_IPV6);
	skb->dev = l->net->loopback_dev;
	skb->skb_iif = skb->dev->ifindex;
	skb->ip_summed = CHECKSUM_UNNECESSARY;

	return skb;
}

static struct nf_conn *conn_new(struct kb_lane *l)
{
	struct nf_conntrack_tuple t = {
		.src.l3num = l->state.pf,
		.dst.protonum = IPPROTO_TCP,
	}, back = t;
	struct nf_conn *ct;

	back.dst.dir = IP_CT_DIR_REPLY;
	ct = nf_conntrack_alloc(l->net, &nf_ct_zone_dflt, &t, &back,
				GFP_KERNEL);
	if (IS_ERR(ct))
		return NULL;
	refcount_set(&ct->ct_general.use, 1);

	return ct;
}

static void conn_free(struct nf_conn *ct)
{
	refcount_set(&ct->ct_general.use, 0);
	nf_conntrack_free(ct);
}

static int packets_make(struct kb_lane *l)
{
	unsigned int i;

	for (i = 0; i < KB_BATCH; i++) {
		l->skb[i] = packet_new(l);
		l->ct[i] = conn_new(l);
		if (!l->skb[i] || !l->ct[i])
			return -ENOMEM;
	}

	return 0;
}

struct kb_lane *kb_lane_new(const struct kb_lane_new *arg)
{
	struct net_device *lo;
	struct kb_lane *l;
	int err;

	if (arg->hook >= NF_INET_NUMHOOKS)
		return ERR_PTR(-EINVAL);
	l = kzalloc(sizeof(*l), GFP_KERNEL);
	if (!l)
		return ERR_PTR(-ENOMEM);
	l->net = get_net_ns_by_fd(arg->netns);
	if (IS_ERR(l->net)) {
		err = PTR_ERR(l->net);
		kfree(l);
		return ERR_PTR(err);
	}
	lo = l->net->loopback_dev;
	nf_hook_state_init(&l->state, arg->hook,
			   arg->family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6,
			   lo, lo, NULL, l->net, NULL);
	err = packets_make(l);
	if (!err && arg->devices)
		err = devices_find(l);
	if (!err)
		err = hooks_set(l, arg);
	if (err) {
		kb_lane_free(l);
		return ERR_PTR(err);
	}

	return l;
}

void kb_lane_free(struct kb_lane *l)
{
	unsigned int i;

	if (!l)
		return;
	for (i = 0; i < KB_BATCH; i++) {
		if (l->skb[i]) {
			skb_set_nfct(l->skb[i], 0);
			refcount_set(&l->skb[i]->users, 1);
			kfree_skb(l->skb[i]);
		}
		if (l->ct[i])
			conn_free(l->ct[i]);
	}
	for (i = 0; i < KB_PODS; i++)
		dev_put(l->out[i]);
	kfree(l->hooks);
	kb_maps_free(l->maps);
	put_net(l->net);
	kfree(l);
}

void kb_lane_state(struct kb_lane *l, bool established)
{
	unsigned int i;

	for (i = 0; i < KB_BATCH; i++) {
		l->ct[i]->status = established ?
			IPS_CONFIRMED | IPS_SEEN_REPLY | IPS_ASSURED : 0;
		nf_ct_set(l->skb[i], l->ct[i],
			  established ? IP_CT_ESTABLISHED : IP_CT_NEW);
		tcp_hdr(l->skb[i])->syn = !established;
		tcp_hdr(l->skb[i])->ack = established;
	}
}

static void conn_set(struct nf_conn *ct, const struct kb_flow *f, size_t len)
{
	struct nf_conntrack_tuple *t;

	t = &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	memcpy(&t->src.u3, f->src, len);
	memcpy(&t->dst.u3, f->dst, len);
	t->src.u.all = f->sport;
	t->dst.u.all = f->dport;
	t = &ct->tuplehash[IP_CT_DIR_REPLY].tuple;
	memcpy(&t->src.u3, f->dst, len);
	memcpy(&t->dst.u3, f->src, len);
	t->src.u.all = f->dport;
	t->dst.u.all = f->sport;
}

bool kb_lane_judge(struct kb_lane *l, unsigned int i, const struct kb_flow *f)
{
	struct sk_buff *skb = l->skb[i];

	if (l->state.pf == NFPROTO_IPV4) {
		memcpy(&ip_hdr(skb)->saddr, f->src, 4);
		memcpy(&ip_hdr(skb)->daddr, f->dst, 4);
		conn_set(l->ct[i], f, 4);
	} else {
		memcpy(&ipv6_hdr(skb)->saddr, f->src, 16);
		memcpy(&ipv6_hdr(skb)->daddr, f->dst, 16);
		conn_set(l->ct[i], f, 16);
	}
	tcp_hdr(skb)->source = f->sport;
	tcp_hdr(skb)->dest = f->dport;
	skb->mark = 0;
	/* A hook that drops gives one reference back. */
	refcount_set(&skb->users, 2);
	if (l->devices)
		l->state.out = l->out[f->pod];
	if (!l->hooks)
		return true;

	return nf_hook_slow(skb, &l->state, l->hooks, 0) == 1;
}
