// SPDX-License-Identifier: Apache-2.0
/*
 * Arbitrary bytes as a page of a list, of each resource. What kube_json.h makes
 * of it is what decode.h makes of the list as a whole; a page that is none leaves
 * no trace in the machine of kube_reflect.h.
 *
 * The first byte of an input chooses the resource (n, p, k).
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdint.h>
#include <string.h>

#include "decoded.h"
#include "kube_json.h"
#include "kube_reflect.h"
#include "manifest_text.h"
#include "require.h"

#define NOW	1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/**
 * struct list - what became of a page
 * @objects: its items
 * @commits: how often they were taken
 * @aborts: how often they were given up
 */
struct list {
	struct knp_objects objects;
	int commits;
	int aborts;
};

static int begin(void *arg)
{
	(void)arg;
	return 0;
}

static int put(void *arg, struct knp_object *object)
{
	struct list *list = arg;

	require(!knp_objects_add(&list->objects, object), "no memory");
	list->objects.nrefused += object->refused;
	return 0;
}

static int del(void *arg, const struct knp_object *object)
{
	(void)arg;
	(void)object;
	abort();
}

static int commit(void *arg)
{
	((struct list *)arg)->commits++;
	return 0;
}

static void drop(void *arg)
{
	((struct list *)arg)->aborts++;
}

static int apply(void *arg, struct knp_kube_event *event)
{
	(void)arg;
	(void)event;
	abort();
}

static uint32_t dice(void *arg)
{
	(void)arg;
	return 0;
}

static const struct knp_reflect_ops ops = {
	begin, put, del, commit, drop, apply, dice,
};

static int item(void *arg, struct knp_object *object)
{
	return knp_reflect_item(arg, object);
}

/* The next request is made, and answered by what the caller says next. */
static void ask_next(struct knp_reflect *r)
{
	char *target = NULL;

	require(!knp_reflect_request(r, NOW, &target), "no memory");
	free(target);
}

/* The first list of a server that has no WATCHLIST. */
static void ask(struct knp_reflect *r)
{
	struct knp_ending no = {
		.how = KNP_END_STATUS, .status.code = 422,
	};

	ask_next(r);
	knp_reflect_end(r, NOW, &no);
	ask_next(r);
	require(!knp_reflect_streams(r), "no list follows");
}

static void check_taken(const struct list *list, struct knp_reflect *r,
			struct knp_page *page)
{
	bool versioned = *page->version && strcmp(page->version, "0");
	bool more = page->next;

	knp_reflect_page(r, NOW, page);
	require(knp_reflect_pages(r) == more, "the next page is forgotten");
	require(list->commits == (!more && versioned),
		"a list is taken before its end, or not then");
	require(r->synced == list->commits, "in step without a list");
}

/* Of a list that is read whole, a fault also says which item it is of. */
static void require_same_reasons(const struct knp_faults *a,
				 const struct knp_faults *b)
{
	require(a->n == b->n, "other numbers of faults");
	for (size_t i = 0; i < a->n; i++)
		require(!strcmp(a->v[i].reason, b->v[i].reason),
			"other faults");
}

static bool is_plain(struct json_object *item, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(item, name, &value) || !value)
		return true;
	return json_object_is_type(value, json_type_string) &&
	       strlen(json_object_get_string(value)) ==
	       (size_t)json_object_get_string_len(value);
}

/* Of what kind an item says it is counts in a list that is read whole alone. */
static bool are_plain(struct json_object *list)
{
	struct json_object *items, *item;

	json_object_object_get_ex(list, "items", &items);
	for (size_t i = 0; items && i < json_object_array_length(items); i++) {
		item = json_object_array_get_idx(items, i);
		if (!is_plain(item, "kind") || !is_plain(item, "apiVersion"))
			return false;
	}
	return true;
}

/* The same of the list as a whole. */
static void check_twin(const char *text, size_t len, const struct list *list,
		       const struct knp_faults *faults)
{
	struct knp_faults twin_faults = { 0 };
	struct knp_objects twin = { 0 };
	struct json_object *whole;
	char *why = NULL;

	require(!knp_json_parse_one(text, len, &whole, &why),
		"a page that is no JSON");
	require(!knp_decode_object(whole, NULL, &twin, &twin_faults),
		"no memory");
	decoded_require_sound(&twin, &twin_faults);
	if (are_plain(whole)) {
		require_same_reasons(&twin_faults, faults);
		twin.nunnamed = 0;
		decoded_require_same(&twin, &list->objects);
	}
	json_object_put(whole);
	knp_faults_clear(&twin_faults);
	knp_objects_clear(&twin);
}

static void check(enum knp_kind kind, const char *text, size_t len)
{
	struct knp_ending bad = { .how = KNP_END_BAD };
	struct knp_faults faults = { 0 };
	struct knp_page page = { 0 };
	struct list list = { 0 };
	struct knp_reflect r;
	char *why = NULL;
	int err;

	knp_reflect_init(&r, kind, &ops, &list, NOW, 0);
	ask(&r);
	list.aborts = 0;
	err = knp_kube_json_page(text, len, kind, item, &r, &page, &faults,
				 &why);
	require(!err || err == -EBADMSG, "an odd error");
	require(!err == !why, "refused without a reason, or taken with one");
	if (!err) {
		check_twin(text, len, &list, &faults);
		check_taken(&list, &r, &page);
	} else {
		knp_reflect_end(&r, NOW, &bad);
		require(!list.commits && list.aborts == 1 && !r.synced,
			"a page that is none is taken");
	}
	knp_reflect_clear(&r);
	free(why);
	knp_faults_clear(&faults);
	knp_objects_clear(&list.objects);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum knp_kind kind = KNP_KIND_POLICY;
	char *text;

	if (!size)
		return 0;
	if (data[0] == 'n')
		kind = KNP_KIND_NAMESPACE;
	else if (data[0] == 'p')
		kind = KNP_KIND_POD;
	text = padded_copy(data + 1, size - 1);
	check(kind, text, size - 1);
	free(text);
	return 0;
}
