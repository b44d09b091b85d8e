/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What the files of the netlink family share; nobody else includes it. */
#ifndef KNP_NETLINK_OPS_H
#define KNP_NETLINK_OPS_H

#include <net/genetlink.h>
#include <linux/knp.h>

#include "mem.h"

enum knp_group {
	KNP_GROUP_EVENTS,
	KNP_GROUP_COMMITS,
};

extern struct genl_family knp_genl_family;

/* A message for anything but a dump; NULL if out of memory. */
#define knp_message_new()	\
	knp_try(genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL), NULL)

/**
 * knp_refuse() - say why a command is refused
 * @extack: where, may be NULL
 * @attr: the attribute to blame, NULL if it is not one
 * @err: -errno
 * @text: static
 *
 * Return: @err.
 */
int knp_refuse(struct netlink_ext_ack *extack, const struct nlattr *attr,
	       int err, const char *text);

/** knp_require() - 0 if attribute @type is there, else refuses with @text */
int knp_require(struct genl_info *info, int type, const char *text);

int knp_get_start(struct netlink_callback *cb);
int knp_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int knp_get_done(struct netlink_callback *cb);
int knp_counters_start(struct netlink_callback *cb);
int knp_counters_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int knp_explain_doit(struct sk_buff *skb, struct genl_info *info);

/**
 * knp_netlink_events_close() - no event is sent from here on
 *
 * Waits for those that are being sent.
 */
void knp_netlink_events_close(void);

#endif /* KNP_NETLINK_OPS_H */
