/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world of a test of kube_reflect.h: one resource, a store of names, a
 * clock and dice that the test sets, and words for what a server says.
 */
#ifndef REFLECT_WORLD_H
#define REFLECT_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kube_reflect.h"

#define WORLD_MAX	16

/* A set of names, in the order of their coming. */
struct names {
	char v[WORLD_MAX][16];
	size_t n;
};

/* The world of one test: the store, the list at hand, the clock. */
struct world {
	struct knp_reflect r;
	struct names store;
	struct names staged;
	bool open;
	int commits;
	int aborts;
	int fail;		/* errno for the next operation */
	uint32_t random;
	int64_t now;
	char *target;
};

extern struct world world;
extern const struct knp_reflect_ops world_ops;

int world_setup(void **state);
int world_teardown(void **state);

void world_names_add(struct names *s, const char *name);

/* Wait until something is due, and ask. Return how long the wait was. */
int64_t world_ask(void);

/* Whether the request has this in it. */
bool world_asked(const char *what);

#define assert_asked(what)	assert_true(world_asked(what))
#define assert_not_asked(what)	assert_false(world_asked(what))

/* What the server sends in a stream; true if the request is over. */
bool world_event(enum knp_event_type type, const char *name,
		 const char *version);
bool world_added(const char *name, const char *version);
bool world_bookmark(const char *version, bool initial_end);
bool world_error(int code, const char *reason);

/* How the server answers, and how the answer ends. */
void world_answered(void);
void world_end(enum knp_end how);
void world_refuse(int code, int retry_after);
void world_too_large(void);
/* A page of these names, one letter each. */
void world_page(const char *names, const char *version, const char *next);

/* The store holds these, one letter each, in the order of their coming. */
void world_assert_store(const char *names);

/* A first list of "a", and the watch after it. */
void world_sync_by_watchlist(const char *version);
void world_sync_by_list(const char *version);

#endif /* REFLECT_WORLD_H */
