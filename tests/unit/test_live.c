// SPDX-License-Identifier: Apache-2.0
/*
 * The live ruleset: after every event of random histories it is what
 * knp_compile() makes of the store, and tables of the module that only ever got
 * its differences hold it.
 */
#include "alloc.h"
#include "clusters.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "labels.h"
#include "live.h"
#include "manifest.h"
#include "pod.h"
#include "strings.h"
#include "table_limits.h"

/* struct world - a store, its live ruleset, and a kernel that follows */
struct world {
	struct dice *d;
	const char *node;
	struct knp_store *store;
	struct knp_live *live;
	struct knp_tables *tables;
};

static bool empty(const struct knp_ruleset *from, const struct knp_ruleset *to)
{
	struct knp_diff *diff;
	bool is;

	assert_int_equal(knp_ruleset_diff(from, to, &diff), 0);
	is = !diff->count;
	knp_diff_free(diff);
	return is;
}

static struct knp_ruleset *live_ruleset(struct knp_live *live)
{
	struct knp_ruleset *rs = NULL;

	assert_int_equal(knp_live_ruleset(live, &rs), 0);
	return rs;
}

static void check_troubles(struct world *w, struct knp_troubles *want)
{
	struct knp_troubles have = { 0 };

	assert_int_equal(knp_live_troubles(w->live, &have), 0);
	knp_troubles_sort(want);
	assert_int_equal(have.n, want->n);
	for (size_t i = 0; i < have.n; i++)
		assert_string_equal(have.v[i].text, want->v[i].text);
	knp_troubles_clear(&have);
}

/* The definition, under the ids of the live ruleset. Returns what is left out. */
static size_t check_definition(struct world *w)
{
	struct knp_ruleset *have = live_ruleset(w->live);
	struct knp_troubles troubles = { 0 };
	struct knp_ruleset *want = NULL;
	size_t left_out;

	assert_int_equal(knp_compile(w->store, w->node, &want, &troubles), 0);
	left_out = troubles.n;
	check_troubles(w, &troubles);
	knp_troubles_clear(&troubles);
	assert_int_equal(want->rules.n, have->rules.n);
	assert_int_equal(want->portsets.n, have->portsets.n);
	assert_int_equal(want->classes.n, have->classes.n);
	assert_int_equal(want->sets.n, have->sets.n);
	assert_int_equal(want->rows.n, have->rows.n);
	assert_int_equal(want->peers.n, have->peers.n);
	assert_int_equal(want->cidrs.n, have->cidrs.n);
	assert_int_equal(want->endpoints.n, have->endpoints.n);
	assert_int_equal(want->ifaces.n, have->ifaces.n);
	assert_int_equal(want->bindings.n, have->bindings.n);
	assert_int_equal(knp_ruleset_adopt(want, have), 0);
	assert_true(empty(have, want));
	knp_ruleset_free(want);
	knp_ruleset_free(have);
	return left_out;
}

static void commit(struct world *w, const struct knp_diff *diff)
{
	struct knp_tables *next = knp_tables_clone(w->tables);

	apply_diff(next, diff);
	assert_int_equal(knp_tables_freeze(next), 0);
	knp_tables_free(w->tables);
	w->tables = next;
}

/* The kernel gets the whole, as after a start or a failure. */
static void adopt(struct world *w)
{
	struct knp_ruleset *have = read_back(w->tables);
	struct knp_ruleset *rs = live_ruleset(w->live);
	struct knp_diff *diff;

	assert_int_equal(knp_ruleset_adopt(rs, have), 0);
	assert_int_equal(knp_ruleset_diff(have, rs, &diff), 0);
	commit(w, diff);
	assert_int_equal(knp_live_adopt(w->live, rs), 0);
	knp_diff_free(diff);
	knp_ruleset_free(have);
	knp_ruleset_free(rs);
}

/* The difference is the one that comparing the whole gives, and no more. */
static void follow(struct world *w)
{
	struct knp_ruleset *have = read_back(w->tables);
	struct knp_ruleset *rs = live_ruleset(w->live);
	struct knp_diff *diff, *whole;

	assert_int_equal(knp_live_diff(w->live, &diff), 0);
	assert_int_equal(knp_ruleset_diff(have, rs, &whole), 0);
	assert_int_equal(diff->count, whole->count);
	commit(w, diff);
	knp_live_confirm(w->live);
	knp_ruleset_free(have);
	have = read_back(w->tables);
	assert_true(empty(have, rs));
	knp_diff_free(diff);
	knp_diff_free(whole);
	knp_ruleset_free(have);
	knp_ruleset_free(rs);
}

static void put_some(struct world *w, unsigned int one_in)
{
	struct knp_objects objects = { 0 };
	char *text;

	text = random_cluster(w->d, 20, 6);
	assert_int_equal(knp_manifest_parse(text, strlen(text), "test.yaml",
					    &objects, NULL), 0);
	for (size_t i = 0; i < objects.n; i++)
		if (!dice_below(w->d, one_in))
			assert_int_equal(knp_object_put(&objects.v[i],
							w->store), 0);
	knp_objects_clear(&objects);
	free(text);
}

static void delete_one(struct world *w)
{
	const struct knp_store *s = w->store;
	uint32_t which = dice_below(w->d, 8);
	size_t i;

	if (which == 0 && s->nnamespaces) {
		knp_store_del_namespace(w->store, s->namespaces[0]->name);
	} else if (which < 4 && s->npolicies) {
		i = dice_below(w->d, s->npolicies);
		knp_store_del_policy(w->store, s->policies[i]->ns,
				     s->policies[i]->name);
	} else if (s->npods) {
		i = dice_below(w->d, s->npods);
		knp_store_del_pod(w->store, s->pods[i]->ns, s->pods[i]->name);
	}
}

/* An address, of any pod or of none, is given to a pod here, or taken away. */
static void bind_one(struct world *w)
{
	const struct knp_pod *pod, *other;
	struct knp_ip ips[2] = { { .b = { 10, 9, 9, 9 }, .family = AF_INET } };
	struct knp_pod *copy;
	uint32_t n = 0;

	if (!w->store->npods)
		return;
	pod = w->store->pods[dice_below(w->d, w->store->npods)];
	other = w->store->pods[dice_below(w->d, w->store->npods)];
	if (dice_below(w->d, 3))
		n++;
	if (n && other->nips)
		ips[n++] = other->ips[dice_below(w->d, other->nips)];
	if (n == 2 && !memcmp(&ips[0], &ips[1], sizeof(ips[0])))
		n--;
	copy = knp_pod_bind(pod, ips, n);
	assert_non_null(copy);
	assert_int_equal(copy->nbound, n);
	assert_int_equal(knp_store_put_pod(w->store, copy), 0);
}

static void set_ifaces(struct world *w)
{
	uint32_t v[4];
	size_t n = dice_below(w->d, 5);

	for (size_t i = 0; i < n; i++)
		v[i] = 1 + dice_below(w->d, 6);
	assert_int_equal(knp_store_set_ifaces(w->store, v, n), 0);
}

static void set_bounds(struct world *w)
{
	struct knp_bound v[6] = { 0 };
	size_t n = dice_below(w->d, 7);

	for (size_t i = 0; i < n; i++) {
		v[i].ip.family = dice_below(w->d, 2) ? AF_INET : AF_INET6;
		v[i].ip.b[0] = (uint8_t)(1 + dice_below(w->d, 4));
		v[i].ifindex = 1 + dice_below(w->d, 3);
	}
	assert_int_equal(knp_store_set_bounds(w->store, v, n), 0);
}

static void happen(struct world *w)
{
	uint32_t n = dice_below(w->d, 4);

	if (!dice_below(w->d, 3))
		set_ifaces(w);
	if (!dice_below(w->d, 3))
		set_bounds(w);
	for (uint32_t i = dice_below(w->d, 3); i; i--)
		bind_one(w);
	switch (dice_below(w->d, 6)) {
	case 0:
		put_some(w, 2);
		break;
	case 1:
	case 2:
		put_some(w, 12);
		break;
	default:
		for (uint32_t i = 0; i <= n; i++)
			delete_one(w);
		if (n > 1)
			put_some(w, 25);
	}
}

static void world_init(struct world *w, struct dice *d, const char *node)
{
	*w = (struct world){
		.d = d,
		.node = node,
		.store = knp_store_new(),
		.tables = knp_tables_new(),
	};
	assert_non_null(w->store);
	assert_int_equal(knp_tables_freeze(w->tables), 0);
	if (dice_below(d, 2))
		put_some(w, 2);
	assert_int_equal(knp_live_new(w->store, node, &knp_limits, &w->live), 0);
	assert_false(knp_live_known(w->live));
}

static void world_clear(struct world *w)
{
	knp_live_free(w->live);
	knp_tables_free(w->tables);
	knp_store_free(w->store);
	/* Everything that was held is let go, not only freed. */
	assert_int_equal(knp_string_count(), 0);
	assert_int_equal(knp_labels_count(), 0);
}

static void history(struct dice *d, const char *node, unsigned int events)
{
	struct world w;

	world_init(&w, d, node);
	for (unsigned int i = 0; i < events; i++) {
		assert_int_equal(knp_live_update(w.live), 0);
		assert_int_equal(check_definition(&w), 0);
		/* Now and then nothing is committed, or it fails. */
		if (!knp_live_known(w.live)) {
			if (dice_below(d, 2))
				adopt(&w);
		} else if (!dice_below(d, 10)) {
			knp_live_forget(w.live);
		} else {
			follow(&w);
		}
		happen(&w);
	}
	world_clear(&w);
}

static void it_is_what_compile_makes_after_every_event(void **state)
{
	struct dice d;

	(void)state;
	dice_init(&d);
	for (int i = 0; i < (getenv("KNP_FULL") ? 400 : 40); i++)
		history(&d, i % 3 ? "node0" : NULL, 30);
}

/* One step in which the n-th allocation fails; whether it came to that. */
static bool step_fails(const char *from, const char *to, long n)
{
	struct world w = {
		.node = "node0",
		.store = cluster(from),
		.tables = knp_tables_new(),
	};
	struct knp_objects objects = { 0 };
	struct knp_diff *diff;
	bool failed;
	int err;

	assert_int_equal(knp_tables_freeze(w.tables), 0);
	assert_int_equal(knp_manifest_parse(to, strlen(to), "test.yaml",
					    &objects, NULL), 0);
	assert_int_equal(knp_live_new(w.store, w.node, &knp_limits, &w.live),
			 0);
	assert_int_equal(knp_live_update(w.live), 0);
	adopt(&w);

	for (size_t i = 0; i < objects.n; i++) {
		allocs_fail_after(-1);
		/* What the store itself allocates is tested elsewhere. */
		if (i + 1 == objects.n)
			allocs_fail_after(n);
		assert_true(knp_object_put(&objects.v[i], w.store) >= -ENOMEM);
	}
	err = knp_live_update(w.live);
	if (!err)
		err = knp_live_diff(w.live, &diff);
	failed = allocs_failed();
	allocs_fail_after(-1);
	assert_true(!err || (failed && err == -ENOMEM));
	if (!err) {
		commit(&w, diff);
		knp_live_confirm(w.live);
		knp_diff_free(diff);
		check_definition(&w);
	}
	knp_objects_clear(&objects);
	world_clear(&w);
	return failed;
}

/*
 * Whichever allocation fails, it is said, nothing leaks and nothing half done
 * is given out; where the failing one was a spare part, the result is right.
 */
static void a_failed_allocation_is_said(void **state)
{
	struct dice d;
	long n, total = 0;
	char *from, *to;

	(void)state;
	dice_init(&d);
	for (int i = 0; i < 3; i++) {
		from = random_cluster(&d, 10, 3);
		to = random_cluster(&d, 10, 3);
		for (n = 0; step_fails(from, to, n); n++)
			total++;
		free(from);
		free(to);
	}
	assert_true(total > 100);
}

static void nothing_changed_is_no_difference(void **state)
{
	struct knp_diff *diff;
	struct world w;
	struct dice d;

	(void)state;
	dice_init(&d);
	world_init(&w, &d, "node0");
	put_some(&w, 1);
	assert_int_equal(knp_live_update(w.live), 0);
	adopt(&w);
	assert_int_equal(knp_live_update(w.live), 0);
	assert_int_equal(knp_live_diff(w.live, &diff), 0);
	assert_int_equal(diff->count, 0);
	knp_diff_free(diff);
	world_clear(&w);
}

static void delete_all(struct world *w)
{
	struct knp_store *s = w->store;

	while (s->npods)
		knp_store_del_pod(s, s->pods[0]->ns, s->pods[0]->name);
	while (s->npolicies)
		knp_store_del_policy(s, s->policies[0]->ns,
				     s->policies[0]->name);
	while (s->nnamespaces)
		knp_store_del_namespace(s, s->namespaces[0]->name);
}

static void what_nothing_needs_is_gone(void **state)
{
	struct world w;
	struct dice d;

	(void)state;
	dice_init(&d);
	world_init(&w, &d, "node0");
	for (int i = 0; i < 10; i++) {
		put_some(&w, 1);
		assert_int_equal(knp_live_update(w.live), 0);
		if (!i)
			adopt(&w);
		else
			follow(&w);
		delete_all(&w);
		assert_int_equal(knp_live_update(w.live), 0);
		check_definition(&w);
		follow(&w);
		/* Its own name for a label, the node's name, and port names. */
		assert_int_equal(knp_labels_count(), 0);
		assert_true(knp_string_count() <= 4);
	}
	world_clear(&w);
}

static const char three_pods[] =
	"{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: x, labels: {app: a}},"
	" spec: {nodeName: n}, status: {phase: Running, podIP: 10.0.0.1}}\n"
	"---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: b, namespace: x, labels: {app: b}},"
	" spec: {nodeName: m}, status: {phase: Running, podIP: 10.0.0.2}}\n"
	"---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: c, namespace: x, labels: {app: b}},"
	" spec: {nodeName: m}, status: {phase: Running, podIP: 10.0.0.3}}\n"
	"---\n"
	"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: x},"
	" spec: {podSelector: {matchLabels: {app: a}},"
	" ingress: [{from: [{podSelector: {matchLabels: {app: b}}}]}]}}\n";

static struct knp_diff *difference(struct knp_live *live)
{
	struct knp_diff *diff = NULL;

	assert_int_equal(knp_live_update(live), 0);
	assert_int_equal(knp_live_diff(live, &diff), 0);
	return diff;
}

static void one_more_pod_of_a_known_kind_is_one_record(void **state)
{
	struct world w = { .store = cluster(three_pods) };
	struct knp_ruleset *rs;
	struct knp_diff *diff;

	(void)state;
	assert_int_equal(knp_live_new(w.store, "n", &knp_limits, &w.live), 0);
	assert_int_equal(knp_live_update(w.live), 0);
	rs = live_ruleset(w.live);
	assert_int_equal(knp_live_adopt(w.live, rs), 0);
	assert_int_equal(rs->endpoints.n, 1);
	assert_int_equal(rs->peers.n, 2);

	knp_store_del_pod(w.store, "x", "c");
	diff = difference(w.live);
	assert_int_equal(diff->count, 1);
	assert_int_equal(diff->ops[0].table, KNP_TABLE_PEER);
	assert_true(diff->ops[0].delete);
	knp_live_confirm(w.live);
	knp_diff_free(diff);

	/* The last of its kind takes the class, its row and their port set. */
	knp_store_del_pod(w.store, "x", "b");
	diff = difference(w.live);
	assert_int_equal(diff->count, 4);
	knp_diff_free(diff);

	knp_ruleset_free(rs);
	knp_live_free(w.live);
	knp_store_free(w.store);
}

/* More addresses than it takes, and then anything at all, before an update. */
static void what_it_cannot_take_is_not_touched_again(void **state)
{
	char yaml[1024] = "{apiVersion: v1, kind: Pod, metadata: {name: d, namespace: x},"
			  " spec: {nodeName: n}, status: {phase: Running, podIPs: [";
	static const char *const names[] = { "a", "b", "c", "d" };
	struct knp_store *store = cluster(three_pods), *more;
	struct knp_live *live;

	(void)state;
	for (int i = 0; i < 20; i++)
		sprintf(yaml + strlen(yaml), "%s{ip: 10.0.1.%d}", i ? ", " : "",
			i + 1);
	strcat(yaml, "]}}\n");
	assert_int_equal(knp_live_new(store, "n", &knp_limits, &live), 0);
	assert_int_equal(knp_live_update(live), 0);
	more = cluster(yaml);
	knp_store_put_all(store, KNP_KIND_POD, more);
	knp_store_free(more);
	for (size_t i = 4; i--;)
		knp_store_del_pod(store, "x", names[i]);
	assert_int_equal(knp_live_update(live), -E2BIG);
	knp_live_free(live);
	knp_store_free(store);
}

/* Every table but one is large enough: each too small one is noticed. */
static void a_table_that_is_too_small_is_said(void **state)
{
	static const uint32_t tables[] = {
		KNP_TABLE_RULE, KNP_TABLE_PORTSET, KNP_TABLE_CLASS,
		KNP_TABLE_SET, KNP_TABLE_ROW, KNP_TABLE_PEER,
		KNP_TABLE_ENDPOINT,
	};
	struct knp_store *store = cluster(three_pods);
	struct knp_limits limits;
	struct knp_live *live;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		limits = knp_limits;
		limits.v[tables[i]] = 0;
		assert_int_equal(knp_live_new(store, "n", &limits, &live), 0);
		assert_int_equal(knp_live_update(live), -E2BIG);
		assert_int_equal(knp_live_update(live), -E2BIG);
		knp_live_free(live);
	}
	knp_store_free(store);
}

#define POLICY(name, spec)						\
	"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy,"	\
	" metadata: {name: " name ", namespace: x}, spec: {podSelector: {}, " spec "}}\n"

static void put_text(struct world *w, const char *text)
{
	struct knp_objects objects = { 0 };

	assert_int_equal(knp_manifest_parse(text, strlen(text), "test.yaml",
					    &objects, NULL), 0);
	for (size_t i = 0; i < objects.n; i++)
		assert_int_equal(knp_object_put(&objects.v[i], w->store), 0);
	knp_objects_clear(&objects);
}

/* A manifest with a list of @n numbers, none next to another. */
static void put_list(struct world *w, const char *head, const char *before,
		     unsigned int n, const char *after, const char *tail)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	fputs(head, out);
	for (unsigned int i = 0; i < n; i++)
		fprintf(out, "%s%u%s", before, 2 * i + 1, after);
	fputs(tail, out);
	assert_int_equal(fclose(out), 0);
	put_text(w, text);
	free(text);
}

/* A pod with @n ports named http. */
static void put_pod(struct world *w, const char *name, const char *address,
		    unsigned int n)
{
	char head[256], tail[64];

	snprintf(head, sizeof(head),
		 "{apiVersion: v1, kind: Pod, metadata: {name: %s, namespace: x},"
		 " spec: {nodeName: n, containers: [{name: c, ports: [", name);
	snprintf(tail, sizeof(tail), "]}]}, status: {podIP: %s}}\n", address);
	put_list(w, head, "{name: http, containerPort: ", n, "},", tail);
}

/* A policy that admits everybody but one address, @n times with another one. */
static void put_nested(struct world *w, const char *name, unsigned int n)
{
	char head[256];

	snprintf(head, sizeof(head),
		 "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy,"
		 " metadata: {name: %s, namespace: x}, spec: {podSelector: {},"
		 " ingress: [{from: [{podSelector: {}},", name);
	put_list(w, head,
		 "{ipBlock: {cidr: '::/0', except: ['2001:db8::", n,
		 "/128']}},", "]}]}}\n");
}

/* The next generation, of which @n things are left out. */
static void step(struct world *w, size_t n)
{
	assert_int_equal(knp_live_update(w->live), 0);
	assert_int_equal(check_definition(w), n);
	if (knp_live_known(w->live))
		follow(w);
	else
		adopt(w);
}

static void world_open(struct world *w)
{
	*w = (struct world){
		.node = "n",
		.store = knp_store_new(),
		.tables = knp_tables_new(),
	};
	assert_non_null(w->store);
	assert_int_equal(knp_tables_freeze(w->tables), 0);
	assert_int_equal(knp_live_new(w->store, "n", &knp_limits, &w->live), 0);
}

static void ports_that_are_too_many_come_and_go(void **state)
{
	static const char names[] = POLICY("names",
		"policyTypes: [Egress], egress: [{ports: [{port: 443}]},"
		" {to: [{namespaceSelector: {}}, {podSelector: {}}], ports: [{port: http}]}]");
	struct world w;

	(void)state;
	world_open(&w);
	put_pod(&w, "a", "10.0.0.1", 1);
	put_text(&w, names);
	step(&w, 0);
	/* By a new class, once and again; by ports of a pod that was there. */
	put_pod(&w, "b", "10.0.0.2", 600);
	step(&w, 1);
	put_pod(&w, "c", "10.0.0.3", 700);
	step(&w, 1);
	knp_store_del_pod(w.store, "x", "b");
	step(&w, 1);
	put_pod(&w, "c", "10.0.0.3", 2);
	step(&w, 0);
	put_pod(&w, "c", "10.0.0.3", 700);
	step(&w, 1);
	/* By a set that is computed anew, and that does not care any more. */
	put_text(&w, POLICY("names", "policyTypes: [Egress], egress: [{}]"));
	step(&w, 0);
	put_text(&w, names);
	step(&w, 1);
	/* The default itself. */
	put_list(&w, "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy,"
		 " metadata: {name: numbers, namespace: x}, spec: {podSelector: {},"
		 " policyTypes: [Egress], egress: [{ports: [",
		 "{port: ", 600, "},", "]}]}}\n");
	step(&w, 1);
	put_pod(&w, "d", "10.0.0.4", 3);
	step(&w, 1);
	knp_store_del_pod(w.store, "x", "c");
	step(&w, 1);
	knp_store_del_policy(w.store, "x", "numbers");
	step(&w, 0);
	delete_all(&w);
	step(&w, 0);
	world_clear(&w);
}

static void blocks_that_are_too_many_come_and_go(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	put_pod(&w, "a", "10.0.0.1", 1);
	put_nested(&w, "p", 100);
	step(&w, 0);
	put_nested(&w, "q", 120);
	step(&w, 0);
	put_text(&w, POLICY("r", "ingress: [{from: [{ipBlock: {cidr: '2001:db9::/64'}}]}]"));
	put_nested(&w, "q", 127);
	step(&w, 0);
	/* The other policy's is one more. */
	put_nested(&w, "q", 128);
	step(&w, 1);
	put_nested(&w, "p", 126);
	step(&w, 1);
	put_nested(&w, "p", 130);
	step(&w, 2);
	/* What selects nobody is not counted, and is not refused. */
	knp_store_del_pod(w.store, "x", "a");
	step(&w, 0);
	put_pod(&w, "b", "10.0.0.2", 1);
	step(&w, 2);
	knp_store_del_policy(w.store, "x", "p");
	step(&w, 1);
	knp_store_del_policy(w.store, "x", "r");
	step(&w, 0);
	put_nested(&w, "q", 1000);
	step(&w, 1);
	delete_all(&w);
	step(&w, 0);
	world_clear(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_more_pod_of_a_known_kind_is_one_record),
		cmocka_unit_test(nothing_changed_is_no_difference),
		cmocka_unit_test(a_table_that_is_too_small_is_said),
		cmocka_unit_test(what_it_cannot_take_is_not_touched_again),
		cmocka_unit_test(what_nothing_needs_is_gone),
		cmocka_unit_test(ports_that_are_too_many_come_and_go),
		cmocka_unit_test(blocks_that_are_too_many_come_and_go),
		cmocka_unit_test(a_failed_allocation_is_said),
		cmocka_unit_test(it_is_what_compile_makes_after_every_event),
	};

	return cmocka_run_group_tests_name("live", tests, NULL, NULL);
}
