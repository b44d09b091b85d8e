/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Reports of dropped packets, on their way from a hook to the group "events".
 *
 * A hook allocates nothing: it writes a record into a ring of its own CPU, if
 * anybody listens and a token bucket of that CPU allows. A work item drains
 * the rings and sends. What finds the ring full or the bucket empty is lost
 * and counted; each event says how many were lost so far.
 *
 * Each ring has one producer (hooks of its CPU, which nothing interrupts) and
 * one consumer (the work item, which never runs twice at once), so head and
 * tail with acquire and release are all it needs.
 */
#ifndef KNP_EVENTS_H
#define KNP_EVENTS_H

#include <linux/percpu.h>
#include <linux/workqueue.h>

#include "match.h"

struct knp_net;

#define KNP_RING_SIZE	64	/* a power of two */

/**
 * struct knp_event - one packet
 * @generation: that judged it, 0: none
 * @time: ns since the epoch
 * @flow: the policy tuple
 * @egress: @egress.set is 0 if that side was not judged
 * @ingress: likewise
 * @reason: enum knp_reason
 * @iif: interface index, 0: none
 * @oif: interface index, 0: none
 * @mode: enum knp_mode when it was judged
 */
struct knp_event {
	u64 generation;
	u64 time;
	struct knp_flow flow;
	struct knp_side egress;
	struct knp_side ingress;
	u32 reason;
	u32 iif;
	u32 oif;
	u8 mode;
};

/**
 * struct knp_event_ring - the events of one CPU
 * @head: next record to write; the hook's
 * @tail: next record to read; the work item's
 * @lost: events that found no room or no token; the hook's
 * @tokens: events that may still be reported; the hook's
 * @filled: when @tokens was last topped up, jiffies; the hook's
 * @event: the records
 */
struct knp_event_ring {
	unsigned int head;
	unsigned int tail;
	unsigned long lost;
	u32 tokens;
	unsigned long filled;
	struct knp_event event[KNP_RING_SIZE];
};

/**
 * struct knp_events - the events of a namespace
 * @ring: set before the first hook is attached
 * @work: sends what the rings hold
 * @unsent: events that could not be sent; the work item's
 */
struct knp_events {
	struct knp_event_ring __percpu *ring;
	struct work_struct work;
	u64 unsent;
};

void knp_events_init(struct knp_events *e);

/** knp_events_prepare() - before hooks are attached; 0 or -ENOMEM */
int knp_events_prepare(struct knp_events *e);

/**
 * knp_events_slot() - room for one event
 * @kn: the namespace
 *
 * Context: hooks, bottom halves and preemption disabled, up to
 * knp_events_push().
 * Return: the record to fill, then call knp_events_push(); NULL if nobody
 * listens or the event is lost.
 */
struct knp_event *knp_events_slot(struct knp_net *kn);

/** knp_events_push() - the record of knp_events_slot() is complete */
void knp_events_push(struct knp_net *kn);

/** knp_events_stop() - no hook may run any more; waits for the work item */
void knp_events_stop(struct knp_events *e);

/** knp_events_free() - after knp_events_stop() */
void knp_events_free(struct knp_events *e);

#endif /* KNP_EVENTS_H */
