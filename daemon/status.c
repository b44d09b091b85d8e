// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "json_build.h"
#include "kept.h"
#include "runtime.h"
#include "status.h"

#ifndef KNP_VERSION
#define KNP_VERSION	"unknown"
#endif

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static struct json_object *troubles_json(const struct knp_troubles *troubles)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; array && i < troubles->n; i++) {
		if (knp_json_append(array, json_object_new_string(troubles->v[i].text))) {
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
		err = knp_json_append(array, line ?
				      json_object_new_string(line) : NULL);
		free(line);
		if (err) {
			json_object_put(array);
			return NULL;
		}
	}

	return array;
}

static int fill_uncovered(const struct knp_daemon_status *s,
			  struct json_object *doc)
{
	struct json_object *array = json_object_new_array();
	const char *const *lines;
	size_t n = knp_uncovered_lines(s->uncovered, &lines);
	int err;

	err = array ? 0 : -ENOMEM;
	for (size_t i = 0; i < n && !err; i++)
		err = knp_json_append(array, json_object_new_string(lines[i]));
	if (err) {
		json_object_put(array);
		return err;
	}
	err |= knp_json_add_number(doc, "uncovered_count", n);
	err |= knp_json_add(doc, "uncovered", array);
	return err;
}

static int fill_source(const struct knp_daemon_status *s,
		       struct json_object *doc)
{
	int64_t current = knp_input_current(s->input);
	const char *waiting;
	int64_t since = 0;
	int err = 0;

	waiting = knp_input_waiting(s->input, &since);
	err |= knp_json_add(doc, "source", knp_input_json(s->input));
	err |= knp_json_add_string(doc, "waiting", waiting);
	err |= knp_json_add_time(doc, "waiting_since", waiting ? since : 0);
	err |= knp_json_add_time(doc, "synced_at", current);
	if (current)
		err |= knp_json_add_number(doc, "age",
					   (uint64_t)(now_ms() - current) / 1000);
	else
		err |= knp_json_add_string(doc, "age", NULL);
	return err;
}

static int fill(const struct knp_daemon_status *s, struct json_object *doc)
{
	const struct knp_faults *faults = knp_input_faults(s->input);
	char instance[17];
	int err = 0;

	snprintf(instance, sizeof(instance), "%016" PRIx64, s->last.instance);

	err |= knp_json_add_number(doc, "pid", (uint64_t)getpid());
	err |= knp_json_add_string(doc, "version", KNP_VERSION);
	err |= knp_json_add_string(doc, "node", s->node);
	err |= knp_json_add_string(doc, "manifests", s->manifests);
	err |= fill_source(s, doc);
	err |= knp_json_add_string(doc, "state", s->state);
	err |= knp_json_add_string(doc, "instance", instance);
	err |= knp_json_add_number(doc, "generation", s->last.generation);
	err |= knp_json_add_number(doc, "commits", s->commits);
	err |= knp_json_add_number(doc, "batches", s->batches);
	err |= knp_json_add_number(doc, "enforced_batches", s->enforced_batches);
	err |= knp_json_add_number(doc, "store_version", s->store_version);
	err |= knp_json_add_number(doc, "enforced_version", s->enforced_version);
	err |= knp_json_add_number(doc, "last_us", (uint64_t)s->last_us);
	err |= knp_json_add_number(doc, "last_puts", s->last.puts);
	err |= knp_json_add_number(doc, "last_deletes", s->last.deletes);
	err |= knp_json_add_string(doc, "error", s->error[0] ? s->error : NULL);
	err |= knp_json_add_number(doc, "troubles_count", s->troubles->n);
	err |= knp_json_add(doc, "troubles", troubles_json(s->troubles));
	err |= knp_json_add_number(doc, "objects_set_aside",
				   knp_faults_objects(faults));
	err |= knp_json_add_number(doc, "policies_held_count", s->store->nkept);
	err |= knp_json_add(doc, "policies_held", knp_kept_json(s->store));
	err |= fill_uncovered(s, doc);
	err |= knp_keeper_json(s->keeper, doc);
	err |= knp_json_add_number(doc, "faults_count", faults->n);
	err |= knp_json_add(doc, "faults", faults_json(faults));
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
