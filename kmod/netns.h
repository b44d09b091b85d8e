/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What knp keeps for one network namespace.
 *
 * DOC: Locking
 *
 * knp_net.lock serialises everything that changes a namespace: transactions,
 * attaching, configuration, and the freeing of retired snapshots (the parts
 * that tables share are counted without atomics, see table.h). It may sleep;
 * order: genl's cb_lock (read) -> knp_net.lock -> conntrack's and netfilter's
 * own locks, netlink's. Nothing waits for a grace period under it, with one
 * exception, stated at knp_counters_renew().
 *
 * knp_net.snap is the only pointer that packets follow to the tables. The
 * writer publishes with rcu_assign_pointer() under the lock; a hook runs in
 * an RCU read section, dereferences it once per packet and passes it down.
 * A snapshot is immutable from then on. It dies when its last user is gone
 * (the namespace while it is published, and each dump that pinned it), a grace
 * period later, in a work item that takes the lock.
 *
 * knp_net.config, .counters and .events are read by hooks without the lock:
 * words with READ_ONCE(), pointers that are set before what leads hooks to
 * them and that live until the namespace is gone. knp_net.node_list is
 * replaced as a whole, and the old list dies a grace period later. Per-CPU counters and event
 * rings are written with bottom halves disabled, since POST_ROUTING runs in
 * process context, too.
 *
 * A namespace goes in this order: .pre_exit takes the hooks out, the core
 * waits a grace period, .exit_batch stops the event work, drops the snapshot,
 * waits until every retired snapshot is freed, then frees what hooks used.
 */
#ifndef KNP_NETNS_H
#define KNP_NETNS_H

#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/netfilter.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>

#include "counters.h"
#include "events.h"
#include "table.h"

struct knp_node_list;
struct knp_txn;

/* Hooks of a family, see hook.c. */
#define KNP_HOOKS 3
#define KNP_BRIDGE_HOOKS 2

/**
 * struct knp_snapshot - one published generation
 * @tables: frozen
 * @ifaces: they know roles of interfaces
 * @generation: its number, from 1
 * @commit_time: ns since the epoch
 * @kn: the namespace it belongs to
 * @users: the publication and the dumps that pinned it
 * @retire: frees it a grace period after the last user left
 */
struct knp_snapshot {
	struct knp_tables *tables;
	bool ifaces;
	u64 generation;
	u64 commit_time;
	struct knp_net *kn;
	refcount_t users;
	struct rcu_work retire;
};

/**
 * struct knp_config - what CONFIG sets
 * @mode: enum knp_mode
 * @dflt: enum knp_action, judges until the first commit
 * @unknown_local: enum knp_action
 * @encap: enum knp_action
 * @node_egress: enum knp_action
 * @lb_probes: enum knp_action
 * @event_rate: events per second and CPU
 *
 * Written under knp_net.lock with WRITE_ONCE(), read anywhere with READ_ONCE().
 */
struct knp_config {
	u8 mode;
	u8 dflt;
	u8 unknown_local;
	u8 encap;
	u8 node_egress;
	u8 lb_probes;
	u32 event_rate;
};

/**
 * struct knp_net - the state of one network namespace
 * @snap: the current generation, NULL before the first commit
 * @config: see struct knp_config
 * @node_list: what NODE_ALLOW set, NULL: the initial list; see node_list.h
 * @counters: per-CPU counters of reasons and rules
 * @events: per-CPU event rings and the work that sends them
 * @net: the namespace
 * @lock: see DOC: Locking
 * @instance: random, differs after each load of the module
 * @generation: of @snap, 0 without one; under @lock
 * @families: KNP_FAMILY_* that have hooks; under @lock
 * @hooks: of each family; where registered they must not change
 * @bridge_hooks: likewise, of bridge.c
 * @txn: the open transaction, NULL if none; under @lock
 * @txn_portid: its owner, 0 if none; written under @lock
 * @dumps: dumps that have a snapshot pinned
 * @retired: snapshots on their way to be freed
 */
struct knp_net {
	struct knp_snapshot __rcu *snap;
	struct knp_config config;
	struct knp_node_list __rcu *node_list;
	struct knp_counters counters;
	struct knp_events events;

	struct net *net;
	/* of everything below, and of writing what stands above */
	struct mutex lock;
	u64 instance;
	u64 generation;
	u32 families;
	struct nf_hook_ops hooks[2][KNP_HOOKS];
	struct nf_hook_ops bridge_hooks[KNP_BRIDGE_HOOKS];
	struct knp_txn *txn;
	u32 txn_portid;
	unsigned int dumps;
	atomic_t retired;
};

extern struct workqueue_struct *knp_wq;

/** knp_net() - the state of a namespace; lives as long as the namespace */
struct knp_net *knp_net(const struct net *net);

/**
 * knp_snapshot_locked() - the current snapshot, for the writer
 * @kn: the namespace; its lock is held
 *
 * Return: the snapshot, NULL before the first commit.
 */
static inline struct knp_snapshot *knp_snapshot_locked(struct knp_net *kn)
{
	return rcu_dereference_protected(kn->snap, lockdep_is_held(&kn->lock));
}

/**
 * knp_snapshot_publish() - make tables the current generation
 * @kn: the namespace; its lock is held
 * @snap: allocated by the caller; @tables is set and frozen. Taken over.
 *
 * Cannot fail. The old generation retires.
 */
void knp_snapshot_publish(struct knp_net *kn, struct knp_snapshot *snap);

/**
 * knp_snapshot_pin() - keep the current snapshot for a dump
 * @kn: the namespace
 *
 * Return: the snapshot, to be given to knp_snapshot_unpin(); NULL before the
 * first commit; ERR_PTR(-EBUSY) if too many are pinned.
 */
struct knp_snapshot *knp_snapshot_pin(struct knp_net *kn);

/** knp_snapshot_unpin() - the dump is over; @snap may be NULL */
void knp_snapshot_unpin(struct knp_snapshot *snap);

/**
 * knp_snapshots_throttle() - wait if freeing lags behind committing
 * @kn: the namespace; its lock is not held
 *
 * Bounds the memory that a flood of commits can hold.
 */
void knp_snapshots_throttle(struct knp_net *kn);

int knp_netns_init(void);
void knp_netns_exit(void);

#endif /* KNP_NETNS_H */
