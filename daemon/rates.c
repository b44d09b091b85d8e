// SPDX-License-Identifier: Apache-2.0
#include "rates.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "numbers.h"

static const struct knp_counter zero;

/* struct table - the rules or sets of a reading, and what they counted */
struct table {
	enum knp_rate_kind kind;
	uint32_t table;
	const struct knp_recs *recs;
	const struct knp_counter *counters;
	size_t n;
};

static struct table rules_of(const struct knp_reading *r)
{
	return (struct table){
		.kind = KNP_RATE_RULE,
		.table = KNP_TABLE_RULE,
		.recs = &r->rules,
		.counters = r->counters.rules,
		.n = r->counters.nrules,
	};
}

static struct table sets_of(const struct knp_reading *r)
{
	return (struct table){
		.kind = KNP_RATE_SET,
		.table = KNP_TABLE_SET,
		.recs = &r->sets,
		.counters = r->counters.sets,
		.n = r->counters.nsets,
	};
}

static const struct knp_counter *counter_of(const struct table *t, uint32_t id)
{
	const struct knp_counter *found;

	/* A counter starts with its id. */
	found = t->n ? bsearch(&id, t->counters, t->n, sizeof(*t->counters),
			       knp_by_number) : NULL;
	return found ? found : &zero;
}

/* What one of an id had counted; nothing, if that was another one. */
static const struct knp_counter *counted(const struct table *t, uint32_t id,
					 const uint8_t *tag)
{
	const char *rec = knp_recs_find(t->recs, id);
	size_t i;

	if (!rec)
		return &zero;
	i = (size_t)(rec - (const char *)t->recs->v) / t->recs->size;
	if (memcmp(knp_ruleset_tag(t->table, t->recs, i), tag, KNP_TAG_LEN))
		return &zero;
	return counter_of(t, id);
}

static void subtract(const struct knp_counter *now,
		     const struct knp_counter *then, struct knp_rate *ret)
{
	if (now->packets < then->packets || now->bytes < then->bytes)
		then = &zero;
	ret->packets = now->packets - then->packets;
	ret->bytes = now->bytes - then->bytes;
}

static int by_kind(const struct knp_rate *a, const struct knp_rate *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return (a->id > b->id) - (a->id < b->id);
}

static int by_id(const void *a, const void *b)
{
	return by_kind(a, b);
}

static int by_packets(const void *a, const void *b)
{
	const struct knp_rate *x = a, *y = b;

	if (x->packets != y->packets)
		return x->packets > y->packets ? -1 : 1;
	return by_kind(x, y);
}

static int by_bytes(const void *a, const void *b)
{
	const struct knp_rate *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return by_kind(x, y);
}

static size_t add_table(const struct table *before, const struct table *now,
			struct knp_rate *v)
{
	size_t n = 0;

	for (size_t i = 0; i < now->recs->n; i++) {
		v[n] = (struct knp_rate){
			.kind = now->kind,
			.id = knp_ruleset_id(now->recs, i),
		};
		memcpy(v[n].tag, knp_ruleset_tag(now->table, now->recs, i),
		       KNP_TAG_LEN);
		subtract(counter_of(now, v[n].id),
			 counted(before, v[n].id, v[n].tag), &v[n]);
		n += v[n].packets || v[n].bytes;
	}
	return n;
}

static size_t add_drops(const struct knp_reading *before,
			const struct knp_reading *now, struct knp_rate *v)
{
	size_t n = 0;

	for (uint32_t i = KNP_REASON_PASS_LAST + 1; i <= KNP_REASON_MAX; i++) {
		v[n] = (struct knp_rate){ .kind = KNP_RATE_DROP, .id = i };
		subtract(&now->counters.reasons[i],
			 &before->counters.reasons[i], &v[n]);
		n += v[n].packets || v[n].bytes;
	}
	return n;
}

int knp_rates_new(const struct knp_reading *before,
		  const struct knp_reading *now, enum knp_rate_order order,
		  struct knp_rate **ret, size_t *n)
{
	static int (* const orders[])(const void *a, const void *b) = {
		[KNP_RATE_BY_PACKETS] = by_packets,
		[KNP_RATE_BY_BYTES]   = by_bytes,
		[KNP_RATE_BY_ID]      = by_id,
	};
	static const struct knp_reading nothing;
	const struct knp_reading *then = before ? before : &nothing;
	const struct table rules[] = { rules_of(then), rules_of(now) };
	const struct table sets[] = { sets_of(then), sets_of(now) };
	struct knp_rate *v;

	/* One more, where the last that does not count is tried. */
	v = calloc(now->rules.n + now->sets.n + KNP_REASON_MAX + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;

	*n = add_table(&rules[0], &rules[1], v);
	*n += add_table(&sets[0], &sets[1], v + *n);
	*n += add_drops(then, now, v + *n);
	qsort(v, *n, sizeof(*v), orders[order]);
	*ret = v;
	return 0;
}
