// SPDX-License-Identifier: Apache-2.0
/* knpctl wait: until something is enforced; what that means is in goal.h. */
#include "ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "goal.h"
#include "runtime.h"
#include "status.h"

#define POLL_NS		(10 * 1000 * 1000)
#define POLL_MAX_NS	(200 * 1000 * 1000)
#define TIMEOUT_S	30

static const char help[] =
	"usage: knpctl wait policy NS/NAME | pod NS/NAME [OPTION]...\n"
	"       knpctl wait --resource-version N | --synced | --batch N | --generation N\n"
	"Wait until it is enforced in the kernel. Several conditions must all hold.\n"
	"\n"
	"  policy NS/NAME          the policy isolates a pod of this node\n"
	"  pod NS/NAME             the addresses of the pod are known\n"
	"      --for WHAT          enforced (default), or delete: it is not there any more\n"
	"      --resource-version N\n"
	"                          the change that made this metadata.resourceVersion, and\n"
	"                          all before it, are enforced: of policies or of pods if\n"
	"                          one is named, and then it may concern another node;\n"
	"                          else of pods, namespaces and policies, where one that\n"
	"                          does not change may lag behind by a minute\n"
	"      --synced            all that knpd has seen is enforced\n"
	"      --batch N           as --synced, and knpd has seen at least N batches of\n"
	"                          changes (\"batches\" of `knpctl status -o json`)\n"
	"      --generation N      the kernel has published generation N or a later one\n"
	"      --timeout TIME      give up with exit status 1 after so many seconds, or\n"
	"                          30s, 5m, 1h (default: 30s; 0: look once)\n";

/* What is looked at, with what of it has to be freed. */
struct look {
	struct knp_ctl *c;
	struct knp_goal goal;
	struct knp_goal_view view;
	char why[512];
};

static void forget(struct look *l)
{
	json_object_put(l->view.status);
	l->view.status = NULL;
}

/* Sets are all that has to be read of the tables, and only if they are new. */
static int read_sets(struct look *l)
{
	struct knp_ctl *c = l->c;
	struct knp_info info = c->info;
	struct knp_ruleset *rs;
	int err;

	if (l->goal.kind != KNP_GOAL_POLICY)
		return 0;
	err = knp_genl_snapshot(c->g, KNP_TABLE_SET, &rs, &info);
	if (err)
		return err;
	knp_ruleset_free(c->rs);
	c->rs = rs;
	c->info = info;
	return 0;
}

static int look_at_kernel(struct look *l)
{
	struct knp_ctl *c = l->c;
	int err;

	err = c->g ? 0 : knp_genl_open(&c->g);
	if (!err)
		err = knp_genl_info(c->g, &c->info);
	if (!err)
		err = read_sets(l);
	if (!err) {
		if (l->goal.kind)
			knp_ctl_names_now(c);
		return 0;
	}

	/* The module may be loaded while we wait. */
	snprintf(l->why, sizeof(l->why), "%s", knp_genl_advice(err));
	knp_genl_close(c->g);
	c->g = NULL;
	return err;
}

static enum knp_goal_state look(struct look *l)
{
	struct knp_ctl *c = l->c;

	forget(l);
	/* First what knpd says, so that the kernel has what it speaks of. */
	if (l->goal.synced || l->goal.version) {
		l->view.running = knp_runtime_locked(c->runtime_dir);
		if (knp_runtime_read(c->runtime_dir, KNP_STATUS_FILE,
				     &l->view.status))
			l->view.status = NULL;
	}
	if (look_at_kernel(l))
		return KNP_GOAL_WAITING;

	l->view.info = &c->info;
	l->view.names = c->names;
	l->view.rs = c->rs;
	return knp_goal_check(&l->goal, &l->view, l->why, sizeof(l->why));
}

static const char *kind_word(enum knp_goal_kind kind)
{
	return kind == KNP_GOAL_POLICY ? "policy" : "pod";
}

static void print_document(const struct look *l)
{
	const struct knp_goal *g = &l->goal;
	struct json_object *doc = knp_ctl_object();

	knp_ctl_add_number(doc, "generation", l->c->info.generation);
	knp_ctl_add_text(doc, "mode", knp_ctl_mode(l->c->info.mode));
	knp_ctl_add_text(doc, "kind", g->kind ? kind_word(g->kind) : NULL);
	knp_ctl_add_text(doc, "name", g->name);
	knp_ctl_add(doc, "present", NULL);
	if (g->kind)
		knp_ctl_add_bool(doc, "present",
				 knp_goal_present(g, &l->view));
	knp_ctl_print_doc(l->c, doc);
}

static void print(const struct look *l)
{
	const struct knp_goal *g = &l->goal;
	uint64_t generation = l->c->info.generation;
	const char *note = "";

	if (knp_ctl_structured(l->c)) {
		print_document(l);
		return;
	}
	if (!g->kind) {
		printf("generation %" PRIu64 "\n", generation);
		return;
	}
	if (!g->gone && !knp_goal_present(g, &l->view))
		note = g->kind == KNP_GOAL_POLICY ?
		       ": it isolates no pod of this node" :
		       ": it has no address of its own";
	printf("%s %s is %s at generation %" PRIu64 "%s%s\n",
	       kind_word(g->kind), g->name, g->gone ? "gone" : "enforced",
	       generation, note, l->c->info.mode == KNP_MODE_AUDIT ?
	       " (mode audit: judged, not dropped)" : "");
}

static int run(struct look *l, double timeout)
{
	int64_t deadline = knp_now_ns() + (int64_t)(timeout * 1e9);
	struct timespec pause = { .tv_nsec = POLL_NS };
	enum knp_goal_state state;

	while ((state = look(l)) == KNP_GOAL_WAITING &&
	       knp_now_ns() < deadline) {
		nanosleep(&pause, NULL);
		/* Names take time to read where there are many. */
		if (l->goal.kind && pause.tv_nsec < POLL_MAX_NS)
			pause.tv_nsec += pause.tv_nsec / 2;
	}

	if (state == KNP_GOAL_REACHED) {
		print(l);
		return CTL_OK;
	}
	if (state == KNP_GOAL_NEVER)
		return knp_ctl_fail("%s", l->why);
	if (!l->goal.kind)
		return knp_ctl_fail("gave up after %g s: %s", timeout, l->why);
	return knp_ctl_fail("gave up after %g s on %s %s: %s", timeout,
			    kind_word(l->goal.kind), l->goal.name, l->why);
}

static int parse_number(const char *text, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno || *text < '0' || *text > '9' || *end ? -EINVAL : 0;
}

/* Seconds, or with a unit. */
static int parse_time(const char *text, double *ret)
{
	static const struct {
		const char *unit;
		double seconds;
	} units[] = { { "", 1 }, { "s", 1 }, { "m", 60 }, { "h", 3600 } };
	double n;
	char *end;
	size_t i;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	n = strtod(text, &end);
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit))
			continue;
		*ret = n * units[i].seconds;
		return *ret <= 1e6 ? 0 : -EINVAL;
	}
	return -EINVAL;
}

enum {
	OPT_GENERATION = CTL_OPT_FIRST,
	OPT_SYNCED,
	OPT_BATCH,
	OPT_TIMEOUT,
	OPT_FOR,
	OPT_VERSION,
};

static int parse_for(struct look *l, const char *text)
{
	if (!strcmp(text, "delete"))
		l->goal.gone = true;
	else if (strcmp(text, "enforced"))
		return knp_ctl_usage(l->c, "--for takes enforced or delete, not %s",
				     text);
	return CTL_OK;
}

/* @timeout: of --timeout. Return -1 if the option is another one. */
static int parse_option(struct look *l, int opt, double *timeout)
{
	struct knp_goal *g = &l->goal;

	switch (opt) {
	case OPT_GENERATION:
		if (parse_number(optarg, &g->generation))
			return knp_ctl_usage(l->c, "bad generation %s", optarg);
		return CTL_OK;
	case OPT_BATCH:
		if (parse_number(optarg, &g->batch))
			return knp_ctl_usage(l->c, "bad batch %s", optarg);
		g->synced = true;
		return CTL_OK;
	case OPT_SYNCED:
		g->synced = true;
		return CTL_OK;
	case OPT_TIMEOUT:
		if (parse_time(optarg, timeout))
			return knp_ctl_usage(l->c, "bad timeout %s", optarg);
		return CTL_OK;
	case OPT_FOR:
		return parse_for(l, optarg);
	case OPT_VERSION:
		g->version = optarg;
		return *optarg ? CTL_OK :
		       knp_ctl_usage(l->c, "--resource-version is empty");
	}
	return -1;
}

/* "policy NS/NAME", "policy/NS/NAME" as kubectl has it, or nothing. */
static int parse_object(struct look *l, int argc, char **argv)
{
	struct knp_goal *g = &l->goal;
	char *kind = argv[optind], *name;

	if (optind == argc)
		return CTL_OK;
	name = strchr(kind, '/');
	if (name)
		*name++ = '\0';
	else if (optind + 1 < argc)
		name = argv[++optind];
	if (optind + 1 < argc)
		return knp_ctl_usage(l->c, "unexpected argument %s",
				     argv[optind + 1]);

	if (!strcmp(kind, "policy") || !strcmp(kind, "networkpolicy"))
		g->kind = KNP_GOAL_POLICY;
	else if (!strcmp(kind, "pod"))
		g->kind = KNP_GOAL_POD;
	else
		return knp_ctl_usage(l->c, "cannot wait for a %s: policy or pod",
				     kind);
	if (!name || !strchr(name, '/') || *name == '/' ||
	    strchr(name, '/') != strrchr(name, '/') || !strchr(name, '/')[1])
		return knp_ctl_usage(l->c, "which %s? NAMESPACE/NAME", kind);
	g->name = name;
	return CTL_OK;
}

int knp_ctl_wait(int argc, char **argv)
{
	static const struct option options[] = {
		CTL_OPTIONS,
		{ "generation", required_argument, NULL, OPT_GENERATION },
		{ "synced",	no_argument,	   NULL, OPT_SYNCED },
		{ "batch",	required_argument, NULL, OPT_BATCH },
		{ "for",	required_argument, NULL, OPT_FOR },
		{ "resource-version", required_argument, NULL, OPT_VERSION },
		{ "timeout",	required_argument, NULL, OPT_TIMEOUT },
		{ 0 },
	};
	double timeout = TIMEOUT_S;
	bool any = false;
	struct knp_ctl c;
	struct look l = { .c = &c };
	int opt, status;

	knp_ctl_begin(&c, argv[0]);
	while ((opt = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		status = parse_option(&l, opt, &timeout);
		any |= !status && opt != OPT_TIMEOUT && opt != OPT_FOR;
		if (status < 0)
			status = knp_ctl_option(&c, opt, help);
		else if (!status)
			continue;
		if (status >= 0)
			return status;
	}

	status = parse_object(&l, argc, argv);
	if (status)
		return status;
	if (l.goal.gone && !l.goal.kind)
		return knp_ctl_usage(&c, "--for=delete of what? name a policy or a pod");
	if (!any && !l.goal.kind)
		return knp_ctl_usage(&c, "wait for what?");

	status = run(&l, timeout);
	forget(&l);
	knp_ctl_end(&c);
	return status;
}
