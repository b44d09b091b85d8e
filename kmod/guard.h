/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What no policy can allow a pod to send. What and why is in guard.c. */
#ifndef KNP_GUARD_H
#define KNP_GUARD_H

#include <linux/skbuff.h>

#include "netns.h"
#include "packet.h"

/**
 * knp_guard() - may this packet come by the interface by which it comes?
 * @kn: the namespace
 * @snap: its tables
 * @skb: the packet, whole if fragments of it came
 * @pf: NFPROTO_IPV4 or NFPROTO_IPV6
 * @ifindex: the interface; of a bridge the port
 *
 * Of any hook that sees the packet as it was sent, before its addresses are
 * translated.
 *
 * Return: 0, or the enum knp_reason for which it is dropped.
 */
u32 knp_guard(const struct knp_net *kn, const struct knp_snapshot *snap,
	      const struct sk_buff *skb, u8 pf, u32 ifindex);

/**
 * knp_guard_arp() - may a pod say this?
 * @kn: the namespace
 * @snap: its tables
 * @skb: a packet of ARP
 * @ifindex: the pod's interface; of a bridge the port
 * @p: set; from the sender to the target that are named, of protocol 0
 *
 * Return: as knp_guard().
 */
u32 knp_guard_arp(const struct knp_net *kn, const struct knp_snapshot *snap,
		  const struct sk_buff *skb, u32 ifindex, struct knp_packet *p);

#endif /* KNP_GUARD_H */
