/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the compiler. compile.h says what it does; this is how.
 *
 *   subjects.c  which pods have an address, which policies select the pods of
 *		 this node -> policy sets, and the rules of those policies
 *   atoms.c	 the distinct peers of those rules
 *   classes.c	 addresses -> classes of peers: those that match the same atoms
 *		 and resolve the same port names to the same numbers
 *   rows.c	 set x class -> port set
 *   emit.c	 all of it -> records, tags, names
 *
 * Things are numbered from 0 in the order in which they are met, which is that
 * of the store; the ids of the ruleset are the ranks of the tags.
 *
 * Limits. What has no room is left out where that can only deny (a class, a
 * peer record, a row, the ipBlocks of a policy), and else its set denies
 * everything. A class that is left out is class 0, which matches a subset of
 * what it would have matched: peers only ever add to what a set allows. For the
 * same reason a class without the row that it should have gets the default of
 * the set: what its rules to any peer allow, which the class would have had in
 * any case. A set denies everything where that default itself has no room.
 *
 * What somebody else's pods are like must not close more than them: so it is the
 * row that goes, not the set, when the ports of a class are too many.
 */
#ifndef KNP_COMPILE_IMPL_H
#define KNP_COMPILE_IMPL_H

#include "compile.h"
#include "identity.h"
#include "intern.h"
#include "port_names.h"
#include "port_ranges.h"
#include "regions.h"
#include "table_limits.h"

/* A namespace that has pods: effective pods [first, first + n). */
struct knp_cns {
	const char *name;
	const struct knp_labels *labels;	/* NULL: object not seen */
	uint32_t first;
	uint32_t n;
};

/* An effective pod. */
struct knp_cpod {
	const struct knp_pod *pod;
	struct knp_recs atoms;		/* uint32_t, ascending */
	uint32_t set[NDIRECTIONS];	/* KNP_NONE: not isolated */
	uint32_t ns;
	bool local;
	bool owner;			/* of at least one address */
};

/* An address and the effective pod that owns it. */
struct knp_cip {
	struct knp_ip ip;
	uint32_t pod;
	uint32_t class_id;
	bool peer;		/* needs a record of its own */
};

/* A rule of a policy that selects somebody here. */
struct knp_crule {
	const struct knp_policy *policy;
	uint32_t index;
	uint8_t direction;
	bool any_peer;
	bool any_port;
	struct knp_span atoms;		/* in c->rule_atoms */
	struct knp_span ranges;		/* in c->ranges, sorted */
	struct knp_span names;		/* in c->ranges, by name */
	uint8_t tag[KNP_TAG_LEN];
};

struct knp_cpolicy {
	bool used[NDIRECTIONS];
	bool refused;			/* its ipBlocks, see block_limits.h */
	struct knp_span rules[NDIRECTIONS];
};

/* A distinct peer. */
struct knp_catom {
	const struct knp_peer *peer;
	const char *ns;			/* of the policy; where peer->ns is NULL */
	struct knp_recs names;		/* uint32_t: egress port names used */
	uint8_t tag[KNP_TAG_LEN];
};

/* The class of the addresses right below a region; as the regions. */
struct knp_cregion {
	uint32_t class_id;
	bool record;
};

struct knp_cclass {
	struct knp_span atoms;		/* in c->class_atoms, ascending */
	struct knp_span ports;		/* in c->class_ports, sorted */
	uint8_t tag[KNP_TAG_LEN];
};

struct knp_cset {
	uint8_t direction;
	bool deny;
	struct knp_span policies;	/* in c->set_policies, store indexes */
	struct knp_span ports;		/* in c->set_ports: ingress */
	uint32_t dflt;			/* port set, 0: the empty one */
	uint8_t tag[KNP_TAG_LEN];
};

struct knp_crow {
	uint32_t set;
	uint32_t class_id;
	uint32_t portset;
};

/**
 * struct knp_comp - one run
 *
 * Everything but @rs and @troubles is freed at its end. Class 0 and port set 0
 * are the empty ones.
 */
struct knp_comp {
	const struct knp_store *store;
	const struct knp_limits *limits;
	const char *node;
	struct knp_troubles *troubles;
	struct knp_ruleset *rs;

	struct knp_recs namespaces;	/* struct knp_cns */
	struct knp_recs pods;		/* struct knp_cpod */
	struct knp_recs ips;		/* struct knp_cip, sorted */
	struct knp_cpolicy *policies;	/* as the store's */
	struct knp_recs rules;		/* struct knp_crule */
	struct knp_recs rule_atoms;	/* uint32_t */
	struct knp_recs ranges;		/* struct knp_crange */
	struct knp_port_names names;
	struct knp_recs any_peer_names;	/* uint32_t: in egress to any peer */
	struct knp_recs atoms;		/* struct knp_catom */
	struct knp_regions regions;	/* their blocks are atoms */
	struct knp_cregion *cregions;
	struct knp_recs classes;	/* struct knp_cclass */
	struct knp_recs class_atoms;	/* uint32_t */
	struct knp_recs class_ports;	/* struct knp_port_of */
	struct knp_recs sets;		/* struct knp_cset */
	struct knp_recs set_policies;	/* uint32_t */
	struct knp_recs set_ports;	/* struct knp_port_of */
	struct knp_recs rows;		/* struct knp_crow */
	struct knp_recs portsets;	/* struct knp_span in @entries */
	struct knp_recs entries;	/* struct knp_centry */

	struct knp_intern list_ids;	/* policies that select a pod */
	struct knp_intern atom_ids;
	struct knp_intern class_ids;
	struct knp_intern set_ids;
	struct knp_intern portset_ids;
	struct knp_buf buf;		/* scratch of whoever builds a key */
	bool classes_full;
};

static inline struct knp_cpod *knp_cpods(const struct knp_comp *c)
{
	return c->pods.v;
}

static inline struct knp_crule *knp_crules(const struct knp_comp *c)
{
	return c->rules.v;
}

static inline struct knp_catom *knp_catoms(const struct knp_comp *c)
{
	return c->atoms.v;
}

static inline struct knp_cclass *knp_cclasses(const struct knp_comp *c)
{
	return c->classes.v;
}

static inline struct knp_cset *knp_csets(const struct knp_comp *c)
{
	return c->sets.v;
}

static inline const uint32_t *knp_numbers(const struct knp_recs *pool,
					  struct knp_span span)
{
	return (const uint32_t *)pool->v + span.first;
}

static inline const struct knp_port_of *
knp_ports_of(const struct knp_recs *pool, struct knp_span span)
{
	return (const struct knp_port_of *)pool->v + span.first;
}

/* All below return 0 or -ENOMEM unless they say otherwise. */

/* subjects.c */
int knp_comp_pods(struct knp_comp *c);
int knp_comp_subjects(struct knp_comp *c);

/* The policies of a set, to free(); NULL if out of memory. */
const struct knp_policy **knp_comp_set_policies(const struct knp_comp *c,
						const struct knp_cset *set);

/* atoms.c */
int knp_comp_atom(struct knp_comp *c, const struct knp_policy *policy,
		  const struct knp_peer *peer, uint32_t *ret);

/* classes.c */
int knp_comp_match(struct knp_comp *c);
int knp_comp_regions(struct knp_comp *c);
int knp_comp_classes(struct knp_comp *c);

/* rows.c */
int knp_comp_rows(struct knp_comp *c);

/* emit.c */
int knp_comp_emit(struct knp_comp *c);

/* knp_compile() with other limits, for tests. */
int knp_compile_within(const struct knp_store *store, const char *node,
		       const struct knp_limits *limits,
		       struct knp_ruleset **ret,
		       struct knp_troubles *troubles);

#endif /* KNP_COMPILE_IMPL_H */
