// SPDX-License-Identifier: Apache-2.0
/*
 * Every limit of the module's tables, at limit - 1, limit and limit + 1, by the
 * compiler and by the live ruleset: what fits is compiled in full; of what does
 * not fit nothing is opened, it is named, and the rest is in force. The limits
 * are those of a small cluster; that the real ones are the module's is in
 * test_ruleset.c. Then what one pod, or one policy, can have too much of: that
 * closes nothing of anybody else's, and the live ruleset goes on.
 */
#include "alloc.h"
#include "clusters.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block_limits.h"
#include "compile_impl.h"
#include "live.h"

#define POD(name, address)						\
	"apiVersion: v1\nkind: Pod\n"					\
	"metadata: {name: " name ", namespace: x, labels: {app: " name "}}\n" \
	"spec: {nodeName: n}\nstatus: {podIPs: [{ip: " address "}]}\n---\n"
#define POLICY(name, spec)						\
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"	\
	"metadata: {name: " name ", namespace: x}\nspec: {podSelector: " \
	"{matchLabels: {app: " name "}}, " spec "}\n---\n"
#define FROM(app)	"{from: [{podSelector: {matchLabels: {app: " app "}}}]"
#define BLOCK(cidr)	"{from: [{ipBlock: {cidr: " cidr "}}]}"

/* Every policy has sets, rows, rules, classes and port sets of its own. */
static const char some[] =
	POD("a", "10.0.0.1") POD("b", "10.0.0.2") POD("c", "10.0.0.3")
	POD("d", "10.0.0.4") POD("e", "10.0.0.5")
	POLICY("a", "ingress: [" FROM("b") ", ports: [{port: 80}]}, "
	       BLOCK("203.0.113.0/24") "]")
	POLICY("b", "ingress: [" FROM("c") ", ports: [{port: 81}]}, "
	       BLOCK("192.0.2.0/24") "]")
	POLICY("c", "ingress: [" FROM("d") "}, " BLOCK("198.51.100.0/24") "]")
	POLICY("d", "policyTypes: [Ingress, Egress], ingress: [" FROM("a")
	       "}], egress: [{to: [{podSelector: {}}]}]");

static const char *const addresses[] = {
	"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5",
	"192.0.2.1", "198.51.100.1", "203.0.113.1",
};

static const uint16_t ports[] = { 80, 81, 82 };

/* struct change - connections that one ruleset judges otherwise than another */
struct change {
	size_t opened;
	size_t closed;
	size_t still_open;
};

static struct change compare(const struct knp_simulator *full,
			     const struct knp_simulator *tight)
{
	struct change c = { 0 };
	const char *from, *to;
	bool was, is;

	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		from = addresses[i];
		for (size_t j = 0; j < ARRAY_SIZE(addresses) * 3; j++) {
			to = addresses[j / 3];
			if (from == to)
				continue;
			was = passes(full, from, to, IPPROTO_TCP, ports[j % 3]);
			is = passes(tight, from, to, IPPROTO_TCP, ports[j % 3]);
			c.opened += is && !was;
			c.closed += was && !is;
			c.still_open += was && is;
		}
	}
	return c;
}

/* What knp_compile_within() makes of a store, for the node n. */
static struct knp_ruleset *within(const struct knp_store *store,
				  uint32_t table, uint32_t limit,
				  struct knp_troubles *troubles)
{
	struct knp_limits limits = knp_limits;
	struct knp_ruleset *rs = NULL;

	limits.v[table] = limit;
	assert_int_equal(knp_compile_within(store, "n", &limits, &rs, troubles),
			 0);
	assert_true(knp_ruleset_table(rs, table)->n <= limit);
	return rs;
}

static int live_within(struct knp_store *store, uint32_t table, uint32_t limit)
{
	struct knp_limits limits = knp_limits;
	struct knp_live *live;
	int err;

	limits.v[table] = limit;
	assert_int_equal(knp_live_new(store, "n", &limits, &live), 0);
	err = knp_live_update(live);
	knp_live_free(live);
	return err;
}

/* A cluster that needs @need records has as many, or one more. */
static void fits(struct knp_store *store, uint32_t table, uint32_t limit)
{
	struct knp_ruleset *full = compiled(store, "n");
	struct knp_troubles troubles = { 0 };
	struct knp_ruleset *rs = within(store, table, limit, &troubles);

	assert_int_equal(troubles.n, 0);
	assert_true(same_ruleset(full, rs));
	assert_int_equal(live_within(store, table, limit), 0);
	knp_ruleset_free(full);
	knp_ruleset_free(rs);
}

/* It has one less: that is said, and closes something, but not everything. */
static void does_not_fit(struct knp_store *store, uint32_t table,
			 uint32_t limit, bool closes)
{
	struct knp_simulator *full, *tight;
	struct knp_troubles troubles = { 0 };
	struct change change;

	assert_int_equal(knp_simulator_new(compiled(store, "n"), &full, NULL),
			 0);
	assert_int_equal(knp_simulator_new(within(store, table, limit,
						  &troubles), &tight, NULL), 0);
	change = compare(full, tight);
	assert_int_equal(change.opened, 0);
	assert_int_equal(change.closed > 0, closes);
	assert_true(change.still_open > 0);
	/* A policy of the affected pods, the table that is full, or both. */
	assert_in_range(troubles.n, 1, 2);
	for (size_t i = 0; i < troubles.n; i++)
		assert_true(strstr(troubles.v[i].text, "policy x/") ||
			    strstr(troubles.v[i].text, "more than"));
	assert_int_equal(live_within(store, table, limit), -E2BIG);
	knp_troubles_clear(&troubles);
	knp_simulator_free(full);
	knp_simulator_free(tight);
}

static void check_edge(uint32_t table, bool closes)
{
	struct knp_store *store = cluster(some);
	struct knp_ruleset *full = compiled(store, "n");
	uint32_t need = knp_ruleset_table(full, table)->n;

	knp_ruleset_free(full);
	assert_true(need > 2);
	fits(store, table, need + 1);
	fits(store, table, need);
	does_not_fit(store, table, need - 1, closes);
	knp_store_free(store);
}

static void one_rule_too_many_closes_the_pods_of_its_policy(void **state)
{
	(void)state;
	check_edge(KNP_TABLE_RULE, true);
}

static void one_port_set_too_many_closes_the_pods_that_need_it(void **state)
{
	(void)state;
	check_edge(KNP_TABLE_PORTSET, true);
}

static void one_class_too_many_is_nobody(void **state)
{
	(void)state;
	check_edge(KNP_TABLE_CLASS, true);
}

static void one_row_too_many_closes_its_set_to_one_class(void **state)
{
	(void)state;
	check_edge(KNP_TABLE_ROW, true);
}

static void one_set_too_many_closes_its_pods(void **state)
{
	(void)state;
	check_edge(KNP_TABLE_SET, true);
}

static void one_peer_too_many_is_nobody(void **state)
{
	(void)state;
	check_edge(KNP_TABLE_PEER, true);
}

static void one_block_too_many_closes_them_all(void **state)
{
	(void)state;
	check_edge(KNP_TABLE_CIDR, true);
}

/* The one left out is e, which no policy isolates. */
static void one_endpoint_too_many_is_one_that_is_not_isolated(void **state)
{
	(void)state;
	check_edge(KNP_TABLE_ENDPOINT, false);
}

/* Whether all is judged alike but what has an end at one address. */
static bool alike_but_at(const struct knp_simulator *a,
			 const struct knp_simulator *b, const char *address)
{
	const char *from, *to;

	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(addresses) * 3; j++) {
			from = addresses[i];
			to = addresses[j / 3];
			if (from == to || !strcmp(from, address) ||
			    !strcmp(to, address))
				continue;
			if (passes(a, from, to, IPPROTO_TCP, ports[j % 3]) !=
			    passes(b, from, to, IPPROTO_TCP, ports[j % 3]))
				return false;
		}
	}
	return true;
}

/* The one left out is d; to deny it is up to who commits, see test_push.c. */
static void one_isolated_endpoint_too_many_is_counted(void **state)
{
	struct knp_store *store = cluster(some);
	struct knp_simulator *full, *tight;
	struct knp_troubles troubles;
	struct knp_ruleset *rs;

	(void)state;
	assert_int_equal(knp_simulator_new(compiled(store, "n"), &full, NULL),
			 0);
	for (uint32_t limit = 5; limit >= 3; limit--) {
		troubles = (struct knp_troubles){ 0 };
		rs = within(store, KNP_TABLE_ENDPOINT, limit, &troubles);
		assert_int_equal(rs->endpoints.n, limit);
		assert_int_equal(rs->unheld, limit == 3);
		assert_int_equal(troubles.n, 5 - limit);
		if (limit == 3)
			assert_non_null(strstr(troubles.v[0].text,
					       "1 more, the first of them 10.0.0.4 of pod x/d"));
		assert_int_equal(knp_simulator_new(rs, &tight, NULL), 0);
		assert_true(alike_but_at(full, tight, "10.0.0.4"));
		knp_simulator_free(tight);
		knp_troubles_clear(&troubles);
	}
	knp_simulator_free(full);
	knp_store_free(store);
}

/* The live ruleset is what the compiler makes of a store, and says the same. */
static void check_live(struct knp_store *store)
{
	struct knp_troubles want = { 0 }, have = { 0 };
	struct knp_ruleset *compiler, *live_rs;
	struct knp_live *live;
	struct knp_diff *diff;

	assert_int_equal(knp_compile(store, "n", &compiler, &want), 0);
	knp_troubles_sort(&want);
	assert_int_equal(knp_live_new(store, "n", &knp_limits, &live), 0);
	assert_int_equal(knp_live_update(live), 0);
	assert_int_equal(knp_live_ruleset(live, &live_rs), 0);
	assert_int_equal(knp_live_troubles(live, &have), 0);
	assert_int_equal(knp_ruleset_adopt(compiler, live_rs), 0);
	assert_int_equal(knp_ruleset_diff(live_rs, compiler, &diff), 0);
	assert_int_equal(diff->count, 0);
	assert_int_equal(want.n, have.n);
	for (size_t i = 0; i < want.n; i++)
		assert_string_equal(want.v[i].text, have.v[i].text);
	knp_diff_free(diff);
	knp_troubles_clear(&want);
	knp_troubles_clear(&have);
	knp_ruleset_free(compiler);
	knp_ruleset_free(live_rs);
	knp_live_free(live);
}

/* A policy for a, and one for b with @n ports that do not touch. */
static struct knp_store *with_ports(unsigned int n)
{
	struct knp_store *store;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	fputs(POD("a", "10.0.0.1") POD("b", "10.0.0.2") POD("c", "10.0.0.3")
	      POLICY("a", "ingress: [{ports: [{port: 80}]}]")
	      "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
	      "metadata: {name: b, namespace: x}\nspec: {podSelector: "
	      "{matchLabels: {app: b}}, ingress: [{ports: [", out);
	for (unsigned int i = 0; i < n; i++)
		fprintf(out, "{port: %u},", 80 + 2 * i);
	fputs("]}]}\n", out);
	assert_int_equal(fclose(out), 0);
	store = cluster(text);
	free(text);
	return store;
}

static void one_port_too_many_closes_the_pods_of_its_policy(void **state)
{
	struct knp_troubles troubles;
	struct knp_simulator *s;
	struct knp_store *store;
	struct knp_ruleset *rs;
	bool fitting;

	(void)state;
	for (unsigned int n = KNP_PORTS_MAX - 1; n <= KNP_PORTS_MAX + 1; n++) {
		fitting = n <= KNP_PORTS_MAX;
		troubles = (struct knp_troubles){ 0 };
		store = with_ports(n);
		assert_int_equal(knp_compile(store, "n", &rs, &troubles), 0);
		assert_int_equal(troubles.n, !fitting);
		if (troubles.n)
			assert_non_null(strstr(troubles.v[0].text,
					       "policy x/b: ingress denied"));
		assert_int_equal(knp_simulator_new(rs, &s, NULL), 0);
		assert_int_equal(passes(s, "10.0.0.3", "10.0.0.2", IPPROTO_TCP,
					80 + 2 * (n - 1)), fitting);
		assert_int_equal(passes(s, "10.0.0.3", "10.0.0.2", IPPROTO_TCP,
					80), fitting);
		assert_true(passes(s, "10.0.0.2", "10.0.0.1", IPPROTO_TCP, 80));
		assert_true(passes(s, "10.0.0.2", "10.0.0.3", IPPROTO_TCP, 9));
		check_live(store);
		knp_troubles_clear(&troubles);
		knp_simulator_free(s);
		knp_store_free(store);
	}
}

/* Begin a text; its end makes a cluster of it. */
static FILE *begin(char **text, size_t *len)
{
	FILE *out = open_memstream(text, len);

	assert_non_null(out);
	return out;
}

static struct knp_store *end(FILE *out, char **text)
{
	struct knp_store *store;

	assert_int_equal(fclose(out), 0);
	store = cluster(*text);
	free(*text);
	*text = NULL;
	return store;
}

/* A pod of somebody else's with @n ports of one name. */
static void write_foreign(FILE *out, const char *name, const char *address,
			  unsigned int n)
{
	fprintf(out, "apiVersion: v1\nkind: Pod\n"
		"metadata: {name: %s, namespace: foreign}\n"
		"spec: {nodeName: m, containers: [", name);
	for (unsigned int i = 0; i < n; i++)
		fprintf(out, "{name: c%u, ports: [{name: http, containerPort: %u}]},",
			i, 1000 + 2 * i);
	fprintf(out, "]}\nstatus: {podIPs: [{ip: %s}]}\n---\n", address);
}

/* 443 for everybody; http, wherever that is, for pods; and DNS. */
static struct knp_store *with_foreign_ports(unsigned int n)
{
	char *text = NULL;
	size_t len;
	FILE *out = begin(&text, &len);

	fputs(POD("a", "10.0.0.1") POD("dns", "10.0.0.2")
	      POLICY("a", "policyTypes: [Egress], egress: ["
		     "{ports: [{port: 443}]},"
		     "{to: [{namespaceSelector: {}}], ports: [{port: http}]},"
		     "{to: [{podSelector: {matchLabels: {app: dns}}}], ports: [{port: 53}]}]"),
	      out);
	write_foreign(out, "good", "10.0.0.3", 1);
	write_foreign(out, "bad", "10.0.0.4", n);
	return end(out, &text);
}

static void ports_of_a_foreign_pod_close_nobody_else(void **state)
{
	struct knp_troubles troubles;
	struct knp_simulator *s;
	struct knp_store *store;
	struct knp_ruleset *rs;
	const char *a = "10.0.0.1", *bad = "10.0.0.4", *left_out =
		"policy x/a: egress, classes of peers that get only what any peer gets: 1:";
	bool fitting;

	(void)state;
	/* 443 is one more. */
	for (unsigned int n = KNP_PORTS_MAX - 2; n <= KNP_PORTS_MAX; n++) {
		fitting = n < KNP_PORTS_MAX;
		troubles = (struct knp_troubles){ 0 };
		store = with_foreign_ports(n);
		assert_int_equal(knp_compile(store, "n", &rs, &troubles), 0);
		assert_int_equal(troubles.n, !fitting);
		if (troubles.n)
			assert_non_null(strstr(troubles.v[0].text, left_out));
		assert_int_equal(knp_simulator_new(rs, &s, NULL), 0);
		assert_true(passes(s, a, "10.0.0.2", IPPROTO_TCP, 53));
		assert_true(passes(s, a, "10.0.0.3", IPPROTO_TCP, 1000));
		assert_false(passes(s, a, "10.0.0.3", IPPROTO_TCP, 1002));
		assert_true(passes(s, a, "192.0.2.1", IPPROTO_TCP, 443));
		/* Towards it what anybody may, and no more. */
		assert_true(passes(s, a, bad, IPPROTO_TCP, 443));
		assert_false(passes(s, a, bad, IPPROTO_TCP, 53));
		assert_int_equal(passes(s, a, bad, IPPROTO_TCP, 1000), fitting);
		assert_int_equal(passes(s, a, bad, IPPROTO_TCP,
					1000 + 2 * (n - 1)), fitting);
		check_live(store);
		knp_troubles_clear(&troubles);
		knp_simulator_free(s);
		knp_store_free(store);
	}
}

/*
 * A policy for all pods of a namespace that admits its pods, and everybody but
 * one address, @n times with another one.
 */
static void write_nested(FILE *out, const char *ns, unsigned int n)
{
	fprintf(out, "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
		"metadata: {name: nested, namespace: %s}\nspec: {podSelector: {}, "
		"ingress: [{from: [{podSelector: {}},", ns);
	for (unsigned int i = 0; i < n; i++)
		fprintf(out, "{ipBlock: {cidr: 0.0.0.0/0, except: [198.51.%u.%u/32]}},",
			i >> 8, i & 255);
	fputs("]}]}\n---\n", out);
}

static void write_flat(FILE *out, const char *ns, unsigned int n)
{
	fprintf(out, "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
		"metadata: {name: flat, namespace: %s}\nspec: {podSelector: {}, "
		"ingress: [{from: [", ns);
	for (unsigned int i = 0; i < n; i++)
		fprintf(out, "{ipBlock: {cidr: 203.0.%u.%u/32}},", i >> 8,
			i & 255);
	fputs("]}]}\n---\n", out);
}

static const char two_namespaces[] =
	POD("a", "10.0.0.1") POD("b", "10.0.0.2")
	"apiVersion: v1\nkind: Pod\nmetadata: {name: c, namespace: y}\n"
	"spec: {nodeName: n}\nstatus: {podIPs: [{ip: 10.0.0.3}]}\n---\n";

/* Whether a policy of namespace x is said to be refused; no other one may be. */
static bool refused(const struct knp_troubles *troubles, const char *what)
{
	assert_in_range(troubles->n, 0, 1);
	if (!troubles->n)
		return false;
	assert_non_null(strstr(troubles->v[0].text, what));
	return true;
}

static void blocks_around_one_another_close_their_policy_alone(void **state)
{
	struct knp_troubles troubles;
	struct knp_simulator *s;
	struct knp_store *store;
	struct knp_ruleset *rs;
	char *text = NULL;
	bool fitting;
	size_t len;
	FILE *out;

	(void)state;
	/* The other policy's are one more. */
	for (unsigned int n = KNP_BLOCKS_AROUND_MAX - 2;
	     n <= KNP_BLOCKS_AROUND_MAX; n++) {
		fitting = n < KNP_BLOCKS_AROUND_MAX;
		troubles = (struct knp_troubles){ 0 };
		out = begin(&text, &len);
		fputs(two_namespaces, out);
		write_nested(out, "x", n);
		write_flat(out, "x", 2);
		write_nested(out, "y", 2);
		store = end(out, &text);
		assert_int_equal(knp_compile(store, "n", &rs, &troubles), 0);
		assert_int_equal(refused(&troubles, "policy x/nested: its ipBlocks match nobody"),
				 !fitting);
		assert_int_equal(knp_simulator_new(rs, &s, NULL), 0);
		assert_int_equal(passes(s, "192.0.2.1", "10.0.0.1",
					IPPROTO_TCP, 80), fitting);
		assert_true(passes(s, "10.0.0.2", "10.0.0.1", IPPROTO_TCP, 80));
		assert_true(passes(s, "203.0.0.1", "10.0.0.1", IPPROTO_TCP, 80));
		assert_true(passes(s, "192.0.2.1", "10.0.0.3", IPPROTO_TCP, 80));
		assert_true(passes(s, "198.51.0.0", "10.0.0.3", IPPROTO_TCP, 80));
		check_live(store);
		knp_troubles_clear(&troubles);
		knp_simulator_free(s);
		knp_store_free(store);
	}
}

/* Few blocks around many others are too much only for one and the same. */
static void what_one_namespace_nests_is_its_own_limit(void **state)
{
	const unsigned int around = KNP_BLOCKS_AROUND_MAX - 8;
	const unsigned int many = KNP_BLOCKS_NESTED_MAX / around;
	struct knp_troubles troubles;
	struct knp_simulator *s;
	struct knp_store *store;
	struct knp_ruleset *rs;
	char *text = NULL;
	size_t len;
	FILE *out;

	(void)state;
	for (int together = 0; together < 2; together++) {
		troubles = (struct knp_troubles){ 0 };
		out = begin(&text, &len);
		fputs(two_namespaces, out);
		write_flat(out, "x", many);
		write_nested(out, together ? "x" : "y", around);
		store = end(out, &text);
		assert_int_equal(knp_compile(store, "n", &rs, &troubles), 0);
		assert_int_equal(refused(&troubles, "policy x/nested: "),
				 together);
		assert_int_equal(knp_simulator_new(rs, &s, NULL), 0);
		assert_true(passes(s, "203.0.0.1", "10.0.0.1", IPPROTO_TCP, 80));
		assert_false(passes(s, "192.0.2.1", "10.0.0.1", IPPROTO_TCP, 80));
		assert_true(passes(s, "192.0.2.1", "10.0.0.3", IPPROTO_TCP, 80));
		check_live(store);
		knp_troubles_clear(&troubles);
		knp_simulator_free(s);
		knp_store_free(store);
	}
}

/* Bytes that compiling, and a live ruleset, take at most beside the store. */
static long peak_of_nested(unsigned int n, unsigned int inside)
{
	struct knp_store *store;
	struct knp_ruleset *rs;
	struct knp_live *live;
	char *text = NULL;
	long before, peak;
	size_t len;
	FILE *out = begin(&text, &len);

	fputs(two_namespaces, out);
	write_nested(out, "x", n);
	write_flat(out, "x", inside);
	store = end(out, &text);
	before = allocs_bytes();
	allocs_peak();
	assert_int_equal(knp_compile(store, "n", &rs, NULL), 0);
	knp_ruleset_free(rs);
	assert_int_equal(knp_live_new(store, "n", &knp_limits, &live), 0);
	assert_int_equal(knp_live_update(live), 0);
	knp_live_free(live);
	peak = allocs_peak();
	knp_store_free(store);
	return peak - before;
}

static void memory_of_blocks_around_one_another_is_linear(void **state)
{
	long few, more, most;

	(void)state;
	few = peak_of_nested(3000, 1);
	assert_true(few < 4L << 20);
	more = peak_of_nested(9000, 1);
	assert_true(more < 4 * few);
	/* As much as a namespace may have. */
	most = peak_of_nested(120, KNP_BLOCKS_NESTED_MAX / 121 - 140);
	assert_in_range(most, 4L << 20, 32L << 20);
	printf("# 3,000 blocks around one another: %ld KiB, 9,000: %ld KiB; at most %ld KiB\n",
	       few >> 10, more >> 10, most >> 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_rule_too_many_closes_the_pods_of_its_policy),
		cmocka_unit_test(one_port_set_too_many_closes_the_pods_that_need_it),
		cmocka_unit_test(one_class_too_many_is_nobody),
		cmocka_unit_test(one_row_too_many_closes_its_set_to_one_class),
		cmocka_unit_test(one_set_too_many_closes_its_pods),
		cmocka_unit_test(one_peer_too_many_is_nobody),
		cmocka_unit_test(one_block_too_many_closes_them_all),
		cmocka_unit_test(one_endpoint_too_many_is_one_that_is_not_isolated),
		cmocka_unit_test(one_isolated_endpoint_too_many_is_counted),
		cmocka_unit_test(one_port_too_many_closes_the_pods_of_its_policy),
		cmocka_unit_test(ports_of_a_foreign_pod_close_nobody_else),
		cmocka_unit_test(blocks_around_one_another_close_their_policy_alone),
		cmocka_unit_test(what_one_namespace_nests_is_its_own_limit),
		cmocka_unit_test(memory_of_blocks_around_one_another_is_linear),
	};

	return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
