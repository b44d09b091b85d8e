// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "claims.h"

struct claim;

/**
 * struct knp_entry - one object as one source has it
 * @object: what it holds while it is not in the store; any is NULL otherwise
 * @next: the claim's next entry, in the order of sources
 * @sibling: the source's next entry
 * @kept: seen again in the version of the source at hand
 * @told: that it stands behind another was reported
 */
struct knp_entry {
	struct knp_object object;
	struct knp_source *source;
	struct claim *claim;
	struct knp_entry *next;
	struct knp_entry *sibling;
	bool kept;
	bool told;
};

/**
 * struct claim - all entries of one name
 * @key: kind, ns and name; holds no object
 * @holder: whose object is in the store; NULL if its entry is gone
 * @stored: the store has the object
 * @next: in the list of those to settle
 */
struct claim {
	struct knp_object key;
	struct knp_entry *entries;
	struct knp_entry *holder;
	struct claim *next;
	bool stored;
	bool dirty;
};

struct knp_claims {
	struct knp_store *store;
	void *tree;
	struct claim *dirty;
};

static int claim_cmp(const void *a, const void *b)
{
	const struct knp_object *x = &((const struct claim *)a)->key;
	const struct knp_object *y = &((const struct claim *)b)->key;
	int cmp;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	cmp = strcmp(x->ns, y->ns);
	return cmp ? cmp : strcmp(x->name, y->name);
}

static void claim_free(void *node)
{
	struct claim *claim = node;
	struct knp_entry *next;

	for (struct knp_entry *e = claim->entries; e; e = next) {
		next = e->next;
		knp_object_clear(&e->object);
		free(e);
	}
	knp_object_clear(&claim->key);
	free(claim);
}

static void mark(struct knp_claims *c, struct claim *claim)
{
	if (claim->dirty)
		return;
	claim->dirty = true;
	claim->next = c->dirty;
	c->dirty = claim;
}

/* The claim of an object, found or made; NULL if out of memory. */
static struct claim *claim_get(struct knp_claims *c,
			       const struct knp_object *object)
{
	struct claim probe = { .key = *object };
	struct claim **found = tfind(&probe, &c->tree, claim_cmp);
	struct claim *claim;

	if (found)
		return *found;
	claim = calloc(1, sizeof(*claim));
	if (!claim)
		return NULL;
	claim->key.kind = object->kind;
	claim->key.ns = strdup(object->ns);
	claim->key.name = strdup(object->name);
	if (!claim->key.ns || !claim->key.name ||
	    !tsearch(claim, &c->tree, claim_cmp)) {
		claim_free(claim);
		return NULL;
	}
	/* Should its entry never come, settling drops it again. */
	mark(c, claim);
	return claim;
}

static struct knp_entry *entry_of(const struct claim *claim,
				  const struct knp_source *source)
{
	for (struct knp_entry *e = claim->entries; e; e = e->next)
		if (e->source == source)
			return e;
	return NULL;
}

static void entry_attach(struct knp_entry *entry)
{
	struct knp_entry **at = &entry->claim->entries;

	while (*at && strcmp((*at)->source->name, entry->source->name) < 0)
		at = &(*at)->next;
	entry->next = *at;
	*at = entry;
	entry->sibling = entry->source->entries;
	entry->source->entries = entry;
}

/* Out of its claim, not out of its source's list. */
static void entry_free(struct knp_claims *c, struct knp_entry *entry)
{
	struct claim *claim = entry->claim;
	struct knp_entry **at = &claim->entries;

	while (*at && *at != entry)
		at = &(*at)->next;
	if (*at)
		*at = entry->next;
	if (claim->holder == entry)
		claim->holder = NULL;
	mark(c, claim);
	knp_object_clear(&entry->object);
	free(entry);
}

static void drop_list(struct knp_entry *list)
{
	struct knp_entry *next;

	for (; list; list = next) {
		next = list->sibling;
		free(list);
	}
}

/* Entries, not yet attached, for all objects; their claims exist. */
static int prepare(struct knp_claims *c, struct knp_source *source,
		   const struct knp_objects *objects, struct knp_entry **ret)
{
	struct knp_entry *list = NULL;

	for (size_t i = objects->n; i--;) {
		struct knp_entry *entry = calloc(1, sizeof(*entry));

		if (entry)
			entry->claim = claim_get(c, &objects->v[i]);
		if (!entry || !entry->claim) {
			free(entry);
			drop_list(list);
			return -ENOMEM;
		}
		entry->source = source;
		entry->kept = true;
		entry->sibling = list;
		list = entry;
	}
	*ret = list;
	return 0;
}

int knp_claims_replace(struct knp_claims *c, struct knp_source *source,
		       struct knp_objects *objects)
{
	struct knp_entry **at = &source->entries;
	struct knp_entry *list;
	struct knp_entry *old;
	int err;

	err = prepare(c, source, objects, &list);
	if (err)
		return err;
	for (size_t i = 0; i < objects->n; i++) {
		struct knp_entry *entry = list;

		list = entry->sibling;
		old = entry_of(entry->claim, source);
		if (old && !objects->v[i].any) {
			old->kept = true;
			free(entry);
			continue;
		}
		entry->object = objects->v[i];
		objects->v[i] = (struct knp_object){ 0 };
		entry_attach(entry);
		mark(c, entry->claim);
	}
	while (*at) {
		old = *at;
		if (old->kept || (objects->nunnamed &&
				  entry_of(old->claim, source) == old)) {
			old->kept = false;
			at = &old->sibling;
			continue;
		}
		*at = old->sibling;
		entry_free(c, old);
	}
	return 0;
}

void knp_claims_remove(struct knp_claims *c, struct knp_source *source)
{
	struct knp_entry *next;

	for (struct knp_entry *e = source->entries; e; e = next) {
		next = e->sibling;
		entry_free(c, e);
	}
	source->entries = NULL;
}

/* Take the stored object back to the entry that gave it. */
static void unstore(struct knp_claims *c, struct claim *claim)
{
	const struct knp_object *key = &claim->key;
	struct knp_entry *holder = claim->holder;
	struct knp_object taken = { .kind = key->kind };

	taken.any = knp_store_take(c->store, key->kind, key->ns, key->name);
	claim->stored = false;
	claim->holder = NULL;
	if (!holder) {
		knp_object_clear(&taken);
		return;
	}
	holder->object.any = taken.any;
	holder->told = false;
}

static struct knp_entry *winner(const struct claim *claim)
{
	for (struct knp_entry *e = claim->entries; e; e = e->next)
		if (e->object.any || e == claim->holder)
			return e;
	return NULL;
}

/* Report those that stand behind the holder. */
static int tell(const struct claim *claim, struct knp_faults *faults)
{
	const struct knp_object *key = &claim->key;
	int err = 0;

	for (struct knp_entry *e = claim->entries; e && !err; e = e->next) {
		char *text;

		if (e == claim->holder || e->told || !e->object.any)
			continue;
		text = knp_kind_describe(key->kind, key->ns, key->name);
		if (!text)
			return -ENOMEM;
		err = knp_faults_add(faults, e->source->name, text, NULL,
				     "is also in %s, which counts",
				     claim->holder->source->name);
		e->told = true;
		free(text);
	}
	return err;
}

static int settle(struct knp_claims *c, struct claim *claim,
		  struct knp_faults *faults)
{
	struct knp_entry *w = winner(claim);
	int err;

	if (!w) {
		if (claim->stored && claim->entries)
			claim->holder = claim->entries;
		else if (claim->stored)
			unstore(c, claim);
		return 0;
	}
	if (claim->holder && claim->holder != w)
		unstore(c, claim);
	if (w->object.any) {
		err = knp_object_put(&w->object, c->store);
		if (err)
			return err;
	}
	w->told = false;
	claim->holder = w;
	claim->stored = true;
	return tell(claim, faults);
}

int knp_claims_settle(struct knp_claims *c, struct knp_faults *faults)
{
	int ret = 0;

	while (c->dirty) {
		struct claim *claim = c->dirty;
		int err;

		c->dirty = claim->next;
		claim->dirty = false;
		err = settle(c, claim, faults);
		if (err)
			ret = err;
		if (claim->entries || claim->stored)
			continue;
		tdelete(claim, &c->tree, claim_cmp);
		claim_free(claim);
	}
	return ret;
}

struct knp_claims *knp_claims_new(struct knp_store *store)
{
	struct knp_claims *c = calloc(1, sizeof(*c));

	if (c)
		c->store = store;
	return c;
}

void knp_claims_free(struct knp_claims *c)
{
	if (!c)
		return;
	tdestroy(c->tree, claim_free);
	free(c);
}
