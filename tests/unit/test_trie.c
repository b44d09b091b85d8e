// SPDX-License-Identifier: Apache-2.0
/* Tries of IPv4 ranges against a search through all of them. */
#include "tables.h"

#include <stdio.h>
#include <stdlib.h>

#include <linux/slab.h>

#include "mem.h"
#include "trie.h"

#define PREFIXES 3000

static struct dice dice;

static int group_setup(void **state)
{
	(void)state;
	dice_init(&dice);
	return 0;
}

static __u32 naive(const struct knp_prefix *r, __u32 n, __u32 ip)
{
	while (n && r[n - 1].hi >> 32 > ip)
		n--;
	return r[n - 1].class_id;
}

static struct knp_prefix prefix(__u32 ip, __u8 len, __u16 class_id)
{
	__u64 hi = (__u64)ip << 32;

	return (struct knp_prefix){
		.hi = len ? hi >> (64 - len) << (64 - len) : 0,
		.len = len,
		.class_id = class_id,
	};
}

/* Remove what is there twice: the compiler is promised that nothing is. */
static __u32 distinct(struct knp_prefix *p, __u32 n)
{
	__u32 i, j, kept = 0;

	for (i = 0; i < n; i++) {
		for (j = 0; j < kept; j++) {
			if (p[j].hi == p[i].hi && p[j].len == p[i].len)
				break;
		}
		if (j == kept)
			p[kept++] = p[i];
	}
	return kept;
}

static void check(struct knp_prefix *p, __u32 n)
{
	struct knp_prefix *ranges;
	struct knp_trie trie;
	__u32 nranges, i, ip;
	int off;

	n = distinct(p, n);
	ranges = knp_ranges_cut(p, n, &nranges);
	assert_non_null(ranges);
	assert_true(nranges <= 2 * n + 1);
	assert_int_equal(knp_trie_compile(ranges, nranges, &trie), 0);
	for (i = 0; i < nranges; i++) {
		for (off = -1; off <= 1; off++) {
			ip = (ranges[i].hi >> 32) + off;
			assert_int_equal(knp_trie_look(trie.root, ip),
					 naive(ranges, nranges, ip));
		}
	}
	for (i = 0; i < 200; i++) {
		ip = dice_below(&dice, 0xffffffff);
		assert_int_equal(knp_trie_look(trie.root, ip),
				 naive(ranges, nranges, ip));
	}
	knp_part_put(trie.parts);
	knp_vfree(ranges);
	assert_int_equal(knp_shim_live, 0);
}

static void prefixes_of_all_lengths(void **state)
{
	struct knp_prefix p[PREFIXES];
	__u32 round, i, n;

	(void)state;
	for (round = 0; round < 30; round++) {
		n = dice_below(&dice, round < 20 ? 60 : PREFIXES);
		for (i = 0; i < n; i++)
			p[i] = prefix(dice_below(&dice, 0xffffffff),
				      dice_below(&dice, 33),
				      dice_below(&dice, 5));
		check(p, n);
	}
}

/* All in one corner: as many splits as there can be, one in the other. */
static void prefixes_that_crowd(void **state)
{
	struct knp_prefix p[PREFIXES];
	__u32 round, i;

	(void)state;
	for (round = 0; round < 10; round++) {
		__u32 base = dice_below(&dice, 2) ? 0xffffff00 :
			     dice_below(&dice, 0xffffffff) & 0xffffff00;

		for (i = 0; i < 256; i++)
			p[i] = prefix(base + i, 32, 1 + i % 3);
		for (; i < 300; i++)
			p[i] = prefix(dice_below(&dice, 0xffffffff), 24,
				      1 + i % 3);
		check(p, i);
	}
}

static void edges_of_the_address_space(void **state)
{
	struct knp_prefix p[40];
	__u32 i;

	(void)state;
	check(p, 0);
	p[0] = prefix(0, 0, 7);
	check(p, 1);
	for (i = 0; i < 20; i++) {
		p[i] = prefix(i, 32, 1 + i % 2);
		p[20 + i] = prefix(0xffffffff - i, 32, 1 + i % 2);
	}
	check(p, 40);
}

static void any_allocation_may_fail(void **state)
{
	static struct knp_prefix ranges[20000];
	struct knp_trie trie = { .root = 1 };
	long n;
	__u32 i;
	int err;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		ranges[i] = prefix(i << 8, 24, i);
	for (n = 1; ; n++) {
		knp_shim_fail_in = n;
		err = knp_trie_compile(ranges, ARRAY_SIZE(ranges), &trie);
		if (!err)
			break;
		assert_int_equal(err, -ENOMEM);
		assert_int_equal(trie.root, 1);
		assert_int_equal(knp_shim_live, 0);
	}
	knp_shim_fail_in = 0;
	printf("# %ld allocations failed, each in its turn\n", n - 1);
	assert_true(n > 10);
	assert_int_equal(knp_trie_look(trie.root, 777 << 8), 777);
	knp_part_put(trie.parts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_of_all_lengths),
		cmocka_unit_test(prefixes_that_crowd),
		cmocka_unit_test(edges_of_the_address_space),
		cmocka_unit_test(any_allocation_may_fail),
	};

	return cmocka_run_group_tests_name("trie", tests, group_setup, NULL);
}
