// SPDX-License-Identifier: Apache-2.0
/*
 * Counts the cache lines that a verdict reads.
 *
 * The core is compiled with -fsanitize=thread, which makes the compiler call a
 * function before each access to memory. Those functions are here, instead of
 * in libtsan: they note the line. So what is counted is what the very sources
 * of the core read, without a change to them. The stack is left out: the flow
 * and the verdict are the caller's.
 *
 * For each model and flow a line of figures, averages of FLOWS flows and the
 * worst of them:
 *   verdict  lines of a verdict, all of them but the roots
 *   side     the same for the one side that judges, without what only the look
 *            for an endpoint at the other address reads
 *   roots    lines of struct knp_tables, which all verdicts share
 */
#include <stdio.h>
#include <stdint.h>
#include <string.h>

#include <linux/random.h>

#include "models.h"
#include "table_impl.h"

#define FLOWS	2000
#define LINES_MAX 256

/** struct lines - distinct lines */
struct lines {
	uintptr_t line[LINES_MAX];
	unsigned int n;
};

static struct lines *recording;
static uintptr_t stack_low, stack_high;

static bool has(const struct lines *l, uintptr_t line)
{
	unsigned int i;

	for (i = 0; i < l->n; i++) {
		if (l->line[i] == line)
			return true;
	}
	return false;
}

static void note(const void *p, size_t size)
{
	uintptr_t at = (uintptr_t)p;
	uintptr_t line;

	if (!recording || (at >= stack_low && at < stack_high))
		return;
	for (line = at >> 6; line <= (at + size - 1) >> 6; line++) {
		if (!has(recording, line) && recording->n < LINES_MAX)
			recording->line[recording->n++] = line;
	}
}

/* What the compiler calls; the names are its own. */
#define ACCESS(name, size)		\
	void name(void *p);		\
	void name(void *p)		\
	{				\
		note(p, size);		\
	}
#define ACCESSES(size)						\
	ACCESS(__tsan_read##size, size)				\
	ACCESS(__tsan_write##size, size)			\
	ACCESS(__tsan_unaligned_read##size, size)		\
	ACCESS(__tsan_unaligned_write##size, size)

ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)

void __tsan_init(void);
void __tsan_read_range(void *p, size_t size);
void __tsan_write_range(void *p, size_t size);

void __tsan_init(void)
{
}

void __tsan_read_range(void *p, size_t size)
{
	note(p, size);
}

void __tsan_write_range(void *p, size_t size)
{
	note(p, size);
}

/** struct figure - an average, and the worst */
struct figure {
	unsigned long sum;
	unsigned int worst;
	unsigned int n;
};

static void add(struct figure *f, unsigned int value)
{
	f->sum += value;
	f->worst = value > f->worst ? value : f->worst;
	f->n++;
}

static double average(const struct figure *f)
{
	return (double)f->sum / f->n;
}

static bool is_root(const struct knp_tables *t, uintptr_t line)
{
	uintptr_t at = (uintptr_t)t;

	return line >= at >> 6 && line <= (at + sizeof(*t) - 1) >> 6;
}

static void count(const struct knp_tables *t, const struct knp_flow *f,
		  struct figure *verdict, struct figure *side,
		  struct figure *roots)
{
	struct lines all = { .n = 0 }, other = { .n = 0 };
	unsigned int i, whole = 0, own = 0;
	struct knp_verdict v;
	__u32 egress, ingress;

	recording = &all;
	knp_match(t, f, &v);
	recording = &other;
	knp_tables_endpoint(t, f->family, &f->dst, &egress, &ingress);
	recording = NULL;

	for (i = 0; i < all.n; i++) {
		if (is_root(t, all.line[i]))
			continue;
		whole++;
		own += !has(&other, all.line[i]);
	}
	add(verdict, whole);
	add(roots, all.n - whole);
	if (v.egress.set && !v.ingress.set)
		add(side, own);
}

static void measure(const struct knp_tables *t, const struct model *m,
		    enum flow_kind kind, unsigned int family,
		    const char *flow)
{
	struct figure verdict = { 0 }, side = { 0 }, roots = { 0 };
	__u64 dice = 1;
	int i;

	for (i = 0; i < FLOWS; i++) {
		struct knp_flow f = model_flow(m, kind, family, &dice);

		count(t, &f, &verdict, &side, &roots);
	}
	printf("lines %s %s verdict=%.2f worst=%u roots=%.2f", m->name, flow,
	       average(&verdict), verdict.worst, average(&roots));
	if (side.n)
		printf(" side=%.2f worst_side=%u", average(&side), side.worst);
	printf("\n");
}

static void measure_model(const struct model *m)
{
	struct knp_tables *t = model_build(m);

	measure(t, m, FLOW_POD, KNP_V4, "pod4");
	measure(t, m, FLOW_PAIR, KNP_V4, "pair4");
	measure(t, m, FLOW_NOBODY, KNP_V4, "nobody4");
	if (m->cidrs)
		measure(t, m, FLOW_CIDR, KNP_V4, "cidr4");
	if (m->dual) {
		measure(t, m, FLOW_POD, KNP_V6, "pod6");
		measure(t, m, FLOW_NOBODY, KNP_V6, "nobody6");
		measure(t, m, FLOW_CIDR, KNP_V6, "cidr6");
	}
	knp_tables_free(t);
}

int main(void)
{
	char here;
	size_t i;

	knp_shim_seed = 1;
	/* The default stack, above and below this frame. */
	stack_low = (uintptr_t)&here - (8 << 20);
	stack_high = (uintptr_t)&here + (1 << 20);
	for (i = 0; i < NMODELS; i++)
		measure_model(&models[i]);
	return 0;
}
