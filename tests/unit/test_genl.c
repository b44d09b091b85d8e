// SPDX-License-Identifier: Apache-2.0
/*
 * The messages of the family, byte for byte: what is sent is compared with
 * bytes written down from the uapi manual, what is received is built here.
 *
 * The expected bytes are those of a little-endian machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/genetlink.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include "genl.h"
#include "push.h"
#include "wire.h"

#define FAMILY	0x0123

static void print_hex(const char *what, const uint8_t *p, size_t n)
{
	size_t i;

	printf("# %s:", what);
	for (i = 0; i < n; i++)
		printf("%s%02x", i % 4 ? "" : " ", p[i]);
	putchar('\n');
}

/* Read hex digits (blanks do not count) to the end of @want. */
static void add_hex(const char *hex, uint8_t *want, size_t *n)
{
	unsigned int byte;

	for (; *hex; hex++) {
		if (*hex == ' ')
			continue;
		assert_int_equal(sscanf(hex, "%2x", &byte), 1);
		want[(*n)++] = (uint8_t)byte;
		hex++;
	}
}

/*
 * Compare a message, and free it. @head: length, family 0x123, flags
 * (REQUEST|ACK is 5, REQUEST|DUMP is 0x301), sequence number, port. @body:
 * command, version, reserved, attributes.
 */
static void assert_bytes(struct nl_msg *msg, const char *head, const char *body)
{
	const uint8_t *have;
	uint8_t want[512];
	size_t n = 0, len;

	assert_non_null(msg);
	have = (const uint8_t *)nlmsg_hdr(msg);
	len = nlmsg_hdr(msg)->nlmsg_len;
	add_hex(head, want, &n);
	add_hex(body, want, &n);

	if (n != len || memcmp(want, have, n)) {
		print_hex("want", want, n);
		print_hex("have", have, len);
	}
	assert_int_equal(len, n);
	assert_memory_equal(have, want, n);
	nlmsg_free(msg);
}

static void requests_without_attributes(void **state)
{
	(void)state;
	assert_bytes(knp_wire_plain(FAMILY, KNP_CMD_INFO),
		     "14000000 23010500 00000000 00000000",
		     "01010000");
	assert_bytes(knp_wire_plain(FAMILY, KNP_CMD_ABORT),
		     "14000000 23010500 00000000 00000000",
		     "08010000");
	assert_bytes(knp_wire_plain(FAMILY, KNP_CMD_COUNTERS),
		     "14000000 23010103 00000000 00000000",
		     "0c010000");
}

static void attach_names_families_and_detach_may_omit_them(void **state)
{
	(void)state;
	assert_bytes(knp_wire_families(FAMILY, KNP_CMD_ATTACH, KNP_FAMILY_ALL),
		     "1c000000 23010500 00000000 00000000",
		     "02010000 08000700 03000000");
	assert_bytes(knp_wire_families(FAMILY, KNP_CMD_DETACH, 0),
		     "14000000 23010500 00000000 00000000",
		     "03010000");
}

static void begin_carries_the_base_generation(void **state)
{
	(void)state;
	assert_bytes(knp_wire_begin(FAMILY, 0x1122334455667788),
		     "20000000 23010500 00000000 00000000",
		     "04010000 0c000500 88776655 44332211");
}

static void put_carries_packed_records(void **state)
{
	const struct knp_rec_row row = {
		.set = 1, .class_id = 2, .portset = 3,
	};

	(void)state;
	assert_bytes(knp_wire_records(FAMILY, KNP_CMD_PUT, KNP_TABLE_ROW, &row,
				      sizeof(row)),
		     "2c000000 23010500 00000000 00000000",
		     "05010000 08000e00 05000000 10000f00 01000000 02000000 03000000");
}

static void delete_carries_packed_records(void **state)
{
	const struct knp_rec_iface iface = { .ifindex = 7 };

	(void)state;
	assert_bytes(knp_wire_records(FAMILY, KNP_CMD_DELETE, KNP_TABLE_IFACE,
				      &iface, sizeof(iface)),
		     "28000000 23010500 00000000 00000000",
		     "06010000 08000e00 09000000 0c000f00 07000000 00000000");
}

static void largest_operation_fits_one_message(void **state)
{
	static uint8_t recs[32 * 1024];
	struct nl_msg *msg;

	(void)state;
	msg = knp_wire_records(FAMILY, KNP_CMD_PUT, KNP_TABLE_PEER, recs,
			       sizeof(recs));
	assert_non_null(msg);
	assert_int_equal(nlmsg_hdr(msg)->nlmsg_len, 20 + 8 + 4 + sizeof(recs));
	nlmsg_free(msg);
	/* The length of an attribute has 16 bits. */
	assert_null(knp_wire_records(FAMILY, KNP_CMD_PUT, KNP_TABLE_PEER, recs,
				     70000));
}

static void commit_carries_the_count(void **state)
{
	(void)state;
	assert_bytes(knp_wire_commit(FAMILY, 5),
		     "20000000 23010500 00000000 00000000",
		     "07010000 0c001000 05000000 00000000");
}

static void get_is_a_dump_of_one_table_or_all(void **state)
{
	(void)state;
	assert_bytes(knp_wire_get(FAMILY, 0),
		     "14000000 23010103 00000000 00000000",
		     "09010000");
	assert_bytes(knp_wire_get(FAMILY, KNP_TABLE_SET),
		     "1c000000 23010103 00000000 00000000",
		     "09010000 08000e00 04000000");
}

static void config_sends_only_what_changes(void **state)
{
	const struct knp_node_allows allow = { 1, {
		{ { 169, 254, 20, 10 }, AF_INET, IPPROTO_UDP, 53 },
	} };
	const struct knp_node_allows none = { 0 };
	const struct knp_config mode = { KNP_MODE_AUDIT, -1, -1, -1, -1, -1,
					 -1, NULL };
	const struct knp_config all = { KNP_MODE_ENFORCE, KNP_DROP, KNP_PASS,
					0xffffffff, KNP_DROP, -1, -1, NULL };
	const struct knp_config switches = { -1, -1, -1, -1, -1, KNP_DROP,
					     KNP_PASS, &allow };
	const struct knp_config nothing = { -1, -1, -1, -1, -1, -1, -1, &none };

	(void)state;
	assert_bytes(knp_wire_config(FAMILY, &mode),
		     "1c000000 23010500 00000000 00000000",
		     "0a010000 05000800 01000000");
	assert_bytes(knp_wire_config(FAMILY, &all),
		     "3c000000 23010500 00000000 00000000",
		     "0a010000 05000800 00000000 05000900 01000000 05000a00 00000000 08000b00 ffffffff 05002000 01000000");
	assert_bytes(knp_wire_config(FAMILY, &switches),
		     "3c000000 23010500 00000000 00000000",
		     "0a010000 05002100 01000000 05002200 00000000 18002300 a9fe140a 00000000 00000000 00000000 02113500");
	assert_bytes(knp_wire_config(FAMILY, &nothing),
		     "18000000 23010500 00000000 00000000",
		     "0a010000 04002300");
}

static void explain_leaves_the_port_out_where_there_is_none(void **state)
{
	struct knp_tuple t = {
		.src = { 10, 0, 0, 1 }, .dst = { 10, 0, 0, 2 },
		.family = AF_INET, .proto = IPPROTO_TCP,
		.has_port = true, .port = 0x1f90,
	};

	(void)state;
	assert_bytes(knp_wire_explain(FAMILY, &t),
		     "54000000 23010500 00000000 00000000",
		     "0b010000 05001100 02000000 14001200 0a000001 00000000 00000000 00000000 14001300 0a000002 00000000 00000000 00000000 05001400 06000000 06001500 901f0000");

	t.proto = IPPROTO_ICMP;
	t.has_port = false;
	assert_bytes(knp_wire_explain(FAMILY, &t),
		     "4c000000 23010500 00000000 00000000",
		     "0b010000 05001100 02000000 14001200 0a000001 00000000 00000000 00000000 14001300 0a000002 00000000 00000000 00000000 05001400 01000000");
}

static struct nl_msg *answer(uint8_t cmd)
{
	struct nl_msg *msg = nlmsg_alloc_size(4096);

	assert_non_null(msg);
	assert_non_null(genlmsg_put(msg, 0, 0, FAMILY, 0, 0, cmd,
				    KNP_GENL_VERSION));
	return msg;
}

static const struct knp_node_allow allowed = {
	.proto = IPPROTO_TCP, .port = 10250,
};

static void put_info(struct nl_msg *msg)
{
	nla_put_string(msg, KNP_A_MODULE_VERSION, "0.1.0");
	nla_put_u64(msg, KNP_A_INSTANCE, 77);
	nla_put_u64(msg, KNP_A_GENERATION, 12);
	nla_put_u32(msg, KNP_A_FAMILIES, KNP_FAMILY_IPV6);
	nla_put_u8(msg, KNP_A_MODE, KNP_MODE_AUDIT);
	nla_put_u8(msg, KNP_A_DEFAULT, KNP_DROP);
	nla_put_u8(msg, KNP_A_UNKNOWN_LOCAL, KNP_PASS);
	nla_put_u8(msg, KNP_A_NODE_EGRESS, KNP_PASS);
	nla_put_u8(msg, KNP_A_LB_PROBES, KNP_DROP);
	nla_put(msg, KNP_A_NODE_ALLOW, sizeof(allowed), &allowed);
	nla_put_u32(msg, KNP_A_EVENT_RATE, 100);
	nla_put_u8(msg, KNP_A_ENCAP, KNP_DROP);
}

static void info_is_read(void **state)
{
	const struct knp_table_info tables[] = {
		{ .table = KNP_TABLE_ROW, .count = 3, .limit = 9 },
		{ .table = KNP_TABLE_MAX + 40, .count = 3, .limit = 9 },
	};
	struct nl_msg *msg = answer(KNP_CMD_INFO);
	struct knp_info info;

	(void)state;
	nla_put_u32(msg, KNP_A_ABI_VERSION, KNP_ABI_VERSION);
	put_info(msg);
	nla_put_u32(msg, KNP_A_TXN_PORTID, 4711);
	nla_put_u64(msg, KNP_A_MEMORY, 8192);
	nla_put(msg, KNP_A_TABLE_INFO, sizeof(tables), tables);
	/* A newer module may say more. */
	nla_put_u32(msg, KNP_A_MAX + 3, 1);

	assert_int_equal(knp_wire_parse_info(nlmsg_hdr(msg), &info), 0);
	assert_string_equal(info.version, "0.1.0");
	assert_int_equal(info.instance, 77);
	assert_int_equal(info.generation, 12);
	assert_int_equal(info.node_egress, KNP_PASS);
	assert_int_equal(info.lb_probes, KNP_DROP);
	assert_int_equal(info.node_allow.n, 1);
	assert_memory_equal(info.node_allow.v, &allowed, sizeof(allowed));
	assert_int_equal(info.families, KNP_FAMILY_IPV6);
	assert_int_equal(info.mode, KNP_MODE_AUDIT);
	assert_int_equal(info.dflt, KNP_DROP);
	assert_int_equal(info.event_rate, 100);
	assert_int_equal(info.encap, KNP_DROP);
	assert_true(info.has_txn);
	assert_int_equal(info.txn_port, 4711);
	assert_int_equal(info.memory, 8192);
	assert_int_equal(info.tables[KNP_TABLE_ROW].count, 3);
	assert_int_equal(info.tables[KNP_TABLE_RULE].limit, 0);
	nlmsg_free(msg);
}

static void incomplete_info_is_refused(void **state)
{
	struct nl_msg *msg = answer(KNP_CMD_INFO);
	struct knp_info info = { .generation = 99 };

	(void)state;
	put_info(msg);
	assert_int_equal(knp_wire_parse_info(nlmsg_hdr(msg), &info), -EBADMSG);
	nlmsg_free(msg);

	msg = answer(KNP_CMD_INFO);
	nla_put_u32(msg, KNP_A_ABI_VERSION, KNP_ABI_VERSION);
	assert_int_equal(knp_wire_parse_info(nlmsg_hdr(msg), &info), -EBADMSG);
	assert_int_equal(info.generation, 99);
	nlmsg_free(msg);
}

/* Nothing but its number can be relied on. */
static void foreign_abi_is_recognised(void **state)
{
	struct nl_msg *msg = answer(KNP_CMD_INFO);
	struct knp_info info;

	(void)state;
	nla_put_u32(msg, KNP_A_ABI_VERSION, KNP_ABI_VERSION + 1);
	assert_int_equal(knp_wire_parse_info(nlmsg_hdr(msg), &info), 0);
	assert_int_equal(info.abi, KNP_ABI_VERSION + 1);
	nlmsg_free(msg);
}

static void part_of_a_dump_needs_all_three(void **state)
{
	const struct knp_rec_row row = { 1, 2, 3 };
	struct nl_msg *msg = answer(KNP_CMD_GET);
	struct knp_part part;

	(void)state;
	nla_put_u64(msg, KNP_A_GENERATION, 4);
	nla_put_u32(msg, KNP_A_TABLE, KNP_TABLE_ROW);
	assert_int_equal(knp_wire_parse_part(nlmsg_hdr(msg), &part), -EBADMSG);

	nla_put(msg, KNP_A_RECORDS, sizeof(row), &row);
	assert_int_equal(knp_wire_parse_part(nlmsg_hdr(msg), &part), 0);
	assert_int_equal(part.generation, 4);
	assert_int_equal(part.table, KNP_TABLE_ROW);
	assert_int_equal(part.len, sizeof(row));
	assert_memory_equal(part.recs, &row, sizeof(row));
	nlmsg_free(msg);
}

static void broken_counters_are_refused(void **state)
{
	struct knp_counter v[2] = { { .id = 1 }, { .id = 2 } };
	struct nl_msg *msg = answer(KNP_CMD_COUNTERS);
	struct knp_counts counts;

	(void)state;
	nla_put(msg, KNP_A_REASON_COUNTERS, sizeof(v), v);
	assert_int_equal(knp_wire_parse_counts(nlmsg_hdr(msg), &counts), 0);
	assert_int_equal(counts.nreasons, 2);
	assert_int_equal(counts.nrules, 0);

	nla_put(msg, KNP_A_SET_COUNTERS, sizeof(v[0]), v);
	assert_int_equal(knp_wire_parse_counts(nlmsg_hdr(msg), &counts), 0);
	assert_int_equal(counts.nsets, 1);

	nla_put(msg, KNP_A_RULE_COUNTERS, sizeof(v) - 1, v);
	assert_int_equal(knp_wire_parse_counts(nlmsg_hdr(msg), &counts),
			 -EBADMSG);
	nlmsg_free(msg);
}

static void put_side(struct nl_msg *msg, int type, uint8_t verdict, bool tags)
{
	struct nlattr *nest = nla_nest_start(msg, type);
	const uint8_t tag[KNP_TAG_LEN] = { 0xab };

	nla_put_u8(msg, KNP_SIDE_A_VERDICT, verdict);
	nla_put_u32(msg, KNP_SIDE_A_SET, 3);
	nla_put_u32(msg, KNP_SIDE_A_CLASS, 4);
	nla_put_u32(msg, KNP_SIDE_A_PORTSET, 5);
	if (verdict == KNP_PASS)
		nla_put_u32(msg, KNP_SIDE_A_RULE, 6);
	if (tags)
		nla_put(msg, KNP_SIDE_A_SET_TAG, sizeof(tag), tag);
	nla_nest_end(msg, nest);
}

static void explanation_tells_judged_sides_from_others(void **state)
{
	struct nl_msg *msg = answer(KNP_CMD_EXPLAIN);
	struct knp_explanation e;

	(void)state;
	nla_put_u64(msg, KNP_A_GENERATION, 8);
	nla_put_u8(msg, KNP_A_VERDICT, KNP_DROP);
	nla_put_u32(msg, KNP_A_REASON, KNP_REASON_INGRESS);
	put_side(msg, KNP_A_INGRESS, KNP_DROP, true);

	assert_int_equal(knp_wire_parse_explanation(nlmsg_hdr(msg), &e), 0);
	assert_false(e.egress.judged);
	assert_true(e.ingress.judged);
	assert_true(e.ingress.has_tags);
	assert_int_equal(e.ingress.set_tag[0], 0xab);
	assert_int_equal(e.ingress.set, 3);
	assert_int_equal(e.ingress.rule, 0);
	assert_int_equal(e.reason, KNP_REASON_INGRESS);
	nlmsg_free(msg);
}

static void event_is_read_with_and_without_a_port(void **state)
{
	const uint8_t addr[KNP_ADDR_LEN] = { 10, 0, 0, 1 };
	struct nl_msg *msg = answer(KNP_CMD_EVENT);
	struct knp_event e;

	(void)state;
	nla_put_u64(msg, KNP_A_GENERATION, 8);
	nla_put_u64(msg, KNP_A_TIME, 1234567890);
	nla_put_u8(msg, KNP_A_MODE, KNP_MODE_ENFORCE);
	nla_put_u32(msg, KNP_A_REASON, KNP_REASON_EGRESS);
	nla_put_u8(msg, KNP_A_FAMILY, AF_INET);
	nla_put(msg, KNP_A_SRC, sizeof(addr), addr);
	nla_put_u8(msg, KNP_A_PROTO, IPPROTO_ICMP);
	put_side(msg, KNP_A_EGRESS, KNP_DROP, false);
	assert_int_equal(knp_wire_parse_event(nlmsg_hdr(msg), &e), -EBADMSG);

	nla_put(msg, KNP_A_DST, sizeof(addr), addr);
	assert_int_equal(knp_wire_parse_event(nlmsg_hdr(msg), &e), 0);
	assert_false(e.tuple.has_port);
	assert_int_equal(e.oif, 0);
	assert_true(e.egress.judged);
	assert_false(e.egress.has_tags);

	nla_put_u16(msg, KNP_A_PORT, 443);
	nla_put_u32(msg, KNP_A_OIF, 3);
	nla_put_u64(msg, KNP_A_LOST, 17);
	assert_int_equal(knp_wire_parse_event(nlmsg_hdr(msg), &e), 0);
	assert_true(e.tuple.has_port);
	assert_int_equal(e.tuple.port, 443);
	assert_int_equal(e.oif, 3);
	assert_int_equal(e.lost, 17);
	nlmsg_free(msg);
}

static void short_address_is_refused(void **state)
{
	const uint8_t addr[KNP_ADDR_LEN] = { 10, 0, 0, 1 };
	struct nl_msg *msg = answer(KNP_CMD_EVENT);
	struct knp_event e;

	(void)state;
	nla_put_u64(msg, KNP_A_TIME, 1);
	nla_put_u8(msg, KNP_A_MODE, KNP_MODE_ENFORCE);
	nla_put_u32(msg, KNP_A_REASON, KNP_REASON_EGRESS);
	nla_put_u8(msg, KNP_A_FAMILY, AF_INET);
	nla_put(msg, KNP_A_SRC, 4, addr);
	nla_put(msg, KNP_A_DST, sizeof(addr), addr);
	assert_int_equal(knp_wire_parse_event(nlmsg_hdr(msg), &e), -EBADMSG);
	nlmsg_free(msg);
}

/* No byte of a message that is cut short or damaged is read past its end. */
static void damaged_messages_are_survived(void **state)
{
	struct nl_msg *msg = answer(KNP_CMD_EXPLAIN);
	unsigned int seed = 1;
	struct knp_explanation e;
	struct knp_event event;
	struct knp_info info;
	struct knp_part part;
	const char *text = getenv("KNP_SEED");
	size_t len, i, n;
	uint8_t *copy;

	(void)state;
	if (text)
		seed = (unsigned int)strtoul(text, NULL, 0);
	printf("# KNP_SEED=%u\n", seed);
	srand(seed);

	nla_put_u64(msg, KNP_A_GENERATION, 8);
	nla_put_u8(msg, KNP_A_VERDICT, KNP_DROP);
	nla_put_u32(msg, KNP_A_REASON, KNP_REASON_INGRESS);
	put_side(msg, KNP_A_EGRESS, KNP_PASS, true);
	put_side(msg, KNP_A_INGRESS, KNP_DROP, true);

	for (n = 0; n < 20000; n++) {
		len = nlmsg_hdr(msg)->nlmsg_len;
		len = NLMSG_HDRLEN + (size_t)rand() % (len - NLMSG_HDRLEN + 1);
		copy = malloc(len);
		assert_non_null(copy);
		memcpy(copy, nlmsg_hdr(msg), len);
		for (i = 0; i < n % 4 && len > NLMSG_HDRLEN; i++)
			copy[NLMSG_HDRLEN + (size_t)rand() %
			     (len - NLMSG_HDRLEN)] = (uint8_t)rand();
		((struct nlmsghdr *)copy)->nlmsg_len = (uint32_t)len;

		knp_wire_parse_explanation((struct nlmsghdr *)copy, &e);
		knp_wire_parse_event((struct nlmsghdr *)copy, &event);
		knp_wire_parse_info((struct nlmsghdr *)copy, &info);
		knp_wire_parse_part((struct nlmsghdr *)copy, &part);
		free(copy);
	}

	nlmsg_free(msg);
}

static void advice_names_the_three_refusals(void **state)
{
	(void)state;
	assert_non_null(strstr(knp_genl_advice(-ENOENT), "modprobe knp"));
	assert_non_null(strstr(knp_genl_advice(-EPERM), "CAP_NET_ADMIN"));
	assert_non_null(strstr(knp_genl_advice(-EPROTONOSUPPORT), "ABI"));
}

static void every_table_has_a_name(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 1; i <= KNP_TABLE_MAX; i++)
		assert_string_not_equal(knp_table_name(i), "unknown");
	assert_string_equal(knp_table_name(0), "unknown");
	assert_string_equal(knp_table_name(KNP_TABLE_MAX + 1), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_without_attributes),
		cmocka_unit_test(attach_names_families_and_detach_may_omit_them),
		cmocka_unit_test(begin_carries_the_base_generation),
		cmocka_unit_test(put_carries_packed_records),
		cmocka_unit_test(delete_carries_packed_records),
		cmocka_unit_test(largest_operation_fits_one_message),
		cmocka_unit_test(commit_carries_the_count),
		cmocka_unit_test(get_is_a_dump_of_one_table_or_all),
		cmocka_unit_test(config_sends_only_what_changes),
		cmocka_unit_test(explain_leaves_the_port_out_where_there_is_none),
		cmocka_unit_test(info_is_read),
		cmocka_unit_test(incomplete_info_is_refused),
		cmocka_unit_test(foreign_abi_is_recognised),
		cmocka_unit_test(part_of_a_dump_needs_all_three),
		cmocka_unit_test(broken_counters_are_refused),
		cmocka_unit_test(explanation_tells_judged_sides_from_others),
		cmocka_unit_test(event_is_read_with_and_without_a_port),
		cmocka_unit_test(short_address_is_refused),
		cmocka_unit_test(damaged_messages_are_survived),
		cmocka_unit_test(advice_names_the_three_refusals),
		cmocka_unit_test(every_table_has_a_name),
	};

	return cmocka_run_group_tests_name("genl", tests, NULL, NULL);
}
