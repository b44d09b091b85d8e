// SPDX-License-Identifier: Apache-2.0
/* Which state file knpd keeps, if any. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "runtime.h"
#include "state_file.h"

#define WORDS	8

/* The state file of "knpd --manifests x" and these words, NULL at their end. */
static const char *state_with(const char *first, ...)
{
	char *argv[WORDS + 4] = { "knpd", "--manifests", "x" };
	struct knp_options o = { .runtime_dir = KNP_RUNTIME_DIR };
	const char *word;
	va_list args;
	int argc = 3;

	va_start(args, first);
	for (word = first; word; word = va_arg(args, const char *))
		argv[argc++] = (char *)word;
	va_end(args);
	optind = 0;
	assert_int_equal(knp_options_parse(argc, argv, &o), 0);
	return o.state;
}

static void test_default(void **state)
{
	(void)state;
	assert_string_equal(state_with(NULL), KNP_STATE_FILE);
	assert_string_equal(state_with("--runtime-dir", KNP_RUNTIME_DIR, NULL),
			    KNP_STATE_FILE);
}

/* Two knpd of a machine must not share one. */
static void test_another_runtime_folder(void **state)
{
	(void)state;
	assert_null(state_with("--runtime-dir", "/run/other", NULL));
	assert_string_equal(state_with("--runtime-dir", "/run/other",
				       "--state", "/f", NULL), "/f");
	assert_string_equal(state_with("--state", "/f", "--runtime-dir",
				       "/run/other", NULL), "/f");
}

static void test_chosen(void **state)
{
	(void)state;
	assert_string_equal(state_with("--state", "/f", NULL), "/f");
	assert_null(state_with("--state", "none", NULL));
}

/* Who does not stay, or writes nowhere, has nothing to keep. */
static void test_does_not_stay(void **state)
{
	(void)state;
	assert_null(state_with("--once", "--state", "/f", NULL));
	assert_null(state_with("--dry-run", "--state", "/f", NULL));
	assert_null(state_with("--backend", "null:/f", "--state", "/f", NULL));
	assert_null(state_with("--once", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_another_runtime_folder),
		cmocka_unit_test(test_chosen),
		cmocka_unit_test(test_does_not_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
