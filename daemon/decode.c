// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "decode_pod.h"
#include "decode_policy.h"
#include "namespace.h"
#include "strings.h"

void knp_object_clear(struct knp_object *object)
{
	free(object->ns);
	free(object->name);
	switch (object->kind) {
	case KNP_KIND_NAMESPACE:
		knp_namespace_free(object->namespace);
		break;
	case KNP_KIND_POD:
		knp_pod_free(object->pod);
		break;
	case KNP_KIND_POLICY:
		knp_policy_free(object->policy);
		break;
	}
	*object = (struct knp_object){ 0 };
}

void knp_objects_clear(struct knp_objects *objects)
{
	if (!objects)
		return;
	for (size_t i = 0; i < objects->n; i++)
		knp_object_clear(&objects->v[i]);
	free(objects->v);
	*objects = (struct knp_objects){ 0 };
}

int knp_objects_add(struct knp_objects *ret, const struct knp_object *object)
{
	struct knp_object *v;

	/* Capacity is the next power of two. */
	if (!(ret->n & (ret->n - 1))) {
		v = reallocarray(ret->v, ret->n ? ret->n * 2 : 1, sizeof(*v));
		if (!v)
			return -ENOMEM;
		ret->v = v;
	}
	ret->v[ret->n++] = *object;
	return 0;
}

const char *knp_kind_name(enum knp_kind kind)
{
	switch (kind) {
	case KNP_KIND_NAMESPACE:
		return "Namespace";
	case KNP_KIND_POD:
		return "Pod";
	case KNP_KIND_POLICY:
		return "NetworkPolicy";
	}
	return "object";
}

char *knp_kind_describe(enum knp_kind kind, const char *ns, const char *name)
{
	char *text;

	if (asprintf(&text, "%s %s%s%s", knp_kind_name(kind), ns,
		     *ns ? "/" : "", name) < 0)
		return NULL;
	return text;
}

int knp_object_put(struct knp_object *object, struct knp_store *store)
{
	void *any = object->any;

	if (!any)
		return -EINVAL;
	object->any = NULL;
	return knp_store_put(store, object->kind, any);
}

static int decode_namespace(struct knp_fields *f, struct json_object *meta,
			    struct knp_object *object)
{
	size_t mark = knp_fields_enter(f, "metadata");
	struct knp_label_view *labels = NULL;
	struct knp_namespace *ns;
	const char *deletion;
	size_t n = 0;
	int there;
	int err;

	there = knp_fields_get_string(f, meta, "deletionTimestamp", &deletion);
	err = there < 0 ? there : knp_decode_labels(f, meta, "labels", &labels,
						    &n);
	if (err)
		goto out;
	knp_fields_leave(f, mark);
	err = -ENOMEM;
	ns = knp_namespace_new(object->name, labels, n);
	if (!ns)
		goto out;
	ns->terminating = there;
	object->namespace = ns;
	err = 0;
out:
	free(labels);
	return err;
}

/* @obj NULL: its spec means something else than we know. */
static int decode_networkpolicy(struct knp_fields *f, struct json_object *obj,
				struct json_object *meta,
				struct knp_object *object)
{
	struct knp_policy *policy = calloc(1, sizeof(*policy));
	size_t mark = knp_fields_enter(f, "metadata");
	int err;

	object->policy = policy;
	if (!policy)
		return -ENOMEM;
	policy->ns = knp_string_dup(object->ns);
	policy->name = strdup(object->name);
	if (!policy->ns || !policy->name)
		return -ENOMEM;
	err = knp_fields_dup(f, meta, "uid", "", &policy->uid);
	if (err == -EINVAL)
		policy->uid = strdup("");
	if (!policy->uid)
		return -ENOMEM;
	knp_fields_leave(f, mark);
	if (!obj) {
		knp_decode_unread_policy(policy);
		return 0;
	}
	return knp_decode_policy(f, obj, policy);
}

bool knp_name_valid(const char *text, size_t len)
{
	if (!len || len > 253 || text[0] == '-' || text[0] == '.' ||
	    text[len - 1] == '-' || text[len - 1] == '.')
		return false;
	for (; len; text++, len--)
		if ((*text < 'a' || *text > 'z') &&
		    (*text < '0' || *text > '9') && *text != '-' &&
		    *text != '.')
			return false;
	return true;
}

static int check_name(struct knp_fields *f, const char *field,
		      const char *text)
{
	if (knp_name_valid(text, strlen(text)))
		return 0;
	return knp_fields_refuse_at(f, field, "must be a DNS name (a-z, 0-9, \"-\" and \".\"), is \"%s\"",
				    text);
}

/* Metadata, namespace and name: what makes an object nameable. */
static int identify(struct knp_fields *f, struct json_object *obj,
		    struct knp_object *ret, struct json_object **meta)
{
	const char *name = NULL;
	const char *ns = "";
	size_t mark;
	int err;

	err = knp_fields_get(f, obj, "metadata", json_type_object, meta);
	if (err < 0)
		return err;
	if (!err)
		return knp_fields_refuse_at(f, "metadata.name", "is required");
	mark = knp_fields_enter(f, "metadata");
	err = knp_fields_get_string(f, *meta, "name", &name);
	if (err < 0)
		return err;
	if (!err)
		return knp_fields_refuse_at(f, "name", "is required");
	err = check_name(f, "name", name);
	if (err)
		return err;
	if (ret->kind != KNP_KIND_NAMESPACE) {
		err = knp_fields_get_string(f, *meta, "namespace", &ns);
		if (err < 0)
			return err;
		if (!*ns)
			ns = "default";
		err = check_name(f, "namespace", ns);
		if (err)
			return err;
	}
	knp_fields_leave(f, mark);

	ret->ns = strdup(ns);
	ret->name = strdup(name);
	return ret->ns && ret->name ? 0 : -ENOMEM;
}

static void object_refuse(struct knp_object *object)
{
	struct knp_object whole = *object;

	object->ns = strdup(whole.ns);
	object->name = strdup(whole.name);
	object->any = NULL;
	knp_object_clear(&whole);
}

/* What a (apiVersion, kind) pair is. */
struct type {
	const char *version;
	const char *kind;
	enum knp_kind is;	/* 0: a List of anything */
	bool list;
};

#define POLICY_TYPE	0

static const struct type types[] = {
	[POLICY_TYPE] = { "networking.k8s.io/v1", "NetworkPolicy",
			  KNP_KIND_POLICY, false },
	{ "v1", "Namespace", KNP_KIND_NAMESPACE, false },
	{ "v1", "Pod", KNP_KIND_POD, false },
	{ "v1", "NamespaceList", KNP_KIND_NAMESPACE, true },
	{ "v1", "PodList", KNP_KIND_POD, true },
	{ "networking.k8s.io/v1", "NetworkPolicyList", KNP_KIND_POLICY, true },
	{ "v1", "List", 0, true },
};

static int refuse_version(struct knp_fields *f, const struct type *type,
			  const char *version)
{
	return knp_fields_refuse_at(f, "apiVersion",
				    "must be %s for a %s, is \"%s\"",
				    type->version, type->kind, version);
}

/* What an object says beside its name. */
static int decode_rest(struct knp_fields *f, struct json_object *obj,
		       struct json_object *meta, const char *version,
		       struct knp_object *object)
{
	int err;

	if (version) {
		err = refuse_version(f, &types[POLICY_TYPE], version);
		if (err != -EINVAL)
			return err;
		obj = NULL;
	}
	switch (object->kind) {
	case KNP_KIND_NAMESPACE:
		return decode_namespace(f, meta, object);
	case KNP_KIND_POD:
		return knp_decode_pod(f, obj, meta, object);
	case KNP_KIND_POLICY:
		return decode_networkpolicy(f, obj, meta, object);
	}
	return -EINVAL;
}

/* @version: of a policy that nobody here reads; NULL if it is the right one */
static int decode_known(struct knp_fields *f, struct json_object *obj,
			enum knp_kind kind, const char *version,
			struct knp_objects *ret)
{
	struct knp_object object = { .kind = kind };
	struct json_object *meta;
	char *text = NULL;
	int err;

	f->object = knp_kind_name(kind);
	err = identify(f, obj, &object, &meta);
	if (err == -EINVAL)
		ret->nunnamed++;
	if (err || !object.name || !object.ns) {
		knp_object_clear(&object);
		return err == -EINVAL ? 0 : err;
	}
	text = knp_kind_describe(kind, object.ns, object.name);
	/* A name says more than the position in a list. */
	knp_fields_leave(f, 0);
	f->object = text;
	err = -ENOMEM;
	if (!text)
		goto out;
	err = decode_rest(f, obj, meta, version, &object);
	if (err == -EINVAL) {
		object_refuse(&object);
		err = object.ns && object.name ? 0 : -ENOMEM;
	}
	object.refused = f->nfaults;
	if (!err)
		err = knp_objects_add(ret, &object);
	if (!err && object.refused)
		ret->nrefused++;
out:
	if (err)
		knp_object_clear(&object);
	free(text);
	f->object = NULL;
	return err;
}

/* Length of the group in "group/version"; 0 for the core group. */
static size_t group_len(const char *version)
{
	const char *slash = strchr(version, '/');

	return slash ? (size_t)(slash - version) : 0;
}

/*
 * Whether an object is one of ours in a version that nobody here reads: to
 * ignore it would be to not enforce it in silence. Others may use our kinds'
 * names in their own groups.
 */
static bool is_other_version(const struct type *type, const char *version)
{
	size_t len = group_len(type->version);

	if (group_len(version) == len && !strncmp(version, type->version, len))
		return true;
	return type->is == KNP_KIND_POLICY &&
	       !strncmp(version, "extensions/", strlen("extensions/"));
}

static int decode(struct knp_fields *f, struct json_object *obj,
		  const struct type *outer, struct knp_objects *ret);

/* The items of a list are named by their own position, not the list's. */
static int decode_items(struct knp_fields *f, struct json_object *obj,
			const struct type *type, struct knp_objects *ret)
{
	struct json_object *items;
	size_t mark;
	int err;

	err = knp_fields_get(f, obj, "items", json_type_array, &items);
	if (err == -EINVAL)
		ret->nunnamed++;
	if (err <= 0)
		return err == -EINVAL ? 0 : err;
	mark = knp_fields_enter(f, "items");
	for (size_t i = 0; i < json_object_array_length(items); i++) {
		struct knp_fields inner = {
			.file = f->file, .faults = f->faults,
		};
		size_t item = knp_fields_enter_item(f, i);

		memcpy(inner.path, f->path, f->len + 1);
		inner.len = f->len;
		err = decode(&inner, json_object_array_get_idx(items, i), type,
			     ret);
		if (err)
			return err;
		knp_fields_leave(f, item);
	}
	knp_fields_leave(f, mark);
	return 0;
}

/* Whatever it is, it is not what the list says that it has. */
static int refuse_item(struct knp_fields *f, const struct type *outer,
		       const char *kind, struct knp_objects *ret)
{
	const char *wanted = knp_kind_name(outer->is);

	ret->nunnamed++;
	if (strcmp(kind, wanted))
		return knp_fields_refuse_at(f, "kind", "must be %s in a %s",
					    wanted, outer->kind);
	return knp_fields_refuse_at(f, "apiVersion", "must be %s in a %s",
				    outer->version, outer->kind);
}

static int decode_as(struct knp_fields *f, struct json_object *obj,
		     const struct type *type, const struct type *outer,
		     struct knp_objects *ret)
{
	if (outer && outer->is && (type->list || type->is != outer->is))
		return refuse_item(f, outer, type->kind, ret);
	if (type->list)
		return decode_items(f, obj, type, ret);
	return decode_known(f, obj, type->is, NULL, ret);
}

/* apiVersion and kind; those of items of a typed list come from the list. */
static int get_type(struct knp_fields *f, struct json_object *obj,
		    const struct type *outer, const char **version,
		    const char **kind)
{
	int err;

	if (outer && outer->is) {
		*version = outer->version;
		*kind = knp_kind_name(outer->is);
	}
	err = knp_fields_expect(f, obj, json_type_object);
	if (err)
		return err;
	err = knp_fields_get_string(f, obj, "apiVersion", version);
	if (err >= 0)
		err = knp_fields_get_string(f, obj, "kind", kind);
	if (err < 0)
		return err;
	if (!**version)
		return knp_fields_refuse_at(f, "apiVersion", "is required");
	if (!**kind)
		return knp_fields_refuse_at(f, "kind", "is required");
	return 0;
}

static int decode_other(struct knp_fields *f, struct json_object *obj,
			const struct type *type, const char *version,
			struct knp_objects *ret)
{
	int err;

	if (type == &types[POLICY_TYPE])
		return decode_known(f, obj, type->is, version, ret);
	f->object = type->kind;
	err = refuse_version(f, type, version);
	ret->nunnamed++;
	return err == -EINVAL ? 0 : err;
}

static int decode(struct knp_fields *f, struct json_object *obj,
		  const struct type *outer, struct knp_objects *ret)
{
	const char *version = "";
	const char *kind = "";
	int err;

	err = get_type(f, obj, outer, &version, &kind);
	if (err == -EINVAL) {
		ret->nunnamed++;
		return 0;
	}
	if (err)
		return err;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (strcmp(types[i].kind, kind))
			continue;
		if (!strcmp(types[i].version, version)) {
			err = decode_as(f, obj, &types[i], outer, ret);
			return err == -EINVAL ? 0 : err;
		}
		if (!is_other_version(&types[i], version))
			continue;
		return decode_other(f, obj, &types[i], version, ret);
	}
	if (outer && outer->is) {
		err = refuse_item(f, outer, kind, ret);
		return err == -EINVAL ? 0 : err;
	}
	ret->nignored++;
	return 0;
}

int knp_decode_object(struct json_object *obj, const char *file,
		      struct knp_objects *ret, struct knp_faults *faults)
{
	struct knp_fields fields = { .file = file, .faults = faults };

	return decode(&fields, obj, NULL, ret);
}

int knp_decode_known(struct json_object *obj, enum knp_kind kind,
		     const char *file, struct knp_objects *ret,
		     struct knp_faults *faults)
{
	struct knp_fields fields = { .file = file, .faults = faults };
	int err;

	fields.object = knp_kind_name(kind);
	err = knp_fields_expect(&fields, obj, json_type_object);
	if (err == -EINVAL) {
		ret->nunnamed++;
		return 0;
	}
	return err ? err : decode_known(&fields, obj, kind, NULL, ret);
}

int knp_decode_item(struct json_object *obj, enum knp_kind kind, size_t index,
		    const char *file, struct knp_objects *ret,
		    struct knp_faults *faults)
{
	struct knp_fields fields = { .file = file, .faults = faults };
	const struct type *list = types;

	while (!list->list || list->is != kind)
		list++;
	knp_fields_enter(&fields, "items");
	knp_fields_enter_item(&fields, index);
	return decode(&fields, obj, list, ret);
}
