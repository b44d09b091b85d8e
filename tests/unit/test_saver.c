// SPDX-License-Identifier: Apache-2.0
/* When the state file is written: soon, not often, and in nobody's way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "saver.h"
#include "state_file.h"
#include "states.h"

#define PAUSE_MS	50
#define HOUR_MS		3600000

/**
 * struct world - the kernel, a folder, and who is told
 * @generation: the kernel's
 * @error: of the next reads
 * @reads: how many there were
 * @slow: each that begins now waits for @gate
 */
struct world {
	_Atomic uint64_t generation;
	_Atomic int error;
	_Atomic int reads;
	_Atomic bool slow;
	sem_t gate;
	struct event_base *base;
	struct knp_saver *saver;
	struct knp_saver_options options;
	int told;
	char dir[64];
	char path[96];
};

static int read_world(void *arg, const struct knp_info *there,
		      struct knp_ruleset **rs, struct knp_info *info)
{
	struct knp_state s = some_state();
	struct world *w = arg;

	*info = s.info;
	info->generation = w->generation;
	w->reads++;
	if (w->slow)
		sem_wait(&w->gate);
	if (w->error || !info->generation || knp_state_same(info, there)) {
		knp_state_clear(&s);
		*rs = NULL;
		return w->error;
	}
	*rs = s.rs;
	return 0;
}

static void on_told(void *arg)
{
	struct world *w = arg;

	w->told++;
	event_base_loopbreak(w->base);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	strcpy(w->dir, "/tmp/knp-saver.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof(w->path), "%s/state", w->dir);
	sem_init(&w->gate, 0, 0);
	w->base = event_base_new();
	w->generation = 1;
	w->options = (struct knp_saver_options){
		.path = w->path,
		.node = "n",
		.read = read_world,
		.arg = w,
		.pause_ms = PAUSE_MS,
	};
	/* Nothing here may wait for ever. */
	alarm(60);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	alarm(0);
	knp_saver_close(w->saver);
	event_base_free(w->base);
	sem_destroy(&w->gate);
	unlink(w->path);
	assert_int_equal(rmdir(w->dir), 0);
	free(w);
	return 0;
}

static void start(struct world *w)
{
	assert_int_equal(knp_saver_open(w->base, &w->options, on_told, w,
					&w->saver), 0);
}

static void end(struct world *w)
{
	knp_saver_close(w->saver);
	w->saver = NULL;
}

static void await_told(struct world *w)
{
	int told = w->told;

	while (w->told == told)
		event_base_dispatch(w->base);
}

static void await_reads(struct world *w, int n)
{
	while (w->reads < n)
		usleep(1000);
}

/* The generation of the file, 0 if there is none. */
static uint64_t held(const struct world *w)
{
	char why[KNP_STATE_WHY];
	struct knp_state s;
	int err;

	err = knp_state_file_read(w->path, &s, why);
	if (err == -ENOENT)
		return 0;
	assert_int_equal(err, 0);
	knp_state_clear(&s);
	return s.info.generation;
}

static uint64_t number(struct world *w, const char *key)
{
	struct json_object *doc = json_object_new_object(), *file, *value;
	uint64_t n;

	assert_int_equal(knp_saver_json(w->saver, doc, "file"), 0);
	assert_true(json_object_object_get_ex(doc, "file", &file));
	assert_true(json_object_object_get_ex(file, key, &value));
	n = json_object_get_uint64(value);
	json_object_put(doc);
	return n;
}

static void test_a_change_is_saved(void **state)
{
	struct knp_state want = some_state(), is;
	char why[KNP_STATE_WHY];
	struct world *w = *state;

	start(w);
	assert_int_equal(held(w), 0);
	knp_saver_touch(w->saver);
	await_told(w);
	assert_int_equal(knp_state_file_read(w->path, &is, why), 0);
	want.info.generation = 1;
	assert_true(is.saved > want.saved);
	is.saved = want.saved;
	assert_states_equal(&want, &is);
	assert_int_equal(number(w, "generation"), 1);
	assert_int_equal(number(w, "saves"), 1);
	assert_true(number(w, "bytes") > 400);
	assert_true(number(w, "saved_at") >= (uint64_t)time(NULL) - 60);
	knp_state_clear(&want);
	knp_state_clear(&is);
}

static void test_nothing_is_saved_untouched(void **state)
{
	struct world *w = *state;

	start(w);
	end(w);
	assert_int_equal(w->reads, 0);
	assert_int_equal(held(w), 0);
}

/* Of many changes the first is saved, and after a pause the last. */
static void test_changes_are_gathered(void **state)
{
	struct world *w = *state;
	int64_t began = knp_now_ns();

	w->options.pause_ms = 300;
	start(w);
	knp_saver_touch(w->saver);
	await_told(w);
	assert_int_equal(held(w), 1);
	for (w->generation = 2; w->generation < 1000; w->generation++)
		knp_saver_touch(w->saver);
	await_told(w);
	assert_int_equal(held(w), 1000);
	assert_true(knp_now_ns() - began >= 300 * 1000000LL);
	assert_int_equal(w->reads, 2);
	assert_int_equal(number(w, "saves"), 2);
}

/* What takes long is done rarely: 20 times what it took, not a pause. */
static void test_a_slow_disk_is_left_alone(void **state)
{
	struct world *w = *state;
	int64_t ended;

	w->slow = true;
	w->options.pause_ms = 1;
	start(w);
	knp_saver_touch(w->saver);
	await_reads(w, 1);
	usleep(30000);
	sem_post(&w->gate);
	await_told(w);
	ended = knp_now_ns();
	w->generation = 2;
	knp_saver_touch(w->saver);
	await_reads(w, 2);
	assert_true(knp_now_ns() - ended >= 500 * 1000000LL);
	sem_post(&w->gate);
	await_told(w);
	assert_int_equal(held(w), 2);
}

/* While it reads or writes, however long, others go on. */
static void test_nobody_waits(void **state)
{
	struct world *w = *state;

	w->slow = true;
	start(w);
	knp_saver_touch(w->saver);
	await_reads(w, 1);
	for (int i = 0; i < 1000; i++)
		knp_saver_touch(w->saver);
	assert_int_equal(number(w, "saves"), 0);
	assert_int_equal(w->reads, 1);
	sem_post(&w->gate);
	sem_post(&w->gate);
	await_told(w);
	/* What came meanwhile is not forgotten. */
	await_reads(w, 2);
}

static void test_saved_at_the_end(void **state)
{
	struct world *w = *state;

	w->options.pause_ms = HOUR_MS;
	start(w);
	knp_saver_touch(w->saver);
	await_told(w);
	w->generation = 2;
	knp_saver_touch(w->saver);
	usleep(20000);
	assert_int_equal(w->reads, 1);
	end(w);
	assert_int_equal(held(w), 2);
}

/* Lets what is being read go on, and all after it, when the end was asked for. */
static void *open_gate(void *arg)
{
	struct world *w = arg;

	usleep(100000);
	w->slow = false;
	sem_post(&w->gate);
	return NULL;
}

/* The end is asked for while what was before is still being written. */
static void test_what_came_meanwhile_is_saved_at_the_end(void **state)
{
	struct world *w = *state;
	pthread_t opener;

	w->slow = true;
	w->options.pause_ms = HOUR_MS;
	start(w);
	knp_saver_touch(w->saver);
	await_reads(w, 1);
	w->generation = 2;
	knp_saver_touch(w->saver);
	assert_int_equal(pthread_create(&opener, NULL, open_gate, w), 0);
	end(w);
	assert_int_equal(pthread_join(opener, NULL), 0);
	assert_int_equal(held(w), 2);
}

/* Another process has saved this already. */
static void test_not_saved_twice(void **state)
{
	struct world *w = *state;
	struct stat was, is;

	start(w);
	knp_saver_touch(w->saver);
	end(w);
	assert_int_equal(stat(w->path, &was), 0);

	start(w);
	knp_saver_touch(w->saver);
	await_told(w);
	assert_int_equal(number(w, "generation"), 1);
	assert_int_equal(number(w, "saves"), 0);
	end(w);
	assert_int_equal(stat(w->path, &is), 0);
	assert_int_equal(was.st_ino, is.st_ino);

	/* But that of another node, or a damaged one, is not this. */
	w->options.node = "m";
	start(w);
	knp_saver_touch(w->saver);
	end(w);
	assert_int_equal(stat(w->path, &was), 0);
	assert_int_not_equal(was.st_ino, is.st_ino);
	assert_int_equal(truncate(w->path, 50), 0);
	start(w);
	knp_saver_touch(w->saver);
	end(w);
	assert_int_equal(held(w), 1);
}

static void test_without_a_module(void **state)
{
	struct world *w = *state;
	char error[256];

	start(w);
	knp_saver_touch(w->saver);
	await_told(w);
	w->error = -ENOENT;
	knp_saver_touch(w->saver);
	await_reads(w, 2);
	knp_saver_error(w->saver, error);
	assert_string_equal(error, "");
	end(w);
	assert_int_equal(held(w), 1);
}

/* Nothing is lost: the old file stays, and it is tried again without a touch. */
static void test_tried_again(void **state)
{
	struct world *w = *state;
	char error[256], path[128];

	w->options.path = path;
	snprintf(path, sizeof(path), "%s/a/b", w->dir);
	assert_int_equal(rmdir(w->dir), 0);
	start(w);
	knp_saver_touch(w->saver);
	await_told(w);
	knp_saver_error(w->saver, error);
	assert_string_equal(error,
			    "cannot write the state file: No such file or directory");
	assert_int_equal(mkdir(w->dir, 0700), 0);
	await_told(w);
	knp_saver_error(w->saver, error);
	assert_string_equal(error, "");
	assert_int_equal(number(w, "generation"), 1);
	assert_int_equal(w->reads, 2);
	end(w);
	assert_int_equal(unlink(path), 0);
	path[strlen(path) - 2] = '\0';
	assert_int_equal(rmdir(path), 0);
}

/* A disk that is full would be written to, and the log, for nothing. */
static void test_a_failure_is_left_alone_for_longer(void **state)
{
	int64_t begun = knp_now_ns();
	struct world *w = *state;

	w->error = -EPERM;
	start(w);
	knp_saver_touch(w->saver);
	await_reads(w, 3);
	assert_true(knp_now_ns() - begun >= 2 * 10 * PAUSE_MS * 1000000LL);
	end(w);
}

static void test_cannot_read(void **state)
{
	struct world *w = *state;
	char error[256];

	w->error = -EPERM;
	start(w);
	knp_saver_touch(w->saver);
	await_told(w);
	knp_saver_error(w->saver, error);
	assert_string_equal(error,
			    "cannot read the kernel's tables: Operation not permitted");
	end(w);
	assert_int_equal(held(w), 0);
}

static void test_none(void **state)
{
	struct json_object *doc = json_object_new_object(), *file;

	(void)state;
	knp_saver_touch(NULL);
	knp_saver_close(NULL);
	assert_int_equal(knp_saver_json(NULL, doc, "file"), 0);
	assert_true(json_object_object_get_ex(doc, "file", &file));
	assert_null(file);
	json_object_put(doc);
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_change_is_saved),
		TEST(test_nothing_is_saved_untouched),
		TEST(test_changes_are_gathered),
		TEST(test_a_slow_disk_is_left_alone),
		TEST(test_nobody_waits),
		TEST(test_saved_at_the_end),
		TEST(test_what_came_meanwhile_is_saved_at_the_end),
		TEST(test_not_saved_twice),
		TEST(test_without_a_module),
		TEST(test_tried_again),
		TEST(test_a_failure_is_left_alone_for_longer),
		TEST(test_cannot_read),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
