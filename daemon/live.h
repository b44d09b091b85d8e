/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The live ruleset: what compile.h computes from a store, kept up to date as
 * the store changes, at a cost that depends on what changes and not on what
 * there is. PURE: no kernel, network, clock or file.
 *
 * compile.c is the definition: whatever happens, this ruleset is the one that
 * knp_compile() makes of the store at that moment, but for the numbers of its
 * ids. The tests compare the two after every event of random histories.
 *
 * Where one of the tables is too small knp_live_update() says so, and it is
 * knp_compile() that decides what is left out. What one policy, or one pod, can
 * have too much of (port ranges, ipBlocks around one another) is left out here,
 * as there: else whoever can write one could have everything compiled anew with
 * every change.
 *
 * It remembers what the kernel holds, as ids: that is what knp_live_diff()
 * starts from. At first nothing is known. One who has made the kernel hold the
 * whole ruleset says so with knp_live_adopt(), and knp_live_confirm() says
 * that a difference was committed. After a failure in between, and whenever the
 * kernel was changed by somebody else, the whole must be adopted again.
 *
 * Context: one event loop. It is the observer of its store.
 */
#ifndef KNP_LIVE_H
#define KNP_LIVE_H

#include <stdbool.h>

#include "ruleset.h"
#include "store.h"
#include "table_limits.h"
#include "troubles.h"

struct knp_live;
struct knp_names_log;

/**
 * knp_live_new() - make one of what the store holds, and follow the store
 * @store: must outlive it
 * @node: name of the node whose pods are endpoints; NULL: every pod is one
 * @limits: of the tables
 * @ret: to knp_live_free()
 *
 * Return: 0 or -ENOMEM.
 */
int knp_live_new(struct knp_store *store, const char *node,
		 const struct knp_limits *limits, struct knp_live **ret);

/* Stop following. Accepts NULL. */
void knp_live_free(struct knp_live *l);

/*
 * Take in what has changed in the store since the last call. Return 0; -ENOMEM
 * or -E2BIG (a table is too small), after which it can only be freed.
 */
int knp_live_update(struct knp_live *l);

/* Append what is left out after an update, sorted. Return 0 or -ENOMEM. */
int knp_live_troubles(struct knp_live *l, struct knp_troubles *ret);

/*
 * The whole ruleset after an update, with ids of its own, sorted, without
 * names. Return 0 or -ENOMEM.
 */
int knp_live_ruleset(struct knp_live *l, struct knp_ruleset **ret);

/*
 * The kernel holds the ruleset that the last knp_live_ruleset() gave, under
 * the ids that it has in @rs. Return 0; -ENOMEM, or -EINVAL if it is another
 * ruleset, with nothing known.
 */
int knp_live_adopt(struct knp_live *l, const struct knp_ruleset *rs);

/* Whether it is known what the kernel holds. */
bool knp_live_known(const struct knp_live *l);

/* What the kernel holds is not known any more. */
void knp_live_forget(struct knp_live *l);

/*
 * After an update: what turns the kernel's tables into the ruleset. Return 0;
 * -ENOMEM; -E2BIG if ids run out, as whole rulesets do not.
 */
int knp_live_diff(struct knp_live *l, struct knp_diff **ret);

/* The kernel has committed the difference. */
void knp_live_confirm(struct knp_live *l);

/*
 * Write all names to a log that was reset, or those that knp_live_confirm() is
 * about to forget as new, gone or moved. Not stamped. Return 0 or -ENOMEM.
 */
int knp_live_names(struct knp_live *l, struct knp_names_log *log);
int knp_live_new_names(struct knp_live *l, struct knp_names_log *log);

/*
 * The name of a rule or set of the kernel's, by table and id, its tag and enum
 * knp_direction. @text is valid until the next call with @l. Return false if
 * there is none, or out of memory.
 */
bool knp_live_name(struct knp_live *l, uint32_t table, uint32_t id,
		   const char **text, uint8_t tag[KNP_TAG_LEN],
		   uint8_t *direction);

#endif /* KNP_LIVE_H */
