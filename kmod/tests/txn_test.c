// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Transactions: all of it or nothing, by one owner at a time. */
#include <linux/errno.h>

#include "world.h"

static void a_commit_publishes_all_of_it(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	u64 before = kn->generation;
	u32 i;

	KUNIT_EXPECT_EQ(test, knp_test_begin(kn, KNP_TEST_OWNER), 0);
	for (i = 0; i < KNP_TABLE_MAX; i++) {
		KUNIT_EXPECT_EQ(test, knp_test_put(kn, i), 0);
		KUNIT_EXPECT_FALSE(test, knp_test_published(kn));
	}
	KUNIT_EXPECT_EQ(test, kn->generation, before);
	KUNIT_EXPECT_EQ(test, knp_test_commit(kn, KNP_TABLE_MAX), 0);
	KUNIT_EXPECT_EQ(test, kn->generation, before + 1);
	KUNIT_EXPECT_TRUE(test, knp_test_published(kn));
	KUNIT_EXPECT_EQ(test, kn->txn_portid, 0);
	knp_test_empty(test, kn);
	KUNIT_EXPECT_FALSE(test, knp_test_published(kn));
}

static void an_aborted_one_leaves_nothing(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	const char *why = NULL;
	u64 before;

	knp_test_fill(test, kn);
	before = kn->generation;
	KUNIT_EXPECT_EQ(test, knp_test_begin(kn, KNP_TEST_OWNER), 0);
	KUNIT_EXPECT_EQ(test, knp_txn_delete(kn, KNP_TEST_OWNER,
					     KNP_TABLE_ENDPOINT,
					     &knp_test_endpoint,
					     sizeof(knp_test_endpoint), &why), 0);
	KUNIT_EXPECT_EQ(test, knp_txn_abort(kn, KNP_TEST_OWNER, &why), 0);
	KUNIT_EXPECT_EQ(test, knp_txn_abort(kn, KNP_TEST_OWNER, &why), -ENOENT);
	KUNIT_EXPECT_EQ(test, kn->generation, before);
	KUNIT_EXPECT_TRUE(test, knp_test_published(kn));
	knp_test_empty(test, kn);
}

static void a_wrong_count_publishes_nothing(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	u64 before = kn->generation;
	const char *why = NULL;
	u64 generation = 7;

	KUNIT_EXPECT_EQ(test, knp_test_begin(kn, KNP_TEST_OWNER), 0);
	KUNIT_EXPECT_EQ(test, knp_test_put(kn, 0), 0);
	KUNIT_EXPECT_EQ(test, knp_txn_commit(kn, KNP_TEST_OWNER, 2, &generation,
					     &why), -EBADMSG);
	KUNIT_EXPECT_NOT_NULL(test, why);
	KUNIT_EXPECT_EQ(test, generation, 7);
	KUNIT_EXPECT_EQ(test, kn->generation, before);
	KUNIT_EXPECT_EQ(test, knp_test_commit(kn, 1), -ENOENT);
}

static void a_refused_record_cancels_it(struct kunit *test)
{
	const struct knp_rec_rule none = { .id = 0 };
	struct knp_net *kn = knp_net(&init_net);
	u64 before = kn->generation;
	const char *why = NULL;

	KUNIT_EXPECT_EQ(test, knp_test_begin(kn, KNP_TEST_OWNER), 0);
	KUNIT_EXPECT_EQ(test, knp_test_put(kn, 0), 0);
	KUNIT_EXPECT_EQ(test, knp_txn_put(kn, KNP_TEST_OWNER, KNP_TABLE_RULE,
					  &none, sizeof(none), &why), -EINVAL);
	KUNIT_EXPECT_NOT_NULL(test, why);
	KUNIT_EXPECT_EQ(test, knp_test_put(kn, 0), -ECANCELED);
	KUNIT_EXPECT_EQ(test, knp_test_commit(kn, 1), -ECANCELED);
	KUNIT_EXPECT_EQ(test, kn->generation, before);
	KUNIT_EXPECT_EQ(test, knp_test_commit(kn, 1), -ENOENT);
}

static void there_is_one_at_a_time(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	const char *why = NULL;

	KUNIT_EXPECT_EQ(test, knp_test_begin(kn, KNP_TEST_OWNER), 0);
	KUNIT_EXPECT_EQ(test, knp_test_begin(kn, KNP_TEST_STRANGER), -EBUSY);
	KUNIT_EXPECT_EQ(test, knp_txn_put(kn, KNP_TEST_STRANGER, KNP_TABLE_RULE,
					  &knp_test_rule, sizeof(knp_test_rule),
					  &why), -ENOENT);
	KUNIT_EXPECT_EQ(test, knp_txn_abort(kn, KNP_TEST_STRANGER, &why),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, knp_test_put(kn, 0), 0);
	/* Its own BEGIN begins anew. */
	KUNIT_EXPECT_EQ(test, knp_test_begin(kn, KNP_TEST_OWNER), 0);
	KUNIT_EXPECT_EQ(test, knp_test_commit(kn, 0), 0);
	KUNIT_EXPECT_EQ(test, knp_test_begin(kn, KNP_TEST_STRANGER), 0);
	KUNIT_EXPECT_EQ(test, knp_txn_abort(kn, KNP_TEST_STRANGER, &why), 0);
}

static void a_stale_generation_is_refused(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	const char *why = NULL;

	KUNIT_EXPECT_EQ(test, knp_txn_begin(kn, KNP_TEST_OWNER,
					    kn->generation + 1, &why), -ESTALE);
	KUNIT_EXPECT_NOT_NULL(test, why);
	KUNIT_EXPECT_NULL(test, kn->txn);
	/* Nor is what its owner had begun before left to be committed. */
	KUNIT_EXPECT_EQ(test, knp_test_begin(kn, KNP_TEST_OWNER), 0);
	KUNIT_EXPECT_EQ(test, knp_txn_begin(kn, KNP_TEST_OWNER,
					    kn->generation + 1, &why), -ESTALE);
	KUNIT_EXPECT_NULL(test, kn->txn);
	knp_test_fill(test, kn);
	KUNIT_EXPECT_EQ(test, knp_txn_begin(kn, KNP_TEST_OWNER,
					    kn->generation - 1, &why), -ESTALE);
	KUNIT_EXPECT_NULL(test, kn->txn);
	knp_test_empty(test, kn);
}

/* What is counted of an id, nothing if it is not counted. */
static struct knp_counter counter_of(struct knp_net *kn, enum knp_counted what,
				     u32 id)
{
	const struct knp_counter none = { .id = id };
	struct knp_counter c;
	u32 from = id;

	return knp_counters_next(&kn->counters, what, &from, &c) &&
	       c.id == id ? c : none;
}

static u64 packets_of(struct knp_net *kn, enum knp_counted what, u32 id)
{
	return counter_of(kn, what, id).packets;
}

static void hit(struct knp_net *kn, enum knp_counted what, u32 id)
{
	local_bh_disable();
	knp_counters_hit(&kn->counters, what, id, 100);
	local_bh_enable();
}

/* On the first page of counters, at its end, on the next one, and the last. */
static const u32 ids[] = {
	1, KNP_STATS_PER_PAGE - 1, KNP_STATS_PER_PAGE, KNP_RULES_MAX,
};

static void each_id_has_a_counter_of_its_own(struct kunit *test)
{
	struct knp_net *kn = kunit_kzalloc(test, sizeof(*kn), GFP_KERNEL);
	struct knp_counter c;
	u32 i, j, from = 1;

	KUNIT_ASSERT_NOT_NULL(test, kn);
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		KUNIT_ASSERT_EQ(test, knp_counters_reserve(&kn->counters,
							   KNP_COUNTED_RULE,
							   ids[i]), 0);
		for (j = 0; j <= i; j++)
			hit(kn, KNP_COUNTED_RULE, ids[i]);
	}
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		KUNIT_EXPECT_TRUE(test, knp_counters_next(&kn->counters,
							  KNP_COUNTED_RULE,
							  &from, &c));
		KUNIT_EXPECT_EQ(test, c.id, ids[i]);
		KUNIT_EXPECT_EQ(test, c.packets, i + 1);
		KUNIT_EXPECT_EQ(test, c.bytes, 100 * (i + 1));
		KUNIT_EXPECT_EQ(test, from, ids[i] + 1);
	}
	KUNIT_EXPECT_FALSE(test, knp_counters_next(&kn->counters,
						   KNP_COUNTED_RULE, &from,
						   &c));
	knp_counters_free(&kn->counters);
}

static void what_is_counted_goes_with_its_id(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	u32 what;
	u64 n;

	for (what = 0; what < KNP_COUNTED; what++) {
		knp_test_fill(test, kn);
		n = packets_of(kn, what, 1);
		hit(kn, what, 1);
		KUNIT_EXPECT_EQ(test, packets_of(kn, what, 1), n + 1);
		/* Put again it is the same object. */
		knp_test_fill(test, kn);
		KUNIT_EXPECT_EQ(test, packets_of(kn, what, 1), n + 1);
		knp_test_empty(test, kn);
		knp_test_fill(test, kn);
		KUNIT_EXPECT_EQ(test, packets_of(kn, what, 1), 0);
		/* Nothing is shown of who has no packets, so one is needed. */
		hit(kn, what, 1);
		KUNIT_EXPECT_EQ(test, counter_of(kn, what, 1).bytes, 100);
		knp_test_empty(test, kn);
	}
}

/* Packets that have found a rule count it after it is gone from the tables. */
static void an_id_comes_back_when_no_packet_counts_it(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	struct knp_test_reader reader;

	knp_test_fill(test, kn);
	knp_test_reader_start(test, &reader, 200);
	knp_test_empty(test, kn);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(reader.ended));
	knp_test_fill(test, kn);
	KUNIT_EXPECT_TRUE(test, READ_ONCE(reader.ended));
	knp_test_reader_stop(&reader);
	knp_test_empty(test, kn);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_commit_publishes_all_of_it),
	KUNIT_CASE(an_aborted_one_leaves_nothing),
	KUNIT_CASE(a_wrong_count_publishes_nothing),
	KUNIT_CASE(a_refused_record_cancels_it),
	KUNIT_CASE(there_is_one_at_a_time),
	KUNIT_CASE(a_stale_generation_is_refused),
	KUNIT_CASE(each_id_has_a_counter_of_its_own),
	KUNIT_CASE(what_is_counted_goes_with_its_id),
	KUNIT_CASE(an_id_comes_back_when_no_packet_counts_it),
	{}
};

static struct kunit_suite suite = {
	.name = "knp-transactions",
	.test_cases = cases,
};

kunit_test_suite(suite);
