// SPDX-License-Identifier: Apache-2.0
/* What an API server sends: events, pages, refusals, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kube_json.h"

static struct knp_faults faults;

static int teardown(void **state)
{
	(void)state;
	knp_faults_clear(&faults);
	return 0;
}

/* JSON, written with single quotes. */
static char *quote(const char *text)
{
	char *json = strdup(text);

	assert_non_null(json);
	for (char *p = json; (p = strchr(p, '\'')); p++)
		*p = '"';
	return json;
}

static int read_event(const char *text, enum knp_kind kind, struct knp_kube_event *e)
{
	char *json = quote(text);
	char *why = NULL;
	int err = knp_kube_json_event(json, strlen(json), kind, e, &faults,
				      &why);

	/* A reason is given, and one line. */
	if (err == -EBADMSG) {
		assert_non_null(why);
		assert_null(strchr(why, '\n'));
	}
	free(why);
	free(json);
	return err;
}

#define POD(meta) \
	"{'apiVersion':'v1','kind':'Pod','metadata':" meta "}"
#define EVENT(type, object) \
	"{'type':'" type "','object':" object "}"

static void events_have_a_type_an_object_and_a_version(void **state)
{
	static const struct {
		const char *text;
		enum knp_event_type type;
	} cases[] = {
		{ EVENT("ADDED", POD("{'name':'a','namespace':'x',"
			"'resourceVersion':'7'}")), KNP_EVENT_ADDED },
		{ EVENT("MODIFIED", POD("{'name':'a','namespace':'x',"
			"'resourceVersion':'7'}")), KNP_EVENT_MODIFIED },
		{ EVENT("DELETED", POD("{'name':'a','namespace':'x',"
			"'resourceVersion':'7'}")), KNP_EVENT_DELETED },
	};
	struct knp_kube_event e;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(read_event(cases[i].text, KNP_KIND_POD, &e),
				 0);
		assert_int_equal(e.type, cases[i].type);
		assert_string_equal(e.version, "7");
		assert_string_equal(e.object.ns, "x");
		assert_string_equal(e.object.pod->name, "a");
		knp_object_clear(&e.object);
	}
}

static void bookmarks_end_the_initial_events_only_if_they_say_true(void **state)
{
	static const struct {
		const char *text;
		bool end;
	} cases[] = {
		{ EVENT("BOOKMARK", POD("{'resourceVersion':'8'}")), false },
		{ EVENT("BOOKMARK", POD("{'resourceVersion':'8',"
			"'annotations':{'k8s.io/initial-events-end':'true'}}")), true },
		{ EVENT("BOOKMARK", POD("{'resourceVersion':'8',"
			"'annotations':{'k8s.io/initial-events-end':'false'}}")), false },
		{ EVENT("BOOKMARK", POD("{'resourceVersion':'8',"
			"'annotations':{'k8s.io/initial-events-end':true}}")), false },
	};
	struct knp_kube_event e;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(read_event(cases[i].text, KNP_KIND_POD, &e),
				 0);
		assert_int_equal(e.type, KNP_EVENT_BOOKMARK);
		assert_string_equal(e.version, "8");
		assert_int_equal(e.initial_end, cases[i].end);
	}
}

static void an_error_carries_a_status(void **state)
{
	struct knp_kube_event e;

	(void)state;
	assert_int_equal(read_event(EVENT("ERROR", "{'apiVersion':'v1',"
		"'kind':'Status','code':410,'reason':'Expired',"
		"'message':'too old','details':{'retryAfterSeconds':4}}"),
				    KNP_KIND_POD, &e), 0);
	assert_int_equal(e.type, KNP_EVENT_ERROR);
	assert_int_equal(e.status.code, 410);
	assert_string_equal(e.status.reason, "Expired");
	assert_string_equal(e.status.message, "too old");
	assert_int_equal(e.status.retry_after, 4);
	assert_false(e.status.too_large);
	assert_int_equal(read_event(EVENT("ERROR", POD("{}")), KNP_KIND_POD,
				    &e), -EBADMSG);
}

/* TestReflectorFullListIfTooLarge: three error dialects */
static void too_large_is_understood_in_three_dialects(void **state)
{
	static const struct {
		const char *text;
		bool too_large;
	} cases[] = {
		{ "{'apiVersion':'v1','kind':'Status','code':504,"
			"'reason':'Timeout',"
			"'details':{'causes':[{"
			"'reason':'ResourceVersionTooLarge','message':'x'}]}}",
		  true },
		{ "{'apiVersion':'v1','kind':'Status','code':504,"
			"'reason':'Timeout',"
			"'details':{'causes':[{'message':'Too large resource version'}]}}", true },
		{ "{'apiVersion':'v1','kind':'Status','code':504,"
			"'reason':'Timeout',"
			"'message':'Timeout: Too large resource version: 9,"
			" current: 5'}", true },
		{ "{'apiVersion':'v1','kind':'Status','code':504,"
			"'reason':'Timeout','message':'etcd is slow'}", false },
	};
	struct knp_status s;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		char *json = quote(cases[i].text);

		assert_int_equal(knp_kube_json_status(json, strlen(json), &s),
				 0);
		assert_int_equal(s.too_large, cases[i].too_large);
		free(json);
	}
}

/* KNP_VERSION_LEN characters: one too many. */
#define LONG_VERSION \
	"0123456789012345678901234567890123456789012345678901234567890123"

static void what_is_no_event_of_the_resource_is_refused(void **state)
{
	static const char *const cases[] = {
		"", "null", "[]", "7", "{}", "{'type':'ADDED'}",
		"{'object':{}}", EVENT("ADDED", "null"), EVENT("ADDED", "[]"),
		EVENT("ADDED", "{'apiVersion':'v1','kind':'Service',"
			"'metadata':{'name':'a'}}"),
		EVENT("ADDED", "{'apiVersion':'v2','kind':'Pod',"
			"'metadata':{'name':'a'}}"),
		EVENT("ADDED", "{'apiVersion':'meta.k8s.io/v1',"
			"'kind':'Table','rows':[]}"),
		EVENT("ADDED", "{'apiVersion':'meta.k8s.io/v1beta1',"
			"'kind':'Table','rows':[]}"),
		EVENT("ADDED", "{'apiVersion':'meta.k8s.io/v1',"
			"'kind':'PartialObjectMetadata',"
			"'metadata':{'name':'a'}}"),
		EVENT("ADDED", POD("{'name':'a'}")) "{}",
		"{'type':'ADDED','type':'DELETED',"
		"'object':" POD("{'name':'a'}") "}",
		EVENT("ADDED", POD("{'name':'a',"
			"'resourceVersion':'" LONG_VERSION "'}")),
		"{'type':'ADDED','object':" POD("{'name':'a'}"),
		"{'type':'ADDED','object':{'a':'\xff'}}",
		"\xef\xbb\xbf" EVENT("ADDED", POD("{'name':'a'}")),
	};
	struct knp_kube_event e;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (read_event(cases[i], KNP_KIND_POD, &e) != -EBADMSG)
			fail_msg("taken: %s", cases[i]);
}

static void strings_need_double_quotes(void **state)
{
	static const char text[] = "{'type':'PAUSED','object':{}}";
	struct knp_kube_event e;
	char *why;

	(void)state;
	assert_int_equal(knp_kube_json_event(text, strlen(text), KNP_KIND_POD,
					     &e, NULL, &why), -EBADMSG);
	free(why);
}

/* managedFields may be nested as deep as the server takes it. */
static void nesting_is_bounded_as_the_server_bounds_it(void **state)
{
	static const size_t depths[] = { 33, 64, 65, 1000, 10000, 10001 };
	static char text[32768] = "{'type':'ADDED','object':{'apiVersion':'v1',"
		"'kind':'Pod','metadata':{'name':'a'},'x':";
	size_t start = strlen(text);
	struct knp_kube_event e;

	(void)state;
	for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
		/* json-c counts the scalar as a level. */
		size_t n = depths[i] - 3;
		char *p = text + start;

		memset(p, '[', n);
		p[n] = '1';
		memset(p + n + 1, ']', n);
		strcpy(p + 2 * n + 1, "}}");
		if (depths[i] <= 10000) {
			assert_int_equal(read_event(text, KNP_KIND_POD, &e), 0);
			knp_object_clear(&e.object);
		} else {
			assert_int_equal(read_event(text, KNP_KIND_POD, &e),
					 -EBADMSG);
		}
	}
}

static void a_nul_in_an_annotation_stops_nothing(void **state)
{
	struct knp_kube_event e;

	(void)state;
	assert_int_equal(read_event(EVENT("ADDED", POD("{'name':'a',"
		"'annotations':{'x':'a\\u0000b'}}")),
				    KNP_KIND_POD, &e), 0);
	assert_false(e.object.refused);
	knp_object_clear(&e.object);
	assert_int_equal(read_event(EVENT("ADDED", POD("{'name':'a',"
		"'labels':{'x':'a\\u0000b'}}")),
				    KNP_KIND_POD, &e), 0);
	assert_true(e.object.refused);
	knp_object_clear(&e.object);
}

static void a_refused_object_is_named_and_a_nameless_one_is_told(void **state)
{
	struct knp_kube_event e;

	(void)state;
	assert_int_equal(read_event(EVENT("MODIFIED", POD("{'name':'a',"
		"'namespace':'x','labels':7}")),
				    KNP_KIND_POD, &e), 0);
	assert_true(e.object.refused);
	assert_string_equal(e.object.name, "a");
	assert_int_equal(faults.n, 1);
	assert_string_equal(faults.v[0].file, "pods");
	assert_string_equal(faults.v[0].object, "Pod x/a");
	knp_object_clear(&e.object);

	assert_int_equal(read_event(EVENT("ADDED", POD("{'labels':{}}")),
				    KNP_KIND_POD, &e), 0);
	assert_int_equal(e.type, KNP_EVENT_UNKNOWN);
	assert_int_equal(faults.n, 2);
}

static void an_unknown_type_is_told_from_a_broken_event(void **state)
{
	struct knp_kube_event e;

	(void)state;
	assert_int_equal(read_event(EVENT("PAUSED", "{'kind':'x'}"),
				    KNP_KIND_POD, &e), 0);
	assert_int_equal(e.type, KNP_EVENT_UNKNOWN);
}

#define PARTIAL(meta) \
	"{'apiVersion':'meta.k8s.io/v1'," \
	"'kind':'PartialObjectMetadata','metadata':" meta "}"

static void namespaces_may_be_metadata_only(void **state)
{
	struct knp_kube_event e;

	(void)state;
	assert_int_equal(read_event(EVENT("ADDED", PARTIAL("{'name':'n','labels':{'a':'b'}}")),
				    KNP_KIND_NAMESPACE, &e), 0);
	assert_string_equal(e.object.namespace->name, "n");
	assert_int_equal(e.object.namespace->labels->n, 2);
	knp_object_clear(&e.object);
	assert_int_equal(read_event(EVENT("ADDED", PARTIAL("{'name':'n'}")),
				    KNP_KIND_POLICY, &e), -EBADMSG);
}

/* ---- pages ---------------------------------------------------------------------- */

struct items {
	char names[64];
	int n;
	int stop;
};

static int on_item(void *arg, struct knp_object *object)
{
	struct items *items = arg;

	strcat(items->names, object->refused ? "!" : "");
	strcat(items->names, object->name);
	knp_object_clear(object);
	return ++items->n == items->stop ? -ENOMEM : 0;
}

static int read_page(const char *text, enum knp_kind kind, struct items *items,
		     struct knp_page *page)
{
	char *json = quote(text);
	char *why = NULL;
	int err = knp_kube_json_page(json, strlen(json), kind, on_item, items,
				     page, &faults, &why);

	free(why);
	free(json);
	return err;
}

#define LIST(meta, items) \
	"{'apiVersion':'v1','kind':'PodList','metadata':" meta "," \
	"'items':" items "}"

static void pages_have_items_a_version_and_a_next(void **state)
{
	struct items items = { 0 };
	struct knp_page page;

	(void)state;
	assert_int_equal(read_page(LIST("{'resourceVersion':'9',"
		"'continue':'c'}",
					"[{'metadata':{'name':'a'}},"
					"{'metadata':{'name':'b',"
					"'labels':1}},{'metadata':{}},"
					"{'apiVersion':'v1','kind':'Pod',"
					"'metadata':{'name':'c'}}]"),
				   KNP_KIND_POD, &items, &page), 0);
	assert_string_equal(items.names, "a!bc");
	assert_string_equal(page.version, "9");
	assert_string_equal(page.next, "c");
	assert_int_equal(faults.n, 2);
	free(page.next);
}

static void a_page_may_be_empty_in_two_ways(void **state)
{
	struct items items = { 0 };
	struct knp_page page;

	(void)state;
	assert_int_equal(read_page(LIST("{'resourceVersion':'9'}", "[]"),
				   KNP_KIND_POD, &items, &page), 0);
	assert_null(page.next);
	assert_int_equal(read_page(LIST("{'resourceVersion':'9'}", "null"),
				   KNP_KIND_POD, &items, &page), 0);
	assert_int_equal(items.n, 0);
}

static void what_is_no_page_of_the_resource_is_refused(void **state)
{
	static const char *const cases[] = {
		"", "{}", "[]",
		"{'apiVersion':'v1','kind':'PodList','metadata':{}}",
		LIST("{}", "{}"), LIST("{}", "[7]"), LIST("{}", "[null]"),
		LIST("{}", "[{'kind':'Service','apiVersion':'v1',"
			"'metadata':{'name':'a'}}]"),
		"{'apiVersion':'v1','kind':'Pod','metadata':{'name':'a'}}",
		"{'apiVersion':'v1','kind':'NamespaceList','metadata':{},"
		"'items':[]}",
		"{'apiVersion':'v1','kind':'List','metadata':{},'items':[]}",
		"{'apiVersion':'meta.k8s.io/v1','kind':'Table',"
		"'metadata':{},'items':[]}",
		LIST("{}", "[{'metadata':{'name':'a'}}"),
		"<html></html>",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct items items = { 0 };
		struct knp_page page;

		if (read_page(cases[i], KNP_KIND_POD, &items, &page) !=
		    -EBADMSG)
			fail_msg("taken: %s", cases[i]);
	}
}

#define TWO_ITEMS "[{'metadata':{'name':'a'}},{'metadata':{'name':'b'}}]"

static void the_taker_of_items_may_stop(void **state)
{
	struct items items = { .stop = 1 };
	struct knp_page page;

	(void)state;
	assert_int_equal(read_page(LIST("{'continue':'c'}", TWO_ITEMS),
				   KNP_KIND_POD, &items, &page), -ENOMEM);
	assert_string_equal(items.names, "a");
}

#define t(name)	cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		t(events_have_a_type_an_object_and_a_version),
		t(bookmarks_end_the_initial_events_only_if_they_say_true),
		t(an_error_carries_a_status),
		t(too_large_is_understood_in_three_dialects),
		t(what_is_no_event_of_the_resource_is_refused),
		t(strings_need_double_quotes),
		t(nesting_is_bounded_as_the_server_bounds_it),
		t(a_nul_in_an_annotation_stops_nothing),
		t(a_refused_object_is_named_and_a_nameless_one_is_told),
		t(an_unknown_type_is_told_from_a_broken_event),
		t(namespaces_may_be_metadata_only),
		t(pages_have_items_a_version_and_a_next),
		t(a_page_may_be_empty_in_two_ways),
		t(what_is_no_page_of_the_resource_is_refused),
		t(the_taker_of_items_may_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
