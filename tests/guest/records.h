/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two policies that fill every table, for the programs that fail, fuzz and
 * churn: A and B have the same objects by number and allow the opposite.
 *
 *   10.0.0.2 and fd00::2 admit, by TCP, in A ODD ports, in B EVEN ones, of
 *   10.0.0.1, fd00::1 and what is in 10.1.0.0/16 and fd00:1::/32.
 *
 * Beside it stand so many peers, prefixes, classes and rows that all structures
 * have more than one part.
 */
#ifndef KNP_TESTS_RECORDS_H
#define KNP_TESTS_RECORDS_H

#include "door.h"

enum { POLICY_A, POLICY_B };

/*
 * The steps of a commit: records_steps() is how many messages it has, and
 * records_step() sends the nth of them: BEGIN, PUTs, DELETEs, COMMIT.
 */
unsigned int records_steps(void);
int records_step(struct door *d, int policy, unsigned int n);
const char *records_step_name(unsigned int n);

/* All of them. Returns 0 or the first refusal. */
int records_commit(struct door *d, int policy);

/* Whether EXPLAIN answers every question as the policy wants it. */
bool records_hold(struct door *d, int policy);

/* Records in the tables of either policy, all tables together. */
unsigned int records_count(void);

/* Records that a dump has. */
unsigned int records_dumped(const struct door_bytes *dump);

#endif /* KNP_TESTS_RECORDS_H */
