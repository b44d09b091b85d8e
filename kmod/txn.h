/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Transactions: stage, validate, publish.
 *
 * A namespace has at most one, owned by a netlink socket (its port id). It
 * changes a private clone of the tables that nobody else sees. COMMIT freezes
 * the clone, allocates the snapshot, and then publishes it; nothing after that
 * point can fail. Closing the socket forgets the transaction.
 *
 * A PUT or DELETE that fails may have changed a part of the clone, so the
 * clone is dropped at once; the rest of the transaction is refused until its
 * owner ends it.
 *
 * Errors are those of the manual in uapi/linux/knp.h; @why gets a static text
 * for each of them. All functions take knp_net.lock themselves except where
 * they say so.
 */
#ifndef KNP_TXN_H
#define KNP_TXN_H

#include <linux/types.h>

struct knp_net;

/** knp_txn_begin() - 0, -ESTALE, -EBUSY or -ENOMEM */
int knp_txn_begin(struct knp_net *kn, u32 portid, u64 generation,
		  const char **why);

/**
 * knp_txn_put() - put records
 * @kn: the namespace
 * @portid: who asks
 * @table: enum knp_table
 * @recs: packed records
 * @len: bytes of @recs
 * @why: text on a refusal
 *
 * Return: 0, -ENOENT, -EINVAL, -E2BIG, -ENOMEM or -ECANCELED.
 */
int knp_txn_put(struct knp_net *kn, u32 portid, u32 table, const void *recs,
		size_t len, const char **why);

/** knp_txn_delete() - as knp_txn_put(), and -EBUSY */
int knp_txn_delete(struct knp_net *kn, u32 portid, u32 table,
		   const void *recs, size_t len, const char **why);

/**
 * knp_txn_commit() - publish the transaction
 * @kn: the namespace
 * @portid: who asks
 * @count: records put and deleted since BEGIN
 * @ret_generation: the new generation
 * @why: text on a refusal
 *
 * Return: 0, -ENOENT, -EBADMSG, -ECANCELED or -ENOMEM. The transaction
 * is over in each case but -ENOENT.
 */
int knp_txn_commit(struct knp_net *kn, u32 portid, u64 count,
		   u64 *ret_generation, const char **why);

/** knp_txn_abort() - 0 or -ENOENT */
int knp_txn_abort(struct knp_net *kn, u32 portid, const char **why);

/** knp_txn_drop() - forget the open transaction, if any; the lock is held */
void knp_txn_drop(struct knp_net *kn);

int knp_txn_init(void);
void knp_txn_exit(void);

#endif /* KNP_TXN_H */
