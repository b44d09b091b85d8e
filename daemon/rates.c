// SPDX-License-Identifier: Apache-2.0
#include "rates.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct knp_counter zero;

/* What a rule had counted; nothing, if it was another one of that id. */
static const struct knp_counter *counted(const struct knp_reading *r,
					 const struct knp_rec_rule *rule)
{
	const struct knp_rec_rule *then = knp_recs_find(&r->rules, rule->id);
	const struct knp_counter *n;

	if (!then || memcmp(then->tag, rule->tag, KNP_TAG_LEN))
		return &zero;
	n = knp_counters_rule(&r->counters, rule->id);
	return n ? n : &zero;
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

static size_t add_rules(const struct knp_reading *before,
			const struct knp_reading *now, struct knp_rate *v)
{
	const struct knp_rec_rule *rule = now->rules.v;
	size_t n = 0;

	for (size_t i = 0; i < now->rules.n; i++, rule++) {
		v[n] = (struct knp_rate){
			.kind = KNP_RATE_RULE,
			.id = rule->id,
		};
		memcpy(v[n].tag, rule->tag, KNP_TAG_LEN);
		subtract(counted(now, rule),
			 before ? counted(before, rule) : &zero, &v[n]);
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
			 before ? &before->counters.reasons[i] : &zero, &v[n]);
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
	struct knp_rate *v;

	/* One more, where the last that does not count is tried. */
	v = calloc(now->rules.n + KNP_REASON_MAX + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;

	*n = add_rules(before, now, v);
	*n += add_drops(before, now, v + *n);
	qsort(v, *n, sizeof(*v), orders[order]);
	*ret = v;
	return 0;
}
