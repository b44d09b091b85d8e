// SPDX-License-Identifier: Apache-2.0
/* What counters did between two reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "rates.h"

static struct knp_reading *reading_new(void)
{
	struct knp_reading *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->rules.size = sizeof(struct knp_rec_rule);
	r->sets.size = sizeof(struct knp_rec_set);
	return r;
}

static void reading_free(struct knp_reading *r)
{
	free(r->counters.rules);
	free(r->counters.sets);
	free(r->rules.v);
	free(r->sets.v);
	free(r);
}

/* In the order of ids. */
static void add_rule(struct knp_reading *r, uint32_t id, uint8_t tag,
		     uint64_t packets, uint64_t bytes)
{
	struct knp_counters *c = &r->counters;
	struct knp_rec_rule rec = { .id = id };

	memset(rec.tag, tag, sizeof(rec.tag));
	assert_non_null(knp_recs_add(&r->rules, &rec));
	c->rules = reallocarray(c->rules, c->nrules + 1, sizeof(*c->rules));
	assert_non_null(c->rules);
	c->rules[c->nrules++] = (struct knp_counter){
		.id = id, .packets = packets, .bytes = bytes,
	};
}

static void add_set(struct knp_reading *r, uint32_t id, uint8_t tag,
		    uint64_t packets)
{
	struct knp_counters *c = &r->counters;
	struct knp_rec_set rec = { .id = id };

	memset(rec.tag, tag, sizeof(rec.tag));
	assert_non_null(knp_recs_add(&r->sets, &rec));
	c->sets = reallocarray(c->sets, c->nsets + 1, sizeof(*c->sets));
	assert_non_null(c->sets);
	c->sets[c->nsets++] = (struct knp_counter){
		.id = id, .packets = packets, .bytes = packets * 10,
	};
}

static void add_reason(struct knp_reading *r, uint32_t reason, uint64_t packets)
{
	r->counters.reasons[reason].packets = packets;
	r->counters.reasons[reason].bytes = packets * 10;
}

static struct knp_rate *rates(const struct knp_reading *before,
			      const struct knp_reading *now,
			      enum knp_rate_order order, size_t expected)
{
	struct knp_rate *v;
	size_t n;

	assert_int_equal(knp_rates_new(before, now, order, &v, &n), 0);
	assert_int_equal(n, expected);
	return v;
}

static void a_rate_is_the_difference_and_who_rested_is_left_out(void **state)
{
	struct knp_reading *before = reading_new(), *now = reading_new();
	struct knp_rate *v;

	(void)state;
	add_rule(before, 1, 'a', 10, 100);
	add_rule(before, 2, 'b', 5, 50);
	add_rule(now, 1, 'a', 13, 190);
	add_rule(now, 2, 'b', 5, 50);
	v = rates(before, now, KNP_RATE_BY_PACKETS, 1);
	assert_int_equal(v[0].kind, KNP_RATE_RULE);
	assert_int_equal(v[0].id, 1);
	assert_int_equal(v[0].tag[0], 'a');
	assert_int_equal(v[0].packets, 3);
	assert_int_equal(v[0].bytes, 90);
	free(v);
	reading_free(before);
	reading_free(now);
}

static void a_rule_that_is_new_or_another_one_began_at_zero(void **state)
{
	struct knp_reading *before = reading_new(), *now = reading_new();
	struct knp_rate *v;

	(void)state;
	add_rule(before, 1, 'a', 10, 100);
	add_rule(now, 1, 'x', 12, 120);
	add_rule(now, 7, 'y', 4, 40);
	v = rates(before, now, KNP_RATE_BY_ID, 2);
	assert_int_equal(v[0].packets, 12);
	assert_int_equal(v[1].packets, 4);
	free(v);
	reading_free(before);
	reading_free(now);
}

static void a_counter_that_went_back_was_begun_anew(void **state)
{
	struct knp_reading *before = reading_new(), *now = reading_new();
	struct knp_rate *v;

	(void)state;
	add_rule(before, 1, 'a', 1000, 5000);
	add_rule(now, 1, 'a', 2, 20);
	add_reason(before, KNP_REASON_SPOOF, 9);
	add_reason(now, KNP_REASON_SPOOF, 1);
	v = rates(before, now, KNP_RATE_BY_ID, 2);
	assert_int_equal(v[0].packets, 2);
	assert_int_equal(v[0].bytes, 20);
	assert_int_equal(v[1].packets, 1);
	free(v);
	reading_free(before);
	reading_free(now);
}

static void without_an_earlier_read_all_is_new(void **state)
{
	struct knp_reading *now = reading_new();
	struct knp_rate *v;

	(void)state;
	add_rule(now, 3, 'a', 7, 70);
	v = rates(NULL, now, KNP_RATE_BY_ID, 1);
	assert_int_equal(v[0].packets, 7);
	free(v);
	reading_free(now);
}

static void reasons_of_drops_count_and_those_of_passing_do_not(void **state)
{
	struct knp_reading *before = reading_new(), *now = reading_new();
	struct knp_rate *v;

	(void)state;
	add_reason(now, KNP_REASON_ALLOWED, 100);
	add_reason(now, KNP_REASON_PASS_LAST, 100);
	add_reason(now, KNP_REASON_PASS_LAST + 1, 2);
	add_reason(now, KNP_REASON_MAX, 3);
	v = rates(before, now, KNP_RATE_BY_ID, 2);
	assert_int_equal(v[0].kind, KNP_RATE_DROP);
	assert_int_equal(v[0].id, KNP_REASON_PASS_LAST + 1);
	assert_int_equal(v[1].id, KNP_REASON_MAX);
	free(v);
	reading_free(before);
	reading_free(now);
}

static void sets_count_what_they_denied(void **state)
{
	struct knp_reading *before = reading_new(), *now = reading_new();
	struct knp_rate *v;

	(void)state;
	add_set(before, 1, 'a', 10);
	add_set(before, 2, 'b', 10);
	add_rule(before, 1, 'a', 90, 900);
	add_set(now, 1, 'a', 14);
	add_set(now, 2, 'x', 12);
	add_set(now, 3, 'c', 0);
	add_rule(now, 1, 'a', 90, 900);
	v = rates(before, now, KNP_RATE_BY_ID, 2);
	assert_int_equal(v[0].kind, KNP_RATE_SET);
	assert_int_equal(v[0].id, 1);
	assert_int_equal(v[0].tag[0], 'a');
	assert_int_equal(v[0].packets, 4);
	assert_int_equal(v[0].bytes, 40);
	assert_int_equal(v[1].id, 2);
	assert_int_equal(v[1].packets, 12);
	free(v);
	reading_free(before);
	reading_free(now);
}

static void the_busiest_is_first_by_packets_or_bytes(void **state)
{
	struct knp_reading *before = reading_new(), *now = reading_new();
	struct knp_rate *v;

	(void)state;
	add_rule(now, 1, 'a', 5, 9000);
	add_rule(now, 2, 'b', 8, 10);
	add_rule(now, 3, 'c', 5, 10);
	add_reason(now, KNP_REASON_EGRESS, 6);

	v = rates(before, now, KNP_RATE_BY_PACKETS, 4);
	assert_int_equal(v[0].id, 2);
	assert_int_equal(v[1].kind, KNP_RATE_DROP);
	assert_int_equal(v[2].id, 1);
	assert_int_equal(v[3].id, 3);
	free(v);

	v = rates(before, now, KNP_RATE_BY_BYTES, 4);
	assert_int_equal(v[0].id, 1);
	assert_int_equal(v[1].kind, KNP_RATE_DROP);
	assert_int_equal(v[2].id, 2);
	assert_int_equal(v[3].id, 3);
	free(v);
	reading_free(before);
	reading_free(now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rate_is_the_difference_and_who_rested_is_left_out),
		cmocka_unit_test(a_rule_that_is_new_or_another_one_began_at_zero),
		cmocka_unit_test(a_counter_that_went_back_was_begun_anew),
		cmocka_unit_test(without_an_earlier_read_all_is_new),
		cmocka_unit_test(reasons_of_drops_count_and_those_of_passing_do_not),
		cmocka_unit_test(sets_count_what_they_denied),
		cmocka_unit_test(the_busiest_is_first_by_packets_or_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
