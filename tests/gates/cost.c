// SPDX-License-Identifier: Apache-2.0
/*
 * What tables cost besides time: bytes of memory, what a commit copies, and,
 * under callgrind, instructions.
 *
 * usage: cost memory		bytes of each model, and of a commit to it
 *	  cost verdicts MODEL	judges FLOWS flows of each kind, for callgrind
 *
 * Memory is what the kernel's allocator would hold (daemon/shim/linux/slab.h).
 * A commit is of one pod elsewhere whose class changes, or of one policy that
 * selects two local pods; it costs the parts that are alive in addition while
 * both generations are, before the old one is freed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/random.h>
#include <linux/slab.h>

#include "models.h"

#define FLOWS 1000

/* A pod of another node comes to be of another class. */
static void change_pod(struct knp_tables *t)
{
	struct knp_addr addr = model_pod(KNP_V4, 5);
	struct knp_rec_peer rec = { .class_id = 3, .family = AF_INET };

	memcpy(rec.addr, addr.b, sizeof(rec.addr));
	model_put(t, KNP_TABLE_PEER, &rec, sizeof(rec));
}

/* A policy comes that selects two pods and allows two classes a port. */
static void change_policy(struct knp_tables *t)
{
	struct {
		struct knp_rec_portset head;
		struct knp_rec_port port;
	} portset = {
		.head = { .id = 5, .nports = 1 },
		.port = { .rule = 60000, .proto = 6, .lo = 443, .hi = 443 },
	};
	struct knp_rec_rule rule = { .id = 60000 };
	struct knp_rec_row row[] = { { 1, 2, 5 }, { 1, 4, 5 } };

	model_put(t, KNP_TABLE_RULE, &rule, sizeof(rule));
	model_put(t, KNP_TABLE_PORTSET, &portset, sizeof(portset));
	model_put(t, KNP_TABLE_ROW, row, sizeof(row));
}

static void measure_commit(struct knp_tables *t, const char *what,
			   void (*change)(struct knp_tables *t))
{
	long bytes = knp_shim_bytes, parts = knp_shim_live;
	struct knp_tables *next = model_commit(t, change);

	printf(" %s_bytes=%ld %s_parts=%ld", what, knp_shim_bytes - bytes, what,
	       knp_shim_live - parts);
	knp_tables_free(next);
}

static void measure_memory(void)
{
	struct knp_tables *t;
	size_t i;

	for (i = 0; i < NMODELS; i++) {
		t = model_build(&models[i]);
		printf("memory %s bytes=%ld", models[i].name, knp_shim_bytes);
		measure_commit(t, "pod", change_pod);
		measure_commit(t, "policy", change_policy);
		printf("\n");
		knp_tables_free(t);
	}
}

/* What callgrind counts in; it is a name there, so it is not inlined. */
static __attribute__((noipa)) void judge_flows(const struct knp_tables *t,
						  const struct knp_flow *f)
{
	struct knp_verdict v;
	int i;

	for (i = 0; i < FLOWS; i++)
		knp_match(t, &f[i], &v);
}

static int judge(const char *name)
{
	static struct knp_flow trace[FLOWS];
	const struct model *m = models;
	struct knp_tables *t;
	__u64 dice = 1;
	size_t i, j;

	while (m < models + NMODELS && strcmp(m->name, name))
		m++;
	if (m == models + NMODELS)
		return 2;

	t = model_build(m);
	for (i = 0; i < NFLOWS; i++) {
		for (j = 0; j < FLOWS; j++)
			trace[j] = model_flow(m, flows[i].kind,
					      flows[i].family, &dice);
		judge_flows(t, trace);
		printf("verdicts %s %s %d\n", m->name, flows[i].name, FLOWS);
	}
	knp_tables_free(t);
	return 0;
}

int main(int argc, char **argv)
{
	knp_shim_seed = 1;
	if (argc == 2 && !strcmp(argv[1], "memory")) {
		measure_memory();
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "verdicts"))
		return judge(argv[2]);
	fprintf(stderr, "usage: cost memory | verdicts MODEL\n");
	return 2;
}
