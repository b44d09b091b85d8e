/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Frames between the ports of bridges. What is judged, and how: bridge.c. */
#ifndef KNP_BRIDGE_H
#define KNP_BRIDGE_H

struct knp_net;

/**
 * knp_bridge_attach() - judge frames
 * @kn: the namespace; its lock is held
 *
 * Return: 0; -EOPNOTSUPP if the kernel has no connection tracking for bridges
 * (nf_conntrack_bridge), or no hooks for them; -ENOMEM. On an error nothing has
 * changed.
 */
int knp_bridge_attach(struct knp_net *kn);

/** knp_bridge_detach() - undo it */
void knp_bridge_detach(struct knp_net *kn);

#endif /* KNP_BRIDGE_H */
