// SPDX-License-Identifier: Apache-2.0
/*
 * Which policies have too many ipBlocks around one another: against a count
 * with loops over all blocks and all prefixes.
 */
#include "alloc.h"
#include "clusters.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block_limits.h"

/* Prefixes of one tree: all meet each other. */
static void write_prefix(FILE *out, struct dice *d, unsigned int len)
{
	uint32_t address = dice_below(d, 64) << 26;

	address &= len ? ~0U << (32 - len) : 0;
	fprintf(out, "%u.0.0.0/%u", address >> 24, len);
}

/* Of few prefixes many different blocks, some of them the same in two policies. */
static void write_block(FILE *out, struct dice *d)
{
	unsigned int len = dice_below(d, 3);

	fputs("{ipBlock: {cidr: ", out);
	fputs(len ? "64.0.0.0/" : "0.0.0.0/", out);
	fprintf(out, "%d, except: [", len ? 2 : 0);
	for (uint32_t n = dice_below(d, 6); n; n--) {
		if (!len)
			write_prefix(out, d, 3 + dice_below(d, 4));
		else
			fprintf(out, "%u.0.0.0/6", 64 + 4 * dice_below(d, 16));
		fputs(",", out);
	}
	fputs("]}},", out);
}

/* As many policies as @n, of 10 to 90 blocks. */
static struct knp_store *random_policies(struct dice *d, unsigned int n)
{
	struct knp_store *store;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	for (unsigned int i = 0; i < n; i++) {
		fprintf(out, "apiVersion: networking.k8s.io/v1\n"
			"kind: NetworkPolicy\nmetadata: {name: p%u, namespace: x}\n"
			"spec: {podSelector: {}, ingress: [{from: [", i);
		for (unsigned int j = 10 + dice_below(d, 80); j; j--)
			write_block(out, d);
		fputs("]}]}\n---\n", out);
	}
	assert_int_equal(fclose(out), 0);
	store = cluster(text);
	free(text);
	return store;
}

static bool holds(const struct knp_ipblock *block,
		  const struct knp_prefix *place)
{
	if (!knp_prefix_contains(&block->cidr, place))
		return false;
	for (size_t i = 0; i < block->nexcept; i++)
		if (knp_prefix_contains(&block->except[i], place))
			return false;
	return true;
}

static bool same_block(const struct knp_ipblock *a, const struct knp_ipblock *b)
{
	struct knp_buf one = { 0 }, other = { 0 };
	struct knp_peer peer = { .block = (struct knp_ipblock *)a };
	bool same;

	assert_int_equal(knp_identity_peer(&one, "", &peer), 0);
	peer.block = (struct knp_ipblock *)b;
	assert_int_equal(knp_identity_peer(&other, "", &peer), 0);
	same = one.n == other.n && !memcmp(one.v, other.v, one.n);
	knp_buf_clear(&one);
	knp_buf_clear(&other);
	return same;
}

/* The different ones, of the policies that are said to be in. */
static size_t different(const struct knp_block_user *users, size_t n,
			const bool *in, const struct knp_ipblock **ret)
{
	const struct knp_rule *rule;
	size_t found = 0, k;

	for (size_t i = 0; i < n; i++) {
		rule = users[i].policy->ingress;
		for (size_t j = 0; in[i] && j < rule->npeers; j++) {
			for (k = 0; k < found; k++)
				if (same_block(ret[k], rule->peers[j].block))
					break;
			if (k == found)
				ret[found++] = rule->peers[j].block;
		}
	}
	return found;
}

/* The most blocks around any prefix that one of them writes. */
static unsigned int deepest(const struct knp_ipblock **blocks, size_t n)
{
	const struct knp_prefix *place;
	unsigned int most = 0, depth;

	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j <= blocks[i]->nexcept; j++) {
			place = j ? &blocks[i]->except[j - 1] : &blocks[i]->cidr;
			depth = 0;
			for (size_t k = 0; k < n; k++)
				depth += holds(blocks[k], place);
			most = depth > most ? depth : most;
		}
	}
	return most;
}

static unsigned int depth_of(const struct knp_block_user *users, size_t n,
			     const bool *in)
{
	const struct knp_ipblock *blocks[2000] = { NULL };

	return deepest(blocks, different(users, n, in, blocks));
}

static void who_is_refused_would_be_too_much_and_nobody_else(void **state)
{
	struct knp_block_user users[12];
	unsigned int n, refused = 0, all = 0;
	struct knp_store *store;
	bool in[12];
	struct dice d;

	(void)state;
	dice_init(&d);
	for (int run = 0; run < 6; run++) {
		n = 2 + dice_below(&d, 10);
		store = random_policies(&d, n);
		for (unsigned int i = 0; i < n; i++)
			users[i] = (struct knp_block_user){
				.policy = store->policies[i],
				.used = { [INGRESS] = true },
			};
		assert_int_equal(knp_block_limits(users, n), 0);
		for (unsigned int i = 0; i < n; i++)
			in[i] = !users[i].refused;
		assert_true(depth_of(users, n, in) <= KNP_BLOCKS_AROUND_MAX);
		for (unsigned int i = 0; i < n; i++) {
			all++;
			if (!users[i].refused)
				continue;
			refused++;
			in[i] = true;
			assert_true(depth_of(users, n, in) >
				    KNP_BLOCKS_AROUND_MAX);
			in[i] = false;
		}
		knp_store_free(store);
	}
	printf("# %u of %u policies refused\n", refused, all);
}

/* What selects nobody here costs nothing here. */
static void only_what_is_used_counts(void **state)
{
	struct knp_block_user users[20] = { 0 };
	struct knp_store *store;
	unsigned int refused;
	struct dice d;

	(void)state;
	dice_init(&d);
	store = random_policies(&d, ARRAY_SIZE(users));
	for (int used = 0; used < 2; used++) {
		for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
			users[i].policy = store->policies[i];
			users[i].used[EGRESS] = true;
			users[i].used[INGRESS] = used || i == 3;
		}
		assert_int_equal(knp_block_limits(users, ARRAY_SIZE(users)), 0);
		refused = 0;
		for (size_t i = 0; i < ARRAY_SIZE(users); i++)
			refused += users[i].refused;
		assert_int_equal(refused > 0, used);
	}
	knp_store_free(store);
}

static void a_failed_allocation_is_said(void **state)
{
	struct knp_block_user users[12] = { 0 };
	struct knp_store *store;
	struct dice d;
	bool failed;
	long n = 0;
	int err;

	(void)state;
	dice_init(&d);
	store = random_policies(&d, ARRAY_SIZE(users));
	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		users[i].policy = store->policies[i];
		users[i].used[INGRESS] = true;
	}
	do {
		allocs_fail_after(n++);
		err = knp_block_limits(users, ARRAY_SIZE(users));
		failed = allocs_failed();
		allocs_fail_after(-1);
		assert_int_equal(err, failed ? -ENOMEM : 0);
	} while (failed);
	assert_true(n > 10);
	knp_store_free(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_refused_would_be_too_much_and_nobody_else),
		cmocka_unit_test(only_what_is_used_counts),
		cmocka_unit_test(a_failed_allocation_is_said),
	};

	return cmocka_run_group_tests_name("block limits", tests, NULL, NULL);
}
