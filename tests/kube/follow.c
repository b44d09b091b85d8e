// SPDX-License-Identifier: Apache-2.0
/*
 * Follows an API server as knpd does, with the module's own tables in place of
 * the module, and prints what it sees, a line each, until SIGTERM:
 *
 *   batch namespaces=a,b pods=x/p@10.0.0.1 policies=x/q
 *   waiting TEXT, or waiting -
 *   fault TEXT
 *   healed
 *   truth N objects, N records; or truth: what differs from it
 *
 * usage: follow DIR (KUBECONFIG | --in-cluster DIR) [IDLE-SECONDS]
 *
 * SIGHUP lists everything again. SIGUSR1 asks for the truth: whether the store
 * holds the objects of DIR/truth.json, a manifest, and the tables what the
 * compiler makes of those. DIR is the runtime folder, too.
 *
 * KNP_SPEED=N in the environment: time passes N times as fast, for all but what
 * libcurl measures. SIGUSR2 reads DIR/clock: by how many seconds the wall clock
 * is wrong, and how fast time passes, from now on.
 */
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "compile.h"
#include "enforcer.h"
#include "kube.h"
#include "kube_json.h"
#include "manifest.h"
#include "../unit/kernel.h"

#define NODE	"n"

static struct event_base *base;
static struct knp_store *store;
static struct knp_kube *kube;
static struct kernel kernel;
static struct knp_push *push;
static struct knp_names_log *names;
static struct knp_enforcer *enforcer;
static const char *dir;

/* ---- time --------------------------------------------------------------- */

#define NS	1000000000LL

/* Of the monotonic clock: what it says is @fake where the real one says @real. */
static struct {
	int64_t real;
	int64_t fake;
	int speed;
} pace = { .speed = 1 };
static long wrong_by;

int __real_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);
int __real_event_add(struct event *event, const struct timeval *tv);
int __wrap_event_add(struct event *event, const struct timeval *tv);

static int64_t real_ns(clockid_t clock)
{
	struct timespec ts = { 0 };

	__real_clock_gettime(clock, &ts);
	return ts.tv_sec * NS + ts.tv_nsec;
}

static int64_t fake_ns(void)
{
	return pace.fake + (real_ns(CLOCK_MONOTONIC) - pace.real) * pace.speed;
}

static void set_speed(int speed)
{
	pace.fake = fake_ns();
	pace.real = real_ns(CLOCK_MONOTONIC);
	pace.speed = speed;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	int64_t ns = clock == CLOCK_MONOTONIC ? fake_ns() : real_ns(clock);

	ts->tv_sec = ns / NS;
	ts->tv_nsec = ns % NS;
	return 0;
}

/* libcurl, which has a timer here as well, may be called too early. */
int __wrap_event_add(struct event *event, const struct timeval *tv)
{
	struct timeval scaled;
	int64_t us;

	if (!tv)
		return __real_event_add(event, NULL);
	us = (tv->tv_sec * 1000000LL + tv->tv_usec) / pace.speed;
	scaled.tv_sec = us / 1000000;
	scaled.tv_usec = us % 1000000;
	return __real_event_add(event, &scaled);
}

/* What libcrypto, too, takes for the time. */
time_t time(time_t *ret)
{
	time_t now = real_ns(CLOCK_REALTIME) / NS + wrong_by;

	if (ret)
		*ret = now;
	return now;
}

static void on_usr2(evutil_socket_t sig, short what, void *arg)
{
	char path[256];
	int speed;
	FILE *in;

	(void)sig;
	(void)what;
	(void)arg;
	snprintf(path, sizeof(path), "%s/clock", dir);
	in = fopen(path, "re");
	if (in && fscanf(in, "%ld %d", &wrong_by, &speed) == 2) {
		set_speed(speed);
		printf("clock %ld %d\n", wrong_by, speed);
	}
	if (in)
		fclose(in);
}

/* ---- the truth ---------------------------------------------------------- */

/* What is in one of two stores and not, or not the same, in the other; "". */
static void compare_stores(const struct knp_store *a, const struct knp_store *b,
			   char why[256])
{
	why[0] = '\0';
	for (int kind = KNP_KIND_NAMESPACE; kind <= KNP_KIND_POLICY; kind++) {
		for (size_t i = 0; i < knp_store_count(a, kind); i++) {
			const void *object = knp_store_at(a, kind, i);
			const char *ns = knp_kind_ns_of(kind, object);
			const char *name = knp_kind_name_of(kind, object);
			size_t at;

			if (knp_store_find(b, kind, ns, name, &at) &&
			    knp_kind_equal(kind, object,
					   knp_store_at(b, kind, at)))
				continue;
			snprintf(why, 256, "%s %s/%s", knp_kube_resource(kind),
				 ns, name);
			return;
		}
	}
}

static size_t count(const struct knp_store *s)
{
	return s->nnamespaces + s->npods + s->npolicies;
}

/* How many records differ from what the compiler makes of a store, or -errno. */
static int64_t compare_tables(const struct knp_store *s, uint64_t *records)
{
	struct knp_ruleset *have = kernel_dump(kernel.tables);
	struct knp_ruleset *empty = knp_ruleset_new();
	struct knp_diff *diff = NULL, *whole = NULL;
	struct knp_ruleset *want = NULL;
	int64_t ret = -ENOMEM;

	if (have && empty && !knp_compile(s, NODE, &want, NULL) &&
	    !knp_ruleset_adopt(want, have) &&
	    !knp_ruleset_diff(have, want, &diff) &&
	    !knp_ruleset_diff(empty, want, &whole)) {
		ret = (int64_t)diff->count;
		*records = whole->count;
	}
	knp_diff_free(diff);
	knp_diff_free(whole);
	knp_ruleset_free(want);
	knp_ruleset_free(empty);
	knp_ruleset_free(have);
	return ret;
}

static void tell_truth(const struct knp_store *truth)
{
	uint64_t records = 0;
	int64_t differ;
	char why[256];

	compare_stores(truth, store, why);
	if (*why) {
		printf("truth: the store lacks, or has otherwise: %s\n", why);
		return;
	}
	compare_stores(store, truth, why);
	if (*why) {
		printf("truth: the store has besides: %s\n", why);
		return;
	}
	differ = compare_tables(truth, &records);
	if (differ)
		printf("truth: %lld records of the tables differ\n",
		       (long long)differ);
	else
		printf("truth %zu objects, %llu records\n", count(truth),
		       (unsigned long long)records);
}

static void on_usr1(evutil_socket_t sig, short what, void *arg)
{
	struct knp_store *truth = knp_store_new();
	struct knp_faults faults = { 0 };
	char path[256];

	(void)sig;
	(void)what;
	(void)arg;
	snprintf(path, sizeof(path), "%s/truth.json", dir);
	if (truth && !knp_manifest_load(path, truth, &faults))
		tell_truth(truth);
	else
		printf("truth: cannot be read\n");
	knp_faults_clear(&faults);
	knp_store_free(truth);
}

/* ---- what is seen ------------------------------------------------------- */

static void on_changed(void *arg)
{
	struct knp_push_result result;

	(void)arg;
	if (knp_enforcer_run(enforcer, &kernel, &result))
		printf("refused %s\n", knp_enforcer_error(enforcer));
	printf("batch namespaces=");
	for (size_t i = 0; i < store->nnamespaces; i++)
		printf("%s%s", i ? "," : "", store->namespaces[i]->name);
	printf(" pods=");
	for (size_t i = 0; i < store->npods; i++) {
		const struct knp_pod *pod = store->pods[i];
		char ip[46] = "";

		if (pod->nips)
			knp_ip_format(&pod->ips[0], ip);
		printf("%s%s/%s@%s", i ? "," : "", pod->ns, pod->name, ip);
	}
	printf(" policies=");
	for (size_t i = 0; i < store->npolicies; i++)
		printf("%s%s/%s", i ? "," : "", store->policies[i]->ns,
		       store->policies[i]->name);
	printf("\n");
}

static void on_fault(void *arg, const struct knp_fault *fault)
{
	char *line = knp_fault_format(fault);

	(void)arg;
	printf("fault %s\n", line);
	free(line);
}

static void on_healed(void *arg)
{
	(void)arg;
	printf("healed\n");
}

static void on_state(void *arg)
{
	static char told[640];
	const char *text;
	int64_t since;

	(void)arg;
	text = knp_kube_waiting(kube, &since);
	if (!text)
		text = "-";
	if (!strcmp(text, told))
		return;
	snprintf(told, sizeof(told), "%s", text);
	printf("waiting %s\n", text);
}

static const struct knp_kube_ops ops = {
	.changed = on_changed,
	.fault	 = on_fault,
	.healed	 = on_healed,
	.state	 = on_state,
};

static void on_term(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	(void)arg;
	event_base_loopbreak(base);
}

static void on_hup(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	(void)arg;
	knp_kube_relist(kube);
}

/* ---- the program -------------------------------------------------------- */

static int load(int argc, char **argv, struct knp_kube_config *config,
		struct knp_kube_options *options)
{
	char *why = NULL;
	int at = 3;
	int err;

	if (argc < 3)
		return 2;
	dir = argv[1];
	if (!strcmp(argv[2], "--in-cluster") && argc > 3)
		err = knp_kube_config_in_cluster(argv[at++], config, &why);
	else
		err = knp_kube_config_load(argv[2], NULL, config, &why);
	if (err)
		fprintf(stderr, "follow: %s\n", why ? why : strerror(-err));
	free(why);
	if (at < argc)
		options->idle_ms = atoi(argv[at]) * 1000L;
	return err ? 2 : 0;
}

static int start(void)
{
	const struct knp_push_options options = {
		.families = KNP_FAMILY_ALL, .mode = -1, .unknown_local = -1,
		.node_egress = -1, .lb_probes = -1,
	};

	base = event_base_new();
	store = knp_store_new();
	if (!base || !store || kernel_init(&kernel) ||
	    knp_push_new(&kernel_ops, &options, &push) ||
	    knp_names_log_open(dir, &names))
		return -ENOMEM;
	return knp_enforcer_new(store, NODE, push, names, &enforcer);
}

static void stop(void)
{
	knp_enforcer_free(enforcer);
	knp_names_log_close(names);
	knp_push_free(push);
	kernel_clear(&kernel);
	knp_store_free(store);
	event_base_free(base);
	libevent_global_shutdown();
}

static bool on_signal(int sig, event_callback_fn what, struct event **ret)
{
	*ret = evsignal_new(base, sig, what, NULL);
	return *ret && !event_add(*ret, NULL);
}

int main(int argc, char **argv)
{
	struct knp_kube_options options = { 0 };
	struct knp_kube_config config = { 0 };
	struct event *signals[4];

	if (getenv("KNP_SPEED"))
		set_speed(atoi(getenv("KNP_SPEED")));
	if (load(argc, argv, &config, &options))
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (start() || !on_signal(SIGTERM, on_term, &signals[0]) ||
	    !on_signal(SIGHUP, on_hup, &signals[1]) ||
	    !on_signal(SIGUSR1, on_usr1, &signals[2]) ||
	    !on_signal(SIGUSR2, on_usr2, &signals[3]) ||
	    knp_kube_open(base, &config, &options, store, &ops, NULL, &kube))
		return 2;
	event_base_dispatch(base);
	knp_kube_close(kube);
	for (size_t i = 0; i < 4; i++)
		event_free(signals[i]);
	knp_kube_config_clear(&config);
	stop();
	return 0;
}
