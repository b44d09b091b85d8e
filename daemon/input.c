// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>

#include "dir.h"
#include "input.h"
#include "json_build.h"
#include "kube_json.h"
#include "kube_reflect.h"

/**
 * struct knp_input - one of the two
 * @dir: or NULL
 * @kube: or NULL
 * @path: of the folder, or the server's URL; borrowed
 * @context: of the kubeconfig, or NULL; borrowed
 */
struct knp_input {
	struct knp_dir *dir;
	struct knp_kube *kube;
	const char *path;
	const char *context;
	const struct knp_input_ops *ops;
	void *arg;
};

static void on_changed(void *arg)
{
	struct knp_input *in = arg;

	in->ops->changed(in->arg);
}

static void on_fault(void *arg, const struct knp_fault *fault)
{
	struct knp_input *in = arg;

	in->ops->fault(in->arg, fault);
}

static void on_healed(void *arg)
{
	struct knp_input *in = arg;

	in->ops->healed(in->arg);
}

static void on_state(void *arg)
{
	struct knp_input *in = arg;

	in->ops->state(in->arg);
}

static void on_version(void *arg)
{
	struct knp_input *in = arg;

	if (in->ops->version)
		in->ops->version(in->arg);
}

static const struct knp_kube_ops kube_ops = {
	.changed = on_changed,
	.fault	 = on_fault,
	.healed	 = on_healed,
	.state	 = on_state,
	.version = on_version,
};

static struct knp_input *input_new(const char *path,
				   const struct knp_input_ops *ops, void *arg)
{
	struct knp_input *in = calloc(1, sizeof(*in));

	if (!in)
		return NULL;
	in->path = path;
	in->ops = ops;
	in->arg = arg;
	return in;
}

int knp_input_open_dir(struct event_base *base, const char *path,
		       struct knp_store *store, const struct knp_input_ops *ops,
		       void *arg, struct knp_input **ret)
{
	struct knp_input *in = input_new(path, ops, arg);
	int err;

	if (!in)
		return -ENOMEM;
	err = knp_dir_open(base, path, store, on_changed, on_fault, in,
			   &in->dir);
	if (err) {
		free(in);
		return err;
	}
	knp_dir_on_healed(in->dir, on_healed);
	*ret = in;
	return 0;
}

int knp_input_open_kube(struct event_base *base,
			const struct knp_kube_config *config,
			const struct knp_kube_options *options,
			struct knp_store *store,
			const struct knp_input_ops *ops, void *arg,
			struct knp_input **ret)
{
	struct knp_input *in = input_new(config->server, ops, arg);
	int err;

	if (!in)
		return -ENOMEM;
	in->context = config->context;
	err = knp_kube_open(base, config, options, store, &kube_ops, in,
			    &in->kube);
	if (err) {
		free(in);
		return err;
	}
	*ret = in;
	return 0;
}

void knp_input_close(struct knp_input *in)
{
	if (!in)
		return;
	knp_dir_close(in->dir);
	knp_kube_close(in->kube);
	free(in);
}

int64_t knp_input_since(const struct knp_input *in)
{
	return in->dir ? knp_dir_since(in->dir) : knp_kube_since(in->kube);
}

void knp_input_rescan(struct knp_input *in)
{
	if (in->dir)
		knp_dir_rescan(in->dir);
	else
		knp_kube_relist(in->kube);
}

const struct knp_faults *knp_input_faults(const struct knp_input *in)
{
	return in->dir ? knp_dir_faults(in->dir) : knp_kube_faults(in->kube);
}

const char *knp_input_waiting(struct knp_input *in, int64_t *since)
{
	return in->kube ? knp_kube_waiting(in->kube, since) : NULL;
}

int64_t knp_input_current(const struct knp_input *in)
{
	return in->kube ? knp_kube_current(in->kube) : 0;
}

const struct knp_kube *knp_input_kube(const struct knp_input *in)
{
	return in->kube;
}

void knp_input_enforced(struct knp_input *in)
{
	if (in->kube)
		knp_kube_enforced(in->kube);
}

/* ---- for status.json ------------------------------------------------------ */

static struct json_object *endings_json(const struct knp_reflect *r)
{
	struct json_object *obj = json_object_new_object();
	int err = 0;

	for (int i = 0; obj && i <= KNP_END_MAX; i++)
		err |= knp_json_add_number(obj, knp_end_name(i), r->endings[i]);
	if (!err)
		return obj;
	json_object_put(obj);
	return NULL;
}

static struct json_object *relists_json(const struct knp_reflect *r)
{
	struct json_object *obj = json_object_new_object();
	int err = 0;

	for (int i = 0; obj && i <= KNP_RELIST_MAX; i++)
		err |= knp_json_add_number(obj, knp_relist_name(i),
					   r->relists[i]);
	if (!err)
		return obj;
	json_object_put(obj);
	return NULL;
}

static struct json_object *resource_json(const struct knp_kube *k,
					 unsigned int i)
{
	const struct knp_reflect *r = knp_kube_resource_at(k, i);
	const char *state = knp_reflect_state_name(knp_reflect_state(r));
	const char *enforced = knp_kube_enforced_at(k, i);
	struct json_object *obj = json_object_new_object();
	int err = 0;

	if (!obj)
		return NULL;
	err |= knp_json_add_string(obj, "resource", knp_kube_resource(r->kind));
	err |= knp_json_add_string(obj, "state", state);
	err |= knp_json_add_time(obj, "since", r->state_at);
	err |= knp_json_add_time(obj, "failing_since", r->failing_at);
	err |= knp_json_add_time(obj, "last_contact", r->contact_at);
	err |= knp_json_add_time(obj, "synced_at", r->current_at);
	err |= knp_json_add_string(obj, "resource_version", r->version);
	err |= knp_json_add_string(obj, "enforced_resource_version",
				   *enforced ? enforced : NULL);
	err |= knp_json_add_number(obj, "objects", knp_kube_count(k, r->kind));
	err |= knp_json_add_number(obj, "requests", r->requests);
	err |= knp_json_add_number(obj, "unknown_events", r->unknown);
	err |= knp_json_add(obj, "endings", endings_json(r));
	err |= knp_json_add(obj, "relists", relists_json(r));
	err |= knp_json_add_string(obj, "last_error", r->error[0] ? r->error :
				   NULL);
	if (!err)
		return obj;
	json_object_put(obj);
	return NULL;
}

static struct json_object *resources_json(const struct knp_kube *k)
{
	struct json_object *array = json_object_new_array();

	for (unsigned int i = 0; array && i < KNP_KUBE_RESOURCES; i++) {
		if (knp_json_append(array, resource_json(k, i))) {
			json_object_put(array);
			return NULL;
		}
	}
	return array;
}

struct json_object *knp_input_json(const struct knp_input *in)
{
	struct json_object *obj = json_object_new_object();
	int err = 0;

	if (!obj)
		return NULL;
	if (in->dir) {
		err |= knp_json_add_string(obj, "kind", "folder");
		err |= knp_json_add_string(obj, "path", in->path);
	} else {
		err |= knp_json_add_string(obj, "kind", "api-server");
		err |= knp_json_add_string(obj, "server", in->path);
		err |= knp_json_add_string(obj, "context", in->context);
		err |= knp_json_add(obj, "resources", resources_json(in->kube));
	}
	if (!err)
		return obj;
	json_object_put(obj);
	return NULL;
}
