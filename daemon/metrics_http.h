/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server of knpd, for Prometheus and for probes:
 *
 *   /metrics                          all metrics
 *   /node-metrics, /cluster-metrics   those of Azure NPM that it has there
 *   /healthz                          200: the event loop runs
 *   /readyz                           200 or 503, and why, one reason a line
 *
 * It listens at addresses of the loopback by plain HTTP, for everybody; at any
 * other only by TLS, for those whom metrics_tls.h lets in. Where an address
 * cannot be had, because another process has it, it is tried again: enforcement
 * does not wait for that.
 *
 * Clients cannot hold up what knpd is for: it answers GET and HEAD, one request
 * per connection, of which there are at most KNP_HTTP_CLIENTS at a time (one
 * more ends the oldest), each for at most KNP_HTTP_MS, and KNP_HTTP_RATE new ones
 * in a second; headers of more than KNP_HTTP_HEADERS bytes are refused.
 *
 * Context: the event loop.
 */
#ifndef KNP_METRICS_HTTP_H
#define KNP_METRICS_HTTP_H

#include <stdbool.h>

#include "metrics.h"
#include "metrics_tls.h"

struct event_base;
struct evbuffer;
struct knp_metrics_http;

#define KNP_HTTP_LISTENERS	4
#define KNP_HTTP_CLIENTS	32
#define KNP_HTTP_MS		5000
#define KNP_HTTP_RATE		100
#define KNP_HTTP_HEADERS	8192

/** enum knp_page - what is asked for */
enum knp_page {
	KNP_PAGE_ALL,
	KNP_PAGE_NPM_NODE,
	KNP_PAGE_NPM_CLUSTER,
};

/** struct knp_metrics_http_ops - what is answered */
struct knp_metrics_http_ops {
	/* Append a page. Return 0 or -ENOMEM. */
	int (*page)(void *arg, enum knp_page page, struct evbuffer *out);
	/* Append the reasons. Return whether knpd is ready. */
	bool (*ready)(void *arg, struct evbuffer *out);
};

/**
 * struct knp_metrics_http_options - where to listen; borrowed
 * @listen: "127.0.0.1:10097", several apart by commas
 * @tls: of the addresses that are not of the loopback
 */
struct knp_metrics_http_options {
	const char *listen;
	struct knp_metrics_tls_options tls;
};

/*
 * Whether the options can be used at all. Return 0, or -EINVAL with the reason in
 * @why: an address that is none, too many, or one that needs TLS and has none.
 */
int knp_metrics_http_check(const struct knp_metrics_http_options *o,
			   char why[256]);

/*
 * Listen from now on. Return 0; -EINVAL if the options were not checked; -ENOMEM.
 * To knp_metrics_http_close(), which accepts NULL.
 */
int knp_metrics_http_open(struct event_base *base,
			  const struct knp_metrics_http_options *options,
			  const struct knp_metrics_http_ops *ops, void *arg,
			  struct knp_metrics_http **ret);
void knp_metrics_http_close(struct knp_metrics_http *h);

/* What it has done so far. */
const struct knp_http_counts *
knp_metrics_http_counts(const struct knp_metrics_http *h);

#endif /* KNP_METRICS_HTTP_H */
