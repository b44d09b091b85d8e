/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A push backend without a kernel: it takes everything and says, for each
 * transaction, when it was committed and how large it was. For benchmarks.
 *
 *   commit GENERATION NANOSECONDS PUTS DELETES BYTES
 *
 * a line each; the time is CLOCK_MONOTONIC, puts and deletes are records, and
 * bytes those of their messages.
 */
#ifndef KNP_NULL_BACKEND_H
#define KNP_NULL_BACKEND_H

#include "push.h"

struct knp_null;

/*
 * Write the lines to a file or FIFO. Return 0 or -errno; the result is the ctx
 * of knp_push_null, to knp_null_close().
 */
int knp_null_open(const char *path, struct knp_null **ret);
void knp_null_close(struct knp_null *n);

extern const struct knp_push_ops knp_push_null;

#endif /* KNP_NULL_BACKEND_H */
