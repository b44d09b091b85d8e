// SPDX-License-Identifier: Apache-2.0
/*
 * Decoding: what absent, null, [] and {} mean, and what becomes of objects.
 * The refusals are in test_decode_refused.c. Objects are written as JSON with single quotes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "selector.h"

#define COUNT(array)	(sizeof(array) / sizeof(*(array)))

#define META		"'metadata': {'name': 'p', 'namespace': 'x'}"
#define POLICY(spec)	"{'apiVersion': 'networking.k8s.io/v1', " \
			"'kind': 'NetworkPolicy', " META ", 'spec': " spec "}"
#define POD(rest)	"{'apiVersion': 'v1', 'kind': 'Pod', " rest "}"
#define INGRESS(rule)	POLICY("{'podSelector': {}, 'ingress': [" rule "]}")
#define EGRESS(rule)	POLICY("{'podSelector': {}, 'egress': [" rule "]}")
#define BAD_NAMESPACE	"{'apiVersion': 'v1', 'kind': 'Namespace', " \
			"'metadata': {'name': 'bad', 'labels': {'a': 1}}}"
#define PEER(peer)	INGRESS("{'from': [" peer "]}")
#define PORT(port)	INGRESS("{'ports': [" port "]}")
#define SELECTOR(sel)	PEER("{'podSelector': " sel "}")

/* Decode one text; the faults must be empty if @faults is NULL. */
static struct knp_objects decode(const char *text, struct knp_faults *faults)
{
	struct json_object *obj = json_tokener_parse(text);
	struct knp_objects ret = { 0 };
	struct knp_faults none = { 0 };

	if (!obj && strcmp(text, "null"))
		fail_msg("the test's own JSON is bad: %s", text);
	assert_int_equal(knp_decode_object(obj, "f.yaml", &ret,
					   faults ? faults : &none), 0);
	for (size_t i = 0; i < none.n; i++)
		fail_msg("refused: %s: %s",
			 none.v[i].field ? none.v[i].field : "",
			 none.v[i].reason);
	json_object_put(obj);
	return ret;
}

/* The only object of a text, which must be good. */
static struct knp_object *only(struct knp_objects *objects, enum knp_kind kind)
{
	assert_int_equal(objects->n, 1);
	assert_int_equal(objects->nrefused, 0);
	assert_int_equal(objects->nunnamed, 0);
	assert_int_equal(objects->v[0].kind, kind);
	assert_non_null(objects->v[0].any);
	return &objects->v[0];
}

static void a_refused_object_keeps_its_name(void **state)
{
	struct knp_faults faults = { 0 };
	struct knp_objects objects = decode(PEER("{}"), &faults);
	char *text;

	(void)state;
	assert_int_equal(objects.n, 1);
	assert_int_equal(objects.nrefused, 1);
	assert_int_equal(objects.v[0].kind, KNP_KIND_POLICY);
	assert_string_equal(objects.v[0].ns, "x");
	assert_string_equal(objects.v[0].name, "p");
	assert_string_equal(faults.v[0].object, "NetworkPolicy x/p");
	text = knp_fault_format(&faults.v[0]);
	assert_string_equal(text, "f.yaml: NetworkPolicy x/p: spec.ingress[0].from[0]: needs a podSelector, a namespaceSelector or an ipBlock: this peer matches nobody");
	free(text);
	knp_objects_clear(&objects);
	knp_faults_clear(&faults);
}

static void a_fault_cannot_forge_a_line(void **state)
{
	struct knp_fault fault = { .reason = (char *)"a\nb\x1b[31m" };
	char *text = knp_fault_format(&fault);

	(void)state;
	assert_string_equal(text, "a?b?[31m");
	free(text);
}

static void a_bad_item_leaves_its_neighbours_alone(void **state)
{
	struct knp_faults faults = { 0 };
	struct knp_objects objects;

	(void)state;
	objects = decode("{'apiVersion': 'v1', 'kind': 'List', 'items': ["
			 INGRESS("{}") "," BAD_NAMESPACE ","
			 POD("'metadata': {'name': 'a'}") ", {}, "
			 PEER("{}") "]}", &faults);
	assert_int_equal(faults.n, 3);
	assert_int_equal(objects.n, 4);
	assert_int_equal(objects.nrefused, 2);
	assert_int_equal(objects.nunnamed, 1);
	assert_non_null(objects.v[0].any);
	assert_null(objects.v[1].any);
	assert_non_null(objects.v[2].any);
	assert_false(objects.v[2].refused);
	assert_true(objects.v[3].refused);
	assert_non_null(objects.v[3].any);
	knp_objects_clear(&objects);
	knp_faults_clear(&faults);
}

static void other_kinds_are_counted_not_refused(void **state)
{
	struct knp_objects objects;

	(void)state;
	objects = decode("{'apiVersion': 'v1', 'kind': 'List', 'items': [\n"
			 "{'apiVersion': 'apps/v1', 'kind': 'Deployment'},\n"
			 "{'apiVersion': 'v1', 'kind': 'Service'},\n"
			 "{'apiVersion': 'crd.projectcalico.org/v1', 'kind':\n"
			 "'NetworkPolicy', 'spec': {'selector': 'all()'}}]}",
			 NULL);
	assert_int_equal(objects.n, 0);
	assert_int_equal(objects.nignored, 3);
	knp_objects_clear(&objects);
}

static void items_of_typed_lists_need_no_kind(void **state)
{
	struct knp_objects objects;

	(void)state;
	objects = decode("{'apiVersion': 'v1', 'kind': 'List', 'items': [\n"
			 "{'apiVersion': 'v1', 'kind': 'PodList', 'items': [{"
			 META "}]},\n"
			 "{'apiVersion': 'v1', 'kind': 'NamespaceList',\n"
			 "'items': [{'metadata': {'name': 'n'}}]},\n"
			 "{'apiVersion': 'networking.k8s.io/v1', 'kind':\n"
			 "'NetworkPolicyList', 'items': [{" META ", 'spec':\n"
			 "{'podSelector': {}}}]}]}", NULL);
	assert_int_equal(objects.n, 3);
	assert_int_equal(objects.v[0].kind, KNP_KIND_POD);
	assert_int_equal(objects.v[1].kind, KNP_KIND_NAMESPACE);
	assert_int_equal(objects.v[2].kind, KNP_KIND_POLICY);
	knp_objects_clear(&objects);
}

static void a_list_without_items_is_empty(void **state)
{
	struct knp_objects objects;

	(void)state;
	objects = decode("{'apiVersion': 'v1', 'kind': 'List'}", NULL);
	assert_int_equal(objects.n + objects.nunnamed, 0);
	objects = decode("{'apiVersion': 'v1', 'kind': 'PodList', 'items':\n"
			 "null}", NULL);
	assert_int_equal(objects.n + objects.nunnamed, 0);
}

/* semantics of policyTypes: absent or [] follow the sections */
struct types {
	const char *name;
	const char *text;
	bool ingress;
	bool egress;
};

#define SPEC(rest)	POLICY("{'podSelector': {}" rest "}")

static const struct types types[] = {
	{ "no section isolates ingress", SPEC(""), true, false },
	{ "an ingress section isolates ingress", SPEC(", 'ingress': [{}]"),
	  true, false },
	{ "an egress section isolates both", SPEC(", 'egress': [{}]"),
	  true, true },
	{ "an empty egress section is none", SPEC(", 'egress': []"),
	  true, false },
	{ "a null egress section is none", SPEC(", 'egress': null"),
	  true, false },
	{ "empty policyTypes are absent", SPEC(", 'policyTypes': [],\n"
	  "'egress': [{}]"), true, true },
	{ "null policyTypes are absent", SPEC(", 'policyTypes': null"),
	  true, false },
	{ "Egress alone leaves ingress", SPEC(", 'policyTypes': ['Egress'],\n"
	  "'ingress': [{}]"), false, true },
	{ "Ingress alone leaves egress", SPEC(", 'policyTypes': ['Ingress'],\n"
	  "'egress': [{}]"), true, false },
	{ "both types", SPEC(", 'policyTypes': ['Egress', 'Ingress']"),
	  true, true },
};

static void isolates(void **state)
{
	const struct types *want = *state;
	struct knp_objects objects = decode(want->text, NULL);
	const struct knp_policy *p = only(&objects, KNP_KIND_POLICY)->policy;

	assert_int_equal(p->isolates_ingress, want->ingress);
	assert_int_equal(p->isolates_egress, want->egress);
	knp_objects_clear(&objects);
}

/* One ingress rule of a text: how many peers and ports it has. */
struct shape {
	const char *name;
	const char *text;
	size_t rules;
	size_t peers;
	size_t ports;
};

static const struct shape shapes[] = {
	{ "no ingress is no rule", SPEC(""), 0, 0, 0 },
	{ "null ingress is no rule", SPEC(", 'ingress': null"), 0, 0, 0 },
	{ "empty ingress is no rule", SPEC(", 'ingress': []"), 0, 0, 0 },
	{ "an empty rule allows all", INGRESS("{}"), 1, 0, 0 },
	{ "null from is any peer", INGRESS("{'from': null}"), 1, 0, 0 },
	{ "empty from is any peer", INGRESS("{'from': []}"), 1, 0, 0 },
	{ "null ports is any port", INGRESS("{'ports': null}"), 1, 0, 0 },
	{ "empty ports is any port", INGRESS("{'ports': []}"), 1, 0, 0 },
	{ "an empty port entry is an entry", PORT("{}"), 1, 0, 1 },
	{ "peers and ports are counted", INGRESS("{'from': [{'podSelector':\n"
	  "{}}, {'ipBlock': {'cidr': '::/0'}}], 'ports': [{}, {}, {}]}"),
	  1, 2, 3 },
};

static void has_shape(void **state)
{
	const struct shape *want = *state;
	struct knp_objects objects = decode(want->text, NULL);
	const struct knp_policy *p = only(&objects, KNP_KIND_POLICY)->policy;

	assert_true(p->isolates_ingress);
	assert_int_equal(p->ningress, want->rules);
	if (p->ningress) {
		assert_int_equal(p->ingress[0].npeers, want->peers);
		assert_int_equal(p->ingress[0].nports, want->ports);
	}
	knp_objects_clear(&objects);
}

struct port {
	const char *name;
	const char *text;
	struct knp_port port;
};

static const struct port ports[] = {
	{ "an empty entry is all of TCP", PORT("{}"),
	  { IPPROTO_TCP, NULL, 0, 65535 } },
	{ "an entry of nulls is all of TCP", PORT("{'port': null, 'protocol':\n"
	  "null, 'endPort': null}"), { IPPROTO_TCP, NULL, 0, 65535 } },
	{ "a protocol without port is all of it", PORT("{'protocol': 'UDP'}"),
	  { IPPROTO_UDP, NULL, 0, 65535 } },
	{ "SCTP is SCTP", PORT("{'protocol': 'SCTP', 'port': 80}"),
	  { IPPROTO_SCTP, NULL, 80, 80 } },
	{ "a port without protocol is TCP", PORT("{'port': 80}"),
	  { IPPROTO_TCP, NULL, 80, 80 } },
	{ "endPort makes a range", PORT("{'port': 1, 'endPort': 65535}"),
	  { IPPROTO_TCP, NULL, 1, 65535 } },
	{ "endPort may equal port", PORT("{'port': 80, 'endPort': 80}"),
	  { IPPROTO_TCP, NULL, 80, 80 } },
	{ "a name is a name", PORT("{'port': 'http-2', 'protocol': 'UDP'}"),
	  { IPPROTO_UDP, (char *)"http-2", 0, 65535 } },
};

static void is_port(void **state)
{
	const struct port *want = *state;
	struct knp_objects objects = decode(want->text, NULL);
	const struct knp_port *port;

	port = &only(&objects, KNP_KIND_POLICY)->policy->ingress[0].ports[0];
	assert_int_equal(port->proto, want->port.proto);
	if (want->port.name) {
		assert_string_equal(port->name, want->port.name);
	} else {
		assert_null(port->name);
		assert_int_equal(port->lo, want->port.lo);
		assert_int_equal(port->hi, want->port.hi);
	}
	knp_objects_clear(&objects);
}

static void a_peer_tells_absent_from_empty_selectors(void **state)
{
	struct knp_objects objects;
	const struct knp_peer *peers;

	(void)state;
	objects = decode(PEER("{'podSelector': {}},\n"
			      "{'namespaceSelector': {}},\n"
			      "{'namespaceSelector': {}, 'podSelector': null},\n"
			      "{'namespaceSelector': {}, 'podSelector': {}}"),
			 NULL);
	peers = only(&objects, KNP_KIND_POLICY)->policy->ingress[0].peers;
	assert_non_null(peers[0].pod);
	assert_null(peers[0].ns);
	assert_null(peers[1].pod);
	assert_non_null(peers[1].ns);
	assert_null(peers[2].pod);
	assert_non_null(peers[2].ns);
	assert_non_null(peers[3].pod);
	assert_non_null(peers[3].ns);
	for (size_t i = 0; i < 4; i++)
		assert_null(peers[i].block);
	knp_objects_clear(&objects);
}

static void a_subject_that_is_not_there_is_everybody(void **state)
{
	static const char *const specs[] = {
		POLICY("{}"), POLICY("{'podSelector': null}"),
		POLICY("{'podSelector': {}}"),
	};
	const struct knp_policy *policy;
	struct knp_objects objects;

	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
		objects = decode(specs[i], NULL);
		policy = only(&objects, KNP_KIND_POLICY)->policy;
		assert_int_equal(policy->subject.labels.n, 0);
		assert_int_equal(policy->subject.nreqs, 0);
		assert_true(policy->isolates_ingress);
		assert_false(policy->isolates_egress);
		knp_objects_clear(&objects);
	}
}

static void a_selector_is_decoded_whole(void **state)
{
	struct knp_objects objects;
	const struct knp_selector *s;

	(void)state;
	objects = decode(SELECTOR("{'matchLabels': {'z': '', 'a': 'b'},\n"
				  "'matchExpressions': [\n"
				  "{'key': 'k', 'operator': 'In', 'values':\n"
				  "['1', '2']},\n"
				  "{'key': 'k', 'operator': 'NotIn', 'values':\n"
				  "['3']},\n"
				  "{'key': 'e', 'operator': 'Exists'},\n"
				  "{'key': 'd', 'operator': 'DoesNotExist',\n"
				  "'values': []}]}"), NULL);
	s = only(&objects, KNP_KIND_POLICY)->policy->ingress[0].peers[0].pod;
	assert_int_equal(s->labels.n, 2);
	assert_string_equal(s->labels.v[0].key, "a");
	assert_string_equal(s->labels.v[0].value, "b");
	assert_string_equal(s->labels.v[1].key, "z");
	assert_string_equal(s->labels.v[1].value, "");
	assert_int_equal(s->nreqs, 4);
	assert_int_equal(s->reqs[0].op, KNP_OP_IN);
	assert_int_equal(s->reqs[0].nvalues, 2);
	assert_string_equal(s->reqs[0].values[1], "2");
	assert_int_equal(s->reqs[1].op, KNP_OP_NOT_IN);
	assert_int_equal(s->reqs[2].op, KNP_OP_EXISTS);
	assert_int_equal(s->reqs[3].op, KNP_OP_DOES_NOT_EXIST);
	assert_string_equal(s->reqs[3].key, "d");
	knp_objects_clear(&objects);
}

static void an_ipblock_is_canonical_with_its_excepts(void **state)
{
	const struct knp_ipblock *block;
	struct knp_objects objects;
	char text[46];

	(void)state;
	objects = decode(PEER("{'ipBlock': {'cidr': '10.1.2.3/8', 'except':\n"
			      "['10.1.2.3/16', '10.0.0.0/8']}}"), NULL);
	block = only(&objects, KNP_KIND_POLICY)->policy->ingress[0].peers[0]
		.block;
	assert_string_equal(knp_ip_format(&block->cidr.ip, text), "10.0.0.0");
	assert_int_equal(block->cidr.len, 8);
	assert_int_equal(block->nexcept, 2);
	assert_string_equal(knp_ip_format(&block->except[0].ip, text),
			    "10.1.0.0");
	assert_int_equal(block->except[0].len, 16);
	knp_objects_clear(&objects);
}

static void a_pod_is_reduced_to_what_policy_needs(void **state)
{
	struct knp_objects objects;
	const struct knp_pod *pod;
	char text[46];

	(void)state;
	objects = decode(POD("'metadata': {'name': 'a', 'uid': 'u',\n"
			     "'creationTimestamp': '2026-01-02T03:04:05Z',\n"
			     "'deletionTimestamp': '2026-01-02T03:04:06Z',\n"
			     "'labels': {'b': '2', 'a': '1'}, 'x': 1},\n"
			     "'spec': {'nodeName': 'n1', 'containers':\n"
			     "[{'name': 'c', 'ports': [{'name': 'http',\n"
			     "'containerPort': 80}, {'containerPort': 53,\n"
			     "'protocol': 'UDP'}]}, {'name': 'd', 'ports':\n"
			     "null}], 'initContainers': [{'ports':\n"
			     "[{'containerPort': 1}]}, {'restartPolicy':\n"
			     "'Always', 'ports': [{'name': 'side',\n"
			     "'containerPort': 90}]}]},\n"
			     "'status': {'phase': 'Running', 'podIP':\n"
			     "'10.0.0.9', 'podIPs': [{'ip': '10.0.0.1'},\n"
			     "{'ip': 'fd00::1'}, {'ip': '10.0.0.1'}]}"), NULL);
	pod = only(&objects, KNP_KIND_POD)->pod;
	assert_string_equal(pod->ns, "default");
	assert_string_equal(pod->name, "a");
	assert_memory_equal(pod->uid, "u\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_string_equal(pod->node, "n1");
	assert_int_equal(pod->created, 1767323045);
	assert_int_equal(pod->labels->n, 2);
	assert_string_equal(pod->labels->v[0].key, "a");
	assert_int_equal(pod->nips, 2);
	assert_string_equal(knp_ip_format(&pod->ips[0], text), "10.0.0.1");
	assert_string_equal(knp_ip_format(&pod->ips[1], text), "fd00::1");
	assert_int_equal(pod->ports->n, 3);
	assert_string_equal(pod->ports->v[0].name, "http");
	assert_int_equal(pod->ports->v[0].proto, IPPROTO_TCP);
	assert_string_equal(pod->ports->v[1].name, "");
	assert_int_equal(pod->ports->v[1].proto, IPPROTO_UDP);
	assert_int_equal(pod->ports->v[1].port, 53);
	assert_string_equal(pod->ports->v[2].name, "side");
	assert_int_equal(pod->ports->v[2].port, 90);
	assert_false(pod->host_network);
	assert_false(pod->terminal);
	knp_objects_clear(&objects);
}

static void a_bare_pod_has_empty_strings_and_no_address(void **state)
{
	struct knp_objects objects;
	const struct knp_pod *pod;

	(void)state;
	objects = decode(POD("'metadata': {'name': 'a', 'namespace': null,\n"
			     "'labels': null, 'creationTimestamp': null},\n"
			     "'spec': null, 'status': {'podIPs': [], 'podIP':\n"
			     "''}"), NULL);
	pod = only(&objects, KNP_KIND_POD)->pod;
	assert_string_equal(pod->ns, "default");
	assert_memory_equal(pod->uid, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_string_equal(pod->node, "");
	assert_int_equal(pod->created, 0);
	assert_int_equal(pod->nips, 0);
	assert_int_equal(pod->labels->n, 0);
	knp_objects_clear(&objects);
}

static void pod_ip_stands_in_for_missing_pod_ips(void **state)
{
	struct knp_objects objects;

	(void)state;
	objects = decode(POD(META ", 'status': {'podIP': 'fd00::2'}"), NULL);
	assert_int_equal(only(&objects, KNP_KIND_POD)->pod->nips, 1);
	knp_objects_clear(&objects);
}

static void terminal_phases_and_host_network_are_seen(void **state)
{
	static const struct {
		const char *phase;
		bool terminal;
	} rows[] = {
		{ "Pending", false }, { "Running", false }, { "Unknown", false },
		{ "Succeeded", true }, { "Failed", true },
	};
	struct knp_objects objects;
	char text[256];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(text, sizeof(text), POD(META ", 'spec':\n"
			 "{'hostNetwork': true}, 'status': {'phase': '%s'}"),
			 rows[i].phase);
		objects = decode(text, NULL);
		assert_int_equal(only(&objects, KNP_KIND_POD)->pod->terminal,
				 rows[i].terminal);
		assert_true(objects.v[0].pod->host_network);
		knp_objects_clear(&objects);
	}
}

static void a_namespace_gets_its_name_as_a_label(void **state)
{
	static const char *const texts[] = {
		"", ", 'labels': {}", ", 'labels': {'a': '1', 'z': '2'}",
		", 'labels': {'kubernetes.io/metadata.name': 'forged'}",
	};
	const struct knp_namespace *ns;
	struct knp_objects objects;
	char text[256];

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		snprintf(text, sizeof(text), "{'apiVersion': 'v1', 'kind':\n"
			 "'Namespace', 'metadata': {'name': 'n', 'namespace':\n"
			 "'x'%s}}", texts[i]);
		objects = decode(text, NULL);
		ns = only(&objects, KNP_KIND_NAMESPACE)->namespace;
		assert_string_equal(objects.v[0].ns, "");
		assert_string_equal(ns->name, "n");
		assert_string_equal(knp_labels_get(ns->labels,
						   "kubernetes.io/metadata.name"),
				    "n");
		for (size_t j = 1; j < ns->labels->n; j++)
			assert_true(strcmp(ns->labels->v[j - 1].key,
					   ns->labels->v[j].key) < 0);
		if (i == 2)
			assert_string_equal(knp_labels_get(ns->labels, "z"),
					    "2");
		knp_objects_clear(&objects);
	}
}

static void a_namespace_with_a_deletion_timestamp_terminates(void **state)
{
	static const struct {
		const char *more;
		bool terminating;
	} rows[] = {
		{ "", false }, { ", 'deletionTimestamp': null", false },
		{ ", 'deletionTimestamp': '2026-01-01T00:00:00Z'", true },
	};
	struct knp_objects objects;
	char text[256];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(text, sizeof(text), "{'apiVersion': 'v1', 'kind':\n"
			 "'Namespace', 'metadata': {'name': 'n'%s}}",
			 rows[i].more);
		objects = decode(text, NULL);
		assert_int_equal(only(&objects,
				      KNP_KIND_NAMESPACE)->namespace->terminating,
				 rows[i].terminating);
		knp_objects_clear(&objects);
	}
}

static void a_name_begins_and_ends_with_letters_or_digits(void **state)
{
	static const char *const good[] = { "a", "0", "a-b", "a.b", "a--b" };
	static const char *const bad[] = {
		"", "-", ".", "-a", ".a", "a-", "a.", "A", "a_b", "a/b", "a b",
		"a\303\244",
	};
	char longest[255];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(knp_name_valid(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(knp_name_valid(bad[i], strlen(bad[i])));
	memset(longest, 'a', sizeof(longest));
	assert_true(knp_name_valid(longest, 253));
	assert_false(knp_name_valid(longest, 254));
}

static void a_string_with_a_nul_is_refused(void **state)
{
	struct json_object *obj = json_tokener_parse(POD("'metadata': {}"));
	struct knp_faults faults = { 0 };
	struct knp_objects objects = { 0 };
	struct json_object *meta;

	(void)state;
	json_object_object_get_ex(obj, "metadata", &meta);
	json_object_object_add(meta, "name",
			       json_object_new_string_len("a\0b", 3));
	assert_int_equal(knp_decode_object(obj, NULL, &objects, &faults), 0);
	assert_int_equal(faults.n, 1);
	assert_non_null(strstr(faults.v[0].reason, "NUL"));
	assert_null(faults.v[0].file);
	json_object_put(obj);
	knp_objects_clear(&objects);
	knp_faults_clear(&faults);
}

static void an_object_is_put_where_it_belongs(void **state)
{
	struct knp_store *store = knp_store_new();
	struct knp_faults faults = { 0 };
	struct knp_objects objects;

	(void)state;
	objects = decode("{'apiVersion': 'v1', 'kind': 'List', 'items': ["
			 INGRESS("{}") "," POD(META) ", {'apiVersion': 'v1',\n"
			 "'kind': 'Namespace', 'metadata': {'name': 'x'}}, "
			 BAD_NAMESPACE "]}", &faults);
	assert_int_equal(objects.n, 4);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(knp_object_put(&objects.v[i], store), 0);
		assert_null(objects.v[i].any);
		assert_int_equal(knp_object_put(&objects.v[i], store), -EINVAL);
	}
	assert_int_equal(knp_object_put(&objects.v[3], store), -EINVAL);
	assert_non_null(knp_store_policy(store, "x", "p"));
	assert_non_null(knp_store_pod(store, "x", "p"));
	assert_non_null(knp_store_namespace(store, "x"));
	knp_objects_clear(&objects);
	knp_faults_clear(&faults);
	knp_store_free(store);
}

static const struct CMUnitTest plain[] = {
	cmocka_unit_test(a_refused_object_keeps_its_name),
	cmocka_unit_test(a_fault_cannot_forge_a_line),
	cmocka_unit_test(a_bad_item_leaves_its_neighbours_alone),
	cmocka_unit_test(other_kinds_are_counted_not_refused),
	cmocka_unit_test(items_of_typed_lists_need_no_kind),
	cmocka_unit_test(a_list_without_items_is_empty),
	cmocka_unit_test(a_peer_tells_absent_from_empty_selectors),
	cmocka_unit_test(a_subject_that_is_not_there_is_everybody),
	cmocka_unit_test(a_selector_is_decoded_whole),
	cmocka_unit_test(an_ipblock_is_canonical_with_its_excepts),
	cmocka_unit_test(a_pod_is_reduced_to_what_policy_needs),
	cmocka_unit_test(a_bare_pod_has_empty_strings_and_no_address),
	cmocka_unit_test(pod_ip_stands_in_for_missing_pod_ips),
	cmocka_unit_test(terminal_phases_and_host_network_are_seen),
	cmocka_unit_test(a_namespace_gets_its_name_as_a_label),
	cmocka_unit_test(a_namespace_with_a_deletion_timestamp_terminates),
	cmocka_unit_test(a_name_begins_and_ends_with_letters_or_digits),
	cmocka_unit_test(a_string_with_a_nul_is_refused),
	cmocka_unit_test(an_object_is_put_where_it_belongs),
};

/* One test per row of the tables, so that a failure names the row. */
static struct CMUnitTest row(const char *name, CMUnitTestFunction function,
			     const void *state)
{
	return (struct CMUnitTest){
		name, function, NULL, NULL, (void *)state,
	};
}

int main(void)
{
	static struct CMUnitTest tests[COUNT(plain) + COUNT(types) +
				       COUNT(shapes) + COUNT(ports)];
	size_t n = 0;

	for (size_t i = 0; i < COUNT(plain); i++)
		tests[n++] = plain[i];
	for (size_t i = 0; i < COUNT(types); i++)
		tests[n++] = row(types[i].name, isolates, &types[i]);
	for (size_t i = 0; i < COUNT(shapes); i++)
		tests[n++] = row(shapes[i].name, has_shape, &shapes[i]);
	for (size_t i = 0; i < COUNT(ports); i++)
		tests[n++] = row(ports[i].name, is_port, &ports[i]);
	return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
