/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Container ports of pods: lists, each held once, counted and immutable. Equal
 * content, order included, is the equal pointer.
 *
 * As strings.h: one table of the process, not thread-safe.
 */
#ifndef KNP_CPORTS_H
#define KNP_CPORTS_H

#include <stddef.h>
#include <stdint.h>

#include "strings.h"

#ifdef __cplusplus
extern "C" {
#endif

/* In store.h, which C++ cannot read. */
struct knp_cports;

/** struct knp_port_view - one container port; the name may be empty */
struct knp_port_view {
	struct knp_text name;
	uint16_t port;
	uint8_t proto;		/* IPPROTO_TCP, _UDP, _SCTP */
};

/* The list of some ports, to knp_cports_put(); NULL if out of memory. */
const struct knp_cports *knp_cports_make(const struct knp_port_view *v,
					 size_t n);

/* One more user of a list from here; returns it. */
const struct knp_cports *knp_cports_hold(const struct knp_cports *ports);

/* One user less; the last one frees it. Accepts NULL. */
void knp_cports_put(const struct knp_cports *ports);

/* How many lists there are. For tests, as knp_string_count(). */
size_t knp_cports_count(void);

#ifdef __cplusplus
}
#endif

#endif /* KNP_CPORTS_H */
