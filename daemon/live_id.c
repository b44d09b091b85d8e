// SPDX-License-Identifier: Apache-2.0
/*
 * Numbers of objects, and their ids in the kernel. Those of what is gone are
 * given back late: at the end of the update, because something may still say
 * them; where the kernel has the object, when it has forgotten it, too.
 */
#include <errno.h>
#include <string.h>

#include "live_impl.h"

int live_number(struct live_numbers *n, void *object, uint32_t *ret)
{
	const uint32_t *spare = n->spare.v;

	n->v.size = sizeof(object);
	n->spare.size = sizeof(uint32_t);
	if (n->spare.n) {
		*ret = spare[--n->spare.n];
		((void **)n->v.v)[*ret - 1] = object;
		return 0;
	}
	if (!knp_recs_add(&n->v, &object))
		return -ENOMEM;
	*ret = n->v.n;
	return 0;
}

/* Where there is no memory for that, the number is not used again. */
void live_number_free(struct live_numbers *n, uint32_t number)
{
	((void **)n->v.v)[number - 1] = NULL;
	knp_recs_add(&n->spare, &number);
}

const uint32_t live_table[LIVE_KINDS] = {
	[LIVE_RULE]	= KNP_TABLE_RULE,
	[LIVE_PORTSET]	= KNP_TABLE_PORTSET,
	[LIVE_CLASS]	= KNP_TABLE_CLASS,
	[LIVE_SET]	= KNP_TABLE_SET,
};

struct live_id *live_id_of(enum live_kind kind, void *object)
{
	switch (kind) {
	case LIVE_RULE:
		return &((struct live_rule *)object)->id;
	case LIVE_PORTSET:
		return &((struct live_portset *)object)->id;
	case LIVE_CLASS:
		return &((struct live_class *)object)->id;
	default:
		return &((struct live_set *)object)->id;
	}
}

int live_fresh(struct knp_live *l, enum live_kind kind, struct live_id *id,
	       void *object)
{
	l->fresh[kind].size = sizeof(object);
	if (live_number(&l->numbers[kind], object, &id->number) ||
	    live_number(&l->ids[kind], object, &id->id))
		return -ENOMEM;
	if (id->id > l->limits->v[live_table[kind]])
		return -E2BIG;
	if (l->known && !knp_recs_add(&l->fresh[kind], &object))
		return -ENOMEM;
	return 0;
}

static void unfresh(struct knp_live *l, enum live_kind kind,
		    const struct live_id *id)
{
	void **v = l->fresh[kind].v;

	for (size_t i = 0; i < l->fresh[kind].n; i++) {
		if (live_id_of(kind, v[i]) != id)
			continue;
		v[i] = v[--l->fresh[kind].n];
		return;
	}
}

void live_gone(struct knp_live *l, enum live_kind kind, struct live_id *id)
{
	struct live_gone gone = {
		.number = id->number,
		.id = id->id,
		.there = l->known && id->there,
	};

	memcpy(gone.tag, id->tag, KNP_TAG_LEN);
	((void **)l->numbers[kind].v.v)[id->number - 1] = NULL;
	((void **)l->ids[kind].v.v)[id->id - 1] = NULL;
	l->gone[kind].size = sizeof(gone);
	if (!knp_recs_add(&l->gone[kind], &gone))
		l->failed = -ENOMEM;
	if (!gone.there)
		unfresh(l, kind, id);
}

void live_give_back(struct knp_live *l, bool there)
{
	struct live_gone *v;
	size_t n;

	for (int kind = 0; kind < LIVE_KINDS; kind++) {
		v = l->gone[kind].v;
		n = 0;
		for (size_t i = 0; i < l->gone[kind].n; i++) {
			if (v[i].there && !there) {
				v[n++] = v[i];
				continue;
			}
			live_number_free(&l->numbers[kind], v[i].number);
			live_number_free(&l->ids[kind], v[i].id);
		}
		l->gone[kind].n = n;
	}
}

void live_end(struct knp_live *l)
{
	live_give_back(l, false);
}
