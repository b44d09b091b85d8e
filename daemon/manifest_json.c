// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifest.h"
#include "manifest_text.h"

static int refuse(char **why, const char *text, const char *at,
		  const char *what)
{
	size_t line = 1;
	int n;

	for (const char *p = text; p < at; p++)
		line += *p == '\n';
	n = asprintf(why, "line %zu: %s", line, what);
	if (n >= 0)
		return -EINVAL;
	*why = NULL;
	return -ENOMEM;
}

static size_t count_keys(struct json_object *value)
{
	size_t keys = 0;

	if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++)
			keys += count_keys(json_object_array_get_idx(value, i));
	} else if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, name, child) {
			(void)name;
			keys += 1 + count_keys(child);
		}
	}
	return keys;
}

/*
 * json-c takes the last of two equal keys, cuts keys at an escaped NUL, and
 * lets single quotes pass even when strict, all in silence. In valid JSON a
 * colon outside strings stands for one key, so that counting finds what got
 * lost.
 */
static int check_keys(const char *text, const char *from, const char *to,
		      bool nul, struct json_object *value, char **why)
{
	bool string = false;
	bool cut = false;
	size_t keys = 0;

	for (const char *p = from; p < to; p++) {
		if (string && *p == '\\') {
			p++;
			if (strncmp(p, "u0000", 5))
				continue;
			if (!nul)
				return refuse(why, text, p,
					      "a string must not hold a NUL character");
			cut = true;
		} else if (*p == '"') {
			string = !string;
		} else if (!string && *p == '\'') {
			return refuse(why, text, p,
				      "strings need double quotes");
		} else if (!string && *p == ':') {
			keys++;
		}
	}
	/* Where NULs may be, they may have made two keys one. */
	if (cut || keys == count_keys(value))
		return 0;
	return refuse(why, text, from, "an object from here on holds one key twice");
}

static struct json_tokener *tokener(int depth)
{
	struct json_tokener *tok = json_tokener_new_ex(depth);

	if (tok)
		json_tokener_set_flags(tok, JSON_TOKENER_STRICT |
				       JSON_TOKENER_ALLOW_TRAILING_CHARS |
				       JSON_TOKENER_VALIDATE_UTF8);
	return tok;
}

/* The text at *@p, which is moved behind it. */
static int parse(struct json_tokener *tok, const char *text, const char **p,
		 const char *end, bool nul, struct json_object **ret,
		 char **why)
{
	enum json_tokener_error how;
	struct json_object *value;
	const char *from = *p;
	int err;

	json_tokener_reset(tok);
	value = json_tokener_parse_ex(tok, from, (int)(end - from));
	how = json_tokener_get_error(tok);
	*p += json_tokener_get_parse_end(tok);
	if (how == json_tokener_continue)
		err = refuse(why, text, end, "unexpected end of JSON");
	else if (how != json_tokener_success)
		err = refuse(why, text, *p, json_tokener_error_desc(how));
	else
		err = check_keys(text, from, *p, nul, value, why);
	if (err)
		json_object_put(value);
	else
		*ret = value;
	return err;
}

int knp_json_parse(const char *text, size_t len, struct json_object *docs,
		   char **why)
{
	struct json_tokener *tok = tokener(KNP_MANIFEST_DEPTH_MAX);
	const char *end = text + len;
	struct json_object *value;
	const char *p = text;
	int err = 0;

	*why = NULL;
	if (!tok)
		return -ENOMEM;
	while (!err) {
		p += strspn(p, " \t\r\n");
		if (p >= end)
			break;
		err = parse(tok, text, &p, end, false, &value, why);
		if (!err && json_object_array_add(docs, value)) {
			json_object_put(value);
			err = -ENOMEM;
		}
	}
	json_tokener_free(tok);
	return err;
}

int knp_json_parse_one(const char *text, size_t len, struct json_object **ret,
		       char **why)
{
	struct json_tokener *tok = tokener(KNP_JSON_DEPTH_MAX);
	struct json_object *value = NULL;
	const char *end = text + len;
	const char *p = text;
	int err;

	*why = NULL;
	if (!tok)
		return -ENOMEM;
	err = parse(tok, text, &p, end, true, &value, why);
	json_tokener_free(tok);
	if (err)
		return err;
	p += strspn(p, " \t\r\n");
	if (p < end) {
		json_object_put(value);
		return refuse(why, text, p, "something follows the JSON text");
	}
	*ret = value;
	return 0;
}
