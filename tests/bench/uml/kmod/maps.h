/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What Cilium asks of eBPF maps for a packet to a local pod, as a hook: the
 * pod, the identity of the source in the ipcache, then the pod's policy map
 * twice (bpf/lib/policy.h since 1.17). The maps are the kernel's own and called
 * as compiled eBPF calls them; what a program does besides is left out, so this
 * is a lower bound of Cilium's cost.
 */
#ifndef MAPS_H
#define MAPS_H

#include <linux/netfilter.h>

#include "knp_bench.h"

struct kb_maps;

/** kb_maps_new() - Return: references to the maps, or an ERR_PTR() */
struct kb_maps *kb_maps_new(const struct kb_lane_new *arg);
void kb_maps_free(struct kb_maps *m);

/* The hook; priv is the struct kb_maps. */
unsigned int kb_maps_hook(void *priv, struct sk_buff *skb,
			  const struct nf_hook_state *state);

#endif /* MAPS_H */
