// SPDX-License-Identifier: Apache-2.0
/*
 * The state on disk. The program is linked with --wrap for the calls that write:
 * each of them is made to fail, and to be the last thing that the process does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "state_file.h"
#include "states.h"

int __real_mkdir(const char *path, mode_t mode);
int __real_open(const char *path, int flags, mode_t mode);
ssize_t __real_write(int fd, const void *data, size_t len);
int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_open(const char *path, int flags, ...);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);

/**
 * struct steps - what happens at one of the calls
 * @armed: the calls are counted
 * @n: how many there were
 * @at: the one at which it happens, -1: at none
 * @error: with which it fails; 0: the process is killed before it
 * @log: a letter per call
 */
static struct steps {
	bool armed;
	int n;
	int at;
	int error;
	char log[32];
} steps;

static bool fails(char letter)
{
	if (!steps.armed)
		return false;
	assert_true(steps.n < (int)sizeof(steps.log) - 1);
	steps.log[steps.n] = letter;
	if (steps.n++ != steps.at)
		return false;
	if (!steps.error)
		kill(getpid(), SIGKILL);
	errno = steps.error;
	return true;
}

int __wrap_mkdir(const char *path, mode_t mode)
{
	return fails('m') ? -1 : __real_mkdir(path, mode);
}

int __wrap_open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	va_start(args, flags);
	if (flags & O_CREAT)
		mode = va_arg(args, mode_t);
	va_end(args);
	return fails('o') ? -1 : __real_open(path, flags, mode);
}

/* No more than half at once, so that there is a step in between. */
ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	if (steps.armed && len > 64)
		len /= 2;
	return fails('w') ? -1 : __real_write(fd, data, len);
}

int __wrap_fsync(int fd)
{
	return fails('s') ? -1 : __real_fsync(fd);
}

int __wrap_rename(const char *from, const char *to)
{
	return fails('r') ? -1 : __real_rename(from, to);
}

static int stepped(const char *path, const void *data, size_t len, int at,
		   int error)
{
	int err;

	steps = (struct steps){ .armed = true, .at = at, .error = error };
	err = knp_state_file_write(path, data, len);
	steps.armed = false;
	return err;
}

/* ---- the folder ---------------------------------------------------------- */

struct fixture {
	char dir[64];
	char path[96];
	uint8_t *old, *new;	/* bytes of two states, @new is larger */
	size_t nold, nnew;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct knp_rec_peer peer = { .family = 2, .class_id = 7 };
	struct knp_state s = some_state();
	void *data;

	strcpy(f->dir, "/tmp/knp-state.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/state", f->dir);
	f->old = some_bytes(&f->nold);
	s.info.generation = 43;
	for (uint16_t i = 0; i < 1000; i++) {
		memcpy(peer.addr, &i, sizeof(i));
		assert_non_null(knp_recs_add(&s.rs->peers, &peer));
	}
	knp_ruleset_sort(s.rs);
	assert_int_equal(knp_state_encode(&s, &data, &f->nnew), 0);
	f->new = data;
	knp_state_clear(&s);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s.new", f->path);
	unlink(path);
	unlink(f->path);
	assert_int_equal(rmdir(f->dir), 0);
	free(f->old);
	free(f->new);
	free(f);
	return 0;
}

/* The generation of the file's state, 0 if there is none. */
static uint64_t held(struct fixture *f)
{
	char why[KNP_STATE_WHY] = "";
	struct knp_state s;
	int err = knp_state_file_read(f->path, &s, why);

	if (err == -ENOENT)
		return 0;
	if (err)
		fail_msg("%s", why);
	knp_state_clear(&s);
	return s.info.generation;
}

static void write_old(struct fixture *f)
{
	assert_int_equal(knp_state_file_write(f->path, f->old, f->nold), 0);
	assert_int_equal(held(f), 42);
}

/* ---- writing ------------------------------------------------------------- */

static void test_write_and_read(void **state)
{
	struct knp_state was = some_state(), is;
	struct fixture *f = *state;
	char why[KNP_STATE_WHY];
	struct stat st;

	write_old(f);
	assert_int_equal(knp_state_file_read(f->path, &is, why), 0);
	assert_states_equal(&was, &is);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	knp_state_clear(&was);
	knp_state_clear(&is);
	assert_int_equal(knp_state_file_write(f->path, f->new, f->nnew), 0);
	assert_int_equal(held(f), 43);
}

/* The data reaches the disk before the name does, and the name before the end. */
static void test_order_of_the_steps(void **state)
{
	struct fixture *f = *state;
	const char *p = steps.log;

	write_old(f);
	assert_int_equal(stepped(f->path, f->new, f->nnew, -1, 0), 0);
	assert_true(*p++ == 'm');
	assert_true(*p++ == 'o');
	assert_true(*p++ == 'w');
	assert_true(*p++ == 'w');
	while (*p == 'w')
		p++;
	assert_string_equal(p, "sros");
	assert_int_equal(held(f), 43);
}

static void test_every_step_fails(void **state)
{
	struct fixture *f = *state;
	int last;

	write_old(f);
	assert_int_equal(stepped(f->path, f->new, f->nnew, -1, 0), 0);
	last = steps.n;
	for (int at = 0; at < last; at++) {
		write_old(f);
		assert_int_equal(stepped(f->path, f->new, f->nnew, at, ENOSPC),
				 -ENOSPC);
		/* From the rename on it is the new one, synced or not. */
		assert_int_equal(held(f), at > last - 3 ? 43 : 42);
	}
}

static void test_killed_at_every_step(void **state)
{
	struct fixture *f = *state;
	int last, status;
	pid_t pid;

	write_old(f);
	assert_int_equal(stepped(f->path, f->new, f->nnew, -1, 0), 0);
	last = steps.n;
	for (int at = 0; at < last; at++) {
		write_old(f);
		pid = fork();
		if (!pid) {
			stepped(f->path, f->new, f->nnew, at, 0);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(held(f), at > last - 3 ? 43 : 42);
		/* What is left over is in nobody's way. */
		assert_int_equal(knp_state_file_write(f->path, f->new, f->nnew),
				 0);
		assert_int_equal(held(f), 43);
	}
}

/* As a full disk: what the kernel takes of it ends in the middle. */
static void test_no_room(void **state)
{
	struct rlimit limit, had;
	struct fixture *f = *state;

	write_old(f);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &had), 0);
	for (rlim_t n = 0; n < f->nnew; n += f->nnew / 5) {
		limit = had;
		limit.rlim_cur = n;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
		assert_int_equal(knp_state_file_write(f->path, f->new, f->nnew),
				 -EFBIG);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &had), 0);
		assert_int_equal(held(f), 42);
	}
	signal(SIGXFSZ, SIG_DFL);
}

static void test_folder_is_made(void **state)
{
	struct fixture *f = *state;
	char dir[80], path[96];
	struct stat st;

	snprintf(dir, sizeof(dir), "%s/knp", f->dir);
	snprintf(path, sizeof(path), "%s/state", dir);
	assert_int_equal(knp_state_file_write(path, f->old, f->nold), 0);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
	snprintf(path, sizeof(path), "%s/no/state", dir);
	assert_int_equal(knp_state_file_write(path, f->old, f->nold), -ENOENT);
	assert_int_equal(knp_state_file_write("/tmp/", f->old, f->nold),
			 -EISDIR);
}

static void test_bare_name(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(chdir(f->dir), 0);
	assert_int_equal(knp_state_file_write("state", f->old, f->nold), 0);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(held(f), 42);
}

/* ---- reading ------------------------------------------------------------- */

static void refuses(struct fixture *f, int error, const char *because)
{
	char why[KNP_STATE_WHY] = "";
	struct knp_state s;

	assert_int_equal(knp_state_file_read(f->path, &s, why), error);
	if (!strstr(why, because))
		fail_msg("'%s' is not because '%s'", why, because);
}

static void test_refused(void **state)
{
	struct fixture *f = *state;
	char target[128];

	assert_int_equal(held(f), 0);
	f->old[200] ^= 1;
	assert_int_equal(knp_state_file_write(f->path, f->old, f->nold), 0);
	refuses(f, -EBADMSG, "checksum");
	assert_int_equal(truncate(f->path, 0), 0);
	refuses(f, -EBADMSG, "truncated");
	assert_int_equal(truncate(f->path, ((off_t)512 << 20) + 1), 0);
	refuses(f, -EFBIG, "too large");
	assert_int_equal(unlink(f->path), 0);

	snprintf(target, sizeof(target), "%s.new", f->path);
	assert_int_equal(knp_state_file_write(target, f->new, f->nnew), 0);
	assert_int_equal(symlink(target, f->path), 0);
	refuses(f, -ELOOP, "cannot be read");
	assert_int_equal(unlink(f->path), 0);
}

static void test_not_a_file(void **state)
{
	struct fixture *f = *state;

	/* Who waits for a writer here holds up the boot. */
	alarm(10);
	assert_int_equal(mkfifo(f->path, 0600), 0);
	refuses(f, -EINVAL, "cannot be read");
	alarm(0);
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(mkdir(f->path, 0700), 0);
	refuses(f, -EINVAL, "cannot be read");
	assert_int_equal(rmdir(f->path), 0);
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_write_and_read),
		TEST(test_order_of_the_steps),
		TEST(test_every_step_fails),
		TEST(test_killed_at_every_step),
		TEST(test_no_room),
		TEST(test_folder_is_made),
		TEST(test_bare_name),
		TEST(test_refused),
		TEST(test_not_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
