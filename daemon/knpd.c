// SPDX-License-Identifier: Apache-2.0
/*
 * knpd: policies from a source, compiled, into the kernel.
 *
 *   folder ─► store ─► compile ─► push ─► knp.ko
 *
 * One event loop. Whatever happens (a changed folder, the module's coming, a
 * commit of somebody else, a retry) ends in reconcile(), which compiles the
 * store and makes the kernel hold the result; where it already does, nothing is
 * written. Nothing is pushed before the source's first scan is complete, and
 * nothing is removed when this process ends: the kernel goes on.
 *
 * After each success the names are written, see names.h, then status.json is
 * replaced:
 *
 *   pid, version, node, manifests
 *   state             starting, synced, waiting (for the module) or failed
 *   instance          of the module, 16 hex digits
 *   generation        enforced
 *   commits           transactions of this process
 *   batches           changes that the source has reported
 *   enforced_batches  how many of them are enforced
 *   store_version, enforced_version
 *   last_us           from the last change's first event to its commit
 *   last_puts, last_deletes
 *   error             what holds it up, null if nothing
 *   troubles          limits that the compiler hit
 *   faults_count, faults  what the source set aside
 */
#include <errno.h>
#include <getopt.h>
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
#include <json-c/json.h>

#include "compile.h"
#include "dir.h"
#include "faults.h"
#include "genl.h"
#include "log.h"
#include "names.h"
#include "push.h"
#include "record.h"
#include "runtime.h"
#include "store.h"

#ifndef KNP_VERSION
#define KNP_VERSION	"unknown"
#endif

#define STATUS_FILE	"status.json"
#define RETRY_FIRST_MS	1000
#define RETRY_LAST_MS	30000
#define RETRY_SOON_MS	100

struct options {
	const char *manifests;
	const char *node;
	const char *runtime_dir;
	struct knp_push_options push;
	enum knp_level level;
	bool dry_run;
	bool once;
};

struct knpd {
	struct options opt;
	char host[HOST_NAME_MAX + 1];
	struct event_base *base;
	struct event *sigterm, *sigint, *sighup, *retry, *readable, *status;
	struct knp_store *store;
	struct knp_dir *dir;
	struct knp_push *push;
	struct knp_names_log *names;
	struct knp_genl *genl;		/* NULL: not connected */
	struct knp_watch *watch;
	int lock;
	int exit;

	bool scanned;			/* the first scan is complete */
	bool wanted;			/* something may have to be pushed */
	int retry_ms;			/* pause before the next try */
	int64_t since_ns;		/* of the oldest change not enforced */

	const char *state;
	char error[512];
	struct knp_troubles troubles;
	uint64_t troubles_version;	/* store version they were logged for */
	struct knp_push_result last;
	int64_t last_us;
	uint64_t commits;
	uint64_t batches;
	uint64_t enforced_batches;
	uint64_t enforced_version;
	uint32_t families;		/* that were attached when last seen */
};

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Add a member; a NULL value is out of memory. */
static int add(struct json_object *obj, const char *key,
	       struct json_object *value)
{
	if (value && !json_object_object_add(obj, key, value))
		return 0;

	json_object_put(value);
	return -ENOMEM;
}

static int add_string(struct json_object *obj, const char *key,
		      const char *text)
{
	return add(obj, key, json_object_new_string(text));
}

static int add_number(struct json_object *obj, const char *key, uint64_t n)
{
	return add(obj, key, json_object_new_uint64(n));
}

static int append(struct json_object *array, const char *text)
{
	struct json_object *value = text ? json_object_new_string(text) : NULL;

	if (value && !json_object_array_add(array, value))
		return 0;

	json_object_put(value);
	return -ENOMEM;
}

static struct json_object *troubles_json(const struct knpd *d)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; array && i < d->troubles.n; i++) {
		if (append(array, d->troubles.v[i].text)) {
			json_object_put(array);
			return NULL;
		}
	}

	return array;
}

static struct json_object *faults_json(const struct knpd *d)
{
	const struct knp_faults *faults = knp_dir_faults(d->dir);
	struct json_object *array = json_object_new_array();
	char *line;
	size_t i;
	int err;

	for (i = 0; array && i < faults->n; i++) {
		line = knp_fault_format(&faults->v[i]);
		err = append(array, line);
		free(line);
		if (err) {
			json_object_put(array);
			return NULL;
		}
	}

	return array;
}

static int status_json(const struct knpd *d, struct json_object *doc)
{
	char instance[17];
	int err = 0;

	snprintf(instance, sizeof(instance), "%016" PRIx64, d->last.instance);

	err |= add_number(doc, "pid", (uint64_t)getpid());
	err |= add_string(doc, "version", KNP_VERSION);
	err |= add_string(doc, "node", d->opt.node);
	err |= add_string(doc, "manifests", d->opt.manifests);
	err |= add_string(doc, "state", d->state);
	err |= add_string(doc, "instance", instance);
	err |= add_number(doc, "generation", d->last.generation);
	err |= add_number(doc, "commits", d->commits);
	err |= add_number(doc, "batches", d->batches);
	err |= add_number(doc, "enforced_batches", d->enforced_batches);
	err |= add_number(doc, "store_version", d->store->version);
	err |= add_number(doc, "enforced_version", d->enforced_version);
	err |= add_number(doc, "last_us", (uint64_t)d->last_us);
	err |= add_number(doc, "last_puts", d->last.puts);
	err |= add_number(doc, "last_deletes", d->last.deletes);
	/* json-c's NULL is JSON's null, so that add() does not fit. */
	if (d->error[0])
		err |= add_string(doc, "error", d->error);
	else
		err |= json_object_object_add(doc, "error", NULL);
	err |= add(doc, "troubles", troubles_json(d));
	err |= add_number(doc, "faults_count", knp_dir_faults(d->dir)->n);
	err |= add(doc, "faults", faults_json(d));
	return err ? -ENOMEM : 0;
}

static void write_status(struct knpd *d)
{
	struct json_object *doc;
	int err;

	if (d->opt.dry_run || !d->dir)
		return;

	doc = json_object_new_object();
	err = doc ? status_json(d, doc) : -ENOMEM;
	if (!err)
		err = knp_runtime_write(d->opt.runtime_dir, STATUS_FILE, doc);
	json_object_put(doc);
	if (err)
		knp_log(KNP_LOG_WARNING, "cannot write %s/%s: %s",
			d->opt.runtime_dir, STATUS_FILE, strerror(-err));
}

static void schedule(struct knpd *d, int ms)
{
	struct timeval tv = {
		.tv_sec = ms / 1000,
		.tv_usec = ms % 1000 * 1000,
	};

	event_add(d->retry, &tv);
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
	char text[sizeof(d->error)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);

	disconnect(d);
	d->wanted = true;
	d->state = state;
	if (strcmp(text, d->error)) {
		knp_log(KNP_LOG_ERR, "%s", text);
		memcpy(d->error, text, sizeof(text));
	}

	write_status(d);
	if (d->opt.once) {
		d->exit = 1;
		event_base_loopbreak(d->base);
		return;
	}

	if (!ms) {
		ms = d->retry_ms;
		d->retry_ms = ms * 2 < RETRY_LAST_MS ? ms * 2 : RETRY_LAST_MS;
	}
	schedule(d, ms);
}

static bool connect_module(struct knpd *d)
{
	struct knp_info info;
	int err;

	if (d->genl)
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
		hold(d, "failed", RETRY_LAST_MS, "%s", knp_genl_advice(err));
		return false;
	default:
		hold(d, "failed", 0, "cannot talk to knp.ko: %s",
		     knp_genl_advice(err));
		return false;
	}
}

static void log_troubles(struct knpd *d)
{
	size_t i;

	if (d->troubles_version == d->store->version)
		return;

	for (i = 0; i < d->troubles.n; i++)
		knp_log(KNP_LOG_WARNING, "%s", d->troubles.v[i].text);
	d->troubles_version = d->store->version;
}

static int compile(struct knpd *d, struct knp_ruleset **ret)
{
	int err;

	knp_troubles_clear(&d->troubles);
	err = knp_compile(d->store, d->opt.node, ret, &d->troubles);
	if (!err)
		log_troubles(d);
	return err;
}

static bool transient(int err)
{
	return err == -ESTALE || err == -EBUSY || err == -EAGAIN;
}

static void enforced(struct knpd *d, const struct knp_push_result *res)
{
	int err;

	d->last = *res;
	d->state = "synced";
	d->wanted = false;
	d->error[0] = '\0';
	d->retry_ms = RETRY_FIRST_MS;
	d->enforced_batches = d->batches;
	d->enforced_version = d->store->version;
	d->commits += res->wrote;
	if (d->since_ns)
		d->last_us = (res->committed_ns - d->since_ns) / 1000;

	if (res->wrote)
		knp_log(KNP_LOG_INFO,
			"enforced generation %" PRIu64 " (%" PRId64 " us, +%" PRIu64 " -%" PRIu64 ")",
			res->generation, d->since_ns ? d->last_us : 0,
			res->puts, res->deletes);
	else
		knp_log(res->reread ? KNP_LOG_INFO : KNP_LOG_DEBUG,
			"generation %" PRIu64 " already holds this, nothing written",
			res->generation);
	d->since_ns = 0;

	err = knp_names_log_ruleset(d->names, knp_push_mirror(d->push),
				    res->instance, res->generation);
	if (err)
		knp_log(KNP_LOG_WARNING,
			"cannot write the names to %s: %s",
			d->opt.runtime_dir, strerror(-err));
	write_status(d);
}

static void dry_run(struct knpd *d)
{
	struct knp_record record = { .out = stdout };
	struct knp_ruleset *rs;
	struct knp_push_result res;
	int err;

	err = compile(d, &rs);
	if (!err) {
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
	event_base_loopbreak(d->base);
}

static void reconcile(struct knpd *d)
{
	struct knp_push_result res;
	struct knp_ruleset *rs;
	int err;

	if (!d->scanned)
		return;
	if (d->opt.dry_run) {
		dry_run(d);
		return;
	}

	event_del(d->retry);
	if (!connect_module(d))
		return;

	err = compile(d, &rs);
	if (err) {
		hold(d, "failed", 0, "cannot compile: %s", strerror(-err));
		return;
	}

	err = knp_push_apply(d->push, d->genl, rs, &res);
	if (err == -EPERM) {
		hold(d, "failed", 0, "%s", knp_genl_advice(err));
		return;
	}
	if (err) {
		hold(d, "failed", transient(err) ? RETRY_SOON_MS : 0,
		     "%s; the last generation stays enforced",
		     knp_push_error(d->push));
		return;
	}

	enforced(d, &res);
	if (d->opt.once)
		event_base_loopbreak(d->base);
}

static void on_changed(void *arg)
{
	struct knpd *d = arg;
	int64_t since = knp_dir_since(d->dir);

	d->scanned = true;
	d->batches++;
	if (!d->since_ns)
		d->since_ns = since ? since : now_ns();
	d->wanted = true;
	reconcile(d);
}

static void on_fault(void *arg, const struct knp_fault *fault)
{
	char *line = knp_fault_format(fault);
	struct knpd *d = arg;

	if (line)
		knp_log(KNP_LOG_WARNING, "%s", line);
	free(line);

	/* One file for all faults of a batch, also if no change follows. */
	event_active(d->status, EV_TIMEOUT, 1);
}

static void on_healed(void *arg)
{
	struct knpd *d = arg;

	event_active(d->status, EV_TIMEOUT, 1);
}

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
	if (present)
		return;

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

	if (d->families & ~info->families)
		knp_log(KNP_LOG_WARNING,
			"an operator detached knp: policy is not enforced until it is attached again");
	d->families = info->families;
}

static void on_lost(void *arg)
{
	struct knpd *d = arg;

	d->wanted = true;
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
	knp_dir_rescan(d->dir);
	if (d->wanted)
		reconcile(d);
}

static void usage(FILE *out)
{
	fputs("usage: knpd --manifests DIR [OPTION]...\n"
	      "Enforce the NetworkPolicies of a folder of manifests on this node.\n"
	      "\n"
	      "  -m, --manifests DIR     folder of YAML and JSON manifests, watched\n"
	      "  -n, --node NAME         whose pods are judged (default: the host's name)\n"
	      "      --families LIST     ipv4,ipv6 (default), ipv4 or ipv6\n"
	      "      --mode MODE         enforce or audit (default: leave as it is)\n"
	      "      --runtime-dir DIR   for names and status.json (default: "
	      KNP_RUNTIME_DIR ")\n"
	      "      --once              enforce what is there now and exit\n"
	      "      --dry-run           print what would be written and exit\n"
	      "  -v, --verbose           say more\n"
	      "  -h, --help\n"
	      "  -V, --version\n"
	      "\n"
	      "SIGHUP reads the folder again. SIGTERM and SIGINT stop knpd; the kernel goes on\n"
	      "enforcing until `knpctl detach --yes`.\n", out);
}

static int bad_usage(const char *what, const char *value)
{
	fprintf(stderr, "knpd: %s%s%s (see knpd --help)\n", what,
		value ? " " : "", value ? value : "");
	return -EINVAL;
}

static int parse_families(char *list, uint32_t *ret)
{
	uint32_t families = 0;
	char *word;

	while ((word = strsep(&list, ","))) {
		if (!strcmp(word, "ipv4"))
			families |= KNP_FAMILY_IPV4;
		else if (!strcmp(word, "ipv6"))
			families |= KNP_FAMILY_IPV6;
		else
			return bad_usage("--families: unknown family", word);
	}

	*ret = families;
	return 0;
}

enum {
	OPT_FAMILIES = 256,
	OPT_MODE,
	OPT_RUNTIME_DIR,
	OPT_ONCE,
	OPT_DRY_RUN,
};

/* Return 0, 1 if there is nothing more to do, -EINVAL. */
static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
		{ "manifests",	 required_argument, NULL, 'm' },
		{ "node",	 required_argument, NULL, 'n' },
		{ "families",	 required_argument, NULL, OPT_FAMILIES },
		{ "mode",	 required_argument, NULL, OPT_MODE },
		{ "runtime-dir", required_argument, NULL, OPT_RUNTIME_DIR },
		{ "once",	 no_argument,	    NULL, OPT_ONCE },
		{ "dry-run",	 no_argument,	    NULL, OPT_DRY_RUN },
		{ "verbose",	 no_argument,	    NULL, 'v' },
		{ "help",	 no_argument,	    NULL, 'h' },
		{ "version",	 no_argument,	    NULL, 'V' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "m:n:vhV", options, NULL)) != -1) {
		switch (c) {
		case 'm':
			o->manifests = optarg;
			break;
		case 'n':
			o->node = optarg;
			break;
		case OPT_FAMILIES:
			if (parse_families(optarg, &o->push.families))
				return -EINVAL;
			break;
		case OPT_MODE:
			if (!strcmp(optarg, "enforce"))
				o->push.mode = KNP_MODE_ENFORCE;
			else if (!strcmp(optarg, "audit"))
				o->push.mode = KNP_MODE_AUDIT;
			else
				return bad_usage("--mode: unknown mode",
						 optarg);
			break;
		case OPT_RUNTIME_DIR:
			o->runtime_dir = optarg;
			break;
		case OPT_ONCE:
			o->once = true;
			break;
		case OPT_DRY_RUN:
			o->dry_run = true;
			break;
		case 'v':
			o->level = KNP_LOG_DEBUG;
			break;
		case 'h':
			usage(stdout);
			return 1;
		case 'V':
			printf("knpd %s (ABI %d)\n", KNP_VERSION,
			       KNP_ABI_VERSION);
			return 1;
		default:
			return bad_usage("bad option", NULL);
		}
	}

	if (optind < argc)
		return bad_usage("unexpected argument", argv[optind]);
	if (!o->manifests)
		return bad_usage("--manifests DIR is missing", NULL);
	return 0;
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
	d->status = evtimer_new(d->base, on_status, d);
	if (!d->sigterm || !d->sigint || !d->sighup || !d->retry || !d->status)
		return -ENOMEM;
	if (event_add(d->sigterm, NULL) || event_add(d->sigint, NULL) ||
	    event_add(d->sighup, NULL))
		return -ENOMEM;
	return 0;
}

static int watch_module(struct knpd *d)
{
	int err;

	if (d->opt.dry_run)
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

	if (d->opt.dry_run)
		return 0;

	err = knp_genl_open(&g);
	if (!err)
		knp_genl_close(g);
	if (err != -EPERM)
		return 0;

	knp_log(KNP_LOG_ERR, "%s", knp_genl_advice(err));
	return err;
}

static int start(struct knpd *d)
{
	int err;

	err = make_events(d);
	if (!err)
		err = knp_push_new(d->opt.dry_run ? &knp_push_record :
				   &knp_push_netlink, &d->opt.push, &d->push);
	if (!err)
		d->store = knp_store_new();
	if (!err)
		err = knp_names_log_open(d->opt.runtime_dir, &d->names);
	if (err || !d->store) {
		knp_log(KNP_LOG_ERR, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}

	err = check_permission(d);
	if (!err)
		err = claim_runtime(d);
	if (!err)
		err = watch_module(d);
	if (err)
		return err;

	err = knp_dir_open(d->base, d->opt.manifests, d->store, on_changed,
			   on_fault, d, &d->dir);
	if (err) {
		knp_log(KNP_LOG_ERR, "cannot follow the folder %s: %s",
			d->opt.manifests, strerror(-err));
		return err;
	}

	knp_dir_on_healed(d->dir, on_healed);
	write_status(d);
	return 0;
}

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

static void stop(struct knpd *d)
{
	knp_dir_close(d->dir);
	free_event(d->readable);
	free_event(d->status);
	free_event(d->retry);
	free_event(d->sighup);
	free_event(d->sigint);
	free_event(d->sigterm);
	knp_watch_close(d->watch);
	disconnect(d);
	knp_push_free(d->push);
	knp_names_log_close(d->names);
	knp_store_free(d->store);
	knp_troubles_clear(&d->troubles);
	if (d->base)
		event_base_free(d->base);
	if (d->lock >= 0)
		close(d->lock);
}

int main(int argc, char **argv)
{
	struct knpd d = {
		.opt = {
			.runtime_dir = KNP_RUNTIME_DIR,
			.push = { .families = KNP_FAMILY_ALL, .mode = -1 },
			.level = KNP_LOG_INFO,
		},
		.lock = -1,
		.state = "starting",
		.retry_ms = RETRY_FIRST_MS,
	};
	int err;

	err = parse_options(argc, argv, &d.opt);
	if (err)
		return err < 0 ? 2 : 0;

	knp_log_open("knpd", d.opt.level);
	if (!d.opt.node) {
		gethostname(d.host, sizeof(d.host) - 1);
		d.opt.node = d.host;
	}

	err = start(&d);
	if (!err)
		event_base_dispatch(d.base);
	stop(&d);
	return err ? 1 : d.exit;
}
