// SPDX-License-Identifier: Apache-2.0
/* Names of the classes of peers, made of tables and names of addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "class_names.h"
#include "store.h"

/* struct line - "10.0.0.1" or "10.0.0.0/8", and its class or its pod */
struct line {
	const char *text;
	uint32_t class_id;
	const char *pod;
};

static void add(struct knp_ruleset *rs, const struct line *line)
{
	struct knp_rec_peer peer = { .class_id = line->class_id };
	struct knp_rec_cidr cidr = { .class_id = line->class_id };
	struct knp_address_name name = { 0 };
	struct knp_prefix prefix;
	struct knp_ip ip;

	if (strchr(line->text, '/')) {
		assert_int_equal(knp_prefix_parse(line->text, &prefix), 0);
		memcpy(cidr.addr, prefix.ip.b, sizeof(cidr.addr));
		cidr.family = prefix.ip.family;
		cidr.prefixlen = prefix.len;
		assert_non_null(knp_recs_add(&rs->cidrs, &cidr));
		return;
	}

	assert_int_equal(knp_ip_parse(line->text, &ip), 0);
	if (line->class_id) {
		memcpy(peer.addr, ip.b, sizeof(peer.addr));
		peer.family = ip.family;
		assert_non_null(knp_recs_add(&rs->peers, &peer));
	}
	if (line->pod) {
		memcpy(name.addr, ip.b, sizeof(name.addr));
		name.family = ip.family;
		name.text = strdup(line->pod);
		assert_non_null(name.text);
		assert_non_null(knp_recs_add(&rs->addresses, &name));
	}
}

static struct knp_class_names *names_of(const struct line *lines, size_t n)
{
	struct knp_ruleset *rs = knp_ruleset_new();
	struct knp_class_names *names = NULL;
	size_t i;

	assert_non_null(rs);
	for (i = 0; i < n; i++)
		add(rs, &lines[i]);
	knp_ruleset_sort(rs);
	assert_int_equal(knp_class_names_new(rs, rs->addresses.v,
					     rs->addresses.n, &names), 0);
	/* They must not point into it. */
	knp_ruleset_free(rs);
	return names;
}

#define NAMES(lines)	names_of(lines, sizeof(lines) / sizeof((lines)[0]))

static void pods_come_in_the_order_of_namespace_and_name(void **state)
{
	static const struct line lines[] = {
		{ "10.0.0.1", 1, "b/a" },
		{ "10.0.0.2", 1, "a-b/x" },
		{ "10.0.0.3", 1, "a/z" },
		{ "10.0.0.4", 2, "a/a.b" },
		{ "10.0.0.5", 2, "a/a" },
		{ "10.0.0.6", 2, "a/a-b" },
	};
	struct knp_class_names *names = NAMES(lines);

	(void)state;
	assert_string_equal(knp_class_name(names, 1), "a/z, a-b/x, b/a");
	assert_string_equal(knp_class_name(names, 2), "a/a, a/a-b, a/a.b");
	knp_class_names_free(names);
}

static void three_members_are_named_and_the_rest_counted(void **state)
{
	static const struct line lines[] = {
		{ "10.0.0.1", 7, "x/a" },
		{ "10.0.0.2", 7, "x/b" },
		{ "10.0.0.3", 7, "x/c" },
		{ "10.0.0.4", 7, "x/d" },
		{ "10.0.0.5", 7, "x/e" },
		{ "10.0.0.6", 65535, "x/f" },
		{ "192.0.2.0/24", 7, NULL },
	};
	struct knp_class_names *names = NAMES(lines);

	(void)state;
	assert_string_equal(knp_class_name(names, 7), "x/a, x/b, x/c +3");
	assert_string_equal(knp_class_name(names, 65535), "x/f");
	assert_null(knp_class_name(names, 6));
	assert_null(knp_class_name(names, 0));
	assert_null(knp_class_name(NULL, 7));
	knp_class_names_free(names);
}

static void a_pod_of_two_addresses_is_one_member(void **state)
{
	static const struct line lines[] = {
		{ "10.0.0.1", 1, "x/a" },
		{ "10.0.0.2", 1, "x/b" },
		{ "10.0.0.3", 2, "x/b" },
		{ "fd00::1", 1, "x/a" },
		{ "fd00::2", 1, "x/b" },
		{ "fd00::3", 1, "x/c" },
	};
	struct knp_class_names *names = NAMES(lines);

	(void)state;
	assert_string_equal(knp_class_name(names, 1), "x/a, x/b, x/c");
	assert_string_equal(knp_class_name(names, 2), "x/b");
	knp_class_names_free(names);
}

static void prefixes_come_last(void **state)
{
	static const struct line lines[] = {
		{ "10.0.0.0/8", 1, NULL },
		{ "0.0.0.0/0", 1, NULL },
		{ "fd00::/64", 1, NULL },
		{ "192.0.2.1", 1, "x/a" },
		{ "fd01::/64", 2, NULL },
		{ "10.9.0.0/16", 2, NULL },
		{ "10.8.0.0/16", 0, NULL },
	};
	struct knp_class_names *names = NAMES(lines);

	(void)state;
	assert_string_equal(knp_class_name(names, 1),
			    "x/a, 0.0.0.0/0, 10.0.0.0/8 +1");
	assert_string_equal(knp_class_name(names, 2), "10.9.0.0/16, fd01::/64");
	/* What is cut out of a prefix is in no class. */
	assert_null(knp_class_name(names, 0));
	knp_class_names_free(names);
}

static void pods_without_a_record_are_in_the_class_of_their_prefix(void **state)
{
	static const struct line lines[] = {
		{ "10.0.0.0/8", 1, NULL },
		{ "10.1.0.0/16", 0, NULL },
		{ "10.1.1.0/24", 2, NULL },
		{ "10.0.0.1", 0, "x/a" },
		{ "10.1.0.1", 0, "x/in-a-hole" },
		{ "10.1.1.1", 0, "x/b" },
		{ "10.1.1.2", 3, "x/c" },
		{ "10.1.2.1", 0, "x/in-a-hole-too" },
		{ "10.2.0.1", 0, "x/d" },
		{ "11.0.0.1", 0, "x/outside" },
		{ "9.0.0.1", 0, "x/before" },
		{ "a00::1", 0, "x/other-family" },
	};
	struct knp_class_names *names = NAMES(lines);

	(void)state;
	assert_string_equal(knp_class_name(names, 1), "x/a, x/d, 10.0.0.0/8");
	assert_string_equal(knp_class_name(names, 2), "x/b, 10.1.1.0/24");
	assert_string_equal(knp_class_name(names, 3), "x/c");
	knp_class_names_free(names);
}

/* Somebody else's tables, or names that were lost. */
static void peers_without_a_name_are_shown_by_address(void **state)
{
	static const struct line lines[] = {
		{ "10.0.0.1", 1, NULL },
		{ "10.0.0.2", 1, "x/a" },
		{ "10.0.0.3", 1, NULL },
		{ "fd00::1", 2, NULL },
		{ "10.0.0.0/24", 2, NULL },
	};
	struct knp_class_names *names = NAMES(lines);

	(void)state;
	assert_string_equal(knp_class_name(names, 1),
			    "x/a, 10.0.0.1, 10.0.0.3");
	assert_string_equal(knp_class_name(names, 2), "fd00::1, 10.0.0.0/24");
	knp_class_names_free(names);
}

static void empty_tables_have_no_names(void **state)
{
	struct knp_class_names *names = names_of(NULL, 0);

	(void)state;
	assert_null(knp_class_name(names, 1));
	knp_class_names_free(names);
	knp_class_names_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pods_come_in_the_order_of_namespace_and_name),
		cmocka_unit_test(three_members_are_named_and_the_rest_counted),
		cmocka_unit_test(a_pod_of_two_addresses_is_one_member),
		cmocka_unit_test(prefixes_come_last),
		cmocka_unit_test(pods_without_a_record_are_in_the_class_of_their_prefix),
		cmocka_unit_test(peers_without_a_name_are_shown_by_address),
		cmocka_unit_test(empty_tables_have_no_names),
	};

	return cmocka_run_group_tests_name("class names", tests, NULL, NULL);
}
