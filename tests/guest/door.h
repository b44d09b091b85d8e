/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module's netlink door, byte by byte: for programs that say what knpd's
 * own code (daemon/genl.h) never would, or that want what is answered as it is.
 *
 * Errors: -errno. A program that cannot go on ends with door_die(), status 2.
 */
#ifndef KNP_TESTS_DOOR_H
#define KNP_TESTS_DOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/knp.h>

#define DOOR_ROOM	131072

/**
 * struct door - a socket
 * @fd: the socket
 * @family: number of the module's family
 * @groups: numbers of its groups: events, commits
 * @seq: of the last request
 * @text: extack of the last answer, "" if it had none
 * @interrupted: the last answer was a dump that says so, NLM_F_DUMP_INTR
 */
struct door {
	int fd;
	uint16_t family;
	uint32_t groups[2];
	uint32_t seq;
	char text[128];
	bool interrupted;
};

enum { DOOR_EVENTS, DOOR_COMMITS };

/** struct door_message - a request under way; @len bytes of @buf */
struct door_message {
	size_t len;
	uint8_t buf[DOOR_ROOM] __attribute__((__aligned__(8)));
};

/** struct door_bytes - what was answered, to be freed by door_bytes_clear() */
struct door_bytes {
	uint8_t *data;
	size_t len;
};

__attribute__((noreturn, format(printf, 1, 2)))
void door_die(const char *format, ...);

/* End if @err is not 0. */
void door_must(int err, const char *what);

/* Open a socket in the network namespace of this thread; -ENOENT: no module. */
int door_open(struct door *d);
void door_close(struct door *d);

/* Join a group, DOOR_EVENTS or DOOR_COMMITS. */
int door_join(struct door *d, unsigned int group);

/* A request of the module's: @flags beside NLM_F_REQUEST and NLM_F_ACK. */
void door_start(const struct door *d, struct door_message *m, uint8_t cmd,
		uint16_t flags);
void door_put(struct door_message *m, uint16_t type, const void *data,
	      size_t len);

/* Send a request. */
int door_send(struct door *d, struct door_message *m);

/*
 * Wait for all of the answer to the last request; @got, may be NULL, is filled
 * with the payloads of the messages before the last. Returns what the
 * module answers, or what the socket does.
 */
int door_answer(struct door *d, struct door_bytes *got);

/* Both. */
int door_talk(struct door *d, struct door_message *m, struct door_bytes *got);

void door_bytes_clear(struct door_bytes *b);
bool door_bytes_equal(const struct door_bytes *a, const struct door_bytes *b);

/* The attribute of that type in the first payload of an answer, NULL: none. */
const void *door_find(const struct door_bytes *got, uint16_t type, size_t *len);

/* Commands with the attributes they need. */
int door_command(struct door *d, uint8_t cmd);
int door_begin(struct door *d);
int door_records(struct door *d, uint8_t cmd, uint32_t table, const void *recs,
		 size_t len);
int door_commit(struct door *d, uint64_t count);
int door_attach(struct door *d, uint32_t families);
int door_config(struct door *d, uint16_t type, uint8_t value);
int door_dump(struct door *d, uint8_t cmd, struct door_bytes *got);

/* The current generation, by INFO. */
int door_generation(struct door *d, uint64_t *ret);

/* What EXPLAIN answers for TCP, as it came. */
int door_explain(struct door *d, uint8_t family, const uint8_t *src,
		 const uint8_t *dst, uint16_t port, struct door_bytes *got);

/*
 * The next notification, at most @ms from now: its bytes from the header on.
 * Returns their number, 0: none came; -ENOBUFS: some were lost.
 */
int door_hear(struct door *d, int ms, void *buf, size_t room);

/*
 * Make a network namespace of this thread's own. Its loopback has, beside its
 * own, the addresses 10.0.0.1, 10.0.0.2 and 10.1.0.1: what goes from one to
 * another is judged like what a pod sends to its node.
 */
void door_new_netns(void);

#endif /* KNP_TESTS_DOOR_H */
