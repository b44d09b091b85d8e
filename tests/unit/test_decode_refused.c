// SPDX-License-Identifier: Apache-2.0
/*
 * Decoding: every refusal, with its field and reason. What remains of policies
 * is in test_decode_rest.c. Objects are written as JSON with single quotes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <string.h>

#include "decode.h"

#define COUNT(array)	(sizeof(array) / sizeof(*(array)))

#define META		"'metadata': {'name': 'p', 'namespace': 'x'}"
#define POLICY(spec)	"{'apiVersion': 'networking.k8s.io/v1', " \
			"'kind': 'NetworkPolicy', " META ", 'spec': " spec "}"
#define POD(rest)	"{'apiVersion': 'v1', 'kind': 'Pod', " rest "}"
#define INGRESS(rule)	POLICY("{'podSelector': {}, 'ingress': [" rule "]}")
#define EGRESS(rule)	POLICY("{'podSelector': {}, 'egress': [" rule "]}")
#define PEER(peer)	INGRESS("{'from': [" peer "]}")
#define PORT(port)	INGRESS("{'ports': [" port "]}")
#define SELECTOR(sel)	PEER("{'podSelector': " sel "}")

struct refusal {
	const char *name;
	const char *text;
	const char *field;
	const char *reason;
};

static const struct refusal refusals[] = {
	/* what an object is */
	{ "no kind", "{'apiVersion': 'v1', " META "}", "kind", "is required" },
	{ "null kind", "{'apiVersion': 'v1', 'kind': null}", "kind",
	  "is required" },
	{ "kind of a wrong type", "{'apiVersion': 'v1', 'kind': 1}", "kind",
	  "must be a string" },
	{ "no apiVersion", "{'kind': 'Pod', " META "}", "apiVersion",
	  "is required" },
	{ "a policy of another version",
	  "{'apiVersion': 'extensions/v1beta1', 'kind': 'NetworkPolicy', " META
	  "}", "apiVersion", "must be networking.k8s.io/v1" },
	{ "a pod of another version", "{'apiVersion': 'v2', 'kind': 'Pod'}",
	  "apiVersion", "must be v1" },
	{ "no object", "[]", NULL, "must be an object, is a list" },
	{ "an object that is a string", "'Pod'", NULL,
	  "must be an object, is a string" },
	{ "no metadata", POD("'spec': {}"), "metadata.name", "is required" },
	{ "no name", POD("'metadata': {}"), "metadata.name", "is required" },
	{ "null name", POD("'metadata': {'name': null}"), "metadata.name",
	  "is required" },
	{ "empty name", POD("'metadata': {'name': ''}"), "metadata.name",
	  "must be a DNS name" },
	{ "name with a slash", POD("'metadata': {'name': 'a/b'}"),
	  "metadata.name", "must be a DNS name" },
	{ "name that is a number", POD("'metadata': {'name': 1}"),
	  "metadata.name", "must be a string, is an integer" },
	{ "namespace that is a boolean",
	  POD("'metadata': {'name': 'a', 'namespace': true}"),
	  "metadata.namespace", "put it in quotes" },
	{ "namespace with a slash",
	  POD("'metadata': {'name': 'a', 'namespace': 'x/y'}"),
	  "metadata.namespace", "must be a DNS name" },
	{ "metadata of a wrong type", POD("'metadata': []"), "metadata",
	  "must be an object" },
	{ "items of a wrong type",
	  "{'apiVersion': 'v1', 'kind': 'List', 'items': {}}", "items",
	  "must be a list" },
	{ "a null item",
	  "{'apiVersion': 'v1', 'kind': 'List', 'items': [null]}", "items[0]",
	  "must be an object, is null" },
	{ "an item without a kind in a List",
	  "{'apiVersion': 'v1', 'kind': 'List', 'items': [{" META "}]}",
	  "items[0].apiVersion", "is required" },
	{ "a nameless item in a List",
	  "{'apiVersion': 'v1', 'kind': 'PodList', 'items': [{}]}",
	  "items[0].metadata.name", "is required" },
	{ "another kind in a typed list",
	  "{'apiVersion': 'v1', 'kind': 'PodList', 'items': [{'kind':\n"
	  "'Namespace', " META "}]}", "items[0].kind", "must be Pod" },
	{ "a kind that nobody here reads in a typed list",
	  "{'apiVersion': 'v1', 'kind': 'PodList', 'items': [{'apiVersion':\n"
	  "'apps/v1', 'kind': 'Deployment', " META "}]}", "items[0].kind",
	  "must be Pod in a PodList" },
	{ "another's kind of the same name in a typed list",
	  "{'apiVersion': 'v1', 'kind': 'PodList', 'items': [{'apiVersion':\n"
	  "'example.com/v1', 'kind': 'Pod', " META "}]}", "items[0].apiVersion",
	  "must be v1 in a PodList" },

	/* spec of a policy */
	{ "no spec", "{'apiVersion': 'networking.k8s.io/v1', 'kind':\n"
	  "'NetworkPolicy', " META "}", "spec", "is required" },
	{ "null spec", POLICY("null"), "spec", "is required" },
	{ "podSelector of a wrong type", POLICY("{'podSelector': []}"),
	  "spec.podSelector", "must be an object, is a list" },
	{ "unknown field in spec", POLICY("{'podSelector': {}, 'policyType':\n"
	  "['Egress']}"), "spec.policyType", "unknown field" },
	{ "unknown policy type", POLICY("{'podSelector': {}, 'policyTypes':\n"
	  "['ingress']}"), "spec.policyTypes[0]", "must be Ingress or Egress" },
	{ "null policy type", POLICY("{'podSelector': {}, 'policyTypes':\n"
	  "['Ingress', null]}"), "spec.policyTypes[1]", "must be a string" },
	{ "policyTypes of a wrong type", POLICY("{'podSelector': {},\n"
	  "'policyTypes': 'Ingress'}"), "spec.policyTypes", "must be a list" },
	{ "ingress of a wrong type", POLICY("{'podSelector': {}, 'ingress':\n"
	  "{}}"), "spec.ingress", "must be a list, is an object" },
	{ "a null rule", INGRESS("null"), "spec.ingress[0]",
	  "must be an object, is null" },
	{ "a rule of a wrong type", EGRESS("{}, []"), "spec.egress[1]",
	  "must be an object" },
	{ "unknown field in a rule", INGRESS("{'form': []}"),
	  "spec.ingress[0].form", "unknown field" },
	{ "to in an ingress rule", INGRESS("{'to': []}"),
	  "spec.ingress[0].to", "unknown field" },
	{ "from in an egress rule", EGRESS("{'from': []}"),
	  "spec.egress[0].from", "unknown field" },
	{ "a bad rule of a direction that policyTypes leaves out",
	  POLICY("{'podSelector': {}, 'policyTypes': ['Ingress'], 'egress':\n"
		 "[{'to': [{}]}]}"), "spec.egress[0].to[0]", "needs a" },

	/* peers */
	{ "an empty peer", PEER("{}"), "spec.ingress[0].from[0]",
	  "needs a podSelector, a namespaceSelector or an ipBlock" },
	{ "a peer of nulls", PEER("{'podSelector': null, 'ipBlock': null}"),
	  "spec.ingress[0].from[0]", "needs a podSelector" },
	{ "a null peer", PEER("{'podSelector': {}}, null"),
	  "spec.ingress[0].from[1]", "must be an object, is null" },
	{ "from of a wrong type", INGRESS("{'from': {}}"),
	  "spec.ingress[0].from", "must be a list" },
	{ "unknown field in a peer", PEER("{'podSelector': {},\n"
	  "'serviceSelector': {}}"),
	  "spec.ingress[0].from[0].serviceSelector", "unknown field" },
	{ "ipBlock with podSelector", PEER("{'ipBlock': {'cidr':\n"
	  "'10.0.0.0/8'}, 'podSelector': {}}"), "spec.ingress[0].from[0]",
	  "ipBlock excludes" },
	{ "ipBlock with namespaceSelector", PEER("{'ipBlock': {'cidr':\n"
	  "'10.0.0.0/8'}, 'namespaceSelector': {}}"),
	  "spec.ingress[0].from[0]", "ipBlock excludes" },
	{ "podSelector that is a string", PEER("{'podSelector': 'app=a'}"),
	  "spec.ingress[0].from[0].podSelector", "must be an object" },

	/* ipBlock */
	{ "ipBlock without cidr", PEER("{'ipBlock': {}}"),
	  "spec.ingress[0].from[0].ipBlock.cidr", "is required" },
	{ "cidr without a length", PEER("{'ipBlock': {'cidr': '10.0.0.1'}}"),
	  "spec.ingress[0].from[0].ipBlock.cidr",
	  "must be an IPv4 or IPv6 CIDR" },
	{ "cidr with a bad length", PEER("{'ipBlock': {'cidr':\n"
	  "'10.0.0.0/33'}}"), "spec.ingress[0].from[0].ipBlock.cidr",
	  "is \"10.0.0.0/33\"" },
	{ "IPv4-mapped cidr", PEER("{'ipBlock': {'cidr':\n"
	  "'::ffff:10.0.0.0/104'}}"), "spec.ingress[0].from[0].ipBlock.cidr",
	  "must be an IPv4 or IPv6 CIDR" },
	{ "unknown field in an ipBlock", PEER("{'ipBlock': {'cidr':\n"
	  "'10.0.0.0/8', 'excepts': []}}"),
	  "spec.ingress[0].from[0].ipBlock.excepts", "unknown field" },
	{ "except outside the cidr", EGRESS("{'to': [{'ipBlock': {'cidr':\n"
	  "'10.0.0.0/8', 'except': ['10.1.0.0/16', '11.0.0.0/16']}}]}"),
	  "spec.egress[0].to[0].ipBlock.except[1]", "must lie inside" },
	{ "except wider than the cidr", EGRESS("{'to': [{'ipBlock': {'cidr':\n"
	  "'10.1.0.0/16', 'except': ['10.0.0.0/8']}}]}"),
	  "spec.egress[0].to[0].ipBlock.except[0]", "must lie inside" },
	{ "except of the other family", EGRESS("{'to': [{'ipBlock': {'cidr':\n"
	  "'0.0.0.0/0', 'except': ['fd00::/8']}}]}"),
	  "spec.egress[0].to[0].ipBlock.except[0]", "must lie inside" },
	{ "bad except", EGRESS("{'to': [{'ipBlock': {'cidr': '10.0.0.0/8',\n"
	  "'except': ['10.0.0.1']}}]}"),
	  "spec.egress[0].to[0].ipBlock.except[0]", "must be an IPv4" },
	{ "null except", EGRESS("{'to': [{'ipBlock': {'cidr': '10.0.0.0/8',\n"
	  "'except': [null]}}]}"), "spec.egress[0].to[0].ipBlock.except[0]",
	  "must be a string, is null" },

	/* ports */
	{ "a null port entry", PORT("null"), "spec.ingress[0].ports[0]",
	  "must be an object, is null" },
	{ "unknown field in a port", PORT("{'ports': 80}"),
	  "spec.ingress[0].ports[0].ports", "unknown field" },
	{ "unknown protocol", PORT("{'protocol': 'ICMP'}"),
	  "spec.ingress[0].ports[0].protocol", "must be TCP, UDP or SCTP" },
	{ "protocol in lower case", PORT("{'protocol': 'tcp'}"),
	  "spec.ingress[0].ports[0].protocol", "is \"tcp\"" },
	{ "empty protocol", PORT("{'protocol': ''}"),
	  "spec.ingress[0].ports[0].protocol", "must be TCP, UDP or SCTP" },
	{ "protocol that is a number", PORT("{'protocol': 6}"),
	  "spec.ingress[0].ports[0].protocol", "must be a string" },
	{ "port 0", PORT("{'port': 0}"), "spec.ingress[0].ports[0].port",
	  "must be 1 to 65535, is 0" },
	{ "port 65536", PORT("{'port': 65536}"),
	  "spec.ingress[0].ports[0].port", "is 65536" },
	{ "negative port", PORT("{'port': -1}"),
	  "spec.ingress[0].ports[0].port", "is -1" },
	{ "port that wraps to 80", PORT("{'port': 4294967376}"),
	  "spec.ingress[0].ports[0].port", "must be 1 to 65535" },
	{ "fractional port", PORT("{'port': 80.5}"),
	  "spec.ingress[0].ports[0].port", "must be an integer" },
	{ "port that is a list", PORT("{'port': [80]}"),
	  "spec.ingress[0].ports[0].port", "must be an integer, is a list" },
	{ "port that is a quoted number", PORT("{'port': '80'}"),
	  "spec.ingress[0].ports[0].port", "at least one letter" },
	{ "empty port name", PORT("{'port': ''}"),
	  "spec.ingress[0].ports[0].port", "port name" },
	{ "port name in upper case", PORT("{'port': 'HTTP'}"),
	  "spec.ingress[0].ports[0].port", "port name" },
	{ "port name too long", PORT("{'port': 'abcdefghijklmnop'}"),
	  "spec.ingress[0].ports[0].port", "port name" },
	{ "port name with two dashes", PORT("{'port': 'a--b'}"),
	  "spec.ingress[0].ports[0].port", "port name" },
	{ "endPort without port", PORT("{'endPort': 90}"),
	  "spec.ingress[0].ports[0].endPort", "needs a port" },
	{ "endPort with a null port", PORT("{'port': null, 'endPort': 90}"),
	  "spec.ingress[0].ports[0].endPort", "needs a port" },
	{ "endPort with a name", PORT("{'port': 'http', 'endPort': 90}"),
	  "spec.ingress[0].ports[0].endPort", "not the name \"http\"" },
	{ "endPort below port", INGRESS("{'ports': [{}, {'port': 80,\n"
	  "'endPort': 79}]}"), "spec.ingress[0].ports[1].endPort",
	  "must not be less than port" },
	{ "endPort 65536", PORT("{'port': 80, 'endPort': 65536}"),
	  "spec.ingress[0].ports[0].endPort", "must be 1 to 65535" },
	{ "endPort that is a string", PORT("{'port': 80, 'endPort': '90'}"),
	  "spec.ingress[0].ports[0].endPort", "must be an integer" },

	/* selectors */
	{ "unknown field in a selector", SELECTOR("{'matchLabel': {}}"),
	  "spec.ingress[0].from[0].podSelector.matchLabel", "unknown field" },
	{ "unknown field in the subject",
	  POLICY("{'podSelector': {'app': 'a'}}"), "spec.podSelector.app",
	  "unknown field" },
	{ "matchLabels value that is a number",
	  SELECTOR("{'matchLabels': {'app': 1}}"),
	  "spec.ingress[0].from[0].podSelector.matchLabels[app]",
	  "must be a string, is an integer (put it in quotes)" },
	{ "null matchLabels value", SELECTOR("{'matchLabels': {'app': null}}"),
	  "spec.ingress[0].from[0].podSelector.matchLabels[app]",
	  "must be a string, is null" },
	{ "matchLabels that is a list", SELECTOR("{'matchLabels': []}"),
	  "spec.ingress[0].from[0].podSelector.matchLabels",
	  "must be an object" },
	{ "unknown operator", SELECTOR("{'matchExpressions': [{'key': 'a',\n"
	  "'operator': 'Gt', 'values': ['1']}]}"),
	  "spec.ingress[0].from[0].podSelector.matchExpressions[0].operator",
	  "is \"Gt\"" },
	{ "no operator", SELECTOR("{'matchExpressions': [{'key': 'a'}]}"),
	  "spec.ingress[0].from[0].podSelector.matchExpressions[0].operator",
	  "is required" },
	{ "no key", SELECTOR("{'matchExpressions': [{'operator':\n"
	  "'Exists'}]}"),
	  "spec.ingress[0].from[0].podSelector.matchExpressions[0].key",
	  "is required" },
	{ "In without values", SELECTOR("{'matchExpressions': [{'key': 'a',\n"
	  "'operator': 'In', 'values': []}]}"),
	  "spec.ingress[0].from[0].podSelector.matchExpressions[0].values",
	  "at least one value" },
	{ "NotIn without values", SELECTOR("{'matchExpressions': [{'key':\n"
	  "'a', 'operator': 'NotIn'}]}"),
	  "spec.ingress[0].from[0].podSelector.matchExpressions[0].values",
	  "at least one value" },
	{ "Exists with values", SELECTOR("{'matchExpressions': [{'key': 'a',\n"
	  "'operator': 'Exists', 'values': ['b']}]}"),
	  "spec.ingress[0].from[0].podSelector.matchExpressions[0].values",
	  "must be empty" },
	{ "DoesNotExist with values", SELECTOR("{'matchExpressions': [{'key':\n"
	  "'a', 'operator': 'DoesNotExist', 'values': ['b']}]}"),
	  "spec.ingress[0].from[0].podSelector.matchExpressions[0].values",
	  "must be empty" },
	{ "a value that is no string", SELECTOR("{'matchExpressions': [{'key':\n"
	  " 'a', 'operator': 'In', 'values': ['b', true]}]}"),
	  "spec.ingress[0].from[0].podSelector.matchExpressions[0].values[1]",
	  "must be a string, is a boolean" },
	{ "unknown field in a requirement", SELECTOR("{'matchExpressions':\n"
	  "[{'key': 'a', 'operator': 'Exists', 'value': 'b'}]}"),
	  "spec.ingress[0].from[0].podSelector.matchExpressions[0].value",
	  "unknown field" },
	{ "a null requirement", SELECTOR("{'matchExpressions': [null]}"),
	  "spec.ingress[0].from[0].podSelector.matchExpressions[0]",
	  "must be an object" },

	/* pods and namespaces */
	{ "a label that is no string", POD("'metadata': {'name': 'a',\n"
	  "'labels': {'a': 'b', 'c': 1}}"), "metadata.labels[c]",
	  "must be a string" },
	{ "a namespace's label that is no string",
	  "{'apiVersion': 'v1', 'kind': 'Namespace', 'metadata': {'name':\n"
	  "'a', 'labels': {'c': true}}}", "metadata.labels[c]",
	  "must be a string" },
	{ "hostNetwork that is a string", POD(META ", 'spec':\n"
	  "{'hostNetwork': 'true'}"), "spec.hostNetwork",
	  "must be a boolean" },
	{ "a bad pod address", POD(META ", 'status': {'podIPs': [{'ip':\n"
	  "'10.0.0.1'}, {'ip': '10.0.0.300'}]}"), "status.podIPs[1].ip",
	  "must be an IPv4 or IPv6 address" },
	{ "an IPv4-mapped pod address", POD(META ", 'status': {'podIPs':\n"
	  "[{'ip': '::ffff:10.0.0.1'}]}"), "status.podIPs[0].ip",
	  "must be an IPv4 or IPv6 address" },
	{ "a pod address entry without ip", POD(META ", 'status': {'podIPs':\n"
	  "[{}]}"), "status.podIPs[0].ip", "must be an IPv4" },
	{ "a bad podIP", POD(META ", 'status': {'podIP': 'x'}"),
	  "status.podIP", "must be an IPv4" },
	{ "a container port without a number", POD(META ", 'spec':\n"
	  "{'containers': [{}, {'ports': [{'name': 'http'}]}]}"),
	  "spec.containers[1].ports[0].containerPort", "is required" },
	{ "a container port 0", POD(META ", 'spec': {'containers': [{'ports':\n"
	  "[{'containerPort': 0}]}]}"),
	  "spec.containers[0].ports[0].containerPort", "must be 1 to 65535" },
	{ "a container port of an unknown protocol", POD(META ", 'spec':\n"
	  "{'containers': [{'ports': [{'containerPort': 1, 'protocol':\n"
	  "'ICMP'}]}]}"), "spec.containers[0].ports[0].protocol",
	  "must be TCP, UDP or SCTP" },
	{ "a bad port of a sidecar", POD(META ", 'spec': {'initContainers':\n"
	  "[{'restartPolicy': 'Always', 'ports': [{}]}]}"),
	  "spec.initContainers[0].ports[0].containerPort", "is required" },
};

/* Of a policy something always remains, a pod can do without some parts. */
static bool remains(const struct knp_object *object, const char *field)
{
	if (object->kind == KNP_KIND_POD)
		return strstr(field, "status.podIP") ||
		       strstr(field, "].ports[");
	return object->kind == KNP_KIND_POLICY;
}

static void is_refused(void **state)
{
	const struct refusal *want = *state;
	struct knp_faults faults = { 0 };
	struct json_object *obj = json_tokener_parse(want->text);
	struct knp_objects objects = { 0 };

	if (!obj)
		fail_msg("the test's own JSON is bad: %s", want->text);
	assert_int_equal(knp_decode_object(obj, "f.yaml", &objects, &faults),
			 0);
	json_object_put(obj);
	assert_int_equal(faults.n, 1);
	assert_string_equal(faults.v[0].file, "f.yaml");
	if (want->field)
		assert_string_equal(faults.v[0].field, want->field);
	else
		assert_null(faults.v[0].field);
	if (!strstr(faults.v[0].reason, want->reason))
		fail_msg("reason is \"%s\"", faults.v[0].reason);
	assert_int_equal(objects.nrefused + objects.nunnamed, 1);
	for (size_t i = 0; i < objects.n; i++) {
		assert_true(objects.v[i].refused);
		assert_int_equal(remains(&objects.v[i], want->field),
				 objects.v[i].any != NULL);
	}
	knp_objects_clear(&objects);
	knp_faults_clear(&faults);
}

int main(void)
{
	static struct CMUnitTest tests[COUNT(refusals)];

	/* One test per row, so that a failure names the row. */
	for (size_t i = 0; i < COUNT(refusals); i++)
		tests[i] = (struct CMUnitTest){
			refusals[i].name, is_refused, NULL, NULL,
			(void *)&refusals[i],
		};
	return cmocka_run_group_tests_name("decode_refused", tests, NULL, NULL);
}
