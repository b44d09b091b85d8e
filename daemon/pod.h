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

#include "store.h"

#ifdef __cplusplus
extern "C" {
#endif

/** struct knp_text - bytes of somebody else's buffer, without a NUL */
struct knp_text {
	const char *s;
	size_t n;
};

/** struct knp_label_view - one label; the value may be empty */
struct knp_label_view {
	struct knp_text key;
	struct knp_text value;
};

/** struct knp_port_view - one container port; the name may be empty */
struct knp_port_view {
	struct knp_text name;
	uint16_t port;
	uint8_t proto;		/* IPPROTO_TCP, _UDP, _SCTP */
};

/**
 * struct knp_pod_view - a pod as it was read
 * @uid, @node: may be empty
 * @labels: in any order, keys unique; knp_pod_new() may sort them in place
 * @ports: in the order of decode.c, regular containers first
 * @created: seconds since the epoch, 0 if unknown
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

#ifdef __cplusplus
}
#endif

#endif /* KNP_POD_H */
