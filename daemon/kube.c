// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "kube.h"
#include "clock.h"
#include "kube_http.h"
#include "kube_json.h"
#include "kube_lines.h"
#include "kube_reflect.h"
#include "pod_json.h"
#include "replace.h"

/* A list that is not paged may be large. */
#define LIST_MAX	(1UL << 30)
/* Of the body of a refusal. */
#define REFUSAL_MAX	(64UL << 10)
/* How fine it is told when the objects were last known to be current. */
#define CURRENT_MS	10000

#define JSON		"application/json"
#define META(kind)	JSON ";as=" kind ";g=meta.k8s.io;v=v1," JSON

static const enum knp_kind kinds[KNP_KUBE_RESOURCES] = {
	KNP_KIND_NAMESPACE, KNP_KIND_POLICY, KNP_KIND_POD,
};

/**
 * struct feed - one resource
 * @replace: the list that is being received
 * @staged: faults of that list
 * @fresh: faults of the event at hand
 * @lines: the body at hand
 * @status: of the answer at hand, 0 before it
 * @over: the machine has left the request at hand
 * @why: what is wrong with the answer at hand, or NULL
 * @told: the version that was told last
 * @enforced: the version that is enforced
 */
struct feed {
	struct knp_kube *k;
	enum knp_kind kind;
	struct knp_reflect reflect;
	struct knp_http_call *call;
	struct event *timer;
	struct knp_replace *replace;
	struct knp_faults staged;
	struct knp_faults fresh;
	struct knp_lines lines;
	int status;
	int retry_after;
	bool over;
	bool no_memory;
	char *why;
	char told[KNP_VERSION_LEN];
	char enforced[KNP_VERSION_LEN];
};

/**
 * struct knp_kube - an API server that is followed
 * @batch: runs once after what this turn of the loop brings
 * @faults: that hold
 * @withdrawn: some do no longer, by this batch
 * @ready: the first lists were announced
 * @version: of the store, when the last batch was announced
 * @since: when the batch at hand began, ns
 * @waiting: what is waited for
 * @told: what was waited for when the state was last told
 * @told_states: states of the resources then
 * @told_current: knp_kube_current() then
 */
struct knp_kube {
	struct knp_store *store;
	const struct knp_kube_ops *ops;
	void *arg;
	struct knp_http *http;
	struct knp_pod_json *pods;
	struct event *batch;
	struct feed feeds[KNP_KUBE_RESOURCES];
	struct knp_faults faults;
	bool withdrawn;
	bool ready;
	uint64_t version;
	int64_t since;
	char waiting[640];
	char told[640];
	unsigned int told_states;
	int64_t told_current;
};

static int64_t now_ms(void)
{
	return knp_now_ns() / 1000000;
}

static void arm(struct feed *f)
{
	int64_t ms = knp_reflect_due(&f->reflect) - now_ms();
	struct timeval tv = knp_timeval(ms > 0 ? ms : 0);

	evtimer_add(f->timer, &tv);
}

static void touch(struct knp_kube *k)
{
	event_active(k->batch, EV_TIMEOUT, 1);
}

/* ---- faults ------------------------------------------------------------------- */

/* Tell those that are new. */
static void tell(struct knp_kube *k, const struct knp_faults *faults)
{
	for (size_t i = 0; i < faults->n; i++)
		if (k->ops->fault && !knp_faults_has(&k->faults, &faults->v[i]))
			k->ops->fault(k->arg, &faults->v[i]);
}

/* Out of memory they were told all the same, but are not remembered. */
static void remember(struct knp_kube *k, struct knp_faults *faults)
{
	if (knp_faults_move(&k->faults, faults))
		knp_faults_clear(faults);
}

/* Of a complete list: all that hold for this resource. */
static void replace_faults(struct feed *f)
{
	const char *resource = knp_kube_resource(f->kind);
	struct knp_kube *k = f->k;

	for (size_t i = 0; i < k->faults.n; i++)
		if (!strcmp(k->faults.v[i].file, resource) &&
		    !knp_faults_has(&f->staged, &k->faults.v[i]))
			k->withdrawn = true;
	tell(k, &f->staged);
	knp_faults_drop(&k->faults, resource, true);
	remember(k, &f->staged);
}

/* Of an event: all that hold for its object. */
static void replace_object_faults(struct feed *f,
				  const struct knp_object *object)
{
	struct knp_kube *k = f->k;
	char *text;

	if (!k->faults.n && !f->fresh.n)
		return;
	text = knp_kind_describe(object->kind, object->ns, object->name);
	tell(k, &f->fresh);
	if (text && knp_faults_drop_object(&k->faults,
					   knp_kube_resource(f->kind), text))
		k->withdrawn = true;
	free(text);
	remember(k, &f->fresh);
}

/* Of what has no name: nothing withdraws them but the next list. */
static void add_faults(struct feed *f)
{
	struct knp_kube *k = f->k;

	tell(k, &f->fresh);
	for (size_t i = 0; i < f->fresh.n; i++)
		if (knp_faults_has(&k->faults, &f->fresh.v[i]))
			goto out;
	remember(k, &f->fresh);
out:
	knp_faults_clear(&f->fresh);
}

/* ---- the store ------------------------------------------------------------------ */

static int begin(void *arg)
{
	struct feed *f = arg;

	return knp_replace_begin(f->k->store, f->kind, &f->replace);
}

static int put(void *arg, struct knp_object *object)
{
	struct feed *f = arg;

	return knp_replace_put(f->replace, object);
}

static int del(void *arg, const struct knp_object *object)
{
	struct feed *f = arg;

	return knp_replace_del(f->replace, object->ns, object->name);
}

static int commit(void *arg)
{
	struct feed *f = arg;
	int err = knp_replace_commit(f->replace);

	if (err)
		return err;
	f->replace = NULL;
	replace_faults(f);
	return 0;
}

static void drop_list(void *arg)
{
	struct feed *f = arg;

	knp_replace_abort(f->replace);
	f->replace = NULL;
	knp_faults_clear(&f->staged);
}

static int apply(void *arg, struct knp_kube_event *e)
{
	struct knp_object *object = &e->object;
	struct feed *f = arg;
	int err = 0;

	if (e->type == KNP_EVENT_DELETED) {
		knp_store_del(f->k->store, object->kind, object->ns,
			      object->name);
		/* What is wrong with an object that is gone does not matter. */
		knp_faults_clear(&f->fresh);
	} else if (object->any) {
		err = knp_object_put(object, f->k->store);
	}
	if (!err)
		replace_object_faults(f, object);
	knp_object_clear(object);
	return err;
}

static uint32_t dice(void *arg)
{
	(void)arg;
	return arc4random();
}

static const struct knp_reflect_ops reflect_ops = {
	.begin	= begin,
	.put	= put,
	.del	= del,
	.commit	= commit,
	.abort	= drop_list,
	.apply	= apply,
	.random	= dice,
};

/* ---- decoding --------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3)))
static int wrong(struct feed *f, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (vasprintf(&f->why, format, args) < 0)
		f->why = NULL;
	va_end(args);
	return -EBADMSG;
}

/* Of Pods there are many; what is not plain among them is said by json-c. */
static int decode_event(struct feed *f, const char *line, size_t len,
			struct knp_kube_event *e)
{
	int err = 1;

	if (f->kind == KNP_KIND_POD)
		err = knp_pod_json_event(f->k->pods, line, len, e, &f->fresh);
	if (err <= 0)
		return err;
	return knp_kube_json_event(line, len, f->kind, e, &f->fresh, &f->why);
}

static int on_item(void *arg, struct knp_object *object)
{
	struct feed *f = arg;

	return knp_reflect_item(&f->reflect, object);
}

static int decode_page(struct feed *f, struct knp_page *page)
{
	int err = -EBADMSG;

	if (f->kind == KNP_KIND_POD)
		err = knp_pod_json_page(f->k->pods, f->lines.buf, f->lines.len,
					on_item, f, page, &f->staged);
	if (err != -EBADMSG)
		return err;
	return knp_kube_json_page(f->lines.buf, f->lines.len, f->kind, on_item,
				  f, page, &f->staged, &f->why);
}

/* ---- answers ------------------------------------------------------------------------ */

static int on_head(void *arg, const struct knp_http_head *head)
{
	size_t len = strlen(JSON);
	struct feed *f = arg;

	f->status = head->status;
	f->retry_after = head->retry_after;
	if (head->status != 200)
		return 0;
	if (strncasecmp(head->type, JSON, len) ||
	    (head->type[len] && !strchr("; ", head->type[len])))
		return wrong(f, "an answer of type \"%.64s\": this is no API server",
			     head->type);
	knp_reflect_answered(&f->reflect, now_ms());
	touch(f->k);
	return 0;
}

static int on_line(void *arg, const char *line, size_t len)
{
	struct feed *f = arg;
	struct knp_kube_event e;
	int err;

	err = decode_event(f, line, len, &e);
	if (!err && f->reflect.initial) {
		err = knp_faults_move(&f->staged, &f->fresh);
		if (err)
			knp_object_clear(&e.object);
	}
	if (err)
		return err;
	f->over = knp_reflect_event(&f->reflect, now_ms(), &e);
	add_faults(f);
	return f->over;
}

static int on_body(void *arg, const char *data, size_t len)
{
	struct feed *f = arg;
	struct knp_kube *k = f->k;
	int err;

	if (f->status != 200) {
		/* What is too long for a Status is none. */
		knp_lines_append(&f->lines, data, len, REFUSAL_MAX);
		return 0;
	}
	if (!k->since && k->ready)
		k->since = knp_now_ns();
	touch(k);
	knp_reflect_alive(&f->reflect, now_ms());
	if (knp_reflect_streams(&f->reflect))
		err = knp_lines_feed(&f->lines, data, len, on_line, f);
	else
		err = knp_lines_append(&f->lines, data, len, LIST_MAX);
	if (err == -EFBIG)
		wrong(f, "%s is longer than is believed",
		      knp_reflect_streams(&f->reflect) ? "an event" : "a list");
	f->no_memory = err == -ENOMEM;
	return err;
}

static enum knp_end end_of(enum knp_http_end end)
{
	switch (end) {
	case KNP_HTTP_DONE:
		return KNP_END_CLEAN;
	case KNP_HTTP_CUT:
		return KNP_END_CUT;
	case KNP_HTTP_REFUSED:
		return KNP_END_REFUSED;
	case KNP_HTTP_STOPPED:
	case KNP_HTTP_BAD:
		return KNP_END_BAD;
	case KNP_HTTP_MEMORY:
		return KNP_END_MEMORY;
	}
	return KNP_END_BAD;
}

static void finish(struct feed *f, enum knp_end how, const char *text)
{
	struct knp_ending ending = { .how = how };

	ending.text = text && *text ? text : NULL;
	if (f->why)
		ending.text = f->why;
	if (f->no_memory)
		ending.how = KNP_END_MEMORY;
	knp_reflect_end(&f->reflect, now_ms(), &ending);
}

static void finish_refusal(struct feed *f)
{
	struct knp_ending ending = {
		.how = KNP_END_STATUS,
		.retry_after = f->retry_after,
	};

	if (f->lines.len)
		knp_kube_json_status(f->lines.buf, f->lines.len,
				     &ending.status);
	ending.status.code = f->status;
	if (f->status == 401)
		ending.new_token = knp_http_renew(f->call);
	knp_reflect_end(&f->reflect, now_ms(), &ending);
}

/* The next page is as large. */
static void forget_body(struct feed *f)
{
	if (knp_reflect_pages(&f->reflect))
		knp_lines_rewind(&f->lines);
	else
		knp_lines_reset(&f->lines);
}

static void finish_list(struct feed *f)
{
	struct knp_page page;
	int err;

	err = f->lines.len ? decode_page(f, &page) :
			     wrong(f, "an empty answer to a list");
	if (!err) {
		knp_reflect_page(&f->reflect, now_ms(), &page);
		return;
	}
	f->no_memory = err == -ENOMEM;
	finish(f, KNP_END_BAD, NULL);
}

static void conclude(struct feed *f, enum knp_http_end end, const char *text)
{
	if (end == KNP_HTTP_DONE && f->status != 200)
		finish_refusal(f);
	else if (end == KNP_HTTP_DONE && !knp_reflect_streams(&f->reflect))
		finish_list(f);
	else if (end == KNP_HTTP_DONE && f->lines.len)
		finish(f, KNP_END_CUT, "the stream ended within an event");
	else
		finish(f, end_of(end), text);
}

static void on_done(void *arg, enum knp_http_end end, const char *text)
{
	struct feed *f = arg;

	if (!f->over)
		conclude(f, end, text);
	forget_body(f);
	arm(f);
	touch(f->k);
}

static const struct knp_http_ops http_ops = {
	.head	= on_head,
	.body	= on_body,
	.done	= on_done,
};

/* ---- requests ------------------------------------------------------------------------- */

static const char *accept_of(const struct feed *f)
{
	if (f->kind != KNP_KIND_NAMESPACE)
		return JSON;
	if (knp_reflect_streams(&f->reflect))
		return META("PartialObjectMetadata");
	return META("PartialObjectMetadataList");
}

static void start(struct feed *f)
{
	char *target;
	int err;

	f->status = 0;
	f->retry_after = 0;
	f->over = false;
	f->no_memory = false;
	free(f->why);
	f->why = NULL;
	knp_faults_clear(&f->fresh);
	forget_body(f);

	if (knp_reflect_request(&f->reflect, now_ms(), &target))
		return;
	err = knp_http_get(f->call, target, accept_of(f));
	free(target);
	f->no_memory = err == -ENOMEM;
	if (err)
		finish(f, KNP_END_REFUSED, knp_http_error(f->call));
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct feed *f = arg;

	(void)fd;
	(void)what;
	if (!f->reflect.running) {
		start(f);
	} else if (knp_reflect_tick(&f->reflect, now_ms())) {
		knp_http_cancel(f->call);
		finish(f, KNP_END_IDLE, NULL);
	}
	arm(f);
	touch(f->k);
}

/* ---- batches ---------------------------------------------------------------------------- */

/*
 * Which of two resources to name: one that fails before one that is on its
 * way, one that holds up the first batch before one that does not, and then
 * the one that fails longest, so that the line stays as long as it does.
 */
static bool is_worse(const struct knp_reflect *a, const struct knp_reflect *b)
{
	if (!a->failing_at != !b->failing_at)
		return a->failing_at;
	if (a->synced != b->synced)
		return !a->synced;
	return a->failing_at < b->failing_at;
}

const char *knp_kube_waiting(struct knp_kube *k, int64_t *since)
{
	const struct knp_reflect *worst = &k->feeds[0].reflect;

	for (size_t i = 1; i < KNP_KUBE_RESOURCES; i++)
		if (is_worse(&k->feeds[i].reflect, worst))
			worst = &k->feeds[i].reflect;
	return knp_reflect_waiting(worst, k->waiting, sizeof(k->waiting),
				   since);
}

int64_t knp_kube_current(const struct knp_kube *k)
{
	int64_t least = INT64_MAX;

	for (size_t i = 0; i < KNP_KUBE_RESOURCES; i++)
		if (k->feeds[i].reflect.current_at < least)
			least = k->feeds[i].reflect.current_at;
	return least;
}

static bool is_synced(const struct knp_kube *k)
{
	for (size_t i = 0; i < KNP_KUBE_RESOURCES; i++)
		if (!k->feeds[i].reflect.synced)
			return false;
	return true;
}

static unsigned int states(const struct knp_kube *k)
{
	unsigned int all = 0;

	for (size_t i = 0; i < KNP_KUBE_RESOURCES; i++)
		all = all << 2 | knp_reflect_state(&k->feeds[i].reflect);
	return all;
}

static void tell_state(struct knp_kube *k)
{
	int64_t current = knp_kube_current(k);
	unsigned int all = states(k);
	const char *text;
	int64_t since;

	text = knp_kube_waiting(k, &since);
	if (!text)
		text = "";
	if (!strcmp(text, k->told) && all == k->told_states &&
	    current - k->told_current < CURRENT_MS)
		return;
	snprintf(k->told, sizeof(k->told), "%s", text);
	k->told_states = all;
	k->told_current = current;
	if (k->ops->state)
		k->ops->state(k->arg);
}

static void tell_versions(struct knp_kube *k)
{
	bool fresh = false;

	for (size_t i = 0; i < KNP_KUBE_RESOURCES; i++) {
		struct feed *f = &k->feeds[i];

		if (!strcmp(f->told, f->reflect.version))
			continue;
		memcpy(f->told, f->reflect.version, sizeof(f->told));
		fresh = true;
	}
	if (fresh && k->ops->version)
		k->ops->version(k->arg);
}

void knp_kube_enforced(struct knp_kube *k)
{
	for (size_t i = 0; i < KNP_KUBE_RESOURCES; i++)
		memcpy(k->feeds[i].enforced, k->feeds[i].reflect.version,
		       sizeof(k->feeds[i].enforced));
}

const char *knp_kube_enforced_at(const struct knp_kube *k, unsigned int i)
{
	return k->feeds[i].enforced;
}

static void on_batch(evutil_socket_t fd, short what, void *arg)
{
	struct knp_kube *k = arg;

	(void)fd;
	(void)what;
	/* What came may have brought a deadline nearer. */
	for (size_t i = 0; i < KNP_KUBE_RESOURCES; i++)
		arm(&k->feeds[i]);
	if (k->withdrawn && k->ops->healed)
		k->ops->healed(k->arg);
	k->withdrawn = false;
	tell_state(k);
	tell_versions(k);
	if (is_synced(k) && (!k->ready || k->version != k->store->version)) {
		k->ready = true;
		k->version = k->store->version;
		k->ops->changed(k->arg);
	}
	k->since = 0;
}

/* ---- the source ------------------------------------------------------------------------- */

static int open_feed(struct knp_kube *k, struct event_base *base, size_t i,
		     const struct knp_kube_options *options)
{
	struct feed *f = &k->feeds[i];

	f->k = k;
	f->kind = kinds[i];
	knp_reflect_init(&f->reflect, f->kind, &reflect_ops, f, now_ms(),
			 options->spread_ms);
	if (options->idle_ms)
		f->reflect.idle_ms = options->idle_ms;
	f->call = knp_http_call_new(k->http, &http_ops, f);
	f->timer = evtimer_new(base, on_timer, f);
	if (!f->call || !f->timer)
		return -ENOMEM;
	arm(f);
	return 0;
}

int knp_kube_open(struct event_base *base, const struct knp_kube_config *config,
		  const struct knp_kube_options *options,
		  struct knp_store *store, const struct knp_kube_ops *ops,
		  void *arg, struct knp_kube **ret)
{
	struct knp_kube *k = calloc(1, sizeof(*k));
	int err = -ENOMEM;

	if (!k)
		return -ENOMEM;
	k->store = store;
	k->ops = ops;
	k->arg = arg;
	k->batch = event_new(base, -1, EV_PERSIST, on_batch, k);
	k->pods = knp_pod_json_new();
	if (k->batch && k->pods)
		err = knp_http_new(base, config, &k->http);
	for (size_t i = 0; !err && i < KNP_KUBE_RESOURCES; i++)
		err = open_feed(k, base, i, options);
	if (err)
		knp_kube_close(k);
	else
		*ret = k;
	return err;
}

int64_t knp_kube_since(const struct knp_kube *k)
{
	return k->since;
}

void knp_kube_relist(struct knp_kube *k)
{
	for (size_t i = 0; i < KNP_KUBE_RESOURCES; i++) {
		struct feed *f = &k->feeds[i];

		knp_http_cancel(f->call);
		knp_reflect_relist(&f->reflect, now_ms());
		arm(f);
	}
	touch(k);
}

const struct knp_faults *knp_kube_faults(const struct knp_kube *k)
{
	return &k->faults;
}

const struct knp_reflect *knp_kube_resource_at(const struct knp_kube *k,
					       unsigned int i)
{
	return &k->feeds[i].reflect;
}

size_t knp_kube_count(const struct knp_kube *k, enum knp_kind kind)
{
	return knp_store_count(k->store, kind);
}

void knp_kube_close(struct knp_kube *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < KNP_KUBE_RESOURCES; i++) {
		struct feed *f = &k->feeds[i];

		knp_http_call_free(f->call);
		if (f->timer)
			event_free(f->timer);
		if (f->k)
			knp_reflect_clear(&f->reflect);
		knp_faults_clear(&f->staged);
		knp_faults_clear(&f->fresh);
		knp_lines_clear(&f->lines);
		free(f->why);
	}
	knp_http_free(k->http);
	knp_pod_json_free(k->pods);
	if (k->batch)
		event_free(k->batch);
	knp_faults_clear(&k->faults);
	free(k);
}
