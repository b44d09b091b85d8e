// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "port_ranges.h"

static bool before(const struct knp_centry *e, uint8_t proto, uint32_t port)
{
	return e->proto < proto || (e->proto == proto && e->hi < port);
}

/* The first entry that does not end before a port. */
static size_t seek(const struct knp_port_list *l, uint8_t proto, uint32_t port)
{
	size_t lo = 0, hi = l->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (before(&l->v[mid], proto, port))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int insert(struct knp_port_list *l, size_t at, uint32_t rule, uint8_t proto,
		  uint32_t lo, uint32_t hi)
{
	struct knp_centry *prev = at ? &l->v[at - 1] : NULL;

	if (prev && prev->proto == proto && prev->rule == rule &&
	    prev->hi + 1U == lo) {
		prev->hi = hi;
		return 0;
	}
	if (l->n == KNP_PORTS_MAX)
		return -EOVERFLOW;
	memmove(&l->v[at + 1], &l->v[at], (l->n - at) * sizeof(l->v[0]));
	/* Padding is compared too. */
	memset(&l->v[at], 0, sizeof(l->v[at]));
	l->v[at].rule = rule;
	l->v[at].proto = proto;
	l->v[at].lo = lo;
	l->v[at].hi = hi;
	l->n++;
	return 0;
}

/* Give the ports of a range that nobody has yet to a rule. */
static int claim(struct knp_port_list *l, uint32_t rule, uint8_t proto, uint32_t lo,
		 uint32_t hi)
{
	size_t at = seek(l, proto, lo);
	uint32_t end;
	size_t n;
	int err;

	while (lo <= hi) {
		end = hi;
		if (at < l->n && l->v[at].proto == proto && l->v[at].lo <= hi) {
			if (l->v[at].lo <= lo) {
				lo = l->v[at].hi + 1U;
				at++;
				continue;
			}
			end = l->v[at].lo - 1U;
		}
		n = l->n;
		err = insert(l, at, rule, proto, lo, end);
		if (err)
			return err;
		at += l->n - n;
		lo = end + 1;
	}
	return 0;
}

static int by_range(const void *a, const void *b)
{
	const struct knp_crange *ra = a, *rb = b;

	if (ra->proto != rb->proto)
		return ra->proto < rb->proto ? -1 : 1;
	if (ra->lo != rb->lo)
		return ra->lo < rb->lo ? -1 : 1;
	return (ra->hi > rb->hi) - (ra->hi < rb->hi);
}

void knp_port_ranges_sort(struct knp_crange *v, size_t n)
{
	if (n > 1)
		qsort(v, n, sizeof(*v), by_range);
}

/*
 * The ranges of a rule in ascending order: then the ranges of one rule that
 * touch are merged by looking at the one before, and the number of entries only
 * grows, so that too many of them are noticed at once.
 */
static int claim_sorted(struct knp_port_list *l, uint32_t rule,
			const struct knp_crange *range, size_t n)
{
	int err = 0;

	for (size_t i = 0; !err && i < n; i++)
		err = claim(l, rule, range[i].proto, range[i].lo, range[i].hi);
	return err;
}

static int add_named(const struct knp_port_rule *rule,
		     const struct knp_port_of *ports, size_t nports,
		     struct knp_recs *ranges)
{
	struct knp_crange range = { .name = KNP_NONE };

	for (size_t i = 0; i < rule->nnames; i++) {
		for (size_t j = 0; j < nports; j++) {
			if (ports[j].name != rule->names[i].name)
				continue;
			range.proto = rule->names[i].proto;
			range.lo = ports[j].port;
			range.hi = ports[j].port;
			if (!knp_recs_add(ranges, &range))
				return -ENOMEM;
		}
	}
	return 0;
}

static int add_rule(struct knp_port_list *l, const struct knp_port_rule *rule,
		    const struct knp_port_of *ports, size_t nports)
{
	struct knp_recs ranges = { .size = sizeof(struct knp_crange) };
	int err = 0;

	if (!rule->nnames || !nports)
		return claim_sorted(l, rule->id, rule->ranges, rule->nranges);

	for (size_t i = 0; !err && i < rule->nranges; i++)
		if (!knp_recs_add(&ranges, &rule->ranges[i]))
			err = -ENOMEM;
	if (!err)
		err = add_named(rule, ports, nports, &ranges);
	if (!err) {
		knp_port_ranges_sort(ranges.v, ranges.n);
		err = claim_sorted(l, rule->id, ranges.v, ranges.n);
	}
	free(ranges.v);
	return err;
}

/* Neighbours of one rule that came from both sides of another's range. */
static void merge(struct knp_port_list *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct knp_centry *last = n ? &l->v[n - 1] : NULL;

		if (last && last->proto == l->v[i].proto &&
		    last->rule == l->v[i].rule && last->hi + 1U == l->v[i].lo)
			last->hi = l->v[i].hi;
		else
			l->v[n++] = l->v[i];
	}
	l->n = n;
}

int knp_port_ranges(struct knp_port_list *l, const struct knp_port_rule *rules,
		    size_t n, const struct knp_port_of *ports, size_t nports)
{
	const struct knp_port_rule *any = NULL;
	int err = 0;

	l->n = 0;
	for (size_t i = 0; i < n && !any; i++) {
		if (rules[i].any_port)
			any = &rules[i];
		else if (!err)
			err = add_rule(l, &rules[i], ports, nports);
		if (err && err != -EOVERFLOW)
			return err;
	}
	if (!any) {
		merge(l);
		return err;
	}

	/* Protocol 0 sorts before the others. */
	if (!err && !insert(l, 0, any->id, 0, 0, UINT16_MAX)) {
		merge(l);
		return 0;
	}
	l->n = 0;
	return insert(l, 0, any->id, 0, 0, UINT16_MAX);
}
