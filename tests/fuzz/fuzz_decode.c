// SPDX-License-Identifier: Apache-2.0
/*
 * Arbitrary JSON as an object of the Kubernetes API: what is decoded is the same
 * when the object is written out and read again, and as an item of a list. What
 * is left of it can be stored and compiled, and a policy that was refused
 * isolates no less than it says.
 */
#include <json-c/json.h>
#include <stdint.h>
#include <string.h>

#include "compile.h"
#include "decoded.h"
#include "manifest_text.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct json_object *read_text(const char *text, size_t len)
{
	struct json_object *obj = NULL;
	char *why = NULL;

	if (knp_json_parse_one(text, len, &obj, &why))
		require(why, "refused without a reason");
	free(why);
	return obj;
}

static void decode(struct json_object *obj, struct knp_objects *objects,
		   struct knp_faults *faults)
{
	require(!knp_decode_object(obj, NULL, objects, faults), "no memory");
	decoded_require_sound(objects, faults);
}

/* Written out and read again. */
static void check_again(struct json_object *obj,
			const struct knp_objects *objects,
			const struct knp_faults *faults)
{
	struct knp_faults again_faults = { 0 };
	struct knp_objects again = { 0 };
	struct json_object *copy;
	const char *text;
	char *padded;
	size_t len;

	text = json_object_to_json_string_length(obj, JSON_C_TO_STRING_PLAIN,
						 &len);
	require(text, "no memory");
	padded = padded_copy(text, len);
	copy = read_text(padded, len);
	require(copy, "what was written cannot be read");
	decode(copy, &again, &again_faults);
	decoded_require_same(objects, &again);
	faults_require_same(faults, &again_faults);
	json_object_put(copy);
	knp_objects_clear(&again);
	knp_faults_clear(&again_faults);
	free(padded);
}

/* Of a version that is read; where the kind is known, it is not looked at. */
static bool is_current(struct json_object *obj)
{
	struct json_object *version;
	const char *text = "";

	if (json_object_object_get_ex(obj, "apiVersion", &version) &&
	    json_object_is_type(version, json_type_string))
		text = json_object_get_string(version);
	return !strcmp(text, "v1") || !strcmp(text, "networking.k8s.io/v1");
}

/* Known to be of this kind: the same, if it is one object. */
static void check_known(struct json_object *obj,
			const struct knp_objects *objects)
{
	struct knp_faults faults = { 0 };
	struct knp_objects known = { 0 };

	if (objects->n != 1 || !is_current(obj) ||
	    json_object_object_get_ex(obj, "items", NULL))
		return;
	require(!knp_decode_known(obj, objects->v[0].kind, NULL, &known,
				  &faults), "no memory");
	decoded_require_same(objects, &known);
	knp_objects_clear(&known);
	knp_faults_clear(&faults);
}

static void check_compiled(const struct knp_store *store)
{
	struct knp_ruleset *nothing = knp_ruleset_new();
	struct knp_troubles troubles = { 0 };
	struct knp_ruleset *rs;
	struct knp_diff *d;

	require(nothing && !knp_compile(store, NULL, &rs, &troubles) &&
		!knp_ruleset_diff(nothing, rs, &d), "no memory");
	for (size_t i = 0; i < d->nops; i++)
		require(!d->ops[i].delete && d->ops[i].count, "not only puts");
	knp_diff_free(d);
	knp_troubles_clear(&troubles);
	knp_ruleset_free(rs);
	knp_ruleset_free(nothing);
}

/* What remains of the objects, put where everything goes. */
static void check_stored(struct knp_objects *objects)
{
	struct knp_store *store = knp_store_new();

	require(store, "no memory");
	for (size_t i = 0; i < objects->n; i++)
		if (objects->v[i].any)
			require(!knp_object_put(&objects->v[i], store),
				"what was decoded is not stored");
	check_compiled(store);
	knp_store_free(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct knp_faults faults = { 0 };
	struct knp_objects objects = { 0 };
	struct json_object *obj;
	char *text = padded_copy(data, size);

	obj = read_text(text, size);
	/* json-c waits for more behind a number. */
	if (obj && !json_object_is_type(obj, json_type_int) &&
	    !json_object_is_type(obj, json_type_double)) {
		decode(obj, &objects, &faults);
		check_again(obj, &objects, &faults);
		check_known(obj, &objects);
		check_stored(&objects);
	}
	json_object_put(obj);
	knp_objects_clear(&objects);
	knp_faults_clear(&faults);
	free(text);
	return 0;
}
