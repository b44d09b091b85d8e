// SPDX-License-Identifier: Apache-2.0
/*
 * Frames from inside pods, byte by byte, and what became of them.
 *
 *   raw COUNTERS-NETNS < GROUP
 *
 * GROUP is what tests/packets/export writes:
 *
 *   case TITLE
 *   send NETNS FRAME       out of eth0 of that namespace
 *   mark NETNS FRAME       the same; a packet that is allowed
 *   expect NETNS FAMILY NUMBER MARK arrives|gone REASON:NAME[|REASON:NAME]...
 *
 * A pod receives what comes in by its eth0, before its own kernel judges it.
 * The node receives what its raw sockets are given, behind all hooks. Packets are
 * known by their number: the identification of IPv4, the flow label of IPv6.
 *
 * A veth pair hands packets over in order to the CPU that sends them, and this
 * process stays on one: when the marked packet is there, the others are or
 * will never be. Of the reasons for drops that the module has counted
 * meanwhile, each that is named must have risen, or another of the same word, and
 * none that is not.
 *
 * Prints a line for each step that was not as expected, and the number of
 * cases. Ends with 1 if there was one, with 2 if it could not be tried.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <linux/in6.h>
#include <netinet/ip.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "genl.h"

#define LINE_MAX_LEN	16384
#define HOSTS_MAX	8
#define SOCKETS_MAX	32
#define PATIENCE_MS	10000

/**
 * struct host - a namespace that sends and receives
 * @out: socket of its eth0, -1: it has none, it is a node
 * @sockets: what it receives by
 */
struct host {
	char name[32];
	int out;
	struct pollfd sockets[SOCKETS_MAX];
	unsigned int nsockets;
};

/** struct got - what a receiver saw since the last step */
struct got {
	bool packet;
	bool mark;
};

static struct host hosts[HOSTS_MAX];
static unsigned int nhosts;
static struct knp_genl *genl;

/* Those of packets that the corpus has for the node. */
static const int protocols[] = {
	1, 2, 4, 6, 17, 41, 47, 58, 132, 136, 253,
};

__attribute__((noreturn, format(printf, 1, 2)))
static void die(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "raw: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, ": %s\n", strerror(errno));
	exit(2);
}

static void enter(const char *netns)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die("namespace %s", netns);
	close(fd);
}

static void add_in(struct host *h, int fd)
{
	int size = 1 << 20;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		die("buffer");
	h->sockets[h->nsockets++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

static void open_pod(struct host *h, unsigned int ifindex)
{
	struct sockaddr_ll sa = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)ifindex,
	};

	h->out = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL));
	if (h->out < 0 || bind(h->out, (struct sockaddr *)&sa, sizeof(sa)))
		die("socket of %s", h->name);
	add_in(h, h->out);
}

static void open_node(struct host *h)
{
	int fd, one = 1;

	for (size_t i = 0; i < sizeof(protocols) / sizeof(*protocols); i++) {
		fd = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, protocols[i]);
		if (fd < 0)
			die("protocol %d", protocols[i]);
		add_in(h, fd);
		fd = socket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK, protocols[i]);
		if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_FLOWINFO, &one,
					 sizeof(one)))
			die("protocol %d of IPv6", protocols[i]);
		add_in(h, fd);
	}
}

static struct host *host(const char *name)
{
	unsigned int ifindex;
	struct host *h;

	for (unsigned int i = 0; i < nhosts; i++)
		if (!strcmp(hosts[i].name, name))
			return &hosts[i];
	if (nhosts == HOSTS_MAX)
		die("too many hosts");
	h = &hosts[nhosts++];
	snprintf(h->name, sizeof(h->name), "%s", name);
	h->out = -1;
	enter(name);
	ifindex = if_nametoindex("eth0");
	if (ifindex)
		open_pod(h, ifindex);
	else
		open_node(h);
	return h;
}

/* The number of a packet, -1: it has none. */
static int number_of(const uint8_t *ip, size_t len)
{
	if (len >= sizeof(struct iphdr) && ip[0] >> 4 == 4)
		return ip[4] << 8 | ip[5];
	if (len >= 40 && ip[0] >> 4 == 6)
		return (ip[1] & 15) << 16 | ip[2] << 8 | ip[3];
	return -1;
}

/* Raw sockets of IPv6 leave the header out. */
static int number_of_cmsg(struct msghdr *msg)
{
	uint32_t flow;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == IPPROTO_IPV6 &&
		    c->cmsg_type == IPV6_FLOWINFO) {
			memcpy(&flow, CMSG_DATA(c), sizeof(flow));
			return (int)(ntohl(flow) & 0xfffff);
		}
	return 0;
}

/* One packet. Return its number, -1: it was sent, or has none; -2: no more. */
static int receive(const struct host *h, int fd, int *family)
{
	union {
		struct sockaddr_ll ll;
		struct sockaddr sa;
		struct sockaddr_storage room;
	} from;
	char control[256];
	uint8_t buf[2048];
	struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	ssize_t len = recvmsg(fd, &msg, 0);

	if (len < 0)
		return -2;
	if (h->out < 0) {
		*family = from.sa.sa_family == AF_INET ? 4 : 6;
		return *family == 4 ? number_of(buf, (size_t)len) :
				      number_of_cmsg(&msg);
	}
	if (from.ll.sll_pkttype == PACKET_OUTGOING || len < ETH_HLEN)
		return -1;
	*family = ntohs(from.ll.sll_protocol) == ETH_P_IP ? 4 : 6;
	return number_of(buf + ETH_HLEN, (size_t)len - ETH_HLEN);
}

static void receive_all(const struct host *h, int family, int number, int mark,
			struct got *got)
{
	int seen, of = 0;

	for (unsigned int i = 0; i < h->nsockets; i++) {
		while ((seen = receive(h, h->sockets[i].fd, &of)) != -2) {
			got->packet |= of == family && seen == number;
			got->mark |= of == family && seen == mark;
		}
	}
}

static void send_frame(const char *netns, const char *hex)
{
	const struct host *h = host(netns);
	uint8_t frame[2048];
	size_t n = 0;

	for (; hex[0] && hex[1] && n < sizeof(frame); hex += 2) {
		unsigned int byte;

		if (sscanf(hex, "%2x", &byte) != 1)
			die("bad frame");
		frame[n++] = (uint8_t)byte;
	}
	if (send(h->out, frame, n, 0) != (ssize_t)n)
		die("send from %s", netns);
}

static void count(struct knp_counters *ret)
{
	int err = knp_genl_counters(genl, ret);

	if (err) {
		errno = -err;
		die("counters");
	}
}

static uint64_t risen(const struct knp_counters *before,
		      const struct knp_counters *after, unsigned int reason)
{
	return after->reasons[reason].packets - before->reasons[reason].packets;
}

/* Whether @reason is among "N:NAME[|N:NAME] ...". */
static bool is_named(const char *reasons, unsigned int reason)
{
	char first[16], other[16];

	snprintf(first, sizeof(first), " %u:", reason);
	snprintf(other, sizeof(other), "|%u:", reason);
	return strstr(reasons, first) || strstr(reasons, other);
}

/* Whether a reason of the word at @at, "N:NAME[|N:NAME]", has risen. */
static bool one_has_risen(const struct knp_counters *before,
			  const struct knp_counters *after, const char *at)
{
	const char *end = at + strcspn(at, "\n ");

	while (at < end) {
		unsigned long reason = strtoul(at, NULL, 10);

		if (reason > KNP_REASON_MAX)
			die("bad expectation");
		if (risen(before, after, (unsigned int)reason))
			return true;
		at += strcspn(at, "\n| ") + 1;
	}
	return false;
}

/* What is wrong with the drops that were counted; "" if nothing is. */
static void compare(const struct knp_counters *before,
		    const struct knp_counters *after, const char *reasons,
		    char *ret, size_t room)
{
	size_t len = 0;

	ret[0] = '\0';
	for (unsigned int i = KNP_REASON_PASS_LAST + 1; i <= KNP_REASON_MAX;
	     i++) {
		uint64_t n = risen(before, after, i);

		if (n && !is_named(reasons, i) && len < room)
			len += (size_t)snprintf(ret + len, room - len,
				"; reason %u counted %llu", i,
				(unsigned long long)n);
	}
	for (const char *at = reasons; (at = strchr(at, ' ')); at++) {
		if (!strchr("\n ", at[1]) && len < room &&
		    !one_has_risen(before, after, at + 1))
			len += (size_t)snprintf(ret + len, room - len,
				"; not counted: %.*s",
				(int)strcspn(at + 1, "\n "), at + 1);
	}
}

/* All that has come until the marked packet has. */
static struct got await(const struct host *h, int family, int number, int mark)
{
	struct got got = { 0 };

	receive_all(h, family, number, mark, &got);
	while (!got.mark && poll((struct pollfd *)h->sockets, h->nsockets, PATIENCE_MS) > 0)
		receive_all(h, family, number, mark, &got);
	/* A node has other sockets, which may have been looked at too early. */
	receive_all(h, family, number, mark, &got);
	return got;
}

/* Whether it was as expected; @before is what had been counted, and is now. */
static bool expect(const char *title, unsigned int step, char *words,
		   struct knp_counters *before)
{
	char name[32], what[16], reasons[256] = " ", wrong[256];
	int family, number, mark, used = 0;
	struct knp_counters after;
	bool arrives, good;
	struct got got;

	if (sscanf(words, "%31s %d %d %d %15s%n", name, &family, &number, &mark,
		   what, &used) != 5)
		die("bad expectation");
	snprintf(reasons, sizeof(reasons), "%s", words + used);
	arrives = !strcmp(what, "arrives");
	got = await(host(name), family, number, mark);
	count(&after);
	compare(before, &after, reasons, wrong, sizeof(wrong));
	good = got.mark && got.packet == arrives && !wrong[0];
	if (!good)
		printf("%s, step %u: expected %s%s; %s%s%s\n", title, step, what,
		       reasons, got.packet ? "arrived" : "did not arrive",
		       got.mark ? "" : ", nor did the packet after it", wrong);
	knp_counters_clear(before);
	*before = after;
	return good;
}

static void stay_on_one_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("affinity");
}

/* Sockets are there before the first packet. */
static void open_hosts(FILE *in)
{
	char line[LINE_MAX_LEN], name[32];

	while (fgets(line, sizeof(line), in))
		if (sscanf(line, "send %31s", name) == 1 ||
		    sscanf(line, "expect %31s", name) == 1)
			host(name);
	rewind(in);
}

int main(int argc, char **argv)
{
	char line[LINE_MAX_LEN], title[LINE_MAX_LEN] = "", name[32];
	unsigned int cases = 0, step = 0, bad = 0;
	struct knp_counters before;
	int err, used;

	if (argc != 2)
		die("one namespace is wanted");
	stay_on_one_cpu();
	enter(argv[1]);
	err = knp_genl_open(&genl);
	if (err) {
		fprintf(stderr, "raw: %s\n", knp_genl_advice(err));
		return 2;
	}
	open_hosts(stdin);
	count(&before);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "case ", 5)) {
			strcpy(title, line + 5);
			cases++;
			step = 0;
		} else if (sscanf(line, "send %31s %n", name, &used) == 1 ||
			   sscanf(line, "mark %31s %n", name, &used) == 1) {
			send_frame(name, line + used);
		} else if (!strncmp(line, "expect ", 7)) {
			bad += !expect(title, ++step, line + 7, &before);
		}
	}
	printf("%u cases\n", cases);
	return bad || !cases;
}
