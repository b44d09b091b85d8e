// SPDX-License-Identifier: Apache-2.0
/* Which state file knpd keeps, if any; options that do not go together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "runtime.h"
#include "state_file.h"

#define WORDS	8

/* The state file of "knpd --manifests x" and these words. */
static const char *state_with(const char *words)
{
	char *argv[WORDS + 4] = { "knpd", "--manifests", "x" };
	struct knp_options o = { .runtime_dir = KNP_RUNTIME_DIR };
	static char buf[256];
	char *word, *rest;
	int argc = 3;

	snprintf(buf, sizeof(buf), "%s", words);
	for (word = strtok_r(buf, " ", &rest); word;
	     word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	optind = 0;
	assert_int_equal(knp_options_parse(argc, argv, &o), 0);
	return o.state;
}

static void test_default(void **state)
{
	(void)state;
	assert_string_equal(state_with(""), KNP_STATE_FILE);
	assert_string_equal(state_with("--runtime-dir " KNP_RUNTIME_DIR),
			    KNP_STATE_FILE);
}

/* Two knpd of a machine must not share one. */
static void test_another_runtime_folder(void **state)
{
	(void)state;
	assert_null(state_with("--runtime-dir /run/other"));
	assert_string_equal(state_with("--runtime-dir /run/other --state /f"), "/f");
	assert_string_equal(state_with("--state /f --runtime-dir /run/other"), "/f");
}

static void test_chosen(void **state)
{
	(void)state;
	assert_string_equal(state_with("--state /f"), "/f");
	assert_null(state_with("--state none"));
}

/* Who does not stay, or writes nowhere, has nothing to keep. */
static void test_does_not_stay(void **state)
{
	(void)state;
	assert_null(state_with("--once --state /f"));
	assert_null(state_with("--dry-run --state /f"));
	assert_null(state_with("--backend null:/f --state /f"));
	assert_null(state_with("--once"));
}

/* A folder has no nodes. */
static void test_taint_without_server(void **state)
{
	char *folder[] = { "knpd", "--startup-taint", "k", "--manifests", "x",
			   NULL };
	char *server[] = { "knpd", "--startup-taint", "k", "--kubeconfig", "x",
			   NULL };
	struct knp_options o = { .runtime_dir = KNP_RUNTIME_DIR };

	(void)state;
	optind = 0;
	assert_int_equal(knp_options_parse(5, folder, &o), -EINVAL);
	o = (struct knp_options){ .runtime_dir = KNP_RUNTIME_DIR };
	optind = 0;
	assert_int_equal(knp_options_parse(5, server, &o), 0);
	assert_string_equal(o.startup_taint, "k");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_another_runtime_folder),
		cmocka_unit_test(test_chosen),
		cmocka_unit_test(test_does_not_stay),
		cmocka_unit_test(test_taint_without_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
