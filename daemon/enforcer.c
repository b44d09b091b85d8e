// SPDX-License-Identifier: Apache-2.0
#include "enforcer.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live.h"
#include "log.h"

/**
 * struct knp_enforcer - the state
 * @live: NULL: to be made with the next run
 * @troubles: what does not fit
 */
struct knp_enforcer {
	struct knp_store *store;
	char *node;
	struct knp_push *push;
	struct knp_names_log *names;
	struct knp_live *live;
	struct knp_troubles troubles;
	char error[512];
};

int knp_enforcer_new(struct knp_store *store, const char *node,
		     struct knp_push *push, struct knp_names_log *names,
		     struct knp_enforcer **ret)
{
	struct knp_enforcer *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->store = store;
	e->push = push;
	e->names = names;
	e->node = strdup(node);
	if (!e->node) {
		free(e);
		return -ENOMEM;
	}
	*ret = e;
	return 0;
}

void knp_enforcer_free(struct knp_enforcer *e)
{
	if (!e)
		return;
	knp_live_free(e->live);
	knp_troubles_clear(&e->troubles);
	free(e->node);
	free(e);
}

const char *knp_enforcer_error(const struct knp_enforcer *e)
{
	return e->error;
}

const struct knp_troubles *knp_enforcer_troubles(const struct knp_enforcer *e)
{
	return &e->troubles;
}

static int failed(struct knp_enforcer *e, int err, const char *what)
{
	snprintf(e->error, sizeof(e->error), "%s", what);
	return err;
}

static int cannot_compile(struct knp_enforcer *e, int err)
{
	snprintf(e->error, sizeof(e->error), "cannot compile: %s",
		 strerror(-err));
	return err;
}

static void drop_live(struct knp_enforcer *e)
{
	knp_live_free(e->live);
	e->live = NULL;
}

/* Names that cannot be written are missed by people, not by packets. */
static void stamp(struct knp_enforcer *e, const struct knp_push_result *res,
		  int err)
{
	if (err)
		knp_names_log_forget(e->names);
	else
		err = knp_names_log_stamp(e->names, res->generation);
	if (err)
		knp_log(KNP_LOG_WARNING, "cannot write the names: %s",
			strerror(-err));
}

static void write_names(struct knp_enforcer *e,
			const struct knp_push_result *res)
{
	knp_names_log_reset(e->names, res->instance);
	stamp(e, res, knp_live_names(e->live, e->names));
}

static void log_troubles(const struct knp_troubles *troubles)
{
	for (size_t i = 0; i < troubles->n; i++)
		knp_log(KNP_LOG_WARNING, "%s", troubles->v[i].text);
}

static bool same_troubles(const struct knp_troubles *a,
			  const struct knp_troubles *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->v[i].text, b->v[i].text))
			return false;
	return true;
}

/* They hold now; said once. */
static void take_troubles(struct knp_enforcer *e, struct knp_troubles *now)
{
	if (!same_troubles(now, &e->troubles))
		log_troubles(now);
	knp_troubles_clear(&e->troubles);
	e->troubles = *now;
}

/* Something has to be left out: which, is the compiler's decision. */
static int run_compiler(struct knp_enforcer *e, void *ctx,
			struct knp_push_result *ret)
{
	struct knp_troubles troubles = { 0 };
	struct knp_ruleset *rs;
	int err;

	err = knp_compile(e->store, e->node, &rs, &troubles);
	if (err) {
		knp_troubles_clear(&troubles);
		return cannot_compile(e, err);
	}
	take_troubles(e, &troubles);

	err = knp_push_apply(e->push, ctx, rs, ret);
	if (err)
		return failed(e, err, knp_push_error(e->push));
	err = knp_names_log_ruleset(e->names, knp_push_mirror(e->push),
				    ret->instance, ret->generation);
	if (err)
		knp_log(KNP_LOG_WARNING, "cannot write the names: %s",
			strerror(-err));
	return 0;
}

static int send_whole(struct knp_enforcer *e, void *ctx,
		      struct knp_push_result *ret)
{
	struct knp_ruleset *rs;
	int err;

	err = knp_live_ruleset(e->live, &rs);
	if (err)
		return cannot_compile(e, err);
	err = knp_push_apply(e->push, ctx, rs, ret);
	if (err)
		return failed(e, err, knp_push_error(e->push));
	/* Should that fail, the next run sends the whole again. */
	if (knp_live_adopt(e->live, knp_push_mirror(e->push)))
		drop_live(e);
	knp_push_drop_mirror(e->push);
	if (e->live)
		write_names(e, ret);
	/* What was read from the kernel, and compared, may have been large. */
	malloc_trim(0);
	return 0;
}

static int send_changes(struct knp_enforcer *e, void *ctx,
			struct knp_push_result *ret)
{
	bool whole = knp_names_log_needs_reset(e->names);
	struct knp_diff *diff;
	int err;

	err = knp_live_diff(e->live, &diff);
	if (err)
		return cannot_compile(e, err);
	err = knp_push_send(e->push, ctx, diff, ret);
	knp_diff_free(diff);
	if (err) {
		knp_live_forget(e->live);
		return failed(e, err, knp_push_error(e->push));
	}
	if (whole)
		write_names(e, ret);
	else
		stamp(e, ret, knp_live_new_names(e->live, e->names));
	knp_live_confirm(e->live);
	return 0;
}

static bool mirror_name(const struct knp_ruleset *rs, uint32_t table,
			uint32_t id, struct knp_enforced_name *ret)
{
	const struct knp_rec_rule *rule = NULL;
	const struct knp_rec_set *set = NULL;

	if (table == KNP_TABLE_SET)
		set = knp_recs_find(&rs->sets, id);
	else
		rule = knp_recs_find(&rs->rules, id);
	if (!set && !rule)
		return false;

	memcpy(ret->tag, set ? set->tag : rule->tag, KNP_TAG_LEN);
	ret->text = knp_ruleset_name(rs, ret->tag);
	if (!ret->text)
		return false;
	if (set)
		ret->direction = set->direction;
	else
		ret->direction = strstr(ret->text, " ingress[") ? KNP_INGRESS :
								  KNP_EGRESS;
	return true;
}

static int update(struct knp_enforcer *e)
{
	struct knp_troubles troubles = { 0 };
	int err = 0;

	if (!e->live)
		err = knp_live_new(e->store, e->node, &knp_limits, &e->live);
	if (!err)
		err = knp_live_update(e->live);
	if (!err)
		err = knp_live_troubles(e->live, &troubles);
	if (err) {
		knp_troubles_clear(&troubles);
		drop_live(e);
		return err;
	}
	take_troubles(e, &troubles);
	return 0;
}

bool knp_enforcer_names(const struct knp_enforcer *e)
{
	return (e->live && knp_live_known(e->live)) ||
	       knp_push_mirror(e->push);
}

bool knp_enforcer_name(struct knp_enforcer *e, uint32_t table, uint32_t id,
		       struct knp_enforced_name *ret)
{
	const struct knp_ruleset *rs = knp_push_mirror(e->push);

	if (e->live && knp_live_known(e->live))
		return knp_live_name(e->live, table, id, &ret->text, ret->tag,
				     &ret->direction);
	return rs && mirror_name(rs, table, id, ret);
}

void knp_enforcer_resync(struct knp_enforcer *e)
{
	drop_live(e);
}

int knp_enforcer_run(struct knp_enforcer *e, void *ctx,
		     struct knp_push_result *ret)
{
	int err;

	err = update(e);
	if (err == -E2BIG)
		return run_compiler(e, ctx, ret);
	if (err)
		return cannot_compile(e, err);

	if (knp_live_known(e->live)) {
		err = send_changes(e, ctx, ret);
		if (!knp_push_transient(err))
			return err;
	}
	return send_whole(e, ctx, ret);
}
