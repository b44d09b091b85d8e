// SPDX-License-Identifier: Apache-2.0
/* The names of the live ruleset's objects and addresses. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "live_impl.h"
#include "names.h"

static int format_rule(struct knp_live *l, const struct live_rule *rule)
{
	return knp_identity_rule_name(&l->buf, rule->policy->policy,
				      rule->direction, rule->index);
}

static int format_set(struct knp_live *l, const struct live_set *s)
{
	const struct knp_policy **policies = live_set_policies(s);
	int err;

	if (!policies)
		return -ENOMEM;
	err = knp_identity_set_name(&l->buf, policies, s->npolicies);
	free(policies);
	return err;
}

static int name_rule(struct knp_live *l, struct knp_names_log *log,
		     const struct live_rule *rule)
{
	int err = format_rule(l, rule);

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
	int err = format_set(l, s);

	if (!err)
		knp_names_log_tag(log, s->id.tag, KNP_NAME_SET,
				  (const char *)l->buf.v);
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

bool knp_live_name(struct knp_live *l, uint32_t table, uint32_t id,
		   const char **text, uint8_t tag[KNP_TAG_LEN],
		   uint8_t *direction)
{
	enum live_kind kind = table == KNP_TABLE_SET ? LIVE_SET : LIVE_RULE;
	const struct live_rule *rule;
	const struct live_set *set;
	void *object;
	int err;

	/* What is half done must not be touched. */
	if (l->failed || !id || id > l->ids[kind].v.n)
		return false;
	object = live_numbered(&l->ids[kind], id);
	if (!object)
		return false;

	rule = object;
	set = object;
	err = kind == LIVE_SET ? format_set(l, set) : format_rule(l, rule);
	if (err)
		return false;
	*text = (const char *)l->buf.v;
	memcpy(tag, live_id_of(kind, object)->tag, KNP_TAG_LEN);
	*direction = (kind == LIVE_SET ? set->direction : rule->direction) ==
		     INGRESS ? KNP_INGRESS : KNP_EGRESS;
	return true;
}
