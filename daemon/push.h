/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bring the kernel to a ruleset: read what it holds (once), adopt its ids, send
 * the difference in one transaction. Nothing is written where nothing differs.
 * Who knows the difference himself sends it, while nobody else has written.
 *
 * The backend is a seam (struct knp_push_ops): generic netlink, or a recorder
 * for dry runs and tests.
 *
 * What is known of the kernel, the mirror, is kept while the module's instance
 * and generation are those of our last success. Everything else makes it read
 * again: another writer's commit, a reloaded module, any failure.
 *
 * Setting up. Once per instance of the module (which is also: once per start of
 * this process) the wanted mode and unknown-local are set (audit and pass before
 * the transaction, enforce and drop after it, so that no packet is dropped that
 * neither setting would drop) and, last, the wanted families are attached:
 * hooks of ours never judge by the default, they start with a snapshot. Where
 * nothing was ever committed, even an empty ruleset is, so that enforcement has
 * a generation. Afterwards an operator who detaches or changes them is not
 * overruled until the next start.
 *
 * A ruleset that could not hold all isolated addresses (@unheld) is the one
 * exception: unknown-local is drop before it is committed, whatever is wanted,
 * and stays so until an operator, or the next start, says otherwise.
 *
 * Failures leave the kernel at its last generation: BEGIN..COMMIT is atomic.
 */
#ifndef KNP_PUSH_H
#define KNP_PUSH_H

#include "genl.h"
#include "ruleset.h"

struct knp_push;

/** struct knp_push_ops - a backend; every call returns 0 or -errno */
struct knp_push_ops {
	/* instance, generation, mode and families of the kernel */
	int (*info)(void *ctx, struct knp_info *ret);
	/* all tables, sorted, and the info of the same generation */
	int (*read)(void *ctx, struct knp_ruleset **ret,
		    struct knp_info *info);
	int (*begin)(void *ctx, uint64_t generation);
	/* one message of PUT or DELETE */
	int (*write)(void *ctx, const struct knp_op *op);
	int (*commit)(void *ctx, uint64_t count, uint64_t *generation);
	int (*abort)(void *ctx);
	int (*mode)(void *ctx, uint8_t mode);
	int (*unknown_local)(void *ctx, uint8_t action);
	/* those of its settings that are not -1 */
	int (*config)(void *ctx, const struct knp_config *c);
	int (*attach)(void *ctx, uint32_t families);
	/* the kernel's words about the last refusal, "" if none */
	const char *(*text)(void *ctx);
};

/** struct knp_push_options - what to set up on a new instance */
struct knp_push_options {
	uint32_t families;	/* KNP_FAMILY_*, 0: attach nothing */
	int mode;		/* enum knp_mode, -1: leave as it is */
	int unknown_local;	/* enum knp_action, -1: leave as it is */
	int node_egress;	/* likewise */
	int lb_probes;		/* likewise */
	const struct knp_node_allows *node_allow; /* NULL: leave as it is */
};

/**
 * struct knp_push_result - what one success did
 * @wrote: a transaction was committed
 * @commit_ns: how long it took, from its BEGIN to the acknowledgment
 * @committed_ns: CLOCK_MONOTONIC when the commit (or, where nothing was to be
 *		  written, the comparison) was acknowledged
 */
struct knp_push_result {
	uint64_t instance;
	uint64_t generation;
	uint64_t puts;
	uint64_t deletes;
	int64_t commit_ns;
	int64_t committed_ns;
	bool wrote;
	bool reread;
};

/** knp_push_netlink - the backend over struct knp_genl, which is its ctx */
extern const struct knp_push_ops knp_push_netlink;

int knp_push_new(const struct knp_push_ops *ops,
		 const struct knp_push_options *options,
		 struct knp_push **ret);
void knp_push_free(struct knp_push *p);

/**
 * knp_push_apply() - make the kernel hold a ruleset
 * @p: the state
 * @ctx: for the backend; may be another one with each call
 * @rs: as compiled; taken over, also on failure
 * @ret: what was done
 *
 * A stale generation, another transaction and a refused adoption are tried
 * again a few times, with what the kernel holds then.
 *
 * Return: 0; -ESTALE, -EBUSY, -EAGAIN if others kept writing; -errno of the
 * backend. knp_push_error() then says which step failed.
 */
int knp_push_apply(struct knp_push *p, void *ctx, struct knp_ruleset *rs,
		   struct knp_push_result *ret);

/**
 * knp_push_send() - send a difference
 * @p: the state
 * @ctx: for the backend
 * @diff: from what the kernel holds since the last success
 * @ret: what was done
 *
 * Nothing is tried twice and nothing is read.
 *
 * Return: 0; -ESTALE if the kernel does not hold what it did then, or was not
 * set up; -errno of the backend. After a failure only knp_push_apply() helps.
 */
int knp_push_send(struct knp_push *p, void *ctx, const struct knp_diff *diff,
		  struct knp_push_result *ret);

/* Whether others who were writing are the reason, so that it may soon work. */
bool knp_push_transient(int err);

/* What failed last: "put rows: <the kernel's words>". */
const char *knp_push_error(const struct knp_push *p);

/*
 * What the kernel holds since the last success of knp_push_apply(), with names;
 * NULL after a failure, after knp_push_send() and knp_push_drop_mirror(). Valid
 * until the next call.
 */
const struct knp_ruleset *knp_push_mirror(const struct knp_push *p);

/* Who remembers what the kernel holds himself need not have it here too. */
void knp_push_drop_mirror(struct knp_push *p);

/* Whether the kernel is in another state than that of the last success. */
bool knp_push_differs(const struct knp_push *p, const struct knp_info *info);

/* Name of a table, for messages: "rules", "portsets", ... */
const char *knp_table_name(uint32_t table);

#endif /* KNP_PUSH_H */
