// SPDX-License-Identifier: Apache-2.0
/*
 * knpctl get: the tables as the kernel holds them, all from one generation,
 * with names beside the numbers.
 */
#include "ctl_get.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
	"usage: knpctl get TABLE\n"
	"What the kernel holds, all of one generation. TABLE is one of\n"
	"  endpoints  addresses that policies select, with what judges them\n"
	"  policies   policies in force: endpoints they isolate, rules, packets allowed\n"
	"  rules      policy rules, with packets allowed\n"
	"  sets       policy sets: the policies that select an endpoint in one direction\n"
	"  rows       what each set allows each class of peers\n"
	"  peers      classes of addresses\n"
	"  cidrs      classes of prefixes\n"
	"  classes    classes of peers\n"
	"  portsets   ports, and the rules that allow them\n"
	"  ifaces     roles of interfaces\n";

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

static const struct knp_column endpoint_columns[] = {
	{ "address", "ADDRESS", 0 },
	{ "pod", "POD", 0 },
	{ "interface", "INTERFACE", 0 },
	{ "egress_set", "EGRESS", CTL_RIGHT },
	{ "egress_policies", "EGRESS POLICIES", 0 },
	{ "ingress_set", "INGRESS", CTL_RIGHT },
	{ "ingress_policies", "INGRESS POLICIES", 0 },
	{ "ifindex", "IFINDEX", CTL_RIGHT | CTL_EXTRA },
};

static const struct knp_column peer_columns[] = {
	{ "address", "ADDRESS", 0 },
	{ "pod", "POD", 0 },
	{ "class", "CLASS", CTL_RIGHT },
	{ "class_name", "MEMBERS", 0 },
	{ "class_tag", "TAG", CTL_EXTRA },
};

static const struct knp_column cidr_columns[] = {
	{ "cidr", "CIDR", 0 },
	{ "class", "CLASS", CTL_RIGHT },
	{ "class_name", "MEMBERS", 0 },
	{ "class_tag", "TAG", CTL_EXTRA },
};

static const struct knp_column class_columns[] = {
	{ "id", "ID", CTL_RIGHT },
	{ "peers", "PEERS", CTL_RIGHT },
	{ "cidrs", "CIDRS", CTL_RIGHT },
	{ "name", "MEMBERS", 0 },
	{ "sets", "SETS", CTL_EXTRA },
	{ "tag", "TAG", 0 },
};

static const struct knp_column set_columns[] = {
	{ "id", "ID", CTL_RIGHT },
	{ "direction", "DIRECTION", 0 },
	{ "policies", "POLICIES", 0 },
	{ "endpoints", "ENDPOINTS", CTL_RIGHT },
	{ "default_ports", "ANY PEER", CTL_PORTS },
	{ "pods", "PODS", CTL_EXTRA },
	{ "tag", "TAG", 0 },
};

static const struct knp_column row_columns[] = {
	{ "set", "SET", CTL_RIGHT },
	{ "direction", "DIRECTION", 0 },
	{ "policies", "POLICIES", 0 },
	{ "class", "CLASS", CTL_RIGHT },
	{ "class_name", "PEERS", 0 },
	{ "portset", "PORTSET", CTL_RIGHT },
	{ "ports", "ALLOWED", CTL_PORTS },
	{ "rules", "RULES", CTL_EXTRA },
};

static const struct knp_column rule_columns[] = {
	{ "id", "ID", CTL_RIGHT },
	{ "rule", "RULE", 0 },
	{ "ports", "PORTS", CTL_EXTRA },
	{ "packets", "PACKETS", CTL_RIGHT },
	{ "bytes", "BYTES", CTL_RIGHT },
	{ "tag", "TAG", 0 },
};

static const struct knp_column portset_columns[] = {
	{ "id", "ID", CTL_RIGHT },
	{ "ports", "PORTS", 0 },
	{ "rules", "RULES", 0 },
	{ "rows", "ROWS", CTL_RIGHT | CTL_EXTRA },
	{ "tag", "TAG", 0 },
};

static const struct knp_column iface_columns[] = {
	{ "ifindex", "INDEX", CTL_RIGHT },
	{ "name", "NAME", 0 },
	{ "role", "ROLE", 0 },
	{ "pods", "PODS", CTL_EXTRA },
};

static const struct knp_column policy_columns[] = {
	{ "policy", "POLICY", 0 },
	{ "direction", "DIRECTION", 0 },
	{ "endpoints", "ENDPOINTS", CTL_RIGHT },
	{ "rules", "RULES", CTL_RIGHT },
	{ "packets", "PACKETS", CTL_RIGHT },
	{ "bytes", "BYTES", CTL_RIGHT },
	{ "pods", "PODS", CTL_EXTRA },
};

static const struct view {
	const char *name;
	int (*list)(struct knp_ctl *c, struct json_object *rows);
	const struct knp_column *columns;
	size_t ncolumns;
} views[] = {
	{ "endpoints", knp_ctl_list_endpoints, endpoint_columns, COUNT(endpoint_columns) },
	{ "policies", knp_ctl_list_policies, policy_columns, COUNT(policy_columns) },
	{ "rules", knp_ctl_list_rules, rule_columns, COUNT(rule_columns) },
	{ "sets", knp_ctl_list_sets, set_columns, COUNT(set_columns) },
	{ "rows", knp_ctl_list_rows, row_columns, COUNT(row_columns) },
	{ "peers", knp_ctl_list_peers, peer_columns, COUNT(peer_columns) },
	{ "cidrs", knp_ctl_list_cidrs, cidr_columns, COUNT(cidr_columns) },
	{ "classes", knp_ctl_list_classes, class_columns, COUNT(class_columns) },
	{ "portsets", knp_ctl_list_portsets, portset_columns, COUNT(portset_columns) },
	{ "ifaces", knp_ctl_list_ifaces, iface_columns, COUNT(iface_columns) },
};

static const struct view *find(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT(views); i++)
		if (!strcmp(views[i].name, name))
			return &views[i];
	return NULL;
}

int knp_ctl_get(int argc, char **argv)
{
	static const struct option options[] = { CTL_OPTIONS, { 0 } };
	const struct view *view;
	struct json_object *rows;
	struct knp_ctl c;
	int opt, status;

	knp_ctl_begin(&c, argv[0]);
	while ((opt = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		status = knp_ctl_option(&c, opt, help);
		if (status >= 0)
			return status;
	}
	if (argc - optind != 1)
		return knp_ctl_usage(&c, "name one table");

	view = find(argv[optind]);
	if (!view)
		return knp_ctl_usage(&c, "unknown table %s", argv[optind]);

	status = knp_ctl_view(&c);
	if (status)
		return status;

	rows = knp_ctl_array();
	status = view->list(&c, rows);
	if (status)
		json_object_put(rows);
	else
		knp_ctl_print(&c, view->name, rows, view->columns,
			      view->ncolumns);
	knp_ctl_end(&c);
	return status;
}
