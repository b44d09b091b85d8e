// SPDX-License-Identifier: Apache-2.0
/* Waiting before the next try: growth, cap, jitter, reset, Retry-After. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kube_backoff.h"

static void waits_double_up_to_a_cap(void **state)
{
	static const int64_t want[] = {
		800, 1600, 3200, 6400, 12800, 25600, 30000, 30000, 30000,
	};
	struct knp_backoff b = { 0 };
	int64_t now = 5;

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		assert_int_equal(knp_backoff_next(&b, now, 0, 0), want[i]);
		now += want[i];
	}
}

static void jitter_is_up_to_the_same_again(void **state)
{
	struct knp_backoff b = { 0 };

	(void)state;
	assert_int_equal(knp_backoff_next(&b, 0, UINT32_MAX, 0), 1599);
	assert_int_equal(knp_backoff_next(&b, 1600, UINT32_MAX / 2, 0), 2399);
	assert_int_equal(knp_backoff_first(0), 800);
	assert_int_equal(knp_backoff_first(UINT32_MAX), 1599);
}

static void two_healthy_minutes_start_over(void **state)
{
	struct knp_backoff b = { 0 };
	int64_t now = 0;

	(void)state;
	for (int i = 0; i < 6; i++)
		now += knp_backoff_next(&b, now, 0, 0);
	/* The wait itself is not healthy time. */
	now += 119999;
	assert_int_equal(knp_backoff_next(&b, now, 0, 0), 30000);
	now += 30000 + 120000;
	assert_int_equal(knp_backoff_next(&b, now, 0, 0), 800);
}

static void the_server_may_ask_for_more_but_not_for_less(void **state)
{
	struct knp_backoff b = { 0 };

	(void)state;
	assert_int_equal(knp_backoff_next(&b, 0, 0, 10), 10000);
	assert_int_equal(knp_backoff_next(&b, 10000, 0, 1), 1600);
	assert_int_equal(knp_backoff_next(&b, 11600, 0, INT32_MAX), 300000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_double_up_to_a_cap),
		cmocka_unit_test(jitter_is_up_to_the_same_again),
		cmocka_unit_test(two_healthy_minutes_start_over),
		cmocka_unit_test(the_server_may_ask_for_more_but_not_for_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
