// SPDX-License-Identifier: Apache-2.0
/* knpctl status: the kernel's state, and knpd's beside it. */
#include "ctl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "families.h"
#include "json_member.h"
#include "push.h"
#include "runtime.h"
#include "status.h"

static const char help[] =
	"usage: knpctl status\n"
	"What the module holds and how knpd is doing.\n";

static struct json_object *families_json(uint32_t families)
{
	struct json_object *array = knp_ctl_array();
	uint32_t rest = families & ~(uint32_t)KNP_FAMILY_MASK;
	const struct knp_family *f;
	char text[16];

	for (f = knp_families; f->name; f++)
		if (families & f->bit)
			knp_ctl_push(array, json_object_new_string(f->name));
	if (rest) {
		snprintf(text, sizeof(text), "0x%x", rest);
		knp_ctl_push(array, json_object_new_string(text));
	}

	return array;
}

static void add_time(struct json_object *obj, uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000);
	char text[64];
	struct tm tm;

	if (!ns || !gmtime_r(&seconds, &tm)) {
		knp_ctl_add_text(obj, "commit_time", NULL);
		return;
	}

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	knp_ctl_add_text(obj, "commit_time", text);
}

static struct json_object *tables_json(const struct knp_info *info)
{
	struct json_object *array = knp_ctl_array(), *row;
	uint32_t i;

	for (i = 1; i <= KNP_TABLE_MAX; i++) {
		row = knp_ctl_object();
		knp_ctl_add_text(row, "table", knp_table_name(i));
		knp_ctl_add_number(row, "count", info->tables[i].count);
		knp_ctl_add_number(row, "limit", info->tables[i].limit);
		knp_ctl_push(array, row);
	}

	return array;
}

static struct json_object *module_json(const struct knp_ctl *c)
{
	const struct knp_info *info = &c->info;
	struct json_object *obj = knp_ctl_object();
	char allow[KNP_NODE_ALLOW_TEXT];
	char instance[17];

	snprintf(instance, sizeof(instance), "%016" PRIx64, info->instance);
	knp_ctl_add_text(obj, "version", info->version);
	knp_ctl_add_number(obj, "abi", info->abi);
	knp_ctl_add_text(obj, "instance", instance);
	knp_ctl_add_number(obj, "generation", info->generation);
	add_time(obj, info->commit_time);
	knp_ctl_add(obj, "attached", families_json(info->families));
	knp_ctl_add_text(obj, "mode", knp_ctl_mode(info->mode));
	knp_ctl_add_text(obj, "default", knp_ctl_action(info->dflt));
	knp_ctl_add_text(obj, "node_egress",
			 knp_ctl_action(info->node_egress));
	knp_ctl_add_text(obj, "node_egress_allow",
			 knp_node_allows_text(&info->node_allow, allow));
	knp_ctl_add_text(obj, "lb_probes", knp_ctl_action(info->lb_probes));
	knp_ctl_add_text(obj, "unknown_local",
			 knp_ctl_action(info->unknown_local));
	knp_ctl_add_number(obj, "event_rate", info->event_rate);
	knp_ctl_add_text(obj, "encap", knp_ctl_action(info->encap));
	if (info->has_txn)
		knp_ctl_add_number(obj, "transaction_port", info->txn_port);
	else
		knp_ctl_add_text(obj, "transaction_port", NULL);
	return obj;
}

/* status.json of knpd; NULL if there is none. */
static struct json_object *daemon_json(const struct knp_ctl *c)
{
	struct json_object *obj;

	if (knp_runtime_read(c->runtime_dir, KNP_STATUS_FILE, &obj))
		return NULL;

	knp_ctl_add_bool(obj, "running", knp_runtime_locked(c->runtime_dir));
	return obj;
}

static void print_lines(struct json_object *obj, const char *key,
			const char *title)
{
	struct json_object *array;
	size_t i;

	if (!json_object_object_get_ex(obj, key, &array) ||
	    !json_object_is_type(array, json_type_array))
		return;

	for (i = 0; i < json_object_array_length(array); i++)
		printf("%-15s%s\n", i ? "" : title,
		       json_object_get_string(json_object_array_get_idx(array,
									i)));
}

/* Seconds since a time of status.json. */
static uint64_t ago(struct json_object *obj, const char *key)
{
	uint64_t then = knp_json_number(obj, key);
	uint64_t now = (uint64_t)time(NULL);

	return now > then ? now - then : 0;
}

static void print_source(struct json_object *obj)
{
	struct json_object *source = NULL;
	const char *kind, *context;

	json_object_object_get_ex(obj, "source", &source);
	kind = knp_json_text(source, "kind");
	context = knp_json_text(source, "context");
	if (kind && !strcmp(kind, "api-server"))
		printf("%-15s%s%s%s\n", "API server",
		       knp_json_text(source, "server"), context ? ", context " : "",
		       context ? context : "");
	else
		printf("%-15s%s\n", "manifests", knp_json_text(obj, "manifests"));
	if (knp_json_text(obj, "waiting"))
		printf("%-15s%s, for %" PRIu64 " s\n", "waiting for",
		       knp_json_text(obj, "waiting"), ago(obj, "waiting_since"));
	if (knp_json_number(obj, "synced_at"))
		printf("%-15s%" PRIu64 " s: the API server's objects were known to be current then\n",
		       "age", ago(obj, "synced_at"));
}

static void print_state_file(struct json_object *obj)
{
	struct json_object *file = knp_json_member(obj, "state_file");

	if (knp_json_text(obj, "restored"))
		printf("%-15s%s\n", "at first", knp_json_text(obj, "restored"));
	if (!file)
		return;
	printf("%-15s%s", "state file", knp_json_text(file, "path"));
	if (knp_json_number(file, "generation"))
		printf(": generation %" PRIu64 ", written %" PRIu64 " s ago",
		       knp_json_number(file, "generation"), ago(file, "saved_at"));
	printf("%s%s\n", knp_json_text(file, "error") ? ": " : "",
	       knp_json_text(file, "error") ? knp_json_text(file, "error") : "");
}

static void print_daemon(const struct knp_ctl *c, struct json_object *obj)
{
	struct json_object *running;

	if (!obj) {
		printf("%-15sno %s in %s: knpd has not run here\n", "knpd",
		       KNP_STATUS_FILE, c->runtime_dir);
		return;
	}

	json_object_object_get_ex(obj, "running", &running);
	if (json_object_get_boolean(running))
		printf("%-15s%s, pid %s, node %s\n", "knpd",
		       knp_json_text(obj, "state"), knp_json_text(obj, "pid"),
		       knp_json_text(obj, "node"));
	else
		printf("%-15snot running; the kernel goes on with what it has\n",
		       "knpd");

	print_source(obj);
	printf("%-15s%" PRIu64 " us for the last change (+%" PRIu64 " -%" PRIu64 ")\n",
	       "latency", knp_json_number(obj, "last_us"),
	       knp_json_number(obj, "last_puts"), knp_json_number(obj, "last_deletes"));
	if (knp_json_text(obj, "error"))
		printf("%-15s%s\n", "error", knp_json_text(obj, "error"));
	print_state_file(obj);
	print_lines(obj, "troubles", "trouble");
	if (knp_json_number(obj, "objects_set_aside"))
		printf("%-15s%" PRIu64 " object(s): what remains of them is enforced\n",
		       "set aside", knp_json_number(obj, "objects_set_aside"));
	if (knp_json_number(obj, "policies_held_count"))
		printf("%-15s%" PRIu64 " deleted policies, until no pod of their terminating namespaces is left\n",
		       "held", knp_json_number(obj, "policies_held_count"));
	print_lines(obj, "policies_held", "held policy");
	print_lines(obj, "uncovered", "uncovered");
	print_lines(obj, "faults", "fault");
}

static void print_status(const struct knp_ctl *c, struct json_object *module,
			 struct json_object *tables, struct json_object *knpd)
{
	static const struct knp_column columns[] = {
		{ "table", "TABLE", 0 },
		{ "count", "RECORDS", CTL_RIGHT },
		{ "limit", "LIMIT", CTL_RIGHT },
	};
	const struct knp_info *info = &c->info;
	char text[KNP_FAMILIES_TEXT];
	char allow[KNP_NODE_ALLOW_TEXT];

	printf("%-15sversion %s, ABI %u, instance %s\n", "module",
	       info->version, info->abi, knp_json_text(module, "instance"));
	printf("%-15s%s\n", "attached", info->families ?
	       knp_families_text(info->families, text) + 1 :
	       "no: nothing is enforced");
	printf("%-15s%s\n", "mode", knp_ctl_mode(info->mode));
	printf("%-15s%" PRIu64 "%s%s\n", "generation", info->generation,
	       info->generation ? ", committed " : " (nothing was committed)",
	       info->generation && knp_json_text(module, "commit_time") ?
	       knp_json_text(module, "commit_time") : "");
	printf("%-15sdefault %s, unknown-local %s, encap %s, event-rate %u\n",
	       "config", knp_ctl_action(info->dflt),
	       knp_ctl_action(info->unknown_local), knp_ctl_action(info->encap),
	       info->event_rate);
	printf("%-15snode-egress %s, lb-probes %s\n", "",
	       knp_ctl_action(info->node_egress),
	       knp_ctl_action(info->lb_probes));
	if (info->node_egress == KNP_DROP)
		printf("%-15snode-egress-allow %s\n", "",
		       knp_node_allows_text(&info->node_allow, allow));
	if (info->has_txn)
		printf("%-15sopen, by netlink port %u\n", "transaction",
		       info->txn_port);
	print_daemon(c, knpd);
	putchar('\n');
	knp_ctl_print_table(c, tables, columns, 3);
}

int knp_ctl_status(int argc, char **argv)
{
	static const struct option options[] = { CTL_OPTIONS, { 0 } };
	struct json_object *module, *tables, *knpd, *doc;
	struct knp_ctl c;
	int opt, status;

	knp_ctl_begin(&c, argv[0]);
	while ((opt = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		status = knp_ctl_option(&c, opt, help);
		if (status >= 0)
			return status;
	}
	if (optind < argc)
		return knp_ctl_usage(&c, "unexpected argument %s",
				     argv[optind]);

	status = knp_ctl_connect(&c);
	if (status)
		return status;

	module = module_json(&c);
	tables = tables_json(&c.info);
	knpd = daemon_json(&c);
	if (knp_ctl_structured(&c)) {
		doc = knp_ctl_object();
		knp_ctl_add(doc, "module", module);
		knp_ctl_add(doc, "tables", tables);
		knp_ctl_add(doc, "knpd", knpd);
		knp_ctl_print_doc(&c, doc);
	} else {
		print_status(&c, module, tables, knpd);
		json_object_put(module);
		json_object_put(tables);
		json_object_put(knpd);
	}

	knp_ctl_end(&c);
	return CTL_OK;
}
