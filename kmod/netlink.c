// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * See netlink.h; the manual of the commands is uapi/linux/knp.h.
 *
 * Each command has a policy of its own, so that an attribute that a command
 * does not know is refused, and every refusal carries a text. Ranges stand in
 * the policies; what needs two attributes or the tables is checked in code.
 * tests/spec holds the policies, the manual and uapi/knp.yaml together.
 */
#include <linux/jiffies.h>
#include <linux/module.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "hook.h"
#include "match.h"
#include "netlink.h"
#include "netns.h"
#include "txn.h"

/*
 * A dump message holds at least one record of any size. Readers of 32 KiB
 * buffers, which iproute2 made the custom, never see a truncated one.
 */
#define DUMP_SKB	SKB_WITH_OVERHEAD(32768)
#define RECORDS_MIN	8192

/* A reader that takes longer gets NLM_F_DUMP_INTR and has to begin anew. */
#define DUMP_AGE	(30 * HZ)

enum {
	GROUP_EVENTS,
	GROUP_COMMITS,
};

static const struct genl_multicast_group groups[] = {
	[GROUP_EVENTS] = {
		.name = KNP_MCGRP_EVENTS,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
	[GROUP_COMMITS] = {
		.name = KNP_MCGRP_COMMITS,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
};

static struct genl_family family;

/* Set while the family is being taken down; see knp_netlink_exit(). */
static bool closing;

/*
 * Helpers: refusals.
 */

static int refuse(struct netlink_ext_ack *extack, const struct nlattr *attr,
		  int err, const char *text)
{
	if (extack) {
		extack->_msg = text;
		NL_SET_BAD_ATTR(extack, attr);
	}

	return err;
}

static int require(struct genl_info *info, int type, const char *text)
{
	if (info->attrs[type])
		return 0;
	NL_SET_ERR_ATTR_MISS(info->extack, NULL, type);

	return refuse(info->extack, NULL, -EINVAL, text);
}

/*
 * INFO and the notifications of the group "commits".
 */

static u32 table_count(const struct knp_snapshot *snap, u32 table)
{
	return snap ? knp_tables_count(snap->tables, table) : 0;
}

static int info_put_tables(struct sk_buff *skb, const struct knp_snapshot *snap)
{
	struct knp_table_info ti[KNP_TABLE_MAX];
	u32 table;

	for (table = KNP_TABLE_RULE; table <= KNP_TABLE_MAX; table++)
		ti[table - KNP_TABLE_RULE] = (struct knp_table_info){
			.table = table,
			.count = table_count(snap, table),
			.limit = knp_tables_limit(table),
		};

	return nla_put(skb, KNP_A_TABLE_INFO, sizeof(ti), ti);
}

static int info_put(struct sk_buff *skb, struct knp_net *kn)
{
	const struct knp_snapshot *snap = knp_snapshot_locked(kn);

	lockdep_assert_held(&kn->lock);

	if (nla_put_u32(skb, KNP_A_ABI_VERSION, KNP_ABI_VERSION) ||
	    nla_put_string(skb, KNP_A_MODULE_VERSION, KNP_MODULE_VERSION) ||
	    nla_put_u64_64bit(skb, KNP_A_INSTANCE, kn->instance, KNP_A_PAD) ||
	    nla_put_u64_64bit(skb, KNP_A_GENERATION, kn->generation,
			      KNP_A_PAD) ||
	    nla_put_u64_64bit(skb, KNP_A_COMMIT_TIME,
			      snap ? snap->commit_time : 0, KNP_A_PAD) ||
	    nla_put_u32(skb, KNP_A_FAMILIES, kn->families) ||
	    nla_put_u8(skb, KNP_A_MODE, kn->config.mode) ||
	    nla_put_u8(skb, KNP_A_DEFAULT, kn->config.dflt) ||
	    nla_put_u8(skb, KNP_A_UNKNOWN_LOCAL, kn->config.unknown_local) ||
	    nla_put_u32(skb, KNP_A_EVENT_RATE, kn->config.event_rate))
		return -EMSGSIZE;
	if (kn->txn && nla_put_u32(skb, KNP_A_TXN_PORTID, kn->txn_portid))
		return -EMSGSIZE;

	return info_put_tables(skb, snap);
}

/* Under the lock, so that listeners get the notifications in order. */
static void notify_commits(struct knp_net *kn)
{
	struct sk_buff *skb;
	void *hdr;

	lockdep_assert_held(&kn->lock);

	if (!genl_has_listeners(&family, kn->net, GROUP_COMMITS))
		return;
	skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		goto lost;
	hdr = genlmsg_put(skb, 0, 0, &family, 0, KNP_CMD_INFO);
	if (!hdr || info_put(skb, kn)) {
		nlmsg_free(skb);
		goto lost;
	}
	genlmsg_end(skb, hdr);
	genlmsg_multicast_netns(&family, kn->net, skb, 0, GROUP_COMMITS,
				GFP_KERNEL);
	return;

lost:
	/* Listeners see ENOBUFS, as for any message that was lost. */
	genl_set_err(&family, kn->net, 0, GROUP_COMMITS, -ENOBUFS);
}

static int info_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct knp_net *kn = knp_net(genl_info_net(info));
	struct sk_buff *msg;
	void *hdr;
	int err;

	msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg)
		return refuse(info->extack, NULL, -ENOMEM, "out of memory");
	hdr = genlmsg_put_reply(msg, info, &family, 0, KNP_CMD_INFO);
	if (!hdr) {
		err = -EMSGSIZE;
		goto err_free;
	}
	mutex_lock(&kn->lock);
	err = info_put(msg, kn);
	mutex_unlock(&kn->lock);
	if (err)
		goto err_free;
	genlmsg_end(msg, hdr);

	return genlmsg_reply(msg, info);

err_free:
	nlmsg_free(msg);
	return refuse(info->extack, NULL, err, "the reply does not fit");
}

/*
 * ATTACH, DETACH, CONFIG.
 */

static const struct nla_policy attach_policy[] = {
	[KNP_A_FAMILIES] = NLA_POLICY_MASK(NLA_U32, KNP_FAMILY_ALL),
};

static int attach_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct knp_net *kn = knp_net(genl_info_net(info));
	u32 families, before;
	int err;

	err = require(info, KNP_A_FAMILIES, "ATTACH needs FAMILIES");
	if (err)
		return err;
	families = nla_get_u32(info->attrs[KNP_A_FAMILIES]);
	if (!families)
		return refuse(info->extack, info->attrs[KNP_A_FAMILIES],
			      -EINVAL, "FAMILIES is empty");

	mutex_lock(&kn->lock);
	before = kn->families;
	err = knp_hooks_attach(kn, families);
	if (kn->families != before)
		notify_commits(kn);
	mutex_unlock(&kn->lock);

	if (err == -EOPNOTSUPP)
		return refuse(info->extack, info->attrs[KNP_A_FAMILIES], err,
			      "the kernel lacks a family, or conntrack for it");
	if (err)
		return refuse(info->extack, NULL, err,
			      "hooks or conntrack could not be registered");

	return 0;
}

static const struct nla_policy detach_policy[] = {
	[KNP_A_FAMILIES] = NLA_POLICY_MASK(NLA_U32, KNP_FAMILY_ALL),
};

static int detach_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct knp_net *kn = knp_net(genl_info_net(info));
	u32 families = KNP_FAMILY_ALL;
	u32 before;

	if (info->attrs[KNP_A_FAMILIES])
		families = nla_get_u32(info->attrs[KNP_A_FAMILIES]);

	mutex_lock(&kn->lock);
	before = kn->families;
	knp_hooks_detach(kn, families);
	if (kn->families != before)
		notify_commits(kn);
	mutex_unlock(&kn->lock);

	return 0;
}

static const struct nla_policy config_policy[] = {
	[KNP_A_MODE] = NLA_POLICY_MAX(NLA_U8, KNP_MODE_AUDIT),
	[KNP_A_DEFAULT] = NLA_POLICY_MAX(NLA_U8, KNP_DROP),
	[KNP_A_UNKNOWN_LOCAL] = NLA_POLICY_MAX(NLA_U8, KNP_DROP),
	[KNP_A_EVENT_RATE] = { .type = NLA_U32 },
};

static bool config_set_u8(u8 *word, const struct nlattr *attr)
{
	u8 value;

	if (!attr)
		return false;
	value = nla_get_u8(attr);
	if (value == *word)
		return false;
	WRITE_ONCE(*word, value);

	return true;
}

static bool config_set_u32(u32 *word, const struct nlattr *attr)
{
	u32 value;

	if (!attr)
		return false;
	value = nla_get_u32(attr);
	if (value == *word)
		return false;
	WRITE_ONCE(*word, value);

	return true;
}

static int config_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct knp_net *kn = knp_net(genl_info_net(info));
	struct knp_config *c = &kn->config;
	struct nlattr **a = info->attrs;
	bool changed;

	if (!a[KNP_A_MODE] && !a[KNP_A_DEFAULT] && !a[KNP_A_UNKNOWN_LOCAL] &&
	    !a[KNP_A_EVENT_RATE])
		return refuse(info->extack, NULL, -EINVAL,
			      "CONFIG needs at least one setting");

	mutex_lock(&kn->lock);
	changed = config_set_u8(&c->mode, a[KNP_A_MODE]);
	changed |= config_set_u8(&c->dflt, a[KNP_A_DEFAULT]);
	changed |= config_set_u8(&c->unknown_local, a[KNP_A_UNKNOWN_LOCAL]);
	changed |= config_set_u32(&c->event_rate, a[KNP_A_EVENT_RATE]);
	if (changed)
		notify_commits(kn);
	mutex_unlock(&kn->lock);

	return 0;
}

/*
 * Transactions.
 */

static const struct nla_policy begin_policy[] = {
	[KNP_A_GENERATION] = { .type = NLA_U64 },
};

static int begin_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct knp_net *kn = knp_net(genl_info_net(info));
	const char *why = NULL;
	int err;

	err = require(info, KNP_A_GENERATION, "BEGIN needs GENERATION");
	if (err)
		return err;
	err = knp_txn_begin(kn, info->snd_portid,
			    nla_get_u64(info->attrs[KNP_A_GENERATION]), &why);
	if (err)
		return refuse(info->extack,
			      err == -ESTALE ? info->attrs[KNP_A_GENERATION] :
					       NULL, err, why);

	return 0;
}

static const struct nla_policy put_policy[] = {
	[KNP_A_TABLE] = NLA_POLICY_RANGE(NLA_U32, KNP_TABLE_RULE,
					 KNP_TABLE_MAX),
	[KNP_A_RECORDS] = NLA_POLICY_MIN_LEN(1),
};

static const struct nla_policy delete_policy[] = {
	[KNP_A_TABLE] = NLA_POLICY_RANGE(NLA_U32, KNP_TABLE_RULE,
					 KNP_TABLE_MAX),
	[KNP_A_RECORDS] = NLA_POLICY_MIN_LEN(1),
};

static int change_doit(struct genl_info *info,
		       int (*change)(struct knp_net *kn, u32 portid, u32 table,
				     const void *recs, size_t len,
				     const char **why))
{
	struct knp_net *kn = knp_net(genl_info_net(info));
	const struct nlattr *recs;
	const char *why = NULL;
	int err;

	err = require(info, KNP_A_TABLE, "TABLE is missing");
	if (err)
		return err;
	err = require(info, KNP_A_RECORDS, "RECORDS are missing");
	if (err)
		return err;
	recs = info->attrs[KNP_A_RECORDS];
	err = change(kn, info->snd_portid,
		     nla_get_u32(info->attrs[KNP_A_TABLE]), nla_data(recs),
		     nla_len(recs), &why);
	if (err)
		return refuse(info->extack, recs, err, why);

	return 0;
}

static int put_doit(struct sk_buff *skb, struct genl_info *info)
{
	return change_doit(info, knp_txn_put);
}

static int delete_doit(struct sk_buff *skb, struct genl_info *info)
{
	return change_doit(info, knp_txn_delete);
}

static const struct nla_policy commit_policy[] = {
	[KNP_A_COUNT] = { .type = NLA_U64 },
};

static int commit_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct knp_net *kn = knp_net(genl_info_net(info));
	const char *why = "out of memory";
	struct nlattr *generation;
	struct sk_buff *msg;
	u64 new_generation;
	void *hdr;
	int err;

	err = require(info, KNP_A_COUNT, "COMMIT needs COUNT");
	if (err)
		goto err_abort;

	/* The reply first: after the commit nothing may fail. */
	err = -ENOMEM;
	msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg)
		goto err_refuse;
	hdr = genlmsg_put_reply(msg, info, &family, 0, KNP_CMD_COMMIT);
	if (!hdr)
		goto err_free;
	generation = nla_reserve_64bit(msg, KNP_A_GENERATION,
				       sizeof(new_generation), KNP_A_PAD);
	if (!generation)
		goto err_free;

	err = knp_txn_commit(kn, info->snd_portid,
			     nla_get_u64(info->attrs[KNP_A_COUNT]),
			     &new_generation, &why);
	if (err) {
		nlmsg_free(msg);
		return refuse(info->extack,
			      err == -EBADMSG ? info->attrs[KNP_A_COUNT] : NULL,
			      err, why);
	}
	memcpy(nla_data(generation), &new_generation, sizeof(new_generation));
	genlmsg_end(msg, hdr);

	mutex_lock(&kn->lock);
	notify_commits(kn);
	mutex_unlock(&kn->lock);

	/* The commit stands even if its author went away. */
	genlmsg_reply(msg, info);
	return 0;

err_free:
	nlmsg_free(msg);
err_refuse:
	refuse(info->extack, NULL, err, why);
err_abort:
	knp_txn_abort(kn, info->snd_portid, &why);
	return err;
}

static int abort_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct knp_net *kn = knp_net(genl_info_net(info));
	const char *why = NULL;
	int err;

	err = knp_txn_abort(kn, info->snd_portid, &why);
	if (err)
		return refuse(info->extack, NULL, err, why);

	return 0;
}

/*
 * GET.
 */

static const struct nla_policy get_policy[] = {
	[KNP_A_TABLE] = NLA_POLICY_RANGE(NLA_U32, KNP_TABLE_RULE,
					 KNP_TABLE_MAX),
};

/**
 * struct get_ctx - a dump under way, in netlink_callback.ctx
 * @snap: pinned, NULL if nothing was committed
 * @cursor: in @table
 * @started: jiffies
 * @table: the next to read
 * @last: the last to read
 */
struct get_ctx {
	struct knp_snapshot *snap;
	struct knp_cursor cursor;
	unsigned long started;
	u32 table;
	u32 last;
};

static int get_start(struct netlink_callback *cb)
{
	struct nlattr **attrs = genl_info_dump(cb)->attrs;
	struct get_ctx *ctx = (struct get_ctx *)cb->ctx;
	struct knp_snapshot *snap;

	BUILD_BUG_ON(sizeof(*ctx) > sizeof(cb->ctx));

	snap = knp_snapshot_pin(knp_net(sock_net(cb->skb->sk)));
	if (IS_ERR(snap))
		return refuse(cb->extack, NULL, PTR_ERR(snap),
			      "too many dumps are open");

	*ctx = (struct get_ctx){
		.snap = snap,
		.started = jiffies,
		.table = KNP_TABLE_RULE,
		.last = KNP_TABLE_MAX,
	};
	if (attrs[KNP_A_TABLE]) {
		ctx->table = nla_get_u32(attrs[KNP_A_TABLE]);
		ctx->last = ctx->table;
	}
	cb->min_dump_alloc = DUMP_SKB;
	/* One generation throughout; get_dumpit() changes it when too old. */
	cb->seq = 1;
	cb->prev_seq = 1;

	return 0;
}

/*
 * One message of records of ctx->table.
 *
 * Return: 0; -EMSGSIZE if there is no room for a message; -ENODATA at the end
 * of the table.
 */
static int get_put(struct sk_buff *skb, struct netlink_callback *cb,
		   struct get_ctx *ctx)
{
	struct nlattr *recs;
	size_t len;
	void *hdr;
	int room;

	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &family, NLM_F_MULTI, KNP_CMD_GET);
	if (!hdr)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, hdr);
	if (nla_put_u64_64bit(skb, KNP_A_GENERATION, ctx->snap->generation,
			      KNP_A_PAD) ||
	    nla_put_u32(skb, KNP_A_TABLE, ctx->table))
		goto full;

	room = round_down(skb_tailroom(skb), NLA_ALIGNTO) - NLA_HDRLEN;
	room = min_t(int, room, round_down(U16_MAX - NLA_HDRLEN, NLA_ALIGNTO));
	if (room < RECORDS_MIN)
		goto full;
	recs = nla_reserve(skb, KNP_A_RECORDS, room);
	if (!recs)
		goto full;
	len = knp_tables_next(ctx->snap->tables, ctx->table, &ctx->cursor,
			      nla_data(recs), room);
	if (!len) {
		genlmsg_cancel(skb, hdr);
		return -ENODATA;
	}
	/* Give back what was not used. Records are multiples of four bytes. */
	recs->nla_len = nla_attr_size(len);
	skb_trim(skb, (unsigned char *)recs + nla_total_size(len) - skb->data);
	genlmsg_end(skb, hdr);

	return 0;

full:
	genlmsg_cancel(skb, hdr);
	return -EMSGSIZE;
}

static int get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct get_ctx *ctx = (struct get_ctx *)cb->ctx;
	int err;

	if (!ctx->snap)
		return 0;
	if (time_after(jiffies, ctx->started + DUMP_AGE)) {
		/* The message that ends the dump gets NLM_F_DUMP_INTR. */
		cb->seq = 2;
		return 0;
	}

	while (ctx->table <= ctx->last) {
		err = get_put(skb, cb, ctx);
		if (err == -EMSGSIZE)
			return skb->len ? skb->len : err;
		if (err == -ENODATA) {
			ctx->table++;
			ctx->cursor = (struct knp_cursor){};
		}
	}

	return skb->len;
}

static int get_done(struct netlink_callback *cb)
{
	struct get_ctx *ctx = (struct get_ctx *)cb->ctx;

	knp_snapshot_unpin(ctx->snap);

	return 0;
}

/*
 * COUNTERS.
 */

/**
 * struct counters_ctx - a dump under way, in netlink_callback.ctx
 * @rule: the next to read
 * @reasons_sent: the first message is out
 */
struct counters_ctx {
	u32 rule;
	bool reasons_sent;
};

static int counters_start(struct netlink_callback *cb)
{
	struct counters_ctx *ctx = (struct counters_ctx *)cb->ctx;

	BUILD_BUG_ON(sizeof(*ctx) > sizeof(cb->ctx));

	*ctx = (struct counters_ctx){ .rule = 1 };
	cb->min_dump_alloc = DUMP_SKB;

	return 0;
}

static int counters_put_reasons(struct sk_buff *skb,
				const struct knp_counters *c)
{
	struct knp_counter *out;
	struct nlattr *attr;
	u32 reason;

	attr = nla_reserve_64bit(skb, KNP_A_REASON_COUNTERS,
				 KNP_REASON_MAX * sizeof(*out), KNP_A_PAD);
	if (!attr)
		return -EMSGSIZE;
	out = nla_data(attr);
	for (reason = 1; reason <= KNP_REASON_MAX; reason++)
		knp_counters_reason(c, reason, out++);

	return 0;
}

/* Return: 0, -EMSGSIZE, or -ENODATA if no rule was left to send. */
static int counters_put_rules(struct sk_buff *skb, const struct knp_counters *c,
			      u32 *rule)
{
	struct knp_counter *out;
	struct nlattr *attr;
	int i = 0, n;

	n = (skb_tailroom(skb) - nla_total_size_64bit(0)) / (int)sizeof(*out);
	if (n <= 0)
		return -EMSGSIZE;
	attr = nla_reserve_64bit(skb, KNP_A_RULE_COUNTERS, n * sizeof(*out),
				 KNP_A_PAD);
	if (!attr)
		return -EMSGSIZE;
	out = nla_data(attr);
	while (i < n && knp_counters_next_rule(c, rule, &out[i]))
		i++;
	attr->nla_len = nla_attr_size(i * sizeof(*out));
	skb_trim(skb, (unsigned char *)&out[i] - skb->data);

	return i ? 0 : -ENODATA;
}

static int counters_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct knp_counters *c =
		&knp_net(sock_net(cb->skb->sk))->counters;
	struct counters_ctx *ctx = (struct counters_ctx *)cb->ctx;
	unsigned char *before_rules;
	void *hdr;
	int err;

	if (ctx->rule > KNP_RULES_MAX)
		return 0;
	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &family, NLM_F_MULTI, KNP_CMD_COUNTERS);
	if (!hdr)
		return -EMSGSIZE;
	if (!ctx->reasons_sent && counters_put_reasons(skb, c))
		goto err_full;

	before_rules = skb_tail_pointer(skb);
	err = counters_put_rules(skb, c, &ctx->rule);
	if (err == -EMSGSIZE)
		goto err_full;
	if (err && ctx->reasons_sent) {
		genlmsg_cancel(skb, hdr);
		return 0;
	}
	if (err)
		nlmsg_trim(skb, before_rules);
	ctx->reasons_sent = true;
	genlmsg_end(skb, hdr);

	return skb->len;

err_full:
	genlmsg_cancel(skb, hdr);
	return -EMSGSIZE;
}

/*
 * EXPLAIN and events.
 */

static const struct nla_policy explain_policy[] = {
	[KNP_A_FAMILY] = { .type = NLA_U8 },
	[KNP_A_SRC] = NLA_POLICY_EXACT_LEN(KNP_ADDR_LEN),
	[KNP_A_DST] = NLA_POLICY_EXACT_LEN(KNP_ADDR_LEN),
	[KNP_A_PROTO] = NLA_POLICY_MIN(NLA_U8, 1),
	[KNP_A_PORT] = { .type = NLA_U16 },
};

static int addr_get(struct genl_info *info, int type, unsigned int family_id,
		    struct knp_addr *addr)
{
	nla_memcpy(addr, info->attrs[type], sizeof(*addr));
	if (family_id == KNP_V4 && (addr->w[1] || addr->w[2] || addr->w[3]))
		return refuse(info->extack, info->attrs[type], -EINVAL,
			      "bytes behind an IPv4 address are not zero");

	return 0;
}

static bool proto_has_port(u8 proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP ||
	       proto == IPPROTO_SCTP;
}

static int explain_get_port(struct genl_info *info, struct knp_flow *f)
{
	const struct nlattr *port = info->attrs[KNP_A_PORT];

	f->has_port = proto_has_port(f->proto);
	if (f->has_port && !port)
		return require(info, KNP_A_PORT, "this protocol needs PORT");
	if (!f->has_port && port)
		return refuse(info->extack, port, -EINVAL,
			      "this protocol has no ports");
	f->dport = port ? nla_get_u16(port) : 0;

	return 0;
}

static int explain_get_flow(struct genl_info *info, struct knp_flow *f)
{
	int err;

	err = require(info, KNP_A_FAMILY, "EXPLAIN needs FAMILY");
	if (!err)
		err = require(info, KNP_A_SRC, "EXPLAIN needs SRC");
	if (!err)
		err = require(info, KNP_A_DST, "EXPLAIN needs DST");
	if (!err)
		err = require(info, KNP_A_PROTO, "EXPLAIN needs PROTO");
	if (err)
		return err;

	switch (nla_get_u8(info->attrs[KNP_A_FAMILY])) {
	case AF_INET:
		f->family = KNP_V4;
		break;
	case AF_INET6:
		f->family = KNP_V6;
		break;
	default:
		return refuse(info->extack, info->attrs[KNP_A_FAMILY], -EINVAL,
			      "FAMILY is neither AF_INET nor AF_INET6");
	}
	err = addr_get(info, KNP_A_SRC, f->family, &f->src);
	if (!err)
		err = addr_get(info, KNP_A_DST, f->family, &f->dst);
	if (err)
		return err;
	f->proto = nla_get_u8(info->attrs[KNP_A_PROTO]);

	return explain_get_port(info, f);
}

static int tag_put(struct sk_buff *skb, int attr, const struct knp_tables *t,
		   u32 table, u32 id)
{
	const u8 *tag = t && id ? knp_tables_tag(t, table, id) : NULL;

	return tag ? nla_put(skb, attr, KNP_TAG_LEN, tag) : 0;
}

/* @t: for the tags; NULL leaves them out. */
static int side_put(struct sk_buff *skb, int attr, const struct knp_side *s,
		    const struct knp_tables *t)
{
	struct nlattr *nest;

	if (!s->set)
		return 0;
	nest = nla_nest_start(skb, attr);
	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u8(skb, KNP_SIDE_A_VERDICT, s->rule ? KNP_PASS : KNP_DROP) ||
	    nla_put_u32(skb, KNP_SIDE_A_SET, s->set) ||
	    tag_put(skb, KNP_SIDE_A_SET_TAG, t, KNP_TABLE_SET, s->set) ||
	    nla_put_u32(skb, KNP_SIDE_A_CLASS, s->class_id) ||
	    tag_put(skb, KNP_SIDE_A_CLASS_TAG, t, KNP_TABLE_CLASS,
		    s->class_id) ||
	    nla_put_u32(skb, KNP_SIDE_A_PORTSET, s->portset) ||
	    tag_put(skb, KNP_SIDE_A_PORTSET_TAG, t, KNP_TABLE_PORTSET,
		    s->portset))
		return -EMSGSIZE;
	if (s->rule &&
	    (nla_put_u32(skb, KNP_SIDE_A_RULE, s->rule) ||
	     tag_put(skb, KNP_SIDE_A_RULE_TAG, t, KNP_TABLE_RULE, s->rule)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);

	return 0;
}

static int explain_put(struct sk_buff *msg, const struct knp_snapshot *snap,
		       const struct knp_flow *f)
{
	struct knp_verdict v;

	knp_match(snap->tables, f, &v);
	if (nla_put_u64_64bit(msg, KNP_A_GENERATION, snap->generation,
			      KNP_A_PAD) ||
	    nla_put_u8(msg, KNP_A_VERDICT, v.pass ? KNP_PASS : KNP_DROP) ||
	    nla_put_u32(msg, KNP_A_REASON, v.reason) ||
	    side_put(msg, KNP_A_EGRESS, &v.egress, snap->tables) ||
	    side_put(msg, KNP_A_INGRESS, &v.ingress, snap->tables))
		return -EMSGSIZE;

	return 0;
}

static int explain_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct knp_net *kn = knp_net(genl_info_net(info));
	const char *why = "out of memory";
	const struct knp_snapshot *snap;
	struct knp_flow flow = {};
	struct sk_buff *msg;
	void *hdr;
	int err;

	err = explain_get_flow(info, &flow);
	if (err)
		return err;

	msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg)
		return refuse(info->extack, NULL, -ENOMEM, why);
	hdr = genlmsg_put_reply(msg, info, &family, 0, KNP_CMD_EXPLAIN);
	if (!hdr) {
		err = -EMSGSIZE;
		goto err_free;
	}

	rcu_read_lock();
	snap = rcu_dereference(kn->snap);
	err = snap ? explain_put(msg, snap, &flow) : -ENODATA;
	rcu_read_unlock();
	if (err == -ENODATA)
		why = "nothing has been committed";
	if (err)
		goto err_free;
	genlmsg_end(msg, hdr);

	return genlmsg_reply(msg, info);

err_free:
	nlmsg_free(msg);
	return refuse(info->extack, NULL, err, why);
}

bool knp_netlink_events_wanted(struct net *net)
{
	return !READ_ONCE(closing) &&
	       genl_has_listeners(&family, net, GROUP_EVENTS);
}

static int event_put(struct sk_buff *skb, const struct knp_event *e, u64 lost)
{
	const struct knp_flow *f = &e->flow;

	if (nla_put_u64_64bit(skb, KNP_A_GENERATION, e->generation,
			      KNP_A_PAD) ||
	    nla_put_u64_64bit(skb, KNP_A_TIME, e->time, KNP_A_PAD) ||
	    nla_put_u8(skb, KNP_A_MODE, e->mode) ||
	    nla_put_u32(skb, KNP_A_REASON, e->reason) ||
	    nla_put_u8(skb, KNP_A_FAMILY,
		       f->family == KNP_V4 ? AF_INET : AF_INET6) ||
	    nla_put(skb, KNP_A_SRC, sizeof(f->src), &f->src) ||
	    nla_put(skb, KNP_A_DST, sizeof(f->dst), &f->dst) ||
	    nla_put_u8(skb, KNP_A_PROTO, f->proto) ||
	    (f->has_port && nla_put_u16(skb, KNP_A_PORT, f->dport)) ||
	    (e->iif && nla_put_u32(skb, KNP_A_IIF, e->iif)) ||
	    (e->oif && nla_put_u32(skb, KNP_A_OIF, e->oif)) ||
	    side_put(skb, KNP_A_EGRESS, &e->egress, NULL) ||
	    side_put(skb, KNP_A_INGRESS, &e->ingress, NULL) ||
	    nla_put_u64_64bit(skb, KNP_A_LOST, lost, KNP_A_PAD))
		return -EMSGSIZE;

	return 0;
}

int knp_netlink_event(struct knp_net *kn, const struct knp_event *e, u64 lost)
{
	struct sk_buff *skb;
	void *hdr;

	if (READ_ONCE(closing))
		return -ESHUTDOWN;
	skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	hdr = genlmsg_put(skb, 0, 0, &family, 0, KNP_CMD_EVENT);
	if (!hdr || event_put(skb, e, lost)) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);

	return genlmsg_multicast_netns(&family, kn->net, skb, 0, GROUP_EVENTS,
				       GFP_KERNEL);
}

/*
 * The family.
 */

#define POLICY(p)	.policy = (p), .maxattr = ARRAY_SIZE(p) - 1

static const struct genl_ops ops[] = {
	{
		.cmd = KNP_CMD_INFO,
		.flags = GENL_ADMIN_PERM,
		.doit = info_doit,
	},
	{
		.cmd = KNP_CMD_ATTACH,
		.flags = GENL_ADMIN_PERM,
		.doit = attach_doit,
		POLICY(attach_policy),
	},
	{
		.cmd = KNP_CMD_DETACH,
		.flags = GENL_ADMIN_PERM,
		.doit = detach_doit,
		POLICY(detach_policy),
	},
	{
		.cmd = KNP_CMD_BEGIN,
		.flags = GENL_ADMIN_PERM,
		.doit = begin_doit,
		POLICY(begin_policy),
	},
	{
		.cmd = KNP_CMD_PUT,
		.flags = GENL_ADMIN_PERM,
		.doit = put_doit,
		POLICY(put_policy),
	},
	{
		.cmd = KNP_CMD_DELETE,
		.flags = GENL_ADMIN_PERM,
		.doit = delete_doit,
		POLICY(delete_policy),
	},
	{
		.cmd = KNP_CMD_COMMIT,
		.flags = GENL_ADMIN_PERM,
		.doit = commit_doit,
		POLICY(commit_policy),
	},
	{
		.cmd = KNP_CMD_ABORT,
		.flags = GENL_ADMIN_PERM,
		.doit = abort_doit,
	},
	{
		.cmd = KNP_CMD_GET,
		.flags = GENL_ADMIN_PERM,
		.start = get_start,
		.dumpit = get_dumpit,
		.done = get_done,
		POLICY(get_policy),
	},
	{
		.cmd = KNP_CMD_CONFIG,
		.flags = GENL_ADMIN_PERM,
		.doit = config_doit,
		POLICY(config_policy),
	},
	{
		.cmd = KNP_CMD_EXPLAIN,
		.flags = GENL_ADMIN_PERM,
		.doit = explain_doit,
		POLICY(explain_policy),
	},
	{
		.cmd = KNP_CMD_COUNTERS,
		.flags = GENL_ADMIN_PERM,
		.start = counters_start,
		.dumpit = counters_dumpit,
	},
};

static struct genl_family family __ro_after_init = {
	.name = KNP_GENL_NAME,
	.version = KNP_GENL_VERSION,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
};

int knp_netlink_init(void)
{
	return genl_register_family(&family);
}

/*
 * Hooks still run. Once the family is gone its group numbers may become
 * another family's, so events have to stop before it goes.
 */
void knp_netlink_exit(void)
{
	WRITE_ONCE(closing, true);
	flush_workqueue(knp_wq);
	genl_unregister_family(&family);
}
