// SPDX-License-Identifier: Apache-2.0
/*
 * What passes around netfilter, as far as it takes no kernel to find it: that a
 * node's name is not that of the cluster's pods here, and what br_netfilter shows.
 * The rest is seen by guests: tests/guest/scenarios/invisible.sh. The program is
 * linked with --wrap for event_add, so that it looks all the time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pod.h"
#include "uncovered.h"

int __real_event_add(struct event *event, const struct timeval *tv);
int __wrap_event_add(struct event *event, const struct timeval *tv);

int __wrap_event_add(struct event *event, const struct timeval *tv)
{
	const struct timeval soon = { .tv_usec = 1 };

	return __real_event_add(event, tv ? &soon : NULL);
}

struct fixture {
	struct event_base *base;
	struct knp_store *store;
	struct knp_uncovered *u;
	int changes;
};

static void on_changed(void *arg)
{
	struct fixture *f = arg;

	f->changes++;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct knp_uncovered_options options = { .node = "n", .bridges = true };

	f->base = event_base_new();
	f->store = knp_store_new();
	options.store = f->store;
	*state = f;
	return knp_uncovered_open(f->base, &options, on_changed, f, &f->u);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	knp_uncovered_close(f->u);
	knp_store_free(f->store);
	event_base_free(f->base);
	free(f);
	return 0;
}

static void put(struct fixture *f, const char *name, const char *node)
{
	struct knp_pod_view view = {
		.ns = knp_text_of("x"),
		.name = knp_text_of(name),
		.node = knp_text_of(node),
		.host_network = true,
	};
	struct knp_pod *pod = knp_pod_new(&view);

	assert_non_null(pod);
	assert_int_equal(knp_store_put_pod(f->store, pod), 0);
}

static void put_interface(struct fixture *f)
{
	const uint32_t ifindex = 12;

	assert_int_equal(knp_store_set_ifaces(f->store, &ifindex, 1), 0);
}

/* Whether it says so, after a look. */
static bool is_nobodys(struct fixture *f)
{
	const char *const *lines;
	size_t n, count;

	event_base_loop(f->base, EVLOOP_ONCE);
	count = knp_uncovered_count(f->u, KNP_UNCOVERED_NODE);
	n = knp_uncovered_lines(f->u, &lines);
	for (size_t i = 0; i < n; i++)
		if (!strncmp(lines[i], "node n: ", 8))
			return count == 1;
	assert_int_equal(count, 0);
	return false;
}

static void test_pods_here_and_none_of_this_name(void **state)
{
	struct fixture *f = *state;

	put(f, "a", "N");
	put_interface(f);
	assert_true(is_nobodys(f));
	assert_int_equal(f->changes, 1);
	/* It is said once. */
	assert_true(is_nobodys(f));
	assert_int_equal(f->changes, 1);
	put(f, "b", "n");
	assert_false(is_nobodys(f));
	assert_int_equal(f->changes, 2);
}

/* Before the list of pods is complete there is none in the store. */
static void test_no_pods_are_known_yet(void **state)
{
	struct fixture *f = *state;

	put_interface(f);
	assert_false(is_nobodys(f));
}

static void test_a_node_without_pods(void **state)
{
	struct fixture *f = *state;

	put(f, "a", "m");
	assert_false(is_nobodys(f));
}

/* ---- what br_netfilter shows ----------------------------------------------------- */

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/knp-uncovered-XXXXXX");
	assert_non_null(mkdtemp(dir));
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

/* @text: NULL: there is no such sysctl */
static void set(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
	if (!text)
		return;
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "%s\n", text);
	fclose(f);
}

static void bridges_are_seen_in_both_families(void **state)
{
	static const struct {
		const char *ip;
		const char *ip6;
		bool shown;
	} cases[] = {
		{ NULL, NULL, false },
		{ "0", "0", false },
		{ "1", "0", false },
		{ "0", "1", false },
		{ "1", NULL, false },
		{ NULL, "1", false },
		{ "1", "", false },
		{ "1", "1", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		set("bridge-nf-call-iptables", cases[i].ip);
		set("bridge-nf-call-ip6tables", cases[i].ip6);
		assert_int_equal(knp_uncovered_shows(dir), cases[i].shown);
	}
	set("bridge-nf-call-iptables", NULL);
	set("bridge-nf-call-ip6tables", NULL);
	assert_false(knp_uncovered_shows("/nowhere"));
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pods_here_and_none_of_this_name),
		TEST(test_no_pods_are_known_yet),
		TEST(test_a_node_without_pods),
		cmocka_unit_test_setup_teardown(bridges_are_seen_in_both_families,
						make_dir, remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
