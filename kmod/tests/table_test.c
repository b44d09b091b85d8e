// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Records into the tables and out of them, copies, and what is refused. A KUnit
 * suite, in userspace as well (tests/kunit/shim).
 */
#include <kunit/test.h>
#include <linux/errno.h>

/* of this name the kernel of User-Mode Linux has one, too */
#include "../mem.h"
#include "policy.h"

#define ROOM		8192
#define MANY		3000	/* peers: blocks and groups that grow */
#define MANY_CIDRS	300

static int put(struct knp_tables *t, u32 table, const void *recs, size_t len)
{
	struct knp_refusal why = { 0 };

	return knp_tables_put(t, table, recs, len, &why);
}

static int delete(struct knp_tables *t, u32 table, const void *recs, size_t len)
{
	struct knp_refusal why = { 0 };

	return knp_tables_delete(t, table, recs, len, &why);
}

/* Tables with the policy. */
static struct knp_tables *filled(struct kunit *test)
{
	struct knp_tables *t = knp_tables_new();
	u32 i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t);
	for (i = 0; i < KNP_TABLE_MAX; i++)
		KUNIT_EXPECT_EQ(test, put(t, knp_test_policy[i].table,
					  knp_test_policy[i].recs,
					  knp_test_policy[i].len), 1);
	return t;
}

static u32 all_records(const struct knp_tables *t)
{
	u32 table, n = 0;

	for (table = 1; table <= KNP_TABLE_MAX; table++)
		n += knp_tables_count(t, table);
	return n;
}

static void what_is_put_comes_back(struct kunit *test)
{
	struct knp_tables *t = filled(test);
	u8 *room = knp_zalloc(ROOM);
	u32 i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, room);
	KUNIT_EXPECT_EQ(test, knp_tables_freeze(t), 0);
	for (i = 0; i < KNP_TABLE_MAX; i++) {
		const struct knp_test_records *r = &knp_test_policy[i];
		struct knp_cursor cur = { 0 };

		KUNIT_EXPECT_EQ(test, knp_tables_next(t, r->table, &cur, room,
						      ROOM), (size_t)r->len);
		KUNIT_EXPECT_EQ(test, memcmp(room, r->recs, r->len), 0);
		KUNIT_EXPECT_EQ(test, knp_tables_next(t, r->table, &cur, room,
						      ROOM), (size_t)0);
	}
	KUNIT_EXPECT_EQ(test, knp_test_holds(t), true);
	knp_free(room);
	knp_tables_free(t);
}

static void what_goes_is_gone(struct kunit *test)
{
	struct knp_tables *t = filled(test);
	u32 i;

	for (i = KNP_TABLE_MAX; i--;) {
		const struct knp_test_records *r = &knp_test_policy[i];

		KUNIT_EXPECT_EQ(test, delete(t, r->table, r->recs, r->keyed), 1);
		KUNIT_EXPECT_EQ(test, delete(t, r->table, r->recs, r->keyed),
				-ENOENT);
	}
	KUNIT_EXPECT_EQ(test, all_records(t), 0);
	KUNIT_EXPECT_EQ(test, knp_tables_freeze(t), 0);
	KUNIT_EXPECT_EQ(test, knp_test_passes(t, 2, 9, 1), true);
	knp_tables_free(t);
}

/* The first four tables hold what the others refer to. */
static void what_is_referred_to_stays(struct kunit *test)
{
	struct knp_tables *t = filled(test);
	u32 i;

	for (i = 0; i < KNP_TABLE_SET; i++)
		KUNIT_EXPECT_EQ(test, delete(t, knp_test_policy[i].table,
					     knp_test_policy[i].recs,
					     knp_test_policy[i].keyed), -EBUSY);
	KUNIT_EXPECT_EQ(test, knp_tables_freeze(t), 0);
	KUNIT_EXPECT_EQ(test, knp_test_holds(t), true);
	knp_tables_free(t);
}

static void a_refused_record_leaves_no_trace(struct kunit *test)
{
	struct knp_rec_endpoint endpoint = knp_test_endpoint;
	struct knp_rec_cidr cidr = knp_test_cidr;
	struct knp_rec_row row = knp_test_row;
	struct knp_rec_rule rule = { 0 };
	struct knp_tables *t = filled(test);

	KUNIT_EXPECT_EQ(test, put(t, KNP_TABLE_RULE, &rule, sizeof(rule)),
			-EINVAL);
	rule.id = KNP_RULES_MAX + 1;
	KUNIT_EXPECT_EQ(test, put(t, KNP_TABLE_RULE, &rule, sizeof(rule)),
			-E2BIG);
	KUNIT_EXPECT_EQ(test, put(t, KNP_TABLE_RULE, &rule, sizeof(rule) - 1),
			-EINVAL);
	row.class_id = 2;
	KUNIT_EXPECT_EQ(test, put(t, KNP_TABLE_ROW, &row, sizeof(row)),
			-ENOENT);
	cidr.prefixlen = 33;
	KUNIT_EXPECT_EQ(test, put(t, KNP_TABLE_CIDR, &cidr, sizeof(cidr)),
			-EINVAL);
	cidr.prefixlen = 15;
	KUNIT_EXPECT_EQ(test, put(t, KNP_TABLE_CIDR, &cidr, sizeof(cidr)),
			-EINVAL);
	endpoint.addr[3] = 3;
	endpoint.egress_set = 1;
	KUNIT_EXPECT_EQ(test, put(t, KNP_TABLE_ENDPOINT, &endpoint,
				  sizeof(endpoint)), -EINVAL);
	KUNIT_EXPECT_EQ(test, put(t, KNP_TABLE_MAX + 1, &rule, sizeof(rule)),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, all_records(t), KNP_TABLE_MAX);
	KUNIT_EXPECT_EQ(test, knp_tables_freeze(t), 0);
	KUNIT_EXPECT_EQ(test, knp_test_holds(t), true);
	knp_tables_free(t);
}

static void a_copy_changes_alone(struct kunit *test)
{
	struct knp_rec_cidr cidr = knp_test_cidr;
	struct knp_rec_peer peer = knp_test_peer;
	struct knp_tables *t = filled(test);
	struct knp_tables *copy;

	cidr.addr[1] = 2;
	KUNIT_EXPECT_EQ(test, knp_tables_freeze(t), 0);
	KUNIT_EXPECT_EQ(test, put(t, KNP_TABLE_CIDR, &cidr, sizeof(cidr)),
			-EINVAL);
	copy = knp_tables_clone(t);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, copy);
	KUNIT_EXPECT_EQ(test, put(copy, KNP_TABLE_CIDR, &cidr, sizeof(cidr)), 1);
	KUNIT_EXPECT_EQ(test, delete(copy, KNP_TABLE_PEER, &peer, sizeof(peer)),
			1);
	KUNIT_EXPECT_EQ(test, knp_tables_freeze(copy), 0);
	KUNIT_EXPECT_EQ(test, knp_test_holds(t), true);
	KUNIT_EXPECT_EQ(test, knp_test_passes(copy, 2, 9, KNP_TEST_PORT), true);
	KUNIT_EXPECT_EQ(test, knp_test_passes(copy, 0, 1, KNP_TEST_PORT), false);
	knp_tables_free(t);
	KUNIT_EXPECT_EQ(test, knp_test_passes(copy, 2, 9, KNP_TEST_PORT), true);
	knp_tables_free(copy);
}

/* The nth of many peers and prefixes, in 10.64.0.0/10 and 10.128.0.0/9. */
static void nth(u32 n, struct knp_rec_peer *peer, struct knp_rec_cidr *cidr)
{
	*peer = (struct knp_rec_peer){
		.addr = { 10, 64 + n / 65536, n / 256, n },
		.family = AF_INET, .class_id = 1,
	};
	*cidr = (struct knp_rec_cidr){
		.addr = { 10, 128 + n / 256, n },
		.family = AF_INET, .prefixlen = 24, .class_id = 1,
	};
}

static void many_come_and_go(struct kunit *test)
{
	struct knp_tables *t = filled(test);
	struct knp_rec_peer peer;
	struct knp_rec_cidr cidr;
	u32 n, bad = 0;

	for (n = 0; n < MANY; n++) {
		nth(n, &peer, &cidr);
		bad += put(t, KNP_TABLE_PEER, &peer, sizeof(peer)) != 1;
		if (n < MANY_CIDRS)
			bad += put(t, KNP_TABLE_CIDR, &cidr, sizeof(cidr)) != 1;
	}
	KUNIT_EXPECT_EQ(test, bad, 0);
	KUNIT_EXPECT_EQ(test, all_records(t), KNP_TABLE_MAX + MANY + MANY_CIDRS);
	KUNIT_EXPECT_EQ(test, knp_tables_freeze(t), 0);
	KUNIT_EXPECT_EQ(test, knp_test_holds(t), true);
	KUNIT_EXPECT_EQ(test, knp_test_passes(t, 64, 200, KNP_TEST_PORT), true);
	KUNIT_EXPECT_EQ(test, knp_test_passes(t, 128, 1, KNP_TEST_PORT), true);
	KUNIT_EXPECT_EQ(test, knp_test_passes(t, 130, 1, KNP_TEST_PORT), false);
	knp_tables_free(t);

	t = filled(test);
	for (n = 0; n < MANY; n++) {
		nth(n, &peer, &cidr);
		put(t, KNP_TABLE_PEER, &peer, sizeof(peer));
	}
	for (n = 0; n < MANY; n++) {
		nth(n, &peer, &cidr);
		bad += delete(t, KNP_TABLE_PEER, &peer, sizeof(peer)) != 1;
	}
	KUNIT_EXPECT_EQ(test, bad, 0);
	KUNIT_EXPECT_EQ(test, all_records(t), KNP_TABLE_MAX);
	KUNIT_EXPECT_EQ(test, knp_tables_freeze(t), 0);
	KUNIT_EXPECT_EQ(test, knp_test_passes(t, 64, 200, KNP_TEST_PORT), false);
	KUNIT_EXPECT_EQ(test, knp_test_holds(t), true);
	knp_tables_free(t);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(what_is_put_comes_back),
	KUNIT_CASE(what_goes_is_gone),
	KUNIT_CASE(what_is_referred_to_stays),
	KUNIT_CASE(a_refused_record_leaves_no_trace),
	KUNIT_CASE(a_copy_changes_alone),
	KUNIT_CASE(many_come_and_go),
	{}
};

static struct kunit_suite suite = {
	.name = "knp-tables",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("knp: tables");
MODULE_LICENSE("Dual MIT/GPL");
