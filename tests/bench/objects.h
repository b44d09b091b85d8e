/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The objects of a generator API server: the texts of one resource, ready to be
 * sent, and its last changes, for watches.
 *
 * Texts are without kind and apiVersion, as in a list. The first ones lie side
 * by side with commas between them, so that a page is one piece of memory that
 * is never copied; what changed later has memory of its own.
 */
#ifndef KNP_BENCH_OBJECTS_H
#define KNP_BENCH_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/buffer.h>

/* Changes that a watch can go back. */
#define OBJECTS_HISTORY		8192

/** struct objects_text - one object; @v NULL: there is none */
struct objects_text {
	const char *v;
	uint32_t len;
	bool own;		/* to free() */
};

/** struct objects_change - an event: a whole line, with its newline */
struct objects_change {
	uint64_t version;
	char *line;
	size_t len;
};

/**
 * struct objects - one resource
 * @kind, @api: of an object
 * @changed: version of the last change, silent ones included
 * @floor: a watch from before this version is told 410
 * @nhistory: changes ever recorded; number i is at i % OBJECTS_HISTORY
 */
struct objects {
	const char *kind;
	const char *api;
	struct objects_text *v;
	uint32_t n;
	uint32_t live;
	uint64_t changed;
	uint64_t floor;
	struct objects_change *history;
	uint64_t nhistory;
	char *arena;
	size_t arena_len;
	size_t arena_room;
};

/* Room for @n objects of at most @room bytes all together; 0 or -ENOMEM. */
int objects_init(struct objects *o, const char *kind, const char *api,
		 uint32_t n, size_t room);
void objects_clear(struct objects *o);

/*
 * Append a first object: write at most the bytes left to the returned place,
 * then say how many.
 */
char *objects_place(struct objects *o, size_t *left);
void objects_placed(struct objects *o, size_t len);

/* Replace object @i by a copy of a text, or by nothing. 0 or -ENOMEM. */
int objects_set(struct objects *o, uint32_t i, const char *text, size_t len,
		uint64_t version);
void objects_unset(struct objects *o, uint32_t i, uint64_t version);

/*
 * Record an event of a type ("ADDED") about a text; the change is valid until
 * OBJECTS_HISTORY others were recorded. NULL if out of memory.
 */
const struct objects_change *objects_record(struct objects *o,
					    const char *type, const char *text,
					    size_t len, uint64_t version);

/* The first recorded change after a version; @nhistory if there is none. */
uint64_t objects_after(const struct objects *o, uint64_t version);

/*
 * Append objects [*at, ...) to a list's body, at most @limit of them, and move
 * *at behind them. *sent is how many there were. 0 or -ENOMEM.
 */
int objects_page(const struct objects *o, uint32_t *at, uint32_t limit,
		 struct evbuffer *out, uint32_t *sent);

/* The same as ADDED events of a watch. */
int objects_added(const struct objects *o, uint32_t *at, uint32_t limit,
		  struct evbuffer *out);

#endif /* KNP_BENCH_OBJECTS_H */
