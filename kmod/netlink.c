// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * See netlink.h; the manual of the commands is uapi/linux/knp.h.
 *
 * Each command has a policy of its own, so that an attribute that a command
 * does not know is refused, and every refusal carries a text. Ranges stand in
 * the policies; what needs two attributes or the tables is checked in code.
 * tests/spec holds the policies, the manual and uapi/knp.yaml together.
 *
 * Here: the family, all policies, and the commands that change something.
 * netlink_dump.c: the dumps. netlink_judge.c: explain and events.
 */
#include <linux/module.h>

#include "hook.h"
#include "mem.h"
#include "netlink.h"
#include "netlink_ops.h"
#include "netns.h"
#include "node_list.h"
#include "txn.h"

static const struct genl_multicast_group groups[] = {
	[KNP_GROUP_EVENTS] = {
		.name = KNP_MCGRP_EVENTS,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
	[KNP_GROUP_COMMITS] = {
		.name = KNP_MCGRP_COMMITS,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
};

int knp_refuse(struct netlink_ext_ack *extack, const struct nlattr *attr,
	       int err, const char *text)
{
	if (extack) {
		extack->_msg = text;
		NL_SET_BAD_ATTR(extack, attr);
	}

	return err;
}

int knp_require(struct genl_info *info, int type, const char *text)
{
	if (info->attrs[type])
		return 0;
	NL_SET_ERR_ATTR_MISS(info->extack, NULL, type);

	return knp_refuse(info->extack, NULL, -EINVAL, text);
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
	    nla_put_u8(skb, KNP_A_NODE_EGRESS, kn->config.node_egress) ||
	    nla_put_u8(skb, KNP_A_LB_PROBES, kn->config.lb_probes) ||
	    nla_put_u32(skb, KNP_A_EVENT_RATE, kn->config.event_rate) ||
	    nla_put_u64_64bit(skb, KNP_A_MEMORY,
			      atomic_long_read(&knp_mem_bytes), KNP_A_PAD))
		return -EMSGSIZE;
	if (kn->txn && nla_put_u32(skb, KNP_A_TXN_PORTID, kn->txn_portid))
		return -EMSGSIZE;
	if (info_put_tables(skb, snap) || knp_node_list_put(skb, kn))
		return -EMSGSIZE;

	return nla_put_u8(skb, KNP_A_ENCAP, kn->config.encap);
}

/* Under the lock, so that listeners get the notifications in order. */
static void notify_commits(struct knp_net *kn)
{
	struct sk_buff *skb;
	void *hdr;

	lockdep_assert_held(&kn->lock);

	if (!genl_has_listeners(&knp_genl_family, kn->net, KNP_GROUP_COMMITS))
		return;
	skb = knp_message_new();
	if (!skb)
		goto lost;
	hdr = genlmsg_put(skb, 0, 0, &knp_genl_family, 0, KNP_CMD_INFO);
	if (!hdr || info_put(skb, kn)) {
		nlmsg_free(skb);
		goto lost;
	}
	genlmsg_end(skb, hdr);
	genlmsg_multicast_netns(&knp_genl_family, kn->net, skb, 0, KNP_GROUP_COMMITS,
				GFP_KERNEL);
	return;

lost:
	/* Listeners see ENOBUFS, as for any message that was lost. */
	genl_set_err(&knp_genl_family, kn->net, 0, KNP_GROUP_COMMITS, -ENOBUFS);
}

static int info_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct knp_net *kn = knp_net(genl_info_net(info));
	struct sk_buff *msg;
	void *hdr;
	int err;

	msg = knp_message_new();
	if (!msg)
		return knp_refuse(info->extack, NULL, -ENOMEM, "out of memory");
	hdr = genlmsg_put_reply(msg, info, &knp_genl_family, 0, KNP_CMD_INFO);
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
	return knp_refuse(info->extack, NULL, err, "the reply does not fit");
}

/*
 * ATTACH, DETACH, CONFIG.
 */

static const struct nla_policy attach_policy[] = {
	[KNP_A_FAMILIES] = NLA_POLICY_MASK(NLA_U32, KNP_FAMILY_MASK),
};

static int attach_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct knp_net *kn = knp_net(genl_info_net(info));
	u32 families, before;
	int err;

	err = knp_require(info, KNP_A_FAMILIES, "ATTACH needs FAMILIES");
	if (err)
		return err;
	families = nla_get_u32(info->attrs[KNP_A_FAMILIES]);
	if (!families)
		return knp_refuse(info->extack, info->attrs[KNP_A_FAMILIES],
				  -EINVAL, "FAMILIES is empty");

	mutex_lock(&kn->lock);
	before = kn->families;
	err = knp_hooks_attach(kn, families);
	if (kn->families != before)
		notify_commits(kn);
	mutex_unlock(&kn->lock);

	if (err == -EOPNOTSUPP)
		return knp_refuse(info->extack, info->attrs[KNP_A_FAMILIES], err,
				  families & KNP_FAMILY_BRIDGE ?
				  "the kernel lacks a family, or nf_conntrack_bridge" :
				  "the kernel lacks a family, or conntrack for it");
	if (err)
		return knp_refuse(info->extack, NULL, err,
				  "hooks or conntrack could not be registered");

	return 0;
}

static const struct nla_policy detach_policy[] = {
	[KNP_A_FAMILIES] = NLA_POLICY_MASK(NLA_U32, KNP_FAMILY_MASK),
};

static int detach_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct knp_net *kn = knp_net(genl_info_net(info));
	u32 families = KNP_FAMILY_MASK;
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
	[KNP_A_ENCAP] = NLA_POLICY_MAX(NLA_U8, KNP_DROP),
	[KNP_A_NODE_EGRESS] = NLA_POLICY_MAX(NLA_U8, KNP_DROP),
	[KNP_A_LB_PROBES] = NLA_POLICY_MAX(NLA_U8, KNP_DROP),
	[KNP_A_NODE_ALLOW] = { .type = NLA_BINARY },
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
	struct knp_node_list *list = NULL;
	struct nlattr **a = info->attrs;
	bool changed;

	if (!a[KNP_A_MODE] && !a[KNP_A_DEFAULT] && !a[KNP_A_UNKNOWN_LOCAL] &&
	    !a[KNP_A_EVENT_RATE] && !a[KNP_A_ENCAP] &&
	    !a[KNP_A_NODE_EGRESS] && !a[KNP_A_LB_PROBES] &&
	    !a[KNP_A_NODE_ALLOW])
		return knp_refuse(info->extack, NULL, -EINVAL,
				  "CONFIG needs at least one setting");
	if (a[KNP_A_NODE_ALLOW]) {
		list = knp_node_list_new(a[KNP_A_NODE_ALLOW], info->extack);
		if (IS_ERR(list))
			return PTR_ERR(list);
	}

	mutex_lock(&kn->lock);
	changed = config_set_u8(&c->mode, a[KNP_A_MODE]);
	changed |= config_set_u8(&c->dflt, a[KNP_A_DEFAULT]);
	changed |= config_set_u8(&c->unknown_local, a[KNP_A_UNKNOWN_LOCAL]);
	changed |= config_set_u8(&c->encap, a[KNP_A_ENCAP]);
	changed |= config_set_u8(&c->node_egress, a[KNP_A_NODE_EGRESS]);
	changed |= config_set_u8(&c->lb_probes, a[KNP_A_LB_PROBES]);
	changed |= config_set_u32(&c->event_rate, a[KNP_A_EVENT_RATE]);
	if (list)
		changed |= knp_node_list_set(kn, list);
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

	err = knp_require(info, KNP_A_GENERATION, "BEGIN needs GENERATION");
	if (err)
		return err;
	err = knp_txn_begin(kn, info->snd_portid,
			    nla_get_u64(info->attrs[KNP_A_GENERATION]), &why);
	if (err)
		return knp_refuse(info->extack,
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

	err = knp_require(info, KNP_A_TABLE, "TABLE is missing");
	if (err)
		return err;
	err = knp_require(info, KNP_A_RECORDS, "RECORDS are missing");
	if (err)
		return err;
	recs = info->attrs[KNP_A_RECORDS];
	err = change(kn, info->snd_portid,
		     nla_get_u32(info->attrs[KNP_A_TABLE]), nla_data(recs),
		     nla_len(recs), &why);
	if (err)
		return knp_refuse(info->extack, recs, err, why);

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

	err = knp_require(info, KNP_A_COUNT, "COMMIT needs COUNT");
	if (err)
		goto err_abort;

	/* The reply first: after the commit nothing may fail. */
	err = -ENOMEM;
	msg = knp_message_new();
	if (!msg)
		goto err_refuse;
	hdr = genlmsg_put_reply(msg, info, &knp_genl_family, 0, KNP_CMD_COMMIT);
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
		return knp_refuse(info->extack,
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
	knp_refuse(info->extack, NULL, err, why);
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
		return knp_refuse(info->extack, NULL, err, why);

	return 0;
}

/*
 * The family.
 */

static const struct nla_policy get_policy[] = {
	[KNP_A_TABLE] = NLA_POLICY_RANGE(NLA_U32, KNP_TABLE_RULE,
					 KNP_TABLE_MAX),
};

static const struct nla_policy explain_policy[] = {
	[KNP_A_FAMILY] = { .type = NLA_U8 },
	[KNP_A_SRC] = NLA_POLICY_EXACT_LEN(KNP_ADDR_LEN),
	[KNP_A_DST] = NLA_POLICY_EXACT_LEN(KNP_ADDR_LEN),
	[KNP_A_PROTO] = NLA_POLICY_MIN(NLA_U8, 1),
	[KNP_A_PORT] = { .type = NLA_U16 },
};

#define MAXATTR(policy)	(ARRAY_SIZE(policy) - 1)

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
		.policy = attach_policy,
		.maxattr = MAXATTR(attach_policy),
	},
	{
		.cmd = KNP_CMD_DETACH,
		.flags = GENL_ADMIN_PERM,
		.doit = detach_doit,
		.policy = detach_policy,
		.maxattr = MAXATTR(detach_policy),
	},
	{
		.cmd = KNP_CMD_BEGIN,
		.flags = GENL_ADMIN_PERM,
		.doit = begin_doit,
		.policy = begin_policy,
		.maxattr = MAXATTR(begin_policy),
	},
	{
		.cmd = KNP_CMD_PUT,
		.flags = GENL_ADMIN_PERM,
		.doit = put_doit,
		.policy = put_policy,
		.maxattr = MAXATTR(put_policy),
	},
	{
		.cmd = KNP_CMD_DELETE,
		.flags = GENL_ADMIN_PERM,
		.doit = delete_doit,
		.policy = delete_policy,
		.maxattr = MAXATTR(delete_policy),
	},
	{
		.cmd = KNP_CMD_COMMIT,
		.flags = GENL_ADMIN_PERM,
		.doit = commit_doit,
		.policy = commit_policy,
		.maxattr = MAXATTR(commit_policy),
	},
	{
		.cmd = KNP_CMD_ABORT,
		.flags = GENL_ADMIN_PERM,
		.doit = abort_doit,
	},
	{
		.cmd = KNP_CMD_GET,
		.flags = GENL_ADMIN_PERM,
		.start = knp_get_start,
		.dumpit = knp_get_dumpit,
		.done = knp_get_done,
		.policy = get_policy,
		.maxattr = MAXATTR(get_policy),
	},
	{
		.cmd = KNP_CMD_CONFIG,
		.flags = GENL_ADMIN_PERM,
		.doit = config_doit,
		.policy = config_policy,
		.maxattr = MAXATTR(config_policy),
	},
	{
		.cmd = KNP_CMD_EXPLAIN,
		.flags = GENL_ADMIN_PERM,
		.doit = knp_explain_doit,
		.policy = explain_policy,
		.maxattr = MAXATTR(explain_policy),
	},
	{
		.cmd = KNP_CMD_COUNTERS,
		.flags = GENL_ADMIN_PERM,
		.start = knp_counters_start,
		.dumpit = knp_counters_dumpit,
	},
};

struct genl_family knp_genl_family __ro_after_init = {
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
	return knp_try(genl_register_family(&knp_genl_family), -ENOMEM);
}

/*
 * Hooks still run. Once the family is gone its group numbers may become
 * another family's, so events have to stop before it goes.
 */
void knp_netlink_exit(void)
{
	knp_netlink_events_close();
	genl_unregister_family(&knp_genl_family);
}
