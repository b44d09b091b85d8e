/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The verdict about one packet. What is judged, and why, is in judge.c. */
#ifndef KNP_JUDGE_H
#define KNP_JUDGE_H

#include <linux/skbuff.h>

#include "netns.h"
#include "packet.h"

struct nf_hook_state;

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
 * Of what this node generated itself, nothing is to be asked.
 *
 * Return: enum knp_reason.
 */
u32 knp_judge(const struct knp_net *kn, const struct knp_snapshot *snap,
	      const struct sk_buff *skb, const struct nf_hook_state *state,
	      struct knp_packet *p);

#endif /* KNP_JUDGE_H */
