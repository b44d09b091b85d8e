/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON that is, or nearly is, a Pod: every needed field is there, absent, null,
 * of another type, given twice, or spelled with escapes, among fields that are
 * not needed and white space.
 */
#ifndef KNP_TEST_RANDOM_PODS_H
#define KNP_TEST_RANDOM_PODS_H

#include <stddef.h>

#include "tables.h"

/* One object, to free(); one in @oddity values is not what it should be. */
char *random_pod(struct dice *d, unsigned int oddity);

/* Change a few bytes; the length may shrink. */
void random_damage(struct dice *d, char *text, size_t *len);

#endif /* KNP_TEST_RANDOM_PODS_H */
