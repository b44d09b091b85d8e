/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Packets and bytes by reason, by the rule that allowed and by the set that
 * denied.
 *
 * Counters live beside the snapshots, so a commit never loses a hit. They are
 * per CPU: a hook writes only lines of its own CPU, without atomics. Rules and
 * sets are counted in pages that are allocated when they are put, in process
 * context, and live until the namespace is gone.
 *
 * A counter belongs to an id from the commit that puts the object to the
 * commit that deletes it. Replacing an object (PUT of an id that exists) keeps
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

/* enum knp_counted - objects that are counted by their id */
enum knp_counted {
	KNP_COUNTED_RULE,
	KNP_COUNTED_SET,
	KNP_COUNTED,
	KNP_COUNTED_NONE = KNP_COUNTED,
};

/**
 * struct knp_id_counters - counters by id
 * @page: set before a snapshot holds an object of that page, never cleared
 * @stale: ids that were deleted and may hold old figures
 * @removed: RCU state of the last commit that deleted one of them
 */
struct knp_id_counters {
	struct knp_stat_page __percpu *page[KNP_STAT_PAGES];
	DECLARE_BITMAP(stale, KNP_RULES_MAX + 1);
	unsigned long removed;
};

/**
 * struct knp_touched - what a transaction has put or deleted
 * @ids: bitmaps of knp_counted_max() + 1 bits, NULL: none
 */
struct knp_touched {
	unsigned long *ids[KNP_COUNTED];
};

/**
 * struct knp_counters - all counters of a namespace
 * @reasons: by enum knp_reason; set before the first hook is attached
 * @ids: by enum knp_counted; each set before the first snapshot that holds one
 */
struct knp_counters {
	struct knp_stat_page __percpu *reasons;
	struct knp_id_counters *ids[KNP_COUNTED];
};

/** knp_counted() - what is counted of a table's records, if anything */
static inline enum knp_counted knp_counted(u32 table)
{
	switch (table) {
	case KNP_TABLE_RULE:
		return KNP_COUNTED_RULE;
	case KNP_TABLE_SET:
		return KNP_COUNTED_SET;
	default:
		return KNP_COUNTED_NONE;
	}
}

/** knp_counters_prepare() - before hooks are attached; 0 or -ENOMEM */
int knp_counters_prepare(struct knp_counters *c);

/** knp_counted_max() - the largest id of what is counted */
static inline u32 knp_counted_max(enum knp_counted what)
{
	return what == KNP_COUNTED_RULE ? KNP_RULES_MAX : KNP_SETS_MAX;
}

/** knp_counters_reserve() - before @id is put; 0 or -ENOMEM */
int knp_counters_reserve(struct knp_counters *c, enum knp_counted what, u32 id);

/**
 * knp_counters_renew() - before a commit is published
 * @c: the counters
 * @old: tables of the current generation, NULL if none
 * @new: tables about to be published
 * @touched: what was put or deleted
 *
 * Zeroes the counters of ids that come back after a deletion. Packets that
 * were judged by a generation with the deleted object may still count for it, so
 * this waits, under the lock, until a grace period has passed since that
 * commit; most often it has passed long ago and nothing waits.
 */
void knp_counters_renew(struct knp_counters *c, const struct knp_tables *old,
			const struct knp_tables *new,
			const struct knp_touched *touched);

/**
 * knp_counters_retire() - after a commit was published
 * @c: the counters
 * @old: tables of the generation before, NULL if none
 * @new: tables that were published
 * @touched: what was put or deleted
 *
 * Notes which ids went.
 */
void knp_counters_retire(struct knp_counters *c, const struct knp_tables *old,
			 const struct knp_tables *new,
			 const struct knp_touched *touched);

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

/** knp_counters_hit() - called by hooks; @id 0 counts nothing */
static inline void knp_counters_hit(struct knp_counters *c,
				    enum knp_counted what, u32 id,
				    unsigned int bytes)
{
	struct knp_stat_page __percpu *page;

	if (!id)
		return;
	/* The snapshot that named the object was published after its page. */
	page = READ_ONCE(c->ids[what]->page[id / KNP_STATS_PER_PAGE]);
	knp_stat_hit(&this_cpu_ptr(page)->stat[id % KNP_STATS_PER_PAGE], bytes);
}

/** knp_counters_reason() - read one reason's counter into @out */
void knp_counters_reason(const struct knp_counters *c, u32 reason,
			 struct knp_counter *out);

/**
 * knp_counters_next() - read the next counter that is not zero
 * @c: the counters
 * @what: of which objects
 * @id: where to begin; after a hit the id that follows
 * @out: filled on a hit
 *
 * Context: may sleep.
 * Return: false if none is left.
 */
bool knp_counters_next(const struct knp_counters *c, enum knp_counted what,
		       u32 *id, struct knp_counter *out);

/** knp_counters_free() - no hook may run any more */
void knp_counters_free(struct knp_counters *c);

#endif /* KNP_COUNTERS_H */
