// SPDX-License-Identifier: Apache-2.0
/* Which drops a filter wants: each condition alone, and all together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>

#include "event_filter.h"

/* 80/TCP from shop/web to shop/api, which denies it. */
static const struct knp_event drop = {
	.reason = KNP_REASON_INGRESS,
	.mode = KNP_MODE_ENFORCE,
	.tuple = {
		.family = AF_INET, .proto = IPPROTO_TCP, .has_port = true,
		.port = 80,
	},
	.egress = { .judged = true, .verdict = KNP_PASS },
	.ingress = { .judged = true, .verdict = KNP_DROP },
};

static const struct knp_event_names names = {
	.src = "shop/web",
	.dst = "shop/api",
	.egress = "shop/out",
	.ingress = "shop/api, shop/default-deny",
};

static const struct knp_event_names nobody;

static bool wants(struct knp_event_filter f)
{
	return knp_event_filter_match(&f, &drop, &names);
}

static void no_condition_wants_all(void **state)
{
	const struct knp_event frame = { .reason = KNP_REASON_L2PROTO };
	const struct knp_event_filter all = { 0 };

	(void)state;
	assert_true(knp_event_filter_match(&all, &drop, &names));
	assert_true(knp_event_filter_match(&all, &frame, &nobody));
}

static void a_namespace_is_that_of_either_end(void **state)
{
	const struct knp_event_filter f = { .ns = "shop" };
	const struct knp_event_names from = { .src = "shop/web" };
	const struct knp_event_names to = { .dst = "shop/web" };

	(void)state;
	assert_true(knp_event_filter_match(&f, &drop, &from));
	assert_true(knp_event_filter_match(&f, &drop, &to));
	assert_false(knp_event_filter_match(&f, &drop, &nobody));
	assert_false(wants((struct knp_event_filter){ .ns = "sho" }));
	assert_false(wants((struct knp_event_filter){ .ns = "shop/web" }));
	assert_false(wants((struct knp_event_filter){ .ns = "shopping" }));
}

static void a_pod_is_either_end_by_its_whole_name(void **state)
{
	(void)state;
	assert_true(wants((struct knp_event_filter){ .pod = "shop/web" }));
	assert_true(wants((struct knp_event_filter){ .pod = "shop/api" }));
	assert_false(wants((struct knp_event_filter){ .pod = "shop/we" }));
	assert_false(wants((struct knp_event_filter){ .pod = "shop/web2" }));
}

static void a_policy_is_one_of_the_side_that_denies(void **state)
{
	struct knp_event both = drop;

	(void)state;
	assert_true(wants((struct knp_event_filter){ .policy = "shop/api" }));
	assert_true(wants((struct knp_event_filter){ .policy = "shop/default-deny" }));
	assert_false(wants((struct knp_event_filter){ .policy = "shop/default" }));
	assert_false(wants((struct knp_event_filter){ .policy = "shop/out" }));

	both.egress.verdict = KNP_DROP;
	assert_true(knp_event_filter_match(&(struct knp_event_filter){ .policy = "shop/out" },
					   &both, &names));
}

static void a_direction_is_that_of_a_side_that_denies(void **state)
{
	struct knp_event unjudged = drop;

	(void)state;
	assert_true(wants((struct knp_event_filter){ .direction = KNP_INGRESS }));
	assert_false(wants((struct knp_event_filter){ .direction = KNP_EGRESS }));
	unjudged.ingress.judged = false;
	assert_false(knp_event_filter_match(&(struct knp_event_filter){ .direction = KNP_INGRESS },
					    &unjudged, &names));
}

static void a_reason_is_one_of_those_given(void **state)
{
	(void)state;
	assert_true(wants((struct knp_event_filter){
		.reasons = 1U << KNP_REASON_SPOOF | 1U << KNP_REASON_INGRESS }));
	assert_false(wants((struct knp_event_filter){
		.reasons = 1U << KNP_REASON_SPOOF }));
}

static void a_mode_is_one_of_those_given(void **state)
{
	(void)state;
	assert_true(wants((struct knp_event_filter){
		.modes = 1U << KNP_MODE_ENFORCE }));
	assert_false(wants((struct knp_event_filter){
		.modes = 1U << KNP_MODE_AUDIT }));
}

static void a_port_is_of_any_protocol_or_of_one(void **state)
{
	const struct knp_event icmp = {
		.tuple = { .family = AF_INET, .proto = IPPROTO_ICMP },
	};
	const struct knp_event_filter zero = { .has_port = true };

	(void)state;
	assert_true(wants((struct knp_event_filter){ .has_port = true, .port = 80 }));
	assert_false(wants((struct knp_event_filter){ .has_port = true, .port = 81 }));
	assert_true(wants((struct knp_event_filter){ .proto = IPPROTO_TCP }));
	assert_false(wants((struct knp_event_filter){
		.proto = IPPROTO_UDP, .has_port = true, .port = 80 }));
	assert_false(knp_event_filter_match(&zero, &icmp, &names));
}

static void a_frame_without_addresses_has_no_protocol(void **state)
{
	const struct knp_event frame = {
		.reason = KNP_REASON_L2PROTO,
		.tuple = { .proto = IPPROTO_TCP, .has_port = true, .port = 80 },
	};
	const struct knp_event_filter f = { .proto = IPPROTO_TCP };

	(void)state;
	assert_false(knp_event_filter_match(&f, &frame, &nobody));
}

static void all_conditions_must_hold(void **state)
{
	struct knp_event_filter f = {
		.ns = "shop", .pod = "shop/web", .policy = "shop/api",
		.direction = KNP_INGRESS, .reasons = 1U << KNP_REASON_INGRESS,
		.modes = 1U << KNP_MODE_ENFORCE, .proto = IPPROTO_TCP,
		.has_port = true, .port = 80,
	};

	(void)state;
	assert_true(wants(f));
	f.ns = "ops";
	assert_false(wants(f));
	f.ns = "shop";
	f.policy = "ops/api";
	assert_false(wants(f));
}

static void lists_are_of_whole_names(void **state)
{
	(void)state;
	assert_true(knp_list_has("a/b", "a/b"));
	assert_true(knp_list_has("a/b, c/d, e/f", "e/f"));
	assert_false(knp_list_has("a/b, c/d", "a/b, c/d"));
	assert_false(knp_list_has("a/bc", "a/b"));
	assert_false(knp_list_has("", "a/b"));
	assert_false(knp_list_has(NULL, "a/b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_condition_wants_all),
		cmocka_unit_test(a_namespace_is_that_of_either_end),
		cmocka_unit_test(a_pod_is_either_end_by_its_whole_name),
		cmocka_unit_test(a_policy_is_one_of_the_side_that_denies),
		cmocka_unit_test(a_direction_is_that_of_a_side_that_denies),
		cmocka_unit_test(a_reason_is_one_of_those_given),
		cmocka_unit_test(a_mode_is_one_of_those_given),
		cmocka_unit_test(a_port_is_of_any_protocol_or_of_one),
		cmocka_unit_test(a_frame_without_addresses_has_no_protocol),
		cmocka_unit_test(all_conditions_must_hold),
		cmocka_unit_test(lists_are_of_whole_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
