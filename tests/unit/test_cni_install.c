// SPDX-License-Identifier: Apache-2.0
/*
 * knp-cni in a folder of plugins and in a chain, on disk: the program is linked
 * with --wrap for the steps that make it last, each of which is noted, and made to
 * fail. What is installed is this program itself.
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
#include <sys/stat.h>
#include <unistd.h>

#include "cni_install.h"

#define CONF	"10-net.conflist"
#define BEFORE	"{\"cniVersion\": \"1.0.0\", \"name\": \"net\", \"plugins\": [{\"type\": \"bridge\"}]}\n"

int __real_fsync(int fd);
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_fsync(int fd);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);

/**
 * struct steps - what reaches the disk
 * @log: a letter per step: s(ync of a file) r(ename) d (sync of a folder)
 * @fail: the step that fails, by its letter
 * @synced: how large the file was that was synced last
 */
static struct steps {
	char log[16];
	char fail;
	off_t synced;
} steps;

static int failing(char letter)
{
	size_t n = strlen(steps.log);

	assert_true(n < sizeof(steps.log) - 1);
	steps.log[n] = letter;
	if (steps.fail != letter)
		return 0;
	errno = ENOSPC;
	return -1;
}

int __wrap_fsync(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	if (!S_ISDIR(st.st_mode))
		steps.synced = st.st_size;
	return failing(S_ISDIR(st.st_mode) ? 'd' : 's') ? -1 : __real_fsync(fd);
}

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return failing('r') ? -1 : __real_renameat(from_dir, from, to_dir, to);
}

/* ---- the folder ---------------------------------------------------------- */

struct fixture {
	char dir[64];
	char conf[96];
	char program[96];
};

static void write_conf(const struct fixture *f)
{
	FILE *file = fopen(f->conf, "w");

	assert_non_null(file);
	assert_true(fputs(BEFORE, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/knp-install.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->conf, sizeof(f->conf), "%s/" CONF, f->dir);
	snprintf(f->program, sizeof(f->program), "%s/knp-cni", f->dir);
	write_conf(f);
	steps = (struct steps){ 0 };
	*state = f;
	return 0;
}

/* Nothing but the two files may be left behind. */
static int teardown(void **state)
{
	struct fixture *f = *state;

	unlink(f->program);
	unlink(f->conf);
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -errno : st.st_size;
}

static bool is_as_before(const struct fixture *f)
{
	char buf[512] = "";
	FILE *file = fopen(f->conf, "r");

	assert_non_null(file);
	assert_true(fread(buf, 1, sizeof(buf) - 1, file) > 0);
	fclose(file);
	return !strcmp(buf, BEFORE);
}

static int install(const struct fixture *f)
{
	struct knp_cni_place place;

	memset(steps.log, 0, sizeof(steps.log));
	return knp_cni_install(f->dir, &place);
}

static int install_program(const struct fixture *f)
{
	memset(steps.log, 0, sizeof(steps.log));
	return knp_cni_install_program(f->dir);
}

static void note_error(void *arg, const char *name, int err)
{
	int *ret = arg;

	assert_string_equal(name, CONF);
	*ret = err;
}

/* ---- what reaches the disk, and when --------------------------------------- */

/* All of a file before its name, and the name before it is said to be done. */
static void test_a_chain_is_on_disk_when_it_is_done(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(install(f), 0);
	assert_string_equal(steps.log, "srd");
	assert_int_equal(steps.synced, size_of(f->conf));
	assert_false(is_as_before(f));
	/* What must not change is not written. */
	assert_int_equal(install(f), 0);
	assert_string_equal(steps.log, "");
}

static void test_a_program_is_on_disk_when_it_is_done(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(install_program(f), 0);
	assert_string_equal(steps.log, "srd");
	assert_int_equal(steps.synced, size_of(f->program));
	assert_int_equal(steps.synced, size_of("/proc/self/exe"));
	assert_int_equal(install_program(f), 0);
	assert_string_equal(steps.log, "");
}

static void test_a_removal_is_on_disk_when_it_is_done(void **state)
{
	struct fixture *f = *state;
	int err = 1;

	assert_int_equal(install(f), 0);
	memset(steps.log, 0, sizeof(steps.log));
	assert_int_equal(knp_cni_uninstall(f->dir, note_error, &err), 0);
	assert_int_equal(err, 0);
	assert_string_equal(steps.log, "srd");
	assert_int_equal(steps.synced, size_of(f->conf));
}

/* Until the name is there it is the old file; nothing else is left behind. */
static void test_every_step_fails(void **state)
{
	static const struct {
		char step;
		const char *log;
	} cases[] = {
		{ 's', "s" }, { 'r', "sr" }, { 'd', "srd" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		steps.fail = cases[i].step;
		assert_int_equal(install(f), -ENOSPC);
		assert_string_equal(steps.log, cases[i].log);
		assert_int_equal(is_as_before(f), cases[i].step != 'd');
		assert_int_equal(install_program(f), -ENOSPC);
		assert_string_equal(steps.log, cases[i].log);
		assert_int_equal(size_of(f->program) < 0, cases[i].step != 'd');
	}
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_chain_is_on_disk_when_it_is_done),
		TEST(test_a_program_is_on_disk_when_it_is_done),
		TEST(test_a_removal_is_on_disk_when_it_is_done),
		TEST(test_every_step_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
