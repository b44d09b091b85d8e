// SPDX-License-Identifier: Apache-2.0
/* The distinct peers: what is the same in canonical form is one atom. */
#include <errno.h>

#include "compile_impl.h"

int knp_comp_atom(struct knp_comp *c, const struct knp_policy *policy,
		  const struct knp_peer *peer, uint32_t *ret)
{
	struct knp_catom atom = {
		.peer = peer,
		.ns = policy->ns,
		.names = { .size = sizeof(uint32_t) },
	};
	struct knp_buf *b = &c->buf;
	int err;

	err = knp_identity_peer(b, policy->ns, peer);
	if (err)
		return err;
	err = knp_intern(&c->atom_ids, b->v, b->n, ret);
	if (err <= 0)
		return err;
	err = knp_identity_seal(b, atom.tag);
	if (err)
		return err;
	return knp_recs_add(&c->atoms, &atom) ? 0 : -ENOMEM;
}
