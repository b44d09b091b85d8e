/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metrics of Azure Network Policy Manager by their names, types, labels and
 * paths, so that its dashboards and scrape configurations go on working. What
 * they count here is the nearest thing that there is: docs/metrics.md.
 *
 * Source: npm/metrics of Azure/azure-container-networking.
 */
#ifndef KNP_METRICS_NPM_H
#define KNP_METRICS_NPM_H

#include <stdint.h>

#include "prom.h"
#include "store.h"

struct knp_scrape;

/**
 * struct knp_npm - what is observed for them; times in ms
 * @exec: by enum knp_kind, enum knp_change, and whether it failed
 * @rules, @sets: of each commit
 * @restore: histogram of commits that made or changed policies, in seconds
 * @remove: of those that deleted some
 * @failures: that could not be committed, by enum knp_change
 * @seen: changes of the store that were observed already
 */
struct knp_npm {
	struct knp_summary exec[KNP_KIND_POLICY + 1][KNP_CHANGES][2];
	struct knp_summary rules;
	struct knp_summary sets;
	struct knp_histogram restore[KNP_CHANGES];
	struct knp_histogram remove;
	uint64_t failures[KNP_CHANGES];
	uint64_t seen[KNP_KIND_POLICY + 1][KNP_CHANGES];
};

void knp_npm_init(struct knp_npm *n);

/*
 * What changed in the store since the last call took @ms until it was enforced,
 * or until that failed; @commit_ms of them for the commit, less than 0 if there
 * was none.
 */
void knp_npm_observe(struct knp_npm *n, const struct knp_store *store,
		     bool failed, double ms, double commit_ms, int64_t now_ms);

/* What Azure NPM has at /node-metrics, and at /cluster-metrics. */
void knp_npm_render_node(const struct knp_scrape *s, struct knp_prom *p);
void knp_npm_render_cluster(const struct knp_scrape *s, struct knp_prom *p);

#endif /* KNP_METRICS_NPM_H */
