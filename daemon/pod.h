/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a struct knp_pod: decoders describe what they read, without copying
 * it, and the pod is made of that at once.
 */
#ifndef KNP_POD_H
#define KNP_POD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cports.h"
#include "labels.h"
#include "store.h"
#include "strings.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct knp_pod_view - a pod as it was read
 * @uid, @node: may be empty
 * @labels: in any order, keys unique; knp_pod_new() may sort them in place
 * @ports: in the order of decode.c, regular containers first
 * @created: seconds since the epoch, 0 if unknown; kept as the nearest that
 *	     32 bits hold
 * @terminal: phase Succeeded or Failed; such a pod has no addresses
 */
struct knp_pod_view {
	struct knp_text ns;
	struct knp_text name;
	struct knp_text uid;
	struct knp_text node;
	struct knp_label_view *labels;
	size_t nlabels;
	const struct knp_ip *ips;
	size_t nips;
	const struct knp_port_view *ports;
	size_t nports;
	int64_t created;
	bool host_network;
	bool terminal;
};

/* A pod of its own, to knp_pod_free(); NULL if out of memory. */
struct knp_pod *knp_pod_new(struct knp_pod_view *view);

/**
 * knp_uid_parse() - a uid in 16 bytes
 * @text: the uid
 * @ret: a UUID as the API server writes them (lower case), with or without
 *	 dashes: its bytes. Else at most 16 bytes: as they are, zeroes behind.
 *	 Else a hash of the text, the same in every process.
 *
 * Among UUIDs, and among short texts, bytes are equal and ordered as the texts
 * are. What is neither is no uid of an API server; there only equality counts,
 * and is as good as the hash.
 */
void knp_uid_parse(const struct knp_text *text, uint8_t ret[16]);

/* Whether a uid is one of an API server: a UUID with its dashes. */
bool knp_uid_is_uuid(const struct knp_text *text);

#define KNP_POD_BOUND_MAX	63

/**
 * knp_pod_bind() - a copy of a pod with other bound addresses
 * @pod: the pod
 * @ips: @n different ones, at most KNP_POD_BOUND_MAX
 *
 * A bound address is one of which this node itself knows that it is this pod's,
 * from whoever gave it (bindings.h). Where several pods show one address, the
 * one that it is bound to owns it. The others are those that the source said;
 * one that is both is bound, and goes with its binding.
 *
 * Return: the copy, to knp_pod_free(); NULL if out of memory.
 */
struct knp_pod *knp_pod_bind(const struct knp_pod *pod,
			     const struct knp_ip *ips, uint32_t n);

static inline bool knp_pod_is_bound(const struct knp_pod *pod, uint32_t i)
{
	return i + pod->nbound >= pod->nips;
}

#ifdef __cplusplus
}
#endif

#endif /* KNP_POD_H */
