// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "replace.h"

/**
 * struct knp_replace - a list while it comes
 * @store: which is to become it
 * @kind: of its objects
 * @n: how many the store has of them, all the time
 * @next: where in the store the next one probably is: lists are in order
 * @listed: a bit for each of the store: the list has it, in some version
 * @staged: objects that the store does not have, or has in another version
 */
struct knp_replace {
	struct knp_store *store;
	enum knp_kind kind;
	size_t n;
	size_t next;
	uint8_t *listed;
	struct knp_store *staged;
};

static bool is_listed(const struct knp_replace *r, size_t at)
{
	return r->listed[at / 8] >> at % 8 & 1;
}

static void set_listed(struct knp_replace *r, size_t at, bool listed)
{
	uint8_t bit = (uint8_t)(1U << at % 8);

	if (listed)
		r->listed[at / 8] |= bit;
	else
		r->listed[at / 8] &= (uint8_t)~bit;
}

int knp_replace_begin(struct knp_store *store, enum knp_kind kind,
		      struct knp_replace **ret)
{
	struct knp_replace *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->store = store;
	r->kind = kind;
	r->n = knp_store_count(store, kind);
	r->listed = calloc(r->n / 8 + 1, 1);
	r->staged = knp_store_new();
	if (!r->listed || !r->staged) {
		knp_replace_abort(r);
		return -ENOMEM;
	}
	if (kind == KNP_KIND_POLICY)
		knp_store_pin(store);
	*ret = r;
	return 0;
}

/* Whether the store has an object, and where. */
static bool locate(struct knp_replace *r, const char *ns, const char *name,
		   size_t *at)
{
	const void *next;

	if (r->next < r->n) {
		next = knp_store_at(r->store, r->kind, r->next);
		if (!strcmp(knp_kind_name_of(r->kind, next), name) &&
		    !strcmp(knp_kind_ns_of(r->kind, next), ns)) {
			*at = r->next++;
			return true;
		}
	}
	if (!knp_store_find(r->store, r->kind, ns, name, at))
		return false;
	r->next = *at + 1;
	return true;
}

/* An object, or what remains of it; taken over, also on failure. */
static int put(struct knp_replace *r, void *object)
{
	const char *ns = knp_kind_ns_of(r->kind, object);
	const char *name = knp_kind_name_of(r->kind, object);
	size_t at;
	int err;

	if (!locate(r, ns, name, &at))
		return knp_store_put(r->staged, r->kind, object);
	if (!knp_kind_equal(r->kind, knp_store_at(r->store, r->kind, at),
			    object)) {
		err = knp_store_put(r->staged, r->kind, object);
		if (!err)
			set_listed(r, at, true);
		return err;
	}
	knp_store_del(r->staged, r->kind, ns, name);
	knp_kind_free(r->kind, object);
	set_listed(r, at, true);
	return 0;
}

int knp_replace_put(struct knp_replace *r, struct knp_object *object)
{
	void *any = object->any;
	size_t at;
	int err = 0;

	if (object->kind != r->kind) {
		err = -EINVAL;
	} else if (any) {
		object->any = NULL;
		err = put(r, any);
	} else if (locate(r, object->ns, object->name, &at)) {
		set_listed(r, at, true);
	}
	knp_object_clear(object);
	return err;
}

int knp_replace_del(struct knp_replace *r, const char *ns, const char *name)
{
	size_t at;

	if (locate(r, ns, name, &at))
		set_listed(r, at, false);
	knp_store_del(r->staged, r->kind, ns, name);
	return 0;
}

int knp_replace_commit(struct knp_replace *r)
{
	size_t room = knp_store_count(r->staged, r->kind);
	const void *object;

	/* Policies may be kept, and need their place then. */
	for (size_t i = 0; i < r->n; i++)
		room += is_listed(r, i) || r->kind == KNP_KIND_POLICY;
	if (knp_store_reserve(r->store, r->kind, room) ||
	    knp_store_take_in(r->store, r->kind, r->staged))
		return -ENOMEM;

	/* From the end: the bits of what remains to be looked at stay right. */
	for (size_t i = r->n; i--;) {
		if (is_listed(r, i)) {
			knp_store_confirm(r->store, r->kind, i);
			continue;
		}
		object = knp_store_at(r->store, r->kind, i);
		knp_store_del(r->store, r->kind,
			      knp_kind_ns_of(r->kind, object),
			      knp_kind_name_of(r->kind, object));
	}
	knp_store_put_all(r->store, r->kind, r->staged);
	knp_replace_abort(r);
	return 0;
}

void knp_replace_abort(struct knp_replace *r)
{
	if (!r)
		return;
	if (r->kind == KNP_KIND_POLICY)
		knp_store_unpin(r->store);
	knp_store_free(r->staged);
	free(r->listed);
	free(r);
}
