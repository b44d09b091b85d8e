/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interfaces of this network namespace, as the kernel tells them: which
 * there are, and which of them lead to pods.
 *
 * Routed CNI plugins (Azure's transparent mode, ptp of kindnet, Calico, ...)
 * give each pod a veth pair, and the node a route of one address to its end.
 * Others (bridge, Azure's bridge and tunnel modes) make that veth the port of a
 * bridge. So an interface leads to a pod if
 *   - it is a veth whose other end is in another network namespace,
 *   - a route of a single address leads there directly, or it is the port of a
 *     bridge, and
 *   - no default route does: that is how a node in a container has its uplink.
 * Names say nothing. Other containers that this node may have on a bridge count
 * as pods; policies do not select them.
 *
 * What changes is read anew as a whole, at most every LINKS_MS: a few hundred
 * links and routes are read in a millisecond or two, and pods do not start more
 * often. Routes with a gateway, which routing daemons announce by the thousand,
 * are not looked at when they come and go.
 *
 * Needs no privilege. Context: one event loop.
 */
#ifndef KNP_LINKS_H
#define KNP_LINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store.h"

struct event_base;
struct nlattr;
struct knp_links;

/**
 * struct knp_links_view - the interfaces at one time
 * @all: indexes, ascending
 * @pods: those that lead to pods, ascending
 * @bounds: the addresses to which they lead
 */
struct knp_links_view {
	uint32_t *all;
	size_t nall;
	uint32_t *pods;
	size_t npods;
	struct knp_bound *bounds;
	size_t nbounds;
};

/* Read them. Return 0 or -errno; to knp_links_clear() @ret. */
int knp_links_read(struct knp_links_view *ret);
void knp_links_clear(struct knp_links_view *view);

/*
 * Have @changed called when they may be others, from the event loop. Return 0
 * or -errno; to knp_links_close(), which accepts NULL.
 */
int knp_links_open(struct event_base *base, void (*changed)(void *arg),
		   void *arg, struct knp_links **ret);
void knp_links_close(struct knp_links *l);

/* Whether a link, by its IFLA_LINKINFO (may be NULL), is the port of a bridge. */
bool knp_links_is_port(const struct nlattr *linkinfo);

#endif /* KNP_LINKS_H */
