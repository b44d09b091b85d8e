/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who the metrics server is, and who may ask it: a certificate and its key, and
 * at least one of a bearer token and a CA whose certificates clients must have.
 *
 * All are files that are replaced while knpd runs. The certificate, its key and
 * the CA are looked at (stat(2)) when a client connects, the token when one
 * asks, but not more often than once a second; what cannot be read or does not
 * fit together leaves what was there in use, and is said once. Where nothing
 * good was read yet nobody is let in.
 */
#ifndef KNP_METRICS_TLS_H
#define KNP_METRICS_TLS_H

#include <stdbool.h>

struct ssl_st;
struct knp_metrics_tls;

/** struct knp_metrics_tls_options - paths; borrowed, NULL: none */
struct knp_metrics_tls_options {
	const char *cert;
	const char *key;
	const char *token;
	const char *client_ca;
};

/*
 * Read all files. Return 0, or -ENOMEM. To knp_metrics_tls_close(), which
 * accepts NULL.
 */
int knp_metrics_tls_open(const struct knp_metrics_tls_options *options,
			 struct knp_metrics_tls **ret);
void knp_metrics_tls_close(struct knp_metrics_tls *t);

/* A connection of a server, to SSL_free(); NULL if there can be none. */
struct ssl_st *knp_metrics_tls_accept(struct knp_metrics_tls *t);

/*
 * Whether who sent this Authorization header (NULL: none) may ask; a client's
 * certificate was verified before.
 */
bool knp_metrics_tls_allows(struct knp_metrics_tls *t, const char *header);

#endif /* KNP_METRICS_TLS_H */
