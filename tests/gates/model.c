// SPDX-License-Identifier: Apache-2.0
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TCP	6
#define UDP	17
#define BATCH	1024
#define PER_NODE 100

/* splitmix64 */
__u32 model_dice(__u64 *state, __u32 n)
{
	__u64 z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	z ^= z >> 31;
	return (z >> 32) * n >> 32;
}

void model_put(struct knp_tables *t, __u32 table, const void *rec, size_t len)
{
	struct knp_refusal why = { 0 };

	if (knp_tables_put(t, table, rec, len, &why) > 0)
		return;
	fprintf(stderr, "model: table %u: %s\n", table, why.msg);
	exit(1);
}

#define PUT(t, table, ...) \
	model_put(t, table, &(__VA_ARGS__), sizeof(__VA_ARGS__))

static __u8 af_of(unsigned int family)
{
	return family == KNP_V4 ? AF_INET : AF_INET6;
}

/* 10.a.b.c, or fd00::a:b:c by bytes. */
static struct knp_addr inside(unsigned int family, __u8 a, __u8 b, __u8 c)
{
	struct knp_addr addr = { 0 };
	__u32 last = family == KNP_V4 ? 3 : 15;

	addr.b[0] = family == KNP_V4 ? 10 : 0xfd;
	addr.b[last - 2] = a;
	addr.b[last - 1] = b;
	addr.b[last] = c;
	return addr;
}

struct knp_addr model_pod(unsigned int family, __u32 i)
{
	return inside(family, i / PER_NODE / 256, i / PER_NODE,
		      2 + i % PER_NODE);
}

struct knp_addr model_local(unsigned int family, __u32 i)
{
	return inside(family, 240, 0, 2 + i);
}

struct knp_addr model_stranger(unsigned int family, __u32 i)
{
	struct knp_addr addr = inside(family, i >> 16, i >> 8, i);

	addr.b[1] ^= 0x40;
	addr.b[0] ^= 0x80;
	return addr;
}

/* Prefixes of /20 to /32 (IPv6: /36 to /64) that do not repeat. */
struct knp_rec_cidr model_cidr(const struct model *m, unsigned int family,
			       __u32 i)
{
	__u64 dice = i;
	struct knp_rec_cidr rec = {
		.family = af_of(family),
		.prefixlen = 20 + model_dice(&dice, 13),
		.class_id = 1 + i % m->classes,
	};
	/* An odd factor: neighbours are far apart, and no two are the same. */
	__u32 word = (i * 0x9e3779b1U) >> 12 << 12;
	__u32 j;

	word |= model_dice(&dice, 4096);
	rec.addr[0] = family == KNP_V4 ? 0 : 0x20;
	for (j = 0; j < 4; j++)
		rec.addr[j + (family == KNP_V6)] = word >> (24 - 8 * j);
	if (rec.addr[0] == 10)
		rec.addr[0] = 11;
	if (family == KNP_V6)
		rec.prefixlen = 36 + 2 * (rec.prefixlen - 20);
	for (j = rec.prefixlen; j < 128; j++)
		rec.addr[j / 8] &= ~(0x80 >> j % 8);
	return rec;
}

struct knp_addr model_in_cidr(const struct model *m, unsigned int family,
			      __u32 i)
{
	struct knp_rec_cidr rec = model_cidr(m, family, i);
	struct knp_addr addr;

	memcpy(addr.b, rec.addr, sizeof(addr.b));
	return addr;
}

static void put_ids(const struct model *m, struct knp_tables *t)
{
	__u32 id;

	for (id = 1; id <= m->portsets; id++)
		PUT(t, KNP_TABLE_RULE, (struct knp_rec_rule){ .id = id });
	for (id = 1; id <= m->classes; id++)
		PUT(t, KNP_TABLE_CLASS, (struct knp_rec_class){ .id = id });
}

/* Of ten: six with one port, two with all ports, one with 2, one with 12. */
static void put_portset(struct knp_tables *t, __u32 id)
{
	struct {
		struct knp_rec_portset head;
		struct knp_rec_port port[12];
	} rec = { .head = { .id = id, .nports = 1 } };
	__u32 i;

	if (id % 10 >= 8)
		rec.head.nports = id % 10 == 8 ? 2 : 12;
	for (i = 0; i < rec.head.nports; i++)
		rec.port[i] = (struct knp_rec_port){
			.rule = id, .proto = TCP,
			.lo = 80 + 10 * i, .hi = 80 + 10 * i,
		};
	if (id % 10 >= 6 && id % 10 < 8)
		rec.port[0] = (struct knp_rec_port){ .rule = id, .hi = 65535 };
	model_put(t, KNP_TABLE_PORTSET, &rec, sizeof(rec.head) +
		  rec.head.nports * sizeof(rec.port[0]));
}

static void put_row(const struct model *m, struct knp_tables *t, __u32 set)
{
	struct knp_rec_row rec[BATCH];
	__u32 entries = m->policies_per_pod ? m->policies_per_pod : m->classes;
	__u32 i, n = 0;

	for (i = 1; i <= entries; i++) {
		rec[n].set = set;
		rec[n].class_id = i;
		rec[n].portset = 1 + (set * 7 + i) % m->portsets;
		if (m->policies_per_pod)
			rec[n].class_id = 1 + (set * m->policies_per_pod + i) %
					  m->classes;
		else if (i % 8 == set % 8)
			continue;
		if (++n == BATCH) {
			model_put(t, KNP_TABLE_ROW, rec, sizeof(rec));
			n = 0;
		}
	}
	if (n)
		model_put(t, KNP_TABLE_ROW, rec, n * sizeof(rec[0]));
}

static void put_sets(const struct model *m, struct knp_tables *t)
{
	__u32 id;

	for (id = 1; id <= SETS; id++) {
		PUT(t, KNP_TABLE_SET, (struct knp_rec_set){
			.id = id,
			.direction = id % 2 ? KNP_INGRESS : KNP_EGRESS,
		});
		put_row(m, t, id);
	}
}

static void put_peer(const struct model *m, struct knp_tables *t,
		     unsigned int family, struct knp_addr addr, __u32 i)
{
	struct knp_rec_peer rec = {
		.class_id = 1 + i % m->classes, .family = af_of(family),
	};

	memcpy(rec.addr, addr.b, sizeof(rec.addr));
	PUT(t, KNP_TABLE_PEER, rec);
}

static void put_addresses(const struct model *m, struct knp_tables *t,
			  unsigned int family)
{
	__u32 i;

	for (i = 0; i < m->pods; i++)
		put_peer(m, t, family, model_pod(family, i), i);
	for (i = 0; i < LOCAL; i++) {
		struct knp_addr addr = model_local(family, i);
		struct knp_rec_endpoint rec = {
			.egress_set = 2 + i % (SETS / 2) * 2,
			.ingress_set = 1 + i % (SETS / 2) * 2,
			.family = af_of(family),
		};

		memcpy(rec.addr, addr.b, sizeof(rec.addr));
		put_peer(m, t, family, addr, i);
		PUT(t, KNP_TABLE_ENDPOINT, rec);
	}
	for (i = 0; i < m->cidrs; i++) {
		struct knp_rec_cidr rec = model_cidr(m, family, i);

		PUT(t, KNP_TABLE_CIDR, rec);
	}
}

struct knp_tables *model_build(const struct model *m)
{
	struct knp_tables *t = knp_tables_new();
	__u32 id;

	if (!t) {
		fprintf(stderr, "model: out of memory\n");
		exit(1);
	}
	put_ids(m, t);
	for (id = 1; id <= m->portsets; id++)
		put_portset(t, id);
	put_sets(m, t);
	put_addresses(m, t, KNP_V4);
	if (m->dual)
		put_addresses(m, t, KNP_V6);
	if (knp_tables_freeze(t)) {
		fprintf(stderr, "model: cannot freeze\n");
		exit(1);
	}
	return t;
}

struct knp_tables *model_commit(struct knp_tables *t,
				void (*change)(struct knp_tables *t))
{
	struct knp_tables *clone = knp_tables_clone(t);

	if (!clone) {
		fprintf(stderr, "model: out of memory\n");
		exit(1);
	}
	change(clone);
	if (knp_tables_freeze(clone)) {
		fprintf(stderr, "model: cannot freeze\n");
		exit(1);
	}
	return clone;
}

struct knp_flow model_flow(const struct model *m, enum flow_kind kind,
			   unsigned int family, __u64 *dice)
{
	__u32 i = model_dice(dice, LOCAL);
	struct knp_flow f = {
		.src = model_local(family, i),
		.family = family,
		.proto = TCP,
		.dport = model_dice(dice, 2) ? 80 : 8080,
		.has_port = true,
	};

	switch (kind) {
	case FLOW_POD:
		f.dst = model_pod(family, model_dice(dice, m->pods));
		break;
	case FLOW_PAIR:
		i = (i + 1 + model_dice(dice, LOCAL - 1)) % LOCAL;
		f.dst = model_local(family, i);
		break;
	case FLOW_CIDR:
		f.dst = model_in_cidr(m, family, model_dice(dice, m->cidrs));
		break;
	case FLOW_NOBODY:
		f.src = model_stranger(family, model_dice(dice, 1 << 16));
		f.dst = model_pod(family, model_dice(dice, m->pods));
		break;
	}
	return f;
}
