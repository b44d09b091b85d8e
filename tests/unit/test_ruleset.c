// SPDX-License-Identifier: Apache-2.0
/* Rulesets: unpacking, taking over ids, and differences that the tables take. */
#include "clusters.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table_limits.h"

static void add_rule(struct knp_ruleset *rs, uint32_t id, uint8_t tag)
{
	struct knp_rec_rule rec = { .id = id };

	memset(rec.tag, tag, sizeof(rec.tag));
	assert_non_null(knp_recs_add(&rs->rules, &rec));
}

static uint32_t rule_id(const struct knp_ruleset *rs, uint8_t tag)
{
	const struct knp_rec_rule *rule = rs->rules.v;

	for (size_t i = 0; i < rs->rules.n; i++)
		if (rule[i].tag[0] == tag)
			return rule[i].id;
	return 0;
}

static void limits_are_those_of_the_tables(void **state)
{
	(void)state;
	for (uint32_t t = 1; t <= KNP_TABLE_MAX; t++)
		assert_int_equal(knp_limit(t), knp_tables_limit(t));
}

static void known_tags_keep_their_ids_and_new_ones_take_free_ids(void **state)
{
	struct knp_ruleset *base = knp_ruleset_new();
	struct knp_ruleset *rs = knp_ruleset_new();

	(void)state;
	add_rule(base, 1, 'a');
	add_rule(base, 2, 'b');
	add_rule(base, 4, 'c');
	add_rule(rs, 1, 'x');
	add_rule(rs, 2, 'c');
	add_rule(rs, 3, 'y');
	assert_int_equal(knp_ruleset_adopt(rs, base), 0);
	assert_int_equal(rule_id(rs, 'c'), 4);
	/* 1 and 2 still mean a and b until the transaction is over. */
	assert_int_equal(rule_id(rs, 'x'), 3);
	assert_int_equal(rule_id(rs, 'y'), 5);
	knp_ruleset_free(base);
	knp_ruleset_free(rs);
}

static void a_record_is_found_by_its_id(void **state)
{
	struct knp_ruleset *rs = knp_ruleset_new();
	const struct knp_rec_rule *v;

	(void)state;
	assert_null(knp_recs_find(&rs->rules, 1));
	add_rule(rs, 2, 'a');
	add_rule(rs, 3, 'b');
	add_rule(rs, 70000, 'c');
	v = rs->rules.v;
	assert_ptr_equal(knp_recs_find(&rs->rules, 2), &v[0]);
	assert_ptr_equal(knp_recs_find(&rs->rules, 3), &v[1]);
	assert_ptr_equal(knp_recs_find(&rs->rules, 70000), &v[2]);
	assert_null(knp_recs_find(&rs->rules, 1));
	assert_null(knp_recs_find(&rs->rules, 4));
	assert_null(knp_recs_find(&rs->rules, 70001));
	knp_ruleset_free(rs);
}

static void running_out_of_ids_changes_nothing(void **state)
{
	struct knp_ruleset *base = knp_ruleset_new();
	struct knp_ruleset *rs = knp_ruleset_new();

	(void)state;
	for (uint32_t i = 1; i <= knp_limit(KNP_TABLE_RULE); i++)
		add_rule(base, i, 'a');
	add_rule(rs, 7, 'x');
	assert_int_equal(knp_ruleset_adopt(rs, base), -E2BIG);
	assert_int_equal(rule_id(rs, 'x'), 7);
	knp_ruleset_free(base);
	knp_ruleset_free(rs);
}

static void malformed_dumps_are_refused(void **state)
{
	struct knp_rec_portset portset = { .id = 1, .nports = 2 };
	struct knp_ruleset *rs = knp_ruleset_new();
	uint8_t buf[64] = { 0 };

	(void)state;
	assert_int_equal(knp_ruleset_unpack(rs, 0, buf, 4), -EINVAL);
	assert_int_equal(knp_ruleset_unpack(rs, KNP_TABLE_MAX + 1, buf, 4),
			 -EINVAL);
	assert_int_equal(knp_ruleset_unpack(rs, KNP_TABLE_ROW, buf, 13),
			 -EINVAL);
	memcpy(buf, &portset, sizeof(portset));
	assert_int_equal(knp_ruleset_unpack(rs, KNP_TABLE_PORTSET, buf,
					    sizeof(portset) - 1), -EINVAL);
	assert_int_equal(knp_ruleset_unpack(rs, KNP_TABLE_PORTSET, buf,
					    sizeof(portset) +
					    sizeof(struct knp_rec_port)),
			 -EINVAL);
	portset.nports = KNP_PORTS_MAX + 1;
	memcpy(buf, &portset, sizeof(portset));
	assert_int_equal(knp_ruleset_unpack(rs, KNP_TABLE_PORTSET, buf,
					    sizeof(buf)), -EINVAL);
	assert_int_equal(rs->portsets.n, 0);
	knp_ruleset_free(rs);
}

static bool empty_diff(const struct knp_ruleset *from,
		       const struct knp_ruleset *to)
{
	struct knp_diff *diff;
	bool empty;

	assert_int_equal(knp_ruleset_diff(from, to, &diff), 0);
	empty = !diff->nops && !diff->count;
	knp_diff_free(diff);
	return empty;
}

/* The kernel goes from cluster to cluster by differences alone. */
static void tables_take_every_difference(void **state)
{
	struct knp_ruleset *have = knp_ruleset_new();
	struct knp_tables *t = knp_tables_new(), *next;
	struct knp_ruleset *rs;
	struct knp_store *store;
	struct knp_diff *diff;
	struct dice d;
	char *text;

	(void)state;
	dice_init(&d);
	assert_int_equal(knp_tables_freeze(t), 0);
	for (int i = 0; i < 60; i++) {
		text = random_cluster(&d, dice_below(&d, 30),
				      dice_below(&d, 8));
		store = cluster(text);
		rs = compiled(store, i % 3 ? "node0" : NULL);
		assert_int_equal(knp_ruleset_adopt(rs, have), 0);
		assert_int_equal(knp_ruleset_diff(have, rs, &diff), 0);
		next = knp_tables_clone(t);
		apply_diff(next, diff);
		assert_int_equal(knp_tables_freeze(next), 0);
		knp_diff_free(diff);
		knp_tables_free(t);
		t = next;
		knp_ruleset_free(have);
		have = read_back(t);
		assert_true(empty_diff(have, rs));
		knp_ruleset_free(rs);

		/* Compiled again, nothing is to be done. */
		rs = compiled(store, i % 3 ? "node0" : NULL);
		assert_int_equal(knp_ruleset_adopt(rs, have), 0);
		assert_true(empty_diff(have, rs));
		knp_ruleset_free(rs);
		knp_store_free(store);
		free(text);
	}
	knp_ruleset_free(have);
	knp_tables_free(t);
}

static void a_deleted_set_takes_its_row_along(void **state)
{
	struct knp_rec_set set = { .id = 1, .direction = KNP_EGRESS };
	struct knp_rec_row row = { .set = 1, .class_id = 1, .portset = 1 };
	struct knp_ruleset *from = knp_ruleset_new();
	struct knp_ruleset *to = knp_ruleset_new();
	struct knp_diff *diff;

	(void)state;
	knp_recs_add(&from->sets, &set);
	knp_recs_add(&from->rows, &row);
	assert_int_equal(knp_ruleset_diff(from, to, &diff), 0);
	assert_int_equal(diff->count, 1);
	assert_int_equal(diff->ops[0].table, KNP_TABLE_SET);
	knp_diff_free(diff);

	knp_recs_add(&to->sets, &set);
	assert_int_equal(knp_ruleset_diff(from, to, &diff), 0);
	assert_int_equal(diff->count, 1);
	assert_int_equal(diff->ops[0].table, KNP_TABLE_ROW);
	assert_true(diff->ops[0].delete);
	knp_diff_free(diff);
	knp_ruleset_free(from);
	knp_ruleset_free(to);
}

static void interfaces_that_are_gone_are_deleted(void **state)
{
	struct knp_rec_iface iface = { .ifindex = 3, .role = KNP_ROLE_POD };
	struct knp_ruleset *from = knp_ruleset_new();
	struct knp_ruleset *to = knp_ruleset_new();
	struct knp_diff *diff;

	(void)state;
	knp_recs_add(&from->ifaces, &iface);
	assert_int_equal(knp_ruleset_diff(from, to, &diff), 0);
	assert_int_equal(diff->count, 1);
	assert_true(diff->ops[0].delete);
	assert_int_equal(diff->ops[0].table, KNP_TABLE_IFACE);
	knp_diff_free(diff);
	knp_ruleset_free(from);
	knp_ruleset_free(to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_are_those_of_the_tables),
		cmocka_unit_test(known_tags_keep_their_ids_and_new_ones_take_free_ids),
		cmocka_unit_test(a_record_is_found_by_its_id),
		cmocka_unit_test(running_out_of_ids_changes_nothing),
		cmocka_unit_test(malformed_dumps_are_refused),
		cmocka_unit_test(tables_take_every_difference),
		cmocka_unit_test(a_deleted_set_takes_its_row_along),
		cmocka_unit_test(interfaces_that_are_gone_are_deleted),
	};

	return cmocka_run_group_tests_name("ruleset", tests, NULL, NULL);
}
