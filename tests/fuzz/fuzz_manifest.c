// SPDX-License-Identifier: Apache-2.0
/*
 * Arbitrary bytes as a manifest. What is JSON means the same whatever the file is
 * called; what YAML makes of a text is the same after yaml_write.h has written it
 * out; and one file that is malformed says so and leaves nothing.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdint.h>
#include <string.h>

#include "decoded.h"
#include "manifest.h"
#include "manifest_text.h"
#include "require.h"
#include "yaml_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/**
 * struct outcome - what a manifest is
 * @err: what parsing it returned; the rest counts if it is 0
 */
struct outcome {
	int err;
	struct knp_objects objects;
	struct knp_faults faults;
};

static void parse(const char *text, size_t len, const char *file,
		  struct outcome *o)
{
	*o = (struct outcome){ 0 };
	o->err = knp_manifest_parse(text, len, file, &o->objects, &o->faults);
	require(!o->err || o->err == -EINVAL, "an odd error");
	require(!o->err || (!o->objects.n && o->faults.n == 1),
		"a malformed file leaves something, or says nothing");
}

static void clear(struct outcome *o)
{
	knp_objects_clear(&o->objects);
	knp_faults_clear(&o->faults);
}

static void require_same(const struct outcome *a, const struct outcome *b)
{
	decoded_require_same(&a->objects, &b->objects);
	faults_require_same(&a->faults, &b->faults);
}

static void check_files(const char *text, size_t len)
{
	struct outcome json, yaml;

	parse(text, len, "f.json", &json);
	parse(text, len, "f.yaml", &yaml);
	if (!json.err && text[strspn(text, " \t\r\n")] == '{') {
		require(!yaml.err, "JSON is refused by its name");
		require_same(&json, &yaml);
	}
	clear(&json);
	clear(&yaml);
}

static void check_docs(struct json_object *docs)
{
	struct json_object *again = json_object_new_array();
	char *text = NULL, *why = NULL;
	size_t len;
	FILE *out;
	int err = 0;

	out = open_memstream(&text, &len);
	require(again && out, "no memory");
	for (size_t i = 0; !err && i < json_object_array_length(docs); i++)
		err = knp_yaml_write(out, json_object_array_get_idx(docs, i));
	require(!fclose(out), "no memory");
	/* What YAML can hold as UTF-8, json-c's trees can hold as any bytes. */
	if (!err && json_object_array_length(docs)) {
		err = knp_yaml_parse(text, len, again, &why);
		if (err)
			fprintf(stderr, "%s in\n%s\n", why ? why : "-", text);
		require(!err, "what was written cannot be read");
		if (!json_object_equal(docs, again))
			fprintf(stderr, "%s\n%s\n%s\n",
				json_object_to_json_string(docs), text,
				json_object_to_json_string(again));
		require(json_object_equal(docs, again),
			"what was written means something else");
	}
	free(why);
	free(text);
	json_object_put(again);
}

static void check_yaml(const char *text, size_t len)
{
	struct json_object *docs = json_object_new_array();
	char *why = NULL;
	int err;

	require(docs, "no memory");
	err = knp_yaml_parse(text, len, docs, &why);
	require(!err || err == -EINVAL, "an odd error");
	require(!err || why, "refused without a reason");
	if (!err)
		check_docs(docs);
	free(why);
	json_object_put(docs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = padded_copy(data, size);

	check_files(text, size);
	check_yaml(text, size);
	free(text);
	return 0;
}
