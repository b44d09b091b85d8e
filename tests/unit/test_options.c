// SPDX-License-Identifier: Apache-2.0
/* What knpd's options mean, and which do not go together; which state file it keeps. */
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
	*o = knp_options_default;
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

/* Agents that start together are to spread; somebody waits for these. */
static void test_who_is_waited_for_asks_at_once(void **state)
{
	struct knp_options o;

	(void)state;
	assert_int_equal(parse("--kubeconfig x", &o), 0);
	assert_int_equal(o.kube.spread_ms, KNP_START_SPREAD_MS);
	assert_int_equal(parse("--kubeconfig x --once", &o), 0);
	assert_int_equal(o.kube.spread_ms, 0);
	assert_int_equal(parse("--kubeconfig x --dry-run", &o), 0);
	assert_int_equal(o.kube.spread_ms, 0);
}

/* Options with one of two words: what each means, and that there is no third. */
static void test_words(void **state)
{
	static const struct {
		const char *option;
		size_t at;
		const char *word[2];
		int value[2];
	} rows[] = {
		{ "--mode", offsetof(struct knp_options, push.mode),
		  { "enforce", "audit" }, { KNP_MODE_ENFORCE, KNP_MODE_AUDIT } },
		{ "--unknown-local", offsetof(struct knp_options, push.unknown_local),
		  { "pass", "drop" }, { KNP_PASS, KNP_DROP } },
		{ "--node-egress", offsetof(struct knp_options, push.node_egress),
		  { "allow", "enforce" }, { KNP_PASS, KNP_DROP } },
	};
	struct knp_options o;
	char line[128];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (int w = 0; w < 2; w++) {
			snprintf(line, sizeof(line), "--manifests x %s %s",
				 rows[i].option, rows[i].word[w]);
			assert_int_equal(parse(line, &o), 0);
			assert_int_equal(*(int *)((char *)&o + rows[i].at),
					 rows[i].value[w]);
		}
		snprintf(line, sizeof(line), "--manifests x %s both", rows[i].option);
		assert_int_equal(parse(line, &o), -EINVAL);
	}
}

static void test_others_of_enforcing(void **state)
{
	struct knp_options o;

	(void)state;
	assert_int_equal(parse("--manifests x --families ipv6,bridge", &o), 0);
	assert_int_equal(o.push.families, KNP_FAMILY_IPV6 | KNP_FAMILY_BRIDGE);
	assert_int_equal(parse("--manifests x --families ipv5", &o), -EINVAL);

	assert_int_equal(parse("--manifests x", &o), 0);
	assert_int_equal(o.push.families, KNP_FAMILY_ALL);
	assert_int_equal(o.push.mode, -1);
	assert_int_equal(o.push.node_egress, -1);
	assert_int_equal(o.push.lb_probes, -1);
	assert_null(o.push.node_allow);
	assert_int_equal(parse("--manifests x --allow-lb-probes "
			       "--node-egress-allow 53/UDP", &o), 0);
	assert_int_equal(o.push.lb_probes, KNP_PASS);
	assert_ptr_equal(o.push.node_allow, &o.node_allow);
	assert_int_equal(o.node_allow.n, 1);
	assert_int_equal(parse("--manifests x --node-egress-allow 53", &o), -EINVAL);
}

/* A pod that waits for knpd is never unknown for a moment. */
static void test_cni_closes_the_unknown(void **state)
{
	struct knp_options o;

	(void)state;
	assert_int_equal(parse("--manifests x", &o), 0);
	assert_int_equal(o.push.unknown_local, -1);
	assert_int_equal(parse("--manifests x --cni", &o), 0);
	assert_true(o.cni);
	assert_int_equal(o.push.unknown_local, KNP_DROP);
	assert_int_equal(parse("--manifests x --cni --unknown-local pass", &o), 0);
	assert_int_equal(o.push.unknown_local, KNP_PASS);
}

static void test_seconds(void **state)
{
	struct knp_options o;

	(void)state;
	assert_int_equal(parse("--kubeconfig x --start-spread 1.5 --idle-timeout 60 "
			       "--stale-after 0", &o), 0);
	assert_int_equal(o.kube.spread_ms, 1500);
	assert_int_equal(o.kube.idle_ms, 60000);
	assert_int_equal(o.exporter.health.stale_ms, 0);
	assert_int_equal(parse("--kubeconfig x --start-spread 1s", &o), -EINVAL);
	assert_int_equal(parse("--kubeconfig x --idle-timeout -1", &o), -EINVAL);
	assert_int_equal(parse("--kubeconfig x --stale-after 3601", &o), -EINVAL);
}

static void test_one_source(void **state)
{
	struct knp_options o;

	(void)state;
	unsetenv("KUBERNETES_SERVICE_HOST");
	assert_int_equal(parse("", &o), -EINVAL);
	assert_int_equal(parse("--manifests x --kubeconfig x", &o), -EINVAL);
	assert_int_equal(parse("--manifests x --in-cluster", &o), -EINVAL);
	assert_int_equal(parse("--manifests x --context c", &o), -EINVAL);
	assert_int_equal(parse("--manifests x more", &o), -EINVAL);
	assert_int_equal(parse("--kubeconfig x --context c", &o), 0);
	assert_string_equal(o.context, "c");
	setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1", 1);
	assert_int_equal(parse("", &o), 0);
	assert_true(o.in_cluster);
	unsetenv("KUBERNETES_SERVICE_HOST");
}

static void test_none_of_them(void **state)
{
	struct knp_options o;

	(void)state;
	assert_int_equal(parse("--manifests x --frobnicate", &o), -EINVAL);
	assert_int_equal(parse("--manifests x --backend file:/f", &o), -EINVAL);
	assert_int_equal(parse("--help", &o), 1);
	assert_int_equal(parse("--version", &o), 1);
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
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_others_of_enforcing),
		cmocka_unit_test(test_cni_closes_the_unknown),
		cmocka_unit_test(test_seconds),
		cmocka_unit_test(test_one_source),
		cmocka_unit_test(test_none_of_them),
		cmocka_unit_test(test_who_is_waited_for_asks_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
