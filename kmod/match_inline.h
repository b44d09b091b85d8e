/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * knp_match() in line, for where packets pass: a call of it, with what it takes
 * and gives going through memory, costs a seventh of a verdict. PURE, see
 * table.h.
 */
#ifndef KNP_MATCH_INLINE_H
#define KNP_MATCH_INLINE_H

#include "lookup.h"
#include "match.h"

/* @side: 0 egress, 1 ingress, as in struct knp_cell */
static __always_inline void
knp_match_side(const struct knp_tables *t, bool wide, const struct knp_flow *f,
	       const struct knp_cell *endpoint, u32 side,
	       const struct knp_addr *peer, struct knp_side *v)
{
	if (!endpoint || !endpoint->set[side])
		return;

	v->set = endpoint->set[side];
	v->class_id = knp_look_class(t, wide, peer);
	v->portset = knp_look_row(endpoint, side, v->class_id);
	v->rule = knp_look_rule(t, wide, v->portset, f->proto, f->dport,
				f->has_port);
}

static __always_inline void
knp_match_sides(const struct knp_tables *t, bool wide,
		const struct knp_flow *f, struct knp_verdict *v)
{
	const struct knp_cell *src = knp_look_endpoint(t, wide, &f->src);
	const struct knp_cell *dst = knp_look_endpoint(t, wide, &f->dst);

	knp_match_side(t, wide, f, src, 0, &f->dst, &v->egress);
	knp_match_side(t, wide, f, dst, 1, &f->src, &v->ingress);
}

static __always_inline bool knp_side_denies(const struct knp_side *side)
{
	return side->set && !side->rule;
}

static __always_inline u32 knp_match_reason(const struct knp_verdict *v)
{
	if (knp_side_denies(&v->egress))
		return KNP_REASON_EGRESS;
	if (knp_side_denies(&v->ingress))
		return KNP_REASON_INGRESS;
	if (v->egress.set || v->ingress.set)
		return KNP_REASON_ALLOWED;
	return KNP_REASON_NOT_ISOLATED;
}

/** knp_match_inline() - see knp_match() */
static __always_inline void knp_match_inline(const struct knp_tables *t,
					     const struct knp_flow *f,
					     struct knp_verdict *v)
{
	/* By member: the kernel's memset() takes longer than a lookup. */
	v->egress = (struct knp_side){};
	v->ingress = (struct knp_side){};
	if (f->src.q[0] == f->dst.q[0] && f->src.q[1] == f->dst.q[1]) {
		v->reason = KNP_REASON_SELF;
		v->pass = true;
		return;
	}

	if (f->family == KNP_V4)
		knp_match_sides(t, false, f, v);
	else
		knp_match_sides(t, true, f, v);

	v->reason = knp_match_reason(v);
	v->pass = v->reason <= KNP_REASON_PASS_LAST;
}

#endif /* KNP_MATCH_INLINE_H */
