// SPDX-License-Identifier: Apache-2.0
/*
 * Who is judged, and by which policies: groups with an address on this node
 * into sets, and the rules of the policies that a set has.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "block_limits.h"
#include "live_impl.h"
#include "selector.h"

static int queue_ns(struct knp_live *l, struct live_ns *ns)
{
	ns->reselect = true;
	return live_queue(&l->ns_queue, ns, &ns->queued);
}

/* Where a policy is, or belongs, in its namespace. */
static bool find_policy(const struct live_ns *ns, const char *name, size_t *at)
{
	struct live_policy *const *v = ns->policies.v;
	size_t lo = 0, hi = ns->policies.n, mid;
	int cmp;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		cmp = strcmp(v[mid]->policy->name, name);
		if (!cmp) {
			*at = mid;
			return true;
		}
		if (cmp < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*at = lo;
	return false;
}

static int insert_policy(struct live_ns *ns, size_t at,
			 struct live_policy *policy)
{
	struct live_policy **v;

	if (!knp_recs_add(&ns->policies, &policy))
		return -ENOMEM;
	v = ns->policies.v;
	memmove(&v[at + 1], &v[at], (ns->policies.n - 1 - at) * sizeof(*v));
	v[at] = policy;
	return 0;
}

int live_policy_put(struct knp_live *l, struct knp_policy *policy)
{
	struct live_ns *ns = live_ns(l, policy->ns);
	struct live_policy *p;
	size_t at;

	if (!ns)
		return -ENOMEM;
	if (find_policy(ns, policy->name, &at)) {
		p = ((struct live_policy **)ns->policies.v)[at];
		knp_policy_free(p->policy);
		p->policy = knp_policy_hold(policy);
	} else {
		p = calloc(1, sizeof(*p));
		if (!p)
			return -ENOMEM;
		p->ns = ns;
		p->policy = knp_policy_hold(policy);
		if (insert_policy(ns, at, p)) {
			knp_policy_free(p->policy);
			free(p);
			return -ENOMEM;
		}
	}
	p->changed = true;
	if (live_queue(&l->policy_queue, p, &p->queued))
		return -ENOMEM;
	return queue_ns(l, ns);
}

int live_policy_del(struct knp_live *l, const struct knp_policy *policy)
{
	struct live_ns *ns = live_ns(l, policy->ns);
	struct live_policy **v;
	size_t at;

	if (!ns)
		return -ENOMEM;
	if (!find_policy(ns, policy->name, &at))
		return 0;
	v = ns->policies.v;
	if (live_queue(&l->policy_queue, v[at], &v[at]->queued))
		return -ENOMEM;
	v[at]->gone = true;
	memmove(&v[at], &v[at + 1], (--ns->policies.n - at) * sizeof(*v));
	return queue_ns(l, ns);
}

/* What makes a set. */
struct set_key {
	int direction;
	const struct knp_recs *policies;	/* struct live_policy * */
	const struct knp_recs *ports;		/* struct knp_port_of */
};

static bool is_set(const struct knp_hash_node *node, const void *arg)
{
	const struct live_set *s = knp_hash_entry(node, struct live_set, node);
	const struct set_key *key = arg;

	return s->direction == key->direction &&
	       s->npolicies == key->policies->n &&
	       s->nports == key->ports->n &&
	       !memcmp(s->policies, key->policies->v,
		       s->npolicies * sizeof(*s->policies)) &&
	       (!s->nports || !memcmp(s->ports, key->ports->v,
				      s->nports * sizeof(*s->ports)));
}

static uint32_t set_hash(const struct set_key *key)
{
	uint64_t h = knp_hash64(&key->direction, sizeof(key->direction),
				knp_hash_seed());

	h = knp_hash64(key->policies->v, key->policies->n * sizeof(void *), h);
	return knp_hash64(key->ports->v,
			  key->ports->n * sizeof(struct knp_port_of), h);
}

const struct knp_policy **live_set_policies(const struct live_set *s)
{
	const struct knp_policy **policies;

	policies = calloc(s->npolicies, sizeof(*policies));
	for (uint32_t i = 0; policies && i < s->npolicies; i++)
		policies[i] = s->policies[i]->policy;
	return policies;
}

static int set_tag(struct knp_live *l, struct live_set *s)
{
	const struct knp_policy **policies = live_set_policies(s);
	int err;

	if (!policies)
		return -ENOMEM;
	err = knp_identity_set(&l->buf, s->direction, policies, s->npolicies,
			       &l->names, s->ports, s->nports, s->id.tag);
	free(policies);
	return err;
}

static void set_free(struct live_set *s)
{
	free(s->policies);
	free(s->ports);
	free(s->rules.v);
	free(s->any.v);
	free(s->hits.v);
	free(s->rows.v);
	free(s->left_out.v);
	free(s);
}

static void *copy(const struct knp_recs *recs)
{
	void *v = malloc(recs->n * recs->size + 1);

	if (v && recs->n)
		memcpy(v, recs->v, recs->n * recs->size);
	return v;
}

static struct live_set *set_new(struct knp_live *l, const struct set_key *key)
{
	struct live_set *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->direction = key->direction;
	s->policies = copy(key->policies);
	s->npolicies = key->policies->n;
	s->ports = copy(key->ports);
	s->nports = key->ports->n;
	s->rules.size = sizeof(struct live_rule *);
	s->any.size = sizeof(uint32_t);
	s->hits.size = sizeof(struct live_hit);
	s->rows.size = sizeof(struct live_row);
	s->left_out.size = sizeof(uint32_t);
	s->dirty = true;
	l->sets_dirty = true;
	if (!s->policies || !s->ports || set_tag(l, s) ||
	    knp_hash_add(&l->sets, &s->node, set_hash(key))) {
		set_free(s);
		return NULL;
	}
	return s;
}

static int set_get(struct knp_live *l, const struct set_key *key,
		   struct live_set **ret)
{
	struct knp_hash_node *node;
	struct live_policy *policy;
	struct live_set *s;
	int err;

	node = knp_hash_find(&l->sets, set_hash(key), is_set, key);
	if (node) {
		*ret = knp_hash_entry(node, struct live_set, node);
		(*ret)->refs++;
		return 0;
	}
	s = set_new(l, key);
	if (!s)
		return -ENOMEM;
	err = live_fresh(l, LIVE_SET, &s->id, s);
	if (err)
		return err;
	for (uint32_t i = 0; i < s->npolicies; i++) {
		policy = s->policies[i];
		policy->used[s->direction]++;
		if (live_queue(&l->policy_queue, policy, &policy->queued))
			return -ENOMEM;
	}
	s->refs = 1;
	*ret = s;
	return 0;
}

void live_set_put(struct knp_live *l, struct live_set *s)
{
	struct live_policy *policy;

	if (--s->refs)
		return;
	for (uint32_t i = 0; i < s->npolicies; i++) {
		policy = s->policies[i];
		policy->used[s->direction]--;
		if (live_queue(&l->policy_queue, policy, &policy->queued))
			l->failed = -ENOMEM;
	}
	live_row_clear_set(l, s);
	live_gone(l, LIVE_SET, &s->id);
	knp_hash_del(&l->sets, &s->node);
	set_free(s);
}

static bool isolates(const struct knp_policy *policy, int direction)
{
	return direction == INGRESS ? policy->isolates_ingress :
				      policy->isolates_egress;
}

/* What the ingress rules of a policy mean by name on the pods of a group. */
static int resolve(struct knp_live *l, const struct live_group *g,
		   const struct knp_policy *policy, struct knp_recs *ports)
{
	const struct knp_port *port;
	uint32_t name;
	int err = 0;

	for (size_t i = 0; i < policy->ningress; i++) {
		port = policy->ingress[i].ports;
		for (size_t j = 0; !err && j < policy->ingress[i].nports;
		     j++, port++) {
			if (!port->name)
				continue;
			err = knp_port_names_id(&l->names, port->proto,
						port->name, &name);
			if (!err)
				err = knp_port_names_resolve(&l->names, name,
							     g->ports->v,
							     g->ports->n,
							     ports);
		}
	}
	return err;
}

static int select_policies(struct knp_live *l, const struct live_group *g,
			   int direction, struct knp_recs *policies,
			   struct knp_recs *ports)
{
	struct live_policy *const *v = g->ns->policies.v;
	int err = 0;

	for (size_t i = 0; !err && i < g->ns->policies.n; i++) {
		if (!isolates(v[i]->policy, direction) ||
		    !knp_selector_matches(&v[i]->policy->subject, g->labels))
			continue;
		if (!knp_recs_add(policies, &v[i]))
			err = -ENOMEM;
		if (!err && direction == INGRESS)
			err = resolve(l, g, v[i]->policy, ports);
	}
	knp_port_names_sort(ports);
	return err;
}

static int reselect_side(struct knp_live *l, struct live_group *g,
			 int direction)
{
	struct knp_recs policies = { .size = sizeof(struct live_policy *) };
	struct knp_recs ports = { .size = sizeof(struct knp_port_of) };
	const struct set_key key = { direction, &policies, &ports };
	struct live_set *old = g->sets[direction];
	struct live_set *new = NULL;
	int err = 0;

	if (g->nlocal)
		err = select_policies(l, g, direction, &policies, &ports);
	if (!err && policies.n)
		err = set_get(l, &key, &new);
	free(policies.v);
	free(ports.v);
	if (err)
		return err;
	g->sets[direction] = new;
	if (old)
		live_set_put(l, old);
	return old == new ? 0 : live_queue(&l->moved_groups, g, &g->moved);
}

static int reselect(struct knp_live *l, struct live_group *g)
{
	int err = 0;

	for (int d = 0; !err && d < NDIRECTIONS; d++)
		err = reselect_side(l, g, d);
	g->reselect = false;
	return err;
}

int live_subjects(struct knp_live *l)
{
	struct live_ns **namespaces = l->ns_queue.v;
	struct live_group **groups = l->group_queue.v;
	struct live_group *g;
	int err = 0;

	for (size_t i = 0; !err && i < l->ns_queue.n; i++) {
		if (!namespaces[i]->reselect)
			continue;
		namespaces[i]->reselect = false;
		for (g = namespaces[i]->groups; !err && g; g = g->next)
			if (g->nlocal)
				err = reselect(l, g);
	}
	for (size_t i = 0; !err && i < l->group_queue.n; i++)
		if (groups[i]->reselect)
			err = reselect(l, groups[i]);
	return err;
}

/* Add (@uses 1) or take back (-1) the egress port names of a rule. */
static int count_names(struct knp_live *l, const struct live_rule *rule,
		       int uses)
{
	const struct knp_crange *names = rule->ranges + rule->nranges;
	int err = 0;

	if (rule->direction != EGRESS)
		return 0;
	for (size_t i = 0; !err && i < rule->nnames; i++) {
		if (rule->any_peer)
			err = live_any_name(l, names[i].name, uses);
		for (size_t j = 0; !err && j < rule->npeers; j++)
			if (!rule->peers[j]->peer->block)
				err = live_peer_name(l, rule->peers[j],
						     names[i].name, uses);
	}
	return err;
}

static void rule_free(struct live_rule *rule)
{
	free(rule->peers);
	free(rule->ranges);
	free(rule);
}

/* Let go of what a rule says, not of the rule. */
static void rule_empty(struct knp_live *l, struct live_rule *rule)
{
	if (count_names(l, rule, -1))
		l->failed = -ENOMEM;
	for (size_t i = 0; i < rule->npeers; i++)
		live_peer_put(l, rule->peers[i]);
	free(rule->peers);
	free(rule->ranges);
	rule->peers = NULL;
	rule->npeers = 0;
	rule->ranges = NULL;
	rule->nranges = 0;
	rule->nnames = 0;
}

static int fill_ports(struct knp_live *l, struct live_rule *rule,
		      const struct knp_rule *from)
{
	struct knp_crange *range;
	int err = 0;

	rule->ranges = calloc(from->nports + 1, sizeof(*rule->ranges));
	if (!rule->ranges)
		return -ENOMEM;
	for (size_t i = 0; i < from->nports; i++) {
		if (from->ports[i].name)
			continue;
		range = &rule->ranges[rule->nranges++];
		range->lo = from->ports[i].lo;
		range->hi = from->ports[i].hi;
		range->proto = from->ports[i].proto;
		range->name = KNP_NONE;
	}
	knp_port_ranges_sort(rule->ranges, rule->nranges);
	for (size_t i = 0; !err && i < from->nports; i++) {
		if (!from->ports[i].name)
			continue;
		range = &rule->ranges[rule->nranges + rule->nnames++];
		range->proto = from->ports[i].proto;
		err = knp_port_names_id(&l->names, range->proto,
					from->ports[i].name, &range->name);
	}
	return err;
}

static int fill_peers(struct knp_live *l, struct live_rule *rule,
		      const struct knp_rule *from)
{
	size_t n = from->closed ? 0 : from->npeers;
	struct live_peer *peer;
	int err;

	rule->peers = calloc(n + 1, sizeof(*rule->peers));
	if (!rule->peers)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (from->peers[i].block && rule->policy->refused)
			continue;
		err = live_peer_get(l, rule->policy, &from->peers[i], &peer);
		if (err)
			return err;
		rule->peers[rule->npeers++] = peer;
	}
	return 0;
}

static int rule_fill(struct knp_live *l, struct live_rule *rule,
		     const struct knp_rule *from)
{
	int err;

	rule->any_peer = !from->npeers && !from->closed;
	rule->any_port = !from->nports;
	err = fill_peers(l, rule, from);
	if (!err)
		err = fill_ports(l, rule, from);
	return err ? err : count_names(l, rule, 1);
}

static int rule_new(struct knp_live *l, struct live_policy *policy,
		    int direction, uint32_t index, struct live_rule **ret)
{
	struct live_rule *rule = calloc(1, sizeof(*rule));
	int err;

	if (!rule)
		return -ENOMEM;
	rule->policy = policy;
	rule->direction = direction;
	rule->index = index;
	err = knp_identity_rule(&l->buf, policy->policy, direction, index,
				rule->id.tag);
	if (!err)
		err = live_fresh(l, LIVE_RULE, &rule->id, rule);
	if (err) {
		free(rule);
		return err;
	}
	*ret = rule;
	return 0;
}

static void rule_del(struct knp_live *l, struct live_rule *rule)
{
	rule_empty(l, rule);
	live_gone(l, LIVE_RULE, &rule->id);
	rule_free(rule);
}

/*
 * Make the rules of a policy what it says now, @n of them. A rule keeps its
 * identity: it is the n-th of its policy, whatever it says. What the old ones
 * held is let go after the new ones have it, so that nothing goes and comes.
 */
static int remake(struct knp_live *l, struct live_policy *policy,
		  int direction, const struct knp_rule *from, uint32_t n)
{
	struct live_rules *rules = &policy->rules[direction];
	struct live_rule **v = calloc(n + 1, sizeof(*v));
	uint32_t had = rules->v ? rules->n : 0;
	struct live_rule old;
	uint32_t made = 0;
	int err = 0;

	if (!v)
		return -ENOMEM;
	for (; !err && made < n; made++) {
		if (made >= had) {
			err = rule_new(l, policy, direction, made, &v[made]);
			if (err)
				break;
			err = rule_fill(l, v[made], &from[made]);
			continue;
		}
		v[made] = rules->v[made];
		old = *v[made];
		v[made]->peers = NULL;
		v[made]->npeers = 0;
		v[made]->ranges = NULL;
		v[made]->nranges = 0;
		v[made]->nnames = 0;
		err = rule_fill(l, v[made], &from[made]);
		rule_empty(l, &old);
	}
	for (uint32_t i = made; i < had; i++)
		rule_del(l, rules->v[i]);
	free(rules->v);
	rules->v = v;
	rules->n = made;
	return err;
}

static void unmake(struct knp_live *l, struct live_rules *rules)
{
	for (uint32_t i = 0; i < rules->n; i++)
		rule_del(l, rules->v[i]);
	free(rules->v);
	*rules = (struct live_rules){ 0 };
}

static int update_rules(struct knp_live *l, struct live_policy *policy,
			int direction)
{
	const struct knp_rule *from = policy->policy->egress;
	uint32_t n = policy->policy->negress;

	if (!policy->used[direction]) {
		unmake(l, &policy->rules[direction]);
		return 0;
	}
	if (!policy->changed && policy->rules[direction].v)
		return 0;
	if (direction == INGRESS) {
		from = policy->policy->ingress;
		n = policy->policy->ningress;
	}
	return remake(l, policy, direction, from, n);
}

/* A policy that is refused now, or no more, has other rules. */
static int refuse(struct knp_live *l, struct live_policy *policy, bool refused)
{
	policy->ns->refused |= refused;
	l->misfits |= refused;
	if (policy->refused == refused)
		return 0;
	policy->refused = refused;
	policy->changed = true;
	return live_queue(&l->policy_queue, policy, &policy->queued);
}

static int count_blocks(struct knp_live *l, struct live_ns *ns)
{
	struct live_policy *const *v = ns->policies.v;
	struct knp_block_user *users;
	int err;

	ns->recount = false;
	ns->refused = false;
	users = calloc(ns->policies.n + 1, sizeof(*users));
	if (!users)
		return -ENOMEM;
	for (size_t i = 0; i < ns->policies.n; i++) {
		users[i].policy = v[i]->policy;
		for (int d = 0; d < NDIRECTIONS; d++)
			users[i].used[d] = v[i]->used[d];
	}
	err = knp_block_limits(users, ns->policies.n);
	for (size_t i = 0; !err && i < ns->policies.n; i++)
		err = refuse(l, v[i], users[i].refused);
	free(users);
	return err;
}

/* In the namespaces of policies that changed, or are used by other sets. */
static int limit_blocks(struct knp_live *l)
{
	struct live_policy **v = l->policy_queue.v;
	size_t n = l->policy_queue.n;
	struct live_ns *ns;
	int err = 0;

	for (size_t i = 0; i < n; i++)
		v[i]->ns->recount = true;
	for (size_t i = 0; !err && i < n; i++) {
		/* It may grow. */
		v = l->policy_queue.v;
		ns = v[i]->ns;
		if (ns->recount)
			err = count_blocks(l, ns);
	}
	return err;
}

/* The sets of policies that changed are to be computed anew. */
static void mark_sets(struct knp_live *l)
{
	struct knp_hash_node *node;
	struct live_set *s;

	knp_hash_for_each(&l->sets, node) {
		s = knp_hash_entry(node, struct live_set, node);
		for (uint32_t i = 0; i < s->npolicies && !s->dirty; i++)
			s->dirty = s->policies[i]->changed;
		l->sets_dirty |= s->dirty;
	}
}

static void policy_free(struct live_policy *policy)
{
	knp_policy_free(policy->policy);
	for (int d = 0; d < NDIRECTIONS; d++)
		free(policy->rules[d].v);
	free(policy);
}

int live_rules(struct knp_live *l)
{
	struct live_policy **v;
	int err;

	if (!l->policy_queue.n)
		return 0;
	err = limit_blocks(l);
	if (err)
		return err;
	v = l->policy_queue.v;
	mark_sets(l);
	for (size_t i = 0; !err && i < l->policy_queue.n; i++)
		for (int d = 0; !err && d < NDIRECTIONS; d++)
			err = update_rules(l, v[i], d);
	if (err)
		return err;
	for (size_t i = 0; i < l->policy_queue.n; i++) {
		v[i]->changed = false;
		v[i]->queued = false;
		if (v[i]->gone)
			policy_free(v[i]);
	}
	l->policy_queue.n = 0;
	return 0;
}

static void policy_drop(struct live_policy *policy)
{
	for (int d = 0; d < NDIRECTIONS; d++)
		for (uint32_t i = 0; i < policy->rules[d].n; i++)
			rule_free(policy->rules[d].v[i]);
	policy_free(policy);
}

void live_policy_clear(struct knp_live *l)
{
	struct live_policy **queued = l->policy_queue.v;
	struct knp_hash_node *node, *next;
	struct live_policy **v;
	struct live_ns *ns;

	/* Those that are gone are nowhere else. */
	for (size_t i = 0; i < l->policy_queue.n; i++)
		if (queued[i]->gone)
			policy_drop(queued[i]);
	free(l->policy_queue.v);
	knp_hash_for_each(&l->namespaces, node) {
		ns = knp_hash_entry(node, struct live_ns, node);
		v = ns->policies.v;
		for (size_t i = 0; i < ns->policies.n; i++)
			policy_drop(v[i]);
	}
	for (node = knp_hash_next(&l->sets, NULL); node; node = next) {
		next = knp_hash_next(&l->sets, node);
		set_free(knp_hash_entry(node, struct live_set, node));
	}
	knp_hash_clear(&l->sets);
}
