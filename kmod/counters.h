/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Packets and bytes by reason and by rule.
 *
 * Counters live beside the snapshots, so a commit never loses a hit. They are
 * per CPU: a hook writes only lines of its own CPU, without atomics. Rules are
 * counted in pages that are allocated when rules are put, in process context,
 * and live until the namespace is gone.
 *
 * A counter belongs to a rule id from the commit that puts the rule to the
 * commit that deletes it. Replacing a rule (PUT of an id that exists) keeps
 * it. An id that is put anew starts from zero.
 *
 * Locking: the functions that hooks call need bottom halves disabled; the
 * readers need nothing; everything else needs knp_net.lock.
 */
#ifndef KNP_COUNTERS_H
#define KNP_COUNTERS_H

#include <linux/bitmap.h>
#include <linux/knp.h>
#include <linux/percpu.h>
#include <linux/u64_stats_sync.h>

#include "table.h"

#define KNP_STATS_PER_PAGE	128
#define KNP_STAT_PAGES		(KNP_RULES_MAX / KNP_STATS_PER_PAGE + 1)

/** struct knp_stat - one counter of one CPU */
struct knp_stat {
	u64_stats_t packets;
	u64_stats_t bytes;
	struct u64_stats_sync syncp;
};

/** struct knp_stat_page - the unit of allocation */
struct knp_stat_page {
	struct knp_stat stat[KNP_STATS_PER_PAGE];
};

/**
 * struct knp_rule_counters - counters by rule id
 * @page: set before a snapshot holds a rule of that page, never cleared
 * @stale: ids that were deleted and may hold old figures
 * @removed: RCU state of the last commit that deleted a rule
 */
struct knp_rule_counters {
	struct knp_stat_page __percpu *page[KNP_STAT_PAGES];
	DECLARE_BITMAP(stale, KNP_RULES_MAX + 1);
	unsigned long removed;
};

/**
 * struct knp_counters - all counters of a namespace
 * @reasons: by enum knp_reason; set before the first hook is attached
 * @rules: set before the first snapshot that holds a rule
 */
struct knp_counters {
	struct knp_stat_page __percpu *reasons;
	struct knp_rule_counters *rules;
};

/** knp_counters_prepare() - before hooks are attached; 0 or -ENOMEM */
int knp_counters_prepare(struct knp_counters *c);

/** knp_counters_reserve() - before rule @id is put; 0 or -ENOMEM */
int knp_counters_reserve(struct knp_counters *c, u32 id);

/**
 * knp_counters_renew() - before a commit is published
 * @c: the counters
 * @old: tables of the current generation, NULL if none
 * @new: tables about to be published
 * @touched: bitmap of the rule ids that were put or deleted
 *
 * Zeroes the counters of ids that come back after a deletion. Packets that
 * were judged by a generation with the deleted rule may still count for it, so
 * this waits, under the lock, until a grace period has passed since that
 * commit; most often it has passed long ago and nothing waits.
 */
void knp_counters_renew(struct knp_counters *c, const struct knp_tables *old,
			const struct knp_tables *new,
			const unsigned long *touched);

/**
 * knp_counters_retire() - after a commit was published
 * @c: the counters
 * @old: tables of the generation before, NULL if none
 * @new: tables that were published
 * @touched: bitmap of the rule ids that were put or deleted
 *
 * Notes which ids went.
 */
void knp_counters_retire(struct knp_counters *c, const struct knp_tables *old,
			 const struct knp_tables *new,
			 const unsigned long *touched);

static inline void knp_stat_hit(struct knp_stat *s, unsigned int bytes)
{
	u64_stats_update_begin(&s->syncp);
	u64_stats_inc(&s->packets);
	u64_stats_add(&s->bytes, bytes);
	u64_stats_update_end(&s->syncp);
}

/** knp_counters_hit_reason() - called by hooks */
static inline void knp_counters_hit_reason(struct knp_counters *c, u32 reason,
					   unsigned int bytes)
{
	knp_stat_hit(&this_cpu_ptr(c->reasons)->stat[reason], bytes);
}

/** knp_counters_hit_rule() - called by hooks; @rule 0 counts nothing */
static inline void knp_counters_hit_rule(struct knp_counters *c, u32 rule,
					 unsigned int bytes)
{
	struct knp_stat_page __percpu *page;

	if (!rule)
		return;
	/* The snapshot that named the rule was published after its page. */
	page = READ_ONCE(c->rules->page[rule / KNP_STATS_PER_PAGE]);
	knp_stat_hit(&this_cpu_ptr(page)->stat[rule % KNP_STATS_PER_PAGE],
		     bytes);
}

/** knp_counters_reason() - read one reason's counter into @out */
void knp_counters_reason(const struct knp_counters *c, u32 reason,
			 struct knp_counter *out);

/**
 * knp_counters_next_rule() - read the next rule's counter that is not zero
 * @c: the counters
 * @id: where to begin; after a hit the id that follows
 * @out: filled on a hit
 *
 * Context: may sleep.
 * Return: false if no rule is left.
 */
bool knp_counters_next_rule(const struct knp_counters *c, u32 *id,
			    struct knp_counter *out);

/** knp_counters_free() - no hook may run any more */
void knp_counters_free(struct knp_counters *c);

#endif /* KNP_COUNTERS_H */
