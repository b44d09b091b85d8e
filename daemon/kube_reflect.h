/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list and watch of one resource, as a machine without socket or clock: it
 * is told what the server answered, and says what to ask next, and when. The
 * rules are those of client-go's reflector.
 *
 *           ┌────────── relist ───────────┐
 *   WATCHLIST ──(not offered)──► LIST ──► WATCH ──► (end) WATCH again
 *      └───── the end of the initial events ──┘
 *
 *   WATCHLIST  a watch that first sends all objects, one by one, and says when
 *              they are complete
 *   LIST       pages of 500; asked "since" a version, or after pages expired,
 *              all at once
 *   WATCH      changes since the last version that was seen
 *
 * What decides what a failure means:
 *   410                    the version is too old: list again, from a version
 *                          at least as new as the last one; if that fails too,
 *                          from whatever is the newest
 *   too large a version    the server is behind: list whatever is the newest
 *   429, 5xx, no server    wait, and go on where we were; no list
 *   500 for a minute       list
 *   a watch that is silent twice, where bookmarks were seen: list
 *   a watch that cannot be read, twice: list
 *   a version that goes back: list whatever is the newest
 *   other refusals of      a list (WATCH), or that WATCHLIST is not offered
 *
 * A list replaces the objects at once when it is complete; one that breaks off
 * leaves no trace. The first one asks for the newest state, not for a cached
 * one: to enforce an old policy is an error.
 *
 * The caller alternates: at knp_reflect_due() it calls knp_reflect_request()
 * and sends the request; it reports what comes, and in the end calls one of
 * knp_reflect_page() and knp_reflect_end(), unless knp_reflect_event() said
 * that the request is over. All times are milliseconds of a monotonic clock.
 */
#ifndef KNP_KUBE_REFLECT_H
#define KNP_KUBE_REFLECT_H

#include <stdbool.h>
#include <stdint.h>

#include "kube_backoff.h"
#include "kube_event.h"

#define KNP_PAGE_LIMIT		500
#define KNP_IDLE_MS		180000

/** enum knp_step - what is asked, or to be asked next */
enum knp_step {
	KNP_STEP_WATCHLIST,
	KNP_STEP_LIST,
	KNP_STEP_WATCH,
};

/** enum knp_end - how a request ended, other than by a whole list */
enum knp_end {
	KNP_END_CLEAN,		/* the server ended the stream */
	KNP_END_CUT,		/* the connection broke */
	KNP_END_REFUSED,	/* there was no connection: TCP, TLS, DNS */
	KNP_END_STATUS,		/* a status other than 200 */
	KNP_END_IDLE,		/* the deadline passed */
	KNP_END_BAD,		/* what came is not what was asked for */
	KNP_END_MEMORY,
	KNP_END_MAX = KNP_END_MEMORY,
};

/** enum knp_relist - why objects were listed again */
enum knp_relist {
	KNP_RELIST_EXPIRED,	/* 410 */
	KNP_RELIST_TOO_LARGE,	/* the server does not know the version yet */
	KNP_RELIST_INTERNAL,	/* 500 for a minute */
	KNP_RELIST_SILENT,	/* two watches without any event */
	KNP_RELIST_UNREADABLE,	/* a watch ended so twice, without an event */
	KNP_RELIST_BACKWARDS,	/* the version went back */
	KNP_RELIST_REFUSED,	/* another refusal of the watch */
	KNP_RELIST_ASKED,	/* knp_reflect_relist() */
	KNP_RELIST_MAX = KNP_RELIST_ASKED,
};

/** enum knp_reflect_state - for people */
enum knp_reflect_state {
	KNP_STATE_WAITING,
	KNP_STATE_CONNECTING,
	KNP_STATE_LISTING,
	KNP_STATE_WATCHING,
};

/** struct knp_reflect_ops - where the objects go; all but random may fail */
struct knp_reflect_ops {
	int (*begin)(void *arg);
	/* Take over what @object holds, also on failure. */
	int (*put)(void *arg, struct knp_object *object);
	int (*del)(void *arg, const struct knp_object *object);
	int (*commit)(void *arg);
	void (*abort)(void *arg);
	/* A change after the list: ADDED, MODIFIED or DELETED; as put. */
	int (*apply)(void *arg, struct knp_kube_event *event);
	/* Uniform over 32 bits. */
	uint32_t (*random)(void *arg);
};

/**
 * struct knp_ending - how a request ended
 * @how: which of the members below count
 * @status: STATUS: the code of the answer, and what its body says
 * @retry_after: STATUS: of the header, seconds
 * @new_token: STATUS 401: the token file holds another one by now
 * @text: others: for people, may be NULL
 */
struct knp_ending {
	enum knp_end how;
	struct knp_status status;
	int retry_after;
	bool new_token;
	const char *text;
};

/**
 * struct knp_reflect - one resource; read-only outside
 * @idle_ms: how long a watch may be silent where bookmarks were seen
 * @version: last one seen, "" before the first list
 * @listed: the version of the list at hand
 * @next: continue token of the next page
 * @since: the list must be at least as new as @version
 * @whole: the list is not to be paged
 * @begun: a list is being received
 * @offered: WATCHLIST was not refused so far
 * @bookmarks: this server sends bookmarks
 * @answered_at: when the request at hand was answered with 200, or 0
 * @initial: of a WATCHLIST that is not complete yet
 * @due: when the next request is due
 * @started: when the request at hand, or the last one, was sent
 * @active: when it last showed that it lives
 * @limit: when it has to be over
 * @events: that it brought
 * @pages: of the list at hand
 * @fruitless: WATCHLISTs in a row that ended before they were complete
 * @silent: watches in a row without an event
 * @internal_at: since when the watch fails with 500, 0 if it does not
 * @listed_at: when the last list was complete, 0 if none was
 * @current_at: when the objects were last known to be current, 0 if never
 * @contact_at: when the server last sent anything, 0 if never
 * @state_at: when the state changed
 * @failing_at: since when requests fail, 0 if they do not
 * @error: why the last failed request failed, one line, "" if none did
 */
struct knp_reflect {
	const struct knp_reflect_ops *ops;
	void *arg;
	enum knp_kind kind;
	int64_t idle_ms;
	struct knp_backoff backoff;
	enum knp_step step;
	bool running;
	bool synced;
	bool since;
	bool whole;
	bool begun;
	bool offered;
	bool bookmarks;
	bool initial;
	int64_t answered_at;
	int64_t due;
	int64_t started;
	int64_t active;
	int64_t limit;
	unsigned int events;
	unsigned int pages;
	unsigned int fruitless;
	unsigned int silent;
	int64_t internal_at;
	int64_t listed_at;
	int64_t current_at;
	int64_t contact_at;
	int64_t state_at;
	int64_t failing_at;
	char version[KNP_VERSION_LEN];
	char listed[KNP_VERSION_LEN];
	char *next;
	char error[512];
	uint64_t requests;
	uint64_t unknown;
	uint64_t endings[KNP_END_MAX + 1];
	uint64_t relists[KNP_RELIST_MAX + 1];
};

/* The first request is due within @spread_ms. */
void knp_reflect_init(struct knp_reflect *r, enum knp_kind kind,
		      const struct knp_reflect_ops *ops, void *arg,
		      int64_t now, int64_t spread_ms);

/* Drop a list that was begun; free what is held. */
void knp_reflect_clear(struct knp_reflect *r);

/*
 * When to call knp_reflect_request(), or while a request runs when to call
 * knp_reflect_tick().
 */
int64_t knp_reflect_due(const struct knp_reflect *r);

/**
 * knp_reflect_request() - what to ask now
 * @ret: path and query, to free()
 *
 * Return: 0; -ENOMEM, and a later time is due.
 */
int knp_reflect_request(struct knp_reflect *r, int64_t now, char **ret);

/* Whether the request at hand is a stream of events, not a list. */
bool knp_reflect_streams(const struct knp_reflect *r);

/* Whether there are more pages of the list at hand. */
static inline bool knp_reflect_pages(const struct knp_reflect *r)
{
	return r->next;
}

/* 200. */
void knp_reflect_answered(struct knp_reflect *r, int64_t now);

/* Something of a body came. */
void knp_reflect_alive(struct knp_reflect *r, int64_t now);

/*
 * An event of a stream; what its object holds is taken over. Return true if
 * the request is over, and to be cancelled without knp_reflect_end().
 */
bool knp_reflect_event(struct knp_reflect *r, int64_t now,
		       struct knp_kube_event *event);

/* An item of a list; what it holds is taken over. Return 0 or -ENOMEM. */
int knp_reflect_item(struct knp_reflect *r, struct knp_object *object);

/* A page was read to its end; @page->next is taken over. */
void knp_reflect_page(struct knp_reflect *r, int64_t now,
		      struct knp_page *page);

/* The request is over. */
void knp_reflect_end(struct knp_reflect *r, int64_t now,
		     const struct knp_ending *ending);

/*
 * Time passed while a request runs. Return true if it took too long: cancel
 * it, and report KNP_END_IDLE.
 */
bool knp_reflect_tick(struct knp_reflect *r, int64_t now);

/* List again now; a request that runs is over, and to be cancelled. */
void knp_reflect_relist(struct knp_reflect *r, int64_t now);

enum knp_reflect_state knp_reflect_state(const struct knp_reflect *r);

/*
 * What is being waited for, one line such as "pods: 403 forbidden: ...", and
 * @since when; NULL if nothing is. The text is valid until the next call.
 */
const char *knp_reflect_waiting(const struct knp_reflect *r, char *buf,
				size_t size, int64_t *since);

const char *knp_end_name(enum knp_end how);
const char *knp_relist_name(enum knp_relist why);
const char *knp_reflect_state_name(enum knp_reflect_state state);

/*
 * Compare two resourceVersions. Return false if they are not both decimal
 * numbers without a leading zero, of any length; @ret is untouched then.
 */
bool knp_version_compare(const char *a, const char *b, int *ret);

#endif /* KNP_KUBE_REFLECT_H */
