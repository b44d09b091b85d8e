// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kube_json.h"
#include "manifest_text.h"

#define INITIAL_END	"k8s.io/initial-events-end"
#define TOO_LARGE	"Too large resource version"

/* How a resource is called, and what its objects say they are. */
struct type {
	const char *resource;
	const char *version;
	const char *kind;
	const char *list;
};

static const struct type types[] = {
	[KNP_KIND_NAMESPACE] = {
		"namespaces", "v1", "Namespace", "NamespaceList",
	},
	[KNP_KIND_POD] = {
		"pods", "v1", "Pod", "PodList",
	},
	[KNP_KIND_POLICY] = {
		"networkpolicies", "networking.k8s.io/v1", "NetworkPolicy",
		"NetworkPolicyList",
	},
};

const char *knp_kube_resource(enum knp_kind kind)
{
	return types[kind].resource;
}

static int bad(char **why, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int bad(char **why, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(why, format, args);
	va_end(args);
	if (n < 0)
		*why = NULL;
	return n < 0 ? -ENOMEM : -EBADMSG;
}

static struct json_object *member(struct json_object *obj, const char *name,
				  enum json_type type)
{
	struct json_object *value;

	if (!json_object_is_type(obj, json_type_object) ||
	    !json_object_object_get_ex(obj, name, &value) ||
	    !json_object_is_type(value, type))
		return NULL;
	return value;
}

/* "" if it is absent or no string. */
static const char *text_of(struct json_object *obj, const char *name)
{
	struct json_object *value = member(obj, name, json_type_string);
	const char *text = value ? json_object_get_string(value) : NULL;

	return text ? text : "";
}

static int number_of(struct json_object *obj, const char *name)
{
	struct json_object *value = member(obj, name, json_type_int);
	int n = value ? json_object_get_int(value) : 0;

	return n < 0 ? 0 : n;
}

static int parse(const char *buf, size_t len, struct json_object **ret,
		 char **why)
{
	int err = knp_json_parse_one(buf, len, ret, why);

	return err == -EINVAL ? -EBADMSG : err;
}

static bool is_kind(struct json_object *obj, const char *version,
		    const char *kind)
{
	return !strcmp(text_of(obj, "apiVersion"), version) &&
	       !strcmp(text_of(obj, "kind"), kind);
}

static bool is_object(struct json_object *obj, enum knp_kind kind)
{
	return is_kind(obj, types[kind].version, types[kind].kind) ||
	       (kind == KNP_KIND_NAMESPACE &&
		is_kind(obj, "meta.k8s.io/v1", "PartialObjectMetadata"));
}

static bool is_list(struct json_object *obj, enum knp_kind kind)
{
	return is_kind(obj, types[kind].version, types[kind].list) ||
	       (kind == KNP_KIND_NAMESPACE &&
		is_kind(obj, "meta.k8s.io/v1", "PartialObjectMetadataList"));
}

/* An item of a typed list may leave out what it is, but not be another. */
static bool is_item(struct json_object *obj, enum knp_kind kind)
{
	return json_object_is_type(obj, json_type_object) &&
	       ((!*text_of(obj, "kind") && !*text_of(obj, "apiVersion")) ||
		is_object(obj, kind));
}

static int get_version(struct json_object *meta, char *ret, char **why)
{
	const char *version = text_of(meta, "resourceVersion");

	if (strlen(version) >= KNP_VERSION_LEN)
		return bad(why, "a resourceVersion of %zu bytes",
			   strlen(version));
	memcpy(ret, version, strlen(version) + 1);
	return 0;
}

/* The three ways in which servers have said it, oldest last. */
static bool is_too_large(struct json_object *obj)
{
	struct json_object *details = member(obj, "details", json_type_object);
	struct json_object *causes = member(details, "causes",
					    json_type_array);
	size_t n = causes ? json_object_array_length(causes) : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *c = json_object_array_get_idx(causes, i);

		if (!strcmp(text_of(c, "reason"), "ResourceVersionTooLarge"))
			return true;
		if (!strcmp(text_of(c, "message"), TOO_LARGE))
			return true;
	}
	return !strcmp(text_of(obj, "reason"), "Timeout") &&
	       strstr(text_of(obj, "message"), TOO_LARGE);
}

static int read_status(struct json_object *obj, struct knp_status *ret)
{
	struct knp_status status = { 0 };

	if (!is_kind(obj, "v1", "Status"))
		return -EBADMSG;
	status.code = number_of(obj, "code");
	snprintf(status.reason, sizeof(status.reason), "%s",
		 text_of(obj, "reason"));
	snprintf(status.message, sizeof(status.message), "%s",
		 text_of(obj, "message"));
	status.retry_after = number_of(member(obj, "details",
					      json_type_object),
				       "retryAfterSeconds");
	status.too_large = is_too_large(obj);
	*ret = status;
	return 0;
}

int knp_kube_json_status(const char *buf, size_t len, struct knp_status *ret)
{
	struct json_object *obj;
	char *why;
	int err;

	err = parse(buf, len, &obj, &why);
	free(why);
	if (err)
		return err;
	err = read_status(obj, ret);
	json_object_put(obj);
	return err;
}

static enum knp_event_type event_type(const char *text)
{
	static const char *const names[] = {
		[KNP_EVENT_ADDED] = "ADDED",
		[KNP_EVENT_MODIFIED] = "MODIFIED",
		[KNP_EVENT_DELETED] = "DELETED",
		[KNP_EVENT_BOOKMARK] = "BOOKMARK",
		[KNP_EVENT_ERROR] = "ERROR",
	};

	for (int i = KNP_EVENT_ADDED; i < KNP_EVENT_UNKNOWN; i++)
		if (!strcmp(text, names[i]))
			return (enum knp_event_type)i;
	return KNP_EVENT_UNKNOWN;
}

/* Decode one object; @ret has no name if the object has none. */
static int decode_one(struct json_object *obj, enum knp_kind kind,
		      struct knp_object *ret, struct knp_faults *faults)
{
	struct knp_objects objects = { 0 };
	int err;

	*ret = (struct knp_object){ .kind = kind };
	err = knp_decode_known(obj, kind, knp_kube_resource(kind), &objects,
			       faults);
	if (!err && objects.n) {
		*ret = objects.v[0];
		objects.n = 0;
	}
	knp_objects_clear(&objects);
	return err;
}

static int read_event(struct json_object *obj, enum knp_kind kind,
		      struct knp_kube_event *e, struct knp_faults *faults,
		      char **why)
{
	struct json_object *object = member(obj, "object", json_type_object);
	struct json_object *meta;
	int err;

	if (!*text_of(obj, "type") || !object)
		return bad(why, "a watch event without type or object");
	e->type = event_type(text_of(obj, "type"));
	if (e->type == KNP_EVENT_UNKNOWN)
		return 0;
	if (e->type == KNP_EVENT_ERROR) {
		if (read_status(object, &e->status))
			return bad(why, "an ERROR event without a Status");
		return 0;
	}
	if (!is_object(object, kind))
		return bad(why, "a watch event of kind \"%.64s\" \"%.64s\" in a watch of %s",
			   text_of(object, "apiVersion"),
			   text_of(object, "kind"), knp_kube_resource(kind));

	meta = member(object, "metadata", json_type_object);
	err = get_version(meta, e->version, why);
	if (err)
		return err;
	if (e->type == KNP_EVENT_BOOKMARK) {
		e->initial_end = !strcmp(text_of(member(meta, "annotations",
							json_type_object),
						 INITIAL_END), "true");
		return 0;
	}
	err = decode_one(object, kind, &e->object, faults);
	if (!err && !e->object.name)
		e->type = KNP_EVENT_UNKNOWN;
	return err;
}

int knp_kube_json_event(const char *buf, size_t len, enum knp_kind kind,
			struct knp_kube_event *ret, struct knp_faults *faults,
			char **why)
{
	struct knp_kube_event e = { 0 };
	struct json_object *obj;
	int err;

	err = parse(buf, len, &obj, why);
	if (err)
		return err;
	err = read_event(obj, kind, &e, faults, why);
	json_object_put(obj);
	if (err)
		knp_object_clear(&e.object);
	else
		*ret = e;
	return err;
}

static int read_items(struct json_object *obj, enum knp_kind kind,
		      knp_object_fn fn, void *arg, struct knp_faults *faults,
		      char **why)
{
	struct json_object *items;
	struct json_object *item;
	struct knp_object object;
	int err;

	/* null is what older servers send for no items. */
	if (!json_object_object_get_ex(obj, "items", &items))
		return bad(why, "a list without items");
	if (!items)
		return 0;
	if (!json_object_is_type(items, json_type_array))
		return bad(why, "the items of a list are no array");

	for (size_t i = 0; i < json_object_array_length(items); i++) {
		item = json_object_array_get_idx(items, i);
		if (!is_item(item, kind))
			return bad(why, "an item of kind \"%.64s\" in a list of %s",
				   text_of(item, "kind"),
				   knp_kube_resource(kind));
		err = decode_one(item, kind, &object, faults);
		if (!err && object.name)
			err = fn(arg, &object);
		if (err)
			return err;
	}
	return 0;
}

static int read_page(struct json_object *obj, enum knp_kind kind,
		     knp_object_fn fn, void *arg, struct knp_page *page,
		     struct knp_faults *faults, char **why)
{
	struct json_object *meta = member(obj, "metadata", json_type_object);
	int err;

	if (!is_list(obj, kind))
		return bad(why, "an answer of kind \"%.64s\" \"%.64s\" to a list of %s",
			   text_of(obj, "apiVersion"), text_of(obj, "kind"),
			   knp_kube_resource(kind));
	err = get_version(meta, page->version, why);
	if (err)
		return err;
	if (*text_of(meta, "continue")) {
		page->next = strdup(text_of(meta, "continue"));
		if (!page->next)
			return -ENOMEM;
	}
	err = read_items(obj, kind, fn, arg, faults, why);
	if (err)
		free(page->next);
	return err;
}

int knp_kube_json_page(const char *buf, size_t len, enum knp_kind kind,
		       knp_object_fn fn, void *arg, struct knp_page *ret,
		       struct knp_faults *faults, char **why)
{
	struct knp_page page = { 0 };
	struct json_object *obj;
	int err;

	err = parse(buf, len, &obj, why);
	if (err)
		return err;
	err = read_page(obj, kind, fn, arg, &page, faults, why);
	json_object_put(obj);
	if (!err)
		*ret = page;
	return err;
}
