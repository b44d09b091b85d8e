// SPDX-License-Identifier: Apache-2.0
#include "npm_config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

/* Return 0, or -EINVAL if that is no value of the setting. */
typedef int (*take_fn)(struct json_object *value, struct knp_npm_config *ret);

struct setting {
	const char *name;
	take_fn take;		/* NULL: it means nothing here */
};

static int take_level(struct json_object *value, struct knp_npm_config *ret)
{
	static const struct {
		const char *name;
		enum knp_level level;
	} levels[] = {
		{ "debug", KNP_LOG_DEBUG },
		{ "info", KNP_LOG_INFO },
		{ "warn", KNP_LOG_WARNING },
		{ "error", KNP_LOG_ERR },
	};

	if (!json_object_is_type(value, json_type_string))
		return -EINVAL;
	for (size_t i = 0; i < sizeof(levels) / sizeof(*levels); i++) {
		if (strcmp(levels[i].name, json_object_get_string(value)))
			continue;
		ret->level = levels[i].level;
		return 0;
	}
	return -EINVAL;
}

static int take_address(struct json_object *value, struct knp_npm_config *ret)
{
	if (!json_object_is_type(value, json_type_string) ||
	    json_object_get_string_len(value) >= (int)sizeof(ret->address))
		return -EINVAL;
	snprintf(ret->address, sizeof(ret->address), "%s",
		 json_object_get_string(value));
	return 0;
}

static int take_port(struct json_object *value, struct knp_npm_config *ret)
{
	int64_t port = json_object_get_int64(value);

	if (!json_object_is_type(value, json_type_int) || port < 1 ||
	    port > 65535)
		return -EINVAL;
	ret->port = (int)port;
	return 0;
}

static int take_metrics(struct json_object *value, struct knp_npm_config *ret)
{
	if (!json_object_is_type(value, json_type_boolean))
		return -EINVAL;
	ret->metrics = json_object_get_boolean(value);
	return 0;
}

static const struct setting toggles[] = {
	{ "EnablePrometheusMetrics", take_metrics },
	{ "EnablePprof", NULL },
	{ "EnableHTTPDebugAPI", NULL },
	{ "EnableV2NPM", NULL },
	{ "PlaceAzureChainFirst", NULL },
	{ "ApplyIPSetsOnNeed", NULL },
	{ "ApplyInBackground", NULL },
	{ "NetPolInBackground", NULL },
	{ "EnableNPMLite", NULL },
	{ 0 },
};

static const struct setting settings[] = {
	{ "LogLevel", take_level },
	{ "ListeningAddress", take_address },
	{ "ListeningPort", take_port },
	{ "ResyncPeriodInMinutes", NULL },
	{ "ApplyMaxBatches", NULL },
	{ "ApplyIntervalInMilliseconds", NULL },
	{ "MaxBatchedACLsPerPod", NULL },
	/* as it is spelt there */
	{ "NetPolInvervalInMilliseconds", NULL },
	{ "MaxPendingNetPols", NULL },
	{ 0 },
};

static const struct setting *find(const struct setting *s, const char *name)
{
	while (s->name && strcmp(s->name, name))
		s++;
	return s->name ? s : NULL;
}

static void take_all(struct json_object *obj, const struct setting *known,
		     struct knp_npm_config *ret, knp_npm_note_fn note,
		     void *arg)
{
	json_object_object_foreach(obj, name, value) {
		const struct setting *s = find(known, name);

		if (!s)
			note(arg, KNP_NPM_UNKNOWN, name);
		else if (!s->take)
			note(arg, KNP_NPM_MEANINGLESS, name);
		else if (s->take(value, ret))
			note(arg, KNP_NPM_BAD, name);
	}
}

int knp_npm_config_parse(const char *text, struct knp_npm_config *ret,
			 knp_npm_note_fn note, void *arg)
{
	struct json_object *doc = json_tokener_parse(text);
	struct json_object *inner = NULL;

	if (!json_object_is_type(doc, json_type_object)) {
		json_object_put(doc);
		return -EBADMSG;
	}
	if (json_object_object_get_ex(doc, "Toggles", &inner)) {
		if (json_object_is_type(inner, json_type_object))
			take_all(inner, toggles, ret, note, arg);
		else
			note(arg, KNP_NPM_BAD, "Toggles");
		json_object_object_del(doc, "Toggles");
	}
	take_all(doc, settings, ret, note, arg);
	json_object_put(doc);
	return 0;
}
