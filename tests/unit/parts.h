/* SPDX-License-Identifier: Apache-2.0 */
/* Pods for tests: one that is whole, to change a part of; and bindings. */
#ifndef KNP_TEST_PARTS_H
#define KNP_TEST_PARTS_H

#include "bindings.h"
#include "namespace.h"
#include "pod.h"

/* struct parts - what a pod is made of */
struct parts {
	struct knp_label_view label;
	struct knp_port_view port;
	struct knp_ip ip;
	struct knp_pod_view view;
};

/* The pod x/a, unless it is changed; valid until the next call. */
struct parts *parts(void);

/* The pod of these parts. */
struct knp_pod *made(struct parts *p);

/* Addresses as text, spaces between them; returns how many. */
uint32_t parse_ips(const char *text, struct knp_ip *ips);

/* A binding of x/@name in the network "net", at "eth0" of a container. */
struct knp_binding *binding(const char *container, const char *name,
			    const char *uid, uint32_t ifindex, const char *ips);

#endif /* KNP_TEST_PARTS_H */
