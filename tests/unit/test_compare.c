// SPDX-License-Identifier: Apache-2.0
/* What two rulesets do not have alike, record by record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ruleset.h"

/* What was told: "-1 +2 ~3 " of records with ids, "=" ends it. */
static char told[256];

static uint32_t id_of(const void *rec)
{
	uint32_t id;

	memcpy(&id, rec, sizeof(id));
	return id;
}

static int tell(void *arg, uint32_t table, const void *from, const void *to)
{
	size_t len = strlen(told);

	assert_true(from || to);
	assert_int_equal(table, *(const uint32_t *)arg);
	snprintf(told + len, sizeof(told) - len, "%c%u ",
		 from && to ? '~' : from ? '-' : '+', id_of(from ? from : to));
	return 0;
}

static void assert_told(const struct knp_ruleset *from,
			const struct knp_ruleset *to, uint32_t table,
			const char *expected)
{
	*told = '\0';
	assert_int_equal(knp_ruleset_compare(from, to, table, tell, &table), 0);
	assert_string_equal(told, expected);
}

/* Rules of ids, in their order; the tag says which they are. */
static struct knp_ruleset *rules(const char *ids, const char *tags)
{
	struct knp_ruleset *rs = knp_ruleset_new();

	assert_non_null(rs);
	for (; *ids; ids++, tags++) {
		struct knp_rec_rule rec = { .id = (uint32_t)(*ids - '0') };

		memset(rec.tag, *tags, sizeof(rec.tag));
		assert_non_null(knp_recs_add(&rs->rules, &rec));
	}
	return rs;
}

static void assert_rules(const char *from_ids, const char *from_tags,
			 const char *to_ids, const char *to_tags,
			 const char *expected)
{
	struct knp_ruleset *from = rules(from_ids, from_tags);
	struct knp_ruleset *to = rules(to_ids, to_tags);

	assert_told(from, to, KNP_TABLE_RULE, expected);
	knp_ruleset_free(from);
	knp_ruleset_free(to);
}

static void what_is_the_same_is_not_told(void **state)
{
	(void)state;
	assert_rules("", "", "", "", "");
	assert_rules("135", "abc", "135", "abc", "");
}

static void what_only_one_has_and_what_differs_is_told_in_order(void **state)
{
	(void)state;
	assert_rules("135", "abc", "", "", "-1 -3 -5 ");
	assert_rules("", "", "24", "ab", "+2 +4 ");
	assert_rules("135", "abc", "234", "xbz", "-1 +2 +4 -5 ");
	assert_rules("135", "abc", "1356", "abxd", "~5 +6 ");
	assert_rules("9", "a", "1", "b", "+1 -9 ");
}

static void ports_of_portsets_count(void **state)
{
	struct knp_ruleset *from = knp_ruleset_new(), *to = knp_ruleset_new();
	struct knp_rs_portset a = { .rec = { .id = 1, .nports = 1 } };
	struct knp_rs_portset b = a;

	(void)state;
	a.ports = calloc(1, sizeof(*a.ports));
	b.ports = calloc(1, sizeof(*b.ports));
	assert_non_null(knp_recs_add(&from->portsets, &a));
	assert_non_null(knp_recs_add(&to->portsets, &b));
	assert_told(from, to, KNP_TABLE_PORTSET, "");
	b.ports->lo = 80;
	assert_told(from, to, KNP_TABLE_PORTSET, "~1 ");
	knp_ruleset_free(from);
	knp_ruleset_free(to);
}

static void other_tables_are_not_looked_at(void **state)
{
	struct knp_ruleset *from = rules("1", "a"), *to = rules("2", "b");

	(void)state;
	assert_told(from, to, KNP_TABLE_SET, "");
	knp_ruleset_free(from);
	knp_ruleset_free(to);
}

static int refuse(void *arg, uint32_t table, const void *from, const void *to)
{
	(void)table;
	(void)from;
	(void)to;
	++*(int *)arg;
	return -ECANCELED;
}

static void who_is_told_may_end_it(void **state)
{
	struct knp_ruleset *from = rules("12", "ab"), *to = rules("", "");
	int n = 0;

	(void)state;
	assert_int_equal(knp_ruleset_compare(from, to, KNP_TABLE_RULE, refuse,
					     &n), -ECANCELED);
	assert_int_equal(n, 1);
	knp_ruleset_free(from);
	knp_ruleset_free(to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_the_same_is_not_told),
		cmocka_unit_test(what_only_one_has_and_what_differs_is_told_in_order),
		cmocka_unit_test(ports_of_portsets_count),
		cmocka_unit_test(other_tables_are_not_looked_at),
		cmocka_unit_test(who_is_told_may_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
