// SPDX-License-Identifier: Apache-2.0
/*
 * Addresses, their owners, and what they have in common.
 *
 * Where two pods show one address, a completed one that is still listed and its
 * successor for instance, the one that it is bound to owns it, and else the
 * younger, as in subjects.c. The others wait in a list, which is short and searched.
 *
 * The table of addresses is open addressing with linear probing: 16 bytes for
 * an address at up to 4/5 full, where a chained table needs 40. The address
 * itself is in the pod.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "live_impl.h"
#include "pod.h"

static bool effective(const struct knp_pod *pod)
{
	return !pod->host_network && !pod->terminal && pod->nips;
}

static size_t home(const struct knp_live *l, const struct knp_ip *ip)
{
	return knp_hash_bytes(ip, sizeof(*ip)) & (l->nslots - 1);
}

struct live_slot *live_slot(const struct knp_live *l, const struct knp_ip *ip)
{
	size_t at;

	if (!l->nslots)
		return NULL;
	for (at = home(l, ip); l->slots[at].who; at = (at + 1) & (l->nslots - 1))
		if (knp_ip_equal(live_ip(l->slots[at].who), ip))
			return &l->slots[at];
	return NULL;
}

static int grow(struct knp_live *l)
{
	size_t n = l->nslots ? 2 * l->nslots : 64;
	struct live_slot *old = l->slots;
	size_t nold = l->nslots;
	size_t at;

	l->slots = calloc(n, sizeof(*l->slots));
	if (!l->slots) {
		l->slots = old;
		return -ENOMEM;
	}
	l->nslots = n;
	for (size_t i = 0; i < nold; i++) {
		if (!old[i].who)
			continue;
		at = home(l, live_ip(old[i].who));
		while (l->slots[at].who)
			at = (at + 1) & (n - 1);
		l->slots[at] = old[i];
	}
	free(old);
	return 0;
}

static int slot_add(struct knp_live *l, uintptr_t who, struct live_cell *cell)
{
	size_t at;
	int err;

	if (5 * (l->naddresses + 1) > 4 * l->nslots) {
		err = grow(l);
		if (err)
			return err;
	}
	at = home(l, live_ip(who));
	while (l->slots[at].who)
		at = (at + 1) & (l->nslots - 1);
	l->slots[at] = (struct live_slot){ who, cell };
	l->naddresses++;
	return 0;
}

/* Close the gap: pull back what could stand in it. */
static void slot_del(struct knp_live *l, struct live_slot *slot)
{
	size_t mask = l->nslots - 1;
	size_t gap = slot - l->slots;
	size_t at = gap;
	size_t from;

	l->naddresses--;
	for (;;) {
		at = (at + 1) & mask;
		if (!l->slots[at].who)
			break;
		from = home(l, live_ip(l->slots[at].who));
		if (((at - from) & mask) < ((at - gap) & mask))
			continue;
		l->slots[gap] = l->slots[at];
		gap = at;
	}
	l->slots[gap] = (struct live_slot){ 0 };
}

/* What makes a group: three interned pointers. */
struct group_key {
	const char *ns;
	const struct knp_labels *labels;
	const struct knp_cports *ports;
};

static bool is_group(const struct knp_hash_node *node, const void *arg)
{
	const struct live_group *g = knp_hash_entry(node, struct live_group,
						    node);
	const struct group_key *key = arg;

	return g->ns->name == key->ns && g->labels == key->labels &&
	       g->ports == key->ports;
}

int live_group_queue(struct knp_live *l, struct live_group *group)
{
	return live_queue(&l->group_queue, group, &group->queued);
}

static struct live_group *group_new(struct knp_live *l,
				    const struct group_key *key, uint32_t hash)
{
	struct live_group *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->ns = live_ns(l, key->ns);
	if (!g->ns || knp_hash_add(&l->groups, &g->node, hash)) {
		free(g);
		return NULL;
	}
	g->labels = knp_labels_hold(key->labels);
	g->ports = knp_cports_hold(key->ports);
	g->next = g->ns->groups;
	g->ns->groups = g;
	g->cell.group = g;
	g->fresh = true;
	return live_group_queue(l, g) ? NULL : g;
}

static struct live_group *group_of(struct knp_live *l,
				   const struct knp_pod *pod)
{
	const struct group_key key = { pod->ns, pod->labels, pod->ports };
	uint32_t hash = knp_hash_bytes(&key, sizeof(key));
	struct knp_hash_node *node;

	node = knp_hash_find(&l->groups, hash, is_group, &key);
	if (node)
		return knp_hash_entry(node, struct live_group, node);
	return group_new(l, &key, hash);
}

/* The blocks around an address, as they are cut now. */
static struct live_blocks *around(const struct knp_live *l,
				  const struct knp_ip *ip)
{
	uint32_t region = knp_regions_find(&l->regions, ip);

	return region == KNP_NONE ? l->outside : l->around[region];
}

static struct live_cell *cell_of(struct knp_live *l, struct live_group *g,
				 struct live_blocks *blocks)
{
	struct live_cell *cell = &g->cell, *unused = NULL;

	do {
		if (cell->blocks == blocks)
			return cell;
		if (!cell->blocks)
			unused = cell;
		cell = cell->next;
	} while (cell);
	cell = unused;
	if (!cell) {
		cell = calloc(1, sizeof(*cell));
		if (!cell)
			return NULL;
		cell->group = g;
		cell->next = g->cell.next;
		g->cell.next = cell;
	}
	cell->blocks = blocks;
	blocks->refs++;
	g->reclass = true;
	return live_group_queue(l, g) ? NULL : cell;
}

static bool is_empty(const struct live_group *g)
{
	const struct live_cell *cell;

	for (cell = &g->cell; cell; cell = cell->next)
		if (cell->n)
			return false;
	return true;
}

static int cell_add(struct live_cell *cell, uintptr_t who)
{
	uint32_t cap = cell->cap ? cell->cap + cell->cap / 2 + 1 : 1;
	uintptr_t *members;

	if (cell->n == cell->cap) {
		members = reallocarray(cell->members, cap, sizeof(*members));
		if (!members)
			return -ENOMEM;
		cell->members = members;
		cell->cap = cap;
	}
	cell->members[cell->n++] = who;
	return 0;
}

static void cell_del(struct live_cell *cell, uintptr_t who)
{
	uint32_t i = 0;

	while (cell->members[i] != who)
		i++;
	cell->members[i] = cell->members[--cell->n];
}

/* One more, or one less, address of the group on this node. */
static int count_local(struct knp_live *l, struct live_group *g, int n)
{
	bool was = g->nlocal;

	g->nlocal += n;
	l->nlocal += n;
	if (was == !!g->nlocal)
		return 0;
	g->reselect = true;
	return live_group_queue(l, g);
}

static int own(struct knp_live *l, uintptr_t who)
{
	struct live_group *g = group_of(l, live_pod(who));
	struct live_cell *cell;
	int err;

	if (!g)
		return -ENOMEM;
	cell = cell_of(l, g, around(l, live_ip(who)));
	if (!cell)
		return -ENOMEM;
	err = live_move(l, who, NULL);
	if (!err)
		err = live_place_count(l, live_ip(who), 1);
	if (!err)
		err = cell_add(cell, who);
	if (!err)
		err = slot_add(l, who, cell);
	if (!err && live_is_local(l, who))
		err = count_local(l, g, 1);
	return err;
}

static int disown(struct knp_live *l, struct live_slot *slot)
{
	struct live_cell *cell = slot->cell;
	uintptr_t who = slot->who;
	int err;

	err = live_move(l, who, cell);
	if (!err)
		err = live_place_count(l, live_ip(who), -1);
	if (err)
		return err;
	cell_del(cell, who);
	slot_del(l, slot);
	if (live_is_local(l, who))
		err = count_local(l, cell->group, -1);
	if (!err && !cell->n)
		err = live_group_queue(l, cell->group);
	return err;
}

static bool is_bound(uintptr_t who)
{
	return knp_pod_is_bound(live_pod(who), who & (LIVE_IPS_MAX - 1));
}

/* Whether an address that two pods show is @wa's. */
static bool precedes(uintptr_t wa, uintptr_t wb)
{
	const struct knp_pod *a = live_pod(wa), *b = live_pod(wb);
	int cmp;

	if (is_bound(wa) != is_bound(wb))
		return is_bound(wa);
	if (a->created != b->created)
		return a->created > b->created;
	cmp = memcmp(a->uid, b->uid, sizeof(a->uid));
	if (!cmp)
		cmp = strcmp(a->ns, b->ns);
	if (!cmp)
		cmp = strcmp(a->name, b->name);
	return cmp > 0;
}

static int claim(struct knp_live *l, uintptr_t who)
{
	struct live_slot *slot = live_slot(l, live_ip(who));
	uintptr_t loser = who;
	int err = 0;

	if (!slot)
		return own(l, who);
	/* One pod that shows the same twice. */
	if (live_pod(slot->who) == live_pod(who))
		return 0;
	if (precedes(who, slot->who)) {
		loser = slot->who;
		err = disown(l, slot);
		if (!err)
			err = own(l, who);
	}
	if (!err && !knp_recs_add(&l->losers, &loser))
		err = -ENOMEM;
	return err;
}

static void lose(struct knp_live *l, size_t i)
{
	uintptr_t *losers = l->losers.v;

	losers[i] = losers[--l->losers.n];
}

/* An address without an owner: it falls to the first of those who wait. */
static int inherit(struct knp_live *l, const struct knp_ip *ip)
{
	const uintptr_t *losers = l->losers.v;
	size_t heir = SIZE_MAX;
	uintptr_t who;

	for (size_t i = 0; i < l->losers.n; i++)
		if (knp_ip_equal(live_ip(losers[i]), ip) &&
		    (heir == SIZE_MAX || precedes(losers[i], losers[heir])))
			heir = i;
	if (heir == SIZE_MAX)
		return 0;
	who = losers[heir];
	lose(l, heir);
	return own(l, who);
}

static int release(struct knp_live *l, uintptr_t who)
{
	struct live_slot *slot = live_slot(l, live_ip(who));
	const uintptr_t *losers = l->losers.v;
	int err;

	if (slot && slot->who == who) {
		err = disown(l, slot);
		return err ? err : inherit(l, live_ip(who));
	}
	for (size_t i = 0; i < l->losers.n; i++) {
		if (losers[i] == who) {
			lose(l, i);
			break;
		}
	}
	return 0;
}

int live_pod_came(struct knp_live *l, const struct knp_pod *pod)
{
	int err = 0;

	if (!effective(pod))
		return 0;
	if (pod->nips > LIVE_IPS_MAX)
		return -E2BIG;
	for (uint32_t i = 0; !err && i < pod->nips; i++)
		err = claim(l, live_who(pod, i));
	return err;
}

int live_pod_went(struct knp_live *l, const struct knp_pod *pod)
{
	int err = 0;

	if (!effective(pod))
		return 0;
	for (uint32_t i = 0; !err && i < pod->nips; i++)
		err = release(l, live_who(pod, i));
	return err;
}

static int reblock(struct knp_live *l, struct live_slot *slot)
{
	struct live_blocks *blocks = around(l, live_ip(slot->who));
	struct live_cell *old = slot->cell;
	struct live_cell *cell;
	int err;

	if (old->blocks == blocks)
		return 0;
	cell = cell_of(l, old->group, blocks);
	if (!cell)
		return -ENOMEM;
	err = live_move(l, slot->who, old);
	if (!err)
		err = cell_add(cell, slot->who);
	if (err)
		return err;
	cell_del(old, slot->who);
	slot->cell = cell;
	return old->n ? 0 : live_group_queue(l, old->group);
}

int live_address_reblock(struct knp_live *l)
{
	const size_t ahead = 8;		/* pods are all over the memory */
	int err = 0;

	for (size_t i = 0; !err && i < l->nslots; i++) {
		if (i + ahead < l->nslots)
			__builtin_prefetch((void *)l->slots[i + ahead].who);
		if (l->slots[i].who)
			err = reblock(l, &l->slots[i]);
	}
	return err;
}

/* A cell without a member lets go of what it uses and waits for another use. */
static void cell_clear(struct knp_live *l, struct live_cell *cell)
{
	if (cell->class)
		live_class_put(l, cell->class);
	if (cell->blocks)
		live_blocks_put(l, cell->blocks);
	free(cell->members);
	cell->class = NULL;
	cell->blocks = NULL;
	cell->members = NULL;
	cell->cap = 0;
	cell->there = 0;
}

static void unlink_group(struct live_group *g)
{
	struct live_group **at = &g->ns->groups;

	while (*at != g)
		at = &(*at)->next;
	*at = g->next;
}

static void group_free(struct live_group *g)
{
	struct live_cell *cell, *next;

	for (cell = g->cell.next; cell; cell = next) {
		next = cell->next;
		free(cell->members);
		free(cell);
	}
	free(g->cell.members);
	knp_labels_put(g->labels);
	knp_cports_put(g->ports);
	free(g->peers);
	free(g);
}

static void group_del(struct knp_live *l, struct live_group *g)
{
	struct live_cell *cell;

	live_diff_drop(l, g);
	for (int d = 0; d < NDIRECTIONS; d++)
		if (g->sets[d])
			live_set_put(l, g->sets[d]);
	for (cell = &g->cell; cell; cell = cell->next)
		cell_clear(l, cell);
	unlink_group(g);
	if (!g->ns->groups &&
	    live_queue(&l->ns_queue, g->ns, &g->ns->queued))
		l->failed = -ENOMEM;
	knp_hash_del(&l->groups, &g->node);
	group_free(g);
}

void live_groups_sweep(struct knp_live *l)
{
	struct live_group **v = l->group_queue.v;
	struct live_cell *cell;
	size_t n = 0;

	for (size_t i = 0; i < l->group_queue.n; i++) {
		if (is_empty(v[i])) {
			group_del(l, v[i]);
			continue;
		}
		for (cell = &v[i]->cell; cell; cell = cell->next)
			if (!cell->n && cell->blocks)
				cell_clear(l, cell);
		v[n++] = v[i];
	}
	l->group_queue.n = n;
}

void live_address_clear(struct knp_live *l)
{
	struct knp_hash_node *node, *next;

	for (node = knp_hash_next(&l->groups, NULL); node; node = next) {
		next = knp_hash_next(&l->groups, node);
		group_free(knp_hash_entry(node, struct live_group, node));
	}
	knp_hash_clear(&l->groups);
	free(l->slots);
	free(l->losers.v);
}
