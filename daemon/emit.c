// SPDX-License-Identifier: Apache-2.0
/*
 * What was computed, as records. Ids are the ranks of the tags, so they do not
 * depend on the order of anything.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compile_impl.h"

#define FULL_NAME	"(no room for the policies: denied)"

struct tagged {
	uint8_t tag[KNP_TAG_LEN];
	uint32_t index;
};

/* struct emit - ids by number; 0: not in the ruleset */
struct emit {
	struct knp_comp *c;
	uint32_t *rules;
	uint32_t *portsets;
	uint32_t *classes;
	uint32_t *sets;
	struct tagged *portset_tags;	/* by number */
	uint32_t full[NDIRECTIONS];	/* the set of those that have no room */
};

static int by_tag(const void *a, const void *b)
{
	const struct tagged *ta = a, *tb = b;

	return memcmp(ta->tag, tb->tag, KNP_TAG_LEN);
}

static void rank(struct tagged *tagged, size_t n, uint32_t *ids)
{
	qsort(tagged, n, sizeof(*tagged), by_tag);
	for (size_t i = 0; i < n; i++)
		ids[tagged[i].index] = i + 1;
}

/* The name in c->buf. */
static int add_name(struct emit *e, enum knp_name_kind kind,
		    const uint8_t *tag)
{
	struct knp_name name = { .kind = kind };

	memcpy(name.tag, tag, KNP_TAG_LEN);
	name.text = strdup((const char *)e->c->buf.v);
	if (!name.text)
		return -ENOMEM;
	if (!knp_recs_add(&e->c->rs->names, &name)) {
		free(name.text);
		return -ENOMEM;
	}
	return 0;
}

static int emit_rules(struct emit *e)
{
	struct knp_comp *c = e->c;
	size_t n = c->rules.n < c->limits->v[KNP_TABLE_RULE] ?
		   c->rules.n : c->limits->v[KNP_TABLE_RULE];
	struct tagged *tagged = calloc(n + 1, sizeof(*tagged));
	const struct knp_crule *rules = knp_crules(c);
	struct knp_rec_rule rec = { 0 };
	int err = 0;

	e->rules = calloc(c->rules.n + 1, sizeof(*e->rules));
	if (!tagged || !e->rules) {
		free(tagged);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		memcpy(tagged[i].tag, rules[i].tag, KNP_TAG_LEN);
		tagged[i].index = i;
	}
	rank(tagged, n, e->rules);
	free(tagged);
	for (size_t i = 0; !err && i < n; i++) {
		rec.id = e->rules[i];
		memcpy(rec.tag, rules[i].tag, KNP_TAG_LEN);
		if (!knp_recs_add(&c->rs->rules, &rec))
			return -ENOMEM;
		err = knp_identity_rule_name(&c->buf, rules[i].policy,
					     rules[i].direction,
					     rules[i].index);
		if (!err)
			err = add_name(e, KNP_NAME_RULE, rec.tag);
	}
	if (err || n == c->rules.n)
		return err;
	/* Also where nobody is denied: the rules are not there to be shown. */
	return knp_trouble(c->troubles, "more than %zu rules: the rest is left out, and what needs one of them is denied",
			   n);
}

static const uint8_t *rule_tag(void *arg, uint32_t rule)
{
	return knp_crules(arg)[rule].tag;
}

static void mark_used(struct emit *e)
{
	const struct knp_comp *c = e->c;
	const struct knp_crow *rows = c->rows.v;

	for (size_t i = 0; i < c->rows.n; i++)
		e->portsets[rows[i].portset] = 1;
	for (size_t i = 0; i < c->sets.n; i++)
		e->portsets[knp_csets(c)[i].dflt] = 1;
	e->portsets[0] = 0;
}

static int by_lo(const void *a, const void *b)
{
	const struct knp_rec_port *pa = a, *pb = b;

	if (pa->proto != pb->proto)
		return pa->proto < pb->proto ? -1 : 1;
	return (pa->lo > pb->lo) - (pa->lo < pb->lo);
}

static int emit_portset(struct emit *e, uint32_t i)
{
	struct knp_comp *c = e->c;
	struct knp_span span = ((struct knp_span *)c->portsets.v)[i];
	const struct knp_centry *entry = c->entries.v;
	struct knp_rs_portset rec = {
		.rec = { .id = e->portsets[i], .nports = span.n },
		.ports = calloc(span.n, sizeof(*rec.ports)),
	};
	int err;

	if (!rec.ports)
		return -ENOMEM;
	entry += span.first;
	memcpy(rec.rec.tag, e->portset_tags[i].tag, KNP_TAG_LEN);
	for (uint32_t j = 0; j < span.n; j++) {
		rec.ports[j].rule = e->rules[entry[j].rule];
		rec.ports[j].lo = entry[j].lo;
		rec.ports[j].hi = entry[j].hi;
		rec.ports[j].proto = entry[j].proto;
	}
	qsort(rec.ports, span.n, sizeof(*rec.ports), by_lo);
	if (!knp_recs_add(&c->rs->portsets, &rec)) {
		free(rec.ports);
		return -ENOMEM;
	}
	err = knp_identity_portset_name(&c->buf, entry, span.n);
	return err ? err : add_name(e, KNP_NAME_PORTSET, rec.rec.tag);
}

static int emit_portsets(struct emit *e)
{
	struct knp_comp *c = e->c;
	const struct knp_span *spans = c->portsets.v;
	size_t n = c->portsets.n, used = 0;
	struct tagged *tagged = calloc(n + 1, sizeof(*tagged));
	int err = 0;

	e->portsets = calloc(n + 1, sizeof(*e->portsets));
	e->portset_tags = calloc(n + 1, sizeof(*e->portset_tags));
	if (!tagged || !e->portsets || !e->portset_tags) {
		free(tagged);
		return -ENOMEM;
	}
	mark_used(e);
	for (size_t i = 1; !err && i < n; i++) {
		if (!e->portsets[i])
			continue;
		e->portset_tags[i].index = i;
		err = knp_identity_portset(&c->buf, (struct knp_centry *)
					   c->entries.v + spans[i].first,
					   spans[i].n, rule_tag, c,
					   e->portset_tags[i].tag);
		tagged[used++] = e->portset_tags[i];
	}
	if (!err)
		rank(tagged, used, e->portsets);
	free(tagged);
	for (size_t i = 1; !err && i < n; i++)
		if (e->portsets[i])
			err = emit_portset(e, i);
	return err;
}

static int emit_classes(struct emit *e)
{
	struct knp_comp *c = e->c;
	size_t n = c->classes.n - 1;
	struct tagged *tagged = calloc(n + 1, sizeof(*tagged));
	struct knp_rec_class rec = { 0 };

	e->classes = calloc(c->classes.n, sizeof(*e->classes));
	if (!tagged || !e->classes) {
		free(tagged);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		memcpy(tagged[i].tag, knp_cclasses(c)[i + 1].tag, KNP_TAG_LEN);
		tagged[i].index = i + 1;
	}
	rank(tagged, n, e->classes);
	free(tagged);
	for (size_t i = 1; i < c->classes.n; i++) {
		rec.id = e->classes[i];
		memcpy(rec.tag, knp_cclasses(c)[i].tag, KNP_TAG_LEN);
		if (!knp_recs_add(&c->rs->classes, &rec))
			return -ENOMEM;
	}
	return 0;
}

/* Two more sets: where the others have no room, everything is denied. */
static int add_full_sets(struct knp_comp *c, size_t fitting)
{
	static const char *const words[] = { "egress", "ingress" };
	struct knp_cset *sets;
	int err;

	for (int d = 0; d < NDIRECTIONS; d++) {
		sets = knp_csets(c);
		sets[fitting + d] = (struct knp_cset){
			.direction = d,
			.deny = true,
		};
		knp_buf_reset(&c->buf);
		knp_buf_str(&c->buf, "full");
		knp_buf_str(&c->buf, words[d]);
		err = knp_identity_seal(&c->buf, sets[fitting + d].tag);
		if (err)
			return err;
	}
	return knp_trouble(c->troubles, "more than %u policy sets: the pods of the rest are denied everything",
			   c->limits->v[KNP_TABLE_SET]);
}

static int name_set(struct emit *e, const struct knp_cset *set)
{
	const struct knp_policy **policies = knp_comp_set_policies(e->c, set);
	int err;

	if (!policies)
		return -ENOMEM;
	err = knp_identity_set_name(&e->c->buf, policies, set->policies.n);
	free(policies);
	return err ? err : add_name(e, KNP_NAME_SET, set->tag);
}

static int emit_set(struct emit *e, uint32_t i)
{
	struct knp_comp *c = e->c;
	const struct knp_cset *set = &knp_csets(c)[i];
	struct knp_rec_set rec = {
		.id = e->sets[i],
		.dflt = e->portsets[set->dflt],
		.direction = set->direction == EGRESS ? KNP_EGRESS :
							KNP_INGRESS,
	};

	memcpy(rec.tag, set->tag, KNP_TAG_LEN);
	if (!knp_recs_add(&c->rs->sets, &rec))
		return -ENOMEM;
	if (set->policies.n)
		return name_set(e, set);
	knp_buf_reset(&c->buf);
	knp_buf_add(&c->buf, FULL_NAME, sizeof(FULL_NAME));
	return c->buf.failed ? -ENOMEM : add_name(e, KNP_NAME_SET, rec.tag);
}

static int emit_sets(struct emit *e)
{
	struct knp_comp *c = e->c;
	uint32_t limit = c->limits->v[KNP_TABLE_SET];
	size_t n = c->sets.n, fitting = n;
	struct tagged *tagged;
	int err = 0;

	e->sets = calloc(c->sets.n + 1, sizeof(*e->sets));
	tagged = calloc(c->sets.n + 1, sizeof(*tagged));
	if (!tagged || !e->sets) {
		free(tagged);
		return -ENOMEM;
	}
	if (n > limit) {
		fitting = limit - NDIRECTIONS;
		n = limit;
		err = add_full_sets(c, fitting);
	}
	for (size_t i = 0; i < n; i++) {
		memcpy(tagged[i].tag, knp_csets(c)[i].tag, KNP_TAG_LEN);
		tagged[i].index = i;
	}
	rank(tagged, n, e->sets);
	free(tagged);
	for (size_t i = 0; !err && i < n; i++)
		err = emit_set(e, i);
	for (int d = 0; d < NDIRECTIONS && fitting != n; d++) {
		e->full[d] = e->sets[fitting + d];
		/* Their numbers were those of sets without room. */
		e->sets[fitting + d] = 0;
	}
	return err;
}

static int emit_rows(struct emit *e)
{
	struct knp_comp *c = e->c;
	const struct knp_crow *rows = c->rows.v;
	struct knp_rec_row rec;

	for (size_t i = 0; i < c->rows.n; i++) {
		rec = (struct knp_rec_row){
			.set = e->sets[rows[i].set],
			.class_id = e->classes[rows[i].class_id],
			.portset = e->portsets[rows[i].portset],
		};
		if (rec.set && !knp_recs_add(&c->rs->rows, &rec))
			return -ENOMEM;
	}
	return 0;
}

static int emit_peers(struct emit *e)
{
	struct knp_comp *c = e->c;
	const struct knp_cip *ip = c->ips.v;
	struct knp_rec_peer rec = { 0 };

	for (size_t i = 0; i < c->ips.n; i++, ip++) {
		if (!ip->peer)
			continue;
		memcpy(rec.addr, ip->ip.b, KNP_ADDR_LEN);
		rec.family = ip->ip.family;
		rec.class_id = e->classes[ip->class_id];
		if (!knp_recs_add(&c->rs->peers, &rec))
			return -ENOMEM;
	}
	return 0;
}

static int emit_cidrs(struct emit *e)
{
	struct knp_comp *c = e->c;
	const struct knp_region *region;
	struct knp_rec_cidr rec = { 0 };

	for (size_t i = 0; i < c->regions.v.n; i++) {
		if (!c->cregions[i].record)
			continue;
		region = knp_region_at(&c->regions, i);
		memcpy(rec.addr, region->prefix.ip.b, KNP_ADDR_LEN);
		rec.family = region->prefix.ip.family;
		rec.prefixlen = region->prefix.len;
		rec.class_id = e->classes[c->cregions[i].class_id];
		if (!knp_recs_add(&c->rs->cidrs, &rec))
			return -ENOMEM;
	}
	return 0;
}

static int emit_ifaces(struct emit *e)
{
	struct knp_rec_iface rec = { .role = KNP_ROLE_POD };
	struct knp_comp *c = e->c;
	size_t limit = c->limits->v[KNP_TABLE_IFACE];

	for (size_t i = 0; i < c->store->nifaces && i < limit; i++) {
		rec.ifindex = c->store->ifaces[i];
		if (!knp_recs_add(&c->rs->ifaces, &rec))
			return -ENOMEM;
	}
	if (c->store->nifaces <= limit)
		return 0;
	return knp_trouble(c->troubles, "more than %zu interfaces of pods: behind the rest, addresses that are unknown pass",
			   limit);
}

static int emit_bindings(struct emit *e)
{
	struct knp_rec_binding rec = { 0 };
	struct knp_comp *c = e->c;
	size_t limit = c->limits->v[KNP_TABLE_BINDING];
	const struct knp_bound *bound = c->store->bounds;

	for (size_t i = 0; i < c->store->nbounds && i < limit; i++, bound++) {
		memcpy(rec.addr, bound->ip.b, KNP_ADDR_LEN);
		rec.family = bound->ip.family;
		rec.ifindex = bound->ifindex;
		if (!knp_recs_add(&c->rs->bindings, &rec))
			return -ENOMEM;
	}
	if (c->store->nbounds <= limit)
		return 0;
	return knp_trouble(c->troubles, "more than %zu addresses behind interfaces of pods: other pods may send in the name of the rest",
			   limit);
}

static uint32_t set_of(const struct emit *e, const struct knp_cpod *pod, int d)
{
	if (pod->set[d] == KNP_NONE)
		return 0;
	return e->sets[pod->set[d]] ? e->sets[pod->set[d]] : e->full[d];
}

static int tell_unheld(struct knp_comp *c, const struct knp_cip *first)
{
	const struct knp_pod *pod = knp_cpods(c)[first->pod].pod;
	char text[46];

	return knp_trouble(c->troubles, "more than %u addresses of isolated pods on the node: %zu more, the first of them %s of pod %s/%s, are no endpoints, and denied all as unknown addresses: unknown-local becomes drop",
			   c->limits->v[KNP_TABLE_ENDPOINT], c->rs->unheld,
			   knp_ip_format(&first->ip, text), pod->ns,
			   pod->name);
}

/* @isolated: whose endpoints to emit; those first, the others if they fit. */
static int add_endpoints(struct emit *e, bool isolated)
{
	struct knp_comp *c = e->c;
	uint32_t limit = c->limits->v[KNP_TABLE_ENDPOINT];
	const struct knp_cip *ip = c->ips.v, *first = NULL;
	struct knp_rec_endpoint rec = { 0 };
	const struct knp_cpod *pod;

	for (size_t i = 0; i < c->ips.n; i++, ip++) {
		pod = &knp_cpods(c)[ip->pod];
		memcpy(rec.addr, ip->ip.b, KNP_ADDR_LEN);
		rec.family = ip->ip.family;
		rec.egress_set = set_of(e, pod, EGRESS);
		rec.ingress_set = set_of(e, pod, INGRESS);
		if (!pod->local ||
		    (rec.egress_set || rec.ingress_set) != isolated)
			continue;
		if (c->rs->endpoints.n < limit) {
			if (!knp_recs_add(&c->rs->endpoints, &rec))
				return -ENOMEM;
			continue;
		}
		first = first ? first : ip;
		c->rs->unheld += isolated;
	}
	if (!first)
		return 0;
	if (isolated)
		return tell_unheld(c, first);
	return knp_trouble(c->troubles, "more than %u addresses of pods on the node: the rest, isolated by no policy, is left out",
			   limit);
}

static int emit_addresses(struct emit *e)
{
	struct knp_comp *c = e->c;
	const struct knp_cip *ip = c->ips.v;
	struct knp_address_name name = { 0 };
	const struct knp_pod *pod;

	for (size_t i = 0; i < c->ips.n; i++, ip++) {
		pod = knp_cpods(c)[ip->pod].pod;
		memcpy(name.addr, ip->ip.b, KNP_ADDR_LEN);
		name.family = ip->ip.family;
		if (asprintf(&name.text, "%s/%s", pod->ns, pod->name) < 0)
			return -ENOMEM;
		if (!knp_recs_add(&c->rs->addresses, &name)) {
			free(name.text);
			return -ENOMEM;
		}
	}
	return 0;
}

int knp_comp_emit(struct knp_comp *c)
{
	struct emit e = { .c = c };
	int err;

	err = emit_rules(&e);
	if (!err)
		err = emit_portsets(&e);
	if (!err)
		err = emit_classes(&e);
	if (!err)
		err = emit_sets(&e);
	if (!err)
		err = emit_rows(&e);
	if (!err)
		err = emit_peers(&e);
	if (!err)
		err = emit_cidrs(&e);
	if (!err)
		err = add_endpoints(&e, true);
	if (!err)
		err = add_endpoints(&e, false);
	if (!err)
		err = emit_ifaces(&e);
	if (!err)
		err = emit_bindings(&e);
	if (!err)
		err = emit_addresses(&e);
	if (!err)
		knp_ruleset_sort(c->rs);
	free(e.rules);
	free(e.portsets);
	free(e.portset_tags);
	free(e.classes);
	free(e.sets);
	return err;
}
