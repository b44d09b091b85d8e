// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The netlink family, by messages from a socket: what is answered, what is
 * refused and in which words, dumps, and what closing a socket ends.
 */
#include <linux/errno.h>
#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/sockptr.h>
#include <net/genetlink.h>

#include "netlink_ops.h"
#include "world.h"

#define ROOM	65536

/* What CONFIG takes as one byte, and INFO says again. */
static const u16 switches[] = {
	KNP_A_MODE, KNP_A_DEFAULT, KNP_A_UNKNOWN_LOCAL, KNP_A_ENCAP,
	KNP_A_NODE_EGRESS, KNP_A_LB_PROBES,
};

/**
 * struct answer - what came back for a request
 * @err: what it was told in the end
 * @text: the extack text that came with it, "" if none
 * @messages: that came before it
 * @records: bytes of KNP_A_RECORDS in them
 * @counters: bytes of KNP_A_RULE_COUNTERS in them
 * @value: the KNP_A_GENERATION of the last one
 * @time: its KNP_A_COMMIT_TIME
 * @owner: its KNP_A_TXN_PORTID
 * @rate: its KNP_A_EVENT_RATE
 * @set: its switches
 * @tables: its KNP_A_TABLE_INFO
 */
struct answer {
	int err;
	char text[80];
	u32 messages;
	u32 records;
	u32 counters;
	u64 value;
	u64 time;
	u32 owner;
	u32 rate;
	u8 set[ARRAY_SIZE(switches)];
	struct knp_table_info tables[KNP_TABLE_MAX];
};

/**
 * struct peer - a socket and where it receives
 * @sock: of generic netlink, in init_net
 * @room: ROOM bytes
 */
struct peer {
	struct socket *sock;
	u8 *room;
};

static int option_set(struct socket *sock, int option)
{
	int one = 1;

	return sock->ops->setsockopt(sock, SOL_NETLINK, option,
				     KERNEL_SOCKPTR(&one), sizeof(one));
}

static void peer_open(struct kunit *test, struct peer *p)
{
	struct sockaddr_nl name = { .nl_family = AF_NETLINK };

	p->room = kunit_kzalloc(test, ROOM, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p->room);
	KUNIT_ASSERT_EQ(test, sock_create_kern(&init_net, PF_NETLINK, SOCK_RAW,
					       NETLINK_GENERIC, &p->sock), 0);
	KUNIT_EXPECT_EQ(test, option_set(p->sock, NETLINK_EXT_ACK), 0);
	KUNIT_EXPECT_EQ(test, option_set(p->sock, NETLINK_CAP_ACK), 0);
	/* Who has no number yet hears nothing that is for a group. */
	KUNIT_EXPECT_EQ(test, kernel_bind(p->sock, (void *)&name, sizeof(name)),
			0);
}

static void ack_read(const struct nlmsghdr *nlh, struct answer *a)
{
	const struct nlmsgerr *ack = nlmsg_data(nlh);
	const struct nlattr *text;

	a->err = ack->error;
	text = nla_find((const struct nlattr *)(ack + 1),
			nlmsg_len(nlh) - sizeof(*ack), NLMSGERR_ATTR_MSG);
	if (text && nlh->nlmsg_flags & NLM_F_ACK_TLVS)
		nla_strscpy(a->text, text, sizeof(a->text));
}

static void config_read(const struct nlmsghdr *nlh, struct answer *a)
{
	const struct nlattr *attr;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(switches); i++) {
		attr = nlmsg_find_attr(nlh, GENL_HDRLEN, switches[i]);
		if (attr)
			a->set[i] = nla_get_u8(attr);
	}
	attr = nlmsg_find_attr(nlh, GENL_HDRLEN, KNP_A_EVENT_RATE);
	if (attr)
		a->rate = nla_get_u32(attr);
	attr = nlmsg_find_attr(nlh, GENL_HDRLEN, KNP_A_TABLE_INFO);
	if (attr)
		nla_memcpy(a->tables, attr, sizeof(a->tables));
}

static void message_read(const struct nlmsghdr *nlh, struct answer *a)
{
	const struct nlattr *attr;

	a->messages++;
	attr = nlmsg_find_attr(nlh, GENL_HDRLEN, KNP_A_RECORDS);
	if (attr)
		a->records += nla_len(attr);
	attr = nlmsg_find_attr(nlh, GENL_HDRLEN, KNP_A_RULE_COUNTERS);
	if (attr)
		a->counters += nla_len(attr);
	attr = nlmsg_find_attr(nlh, GENL_HDRLEN, KNP_A_GENERATION);
	if (attr)
		a->value = nla_get_u64(attr);
	attr = nlmsg_find_attr(nlh, GENL_HDRLEN, KNP_A_COMMIT_TIME);
	if (attr)
		a->time = nla_get_u64(attr);
	attr = nlmsg_find_attr(nlh, GENL_HDRLEN, KNP_A_TXN_PORTID);
	if (attr)
		a->owner = nla_get_u32(attr);
	config_read(nlh, a);
}

/* Everything up to the end of the answer. Return: false if there is none. */
static bool receive(struct peer *p, struct answer *a)
{
	struct kvec vec = { .iov_base = p->room, .iov_len = ROOM };
	struct msghdr msg = {};
	struct nlmsghdr *nlh;
	int len;

	for (;;) {
		len = kernel_recvmsg(p->sock, &msg, &vec, 1, ROOM,
				     MSG_DONTWAIT);
		if (len < 0)
			return false;
		for (nlh = (struct nlmsghdr *)p->room; nlmsg_ok(nlh, len);
		     nlh = nlmsg_next(nlh, &len)) {
			if (nlh->nlmsg_type == NLMSG_ERROR) {
				ack_read(nlh, a);
				return true;
			}
			if (nlh->nlmsg_type == NLMSG_DONE)
				return true;
			message_read(nlh, a);
		}
	}
}

/* A request that has no attributes yet. */
static struct sk_buff *request_new(struct kunit *test, u8 cmd, u16 flags)
{
	struct sk_buff *skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, skb);
	KUNIT_ASSERT_NOT_NULL(test, genlmsg_put(skb, 0, 1, &knp_genl_family,
						flags | NLM_F_REQUEST |
						NLM_F_ACK, cmd));

	return skb;
}

/* Sends it. Return: what is answered. */
static struct answer request_send(struct kunit *test, struct peer *p,
				  struct sk_buff *skb)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct msghdr msg = {
		.msg_name = &kernel, .msg_namelen = sizeof(kernel),
	};
	struct answer a = {};
	struct kvec vec;

	nlmsg_end(skb, nlmsg_hdr(skb));
	vec = (struct kvec){ .iov_base = skb->data, .iov_len = skb->len };
	KUNIT_EXPECT_EQ(test, kernel_sendmsg(p->sock, &msg, &vec, 1, skb->len),
			(int)skb->len);
	nlmsg_free(skb);
	KUNIT_EXPECT_TRUE(test, receive(p, &a));

	return a;
}

/* A request with at most two attributes, and what is answered. */
static struct answer ask(struct kunit *test, struct peer *p, u8 cmd, u16 flags,
			 u16 type, const void *data, int len, u16 type2,
			 const void *data2, int len2)
{
	struct sk_buff *skb = request_new(test, cmd, flags);

	if (type)
		KUNIT_EXPECT_EQ(test, nla_put(skb, type, len, data), 0);
	if (type2)
		KUNIT_EXPECT_EQ(test, nla_put(skb, type2, len2, data2), 0);

	return request_send(test, p, skb);
}

static struct answer ask_plain(struct kunit *test, struct peer *p, u8 cmd)
{
	return ask(test, p, cmd, 0, 0, NULL, 0, 0, NULL, 0);
}

static struct answer ask_u64(struct kunit *test, struct peer *p, u8 cmd,
			     u16 type, u64 value)
{
	return ask(test, p, cmd, 0, type, &value, sizeof(value), 0, NULL, 0);
}

static struct answer ask_records(struct kunit *test, struct peer *p, u8 cmd,
				 u32 table, const void *recs, int len)
{
	return ask(test, p, cmd, 0, KNP_A_TABLE, &table, sizeof(table),
		   KNP_A_RECORDS, recs, len);
}

static void messages_commit_a_policy(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	u64 before = kn->generation;
	struct answer a;
	struct peer p;
	u32 i, all = 0;

	peer_open(test, &p);
	a = ask_u64(test, &p, KNP_CMD_BEGIN, KNP_A_GENERATION, before);
	KUNIT_EXPECT_EQ(test, a.err, 0);
	for (i = 0; i < KNP_TABLE_MAX; i++) {
		const struct knp_test_records *r = &knp_test_policy[i];

		a = ask_records(test, &p, KNP_CMD_PUT, r->table, r->recs,
				r->len);
		KUNIT_EXPECT_EQ(test, a.err, 0);
		all += r->len;
	}
	a = ask_u64(test, &p, KNP_CMD_COMMIT, KNP_A_COUNT, KNP_TABLE_MAX);
	KUNIT_EXPECT_EQ(test, a.err, 0);
	KUNIT_EXPECT_EQ(test, a.messages, 1);
	KUNIT_EXPECT_EQ(test, a.value, before + 1);
	KUNIT_EXPECT_TRUE(test, knp_test_published(kn));

	a = ask(test, &p, KNP_CMD_GET, NLM_F_DUMP, 0, NULL, 0, 0, NULL, 0);
	KUNIT_EXPECT_EQ(test, a.err, 0);
	KUNIT_EXPECT_EQ(test, a.messages, KNP_TABLE_MAX);
	KUNIT_EXPECT_EQ(test, a.records, all);
	KUNIT_EXPECT_EQ(test, kn->dumps, 0);
	sock_release(p.sock);
	knp_test_empty(test, kn);
}

static void every_refusal_says_why(struct kunit *test)
{
	const u8 families = 1, src[KNP_ADDR_LEN] = {};
	const u8 list[sizeof(struct knp_node_allow) + 1] = {};
	struct answer a;
	struct peer p;
	u32 table = KNP_TABLE_MAX + 1, none = 0;
	u8 mode = KNP_MODE_AUDIT + 1;

	peer_open(test, &p);
	a = ask_plain(test, &p, KNP_CMD_BEGIN);
	KUNIT_EXPECT_EQ(test, a.err, -EINVAL);
	KUNIT_EXPECT_STREQ(test, a.text, "BEGIN needs GENERATION");
	a = ask_u64(test, &p, KNP_CMD_BEGIN, KNP_A_GENERATION, U64_MAX);
	KUNIT_EXPECT_EQ(test, a.err, -ESTALE);
	KUNIT_EXPECT_STREQ(test, a.text, "the generation is not the current one");
	a = ask_plain(test, &p, KNP_CMD_COMMIT);
	KUNIT_EXPECT_EQ(test, a.err, -EINVAL);
	KUNIT_EXPECT_STREQ(test, a.text, "COMMIT needs COUNT");
	a = ask_plain(test, &p, KNP_CMD_ABORT);
	KUNIT_EXPECT_EQ(test, a.err, -ENOENT);
	KUNIT_EXPECT_STREQ(test, a.text,
			   "this socket has no transaction open");
	/* By the policies: whose attribute it is, its length, its range. */
	a = ask(test, &p, KNP_CMD_ABORT, 0, KNP_A_SRC, src, sizeof(src), 0,
		NULL, 0);
	KUNIT_EXPECT_EQ(test, a.err, -EINVAL);
	KUNIT_EXPECT_NE(test, a.text[0], '\0');
	a = ask(test, &p, KNP_CMD_ATTACH, 0, KNP_A_FAMILIES, &families,
		sizeof(families), 0, NULL, 0);
	KUNIT_EXPECT_EQ(test, a.err, -EINVAL);
	KUNIT_EXPECT_NE(test, a.text[0], '\0');
	a = ask(test, &p, KNP_CMD_CONFIG, 0, KNP_A_MODE, &mode, sizeof(mode), 0,
		NULL, 0);
	KUNIT_EXPECT_EQ(test, a.err, -ERANGE);
	a = ask_records(test, &p, KNP_CMD_PUT, table, &table, sizeof(table));
	KUNIT_EXPECT_EQ(test, a.err, -ERANGE);
	a = ask(test, &p, KNP_CMD_CONFIG, 0, KNP_A_NODE_ALLOW, list,
		sizeof(list), 0, NULL, 0);
	KUNIT_EXPECT_EQ(test, a.err, -EINVAL);
	KUNIT_EXPECT_STREQ(test, a.text, "NODE_ALLOW: a part of an entry");
	a = ask(test, &p, KNP_CMD_ATTACH, 0, KNP_A_FAMILIES, &none,
		sizeof(none), 0, NULL, 0);
	KUNIT_EXPECT_EQ(test, a.err, -EINVAL);
	KUNIT_EXPECT_STREQ(test, a.text, "FAMILIES is empty");
	sock_release(p.sock);
}

/* From 10.0.0.1 to 10.0.0.2; @behind stands behind the first, port 0 is none. */
static struct answer explain(struct kunit *test, struct peer *p, u8 behind,
			     u8 proto, u16 port)
{
	const u8 src[KNP_ADDR_LEN] = { 10, 0, 0, 1, behind };
	const u8 dst[KNP_ADDR_LEN] = { 10, 0, 0, 2 };
	struct sk_buff *skb = request_new(test, KNP_CMD_EXPLAIN, 0);

	KUNIT_EXPECT_EQ(test, nla_put_u8(skb, KNP_A_FAMILY, AF_INET), 0);
	KUNIT_EXPECT_EQ(test, nla_put(skb, KNP_A_SRC, sizeof(src), src), 0);
	KUNIT_EXPECT_EQ(test, nla_put(skb, KNP_A_DST, sizeof(dst), dst), 0);
	KUNIT_EXPECT_EQ(test, nla_put_u8(skb, KNP_A_PROTO, proto), 0);
	if (port)
		KUNIT_EXPECT_EQ(test, nla_put_u16(skb, KNP_A_PORT, port), 0);

	return request_send(test, p, skb);
}

/* An answer to another question than the one that was meant misleads. */
static void explain_takes_no_question_that_is_none(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	struct answer a;
	struct peer p;

	peer_open(test, &p);
	knp_test_fill(test, kn);
	a = explain(test, &p, 0, IPPROTO_TCP, KNP_TEST_PORT);
	KUNIT_EXPECT_EQ(test, a.err, 0);
	KUNIT_EXPECT_EQ(test, a.value, kn->generation);
	KUNIT_EXPECT_EQ(test, explain(test, &p, 0, IPPROTO_SCTP, 1).err, 0);
	KUNIT_EXPECT_EQ(test, explain(test, &p, 0, IPPROTO_ICMP, 0).err, 0);
	a = explain(test, &p, 1, IPPROTO_TCP, KNP_TEST_PORT);
	KUNIT_EXPECT_EQ(test, a.err, -EINVAL);
	KUNIT_EXPECT_STREQ(test, a.text,
			   "bytes behind an IPv4 address are not zero");
	a = explain(test, &p, 0, IPPROTO_TCP, 0);
	KUNIT_EXPECT_EQ(test, a.err, -EINVAL);
	KUNIT_EXPECT_STREQ(test, a.text, "this protocol needs PORT");
	a = explain(test, &p, 0, IPPROTO_ICMP, KNP_TEST_PORT);
	KUNIT_EXPECT_EQ(test, a.err, -EINVAL);
	KUNIT_EXPECT_STREQ(test, a.text, "this protocol has no ports");
	sock_release(p.sock);
	knp_test_empty(test, kn);
}

/* Anybody may have the number of another's socket, in a protocol of his own. */
static void release_namesake(struct kunit *test, u32 portid)
{
	struct sockaddr_nl name = { .nl_family = AF_NETLINK, .nl_pid = portid };
	struct socket *sock;

	KUNIT_ASSERT_EQ(test, sock_create_kern(&init_net, PF_NETLINK, SOCK_RAW,
					       NETLINK_ROUTE, &sock), 0);
	/* The type of an address is another one since 7.0. */
	KUNIT_EXPECT_EQ(test, kernel_bind(sock, (void *)&name, sizeof(name)),
			0);
	sock_release(sock);
}

static void closing_a_socket_forgets_its_transaction(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	struct peer p, other;
	struct answer a;

	peer_open(test, &p);
	peer_open(test, &other);
	a = ask_u64(test, &p, KNP_CMD_BEGIN, KNP_A_GENERATION, kn->generation);
	KUNIT_EXPECT_EQ(test, a.err, 0);
	a = ask_u64(test, &other, KNP_CMD_BEGIN, KNP_A_GENERATION,
		    kn->generation);
	KUNIT_EXPECT_EQ(test, a.err, -EBUSY);
	sock_release(other.sock);
	KUNIT_EXPECT_NOT_NULL(test, kn->txn);
	release_namesake(test, kn->txn_portid);
	KUNIT_EXPECT_NOT_NULL(test, kn->txn);
	sock_release(p.sock);
	KUNIT_EXPECT_NULL(test, kn->txn);
	KUNIT_EXPECT_EQ(test, kn->txn_portid, 0);
}

static void a_commit_that_says_nothing_cancels(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	u64 before = kn->generation;
	struct answer a;
	struct peer p;

	peer_open(test, &p);
	a = ask_u64(test, &p, KNP_CMD_BEGIN, KNP_A_GENERATION, before);
	KUNIT_EXPECT_EQ(test, a.err, 0);
	a = ask_plain(test, &p, KNP_CMD_COMMIT);
	KUNIT_EXPECT_EQ(test, a.err, -EINVAL);
	KUNIT_EXPECT_NULL(test, kn->txn);
	KUNIT_EXPECT_EQ(test, kn->generation, before);
	sock_release(p.sock);
}

static void info_answers(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	struct answer a;
	struct peer p;

	peer_open(test, &p);
	a = ask_plain(test, &p, KNP_CMD_INFO);
	KUNIT_EXPECT_EQ(test, a.err, 0);
	KUNIT_EXPECT_EQ(test, a.messages, 1);
	KUNIT_EXPECT_EQ(test, a.value, kn->generation);
	a = ask(test, &p, KNP_CMD_COUNTERS, NLM_F_DUMP, 0, NULL, 0, 0, NULL, 0);
	KUNIT_EXPECT_EQ(test, a.err, 0);
	KUNIT_EXPECT_EQ(test, a.messages, 1);
	sock_release(p.sock);
}

static void info_says_when_the_last_commit_was(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	u64 before = ktime_get_real_ns();
	struct answer a;
	struct peer p;

	peer_open(test, &p);
	knp_test_fill(test, kn);
	a = ask_plain(test, &p, KNP_CMD_INFO);
	KUNIT_EXPECT_TRUE(test, a.time >= before);
	KUNIT_EXPECT_TRUE(test, a.time <= ktime_get_real_ns());
	sock_release(p.sock);
	knp_test_empty(test, kn);
}

/* Who cannot begin wants to know who is in the way. */
static void info_says_whose_transaction_is_open(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	struct answer a;
	struct peer p;

	peer_open(test, &p);
	KUNIT_EXPECT_EQ(test, ask_plain(test, &p, KNP_CMD_INFO).owner, 0);
	a = ask_u64(test, &p, KNP_CMD_BEGIN, KNP_A_GENERATION, kn->generation);
	KUNIT_EXPECT_EQ(test, a.err, 0);
	KUNIT_EXPECT_NE(test, kn->txn_portid, 0);
	KUNIT_EXPECT_EQ(test, ask_plain(test, &p, KNP_CMD_INFO).owner,
			kn->txn_portid);
	sock_release(p.sock);
}

static void switch_set(struct kunit *test, struct peer *p, u32 i, u8 value)
{
	KUNIT_EXPECT_EQ(test, ask(test, p, KNP_CMD_CONFIG, 0, switches[i],
				  &value, sizeof(value), 0, NULL, 0).err, 0);
}

static void info_says_what_config_has_set(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	const struct knp_config before = kn->config;
	struct answer a;
	struct peer p;
	u32 i, j, rate = 7;

	peer_open(test, &p);
	for (i = 0; i < ARRAY_SIZE(switches); i++)
		switch_set(test, &p, i, 0);
	for (i = 0; i < ARRAY_SIZE(switches); i++) {
		switch_set(test, &p, i, 1);
		a = ask_plain(test, &p, KNP_CMD_INFO);
		for (j = 0; j < ARRAY_SIZE(switches); j++)
			KUNIT_EXPECT_EQ(test, a.set[j], i == j);
		switch_set(test, &p, i, 0);
	}
	KUNIT_EXPECT_EQ(test, ask(test, &p, KNP_CMD_CONFIG, 0,
				  KNP_A_EVENT_RATE, &rate, sizeof(rate), 0,
				  NULL, 0).err, 0);
	KUNIT_EXPECT_EQ(test, ask_plain(test, &p, KNP_CMD_INFO).rate, rate);
	sock_release(p.sock);
	kn->config = before;
}

static void info_says_how_full_each_table_is(struct kunit *test)
{
	const struct knp_rec_rule second = { .id = 2 };
	struct knp_net *kn = knp_net(&init_net);
	const char *why = NULL;
	struct answer a;
	struct peer p;
	u32 i;

	peer_open(test, &p);
	knp_test_fill(test, kn);
	/* One table has more than the others have. */
	KUNIT_EXPECT_EQ(test, knp_test_begin(kn, KNP_TEST_OWNER), 0);
	KUNIT_EXPECT_EQ(test, knp_txn_put(kn, KNP_TEST_OWNER, KNP_TABLE_RULE,
					  &second, sizeof(second), &why), 0);
	KUNIT_EXPECT_EQ(test, knp_test_commit(kn, 1), 0);
	a = ask_plain(test, &p, KNP_CMD_INFO);
	KUNIT_EXPECT_EQ(test, a.err, 0);
	for (i = 0; i < KNP_TABLE_MAX; i++) {
		KUNIT_EXPECT_EQ(test, a.tables[i].table, i + 1);
		KUNIT_EXPECT_EQ(test, a.tables[i].count,
				i + 1 == KNP_TABLE_RULE ? 2 : 1);
		KUNIT_EXPECT_EQ(test, a.tables[i].limit,
				knp_tables_limit(i + 1));
	}
	sock_release(p.sock);
	KUNIT_EXPECT_EQ(test, knp_test_begin(kn, KNP_TEST_OWNER), 0);
	KUNIT_EXPECT_EQ(test, knp_txn_delete(kn, KNP_TEST_OWNER, KNP_TABLE_RULE,
					     &second, sizeof(second), &why), 0);
	KUNIT_EXPECT_EQ(test, knp_test_commit(kn, 1), 0);
	knp_test_empty(test, kn);
}

static void a_config_that_is_refused_changes_nothing(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	const u8 part[sizeof(struct knp_node_allow) - 1] = {};
	const u8 mode = KNP_MODE_AUDIT;
	struct answer a;
	struct peer p;

	peer_open(test, &p);
	a = ask(test, &p, KNP_CMD_CONFIG, 0, KNP_A_MODE, &mode, sizeof(mode),
		KNP_A_NODE_ALLOW, part, sizeof(part));
	KUNIT_EXPECT_EQ(test, a.err, -EINVAL);
	KUNIT_EXPECT_EQ(test, kn->config.mode, KNP_MODE_ENFORCE);
	sock_release(p.sock);
}

static struct answer dump_of(struct kunit *test, struct peer *p, u32 table)
{
	return ask(test, p, KNP_CMD_GET, NLM_F_DUMP, KNP_A_TABLE, &table,
		   sizeof(table), 0, NULL, 0);
}

static void a_dump_of_one_table_has_no_other(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	struct answer a;
	struct peer p;
	u32 i;

	peer_open(test, &p);
	knp_test_fill(test, kn);
	for (i = 0; i < KNP_TABLE_MAX; i++) {
		a = dump_of(test, &p, knp_test_policy[i].table);
		KUNIT_EXPECT_EQ(test, a.err, 0);
		KUNIT_EXPECT_EQ(test, a.messages, 1);
		KUNIT_EXPECT_EQ(test, a.records, knp_test_policy[i].len);
	}
	sock_release(p.sock);
	knp_test_empty(test, kn);
}

#define LARGE	20	/* portsets, of which a message holds five */

/* A portset of as many ports as there may be. */
struct large {
	struct knp_rec_portset portset;
	struct knp_rec_port port[KNP_PORTS_MAX];
};

static void large_change(struct kunit *test, struct knp_net *kn,
			 struct large *rec, bool put)
{
	const char *why = NULL;
	u32 i;

	KUNIT_EXPECT_EQ(test, knp_test_begin(kn, KNP_TEST_OWNER), 0);
	for (i = 0; i < LARGE; i++) {
		rec->portset.id = 2 + i;
		if (put)
			KUNIT_EXPECT_EQ(test, knp_txn_put(kn, KNP_TEST_OWNER,
							  KNP_TABLE_PORTSET,
							  rec, sizeof(*rec),
							  &why), 0);
		else
			KUNIT_EXPECT_EQ(test, knp_txn_delete(kn, KNP_TEST_OWNER,
							     KNP_TABLE_PORTSET,
							     &rec->portset,
							     sizeof(rec->portset),
							     &why), 0);
	}
	KUNIT_EXPECT_EQ(test, knp_test_commit(kn, LARGE), 0);
}

/* The rest of a message that is too small for a record is no end of the table. */
static void a_dump_loses_no_large_record(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	struct large *rec;
	struct answer a;
	struct peer p;
	u32 i;

	rec = kunit_kzalloc(test, sizeof(*rec), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rec);
	rec->portset.nports = KNP_PORTS_MAX;
	for (i = 0; i < KNP_PORTS_MAX; i++)
		rec->port[i] = (struct knp_rec_port){
			.rule = 1, .lo = 2 * i, .hi = 2 * i, .proto = 6,
		};
	peer_open(test, &p);
	knp_test_fill(test, kn);
	large_change(test, kn, rec, true);
	a = dump_of(test, &p, KNP_TABLE_PORTSET);
	KUNIT_EXPECT_EQ(test, a.err, 0);
	KUNIT_EXPECT_EQ(test, a.records, sizeof(knp_test_portset) +
			LARGE * sizeof(*rec));
	sock_release(p.sock);
	large_change(test, kn, rec, false);
	knp_test_empty(test, kn);
}

#define COUNTERS	3000	/* of which a message holds less than half */

static void a_dump_loses_no_counter(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	struct answer a;
	struct peer p;
	u32 id, bad = 0;

	peer_open(test, &p);
	for (id = 1; id <= COUNTERS; id++) {
		bad += knp_counters_reserve(&kn->counters, KNP_COUNTED_RULE,
					    id) != 0;
		if (bad)
			break;
		local_bh_disable();
		knp_counters_hit(&kn->counters, KNP_COUNTED_RULE, id, 1);
		local_bh_enable();
	}
	KUNIT_EXPECT_EQ(test, bad, 0);
	a = ask(test, &p, KNP_CMD_COUNTERS, NLM_F_DUMP, 0, NULL, 0, 0, NULL, 0);
	KUNIT_EXPECT_EQ(test, a.err, 0);
	KUNIT_EXPECT_EQ(test, a.counters,
			COUNTERS * sizeof(struct knp_counter));
	sock_release(p.sock);
	/* Others begin at 0. No packet is counted here, no tables name an id. */
	knp_counters_free(&kn->counters);
}

static struct answer ask_list(struct kunit *test, struct peer *p, u16 port)
{
	const struct knp_node_allow list[] = {
		{ .proto = IPPROTO_UDP, .port = port },
		{ .proto = IPPROTO_TCP, .port = port },
	};

	return ask(test, p, KNP_CMD_CONFIG, 0, KNP_A_NODE_ALLOW, list,
		   sizeof(list), 0, NULL, 0);
}

static void a_list_gives_back_what_the_last_one_took(struct kunit *test)
{
	struct peer p;
	long before;
	u16 i;

	peer_open(test, &p);
	KUNIT_EXPECT_EQ(test, ask_list(test, &p, 53).err, 0);
	/* Nothing else may be on its way. */
	rcu_barrier();
	flush_workqueue(knp_wq);
	before = atomic_long_read(&knp_mem_bytes);
	for (i = 1; i < 5; i++)
		KUNIT_EXPECT_EQ(test, ask_list(test, &p, i).err, 0);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&knp_mem_bytes), before);
	sock_release(p.sock);
}

static void listen(struct kunit *test, struct peer *p, u32 group)
{
	group += knp_genl_family.mcgrp_offset;
	KUNIT_EXPECT_EQ(test, p->sock->ops->setsockopt(p->sock, SOL_NETLINK,
						       NETLINK_ADD_MEMBERSHIP,
						       KERNEL_SOCKPTR(&group),
						       sizeof(group)), 0);
}

/* Messages that have come to who listens, since it was asked last. */
static u32 heard(struct peer *p)
{
	struct kvec vec = { .iov_base = p->room, .iov_len = ROOM };
	struct msghdr msg = {};
	u32 n = 0;

	while (kernel_recvmsg(p->sock, &msg, &vec, 1, ROOM, MSG_DONTWAIT) > 0)
		n++;

	return n;
}

/* How many are told of a command with an attribute, which is taken. */
static u32 told_of(struct kunit *test, struct peer *p, struct peer *ear, u8 cmd,
		   u16 type, const void *data, int len)
{
	KUNIT_EXPECT_EQ(test, ask(test, p, cmd, 0, type, data, len, 0, NULL,
				  0).err, 0);

	return heard(ear);
}

/* Who wants to enforce again what somebody else has undone has to hear of it. */
static void what_changes_is_told_and_nothing_else(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	const u32 families = KNP_FAMILY_IPV4;
	u8 encap = KNP_PASS;
	struct peer p, ear;
	u64 value;

	peer_open(test, &p);
	peer_open(test, &ear);
	listen(test, &ear, KNP_GROUP_COMMITS);
	KUNIT_EXPECT_EQ(test, told_of(test, &p, &ear, KNP_CMD_ATTACH,
				      KNP_A_FAMILIES, &families, 4), 1);
	KUNIT_EXPECT_EQ(test, told_of(test, &p, &ear, KNP_CMD_ATTACH,
				      KNP_A_FAMILIES, &families, 4), 0);
	KUNIT_EXPECT_EQ(test, told_of(test, &p, &ear, KNP_CMD_CONFIG,
				      KNP_A_ENCAP, &encap, 1), 1);
	KUNIT_EXPECT_EQ(test, told_of(test, &p, &ear, KNP_CMD_CONFIG,
				      KNP_A_ENCAP, &encap, 1), 0);
	encap = KNP_DROP;
	KUNIT_EXPECT_EQ(test, told_of(test, &p, &ear, KNP_CMD_CONFIG,
				      KNP_A_ENCAP, &encap, 1), 1);
	KUNIT_EXPECT_EQ(test, ask_list(test, &p, 1).err, 0);
	heard(&ear);
	/* As many entries, of another port. */
	KUNIT_EXPECT_EQ(test, ask_list(test, &p, 2).err, 0);
	KUNIT_EXPECT_EQ(test, heard(&ear), 1);
	KUNIT_EXPECT_EQ(test, ask_list(test, &p, 2).err, 0);
	KUNIT_EXPECT_EQ(test, heard(&ear), 0);
	value = kn->generation;
	KUNIT_EXPECT_EQ(test, told_of(test, &p, &ear, KNP_CMD_BEGIN,
				      KNP_A_GENERATION, &value, 8), 0);
	value = 0;
	KUNIT_EXPECT_EQ(test, told_of(test, &p, &ear, KNP_CMD_COMMIT,
				      KNP_A_COUNT, &value, 8), 1);
	KUNIT_EXPECT_EQ(test, told_of(test, &p, &ear, KNP_CMD_DETACH,
				      KNP_A_FAMILIES, &families, 4), 1);
	KUNIT_EXPECT_EQ(test, told_of(test, &p, &ear, KNP_CMD_DETACH,
				      KNP_A_FAMILIES, &families, 4), 0);
	sock_release(ear.sock);
	sock_release(p.sock);
}

/*
 * How many of @n events find room here and now; none of them is sent. The bucket
 * was filled at @filled, with @tokens.
 */
static u32 rooms_with(struct knp_net *kn, unsigned int waiting, u32 n,
		      unsigned long filled, u32 tokens)
{
	struct knp_event_ring *r;
	u32 found = 0;

	local_bh_disable();
	r = this_cpu_ptr(kn->events.ring);
	r->filled = filled;
	r->tokens = tokens;
	r->head = r->tail + waiting;
	while (n--) {
		if (knp_events_slot(kn))
			found++;
	}
	r->head = r->tail;
	local_bh_enable();

	return found;
}

static u32 rooms(struct knp_net *kn, unsigned int waiting, u32 n)
{
	return rooms_with(kn, waiting, n, 0, 0);
}

static void events_are_bounded(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	u32 rate = kn->config.event_rate;
	struct peer p;

	peer_open(test, &p);
	KUNIT_ASSERT_EQ(test, knp_events_prepare(&kn->events), 0);
	KUNIT_EXPECT_EQ(test, rooms(kn, 0, 1), 0);
	listen(test, &p, KNP_GROUP_EVENTS);
	KUNIT_EXPECT_EQ(test, rooms(kn, 0, 2 * rate), rate);
	KUNIT_EXPECT_EQ(test, rooms(kn, KNP_RING_SIZE - 1, 1), 1);
	KUNIT_EXPECT_EQ(test, rooms(kn, KNP_RING_SIZE, 1), 0);
	kn->config.event_rate = 5;
	KUNIT_EXPECT_EQ(test, rooms(kn, 0, 20), 5);
	kn->config.event_rate = 0;
	KUNIT_EXPECT_EQ(test, rooms(kn, 0, 20), 0);
	kn->config.event_rate = rate;
	sock_release(p.sock);
}

/* Time goes on meanwhile, so what is found is between two numbers. */
static void room_for_events_comes_as_time_goes(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	u32 rate = kn->config.event_rate, found;
	struct peer p;

	peer_open(test, &p);
	KUNIT_ASSERT_EQ(test, knp_events_prepare(&kn->events), 0);
	listen(test, &p, KNP_GROUP_EVENTS);
	found = rooms_with(kn, 0, 3 * rate, jiffies - HZ / 2, 0);
	KUNIT_EXPECT_TRUE(test, found >= rate / 2 && found < rate);
	/* No more than a second's, however long nothing was reported. */
	found = rooms_with(kn, 0, 3 * rate, jiffies - HZ / 2, rate);
	KUNIT_EXPECT_TRUE(test, found >= rate && found < rate + rate / 2);
	sock_release(p.sock);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(messages_commit_a_policy),
	KUNIT_CASE(every_refusal_says_why),
	KUNIT_CASE(explain_takes_no_question_that_is_none),
	KUNIT_CASE(closing_a_socket_forgets_its_transaction),
	KUNIT_CASE(a_commit_that_says_nothing_cancels),
	KUNIT_CASE(info_answers),
	KUNIT_CASE(info_says_when_the_last_commit_was),
	KUNIT_CASE(info_says_whose_transaction_is_open),
	KUNIT_CASE(info_says_what_config_has_set),
	KUNIT_CASE(info_says_how_full_each_table_is),
	KUNIT_CASE(a_config_that_is_refused_changes_nothing),
	KUNIT_CASE(a_dump_of_one_table_has_no_other),
	KUNIT_CASE(a_dump_loses_no_large_record),
	KUNIT_CASE(a_dump_loses_no_counter),
	KUNIT_CASE(a_list_gives_back_what_the_last_one_took),
	KUNIT_CASE(events_are_bounded),
	KUNIT_CASE(what_changes_is_told_and_nothing_else),
	KUNIT_CASE(room_for_events_comes_as_time_goes),
	{}
};

static struct kunit_suite suite = {
	.name = "knp-netlink",
	.test_cases = cases,
};

kunit_test_suite(suite);
