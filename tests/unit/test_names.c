// SPDX-License-Identifier: Apache-2.0
/* The map of names and the files of the runtime folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <json-c/json.h>

#include "names.h"
#include "runtime.h"
#include "store.h"

static char dir[64];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/knp-names-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	static const char * const files[] = {
		"names.json", "names.json.new", "status.json", "knpd.lock",
	};
	char path[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	/* Fails if a temporary file was left behind. */
	return rmdir(dir);
}

static void put(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void add_name(struct knp_ruleset *rs, char tag, enum knp_name_kind kind,
		     const char *text)
{
	struct knp_name name = { .kind = kind, .text = strdup(text) };

	memset(name.tag, tag, sizeof(name.tag));
	assert_non_null(knp_recs_add(&rs->names, &name));
}

static void add_address(struct knp_ruleset *rs, const char *ip,
			const char *text)
{
	struct knp_address_name a = { .text = strdup(text) };
	struct knp_ip parsed;

	assert_int_equal(knp_ip_parse(ip, &parsed), 0);
	memcpy(a.addr, parsed.b, sizeof(a.addr));
	a.family = parsed.family;
	assert_non_null(knp_recs_add(&rs->addresses, &a));
}

static struct knp_ruleset *sample(void)
{
	struct knp_ruleset *rs = knp_ruleset_new();

	add_name(rs, 'r', KNP_NAME_RULE, "x/p ingress[0]");
	add_name(rs, 'p', KNP_NAME_PORTSET, "80/TCP");
	add_name(rs, 's', KNP_NAME_SET, "x/p, x/q");
	add_name(rs, 'o', KNP_NAME_SET, "x/\"odd\" \\ name");
	add_address(rs, "10.0.0.1", "x/a");
	add_address(rs, "10.0.0.2", "x/b");
	add_address(rs, "fd00::1", "x/a");
	knp_ruleset_sort(rs);
	return rs;
}

static const char *by_letter(const struct knp_names *names, char letter)
{
	uint8_t tag[KNP_TAG_LEN];

	memset(tag, letter, sizeof(tag));
	return knp_names_tag(names, tag);
}

static void what_is_written_is_read(void **state)
{
	const uint64_t instance = 0xfedcba9876543210ULL;
	struct knp_ruleset *rs = sample();
	struct knp_names *names = NULL;
	struct knp_ip ip;

	(void)state;
	assert_int_equal(knp_names_write(dir, rs, instance, 12), 0);
	assert_int_equal(knp_names_read(dir, &names), 0);
	assert_true(names->instance == instance);
	assert_int_equal(names->generation, 12);
	assert_string_equal(by_letter(names, 'r'), "x/p ingress[0]");
	assert_string_equal(by_letter(names, 'p'), "80/TCP");
	assert_string_equal(by_letter(names, 's'), "x/p, x/q");
	assert_string_equal(by_letter(names, 'o'), "x/\"odd\" \\ name");
	assert_null(by_letter(names, 'z'));

	assert_int_equal(knp_ip_parse("10.0.0.2", &ip), 0);
	assert_string_equal(knp_names_address(names, ip.family, ip.b), "x/b");
	assert_int_equal(knp_ip_parse("fd00::1", &ip), 0);
	assert_string_equal(knp_names_address(names, ip.family, ip.b), "x/a");
	assert_int_equal(knp_ip_parse("10.0.0.3", &ip), 0);
	assert_null(knp_names_address(names, ip.family, ip.b));

	knp_names_free(names);
	knp_ruleset_free(rs);
}

static void pod_has_all_its_addresses(void **state)
{
	const struct knp_address_name *a;
	struct knp_ruleset *rs = sample();
	struct knp_names *names = NULL;

	(void)state;
	assert_int_equal(knp_names_write(dir, rs, 1, 1), 0);
	assert_int_equal(knp_names_read(dir, &names), 0);

	a = knp_names_pod(names, "x/a", NULL);
	assert_non_null(a);
	a = knp_names_pod(names, "x/a", a);
	assert_non_null(a);
	assert_null(knp_names_pod(names, "x/a", a));
	assert_null(knp_names_pod(names, "x/nobody", NULL));

	knp_names_free(names);
	knp_ruleset_free(rs);
}

static void no_map_has_no_names(void **state)
{
	struct knp_names *names = NULL;
	uint8_t zero[KNP_TAG_LEN] = { 0 };

	(void)state;
	assert_int_equal(knp_names_read(dir, &names), -ENOENT);
	assert_null(names);
	assert_null(knp_names_tag(NULL, zero));
	assert_null(knp_names_address(NULL, 2, zero));
	assert_null(knp_names_pod(NULL, "x/a", NULL));
	knp_names_free(NULL);
}

static void empty_map_is_a_map(void **state)
{
	struct knp_ruleset *rs = knp_ruleset_new();
	struct knp_names *names = NULL;

	(void)state;
	assert_int_equal(knp_names_write(dir, rs, 5, 1), 0);
	assert_int_equal(knp_names_read(dir, &names), 0);
	assert_int_equal(names->n, 0);
	assert_null(by_letter(names, 'r'));
	knp_names_free(names);
	knp_ruleset_free(rs);
}

static void broken_map_is_refused(void **state)
{
	static const char * const texts[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"instance\": 1, \"generation\": 1, \"tags\": {}, \"addresses\": {}}",
		"{\"instance\": \"1\", \"generation\": 1, \"tags\": {}}",
		"{\"instance\": \"1\", \"generation\": 1, \"tags\": {\"zz\": {\"kind\": \"rule\", \"name\": \"n\"}}, \"addresses\": {}}",
		"{\"instance\": \"1\", \"generation\": 1, \"tags\": {\"00000000000000000000000000000000\": {\"kind\": \"odd\", \"name\": \"n\"}}, \"addresses\": {}}",
		"{\"instance\": \"1\", \"generation\": 1, \"tags\": {\"00000000000000000000000000000000\": 3}, \"addresses\": {}}",
		"{\"instance\": \"1\", \"generation\": 1, \"tags\": {}, \"addresses\": {\"10.0.0\": \"x/a\"}}",
		"{\"instance\": \"1\", \"generation\": 1, \"tags\": {}, \"addresses\": {\"10.0.0.1\": null}}",
	};
	struct knp_names *names = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		put("names.json", texts[i]);
		assert_int_equal(knp_names_read(dir, &names), -EBADMSG);
		assert_null(names);
	}
}

/* A reader between any two replacements sees one of them whole. */
static void replacement_is_atomic(void **state)
{
	struct knp_ruleset *rs = sample();
	struct knp_names *names;
	int i, status;
	pid_t writer;

	(void)state;
	assert_int_equal(knp_names_write(dir, rs, 1, 1), 0);
	writer = fork();
	assert_true(writer >= 0);
	if (!writer) {
		for (i = 2; i < 300; i++)
			if (knp_names_write(dir, rs, 1, (uint64_t)i))
				_exit(1);
		_exit(0);
	}

	do {
		assert_int_equal(knp_names_read(dir, &names), 0);
		assert_int_equal(names->n, 4);
		assert_int_equal(names->naddresses, 3);
		knp_names_free(names);
	} while (!waitpid(writer, &status, WNOHANG));

	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
	knp_ruleset_free(rs);
}

static void failed_write_keeps_the_old_file(void **state)
{
	struct knp_ruleset *rs = sample();
	struct knp_names *names = NULL;
	char path[128];

	(void)state;
	assert_int_equal(knp_names_write(dir, rs, 1, 1), 0);
	/* The temporary file's name is taken by a folder. */
	snprintf(path, sizeof(path), "%s/names.json.new", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_not_equal(knp_names_write(dir, rs, 1, 2), 0);
	assert_int_equal(rmdir(path), 0);

	assert_int_equal(knp_names_read(dir, &names), 0);
	assert_int_equal(names->generation, 1);
	knp_names_free(names);
	knp_ruleset_free(rs);
}

static void names_are_for_root_only(void **state)
{
	struct knp_ruleset *rs = sample();
	char path[128];
	struct stat st;

	(void)state;
	assert_int_equal(knp_names_write(dir, rs, 1, 1), 0);
	snprintf(path, sizeof(path), "%s/names.json", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	knp_ruleset_free(rs);
}

static void lock_is_held_once(void **state)
{
	int fd;

	(void)state;
	assert_false(knp_runtime_locked(dir));
	fd = knp_runtime_lock(dir);
	assert_true(fd >= 0);
	assert_true(knp_runtime_locked(dir));
	assert_int_equal(knp_runtime_lock(dir), -EBUSY);
	close(fd);
	assert_false(knp_runtime_locked(dir));
}

static void folder_is_made_but_never_in_place_of_a_file(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/sub", dir);
	assert_int_equal(knp_runtime_make(path), 0);
	assert_int_equal(knp_runtime_make(path), 0);
	assert_int_equal(rmdir(path), 0);

	put("status.json", "{}");
	snprintf(path, sizeof(path), "%s/status.json", dir);
	assert_int_equal(knp_runtime_make(path), -ENOTDIR);
}

#define T(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_is_written_is_read),
		T(pod_has_all_its_addresses),
		T(no_map_has_no_names),
		T(empty_map_is_a_map),
		T(broken_map_is_refused),
		T(replacement_is_atomic),
		T(failed_write_keeps_the_old_file),
		T(names_are_for_root_only),
		T(lock_is_held_once),
		T(folder_is_made_but_never_in_place_of_a_file),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
