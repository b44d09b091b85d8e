// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "log.h"
#include "metrics_http.h"

#define BACKLOG		16
#define IDLE_S		5	/* a client that neither sends nor reads */
#define RETRY_S		2

/** struct address - where to listen */
struct address {
	char text[64];
	struct sockaddr_storage sa;
	int len;
	bool loopback;
};

/**
 * struct client - a connection, from its accept(2) on
 * @bev: held, so that its socket is not another one's when we end it
 * @evcon: known once it has asked something
 */
struct client {
	struct knp_metrics_http *h;
	struct bufferevent *bev;
	struct evhttp_connection *evcon;
	struct event *deadline;
};

/** struct listener - one address; @bound is NULL while it cannot be had */
struct listener {
	struct knp_metrics_http *h;
	struct address address;
	struct evhttp *http;
	struct evconnlistener *bound;
	struct event *retry;
	bool complained;
};

/**
 * struct knp_metrics_http - the server
 * @clients: @nclients of them, in the order of their coming
 * @second: pending since the first client of this second came
 * @came: clients in this second
 */
struct knp_metrics_http {
	struct event_base *base;
	const struct knp_metrics_http_ops *ops;
	void *arg;
	struct knp_metrics_tls *tls;
	struct listener listeners[KNP_HTTP_LISTENERS];
	size_t nlisteners;
	struct client *clients[KNP_HTTP_CLIENTS];
	size_t nclients;
	struct event *second;
	unsigned int came;
	struct knp_http_counts counts;
};

/* ---- addresses ------------------------------------------------------------ */

static bool is_loopback(const struct sockaddr_storage *sa)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
	const struct sockaddr_in *in = (const struct sockaddr_in *)sa;

	if (sa->ss_family == AF_INET)
		return ntohl(in->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

static bool has_port(const struct sockaddr_storage *sa)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
	const struct sockaddr_in *in = (const struct sockaddr_in *)sa;

	return sa->ss_family == AF_INET ? in->sin_port : in6->sin6_port;
}

static bool parse_address(const char *text, size_t len, struct address *ret)
{
	struct address a = { .len = sizeof(a.sa) };

	if (len >= sizeof(a.text))
		return false;
	memcpy(a.text, text, len);
	if (evutil_parse_sockaddr_port(a.text, (struct sockaddr *)&a.sa,
				       &a.len) || !has_port(&a.sa))
		return false;
	a.loopback = is_loopback(&a.sa);
	*ret = a;
	return true;
}

/* @v: KNP_HTTP_LISTENERS of them. Return how many, or -EINVAL. */
static int parse_addresses(const char *list, struct address *v, char why[256])
{
	size_t len;
	int n = 0;

	for (;; list += len + 1) {
		len = strcspn(list, ",");
		if (n == KNP_HTTP_LISTENERS) {
			snprintf(why, 256, "more than %d addresses", n);
			return -EINVAL;
		}
		if (!parse_address(list, len, &v[n++])) {
			snprintf(why, 256, "no address and port: %.*s",
				 (int)(len < 128 ? len : 128), list);
			return -EINVAL;
		}
		if (!list[len])
			return n;
	}
}

static bool needs_tls(const struct address *v, int n)
{
	for (int i = 0; i < n; i++)
		if (!v[i].loopback)
			return true;
	return false;
}

int knp_metrics_http_check(const struct knp_metrics_http_options *o,
			   char why[256])
{
	struct address v[KNP_HTTP_LISTENERS];
	int n = parse_addresses(o->listen, v, why);

	if (n < 0)
		return n;
	if (!o->tls.cert != !o->tls.key) {
		snprintf(why, 256, "a certificate and its key go together");
		return -EINVAL;
	}
	if (!needs_tls(v, n))
		return 0;
	if (!o->tls.cert) {
		snprintf(why, 256, "an address that is not of the loopback needs --metrics-cert and --metrics-key");
		return -EINVAL;
	}
	if (!o->tls.token && !o->tls.client_ca) {
		snprintf(why, 256, "an address that is not of the loopback needs --metrics-token or --metrics-client-ca");
		return -EINVAL;
	}
	return 0;
}

/* ---- clients -------------------------------------------------------------- */

/* Nobody of us knows it any more; the server may still. */
static void forget(struct client *c)
{
	struct knp_metrics_http *h = c->h;
	size_t i = 0;

	while (h->clients[i] != c)
		i++;
	h->nclients--;
	memmove(&h->clients[i], &h->clients[i + 1],
		(h->nclients - i) * sizeof(*h->clients));
	event_free(c->deadline);
	bufferevent_decref(c->bev);
	free(c);
}

/* The server sees the end of what the client says, and frees it. */
static void cut(struct client *c)
{
	c->h->counts.cut++;
	if (c->evcon)
		evhttp_connection_set_closecb(c->evcon, NULL, NULL);
	shutdown(bufferevent_getfd(c->bev), SHUT_RDWR);
	forget(c);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	cut(arg);
}

static void on_closed(struct evhttp_connection *evcon, void *arg)
{
	(void)evcon;
	forget(arg);
}

static struct bufferevent *socket_of(const struct listener *l)
{
	struct bufferevent *bev;
	SSL *ssl;

	if (l->address.loopback)
		return bufferevent_socket_new(l->h->base, -1,
					      BEV_OPT_CLOSE_ON_FREE);
	ssl = knp_metrics_tls_accept(l->h->tls);
	if (!ssl)
		return NULL;
	bev = bufferevent_openssl_socket_new(l->h->base, -1, ssl,
					     BUFFEREVENT_SSL_ACCEPTING,
					     BEV_OPT_CLOSE_ON_FREE);
	if (!bev) {
		SSL_free(ssl);
		return NULL;
	}
	bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return bev;
}

static struct client *client_new(struct listener *l)
{
	struct timeval tv = { .tv_sec = KNP_HTTP_MS / 1000 };
	struct client *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->h = l->h;
	c->deadline = evtimer_new(l->h->base, on_deadline, c);
	if (!c->deadline || event_add(c->deadline, &tv))
		goto failed;
	c->bev = socket_of(l);
	if (!c->bev)
		goto failed;
	bufferevent_incref(c->bev);
	l->h->clients[l->h->nclients++] = c;
	return c;

failed:
	if (c->deadline)
		event_free(c->deadline);
	free(c);
	return NULL;
}

static void set_listening(struct knp_metrics_http *h, bool on)
{
	for (size_t i = 0; i < h->nlisteners; i++) {
		if (!h->listeners[i].bound)
			continue;
		if (on)
			evconnlistener_enable(h->listeners[i].bound);
		else
			evconnlistener_disable(h->listeners[i].bound);
	}
}

static void on_second(evutil_socket_t fd, short what, void *arg)
{
	struct knp_metrics_http *h = arg;

	(void)fd;
	(void)what;
	h->came = 0;
	set_listening(h, true);
}

static void count_accept(struct knp_metrics_http *h)
{
	static const struct timeval tv = { .tv_sec = 1 };

	if (!event_pending(h->second, EV_TIMEOUT, NULL))
		event_add(h->second, &tv);
	if (++h->came == KNP_HTTP_RATE)
		set_listening(h, false);
}

/*
 * A connection was accepted. Without what is returned the server would make one
 * for plain HTTP itself: on_request() answers none that is not a client here.
 */
static struct bufferevent *on_accept(struct event_base *base, void *arg)
{
	struct listener *l = arg;
	struct client *c;

	(void)base;
	l->h->counts.connections++;
	count_accept(l->h);
	if (l->h->nclients == KNP_HTTP_CLIENTS)
		cut(l->h->clients[0]);
	c = client_new(l);
	return c ? c->bev : NULL;
}

/* ---- requests ------------------------------------------------------------- */

static void reply(struct knp_metrics_http *h, struct evhttp_request *req,
		  int code, const char *type, struct evbuffer *body)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);

	h->counts.requests[code / 100]++;
	evhttp_add_header(headers, "Content-Type", type);
	evhttp_add_header(headers, "Connection", "close");
	evhttp_send_reply(req, code, NULL, body);
}

static void reply_text(struct knp_metrics_http *h, struct evhttp_request *req,
		       int code, const char *text)
{
	struct evbuffer *body = evhttp_request_get_output_buffer(req);

	evbuffer_add(body, text, strlen(text));
	reply(h, req, code, "text/plain; charset=utf-8", NULL);
}

static void reply_page(struct knp_metrics_http *h, struct evhttp_request *req,
		       enum knp_page page)
{
	struct evbuffer *body = evbuffer_new();

	if (!body || h->ops->page(h->arg, page, body))
		reply_text(h, req, HTTP_INTERNAL, "out of memory\n");
	else
		reply(h, req, HTTP_OK, KNP_PROM_TYPE, body);
	if (body)
		evbuffer_free(body);
}

static void reply_ready(struct knp_metrics_http *h, struct evhttp_request *req)
{
	struct evbuffer *body = evbuffer_new();
	bool ready;

	if (!body) {
		reply_text(h, req, HTTP_INTERNAL, "out of memory\n");
		return;
	}
	ready = h->ops->ready(h->arg, body);
	reply(h, req, ready ? HTTP_OK : HTTP_SERVUNAVAIL,
	      "text/plain; charset=utf-8", body);
	evbuffer_free(body);
}

static void answer(struct knp_metrics_http *h, struct evhttp_request *req)
{
	static const struct {
		const char *path;
		enum knp_page page;
	} pages[] = {
		{ "/metrics", KNP_PAGE_ALL },
		{ "/node-metrics", KNP_PAGE_NPM_NODE },
		{ "/cluster-metrics", KNP_PAGE_NPM_CLUSTER },
	};
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;

	if (!path)
		path = "";
	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
		if (!strcmp(path, pages[i].path)) {
			reply_page(h, req, pages[i].page);
			return;
		}
	}
	if (!strcmp(path, "/healthz"))
		reply_text(h, req, HTTP_OK, "ok\n");
	else if (!strcmp(path, "/readyz"))
		reply_ready(h, req);
	else
		reply_text(h, req, HTTP_NOTFOUND,
			   "/metrics /node-metrics /cluster-metrics /healthz /readyz\n");
}

static struct client *client_of(const struct knp_metrics_http *h,
				struct evhttp_connection *evcon)
{
	struct bufferevent *bev = evhttp_connection_get_bufferevent(evcon);

	for (size_t i = 0; i < h->nclients; i++)
		if (h->clients[i]->bev == bev)
			return h->clients[i];
	return NULL;
}

static void on_request(struct evhttp_request *req, void *arg)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(req);
	struct listener *l = arg;
	struct knp_metrics_http *h = l->h;
	struct client *c = client_of(h, evcon);
	const char *header;

	if (!c) {
		reply_text(h, req, HTTP_SERVUNAVAIL, "not available\n");
		return;
	}
	c->evcon = evcon;
	evhttp_connection_set_closecb(evcon, on_closed, c);

	header = evhttp_find_header(evhttp_request_get_input_headers(req),
				    "Authorization");
	if (l->address.loopback || knp_metrics_tls_allows(h->tls, header)) {
		answer(h, req);
		return;
	}
	evhttp_add_header(evhttp_request_get_output_headers(req),
			  "WWW-Authenticate", "Bearer");
	reply_text(h, req, 401, "a bearer token is needed\n");
}

/* ---- listeners ------------------------------------------------------------ */

static void try_to_bind(struct listener *l)
{
	static const struct timeval again = { .tv_sec = RETRY_S };
	const unsigned int flags = LEV_OPT_CLOSE_ON_FREE |
				   LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE;
	const struct sockaddr *sa = (const struct sockaddr *)&l->address.sa;

	l->bound = evconnlistener_new_bind(l->h->base, NULL, NULL, flags,
					   BACKLOG, sa, l->address.len);
	if (l->bound && !evhttp_bind_listener(l->http, l->bound)) {
		evconnlistener_free(l->bound);
		l->bound = NULL;
	}
	if (l->bound) {
		knp_log(KNP_LOG_INFO, "metrics at %s://%s/metrics",
			l->address.loopback ? "http" : "https",
			l->address.text);
		return;
	}
	if (!l->complained)
		knp_log(KNP_LOG_WARNING, "metrics: cannot listen at %s, and will try again: %s",
			l->address.text, strerror(errno));
	l->complained = true;
	event_add(l->retry, &again);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	try_to_bind(arg);
}

static int open_listener(struct knp_metrics_http *h,
			 const struct address *address)
{
	struct listener *l = &h->listeners[h->nlisteners++];

	l->h = h;
	l->address = *address;
	l->http = evhttp_new(h->base);
	l->retry = evtimer_new(h->base, on_retry, l);
	if (!l->http || !l->retry)
		return -ENOMEM;
	evhttp_set_bevcb(l->http, on_accept, l);
	evhttp_set_gencb(l->http, on_request, l);
	evhttp_set_timeout(l->http, IDLE_S);
	evhttp_set_max_headers_size(l->http, KNP_HTTP_HEADERS);
	evhttp_set_max_body_size(l->http, 0);
	evhttp_set_allowed_methods(l->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	try_to_bind(l);
	return 0;
}

static int open_all(struct knp_metrics_http *h,
		    const struct knp_metrics_http_options *o)
{
	struct address v[KNP_HTTP_LISTENERS];
	char why[256];
	int n, err;

	err = knp_metrics_http_check(o, why);
	if (err)
		return err;
	n = parse_addresses(o->listen, v, why);
	if (needs_tls(v, n))
		err = knp_metrics_tls_open(&o->tls, &h->tls);
	if (err)
		return err;
	h->second = evtimer_new(h->base, on_second, h);
	if (!h->second)
		return -ENOMEM;
	for (int i = 0; i < n && !err; i++)
		err = open_listener(h, &v[i]);
	return err;
}

int knp_metrics_http_open(struct event_base *base,
			  const struct knp_metrics_http_options *options,
			  const struct knp_metrics_http_ops *ops, void *arg,
			  struct knp_metrics_http **ret)
{
	struct knp_metrics_http *h = calloc(1, sizeof(*h));
	int err;

	if (!h)
		return -ENOMEM;
	h->base = base;
	h->ops = ops;
	h->arg = arg;
	err = open_all(h, options);
	if (err) {
		knp_metrics_http_close(h);
		return err;
	}
	*ret = h;
	return 0;
}

void knp_metrics_http_close(struct knp_metrics_http *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->nlisteners; i++) {
		if (h->listeners[i].retry)
			event_free(h->listeners[i].retry);
		if (h->listeners[i].http)
			evhttp_free(h->listeners[i].http);
	}
	while (h->nclients)
		forget(h->clients[h->nclients - 1]);
	if (h->second)
		event_free(h->second);
	knp_metrics_tls_close(h->tls);
	free(h);
}

const struct knp_http_counts *
knp_metrics_http_counts(const struct knp_metrics_http *h)
{
	return &h->counts;
}
