/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cluster to measure with: which Namespaces, Pods and NetworkPolicies there
 * are, and how they change. Everything follows from the options; objects are
 * written as an API server's encoder would, without kind and apiVersion, as in
 * a list.
 *
 * Namespaces have a team (of 40) and an environment. Every namespace but the
 * last has four workloads of five Pods (web: tier frontend; api and worker:
 * backend; db: data), Deployments with a pod-template-hash, every twentieth a
 * StatefulSet whose Pods have labels of their own. Namespace 0 is kube-system
 * with the cluster's DNS, 1 is monitoring.
 *
 * Of these, `local` Pods run on "node1", spread over `spread` namespaces. The
 * last namespace, "crowd", has `crowd` Pods, all of them on "node2": the Pods of
 * the one policy that selects so many local Pods. So knpd as node1 has a
 * node's usual mixture and as node2 that policy, each with its number of local
 * Pods and no more.
 *
 * Policies: about two per namespace, of six kinds (default deny; Pods of the
 * same namespace with ports; namespaces of a team; a namespace and its Pods;
 * ipBlock with except and a port range; DNS and named ports), 20 of them in the
 * crowd. One more, the-crowd/everybody, is made and changed on demand.
 */
#ifndef KNP_BENCH_MODEL_H
#define KNP_BENCH_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct model_options - the size of the cluster; see above */
struct model_options {
	uint64_t seed;
	uint32_t pods;		/* the crowd included */
	uint32_t namespaces;	/* at least 3 */
	uint32_t policies;
	uint32_t local;
	uint32_t spread;
	uint32_t crowd;
	uint32_t pod_size;	/* bytes */
};

/**
 * struct model_pod - what changes of a Pod
 * @life: how often it was made again, from 0
 * @moves: how often it got another address
 * @swapped: its tier is the other of frontend and backend
 * @unready: the Ready condition is False
 * @pending: neither node nor address yet
 * @gone: deleted
 */
struct model_pod {
	uint16_t life;
	uint16_t moves;
	bool swapped;
	bool unready;
	bool pending;
	bool gone;
};

/** enum model_scope - whose Pods: an event of them changes node1's tables */
enum model_scope {
	MODEL_LOCAL,	/* on node1 */
	MODEL_REMOTE,	/* elsewhere, and allowed by a policy of a Pod on node1 */
	MODEL_SCOPES,
};

struct model;

/* -EINVAL if the numbers do not fit together, -ENOMEM. */
int model_new(const struct model_options *options, struct model **ret);
void model_free(struct model *m);

/* The state of a Pod, to change. */
struct model_pod *model_pod(struct model *m, uint32_t pod);

/**
 * model_candidates() - Pods whose changes of labels, address or existence
 * change the tables of node1
 * @m: the model
 * @scope: which
 * @n: their number
 */
const uint32_t *model_candidates(const struct model *m, enum model_scope scope,
				 uint32_t *n);

/*
 * Write an object; the length of the text is returned, -ENOMEM, or -EINVAL if
 * the text would not fit in @room.
 */
int model_write_namespace(const struct model *m, uint32_t i, uint64_t version,
			  char *buf, size_t room);
int model_write_policy(const struct model *m, uint32_t i, uint64_t version,
		       char *buf, size_t room);
int model_write_pod(const struct model *m, uint32_t i, uint64_t version,
		    char *buf, size_t room);

/*
 * the-crowd/everybody selects all Pods of the crowd; with other ports and peers for
 * every other @ports and @peers.
 */
int model_write_everybody(const struct model *m, uint32_t ports,
			  uint32_t peers, uint64_t version, char *buf,
			  size_t room);

/* splitmix64 */
uint64_t model_random(uint64_t *state);

#endif /* KNP_BENCH_MODEL_H */
