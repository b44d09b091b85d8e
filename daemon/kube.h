/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API server as a source: Namespaces, Pods and NetworkPolicies, listed and
 * watched, kept in a store.
 *
 * What is in the store follows the server:
 *   - while it is away, or says things that make no sense, all stays;
 *   - a list replaces the objects of its resource at once when it is complete;
 *   - of an object that is refused what remains of it counts (decode.h); if
 *     nothing does, it keeps its last good version; that is a fault, told once
 *     per content, until a good version or its deletion arrives;
 *   - nothing is announced before all three resources were listed once.
 *
 * Everything that arrives in one turn of the loop is one batch.
 *
 * Context: all callbacks come from the event loop, never from within
 * knp_kube_open(). A callback must not call knp_kube_close().
 */
#ifndef KNP_KUBE_H
#define KNP_KUBE_H

#include <stdint.h>

#include "decode.h"
#include "faults.h"
#include "kube_config.h"
#include "store.h"

struct event_base;
struct knp_kube;
struct knp_reflect;

#define KNP_KUBE_RESOURCES	3
#define KNP_START_SPREAD_MS	5000

/**
 * struct knp_kube_options - how to ask
 * @spread_ms: the first requests are sent within this time, so that daemons
 *	that start together do not ask together
 * @idle_ms: how long a watch may be silent; 0 for KNP_IDLE_MS
 */
struct knp_kube_options {
	int64_t spread_ms;
	int64_t idle_ms;
};

/** struct knp_kube_ops - @changed is required */
struct knp_kube_ops {
	/* Every resource was listed, or a batch changed the store. */
	void (*changed)(void *arg);
	void (*fault)(void *arg, const struct knp_fault *fault);
	/* Faults were withdrawn. */
	void (*healed)(void *arg);
	/* What knp_kube_waiting() says, or a resource's state, is new. */
	void (*state)(void *arg);
	/* The version of a resource is new, whether or not its objects are. */
	void (*version)(void *arg);
};

/**
 * knp_kube_open() - start to follow an API server
 * @base: the event loop
 * @config: where; must outlive the source
 * @options: how
 * @store: filled by the loop; nobody else changes it
 * @ops: callbacks, must outlive the source
 * @arg: for them
 * @ret: the source, to knp_kube_close()
 *
 * That the server cannot be reached is no error.
 *
 * Return: 0 or -ENOMEM.
 */
int knp_kube_open(struct event_base *base, const struct knp_kube_config *config,
		  const struct knp_kube_options *options,
		  struct knp_store *store, const struct knp_kube_ops *ops,
		  void *arg, struct knp_kube **ret);

/*
 * When the first byte of the batch that changed() reports was read,
 * CLOCK_MONOTONIC in ns; 0 for the first lists.
 */
int64_t knp_kube_since(const struct knp_kube *k);

/* List everything again. */
void knp_kube_relist(struct knp_kube *k);

/* The faults that hold now; their file is the resource. */
const struct knp_faults *knp_kube_faults(const struct knp_kube *k);

/* The state of one resource, 0 <= @i < KNP_KUBE_RESOURCES; read-only. */
const struct knp_reflect *knp_kube_resource_at(const struct knp_kube *k,
					       unsigned int i);

/* The store, as it is, is enforced: remember the versions of the resources. */
void knp_kube_enforced(struct knp_kube *k);

/* The version of one resource that was enforced last, "" before the first. */
const char *knp_kube_enforced_at(const struct knp_kube *k, unsigned int i);

/* How many objects of a resource there are. */
size_t knp_kube_count(const struct knp_kube *k, enum knp_kind kind);

/**
 * knp_kube_waiting() - what is being waited for
 * @since: set to since when, monotonic ms
 *
 * Return: one line, valid until the next turn of the loop; NULL if all is well.
 */
const char *knp_kube_waiting(struct knp_kube *k, int64_t *since);

/*
 * When the least recent resource was last known to be current, monotonic ms;
 * 0 if not all were listed.
 */
int64_t knp_kube_current(const struct knp_kube *k);

/* Stop. The store keeps what it has. Accepts NULL. */
void knp_kube_close(struct knp_kube *k);

#endif /* KNP_KUBE_H */
