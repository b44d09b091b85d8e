/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pods as an API server sends them: what a Deployment's controller, the
 * scheduler and a kubelet leave in an object, managedFields included, in the
 * field order of the server's encoder and without white space.
 *
 * What the caller does not give follows from (seed, index) alone, so that the
 * same Pod can be written again. Nothing is allocated.
 */
#ifndef KNP_GEN_PODS_H
#define KNP_GEN_PODS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct gen_label - one label; both must need no escape in JSON */
struct gen_label {
	const char *key;
	const char *value;
};

/**
 * struct gen_pod - what a Pod is to be
 * @seed: of all that is not given
 * @index: the Pod's number
 * @size: about how many bytes; below 2 KB it stays at what a Pod needs
 * @typed: with kind and apiVersion, as in a watch event; items of a list have
 *	none
 * @name: metadata.name
 * @ns: metadata.namespace
 * @version: metadata.resourceVersion
 * @labels: metadata.labels, at least one
 * @nlabels: how many
 * @node: spec.nodeName; NULL: not scheduled, without status beyond Pending
 * @ip: status.podIP and first of podIPs; NULL: none yet
 * @ip6: second of podIPs; NULL: single stack
 * @phase: status.phase; NULL is "Running" on a node, else "Pending"
 * @host_network: spec.hostNetwork
 *
 * The first container has the ports "http" 8080 and "metrics" 9090, every
 * further one an unnamed 9100 + its number; all TCP. The strings must need no
 * escape in JSON.
 */
struct gen_pod {
	uint64_t seed;
	uint64_t index;
	size_t size;
	bool typed;
	const char *name;
	const char *ns;
	const char *version;
	const struct gen_label *labels;
	size_t nlabels;
	const char *node;
	const char *ip;
	const char *ip6;
	const char *phase;
	bool host_network;
};

/**
 * gen_pod_write() - write a Pod as one JSON object
 * @pod: what it is to be
 * @buf: where to, may be NULL if @room is 0; no NUL is written
 * @room: bytes of @buf
 *
 * Return: the length of the Pod; if it is more than @room, what is in @buf is
 * only its beginning.
 */
size_t gen_pod_write(const struct gen_pod *pod, char *buf, size_t room);

#endif /* KNP_GEN_PODS_H */
