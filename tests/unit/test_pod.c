// SPDX-License-Identifier: Apache-2.0
/* Pods and what they share: strings, label sets, port lists, uids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <sys/socket.h>

#include "alloc.h"
#include "parts.h"

/* Nothing shared may be left behind: no sanitizer would see it. */
static int setup(void **state)
{
	(void)state;
	assert_int_equal(knp_string_count(), 0);
	assert_int_equal(knp_labels_count(), 0);
	assert_int_equal(knp_cports_count(), 0);
	return 0;
}

static int teardown(void **state)
{
	allocs_fail_after(-1);
	return setup(state);
}

static void equal_text_is_the_equal_pointer(void **state)
{
	static const char buffer[] = "aaab";
	const char *a = knp_string_get(buffer, 1);
	const char *aa = knp_string_get(buffer, 2);
	const char *again = knp_string_get(buffer + 1, 2);
	const char *empty = knp_string_get(NULL, 0);

	(void)state;
	assert_string_equal(a, "a");
	assert_string_equal(aa, "aa");
	assert_ptr_equal(aa, again);
	assert_string_equal(empty, "");
	assert_ptr_equal(knp_string_dup(""), empty);
	assert_ptr_equal(knp_string_hold(a), a);
	assert_int_equal(knp_string_count(), 3);
	knp_string_put(aa);
	knp_string_put(a);
	knp_string_put(empty);
	assert_int_equal(knp_string_count(), 3);
	assert_string_equal(again, "aa");
	knp_string_put(again);
	knp_string_put(a);
	knp_string_put(empty);
	knp_string_put(NULL);
}

static void a_string_needs_memory(void **state)
{
	(void)state;
	for (long n = 0; n < 2; n++) {
		allocs_fail_after(n);
		assert_null(knp_string_dup("a"));
		assert_true(allocs_failed());
		assert_int_equal(knp_string_count(), 0);
	}
}

static const struct knp_labels *labels(const char *k1, const char *v1,
				       const char *k2, const char *v2)
{
	struct knp_label_view v[] = {
		{ knp_text_of(k1), knp_text_of(v1) },
		{ knp_text_of(k2), knp_text_of(v2) },
	};

	return knp_labels_make(v, 2);
}

static void equal_label_sets_are_the_equal_pointer(void **state)
{
	const struct knp_labels *a = labels("a", "1", "b", "2");
	const struct knp_labels *other[] = {
		labels("a", "1", "b", "3"), labels("a", "1", "c", "2"),
		labels("a", "2", "b", "1"), labels("a", "1b", "b", "2"),
		labels("a1", "", "b", "2"), knp_labels_make(NULL, 0),
	};
	size_t n = sizeof(other) / sizeof(*other);

	(void)state;
	assert_int_equal(a->n, 2);
	assert_string_equal(a->v[0].key, "a");
	assert_string_equal(a->v[1].value, "2");
	assert_ptr_equal(labels("b", "2", "a", "1"), a);
	assert_ptr_equal(knp_labels_hold(a), a);
	assert_int_equal(knp_labels_count(), n + 1);
	for (size_t i = 0; i < n; i++) {
		assert_non_null(other[i]);
		assert_ptr_not_equal(other[i], a);
		knp_labels_put(other[i]);
	}
	assert_int_equal(knp_labels_count(), 1);
	knp_labels_put(a);
	knp_labels_put(a);
	knp_labels_put(a);
	knp_labels_put(NULL);
}

static const struct knp_cports *ports(uint16_t a, uint16_t b, uint8_t proto,
				      const char *name)
{
	struct knp_port_view v[] = {
		{ knp_text_of(name), a, proto }, { knp_text_of(""), b, 6 },
	};

	return knp_cports_make(v, 2);
}

static void equal_port_lists_are_the_equal_pointer(void **state)
{
	const struct knp_cports *a = ports(80, 81, 6, "http");
	const struct knp_cports *other[] = {
		ports(81, 80, 6, "http"), ports(80, 81, 17, "http"),
		ports(80, 81, 6, "http2"), ports(80, 82, 6, "http"),
		knp_cports_make(NULL, 0),
	};

	(void)state;
	assert_int_equal(a->n, 2);
	assert_int_equal(a->v[0].port, 80);
	assert_string_equal(a->v[0].name, "http");
	assert_string_equal(a->v[1].name, "");
	assert_ptr_equal(ports(80, 81, 6, "http"), a);
	assert_ptr_equal(knp_cports_hold(a), a);
	for (size_t i = 0; i < sizeof(other) / sizeof(*other); i++) {
		assert_non_null(other[i]);
		assert_ptr_not_equal(other[i], a);
		knp_cports_put(other[i]);
	}
	knp_cports_put(a);
	knp_cports_put(a);
	knp_cports_put(a);
	knp_cports_put(NULL);
}

static void a_pod_has_all_its_parts(void **state)
{
	struct knp_ip ips[2];
	struct parts *p = parts();
	struct knp_pod *pod;

	(void)state;
	assert_int_equal(knp_ip_parse("10.0.0.1", &ips[0]), 0);
	assert_int_equal(knp_ip_parse("fd00::1", &ips[1]), 0);
	p->view.ips = ips;
	p->view.nips = 2;
	p->view.created = 7;
	p->view.host_network = true;
	pod = made(p);
	assert_string_equal(pod->ns, "x");
	assert_string_equal(pod->name, "a");
	assert_string_equal(pod->node, "n1");
	assert_int_equal(pod->labels->n, 1);
	assert_int_equal(pod->ports->n, 1);
	assert_int_equal(pod->nips, 2);
	assert_memory_equal(pod->ips, ips, sizeof(ips));
	assert_int_equal(pod->created, 7);
	assert_true(pod->host_network);
	assert_false(pod->terminal);
	knp_pod_free(pod);
}

static void a_pod_of_nothing_has_empty_parts(void **state)
{
	struct knp_pod_view view = { 0 };
	struct knp_pod *pod = knp_pod_new(&view);

	(void)state;
	assert_string_equal(pod->ns, "");
	assert_string_equal(pod->name, "");
	assert_string_equal(pod->node, "");
	assert_int_equal(pod->labels->n, 0);
	assert_int_equal(pod->ports->n, 0);
	assert_int_equal(pod->nips, 0);
	knp_pod_free(pod);
}

static void what_pods_have_in_common_is_held_once(void **state)
{
	struct knp_pod *a = made(parts()), *b;
	struct parts *p = parts();

	(void)state;
	p->view.name = knp_text_of("b");
	b = made(p);
	assert_ptr_equal(a->ns, b->ns);
	assert_ptr_equal(a->node, b->node);
	assert_ptr_equal(a->labels, b->labels);
	assert_ptr_equal(a->ports, b->ports);
	knp_pod_free(a);
	assert_string_equal(b->labels->v[0].value, "a");
	knp_pod_free(b);
}

static void times_beyond_32_bits_are_the_nearest(void **state)
{
	static const struct {
		int64_t is;
		uint32_t want;
	} rows[] = {
		{ -1, 0 }, { INT64_MIN, 0 }, { UINT32_MAX, UINT32_MAX },
		{ (int64_t)UINT32_MAX + 1, UINT32_MAX },
		{ INT64_MAX, UINT32_MAX },
	};
	struct knp_pod *pod;
	struct parts *p;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		p = parts();
		p->view.created = rows[i].is;
		pod = made(p);
		assert_int_equal(pod->created, rows[i].want);
		knp_pod_free(pod);
	}
}

static void a_pod_without_memory_leaves_nothing(void **state)
{
	struct knp_pod *pod = NULL;
	struct parts *p;
	long n = -1;

	(void)state;
	while (!pod) {
		p = parts();
		allocs_fail_after(++n);
		pod = knp_pod_new(&p->view);
		assert_int_equal(allocs_failed(), !pod);
		if (!pod)
			setup(state);
	}
	/* The pod, its set, its list, five strings and three tables. */
	assert_int_equal(n, 11);
	knp_pod_free(pod);
}

static void a_namespace_without_memory_leaves_nothing(void **state)
{
	struct knp_namespace *ns = NULL;
	long n = -1;

	(void)state;
	while (!ns) {
		struct knp_label_view v[2] = {
			{ knp_text_of("a"), knp_text_of("b") },
		};

		allocs_fail_after(++n);
		ns = knp_namespace_new("x", v, 1);
		assert_int_equal(allocs_failed(), !ns);
		if (!ns)
			setup(state);
	}
	assert_true(n > 5);
	knp_namespace_free(ns);
}

static int by_uid(const char *a, const char *b)
{
	struct knp_text ta = knp_text_of(a), tb = knp_text_of(b);
	uint8_t ua[16], ub[16];
	int cmp;

	knp_uid_parse(&ta, ua);
	knp_uid_parse(&tb, ub);
	cmp = memcmp(ua, ub, sizeof(ua));
	return (cmp > 0) - (cmp < 0);
}

static void uids_are_ordered_as_their_texts(void **state)
{
	static const char *const sorted[][4] = {
		{ "00000000-0000-0000-0000-000000000001",
		  "00000000-0000-0000-0000-00000000000a",
		  "09000000-0000-0000-0000-000000000000",
		  "a0000000-0000-0000-0000-000000000000" },
		{ "00000000000000000000000000000001",
		  "0000000000000000000000000000000a",
		  "09000000000000000000000000000000",
		  "a0000000000000000000000000000000" },
		{ "", "1", "10", "2" },
		{ "2", "aaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa", "b" },
	};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		for (int j = 0; j < 4; j++)
			for (int k = 0; k < 4; k++)
				assert_int_equal(by_uid(sorted[i][j],
							sorted[i][k]),
						 (j > k) - (j < k));
}

static void uids_of_no_known_form_differ(void **state)
{
	static const char *const texts[] = {
		"00000000-0000-0000-0000-00000000000A",
		"00000000-0000-0000-0000-00000000000g",
		"00000000-0000-0000-0000_000000000000",
		"0000000-00000-0000-0000-000000000000",
		"00000000-0000-0000-0000-0000000000000",
		"00000000-0000-0000-0000-00000000000",
		"aaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaab",
		"0000000000000000000000000000000G",
	};
	size_t n = sizeof(texts) / sizeof(*texts);

	(void)state;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			assert_int_equal(!by_uid(texts[i], texts[j]), i == j);
}

static void the_bytes_of_a_uuid_are_its_digits(void **state)
{
	struct knp_text text;
	uint8_t uid[16];

	(void)state;
	text = knp_text_of("01234567-89ab-cdef-0f1e-2d3c4b5a6978");
	knp_uid_parse(&text, uid);
	assert_memory_equal(uid, "\x01\x23\x45\x67\x89\xab\xcd\xef"
				 "\x0f\x1e\x2d\x3c\x4b\x5a\x69\x78", 16);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(equal_text_is_the_equal_pointer),
		TEST(a_string_needs_memory),
		TEST(equal_label_sets_are_the_equal_pointer),
		TEST(equal_port_lists_are_the_equal_pointer),
		TEST(a_pod_has_all_its_parts),
		TEST(a_pod_of_nothing_has_empty_parts),
		TEST(what_pods_have_in_common_is_held_once),
		TEST(times_beyond_32_bits_are_the_nearest),
		TEST(a_pod_without_memory_leaves_nothing),
		TEST(a_namespace_without_memory_leaves_nothing),
		TEST(uids_are_ordered_as_their_texts),
		TEST(uids_of_no_known_form_differ),
		TEST(the_bytes_of_a_uuid_are_its_digits),
	};

	return cmocka_run_group_tests_name("pod", tests, NULL, NULL);
}
