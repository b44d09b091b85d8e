// SPDX-License-Identifier: Apache-2.0
#include "goal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "event_filter.h"
#include "json_member.h"
#include "kube_reflect.h"

/* struct reason - where to say what is missing */
struct reason {
	char *text;
	size_t size;
};

__attribute__((format(printf, 2, 3)))
static enum knp_goal_state waiting(const struct reason *why,
				   const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why->text, why->size, format, args);
	va_end(args);
	return KNP_GOAL_WAITING;
}

/* What knpd says is about the tables that there are. */
static enum knp_goal_state check_daemon(const struct knp_goal_view *v,
					const struct reason *why)
{
	const char *of = knp_json_text(v->status, "instance");
	char instance[17];

	if (!v->status || !v->running)
		return waiting(why, "no knpd is running");

	snprintf(instance, sizeof(instance), "%016" PRIx64, v->info->instance);
	if (!of || strcmp(of, instance) ||
	    knp_json_number(v->status, "generation") > v->info->generation)
		return waiting(why, "the kernel is at generation %" PRIu64 ", knpd at %" PRIu64 " of %s",
			       v->info->generation,
			       knp_json_number(v->status, "generation"),
			       of && !strcmp(of, instance) ? "the same module" :
			       "another module");
	return KNP_GOAL_REACHED;
}

static enum knp_goal_state check_synced(const struct knp_goal *g,
					const struct knp_goal_view *v,
					const struct reason *why)
{
	const char *state = knp_json_text(v->status, "state");
	const char *error = knp_json_text(v->status, "error");
	uint64_t generation = knp_json_number(v->status, "generation");
	uint64_t batches = knp_json_number(v->status, "enforced_batches");

	if (!state || strcmp(state, "synced"))
		return waiting(why, "knpd is %s: %s", state ? state : "?",
			       error ? error : "");
	if (generation != v->info->generation)
		return waiting(why, "the kernel is at generation %" PRIu64 ", knpd at %" PRIu64,
			       v->info->generation, generation);
	if (batches < g->batch)
		return waiting(why, "knpd has enforced %" PRIu64 " batches",
			       batches);
	return KNP_GOAL_REACHED;
}

static const char *resource_of(enum knp_goal_kind kind)
{
	switch (kind) {
	case KNP_GOAL_POLICY:
		return "networkpolicies";
	case KNP_GOAL_POD:
		return "pods";
	case KNP_GOAL_NONE:
		break;
	}
	return NULL;
}

/* Versions that are no numbers can only be told to be the same. */
static bool is_reached(const char *enforced, const char *version)
{
	int order;

	if (knp_version_compare(enforced, version, &order))
		return order >= 0;
	return !strcmp(enforced, version);
}

static enum knp_goal_state check_resource(struct json_object *resource,
					  const char *version,
					  const struct reason *why)
{
	const char *enforced = knp_json_text(resource,
					     "enforced_resource_version");

	if (!enforced)
		return waiting(why, "no version of %s is enforced",
			       knp_json_text(resource, "resource"));
	if (is_reached(enforced, version))
		return KNP_GOAL_REACHED;
	return waiting(why, "%s are enforced up to version %s",
		       knp_json_text(resource, "resource"), enforced);
}

static enum knp_goal_state check_version(const struct knp_goal *g,
					 const struct knp_goal_view *v,
					 const struct reason *why)
{
	struct json_object *source = knp_json_member(v->status, "source");
	struct json_object *resources = knp_json_member(source, "resources");
	const char *wanted = resource_of(g->kind);
	enum knp_goal_state state = KNP_GOAL_REACHED;
	struct json_object *resource;
	const char *name;

	if (!json_object_is_type(resources, json_type_array)) {
		waiting(why, "knpd follows a folder: its objects have no resourceVersion");
		return KNP_GOAL_NEVER;
	}

	for (size_t i = 0; !state && i < json_object_array_length(resources);
	     i++) {
		resource = json_object_array_get_idx(resources, i);
		name = knp_json_text(resource, "resource");
		if (!name || (wanted && strcmp(name, wanted)))
			continue;
		state = check_resource(resource, g->version, why);
	}
	return state;
}

static bool has_policy(const struct knp_goal_view *v, const char *name)
{
	const struct knp_rec_set *set = v->rs->sets.v;

	for (size_t i = 0; i < v->rs->sets.n; i++)
		if (knp_list_has(knp_names_tag(v->names, set[i].tag), name))
			return true;
	return false;
}

bool knp_goal_present(const struct knp_goal *g, const struct knp_goal_view *v)
{
	if (g->kind == KNP_GOAL_POLICY)
		return has_policy(v, g->name);
	return knp_names_pod(v->names, g->name, NULL);
}

static enum knp_goal_state check_object(const struct knp_goal *g,
					const struct knp_goal_view *v,
					const struct reason *why)
{
	/* Without a generation there is nothing that could have names. */
	if (v->info->generation && !v->names)
		return waiting(why, "there are no names of generation %" PRIu64,
			       v->info->generation);
	if (knp_goal_present(g, v) != g->gone)
		return KNP_GOAL_REACHED;
	if (g->gone)
		return waiting(why, "it is there at generation %" PRIu64,
			       v->info->generation);
	if (g->version)
		return KNP_GOAL_REACHED;
	return waiting(why, g->kind == KNP_GOAL_POLICY ?
		       "it isolates no pod of this node at generation %" PRIu64 :
		       "no address of it is known at generation %" PRIu64,
		       v->info->generation);
}

enum knp_goal_state knp_goal_check(const struct knp_goal *g,
				   const struct knp_goal_view *v, char *why,
				   size_t size)
{
	const struct reason reason = { why, size };
	enum knp_goal_state state = KNP_GOAL_REACHED;

	if (v->info->generation < g->generation)
		return waiting(&reason, "the kernel is at generation %" PRIu64,
			       v->info->generation);
	if (g->synced || g->version)
		state = check_daemon(v, &reason);
	if (!state && g->synced)
		state = check_synced(g, v, &reason);
	if (!state && g->version)
		state = check_version(g, v, &reason);
	if (!state && g->kind)
		state = check_object(g, v, &reason);
	if (!state && !g->gone && !v->info->families &&
	    (g->synced || g->version || g->kind))
		state = waiting(&reason, "knp is detached");
	return state;
}
