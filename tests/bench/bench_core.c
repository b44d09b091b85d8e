// SPDX-License-Identifier: Apache-2.0
/*
 * Nanoseconds per verdict of the pure core, without a packet or a hook.
 *
 * usage: bench_core [ROUNDS]		(default 15)
 *
 * For each model of tests/gates and each kind of flow:
 *   hot       64 flows over and over: everything is in the first level cache
 *   uniform   65,536 flows, any pod as likely as any other
 *   zipf      the same, the pods' popularity by Zipf's law with exponent 1.1
 *   cold      one verdict after another 8 MiB were read, which leaves nothing in
 *             the second level cache; the clock's own time is subtracted
 * The least of all rounds is printed, for cold the median: a machine that does
 * something else meanwhile makes figures larger, never smaller.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/random.h>

#include "../gates/models.h"

#define TRACE	65536
#define HOT	64
#define EVICT	(8 << 20)
#define COLD	300
#define ZIPF	1.1

static struct knp_flow trace[TRACE];
static unsigned char evict[EVICT];
/* Printed in the end, so that what is added to it has to be worked out. */
static unsigned int checksum;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static void judge(const struct knp_tables *t, const struct knp_flow *f,
		  unsigned int n)
{
	struct knp_verdict v;
	unsigned int i;

	for (i = 0; i < n; i++) {
		knp_match(t, &f[i], &v);
		checksum += v.reason;
	}
}

/* The least time per verdict over @n flows of the trace. */
static double warm(const struct knp_tables *t, unsigned int n, int rounds)
{
	double least = 1e9, start, each;
	unsigned int done;

	judge(t, trace, n);
	while (rounds--) {
		start = now();
		for (done = 0; done < TRACE; done += n)
			judge(t, trace, n);
		each = (now() - start) / TRACE;
		least = each < least ? each : least;
	}
	return least;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double cold(const struct knp_tables *t)
{
	double took[COLD], timer[COLD], start;
	unsigned int i, j;

	for (i = 0; i < COLD; i++) {
		for (j = 0; j < EVICT; j += 64)
			checksum += evict[j]++;
		start = now();
		timer[i] = now() - start;
		start = now();
		judge(t, &trace[i * 7], 1);
		took[i] = now() - start;
	}
	qsort(took, COLD, sizeof(took[0]), compare);
	qsort(timer, COLD, sizeof(timer[0]), compare);
	return took[COLD / 2] - timer[COLD / 2];
}

static void fill(const struct model *m, const struct named_flow *f)
{
	__u64 dice = 1;
	unsigned int i;

	for (i = 0; i < TRACE; i++)
		trace[i] = model_flow(m, f->kind, f->family, &dice);
}

/* Popular pods are anywhere: rank is scattered by an odd factor. */
static void fill_zipf(const struct model *m, unsigned int family)
{
	double *sum = calloc(m->pods + 1, sizeof(*sum));
	__u64 dice = 1;
	__u32 i, lo, hi;
	double at;

	if (!sum)
		exit(1);
	for (i = 1; i <= m->pods; i++)
		sum[i] = sum[i - 1] + pow(i, -ZIPF);
	for (i = 0; i < TRACE; i++) {
		trace[i] = model_flow(m, FLOW_POD, family, &dice);
		at = sum[m->pods] * model_dice(&dice, 1U << 31) / (1U << 31);
		for (lo = 0, hi = m->pods; hi - lo > 1; ) {
			__u32 half = lo + (hi - lo) / 2;

			if (sum[half] <= at)
				lo = half;
			else
				hi = half;
		}
		trace[i].dst = model_pod(family, (__u64)lo * 7919 % m->pods);
	}
	free(sum);
}

static void measure(const struct knp_tables *t, const struct model *m,
		    const struct named_flow *f, int rounds)
{
	fill(m, f);
	printf("%-11s %-8s %7.1f %8.1f", m->name, f->name, warm(t, HOT, rounds),
	       warm(t, TRACE, rounds));
	printf(" %7.0f", cold(t));
	if (f->kind == FLOW_POD) {
		fill_zipf(m, f->family);
		printf(" %7.1f", warm(t, TRACE, rounds));
	}
	printf("\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 15;
	const struct model *m;
	struct knp_tables *t;
	size_t i, j;
	double start;

	knp_shim_seed = 1;
	memset(evict, 1, sizeof(evict));
	printf("ns per verdict\n%-11s %-8s %7s %8s %7s %7s\n", "model", "flow",
	       "hot", "uniform", "cold", "zipf");
	for (i = 0; i < NMODELS; i++) {
		m = &models[i];
		start = now();
		t = model_build(m);
		start = now() - start;
		for (j = 0; j < NFLOWS; j++) {
			if ((flows[j].family == KNP_V6 && !m->dual) ||
			    (flows[j].kind == FLOW_CIDR && !m->cidrs))
				continue;
			measure(t, m, &flows[j], rounds);
		}
		printf("%-11s built in %.0f ms\n", m->name, start / 1e6);
		knp_tables_free(t);
	}
	printf("checksum %u\n", checksum);
	return 0;
}
