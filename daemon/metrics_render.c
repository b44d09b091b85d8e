// SPDX-License-Identifier: Apache-2.0
/* The families of knp_* and process_*. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "families.h"
#include "kube_json.h"
#include "kube_reflect.h"
#include "metrics.h"
#include "process.h"
#include "reasons.h"

#ifndef KNP_VERSION
#define KNP_VERSION	"unknown"
#endif

#define LABELS		KNP_PROM_LABELS

static double real_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Seconds since the epoch of a time in monotonic ms; 0 stays 0. */
static double epoch(const struct knp_scrape *s, int64_t ms)
{
	return ms ? real_now() - (double)(s->now_ms - ms) / 1e3 : 0;
}

/* ---- this process --------------------------------------------------------- */

static void render_process(const struct knp_scrape *s, struct knp_prom *p)
{
	struct knp_process me = knp_process_read();
	char abi[16];

	snprintf(abi, sizeof(abi), "%d", KNP_ABI_VERSION);
	knp_prom_family(p, "knp_build_info", "gauge",
			"Always 1; the version of knpd and of the ABI it speaks.");
	knp_prom_count(p, LABELS({ "version", KNP_VERSION }, { "abi", abi }), 1);
	knp_prom_gauge(p, "process_start_time_seconds",
		       "Start of knpd, seconds since the epoch.",
		       (double)s->m->started);
	knp_prom_family(p, "process_cpu_seconds_total", "counter",
			"Processor time that knpd used, user and system.");
	knp_prom_value(p, NULL, me.cpu_seconds);
	knp_prom_gauge(p, "process_resident_memory_bytes",
		       "Resident memory of knpd.", (double)me.resident_bytes);
	knp_prom_gauge(p, "process_virtual_memory_bytes",
		       "Virtual memory of knpd.", (double)me.virtual_bytes);
	knp_prom_gauge(p, "process_open_fds", "Open file descriptors of knpd.",
		       (double)me.open_fds);
	knp_prom_gauge(p, "process_max_fds",
		       "File descriptors that knpd may open.",
		       (double)me.max_fds);
}

static void render_http(const struct knp_scrape *s, struct knp_prom *p)
{
	char code[] = "0xx";

	knp_prom_family(p, "knp_http_requests_total", "counter",
			"Requests to this server, by the class of the answer.");
	for (int i = 2; i <= 5; i++) {
		code[0] = (char)('0' + i);
		knp_prom_count(p, LABELS({ "code", code }),
			       s->http->requests[i]);
	}
	knp_prom_counter(p, "knp_http_connections_total",
			 "Connections to this server that were accepted.",
			 s->http->connections);
	knp_prom_counter(p, "knp_http_connections_cut_total",
			 "Connections to this server that were ended to make room or because they took too long.",
			 s->http->cut);
}

/* ---- readiness ------------------------------------------------------------ */

/** struct conditions - those that hold, by enum knp_condition */
struct conditions {
	bool holds[KNP_CONDITIONS];
};

static void on_condition(void *arg, enum knp_condition what, bool fatal,
			 const char *text)
{
	struct conditions *c = arg;

	(void)fatal;
	(void)text;
	c->holds[what] = true;
}

static void render_health(const struct knp_scrape *s, struct knp_prom *p)
{
	struct conditions c = { 0 };
	bool ready;

	ready = knp_health_check(s->state, s->health, s->now_ms, on_condition,
				 &c);
	knp_prom_gauge(p, "knp_ready",
		       "1 if this node enforces what it should, as /readyz says.",
		       ready);
	knp_prom_family(p, "knp_condition", "gauge",
			"1 for what holds of the conditions of /readyz; fatal: whether it makes knpd unready.");
	for (int i = 0; i < KNP_CONDITIONS; i++)
		knp_prom_count(p, LABELS({ "condition", knp_condition_name(i) },
					 { "fatal", s->health->fatal & 1U << i ?
						    "true" : "false" }),
			       c.holds[i]);
	knp_prom_gauge(p, "knp_stale",
		       "1 if the objects may be older than allowed (--stale-after), or were never complete.",
		       c.holds[KNP_STALE] || c.holds[KNP_NOT_SYNCED]);
	knp_prom_gauge(p, "knp_state_age_seconds",
		       "How long ago all objects were last known to be current; 0 for a folder.",
		       (double)knp_health_age(s->state, s->now_ms) / 1e3);
}

/* ---- enforcement ---------------------------------------------------------- */

static const char * const failures[KNP_FAILURES] = {
	[KNP_FAILED_CONTENDED]	 = "contended",
	[KNP_FAILED_MEMORY]	 = "memory",
	[KNP_FAILED_LIMIT]	 = "limit",
	[KNP_FAILED_PERMISSION] = "permission",
	[KNP_FAILED_MODULE]	 = "module",
	[KNP_FAILED_TIMEOUT]	 = "timeout",
	[KNP_FAILED_OTHER]	 = "other",
};

static void render_commits(const struct knp_scrape *s, struct knp_prom *p)
{
	const struct knp_daemon_status *status = s->state->status;
	int64_t pending = s->state->pending_ns;

	knp_prom_gauge(p, "knp_generation",
		       "Generation that knpd last saw enforced.",
		       (double)status->last.generation);
	knp_prom_counter(p, "knp_commit_ok_total",
			 "Transactions of this process that the kernel committed.",
			 status->commits);
	knp_prom_family(p, "knp_commit_fail_total", "counter",
			"Attempts to enforce that failed, by reason.");
	for (int i = 0; i < KNP_FAILURES; i++)
		knp_prom_count(p, LABELS({ "reason", failures[i] }),
			       s->m->failures[i]);
	knp_prom_family(p, "knp_commit_seconds", "histogram",
			"Duration of transactions, from the first message to the acknowledgment of the commit.");
	knp_prom_histogram(p, NULL, &s->m->commit);
	knp_prom_family(p, "knp_event_to_enforced_seconds", "histogram",
			"From the first byte of a change at the source to the acknowledgment of the commit that enforces it.");
	knp_prom_histogram(p, NULL, &s->m->latency);
	knp_prom_gauge(p, "knp_pending_seconds",
		       "How long the oldest change has been waiting to be enforced, 0 if none is.",
		       pending ? (double)s->now_ms / 1e3 -
				 (double)pending / 1e9 : 0);
}

/* ---- objects -------------------------------------------------------------- */

static const char * const kinds[KNP_KIND_POLICY + 1] = {
	[KNP_KIND_NAMESPACE]	= "namespace",
	[KNP_KIND_POD]		= "pod",
	[KNP_KIND_POLICY]	= "networkpolicy",
};

static void render_changes(const struct knp_store *store, struct knp_prom *p)
{
	static const char * const words[KNP_CHANGES] = {
		[KNP_CREATED] = "create",
		[KNP_UPDATED] = "update",
		[KNP_DELETED] = "delete",
	};

	knp_prom_family(p, "knp_object_changes_total", "counter",
			"Changes of objects that knpd took in.");
	for (int kind = KNP_KIND_NAMESPACE; kind <= KNP_KIND_POLICY; kind++)
		for (int op = 0; op < KNP_CHANGES; op++)
			knp_prom_count(p, LABELS({ "kind", kinds[kind] },
						 { "operation", words[op] }),
				       store->changes[kind][op]);
}

static void render_uncovered(const struct knp_scrape *s, struct knp_prom *p)
{
	const struct knp_uncovered *u = s->state->status->uncovered;

	knp_prom_family(p, "knp_uncovered_ifaces", "gauge",
			"Interfaces, flowtables and addresses whose packets pass around the hooks, by kind.");
	for (int i = 0; i < KNP_UNCOVERED_KINDS; i++)
		knp_prom_count(p, LABELS({ "kind", knp_uncovered_name(i) }),
			       knp_uncovered_count(u, i));
}

static void render_objects(const struct knp_scrape *s, struct knp_prom *p)
{
	const struct knp_daemon_status *status = s->state->status;
	const struct knp_store *store = status->store;
	const struct knp_faults *faults = status->input ?
		knp_input_faults(status->input) : NULL;

	knp_prom_family(p, "knp_objects", "gauge",
			"Objects that knpd knows, by kind.");
	for (int kind = KNP_KIND_NAMESPACE; kind <= KNP_KIND_POLICY; kind++)
		knp_prom_count(p, LABELS({ "kind", kinds[kind] }),
			       knp_store_count(store, kind));
	knp_prom_gauge(p, "knp_objects_set_aside",
		       "Objects that could not be read in full; what remains of them is enforced.",
		       faults ? (double)knp_faults_objects(faults) : 0);
	knp_prom_gauge(p, "knp_faults",
		       "Fields and files that could not be read.",
		       faults ? (double)faults->n : 0);
	knp_prom_gauge(p, "knp_policies_held",
		       "Deleted policies of namespaces that terminate, enforced until the last pod is gone.",
		       (double)store->nkept);
	knp_prom_gauge(p, "knp_limit_hits",
		       "Limits of tables that were hit: pods that are closed for want of room.",
		       (double)status->troubles->n);
	render_changes(store, p);
	render_uncovered(s, p);
}

/* ---- the API server ------------------------------------------------------- */

static const struct knp_reflect *resource(const struct knp_scrape *s,
					  unsigned int i)
{
	struct knp_input *input = s->state->status->input;
	const struct knp_kube *kube = input ? knp_input_kube(input) : NULL;

	return kube && i < KNP_KUBE_RESOURCES ? knp_kube_resource_at(kube, i) :
						NULL;
}

static void count_of(struct knp_prom *p, const struct knp_reflect *r,
		     const char *reason, uint64_t n)
{
	const struct knp_prom_label labels[] = {
		{ "resource", knp_kube_resource(r->kind) },
		{ reason ? "reason" : NULL, reason },
		{ NULL, NULL },
	};

	knp_prom_count(p, labels, n);
}

static void value_of(struct knp_prom *p, const struct knp_reflect *r,
		     double value)
{
	const struct knp_prom_label labels[] = {
		{ "resource", knp_kube_resource(r->kind) },
		{ NULL, NULL },
	};

	knp_prom_value(p, labels, value);
}

static void render_endings(const struct knp_scrape *s, struct knp_prom *p)
{
	const struct knp_reflect *r;

	knp_prom_family(p, "knp_watch_restarts_total", "counter",
			"Requests to the API server that ended, other than by a whole list, by resource and reason.");
	for (unsigned int i = 0; (r = resource(s, i)); i++)
		for (int how = 0; how <= KNP_END_MAX; how++)
			count_of(p, r, knp_end_name(how), r->endings[how]);
	knp_prom_family(p, "knp_relists_total", "counter",
			"Lists that had to be read again, by resource and reason.");
	for (unsigned int i = 0; (r = resource(s, i)); i++)
		for (int why = 0; why <= KNP_RELIST_MAX; why++)
			count_of(p, r, knp_relist_name(why), r->relists[why]);
}

/* A resourceVersion is opaque: shown where it is a number all the same. */
static void render_versions(const struct knp_scrape *s, struct knp_prom *p)
{
	const struct knp_reflect *r;

	knp_prom_family(p, "knp_last_rv", "gauge",
			"Last resourceVersion seen, where it is a number.");
	for (unsigned int i = 0; (r = resource(s, i)); i++)
		if (r->version[0] &&
		    strspn(r->version, "0123456789") == strlen(r->version))
			value_of(p, r, strtod(r->version, NULL));
}

static void render_watches(const struct knp_scrape *s, struct knp_prom *p)
{
	const struct knp_reflect *r;

	knp_prom_family(p, "knp_watch_requests_total", "counter",
			"Requests to the API server, lists and watches, by resource.");
	for (unsigned int i = 0; (r = resource(s, i)); i++)
		count_of(p, r, NULL, r->requests);
	render_endings(s, p);
	render_versions(s, p);
	knp_prom_family(p, "knp_last_event_timestamp_seconds", "gauge",
			"When the API server last sent anything, seconds since the epoch; 0: never.");
	for (unsigned int i = 0; (r = resource(s, i)); i++)
		value_of(p, r, epoch(s, r->contact_at));
	knp_prom_family(p, "knp_last_current_timestamp_seconds", "gauge",
			"When the objects of a resource were last known to be current, seconds since the epoch; 0: never.");
	for (unsigned int i = 0; (r = resource(s, i)); i++)
		value_of(p, r, epoch(s, r->current_at));
}

/* ---- the module ----------------------------------------------------------- */

static void render_setup(const struct knp_scrape *s, struct knp_prom *p)
{
	const struct knp_info *info = &s->kernel->info;
	bool there = s->kernel->there;
	char abi[16];

	snprintf(abi, sizeof(abi), "%u", info->abi);
	knp_prom_family(p, "knp_module_info", "gauge",
			"1 while knp.ko answers; its version and ABI.");
	if (there)
		knp_prom_count(p, LABELS({ "version", info->version },
					 { "abi", abi }), 1);
	knp_prom_family(p, "knp_attached", "gauge",
			"1 if hooks of the family are attached.");
	for (int i = 0; there && knp_families[i].name; i++)
		knp_prom_count(p, LABELS({ "family", knp_families[i].name }),
			       !!(info->families & knp_families[i].bit));
	knp_prom_family(p, "knp_mode", "gauge", "1 for the mode that is set.");
	if (there) {
		knp_prom_count(p, LABELS({ "mode", "enforce" }),
			       info->mode == KNP_MODE_ENFORCE);
		knp_prom_count(p, LABELS({ "mode", "audit" }),
			       info->mode == KNP_MODE_AUDIT);
	}
	knp_prom_family(p, "knp_snapshot_age_seconds", "gauge",
			"Time since the last commit.");
	if (there && info->commit_time)
		knp_prom_value(p, NULL, real_now() -
			       (double)info->commit_time / 1e9);
}

static void render_tables(const struct knp_scrape *s, struct knp_prom *p)
{
	const struct knp_table_info *t = s->kernel->info.tables;
	uint32_t last = s->kernel->there ? KNP_TABLE_MAX : 0;

	knp_prom_family(p, "knp_table_records", "gauge",
			"Records of the current generation, by table.");
	for (uint32_t i = 1; i <= last; i++)
		knp_prom_count(p, LABELS({ "table", knp_table_name(i) }),
			       t[i].count);
	knp_prom_family(p, "knp_table_limit", "gauge",
			"Records that a table takes at most.");
	for (uint32_t i = 1; i <= last; i++)
		knp_prom_count(p, LABELS({ "table", knp_table_name(i) }),
			       t[i].limit);
	knp_prom_family(p, "knp_module_memory_bytes", "gauge",
			"Memory of the tables in the kernel, of all network namespaces and of generations that are going.");
	if (s->kernel->there)
		knp_prom_count(p, NULL, s->kernel->info.memory);
}

/* @passed: the reasons for which packets pass, else those of drops */
static void render_reasons(const struct knp_scrape *s, struct knp_prom *p,
			   bool passed, bool bytes)
{
	uint32_t from = passed ? 1 : KNP_REASON_PASS_LAST + 1;
	uint32_t to = passed ? KNP_REASON_PASS_LAST : KNP_REASON_MAX;
	const struct knp_counter *c = s->kernel->counters.reasons;

	for (uint32_t i = from; s->kernel->there && i <= to; i++)
		knp_prom_count(p, LABELS({ "reason", knp_reason_name(i) }),
			       bytes ? c[i].bytes : c[i].packets);
}

static void render_packets(const struct knp_scrape *s, struct knp_prom *p)
{
	knp_prom_family(p, "knp_drop_total", "counter",
			"Packets that were dropped, in mode audit would have been, by reason.");
	render_reasons(s, p, false, false);
	knp_prom_family(p, "knp_drop_bytes_total", "counter",
			"Bytes of packets that were dropped, by reason.");
	render_reasons(s, p, false, true);
	knp_prom_family(p, "knp_pass_total", "counter",
			"Packets that passed, by reason; allowed: by a rule.");
	render_reasons(s, p, true, false);
	knp_prom_family(p, "knp_pass_bytes_total", "counter",
			"Bytes of packets that passed, by reason.");
	render_reasons(s, p, true, true);
}

/* A key is "ingress/namespace/policy", see metrics.c. */
static void render_policy(struct knp_prom *p, const char *key, uint64_t value)
{
	char direction[16], ns[256];
	const char *at, *name;

	at = strchr(key, '/');
	name = at ? strchr(at + 1, '/') : NULL;
	if (!name)
		return;
	snprintf(direction, sizeof(direction), "%.*s", (int)(at - key), key);
	snprintf(ns, sizeof(ns), "%.*s", (int)(name - at - 1), at + 1);
	knp_prom_count(p, LABELS({ "direction", direction },
				 { "namespace", ns }, { "policy", name + 1 }),
		       value);
}

static void render_tally(const struct knp_tally *t, struct knp_prom *p,
			 bool bytes)
{
	struct knp_tally_count c = knp_tally_rest(t);
	const char *key;

	/* All labels are empty in what is no policy's by name. */
	knp_prom_count(p, LABELS({ "direction", "" }, { "namespace", "" },
				 { "policy", "" }),
		       bytes ? c.bytes : c.packets);
	for (size_t i = 0; i < knp_tally_shown(t); i++) {
		key = knp_tally_at(t, i, &c);
		render_policy(p, key, bytes ? c.bytes : c.packets);
	}
}

static void render_policies(const struct knp_scrape *s, struct knp_prom *p)
{
	const struct knp_tally *const *t =
		(const struct knp_tally *const *)s->m->by_policy;

	knp_prom_family(p, "knp_policy_drop_total", "counter",
			"Packets that pods isolated by the policy did not send or get for want of a rule that allows them.");
	render_tally(t[KNP_POLICY_DROPS], p, false);
	knp_prom_family(p, "knp_policy_drop_bytes_total", "counter",
			"Bytes of the packets of knp_policy_drop_total.");
	render_tally(t[KNP_POLICY_DROPS], p, true);
	knp_prom_family(p, "knp_policy_allow_total", "counter",
			"Packets that a rule of the policy allowed; a packet that both sides judge counts for each.");
	render_tally(t[KNP_POLICY_ALLOWS], p, false);
	knp_prom_family(p, "knp_policy_allow_bytes_total", "counter",
			"Bytes of the packets of knp_policy_allow_total.");
	render_tally(t[KNP_POLICY_ALLOWS], p, true);
}

int knp_metrics_render(const struct knp_scrape *s, struct evbuffer *out)
{
	struct knp_prom p = { .out = out };

	render_process(s, &p);
	render_http(s, &p);
	render_health(s, &p);
	render_commits(s, &p);
	render_objects(s, &p);
	render_watches(s, &p);
	render_setup(s, &p);
	render_tables(s, &p);
	render_packets(s, &p);
	render_policies(s, &p);
	knp_npm_render_node(s, &p);
	knp_npm_render_cluster(s, &p);
	return p.failed ? -ENOMEM : 0;
}
