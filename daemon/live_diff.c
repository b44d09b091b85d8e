// SPDX-License-Identifier: Apache-2.0
/* What the kernel holds of the ruleset, and what differs from that. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "live_impl.h"

int live_move(struct knp_live *l, uintptr_t who, const struct live_cell *cell)
{
	const struct knp_ip *ip = live_ip(who);
	struct live_moved moved;
	uint32_t id;
	int err;

	if (!l->known)
		return 0;
	err = knp_intern(&l->moved_ids, ip, sizeof(*ip), &id);
	if (err <= 0)
		return err;
	moved = (struct live_moved){ .ip = *ip };
	if (cell) {
		moved.class_id = cell->there;
		moved.endpoint = live_is_local(l, who);
		for (int d = 0; moved.endpoint && d < NDIRECTIONS; d++)
			moved.sets[d] = cell->group->there[d];
	}
	l->moved.size = sizeof(moved);
	return knp_recs_add(&l->moved, &moved) ? 0 : -ENOMEM;
}

static bool has_moved(const struct knp_live *l, const struct knp_ip *ip)
{
	return knp_intern_has(&l->moved_ids, ip, sizeof(*ip));
}

void live_diff_drop(struct knp_live *l, struct live_group *group)
{
	struct live_group **groups = l->moved_groups.v;
	struct live_cell **cells = l->cell_queue.v;
	size_t n = 0;

	for (size_t i = 0; group->moved && i < l->moved_groups.n; i++)
		if (groups[i] == group)
			groups[i--] = groups[--l->moved_groups.n];
	for (size_t i = 0; i < l->cell_queue.n; i++)
		if (cells[i]->group != group)
			cells[n++] = cells[i];
	l->cell_queue.n = n;
}

/* What was noted for the difference is of no use any more. */
static void end_diff(struct knp_live *l)
{
	struct live_group **groups = l->moved_groups.v;
	struct live_cell **cells = l->cell_queue.v;

	for (size_t i = 0; i < l->moved_groups.n; i++)
		groups[i]->moved = false;
	for (size_t i = 0; i < l->cell_queue.n; i++)
		cells[i]->queued = false;
	for (int kind = 0; kind < LIVE_KINDS; kind++)
		l->fresh[kind].n = 0;
	live_give_back(l, true);
	l->moved_groups.n = 0;
	l->cell_queue.n = 0;
	l->touched.n = 0;
	l->moved.n = 0;
	knp_intern_clear(&l->moved_ids);
	l->cidrs_changed = false;
}

void knp_live_forget(struct knp_live *l)
{
	end_diff(l);
	l->known = false;
}

void live_diff_clear(struct knp_live *l)
{
	for (int kind = 0; kind < LIVE_KINDS; kind++) {
		free(l->fresh[kind].v);
		free(l->gone[kind].v);
	}
	free(l->moved.v);
	free(l->moved_groups.v);
	free(l->cell_queue.v);
	free(l->cidrs_there.v);
	free(l->cidrs_next.v);
	knp_intern_clear(&l->moved_ids);
}

static int put_named(struct knp_live *l, struct knp_diff *d,
		     enum live_kind kind)
{
	void **v = l->fresh[kind].v;
	struct knp_rec_rule rec;
	int err = 0;

	for (size_t i = 0; !err && i < l->fresh[kind].n; i++) {
		rec = live_named_record(live_id_of(kind, v[i]));
		err = knp_diff_add(d, false, live_table[kind], &rec);
	}
	return err;
}

static int put_portsets(struct knp_live *l, struct knp_diff *d)
{
	struct live_portset **v = l->fresh[LIVE_PORTSET].v;
	struct knp_rs_portset rec;
	int err = 0;

	for (size_t i = 0; !err && i < l->fresh[LIVE_PORTSET].n; i++) {
		err = live_portset_record(l, v[i], &rec);
		if (err)
			return err;
		err = knp_diff_add(d, false, KNP_TABLE_PORTSET, &rec);
		free(rec.ports);
	}
	return err;
}

static int by_touch(const void *a, const void *b)
{
	const struct live_touch *ta = a, *tb = b;
	uint32_t na = ta->set->id.number, nb = tb->set->id.number;

	if (na != nb)
		return na < nb ? -1 : 1;
	return (ta->number > tb->number) - (ta->number < tb->number);
}

static void sort_touched(struct knp_live *l)
{
	struct live_touch *v = l->touched.v;
	size_t n = 0;

	if (l->touched.n > 1)
		qsort(v, l->touched.n, sizeof(*v), by_touch);
	for (size_t i = 0; i < l->touched.n; i++)
		if (!n || by_touch(&v[i], &v[n - 1]))
			v[n++] = v[i];
	l->touched.n = n;
}

static int put_sets(struct knp_live *l, struct knp_diff *d)
{
	const struct live_touch *touched = l->touched.v;
	struct live_set **fresh = l->fresh[LIVE_SET].v;
	struct knp_rec_set rec;
	int err = 0;

	for (size_t i = 0; !err && i < l->fresh[LIVE_SET].n; i++) {
		rec = live_set_record(fresh[i]);
		err = knp_diff_add(d, false, KNP_TABLE_SET, &rec);
	}
	for (size_t i = 0; !err && i < l->touched.n; i++) {
		if (touched[i].number || !touched[i].set->id.there ||
		    live_portset_id(touched[i].set->dflt) ==
		    touched[i].set->dflt_there)
			continue;
		rec = live_set_record(touched[i].set);
		err = knp_diff_add(d, false, KNP_TABLE_SET, &rec);
	}
	return err;
}

static int write_rows(struct knp_live *l, struct knp_diff *d, bool delete)
{
	const struct live_touch *touched = l->touched.v;
	const struct live_row *row;
	struct knp_rec_row rec;
	int err = 0;

	for (size_t i = 0; !err && i < l->touched.n; i++) {
		row = live_row(touched[i].set, touched[i].number);
		if (!row || delete == !!row->portset ||
		    live_portset_id(row->portset) == row->there)
			continue;
		rec = live_row_record(touched[i].set, row);
		err = knp_diff_add(d, delete, KNP_TABLE_ROW, &rec);
	}
	return err;
}

/* @had, @has: class ids, 0: no record */
static int write_peer(struct knp_diff *d, bool delete, const struct knp_ip *ip,
		      uint32_t had, uint32_t has)
{
	struct knp_rec_peer rec = live_peer_record(ip, has);

	if (had == has || delete == !!has)
		return 0;
	return knp_diff_add(d, delete, KNP_TABLE_PEER, &rec);
}

static int write_peers(struct knp_live *l, struct knp_diff *d, bool delete)
{
	const struct live_moved *moved = l->moved.v;
	struct live_cell *const *cells = l->cell_queue.v;
	const struct live_cell *cell;
	const struct live_slot *slot;
	const struct knp_ip *ip;
	int err = 0;

	for (size_t i = 0; !err && i < l->moved.n; i++) {
		slot = live_slot(l, &moved[i].ip);
		err = write_peer(d, delete, &moved[i].ip, moved[i].class_id,
				 slot ? live_class_id(slot->cell->class) : 0);
	}
	for (size_t i = 0; !err && i < l->cell_queue.n; i++) {
		cell = cells[i];
		for (uint32_t j = 0; !err && j < cell->n; j++) {
			ip = live_ip(cell->members[j]);
			if (!has_moved(l, ip))
				err = write_peer(d, delete, ip, cell->there,
						 live_class_id(cell->class));
		}
	}
	return err;
}

static int put_endpoint(struct knp_diff *d, const struct knp_ip *ip,
			const uint32_t had[NDIRECTIONS],
			const struct live_group *g)
{
	struct knp_rec_endpoint rec;

	rec = live_endpoint_record(ip, live_set_id(g->sets[EGRESS]),
				   live_set_id(g->sets[INGRESS]));
	if (had && had[EGRESS] == rec.egress_set &&
	    had[INGRESS] == rec.ingress_set)
		return 0;
	return knp_diff_add(d, false, KNP_TABLE_ENDPOINT, &rec);
}

static int put_group(struct knp_live *l, struct knp_diff *d,
		     const struct live_group *g)
{
	const struct live_cell *cell;
	uintptr_t who;
	int err = 0;

	for (cell = &g->cell; cell; cell = cell->next) {
		for (uint32_t i = 0; !err && i < cell->n; i++) {
			who = cell->members[i];
			if (live_is_local(l, who) && !has_moved(l, live_ip(who)))
				err = put_endpoint(d, live_ip(who), g->there, g);
		}
	}
	return err;
}

static int write_endpoints(struct knp_live *l, struct knp_diff *d, bool delete)
{
	const struct live_moved *moved = l->moved.v;
	struct live_group *const *groups = l->moved_groups.v;
	struct knp_rec_endpoint rec;
	const struct live_slot *slot;
	bool is;
	int err = 0;

	for (size_t i = 0; !err && i < l->moved.n; i++) {
		slot = live_slot(l, &moved[i].ip);
		is = slot && live_is_local(l, slot->who);
		if (is && !delete)
			err = put_endpoint(d, &moved[i].ip, moved[i].endpoint ?
					   moved[i].sets : NULL,
					   slot->cell->group);
		rec = live_endpoint_record(&moved[i].ip, 0, 0);
		if (!is && delete && moved[i].endpoint)
			err = knp_diff_add(d, true, KNP_TABLE_ENDPOINT, &rec);
	}
	for (size_t i = 0; !err && !delete && i < l->moved_groups.n; i++)
		err = put_group(l, d, groups[i]);
	return err;
}

static int by_cidr(const void *a, const void *b)
{
	const struct knp_rec_cidr *ca = a, *cb = b;
	int cmp;

	if (ca->family != cb->family)
		return ca->family < cb->family ? -1 : 1;
	cmp = memcmp(ca->addr, cb->addr, KNP_ADDR_LEN);
	return cmp ? cmp : ca->prefixlen - cb->prefixlen;
}

/* Both are in the order of regions. What @a has and @b does not, or other. */
static int write_cidrs(struct knp_diff *d, bool delete,
		       const struct knp_recs *a, const struct knp_recs *b)
{
	const struct knp_rec_cidr *ra = a->v, *rb = b->v;
	size_t j = 0;
	int err = 0;

	for (size_t i = 0; !err && i < a->n; i++) {
		while (j < b->n && by_cidr(&rb[j], &ra[i]) < 0)
			j++;
		if (j < b->n && !by_cidr(&rb[j], &ra[i]) &&
		    (delete || rb[j].class_id == ra[i].class_id))
			continue;
		err = knp_diff_add(d, delete, KNP_TABLE_CIDR, &ra[i]);
	}
	return err;
}

static int delete_gone(struct knp_live *l, struct knp_diff *d,
		       enum live_kind kind)
{
	const struct live_gone *v = l->gone[kind].v;
	struct knp_rs_portset portset = { 0 };
	struct knp_rec_set set = { 0 };
	int err = 0;

	for (size_t i = 0; !err && i < l->gone[kind].n; i++) {
		/* The id is what they all begin with, and all that is read. */
		set.id = v[i].id;
		portset.rec.id = v[i].id;
		if (kind == LIVE_PORTSET)
			err = knp_diff_add(d, true, live_table[kind], &portset);
		else
			err = knp_diff_add(d, true, live_table[kind], &set);
	}
	return err;
}

static int write_diff(struct knp_live *l, struct knp_diff *d,
		      const struct knp_recs *cidrs)
{
	int err;

	sort_touched(l);
	err = put_named(l, d, LIVE_RULE);
	if (!err)
		err = put_portsets(l, d);
	if (!err)
		err = put_named(l, d, LIVE_CLASS);
	if (!err)
		err = put_sets(l, d);
	if (!err)
		err = write_rows(l, d, false);
	if (!err)
		err = write_peers(l, d, false);
	if (!err && l->cidrs_changed)
		err = write_cidrs(d, false, cidrs, &l->cidrs_there);
	if (!err)
		err = write_endpoints(l, d, false);
	if (!err)
		err = live_link_write(l, d, false);

	if (!err)
		err = live_link_write(l, d, true);
	if (!err)
		err = write_endpoints(l, d, true);
	if (!err && l->cidrs_changed)
		err = write_cidrs(d, true, &l->cidrs_there, cidrs);
	if (!err)
		err = write_peers(l, d, true);
	if (!err)
		err = write_rows(l, d, true);
	for (int kind = LIVE_KINDS - 1; !err && kind >= 0; kind--)
		err = delete_gone(l, d, kind);
	return err;
}

int knp_live_diff(struct knp_live *l, struct knp_diff **ret)
{
	struct knp_recs cidrs = { .size = sizeof(struct knp_rec_cidr) };
	struct knp_diff *d = knp_diff_new();
	int err = d ? 0 : -ENOMEM;

	if (!err && l->cidrs_changed)
		err = live_cidr_records(l, &cidrs);
	if (!err)
		err = live_link_prepare(l);
	if (!err)
		err = write_diff(l, d, &cidrs);
	if (err) {
		free(cidrs.v);
		knp_diff_free(d);
		return err;
	}
	free(l->cidrs_next.v);
	l->cidrs_next = cidrs;
	*ret = d;
	return 0;
}

static void confirm_rows(struct knp_live *l)
{
	const struct live_touch *touched = l->touched.v;
	struct live_row *row;
	struct live_set *s;

	for (size_t i = 0; i < l->touched.n; i++) {
		s = touched[i].set;
		s->dflt_there = live_portset_id(s->dflt);
		row = live_row(s, touched[i].number);
		if (!row)
			continue;
		row->there = live_portset_id(row->portset);
		if (!row->portset)
			live_row_remove(s, row);
	}
}

static void confirm_fresh(struct knp_live *l)
{
	struct live_set **sets = l->fresh[LIVE_SET].v;
	void **v;

	for (size_t i = 0; i < l->fresh[LIVE_SET].n; i++)
		sets[i]->dflt_there = live_portset_id(sets[i]->dflt);
	for (int kind = 0; kind < LIVE_KINDS; kind++) {
		v = l->fresh[kind].v;
		for (size_t i = 0; i < l->fresh[kind].n; i++)
			live_id_of(kind, v[i])->there = true;
	}
}

void knp_live_confirm(struct knp_live *l)
{
	struct live_group **groups = l->moved_groups.v;
	struct live_cell **cells = l->cell_queue.v;

	confirm_rows(l);
	confirm_fresh(l);
	for (size_t i = 0; i < l->cell_queue.n; i++)
		cells[i]->there = live_class_id(cells[i]->class);
	for (size_t i = 0; i < l->moved_groups.n; i++)
		live_group_there(groups[i]);
	if (l->cidrs_changed) {
		free(l->cidrs_there.v);
		l->cidrs_there = l->cidrs_next;
		l->cidrs_next = (struct knp_recs){ 0 };
	}
	live_link_confirm(l);
	end_diff(l);
}
