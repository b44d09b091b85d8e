// SPDX-License-Identifier: Apache-2.0
/* The store: order, replacement, versions, addresses and prefixes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "alloc.h"
#include "parts.h"
#include "strings.h"

static struct knp_pod *make_pod(const char *ns, const char *name)
{
	struct parts *p = parts();

	p->view.ns = knp_text_of(ns);
	p->view.name = knp_text_of(name);
	p->label.value = knp_text_of(name);
	return made(p);
}

static struct knp_selector *make_selector(const char *key, const char *value)
{
	struct knp_selector *s = calloc(1, sizeof(*s));

	s->reqs = calloc(1, sizeof(*s->reqs));
	s->nreqs = 1;
	s->reqs[0].key = knp_string_dup(key);
	s->reqs[0].op = KNP_OP_IN;
	s->reqs[0].values = calloc(1, sizeof(char *));
	s->reqs[0].values[0] = knp_string_dup(value);
	s->reqs[0].nvalues = 1;
	return s;
}

static struct knp_policy *make_policy(const char *name)
{
	struct knp_policy *p = calloc(1, sizeof(*p));
	struct knp_ipblock *block = calloc(1, sizeof(*block));
	struct knp_rule *rule = calloc(1, sizeof(*rule));

	assert_non_null(p);
	p->ns = knp_string_dup("x");
	p->name = strdup(name);
	p->uid = strdup("u");
	p->isolates_ingress = true;
	p->ingress = rule;
	p->ningress = 1;
	rule->peers = calloc(2, sizeof(*rule->peers));
	rule->npeers = 2;
	rule->peers[0].block = block;
	assert_int_equal(knp_prefix_parse("10.0.0.0/8", &block->cidr), 0);
	block->except = calloc(1, sizeof(*block->except));
	assert_int_equal(knp_prefix_parse("10.1.0.0/16", block->except), 0);
	block->nexcept = 1;
	rule->peers[1].pod = make_selector("app", "a");
	rule->ports = calloc(1, sizeof(*rule->ports));
	rule->ports[0].proto = 6;
	rule->ports[0].lo = 80;
	rule->ports[0].hi = 90;
	rule->nports = 1;
	return p;
}

static void keeps_pods_sorted_whatever_the_order(void **state)
{
	static const char *const names[][2] = {
		{ "x", "b" }, { "a", "z" }, { "x", "a" }, { "b", "a" },
		{ "x", "aa" }, { "x-1", "a" },
	};
	static const char *const want[][2] = {
		{ "a", "z" }, { "b", "a" }, { "x", "a" }, { "x", "aa" },
		{ "x", "b" }, { "x-1", "a" },
	};
	struct knp_store *s = knp_store_new();

	(void)state;
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(knp_store_put_pod(s, make_pod(names[i][0],
							       names[i][1])),
				 0);
	assert_int_equal(s->npods, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_string_equal(s->pods[i]->ns, want[i][0]);
		assert_string_equal(s->pods[i]->name, want[i][1]);
		assert_ptr_equal(knp_store_pod(s, want[i][0], want[i][1]),
				 s->pods[i]);
	}
	assert_null(knp_store_pod(s, "x", "c"));
	assert_null(knp_store_pod(s, "", ""));
	knp_store_free(s);
}

static void finds_nothing_in_an_empty_store(void **state)
{
	struct knp_store *s = knp_store_new();

	(void)state;
	assert_null(knp_store_pod(s, "x", "a"));
	assert_null(knp_store_namespace(s, "x"));
	assert_null(knp_store_policy(s, "x", "a"));
	knp_store_del_pod(s, "x", "a");
	knp_store_del_namespace(s, "x");
	knp_store_del_policy(s, "x", "a");
	assert_int_equal(s->version, 0);
	knp_store_free(s);
	knp_store_free(NULL);
	knp_pod_free(NULL);
	knp_policy_free(NULL);
	knp_namespace_free(NULL);
}

static void an_equal_object_changes_nothing(void **state)
{
	struct knp_store *s = knp_store_new();
	const struct knp_policy *policy;
	const struct knp_pod *pod;
	uint64_t version;

	(void)state;
	knp_store_put_pod(s, make_pod("x", "a"));
	knp_store_put_policy(s, make_policy("p"));
	pod = knp_store_pod(s, "x", "a");
	policy = knp_store_policy(s, "x", "p");
	version = s->version;
	assert_int_equal(knp_store_put_pod(s, make_pod("x", "a")), 0);
	assert_int_equal(knp_store_put_policy(s, make_policy("p")), 0);
	assert_int_equal(s->version, version);
	assert_ptr_equal(knp_store_pod(s, "x", "a"), pod);
	assert_ptr_equal(knp_store_policy(s, "x", "p"), policy);
	knp_store_free(s);
}

/* From the plain pod, so that it is this difference that counts. */
static void put_and_expect_change(struct knp_store *s, struct knp_pod *pod)
{
	uint64_t version;

	assert_int_equal(knp_store_put_pod(s, made(parts())), 0);
	version = s->version;
	assert_int_equal(knp_store_put_pod(s, pod), 0);
	assert_int_equal(s->version, version + 1);
	assert_int_equal(s->npods, 1);
	assert_ptr_equal(s->pods[0], pod);
}

static void every_difference_of_a_pod_is_a_change(void **state)
{
	struct knp_store *s = knp_store_new();
	struct parts *p;

	(void)state;
	p = parts();
	p->view.uid = knp_text_of("other");
	put_and_expect_change(s, made(p));
	p = parts();
	p->view.node = knp_text_of("m1");
	put_and_expect_change(s, made(p));
	p = parts();
	p->label.value = knp_text_of("b");
	put_and_expect_change(s, made(p));
	p = parts();
	p->label.key = knp_text_of("bpp");
	put_and_expect_change(s, made(p));
	p = parts();
	p->ip.b[3] = 2;
	put_and_expect_change(s, made(p));
	p = parts();
	p->view.nips = 0;
	put_and_expect_change(s, made(p));
	p = parts();
	p->port.port = 81;
	put_and_expect_change(s, made(p));
	p = parts();
	p->port.proto = 17;
	put_and_expect_change(s, made(p));
	p = parts();
	p->port.name = knp_text_of("xttp");
	put_and_expect_change(s, made(p));
	p = parts();
	p->view.terminal = true;
	put_and_expect_change(s, made(p));
	p = parts();
	p->view.host_network = true;
	put_and_expect_change(s, made(p));
	p = parts();
	p->view.created = 1;
	put_and_expect_change(s, made(p));
	knp_store_free(s);
}

static void replace(const char **string, const char *by)
{
	knp_string_put(*string);
	*string = knp_string_dup(by);
}

static void put_policy_and_expect_change(struct knp_store *s,
					 struct knp_policy *policy)
{
	uint64_t version;

	assert_int_equal(knp_store_put_policy(s, make_policy("p")), 0);
	version = s->version;
	assert_int_equal(knp_store_put_policy(s, policy), 0);
	assert_int_equal(s->version, version + 1);
	assert_ptr_equal(s->policies[0], policy);
}

static void every_difference_of_a_policy_is_a_change(void **state)
{
	struct knp_store *s = knp_store_new();
	struct knp_policy *p;

	(void)state;
	p = make_policy("p");
	p->isolates_egress = true;
	put_policy_and_expect_change(s, p);
	p = make_policy("p");
	p->isolates_ingress = false;
	put_policy_and_expect_change(s, p);
	p = make_policy("p");
	p->egress = p->ingress;
	p->negress = 1;
	p->ingress = NULL;
	p->ningress = 0;
	put_policy_and_expect_change(s, p);
	p = make_policy("p");
	p->ingress[0].peers[0].block->cidr.len = 9;
	put_policy_and_expect_change(s, p);
	p = make_policy("p");
	p->ingress[0].peers[0].block->except[0].ip.b[1] = 2;
	put_policy_and_expect_change(s, p);
	p = make_policy("p");
	p->ingress[0].peers[0].block->nexcept = 0;
	put_policy_and_expect_change(s, p);
	p = make_policy("p");
	p->ingress[0].peers[1].ns = p->ingress[0].peers[1].pod;
	p->ingress[0].peers[1].pod = NULL;
	put_policy_and_expect_change(s, p);
	p = make_policy("p");
	p->ingress[0].peers[1].ns = calloc(1, sizeof(struct knp_selector));
	put_policy_and_expect_change(s, p);
	p = make_policy("p");
	p->ingress[0].peers[1].pod->reqs[0].op = KNP_OP_NOT_IN;
	put_policy_and_expect_change(s, p);
	p = make_policy("p");
	replace(&p->ingress[0].peers[1].pod->reqs[0].values[0], "b");
	put_policy_and_expect_change(s, p);
	p = make_policy("p");
	replace(&p->ingress[0].peers[1].pod->reqs[0].key, "bpp");
	put_policy_and_expect_change(s, p);
	p = make_policy("p");
	p->ingress[0].ports[0].hi = 91;
	put_policy_and_expect_change(s, p);
	p = make_policy("p");
	p->ingress[0].ports[0].lo = 81;
	put_policy_and_expect_change(s, p);
	p = make_policy("p");
	p->ingress[0].ports[0].proto = 17;
	put_policy_and_expect_change(s, p);
	p = make_policy("p");
	p->ingress[0].ports[0].name = knp_string_dup("http");
	put_policy_and_expect_change(s, p);
	p = make_policy("p");
	free(p->uid);
	p->uid = strdup("v");
	put_policy_and_expect_change(s, p);
	p = make_policy("p");
	p->ingress[0].closed = true;
	put_policy_and_expect_change(s, p);
	p = make_policy("p");
	p->ingress[0].peers[0].block->except[0].len = 17;
	put_policy_and_expect_change(s, p);
	p = make_policy("p");
	p->ingress[0].nports = 0;
	put_policy_and_expect_change(s, p);
	p = make_policy("p");
	p->egress = calloc(1, sizeof(*p->egress));
	p->negress = 1;
	put_policy_and_expect_change(s, p);
	p = make_policy("p");
	p->subject.labels.v = calloc(1, sizeof(struct knp_label));
	p->subject.labels.v[0].key = knp_string_dup("a");
	p->subject.labels.v[0].value = knp_string_dup("");
	p->subject.labels.n = 1;
	put_policy_and_expect_change(s, p);
	knp_store_free(s);
}

static struct knp_policy *make_policy_for(const char *key, const char *value)
{
	struct knp_policy *p = make_policy("p");
	struct knp_label *label = calloc(1, sizeof(*label));

	assert_non_null(label);
	label->key = knp_string_dup(key);
	label->value = knp_string_dup(value);
	p->subject.labels.v = label;
	p->subject.labels.n = 1;
	return p;
}

static void another_label_to_match_is_a_change(void **state)
{
	struct knp_store *s = knp_store_new();

	(void)state;
	assert_int_equal(knp_store_put_policy(s, make_policy_for("a", "b")), 0);
	assert_int_equal(s->version, 1);
	assert_int_equal(knp_store_put_policy(s, make_policy_for("a", "b")), 0);
	assert_int_equal(s->version, 1);
	assert_int_equal(knp_store_put_policy(s, make_policy_for("a", "c")), 0);
	assert_int_equal(s->version, 2);
	assert_int_equal(knp_store_put_policy(s, make_policy_for("d", "c")), 0);
	assert_int_equal(s->version, 3);
	knp_store_free(s);
}

static struct knp_namespace *make_namespace(const char *value)
{
	struct knp_label_view labels[2] = {
		{ knp_text_of("team"), knp_text_of(value) },
	};
	struct knp_namespace *ns = knp_namespace_new("x", labels, 1);

	assert_non_null(ns);
	return ns;
}

static void every_difference_of_a_namespace_is_a_change(void **state)
{
	struct knp_store *s = knp_store_new();
	struct knp_namespace *ns;
	uint64_t version;

	(void)state;
	assert_int_equal(knp_store_put_namespace(s, make_namespace("a")), 0);
	version = s->version;
	assert_int_equal(knp_store_put_namespace(s, make_namespace("a")), 0);
	assert_int_equal(s->version, version);
	assert_int_equal(knp_store_put_namespace(s, make_namespace("b")), 0);
	assert_int_equal(s->version, version + 1);
	ns = make_namespace("b");
	ns->terminating = true;
	assert_int_equal(knp_store_put_namespace(s, ns), 0);
	assert_int_equal(s->version, version + 2);
	knp_store_free(s);
}

static void a_taken_object_belongs_to_the_caller(void **state)
{
	struct knp_store *s = knp_store_new();
	struct knp_pod *pod;

	(void)state;
	knp_store_put_pod(s, make_pod("x", "a"));
	knp_store_put_pod(s, make_pod("x", "b"));
	pod = knp_store_take_pod(s, "x", "a");
	assert_non_null(pod);
	assert_int_equal(s->npods, 1);
	assert_null(knp_store_pod(s, "x", "a"));
	assert_null(knp_store_take_pod(s, "x", "a"));
	assert_int_equal(knp_store_put_pod(s, pod), 0);
	assert_ptr_equal(knp_store_pod(s, "x", "a"), pod);
	knp_store_free(s);
}

/* struct heard - the last change that an observer was told of */
struct heard {
	const void *was;
	const void *is;
	enum knp_kind kind;
	unsigned int n;
	const struct knp_store *store;
};

static void hear(struct heard *h, enum knp_kind kind, const void *was,
		 const void *is, const char *ns, const char *name)
{
	size_t at;

	*h = (struct heard){ was, is, kind, h->n + 1, h->store };
	/* The change was made before it was told. */
	assert_int_equal(knp_store_find(h->store, kind, ns, name, &at), !!is);
	if (is)
		assert_ptr_equal(knp_store_at(h->store, kind, at), is);
}

static void hear_namespace(void *arg, const struct knp_namespace *was,
			   const struct knp_namespace *is)
{
	hear(arg, KNP_KIND_NAMESPACE, was, is, "", is ? is->name : was->name);
}

static void hear_pod(void *arg, const struct knp_pod *was,
		     const struct knp_pod *is)
{
	const struct knp_pod *pod = is ? is : was;

	hear(arg, KNP_KIND_POD, was, is, pod->ns, pod->name);
}

static void hear_policy(void *arg, const struct knp_policy *was,
			const struct knp_policy *is)
{
	const struct knp_policy *policy = is ? is : was;

	hear(arg, KNP_KIND_POLICY, was, is, policy->ns, policy->name);
}

static const struct knp_store_ops ops = {
	hear_namespace, hear_pod, hear_policy,
};

static void expect_heard(const struct heard *h, unsigned int n,
			 enum knp_kind kind, const void *was, const void *is)
{
	assert_int_equal(h->n, n);
	assert_int_equal(h->kind, kind);
	assert_ptr_equal(h->was, was);
	assert_ptr_equal(h->is, is);
}

static void an_observer_is_told_of_every_change(void **state)
{
	struct heard h = { .store = knp_store_new() };
	struct knp_store *s = (struct knp_store *)h.store;
	struct knp_label_view none[1];
	struct knp_namespace *ns = knp_namespace_new("x", none, 0);
	struct knp_policy *policy = make_policy("p");
	struct knp_pod *pod = make_pod("x", "a"), *other;
	struct parts *p;

	(void)state;
	knp_store_watch(s, &ops, &h);
	assert_int_equal(knp_store_put_namespace(s, ns), 0);
	expect_heard(&h, 1, KNP_KIND_NAMESPACE, NULL, ns);
	assert_int_equal(knp_store_put_pod(s, pod), 0);
	expect_heard(&h, 2, KNP_KIND_POD, NULL, pod);
	assert_int_equal(knp_store_put_policy(s, policy), 0);
	expect_heard(&h, 3, KNP_KIND_POLICY, NULL, policy);

	p = parts();
	p->view.created = 5;
	other = made(p);
	assert_int_equal(knp_store_put_pod(s, other), 0);
	expect_heard(&h, 4, KNP_KIND_POD, pod, other);
	assert_ptr_equal(knp_store_take_pod(s, "x", "a"), other);
	expect_heard(&h, 5, KNP_KIND_POD, other, NULL);
	knp_pod_free(other);
	knp_store_del_policy(s, "x", "p");
	expect_heard(&h, 6, KNP_KIND_POLICY, policy, NULL);
	knp_store_del_namespace(s, "x");
	expect_heard(&h, 7, KNP_KIND_NAMESPACE, ns, NULL);
	assert_int_equal(s->version, 7);

	knp_store_watch(s, NULL, NULL);
	assert_int_equal(knp_store_put_pod(s, make_pod("x", "a")), 0);
	assert_int_equal(h.n, 7);
	knp_store_free(s);
}

static void an_observer_is_not_told_of_what_changes_nothing(void **state)
{
	struct heard h = { .store = knp_store_new() };
	struct knp_store *s = (struct knp_store *)h.store;
	struct knp_pod *pod = made(parts());

	(void)state;
	assert_int_equal(knp_store_put_pod(s, pod), 0);
	knp_store_watch(s, &ops, &h);
	assert_int_equal(knp_store_put_pod(s, made(parts())), 0);
	assert_int_equal(knp_store_put_pod(s, pod), 0);
	knp_store_del_pod(s, "x", "b");
	knp_store_free(s);
	assert_int_equal(h.n, 0);
}

static void a_put_without_memory_changes_nothing(void **state)
{
	struct heard h = { .store = knp_store_new() };
	struct knp_store *s = (struct knp_store *)h.store;
	struct knp_pod *pod = make_pod("x", "a");

	(void)state;
	knp_store_watch(s, &ops, &h);
	allocs_fail_after(0);
	assert_int_equal(knp_store_put_pod(s, pod), -ENOMEM);
	assert_true(allocs_failed());
	assert_int_equal(h.n, 0);
	assert_int_equal(s->npods, 0);
	assert_int_equal(s->version, 0);

	assert_int_equal(knp_store_reserve(s, KNP_KIND_POD, 100), 0);
	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "p%d", i);
		pod = make_pod("x", name);
		allocs_fail_after(0);
		assert_int_equal(knp_store_put_pod(s, pod), 0);
		assert_false(allocs_failed());
		allocs_fail_after(-1);
	}
	knp_store_free(s);
}

static unsigned int seed(void)
{
	const char *text = getenv("KNP_SEED");
	unsigned int n = text ? (unsigned int)strtoul(text, NULL, 10)
			      : (unsigned int)time(NULL);

	print_message("# KNP_SEED=%u\n", n);
	return n;
}

static void random_puts_and_deletes_equal_a_plain_set(void **state)
{
	struct knp_store *s = knp_store_new();
	bool there[64] = { false };
	unsigned int r = seed();
	size_t n = 0;

	(void)state;
	for (int step = 0; step < 5000; step++) {
		unsigned int at = (unsigned int)rand_r(&r) % 64;
		char name[16];

		snprintf(name, sizeof(name), "p%u", at);
		if (rand_r(&r) % 2) {
			assert_int_equal(knp_store_put_pod(s,
							   make_pod("x", name)),
					 0);
			n += !there[at];
			there[at] = true;
		} else {
			knp_store_del_pod(s, "x", name);
			n -= there[at];
			there[at] = false;
		}
		assert_int_equal(s->npods, n);
		assert_int_equal(!!knp_store_pod(s, "x", name), there[at]);
	}
	for (size_t i = 1; i < s->npods; i++)
		assert_true(strcmp(s->pods[i - 1]->name, s->pods[i]->name) < 0);
	knp_store_free(s);
}

static void addresses_are_parsed_strictly(void **state)
{
	static const char *const bad[] = {
		"", "10.0.0", "10.0.0.256", "010.0.0.1", "10.0.0.1 ",
		" 10.0.0.1", "10.0.0.1/32", "::ffff:10.0.0.1",
		"::ffff:a00:1", "fe80::1%eth0", "g::", "1", "0x0a000001",
		"10.0.0.1.2", ":", "1:2:3:4:5:6:7:8:9",
	};
	struct knp_ip ip;
	char text[46];

	(void)state;
	memset(&ip, 0xee, sizeof(ip));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (knp_ip_parse(bad[i], &ip) == 0)
			fail_msg("accepted \"%s\"", bad[i]);
		assert_int_equal(ip.family, 0xee);
	}
	assert_int_equal(knp_ip_parse("10.0.0.1", &ip), 0);
	assert_int_equal(ip.family, AF_INET);
	assert_memory_equal(ip.b, "\x0a\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_string_equal(knp_ip_format(&ip, text), "10.0.0.1");
	assert_int_equal(knp_ip_parse("FD00:0::1", &ip), 0);
	assert_int_equal(ip.family, AF_INET6);
	assert_string_equal(knp_ip_format(&ip, text), "fd00::1");
	assert_int_equal(knp_ip_parse("::", &ip), 0);
	assert_int_equal(knp_ip_parse("::1.2.3.4", &ip), 0);
}

static void prefixes_are_parsed_strictly(void **state)
{
	static const char *const bad[] = {
		"", "/", "10.0.0.0", "10.0.0.0/", "/8", "10.0.0.0/33",
		"fd00::/129", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08",
		"10.0.0.0/8 ", "10.0.0.0/8/8", "10.0.0.0/255.0.0.0",
		"10.0/8", "::ffff:10.0.0.0/104", "::ffff:10.0.0.0/8",
		"10.0.0.0/1000", "10.0.0.0/4294967304",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/8",
	};
	struct knp_prefix prefix;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (knp_prefix_parse(bad[i], &prefix) == 0)
			fail_msg("accepted \"%s\"", bad[i]);
}

static void host_bits_are_cleared_at_every_length(void **state)
{
	struct knp_prefix prefix;
	char text[64];

	(void)state;
	for (unsigned int len = 0; len <= 128; len++) {
		snprintf(text, sizeof(text),
			 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/%u", len);
		assert_int_equal(knp_prefix_parse(text, &prefix), 0);
		assert_int_equal(prefix.len, len);
		for (unsigned int bit = 0; bit < 128; bit++)
			assert_int_equal(prefix.ip.b[bit / 8] >> (7 - bit % 8) &
					 1, bit < len);
	}
	assert_int_equal(knp_prefix_parse("10.1.2.3/8", &prefix), 0);
	assert_memory_equal(prefix.ip.b, "\x0a\0\0\0", 4);
	assert_int_equal(knp_prefix_parse("255.255.255.255/0", &prefix), 0);
	assert_memory_equal(prefix.ip.b, "\0\0\0\0", 4);
	assert_int_equal(knp_prefix_parse("255.255.255.255/32", &prefix), 0);
	assert_memory_equal(prefix.ip.b, "\xff\xff\xff\xff\0", 5);
}

static bool contains(const char *outer, const char *inner)
{
	struct knp_prefix a;
	struct knp_prefix b;

	assert_int_equal(knp_prefix_parse(outer, &a), 0);
	assert_int_equal(knp_prefix_parse(inner, &b), 0);
	return knp_prefix_contains(&a, &b);
}

static void containment_needs_one_family(void **state)
{
	(void)state;
	assert_true(contains("10.0.0.0/8", "10.1.0.0/16"));
	assert_true(contains("10.0.0.0/8", "10.0.0.0/8"));
	assert_true(contains("0.0.0.0/0", "1.2.3.4/32"));
	assert_true(contains("10.1.2.128/25", "10.1.2.200/32"));
	assert_false(contains("10.1.2.128/25", "10.1.2.100/32"));
	assert_false(contains("10.1.0.0/16", "10.0.0.0/8"));
	assert_false(contains("10.0.0.0/8", "11.0.0.0/8"));
	assert_false(contains("0.0.0.0/0", "::/0"));
	assert_false(contains("::/0", "0.0.0.0/0"));
	assert_true(contains("::/0", "fd00::/8"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_pods_sorted_whatever_the_order),
		cmocka_unit_test(finds_nothing_in_an_empty_store),
		cmocka_unit_test(an_equal_object_changes_nothing),
		cmocka_unit_test(every_difference_of_a_pod_is_a_change),
		cmocka_unit_test(every_difference_of_a_policy_is_a_change),
		cmocka_unit_test(another_label_to_match_is_a_change),
		cmocka_unit_test(every_difference_of_a_namespace_is_a_change),
		cmocka_unit_test(a_taken_object_belongs_to_the_caller),
		cmocka_unit_test(an_observer_is_told_of_every_change),
		cmocka_unit_test(an_observer_is_not_told_of_what_changes_nothing),
		cmocka_unit_test(a_put_without_memory_changes_nothing),
		cmocka_unit_test(random_puts_and_deletes_equal_a_plain_set),
		cmocka_unit_test(addresses_are_parsed_strictly),
		cmocka_unit_test(prefixes_are_parsed_strictly),
		cmocka_unit_test(host_bits_are_cleared_at_every_length),
		cmocka_unit_test(containment_needs_one_family),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
