// SPDX-License-Identifier: Apache-2.0
/* Rows of all lengths against plain arrays, by all ways of reading them. */
#include "tables.h"

#include <stdio.h>
#include <string.h>

#include <linux/slab.h>

#include "mem.h"
#include "row.h"

#define CLASSES (KNP_CLASSES_MAX + 1)

static struct dice dice;
static __u16 plain[CLASSES];

static int group_setup(void **state)
{
	(void)state;
	dice_init(&dice);
	return 0;
}

static void assert_row(const struct knp_part *row)
{
	const struct knp_part *page[KNP_PAGES_NEAR];
	__u32 i, next = 0;
	__u16 last;

	knp_row_bind(row, page, &last);
	for (i = 0; i < CLASSES; i++) {
		assert_int_equal(knp_row_get(row, i), plain[i]);
		assert_int_equal(knp_row_look(page, last, i), plain[i]);
	}
	for (i = knp_row_next(row, 0); i != U32_MAX;
	     i = knp_row_next(row, i + 1)) {
		while (!plain[next])
			next++;
		assert_int_equal(i, next++);
	}
	while (next < CLASSES)
		assert_int_equal(plain[next++], 0);
}

static void set(struct knp_part **row, __u32 class_id, __u16 portset)
{
	assert_int_equal(knp_row_set(row, class_id, portset), 0);
	plain[class_id] = portset;
}

/* Classes at the edges of words, stretches, parts, pages, or anywhere. */
static __u32 any_class(void)
{
	static const __u32 edges[] = {
		1, 47, 48, 63, 64, 111, 112, 127, 128, 191, 192, 239, 240, 495,
		496, 575, 576, 1007, 1008, 1343, 1344, 2031, 2032, 4079, 4080,
		4081, 8159, 8160, 8161, 12095, 12096, 12239, 12240, 24383,
		24384, 65279, 65280, 65534, 65535,
	};

	if (dice_below(&dice, 2))
		return 1 + dice_below(&dice, KNP_CLASSES_MAX);
	return edges[dice_below(&dice, ARRAY_SIZE(edges))];
}

static void a_row_holds_what_it_was_given(void **state)
{
	int round, i;

	(void)state;
	for (round = 0; round < 40; round++) {
		struct knp_part *row = NULL, *old;
		static const __u32 sizes[] = { 192, 4080, 24384, CLASSES };
		__u32 most = sizes[dice_below(&dice, 4)];

		memset(plain, 0, sizeof(plain));
		for (i = 0; i < 30; i++)
			set(&row, any_class() % most,
			    dice_below(&dice, 4) * 1000);
		assert_row(row);

		/* A clone keeps what the other one changes. */
		old = knp_part_get(row);
		for (i = 0; i < 10; i++)
			assert_int_equal(knp_row_set(&row, any_class(), 9), 0);
		assert_row(old);
		knp_part_put(old);
		knp_part_put(row);
		assert_int_equal(knp_shim_live, 0);
	}
}

/* Entries come and go in any order, where there is room for them and not. */
static void a_stretch_may_be_full(void **state)
{
	int round, i;

	(void)state;
	for (round = 0; round < 20; round++) {
		__u32 first = any_class() / KNP_STRETCH_CLASSES *
			      KNP_STRETCH_CLASSES;
		__u32 some = 1 + dice_below(&dice, KNP_STRETCH_CLASSES);
		struct knp_part *row = NULL, *old;

		memset(plain, 0, sizeof(plain));
		for (i = 0; i < 400; i++)
			set(&row, (first + dice_below(&dice, some)) % CLASSES,
			    dice_below(&dice, 5) * 1000);
		assert_row(row);

		old = knp_part_get(row);
		for (i = 0; i < KNP_STRETCH_CLASSES; i++)
			assert_int_equal(knp_row_set(&row, (first + i) % CLASSES,
						     i % 3), 0);
		assert_row(old);
		knp_part_put(row);

		row = old;
		for (i = 0; i < KNP_STRETCH_CLASSES; i++)
			set(&row, (first + i) % CLASSES, 0);
		assert_row(row);
		knp_part_put(row);
		assert_int_equal(knp_shim_live, 0);
	}
}

/* Whichever allocation fails, of growth or of becoming dense. */
static void a_row_out_of_memory_keeps_its_entries(void **state)
{
	static const __u32 classes[] = { 190, 200, 25000 };
	__u32 i, n;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(classes); i++) {
		struct knp_part *row = NULL, *shared;
		int err = -ENOMEM;

		memset(plain, 0, sizeof(plain));
		for (n = 0; n < KNP_STRETCH_ENTRIES; n++)
			set(&row, n * 10, 7);
		for (n = 0; err; n++) {
			shared = knp_part_get(row);
			knp_shim_fail_in = n + 1;
			err = knp_row_set(&row, classes[i], 9);
			knp_shim_fail_in = 0;
			knp_part_put(shared);
			if (!err)
				plain[classes[i]] = 9;
			else
				assert_int_equal(err, -ENOMEM);
			assert_row(row);
		}
		assert_true(n > 1);
		knp_part_put(row);
		assert_int_equal(knp_shim_live, 0);
	}
}

static void a_row_takes_no_more_than_it_needs(void **state)
{
	static const struct {
		__u32 class_id;
		long bytes;
	} cases[] = {
		{ 1, 128 }, { 191, 128 }, { 192, 256 }, { 575, 256 },
		{ 576, 512 }, { 5951, 2048 }, { 24383, 8192 },
		/* dense: 17 pointers and a head beside the page */
		{ 24384, 192 + 8192 }, { 65535, 192 + 1024 },
	};
	static const struct {
		__u32 classes;
		long bytes;
	} dense[] = {
		{ 47, 128 }, { 48, 256 }, { 495, 1024 }, { 1000, 2048 },
		{ 4079, 8192 },
	};
	__u32 i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct knp_part *row = NULL;

		assert_int_equal(knp_row_set(&row, cases[i].class_id, 1), 0);
		assert_int_equal(knp_shim_bytes, cases[i].bytes);
		assert_int_equal(knp_row_set(&row, cases[i].class_id, 0), 0);
		assert_int_equal(knp_row_next(row, 0), U32_MAX);
		knp_part_put(row);
	}
	for (i = 0; i < ARRAY_SIZE(dense); i++) {
		struct knp_part *row = NULL;

		for (j = 1; j <= dense[i].classes; j++)
			assert_int_equal(knp_row_set(&row, j, 1), 0);
		assert_int_equal(knp_shim_bytes, dense[i].bytes);
		assert_int_equal(atomic_long_read(&knp_mem_bytes),
				 dense[i].bytes);
		knp_part_put(row);
		assert_int_equal(atomic_long_read(&knp_mem_bytes), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_holds_what_it_was_given),
		cmocka_unit_test(a_stretch_may_be_full),
		cmocka_unit_test(a_row_out_of_memory_keeps_its_entries),
		cmocka_unit_test(a_row_takes_no_more_than_it_needs),
	};

	return cmocka_run_group_tests_name("row", tests, group_setup, NULL);
}
