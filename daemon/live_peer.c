// SPDX-License-Identifier: Apache-2.0
/* Peers, and the groups that match them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "live_impl.h"
#include "selector.h"

static bool is_peer(const struct knp_hash_node *node, const void *arg)
{
	const struct live_peer *peer = knp_hash_entry(node, struct live_peer,
						      node);
	const struct knp_buf *key = arg;

	return peer->len == key->n && !memcmp(peer->key, key->v, key->n);
}

/* In the queue of those that are to be matched, once. */
static int queue_peer(struct knp_live *l, struct live_peer *peer, bool *mark)
{
	bool queued = peer->fresh || peer->renamed;

	l->peer_queue.size = sizeof(peer);
	if (!queued && !knp_recs_add(&l->peer_queue, &peer))
		return -ENOMEM;
	*mark = true;
	return 0;
}

static void peer_free(struct live_peer *peer)
{
	knp_policy_free(peer->policy);
	free(peer->key);
	free(peer->names.v);
	free(peer->classes.v);
	free(peer);
}

/* Of the canonical form in the buffer. */
static struct live_peer *peer_new(struct knp_live *l,
				  struct live_policy *policy,
				  const struct knp_peer *from, uint32_t hash)
{
	struct live_peer *peer = calloc(1, sizeof(*peer));

	if (!peer)
		return NULL;
	peer->policy = knp_policy_hold(policy->policy);
	peer->peer = from;
	peer->names.size = sizeof(struct live_name);
	peer->classes.size = sizeof(struct live_class *);
	peer->len = l->buf.n;
	peer->key = malloc(l->buf.n);
	if (!peer->key || knp_identity_seal(&l->buf, peer->tag) ||
	    knp_hash_add(&l->peers, &peer->node, hash)) {
		peer_free(peer);
		return NULL;
	}
	memcpy(peer->key, l->buf.v, l->buf.n);
	if (!from->block && !from->ns)
		peer->ns = policy->ns;
	return peer;
}

int live_peer_get(struct knp_live *l, struct live_policy *policy,
		  const struct knp_peer *from, struct live_peer **ret)
{
	struct knp_hash_node *node;
	struct live_peer *peer;
	uint32_t hash;

	if (knp_identity_peer(&l->buf, policy->ns->name, from))
		return -ENOMEM;
	hash = knp_hash_bytes(l->buf.v, l->buf.n);
	node = knp_hash_find(&l->peers, hash, is_peer, &l->buf);
	if (node) {
		peer = knp_hash_entry(node, struct live_peer, node);
	} else {
		peer = peer_new(l, policy, from, hash);
		if (!peer || live_number(&l->peer_numbers, peer, &peer->number))
			return -ENOMEM;
		if (from->block)
			live_blocks_touch(l, from->block);
		else if (queue_peer(l, peer, &peer->fresh))
			return -ENOMEM;
		if (peer->ns && !knp_recs_add(&peer->ns->peers, &peer->number))
			return -ENOMEM;
	}
	peer->refs++;
	*ret = peer;
	return 0;
}

/* It goes when the rules have settled: another one may take it up again. */
void live_peer_put(struct knp_live *l, struct live_peer *peer)
{
	l->idle_peers.size = sizeof(peer);
	if (!--peer->refs && !knp_recs_add(&l->idle_peers, &peer))
		l->failed = -ENOMEM;
}

/* Return whether the name came into use, or went out of it, or -ENOMEM. */
static int count_name(struct knp_recs *names, uint32_t name, int uses)
{
	struct live_name *v = names->v;
	struct live_name new = { name, 1 };

	names->size = sizeof(new);
	for (size_t i = 0; i < names->n; i++) {
		if (v[i].name != name)
			continue;
		v[i].uses += uses;
		if (v[i].uses)
			return 0;
		v[i] = v[--names->n];
		return 1;
	}
	return knp_recs_add(names, &new) ? 1 : -ENOMEM;
}

int live_peer_name(struct knp_live *l, struct live_peer *peer, uint32_t name,
		   int uses)
{
	int err = count_name(&peer->names, name, uses);

	return err <= 0 ? err : queue_peer(l, peer, &peer->renamed);
}

int live_any_name(struct knp_live *l, uint32_t name, int uses)
{
	int err = count_name(&l->any_names, name, uses);

	if (err > 0)
		l->any_renamed = true;
	return err < 0 ? err : 0;
}

/* Where a number is, or belongs, in an ascending array. */
static bool find_number(const uint32_t *v, uint32_t n, uint32_t number,
			uint32_t *at)
{
	uint32_t lo = 0, hi = n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (v[mid] < number)
			lo = mid + 1;
		else
			hi = mid;
	}
	*at = lo;
	return lo < n && v[lo] == number;
}

static int group_add(struct live_group *g, uint32_t number)
{
	uint32_t cap = g->cap ? g->cap * 2 : 2;
	uint32_t *v = g->peers;
	uint32_t at;

	if (find_number(g->peers, g->npeers, number, &at))
		return 0;
	if (g->npeers == g->cap) {
		v = reallocarray(g->peers, cap, sizeof(*v));
		if (!v)
			return -ENOMEM;
		g->peers = v;
		g->cap = cap;
	}
	memmove(&v[at + 1], &v[at], (g->npeers++ - at) * sizeof(*v));
	v[at] = number;
	return 0;
}

static bool group_del(struct live_group *g, uint32_t number)
{
	uint32_t at;

	if (!find_number(g->peers, g->npeers, number, &at))
		return false;
	memmove(&g->peers[at], &g->peers[at + 1],
		(--g->npeers - at) * sizeof(*g->peers));
	return true;
}

static int reclass(struct knp_live *l, struct live_group *g)
{
	g->reclass = true;
	return live_group_queue(l, g);
}

static bool matches(const struct live_peer *peer, const struct live_group *g)
{
	return !peer->peer->pod ||
	       knp_selector_matches(peer->peer->pod, g->labels);
}

/* struct visit - what to do with the groups of some namespaces */
struct visit {
	struct live_peer *peer;
	int (*group)(struct knp_live *l, struct live_peer *peer,
		     struct live_group *g);
};

static int visit_ns(struct knp_live *l, struct live_ns *ns, void *arg)
{
	const struct visit *v = arg;
	int err = 0;

	for (struct live_group *g = ns->groups; !err && g; g = g->next)
		err = v->group(l, v->peer, g);
	return err;
}

/* The groups of the namespaces that a peer means. */
static int visit_peer(struct knp_live *l, struct visit *v)
{
	if (v->peer->ns)
		return visit_ns(l, v->peer->ns, v);
	return live_ns_select(l, v->peer->peer->ns, visit_ns, v);
}

static int match_group(struct knp_live *l, struct live_peer *peer,
		       struct live_group *g)
{
	/* A fresh one asks all peers itself. */
	if (g->fresh || !matches(peer, g))
		return 0;
	if (group_add(g, peer->number))
		return -ENOMEM;
	return reclass(l, g);
}

static int rename_group(struct knp_live *l, struct live_peer *peer,
			struct live_group *g)
{
	uint32_t at;

	if (!g->ports->n || !find_number(g->peers, g->npeers, peer->number, &at))
		return 0;
	return reclass(l, g);
}

static int unmatch_group(struct knp_live *l, struct live_peer *peer,
			 struct live_group *g)
{
	return group_del(g, peer->number) ? reclass(l, g) : 0;
}

/* Those that match, and those that did before their namespace was relabelled. */
static int unmatch(struct knp_live *l, struct live_peer *peer)
{
	struct visit visit = { peer, unmatch_group };
	struct live_ns **namespaces = l->ns_queue.v;
	int err;

	err = visit_peer(l, &visit);
	for (size_t i = 0; !err && i < l->ns_queue.n; i++)
		if (namespaces[i]->relabelled)
			err = visit_ns(l, namespaces[i], &visit);
	return err;
}

static void unlink_own(struct live_peer *peer)
{
	uint32_t *v = peer->ns->peers.v;
	size_t i = 0;

	while (v[i] != peer->number)
		i++;
	v[i] = v[--peer->ns->peers.n];
}

static void unqueue_peer(struct knp_live *l, struct live_peer *peer)
{
	struct live_peer **v = l->peer_queue.v;
	size_t i = 0;

	if (!peer->fresh && !peer->renamed)
		return;
	while (v[i] != peer)
		i++;
	v[i] = v[--l->peer_queue.n];
}

/* Peers that no rule has any more: out of the groups; gone after the classes. */
static int unmatch_idle(struct knp_live *l)
{
	struct live_peer **v = l->idle_peers.v;
	size_t n = 0;
	int err = 0;

	for (size_t i = 0; !err && i < l->idle_peers.n; i++) {
		/* Taken up again; or here twice for that reason. */
		if (v[i]->refs)
			continue;
		v[i]->refs = UINT32_MAX;
		unqueue_peer(l, v[i]);
		if (v[i]->ns)
			unlink_own(v[i]);
		if (v[i]->peer->block)
			live_blocks_touch(l, v[i]->peer->block);
		else
			err = unmatch(l, v[i]);
		v[n++] = v[i];
	}
	l->idle_peers.n = err ? l->idle_peers.n : n;
	return err;
}

static int match_own(struct knp_live *l, struct live_group *g)
{
	const uint32_t *v = g->ns->peers.v;
	int err = 0;

	for (size_t i = 0; !err && i < g->ns->peers.n; i++)
		if (matches(live_peer_at(l, v[i]), g))
			err = group_add(g, v[i]);
	return err;
}

/* Peers with a namespaceSelector, anew. */
static int match_wide(struct knp_live *l, struct live_group *g)
{
	struct knp_hash_node *node;
	struct live_peer *peer;
	int err = 0;

	knp_hash_for_each(&l->peers, node) {
		peer = knp_hash_entry(node, struct live_peer, node);
		if (!peer->peer->ns || peer->refs == UINT32_MAX)
			continue;
		group_del(g, peer->number);
		if (!knp_selector_matches_namespace(peer->peer->ns, g->ns->name,
						    g->ns->labels) ||
		    !matches(peer, g))
			continue;
		err = group_add(g, peer->number);
		if (err)
			break;
	}
	return err;
}

static int match_fresh(struct knp_live *l, struct live_group *g)
{
	int err = match_own(l, g);

	if (!err)
		err = match_wide(l, g);
	g->fresh = false;
	return err ? err : reclass(l, g);
}

static int match_relabelled(struct knp_live *l, struct live_ns *ns)
{
	struct live_group *g;
	int err = 0;

	ns->relabelled = false;
	for (g = ns->groups; !err && g; g = g->next) {
		if (g->fresh)
			continue;
		err = match_wide(l, g);
		if (!err)
			err = reclass(l, g);
	}
	return err;
}

static int match_queued(struct knp_live *l, struct live_peer *peer)
{
	struct visit match = { peer, match_group };
	struct visit rename = { peer, rename_group };
	int err = 0;

	if (peer->fresh)
		err = visit_peer(l, &match);
	if (!err && peer->renamed)
		err = visit_peer(l, &rename);
	peer->fresh = false;
	peer->renamed = false;
	return err;
}

static int reclass_named(struct knp_live *l)
{
	struct knp_hash_node *node;
	struct live_group *g;

	knp_hash_for_each(&l->groups, node) {
		g = knp_hash_entry(node, struct live_group, node);
		if (g->ports->n && reclass(l, g))
			return -ENOMEM;
	}
	l->any_renamed = false;
	return 0;
}

int live_match(struct knp_live *l)
{
	struct live_ns **namespaces = l->ns_queue.v;
	struct live_group **groups;
	struct live_peer **peers;
	int err;

	err = unmatch_idle(l);
	peers = l->peer_queue.v;
	for (size_t i = 0; !err && i < l->ns_queue.n; i++)
		if (namespaces[i]->relabelled)
			err = match_relabelled(l, namespaces[i]);
	for (size_t i = 0; !err && i < l->peer_queue.n; i++)
		err = match_queued(l, peers[i]);
	if (!err)
		l->peer_queue.n = 0;
	for (size_t i = 0; !err && i < l->group_queue.n; i++) {
		groups = l->group_queue.v;
		if (groups[i]->fresh)
			err = match_fresh(l, groups[i]);
	}
	if (!err && l->any_renamed)
		err = reclass_named(l);
	return err;
}

void live_peers_sweep(struct knp_live *l)
{
	struct live_peer **v = l->idle_peers.v;

	for (size_t i = 0; i < l->idle_peers.n; i++) {
		live_number_free(&l->peer_numbers, v[i]->number);
		knp_hash_del(&l->peers, &v[i]->node);
		peer_free(v[i]);
	}
	l->idle_peers.n = 0;
}

void live_peer_clear(struct knp_live *l)
{
	struct knp_hash_node *node, *next;

	for (node = knp_hash_next(&l->peers, NULL); node; node = next) {
		next = knp_hash_next(&l->peers, node);
		peer_free(knp_hash_entry(node, struct live_peer, node));
	}
	knp_hash_clear(&l->peers);
	free(l->peer_queue.v);
	free(l->idle_peers.v);
}
