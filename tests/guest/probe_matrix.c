// SPDX-License-Identifier: Apache-2.0
/* probe matrix: many connections at once. */
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe.h"

static void raise_file_limit(void)
{
	struct rlimit lim = { .rlim_cur = 65536, .rlim_max = 65536 };

	if (setrlimit(RLIMIT_NOFILE, &lim))
		die("file limit");
}

/**
 * struct try - one connection
 * @from: the client's address, "" if any
 * @result: NULL until it is known
 * @rounds: echoes that have come
 */
struct try {
	char netns[NAME_LEN];
	char from[NAME_LEN];
	char addr[INET6_ADDRSTRLEN];
	char label[2 * NAME_LEN];
	const char *result;
	int64_t start, end;
	int port;
	int proto;
	int fd;
	int rounds;
	bool expect;
	bool sent;
	bool repeated;
};

/* NETNS@ADDRESS */
static void split_client(struct try *t)
{
	char *at = strchr(t->netns, '@');

	if (!at)
		return;
	*at = 0;
	snprintf(t->from, sizeof(t->from), "%s", at + 1);
}

static size_t read_spec(struct try **ret)
{
	size_t n = 0, cap = 0;
	struct try *v = NULL;
	char line[512];

	while (fgets(line, sizeof(line), stdin)) {
		char proto[NAME_LEN], expect[NAME_LEN];
		struct try *t;

		if (n == cap) {
			cap = cap ? 2 * cap : 256;
			v = realloc(v, cap * sizeof(*v));
			if (!v)
				die("memory");
		}
		t = &v[n++];
		memset(t, 0, sizeof(*t));
		if (sscanf(line, "%63s %45s %d %63s %63s %127s", t->netns,
			   t->addr, &t->port, proto, expect, t->label) != 6)
			die("line %zu of the specification", n);
		split_client(t);
		t->proto = proto_number(proto);
		t->expect = !strcmp(expect, "yes");
		t->fd = -1;
	}
	*ret = v;
	return n;
}

static void finish(struct try *t, const char *result)
{
	t->result = result;
	t->end = now_us();
	close(t->fd);
	t->fd = -1;
}

static void begin(struct try *t, int ep)
{
	struct epoll_event ev = {
		.events = EPOLLIN | EPOLLOUT | EPOLLET,
		.data.ptr = t,
	};
	struct sockaddr_storage sa;
	socklen_t len;

	enter(t->netns);
	len = parse_address(t->addr, t->port, &sa);
	t->fd = new_socket(sa.ss_family, t->proto);
	if (*t->from)
		bind_to(t->fd, t->from);
	t->start = now_us();
	if (connect(t->fd, (struct sockaddr *)&sa, len) && errno != EINPROGRESS) {
		finish(t, errno == ECONNREFUSED ? "refused" : "error");
		return;
	}
	if (epoll_ctl(ep, EPOLL_CTL_ADD, t->fd, &ev))
		die("epoll");
}

static bool was_repeated(const struct try *t)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	if (t->proto != IPPROTO_TCP)
		return false;
	memset(&info, 0, sizeof(info));
	if (getsockopt(t->fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		return false;
	return info.tcpi_total_retrans > 0;
}

static void ask(struct try *t)
{
	if (send(t->fd, "knp\n", 4, MSG_NOSIGNAL) == 4)
		t->sent = true;
	else if (!unfinished(errno))
		finish(t, errno == ECONNREFUSED ? "refused" : "error");
}

/* Events are edges: a socket that hangs up while connecting costs nothing. */
static void advance(struct try *t, uint32_t events, int rounds)
{
	char buf[MSG_LEN];

	if (!t->sent && (events & EPOLLOUT) && !(events & EPOLLERR)) {
		ask(t);
		if (t->result)
			return;
	}
	if (!(events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
		return;
	if (recv(t->fd, buf, sizeof(buf), 0) > 0) {
		if (++t->rounds < rounds) {
			ask(t);
			return;
		}
		t->repeated = was_repeated(t);
		finish(t, "yes");
	} else if (errno == ECONNREFUSED || errno == ECONNRESET) {
		finish(t, "refused");
	} else if (!unfinished(errno)) {
		finish(t, "error");
	}
}

static size_t count_open(const struct try *v, size_t n, bool expected)
{
	size_t i, open = 0;

	for (i = 0; i < n; i++)
		open += !v[i].result && (!expected || v[i].expect);
	return open;
}

static void run_matrix(struct try *v, size_t n, int64_t deadline, int64_t grace,
		       int rounds)
{
	struct epoll_event ev[256];
	int ep = epoll_create1(EPOLL_CLOEXEC);
	int64_t start, quiet;
	size_t i;
	int k, got;

	for (i = 0; i < n; i++)
		begin(&v[i], ep);
	start = now_us();
	quiet = start;
	while (count_open(v, n, false)) {
		if (count_open(v, n, true)) {
			quiet = now_us();
			if (quiet - start > deadline)
				break;
		} else if (now_us() - quiet > grace) {
			break;
		}
		got = epoll_wait(ep, ev, 256, 20);
		for (k = 0; k < got; k++) {
			struct try *t = ev[k].data.ptr;

			if (!t->result)
				advance(t, ev[k].events, rounds);
		}
	}
	for (i = 0; i < n; i++)
		if (!v[i].result)
			finish(&v[i], v[i].rounds ? "stuck" : "no");
	close(ep);
}

static int report_matrix(const struct try *v, size_t n, const char *path)
{
	size_t i, yes = 0, wrong = 0, repeated = 0;
	int64_t slowest = 0;
	FILE *log;

	log = fopen(path, "ae");
	if (!log)
		die("%s", path);
	for (i = 0; i < n; i++) {
		const struct try *t = &v[i];
		const char *expect = t->expect ? "yes" : "no";
		bool bad = strcmp(t->result, expect) != 0;
		int64_t took = t->end - t->start;

		fprintf(log, "%s expected=%s got=%s us=%lld\n", t->label,
			expect, t->result, (long long)took);
		yes += !strcmp(t->result, "yes");
		repeated += t->repeated;
		if (t->expect && took > slowest)
			slowest = took;
		if (!bad)
			continue;
		if (++wrong <= 20)
			printf("# %s: expected %s, got %s\n", t->label, expect,
			       t->result);
	}
	fclose(log);
	printf("# %zu connections: %zu answered, %zu silent, %zu wrong; slowest answer %lld ms, %zu repeated\n",
	       n, yes, n - yes, wrong, (long long)(slowest / 1000), repeated);
	return wrong ? 1 : 0;
}

int probe_matrix(int argc, char **argv)
{
	int64_t deadline = 30000, grace = 400;
	const char *log = "/dev/null";
	struct try *v;
	int rounds = 1;
	size_t n;
	int i, ret;

	for (i = 0; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--deadline"))
			deadline = atoi(argv[i + 1]);
		else if (!strcmp(argv[i], "--grace"))
			grace = atoi(argv[i + 1]);
		else if (!strcmp(argv[i], "--rounds"))
			rounds = atoi(argv[i + 1]);
		else if (!strcmp(argv[i], "--log"))
			log = argv[i + 1];
	}
	raise_file_limit();
	n = read_spec(&v);
	if (!n) {
		puts("# no connections");
		return 1;
	}
	run_matrix(v, n, deadline * 1000, grace * 1000, rounds);
	ret = report_matrix(v, n, log);
	free(v);
	return ret;
}
