/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building json-c objects where memory may run out: every function returns 0
 * or -ENOMEM and takes over the value it is given, also on failure.
 */
#ifndef KNP_JSON_BUILD_H
#define KNP_JSON_BUILD_H

#include <stdint.h>

struct json_object;

/* A NULL @value is out of memory. */
int knp_json_add(struct json_object *obj, const char *key,
		 struct json_object *value);
/* NULL is null. */
int knp_json_add_string(struct json_object *obj, const char *key,
			const char *text);
int knp_json_add_number(struct json_object *obj, const char *key, uint64_t n);
/* A monotonic time in ms, as seconds since the epoch; 0 is null. */
int knp_json_add_time(struct json_object *obj, const char *key, int64_t ms);
/* A NULL @value is out of memory. */
int knp_json_append(struct json_object *array, struct json_object *value);

#endif /* KNP_JSON_BUILD_H */
