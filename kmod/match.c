// SPDX-License-Identifier: GPL-2.0 OR MIT

#include "match_inline.h"

void knp_match(const struct knp_tables *t, const struct knp_flow *f,
	       struct knp_verdict *v)
{
	knp_match_inline(t, f, v);
}
