// SPDX-License-Identifier: Apache-2.0
/* The names of the live ruleset's objects and addresses. */
#include <errno.h>
#include <stdlib.h>

#include "live_impl.h"
#include "names.h"

static int name_rule(struct knp_live *l, struct knp_names_log *log,
		     const struct live_rule *rule)
{
	int err;

	err = knp_identity_rule_name(&l->buf, rule->policy->policy,
				     rule->direction, rule->index);
	if (!err)
		knp_names_log_tag(log, rule->id.tag, KNP_NAME_RULE,
				  (const char *)l->buf.v);
	return err;
}

static int name_portset(struct knp_live *l, struct knp_names_log *log,
			const struct live_portset *p)
{
	int err;

	err = knp_identity_portset_name(&l->buf, p->entries, p->n);
	if (!err)
		knp_names_log_tag(log, p->id.tag, KNP_NAME_PORTSET,
				  (const char *)l->buf.v);
	return err;
}

static int name_set(struct knp_live *l, struct knp_names_log *log,
		    const struct live_set *s)
{
	const struct knp_policy **policies = live_set_policies(s);
	int err;

	if (!policies)
		return -ENOMEM;
	err = knp_identity_set_name(&l->buf, policies, s->npolicies);
	if (!err)
		knp_names_log_tag(log, s->id.tag, KNP_NAME_SET,
				  (const char *)l->buf.v);
	free(policies);
	return err;
}

/* Classes are named after their members, by who shows them. */
static int name_object(struct knp_live *l, struct knp_names_log *log,
		       enum live_kind kind, const void *object)
{
	switch (kind) {
	case LIVE_RULE:
		return name_rule(l, log, object);
	case LIVE_PORTSET:
		return name_portset(l, log, object);
	case LIVE_SET:
		return name_set(l, log, object);
	default:
		return 0;
	}
}

static void name_address(struct knp_names_log *log, uintptr_t who)
{
	const struct knp_pod *pod = live_pod(who);
	const struct knp_ip *ip = live_ip(who);

	knp_names_log_address(log, ip->family, ip->b, pod->ns, pod->name);
}

int knp_live_names(struct knp_live *l, struct knp_names_log *log)
{
	const struct live_numbers *n;
	void **v;
	int err = 0;

	for (int kind = 0; kind < LIVE_KINDS; kind++) {
		n = &l->numbers[kind];
		v = n->v.v;
		for (size_t i = 0; !err && i < n->v.n; i++)
			if (v[i])
				err = name_object(l, log, kind, v[i]);
	}
	for (size_t i = 0; !err && i < l->nslots; i++)
		if (l->slots[i].who)
			name_address(log, l->slots[i].who);
	return err;
}

int knp_live_new_names(struct knp_live *l, struct knp_names_log *log)
{
	const struct live_moved *moved = l->moved.v;
	const struct live_slot *slot;
	const struct live_gone *gone;
	void **fresh;
	int err = 0;

	for (int kind = 0; kind < LIVE_KINDS; kind++) {
		gone = l->gone[kind].v;
		for (size_t i = 0; kind != LIVE_CLASS &&
		     i < l->gone[kind].n; i++)
			knp_names_log_tag_gone(log, gone[i].tag);
		fresh = l->fresh[kind].v;
		for (size_t i = 0; !err && i < l->fresh[kind].n; i++)
			err = name_object(l, log, kind, fresh[i]);
	}
	for (size_t i = 0; !err && i < l->moved.n; i++) {
		slot = live_slot(l, &moved[i].ip);
		if (slot)
			name_address(log, slot->who);
		else
			knp_names_log_address_gone(log, moved[i].ip.family,
						   moved[i].ip.b);
	}
	return err;
}
