// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "clock.h"
#include "kube_secret.h"
#include "log.h"
#include "metrics_tls.h"

#define SCHEME		"Bearer "
#define TOKEN_MS	1000	/* how long a token is used unseen */

/** struct stamp - what tells that a file is another one */
struct stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec changed;
};

/* Of the certificate, the key and the CA. */
#define FILES	3

/**
 * struct knp_metrics_tls - the state
 * @ctx: of the last files that could be used, NULL: there were none
 * @stamps: of the last files that were read
 */
struct knp_metrics_tls {
	struct knp_metrics_tls_options o;
	SSL_CTX *ctx;
	struct stamp stamps[FILES];
	struct knp_secret token;
};

static int64_t now_ms(void)
{
	return knp_now_ns() / 1000000;
}

static void read_stamps(const struct knp_metrics_tls *t,
			struct stamp stamps[FILES])
{
	const char *paths[FILES] = { t->o.cert, t->o.key, t->o.client_ca };
	struct stat st;

	memset(stamps, 0, FILES * sizeof(*stamps));
	for (int i = 0; i < FILES; i++) {
		if (!paths[i] || stat(paths[i], &st))
			continue;
		stamps[i].dev = st.st_dev;
		stamps[i].ino = st.st_ino;
		stamps[i].size = st.st_size;
		stamps[i].changed = st.st_ctim;
	}
}

static SSL_CTX *refuse(SSL_CTX *ctx, const char *what, const char *path)
{
	const char *why = ERR_reason_error_string(ERR_peek_last_error());

	knp_log(KNP_LOG_ERR, "metrics: cannot use the %s %s: %s", what, path,
		why ? why : "it cannot be read");
	ERR_clear_error();
	SSL_CTX_free(ctx);
	return NULL;
}

static SSL_CTX *context(const struct knp_metrics_tls_options *o)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (!ctx)
		return NULL;
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION |
				 SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);

	if (SSL_CTX_use_certificate_chain_file(ctx, o->cert) != 1)
		return refuse(ctx, "certificate", o->cert);
	if (SSL_CTX_use_PrivateKey_file(ctx, o->key, SSL_FILETYPE_PEM) != 1)
		return refuse(ctx, "key", o->key);
	if (!o->client_ca)
		return ctx;
	if (SSL_CTX_load_verify_locations(ctx, o->client_ca, NULL) != 1)
		return refuse(ctx, "CA of clients", o->client_ca);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER |
				SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return ctx;
}

static void read_token(struct knp_metrics_tls *t)
{
	int err = t->o.token ? knp_secret_refresh(&t->token, now_ms(), true) :
			       0;

	if (err)
		knp_log(KNP_LOG_ERR, "metrics: cannot use the token in %s: %s",
			t->o.token, strerror(-err));
}

int knp_metrics_tls_open(const struct knp_metrics_tls_options *options,
			 struct knp_metrics_tls **ret)
{
	struct knp_metrics_tls *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->o = *options;
	t->token.path = options->token;
	t->token.check = knp_secret_is_token;
	t->token.period_ms = TOKEN_MS;
	read_stamps(t, t->stamps);
	t->ctx = context(&t->o);
	read_token(t);
	*ret = t;
	return 0;
}

void knp_metrics_tls_close(struct knp_metrics_tls *t)
{
	if (!t)
		return;
	SSL_CTX_free(t->ctx);
	knp_secret_clear(&t->token);
	free(t);
}

/* Files that are written one after the other do not fit for a moment. */
static void reload(struct knp_metrics_tls *t)
{
	struct stamp now[FILES];
	SSL_CTX *ctx;

	read_stamps(t, now);
	if (!memcmp(now, t->stamps, sizeof(now)))
		return;
	memcpy(t->stamps, now, sizeof(now));
	ctx = context(&t->o);
	if (!ctx)
		return;
	SSL_CTX_free(t->ctx);
	t->ctx = ctx;
	knp_log(KNP_LOG_INFO, "metrics: the certificate was read again");
}

struct ssl_st *knp_metrics_tls_accept(struct knp_metrics_tls *t)
{
	reload(t);
	return t->ctx ? SSL_new(t->ctx) : NULL;
}

bool knp_metrics_tls_allows(struct knp_metrics_tls *t, const char *header)
{
	const char *given;
	size_t len;

	if (!t->o.token)
		return true;
	if (knp_secret_refresh(&t->token, now_ms(), false) || !header ||
	    strncasecmp(header, SCHEME, strlen(SCHEME)))
		return false;
	given = header + strlen(SCHEME);
	len = strlen(given);
	return len == t->token.len && !CRYPTO_memcmp(given, t->token.text, len);
}
