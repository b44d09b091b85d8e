// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime.h"
#include "status.h"

#ifndef KNP_VERSION
#define KNP_VERSION	"unknown"
#endif

/* Add a member; a NULL value is out of memory. */
static int add(struct json_object *obj, const char *key,
	       struct json_object *value)
{
	if (value && !json_object_object_add(obj, key, value))
		return 0;

	json_object_put(value);
	return -ENOMEM;
}

static int add_string(struct json_object *obj, const char *key,
		      const char *text)
{
	return add(obj, key, json_object_new_string(text));
}

static int add_number(struct json_object *obj, const char *key, uint64_t n)
{
	return add(obj, key, json_object_new_uint64(n));
}

static int append(struct json_object *array, const char *text)
{
	struct json_object *value = text ? json_object_new_string(text) : NULL;

	if (value && !json_object_array_add(array, value))
		return 0;

	json_object_put(value);
	return -ENOMEM;
}

static struct json_object *troubles_json(const struct knp_troubles *troubles)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; array && i < troubles->n; i++) {
		if (append(array, troubles->v[i].text)) {
			json_object_put(array);
			return NULL;
		}
	}

	return array;
}

static struct json_object *faults_json(const struct knp_faults *faults)
{
	struct json_object *array = json_object_new_array();
	char *line;
	size_t i;
	int err;

	for (i = 0; array && i < faults->n; i++) {
		line = knp_fault_format(&faults->v[i]);
		err = append(array, line);
		free(line);
		if (err) {
			json_object_put(array);
			return NULL;
		}
	}

	return array;
}

static int fill(const struct knp_daemon_status *s, struct json_object *doc)
{
	char instance[17];
	int err = 0;

	snprintf(instance, sizeof(instance), "%016" PRIx64, s->last.instance);

	err |= add_number(doc, "pid", (uint64_t)getpid());
	err |= add_string(doc, "version", KNP_VERSION);
	err |= add_string(doc, "node", s->node);
	err |= add_string(doc, "manifests", s->manifests);
	err |= add_string(doc, "state", s->state);
	err |= add_string(doc, "instance", instance);
	err |= add_number(doc, "generation", s->last.generation);
	err |= add_number(doc, "commits", s->commits);
	err |= add_number(doc, "batches", s->batches);
	err |= add_number(doc, "enforced_batches", s->enforced_batches);
	err |= add_number(doc, "store_version", s->store_version);
	err |= add_number(doc, "enforced_version", s->enforced_version);
	err |= add_number(doc, "last_us", (uint64_t)s->last_us);
	err |= add_number(doc, "last_puts", s->last.puts);
	err |= add_number(doc, "last_deletes", s->last.deletes);
	/* json-c's NULL is JSON's null, so that add() does not fit. */
	if (s->error[0])
		err |= add_string(doc, "error", s->error);
	else
		err |= json_object_object_add(doc, "error", NULL);
	err |= add(doc, "troubles", troubles_json(&s->troubles));
	err |= add_number(doc, "faults_count", s->faults->n);
	err |= add(doc, "faults", faults_json(s->faults));
	return err ? -ENOMEM : 0;
}

int knp_daemon_status_write(const struct knp_daemon_status *s, const char *dir)
{
	struct json_object *doc = json_object_new_object();
	int err;

	err = doc ? fill(s, doc) : -ENOMEM;
	if (!err)
		err = knp_runtime_write(dir, KNP_STATUS_FILE, doc);
	json_object_put(doc);
	return err;
}
