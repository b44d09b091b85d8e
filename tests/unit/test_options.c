// SPDX-License-Identifier: Apache-2.0
/* Which state file knpd keeps, if any; which node; options that do not go together. */
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

/* "knpd", and these words. What they point to lasts until the next call. */
static int parse(const char *words, struct knp_options *o)
{
	char *argv[WORDS + 2] = { "knpd" };
	static char buf[256];
	char *word, *rest;
	int argc = 1;

	snprintf(buf, sizeof(buf), "%s", words);
	for (word = strtok_r(buf, " ", &rest); word;
	     word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	*o = (struct knp_options){ .runtime_dir = KNP_RUNTIME_DIR };
	optind = 0;
	return knp_options_parse(argc, argv, o);
}

/* The state file of "knpd --manifests x" and these words. */
static const char *state_with(const char *words)
{
	struct knp_options o;
	char line[256];

	snprintf(line, sizeof(line), "--manifests x %s", words);
	assert_int_equal(parse(line, &o), 0);
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
	struct knp_options o;

	(void)state;
	assert_int_equal(parse("--startup-taint k --manifests x", &o), -EINVAL);
	assert_int_equal(parse("--startup-taint k --kubeconfig x", &o), 0);
	assert_string_equal(o.startup_taint, "k");
}

/* Who says NODE=$(hostname) means the node that Kubernetes has of it. */
static void test_node_in_lower_case(void **state)
{
	struct knp_options o;

	(void)state;
	assert_int_equal(parse("--manifests x --node Node-A", &o), 0);
	assert_string_equal(o.node, "node-a");
	assert_int_equal(parse("--manifests x", &o), 0);
	assert_null(o.node);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_another_runtime_folder),
		cmocka_unit_test(test_chosen),
		cmocka_unit_test(test_does_not_stay),
		cmocka_unit_test(test_taint_without_server),
		cmocka_unit_test(test_node_in_lower_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
