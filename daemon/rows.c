// SPDX-License-Identifier: Apache-2.0
/*
 * Set x class -> port set.
 *
 * What a set allows a class depends on the rules whose peers are in the class,
 * so only classes that share an atom with the set (or have a number for a port
 * name that a rule to any peer uses) are looked at; the others get the set's
 * default, which is what its rules to any peer allow. Classes that match the
 * same rules share one computation.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile_impl.h"
#include "port_ranges.h"

/*
 * struct index - which classes have an atom, or a number for a port name
 * @first: by atom or name, and one more: where its classes begin in @classes
 */
struct index {
	uint32_t *first;
	uint32_t *classes;
};

static void index_clear(struct index *x)
{
	free(x->first);
	free(x->classes);
}

/* struct key_of - the i-th atom or name of a class, KNP_NONE past the end */
typedef uint32_t (*key_of)(const struct knp_comp *c,
			   const struct knp_cclass *class, uint32_t i);

static uint32_t atom_of(const struct knp_comp *c,
			const struct knp_cclass *class, uint32_t i)
{
	if (i >= class->atoms.n)
		return KNP_NONE;
	return knp_numbers(&c->class_atoms, class->atoms)[i];
}

static uint32_t name_of(const struct knp_comp *c,
			const struct knp_cclass *class, uint32_t i)
{
	if (i >= class->ports.n)
		return KNP_NONE;
	return knp_ports_of(&c->class_ports, class->ports)[i].name;
}

static int index_build(const struct knp_comp *c, key_of key, size_t nkeys,
		       size_t total, struct index *x)
{
	const struct knp_cclass *classes = knp_cclasses(c);
	uint32_t k;

	x->first = calloc(nkeys + 2, sizeof(*x->first));
	x->classes = calloc(total + 1, sizeof(*x->classes));
	if (!x->first || !x->classes)
		return -ENOMEM;
	/* Counting sort; two places up, so that filling moves first[] back. */
	for (size_t i = 0; i < c->classes.n; i++)
		for (uint32_t j = 0; (k = key(c, &classes[i], j)) != KNP_NONE;
		     j++)
			x->first[k + 2]++;
	for (size_t i = 2; i < nkeys + 2; i++)
		x->first[i] += x->first[i - 1];
	for (size_t i = 0; i < c->classes.n; i++)
		for (uint32_t j = 0; (k = key(c, &classes[i], j)) != KNP_NONE;
		     j++)
			x->classes[x->first[k + 1]++] = i;
	return 0;
}

/* struct hit - a rule that allows a class something */
struct hit {
	uint32_t class_id;
	uint32_t ranked;	/* as knp_comp_ports() takes it */
};

static int by_hit(const void *a, const void *b)
{
	const struct hit *ha = a, *hb = b;

	if (ha->class_id != hb->class_id)
		return ha->class_id < hb->class_id ? -1 : 1;
	return (ha->ranked > hb->ranked) - (ha->ranked < hb->ranked);
}

/*
 * struct work - one set at a time
 * @any: ranked numbers of its rules to any peer
 * @hits: struct hit, of the other rules, and of any-peer rules by name
 * @applied: ranked numbers of the rules of the class at hand
 * @seen, @results: @applied and ports -> port set
 * @left_out: rows of the set that do not fit
 */
struct work {
	struct knp_comp *c;
	struct index by_atom;
	struct index by_name;
	struct knp_cset *set;
	uint32_t set_id;
	struct knp_recs any;
	struct knp_recs hits;
	struct knp_recs applied;
	struct knp_intern seen;
	struct knp_recs results;
	size_t left_out;
};

static int add_hits(struct work *w, const struct index *x, uint32_t key,
		    uint32_t ranked)
{
	struct hit hit = { .ranked = ranked };

	for (uint32_t i = x->first[key]; i < x->first[key + 1]; i++) {
		hit.class_id = x->classes[i];
		if (!knp_recs_add(&w->hits, &hit))
			return -ENOMEM;
	}
	return 0;
}

static int any_peer_rule(struct work *w, uint32_t id,
			 const struct knp_crule *rule)
{
	const struct knp_crange *names = w->c->ranges.v;
	uint32_t ranked = 2 * id + 1;
	int err = 0;

	if (!knp_recs_add(&w->any, &ranked))
		return -ENOMEM;
	if (w->set->direction != EGRESS)
		return 0;
	names += rule->names.first;
	for (uint32_t i = 0; !err && i < rule->names.n; i++)
		err = add_hits(w, &w->by_name, names[i].name, ranked);
	return err;
}

static int collect_rule(struct work *w, uint32_t id)
{
	const struct knp_comp *c = w->c;
	const struct knp_crule *rule = &knp_crules(c)[id];
	const uint32_t *atoms = knp_numbers(&c->rule_atoms, rule->atoms);
	bool named;
	int err = 0;

	if (rule->any_peer)
		return any_peer_rule(w, id, rule);
	for (uint32_t i = 0; !err && i < rule->atoms.n; i++) {
		/* To an ipBlock a port name means nothing. */
		named = w->set->direction == INGRESS ||
			!knp_catoms(c)[atoms[i]].peer->block;
		err = add_hits(w, &w->by_atom, atoms[i], 2 * id + named);
	}
	return err;
}

static int collect(struct work *w)
{
	const struct knp_comp *c = w->c;
	const uint32_t *policies = knp_numbers(&c->set_policies,
					       w->set->policies);
	struct knp_span rules;
	int err = 0;

	w->any.n = 0;
	w->hits.n = 0;
	for (uint32_t i = 0; i < w->set->policies.n; i++) {
		rules = c->policies[policies[i]].rules[w->set->direction];
		for (uint32_t j = 0; !err && j < rules.n; j++)
			err = collect_rule(w, rules.first + j);
	}
	if (w->hits.n > 1)
		qsort(w->hits.v, w->hits.n, w->hits.size, by_hit);
	return err;
}

static int port_rules(const struct knp_comp *c, const uint32_t *ranked,
		      size_t n, struct knp_recs *ret)
{
	const struct knp_crange *ranges = c->ranges.v;
	struct knp_port_rule port_rule;
	const struct knp_crule *rule;

	for (size_t i = 0; i < n; i++) {
		/* A rule that got no id. */
		if (ranked[i] / 2 >= c->limits->v[KNP_TABLE_RULE])
			return -E2BIG;
		rule = &knp_crules(c)[ranked[i] / 2];
		port_rule = (struct knp_port_rule){
			.id = ranked[i] / 2,
			.any_port = rule->any_port,
			.ranges = ranges + rule->ranges.first,
			.nranges = rule->ranges.n,
			.names = ranges + rule->names.first,
			.nnames = ranked[i] & 1 ? rule->names.n : 0,
		};
		if (!knp_recs_add(ret, &port_rule))
			return -ENOMEM;
		if (rule->any_port)
			break;
	}
	return 0;
}

/*
 * The port set of some rules: their numbers times 2, ascending, plus 1 where
 * the rule's port names count.
 */
static int portset(struct knp_comp *c, const uint32_t *ranked, size_t n,
		   const struct knp_port_of *ports, size_t nports,
		   uint32_t *ret)
{
	struct knp_recs rules = { .size = sizeof(struct knp_port_rule) };
	struct knp_span span = { .first = c->entries.n };
	struct knp_port_list l;
	uint32_t id;
	int err;

	err = port_rules(c, ranked, n, &rules);
	if (!err)
		err = knp_port_ranges(&l, rules.v, rules.n, ports, nports);
	free(rules.v);
	if (err)
		return err;

	err = knp_intern(&c->portset_ids, l.v, l.n * sizeof(l.v[0]), &id);
	if (err < 0)
		return err;
	if (id > c->limits->v[KNP_TABLE_PORTSET])
		return -E2BIG;
	*ret = id;
	if (!err)
		return 0;

	span.n = l.n;
	for (size_t i = 0; i < l.n; i++)
		if (!knp_recs_add(&c->entries, &l.v[i]))
			return -ENOMEM;
	return knp_recs_add(&c->portsets, &span) ? 0 : -ENOMEM;
}

static int compute(struct work *w, uint32_t class_id, uint32_t *ret)
{
	const struct knp_cclass *class = &knp_cclasses(w->c)[class_id];
	const struct knp_comp *c = w->c;
	struct knp_span span = class->ports;
	const struct knp_port_of *ports = c->class_ports.v;

	if (ports)
		ports += span.first;
	if (w->set->direction == INGRESS) {
		span = w->set->ports;
		ports = c->set_ports.v;
		if (ports)
			ports += span.first;
	}
	return portset(w->c, w->applied.v, w->applied.n, ports, span.n, ret);
}

/*
 * compute(), unless a class with the same rules and ports was there before.
 * KNP_NONE in @ret: it does not fit.
 */
static int look_up(struct work *w, uint32_t class_id, uint32_t *ret)
{
	const struct knp_cclass *class = &knp_cclasses(w->c)[class_id];
	struct knp_buf *b = &w->c->buf;
	uint32_t id;
	int err;

	knp_buf_reset(b);
	knp_buf_u32(b, w->applied.n);
	knp_buf_add(b, w->applied.v, w->applied.n * w->applied.size);
	if (w->set->direction == EGRESS && class->ports.n)
		knp_buf_add(b, knp_ports_of(&w->c->class_ports, class->ports),
			    class->ports.n * sizeof(struct knp_port_of));
	if (b->failed)
		return -ENOMEM;
	err = knp_intern(&w->seen, b->v, b->n, &id);
	if (err < 0)
		return err;
	if (!err) {
		*ret = ((uint32_t *)w->results.v)[id];
		return 0;
	}
	err = compute(w, class_id, ret);
	if (err == -E2BIG || err == -EOVERFLOW)
		*ret = KNP_NONE;
	else if (err)
		return err;
	return knp_recs_add(&w->results, ret) ? 0 : -ENOMEM;
}

static int apply(struct work *w, uint32_t ranked)
{
	uint32_t *v = w->applied.v;

	/* The same rule twice; the later, greater, one knows port names. */
	if (w->applied.n && v[w->applied.n - 1] / 2 == ranked / 2) {
		if (v[w->applied.n - 1] < ranked)
			v[w->applied.n - 1] = ranked;
		return 0;
	}
	return knp_recs_add(&w->applied, &ranked) ? 0 : -ENOMEM;
}

/* The rules to any peer, and those of @hit .. @hit + @n, in one order. */
static int merge(struct work *w, const struct hit *hit, size_t n)
{
	const uint32_t *any = w->any.v;
	size_t i = 0, j = 0;
	int err = 0;

	w->applied.n = 0;
	while (!err && (i < n || j < w->any.n)) {
		if (j == w->any.n || (i < n && hit[i].ranked <= any[j]))
			err = apply(w, hit[i++].ranked);
		else
			err = apply(w, any[j++]);
	}
	return err;
}

static int add_row(struct work *w, const struct hit *hit, size_t n)
{
	struct knp_crow row = {
		.set = w->set_id,
		.class_id = hit->class_id,
	};
	int err;

	err = merge(w, hit, n);
	if (!err)
		err = look_up(w, hit->class_id, &row.portset);
	if (err || row.portset == w->set->dflt)
		return err;
	if (row.portset == KNP_NONE ||
	    w->c->rows.n >= w->c->limits->v[KNP_TABLE_ROW]) {
		w->left_out++;
		return 0;
	}
	return knp_recs_add(&w->c->rows, &row) ? 0 : -ENOMEM;
}

/* That a part of the current set does not fit: rows, or (0) all of it. */
static int tell(struct work *w, size_t left_out)
{
	struct knp_comp *c = w->c;
	const struct knp_policy **policies = knp_comp_set_policies(c, w->set);
	int err;

	if (!policies)
		return -ENOMEM;
	err = knp_trouble_ports(c->troubles, &c->buf, policies,
				w->set->policies.n, w->set->direction,
				left_out);
	free(policies);
	return err;
}

static int deny(struct work *w)
{
	w->set->deny = true;
	w->set->dflt = 0;
	return tell(w, 0);
}

static int add_rows(struct work *w)
{
	const struct hit *hit;
	size_t n;
	int err;

	err = collect(w);
	if (err)
		return err;
	knp_intern_clear(&w->seen);
	w->results.n = 0;
	w->left_out = 0;
	err = merge(w, NULL, 0);
	if (!err)
		err = look_up(w, 0, &w->set->dflt);
	if (!err && w->set->dflt == KNP_NONE)
		return deny(w);
	hit = w->hits.v;
	for (size_t i = 0; !err && i < w->hits.n; i += n) {
		for (n = 1; i + n < w->hits.n; n++)
			if (hit[i + n].class_id != hit[i].class_id)
				break;
		err = add_row(w, &hit[i], n);
	}
	return err || !w->left_out ? err : tell(w, w->left_out);
}

static int each_set(struct work *w)
{
	struct knp_comp *c = w->c;
	int err = 0;

	for (size_t i = 0; !err && i < c->sets.n; i++) {
		w->set = &knp_csets(c)[i];
		w->set_id = i;
		err = add_rows(w);
	}
	return err;
}

int knp_comp_rows(struct knp_comp *c)
{
	struct work w = {
		.c = c,
		.any = { .size = sizeof(uint32_t) },
		.hits = { .size = sizeof(struct hit) },
		.applied = { .size = sizeof(uint32_t) },
		.results = { .size = sizeof(uint32_t) },
	};
	uint32_t empty;
	int err;

	/* Port set 0. */
	err = portset(c, NULL, 0, NULL, 0, &empty);
	if (!err)
		err = index_build(c, atom_of, c->atoms.n, c->class_atoms.n,
				  &w.by_atom);
	if (!err)
		err = index_build(c, name_of, c->names.v.n, c->class_ports.n,
				  &w.by_name);
	if (!err)
		err = each_set(&w);
	index_clear(&w.by_atom);
	index_clear(&w.by_name);
	free(w.any.v);
	free(w.hits.v);
	free(w.applied.v);
	free(w.results.v);
	knp_intern_clear(&w.seen);
	return err;
}
