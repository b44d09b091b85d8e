// SPDX-License-Identifier: Apache-2.0
/*
 * Lists of one resource, with initial events and in pages, without server or
 * clock. The comments name the tests of client-go's reflector and pager that a
 * test here stands for.
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

#include "reflect_world.h"

/* ---- WatchList --------------------------------------------------------------- */

/* TestWatchList: empty RV */
static void initial_events_replace_the_store_at_the_bookmark(void **state)
{
	(void)state;
	world_names_add(&world.store, "o");
	world_ask();
	assert_asked("/api/v1/pods?watch=1&");
	assert_asked("sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
	assert_asked("allowWatchBookmarks=true");
	assert_asked("status.phase%21%3DSucceeded%2Cstatus.phase%21%3DFailed");
	assert_not_asked("&resourceVersion=");
	world_answered();
	assert_int_equal(knp_reflect_state(&world.r), KNP_STATE_LISTING);
	world_added("a", "5");
	world_added("b", "3");
	world_assert_store("o");
	assert_false(world_bookmark("9", true));
	world_assert_store("ab");
	assert_string_equal(world.r.version, "9");
	assert_int_equal(knp_reflect_state(&world.r), KNP_STATE_WATCHING);
	/* The same stream goes on. */
	world_added("c", "10");
	world_assert_store("abc");
	assert_string_equal(world.r.version, "10");
}

/* TestWatchList: bookmark without the annotation, or another value */
static void a_plain_bookmark_does_not_end_the_initial_events(void **state)
{
	(void)state;
	world_ask();
	world_answered();
	world_added("a", "5");
	assert_false(world_bookmark("6", false));
	assert_false(world.r.synced);
	world_assert_store("");
	world_end(KNP_END_CUT);
	assert_int_equal(world.aborts, 1);
	assert_false(world.r.synced);
}

/* TestWatchList: updates and deletes during the initial stream */
static void initial_events_may_delete(void **state)
{
	(void)state;
	world_ask();
	world_answered();
	world_added("a", "5");
	world_added("b", "6");
	world_event(KNP_EVENT_DELETED, "a", "7");
	world_event(KNP_EVENT_MODIFIED, "b", "8");
	world_bookmark("8", true);
	world_assert_store("b");
}

/* TestWatchList: closed before sync */
static void an_early_end_discards_and_asks_again(void **state)
{
	(void)state;
	world_ask();
	world_answered();
	world_added("a", "5");
	world.now += 2000;
	world_end(KNP_END_CLEAN);
	assert_int_equal(world.aborts, 1);
	assert_true(world_ask() > 0);
	assert_asked("sendInitialEvents=true");
	world_answered();
	world_added("b", "5");
	world_bookmark("9", true);
	world_assert_store("b");
}

static void a_server_that_never_ends_the_initial_events_is_listed(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		world_ask();
		assert_asked("sendInitialEvents=true");
		world_answered();
		world_added("a", "5");
		world.now = knp_reflect_due(&world.r);
		assert_true(knp_reflect_tick(&world.r, world.now));
		world_end(KNP_END_IDLE);
	}
	world_ask();
	assert_asked("limit=500");
}

/* TestWatchList: closed after sync */
static void after_the_initial_events_the_watch_is_resumed(void **state)
{
	(void)state;
	world_sync_by_watchlist("9");
	world.now += 400000;
	world_end(KNP_END_CLEAN);
	assert_int_equal(world_ask(), 0);
	assert_asked("watch=1&");
	assert_asked("resourceVersion=9");
	assert_not_asked("sendInitialEvents");
}

/* TestWatchList: server rejects, feature off */
static void what_is_not_offered_is_not_asked_again(void **state)
{
	static const int codes[] = { 400, 404, 405, 422 };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		world_setup(NULL);
		world_ask();
		world_refuse(codes[i], 0);
		assert_int_equal(world_ask(), 0);
		assert_asked("limit=500");
		world_page("a", "9", NULL);
		world_ask();
		world_refuse(410, 0);
		world_ask();
		assert_not_asked("watch=1");
		knp_reflect_clear(&world.r);
	}
}

static void a_refusal_in_the_initial_events_falls_back(void **state)
{
	(void)state;
	world_ask();
	world_answered();
	world_added("a", "5");
	assert_true(world_error(400, "BadRequest"));
	assert_int_equal(world.aborts, 1);
	world_ask();
	assert_asked("limit=500");
}

/* TestWatchList: 429 retried */
static void what_may_pass_is_retried(void **state)
{
	static const int codes[] = { 401, 403, 429, 500, 503, 504 };

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		world_setup(NULL);
		world_ask();
		world_refuse(codes[i], 0);
		assert_true(world_ask() >= 800);
		assert_asked("sendInitialEvents=true");
		knp_reflect_clear(&world.r);
	}
}

static void telling_it_to_list_asks_for_initial_events_again(void **state)
{
	(void)state;
	world_sync_by_list("9");
	knp_reflect_relist(&world.r, world.now);
	assert_int_equal(world_ask(), 0);
	assert_asked("sendInitialEvents=true");
	assert_asked("resourceVersion=9");
	/* While it runs, too; the list at hand is dropped. */
	world_answered();
	world_added("z", "5");
	knp_reflect_relist(&world.r, world.now);
	world_ask();
	world_answered();
	world_bookmark("10", true);
	world_assert_store("");
}

/* ---- lists -------------------------------------------------------------------- */

/* TestPager: one, two, three pages; RV only on page 1 */
static void pages_are_joined(void **state)
{
	(void)state;
	world_ask();
	world_refuse(422, 0);
	world_ask();
	assert_asked("limit=500");
	assert_not_asked("resourceVersion");
	world_page("ab", "9", "t/1+=");
	world_assert_store("");
	assert_int_equal(world_ask(), 0);
	assert_asked("continue=t%2F1%2B%3D");
	assert_asked("fieldSelector=");
	world_page("c", "9", "t2");
	world_ask();
	assert_asked("continue=t2");
	world_page("d", "9", NULL);
	world_assert_store("abcd");
	assert_int_equal(world.commits, 1);
	assert_int_equal(world_ask(), 0);
	assert_asked("watch=1");
	assert_asked("resourceVersion=9");
}

/* TestPager: empty */
static void an_empty_list_empties_the_store(void **state)
{
	(void)state;
	world_names_add(&world.store, "o");
	world_ask();
	world_refuse(422, 0);
	world_ask();
	world_page("", "9", NULL);
	world_assert_store("");
	assert_true(world.r.synced);
}

/* TestReflectorFullListIfExpired, TestPager: expires on page 2 */
static void a_token_that_expires_leads_to_one_whole_list(void **state)
{
	(void)state;
	world_ask();
	world_refuse(422, 0);
	world_ask();
	world_page("ab", "9", "t1");
	world_ask();
	assert_int_equal(world.aborts, 1);
	world_refuse(410, 0);
	assert_int_equal(world.aborts, 2);
	assert_int_equal(world_ask(), 0);
	assert_asked("limit=0");
	assert_not_asked("continue");
	assert_not_asked("resourceVersion");
	world_page("c", "12", NULL);
	world_assert_store("c");
}

/* TestPager: expires on page 1 */
static void a_first_page_that_expires_is_a_failure(void **state)
{
	(void)state;
	world_ask();
	world_refuse(422, 0);
	world_ask();
	world_refuse(410, 0);
	assert_true(world_ask() >= 800);
	assert_asked("limit=500");
	assert_false(world.r.synced);
}

static void a_failed_page_starts_the_list_anew(void **state)
{
	(void)state;
	world_ask();
	world_refuse(422, 0);
	world_ask();
	world_page("ab", "9", "t1");
	world_ask();
	world_end(KNP_END_CUT);
	world_assert_store("");
	assert_int_equal(world.aborts, 2);
	world_ask();
	assert_not_asked("continue");
	world_page("z", "10", NULL);
	world_assert_store("z");
}

static void pages_of_two_versions_are_not_joined(void **state)
{
	(void)state;
	world_ask();
	world_refuse(422, 0);
	world_ask();
	world_page("ab", "9", "t1");
	world_ask();
	world_page("c", "10", NULL);
	world_assert_store("");
	assert_false(world.r.synced);
	assert_true(world_ask() > 0);
	assert_not_asked("continue");
}

/* TestRetryWatcher: empty RV / "0" rejected */
static void a_list_without_a_version_is_none(void **state)
{
	static const char *const bad[] = { "", "0" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		world_setup(NULL);
		world_ask();
		world_refuse(422, 0);
		world_ask();
		world_page("a", bad[i], NULL);
		assert_false(world.r.synced);
		world_assert_store("");
		assert_true(world_ask() > 0);
		knp_reflect_clear(&world.r);
	}
}

/* TestReflectorRelistWithLastSync; but in pages, unlike there: see the code */
static void a_relist_asks_for_at_least_the_last_version(void **state)
{
	(void)state;
	world_sync_by_list("9");
	world_added("b", "17");
	assert_true(world_error(410, "Expired"));
	world_ask();
	assert_asked("limit=500");
	assert_asked("resourceVersion=17");
	assert_asked("resourceVersionMatch=NotOlderThan");
	world_page("y", "20", "t");
	world_ask();
	assert_asked("limit=500");
	assert_asked("continue=t");
	assert_not_asked("resourceVersion");
	world_assert_store("ab");
	world_page("z", "20", NULL);
	world_assert_store("yz");
	assert_int_equal(world.r.relists[KNP_RELIST_EXPIRED], 1);
}

/* TestReflectorExpiredExactResourceVersion */
static void a_relist_that_expires_asks_for_the_newest(void **state)
{
	(void)state;
	world_sync_by_list("9");
	world_error(410, "Gone");
	world_ask();
	assert_asked("resourceVersion=9");
	world_refuse(410, 0);
	assert_int_equal(world_ask(), 0);
	assert_not_asked("resourceVersion");
	assert_asked("limit=500");
	world_assert_store("a");
}

/* TestReflectorFullListIfTooLarge */
static void a_server_that_lags_is_asked_for_its_newest(void **state)
{
	(void)state;
	world_sync_by_list("9");
	world_error(410, "Gone");
	world_ask();
	world_too_large();
	assert_int_equal(world_ask(), 0);
	assert_not_asked("resourceVersion");
	world_page("z", "5", NULL);
	world_assert_store("z");
	assert_string_equal(world.r.version, "5");
}

static void a_watch_of_a_server_that_lags_leads_to_a_list(void **state)
{
	(void)state;
	world_sync_by_watchlist("9");
	world.now += 60000;
	world_end(KNP_END_CUT);
	world_ask();
	world_too_large();
	world_ask();
	assert_asked("sendInitialEvents=true");
	assert_not_asked("&resourceVersion=");
	assert_int_equal(world.r.relists[KNP_RELIST_TOO_LARGE], 1);
}

static void a_list_older_than_what_was_seen_is_not_taken(void **state)
{
	(void)state;
	world_sync_by_list("1000");
	world_error(410, "Gone");
	world_ask();
	assert_asked("resourceVersion=1000");
	world_page("z", "999", NULL);
	world_assert_store("a");
	assert_int_equal(world.r.relists[KNP_RELIST_BACKWARDS], 1);
	world_ask();
	assert_not_asked("resourceVersion");
	world_page("z", "999", NULL);
	world_assert_store("z");
}

static void lists_in_quick_succession_wait_longer_each_time(void **state)
{
	int64_t last = 0;

	(void)state;
	world_sync_by_list("9");
	for (int i = 0; i < 5; i++) {
		int64_t waited;

		world_error(410, "Gone");
		waited = world_ask();
		assert_true(waited >= 2 * last);
		last = waited;
		world_page("a", "9", NULL);
		world_ask();
		world_answered();
	}
	assert_true(last >= 800 * 16);
}

#define t(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		t(initial_events_replace_the_store_at_the_bookmark),
		t(a_plain_bookmark_does_not_end_the_initial_events),
		t(initial_events_may_delete),
		t(an_early_end_discards_and_asks_again),
		t(a_server_that_never_ends_the_initial_events_is_listed),
		t(after_the_initial_events_the_watch_is_resumed),
		t(what_is_not_offered_is_not_asked_again),
		t(a_refusal_in_the_initial_events_falls_back),
		t(what_may_pass_is_retried),
		t(telling_it_to_list_asks_for_initial_events_again),
		t(pages_are_joined),
		t(an_empty_list_empties_the_store),
		t(a_token_that_expires_leads_to_one_whole_list),
		t(a_first_page_that_expires_is_a_failure),
		t(a_failed_page_starts_the_list_anew),
		t(pages_of_two_versions_are_not_joined),
		t(a_list_without_a_version_is_none),
		t(a_relist_asks_for_at_least_the_last_version),
		t(a_relist_that_expires_asks_for_the_newest),
		t(a_server_that_lags_is_asked_for_its_newest),
		t(a_watch_of_a_server_that_lags_leads_to_a_list),
		t(a_list_older_than_what_was_seen_is_not_taken),
		t(lists_in_quick_succession_wait_longer_each_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
