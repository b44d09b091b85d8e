// SPDX-License-Identifier: Apache-2.0
/*
 * From the store to the kernel: a kernel made of the module's own tables, that
 * fails and is changed by others as told.
 */
#include "clusters.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "enforcer.h"
#include "kernel.h"
#include "runtime.h"

#define NODE	"n"

/* struct node - all of it, with a runtime folder */
struct node {
	struct kernel kernel;
	struct knp_store *store;
	struct knp_push *push;
	struct knp_names_log *names;
	struct knp_enforcer *enforcer;
	struct knp_push_result last;
	char dir[32];
};

#define POD(name, app, node, ip) \
	"{apiVersion: v1, kind: Pod, metadata: {name: " name ", namespace: x, labels: {app: " app "}}," \
	" spec: {nodeName: " node "}, status: {phase: Running, podIPs: [" ip "]}}\n---\n"

static const char start[] =
	POD("a", "a", NODE, "{ip: 10.0.0.1}")
	POD("b", "b", "m", "{ip: 10.0.0.2}")
	"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: x},"
	" spec: {podSelector: {matchLabels: {app: a}},"
	" ingress: [{from: [{podSelector: {matchLabels: {app: b}}}]}]}}\n";

static void node_init(struct node *n)
{
	const struct knp_push_options options = {
		.families = KNP_FAMILY_ALL, .mode = -1,
		.unknown_local = -1,
	};

	*n = (struct node){ .dir = "/tmp/knp-enforcer.XXXXXX" };
	assert_non_null(mkdtemp(n->dir));
	assert_int_equal(kernel_init(&n->kernel), 0);
	n->store = cluster(start);
	assert_int_equal(knp_push_new(&kernel_ops, &options, &n->push), 0);
	assert_int_equal(knp_names_log_open(n->dir, &n->names), 0);
	assert_int_equal(knp_enforcer_new(n->store, NODE, n->push, n->names,
					  &n->enforcer), 0);
}

static void node_clear(struct node *n)
{
	char path[64];

	knp_enforcer_free(n->enforcer);
	knp_names_log_close(n->names);
	knp_push_free(n->push);
	knp_store_free(n->store);
	kernel_clear(&n->kernel);
	snprintf(path, sizeof(path), "%s/%s", n->dir, KNP_NAMES_FILE);
	remove(path);
	assert_int_equal(remove(n->dir), 0);
}

static int run(struct node *n)
{
	return knp_enforcer_run(n->enforcer, &n->kernel, &n->last);
}

/* The kernel holds what the compiler makes of the store. */
static void check(struct node *n)
{
	struct knp_ruleset *have = read_back(n->kernel.tables);
	struct knp_ruleset *want;
	struct knp_diff *diff;

	assert_int_equal(knp_compile(n->store, NODE, &want, NULL), 0);
	assert_int_equal(knp_ruleset_adopt(want, have), 0);
	assert_int_equal(knp_ruleset_diff(have, want, &diff), 0);
	assert_int_equal(diff->count, 0);
	knp_diff_free(diff);
	knp_ruleset_free(want);
	knp_ruleset_free(have);
}

static void add(struct node *n, const char *yaml)
{
	struct knp_store *s = cluster(yaml);

	knp_store_put_all(n->store, KNP_KIND_POD, s);
	knp_store_free(s);
}

/* "10.0.0.9 is x/c", or NULL */
static const char *name_of(struct node *n, const char *address, char buf[64])
{
	struct knp_names *names;
	const char *name;
	struct knp_ip ip;

	assert_int_equal(knp_names_read(n->dir, &names), 0);
	assert_int_equal(names->generation, n->kernel.info.generation);
	assert_int_equal(knp_ip_parse(address, &ip), 0);
	name = knp_names_address(names, ip.family, ip.b);
	if (name)
		snprintf(buf, 64, "%s", name);
	knp_names_free(names);
	return name ? buf : NULL;
}

static void check_name(struct node *n, const struct knp_names *names,
		       uint32_t table, uint32_t id, const uint8_t *tag,
		       uint8_t direction)
{
	struct knp_enforced_name name;

	assert_true(knp_enforcer_name(n->enforcer, table, id, &name));
	assert_memory_equal(name.tag, tag, KNP_TAG_LEN);
	assert_string_equal(name.text, knp_names_tag(names, tag));
	assert_int_equal(name.direction, direction);
}

/* What the kernel's ids are called is what the file calls their tags. */
static void check_names(struct node *n)
{
	struct knp_ruleset *have = read_back(n->kernel.tables);
	const struct knp_rec_rule *rule = have->rules.v;
	const struct knp_rec_set *set = have->sets.v;
	struct knp_enforced_name none;
	struct knp_names *names;

	assert_true(knp_enforcer_names(n->enforcer));
	assert_int_equal(knp_names_read(n->dir, &names), 0);
	assert_true(have->rules.n > 0 && have->sets.n > 0);
	for (size_t i = 0; i < have->rules.n; i++)
		check_name(n, names, KNP_TABLE_RULE, rule[i].id, rule[i].tag,
			   strstr(knp_names_tag(names, rule[i].tag),
				  "ingress") ? KNP_INGRESS : KNP_EGRESS);
	for (size_t i = 0; i < have->sets.n; i++)
		check_name(n, names, KNP_TABLE_SET, set[i].id, set[i].tag,
			   set[i].direction);
	assert_false(knp_enforcer_name(n->enforcer, KNP_TABLE_SET, 0, &none));
	assert_false(knp_enforcer_name(n->enforcer, KNP_TABLE_SET, 1000, &none));
	knp_names_free(names);
	knp_ruleset_free(have);
}

static void put_policy(struct node *n, const char *yaml)
{
	struct knp_store *s = cluster(yaml);

	knp_store_put_all(n->store, KNP_KIND_POLICY, s);
	knp_store_free(s);
}

static void ids_have_the_names_of_their_tags(void **state)
{
	struct node n;

	(void)state;
	node_init(&n);
	assert_false(knp_enforcer_names(n.enforcer));
	assert_int_equal(run(&n), 0);
	check_names(&n);

	/* Another set takes the place of the first, and a second direction. */
	put_policy(&n, "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy,"
		       " metadata: {name: q, namespace: x}, spec: {podSelector: {},"
		       " policyTypes: [Ingress, Egress],"
		       " egress: [{ports: [{port: 80}]}], ingress: [{}]}}\n");
	assert_int_equal(run(&n), 0);
	check_names(&n);

	/* What the kernel has is not known after a failure. */
	knp_store_del_policy(n.store, "x", "p");
	n.kernel.fail_commit = -ENOMEM;
	assert_int_equal(run(&n), -ENOMEM);
	assert_false(knp_enforcer_names(n.enforcer));
	assert_int_equal(run(&n), 0);
	check_names(&n);
	node_clear(&n);
}

static void the_whole_first_and_then_what_changes(void **state)
{
	struct node n;
	char buf[64];

	(void)state;
	node_init(&n);
	assert_int_equal(run(&n), 0);
	check(&n);
	assert_true(n.last.wrote);
	assert_int_equal(n.kernel.reads, 1);
	assert_string_equal(name_of(&n, "10.0.0.2", buf), "x/b");

	add(&n, POD("c", "b", "m", "{ip: 10.0.0.9}"));
	assert_int_equal(run(&n), 0);
	check(&n);
	assert_int_equal(n.last.puts, 1);
	assert_int_equal(n.last.deletes, 0);
	assert_string_equal(name_of(&n, "10.0.0.9", buf), "x/c");

	knp_store_del_pod(n.store, "x", "c");
	assert_int_equal(run(&n), 0);
	check(&n);
	assert_int_equal(n.last.puts, 0);
	assert_int_equal(n.last.deletes, 1);
	assert_null(name_of(&n, "10.0.0.9", buf));
	/* All that without reading the kernel's tables again. */
	assert_int_equal(n.kernel.reads, 1);
	node_clear(&n);
}

static void nothing_is_written_where_nothing_changed(void **state)
{
	uint64_t generation;
	struct node n;

	(void)state;
	node_init(&n);
	assert_int_equal(run(&n), 0);
	generation = n.kernel.info.generation;
	assert_int_equal(run(&n), 0);
	assert_false(n.last.wrote);
	assert_int_equal(n.kernel.info.generation, generation);

	/* Nor by one who starts anew and finds its own. */
	knp_enforcer_free(n.enforcer);
	assert_int_equal(knp_enforcer_new(n.store, NODE, n.push, n.names,
					  &n.enforcer), 0);
	assert_int_equal(run(&n), 0);
	assert_false(n.last.wrote);
	check(&n);
	node_clear(&n);
}

static void a_failure_leaves_the_last_generation_and_the_next_run_heals(void **state)
{
	static const int errs[] = { -ENOMEM, -EPERM };
	uint64_t generation;
	struct node n;

	(void)state;
	for (int i = 0; i < 4; i++) {
		node_init(&n);
		assert_int_equal(run(&n), 0);
		generation = n.kernel.info.generation;
		add(&n, POD("c", "b", "m", "{ip: 10.0.0.9}"));
		if (i < 2)
			n.kernel.fail_write = errs[i];
		else
			n.kernel.fail_commit = errs[i - 2];
		assert_int_equal(run(&n), errs[i % 2]);
		assert_true(strlen(knp_enforcer_error(n.enforcer)) > 0);
		assert_int_equal(n.kernel.info.generation, generation);

		/* More happens before the next try. */
		add(&n, POD("d", "a", NODE, "{ip: 10.0.0.10}"));
		assert_int_equal(run(&n), 0);
		check(&n);
		assert_int_equal(n.kernel.reads, 2);
		node_clear(&n);
	}
}

static void what_others_wrote_is_taken_out_in_the_same_run(void **state)
{
	struct knp_rec_rule rule = { .id = 4000, .tag = "foreign" };
	struct knp_refusal why = { 0 };
	struct knp_tables *next;
	struct node n;

	(void)state;
	node_init(&n);
	assert_int_equal(run(&n), 0);
	next = knp_tables_clone(n.kernel.tables);
	assert_int_equal(knp_tables_put(next, KNP_TABLE_RULE, &rule,
					sizeof(rule), &why), 1);
	assert_int_equal(knp_tables_freeze(next), 0);
	knp_tables_free(n.kernel.tables);
	n.kernel.tables = next;
	n.kernel.info.generation++;

	add(&n, POD("c", "b", "m", "{ip: 10.0.0.9}"));
	assert_int_equal(run(&n), 0);
	check(&n);
	node_clear(&n);
}

static void asked_to_it_reads_again_and_writes_only_what_differs(void **state)
{
	struct node n;

	(void)state;
	node_init(&n);
	assert_int_equal(run(&n), 0);
	knp_enforcer_resync(n.enforcer);
	assert_int_equal(run(&n), 0);
	assert_int_equal(n.kernel.reads, 2);
	assert_false(n.last.wrote);
	check(&n);
	node_clear(&n);
}

static void a_module_that_was_loaded_anew_gets_everything(void **state)
{
	struct node n;

	(void)state;
	node_init(&n);
	assert_int_equal(run(&n), 0);
	knp_tables_free(n.kernel.tables);
	n.kernel.tables = knp_tables_new();
	assert_int_equal(knp_tables_freeze(n.kernel.tables), 0);
	n.kernel.info = (struct knp_info){ .instance = 8 };
	assert_int_equal(run(&n), 0);
	check(&n);
	assert_int_equal(n.kernel.info.families, KNP_FAMILY_ALL);
	node_clear(&n);
}

/* More addresses than a live ruleset takes stand for any table too small. */
static void what_does_not_fit_is_left_to_the_compiler(void **state)
{
	char yaml[1024] = "{apiVersion: v1, kind: Pod,"
			  " metadata: {name: c, namespace: x, labels: {app: b}},"
			  " spec: {nodeName: m}, status: {phase: Running, podIPs: [";
	struct node n;

	(void)state;
	node_init(&n);
	assert_int_equal(run(&n), 0);
	for (int i = 0; i < 17; i++)
		sprintf(yaml + strlen(yaml), "%s{ip: 10.0.1.%d}", i ? ", " : "",
			i + 1);
	strcat(yaml, "]}}\n");
	add(&n, yaml);
	assert_int_equal(run(&n), 0);
	check(&n);
	assert_int_equal(n.last.puts, 17);
	check_names(&n);
	assert_int_equal(knp_enforcer_troubles(n.enforcer)->n, 0);

	/* And taken back when it fits. */
	knp_store_del_pod(n.store, "x", "c");
	assert_int_equal(run(&n), 0);
	check(&n);
	add(&n, POD("d", "b", "m", "{ip: 10.0.0.10}"));
	assert_int_equal(run(&n), 0);
	check(&n);
	assert_int_equal(n.last.puts, 1);
	node_clear(&n);
}

/* Whether a run says something. */
static bool speaks(struct node *n)
{
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	long len;

	assert_non_null(file);
	assert_true(saved >= 0);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	assert_int_equal(run(n), 0);
	fflush(stderr);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	len = ftell(file);
	fclose(file);
	return len > 0;
}

/* What one pod has too much of is said once, and does not end the live ruleset. */
static void ports_that_do_not_fit_are_said_while_changes_go_on(void **state)
{
	static const char by_name[] =
		"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: x},"
		" spec: {podSelector: {matchLabels: {app: a}}, policyTypes: [Egress],"
		" egress: [{to: [{namespaceSelector: {}}], ports: [{port: http}]}]}}\n";
	struct knp_store *policy = cluster(by_name);
	char *text = NULL;
	struct node n;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	node_init(&n);
	knp_store_put_all(n.store, KNP_KIND_POLICY, policy);
	knp_store_free(policy);
	assert_int_equal(run(&n), 0);
	assert_int_equal(knp_enforcer_troubles(n.enforcer)->n, 0);

	fputs("{apiVersion: v1, kind: Pod, metadata: {name: c, namespace: y},"
	      " spec: {nodeName: m, containers: [", out);
	for (int i = 0; i <= KNP_PORTS_MAX; i++)
		fprintf(out, "{name: c%d, ports: [{name: http, containerPort: %d}]},",
			i, 1000 + 2 * i);
	fputs("]}, status: {phase: Running, podIPs: [{ip: 10.0.0.9}]}}\n", out);
	assert_int_equal(fclose(out), 0);
	add(&n, text);
	free(text);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(speaks(&n), !i);
		check(&n);
		check_names(&n);
		assert_int_equal(knp_enforcer_troubles(n.enforcer)->n, 1);
		assert_non_null(strstr(knp_enforcer_troubles(n.enforcer)->v[0].text,
				       "policy x/p: egress"));
		/* Kept only for what the compiler makes. */
		assert_null(knp_push_mirror(n.push));
		add(&n, POD("d", "b", "m", "{ip: 10.0.0.10}"));
	}
	assert_int_equal(n.last.puts, 1);

	knp_store_del_pod(n.store, "y", "c");
	assert_int_equal(run(&n), 0);
	check(&n);
	assert_int_equal(knp_enforcer_troubles(n.enforcer)->n, 0);
	node_clear(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_have_the_names_of_their_tags),
		cmocka_unit_test(the_whole_first_and_then_what_changes),
		cmocka_unit_test(nothing_is_written_where_nothing_changed),
		cmocka_unit_test(a_failure_leaves_the_last_generation_and_the_next_run_heals),
		cmocka_unit_test(what_others_wrote_is_taken_out_in_the_same_run),
		cmocka_unit_test(asked_to_it_reads_again_and_writes_only_what_differs),
		cmocka_unit_test(a_module_that_was_loaded_anew_gets_everything),
		cmocka_unit_test(what_does_not_fit_is_left_to_the_compiler),
		cmocka_unit_test(ports_that_do_not_fit_are_said_while_changes_go_on),
	};

	return cmocka_run_group_tests_name("enforcer", tests, NULL, NULL);
}
