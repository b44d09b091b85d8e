/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of an answer, gathered from chunks of any size: a list as a whole,
 * a watch as one JSON text per line.
 *
 * One buffer is reused; after something huge it is given back. Behind what is
 * gathered there are always KNP_JSON_PADDING zero bytes.
 */
#ifndef KNP_KUBE_LINES_H
#define KNP_KUBE_LINES_H

#include <stddef.h>

/* The longest event: an object of etcd is at most 1.5 MiB. */
#define KNP_LINE_MAX	(16UL << 20)

/** struct knp_lines - all zero is empty */
struct knp_lines {
	char *buf;
	size_t len;
	size_t size;
};

/* Takes one line, without its end. Not 0 ends the feeding. */
typedef int (*knp_line_fn)(void *arg, const char *line, size_t len);

/*
 * Gather more bytes. Return 0, -EFBIG if that is more than @max together, or
 * -ENOMEM; nothing is added on failure.
 */
int knp_lines_append(struct knp_lines *l, const char *data, size_t n,
		     size_t max);

/*
 * Gather bytes, and hand every line that is complete to @fn; empty ones are
 * left out. Return 0, -EFBIG, -ENOMEM, or what @fn returned.
 */
int knp_lines_feed(struct knp_lines *l, const char *data, size_t n,
		   knp_line_fn fn, void *arg);

/* Forget what is gathered, not the room for it: more of that size comes. */
void knp_lines_rewind(struct knp_lines *l);

/* Forget what is gathered; a large buffer is freed. */
void knp_lines_reset(struct knp_lines *l);

/* Free all; all is zero afterwards. */
void knp_lines_clear(struct knp_lines *l);

#endif /* KNP_KUBE_LINES_H */
