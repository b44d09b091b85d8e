/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Claims: which file's version of an object is in the store. Private to dir.c.
 *
 * Every object of every file is an entry; the entries of one (kind, ns, name)
 * are a claim, in the order of their files. The first entry that has an object,
 * or what remains of a refused one, holds the claim: its object is in the store,
 * the objects of the others wait beside it. An entry with nothing takes over the
 * last object of its own file, or, where nobody else has one, what the store
 * holds.
 *
 * Changes are noted first and settled together, so that an object that moves
 * from one file to another never leaves the store.
 */
#ifndef KNP_CLAIMS_H
#define KNP_CLAIMS_H

#include "decode.h"
#include "faults.h"
#include "store.h"

struct knp_claims;
struct knp_entry;

/**
 * struct knp_source - one file and its entries
 * @name: for faults and for the order; owned by the user of this file
 * @entries: list, owned by the claims
 */
struct knp_source {
	const char *name;
	struct knp_entry *entries;
};

struct knp_claims *knp_claims_new(struct knp_store *store);

/* The store keeps what it has; the entries of all sources are gone. */
void knp_claims_free(struct knp_claims *c);

/*
 * Note what a source says now. The objects are moved out of @objects, which
 * stays to be cleared. If it has unnamed refused objects, entries that are no
 * longer there are kept: they may be what the unnamed ones mean.
 * Return 0, or -ENOMEM with nothing changed.
 */
int knp_claims_replace(struct knp_claims *c, struct knp_source *source,
		       struct knp_objects *objects);

/* Note that a source is gone. */
void knp_claims_remove(struct knp_claims *c, struct knp_source *source);

/*
 * Bring the store in line with what was noted. Objects that stand behind
 * another file's are faults, each once. Return 0 or -ENOMEM; what could not be
 * put is lost from its source, which must be replaced again.
 */
int knp_claims_settle(struct knp_claims *c, struct knp_faults *faults);

#endif /* KNP_CLAIMS_H */
