// SPDX-License-Identifier: Apache-2.0
/*
 * What remains of policies that cannot be read in full: never less isolation,
 * never more allowed. Objects are written as JSON with single quotes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"

#define COUNT(array)	(sizeof(array) / sizeof(*(array)))

#define OBJECT(version, spec)						\
	"{'apiVersion': '" version "', 'kind': 'NetworkPolicy', "	\
	"'metadata': {'name': 'p', 'namespace': 'x'}" spec "}"
#define POLICY(spec)	OBJECT("networking.k8s.io/v1", ", 'spec': {" spec "}")
#define FOR_A(rest)	POLICY("'podSelector': {'matchLabels': {'a': 'a'}}, " \
			       rest)
#define INGRESS(rules)	FOR_A("'ingress': [" rules "]")
#define FROM(peers)	INGRESS("{'from': [" peers "]}")
#define PORTS(ports)	INGRESS("{'ports': [" ports "]}")
#define BLOCK(rest)	"{'ipBlock': {'cidr': '10.0.0.0/8'" rest "}}"

/*
 * struct remnant - @remains: "a" or "all", whom it selects; then a direction
 * that is isolated with, for each of its rules, 0 if it is closed, or
 * "peers/ports", where any is *
 */
struct remnant {
	const char *name;
	const char *text;
	const char *remains;
	size_t faults;
};

static const struct remnant remnants[] = {
	/* nothing is wrong: so that the words below can be trusted */
	{ "a whole policy", INGRESS("{}, {'from': [{'podSelector': {}}]},\n"
	  "{'ports': [{}, {'port': 1}]}"), "a ingress */* 1/* */2", 0 },
	{ "a whole policy for both", FOR_A("'egress': [{}]"),
	  "a ingress egress */*", 0 },

	/* peers are alternatives */
	{ "one of two peers", FROM("{'podSelector': {}}, {'new': {}}"),
	  "a ingress 1/*", 1 },
	{ "the first of two peers", FROM("{}, " BLOCK("")), "a ingress 1/*",
	  1 },
	{ "the only peer", FROM("{'podSelector': {}, 'new': 1}"),
	  "a ingress 0", 1 },
	{ "all of three peers", FROM("null, [], {}"), "a ingress 0", 3 },
	{ "peers that are no list", INGRESS("{'from': {}}"),
	  "a ingress 0", 1 },
	{ "a block with a new field", FROM(BLOCK(", 'via': 'eth0'") ","
					   BLOCK("")), "a ingress 1/*", 1 },
	{ "a block with an except that is none",
	  FROM(BLOCK(", 'except': ['10.1.0.0']")), "a ingress 0", 1 },
	{ "a selector with a new operator", FROM("{'podSelector':\n"
	  "{'matchExpressions': [{'key': 'a', 'operator': 'Like',\n"
	  "'values': ['b']}]}}"), "a ingress 0", 1 },
	{ "a selector with a new field", FROM("{'namespaceSelector': {},\n"
	  "'podSelector': {'matchFields': {}}}"), "a ingress 0", 1 },
	{ "a value that is no string", FROM("{'podSelector':\n"
	  "{'matchLabels': {'a': 'b', 'c': 1}}}"), "a ingress 0", 1 },

	/* ports as well */
	{ "one of two ports", PORTS("{'port': 80}, {'port': 0}"),
	  "a ingress */1", 1 },
	{ "the only port", PORTS("{'port': 65536}"), "a ingress 0", 1 },
	{ "a port with a new field", PORTS("{'icmpType': 8}"),
	  "a ingress 0", 1 },
	{ "a new protocol", PORTS("{'protocol': 'QUIC'}, {'port': 443}"),
	  "a ingress */1", 1 },
	{ "a range that is none", PORTS("{'port': 80, 'endPort': 79}"),
	  "a ingress 0", 1 },
	{ "ports that are no list", INGRESS("{'ports': 80}"),
	  "a ingress 0", 1 },
	{ "a good peer and a bad port", INGRESS("{'from': [" BLOCK("") "],\n"
	  "'ports': [{'port': -1}]}"), "a ingress 0", 1 },

	/* rules */
	{ "a rule with a new field", INGRESS("{'from': [" BLOCK("") "],\n"
	  "'unless': {}}, {'ports': [{}]}"), "a ingress 0 */1", 1 },
	{ "a rule that is none", INGRESS("{}, null, []"),
	  "a ingress */* 0 0", 2 },
	{ "rules that are no list", FOR_A("'ingress': {}"), "a ingress", 1 },
	{ "egress rules that are no list", FOR_A("'egress': {}, 'ingress':\n"
	  "[{}]"), "a ingress */* egress", 1 },
	{ "egress rules of a policy for ingress", FOR_A("'egress': {},\n"
	  "'policyTypes': ['Ingress'], 'ingress': [{}]"), "a ingress */*", 1 },
	{ "one bad egress rule", FOR_A("'egress': [{'form': []}]"),
	  "a ingress egress 0", 1 },

	/* policyTypes */
	{ "a new type beside a known one", FOR_A("'policyTypes': ['Egress',\n"
	  "'Forward'], 'ingress': [{}], 'egress': [{}]"),
	  "a ingress 0 egress */*", 1 },
	{ "a new type alone", FOR_A("'policyTypes': ['Forward'], 'ingress':\n"
	  "[{}], 'egress': [{}]"), "a ingress 0 egress 0", 1 },
	{ "types that are no list", FOR_A("'policyTypes': 'Egress',\n"
	  "'ingress': [{}]"), "a ingress 0 egress", 1 },
	{ "null as a type", FOR_A("'policyTypes': [null, 'Ingress'],\n"
	  "'ingress': [{}]"), "a ingress */* egress", 1 },

	/* whom it selects */
	{ "no podSelector", POLICY("'ingress': [{}]"), "all ingress */*", 0 },
	{ "a podSelector with a new field", POLICY("'podSelector': {\n"
	  "'matchLabels': {'a': 'a'}, 'matchNode': 'n'}, 'policyTypes':\n"
	  "['Egress'], 'egress': [{}]"), "all egress 0", 1 },
	{ "a podSelector that is no object", POLICY("'podSelector': 'a=b'"),
	  "all ingress", 1 },
	{ "a label of the podSelector that is no string",
	  POLICY("'podSelector': {'matchLabels': {'a': 'a', 'b': 1}}"),
	  "all ingress", 1 },

	/* the rest of a spec */
	{ "a new field of the spec", FOR_A("'policyType': ['Egress'],\n"
	  "'ingress': [{}], 'egress': [{}]"),
	  "a ingress 0 egress 0", 1 },
	{ "no spec", OBJECT("networking.k8s.io/v1", ""), "all ingress egress",
	  1 },
	{ "a spec that is none", OBJECT("networking.k8s.io/v1", ", 'spec': []"),
	  "all ingress egress", 1 },
	{ "another version", OBJECT("networking.k8s.io/v2", ", 'spec': {\n"
	  "'podSelector': {}, 'ingress': [{}]}"), "all ingress egress", 1 },

	/* more than one thing */
	{ "everything", POLICY("'podSelector': [], 'policyTypes': {},\n"
	  "'ingress': [{'to': 1}, {'from': [{}]}], 'egress': 0, 'x': 1"),
	  "all ingress 0 0 egress", 6 },
};

static void add_rules(FILE *out, const struct knp_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (rules[i].closed) {
			fputs(" 0", out);
			continue;
		}
		if (rules[i].npeers)
			fprintf(out, " %zu", rules[i].npeers);
		else
			fputs(" *", out);
		if (rules[i].nports)
			fprintf(out, "/%zu", rules[i].nports);
		else
			fputs("/*", out);
	}
}

static char *describe(const struct knp_policy *policy)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	if (policy->subject.labels.n)
		fputs(policy->subject.labels.v[0].value, out);
	else
		fputs("all", out);
	if (policy->isolates_ingress) {
		fputs(" ingress", out);
		add_rules(out, policy->ingress, policy->ningress);
	}
	if (policy->isolates_egress) {
		fputs(" egress", out);
		add_rules(out, policy->egress, policy->negress);
	}
	assert_int_equal(fclose(out), 0);
	return text;
}

static struct knp_objects decoded(const char *text, struct knp_faults *faults)
{
	struct json_object *obj = json_tokener_parse(text);
	struct knp_objects objects = { 0 };

	if (!obj)
		fail_msg("the test's own JSON is bad: %s", text);
	assert_int_equal(knp_decode_object(obj, "f.yaml", &objects, faults),
			 0);
	json_object_put(obj);
	assert_int_equal(objects.n, 1);
	assert_non_null(objects.v[0].any);
	return objects;
}

static void remains(void **state)
{
	const struct remnant *want = *state;
	struct knp_faults faults = { 0 };
	struct knp_objects objects = decoded(want->text, &faults);
	char *text = describe(objects.v[0].policy);

	assert_string_equal(text, want->remains);
	assert_int_equal(faults.n, want->faults);
	assert_int_equal(objects.v[0].refused, want->faults > 0);
	assert_int_equal(objects.nrefused, want->faults > 0);
	for (size_t i = 0; i < faults.n; i++)
		assert_string_equal(faults.v[i].object, "NetworkPolicy x/p");
	free(text);
	knp_objects_clear(&objects);
	knp_faults_clear(&faults);
}

static void every_field_that_is_wrong_is_named_with_its_effect(void **state)
{
	static const char *const want[][2] = {
		{ "spec.ingress[0].from[1]", "this peer matches nobody" },
		{ "spec.ingress[0].ports[0].port", "matches no port" },
		{ "spec.ingress[1].unless", "the rule allows nothing" },
		{ "spec.egress", "no rule allows anything" },
		{ "spec.policyTypes[0]", "is isolated" },
	};
	struct knp_faults faults = { 0 };
	struct knp_objects objects;

	(void)state;
	objects = decoded(FOR_A("'ingress': [{'from': [{'podSelector': {}},\n"
				"{}], 'ports': [{'port': 0}]}, {'unless':\n"
				"1}], 'egress': 1, 'policyTypes': ['X']"),
			  &faults);
	assert_int_equal(faults.n, COUNT(want));
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_string_equal(faults.v[i].field, want[i][0]);
		if (!strstr(faults.v[i].reason, want[i][1]))
			fail_msg("reason is \"%s\"", faults.v[i].reason);
	}
	knp_objects_clear(&objects);
	knp_faults_clear(&faults);
}

static void an_object_does_not_flood_the_list_of_faults(void **state)
{
	struct knp_faults faults = { 0 };
	struct knp_objects objects;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	fputs("{'apiVersion': 'networking.k8s.io/v1', 'kind': 'NetworkPolicy',"
	      "'metadata': {'name': 'p', 'namespace': 'x'}, 'spec': {"
	      "'podSelector': {}, 'ingress': [{'ports': [{'port': 1}", out);
	for (int i = 0; i < 1000; i++)
		fputs(", {'port': 0}", out);
	fputs("]}]}}", out);
	assert_int_equal(fclose(out), 0);
	objects = decoded(text, &faults);
	assert_int_equal(faults.n, 16);
	assert_int_equal(objects.v[0].policy->ingress[0].nports, 1);
	knp_objects_clear(&objects);
	knp_faults_clear(&faults);
	free(text);
}

static void what_remains_is_not_what_is_whole(void **state)
{
	struct knp_objects whole, rest;

	(void)state;
	whole = decoded(INGRESS("{}"), NULL);
	rest = decoded(INGRESS("{'new': 1}"), NULL);
	assert_false(knp_policy_equal(whole.v[0].policy, rest.v[0].policy));
	knp_objects_clear(&whole);
	knp_objects_clear(&rest);
}

int main(void)
{
	static struct CMUnitTest tests[COUNT(remnants) + 3] = {
		cmocka_unit_test(every_field_that_is_wrong_is_named_with_its_effect),
		cmocka_unit_test(an_object_does_not_flood_the_list_of_faults),
		cmocka_unit_test(what_remains_is_not_what_is_whole),
	};

	/* One test per row, so that a failure names the row. */
	for (size_t i = 0; i < COUNT(remnants); i++)
		tests[i + 3] = (struct CMUnitTest){
			remnants[i].name, remains, NULL, NULL,
			(void *)&remnants[i],
		};
	return cmocka_run_group_tests_name("decode_rest", tests, NULL, NULL);
}
