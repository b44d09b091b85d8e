// SPDX-License-Identifier: Apache-2.0
/* Tables: refusals, references, limits, lookups, dumps. */
#include "tables.h"

#include <string.h>

#include <linux/slab.h>

#include "mem.h"
#include "table_impl.h"

static int setup(void **state)
{
	*state = knp_tables_new();
	return !*state;
}

static int teardown(void **state)
{
	knp_tables_free(*state);
	return knp_shim_live != 0 || atomic_long_read(&knp_mem_bytes) != 0;
}

#define REFUSES(call, err) do { \
	assert_int_equal(call, -(err)); \
	assert_non_null(refusal()); \
} while (0)

static void an_empty_table_answers_nothing(void **state)
{
	struct knp_tables *t = *state;
	struct knp_addr addr = address("10.0.0.1");
	__u32 egress = 9, ingress = 9;
	struct dump d;
	__u32 table;

	freeze(t);
	assert_false(knp_tables_endpoint(t, KNP_V4, &addr, &egress, &ingress));
	assert_int_equal(egress, 0);
	assert_int_equal(ingress, 0);
	assert_int_equal(class_of(t, "10.0.0.1"), 0);
	assert_int_equal(class_of(t, "::"), 0);
	assert_int_equal(knp_tables_row(t, 1, 1), 0);
	assert_int_equal(knp_tables_port(t, 0, 6, 80, true), 0);
	assert_int_equal(knp_tables_role(t, 1), KNP_ROLE_OTHER);
	assert_null(knp_tables_tag(t, KNP_TABLE_RULE, 1));
	dump_get(&d, t, ROOM);
	for (table = 0; table <= KNP_TABLE_MAX + 1; table++)
		assert_int_equal(knp_tables_count(t, table), 0);
	for (table = 1; table <= KNP_TABLE_MAX; table++)
		assert_int_equal(d.len[table], 0);
	dump_free(&d);
}

static void lookups_find_what_was_put(void **state)
{
	struct knp_tables *t = *state;
	struct knp_addr addr = address("10.0.0.1");
	__u32 egress, ingress;

	fill(t);
	freeze(t);
	assert_true(knp_tables_endpoint(t, KNP_V4, &addr, &egress, &ingress));
	assert_int_equal(egress, 1);
	assert_int_equal(ingress, 2);
	/* The families are apart: the same bytes are no IPv6 endpoint. */
	assert_false(knp_tables_endpoint(t, KNP_V6, &addr, &egress, &ingress));
	assert_int_equal(class_of(t, "10.0.0.1"), 1);
	assert_int_equal(class_of(t, "10.0.0.2"), 3);
	assert_int_equal(class_of(t, "10.1.0.2"), 0);
	assert_int_equal(class_of(t, "11.0.0.0"), 0);
	assert_int_equal(class_of(t, "fd00::1"), 2);
	assert_int_equal(class_of(t, "fd00::2"), 3);
	assert_int_equal(class_of(t, "fd00:0:0:1::"), 0);
	assert_int_equal(knp_tables_row(t, 1, 1), 2);
	assert_int_equal(knp_tables_row(t, 1, 2), 0);
	assert_int_equal(knp_tables_row(t, 2, 1), 1);
	assert_int_equal(knp_tables_row(t, 2, 65535), 1);
	assert_int_equal(knp_tables_role(t, 7), KNP_ROLE_POD);
	assert_int_equal(knp_tables_role(t, 8), KNP_ROLE_OTHER);
	assert_memory_equal(knp_tables_tag(t, KNP_TABLE_SET, 2), "s\2", 2);
	assert_null(knp_tables_tag(t, KNP_TABLE_SET, 3));
	assert_null(knp_tables_tag(t, KNP_TABLE_ROW, 1));
	assert_null(knp_tables_tag(t, 0, 1));
	assert_int_equal(knp_tables_count(t, KNP_TABLE_PORTSET), 2);
	assert_int_equal(knp_tables_count(t, KNP_TABLE_CIDR), 3);
}

static void ports_match_by_protocol_range_and_presence(void **state)
{
	struct knp_tables *t = *state;
	const struct knp_rec_port ports[] = {
		{ .rule = 1, .proto = 1, .hi = 65535 },
		{ .rule = 2, .proto = 6, .lo = 80, .hi = 80 },
		{ .rule = 3, .proto = 6, .lo = 81, .hi = 90 },
		{ .rule = 4, .proto = 6, .lo = 65535, .hi = 65535 },
		{ .rule = 5, .proto = 17, .lo = 0, .hi = 65535 },
		{ .rule = 6, .proto = 132, .lo = 0, .hi = 0 },
	};
	struct knp_rec_port with_any[7] = { { .rule = 7, .hi = 65535 } };
	__u32 id;

	memcpy(with_any + 1, ports, sizeof(ports));
	for (id = 1; id <= 7; id++)
		put_rule(t, id);
	assert_int_equal(put_ports(t, 1, ports, 6), 1);
	assert_int_equal(put_ports(t, 2, with_any, 7), 1);
	assert_int_equal(put_ports(t, 3, with_any, 1), 1);
	assert_int_equal(put_ports(t, 4, NULL, 0), 1);
	freeze(t);
	for (id = 1; id <= 2; id++) {
		__u32 any = id == 2 ? 7 : 0;

		assert_int_equal(knp_tables_port(t, id, 1, 0, false), 1);
		assert_int_equal(knp_tables_port(t, id, 6, 79, true), any);
		assert_int_equal(knp_tables_port(t, id, 6, 80, true), 2);
		assert_int_equal(knp_tables_port(t, id, 6, 81, true), 3);
		assert_int_equal(knp_tables_port(t, id, 6, 90, true), 3);
		assert_int_equal(knp_tables_port(t, id, 6, 91, true), any);
		assert_int_equal(knp_tables_port(t, id, 6, 65535, true), 4);
		assert_int_equal(knp_tables_port(t, id, 6, 80, false), any);
		assert_int_equal(knp_tables_port(t, id, 17, 0, true), 5);
		assert_int_equal(knp_tables_port(t, id, 17, 9, false), 5);
		assert_int_equal(knp_tables_port(t, id, 132, 0, true), 6);
		assert_int_equal(knp_tables_port(t, id, 132, 0, false), any);
		assert_int_equal(knp_tables_port(t, id, 132, 1, true), any);
		assert_int_equal(knp_tables_port(t, id, 47, 0, false), any);
		assert_int_equal(knp_tables_port(t, id, 255, 0, false), any);
		assert_int_equal(knp_tables_port(t, id, 0, 0, false), any);
	}
	assert_int_equal(knp_tables_port(t, 3, 6, 1, true), 7);
	assert_int_equal(knp_tables_port(t, 3, 6, 1, false), 7);
	assert_int_equal(knp_tables_port(t, 4, 6, 1, true), 0);
	assert_int_equal(knp_tables_port(t, 5, 6, 1, true), 0);
}

static void arguments_that_are_no_records_are_refused(void **state)
{
	struct knp_tables *t = *state;
	struct knp_rec_class recs[2] = { { .id = 1 }, { .id = 0 } };
	struct knp_refusal why = { 0 };

	REFUSES(put(t, 0, recs, sizeof(recs)), EINVAL);
	REFUSES(put(t, KNP_TABLE_MAX + 1, recs, sizeof(recs)), EINVAL);
	REFUSES(put(t, KNP_TABLE_CLASS, recs, 0), EINVAL);
	REFUSES(put(t, KNP_TABLE_CLASS, recs, sizeof(recs) - 1), EINVAL);
	REFUSES(delete(t, 0, recs, sizeof(recs)), EINVAL);
	REFUSES(delete(t, KNP_TABLE_CLASS, recs, 0), EINVAL);

	assert_int_equal(knp_tables_put(t, KNP_TABLE_CLASS, recs, sizeof(recs),
					&why), -EINVAL);
	assert_int_equal(why.offset, sizeof(recs[0]));
}

static void a_frozen_table_refuses_changes(void **state)
{
	struct knp_tables *t = *state;

	fill(t);
	freeze(t);
	REFUSES(put_rule(t, 3), EINVAL);
	REFUSES(delete_id(t, KNP_TABLE_IFACE, 7), EINVAL);
}

static void ids_are_between_one_and_the_limit(void **state)
{
	struct knp_tables *t = *state;

	REFUSES(put_rule(t, 0), EINVAL);
	REFUSES(put_rule(t, KNP_RULES_MAX + 1), E2BIG);
	REFUSES(put_rule(t, 0xffffffff), E2BIG);
	assert_int_equal(put_rule(t, KNP_RULES_MAX - 1), 1);
	assert_int_equal(put_rule(t, KNP_RULES_MAX), 1);
	REFUSES(put_class(t, 0), EINVAL);
	REFUSES(put_class(t, KNP_CLASSES_MAX + 1), E2BIG);
	assert_int_equal(put_class(t, KNP_CLASSES_MAX - 1), 1);
	assert_int_equal(put_class(t, KNP_CLASSES_MAX), 1);
	REFUSES(put_ports(t, 0, NULL, 0), EINVAL);
	REFUSES(put_ports(t, KNP_PORTSETS_MAX + 1, NULL, 0), E2BIG);
	assert_int_equal(put_ports(t, KNP_PORTSETS_MAX - 1, NULL, 0), 1);
	assert_int_equal(put_ports(t, KNP_PORTSETS_MAX, NULL, 0), 1);
	REFUSES(put_set(t, 0, KNP_EGRESS, 0), EINVAL);
	REFUSES(put_set(t, KNP_SETS_MAX + 1, KNP_EGRESS, 0), E2BIG);
	assert_int_equal(put_set(t, KNP_SETS_MAX - 1, KNP_EGRESS, 0), 1);
	assert_int_equal(put_set(t, KNP_SETS_MAX, KNP_EGRESS, 0), 1);
	assert_int_equal(put_row(t, KNP_SETS_MAX, KNP_CLASSES_MAX,
				 KNP_PORTSETS_MAX), 1);
	freeze(t);
	assert_int_equal(knp_tables_row(t, KNP_SETS_MAX, KNP_CLASSES_MAX),
			 KNP_PORTSETS_MAX);
}

static void malformed_ports_are_refused(void **state)
{
	struct knp_tables *t = *state;
	static const struct {
		int err;
		struct knp_rec_port ports[2];
	} bad[] = {
		{ EINVAL, { { 1, 2, 1, 6, { 0 } } } },
		{ EINVAL, { { 1, 1, 2, 6, { 1 } } } },
		{ EINVAL, { { 1, 1, 2, 6, { 0, 0, 1 } } } },
		{ EINVAL, { { 1, 0, 1, 0, { 0 } } } },
		{ EINVAL, { { 1, 1, 65535, 0, { 0 } } } },
		{ EINVAL, { { 1, 0, 0, 1, { 0 } } } },
		{ EINVAL, { { 0, 0, 0, 6, { 0 } } } },
		{ ENOENT, { { 2, 0, 0, 6, { 0 } } } },
		{ ENOENT, { { 65536 + 1, 0, 0, 6, { 0 } } } },
		{ EINVAL, { { 1, 1, 5, 6, { 0 } }, { 1, 5, 6, 6, { 0 } } } },
		{ EINVAL, { { 1, 1, 5, 6, { 0 } }, { 1, 2, 3, 6, { 0 } } } },
		{ EINVAL, { { 1, 5, 5, 6, { 0 } }, { 1, 4, 4, 6, { 0 } } } },
		{ EINVAL, { { 1, 5, 5, 17, { 0 } }, { 1, 6, 6, 6, { 0 } } } },
		{ EINVAL, { { 1, 0, 65535, 0, { 0 } },
			    { 1, 0, 65535, 0, { 0 } } } },
		{ EINVAL, { { 1, 0, 65535, 6, { 0 } },
			    { 1, 0, 65535, 0, { 0 } } } },
	};
	size_t i;

	put_rule(t, 1);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		REFUSES(put_ports(t, 1, bad[i].ports,
				  bad[i].ports[1].rule ? 2 : 1), bad[i].err);
	assert_int_equal(knp_tables_count(t, KNP_TABLE_PORTSET), 0);
	/* None of them left a reference behind. */
	assert_int_equal(delete_id(t, KNP_TABLE_RULE, 1), 1);
}

static void portsets_that_are_cut_off_or_too_long_are_refused(void **state)
{
	struct knp_tables *t = *state;
	struct knp_rec_port ports[KNP_PORTS_MAX + 1] = { 0 };
	struct {
		struct knp_rec_portset head;
		struct knp_rec_port port;
	} rec = { { .id = 1, .nports = 2 }, any_port };
	__u32 i;

	put_rule(t, 1);
	REFUSES(PUT(t, KNP_TABLE_PORTSET, rec), EINVAL);
	rec.head.nports = 0xffffffff;
	REFUSES(PUT(t, KNP_TABLE_PORTSET, rec), E2BIG);
	rec.head.nports = 1;
	assert_int_equal(PUT(t, KNP_TABLE_PORTSET, rec), 1);

	for (i = 0; i <= KNP_PORTS_MAX; i++)
		ports[i] = (struct knp_rec_port){
			.rule = 1, .proto = 6, .lo = 2 * i, .hi = 2 * i,
		};
	REFUSES(put_ports(t, 2, ports, KNP_PORTS_MAX + 1), E2BIG);
	assert_int_equal(put_ports(t, 2, ports, KNP_PORTS_MAX), 1);
	freeze(t);
	for (i = 0; i < KNP_PORTS_MAX; i++) {
		assert_int_equal(knp_tables_port(t, 2, 6, 2 * i, true), 1);
		assert_int_equal(knp_tables_port(t, 2, 6, 2 * i + 1, true), 0);
	}
}

static void malformed_sets_and_rows_are_refused(void **state)
{
	struct knp_tables *t = *state;

	fill(t);
	REFUSES(put_set(t, 3, 0, 0), EINVAL);
	REFUSES(put_set(t, 3, KNP_INGRESS + 1, 0), EINVAL);
	REFUSES(put_set(t, 3, KNP_INGRESS, 9), ENOENT);
	REFUSES(put_set(t, 3, KNP_INGRESS, 65537), ENOENT);
	REFUSES(put_set(t, 1, KNP_INGRESS, 0), EINVAL);
	REFUSES(PUT(t, KNP_TABLE_SET, (struct knp_rec_set){
		.id = 3, .direction = KNP_EGRESS, .pad = { 0, 1 } }), EINVAL);
	REFUSES(put_row(t, 0, 1, 1), EINVAL);
	REFUSES(put_row(t, 3, 1, 1), ENOENT);
	REFUSES(put_row(t, 1, 0, 1), EINVAL);
	REFUSES(put_row(t, 1, 4, 1), ENOENT);
	REFUSES(put_row(t, 1, 65537, 1), ENOENT);
	REFUSES(put_row(t, 1, 1, 0), EINVAL);
	REFUSES(put_row(t, 1, 1, 3), ENOENT);
	REFUSES(put_row(t, 1, 1, 65537), ENOENT);
	assert_int_equal(knp_tables_count(t, KNP_TABLE_SET), 2);
	assert_int_equal(knp_tables_count(t, KNP_TABLE_ROW), 2);
}

static void malformed_addresses_are_refused(void **state)
{
	struct knp_tables *t = *state;
	struct knp_rec_peer peer = { .family = AF_INET, .class_id = 1 };
	struct knp_rec_endpoint ep = { .family = AF_INET };

	fill(t);
	peer.family = 0;
	REFUSES(PUT(t, KNP_TABLE_PEER, peer), EINVAL);
	REFUSES(DELETE(t, KNP_TABLE_PEER, peer), EINVAL);
	peer.family = AF_INET;
	peer.pad[2] = 1;
	REFUSES(PUT(t, KNP_TABLE_PEER, peer), EINVAL);
	peer.pad[2] = 0;
	peer.addr[4] = 1;
	REFUSES(PUT(t, KNP_TABLE_PEER, peer), EINVAL);
	REFUSES(DELETE(t, KNP_TABLE_PEER, peer), EINVAL);
	peer.addr[4] = 0;
	peer.class_id = 0;
	REFUSES(PUT(t, KNP_TABLE_PEER, peer), EINVAL);
	peer.class_id = 4;
	REFUSES(PUT(t, KNP_TABLE_PEER, peer), ENOENT);

	ep.addr[15] = 1;
	REFUSES(PUT(t, KNP_TABLE_ENDPOINT, ep), EINVAL);
	REFUSES(DELETE(t, KNP_TABLE_ENDPOINT, ep), EINVAL);
	ep.addr[15] = 0;
	ep.pad[0] = 1;
	REFUSES(PUT(t, KNP_TABLE_ENDPOINT, ep), EINVAL);
	ep.pad[0] = 0;
	ep.family = 255;
	REFUSES(PUT(t, KNP_TABLE_ENDPOINT, ep), EINVAL);
	REFUSES(put_endpoint(t, "10.0.0.9", 2, 0), EINVAL);
	REFUSES(put_endpoint(t, "10.0.0.9", 0, 1), EINVAL);
	REFUSES(put_endpoint(t, "10.0.0.9", 3, 0), ENOENT);
	REFUSES(put_endpoint(t, "10.0.0.9", 0, 65538), ENOENT);
	assert_int_equal(knp_tables_count(t, KNP_TABLE_PEER), 2);
	assert_int_equal(knp_tables_count(t, KNP_TABLE_ENDPOINT), 2);
}

static void malformed_prefixes_are_refused(void **state)
{
	struct knp_tables *t = *state;
	struct knp_rec_cidr rec = { .family = AF_INET, .pad = { 0, 1 } };

	fill(t);
	REFUSES(PUT(t, KNP_TABLE_CIDR, rec), EINVAL);
	rec.pad[1] = 0;
	rec.family = 3;
	REFUSES(PUT(t, KNP_TABLE_CIDR, rec), EINVAL);
	REFUSES(DELETE(t, KNP_TABLE_CIDR, rec), EINVAL);
	REFUSES(put_cidr(t, "10.0.0.0", 33, 1), EINVAL);
	REFUSES(put_cidr(t, "fd00::", 129, 1), EINVAL);
	REFUSES(put_cidr(t, "fd00::", 255, 1), EINVAL);
	REFUSES(put_cidr(t, "10.0.0.1", 31, 1), EINVAL);
	REFUSES(put_cidr(t, "10.0.1.0", 23, 1), EINVAL);
	REFUSES(put_cidr(t, "10.0.1.0", 16, 1), EINVAL);
	REFUSES(put_cidr(t, "128.0.0.0", 0, 1), EINVAL);
	REFUSES(put_cidr(t, "fd00::1", 127, 1), EINVAL);
	REFUSES(put_cidr(t, "fd00::1", 0, 1), EINVAL);
	REFUSES(put_cidr(t, "10.0.0.0", 8, 4), ENOENT);
	assert_int_equal(put_cidr(t, "10.0.0.1", 32, 1), 1);
	assert_int_equal(put_cidr(t, "fd00::1", 128, 1), 1);
	assert_int_equal(put_cidr(t, "0.0.0.0", 0, 1), 1);
	assert_int_equal(put_cidr(t, "::", 0, 1), 1);
	assert_int_equal(knp_tables_count(t, KNP_TABLE_CIDR), 7);
}

static void malformed_interfaces_are_refused(void **state)
{
	struct knp_tables *t = *state;

	REFUSES(put_iface(t, 0, 0), EINVAL);
	REFUSES(put_iface(t, 0x80000000, 0), EINVAL);
	REFUSES(put_iface(t, 1, KNP_ROLE_UPLINK + 1), EINVAL);
	REFUSES(PUT(t, KNP_TABLE_IFACE, (struct knp_rec_iface){
		.ifindex = 1, .pad = { 1 } }), EINVAL);
	REFUSES(delete_id(t, KNP_TABLE_IFACE, 0), EINVAL);
	assert_int_equal(knp_tables_count(t, KNP_TABLE_IFACE), 0);
}

static void malformed_bindings_are_refused(void **state)
{
	struct knp_tables *t = *state;

	REFUSES(put_binding(t, "10.0.0.1", 0), EINVAL);
	REFUSES(put_binding(t, "10.0.0.1", KNP_BOUND_MAX + 1), EINVAL);
	REFUSES(PUT(t, KNP_TABLE_BINDING, (struct knp_rec_binding){
		.family = AF_INET, .pad = { 1 }, .ifindex = 1 }), EINVAL);
	REFUSES(PUT(t, KNP_TABLE_BINDING, (struct knp_rec_binding){
		.family = AF_UNIX, .ifindex = 1 }), EINVAL);
	REFUSES(PUT(t, KNP_TABLE_BINDING, (struct knp_rec_binding){
		.family = AF_INET, .addr = { [4] = 1 }, .ifindex = 1 }), EINVAL);
	assert_int_equal(knp_tables_count(t, KNP_TABLE_BINDING), 0);
	assert_int_equal(put_binding(t, "10.0.0.1", KNP_BOUND_MAX), 1);
}

static __u32 bound(const struct knp_tables *t, const char *text, bool is)
{
	struct knp_addr addr = address(text);
	__u32 ifindex = 99;

	assert_int_equal(knp_tables_bound(t, strchr(text, ':') ? KNP_V6 :
					  KNP_V4, &addr, &ifindex), is);
	return ifindex;
}

static void endpoints_are_bound_while_they_are_some(void **state)
{
	struct knp_tables *t = *state, *next, *last;
	struct knp_rec_binding gone = { .family = AF_INET6 };

	assert_int_equal(put_endpoint(t, "10.0.0.1", 0, 0), 1);
	assert_int_equal(put_endpoint(t, "fd00::1", 0, 0), 1);
	assert_int_equal(put_binding(t, "10.0.0.1", KNP_BOUND_MAX), 1);
	assert_int_equal(put_binding(t, "fd00::1", 7), 1);
	assert_int_equal(put_binding(t, "10.0.0.2", 8), 1);
	freeze(t);
	assert_int_equal(bound(t, "10.0.0.1", true), KNP_BOUND_MAX);
	assert_int_equal(bound(t, "fd00::1", true), 7);
	assert_int_equal(bound(t, "10.0.0.2", false), 0);

	next = knp_tables_clone(t);
	assert_int_equal(put_endpoint(next, "10.0.0.2", 0, 0), 1);
	assert_int_equal(put_binding(next, "10.0.0.1", 9), 1);
	parse("fd00::1", gone.addr);
	assert_int_equal(DELETE(next, KNP_TABLE_BINDING, gone), 1);
	REFUSES(DELETE(next, KNP_TABLE_BINDING, gone), ENOENT);
	freeze(next);
	assert_int_equal(bound(next, "10.0.0.1", true), 9);
	assert_int_equal(bound(next, "10.0.0.2", true), 8);
	assert_int_equal(bound(next, "fd00::1", true), 0);
	assert_int_equal(bound(t, "10.0.0.1", true), KNP_BOUND_MAX);
	assert_int_equal(bound(t, "fd00::1", true), 7);

	last = knp_tables_clone(next);
	assert_int_equal(DELETE(last, KNP_TABLE_ENDPOINT,
				(struct knp_rec_endpoint){
				.family = AF_INET, .addr = { 10, 0, 0, 1 } }), 1);
	freeze(last);
	assert_int_equal(bound(last, "10.0.0.1", false), 0);
	knp_tables_free(last);
	knp_tables_free(next);
}

static void what_is_referred_to_cannot_be_deleted(void **state)
{
	struct knp_tables *t = *state;
	__u32 id;

	fill(t);
	for (id = 1; id <= 2; id++) {
		REFUSES(delete_id(t, KNP_TABLE_RULE, id), EBUSY);
		REFUSES(delete_id(t, KNP_TABLE_PORTSET, id), EBUSY);
		REFUSES(delete_id(t, KNP_TABLE_SET, id), EBUSY);
	}
	for (id = 1; id <= 3; id++)
		REFUSES(delete_id(t, KNP_TABLE_CLASS, id), EBUSY);
}

static void what_is_not_there_cannot_be_deleted(void **state)
{
	struct knp_tables *t = *state;
	struct knp_rec_peer peer = { .family = AF_INET, .addr = { 10, 0, 0, 2 } };
	struct knp_rec_cidr cidr = {
		.family = AF_INET, .addr = { 10 }, .prefixlen = 9,
	};
	struct knp_rec_endpoint ep = { .family = AF_INET, .addr = { 9 } };

	fill(t);
	REFUSES(delete_id(t, KNP_TABLE_RULE, 0), EINVAL);
	REFUSES(delete_id(t, KNP_TABLE_RULE, 3), ENOENT);
	REFUSES(delete_id(t, KNP_TABLE_RULE, 65537), ENOENT);
	REFUSES(delete_id(t, KNP_TABLE_CLASS, 4), ENOENT);
	REFUSES(delete_id(t, KNP_TABLE_SET, 3), ENOENT);
	REFUSES(delete_id(t, KNP_TABLE_PORTSET, 3), ENOENT);
	REFUSES(delete_row(t, 1, 2), ENOENT);
	REFUSES(delete_row(t, 9, 1), ENOENT);
	REFUSES(delete_row(t, 0, 1), EINVAL);
	REFUSES(delete_row(t, 1, 0), EINVAL);
	REFUSES(DELETE(t, KNP_TABLE_PEER, peer), ENOENT);
	REFUSES(DELETE(t, KNP_TABLE_CIDR, cidr), ENOENT);
	REFUSES(DELETE(t, KNP_TABLE_ENDPOINT, ep), ENOENT);
	REFUSES(delete_id(t, KNP_TABLE_IFACE, 8), ENOENT);
}

static void deletes_read_only_keys(void **state)
{
	struct knp_tables *t = *state;
	struct knp_rec_peer peer = {
		.family = AF_INET, .addr = { 10, 0, 0, 1 }, .pad = { 1 },
		.class_id = 99,
	};
	struct knp_rec_cidr cidr = {
		.family = AF_INET, .addr = { 10 }, .prefixlen = 8,
		.pad = { 1 }, .class_id = 99,
	};
	struct knp_rec_endpoint ep = {
		.family = AF_INET, .addr = { 10, 0, 0, 1 }, .pad = { 1 },
		.egress_set = 99,
	};
	struct knp_rec_portset portsets[2] = {
		{ .id = 1, .nports = 7 }, { .id = 2, .nports = 9999 },
	};

	fill(t);
	assert_int_equal(DELETE(t, KNP_TABLE_PEER, peer), 1);
	assert_int_equal(DELETE(t, KNP_TABLE_CIDR, cidr), 1);
	assert_int_equal(DELETE(t, KNP_TABLE_ENDPOINT, ep), 1);
	assert_int_equal(DELETE(t, KNP_TABLE_IFACE,
				(struct knp_rec_iface){ 7, 9, { 1 } }), 1);
	parse("fd00::1", ep.addr);
	ep.family = AF_INET6;
	assert_int_equal(DELETE(t, KNP_TABLE_ENDPOINT, ep), 1);
	assert_int_equal(DELETE(t, KNP_TABLE_SET, (struct knp_rec_set){
				.id = 1, .direction = 9, .pad = { 1 } }), 1);
	assert_int_equal(delete_id(t, KNP_TABLE_SET, 2), 1);
	assert_int_equal(DELETE(t, KNP_TABLE_PORTSET, portsets), 2);
}

static void everything_can_be_deleted_in_reverse(void **state)
{
	struct knp_tables *t = *state;
	struct dump d;
	__u32 table;

	fill(t);
	dump_get(&d, t, ROOM);
	for (table = KNP_TABLE_MAX; table > KNP_TABLE_PORTSET; table--) {
		/* A set takes its row with it. */
		if (table == KNP_TABLE_ROW)
			continue;
		assert_true(delete(t, table, d.buf[table], d.len[table]) > 0);
	}
	assert_int_equal(knp_tables_count(t, KNP_TABLE_ROW), 0);
	assert_int_equal(delete_id(t, KNP_TABLE_PORTSET, 1), 1);
	assert_int_equal(delete_id(t, KNP_TABLE_PORTSET, 2), 1);
	assert_int_equal(delete(t, KNP_TABLE_RULE, d.buf[KNP_TABLE_RULE],
				d.len[KNP_TABLE_RULE]), 2);
	dump_free(&d);
	for (table = 1; table <= KNP_TABLE_MAX; table++)
		assert_int_equal(knp_tables_count(t, table), 0);
	freeze(t);
	assert_int_equal(class_of(t, "10.0.0.2"), 0);
}

static void a_put_replaces(void **state)
{
	struct knp_tables *t = *state;
	struct knp_rec_port udp = {
		.rule = 1, .proto = 17, .lo = 1, .hi = 2,
	};
	struct knp_rec_rule rule = { .id = 1, .tag = "another" };
	__u32 before[__KNP_TABLE_MAX];
	__u32 table;

	fill(t);
	for (table = 1; table <= KNP_TABLE_MAX; table++)
		before[table] = knp_tables_count(t, table);

	assert_int_equal(PUT(t, KNP_TABLE_RULE, rule), 1);
	assert_int_equal(put_ports(t, 2, &udp, 1), 1);
	/* Its only user has gone. */
	assert_int_equal(delete_id(t, KNP_TABLE_RULE, 2), 1);
	assert_int_equal(put_rule(t, 2), 1);
	assert_int_equal(put_set(t, 2, KNP_INGRESS, 2), 1);
	assert_int_equal(put_row(t, 1, 1, 1), 1);
	assert_int_equal(put_peer(t, "10.0.0.1", 2), 1);
	assert_int_equal(put_cidr(t, "10.0.0.0", 8, 0), 1);
	assert_int_equal(put_cidr(t, "fd00::", 64, 1), 1);
	assert_int_equal(delete_id(t, KNP_TABLE_CLASS, 3), 1);
	assert_int_equal(put_class(t, 3), 1);
	assert_int_equal(put_endpoint(t, "10.0.0.1", 0, 2), 1);
	assert_int_equal(put_iface(t, 7, KNP_ROLE_UPLINK), 1);

	for (table = 1; table <= KNP_TABLE_MAX; table++)
		assert_int_equal(knp_tables_count(t, table), before[table]);
	freeze(t);
	assert_memory_equal(knp_tables_tag(t, KNP_TABLE_RULE, 1), "another", 8);
	assert_int_equal(knp_tables_port(t, 2, 6, 80, true), 0);
	assert_int_equal(knp_tables_port(t, 2, 17, 2, true), 1);
	assert_int_equal(knp_tables_row(t, 1, 1), 1);
	assert_int_equal(knp_tables_row(t, 2, 1), 2);
	assert_int_equal(class_of(t, "10.0.0.1"), 2);
	assert_int_equal(class_of(t, "10.0.0.2"), 0);
	assert_int_equal(knp_tables_role(t, 7), KNP_ROLE_UPLINK);
}

static void a_dump_put_into_an_empty_table_reproduces_it(void **state)
{
	struct knp_tables *t = *state;
	struct knp_tables *copy = knp_tables_new();
	struct dump a, b, again;

	assert_non_null(copy);
	fill(t);
	freeze(t);
	dump_get(&a, t, ROOM);
	dump_get(&again, t, 2 * ROOM);
	dump_assert_equal(&a, &again);
	dump_put(&a, copy);
	freeze(copy);
	dump_get(&b, copy, ROOM);
	dump_sort(&a);
	dump_sort(&b);
	dump_assert_equal(&a, &b);
	dump_free(&a);
	dump_free(&b);
	dump_free(&again);
	knp_tables_free(copy);
}

/* As large as the largest record, so that each piece ends in front of another one. */
static void a_dump_in_small_pieces_loses_nothing(void **state)
{
	const size_t largest = sizeof(struct knp_rec_portset) +
			       2 * sizeof(struct knp_rec_port);
	struct knp_tables *t = *state;
	struct dump whole, pieces;

	fill(t);
	freeze(t);
	dump_get(&whole, t, ROOM);
	dump_get(&pieces, t, largest);
	dump_assert_equal(&whole, &pieces);
	dump_free(&whole);
	dump_free(&pieces);
}

/* Too many to put: the count alone says that the table is full. */
static void full_rows_and_peers_refuse_more(void **state)
{
	struct knp_tables *t = *state;

	fill(t);
	t->count[KNP_TABLE_ROW] = KNP_ROWS_MAX - 1;
	assert_int_equal(put_row(t, 1, 3, 1), 1);
	REFUSES(put_row(t, 2, 3, 1), E2BIG);
	assert_int_equal(put_row(t, 1, 3, 2), 1);
	t->count[KNP_TABLE_PEER] = KNP_PEERS_MAX - 1;
	assert_int_equal(put_peer(t, "10.9.9.1", 1), 1);
	REFUSES(put_peer(t, "10.9.9.2", 1), E2BIG);
	assert_int_equal(put_peer(t, "10.9.9.1", 2), 1);
}

static void full_tables_refuse_more(void **state)
{
	struct knp_tables *t = *state;
	struct knp_rec_endpoint ep = { .family = AF_INET6 };
	struct knp_rec_iface iface = { .role = KNP_ROLE_POD };
	__u32 i;

	for (i = 1; i <= KNP_IFACES_MAX; i++) {
		iface.ifindex = i;
		assert_int_equal(PUT(t, KNP_TABLE_IFACE, iface), 1);
	}
	REFUSES(put_iface(t, i, 0), E2BIG);
	assert_int_equal(put_iface(t, 1, 0), 1);
	for (i = 0; i < KNP_ENDPOINTS_MAX; i++) {
		memcpy(ep.addr + 8, &i, sizeof(i));
		assert_int_equal(PUT(t, KNP_TABLE_ENDPOINT, ep), 1);
	}
	REFUSES(put_endpoint(t, "10.0.0.1", 0, 0), E2BIG);
	t->count[KNP_TABLE_BINDING] = KNP_BINDINGS_MAX - 1;
	assert_int_equal(put_binding(t, "10.0.0.1", 1), 1);
	REFUSES(put_binding(t, "10.0.0.2", 1), E2BIG);
	assert_int_equal(put_binding(t, "10.0.0.1", 2), 1);
	assert_int_equal(PUT(t, KNP_TABLE_ENDPOINT, ep), 1);
	assert_int_equal(DELETE(t, KNP_TABLE_ENDPOINT, ep), 1);
	assert_int_equal(put_endpoint(t, "10.0.0.1", 0, 0), 1);
	assert_int_equal(knp_tables_count(t, KNP_TABLE_IFACE), KNP_IFACES_MAX);
	assert_int_equal(knp_tables_count(t, KNP_TABLE_ENDPOINT),
			 KNP_ENDPOINTS_MAX);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(an_empty_table_answers_nothing),
		T(lookups_find_what_was_put),
		T(ports_match_by_protocol_range_and_presence),
		T(arguments_that_are_no_records_are_refused),
		T(a_frozen_table_refuses_changes),
		T(ids_are_between_one_and_the_limit),
		T(malformed_ports_are_refused),
		T(portsets_that_are_cut_off_or_too_long_are_refused),
		T(malformed_sets_and_rows_are_refused),
		T(malformed_addresses_are_refused),
		T(malformed_prefixes_are_refused),
		T(malformed_interfaces_are_refused),
		T(malformed_bindings_are_refused),
		T(endpoints_are_bound_while_they_are_some),
		T(what_is_referred_to_cannot_be_deleted),
		T(what_is_not_there_cannot_be_deleted),
		T(deletes_read_only_keys),
		T(everything_can_be_deleted_in_reverse),
		T(a_put_replaces),
		T(a_dump_put_into_an_empty_table_reproduces_it),
		T(a_dump_in_small_pieces_loses_nothing),
		T(full_rows_and_peers_refuse_more),
		T(full_tables_refuse_more),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
