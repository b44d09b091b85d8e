// SPDX-License-Identifier: Apache-2.0
/*
 * Compiles the test vectors into what kmod/tests/vectors_test.c includes.
 *
 *   gen_vectors FILE >vectors_data.h
 *
 * FILE is what tests/vectors/export writes. A vector's first step is the whole
 * of what knp_compile() makes of it, the others are differences, as for a
 * commit. The numbers of a header are the same for every machine of this kind.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "compile.h"
#include "manifest.h"
#include "../vectors/reader.h"
#include "../../kmod/tests/vectors.h"

#define NODE	"node-1"	/* of all pods in vectors */

/**
 * struct gen - what was written
 * @at: bytes
 * @begins: where vectors begin
 * @name: of the vector, the part of titles before the colon
 * @last: what the step before left in the tables
 */
struct gen {
	uint32_t at;
	uint32_t *begins;
	size_t nbegins;
	char *name;
	struct knp_ruleset *last;
};

static void *must(void *p)
{
	if (!p)
		vectors_die("gen_vectors", "out of memory");
	return p;
}

static void check(int err, const char *what)
{
	if (err)
		vectors_die(what, strerror(-err));
}

static void write_bytes(struct gen *g, const void *data, size_t len)
{
	const uint8_t *byte = data;

	while (len--) {
		printf("%u,", *byte++);
		if (!(++g->at % 32))
			putchar('\n');
	}
}

static void write_item(struct gen *g, uint16_t kind, uint16_t table,
		       const void *data, size_t len)
{
	const struct knp_vector_item item = {
		.kind = kind, .table = table, .len = (uint32_t)len,
	};
	static const uint8_t zero[8];

	write_bytes(g, &item, sizeof(item));
	write_bytes(g, data, len);
	write_bytes(g, zero, -g->at & 7);
}

static void begin_vector(struct gen *g, const char *title, size_t len)
{
	free(g->name);
	g->name = must(strndup(title, len));
	g->begins = must(reallocarray(g->begins, g->nbegins + 1,
				      sizeof(*g->begins)));
	g->begins[g->nbegins++] = g->at;
	write_item(g, KNP_VECTOR_BEGIN, 0, g->name, len + 1);
	knp_ruleset_free(g->last);
	g->last = must(knp_ruleset_new());
}

static struct knp_ruleset *compiled(const char *objects, size_t len)
{
	struct knp_store *store = must(knp_store_new());
	struct knp_objects decoded = { 0 };
	struct knp_ruleset *rs;

	check(knp_manifest_parse(objects, len, "objects.json", &decoded, NULL),
	      "objects");
	for (size_t i = 0; i < decoded.n; i++)
		if (decoded.v[i].any)
			check(knp_object_put(&decoded.v[i], store), "store");
	knp_objects_clear(&decoded);
	check(knp_compile(store, NODE, &rs, NULL), "compile");
	knp_store_free(store);
	return rs;
}

static void on_step(void *arg, const char *title, const char *objects,
		    size_t len)
{
	struct knp_ruleset *rs = compiled(objects, len);
	size_t name = strcspn(title, ":");
	struct gen *g = arg;
	struct knp_diff *diff;

	if (!g->name || strncmp(g->name, title, name) || g->name[name])
		begin_vector(g, title, name);
	write_item(g, KNP_VECTOR_STEP, 0, title, strlen(title) + 1);
	check(knp_ruleset_adopt(rs, g->last), "adopt");
	check(knp_ruleset_diff(g->last, rs, &diff), "diff");
	for (size_t i = 0; i < diff->nops; i++) {
		const struct knp_op *op = &diff->ops[i];

		write_item(g, op->delete ? KNP_VECTOR_DELETE : KNP_VECTOR_PUT,
			   (uint16_t)op->table, op->recs, op->len);
	}
	knp_diff_free(diff);
	knp_ruleset_free(g->last);
	g->last = rs;
}

static void on_ask(void *arg, const struct vector_ask *ask)
{
	for (size_t i = 0; i < ask->n; i++) {
		const struct vector_pair *pair = &ask->pairs[i];
		struct knp_vector_ask a = {
			.port = ask->port,
			.family = pair->family,
			.proto = ask->proto,
			.pass = ask->allow,
			.more = i + 1 < ask->n,
		};

		memcpy(a.src, pair->src, sizeof(a.src));
		memcpy(a.dst, pair->dst, sizeof(a.dst));
		write_item(arg, KNP_VECTOR_ASK, 0, &a, sizeof(a));
	}
}

int main(int argc, char **argv)
{
	static const struct vector_ops ops = {
		.step = on_step,
		.ask = on_ask,
	};
	struct gen g = { 0 };

	if (argc != 2) {
		fprintf(stderr, "usage: gen_vectors FILE\n");
		return 2;
	}
	puts("/* Made of the test vectors. */\n"
	     "static const u8 knp_vectors[] __aligned(8) = {");
	vectors_read(argv[1], &ops, &g);
	write_item(&g, KNP_VECTOR_END, 0, NULL, 0);
	puts("};\n\nstatic const u32 knp_vector_at[] = {");
	for (size_t i = 0; i < g.nbegins; i++)
		printf("%u,\n", g.begins[i]);
	puts("};");
	knp_ruleset_free(g.last);
	free(g.begins);
	free(g.name);
	return 0;
}
