// SPDX-License-Identifier: Apache-2.0
#include "class_names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "intern.h"
#include "store.h"

#define SHOWN	3
#define NONE	SIZE_MAX

/* struct named - the name of a class, at @text in the texts */
struct named {
	uint32_t id;
	size_t text;
};

/**
 * struct knp_class_names - the names
 * @v: struct named, sorted by id
 * @texts: with a NUL after each
 */
struct knp_class_names {
	struct knp_recs v;
	struct knp_buf texts;
};

/* struct region - a prefix record, and the index of the one around it */
struct region {
	struct knp_prefix prefix;
	uint32_t class_id;
	size_t around;
};

/**
 * struct member - a member of a class
 * @pod: "ns/pod", NULL: no pod
 * @prefix: of an address of no pod, or a prefix
 */
struct member {
	uint32_t class_id;
	bool address;
	const char *pod;
	struct knp_prefix prefix;
};

static unsigned char rank(char c)
{
	return c == '/' ? 1 : (unsigned char)c;
}

/* By namespace and then by name: '/' is less than what names are made of. */
static int by_pod(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (int)rank(*a) - (int)rank(*b);
}

static int by_member(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	if (x->class_id != y->class_id)
		return x->class_id < y->class_id ? -1 : 1;
	if (x->pod && y->pod)
		return by_pod(x->pod, y->pod);
	if (x->pod || y->pod)
		return x->pod ? -1 : 1;
	if (x->address != y->address)
		return x->address ? -1 : 1;
	return knp_prefix_order(&x->prefix, &y->prefix);
}

static struct knp_prefix host(uint8_t family, const uint8_t *addr)
{
	struct knp_prefix prefix = {
		.ip = { .family = family },
		.len = family == AF_INET ? 32 : 128,
	};

	memcpy(prefix.ip.b, addr, sizeof(prefix.ip.b));
	return prefix;
}

static int collect_cidrs(const struct knp_recs *cidrs, struct region *regions,
			 struct knp_recs *members)
{
	const struct knp_rec_cidr *rec = cidrs->v;
	struct member m;
	size_t i;

	for (i = 0; i < cidrs->n; i++, rec++) {
		regions[i].prefix = host(rec->family, rec->addr);
		regions[i].prefix.len = rec->prefixlen;
		regions[i].class_id = rec->class_id;
		regions[i].around = NONE;
		m = (struct member){
			.class_id = rec->class_id,
			.prefix = regions[i].prefix,
		};
		if (m.class_id && !knp_recs_add(members, &m))
			return -ENOMEM;
	}

	return 0;
}

static size_t enclosing(const struct region *regions, size_t at,
			const struct knp_prefix *prefix)
{
	while (at != NONE && !knp_prefix_contains(&regions[at].prefix, prefix))
		at = regions[at].around;
	return at;
}

/* Addresses with a name: all three arrays are walked in the same order. */
static int collect_pods(const struct knp_ruleset *rs, struct region *regions,
			const struct knp_address_name *a, size_t n,
			struct knp_recs *members)
{
	const struct knp_rec_peer *peer = rs->peers.v;
	const struct knp_rec_peer *last = peer + rs->peers.n;
	size_t i, next = 0, at = NONE;
	struct knp_prefix p, address;
	struct member m;
	int order;

	for (i = 0; i < n; i++, a++) {
		address = host(a->family, a->addr);
		for (; next < rs->cidrs.n; at = next++) {
			if (knp_prefix_order(&regions[next].prefix, &address) > 0)
				break;
			regions[next].around = enclosing(regions, at,
							 &regions[next].prefix);
		}
		at = enclosing(regions, at, &address);
		m = (struct member){ .address = true, .pod = a->text };
		if (at != NONE)
			m.class_id = regions[at].class_id;

		for (; peer < last; peer++) {
			p = host(peer->family, peer->addr);
			order = knp_prefix_order(&p, &address);
			if (order > 0)
				break;
			if (!order)
				m.class_id = peer->class_id;
		}
		if (m.class_id && !knp_recs_add(members, &m))
			return -ENOMEM;
	}

	return 0;
}

/* Peer records of addresses without a name. */
static int collect_strangers(const struct knp_recs *peers,
			     const struct knp_address_name *a, size_t n,
			     struct knp_recs *members)
{
	const struct knp_rec_peer *peer = peers->v;
	const struct knp_address_name *end = a + n;
	struct knp_prefix named;
	struct member m;
	size_t i;
	int order;

	for (i = 0; i < peers->n; i++, peer++) {
		m = (struct member){
			.class_id = peer->class_id,
			.address = true,
			.prefix = host(peer->family, peer->addr),
		};
		for (order = -1; a < end; a++) {
			named = host(a->family, a->addr);
			order = knp_prefix_order(&named, &m.prefix);
			if (order >= 0)
				break;
		}
		if (order && !knp_recs_add(members, &m))
			return -ENOMEM;
	}

	return 0;
}

static int collect(const struct knp_ruleset *rs,
		   const struct knp_address_name *a, size_t n,
		   struct knp_recs *members)
{
	struct region *regions = calloc(rs->cidrs.n + 1, sizeof(*regions));
	int err;

	if (!regions)
		return -ENOMEM;

	err = collect_cidrs(&rs->cidrs, regions, members);
	if (!err)
		err = collect_pods(rs, regions, a, n, members);
	if (!err)
		err = collect_strangers(&rs->peers, a, n, members);
	free(regions);
	return err;
}

static void put_text(struct knp_buf *b, const char *s)
{
	knp_buf_add(b, s, strlen(s));
}

static void put_member(struct knp_buf *b, const struct member *m)
{
	char ip[46], len[8];

	if (m->pod) {
		put_text(b, m->pod);
		return;
	}

	put_text(b, knp_ip_format(&m->prefix.ip, ip));
	snprintf(len, sizeof(len), "/%u", m->prefix.len);
	if (!m->address)
		put_text(b, len);
}

static bool same_pod(const struct member *a, const struct member *b)
{
	return a->pod && b->pod && !strcmp(a->pod, b->pod);
}

static int name_class(struct knp_class_names *names, const struct member *m,
		      size_t n)
{
	struct named named = { .id = m->class_id, .text = names->texts.n };
	size_t i, seen = 0;
	char more[32];

	for (i = 0; i < n; i++) {
		/* Two addresses of one pod */
		if (i && same_pod(&m[i], &m[i - 1]))
			continue;
		if (seen++ >= SHOWN)
			continue;
		if (seen > 1)
			put_text(&names->texts, ", ");
		put_member(&names->texts, &m[i]);
	}
	if (seen > SHOWN) {
		snprintf(more, sizeof(more), " +%zu", seen - SHOWN);
		put_text(&names->texts, more);
	}
	knp_buf_u8(&names->texts, 0);

	if (names->texts.failed || !knp_recs_add(&names->v, &named))
		return -ENOMEM;
	return 0;
}

static int name_all(struct knp_class_names *names, struct knp_recs *members)
{
	struct member *m = members->v;
	size_t i, n;
	int err;

	if (members->n)
		qsort(m, members->n, members->size, by_member);

	for (i = 0; i < members->n; i += n) {
		for (n = 1; i + n < members->n; n++)
			if (m[i + n].class_id != m[i].class_id)
				break;
		err = name_class(names, &m[i], n);
		if (err)
			return err;
	}

	return 0;
}

int knp_class_names_new(const struct knp_ruleset *rs,
			const struct knp_address_name *addresses,
			size_t naddresses, struct knp_class_names **ret)
{
	struct knp_recs members = { .size = sizeof(struct member) };
	struct knp_class_names *names = calloc(1, sizeof(*names));
	int err;

	if (!names)
		return -ENOMEM;

	names->v.size = sizeof(struct named);
	err = collect(rs, addresses, naddresses, &members);
	if (!err)
		err = name_all(names, &members);
	free(members.v);
	if (err) {
		knp_class_names_free(names);
		return err;
	}

	*ret = names;
	return 0;
}

void knp_class_names_free(struct knp_class_names *names)
{
	if (!names)
		return;

	free(names->v.v);
	knp_buf_clear(&names->texts);
	free(names);
}

static int by_id(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

const char *knp_class_name(const struct knp_class_names *names, uint32_t id)
{
	const struct named *found, key = { .id = id };

	if (!names || !names->v.n)
		return NULL;

	found = bsearch(&key, names->v.v, names->v.n, sizeof(key), by_id);
	return found ? (const char *)names->texts.v + found->text : NULL;
}
