// SPDX-License-Identifier: Apache-2.0
#include "ctl_get.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_address(struct knp_ctl *c, struct json_object *row,
			const uint8_t *addr, uint8_t family)
{
	char text[46];

	knp_ctl_add_text(row, "address", knp_ctl_address(addr, family, text));
	knp_ctl_add_text(row, "pod",
			 knp_names_address(c->names, family, addr));
}

/* What a plain table does not show may cost more than what it does. */
static bool in_full(const struct knp_ctl *c)
{
	return c->format != CTL_TABLE;
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
	knp_ctl_add_tag(row, "class_tag", knp_ctl_tag(c, KNP_TABLE_CLASS, id));
}

/* Add a text that may be there already. */
static void push_once(struct json_object *array, const char *text)
{
	size_t i;

	for (i = 0; i < json_object_array_length(array); i++)
		if (!strcmp(json_object_get_string(json_object_array_get_idx(array, i)),
			    text))
			return;
	knp_ctl_push(array, json_object_new_string(text));
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

int knp_ctl_list_endpoints(struct knp_ctl *c, struct json_object *rows)
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

int knp_ctl_list_peers(struct knp_ctl *c, struct json_object *rows)
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

int knp_ctl_list_cidrs(struct knp_ctl *c, struct json_object *rows)
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

/*
 * For each class the sets that say something of it; what others say is their
 * default. One pass over the rows, which are sorted by set.
 */
static struct json_object **sets_of_classes(const struct knp_ctl *c)
{
	const struct knp_rec_class *classes = c->rs->classes.v, *class;
	struct json_object **v = calloc(c->rs->classes.n + 1, sizeof(*v));
	const struct knp_rec_row *r = c->rs->rows.v;
	size_t i;

	if (!v)
		exit(knp_ctl_fail("out of memory"));

	for (i = 0; i < c->rs->classes.n; i++)
		v[i] = knp_ctl_array();
	for (i = 0; i < c->rs->rows.n; i++, r++) {
		class = knp_recs_find(&c->rs->classes, r->class_id);
		if (class)
			knp_ctl_push(v[class - classes],
				     json_object_new_int64(r->set));
	}
	return v;
}

int knp_ctl_list_classes(struct knp_ctl *c, struct json_object *rows)
{
	const struct knp_rec_class *class = c->rs->classes.v;
	const struct knp_rec_peer *peers = c->rs->peers.v;
	const struct knp_rec_cidr *cidrs = c->rs->cidrs.v;
	struct { uint32_t peers, cidrs; } *n;
	struct json_object *row, **sets;
	size_t i;

	/* Ids of classes are bounded by their number in the uapi: 16 bits. */
	n = calloc(UINT16_MAX + 1, sizeof(*n));
	if (!n)
		return knp_ctl_fail("out of memory");

	for (i = 0; i < c->rs->peers.n; i++)
		n[peers[i].class_id & UINT16_MAX].peers++;
	for (i = 0; i < c->rs->cidrs.n; i++)
		n[cidrs[i].class_id & UINT16_MAX].cidrs++;

	sets = in_full(c) ? sets_of_classes(c) : NULL;
	for (i = 0; i < c->rs->classes.n; i++, class++) {
		row = knp_ctl_object();
		knp_ctl_add_number(row, "id", class->id);
		knp_ctl_add_text(row, "name", knp_ctl_class(c, class->id));
		knp_ctl_add_number(row, "peers",
				   n[class->id & UINT16_MAX].peers);
		knp_ctl_add_number(row, "cidrs",
				   n[class->id & UINT16_MAX].cidrs);
		if (sets)
			knp_ctl_add(row, "sets", sets[i]);
		knp_ctl_add_tag(row, "tag", class->tag);
		knp_ctl_push(rows, row);
	}

	free(sets);
	free(n);
	return CTL_OK;
}

static bool judged_by(const struct knp_rec_endpoint *e, uint32_t set)
{
	return e->egress_set == set || e->ingress_set == set;
}

uint64_t knp_ctl_endpoints_of(const struct knp_ctl *c, uint32_t set)
{
	const struct knp_rec_endpoint *e = c->rs->endpoints.v;
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < c->rs->endpoints.n; i++, e++)
		n += judged_by(e, set);
	return n;
}

void knp_ctl_pods_of(const struct knp_ctl *c, uint32_t set,
		     struct json_object *pods)
{
	const struct knp_rec_endpoint *e = c->rs->endpoints.v;
	const char *pod;
	size_t i;

	for (i = 0; i < c->rs->endpoints.n; i++, e++) {
		if (!judged_by(e, set))
			continue;
		pod = knp_names_address(c->names, e->family, e->addr);
		if (pod)
			push_once(pods, pod);
	}
}

static struct json_object *pods_of(const struct knp_ctl *c, uint32_t set)
{
	struct json_object *pods = knp_ctl_array();

	knp_ctl_pods_of(c, set, pods);
	return pods;
}

int knp_ctl_list_sets(struct knp_ctl *c, struct json_object *rows)
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
		knp_ctl_add_number(row, "endpoints",
				   knp_ctl_endpoints_of(c, s->id));
		if (in_full(c))
			knp_ctl_add(row, "pods", pods_of(c, s->id));
		knp_ctl_add_number(row, "default_portset", s->dflt);
		knp_ctl_add(row, "default_ports", knp_ctl_ports(c, s->dflt));
		knp_ctl_add_tag(row, "tag", s->tag);
		knp_ctl_push(rows, row);
	}

	return CTL_OK;
}

/* The rules of a portset, one for each of its ports. */
static struct json_object *rules_of(const struct knp_ctl *c,
				    const struct knp_rs_portset *p)
{
	struct json_object *rules = knp_ctl_array();
	const char *name;
	char id[16];
	uint32_t i;

	for (i = 0; i < p->rec.nports; i++) {
		name = knp_ctl_name(c, KNP_TABLE_RULE, p->ports[i].rule);
		snprintf(id, sizeof(id), "%u", p->ports[i].rule);
		knp_ctl_push(rules, json_object_new_string(name ? name : id));
	}
	return rules;
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

/* What a row allows; portset 0 is nothing. */
static void add_portset(struct knp_ctl *c, struct json_object *row, uint32_t id)
{
	const struct knp_rs_portset *p = knp_recs_find(&c->rs->portsets, id);

	knp_ctl_add_number(row, "portset", id);
	knp_ctl_add(row, "ports", knp_ctl_ports(c, id));
	if (in_full(c))
		knp_ctl_add(row, "rules", p ? rules_of(c, p) :
					      knp_ctl_array());
}

/* Each set's entries, and its default as the entry of all other classes. */
int knp_ctl_list_rows(struct knp_ctl *c, struct json_object *rows)
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
			add_portset(c, row, r->portset);
			knp_ctl_push(rows, row);
		}

		row = new_row(c, s);
		knp_ctl_add_text(row, "class", NULL);
		knp_ctl_add_text(row, "class_name", "(all others)");
		knp_ctl_add_text(row, "class_tag", NULL);
		add_portset(c, row, s->dflt);
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

/*
 * For each rule the ports that it allows to some class. One pass over the
 * portsets; those of a rule in the order of their first appearance.
 */
static struct json_object **ports_of_rules(const struct knp_ctl *c)
{
	const struct knp_rs_portset *p = c->rs->portsets.v;
	struct json_object **v = calloc(c->rs->rules.n + 1, sizeof(*v));
	const struct knp_rec_rule *rules = c->rs->rules.v, *rule;
	struct json_object *ports, *port;
	uint32_t j;
	size_t i;

	if (!v)
		exit(knp_ctl_fail("out of memory"));

	for (i = 0; i < c->rs->rules.n; i++)
		v[i] = knp_ctl_array();
	for (i = 0; i < c->rs->portsets.n; i++, p++) {
		ports = knp_ctl_ports(c, p->rec.id);
		for (j = 0; j < p->rec.nports; j++) {
			rule = knp_recs_find(&c->rs->rules, p->ports[j].rule);
			port = json_object_array_get_idx(ports, j);
			if (rule)
				push_once(v[rule - rules],
					  json_object_get_string(port));
		}
		json_object_put(ports);
	}
	return v;
}

int knp_ctl_list_rules(struct knp_ctl *c, struct json_object *rows)
{
	const struct knp_rec_rule *r = c->rs->rules.v;
	struct json_object *row, **ports;
	struct knp_counters counters;
	size_t i;
	int err;

	err = knp_genl_counters(c->g, &counters);
	if (err)
		return knp_ctl_refused(c, err, "cannot read the counters");

	ports = in_full(c) ? ports_of_rules(c) : NULL;
	for (i = 0; i < c->rs->rules.n; i++, r++) {
		row = knp_ctl_object();
		knp_ctl_add_number(row, "id", r->id);
		knp_ctl_add_text(row, "rule", knp_names_tag(c->names, r->tag));
		if (ports)
			knp_ctl_add(row, "ports", ports[i]);
		add_counter(row, &counters, r->id);
		knp_ctl_add_tag(row, "tag", r->tag);
		knp_ctl_push(rows, row);
	}

	free(ports);
	knp_counters_clear(&counters);
	return CTL_OK;
}

/* How many rows, defaults of sets included, have each portset. */
static uint32_t *rows_of_portsets(const struct knp_ctl *c)
{
	const struct knp_rs_portset *v = c->rs->portsets.v, *p;
	const struct knp_rec_row *r = c->rs->rows.v;
	const struct knp_rec_set *s = c->rs->sets.v;
	uint32_t *n = calloc(c->rs->portsets.n + 1, sizeof(*n));
	size_t i;

	if (!n)
		exit(knp_ctl_fail("out of memory"));

	for (i = 0; i < c->rs->rows.n; i++) {
		p = knp_recs_find(&c->rs->portsets, r[i].portset);
		if (p)
			n[p - v]++;
	}
	for (i = 0; i < c->rs->sets.n; i++) {
		p = knp_recs_find(&c->rs->portsets, s[i].dflt);
		if (p)
			n[p - v]++;
	}
	return n;
}

int knp_ctl_list_portsets(struct knp_ctl *c, struct json_object *rows)
{
	const struct knp_rs_portset *p = c->rs->portsets.v;
	uint32_t *used = rows_of_portsets(c);
	struct json_object *row;
	size_t i;

	for (i = 0; i < c->rs->portsets.n; i++, p++) {
		row = knp_ctl_object();
		knp_ctl_add_number(row, "id", p->rec.id);
		knp_ctl_add(row, "ports", knp_ctl_ports(c, p->rec.id));
		knp_ctl_add(row, "rules", rules_of(c, p));
		knp_ctl_add_number(row, "rows", used[i]);
		knp_ctl_add_tag(row, "tag", p->rec.tag);
		knp_ctl_push(rows, row);
	}

	free(used);
	return CTL_OK;
}

/* The pods whose addresses are bound to an interface. */
static struct json_object *pods_behind(const struct knp_ctl *c,
				       uint32_t ifindex)
{
	const struct knp_rec_binding *b = c->rs->bindings.v;
	struct json_object *pods = knp_ctl_array();
	const char *pod;
	size_t i;

	for (i = 0; i < c->rs->bindings.n; i++, b++) {
		if (b->ifindex != ifindex)
			continue;
		pod = knp_names_address(c->names, b->family, b->addr);
		if (pod)
			push_once(pods, pod);
	}
	return pods;
}

int knp_ctl_list_ifaces(struct knp_ctl *c, struct json_object *rows)
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
		if (in_full(c))
			knp_ctl_add(row, "pods", pods_behind(c, f->ifindex));
		knp_ctl_push(rows, row);
	}

	return CTL_OK;
}
