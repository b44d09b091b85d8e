// SPDX-License-Identifier: Apache-2.0
/* The live ruleset as a whole, and taking over the ids that it got. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "live_impl.h"

static int add_portsets(const struct knp_live *l, struct knp_ruleset *rs)
{
	struct knp_hash_node *node;
	struct knp_rs_portset rec;
	int err;

	knp_hash_for_each(&l->portsets, node) {
		err = live_portset_record(l, knp_hash_entry(node,
							    struct live_portset,
							    node), &rec);
		if (err)
			return err;
		if (!knp_recs_add(&rs->portsets, &rec)) {
			free(rec.ports);
			return -ENOMEM;
		}
	}
	return 0;
}

static int add_named(const struct knp_live *l, enum live_kind kind,
		     struct knp_recs *ret)
{
	void **v = l->numbers[kind].v.v;
	struct knp_rec_rule rec;

	for (size_t i = 0; i < l->numbers[kind].v.n; i++) {
		if (!v[i])
			continue;
		rec = live_named_record(live_id_of(kind, v[i]));
		if (!knp_recs_add(ret, &rec))
			return -ENOMEM;
	}
	return 0;
}

static int add_sets(const struct knp_live *l, struct knp_ruleset *rs)
{
	const struct live_row *rows;
	struct knp_hash_node *node;
	const struct live_set *s;
	struct knp_rec_set set;
	struct knp_rec_row row;

	knp_hash_for_each(&l->sets, node) {
		s = knp_hash_entry(node, struct live_set, node);
		set = live_set_record(s);
		if (!knp_recs_add(&rs->sets, &set))
			return -ENOMEM;
		rows = s->rows.v;
		for (size_t i = 0; i < s->rows.n; i++) {
			if (!rows[i].portset)
				continue;
			row = live_row_record(s, &rows[i]);
			if (!knp_recs_add(&rs->rows, &row))
				return -ENOMEM;
		}
	}
	return 0;
}

static int add_addresses(const struct knp_live *l, struct knp_ruleset *rs)
{
	struct knp_rec_endpoint endpoint;
	const struct live_cell *cell;
	struct knp_rec_peer peer;
	uintptr_t who;

	for (size_t i = 0; i < l->nslots; i++) {
		who = l->slots[i].who;
		if (!who)
			continue;
		cell = l->slots[i].cell;
		peer = live_peer_record(live_ip(who), live_class_id(cell->class));
		if (cell->class && !knp_recs_add(&rs->peers, &peer))
			return -ENOMEM;
		if (!live_is_local(l, who))
			continue;
		endpoint = live_endpoint_record(live_ip(who),
						live_set_id(cell->group->sets[EGRESS]),
						live_set_id(cell->group->sets[INGRESS]));
		if (!knp_recs_add(&rs->endpoints, &endpoint))
			return -ENOMEM;
	}
	return 0;
}

int knp_live_ruleset(struct knp_live *l, struct knp_ruleset **ret)
{
	struct knp_ruleset *rs = knp_ruleset_new();
	int err = rs ? 0 : -ENOMEM;

	if (!err)
		err = add_named(l, LIVE_RULE, &rs->rules);
	if (!err)
		err = add_portsets(l, rs);
	if (!err)
		err = add_named(l, LIVE_CLASS, &rs->classes);
	if (!err)
		err = add_sets(l, rs);
	if (!err)
		err = add_addresses(l, rs);
	if (!err)
		err = live_cidr_records(l, &rs->cidrs);
	if (!err)
		err = live_link_records(l, KNP_TABLE_IFACE, &rs->ifaces);
	if (!err)
		err = live_link_records(l, KNP_TABLE_BINDING, &rs->bindings);
	if (err) {
		knp_ruleset_free(rs);
		return err;
	}
	knp_ruleset_sort(rs);
	*ret = rs;
	return 0;
}

/* struct adopted - a tag and its id */
struct adopted {
	uint8_t tag[KNP_TAG_LEN];
	uint32_t id;
};

static int by_tag(const void *a, const void *b)
{
	const struct adopted *aa = a, *ab = b;

	return memcmp(aa->tag, ab->tag, KNP_TAG_LEN);
}

static struct adopted *adopted_ids(enum live_kind kind,
				   const struct knp_ruleset *rs, size_t *n)
{
	const struct knp_recs *recs;
	struct adopted *v;

	recs = knp_ruleset_table((struct knp_ruleset *)rs, live_table[kind]);
	v = calloc(recs->n + 1, sizeof(*v));
	if (!v)
		return NULL;
	for (size_t i = 0; i < recs->n; i++) {
		v[i].id = knp_ruleset_id(recs, i);
		memcpy(v[i].tag, knp_ruleset_tag(live_table[kind], recs, i),
		       KNP_TAG_LEN);
	}
	qsort(v, recs->n, sizeof(*v), by_tag);
	*n = recs->n;
	return v;
}

/* Take the ids over; those in between are free. */
static int take_ids(struct knp_live *l, enum live_kind kind,
		    const struct adopted *v, size_t n)
{
	struct live_numbers ids = { .v = { .size = sizeof(void *) },
				    .spare = { .size = sizeof(uint32_t) } };
	void **objects = l->numbers[kind].v.v;
	const struct adopted *found;
	struct adopted key = { 0 };
	struct live_id *id;
	void *none = NULL;
	int err = 0;

	for (size_t i = 0; !err && i < l->numbers[kind].v.n; i++) {
		if (!objects[i])
			continue;
		id = live_id_of(kind, objects[i]);
		memcpy(key.tag, id->tag, KNP_TAG_LEN);
		found = bsearch(&key, v, n, sizeof(*v), by_tag);
		if (!found || !found->id) {
			err = -EINVAL;
			break;
		}
		while (!err && ids.v.n < found->id)
			if (!knp_recs_add(&ids.v, &none))
				err = -ENOMEM;
		if (err)
			break;
		((void **)ids.v.v)[found->id - 1] = objects[i];
		id->id = found->id;
		id->there = true;
	}
	for (uint32_t i = ids.v.n; !err && i; i--)
		if (!((void **)ids.v.v)[i - 1] && !knp_recs_add(&ids.spare, &i))
			err = -ENOMEM;
	if (err) {
		free(ids.v.v);
		free(ids.spare.v);
		return err;
	}
	free(l->ids[kind].v.v);
	free(l->ids[kind].spare.v);
	l->ids[kind] = ids;
	return 0;
}

static void adopt_rows(const struct knp_live *l, struct live_set *s)
{
	const struct live_class *class;
	struct live_row *rows = s->rows.v;
	size_t n = 0;

	for (size_t i = 0; i < s->rows.n; i++) {
		if (!rows[i].portset)
			continue;
		class = live_numbered(&l->numbers[LIVE_CLASS], rows[i].number);
		rows[i].class_id = class->id.id;
		rows[i].there = live_portset_id(rows[i].portset);
		rows[n++] = rows[i];
	}
	s->rows.n = n;
	s->dflt_there = live_portset_id(s->dflt);
}

int knp_live_adopt(struct knp_live *l, const struct knp_ruleset *rs)
{
	struct knp_recs cidrs = { .size = sizeof(struct knp_rec_cidr) };
	struct knp_hash_node *node;
	struct live_cell *cell;
	struct live_group *g;
	struct adopted *v;
	size_t n;
	int err = 0;

	knp_live_forget(l);
	for (int kind = 0; !err && kind < LIVE_KINDS; kind++) {
		v = adopted_ids(kind, rs, &n);
		err = v ? take_ids(l, kind, v, n) : -ENOMEM;
		free(v);
	}
	if (!err)
		err = live_link_adopt(l);
	if (!err)
		err = live_cidr_records(l, &cidrs);
	if (err) {
		free(cidrs.v);
		return err;
	}
	free(l->cidrs_there.v);
	l->cidrs_there = cidrs;
	knp_hash_for_each(&l->sets, node)
		adopt_rows(l, knp_hash_entry(node, struct live_set, node));
	knp_hash_for_each(&l->groups, node) {
		g = knp_hash_entry(node, struct live_group, node);
		live_group_there(g);
		for (cell = &g->cell; cell; cell = cell->next)
			cell->there = live_class_id(cell->class);
	}
	l->known = true;
	return 0;
}
