// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "identity.h"
#include "protocols.h"

#define PORTS_SHOWN	8	/* ranges in the name of a port set */

int knp_identity_seal(const struct knp_buf *b, uint8_t tag[KNP_TAG_LEN])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	size_t len;

	if (b->failed ||
	    !EVP_Q_digest(NULL, "SHA256", NULL, b->v, b->n, digest, &len))
		return -ENOMEM;
	memcpy(tag, digest, KNP_TAG_LEN);
	return 0;
}

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

int knp_identity_peer(struct knp_buf *b, const char *ns,
		      const struct knp_peer *peer)
{
	knp_buf_reset(b);
	if (peer->block) {
		knp_buf_str(b, "ipBlock");
		write_block(b, peer->block);
	} else {
		knp_buf_str(b, peer->ns ? "namespaces" : "namespace");
		if (peer->ns)
			write_selector(b, peer->ns);
		else
			knp_buf_str(b, ns);
		knp_buf_u8(b, !selects_all(peer->pod));
		if (!selects_all(peer->pod))
			write_selector(b, peer->pod);
	}
	return b->failed ? -ENOMEM : 0;
}

static void write_policy(struct knp_buf *b, const struct knp_policy *policy)
{
	knp_buf_str(b, policy->ns);
	knp_buf_str(b, policy->name);
	knp_buf_str(b, policy->uid);
}

int knp_identity_rule(struct knp_buf *b, const struct knp_policy *policy,
		      int direction, uint32_t index, uint8_t tag[KNP_TAG_LEN])
{
	knp_buf_reset(b);
	knp_buf_str(b, "rule");
	write_policy(b, policy);
	knp_buf_u8(b, direction);
	knp_buf_u32(b, index);
	return knp_identity_seal(b, tag);
}

int knp_identity_set(struct knp_buf *b, int direction,
		     const struct knp_policy *const *policies, size_t n,
		     const struct knp_port_names *names,
		     const struct knp_port_of *ports, size_t nports,
		     uint8_t tag[KNP_TAG_LEN])
{
	int err;

	knp_buf_reset(b);
	knp_buf_str(b, "set");
	knp_buf_u8(b, direction);
	knp_buf_u32(b, n);
	for (size_t i = 0; i < n; i++)
		write_policy(b, policies[i]);
	err = knp_port_names_write(names, b, ports, nports);
	return err ? err : knp_identity_seal(b, tag);
}

static int by_tag(const void *a, const void *b)
{
	return memcmp(a, b, KNP_TAG_LEN);
}

int knp_identity_class(struct knp_buf *b, uint8_t peers[][KNP_TAG_LEN],
		       size_t n, const struct knp_port_names *names,
		       const struct knp_port_of *ports, size_t nports,
		       uint8_t tag[KNP_TAG_LEN])
{
	int err;

	qsort(peers, n, sizeof(*peers), by_tag);
	knp_buf_reset(b);
	knp_buf_str(b, "class");
	knp_buf_u32(b, n);
	knp_buf_add(b, peers, n * sizeof(*peers));
	err = knp_port_names_write(names, b, ports, nports);
	return err ? err : knp_identity_seal(b, tag);
}

int knp_identity_portset(struct knp_buf *b, const struct knp_centry *entries,
			 size_t n,
			 const uint8_t *(*rule_tag)(void *arg, uint32_t rule),
			 void *arg, uint8_t tag[KNP_TAG_LEN])
{
	knp_buf_reset(b);
	knp_buf_str(b, "portset");
	for (size_t i = 0; i < n; i++) {
		knp_buf_u8(b, entries[i].proto);
		knp_buf_u32(b, entries[i].lo);
		knp_buf_u32(b, entries[i].hi);
		knp_buf_add(b, rule_tag(arg, entries[i].rule), KNP_TAG_LEN);
	}
	return knp_identity_seal(b, tag);
}

static void put_text(struct knp_buf *b, const char *s)
{
	knp_buf_add(b, s, strlen(s));
}

static void put_policy(struct knp_buf *b, const struct knp_policy *policy)
{
	put_text(b, policy->ns);
	put_text(b, "/");
	put_text(b, policy->name);
}

int knp_identity_rule_name(struct knp_buf *b, const struct knp_policy *policy,
			   int direction, uint32_t index)
{
	char text[32];

	snprintf(text, sizeof(text), " %s[%u]",
		 direction == INGRESS ? "ingress" : "egress", index);
	knp_buf_reset(b);
	put_policy(b, policy);
	put_text(b, text);
	knp_buf_u8(b, 0);
	return b->failed ? -ENOMEM : 0;
}

int knp_identity_set_name(struct knp_buf *b,
			  const struct knp_policy *const *policies, size_t n)
{
	knp_buf_reset(b);
	for (size_t i = 0; i < n; i++) {
		if (i)
			put_text(b, ", ");
		put_policy(b, policies[i]);
	}
	knp_buf_u8(b, 0);
	return b->failed ? -ENOMEM : 0;
}

static void put_entry(struct knp_buf *b, const struct knp_centry *entry)
{
	const char *proto = knp_protocol_name(entry->proto);
	char text[48];

	if (!entry->proto)
		snprintf(text, sizeof(text), "any");
	else if (!entry->lo && entry->hi == UINT16_MAX)
		snprintf(text, sizeof(text), "*/%s", proto);
	else if (entry->lo == entry->hi)
		snprintf(text, sizeof(text), "%u/%s", entry->lo, proto);
	else
		snprintf(text, sizeof(text), "%u-%u/%s", entry->lo, entry->hi,
			 proto);
	put_text(b, text);
}

int knp_identity_portset_name(struct knp_buf *b,
			      const struct knp_centry *entries, size_t n)
{
	char more[24];

	knp_buf_reset(b);
	for (size_t i = 0; i < n && i < PORTS_SHOWN; i++) {
		if (i)
			put_text(b, ",");
		put_entry(b, &entries[i]);
	}
	if (n > PORTS_SHOWN) {
		snprintf(more, sizeof(more), " +%zu", n - PORTS_SHOWN);
		put_text(b, more);
	}
	knp_buf_u8(b, 0);
	return b->failed ? -ENOMEM : 0;
}
