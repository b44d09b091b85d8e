// SPDX-License-Identifier: Apache-2.0
/*
 * Who is judged, and by which policies.
 *
 * A pod counts if it is not on the host's network, not terminal and has an
 * address. Where two such pods show one address, a completed one that is still
 * listed and its successor for instance, the one that it is bound to owns it,
 * and else the younger.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "block_limits.h"
#include "compile_impl.h"
#include "pod.h"
#include "selector.h"

static bool effective(const struct knp_pod *pod)
{
	return !pod->host_network && !pod->terminal && pod->nips;
}

static int by_ip(const struct knp_ip *a, const struct knp_ip *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->b, b->b, sizeof(a->b));
}

/* struct claim - an address and a pod that shows it */
struct claim {
	struct knp_ip ip;
	const struct knp_pod *pod;
	uint32_t index;
	bool bound;
};

static int by_claim(const void *a, const void *b)
{
	const struct claim *ca = a, *cb = b;
	int cmp = by_ip(&ca->ip, &cb->ip);

	if (cmp)
		return cmp;
	if (ca->bound != cb->bound)
		return ca->bound ? -1 : 1;
	if (ca->pod->created != cb->pod->created)
		return ca->pod->created > cb->pod->created ? -1 : 1;
	cmp = memcmp(cb->pod->uid, ca->pod->uid, sizeof(ca->pod->uid));
	if (cmp)
		return cmp;
	return (ca->index < cb->index) - (ca->index > cb->index);
}

static int settle_claims(struct knp_comp *c, struct knp_recs *claims)
{
	const struct claim *claim = claims->v;
	struct knp_cip ip = { 0 };

	if (claims->n > 1)
		qsort(claims->v, claims->n, claims->size, by_claim);
	for (size_t i = 0; i < claims->n; i++, claim++) {
		if (i && !by_ip(&claim->ip, &claim[-1].ip))
			continue;
		ip.ip = claim->ip;
		ip.pod = claim->index;
		knp_cpods(c)[ip.pod].owner = true;
		if (!knp_recs_add(&c->ips, &ip))
			return -ENOMEM;
	}
	return 0;
}

static int enter_namespace(struct knp_comp *c, const struct knp_pod *pod)
{
	const struct knp_cns *last = c->namespaces.v;
	const struct knp_namespace *object;
	struct knp_cns ns = { .name = pod->ns, .first = c->pods.n };

	if (c->namespaces.n &&
	    last[c->namespaces.n - 1].name == pod->ns)
		return 0;
	object = knp_store_namespace(c->store, pod->ns);
	if (object)
		ns.labels = object->labels;
	return knp_recs_add(&c->namespaces, &ns) ? 0 : -ENOMEM;
}

int knp_comp_pods(struct knp_comp *c)
{
	struct knp_recs claims = { .size = sizeof(struct claim) };
	struct claim claim = { 0 };
	struct knp_cns *namespaces;
	int err = 0;

	for (size_t i = 0; !err && i < c->store->npods; i++) {
		const struct knp_pod *pod = c->store->pods[i];
		struct knp_cpod cpod = {
			.pod = pod,
			.atoms = { .size = sizeof(uint32_t) },
			.set = { KNP_NONE, KNP_NONE },
			.local = !c->node || !strcmp(pod->node, c->node),
		};

		if (!effective(pod))
			continue;
		err = enter_namespace(c, pod);
		if (err)
			break;
		namespaces = c->namespaces.v;
		cpod.ns = c->namespaces.n - 1;
		namespaces[cpod.ns].n++;
		claim.pod = pod;
		claim.index = c->pods.n;
		if (!knp_recs_add(&c->pods, &cpod))
			err = -ENOMEM;
		for (size_t j = 0; !err && j < pod->nips; j++) {
			claim.ip = pod->ips[j];
			claim.bound = knp_pod_is_bound(pod, (uint32_t)j);
			if (!knp_recs_add(&claims, &claim))
				err = -ENOMEM;
		}
	}
	if (!err)
		err = settle_claims(c, &claims);
	free(claims.v);
	return err;
}

/* Numbers first, sorted, then the names. */
static int add_ranges(struct knp_comp *c, const struct knp_rule *rule,
		      struct knp_crule *crule)
{
	struct knp_crange range;
	int err;

	crule->ranges.first = c->ranges.n;
	for (size_t i = 0; i < rule->nports; i++) {
		if (rule->ports[i].name)
			continue;
		range = (struct knp_crange){
			.lo = rule->ports[i].lo,
			.hi = rule->ports[i].hi,
			.name = KNP_NONE,
			.proto = rule->ports[i].proto,
		};
		if (!knp_recs_add(&c->ranges, &range))
			return -ENOMEM;
		crule->ranges.n++;
	}
	knp_port_ranges_sort((struct knp_crange *)c->ranges.v +
			     crule->ranges.first, crule->ranges.n);

	crule->names.first = c->ranges.n;
	for (size_t i = 0; i < rule->nports; i++) {
		if (!rule->ports[i].name)
			continue;
		range = (struct knp_crange){ .proto = rule->ports[i].proto };
		err = knp_port_names_id(&c->names, rule->ports[i].proto,
					rule->ports[i].name, &range.name);
		if (err)
			return err;
		if (!knp_recs_add(&c->ranges, &range))
			return -ENOMEM;
		crule->names.n++;
	}
	return 0;
}

/*
 * Egress names are resolved on the peers of selectors. An ipBlock is made of
 * addresses, which have no port names, even where pods have the addresses.
 */
static int note_names(struct knp_comp *c, const struct knp_crule *crule)
{
	const struct knp_crange *names = c->ranges.v;
	const uint32_t *atoms = knp_numbers(&c->rule_atoms, crule->atoms);
	struct knp_catom *atom;

	if (crule->direction != EGRESS)
		return 0;
	names += crule->names.first;
	for (uint32_t i = 0; i < crule->names.n; i++) {
		if (crule->any_peer &&
		    !knp_recs_add(&c->any_peer_names, &names[i].name))
			return -ENOMEM;
		for (uint32_t j = 0; j < crule->atoms.n; j++) {
			atom = &knp_catoms(c)[atoms[j]];
			if (atom->peer->block)
				continue;
			if (!knp_recs_add(&atom->names, &names[i].name))
				return -ENOMEM;
		}
	}
	return 0;
}

static int add_peers(struct knp_comp *c, const struct knp_policy *policy,
		     bool refused, const struct knp_rule *rule,
		     struct knp_crule *crule)
{
	const struct knp_peer *peer = rule->peers;
	uint32_t atom;
	int err;

	for (size_t i = 0; i < rule->npeers && !rule->closed; i++, peer++) {
		if (peer->block && refused)
			continue;
		err = knp_comp_atom(c, policy, peer, &atom);
		if (err)
			return err;
		if (!knp_recs_add(&c->rule_atoms, &atom))
			return -ENOMEM;
		crule->atoms.n++;
	}
	return 0;
}

static int add_rule(struct knp_comp *c, uint32_t i, int direction,
		    uint32_t index, const struct knp_rule *rule)
{
	const struct knp_policy *policy = c->store->policies[i];
	struct knp_crule crule = {
		.policy = policy,
		.index = index,
		.direction = direction,
		.any_peer = !rule->npeers && !rule->closed,
		.any_port = !rule->nports,
		.atoms = { .first = c->rule_atoms.n },
	};
	int err;

	err = add_peers(c, policy, c->policies[i].refused, rule, &crule);
	if (!err)
		err = add_ranges(c, rule, &crule);
	if (!err)
		err = note_names(c, &crule);
	if (err)
		return err;

	err = knp_identity_rule(&c->buf, policy, direction, index, crule.tag);
	if (err)
		return err;
	return knp_recs_add(&c->rules, &crule) ? 0 : -ENOMEM;
}

static int add_rules(struct knp_comp *c, uint32_t i, int direction)
{
	const struct knp_policy *policy = c->store->policies[i];
	struct knp_span *span = &c->policies[i].rules[direction];
	const struct knp_rule *rules = policy->egress;
	int err = 0;

	span->first = c->rules.n;
	span->n = policy->negress;
	if (direction == INGRESS) {
		rules = policy->ingress;
		span->n = policy->ningress;
	}
	for (uint32_t j = 0; !err && j < span->n; j++)
		err = add_rule(c, i, direction, j, &rules[j]);
	return err;
}

/* What the ingress rules of some policies mean by name on this pod. */
static int resolve_ingress(struct knp_comp *c, const struct knp_pod *pod,
			   const struct knp_recs *policies,
			   struct knp_recs *ports)
{
	const uint32_t *policy = policies->v;
	const struct knp_crange *names;
	const struct knp_crule *rule;
	struct knp_span span;
	int err = 0;

	for (size_t i = 0; i < policies->n; i++) {
		span = c->policies[policy[i]].rules[INGRESS];
		for (uint32_t j = 0; j < span.n; j++) {
			rule = &knp_crules(c)[span.first + j];
			names = (struct knp_crange *)c->ranges.v +
				rule->names.first;
			for (uint32_t k = 0; !err && k < rule->names.n; k++)
				err = knp_port_names_resolve(&c->names,
							     names[k].name,
							     pod->ports->v,
							     pod->ports->n,
							     ports);
		}
	}
	knp_port_names_sort(ports);
	return err;
}

const struct knp_policy **knp_comp_set_policies(const struct knp_comp *c,
						const struct knp_cset *set)
{
	const uint32_t *index = knp_numbers(&c->set_policies, set->policies);
	const struct knp_policy **policies;

	policies = calloc(set->policies.n + 1, sizeof(*policies));
	for (uint32_t i = 0; policies && i < set->policies.n; i++)
		policies[i] = c->store->policies[index[i]];
	return policies;
}

static int set_tag(struct knp_comp *c, struct knp_cset *set)
{
	const struct knp_policy **policies;
	int err;

	policies = knp_comp_set_policies(c, set);
	if (!policies)
		return -ENOMEM;
	err = knp_identity_set(&c->buf, set->direction, policies,
			       set->policies.n, &c->names,
			       knp_ports_of(&c->set_ports, set->ports),
			       set->ports.n, set->tag);
	free(policies);
	return err;
}

static int add_all(struct knp_recs *pool, const struct knp_recs *recs,
		   struct knp_span *span)
{
	const char *rec = recs->v;

	span->first = pool->n;
	span->n = recs->n;
	for (size_t i = 0; i < recs->n; i++, rec += recs->size)
		if (!knp_recs_add(pool, rec))
			return -ENOMEM;
	return 0;
}

static int intern_set(struct knp_comp *c, int direction,
		      const struct knp_recs *policies,
		      const struct knp_recs *ports, uint32_t *ret)
{
	struct knp_cset set = { .direction = direction };
	int err;

	knp_buf_reset(&c->buf);
	knp_buf_u8(&c->buf, direction);
	knp_buf_u32(&c->buf, policies->n);
	knp_buf_add(&c->buf, policies->v, policies->n * policies->size);
	knp_buf_add(&c->buf, ports->v, ports->n * ports->size);
	if (c->buf.failed)
		return -ENOMEM;
	err = knp_intern(&c->set_ids, c->buf.v, c->buf.n, ret);
	if (err <= 0)
		return err;

	err = add_all(&c->set_policies, policies, &set.policies);
	if (!err)
		err = add_all(&c->set_ports, ports, &set.ports);
	if (!err)
		err = set_tag(c, &set);
	if (err)
		return err;
	return knp_recs_add(&c->sets, &set) ? 0 : -ENOMEM;
}

/* Which policies select a pod: a list, interned; the sets are made of it. */
static int select_policies(struct knp_comp *c, struct knp_cpod *pod,
			   struct knp_span span, int direction)
{
	const struct knp_policy *policy;
	struct knp_buf *b = &c->buf;
	bool isolates;
	int err;

	knp_buf_reset(b);
	for (uint32_t i = span.first; i < span.first + span.n; i++) {
		policy = c->store->policies[i];
		isolates = direction == INGRESS ? policy->isolates_ingress :
						  policy->isolates_egress;
		if (!isolates ||
		    !knp_selector_matches(&policy->subject, pod->pod->labels))
			continue;
		c->policies[i].used[direction] = true;
		knp_buf_add(b, &i, sizeof(i));
	}
	if (b->failed)
		return -ENOMEM;
	if (!b->n)
		return 0;
	err = knp_intern(&c->list_ids, b->v, b->n, &pod->set[direction]);
	return err < 0 ? err : 0;
}

/* From the list of policies to the set. */
static int subject(struct knp_comp *c, struct knp_cpod *pod, int direction)
{
	struct knp_recs ports = { .size = sizeof(struct knp_port_of) };
	struct knp_recs policies = { .size = sizeof(uint32_t) };
	size_t len;
	int err = 0;

	if (pod->set[direction] == KNP_NONE)
		return 0;
	policies.v = (void *)knp_intern_key(&c->list_ids, pod->set[direction],
					    &len);
	policies.n = len / policies.size;
	if (direction == INGRESS)
		err = resolve_ingress(c, pod->pod, &policies, &ports);
	if (!err)
		err = intern_set(c, direction, &policies, &ports,
				 &pod->set[direction]);
	free(ports.v);
	return err;
}

/* The policies of a namespace; both sides are sorted by it. */
static struct knp_span policies_of(const struct knp_comp *c, const char *ns,
				   uint32_t from)
{
	const struct knp_store *store = c->store;
	struct knp_span span = { .first = from };

	while (span.first < store->npolicies &&
	       strcmp(store->policies[span.first]->ns, ns) < 0)
		span.first++;
	while (span.first + span.n < store->npolicies &&
	       !strcmp(store->policies[span.first + span.n]->ns, ns))
		span.n++;
	return span;
}

static int select_all(struct knp_comp *c)
{
	const struct knp_cns *ns = c->namespaces.v;
	struct knp_span span = { 0 };
	struct knp_cpod *pod;
	int err = 0;

	for (size_t i = 0; i < c->namespaces.n; i++, ns++) {
		span = policies_of(c, ns->name, span.first);
		if (!span.n)
			continue;
		pod = knp_cpods(c) + ns->first;
		for (uint32_t j = 0; j < ns->n; j++, pod++) {
			if (!pod->local || !pod->owner)
				continue;
			for (int d = 0; !err && d < NDIRECTIONS; d++)
				err = select_policies(c, pod, span, d);
			if (err)
				return err;
		}
	}
	return 0;
}

/* @n policies from @first on, those of a namespace. */
static int limit_blocks(struct knp_comp *c, size_t first, size_t n)
{
	struct knp_block_user *users = calloc(n, sizeof(*users));
	struct knp_cpolicy *policies = c->policies + first;
	int err;

	if (!users)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		users[i].policy = c->store->policies[first + i];
		memcpy(users[i].used, policies[i].used, sizeof(users[i].used));
	}
	err = knp_block_limits(users, n);
	for (size_t i = 0; !err && i < n; i++) {
		policies[i].refused = users[i].refused;
		if (users[i].refused)
			err = knp_trouble_blocks(c->troubles, users[i].policy);
	}
	free(users);
	return err;
}

static int limit_all_blocks(struct knp_comp *c)
{
	struct knp_policy *const *policies = c->store->policies;
	size_t n;
	int err = 0;

	for (size_t i = 0; !err && i < c->store->npolicies; i += n) {
		for (n = 1; i + n < c->store->npolicies; n++)
			if (policies[i + n]->ns != policies[i]->ns)
				break;
		err = limit_blocks(c, i, n);
	}
	return err;
}

int knp_comp_subjects(struct knp_comp *c)
{
	struct knp_cpod *pods = knp_cpods(c);
	int err;

	err = select_all(c);
	if (!err)
		err = limit_all_blocks(c);
	/* In the store's order: the number of a rule is its precedence. */
	for (size_t i = 0; !err && i < c->store->npolicies; i++)
		for (int d = 0; !err && d < NDIRECTIONS; d++)
			if (c->policies[i].used[d])
				err = add_rules(c, i, d);
	for (size_t i = 0; !err && i < c->pods.n; i++)
		for (int d = 0; !err && d < NDIRECTIONS; d++)
			err = subject(c, &pods[i], d);
	return err;
}
