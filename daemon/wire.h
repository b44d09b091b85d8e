/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages of the family "knp": requests are built, replies and
 * notifications are taken apart. PURE: no socket, so that tests compare bytes.
 *
 * Requests carry the flags of their command (NLM_F_ACK, or NLM_F_DUMP); port
 * and sequence number are filled in by the sender. The caller owns the message
 * returned; NULL means out of memory, or that the content does not fit.
 *
 * Units and byte order are those of uapi/linux/knp.h.
 */
#ifndef KNP_WIRE_H
#define KNP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/knp.h>

#include "node_allow.h"

struct nl_msg;
struct nlmsghdr;

/**
 * struct knp_info - what INFO says
 * @has_txn: a transaction is open, by the socket @txn_port
 * @memory: bytes, 0 where the module reports none
 * @tables: by enum knp_table; all zero where the module reports none
 */
struct knp_info {
	uint32_t abi;
	char version[32];
	uint64_t instance;
	uint64_t generation;
	uint64_t commit_time;
	uint32_t families;
	uint8_t mode;
	uint8_t dflt;
	uint8_t unknown_local;
	uint32_t event_rate;
	uint8_t encap;
	uint8_t node_egress;
	uint8_t lb_probes;
	struct knp_node_allows node_allow;
	bool has_txn;
	uint32_t txn_port;
	uint64_t memory;
	struct knp_table_info tables[KNP_TABLE_MAX + 1];
};

/** struct knp_config - what CONFIG changes; -1: left as it is */
struct knp_config {
	int mode;		/* enum knp_mode */
	int dflt;		/* enum knp_action */
	int unknown_local;	/* enum knp_action */
	int64_t event_rate;
	int encap;		/* enum knp_action */
	int node_egress;	/* enum knp_action */
	int lb_probes;		/* enum knp_action */
	const struct knp_node_allows *node_allow; /* NULL: left as it is */
};

/* One that changes nothing. */
#define KNP_CONFIG_NONE	{ -1, -1, -1, -1, -1, -1, -1, NULL }

/** struct knp_tuple - what EXPLAIN asks about */
struct knp_tuple {
	uint8_t src[KNP_ADDR_LEN];
	uint8_t dst[KNP_ADDR_LEN];
	uint8_t family;		/* AF_INET or AF_INET6 */
	uint8_t proto;
	bool has_port;
	uint16_t port;
};

/**
 * struct knp_side_info - one side of a verdict
 * @judged: false: the address is not isolated, the rest is zero
 * @rule: 0: it denied
 * @has_tags: the tags are there (EXPLAIN; events have none)
 */
struct knp_side_info {
	bool judged;
	uint8_t verdict;
	uint32_t set;
	uint32_t class_id;
	uint32_t portset;
	uint32_t rule;
	bool has_tags;
	uint8_t set_tag[KNP_TAG_LEN];
	uint8_t class_tag[KNP_TAG_LEN];
	uint8_t portset_tag[KNP_TAG_LEN];
	uint8_t rule_tag[KNP_TAG_LEN];
};

/** struct knp_explanation - the answer of EXPLAIN */
struct knp_explanation {
	uint64_t generation;
	uint8_t verdict;
	uint32_t reason;
	struct knp_side_info egress;
	struct knp_side_info ingress;
};

/** struct knp_event - one notification of the group "events" */
struct knp_event {
	uint64_t generation;
	uint64_t time;		/* ns since the epoch */
	uint64_t lost;		/* events not sent since the module was loaded */
	uint32_t reason;
	uint8_t mode;
	struct knp_tuple tuple;
	uint32_t iif;		/* 0: none */
	uint32_t oif;		/* 0: none */
	struct knp_side_info egress;
	struct knp_side_info ingress;
};

/** struct knp_part - a piece of a dump: packed records of one table */
struct knp_part {
	uint64_t generation;
	uint32_t table;
	const void *recs;	/* inside the message */
	size_t len;
};

/**
 * struct knp_counts - counters of a dump message, inside the message
 * @reasons: @nreasons times struct knp_counter, not aligned for its 64-bit
 *	     members: copy before reading
 * @rules: likewise
 * @sets: likewise
 */
struct knp_counts {
	const void *reasons;
	size_t nreasons;
	const void *rules;
	size_t nrules;
	const void *sets;
	size_t nsets;
};

/* A request without attributes: INFO, ABORT, COUNTERS. */
struct nl_msg *knp_wire_plain(uint16_t family, uint8_t cmd);

/* ATTACH or DETACH; @families 0 leaves the attribute out. */
struct nl_msg *knp_wire_families(uint16_t family, uint8_t cmd,
				 uint32_t families);

struct nl_msg *knp_wire_begin(uint16_t family, uint64_t generation);

/* PUT or DELETE; @len at most 65,000 bytes. */
struct nl_msg *knp_wire_records(uint16_t family, uint8_t cmd, uint32_t table,
				const void *recs, size_t len);

struct nl_msg *knp_wire_commit(uint16_t family, uint64_t count);

/* GET; @table 0: all tables. */
struct nl_msg *knp_wire_get(uint16_t family, uint32_t table);

struct nl_msg *knp_wire_config(uint16_t family, const struct knp_config *c);

struct nl_msg *knp_wire_explain(uint16_t family, const struct knp_tuple *t);

/*
 * Take a message apart. Return 0, or -EBADMSG if it is malformed or lacks an
 * attribute that the uapi promises; the result is untouched then.
 */
int knp_wire_parse_info(struct nlmsghdr *nlh, struct knp_info *ret);
int knp_wire_parse_generation(struct nlmsghdr *nlh, uint64_t *ret);
int knp_wire_parse_part(struct nlmsghdr *nlh, struct knp_part *ret);
int knp_wire_parse_counts(struct nlmsghdr *nlh, struct knp_counts *ret);
int knp_wire_parse_explanation(struct nlmsghdr *nlh,
			       struct knp_explanation *ret);
int knp_wire_parse_event(struct nlmsghdr *nlh, struct knp_event *ret);

#endif /* KNP_WIRE_H */
