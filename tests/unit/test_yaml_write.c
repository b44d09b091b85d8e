// SPDX-License-Identifier: Apache-2.0
/* What is written as YAML is read back as it was, by the reader of manifests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifest_text.h"
#include "yaml_write.h"

static char *yaml_of(struct json_object *doc)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(knp_yaml_write(out, doc), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void assert_same(const char *json)
{
	struct json_object *doc = json_tokener_parse(json);
	struct json_object *docs = json_object_new_array();
	char *text = yaml_of(doc), *why = NULL;

	assert_int_equal(knp_yaml_parse(text, strlen(text), docs, &why), 0);
	assert_int_equal(json_object_array_length(docs), 1);
	if (!json_object_equal(json_object_array_get_idx(docs, 0), doc))
		fail_msg("%s became\n%s", json, text);
	json_object_put(docs);
	json_object_put(doc);
	free(text);
}

static void assert_yaml(const char *json, const char *yaml)
{
	struct json_object *doc = json_tokener_parse(json);
	char *text = yaml_of(doc);

	assert_string_equal(text, yaml);
	json_object_put(doc);
	free(text);
}

static void words_are_plain_and_what_looks_like_something_else_is_quoted(void **state)
{
	(void)state;
	assert_yaml("{\"pod\": \"shop/web-0\", \"n\": 3, \"ok\": true, \"no\": null}",
		    "---\npod: shop/web-0\n\"n\": 3\nok: true\n\"no\": null\n");
	assert_yaml("[\"10.0.0.1\", \"80\", \"True\", \"~\", \"-\", \"\", \"a b\"]",
		    "---\n- \"10.0.0.1\"\n- \"80\"\n- \"True\"\n- \"~\"\n- \"-\"\n- \"\"\n- \"a b\"\n");
}

static void containers_nest_and_may_be_empty(void **state)
{
	(void)state;
	assert_yaml("{\"rows\": [{\"a\": []}, {\"b\": {}}]}",
		    "---\nrows:\n- a: []\n- b: {}\n");
}

static void all_values_are_read_back(void **state)
{
	static const char * const docs[] = {
		"null", "true", "-1", "18446744073709551615", "1.5", "\"\"",
		"[]", "{}",
		"[\"yes\", \"Off\", \"NULL\", \"n\", \"1e3\", \"0x1f\", \"1_000\"]",
		"[\"a: b\", \"# c\", \"'\", \"\\\"\", \"\\\\\", \"\\n\\t\", \"- x\"]",
		"[\"\\u00e9\\u4e2d\\ud83d\\ude00\", \"\\u0001\", \"a\\u0085b\"]",
		"{\"a b\": {\"c\": [[1, [2]], {\"d\": \"[]\"}]}, \"true\": 1}",
		"{\"fd00::1\": \"fd00::1\", \"10.0.0.0/8\": \"2026-11-26\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(docs) / sizeof(*docs); i++)
		assert_same(docs[i]);
}

static void long_texts_are_not_broken(void **state)
{
	char json[600] = "[\"";

	(void)state;
	for (int i = 0; i < 50; i++)
		strcat(json, "word word ");
	strcat(json, "\"]");
	assert_same(json);
}

static void a_file_that_takes_no_more_is_an_error(void **state)
{
	struct json_object *doc = json_tokener_parse("[1, 2]");
	FILE *out = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(out);
	setvbuf(out, NULL, _IONBF, 0);
	assert_int_equal(knp_yaml_write(out, doc), -EIO);
	fclose(out);
	json_object_put(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_plain_and_what_looks_like_something_else_is_quoted),
		cmocka_unit_test(containers_nest_and_may_be_empty),
		cmocka_unit_test(all_values_are_read_back),
		cmocka_unit_test(long_texts_are_not_broken),
		cmocka_unit_test(a_file_that_takes_no_more_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
