// SPDX-License-Identifier: Apache-2.0
/* Waiting before the kernel is asked again: growth, cap, reset. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "retry.h"

static void waits_double_up_to_a_cap(void **state)
{
	static const int want[] = {
		1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000,
	};
	struct knp_retry r = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++)
		assert_int_equal(knp_retry_next(&r), want[i]);
}

/* However long it has failed. */
static void a_cap_holds(void **state)
{
	struct knp_retry r = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_in_range(knp_retry_next(&r), 1000, 30000);
	assert_int_equal(knp_retry_next(&r), 30000);
}

static void a_success_starts_over(void **state)
{
	struct knp_retry r = { 0 };

	(void)state;
	for (int i = 0; i < 10; i++)
		knp_retry_next(&r);
	knp_retry_reset(&r);
	assert_int_equal(knp_retry_next(&r), 1000);
	assert_int_equal(knp_retry_next(&r), 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_double_up_to_a_cap),
		cmocka_unit_test(a_cap_holds),
		cmocka_unit_test(a_success_starts_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
