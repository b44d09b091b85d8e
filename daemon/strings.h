/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The strings of the process that occur many times (namespaces, nodes, label
 * keys and values, port names), each held once and counted: equal text is the
 * equal pointer, so two of them are compared as pointers.
 *
 * There is one table, made with the first string and gone with the last. Not
 * thread-safe by design: one event loop uses it.
 */
#ifndef KNP_STRINGS_H
#define KNP_STRINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct knp_text - bytes of somebody else's buffer
 * @s: without a NUL, not even at the end; may be NULL if @n is 0
 */
struct knp_text {
	const char *s;
	size_t n;
};

static inline struct knp_text knp_text_of(const char *s)
{
	struct knp_text text = { s, strlen(s) };

	return text;
}

/*
 * The string of a text without a NUL in it, to knp_string_put(); NULL if out
 * of memory.
 */
const char *knp_string_get(const char *s, size_t n);

/* The same for a text that ends with a NUL. */
const char *knp_string_dup(const char *s);

/* One more user of a string from here; returns it. */
const char *knp_string_hold(const char *s);

/* One user less; the last one frees it. Accepts NULL. */
void knp_string_put(const char *s);

/* Whether a string, of any origin, has this text. */
bool knp_string_is(const char *s, const struct knp_text *text);

/* How many there are. For tests: a sanitizer does not see who forgot one. */
size_t knp_string_count(void);

#ifdef __cplusplus
}
#endif

#endif /* KNP_STRINGS_H */
