/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which drops somebody wants to see. PURE: no socket and no file.
 *
 * All conditions that are set must hold. The module sends every event to every
 * listener, within its rate limit, and netlink has no filter of its own for
 * them, so that this is done where they are read: what the rate limit left out
 * is not found by a filter either.
 */
#ifndef KNP_EVENT_FILTER_H
#define KNP_EVENT_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "wire.h"

/**
 * struct knp_event_filter - conditions; all zero: everything
 * @ns: source or destination is a pod of this namespace
 * @pod: source or destination is this pod, "ns/pod"
 * @policy: a side that denies is isolated by this policy, "ns/policy"
 * @direction: KNP_EGRESS, KNP_INGRESS: that side denies; 0: any
 * @reasons: bits 1 << KNP_REASON_*; 0: any
 * @modes: bits 1 << KNP_MODE_*; 0: any
 * @proto: IPPROTO_*; 0: any
 * @has_port: the destination port is @port, of any protocol if @proto is 0
 */
struct knp_event_filter {
	const char *ns;
	const char *pod;
	const char *policy;
	uint8_t direction;
	uint32_t reasons;
	uint32_t modes;
	uint8_t proto;
	bool has_port;
	uint16_t port;
};

/**
 * struct knp_event_names - what the numbers of an event stand for
 * @src, @dst: "ns/pod"; NULL: no pod that is known
 * @egress, @ingress: the policies that isolate that side, "ns/a, ns/b"; NULL if
 *	it is not judged or they are not known
 */
struct knp_event_names {
	const char *src;
	const char *dst;
	const char *egress;
	const char *ingress;
};

/* Whether it has conditions on names, which may be missing. */
static inline bool knp_event_filter_names(const struct knp_event_filter *f)
{
	return f->ns || f->pod || f->policy;
}

/* What has no name is not of any name. */
bool knp_event_filter_match(const struct knp_event_filter *f,
			    const struct knp_event *e,
			    const struct knp_event_names *names);

/* Whether @name is an element of the list "a, b"; false if that is NULL. */
bool knp_list_has(const char *list, const char *name);

#endif /* KNP_EVENT_FILTER_H */
