// SPDX-License-Identifier: Apache-2.0
/* The map of names and the files of the runtime folder. */
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
		"names", "names.new", "status.json", "knpd.lock",
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

static void write_names(const struct knp_ruleset *rs, uint64_t instance,
			uint64_t generation)
{
	struct knp_names_log *log;

	assert_int_equal(knp_names_log_open(dir, &log), 0);
	assert_int_equal(knp_names_log_ruleset(log, rs, instance, generation),
			 0);
	knp_names_log_close(log);
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
	write_names(rs, instance, 12);
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
	write_names(rs, 1, 1);
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
	write_names(rs, 5, 1);
	assert_int_equal(knp_names_read(dir, &names), 0);
	assert_int_equal(names->n, 0);
	assert_null(by_letter(names, 'r'));
	knp_names_free(names);
	knp_ruleset_free(rs);
}

#define MAGIC	"knp-names 1 0123456789abcdef\n"
#define TAG	"000102030405060708090a0b0c0d0eff"
#define SEAL	"generation 1\n"

static void broken_map_is_refused(void **state)
{
	static const char * const texts[] = {
		"",
		"{}",
		SEAL,
		MAGIC,
		MAGIC "generation 1",
		MAGIC "generation -1\n",
		MAGIC "generation 99999999999999999999\n",
		"knp-names 2 0123456789abcdef\n" SEAL,
		"knp-names 1 123\n" SEAL,
		"knp-names 1 0123456789abcdeg\n" SEAL,
		MAGIC "\n" SEAL,
		MAGIC "rule\n" SEAL,
		MAGIC "rule " TAG "\n" SEAL,
		MAGIC "rule " TAG "\x20\n" SEAL,
		MAGIC "rule zz n\n" SEAL,
		MAGIC "rule " TAG "0 n\n" SEAL,
		MAGIC "odd " TAG " n\n" SEAL,
		MAGIC "address 10.0.0 x/a\n" SEAL,
		MAGIC "address 10.0.0.1\n" SEAL,
		MAGIC "gone\n" SEAL,
		MAGIC "gone 10.0.0\n" SEAL,
		MAGIC "generation x\n" SEAL,
		MAGIC MAGIC SEAL,
	};
	struct knp_names *names = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		put("names", texts[i]);
		assert_int_equal(knp_names_read(dir, &names), -EBADMSG);
		assert_null(names);
	}
}

static const char *address(const struct knp_names *names, const char *text)
{
	struct knp_ip ip;

	assert_int_equal(knp_ip_parse(text, &ip), 0);
	return knp_names_address(names, ip.family, ip.b);
}

static void the_last_line_counts_and_is_cleaned(void **state)
{
	static const uint8_t tag[KNP_TAG_LEN] = {
		0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255,
	};
	struct knp_names *names = NULL;

	(void)state;
	put("names", MAGIC "rule " TAG " x/p ingress[0]\n"
	    "address 10.0.0.1 x/a\nrule " TAG " x/p\033[2J\t\n" SEAL);
	assert_int_equal(knp_names_read(dir, &names), 0);
	assert_true(names->instance == 0x0123456789abcdefULL);
	assert_int_equal(names->generation, 1);
	/* The last line counts, and no escape sequence reaches a terminal. */
	assert_int_equal(names->n, 1);
	assert_string_equal(knp_names_tag(names, tag), "x/p?[2J?");
	assert_string_equal(address(names, "10.0.0.1"), "x/a");
	knp_names_free(names);
}

static void what_is_not_sealed_is_not_there(void **state)
{
	static const char * const tails[] = {
		"address 10.0.0.2 x/b\n",
		"address 10.0.0.2 x/b",
		"gone 10.0.0.1\n",
		"gone 10.0.0.1\ngeneration 2",
		"gone 10.0.0.1\ngenera",
		"complete nonsense\n",
		"\n",
	};
	struct knp_names *names;
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		snprintf(text, sizeof(text), "%s%s",
			 MAGIC "address 10.0.0.1 x/a\n" SEAL, tails[i]);
		put("names", text);
		assert_int_equal(knp_names_read(dir, &names), 0);
		assert_int_equal(names->generation, 1);
		assert_int_equal(names->naddresses, 1);
		assert_string_equal(address(names, "10.0.0.1"), "x/a");
		knp_names_free(names);
	}
}

static void log_address(struct knp_names_log *log, const char *text,
			const char *name)
{
	struct knp_ip ip;

	assert_int_equal(knp_ip_parse(text, &ip), 0);
	if (name)
		knp_names_log_address(log, ip.family, ip.b, "x", name);
	else
		knp_names_log_address_gone(log, ip.family, ip.b);
}

static void log_tag(struct knp_names_log *log, char letter, const char *text)
{
	uint8_t tag[KNP_TAG_LEN];

	memset(tag, letter, sizeof(tag));
	if (text)
		knp_names_log_tag(log, tag, KNP_NAME_RULE, text);
	else
		knp_names_log_tag_gone(log, tag);
}

static ino_t inode(off_t *size)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s/names", dir);
	assert_int_equal(stat(path, &st), 0);
	*size = st.st_size;
	return st.st_ino;
}

static struct knp_names *read_names(uint64_t generation)
{
	struct knp_names *names;

	assert_int_equal(knp_names_read(dir, &names), 0);
	assert_int_equal(names->generation, generation);
	return names;
}

static void changes_are_appended(void **state)
{
	static const char added[] =
		"address 10.0.0.3 x/c\ngone 10.0.0.1\ngeneration 2\n";
	struct knp_ruleset *rs = sample();
	struct knp_names_log *log;
	struct knp_names *names;
	off_t before, after;
	ino_t file;

	(void)state;
	assert_int_equal(knp_names_log_open(dir, &log), 0);
	assert_int_equal(knp_names_log_ruleset(log, rs, 1, 1), 0);
	file = inode(&before);

	log_address(log, "10.0.0.3", "c");
	log_address(log, "10.0.0.1", NULL);
	assert_int_equal(knp_names_log_stamp(log, 2), 0);
	assert_true(inode(&after) == file);
	assert_int_equal(after - before, sizeof(added) - 1);

	names = read_names(2);
	assert_int_equal(names->naddresses, 3);
	assert_null(address(names, "10.0.0.1"));
	assert_string_equal(address(names, "10.0.0.3"), "x/c");
	assert_string_equal(address(names, "fd00::1"), "x/a");
	knp_names_free(names);

	/* What is gone comes back, what has a name gets another. */
	log_address(log, "10.0.0.1", "z");
	log_address(log, "10.0.0.2", "y");
	log_tag(log, 'r', NULL);
	log_tag(log, 'n', "line\nbreak");
	assert_int_equal(knp_names_log_stamp(log, 3), 0);
	names = read_names(3);
	assert_string_equal(address(names, "10.0.0.1"), "x/z");
	assert_string_equal(address(names, "10.0.0.2"), "x/y");
	assert_null(by_letter(names, 'r'));
	assert_string_equal(by_letter(names, 'n'), "line?break");
	assert_string_equal(by_letter(names, 'p'), "80/TCP");
	knp_names_free(names);

	knp_names_log_close(log);
	knp_ruleset_free(rs);
}

static void every_address_is_read_back(void **state)
{
	static const char * const texts[] = {
		"0.0.0.0", "255.255.255.255", "9.10.99.100", "101.0.1.250",
		"::", "::1", "2001:db8::1:0:0:1",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	};
	struct knp_names_log *log;
	struct knp_names *names;
	char name[8], wanted[16];
	size_t i;

	(void)state;
	assert_int_equal(knp_names_log_open(dir, &log), 0);
	knp_names_log_reset(log, 1);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		snprintf(name, sizeof(name), "n%zu", i);
		log_address(log, texts[i], name);
	}
	assert_int_equal(knp_names_log_stamp(log, 1), 0);

	names = read_names(1);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		snprintf(wanted, sizeof(wanted), "x/n%zu", i);
		assert_string_equal(address(names, texts[i]), wanted);
	}
	knp_names_free(names);
	knp_names_log_close(log);
}

static void earlier_generations_can_be_read(void **state)
{
	struct knp_ruleset *rs = sample();
	struct knp_names_log *log;
	struct knp_names *names;

	(void)state;
	assert_int_equal(knp_names_log_open(dir, &log), 0);
	assert_int_equal(knp_names_log_ruleset(log, rs, 1, 7), 0);
	log_address(log, "10.0.0.1", "b");
	assert_int_equal(knp_names_log_stamp(log, 8), 0);
	log_address(log, "10.0.0.1", "c");
	assert_int_equal(knp_names_log_stamp(log, 8), 0);
	log_address(log, "10.0.0.1", "d");
	assert_int_equal(knp_names_log_stamp(log, 9), 0);

	assert_int_equal(knp_names_read_at(dir, 7, &names), 0);
	assert_int_equal(names->generation, 7);
	assert_string_equal(address(names, "10.0.0.1"), "x/a");
	knp_names_free(names);

	/* Sealed twice: as of the second time. */
	assert_int_equal(knp_names_read_at(dir, 8, &names), 0);
	assert_int_equal(names->generation, 8);
	assert_string_equal(address(names, "10.0.0.1"), "x/c");
	knp_names_free(names);

	/* One that is not there: as of the last. */
	assert_int_equal(knp_names_read_at(dir, 10, &names), 0);
	assert_int_equal(names->generation, 9);
	assert_string_equal(address(names, "10.0.0.1"), "x/d");
	knp_names_free(names);

	knp_names_log_close(log);
	knp_ruleset_free(rs);
}

static void nothing_is_written_before_a_stamp(void **state)
{
	struct knp_ruleset *rs = sample();
	struct knp_names_log *log;
	off_t before, after;

	(void)state;
	assert_int_equal(knp_names_log_open(dir, &log), 0);
	assert_int_equal(knp_names_log_ruleset(log, rs, 1, 1), 0);
	inode(&before);
	log_address(log, "10.0.0.3", "c");
	knp_names_log_reset(log, 2);
	log_address(log, "10.0.0.4", "d");
	inode(&after);
	assert_int_equal(before, after);
	knp_names_free(read_names(1));
	knp_names_log_close(log);
	knp_ruleset_free(rs);
}

static void another_instance_has_only_its_own_names(void **state)
{
	struct knp_ruleset *rs = sample();
	struct knp_names_log *log;
	struct knp_names *names;

	(void)state;
	assert_int_equal(knp_names_log_open(dir, &log), 0);
	assert_int_equal(knp_names_log_ruleset(log, rs, 1, 5), 0);
	/* Gathered for the old one. */
	log_address(log, "10.0.0.3", "c");
	knp_names_log_reset(log, 2);
	log_address(log, "10.0.0.4", "d");
	assert_int_equal(knp_names_log_stamp(log, 1), 0);

	names = read_names(1);
	assert_true(names->instance == 2);
	assert_int_equal(names->n, 0);
	assert_int_equal(names->naddresses, 1);
	assert_string_equal(address(names, "10.0.0.4"), "x/d");
	knp_names_free(names);
	knp_names_log_close(log);
	knp_ruleset_free(rs);
}

static void a_file_that_has_grown_too_much_is_begun_anew(void **state)
{
	struct knp_ruleset *rs = sample();
	struct knp_names_log *log;
	off_t small, large;
	uint64_t i;

	(void)state;
	assert_int_equal(knp_names_log_open(dir, &log), 0);
	assert_true(knp_names_log_needs_reset(log));
	assert_int_equal(knp_names_log_ruleset(log, rs, 1, 1), 0);
	inode(&small);

	for (i = 2; !knp_names_log_needs_reset(log); i++) {
		log_address(log, "10.0.0.1", i % 2 ? "a" : "b");
		assert_int_equal(knp_names_log_stamp(log, i), 0);
		assert_true(i < 20000);
	}
	/* Two lines each time, and the 9 it was begun with. */
	assert_int_equal(i - 2, (10000 + 9) / 2 + 1);

	assert_int_equal(knp_names_log_ruleset(log, rs, 1, i), 0);
	assert_false(knp_names_log_needs_reset(log));
	inode(&large);
	assert_in_range(large, small, small + 10);
	knp_names_log_close(log);
	knp_ruleset_free(rs);
}

static void append_needs_the_file_that_was_begun(void **state)
{
	struct knp_ruleset *rs = sample();
	struct knp_names_log *log;
	char path[128];

	(void)state;
	assert_int_equal(knp_names_log_open(dir, &log), 0);
	log_address(log, "10.0.0.3", "c");
	assert_int_equal(knp_names_log_stamp(log, 1), -ESTALE);

	assert_int_equal(knp_names_log_ruleset(log, rs, 1, 1), 0);
	snprintf(path, sizeof(path), "%s/names", dir);
	assert_int_equal(unlink(path), 0);
	log_address(log, "10.0.0.3", "c");
	assert_int_equal(knp_names_log_stamp(log, 2), -ESTALE);
	assert_true(knp_names_log_needs_reset(log));
	log_address(log, "10.0.0.3", "c");
	assert_int_equal(knp_names_log_stamp(log, 3), -ESTALE);

	assert_int_equal(knp_names_log_ruleset(log, rs, 1, 4), 0);
	assert_false(knp_names_log_needs_reset(log));
	knp_names_free(read_names(4));
	knp_names_log_close(log);
	knp_ruleset_free(rs);
}

/* The disk is full in the middle of a line: a limit stands in for it. */
static void append_cut_off_keeps_what_was_sealed(void **state)
{
	struct knp_ruleset *rs = sample();
	struct rlimit limit, saved;
	struct knp_names_log *log;
	struct knp_names *names;
	off_t size, now;

	(void)state;
	assert_int_equal(knp_names_log_open(dir, &log), 0);
	assert_int_equal(knp_names_log_ruleset(log, rs, 1, 1), 0);
	inode(&size);

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &saved), 0);
	limit = saved;
	limit.rlim_cur = (rlim_t)size + 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	log_address(log, "10.0.0.1", NULL);
	assert_int_equal(knp_names_log_stamp(log, 2), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &saved), 0);
	signal(SIGXFSZ, SIG_DFL);

	inode(&now);
	assert_int_equal(now, size + 10);
	assert_true(knp_names_log_needs_reset(log));
	names = read_names(1);
	assert_string_equal(address(names, "10.0.0.1"), "x/a");
	knp_names_free(names);
	knp_names_log_close(log);
	knp_ruleset_free(rs);
}

static void wait_for(pid_t writer, int (*look)(void))
{
	int status;

	do {
		assert_int_equal(look(), 0);
	} while (!waitpid(writer, &status, WNOHANG));

	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
}

static int whole_file(void)
{
	struct knp_names *names;
	int bad;

	if (knp_names_read(dir, &names))
		return -1;

	bad = names->n != 4 || names->naddresses != 3;
	knp_names_free(names);
	return bad;
}

/* A reader between any two replacements sees one of them whole. */
static void replacement_is_atomic(void **state)
{
	struct knp_ruleset *rs = sample();
	struct knp_names_log *log;
	pid_t writer;
	int i;

	(void)state;
	assert_int_equal(knp_names_log_open(dir, &log), 0);
	assert_int_equal(knp_names_log_ruleset(log, rs, 1, 1), 0);
	writer = fork();
	assert_true(writer >= 0);
	if (!writer) {
		for (i = 2; i < 300; i++)
			if (knp_names_log_ruleset(log, rs, 1, (uint64_t)i))
				_exit(1);
		_exit(0);
	}

	wait_for(writer, whole_file);
	knp_names_log_close(log);
	knp_ruleset_free(rs);
}

/* Both addresses change with each generation, and are of one. */
static int same_generation(void)
{
	const char *a, *b;
	struct knp_names *names;
	char wanted[32];
	int bad;

	if (knp_names_read(dir, &names))
		return -1;

	a = address(names, "10.0.0.1");
	b = address(names, "fd00::1");
	snprintf(wanted, sizeof(wanted), "x/%llu",
		 (unsigned long long)names->generation);
	bad = !a || !b || strcmp(a, wanted) || strcmp(b, wanted);
	knp_names_free(names);
	return bad;
}

static int log_both(struct knp_names_log *log, int generation)
{
	char name[16];

	snprintf(name, sizeof(name), "%d", generation);
	log_address(log, "10.0.0.1", name);
	log_address(log, "fd00::1", name);
	return knp_names_log_stamp(log, (uint64_t)generation);
}

static void a_reader_during_appends_sees_whole_generations(void **state)
{
	struct knp_names_log *log;
	pid_t writer;
	int i;

	(void)state;
	assert_int_equal(knp_names_log_open(dir, &log), 0);
	knp_names_log_reset(log, 1);
	assert_int_equal(log_both(log, 1), 0);
	writer = fork();
	assert_true(writer >= 0);
	if (!writer) {
		for (i = 2; i < 5000; i++) {
			if (i % 1000 == 0)
				knp_names_log_reset(log, 1);
			if (log_both(log, i))
				_exit(1);
		}
		_exit(0);
	}

	wait_for(writer, same_generation);
	knp_names_free(read_names(4999));
	knp_names_log_close(log);
}

static void failed_write_keeps_the_old_file(void **state)
{
	struct knp_ruleset *rs = sample();
	struct knp_names_log *log;
	char path[128];

	(void)state;
	assert_int_equal(knp_names_log_open(dir, &log), 0);
	assert_int_equal(knp_names_log_ruleset(log, rs, 1, 1), 0);
	/* The temporary file's name is taken by a folder. */
	snprintf(path, sizeof(path), "%s/names.new", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_not_equal(knp_names_log_ruleset(log, rs, 1, 2), 0);
	assert_true(knp_names_log_needs_reset(log));
	assert_int_equal(rmdir(path), 0);

	knp_names_free(read_names(1));
	knp_names_log_close(log);
	knp_ruleset_free(rs);
}

static void names_are_for_root_only(void **state)
{
	struct knp_ruleset *rs = sample();
	char path[128];
	struct stat st;

	(void)state;
	write_names(rs, 1, 1);
	snprintf(path, sizeof(path), "%s/names", dir);
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
		T(the_last_line_counts_and_is_cleaned),
		T(what_is_not_sealed_is_not_there),
		T(changes_are_appended),
		T(every_address_is_read_back),
		T(earlier_generations_can_be_read),
		T(nothing_is_written_before_a_stamp),
		T(another_instance_has_only_its_own_names),
		T(a_file_that_has_grown_too_much_is_begun_anew),
		T(append_needs_the_file_that_was_begun),
		T(append_cut_off_keeps_what_was_sealed),
		T(a_reader_during_appends_sees_whole_generations),
		T(names_are_for_root_only),
		T(lock_is_held_once),
		T(folder_is_made_but_never_in_place_of_a_file),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
