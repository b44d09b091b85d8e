/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A lane: prebuilt packets and the hooks that judge them.
 *
 * Context: kb_lane_new() and kb_lane_free() may sleep. The others run with
 * bottom halves off, in an RCU read section.
 */
#ifndef LANE_H
#define LANE_H

#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <net/netfilter/nf_conntrack.h>

#include "knp_bench.h"

struct kb_maps;

/**
 * struct kb_lane - what judges packets
 * @net: the namespace; a reference
 * @hooks: a copy, so that it lacks what is not to be measured; NULL: none
 * @maps: of KB_MAPS
 * @state: what hooks see beside the packet
 * @skb: the packets
 * @ct: their conntrack entries
 * @out: the device of each pod
 * @devices: @out is filled
 * @next: position in the trace
 */
struct kb_lane {
	struct net *net;
	struct nf_hook_entries *hooks;
	struct kb_maps *maps;
	struct nf_hook_state state;
	struct sk_buff *skb[KB_BATCH];
	struct nf_conn *ct[KB_BATCH];
	struct net_device *out[KB_PODS];
	bool devices;
	u32 next;
};

/** kb_lane_new() - Return: the lane or an ERR_PTR() */
struct kb_lane *kb_lane_new(const struct kb_lane_new *arg);
void kb_lane_free(struct kb_lane *l);

/** kb_lane_state() - make all packets of new or of known connections */
void kb_lane_state(struct kb_lane *l, bool established);

/** kb_lane_judge() - packet @i, rewritten for @f; Return: whether it passes */
bool kb_lane_judge(struct kb_lane *l, unsigned int i, const struct kb_flow *f);

#endif /* LANE_H */
