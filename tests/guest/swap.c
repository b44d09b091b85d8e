// SPDX-License-Identifier: Apache-2.0
/*
 * Two policies that must never be mixed, swapped as fast as the module takes them
 * while packets flow.
 *
 *   swap SWAPS PACKETS
 *
 * Each commit changes the set of an endpoint, the class of a peer and of a prefix,
 * and what two rows allow. Where all of this is of one generation, port ALWAYS
 * passes and port NEVER does not, in both policies; any part of the other
 * generation leads to a row that allows NEVER and nothing else. Port ONLY_A passes
 * in odd generations, ONLY_B in even ones.
 *
 * A packet is judged between its sending and the arrival of one to ALWAYS that was
 * sent after it by the same processor, so by a generation not older than the last
 * one published before, nor newer than the last one whose publishing began until
 * then. Where that is one, its verdict is known.
 *
 * Packets go by loopback, through the hooks, from a process on each of two
 * processors, which delivers them in their order. They are processes and not threads
 * because User-Mode Linux lets one thread of an address space run at a time. Prints a
 * line of what was done, one for each wrong verdict. Ends with 1 if there was one.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "door.h"

#define LINES		2
#define PATIENCE_MS	2000

enum port { ONLY_B, ONLY_A, ALWAYS, NEVER, NPORTS };
enum { FROM_PEER, FROM_PREFIX, NSOURCES };

/**
 * struct line - what a process sends by
 * @no: which
 * @out: sockets of the sources
 * @in: sockets of the ports
 * @seq: of the last packets
 * @exact: of them, those whose generation is known
 * @arrived: of them, those that have
 */
struct line {
	unsigned int no;
	int out[NSOURCES];
	int in[NPORTS];
	uint64_t seq;
	uint64_t exact;
	uint64_t arrived;
};

/**
 * struct shared - what the processes tell each other
 * @begun: the last generation whose publishing began
 * @done: the last one that was published
 * @packets: sent
 * @wrongs: verdicts that were wrong
 * @over: it is time to end
 * @lines: each written by its process
 */
static struct shared {
	atomic_ulong begun;
	atomic_ulong done;
	atomic_ulong packets;
	atomic_ulong wrongs;
	atomic_bool over;
	struct line lines[LINES];
} *shared;

static uint16_t port_of(unsigned int line, enum port p)
{
	return (uint16_t)(80 + 10 * line + p);
}

static void address_of(struct sockaddr_in *sa, uint32_t ip, uint16_t port)
{
	*sa = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(ip),
	};
}

/* ---- the policies ---------------------------------------------------------------- */

static void put(struct door *d, uint32_t table, const void *recs, size_t len)
{
	door_must(door_records(d, KNP_CMD_PUT, table, recs, len), "put");
}

/* Portsets: 1 is of A, 2 of B, 3 allows NEVER. */
static void put_portset(struct door *d, uint32_t id, enum port one,
			enum port other)
{
	struct {
		struct knp_rec_portset set;
		struct knp_rec_port port[2 * LINES];
	} rec = { .set = { .id = id } };

	for (unsigned int line = 0; line < LINES; line++) {
		for (int i = 0; i < (one == other ? 1 : 2); i++) {
			uint16_t port = port_of(line, i ? other : one);

			rec.port[rec.set.nports++] = (struct knp_rec_port){
				.rule = 1, .proto = 17, .lo = port, .hi = port,
			};
		}
	}
	put(d, KNP_TABLE_PORTSET, &rec, sizeof(rec.set) +
	    rec.set.nports * sizeof(rec.port[0]));
}

/* The generation's part of it; how many records. */
static uint64_t put_changes(struct door *d, uint64_t generation)
{
	bool is_a = generation % 2;
	uint32_t mine = is_a ? 1 : 2;
	const struct knp_rec_endpoint endpoint = {
		.addr = { 10, 0, 0, 2 }, .family = AF_INET, .ingress_set = mine,
	};
	const struct knp_rec_peer peer = {
		.addr = { 10, 0, 0, 1 }, .family = AF_INET, .class_id = mine,
	};
	const struct knp_rec_cidr cidr = {
		.addr = { 10, 1 }, .family = AF_INET, .prefixlen = 16,
		.class_id = mine,
	};
	const struct knp_rec_row rows[] = {
		{ .set = 1, .class_id = 1, .portset = is_a ? 1 : 3 },
		{ .set = 2, .class_id = 2, .portset = is_a ? 3 : 2 },
	};

	put(d, KNP_TABLE_ROW, rows, sizeof(rows));
	put(d, KNP_TABLE_PEER, &peer, sizeof(peer));
	put(d, KNP_TABLE_CIDR, &cidr, sizeof(cidr));
	put(d, KNP_TABLE_ENDPOINT, &endpoint, sizeof(endpoint));
	return 5;
}

static void begin(struct door *d, uint64_t generation)
{
	struct door_message m;

	door_start(d, &m, KNP_CMD_BEGIN, 0);
	door_put(&m, KNP_A_GENERATION, &generation, sizeof(generation));
	door_must(door_talk(d, &m, NULL), "begin");
}

static void commit_first(struct door *d)
{
	const struct knp_rec_rule rule = { .id = 1 };
	const struct knp_rec_class classes[] = { { .id = 1 }, { .id = 2 } };
	const struct knp_rec_set sets[] = {
		{ .id = 1, .direction = KNP_INGRESS },
		{ .id = 2, .direction = KNP_INGRESS },
	};
	const struct knp_rec_row rows[] = {
		{ .set = 1, .class_id = 2, .portset = 3 },
		{ .set = 2, .class_id = 1, .portset = 3 },
	};
	uint64_t n;

	begin(d, 0);
	put(d, KNP_TABLE_RULE, &rule, sizeof(rule));
	put_portset(d, 1, ONLY_A, ALWAYS);
	put_portset(d, 2, ONLY_B, ALWAYS);
	put_portset(d, 3, NEVER, NEVER);
	put(d, KNP_TABLE_CLASS, classes, sizeof(classes));
	put(d, KNP_TABLE_SET, sets, sizeof(sets));
	put(d, KNP_TABLE_ROW, rows, sizeof(rows));
	n = 10 + put_changes(d, 1);
	door_must(door_commit(d, n), "commit");
	atomic_store(&shared->begun, 1);
	atomic_store(&shared->done, 1);
}

static void swap(struct door *d)
{
	uint64_t next = atomic_load(&shared->done) + 1, n;

	begin(d, next - 1);
	n = put_changes(d, next);
	atomic_store(&shared->begun, next);
	door_must(door_commit(d, n), "commit");
	atomic_store(&shared->done, next);
}

/* ---- packets --------------------------------------------------------------------- */

static int bound(uint32_t ip, uint16_t port)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in sa;

	address_of(&sa, ip, port);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)))
		door_die("socket");
	return fd;
}

static void line_open(struct line *l, unsigned int no)
{
	l->no = no;
	l->out[FROM_PEER] = bound(0x0a000001, (uint16_t)(4000 + no));
	l->out[FROM_PREFIX] = bound(0x0a010001, (uint16_t)(4000 + no));
	for (enum port p = 0; p < NPORTS; p++)
		l->in[p] = bound(0x0a000002, port_of(no, p));
}

/* Whether packet @seq, 0: any, is there, or comes while it is waited for. */
static bool arrives(int fd, uint64_t seq, int ms)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	uint64_t got;

	do {
		while (recv(fd, &got, sizeof(got), MSG_DONTWAIT) > 0)
			if (got == seq || !seq)
				return true;
	} while (ms && poll(&pollfd, 1, ms) > 0);
	return false;
}

static bool allows(uint64_t generation, enum port p)
{
	return p == ALWAYS ||
	       (p != NEVER && (generation % 2) == (p == ONLY_A));
}

static void wrong(const struct line *l, enum port p, bool got,
		  uint64_t before, uint64_t after)
{
	static const char *const names[] = {
		"ONLY_B", "ONLY_A", "ALWAYS", "NEVER",
	};

	if (atomic_fetch_add(&shared->wrongs, 1) < 10)
		printf("packet %llu of line %u to %s %s, by one of %llu to %llu\n",
		       (unsigned long long)l->seq, l->no, names[p],
		       got ? "arrived" : "was lost", (unsigned long long)before,
		       (unsigned long long)after);
}

static void send_to(const struct line *l, enum port p)
{
	struct sockaddr_in sa;

	address_of(&sa, 0x0a000002, port_of(l->no, p));
	if (sendto(l->out[l->seq % NSOURCES], &l->seq, sizeof(l->seq), 0,
		   (struct sockaddr *)&sa, sizeof(sa)) < 0)
		door_die("send");
	atomic_fetch_add(&shared->packets, 1);
}

static void send_one(struct line *l)
{
	enum port port = l->seq / NSOURCES % NPORTS;
	uint64_t before = atomic_load(&shared->done), after;
	bool got, known;

	l->seq++;
	send_to(l, port);
	if (port != ALWAYS)
		send_to(l, ALWAYS);
	got = arrives(l->in[ALWAYS], l->seq, PATIENCE_MS);
	if (!got)
		wrong(l, ALWAYS, false, before, atomic_load(&shared->begun));
	if (port != ALWAYS)
		got = arrives(l->in[port], port == NEVER ? 0 : l->seq, 0);
	after = atomic_load(&shared->begun);
	known = before == after;
	l->exact += known;
	l->arrived += got;
	if ((port == NEVER && got) || (known && got != allows(before, port)))
		wrong(l, port, got, before, after);
}

static void send_on(struct line *l)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(l->no % (unsigned int)sysconf(_SC_NPROCESSORS_ONLN), &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		door_die("affinity");
	while (!atomic_load(&shared->over))
		send_one(l);
}

static pid_t line_start(struct line *l, unsigned int no)
{
	pid_t pid;

	line_open(l, no);
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		door_die("fork");
	if (pid)
		return pid;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		door_die("prctl");
	send_on(l);
	exit(0);
}

/* Whether it ended as it should. */
static bool line_end(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && status == 0;
}

int main(int argc, char **argv)
{
	uint64_t exact = 0, arrived = 0;
	unsigned long swaps, wanted;
	bool whole = true;
	pid_t pid[LINES];
	struct door d;

	if (argc != 3) {
		fprintf(stderr, "usage: swap SWAPS PACKETS\n");
		return 2;
	}
	swaps = strtoul(argv[1], NULL, 10);
	wanted = strtoul(argv[2], NULL, 10);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		door_die("mmap");
	door_new_netns();
	door_must(door_open(&d), "open");
	commit_first(&d);
	door_must(door_attach(&d, KNP_FAMILY_IPV4), "attach");
	for (unsigned int i = 0; i < LINES; i++)
		pid[i] = line_start(&shared->lines[i], i);
	/* Three processes, two processors: else most of the time goes to packets. */
	if (setpriority(PRIO_PROCESS, 0, -10))
		door_die("priority");
	while (atomic_load(&shared->done) <= swaps ||
	       atomic_load(&shared->packets) < wanted)
		swap(&d);
	atomic_store(&shared->over, true);
	for (unsigned int i = 0; i < LINES; i++) {
		whole &= line_end(pid[i]);
		exact += shared->lines[i].exact;
		arrived += shared->lines[i].arrived;
	}
	printf("%lu swaps, %lu packets, %llu arrived, %llu by a known generation, %lu wrong\n",
	       atomic_load(&shared->done) - 1, atomic_load(&shared->packets),
	       (unsigned long long)arrived, (unsigned long long)exact,
	       atomic_load(&shared->wrongs));
	return !whole || atomic_load(&shared->wrongs) || !exact || !arrived;
}
