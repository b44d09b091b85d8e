// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Lives: of snapshots that dumps have pinned, of hooks, of a whole namespace.
 *
 * The namespace is made by the guest's ip, as no module can make one; it is the
 * only one beside init_net.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/rtnetlink.h>
#include <linux/string.h>
#include <linux/umh.h>
#include <net/net_namespace.h>
#include <net/netlink.h>

#include "hook.h"
#include "mem.h"
#include "node_list.h"
#include "world.h"

#define PINS	16	/* as netns.c allows */
#define COMMITS	100

static void settle(void)
{
	rcu_barrier();
	flush_workqueue(knp_wq);
}

static void a_pinned_snapshot_outlives_commits(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	struct knp_snapshot *snap;
	u64 generation;

	knp_test_fill(test, kn);
	snap = knp_snapshot_pin(kn);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, snap);
	generation = snap->generation;
	knp_test_empty(test, kn);
	settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&kn->retired), 0);
	KUNIT_EXPECT_EQ(test, snap->generation, generation);
	KUNIT_EXPECT_TRUE(test, knp_test_holds(snap->tables));
	KUNIT_EXPECT_FALSE(test, knp_test_published(kn));
	knp_snapshot_unpin(snap);
	settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&kn->retired), 0);
	KUNIT_EXPECT_EQ(test, kn->dumps, 0);
}

/* A generation that another follows, until knp_test_reader_stop() read as by packets. */
static void replace_while_read(struct kunit *test, struct knp_net *kn,
			       struct knp_test_reader *reader)
{
	knp_test_fill(test, kn);
	settle();
	knp_test_reader_start(test, reader, 0);
	knp_test_empty(test, kn);
}

static void a_generation_stays_while_packets_read_it(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	struct knp_test_reader reader;

	replace_while_read(test, kn, &reader);
	msleep(50);
	flush_workqueue(knp_wq);
	KUNIT_EXPECT_EQ(test, atomic_read(&kn->retired), 1);
	knp_test_reader_stop(&reader);
	settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&kn->retired), 0);
}

/* Generations share parts, and their counts of users are the lock's. */
static void a_generation_is_freed_under_the_lock(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	struct knp_test_reader reader;

	replace_while_read(test, kn, &reader);
	mutex_lock(&kn->lock);
	knp_test_reader_stop(&reader);
	rcu_barrier();
	msleep(50);
	KUNIT_EXPECT_EQ(test, atomic_read(&kn->retired), 1);
	mutex_unlock(&kn->lock);
	settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&kn->retired), 0);
}

/* A list of @n entries, of ports from @port on. */
static struct knp_node_list *list_of(struct kunit *test, u16 n, u16 port)
{
	struct knp_node_allow *entries;
	struct knp_node_list *list;
	struct nlattr *attr;
	u16 i;

	attr = kunit_kzalloc(test, nla_attr_size(n * sizeof(*entries)),
			     GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, attr);
	attr->nla_len = nla_attr_size(n * sizeof(*entries));
	entries = nla_data(attr);
	for (i = 0; i < n; i++) {
		entries[i].proto = IPPROTO_TCP;
		entries[i].port = port + i;
	}
	list = knp_node_list_new(attr, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, list);

	return list;
}

static void list_set(struct knp_net *kn, struct knp_node_list *list)
{
	mutex_lock(&kn->lock);
	knp_node_list_set(kn, list);
	mutex_unlock(&kn->lock);
}

#define ENTRIES	KNP_NODE_ALLOW_MAX

static void a_list_stays_while_packets_read_it(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	struct knp_test_reader reader;
	struct knp_node_allow *copy;
	struct knp_node_list *list;

	copy = kunit_kzalloc(test, ENTRIES * sizeof(*copy), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, copy);
	list = list_of(test, ENTRIES, 1);
	memcpy(copy, list->entries, ENTRIES * sizeof(*copy));
	list_set(kn, list);
	knp_test_reader_start(test, &reader, 0);
	list_set(kn, list_of(test, 1, 1));
	/* Memory that is free is written to by the allocator, or taken. */
	list_set(kn, list_of(test, ENTRIES, 1000));
	KUNIT_EXPECT_EQ(test, memcmp(copy, list->entries,
				     ENTRIES * sizeof(*copy)), 0);
	knp_test_reader_stop(&reader);
}

/* A lock that was left behind is released, so that others can go on. */
static bool lock_is_free(struct knp_net *kn)
{
	bool is_free = mutex_trylock(&kn->lock);

	mutex_unlock(&kn->lock);

	return is_free;
}

static void pins_are_bounded(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	struct knp_snapshot *snap[PINS];
	u32 i;

	knp_test_fill(test, kn);
	for (i = 0; i < PINS; i++) {
		snap[i] = knp_snapshot_pin(kn);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, snap[i]);
	}
	KUNIT_EXPECT_PTR_EQ(test, knp_snapshot_pin(kn), ERR_PTR(-EBUSY));
	KUNIT_EXPECT_TRUE(test, lock_is_free(kn));
	for (i = 0; i < PINS; i++)
		knp_snapshot_unpin(snap[i]);
	KUNIT_EXPECT_EQ(test, kn->dumps, 0);
	knp_test_empty(test, kn);
}

static void what_commits_retire_is_freed(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	u64 before = kn->generation;
	u32 i, most = 0;

	for (i = 0; i < COMMITS; i++) {
		knp_test_fill(test, kn);
		most = max_t(u32, most, atomic_read(&kn->retired));
	}
	/* They are freed while others retire, so there are never many. */
	KUNIT_EXPECT_LT(test, most, COMMITS / 2);
	KUNIT_EXPECT_EQ(test, kn->generation, before + COMMITS);
	knp_test_empty(test, kn);
	settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&kn->retired), 0);
}

static void hooks_come_and_go(struct kunit *test)
{
	struct knp_net *kn = knp_net(&init_net);
	u32 i;

	for (i = 0; i < 3; i++) {
		mutex_lock(&kn->lock);
		KUNIT_EXPECT_EQ(test, knp_hooks_attach(kn, KNP_FAMILY_IPV4), 0);
		KUNIT_EXPECT_EQ(test, kn->families, KNP_FAMILY_IPV4);
		KUNIT_EXPECT_EQ(test, knp_hooks_attach(kn, KNP_FAMILY_ALL), 0);
		KUNIT_EXPECT_EQ(test, kn->families, KNP_FAMILY_ALL);
		knp_hooks_detach(kn, KNP_FAMILY_IPV4);
		KUNIT_EXPECT_EQ(test, kn->families, KNP_FAMILY_IPV6);
		knp_hooks_detach(kn, KNP_FAMILY_MASK);
		KUNIT_EXPECT_EQ(test, kn->families, 0);
		mutex_unlock(&kn->lock);
	}
}

static int run(const char *command)
{
	char **argv = argv_split(GFP_KERNEL, command, NULL);
	int err;

	if (!argv)
		return -ENOMEM;
	err = call_usermodehelper(argv[0], argv, NULL, UMH_WAIT_PROC);
	argv_free(argv);

	return err;
}

/* The namespace beside init_net, NULL if there is none. */
static struct net *other_net(void)
{
	struct net *net, *found = NULL;

	down_read(&net_rwsem);
	for_each_net(net) {
		if (net != &init_net)
			found = net;
	}
	up_read(&net_rwsem);

	return found;
}

static bool other_net_goes(void)
{
	u32 tries = 1000;

	while (other_net() && tries--)
		msleep(20);

	return !other_net();
}

/* What has hooks yet when no packet may come any more. */
static u32 families_at_exit = U32_MAX;

static void look_at_exit(struct net *net)
{
	if (net != &init_net)
		families_at_exit = knp_net(net)->families;
}

/* Registered later than the module's, so asked before them. */
static struct pernet_operations exit_ops = {
	.exit = look_at_exit,
};

static void is_as_it_begins(struct kunit *test, const struct knp_net *kn)
{
	const struct knp_config *c = &kn->config;

	KUNIT_EXPECT_EQ(test, kn->generation, 0);
	KUNIT_EXPECT_EQ(test, kn->families, 0);
	KUNIT_EXPECT_NULL(test, rcu_access_pointer(kn->snap));
	KUNIT_EXPECT_EQ(test, c->mode, KNP_MODE_ENFORCE);
	KUNIT_EXPECT_EQ(test, c->dflt, KNP_PASS);
	KUNIT_EXPECT_EQ(test, c->unknown_local, KNP_PASS);
	KUNIT_EXPECT_EQ(test, c->encap, KNP_DROP);
	KUNIT_EXPECT_EQ(test, c->node_egress, KNP_PASS);
	KUNIT_EXPECT_EQ(test, c->lb_probes, KNP_DROP);
	KUNIT_EXPECT_EQ(test, c->event_rate, 100);
}

static void a_namespace_takes_all_of_it_along(struct kunit *test)
{
	struct knp_net *kn;
	struct net *net;
	long before;

	settle();
	before = atomic_long_read(&knp_mem_bytes);
	KUNIT_ASSERT_EQ(test, register_pernet_subsys(&exit_ops), 0);
	KUNIT_ASSERT_EQ(test, run("/bin/ip netns add kunit"), 0);
	net = other_net();
	KUNIT_ASSERT_NOT_NULL(test, net);
	kn = knp_net(net);
	is_as_it_begins(test, kn);
	KUNIT_EXPECT_NE(test, kn->instance, knp_net(&init_net)->instance);

	knp_test_fill(test, kn);
	KUNIT_EXPECT_TRUE(test, knp_test_published(kn));
	KUNIT_EXPECT_FALSE(test, knp_test_published(knp_net(&init_net)));
	mutex_lock(&kn->lock);
	KUNIT_EXPECT_EQ(test, knp_hooks_attach(kn, KNP_FAMILY_ALL), 0);
	mutex_unlock(&kn->lock);
	list_set(kn, list_of(test, 1, 1));
	/* With a transaction half-way, and snapshots not yet freed. */
	knp_test_fill(test, kn);
	KUNIT_EXPECT_EQ(test, knp_test_begin(kn, KNP_TEST_OWNER), 0);
	KUNIT_EXPECT_EQ(test, knp_test_put(kn, 0), 0);
	KUNIT_EXPECT_EQ(test, run("/bin/ip netns del kunit"), 0);
	KUNIT_EXPECT_TRUE(test, other_net_goes());
	/* Waits for what is still being taken apart. */
	unregister_pernet_subsys(&exit_ops);
	KUNIT_EXPECT_EQ(test, families_at_exit, 0);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&knp_mem_bytes), before);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(a_pinned_snapshot_outlives_commits),
	KUNIT_CASE(a_generation_stays_while_packets_read_it),
	KUNIT_CASE(a_generation_is_freed_under_the_lock),
	KUNIT_CASE(a_list_stays_while_packets_read_it),
	KUNIT_CASE(pins_are_bounded),
	KUNIT_CASE(what_commits_retire_is_freed),
	KUNIT_CASE(hooks_come_and_go),
	KUNIT_CASE(a_namespace_takes_all_of_it_along),
	{}
};

static struct kunit_suite suite = {
	.name = "knp-lifetime",
	.test_cases = cases,
};

kunit_test_suite(suite);
