/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What the suites that need a kernel share: transactions on the state of a
 * namespace, by a port id that no socket has.
 */
#ifndef KNP_TESTS_WORLD_H
#define KNP_TESTS_WORLD_H

#include <kunit/test.h>

#include "netns.h"
#include "policy.h"
#include "txn.h"

#define KNP_TEST_OWNER		0x7f000001
#define KNP_TEST_STRANGER	0x7f000002

/* Begin from the current generation. */
static inline int knp_test_begin(struct knp_net *kn, u32 portid)
{
	const char *why = NULL;

	return knp_txn_begin(kn, portid, kn->generation, &why);
}

/* Put one record, that of table @i + 1. */
static inline int knp_test_put(struct knp_net *kn, u32 i)
{
	const struct knp_test_records *r = &knp_test_policy[i];
	const char *why = NULL;

	return knp_txn_put(kn, KNP_TEST_OWNER, r->table, r->recs, r->len, &why);
}

static inline int knp_test_commit(struct knp_net *kn, u64 count)
{
	const char *why = NULL;
	u64 generation;

	return knp_txn_commit(kn, KNP_TEST_OWNER, count, &generation, &why);
}

/* Commit the policy, over whatever there is. */
static inline void knp_test_fill(struct kunit *test, struct knp_net *kn)
{
	u32 i;

	KUNIT_EXPECT_EQ(test, knp_test_begin(kn, KNP_TEST_OWNER), 0);
	for (i = 0; i < KNP_TABLE_MAX; i++)
		KUNIT_EXPECT_EQ(test, knp_test_put(kn, i), 0);
	KUNIT_EXPECT_EQ(test, knp_test_commit(kn, KNP_TABLE_MAX), 0);
}

/* Delete what knp_test_fill() has put. */
static inline void knp_test_empty(struct kunit *test, struct knp_net *kn)
{
	const char *why = NULL;
	u32 i;

	KUNIT_EXPECT_EQ(test, knp_test_begin(kn, KNP_TEST_OWNER), 0);
	for (i = KNP_TABLE_MAX; i--;) {
		const struct knp_test_records *r = &knp_test_policy[i];

		KUNIT_EXPECT_EQ(test, knp_txn_delete(kn, KNP_TEST_OWNER,
						     r->table, r->recs,
						     r->keyed, &why), 0);
	}
	KUNIT_EXPECT_EQ(test, knp_test_commit(kn, KNP_TABLE_MAX), 0);
}

/* Whether packets would find the policy. */
static inline bool knp_test_published(struct knp_net *kn)
{
	const struct knp_snapshot *snap;
	bool holds;

	rcu_read_lock();
	snap = rcu_dereference(kn->snap);
	holds = snap && knp_test_holds(snap->tables);
	rcu_read_unlock();

	return holds;
}

#endif /* KNP_TESTS_WORLD_H */
