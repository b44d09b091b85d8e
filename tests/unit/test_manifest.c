// SPDX-License-Identifier: Apache-2.0
/*
 * Manifests: YAML and JSON corner cases, limits, files and folders, and what
 * cut or damaged text does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "manifest.h"
#include "selector.h"

#define COUNT(array)	(sizeof(array) / sizeof(*(array)))

/* A pod whose label a has the YAML value at hand. */
#define LABEL(value)	"apiVersion: v1\nkind: Pod\n" \
			"metadata:\n  name: p\n  labels:\n    a: " value "\n"
#define POD(name)	"{apiVersion: v1, kind: Pod, metadata: {name: " name "}}"
#define JSON_POD(name)	"{\"apiVersion\": \"v1\", \"kind\": \"Pod\", " \
			"\"metadata\": {\"name\": \"" name "\"}}"

static int parse(const char *text, const char *file, struct knp_objects *ret,
		 struct knp_faults *faults)
{
	return knp_manifest_parse(text, strlen(text), file, ret, faults);
}

/* The objects of a text without faults. */
static struct knp_objects good(const char *text, const char *file)
{
	struct knp_objects objects = { 0 };
	struct knp_faults faults = { 0 };

	assert_int_equal(parse(text, file, &objects, &faults), 0);
	for (size_t i = 0; i < faults.n; i++)
		fail_msg("%s", faults.v[i].reason);
	return objects;
}

/* A text that is refused as a whole, for a reason that holds @why. */
static void refused(const char *text, const char *file, const char *why)
{
	struct knp_objects objects = { .n = 77 };
	struct knp_faults faults = { 0 };

	assert_int_equal(parse(text, file, &objects, &faults), -EINVAL);
	assert_int_equal(objects.n, 77);
	assert_int_equal(faults.n, 1);
	assert_string_equal(faults.v[0].file, file);
	if (!strstr(faults.v[0].reason, why))
		fail_msg("reason is \"%s\"", faults.v[0].reason);
	knp_faults_clear(&faults);
}

/* What a plain or quoted scalar is: @want its text, or NULL if no string. */
struct scalar {
	const char *name;
	const char *text;
	const char *want;
};

static const struct scalar scalars[] = {
	{ "plain text is a string", LABEL("b"), "b" },
	{ "text in double quotes is a string", LABEL("\"80\""), "80" },
	{ "text in single quotes is a string", LABEL("'true'"), "true" },
	{ "quoted null is a string", LABEL("\"null\""), "null" },
	{ "an empty quoted text is a string", LABEL("\"\""), "" },
	{ "a tag makes a string", LABEL("!!str 80"), "80" },
	{ "the non-specific tag makes a string", LABEL("! 80"), "80" },
	{ "a date is a string", LABEL("2026-01-02"), "2026-01-02" },
	{ "a time is a string", LABEL("2026-01-02T03:04:05Z"),
	  "2026-01-02T03:04:05Z" },
	{ "an address is a string", LABEL("10.0.0.1"), "10.0.0.1" },
	{ "a version is a string", LABEL("1.2.3"), "1.2.3" },
	{ "y is a string", LABEL("y"), "y" },
	{ "N is a string", LABEL("N"), "N" },
	{ "tRUE is a string", LABEL("tRUE"), "tRUE" },
	{ "0x is a string", LABEL("0x"), "0x" },
	{ "a lone minus is a string", LABEL("\"-\""), "-" },
	{ "1e is a string", LABEL("1e"), "1e" },
	{ "0xg is a string", LABEL("0xg"), "0xg" },
	{ "1_a is a string", LABEL("1_a"), "1_a" },
	{ "an escape is followed", LABEL("\"\\u00e9\\x41\""), "\303\251A" },
	{ "a folded text is a string", LABEL(">-\n      a\n      b"), "a b" },
	{ "a literal text is a string", LABEL("|-\n      80"), "80" },
	{ "true is no string", LABEL("true"), NULL },
	{ "yes is no string", LABEL("yes"), NULL },
	{ "Off is no string", LABEL("Off"), NULL },
	{ "null is no string", LABEL("null"), NULL },
	{ "a tilde is no string", LABEL("~"), NULL },
	{ "nothing is no string", LABEL(""), NULL },
	{ "an integer is no string", LABEL("80"), NULL },
	{ "a negative integer is no string", LABEL("-80"), NULL },
	{ "a hexadecimal is no string", LABEL("0x50"), NULL },
	{ "an octal is no string", LABEL("0o17"), NULL },
	{ "a binary is no string", LABEL("0b11"), NULL },
	{ "an integer with underscores is no string", LABEL("8_0"), NULL },
	{ "an integer beyond 64 bits is no string",
	  LABEL("99999999999999999999"), NULL },
	{ "a fraction is no string", LABEL("1.5"), NULL },
	{ "an exponent is no string", LABEL("1e3"), NULL },
	{ "a dot and digits are no string", LABEL(".5"), NULL },
	{ "infinity is no string", LABEL("-.inf"), NULL },
	{ "a list is no string", LABEL("[b]"), NULL },
};

static void is_scalar(void **state)
{
	const struct scalar *s = *state;
	struct knp_objects objects = { 0 };
	struct knp_faults faults = { 0 };

	assert_int_equal(parse(s->text, "f.yaml", &objects, &faults), 0);
	assert_int_equal(objects.n, 1);
	if (s->want) {
		assert_int_equal(faults.n, 0);
		assert_string_equal(knp_labels_get(objects.v[0].pod->labels,
						   "a"), s->want);
	} else {
		assert_int_equal(faults.n, 1);
		assert_string_equal(faults.v[0].field, "metadata.labels[a]");
		assert_non_null(strstr(faults.v[0].reason,
				       "must be a string"));
		assert_true(objects.v[0].refused);
	}
	knp_objects_clear(&objects);
	knp_faults_clear(&faults);
}

static uint16_t port_of(const char *text)
{
	struct knp_objects objects;
	char buf[256];
	uint16_t port;

	snprintf(buf, sizeof(buf), "{apiVersion: v1, kind: Pod, metadata:\n"
		 "{name: p}, spec: {containers: [{ports: [{containerPort:\n"
		 "%s}]}]}}", text);
	objects = good(buf, "f.yaml");
	port = objects.v[0].pod->ports->v[0].port;
	knp_objects_clear(&objects);
	return port;
}

static void integers_have_the_values_kubectl_gives_them(void **state)
{
	(void)state;
	assert_int_equal(port_of("80"), 80);
	assert_int_equal(port_of("+80"), 80);
	assert_int_equal(port_of("0x50"), 80);
	assert_int_equal(port_of("0b1010000"), 80);
	assert_int_equal(port_of("0o120"), 80);
	assert_int_equal(port_of("0120"), 80);
	assert_int_equal(port_of("8_080"), 8080);
}

static void several_documents_and_empty_ones(void **state)
{
	struct knp_objects objects;

	(void)state;
	objects = good("---\n# nothing\n---\n" POD("a") "\n---\n---\nnull\n"
		       "---\n" POD("b") "\n...\n---\n", "f.yaml");
	assert_int_equal(objects.n, 2);
	assert_string_equal(objects.v[0].name, "a");
	assert_string_equal(objects.v[1].name, "b");
	knp_objects_clear(&objects);
	objects = good("", "f.yaml");
	assert_int_equal(objects.n, 0);
	objects = good("\n\t\n", "f.json");
	assert_int_equal(objects.n, 0);
}

static void keys_may_look_like_other_types(void **state)
{
	struct knp_objects objects;

	(void)state;
	objects = good("{apiVersion: v1, kind: Pod, metadata: {name: p,\n"
		       "labels: {on: a, 1: b, y: c}}}", "f.yaml");
	assert_string_equal(knp_labels_get(objects.v[0].pod->labels, "true"),
			    "a");
	assert_string_equal(knp_labels_get(objects.v[0].pod->labels, "1"),
			    "b");
	assert_string_equal(knp_labels_get(objects.v[0].pod->labels, "y"),
			    "c");
	knp_objects_clear(&objects);
}

static void aliases_stand_for_their_anchors(void **state)
{
	struct knp_objects objects;

	(void)state;
	objects = good("apiVersion: v1\nkind: List\nitems:\n"
		       "- {apiVersion: v1, kind: Pod, metadata: {name: a,\n"
		       "labels: &l {x: &v '1', y: *v}}}\n"
		       "- {apiVersion: v1, kind: Pod, metadata: {name: b,\n"
		       "labels: *l}}\n", "f.yaml");
	assert_int_equal(objects.n, 2);
	assert_string_equal(knp_labels_get(objects.v[1].pod->labels, "y"),
			    "1");
	knp_objects_clear(&objects);
}

static void bad_yaml_is_refused_with_its_place(void **state)
{
	(void)state;
	refused("a: [1, 2\n", "f.yaml", "line 2");
	refused("a: b: c\n", "f.yaml", "line 1");
	refused("\tx: 1\n", "f.yaml", "line 1");
	refused("a: \"b\n", "f.yaml", "line");
	refused("a: \xff\n", "f.yaml", "byte 3");
	refused("a: *x\n", "f.yaml", "unknown anchor x");
	refused("a: &x [*x]\n", "f.yaml", "unknown anchor x");
	refused("a: &x 1\n---\nb: *x\n", "f.yaml", "unknown anchor x");
	refused("a: !mine b\n", "f.yaml", "tag !mine is not supported");
	refused("a: !!binary b\n", "f.yaml", "is not supported");
	refused("a: !!set {b}\n", "f.yaml", "is not supported");
	refused("[a]: b\n", "f.yaml", "a key must be a string");
	refused("~: b\n", "f.yaml", "a key must not be null");
	refused("\"a\\0b\": c\n", "f.yaml", "NUL");
	refused("a: &x {b: 1}\nc:\n  <<: *x\n", "f.yaml",
		"merge keys are not supported");
	refused(POD("a") "\n---\n]\n", "f.yaml", "line 3");
}

static void duplicate_keys_are_refused(void **state)
{
	(void)state;
	refused("a: 1\nb: 2\na: 3\n", "f.yaml",
		"line 3, column 1: key \"a\" is there twice");
	refused("a: {b: 1, 'b': 2}\n", "f.yaml", "key \"b\" is there twice");
	refused("{\"a\": 1,\n \"a\": 2}", "f.json", "one key twice");
	refused("{\"x\": [{\"a\": \":\", \"a\": \"\\\":\"}]}", "f.json",
		"one key twice");
	refused("{\"a\": 1, \"a\": 2}", "f.yaml", "key \"a\" is there twice");
}

static void json_is_read_strictly(void **state)
{
	struct knp_objects objects;

	(void)state;
	objects = good(JSON_POD("a") "\n" JSON_POD("b"), "f.json");
	assert_int_equal(objects.n, 2);
	knp_objects_clear(&objects);
	objects = good("\n\t" JSON_POD("a") JSON_POD("b"), "f.yaml");
	assert_int_equal(objects.n, 2);
	knp_objects_clear(&objects);
	refused("{\"a\": 1", "f.json", "unexpected end");
	refused("{\"a\": 1}\n\n}", "f.json", "line 3");
	refused("{'a': 1}", "f.json", "line 1");
	refused("{\"a\": 1,}", "f.json", "line 1");
	refused("{\"a\": \"\xff\"}", "f.json", "line 1");
	refused("{\"a\": \"\\u0000\"}", "f.json", "NUL");
	refused("{\"a\\u0000b\": 1}", "f.json", "NUL");
	refused("a: 1", "f.json", "line 1");
	refused("{\"a\": 1} # c", "f.json", "line 1");
}

static void a_flow_mapping_is_yaml_after_all(void **state)
{
	struct knp_objects objects;

	(void)state;
	objects = good(POD("a") "\n", "f.yaml");
	assert_int_equal(objects.n, 1);
	knp_objects_clear(&objects);
}

static void the_same_object_twice_counts_once(void **state)
{
	struct knp_objects objects = { 0 };
	struct knp_faults faults = { 0 };

	(void)state;
	assert_int_equal(parse(LABEL("first") "---\n" POD("q") "\n---\n"
			       LABEL("second") "---\n" LABEL("third"),
			       "f.yaml", &objects, &faults), 0);
	assert_int_equal(objects.n, 2);
	assert_string_equal(knp_labels_get(objects.v[0].pod->labels, "a"),
			    "first");
	assert_string_equal(objects.v[1].name, "q");
	assert_int_equal(faults.n, 2);
	assert_string_equal(faults.v[0].object, "Pod default/p");
	assert_non_null(strstr(faults.v[0].reason, "twice"));
	knp_objects_clear(&objects);
	knp_faults_clear(&faults);
}

/* @n times @open, then @mid, then @n times @close. */
static char *nest(size_t n, const char *open, const char *mid,
		  const char *close)
{
	char *text = malloc(n * (strlen(open) + strlen(close)) + strlen(mid) +
			    1);
	char *end = text;

	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		end = stpcpy(end, open);
	end = stpcpy(end, mid);
	for (size_t i = 0; i < n; i++)
		end = stpcpy(end, close);
	return text;
}

static void depth_is_limited(void **state)
{
	struct knp_objects objects = { 0 };
	struct knp_faults faults = { 0 };
	char *text;

	(void)state;
	text = nest(KNP_MANIFEST_DEPTH_MAX, "[", "a", "]");
	assert_int_equal(parse(text, "f.yaml", &objects, &faults), 0);
	knp_faults_clear(&faults);
	free(text);
	text = nest(KNP_MANIFEST_DEPTH_MAX + 1, "[", "a", "]");
	refused(text, "f.yaml", "nested deeper than 64 levels");
	free(text);
	text = nest(100000, "[", "", "");
	refused(text, "f.yaml", "nested deeper than 64 levels");
	refused(text, "f.json", "nesting too deep");
	free(text);
	text = nest(100000, "- ", "a", "");
	refused(text, "f.yaml", "nested deeper than 64 levels");
	free(text);
}

static void nested_aliases_are_bounded(void **state)
{
	char text[4096];
	char *end = text;

	(void)state;
	end += sprintf(end, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 12; i++)
		end += sprintf(end, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d,\n"
			       "*a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1,
			       i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1,
			       i - 1, i - 1);
	refused(text, "f.yaml", "more than 8388608 nodes");
}

static void aliases_count_towards_the_depth(void **state)
{
	char text[8192];
	char *end = text;

	(void)state;
	end += sprintf(end, "- &a0 [x]\n");
	for (int i = 1; i < 80; i++)
		end += sprintf(end, "- &a%d [*a%d]\n", i, i - 1);
	refused(text, "f.yaml", "nested deeper than 64 levels");
}

static void too_much_text_is_refused(void **state)
{
	struct knp_objects objects;

	(void)state;
	assert_int_equal(knp_manifest_parse("", KNP_MANIFEST_SIZE_MAX + 1,
					    "f.yaml", &objects, NULL), -EFBIG);
}

static void names_of_files_that_count(void **state)
{
	(void)state;
	assert_true(knp_manifest_suits("a.yaml"));
	assert_true(knp_manifest_suits("a.yml"));
	assert_true(knp_manifest_suits("a.b.json"));
	assert_false(knp_manifest_suits(".a.yaml"));
	assert_false(knp_manifest_suits(".yaml"));
	assert_false(knp_manifest_suits("yaml"));
	assert_false(knp_manifest_suits("a.yaml~"));
	assert_false(knp_manifest_suits("a.yaml.tmp"));
	assert_false(knp_manifest_suits("a.YAML"));
	assert_false(knp_manifest_suits("a"));
}

static char folder[64];

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/knp-manifest-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static void a_folder_is_loaded_in_order(void **state)
{
	struct knp_store *store = knp_store_new();
	struct knp_faults faults = { 0 };
	char path[128];

	(void)state;
	write_file("b.yaml", POD("b"));
	write_file("a.yml", POD("a") "\n---\n{apiVersion: v1, kind: Service}");
	write_file("c.json", JSON_POD("c"));
	write_file(".hidden.yaml", "]");
	write_file("notes.txt", "]");
	snprintf(path, sizeof(path), "%s/sub.yaml", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(knp_manifest_load(folder, store, &faults), 0);
	assert_int_equal(faults.n, 0);
	assert_int_equal(store->npods, 3);
	assert_int_equal(knp_manifest_load(folder, store, NULL), 0);
	knp_store_free(store);
}

static void an_object_in_two_files_names_both(void **state)
{
	struct knp_store *store = knp_store_new();
	struct knp_faults faults = { 0 };

	(void)state;
	write_file("b.yaml", LABEL("second"));
	write_file("a.yaml", LABEL("first"));
	assert_int_equal(knp_manifest_load(folder, store, &faults), -EINVAL);
	assert_int_equal(faults.n, 1);
	assert_non_null(strstr(faults.v[0].file, "b.yaml"));
	assert_non_null(strstr(faults.v[0].reason, "a.yaml"));
	assert_string_equal(faults.v[0].object, "Pod default/p");
	assert_string_equal(knp_labels_get(store->pods[0]->labels, "a"),
			    "first");
	assert_int_equal(knp_manifest_load(folder, store, NULL), -EINVAL);
	knp_faults_clear(&faults);
	knp_store_free(store);
}

static void a_bad_file_leaves_the_others(void **state)
{
	struct knp_store *store = knp_store_new();
	struct knp_faults faults = { 0 };

	(void)state;
	write_file("a.yaml", POD("a") "\n---\n]");
	write_file("b.yaml", POD("b"));
	assert_int_equal(knp_manifest_load(folder, store, &faults), -EINVAL);
	assert_int_equal(faults.n, 1);
	assert_non_null(strstr(faults.v[0].file, "a.yaml"));
	assert_int_equal(store->npods, 1);
	assert_string_equal(store->pods[0]->name, "b");
	knp_faults_clear(&faults);
	knp_store_free(store);
}

static void a_file_is_loaded_alone(void **state)
{
	struct knp_store *store = knp_store_new();
	struct knp_faults faults = { 0 };
	char path[128];

	(void)state;
	write_file("a.txt", POD("a"));
	write_file("b.yaml", "]");
	snprintf(path, sizeof(path), "%s/a.txt", folder);
	assert_int_equal(knp_manifest_load(path, store, &faults), 0);
	assert_int_equal(store->npods, 1);
	snprintf(path, sizeof(path), "%s/none", folder);
	assert_int_equal(knp_manifest_load(path, store, &faults), -ENOENT);
	assert_int_equal(faults.n, 1);
	assert_string_equal(faults.v[0].file, path);
	assert_string_equal(faults.v[0].reason, "No such file or directory");
	knp_faults_clear(&faults);
	knp_store_free(store);
}

static const char sample[] =
	"apiVersion: networking.k8s.io/v1\n"
	"kind: NetworkPolicy\n"
	"metadata:\n"
	"  name: p\n"
	"  namespace: x\n"
	"spec:\n"
	"  podSelector:\n"
	"    matchLabels: {app: \"a\"}\n"
	"  policyTypes: [Ingress, Egress]\n"
	"  ingress:\n"
	"  - from:\n"
	"    - podSelector: &s\n"
	"        matchExpressions:\n"
	"        - {key: k, operator: NotIn, values: [b, 'c']}\n"
	"      namespaceSelector: {}\n"
	"    - ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}\n"
	"    ports:\n"
	"    - {port: 80, endPort: 90, protocol: UDP}\n"
	"    - port: http\n"
	"  egress:\n"
	"  - to: [{podSelector: *s}]\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: Pod\n"
	"metadata: {name: a, labels: {app: a}}\n"
	"spec: {nodeName: n, containers: [{ports: [{containerPort: 80}]}]}\n"
	"status: {podIPs: [{ip: 10.0.0.1}, {ip: 'fd00::1'}]}\n";

static const char json_sample[] =
	"{\"apiVersion\": \"networking.k8s.io/v1\", \"kind\":\n"
	"\"NetworkPolicy\", \"metadata\": {\"name\": \"p\"}, \"spec\":\n"
	"{\"podSelector\": {}, \"ingress\": [{\"from\": [{\"ipBlock\":\n"
	"{\"cidr\": \"10.0.0.0/8\", \"except\": [\"10.1.0.0/16\"]}}],\n"
	"\"ports\": [{\"port\": 80, \"endPort\": 90}]}]}}";

/*
 * Parse a copy of exactly @len bytes and a NUL, so that a sanitizer sees a
 * read beyond it; and check that nothing comes back from a refusal.
 */
static int parse_bytes(const char *text, size_t len, const char *file,
		       struct knp_objects *ret)
{
	struct knp_faults faults = { 0 };
	char *copy = malloc(len + 1);
	int err;

	assert_non_null(copy);
	memcpy(copy, text, len);
	copy[len] = '\0';
	*ret = (struct knp_objects){ .n = 77 };
	err = knp_manifest_parse(copy, len, file, ret, &faults);
	if (err) {
		assert_int_equal(ret->n, 77);
		assert_true(faults.n > 0);
		*ret = (struct knp_objects){ 0 };
	}
	for (size_t i = 0; i < ret->n; i++) {
		assert_true(ret->v[i].any || ret->v[i].refused);
		assert_non_null(ret->v[i].name);
	}
	if (ret->nrefused || ret->nunnamed)
		assert_true(faults.n > 0);
	knp_faults_clear(&faults);
	free(copy);
	return err;
}

static void yaml_cut_anywhere_is_whole_objects_or_nothing(void **state)
{
	struct knp_objects objects;

	(void)state;
	for (size_t len = 0; len <= strlen(sample); len++) {
		parse_bytes(sample, len, "f.yaml", &objects);
		knp_objects_clear(&objects);
	}
	assert_int_equal(parse_bytes(sample, strlen(sample), "f.yaml",
				     &objects), 0);
	assert_int_equal(objects.n, 2);
	assert_int_equal(objects.nrefused, 0);
	knp_objects_clear(&objects);
}

static void json_cut_anywhere_is_refused(void **state)
{
	struct knp_objects objects;

	(void)state;
	for (size_t len = 1; len < strlen(json_sample); len++)
		assert_int_equal(parse_bytes(json_sample, len, "f.json",
					     &objects), -EINVAL);
	assert_int_equal(parse_bytes(json_sample, strlen(json_sample),
				     "f.json", &objects), 0);
	assert_int_equal(objects.n, 1);
	knp_objects_clear(&objects);
}

/* Overwrite, insert, remove or double a few bytes. */
static size_t damage(char *text, size_t len, unsigned int *r)
{
	static const char spice[] = "{}[]:,-?&*!|>'\"%@`#\n\t \\\0~<=0";
	size_t times = (size_t)rand_r(r) % 4 + 1;

	while (times--) {
		size_t at = (size_t)rand_r(r) % len;
		size_t n = (size_t)rand_r(r) % 8 + 1;
		char c = rand_r(r) % 2 ? spice[(size_t)rand_r(r) % sizeof(spice)]
				       : (char)rand_r(r);

		switch (rand_r(r) % 3) {
		case 0:
			text[at] = c;
			break;
		case 1:
			memmove(text + at + 1, text + at, len - at);
			text[at] = c;
			len++;
			break;
		default:
			if (at + n < len) {
				memmove(text + at, text + at + n,
					len - at - n);
				len -= n;
			}
			break;
		}
	}
	return len;
}

static void damaged_text_never_crashes(void **state)
{
	const char *env = getenv("KNP_SEED");
	unsigned int r = env ? (unsigned int)strtoul(env, NULL, 10)
			     : (unsigned int)time(NULL);
	static const char *const samples[] = { sample, json_sample };
	static const char *const files[] = { "f.yaml", "f.json" };
	struct knp_objects objects;
	char text[4096];

	(void)state;
	print_message("# KNP_SEED=%u\n", r);
	for (int i = 0; i < 6000; i++) {
		size_t which = (size_t)i % 2;
		size_t len = strlen(samples[which]);

		memcpy(text, samples[which], len);
		len = damage(text, len, &r);
		parse_bytes(text, len, files[which], &objects);
		knp_objects_clear(&objects);
	}
}

static const struct CMUnitTest plain[] = {
	cmocka_unit_test(integers_have_the_values_kubectl_gives_them),
	cmocka_unit_test(several_documents_and_empty_ones),
	cmocka_unit_test(keys_may_look_like_other_types),
	cmocka_unit_test(aliases_stand_for_their_anchors),
	cmocka_unit_test(bad_yaml_is_refused_with_its_place),
	cmocka_unit_test(duplicate_keys_are_refused),
	cmocka_unit_test(json_is_read_strictly),
	cmocka_unit_test(a_flow_mapping_is_yaml_after_all),
	cmocka_unit_test(the_same_object_twice_counts_once),
	cmocka_unit_test(depth_is_limited),
	cmocka_unit_test(nested_aliases_are_bounded),
	cmocka_unit_test(aliases_count_towards_the_depth),
	cmocka_unit_test(too_much_text_is_refused),
	cmocka_unit_test(names_of_files_that_count),
	cmocka_unit_test_setup_teardown(a_folder_is_loaded_in_order,
					make_folder, remove_folder),
	cmocka_unit_test_setup_teardown(an_object_in_two_files_names_both,
					make_folder, remove_folder),
	cmocka_unit_test_setup_teardown(a_bad_file_leaves_the_others,
					make_folder, remove_folder),
	cmocka_unit_test_setup_teardown(a_file_is_loaded_alone,
					make_folder, remove_folder),
	cmocka_unit_test(yaml_cut_anywhere_is_whole_objects_or_nothing),
	cmocka_unit_test(json_cut_anywhere_is_refused),
	cmocka_unit_test(damaged_text_never_crashes),
};

int main(void)
{
	static struct CMUnitTest tests[COUNT(plain) + COUNT(scalars)];
	size_t n = 0;

	for (size_t i = 0; i < COUNT(plain); i++)
		tests[n++] = plain[i];
	for (size_t i = 0; i < COUNT(scalars); i++)
		tests[n++] = (struct CMUnitTest){
			scalars[i].name, is_scalar, NULL, NULL,
			(void *)&scalars[i],
		};
	return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
