/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What knpd counts, and its metrics as Prometheus reads them; docs/metrics.md
 * says what each means. PURE but for what is said about the process itself: what
 * the kernel counts is handed in.
 *
 *   knpd -- enforced, refused --> struct knp_metrics -.
 *   knp.ko -- counters --> knp_metrics_take() --------+-> knp_metrics_render()
 *
 * Packets by policy. The kernel counts for ids, which come and go as policies
 * change; what they counted since the last look is added to the policies that
 * they are named after. What an id counted between the last look and its end is
 * missing there, and only there.
 */
#ifndef KNP_METRICS_H
#define KNP_METRICS_H

#include <stdint.h>
#include <time.h>

#include "enforcer.h"
#include "genl.h"
#include "health.h"
#include "metrics_npm.h"
#include "prom.h"
#include "tally.h"

struct evbuffer;

/* Policies that are shown by name, for each of drops and allows. */
#define KNP_POLICIES_SHOWN	100

/** enum knp_failure - why what should be enforced was not */
enum knp_failure {
	KNP_FAILED_CONTENDED,	/* others kept writing */
	KNP_FAILED_MEMORY,
	KNP_FAILED_LIMIT,	/* a table, or a message, is too small */
	KNP_FAILED_PERMISSION,
	KNP_FAILED_MODULE,	/* it went */
	KNP_FAILED_TIMEOUT,
	KNP_FAILED_OTHER,
	KNP_FAILURES,
};

/** struct knp_seen - counters of the last look, by ascending id */
struct knp_seen {
	struct knp_seen_id *v;
	size_t n;
};

/** enum knp_policy_count - what is counted by policy */
enum knp_policy_count {
	KNP_POLICY_DROPS,	/* of sets */
	KNP_POLICY_ALLOWS,	/* of rules */
	KNP_POLICY_COUNTS,
};

/**
 * struct knp_http_counts - of the server itself
 * @connections: accepted
 * @requests: answered, by the first digit of the status
 * @cut: connections that were ended for others, or took too long
 */
struct knp_http_counts {
	uint64_t connections;
	uint64_t requests[6];
	uint64_t cut;
};

/**
 * struct knp_metrics - what is counted; all zero but for what init() made
 * @started: when the process was, seconds since the epoch
 */
struct knp_metrics {
	time_t started;
	struct knp_histogram latency;
	struct knp_histogram commit;
	uint64_t failures[KNP_FAILURES];
	struct knp_tally *by_policy[KNP_POLICY_COUNTS];
	struct knp_seen seen[KNP_POLICY_COUNTS];
	uint64_t instance;
	struct knp_npm npm;
};

/** struct knp_kernel_view - what the module says; @there: it was asked */
struct knp_kernel_view {
	bool there;
	struct knp_info info;
	struct knp_counters counters;
};

/* Return 0 or -ENOMEM. To knp_metrics_clear(), also on failure. */
int knp_metrics_init(struct knp_metrics *m);
void knp_metrics_clear(struct knp_metrics *m);

/*
 * The store was enforced; @since_ns: when the oldest change began, 0 if there
 * was none.
 */
void knp_metrics_enforced(struct knp_metrics *m, const struct knp_store *store,
			  const struct knp_push_result *res, int64_t since_ns);

/* It could not be: -errno of knp_enforcer_run(). */
void knp_metrics_refused(struct knp_metrics *m, const struct knp_store *store,
			 int err, int64_t since_ns);

/* Name an id of the kernel, as knp_enforcer_name(). */
typedef bool (*knp_metrics_name_fn)(void *arg, uint32_t table, uint32_t id,
				    struct knp_enforced_name *ret);

/* Take in what the kernel counted since the last time. Return 0 or -ENOMEM. */
int knp_metrics_take(struct knp_metrics *m, const struct knp_kernel_view *k,
		     knp_metrics_name_fn name, void *arg);

/** struct knp_scrape - what is rendered; pointers are borrowed */
struct knp_scrape {
	const struct knp_metrics *m;
	const struct knp_vitals *state;
	const struct knp_health_options *health;
	const struct knp_kernel_view *kernel;
	const struct knp_http_counts *http;
	int64_t now_ms;
};

/* Append all metrics, knp_*, process_* and npm_*. Return 0 or -ENOMEM. */
int knp_metrics_render(const struct knp_scrape *s, struct evbuffer *out);

#endif /* KNP_METRICS_H */
