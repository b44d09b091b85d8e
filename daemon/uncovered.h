/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What passes around the hooks of netfilter, where the kernel tells: then the
 * verdict about it is somebody else's, and the operator has to know.
 *
 *   - XDP programs, and BPF programs of tc (clsact, tcx): what they redirect
 *     goes from interface to interface. What they do cannot be told, so each is
 *     named.
 *   - flowtables: a connection that was offloaded passes no later hook.
 *   - bridges with pods' ports, where neither knp is attached to bridges nor
 *     br_netfilter shows their frames.
 *   - addresses of this node's pods that are not routed to a pod's interface:
 *     macvlan, ipvlan and SR-IOV have none here. An address is named when it is
 *     found so twice, since interfaces and objects come and go one by one.
 *   - all of it, if there are pods here and none of the source's is on a node of
 *     this name: then knpd was given another than the kubelet has.
 *
 * Looked at every five seconds; of a few hundred pods in some milliseconds.
 * What the kernel refuses to tell is taken for absent.
 *
 * Context: one event loop.
 */
#ifndef KNP_UNCOVERED_H
#define KNP_UNCOVERED_H

#include <stdbool.h>
#include <stddef.h>

#include "store.h"

struct event_base;
struct knp_uncovered;

/** enum knp_uncovered_kind - what passes around */
enum knp_uncovered_kind {
	KNP_UNCOVERED_XDP,
	KNP_UNCOVERED_TC,	/* classic filters, and links (tcx) */
	KNP_UNCOVERED_FLOWTABLE,
	KNP_UNCOVERED_BRIDGE,
	KNP_UNCOVERED_ADDRESS,
	KNP_UNCOVERED_NODE,
	KNP_UNCOVERED_KINDS,
};

/**
 * struct knp_uncovered_options - where to look
 * @store: its interfaces are those of pods
 * @node: whose pods are here
 * @bridges: knp is attached to bridges
 */
struct knp_uncovered_options {
	const struct knp_store *store;
	const char *node;
	bool bridges;
};

/*
 * Look from now on; @changed is called from the event loop when what
 * was found has changed. What @options points to must outlive it. Return 0 or
 * -ENOMEM; to knp_uncovered_close(), which accepts NULL.
 */
int knp_uncovered_open(struct event_base *base,
		       const struct knp_uncovered_options *options,
		       void (*changed)(void *arg), void *arg,
		       struct knp_uncovered **ret);
void knp_uncovered_close(struct knp_uncovered *u);

/* What was found, one line each, valid until the next event. Accepts NULL. */
size_t knp_uncovered_lines(const struct knp_uncovered *u,
			   const char *const **ret);

/* How many of them are of one kind. Accepts NULL. */
size_t knp_uncovered_count(const struct knp_uncovered *u,
			   enum knp_uncovered_kind kind);

/*
 * Whether br_netfilter, whose sysctls are in @dir, shows what bridges forward to
 * the hooks of IP, IPv4 and IPv6.
 */
bool knp_uncovered_shows(const char *dir);

/* A word for a kind. */
const char *knp_uncovered_name(enum knp_uncovered_kind kind);

#endif /* KNP_UNCOVERED_H */
