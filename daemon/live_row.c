// SPDX-License-Identifier: Apache-2.0
/*
 * Set x class -> port set.
 *
 * What a set allows a class depends on the rules whose peers are in the class,
 * so only classes that share a peer with the set (or have a number for a port
 * name that a rule to any peer uses) are looked at; the others get the set's
 * default, which is what its rules to any peer allow.
 *
 * A set that changed is computed towards all such classes, and a class that is
 * new towards all other sets.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "live_impl.h"

struct portset_key {
	const struct knp_centry *entries;
	size_t n;
};

static bool is_portset(const struct knp_hash_node *node, const void *arg)
{
	const struct live_portset *p;
	const struct portset_key *key = arg;

	p = knp_hash_entry(node, struct live_portset, node);
	return p->n == key->n &&
	       !memcmp(p->entries, key->entries, p->n * sizeof(*p->entries));
}

static const uint8_t *rule_tag(void *arg, uint32_t rule)
{
	const struct knp_live *l = arg;
	const struct live_rule *r = live_numbered(&l->numbers[LIVE_RULE], rule);

	return r->id.tag;
}

static int portset_new(struct knp_live *l, const struct portset_key *key,
		       uint32_t hash, struct live_portset **ret)
{
	size_t size = key->n * sizeof(*key->entries);
	struct live_portset *p = calloc(1, sizeof(*p) + size);
	int err;

	if (!p)
		return -ENOMEM;
	p->refs = 1;
	p->n = key->n;
	memcpy(p->entries, key->entries, size);
	err = knp_identity_portset(&l->buf, p->entries, p->n, rule_tag, l,
				   p->id.tag);
	if (!err)
		err = knp_hash_add(&l->portsets, &p->node, hash);
	if (err) {
		free(p);
		return err;
	}
	err = live_fresh(l, LIVE_PORTSET, &p->id, p);
	if (err)
		return err;
	*ret = p;
	return 0;
}

/* NULL in @ret is the empty port set. */
static int portset_get(struct knp_live *l, const struct knp_port_list *list,
		       struct live_portset **ret)
{
	const struct portset_key key = { list->v, list->n };
	struct knp_hash_node *node;
	uint32_t hash;

	*ret = NULL;
	if (!key.n)
		return 0;
	hash = knp_hash_bytes(key.entries, key.n * sizeof(*key.entries));
	node = knp_hash_find(&l->portsets, hash, is_portset, &key);
	if (!node)
		return portset_new(l, &key, hash, ret);
	*ret = knp_hash_entry(node, struct live_portset, node);
	(*ret)->refs++;
	return 0;
}

static void portset_put(struct knp_live *l, struct live_portset *p)
{
	if (!p || --p->refs)
		return;
	live_gone(l, LIVE_PORTSET, &p->id);
	knp_hash_del(&l->portsets, &p->node);
	free(p);
}

static int touch(struct knp_live *l, struct live_set *s, uint32_t number)
{
	const struct live_touch touch = { s, number };

	l->touched.size = sizeof(touch);
	return !l->known || knp_recs_add(&l->touched, &touch) ? 0 : -ENOMEM;
}

/* struct order - a rule of a set that applies to a class */
struct order {
	uint32_t order;
	bool named;
};

static int by_order(const void *a, const void *b)
{
	const struct order *oa = a, *ob = b;

	return (oa->order > ob->order) - (oa->order < ob->order);
}

static int add_order(struct knp_recs *applied, uint32_t order, bool named)
{
	struct order new;

	/* Equal ones are to be equal bytes. */
	memset(&new, 0, sizeof(new));
	new.order = order;
	new.named = named;
	return knp_recs_add(applied, &new) ? 0 : -ENOMEM;
}

/* The first hit of a set with a peer, or where it would be. */
static size_t first_hit(const struct live_set *s, uint32_t peer)
{
	const struct live_hit *hits = s->hits.v;
	size_t lo = 0, hi = s->hits.n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (hits[mid].peer < peer)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The same rule by several peers: once, with names if one of them has any. */
static void unite(struct knp_recs *applied)
{
	struct order *v = applied->v;
	size_t n = 0;

	if (applied->n > 1)
		qsort(v, applied->n, sizeof(*v), by_order);
	for (size_t i = 0; i < applied->n; i++) {
		if (n && v[n - 1].order == v[i].order)
			v[n - 1].named |= v[i].named;
		else
			v[n++] = v[i];
	}
	applied->n = n;
}

/* The rules of a set that apply to a class; NULL: class 0. */
static int apply(const struct live_set *s, const struct live_class *class,
		 struct knp_recs *applied)
{
	const struct live_hit *hits = s->hits.v;
	const uint32_t *any = s->any.v;
	const uint32_t *peers = class ? class->peers : NULL;
	uint32_t npeers = class ? class->npeers : 0;
	int err = 0;

	applied->n = 0;
	for (size_t i = 0; !err && i < s->any.n; i++)
		err = add_order(applied, any[i], true);
	for (uint32_t i = 0; i < npeers; i++)
		for (size_t j = first_hit(s, peers[i]); !err &&
		     j < s->hits.n && hits[j].peer == peers[i]; j++)
			err = add_order(applied, hits[j].order, hits[j].named);
	unite(applied);
	return err;
}

static int port_rules(const struct live_set *s, const struct knp_recs *applied,
		      struct knp_recs *ret)
{
	const struct order *v = applied->v;
	struct knp_port_rule port_rule;
	const struct live_rule *rule;

	for (size_t i = 0; i < applied->n; i++) {
		rule = ((struct live_rule **)s->rules.v)[v[i].order];
		port_rule = (struct knp_port_rule){
			.id = rule->id.number,
			.any_port = rule->any_port,
			.ranges = rule->ranges,
			.nranges = rule->nranges,
			.names = rule->ranges + rule->nranges,
			.nnames = v[i].named ? rule->nnames : 0,
		};
		if (!knp_recs_add(ret, &port_rule))
			return -ENOMEM;
	}
	return 0;
}

/* -EOVERFLOW: the port set would be too large. */
static int compute(struct knp_live *l, const struct live_set *s,
		   const struct live_class *class,
		   const struct knp_recs *applied, struct live_portset **ret)
{
	struct knp_recs rules = { .size = sizeof(struct knp_port_rule) };
	const struct knp_port_of *ports = s->ports;
	size_t nports = s->nports;
	struct knp_port_list list;
	int err;

	if (s->direction == EGRESS) {
		ports = class ? class->ports : NULL;
		nports = class ? class->nports : 0;
	}
	err = port_rules(s, applied, &rules);
	if (!err)
		err = knp_port_ranges(&list, rules.v, rules.n, ports, nports);
	free(rules.v);
	return err ? err : portset_get(l, &list, ret);
}

static int add_hits(struct live_set *s, const struct live_rule *rule,
		    uint32_t order)
{
	struct live_hit hit = { .order = order };

	if (rule->any_peer) {
		s->any_names |= s->direction == EGRESS && rule->nnames;
		return knp_recs_add(&s->any, &order) ? 0 : -ENOMEM;
	}
	for (size_t i = 0; i < rule->npeers; i++) {
		hit.peer = rule->peers[i]->number;
		/* To an ipBlock a port name means nothing. */
		hit.named = s->direction == INGRESS ||
			    !rule->peers[i]->peer->block;
		if (!knp_recs_add(&s->hits, &hit))
			return -ENOMEM;
	}
	return 0;
}

static int by_hit(const void *a, const void *b)
{
	const struct live_hit *ha = a, *hb = b;

	if (ha->peer != hb->peer)
		return ha->peer < hb->peer ? -1 : 1;
	return (ha->order > hb->order) - (ha->order < hb->order);
}

static int index_rules(struct live_set *s)
{
	const struct live_rules *rules;
	int err = 0;

	s->rules.n = 0;
	s->any.n = 0;
	s->hits.n = 0;
	s->any_names = false;
	for (uint32_t i = 0; i < s->npolicies; i++) {
		rules = &s->policies[i]->rules[s->direction];
		for (uint32_t j = 0; !err && j < rules->n; j++) {
			err = add_hits(s, rules->v[j], s->rules.n);
			if (!err && !knp_recs_add(&s->rules, &rules->v[j]))
				err = -ENOMEM;
		}
	}
	if (s->hits.n > 1)
		qsort(s->hits.v, s->hits.n, s->hits.size, by_hit);
	return err;
}

static int by_number(const void *a, const void *b)
{
	const struct live_class *const *ca = a, *const *cb = b;
	uint32_t na = (*ca)->id.number, nb = (*cb)->id.number;

	return (na > nb) - (na < nb);
}

static int add_named(const struct knp_live *l, struct knp_recs *classes)
{
	struct knp_hash_node *node;
	struct live_class *class;

	knp_hash_for_each(&l->classes, node) {
		class = knp_hash_entry(node, struct live_class, node);
		if (class->nports && !knp_recs_add(classes, &class))
			return -ENOMEM;
	}
	return 0;
}

/* The classes that a set may treat in another way than class 0. */
static int collect(const struct knp_live *l, const struct live_set *s,
		   struct knp_recs *classes)
{
	const struct live_hit *hits = s->hits.v;
	const struct live_peer *peer;
	struct live_class **v;
	size_t n = 0;

	for (size_t i = 0; i < s->hits.n; i++) {
		if (i && hits[i].peer == hits[i - 1].peer)
			continue;
		peer = live_numbered(&l->peer_numbers, hits[i].peer);
		v = peer->classes.v;
		for (size_t j = 0; j < peer->classes.n; j++)
			if (!knp_recs_add(classes, &v[j]))
				return -ENOMEM;
	}
	if (s->any_names && add_named(l, classes))
		return -ENOMEM;
	v = classes->v;
	if (classes->n > 1)
		qsort(v, classes->n, sizeof(*v), by_number);
	for (size_t i = 0; i < classes->n; i++)
		if (!n || v[i] != v[n - 1])
			v[n++] = v[i];
	classes->n = n;
	return 0;
}

/* In place of a port set that would be too large. */
static struct live_portset too_large;

/**
 * struct work - a set at a time
 * @applied: struct order, of the class at hand
 * @seen, @results: @applied and ports -> struct live_portset *
 * @classes: struct live_class *
 * @rows: struct live_row, the new ones
 */
struct work {
	struct knp_live *l;
	struct live_set *set;
	struct knp_recs applied;
	struct knp_intern seen;
	struct knp_recs results;
	struct knp_recs classes;
	struct knp_recs rows;
};

/* compute(), unless a class with the same rules and ports was there before. */
static int look_up(struct work *w, const struct live_class *class,
		   struct live_portset **ret)
{
	struct knp_buf *b = &w->l->buf;
	struct live_portset *portset;
	uint32_t id;
	int err;

	err = apply(w->set, class, &w->applied);
	if (err)
		return err;
	knp_buf_reset(b);
	knp_buf_u32(b, w->applied.n);
	knp_buf_add(b, w->applied.v, w->applied.n * w->applied.size);
	if (w->set->direction == EGRESS)
		knp_buf_add(b, class->ports,
			    class->nports * sizeof(*class->ports));
	if (b->failed)
		return -ENOMEM;
	err = knp_intern(&w->seen, b->v, b->n, &id);
	if (err < 0)
		return err;
	if (!err) {
		portset = ((struct live_portset **)w->results.v)[id];
		if (portset && portset != &too_large)
			portset->refs++;
		*ret = portset;
		return 0;
	}
	err = compute(w->l, w->set, class, &w->applied, ret);
	if (err == -EOVERFLOW)
		*ret = &too_large;
	else if (err)
		return err;
	return knp_recs_add(&w->results, ret) ? 0 : -ENOMEM;
}

/* A class whose port set would be too large has what every class has. */
static int leave_out(struct knp_live *l, struct live_set *s,
		     const struct live_class *class)
{
	l->misfits = true;
	return knp_recs_add(&s->left_out, &class->id.number) ? 0 : -ENOMEM;
}

static void forget_left_out(struct live_set *s, uint32_t number)
{
	uint32_t *v = s->left_out.v;

	for (size_t i = 0; i < s->left_out.n; i++) {
		if (v[i] != number)
			continue;
		v[i] = v[--s->left_out.n];
		return;
	}
}

static int new_rows(struct work *w)
{
	struct live_class **classes;
	struct live_row row = { 0 };
	int err;

	err = collect(w->l, w->set, &w->classes);
	classes = w->classes.v;
	for (size_t i = 0; !err && i < w->classes.n; i++) {
		err = look_up(w, classes[i], &row.portset);
		if (err)
			return err;
		if (row.portset == &too_large) {
			err = leave_out(w->l, w->set, classes[i]);
			continue;
		}
		if (row.portset == w->set->dflt) {
			/* The default still has it. */
			if (row.portset)
				row.portset->refs--;
			continue;
		}
		row.number = classes[i]->id.number;
		row.class_id = classes[i]->id.id;
		if (!knp_recs_add(&w->rows, &row))
			return -ENOMEM;
	}
	return err;
}

/* A row that goes: the kernel's record is remembered. */
static int keep_there(struct work *w, const struct live_row *old,
		      struct knp_recs *ret)
{
	struct live_row row = *old;

	row.portset = NULL;
	if (!w->l->known || !row.there)
		return 0;
	if (!knp_recs_add(ret, &row))
		return -ENOMEM;
	return touch(w->l, w->set, row.number);
}

/* The new rows with what the kernel has of the old ones. */
static int merge_rows(struct work *w, struct knp_recs *ret)
{
	const struct live_row *old = w->set->rows.v;
	struct live_row *new = w->rows.v;
	size_t i = 0, j = 0;
	int err = 0;

	while (!err && (i < w->set->rows.n || j < w->rows.n)) {
		if (j == w->rows.n ||
		    (i < w->set->rows.n && old[i].number < new[j].number)) {
			err = keep_there(w, &old[i++], ret);
			continue;
		}
		if (i < w->set->rows.n && old[i].number == new[j].number)
			new[j].there = old[i++].there;
		if (!knp_recs_add(ret, &new[j]))
			err = -ENOMEM;
		if (!err && new[j].there != new[j].portset->id.id)
			err = touch(w->l, w->set, new[j].number);
		j++;
	}
	return err;
}

static void drop_rows(struct knp_live *l, struct live_set *s)
{
	struct live_row *rows = s->rows.v;

	for (size_t i = 0; i < s->rows.n; i++) {
		if (!rows[i].portset)
			continue;
		portset_put(l, rows[i].portset);
		l->nrows--;
	}
	free(s->rows.v);
	s->rows = (struct knp_recs){ .size = sizeof(struct live_row) };
}

static int redo(struct work *w)
{
	struct knp_recs rows = { .size = sizeof(struct live_row) };
	struct live_set *s = w->set;
	struct live_portset *old = s->dflt;
	int err;

	knp_intern_clear(&w->seen);
	w->results.n = 0;
	w->classes.n = 0;
	w->rows.n = 0;
	s->left_out.n = 0;
	err = index_rules(s);
	if (!err)
		err = apply(s, NULL, &w->applied);
	if (!err)
		err = compute(w->l, s, NULL, &w->applied, &s->dflt);
	s->denied = err == -EOVERFLOW;
	if (err && !s->denied)
		return err;
	if (s->denied) {
		s->dflt = NULL;
		w->l->misfits = true;
		err = 0;
	} else {
		err = new_rows(w);
	}
	if (!err)
		err = merge_rows(w, &rows);
	if (err) {
		free(rows.v);
		return err;
	}
	/* 0: the record of the set itself. */
	if ((s->dflt ? s->dflt->id.id : 0) != s->dflt_there)
		err = touch(w->l, s, 0);
	drop_rows(w->l, s);
	portset_put(w->l, old);
	s->rows = rows;
	w->l->nrows += w->rows.n;
	s->dirty = false;
	s->redone = true;
	return err;
}

static bool find_row(const struct live_set *s, uint32_t number, size_t *at)
{
	const struct live_row *rows = s->rows.v;
	size_t lo = 0, hi = s->rows.n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (rows[mid].number < number)
			lo = mid + 1;
		else
			hi = mid;
	}
	*at = lo;
	return lo < s->rows.n && rows[lo].number == number;
}

struct live_row *live_row(const struct live_set *s, uint32_t number)
{
	size_t at;

	return find_row(s, number, &at) ? (struct live_row *)s->rows.v + at :
					  NULL;
}

/* Of a number that is not there: numbers are new while the kernel has theirs. */
static int insert_row(struct knp_live *l, struct live_set *s,
		      const struct live_row *row)
{
	struct live_row *rows;
	size_t at;

	find_row(s, row->number, &at);
	if (!knp_recs_add(&s->rows, row))
		return -ENOMEM;
	rows = s->rows.v;
	memmove(&rows[at + 1], &rows[at],
		(s->rows.n - 1 - at) * sizeof(*rows));
	rows[at] = *row;
	l->nrows++;
	return touch(l, s, row->number);
}

void live_row_remove(struct live_set *s, struct live_row *row)
{
	struct live_row *rows = s->rows.v;
	size_t at = row - rows;

	memmove(row, row + 1, (--s->rows.n - at) * sizeof(*row));
}

static bool concerns(const struct live_set *s, const struct live_class *class)
{
	const struct live_hit *hits = s->hits.v;
	size_t at;

	if (s->any_names && class->nports)
		return true;
	for (uint32_t i = 0; i < class->npeers; i++) {
		at = first_hit(s, class->peers[i]);
		if (at < s->hits.n && hits[at].peer == class->peers[i])
			return true;
	}
	return false;
}

static int add_class(struct work *w, struct live_set *s,
		     const struct live_class *class)
{
	struct live_row row = {
		.number = class->id.number,
		.class_id = class->id.id,
	};
	int err;

	if (s->denied || !concerns(s, class))
		return 0;
	err = apply(s, class, &w->applied);
	if (!err)
		err = compute(w->l, s, class, &w->applied, &row.portset);
	if (err == -EOVERFLOW)
		return leave_out(w->l, s, class);
	if (err)
		return err;
	if (row.portset != s->dflt)
		return insert_row(w->l, s, &row);
	if (row.portset)
		row.portset->refs--;
	return 0;
}

static int add_classes(struct work *w)
{
	struct live_class **fresh = w->l->fresh_classes.v;
	struct knp_hash_node *node;
	struct live_set *s;
	int err = 0;

	knp_hash_for_each(&w->l->sets, node) {
		s = knp_hash_entry(node, struct live_set, node);
		for (size_t i = 0; !err && !s->redone &&
		     i < w->l->fresh_classes.n; i++)
			err = add_class(w, s, fresh[i]);
		s->redone = false;
	}
	for (size_t i = 0; i < w->l->fresh_classes.n; i++)
		fresh[i]->fresh = false;
	w->l->fresh_classes.n = 0;
	return err;
}

static int redo_sets(struct work *w)
{
	struct knp_hash_node *node;
	int err;

	knp_hash_for_each(&w->l->sets, node) {
		w->set = knp_hash_entry(node, struct live_set, node);
		if (!w->set->dirty)
			continue;
		err = redo(w);
		if (err)
			return err;
	}
	return 0;
}

int live_rows(struct knp_live *l)
{
	struct work w = {
		.l = l,
		.applied = { .size = sizeof(struct order) },
		.results = { .size = sizeof(struct live_portset *) },
		.classes = { .size = sizeof(struct live_class *) },
		.rows = { .size = sizeof(struct live_row) },
	};
	int err;

	if (!l->sets_dirty && !l->fresh_classes.n)
		return 0;
	err = redo_sets(&w);
	if (!err)
		err = add_classes(&w);
	l->sets_dirty = false;
	free(w.applied.v);
	free(w.results.v);
	free(w.classes.v);
	free(w.rows.v);
	knp_intern_clear(&w.seen);
	return err;
}

void live_row_class_gone(struct knp_live *l, struct live_class *class)
{
	struct knp_hash_node *node;
	struct live_row *row;
	struct live_set *s;

	knp_hash_for_each(&l->sets, node) {
		s = knp_hash_entry(node, struct live_set, node);
		forget_left_out(s, class->id.number);
		row = live_row(s, class->id.number);
		if (!row || !row->portset)
			continue;
		portset_put(l, row->portset);
		l->nrows--;
		row->portset = NULL;
		if (!l->known || !row->there)
			live_row_remove(s, row);
		else if (touch(l, s, class->id.number))
			l->failed = -ENOMEM;
	}
}

void live_row_clear_set(struct knp_live *l, struct live_set *s)
{
	struct live_touch *v = l->touched.v;
	size_t n = 0;

	drop_rows(l, s);
	portset_put(l, s->dflt);
	s->dflt = NULL;
	for (size_t i = 0; i < l->touched.n; i++)
		if (v[i].set != s)
			v[n++] = v[i];
	l->touched.n = n;
}

void live_row_clear(struct knp_live *l)
{
	struct knp_hash_node *node, *next;

	for (node = knp_hash_next(&l->portsets, NULL); node; node = next) {
		next = knp_hash_next(&l->portsets, node);
		free(knp_hash_entry(node, struct live_portset, node));
	}
	knp_hash_clear(&l->portsets);
	free(l->touched.v);
}
