// SPDX-License-Identifier: Apache-2.0
/* What knp-cni understands of what a runtime says, and how it refuses the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni_conf.h"

#define ARGS	"IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-0;"	\
		"K8S_POD_INFRA_CONTAINER_ID=c1;"				\
		"K8S_POD_UID=3b0a6f0e-7f52-4a0c-9d0a-7c9e4f6a1b2c"
#define PREV_1	"\"prevResult\":{\"cniVersion\":\"1.0.0\",\"interfaces\":"	\
		"[{\"name\":\"azv1\"},{\"name\":\"eth0\",\"sandbox\":\"/n\"}],"	\
		"\"ips\":[{\"address\":\"10.0.0.1/32\",\"interface\":1},"	\
		"{\"address\":\"fd00::1/128\"}],\"dns\":{}}"
#define PREV_0	"\"prevResult\":{\"ips\":[{\"version\":\"4\","			\
		"\"address\":\"10.0.0.1/24\",\"gateway\":\"10.0.0.254\"}]}"
#define CONF(version, more)							\
	"{\"cniVersion\":\"" version "\",\"name\":\"net\",\"type\":\"knp-cni\","	\
	"\"unknown\":{\"field\":1}," more "}"

static const struct knp_cni_env full = {
	.command = "ADD", .container = "c1", .netns = "/var/run/netns/n",
	.ifname = "eth0", .args = ARGS,
};

static int parse(const struct knp_cni_env *env, const char *text,
		 struct knp_cni_call *call, struct knp_cni_error *e)
{
	*e = (struct knp_cni_error){ 0 };
	return knp_cni_call_parse(env, text, strlen(text), call, e);
}

static void accept_call(const struct knp_cni_env *env, const char *text,
			struct knp_cni_call *call)
{
	struct knp_cni_error e;

	if (parse(env, text, call, &e))
		fail_msg("%d %s: %s", e.code, e.msg, e.details);
}

/* Refused with this code, and these words in the message or the details. */
static void refuse(const struct knp_cni_env *env, const char *text, int code,
		   const char *words)
{
	struct knp_cni_call call;
	struct knp_cni_error e;

	assert_int_equal(parse(env, text, &call, &e), -1);
	knp_cni_call_clear(&call);
	if (e.code != code || (!strstr(e.msg, words) &&
			       !strstr(e.details, words)))
		fail_msg("%d %s: %s; expected %d %s", e.code, e.msg, e.details,
			 code, words);
}

static void an_addition_says_which_pod_and_where(void **state)
{
	struct knp_cni_call call;
	char ip[46];

	(void)state;
	accept_call(&full, CONF("1.0.0", PREV_1), &call);
	assert_int_equal(call.command, KNP_CNI_ADD);
	assert_string_equal(call.version, "1.0.0");
	assert_string_equal(call.socket, "/run/knp/cni.sock");
	assert_int_equal(call.timeout_ms, 30000);
	assert_string_equal(call.netns, "/var/run/netns/n");
	assert_string_equal(call.binding->at.container, "c1");
	assert_string_equal(call.binding->at.ifname, "eth0");
	assert_string_equal(call.binding->network, "net");
	assert_string_equal(call.binding->ns, "shop");
	assert_string_equal(call.binding->name, "web-0");
	assert_string_equal(call.binding->uid,
			    "3b0a6f0e-7f52-4a0c-9d0a-7c9e4f6a1b2c");
	assert_int_equal(call.binding->nips, 2);
	assert_string_equal(knp_ip_format(&call.binding->ips[0], ip),
			    "10.0.0.1");
	assert_string_equal(knp_ip_format(&call.binding->ips[1], ip),
			    "fd00::1");
	knp_cni_call_clear(&call);
}

static void results_of_older_versions_are_understood(void **state)
{
	static const char *const texts[] = {
		CONF("0.3.0", PREV_0), CONF("0.3.1", PREV_0),
		CONF("0.4.0", PREV_0), CONF("1.0.0", PREV_0),
		CONF("1.1.0", PREV_0),
	};
	struct knp_cni_call call;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		accept_call(&full, texts[i], &call);
		assert_int_equal(call.binding->nips, 1);
		knp_cni_call_clear(&call);
	}
}

static void the_result_is_the_one_before(void **state)
{
	struct json_object *want, *got, *version;
	struct knp_cni_call call;

	(void)state;
	accept_call(&full, CONF("1.0.0", PREV_1), &call);
	want = json_tokener_parse("{" PREV_1 "}");
	got = knp_cni_result(&call);
	assert_true(json_object_equal(json_object_object_get(want, "prevResult"),
				      got));
	json_object_put(got);
	json_object_put(want);
	knp_cni_call_clear(&call);

	accept_call(&full, CONF("0.4.0", PREV_0), &call);
	got = knp_cni_result(&call);
	assert_true(json_object_object_get_ex(got, "cniVersion", &version));
	assert_string_equal(json_object_get_string(version), "0.4.0");
	json_object_put(got);
	knp_cni_call_clear(&call);
}

static void its_options_are_read(void **state)
{
	struct knp_cni_call call;

	(void)state;
	accept_call(&full, CONF("1.0.0", "\"socket\":\"/x/s\",\"timeout\":2.5,"
				PREV_1), &call);
	assert_string_equal(call.socket, "/x/s");
	assert_int_equal(call.timeout_ms, 2500);
	knp_cni_call_clear(&call);
	refuse(&full, CONF("1.0.0", "\"timeout\":0," PREV_1), 7, "timeout");
	refuse(&full, CONF("1.0.0", "\"timeout\":601," PREV_1), 7, "timeout");
	refuse(&full, CONF("1.0.0", "\"timeout\":\"1\"," PREV_1), 7, "timeout");
}

static void a_pod_without_uid_is_one(void **state)
{
	struct knp_cni_env env = full;
	struct knp_cni_call call;

	(void)state;
	env.args = "K8S_POD_NAME=a;K8S_POD_NAMESPACE=b";
	accept_call(&env, CONF("1.0.0", PREV_1), &call);
	assert_string_equal(call.binding->ns, "b");
	assert_string_equal(call.binding->name, "a");
	assert_string_equal(call.binding->uid, "");
	knp_cni_call_clear(&call);
}

static void a_deletion_needs_neither_pod_nor_result(void **state)
{
	const struct knp_cni_env env = {
		.command = "DEL", .container = "c1", .ifname = "eth0",
		.netns = "",
	};
	struct knp_cni_call call;

	(void)state;
	accept_call(&env, CONF("0.3.1", "\"x\":1"), &call);
	assert_int_equal(call.command, KNP_CNI_DEL);
	assert_null(call.netns);
	assert_string_equal(call.binding->at.container, "c1");
	knp_cni_call_clear(&call);
}

static void a_collection_lists_what_is_valid(void **state)
{
	const struct knp_cni_env env = { .command = "GC" };
	struct knp_cni_call call;

	(void)state;
	accept_call(&env, CONF("1.1.0", "\"cni.dev/valid-attachments\":[]"),
		    &call);
	assert_string_equal(call.network, "net");
	assert_int_equal(json_object_array_length(call.attachments), 0);
	knp_cni_call_clear(&call);
	refuse(&env, CONF("1.1.0", "\"x\":1"), 7, "valid-attachments");
}

static void what_a_version_does_not_have_is_refused(void **state)
{
	struct knp_cni_env env = full;

	(void)state;
	refuse(&env, CONF("0.2.0", PREV_1), 1, "0.2.0");
	refuse(&env, CONF("2.0.0", PREV_1), 1, "2.0.0");
	refuse(&env, "{" PREV_1 "}", 1, "version");
	env.command = "CHECK";
	refuse(&env, CONF("0.3.1", PREV_1), 1, "CHECK");
	env.command = "GC";
	refuse(&env, CONF("1.0.0", "\"cni.dev/valid-attachments\":[]"), 1, "GC");
	env.command = "STATUS";
	refuse(&env, CONF("1.0.0", "\"x\":1"), 1, "STATUS");
}

static void a_variable_that_is_missing_is_named(void **state)
{
	const char *const conf = CONF("1.0.0", PREV_1);
	struct knp_cni_env env;

	(void)state;
	env = full;
	env.container = NULL;
	refuse(&env, conf, 4, "CNI_CONTAINERID");
	env = full;
	env.netns = "";
	refuse(&env, conf, 4, "CNI_NETNS");
	env = full;
	env.ifname = NULL;
	refuse(&env, conf, 4, "CNI_IFNAME");
	env = full;
	env.args = NULL;
	refuse(&env, conf, 4, "K8S_POD_NAME");
	env.args = "K8S_POD_NAMES=a;K8S_POD_NAMESPACE=;K8S_POD_NAME=a;;x=";
	refuse(&env, conf, 4, "K8S_POD_NAMESPACE");
	env = full;
	env.command = "EAT";
	refuse(&env, conf, 4, "EAT");
	env.command = NULL;
	refuse(&env, conf, 4, "CNI_COMMAND");
}

static void a_result_that_names_no_address_is_refused(void **state)
{
	static const char *const texts[] = {
		CONF("1.0.0", "\"x\":1"),
		CONF("1.0.0", "\"prevResult\":[]"),
		CONF("1.0.0", "\"prevResult\":{}"),
		CONF("1.0.0", "\"prevResult\":{\"ips\":[]}"),
		CONF("1.0.0", "\"prevResult\":{\"ips\":[{}]}"),
		CONF("1.0.0", "\"prevResult\":{\"ips\":[null]}"),
		CONF("1.0.0", "\"prevResult\":{\"ips\":[{\"address\":\"x/1\"}]}"),
		CONF("1.0.0", "\"prevResult\":{\"ips\":[{\"address\":1}]}"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		refuse(&full, texts[i], 7, "prevResult");
}

/* An address that was left out would be nobody's. */
static void a_result_of_more_addresses_than_are_kept_is_refused(void **state)
{
	char list[512] = "", conf[1024];
	struct knp_cni_error e;
	struct knp_cni_call call;

	(void)state;
	for (int n = 1; n <= KNP_BINDING_IPS + 1; n++) {
		snprintf(list + strlen(list), sizeof(list) - strlen(list),
			 "%s{\"address\":\"10.0.0.%d/32\"}", n > 1 ? "," : "", n);
		snprintf(conf, sizeof(conf),
			 CONF("1.0.0", "\"prevResult\":{\"ips\":[%s]}"), list);
		if (n > KNP_BINDING_IPS) {
			refuse(&full, conf, 7, "prevResult");
			break;
		}
		assert_int_equal(knp_cni_call_parse(&full, conf, strlen(conf),
						    &call, &e), 0);
		assert_int_equal(call.binding->nips, n);
		knp_cni_call_clear(&call);
	}
}

static void what_is_no_json_is_refused(void **state)
{
	static const char *const texts[] = { "", "{", "{\"cniVersion\":", "x" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		refuse(&full, texts[i], 6, "no JSON");
	refuse(&full, "[]", 6, "no JSON object");
}

static void errors_are_written_as_cni_wants_them(void **state)
{
	const struct knp_cni_error e = {
		.code = 11, .msg = "later", .details = "why",
	};
	struct json_object *want, *doc = knp_cni_error_json("1.0.0", &e);

	(void)state;
	want = json_tokener_parse("{\"cniVersion\":\"1.0.0\",\"code\":11,"
				  "\"msg\":\"later\",\"details\":\"why\"}");
	assert_true(json_object_equal(want, doc));
	json_object_put(want);
	json_object_put(doc);
}

static void versions_are_answered_in_the_version_asked(void **state)
{
	const struct knp_cni_env env = { .command = "VERSION" };
	struct json_object *doc, *list;
	struct knp_cni_call call;

	(void)state;
	accept_call(&env, "{\"cniVersion\":\"0.4.0\"}", &call);
	doc = knp_cni_versions(call.version);
	assert_string_equal(json_object_get_string(json_object_object_get(doc, "cniVersion")),
			    "0.4.0");
	list = json_object_object_get(doc, "supportedVersions");
	assert_int_equal(json_object_array_length(list), 5);
	json_object_put(doc);
	knp_cni_call_clear(&call);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_addition_says_which_pod_and_where),
		cmocka_unit_test(results_of_older_versions_are_understood),
		cmocka_unit_test(the_result_is_the_one_before),
		cmocka_unit_test(its_options_are_read),
		cmocka_unit_test(a_pod_without_uid_is_one),
		cmocka_unit_test(a_deletion_needs_neither_pod_nor_result),
		cmocka_unit_test(a_collection_lists_what_is_valid),
		cmocka_unit_test(what_a_version_does_not_have_is_refused),
		cmocka_unit_test(a_variable_that_is_missing_is_named),
		cmocka_unit_test(a_result_that_names_no_address_is_refused),
		cmocka_unit_test(a_result_of_more_addresses_than_are_kept_is_refused),
		cmocka_unit_test(what_is_no_json_is_refused),
		cmocka_unit_test(errors_are_written_as_cni_wants_them),
		cmocka_unit_test(versions_are_answered_in_the_version_asked),
	};

	return cmocka_run_group_tests_name("cni_conf", tests, NULL, NULL);
}
