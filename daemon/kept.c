// SPDX-License-Identifier: Apache-2.0
#include <json-c/json.h>
#include <stdio.h>

#include "json_build.h"
#include "kept.h"
#include "log.h"

void knp_kept_log(struct knp_store *s)
{
	struct knp_policy *policy;

	for (size_t i = 0; s->nkept && i < s->npolicies; i++) {
		policy = s->policies[i];
		if (!policy->kept || policy->told)
			continue;
		policy->told = true;
		knp_log(KNP_LOG_NOTICE,
			"NetworkPolicy %s/%s was deleted while its namespace terminates: held until no pod of it is left",
			policy->ns, policy->name);
	}
}

static struct json_object *name_json(const struct knp_policy *policy)
{
	/* A namespace of at most 63 bytes, a name of at most 253. */
	char text[512];

	snprintf(text, sizeof(text), "%s/%s", policy->ns, policy->name);
	return json_object_new_string(text);
}

struct json_object *knp_kept_json(const struct knp_store *s)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; array && s->nkept && i < s->npolicies; i++) {
		if (!s->policies[i]->kept)
			continue;
		if (!knp_json_append(array, name_json(s->policies[i])))
			continue;
		json_object_put(array);
		return NULL;
	}
	return array;
}
