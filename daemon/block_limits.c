// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "block_limits.h"
#include "intern.h"
#include "regions.h"

/* struct run - places next to each other, [from, to), that a block holds */
struct run {
	uint32_t from;
	uint32_t to;
};

/**
 * struct block - a different ipBlock
 * @runs: in the pool of runs
 * @cost: places in them
 * @user: the last one it was listed for, from 1
 * @admitted: a policy that is not refused has it
 */
struct block {
	const struct knp_ipblock *block;
	struct knp_span runs;
	uint64_t cost;
	uint32_t user;
	bool admitted;
};

/**
 * struct weight - a policy in the order in which they are admitted
 * @blocks: in the pool of numbers, each once
 */
struct weight {
	struct knp_block_user *user;
	struct knp_span blocks;
	uint64_t cost;
};

/**
 * struct count - what is counted
 * @ids: canonical form -> index of the block
 * @places: struct knp_prefix, sorted: different prefixes of blocks and excepts
 * @depth: by place: admitted blocks around it
 */
struct count {
	struct knp_intern ids;
	struct knp_buf buf;
	struct knp_recs blocks;
	struct knp_recs numbers;
	struct knp_recs weights;
	struct knp_recs places;
	struct knp_recs runs;
	uint32_t *depth;
};

typedef int (*peer_fn)(void *arg, const struct knp_peer *peer);

static int each_of_rule(const struct knp_rule *rule, peer_fn fn, void *arg)
{
	int err = 0;

	if (rule->closed)
		return 0;
	for (size_t i = 0; !err && i < rule->npeers; i++)
		if (rule->peers[i].block)
			err = fn(arg, &rule->peers[i]);
	return err;
}

/* Call @fn for the ipBlocks of a user, until it returns not 0: that. */
static int each_block(const struct knp_block_user *user, peer_fn fn, void *arg)
{
	const struct knp_policy *p = user->policy;
	int err = 0;

	for (size_t i = 0; user->used[EGRESS] && !err && i < p->negress; i++)
		err = each_of_rule(&p->egress[i], fn, arg);
	for (size_t i = 0; user->used[INGRESS] && !err && i < p->ningress; i++)
		err = each_of_rule(&p->ingress[i], fn, arg);
	return err;
}

/* struct size - before anything is compared: an upper bound */
struct size {
	uint64_t blocks;
	uint64_t prefixes;
};

static int add_size(void *arg, const struct knp_peer *peer)
{
	struct size *size = arg;

	size->blocks++;
	size->prefixes += 1 + peer->block->nexcept;
	return 0;
}

/* True of nearly every namespace there is. */
static bool cannot_exceed(const struct knp_block_user *users, size_t n)
{
	struct size size = { 0 };

	for (size_t i = 0; i < n; i++)
		each_block(&users[i], add_size, &size);
	return size.blocks <= KNP_BLOCKS_AROUND_MAX &&
	       size.blocks * size.prefixes <= KNP_BLOCKS_NESTED_MAX;
}

static struct block *block_at(const struct count *c, uint32_t i)
{
	return (struct block *)c->blocks.v + i;
}

static const uint32_t *numbers_of(const struct count *c,
				  const struct weight *weight)
{
	return (const uint32_t *)c->numbers.v + weight->blocks.first;
}

static int add_block(void *arg, const struct knp_peer *peer)
{
	struct block new = { .block = peer->block };
	struct count *c = arg;
	struct weight *weight = (struct weight *)c->weights.v +
				c->weights.n - 1;
	struct block *block;
	uint32_t id = 0;
	int err;

	err = knp_identity_peer(&c->buf, "", peer);
	if (!err)
		err = knp_intern(&c->ids, c->buf.v, c->buf.n, &id);
	if (err < 0)
		return err;
	if (err && !knp_recs_add(&c->blocks, &new))
		return -ENOMEM;
	block = block_at(c, id);
	if (block->user == c->weights.n)
		return 0;
	block->user = c->weights.n;
	weight->blocks.n++;
	return knp_recs_add(&c->numbers, &id) ? 0 : -ENOMEM;
}

static int collect(struct count *c, struct knp_block_user *users, size_t n)
{
	struct weight weight = { 0 };
	int err = 0;

	for (size_t i = 0; !err && i < n; i++) {
		weight.user = &users[i];
		weight.blocks.first = c->numbers.n;
		if (!knp_recs_add(&c->weights, &weight))
			return -ENOMEM;
		err = each_block(&users[i], add_block, c);
	}
	return err;
}

static int by_place(const void *a, const void *b)
{
	return knp_prefix_order(a, b);
}

static int sort_places(struct count *c)
{
	const struct knp_ipblock *block;
	struct knp_prefix *v;
	size_t n = 0;

	for (size_t i = 0; i < c->blocks.n; i++) {
		block = block_at(c, i)->block;
		if (!knp_recs_add(&c->places, &block->cidr))
			return -ENOMEM;
		for (size_t j = 0; j < block->nexcept; j++)
			if (!knp_recs_add(&c->places, &block->except[j]))
				return -ENOMEM;
	}
	v = c->places.v;
	if (c->places.n > 1)
		qsort(v, c->places.n, sizeof(*v), by_place);
	for (size_t i = 0; i < c->places.n; i++)
		if (!n || by_place(&v[i], &v[n - 1]))
			v[n++] = v[i];
	c->places.n = n;
	return 0;
}

/* The places in a prefix, which is one of them: next to each other. */
static struct run places_in(const struct count *c,
			    const struct knp_prefix *prefix)
{
	const struct knp_prefix *v = c->places.v;
	size_t lo = 0, hi = c->places.n, mid;
	struct run run;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (by_place(&v[mid], prefix) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	run.from = lo;
	hi = c->places.n;
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (knp_prefix_contains(prefix, &v[mid]))
			lo = mid + 1;
		else
			hi = mid;
	}
	run.to = lo;
	return run;
}

static int by_run(const void *a, const void *b)
{
	const struct run *ra = a, *rb = b;

	return (ra->from > rb->from) - (ra->from < rb->from);
}

static int add_run(struct count *c, struct block *block, uint32_t from,
		   uint32_t to)
{
	struct run run = { from, to };

	if (from >= to)
		return 0;
	if (!knp_recs_add(&c->runs, &run))
		return -ENOMEM;
	block->runs.n++;
	block->cost += to - from;
	return 0;
}

/* What is left of a block between its excepts, one of which may be in another. */
static int add_runs(struct count *c, struct block *block)
{
	const struct knp_ipblock *from = block->block;
	struct run *holes = calloc(from->nexcept + 1, sizeof(*holes));
	struct run all = places_in(c, &from->cidr);
	int err = 0;

	if (!holes)
		return -ENOMEM;
	for (size_t i = 0; i < from->nexcept; i++)
		holes[i] = places_in(c, &from->except[i]);
	if (from->nexcept > 1)
		qsort(holes, from->nexcept, sizeof(*holes), by_run);
	block->runs.first = c->runs.n;
	for (size_t i = 0; !err && i < from->nexcept; i++) {
		err = add_run(c, block, all.from, holes[i].from);
		if (all.from < holes[i].to)
			all.from = holes[i].to;
	}
	if (!err)
		err = add_run(c, block, all.from, all.to);
	free(holes);
	return err;
}

static int by_weight(const void *a, const void *b)
{
	const struct weight *wa = a, *wb = b;

	if (wa->cost != wb->cost)
		return wa->cost < wb->cost ? -1 : 1;
	return strcmp(wa->user->policy->name, wb->user->policy->name);
}

/* Of those of its blocks that no admitted policy has. */
static uint64_t cost_of(const struct count *c, const struct weight *weight)
{
	const uint32_t *v = numbers_of(c, weight);
	uint64_t cost = 0;

	for (uint32_t i = 0; i < weight->blocks.n; i++)
		if (!block_at(c, v[i])->admitted)
			cost += block_at(c, v[i])->cost;
	return cost;
}

static int weigh(struct count *c)
{
	struct weight *weight = c->weights.v;
	int err = 0;

	for (size_t i = 0; !err && i < c->blocks.n; i++)
		err = add_runs(c, block_at(c, i));
	for (size_t i = 0; !err && i < c->weights.n; i++)
		weight[i].cost = cost_of(c, &weight[i]);
	if (!err && c->weights.n > 1)
		qsort(weight, c->weights.n, sizeof(*weight), by_weight);
	return err;
}

/* Around all places of a block there is one more, or (@by -1) one less. */
static bool deepen(struct count *c, const struct block *block, int by)
{
	const struct run *run = (struct run *)c->runs.v + block->runs.first;
	bool fits = true;

	for (uint32_t i = 0; i < block->runs.n; i++, run++) {
		for (uint32_t at = run->from; at < run->to; at++) {
			c->depth[at] += by;
			fits &= c->depth[at] <= KNP_BLOCKS_AROUND_MAX;
		}
	}
	return fits;
}

static bool deepen_all(struct count *c, const struct weight *weight, int by)
{
	const uint32_t *v = numbers_of(c, weight);
	bool fits = true;

	for (uint32_t i = 0; i < weight->blocks.n; i++)
		if (!block_at(c, v[i])->admitted)
			fits &= deepen(c, block_at(c, v[i]), by);
	return fits;
}

static void admit(struct count *c, struct weight *weight, uint64_t *left)
{
	const uint32_t *v = numbers_of(c, weight);
	uint64_t need = cost_of(c, weight);

	weight->user->refused = need > *left;
	if (weight->user->refused)
		return;
	if (!deepen_all(c, weight, 1)) {
		deepen_all(c, weight, -1);
		weight->user->refused = true;
		return;
	}
	*left -= need;
	for (uint32_t i = 0; i < weight->blocks.n; i++)
		block_at(c, v[i])->admitted = true;
}

static int count_blocks(struct count *c, struct knp_block_user *users,
			size_t n)
{
	uint64_t left = KNP_BLOCKS_NESTED_MAX;
	int err;

	err = collect(c, users, n);
	if (!err)
		err = sort_places(c);
	if (!err)
		err = weigh(c);
	if (err)
		return err;
	c->depth = calloc(c->places.n + 1, sizeof(*c->depth));
	if (!c->depth)
		return -ENOMEM;
	for (size_t i = 0; i < c->weights.n; i++)
		admit(c, (struct weight *)c->weights.v + i, &left);
	return 0;
}

int knp_block_limits(struct knp_block_user *users, size_t n)
{
	struct count c = {
		.blocks = { .size = sizeof(struct block) },
		.numbers = { .size = sizeof(uint32_t) },
		.weights = { .size = sizeof(struct weight) },
		.places = { .size = sizeof(struct knp_prefix) },
		.runs = { .size = sizeof(struct run) },
	};
	int err;

	for (size_t i = 0; i < n; i++)
		users[i].refused = false;
	if (cannot_exceed(users, n))
		return 0;
	err = count_blocks(&c, users, n);
	knp_intern_clear(&c.ids);
	knp_buf_clear(&c.buf);
	free(c.blocks.v);
	free(c.numbers.v);
	free(c.weights.v);
	free(c.places.v);
	free(c.runs.v);
	free(c.depth);
	return err;
}
