// SPDX-License-Identifier: Apache-2.0
/* The ipBlocks around addresses: the address space is cut anew when they change. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "live_impl.h"

struct blocks_key {
	const uint32_t *v;
	uint32_t n;
};

static bool is_blocks(const struct knp_hash_node *node, const void *arg)
{
	const struct live_blocks *blocks;
	const struct blocks_key *key = arg;

	blocks = knp_hash_entry(node, struct live_blocks, node);
	return blocks->n == key->n &&
	       (!key->n || !memcmp(blocks->v, key->v, key->n * sizeof(*key->v)));
}

static struct live_blocks *blocks_get(struct knp_live *l, const uint32_t *v,
				      uint32_t n)
{
	const struct blocks_key key = { v, n };
	uint32_t hash = knp_hash_bytes(v, n * sizeof(*v));
	struct knp_hash_node *node;
	struct live_blocks *blocks;

	node = knp_hash_find(&l->blocks, hash, is_blocks, &key);
	if (node) {
		blocks = knp_hash_entry(node, struct live_blocks, node);
		blocks->refs++;
		return blocks;
	}
	blocks = calloc(1, sizeof(*blocks) + n * sizeof(*v));
	if (!blocks)
		return NULL;
	blocks->refs = 1;
	blocks->n = n;
	if (n)
		memcpy(blocks->v, v, n * sizeof(*v));
	if (knp_hash_add(&l->blocks, &blocks->node, hash)) {
		free(blocks);
		return NULL;
	}
	return blocks;
}

void live_blocks_put(struct knp_live *l, struct live_blocks *blocks)
{
	if (--blocks->refs)
		return;
	if (blocks->class)
		live_class_put(l, blocks->class);
	knp_hash_del(&l->blocks, &blocks->node);
	free(blocks);
}

static int collect_blocks(const struct knp_live *l, struct knp_recs *ret)
{
	struct knp_hash_node *node;
	struct knp_block_of of;
	struct live_peer *peer;

	knp_hash_for_each(&l->peers, node) {
		peer = knp_hash_entry(node, struct live_peer, node);
		of = (struct knp_block_of){ peer->peer->block, peer->number };
		if (!of.block || peer->refs == UINT32_MAX)
			continue;
		if (!knp_recs_add(ret, &of))
			return -ENOMEM;
	}
	return 0;
}

/* Cut the address space anew, into @regions and @around. */
static int cut(struct knp_live *l, struct knp_regions *regions,
	       struct live_blocks ***around)
{
	struct knp_recs blocks = { .size = sizeof(struct knp_block_of) };
	const struct knp_region *region;
	struct live_blocks **v;
	int err;

	err = collect_blocks(l, &blocks);
	if (!err)
		err = knp_regions_build(blocks.v, blocks.n, regions);
	free(blocks.v);
	if (err)
		return err;
	v = calloc(regions->v.n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	*around = v;
	for (size_t i = 0; i < regions->v.n; i++) {
		region = knp_region_at(regions, i);
		v[i] = blocks_get(l, knp_region_blocks(regions, region),
				  region->blocks.n);
		if (!v[i])
			return -ENOMEM;
	}
	return 0;
}

/* The part of the address space that an address is counted in. */
static struct knp_prefix place_of(const struct knp_ip *ip)
{
	struct knp_prefix place = {
		.ip = { .family = ip->family },
		.len = ip->family == AF_INET ? 16 : 64,
	};

	memcpy(place.ip.b, ip->b, place.len / 8);
	return place;
}

static bool is_place(const struct knp_hash_node *node, const void *arg)
{
	const struct live_place *place = knp_hash_entry(node, struct live_place,
							node);
	const struct knp_prefix *key = arg;

	return !memcmp(&place->prefix.ip, &key->ip, sizeof(key->ip));
}

int live_place_count(struct knp_live *l, const struct knp_ip *ip, int n)
{
	struct knp_prefix prefix = place_of(ip);
	uint32_t hash = knp_hash_bytes(&prefix.ip, sizeof(prefix.ip));
	struct knp_hash_node *node;
	struct live_place *place;

	node = knp_hash_find(&l->places, hash, is_place, &prefix);
	if (node) {
		place = knp_hash_entry(node, struct live_place, node);
		place->n += n;
		if (place->n)
			return 0;
		knp_hash_del(&l->places, node);
		free(place);
		return 0;
	}
	place = calloc(1, sizeof(*place));
	if (!place)
		return -ENOMEM;
	place->prefix = prefix;
	place->n = n;
	if (!knp_hash_add(&l->places, &place->node, hash))
		return 0;
	free(place);
	return -ENOMEM;
}

static bool overlaps(const struct knp_prefix *a, const struct knp_prefix *b)
{
	return knp_prefix_contains(a, b) || knp_prefix_contains(b, a);
}

/* Whether a block may hold addresses of a place. */
static bool reaches(const struct knp_ipblock *block,
		    const struct knp_prefix *place)
{
	if (!overlaps(&block->cidr, place))
		return false;
	for (size_t i = 0; i < block->nexcept; i++)
		if (knp_prefix_contains(&block->except[i], place))
			return false;
	return true;
}

void live_blocks_touch(struct knp_live *l, const struct knp_ipblock *block)
{
	struct knp_hash_node *node;
	struct live_place *place;

	l->blocks_changed = true;
	knp_hash_for_each(&l->places, node) {
		if (l->blocks_reach)
			return;
		place = knp_hash_entry(node, struct live_place, node);
		l->blocks_reach = reaches(block, &place->prefix);
	}
}

int live_regions(struct knp_live *l)
{
	struct knp_regions old = l->regions;
	struct live_blocks **around = l->around;
	int err;

	if (!l->outside) {
		l->outside = blocks_get(l, NULL, 0);
		if (!l->outside)
			return -ENOMEM;
	}
	if (!l->blocks_changed)
		return 0;
	l->regions = (struct knp_regions){ 0 };
	l->around = NULL;
	err = cut(l, &l->regions, &l->around);
	if (!err && l->blocks_reach)
		err = live_address_reblock(l);
	for (size_t i = 0; !err && i < old.v.n; i++)
		live_blocks_put(l, around[i]);
	free(around);
	knp_regions_clear(&old);
	if (err)
		return err;
	live_groups_sweep(l);
	l->cidrs_changed = true;
	l->blocks_changed = false;
	l->blocks_reach = false;
	return l->failed;
}

void live_blocks_clear(struct knp_live *l)
{
	struct knp_hash_node *node, *next;

	for (node = knp_hash_next(&l->blocks, NULL); node; node = next) {
		next = knp_hash_next(&l->blocks, node);
		free(knp_hash_entry(node, struct live_blocks, node));
	}
	knp_hash_clear(&l->blocks);
	for (node = knp_hash_next(&l->places, NULL); node; node = next) {
		next = knp_hash_next(&l->places, node);
		free(knp_hash_entry(node, struct live_place, node));
	}
	knp_hash_clear(&l->places);
	knp_regions_clear(&l->regions);
	free(l->around);
}
