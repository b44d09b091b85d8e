/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to one API server, in the event loop, by libcurl.
 *
 * HTTP/1.1 with one connection per request under way, so that a slow watch
 * holds up nothing else. TLS 1.2 or newer, verified; no redirects, no proxies
 * but the configured one. A connection whose peer is gone is noticed within 45
 * seconds of the next byte that we send, or by keepalive; that a peer sends
 * nothing is for the caller to notice.
 *
 * The token and the CAs are read again as kube_secret.h says. A request that
 * was started goes on with what it has; new connections verify with the new
 * CAs.
 *
 * Context: all callbacks come from the event loop, never from within a call.
 */
#ifndef KNP_KUBE_HTTP_H
#define KNP_KUBE_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "kube_config.h"

struct event_base;
struct knp_http;
struct knp_http_call;

/** enum knp_http_end - how a request ended */
enum knp_http_end {
	KNP_HTTP_DONE,		/* the answer is complete, whatever it says */
	KNP_HTTP_CUT,		/* the connection broke */
	KNP_HTTP_REFUSED,	/* there was no connection: TCP, TLS, DNS */
	KNP_HTTP_STOPPED,	/* a callback said so */
	KNP_HTTP_BAD,		/* no HTTP, or too much of it */
	KNP_HTTP_MEMORY,
};

/**
 * struct knp_http_head - the start of an answer
 * @status: 200
 * @type: of the content, "" if it is not said
 * @retry_after: seconds, 0 if not said
 */
struct knp_http_head {
	int status;
	const char *type;
	int retry_after;
};

/** struct knp_http_ops - not 0 from head and body stops the request */
struct knp_http_ops {
	int (*head)(void *arg, const struct knp_http_head *head);
	int (*body)(void *arg, const char *data, size_t len);
	/* The last callback of a request. @text: for people, "" if DONE. */
	void (*done)(void *arg, enum knp_http_end end, const char *text);
};

/*
 * @config must outlive the result. Return 0 or -ENOMEM.
 */
int knp_http_new(struct event_base *base, const struct knp_kube_config *config,
		 struct knp_http **ret);

/* All calls must be freed. Accepts NULL. */
void knp_http_free(struct knp_http *h);

/* A place for one request at a time; NULL if out of memory. */
struct knp_http_call *knp_http_call_new(struct knp_http *h,
					const struct knp_http_ops *ops,
					void *arg);

/* Not from a callback. Accepts NULL. */
void knp_http_call_free(struct knp_http_call *call);

/*
 * Send a GET for @target (path and query), for an answer in one of the forms
 * of @accept. Return 0; -ENOMEM; -EACCES if there is no token or no CA to use,
 * with the reason in knp_http_error().
 */
int knp_http_get(struct knp_http_call *call, const char *target,
		 const char *accept);

/* Send a JSON patch (RFC 6902) for @target. As knp_http_get(). */
int knp_http_patch(struct knp_http_call *call, const char *target,
		   const char *patch);

/* Break off; no callback follows. Not from a callback. */
void knp_http_cancel(struct knp_http_call *call);

/*
 * The server did not accept the token that @call used: look for another one.
 * Return true if there is one.
 */
bool knp_http_renew(struct knp_http_call *call);

/* Why a request could not be sent, one line. */
const char *knp_http_error(const struct knp_http_call *call);

#endif /* KNP_KUBE_HTTP_H */
