// SPDX-License-Identifier: Apache-2.0
#include "clusters.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "manifest.h"

#define OP_SIZE_MAX	(32U << 10)

/* Rules that random_cluster() closes have a field "new". */
static void expect_no_other_faults(const struct knp_faults *faults)
{
	const char *field;

	for (size_t i = 0; i < faults->n; i++) {
		field = faults->v[i].field;
		field = field ? strrchr(field, '.') : NULL;
		if (!field || strcmp(field, ".new"))
			fail_msg("%s", faults->v[i].reason);
	}
}

struct knp_store *cluster(const char *yaml)
{
	struct knp_store *store = knp_store_new();
	struct knp_objects objects = { 0 };
	struct knp_faults faults = { 0 };

	assert_non_null(store);
	if (knp_manifest_parse(yaml, strlen(yaml), "test.yaml", &objects,
			       &faults))
		fail_msg("%s", faults.n ? faults.v[0].reason : "no memory");
	expect_no_other_faults(&faults);
	for (size_t i = 0; i < objects.n; i++) {
		struct knp_object *o = &objects.v[i];

		if (o->kind == KNP_KIND_POD)
			assert_int_equal(knp_store_put_pod(store, o->pod), 0);
		else if (o->kind == KNP_KIND_POLICY)
			assert_int_equal(knp_store_put_policy(store, o->policy),
					 0);
		else
			assert_int_equal(knp_store_put_namespace(store,
								 o->namespace),
					 0);
		o->any = NULL;
	}
	knp_objects_clear(&objects);
	knp_faults_clear(&faults);
	return store;
}

static const char *const protos[] = { "TCP", "UDP", "SCTP" };
static const char *const names[] = { "http", "dns" };
static const unsigned int numbers[] = { 1, 53, 80, 81, 8080, 65535 };

static const char *proto(struct dice *d)
{
	return protos[dice_below(d, ARRAY_SIZE(protos))];
}

static unsigned int number(struct dice *d)
{
	return numbers[dice_below(d, ARRAY_SIZE(numbers))];
}

static void write_selector(FILE *out, struct dice *d)
{
	static const char *const words[] = {
		"{}",
		"{\"matchLabels\":{\"a\":\"0\"}}",
		"{\"matchLabels\":{\"a\":\"1\",\"b\":\"0\"}}",
		"{\"matchExpressions\":[{\"key\":\"b\",\"operator\":\"NotIn\",\"values\":[\"0\",\"1\"]}]}",
		"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"In\",\"values\":[\"1\",\"2\"]},"
			"{\"key\":\"b\",\"operator\":\"Exists\"}]}",
		"{\"matchExpressions\":[{\"key\":\"b\",\"operator\":\"DoesNotExist\"}]}",
	};

	fputs(words[dice_below(d, ARRAY_SIZE(words))], out);
}

static void write_block(FILE *out, struct dice *d)
{
	static const char *const words[] = {
		"{\"cidr\":\"0.0.0.0/0\",\"except\":[\"10.0.0.0/28\"]}",
		"{\"cidr\":\"10.0.0.0/28\"}",
		"{\"cidr\":\"10.0.0.0/24\",\"except\":[\"10.0.0.0/30\",\"10.0.0.8/29\"]}",
		"{\"cidr\":\"::/0\"}",
		"{\"cidr\":\"fd00::/124\",\"except\":[\"fd00::4/127\"]}",
		"{\"cidr\":\"10.0.0.5/32\"}",
		"{\"cidr\":\"10.0.0.5/32\",\"except\":[\"10.0.0.5/32\"]}",
	};

	fputs(words[dice_below(d, ARRAY_SIZE(words))], out);
}

static void write_peer(FILE *out, struct dice *d)
{
	unsigned int kind = dice_below(d, 4);

	fputc('{', out);
	if (!kind) {
		fputs("\"ipBlock\":", out);
		write_block(out, d);
	}
	if (kind == 1 || kind == 3) {
		fputs("\"namespaceSelector\":", out);
		write_selector(out, d);
	}
	if (kind == 3)
		fputc(',', out);
	if (kind >= 2) {
		fputs("\"podSelector\":", out);
		write_selector(out, d);
	}
	fputc('}', out);
}

static void write_port(FILE *out, struct dice *d)
{
	unsigned int lo = number(d), hi = number(d);

	fprintf(out, "{\"protocol\":\"%s\"", proto(d));
	switch (dice_below(d, 4)) {
	case 0:
		fprintf(out, ",\"port\":\"%s\"",
			names[dice_below(d, ARRAY_SIZE(names))]);
		break;
	case 1:
		fprintf(out, ",\"port\":%u", lo);
		break;
	case 2:
		fprintf(out, ",\"port\":%u,\"endPort\":%u", lo < hi ? lo : hi,
			lo < hi ? hi : lo);
		break;
	}
	fputc('}', out);
}

static void write_rules(FILE *out, struct dice *d, const char *peers)
{
	unsigned int n = dice_below(d, 4);

	fputc('[', out);
	for (unsigned int i = 0; i < n; i++) {
		unsigned int npeers = dice_below(d, 3);
		unsigned int nports = dice_below(d, 4);

		fprintf(out, "%s{%s\"%s\":[", i ? "," : "",
			dice_below(d, 16) ? "" : "\"new\":1,", peers);
		for (unsigned int j = 0; j < npeers; j++) {
			fputs(j ? "," : "", out);
			write_peer(out, d);
		}
		fputs("],\"ports\":[", out);
		for (unsigned int j = 0; j < nports; j++) {
			fputs(j ? "," : "", out);
			write_port(out, d);
		}
		fputs("]}", out);
	}
	fputc(']', out);
}

/* Few pods share few addresses; of many each has its own. */
static void write_pod(FILE *out, struct dice *d, unsigned int i, bool many)
{
	unsigned int host = many ? i : dice_below(d, 32);

	fprintf(out, "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p%u\","
		"\"namespace\":\"n%u\",\"uid\":\"%u\",\"labels\":{\"a\":\"%u\"",
		i, dice_below(d, 3), dice_below(d, 100), dice_below(d, 3));
	if (dice_below(d, 2))
		fprintf(out, ",\"b\":\"%u\"", dice_below(d, 3));
	fprintf(out, "}},\"spec\":{\"nodeName\":\"node%u\",\"containers\":[{\"name\":\"c\",\"ports\":["
		"{\"name\":\"%s\",\"containerPort\":%u,\"protocol\":\"%s\"}]}]},",
		dice_below(d, 2), names[dice_below(d, 2)], number(d),
		proto(d));
	fprintf(out, "\"status\":{\"phase\":\"%s\",\"podIPs\":[{\"ip\":\"10.0.%u.%u\"},{\"ip\":\"fd00::%x\"}]}},\n",
		dice_below(d, 9) ? "Running" : "Succeeded",
		host >> 8, host & 255, many ? i : dice_below(d, 32));
}

static void write_policy(FILE *out, struct dice *d, unsigned int i)
{
	fprintf(out, "{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"NetworkPolicy\","
		"\"metadata\":{\"name\":\"q%u\",\"namespace\":\"n%u\",\"uid\":\"q%u\"},\"spec\":{\"podSelector\":",
		i, dice_below(d, 3), i);
	write_selector(out, d);
	fputs(",\"policyTypes\":[\"Ingress\",\"Egress\"],\"ingress\":", out);
	write_rules(out, d, "from");
	fputs(",\"egress\":", out);
	write_rules(out, d, "to");
	fputs("}},\n", out);
}

char *random_cluster(struct dice *d, unsigned int pods, unsigned int policies)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	fputs("{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[\n", out);
	for (unsigned int i = 0; i < pods; i++)
		write_pod(out, d, i, pods > 100);
	for (unsigned int i = 0; i < policies; i++)
		write_policy(out, d, i);
	fprintf(out, "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":"
		"{\"name\":\"n0\",\"labels\":{\"a\":\"%u\"}}}]}\n",
		dice_below(d, 3));
	assert_int_equal(fclose(out), 0);
	return text;
}

struct knp_ruleset *compiled(const struct knp_store *store, const char *node)
{
	struct knp_troubles troubles = { 0 };
	struct knp_ruleset *rs = NULL;

	assert_int_equal(knp_compile(store, node, &rs, &troubles), 0);
	assert_int_equal(troubles.n, 0);
	return rs;
}

struct knp_simulator *simulator(const struct knp_store *store)
{
	struct knp_simulator *s = NULL;
	const char *why;

	if (knp_simulator_new(compiled(store, NULL), &s, &why))
		fail_msg("refused: %s", why ? why : "no memory");
	return s;
}

bool passes(const struct knp_simulator *s, const char *src, const char *dst,
	    uint8_t proto_number, uint16_t port)
{
	struct knp_verdict v;
	struct knp_ip a, b;

	assert_int_equal(knp_ip_parse(src, &a), 0);
	assert_int_equal(knp_ip_parse(dst, &b), 0);
	knp_simulator_judge(s, &a, &b, proto_number, port, &v);
	return v.pass;
}

static bool same_names(const struct knp_ruleset *a, const struct knp_ruleset *b)
{
	const struct knp_address_name *xa = a->addresses.v;
	const struct knp_address_name *xb = b->addresses.v;
	const struct knp_name *na = a->names.v, *nb = b->names.v;

	if (a->names.n != b->names.n || a->addresses.n != b->addresses.n)
		return false;
	for (size_t i = 0; i < a->names.n; i++)
		if (memcmp(na[i].tag, nb[i].tag, KNP_TAG_LEN) ||
		    na[i].kind != nb[i].kind || strcmp(na[i].text, nb[i].text))
			return false;
	for (size_t i = 0; i < a->addresses.n; i++)
		if (memcmp(xa[i].addr, xb[i].addr, KNP_ADDR_LEN) ||
		    xa[i].family != xb[i].family ||
		    strcmp(xa[i].text, xb[i].text))
			return false;
	return true;
}

bool same_ruleset(const struct knp_ruleset *a, const struct knp_ruleset *b)
{
	struct knp_diff *diff;
	bool same;

	assert_int_equal(knp_ruleset_diff(a, b, &diff), 0);
	same = !diff->nops && !diff->count;
	knp_diff_free(diff);
	return same && same_names(a, b);
}

void apply_diff(struct knp_tables *t, const struct knp_diff *diff)
{
	struct knp_refusal why = { 0 };
	uint64_t count = 0;
	int n;

	for (size_t i = 0; i < diff->nops; i++) {
		const struct knp_op *op = &diff->ops[i];

		assert_true(op->len && op->len <= OP_SIZE_MAX);
		n = op->delete ?
		    knp_tables_delete(t, op->table, op->recs, op->len, &why) :
		    knp_tables_put(t, op->table, op->recs, op->len, &why);
		if (n < 0)
			fail_msg("op %zu (%s table %u): %d %s", i,
				 op->delete ? "delete" : "put", op->table, n,
				 why.msg);
		assert_int_equal(n, op->count);
		count += n;
	}
	assert_int_equal(count, diff->count);
}

struct knp_ruleset *read_back(const struct knp_tables *t)
{
	struct knp_ruleset *rs = kernel_dump(t);

	assert_non_null(rs);
	return rs;
}
