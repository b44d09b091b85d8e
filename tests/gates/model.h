/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clusters of a stated size, straight as records: what the gates and the
 * microbenchmark of the core look up in.
 *
 * A model is the view of one node that runs LOCAL pods. The cluster's pods live
 * on nodes of 100, each with a /24 (IPv6: /120) of 10.0.0.0/8 (fd00::/16); the
 * local ones in a /24 of their own, 10.240.0.0/24. Every local pod is selected
 * in both directions, by one of SETS policy sets that two pods share. A set has
 * an entry for seven of eight classes, or (@policies_per_pod) for a few only.
 * Port sets are of the kinds that policies have: one port, any port, a few.
 */
#ifndef KNP_GATES_MODEL_H
#define KNP_GATES_MODEL_H

#include <stdbool.h>

#include "match.h"

#define LOCAL	250
#define SETS	250

/**
 * struct model - what to build
 * @name: in figures
 * @pods: of other nodes
 * @classes: of peers
 * @portsets: at least 1
 * @cidrs: IPv4 prefixes, each with one of the classes; as many of IPv6
 * @policies_per_pod: entries of a row, 0: seven of eight classes
 * @dual: IPv6, too
 */
struct model {
	const char *name;
	__u32 pods;
	__u32 classes;
	__u32 portsets;
	__u32 cidrs;
	__u32 policies_per_pod;
	bool dual;
};

/* Pseudo-random numbers: the same in every run. */
__u32 model_dice(__u64 *state, __u32 n);

/* A frozen table; ends the program if there is no memory. */
struct knp_tables *model_build(const struct model *m);

/* One record put into a table that is not frozen; ends the program if refused. */
void model_put(struct knp_tables *t, __u32 table, const void *rec, size_t len);

/* Clone, let @change change the clone, freeze it; the old table stays. */
struct knp_tables *model_commit(struct knp_tables *t,
				void (*change)(struct knp_tables *t));

/* Addresses: of remote pod @i, of local pod @i, in prefix @i, of nobody. */
struct knp_addr model_pod(unsigned int family, __u32 i);
struct knp_addr model_local(unsigned int family, __u32 i);
struct knp_addr model_in_cidr(const struct model *m, unsigned int family,
			      __u32 i);
struct knp_addr model_stranger(unsigned int family, __u32 i);

/* Prefix @i. */
struct knp_rec_cidr model_cidr(const struct model *m, unsigned int family,
			       __u32 i);

/* enum flow_kind - who talks to whom */
enum flow_kind {
	FLOW_POD,	/* a local pod to a pod elsewhere */
	FLOW_PAIR,	/* a local pod to another one */
	FLOW_CIDR,	/* a local pod to an address in a prefix */
	FLOW_NOBODY,	/* neither end is local */
};

/* A flow of this kind that @dice chooses. */
struct knp_flow model_flow(const struct model *m, enum flow_kind kind,
			   unsigned int family, __u64 *dice);

#endif /* KNP_GATES_MODEL_H */
