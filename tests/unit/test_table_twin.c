// SPDX-License-Identifier: Apache-2.0
/*
 * Tables against a naive twin: plain arrays of records, searched with loops.
 *
 * Random transactions, biased to collisions and edges, change both; errors,
 * dumps, lookups and verdicts must agree, and snapshots that were published
 * before must stay what they were.
 *
 * KNP_SEED repeats a run, KNP_ROUNDS makes it longer.
 */
#include "tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/random.h>
#include <linux/slab.h>

#include "match.h"

#define ROUNDS 300
#define PROBES 150
#define PINNED_MAX 4
#define PORTS_MAX 8
#define RECS_MAX 700

union rec {
	__u32 id[2];		/* of all tables without addresses */
	struct knp_rec_rule rule;
	struct {
		struct knp_rec_portset head;
		struct knp_rec_port port[PORTS_MAX];
	} portset;
	struct knp_rec_class class;
	struct knp_rec_set set;
	struct knp_rec_row row;
	struct knp_rec_peer peer;
	struct knp_rec_cidr cidr;
	struct knp_rec_endpoint endpoint;
	struct knp_rec_iface iface;
	struct knp_rec_binding binding;
};

struct twin {
	union rec rec[__KNP_TABLE_MAX][RECS_MAX];
	__u32 n[__KNP_TABLE_MAX];
};

struct pinned {
	struct knp_tables *t;
	struct dump dump;
};

static struct dice dice;

static __u32 below(__u32 n)
{
	return dice_below(&dice, n);
}

static bool chance(__u32 percent)
{
	return below(100) < percent;
}

/* ---- the twin ---- */

static size_t key_size(__u32 table)
{
	switch (table) {
	case KNP_TABLE_ROW:
		return 8;
	case KNP_TABLE_PEER:
	case KNP_TABLE_ENDPOINT:
	case KNP_TABLE_BINDING:
		return 17;
	case KNP_TABLE_CIDR:
		return 18;
	default:
		return 4;
	}
}

static union rec *find(struct twin *w, __u32 table, const union rec *key)
{
	__u32 i;

	for (i = 0; i < w->n[table]; i++) {
		if (!memcmp(&w->rec[table][i], key, key_size(table)))
			return &w->rec[table][i];
	}
	return NULL;
}

static union rec *find_id(struct twin *w, __u32 table, __u32 id)
{
	union rec key = { .id = { id, 0 } };

	return find(w, table, &key);
}

static bool is_used(struct twin *w, __u32 table, __u32 id)
{
	__u32 i, j;

	for (i = 0; table == KNP_TABLE_RULE && i < w->n[KNP_TABLE_PORTSET];
	     i++) {
		union rec *r = &w->rec[KNP_TABLE_PORTSET][i];

		for (j = 0; j < r->portset.head.nports; j++) {
			if (r->portset.port[j].rule == id)
				return true;
		}
	}
	for (i = 0; i < w->n[KNP_TABLE_SET]; i++) {
		if (table == KNP_TABLE_PORTSET &&
		    w->rec[KNP_TABLE_SET][i].set.dflt == id)
			return true;
	}
	for (i = 0; i < w->n[KNP_TABLE_ROW]; i++) {
		struct knp_rec_row *r = &w->rec[KNP_TABLE_ROW][i].row;

		if ((table == KNP_TABLE_PORTSET && r->portset == id) ||
		    (table == KNP_TABLE_CLASS && r->class_id == id))
			return true;
	}
	for (i = 0; i < w->n[KNP_TABLE_PEER]; i++) {
		if (table == KNP_TABLE_CLASS &&
		    w->rec[KNP_TABLE_PEER][i].peer.class_id == id)
			return true;
	}
	for (i = 0; i < w->n[KNP_TABLE_CIDR]; i++) {
		if (table == KNP_TABLE_CLASS &&
		    w->rec[KNP_TABLE_CIDR][i].cidr.class_id == id)
			return true;
	}
	for (i = 0; i < w->n[KNP_TABLE_ENDPOINT]; i++) {
		struct knp_rec_endpoint *r =
			&w->rec[KNP_TABLE_ENDPOINT][i].endpoint;

		if (table == KNP_TABLE_SET &&
		    (r->egress_set == id || r->ingress_set == id))
			return true;
	}
	return false;
}

static int check_refs(struct twin *w, __u32 table, const union rec *r)
{
	union rec *set;
	__u32 i;

	switch (table) {
	case KNP_TABLE_PORTSET:
		for (i = 0; i < r->portset.head.nports; i++) {
			if (!find_id(w, KNP_TABLE_RULE,
				     r->portset.port[i].rule))
				return -ENOENT;
		}
		return 0;
	case KNP_TABLE_SET:
		if (r->set.dflt &&
		    !find_id(w, KNP_TABLE_PORTSET, r->set.dflt))
			return -ENOENT;
		set = find_id(w, KNP_TABLE_SET, r->set.id);
		return set && set->set.direction != r->set.direction ?
		       -EINVAL : 0;
	case KNP_TABLE_ROW:
		return find_id(w, KNP_TABLE_SET, r->row.set) &&
		       find_id(w, KNP_TABLE_CLASS, r->row.class_id) &&
		       find_id(w, KNP_TABLE_PORTSET, r->row.portset) ?
		       0 : -ENOENT;
	case KNP_TABLE_PEER:
		return find_id(w, KNP_TABLE_CLASS, r->peer.class_id) ?
		       0 : -ENOENT;
	case KNP_TABLE_CIDR:
		return !r->cidr.class_id ||
		       find_id(w, KNP_TABLE_CLASS, r->cidr.class_id) ?
		       0 : -ENOENT;
	case KNP_TABLE_ENDPOINT:
		for (i = KNP_EGRESS; i <= KNP_INGRESS; i++) {
			__u32 id = i == KNP_EGRESS ? r->endpoint.egress_set :
						     r->endpoint.ingress_set;

			if (!id)
				continue;
			set = find_id(w, KNP_TABLE_SET, id);
			if (!set)
				return -ENOENT;
			if (set->set.direction != i)
				return -EINVAL;
		}
		return 0;
	}
	return 0;
}

static int twin_put(struct twin *w, __u32 table, const union rec *r)
{
	union rec *old = find(w, table, r);
	int err = check_refs(w, table, r);

	if (err)
		return err;
	if (!old)
		old = &w->rec[table][w->n[table]++];
	*old = *r;
	return 1;
}

static void twin_remove(struct twin *w, __u32 table, union rec *r)
{
	*r = w->rec[table][--w->n[table]];
}

static int twin_delete(struct twin *w, __u32 table, const union rec *key)
{
	union rec *r = find(w, table, key);
	__u32 i = 0;

	if (!r)
		return -ENOENT;
	if (table <= KNP_TABLE_SET && is_used(w, table, key->id[0]))
		return -EBUSY;
	twin_remove(w, table, r);
	while (table == KNP_TABLE_SET && i < w->n[KNP_TABLE_ROW]) {
		r = &w->rec[KNP_TABLE_ROW][i];
		if (r->row.set == key->id[0])
			twin_remove(w, KNP_TABLE_ROW, r);
		else
			i++;
	}
	return 1;
}

static bool has_prefix(const __u8 *addr, const __u8 *prefix, __u32 len)
{
	__u32 i;

	for (i = 0; i < len; i++) {
		if ((addr[i / 8] ^ prefix[i / 8]) & 0x80 >> i % 8)
			return false;
	}
	return true;
}

static __u32 twin_class(struct twin *w, __u8 family, const __u8 *addr)
{
	union rec key = { .peer = { .family = family } };
	__u32 i, class_id = 0;
	union rec *peer;
	int longest = -1;

	memcpy(key.peer.addr, addr, 16);
	peer = find(w, KNP_TABLE_PEER, &key);
	if (peer)
		return peer->peer.class_id;
	for (i = 0; i < w->n[KNP_TABLE_CIDR]; i++) {
		struct knp_rec_cidr *c = &w->rec[KNP_TABLE_CIDR][i].cidr;

		if (c->family == family && c->prefixlen > longest &&
		    has_prefix(addr, c->addr, c->prefixlen)) {
			longest = c->prefixlen;
			class_id = c->class_id;
		}
	}
	return class_id;
}

static __u32 twin_row(struct twin *w, __u32 set, __u32 class_id)
{
	union rec key = { .row = { .set = set, .class_id = class_id } };
	union rec *r = find(w, KNP_TABLE_ROW, &key);

	if (r)
		return r->row.portset;
	r = find_id(w, KNP_TABLE_SET, set);
	return r ? r->set.dflt : 0;
}

static __u32 twin_port(struct twin *w, __u32 portset, __u8 proto, __u16 port,
		       bool has_port)
{
	union rec *r = find_id(w, KNP_TABLE_PORTSET, portset);
	__u32 i, any = 0;

	for (i = 0; r && i < r->portset.head.nports; i++) {
		struct knp_rec_port *p = &r->portset.port[i];

		if (p->proto == 0)
			any = p->rule;
		if (p->proto != proto)
			continue;
		if (has_port ? p->lo <= port && port <= p->hi :
			       p->lo == 0 && p->hi == 65535)
			return p->rule;
	}
	return any;
}

/* ---- random records ---- */

static __u32 any_id(__u32 table)
{
	static const __u32 ids[] = {
		1, 2, 3, 4, 5, 14, 239, 240, 241, 1015, 1016, 1017, 14400,
	};
	__u32 i = below(ARRAY_SIZE(ids) + 3);

	if (i < ARRAY_SIZE(ids))
		return ids[i];
	return knp_tables_limit(table) - (i - ARRAY_SIZE(ids));
}

/* Sets mostly have the direction that goes with their id. */
static __u8 usual_direction(__u32 set)
{
	return set % 2 ? KNP_INGRESS : KNP_EGRESS;
}

static __u32 any_set(__u8 direction)
{
	__u32 set;

	if (chance(20))
		return 0;
	do {
		set = any_id(KNP_TABLE_SET);
	} while (usual_direction(set) != direction && chance(95));
	return set;
}

static void any_addr(__u8 *addr, __u8 *family)
{
	static const __u8 edges[] = { 0, 1, 62, 63, 64, 127, 128, 254, 255 };
	__u32 last;

	memset(addr, 0, 16);
	*family = chance(50) ? AF_INET : AF_INET6;
	last = *family == AF_INET ? 3 : 15;
	if (chance(5)) {
		memset(addr, chance(50) ? 0xff : 0, last + 1);
		return;
	}
	addr[0] = *family == AF_INET ? 10 : 0xfd;
	addr[last] = edges[below(ARRAY_SIZE(edges))];
	if (chance(60))
		addr[last - 1] = below(chance(50) ? 3 : 256);
	if (chance(30))
		addr[7 % (last + 1)] = below(4);
}

static void any_prefix(struct knp_rec_cidr *c)
{
	static const __u8 lens[] = { 0, 1, 8, 23, 24, 25, 26, 30, 31, 32 };
	static const __u8 lens6[] = {
		0, 1, 8, 32, 63, 64, 65, 112, 120, 121, 122, 126, 127, 128,
	};
	__u32 i;

	any_addr(c->addr, &c->family);
	c->prefixlen = c->family == AF_INET ? lens[below(ARRAY_SIZE(lens))] :
					      lens6[below(ARRAY_SIZE(lens6))];
	for (i = c->prefixlen; i < 128; i++)
		c->addr[i / 8] &= ~(0x80 >> i % 8);
}

static void any_ports(union rec *r)
{
	static const __u8 protos[] = { 0, 1, 6, 17, 132, 255 };
	__u32 i, lo;

	for (i = 0; i < ARRAY_SIZE(protos); i++) {
		__u8 proto = protos[i];

		if (chance(50))
			continue;
		for (lo = chance(30) ? 0 : below(1000); lo < 65536; ) {
			struct knp_rec_port *p;
			__u32 hi = lo + below(chance(50) ? 2 : 1000);

			if (r->portset.head.nports == PORTS_MAX)
				return;
			p = &r->portset.port[r->portset.head.nports++];
			p->rule = any_id(KNP_TABLE_RULE);
			p->proto = proto;
			if (proto != 6 && proto != 17 && proto != 132)
				lo = 0;
			p->lo = lo;
			if (!lo && (chance(30) || (proto != 6 && proto != 17 &&
						   proto != 132)))
				hi = 65535;
			p->hi = hi > 65535 || chance(10) ? 65535 : hi;
			if (chance(40))
				break;
			lo = p->hi + 1 + below(2) * below(100);
		}
	}
}

static union rec any_rec(__u32 table)
{
	union rec r;

	memset(&r, 0, sizeof(r));
	if (table <= KNP_TABLE_SET)
		r.id[0] = any_id(table);
	switch (table) {
	case KNP_TABLE_RULE:
		r.rule.tag[below(16)] = below(256);
		break;
	case KNP_TABLE_PORTSET:
		r.portset.head.tag[below(16)] = below(256);
		any_ports(&r);
		break;
	case KNP_TABLE_CLASS:
		r.class.tag[below(16)] = below(256);
		break;
	case KNP_TABLE_SET:
		r.set.tag[below(16)] = below(256);
		r.set.dflt = chance(40) ? 0 : any_id(KNP_TABLE_PORTSET);
		r.set.direction = usual_direction(r.set.id + chance(5));
		break;
	case KNP_TABLE_ROW:
		r.row.set = any_id(KNP_TABLE_SET);
		r.row.class_id = any_id(KNP_TABLE_CLASS);
		r.row.portset = any_id(KNP_TABLE_PORTSET);
		break;
	case KNP_TABLE_PEER:
		any_addr(r.peer.addr, &r.peer.family);
		r.peer.class_id = any_id(KNP_TABLE_CLASS);
		break;
	case KNP_TABLE_CIDR:
		any_prefix(&r.cidr);
		r.cidr.class_id = chance(20) ? 0 : any_id(KNP_TABLE_CLASS);
		break;
	case KNP_TABLE_ENDPOINT:
		any_addr(r.endpoint.addr, &r.endpoint.family);
		r.endpoint.egress_set = any_set(KNP_EGRESS);
		r.endpoint.ingress_set = any_set(KNP_INGRESS);
		break;
	case KNP_TABLE_IFACE:
		r.iface.ifindex = chance(50) ? 1 + below(200) :
					       0x7fffffff - below(3);
		r.iface.role = below(3);
		break;
	case KNP_TABLE_BINDING:
		any_addr(r.binding.addr, &r.binding.family);
		r.binding.ifindex = chance(50) ? 1 + below(200) :
						 KNP_BOUND_MAX - below(3);
		break;
	}
	return r;
}

/* ---- comparisons ---- */

static void compare_port(const struct knp_tables *t, struct twin *w)
{
	static const __u8 protos[] = { 1, 6, 17, 47, 132, 255 };
	static const __u16 edges[] = { 0, 1, 80, 999, 1000, 65534, 65535 };
	__u8 proto = protos[below(ARRAY_SIZE(protos))];
	__u32 portset = any_id(KNP_TABLE_PORTSET);
	union rec *r = find_id(w, KNP_TABLE_PORTSET, portset);
	__u16 port = edges[below(ARRAY_SIZE(edges))];
	bool has_port = chance(80);

	if (r && r->portset.head.nports && chance(70)) {
		struct knp_rec_port *p =
			&r->portset.port[below(r->portset.head.nports)];

		proto = p->proto ? p->proto : proto;
		port = (chance(50) ? p->lo : p->hi) + below(3) - 1;
	}
	assert_int_equal(knp_tables_port(t, portset, proto, port, has_port),
			 twin_port(w, portset, proto, port, has_port));
}

/* An address at the edge of something that is there, if possible. */
static void probe_addr(struct twin *w, __u8 family, __u8 *addr)
{
	__u32 last = family == AF_INET ? 3 : 15;
	__u8 other = family + 1;
	__u32 i, carry;

	while (other != family)
		any_addr(addr, &other);
	if (w->n[KNP_TABLE_CIDR] && chance(60)) {
		union rec *r = &w->rec[KNP_TABLE_CIDR]
				      [below(w->n[KNP_TABLE_CIDR])];

		if (r->cidr.family == family) {
			memcpy(addr, r->cidr.addr, 16);
			for (i = r->cidr.prefixlen; i <= last * 8 + 7; i++)
				addr[i / 8] |= 0x80 >> i % 8;
			if (chance(50))
				memcpy(addr, r->cidr.addr, 16);
		}
	}
	/* One more or one less, or as it is. */
	carry = below(3);
	for (i = last; carry == 1 && !++addr[i] && i; i--)
		;
	for (i = last; carry == 2 && !addr[i]-- && i; i--)
		;
}

static __u32 twin_set(struct twin *w, __u8 family, const __u8 *addr,
		      bool egress, bool *is_endpoint)
{
	union rec key = { .endpoint = { .family = family } };
	union rec *r;

	memcpy(key.endpoint.addr, addr, 16);
	r = find(w, KNP_TABLE_ENDPOINT, &key);
	*is_endpoint = r;
	if (!r)
		return 0;
	return egress ? r->endpoint.egress_set : r->endpoint.ingress_set;
}

static void compare_side(struct twin *w, const struct knp_flow *f,
			 const struct knp_side *side, __u32 set,
			 const __u8 *peer, __u8 family)
{
	assert_int_equal(side->set, set);
	if (!set) {
		assert_int_equal(side->class_id, 0);
		assert_int_equal(side->portset, 0);
		assert_int_equal(side->rule, 0);
		return;
	}
	assert_int_equal(side->class_id, twin_class(w, family, peer));
	assert_int_equal(side->portset, twin_row(w, set, side->class_id));
	assert_int_equal(side->rule, twin_port(w, side->portset, f->proto,
					       f->dport, f->has_port));
}

static void compare_match(const struct knp_tables *t, struct twin *w)
{
	__u8 family = chance(50) ? AF_INET : AF_INET6;
	struct knp_flow f = {
		.family = family == AF_INET ? KNP_V4 : KNP_V6,
		.proto = chance(70) ? 6 : 1,
		.dport = below(1200),
	};
	struct knp_verdict v;
	__u32 egress, ingress, i;
	bool is_endpoint;

	f.has_port = f.proto == 6;
	if (!f.has_port)
		f.dport = 0;
	probe_addr(w, family, f.src.b);
	probe_addr(w, family, f.dst.b);
	/* Mostly from and to endpoints, else there is little to judge. */
	for (i = 0; i < w->n[KNP_TABLE_ENDPOINT]; i++) {
		union rec *r = &w->rec[KNP_TABLE_ENDPOINT]
				      [below(w->n[KNP_TABLE_ENDPOINT])];

		if (r->endpoint.family == family && chance(70))
			memcpy(chance(50) ? f.src.b : f.dst.b,
			       r->endpoint.addr, 16);
		if (chance(20))
			break;
	}

	knp_match(t, &f, &v);
	if (!memcmp(f.src.b, f.dst.b, 16)) {
		assert_true(v.pass);
		assert_int_equal(v.reason, KNP_REASON_SELF);
		return;
	}
	egress = twin_set(w, family, f.src.b, true, &is_endpoint);
	ingress = twin_set(w, family, f.dst.b, false, &is_endpoint);
	compare_side(w, &f, &v.egress, egress, f.dst.b, family);
	compare_side(w, &f, &v.ingress, ingress, f.src.b, family);
	if (egress && !v.egress.rule)
		assert_int_equal(v.reason, KNP_REASON_EGRESS);
	else if (ingress && !v.ingress.rule)
		assert_int_equal(v.reason, KNP_REASON_INGRESS);
	else if (egress || ingress)
		assert_int_equal(v.reason, KNP_REASON_ALLOWED);
	else
		assert_int_equal(v.reason, KNP_REASON_NOT_ISOLATED);
	assert_int_equal(v.pass, v.reason != KNP_REASON_EGRESS &&
			 v.reason != KNP_REASON_INGRESS);
}

static void compare_addr(const struct knp_tables *t, struct twin *w)
{
	__u8 family = chance(50) ? AF_INET : AF_INET6;
	unsigned int index = family == AF_INET ? KNP_V4 : KNP_V6;
	__u32 egress, ingress, expected;
	bool is_endpoint, got;
	struct knp_addr addr;

	probe_addr(w, family, addr.b);
	assert_int_equal(knp_tables_class(t, index, &addr),
			 twin_class(w, family, addr.b));
	expected = twin_set(w, family, addr.b, true, &is_endpoint);
	got = knp_tables_endpoint(t, index, &addr, &egress, &ingress);
	assert_int_equal(got, is_endpoint);
	assert_int_equal(egress, expected);
	assert_int_equal(ingress, twin_set(w, family, addr.b, false,
					   &is_endpoint));
}

static void compare_bound(const struct knp_tables *t, struct twin *w)
{
	union rec key = any_rec(KNP_TABLE_BINDING);
	union rec *r = find(w, KNP_TABLE_BINDING, &key);
	bool is = find(w, KNP_TABLE_ENDPOINT, &key);
	struct knp_addr addr;
	__u32 ifindex;

	memcpy(addr.b, key.binding.addr, sizeof(addr.b));
	assert_int_equal(knp_tables_bound(t, key.binding.family == AF_INET ?
					  KNP_V4 : KNP_V6, &addr, &ifindex), is);
	assert_int_equal(ifindex, is && r ? r->binding.ifindex : 0);
}

static void compare_rest(const struct knp_tables *t, struct twin *w)
{
	__u32 set = any_id(KNP_TABLE_SET), class_id = any_id(KNP_TABLE_CLASS);
	union rec iface = any_rec(KNP_TABLE_IFACE);
	union rec *r = find(w, KNP_TABLE_IFACE, &iface);

	assert_int_equal(knp_tables_row(t, set, class_id),
			 twin_row(w, set, class_id));
	assert_int_equal(knp_tables_role(t, iface.iface.ifindex),
			 r ? r->iface.role : KNP_ROLE_OTHER);
	r = find_id(w, KNP_TABLE_CLASS, class_id);
	if (r)
		assert_memory_equal(knp_tables_tag(t, KNP_TABLE_CLASS,
						   class_id), r->class.tag, 16);
	else
		assert_null(knp_tables_tag(t, KNP_TABLE_CLASS, class_id));
}

static int by_id(const void *a, const void *b)
{
	const union rec *x = a, *y = b;

	if (x->id[0] != y->id[0])
		return x->id[0] < y->id[0] ? -1 : 1;
	return x->id[1] < y->id[1] ? -1 : x->id[1] > y->id[1];
}

static void twin_dump(const struct twin *w, struct dump *d)
{
	__u32 table, i;

	memset(d, 0, sizeof(*d));
	for (table = 1; table <= KNP_TABLE_MAX; table++) {
		union rec *recs = calloc(w->n[table] + 1, sizeof(*recs));

		d->buf[table] = malloc((w->n[table] + 1) * sizeof(*recs));
		assert_non_null(recs);
		assert_non_null(d->buf[table]);
		memcpy(recs, w->rec[table], w->n[table] * sizeof(*recs));
		if (table <= KNP_TABLE_ROW)
			qsort(recs, w->n[table], sizeof(*recs), by_id);
		for (i = 0; i < w->n[table]; i++) {
			size_t size = rec_size(table, &recs[i]);

			memcpy(d->buf[table] + d->len[table], &recs[i], size);
			d->len[table] += size;
		}
		free(recs);
	}
	dump_sort(d);
}

static void compare(const struct knp_tables *t, struct twin *w)
{
	struct dump got, expected;
	__u32 i;

	for (i = 1; i <= KNP_TABLE_MAX; i++)
		assert_int_equal(knp_tables_count(t, i), w->n[i]);
	dump_get(&got, t, ROOM + below(999));
	dump_sort(&got);
	twin_dump(w, &expected);
	dump_assert_equal(&got, &expected);
	dump_free(&got);
	dump_free(&expected);
	for (i = 0; i < PROBES; i++) {
		compare_addr(t, w);
		compare_port(t, w);
		compare_rest(t, w);
		compare_bound(t, w);
		compare_match(t, w);
	}
}

/* ---- transactions ---- */

static void step(struct knp_tables *t, struct twin *w, __u32 puts)
{
	__u32 table = 1 + below(KNP_TABLE_MAX);
	union rec r = any_rec(table);
	int expected, got;

	/* What is there is deleted more often than what is not. */
	if (!chance(puts)) {
		if (w->n[table] && chance(90))
			r = w->rec[table][below(w->n[table])];
		expected = twin_delete(w, table, &r);
		got = delete(t, table, &r, table == KNP_TABLE_PORTSET ?
			     sizeof(r.portset.head) : rec_size(table, &r));
	} else {
		if (w->n[table] == RECS_MAX)
			return;
		expected = twin_put(w, table, &r);
		got = put(t, table, &r, rec_size(table, &r));
	}
	assert_int_equal(got, expected);
}

static void unpin(struct pinned *p)
{
	struct dump now;

	if (!p->t)
		return;
	dump_get(&now, p->t, ROOM);
	dump_assert_equal(&p->dump, &now);
	dump_free(&now);
	dump_free(&p->dump);
	knp_tables_free(p->t);
	p->t = NULL;
}

static void pin(struct pinned *p, struct knp_tables *t)
{
	unpin(p);
	p->t = t;
	dump_get(&p->dump, t, ROOM);
}

static void a_table_does_what_its_naive_twin_does(void **state)
{
	struct twin *now = calloc(1, sizeof(*now));
	struct twin *next = calloc(1, sizeof(*next));
	const char *env = getenv("KNP_ROUNDS");
	struct pinned pinned[PINNED_MAX] = { 0 };
	struct knp_tables *t = knp_tables_new();
	long rounds = env ? atol(env) : ROUNDS;
	long steps = 0;
	__u32 puts = 90;
	__u32 i;

	(void)state;
	assert_non_null(now);
	assert_non_null(next);
	assert_non_null(t);
	while (rounds--) {
		struct knp_tables *clone = knp_tables_clone(t);
		__u32 n = below(chance(30) ? 400 : 10);

		assert_non_null(clone);
		memcpy(next, now, sizeof(*next));
		/* Filled, emptied, filled again: maps grow and shrink. */
		if (chance(5))
			puts = chance(60) ? 90 : 30;
		for (steps += n; n; n--)
			step(clone, next, puts);
		assert_int_equal(knp_tables_freeze(clone), 0);
		compare(clone, next);
		if (chance(30)) {
			knp_tables_free(clone);
			compare(t, now);
			continue;
		}
		pin(&pinned[below(PINNED_MAX)], t);
		t = clone;
		memcpy(now, next, sizeof(*now));
	}

	printf("# %ld steps; at the end %u peers, %u cidrs, %u endpoints\n",
	       steps, now->n[KNP_TABLE_PEER], now->n[KNP_TABLE_CIDR],
	       now->n[KNP_TABLE_ENDPOINT]);
	for (i = 0; i < PINNED_MAX; i++)
		unpin(&pinned[i]);
	knp_tables_free(t);
	assert_int_equal(knp_shim_live, 0);
	free(now);
	free(next);
}

static int setup(void **state)
{
	(void)state;
	dice_init(&dice);
	knp_shim_seed = dice.state;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_does_what_its_naive_twin_does),
	};

	return cmocka_run_group_tests_name("table_twin", tests, setup, NULL);
}
