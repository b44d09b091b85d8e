// SPDX-License-Identifier: Apache-2.0
/* What does not fit, as the compiler says it. */
#include <errno.h>
#include <stdlib.h>

#include "live_impl.h"

static int add_set(struct knp_live *l, const struct live_set *s,
		   struct knp_troubles *ret)
{
	const struct knp_policy **policies;
	int err;

	if (!s->denied && !s->left_out.n)
		return 0;
	policies = live_set_policies(s);
	if (!policies)
		return -ENOMEM;
	err = knp_trouble_ports(ret, &l->buf, policies, s->npolicies,
				s->direction, s->left_out.n);
	free(policies);
	return err;
}

static int add_refused(const struct live_ns *ns, struct knp_troubles *ret)
{
	struct live_policy *const *v = ns->policies.v;
	int err = 0;

	for (size_t i = 0; !err && i < ns->policies.n; i++)
		if (v[i]->refused)
			err = knp_trouble_blocks(ret, v[i]->policy);
	return err;
}

int knp_live_troubles(struct knp_live *l, struct knp_troubles *ret)
{
	size_t before = ret->n;
	struct knp_hash_node *node;
	struct live_ns *ns;
	int err = 0;

	/* What nearly always fits must not cost each event a look at all of it. */
	if (!l->misfits)
		return 0;
	knp_hash_for_each(&l->sets, node) {
		err = add_set(l, knp_hash_entry(node, struct live_set, node),
			      ret);
		if (err)
			return err;
	}
	knp_hash_for_each(&l->namespaces, node) {
		ns = knp_hash_entry(node, struct live_ns, node);
		if (ns->refused)
			err = add_refused(ns, ret);
		if (err)
			return err;
	}
	l->misfits = ret->n > before;
	knp_troubles_sort(ret);
	return 0;
}
