// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

#define ASK_MS		2
#define ASKED_MAX	65536
/* Silence of so long is a verdict; the time of it is that of its first packet. */
#define SILENCE_US	300000
#define CHANGES_MAX	1000
#define CHANGE_US	20000000

/**
 * struct asker - a UDP client that never rests
 * @sent: when the last packets were sent, by number; us of the clock
 * @n: packets sent; the next one's number
 * @answered: the number after the last one that was answered
 */
struct asker {
	int64_t sent[ASKED_MAX];
	uint64_t n, answered;
	int fd;
};

/* The shell's clock. */
static int64_t clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t sent_at(const struct asker *a, uint64_t number)
{
	return a->sent[number % ASKED_MAX];
}

static void ask(struct asker *a)
{
	struct pollfd p = { .fd = a->fd, .events = POLLIN };
	uint64_t number;

	a->sent[a->n % ASKED_MAX] = clock_us();
	if (send(a->fd, &a->n, sizeof(a->n), 0) == sizeof(a->n))
		a->n++;
	poll(&p, 1, ASK_MS);
	while (recv(a->fd, &number, sizeof(number), 0) == sizeof(number))
		if (number >= a->answered)
			a->answered = number + 1;
}

/*
 * When the first packet of the new verdict was sent. It is open now and was
 * closed, or the other way round, when @from was the next number.
 */
static int64_t await_verdict(struct asker *a, bool open, uint64_t from)
{
	int64_t give_up = clock_us() + CHANGE_US;
	uint64_t before = a->answered;

	while (clock_us() < give_up) {
		ask(a);
		if (open && a->answered > before)
			return sent_at(a, a->answered - 1);
		if (!open && a->n > from && a->n > a->answered &&
		    clock_us() - sent_at(a, a->answered) > SILENCE_US)
			return sent_at(a, a->answered);
	}
	errno = ETIMEDOUT;
	die("the verdict does not become %s", open ? "yes" : "no");
}

static bool next_change(struct asker *a, bool *open, int64_t *start)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	char line[MSG_LEN], word[MSG_LEN];
	long long at;

	while (poll(&p, 1, 0) <= 0)
		ask(a);
	if (!fgets(line, sizeof(line), stdin))
		return false;
	if (sscanf(line, "%63s %lld", word, &at) != 2)
		die("change %s", line);
	*open = !strcmp(word, "yes");
	*start = at;
	return true;
}

int probe_changes(int argc, char **argv)
{
	static struct asker a;
	static int64_t us[CHANGES_MAX];
	struct sockaddr_storage sa;
	int64_t start;
	socklen_t len;
	bool open;
	int n = 0;

	if (argc != 3)
		return 2;
	enter(argv[0]);
	len = parse_address(argv[1], atoi(argv[2]), &sa);
	a.fd = new_socket(sa.ss_family, IPPROTO_UDP);
	if (connect(a.fd, (struct sockaddr *)&sa, len))
		die("connect %s", argv[1]);
	while (n < CHANGES_MAX && next_change(&a, &open, &start)) {
		us[n] = await_verdict(&a, open, a.n) - start;
		if (us[n] < 0)
			die("the verdict was there before the change");
		printf("%lld\n", (long long)us[n]);
		fflush(stdout);
		n++;
	}
	if (n)
		print_figures(us, n);
	close(a.fd);
	return 0;
}
