// SPDX-License-Identifier: Apache-2.0
#include "restore.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "state_file.h"

/**
 * struct restoring - one call
 * @state: what the file holds
 * @usable: its settings may be used
 * @again: what failed is no fault of the file: it is only to be tried again
 * @closed: what it is to be called if not all of it may be
 * @why: why not, to stand behind the name of the file
 */
struct restoring {
	const struct knp_push_ops *ops;
	void *ctx;
	const struct knp_restore_from *from;
	struct knp_state state;
	bool usable;
	bool again;
	enum knp_restore_end closed;
	char why[KNP_STATE_WHY + KNP_STATE_NODE_LEN];
	struct knp_restored *ret;
};

__attribute__((format(printf, 3, 4)))
static int end(struct restoring *r, enum knp_restore_end how,
	       const char *format, ...)
{
	va_list args;

	r->ret->end = how;
	va_start(args, format);
	vsnprintf(r->ret->text, sizeof(r->ret->text), format, args);
	va_end(args);
	return 0;
}

/* The words come before another call overwrites them. */
static int failed(struct restoring *r, int err, const char *what)
{
	const char *text = r->ops->text(r->ctx);

	snprintf(r->ret->text, sizeof(r->ret->text), "%s: %s%s%s", what,
		 strerror(-err), *text ? ": " : "", text);
	return err;
}

static struct knp_config settings_of(const struct knp_info *info)
{
	return (struct knp_config){
		.mode = info->mode,
		.dflt = info->dflt,
		.unknown_local = info->unknown_local,
		.event_rate = info->event_rate,
		.encap = info->encap,
		.node_egress = info->node_egress,
		.lb_probes = info->lb_probes,
		.node_allow = &info->node_allow,
	};
}

/* One by one: a family that the kernel has no more must not open the others. */
static int attach(struct restoring *r, uint32_t families)
{
	int err, first = 0;

	for (uint32_t bit = 1; bit && bit <= families; bit <<= 1) {
		if (!(families & bit))
			continue;
		err = r->ops->attach(r->ctx, bit);
		if (err && !first)
			first = failed(r, err, "attach");
	}
	return first;
}

static int put_all(struct restoring *r, const struct knp_diff *d)
{
	int err = 0;

	for (size_t i = 0; !err && i < d->nops; i++)
		err = r->ops->write(r->ctx, &d->ops[i]);
	return err ? failed(r, err, "put") : 0;
}

/* The hooks drop until there are tables: none judges by less than the whole. */
static int attach_closed(struct restoring *r)
{
	struct knp_config settings = settings_of(&r->state.info);
	int err;

	settings.dflt = KNP_DROP;
	err = r->ops->config(r->ctx, &settings);
	if (err)
		return err;
	err = attach(r, r->state.info.families);
	r->again = err;
	return err;
}

/*
 * The commit is the last step that counts: whoever finds a generation finds its
 * hooks, too, and where this is killed before it all of it is done again.
 */
static int commit_all(struct restoring *r, const struct knp_diff *d)
{
	int err = r->ops->begin(r->ctx, 0);

	if (err)
		return err;
	err = put_all(r, d);
	if (!err)
		err = attach_closed(r);
	if (!err)
		return r->ops->commit(r->ctx, d->count, &r->ret->generation);
	r->ops->abort(r->ctx);
	return err;
}

/* With tables it does not count any more, and is only to be what it was. */
static int set_default(struct restoring *r)
{
	struct knp_config settings = KNP_CONFIG_NONE;
	int err;

	settings.dflt = r->state.info.dflt;
	err = r->ops->config(r->ctx, &settings);
	r->again = err;
	return err ? failed(r, err, "set default") : 0;
}

static int restore_whole(struct restoring *r)
{
	struct knp_ruleset *nothing = knp_ruleset_new();
	struct knp_diff *d = NULL;
	int err;

	err = nothing ? knp_ruleset_diff(nothing, r->state.rs, &d) : -ENOMEM;
	if (!err)
		err = commit_all(r, d);
	if (!err)
		err = set_default(r);
	knp_diff_free(d);
	knp_ruleset_free(nothing);
	return err;
}

/* Closed first: settings that are refused must not leave it open. */
static int close_default(struct restoring *r)
{
	struct knp_config settings = KNP_CONFIG_NONE;
	int err;

	settings.dflt = KNP_DROP;
	err = r->ops->config(r->ctx, &settings);
	if (err)
		return failed(r, err, "set default=drop");
	if (!r->usable)
		return 0;

	settings = settings_of(&r->state.info);
	settings.dflt = KNP_DROP;
	err = r->ops->config(r->ctx, &settings);
	if (!err)
		return 0;
	r->closed = KNP_RESTORE_REFUSED;
	snprintf(r->why, sizeof(r->why), "has settings that are refused (%s)",
		 strerror(-err));
	return 0;
}

static int restore_closed(struct restoring *r)
{
	uint32_t families = r->usable ? r->state.info.families :
					r->from->families;
	bool audit = r->usable && r->state.info.mode == KNP_MODE_AUDIT;
	int err;

	err = close_default(r);
	if (err)
		return err;
	err = attach(r, families);
	if (err)
		return err;

	if (r->usable && !families)
		return end(r, r->closed,
			   "%s %s, and says that knp was detached: it stays so, nothing is judged",
			   r->from->path, r->why);
	return end(r, r->closed,
		   "%s %s: no packet passes through this node until the first generation%s; the node's own pass",
		   r->from->path, r->why,
		   audit ? " (but mode is audit: all do)" : "");
}

/* What was before, in words; "" where clocks do not agree. */
static const char *age(int64_t saved, char buf[48])
{
	int64_t now = time(NULL);

	buf[0] = '\0';
	if (now >= saved)
		snprintf(buf, 48, ", saved %" PRId64 " s ago", now - saved);
	return buf;
}

static bool is_here(struct restoring *r)
{
	struct knp_boot now;

	knp_boot_read(&now);
	if (!now.id[0] || strcmp(r->state.boot.id, now.id))
		snprintf(r->why, sizeof(r->why), "is of another boot");
	else if (r->state.boot.netns != now.netns)
		snprintf(r->why, sizeof(r->why),
			 "is of another network namespace");
	else
		return true;
	r->closed = KNP_RESTORE_CLOSED;
	return false;
}

static int restore_here(struct restoring *r)
{
	char buf[48];
	int err;

	err = restore_whole(r);
	if (!err)
		return end(r, KNP_RESTORE_WHOLE,
			   "%s: all of generation %" PRIu64 " is back as generation %" PRIu64 "%s",
			   r->from->path, r->state.info.generation,
			   r->ret->generation, age(r->state.saved, buf));
	if (r->again)
		return err;
	/* Somebody else writes: what he commits counts, and he may still fail. */
	if (knp_push_transient(err))
		return failed(r, err, "begin");
	snprintf(r->why, sizeof(r->why), "cannot be restored (%s)",
		 strerror(-err));
	return restore_closed(r);
}

static bool is_ours(struct restoring *r)
{
	const char *node = r->from->node;

	if (!node || !strcmp(r->state.node, node))
		return true;
	snprintf(r->why, sizeof(r->why), "is of another node, %s",
		 r->state.node);
	return false;
}

static int restore(struct restoring *r)
{
	char why[KNP_STATE_WHY];
	int err;

	err = knp_state_file_read(r->from->path, &r->state, why);
	if (err == -ENOENT)
		return end(r, KNP_RESTORE_NOTHING,
			   "no %s: packets pass until the first generation",
			   r->from->path);
	if (err) {
		memcpy(r->why, why, sizeof(why));
		return restore_closed(r);
	}
	r->usable = is_ours(r);
	err = r->usable && is_here(r) ? restore_here(r) : restore_closed(r);
	knp_state_clear(&r->state);
	return err;
}

int knp_restore(const struct knp_push_ops *ops, void *ctx,
		const struct knp_restore_from *from, struct knp_restored *ret)
{
	struct restoring r = {
		.ops = ops,
		.ctx = ctx,
		.from = from,
		.closed = KNP_RESTORE_REFUSED,
		.ret = ret,
	};
	struct knp_info info;
	int err;

	*ret = (struct knp_restored){ 0 };
	err = ops->info(ctx, &info);
	if (err)
		return failed(&r, err, "info");
	if (info.generation) {
		ret->generation = info.generation;
		return end(&r, KNP_RESTORE_THERE,
			   "the kernel has generation %" PRIu64 ": nothing to restore",
			   info.generation);
	}
	return restore(&r);
}
