// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Verdicts in attributes: EXPLAIN, and the events of dropped packets.
 */
#include "match.h"
#include "netlink.h"
#include "netlink_ops.h"
#include "netns.h"

/* Set while the family is being taken down. */
static bool closing;

static int addr_get(struct genl_info *info, int type, unsigned int family_id,
		    struct knp_addr *addr)
{
	nla_memcpy(addr, info->attrs[type], sizeof(*addr));
	if (family_id == KNP_V4 && (addr->w[1] || addr->w[2] || addr->w[3]))
		return knp_refuse(info->extack, info->attrs[type], -EINVAL,
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
		return knp_require(info, KNP_A_PORT, "this protocol needs PORT");
	if (!f->has_port && port)
		return knp_refuse(info->extack, port, -EINVAL,
				  "this protocol has no ports");
	f->dport = port ? nla_get_u16(port) : 0;

	return 0;
}

static int explain_get_flow(struct genl_info *info, struct knp_flow *f)
{
	int err;

	err = knp_require(info, KNP_A_FAMILY, "EXPLAIN needs FAMILY");
	if (!err)
		err = knp_require(info, KNP_A_SRC, "EXPLAIN needs SRC");
	if (!err)
		err = knp_require(info, KNP_A_DST, "EXPLAIN needs DST");
	if (!err)
		err = knp_require(info, KNP_A_PROTO, "EXPLAIN needs PROTO");
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
		return knp_refuse(info->extack, info->attrs[KNP_A_FAMILY], -EINVAL,
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

int knp_explain_doit(struct sk_buff *skb, struct genl_info *info)
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

	msg = knp_message_new();
	if (!msg)
		return knp_refuse(info->extack, NULL, -ENOMEM, why);
	hdr = genlmsg_put_reply(msg, info, &knp_genl_family, 0, KNP_CMD_EXPLAIN);
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
	return knp_refuse(info->extack, NULL, err, why);
}

bool knp_netlink_events_wanted(struct net *net)
{
	return !READ_ONCE(closing) &&
	       genl_has_listeners(&knp_genl_family, net, KNP_GROUP_EVENTS);
}

static int flow_put(struct sk_buff *skb, const struct knp_flow *f)
{
	if (nla_put_u8(skb, KNP_A_FAMILY,
		       f->family == KNP_V4 ? AF_INET : AF_INET6) ||
	    nla_put(skb, KNP_A_SRC, sizeof(f->src), &f->src) ||
	    nla_put(skb, KNP_A_DST, sizeof(f->dst), &f->dst) ||
	    nla_put_u8(skb, KNP_A_PROTO, f->proto) ||
	    (f->has_port && nla_put_u16(skb, KNP_A_PORT, f->dport)))
		return -EMSGSIZE;

	return 0;
}

static int event_put(struct sk_buff *skb, const struct knp_event *e, u64 lost)
{
	if (nla_put_u64_64bit(skb, KNP_A_GENERATION, e->generation,
			      KNP_A_PAD) ||
	    nla_put_u64_64bit(skb, KNP_A_TIME, e->time, KNP_A_PAD) ||
	    nla_put_u8(skb, KNP_A_MODE, e->mode) ||
	    nla_put_u32(skb, KNP_A_REASON, e->reason) ||
	    (e->reason != KNP_REASON_L2PROTO && flow_put(skb, &e->flow)) ||
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
	skb = knp_message_new();
	if (!skb)
		return -ENOMEM;
	hdr = genlmsg_put(skb, 0, 0, &knp_genl_family, 0, KNP_CMD_EVENT);
	if (!hdr || event_put(skb, e, lost)) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);

	return genlmsg_multicast_netns(&knp_genl_family, kn->net, skb, 0, KNP_GROUP_EVENTS,
				       GFP_KERNEL);
}

void knp_netlink_events_close(void)
{
	WRITE_ONCE(closing, true);
	flush_workqueue(knp_wq);
}
