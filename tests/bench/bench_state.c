// SPDX-License-Identifier: Apache-2.0
/*
 * What keeping the state file costs, in milliseconds: the tables are written down
 * (encode), put on disk (write: with both fsync), and read and checked again
 * (read). The median of all rounds, of which encode and read are CPU time.
 *
 * The model is a node of a large cluster: 100,000 peers in 4,000 classes, 110
 * endpoints, 200 sets with 250 entries each, 1,000 portsets of 4 ports, 5,000
 * prefixes.
 *
 * usage: bench_state [ROUNDS [FILE]]	(default 15, build/bench/state.file)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "state_file.h"

#define PEERS		100000
#define CLASSES		4000
#define ENDPOINTS	110
#define SETS		200
#define ROWS		250
#define PORTSETS	1000
#define PORTS		4
#define CIDRS		5000
#define ROUNDS_MAX	1000

enum what { ENCODE, WRITE, READ, NWHATS };

static const char *const names[NWHATS] = { "encode", "write", "read" };
static double times[NWHATS][ROUNDS_MAX];

static void need(int good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench_state: %s\n", what);
	exit(1);
}

static double now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void add(struct knp_recs *recs, const void *rec)
{
	need(!!knp_recs_add(recs, rec), "no memory");
}

static void add_named(struct knp_ruleset *rs)
{
	struct knp_rs_portset portset = { .rec.nports = PORTS };
	struct knp_rec_class class = { 0 };
	struct knp_rec_rule rule = { 0 };
	struct knp_rec_set set = { .direction = KNP_INGRESS };

	for (uint32_t i = 1; i <= PORTSETS; i++) {
		rule.id = i;
		add(&rs->rules, &rule);
		portset.rec.id = i;
		portset.ports = calloc(PORTS, sizeof(*portset.ports));
		need(!!portset.ports, "no memory");
		add(&rs->portsets, &portset);
	}
	for (class.id = 1; class.id <= CLASSES; class.id++)
		add(&rs->classes, &class);
	for (set.id = 1; set.id <= SETS; set.id++)
		add(&rs->sets, &set);
}

static struct knp_ruleset *model(void)
{
	struct knp_rec_endpoint endpoint = { .family = AF_INET };
	struct knp_rec_peer peer = { .family = AF_INET };
	struct knp_rec_cidr cidr = { .family = AF_INET, .prefixlen = 24 };
	struct knp_ruleset *rs = knp_ruleset_new();
	struct knp_rec_row row;

	need(!!rs, "no memory");
	add_named(rs);
	for (uint32_t i = 0; i < SETS * ROWS; i++) {
		row = (struct knp_rec_row){ 1 + i / ROWS, 1 + i % ROWS * 16,
					    1 + i % PORTSETS };
		add(&rs->rows, &row);
	}
	for (uint32_t i = 0; i < PEERS; i++) {
		memcpy(peer.addr, &i, sizeof(i));
		peer.class_id = 1 + i % CLASSES;
		add(&rs->peers, &peer);
	}
	for (uint32_t i = 0; i < CIDRS; i++) {
		memcpy(cidr.addr, &i, 3);
		add(&rs->cidrs, &cidr);
	}
	for (uint32_t i = 0; i < ENDPOINTS; i++) {
		memcpy(endpoint.addr, &i, sizeof(i));
		endpoint.ingress_set = 1 + i % SETS;
		add(&rs->endpoints, &endpoint);
	}
	knp_ruleset_sort(rs);
	return rs;
}

static size_t run_round(const struct knp_state *s, const char *path, int round)
{
	char why[KNP_STATE_WHY];
	struct knp_state again;
	double start;
	void *data;
	size_t len;

	start = now(CLOCK_PROCESS_CPUTIME_ID);
	need(!knp_state_encode(s, &data, &len), "cannot encode");
	times[ENCODE][round] = now(CLOCK_PROCESS_CPUTIME_ID) - start;

	start = now(CLOCK_MONOTONIC);
	need(!knp_state_file_write(path, data, len), "cannot write");
	times[WRITE][round] = now(CLOCK_MONOTONIC) - start;
	free(data);

	start = now(CLOCK_PROCESS_CPUTIME_ID);
	need(!knp_state_file_read(path, &again, why), "cannot read");
	times[READ][round] = now(CLOCK_PROCESS_CPUTIME_ID) - start;
	knp_state_clear(&again);
	return len;
}

static int by_time(const void *a, const void *b)
{
	const double *ta = a, *tb = b;

	return (*ta > *tb) - (*ta < *tb);
}

int main(int argc, char **argv)
{
	const char *path = argc > 2 ? argv[2] : "build/bench/state.file";
	int rounds = argc > 1 ? atoi(argv[1]) : 15;
	struct knp_state s = {
		.node = "n",
		.info.generation = 1,
		.rs = model(),
	};
	size_t len = 0;

	need(rounds > 0 && rounds <= ROUNDS_MAX, "bad number of rounds");
	for (int i = 0; i < rounds; i++)
		len = run_round(&s, path, i);
	unlink(path);
	printf("%zu bytes, %d peers\n", len, PEERS);
	for (int i = 0; i < NWHATS; i++) {
		qsort(times[i], (size_t)rounds, sizeof(double), by_time);
		printf("%-8s %8.2f ms\n", names[i], times[i][rounds / 2]);
	}
	knp_state_clear(&s);
	return 0;
}
