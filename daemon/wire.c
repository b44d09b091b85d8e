// SPDX-License-Identifier: Apache-2.0
#include "wire.h"

#include <errno.h>
#include <string.h>

#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#define DO	(NLM_F_REQUEST | NLM_F_ACK)
#define DUMP	(NLM_F_REQUEST | NLM_F_DUMP)
#define SPARE	256	/* headers and the small attributes */

static const struct nla_policy policy[KNP_A_MAX + 1] = {
	[KNP_A_ABI_VERSION]	= { .type = NLA_U32 },
	[KNP_A_MODULE_VERSION]	= { .type = NLA_STRING },
	[KNP_A_INSTANCE]	= { .type = NLA_U64 },
	[KNP_A_GENERATION]	= { .type = NLA_U64 },
	[KNP_A_COMMIT_TIME]	= { .type = NLA_U64 },
	[KNP_A_FAMILIES]	= { .type = NLA_U32 },
	[KNP_A_MODE]		= { .type = NLA_U8 },
	[KNP_A_DEFAULT]		= { .type = NLA_U8 },
	[KNP_A_UNKNOWN_LOCAL]	= { .type = NLA_U8 },
	[KNP_A_NODE_EGRESS]	= { .type = NLA_U8 },
	[KNP_A_LB_PROBES]	= { .type = NLA_U8 },
	[KNP_A_EVENT_RATE]	= { .type = NLA_U32 },
	[KNP_A_TXN_PORTID]	= { .type = NLA_U32 },
	[KNP_A_TABLE]		= { .type = NLA_U32 },
	[KNP_A_COUNT]		= { .type = NLA_U64 },
	[KNP_A_FAMILY]		= { .type = NLA_U8 },
	[KNP_A_SRC]		= { .minlen = KNP_ADDR_LEN },
	[KNP_A_DST]		= { .minlen = KNP_ADDR_LEN },
	[KNP_A_PROTO]		= { .type = NLA_U8 },
	[KNP_A_PORT]		= { .type = NLA_U16 },
	[KNP_A_VERDICT]		= { .type = NLA_U8 },
	[KNP_A_REASON]		= { .type = NLA_U32 },
	[KNP_A_TIME]		= { .type = NLA_U64 },
	[KNP_A_IIF]		= { .type = NLA_U32 },
	[KNP_A_OIF]		= { .type = NLA_U32 },
	[KNP_A_LOST]		= { .type = NLA_U64 },
	[KNP_A_ENCAP]		= { .type = NLA_U8 },
	[KNP_A_MEMORY]		= { .type = NLA_U64 },
};

static const struct nla_policy side_policy[KNP_SIDE_A_MAX + 1] = {
	[KNP_SIDE_A_VERDICT]	 = { .type = NLA_U8 },
	[KNP_SIDE_A_SET]	 = { .type = NLA_U32 },
	[KNP_SIDE_A_SET_TAG]	 = { .minlen = KNP_TAG_LEN },
	[KNP_SIDE_A_CLASS]	 = { .type = NLA_U32 },
	[KNP_SIDE_A_CLASS_TAG]	 = { .minlen = KNP_TAG_LEN },
	[KNP_SIDE_A_PORTSET]	 = { .type = NLA_U32 },
	[KNP_SIDE_A_PORTSET_TAG] = { .minlen = KNP_TAG_LEN },
	[KNP_SIDE_A_RULE]	 = { .type = NLA_U32 },
	[KNP_SIDE_A_RULE_TAG]	 = { .minlen = KNP_TAG_LEN },
};

static struct nl_msg *request(uint16_t family, uint8_t cmd, int flags,
			      size_t room)
{
	struct nl_msg *msg = nlmsg_alloc_size(room + SPARE);

	if (!msg)
		return NULL;

	if (!genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, flags, cmd,
			 KNP_GENL_VERSION)) {
		nlmsg_free(msg);
		return NULL;
	}

	return msg;
}

/* Give the message up if an attribute did not fit. */
static struct nl_msg *finish(struct nl_msg *msg, int err)
{
	if (!err)
		return msg;

	nlmsg_free(msg);
	return NULL;
}

struct nl_msg *knp_wire_plain(uint16_t family, uint8_t cmd)
{
	return request(family, cmd, cmd == KNP_CMD_COUNTERS ? DUMP : DO, 0);
}

struct nl_msg *knp_wire_families(uint16_t family, uint8_t cmd,
				 uint32_t families)
{
	struct nl_msg *msg = request(family, cmd, DO, 0);

	if (!msg || !families)
		return msg;

	return finish(msg, nla_put_u32(msg, KNP_A_FAMILIES, families));
}

struct nl_msg *knp_wire_begin(uint16_t family, uint64_t generation)
{
	struct nl_msg *msg = request(family, KNP_CMD_BEGIN, DO, 0);

	if (!msg)
		return NULL;

	return finish(msg, nla_put_u64(msg, KNP_A_GENERATION, generation));
}

struct nl_msg *knp_wire_records(uint16_t family, uint8_t cmd, uint32_t table,
				const void *recs, size_t len)
{
	struct nl_msg *msg;
	int err;

	if (len > 65000)
		return NULL;

	msg = request(family, cmd, DO, len);
	if (!msg)
		return NULL;

	err = nla_put_u32(msg, KNP_A_TABLE, table);
	if (!err)
		err = nla_put(msg, KNP_A_RECORDS, (int)len, recs);
	return finish(msg, err);
}

struct nl_msg *knp_wire_commit(uint16_t family, uint64_t count)
{
	struct nl_msg *msg = request(family, KNP_CMD_COMMIT, DO, 0);

	if (!msg)
		return NULL;

	return finish(msg, nla_put_u64(msg, KNP_A_COUNT, count));
}

struct nl_msg *knp_wire_get(uint16_t family, uint32_t table)
{
	struct nl_msg *msg = request(family, KNP_CMD_GET, DUMP, 0);

	if (!msg || !table)
		return msg;

	return finish(msg, nla_put_u32(msg, KNP_A_TABLE, table));
}

struct nl_msg *knp_wire_config(uint16_t family, const struct knp_config *c)
{
	struct nl_msg *msg = request(family, KNP_CMD_CONFIG, DO,
				     sizeof(c->node_allow->v));
	int err = 0;

	if (!msg)
		return NULL;

	if (c->mode >= 0)
		err |= nla_put_u8(msg, KNP_A_MODE, (uint8_t)c->mode);
	if (c->dflt >= 0)
		err |= nla_put_u8(msg, KNP_A_DEFAULT, (uint8_t)c->dflt);
	if (c->unknown_local >= 0)
		err |= nla_put_u8(msg, KNP_A_UNKNOWN_LOCAL,
				  (uint8_t)c->unknown_local);
	if (c->event_rate >= 0)
		err |= nla_put_u32(msg, KNP_A_EVENT_RATE,
				   (uint32_t)c->event_rate);
	if (c->encap >= 0)
		err |= nla_put_u8(msg, KNP_A_ENCAP, (uint8_t)c->encap);
	if (c->node_egress >= 0)
		err |= nla_put_u8(msg, KNP_A_NODE_EGRESS,
				  (uint8_t)c->node_egress);
	if (c->lb_probes >= 0)
		err |= nla_put_u8(msg, KNP_A_LB_PROBES,
				  (uint8_t)c->lb_probes);
	if (c->node_allow)
		err |= nla_put(msg, KNP_A_NODE_ALLOW,
			       (int)(c->node_allow->n * sizeof(*c->node_allow->v)),
			       c->node_allow->v);
	return finish(msg, err);
}

struct nl_msg *knp_wire_explain(uint16_t family, const struct knp_tuple *t)
{
	struct nl_msg *msg = request(family, KNP_CMD_EXPLAIN, DO, 0);
	int err = 0;

	if (!msg)
		return NULL;

	err |= nla_put_u8(msg, KNP_A_FAMILY, t->family);
	err |= nla_put(msg, KNP_A_SRC, KNP_ADDR_LEN, t->src);
	err |= nla_put(msg, KNP_A_DST, KNP_ADDR_LEN, t->dst);
	err |= nla_put_u8(msg, KNP_A_PROTO, t->proto);
	if (t->has_port)
		err |= nla_put_u16(msg, KNP_A_PORT, t->port);
	return finish(msg, err);
}

static int parse(struct nlmsghdr *nlh, struct nlattr **tb)
{
	if (!genlmsg_valid_hdr(nlh, 0))
		return -EBADMSG;

	return genlmsg_parse(nlh, 0, tb, KNP_A_MAX, policy) ? -EBADMSG : 0;
}

/* Read an integer; an absent one is 0 and clears *@all. */
static uint64_t integer(struct nlattr *a, bool *all)
{
	if (!a) {
		*all = false;
		return 0;
	}

	switch (nla_len(a)) {
	case 1:
		return nla_get_u8(a);
	case 2:
		return nla_get_u16(a);
	case 4:
		return nla_get_u32(a);
	case 8:
		return nla_get_u64(a);
	}

	*all = false;
	return 0;
}

static void parse_tables(struct nlattr *a, struct knp_info *info)
{
	const char *p = nla_data(a);
	struct knp_table_info t;
	size_t i, n;

	n = (size_t)nla_len(a) / sizeof(t);
	for (i = 0; i < n; i++) {
		memcpy(&t, p + i * sizeof(t), sizeof(t));
		if (t.table <= KNP_TABLE_MAX)
			info->tables[t.table] = t;
	}
}

static bool parse_node_allow(struct nlattr *a, struct knp_node_allows *list)
{
	size_t len = a ? (size_t)nla_len(a) : 0;

	if (!a || len % sizeof(*list->v) || len > sizeof(list->v))
		return false;

	list->n = len / sizeof(*list->v);
	memcpy(list->v, nla_data(a), len);
	return true;
}

int knp_wire_parse_info(struct nlmsghdr *nlh, struct knp_info *ret)
{
	struct nlattr *tb[KNP_A_MAX + 1];
	struct knp_info info = { 0 };
	bool all = true, any = true;
	int err;

	err = parse(nlh, tb);
	if (err)
		return err;

	/* Only the number of the ABI may be relied on before it is checked. */
	info.abi = (uint32_t)integer(tb[KNP_A_ABI_VERSION], &all);
	if (!all)
		return -EBADMSG;

	if (tb[KNP_A_MODULE_VERSION])
		nla_strlcpy(info.version, tb[KNP_A_MODULE_VERSION],
			    sizeof(info.version));
	info.instance = integer(tb[KNP_A_INSTANCE], &all);
	info.generation = integer(tb[KNP_A_GENERATION], &all);
	info.commit_time = integer(tb[KNP_A_COMMIT_TIME], &any);
	info.families = (uint32_t)integer(tb[KNP_A_FAMILIES], &all);
	info.mode = (uint8_t)integer(tb[KNP_A_MODE], &all);
	info.dflt = (uint8_t)integer(tb[KNP_A_DEFAULT], &all);
	info.unknown_local = (uint8_t)integer(tb[KNP_A_UNKNOWN_LOCAL], &all);
	info.event_rate = (uint32_t)integer(tb[KNP_A_EVENT_RATE], &all);
	info.encap = (uint8_t)integer(tb[KNP_A_ENCAP], &all);
	info.node_egress = (uint8_t)integer(tb[KNP_A_NODE_EGRESS], &all);
	info.lb_probes = (uint8_t)integer(tb[KNP_A_LB_PROBES], &all);
	all &= parse_node_allow(tb[KNP_A_NODE_ALLOW], &info.node_allow);
	info.has_txn = tb[KNP_A_TXN_PORTID] != NULL;
	info.txn_port = (uint32_t)integer(tb[KNP_A_TXN_PORTID], &any);
	info.memory = integer(tb[KNP_A_MEMORY], &any);
	if (tb[KNP_A_TABLE_INFO])
		parse_tables(tb[KNP_A_TABLE_INFO], &info);

	if (!all && info.abi == KNP_ABI_VERSION)
		return -EBADMSG;

	*ret = info;
	return 0;
}

int knp_wire_parse_generation(struct nlmsghdr *nlh, uint64_t *ret)
{
	struct nlattr *tb[KNP_A_MAX + 1];
	bool all = true;
	uint64_t value;
	int err;

	err = parse(nlh, tb);
	if (err)
		return err;

	value = integer(tb[KNP_A_GENERATION], &all);
	if (!all)
		return -EBADMSG;

	*ret = value;
	return 0;
}

int knp_wire_parse_part(struct nlmsghdr *nlh, struct knp_part *ret)
{
	struct nlattr *tb[KNP_A_MAX + 1];
	struct knp_part part;
	bool all = true;
	int err;

	err = parse(nlh, tb);
	if (err)
		return err;

	part.generation = integer(tb[KNP_A_GENERATION], &all);
	part.table = (uint32_t)integer(tb[KNP_A_TABLE], &all);
	if (!all || !tb[KNP_A_RECORDS])
		return -EBADMSG;

	part.recs = nla_data(tb[KNP_A_RECORDS]);
	part.len = (size_t)nla_len(tb[KNP_A_RECORDS]);
	*ret = part;
	return 0;
}

static int counters(struct nlattr *a, const void **v, size_t *n)
{
	size_t len;

	*v = NULL;
	*n = 0;
	if (!a)
		return 0;

	len = (size_t)nla_len(a);
	if (len % sizeof(struct knp_counter))
		return -EBADMSG;

	*v = nla_data(a);
	*n = len / sizeof(struct knp_counter);
	return 0;
}

int knp_wire_parse_counts(struct nlmsghdr *nlh, struct knp_counts *ret)
{
	struct nlattr *tb[KNP_A_MAX + 1];
	struct knp_counts c;
	int err;

	err = parse(nlh, tb);
	if (!err)
		err = counters(tb[KNP_A_REASON_COUNTERS], &c.reasons,
			       &c.nreasons);
	if (!err)
		err = counters(tb[KNP_A_RULE_COUNTERS], &c.rules, &c.nrules);
	if (!err)
		err = counters(tb[KNP_A_SET_COUNTERS], &c.sets, &c.nsets);
	if (err)
		return err;

	*ret = c;
	return 0;
}

static void tag(struct nlattr *a, uint8_t t[KNP_TAG_LEN])
{
	if (a)
		memcpy(t, nla_data(a), KNP_TAG_LEN);
}

static int parse_side(struct nlattr *nest, struct knp_side_info *side)
{
	struct nlattr *tb[KNP_SIDE_A_MAX + 1];
	bool all = true, any = true;

	memset(side, 0, sizeof(*side));
	if (!nest)
		return 0;
	if (nla_parse_nested(tb, KNP_SIDE_A_MAX, nest, side_policy))
		return -EBADMSG;

	side->judged = true;
	side->verdict = (uint8_t)integer(tb[KNP_SIDE_A_VERDICT], &all);
	side->set = (uint32_t)integer(tb[KNP_SIDE_A_SET], &all);
	side->class_id = (uint32_t)integer(tb[KNP_SIDE_A_CLASS], &any);
	side->portset = (uint32_t)integer(tb[KNP_SIDE_A_PORTSET], &any);
	side->rule = (uint32_t)integer(tb[KNP_SIDE_A_RULE], &any);
	side->has_tags = tb[KNP_SIDE_A_SET_TAG] != NULL;
	tag(tb[KNP_SIDE_A_SET_TAG], side->set_tag);
	tag(tb[KNP_SIDE_A_CLASS_TAG], side->class_tag);
	tag(tb[KNP_SIDE_A_PORTSET_TAG], side->portset_tag);
	tag(tb[KNP_SIDE_A_RULE_TAG], side->rule_tag);
	return all ? 0 : -EBADMSG;
}

/* A message about one verdict: EXPLAIN's answer or an event. */
static int parse_judged(struct nlmsghdr *nlh, struct nlattr **tb,
			struct knp_side_info *egress, struct knp_side_info *ingress)
{
	int err = parse(nlh, tb);

	if (!err)
		err = parse_side(tb[KNP_A_EGRESS], egress);
	if (!err)
		err = parse_side(tb[KNP_A_INGRESS], ingress);
	return err;
}

int knp_wire_parse_explanation(struct nlmsghdr *nlh,
			       struct knp_explanation *ret)
{
	struct nlattr *tb[KNP_A_MAX + 1];
	struct knp_explanation e = { 0 };
	bool all = true;
	int err;

	err = parse_judged(nlh, tb, &e.egress, &e.ingress);
	if (err)
		return err;

	e.generation = integer(tb[KNP_A_GENERATION], &all);
	e.verdict = (uint8_t)integer(tb[KNP_A_VERDICT], &all);
	e.reason = (uint32_t)integer(tb[KNP_A_REASON], &all);
	if (!all)
		return -EBADMSG;

	*ret = e;
	return 0;
}

int knp_wire_parse_event(struct nlmsghdr *nlh, struct knp_event *ret)
{
	struct nlattr *tb[KNP_A_MAX + 1];
	bool all = true, any = true;
	struct knp_event e = { 0 };
	int err;

	err = parse_judged(nlh, tb, &e.egress, &e.ingress);
	if (err)
		return err;

	e.generation = integer(tb[KNP_A_GENERATION], &any);
	e.time = integer(tb[KNP_A_TIME], &all);
	e.lost = integer(tb[KNP_A_LOST], &any);
	e.reason = (uint32_t)integer(tb[KNP_A_REASON], &all);
	e.mode = (uint8_t)integer(tb[KNP_A_MODE], &all);
	e.tuple.family = (uint8_t)integer(tb[KNP_A_FAMILY], &any);
	e.tuple.proto = (uint8_t)integer(tb[KNP_A_PROTO], &any);
	e.tuple.has_port = tb[KNP_A_PORT] != NULL;
	e.tuple.port = (uint16_t)integer(tb[KNP_A_PORT], &any);
	e.iif = (uint32_t)integer(tb[KNP_A_IIF], &any);
	e.oif = (uint32_t)integer(tb[KNP_A_OIF], &any);
	if (!all)
		return -EBADMSG;
	/* A frame that is no IP packet has none of them. */
	if (e.reason != KNP_REASON_L2PROTO) {
		if (!tb[KNP_A_FAMILY] || !tb[KNP_A_SRC] || !tb[KNP_A_DST])
			return -EBADMSG;
		memcpy(e.tuple.src, nla_data(tb[KNP_A_SRC]), KNP_ADDR_LEN);
		memcpy(e.tuple.dst, nla_data(tb[KNP_A_DST]), KNP_ADDR_LEN);
	}
	*ret = e;
	return 0;
}
