// SPDX-License-Identifier: Apache-2.0
/*
 * The push state machine against a backend that remembers calls, can be told
 * to fail, and holds a generation like the kernel does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "push.h"

/**
 * struct fake - the backend
 * @held: what a commit has made it hold
 * @next: the private copy of the open transaction
 * @log: a letter per call: i(nfo) r(ead) b(egin) p(ut) d(elete) c(ommit)
 *	 x (abort) m(ode) a(ttach)
 * @fail: the call that is to fail, by its letter
 * @error: with what
 * @times: how often; -1: always
 */
struct fake {
	struct knp_info info;
	struct knp_ruleset *held;
	struct knp_ruleset *next;
	char log[256];
	char fail;
	int error;
	int times;
	uint64_t count;
	uint64_t last_count;
};

static int called(struct fake *f, char letter)
{
	size_t n = strlen(f->log);

	assert_true(n < sizeof(f->log) - 1);
	f->log[n] = letter;
	f->log[n + 1] = '\0';
	if (f->fail != letter || !f->times)
		return 0;
	if (f->times > 0)
		f->times--;
	return f->error;
}

static int fake_info(void *ctx, struct knp_info *ret)
{
	struct fake *f = ctx;
	int err = called(f, 'i');

	if (!err)
		*ret = f->info;
	return err;
}

static void copy(struct knp_recs *to, const struct knp_recs *from)
{
	const char *p = from->v;
	size_t i;

	for (i = 0; i < from->n; i++)
		assert_non_null(knp_recs_add(to, p + i * from->size));
}

static int fake_read(void *ctx, struct knp_ruleset **ret,
		     struct knp_info *info)
{
	struct fake *f = ctx;
	int err = called(f, 'r');

	if (err)
		return err;

	*ret = knp_ruleset_new();
	copy(&(*ret)->classes, &f->held->classes);
	*info = f->info;
	return 0;
}

static int fake_begin(void *ctx, uint64_t generation)
{
	struct fake *f = ctx;
	int err = called(f, 'b');

	if (!err && generation != f->info.generation)
		err = -ESTALE;
	if (err)
		return err;

	f->count = 0;
	knp_ruleset_free(f->next);
	f->next = knp_ruleset_new();
	copy(&f->next->classes, &f->held->classes);
	return 0;
}

static int fake_write(void *ctx, const struct knp_op *op)
{
	struct fake *f = ctx;
	struct knp_rec_class rec;
	struct knp_rec_class *have;
	size_t i, j;
	int err = called(f, op->delete ? 'd' : 'p');

	if (err)
		return err;

	assert_int_equal(op->table, KNP_TABLE_CLASS);
	f->count += op->count;
	for (i = 0; i < op->count; i++) {
		memcpy(&rec, (char *)op->recs + i * sizeof(rec), sizeof(rec));
		have = f->next->classes.v;
		for (j = 0; j < f->next->classes.n; j++)
			if (have[j].id == rec.id)
				break;
		if (op->delete) {
			assert_true(j < f->next->classes.n);
			have[j] = have[--f->next->classes.n];
		} else if (j < f->next->classes.n) {
			have[j] = rec;
		} else {
			assert_non_null(knp_recs_add(&f->next->classes, &rec));
		}
	}
	knp_ruleset_sort(f->next);
	return 0;
}

static int fake_commit(void *ctx, uint64_t count, uint64_t *generation)
{
	struct fake *f = ctx;
	int err = called(f, 'c');

	assert_int_equal(count, f->count);
	if (err)
		return err;

	knp_ruleset_free(f->held);
	f->held = f->next;
	f->next = NULL;
	f->last_count = count;
	*generation = ++f->info.generation;
	return 0;
}

static int fake_abort(void *ctx)
{
	return called(ctx, 'x');
}

static int fake_mode(void *ctx, uint8_t mode)
{
	struct fake *f = ctx;
	int err = called(f, 'm');

	if (!err)
		f->info.mode = mode;
	return err;
}

static int fake_unknown_local(void *ctx, uint8_t action)
{
	struct fake *f = ctx;
	int err = called(f, 'u');

	if (!err)
		f->info.unknown_local = action;
	return err;
}

static int fake_config(void *ctx, const struct knp_config *c)
{
	struct fake *f = ctx;
	int err = called(f, 's');

	if (err)
		return err;
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

	if (!err)
		f->info.families |= families;
	return err;
}

static const char *fake_text(void *ctx)
{
	(void)ctx;
	return "the kernel's words";
}

static const struct knp_push_ops ops = {
	.info	= fake_info,
	.read	= fake_read,
	.begin	= fake_begin,
	.write	= fake_write,
	.commit	= fake_commit,
	.abort	= fake_abort,
	.mode	= fake_mode,
	.unknown_local = fake_unknown_local,
	.config	= fake_config,
	.attach	= fake_attach,
	.text	= fake_text,
};

struct fixture {
	struct fake f;
	struct knp_push *push;
	struct knp_push_result res;
};

static int setup_with(void **state, int mode, int unknown_local)
{
	const struct knp_push_options options = {
		.families = KNP_FAMILY_ALL,
		.mode = mode,
		.unknown_local = unknown_local,
	};
	struct fixture *x = calloc(1, sizeof(*x));

	x->f.held = knp_ruleset_new();
	x->f.info.abi = KNP_ABI_VERSION;
	x->f.info.instance = 77;
	*state = x;
	return knp_push_new(&ops, &options, &x->push);
}

static int setup(void **state)
{
	return setup_with(state, -1, -1);
}

static int setup_audit(void **state)
{
	return setup_with(state, KNP_MODE_AUDIT, -1);
}

static int setup_enforce(void **state)
{
	return setup_with(state, KNP_MODE_ENFORCE, -1);
}

static int setup_drop(void **state)
{
	return setup_with(state, -1, KNP_DROP);
}

static int setup_pass(void **state)
{
	return setup_with(state, -1, KNP_PASS);
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	knp_push_free(x->push);
	knp_ruleset_free(x->f.held);
	knp_ruleset_free(x->f.next);
	free(x);
	return 0;
}

/* A ruleset of classes whose tags are the letters of @tags. */
static struct knp_ruleset *ruleset(const char *tags)
{
	struct knp_ruleset *rs = knp_ruleset_new();
	struct knp_rec_class rec;
	uint32_t id = 0;

	for (; *tags; tags++) {
		memset(&rec, 0, sizeof(rec));
		rec.id = ++id;
		memset(rec.tag, *tags, sizeof(rec.tag));
		assert_non_null(knp_recs_add(&rs->classes, &rec));
	}
	knp_ruleset_sort(rs);
	return rs;
}

static int apply(struct fixture *x, const char *tags)
{
	x->f.log[0] = '\0';
	return knp_push_apply(x->push, &x->f, ruleset(tags), &x->res);
}

/* Whether the backend holds exactly the classes with these tags. */
static void assert_held(struct fixture *x, const char *tags)
{
	const struct knp_rec_class *v = x->f.held->classes.v;
	size_t i;

	assert_int_equal(x->f.held->classes.n, strlen(tags));
	for (i = 0; i < x->f.held->classes.n; i++)
		assert_non_null(strchr(tags, v[i].tag[0]));
}

static void fresh_module_gets_tables_before_hooks(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(apply(x, "ab"), 0);
	assert_string_equal(x->f.log, "irbpca");
	assert_true(x->res.wrote);
	assert_int_equal(x->res.generation, 1);
	assert_int_equal(x->res.puts, 2);
	assert_int_equal(x->res.deletes, 0);
	assert_held(x, "ab");
	assert_int_equal(x->f.info.families, KNP_FAMILY_ALL);
}

static void fresh_module_gets_a_generation_even_if_empty(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(apply(x, ""), 0);
	assert_string_equal(x->f.log, "irbca");
	assert_int_equal(x->f.last_count, 0);
	assert_int_equal(x->res.generation, 1);
}

static void no_change_writes_nothing(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(apply(x, "ab"), 0);
	assert_int_equal(apply(x, "ab"), 0);
	assert_string_equal(x->f.log, "i");
	assert_false(x->res.wrote);
	assert_int_equal(x->res.generation, 1);
}

static void restart_adopts_and_writes_nothing(void **state)
{
	const struct knp_push_options options = {
		.families = KNP_FAMILY_ALL, .mode = -1,
		.unknown_local = -1,
	};
	struct fixture *x = *state;

	assert_int_equal(apply(x, "ab"), 0);
	knp_push_free(x->push);
	assert_int_equal(knp_push_new(&ops, &options, &x->push), 0);

	/* In another order: the ids are the kernel's all the same. */
	assert_int_equal(apply(x, "ba"), 0);
	assert_string_equal(x->f.log, "ir");
	assert_false(x->res.wrote);
	assert_true(x->res.reread);
}

static void difference_only_is_sent(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(apply(x, "ab"), 0);
	assert_int_equal(apply(x, "bc"), 0);
	assert_string_equal(x->f.log, "ibpdc");
	assert_int_equal(x->res.puts, 1);
	assert_int_equal(x->res.deletes, 1);
	assert_held(x, "bc");
}

static void foreign_commit_makes_it_read_again(void **state)
{
	const struct knp_rec_class foreign = { .id = 9, .tag = "z" };
	struct fixture *x = *state;

	assert_int_equal(apply(x, "a"), 0);
	assert_non_null(knp_recs_add(&x->f.held->classes, &foreign));
	x->f.info.generation++;

	assert_true(knp_push_differs(x->push, &x->f.info));
	assert_int_equal(apply(x, "a"), 0);
	assert_string_equal(x->f.log, "irbdc");
	assert_held(x, "a");
	assert_false(knp_push_differs(x->push, &x->f.info));
}

static void reloaded_module_is_filled_and_attached(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(apply(x, "ab"), 0);
	x->f.info = (struct knp_info){ .abi = KNP_ABI_VERSION, .instance = 78 };
	x->f.held->classes.n = 0;

	assert_int_equal(apply(x, "ab"), 0);
	assert_string_equal(x->f.log, "irbpca");
	assert_held(x, "ab");
	assert_int_equal(x->res.instance, 78);
}

/* Of two families one was detached, and knpd was started anew. */
static void a_family_that_is_missing_is_attached(void **state)
{
	struct fixture *x = *state;

	x->f.info.families = KNP_FAMILY_IPV4;
	assert_int_equal(apply(x, "a"), 0);
	assert_int_equal(x->f.info.families, KNP_FAMILY_ALL);
}

/* The new instance can have reached our generation through somebody else. */
static void reload_at_our_generation_is_noticed(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(apply(x, "ab"), 0);
	x->f.info.instance = 78;
	x->f.held->classes.n = 0;

	assert_int_equal(apply(x, "ab"), 0);
	assert_held(x, "ab");
}

static void stale_generation_is_read_and_tried_again(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(apply(x, "a"), 0);
	x->f.fail = 'b';
	x->f.error = -ESTALE;
	x->f.times = 1;
	assert_int_equal(apply(x, "ab"), 0);
	assert_string_equal(x->f.log, "ibirbpc");
	assert_held(x, "ab");
}

static void busy_is_tried_again_and_then_reported(void **state)
{
	struct fixture *x = *state;

	x->f.fail = 'b';
	x->f.error = -EBUSY;
	x->f.times = 2;
	assert_int_equal(apply(x, "a"), 0);
	assert_held(x, "a");

	x->f.times = -1;
	assert_int_equal(apply(x, "ab"), -EBUSY);
	assert_null(knp_push_mirror(x->push));
	assert_held(x, "a");
}

/* Whatever fails: the error says where, and what is known is forgotten. */
static void fails_at(struct fixture *x, char letter, const char *words)
{
	size_t held = x->f.held->classes.n;

	x->f.fail = letter;
	x->f.error = -ENOMEM;
	x->f.times = 1;
	assert_int_equal(apply(x, "bc"), -ENOMEM);
	assert_null(knp_push_mirror(x->push));
	assert_non_null(strstr(knp_push_error(x->push), words));
	assert_non_null(strstr(knp_push_error(x->push), "the kernel's words"));
	assert_int_equal(x->f.held->classes.n, held);

	assert_int_equal(apply(x, "bc"), 0);
	assert_non_null(strchr(x->f.log, 'r'));
	assert_string_equal(knp_push_error(x->push), "");
	assert_held(x, "bc");
}

static void failure_of_info(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(apply(x, "ab"), 0);
	fails_at(x, 'i', "info");
}

static void failure_of_read(void **state)
{
	fails_at(*state, 'r', "read");
}

static void failure_of_begin(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(apply(x, "ab"), 0);
	fails_at(x, 'b', "begin");
}

static void failure_of_put_aborts(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(apply(x, "ab"), 0);
	x->f.fail = 'p';
	x->f.error = -E2BIG;
	x->f.times = 1;
	assert_int_equal(apply(x, "bc"), -E2BIG);
	assert_string_equal(x->f.log, "ibpx");
	assert_non_null(strstr(knp_push_error(x->push), "put classes"));
	assert_null(knp_push_mirror(x->push));
}

static void failure_of_commit(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(apply(x, "ab"), 0);
	fails_at(x, 'c', "commit");
}

static void failure_of_attach_is_tried_again(void **state)
{
	struct fixture *x = *state;

	x->f.fail = 'a';
	x->f.error = -EOPNOTSUPP;
	x->f.times = 1;
	assert_int_equal(apply(x, "ab"), -EOPNOTSUPP);
	assert_non_null(strstr(knp_push_error(x->push), "attach"));

	assert_int_equal(apply(x, "ab"), 0);
	assert_string_equal(x->f.log, "ira");
	assert_int_equal(x->f.info.families, KNP_FAMILY_ALL);
}

static void operator_who_detaches_is_not_overruled(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(apply(x, "a"), 0);
	x->f.info.families = 0;
	assert_int_equal(apply(x, "ab"), 0);
	assert_string_equal(x->f.log, "ibpc");
	assert_int_equal(x->f.info.families, 0);
}

static void audit_holds_before_the_first_hook(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(apply(x, "a"), 0);
	assert_string_equal(x->f.log, "irmbpca");
	assert_int_equal(x->f.info.mode, KNP_MODE_AUDIT);

	assert_int_equal(apply(x, "b"), 0);
	assert_null(strchr(x->f.log, 'm'));
}

static void enforce_waits_for_the_new_tables(void **state)
{
	struct fixture *x = *state;

	x->f.info.mode = KNP_MODE_AUDIT;
	assert_int_equal(apply(x, "a"), 0);
	assert_string_equal(x->f.log, "irbpcma");
	assert_int_equal(x->f.info.mode, KNP_MODE_ENFORCE);
}

static void drop_of_the_unknown_waits_for_the_new_tables(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(apply(x, "a"), 0);
	assert_string_equal(x->f.log, "irbpcua");
	assert_int_equal(x->f.info.unknown_local, KNP_DROP);

	/* An operator who says otherwise is not overruled. */
	x->f.info.unknown_local = KNP_PASS;
	assert_int_equal(apply(x, "ab"), 0);
	assert_null(strchr(x->f.log, 'u'));
	assert_int_equal(x->f.info.unknown_local, KNP_PASS);
}

static void pass_of_the_unknown_does_not_wait(void **state)
{
	struct fixture *x = *state;

	x->f.info.unknown_local = KNP_DROP;
	assert_int_equal(apply(x, "a"), 0);
	assert_string_equal(x->f.log, "irubpca");
	assert_int_equal(x->f.info.unknown_local, KNP_PASS);
}

static void switches_are_set_where_they_differ(void **state)
{
	static const struct knp_node_allows allow = {
		.n = 1, .v = { { .proto = IPPROTO_TCP, .port = 10250 } },
	};
	const struct knp_push_options options = {
		.families = KNP_FAMILY_ALL, .mode = -1, .unknown_local = -1,
		.node_egress = KNP_DROP, .lb_probes = -1, .node_allow = &allow,
	};
	struct fixture *x = *state;

	knp_push_free(x->push);
	assert_int_equal(knp_push_new(&ops, &options, &x->push), 0);
	x->f.info.lb_probes = KNP_PASS;
	assert_int_equal(apply(x, "a"), 0);
	assert_non_null(strchr(x->f.log, 's'));
	assert_int_equal(x->f.info.node_egress, KNP_DROP);
	assert_int_equal(x->f.info.lb_probes, KNP_PASS);
	assert_int_equal(x->f.info.node_allow.n, 1);
	assert_int_equal(x->f.info.node_allow.v[0].port, 10250);

	/* After a restart there is nothing to set. */
	knp_push_free(x->push);
	assert_int_equal(knp_push_new(&ops, &options, &x->push), 0);
	assert_int_equal(apply(x, "a"), 0);
	assert_null(strchr(x->f.log, 's'));

	/* One port more is another list. */
	x->f.info.node_allow.v[0].port = 10255;
	knp_push_free(x->push);
	assert_int_equal(knp_push_new(&ops, &options, &x->push), 0);
	assert_int_equal(apply(x, "a"), 0);
	assert_non_null(strchr(x->f.log, 's'));
	assert_int_equal(x->f.info.node_allow.v[0].port, 10250);
}

static int apply_unheld(struct fixture *x, const char *tags)
{
	struct knp_ruleset *rs = ruleset(tags);

	rs->unheld = 1;
	x->f.log[0] = '\0';
	return knp_push_apply(x->push, &x->f, rs, &x->res);
}

/* Set up or not, and with pass wanted: before the tables, and with each. */
static void what_is_not_held_is_closed_before_the_tables(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(apply_unheld(x, "a"), 0);
	assert_string_equal(x->f.log, "irubpca");
	assert_int_equal(x->f.info.unknown_local, KNP_DROP);
	x->f.info.unknown_local = KNP_PASS;
	assert_int_equal(apply_unheld(x, "ab"), 0);
	assert_string_equal(x->f.log, "iubpc");
	assert_int_equal(x->f.info.unknown_local, KNP_DROP);
	/* Nothing opens it again. */
	assert_int_equal(apply(x, "a"), 0);
	assert_null(strchr(x->f.log, 'u'));
	assert_int_equal(x->f.info.unknown_local, KNP_DROP);
}

static void what_cannot_be_closed_is_not_committed(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(apply(x, "a"), 0);
	x->f.fail = 'u';
	x->f.error = -ENOMEM;
	x->f.times = 1;
	assert_int_equal(apply_unheld(x, "ab"), -ENOMEM);
	assert_held(x, "a");
	assert_non_null(strstr(knp_push_error(x->push), "set unknown-local"));
	assert_int_equal(apply_unheld(x, "ab"), 0);
	assert_held(x, "ab");
}

#define T(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(fresh_module_gets_tables_before_hooks),
		T(fresh_module_gets_a_generation_even_if_empty),
		T(no_change_writes_nothing),
		T(restart_adopts_and_writes_nothing),
		T(difference_only_is_sent),
		T(foreign_commit_makes_it_read_again),
		T(reloaded_module_is_filled_and_attached),
		T(a_family_that_is_missing_is_attached),
		T(reload_at_our_generation_is_noticed),
		T(stale_generation_is_read_and_tried_again),
		T(busy_is_tried_again_and_then_reported),
		T(failure_of_info),
		T(failure_of_read),
		T(failure_of_begin),
		T(failure_of_put_aborts),
		T(failure_of_commit),
		T(failure_of_attach_is_tried_again),
		T(operator_who_detaches_is_not_overruled),
		cmocka_unit_test_setup_teardown(audit_holds_before_the_first_hook,
						setup_audit, teardown),
		cmocka_unit_test_setup_teardown(enforce_waits_for_the_new_tables,
						setup_enforce, teardown),
		cmocka_unit_test_setup_teardown(drop_of_the_unknown_waits_for_the_new_tables,
						setup_drop, teardown),
		cmocka_unit_test_setup_teardown(pass_of_the_unknown_does_not_wait,
						setup_pass, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_held_is_closed_before_the_tables,
						setup_pass, teardown),
		T(what_cannot_be_closed_is_not_committed),
		T(switches_are_set_where_they_differ),
	};

	return cmocka_run_group_tests_name("push", tests, NULL, NULL);
}
