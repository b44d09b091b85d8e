/* SPDX-License-Identifier: Apache-2.0 */
/* A state for tests: some of everything. */
#ifndef KNP_TEST_STATES_H
#define KNP_TEST_STATES_H

#include "state.h"

/* Tables with records in each, and references that hold; to knp_ruleset_free(). */
struct knp_ruleset *some_ruleset(void);

/* Of this boot and network namespace, of node "n", with some_ruleset(). */
struct knp_state some_state(void);

/* Its bytes, to free(). */
void *some_bytes(size_t *len);

/* The same tables, the same whose, the same settings. */
void assert_states_equal(const struct knp_state *a, const struct knp_state *b);
void assert_rulesets_equal(const struct knp_ruleset *a,
			   const struct knp_ruleset *b);

#endif /* KNP_TEST_STATES_H */
