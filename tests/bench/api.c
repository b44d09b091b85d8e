// SPDX-License-Identifier: Apache-2.0
#include "api.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/keyvalq_struct.h>

#define BOOKMARK_S	60
#define INITIAL_BATCH	64		/* objects per chunk */
#define SINGLE_WRITE	(1 << 20)

/* A watch; freed when its connection goes, or when it is told to end. */
struct api_watch {
	struct api *api;
	struct evhttp_request *req;
	struct event *bookmark;
	struct event *deadline;
	enum api_resource resource;
	bool bookmarks;
	bool initial_end;	/* sendInitialEvents: say where they end */
	bool initial;		/* objects are still to be sent */
	uint32_t at;		/* next of them */
	uint64_t from;		/* version when they were begun */
	struct api_watch *next;
	struct api_watch **link;
};

static const char *const list_kinds[API_RESOURCES] = {
	[API_NAMESPACES] = "NamespaceList",
	[API_POLICIES] = "NetworkPolicyList",
	[API_PODS] = "PodList",
};

static const char *const paths[API_RESOURCES] = {
	[API_NAMESPACES] = "/api/v1/namespaces",
	[API_POLICIES] = "/apis/networking.k8s.io/v1/networkpolicies",
	[API_PODS] = "/api/v1/pods",
};

int64_t api_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void log_request(struct api *api, struct evhttp_request *req)
{
	struct api_request *r = &api->requests[api->nrequests++ % API_LOG];

	r->ns = api_now();
	snprintf(r->what, sizeof(r->what), "%s", evhttp_request_get_uri(req));
}

static void set_header(struct evhttp_request *req, const char *key,
		       const char *value)
{
	evhttp_add_header(evhttp_request_get_output_headers(req), key, value);
}

/* Small answers at once, large ones in large pieces. */
static void tune(struct evhttp_request *req)
{
	struct evhttp_connection *conn = evhttp_request_get_connection(req);
	struct bufferevent *bev = evhttp_connection_get_bufferevent(conn);
	int one = 1;

	setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_NODELAY, &one,
		   sizeof(one));
	bufferevent_set_max_single_write(bev, SINGLE_WRITE);
}

static void refuse(struct evhttp_request *req, int code, const char *reason,
		   const char *message)
{
	struct evbuffer *body = evhttp_request_get_output_buffer(req);

	set_header(req, "Content-Type", "application/json");
	evbuffer_add_printf(body, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":\"%s\",\"reason\":\"%s\",\"code\":%d}\n",
			    message, reason, code);
	evhttp_send_reply(req, code, reason, NULL);
}

static void end_watch(struct api_watch *w)
{
	struct evhttp_connection *conn = evhttp_request_get_connection(w->req);

	*w->link = w->next;
	if (w->next)
		w->next->link = w->link;
	if (conn)
		evhttp_connection_set_closecb(conn, NULL, NULL);
	if (w->bookmark)
		event_free(w->bookmark);
	if (w->deadline)
		event_free(w->deadline);
	free(w);
}

static void on_close(struct evhttp_connection *conn, void *arg)
{
	struct api_watch *w = arg;
	struct evhttp_request *req = w->req;

	(void)conn;
	end_watch(w);
	/* Ours alone, unless the server itself is being freed. */
	if (!evhttp_request_get_connection(req))
		evhttp_send_reply_end(req);
}

static void finish_watch(struct api_watch *w)
{
	struct evhttp_request *req = w->req;

	end_watch(w);
	evhttp_send_reply_end(req);
}

static void send_chunk(struct api_watch *w, struct evbuffer *buf,
		       void (*sent)(struct evhttp_connection *, void *))
{
	w->api->bytes += evbuffer_get_length(buf);
	evhttp_send_reply_chunk_with_cb(w->req, buf, sent, w);
}

/* A server that has no memory measures nothing. */
static struct evbuffer *new_buffer(void)
{
	struct evbuffer *buf = evbuffer_new();

	if (buf)
		return buf;
	perror("kube_server");
	exit(1);
}

static void append(struct evbuffer *buf, const char *text, size_t len)
{
	if (!evbuffer_add(buf, text, len))
		return;
	perror("kube_server");
	exit(1);
}

static void send_text(struct api_watch *w, const char *text, size_t len)
{
	struct evbuffer *buf = new_buffer();

	append(buf, text, len);
	send_chunk(w, buf, NULL);
	evbuffer_free(buf);
}

static void send_bookmark(struct api_watch *w, uint64_t version, bool end)
{
	const struct objects *o = &w->api->objects[w->resource];
	char line[512];
	int n;

	n = snprintf(line, sizeof(line),
		     "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"%s\",\"apiVersion\":\"%s\",\"metadata\":{\"resourceVersion\":\"%llu\",\"creationTimestamp\":null%s}}}\n",
		     o->kind, o->api, (unsigned long long)version,
		     end ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : "");
	send_text(w, line, (size_t)n);
}

static void on_bookmark(evutil_socket_t fd, short what, void *arg)
{
	struct api_watch *w = arg;

	(void)fd;
	(void)what;
	if (!w->initial)
		send_bookmark(w, w->api->version, false);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	finish_watch(arg);
}

static void send_gone(struct api_watch *w)
{
	static const char line[] = "{\"type\":\"ERROR\",\"object\":"
		"{\"kind\":\"Status\",\"apiVersion\":\"v1\","
		"\"metadata\":{},\"status\":\"Failure\",\"message\":"
		"\"too old resource version\",\"reason\":\"Expired\","
		"\"code\":410}}\n";

	send_text(w, line, sizeof(line) - 1);
	finish_watch(w);
}

static void replay(struct api_watch *w)
{
	struct objects *o = &w->api->objects[w->resource];
	struct evbuffer *buf = new_buffer();

	for (uint64_t i = objects_after(o, w->from); i < o->nhistory; i++) {
		struct objects_change *c = &o->history[i % OBJECTS_HISTORY];

		append(buf, c->line, c->len);
	}
	if (evbuffer_get_length(buf))
		send_chunk(w, buf, NULL);
	evbuffer_free(buf);
}

static void send_initial(struct evhttp_connection *conn, void *arg)
{
	struct api_watch *w = arg;
	struct objects *o = &w->api->objects[w->resource];
	struct evbuffer *buf = new_buffer();

	(void)conn;
	if (objects_added(o, &w->at, INITIAL_BATCH, buf)) {
		perror("kube_server");
		exit(1);
	}
	if (evbuffer_get_length(buf)) {
		send_chunk(w, buf, send_initial);
	} else {
		w->initial = false;
		if (w->initial_end)
			send_bookmark(w, w->from, true);
		replay(w);
	}
	evbuffer_free(buf);
}

static uint64_t number(const struct evkeyvalq *query, const char *key)
{
	const char *value = evhttp_find_header(query, key);

	return value ? strtoull(value, NULL, 10) : 0;
}

static bool flag(const struct evkeyvalq *query, const char *key)
{
	const char *value = evhttp_find_header(query, key);

	return value && (!strcmp(value, "true") || !strcmp(value, "1"));
}

static int add_timers(struct api_watch *w, uint64_t seconds)
{
	struct timeval deadline = { .tv_sec = (time_t)seconds };
	struct timeval every = { .tv_sec = BOOKMARK_S };

	if (w->bookmarks) {
		w->bookmark = event_new(w->api->base, -1, EV_PERSIST,
					on_bookmark, w);
		if (!w->bookmark || event_add(w->bookmark, &every))
			return -ENOMEM;
	}
	if (seconds) {
		w->deadline = evtimer_new(w->api->base, on_deadline, w);
		if (!w->deadline || event_add(w->deadline, &deadline))
			return -ENOMEM;
	}
	return 0;
}

static void watch(struct api *api, enum api_resource resource,
		  struct evhttp_request *req, const struct evkeyvalq *query)
{
	struct objects *o = &api->objects[resource];
	struct api_watch *w;

	if (flag(query, "sendInitialEvents") && !api->watchlist) {
		refuse(req, 422, "Invalid",
		       "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled");
		return;
	}
	w = calloc(1, sizeof(*w));
	if (!w) {
		refuse(req, 500, "InternalError", "out of memory");
		return;
	}

	*w = (struct api_watch){
		.api = api,
		.req = req,
		.resource = resource,
		.bookmarks = flag(query, "allowWatchBookmarks"),
		.initial_end = flag(query, "sendInitialEvents"),
		.from = number(query, "resourceVersion"),
		.next = api->watches,
		.link = &api->watches,
	};
	if (w->next)
		w->next->link = &w->next;
	api->watches = w;
	w->initial = w->initial_end || !w->from;
	set_header(req, "Content-Type", "application/json");
	evhttp_connection_set_closecb(evhttp_request_get_connection(req),
				      on_close, w);
	evhttp_send_reply_start(req, 200, "OK");

	if (add_timers(w, number(query, "timeoutSeconds"))) {
		finish_watch(w);
	} else if (w->initial) {
		w->from = api->version;
		send_initial(NULL, w);
	} else if (w->from < o->floor) {
		send_gone(w);
	} else {
		replay(w);
	}
}

/* A continue token is "version.offset". */
static bool parse_token(const char *token, uint64_t *version, uint32_t *at)
{
	unsigned long long v;

	if (sscanf(token, "%llu.%u", &v, at) != 2)
		return false;
	*version = v;
	return true;
}

static void list(struct api *api, enum api_resource resource,
		 struct evhttp_request *req, const struct evkeyvalq *query)
{
	struct evbuffer *body = evhttp_request_get_output_buffer(req);
	const char *token = evhttp_find_header(query, "continue");
	struct objects *o = &api->objects[resource];
	struct evbuffer *items = evbuffer_new();
	uint64_t limit = number(query, "limit");
	uint64_t version = api->version;
	uint32_t sent, at = 0;

	if (token && *token && !parse_token(token, &version, &at)) {
		refuse(req, 400, "BadRequest", "continue token is not valid");
		goto out;
	}
	if (version < o->changed || at > o->n) {
		refuse(req, 410, "Expired",
		       "The provided continue parameter is too old");
		goto out;
	}
	if (!items || objects_page(o, &at, limit ? (uint32_t)limit : UINT32_MAX,
				   items, &sent)) {
		refuse(req, 500, "InternalError", "out of memory");
		goto out;
	}

	evbuffer_add_printf(body, "{\"kind\":\"%s\",\"apiVersion\":\"%s\",\"metadata\":{\"resourceVersion\":\"%llu\"",
			    list_kinds[resource], o->api,
			    (unsigned long long)version);
	if (at < o->n)
		evbuffer_add_printf(body, ",\"continue\":\"%llu.%u\",\"remainingItemCount\":%u",
				    (unsigned long long)version, at, o->n - at);
	evbuffer_add_printf(body, "},\"items\":[");
	evbuffer_add_buffer(body, items);
	evbuffer_add_printf(body, "]}\n");
	set_header(req, "Content-Type", "application/json");
	api->bytes += evbuffer_get_length(body);
	evhttp_send_reply(req, 200, "OK", NULL);
out:
	if (items)
		evbuffer_free(items);
}

static void on_request(struct evhttp_request *req, void *arg)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	const char *path = evhttp_uri_get_path(uri);
	const char *text = evhttp_uri_get_query(uri);
	struct evkeyvalq query;
	struct api *api = arg;
	int i;

	log_request(api, req);
	tune(req);
	for (i = 0; i < API_RESOURCES && strcmp(path, paths[i]); i++)
		;
	if (i == API_RESOURCES) {
		refuse(req, 404, "NotFound",
		       "the server could not find the requested resource");
		return;
	}
	if (evhttp_parse_query_str(text ? text : "", &query)) {
		refuse(req, 400, "BadRequest", "query is not valid");
		return;
	}

	if (flag(&query, "watch"))
		watch(api, (enum api_resource)i, req, &query);
	else
		list(api, (enum api_resource)i, req, &query);
	evhttp_clear_headers(&query);
}

int api_serve(struct api *api, struct evhttp *http)
{
	api->requests = calloc(API_LOG, sizeof(*api->requests));
	if (!api->requests)
		return -ENOMEM;

	evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_POST);
	evhttp_set_gencb(http, on_request, api);
	return 0;
}

int64_t api_send(struct api *api, enum api_resource resource,
		 const struct objects_change *change)
{
	int64_t now = api_now();
	struct api_watch *w, *next;

	/* One that is not there yet gets it from the history. */
	for (w = api->watches; w; w = next) {
		next = w->next;
		if (w->resource == resource && !w->initial)
			send_text(w, change->line, change->len);
	}
	return now;
}

void api_gone(struct api *api)
{
	struct api_watch *w, *next;

	for (int i = 0; i < API_RESOURCES; i++)
		api->objects[i].floor = api->version;
	for (w = api->watches; w; w = next) {
		next = w->next;
		send_gone(w);
	}
}

uint32_t api_watching(const struct api *api, enum api_resource resource)
{
	const struct api_watch *w;
	uint32_t n = 0;

	for (w = api->watches; w; w = w->next)
		n += w->resource == resource && !w->initial;
	return n;
}
