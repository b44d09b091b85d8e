/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node: what knpd learns here and not from its source of objects. It
 * follows the interfaces, listens to knp-cni if that is asked for, and brings
 * both into the store (local.h).
 *
 *   kernel ── links ──┐
 *                     ├──► local ──► store
 *   knp-cni ─ server ─┘
 *
 * Context: one event loop; the callbacks come from it, and must not close it.
 */
#ifndef KNP_NODE_H
#define KNP_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

struct event_base;
struct knp_node;

/**
 * struct knp_node_ops - what is asked of knpd
 * @changed: enforce what the store says, at once if that is possible
 * @held_up: why the kernel does not hold what the store says, one line; NULL if
 *	it does
 * @generation: the kernel's
 */
struct knp_node_ops {
	void (*changed)(void *arg);
	const char *(*held_up)(void *arg);
	uint64_t (*generation)(void *arg);
};

/**
 * struct knp_node_options - what to do
 * @name: of the node
 * @dir: the runtime folder
 * @cni: use the bindings that are there
 * @listen: and follow what changes: interfaces, and what knp-cni says
 */
struct knp_node_options {
	const char *name;
	const char *dir;
	bool cni;
	bool listen;
};

/*
 * Open it. Of what is missing, only a socket for knp-cni is an error; the rest
 * is logged. Return 0 or -errno. @store, @options and @ops must outlive it.
 */
int knp_node_open(struct event_base *base, struct knp_store *store,
		  const struct knp_node_options *options,
		  const struct knp_node_ops *ops, void *arg,
		  struct knp_node **ret);

/* The kernel holds what the store says. */
void knp_node_enforced(struct knp_node *n);

/* Accepts NULL. */
void knp_node_close(struct knp_node *n);

#endif /* KNP_NODE_H */
