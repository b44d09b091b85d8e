// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "numbers.h"
#include "regions.h"

/* struct edge - a prefix where a block begins, or (@except) ends */
struct edge {
	struct knp_prefix prefix;
	uint32_t number;
	bool except;
};

static int by_edge(const void *a, const void *b)
{
	const struct edge *ea = a, *eb = b;
	int cmp = knp_prefix_order(&ea->prefix, &eb->prefix);

	if (cmp)
		return cmp;
	if (ea->except != eb->except)
		return ea->except - eb->except;
	return (ea->number > eb->number) - (ea->number < eb->number);
}

/* Decoding refuses what would make this true by more than one prefix. */
static bool is_empty(const struct knp_ipblock *block)
{
	for (size_t i = 0; i < block->nexcept; i++)
		if (knp_prefix_contains(&block->except[i], &block->cidr))
			return true;
	return false;
}

static int collect_edges(const struct knp_block_of *blocks, size_t n,
			 struct knp_recs *edges)
{
	const struct knp_ipblock *block;
	struct edge edge;

	for (size_t i = 0; i < n; i++) {
		block = blocks[i].block;
		if (is_empty(block))
			continue;
		edge = (struct edge){
			.prefix = block->cidr, .number = blocks[i].number,
		};
		if (!knp_recs_add(edges, &edge))
			return -ENOMEM;
		edge.except = true;
		for (size_t j = 0; j < block->nexcept; j++) {
			edge.prefix = block->except[j];
			if (!knp_recs_add(edges, &edge))
				return -ENOMEM;
		}
	}
	if (edges->n > 1)
		qsort(edges->v, edges->n, edges->size, by_edge);
	return 0;
}

static uint32_t enclosing(const struct knp_regions *regions, uint32_t from,
			  const struct knp_prefix *prefix)
{
	while (from != KNP_NONE &&
	       !knp_prefix_contains(&knp_region_at(regions, from)->prefix,
				    prefix))
		from = knp_region_at(regions, from)->parent;
	return from;
}

/* The blocks of a region: its parent's, and the edges at its own prefix. */
static int region_blocks(struct knp_regions *r, struct knp_region *region,
			 const struct edge *edge, size_t n)
{
	struct knp_span parent = { 0 };
	uint32_t *blocks;
	uint32_t block;

	if (region->parent != KNP_NONE)
		parent = knp_region_at(r, region->parent)->blocks;
	region->blocks.first = r->pool.n;
	for (uint32_t i = 0; i < parent.n; i++) {
		block = ((uint32_t *)r->pool.v)[parent.first + i];
		if (!knp_recs_add(&r->pool, &block))
			return -ENOMEM;
		region->blocks.n++;
	}
	for (size_t i = 0; i < n; i++) {
		blocks = (uint32_t *)r->pool.v + region->blocks.first;
		if (!edge[i].except) {
			if (!knp_recs_add(&r->pool, &edge[i].number))
				return -ENOMEM;
			region->blocks.n++;
			continue;
		}
		for (uint32_t j = 0; j < region->blocks.n; j++) {
			if (blocks[j] != edge[i].number)
				continue;
			blocks[j] = blocks[--region->blocks.n];
			r->pool.n--;
			break;
		}
	}
	if (region->blocks.n > 1)
		qsort((uint32_t *)r->pool.v + region->blocks.first,
		      region->blocks.n, sizeof(uint32_t), knp_by_number);
	return 0;
}

int knp_regions_build(const struct knp_block_of *blocks, size_t n,
		      struct knp_regions *ret)
{
	struct knp_recs edges = { .size = sizeof(struct edge) };
	struct knp_region region;
	const struct edge *edge;
	size_t same;
	int err;

	ret->v.size = sizeof(region);
	ret->pool.size = sizeof(uint32_t);
	err = collect_edges(blocks, n, &edges);
	edge = edges.v;
	for (size_t i = 0; !err && i < edges.n; i += same) {
		for (same = 1; i + same < edges.n; same++)
			if (knp_prefix_order(&edge[i].prefix, &edge[i + same].prefix))
				break;
		region = (struct knp_region){ .prefix = edge[i].prefix };
		region.parent = enclosing(ret, ret->v.n ? ret->v.n - 1 :
					  KNP_NONE, &region.prefix);
		err = region_blocks(ret, &region, &edge[i], same);
		if (!err && !knp_recs_add(&ret->v, &region))
			err = -ENOMEM;
	}
	free(edges.v);
	return err;
}

uint32_t knp_regions_find(const struct knp_regions *regions,
			  const struct knp_ip *ip)
{
	struct knp_prefix host = {
		.ip = *ip,
		.len = ip->family == AF_INET ? 32 : 128,
	};
	size_t lo = 0, hi = regions->v.n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (knp_prefix_order(&knp_region_at(regions, mid)->prefix, &host) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? enclosing(regions, lo - 1, &host) : KNP_NONE;
}

void knp_regions_clear(struct knp_regions *regions)
{
	free(regions->v.v);
	free(regions->pool.v);
	*regions = (struct knp_regions){ 0 };
}
