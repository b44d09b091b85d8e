// SPDX-License-Identifier: Apache-2.0
/*
 * Interfaces of pods. The store has them whole, there are a few hundred, and
 * they change as pods start and stop: they are compared, not followed.
 */
#include <errno.h>
#include <stdlib.h>

#include "live_impl.h"

static bool has_changed(const struct knp_live *l)
{
	return l->ifaces_version != l->store->ifaces_version;
}

int live_iface_records(const struct knp_live *l, struct knp_recs *ret)
{
	struct knp_rec_iface rec = { .role = KNP_ROLE_POD };

	for (size_t i = 0; i < l->store->nifaces; i++) {
		rec.ifindex = l->store->ifaces[i];
		if (!knp_recs_add(ret, &rec))
			return -ENOMEM;
	}
	return 0;
}

int live_iface_prepare(struct knp_live *l)
{
	if (!has_changed(l))
		return 0;
	l->ifaces_next.size = sizeof(struct knp_rec_iface);
	l->ifaces_next.n = 0;
	return live_iface_records(l, &l->ifaces_next);
}

/* What @a has and @b does not. */
static int write_missing(struct knp_diff *d, bool delete,
			 const struct knp_recs *a, const struct knp_recs *b)
{
	const struct knp_rec_iface *ra = a->v, *rb = b->v;
	size_t j = 0;
	int err = 0;

	for (size_t i = 0; !err && i < a->n; i++) {
		while (j < b->n && rb[j].ifindex < ra[i].ifindex)
			j++;
		if (j < b->n && rb[j].ifindex == ra[i].ifindex)
			continue;
		err = knp_diff_add(d, delete, KNP_TABLE_IFACE, &ra[i]);
	}
	return err;
}

int live_iface_write(const struct knp_live *l, struct knp_diff *d, bool delete)
{
	const struct knp_recs *next = &l->ifaces_next;
	const struct knp_recs *there = &l->ifaces_there;

	if (!has_changed(l))
		return 0;
	return delete ? write_missing(d, true, there, next) :
			write_missing(d, false, next, there);
}

void live_iface_confirm(struct knp_live *l)
{
	if (!has_changed(l))
		return;
	free(l->ifaces_there.v);
	l->ifaces_there = l->ifaces_next;
	l->ifaces_next = (struct knp_recs){ 0 };
	l->ifaces_version = l->store->ifaces_version;
}

int live_iface_adopt(struct knp_live *l)
{
	struct knp_recs recs = { .size = sizeof(struct knp_rec_iface) };
	int err = live_iface_records(l, &recs);

	if (err) {
		free(recs.v);
		return err;
	}
	free(l->ifaces_there.v);
	l->ifaces_there = recs;
	l->ifaces_version = l->store->ifaces_version;
	return 0;
}

void live_iface_clear(struct knp_live *l)
{
	free(l->ifaces_there.v);
	free(l->ifaces_next.v);
}
