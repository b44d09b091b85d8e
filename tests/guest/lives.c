// SPDX-License-Identifier: Apache-2.0
/*
 * The ends of namespaces and of the module, under traffic and in the middle of
 * everything: a dump that is not read, a transaction half-way, subscribers, packets
 * on their way.
 *
 *   lives netns CYCLES           namespaces come and go
 *   lives load MODULE.KO CYCLES  the module does; it is not there before and after
 *   lives dump                   a dump whose reader is away for half a minute, after
 *                                which the module lets go of its generation, says so
 *
 * Prints a line of what was done, one for each thing that was wrong. Ends with 1
 * if there was one.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <unistd.h>

#include "door.h"
#include "records.h"

#define THREADS	2
#define PORTS	64
#define ENOUGH	200	/* packets of a life */
#define LATE_S	31	/* kmod/netlink_dump.c, DUMP_AGE */

static atomic_ulong packets;
static unsigned long bad;

static void wrong(unsigned long cycle, const char *what, int err)
{
	bad++;
	printf("cycle %lu: %s: %s\n", cycle, what, strerrorname_np(err));
}

/* Datagrams to some ports, of which the policies allow none: each is reported. */
static void *send_on(void *arg)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint16_t port = 0;

	(void)arg;
	sa.sin_addr.s_addr = htonl(0x0a000001);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)))
		door_die("socket");
	sa.sin_addr.s_addr = htonl(0x0a000002);
	for (;;) {
		sa.sin_port = htons(1 + port++ % PORTS);
		sendto(fd, "x", 1, 0, (struct sockaddr *)&sa, sizeof(sa));
		atomic_fetch_add(&packets, 1);
	}
	return NULL;
}

static void traffic_start(void)
{
	pthread_t thread;

	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&thread, NULL, send_on, NULL))
			door_die("thread");
}

static void more_traffic(void)
{
	unsigned long seen = atomic_load(&packets);

	while (atomic_load(&packets) < seen + ENOUGH)
		usleep(200);
}

/* A dump that is begun, and whose rest nobody reads. */
static void dump_begin(struct door *d)
{
	struct door_message m;

	door_start(d, &m, KNP_CMD_GET, NLM_F_DUMP);
	door_must(door_send(d, &m), "dump");
}

static void transaction_begin(struct door *d)
{
	const struct knp_rec_rule rule = { .id = 777 };

	door_must(door_begin(d), "begin");
	door_must(door_records(d, KNP_CMD_PUT, KNP_TABLE_RULE, &rule,
			       sizeof(rule)), "put");
}

static void subscribe(struct door *d)
{
	door_must(door_open(d), "open");
	door_must(door_join(d, DOOR_EVENTS), "join");
	door_must(door_join(d, DOOR_COMMITS), "join");
}

/* ---- namespaces ------------------------------------------------------------------ */

/* Ends with all of it open; what is left to do is the kernel's. */
static void live(void)
{
	struct door d, other, ear, dumper;

	door_new_netns();
	door_must(door_open(&d), "open");
	subscribe(&ear);
	door_must(records_commit(&d, POLICY_A), "commit");
	door_must(door_attach(&d, KNP_FAMILY_MASK), "attach");
	traffic_start();
	more_traffic();
	door_must(records_commit(&d, POLICY_B), "commit");
	door_must(door_open(&dumper), "open");
	dump_begin(&dumper);
	door_must(door_open(&other), "open");
	transaction_begin(&other);
	more_traffic();
	_exit(0);
}

static void lives_of_namespaces(unsigned long cycles)
{
	int status;
	pid_t pid;

	for (unsigned long i = 0; i < cycles; i++) {
		fflush(stdout);
		pid = fork();
		if (!pid)
			live();
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			door_die("fork");
		if (status)
			wrong(i, "a life ended early", ECHILD);
	}
	printf("%lu namespaces came and went\n", cycles);
}

/* ---- the module ------------------------------------------------------------------ */

static int unload(void)
{
	return syscall(SYS_delete_module, "knp", O_NONBLOCK) ? errno : 0;
}

static void life_of_module(const char *path, unsigned long cycle)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct door d, dumper, other, ear;
	int err;

	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		door_die("%s", path);
	close(fd);
	more_traffic();
	door_must(door_open(&d), "open");
	subscribe(&ear);
	door_must(records_commit(&d, POLICY_A), "commit");
	door_must(door_attach(&d, KNP_FAMILY_MASK), "attach");
	more_traffic();
	door_must(door_open(&dumper), "open");
	dump_begin(&dumper);
	err = unload();
	if (err != EWOULDBLOCK)
		wrong(cycle, "unloading during a dump", err);
	door_close(&dumper);
	door_must(door_open(&other), "open");
	transaction_begin(&other);
	err = unload();
	if (err)
		wrong(cycle, "unloading", err);
	more_traffic();
	door_close(&d);
	door_close(&other);
	door_close(&ear);
}

static void lives_of_module(const char *path, unsigned long cycles)
{
	door_new_netns();
	traffic_start();
	for (unsigned long i = 0; !bad && i < cycles; i++)
		life_of_module(path, i);
	printf("the module came and went %lu times, under %lu packets\n", cycles,
	       atomic_load(&packets));
}

/* ---- dumps ----------------------------------------------------------------------- */

/* By the kernel's ticks: on a busy machine User-Mode Linux loses some of them. */
static void wait_for(clock_t seconds)
{
	clock_t until = times(NULL) + seconds * sysconf(_SC_CLK_TCK);

	while (times(NULL) < until)
		usleep(100000);
}

static void late_dump(void)
{
	struct door d;

	door_new_netns();
	door_must(door_open(&d), "open");
	door_must(records_commit(&d, POLICY_A), "commit");
	for (unsigned long i = 0; i < 3; i++) {
		bool late = i == 1;

		dump_begin(&d);
		if (late)
			wait_for(LATE_S);
		door_must(door_answer(&d, NULL), "the rest of a dump");
		if (d.interrupted != late)
			wrong(i, late ? "nobody is told" : "interrupted", EINTR);
	}
	door_close(&d);
	printf("three dumps, one of them late\n");
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "netns")) {
		lives_of_namespaces(strtoul(argv[2], NULL, 10));
	} else if (argc == 4 && !strcmp(argv[1], "load")) {
		lives_of_module(argv[2], strtoul(argv[3], NULL, 10));
	} else if (argc == 2 && !strcmp(argv[1], "dump")) {
		late_dump();
	} else {
		fprintf(stderr, "usage: lives netns CYCLES\n"
				"       lives load MODULE.KO CYCLES\n"
				"       lives dump\n");
		return 2;
	}
	fflush(stdout);
	_exit(bad ? 1 : 0);
}
