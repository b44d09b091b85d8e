// SPDX-License-Identifier: Apache-2.0
/*
 * Every allocation fails once: what the module does from an empty namespace to a
 * second commit is done again and again, each time with the next allocation
 * failing, in a network namespace of its own.
 *
 *   faults module|kernel
 *   faults load MODULE.KO
 *
 * module: those of the module itself (kmod/faults.h), each by the place where it
 * stands. Prints "site FILE:LINE" for each that failed.
 * kernel: whatever the calls allocate in the kernel, the module included, in a
 * kernel with fault injection (fail-nth); also of making a namespace.
 * load: likewise, of loading the module, which is not there before and after.
 *
 * After each failure: the command says -ENOMEM and why, or, where it is done
 * already and only its notification is missing, listeners are told that they
 * lost one; the transaction is cancelled; tables, verdicts, counters and INFO are
 * what they were, byte by byte; then everything works, and in the end conntrack
 * follows nothing any more in the namespace.
 *
 * Prints "N failures", and a line for each that was not handled so. Ends with 1
 * if there was one, with 2 if it could not be tried.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "door.h"
#include "records.h"

#define SITES_MAX	64
#define NTH_MAX		4000

/** struct state - what must not change when a call fails */
struct state {
	struct door_bytes dump;
	struct door_bytes verdicts;
	struct door_bytes counters;
	struct door_bytes info;
};

/**
 * struct world - a namespace
 * @d: what does it
 * @eye: what looks at it
 * @commits: hears of commits
 * @events: hears of drops
 * @policy: that is to be committed
 * @before: state before the step, or the transaction
 */
struct world {
	struct door d;
	struct door eye;
	struct door commits;
	struct door events;
	int policy;
	struct state before;
};

/**
 * struct step - something to do
 * @go: does it; 0 or -errno
 * @arg: for @go
 * @name: of it
 * @changes: the state, and tells listeners
 * @inside: a transaction that an earlier step began
 */
struct step {
	int (*go)(struct world *w, unsigned int arg);
	unsigned int arg;
	const char *name;
	bool changes;
	bool inside;
};

static struct step steps[64];
static unsigned int nsteps;
static bool by_kernel;
static int nth_fd;
static int kmsg_fd;
static char sites[SITES_MAX][64];
static unsigned int nsites;
static unsigned int failures, bad;

/* ---- what fails -------------------------------------------------------------- */

static void nth_open(void)
{
	const char *path = by_kernel ? "/proc/thread-self/fail-nth" :
			   "/sys/module/knp/parameters/fail_nth";

	nth_fd = open(path, O_RDWR | O_CLOEXEC);
	if (nth_fd < 0)
		door_die("%s", path);
}

static void nth_set(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	if (pwrite(nth_fd, text, (size_t)len, 0) != len)
		door_die("fail-nth");
}

static unsigned int nth_get(void)
{
	char text[16] = "";

	if (pread(nth_fd, text, sizeof(text) - 1, 0) <= 0)
		door_die("fail-nth");
	return (unsigned int)strtoul(text, NULL, 10);
}

static void kmsg_open(void)
{
	kmsg_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg_fd < 0 || lseek(kmsg_fd, 0, SEEK_END) < 0)
		door_die("/dev/kmsg");
}

/* Where the module failed since the last call. */
static const char *site_read(void)
{
	static const char mark[] = "knp: fault at ";
	static char site[64];
	char line[1024];
	const char *at;
	ssize_t n;

	snprintf(site, sizeof(site), "nowhere");
	while ((n = read(kmsg_fd, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		at = strstr(line, mark);
		if (at)
			snprintf(site, sizeof(site), "%.*s",
				 (int)strcspn(at + strlen(mark), "\n"),
				 at + strlen(mark));
	}
	return site;
}

static void site_note(const char *site)
{
	for (unsigned int i = 0; i < nsites; i++)
		if (!strcmp(sites[i], site))
			return;
	if (nsites < SITES_MAX)
		snprintf(sites[nsites++], sizeof(sites[0]), "%s", site);
}

/* ---- what must not change ---------------------------------------------------- */

static void state_clear(struct state *s)
{
	door_bytes_clear(&s->dump);
	door_bytes_clear(&s->verdicts);
	door_bytes_clear(&s->counters);
	door_bytes_clear(&s->info);
}

/* Verdicts for the addresses of the policies, and beside them. */
static void verdicts_read(struct door *d, struct door_bytes *ret)
{
	for (int i = 0; i < 24; i++) {
		uint8_t src[KNP_ADDR_LEN] = { 10, (uint8_t)(i / 2 % 4), 0, 1 };
		uint8_t dst[KNP_ADDR_LEN] = { 10, 0, 0, 2 };
		uint16_t port = (uint16_t)(80 + i % 2);

		if (i >= 12) {
			dst[1] = 4;
			dst[3] = (uint8_t)(i / 4 * 2);
		}
		if (door_explain(d, AF_INET, src, dst, port, ret) &&
		    strcmp(d->text, "nothing has been committed"))
			door_die("explain: %s", d->text);
	}
}

/* All of INFO but the memory of tables, of which some are freed later. */
static void info_forget_memory(struct door_bytes *info)
{
	size_t len;
	void *memory = (void *)(uintptr_t)door_find(info, KNP_A_MEMORY, &len);

	if (memory)
		memset(memory, 0, len);
}

static void state_read(struct world *w, struct state *s)
{
	struct door_message m;

	state_clear(s);
	door_start(&w->eye, &m, KNP_CMD_INFO, 0);
	if (door_talk(&w->eye, &m, &s->info) ||
	    door_dump(&w->eye, KNP_CMD_GET, &s->dump) ||
	    door_dump(&w->eye, KNP_CMD_COUNTERS, &s->counters))
		door_die("state: %s", w->eye.text);
	info_forget_memory(&s->info);
	verdicts_read(&w->eye, &s->verdicts);
}

static bool state_equal(const struct state *a, const struct state *b)
{
	return door_bytes_equal(&a->dump, &b->dump) &&
	       door_bytes_equal(&a->verdicts, &b->verdicts) &&
	       door_bytes_equal(&a->counters, &b->counters) &&
	       door_bytes_equal(&a->info, &b->info);
}

/* ---- the steps --------------------------------------------------------------- */

static int go_command(struct world *w, unsigned int cmd)
{
	return door_command(&w->d, (uint8_t)cmd);
}

static int go_config(struct world *w, unsigned int value)
{
	return door_config(&w->d, KNP_A_LB_PROBES, (uint8_t)value);
}

/* A list that is not the one there is at first. */
static int go_allow(struct world *w, unsigned int port)
{
	const struct knp_node_allow allow = {
		.proto = 6, .port = (uint16_t)port,
	};
	struct door_message m;

	door_start(&w->d, &m, KNP_CMD_CONFIG, 0);
	door_put(&m, KNP_A_NODE_ALLOW, &allow, sizeof(allow));
	return door_talk(&w->d, &m, NULL);
}

static int go_attach(struct world *w, unsigned int families)
{
	return door_attach(&w->d, families);
}

static int go_records(struct world *w, unsigned int n)
{
	return records_step(&w->d, w->policy, n);
}

static int go_explain(struct world *w, unsigned int unused)
{
	const uint8_t src[KNP_ADDR_LEN] = { 10, 0, 0, 1 };
	const uint8_t dst[KNP_ADDR_LEN] = { 10, 0, 0, 2 };

	(void)unused;
	return door_explain(&w->d, AF_INET, src, dst, 80, NULL);
}

static int go_dump(struct world *w, unsigned int cmd)
{
	struct door_bytes got = { 0 };
	int err = door_dump(&w->d, (uint8_t)cmd, &got);

	door_bytes_clear(&got);
	return err;
}

/* A datagram that no policy allows; it is reported. */
static void send_denied(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	sa.sin_addr.s_addr = htonl(0x0a000001);
	if (!bind(fd, (struct sockaddr *)&sa, sizeof(sa))) {
		sa.sin_addr.s_addr = htonl(0x0a000002);
		sa.sin_port = htons(4242);
		sendto(fd, "x", 1, 0, (struct sockaddr *)&sa, sizeof(sa));
	}
	close(fd);
}

/* The LOST of the next event; -1: there is none. */
static long event_hear(struct world *w)
{
	uint8_t buf[4096];
	struct door_bytes got = { .data = buf + 20 };
	const void *lost;
	uint64_t value;
	size_t len;
	int n = door_hear(&w->events, 5000, buf, sizeof(buf));

	if (n <= 20)
		return -1;
	got.len = (size_t)n - 20;
	lost = door_find(&got, KNP_A_LOST, &len);
	if (!lost)
		return -1;
	memcpy(&value, lost, sizeof(value));
	return (long)value;
}

/*
 * A drop is reported, or, where there was no memory for that, the report of the
 * next one says that one was lost.
 */
static int go_report(struct world *w, unsigned int unused)
{
	unsigned int armed = nth_get();

	(void)unused;
	send_denied();
	for (int i = 0; armed == 1 && i < 500 && nth_get(); i++)
		usleep(10000);
	if (armed == 1) {
		send_denied();
		return event_hear(w) == 1 ? 0 : -EBADMSG;
	}
	return event_hear(w) < 0 ? -EBADMSG : 0;
}

static void add(int (*go)(struct world *w, unsigned int arg), unsigned int arg,
		const char *name, bool changes, bool inside)
{
	steps[nsteps++] = (struct step){ go, arg, name, changes, inside };
}

static void steps_list(void)
{
	unsigned int last = records_steps() - 1;

	add(go_command, KNP_CMD_INFO, "info", false, false);
	add(go_config, KNP_PASS, "config", true, false);
	add(go_allow, 53, "list", true, false);
	add(go_attach, KNP_FAMILY_IPV4, "attach", true, false);
	add(go_attach, KNP_FAMILY_MASK, "attach more", true, false);
	for (unsigned int n = 0; n <= last; n++)
		add(go_records, n, records_step_name(n), n == last, n > 0);
	add(go_explain, 0, "explain", false, false);
	add(go_dump, KNP_CMD_GET, "get", false, false);
	add(go_dump, KNP_CMD_COUNTERS, "counters", false, false);
	if (!by_kernel)
		add(go_report, 0, "report", false, false);
	add(go_command, KNP_CMD_DETACH, "detach", true, false);
	add(go_config, KNP_DROP, "config back", true, false);
}

/* ---- what is left ------------------------------------------------------------ */

/* Entries of conntrack in this namespace. */
static long entries(void)
{
	static const char path[] = "/proc/sys/net/netfilter/nf_conntrack_count";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[16] = "";

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		door_die("%s", path);
	close(fd);
	return strtol(text, NULL, 10);
}

/* Whether conntrack makes entries of datagrams to @addr, an address of loopback. */
static bool tracked(const char *addr)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6 };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	long before = entries();

	if (fd < 0 || inet_pton(AF_INET6, addr, &to.sin6_addr) != 1)
		door_die("%s", addr);
	/* More than one, should an old entry end meanwhile. */
	for (uint16_t port = 9; port < 13; port++) {
		to.sin6_port = htons(port);
		if (sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) != 1)
			door_die("a datagram to %s", addr);
	}
	close(fd);
	return entries() > before;
}

/* ---- a world ----------------------------------------------------------------- */

static void world_open(struct world *w, bool full)
{
	memset(w, 0, sizeof(*w));
	door_new_netns();
	door_must(door_open(&w->d), "open");
	door_must(door_open(&w->eye), "open");
	door_must(door_open(&w->commits), "open");
	door_must(door_open(&w->events), "open");
	door_must(door_join(&w->commits, DOOR_COMMITS), "join commits");
	door_must(door_join(&w->events, DOOR_EVENTS), "join events");
	w->policy = full ? POLICY_B : POLICY_A;
	if (full)
		door_must(records_commit(&w->d, POLICY_A), "first commit");
}

static void world_close(struct world *w)
{
	door_close(&w->d);
	door_close(&w->eye);
	door_close(&w->commits);
	door_close(&w->events);
	state_clear(&w->before);
}

static void hear_all(struct door *d)
{
	uint8_t buf[4096];

	while (door_hear(d, 0, buf, sizeof(buf)))
		;
}

static bool heard_of_loss(struct world *w)
{
	uint8_t buf[4096];
	int n;

	do {
		n = door_hear(&w->commits, 1000, buf, sizeof(buf));
	} while (n > 0);
	return n == -ENOBUFS;
}

__attribute__((format(printf, 3, 4)))
static void wrong(const struct step *s, const char *site, const char *format, ...)
{
	va_list args;

	bad++;
	printf("%s, failing at %s: ", s->name, site);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

/* After a refusal inside it, a transaction takes nothing more. */
static void expect_cancelled(struct world *w, const struct step *s,
			     const char *site)
{
	const struct knp_rec_rule rule = { .id = 9 };
	int want = s->changes || !s->inside ? -ENOENT : -ECANCELED;
	int err = door_records(&w->d, KNP_CMD_PUT, KNP_TABLE_RULE, &rule,
			       sizeof(rule));

	if (err != want)
		wrong(s, site, "a PUT afterwards: %s, not %s",
		      strerrorname_np(-err), strerrorname_np(-want));
	door_command(&w->d, KNP_CMD_ABORT);
}

/* Whether the step, which the module failed, was handled as it should. */
static void judge(struct world *w, const struct step *s, int err)
{
	const char *site = site_read();
	struct state after = { 0 };

	site_note(site);
	if (!err && s->changes) {
		if (!heard_of_loss(w))
			wrong(s, site, "it succeeds, and nobody is told");
		return;
	}
	if (!err && s->go == go_report)
		return;
	if (err != -ENOMEM || !w->d.text[0])
		wrong(s, site, "it says %s, \"%s\"",
		      err ? strerrorname_np(-err) : "yes", w->d.text);
	if (s->go == go_records)
		expect_cancelled(w, s, site);
	state_read(w, &after);
	if (!state_equal(&w->before, &after))
		wrong(s, site, "something has changed");
	state_clear(&after);
}

/*
 * The same where the kernel failed, anywhere between the call and the answer: so
 * a command may be done although its answer was lost, but only as a whole.
 */
static void judge_kernel(struct world *w, const struct step *s, int err)
{
	struct state after = { 0 };

	door_close(&w->d);
	door_must(door_open(&w->d), "open again");
	state_read(w, &after);
	if (!s->changes && !state_equal(&w->before, &after))
		wrong(s, "the kernel", "it says %s, and something has changed",
		      err ? strerrorname_np(-err) : "yes");
	if (s->changes && s->go == go_records && err &&
	    !door_bytes_equal(&w->before.dump, &after.dump) &&
	    !records_hold(&w->eye, w->policy))
		wrong(s, "the kernel", "half of it is published");
	state_clear(&after);
}

static void look(struct world *w)
{
	unsigned int left = nth_get();

	nth_set(0);
	state_read(w, &w->before);
	hear_all(&w->commits);
	hear_all(&w->events);
	nth_set(left);
}

/* Everything works: nothing is left of the failure. */
static void go_on(struct world *w, const struct step *failed)
{
	for (unsigned int i = 0; i < nsteps; i++) {
		int err = steps[i].go(w, steps[i].arg);

		if (err) {
			wrong(failed, "before", "then %s says %s, \"%s\"",
			      steps[i].name, strerrorname_np(-err), w->d.text);
			return;
		}
		hear_all(&w->events);
	}
	if (!records_hold(&w->d, w->policy))
		wrong(failed, "before", "the next commit judges otherwise");
	if (tracked("::ffff:127.0.0.1") || tracked("::1"))
		wrong(failed, "before", "conntrack stays when hooks are gone");
}

/* Fail the nth allocation of all steps. Return: false if there are not as many. */
static bool fail(bool full, unsigned int n)
{
	bool failed = false;
	struct world w;
	int err;

	world_open(&w, full);
	nth_set(n);
	for (unsigned int i = 0; !failed && i < nsteps; i++) {
		if (!steps[i].inside)
			look(&w);
		err = steps[i].go(&w, steps[i].arg);
		failed = !nth_get();
		if (failed) {
			nth_set(0);
			failures++;
			if (by_kernel)
				judge_kernel(&w, &steps[i], err);
			else
				judge(&w, &steps[i], err);
			go_on(&w, &steps[i]);
		} else if (err) {
			errno = -err;
			door_die("%s: %s", steps[i].name, w.d.text);
		}
	}
	nth_set(0);
	world_close(&w);
	return failed;
}

/* Make a namespace, failing the nth allocation of it; the one before stays. */
static bool fail_netns(unsigned int n)
{
	static const struct step s = { .name = "a new namespace" };
	struct door d;
	bool failed;
	int err;

	nth_set(n);
	err = unshare(CLONE_NEWNET) ? errno : 0;
	failed = !nth_get();
	nth_set(0);
	failures += failed;
	/* In which words others fail is their own; the module allocates nothing. */
	if (err && !failed)
		wrong(&s, "the kernel", "it says %s", strerrorname_np(err));
	door_must(door_open(&d), "open");
	if (records_commit(&d, POLICY_A) || !records_hold(&d, POLICY_A))
		wrong(&s, "the kernel", "nothing can be committed: %s", d.text);
	door_close(&d);
	return failed;
}

/* Load the module, failing the nth allocation of that. */
static bool fail_load(const char *path, unsigned int n)
{
	static const struct step s = { .name = "loading" };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool failed;
	int err;

	if (fd < 0)
		door_die("%s", path);
	nth_set(n);
	err = syscall(SYS_finit_module, fd, "", 0) ? errno : 0;
	failed = !nth_get();
	nth_set(0);
	close(fd);
	failures += failed;
	if (err && (!failed || err != ENOMEM))
		wrong(&s, "the kernel", "it says %s", strerrorname_np(err));
	if (!err && syscall(SYS_delete_module, "knp", 0))
		door_die("unloading");
	return failed;
}

/* Run a sweep to its end. */
static void sweep_kernel(const char *module)
{
	unsigned int n = 1;

	while (n < NTH_MAX && (module ? fail_load(module, n) : fail_netns(n)))
		n++;
	printf("%s: %u allocations\n", module ? "loading" : "a namespace",
	       n - 1);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	bool load = argc == 3 && !strcmp(what, "load");

	by_kernel = load || !strcmp(what, "kernel");
	if (!load && (argc != 2 || (!by_kernel && strcmp(what, "module")))) {
		fprintf(stderr, "usage: faults module|kernel\n"
				"       faults load MODULE.KO\n");
		return 2;
	}
	nth_open();
	kmsg_open();
	if (by_kernel)
		sweep_kernel(load ? argv[2] : NULL);
	if (load)
		goto out;
	steps_list();
	for (int full = 0; full < 2; full++) {
		unsigned int n = 1;

		while (n < NTH_MAX && fail(full, n))
			n++;
		printf("%s: %u allocations\n", full ? "second commit" :
		       "first commit", n - 1);
	}
	for (unsigned int i = 0; i < nsites; i++)
		printf("site %s\n", sites[i]);
out:
	printf("%u failures\n", failures);
	return bad || !failures;
}
