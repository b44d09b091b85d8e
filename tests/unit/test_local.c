// SPDX-License-Identifier: Apache-2.0
/* Pods of this node in the store: bindings, interfaces, what is kept on disk. */
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
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "decode.h"
#include "local.h"
#include "parts.h"
#include "pod.h"
#include "replace.h"
#include "strings.h"

struct fixture {
	struct knp_store *store;
	struct knp_local *local;
	char dir[64];
};

static void start(struct fixture *f)
{
	f->store = knp_store_new();
	assert_non_null(f->store);
	assert_int_equal(knp_local_new(f->store, "n", &f->local), 0);
	assert_int_equal(knp_local_load(f->local, f->dir, true), 0);
}

static void stop(struct fixture *f)
{
	knp_local_free(f->local);
	knp_store_free(f->store);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/knp-local.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	start(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char path[128];

	stop(f);
	snprintf(path, sizeof(path), "%s/%s", f->dir, KNP_BINDINGS_FILE);
	unlink(path);
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	assert_int_equal(knp_string_count(), 0);
	return 0;
}

static struct knp_pod *pod(const char *name, const char *node, const char *ip)
{
	struct knp_ip parsed = { 0 };
	struct knp_pod_view view = {
		.ns = knp_text_of("x"), .name = knp_text_of(name),
		.node = knp_text_of(node),
		.ips = &parsed, .nips = *ip ? 1 : 0,
	};

	if (*ip)
		assert_int_equal(knp_ip_parse(ip, &parsed), 0);
	return knp_pod_new(&view);
}

static void put(struct fixture *f, const char *name, const char *node,
		const char *ip)
{
	assert_int_equal(knp_store_put_pod(f->store, pod(name, node, ip)), 0);
}

static void add(struct fixture *f, const char *container, const char *name,
		uint32_t ifindex, const char *ip)
{
	assert_int_equal(knp_local_add(f->local,
				       binding(container, name, "", ifindex,
					       ip)),
			 0);
}

static void del(struct fixture *f, const char *container)
{
	struct knp_attachment at = { (char *)container, (char *)"eth0" };

	assert_int_equal(knp_local_del(f->local, &at), 0);
}

static const char *pending(struct fixture *f, const char *container)
{
	struct knp_attachment at = { (char *)container, (char *)"eth0" };

	return knp_local_pending(f->local, &at);
}

/* The addresses of a pod in the store, "a b " */
static const char *has(struct fixture *f, const char *name)
{
	const struct knp_pod *p = knp_store_pod(f->store, "x", name);
	static char text[256];
	size_t len = 0;
	char ip[46];

	assert_non_null(p);
	text[0] = '\0';
	for (uint32_t i = 0; i < p->nips; i++)
		len += snprintf(text + len, sizeof(text) - len, "%s ",
				knp_ip_format(&p->ips[i], ip));
	return text;
}

static void check_ifaces(struct fixture *f, const uint32_t *v, size_t n)
{
	assert_int_equal(f->store->nifaces, n);
	if (n)
		assert_memory_equal(f->store->ifaces, v, n * sizeof(*v));
}

#define IFACES(f, ...)	do {						\
	const uint32_t want[] = { __VA_ARGS__ };			\
	check_ifaces(f, want, sizeof(want) / sizeof(*want));		\
} while (0)

static void an_addition_before_the_pod_waits_for_it(void **state)
{
	struct fixture *f = *state;

	add(f, "c1", "a", 7, "10.0.0.1");
	assert_non_null(strstr(pending(f, "c1"), "no Pod x/a"));
	put(f, "a", "", "");
	assert_non_null(strstr(pending(f, "c1"), "on node n"));
	put(f, "a", "n", "");
	assert_null(pending(f, "c1"));
	assert_string_equal(has(f, "a"), "10.0.0.1 ");
}

static void an_addition_after_the_pod_changes_it(void **state)
{
	struct fixture *f = *state;
	uint64_t version;

	put(f, "a", "n", "");
	version = f->store->version;
	add(f, "c1", "a", 7, "10.0.0.1");
	assert_true(f->store->version > version);
	assert_null(pending(f, "c1"));
	assert_string_equal(has(f, "a"), "10.0.0.1 ");
	del(f, "c1");
	assert_string_equal(has(f, "a"), "");
	assert_non_null(strstr(pending(f, "c1"), "deleted"));
}

static void a_pod_of_another_node_is_left_alone(void **state)
{
	struct fixture *f = *state;

	add(f, "c1", "a", 7, "10.0.0.1");
	put(f, "a", "m", "10.9.9.9");
	assert_string_equal(has(f, "a"), "10.9.9.9 ");
	assert_non_null(pending(f, "c1"));
}

/* Whoever reads why a pod does not start is told what is wrong with it. */
static void a_pod_without_a_network_of_its_own_is_said(void **state)
{
	struct fixture *f = *state;
	struct knp_pod *host = pod("a", "n", "");
	struct knp_pod *over = pod("b", "n", "");

	host->host_network = true;
	over->terminal = true;
	assert_int_equal(knp_store_put_pod(f->store, host), 0);
	assert_int_equal(knp_store_put_pod(f->store, over), 0);
	add(f, "c1", "a", 7, "10.0.0.1");
	add(f, "c2", "b", 8, "10.0.0.2");
	assert_string_equal(has(f, "a"), "");
	assert_string_equal(has(f, "b"), "");
	assert_non_null(strstr(pending(f, "c1"), "no network of its own"));
	assert_non_null(strstr(pending(f, "c2"), "no network of its own"));
}

static void an_address_that_was_given_away_is_said(void **state)
{
	struct fixture *f = *state;

	put(f, "a", "n", "");
	put(f, "b", "n", "");
	add(f, "c1", "a", 7, "10.0.0.1");
	add(f, "c2", "b", 8, "10.0.0.1");
	assert_null(pending(f, "c2"));
	assert_string_equal(has(f, "a"), "");
	assert_string_equal(has(f, "b"), "10.0.0.1 ");
}

static void an_event_of_the_source_keeps_what_is_bound(void **state)
{
	struct fixture *f = *state;
	uint64_t version;

	put(f, "a", "n", "");
	add(f, "c1", "a", 7, "10.0.0.1");
	version = f->store->version;
	put(f, "a", "n", "");
	assert_int_equal(f->store->version, version);
	put(f, "a", "n", "10.0.0.1");
	assert_int_equal(f->store->version, version);
	assert_string_equal(has(f, "a"), "10.0.0.1 ");
}

static void list(struct fixture *f, struct knp_replace *r, const char *name)
{
	struct knp_object object = {
		.kind = KNP_KIND_POD,
		.ns = strdup("x"), .name = strdup(name),
		.pod = pod(name, "n", ""),
	};

	(void)f;
	assert_int_equal(knp_replace_put(r, &object), 0);
}

static void a_list_gets_what_was_bound_while_it_came(void **state)
{
	struct fixture *f = *state;
	struct knp_replace *r;

	put(f, "a", "n", "");
	put(f, "b", "n", "");
	add(f, "c2", "b", 8, "10.0.0.2");
	assert_int_equal(knp_replace_begin(f->store, KNP_KIND_POD, &r), 0);
	list(f, r, "a");
	list(f, r, "b");
	list(f, r, "c");
	add(f, "c1", "a", 7, "10.0.0.1");
	add(f, "c3", "c", 9, "10.0.0.3");
	del(f, "c2");
	assert_int_equal(knp_replace_commit(r), 0);
	assert_string_equal(has(f, "a"), "10.0.0.1 ");
	assert_string_equal(has(f, "b"), "");
	assert_string_equal(has(f, "c"), "10.0.0.3 ");
}

static void a_restarted_daemon_has_them(void **state)
{
	struct fixture *f = *state;

	add(f, "c1", "a", 7, "10.0.0.1");
	add(f, "c2", "b", 8, "10.0.0.2");
	del(f, "c2");
	stop(f);
	start(f);
	put(f, "a", "n", "");
	put(f, "b", "n", "");
	assert_null(pending(f, "c1"));
	assert_string_equal(has(f, "a"), "10.0.0.1 ");
	assert_string_equal(has(f, "b"), "");
}

static void write_file(struct fixture *f, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", f->dir, KNP_BINDINGS_FILE);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

#define BINDING	"{\"containerID\":\"c1\",\"ifname\":\"eth0\",\"network\":\"\","	\
		"\"namespace\":\"x\",\"name\":\"a\",\"uid\":\"\",\"ifindex\":7,"	\
		"\"ips\":[\"10.0.0.1\"]}"

static void those_of_another_boot_are_ignored(void **state)
{
	struct fixture *f = *state;

	write_file(f, "{\"boot\":\"before\",\"bindings\":[" BINDING "]}");
	stop(f);
	start(f);
	put(f, "a", "n", "");
	assert_string_equal(has(f, "a"), "");
}

static void a_file_that_is_broken_is_none(void **state)
{
	struct fixture *f = *state;
	char text[1024], boot[64] = "";
	FILE *file;

	put(f, "a", "n", "");
	write_file(f, "{\"boot\":");
	assert_int_equal(knp_local_load(f->local, f->dir, true), -EBADMSG);
	file = fopen("/proc/sys/kernel/random/boot_id", "r");
	assert_non_null(file);
	assert_non_null(fgets(boot, sizeof(boot), file));
	fclose(file);
	boot[strcspn(boot, "\n")] = '\0';
	snprintf(text, sizeof(text), "{\"boot\":\"%s\",\"bindings\":[%s,{}]}",
		 boot, BINDING);
	write_file(f, text);
	assert_int_equal(knp_local_load(f->local, f->dir, true), -EINVAL);
	put(f, "a", "n", "");
	assert_non_null(pending(f, "c1"));
	/* The next addition makes a good one of it. */
	add(f, "c2", "a", 7, "10.0.0.2");
	stop(f);
	start(f);
	put(f, "a", "n", "");
	assert_string_equal(has(f, "a"), "10.0.0.2 ");
}

static void an_addition_that_cannot_be_kept_did_not_happen(void **state)
{
	struct fixture *f = *state;
	char path[128];

	put(f, "a", "n", "");
	snprintf(path, sizeof(path), "%s/%s.new", f->dir, KNP_BINDINGS_FILE);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(knp_local_add(f->local, binding("c1", "a", "", 7,
							 "10.0.0.1")), -EISDIR);
	assert_string_equal(has(f, "a"), "");
	assert_int_equal(f->store->nifaces, 0);
	assert_int_equal(rmdir(path), 0);
}

static void interfaces_are_those_of_bindings_and_of_routes(void **state)
{
	struct fixture *f = *state;
	uint32_t all[] = { 1, 2, 5, 7 }, pods[] = { 5 };
	struct knp_links_view view = {
		.all = all, .nall = 4, .pods = pods, .npods = 1,
	};

	assert_int_equal(knp_local_set_links(f->local, &view), 0);
	IFACES(f, 5);
	add(f, "c1", "a", 7, "10.0.0.1");
	IFACES(f, 5, 7);
	add(f, "c2", "b", 5, "10.0.0.2");
	IFACES(f, 5, 7);
	del(f, "c1");
	IFACES(f, 5);
	view.npods = 0;
	assert_int_equal(knp_local_set_links(f->local, &view), 0);
	IFACES(f, 5);
	del(f, "c2");
	assert_int_equal(f->store->nifaces, 0);
}

/* "10.0.0.1=7 ..." of the store */
static const char *bounds(const struct fixture *f)
{
	static char text[256];
	size_t len = 0;
	char ip[46];

	text[0] = '\0';
	for (size_t i = 0; i < f->store->nbounds; i++)
		len += snprintf(text + len, sizeof(text) - len, "%s=%u ",
				knp_ip_format(&f->store->bounds[i].ip, ip),
				f->store->bounds[i].ifindex);
	return text;
}

static void addresses_are_where_their_binding_or_their_route_says(void **state)
{
	struct fixture *f = *state;
	uint32_t all[] = { 5, 6, 7 }, pods[] = { 5, 6 };
	struct knp_bound routes[] = {
		{ { { 10, 0, 0, 2 }, AF_INET }, 5 },
		{ { { 10, 0, 0, 1 }, AF_INET }, 6 },
		{ { { 10, 0, 0, 3 }, AF_INET }, 5 },
		{ { { 10, 0, 0, 3 }, AF_INET }, 6 },
		{ { { 10, 0, 0, 2 }, AF_INET }, 5 },
	};
	struct knp_links_view view = {
		.all = all, .nall = 3, .pods = pods, .npods = 2,
		.bounds = routes, .nbounds = 5,
	};
	uint64_t version;

	assert_int_equal(knp_local_set_links(f->local, &view), 0);
	assert_string_equal(bounds(f), "10.0.0.1=6 10.0.0.2=5 ");
	add(f, "c1", "a", 7, "10.0.0.1");
	assert_string_equal(bounds(f), "10.0.0.1=7 10.0.0.2=5 ");
	version = f->store->version;
	assert_int_equal(knp_local_set_links(f->local, &view), 0);
	assert_int_equal(f->store->version, version);
	del(f, "c1");
	assert_string_equal(bounds(f), "10.0.0.1=6 10.0.0.2=5 ");
	view.nbounds = 0;
	assert_int_equal(knp_local_set_links(f->local, &view), 0);
	assert_string_equal(bounds(f), "");
}

static void a_pod_that_lost_its_interface_loses_its_address(void **state)
{
	struct fixture *f = *state;
	uint32_t all[] = { 1, 2 };
	struct knp_links_view view = { .all = all, .nall = 2 };

	put(f, "a", "n", "");
	add(f, "c1", "a", 7, "10.0.0.1");
	assert_int_equal(knp_local_set_links(f->local, &view), 0);
	assert_string_equal(has(f, "a"), "");
	assert_int_equal(f->store->nifaces, 0);
}

static void without_memory_an_addition_is_no_more_there(void **state)
{
	struct fixture *f = *state;
	struct knp_binding *b;
	long n = 0;
	int err;

	put(f, "a", "n", "");
	do {
		b = binding("c1", "a", "", 7, "10.0.0.1");
		allocs_fail_after(n++);
		err = knp_local_add(f->local, b);
		allocs_fail_after(-1);
		if (err) {
			assert_string_equal(has(f, "a"), "");
			assert_non_null(pending(f, "c1"));
		}
	} while (err);
	assert_true(n > 4);
	assert_null(pending(f, "c1"));
}

#define T(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_addition_before_the_pod_waits_for_it),
		T(an_addition_after_the_pod_changes_it),
		T(a_pod_of_another_node_is_left_alone),
		T(a_pod_without_a_network_of_its_own_is_said),
		T(an_address_that_was_given_away_is_said),
		T(an_event_of_the_source_keeps_what_is_bound),
		T(a_list_gets_what_was_bound_while_it_came),
		T(a_restarted_daemon_has_them),
		T(those_of_another_boot_are_ignored),
		T(a_file_that_is_broken_is_none),
		T(an_addition_that_cannot_be_kept_did_not_happen),
		T(interfaces_are_those_of_bindings_and_of_routes),
		T(addresses_are_where_their_binding_or_their_route_says),
		T(a_pod_that_lost_its_interface_loses_its_address),
		T(without_memory_an_addition_is_no_more_there),
	};

	return cmocka_run_group_tests_name("local", tests, NULL, NULL);
}
