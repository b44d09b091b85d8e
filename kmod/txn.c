// SPDX-License-Identifier: GPL-2.0 OR MIT
/* See txn.h. */
#include <linux/bitmap.h>
#include <linux/netlink.h>
#include <linux/notifier.h>

#include "mem.h"
#include "netns.h"
#include "txn.h"

/**
 * struct knp_txn - an open transaction
 * @tables: the private clone, NULL once a PUT or DELETE failed
 * @count: records put and deleted so far
 * @touched: ids of what is counted and was put or deleted
 */
struct knp_txn {
	struct knp_tables *tables;
	u64 count;
	struct knp_touched touched;
};

typedef int (*change_fn)(struct knp_tables *t, u32 table, const void *recs,
			 size_t len, struct knp_refusal *why);

void knp_txn_drop(struct knp_net *kn)
{
	struct knp_txn *txn = kn->txn;
	int what;

	lockdep_assert_held(&kn->lock);

	if (!txn)
		return;
	kn->txn = NULL;
	WRITE_ONCE(kn->txn_portid, 0);
	knp_tables_free(txn->tables);
	for (what = 0; what < KNP_COUNTED; what++)
		knp_vfree(txn->touched.ids[what]);
	knp_free(txn);
}

static struct knp_txn *txn_of(struct knp_net *kn, u32 portid, const char **why)
{
	lockdep_assert_held(&kn->lock);

	if (kn->txn && kn->txn_portid == portid)
		return kn->txn;
	*why = "this socket has no transaction open";

	return NULL;
}

static int txn_open(struct knp_net *kn, u32 portid)
{
	struct knp_snapshot *snap = knp_snapshot_locked(kn);
	struct knp_txn *txn;

	txn = knp_zalloc(sizeof(*txn));
	if (!txn)
		return -ENOMEM;
	txn->tables = snap ? knp_tables_clone(snap->tables) : knp_tables_new();
	if (!txn->tables) {
		knp_free(txn);
		return -ENOMEM;
	}
	kn->txn = txn;
	WRITE_ONCE(kn->txn_portid, portid);

	return 0;
}

int knp_txn_begin(struct knp_net *kn, u32 portid, u64 generation,
		  const char **why)
{
	int err = 0;

	mutex_lock(&kn->lock);
	if (kn->txn && kn->txn_portid != portid) {
		*why = "another socket has a transaction open";
		err = -EBUSY;
		goto out;
	}
	knp_txn_drop(kn);
	if (generation != kn->generation) {
		*why = "the generation is not the current one";
		err = -ESTALE;
		goto out;
	}
	err = txn_open(kn, portid);
	if (err)
		*why = "out of memory";
out:
	mutex_unlock(&kn->lock);

	return err;
}

/* The id is the first member of each record that is counted. */
static u32 counted_id(u32 table, const void *recs, int i)
{
	if (table == KNP_TABLE_SET)
		return ((const struct knp_rec_set *)recs)[i].id;

	return ((const struct knp_rec_rule *)recs)[i].id;
}

static int counters_touch(struct knp_net *kn, struct knp_txn *txn, u32 table,
			  bool put, const void *recs, int n)
{
	enum knp_counted what = knp_counted(table);
	unsigned long **ids;
	int err = 0;
	u32 id;
	int i;

	if (what == KNP_COUNTED_NONE)
		return 0;
	ids = &txn->touched.ids[what];
	if (!*ids)
		*ids = knp_vcalloc(BITS_TO_LONGS(knp_counted_max(what) + 1),
				   sizeof(**ids));
	if (!*ids)
		return -ENOMEM;
	for (i = 0; !err && i < n; i++) {
		id = counted_id(table, recs, i);
		__set_bit(id, *ids);
		if (put)
			err = knp_counters_reserve(&kn->counters, what, id);
	}

	return err;
}

/* Records were accepted, so their ids are within the limit from there on. */
static int txn_change(struct knp_net *kn, struct knp_txn *txn, change_fn change,
		      u32 table, const void *recs, size_t len, const char **why)
{
	struct knp_refusal refusal = { .msg = "out of memory" };
	int n;

	n = change(txn->tables, table, recs, len, &refusal);
	if (n >= 0 && counters_touch(kn, txn, table, change == knp_tables_put,
				     recs, n))
		n = -ENOMEM;
	if (n < 0) {
		*why = refusal.msg;
		return n;
	}
	txn->count += n;

	return 0;
}

static int txn_records(struct knp_net *kn, u32 portid, change_fn fn,
		       u32 table, const void *recs, size_t len, const char **why)
{
	struct knp_txn *txn;
	int err = -ENOENT;

	mutex_lock(&kn->lock);
	txn = txn_of(kn, portid, why);
	if (!txn)
		goto out;
	if (!txn->tables) {
		*why = "an earlier PUT or DELETE of this transaction failed";
		err = -ECANCELED;
		goto out;
	}
	err = txn_change(kn, txn, fn, table, recs, len, why);
	if (err) {
		knp_tables_free(txn->tables);
		txn->tables = NULL;
	}
out:
	mutex_unlock(&kn->lock);

	return err;
}

int knp_txn_put(struct knp_net *kn, u32 portid, u32 table, const void *recs,
		size_t len, const char **why)
{
	return txn_records(kn, portid, knp_tables_put, table, recs, len, why);
}

int knp_txn_delete(struct knp_net *kn, u32 portid, u32 table,
		   const void *recs, size_t len, const char **why)
{
	return txn_records(kn, portid, knp_tables_delete, table, recs, len, why);
}

/* Takes txn->tables on success. */
static int txn_publish(struct knp_net *kn, struct knp_txn *txn,
		       const char **why)
{
	struct knp_snapshot *old = knp_snapshot_locked(kn);
	const struct knp_tables *old_tables = old ? old->tables : NULL;
	struct knp_snapshot *snap;
	int err;

	snap = knp_zalloc(sizeof(*snap));
	if (!snap) {
		*why = "out of memory";
		return -ENOMEM;
	}
	err = knp_tables_freeze(txn->tables);
	if (err) {
		*why = "out of memory";
		knp_free(snap);
		return err;
	}

	/* Nothing below can fail. */
	snap->tables = txn->tables;
	txn->tables = NULL;
	knp_counters_renew(&kn->counters, old_tables, snap->tables,
			   &txn->touched);
	knp_snapshot_publish(kn, snap);
	/* The old tables stay until the lock is released. */
	knp_counters_retire(&kn->counters, old_tables, snap->tables,
			    &txn->touched);

	return 0;
}

int knp_txn_commit(struct knp_net *kn, u32 portid, u64 count,
		   u64 *ret_generation, const char **why)
{
	struct knp_txn *txn;
	int err = -ENOENT;

	mutex_lock(&kn->lock);
	txn = txn_of(kn, portid, why);
	if (!txn)
		goto out;
	if (!txn->tables) {
		*why = "an earlier PUT or DELETE of this transaction failed";
		err = -ECANCELED;
	} else if (txn->count != count) {
		*why = "the number of records differs, a message was lost";
		err = -EBADMSG;
	} else {
		err = txn_publish(kn, txn, why);
	}
	knp_txn_drop(kn);
	if (!err)
		*ret_generation = kn->generation;
out:
	mutex_unlock(&kn->lock);
	if (!err)
		knp_snapshots_throttle(kn);

	return err;
}

int knp_txn_abort(struct knp_net *kn, u32 portid, const char **why)
{
	int err = 0;

	mutex_lock(&kn->lock);
	if (txn_of(kn, portid, why))
		knp_txn_drop(kn);
	else
		err = -ENOENT;
	mutex_unlock(&kn->lock);

	return err;
}

/*
 * A socket was closed. Its own BEGIN has returned long ago, so if it owns the
 * transaction, the unlocked look sees it; every other socket is spared the
 * lock.
 */
static int socket_closed(struct notifier_block *nb, unsigned long event,
			 void *ptr)
{
	const struct netlink_notify *n = ptr;
	struct knp_net *kn;

	if (event != NETLINK_URELEASE || n->protocol != NETLINK_GENERIC)
		return NOTIFY_DONE;

	kn = knp_net(n->net);
	if (READ_ONCE(kn->txn_portid) != n->portid)
		return NOTIFY_DONE;

	mutex_lock(&kn->lock);
	if (kn->txn && kn->txn_portid == n->portid)
		knp_txn_drop(kn);
	mutex_unlock(&kn->lock);

	return NOTIFY_DONE;
}

static struct notifier_block socket_notifier = {
	.notifier_call = socket_closed,
};

int knp_txn_init(void)
{
	return knp_try(netlink_register_notifier(&socket_notifier), -ENOMEM);
}

void knp_txn_exit(void)
{
	netlink_unregister_notifier(&socket_notifier);
}
