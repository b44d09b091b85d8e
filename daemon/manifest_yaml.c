// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "manifest.h"
#include "manifest_text.h"

#define ANCHORS_MAX	1024

/*
 * The sizes are those after aliases are followed: a few lines of nested
 * aliases stand for billions of nodes, and whoever walks the tree visits all.
 */
struct size {
	size_t nodes;
	unsigned int depth;
};

struct anchor {
	char *name;
	struct json_object *value;
	struct size size;
};

struct reader {
	yaml_parser_t parser;
	yaml_event_t event;
	struct anchor *anchors;
	size_t nanchors;
	size_t nodes;
	char *why;
};

static int refuse(struct reader *r, const yaml_mark_t *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(struct reader *r, const yaml_mark_t *at, const char *fmt, ...)
{
	char *what;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&what, fmt, ap);
	va_end(ap);
	if (n < 0)
		return -ENOMEM;
	n = asprintf(&r->why, "line %zu, column %zu: %s", at->line + 1,
		     at->column + 1, what);
	free(what);
	if (n >= 0)
		return -EINVAL;
	r->why = NULL;
	return -ENOMEM;
}

/* The next event; it replaces, and frees, the one before. */
static int next(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;

	yaml_event_delete(&r->event);
	if (yaml_parser_parse(&r->parser, &r->event))
		return 0;
	if (p->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (p->error == YAML_READER_ERROR) {
		if (asprintf(&r->why, "byte %zu: %s", p->problem_offset,
			     p->problem) >= 0)
			return -EINVAL;
		r->why = NULL;
		return -ENOMEM;
	}
	return refuse(r, &p->problem_mark, "%s%s%s",
		      p->context ? p->context : "", p->context ? ", " : "",
		      p->problem ? p->problem : "malformed YAML");
}

static bool among(const char *text, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(text, *list))
			return true;
	return false;
}

/* digits [. digits] | . digits, then an exponent */
static bool is_float(const char *s)
{
	static const char digits[] = "0123456789";
	size_t whole;
	size_t part = 0;
	size_t n;

	s += *s == '+' || *s == '-';
	whole = strspn(s, digits);
	s += whole;
	if (*s == '.') {
		part = strspn(s + 1, digits);
		s += 1 + part;
	}
	if (!whole && !part)
		return false;
	if (*s == 'e' || *s == 'E') {
		s++;
		s += *s == '+' || *s == '-';
		n = strspn(s, digits);
		if (!n)
			return false;
		s += n;
	}
	return !*s;
}

/* Decimal, 0x, 0b, 0o or, with a leading zero, octal. */
static bool parse_int(const char *s, bool *negative, uint64_t *ret)
{
	static const char *const digits[] = {
		[2] = "01",
		[8] = "01234567",
		[10] = "0123456789",
		[16] = "0123456789abcdefABCDEF",
	};
	int base = 10;

	*negative = *s == '-';
	s += *s == '+' || *s == '-';
	if (s[0] == '0' && s[1]) {
		s++;
		base = 8;
		if (*s == 'x' || *s == 'X')
			base = 16;
		else if (*s == 'b' || *s == 'B')
			base = 2;
		s += base != 8 || *s == 'o' || *s == 'O';
	}
	/* strtoull() itself would take a sign, a space or a second prefix. */
	if (!*s || s[strspn(s, digits[base])])
		return false;
	errno = 0;
	*ret = strtoull(s, NULL, base);
	return !errno;
}

static struct json_object *number(const char *text)
{
	char plain[80];
	uint64_t value;
	bool negative;
	size_t n = 0;

	for (; *text; text++) {
		if (*text == '_')
			continue;
		if (n + 1 == sizeof(plain))
			return NULL;
		plain[n++] = *text;
	}
	plain[n] = '\0';
	if (parse_int(plain, &negative, &value)) {
		if (!negative)
			return json_object_new_uint64(value);
		if (value <= INT64_MAX)
			return json_object_new_int64(-(int64_t)value);
	}
	if (is_float(plain))
		return json_object_new_double_s(strtod(plain, NULL), plain);
	return NULL;
}

/* What a plain scalar is; NULL with *@string false is the null value. */
static struct json_object *resolve(const char *text, bool *string)
{
	static const char *const nulls[] = {
		"", "~", "null", "Null", "NULL", NULL
	};
	static const char *const trues[] = {
		"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON",
		NULL
	};
	static const char *const falses[] = {
		"false", "False", "FALSE", "no", "No", "NO", "off", "Off",
		"OFF", NULL
	};
	static const char *const specials[] = {
		".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf",
		"+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", NULL
	};
	struct json_object *value;

	*string = false;
	if (among(text, nulls))
		return NULL;
	if (among(text, trues))
		return json_object_new_boolean(1);
	if (among(text, falses))
		return json_object_new_boolean(0);
	if (among(text, specials))
		return json_object_new_double_s(0, text);
	value = *text && strchr("+-.0123456789", *text) ? number(text) : NULL;
	*string = !value;
	return value;
}

/* Whether the current scalar is typed by how it looks. */
static int is_plain(struct reader *r, bool *ret)
{
	const yaml_event_t *e = &r->event;
	const char *tag = (const char *)e->data.scalar.tag;

	*ret = false;
	if (tag && strcmp(tag, YAML_STR_TAG) && strcmp(tag, "!"))
		return refuse(r, &e->start_mark, "tag %s is not supported",
			      tag);
	/* An embedded NUL makes it none of the typed ones. */
	*ret = !tag && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       strlen((char *)e->data.scalar.value) == e->data.scalar.length;
	return 0;
}

static int scalar(struct reader *r, struct json_object **ret)
{
	const char *text = (char *)r->event.data.scalar.value;
	bool string = true;
	bool plain;
	int err;

	err = is_plain(r, &plain);
	if (err)
		return err;
	if (plain)
		*ret = resolve(text, &string);
	if (!string)
		return 0;
	*ret = json_object_new_string_len(text,
					  (int)r->event.data.scalar.length);
	return *ret ? 0 : -ENOMEM;
}

/* A key is a string in JSON; kubectl writes bools and numbers as text. */
static int key(struct reader *r, char **ret)
{
	const yaml_mark_t *at = &r->event.start_mark;
	struct json_object *value;
	const char *text;
	bool string;
	bool plain;
	int err;

	if (r->event.type != YAML_SCALAR_EVENT)
		return refuse(r, at, "a key must be a string");
	text = (char *)r->event.data.scalar.value;
	err = is_plain(r, &plain);
	if (err)
		return err;
	if (strlen(text) != r->event.data.scalar.length)
		return refuse(r, at, "a key must not hold a NUL character");
	if (r->event.data.scalar.anchor)
		return refuse(r, at, "an anchor on a key is not supported");
	if (!plain) {
		*ret = strdup(text);
		return *ret ? 0 : -ENOMEM;
	}
	if (!strcmp(text, "<<"))
		return refuse(r, at, "merge keys are not supported");
	value = resolve(text, &string);
	if (!string && !value)
		return refuse(r, at, "a key must not be null");
	*ret = strdup(string ? text : json_object_get_string(value));
	json_object_put(value);
	return *ret ? 0 : -ENOMEM;
}

static int node(struct reader *r, unsigned int depth, struct json_object **ret,
		struct size *size);

static void add_size(struct size *size, const struct size *child)
{
	size->nodes += child->nodes;
	if (size->depth < child->depth + 1)
		size->depth = child->depth + 1;
}

static int check_tag(struct reader *r, const yaml_char_t *tag, const char *want)
{
	if (!tag || !strcmp((const char *)tag, want))
		return 0;
	return refuse(r, &r->event.start_mark, "tag %s is not supported", tag);
}

static int sequence(struct reader *r, unsigned int depth,
		    struct json_object *list, struct size *size)
{
	struct json_object *item;
	struct size child;
	int err;

	for (;;) {
		err = next(r);
		if (err || r->event.type == YAML_SEQUENCE_END_EVENT)
			return err;
		item = NULL;
		err = node(r, depth + 1, &item, &child);
		if (!err && json_object_array_add(list, item))
			err = -ENOMEM;
		if (err) {
			json_object_put(item);
			return err;
		}
		add_size(size, &child);
	}
}

static int mapping_entry(struct reader *r, unsigned int depth,
			 struct json_object *map, struct size *size)
{
	struct json_object *value = NULL;
	yaml_mark_t at = r->event.start_mark;
	struct size child;
	char *name = NULL;
	int err;

	err = key(r, &name);
	if (err)
		return err;
	if (json_object_object_get_ex(map, name, NULL)) {
		err = refuse(r, &at, "key \"%s\" is there twice", name);
		goto out;
	}
	err = next(r);
	if (err)
		goto out;
	err = node(r, depth + 1, &value, &child);
	if (!err && json_object_object_add(map, name, value))
		err = -ENOMEM;
	if (err)
		json_object_put(value);
	else
		add_size(size, &child);
out:
	free(name);
	return err;
}

static int mapping(struct reader *r, unsigned int depth,
		   struct json_object *map, struct size *size)
{
	int err;

	for (;;) {
		err = next(r);
		if (err || r->event.type == YAML_MAPPING_END_EVENT)
			return err;
		err = mapping_entry(r, depth, map, size);
		if (err)
			return err;
	}
}

static struct anchor *find_anchor(struct reader *r, const char *name)
{
	for (size_t i = 0; i < r->nanchors; i++)
		if (!strcmp(r->anchors[i].name, name))
			return &r->anchors[i];
	return NULL;
}

/* Keeps a finished node: an alias within its own anchor is unknown. */
static int keep_anchor(struct reader *r, char *name, struct json_object *value,
		       const struct size *size)
{
	struct anchor *anchor = find_anchor(r, name);

	if (anchor) {
		free(name);
		json_object_put(anchor->value);
	} else {
		if (r->nanchors == ANCHORS_MAX) {
			free(name);
			return refuse(r, &r->event.start_mark,
				      "more than %u anchors", ANCHORS_MAX);
		}
		anchor = &r->anchors[r->nanchors++];
		anchor->name = name;
	}
	anchor->value = json_object_get(value);
	anchor->size = *size;
	return 0;
}

static void drop_anchors(struct reader *r)
{
	for (size_t i = 0; i < r->nanchors; i++) {
		free(r->anchors[i].name);
		json_object_put(r->anchors[i].value);
	}
	r->nanchors = 0;
}

static int alias(struct reader *r, struct json_object **ret, struct size *size)
{
	const char *name = (char *)r->event.data.alias.anchor;
	const struct anchor *anchor = find_anchor(r, name);

	if (!anchor)
		return refuse(r, &r->event.start_mark, "unknown anchor %s",
			      name);
	*size = anchor->size;
	*ret = json_object_get(anchor->value);
	return 0;
}

static int check_size(struct reader *r, const yaml_mark_t *at,
		      unsigned int depth, const struct size *size)
{
	if (depth + size->depth > KNP_MANIFEST_DEPTH_MAX)
		return refuse(r, at, "nested deeper than %u levels",
			      KNP_MANIFEST_DEPTH_MAX);
	if (size->nodes > KNP_MANIFEST_NODES_MAX - r->nodes)
		return refuse(r, at, "more than %lu nodes",
			      KNP_MANIFEST_NODES_MAX);
	r->nodes += size->nodes;
	return 0;
}

static int collection(struct reader *r, unsigned int depth,
		      struct json_object **ret, struct size *size)
{
	bool map = r->event.type == YAML_MAPPING_START_EVENT;
	int err;

	err = map ? check_tag(r, r->event.data.mapping_start.tag, YAML_MAP_TAG)
		  : check_tag(r, r->event.data.sequence_start.tag,
			      YAML_SEQ_TAG);
	if (err)
		return err;
	*ret = map ? json_object_new_object() : json_object_new_array();
	if (!*ret)
		return -ENOMEM;
	return map ? mapping(r, depth, *ret, size)
		   : sequence(r, depth, *ret, size);
}

/*
 * The node that the current event begins; *@ret is owned by the caller also
 * after a failure. @depth is the number of collections around it.
 */
static int node(struct reader *r, unsigned int depth, struct json_object **ret,
		struct size *size)
{
	yaml_mark_t at = r->event.start_mark;
	yaml_char_t *anchor = NULL;
	char *name = NULL;
	int err;

	*size = (struct size){ .nodes = 1 };
	if (r->event.type == YAML_ALIAS_EVENT) {
		err = alias(r, ret, size);
		return err ? err : check_size(r, &at, depth, size);
	}
	if (r->event.type == YAML_SCALAR_EVENT)
		anchor = r->event.data.scalar.anchor;
	else if (r->event.type == YAML_MAPPING_START_EVENT)
		anchor = r->event.data.mapping_start.anchor;
	else
		anchor = r->event.data.sequence_start.anchor;
	if (anchor) {
		name = strdup((char *)anchor);
		if (!name)
			return -ENOMEM;
	}
	err = check_size(r, &at, depth, size);
	if (!err && r->event.type == YAML_SCALAR_EVENT)
		err = scalar(r, ret);
	else if (!err)
		err = collection(r, depth, ret, size);
	if (err || !name)
		free(name);
	else
		err = keep_anchor(r, name, *ret, size);
	return err;
}

static int documents(struct reader *r, struct json_object *docs)
{
	struct json_object *doc;
	struct size size;
	int err;

	for (;;) {
		err = next(r);
		if (err || r->event.type == YAML_STREAM_END_EVENT)
			return err;
		if (r->event.type != YAML_DOCUMENT_START_EVENT)
			continue;
		err = next(r);
		if (err)
			return err;
		doc = NULL;
		err = node(r, 0, &doc, &size);
		drop_anchors(r);
		if (!err && json_object_array_add(docs, doc))
			err = -ENOMEM;
		if (err) {
			json_object_put(doc);
			return err;
		}
	}
}

int knp_yaml_parse(const char *text, size_t len, struct json_object *docs,
		   char **why)
{
	struct reader r = { 0 };
	int err = -ENOMEM;

	r.anchors = calloc(ANCHORS_MAX, sizeof(*r.anchors));
	if (!r.anchors || !yaml_parser_initialize(&r.parser))
		goto out;
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text,
				     len);
	err = documents(&r, docs);
	yaml_event_delete(&r.event);
	yaml_parser_delete(&r.parser);
	drop_anchors(&r);
out:
	free(r.anchors);
	*why = r.why;
	return err;
}
