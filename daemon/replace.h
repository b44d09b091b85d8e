/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list that is being received, to replace all objects of one kind at once.
 *
 * Until it is complete the store does not change: objects that equal the ones
 * there are only marked, by a bit each; the others wait here. So a list that
 * breaks off leaves no trace, objects of two lists are never mixed, and a list
 * of what is known already costs next to no memory.
 *
 * One list per kind at a time; the store must not change in that kind while
 * one is open; policies that the store keeps stay for as long.
 */
#ifndef KNP_REPLACE_H
#define KNP_REPLACE_H

#include "decode.h"
#include "store.h"

struct knp_replace;

/* Start a list of one kind. Return 0 or -ENOMEM. */
int knp_replace_begin(struct knp_store *store, enum knp_kind kind,
		      struct knp_replace **ret);

/**
 * knp_replace_put() - an object is in the list (now, or again)
 * @r: the list
 * @object: what it holds is taken over, also on failure; one of which nothing
 *	remains keeps the version that the list or else the store has of it
 *
 * Return: 0 or -ENOMEM; -EINVAL if it is of another kind.
 */
int knp_replace_put(struct knp_replace *r, struct knp_object *object);

/* An object is not in the list, or no longer. Return 0 or -ENOMEM. */
int knp_replace_del(struct knp_replace *r, const char *ns, const char *name);

/*
 * The list is complete: the store holds exactly its objects, and the policies
 * that it keeps beyond their deletion (store.h), and @r is gone.
 * What is missing leaves first, then the rest comes in the order of names, each
 * as a change of its own for the store's observer.
 * Return 0, or -ENOMEM with the store unchanged and @r still there.
 */
int knp_replace_commit(struct knp_replace *r);

/* The list is not to be used. Accepts NULL. */
void knp_replace_abort(struct knp_replace *r);

#endif /* KNP_REPLACE_H */
