// SPDX-License-Identifier: Apache-2.0
/*
 * When knpd restores and when it has the file written. The program is linked with
 * --wrap for what talks to the module and to the disk: the calls are noted, and
 * fail as told.
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

#include "genl.h"
#include "keeper.h"
#include "restore.h"
#include "saver.h"

#define WATCH	((struct knp_watch *)&w)

int __wrap_knp_genl_open(struct knp_genl **ret);
void __wrap_knp_genl_close(struct knp_genl *g);
int __wrap_knp_watch_join(struct knp_watch *watch, const char *group);
int __wrap_knp_restore(const struct knp_push_ops *ops, void *ctx,
		       const struct knp_restore_from *from,
		       struct knp_restored *ret);
int __wrap_knp_saver_open(struct event_base *base,
			  const struct knp_saver_options *options,
			  void (*told)(void *arg), void *arg,
			  struct knp_saver **ret);
void __wrap_knp_saver_touch(struct knp_saver *s);
void __wrap_knp_saver_close(struct knp_saver *s);

/**
 * struct world - the module and the saver
 * @k: what is tested
 * @log: a letter per call: o(pen the module) j(oin) r(estore) c(lose it) t(ouch)
 * @fail: the call that fails, by its letter
 * @error: with what
 * @told: how often there was something new to say
 */
static struct world {
	struct knp_keeper *k;
	char log[32];
	char fail;
	int error;
	int told;
} w;

static int called(char letter)
{
	size_t n = strlen(w.log);

	assert_true(n < sizeof(w.log) - 1);
	w.log[n] = letter;
	return w.fail == letter ? w.error : 0;
}

int __wrap_knp_genl_open(struct knp_genl **ret)
{
	*ret = NULL;
	return called('o');
}

void __wrap_knp_genl_close(struct knp_genl *g)
{
	assert_null(g);
	called('c');
}

int __wrap_knp_watch_join(struct knp_watch *watch, const char *group)
{
	assert_ptr_equal(watch, WATCH);
	assert_string_equal(group, KNP_MCGRP_COMMITS);
	return called('j');
}

int __wrap_knp_restore(const struct knp_push_ops *ops, void *ctx,
		       const struct knp_restore_from *from,
		       struct knp_restored *ret)
{
	assert_ptr_equal(ops, &knp_push_netlink);
	assert_null(ctx);
	assert_string_equal(from->path, "/state");
	assert_string_equal(from->node, "n");
	assert_int_equal(from->families, KNP_FAMILY_IPV4);
	*ret = (struct knp_restored){ .end = KNP_RESTORE_WHOLE };
	snprintf(ret->text, sizeof(ret->text), "words");
	return called('r');
}

int __wrap_knp_saver_open(struct event_base *base,
			  const struct knp_saver_options *options,
			  void (*told)(void *arg), void *arg,
			  struct knp_saver **ret)
{
	(void)base;
	(void)told;
	(void)arg;
	assert_string_equal(options->path, "/state");
	*ret = NULL;
	return 0;
}

void __wrap_knp_saver_touch(struct knp_saver *s)
{
	assert_null(s);
	called('t');
}

void __wrap_knp_saver_close(struct knp_saver *s)
{
	assert_null(s);
}

static void on_told(void *arg)
{
	(void)arg;
	w.told++;
}

static int setup(void **state)
{
	const struct knp_keeper_options options = {
		.path = "/state",
		.node = "n",
		.families = KNP_FAMILY_IPV4,
		.watch = WATCH,
	};

	(void)state;
	w = (struct world){ 0 };
	return knp_keeper_open(NULL, &options, on_told, NULL, &w.k);
}

static int teardown(void **state)
{
	(void)state;
	knp_keeper_close(w.k);
	return 0;
}

/* What one try does. */
static void restores(int err, const char *log)
{
	memset(w.log, 0, sizeof(w.log));
	assert_int_equal(knp_keeper_restore(w.k), err);
	assert_string_equal(w.log, log);
}

static void test_restored_once_per_module(void **state)
{
	(void)state;
	restores(0, "ojrct");
	assert_int_equal(w.told, 1);
	restores(0, "");
	knp_keeper_loaded(w.k);
	restores(0, "ojrct");
	restores(0, "");
}

static void test_what_failed_is_tried_again(void **state)
{
	(void)state;
	w.fail = 'r';
	w.error = -EPERM;
	restores(-EPERM, "ojrc");
	assert_string_equal(knp_keeper_error(w.k), "words");
	w.fail = 0;
	restores(0, "ojrct");
}

/* Before it is restored, what is there is not what is to be kept. */
static void test_nothing_is_saved_before_it_is_restored(void **state)
{
	(void)state;
	assert_string_equal(w.log, "");
	w.fail = 'r';
	w.error = -ENOMEM;
	restores(-ENOMEM, "ojrc");
	w.fail = 0;
	restores(0, "ojrct");
}

/* That is no failure, and it is restored when it comes. */
static void test_without_a_module(void **state)
{
	(void)state;
	w.fail = 'o';
	w.error = -ENOENT;
	restores(0, "o");
	assert_int_equal(w.told, 0);
	w.fail = 0;
	restores(0, "ojrct");
}

/* Else what an operator changes, while no list is complete, would not be kept. */
static void test_not_restored_before_others_are_heard(void **state)
{
	(void)state;
	w.fail = 'j';
	w.error = -ENOMEM;
	restores(-ENOMEM, "ojc");
	/* It went in between. */
	w.error = -ENOENT;
	restores(0, "ojc");
	w.fail = 0;
	restores(0, "ojrct");
}

/* A module that cannot be asked is not one that is not there. */
static void test_a_module_that_cannot_be_asked(void **state)
{
	static const int errors[] = {
		-ENOMEM, -ETIMEDOUT, -EPERM, -EPROTONOSUPPORT,
	};

	(void)state;
	w.fail = 'o';
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		w.error = errors[i];
		restores(errors[i], "o");
		assert_string_equal(knp_keeper_error(w.k),
				    knp_genl_advice(errors[i]));
	}
	w.fail = 0;
	restores(0, "ojrct");
}

static void test_none(void **state)
{
	(void)state;
	knp_keeper_loaded(NULL);
	assert_int_equal(knp_keeper_restore(NULL), 0);
	assert_string_equal(knp_keeper_error(NULL), "");
	knp_keeper_touch(NULL);
	knp_keeper_close(NULL);
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_restored_once_per_module),
		TEST(test_what_failed_is_tried_again),
		TEST(test_nothing_is_saved_before_it_is_restored),
		TEST(test_without_a_module),
		TEST(test_not_restored_before_others_are_heard),
		TEST(test_a_module_that_cannot_be_asked),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
