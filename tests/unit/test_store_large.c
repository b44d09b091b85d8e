// SPDX-License-Identifier: Apache-2.0
/* What the store costs at 100,000 pods, and what listing them again does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "alloc.h"
#include "parts.h"
#include "replace.h"

#define PODS		100000
#define NAMESPACES	5000
#define NODES		5000
/* Pods of a workload: what they have in common but their own names. */
#define REPLICAS	5

/*
 * As clusters have them: names of 28 characters, an IPv4 address, a UUID, and
 * the labels of a Deployment, whose pods share them; one workload in five is a
 * StatefulSet, whose pods have their own name as a label.
 */
struct large {
	char ns[16], name[48], uid[40], node[16], app[24], hash[16];
	struct knp_label_view labels[3];
	struct knp_port_view port;
	struct knp_ip ip;
	struct knp_pod_view view;
};

static struct knp_pod *large_pod(struct large *p, unsigned int i)
{
	unsigned int workload = i / REPLICAS;
	bool own = workload % 5 == 0;

	snprintf(p->ns, sizeof(p->ns), "team-%05u", i / (PODS / NAMESPACES));
	snprintf(p->app, sizeof(p->app), "worker-%05u", workload);
	snprintf(p->hash, sizeof(p->hash), "%08xab", workload * 2654435761U);
	snprintf(p->name, sizeof(p->name), "%s%s-%05x", p->app, "-6b5d8c7f9",
		 i);
	snprintf(p->uid, sizeof(p->uid), "%08x-0000-4000-8000-%012x",
		 i * 2654435761U, i);
	snprintf(p->node, sizeof(p->node), "node-%05u", i * 7 % NODES);
	p->labels[0] = (struct knp_label_view){
		knp_text_of("app"), knp_text_of(p->app),
	};
	p->labels[1] = (struct knp_label_view){
		knp_text_of("pod-template-hash"), knp_text_of(p->hash),
	};
	p->labels[2] = (struct knp_label_view){
		knp_text_of("statefulset.kubernetes.io/pod-name"),
		knp_text_of(p->name),
	};
	p->port = (struct knp_port_view){ knp_text_of("http"), 8080, 6 };
	p->ip = (struct knp_ip){
		.b = { 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i },
		.family = AF_INET,
	};
	p->view = (struct knp_pod_view){
		.ns = knp_text_of(p->ns), .name = knp_text_of(p->name),
		.uid = knp_text_of(p->uid),
		.node = knp_text_of(p->node), .labels = p->labels,
		.nlabels = own ? 3 : 2, .ips = &p->ip, .nips = 1,
		.ports = &p->port, .nports = 1, .created = 1700000000 + i,
	};
	return knp_pod_new(&p->view);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct knp_store *store;
static long empty;

static int setup(void **state)
{
	(void)state;
	empty = allocs_bytes();
	store = knp_store_new();
	return !store;
}

static int teardown(void **state)
{
	(void)state;
	knp_store_free(store);
	return allocs_bytes() != empty || knp_string_count() ||
	       knp_labels_count() || knp_cports_count();
}

/* A list of all pods, not yet committed. */
static struct knp_replace *listed(void)
{
	struct knp_replace *r;
	struct large p = { 0 };

	assert_int_equal(knp_replace_begin(store, KNP_KIND_POD, &r), 0);
	for (unsigned int i = 0; i < PODS; i++) {
		struct knp_object object = {
			.kind = KNP_KIND_POD, .pod = large_pod(&p, i),
		};

		assert_non_null(object.pod);
		assert_int_equal(knp_replace_put(r, &object), 0);
	}
	return r;
}

static void a_pod_costs_less_than_its_share(void **state)
{
	double start = now();
	long bytes;

	(void)state;
	assert_int_equal(knp_replace_commit(listed()), 0);
	bytes = allocs_bytes() - empty;
	assert_int_equal(store->npods, PODS);
	print_message("# figure: store: %ld bytes per pod at %d pods, %zu label sets, %zu strings; %.2f s (sanitized)\n",
		      bytes / PODS, PODS, knp_labels_count(),
		      knp_string_count(), now() - start);
	assert_true(bytes / PODS <= 215);
}

static void listing_again_what_is_known_costs_nothing(void **state)
{
	long before = allocs_bytes();
	struct knp_replace *r = listed();

	(void)state;
	/* A bit for each, and the list itself. */
	assert_true(allocs_bytes() - before < PODS / 8 + 1024);
	assert_int_equal(knp_replace_commit(r), 0);
	assert_int_equal(allocs_bytes(), before);
	assert_int_equal(store->npods, PODS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pod_costs_less_than_its_share),
		cmocka_unit_test(listing_again_what_is_known_costs_nothing),
	};

	return cmocka_run_group_tests_name("store_large", tests, setup,
					   teardown);
}
