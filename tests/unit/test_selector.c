// SPDX-License-Identifier: Apache-2.0
/* Label selectors: every operator on absent, equal and other keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "selector.h"

static struct knp_label app_a[] = { { "app", "a" } };
static struct knp_label app_empty[] = { { "app", "" } };
static struct knp_label many[] = {
	{ "a", "1" }, { "b", "2" }, { "c", "3" }, { "d", "4" }, { "e", "5" },
};

static const struct knp_labels none = { 0 };
static const struct knp_labels is_a = { app_a, 1 };
static const struct knp_labels is_empty = { app_empty, 1 };
static const struct knp_labels is_many = { many, 5 };

static bool label(const char *value, const struct knp_labels *labels)
{
	struct knp_label want = { "app", value };
	struct knp_selector s = { .labels = { &want, 1 } };

	return knp_selector_matches(&s, labels);
}

static bool requires(enum knp_operator op, const char *v1, const char *v2,
		     const struct knp_labels *labels)
{
	const char *values[2] = { v1, v2 };
	struct knp_requirement req = {
		.key = "app", .op = op, .values = values,
		.nvalues = v1 ? v2 ? 2 : 1 : 0,
	};
	struct knp_selector s = { .reqs = &req, .nreqs = 1 };

	return knp_selector_matches(&s, labels);
}

static void an_empty_selector_matches_everything(void **state)
{
	struct knp_selector s = { 0 };

	(void)state;
	assert_true(knp_selector_matches(&s, &none));
	assert_true(knp_selector_matches(&s, &is_a));
}

static void match_labels_needs_the_key_and_the_value(void **state)
{
	(void)state;
	assert_true(label("a", &is_a));
	assert_false(label("b", &is_a));
	assert_false(label("a", &none));
	assert_false(label("a", &is_empty));
}

static void match_labels_empty_value_needs_the_key(void **state)
{
	(void)state;
	assert_true(label("", &is_empty));
	assert_false(label("", &none));
	assert_false(label("", &is_a));
}

static void in_needs_the_key(void **state)
{
	(void)state;
	assert_true(requires(KNP_OP_IN, "a", NULL, &is_a));
	assert_true(requires(KNP_OP_IN, "b", "a", &is_a));
	assert_false(requires(KNP_OP_IN, "b", "c", &is_a));
	assert_false(requires(KNP_OP_IN, "a", NULL, &none));
	assert_false(requires(KNP_OP_IN, "", NULL, &none));
	assert_true(requires(KNP_OP_IN, "", NULL, &is_empty));
}

static void not_in_matches_an_absent_key(void **state)
{
	(void)state;
	assert_true(requires(KNP_OP_NOT_IN, "a", NULL, &none));
	assert_true(requires(KNP_OP_NOT_IN, "", NULL, &none));
	assert_true(requires(KNP_OP_NOT_IN, "b", "c", &is_a));
	assert_false(requires(KNP_OP_NOT_IN, "a", NULL, &is_a));
	assert_false(requires(KNP_OP_NOT_IN, "b", "a", &is_a));
}

static void exists_and_does_not_exist_ask_for_the_key_alone(void **state)
{
	(void)state;
	assert_true(requires(KNP_OP_EXISTS, NULL, NULL, &is_a));
	assert_true(requires(KNP_OP_EXISTS, NULL, NULL, &is_empty));
	assert_false(requires(KNP_OP_EXISTS, NULL, NULL, &none));
	assert_true(requires(KNP_OP_DOES_NOT_EXIST, NULL, NULL, &none));
	assert_false(requires(KNP_OP_DOES_NOT_EXIST, NULL, NULL, &is_a));
	assert_false(requires(KNP_OP_DOES_NOT_EXIST, NULL, NULL, &is_empty));
}

static void what_is_nearly_alike_is_another(void **state)
{
	static struct knp_label app_ab[] = { { "app", "ab" } };
	static struct knp_label apps_a[] = { { "apps", "a" } };
	const struct knp_labels is_ab = { app_ab, 1 };
	const struct knp_labels has_apps = { apps_a, 1 };

	(void)state;
	assert_false(label("ab", &is_a));
	assert_false(label("a", &is_ab));
	assert_false(label("A", &is_a));
	assert_false(label("a", &has_apps));
	assert_false(requires(KNP_OP_IN, "ab", "A", &is_a));
	assert_false(requires(KNP_OP_IN, "a", "", &is_ab));
	assert_true(requires(KNP_OP_NOT_IN, "ab", "A", &is_a));
	assert_true(requires(KNP_OP_NOT_IN, "a", "", &is_ab));
	assert_false(requires(KNP_OP_EXISTS, NULL, NULL, &has_apps));
	assert_true(requires(KNP_OP_DOES_NOT_EXIST, NULL, NULL, &has_apps));
}

static void all_requirements_must_hold(void **state)
{
	struct knp_label want[] = { { "a", "1" }, { "c", "3" } };
	struct knp_requirement reqs[] = {
		{ .key = "b", .op = KNP_OP_EXISTS },
		{ .key = "z", .op = KNP_OP_DOES_NOT_EXIST },
	};
	struct knp_selector s = { { want, 2 }, reqs, 2 };

	(void)state;
	assert_true(knp_selector_matches(&s, &is_many));
	reqs[1].op = KNP_OP_EXISTS;
	assert_false(knp_selector_matches(&s, &is_many));
	reqs[1].op = KNP_OP_DOES_NOT_EXIST;
	want[1].value = "4";
	assert_false(knp_selector_matches(&s, &is_many));
}

static void get_tells_absent_from_empty(void **state)
{
	(void)state;
	assert_null(knp_labels_get(&none, "app"));
	assert_string_equal(knp_labels_get(&is_empty, "app"), "");
	for (size_t i = 0; i < is_many.n; i++)
		assert_string_equal(knp_labels_get(&is_many, many[i].key),
				    many[i].value);
	assert_null(knp_labels_get(&is_many, "aa"));
	assert_null(knp_labels_get(&is_many, ""));
	assert_null(knp_labels_get(&is_many, "f"));
}

/* Of a namespace that is not known yet there is its name, and nothing else. */
static void of_an_unseen_namespace_the_name_is_known(void **state)
{
	struct knp_label want = { "kubernetes.io/metadata.name", "x" };
	const struct knp_selector by_name = { .labels = { &want, 1 } };
	const struct knp_selector by_label = { .labels = { app_a, 1 } };
	const struct knp_selector all = { 0 };
	struct knp_requirement req = {
		.key = "app", .op = KNP_OP_DOES_NOT_EXIST,
	};
	const struct knp_selector absent = { .reqs = &req, .nreqs = 1 };

	(void)state;
	assert_true(knp_selector_matches_namespace(&all, "x", NULL));
	assert_true(knp_selector_matches_namespace(&by_name, "x", NULL));
	assert_false(knp_selector_matches_namespace(&by_name, "y", NULL));
	assert_false(knp_selector_matches_namespace(&by_label, "x", NULL));
	assert_false(knp_selector_matches_namespace(&absent, "x", NULL));
	assert_true(knp_selector_matches_namespace(&by_label, "x", &is_a));
	assert_true(knp_selector_matches_namespace(&absent, "x", &none));
	assert_false(knp_selector_matches_namespace(&absent, "x", &is_a));
	req.key = want.key;
	assert_false(knp_selector_matches_namespace(&absent, "x", NULL));
	req.op = KNP_OP_EXISTS;
	assert_true(knp_selector_matches_namespace(&absent, "x", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_selector_matches_everything),
		cmocka_unit_test(match_labels_needs_the_key_and_the_value),
		cmocka_unit_test(match_labels_empty_value_needs_the_key),
		cmocka_unit_test(in_needs_the_key),
		cmocka_unit_test(not_in_matches_an_absent_key),
		cmocka_unit_test(exists_and_does_not_exist_ask_for_the_key_alone),
		cmocka_unit_test(what_is_nearly_alike_is_another),
		cmocka_unit_test(all_requirements_must_hold),
		cmocka_unit_test(of_an_unseen_namespace_the_name_is_known),
		cmocka_unit_test(get_tells_absent_from_empty),
	};

	return cmocka_run_group_tests_name("selector", tests, NULL, NULL);
}
