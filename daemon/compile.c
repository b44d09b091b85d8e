// SPDX-License-Identifier: Apache-2.0
/* The run: the steps in order, see compile_impl.h. */
#include <errno.h>
#include <stdlib.h>

#include "compile_impl.h"

static void prepare(struct knp_comp *c)
{
	c->namespaces.size = sizeof(struct knp_cns);
	c->pods.size = sizeof(struct knp_cpod);
	c->ips.size = sizeof(struct knp_cip);
	c->rules.size = sizeof(struct knp_crule);
	c->rule_atoms.size = sizeof(uint32_t);
	c->ranges.size = sizeof(struct knp_crange);
	c->any_peer_names.size = sizeof(uint32_t);
	c->atoms.size = sizeof(struct knp_catom);
	c->classes.size = sizeof(struct knp_cclass);
	c->class_atoms.size = sizeof(uint32_t);
	c->class_ports.size = sizeof(struct knp_port_of);
	c->sets.size = sizeof(struct knp_cset);
	c->set_policies.size = sizeof(uint32_t);
	c->set_ports.size = sizeof(struct knp_port_of);
	c->rows.size = sizeof(struct knp_crow);
	c->portsets.size = sizeof(struct knp_span);
	c->entries.size = sizeof(struct knp_centry);
}

static void finish(struct knp_comp *c)
{
	struct knp_recs *all[] = {
		&c->namespaces, &c->pods, &c->ips, &c->rules, &c->rule_atoms,
		&c->ranges, &c->any_peer_names, &c->atoms, &c->classes,
		&c->class_atoms,
		&c->class_ports, &c->sets, &c->set_policies, &c->set_ports,
		&c->rows, &c->portsets, &c->entries,
	};

	for (size_t i = 0; i < c->pods.n; i++)
		free(knp_cpods(c)[i].atoms.v);
	for (size_t i = 0; i < c->atoms.n; i++)
		free(knp_catoms(c)[i].names.v);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		free(all[i]->v);
	free(c->policies);
	knp_intern_clear(&c->list_ids);
	knp_port_names_clear(&c->names);
	knp_regions_clear(&c->regions);
	free(c->cregions);
	knp_intern_clear(&c->atom_ids);
	knp_intern_clear(&c->class_ids);
	knp_intern_clear(&c->set_ids);
	knp_intern_clear(&c->portset_ids);
	knp_buf_clear(&c->buf);
}

int knp_compile_within(const struct knp_store *store, const char *node,
		       const struct knp_limits *limits,
		       struct knp_ruleset **ret,
		       struct knp_troubles *troubles)
{
	static int (*const steps[])(struct knp_comp *c) = {
		knp_comp_pods, knp_comp_subjects, knp_comp_match,
		knp_comp_regions, knp_comp_classes, knp_comp_rows,
		knp_comp_emit,
	};
	struct knp_comp c = {
		.store = store,
		.limits = limits,
		.node = node,
		.troubles = troubles,
		.rs = knp_ruleset_new(),
		.policies = calloc(store->npolicies + 1, sizeof(*c.policies)),
	};
	int err = c.rs && c.policies ? 0 : -ENOMEM;

	prepare(&c);
	for (size_t i = 0; !err && i < sizeof(steps) / sizeof(steps[0]); i++)
		err = steps[i](&c);
	finish(&c);
	if (err) {
		knp_ruleset_free(c.rs);
		return err;
	}
	*ret = c.rs;
	return 0;
}

int knp_compile(const struct knp_store *store, const char *node,
		struct knp_ruleset **ret, struct knp_troubles *troubles)
{
	return knp_compile_within(store, node, &knp_limits, ret, troubles);
}
