// SPDX-License-Identifier: Apache-2.0
/* probe bpf: programs that let everything pass, to be found. */
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

/* enum bpf_attach_type, from kernel 6.6 */
#define TCX_INGRESS	46

static int bpf(int cmd, union bpf_attr *attr)
{
	return (int)syscall(__NR_bpf, cmd, attr, sizeof(*attr));
}

/* return VERDICT; */
static int load(enum bpf_prog_type type, int verdict)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = verdict },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = { 0 };
	int fd;

	attr.prog_type = type;
	attr.insns = (uintptr_t)code;
	attr.insn_cnt = sizeof(code) / sizeof(*code);
	attr.license = (uintptr_t)"Apache-2.0";
	fd = bpf(BPF_PROG_LOAD, &attr);
	if (fd < 0)
		die("program");
	return fd;
}

static void pin(int fd, const char *path)
{
	union bpf_attr attr = { 0 };

	attr.pathname = (uintptr_t)path;
	attr.bpf_fd = (unsigned int)fd;
	if (bpf(BPF_OBJ_PIN, &attr))
		die("%s", path);
}

/* Attached until it is pinned nowhere. */
static void attach(int fd, const char *netns, const char *iface, const char *path)
{
	union bpf_attr attr = { 0 };
	int link;

	enter(netns);
	attr.link_create.prog_fd = (unsigned int)fd;
	attr.link_create.target_ifindex = if_nametoindex(iface);
	attr.link_create.attach_type = TCX_INGRESS;
	link = bpf(BPF_LINK_CREATE, &attr);
	if (link < 0)
		die("tcx at %s", iface);
	pin(link, path);
}

int probe_bpf(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[0], "xdp"))
		pin(load(BPF_PROG_TYPE_XDP, XDP_PASS), argv[1]);
	else if (argc == 2 && !strcmp(argv[0], "tc"))
		pin(load(BPF_PROG_TYPE_SCHED_CLS, -1), argv[1]);
	else if (argc == 4 && !strcmp(argv[0], "tcx"))
		attach(load(BPF_PROG_TYPE_SCHED_CLS, -1), argv[2], argv[3],
		       argv[1]);
	else
		return 2;
	return 0;
}
