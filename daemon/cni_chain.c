// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "cni_chain.h"
#include "cni_conf.h"
#include "json_build.h"

#define TYPE	"knp-cni"

/* The array of plugins, all of them objects with a type; or NULL. */
static struct json_object *plugins_of(struct json_object *conf)
{
	struct json_object *plugins = NULL, *plugin;

	if (!json_object_is_type(conf, json_type_object) ||
	    !json_object_object_get_ex(conf, "plugins", &plugins) ||
	    !json_object_is_type(plugins, json_type_array) ||
	    !json_object_array_length(plugins))
		return NULL;
	for (size_t i = 0; i < json_object_array_length(plugins); i++) {
		plugin = json_object_array_get_idx(plugins, i);
		if (!json_object_is_type(plugin, json_type_object) ||
		    !*knp_cni_text(plugin, "type"))
			return NULL;
	}
	return plugins;
}

static bool is_ours(struct json_object *plugins, size_t i)
{
	return !strcmp(knp_cni_text(json_object_array_get_idx(plugins, i),
				    "type"), TYPE);
}

static int append(struct json_object *plugins)
{
	struct json_object *plugin = json_object_new_object();
	int err;

	if (!plugin)
		return -ENOMEM;
	err = knp_json_add_string(plugin, "type", TYPE);
	if (!err)
		return knp_json_append(plugins, plugin);
	json_object_put(plugin);
	return err;
}

int knp_cni_chain_add(struct json_object *conf, bool *ret)
{
	struct json_object *plugins = plugins_of(conf);
	int err;

	if (!plugins)
		return -EINVAL;
	if (!knp_cni_version_known(knp_cni_text(conf, "cniVersion")))
		return -EPROTONOSUPPORT;
	for (size_t i = 0; i < json_object_array_length(plugins); i++) {
		if (!is_ours(plugins, i))
			continue;
		*ret = false;
		return 0;
	}
	err = append(plugins);
	if (!err)
		*ret = true;
	return err;
}

int knp_cni_chain_remove(struct json_object *conf, bool *ret)
{
	struct json_object *plugins = plugins_of(conf);
	bool changed = false;

	if (!plugins)
		return -EINVAL;
	for (size_t i = json_object_array_length(plugins); i-- > 0;) {
		if (!is_ours(plugins, i))
			continue;
		if (json_object_array_del_idx(plugins, i, 1))
			return -ENOMEM;
		changed = true;
	}
	*ret = changed;
	return 0;
}
