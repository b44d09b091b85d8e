// SPDX-License-Identifier: Apache-2.0
#include "tables.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/slab.h>

#include "lookup.h"

const struct knp_rec_port any_port = { .rule = 1, .hi = 65535 };

static const char *last_refusal;

void dice_init(struct dice *d)
{
	const char *env = getenv("KNP_SEED");

	d->state = env ? strtoull(env, NULL, 0) :
			 (__u64)time(NULL) << 16 ^ (__u64)getpid();
	printf("# KNP_SEED=%llu\n", (unsigned long long)d->state);
}

/* splitmix64 */
__u32 dice_below(struct dice *d, __u32 n)
{
	__u64 z = d->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	z ^= z >> 31;
	return (z >> 32) * n >> 32;
}

/* A refusal must say why and where, an acceptance must count. */
static int check(int ret, struct knp_refusal *why, size_t len)
{
	if (ret < 0) {
		assert_non_null(why->msg);
		assert_true(strlen(why->msg) > 5);
		assert_true(!len || why->offset < len);
	} else {
		assert_null(why->msg);
		assert_true(ret > 0);
	}
	last_refusal = why->msg;
	return ret;
}

int put(struct knp_tables *t, __u32 table, const void *recs, size_t len)
{
	struct knp_refusal why = { 0 };

	return check(knp_tables_put(t, table, recs, len, &why), &why, len);
}

int delete(struct knp_tables *t, __u32 table, const void *recs, size_t len)
{
	struct knp_refusal why = { 0 };

	return check(knp_tables_delete(t, table, recs, len, &why), &why, len);
}

int delete_id(struct knp_tables *t, __u32 table, __u32 id)
{
	__u8 rec[64] = { 0 };

	memcpy(rec, &id, sizeof(id));
	return delete(t, table, rec, rec_size(table, rec));
}

int delete_row(struct knp_tables *t, __u32 set, __u32 class_id)
{
	struct knp_rec_row rec = { .set = set, .class_id = class_id };

	return DELETE(t, KNP_TABLE_ROW, rec);
}

const char *refusal(void)
{
	return last_refusal;
}

int put_rule(struct knp_tables *t, __u32 id)
{
	return PUT(t, KNP_TABLE_RULE, (struct knp_rec_rule){
		.id = id, .tag = { 'r', id },
	});
}

int put_class(struct knp_tables *t, __u32 id)
{
	return PUT(t, KNP_TABLE_CLASS, (struct knp_rec_class){
		.id = id, .tag = { 'c', id },
	});
}

int put_set(struct knp_tables *t, __u32 id, __u8 direction, __u32 dflt)
{
	return PUT(t, KNP_TABLE_SET, (struct knp_rec_set){
		.id = id, .dflt = dflt, .direction = direction,
		.tag = { 's', id },
	});
}

int put_row(struct knp_tables *t, __u32 set, __u32 class_id, __u32 portset)
{
	return PUT(t, KNP_TABLE_ROW, (struct knp_rec_row){
		set, class_id, portset,
	});
}

int put_peer(struct knp_tables *t, const char *addr, __u32 class_id)
{
	struct knp_rec_peer rec = { .class_id = class_id };

	rec.family = parse(addr, rec.addr);
	return PUT(t, KNP_TABLE_PEER, rec);
}

int put_cidr(struct knp_tables *t, const char *addr, __u8 len, __u32 class_id)
{
	struct knp_rec_cidr rec = { .prefixlen = len, .class_id = class_id };

	rec.family = parse(addr, rec.addr);
	return PUT(t, KNP_TABLE_CIDR, rec);
}

int put_endpoint(struct knp_tables *t, const char *addr, __u32 egress,
		 __u32 ingress)
{
	struct knp_rec_endpoint rec = {
		.egress_set = egress, .ingress_set = ingress,
	};

	rec.family = parse(addr, rec.addr);
	return PUT(t, KNP_TABLE_ENDPOINT, rec);
}

int put_iface(struct knp_tables *t, __u32 ifindex, __u8 role)
{
	return PUT(t, KNP_TABLE_IFACE, (struct knp_rec_iface){
		.ifindex = ifindex, .role = role,
	});
}

int put_binding(struct knp_tables *t, const char *addr, __u32 ifindex)
{
	struct knp_rec_binding rec = { .ifindex = ifindex };

	rec.family = parse(addr, rec.addr);
	return PUT(t, KNP_TABLE_BINDING, rec);
}

int put_ports(struct knp_tables *t, __u32 id, const struct knp_rec_port *ports,
	      __u32 n)
{
	struct knp_rec_portset rec = {
		.id = id, .nports = n, .tag = { 'p', id },
	};
	size_t len = sizeof(rec) + n * sizeof(*ports);
	__u8 *buf = malloc(len);
	int ret;

	assert_non_null(buf);
	memcpy(buf, &rec, sizeof(rec));
	if (n)
		memcpy(buf + sizeof(rec), ports, n * sizeof(*ports));
	ret = put(t, KNP_TABLE_PORTSET, buf, len);
	free(buf);
	return ret;
}

__u32 knp_tables_class(const struct knp_tables *t, unsigned int family,
		       const struct knp_addr *addr)
{
	return family == KNP_V4 ? knp_look_class(t, false, addr) :
				  knp_look_class(t, true, addr);
}

/* As an endpoint would have it, that is bound to the set. */
__u32 knp_tables_row(const struct knp_tables *t, __u32 set, __u32 class_id)
{
	const struct knp_set *s = knp_set_at(t, set);
	struct knp_cell cell = { 0 };

	if (!s)
		return 0;
	cell.dflt[0] = s->dflt;
	knp_row_bind(s->row, cell.page[0], &cell.last[0]);
	return knp_look_row(&cell, 0, class_id);
}

__u32 knp_tables_port(const struct knp_tables *t, __u32 portset, __u8 proto,
		      __u16 port, bool has_port)
{
	if (!knp_portset_at(t, portset))
		return 0;
	return knp_look_rule(t, false, portset, proto, port, has_port);
}

__u8 parse(const char *text, __u8 *addr)
{
	__u8 family = strchr(text, ':') ? AF_INET6 : AF_INET;

	assert_int_equal(inet_pton(family, text, addr), 1);
	return family;
}

struct knp_addr address(const char *text)
{
	struct knp_addr addr = { 0 };

	parse(text, addr.b);
	return addr;
}

__u32 class_of(const struct knp_tables *t, const char *text)
{
	struct knp_addr addr = address(text);

	return knp_tables_class(t, strchr(text, ':') ? KNP_V6 : KNP_V4, &addr);
}

void fill(struct knp_tables *t)
{
	const struct knp_rec_port http[] = {
		{ .rule = 2, .proto = 6, .lo = 80, .hi = 89 },
		{ .rule = 1, .proto = 17, .lo = 53, .hi = 53 },
	};

	assert_int_equal(put_rule(t, 1), 1);
	assert_int_equal(put_rule(t, 2), 1);
	assert_int_equal(put_ports(t, 1, &any_port, 1), 1);
	assert_int_equal(put_ports(t, 2, http, 2), 1);
	assert_int_equal(put_class(t, 1), 1);
	assert_int_equal(put_class(t, 2), 1);
	assert_int_equal(put_class(t, 3), 1);
	assert_int_equal(put_set(t, 1, KNP_EGRESS, 0), 1);
	assert_int_equal(put_set(t, 2, KNP_INGRESS, 1), 1);
	assert_int_equal(put_row(t, 1, 1, 2), 1);
	assert_int_equal(put_row(t, 2, 2, 2), 1);
	assert_int_equal(put_peer(t, "10.0.0.1", 1), 1);
	assert_int_equal(put_peer(t, "fd00::1", 2), 1);
	assert_int_equal(put_cidr(t, "10.0.0.0", 8, 3), 1);
	assert_int_equal(put_cidr(t, "10.1.0.0", 16, 0), 1);
	assert_int_equal(put_cidr(t, "fd00::", 64, 3), 1);
	assert_int_equal(put_endpoint(t, "10.0.0.1", 1, 2), 1);
	assert_int_equal(put_endpoint(t, "fd00::1", 0, 2), 1);
	assert_int_equal(put_iface(t, 7, KNP_ROLE_POD), 1);
	assert_int_equal(put_iface(t, 0x7fffffff, KNP_ROLE_OTHER), 1);
	assert_int_equal(put_binding(t, "10.0.0.1", 7), 1);
	assert_int_equal(put_binding(t, "fd00::1", 7), 1);
}

void freeze(struct knp_tables *t)
{
	assert_int_equal(knp_tables_freeze(t), 0);
}

static void dump_table(struct dump *d, const struct knp_tables *t,
		       __u32 table, size_t room)
{
	struct knp_cursor cur = { 0 };
	size_t n;

	for (;;) {
		d->buf[table] = realloc(d->buf[table], d->len[table] + room);
		assert_non_null(d->buf[table]);
		n = knp_tables_next(t, table, &cur,
				    d->buf[table] + d->len[table], room);
		if (!n)
			return;
		assert_true(n <= room);
		d->len[table] += n;
	}
}

void dump_get(struct dump *d, const struct knp_tables *t, size_t room)
{
	__u32 table;

	memset(d, 0, sizeof(*d));
	for (table = 1; table <= KNP_TABLE_MAX; table++)
		dump_table(d, t, table, room);
}

void dump_free(struct dump *d)
{
	__u32 table;

	for (table = 1; table <= KNP_TABLE_MAX; table++)
		free(d->buf[table]);
}

void dump_assert_equal(const struct dump *a, const struct dump *b)
{
	__u32 table;

	for (table = 1; table <= KNP_TABLE_MAX; table++) {
		assert_int_equal(a->len[table], b->len[table]);
		if (a->len[table])
			assert_memory_equal(a->buf[table], b->buf[table],
					    a->len[table]);
	}
}

size_t rec_size(__u32 table, const void *rec)
{
	const struct knp_rec_portset *portset = rec;

	switch (table) {
	case KNP_TABLE_RULE:
		return sizeof(struct knp_rec_rule);
	case KNP_TABLE_PORTSET:
		return sizeof(*portset) +
		       portset->nports * sizeof(struct knp_rec_port);
	case KNP_TABLE_CLASS:
		return sizeof(struct knp_rec_class);
	case KNP_TABLE_SET:
		return sizeof(struct knp_rec_set);
	case KNP_TABLE_ROW:
		return sizeof(struct knp_rec_row);
	case KNP_TABLE_PEER:
		return sizeof(struct knp_rec_peer);
	case KNP_TABLE_CIDR:
		return sizeof(struct knp_rec_cidr);
	case KNP_TABLE_ENDPOINT:
		return sizeof(struct knp_rec_endpoint);
	case KNP_TABLE_BINDING:
		return sizeof(struct knp_rec_binding);
	default:
		return sizeof(struct knp_rec_iface);
	}
}

static int compare_peers(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct knp_rec_peer));
}

static int compare_endpoints(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct knp_rec_endpoint));
}

static int compare_ifaces(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct knp_rec_iface));
}

static void sort_table(struct dump *d, __u32 table, size_t size,
		       int (*compare)(const void *a, const void *b))
{
	assert_int_equal(d->len[table] % size, 0);
	qsort(d->buf[table], d->len[table] / size, size, compare);
}

void dump_sort(struct dump *d)
{
	/* A cidr and a binding are as long as a peer. */
	sort_table(d, KNP_TABLE_PEER, 24, compare_peers);
	sort_table(d, KNP_TABLE_CIDR, 24, compare_peers);
	sort_table(d, KNP_TABLE_BINDING, 24, compare_peers);
	sort_table(d, KNP_TABLE_ENDPOINT, sizeof(struct knp_rec_endpoint),
		   compare_endpoints);
	sort_table(d, KNP_TABLE_IFACE, sizeof(struct knp_rec_iface),
		   compare_ifaces);
}

void dump_put(const struct dump *d, struct knp_tables *t)
{
	__u32 table;

	for (table = 1; table <= KNP_TABLE_MAX; table++) {
		if (d->len[table])
			assert_true(put(t, table, d->buf[table],
					d->len[table]) > 0);
	}
}
