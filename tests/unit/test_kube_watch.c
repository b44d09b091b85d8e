// SPDX-License-Identifier: Apache-2.0
/*
 * Watches of one resource: what ends them, how they go on, when it is asked
 * again; without server or clock. The comments name the tests of client-go's
 * reflector and retry watcher that a test here stands for.
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

#define HOUR	(3600 * 1000LL)

/* ---- watches --------------------------------------------------------------------- */

/* TestReflectorWatch: timeoutSeconds within 5 to 10 minutes */
static void a_watch_has_a_time_limit(void **state)
{
	(void)state;
	world_sync_by_list("9");
	assert_asked("timeoutSeconds=300");
	assert_asked("allowWatchBookmarks=true");
	world.now += 400000;
	world.random = UINT32_MAX;
	world_end(KNP_END_CLEAN);
	world_ask();
	assert_asked("timeoutSeconds=599");
	world.now += 599000 + 29000;
	assert_false(knp_reflect_tick(&world.r, world.now));
	world.now += 1000;
	assert_true(knp_reflect_tick(&world.r, world.now));
}

/* TestRetryWatcher: survives closes with (non)consecutive RVs */
static void a_watch_that_ends_is_resumed_at_the_last_version(void **state)
{
	static const char *const versions[] = { "10", "12", "13", "99" };
	char want[64];

	(void)state;
	world_sync_by_list("9");
	for (size_t i = 0; i < 4; i++) {
		world_answered();
		world_added("b", versions[i]);
		world.now += 5000;
		world_end(KNP_END_CLEAN);
		assert_int_equal(world_ask(), 0);
		snprintf(want, sizeof(want), "resourceVersion=%s", versions[i]);
		assert_asked(want);
	}
	assert_int_equal(world.r.endings[KNP_END_CLEAN], 4);
	assert_int_equal(world.commits, 1);
}

/* VeryShortWatchError */
static void a_watch_that_ends_at_once_is_a_failure(void **state)
{
	(void)state;
	world_sync_by_list("9");
	for (int i = 0; i < 6; i++) {
		int64_t want = 800LL << i;

		world_answered();
		world.now += 100;
		world_end(KNP_END_CLEAN);
		assert_int_equal(world_ask(), want < 30000 ? want : 30000);
		assert_asked("resourceVersion=9");
	}
}

static void no_end_makes_it_ask_more_than_once_a_second(void **state)
{
	char version[16];
	int64_t start;
	int n = 0;

	(void)state;
	world_sync_by_list("9");
	start = world.now;
	for (; world.now - start < 100000; n++) {
		world_answered();
		snprintf(version, sizeof(version), "%d", 10 + n);
		world_added("b", version);
		world_end(n % 2 ? KNP_END_CLEAN : KNP_END_CUT);
		world_ask();
	}
	assert_true(n <= 126);
}

/* TestReflectorRetry429: 429 causes no relist */
static void too_many_requests_cause_no_list(void **state)
{
	(void)state;
	world_sync_by_list("9");
	world_added("b", "12");
	assert_true(world_error(429, "TooManyRequests"));
	for (int i = 0; i < 20; i++) {
		assert_true(world_ask() >= 800);
		assert_asked("watch=1");
		assert_asked("resourceVersion=12");
		world_refuse(429, 0);
	}
	assert_int_equal(world.commits, 1);
}

/* TestReflectorConnectionRefused x5, x40 */
static void a_refused_connection_backs_off_and_resumes(void **state)
{
	int64_t want = 800;

	(void)state;
	world_sync_by_list("9");
	world_end(KNP_END_REFUSED);
	for (int i = 0; i < 40; i++) {
		assert_int_equal(world_ask(), want);
		assert_asked("resourceVersion=9");
		world_end(KNP_END_REFUSED);
		want = want * 2 < 30000 ? want * 2 : 30000;
	}
	assert_int_equal(world.commits, 1);
	world_assert_store("a");
}

/* TestReflectorInternalErrorRetry: all fail, one succeeds in time */
static void an_internal_error_leads_to_a_list_after_a_minute(void **state)
{
	int64_t start;

	(void)state;
	world_sync_by_list("9");
	start = world.now;
	assert_true(world_error(500, "InternalError"));
	while (world_ask(), world_asked("watch=1")) {
		/* The one that finds the minute over waits 25.6 s at most. */
		assert_true(world.now - start < 90000);
		world_refuse(500, 0);
	}
	assert_true(world.now - start >= 60000);
	assert_asked("resourceVersion=9");
	assert_int_equal(world.r.relists[KNP_RELIST_INTERNAL], 1);
}

static void an_internal_error_that_passes_leads_to_no_list(void **state)
{
	char version[16];

	(void)state;
	world_sync_by_list("9");
	world_error(500, "InternalError");
	for (int i = 0; i < 10; i++) {
		world_ask();
		assert_asked("watch=1");
		world_answered();
		snprintf(version, sizeof(version), "%d", 20 + i);
		assert_false(world_added("b", version));
		world.now += 59000;
		assert_true(world_error(500, "InternalError"));
	}
	assert_int_equal(world.r.relists[KNP_RELIST_INTERNAL], 0);
}

static void a_server_that_is_unavailable_is_not_listed(void **state)
{
	(void)state;
	world_sync_by_list("9");
	for (int i = 0; i < 30; i++) {
		world_refuse(i % 2 ? 503 : 502, 0);
		world_ask();
		assert_asked("watch=1");
	}
}

/* TestRetryWatcher: unknown code */
static void another_refusal_of_a_watch_leads_to_a_list(void **state)
{
	(void)state;
	world_sync_by_list("9");
	world_refuse(400, 0);
	assert_true(world_ask() >= 800);
	assert_not_asked("watch=1");
	assert_int_equal(world.r.relists[KNP_RELIST_REFUSED], 1);
}

static void a_right_that_is_missing_keeps_what_is_there(void **state)
{
	char buf[256];
	int64_t since;

	(void)state;
	world_sync_by_list("9");
	world_refuse(403, 0);
	assert_string_equal(knp_reflect_waiting(&world.r, buf, sizeof(buf), &since),
			    "pods: 403 forbidden: knpd may not watch pods (missing from its ClusterRole?)");
	for (int i = 0; i < 10; i++) {
		world_ask();
		assert_asked("resourceVersion=9");
		world_refuse(403, 0);
	}
	world_assert_store("a");
}

static void another_token_is_tried_at_once(void **state)
{
	struct knp_ending ending = {
		.how = KNP_END_STATUS, .status.code = 401, .new_token = true,
	};

	(void)state;
	world_sync_by_list("9");
	knp_reflect_end(&world.r, world.now, &ending);
	assert_int_equal(world_ask(), 0);
	ending.new_token = false;
	knp_reflect_end(&world.r, world.now, &ending);
	assert_true(world_ask() >= 800);
}

/* TestRetryWatcher: skips events with RV <= last */
static void an_event_that_comes_twice_is_taken_once(void **state)
{
	(void)state;
	world_sync_by_list("9");
	world_event(KNP_EVENT_DELETED, "a", "12");
	assert_false(world_event(KNP_EVENT_MODIFIED, "a", "12"));
	world_assert_store("");
}

static void a_version_that_goes_back_leads_to_a_list_of_the_newest(void **state)
{
	(void)state;
	world_sync_by_list("100");
	assert_true(world_event(KNP_EVENT_MODIFIED, "b", "99"));
	world_assert_store("a");
	world_ask();
	assert_not_asked("resourceVersion");
	world_page("z", "99", NULL);
	world.now += 60000;
	world_ask();
	world_answered();
	assert_true(world_bookmark("98", false));
	assert_int_equal(world.r.relists[KNP_RELIST_BACKWARDS], 2);
}

static void versions_compare_as_numbers_of_any_length(void **state)
{
	static const char *const ordered[] = {
		"1", "9", "10", "99", "100", "18446744073709551615",
		"18446744073709551616", "99999999999999999999999999999999",
	};
	static const char *const others[] = { "", "0", "01", "1a", "-1", " 1" };
	int cmp;

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		for (size_t j = 0; j < 8; j++) {
			assert_true(knp_version_compare(ordered[i], ordered[j],
							&cmp));
			assert_int_equal((cmp > 0) - (cmp < 0),
					 (i > j) - (i < j));
		}
	}
	for (size_t i = 0; i < 6; i++) {
		assert_false(knp_version_compare(others[i], "5", &cmp));
		assert_false(knp_version_compare("5", others[i], &cmp));
	}
}

static void versions_that_are_no_numbers_are_taken_as_they_come(void **state)
{
	(void)state;
	world_sync_by_list("zz");
	assert_false(world_added("b", "aa"));
	world_assert_store("ab");
	assert_string_equal(world.r.version, "aa");
	assert_false(world_bookmark("a&b", false));
	world.now += 5000;
	world_end(KNP_END_CLEAN);
	world_ask();
	assert_asked("resourceVersion=a%26b");
}

static void a_bookmark_moves_the_version(void **state)
{
	(void)state;
	world_sync_by_list("9");
	assert_false(world_bookmark("50", false));
	world.now += 5000;
	world_end(KNP_END_CUT);
	world_ask();
	assert_asked("resourceVersion=50");
}

static void an_unknown_event_is_skipped(void **state)
{
	struct knp_kube_event e = { .type = KNP_EVENT_UNKNOWN };

	(void)state;
	world_sync_by_list("9");
	assert_false(knp_reflect_event(&world.r, world.now, &e));
	assert_int_equal(world.r.unknown, 1);
	assert_string_equal(world.r.version, "9");
}

static void a_malformed_event_is_asked_for_again(void **state)
{
	int64_t first;

	(void)state;
	world_sync_by_list("9");
	world_added("b", "10");
	world_end(KNP_END_BAD);
	first = world_ask();
	assert_asked("resourceVersion=10");
	assert_true(first >= 800);
	world_end(KNP_END_BAD);
	assert_true(world_ask() >= 2 * first);
	world_assert_store("ab");
}

static void out_of_memory_loses_no_event(void **state)
{
	(void)state;
	world_sync_by_list("9");
	world.fail = -ENOMEM;
	assert_true(world_added("b", "10"));
	world_assert_store("a");
	assert_true(world_ask() >= 800);
	assert_asked("resourceVersion=9");
}

static void out_of_memory_leaves_no_half_of_a_list(void **state)
{
	(void)state;
	world_ask();
	world_answered();
	world_added("a", "5");
	world.fail = -ENOMEM;
	assert_true(world_bookmark("9", true));
	assert_false(world.r.synced);
	world_assert_store("");
	world.now = knp_reflect_due(&world.r);
	world.fail = -ENOMEM;
	free(world.target);
	world.target = NULL;
	assert_int_equal(knp_reflect_request(&world.r, world.now, &world.target), -ENOMEM);
	assert_null(world.target);
	world_ask();
	world_answered();
	world_added("b", "5");
	world_bookmark("9", true);
	world_assert_store("b");
}

/* ---- silence ------------------------------------------------------------------------ */

static void silence_where_bookmarks_were_seen_is_cut(void **state)
{
	(void)state;
	world_sync_by_list("9");
	world.now += 100000;
	assert_false(knp_reflect_tick(&world.r, world.now));
	world_bookmark("10", false);
	world.now += KNP_IDLE_MS - 1;
	assert_false(knp_reflect_tick(&world.r, world.now));
	world.now++;
	assert_int_equal(knp_reflect_due(&world.r), world.now);
	assert_true(knp_reflect_tick(&world.r, world.now));
	world_end(KNP_END_IDLE);
	world_ask();
	assert_asked("resourceVersion=10");
}

static void bytes_without_an_event_are_silence(void **state)
{
	(void)state;
	world_sync_by_list("9");
	world_bookmark("10", false);
	for (int i = 0; i < KNP_IDLE_MS / 1000; i++) {
		assert_false(knp_reflect_tick(&world.r, world.now));
		world.now += 1000;
		knp_reflect_alive(&world.r, world.now);
	}
	assert_true(knp_reflect_tick(&world.r, world.now));
}

static void a_list_that_does_not_move_or_end_is_cut(void **state)
{
	int64_t start;

	(void)state;
	world_ask();
	world_refuse(422, 0);
	world_ask();
	start = world.now;
	world.now += 59999;
	assert_false(knp_reflect_tick(&world.r, world.now));
	knp_reflect_alive(&world.r, world.now);
	world.now += 60000;
	assert_true(knp_reflect_tick(&world.r, world.now));
	while (world.now - start < 300000) {
		knp_reflect_alive(&world.r, world.now);
		assert_true(knp_reflect_due(&world.r) - start <= 300000);
		world.now += 1000;
	}
	assert_true(knp_reflect_tick(&world.r, world.now));
}

static void what_cannot_be_read_twice_leads_to_a_list(void **state)
{
	(void)state;
	world_sync_by_list("9");
	world_end(KNP_END_BAD);
	world_ask();
	assert_asked("watch=1");
	world_end(KNP_END_BAD);
	world_ask();
	assert_not_asked("watch=1");
	assert_asked("resourceVersion=9");
	assert_int_equal(world.r.relists[KNP_RELIST_UNREADABLE], 1);
}

static void two_silent_watches_lead_to_a_list(void **state)
{
	(void)state;
	world_sync_by_list("9");
	world_bookmark("10", false);
	world.now += 400000;
	world_end(KNP_END_CLEAN);
	world_ask();
	assert_asked("watch=1");
	world.now += 400000;
	world_end(KNP_END_CLEAN);
	world_ask();
	assert_asked("watch=1");
	world.now += 400000;
	world_end(KNP_END_CLEAN);
	world_ask();
	assert_not_asked("watch=1");
	assert_asked("resourceVersion=10");
	assert_int_equal(world.r.relists[KNP_RELIST_SILENT], 1);
}

/* ---- time ------------------------------------------------------------------------------- */

static void the_first_request_is_spread(void **state)
{
	(void)state;
	world.random = UINT32_MAX / 2;
	knp_reflect_init(&world.r, KNP_KIND_POD, &world_ops, NULL, world.now, 5000);
	assert_in_range(knp_reflect_due(&world.r) - world.now, 2400, 2600);
	world.random = UINT32_MAX;
	knp_reflect_init(&world.r, KNP_KIND_POD, &world_ops, NULL, world.now, 5000);
	assert_in_range(knp_reflect_due(&world.r) - world.now, 4900, 5000);
}

static void retry_after_is_heeded_within_reason(void **state)
{
	(void)state;
	world_ask();
	world_refuse(429, 7);
	assert_int_equal(world_ask(), 7000);
	world_refuse(503, 1);
	assert_int_equal(world_ask(), 1600);
	world_refuse(429, 86400);
	assert_int_equal(world_ask(), 300000);
}

/* 8.9: the request log of an outage; the jitter is the shortest there is. */
static void eight_hours_without_a_server(void **state)
{
	int64_t steps[8] = { 0 };
	int64_t start;
	int ramp = 0, n = 0;
	char buf[256];
	int64_t since;
	double rate;

	(void)state;
	world_sync_by_watchlist("9");
	world.now += 60000;
	start = world.now;
	world_end(KNP_END_CUT);
	while (world.now - start < 8 * HOUR) {
		int64_t waited = world_ask();

		assert_asked("watch=1");
		assert_asked("resourceVersion=9");
		if (n < 8)
			steps[n] = waited;
		if (world.now - start < 60000)
			ramp++;
		n++;
		world_end(KNP_END_REFUSED);
	}
	rate = (double)(n - ramp) / ((8 * HOUR - 60000) / 1000.0);
	printf("# figure: 8 h without an API server: %d requests per resource, %d in the first minute, %.3f/s after it (shortest jitter)\n",
	       n, ramp, rate);
	printf("# figure: 8 h without an API server: steps %.1f %.1f %.1f %.1f %.1f %.1f %.1f %.1f s\n",
	       steps[0] / 1e3, steps[1] / 1e3, steps[2] / 1e3, steps[3] / 1e3,
	       steps[4] / 1e3, steps[5] / 1e3, steps[6] / 1e3, steps[7] / 1e3);
	assert_true(rate <= 1 / 30.0 + 0.001);
	assert_true(ramp <= 8);
	assert_non_null(knp_reflect_waiting(&world.r, buf, sizeof(buf), &since));
	assert_int_equal(since, start);
	world_assert_store("a");

	/* Back: the version has expired; the list is one request away. */
	world_ask();
	world_refuse(410, 0);
	assert_int_equal(world_ask(), 0);
	assert_asked("sendInitialEvents=true");
	world_answered();
	world_added("b", "70");
	world_bookmark("99", true);
	world_assert_store("b");
	assert_null(knp_reflect_waiting(&world.r, buf, sizeof(buf), &since));
}

static void a_stream_that_stays_open_ends_the_failure(void **state)
{
	char buf[256];
	int64_t since;

	(void)state;
	world_sync_by_list("9");
	world_end(KNP_END_REFUSED);
	world_ask();
	world_answered();
	assert_non_null(knp_reflect_waiting(&world.r, buf, sizeof(buf), &since));
	world.now = knp_reflect_due(&world.r);
	assert_false(knp_reflect_tick(&world.r, world.now));
	assert_null(knp_reflect_waiting(&world.r, buf, sizeof(buf), &since));
}

#define t(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		t(a_watch_has_a_time_limit),
		t(a_watch_that_ends_is_resumed_at_the_last_version),
		t(a_watch_that_ends_at_once_is_a_failure),
		t(no_end_makes_it_ask_more_than_once_a_second),
		t(too_many_requests_cause_no_list),
		t(a_refused_connection_backs_off_and_resumes),
		t(an_internal_error_leads_to_a_list_after_a_minute),
		t(an_internal_error_that_passes_leads_to_no_list),
		t(a_server_that_is_unavailable_is_not_listed),
		t(another_refusal_of_a_watch_leads_to_a_list),
		t(a_right_that_is_missing_keeps_what_is_there),
		t(another_token_is_tried_at_once),
		t(an_event_that_comes_twice_is_taken_once),
		t(a_version_that_goes_back_leads_to_a_list_of_the_newest),
		t(versions_compare_as_numbers_of_any_length),
		t(versions_that_are_no_numbers_are_taken_as_they_come),
		t(a_bookmark_moves_the_version),
		t(an_unknown_event_is_skipped),
		t(a_malformed_event_is_asked_for_again),
		t(out_of_memory_loses_no_event),
		t(out_of_memory_leaves_no_half_of_a_list),
		t(silence_where_bookmarks_were_seen_is_cut),
		t(bytes_without_an_event_are_silence),
		t(a_list_that_does_not_move_or_end_is_cut),
		t(what_cannot_be_read_twice_leads_to_a_list),
		t(two_silent_watches_lead_to_a_list),
		t(the_first_request_is_spread),
		t(retry_after_is_heeded_within_reason),
		t(eight_hours_without_a_server),
		t(a_stream_that_stays_open_ends_the_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
