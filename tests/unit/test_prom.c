// SPDX-License-Identifier: Apache-2.0
/* Prometheus' text format, histograms, summaries, and counts by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <event2/buffer.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prom.h"
#include "tally.h"

/* What was written, to free(). */
static char *text_of(struct knp_prom *p)
{
	size_t n = evbuffer_get_length(p->out);
	char *text = calloc(1, n + 1);

	assert_non_null(text);
	assert_false(p->failed);
	evbuffer_remove(p->out, text, n);
	evbuffer_free(p->out);
	return text;
}

static struct knp_prom writer(void)
{
	struct knp_prom p = { .out = evbuffer_new() };

	assert_non_null(p.out);
	return p;
}

static void assert_written(struct knp_prom *p, const char *expected)
{
	char *text = text_of(p);

	assert_string_equal(text, expected);
	free(text);
}

static void labels_are_escaped(void **state)
{
	struct knp_prom p = writer();

	(void)state;
	knp_prom_family(&p, "f", "gauge", "Help.");
	knp_prom_count(&p, KNP_PROM_LABELS({ "a", "x\"y\\z\nw" }, { "b", NULL }),
		       18446744073709551615U);
	knp_prom_count(&p, KNP_PROM_LABELS({ "a", "caf\xc3\xa9 \xff" }), 1);
	assert_written(&p, "# HELP f Help.\n# TYPE f gauge\n"
		       "f{a=\"x\\\"y\\\\z\\nw\",b=\"\"} 18446744073709551615\n"
		       "f{a=\"caf?? ?\"} 1\n");
}

static void numbers_are_read_back_as_they_were(void **state)
{
	static const double values[] = {
		0, 1, 0.1, 1.0 / 3, 0.00001, 1795673878.25, 1e300, 123456789012345678.0,
	};
	struct knp_prom p = writer();
	char *text, *at;

	(void)state;
	p.name = "v";
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		knp_prom_value(&p, NULL, values[i]);
	knp_prom_value(&p, NULL, NAN);
	knp_prom_value(&p, NULL, INFINITY);
	text = text_of(&p);
	at = text;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		assert_memory_equal(at, "v ", 2);
		assert_true(strtod(at + 2, &at) == values[i]);
		at++;
	}
	assert_string_equal(at, "v NaN\nv +Inf\n");
	free(text);
}

static void buckets_are_summed_up(void **state)
{
	static const double bounds[] = { 0.1, 1 };
	struct knp_histogram h = { .bounds = bounds, .nbounds = 2 };
	struct knp_prom p = writer();

	(void)state;
	knp_histogram_add(&h, 0.05);
	/* A bound is in its own bucket. */
	knp_histogram_add(&h, 0.1);
	knp_histogram_add(&h, 0.5);
	knp_histogram_add(&h, 7);
	p.name = "h";
	knp_prom_histogram(&p, KNP_PROM_LABELS({ "l", "v" }), &h);
	assert_written(&p,
		       "h_bucket{l=\"v\",le=\"0.1\"} 2\n"
		       "h_bucket{l=\"v\",le=\"1\"} 3\n"
		       "h_bucket{l=\"v\",le=\"+Inf\"} 4\n"
		       "h_sum{l=\"v\"} 7.65\n"
		       "h_count{l=\"v\"} 4\n");
}

static void quantiles_are_of_the_last_ones(void **state)
{
	struct knp_summary *s = calloc(1, sizeof(*s));
	struct knp_prom p = writer();

	(void)state;
	assert_non_null(s);
	assert_true(isnan(knp_summary_quantile(s, 0.5, 5)));
	for (int i = 1; i <= 100; i++)
		knp_summary_add(s, i, 1, 1000);
	assert_true(knp_summary_quantile(s, 0.5, 2000) == 51);
	assert_true(knp_summary_quantile(s, 0.99, 2000) == 100);
	assert_true(isnan(knp_summary_quantile(s, 0.5, 1000 + KNP_SUMMARY_MS)));

	/* Many at once are one value, and the oldest leave. */
	for (int i = 0; i < KNP_SUMMARY_LAST; i++)
		knp_summary_add(s, 3, 10, 3000);
	knp_summary_add(s, 9, 0, 3000);
	assert_true(knp_summary_quantile(s, 0.99, 3000) == 3);
	assert_int_equal(s->count, 100 + 10 * KNP_SUMMARY_LAST);
	p.name = "s";
	knp_prom_summary(&p, NULL, s, 3000);
	assert_written(&p, "s{quantile=\"0.5\"} 3\ns{quantile=\"0.9\"} 3\n"
		       "s{quantile=\"0.99\"} 3\ns_sum 12730\ns_count 2660\n");
	free(s);
}

static uint64_t shown(const struct knp_tally *t, const char *name)
{
	struct knp_tally_count c;

	for (size_t i = 0; i < knp_tally_shown(t); i++)
		if (!strcmp(knp_tally_at(t, i, &c), name))
			return c.packets;
	return UINT64_MAX;
}

static void the_largest_are_shown_and_the_rest_is_one_number(void **state)
{
	struct knp_tally *t = knp_tally_new(2);

	(void)state;
	assert_non_null(t);
	knp_tally_add(t, "a", 10, 1000);
	knp_tally_add(t, "b", 4, 400);
	knp_tally_add(t, "c", 5, 500);
	knp_tally_add(t, NULL, 1, 100);
	assert_int_equal(shown(t, "a"), 10);
	assert_int_equal(shown(t, "b"), 4);
	assert_int_equal(shown(t, "c"), UINT64_MAX);
	assert_int_equal(knp_tally_rest(t).packets, 6);
	assert_int_equal(knp_tally_rest(t).bytes, 600);

	/* Half as much again as the least: it takes the place, from zero. */
	knp_tally_add(t, "c", 2, 200);
	assert_int_equal(shown(t, "b"), UINT64_MAX);
	assert_int_equal(shown(t, "c"), 0);
	assert_int_equal(knp_tally_rest(t).packets, 12);
	knp_tally_add(t, "c", 1, 1);
	knp_tally_add(t, "b", 1, 1);
	assert_int_equal(shown(t, "c"), 1);
	assert_int_equal(knp_tally_rest(t).packets, 13);
	knp_tally_free(t);
}

/* The sum is exact and nothing that is shown ever shrinks, whoever counts. */
static void counts_never_shrink(void **state)
{
	uint64_t last[200] = { 0 }, rest = 0, total = 0, sum;
	struct knp_tally *t = knp_tally_new(5);
	struct knp_tally_count c;
	bool had[200], has[200];
	char name[16];
	unsigned int who;

	(void)state;
	assert_non_null(t);
	memset(had, 0, sizeof(had));
	srand(1);
	for (int i = 0; i < 20000; i++) {
		/* Names come in waves, and more than can be remembered. */
		who = (unsigned int)(rand() % (1 + i / 100));
		snprintf(name, sizeof(name), "%u", who % 200);
		knp_tally_add(t, name, who % 7 + 1, 1);
		total += who % 7 + 1;

		memset(has, 0, sizeof(has));
		sum = knp_tally_rest(t).packets;
		assert_true(sum >= rest);
		rest = sum;
		for (size_t j = 0; j < knp_tally_shown(t); j++) {
			who = (unsigned int)atoi(knp_tally_at(t, j, &c));
			if (had[who])
				assert_true(c.packets >= last[who]);
			last[who] = c.packets;
			has[who] = true;
			sum += c.packets;
		}
		memcpy(had, has, sizeof(had));
		assert_int_equal(sum, total);
	}
	assert_int_equal(knp_tally_shown(t), 5);
	knp_tally_free(t);
}

static void the_waiting_room_is_bounded(void **state)
{
	struct knp_tally *t = knp_tally_new(1);
	char name[16];

	(void)state;
	assert_non_null(t);
	knp_tally_add(t, "large", 1000000, 1);
	for (int i = 0; i < 3 * KNP_TALLY_WAITING; i++) {
		snprintf(name, sizeof(name), "%d", i);
		knp_tally_add(t, name, 1, 1);
	}
	assert_int_equal(knp_tally_shown(t), 1);
	assert_int_equal(knp_tally_rest(t).packets, 3 * KNP_TALLY_WAITING);
	assert_int_equal(shown(t, "large"), 1000000);
	knp_tally_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_are_escaped),
		cmocka_unit_test(numbers_are_read_back_as_they_were),
		cmocka_unit_test(buckets_are_summed_up),
		cmocka_unit_test(quantiles_are_of_the_last_ones),
		cmocka_unit_test(the_largest_are_shown_and_the_rest_is_one_number),
		cmocka_unit_test(counts_never_shrink),
		cmocka_unit_test(the_waiting_room_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
