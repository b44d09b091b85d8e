// SPDX-License-Identifier: Apache-2.0
#include "saver.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <json-c/json.h>

#include "clock.h"
#include "genl.h"
#include "json_build.h"
#include "state_file.h"

#define PAUSE_MS	1000
#define PAUSE_FACTOR	20
#define RETRY_FACTOR	10

/**
 * struct saver_report - how it is going
 * @generation: that the file holds
 * @took_us: reading and writing
 */
struct saver_report {
	uint64_t generation;
	int64_t saved;
	size_t bytes;
	int64_t took_us;
	uint64_t saves;
	char error[256];
};

/**
 * struct knp_saver - the thread, and what it shares
 * @lock: of @dirty, @stop and @report
 * @wake: when @dirty or @stop change
 * @dirty: the kernel was touched since it was read last
 * @report: for others
 * @fd: written to when @report changed
 * @there: what the file holds; of the thread
 * @known: whether that is known; of the thread
 */
struct knp_saver {
	struct knp_saver_options options;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool dirty;
	bool stop;
	struct saver_report report;
	int fd;
	struct event *readable;
	void (*told)(void *arg);
	void *arg;

	struct knp_boot boot;
	struct knp_info there;
	bool known;
};

static int read_tables(struct knp_genl *g, const struct knp_info *there,
		       struct knp_ruleset **rs, struct knp_info *info)
{
	int err = knp_genl_info(g, info);

	if (err)
		return err;
	if (info->generation && !knp_state_same(info, there))
		return knp_genl_snapshot(g, 0, rs, info);
	*rs = NULL;
	return 0;
}

static int read_kernel(void *arg, const struct knp_info *there,
		       struct knp_ruleset **rs, struct knp_info *info)
{
	struct knp_genl *g;
	int err;

	(void)arg;
	err = knp_genl_open(&g);
	if (err)
		return err;
	err = read_tables(g, there, rs, info);
	knp_genl_close(g);
	return err;
}

/* ---- the thread ---------------------------------------------------------- */

static void tell(struct knp_saver *s, const struct saver_report *report)
{
	pthread_mutex_lock(&s->lock);
	s->report = *report;
	pthread_mutex_unlock(&s->lock);
	eventfd_write(s->fd, 1);
}

/* What the file holds before the first write of this process. */
static void look(struct knp_saver *s, struct saver_report *report)
{
	struct knp_state state;
	char why[KNP_STATE_WHY];

	s->known = true;
	if (knp_state_file_read(s->options.path, &state, why))
		return;
	if (!strcmp(state.boot.id, s->boot.id) &&
	    state.boot.netns == s->boot.netns &&
	    !strcmp(state.node, s->options.node)) {
		s->there = state.info;
		report->generation = state.info.generation;
		report->saved = state.saved;
		tell(s, report);
	}
	knp_state_clear(&state);
}

static int write_state(struct knp_saver *s, const struct knp_info *info,
		       struct knp_ruleset *rs, size_t *len)
{
	struct knp_state state = {
		.boot = s->boot,
		.saved = time(NULL),
		.info = *info,
		.rs = rs,
	};
	void *data;
	int err;

	snprintf(state.node, sizeof(state.node), "%s", s->options.node);
	err = knp_state_encode(&state, &data, len);
	if (err)
		return err;
	err = knp_state_file_write(s->options.path, data, *len);
	free(data);
	return err;
}

static int fail(struct knp_saver *s, struct saver_report *report, int err,
		const char *what)
{
	snprintf(report->error, sizeof(report->error), "cannot %s: %s", what,
		 strerror(-err));
	tell(s, report);
	return err;
}

/* Return 0, also if nothing was to be written. */
static int save(struct knp_saver *s, struct saver_report *report)
{
	int64_t start = knp_now_ns();
	struct knp_ruleset *rs;
	struct knp_info info;
	size_t len;
	int err;

	if (!s->known)
		look(s, report);
	err = s->options.read(s->options.arg, &s->there, &rs, &info);
	if (err == -ENOENT)
		return 0;
	if (err)
		return fail(s, report, err, "read the kernel's tables");
	if (!rs)
		return 0;
	err = write_state(s, &info, rs, &len);
	knp_ruleset_free(rs);
	if (err)
		return fail(s, report, err, "write the state file");

	s->there = info;
	report->generation = info.generation;
	report->saved = time(NULL);
	report->bytes = len;
	report->took_us = (knp_now_ns() - start) / 1000;
	report->saves++;
	report->error[0] = '\0';
	tell(s, report);
	return 0;
}

/* How long to leave it alone after a try. */
static int64_t pause_ns(const struct knp_saver *s, int err, int64_t took_ns)
{
	int64_t least = (int64_t)s->options.pause_ms * 1000000;

	if (err)
		least *= RETRY_FACTOR;
	return took_ns * PAUSE_FACTOR > least ? took_ns * PAUSE_FACTOR : least;
}

/* Wait until there is something to do, and may be done; the lock is held. */
static void wait_for_work(struct knp_saver *s, int64_t not_before)
{
	const struct timespec until = {
		.tv_sec = not_before / 1000000000,
		.tv_nsec = not_before % 1000000000,
	};

	while (!s->dirty && !s->stop)
		pthread_cond_wait(&s->wake, &s->lock);
	while (!s->stop && knp_now_ns() < not_before)
		pthread_cond_timedwait(&s->wake, &s->lock, &until);
}

static void *run(void *arg)
{
	struct saver_report report = { 0 };
	int64_t start, not_before = 0;
	struct knp_saver *s = arg;
	int err;

	pthread_mutex_lock(&s->lock);
	for (;;) {
		wait_for_work(s, not_before);
		if (!s->dirty)
			break;
		s->dirty = false;
		pthread_mutex_unlock(&s->lock);

		start = knp_now_ns();
		err = save(s, &report);
		not_before = knp_now_ns();
		not_before += pause_ns(s, err, not_before - start);

		pthread_mutex_lock(&s->lock);
		/* At the end one failure is enough, but nothing touched is forgotten. */
		if (err && !s->stop)
			s->dirty = true;
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* ---- the others ---------------------------------------------------------- */

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct knp_saver *s = arg;
	eventfd_t n;

	(void)what;
	eventfd_read(fd, &n);
	s->told(s->arg);
}

static int make_sync(struct knp_saver *s)
{
	pthread_condattr_t attr;
	int err;

	err = pthread_mutex_init(&s->lock, NULL);
	if (err)
		return -err;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	err = pthread_cond_init(&s->wake, &attr);
	pthread_condattr_destroy(&attr);
	if (err)
		pthread_mutex_destroy(&s->lock);
	return -err;
}

/* Signals are the event loop's. */
static int start_thread(struct knp_saver *s)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&s->thread, NULL, run, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -err;
}

static void destroy(struct knp_saver *s)
{
	if (s->readable)
		event_free(s->readable);
	if (s->fd >= 0)
		close(s->fd);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static struct knp_saver *saver_new(const struct knp_saver_options *options,
				   void (*told)(void *arg), void *arg)
{
	struct knp_saver *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->options = *options;
	if (!s->options.read)
		s->options.read = read_kernel;
	if (!s->options.pause_ms)
		s->options.pause_ms = PAUSE_MS;
	s->told = told;
	s->arg = arg;
	knp_boot_read(&s->boot);
	return s;
}

int knp_saver_open(struct event_base *base,
		   const struct knp_saver_options *options,
		   void (*told)(void *arg), void *arg, struct knp_saver **ret)
{
	struct knp_saver *s = saver_new(options, told, arg);
	int err;

	if (!s)
		return -ENOMEM;
	err = make_sync(s);
	if (err) {
		free(s);
		return err;
	}
	s->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = s->fd < 0 ? -errno : 0;
	if (err)
		goto failed;
	s->readable = event_new(base, s->fd, EV_READ | EV_PERSIST, on_readable,
				s);
	err = s->readable && !event_add(s->readable, NULL) ? 0 : -ENOMEM;
	if (!err)
		err = start_thread(s);
	if (err)
		goto failed;
	*ret = s;
	return 0;

failed:
	destroy(s);
	return err;
}

static void wake(struct knp_saver *s, bool *what)
{
	pthread_mutex_lock(&s->lock);
	*what = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

void knp_saver_touch(struct knp_saver *s)
{
	if (s)
		wake(s, &s->dirty);
}

void knp_saver_close(struct knp_saver *s)
{
	if (!s)
		return;
	wake(s, &s->stop);
	pthread_join(s->thread, NULL);
	destroy(s);
}

static struct saver_report report_of(struct knp_saver *s)
{
	struct saver_report report;

	pthread_mutex_lock(&s->lock);
	report = s->report;
	pthread_mutex_unlock(&s->lock);
	return report;
}

void knp_saver_error(struct knp_saver *s, char text[256])
{
	struct saver_report report = report_of(s);

	memcpy(text, report.error, sizeof(report.error));
}

static struct json_object *report_json(const struct knp_saver *s,
				       const struct saver_report *report)
{
	struct json_object *obj = json_object_new_object();
	int err = 0;

	if (!obj)
		return NULL;
	err |= knp_json_add_string(obj, "path", s->options.path);
	err |= knp_json_add_number(obj, "generation", report->generation);
	err |= knp_json_add_number(obj, "saved_at", (uint64_t)report->saved);
	err |= knp_json_add_number(obj, "bytes", report->bytes);
	err |= knp_json_add_number(obj, "save_us", (uint64_t)report->took_us);
	err |= knp_json_add_number(obj, "saves", report->saves);
	err |= knp_json_add_string(obj, "error", report->error[0] ?
				   report->error : NULL);
	if (!err)
		return obj;
	json_object_put(obj);
	return NULL;
}

int knp_saver_json(struct knp_saver *s, struct json_object *doc,
		   const char *key)
{
	struct saver_report report;

	if (!s)
		return knp_json_add_string(doc, key, NULL);
	report = report_of(s);
	return knp_json_add(doc, key, report_json(s, &report));
}
