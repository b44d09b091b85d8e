// SPDX-License-Identifier: Apache-2.0
/*
 * knpctl: what the kernel holds and why a connection passes or not. This file
 * finds the subcommand; each has a ctl_*.c of its own. See ctl.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"

#ifndef KNP_VERSION
#define KNP_VERSION	"unknown"
#endif

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *args;
	const char *help;
} commands[] = {
	{ "status", knp_ctl_status, "", "what the module holds, how knpd is doing" },
	{ "get", knp_ctl_get, "TABLE", "list endpoints, peers, cidrs, policies, rows, rules, ..." },
	{ "explain", knp_ctl_explain, "FROM TO PORT/PROTO", "why a connection passes or not" },
	{ "monitor", knp_ctl_monitor, "", "drops and commits as they happen" },
	{ "stats", knp_ctl_stats, "", "packets per reason and rule" },
	{ "top", knp_ctl_top, "", "the busiest rules and drops, per second" },
	{ "diff", knp_ctl_diff, "-f DIR | -k FILE", "the kernel against what objects say" },
	{ "simulate", knp_ctl_simulate, "-f DIR ...", "evaluate manifests; no root, no kernel" },
	{ "wait", knp_ctl_wait, "policy NS/NAME ...", "until a policy or pod is enforced" },
	{ "config", knp_ctl_config, "[NAME=VALUE]...", "show or change mode, defaults, rate" },
	{ "attach", knp_ctl_attach, "[FAMILY]...", "start judging packets" },
	{ "restore", knp_ctl_restore, "[--state FILE]", "at boot: what was enforced last" },
	{ "detach", knp_ctl_detach, "--yes [FAMILY]...", "stop judging packets" },
};

#define NCOMMANDS	(sizeof(commands) / sizeof(commands[0]))

static void help(FILE *out)
{
	char left[64];
	size_t i;

	fputs("usage: knpctl [-o FORMAT] [--runtime-dir DIR] COMMAND ...\n"
	      "Kubernetes NetworkPolicy in the kernel: look at it, ask it, steer it.\n\n",
	      out);
	for (i = 0; i < NCOMMANDS; i++) {
		snprintf(left, sizeof(left), "%s %s", commands[i].name,
			 commands[i].args);
		fprintf(out, "  %-28s %s\n", left, commands[i].help);
	}
	fputs("\n`knpctl COMMAND --help` says more. Exit status: 0 done, 1 failed, 2 bad usage; of\n"
	      "diff: 0 the same, 1 different, 2 trouble.\n",
	      out);
}

/*
 * Common options may stand before the command, as with ip and kubectl: the
 * command goes in front of them.
 */
static void command_first(int argc, char **argv)
{
	static const char * const valued[] = {
		"-o", "--output", "--runtime-dir",
	};
	char *command;
	int at = 1;
	size_t i;

	while (at < argc && argv[at][0] == '-') {
		for (i = 0; i < sizeof(valued) / sizeof(valued[0]); i++)
			if (!strcmp(argv[at], valued[i]))
				break;
		at += i < sizeof(valued) / sizeof(valued[0]) ? 2 : 1;
	}
	if (at >= argc)
		return;

	command = argv[at];
	memmove(&argv[2], &argv[1], (size_t)(at - 1) * sizeof(*argv));
	argv[1] = command;
}

/* What was not printed, for want of room on a disk, say, was not done. */
static int flushed(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	fprintf(stderr, "knpctl: cannot write: %s\n", strerror(errno));
	return status ? status : CTL_FAILED;
}

int main(int argc, char **argv)
{
	const char *name;
	size_t i;

	command_first(argc, argv);
	name = argc > 1 ? argv[1] : NULL;

	if (!name) {
		help(stderr);
		return CTL_USAGE;
	}
	if (!strcmp(name, "help") && argc > 2) {
		/* "knpctl help get" is "knpctl get --help". */
		argv[1] = argv[2];
		argv[2] = (char *)"--help";
		name = argv[1];
	}
	if (!strcmp(name, "help") || !strcmp(name, "--help") ||
	    !strcmp(name, "-h")) {
		help(stdout);
		return CTL_OK;
	}
	if (!strcmp(name, "version") || !strcmp(name, "--version") ||
	    !strcmp(name, "-V")) {
		printf("knpctl %s (ABI %d)\n", KNP_VERSION, KNP_ABI_VERSION);
		return CTL_OK;
	}

	for (i = 0; i < NCOMMANDS; i++)
		if (!strcmp(name, commands[i].name))
			return flushed(commands[i].run(argc - 1, argv + 1));

	fprintf(stderr, "knpctl: unknown command %s (see knpctl help)\n", name);
	return CTL_USAGE;
}
