/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The verdict on one connection.
 *
 * PURE, like table.h. The hook, EXPLAIN and the offline simulator call the same
 * function.
 */
#ifndef KNP_MATCH_H
#define KNP_MATCH_H

#include "table.h"

/**
 * struct knp_flow - the policy tuple of a connection
 * @src: who opened it, before source address translation
 * @dst: who answers, after destination address translation
 * @dport: destination port, host byte order; 0 without @has_port
 * @family: enum knp_family
 * @proto: IP protocol
 * @has_port: the protocol has ports and they are known
 */
struct knp_flow {
	struct knp_addr src;
	struct knp_addr dst;
	__u16 dport;
	__u8 family;
	__u8 proto;
	bool has_port;
};

/**
 * struct knp_side - what one side says
 * @set: the policy set that judged, 0: not isolated, nothing was judged
 * @class_id: class of the other address
 * @portset: what the set's row holds for that class
 * @rule: the rule that allows, 0: denied (or not judged)
 */
struct knp_side {
	__u32 set;
	__u32 class_id;
	__u32 portset;
	__u32 rule;
};

/**
 * struct knp_verdict - the outcome
 * @egress: judged at the source
 * @ingress: judged at the destination; judged even if @egress denies
 * @reason: KNP_REASON_SELF, _NOT_ISOLATED, _ALLOWED, _EGRESS or _INGRESS;
 *	    _EGRESS if both deny
 * @pass: whether the connection is allowed
 */
struct knp_verdict {
	struct knp_side egress;
	struct knp_side ingress;
	__u32 reason;
	bool pass;
};

/**
 * knp_match() - judge a connection
 * @t: a frozen table
 * @f: the connection
 * @v: filled completely
 *
 * Context: any. No allocation, no lock, no write but to @v.
 */
void knp_match(const struct knp_tables *t, const struct knp_flow *f,
	       struct knp_verdict *v);

#endif /* KNP_MATCH_H */
