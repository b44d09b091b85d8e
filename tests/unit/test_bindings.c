// SPDX-License-Identifier: Apache-2.0
/* Bindings: which pod has which address, from what CNI said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "bindings.h"
#include "parts.h"
#include "pod.h"
#include "strings.h"

#define UID_A	"3b0a6f0e-7f52-4a0c-9d0a-7c9e4f6a1b2c"
#define UID_B	"4b0a6f0e-7f52-4a0c-9d0a-7c9e4f6a1b2c"

static char touched[512];

static void on_touched(void *arg, const char *ns, const char *name)
{
	size_t len = strlen(touched);

	(void)arg;
	snprintf(touched + len, sizeof(touched) - len, "%s/%s ", ns, name);
}

static int setup(void **state)
{
	touched[0] = '\0';
	*state = knp_bindings_new(on_touched, NULL);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	allocs_fail_after(-1);
	knp_bindings_free(*state);
	return 0;
}

static void add(struct knp_bindings *b, const char *container,
		const char *name, const char *uid, const char *ips)
{
	assert_int_equal(knp_bindings_add(b, binding(container, name, uid, 7,
						     ips)), 0);
}

static bool del(struct knp_bindings *b, const char *container)
{
	struct knp_attachment at = { (char *)container, (char *)"eth0" };

	return knp_bindings_del(b, &at);
}

static struct knp_pod *pod(const char *name, const char *uid, const char *ips)
{
	struct knp_ip v[16];
	struct knp_pod_view view = {
		.ns = knp_text_of("x"), .name = knp_text_of(name),
		.uid = knp_text_of(uid), .node = knp_text_of("n"),
		.ips = v, .nips = parse_ips(ips, v),
	};
	struct knp_pod *p = knp_pod_new(&view);

	assert_non_null(p);
	return p;
}

/* What a pod has after it was bound: those of the source, "|", the bound ones. */
static const char *bound(const struct knp_bindings *b, struct knp_pod **p)
{
	static char text[512];
	struct knp_pod *other;
	size_t len = 0;
	char ip[46];

	assert_int_equal(knp_bindings_bind(b, *p, &other), 0);
	if (other) {
		assert_false(knp_pod_equal(*p, other));
		knp_pod_free(*p);
		*p = other;
	}
	text[0] = '\0';
	for (uint32_t i = 0; i <= (*p)->nips; i++) {
		if (i + (*p)->nbound == (*p)->nips)
			len += snprintf(text + len, sizeof(text) - len, "|");
		if (i < (*p)->nips)
			len += snprintf(text + len, sizeof(text) - len, "%s ",
					knp_ip_format(&(*p)->ips[i], ip));
	}
	return text;
}

static void a_pod_without_addresses_gets_those_that_were_bound(void **state)
{
	struct knp_bindings *b = *state;
	struct knp_pod *p = pod("a", UID_A, "");

	assert_string_equal(bound(b, &p), "|");
	add(b, "c1", "a", UID_A, "10.0.0.1 fd00::1");
	assert_string_equal(touched, "x/a ");
	assert_string_equal(bound(b, &p), "|10.0.0.1 fd00::1 ");
	assert_string_equal(p->name, "a");
	assert_string_equal(p->ns, "x");
	knp_pod_free(p);
}

static void nothing_to_change_makes_no_copy(void **state)
{
	struct knp_bindings *b = *state;
	struct knp_pod *p = pod("a", UID_A, ""), *other;

	add(b, "c1", "a", UID_A, "10.0.0.1");
	bound(b, &p);
	other = p;
	assert_int_equal(knp_bindings_bind(b, p, &other), 0);
	assert_null(other);
	knp_pod_free(p);
}

static void addresses_of_the_source_stay_beside_them(void **state)
{
	struct knp_bindings *b = *state;
	struct knp_pod *p = pod("a", UID_A, "10.0.0.9 10.0.0.1");

	add(b, "c1", "a", UID_A, "10.0.0.1");
	assert_string_equal(bound(b, &p), "10.0.0.9 |10.0.0.1 ");
	assert_true(del(b, "c1"));
	assert_string_equal(bound(b, &p), "10.0.0.9 |");
	knp_pod_free(p);
}

static void a_deletion_takes_the_addresses_away(void **state)
{
	struct knp_bindings *b = *state;
	struct knp_pod *p = pod("a", UID_A, "");

	add(b, "c1", "a", UID_A, "10.0.0.1");
	bound(b, &p);
	assert_true(del(b, "c1"));
	assert_string_equal(touched, "x/a x/a ");
	assert_string_equal(bound(b, &p), "|");
	assert_false(del(b, "c1"));
	knp_pod_free(p);
}

static void the_next_pod_of_a_name_is_another_one(void **state)
{
	struct knp_bindings *b = *state;
	struct knp_pod *next = pod("a", UID_B, "");

	add(b, "c1", "a", UID_A, "10.0.0.1");
	assert_string_equal(bound(b, &next), "|");
	add(b, "c2", "a", UID_B, "10.0.0.2");
	assert_string_equal(bound(b, &next), "|10.0.0.2 ");
	knp_pod_free(next);
}

static void a_uid_of_the_kubelets_own_is_matched_by_name(void **state)
{
	struct knp_bindings *b = *state;
	struct knp_pod *mirror = pod("a", UID_A, "");
	struct knp_pod *nameless = pod("c", "", "");

	add(b, "c1", "a", "3b0a6f0e7f524a0c9d0a7c9e4f6a1b2d", "10.0.0.1");
	assert_string_equal(bound(b, &mirror), "|10.0.0.1 ");
	add(b, "c2", "c", UID_B, "10.0.0.3");
	assert_string_equal(bound(b, &nameless), "|10.0.0.3 ");
	knp_pod_free(mirror);
	knp_pod_free(nameless);
}

static void the_next_pod_has_the_address_of_the_one_before(void **state)
{
	struct knp_bindings *b = *state;
	struct knp_pod *before = pod("a", UID_A, "");
	struct knp_pod *next = pod("b", UID_B, "");

	add(b, "c1", "a", UID_A, "10.0.0.1 fd00::1");
	bound(b, &before);
	touched[0] = '\0';
	add(b, "c2", "b", UID_B, "10.0.0.1");
	assert_string_equal(touched, "x/a x/b ");
	assert_string_equal(bound(b, &before), "|fd00::1 ");
	assert_string_equal(bound(b, &next), "|10.0.0.1 ");
	/* A late deletion of the one before does not touch the next. */
	assert_true(del(b, "c1"));
	assert_string_equal(bound(b, &next), "|10.0.0.1 ");
	knp_pod_free(before);
	knp_pod_free(next);
}

static void a_sandbox_made_anew_has_its_addresses_at_once(void **state)
{
	struct knp_bindings *b = *state;
	struct knp_pod *p = pod("a", UID_A, "10.0.0.1");

	add(b, "c1", "a", UID_A, "10.0.0.1");
	add(b, "c2", "a", UID_A, "10.0.0.2");
	assert_string_equal(bound(b, &p), "|10.0.0.2 10.0.0.1 ");
	assert_true(del(b, "c1"));
	assert_string_equal(bound(b, &p), "|10.0.0.2 ");
	knp_pod_free(p);
}

static void an_addition_that_is_repeated_replaces_the_first(void **state)
{
	struct knp_bindings *b = *state;
	struct knp_pod *p = pod("a", UID_A, "");

	add(b, "c1", "a", UID_A, "10.0.0.1");
	add(b, "c1", "a", UID_A, "10.0.0.2");
	assert_int_equal(knp_bindings_count(b), 1);
	assert_string_equal(bound(b, &p), "|10.0.0.2 ");
	knp_pod_free(p);
}

static void pods_of_the_host_or_over_have_none(void **state)
{
	struct knp_bindings *b = *state;
	struct knp_pod *p = pod("a", UID_A, "");

	add(b, "c1", "a", UID_A, "10.0.0.1");
	bound(b, &p);
	p->terminal = true;
	assert_string_equal(bound(b, &p), "|");
	p->terminal = false;
	p->host_network = true;
	assert_string_equal(bound(b, &p), "|");
	knp_pod_free(p);
}

static void more_addresses_than_a_pod_has_are_left_out(void **state)
{
	struct knp_bindings *b = *state;
	struct knp_pod *p = pod("a", UID_A, "");

	add(b, "c1", "a", UID_A, "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5");
	add(b, "c2", "a", UID_A, "10.0.1.1 10.0.1.2 10.0.1.3 10.0.1.4 10.0.1.5");
	bound(b, &p);
	assert_int_equal(p->nbound, KNP_BINDING_IPS);
	assert_int_equal(p->ips[0].b[2], 1);
	knp_pod_free(p);
}

static void what_is_not_listed_is_collected_in_its_network_alone(void **state)
{
	struct knp_attachment valid = { (char *)"c1", (char *)"eth0" };
	struct knp_bindings *b = *state;
	struct knp_binding *other = binding("c3", "c", UID_A, 7, "10.0.0.3");

	add(b, "c1", "a", UID_A, "10.0.0.1");
	add(b, "c2", "b", UID_A, "10.0.0.2");
	free(other->network);
	other->network = strdup("another");
	assert_int_equal(knp_bindings_add(b, other), 0);
	touched[0] = '\0';
	assert_int_equal(knp_bindings_keep(b, "net", &valid, 1), 1);
	assert_string_equal(touched, "x/b ");
	assert_int_equal(knp_bindings_keep(b, "net", NULL, 0), 1);
	assert_int_equal(knp_bindings_count(b), 1);
	assert_string_equal(knp_bindings_at(b, 0)->name, "c");
}

static void what_lost_its_interface_is_gone(void **state)
{
	const uint32_t links[] = { 1, 3, 9 };
	struct knp_bindings *b = *state;

	assert_int_equal(knp_bindings_add(b, binding("c1", "a", "", 3, "")), 0);
	assert_int_equal(knp_bindings_add(b, binding("c2", "b", "", 4, "")), 0);
	/* One that never had an interface here does not lose it. */
	assert_int_equal(knp_bindings_add(b, binding("c3", "c", "", 0, "")), 0);
	assert_int_equal(knp_bindings_keep_links(b, links, 3), 1);
	assert_int_equal(knp_bindings_count(b), 2);
	assert_int_equal(knp_bindings_keep_links(b, NULL, 0), 1);
	assert_string_equal(knp_bindings_at(b, 0)->name, "c");
}

static void they_are_read_back_as_they_were_written(void **state)
{
	struct knp_bindings *b = *state, *again;
	struct json_object *a, *c;

	add(b, "c1", "a", UID_A, "10.0.0.1 fd00::1");
	add(b, "c2", "b", "", "");
	a = knp_bindings_json(b);
	again = knp_bindings_new(on_touched, NULL);
	assert_int_equal(knp_bindings_parse(again, a), 0);
	c = knp_bindings_json(again);
	assert_string_equal(json_object_to_json_string(a),
			    json_object_to_json_string(c));
	json_object_put(a);
	json_object_put(c);
	knp_bindings_free(again);
}

static void what_is_no_binding_is_refused(void **state)
{
	static const char good[] =
		"{'containerID':'c','ifname':'e','network':'','namespace':'x',"
		"'name':'a','uid':'','ifindex':1,'ips':['10.0.0.1']}";
	static const char *const wrong[][2] = {
		{ "'containerID':'c'", "'containerID':''" },
		{ "'containerID':'c',", "" },
		{ "'ifname':'e'", "'ifname':1" },
		{ "'namespace':'x'", "'namespace':''" },
		{ "'name':'a'", "'name':'a\\u0000'" },
		{ "'uid':''", "'uid':null" },
		{ "'ifindex':1", "'ifindex':-1" },
		{ "'ifindex':1", "'ifindex':2147483648" },
		{ "'ifindex':1", "'ifindex':'1'" },
		{ "['10.0.0.1']", "['10.0.0']" },
		{ "['10.0.0.1']", "['10.0.0.1/24']" },
		{ "['10.0.0.1']", "[1]" },
		{ "['10.0.0.1']", "{}" },
		{ "['10.0.0.1']", "['::1','::2','::3','::4','::5','::6','::7','::8','::9']" },
	};
	struct knp_binding *binding = NULL;
	struct json_object *doc;
	const char *at;
	char text[512];

	(void)state;
	doc = json_tokener_parse(good);
	assert_int_equal(knp_binding_parse(doc, &binding), 0);
	assert_int_equal(binding->ifindex, 1);
	knp_binding_free(binding);
	json_object_put(doc);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		at = strstr(good, wrong[i][0]);
		assert_non_null(at);
		snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - good), good,
			 wrong[i][1], at + strlen(wrong[i][0]));
		doc = json_tokener_parse(text);
		assert_non_null(doc);
		binding = NULL;
		assert_int_equal(knp_binding_parse(doc, &binding), -EINVAL);
		assert_null(binding);
		json_object_put(doc);
	}
}

static void without_memory_nothing_is_changed(void **state)
{
	struct knp_bindings *b = *state;
	struct knp_pod *p = pod("a", UID_A, ""), *other = NULL;
	struct knp_binding *more;

	add(b, "c1", "a", UID_A, "10.0.0.1");
	more = binding("c2", "b", UID_B, 7, "10.0.0.1");
	allocs_fail_after(0);
	assert_int_equal(knp_bindings_add(b, more), -ENOMEM);
	allocs_fail_after(0);
	assert_int_equal(knp_bindings_bind(b, p, &other), -ENOMEM);
	allocs_fail_after(-1);
	assert_null(other);
	assert_int_equal(knp_bindings_count(b), 1);
	assert_string_equal(bound(b, &p), "|10.0.0.1 ");
	knp_pod_free(p);
}

#define T(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_pod_without_addresses_gets_those_that_were_bound),
		T(nothing_to_change_makes_no_copy),
		T(addresses_of_the_source_stay_beside_them),
		T(a_deletion_takes_the_addresses_away),
		T(the_next_pod_of_a_name_is_another_one),
		T(a_uid_of_the_kubelets_own_is_matched_by_name),
		T(the_next_pod_has_the_address_of_the_one_before),
		T(a_sandbox_made_anew_has_its_addresses_at_once),
		T(an_addition_that_is_repeated_replaces_the_first),
		T(pods_of_the_host_or_over_have_none),
		T(more_addresses_than_a_pod_has_are_left_out),
		T(what_is_not_listed_is_collected_in_its_network_alone),
		T(what_lost_its_interface_is_gone),
		T(they_are_read_back_as_they_were_written),
		T(what_is_no_binding_is_refused),
		T(without_memory_nothing_is_changed),
	};

	return cmocka_run_group_tests_name("bindings", tests, NULL, NULL);
}
