// SPDX-License-Identifier: Apache-2.0
#include "troubles.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block_limits.h"
#include "identity.h"

int knp_trouble(struct knp_troubles *t, const char *format, ...)
{
	struct knp_trouble *v;
	va_list args;
	char *text;
	int n;

	if (!t)
		return 0;
	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		return -ENOMEM;
	v = reallocarray(t->v, t->n + 1, sizeof(*v));
	if (!v) {
		free(text);
		return -ENOMEM;
	}
	t->v = v;
	v[t->n++].text = text;
	return 0;
}

int knp_trouble_ports(struct knp_troubles *t, struct knp_buf *b,
		      const struct knp_policy *const *policies, size_t n,
		      int direction, size_t nclasses)
{
	const char *side = direction == EGRESS ? "egress" : "ingress";
	int err = knp_identity_set_name(b, policies, n);

	if (err)
		return err;
	if (!nclasses)
		return knp_trouble(t, "policy %s: %s denied for the pods selected: more than %u port ranges towards any peer, or the tables are full",
				   (const char *)b->v, side, KNP_PORTS_MAX);
	return knp_trouble(t, "policy %s: %s, classes of peers that get only what any peer gets: %zu: more than %u port ranges towards each, or the tables are full",
			   (const char *)b->v, side, nclasses, KNP_PORTS_MAX);
}

int knp_trouble_blocks(struct knp_troubles *t, const struct knp_policy *policy)
{
	return knp_trouble(t, "policy %s/%s: its ipBlocks match nobody: with them more than %u of the namespace would lie around one address, or more than %u prefixes in all, each counted with every ipBlock around it",
			   policy->ns, policy->name, KNP_BLOCKS_AROUND_MAX,
			   KNP_BLOCKS_NESTED_MAX);
}

static int by_text(const void *a, const void *b)
{
	const struct knp_trouble *ta = a, *tb = b;

	return strcmp(ta->text, tb->text);
}

void knp_troubles_sort(struct knp_troubles *t)
{
	if (t->n > 1)
		qsort(t->v, t->n, sizeof(*t->v), by_text);
}

void knp_troubles_clear(struct knp_troubles *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++)
		free(t->v[i].text);
	free(t->v);
	*t = (struct knp_troubles){ 0 };
}
