// SPDX-License-Identifier: Apache-2.0
#include <curl/curl.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json_build.h"
#include "json_member.h"
#include "kube_backoff.h"
#include "kube_http.h"
#include "kube_json.h"
#include "log.h"
#include "manifest_text.h"
#include "taint.h"

/* A server that says nothing so long is asked anew. */
#define ANSWER_MS	30000
/* Objects of an API server are at most 1.5 MiB. */
#define BODY_MAX	(2UL << 20)

/**
 * struct knp_taint - one node's
 * @target: the node, as a path
 * @timer: when to ask, or how long to wait for the answer
 * @body: of the answer, so far
 * @asking: a request is under way
 * @patching: it is the PATCH
 * @taken: at least one was removed
 * @error: what was logged last
 */
struct knp_taint {
	const char *node;
	const char *key;
	char *target;
	struct knp_http *http;
	struct knp_http_call *call;
	struct event *timer;
	struct evbuffer *body;
	struct knp_backoff backoff;
	struct knp_http_head head;
	bool started;
	bool asking;
	bool patching;
	bool taken;
	char error[512];
};

static void schedule(struct knp_taint *t, int64_t ms)
{
	struct timeval tv = knp_timeval(ms);

	evtimer_add(t->timer, &tv);
}

static void try_again(struct knp_taint *t, const char *why)
{
	if (strncmp(t->error, why, sizeof(t->error) - 1))
		knp_log(KNP_LOG_WARNING,
			"cannot take the taint %s from node %s yet: %s",
			t->key, t->node, why);
	snprintf(t->error, sizeof(t->error), "%s", why);
	schedule(t, knp_backoff_next(&t->backoff, knp_now_ns() / 1000000,
				     arc4random(), t->head.retry_after));
}

static void ask(struct knp_taint *t, const char *patch)
{
	int err;

	evbuffer_drain(t->body, evbuffer_get_length(t->body));
	t->head = (struct knp_http_head){ 0 };
	t->patching = patch;
	err = patch ? knp_http_patch(t->call, t->target, patch) :
		      knp_http_get(t->call, t->target, "application/json");
	if (err) {
		try_again(t, err == -EACCES ? knp_http_error(t->call) :
					      strerror(-err));
		return;
	}
	t->asking = true;
	schedule(t, ANSWER_MS);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct knp_taint *t = arg;

	(void)fd;
	(void)what;
	if (t->asking) {
		knp_http_cancel(t->call);
		t->asking = false;
		try_again(t, "the API server does not answer");
		return;
	}
	ask(t, NULL);
}

/* ---- what the server says --------------------------------------------------- */

/* One operation on taint @i, which "test" expects to be @taint. */
static struct json_object *operation(const char *op, size_t i,
				     struct json_object *taint)
{
	struct json_object *obj = json_object_new_object();
	char path[64];
	int err;

	if (!obj)
		return NULL;
	snprintf(path, sizeof(path), "/spec/taints/%zu", i);
	err = knp_json_add_string(obj, "op", op);
	err |= knp_json_add_string(obj, "path", path);
	if (taint)
		err |= knp_json_add(obj, "value", json_object_get(taint));
	if (!err)
		return obj;
	json_object_put(obj);
	return NULL;
}

/* A patch that removes taint @i, if it is still @taint; NULL: out of memory. */
static struct json_object *removal(size_t i, struct json_object *taint)
{
	struct json_object *patch = json_object_new_array();

	if (!patch)
		return NULL;
	if (!knp_json_append(patch, operation("test", i, taint)) &&
	    !knp_json_append(patch, operation("remove", i, NULL)))
		return patch;
	json_object_put(patch);
	return NULL;
}

/*
 * The patch that takes the first taint with that key from a node. Return 1 with
 * a @ret to json_object_put(), 0 if there is none, or -ENOMEM.
 */
static int find(struct json_object *node, const char *key,
		struct json_object **ret)
{
	struct json_object *taints, *taint;
	const char *text;

	taints = knp_json_member(knp_json_member(node, "spec"), "taints");
	if (!json_object_is_type(taints, json_type_array))
		return 0;
	for (size_t i = 0; i < json_object_array_length(taints); i++) {
		taint = json_object_array_get_idx(taints, i);
		text = knp_json_text(taint, "key");
		if (!text || strcmp(text, key))
			continue;
		*ret = removal(i, taint);
		return *ret ? 1 : -ENOMEM;
	}
	return 0;
}

static void take_from(struct knp_taint *t, struct json_object *node)
{
	struct json_object *patch;
	const char *text;
	int n;

	n = find(node, t->key, &patch);
	if (n < 0) {
		try_again(t, strerror(-n));
		return;
	}
	if (!n) {
		knp_log(t->taken ? KNP_LOG_NOTICE : KNP_LOG_INFO,
			t->taken ? "policies hold: took the taint %s from node %s" :
				   "there is no taint %s at node %s", t->key,
			t->node);
		return;
	}
	/* The server compares texts as they are written, and writes no "\\/". */
	text = json_object_to_json_string_ext(patch, JSON_C_TO_STRING_PLAIN |
					      JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text)
		ask(t, text);
	else
		try_again(t, strerror(ENOMEM));
	json_object_put(patch);
}

/* The whole body, and a NUL after it; NULL: out of memory. */
static const char *text_of(struct knp_taint *t, size_t *len)
{
	*len = evbuffer_get_length(t->body);
	if (evbuffer_add(t->body, "", 1))
		return NULL;
	return (const char *)evbuffer_pullup(t->body, -1);
}

static void on_node(struct knp_taint *t)
{
	struct json_object *node = NULL;
	const char *text, *kind;
	char *why = NULL;
	size_t len;

	text = text_of(t, &len);
	if (!text || knp_json_parse_one(text, len, &node, &why)) {
		try_again(t, why ? why : strerror(ENOMEM));
		free(why);
		return;
	}
	kind = knp_json_text(node, "kind");
	if (kind && !strcmp(kind, "Node"))
		take_from(t, node);
	else
		try_again(t, "the API server's answer is no Node");
	json_object_put(node);
}

static void on_refusal(struct knp_taint *t)
{
	struct knp_status status = { 0 };
	const char *text;
	char why[512];
	size_t len;

	if (t->head.status == 401)
		knp_http_renew(t->call);
	text = text_of(t, &len);
	/* What is no Status, a proxy's page say, has no message. */
	if (text)
		knp_kube_json_status(text, len, &status);
	snprintf(why, sizeof(why), "%s: %d%s%s",
		 t->patching ? "patch" : "get", t->head.status,
		 status.message[0] ? " " : "", status.message);
	try_again(t, why);
}

static int on_head(void *arg, const struct knp_http_head *head)
{
	struct knp_taint *t = arg;

	t->head = *head;
	return 0;
}

static int on_body(void *arg, const char *data, size_t len)
{
	struct knp_taint *t = arg;

	if (evbuffer_get_length(t->body) + len > BODY_MAX)
		return -1;
	return evbuffer_add(t->body, data, len);
}

static void on_done(void *arg, enum knp_http_end end, const char *text)
{
	struct knp_taint *t = arg;

	evtimer_del(t->timer);
	t->asking = false;
	if (end != KNP_HTTP_DONE) {
		try_again(t, text);
		return;
	}
	if (t->head.status != 200) {
		on_refusal(t);
		return;
	}
	if (!t->patching) {
		on_node(t);
		return;
	}
	/* There may be one more, of another effect. */
	t->taken = true;
	ask(t, NULL);
}

static const struct knp_http_ops http_ops = {
	.head = on_head,
	.body = on_body,
	.done = on_done,
};

/* ---- the rest ----------------------------------------------------------------- */

static int make_target(struct knp_taint *t)
{
	char *name = curl_easy_escape(NULL, t->node, 0);
	int n;

	if (!name)
		return -ENOMEM;
	n = asprintf(&t->target, "/api/v1/nodes/%s", name);
	curl_free(name);
	if (n >= 0)
		return 0;
	t->target = NULL;
	return -ENOMEM;
}

int knp_taint_open(struct event_base *base,
		   const struct knp_kube_config *config, const char *node,
		   const char *key, struct knp_taint **ret)
{
	struct knp_taint *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	t->node = node;
	t->key = key;
	t->timer = evtimer_new(base, on_timer, t);
	t->body = evbuffer_new();
	err = t->timer && t->body ? make_target(t) : -ENOMEM;
	if (!err)
		err = knp_http_new(base, config, &t->http);
	if (!err) {
		t->call = knp_http_call_new(t->http, &http_ops, t);
		err = t->call ? 0 : -ENOMEM;
	}
	if (err) {
		knp_taint_close(t);
		return err;
	}
	*ret = t;
	return 0;
}

void knp_taint_close(struct knp_taint *t)
{
	if (!t)
		return;
	knp_http_call_free(t->call);
	knp_http_free(t->http);
	if (t->body)
		evbuffer_free(t->body);
	if (t->timer)
		event_free(t->timer);
	free(t->target);
	free(t);
}

void knp_taint_take(struct knp_taint *t)
{
	if (!t || t->started)
		return;
	t->started = true;
	schedule(t, 0);
}
