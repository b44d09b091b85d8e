// SPDX-License-Identifier: GPL-2.0 OR MIT
/* See counters.h. */
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "counters.h"

static struct knp_stat_page __percpu *page_alloc(void)
{
	struct knp_stat_page __percpu *page;
	struct knp_stat_page *p;
	unsigned int i;
	int cpu;

	BUILD_BUG_ON(__KNP_REASON_MAX > KNP_STATS_PER_PAGE);

	page = alloc_percpu_gfp(struct knp_stat_page, GFP_KERNEL_ACCOUNT);
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

int knp_counters_reserve(struct knp_counters *c, u32 id)
{
	struct knp_stat_page __percpu *page;
	struct knp_rule_counters *rules = c->rules;

	if (!rules) {
		rules = kvzalloc(sizeof(*rules), GFP_KERNEL_ACCOUNT);
		if (!rules)
			return -ENOMEM;
		/* A COUNTERS dump reads it without the lock. */
		smp_store_release(&c->rules, rules);
	}
	if (rules->page[id / KNP_STATS_PER_PAGE])
		return 0;

	page = page_alloc();
	if (!page)
		return -ENOMEM;
	/* Pairs with the acquire in knp_counters_next_rule(). */
	smp_store_release(&rules->page[id / KNP_STATS_PER_PAGE], page);

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

static bool has_rule(const struct knp_tables *t, u32 id)
{
	return t && knp_tables_tag(t, KNP_TABLE_RULE, id);
}

void knp_counters_renew(struct knp_counters *c, const struct knp_tables *old,
			const struct knp_tables *new,
			const unsigned long *touched)
{
	struct knp_rule_counters *rules = c->rules;
	unsigned long id;

	for_each_set_bit(id, touched, KNP_RULES_MAX + 1) {
		if (has_rule(old, id) || !has_rule(new, id))
			continue;
		if (!test_bit(id, rules->stale))
			continue;
		cond_synchronize_rcu(rules->removed);
		stat_zero(rules->page[id / KNP_STATS_PER_PAGE],
			  id % KNP_STATS_PER_PAGE);
		__clear_bit(id, rules->stale);
	}
}

void knp_counters_retire(struct knp_counters *c, const struct knp_tables *old,
			 const struct knp_tables *new,
			 const unsigned long *touched)
{
	struct knp_rule_counters *rules = c->rules;
	bool removed = false;
	unsigned long id;

	for_each_set_bit(id, touched, KNP_RULES_MAX + 1) {
		if (!has_rule(old, id) || has_rule(new, id))
			continue;
		__set_bit(id, rules->stale);
		removed = true;
	}
	if (removed)
		rules->removed = get_state_synchronize_rcu();
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

bool knp_counters_next_rule(const struct knp_counters *c, u32 *id,
			    struct knp_counter *out)
{
	/* Both loads pair with the releases in knp_counters_reserve(). */
	const struct knp_rule_counters *rules = smp_load_acquire(&c->rules);
	struct knp_stat_page __percpu *page;
	u32 i;

	if (!rules)
		return false;
	for (i = *id; i <= KNP_RULES_MAX; i++) {
		/* See above. */
		page = smp_load_acquire(&rules->page[i / KNP_STATS_PER_PAGE]);
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

	for (i = 0; c->rules && i < KNP_STAT_PAGES; i++)
		free_percpu(c->rules->page[i]);
	kvfree(c->rules);
	free_percpu(c->reasons);
	c->rules = NULL;
	c->reasons = NULL;
}
