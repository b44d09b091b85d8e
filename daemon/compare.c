// SPDX-License-Identifier: Apache-2.0
#include "ruleset.h"

static const struct knp_recs *table_of(const struct knp_ruleset *rs,
				       uint32_t table)
{
	return knp_ruleset_table((struct knp_ruleset *)rs, table);
}

static const void *at(const struct knp_recs *r, size_t i)
{
	return i < r->n ? (const char *)r->v + i * r->size : NULL;
}

/* Below 0: @a comes first. What is not there comes last. */
static int order(uint32_t table, const void *a, const void *b)
{
	if (!a || !b)
		return !a - !b;
	return knp_ruleset_order(table, a, b);
}

int knp_ruleset_compare(const struct knp_ruleset *from_rs,
			const struct knp_ruleset *to_rs, uint32_t table,
			knp_compare_fn fn, void *arg)
{
	const struct knp_recs *from = table_of(from_rs, table);
	const struct knp_recs *to = table_of(to_rs, table);
	const void *a = at(from, 0), *b = at(to, 0);
	size_t i = 0, j = 0;
	int cmp, err = 0;

	while (!err && (a || b)) {
		cmp = order(table, a, b);
		if (cmp || !knp_ruleset_same(table, a, b))
			err = fn(arg, table, cmp <= 0 ? a : NULL,
				 cmp >= 0 ? b : NULL);
		if (cmp <= 0)
			a = at(from, ++i);
		if (cmp >= 0)
			b = at(to, ++j);
	}
	return err;
}
