// SPDX-License-Identifier: Apache-2.0
/*
 * Large tables: sizes of a big cluster, and the limits. The times and bytes
 * that it prints are figures of a sanitized build, not a gate.
 */
#include "tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/slab.h>

#define PEERS 100000
#define CIDRS 10000
#define BATCH 500
#define SAMPLES 500

static struct dice dice;

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int setup(void **state)
{
	struct knp_tables *t = knp_tables_new();
	__u32 id;

	for (id = 1; id <= 500; id++)
		put_class(t, id);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	knp_tables_free(*state);
	return knp_shim_live != 0;
}

static int group_setup(void **state)
{
	(void)state;
	dice_init(&dice);
	return 0;
}

/* 1,000 nodes of 100 pods each. */
static struct knp_rec_peer nth_peer(__u32 i, __u8 family)
{
	struct knp_rec_peer rec = {
		.family = family, .class_id = 1 + i % 500,
	};
	__u32 last = family == AF_INET ? 3 : 15;

	rec.addr[0] = family == AF_INET ? 10 : 0xfd;
	rec.addr[last - 2] = i / 100 / 256;
	rec.addr[last - 1] = i / 100;
	rec.addr[last] = 2 + i % 100;
	return rec;
}

static void load_peers(struct knp_tables *t, __u8 family)
{
	struct knp_rec_peer recs[BATCH];
	double start = seconds();
	long bytes = knp_shim_bytes;
	__u32 i, j;

	for (i = 0; i < PEERS; i += BATCH) {
		for (j = 0; j < BATCH; j++)
			recs[j] = nth_peer(i + j, family);
		assert_int_equal(PUT(t, KNP_TABLE_PEER, recs), BATCH);
	}
	assert_int_equal(knp_tables_freeze(t), 0);
	printf("# %d peers: %.0f ms, %ld KiB\n", PEERS,
	       (seconds() - start) * 1e3, (knp_shim_bytes - bytes) / 1024);
}

static void a_hundred_thousand_peers(void **state)
{
	static const __u8 families[] = { AF_INET, AF_INET6 };
	struct knp_tables *t = *state, *clone;
	__u32 family, i;
	double start;

	for (family = 0; family < KNP_NFAMILIES; family++) {
		load_peers(t, families[family]);
		for (i = 0; i < PEERS; i++) {
			struct knp_rec_peer rec = nth_peer(i,
							   families[family]);
			struct knp_addr addr;

			memcpy(addr.b, rec.addr, sizeof(addr.b));
			assert_int_equal(knp_tables_class(t, family, &addr),
					 rec.class_id);
			addr.b[0] ^= 0x80;
			assert_int_equal(knp_tables_class(t, family, &addr),
					 0);
		}
		/* The next transaction. */
		clone = knp_tables_clone(t);
		assert_non_null(clone);
		knp_tables_free(t);
		*state = clone;
		t = clone;
	}

	assert_int_equal(knp_tables_count(t, KNP_TABLE_PEER), 2 * PEERS);
	start = seconds();
	for (i = 0; i < 1000; i++) {
		clone = knp_tables_clone(t);
		assert_int_equal(put_peer(clone, "10.0.3.5", 1 + i % 500), 1);
		assert_int_equal(knp_tables_freeze(clone), 0);
		knp_tables_free(t);
		*state = clone;
		t = clone;
	}
	printf("# a transaction that changes one of them: %.0f us\n",
	       (seconds() - start) * 1e3);
}

static struct knp_rec_cidr any_cidr(__u8 family, __u32 i)
{
	struct knp_rec_cidr rec = { .family = family };
	__u32 j, max = family == AF_INET ? 32 : 128;

	rec.class_id = i % 7 ? 1 + dice_below(&dice, 500) : 0;
	rec.prefixlen = max - dice_below(&dice, i % 3 ? 9 : 25);
	for (j = 0; j < max / 8; j++)
		rec.addr[j] = dice_below(&dice, j < max / 8 - 3 ? 2 : 256);
	for (j = rec.prefixlen; j < max; j++)
		rec.addr[j / 8] &= ~(0x80 >> j % 8);
	return rec;
}

static bool has_prefix(const __u8 *addr, const struct knp_rec_cidr *c)
{
	__u32 whole = c->prefixlen / 8, bits = c->prefixlen % 8;

	return !memcmp(addr, c->addr, whole) &&
	       !(bits && (addr[whole] ^ c->addr[whole]) >> (8 - bits));
}

/* Longest prefix; of the same prefix the last record. */
static __u32 naive_class(const struct knp_rec_cidr *recs, __u32 n,
			 const __u8 *addr)
{
	__u32 i, class_id = 0;
	int longest = -1;

	for (i = 0; i < n; i++) {
		if (recs[i].prefixlen >= longest &&
		    has_prefix(addr, &recs[i])) {
			longest = recs[i].prefixlen;
			class_id = recs[i].class_id;
		}
	}
	return class_id;
}

static void load_cidrs(struct knp_tables *t, struct knp_rec_cidr *recs,
		       __u32 n, __u8 family)
{
	long bytes = knp_shim_bytes;
	double start = seconds();
	__u32 i;

	for (i = 0; i < n; i++)
		recs[i] = any_cidr(family, i);
	assert_int_equal(put(t, KNP_TABLE_CIDR, recs, n * sizeof(*recs)), n);
	printf("# %u cidrs: %.0f ms, %ld KiB\n", n, (seconds() - start) * 1e3,
	       (knp_shim_bytes - bytes) / 1024);
	bytes = knp_shim_bytes;
	start = seconds();
	assert_int_equal(knp_tables_freeze(t), 0);
	printf("# compiled: %.0f ms, %ld KiB\n", (seconds() - start) * 1e3,
	       (knp_shim_bytes - bytes) / 1024);
}

static void check_cidrs(struct knp_tables *t, __u32 n, unsigned int family)
{
	__u8 af = family == KNP_V4 ? AF_INET : AF_INET6;
	struct knp_rec_cidr *recs = calloc(n, sizeof(*recs));
	__u32 i;

	assert_non_null(recs);
	load_cidrs(t, recs, n, af);
	for (i = 0; i < SAMPLES; i++) {
		struct knp_rec_cidr near = recs[dice_below(&dice, n)];
		__u32 last = family == KNP_V4 ? 3 : 15;
		struct knp_addr addr;

		near.addr[last] += dice_below(&dice, 4);
		near.addr[last - 1] += dice_below(&dice, 2);
		memcpy(addr.b, near.addr, sizeof(addr.b));
		assert_int_equal(knp_tables_class(t, family, &addr),
				 naive_class(recs, n, addr.b));
	}
	free(recs);
}

static void ten_thousand_ipv4_cidrs(void **state)
{
	check_cidrs(*state, CIDRS, KNP_V4);
}

static void ten_thousand_ipv6_cidrs(void **state)
{
	check_cidrs(*state, CIDRS, KNP_V6);
}

static void as_many_cidrs_as_there_may_be(void **state)
{
	struct knp_tables *t = *state;
	struct knp_rec_cidr rec = { .family = AF_INET6, .prefixlen = 127 };
	struct knp_addr addr = { 0 };
	__u32 i, n = KNP_CIDRS_MAX;
	double start = seconds();

	/* Every other /127 of alternating classes: 2n + 1 ranges. */
	for (i = 0; i < n; i++) {
		rec.addr[13] = i >> 14;
		rec.addr[14] = i >> 6;
		rec.addr[15] = i << 2;
		rec.class_id = 1 + i % 500;
		assert_int_equal(PUT(t, KNP_TABLE_CIDR, rec), 1);
	}
	assert_int_equal(put_cidr(t, "10.0.0.0", 8, 1), -E2BIG);
	assert_int_equal(PUT(t, KNP_TABLE_CIDR, rec), 1);
	assert_int_equal(knp_tables_freeze(t), 0);
	printf("# %u cidrs: %.0f ms\n", n, (seconds() - start) * 1e3);
	for (i = 0; i < n; i++) {
		addr.b[13] = i >> 14;
		addr.b[14] = i >> 6;
		addr.b[15] = i << 2;
		assert_int_equal(knp_tables_class(t, KNP_V6, &addr),
				 1 + i % 500);
		addr.b[15] += 1;
		assert_int_equal(knp_tables_class(t, KNP_V6, &addr),
				 1 + i % 500);
		addr.b[15] += 1;
		assert_int_equal(knp_tables_class(t, KNP_V6, &addr), 0);
	}
}

static void rows_with_every_class(void **state)
{
	struct knp_tables *t = *state;
	long bytes = knp_shim_bytes;
	__u32 set, id;

	for (id = 1; id <= KNP_CLASSES_MAX; id++)
		assert_int_equal(put_class(t, id), 1);
	put_rule(t, 1);
	for (id = 1; id <= 3; id++)
		assert_int_equal(put_ports(t, id, NULL, 0), 1);
	put_set(t, 1, KNP_EGRESS, 3);
	put_set(t, KNP_SETS_MAX, KNP_INGRESS, 0);
	for (id = 1; id <= KNP_CLASSES_MAX; id += 2) {
		assert_int_equal(put_row(t, 1, id, 1), 1);
		assert_int_equal(put_row(t, KNP_SETS_MAX, id, 2), 1);
	}
	assert_int_equal(knp_tables_freeze(t), 0);
	for (id = 1; id <= KNP_CLASSES_MAX; id++) {
		set = id % 2 ? 1 : 3;
		assert_int_equal(knp_tables_row(t, 1, id), set);
		set = id % 2 ? 2 : 0;
		assert_int_equal(knp_tables_row(t, KNP_SETS_MAX, id), set);
	}
	*state = knp_tables_clone(t);
	knp_tables_free(t);
	t = *state;
	assert_int_equal(delete_id(t, KNP_TABLE_SET, 1), 1);
	assert_int_equal(delete_id(t, KNP_TABLE_SET, KNP_SETS_MAX), 1);
	assert_int_equal(knp_tables_count(t, KNP_TABLE_ROW), 0);
	for (id = 501; id <= KNP_CLASSES_MAX; id++)
		assert_int_equal(delete_id(t, KNP_TABLE_CLASS, id), 1);
	printf("# two rows and their classes, deleted: %ld KiB left\n",
	       (knp_shim_bytes - bytes) / 1024);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_hundred_thousand_peers),
		T(ten_thousand_ipv4_cidrs),
		T(ten_thousand_ipv6_cidrs),
		T(as_many_cidrs_as_there_may_be),
		T(rows_with_every_class),
	};

	return cmocka_run_group_tests_name("table_large", tests, group_setup,
					   NULL);
}
