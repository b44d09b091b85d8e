// SPDX-License-Identifier: Apache-2.0
/* Clones: what they share, what they do not, and running out of memory. */
#include "tables.h"

#include <stdio.h>

#include <linux/slab.h>

static int setup(void **state)
{
	*state = knp_tables_new();
	return !*state;
}

static int teardown(void **state)
{
	knp_tables_free(*state);
	return knp_shim_live != 0;
}

/* One change of every kind. */
static void change_everything(struct knp_tables *t)
{
	struct knp_rec_peer peer = { .family = AF_INET, .addr = { 10, 0, 0, 1 } };

	put_rule(t, 3);
	put_rule(t, KNP_RULES_MAX);
	put_ports(t, 2, &any_port, 1);
	put_class(t, 60000);
	put_set(t, 1, KNP_EGRESS, 2);
	put_row(t, 1, 60000, 1);
	put_row(t, 1, 1, 1);
	put_peer(t, "10.0.0.2", 60000);
	put_peer(t, "10.0.0.1", 3);
	DELETE(t, KNP_TABLE_PEER, peer);
	put_cidr(t, "10.1.0.0", 16, 2);
	put_cidr(t, "10.1.2.0", 24, 0);
	put_endpoint(t, "10.0.0.1", 0, 0);
	put_endpoint(t, "10.0.0.3", 1, 2);
	delete_id(t, KNP_TABLE_IFACE, 7);
	delete_row(t, 2, 2);
}

static void changes_of_a_clone_do_not_reach_the_original(void **state)
{
	struct knp_tables *t = *state;
	struct knp_tables *clone, *second;
	struct dump before, after;

	fill(t);
	freeze(t);
	dump_get(&before, t, ROOM);
	clone = knp_tables_clone(t);
	second = knp_tables_clone(clone);
	assert_non_null(second);
	change_everything(clone);
	freeze(clone);
	dump_get(&after, t, ROOM);
	dump_assert_equal(&before, &after);
	dump_free(&after);
	assert_int_equal(class_of(t, "10.1.0.1"), 0);
	assert_int_equal(class_of(clone, "10.1.0.1"), 2);
	assert_int_equal(class_of(clone, "10.1.2.1"), 0);
	assert_int_equal(class_of(t, "10.0.0.1"), 1);
	assert_int_equal(class_of(clone, "10.0.0.1"), 3);

	knp_tables_free(clone);
	dump_get(&after, second, ROOM);
	dump_assert_equal(&before, &after);
	dump_free(&after);
	knp_tables_free(second);
	dump_get(&after, t, ROOM);
	dump_assert_equal(&before, &after);
	dump_free(&after);
	dump_free(&before);
}

static void a_clone_survives_its_original(void **state)
{
	struct knp_tables *t = *state;
	struct knp_tables *clone;

	fill(t);
	freeze(t);
	clone = knp_tables_clone(t);
	assert_non_null(clone);
	knp_tables_free(t);
	*state = clone;
	freeze(clone);
	assert_int_equal(class_of(clone, "10.0.0.1"), 1);
	assert_int_equal(class_of(clone, "10.0.0.2"), 3);
	assert_int_equal(knp_tables_row(clone, 1, 1), 2);
}

static void a_clone_that_is_changed_little_shares_the_rest(void **state)
{
	struct knp_tables *t = *state;
	struct knp_tables *clone;
	struct knp_rec_peer rec = { .family = AF_INET, .class_id = 1 };
	long before, added;
	__u32 i;

	put_class(t, 1);
	put_class(t, 2);
	for (i = 0; i < 50000; i++) {
		rec.addr[0] = 10;
		rec.addr[1] = i >> 16;
		rec.addr[2] = i >> 8;
		rec.addr[3] = i;
		assert_int_equal(PUT(t, KNP_TABLE_PEER, rec), 1);
	}
	freeze(t);
	before = knp_shim_bytes;
	clone = knp_tables_clone(t);
	assert_int_equal(put_peer(clone, "10.0.77.7", 2), 1);
	freeze(clone);
	added = knp_shim_bytes - before;
	printf("# a clone with one peer changed: %ld of %ld bytes\n", added,
	       before);
	assert_true(added < 24 * 1024);
	assert_int_equal(class_of(t, "10.0.77.7"), 1);
	assert_int_equal(class_of(clone, "10.0.77.7"), 2);
	knp_tables_free(clone);
	assert_int_equal(knp_shim_bytes, before);
}

/* Endpoints are read again by a commit if their sets have changed since the last. */
static void endpoints_of_sets_that_did_not_change_are_shared(void **state)
{
	struct knp_tables *t = *state;
	struct knp_tables *clone;
	long before, added;
	char addr[32];
	int i;

	put_set(t, 1, KNP_EGRESS, 0);
	for (i = 0; i < 10000; i++) {
		snprintf(addr, sizeof(addr), "10.0.%d.%d", i / 256, i % 256);
		assert_int_equal(put_endpoint(t, addr, 1, 0), 1);
	}
	freeze(t);
	before = knp_shim_bytes;
	clone = knp_tables_clone(t);
	assert_int_equal(put_endpoint(clone, "10.0.77.7", 1, 0), 1);
	freeze(clone);
	added = knp_shim_bytes - before;
	printf("# a clone with one endpoint more: %ld of %ld bytes\n", added,
	       before);
	assert_true(added < 48 * 1024);
	knp_tables_free(clone);
	assert_int_equal(knp_shim_bytes, before);
}

/* So many blocks of peers that their table grows three times. */
static bool grow(struct knp_tables *t)
{
	char addr[32];
	int i;

	for (i = 0; i < 340; i++) {
		snprintf(addr, sizeof(addr), i % 5 ? "192.168.%d.%d" : "fd00::%d:%d0",
			 i / 4, i % 4 * 16);
		if (put_peer(t, addr, 1) < 0)
			return false;
	}
	return true;
}

/* Prefixes for more than one part of a trie, with splits in splits. */
static bool scatter(struct knp_tables *t)
{
	char addr[32];
	int i;

	for (i = 0; i < 1200; i++) {
		snprintf(addr, sizeof(addr), "172.%d.%d.16", i % 10, i / 10);
		if (put_cidr(t, addr, 28, 1 + i % 2) < 0)
			return false;
	}
	return true;
}

/* Rows of one part, of two and of more. */
static bool stretch(struct knp_tables *t)
{
	static const __u32 ids[] = { 40, 300, 5000, 9000, 300, 65535 };
	__u32 i;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		if (put_class(t, ids[i]) < 0 || put_row(t, 1, ids[i], 2) < 0)
			return false;
	}
	return true;
}

/* A life of a table; false as soon as memory runs out. */
static bool live(struct knp_tables *t)
{
	struct knp_tables *clone = knp_tables_clone(t);
	struct knp_rec_endpoint ep = {
		.family = AF_INET, .addr = { 10, 0, 0, 1 },
	};
	struct knp_rec_cidr cidr = {
		.family = AF_INET, .addr = { 10 }, .prefixlen = 8,
	};
	bool done = false;

	if (!clone)
		return false;

	if (!grow(clone) || !scatter(clone) || !stretch(clone) ||
	    put_rule(clone, 60000) < 0 || put_rule(clone, 3) < 0 ||
	    put_ports(clone, 2, &any_port, 1) < 0 ||
	    put_ports(clone, 3, &any_port, 1) < 0 ||
	    put_set(clone, 3, KNP_EGRESS, 3) < 0 ||
	    put_class(clone, 50000) < 0 || put_row(clone, 3, 50000, 3) < 0 ||
	    put_row(clone, 1, 50000, 3) < 0 ||
	    delete_id(clone, KNP_TABLE_SET, 3) < 0 ||
	    put_endpoint(clone, "10.0.0.9", 1, 2) < 0 ||
	    DELETE(clone, KNP_TABLE_ENDPOINT, ep) < 0 ||
	    put_cidr(clone, "10.128.0.0", 9, 1) < 0 ||
	    DELETE(clone, KNP_TABLE_CIDR, cidr) < 0 ||
	    put_cidr(clone, "fd00:1::", 32, 1) < 0 ||
	    put_iface(clone, 99, 1) < 0 ||
	    delete_id(clone, KNP_TABLE_IFACE, 7) < 0) {
		/* It cannot be published by mistake. */
		assert_int_equal(knp_tables_freeze(clone), -ENOMEM);
		goto out;
	}
	done = !knp_tables_freeze(clone);
out:
	knp_tables_free(clone);
	return done;
}

static void any_allocation_may_fail(void **state)
{
	struct knp_tables *t = *state;
	struct dump before, after;
	long n, bytes;

	fill(t);
	freeze(t);
	dump_get(&before, t, ROOM);
	bytes = knp_shim_bytes;
	for (n = 1; ; n++) {
		bool done;

		knp_shim_fail_in = n;
		done = live(t);
		assert_int_equal(knp_shim_bytes, bytes);
		dump_get(&after, t, ROOM);
		dump_assert_equal(&before, &after);
		dump_free(&after);
		if (done)
			break;
		assert_int_equal(knp_shim_fail_in, 0);
	}
	knp_shim_fail_in = 0;
	dump_free(&before);
	printf("# %ld allocations failed, each in its turn\n", n - 1);
	assert_true(n > 100);
}

static void a_table_that_cannot_be_allocated_is_null(void **state)
{
	(void)state;
	knp_shim_fail_in = 1;
	assert_null(knp_tables_new());
	knp_tables_free(NULL);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(changes_of_a_clone_do_not_reach_the_original),
		T(a_clone_survives_its_original),
		T(a_clone_that_is_changed_little_shares_the_rest),
		T(endpoints_of_sets_that_did_not_change_are_shared),
		T(any_allocation_may_fail),
		cmocka_unit_test(a_table_that_cannot_be_allocated_is_null),
	};

	return cmocka_run_group_tests_name("table_share", tests, NULL, NULL);
}
