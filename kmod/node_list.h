/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What every pod may reach at its own node where NODE_EGRESS is drop: the list
 * that NODE_ALLOW sets, and the one that there is until then.
 *
 * A list is immutable once it is published in knp_net.node_list. Packets read
 * it on the way to a drop alone, so it is searched entry by entry.
 */
#ifndef KNP_NODE_LIST_H
#define KNP_NODE_LIST_H

#include <linux/rcupdate.h>

#include "netns.h"

struct netlink_ext_ack;
struct nlattr;

/**
 * struct knp_node_list - one list
 * @rcu: frees it
 * @n: entries
 * @entries: sound
 */
struct knp_node_list {
	struct rcu_head rcu;
	unsigned int n;
	struct knp_node_allow entries[];
};

/**
 * knp_node_list_new() - check and copy what NODE_ALLOW says
 * @attr: the attribute
 * @extack: why it is refused, may be NULL
 *
 * Return: the list, to be given to knp_node_list_set(); ERR_PTR(-EINVAL),
 * ERR_PTR(-E2BIG), ERR_PTR(-ENOMEM).
 */
struct knp_node_list *knp_node_list_new(const struct nlattr *attr,
					struct netlink_ext_ack *extack);

/**
 * knp_node_list_set() - make it the list of a namespace
 * @kn: the namespace; its lock is held
 * @list: taken over
 *
 * Return: whether it says something else than the one before.
 */
bool knp_node_list_set(struct knp_net *kn, struct knp_node_list *list);

/** knp_node_list_put() - write NODE_ALLOW; the lock of @kn is held */
int knp_node_list_put(struct sk_buff *skb, struct knp_net *kn);

/** knp_node_list_has() - may a pod open @flow to its node? In an RCU section. */
bool knp_node_list_has(const struct knp_net *kn, const struct knp_flow *flow);

/** knp_node_list_free() - the namespace is gone, and no packet is in a hook */
void knp_node_list_free(struct knp_net *kn);

#endif /* KNP_NODE_LIST_H */
