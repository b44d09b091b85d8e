// SPDX-License-Identifier: GPL-2.0 OR MIT

#include <linux/string.h>

#include "match.h"

static void judge(const struct knp_tables *t, const struct knp_flow *f,
		  const struct knp_addr *peer, struct knp_side *side)
{
	if (!side->set)
		return;

	side->class_id = knp_tables_class(t, f->family, peer);
	side->portset = knp_tables_row(t, side->set, side->class_id);
	side->rule = knp_tables_port(t, side->portset, f->proto, f->dport,
				     f->has_port);
}

static bool denies(const struct knp_side *side)
{
	return side->set && !side->rule;
}

static u32 reason_of(const struct knp_verdict *v)
{
	if (denies(&v->egress))
		return KNP_REASON_EGRESS;
	if (denies(&v->ingress))
		return KNP_REASON_INGRESS;
	if (v->egress.set || v->ingress.set)
		return KNP_REASON_ALLOWED;
	return KNP_REASON_NOT_ISOLATED;
}

void knp_match(const struct knp_tables *t, const struct knp_flow *f,
	       struct knp_verdict *v)
{
	u32 unused;

	memset(v, 0, sizeof(*v));
	if (f->src.q[0] == f->dst.q[0] && f->src.q[1] == f->dst.q[1]) {
		v->reason = KNP_REASON_SELF;
		v->pass = true;
		return;
	}

	knp_tables_endpoint(t, f->family, &f->src, &v->egress.set, &unused);
	knp_tables_endpoint(t, f->family, &f->dst, &unused, &v->ingress.set);
	judge(t, f, &f->dst, &v->egress);
	judge(t, f, &f->src, &v->ingress);

	v->reason = reason_of(v);
	v->pass = v->reason <= KNP_REASON_PASS_LAST;
}
