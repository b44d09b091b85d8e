// SPDX-License-Identifier: Apache-2.0
/*
 * Reading tables while they change. The program is linked with --wrap for the
 * calls that ask the module: the answers are made here, libnl reads them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "genl.h"

#define FAMILY		0x0123
#define GENERATION	5
#define INSTANCE	70
/* More than one message of a dump; far more than its header. */
#define ANSWER		1024

int __real_nl_recvmsgs(struct nl_sock *sk, struct nl_cb *cb);
int __wrap_nl_recvmsgs(struct nl_sock *sk, struct nl_cb *cb);
int __wrap_nl_send_auto(struct nl_sock *sk, struct nl_msg *msg);
int __wrap_genl_ctrl_resolve(struct nl_sock *sk, const char *name);

/* What happens while a table is read. */
enum event {
	NOTHING,
	CUT,			/* the dump ends early, and says so */
	RELOADED,		/* it is another module afterwards */
	COMMITTED_AMIDST,	/* one part is older than the other */
	COMMITTED,		/* but all parts are of before */
};

/**
 * struct module - the module
 * @parts: of the table, a record each
 * @happens: while it is read for the first time
 * @always: and each time after that
 * @dumps: how often it was read
 * @cmd, @seq: what is being asked
 * @answer, @len: what is said
 */
static struct module {
	uint64_t instance;
	uint64_t generation;
	uint32_t parts;
	enum event happens;
	bool always;
	int dumps;
	uint8_t cmd;
	uint32_t seq;
	unsigned char answer[4 * ANSWER];
	size_t len;
} module;

static struct nl_msg *begin(uint8_t cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc_size(ANSWER);

	assert_non_null(msg);
	assert_non_null(genlmsg_put(msg, 0, module.seq, FAMILY, 0, flags, cmd,
				    KNP_GENL_VERSION));
	return msg;
}

static void say(struct nl_msg *msg)
{
	const struct nlmsghdr *nlh = nlmsg_hdr(msg);

	assert_true(module.len + NLMSG_ALIGN(nlh->nlmsg_len) <=
		    sizeof(module.answer));
	memcpy(module.answer + module.len, nlh, nlh->nlmsg_len);
	module.len += NLMSG_ALIGN(nlh->nlmsg_len);
	nlmsg_free(msg);
}

/* The end of a dump, or that a request was carried out. */
static void say_end(int type, int flags)
{
	struct nl_msg *msg = nlmsg_alloc_size(ANSWER);
	struct nlmsgerr ok = { 0 };

	assert_non_null(msg);
	assert_non_null(nlmsg_put(msg, 0, module.seq, type, 0, flags));
	assert_int_equal(nlmsg_append(msg, &ok, sizeof(ok), NLMSG_ALIGNTO), 0);
	say(msg);
}

static void say_info(void)
{
	struct nl_msg *msg = begin(KNP_CMD_INFO, 0);

	nla_put_u32(msg, KNP_A_ABI_VERSION, KNP_ABI_VERSION);
	nla_put_u64(msg, KNP_A_INSTANCE, module.instance);
	nla_put_u64(msg, KNP_A_GENERATION, module.generation);
	nla_put_u32(msg, KNP_A_FAMILIES, 0);
	nla_put_u8(msg, KNP_A_MODE, KNP_MODE_ENFORCE);
	nla_put_u8(msg, KNP_A_DEFAULT, KNP_PASS);
	nla_put_u8(msg, KNP_A_UNKNOWN_LOCAL, KNP_PASS);
	nla_put_u8(msg, KNP_A_NODE_EGRESS, KNP_PASS);
	nla_put_u8(msg, KNP_A_LB_PROBES, KNP_DROP);
	nla_put(msg, KNP_A_NODE_ALLOW, 0, NULL);
	nla_put_u32(msg, KNP_A_EVENT_RATE, 0);
	nla_put_u8(msg, KNP_A_ENCAP, KNP_DROP);
	say(msg);
	say_end(NLMSG_ERROR, 0);
}

static void say_part(uint32_t n)
{
	const struct knp_rec_row row = { 1, n, 1 };
	struct nl_msg *msg = begin(KNP_CMD_GET, NLM_F_MULTI);

	nla_put_u64(msg, KNP_A_GENERATION, module.generation);
	nla_put_u32(msg, KNP_A_TABLE, KNP_TABLE_ROW);
	nla_put(msg, KNP_A_RECORDS, sizeof(row), &row);
	say(msg);
}

static void say_table(void)
{
	enum event event = module.dumps && !module.always ? NOTHING :
			   module.happens;

	module.dumps++;
	for (uint32_t i = 1; i <= module.parts; i++) {
		if (event == CUT && i == module.parts)
			break;
		say_part(i);
		if (event == COMMITTED_AMIDST)
			module.generation++;
	}
	if (event == RELOADED)
		module.instance++;
	if (event == COMMITTED)
		module.generation++;
	say_end(NLMSG_DONE, NLM_F_MULTI | (event == CUT ? NLM_F_DUMP_INTR : 0));
}

static int answer(struct nl_sock *sk, struct sockaddr_nl *from,
		  unsigned char **buf, struct ucred **cred)
{
	(void)sk;
	(void)cred;
	module.len = 0;
	if (module.cmd == KNP_CMD_GET)
		say_table();
	else
		say_info();

	memset(from, 0, sizeof(*from));
	*buf = malloc(module.len);
	assert_non_null(*buf);
	memcpy(*buf, module.answer, module.len);
	return (int)module.len;
}

int __wrap_nl_recvmsgs(struct nl_sock *sk, struct nl_cb *cb)
{
	nl_cb_overwrite_recv(cb, answer);
	return __real_nl_recvmsgs(sk, cb);
}

int __wrap_nl_send_auto(struct nl_sock *sk, struct nl_msg *msg)
{
	nl_complete_msg(sk, msg);
	module.seq = nlmsg_hdr(msg)->nlmsg_seq;
	module.cmd = genlmsg_hdr(nlmsg_hdr(msg))->cmd;
	return (int)nlmsg_hdr(msg)->nlmsg_len;
}

int __wrap_genl_ctrl_resolve(struct nl_sock *sk, const char *name)
{
	(void)sk;
	(void)name;
	return FAMILY;
}

static void what_is_not_of_one_generation_is_read_again(void **state)
{
	static const struct {
		uint32_t parts;
		enum event happens;
		int dumps;
		uint64_t instance;
		uint64_t generation;
	} cases[] = {
		{ 2, NOTHING, 1, INSTANCE, GENERATION },
		{ 2, CUT, 2, INSTANCE, GENERATION },
		{ 1, CUT, 2, INSTANCE, GENERATION },
		{ 2, RELOADED, 2, INSTANCE + 1, GENERATION },
		{ 2, COMMITTED_AMIDST, 2, INSTANCE, GENERATION + 2 },
		{ 2, COMMITTED, 1, INSTANCE, GENERATION },
		/* Of an empty table no part says whose it is. */
		{ 0, NOTHING, 1, INSTANCE, GENERATION },
		{ 0, CUT, 2, INSTANCE, GENERATION },
		{ 0, RELOADED, 2, INSTANCE + 1, GENERATION },
		{ 0, COMMITTED, 2, INSTANCE, GENERATION + 1 },
	};
	struct knp_ruleset *rs;
	struct knp_info info;
	struct knp_genl *g;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		print_message("# case %zu\n", i);
		module = (struct module){
			.instance = INSTANCE,
			.generation = GENERATION,
			.parts = cases[i].parts,
			.happens = cases[i].happens,
		};
		assert_int_equal(knp_genl_open(&g), 0);
		assert_int_equal(knp_genl_snapshot(g, KNP_TABLE_ROW, &rs,
						   &info), 0);
		assert_int_equal(module.dumps, cases[i].dumps);
		assert_int_equal(info.instance, cases[i].instance);
		assert_int_equal(info.generation, cases[i].generation);
		assert_int_equal(rs->rows.n, cases[i].parts);
		knp_ruleset_free(rs);
		knp_genl_close(g);
	}
}

static void what_is_never_of_one_generation_is_told(void **state)
{
	static const enum event cases[] = { CUT, RELOADED, COMMITTED_AMIDST };
	struct knp_ruleset *rs;
	struct knp_info info;
	struct knp_genl *g;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		module = (struct module){
			.instance = INSTANCE,
			.generation = GENERATION,
			.parts = 2,
			.happens = cases[i],
			.always = true,
		};
		assert_int_equal(knp_genl_open(&g), 0);
		assert_int_equal(knp_genl_snapshot(g, KNP_TABLE_ROW, &rs,
						   &info), -EAGAIN);
		assert_in_range(module.dumps, 2, 100);
		knp_genl_close(g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_of_one_generation_is_read_again),
		cmocka_unit_test(what_is_never_of_one_generation_is_told),
	};

	return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
