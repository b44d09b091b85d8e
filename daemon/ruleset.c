// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "table_limits.h"
#include "ruleset.h"

#define OP_SIZE		(32U << 10)	/* bytes of records in a message */

static const size_t record_size[] = {
	[KNP_TABLE_RULE]	= sizeof(struct knp_rec_rule),
	[KNP_TABLE_PORTSET]	= sizeof(struct knp_rs_portset),
	[KNP_TABLE_CLASS]	= sizeof(struct knp_rec_class),
	[KNP_TABLE_SET]		= sizeof(struct knp_rec_set),
	[KNP_TABLE_ROW]		= sizeof(struct knp_rec_row),
	[KNP_TABLE_PEER]	= sizeof(struct knp_rec_peer),
	[KNP_TABLE_CIDR]	= sizeof(struct knp_rec_cidr),
	[KNP_TABLE_ENDPOINT]	= sizeof(struct knp_rec_endpoint),
	[KNP_TABLE_IFACE]	= sizeof(struct knp_rec_iface),
	[KNP_TABLE_BINDING]	= sizeof(struct knp_rec_binding),
};

struct knp_ruleset *knp_ruleset_new(void)
{
	struct knp_ruleset *rs = calloc(1, sizeof(*rs));

	if (!rs)
		return NULL;
	for (uint32_t table = 1; table <= KNP_TABLE_MAX; table++)
		knp_ruleset_table(rs, table)->size = record_size[table];
	rs->names.size = sizeof(struct knp_name);
	rs->addresses.size = sizeof(struct knp_address_name);
	return rs;
}

void knp_ruleset_free(struct knp_ruleset *rs)
{
	struct knp_address_name *addresses;
	struct knp_rs_portset *portsets;
	struct knp_name *names;

	if (!rs)
		return;
	portsets = rs->portsets.v;
	for (size_t i = 0; i < rs->portsets.n; i++)
		free(portsets[i].ports);
	names = rs->names.v;
	for (size_t i = 0; i < rs->names.n; i++)
		free(names[i].text);
	addresses = rs->addresses.v;
	for (size_t i = 0; i < rs->addresses.n; i++)
		free(addresses[i].text);
	for (uint32_t table = 1; table <= KNP_TABLE_MAX; table++)
		free(knp_ruleset_table(rs, table)->v);
	free(rs->names.v);
	free(rs->addresses.v);
	free(rs);
}

void *knp_recs_add(struct knp_recs *r, const void *rec)
{
	size_t cap;
	void *v;

	if (r->n == r->cap) {
		cap = r->cap ? 2 * r->cap : 16;
		v = reallocarray(r->v, cap, r->size);
		if (!v)
			return NULL;
		r->v = v;
		r->cap = cap;
	}
	v = (char *)r->v + r->n++ * r->size;
	memcpy(v, rec, r->size);
	return v;
}

struct knp_recs *knp_ruleset_table(struct knp_ruleset *rs, uint32_t table)
{
	switch (table) {
	case KNP_TABLE_RULE:
		return &rs->rules;
	case KNP_TABLE_PORTSET:
		return &rs->portsets;
	case KNP_TABLE_CLASS:
		return &rs->classes;
	case KNP_TABLE_SET:
		return &rs->sets;
	case KNP_TABLE_ROW:
		return &rs->rows;
	case KNP_TABLE_PEER:
		return &rs->peers;
	case KNP_TABLE_CIDR:
		return &rs->cidrs;
	case KNP_TABLE_ENDPOINT:
		return &rs->endpoints;
	case KNP_TABLE_IFACE:
		return &rs->ifaces;
	case KNP_TABLE_BINDING:
		return &rs->bindings;
	}
	return NULL;
}

static int order(uint32_t a, uint32_t b)
{
	return a < b ? -1 : a > b;
}

/* Rules, portsets, classes, sets and interfaces start with their id. */
static int by_id(const void *a, const void *b)
{
	uint32_t ida, idb;

	memcpy(&ida, a, sizeof(ida));
	memcpy(&idb, b, sizeof(idb));
	return order(ida, idb);
}

static int by_row(const void *a, const void *b)
{
	const struct knp_rec_row *ra = a, *rb = b;
	int cmp = order(ra->set, rb->set);

	return cmp ? cmp : order(ra->class_id, rb->class_id);
}

static int by_address(const uint8_t *a, uint8_t afamily, const uint8_t *b,
		      uint8_t bfamily)
{
	int cmp = order(afamily, bfamily);

	return cmp ? cmp : memcmp(a, b, KNP_ADDR_LEN);
}

static int by_peer(const void *a, const void *b)
{
	const struct knp_rec_peer *pa = a, *pb = b;

	return by_address(pa->addr, pa->family, pb->addr, pb->family);
}

static int by_cidr(const void *a, const void *b)
{
	const struct knp_rec_cidr *ca = a, *cb = b;
	int cmp = by_address(ca->addr, ca->family, cb->addr, cb->family);

	return cmp ? cmp : order(ca->prefixlen, cb->prefixlen);
}

static int by_endpoint(const void *a, const void *b)
{
	const struct knp_rec_endpoint *ea = a, *eb = b;

	return by_address(ea->addr, ea->family, eb->addr, eb->family);
}

static int by_binding(const void *a, const void *b)
{
	const struct knp_rec_binding *ba = a, *bb = b;

	return by_address(ba->addr, ba->family, bb->addr, bb->family);
}

static int by_tag(const void *a, const void *b)
{
	const struct knp_name *na = a, *nb = b;

	return memcmp(na->tag, nb->tag, KNP_TAG_LEN);
}

static int by_address_name(const void *a, const void *b)
{
	const struct knp_address_name *na = a, *nb = b;

	return by_address(na->addr, na->family, nb->addr, nb->family);
}

static int (*const by_key[])(const void *a, const void *b) = {
	[KNP_TABLE_RULE]	= by_id,
	[KNP_TABLE_PORTSET]	= by_id,
	[KNP_TABLE_CLASS]	= by_id,
	[KNP_TABLE_SET]		= by_id,
	[KNP_TABLE_ROW]		= by_row,
	[KNP_TABLE_PEER]	= by_peer,
	[KNP_TABLE_CIDR]	= by_cidr,
	[KNP_TABLE_ENDPOINT]	= by_endpoint,
	[KNP_TABLE_IFACE]	= by_id,
	[KNP_TABLE_BINDING]	= by_binding,
};

int knp_ruleset_order(uint32_t table, const void *a, const void *b)
{
	return by_key[table](a, b);
}

static void sort(struct knp_recs *r, int (*cmp)(const void *, const void *))
{
	if (r->n > 1)
		qsort(r->v, r->n, r->size, cmp);
}

void knp_ruleset_sort(struct knp_ruleset *rs)
{
	for (uint32_t table = 1; table <= KNP_TABLE_MAX; table++)
		sort(knp_ruleset_table(rs, table), by_key[table]);
	sort(&rs->names, by_tag);
	sort(&rs->addresses, by_address_name);
}

static int unpack_portsets(struct knp_ruleset *rs, const uint8_t *p, size_t len)
{
	struct knp_rs_portset portset;
	size_t size;

	while (len) {
		if (len < sizeof(portset.rec))
			return -EINVAL;
		memcpy(&portset.rec, p, sizeof(portset.rec));
		p += sizeof(portset.rec);
		len -= sizeof(portset.rec);
		if (portset.rec.nports > KNP_PORTS_MAX)
			return -EINVAL;
		size = portset.rec.nports * sizeof(*portset.ports);
		if (len < size)
			return -EINVAL;
		portset.ports = NULL;
		if (size) {
			portset.ports = malloc(size);
			if (!portset.ports)
				return -ENOMEM;
			memcpy(portset.ports, p, size);
		}
		if (!knp_recs_add(&rs->portsets, &portset)) {
			free(portset.ports);
			return -ENOMEM;
		}
		p += size;
		len -= size;
	}
	return 0;
}

int knp_ruleset_unpack(struct knp_ruleset *rs, uint32_t table,
		       const void *recs, size_t len)
{
	struct knp_recs *r = knp_ruleset_table(rs, table);
	const uint8_t *p = recs;

	if (!r)
		return -EINVAL;
	if (table == KNP_TABLE_PORTSET)
		return unpack_portsets(rs, p, len);
	if (len % r->size)
		return -EINVAL;
	for (; len; p += r->size, len -= r->size)
		if (!knp_recs_add(r, p))
			return -ENOMEM;
	return 0;
}

/* struct tagged - id and tag of an object; @index is where it stands */
struct tagged {
	uint8_t tag[KNP_TAG_LEN];
	uint32_t id;
	uint32_t index;
};

static int by_tagged(const void *a, const void *b)
{
	const struct tagged *ta = a, *tb = b;
	int cmp = memcmp(ta->tag, tb->tag, KNP_TAG_LEN);

	return cmp ? cmp : order(ta->id, tb->id);
}

static const uint8_t *tag_of(uint32_t table, const void *rec)
{
	switch (table) {
	case KNP_TABLE_RULE:
		return ((const struct knp_rec_rule *)rec)->tag;
	case KNP_TABLE_PORTSET:
		return ((const struct knp_rs_portset *)rec)->rec.tag;
	case KNP_TABLE_CLASS:
		return ((const struct knp_rec_class *)rec)->tag;
	default:
		return ((const struct knp_rec_set *)rec)->tag;
	}
}

const void *knp_recs_find(const struct knp_recs *r, uint32_t id)
{
	/* Each of them starts with its id. */
	return r->n ? bsearch(&id, r->v, r->n, r->size, by_id) : NULL;
}

uint32_t knp_ruleset_id(const struct knp_recs *r, size_t i)
{
	uint32_t id;

	memcpy(&id, (const char *)r->v + i * r->size, sizeof(id));
	return id;
}

const uint8_t *knp_ruleset_tag(uint32_t table, const struct knp_recs *r,
			       size_t i)
{
	return tag_of(table, (const char *)r->v + i * r->size);
}

static struct tagged *by_tags(const struct knp_recs *r, uint32_t table)
{
	struct tagged *v = calloc(r->n + 1, sizeof(*v));
	const char *rec = r->v;

	if (!v)
		return NULL;
	for (size_t i = 0; i < r->n; i++, rec += r->size) {
		memcpy(&v[i].id, rec, sizeof(v[i].id));
		memcpy(v[i].tag, tag_of(table, rec), KNP_TAG_LEN);
		v[i].index = i;
	}
	qsort(v, r->n, sizeof(*v), by_tagged);
	return v;
}

/*
 * struct renumbering - the new ids of one table
 * @old, @ids: old id, and new id, of the record at each index
 */
struct renumbering {
	uint32_t *old;
	uint32_t *ids;
	size_t n;
	uint32_t *by_old;	/* old id -> new id */
	uint32_t max_old;
};

static void renumbering_clear(struct renumbering *r)
{
	free(r->old);
	free(r->ids);
	free(r->by_old);
}

static void take_known(struct renumbering *r, const struct tagged *ours,
		       const struct tagged *theirs, size_t ntheirs)
{
	size_t i = 0, j = 0;
	int cmp;

	while (i < r->n && j < ntheirs) {
		cmp = memcmp(ours[i].tag, theirs[j].tag, KNP_TAG_LEN);
		if (!cmp)
			r->ids[ours[i++].index] = theirs[j++].id;
		else if (cmp < 0)
			i++;
		else
			j++;
	}
}

static int take_free(struct renumbering *r, const struct knp_recs *base,
		     uint32_t limit)
{
	const char *rec = base->v;
	uint32_t next = 1;
	uint8_t *used;
	uint32_t id;

	used = calloc((size_t)limit + 1, 1);
	if (!used)
		return -ENOMEM;
	for (size_t i = 0; i < base->n; i++, rec += base->size) {
		memcpy(&id, rec, sizeof(id));
		if (id <= limit)
			used[id] = 1;
	}
	for (size_t i = 0; i < r->n; i++) {
		if (r->ids[i])
			continue;
		while (next <= limit && used[next])
			next++;
		if (next > limit) {
			free(used);
			return -E2BIG;
		}
		r->ids[i] = next++;
	}
	free(used);
	return 0;
}

static int map_old(struct renumbering *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->old[i] > r->max_old)
			r->max_old = r->old[i];
	r->by_old = calloc((size_t)r->max_old + 1, sizeof(*r->by_old));
	if (!r->by_old)
		return -ENOMEM;
	for (size_t i = 0; i < r->n; i++)
		r->by_old[r->old[i]] = r->ids[i];
	return 0;
}

static int renumber(struct renumbering *r, const struct knp_recs *ours,
		    const struct knp_recs *theirs, uint32_t table)
{
	struct tagged *theirs_by_tag = by_tags(theirs, table);
	struct tagged *ours_by_tag = by_tags(ours, table);
	const char *rec = ours->v;
	int err = -ENOMEM;

	r->n = ours->n;
	r->old = calloc(r->n + 1, sizeof(*r->old));
	r->ids = calloc(r->n + 1, sizeof(*r->ids));
	if (!ours_by_tag || !theirs_by_tag || !r->old || !r->ids)
		goto out;
	for (size_t i = 0; i < r->n; i++, rec += ours->size)
		memcpy(&r->old[i], rec, sizeof(r->old[i]));

	take_known(r, ours_by_tag, theirs_by_tag, theirs->n);
	err = take_free(r, theirs, knp_limit(table));
	if (!err)
		err = map_old(r);
out:
	free(ours_by_tag);
	free(theirs_by_tag);
	return err;
}

static uint32_t new_id(const struct renumbering *r, uint32_t old)
{
	return old <= r->max_old ? r->by_old[old] : 0;
}

static void apply_ids(struct knp_recs *recs, const struct renumbering *r)
{
	char *rec = recs->v;

	for (size_t i = 0; i < recs->n; i++, rec += recs->size)
		memcpy(rec, &r->ids[i], sizeof(r->ids[i]));
}

static void apply(struct knp_ruleset *rs, const struct renumbering *rules,
		  const struct renumbering *portsets,
		  const struct renumbering *classes,
		  const struct renumbering *sets)
{
	struct knp_rec_endpoint *endpoint = rs->endpoints.v;
	struct knp_rs_portset *portset = rs->portsets.v;
	struct knp_rec_peer *peer = rs->peers.v;
	struct knp_rec_cidr *cidr = rs->cidrs.v;
	struct knp_rec_set *set = rs->sets.v;
	struct knp_rec_row *row = rs->rows.v;

	apply_ids(&rs->rules, rules);
	apply_ids(&rs->portsets, portsets);
	apply_ids(&rs->classes, classes);
	apply_ids(&rs->sets, sets);
	for (size_t i = 0; i < rs->portsets.n; i++, portset++)
		for (size_t j = 0; j < portset->rec.nports; j++)
			portset->ports[j].rule =
				new_id(rules, portset->ports[j].rule);
	for (size_t i = 0; i < rs->sets.n; i++)
		set[i].dflt = new_id(portsets, set[i].dflt);
	for (size_t i = 0; i < rs->rows.n; i++, row++) {
		row->set = new_id(sets, row->set);
		row->class_id = new_id(classes, row->class_id);
		row->portset = new_id(portsets, row->portset);
	}
	for (size_t i = 0; i < rs->peers.n; i++)
		peer[i].class_id = new_id(classes, peer[i].class_id);
	for (size_t i = 0; i < rs->cidrs.n; i++)
		cidr[i].class_id = new_id(classes, cidr[i].class_id);
	for (size_t i = 0; i < rs->endpoints.n; i++, endpoint++) {
		endpoint->egress_set = new_id(sets, endpoint->egress_set);
		endpoint->ingress_set = new_id(sets, endpoint->ingress_set);
	}
}

int knp_ruleset_adopt(struct knp_ruleset *rs, const struct knp_ruleset *base)
{
	struct renumbering rules = { 0 }, portsets = { 0 };
	struct renumbering classes = { 0 }, sets = { 0 };
	int err;

	/* Everything that can fail comes first: @rs is whole on an error. */
	err = renumber(&rules, &rs->rules, &base->rules, KNP_TABLE_RULE);
	if (!err)
		err = renumber(&portsets, &rs->portsets, &base->portsets,
			       KNP_TABLE_PORTSET);
	if (!err)
		err = renumber(&classes, &rs->classes, &base->classes,
			       KNP_TABLE_CLASS);
	if (!err)
		err = renumber(&sets, &rs->sets, &base->sets, KNP_TABLE_SET);
	if (!err) {
		apply(rs, &rules, &portsets, &classes, &sets);
		knp_ruleset_sort(rs);
	}
	renumbering_clear(&rules);
	renumbering_clear(&portsets);
	renumbering_clear(&classes);
	renumbering_clear(&sets);
	return err;
}

const char *knp_ruleset_name(const struct knp_ruleset *rs,
			     const uint8_t tag[KNP_TAG_LEN])
{
	struct knp_name key = { .kind = KNP_NAME_RULE };
	const struct knp_name *name;

	memcpy(key.tag, tag, KNP_TAG_LEN);
	if (!rs->names.n)
		return NULL;
	name = bsearch(&key, rs->names.v, rs->names.n, sizeof(key), by_tag);
	return name ? name->text : NULL;
}

struct knp_diff *knp_diff_new(void)
{
	return calloc(1, sizeof(struct knp_diff));
}

static struct knp_op *open_op(struct knp_diff *d, bool delete, uint32_t table)
{
	struct knp_op *ops, *op;
	size_t cap;

	if (d->nops == d->cap) {
		cap = d->cap ? 2 * d->cap : 4;
		ops = reallocarray(d->ops, cap, sizeof(*ops));
		if (!ops)
			return NULL;
		d->ops = ops;
		d->cap = cap;
	}
	op = &d->ops[d->nops];
	*op = (struct knp_op){ .delete = delete, .table = table };
	op->recs = malloc(OP_SIZE);
	if (!op->recs)
		return NULL;
	d->nops++;
	return op;
}

static int write_op(struct knp_diff *d, bool delete, uint32_t table,
		    const void *head, size_t headlen, const void *tail,
		    size_t taillen)
{
	struct knp_op *op = d->nops ? &d->ops[d->nops - 1] : NULL;

	if (!op || op->delete != delete || op->table != table ||
	    op->len + headlen + taillen > OP_SIZE)
		op = open_op(d, delete, table);
	if (!op)
		return -ENOMEM;
	memcpy((char *)op->recs + op->len, head, headlen);
	op->len += headlen;
	if (taillen)
		memcpy((char *)op->recs + op->len, tail, taillen);
	op->len += taillen;
	op->count++;
	d->count++;
	return 0;
}

int knp_diff_add(struct knp_diff *d, bool delete, uint32_t table,
		 const void *rec)
{
	const struct knp_rs_portset *portset = rec;
	struct knp_rec_portset head;

	if (table != KNP_TABLE_PORTSET)
		return write_op(d, delete, table, rec, record_size[table],
				NULL, 0);
	head = portset->rec;
	if (!delete)
		return write_op(d, false, table, &head, sizeof(head),
				portset->ports,
				head.nports * sizeof(*portset->ports));
	/* Deleted portsets stand without their ports. */
	head.nports = 0;
	return write_op(d, true, table, &head, sizeof(head), NULL, 0);
}

bool knp_ruleset_same(uint32_t table, const void *a, const void *b)
{
	const struct knp_rs_portset *pa = a, *pb = b;

	if (table != KNP_TABLE_PORTSET)
		return !memcmp(a, b, record_size[table]);
	if (memcmp(&pa->rec, &pb->rec, sizeof(pa->rec)))
		return false;
	return !pa->rec.nports ||
	       !memcmp(pa->ports, pb->ports,
		       pa->rec.nports * sizeof(*pa->ports));
}

static const struct knp_recs *table_of(const struct knp_ruleset *rs,
				       uint32_t table)
{
	return knp_ruleset_table((struct knp_ruleset *)rs, table);
}

static const void *at(const struct knp_recs *r, size_t i)
{
	return (const char *)r->v + i * r->size;
}

static int write_puts(struct knp_diff *d, const struct knp_ruleset *from_rs,
		      const struct knp_ruleset *to_rs, uint32_t table)
{
	const struct knp_recs *from = table_of(from_rs, table);
	const struct knp_recs *to = table_of(to_rs, table);
	size_t i = 0;
	int cmp, err;

	for (size_t j = 0; j < to->n; j++) {
		cmp = 1;
		while (i < from->n) {
			cmp = by_key[table](at(from, i), at(to, j));
			if (cmp >= 0)
				break;
			i++;
		}
		if (i < from->n && !cmp &&
		    knp_ruleset_same(table, at(from, i), at(to, j)))
			continue;
		err = knp_diff_add(d, false, table, at(to, j));
		if (err)
			return err;
	}
	return 0;
}

/* A deleted set takes its row along. */
static bool row_goes_anyway(const struct knp_ruleset *to, const void *rec)
{
	const struct knp_rec_row *row = rec;
	struct knp_rec_set key = { .id = row->set };

	return !to->sets.n || !bsearch(&key, to->sets.v, to->sets.n,
				       sizeof(key), by_id);
}

static int write_deletes(struct knp_diff *d, const struct knp_ruleset *from_rs,
			 const struct knp_ruleset *to_rs, uint32_t table)
{
	const struct knp_recs *from = table_of(from_rs, table);
	const struct knp_recs *to = table_of(to_rs, table);
	size_t j = 0;
	int cmp, err;

	for (size_t i = 0; i < from->n; i++) {
		cmp = 1;
		while (j < to->n) {
			cmp = by_key[table](at(to, j), at(from, i));
			if (cmp >= 0)
				break;
			j++;
		}
		if (j < to->n && !cmp)
			continue;
		if (table == KNP_TABLE_ROW &&
		    row_goes_anyway(to_rs, at(from, i)))
			continue;
		err = knp_diff_add(d, true, table, at(from, i));
		if (err)
			return err;
	}
	return 0;
}

int knp_ruleset_diff(const struct knp_ruleset *from,
		     const struct knp_ruleset *to, struct knp_diff **ret)
{
	struct knp_diff *d = knp_diff_new();
	int err = d ? 0 : -ENOMEM;

	for (uint32_t t = 1; !err && t <= KNP_TABLE_MAX; t++)
		err = write_puts(d, from, to, t);
	for (uint32_t t = KNP_TABLE_MAX; !err && t; t--)
		err = write_deletes(d, from, to, t);
	if (err) {
		knp_diff_free(d);
		return err;
	}
	*ret = d;
	return 0;
}

void knp_diff_free(struct knp_diff *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->nops; i++)
		free(d->ops[i].recs);
	free(d->ops);
	free(d);
}
