// SPDX-License-Identifier: Apache-2.0
#include "yaml_write.h"

#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

static bool is_plain(const char *text)
{
	static const char * const words[] = {
		"true", "false", "yes", "no", "on", "off", "y", "n", "null",
	};
	const char *c;

	if (!isalpha((unsigned char)*text))
		return false;
	for (c = text; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_./-", *c))
			return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcasecmp(words[i], text))
			return false;
	return true;
}

/* An event cannot be made for want of memory, or of valid UTF-8. */
static int emit(yaml_emitter_t *emitter, yaml_event_t *event, int made)
{
	if (!made)
		return -ENOMEM;
	if (yaml_emitter_emit(emitter, event))
		return 0;
	return emitter->error == YAML_MEMORY_ERROR ? -ENOMEM : -EIO;
}

static int scalar(yaml_emitter_t *emitter, const char *text, size_t len,
		  bool quoted)
{
	yaml_scalar_style_t style = quoted ? YAML_DOUBLE_QUOTED_SCALAR_STYLE :
					     YAML_PLAIN_SCALAR_STYLE;
	yaml_event_t event;

	if (len > INT_MAX)
		return -ENOMEM;
	return emit(emitter, &event,
		    yaml_scalar_event_initialize(&event, NULL, NULL,
						 (const yaml_char_t *)text,
						 (int)len, !quoted, quoted,
						 style));
}

static int string(yaml_emitter_t *emitter, const char *text, size_t len)
{
	return scalar(emitter, text, len,
		      strlen(text) != len || !is_plain(text));
}

static int begin(yaml_emitter_t *emitter, enum json_type type)
{
	yaml_event_t event;
	int made;

	made = type == json_type_object ?
	       yaml_mapping_start_event_initialize(&event, NULL, NULL, 1,
						   YAML_ANY_MAPPING_STYLE) :
	       yaml_sequence_start_event_initialize(&event, NULL, NULL, 1,
						    YAML_ANY_SEQUENCE_STYLE);
	return emit(emitter, &event, made);
}

static int end(yaml_emitter_t *emitter, enum json_type type)
{
	yaml_event_t event;
	int made;

	made = type == json_type_object ?
	       yaml_mapping_end_event_initialize(&event) :
	       yaml_sequence_end_event_initialize(&event);
	return emit(emitter, &event, made);
}

/* json-c and YAML write numbers and booleans alike; json-c's NULL is "null". */
static int plain(yaml_emitter_t *emitter, struct json_object *v)
{
	const char *text = json_object_to_json_string(v);

	return text ? scalar(emitter, text, strlen(text), false) : -ENOMEM;
}

static int value(yaml_emitter_t *emitter, struct json_object *v)
{
	enum json_type type = json_object_get_type(v);
	int err;

	if (type == json_type_string)
		return string(emitter, json_object_get_string(v),
			      (size_t)json_object_get_string_len(v));
	if (type != json_type_object && type != json_type_array)
		return plain(emitter, v);

	err = begin(emitter, type);
	if (type == json_type_object) {
		json_object_object_foreach(v, key, member) {
			if (!err)
				err = string(emitter, key, strlen(key));
			if (!err)
				err = value(emitter, member);
		}
	} else {
		for (size_t i = 0; !err && i < json_object_array_length(v); i++)
			err = value(emitter, json_object_array_get_idx(v, i));
	}
	return err ? err : end(emitter, type);
}

static int document(yaml_emitter_t *emitter, struct json_object *doc)
{
	yaml_event_t event;
	int err;

	err = emit(emitter, &event,
		   yaml_stream_start_event_initialize(&event,
						      YAML_UTF8_ENCODING));
	if (!err)
		err = emit(emitter, &event,
			   yaml_document_start_event_initialize(&event, NULL,
								NULL, NULL, 0));
	if (!err)
		err = value(emitter, doc);
	if (!err)
		err = emit(emitter, &event,
			   yaml_document_end_event_initialize(&event, 1));
	if (!err)
		err = emit(emitter, &event,
			   yaml_stream_end_event_initialize(&event));
	return err;
}

int knp_yaml_write(FILE *out, struct json_object *doc)
{
	yaml_emitter_t emitter;
	int err;

	if (!yaml_emitter_initialize(&emitter))
		return -ENOMEM;
	yaml_emitter_set_output_file(&emitter, out);
	yaml_emitter_set_unicode(&emitter, 1);
	yaml_emitter_set_width(&emitter, -1);
	err = document(&emitter, doc);
	yaml_emitter_delete(&emitter);
	return err;
}
