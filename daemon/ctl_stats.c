// SPDX-License-Identifier: Apache-2.0
/* knpctl stats: packets and bytes per reason and per rule. */
#include "ctl.h"

#include <stdio.h>

static const char help[] =
	"usage: knpctl stats\n"
	"Packets and bytes since the module was loaded: by why they passed or were\n"
	"dropped (in mode audit: would have been), and by the rule that allowed them.\n";

static const struct knp_column reason_columns[] = {
	{ "reason", "REASON", 0 },
	{ "verdict", "VERDICT", CTL_VERDICT },
	{ "packets", "PACKETS", CTL_RIGHT },
	{ "bytes", "BYTES", CTL_RIGHT },
};

static const struct knp_column rule_columns[] = {
	{ "id", "ID", CTL_RIGHT },
	{ "rule", "RULE", 0 },
	{ "packets", "PACKETS", CTL_RIGHT },
	{ "bytes", "BYTES", CTL_RIGHT },
};

static struct json_object *reasons(const struct knp_counters *counters)
{
	struct json_object *rows = knp_ctl_array(), *row;
	uint32_t i;

	for (i = 1; i <= KNP_REASON_MAX; i++) {
		row = knp_ctl_object();
		knp_ctl_add_text(row, "reason", knp_ctl_reason(i));
		knp_ctl_add_text(row, "verdict",
				 knp_ctl_action(i <= KNP_REASON_PASS_LAST ?
						KNP_PASS : KNP_DROP));
		knp_ctl_add_number(row, "packets",
				   counters->reasons[i].packets);
		knp_ctl_add_number(row, "bytes", counters->reasons[i].bytes);
		knp_ctl_push(rows, row);
	}

	return rows;
}

static struct json_object *rules(const struct knp_ctl *c,
				 const struct knp_counters *counters)
{
	struct json_object *rows = knp_ctl_array(), *row;
	const struct knp_rec_rule *r = c->rs->rules.v;
	const struct knp_counter *n;
	size_t i;

	for (i = 0; i < c->rs->rules.n; i++, r++) {
		n = knp_counters_rule(counters, r->id);
		row = knp_ctl_object();
		knp_ctl_add_number(row, "id", r->id);
		knp_ctl_add_text(row, "rule", knp_names_tag(c->names, r->tag));
		knp_ctl_add_number(row, "packets", n ? n->packets : 0);
		knp_ctl_add_number(row, "bytes", n ? n->bytes : 0);
		knp_ctl_push(rows, row);
	}

	return rows;
}

static void print(const struct knp_ctl *c, const struct knp_counters *counters)
{
	struct json_object *by_reason = reasons(counters);
	struct json_object *by_rule = rules(c, counters);
	struct json_object *doc;

	if (knp_ctl_structured(c)) {
		doc = knp_ctl_object();
		knp_ctl_add_number(doc, "generation", c->info.generation);
		knp_ctl_add_text(doc, "mode", knp_ctl_mode(c->info.mode));
		knp_ctl_add(doc, "reasons", by_reason);
		knp_ctl_add(doc, "rules", by_rule);
		knp_ctl_print_doc(c, doc);
		return;
	}

	knp_ctl_print_table(c, by_reason, reason_columns, 4);
	putchar('\n');
	knp_ctl_print_table(c, by_rule, rule_columns, 4);
	json_object_put(by_reason);
	json_object_put(by_rule);
}

int knp_ctl_stats(int argc, char **argv)
{
	static const struct option options[] = { CTL_OPTIONS, { 0 } };
	struct knp_counters counters;
	struct knp_ctl c;
	int opt, err, status;

	knp_ctl_begin(&c, argv[0]);
	while ((opt = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		status = knp_ctl_option(&c, opt, help);
		if (status >= 0)
			return status;
	}
	if (optind < argc)
		return knp_ctl_usage(&c, "unexpected argument %s",
				     argv[optind]);

	status = knp_ctl_view(&c);
	if (status)
		return status;

	err = knp_genl_counters(c.g, &counters);
	if (err) {
		status = knp_ctl_refused(&c, err, "cannot read the counters");
	} else {
		print(&c, &counters);
		knp_counters_clear(&counters);
	}
	knp_ctl_end(&c);
	return status;
}
