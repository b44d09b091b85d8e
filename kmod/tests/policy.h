/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A small policy for the suites: of each table a record. 10.0.0.1, and what is
 * in 10.1.0.0/16, may open TCP connections to port 80 of 10.0.0.2, and nobody
 * anything else there. 10.0.0.2 is behind interface 7.
 */
#ifndef KNP_TESTS_POLICY_H
#define KNP_TESTS_POLICY_H

#include <linux/socket.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/knp.h>

#include "match.h"
#include "table.h"

#define KNP_TEST_PORT	80
#define KNP_TEST_IFACE	7

/**
 * struct knp_test_records - records of one table
 * @table: enum knp_table
 * @len: bytes
 * @recs: packed
 * @keyed: bytes that DELETE wants of it
 */
struct knp_test_records {
	u32 table;
	u32 len;
	const void *recs;
	u32 keyed;
};

static const struct knp_rec_rule knp_test_rule = { .id = 1, .tag = "rule" };
static const struct knp_rec_class knp_test_class = { .id = 1, .tag = "class" };

static const struct {
	struct knp_rec_portset portset;
	struct knp_rec_port port;
} knp_test_portset = {
	.portset = { .id = 1, .nports = 1, .tag = "portset" },
	.port = {
		.rule = 1, .lo = KNP_TEST_PORT, .hi = KNP_TEST_PORT, .proto = 6,
	},
};

static const struct knp_rec_set knp_test_set = {
	.id = 1, .direction = KNP_INGRESS, .tag = "set",
};

static const struct knp_rec_row knp_test_row = {
	.set = 1, .class_id = 1, .portset = 1,
};

static const struct knp_rec_peer knp_test_peer = {
	.addr = { 10, 0, 0, 1 }, .family = AF_INET, .class_id = 1,
};

static const struct knp_rec_cidr knp_test_cidr = {
	.addr = { 10, 1 }, .family = AF_INET, .prefixlen = 16, .class_id = 1,
};

static const struct knp_rec_endpoint knp_test_endpoint = {
	.addr = { 10, 0, 0, 2 }, .family = AF_INET, .ingress_set = 1,
};

static const struct knp_rec_iface knp_test_iface = {
	.ifindex = KNP_TEST_IFACE, .role = KNP_ROLE_POD,
};

static const struct knp_rec_binding knp_test_binding = {
	.addr = { 10, 0, 0, 2 }, .family = AF_INET, .ifindex = KNP_TEST_IFACE,
};

#define KNP_TEST_RECORDS(what, rec)	\
	{ what, sizeof(rec), &(rec), sizeof(rec) }

/* In the order in which they may be put; deleted in reverse. */
static const struct knp_test_records knp_test_policy[KNP_TABLE_MAX] = {
	KNP_TEST_RECORDS(KNP_TABLE_RULE, knp_test_rule),
	{ KNP_TABLE_PORTSET, sizeof(knp_test_portset), &knp_test_portset,
	  sizeof(knp_test_portset.portset) },
	KNP_TEST_RECORDS(KNP_TABLE_CLASS, knp_test_class),
	KNP_TEST_RECORDS(KNP_TABLE_SET, knp_test_set),
	KNP_TEST_RECORDS(KNP_TABLE_ROW, knp_test_row),
	KNP_TEST_RECORDS(KNP_TABLE_PEER, knp_test_peer),
	KNP_TEST_RECORDS(KNP_TABLE_CIDR, knp_test_cidr),
	KNP_TEST_RECORDS(KNP_TABLE_ENDPOINT, knp_test_endpoint),
	KNP_TEST_RECORDS(KNP_TABLE_IFACE, knp_test_iface),
	KNP_TEST_RECORDS(KNP_TABLE_BINDING, knp_test_binding),
};

/* A TCP connection from 10.@net.0.@host to 10.0.0.2. */
static inline struct knp_flow knp_test_flow(u8 net, u8 host, u16 port)
{
	struct knp_flow f = {
		.src.b = { 10, net, 0, host },
		.dst.b = { 10, 0, 0, 2 },
		.dport = port,
		.family = KNP_V4,
		.proto = 6,
		.has_port = true,
	};

	return f;
}

/* Whether a frozen table passes that connection. */
static inline bool knp_test_passes(const struct knp_tables *t, u8 net, u8 host,
				   u16 port)
{
	struct knp_flow f = knp_test_flow(net, host, port);
	struct knp_verdict v;

	knp_match(t, &f, &v);
	return v.pass;
}

/* Whether the verdicts of a frozen table are those of the policy. */
static inline bool knp_test_holds(const struct knp_tables *t)
{
	return knp_test_passes(t, 0, 1, KNP_TEST_PORT) &&
	       knp_test_passes(t, 1, 9, KNP_TEST_PORT) &&
	       !knp_test_passes(t, 0, 1, KNP_TEST_PORT + 1) &&
	       !knp_test_passes(t, 2, 9, KNP_TEST_PORT);
}

#endif /* KNP_TESTS_POLICY_H */
