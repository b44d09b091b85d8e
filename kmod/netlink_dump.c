// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Dumps: GET from one pinned snapshot, COUNTERS from what is counted now.
 */
#include <linux/jiffies.h>
#include <net/sock.h>

#include "netlink_ops.h"
#include "netns.h"

/*
 * A dump message holds at least one record of any size. Readers of 32 KiB
 * buffers, which iproute2 made the custom, never see a truncated one.
 */
#define DUMP_SKB	SKB_WITH_OVERHEAD(32768)
#define RECORDS_MIN	8192

/* A reader that takes longer gets NLM_F_DUMP_INTR and has to begin anew. */
#define DUMP_AGE	(30 * HZ)

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

int knp_get_start(struct netlink_callback *cb)
{
	struct nlattr **attrs = genl_info_dump(cb)->attrs;
	struct get_ctx *ctx = (struct get_ctx *)cb->ctx;
	struct knp_snapshot *snap;

	BUILD_BUG_ON(sizeof(*ctx) > sizeof(cb->ctx));

	snap = knp_snapshot_pin(knp_net(sock_net(cb->skb->sk)));
	/* The text arrives from 6.6 on; older kernels pass no extack here. */
	if (IS_ERR(snap))
		return knp_refuse(cb->extack, NULL, PTR_ERR(snap),
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
	/* One generation throughout; knp_get_dumpit() changes it when too old. */
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
			  &knp_genl_family, NLM_F_MULTI, KNP_CMD_GET);
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

int knp_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
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

int knp_get_done(struct netlink_callback *cb)
{
	struct get_ctx *ctx = (struct get_ctx *)cb->ctx;

	knp_snapshot_unpin(ctx->snap);

	return 0;
}

/**
 * struct counters_ctx - a dump under way, in netlink_callback.ctx
 * @what: enum knp_counted, the objects that are being read
 * @id: the next of them to read
 * @reasons_sent: the first message is out
 */
struct counters_ctx {
	u32 what;
	u32 id;
	bool reasons_sent;
};

int knp_counters_start(struct netlink_callback *cb)
{
	struct counters_ctx *ctx = (struct counters_ctx *)cb->ctx;

	BUILD_BUG_ON(sizeof(*ctx) > sizeof(cb->ctx));

	*ctx = (struct counters_ctx){ .id = 1 };
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

/* Return: 0, -EMSGSIZE, or -ENODATA if none was left to send. */
static int counters_put_ids(struct sk_buff *skb, const struct knp_counters *c,
			    u32 what, u32 *id)
{
	struct knp_counter *out;
	struct nlattr *attr;
	int i = 0, n;

	n = (skb_tailroom(skb) - nla_total_size_64bit(0)) / (int)sizeof(*out);
	if (n <= 0)
		return -EMSGSIZE;
	if (what == KNP_COUNTED_RULE)
		attr = nla_reserve_64bit(skb, KNP_A_RULE_COUNTERS,
					 n * sizeof(*out), KNP_A_PAD);
	else
		attr = nla_reserve_64bit(skb, KNP_A_SET_COUNTERS,
					 n * sizeof(*out), KNP_A_PAD);
	if (!attr)
		return -EMSGSIZE;
	out = nla_data(attr);
	while (i < n && knp_counters_next(c, what, id, &out[i]))
		i++;
	attr->nla_len = nla_attr_size(i * sizeof(*out));
	skb_trim(skb, (unsigned char *)&out[i] - skb->data);

	return i ? 0 : -ENODATA;
}

/*
 * One message: the first of reasons, the others of one kind of objects each.
 *
 * Return: as counters_put_ids().
 */
static int counters_put(struct sk_buff *skb, struct netlink_callback *cb,
			struct counters_ctx *ctx)
{
	const struct knp_counters *c =
		&knp_net(sock_net(cb->skb->sk))->counters;
	void *hdr;
	int err;

	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &knp_genl_family, NLM_F_MULTI, KNP_CMD_COUNTERS);
	if (!hdr)
		return -EMSGSIZE;
	if (ctx->reasons_sent)
		err = counters_put_ids(skb, c, ctx->what, &ctx->id);
	else
		err = counters_put_reasons(skb, c);
	if (err) {
		genlmsg_cancel(skb, hdr);
		return err;
	}
	genlmsg_end(skb, hdr);

	return 0;
}

int knp_counters_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct counters_ctx *ctx = (struct counters_ctx *)cb->ctx;
	int err;

	while (ctx->what < KNP_COUNTED) {
		err = counters_put(skb, cb, ctx);
		if (err == -EMSGSIZE)
			return skb->len ? skb->len : err;
		if (err == -ENODATA) {
			ctx->what++;
			ctx->id = 1;
		} else {
			ctx->reasons_sent = true;
		}
	}

	return skb->len;
}
