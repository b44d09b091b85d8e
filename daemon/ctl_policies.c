// SPDX-License-Identifier: Apache-2.0
/*
 * Policies are no objects of the kernel: they are the names of its sets and
 * rules, added up.
 */
#include "ctl_get.h"

#include <stdlib.h>
#include <string.h>

/**
 * struct policy - one policy in one direction, while it is added up
 * @name: inside one of the arrays that collect() keeps
 * @set: the set, of which there is one entry at first
 * @pods: NULL for a plain table
 */
struct policy {
	const char *name;
	uint8_t direction;
	uint32_t set;
	struct json_object *pods;
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
	if (p->pods)
		knp_ctl_add(row, "pods", p->pods);
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
				.set = s->id,
				.endpoints = knp_ctl_endpoints_of(c, s->id),
			};
		}
	}

	*ret = v;
	return n;
}

int knp_ctl_list_policies(struct knp_ctl *c, struct json_object *rows)
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
		if (c->format != CTL_TABLE)
			v[i].pods = knp_ctl_array();
		for (j = i; j < n && !by_policy(&v[i], &v[j]); j++) {
			if (v[i].pods)
				knp_ctl_pods_of(c, v[j].set, v[i].pods);
			if (j > i)
				v[i].endpoints += v[j].endpoints;
		}
		add_rules(c, &v[i], &counters);
		push_policy(rows, &v[i]);
	}

	free(v);
	json_object_put(lists);
	knp_counters_clear(&counters);
	return CTL_OK;
}
