/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What does not fit, in words. PURE.
 *
 * The compiler and the live ruleset say the same of the same store.
 */
#ifndef KNP_TROUBLES_H
#define KNP_TROUBLES_H

#include <stddef.h>

#include "intern.h"
#include "store.h"

/**
 * struct knp_trouble - a limit that was hit
 * @text: what and whose, for the log: "policy ns/p: ..."
 *
 * What has no room is denied, everything else is in force.
 */
struct knp_trouble {
	char *text;
};

/** struct knp_troubles - a list of them */
struct knp_troubles {
	struct knp_trouble *v;
	size_t n;
};

/* All below append one, return 0 or -ENOMEM, and accept NULL for the list. */

int knp_trouble(struct knp_troubles *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * The port sets of a policy set do not fit: those towards @nclasses classes of
 * peers, or (0) the one of its rules to any peer. @b is overwritten.
 */
int knp_trouble_ports(struct knp_troubles *t, struct knp_buf *b,
		      const struct knp_policy *const *policies, size_t n,
		      int direction, size_t nclasses);

/* The ipBlocks of a policy are refused, see block_limits.h. */
int knp_trouble_blocks(struct knp_troubles *t, const struct knp_policy *policy);

/* By text: where the order in which they were found means nothing. */
void knp_troubles_sort(struct knp_troubles *t);
void knp_troubles_clear(struct knp_troubles *t);

#endif /* KNP_TROUBLES_H */
