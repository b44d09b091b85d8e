/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * /dev/knp_bench: packets of a trace through the hooks of one network
 * namespace, in a loop that is timed with the TSC. For measuring only.
 *
 * A trace is an array of flows in one of KB_SLOTS places. A lane is what judges
 * them: the hooks of a namespace without connection tracking's own, or a
 * control. Lanes and traces belong to the open file and go with it.
 *
 * Each packet is one of KB_BATCH prebuilt ones, with a conntrack entry of its
 * own; both are rewritten from the flow, so their lines are as hot as those of
 * a packet that has just been received and tracked.
 *
 * Times are TSC cycles; the caller knows how long one is.
 */
#ifndef KNP_BENCH_H
#define KNP_BENCH_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define KB_SLOTS	4
#define KB_BATCH	64
#define KB_BATCHES	65536
#define KB_PODS		256

/**
 * struct kb_flow - one packet of a trace
 * @src: network byte order; IPv4 in the first four bytes
 * @dst: the same
 * @sport: network byte order
 * @dport: network byte order
 * @proto: IPPROTO_TCP
 * @expect: verdicts, a bit for each question a lane may answer; 1 passes
 * @pod: number of the local pod, for lanes with a device for each
 */
struct kb_flow {
	__u8 src[16];
	__u8 dst[16];
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 expect;
	__u16 pod;
};

/** struct kb_trace - KB_TRACE: fill a slot */
struct kb_trace {
	__u64 flows;			/* struct kb_flow * */
	__u32 count;
	__u32 slot;
};

/**
 * enum kb_kind - what a lane calls for each packet
 * @KB_NONE: nothing; the cost of the loop
 * @KB_EMPTY: one hook that accepts
 * @KB_HOOKS: the hooks of a namespace
 * @KB_MAPS: eBPF maps in the order in which Cilium asks them
 */
enum kb_kind {
	KB_NONE,
	KB_EMPTY,
	KB_HOOKS,
	KB_MAPS,
};

/**
 * struct kb_lane_new - KB_LANE: make a lane; returns its number
 * @netns: file of the namespace
 * @kind: enum kb_kind
 * @family: AF_INET or AF_INET6
 * @hook: enum nf_inet_hooks
 * @devices: pod N is behind device "caliNN" (hex) of the namespace
 * @ipcache: KB_MAPS: file of the LPM trie from address to identity
 * @endpoints: KB_MAPS: file of the hash from local address to pod number
 * @policies: KB_MAPS: int[KB_PODS], files of the LPM tries of the pods
 */
struct kb_lane_new {
	__s32 netns;
	__u8 kind;
	__u8 family;
	__u8 hook;
	__u8 devices;
	__s32 ipcache;
	__s32 endpoints;
	__u64 policies;
};

/**
 * struct kb_run - KB_RUN: packets until time is up
 * @lane: which
 * @slot: which trace
 * @span: wrap after so many flows, 0: the whole trace
 * @established: the packets belong to known connections
 * @min_cycles: stop after the batch in which they have passed
 * @cycles: out, of all
 * @packets: out, KB_BATCH for each batch; at most KB_BATCHES of these
 * @median: out, cycles of a batch
 *
 * The next run goes on in the trace where this one stopped. The median is what
 * to compare: a batch is so short that few are interrupted.
 */
struct kb_run {
	__u32 lane;
	__u32 slot;
	__u32 span;
	__u32 established;
	__u64 min_cycles;
	__u64 cycles;
	__u64 packets;
	__u64 median;
};

/**
 * struct kb_sample - KB_SAMPLE: packets timed one by one
 * @lane: which
 * @slot: which trace
 * @established: as in struct kb_run
 * @walk: bytes to read before each packet, so that caches forget
 * @count: packets
 * @pad: 0
 * @cycles: __u32[@count], out; the timer's own cost is in it
 */
struct kb_sample {
	__u32 lane;
	__u32 slot;
	__u32 established;
	__u32 walk;
	__u32 count;
	__u32 pad;
	__u64 cycles;
};

/**
 * struct kb_check - KB_CHECK: each packet of a trace once
 * @lane: which
 * @slot: which trace
 * @established: as in struct kb_run
 * @bit: of kb_flow.expect
 * @wrong: out, verdicts that are not as expected
 * @first: out, the first of them
 * @drops: out
 * @count: out, packets
 */
struct kb_check {
	__u32 lane;
	__u32 slot;
	__u32 established;
	__u32 bit;
	__u32 wrong;
	__u32 first;
	__u32 drops;
	__u32 count;
};

#define KB_TRACE	_IOW('k', 1, struct kb_trace)
#define KB_LANE		_IOW('k', 2, struct kb_lane_new)
#define KB_RUN		_IOWR('k', 3, struct kb_run)
#define KB_SAMPLE	_IOW('k', 4, struct kb_sample)
#define KB_CHECK	_IOWR('k', 5, struct kb_check)

#endif /* KNP_BENCH_H */
