/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The generic netlink family: uapi/linux/knp.h in code. The only part of the
 * module that knows attributes.
 */
#ifndef KNP_NETLINK_H
#define KNP_NETLINK_H

#include <linux/types.h>

struct knp_event;
struct knp_net;
struct net;

/** knp_netlink_events_wanted() - whether anybody listens; any context */
bool knp_netlink_events_wanted(struct net *net);

/**
 * knp_netlink_event() - send one event to the group "events"
 * @kn: the namespace
 * @e: the event
 * @lost: events that were not sent so far
 *
 * Context: may sleep.
 * Return: 0, or -errno if it was not sent.
 */
int knp_netlink_event(struct knp_net *kn, const struct knp_event *e, u64 lost);

int knp_netlink_init(void);
void knp_netlink_exit(void);

#endif /* KNP_NETLINK_H */
