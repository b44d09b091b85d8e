/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What the suites that need a kernel share: transactions on the state of a
 * namespace, by a port id that no socket has; a reader, as packets are.
 */
#ifndef KNP_TESTS_WORLD_H
#define KNP_TESTS_WORLD_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>

#include "netns.h"
#include "policy.h"
#include "txn.h"

#define KNP_TEST_OWNER		0x7f000001
#define KNP_TEST_STRANGER	0x7f000002

/* Begin from the current generation. */
static inline int knp_test_begin(struct knp_net *kn, u32 portid)
{
	const char *why = NULL;

	return knp_txn_begin(kn, portid, kn->generation, &why);
}

/* Put one record, that of table @i + 1. */
static inline int knp_test_put(struct knp_net *kn, u32 i)
{
	const struct knp_test_records *r = &knp_test_policy[i];
	const char *why = NULL;

	return knp_txn_put(kn, KNP_TEST_OWNER, r->table, r->recs, r->len, &why);
}

static inline int knp_test_commit(struct knp_net *kn, u64 count)
{
	const char *why = NULL;
	u64 generation;

	return knp_txn_commit(kn, KNP_TEST_OWNER, count, &generation, &why);
}

/* Commit the policy, over whatever there is. */
static inline void knp_test_fill(struct kunit *test, struct knp_net *kn)
{
	u32 i;

	KUNIT_EXPECT_EQ(test, knp_test_begin(kn, KNP_TEST_OWNER), 0);
	for (i = 0; i < KNP_TABLE_MAX; i++)
		KUNIT_EXPECT_EQ(test, knp_test_put(kn, i), 0);
	KUNIT_EXPECT_EQ(test, knp_test_commit(kn, KNP_TABLE_MAX), 0);
}

/* Delete what knp_test_fill() has put. */
static inline void knp_test_empty(struct kunit *test, struct knp_net *kn)
{
	const char *why = NULL;
	u32 i;

	KUNIT_EXPECT_EQ(test, knp_test_begin(kn, KNP_TEST_OWNER), 0);
	for (i = KNP_TABLE_MAX; i--;) {
		const struct knp_test_records *r = &knp_test_policy[i];

		KUNIT_EXPECT_EQ(test, knp_txn_delete(kn, KNP_TEST_OWNER,
						     r->table, r->recs,
						     r->keyed, &why), 0);
	}
	KUNIT_EXPECT_EQ(test, knp_test_commit(kn, KNP_TABLE_MAX), 0);
}

/* Whether packets would find the policy. */
static inline bool knp_test_published(struct knp_net *kn)
{
	const struct knp_snapshot *snap;
	bool holds;

	rcu_read_lock();
	snap = rcu_dereference(kn->snap);
	holds = snap && knp_test_holds(snap->tables);
	rcu_read_unlock();

	return holds;
}

/**
 * struct knp_test_reader - who reads as a hook does, on the last processor
 * @task: its thread, which lets nobody else run there while it reads
 * @begun: it reads
 * @until: jiffies when it stops by itself, 0: when it is told
 * @ended: it is about to stop reading
 */
struct knp_test_reader {
	struct task_struct *task;
	struct completion begun;
	unsigned long until;
	bool ended;
};

static inline int knp_test_read_on(void *arg)
{
	struct knp_test_reader *r = arg;

	rcu_read_lock();
	complete(&r->begun);
	while (!kthread_should_stop() &&
	       (!r->until || time_before(jiffies, r->until)))
		cpu_relax();
	WRITE_ONCE(r->ended, true);
	rcu_read_unlock();
	while (!kthread_should_stop())
		msleep(20);

	return 0;
}

/* Until knp_test_reader_stop(), or for @ms, the caller runs on the first one. */
static inline void knp_test_reader_start(struct kunit *test,
					 struct knp_test_reader *r,
					 unsigned int ms)
{
	KUNIT_ASSERT_EQ(test, num_online_cpus() > 1, true);
	init_completion(&r->begun);
	r->until = ms ? jiffies + msecs_to_jiffies(ms) : 0;
	r->ended = false;
	r->task = kthread_create(knp_test_read_on, r, "knp-reader");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, r->task);
	kthread_bind(r->task, cpumask_last(cpu_online_mask));
	set_cpus_allowed_ptr(current, cpumask_of(0));
	wake_up_process(r->task);
	wait_for_completion(&r->begun);
}

static inline void knp_test_reader_stop(struct knp_test_reader *r)
{
	kthread_stop(r->task);
	set_cpus_allowed_ptr(current, cpu_possible_mask);
}

#endif /* KNP_TESTS_WORLD_H */
