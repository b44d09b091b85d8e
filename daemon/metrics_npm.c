// SPDX-License-Identifier: Apache-2.0
#include "metrics.h"

/* 16 ms, doubled 13 times: those of Azure NPM. */
static const double latency_bounds[] = {
	0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192,
	16.384, 32.768, 65.536, 131.072,
};

static const char * const operations[KNP_CHANGES] = {
	[KNP_CREATED] = "create",
	[KNP_UPDATED] = "update",
	[KNP_DELETED] = "delete",
};

static void init_histogram(struct knp_histogram *h)
{
	h->bounds = latency_bounds;
	h->nbounds = sizeof(latency_bounds) / sizeof(*latency_bounds);
}

void knp_npm_init(struct knp_npm *n)
{
	for (int op = 0; op < KNP_CHANGES; op++)
		init_histogram(&n->restore[op]);
	init_histogram(&n->remove);
}

static void observe_commit(struct knp_npm *n, const uint64_t *policies,
			   double ms, int64_t now_ms)
{
	knp_summary_add(&n->rules, ms, 1, now_ms);
	knp_summary_add(&n->sets, ms, 1, now_ms);
	for (int op = 0; op < KNP_CHANGES; op++)
		if (policies[op])
			knp_histogram_add(&n->restore[op], ms / 1000);
	if (policies[KNP_DELETED])
		knp_histogram_add(&n->remove, ms / 1000);
}

void knp_npm_observe(struct knp_npm *n, const struct knp_store *store,
		     bool failed, double ms, double commit_ms, int64_t now_ms)
{
	uint64_t fresh[KNP_KIND_POLICY + 1][KNP_CHANGES];
	const uint64_t *policies = fresh[KNP_KIND_POLICY];

	for (int kind = KNP_KIND_NAMESPACE; kind <= KNP_KIND_POLICY; kind++) {
		for (int op = 0; op < KNP_CHANGES; op++) {
			fresh[kind][op] = store->changes[kind][op] -
					  n->seen[kind][op];
			n->seen[kind][op] = store->changes[kind][op];
			knp_summary_add(&n->exec[kind][op][failed], ms,
					fresh[kind][op], now_ms);
		}
	}
	for (int op = 0; op < KNP_CHANGES; op++)
		if (failed && policies[op])
			n->failures[op]++;
	if (commit_ms >= 0)
		observe_commit(n, policies, commit_ms, now_ms);
}

/* ---- /node-metrics -------------------------------------------------------- */

static const char *text_of(bool value)
{
	return value ? "true" : "false";
}

static void render_added(const struct knp_npm *n, struct knp_prom *p,
			 int64_t now_ms)
{
	const struct knp_summary *s;

	knp_prom_family(p, "npm_add_policy_exec_time", "summary",
			"Execution time in milliseconds for adding a network policy");
	for (int failed = 0; failed < 2; failed++) {
		s = &n->exec[KNP_KIND_POLICY][KNP_CREATED][failed];
		if (s->count)
			knp_prom_summary(p, KNP_PROM_LABELS({ "had_error", text_of(failed) }),
					 s, now_ms);
	}
}

static void render_times(struct knp_prom *p, const struct knp_summary *s,
			 int op, bool failed, int64_t now_ms)
{
	const struct knp_prom_label labels[] = {
		{ "operation", operations[op] },
		{ "had_error", text_of(failed) },
		{ NULL, NULL },
	};

	knp_prom_summary(p, labels, s, now_ms);
}

static void render_exec(const struct knp_npm *n, struct knp_prom *p,
			enum knp_kind kind, int64_t now_ms)
{
	const struct knp_summary *s;

	for (int op = 0; op < KNP_CHANGES; op++) {
		/* Policies that are added have a metric of their own. */
		if (kind == KNP_KIND_POLICY && op == KNP_CREATED)
			continue;
		for (int failed = 0; failed < 2; failed++) {
			s = &n->exec[kind][op][failed];
			if (s->count)
				render_times(p, s, op, failed, now_ms);
		}
	}
}

static void render_latencies(const struct knp_npm *n, struct knp_prom *p)
{
	const struct knp_prom_label *labels;

	knp_prom_family(p, "npm_linux_iptables_restore_latency_seconds",
			"histogram",
			"Latency in seconds to restore iptables rules by operation label (add/delete NetPol)");
	for (int op = 0; op < KNP_CHANGES; op++) {
		labels = KNP_PROM_LABELS({ "operation", operations[op] });
		knp_prom_histogram(p, labels, &n->restore[op]);
	}
	knp_prom_family(p, "npm_linux_iptables_delete_latency_seconds",
			"histogram",
			"Latency in seconds to delete an iptables rule");
	knp_prom_histogram(p, NULL, &n->remove);
	knp_prom_family(p, "npm_linux_iptables_restore_failure_total", "counter",
			"Number of failures while restoring iptable rules by operation label (add/delete NetPol)");
	for (int op = 0; op < KNP_CHANGES; op++) {
		labels = KNP_PROM_LABELS({ "operation", operations[op] });
		knp_prom_count(p, labels, n->failures[op]);
	}
}

void knp_npm_render_node(const struct knp_scrape *s, struct knp_prom *p)
{
	const struct knp_npm *n = &s->m->npm;

	render_added(n, p, s->now_ms);
	knp_prom_family(p, "npm_controller_policy_exec_time", "summary",
			"Execution time in milliseconds for updating/deleting a network policy. NOTE: for adding, see npm_add_policy_exec_time");
	render_exec(n, p, KNP_KIND_POLICY, s->now_ms);
	knp_prom_family(p, "npm_controller_pod_exec_time", "summary",
			"Execution time in milliseconds for adding/updating/deleting a pod");
	render_exec(n, p, KNP_KIND_POD, s->now_ms);
	knp_prom_family(p, "npm_controller_namespace_exec_time", "summary",
			"Execution time in milliseconds for adding/updating/deleting a namespace");
	render_exec(n, p, KNP_KIND_NAMESPACE, s->now_ms);
	knp_prom_family(p, "npm_add_iptables_rule_exec_time", "summary",
			"Execution time in milliseconds for adding an IPTable rule to a chain");
	knp_prom_summary(p, NULL, &n->rules, s->now_ms);
	knp_prom_family(p, "npm_add_ipset_exec_time", "summary",
			"Execution time in milliseconds for creating an IP set");
	knp_prom_summary(p, NULL, &n->sets, s->now_ms);
	render_latencies(n, p);
}

/* ---- /cluster-metrics ----------------------------------------------------- */

static uint64_t records(const struct knp_scrape *s, uint32_t table)
{
	return s->kernel->there ? s->kernel->info.tables[table].count : 0;
}

/* Tables of addresses take the place of sets of addresses. */
static void render_sets(const struct knp_scrape *s, struct knp_prom *p)
{
	static const uint32_t tables[] = {
		KNP_TABLE_PEER, KNP_TABLE_CIDR, KNP_TABLE_ENDPOINT,
	};
	const char *name;

	knp_prom_family(p, "npm_ipset_counts", "gauge",
			"The number of entries in each individual IPSet");
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		name = knp_table_name(tables[i]);
		knp_prom_count(p, KNP_PROM_LABELS({ "set_name", name },
						  { "set_hash", name }),
			       records(s, tables[i]));
	}
}

void knp_npm_render_cluster(const struct knp_scrape *s, struct knp_prom *p)
{
	const struct knp_store *store = s->state->status->store;

	knp_prom_gauge(p, "npm_num_policies",
		       "The number of current network policies for this node",
		       (double)store->npolicies);
	knp_prom_gauge(p, "npm_num_iptables_rules",
		       "The number of current IPTable rules for this node",
		       (double)records(s, KNP_TABLE_RULE));
	knp_prom_gauge(p, "npm_num_ipsets",
		       "The number of current IP sets for this node",
		       (double)records(s, KNP_TABLE_CLASS));
	knp_prom_gauge(p, "npm_num_ipset_entries",
		       "The total number of entries in every IPSet",
		       (double)(records(s, KNP_TABLE_PEER) +
				records(s, KNP_TABLE_CIDR)));
	render_sets(s, p);
	knp_prom_gauge(p, "npm_pods_watched",
		       "Number of Pods NPM tracks across the cluster including Linux and Windows nodes",
		       (double)store->npods);
}
