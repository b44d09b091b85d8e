// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "claims.h"
#include "clock.h"
#include "dir.h"
#include "manifest.h"

#define WATCH_MASK	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | \
			 IN_CREATE | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | \
			 IN_MOVE_SELF | IN_ONLYDIR)

/* To look again for what no event announces: a lost folder, a busy file. */
#define RETRY_MIN_MS	1U
#define RETRY_MAX_MS	1000U
/* To see that the path leads to another folder than the one watched. */
#define HEARTBEAT_MS	2000U
/* How long a file may be held open by a writer without a fault, and the first
 * scan waits for it.
 */
#define BUSY_MS		5000
/* Without leases: how long ago a file must have changed to count as whole. */
#define SETTLED_MS	1000

/**
 * struct file - a file of the folder
 * @source: its path and what it claims
 * @name: its name, within @source.name
 * @stat: when it was last read
 * @good: hash of the content that the claims reflect
 * @tried: hash of the last content that could not be parsed
 * @error: errno of the last attempt to read it, already reported
 * @busy: since when a writer keeps it from being read, milliseconds, or 0
 * @dirty: to be read whatever its times say
 * @closed: an event said that its writer is done
 * @seen: found in the folder by the scan at hand
 */
struct file {
	struct knp_source source;
	const char *name;
	struct stat stat;
	unsigned char good[SHA256_DIGEST_LENGTH];
	unsigned char tried[SHA256_DIGEST_LENGTH];
	int error;
	int64_t busy;
	bool dirty;
	bool closed;
	bool seen;
};

/**
 * struct knp_dir - a folder that is followed
 * @files: sorted by name
 * @fd: inotify
 * @wd: the watch, -1 while the folder is lost
 * @self: the folder that is watched
 * @error: errno of the last scan, already reported
 * @retry: milliseconds until the next look, 0 if none is due
 * @version: of the store, when the last batch was announced
 * @ready: the first scan was announced
 * @again: something is to be looked at again soon
 * @busy: a file is being written
 * @faults: found by the scan at hand
 * @known: found earlier, and holding still
 * @withdrawn: a known fault was dropped by the scan at hand
 * @since: when the events of the scan at hand became readable, 0 if none
 */
struct knp_dir {
	char *path;
	struct knp_claims *claims;
	struct knp_store *store;
	struct knp_faults faults;
	struct knp_faults known;
	struct file **files;
	size_t nfiles;
	struct event *readable;
	struct event *timer;
	int fd;
	int wd;
	struct stat self;
	int error;
	unsigned int retry;
	uint64_t version;
	bool ready;
	bool again;
	bool busy;
	bool withdrawn;
	int64_t since;
	void (*changed)(void *arg);
	void (*fault)(void *arg, const struct knp_fault *fault);
	void (*healed)(void *arg);
	void *arg;
};

static int64_t now_ms(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void file_free(struct file *file)
{
	if (!file)
		return;
	free((char *)file->source.name);
	free(file);
}

static size_t file_place(const struct knp_dir *d, const char *name)
{
	size_t lo = 0;
	size_t hi = d->nfiles;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(d->files[mid]->name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct file *file_find(const struct knp_dir *d, const char *name)
{
	size_t at = file_place(d, name);

	if (at < d->nfiles && !strcmp(d->files[at]->name, name))
		return d->files[at];
	return NULL;
}

/* The record of a file, found or made; NULL if out of memory. */
static struct file *file_get(struct knp_dir *d, const char *name)
{
	struct file *file = file_find(d, name);
	size_t at = file_place(d, name);
	struct file **v;
	char *path;

	if (file)
		return file;
	v = reallocarray(d->files, d->nfiles + 1, sizeof(*v));
	if (!v)
		return NULL;
	d->files = v;
	file = calloc(1, sizeof(*file));
	if (!file || asprintf(&path, "%s/%s", d->path, name) < 0) {
		free(file);
		return NULL;
	}
	file->source.name = path;
	file->name = path + strlen(path) - strlen(name);
	file->dirty = true;
	memmove(&v[at + 1], &v[at], (d->nfiles - at) * sizeof(*v));
	v[at] = file;
	d->nfiles++;
	return file;
}

/* Faults of a file, or only those of the file itself, hold no longer. */
static void withdraw(struct knp_dir *d, const char *file, bool objects)
{
	if (knp_faults_drop(&d->known, file, objects))
		d->withdrawn = true;
}

/* One fault per errno, until the file can be read again. */
static void file_fail(struct knp_dir *d, struct file *file, int err)
{
	file->dirty = true;
	d->again = true;
	if (file->error == err)
		return;
	file->error = err;
	knp_faults_add(&d->faults, file->source.name, NULL, NULL,
		       "%s; its last good content stays", strerror(-err));
}

/* Not a fault yet: whoever writes is soon done. */
static void file_wait(struct knp_dir *d, struct file *file)
{
	int64_t now = now_ms(CLOCK_MONOTONIC);

	d->again = true;
	if (!file->busy)
		file->busy = now;
	if (now - file->busy < BUSY_MS)
		d->busy = true;
	else
		file_fail(d, file, -ETXTBSY);
}

static bool same_stat(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/*
 * Whether somebody may still be writing: a manifest that is cut in the right
 * place is a valid one that allows more. The kernel grants a read lease only
 * on a file that nobody has open for writing, and holds up new writers until
 * the file is closed. The signal with which it asks for the lease back would
 * by default be SIGIO and end the process; SIGURG is ignored.
 */
static bool is_busy(const struct file *file, int fd, const struct stat *st)
{
	int64_t age;

	if (!fcntl(fd, F_SETSIG, SIGURG) &&
	    !fcntl(fd, F_SETLEASE, F_RDLCK))
		return false;
	if (errno == EAGAIN)
		return true;
	age = now_ms(CLOCK_REALTIME) - (int64_t)st->st_mtim.tv_sec * 1000 -
	      st->st_mtim.tv_nsec / 1000000;
	return !file->closed && age >= 0 && age < SETTLED_MS;
}

/* Decode new content and note what it claims. */
static void file_take(struct knp_dir *d, struct file *file, const char *text,
		      size_t len)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	struct knp_objects objects = { 0 };
	int err;

	SHA256((const unsigned char *)text, len, hash);
	if (!memcmp(hash, file->good, sizeof(hash))) {
		withdraw(d, file->source.name, false);
		memset(file->tried, 0, sizeof(file->tried));
		return;
	}
	if (!memcmp(hash, file->tried, sizeof(hash)))
		return;
	err = knp_manifest_parse(text, len, file->source.name, &objects,
				 &d->faults);
	if (!err)
		err = knp_claims_replace(d->claims, &file->source, &objects);
	knp_objects_clear(&objects);
	/* Unreadable content leaves the objects, and what is wrong with them. */
	withdraw(d, file->source.name, !err);
	if (err == -ENOMEM) {
		file_fail(d, file, err);
		return;
	}
	memcpy(err ? file->tried : file->good, hash, sizeof(hash));
	if (!err)
		memset(file->tried, 0, sizeof(file->tried));
}

static void file_read_fd(struct knp_dir *d, struct file *file, int fd)
{
	struct stat after;
	struct stat st;
	size_t len;
	char *text;
	int err;

	if (fstat(fd, &st)) {
		file_fail(d, file, -errno);
		return;
	}
	if (!S_ISREG(st.st_mode))
		return;
	if (is_busy(file, fd, &st)) {
		file_wait(d, file);
		return;
	}
	err = knp_manifest_slurp(fd, &text, &len);
	if (err) {
		file_fail(d, file, err);
		return;
	}
	if (fstat(fd, &after) || !same_stat(&st, &after)) {
		file_wait(d, file);
		goto out;
	}
	file->dirty = false;
	file->error = 0;
	file->busy = 0;
	file->stat = st;
	file_take(d, file, text, len);
out:
	free(text);
}

static void file_read(struct knp_dir *d, struct file *file, int folder)
{
	struct stat st;
	int fd;

	if (!file->dirty && !fstatat(folder, file->name, &st, 0) &&
	    same_stat(&st, &file->stat))
		return;
	file->dirty = true;
	fd = openat(folder, file->name,
		    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && errno == ENOENT &&
	    fstatat(folder, file->name, &st, AT_SYMLINK_NOFOLLOW)) {
		/* Gone since it was listed: the event is on its way. */
		d->again = true;
		return;
	}
	if (fd < 0) {
		file_fail(d, file, -errno);
		return;
	}
	file_read_fd(d, file, fd);
	close(fd);
}

/* Find out which files there are. Return 0 or -errno. */
static int list(struct knp_dir *d, DIR *folder)
{
	struct dirent *e;
	struct file *file;

	for (size_t i = 0; i < d->nfiles; i++)
		d->files[i]->seen = false;
	for (;;) {
		errno = 0;
		e = readdir(folder);
		if (!e)
			return -errno;
		if (!knp_manifest_suits(e->d_name))
			continue;
		file = file_get(d, e->d_name);
		if (!file)
			return -ENOMEM;
		file->seen = true;
	}
}

static void forget_unseen(struct knp_dir *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->nfiles; i++) {
		struct file *file = d->files[i];

		if (file->seen) {
			d->files[n++] = file;
			continue;
		}
		knp_claims_remove(d->claims, &file->source);
		withdraw(d, file->source.name, true);
		file_free(file);
	}
	d->nfiles = n;
}

static void unwatch(struct knp_dir *d)
{
	if (d->wd >= 0)
		inotify_rm_watch(d->fd, d->wd);
	d->wd = -1;
}

/* Whether the path still leads to the folder that is watched. */
static bool is_watched(const struct knp_dir *d)
{
	struct stat st;

	return d->wd >= 0 && !stat(d->path, &st) &&
	       st.st_dev == d->self.st_dev && st.st_ino == d->self.st_ino;
}

/* Watch first, list then: what happens between the two is an event. */
static int watch(struct knp_dir *d)
{
	if (is_watched(d))
		return 0;
	unwatch(d);
	if (stat(d->path, &d->self))
		return -errno;
	d->wd = inotify_add_watch(d->fd, d->path, WATCH_MASK);
	return d->wd < 0 ? -errno : 0;
}

static int scan_folder(struct knp_dir *d)
{
	DIR *folder;
	int err;

	err = watch(d);
	if (err)
		return err;
	folder = opendir(d->path);
	if (!folder)
		return -errno;
	err = list(d, folder);
	if (!err) {
		forget_unseen(d);
		for (size_t i = 0; i < d->nfiles; i++)
			file_read(d, d->files[i], dirfd(folder));
	}
	closedir(folder);
	return err;
}

static void all_dirty(struct knp_dir *d)
{
	for (size_t i = 0; i < d->nfiles; i++) {
		d->files[i]->dirty = true;
		memset(d->files[i]->good, 0, sizeof(d->files[i]->good));
	}
}

static void report(struct knp_dir *d)
{
	struct knp_faults fresh = d->faults;
	size_t first = d->known.n;

	d->faults = (struct knp_faults){ 0 };
	/* Out of memory they are reported all the same, but not remembered. */
	if (knp_faults_move(&d->known, &fresh)) {
		for (size_t i = 0; i < fresh.n && d->fault; i++)
			d->fault(d->arg, &fresh.v[i]);
		knp_faults_clear(&fresh);
		return;
	}
	for (size_t i = first; i < d->known.n && d->fault; i++)
		d->fault(d->arg, &d->known.v[i]);
}

static void announce(struct knp_dir *d)
{
	if (!d->ready && (d->busy || d->error))
		return;
	if (d->ready && d->version == d->store->version)
		return;
	d->ready = true;
	d->version = d->store->version;
	d->changed(d->arg);
	d->since = 0;
}

static void arm(struct knp_dir *d)
{
	unsigned int ms = HEARTBEAT_MS;
	struct timeval tv;

	if (d->again) {
		ms = d->retry ? d->retry * 2 : RETRY_MIN_MS;
		if (ms > RETRY_MAX_MS)
			ms = RETRY_MAX_MS;
	}
	d->retry = d->again ? ms : 0;
	tv = knp_timeval(ms);
	evtimer_add(d->timer, &tv);
}

static void scan(struct knp_dir *d)
{
	int err;

	d->again = false;
	d->busy = false;
	d->withdrawn = false;
	err = scan_folder(d);
	if (err && err != d->error)
		knp_faults_add(&d->faults, d->path, NULL, NULL,
			       "%s; what was read of it stays",
			       strerror(-err));
	if (!err && d->error)
		withdraw(d, d->path, true);
	d->error = err;
	if (err)
		d->again = true;
	if (knp_claims_settle(d->claims, &d->faults)) {
		all_dirty(d);
		d->again = true;
	}
	arm(d);
	report(d);
	if (d->withdrawn && d->healed)
		d->healed(d->arg);
	announce(d);
}

static void note(struct knp_dir *d, const struct inotify_event *e)
{
	struct file *file;

	if (e->mask & IN_Q_OVERFLOW) {
		for (size_t i = 0; i < d->nfiles; i++)
			d->files[i]->dirty = true;
		return;
	}
	if (e->wd != d->wd)
		return;
	if (e->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF |
		       IN_UNMOUNT)) {
		unwatch(d);
		return;
	}
	if (!e->len || !knp_manifest_suits(e->name))
		return;
	file = file_get(d, e->name);
	if (!file)
		return;
	file->dirty = true;
	file->closed = e->mask & (IN_CLOSE_WRITE | IN_MOVED_TO);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	char buf[16 << 10] __attribute__((aligned(8)));
	const struct inotify_event *e;
	struct knp_dir *d = arg;
	ssize_t n;

	(void)what;
	/* A file that is still being written belongs to the batch it began. */
	if (!d->since)
		d->since = knp_now_ns();
	for (;;) {
		n = read(fd, buf, sizeof(buf));
		if (n <= 0)
			break;
		for (char *p = buf; p < buf + n; p += sizeof(*e) + e->len) {
			e = (const struct inotify_event *)p;
			note(d, e);
		}
	}
	d->retry = 0;
	scan(d);
	if (!d->again)
		d->since = 0;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct knp_dir *d = arg;

	(void)fd;
	(void)what;
	if (!d->ready || d->again || !is_watched(d))
		scan(d);
	else
		arm(d);
}

static char *plain_path(const char *path)
{
	char *copy = strdup(path);
	size_t len;

	if (!copy)
		return NULL;
	len = strlen(copy);
	while (len > 1 && copy[len - 1] == '/')
		copy[--len] = '\0';
	return copy;
}

int knp_dir_open(struct event_base *base, const char *path,
		 struct knp_store *store, void (*changed)(void *arg),
		 void (*fault)(void *arg, const struct knp_fault *fault),
		 void *arg, struct knp_dir **ret)
{
	struct knp_dir *d = calloc(1, sizeof(*d));
	struct timeval now = { 0 };
	int err = -ENOMEM;

	if (!d)
		return -ENOMEM;
	d->fd = -1;
	d->wd = -1;
	d->store = store;
	d->changed = changed;
	d->fault = fault;
	d->arg = arg;
	d->path = plain_path(path);
	d->claims = knp_claims_new(store);
	if (!d->path || !d->claims)
		goto err;
	d->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (d->fd < 0) {
		err = -errno;
		goto err;
	}
	err = watch(d);
	if (err)
		goto err;
	err = -ENOMEM;
	d->readable = event_new(base, d->fd, EV_READ | EV_PERSIST, on_readable,
				d);
	d->timer = evtimer_new(base, on_timer, d);
	if (!d->readable || !d->timer || event_add(d->readable, NULL) ||
	    evtimer_add(d->timer, &now))
		goto err;
	*ret = d;
	return 0;

err:
	knp_dir_close(d);
	return err;
}

int64_t knp_dir_since(const struct knp_dir *d)
{
	return d->since;
}

void knp_dir_rescan(struct knp_dir *d)
{
	knp_faults_clear(&d->known);
	for (size_t i = 0; i < d->nfiles; i++) {
		struct file *file = d->files[i];

		file->error = 0;
		memset(file->tried, 0, sizeof(file->tried));
	}
	all_dirty(d);
	d->error = 0;
	d->retry = 0;
	scan(d);
}

const struct knp_faults *knp_dir_faults(const struct knp_dir *d)
{
	return &d->known;
}

void knp_dir_on_healed(struct knp_dir *d, void (*healed)(void *arg))
{
	d->healed = healed;
}

void knp_dir_close(struct knp_dir *d)
{
	if (!d)
		return;
	if (d->readable)
		event_free(d->readable);
	if (d->timer)
		event_free(d->timer);
	if (d->fd >= 0)
		close(d->fd);
	knp_claims_free(d->claims);
	for (size_t i = 0; i < d->nfiles; i++)
		file_free(d->files[i]);
	free(d->files);
	knp_faults_clear(&d->faults);
	knp_faults_clear(&d->known);
	free(d->path);
	free(d);
}
