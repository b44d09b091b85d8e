// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <json-c/json.h>
#include <time.h>

#include "json_build.h"

int knp_json_add(struct json_object *obj, const char *key,
		 struct json_object *value)
{
	if (value && !json_object_object_add(obj, key, value))
		return 0;

	json_object_put(value);
	return -ENOMEM;
}

/* json-c's NULL is JSON's null. */
static int add_null(struct json_object *obj, const char *key)
{
	return json_object_object_add(obj, key, NULL) ? -ENOMEM : 0;
}

int knp_json_add_string(struct json_object *obj, const char *key,
			const char *text)
{
	if (!text)
		return add_null(obj, key);
	return knp_json_add(obj, key, json_object_new_string(text));
}

int knp_json_add_number(struct json_object *obj, const char *key, uint64_t n)
{
	return knp_json_add(obj, key, json_object_new_uint64(n));
}

static int64_t clock_ms(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int knp_json_add_time(struct json_object *obj, const char *key, int64_t ms)
{
	int64_t then;

	if (!ms)
		return add_null(obj, key);
	then = clock_ms(CLOCK_REALTIME) - (clock_ms(CLOCK_MONOTONIC) - ms);
	return knp_json_add(obj, key, json_object_new_int64(then / 1000));
}

int knp_json_append(struct json_object *array, struct json_object *value)
{
	if (value && !json_object_array_add(array, value))
		return 0;

	json_object_put(value);
	return -ENOMEM;
}
