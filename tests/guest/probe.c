// SPDX-License-Identifier: Apache-2.0
/*
 * Real connections between network namespaces, for the guest scenarios.
 *
 *   probe serve --log FILE NETNS... -- PORT/PROTO...
 *       echo servers, IPv4 and IPv6, in every namespace, from one process;
 *       prints "ready" when all of them listen; appends what arrives by UDP to
 *       FILE, so that a test sees what reached a server that cannot answer
 *   probe matrix [--deadline MS] [--grace MS] [--rounds N] [--log FILE] < SPEC
 *       every connection of SPEC at once, one a line:
 *       NETNS[@ADDRESS] ADDRESS PORT PROTO EXPECT LABEL, from that address if
 *       one is given, EXPECT being yes or no
 *   probe hold NETNS ADDRESS PORT PROTO [--bind ADDRESS] [--deadline MS]
 *       one long-lived connection, driven by lines on stdin: "ping" sends one
 *       message and answers "pong N" or "lost N"; "send TEXT" answers "sent"
 *   probe latency COUNT DIR NAMES FILE_A FILE_B
 *       replaces DIR/latency.yaml by copies of FILE_A and FILE_B in turn and
 *       measures until NAMES, the journal that knpd seals after each commit,
 *       has a new generation; prints the figures
 *   probe changes NETNS ADDRESS PORT
 *       asks a UDP server all the time; for each line "yes START" or "no START"
 *       on stdin prints how long after START, microseconds of the clock, the
 *       first packet was sent that had this new verdict, and at the end of
 *       stdin the figures
 *   probe bpf xdp|tc PATH, probe bpf tcx PATH NETNS INTERFACE
 *       pins a program that lets everything pass, or its link to an interface
 *   probe enforced SECONDS STATUS VERSION
 *       waits until the status file says that a later version of the store
 *       than VERSION is enforced, and that nothing newer is under way
 *
 * A connection counts as "yes" when the peer's echo came back, with rounds one
 * after the other. It is "no" when nothing came until the deadline, "refused"
 * when somebody answered that there is no service (so the packet did pass),
 * "stuck" when a later round was not answered.
 *
 * Under emulation nothing is fast, so an expected answer may take until the
 * deadline; the grace is how long the silence of the others is listened to
 * after the last expected answer. UDP never repeats, so it judges the first
 * packet exactly; for TCP the connections that had to repeat one are counted.
 *
 * Namespaces are names below /run/netns. Errors end the process with status 2;
 * "matrix" ends with 1 if an expectation failed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

void die(const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	fputs("probe: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, " (%s)\n", strerror(err));
	exit(2);
}

int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void enter(const char *netns)
{
	static char current[NAME_LEN];
	char path[PATH_MAX];
	int fd;

	if (!strcmp(current, netns))
		return;
	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die("namespace %s", netns);
	close(fd);
	snprintf(current, sizeof(current), "%s", netns);
}

int proto_number(const char *name)
{
	if (!strcmp(name, "TCP"))
		return IPPROTO_TCP;
	if (!strcmp(name, "UDP"))
		return IPPROTO_UDP;
	if (!strcmp(name, "SCTP"))
		return IPPROTO_SCTP;
	errno = EINVAL;
	die("protocol %s", name);
}

int new_socket(int family, int proto)
{
	int type = proto == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
	int fd;

	fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, proto);
	if (fd < 0)
		die("socket of protocol %d", proto);
	return fd;
}

socklen_t parse_address(const char *text, int port,
			struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		return sizeof(*v6);
	}
	errno = EINVAL;
	die("address %s", text);
}

void bind_to(int fd, const char *from)
{
	struct sockaddr_storage sa;
	socklen_t len = parse_address(from, 0, &sa);

	if (bind(fd, (struct sockaddr *)&sa, len))
		die("bind %s", from);
}

bool unfinished(int err)
{
	return err == EAGAIN || err == EINTR || err == ENOTCONN ||
	       err == EINPROGRESS || err == EALREADY;
}

/* serve ------------------------------------------------------------------ */

enum server_kind {
	LISTENER,
	STREAM,
	DATAGRAM,
};

static void watch(int ep, int fd, enum server_kind kind)
{
	struct epoll_event ev = {
		.events = EPOLLIN,
		.data.u64 = (uint64_t)kind << 32 | (uint32_t)fd,
	};

	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev))
		die("epoll");
}

/* So that an answer can come from the address that was asked. */
static void ask_for_address(int fd, int family)
{
	int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	int what = family == AF_INET ? IP_PKTINFO : IPV6_RECVPKTINFO;
	int one = 1;

	if (setsockopt(fd, level, what, &one, sizeof(one)))
		die("addresses of packets");
}

static void serve_on(int ep, const char *netns, int family, int port, int proto)
{
	const char *any = family == AF_INET ? "0.0.0.0" : "::";
	struct sockaddr_storage sa;
	socklen_t len;
	int fd, one = 1;

	len = parse_address(any, port, &sa);
	fd = new_socket(family, proto);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (proto == IPPROTO_UDP)
		ask_for_address(fd, family);
	if (bind(fd, (struct sockaddr *)&sa, len))
		die("bind %s port %d protocol %d", netns, port, proto);
	if (proto != IPPROTO_UDP && listen(fd, 1024))
		die("listen %s port %d protocol %d", netns, port, proto);
	watch(ep, fd, proto == IPPROTO_UDP ? DATAGRAM : LISTENER);
}

/*
 * The kernel takes back what it said of a packet: the answer leaves from the
 * address that was asked, and by any interface.
 */
static void answer_from(struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);

	if (c && c->cmsg_level == IPPROTO_IP)
		((struct in_pktinfo *)CMSG_DATA(c))->ipi_ifindex = 0;
	else if (c && c->cmsg_level == IPPROTO_IPV6)
		((struct in6_pktinfo *)CMSG_DATA(c))->ipi6_ifindex = 0;
}

static void echo_datagrams(int fd, FILE *log)
{
	_Alignas(struct cmsghdr)
	char control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	struct sockaddr_storage from;
	char buf[MSG_LEN];
	struct iovec iov = { .iov_base = buf };
	struct msghdr msg = {
		.msg_name = &from,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
	};
	ssize_t n;

	for (;;) {
		iov.iov_len = sizeof(buf);
		msg.msg_namelen = sizeof(from);
		msg.msg_controllen = sizeof(control);
		n = recvmsg(fd, &msg, 0);
		if (n < 0)
			return;
		if (log) {
			fwrite(iov.iov_base, 1, (size_t)n, log);
			fflush(log);
		}
		iov.iov_len = (size_t)n;
		answer_from(&msg);
		sendmsg(fd, &msg, 0);
	}
}

static void echo_stream(int fd)
{
	char buf[MSG_LEN];
	ssize_t n;

	n = recv(fd, buf, sizeof(buf), 0);
	if (n > 0)
		send(fd, buf, (size_t)n, MSG_NOSIGNAL);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		close(fd);
}

static void serve_event(int ep, const struct epoll_event *ev, FILE *log)
{
	int fd = (int)(uint32_t)ev->data.u64, conn;

	switch ((enum server_kind)(ev->data.u64 >> 32)) {
	case LISTENER:
		while ((conn = accept4(fd, NULL, NULL,
				       SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
			watch(ep, conn, STREAM);
		break;
	case STREAM:
		echo_stream(fd);
		break;
	case DATAGRAM:
		echo_datagrams(fd, log);
		break;
	}
}

static int cmd_serve(int argc, char **argv)
{
	struct epoll_event ev[64];
	FILE *log = NULL;
	int ep, i, j, n, split;

	if (argc > 2 && !strcmp(argv[0], "--log")) {
		log = fopen(argv[1], "ae");
		if (!log)
			die("%s", argv[1]);
		argc -= 2;
		argv += 2;
	}
	ep = epoll_create1(EPOLL_CLOEXEC);
	for (split = 0; split < argc && strcmp(argv[split], "--"); split++)
		;
	for (i = 0; i < split; i++) {
		enter(argv[i]);
		for (j = split + 1; j < argc; j++) {
			char proto[NAME_LEN];
			int port;

			if (sscanf(argv[j], "%d/%63s", &port, proto) != 2)
				die("port %s", argv[j]);
			serve_on(ep, argv[i], AF_INET, port, proto_number(proto));
			serve_on(ep, argv[i], AF_INET6, port, proto_number(proto));
		}
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		n = epoll_wait(ep, ev, 64, -1);
		if (n < 0 && errno != EINTR)
			die("epoll");
		for (i = 0; i < n; i++)
			serve_event(ep, &ev[i], log);
	}
}

/* hold ------------------------------------------------------------------- */

static bool readable_until(int fd, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t left = deadline - now_us();

	return left > 0 && poll(&p, 1, (int)(left / 1000) + 1) > 0;
}

/* Nobody listens any more, or not yet: not the end of the connection. */
static bool passes_over(int err)
{
	return unfinished(err) || err == ECONNREFUSED;
}

static void breathe(void)
{
	usleep(5000);
}

/* For the log of a scenario that is surprised. */
static bool gone(const char *what, int err)
{
	fprintf(stderr, "hold: %s: %s\n", what, err ? strerror(err) : "end");
	return false;
}

/* An SCTP socket that is still connecting reads as one that has ended. */
static bool connected_until(int fd, int64_t deadline)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	socklen_t size;
	int err;

	while (getpeername(fd, (struct sockaddr *)&sa, &len)) {
		size = sizeof(err);
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) ||
		    (err && !passes_over(err)))
			return gone("connect", err);
		if (now_us() > deadline)
			return false;
		breathe();
		len = sizeof(sa);
	}
	return true;
}

/*
 * Messages have one length, so that the echo of an earlier one, which a
 * reopened path may still deliver, is told from the one awaited.
 */
static bool ping(int fd, unsigned int seq, int64_t deadline)
{
	char want[16], got[16];
	size_t have = 0;
	ssize_t n;

	if (!connected_until(fd, deadline))
		return false;
	snprintf(want, sizeof(want), "%014u\n", seq);
	while (send(fd, want, 15, MSG_NOSIGNAL) != 15) {
		if (!passes_over(errno) || now_us() > deadline)
			return gone("send", errno);
		breathe();
	}
	while (readable_until(fd, deadline)) {
		n = recv(fd, got + have, 15 - have, 0);
		if (n == 0 || (n < 0 && !passes_over(errno)))
			return gone("receive", n ? errno : 0);
		if (n < 0) {
			breathe();
			continue;
		}
		have += (size_t)n;
		if (have < 15)
			continue;
		if (!memcmp(got, want, 15))
			return true;
		have = 0;
	}
	return false;
}

static void hold_loop(int fd, int64_t wait)
{
	char line[MSG_LEN];
	unsigned int seq = 0;

	while (fgets(line, sizeof(line), stdin)) {
		if (!strncmp(line, "send ", 5)) {
			puts(send(fd, line + 5, strlen(line + 5), MSG_NOSIGNAL) < 0 ?
			     "failed" : "sent");
		} else {
			seq++;
			printf("%s %u\n", ping(fd, seq, now_us() + wait) ?
			       "pong" : "lost", seq);
		}
		fflush(stdout);
	}
}

static int cmd_hold(int argc, char **argv)
{
	const char *from = NULL;
	struct sockaddr_storage sa;
	int64_t wait = 10000;
	socklen_t len;
	int fd, i;

	if (argc < 4)
		return 2;
	for (i = 4; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--bind"))
			from = argv[i + 1];
		else if (!strcmp(argv[i], "--deadline"))
			wait = atoi(argv[i + 1]);
	}
	enter(argv[0]);
	len = parse_address(argv[1], atoi(argv[2]), &sa);
	fd = new_socket(sa.ss_family, proto_number(argv[3]));
	if (from)
		bind_to(fd, from);
	if (connect(fd, (struct sockaddr *)&sa, len) && errno != EINPROGRESS)
		die("connect %s", argv[1]);
	hold_loop(fd, wait * 1000);
	return 0;
}

/* latency ---------------------------------------------------------------- */

static void put_file(const char *dir, const char *text, size_t len)
{
	char tmp[PATH_MAX], path[PATH_MAX];
	int fd;

	snprintf(tmp, sizeof(tmp), "%s/.latency.tmp", dir);
	snprintf(path, sizeof(path), "%s/latency.yaml", dir);
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, len) != (ssize_t)len || close(fd))
		die("%s", tmp);
	if (rename(tmp, path))
		die("%s", path);
}

static size_t get_file(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return 0;
	n = fread(buf, 1, size - 1, f);
	fclose(f);
	buf[n] = 0;
	return n;
}

/**
 * struct status - what knpd's status file says
 * @synced: all that knpd has seen is enforced
 */
struct status {
	unsigned long long version;
	bool synced;
};

static unsigned long long number_in(const char *json, const char *key)
{
	const char *at = strstr(json, key);

	at = at ? strchr(at, ':') : NULL;
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

static struct status read_status(const char *path)
{
	struct status st = { 0 };
	const char *at;
	char buf[65536];

	if (!get_file(path, buf, sizeof(buf)))
		return st;
	/* That of knpd: what it says of its source is deeper. */
	at = strstr(buf, "\n  \"state\"");
	at = at ? strchr(at, ':') : NULL;
	at = at ? strchr(at, '"') : NULL;
	st.version = number_in(buf, "\"enforced_version\"");
	st.synced = at && !strncmp(at, "\"synced\"", 8) &&
		    st.version == number_in(buf, "\"store_version\"") &&
		    number_in(buf, "\"batches\"") ==
		    number_in(buf, "\"enforced_batches\"");
	return st;
}

/* Watches the folder of a file that is appended to, or replaced by rename(2). */
static int watch_file(const char *path)
{
	char folder[PATH_MAX];
	int ino;

	snprintf(folder, sizeof(folder), "%s", path);
	*strrchr(folder, '/') = 0;
	ino = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (ino < 0 || inotify_add_watch(ino, folder, IN_MOVED_TO | IN_MODIFY) < 0)
		die("%s", folder);
	return ino;
}

static void wait_file(int ino)
{
	struct pollfd p = { .fd = ino, .events = POLLIN };
	char buf[4096];

	if (poll(&p, 1, 200) > 0 && read(ino, buf, sizeof(buf)) < 0 &&
	    errno != EAGAIN)
		die("inotify");
}

/* The last seal of the journal; 0 if there is none near its end. */
static unsigned long long last_generation(const char *path)
{
	unsigned long long generation = 0;
	char buf[65536], *at;
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return 0;
	if (fseek(f, -(long)sizeof(buf) / 2, SEEK_END))
		rewind(f);
	n = fread(buf, 1, sizeof(buf) - 1, f);
	fclose(f);
	buf[n] = 0;
	for (at = buf; (at = strstr(at, "\ngeneration ")); at++)
		if (strchr(at + 1, '\n'))
			generation = strtoull(at + 12, NULL, 10);
	return generation;
}

static void wait_generation(int ino, const char *path, unsigned long long old)
{
	int64_t give_up = now_us() + 20 * 1000000LL;

	while (last_generation(path) == old) {
		if (now_us() > give_up) {
			errno = ETIMEDOUT;
			die("no new generation after %llu", old);
		}
		wait_file(ino);
	}
}

static int cmd_enforced(int argc, char **argv)
{
	unsigned long long old;
	int64_t give_up;
	int ino;

	if (argc != 3)
		return 2;
	give_up = now_us() + atoi(argv[0]) * 1000000LL;
	old = strtoull(argv[2], NULL, 10);
	ino = watch_file(argv[1]);
	while (now_us() < give_up) {
		struct status st = read_status(argv[1]);

		if (st.synced && st.version > old)
			return 0;
		wait_file(ino);
	}
	return 1;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

void print_figures(int64_t *us, int n)
{
	qsort(us, (size_t)n, sizeof(*us), compare);
	printf("changes=%d min_us=%lld p50_us=%lld p90_us=%lld p99_us=%lld max_us=%lld\n",
	       n, (long long)us[0], (long long)us[n / 2], (long long)us[n * 9 / 10],
	       (long long)us[n * 99 / 100], (long long)us[n - 1]);
	fflush(stdout);
}

static int cmd_latency(int argc, char **argv)
{
	char text[2][65536];
	unsigned long long old;
	size_t len[2];
	int64_t *us;
	int ino, i, n;

	if (argc != 5)
		return 2;
	n = atoi(argv[0]);
	us = calloc((size_t)n, sizeof(*us));
	if (n < 1 || !us)
		return 2;
	len[0] = get_file(argv[3], text[0], sizeof(text[0]));
	len[1] = get_file(argv[4], text[1], sizeof(text[1]));
	ino = watch_file(argv[2]);
	for (i = 0; i < n; i++) {
		int64_t start;

		old = last_generation(argv[2]);
		start = now_us();
		put_file(argv[1], text[i % 2], len[i % 2]);
		wait_generation(ino, argv[2], old);
		us[i] = now_us() - start;
	}
	print_figures(us, n);
	free(us);
	close(ino);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "serve"))
		return cmd_serve(argc - 2, argv + 2);
	if (argc > 1 && !strcmp(argv[1], "matrix"))
		return probe_matrix(argc - 2, argv + 2);
	if (argc > 1 && !strcmp(argv[1], "hold"))
		return cmd_hold(argc - 2, argv + 2);
	if (argc > 1 && !strcmp(argv[1], "latency"))
		return cmd_latency(argc - 2, argv + 2);
	if (argc > 1 && !strcmp(argv[1], "enforced"))
		return cmd_enforced(argc - 2, argv + 2);
	if (argc > 1 && !strcmp(argv[1], "changes"))
		return probe_changes(argc - 2, argv + 2);
	if (argc > 1 && !strcmp(argv[1], "bpf"))
		return probe_bpf(argc - 2, argv + 2);
	fputs("usage: probe serve|matrix|hold|latency|enforced|changes|bpf ...\n",
	      stderr);
	return 2;
}
