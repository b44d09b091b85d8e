/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of the compiler share: stores from text, and random ones. */
#ifndef KNP_TEST_CLUSTERS_H
#define KNP_TEST_CLUSTERS_H

#include "compile.h"
#include "simulate.h"
#include "store.h"
#include "tables.h"

/* A store with the objects of a manifest, which must be good. */
struct knp_store *cluster(const char *yaml);

/* The text of a random cluster, to free(): everything collides. */
char *random_cluster(struct dice *d, unsigned int pods, unsigned int policies);

/* Compile for a node (NULL: all); there may be no trouble. */
struct knp_ruleset *compiled(const struct knp_store *store, const char *node);

/* compiled() for all nodes, loaded. Both arguments live on. */
struct knp_simulator *simulator(const struct knp_store *store);

/* Whether a simulator lets two addresses connect. */
bool passes(const struct knp_simulator *s, const char *src, const char *dst,
	    uint8_t proto, uint16_t port);

/* Whether two sorted rulesets are the same, with all names. */
bool same_ruleset(const struct knp_ruleset *a, const struct knp_ruleset *b);

/* Put and delete in tables what a difference says; all of it must be taken. */
void apply_diff(struct knp_tables *t, const struct knp_diff *diff);

/* What tables hold, as a ruleset. */
struct knp_ruleset *read_back(const struct knp_tables *t);

#endif /* KNP_TEST_CLUSTERS_H */
