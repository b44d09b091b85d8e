// SPDX-License-Identifier: Apache-2.0
/*
 * knpd: policies from a source, compiled, into the kernel.
 *
 *   API server or folder ─► store ─► enforcer ─► push ─► knp.ko
 *		knp-cni, links ─►
 *
 * One event loop. Whatever happens (a change at the source, a pod that is about
 * to start, the module's coming, a commit of somebody else, a retry) ends in
 * reconcile(), which makes the kernel hold what the store says; where it already
 * does, nothing is written. What failed waits for its next try (retry.h), whatever
 * changes until then. Nothing is pushed before all of the source was read once,
 * and nothing is removed when this process ends: the kernel goes on.
 *
 * After each success the names are written (names.h), then status.json is
 * replaced (status.h): at once, but not more often than STATUS_MS (VERSION_MS,
 * where the source has versions that changed nothing), and no more than one
 * success in LOG_MS is logged. Where there are a thousand changes a second, that
 * is where the time would go.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "clock.h"
#include "compile.h"
#include "enforcer.h"
#include "exporter.h"
#include "faults.h"
#include "genl.h"
#include "input.h"
#include "keeper.h"
#include "kept.h"
#include "log.h"
#include "names.h"
#include "node.h"
#include "node_name.h"
#include "null_backend.h"
#include "options.h"
#include "push.h"
#include "record.h"
#include "retry.h"
#include "runtime.h"
#include "status.h"
#include "store.h"
#include "taint.h"

#define RETRY_SOON_MS	100
#define STATUS_MS	100
#define VERSION_MS	1000
#define LOG_MS		1000

struct knpd {
	struct knp_options opt;
	char host[HOST_NAME_MAX + 1];
	struct event_base *base;
	struct event *sigterm, *sigint, *sighup, *retry, *readable, *write;
	struct knp_store *store;
	struct knp_input *input;
	struct knp_node *node;
	struct knp_node_options node_options;
	struct knp_uncovered *uncovered;	/* NULL: nobody looks */
	struct knp_kube_config config;
	struct knp_taint *taint;	/* NULL: there is none to be taken */
	bool waiting;			/* for the source, and it was said */
	char waited[640];		/* what for */
	struct knp_push *push;
	struct knp_names_log *names;
	struct knp_enforcer *enforcer;
	struct knp_keeper *keeper;	/* NULL: no state file */
	struct knp_exporter *exporter;	/* NULL: before start(), or a dry run */
	struct knp_null *null;		/* in place of the kernel */
	struct knp_genl *genl;		/* NULL: not connected */
	struct knp_watch *watch;
	int lock;
	int exit;

	bool scanned;			/* all was read once */
	bool wanted;			/* something may have to be pushed */
	struct knp_retry pause;		/* before the next try */
	int64_t since_ns;		/* of the oldest change not enforced */

	struct knp_daemon_status status;
	int64_t status_ns;		/* when it was written last */
	int64_t logged_ns;		/* when a success was logged last */
	uint64_t unlogged;		/* successes since then */
	uint32_t families;		/* that were attached when last seen */
};

static void write_status(struct knpd *d)
{
	int err;

	if (d->opt.dry_run || !d->input)
		return;

	event_del(d->write);
	d->status_ns = knp_now_ns();
	d->status.store_version = d->store->version;
	/* What has come since then has changed nothing. */
	if (d->status.enforced_batches &&
	    d->status.enforced_version == d->store->version)
		knp_input_enforced(d->input);
	err = knp_daemon_status_write(&d->status, d->opt.runtime_dir);
	if (err)
		knp_log(KNP_LOG_WARNING, "cannot write %s/%s: %s",
			d->opt.runtime_dir, KNP_STATUS_FILE, strerror(-err));
}

static void schedule(struct event *event, int ms)
{
	struct timeval tv = knp_timeval(ms);

	event_add(event, &tv);
}

static int64_t ms_since(int64_t ns)
{
	return (knp_now_ns() - ns) / 1000000;
}

/* Now, or as soon as it may be written again. */
static void write_status_soon(struct knpd *d)
{
	int64_t ms = ms_since(d->status_ns);

	if (ms >= STATUS_MS)
		write_status(d);
	else
		schedule(d->write, STATUS_MS - (int)ms);
}

static void disconnect(struct knpd *d)
{
	knp_genl_close(d->genl);
	d->genl = NULL;
}

/* Say what holds up, once as long as it is the same, and try again later. */
__attribute__((format(printf, 4, 5)))
static void hold(struct knpd *d, const char *state, int ms,
		 const char *format, ...)
{
	char text[sizeof(d->status.error)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);

	disconnect(d);
	d->wanted = true;
	d->status.state = state;
	if (strcmp(text, d->status.error)) {
		knp_log(KNP_LOG_ERR, "%s", text);
		memcpy(d->status.error, text, sizeof(text));
	}

	write_status(d);
	if (d->opt.once) {
		d->exit = 1;
		event_base_loopbreak(d->base);
		return;
	}

	schedule(d->retry, ms ? ms : knp_retry_next(&d->pause));
}

static bool connect_module(struct knpd *d)
{
	struct knp_info info;
	int err;

	if (d->genl || d->null)
		return true;

	err = knp_genl_open(&d->genl);
	/* Joined before the tables are read, so that no commit is missed. */
	if (!err)
		err = knp_watch_join(d->watch, KNP_MCGRP_COMMITS);
	if (!err)
		err = knp_genl_info(d->genl, &info);

	switch (err) {
	case 0:
		d->families = info.families;
		return true;
	case -ENOENT:
		hold(d, "waiting", 0, "%s", knp_genl_advice(err));
		return false;
	case -EPROTONOSUPPORT:
		hold(d, "failed", KNP_RETRY_LAST_MS, "%s", knp_genl_advice(err));
		return false;
	default:
		hold(d, "failed", 0, "cannot talk to knp.ko: %s",
		     knp_genl_advice(err));
		return false;
	}
}

static void log_enforced(struct knpd *d, const struct knp_push_result *res)
{
	enum knp_level level = KNP_LOG_INFO;
	char more[48] = "";

	if (!res->wrote) {
		knp_log(res->reread ? KNP_LOG_INFO : KNP_LOG_DEBUG,
			"generation %" PRIu64 " already holds this, nothing written",
			res->generation);
		return;
	}
	if (ms_since(d->logged_ns) < LOG_MS) {
		d->unlogged++;
		level = KNP_LOG_DEBUG;
	} else {
		if (d->unlogged)
			snprintf(more, sizeof(more),
				 ", %" PRIu64 " others before it", d->unlogged);
		d->unlogged = 0;
		d->logged_ns = knp_now_ns();
	}
	knp_log(level,
		"enforced generation %" PRIu64 " (%" PRId64 " us, +%" PRIu64 " -%" PRIu64 "%s)",
		res->generation, d->since_ns ? d->status.last_us : 0,
		res->puts, res->deletes, more);
}

static void enforced(struct knpd *d, const struct knp_push_result *res)
{
	d->status.last = *res;
	d->status.state = "synced";
	d->wanted = false;
	d->status.error[0] = '\0';
	knp_retry_reset(&d->pause);
	d->status.enforced_batches = d->status.batches;
	d->status.enforced_version = d->store->version;
	knp_input_enforced(d->input);
	d->status.commits += res->wrote;
	if (d->since_ns)
		d->status.last_us = (res->committed_ns - d->since_ns) / 1000;

	log_enforced(d, res);
	knp_keeper_touch(d->keeper);
	knp_exporter_enforced(d->exporter, res, d->since_ns);
	d->since_ns = 0;
	knp_node_enforced(d->node);
	knp_taint_take(d->taint);
	write_status_soon(d);
}

static void dry_run(struct knpd *d)
{
	struct knp_record record = { .out = stdout };
	struct knp_troubles troubles = { 0 };
	struct knp_push_result res;
	struct knp_ruleset *rs;
	int err;

	err = knp_compile(d->store, d->opt.node, &rs, &troubles);
	if (!err) {
		for (size_t i = 0; i < troubles.n; i++)
			knp_log(KNP_LOG_WARNING, "%s", troubles.v[i].text);
		if (knp_genl_open(&record.g))
			printf("# the module cannot be reached: compared with empty tables\n");
		record.names = rs;
		err = knp_push_apply(d->push, &record, rs, &res);
		if (!err && !res.wrote)
			printf("# nothing to write: generation %" PRIu64 " already holds this\n",
			       res.generation);
		knp_genl_close(record.g);
	}
	if (err) {
		knp_log(KNP_LOG_ERR, "dry run: %s", *knp_push_error(d->push) ?
			knp_push_error(d->push) : strerror(-err));
		d->exit = 1;
	}
	knp_troubles_clear(&troubles);
	event_base_loopbreak(d->base);
}

/* As long as the source has not said what is to be enforced. */
static void restore(struct knpd *d)
{
	int err = knp_keeper_restore(d->keeper);

	if (err) {
		hold(d, "failed", knp_push_transient(err) ? RETRY_SOON_MS : 0,
		     "cannot restore what was enforced: %s",
		     knp_keeper_error(d->keeper));
		return;
	}
	d->status.state = "starting";
	d->status.error[0] = '\0';
}

static void reconcile(struct knpd *d)
{
	struct knp_push_result res;
	void *ctx;
	int err;

	event_del(d->retry);
	if (!d->scanned) {
		restore(d);
		return;
	}
	if (d->opt.dry_run) {
		dry_run(d);
		return;
	}
	if (!connect_module(d))
		return;

	ctx = d->null ? (void *)d->null : (void *)d->genl;
	err = knp_enforcer_run(d->enforcer, ctx, &res);
	if (err)
		knp_exporter_refused(d->exporter, err, d->since_ns);
	if (err == -EPERM) {
		hold(d, "failed", 0, "%s", knp_genl_advice(err));
		return;
	}
	if (err) {
		hold(d, "failed", knp_push_transient(err) ? RETRY_SOON_MS : 0,
		     "%s; the last generation stays enforced",
		     knp_enforcer_error(d->enforcer));
		return;
	}

	enforced(d, &res);
	if (d->opt.once)
		event_base_loopbreak(d->base);
}

/*
 * Something is to be enforced. What failed is seldom what a change heals: it is
 * tried again when its time has come, the module comes, or somebody else writes.
 */
static void reconcile_unless_held(struct knpd *d)
{
	if (event_pending(d->retry, EV_TIMEOUT, NULL))
		write_status_soon(d);
	else
		reconcile(d);
}

static void on_changed(void *arg)
{
	struct knpd *d = arg;
	int64_t since = knp_input_since(d->input);

	/* What failed before was not what the lists say. */
	if (!d->scanned)
		event_del(d->retry);
	d->scanned = true;
	d->status.batches++;
	knp_kept_log(d->store);
	if (!d->since_ns)
		d->since_ns = since ? since : knp_now_ns();
	d->wanted = true;
	reconcile_unless_held(d);
}

static void on_fault(void *arg, const struct knp_fault *fault)
{
	char *line = knp_fault_format(fault);
	struct knpd *d = arg;

	if (line)
		knp_log(KNP_LOG_WARNING, "%s", line);
	free(line);

	/* One file for all faults of a batch, also if no change follows. */
	event_active(d->write, EV_TIMEOUT, 1);
}

static void on_healed(void *arg)
{
	struct knpd *d = arg;

	event_active(d->write, EV_TIMEOUT, 1);
}

/* Say what the source waits for, and that it does no longer, once. */
static void on_state(void *arg)
{
	struct knpd *d = arg;
	const char *text;
	int64_t since;

	event_active(d->write, EV_TIMEOUT, 1);
	text = knp_input_waiting(d->input, &since);
	if (!text) {
		if (d->waiting)
			knp_log(KNP_LOG_INFO, d->scanned ?
				"the API server answers again" :
				"the first lists are complete");
		d->waiting = false;
		return;
	}
	if (d->waiting && !strcmp(text, d->waited))
		return;
	d->waiting = true;
	snprintf(d->waited, sizeof(d->waited), "%s", text);
	knp_log(KNP_LOG_WARNING, "waiting for %s%s", text, d->scanned ?
		"; what is enforced stays" : "");
}

static void on_version(void *arg)
{
	struct knpd *d = arg;

	if (!event_pending(d->write, EV_TIMEOUT, NULL))
		schedule(d->write, VERSION_MS);
}

static const struct knp_input_ops input_ops = {
	.changed = on_changed,
	.fault	 = on_fault,
	.healed	 = on_healed,
	.state	 = on_state,
	.version = on_version,
};

/* Something of the node's own is new in the store. */
static void on_node_changed(void *arg)
{
	struct knpd *d = arg;

	d->wanted = true;
	if (d->scanned && !d->since_ns)
		d->since_ns = knp_now_ns();
	reconcile_unless_held(d);
}

static const char *on_held_up(void *arg)
{
	struct knpd *d = arg;

	if (!d->scanned)
		return d->waiting ? d->waited : "the first lists are not complete";
	if (!d->wanted)
		return NULL;
	return d->status.error[0] ? d->status.error :
				    "the kernel's tables are being written";
}

static uint64_t on_generation(void *arg)
{
	const struct knpd *d = arg;

	return d->status.last.generation;
}

static const struct knp_node_ops node_ops = {
	.changed    = on_node_changed,
	.held_up    = on_held_up,
	.generation = on_generation,
};

static void on_asked(void *arg, struct knp_vitals *ret)
{
	const struct knpd *d = arg;

	*ret = (struct knp_vitals){
		.status = &d->status,
		.scanned = d->scanned,
		.kernel = !d->null,
		.families = d->families,
		.families_wanted = d->opt.push.families,
		.pending_ns = d->wanted ? d->since_ns : 0,
	};
}

static const struct knp_exporter_ops exporter_ops = {
	.state = on_asked,
};

static void on_status(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	write_status(arg);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct knpd *d = arg;

	(void)fd;
	(void)what;
	if (d->wanted)
		reconcile(d);
}

static void on_family(void *arg, bool present)
{
	struct knpd *d = arg;

	d->wanted = true;
	if (present) {
		knp_retry_reset(&d->pause);
		knp_keeper_loaded(d->keeper);
		return;
	}

	disconnect(d);
	knp_log(KNP_LOG_WARNING,
		"knp.ko was unloaded: nothing is enforced until it is back");
	d->families = 0;
}

static void on_info(void *arg, const struct knp_info *info)
{
	struct knpd *d = arg;

	if (knp_push_differs(d->push, info))
		d->wanted = true;
	knp_keeper_touch(d->keeper);

	if (d->families & ~info->families)
		knp_log(KNP_LOG_WARNING,
			"an operator detached knp: policy is not enforced until it is attached again");
	d->families = info->families;
}

static void on_lost(void *arg)
{
	struct knpd *d = arg;

	d->wanted = true;
	knp_keeper_touch(d->keeper);
}

static const struct knp_watch_ops watch_ops = {
	.family	= on_family,
	.info	= on_info,
	.lost	= on_lost,
};

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct knpd *d = arg;
	int err;

	(void)fd;
	(void)what;
	err = knp_watch_read(d->watch);
	if (err)
		knp_log(KNP_LOG_WARNING, "notifications: %s", strerror(-err));
	if (d->wanted)
		reconcile(d);
}

static void on_stop(evutil_socket_t sig, short what, void *arg)
{
	struct knpd *d = arg;

	(void)what;
	knp_log(KNP_LOG_INFO, "%s: stopping; the kernel goes on enforcing",
		strsignal((int)sig));
	event_base_loopbreak(d->base);
}

static void on_hup(evutil_socket_t sig, short what, void *arg)
{
	struct knpd *d = arg;

	(void)sig;
	(void)what;
	d->wanted = true;
	knp_enforcer_resync(d->enforcer);
	knp_input_rescan(d->input);
	if (d->wanted)
		reconcile(d);
}

static int claim_runtime(struct knpd *d)
{
	const char *dir = d->opt.runtime_dir;
	int err;

	if (d->opt.dry_run)
		return 0;

	err = knp_runtime_make(dir);
	if (!err) {
		d->lock = knp_runtime_lock(dir);
		err = d->lock < 0 ? d->lock : 0;
	}
	if (err == -EBUSY)
		knp_log(KNP_LOG_ERR, "another knpd is running with %s", dir);
	else if (err)
		knp_log(KNP_LOG_ERR,
			"cannot use the runtime folder %s: %s (run as root, or name another with --runtime-dir)",
			dir, strerror(-err));
	return err;
}

static int make_events(struct knpd *d)
{
	d->base = event_base_new();
	if (!d->base)
		return -ENOMEM;

	d->sigterm = evsignal_new(d->base, SIGTERM, on_stop, d);
	d->sigint = evsignal_new(d->base, SIGINT, on_stop, d);
	d->sighup = evsignal_new(d->base, SIGHUP, on_hup, d);
	d->retry = evtimer_new(d->base, on_retry, d);
	d->write = evtimer_new(d->base, on_status, d);
	if (!d->sigterm || !d->sigint || !d->sighup || !d->retry || !d->write)
		return -ENOMEM;
	if (event_add(d->sigterm, NULL) || event_add(d->sigint, NULL) ||
	    event_add(d->sighup, NULL))
		return -ENOMEM;
	return 0;
}

static int watch_module(struct knpd *d)
{
	int err;

	if (d->opt.dry_run || d->opt.null_backend)
		return 0;

	err = knp_watch_open(&watch_ops, d, &d->watch);
	if (err) {
		knp_log(KNP_LOG_ERR, "cannot open a netlink socket: %s",
			strerror(-err));
		return err;
	}

	d->readable = event_new(d->base, knp_watch_fd(d->watch),
				EV_READ | EV_PERSIST, on_readable, d);
	if (!d->readable || event_add(d->readable, NULL))
		return -ENOMEM;
	return 0;
}

/* What no later retry can heal is found before anything else is done. */
static int check_permission(struct knpd *d)
{
	struct knp_genl *g;
	int err;

	if (d->opt.dry_run || d->opt.null_backend)
		return 0;

	err = knp_genl_open(&g);
	if (!err)
		knp_genl_close(g);
	if (err != -EPERM)
		return 0;

	knp_log(KNP_LOG_ERR, "%s", knp_genl_advice(err));
	return err;
}

static int open_dir(struct knpd *d)
{
	int err;

	err = knp_input_open_dir(d->base, d->opt.manifests, d->store,
				 &input_ops, d, &d->input);
	if (err)
		knp_log(KNP_LOG_ERR, "cannot follow the folder %s: %s",
			d->opt.manifests, strerror(-err));
	return err;
}

static int open_kube(struct knpd *d)
{
	char *why;
	int err;

	if (d->opt.in_cluster)
		err = knp_kube_config_in_cluster(NULL, &d->config, &why);
	else
		err = knp_kube_config_load(d->opt.kubeconfig, d->opt.context,
					   &d->config, &why);
	if (err) {
		knp_log(KNP_LOG_ERR, "%s", why ? why : strerror(-err));
		free(why);
		return err;
	}
	err = knp_input_open_kube(d->base, &d->config, &d->opt.kube, d->store,
				  &input_ops, d, &d->input);
	if (!err && d->opt.startup_taint && d->node_options.listen)
		err = knp_taint_open(d->base, &d->config, d->opt.node,
				     d->opt.startup_taint, &d->taint);
	if (err)
		knp_log(KNP_LOG_ERR, "cannot follow %s: %s", d->config.server,
			strerror(-err));
	return err;
}

static const struct knp_push_ops *backend(const struct knp_options *o)
{
	if (o->dry_run)
		return &knp_push_record;
	return o->null_backend ? &knp_push_null : &knp_push_netlink;
}

static int make_parts(struct knpd *d)
{
	int err;

	err = make_events(d);
	if (!err)
		err = knp_push_new(backend(&d->opt), &d->opt.push, &d->push);
	if (!err)
		err = knp_names_log_open(d->opt.runtime_dir, &d->names);
	if (err)
		return err;
	d->store = knp_store_new();
	if (!d->store)
		return -ENOMEM;
	err = knp_enforcer_new(d->store, d->opt.node, d->push, d->names,
			       &d->enforcer);
	if (err)
		return err;
	d->status.troubles = knp_enforcer_troubles(d->enforcer);
	d->status.store = d->store;
	return 0;
}

static int open_null(struct knpd *d)
{
	int err;

	if (!d->opt.null_backend)
		return 0;
	err = knp_null_open(d->opt.null_backend, &d->null);
	if (err)
		knp_log(KNP_LOG_ERR, "cannot write %s: %s",
			d->opt.null_backend, strerror(-err));
	return err;
}

static void on_told(void *arg)
{
	write_status_soon(arg);
}

static int open_uncovered(struct knpd *d)
{
	const struct knp_uncovered_options options = {
		.store = d->store,
		.node = d->opt.node,
		.bridges = d->opt.push.families & KNP_FAMILY_BRIDGE,
	};
	int err;

	err = knp_uncovered_open(d->base, &options, on_told, d, &d->uncovered);
	d->status.uncovered = d->uncovered;
	return err;
}

static int open_keeper(struct knpd *d)
{
	const struct knp_keeper_options options = {
		.path = d->opt.state,
		.node = d->opt.node,
		.families = d->opt.push.families,
		.watch = d->watch,
	};
	int err;

	if (!options.path)
		return 0;
	err = knp_keeper_open(d->base, &options, on_told, d, &d->keeper);
	if (err)
		knp_log(KNP_LOG_ERR, "cannot keep %s: %s", options.path,
			strerror(-err));
	d->status.keeper = d->keeper;
	return err;
}

static int start(struct knpd *d)
{
	int err;

	err = make_parts(d);
	if (err) {
		knp_log(KNP_LOG_ERR, "%s", strerror(-err));
		return err;
	}

	err = open_null(d);
	if (!err)
		err = check_permission(d);
	if (!err)
		err = claim_runtime(d);
	if (!err)
		err = knp_exporter_open(d->base, &d->opt.exporter, d->store,
					d->enforcer, &exporter_ops, d,
					&d->exporter);
	if (!err)
		err = watch_module(d);
	if (err)
		return err;

	d->node_options = (struct knp_node_options){
		.name = d->opt.node,
		.dir = d->opt.runtime_dir,
		.cni = d->opt.cni,
		.listen = !d->opt.once && !d->opt.dry_run,
	};
	err = knp_node_open(d->base, d->store, &d->node_options, &node_ops, d,
			    &d->node);
	if (!err)
		err = d->opt.manifests ? open_dir(d) : open_kube(d);
	if (err)
		return err;
	d->status.input = d->input;
	if (d->node_options.listen && !d->opt.null_backend)
		err = open_uncovered(d);
	if (!err)
		err = open_keeper(d);
	if (err)
		return err;
	write_status(d);
	reconcile(d);
	return 0;
}

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

static void stop(struct knpd *d)
{
	knp_keeper_close(d->keeper);
	knp_exporter_close(d->exporter);
	knp_uncovered_close(d->uncovered);
	knp_taint_close(d->taint);
	knp_input_close(d->input);
	knp_node_close(d->node);
	knp_kube_config_clear(&d->config);
	free_event(d->readable);
	free_event(d->write);
	free_event(d->retry);
	free_event(d->sighup);
	free_event(d->sigint);
	free_event(d->sigterm);
	knp_watch_close(d->watch);
	disconnect(d);
	knp_null_close(d->null);
	knp_enforcer_free(d->enforcer);
	knp_push_free(d->push);
	knp_names_log_close(d->names);
	knp_store_free(d->store);
	if (d->base)
		event_base_free(d->base);
	if (d->lock >= 0)
		close(d->lock);
}

int main(int argc, char **argv)
{
	struct knpd d = {
		.opt = knp_options_default,
		.lock = -1,
		.status = { .state = "starting" },
	};
	int err;

	/* A client that leaves is no reason to stop enforcing. */
	signal(SIGPIPE, SIG_IGN);
	err = knp_options_parse(argc, argv, &d.opt);
	if (err)
		return err < 0 ? 2 : 0;

	knp_log_open("knpd", d.opt.level);
	if (!d.opt.node) {
		gethostname(d.host, sizeof(d.host) - 1);
		d.opt.node = knp_node_name(d.host);
	}
	d.status.node = d.opt.node;
	d.status.manifests = d.opt.manifests;

	err = start(&d);
	if (!err)
		event_base_dispatch(d.base);
	stop(&d);
	return err ? 1 : d.exit;
}
