// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Life of a namespace's state and of its snapshots. DOC: Locking is in
 * netns.h.
 */
#include <linux/err.h>
#include <linux/random.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "hook.h"
#include "mem.h"
#include "netns.h"
#include "node_list.h"
#include "txn.h"

/* Each pinned snapshot may keep alive a whole copy of the tables. */
#define DUMPS_MAX	16

/* Commits may run this far ahead of the grace periods that free them. */
#define RETIRED_MAX	32

#define EVENT_RATE	100

struct workqueue_struct *knp_wq;

static unsigned int net_id __read_mostly;

struct knp_net *knp_net(const struct net *net)
{
	return net_generic(net, net_id);
}

static void snapshot_free(struct work_struct *work)
{
	struct knp_snapshot *snap = container_of(to_rcu_work(work),
						 struct knp_snapshot, retire);
	struct knp_net *kn = snap->kn;

	mutex_lock(&kn->lock);
	knp_tables_free(snap->tables);
	mutex_unlock(&kn->lock);
	knp_free(snap);
	atomic_dec(&kn->retired);
}

static void snapshot_put(struct knp_snapshot *snap)
{
	if (!snap || !refcount_dec_and_test(&snap->users))
		return;
	atomic_inc(&snap->kn->retired);
	queue_rcu_work(knp_wq, &snap->retire);
}

void knp_snapshot_publish(struct knp_net *kn, struct knp_snapshot *snap)
{
	struct knp_snapshot *old = knp_snapshot_locked(kn);

	lockdep_assert_held(&kn->lock);

	snap->kn = kn;
	snap->ifaces = knp_tables_count(snap->tables, KNP_TABLE_IFACE);
	snap->generation = ++kn->generation;
	snap->commit_time = ktime_get_real_ns();
	refcount_set(&snap->users, 1);
	INIT_RCU_WORK(&snap->retire, snapshot_free);
	rcu_assign_pointer(kn->snap, snap);
	snapshot_put(old);
}

struct knp_snapshot *knp_snapshot_pin(struct knp_net *kn)
{
	struct knp_snapshot *snap;

	mutex_lock(&kn->lock);
	snap = knp_snapshot_locked(kn);
	if (snap && kn->dumps >= DUMPS_MAX) {
		snap = ERR_PTR(-EBUSY);
	} else if (snap) {
		kn->dumps++;
		refcount_inc(&snap->users);
	}
	mutex_unlock(&kn->lock);

	return snap;
}

void knp_snapshot_unpin(struct knp_snapshot *snap)
{
	struct knp_net *kn;

	if (!snap)
		return;
	kn = snap->kn;
	mutex_lock(&kn->lock);
	kn->dumps--;
	mutex_unlock(&kn->lock);
	snapshot_put(snap);
}

/* All callbacks have run, so all works are queued; then all works have run. */
static void snapshots_flush(void)
{
	rcu_barrier();
	flush_workqueue(knp_wq);
}

void knp_snapshots_throttle(struct knp_net *kn)
{
	if (atomic_read(&kn->retired) > RETIRED_MAX)
		snapshots_flush();
}

static int __net_init net_init(struct net *net)
{
	struct knp_net *kn = knp_net(net);

	kn->net = net;
	mutex_init(&kn->lock);
	kn->instance = get_random_u64();
	kn->config.mode = KNP_MODE_ENFORCE;
	kn->config.dflt = KNP_PASS;
	kn->config.unknown_local = KNP_PASS;
	kn->config.encap = KNP_DROP;
	kn->config.node_egress = KNP_PASS;
	kn->config.lb_probes = KNP_DROP;
	kn->config.event_rate = EVENT_RATE;
	atomic_set(&kn->retired, 0);
	knp_events_init(&kn->events);

	return 0;
}

static void __net_exit net_pre_exit(struct net *net)
{
	struct knp_net *kn = knp_net(net);

	mutex_lock(&kn->lock);
	knp_hooks_detach(kn, KNP_FAMILY_MASK);
	mutex_unlock(&kn->lock);
}

static void __net_exit net_exit_batch(struct list_head *nets)
{
	struct knp_net *kn;
	struct net *net;

	list_for_each_entry(net, nets, exit_list) {
		kn = knp_net(net);
		knp_events_stop(&kn->events);
		mutex_lock(&kn->lock);
		knp_txn_drop(kn);
		snapshot_put(rcu_replace_pointer(kn->snap, NULL,
						 lockdep_is_held(&kn->lock)));
		mutex_unlock(&kn->lock);
	}

	snapshots_flush();

	list_for_each_entry(net, nets, exit_list) {
		kn = knp_net(net);
		knp_events_free(&kn->events);
		knp_node_list_free(kn);
		knp_counters_free(&kn->counters);
		mutex_destroy(&kn->lock);
	}
}

static struct pernet_operations net_ops = {
	.init = net_init,
	.pre_exit = net_pre_exit,
	.exit_batch = net_exit_batch,
	.id = &net_id,
	.size = sizeof(struct knp_net),
};

int knp_netns_init(void)
{
	int err;

	knp_wq = knp_try(alloc_workqueue("knp", WQ_UNBOUND, 0), NULL);
	if (!knp_wq)
		return -ENOMEM;
	err = knp_try(register_pernet_subsys(&net_ops), -ENOMEM);
	if (err)
		destroy_workqueue(knp_wq);

	return err;
}

void knp_netns_exit(void)
{
	unregister_pernet_subsys(&net_ops);
	rcu_barrier();
	destroy_workqueue(knp_wq);
}
