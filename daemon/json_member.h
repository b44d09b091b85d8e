/* SPDX-License-Identifier: Apache-2.0 */
/* Members of json-c objects, where one that is missing is as good as null. */
#ifndef KNP_JSON_MEMBER_H
#define KNP_JSON_MEMBER_H

#include <json-c/json.h>
#include <stdint.h>

/* NULL if @obj is NULL or no object, or the member is missing or null. */
static inline struct json_object *knp_json_member(struct json_object *obj,
						  const char *key)
{
	struct json_object *value = NULL;

	if (json_object_is_type(obj, json_type_object))
		json_object_object_get_ex(obj, key, &value);
	return value;
}

/* As text, also if it is none; NULL as above. */
static inline const char *knp_json_text(struct json_object *obj,
					const char *key)
{
	return json_object_get_string(knp_json_member(obj, key));
}

/* 0 as above. */
static inline uint64_t knp_json_number(struct json_object *obj,
				       const char *key)
{
	return json_object_get_uint64(knp_json_member(obj, key));
}

#endif /* KNP_JSON_MEMBER_H */
