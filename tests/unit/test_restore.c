// SPDX-License-Identifier: Apache-2.0
/*
 * What is restored from which file, against a backend that holds what the module
 * would: when hooks are attached, it notes what packets are judged by then.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "restore.h"
#include "state_file.h"
#include "states.h"

/**
 * struct fake - the module
 * @held: what was committed, NULL: nothing
 * @next: of the open transaction
 * @count: of its records
 * @log: a letter per call: i(nfo) c(onfig) b(egin) p(ut) C(ommit) x (abort)
 *	 a(ttach)
 * @fail: the call that fails, by its letter
 * @error: with what
 * @refused: a family that cannot be attached
 * @refuses_mode: and what else is set with it
 * @early: something was attached that was judged by DEFAULT being pass
 * @lives: how many calls are made before the caller is killed, 0: all
 */
struct fake {
	struct knp_info info;
	struct knp_ruleset *held;
	struct knp_ruleset *next;
	uint64_t count;
	char log[64];
	char fail;
	int error;
	uint32_t refused;
	bool refuses_mode;
	bool early;
	size_t lives;
};

static int called(struct fake *f, char letter)
{
	size_t n = strlen(f->log);

	if (f->lives && n == f->lives)
		return -EPIPE;
	assert_true(n < sizeof(f->log) - 1);
	f->log[n] = letter;
	f->log[n + 1] = '\0';
	return f->fail == letter ? f->error : 0;
}

static int fake_info(void *ctx, struct knp_info *ret)
{
	struct fake *f = ctx;

	*ret = f->info;
	return called(f, 'i');
}

static int fake_begin(void *ctx, uint64_t generation)
{
	struct fake *f = ctx;
	int err = called(f, 'b');

	if (!err && generation != f->info.generation)
		err = -ESTALE;
	if (err)
		return err;
	f->next = knp_ruleset_new();
	f->count = 0;
	return 0;
}

static int fake_write(void *ctx, const struct knp_op *op)
{
	struct fake *f = ctx;
	int err = called(f, 'p');

	if (err)
		return err;
	assert_false(op->delete);
	f->count += op->count;
	return knp_ruleset_unpack(f->next, op->table, op->recs, op->len);
}

static int fake_abort(void *ctx)
{
	struct fake *f = ctx;

	knp_ruleset_free(f->next);
	f->next = NULL;
	return called(f, 'x');
}

static int fake_commit(void *ctx, uint64_t count, uint64_t *generation)
{
	struct fake *f = ctx;
	int err = called(f, 'C');

	if (!err && count != f->count)
		err = -EBADMSG;
	if (err) {
		knp_ruleset_free(f->next);
		f->next = NULL;
		return err;
	}
	f->held = f->next;
	f->next = NULL;
	*generation = ++f->info.generation;
	return 0;
}

static int fake_config(void *ctx, const struct knp_config *c)
{
	struct fake *f = ctx;
	int err = called(f, 'c');

	if (!err && c->mode >= 0 && f->refuses_mode)
		err = -EINVAL;
	if (err)
		return err;
	if (c->mode >= 0)
		f->info.mode = (uint8_t)c->mode;
	if (c->dflt >= 0)
		f->info.dflt = (uint8_t)c->dflt;
	if (c->unknown_local >= 0)
		f->info.unknown_local = (uint8_t)c->unknown_local;
	if (c->event_rate >= 0)
		f->info.event_rate = (uint32_t)c->event_rate;
	if (c->encap >= 0)
		f->info.encap = (uint8_t)c->encap;
	if (c->node_egress >= 0)
		f->info.node_egress = (uint8_t)c->node_egress;
	if (c->lb_probes >= 0)
		f->info.lb_probes = (uint8_t)c->lb_probes;
	if (c->node_allow)
		f->info.node_allow = *c->node_allow;
	return 0;
}

static int fake_attach(void *ctx, uint32_t families)
{
	struct fake *f = ctx;
	int err = called(f, 'a');

	if (err || families & f->refused)
		return err ? err : -EOPNOTSUPP;
	f->early |= !f->held && f->info.dflt == KNP_PASS;
	f->info.families |= families;
	return 0;
}

static const char *fake_text(void *ctx)
{
	(void)ctx;
	return "words";
}

static const struct knp_push_ops fake_ops = {
	.info	= fake_info,
	.begin	= fake_begin,
	.write	= fake_write,
	.commit	= fake_commit,
	.abort	= fake_abort,
	.config	= fake_config,
	.attach	= fake_attach,
	.text	= fake_text,
};

/* ---- the file ------------------------------------------------------------ */

struct fixture {
	struct fake fake;
	struct knp_state state;		/* what the file is to hold */
	struct knp_restore_from from;
	struct knp_restored restored;
	char path[64];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fd;

	strcpy(f->path, "/tmp/knp-restore.XXXXXX");
	fd = mkstemp(f->path);
	assert_true(fd >= 0);
	close(fd);
	f->state = some_state();
	f->from = (struct knp_restore_from){
		.path = f->path,
		.node = "n",
		.families = KNP_FAMILY_IPV4,
	};
	f->fake.info.instance = 99;
	f->fake.info.encap = KNP_DROP;
	f->fake.info.lb_probes = KNP_DROP;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	knp_state_clear(&f->state);
	knp_ruleset_free(f->fake.held);
	assert_null(f->fake.next);
	free(f);
	return 0;
}

static void save(struct fixture *f)
{
	void *data;
	size_t len;

	assert_int_equal(knp_state_encode(&f->state, &data, &len), 0);
	assert_int_equal(knp_state_file_write(f->path, data, len), 0);
	free(data);
}

static int restore(struct fixture *f)
{
	f->fake.log[0] = '\0';
	return knp_restore(&fake_ops, &f->fake, &f->from, &f->restored);
}

static void ends(struct fixture *f, enum knp_restore_end end, const char *words)
{
	assert_int_equal(restore(f), 0);
	assert_int_equal(f->restored.end, end);
	if (!strstr(f->restored.text, words))
		fail_msg("'%s' is not in '%s'", words, f->restored.text);
	assert_false(f->fake.early);
}

static void assert_settings(const struct fake *f, const struct knp_info *want)
{
	assert_int_equal(f->info.mode, want->mode);
	assert_int_equal(f->info.unknown_local, want->unknown_local);
	assert_int_equal(f->info.event_rate, want->event_rate);
	assert_int_equal(f->info.encap, want->encap);
	assert_int_equal(f->info.node_egress, want->node_egress);
	assert_int_equal(f->info.lb_probes, want->lb_probes);
	assert_int_equal(f->info.node_allow.n, want->node_allow.n);
	assert_memory_equal(f->info.node_allow.v, want->node_allow.v,
			    sizeof(want->node_allow.v));
}

static void assert_closed(const struct fake *f, uint32_t families)
{
	assert_null(f->held);
	assert_int_equal(f->info.generation, 0);
	assert_int_equal(f->info.dflt, KNP_DROP);
	assert_int_equal(f->info.families, families);
}

/* ---- what becomes of it -------------------------------------------------- */

static void test_this_boot(void **state)
{
	struct fixture *f = *state;

	save(f);
	ends(f, KNP_RESTORE_WHOLE, "generation 42 is back as generation 1");
	assert_int_equal(f->restored.generation, 1);
	assert_rulesets_equal(f->fake.held, f->state.rs);
	assert_settings(&f->fake, &f->state.info);
	assert_int_equal(f->fake.info.dflt, KNP_PASS);
	assert_int_equal(f->fake.info.families, KNP_FAMILY_ALL);
	/* Settings before hooks, and hooks before the commit, when all is there. */
	assert_memory_equal(f->fake.log, "ibp", 3);
	assert_string_equal(strchr(f->fake.log, 'c'), "caaCc");
}

static void test_this_boot_empty(void **state)
{
	struct fixture *f = *state;

	knp_ruleset_free(f->state.rs);
	f->state.rs = knp_ruleset_new();
	save(f);
	ends(f, KNP_RESTORE_WHOLE, "is back");
	assert_int_equal(f->fake.info.generation, 1);
}

static void test_this_boot_detached(void **state)
{
	struct fixture *f = *state;

	f->state.info.families = 0;
	save(f);
	ends(f, KNP_RESTORE_WHOLE, "is back");
	assert_int_equal(f->fake.info.families, 0);
	assert_rulesets_equal(f->fake.held, f->state.rs);
}

static void test_something_is_there(void **state)
{
	struct fixture *f = *state;

	f->fake.info.generation = 7;
	save(f);
	ends(f, KNP_RESTORE_THERE, "generation 7");
	assert_string_equal(f->fake.log, "i");
	/* No matter what the file is. */
	assert_int_equal(truncate(f->path, 10), 0);
	ends(f, KNP_RESTORE_THERE, "generation 7");
	assert_string_equal(f->fake.log, "i");
}

static void test_no_file(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(unlink(f->path), 0);
	ends(f, KNP_RESTORE_NOTHING, f->path);
	assert_string_equal(f->fake.log, "i");
}

static void test_another_boot(void **state)
{
	struct fixture *f = *state;

	f->state.boot.id[0] ^= 1;
	save(f);
	ends(f, KNP_RESTORE_CLOSED, "is of another boot");
	assert_closed(&f->fake, KNP_FAMILY_ALL);
	assert_settings(&f->fake, &f->state.info);
	assert_string_equal(f->fake.log, "iccaa");
}

/* Who cannot tell which boot it is must not take it for the same. */
static void test_unknown_boot(void **state)
{
	struct fixture *f = *state;

	f->state.boot.id[0] = '\0';
	save(f);
	ends(f, KNP_RESTORE_CLOSED, "is of another boot");
	assert_closed(&f->fake, KNP_FAMILY_ALL);
}

static void test_another_namespace(void **state)
{
	struct fixture *f = *state;

	f->state.boot.netns++;
	save(f);
	ends(f, KNP_RESTORE_CLOSED, "is of another network namespace");
	assert_closed(&f->fake, KNP_FAMILY_ALL);
}

static void test_another_boot_audit(void **state)
{
	struct fixture *f = *state;

	f->state.boot.id[0] ^= 1;
	f->state.info.mode = KNP_MODE_AUDIT;
	save(f);
	ends(f, KNP_RESTORE_CLOSED, "mode is audit");
	assert_closed(&f->fake, KNP_FAMILY_ALL);
	assert_int_equal(f->fake.info.mode, KNP_MODE_AUDIT);
}

static void test_another_boot_detached(void **state)
{
	struct fixture *f = *state;

	f->state.boot.id[0] ^= 1;
	f->state.info.families = 0;
	save(f);
	ends(f, KNP_RESTORE_CLOSED, "detached");
	assert_closed(&f->fake, 0);
}

static void test_another_node(void **state)
{
	struct fixture *f = *state;
	const struct knp_info had = f->fake.info;

	f->from.node = "m";
	save(f);
	ends(f, KNP_RESTORE_REFUSED, "is of another node, n");
	/* Neither tables nor settings of somebody else. */
	assert_closed(&f->fake, KNP_FAMILY_IPV4);
	assert_settings(&f->fake, &had);
}

static void test_any_node(void **state)
{
	struct fixture *f = *state;

	f->from.node = NULL;
	save(f);
	ends(f, KNP_RESTORE_WHOLE, "is back");
}

static void test_damaged(void **state)
{
	struct fixture *f = *state;
	const struct knp_info had = f->fake.info;

	save(f);
	assert_int_equal(truncate(f->path, 200), 0);
	ends(f, KNP_RESTORE_REFUSED, "is truncated: no packet passes");
	assert_closed(&f->fake, KNP_FAMILY_IPV4);
	assert_settings(&f->fake, &had);
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(symlink("/", f->path), 0);
	ends(f, KNP_RESTORE_REFUSED, "cannot be read");
	assert_closed(&f->fake, KNP_FAMILY_IPV4);
}

/* ---- failures ------------------------------------------------------------ */

/* Tables that the module does not take: it is closed, and says so. */
static void test_module_refuses_the_tables(void **state)
{
	struct fixture *f = *state;

	save(f);
	f->fake.error = -E2BIG;
	f->fake.fail = 'p';
	ends(f, KNP_RESTORE_REFUSED, "cannot be restored");
	assert_closed(&f->fake, KNP_FAMILY_ALL);
	assert_non_null(strchr(f->fake.log, 'x'));

	f->fake.info.families = 0;
	f->fake.info.dflt = KNP_PASS;
	f->fake.fail = 'C';
	ends(f, KNP_RESTORE_REFUSED, "cannot be restored");
	assert_closed(&f->fake, KNP_FAMILY_ALL);
}

/* Settings that the module does not take do not leave it open. */
static void test_module_refuses_the_settings(void **state)
{
	struct fixture *f = *state;

	f->fake.refuses_mode = true;
	save(f);
	ends(f, KNP_RESTORE_REFUSED, "has settings that are refused");
	assert_closed(&f->fake, KNP_FAMILY_ALL);
	f->fake.info.families = 0;
	f->fake.info.dflt = KNP_PASS;
	f->state.boot.id[0] ^= 1;
	save(f);
	ends(f, KNP_RESTORE_REFUSED, "has settings that are refused");
	assert_closed(&f->fake, KNP_FAMILY_ALL);
}

/* Somebody commits meanwhile: what he says counts. */
static void test_others_write(void **state)
{
	struct fixture *f = *state;

	save(f);
	f->fake.fail = 'b';
	f->fake.error = -EBUSY;
	assert_int_equal(restore(f), -EBUSY);
	assert_int_equal(f->fake.info.families, 0);
	assert_int_equal(f->fake.info.dflt, KNP_PASS);
	f->fake.error = -ESTALE;
	assert_int_equal(restore(f), -ESTALE);
	f->fake.fail = 0;
	f->fake.info.generation = 1;
	ends(f, KNP_RESTORE_THERE, "generation 1");
}

static void test_module_fails(void **state)
{
	static const struct {
		char call;
		bool other_boot;
		const char *what;
	} cases[] = {
		{ 'i', false, "info" },
		{ 'c', true, "set default=drop" },
		{ 'a', true, "attach" },
		{ 'a', false, "attach" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		knp_boot_read(&f->state.boot);
		if (cases[i].other_boot)
			f->state.boot.id[0] ^= 1;
		save(f);
		f->fake.fail = cases[i].call;
		f->fake.error = -EPERM;
		assert_int_equal(restore(f), -EPERM);
		assert_non_null(strstr(f->restored.text, cases[i].what));
		assert_non_null(strstr(f->restored.text, "words"));
	}
}

/* Hooks that could not be attached are, the next time; until then it is closed. */
static void test_hooks_are_tried_again(void **state)
{
	struct fixture *f = *state;

	save(f);
	f->fake.fail = 'a';
	f->fake.error = -ENOMEM;
	assert_int_equal(restore(f), -ENOMEM);
	assert_closed(&f->fake, 0);
	f->fake.fail = 0;
	ends(f, KNP_RESTORE_WHOLE, "is back");
	assert_rulesets_equal(f->fake.held, f->state.rs);
	assert_int_equal(f->fake.info.families, KNP_FAMILY_ALL);
	assert_int_equal(f->fake.info.dflt, KNP_PASS);
}

/* A module with these settings, that was loaded just now. */
static void load(struct fixture *f, const struct knp_info *info)
{
	knp_ruleset_free(f->fake.held);
	f->fake = (struct fake){ .info = *info };
}

/* Killed after any call: what comes next completes it, hooks and all. */
static void test_killed_after_every_call(void **state)
{
	struct fixture *f = *state;
	const struct knp_info info = f->fake.info;
	size_t all;

	save(f);
	assert_int_equal(restore(f), 0);
	all = strlen(f->fake.log);
	for (size_t n = 1; n < all; n++) {
		load(f, &info);
		f->fake.lives = n;
		assert_int_equal(restore(f), -EPIPE);
		/* The kernel forgets what its socket had begun. */
		knp_ruleset_free(f->fake.next);
		f->fake.next = NULL;
		f->fake.lives = 0;
		assert_int_equal(restore(f), 0);
		assert_non_null(f->fake.held);
		assert_rulesets_equal(f->fake.held, f->state.rs);
		assert_settings(&f->fake, &f->state.info);
		assert_int_equal(f->fake.info.families, KNP_FAMILY_ALL);
		assert_false(f->fake.early);
	}
}

/* One family that the kernel lacks does not open the others. */
static void test_a_family_is_missing(void **state)
{
	struct fixture *f = *state;

	f->state.info.families = KNP_FAMILY_MASK;
	f->fake.refused = KNP_FAMILY_IPV4;
	f->state.boot.id[0] ^= 1;
	save(f);
	assert_int_equal(restore(f), -EOPNOTSUPP);
	assert_closed(&f->fake, KNP_FAMILY_IPV6 | KNP_FAMILY_BRIDGE);
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_this_boot),
		TEST(test_this_boot_empty),
		TEST(test_this_boot_detached),
		TEST(test_something_is_there),
		TEST(test_no_file),
		TEST(test_another_boot),
		TEST(test_unknown_boot),
		TEST(test_another_namespace),
		TEST(test_another_boot_audit),
		TEST(test_another_boot_detached),
		TEST(test_another_node),
		TEST(test_any_node),
		TEST(test_damaged),
		TEST(test_module_refuses_the_tables),
		TEST(test_module_refuses_the_settings),
		TEST(test_others_write),
		TEST(test_module_fails),
		TEST(test_hooks_are_tried_again),
		TEST(test_killed_after_every_call),
		TEST(test_a_family_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
