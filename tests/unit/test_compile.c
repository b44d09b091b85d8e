// SPDX-License-Identifier: Apache-2.0
/* The compiler: order, stability, sharing, limits. Meaning: see the vectors. */
#include "clusters.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "class_names.h"
#include "compile_impl.h"

#define POLICY "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
#define POD "---\napiVersion: v1\nkind: Pod\n"
#define PODS								\
	POD "metadata: {name: a, namespace: x, labels: {app: a}}\n"	\
	"spec: {nodeName: here, containers: [{ports: [{name: http, containerPort: 80}]}]}\n" \
	"status: {podIPs: [{ip: 10.0.0.1}, {ip: 'fd00::1'}]}\n"	\
	POD "metadata: {name: b, namespace: x, labels: {app: b}}\n"	\
	"spec: {nodeName: here, containers: [{ports: [{name: http, containerPort: 8080}]}]}\n" \
	"status: {podIPs: [{ip: 10.0.0.2}]}\n"				\
	POD "metadata: {name: c, namespace: y, labels: {app: a}}\n"	\
	"spec: {nodeName: there}\nstatus: {podIPs: [{ip: 10.0.0.3}]}\n---\n"

/* Objects of @from, put in a random order. */
static struct knp_store *shuffled(struct dice *d, const char *text)
{
	struct knp_store *from = cluster(text), *to = knp_store_new();
	struct knp_policy *policy;
	struct knp_pod *pod;

	while (from->npods || from->npolicies) {
		if (from->npods && (!from->npolicies || dice_below(d, 2))) {
			pod = from->pods[dice_below(d, from->npods)];
			pod = knp_store_take_pod(from, pod->ns, pod->name);
			assert_int_equal(knp_store_put_pod(to, pod), 0);
			continue;
		}
		policy = from->policies[dice_below(d, from->npolicies)];
		policy = knp_store_take_policy(from, policy->ns, policy->name);
		assert_int_equal(knp_store_put_policy(to, policy), 0);
	}
	while (from->nnamespaces) {
		struct knp_namespace *ns = from->namespaces[0];

		ns = knp_store_take_namespace(from, ns->name);
		assert_int_equal(knp_store_put_namespace(to, ns), 0);
	}
	knp_store_free(from);
	return to;
}

static void the_order_of_objects_does_not_matter(void **state)
{
	struct knp_ruleset *a, *b;
	struct knp_store *one, *other;
	struct dice d;
	char *text;

	(void)state;
	dice_init(&d);
	for (int i = 0; i < 30; i++) {
		text = random_cluster(&d, 20, 6);
		one = cluster(text);
		other = shuffled(&d, text);
		a = compiled(one, NULL);
		b = compiled(other, NULL);
		assert_true(same_ruleset(a, b));
		knp_ruleset_free(a);
		knp_ruleset_free(b);
		knp_store_free(one);
		knp_store_free(other);
		free(text);
	}
}

static void the_order_inside_of_objects_does_not_matter(void **state)
{
	static const char one[] = PODS POLICY
		"metadata: {name: p, namespace: x}\n"
		"spec: {podSelector: {}, ingress: [{from: [{podSelector: {matchExpressions: ["
		"{key: app, operator: In, values: [a, b]}, {key: z, operator: DoesNotExist}]}},"
		"{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16, 10.2.0.0/16]}}],"
		"ports: [{port: 1}, {port: http}, {port: 2}]}]}\n";
	static const char other[] = PODS POLICY
		"metadata: {name: p, namespace: x}\n"
		"spec: {podSelector: {}, ingress: [{from: ["
		"{ipBlock: {cidr: 10.0.0.0/8, except: [10.2.0.0/16, 10.1.0.0/16]}},"
		"{podSelector: {matchExpressions: [{key: z, operator: DoesNotExist},"
		"{key: app, operator: In, values: [b, a, b]}]}}],"
		"ports: [{port: 2}, {port: 1}, {port: http}]}]}\n";
	struct knp_store *s1 = cluster(one), *s2 = cluster(other);
	struct knp_ruleset *a = compiled(s1, NULL), *b = compiled(s2, NULL);

	(void)state;
	assert_true(a->rows.n > 0);
	assert_true(same_ruleset(a, b));
	knp_ruleset_free(a);
	knp_ruleset_free(b);
	knp_store_free(s1);
	knp_store_free(s2);
}

static const uint8_t *set_tag_of(const struct knp_ruleset *rs, const char *name)
{
	const struct knp_rec_set *set = rs->sets.v;

	for (size_t i = 0; i < rs->sets.n; i++)
		if (!strcmp(knp_ruleset_name(rs, set[i].tag), name))
			return set[i].tag;
	fail_msg("no set %s", name);
	return NULL;
}

#define PORTS_OF_A(port) PODS POLICY					\
	"metadata: {name: p, namespace: x}\n"				\
	"spec: {podSelector: {matchLabels: {app: a}}, ingress: [{ports: [{port: " port "}]}]}\n"
#define AND_ANOTHER "---\n" POLICY					\
	"metadata: {name: o, namespace: y}\n"				\
	"spec: {podSelector: {}, ingress: [{ports: [{port: zzz}, {port: http}]}]}\n"

static void an_edited_policy_keeps_its_set(void **state)
{
	struct knp_store *s1 = cluster(PORTS_OF_A("1"));
	struct knp_store *s2 = cluster(PORTS_OF_A("2"));
	struct knp_ruleset *a = compiled(s1, "here"), *b = compiled(s2, "here");
	struct knp_diff *diff;

	(void)state;
	assert_memory_equal(set_tag_of(a, "x/p"), set_tag_of(b, "x/p"),
			    KNP_TAG_LEN);
	assert_int_equal(knp_ruleset_adopt(b, a), 0);
	assert_int_equal(knp_ruleset_diff(a, b, &diff), 0);
	/* The new port set, the set that points to it, the old port set. */
	assert_int_equal(diff->count, 3);
	knp_diff_free(diff);
	knp_ruleset_free(a);
	knp_ruleset_free(b);
	knp_store_free(s1);
	knp_store_free(s2);
}

static void another_policy_changes_no_tag(void **state)
{
	struct knp_store *s1 = cluster(PORTS_OF_A("http"));
	struct knp_store *s2 = cluster(PORTS_OF_A("http") AND_ANOTHER);
	struct knp_ruleset *a = compiled(s1, NULL), *b = compiled(s2, NULL);
	const struct knp_name *name = a->names.v;

	(void)state;
	assert_true(a->names.n > 0);
	for (size_t i = 0; i < a->names.n; i++)
		assert_non_null(knp_ruleset_name(b, name[i].tag));
	knp_ruleset_free(a);
	knp_ruleset_free(b);
	knp_store_free(s1);
	knp_store_free(s2);
}

static void only_the_pods_of_the_node_are_endpoints(void **state)
{
	struct knp_store *s = cluster(PORTS_OF_A("80"));
	struct knp_ruleset *here = compiled(s, "here");
	struct knp_ruleset *nowhere = compiled(s, "nowhere");
	struct knp_ruleset *all = compiled(s, NULL);

	(void)state;
	assert_int_equal(here->endpoints.n, 3);
	assert_int_equal(nowhere->endpoints.n, 0);
	/* What selects nobody here is not there. */
	assert_int_equal(nowhere->rules.n, 0);
	assert_int_equal(all->endpoints.n, 4);
	/* Names are for all. */
	assert_int_equal(nowhere->addresses.n, 4);
	knp_ruleset_free(here);
	knp_ruleset_free(nowhere);
	knp_ruleset_free(all);
	knp_store_free(s);
}

static void names_say_what_is_meant(void **state)
{
	static const char text[] = PODS POLICY
		"metadata: {name: p, namespace: x}\n"
		"spec: {podSelector: {matchLabels: {app: b}}, ingress: [{},"
		"{from: [{namespaceSelector: {}}], ports: [{port: 80, endPort: 90}]}]}\n"
		"---\n" POLICY
		"metadata: {name: q, namespace: x}\n"
		"spec: {podSelector: {}, policyTypes: [Egress], egress: ["
		"{to: [{ipBlock: {cidr: 10.0.0.0/8}}, {podSelector: {}}], "
		"ports: [{port: 53, protocol: UDP}]}]}\n";
	static const char *const wanted[] = {
		"x/p ingress[0]", "x/p ingress[1]", "x/q egress[0]", "any",
		"53/UDP", "x/p", "x/q",
	};
	struct knp_store *s = cluster(text);
	struct knp_ruleset *rs = compiled(s, NULL);
	const struct knp_name *name = rs->names.v;
	bool found;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		found = false;
		for (size_t j = 0; j < rs->names.n; j++)
			found |= !strncmp(name[j].text, wanted[i],
					  strlen(wanted[i]));
		if (!found)
			fail_msg("no name %s", wanted[i]);
	}
	knp_ruleset_free(rs);
	knp_store_free(s);
}

static void classes_are_named_after_their_members(void **state)
{
	static const char text[] = PODS POLICY
		"metadata: {name: q, namespace: x}\n"
		"spec: {podSelector: {}, policyTypes: [Egress], egress: ["
		"{to: [{ipBlock: {cidr: 10.0.0.0/8}}, {podSelector: {}}]}]}\n";
	static const char *const wanted[] = {
		"x/a, x/b",	/* by IPv4: matched by both */
		"x/a",		/* by IPv6: no block */
		"y/c, 10.0.0.0/8",
	};
	struct knp_store *s = cluster(text);
	struct knp_ruleset *rs = compiled(s, NULL);
	const struct knp_rec_class *class = rs->classes.v;
	struct knp_class_names *names = NULL;
	bool found;

	(void)state;
	assert_int_equal(rs->classes.n, ARRAY_SIZE(wanted));
	assert_int_equal(knp_class_names_new(rs, rs->addresses.v,
					     rs->addresses.n, &names), 0);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		found = false;
		for (size_t j = 0; j < rs->classes.n; j++)
			found |= !strcmp(knp_class_name(names, class[j].id),
					 wanted[i]);
		if (!found)
			fail_msg("no class %s", wanted[i]);
	}
	knp_class_names_free(names);
	knp_ruleset_free(rs);
	knp_store_free(s);
}

static void the_younger_pod_owns_the_address(void **state)
{
	static const char text[] =
		POD "metadata: {name: old, namespace: x, creationTimestamp: '2026-01-01T00:00:00Z', uid: z}\n"
		"status: {podIPs: [{ip: 10.0.0.1}]}\n"
		POD "metadata: {name: new, namespace: x, creationTimestamp: '2026-01-02T00:00:00Z', uid: a}\n"
		"status: {podIPs: [{ip: 10.0.0.1}]}\n"
		POD "metadata: {name: u1, namespace: x, uid: '1'}\n"
		"status: {podIPs: [{ip: 10.0.0.2}]}\n"
		POD "metadata: {name: u2, namespace: x, uid: '2'}\n"
		"status: {podIPs: [{ip: 10.0.0.2}]}\n";
	struct knp_store *s = cluster(text);
	struct knp_ruleset *rs = compiled(s, NULL);
	const struct knp_address_name *name = rs->addresses.v;

	(void)state;
	assert_int_equal(rs->addresses.n, 2);
	assert_string_equal(name[0].text, "x/new");
	assert_string_equal(name[1].text, "x/u2");
	knp_ruleset_free(rs);
	knp_store_free(s);
}

static void redundant_prefixes_are_left_out(void **state)
{
	static const char text[] = PODS POLICY
		"metadata: {name: p, namespace: x}\n"
		"spec: {podSelector: {}, ingress: [{from: ["
		"{ipBlock: {cidr: 192.0.2.0/24, except: [192.0.2.0/24]}},"
		"{ipBlock: {cidr: 198.51.100.0/24, except: [198.51.100.64/26]}}]}]}\n";
	struct knp_store *s = cluster(text);
	struct knp_ruleset *rs = compiled(s, NULL);
	const struct knp_rec_cidr *cidr = rs->cidrs.v;

	(void)state;
	/* The block, and the hole in it, which is class 0. */
	assert_int_equal(rs->cidrs.n, 2);
	assert_int_equal(cidr[0].prefixlen, 24);
	assert_int_not_equal(cidr[0].class_id, 0);
	assert_int_equal(cidr[1].prefixlen, 26);
	assert_int_equal(cidr[1].class_id, 0);
	knp_ruleset_free(rs);
	knp_store_free(s);
}

/* A policy for x/b with @n ports that do not touch, and maybe a rule for all. */
static char *many_ports(unsigned int n, bool rest)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	fputs(PODS POLICY "metadata: {name: p, namespace: x}\n"
	      "spec: {podSelector: {matchLabels: {app: b}}, ingress: [{ports: [",
	      out);
	/* Backwards: they must be sorted. */
	for (unsigned int i = n; i; i--)
		fprintf(out, "{port: %u},", 2 * i);
	fprintf(out, "]}%s]}\n", rest ? ", {}" : "");
	assert_int_equal(fclose(out), 0);
	return text;
}

static struct knp_simulator *with_troubles(const char *text, size_t troubles)
{
	struct knp_store *store = cluster(text);
	struct knp_troubles t = { 0 };
	struct knp_simulator *s;
	struct knp_ruleset *rs;

	assert_int_equal(knp_compile(store, NULL, &rs, &t), 0);
	assert_int_equal(t.n, troubles);
	if (t.n)
		assert_non_null(strstr(t.v[0].text, "x/p"));
	knp_troubles_clear(&t);
	assert_int_equal(knp_simulator_new(rs, &s, NULL), 0);
	knp_store_free(store);
	return s;
}

static void port_sets_may_be_full_but_not_more(void **state)
{
	char *text = many_ports(KNP_PORTS_MAX, false);
	struct knp_simulator *s = with_troubles(text, 0);

	(void)state;
	assert_true(passes(s, "10.0.0.1", "10.0.0.2", IPPROTO_TCP, 2));
	assert_true(passes(s, "10.0.0.1", "10.0.0.2", IPPROTO_TCP, 1024));
	assert_false(passes(s, "10.0.0.1", "10.0.0.2", IPPROTO_TCP, 3));
	knp_simulator_free(s);
	free(text);

	text = many_ports(KNP_PORTS_MAX + 1, false);
	s = with_troubles(text, 1);
	assert_false(passes(s, "10.0.0.1", "10.0.0.2", IPPROTO_TCP, 2));
	assert_true(passes(s, "10.0.0.2", "10.0.0.1", IPPROTO_TCP, 2));
	knp_simulator_free(s);
	free(text);
}

static void a_rule_for_all_makes_room_for_any_number_of_ports(void **state)
{
	char *text = many_ports(KNP_PORTS_MAX + 1, true);
	struct knp_simulator *s = with_troubles(text, 0);

	(void)state;
	assert_true(passes(s, "10.0.0.1", "10.0.0.2", IPPROTO_TCP, 3));
	assert_true(passes(s, "10.0.0.1", "10.0.0.2", IPPROTO_UDP, 3));
	knp_simulator_free(s);
	free(text);
}

static void ports_belong_to_the_first_rule_that_allows_them(void **state)
{
	static const char text[] = PODS POLICY
		"metadata: {name: p, namespace: x}\n"
		"spec: {podSelector: {matchLabels: {app: b}}, ingress: ["
		"{ports: [{port: 50, endPort: 60}]},"
		"{ports: [{port: 55, endPort: 70}, {port: 40, endPort: 52}]},"
		"{ports: [{}]}, {ports: [{port: 55}, {protocol: UDP, port: 9}]}]}\n";
	static const struct {
		uint16_t port;
		uint8_t proto;
		const char *rule;
	} wanted[] = {
		{ 39, IPPROTO_TCP, "x/p ingress[2]" },
		{ 40, IPPROTO_TCP, "x/p ingress[1]" },
		{ 49, IPPROTO_TCP, "x/p ingress[1]" },
		{ 50, IPPROTO_TCP, "x/p ingress[0]" },
		{ 60, IPPROTO_TCP, "x/p ingress[0]" },
		{ 61, IPPROTO_TCP, "x/p ingress[1]" },
		{ 71, IPPROTO_TCP, "x/p ingress[2]" },
		{ 65535, IPPROTO_TCP, "x/p ingress[2]" },
		{ 9, IPPROTO_UDP, "x/p ingress[3]" },
	};
	struct knp_store *store = cluster(text);
	struct knp_simulator *s = simulator(store);
	struct knp_verdict v;
	struct knp_ip a, b;

	(void)state;
	knp_ip_parse("10.0.0.1", &a);
	knp_ip_parse("10.0.0.2", &b);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		knp_simulator_judge(s, &a, &b, wanted[i].proto, wanted[i].port,
				    &v);
		assert_true(v.pass);
		assert_string_equal(knp_simulator_rule(s, v.ingress.rule),
				    wanted[i].rule);
	}
	assert_false(passes(s, "10.0.0.1", "10.0.0.2", IPPROTO_UDP, 8));
	knp_simulator_free(s);
	knp_store_free(store);
}

static void random_address(struct dice *d, bool v4, char buf[46])
{
	if (v4)
		snprintf(buf, 46, "10.0.0.%u", dice_below(d, 32));
	else
		snprintf(buf, 46, "fd00::%x", dice_below(d, 32));
}

/* Flows that @tight lets through and @full does not, over a small space. */
static unsigned int opened(const struct knp_simulator *tight,
			   const struct knp_simulator *full, struct dice *d)
{
	unsigned int bad = 0;
	char src[46], dst[46];
	uint16_t port;

	for (int i = 0; i < 300; i++) {
		bool v4 = dice_below(d, 2);

		random_address(d, v4, src);
		random_address(d, v4, dst);
		port = dice_below(d, 3) ? 80 : 53;
		bad += passes(tight, src, dst, IPPROTO_TCP, port) &&
		       !passes(full, src, dst, IPPROTO_TCP, port);
	}
	return bad;
}

/*
 * A random cluster where one table is too small: what is said fits, and opens
 * nothing; nothing is left out unsaid. Returns whether anything was.
 */
static bool squeeze(struct dice *d, uint32_t table)
{
	char *text = random_cluster(d, 15, 6);
	struct knp_store *store = cluster(text);
	struct knp_limits limits = knp_limits;
	struct knp_troubles troubles = { 0 };
	struct knp_simulator *tight, *full;
	struct knp_ruleset *rs;
	bool hit;

	limits.v[table] = table == KNP_TABLE_SET ? 2 + dice_below(d, 6) :
						   dice_below(d, 10);
	assert_int_equal(knp_compile_within(store, NULL, &limits, &rs,
					    &troubles), 0);
	assert_true(knp_ruleset_table(rs, table)->n <= limits.v[table]);
	hit = troubles.n;
	full = simulator(store);
	assert_int_equal(knp_simulator_new(rs, &tight, NULL), 0);
	assert_int_equal(opened(tight, full, d), 0);
	if (!hit)
		assert_true(same_ruleset(tight->rs, full->rs));
	knp_troubles_clear(&troubles);
	knp_simulator_free(tight);
	knp_simulator_free(full);
	knp_store_free(store);
	free(text);
	return hit;
}

static void limits_only_ever_deny(void **state)
{
	static const uint32_t tables[] = {
		KNP_TABLE_RULE, KNP_TABLE_PORTSET, KNP_TABLE_CLASS,
		KNP_TABLE_SET, KNP_TABLE_ROW, KNP_TABLE_PEER, KNP_TABLE_CIDR,
	};
	/* Beside that of the run: some that have found something once. */
	static const uint64_t seeds[] = { 2, 6, 7, 8, 117669042930304 };
	unsigned int hit[ARRAY_SIZE(tables)] = { 0 };
	struct dice d;

	(void)state;
	dice_init(&d);
	for (size_t s = 0; s <= ARRAY_SIZE(seeds); s++) {
		for (size_t i = 0; i < 140; i++)
			hit[i % ARRAY_SIZE(tables)] +=
				squeeze(&d, tables[i % ARRAY_SIZE(tables)]);
		if (s < ARRAY_SIZE(seeds))
			d.state = seeds[s];
	}
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		assert_true(hit[i] > 0);
}

/* The second rule allows nobody anything, so nothing is denied without it. */
static void a_rule_that_is_left_out_is_said(void **state)
{
	struct knp_store *store = cluster(PODS POLICY
		"metadata: {name: p, namespace: x}\n"
		"spec: {podSelector: {}, ingress: [{ports: [{port: 80}]},"
		"{from: [{podSelector: {matchLabels: {app: nobody}}}]}]}\n");
	struct knp_troubles troubles = { 0 };
	struct knp_limits limits = knp_limits;
	struct knp_ruleset *rs = NULL;

	(void)state;
	for (uint32_t n = 1; n <= 3; n++) {
		limits.v[KNP_TABLE_RULE] = n;
		assert_int_equal(knp_compile_within(store, NULL, &limits, &rs,
						    &troubles), 0);
		assert_int_equal(rs->rules.n, n < 2 ? n : 2);
		assert_int_equal(troubles.n, n < 2);
		if (troubles.n)
			assert_non_null(strstr(troubles.v[0].text, "1 rules"));
		knp_troubles_clear(&troubles);
		knp_ruleset_free(rs);
	}
	knp_store_free(store);
}

static void isolated_endpoints_are_left_out_last_and_counted(void **state)
{
	struct knp_store *s = cluster(PORTS_OF_A("80"));
	struct knp_limits limits = knp_limits;
	struct knp_troubles troubles = { 0 };
	struct knp_ruleset *rs = NULL;

	(void)state;
	/* x/a has two addresses and is isolated; x/b is not. */
	limits.v[KNP_TABLE_ENDPOINT] = 2;
	assert_int_equal(knp_compile_within(s, "here", &limits, &rs, &troubles),
			 0);
	assert_int_equal(rs->endpoints.n, 2);
	assert_int_not_equal(((struct knp_rec_endpoint *)
			      rs->endpoints.v)[0].ingress_set, 0);
	assert_int_equal(rs->unheld, 0);
	assert_int_equal(troubles.n, 1);
	knp_troubles_clear(&troubles);
	knp_ruleset_free(rs);

	limits.v[KNP_TABLE_ENDPOINT] = 1;
	assert_int_equal(knp_compile_within(s, "here", &limits, &rs, &troubles),
			 0);
	assert_int_equal(rs->endpoints.n, 1);
	assert_int_not_equal(((struct knp_rec_endpoint *)
			      rs->endpoints.v)[0].ingress_set, 0);
	assert_int_equal(rs->unheld, 1);
	assert_int_equal(troubles.n, 2);
	assert_non_null(strstr(troubles.v[0].text, "1 addresses of isolated pods on the node: 1"));
	assert_non_null(strstr(troubles.v[0].text, " of pod x/a"));
	knp_troubles_clear(&troubles);
	knp_ruleset_free(rs);
	knp_store_free(s);
}

static void an_empty_store_is_an_empty_ruleset(void **state)
{
	struct knp_store *s = knp_store_new();
	struct knp_ruleset *rs = compiled(s, "here");
	struct knp_ruleset *empty = knp_ruleset_new();

	(void)state;
	assert_true(same_ruleset(rs, empty));
	knp_ruleset_free(rs);
	knp_ruleset_free(empty);
	knp_store_free(s);
}

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

/* A figure, under sanitizers; the size must not take minutes. */
static void a_thousand_pods_compile_soon(void **state)
{
	struct knp_ruleset *rs;
	struct knp_store *store;
	struct dice d;
	double start;
	char *text;

	(void)state;
	dice_init(&d);
	text = random_cluster(&d, 1000, 200);
	store = cluster(text);
	start = now_ms();
	rs = compiled(store, "node0");
	print_message("# compiling 1,000 pods and 200 policies, under sanitizers: %.0f ms\n",
		      now_ms() - start);
	/* Most of the pods count: those of one node, with two addresses. */
	assert_true(rs->endpoints.n > 500);
	assert_true(rs->addresses.n > 1500);
	knp_ruleset_free(rs);
	knp_store_free(store);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_of_objects_does_not_matter),
		cmocka_unit_test(the_order_inside_of_objects_does_not_matter),
		cmocka_unit_test(an_edited_policy_keeps_its_set),
		cmocka_unit_test(another_policy_changes_no_tag),
		cmocka_unit_test(only_the_pods_of_the_node_are_endpoints),
		cmocka_unit_test(names_say_what_is_meant),
		cmocka_unit_test(classes_are_named_after_their_members),
		cmocka_unit_test(the_younger_pod_owns_the_address),
		cmocka_unit_test(redundant_prefixes_are_left_out),
		cmocka_unit_test(port_sets_may_be_full_but_not_more),
		cmocka_unit_test(a_rule_for_all_makes_room_for_any_number_of_ports),
		cmocka_unit_test(ports_belong_to_the_first_rule_that_allows_them),
		cmocka_unit_test(limits_only_ever_deny),
		cmocka_unit_test(a_rule_that_is_left_out_is_said),
		cmocka_unit_test(isolated_endpoints_are_left_out_last_and_counted),
		cmocka_unit_test(an_empty_store_is_an_empty_ruleset),
		cmocka_unit_test(a_thousand_pods_compile_soon),
	};

	return cmocka_run_group_tests_name("compile", tests, NULL, NULL);
}
