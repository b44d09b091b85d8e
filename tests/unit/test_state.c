// SPDX-License-Identifier: Apache-2.0
/* The state as bytes: what was written is read, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "alloc.h"
#include "state.h"
#include "states.h"

#define DIGEST_LEN	32
#define HEADER_LEN	368
#define ALLOW_LEN	(2 * 20)	/* of some_state() */
/* where the header has them */
#define AT_VERSION	8
#define AT_ABI		12
#define AT_SIZE		16
#define AT_GENERATION	48
#define AT_FAMILIES	56
#define AT_NALLOW	64
#define AT_MODE		68
#define AT_DFLT		69
#define AT_LB_PROBES	73
#define AT_BOOT		74
#define AT_NODE		111
#define AT_PAD		365

static char why[KNP_STATE_WHY];

static int decode(const void *data, size_t len, struct knp_state *ret)
{
	/* Of the exact size, so that a byte too many read is seen. */
	void *copy = malloc(len ? len : 1);
	int err;

	assert_non_null(copy);
	memcpy(copy, data, len);
	why[0] = '\0';
	err = knp_state_decode(copy, len, ret, why);
	free(copy);
	return err;
}

static void assert_refused(const void *data, size_t len, const char *because)
{
	struct knp_state s;

	assert_int_equal(decode(data, len, &s), -EBADMSG);
	if (!strstr(why, because))
		fail_msg("'%s' is not because '%s'", why, because);
}

/* The bytes of some_state(), and room for @more. */
static uint8_t *roomy_bytes(size_t *len, size_t more)
{
	void *bytes = some_bytes(len);
	uint8_t *data = calloc(1, *len + more);

	assert_non_null(data);
	memcpy(data, bytes, *len);
	free(bytes);
	return data;
}

/* What somebody writes who knows how the checksum is made. */
static void seal(uint8_t *data, size_t len)
{
	size_t n;

	assert_int_equal(EVP_Q_digest(NULL, "SHA256", NULL, data,
				      len - DIGEST_LEN, data + len - DIGEST_LEN,
				      &n), 1);
}

static void refuses_sealed(size_t at, uint8_t value, const char *because)
{
	size_t len;
	uint8_t *data = some_bytes(&len);

	data[at] = value;
	seal(data, len);
	assert_refused(data, len, because);
	free(data);
}

static void test_round_trip(void **state)
{
	struct knp_state was = some_state(), is;
	void *data, *again;
	size_t len, len2;

	(void)state;
	assert_int_equal(knp_state_encode(&was, &data, &len), 0);
	assert_int_equal(decode(data, len, &is), 0);
	assert_states_equal(&was, &is);
	assert_int_equal(is.info.event_rate, 17);
	assert_int_equal(is.rs->portsets.n, 2);
	assert_int_equal(knp_state_encode(&is, &again, &len2), 0);
	assert_int_equal(len, len2);
	assert_memory_equal(data, again, len);
	free(data);
	free(again);
	knp_state_clear(&was);
	knp_state_clear(&is);
}

static void test_round_trip_empty(void **state)
{
	struct knp_state was = some_state(), is;
	void *data;
	size_t len;

	(void)state;
	knp_ruleset_free(was.rs);
	was.rs = knp_ruleset_new();
	assert_int_equal(knp_state_encode(&was, &data, &len), 0);
	assert_int_equal(len, HEADER_LEN + ALLOW_LEN + DIGEST_LEN);
	assert_int_equal(decode(data, len, &is), 0);
	assert_states_equal(&was, &is);
	free(data);
	knp_state_clear(&was);
	knp_state_clear(&is);
}

/* More than one part of a table, and portsets as large as they may be. */
static void test_round_trip_large(void **state)
{
	struct knp_state was = some_state(), is;
	struct knp_rec_peer peer = { .family = 2, .class_id = 7 };
	void *data;
	size_t len;

	(void)state;
	for (uint32_t i = 0; i < 100000; i++) {
		memcpy(peer.addr, &i, sizeof(i));
		assert_non_null(knp_recs_add(&was.rs->peers, &peer));
	}
	for (uint32_t id = 10; id < 20; id++) {
		struct knp_rs_portset p = { { id, KNP_PORTS_MAX, { 0 } }, NULL };

		p.ports = calloc(KNP_PORTS_MAX, sizeof(*p.ports));
		assert_non_null(knp_recs_add(&was.rs->portsets, &p));
	}
	knp_ruleset_sort(was.rs);
	assert_int_equal(knp_state_encode(&was, &data, &len), 0);
	assert_int_equal(decode(data, len, &is), 0);
	assert_states_equal(&was, &is);
	free(data);
	knp_state_clear(&was);
	knp_state_clear(&is);
}

static void test_every_flipped_bit(void **state)
{
	struct knp_state s;
	size_t len;
	uint8_t *data = some_bytes(&len);

	(void)state;
	for (size_t i = 0; i < len * 8; i++) {
		data[i / 8] ^= (uint8_t)(1 << i % 8);
		if (decode(data, len, &s) != -EBADMSG || !why[0])
			fail_msg("bit %zu of byte %zu may be flipped", i % 8,
				 i / 8);
		data[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	assert_int_equal(decode(data, len, &s), 0);
	knp_state_clear(&s);
	free(data);
}

static void test_every_truncation(void **state)
{
	size_t len;
	uint8_t *data = some_bytes(&len);

	(void)state;
	for (size_t n = 0; n < len; n++)
		assert_refused(data, n, "is truncated");
	free(data);
}

static void test_longer(void **state)
{
	size_t len;
	uint8_t *data = roomy_bytes(&len, 1);

	(void)state;
	assert_refused(data, len + 1, "longer");
	free(data);
}

static void test_other_versions(void **state)
{
	size_t len;
	uint8_t *data = some_bytes(&len);

	(void)state;
	data[AT_VERSION] = 2;
	assert_refused(data, len, "the newer version 2");
	/* It may look as it likes behind that. */
	assert_refused(data, AT_VERSION + 4, "the newer version 2");
	data[AT_VERSION] = 0;
	assert_refused(data, len, "is of the version 0");
	free(data);

	refuses_sealed(AT_ABI, KNP_ABI_VERSION + 1, "of the module");
	refuses_sealed(AT_ABI, KNP_ABI_VERSION - 1, "of the module");
}

static void test_foreign(void **state)
{
	static const char text[] = "boot=no more than a text of some kind";

	(void)state;
	assert_refused(text, sizeof(text), "is no state of knp");
	refuses_sealed(0, 'k', "is no state of knp");
}

/* With a checksum that holds: by whom it was written, it cannot say. */
static void test_malformed_headers(void **state)
{
	(void)state;
	refuses_sealed(AT_SIZE + 7, 1, "is truncated");
	refuses_sealed(AT_GENERATION, 0, "its header");
	refuses_sealed(AT_NALLOW, KNP_NODE_ALLOW_MAX + 1, "its header");
	refuses_sealed(AT_NALLOW + 3, 1, "its header");
	refuses_sealed(AT_FAMILIES, KNP_FAMILY_MASK + 1, "its header");
	refuses_sealed(AT_FAMILIES + 3, 1, "its header");
	for (size_t i = AT_MODE; i <= AT_LB_PROBES; i++)
		refuses_sealed(i, 2, "its header");
	refuses_sealed(AT_BOOT + KNP_BOOT_ID_LEN, 'x', "its header");
	refuses_sealed(AT_NODE + 2, 'x', "its header");
	refuses_sealed(AT_NODE + KNP_STATE_NODE_LEN, 'x', "its header");
	for (size_t i = AT_PAD; i < HEADER_LEN; i++)
		refuses_sealed(i, 1, "its header");
}

static void test_malformed_tables(void **state)
{
	const size_t table = HEADER_LEN + ALLOW_LEN, size = table + 4;

	(void)state;
	refuses_sealed(table, 0, "its tables");
	refuses_sealed(table, KNP_TABLE_MAX + 1, "its tables");
	/* The first is of rules; as the last one it is out of order. */
	refuses_sealed(table, KNP_TABLE_IFACE, "its tables");
	refuses_sealed(size, 19, "its tables");
	refuses_sealed(size, 21, "its tables");
	refuses_sealed(size + 3, 0xff, "its tables");
	/* The ports that a portset says it has. */
	refuses_sealed(size + 4 + 20 + 8 + 4, 3, "its tables");
	refuses_sealed(size + 4 + 20 + 8 + 7, 0xff, "its tables");
}

/* More entries than there are bytes. */
static void test_truncated_list(void **state)
{
	struct knp_state s = some_state();
	uint8_t *data;
	void *v;
	size_t len;

	(void)state;
	knp_ruleset_free(s.rs);
	s.rs = knp_ruleset_new();
	assert_int_equal(knp_state_encode(&s, &v, &len), 0);
	data = v;
	data[AT_NALLOW] = 3;
	seal(data, len);
	assert_refused(data, len, "its header");
	free(v);
	knp_state_clear(&s);
}

static void test_half_a_part(void **state)
{
	size_t len;
	uint8_t *data = roomy_bytes(&len, 4);

	(void)state;
	/* Four bytes of the digest's place become a part without a length. */
	memset(data + len - DIGEST_LEN, 0, 4);
	data[AT_SIZE] = (uint8_t)(len + 4);
	data[AT_SIZE + 1] = (uint8_t)((len + 4) >> 8);
	seal(data, len + 4);
	assert_refused(data, len + 4, "its tables");
	free(data);
}

static void test_no_memory_to_encode(void **state)
{
	struct knp_state s = some_state();
	void *bytes = NULL;
	int err = -ENOMEM;
	size_t n = 1;
	long i;

	(void)state;
	for (i = 0; err; i++) {
		assert_int_equal(err, -ENOMEM);
		assert_null(bytes);
		assert_int_equal(n, 1);
		allocs_fail_after(i);
		err = knp_state_encode(&s, &bytes, &n);
		allocs_fail_after(-1);
	}
	assert_true(i > 4);
	free(bytes);
	knp_state_clear(&s);
}

static void test_no_memory_to_decode(void **state)
{
	struct knp_state s = { .saved = 5 };
	int err = -ENOMEM;
	size_t len;
	void *bytes = some_bytes(&len);
	long i;

	(void)state;
	for (i = 0; err; i++) {
		assert_int_equal(err, -ENOMEM);
		assert_int_equal(s.saved, 5);
		allocs_fail_after(i);
		err = knp_state_decode(bytes, len, &s, why);
		allocs_fail_after(-1);
	}
	assert_true(i > 4);
	free(bytes);
	knp_state_clear(&s);
}

static void test_same(void **state)
{
	static const size_t members[] = {
		offsetof(struct knp_info, instance),
		offsetof(struct knp_info, generation),
		offsetof(struct knp_info, families),
		offsetof(struct knp_info, mode),
		offsetof(struct knp_info, dflt),
		offsetof(struct knp_info, unknown_local),
		offsetof(struct knp_info, event_rate),
		offsetof(struct knp_info, encap),
		offsetof(struct knp_info, node_egress),
		offsetof(struct knp_info, lb_probes),
		offsetof(struct knp_info, node_allow.v[1].port),
		offsetof(struct knp_info, node_allow.n),
	};
	struct knp_state s = some_state();
	struct knp_info other;

	(void)state;
	other = s.info;
	other.commit_time++;
	assert_true(knp_state_same(&s.info, &other));
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		other = s.info;
		((uint8_t *)&other)[members[i]] ^= 1;
		assert_false(knp_state_same(&s.info, &other));
	}
	knp_state_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_round_trip_empty),
		cmocka_unit_test(test_round_trip_large),
		cmocka_unit_test(test_every_flipped_bit),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_longer),
		cmocka_unit_test(test_other_versions),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_malformed_headers),
		cmocka_unit_test(test_malformed_tables),
		cmocka_unit_test(test_truncated_list),
		cmocka_unit_test(test_half_a_part),
		cmocka_unit_test(test_no_memory_to_encode),
		cmocka_unit_test(test_no_memory_to_decode),
		cmocka_unit_test(test_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
