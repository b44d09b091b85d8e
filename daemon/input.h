/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where objects come from: a folder (dir.h) or an API server (kube.h), with
 * one face, so that nobody else needs to know which.
 *
 * Context: all callbacks come from the event loop, never from within a
 * knp_input_open_*(). A callback must not call knp_input_close().
 */
#ifndef KNP_INPUT_H
#define KNP_INPUT_H

#include <stdint.h>

#include "faults.h"
#include "kube.h"
#include "store.h"

struct event_base;
struct json_object;
struct knp_input;

/** struct knp_input_ops - what the user of an input is told */
struct knp_input_ops {
	/* All was read once, whether or not there is anything; a batch. */
	void (*changed)(void *arg);
	void (*fault)(void *arg, const struct knp_fault *fault);
	/* Faults were withdrawn. */
	void (*healed)(void *arg);
	/* What knp_input_waiting() or knp_input_json() say is new. */
	void (*state)(void *arg);
	/* Versions are new, whether or not objects are; may be NULL. */
	void (*version)(void *arg);
};

/* As knp_dir_open() and knp_kube_open(), with their errors. */
int knp_input_open_dir(struct event_base *base, const char *path,
		       struct knp_store *store, const struct knp_input_ops *ops,
		       void *arg, struct knp_input **ret);
int knp_input_open_kube(struct event_base *base,
			const struct knp_kube_config *config,
			const struct knp_kube_options *options,
			struct knp_store *store,
			const struct knp_input_ops *ops, void *arg,
			struct knp_input **ret);

/* Stop. The store keeps what it has. Accepts NULL. */
void knp_input_close(struct knp_input *in);

/*
 * When the batch that changed() reports began, CLOCK_MONOTONIC in ns; 0 if it
 * is all there is.
 */
int64_t knp_input_since(const struct knp_input *in);

/* Read everything again. */
void knp_input_rescan(struct knp_input *in);

/* The faults that hold now. */
const struct knp_faults *knp_input_faults(const struct knp_input *in);

/*
 * What is being waited for, one line, and @since when (monotonic ms); NULL if
 * nothing is. Valid until the next turn of the loop.
 */
const char *knp_input_waiting(struct knp_input *in, int64_t *since);

/*
 * When all objects were last known to be current, monotonic ms; 0 if never, or
 * if they always are.
 */
int64_t knp_input_current(const struct knp_input *in);

/* The API server that is followed, NULL for a folder. */
const struct knp_kube *knp_input_kube(const struct knp_input *in);

/* The store, as it is, is enforced: its versions are those that are told. */
void knp_input_enforced(struct knp_input *in);

/*
 * For status.json, see status.h: what it is and how it is doing. NULL if out
 * of memory.
 */
struct json_object *knp_input_json(const struct knp_input *in);

#endif /* KNP_INPUT_H */
