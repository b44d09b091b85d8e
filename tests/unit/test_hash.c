// SPDX-License-Identifier: Apache-2.0
/* The hash table: what is in it is found, whatever memory there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "hash.h"

#define N	2000

struct element {
	struct knp_hash_node node;
	uint32_t key;
	bool in;
	unsigned int met;
};

static struct element elements[N];

static bool has_key(const struct knp_hash_node *node, const void *key)
{
	return knp_hash_entry(node, struct element, node)->key ==
	       *(const uint32_t *)key;
}

/* Few hashes for many keys, so that chains hold several and equal hashes. */
static uint32_t hash_of(uint32_t key)
{
	return knp_hash_bytes(&key, sizeof(key)) & 0xff00ff;
}

static int add(struct knp_hash *h, struct element *e)
{
	int err = knp_hash_add(h, &e->node, hash_of(e->key));

	e->in = !err;
	return err;
}

static void check(const struct knp_hash *h)
{
	struct knp_hash_node *node;
	size_t n = 0, met = 0;

	for (uint32_t i = 0; i < N; i++) {
		node = knp_hash_find(h, hash_of(i), has_key, &i);
		assert_ptr_equal(node, elements[i].in ? &elements[i].node
						      : NULL);
		n += elements[i].in;
		elements[i].met = 0;
	}
	assert_int_equal(h->n, n);
	knp_hash_for_each(h, node) {
		knp_hash_entry(node, struct element, node)->met++;
		met++;
	}
	assert_int_equal(met, n);
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(elements[i].met, elements[i].in);
}

static int setup(void **state)
{
	(void)state;
	memset(elements, 0, sizeof(elements));
	for (uint32_t i = 0; i < N; i++)
		elements[i].key = i;
	return 0;
}

static void random_adds_and_dels_equal_a_plain_set(void **state)
{
	const char *text = getenv("KNP_SEED");
	unsigned int r = text ? (unsigned int)strtoul(text, NULL, 10) : 1;
	struct knp_hash h = { 0 };
	unsigned int bound;

	(void)state;
	for (int step = 0; step < 20000; step++) {
		struct element *e = &elements[rand_r(&r) % N];

		/* Mostly growing in the first half, shrinking in the second. */
		bound = step < 10000 ? 70 : 30;
		if ((unsigned int)rand_r(&r) % 100 < bound) {
			if (!e->in)
				assert_int_equal(add(&h, e), 0);
		} else if (e->in) {
			knp_hash_del(&h, &e->node);
			e->in = false;
		}
		if (step % 500 == 0)
			check(&h);
	}
	check(&h);
	knp_hash_clear(&h);
	assert_null(knp_hash_next(&h, NULL));
}

static void an_empty_table_holds_nothing(void **state)
{
	long before = allocs_bytes();
	struct knp_hash h = { 0 };
	uint32_t key = 0;

	(void)state;
	assert_null(knp_hash_find(&h, 0, has_key, &key));
	assert_null(knp_hash_next(&h, NULL));
	assert_int_equal(add(&h, &elements[0]), 0);
	assert_true(allocs_bytes() > before);
	knp_hash_del(&h, &elements[0].node);
	assert_int_equal(allocs_bytes(), before);
	assert_null(knp_hash_find(&h, 0, has_key, &key));
}

static void all_can_be_removed_while_they_are_met(void **state)
{
	struct knp_hash_node *node, *next;
	struct knp_hash h = { 0 };
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < N; i++)
		assert_int_equal(add(&h, &elements[i]), 0);
	for (node = knp_hash_next(&h, NULL); node; node = next, n++) {
		next = knp_hash_next(&h, node);
		knp_hash_del(&h, node);
	}
	assert_int_equal(n, N);
	assert_int_equal(h.n, 0);
}

static void only_the_first_add_needs_memory(void **state)
{
	struct knp_hash h = { 0 };
	size_t nslots;

	(void)state;
	allocs_fail_after(0);
	assert_int_equal(add(&h, &elements[0]), -ENOMEM);
	assert_int_equal(h.n, 0);
	assert_int_equal(add(&h, &elements[0]), 0);
	nslots = h.nslots;
	for (size_t i = 1; i < N; i++) {
		allocs_fail_after(0);
		assert_int_equal(add(&h, &elements[i]), 0);
	}
	assert_int_equal(h.nslots, nslots);
	assert_true(allocs_failed());
	allocs_fail_after(-1);
	check(&h);
	knp_hash_clear(&h);
}

static void a_hash_is_of_all_bytes_and_no_others(void **state)
{
	char *bytes = calloc(1, 64);
	uint64_t seen[65] = { 0 };

	(void)state;
	for (size_t n = 0; n <= 64; n++) {
		/* Zeroes of another length, at the very end of the buffer. */
		seen[n] = knp_hash64(bytes + 64 - n, n, 1);
		for (size_t i = 0; i < n; i++)
			assert_true(seen[i] != seen[n]);
	}
	for (size_t i = 0; i < 64; i++) {
		bytes[i] = 1;
		assert_true(knp_hash64(bytes, 64, 1) != seen[64]);
		bytes[i] = 0;
	}
	assert_true(knp_hash64(bytes, 64, 1) == seen[64]);
	assert_true(knp_hash64(bytes, 64, 2) != seen[64]);
	assert_true(knp_hash64(NULL, 0, 1) == seen[0]);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(random_adds_and_dels_equal_a_plain_set,
				       setup),
		cmocka_unit_test_setup(an_empty_table_holds_nothing, setup),
		cmocka_unit_test_setup(all_can_be_removed_while_they_are_met,
				       setup),
		cmocka_unit_test_setup(only_the_first_add_needs_memory, setup),
		cmocka_unit_test(a_hash_is_of_all_bytes_and_no_others),
	};

	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
