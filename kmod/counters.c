// SPDX-License-Identifier: GPL-2.0 OR MIT
/* See counters.h. */
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "counters.h"
#include "mem.h"

static struct knp_stat_page __percpu *page_alloc(void)
{
	struct knp_stat_page __percpu *page;
	struct knp_stat_page *p;
	unsigned int i;
	int cpu;

	BUILD_BUG_ON(__KNP_REASON_MAX > KNP_STATS_PER_PAGE);

	page = knp_percpu_alloc(struct knp_stat_page);
	if (!page)
		return NULL;
	for_each_possible_cpu(cpu) {
		p = per_cpu_ptr(page, cpu);
		for (i = 0; i < KNP_STATS_PER_PAGE; i++)
			u64_stats_init(&p->stat[i].syncp);
	}

	return page;
}

int knp_counters_prepare(struct knp_counters *c)
{
	if (!c->reasons)
		c->reasons = page_alloc();

	return c->reasons ? 0 : -ENOMEM;
}

int knp_counters_reserve(struct knp_counters *c, enum knp_counted what, u32 id)
{
	struct knp_id_counters *ids = c->ids[what];
	struct knp_stat_page __percpu *page;

	if (!ids) {
		ids = knp_vcalloc(1, sizeof(*ids));
		if (!ids)
			return -ENOMEM;
		/* A COUNTERS dump reads it without the lock. */
		smp_store_release(&c->ids[what], ids);
	}
	if (ids->page[id / KNP_STATS_PER_PAGE])
		return 0;

	page = page_alloc();
	if (!page)
		return -ENOMEM;
	/* Pairs with the acquire in knp_counters_next(). */
	smp_store_release(&ids->page[id / KNP_STATS_PER_PAGE], page);

	return 0;
}

static void stat_zero(struct knp_stat_page __percpu *page, unsigned int i)
{
	struct knp_stat *s;
	int cpu;

	for_each_possible_cpu(cpu) {
		s = &per_cpu_ptr(page, cpu)->stat[i];
		/* As a writer: a softirq that read it must not find it odd. */
		local_bh_disable();
		u64_stats_update_begin(&s->syncp);
		u64_stats_set(&s->packets, 0);
		u64_stats_set(&s->bytes, 0);
		u64_stats_update_end(&s->syncp);
		local_bh_enable();
	}
}

static const u32 tables[KNP_COUNTED] = {
	[KNP_COUNTED_RULE]	= KNP_TABLE_RULE,
	[KNP_COUNTED_SET]	= KNP_TABLE_SET,
};

static bool has(const struct knp_tables *t, enum knp_counted what, u32 id)
{
	return t && knp_tables_tag(t, tables[what], id);
}

static void renew(struct knp_counters *c, enum knp_counted what,
		  const struct knp_tables *old, const struct knp_tables *new,
		  const unsigned long *touched)
{
	struct knp_id_counters *ids = c->ids[what];
	unsigned long id;

	for_each_set_bit(id, touched, knp_counted_max(what) + 1) {
		if (has(old, what, id) || !has(new, what, id))
			continue;
		if (!test_bit(id, ids->stale))
			continue;
		cond_synchronize_rcu(ids->removed);
		stat_zero(ids->page[id / KNP_STATS_PER_PAGE],
			  id % KNP_STATS_PER_PAGE);
		__clear_bit(id, ids->stale);
	}
}

static void retire(struct knp_counters *c, enum knp_counted what,
		   const struct knp_tables *old, const struct knp_tables *new,
		   const unsigned long *touched)
{
	struct knp_id_counters *ids = c->ids[what];
	bool removed = false;
	unsigned long id;

	for_each_set_bit(id, touched, knp_counted_max(what) + 1) {
		if (!has(old, what, id) || has(new, what, id))
			continue;
		__set_bit(id, ids->stale);
		removed = true;
	}
	if (removed)
		ids->removed = get_state_synchronize_rcu();
}

void knp_counters_renew(struct knp_counters *c, const struct knp_tables *old,
			const struct knp_tables *new,
			const struct knp_touched *touched)
{
	int what;

	for (what = 0; what < KNP_COUNTED; what++)
		if (touched->ids[what])
			renew(c, what, old, new, touched->ids[what]);
}

void knp_counters_retire(struct knp_counters *c, const struct knp_tables *old,
			 const struct knp_tables *new,
			 const struct knp_touched *touched)
{
	int what;

	for (what = 0; what < KNP_COUNTED; what++)
		if (touched->ids[what])
			retire(c, what, old, new, touched->ids[what]);
}

static void stat_sum(struct knp_stat_page __percpu *page, unsigned int i,
		     struct knp_counter *out)
{
	u64 packets, bytes;
	const struct knp_stat *s;
	unsigned int start;
	int cpu;

	for_each_possible_cpu(cpu) {
		s = &per_cpu_ptr(page, cpu)->stat[i];
		do {
			start = u64_stats_fetch_begin(&s->syncp);
			packets = u64_stats_read(&s->packets);
			bytes = u64_stats_read(&s->bytes);
		} while (u64_stats_fetch_retry(&s->syncp, start));
		out->packets += packets;
		out->bytes += bytes;
	}
}

void knp_counters_reason(const struct knp_counters *c, u32 reason,
			 struct knp_counter *out)
{
	struct knp_stat_page __percpu *page = READ_ONCE(c->reasons);

	*out = (struct knp_counter){ .id = reason };
	if (page)
		stat_sum(page, reason, out);
}

bool knp_counters_next(const struct knp_counters *c, enum knp_counted what,
		       u32 *id, struct knp_counter *out)
{
	/* Both loads pair with the releases in knp_counters_reserve(). */
	const struct knp_id_counters *ids = smp_load_acquire(&c->ids[what]);
	struct knp_stat_page __percpu *page;
	u32 i;

	if (!ids)
		return false;
	for (i = *id; i <= knp_counted_max(what); i++) {
		/* See above. */
		page = smp_load_acquire(&ids->page[i / KNP_STATS_PER_PAGE]);
		if (!page) {
			i |= KNP_STATS_PER_PAGE - 1;
			continue;
		}
		if (i % KNP_STATS_PER_PAGE == 0)
			cond_resched();
		*out = (struct knp_counter){ .id = i };
		stat_sum(page, i % KNP_STATS_PER_PAGE, out);
		if (!out->packets)
			continue;
		*id = i + 1;
		return true;
	}
	*id = i;

	return false;
}

void knp_counters_free(struct knp_counters *c)
{
	unsigned int i;
	int what;

	for (what = 0; what < KNP_COUNTED; what++) {
		for (i = 0; c->ids[what] && i < KNP_STAT_PAGES; i++)
			free_percpu(c->ids[what]->page[i]);
		knp_vfree(c->ids[what]);
		c->ids[what] = NULL;
	}
	free_percpu(c->reasons);
	c->reasons = NULL;
}
