// SPDX-License-Identifier: Apache-2.0
/* Verdicts: both sides, their reasons, and what they report. */
#include "tables.h"

#include <string.h>

#include <linux/slab.h>

#include "match.h"

/*
 * 10.0.0.1 and fd00::1 (class 1) may open TCP 80..89 to class 2 and nothing
 * else. 10.0.0.2 and fd00::2 (class 2) accept TCP 85 from class 1, and anything
 * from classes without an entry. 10.0.0.3 is an endpoint without isolation,
 * 10.0.0.4 is a peer of class 3, whose entry in the ingress row is empty.
 */
static int setup(void **state)
{
	struct knp_tables *t = knp_tables_new();
	struct knp_rec_port out = { .rule = 1, .proto = 6, .lo = 80, .hi = 89 };
	struct knp_rec_port in = { .rule = 2, .proto = 6, .lo = 85, .hi = 85 };
	struct knp_rec_port any = { .rule = 3, .hi = 65535 };
	__u32 id;

	assert_non_null(t);
	for (id = 1; id <= 3; id++) {
		put_rule(t, id);
		put_class(t, id);
	}
	put_ports(t, 1, &out, 1);
	put_ports(t, 2, &in, 1);
	put_ports(t, 3, &any, 1);
	put_ports(t, 4, NULL, 0);
	put_set(t, 1, KNP_EGRESS, 0);
	put_set(t, 2, KNP_INGRESS, 3);
	put_row(t, 1, 2, 1);
	put_row(t, 2, 1, 2);
	put_row(t, 2, 3, 4);
	put_peer(t, "10.0.0.1", 1);
	put_peer(t, "10.0.0.2", 2);
	put_peer(t, "fd00::1", 1);
	put_peer(t, "fd00::2", 2);
	put_cidr(t, "10.0.0.4", 32, 3);
	put_endpoint(t, "10.0.0.1", 1, 0);
	put_endpoint(t, "10.0.0.2", 0, 2);
	put_endpoint(t, "10.0.0.3", 0, 0);
	put_endpoint(t, "fd00::1", 1, 0);
	put_endpoint(t, "fd00::2", 0, 2);
	assert_int_equal(knp_tables_freeze(t), 0);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	knp_tables_free(*state);
	return knp_shim_live != 0;
}

static struct knp_verdict match(const struct knp_tables *t, const char *src,
				const char *dst, __u8 proto, int port)
{
	struct knp_flow f = {
		.src = address(src),
		.dst = address(dst),
		.dport = port > 0 ? port : 0,
		.family = strchr(src, ':') ? KNP_V6 : KNP_V4,
		.proto = proto,
		.has_port = port >= 0,
	};
	struct knp_verdict v;

	/* It must fill all of it. */
	memset(&v, 0xff, sizeof(v));
	knp_match(t, &f, &v);
	return v;
}

static void assert_side(const struct knp_side *side, __u32 set,
			__u32 class_id, __u32 portset, __u32 rule)
{
	assert_int_equal(side->set, set);
	assert_int_equal(side->class_id, class_id);
	assert_int_equal(side->portset, portset);
	assert_int_equal(side->rule, rule);
}

static void both_sides_must_allow(void **state)
{
	static const char * const pair[2][2] = {
		{ "10.0.0.1", "10.0.0.2" }, { "fd00::1", "fd00::2" },
	};
	struct knp_verdict v;
	int i;

	for (i = 0; i < 2; i++) {
		v = match(*state, pair[i][0], pair[i][1], 6, 85);
		assert_true(v.pass);
		assert_int_equal(v.reason, KNP_REASON_ALLOWED);
		assert_side(&v.egress, 1, 2, 1, 1);
		assert_side(&v.ingress, 2, 1, 2, 2);

		v = match(*state, pair[i][0], pair[i][1], 6, 84);
		assert_false(v.pass);
		assert_int_equal(v.reason, KNP_REASON_INGRESS);
		assert_side(&v.egress, 1, 2, 1, 1);
		assert_side(&v.ingress, 2, 1, 2, 0);
	}
}

static void the_other_side_is_judged_when_egress_denies(void **state)
{
	struct knp_verdict v = match(*state, "10.0.0.1", "10.0.0.2", 6, 90);

	assert_false(v.pass);
	assert_int_equal(v.reason, KNP_REASON_EGRESS);
	assert_side(&v.egress, 1, 2, 1, 0);
	assert_side(&v.ingress, 2, 1, 2, 0);
}

static void an_isolated_side_alone_decides(void **state)
{
	struct knp_verdict v;

	v = match(*state, "10.0.0.1", "10.0.0.3", 6, 80);
	assert_false(v.pass);
	assert_int_equal(v.reason, KNP_REASON_EGRESS);
	assert_side(&v.egress, 1, 0, 0, 0);
	assert_side(&v.ingress, 0, 0, 0, 0);

	v = match(*state, "192.0.2.1", "10.0.0.2", 17, 53);
	assert_true(v.pass);
	assert_int_equal(v.reason, KNP_REASON_ALLOWED);
	assert_side(&v.egress, 0, 0, 0, 0);
	assert_side(&v.ingress, 2, 0, 3, 3);
}

static void a_row_entry_may_deny_what_the_default_allows(void **state)
{
	struct knp_verdict v = match(*state, "10.0.0.4", "10.0.0.2", 6, 85);

	assert_false(v.pass);
	assert_int_equal(v.reason, KNP_REASON_INGRESS);
	assert_side(&v.ingress, 2, 3, 4, 0);
}

static void directions_are_apart(void **state)
{
	struct knp_verdict v;

	/* Back: 10.0.0.2 is not isolated for egress, nor .1 for ingress. */
	v = match(*state, "10.0.0.2", "10.0.0.1", 6, 1);
	assert_true(v.pass);
	assert_int_equal(v.reason, KNP_REASON_NOT_ISOLATED);
	assert_side(&v.egress, 0, 0, 0, 0);
	assert_side(&v.ingress, 0, 0, 0, 0);
}

static void who_is_not_isolated_passes(void **state)
{
	struct knp_verdict v;

	v = match(*state, "10.0.0.3", "192.0.2.1", 1, -1);
	assert_true(v.pass);
	assert_int_equal(v.reason, KNP_REASON_NOT_ISOLATED);
	v = match(*state, "192.0.2.1", "192.0.2.2", 6, 80);
	assert_true(v.pass);
	assert_int_equal(v.reason, KNP_REASON_NOT_ISOLATED);
}

static void an_address_always_reaches_itself(void **state)
{
	struct knp_verdict v;

	v = match(*state, "10.0.0.1", "10.0.0.1", 6, 1);
	assert_true(v.pass);
	assert_int_equal(v.reason, KNP_REASON_SELF);
	assert_side(&v.egress, 0, 0, 0, 0);
	assert_side(&v.ingress, 0, 0, 0, 0);
	v = match(*state, "fd00::1", "fd00::1", 6, 1);
	assert_int_equal(v.reason, KNP_REASON_SELF);
}

static void a_missing_port_matches_only_all_ports(void **state)
{
	struct knp_verdict v;

	v = match(*state, "10.0.0.1", "10.0.0.2", 6, -1);
	assert_int_equal(v.reason, KNP_REASON_EGRESS);
	v = match(*state, "192.0.2.1", "10.0.0.2", 6, -1);
	assert_int_equal(v.reason, KNP_REASON_ALLOWED);
	v = match(*state, "192.0.2.1", "10.0.0.2", 1, -1);
	assert_int_equal(v.reason, KNP_REASON_ALLOWED);
}

static void families_are_apart(void **state)
{
	struct knp_verdict v;

	/* An IPv6 address with the bytes of 10.0.0.1 is nobody. */
	v = match(*state, "a00:1::", "fd00::3", 6, 1);
	assert_int_equal(v.reason, KNP_REASON_NOT_ISOLATED);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(both_sides_must_allow),
		T(the_other_side_is_judged_when_egress_denies),
		T(an_isolated_side_alone_decides),
		T(a_row_entry_may_deny_what_the_default_allows),
		T(directions_are_apart),
		T(who_is_not_isolated_passes),
		T(an_address_always_reaches_itself),
		T(a_missing_port_matches_only_all_ports),
		T(families_are_apart),
	};

	return cmocka_run_group_tests_name("match", tests, NULL, NULL);
}
