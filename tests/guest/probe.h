/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of probe share; see probe.c. What fails ends the process. */
#ifndef KNP_PROBE_H
#define KNP_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define NAME_LEN	64
#define MSG_LEN		64

/* Say what failed, and errno, and end with status 2. */
__attribute__((format(printf, 1, 2), noreturn))
void die(const char *fmt, ...);

/* CLOCK_MONOTONIC. */
int64_t now_us(void);

/* The namespace of this name below /run/netns becomes this process's. */
void enter(const char *netns);

/* TCP, UDP or SCTP. */
int proto_number(const char *name);

/* Non-blocking, in the namespace that was entered. */
int new_socket(int family, int proto);

/* Fill @ret from an address of either family; return its length. */
socklen_t parse_address(const char *text, int port,
			struct sockaddr_storage *ret);

/* The client's address. */
void bind_to(int fd, const char *from);

/* SCTP says ENOTCONN, and hangs up, while it is still connecting. */
bool unfinished(int err);

/* One line of statistics of @n durations, which are sorted on the way. */
void print_figures(int64_t *us, int n);

/* "probe matrix"; return the exit status. */
int probe_matrix(int argc, char **argv);

/* "probe bpf"; return the exit status. */
int probe_bpf(int argc, char **argv);

/* "probe changes"; return the exit status. */
int probe_changes(int argc, char **argv);

#endif /* KNP_PROBE_H */
