// SPDX-License-Identifier: GPL-2.0 OR MIT
/* See events.h. */
#include <linux/jiffies.h>
#include <linux/math64.h>

#include "events.h"
#include "mem.h"
#include "netlink.h"
#include "netns.h"

static u64 lost_total(const struct knp_events *e)
{
	u64 lost = e->unsent;
	int cpu;

	for_each_possible_cpu(cpu)
		lost += READ_ONCE(per_cpu_ptr(e->ring, cpu)->lost);

	return lost;
}

static void ring_drain(struct knp_net *kn, struct knp_event_ring *r)
{
	struct knp_events *e = &kn->events;
	unsigned int tail = r->tail;
	/* Pairs with the release in knp_events_push(). */
	unsigned int head = smp_load_acquire(&r->head);

	for (; tail != head; tail++) {
		if (knp_netlink_event(kn, &r->event[tail % KNP_RING_SIZE],
				      lost_total(e)))
			e->unsent++;
		/* Pairs with the acquire in knp_events_slot(). */
		smp_store_release(&r->tail, tail + 1);
		cond_resched();
	}
}

static void events_send(struct work_struct *work)
{
	struct knp_net *kn = container_of(work, struct knp_net, events.work);
	int cpu;

	for_each_possible_cpu(cpu)
		ring_drain(kn, per_cpu_ptr(kn->events.ring, cpu));
}

void knp_events_init(struct knp_events *e)
{
	INIT_WORK(&e->work, events_send);
}

int knp_events_prepare(struct knp_events *e)
{
	if (!e->ring)
		e->ring = knp_percpu_alloc(struct knp_event_ring);

	return e->ring ? 0 : -ENOMEM;
}

/* At most one second's worth of tokens, topped up in whole tokens. */
static bool token_take(struct knp_event_ring *r, u32 rate)
{
	unsigned long elapsed = jiffies - r->filled;
	u64 fresh;

	if (!r->filled || elapsed >= HZ) {
		r->tokens = rate;
		r->filled = jiffies;
	} else {
		fresh = div_u64((u64)elapsed * rate, HZ);
		if (fresh) {
			r->tokens = min_t(u64, rate, r->tokens + fresh);
			r->filled = jiffies;
		}
	}
	if (!r->tokens)
		return false;
	r->tokens--;

	return true;
}

struct knp_event *knp_events_slot(struct knp_net *kn)
{
	u32 rate = READ_ONCE(kn->config.event_rate);
	struct knp_event_ring *r;

	if (!rate || !knp_netlink_events_wanted(kn->net))
		return NULL;

	r = this_cpu_ptr(kn->events.ring);
	/* Pairs with the release in ring_drain(). */
	if (r->head - smp_load_acquire(&r->tail) >= KNP_RING_SIZE ||
	    !token_take(r, rate)) {
		WRITE_ONCE(r->lost, r->lost + 1);
		return NULL;
	}

	return &r->event[r->head % KNP_RING_SIZE];
}

void knp_events_push(struct knp_net *kn)
{
	struct knp_event_ring *r = this_cpu_ptr(kn->events.ring);

	/* Pairs with the acquire in ring_drain(). */
	smp_store_release(&r->head, r->head + 1);
	queue_work(knp_wq, &kn->events.work);
}

void knp_events_stop(struct knp_events *e)
{
	cancel_work_sync(&e->work);
}

void knp_events_free(struct knp_events *e)
{
	free_percpu(e->ring);
	e->ring = NULL;
}
