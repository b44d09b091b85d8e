/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Where packets meet the tables. What is judged, and how, is in judge.c. */
#ifndef KNP_HOOK_H
#define KNP_HOOK_H

#include <linux/types.h>

struct knp_net;
struct knp_packet;
struct knp_snapshot;
struct nf_hook_state;
struct sk_buff;

/**
 * knp_hooks_attach() - judge the packets of some families
 * @kn: the namespace; its lock is held
 * @families: KNP_FAMILY_*; those that are attached already are left alone
 *
 * Return: 0; -EOPNOTSUPP if the kernel lacks a family; -ENOMEM; or what
 * conntrack answered. On an error nothing has changed.
 */
int knp_hooks_attach(struct knp_net *kn, u32 families);

/** knp_hooks_detach() - undo it; families that are not attached are ignored */
void knp_hooks_detach(struct knp_net *kn, u32 families);

/**
 * knp_hook_end() - count a packet, and report it if it is dropped
 * @kn: the namespace
 * @snap: that judged it, NULL: none
 * @skb: the packet
 * @state: of the hook
 * @p: what is known of it; not read for KNP_REASON_NODE
 * @reason: the verdict
 *
 * Context: hooks.
 * Return: NF_ACCEPT or NF_DROP, as the mode wants.
 */
unsigned int knp_hook_end(struct knp_net *kn, const struct knp_snapshot *snap,
			  const struct sk_buff *skb,
			  const struct nf_hook_state *state,
			  const struct knp_packet *p, u32 reason);

/**
 * knp_hook_guard() - drop what no policy can allow a pod to send
 * @kn: the namespace
 * @snap: its tables
 * @skb: the packet, as it was sent
 * @state: of the hook, with the packet's own family
 *
 * Context: hooks.
 * Return: NF_ACCEPT or NF_DROP, as the mode wants.
 */
unsigned int knp_hook_guard(struct knp_net *kn, const struct knp_snapshot *snap,
			    const struct sk_buff *skb,
			    const struct nf_hook_state *state);

#endif /* KNP_HOOK_H */
