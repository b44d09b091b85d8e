/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Talking to knp.ko: requests and their answers, dumps, notifications. What the
 * messages look like is in wire.h.
 *
 * struct knp_genl is a socket for requests. Every call sends one request and
 * waits for its answer, at most 30 s (-ETIMEDOUT). After a failure that is not
 * a refusal by the module (see knp_genl_refused()) the socket's state is
 * unknown: close it and open another. The family's number changes when the
 * module is loaded again, calls then fail with -ENOENT: open another, too.
 *
 * struct knp_watch is a socket for notifications, for an event loop.
 *
 * Errors: -errno. The refusals of knp_genl_open() are told apart:
 *   -ENOENT           the module is not loaded
 *   -EPERM            no CAP_NET_ADMIN in the initial user namespace
 *   -EPROTONOSUPPORT  the module speaks another KNP_ABI_VERSION
 *
 * Not thread-safe. Tables belong to the network namespace in which the socket
 * was opened.
 */
#ifndef KNP_GENL_H
#define KNP_GENL_H

#include "ruleset.h"
#include "wire.h"

struct knp_genl;
struct knp_watch;

/**
 * struct knp_counters - counters, in the order of ids
 * @rules: what each rule allowed
 * @sets: what each set denied
 */
struct knp_counters {
	struct knp_counter reasons[KNP_REASON_MAX + 1];
	struct knp_counter *rules;
	size_t nrules;
	struct knp_counter *sets;
	size_t nsets;
};

/**
 * struct knp_watch_ops - what a watch reports; NULL members are not wanted
 * @family: the module came (@present) or went
 * @info: something was committed, attached, detached or configured
 * @event: a packet was dropped, or would have been in mode audit
 * @lost: notifications were lost on this socket; look at everything again
 */
struct knp_watch_ops {
	void (*family)(void *arg, bool present);
	void (*info)(void *arg, const struct knp_info *info);
	void (*event)(void *arg, const struct knp_event *event);
	void (*lost)(void *arg);
};

/**
 * knp_genl_open() - connect to the module
 * @ret: the connection, to knp_genl_close()
 *
 * Return: 0, one of the three refusals above, or -errno.
 */
int knp_genl_open(struct knp_genl **ret);

/* Accepts NULL. A transaction that is open is forgotten by the kernel. */
void knp_genl_close(struct knp_genl *g);

/*
 * The module's own words about the last refusal, "" if it had none. Valid until
 * the next call.
 */
const char *knp_genl_text(const struct knp_genl *g);

/* Whether the last failure was an answer of the module, not of the socket. */
bool knp_genl_refused(const struct knp_genl *g);

/* One line that says what is wrong and what to do about a failure to open. */
const char *knp_genl_advice(int err);

/* The requests of uapi/linux/knp.h, with its errors. */
int knp_genl_info(struct knp_genl *g, struct knp_info *ret);
int knp_genl_attach(struct knp_genl *g, uint32_t families);
int knp_genl_detach(struct knp_genl *g, uint32_t families);
int knp_genl_begin(struct knp_genl *g, uint64_t generation);
int knp_genl_put(struct knp_genl *g, uint32_t table, const void *recs,
		 size_t len);
int knp_genl_delete(struct knp_genl *g, uint32_t table, const void *recs,
		    size_t len);
int knp_genl_commit(struct knp_genl *g, uint64_t count, uint64_t *ret);
int knp_genl_abort(struct knp_genl *g);
int knp_genl_config(struct knp_genl *g, const struct knp_config *c);
int knp_genl_explain(struct knp_genl *g, const struct knp_tuple *t,
		     struct knp_explanation *ret);

/**
 * knp_genl_snapshot() - read tables, all of one generation
 * @g: the connection
 * @table: enum knp_table, 0: all
 * @ret: sorted, without names; to knp_ruleset_free()
 * @info: of the same instance and generation
 *
 * Return: 0; -EAGAIN if generations changed faster than they could be read;
 * -errno.
 */
int knp_genl_snapshot(struct knp_genl *g, uint32_t table,
		      struct knp_ruleset **ret, struct knp_info *info);

/**
 * knp_genl_counters() - read the counters
 * @g: the connection
 * @ret: to knp_counters_clear()
 *
 * Return: 0 or -errno.
 */
int knp_genl_counters(struct knp_genl *g, struct knp_counters *ret);
void knp_counters_clear(struct knp_counters *c);

/* The counter of a rule, NULL if it was never hit. */
const struct knp_counter *knp_counters_rule(const struct knp_counters *c,
					    uint32_t rule);

/**
 * knp_watch_open() - listen for the module's coming and going
 * @ops: stays valid until knp_watch_close()
 * @arg: for @ops
 * @ret: the watch, to knp_watch_close()
 *
 * Needs no module and no privilege.
 *
 * Return: 0 or -errno.
 */
int knp_watch_open(const struct knp_watch_ops *ops, void *arg,
		   struct knp_watch **ret);
void knp_watch_close(struct knp_watch *w);

/*
 * Join a group of the module, KNP_MCGRP_*. To be done again when the module was
 * loaded again. Return 0, -ENOENT (no module), -EPERM, or -errno.
 */
int knp_watch_join(struct knp_watch *w, const char *group);

/* The socket, to wait for readability. */
int knp_watch_fd(const struct knp_watch *w);

/* Report everything that can be read now. Return 0 or -errno. */
int knp_watch_read(struct knp_watch *w);

#endif /* KNP_GENL_H */
