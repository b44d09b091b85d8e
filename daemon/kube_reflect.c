// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kube_json.h"
#include "kube_reflect.h"

/* A watch is to last 300 to 600 s; the server gets a while to end it. */
#define TIMEOUT_MIN_S	300
#define GRACE_MS	30000
/* A list must move, and be over some time: servers give up after 60 s. */
#define LIST_IDLE_MS	60000
#define LIST_LIMIT_MS	300000
/* A watch that ends sooner without an event is a failure. */
#define SHORT_MS	1000
/* For how long 500 is taken for something that passes. */
#define INTERNAL_MS	60000
/* Lists in quicker succession than this wait as after a failure. */
#define RELIST_SOON_MS	30000
/* A stream that is open for so long works. */
#define SETTLED_MS	5000
/* WATCHLISTs without an end before it is taken for not offered. */
#define FRUITLESS_MAX	3
/* Watches without an event before the version is doubted. */
#define SILENT_MAX	2

static const char *const paths[] = {
	[KNP_KIND_NAMESPACE] = "/api/v1/namespaces",
	[KNP_KIND_POD] = "/api/v1/pods",
	[KNP_KIND_POLICY] = "/apis/networking.k8s.io/v1/networkpolicies",
};

/*
 * A terminal pod has no address of its own any more: not to hear of it saves
 * memory, and addresses that are used again cause no trouble.
 */
#define POD_SELECTOR \
	"&fieldSelector=status.phase%21%3DSucceeded%2Cstatus.phase%21%3DFailed"

const char *knp_end_name(enum knp_end how)
{
	static const char *const names[] = {
		[KNP_END_CLEAN] = "ended",
		[KNP_END_CUT] = "cut",
		[KNP_END_REFUSED] = "no connection",
		[KNP_END_STATUS] = "refused",
		[KNP_END_IDLE] = "idle",
		[KNP_END_BAD] = "malformed",
		[KNP_END_MEMORY] = "out of memory",
	};

	return names[how];
}

const char *knp_relist_name(enum knp_relist why)
{
	static const char *const names[] = {
		[KNP_RELIST_EXPIRED] = "expired",
		[KNP_RELIST_TOO_LARGE] = "too large",
		[KNP_RELIST_INTERNAL] = "internal error",
		[KNP_RELIST_SILENT] = "silent",
		[KNP_RELIST_UNREADABLE] = "unreadable",
		[KNP_RELIST_BACKWARDS] = "backwards",
		[KNP_RELIST_REFUSED] = "refused",
		[KNP_RELIST_ASKED] = "asked",
	};

	return names[why];
}

const char *knp_reflect_state_name(enum knp_reflect_state state)
{
	static const char *const names[] = {
		[KNP_STATE_WAITING] = "waiting",
		[KNP_STATE_CONNECTING] = "connecting",
		[KNP_STATE_LISTING] = "listing",
		[KNP_STATE_WATCHING] = "watching",
	};

	return names[state];
}

static bool is_number(const char *text)
{
	return *text >= '1' && *text <= '9' &&
	       strspn(text, "0123456789") == strlen(text);
}

bool knp_version_compare(const char *a, const char *b, int *ret)
{
	size_t na = strlen(a);
	size_t nb = strlen(b);

	if (!is_number(a) || !is_number(b))
		return false;
	if (na != nb)
		*ret = na < nb ? -1 : 1;
	else
		*ret = strcmp(a, b);
	return true;
}

static bool is_older(const char *a, const char *b)
{
	int cmp;

	return knp_version_compare(a, b, &cmp) && cmp < 0;
}

static uint32_t dice(const struct knp_reflect *r)
{
	return r->ops->random(r->arg);
}

static enum knp_step first_step(const struct knp_reflect *r)
{
	return r->offered ? KNP_STEP_WATCHLIST : KNP_STEP_LIST;
}

void knp_reflect_init(struct knp_reflect *r, enum knp_kind kind,
		      const struct knp_reflect_ops *ops, void *arg,
		      int64_t now, int64_t spread_ms)
{
	*r = (struct knp_reflect){
		.ops = ops,
		.arg = arg,
		.kind = kind,
		.idle_ms = KNP_IDLE_MS,
		.offered = true,
		.state_at = now,
	};
	r->due = now + (int64_t)((uint64_t)spread_ms * dice(r) >> 32);
}

/* Forget a list that is not complete. */
static void discard(struct knp_reflect *r)
{
	if (r->begun)
		r->ops->abort(r->arg);
	r->begun = false;
	r->pages = 0;
	free(r->next);
	r->next = NULL;
	r->listed[0] = '\0';
}

void knp_reflect_clear(struct knp_reflect *r)
{
	discard(r);
}

static void over(struct knp_reflect *r, int64_t now, int64_t wait_ms)
{
	r->running = false;
	r->initial = false;
	r->answered_at = 0;
	r->state_at = now;
	r->due = now + wait_ms;
}

/* The request failed: wait, and for longer each time. */
static void fail(struct knp_reflect *r, int64_t now, int retry_after)
{
	if (!r->failing_at)
		r->failing_at = now;
	over(r, now, knp_backoff_next(&r->backoff, now, dice(r), retry_after));
}

static void works(struct knp_reflect *r)
{
	r->failing_at = 0;
	r->internal_at = 0;
}

static void relist(struct knp_reflect *r, int64_t now, enum knp_relist why,
		   bool since)
{
	bool soon = r->listed_at && now - r->listed_at < RELIST_SOON_MS;

	if (why == KNP_RELIST_BACKWARDS)
		snprintf(r->error, sizeof(r->error),
			 "the server went back to an older version");
	discard(r);
	r->relists[why]++;
	r->step = first_step(r);
	r->since = since;
	r->whole = false;
	r->silent = 0;
	r->internal_at = 0;
	if (soon)
		fail(r, now, 0);
	else
		over(r, now, 0);
}

/* The next try of a list, now: another way of asking. */
static void list_other(struct knp_reflect *r, int64_t now, enum knp_relist why)
{
	r->relists[why]++;
	r->since = false;
	over(r, now, 0);
}

/* ---- what to ask ---------------------------------------------------------- */

static void escape(FILE *out, const char *key, const char *value)
{
	fprintf(out, "&%s=", key);
	for (const char *p = value; *p; p++) {
		if ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') ||
		    (*p >= 'A' && *p <= 'Z') || strchr("-._~", *p))
			fputc(*p, out);
		else
			fprintf(out, "%%%02X", (unsigned char)*p);
	}
}

static void write_query(struct knp_reflect *r, FILE *out, unsigned int timeout)
{
	switch (r->step) {
	case KNP_STEP_WATCHLIST:
		fprintf(out, "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=%u",
			timeout);
		if (r->since)
			escape(out, "resourceVersion", r->version);
		break;
	case KNP_STEP_LIST:
		/*
		 * A token says which version it continues. client-go does not
		 * page where it names a version, to spare etcd; here memory is
		 * scarcer, and such lists are rare and spread.
		 */
		fprintf(out, "limit=%d", r->whole ? 0 : KNP_PAGE_LIMIT);
		if (r->next) {
			escape(out, "continue", r->next);
		} else if (r->since) {
			fputs("&resourceVersionMatch=NotOlderThan", out);
			escape(out, "resourceVersion", r->version);
		}
		break;
	case KNP_STEP_WATCH:
		fprintf(out, "watch=1&allowWatchBookmarks=true&timeoutSeconds=%u",
			timeout);
		escape(out, "resourceVersion", r->version);
		break;
	}
	if (r->kind == KNP_KIND_POD)
		fputs(POD_SELECTOR, out);
}

static char *target(struct knp_reflect *r, unsigned int timeout)
{
	char *text = NULL;
	size_t size;
	FILE *out;

	out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	fprintf(out, "%s?", paths[r->kind]);
	write_query(r, out, timeout);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

int knp_reflect_request(struct knp_reflect *r, int64_t now, char **ret)
{
	unsigned int timeout = TIMEOUT_MIN_S;
	bool lists = r->step != KNP_STEP_WATCH;
	char *text;

	timeout += (unsigned int)((uint64_t)TIMEOUT_MIN_S * dice(r) >> 32);
	text = target(r, timeout);
	if (!text || (lists && !r->begun && r->ops->begin(r->arg))) {
		free(text);
		snprintf(r->error, sizeof(r->error), "out of memory");
		fail(r, now, 0);
		return -ENOMEM;
	}
	r->begun = lists;
	r->initial = r->step == KNP_STEP_WATCHLIST;
	r->running = true;
	r->answered_at = 0;
	r->events = 0;
	r->started = now;
	r->active = now;
	r->state_at = now;
	r->limit = now + (r->step == KNP_STEP_LIST ? LIST_LIMIT_MS :
			  timeout * 1000LL + GRACE_MS);
	r->requests++;
	*ret = text;
	return 0;
}

bool knp_reflect_streams(const struct knp_reflect *r)
{
	return r->step != KNP_STEP_LIST;
}

/* ---- time ----------------------------------------------------------------- */

static int64_t min(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t deadline(const struct knp_reflect *r)
{
	if (r->step == KNP_STEP_LIST || r->initial)
		return min(r->limit, r->active + min(LIST_IDLE_MS, r->idle_ms));
	if (r->bookmarks)
		return min(r->limit, r->active + r->idle_ms);
	return r->limit;
}

static bool unsettled(const struct knp_reflect *r)
{
	return r->failing_at && r->answered_at && r->step == KNP_STEP_WATCH;
}

int64_t knp_reflect_due(const struct knp_reflect *r)
{
	if (!r->running)
		return r->due;
	if (unsettled(r))
		return min(deadline(r), r->answered_at + SETTLED_MS);
	return deadline(r);
}

bool knp_reflect_tick(struct knp_reflect *r, int64_t now)
{
	if (!r->running)
		return false;
	if (unsettled(r) && now - r->answered_at >= SETTLED_MS)
		works(r);
	return now >= deadline(r);
}

void knp_reflect_answered(struct knp_reflect *r, int64_t now)
{
	r->answered_at = now;
	r->contact_at = now;
	r->state_at = now;
}

void knp_reflect_alive(struct knp_reflect *r, int64_t now)
{
	r->contact_at = now;
	if (r->step == KNP_STEP_LIST || r->initial)
		r->active = now;
}

/* ---- refusals, of a request or in a stream --------------------------------- */

static bool is_expired(const struct knp_status *s)
{
	return s->code == 410 || !strcmp(s->reason, "Expired") ||
	       !strcmp(s->reason, "Gone");
}

static bool is_internal(const struct knp_status *s)
{
	return s->code == 500 || !strcmp(s->reason, "InternalError");
}

/* Whether the same request may be granted later. */
static bool may_pass(const struct knp_status *s)
{
	return s->code == 401 || s->code == 403 || s->code == 408 ||
	       s->code == 429 || s->code >= 500;
}

static void describe(struct knp_reflect *r, const struct knp_status *s)
{
	const char *resource = knp_kube_resource(r->kind);
	const char *verb = knp_reflect_streams(r) ? "watch" : "list";

	if (s->code == 403)
		snprintf(r->error, sizeof(r->error),
			 "403 forbidden: knpd may not %s %s (missing from its ClusterRole?)",
			 verb, resource);
	else if (s->code == 401)
		snprintf(r->error, sizeof(r->error),
			 "401 unauthorized: the API server does not accept knpd's credentials");
	else
		snprintf(r->error, sizeof(r->error), "%d%s%s%s%s", s->code,
			 *s->reason ? " " : "", s->reason,
			 *s->message ? ": " : "", s->message);
}

static void watch_refused(struct knp_reflect *r, int64_t now,
			  const struct knp_status *s, int retry_after)
{
	if (s->too_large) {
		relist(r, now, KNP_RELIST_TOO_LARGE, false);
		return;
	}
	if (is_expired(s)) {
		relist(r, now, KNP_RELIST_EXPIRED, true);
		return;
	}
	if (is_internal(s)) {
		if (!r->internal_at)
			r->internal_at = now;
		if (now - r->internal_at >= INTERNAL_MS) {
			relist(r, now, KNP_RELIST_INTERNAL, true);
			return;
		}
	} else if (!may_pass(s)) {
		relist(r, now, KNP_RELIST_REFUSED, true);
		if (r->due > now)
			return;
	}
	fail(r, now, retry_after);
}

static void list_refused(struct knp_reflect *r, int64_t now,
			 const struct knp_status *s, int retry_after)
{
	bool later_page = r->pages > 0;

	discard(r);
	if (is_expired(s) && later_page) {
		r->whole = true;
		over(r, now, 0);
		return;
	}
	r->whole = false;
	if (r->since && (is_expired(s) || s->too_large))
		list_other(r, now, s->too_large ? KNP_RELIST_TOO_LARGE :
			   KNP_RELIST_EXPIRED);
	else
		fail(r, now, retry_after);
}

/* The server does not know this way of asking: nothing to wait for. */
static void watchlist_unknown(struct knp_reflect *r, int64_t now)
{
	discard(r);
	r->offered = false;
	r->step = KNP_STEP_LIST;
	over(r, now, 0);
}

static void refused(struct knp_reflect *r, int64_t now,
		    const struct knp_status *s, int header_after)
{
	int after = s->retry_after > header_after ? s->retry_after :
						    header_after;

	if (r->initial && !is_expired(s) && !s->too_large && !may_pass(s)) {
		watchlist_unknown(r, now);
		return;
	}
	describe(r, s);
	if (r->step == KNP_STEP_LIST || r->initial)
		list_refused(r, now, s, after);
	else
		watch_refused(r, now, s, after);
}

/* ---- what comes ------------------------------------------------------------ */

static void set_version(char *to, const char *version)
{
	memcpy(to, version, strlen(version) + 1);
}

static bool out_of_memory(struct knp_reflect *r, int64_t now)
{
	snprintf(r->error, sizeof(r->error), "out of memory");
	r->endings[KNP_END_MEMORY]++;
	discard(r);
	fail(r, now, 0);
	return true;
}

static bool malformed(struct knp_reflect *r, int64_t now, const char *what)
{
	snprintf(r->error, sizeof(r->error), "%s", what);
	r->endings[KNP_END_BAD]++;
	discard(r);
	fail(r, now, 0);
	return true;
}

/*
 * The list is complete, and the objects are replaced. Return true if it was
 * not to be had; the request is over then.
 */
static bool complete(struct knp_reflect *r, int64_t now, const char *version)
{
	if (!*version || !strcmp(version, "0"))
		return malformed(r, now, "a list without a resourceVersion");
	if (r->since && is_older(version, r->version)) {
		relist(r, now, KNP_RELIST_BACKWARDS, false);
		return true;
	}
	if (r->ops->commit(r->arg))
		return out_of_memory(r, now);

	r->begun = false;
	r->initial = false;
	discard(r);
	set_version(r->version, version);
	r->step = KNP_STEP_WATCH;
	r->synced = true;
	r->since = false;
	r->whole = false;
	r->fruitless = 0;
	r->silent = 0;
	r->listed_at = now;
	r->current_at = now;
	r->state_at = now;
	works(r);
	return false;
}

static bool initial_event(struct knp_reflect *r, int64_t now,
			  struct knp_kube_event *e)
{
	int err = 0;

	switch (e->type) {
	case KNP_EVENT_ADDED:
	case KNP_EVENT_MODIFIED:
		err = r->ops->put(r->arg, &e->object);
		break;
	case KNP_EVENT_DELETED:
		err = r->ops->del(r->arg, &e->object);
		knp_object_clear(&e->object);
		break;
	case KNP_EVENT_BOOKMARK:
		r->bookmarks = true;
		return e->initial_end && complete(r, now, e->version);
	case KNP_EVENT_ERROR:
		r->endings[KNP_END_STATUS]++;
		refused(r, now, &e->status, 0);
		return true;
	case KNP_EVENT_UNKNOWN:
		r->unknown++;
		break;
	}
	return err && out_of_memory(r, now);
}

static bool change(struct knp_reflect *r, int64_t now, struct knp_kube_event *e)
{
	/* Sent twice: the state is that of the first time. */
	if (!strcmp(e->version, r->version)) {
		knp_object_clear(&e->object);
		return false;
	}
	if (is_older(e->version, r->version)) {
		knp_object_clear(&e->object);
		relist(r, now, KNP_RELIST_BACKWARDS, false);
		return true;
	}
	/* The version stays, so that the event comes again. */
	if (r->ops->apply(r->arg, e))
		return out_of_memory(r, now);
	if (*e->version)
		set_version(r->version, e->version);
	return false;
}

static bool watch_event(struct knp_reflect *r, int64_t now,
			struct knp_kube_event *e)
{
	switch (e->type) {
	case KNP_EVENT_ADDED:
	case KNP_EVENT_MODIFIED:
	case KNP_EVENT_DELETED:
		return change(r, now, e);
	case KNP_EVENT_BOOKMARK:
		r->bookmarks = true;
		if (is_older(e->version, r->version)) {
			relist(r, now, KNP_RELIST_BACKWARDS, false);
			return true;
		}
		if (*e->version)
			set_version(r->version, e->version);
		return false;
	case KNP_EVENT_ERROR:
		r->endings[KNP_END_STATUS]++;
		refused(r, now, &e->status, 0);
		return true;
	case KNP_EVENT_UNKNOWN:
		r->unknown++;
		return false;
	}
	return false;
}

bool knp_reflect_event(struct knp_reflect *r, int64_t now,
		       struct knp_kube_event *event)
{
	bool initial = r->initial;

	r->contact_at = now;
	r->active = now;
	if (event->type != KNP_EVENT_ERROR)
		r->events++;
	if (initial)
		return initial_event(r, now, event);
	if (event->type != KNP_EVENT_ERROR) {
		r->silent = 0;
		r->current_at = now;
		works(r);
	}
	return watch_event(r, now, event);
}

int knp_reflect_item(struct knp_reflect *r, struct knp_object *object)
{
	return r->ops->put(r->arg, object);
}

void knp_reflect_page(struct knp_reflect *r, int64_t now,
		      struct knp_page *page)
{
	r->contact_at = now;
	if (r->pages && strcmp(page->version, r->listed)) {
		free(page->next);
		malformed(r, now, "pages of different resourceVersions");
		return;
	}
	set_version(r->listed, page->version);
	free(r->next);
	r->next = page->next;
	r->pages++;
	if (r->next || !complete(r, now, page->version))
		over(r, now, 0);
}

/* ---- the end of a request --------------------------------------------------- */

static void list_ended(struct knp_reflect *r, int64_t now,
		       const struct knp_ending *e)
{
	discard(r);
	r->whole = false;
	if (r->step == KNP_STEP_WATCHLIST && r->answered_at &&
	    (e->how == KNP_END_CLEAN || e->how == KNP_END_IDLE) &&
	    ++r->fruitless >= FRUITLESS_MAX) {
		r->offered = false;
		r->step = KNP_STEP_LIST;
	}
	fail(r, now, 0);
}

/* What cannot be read may be gone from the next list, or be newer there. */
static bool is_unreadable(struct knp_reflect *r, enum knp_end how)
{
	return how == KNP_END_BAD && !r->events && ++r->silent >= SILENT_MAX;
}

static bool is_silent(struct knp_reflect *r, int64_t now, enum knp_end how)
{
	if (!r->bookmarks || r->events || now - r->started < SHORT_MS ||
	    (how != KNP_END_CLEAN && how != KNP_END_IDLE))
		return false;
	return ++r->silent >= SILENT_MAX;
}

/* Whether a watch was of no use: it shall not be repeated at once. */
static bool is_failure(const struct knp_reflect *r, int64_t now,
		       enum knp_end how)
{
	switch (how) {
	case KNP_END_CLEAN:
		return !r->events && now - r->started < SHORT_MS;
	case KNP_END_CUT:
	case KNP_END_IDLE:
		return !r->events;
	default:
		return true;
	}
}

static void watch_ended(struct knp_reflect *r, int64_t now,
			const struct knp_ending *e)
{
	int64_t next = r->started + knp_backoff_first(dice(r));

	if (is_unreadable(r, e->how))
		relist(r, now, KNP_RELIST_UNREADABLE, true);
	else if (is_silent(r, now, e->how))
		relist(r, now, KNP_RELIST_SILENT, true);
	else if (is_failure(r, now, e->how))
		fail(r, now, 0);
	else
		/* Not more often than that, whatever ends it. */
		over(r, now, next > now ? next - now : 0);
}

static void explain(struct knp_reflect *r, int64_t now,
		    const struct knp_ending *e)
{
	if (e->text)
		snprintf(r->error, sizeof(r->error), "%s", e->text);
	else if (e->how == KNP_END_IDLE)
		snprintf(r->error, sizeof(r->error),
			 "the API server sent nothing for %lld s",
			 (long long)(now - r->active) / 1000);
	else if (e->how == KNP_END_CLEAN)
		snprintf(r->error, sizeof(r->error),
			 "the API server ended the answer early");
	else
		snprintf(r->error, sizeof(r->error), "%s",
			 knp_end_name(e->how));
}

void knp_reflect_end(struct knp_reflect *r, int64_t now,
		     const struct knp_ending *ending)
{
	r->endings[ending->how]++;
	if (ending->how == KNP_END_STATUS) {
		r->contact_at = now;
		/* Nothing is wrong if the token was replaced meanwhile. */
		if (ending->status.code == 401 && ending->new_token) {
			discard(r);
			over(r, now, 0);
		} else {
			refused(r, now, &ending->status, ending->retry_after);
		}
		return;
	}
	explain(r, now, ending);
	if (r->step == KNP_STEP_WATCH)
		watch_ended(r, now, ending);
	else
		list_ended(r, now, ending);
}

void knp_reflect_relist(struct knp_reflect *r, int64_t now)
{
	discard(r);
	r->relists[KNP_RELIST_ASKED]++;
	r->offered = true;
	r->fruitless = 0;
	r->silent = 0;
	r->internal_at = 0;
	r->whole = false;
	r->step = KNP_STEP_WATCHLIST;
	r->since = r->version[0];
	over(r, now, 0);
}

/* ---- for people ------------------------------------------------------------- */

enum knp_reflect_state knp_reflect_state(const struct knp_reflect *r)
{
	if (!r->running)
		return KNP_STATE_WAITING;
	if (!r->answered_at)
		return KNP_STATE_CONNECTING;
	return r->step == KNP_STEP_WATCH ? KNP_STATE_WATCHING :
					   KNP_STATE_LISTING;
}

const char *knp_reflect_waiting(const struct knp_reflect *r, char *buf,
				size_t size, int64_t *since)
{
	if (r->failing_at) {
		snprintf(buf, size, "%s: %s", knp_kube_resource(r->kind),
			 r->error);
		*since = r->failing_at;
		return buf;
	}
	if (!r->synced) {
		snprintf(buf, size, "%s: the first list",
			 knp_kube_resource(r->kind));
		*since = r->started ? r->started : r->state_at;
		return buf;
	}
	return NULL;
}
