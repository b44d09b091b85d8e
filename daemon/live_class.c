// SPDX-License-Identifier: Apache-2.0
/* Classes of cells, and of the addresses that are no pod's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "live_impl.h"

struct class_key {
	const uint32_t *peers;
	uint32_t npeers;
	const struct knp_port_of *ports;
	uint32_t nports;
};

static bool is_class(const struct knp_hash_node *node, const void *arg)
{
	const struct live_class *c = knp_hash_entry(node, struct live_class,
						    node);
	const struct class_key *key = arg;

	return c->npeers == key->npeers && c->nports == key->nports &&
	       (!c->npeers || !memcmp(c->peers, key->peers,
				      c->npeers * sizeof(*c->peers))) &&
	       (!c->nports || !memcmp(c->ports, key->ports,
				      c->nports * sizeof(*c->ports)));
}

static uint32_t class_hash(const struct class_key *key)
{
	uint64_t h = knp_hash64(key->peers, key->npeers * sizeof(*key->peers),
				knp_hash_seed());

	return knp_hash64(key->ports, key->nports * sizeof(*key->ports), h);
}

static int class_tag(struct knp_live *l, struct live_class *class)
{
	uint8_t (*tags)[KNP_TAG_LEN] = calloc(class->npeers + 1, sizeof(*tags));
	int err;

	if (!tags)
		return -ENOMEM;
	for (uint32_t i = 0; i < class->npeers; i++)
		memcpy(tags[i], live_peer_at(l, class->peers[i])->tag, KNP_TAG_LEN);
	err = knp_identity_class(&l->buf, tags, class->npeers, &l->names,
				 class->ports, class->nports, class->id.tag);
	free(tags);
	return err;
}

static struct live_class *class_new(struct knp_live *l,
				    const struct class_key *key)
{
	size_t npeers = key->npeers + (key->npeers & 1);
	struct live_class *c;

	c = calloc(1, sizeof(*c) + npeers * sizeof(*c->peers) +
		   key->nports * sizeof(*c->ports));
	if (!c)
		return NULL;
	c->npeers = key->npeers;
	c->nports = key->nports;
	c->ports = (struct knp_port_of *)(void *)(c->peers + npeers);
	if (c->npeers)
		memcpy(c->peers, key->peers, c->npeers * sizeof(*c->peers));
	if (c->nports)
		memcpy(c->ports, key->ports, c->nports * sizeof(*c->ports));
	c->fresh = true;
	if (class_tag(l, c) ||
	    knp_hash_add(&l->classes, &c->node, class_hash(key))) {
		free(c);
		return NULL;
	}
	return c;
}

/* NULL in @ret is class 0. */
static int class_get(struct knp_live *l, const struct class_key *key,
		     struct live_class **ret)
{
	struct knp_hash_node *node;
	struct live_class *c;
	int err;

	*ret = NULL;
	if (!key->npeers && !key->nports)
		return 0;
	node = knp_hash_find(&l->classes, class_hash(key), is_class, key);
	if (node) {
		*ret = knp_hash_entry(node, struct live_class, node);
		(*ret)->refs++;
		return 0;
	}
	c = class_new(l, key);
	if (!c)
		return -ENOMEM;
	err = live_fresh(l, LIVE_CLASS, &c->id, c);
	if (err)
		return err;
	l->fresh_classes.size = sizeof(c);
	if (!knp_recs_add(&l->fresh_classes, &c))
		return -ENOMEM;
	for (uint32_t i = 0; i < c->npeers; i++)
		if (!knp_recs_add(&live_peer_at(l, c->peers[i])->classes, &c))
			return -ENOMEM;
	c->refs = 1;
	*ret = c;
	return 0;
}

static void forget_class(struct knp_recs *classes, const struct live_class *c)
{
	struct live_class **v = classes->v;
	size_t i = 0;

	while (v[i] != c)
		i++;
	v[i] = v[--classes->n];
}

void live_class_put(struct knp_live *l, struct live_class *c)
{
	if (--c->refs)
		return;
	if (c->fresh)
		forget_class(&l->fresh_classes, c);
	else
		live_row_class_gone(l, c);
	for (uint32_t i = 0; i < c->npeers; i++)
		forget_class(&live_peer_at(l, c->peers[i])->classes, c);
	live_gone(l, LIVE_CLASS, &c->id);
	knp_hash_del(&l->classes, &c->node);
	free(c);
}

static int add_names(struct knp_live *l, const struct live_group *g,
		     const struct knp_recs *names, struct knp_recs *ports)
{
	const struct live_name *v = names->v;
	int err = 0;

	for (size_t i = 0; !err && i < names->n; i++)
		err = knp_port_names_resolve(&l->names, v[i].name, g->ports->v,
					     g->ports->n, ports);
	return err;
}

/* What the egress port names that a rule asks for stand for on a group. */
static int resolve(struct knp_live *l, const struct live_group *g,
		   struct knp_recs *ports)
{
	int err;

	if (!g->ports->n)
		return 0;
	err = add_names(l, g, &l->any_names, ports);
	for (uint32_t i = 0; !err && i < g->npeers; i++)
		err = add_names(l, g, &live_peer_at(l, g->peers[i])->names, ports);
	knp_port_names_sort(ports);
	return err;
}

/* The peers of a group and of blocks, ascending. */
static int merge(const struct live_group *g, const struct live_blocks *blocks,
		 struct knp_recs *ret)
{
	uint32_t i = 0, j = 0;
	const uint32_t *next;

	while (i < g->npeers || j < blocks->n) {
		if (j == blocks->n ||
		    (i < g->npeers && g->peers[i] < blocks->v[j]))
			next = &g->peers[i++];
		else
			next = &blocks->v[j++];
		if (!knp_recs_add(ret, next))
			return -ENOMEM;
	}
	return 0;
}

static int classify_cell(struct knp_live *l, struct live_cell *cell,
			 const struct knp_recs *ports)
{
	struct knp_recs peers = { .size = sizeof(uint32_t) };
	struct live_class *old = cell->class;
	struct live_class *new = NULL;
	struct class_key key;
	int err = 0;

	/* Nothing but what its blocks say: needs no record of its own. */
	if (cell->group->npeers || ports->n) {
		err = merge(cell->group, cell->blocks, &peers);
		key = (struct class_key){ peers.v, peers.n, ports->v, ports->n };
		if (!err)
			err = class_get(l, &key, &new);
		free(peers.v);
	}
	if (err)
		return err;
	cell->class = new;
	if (old)
		live_class_put(l, old);
	return old == new ? 0 :
	       live_queue(&l->cell_queue, cell, &cell->queued);
}

static int classify(struct knp_live *l, struct live_group *g)
{
	struct knp_recs ports = { .size = sizeof(struct knp_port_of) };
	struct live_cell *cell;
	int err;

	err = resolve(l, g, &ports);
	for (cell = &g->cell; !err && cell; cell = cell->next)
		if (cell->n)
			err = classify_cell(l, cell, &ports);
	free(ports.v);
	g->reclass = false;
	return err;
}

static uint32_t class_number(const struct live_blocks *blocks)
{
	return blocks->class ? blocks->class->id.number : 0;
}

/* The classes of regions, and the records of those that differ from around. */
static int classify_regions(struct knp_live *l)
{
	const struct knp_region *region;
	struct live_blocks *blocks;
	struct class_key key = { 0 };
	uint32_t outer;
	int err;

	l->cidr_regions.size = sizeof(uint32_t);
	l->cidr_regions.n = 0;
	for (uint32_t i = 0; i < l->regions.v.n; i++) {
		blocks = l->around[i];
		if (blocks->n && !blocks->class) {
			key.peers = blocks->v;
			key.npeers = blocks->n;
			err = class_get(l, &key, &blocks->class);
			if (err)
				return err;
		}
		region = knp_region_at(&l->regions, i);
		outer = region->parent == KNP_NONE ? 0 :
			class_number(l->around[region->parent]);
		if (class_number(blocks) != outer &&
		    !knp_recs_add(&l->cidr_regions, &i))
			return -ENOMEM;
	}
	return 0;
}

int live_classes(struct knp_live *l)
{
	struct live_group **groups = l->group_queue.v;
	int err = 0;

	if (l->cidrs_changed)
		err = classify_regions(l);
	for (size_t i = 0; !err && i < l->group_queue.n; i++)
		if (groups[i]->reclass)
			err = classify(l, groups[i]);
	if (!err)
		live_peers_sweep(l);
	return err;
}

void live_class_clear(struct knp_live *l)
{
	struct knp_hash_node *node, *next;

	for (node = knp_hash_next(&l->classes, NULL); node; node = next) {
		next = knp_hash_next(&l->classes, node);
		free(knp_hash_entry(node, struct live_class, node));
	}
	knp_hash_clear(&l->classes);
	free(l->fresh_classes.v);
	free(l->cidr_regions.v);
}
