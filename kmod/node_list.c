// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <linux/string.h>
#include <net/netlink.h>

#include "match.h"
#include "mem.h"
#include "netlink_ops.h"
#include "node_list.h"

/*
 * NodeLocal DNSCache listens on an address that its manifest proposes and that
 * no other host has. It takes the queries of pods in place of a Service that
 * their policies name, and no policy can name it: it is no pod.
 */
#define NODE_LOCAL_DNS	{ 169, 254, 20, 10 }

static const struct knp_node_allow initial[] = {
	{ NODE_LOCAL_DNS, AF_INET, IPPROTO_UDP, 53 },
	{ NODE_LOCAL_DNS, AF_INET, IPPROTO_TCP, 53 },
};

static const char *flaw_of(const struct knp_node_allow *a)
{
	switch (a->family) {
	case AF_UNSPEC:
		if (memchr_inv(a->addr, 0, sizeof(a->addr)))
			return "NODE_ALLOW: an address without its family";
		break;
	case AF_INET:
		if (memchr_inv(a->addr + 4, 0, sizeof(a->addr) - 4))
			return "NODE_ALLOW: more than an IPv4 address";
		break;
	case AF_INET6:
		break;
	default:
		return "NODE_ALLOW: unknown family";
	}
	if (a->proto != IPPROTO_TCP && a->proto != IPPROTO_UDP &&
	    a->proto != IPPROTO_SCTP)
		return "NODE_ALLOW: a protocol without ports";

	return a->port ? NULL : "NODE_ALLOW: port 0";
}

struct knp_node_list *knp_node_list_new(const struct nlattr *attr,
					struct netlink_ext_ack *extack)
{
	unsigned int n = nla_len(attr) / sizeof(struct knp_node_allow);
	struct knp_node_list *list;
	const char *flaw;
	unsigned int i;

	if (nla_len(attr) % sizeof(struct knp_node_allow))
		return ERR_PTR(knp_refuse(extack, attr, -EINVAL,
					  "NODE_ALLOW: a part of an entry"));
	if (n > KNP_NODE_ALLOW_MAX)
		return ERR_PTR(knp_refuse(extack, attr, -E2BIG,
					  "NODE_ALLOW: too many entries"));

	list = knp_zalloc(struct_size(list, entries, n));
	if (!list)
		return ERR_PTR(knp_refuse(extack, NULL, -ENOMEM,
					  "out of memory"));
	list->n = n;
	memcpy(list->entries, nla_data(attr), nla_len(attr));
	for (i = 0; i < n; i++) {
		flaw = flaw_of(&list->entries[i]);
		if (flaw) {
			knp_free(list);
			return ERR_PTR(knp_refuse(extack, attr, -EINVAL, flaw));
		}
	}

	return list;
}

static const struct knp_node_allow *entries_of(const struct knp_node_list *list,
					       unsigned int *n)
{
	*n = list ? list->n : ARRAY_SIZE(initial);

	return list ? list->entries : initial;
}

static struct knp_node_list *list_locked(struct knp_net *kn)
{
	return rcu_dereference_protected(kn->node_list,
					 lockdep_is_held(&kn->lock));
}

bool knp_node_list_set(struct knp_net *kn, struct knp_node_list *list)
{
	struct knp_node_list *old = list_locked(kn);
	const struct knp_node_allow *before;
	unsigned int n;
	bool changed;

	before = entries_of(old, &n);
	changed = n != list->n ||
		  memcmp(before, list->entries, n * sizeof(*before));
	rcu_assign_pointer(kn->node_list, list);
	if (old) {
		knp_mem_uncount(old);
		kfree_rcu(old, rcu);
	}

	return changed;
}

int knp_node_list_put(struct sk_buff *skb, struct knp_net *kn)
{
	const struct knp_node_allow *entries;
	unsigned int n;

	entries = entries_of(list_locked(kn), &n);

	return nla_put(skb, KNP_A_NODE_ALLOW, n * sizeof(*entries), entries);
}

static bool is_meant(const struct knp_node_allow *a, const struct knp_flow *f)
{
	if (a->port != f->dport || a->proto != f->proto || !f->has_port)
		return false;
	if (a->family == AF_UNSPEC)
		return true;

	return f->family == (a->family == AF_INET ? KNP_V4 : KNP_V6) &&
	       !memcmp(a->addr, f->dst.b, sizeof(a->addr));
}

bool knp_node_list_has(const struct knp_net *kn, const struct knp_flow *flow)
{
	const struct knp_node_allow *entries;
	unsigned int i, n;

	entries = entries_of(rcu_dereference(kn->node_list), &n);
	for (i = 0; i < n; i++)
		if (is_meant(&entries[i], flow))
			return true;

	return false;
}

void knp_node_list_free(struct knp_net *kn)
{
	knp_free(rcu_replace_pointer(kn->node_list, NULL, true));
}
