// SPDX-License-Identifier: Apache-2.0
/*
 * Cells: every key has its own, at any size; and the packets' way to them is
 * the writer's.
 */
#include "tables.h"

#include <stdio.h>
#include <string.h>

#include <linux/random.h>
#include <linux/slab.h>

#include "cells.h"

static struct dice dice;

static int group_setup(void **state)
{
	(void)state;
	dice_init(&dice);
	knp_shim_seed = dice.state;
	return 0;
}

static struct knp_addr nth(bool wide, __u32 i)
{
	struct knp_addr addr = { 0 };
	__u32 last = wide ? 15 : 3;

	addr.b[0] = wide ? 0xfd : 10;
	addr.b[last] = i << 4;
	addr.b[last - 1] = i >> 4;
	addr.b[last - 2] = i >> 12;
	return addr;
}

/* As a packet would: through what a front holds. */
static bool seen(const struct knp_cells *c, const struct knp_seed *seed,
		 bool wide, const struct knp_addr *key, __u32 value)
{
	const struct knp_cell *cell;

	cell = knp_cells_look(knp_cells_first(c), c->ngroups, seed->s, wide,
			      key);
	return cell && cell->used && knp_addr_equal(&cell->key, key, wide) &&
	       cell->class6[3] == (__u16)value;
}

static void insert(struct knp_cells *c, const struct knp_seed *seed, bool wide,
		   __u32 from, __u32 to)
{
	__u32 i;

	for (i = from; i < to; i++) {
		struct knp_addr key = nth(wide, i);
		struct knp_cell *cell = knp_cells_edit(c, seed, wide, &key);

		assert_non_null(cell);
		assert_int_equal(cell->class6[3], 0);
		cell->class6[3] = i;
	}
}

static void assert_seen(const struct knp_cells *c, const struct knp_seed *seed,
			bool wide, __u32 from, __u32 to)
{
	struct knp_addr absent = { .b = { 1, 2, 3 } };
	__u32 i;

	for (i = from; i < to; i++) {
		struct knp_addr key = nth(wide, i);

		assert_true(seen(c, seed, wide, &key, i));
	}
	assert_null(knp_cells_find(c, seed, wide, &absent));
}

static __u32 count(const struct knp_cells *c)
{
	__u32 pos, n = 0;

	for (pos = 0; pos < knp_cells_end(c); pos++)
		n += !!knp_cells_at(c, pos);
	return n;
}

static void live(bool wide, __u32 n)
{
	struct knp_cells c = { .root = NULL };
	struct knp_seed seed;
	__u32 i;

	get_random_bytes(&seed, sizeof(seed));
	for (i = 1; i <= n; i *= 2) {
		insert(&c, &seed, wide, i / 2, i);
		assert_seen(&c, &seed, wide, 0, i);
		assert_int_equal(c.used, i);
	}
	i /= 2;
	assert_int_equal(count(&c), i);
	printf("# %u keys: %u groups, %.0f %% full\n", i, c.ngroups,
	       100.0 * i / knp_cells_end(&c));
	assert_true(i < 100 || i * 3 > knp_cells_end(&c));

	for (; i; i--) {
		struct knp_addr key = nth(wide, i - 1);

		assert_int_equal(knp_cells_remove(&c, &seed, wide, &key), 0);
		assert_null(c.used ? knp_cells_find(&c, &seed, wide, &key) :
				     NULL);
		assert_int_equal(c.used, i - 1);
		if (i % 1000 == 0 || i < 20)
			assert_seen(&c, &seed, wide, 0, i - 1);
	}
	assert_int_equal(knp_shim_live, 0);
}

static void keys_of_ipv4_come_and_go(void **state)
{
	(void)state;
	live(false, 1 << 15);
}

static void keys_of_ipv6_come_and_go(void **state)
{
	(void)state;
	live(true, 1 << 15);
}

/* For every secret there is. */
static void any_seed_is_good_enough(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 50; i++) {
		struct knp_cells c = { .root = NULL };
		struct knp_seed seed;

		get_random_bytes(&seed, sizeof(seed));
		insert(&c, &seed, i % 2, 0, 600);
		assert_seen(&c, &seed, i % 2, 0, 600);
		assert_true(c.ngroups < 40);
		knp_cells_put(&c);
	}
}

/* The worst secret: all keys are one, so no number of groups parts them. */
static void keys_that_cannot_be_parted_are_refused(void **state)
{
	struct knp_seed seed = { .s = { 0 } };
	struct knp_cells c = { .root = NULL };
	struct knp_addr a = nth(false, 1), b = nth(false, 2);

	(void)state;
	assert_non_null(knp_cells_edit(&c, &seed, false, &a));
	assert_null(knp_cells_edit(&c, &seed, false, &b));
	assert_non_null(knp_cells_find(&c, &seed, false, &a));
	assert_int_equal(c.used, 1);
	knp_cells_put(&c);
	assert_int_equal(knp_shim_live, 0);
}

static void a_copy_does_not_see_what_is_changed(void **state)
{
	struct knp_cells c = { .root = NULL }, copy;
	struct knp_seed seed;
	__u32 i;

	(void)state;
	get_random_bytes(&seed, sizeof(seed));
	insert(&c, &seed, false, 0, 1000);
	copy = c;
	knp_cells_get(&copy);
	insert(&copy, &seed, false, 1000, 2000);
	for (i = 0; i < 999; i += 3) {
		struct knp_addr key = nth(false, i);

		knp_cells_edit(&copy, &seed, false, &key)->class6[3] = 7;
		key = nth(false, i + 1);
		assert_int_equal(knp_cells_remove(&copy, &seed, false, &key),
				 0);
	}
	assert_seen(&c, &seed, false, 0, 1000);
	assert_seen(&copy, &seed, false, 1000, 2000);
	knp_cells_put(&copy);
	assert_seen(&c, &seed, false, 0, 1000);
	knp_cells_put(&c);
	assert_int_equal(knp_shim_live, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_ipv4_come_and_go),
		cmocka_unit_test(keys_of_ipv6_come_and_go),
		cmocka_unit_test(any_seed_is_good_enough),
		cmocka_unit_test(keys_that_cannot_be_parted_are_refused),
		cmocka_unit_test(a_copy_does_not_see_what_is_changed),
	};

	return cmocka_run_group_tests_name("cells", tests, group_setup, NULL);
}
