// SPDX-License-Identifier: Apache-2.0
/*
 * Interfaces of pods, and the addresses behind them. The store has them whole,
 * there are a few hundred, and they change as pods start and stop: they are
 * compared, not followed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "live_impl.h"

static const uint32_t tables[LIVE_LINKS] = {
	KNP_TABLE_IFACE, KNP_TABLE_BINDING,
};

static uint64_t version_of(const struct knp_live *l, uint32_t table)
{
	return table == KNP_TABLE_IFACE ? l->store->ifaces_version :
					  l->store->bounds_version;
}

static bool has_changed(const struct knp_live *l, size_t i)
{
	return l->links[i].version != version_of(l, tables[i]);
}

static int add_ifaces(const struct knp_live *l, struct knp_recs *ret)
{
	struct knp_rec_iface rec = { .role = KNP_ROLE_POD };

	ret->size = sizeof(rec);
	for (size_t i = 0; i < l->store->nifaces; i++) {
		rec.ifindex = l->store->ifaces[i];
		if (!knp_recs_add(ret, &rec))
			return -ENOMEM;
	}
	return 0;
}

static int add_bindings(const struct knp_live *l, struct knp_recs *ret)
{
	const struct knp_bound *bound = l->store->bounds;
	struct knp_rec_binding rec = { 0 };

	ret->size = sizeof(rec);
	for (size_t i = 0; i < l->store->nbounds; i++, bound++) {
		memcpy(rec.addr, bound->ip.b, KNP_ADDR_LEN);
		rec.family = bound->ip.family;
		rec.ifindex = bound->ifindex;
		if (!knp_recs_add(ret, &rec))
			return -ENOMEM;
	}
	return 0;
}

int live_link_records(const struct knp_live *l, uint32_t table,
		      struct knp_recs *ret)
{
	return table == KNP_TABLE_IFACE ? add_ifaces(l, ret) :
					  add_bindings(l, ret);
}

int live_link_prepare(struct knp_live *l)
{
	int err = 0;

	for (size_t i = 0; !err && i < LIVE_LINKS; i++) {
		if (!has_changed(l, i))
			continue;
		l->links[i].next.n = 0;
		err = live_link_records(l, tables[i], &l->links[i].next);
	}
	return err;
}

/* What @a has and @b does not, or, of what is put, has otherwise. */
static int write_missing(struct knp_diff *d, bool delete, uint32_t table,
			 const struct knp_recs *a, const struct knp_recs *b)
{
	const char *ra = a->v, *rb = b->v;
	size_t size = a->size, j = 0;
	int err = 0;

	for (size_t i = 0; !err && i < a->n; i++, ra += size) {
		while (j < b->n &&
		       knp_ruleset_order(table, rb + j * size, ra) < 0)
			j++;
		if (j < b->n && !knp_ruleset_order(table, rb + j * size, ra) &&
		    (delete || !memcmp(rb + j * size, ra, size)))
			continue;
		err = knp_diff_add(d, delete, table, ra);
	}
	return err;
}

int live_link_write(const struct knp_live *l, struct knp_diff *d, bool delete)
{
	const struct live_links *links = l->links;
	int err = 0;

	for (size_t i = 0; !err && i < LIVE_LINKS; i++, links++) {
		if (!has_changed(l, i))
			continue;
		err = delete ? write_missing(d, true, tables[i], &links->there,
					     &links->next) :
			       write_missing(d, false, tables[i], &links->next,
					     &links->there);
	}
	return err;
}

void live_link_confirm(struct knp_live *l)
{
	struct live_links *links = l->links;

	for (size_t i = 0; i < LIVE_LINKS; i++, links++) {
		if (!has_changed(l, i))
			continue;
		free(links->there.v);
		links->there = links->next;
		links->next = (struct knp_recs){ 0 };
		links->version = version_of(l, tables[i]);
	}
}

int live_link_adopt(struct knp_live *l)
{
	for (size_t i = 0; i < LIVE_LINKS; i++) {
		struct knp_recs recs = { 0 };
		int err = live_link_records(l, tables[i], &recs);

		if (err) {
			free(recs.v);
			return err;
		}
		free(l->links[i].there.v);
		l->links[i].there = recs;
		l->links[i].version = version_of(l, tables[i]);
	}
	return 0;
}

void live_link_clear(struct knp_live *l)
{
	for (size_t i = 0; i < LIVE_LINKS; i++) {
		free(l->links[i].there.v);
		free(l->links[i].next.v);
	}
}
