// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "protocols.h"
#include "strings.h"

static size_t extend(struct knp_fields *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static size_t extend(struct knp_fields *f, const char *fmt, ...)
{
	size_t room = sizeof(f->path) - f->len;
	size_t mark = f->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(f->path + f->len, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		f->len += (size_t)n < room ? (size_t)n : room - 1;
	return mark;
}

size_t knp_fields_enter(struct knp_fields *f, const char *name)
{
	return extend(f, "%s%s", f->len ? "." : "", name);
}

size_t knp_fields_enter_item(struct knp_fields *f, size_t index)
{
	return extend(f, "[%zu]", index);
}

size_t knp_fields_enter_key(struct knp_fields *f, const char *key)
{
	return extend(f, "[%s]", key);
}

void knp_fields_leave(struct knp_fields *f, size_t mark)
{
	f->len = mark;
	f->path[mark] = '\0';
}

static int vrefuse(struct knp_fields *f, const char *fmt, va_list ap)
{
	char *reason;
	int err;

	if (f->nfaults++ >= KNP_FIELDS_FAULTS_MAX)
		return -EINVAL;
	if (vasprintf(&reason, fmt, ap) < 0)
		return -ENOMEM;
	err = knp_faults_add(f->faults, f->file, f->object,
			     f->len ? f->path : NULL, "%s%s%s", reason,
			     f->effect ? ": " : "", f->effect ? f->effect : "");
	free(reason);
	return err ? err : -EINVAL;
}

int knp_fields_refuse(struct knp_fields *f, const char *fmt, ...)
{
	va_list ap;
	int err;

	va_start(ap, fmt);
	err = vrefuse(f, fmt, ap);
	va_end(ap);
	return err;
}

int knp_fields_refuse_at(struct knp_fields *f, const char *name,
			 const char *fmt, ...)
{
	size_t mark = knp_fields_enter(f, name);
	va_list ap;
	int err;

	va_start(ap, fmt);
	err = vrefuse(f, fmt, ap);
	va_end(ap);
	knp_fields_leave(f, mark);
	return err;
}

static const char *type_name(enum json_type type)
{
	switch (type) {
	case json_type_null:
		return "null";
	case json_type_boolean:
		return "a boolean";
	case json_type_double:
		return "a fraction";
	case json_type_int:
		return "an integer";
	case json_type_object:
		return "an object";
	case json_type_array:
		return "a list";
	case json_type_string:
		return "a string";
	}
	return "of unknown type";
}

int knp_fields_expect(struct knp_fields *f, struct json_object *value,
		      enum json_type type)
{
	enum json_type is = json_object_get_type(value);

	if (is == type)
		return 0;
	return knp_fields_refuse(f, "must be %s, is %s%s", type_name(type),
				 type_name(is),
				 type == json_type_string &&
				 (is == json_type_boolean ||
				  is == json_type_int ||
				  is == json_type_double) ?
				 " (put it in quotes)" : "");
}

int knp_fields_expect_string(struct knp_fields *f, struct json_object *value,
			     const char **ret)
{
	int err = knp_fields_expect(f, value, json_type_string);
	const char *text;

	if (err)
		return err;
	text = json_object_get_string(value);
	if (!text)
		return -ENOMEM;
	if (strlen(text) != (size_t)json_object_get_string_len(value))
		return knp_fields_refuse(f, "must not hold a NUL character");
	*ret = text;
	return 0;
}

int knp_fields_get(struct knp_fields *f, struct json_object *obj,
		   const char *name, enum json_type type,
		   struct json_object **ret)
{
	struct json_object *value;
	size_t mark;
	int err;

	if (!json_object_object_get_ex(obj, name, &value) || !value)
		return 0;
	mark = knp_fields_enter(f, name);
	err = knp_fields_expect(f, value, type);
	knp_fields_leave(f, mark);
	if (err)
		return err;
	*ret = value;
	return 1;
}

int knp_fields_get_string(struct knp_fields *f, struct json_object *obj,
			  const char *name, const char **ret)
{
	struct json_object *value;
	size_t mark;
	int err;

	if (!json_object_object_get_ex(obj, name, &value) || !value)
		return 0;
	mark = knp_fields_enter(f, name);
	err = knp_fields_expect_string(f, value, ret);
	knp_fields_leave(f, mark);
	return err ? err : 1;
}

int knp_fields_dup(struct knp_fields *f, struct json_object *obj,
		   const char *name, const char *dflt, char **ret)
{
	const char *text = dflt;
	int err = knp_fields_get_string(f, obj, name, &text);

	if (err < 0)
		return err;
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

int knp_fields_intern(struct knp_fields *f, struct json_object *obj,
		      const char *name, const char *dflt, const char **ret)
{
	const char *text = dflt;
	int err = knp_fields_get_string(f, obj, name, &text);

	if (err < 0)
		return err;
	*ret = knp_string_dup(text);
	return *ret ? 0 : -ENOMEM;
}

int knp_fields_get_bool(struct knp_fields *f, struct json_object *obj,
			const char *name, bool *ret)
{
	struct json_object *value = NULL;
	int there = knp_fields_get(f, obj, name, json_type_boolean, &value);

	if (there < 0)
		return there;
	*ret = there && json_object_get_boolean(value);
	return 0;
}

int knp_fields_get_port(struct knp_fields *f, struct json_object *obj,
			const char *name, uint16_t *ret)
{
	struct json_object *value = NULL;
	int there = knp_fields_get(f, obj, name, json_type_int, &value);
	int64_t port;

	if (there <= 0)
		return there;
	port = json_object_get_int64(value);
	if (port < 1 || port > 65535)
		return knp_fields_refuse_at(f, name,
					    "must be 1 to 65535, is %lld",
					    (long long)port);
	*ret = (uint16_t)port;
	return 1;
}

int knp_fields_get_protocol(struct knp_fields *f, struct json_object *obj,
			    uint8_t *ret)
{
	const char *text = "TCP";
	int err = knp_fields_get_string(f, obj, "protocol", &text);
	uint8_t number;

	if (err < 0)
		return err;
	number = knp_protocol_number(text);
	if (!number)
		return knp_fields_refuse_at(f, "protocol",
					    "must be TCP, UDP or SCTP, is \"%s\"",
					    text);
	*ret = number;
	return 0;
}

static bool listed(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

int knp_fields_only(struct knp_fields *f, struct json_object *obj,
		    const char *const *names)
{
	json_object_object_foreach(obj, key, value) {
		(void)value;
		if (!listed(names, key))
			return knp_fields_refuse_at(f, key, "unknown field");
	}
	return 0;
}

int knp_fields_list(struct knp_fields *f, struct json_object *obj,
		    const char *name, size_t size, void **array, size_t *n,
		    int (*decode)(struct knp_fields *f,
				  struct json_object *item, void *element))
{
	struct json_object *list = NULL;
	char *element;
	size_t outer;
	size_t len;
	int err;

	err = knp_fields_get(f, obj, name, json_type_array, &list);
	if (err <= 0)
		return err;
	len = json_object_array_length(list);
	if (!len)
		return 0;
	*array = calloc(len, size);
	if (!*array)
		return -ENOMEM;
	outer = knp_fields_enter(f, name);
	for (size_t i = 0; i < len; i++) {
		size_t mark = knp_fields_enter_item(f, i);

		element = (char *)*array + (*n)++ * size;
		err = decode(f, json_object_array_get_idx(list, i), element);
		if (err < 0)
			return err;
		if (err == KNP_FIELDS_SKIP) {
			memset(element, 0, size);
			(*n)--;
		}
		knp_fields_leave(f, mark);
	}
	knp_fields_leave(f, outer);
	return 0;
}

size_t knp_fields_count(struct json_object *obj, const char *name)
{
	struct json_object *list;

	if (!json_object_object_get_ex(obj, name, &list) ||
	    !json_object_is_type(list, json_type_array))
		return 0;
	return json_object_array_length(list);
}
