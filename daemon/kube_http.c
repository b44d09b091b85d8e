// SPDX-License-Identifier: Apache-2.0
#include <curl/curl.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "kube_http.h"
#include "kube_secret.h"

#ifndef KNP_VERSION
#define KNP_VERSION	"unknown"
#endif

#define CONNECT_MS	30000L
#define USER_TIMEOUT_MS	45000U
#define HEADERS_MAX	(64UL << 10)
/* What is read at once: a list of Pods is half a gigabyte in a large cluster. */
#define BUFFER_SIZE	(128L << 10)

struct knp_http {
	const struct knp_kube_config *config;
	struct event_base *base;
	struct event *timer;
	CURLM *multi;
	struct knp_secret token;
	struct knp_secret ca;
	char *url;
	char *host;
	struct curl_slist *connect_to;
};

/**
 * struct knp_http_call - one request at a time
 * @token: generation of the token that was used
 * @headers: bytes of headers so far
 * @headed: the start of the answer was reported
 * @busy: a request is under way
 */
struct knp_http_call {
	struct knp_http *h;
	const struct knp_http_ops *ops;
	void *arg;
	CURL *easy;
	struct curl_slist *list;
	unsigned int token;
	size_t headers;
	bool headed;
	bool busy;
	char error[CURL_ERROR_SIZE + 128];
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- libcurl in the event loop ---------------------------------------------- */

static enum knp_http_end end_of(CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		return KNP_HTTP_DONE;
	case CURLE_WRITE_ERROR:
	case CURLE_ABORTED_BY_CALLBACK:
		return KNP_HTTP_STOPPED;
	case CURLE_OUT_OF_MEMORY:
		return KNP_HTTP_MEMORY;
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return KNP_HTTP_CUT;
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_BAD_CONTENT_ENCODING:
		return KNP_HTTP_BAD;
	default:
		return KNP_HTTP_REFUSED;
	}
}

static void wipe_headers(struct knp_http_call *call)
{
	for (struct curl_slist *l = call->list; l; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	curl_slist_free_all(call->list);
	call->list = NULL;
}

/* For people; without times and counts, so that the same error reads the same. */
static void explain(struct knp_http_call *call, CURLcode code)
{
	long err = 0;

	if (call->headers > HEADERS_MAX) {
		snprintf(call->error, sizeof(call->error),
			 "too many bytes of headers");
	} else if (code == CURLE_COULDNT_CONNECT ||
		   code == CURLE_OPERATION_TIMEDOUT) {
		curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &err);
		snprintf(call->error, sizeof(call->error),
			 "cannot connect to %s: %s", call->h->config->server,
			 strerror(err ? (int)err : ETIMEDOUT));
	} else if (end_of(code) != KNP_HTTP_REFUSED || !*call->error) {
		snprintf(call->error, sizeof(call->error), "%s",
			 curl_easy_strerror(code));
	}
}

static void end(struct knp_http_call *call, CURLcode code)
{
	enum knp_http_end how = end_of(code);

	explain(call, code);
	if (call->headers > HEADERS_MAX)
		how = KNP_HTTP_BAD;
	curl_multi_remove_handle(call->h->multi, call->easy);
	wipe_headers(call);
	call->busy = false;
	call->ops->done(call->arg, how, how == KNP_HTTP_DONE ? "" :
			call->error);
}

static void collect(struct knp_http *h)
{
	struct knp_http_call *call;
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(h->multi, &left))) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &call);
		end(call, msg->data.result);
	}
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct knp_http *h = arg;
	int running;
	int flags = 0;

	if (what & EV_READ)
		flags |= CURL_CSELECT_IN;
	if (what & EV_WRITE)
		flags |= CURL_CSELECT_OUT;
	curl_multi_socket_action(h->multi, fd, flags, &running);
	collect(h);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct knp_http *h = arg;
	int running;

	(void)fd;
	(void)what;
	curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(h);
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *arg,
		      void *socket)
{
	struct event *event = socket;
	struct knp_http *h = arg;
	short flags = EV_PERSIST;

	(void)easy;
	if (event)
		event_free(event);
	curl_multi_assign(h->multi, fd, NULL);
	if (what == CURL_POLL_REMOVE)
		return 0;

	if (what & CURL_POLL_IN)
		flags |= EV_READ;
	if (what & CURL_POLL_OUT)
		flags |= EV_WRITE;
	event = event_new(h->base, fd, flags, on_socket, h);
	if (!event || event_add(event, NULL)) {
		if (event)
			event_free(event);
		return -1;
	}
	curl_multi_assign(h->multi, fd, event);
	return 0;
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
	struct knp_http *h = arg;
	struct timeval tv;

	(void)multi;
	if (ms < 0)
		return evtimer_del(h->timer);
	tv = knp_timeval(ms);
	return evtimer_add(h->timer, &tv);
}

/* ---- one request -------------------------------------------------------------- */

static int set_socket_options(void *arg, curl_socket_t fd, curlsocktype type)
{
	unsigned int ms = USER_TIMEOUT_MS;

	(void)arg;
	(void)type;
	if (setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms)))
		return CURL_SOCKOPT_ERROR;
	return CURL_SOCKOPT_OK;
}

static int report_head(struct knp_http_call *call, long status)
{
	struct knp_http_head head = { .status = (int)status, .type = "" };
	curl_off_t after = 0;
	const char *type = NULL;

	curl_easy_getinfo(call->easy, CURLINFO_CONTENT_TYPE, &type);
	curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &after);
	if (type)
		head.type = type;
	if (after > 0)
		head.retry_after = after < 86400 ? (int)after : 86400;
	call->headed = true;
	return call->ops->head(call->arg, &head);
}

/* An empty line ends the headers; trailers look the same. */
static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
	struct knp_http_call *call = arg;
	size_t len = size * n;
	long status = 0;

	call->headers += len;
	if (call->headers > HEADERS_MAX)
		return 0;
	if (call->headed || len > 2 || (*data != '\r' && *data != '\n'))
		return len;
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200 && report_head(call, status))
		return 0;
	return len;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct knp_http_call *call = arg;

	/* Without headers it is HTTP/0.9, which libcurl does not speak. */
	if (call->ops->body(call->arg, data, size * n))
		return 0;
	return size * n;
}

static CURLcode set_blob(CURL *easy, CURLoption option, const char *text,
			 size_t len)
{
	struct curl_blob blob = {
		.data = (void *)text,
		.len = len,
		.flags = CURL_BLOB_COPY,
	};

	return curl_easy_setopt(easy, option, &blob);
}

static int set_client_cert(const struct knp_http_call *call)
{
	const struct knp_kube_config *c = call->h->config;
	CURL *easy = call->easy;
	int bad = 0;

	if (c->cert.v)
		bad |= set_blob(easy, CURLOPT_SSLCERT_BLOB, c->cert.v,
				c->cert.len);
	else if (c->cert_file)
		bad |= curl_easy_setopt(easy, CURLOPT_SSLCERT, c->cert_file);
	if (c->key.v)
		bad |= set_blob(easy, CURLOPT_SSLKEY_BLOB, c->key.v,
				c->key.len);
	else if (c->key_file)
		bad |= curl_easy_setopt(easy, CURLOPT_SSLKEY, c->key_file);
	return bad;
}

/* What no request changes. */
static int set_options(struct knp_http_call *call)
{
	const struct knp_kube_config *c = call->h->config;
	CURL *easy = call->easy;
	int bad = 0;

	bad |= curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
	bad |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error);
	bad |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* Nobody is there to be asked for a key's passphrase. */
	bad |= curl_easy_setopt(easy, CURLOPT_KEYPASSWD, "");
	bad |= curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, BUFFER_SIZE);
	bad |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
				(long)CURL_HTTP_VERSION_1_1);
	bad |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https,http");
	bad |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	bad |= curl_easy_setopt(easy, CURLOPT_SSLVERSION,
				(long)CURL_SSLVERSION_TLSv1_2);
	bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	/* A resumed session would not be verified with the CAs of today. */
	bad |= curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	bad |= curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
	bad |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	bad |= curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
	bad |= curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 10L);
	bad |= curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION,
				set_socket_options);
	bad |= curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	bad |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
	bad |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	bad |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	bad |= curl_easy_setopt(easy, CURLOPT_USERAGENT, "knpd/" KNP_VERSION);
	/* "": not that of the environment either. */
	bad |= curl_easy_setopt(easy, CURLOPT_PROXY, c->proxy ? c->proxy : "");
	bad |= curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	if (call->h->connect_to)
		bad |= curl_easy_setopt(easy, CURLOPT_CONNECT_TO,
					call->h->connect_to);
	return bad | set_client_cert(call) ? -ENOMEM : 0;
}

/* "Key: value", appended to the headers of a request. */
static int add_header(struct knp_http_call *call, const char *key,
		      const char *value)
{
	struct curl_slist *list = NULL;
	char *text;
	int n;

	n = asprintf(&text, "%s: %s", key, value);
	if (n < 0)
		return -ENOMEM;
	list = curl_slist_append(call->list, text);
	knp_secret_free(text, (size_t)n);
	if (!list)
		return -ENOMEM;
	call->list = list;
	return 0;
}

__attribute__((format(printf, 2, 3)))
static int unusable(struct knp_http_call *call, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(call->error, sizeof(call->error), format, args);
	va_end(args);
	return -EACCES;
}

static const char *why_not(int err)
{
	return err == -EINVAL ? "holds no such thing" : strerror(-err);
}

/* The CAs and the token as they are now. */
static int prove(struct knp_http_call *call)
{
	struct knp_http *h = call->h;
	const struct knp_kube_config *c = h->config;
	const char *ca = c->ca.v;
	size_t len = c->ca.len;
	char *bearer;
	int err;

	if (!ca && c->ca_file) {
		err = knp_secret_refresh(&h->ca, now_ms(), false);
		if (err)
			return unusable(call, "cannot use the CA file %s: %s",
					c->ca_file, why_not(err));
		ca = h->ca.text;
		len = h->ca.len;
	}
	if (ca && (curl_easy_setopt(call->easy, CURLOPT_CAINFO, NULL) ||
		   curl_easy_setopt(call->easy, CURLOPT_CAPATH, NULL) ||
		   set_blob(call->easy, CURLOPT_CAINFO_BLOB, ca, len)))
		return -ENOMEM;

	if (!c->token && !c->token_file)
		return 0;
	err = knp_secret_refresh(&h->token, now_ms(), false);
	if (err)
		return unusable(call, "cannot use the token file %s: %s",
				c->token_file, why_not(err));
	call->token = h->token.generation;
	if (asprintf(&bearer, "Bearer %s", h->token.text) < 0)
		return -ENOMEM;
	err = add_header(call, "Authorization", bearer);
	knp_secret_free(bearer, strlen(bearer));
	return err;
}

static int prepare(struct knp_http_call *call, const char *target,
		   const char *accept)
{
	struct knp_http *h = call->h;
	CURLcode code;
	char *url;
	int err;

	err = prove(call);
	if (!err)
		err = add_header(call, "Accept", accept);
	if (!err && h->host)
		err = add_header(call, "Host", h->host);
	if (err)
		return err;

	if (asprintf(&url, "%s%s", h->url, target) < 0)
		return -ENOMEM;
	code = curl_easy_setopt(call->easy, CURLOPT_URL, url);
	free(url);
	if (code ||
	    curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->list))
		return -ENOMEM;
	return 0;
}

/* A GET, or, with a @patch, a PATCH. */
static int set_method(struct knp_http_call *call, const char *patch)
{
	CURL *easy = call->easy;
	int err;

	if (!patch)
		return curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL) ||
		       curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) ?
			-ENOMEM : 0;

	err = add_header(call, "Content-Type", "application/json-patch+json");
	if (err)
		return err;
	/* The text is copied, up to its NUL. */
	return curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, -1L) ||
	       curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, patch) ||
	       curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "PATCH") ?
		-ENOMEM : 0;
}

static int send_request(struct knp_http_call *call, const char *target,
			const char *accept, const char *patch)
{
	int err;

	call->headers = 0;
	call->headed = false;
	call->error[0] = '\0';
	err = set_method(call, patch);
	if (!err)
		err = prepare(call, target, accept);
	if (!err && curl_multi_add_handle(call->h->multi, call->easy))
		err = -ENOMEM;
	if (err)
		wipe_headers(call);
	else
		call->busy = true;
	return err;
}

int knp_http_get(struct knp_http_call *call, const char *target,
		 const char *accept)
{
	return send_request(call, target, accept, NULL);
}

int knp_http_patch(struct knp_http_call *call, const char *target,
		   const char *patch)
{
	return send_request(call, target, "application/json", patch);
}

void knp_http_cancel(struct knp_http_call *call)
{
	if (!call->busy)
		return;
	curl_multi_remove_handle(call->h->multi, call->easy);
	wipe_headers(call);
	call->busy = false;
}

bool knp_http_renew(struct knp_http_call *call)
{
	struct knp_secret *token = &call->h->token;

	/* Another request may have found it already. */
	if (token->path && token->generation == call->token)
		knp_secret_refresh(token, now_ms(), true);
	return token->generation != call->token;
}

const char *knp_http_error(const struct knp_http_call *call)
{
	return call->error;
}

struct knp_http_call *knp_http_call_new(struct knp_http *h,
					const struct knp_http_ops *ops,
					void *arg)
{
	struct knp_http_call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	call->h = h;
	call->ops = ops;
	call->arg = arg;
	call->easy = curl_easy_init();
	if (!call->easy || set_options(call)) {
		knp_http_call_free(call);
		return NULL;
	}
	return call;
}

void knp_http_call_free(struct knp_http_call *call)
{
	if (!call)
		return;
	if (call->easy) {
		knp_http_cancel(call);
		curl_easy_cleanup(call->easy);
	}
	free(call);
}

/* ---- all requests --------------------------------------------------------------- */

/*
 * libcurl verifies the name in the URL. So where another one is expected, the
 * URL has that one, and libcurl is told where to connect to.
 */
static int split_server(struct knp_http *h, CURLU *u)
{
	char *host = NULL;
	char *port = NULL;
	char *url = NULL;
	char *to = NULL;
	int err = -ENOMEM;

	if (curl_url_set(u, CURLUPART_URL, h->config->server, 0) ||
	    curl_url_get(u, CURLUPART_HOST, &host, 0) ||
	    curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) ||
	    curl_url_set(u, CURLUPART_HOST, h->config->server_name, 0) ||
	    curl_url_get(u, CURLUPART_URL, &url, 0))
		goto out;
	if (asprintf(&to, "::%s:%s", host, port) < 0) {
		to = NULL;
		goto out;
	}
	h->connect_to = curl_slist_append(NULL, to);
	h->host = strdup(to + 2);
	h->url = strdup(url);
	if (h->connect_to && h->host && h->url)
		err = 0;
	/* A path of "/" is added where there was none. */
	if (!err && h->url[strlen(h->url) - 1] == '/')
		h->url[strlen(h->url) - 1] = '\0';
out:
	free(to);
	curl_free(url);
	curl_free(port);
	curl_free(host);
	return err;
}

static int set_server(struct knp_http *h)
{
	CURLU *u;
	int err;

	if (!h->config->server_name) {
		h->url = strdup(h->config->server);
		return h->url ? 0 : -ENOMEM;
	}
	u = curl_url();
	if (!u)
		return -ENOMEM;
	err = split_server(h, u);
	curl_url_cleanup(u);
	return err;
}

static int set_token(struct knp_http *h)
{
	const struct knp_kube_config *c = h->config;

	h->token.check = knp_secret_is_token;
	h->token.period_ms = KNP_TOKEN_MS;
	h->ca.check = knp_secret_is_ca;
	h->ca.path = c->ca_file;
	h->token.path = c->token_file;
	if (c->token_file || !c->token)
		return 0;
	h->token.text = strdup(c->token);
	h->token.len = strlen(c->token);
	return h->token.text ? 0 : -ENOMEM;
}

static int set_multi(struct knp_http *h)
{
	int bad = 0;

	bad |= curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
	bad |= curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	bad |= curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	bad |= curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	bad |= curl_multi_setopt(h->multi, CURLMOPT_PIPELINING,
				 (long)CURLPIPE_NOTHING);
	return bad ? -ENOMEM : 0;
}

int knp_http_new(struct event_base *base, const struct knp_kube_config *config,
		 struct knp_http **ret)
{
	struct knp_http *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->base = base;
	h->config = config;
	if (curl_global_init(CURL_GLOBAL_DEFAULT)) {
		free(h);
		return -ENOMEM;
	}
	h->timer = evtimer_new(base, on_timer, h);
	h->multi = curl_multi_init();
	if (!h->timer || !h->multi || set_multi(h) || set_server(h) ||
	    set_token(h)) {
		knp_http_free(h);
		return -ENOMEM;
	}
	*ret = h;
	return 0;
}

void knp_http_free(struct knp_http *h)
{
	if (!h)
		return;
	if (h->multi)
		curl_multi_cleanup(h->multi);
	if (h->timer)
		event_free(h->timer);
	knp_secret_clear(&h->token);
	knp_secret_clear(&h->ca);
	curl_slist_free_all(h->connect_to);
	free(h->host);
	free(h->url);
	free(h);
	curl_global_cleanup();
}
