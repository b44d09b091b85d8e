// SPDX-License-Identifier: Apache-2.0
#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tally.h"

/**
 * struct counted - a name
 * @place: in @v of the tally
 * @shown: since it has a place among those that are shown
 * @counted: packets, since it is remembered
 */
struct counted {
	size_t place;
	struct knp_tally_count shown;
	uint64_t counted;
	char name[];
};

/**
 * struct knp_tally - the names
 * @v: @places of those that are shown, then those that wait
 * @n: of @v
 * @tree: the same, by name
 */
struct knp_tally {
	struct counted **v;
	size_t places;
	size_t n;
	void *tree;
	struct knp_tally_count rest;
};

struct knp_tally *knp_tally_new(size_t places)
{
	struct knp_tally *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->places = places;
	t->v = calloc(places + KNP_TALLY_WAITING, sizeof(*t->v));
	if (t->v)
		return t;
	free(t);
	return NULL;
}

static int by_name(const void *a, const void *b)
{
	const struct counted *x = a, *y = b;

	return strcmp(x->name, y->name);
}

void knp_tally_free(struct knp_tally *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++) {
		tdelete(t->v[i], &t->tree, by_name);
		free(t->v[i]);
	}
	free(t->v);
	free(t);
}

static void count(struct knp_tally_count *c, uint64_t packets, uint64_t bytes)
{
	c->packets += packets;
	c->bytes += bytes;
}

/* The one between two places that counted least. */
static struct counted *least(const struct knp_tally *t, size_t from, size_t to)
{
	struct counted *found = t->v[from];

	for (size_t i = from + 1; i < to; i++)
		if (t->v[i]->counted < found->counted)
			found = t->v[i];
	return found;
}

/* A free place, else that of the one that waits and counted least. */
static size_t make_place(struct knp_tally *t)
{
	struct counted *old;
	size_t place;

	if (t->n < t->places + KNP_TALLY_WAITING)
		return t->n++;
	old = least(t, t->places, t->n);
	place = old->place;
	tdelete(old, &t->tree, by_name);
	free(old);
	return place;
}

/* NULL if out of memory. */
static struct counted *entry_of(struct knp_tally *t, const char *name)
{
	size_t len = strlen(name) + 1;
	struct counted *e = calloc(1, sizeof(*e) + len), **found;

	if (!e)
		return NULL;
	memcpy(e->name, name, len);
	found = tsearch(e, &t->tree, by_name);
	if (!found || *found != e) {
		free(e);
		return found ? *found : NULL;
	}
	e->place = make_place(t);
	t->v[e->place] = e;
	return e;
}

/* One that is shown and one that waits: what was shown is the rest's now. */
static void exchange(struct knp_tally *t, struct counted *shown,
		     struct counted *waits)
{
	size_t place = shown->place;

	count(&t->rest, shown->shown.packets, shown->shown.bytes);
	shown->shown = (struct knp_tally_count){ 0 };
	shown->place = waits->place;
	waits->place = place;
	t->v[shown->place] = shown;
	t->v[waits->place] = waits;
}

void knp_tally_add(struct knp_tally *t, const char *name, uint64_t packets,
		   uint64_t bytes)
{
	struct counted *e = name ? entry_of(t, name) : NULL, *other;

	if (!e) {
		count(&t->rest, packets, bytes);
		return;
	}
	e->counted += packets;
	if (e->place < t->places) {
		count(&e->shown, packets, bytes);
		return;
	}
	count(&t->rest, packets, bytes);
	other = least(t, 0, t->places);
	if (e->counted > other->counted + other->counted / 2)
		exchange(t, other, e);
}

size_t knp_tally_shown(const struct knp_tally *t)
{
	return t->n < t->places ? t->n : t->places;
}

const char *knp_tally_at(const struct knp_tally *t, size_t place,
			 struct knp_tally_count *ret)
{
	*ret = t->v[place]->shown;
	return t->v[place]->name;
}

struct knp_tally_count knp_tally_rest(const struct knp_tally *t)
{
	return t->rest;
}
