// SPDX-License-Identifier: Apache-2.0
/* Bindings as JSON: on disk, and between knp-cni and knpd. */
#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "bindings.h"
#include "json_build.h"

/* Longer than any name that Kubernetes or a runtime gives. */
#define TEXT_MAX	1024

static struct json_object *ips_json(const struct knp_binding *binding)
{
	struct json_object *array = json_object_new_array();
	char text[46];

	for (uint32_t i = 0; array && i < binding->nips; i++) {
		knp_ip_format(&binding->ips[i], text);
		if (knp_json_append(array, json_object_new_string(text))) {
			json_object_put(array);
			return NULL;
		}
	}
	return array;
}

struct json_object *knp_binding_json(const struct knp_binding *binding)
{
	struct json_object *obj = json_object_new_object();
	int err = 0;

	if (!obj)
		return NULL;
	err |= knp_json_add_string(obj, "containerID", binding->at.container);
	err |= knp_json_add_string(obj, "ifname", binding->at.ifname);
	err |= knp_json_add_string(obj, "network", binding->network);
	err |= knp_json_add_string(obj, "namespace", binding->ns);
	err |= knp_json_add_string(obj, "name", binding->name);
	err |= knp_json_add_string(obj, "uid", binding->uid);
	err |= knp_json_add_number(obj, "ifindex", binding->ifindex);
	err |= knp_json_add(obj, "ips", ips_json(binding));
	if (!err)
		return obj;
	json_object_put(obj);
	return NULL;
}

struct json_object *knp_bindings_json(const struct knp_bindings *b)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; array && i < knp_bindings_count(b); i++) {
		if (knp_json_append(array,
				    knp_binding_json(knp_bindings_at(b, i)))) {
			json_object_put(array);
			return NULL;
		}
	}
	return array;
}

/* A text of at least @min bytes. */
static int take_text(struct json_object *obj, const char *key, size_t min,
		     char **ret)
{
	struct json_object *value;
	const char *text;
	size_t len;

	if (!json_object_object_get_ex(obj, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return -EINVAL;
	text = json_object_get_string(value);
	len = (size_t)json_object_get_string_len(value);
	if (len < min || len > TEXT_MAX || strlen(text) != len)
		return -EINVAL;
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

static int take_ips(struct json_object *obj, struct knp_binding *binding)
{
	struct json_object *array, *value;
	size_t n;
	int err = 0;

	if (!json_object_object_get_ex(obj, "ips", &array) ||
	    !json_object_is_type(array, json_type_array))
		return -EINVAL;
	n = json_object_array_length(array);
	if (n > KNP_BINDING_IPS)
		return -EINVAL;
	for (size_t i = 0; !err && i < n; i++) {
		value = json_object_array_get_idx(array, i);
		if (!json_object_is_type(value, json_type_string))
			return -EINVAL;
		err = knp_ip_parse(json_object_get_string(value),
				   &binding->ips[binding->nips++]);
	}
	return err;
}

static int take_ifindex(struct json_object *obj, struct knp_binding *binding)
{
	struct json_object *value;
	int64_t n;

	if (!json_object_object_get_ex(obj, "ifindex", &value) ||
	    !json_object_is_type(value, json_type_int))
		return -EINVAL;
	n = json_object_get_int64(value);
	if (n < 0 || n > INT_MAX)
		return -EINVAL;
	binding->ifindex = (uint32_t)n;
	return 0;
}

int knp_attachment_parse(struct json_object *obj, struct knp_attachment *ret)
{
	struct knp_attachment at = { 0 };
	int err;

	err = take_text(obj, "containerID", 1, &at.container);
	if (!err)
		err = take_text(obj, "ifname", 1, &at.ifname);
	if (err) {
		knp_attachment_clear(&at);
		return err;
	}
	*ret = at;
	return 0;
}

int knp_binding_parse(struct json_object *obj, struct knp_binding **ret)
{
	struct knp_binding *binding = calloc(1, sizeof(*binding));
	int err = binding ? 0 : -ENOMEM;

	if (!err)
		err = knp_attachment_parse(obj, &binding->at);
	if (!err)
		err = take_text(obj, "network", 0, &binding->network);
	if (!err)
		err = take_text(obj, "namespace", 1, &binding->ns);
	if (!err)
		err = take_text(obj, "name", 1, &binding->name);
	if (!err)
		err = take_text(obj, "uid", 0, &binding->uid);
	if (!err)
		err = take_ifindex(obj, binding);
	if (!err)
		err = take_ips(obj, binding);
	if (err) {
		knp_binding_free(binding);
		return err;
	}
	*ret = binding;
	return 0;
}

int knp_bindings_parse(struct knp_bindings *b, struct json_object *array)
{
	struct knp_binding *binding;
	int err = 0;

	if (!json_object_is_type(array, json_type_array))
		return -EINVAL;
	for (size_t i = 0; !err && i < json_object_array_length(array); i++) {
		err = knp_binding_parse(json_object_array_get_idx(array, i),
					&binding);
		if (!err)
			err = knp_bindings_add(b, binding);
	}
	return err;
}
