// SPDX-License-Identifier: Apache-2.0
/*
 * Peers in canonical form: two that mean the same by the order of labels,
 * requirements, values or excepts are one atom. A peer without namespaceSelector
 * means the namespace of its policy, which is then part of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile_impl.h"

static int by_string(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void write_requirement(struct knp_buf *b,
			      const struct knp_requirement *req)
{
	const char **values = calloc(req->nvalues + 1, sizeof(*values));
	size_t n = 0;

	if (!values) {
		b->failed = true;
		return;
	}
	for (size_t i = 0; i < req->nvalues; i++)
		values[i] = req->values[i];
	qsort(values, req->nvalues, sizeof(*values), by_string);
	for (size_t i = 0; i < req->nvalues; i++)
		if (!i || strcmp(values[i], values[n - 1]))
			values[n++] = values[i];

	knp_buf_str(b, req->key);
	knp_buf_u8(b, req->op);
	knp_buf_u32(b, n);
	for (size_t i = 0; i < n; i++)
		knp_buf_str(b, values[i]);
	free(values);
}

static int by_bytes(const void *a, const void *b)
{
	const struct knp_buf *ba = a, *bb = b;
	size_t n = ba->n < bb->n ? ba->n : bb->n;
	int cmp = memcmp(ba->v, bb->v, n);

	return cmp ? cmp : (ba->n > bb->n) - (ba->n < bb->n);
}

static void write_selector(struct knp_buf *b,
			   const struct knp_selector *selector)
{
	struct knp_buf *reqs = calloc(selector->nreqs + 1, sizeof(*reqs));

	if (!reqs) {
		b->failed = true;
		return;
	}
	knp_buf_u32(b, selector->labels.n);
	for (size_t i = 0; i < selector->labels.n; i++) {
		knp_buf_str(b, selector->labels.v[i].key);
		knp_buf_str(b, selector->labels.v[i].value);
	}

	for (size_t i = 0; i < selector->nreqs; i++) {
		write_requirement(&reqs[i], &selector->reqs[i]);
		b->failed |= reqs[i].failed;
	}
	if (!b->failed)
		qsort(reqs, selector->nreqs, sizeof(*reqs), by_bytes);
	knp_buf_u32(b, selector->nreqs);
	for (size_t i = 0; i < selector->nreqs; i++) {
		knp_buf_add(b, reqs[i].v, reqs[i].n);
		knp_buf_clear(&reqs[i]);
	}
	free(reqs);
}

static void write_prefix(struct knp_buf *b, const struct knp_prefix *prefix)
{
	knp_buf_u8(b, prefix->ip.family);
	knp_buf_u8(b, prefix->len);
	knp_buf_add(b, prefix->ip.b, sizeof(prefix->ip.b));
}

static int by_prefix(const void *a, const void *b)
{
	const struct knp_prefix *pa = a, *pb = b;
	int cmp = memcmp(pa->ip.b, pb->ip.b, sizeof(pa->ip.b));

	if (pa->ip.family != pb->ip.family)
		return pa->ip.family < pb->ip.family ? -1 : 1;
	return cmp ? cmp : (pa->len > pb->len) - (pa->len < pb->len);
}

static void write_block(struct knp_buf *b, const struct knp_ipblock *block)
{
	struct knp_prefix *except = calloc(block->nexcept + 1, sizeof(*except));

	if (!except) {
		b->failed = true;
		return;
	}
	for (size_t i = 0; i < block->nexcept; i++)
		except[i] = block->except[i];
	qsort(except, block->nexcept, sizeof(*except), by_prefix);

	write_prefix(b, &block->cidr);
	for (size_t i = 0; i < block->nexcept; i++)
		if (!i || by_prefix(&except[i], &except[i - 1]))
			write_prefix(b, &except[i]);
	free(except);
}

static bool selects_all(const struct knp_selector *selector)
{
	return !selector || (!selector->labels.n && !selector->nreqs);
}

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

	knp_buf_reset(b);
	if (peer->block) {
		knp_buf_str(b, "ipBlock");
		write_block(b, peer->block);
	} else {
		knp_buf_str(b, peer->ns ? "namespaces" : "namespace");
		if (peer->ns)
			write_selector(b, peer->ns);
		else
			knp_buf_str(b, policy->ns);
		knp_buf_u8(b, !selects_all(peer->pod));
		if (!selects_all(peer->pod))
			write_selector(b, peer->pod);
	}
	if (b->failed)
		return -ENOMEM;

	err = knp_intern(&c->atom_ids, b->v, b->n, ret);
	if (err <= 0)
		return err;
	err = knp_comp_tag(c, atom.tag);
	if (err)
		return err;
	return knp_recs_add(&c->atoms, &atom) ? 0 : -ENOMEM;
}
