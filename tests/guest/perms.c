// SPDX-License-Identifier: Apache-2.0
/*
 * Who may talk to the module: nobody without CAP_NET_ADMIN in the initial user
 * namespace, by any command, however the socket came to be.
 *
 *   perms
 *
 * Run as root, in the initial namespaces, with the module loaded. Prints TAP.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "door.h"
#include "records.h"

#define NOBODY	65534

static unsigned int tests, bad;

static void result(bool good, const char *name, const char *detail)
{
	tests++;
	bad += !good;
	printf("%s %u - %s\n", good ? "ok" : "not ok", tests, name);
	if (!good)
		printf("# %s\n", detail);
	fflush(stdout);
}

static bool is_dump(uint8_t cmd)
{
	return cmd == KNP_CMD_GET || cmd == KNP_CMD_COUNTERS;
}

/* The commands that @d may give, by number, "" if none. */
static const char *allowed(struct door *d)
{
	static char text[256];
	size_t len = 0;
	int err;

	text[0] = '\0';
	for (uint8_t cmd = 1; cmd < KNP_CMD_EVENT; cmd++) {
		struct door_message m;

		door_start(d, &m, cmd, is_dump(cmd) ? NLM_F_DUMP : 0);
		err = door_talk(d, &m, NULL);
		if (err != -EPERM)
			len += (size_t)snprintf(text + len, sizeof(text) - len,
				"%scommand %u: %s", len ? ", " : "", cmd,
				err ? strerrorname_np(-err) : "allowed");
	}
	return text;
}

static void expect_none(struct door *d, const char *name)
{
	const char *may = allowed(d);

	result(!*may, name, may);
}

static void expect_join(struct door *d, int want, const char *name)
{
	for (unsigned int group = 0; group < 2; group++) {
		int err = door_join(d, group);

		result(err == want, name, strerrorname_np(-err) ?: "joined");
	}
}

/* Run as a child; what it has counted comes back as its status. */
static void in_child(void (*what)(int from, int to))
{
	int down[2], up[2], status;
	struct door d;
	char byte;
	pid_t pid;

	fflush(stdout);
	if (pipe(down) || pipe(up))
		door_die("pipe");
	pid = fork();
	if (!pid) {
		tests = 0;
		bad = 0;
		what(down[0], up[1]);
		exit((int)(tests * 16 + bad));
	}
	close(up[1]);
	/* Once it listens, something happens here. */
	if (read(up[0], &byte, 1) == 1) {
		door_must(door_open(&d), "open");
		if (records_commit(&d, POLICY_A))
			door_die("commit: %s", d.text);
		door_close(&d);
		if (write(down[1], &byte, 1) != 1)
			door_die("child");
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		door_die("child");
	tests += (unsigned int)WEXITSTATUS(status) / 16;
	bad += (unsigned int)WEXITSTATUS(status) % 16;
	close(down[0]);
	close(down[1]);
	close(up[0]);
}

static void become_nobody(void)
{
	if (setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		door_die("nobody");
}

static void as_nobody(int from, int to)
{
	struct door d, opened;

	(void)from;
	(void)to;
	door_must(door_open(&opened), "open");
	become_nobody();
	expect_none(&opened,
		    "nobody, with a socket of root's, may give no command");
	door_must(door_open(&d), "open");
	expect_none(&d, "nobody may give no command");
	expect_join(&d, -EPERM, "nobody may not join a group");
}

/* Root there, in a network namespace of its own; nobody here. */
static void in_user_namespace(int from, int to)
{
	uint8_t buf[4096];
	struct door d;
	char byte = 'x';
	int n;

	become_nobody();
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		door_die("user namespace");
	door_must(door_open(&d), "open");
	expect_none(&d,
		    "root of another user namespace may give no command there");
	expect_join(&d, 0, "it may join a group there");
	if (write(to, &byte, 1) != 1 || read(from, &byte, 1) != 1)
		door_die("parent");
	n = door_hear(&d, 1000, buf, sizeof(buf));
	result(!n, "... and hears nothing of what is committed elsewhere", "it does");
}

/* In the network namespace of others, it may not even listen. */
static void in_user_namespace_here(int from, int to)
{
	struct door d;

	(void)from;
	(void)to;
	become_nobody();
	if (unshare(CLONE_NEWUSER))
		door_die("user namespace");
	door_must(door_open(&d), "open");
	expect_none(&d,
		    "root of another user namespace may give no command here");
	expect_join(&d, -EPERM, "nor join a group there");
}

/* Root keeps what is needed, and only that. */
static void as_root(int from, int to)
{
	struct door d;

	(void)from;
	(void)to;
	door_must(door_open(&d), "open");
	result(strlen(allowed(&d)) > 100, "root may give commands", "it may not");
	expect_join(&d, 0, "root may join a group");
}

int main(void)
{
	in_child(as_root);
	in_child(as_nobody);
	in_child(in_user_namespace);
	in_child(in_user_namespace_here);
	printf("1..%u\n", tests);
	return bad || !tests;
}
