/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interning: equal byte strings get equal small numbers, 0, 1, ... in the order
 * in which they were first seen. And the buffer such strings are written in.
 *
 * The compiler names everything this way (peers, port names, classes, sets,
 * port sets): what is equal is compared once.
 */
#ifndef KNP_INTERN_H
#define KNP_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ruleset.h"

/**
 * struct knp_buf - a growing byte string
 * @failed: memory ran out; stays set, what is written is incomplete
 *
 * Writers are called without looking and @failed is checked once at the end.
 */
struct knp_buf {
	uint8_t *v;
	size_t n;
	size_t cap;
	bool failed;
};

void knp_buf_add(struct knp_buf *b, const void *bytes, size_t n);
void knp_buf_u8(struct knp_buf *b, uint8_t value);
void knp_buf_u32(struct knp_buf *b, uint32_t value);

/* A string with its length, so that no two sequences look alike. */
void knp_buf_str(struct knp_buf *b, const char *s);

static inline void knp_buf_reset(struct knp_buf *b)
{
	b->n = 0;
}

void knp_buf_clear(struct knp_buf *b);

/**
 * struct knp_intern - the strings seen so far
 * @entries: struct knp_intern_entry
 * @bytes: the strings, one after the other
 *
 * All zero is an empty one.
 */
struct knp_intern {
	struct knp_recs entries;
	struct knp_buf bytes;
	uint32_t *slots;
	size_t nslots;
};

/* The number of a string, in @ret. Return 1 if it is new, 0 if not, -ENOMEM. */
int knp_intern(struct knp_intern *t, const void *key, size_t len,
	       uint32_t *ret);

/* Whether a string was seen. */
bool knp_intern_has(const struct knp_intern *t, const void *key, size_t len);

/* The string of a number; valid until the next knp_intern(). */
const void *knp_intern_key(const struct knp_intern *t, uint32_t id,
			   size_t *len);
void knp_intern_clear(struct knp_intern *t);

#endif /* KNP_INTERN_H */
