// SPDX-License-Identifier: Apache-2.0
/*
 * knpctl get: the tables as the kernel holds them, all from one generation,
 * with names beside the numbers.
 */
#include "ctl.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"usage: knpctl get TABLE [-o table|json]\n"
	"What the kernel holds. TABLE is one of\n"
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

typedef int (*list_fn)(struct knp_ctl *c, struct json_object *rows);

static void add_address(struct knp_ctl *c, struct json_object *row,
			const uint8_t *addr, uint8_t family)
{
	char text[46];

	knp_ctl_add_text(row, "address", knp_ctl_address(addr, family, text));
	knp_ctl_add_text(row, "pod",
			 knp_names_address(c->names, family, addr));
}

/* The policies of a set; null where the set is 0 or has no name. */
static void add_policies(struct knp_ctl *c, struct json_object *row,
			 const char *key, uint32_t set)
{
	knp_ctl_add(row, key,
		    knp_ctl_list(knp_ctl_name(c, KNP_TABLE_SET, set)));
}

static void add_class(struct knp_ctl *c, struct json_object *row, uint32_t id)
{
	knp_ctl_add_number(row, "class", id);
	knp_ctl_add_text(row, "class_name", knp_ctl_class(c, id));
}

/* The interface behind which an address is; null: it is bound to none. */
static void add_interface(const struct knp_ctl *c, struct json_object *row,
			  const struct knp_rec_endpoint *e)
{
	const struct knp_rec_binding *b = c->rs->bindings.v;
	char name[IF_NAMESIZE];
	size_t i;

	for (i = 0; i < c->rs->bindings.n; i++, b++) {
		if (b->family != e->family ||
		    memcmp(b->addr, e->addr, KNP_ADDR_LEN))
			continue;
		knp_ctl_add_number(row, "ifindex", b->ifindex);
		knp_ctl_add_text(row, "interface",
				 if_indextoname(b->ifindex, name));
		return;
	}
	knp_ctl_add_text(row, "ifindex", NULL);
	knp_ctl_add_text(row, "interface", NULL);
}

static int list_endpoints(struct knp_ctl *c, struct json_object *rows)
{
	const struct knp_rec_endpoint *e = c->rs->endpoints.v;
	struct json_object *row;
	size_t i;

	for (i = 0; i < c->rs->endpoints.n; i++, e++) {
		row = knp_ctl_object();
		add_address(c, row, e->addr, e->family);
		add_interface(c, row, e);
		knp_ctl_add_number(row, "egress_set", e->egress_set);
		add_policies(c, row, "egress_policies", e->egress_set);
		knp_ctl_add_number(row, "ingress_set", e->ingress_set);
		add_policies(c, row, "ingress_policies", e->ingress_set);
		knp_ctl_push(rows, row);
	}

	return CTL_OK;
}

static int list_peers(struct knp_ctl *c, struct json_object *rows)
{
	const struct knp_rec_peer *p = c->rs->peers.v;
	struct json_object *row;
	size_t i;

	for (i = 0; i < c->rs->peers.n; i++, p++) {
		row = knp_ctl_object();
		add_address(c, row, p->addr, p->family);
		add_class(c, row, p->class_id);
		knp_ctl_push(rows, row);
	}

	return CTL_OK;
}

static int list_cidrs(struct knp_ctl *c, struct json_object *rows)
{
	const struct knp_rec_cidr *p = c->rs->cidrs.v;
	char addr[46], text[64];
	struct json_object *row;
	size_t i;

	for (i = 0; i < c->rs->cidrs.n; i++, p++) {
		row = knp_ctl_object();
		snprintf(text, sizeof(text), "%s/%u",
			 knp_ctl_address(p->addr, p->family, addr),
			 p->prefixlen);
		knp_ctl_add_text(row, "cidr", text);
		add_class(c, row, p->class_id);
		knp_ctl_push(rows, row);
	}

	return CTL_OK;
}

static int list_classes(struct knp_ctl *c, struct json_object *rows)
{
	const struct knp_rec_class *class = c->rs->classes.v;
	const struct knp_rec_peer *peers = c->rs->peers.v;
	const struct knp_rec_cidr *cidrs = c->rs->cidrs.v;
	struct { uint32_t peers, cidrs; } *n;
	struct json_object *row;
	size_t i;

	/* Ids of classes are bounded by their number in the uapi: 16 bits. */
	n = calloc(UINT16_MAX + 1, sizeof(*n));
	if (!n)
		return knp_ctl_fail("out of memory");

	for (i = 0; i < c->rs->peers.n; i++)
		n[peers[i].class_id & UINT16_MAX].peers++;
	for (i = 0; i < c->rs->cidrs.n; i++)
		n[cidrs[i].class_id & UINT16_MAX].cidrs++;

	for (i = 0; i < c->rs->classes.n; i++, class++) {
		row = knp_ctl_object();
		knp_ctl_add_number(row, "id", class->id);
		knp_ctl_add_text(row, "name", knp_ctl_class(c, class->id));
		knp_ctl_add_number(row, "peers",
				   n[class->id & UINT16_MAX].peers);
		knp_ctl_add_number(row, "cidrs",
				   n[class->id & UINT16_MAX].cidrs);
		knp_ctl_add_tag(row, "tag", class->tag);
		knp_ctl_push(rows, row);
	}

	free(n);
	return CTL_OK;
}

static uint64_t endpoints_of(const struct knp_ctl *c, uint32_t set)
{
	const struct knp_rec_endpoint *e = c->rs->endpoints.v;
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < c->rs->endpoints.n; i++, e++)
		n += e->egress_set == set || e->ingress_set == set;
	return n;
}

static int list_sets(struct knp_ctl *c, struct json_object *rows)
{
	const struct knp_rec_set *s = c->rs->sets.v;
	struct json_object *row;
	size_t i;

	for (i = 0; i < c->rs->sets.n; i++, s++) {
		row = knp_ctl_object();
		knp_ctl_add_number(row, "id", s->id);
		knp_ctl_add_text(row, "direction",
				 knp_ctl_direction(s->direction));
		add_policies(c, row, "policies", s->id);
		knp_ctl_add_number(row, "endpoints", endpoints_of(c, s->id));
		knp_ctl_add_number(row, "default_portset", s->dflt);
		knp_ctl_add(row, "default_ports", knp_ctl_ports(c, s->dflt));
		knp_ctl_add_tag(row, "tag", s->tag);
		knp_ctl_push(rows, row);
	}

	return CTL_OK;
}

static struct json_object *new_row(struct knp_ctl *c,
				   const struct knp_rec_set *s)
{
	struct json_object *row = knp_ctl_object();

	knp_ctl_add_number(row, "set", s->id);
	knp_ctl_add_text(row, "direction", knp_ctl_direction(s->direction));
	add_policies(c, row, "policies", s->id);
	return row;
}

/* Each set's entries, and its default as the entry of all other classes. */
static int list_rows(struct knp_ctl *c, struct json_object *rows)
{
	const struct knp_rec_row *r = c->rs->rows.v;
	const struct knp_rec_row *end = r + c->rs->rows.n;
	const struct knp_rec_set *s = c->rs->sets.v;
	struct json_object *row;
	size_t i;

	for (i = 0; i < c->rs->sets.n; i++, s++) {
		for (; r < end && r->set == s->id; r++) {
			row = new_row(c, s);
			add_class(c, row, r->class_id);
			knp_ctl_add_number(row, "portset", r->portset);
			knp_ctl_add(row, "ports",
				    knp_ctl_ports(c, r->portset));
			knp_ctl_push(rows, row);
		}

		row = new_row(c, s);
		knp_ctl_add_text(row, "class", NULL);
		knp_ctl_add_text(row, "class_name", "(all others)");
		knp_ctl_add_number(row, "portset", s->dflt);
		knp_ctl_add(row, "ports", knp_ctl_ports(c, s->dflt));
		knp_ctl_push(rows, row);
	}

	return CTL_OK;
}

static void add_counter(struct json_object *row,
			const struct knp_counters *counters, uint32_t rule)
{
	const struct knp_counter *n = knp_counters_rule(counters, rule);

	knp_ctl_add_number(row, "packets", n ? n->packets : 0);
	knp_ctl_add_number(row, "bytes", n ? n->bytes : 0);
}

static int list_rules(struct knp_ctl *c, struct json_object *rows)
{
	const struct knp_rec_rule *r = c->rs->rules.v;
	struct knp_counters counters;
	struct json_object *row;
	size_t i;
	int err;

	err = knp_genl_counters(c->g, &counters);
	if (err)
		return knp_ctl_refused(c, err, "cannot read the counters");

	for (i = 0; i < c->rs->rules.n; i++, r++) {
		row = knp_ctl_object();
		knp_ctl_add_number(row, "id", r->id);
		knp_ctl_add_text(row, "rule", knp_names_tag(c->names, r->tag));
		add_counter(row, &counters, r->id);
		knp_ctl_add_tag(row, "tag", r->tag);
		knp_ctl_push(rows, row);
	}

	knp_counters_clear(&counters);
	return CTL_OK;
}

static int list_portsets(struct knp_ctl *c, struct json_object *rows)
{
	const struct knp_rs_portset *p = c->rs->portsets.v;
	struct json_object *row, *rules;
	const char *name;
	char id[16];
	size_t i;
	uint32_t j;

	for (i = 0; i < c->rs->portsets.n; i++, p++) {
		rules = knp_ctl_array();
		for (j = 0; j < p->rec.nports; j++) {
			name = knp_ctl_name(c, KNP_TABLE_RULE,
					    p->ports[j].rule);
			snprintf(id, sizeof(id), "%u", p->ports[j].rule);
			knp_ctl_push(rules, json_object_new_string(name ? name
								   : id));
		}

		row = knp_ctl_object();
		knp_ctl_add_number(row, "id", p->rec.id);
		knp_ctl_add(row, "ports", knp_ctl_ports(c, p->rec.id));
		knp_ctl_add(row, "rules", rules);
		knp_ctl_add_tag(row, "tag", p->rec.tag);
		knp_ctl_push(rows, row);
	}

	return CTL_OK;
}

static int list_ifaces(struct knp_ctl *c, struct json_object *rows)
{
	const struct knp_rec_iface *f = c->rs->ifaces.v;
	char name[IF_NAMESIZE];
	struct json_object *row;
	size_t i;

	for (i = 0; i < c->rs->ifaces.n; i++, f++) {
		row = knp_ctl_object();
		knp_ctl_add_number(row, "ifindex", f->ifindex);
		knp_ctl_add_text(row, "name", if_indextoname(f->ifindex, name));
		knp_ctl_add_text(row, "role", knp_ctl_role(f->role));
		knp_ctl_push(rows, row);
	}

	return CTL_OK;
}

/**
 * struct policy - one policy in one direction, while it is added up
 * @name: inside one of the arrays that collect() keeps
 */
struct policy {
	const char *name;
	uint8_t direction;
	uint64_t endpoints;
	uint64_t rules;
	uint64_t packets;
	uint64_t bytes;
};

static int by_policy(const void *a, const void *b)
{
	const struct policy *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (int)x->direction - (int)y->direction;
}

/* The rules of a policy are named "ns/policy ingress[0]". */
static bool owns(const struct policy *p, const char *rule)
{
	const char *direction = knp_ctl_direction(p->direction);
	size_t len = strlen(p->name), dlen = strlen(direction);

	return !strncmp(rule, p->name, len) && rule[len] == ' ' &&
	       !strncmp(rule + len + 1, direction, dlen) &&
	       rule[len + 1 + dlen] == '[';
}

static void add_rules(struct knp_ctl *c, struct policy *p,
		      const struct knp_counters *counters)
{
	const struct knp_rec_rule *r = c->rs->rules.v;
	const struct knp_counter *n;
	const char *name;
	size_t i;

	for (i = 0; i < c->rs->rules.n; i++, r++) {
		name = knp_names_tag(c->names, r->tag);
		if (!name || !owns(p, name))
			continue;

		p->rules++;
		n = knp_counters_rule(counters, r->id);
		p->packets += n ? n->packets : 0;
		p->bytes += n ? n->bytes : 0;
	}
}

static void push_policy(struct json_object *rows, const struct policy *p)
{
	struct json_object *row = knp_ctl_object();

	knp_ctl_add_text(row, "policy", p->name);
	knp_ctl_add_text(row, "direction", knp_ctl_direction(p->direction));
	knp_ctl_add_number(row, "endpoints", p->endpoints);
	knp_ctl_add_number(row, "rules", p->rules);
	knp_ctl_add_number(row, "packets", p->packets);
	knp_ctl_add_number(row, "bytes", p->bytes);
	knp_ctl_push(rows, row);
}

/* One entry per set and policy; then those of one policy are added up. */
static size_t collect(struct knp_ctl *c, struct json_object *lists,
		      struct policy **ret)
{
	const struct knp_rec_set *s = c->rs->sets.v;
	struct json_object *list, *name;
	struct policy *v = NULL;
	size_t i, j, n = 0;

	for (i = 0; i < c->rs->sets.n; i++, s++) {
		list = knp_ctl_list(knp_ctl_name(c, KNP_TABLE_SET, s->id));
		if (!list)
			continue;

		knp_ctl_push(lists, list);
		v = reallocarray(v, n + json_object_array_length(list) + 1,
				 sizeof(*v));
		if (!v)
			exit(knp_ctl_fail("out of memory"));

		for (j = 0; j < json_object_array_length(list); j++) {
			name = json_object_array_get_idx(list, j);
			v[n++] = (struct policy){
				.name = json_object_get_string(name),
				.direction = s->direction,
				.endpoints = endpoints_of(c, s->id),
			};
		}
	}

	*ret = v;
	return n;
}

static int list_policies(struct knp_ctl *c, struct json_object *rows)
{
	struct knp_counters counters;
	struct json_object *lists;
	struct policy *v;
	size_t i, j, n;
	int err;

	if (!c->names && c->rs->sets.n)
		return knp_ctl_fail("policies are names, and there are none: `knpctl get sets` shows ids");

	err = knp_genl_counters(c->g, &counters);
	if (err)
		return knp_ctl_refused(c, err, "cannot read the counters");

	lists = knp_ctl_array();
	n = collect(c, lists, &v);
	if (n)
		qsort(v, n, sizeof(*v), by_policy);

	for (i = 0; i < n; i = j) {
		for (j = i + 1; j < n && !by_policy(&v[i], &v[j]); j++)
			v[i].endpoints += v[j].endpoints;
		add_rules(c, &v[i], &counters);
		push_policy(rows, &v[i]);
	}

	free(v);
	json_object_put(lists);
	knp_counters_clear(&counters);
	return CTL_OK;
}

static const struct knp_column endpoint_columns[] = {
	{ "address", "ADDRESS", false },
	{ "pod", "POD", false },
	{ "interface", "INTERFACE", false },
	{ "egress_set", "EGRESS", true },
	{ "egress_policies", "EGRESS POLICIES", false },
	{ "ingress_set", "INGRESS", true },
	{ "ingress_policies", "INGRESS POLICIES", false },
};

static const struct knp_column peer_columns[] = {
	{ "address", "ADDRESS", false },
	{ "pod", "POD", false },
	{ "class", "CLASS", true },
	{ "class_name", "MEMBERS", false },
};

static const struct knp_column cidr_columns[] = {
	{ "cidr", "CIDR", false },
	{ "class", "CLASS", true },
	{ "class_name", "MEMBERS", false },
};

static const struct knp_column class_columns[] = {
	{ "id", "ID", true },
	{ "peers", "PEERS", true },
	{ "cidrs", "CIDRS", true },
	{ "name", "MEMBERS", false },
	{ "tag", "TAG", false },
};

static const struct knp_column set_columns[] = {
	{ "id", "ID", true },
	{ "direction", "DIRECTION", false },
	{ "policies", "POLICIES", false },
	{ "endpoints", "ENDPOINTS", true },
	{ "default_ports", "ANY PEER", false },
	{ "tag", "TAG", false },
};

static const struct knp_column row_columns[] = {
	{ "set", "SET", true },
	{ "direction", "DIRECTION", false },
	{ "policies", "POLICIES", false },
	{ "class", "CLASS", true },
	{ "class_name", "PEERS", false },
	{ "portset", "PORTSET", true },
	{ "ports", "ALLOWED", false },
};

static const struct knp_column rule_columns[] = {
	{ "id", "ID", true },
	{ "rule", "RULE", false },
	{ "packets", "PACKETS", true },
	{ "bytes", "BYTES", true },
	{ "tag", "TAG", false },
};

static const struct knp_column portset_columns[] = {
	{ "id", "ID", true },
	{ "ports", "PORTS", false },
	{ "rules", "RULES", false },
	{ "tag", "TAG", false },
};

static const struct knp_column iface_columns[] = {
	{ "ifindex", "INDEX", true },
	{ "name", "NAME", false },
	{ "role", "ROLE", false },
};

static const struct knp_column policy_columns[] = {
	{ "policy", "POLICY", false },
	{ "direction", "DIRECTION", false },
	{ "endpoints", "ENDPOINTS", true },
	{ "rules", "RULES", true },
	{ "packets", "PACKETS", true },
	{ "bytes", "BYTES", true },
};

static const struct view {
	const char *name;
	list_fn list;
	const struct knp_column *columns;
	size_t ncolumns;
} views[] = {
	{ "endpoints", list_endpoints, endpoint_columns, COUNT(endpoint_columns) },
	{ "policies", list_policies, policy_columns, COUNT(policy_columns) },
	{ "rules", list_rules, rule_columns, COUNT(rule_columns) },
	{ "sets", list_sets, set_columns, COUNT(set_columns) },
	{ "rows", list_rows, row_columns, COUNT(row_columns) },
	{ "peers", list_peers, peer_columns, COUNT(peer_columns) },
	{ "cidrs", list_cidrs, cidr_columns, COUNT(cidr_columns) },
	{ "classes", list_classes, class_columns, COUNT(class_columns) },
	{ "portsets", list_portsets, portset_columns, COUNT(portset_columns) },
	{ "ifaces", list_ifaces, iface_columns, COUNT(iface_columns) },
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
