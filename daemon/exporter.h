/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shows knpd to others: what it counts and what the module counts, rendered
 * (metrics.h) when somebody asks for it (metrics_http.h), and whether it is
 * ready (health.h).
 *
 * The module is asked by a connection of its own, at each scrape: what fails
 * there leaves the one that enforces alone.
 *
 * Context: the event loop.
 */
#ifndef KNP_EXPORTER_H
#define KNP_EXPORTER_H

#include "enforcer.h"
#include "health.h"
#include "metrics_http.h"

struct event_base;
struct knp_exporter;

/** struct knp_exporter_options - @http.listen NULL: nobody is listened to */
struct knp_exporter_options {
	struct knp_metrics_http_options http;
	struct knp_health_options health;
};

/** struct knp_exporter_ops - what it asks knpd */
struct knp_exporter_ops {
	void (*state)(void *arg, struct knp_vitals *ret);
};

/*
 * @options, which knp_metrics_http_check() has accepted, @store and @enforcer must
 * outlive it. Return 0 or -ENOMEM. To knp_exporter_close(), which accepts NULL.
 */
int knp_exporter_open(struct event_base *base,
		      const struct knp_exporter_options *options,
		      const struct knp_store *store,
		      struct knp_enforcer *enforcer,
		      const struct knp_exporter_ops *ops, void *arg,
		      struct knp_exporter **ret);
void knp_exporter_close(struct knp_exporter *e);

/* As knp_metrics_enforced() and knp_metrics_refused(). @e may be NULL. */
void knp_exporter_enforced(struct knp_exporter *e,
			   const struct knp_push_result *res, int64_t since_ns);
void knp_exporter_refused(struct knp_exporter *e, int err, int64_t since_ns);

#endif /* KNP_EXPORTER_H */
