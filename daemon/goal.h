/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `knpctl wait` waits for, and whether it is there. PURE: what the kernel
 * and the runtime folder say is handed in.
 *
 * What is enforced is the kernel's to say: an object is there if the tables of
 * the kernel's generation have it, by the names that knpd left for just that
 * generation. knpd is believed only about what the kernel cannot know: how far
 * it has come with its source (status.h), and that only for the instance of the
 * module that is loaded and a generation that the kernel has reached.
 */
#ifndef KNP_GOAL_H
#define KNP_GOAL_H

#include <stdbool.h>
#include <stddef.h>

#include "names.h"
#include "ruleset.h"
#include "wire.h"

struct json_object;

/** enum knp_goal_kind - of the object that is waited for */
enum knp_goal_kind {
	KNP_GOAL_NONE,
	KNP_GOAL_POLICY,
	KNP_GOAL_POD,
};

/**
 * struct knp_goal - all conditions that are set must hold
 * @generation: the kernel has this one or a later one
 * @synced: all that knpd has seen is enforced; and hooks are attached
 * @batch: and it has seen so many batches of changes
 * @kind: with @name, "ns/name": the policy isolates a pod of this node, or the
 *	addresses of the pod are known
 * @gone: they do not, or are not
 * @version: a resourceVersion: all changes of the object's resource, or without
 *	one of all resources, up to it are enforced. An object may then have
 *	nothing to do with this node.
 */
struct knp_goal {
	uint64_t generation;
	bool synced;
	uint64_t batch;
	enum knp_goal_kind kind;
	const char *name;
	bool gone;
	const char *version;
};

/**
 * struct knp_goal_view - how things are
 * @info: of the module
 * @rs: its sets, if the goal is a policy
 * @names: of its instance and generation, NULL if there are none
 * @status: status.json of knpd, NULL if there is none
 * @running: a knpd is
 */
struct knp_goal_view {
	const struct knp_info *info;
	const struct knp_ruleset *rs;
	const struct knp_names *names;
	struct json_object *status;
	bool running;
};

/** enum knp_goal_state - how far it is */
enum knp_goal_state {
	KNP_GOAL_REACHED,
	KNP_GOAL_WAITING,
	KNP_GOAL_NEVER,		/* waiting is no use */
};

/* @why: what is missing, one line, unless it is reached; @size bytes. */
enum knp_goal_state knp_goal_check(const struct knp_goal *g,
				   const struct knp_goal_view *v, char *why,
				   size_t size);

/* Whether the object of the goal is in the tables. */
bool knp_goal_present(const struct knp_goal *g, const struct knp_goal_view *v);

#endif /* KNP_GOAL_H */
