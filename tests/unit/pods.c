// SPDX-License-Identifier: Apache-2.0
#include "pods.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifest_text.h"
#include "store.h"

void outcome_clear(struct outcome *o)
{
	knp_objects_clear(&o->objects);
	knp_faults_clear(&o->faults);
	free(o->next);
	*o = (struct outcome){ 0 };
}

/* No test runs out of memory: what cannot be allocated ends it. */
static void need(bool there)
{
	if (!there)
		abort();
}

static char *padded(const char *text, size_t len)
{
	char *buf = malloc(len + KNP_JSON_PADDING);

	if (!buf)
		abort();
	memcpy(buf, text, len);
	for (size_t i = 0; i < KNP_JSON_PADDING; i++)
		buf[len + i] = "}],\""[(i + len) % 4];
	return buf;
}

static int take(void *arg, struct knp_object *object)
{
	need(!knp_objects_add(arg, object));
	return 0;
}

void fast_page(struct knp_pod_json *p, const char *text, size_t len,
	       struct outcome *ret)
{
	char *buf = padded(text, len);
	struct knp_page page = { 0 };

	*ret = (struct outcome){ 0 };
	ret->err = knp_pod_json_page(p, buf, len, take, &ret->objects, &page,
				     &ret->faults);
	memset(buf, 0, len);
	free(buf);
	memcpy(ret->version, page.version, sizeof(ret->version));
	ret->next = page.next;
}

void fast_event(struct knp_pod_json *p, const char *text, size_t len,
		struct outcome *ret)
{
	char *buf = padded(text, len);
	struct knp_kube_event event = { 0 };

	*ret = (struct outcome){ 0 };
	ret->err = knp_pod_json_event(p, buf, len, &event, &ret->faults);
	memset(buf, 0, len);
	free(buf);
	if (ret->err)
		return;
	ret->type = event.type;
	memcpy(ret->version, event.version, sizeof(ret->version));
	take(&ret->objects, &event.object);
}

static struct json_object *parse(const char *text, size_t len)
{
	struct json_tokener *tok = json_tokener_new_ex(KNP_JSON_DEPTH_MAX);
	struct json_object *obj;
	size_t end;

	need(tok);
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT |
				    JSON_TOKENER_ALLOW_TRAILING_CHARS);
	obj = json_tokener_parse_ex(tok, text, (int)len);
	end = json_tokener_get_parse_end(tok);
	while (end < len && (text[end] == ' ' || text[end] == '\t' ||
			     text[end] == '\n' || text[end] == '\r'))
		end++;
	if (json_tokener_get_error(tok) != json_tokener_success || end < len) {
		json_object_put(obj);
		obj = NULL;
	}
	json_tokener_free(tok);
	return obj;
}

/* "" if it is absent or null, NULL if it is no string or holds a NUL. */
static const char *string_of(struct json_object *obj, const char *name)
{
	struct json_object *value = json_object_object_get(obj, name);
	const char *text;

	if (!value)
		return "";
	if (!json_object_is_type(value, json_type_string))
		return NULL;
	text = json_object_get_string(value);
	return strlen(text) == (size_t)json_object_get_string_len(value) ?
	       text : NULL;
}

/* metadata.resourceVersion, and continue if @next is wanted. */
static bool read_metadata(struct json_object *obj, struct outcome *ret,
			  bool next)
{
	struct json_object *meta = json_object_object_get(obj, "metadata");
	const char *text;

	if (!meta)
		return true;
	if (!json_object_is_type(meta, json_type_object))
		return false;
	text = string_of(meta, "resourceVersion");
	if (!text || strlen(text) >= sizeof(ret->version))
		return false;
	strcpy(ret->version, text);
	if (!next)
		return true;
	text = string_of(meta, "continue");
	if (!text)
		return false;
	if (*text) {
		ret->next = strdup(text);
		need(ret->next);
	}
	return true;
}

static bool is_string(struct json_object *obj, const char *name,
		      const char *wanted)
{
	const char *text = string_of(obj, name);

	return text && !strcmp(text, wanted);
}

void slow_page(const char *text, size_t len, struct outcome *ret)
{
	struct json_object *list = parse(text, len);
	struct json_object *items = NULL;

	*ret = (struct outcome){ .err = -EBADMSG };
	if (json_object_is_type(list, json_type_object) &&
	    is_string(list, "kind", "PodList") &&
	    is_string(list, "apiVersion", "v1") &&
	    json_object_object_get_ex(list, "items", &items) &&
	    (!items || json_object_is_type(items, json_type_array)) &&
	    read_metadata(list, ret, true))
		ret->err = knp_decode_object(list, "pods", &ret->objects,
					     &ret->faults);
	json_object_put(list);
}

static enum knp_event_type type_of(struct json_object *event)
{
	if (is_string(event, "type", "ADDED"))
		return KNP_EVENT_ADDED;
	if (is_string(event, "type", "MODIFIED"))
		return KNP_EVENT_MODIFIED;
	return is_string(event, "type", "DELETED") ? KNP_EVENT_DELETED : 0;
}

void slow_event(const char *text, size_t len, struct outcome *ret)
{
	struct json_object *event = parse(text, len);
	struct json_object *object = NULL;

	*ret = (struct outcome){ .err = 1 };
	if (!json_object_is_type(event, json_type_object))
		goto out;
	object = json_object_object_get(event, "object");
	ret->type = type_of(event);
	if (!ret->type || !json_object_is_type(object, json_type_object) ||
	    !read_metadata(object, ret, false))
		goto out;
	ret->err = knp_decode_object(object, "pods", &ret->objects,
				     &ret->faults);
	if (!ret->err && (ret->objects.n != 1 ||
			  ret->objects.v->kind != KNP_KIND_POD))
		ret->err = 1;
out:
	json_object_put(event);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* The store knows when two pods are equal: the second changes nothing. */
static bool same_pod(struct knp_object *a, struct knp_object *b)
{
	struct knp_store *store = knp_store_new();
	uint64_t version;
	bool same;

	need(store);
	need(!knp_object_put(a, store));
	version = store->version;
	need(!knp_object_put(b, store));
	same = store->version == version && store->npods == 1;
	knp_store_free(store);
	return same;
}

static const char *objects_differ(struct knp_objects *a,
				  struct knp_objects *b)
{
	if (a->n != b->n)
		return "number of objects";
	for (size_t i = 0; i < a->n; i++) {
		struct knp_object *x = &a->v[i];
		struct knp_object *y = &b->v[i];

		if (x->kind != KNP_KIND_POD || y->kind != KNP_KIND_POD)
			return "kind";
		if (!same_text(x->ns, y->ns) || !same_text(x->name, y->name))
			return "namespace or name";
		if (x->refused != y->refused || !x->any != !y->any ||
		    (!x->any && !x->refused))
			return "refused";
		if (x->any && !same_pod(x, y))
			return "pod";
	}
	return NULL;
}

static bool same_faults(const struct knp_faults *a, const struct knp_faults *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!same_text(a->v[i].file, b->v[i].file) ||
		    !same_text(a->v[i].object, b->v[i].object) ||
		    !same_text(a->v[i].field, b->v[i].field) ||
		    !same_text(a->v[i].reason, b->v[i].reason))
			return false;
	return true;
}

const char *outcomes_differ(struct outcome *a, struct outcome *b)
{
	if (a->err != b->err)
		return "return value";
	if (a->err)
		return NULL;
	if (a->type != b->type)
		return "type";
	if (strcmp(a->version, b->version))
		return "resourceVersion";
	if (!same_text(a->next, b->next))
		return "continue";
	if (!same_faults(&a->faults, &b->faults))
		return "faults";
	return objects_differ(&a->objects, &b->objects);
}

const char *pages_differ(struct knp_pod_json *p, const char *text, size_t len)
{
	struct outcome fast, slow;
	const char *what;

	fast_page(p, text, len, &fast);
	slow_page(text, len, &slow);
	what = outcomes_differ(&fast, &slow);
	if (!what && fast.err && (fast.objects.n || fast.faults.n))
		what = "something of a page that is none";
	outcome_clear(&fast);
	outcome_clear(&slow);
	return what;
}

const char *events_differ(struct knp_pod_json *p, const char *text, size_t len)
{
	struct outcome fast, slow;
	const char *what = NULL;

	fast_event(p, text, len, &fast);
	slow_event(text, len, &slow);
	if (fast.err != 1)
		what = outcomes_differ(&fast, &slow);
	else if (fast.faults.n)
		what = "faults of an event that is left to others";
	outcome_clear(&fast);
	outcome_clear(&slow);
	return what;
}
