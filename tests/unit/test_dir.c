// SPDX-License-Identifier: Apache-2.0
/*
 * The folder source, with real files and real inotify. Nothing sleeps: every
 * test turns the loop until what it waits for is there. That something does
 * not happen is tested with a later file that is waited for instead.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "dir.h"
#include "selector.h"

#define POLICY(name, rest) \
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n" \
	"metadata: {name: " name ", namespace: x}\n" \
	"spec:\n  podSelector: {}\n" rest "---\n"
#define CLOSED		"  policyTypes: [Ingress]\n"
#define BAD		"  ingress: [{from: [{}]}]\n"
/* a pod of which nothing remains */
#define NOTHING(name, value) \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: " name \
	", namespace: x, labels: {a: " value "}}\n---\n"
#define LABELLED(name, value) \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: " name \
	", namespace: x, labels: {a: '" value "'}}\n---\n"

static char top[64];
static char folder[128];
static struct event_base *base;
static struct knp_store *store;
static struct knp_dir *dir;
static struct knp_faults faults;
static unsigned int changes;

static void on_changed(void *arg)
{
	assert_ptr_equal(arg, &changes);
	changes++;
}

static void on_fault(void *arg, const struct knp_fault *fault)
{
	assert_ptr_equal(arg, &changes);
	assert_int_equal(knp_faults_add(&faults, fault->file, fault->object,
					fault->field, "%s", fault->reason), 0);
}

static int run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static int run(const char *fmt, ...)
{
	char command[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	return system(command);
}

static const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

/* Written in place, as an editor or a shell does. */
static void overwrite(const char *name, const char *text)
{
	FILE *f = fopen(path_of(name), "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* Written beside and renamed over. */
static void replace(const char *name, const char *text)
{
	char from[256];

	overwrite(".new", text);
	strcpy(from, path_of(".new"));
	assert_int_equal(rename(from, path_of(name)), 0);
}

/* n.yaml with a pod pn each. */
static void write_many(int n)
{
	char name[32];
	char text[256];

	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%d.yaml", i);
		snprintf(text, sizeof(text), LABELLED("p%d", "0"), i);
		replace(name, text);
	}
}

static void start(void)
{
	assert_int_equal(knp_dir_open(base, folder, store, on_changed,
				      on_fault, &changes, &dir), 0);
}

static void on_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	*(bool *)arg = true;
}

static void turn_until(bool (*done)(const void *arg), const void *arg)
{
	const struct timeval limit = { .tv_sec = 20 };
	bool late = false;
	struct event *guard = evtimer_new(base, on_late, &late);

	evtimer_add(guard, &limit);
	while (!done(arg) && !late)
		event_base_loop(base, EVLOOP_ONCE);
	event_free(guard);
	if (late)
		fail_msg("waited for 20 seconds");
}

static bool has_changed(const void *arg)
{
	return changes >= *(const unsigned int *)arg;
}

static bool has_pod(const void *arg)
{
	return knp_store_pod(store, "x", arg);
}

static bool lacks_pod(const void *arg)
{
	return !has_pod(arg);
}

static bool has_policy(const void *arg)
{
	return knp_store_policy(store, "x", arg);
}

static bool has_faults(const void *arg)
{
	return faults.n >= *(const size_t *)arg;
}

static const char *label(const char *name)
{
	const struct knp_pod *pod = knp_store_pod(store, "x", name);

	return pod ? knp_labels_get(pod->labels, "a") : "none";
}

/* "name=value" */
static bool has_label(const void *arg)
{
	const char *value = strchr(arg, '=') + 1;
	char name[32];

	snprintf(name, sizeof(name), "%.*s", (int)(value - 1 - (char *)arg),
		 (const char *)arg);
	return !strcmp(label(name), value);
}

static void until_started(void)
{
	static const unsigned int once = 1;

	start();
	turn_until(has_changed, &once);
}

static void until_faults(size_t n)
{
	turn_until(has_faults, &n);
	assert_int_equal(faults.n, n);
}

/* A file that comes after everything else has been seen. */
static void until_marker(const char *name)
{
	char file[64];
	char text[256];

	snprintf(file, sizeof(file), "~%s.yaml", name);
	snprintf(text, sizeof(text), LABELLED("%s", ""), name);
	overwrite(file, text);
	turn_until(has_pod, name);
}

static int setup(void **state)
{
	(void)state;
	strcpy(top, "/tmp/knp-dir-XXXXXX");
	if (!mkdtemp(top))
		return -1;
	snprintf(folder, sizeof(folder), "%s/manifests", top);
	changes = 0;
	base = event_base_new();
	store = knp_store_new();
	return mkdir(folder, 0700);
}

static int teardown(void **state)
{
	(void)state;
	knp_dir_close(dir);
	dir = NULL;
	knp_store_free(store);
	event_base_free(base);
	knp_faults_clear(&faults);
	return run("rm -rf '%s'", top);
}

static void opening_what_is_no_folder_fails(void **state)
{
	(void)state;
	overwrite("file", "");
	assert_int_equal(knp_dir_open(base, path_of("none"), store, on_changed,
				      on_fault, NULL, &dir), -ENOENT);
	assert_int_equal(knp_dir_open(base, path_of("file"), store, on_changed,
				      on_fault, NULL, &dir), -ENOTDIR);
	assert_null(dir);
	knp_dir_close(NULL);
}

static void an_empty_folder_is_announced_once(void **state)
{
	(void)state;
	start();
	assert_int_equal(changes, 0);
	until_marker("m");
	assert_true(changes == 1 || changes == 2);
	assert_int_equal(store->npods, 1);
	assert_int_equal(faults.n, 0);
}

static void the_first_change_follows_the_whole_first_scan(void **state)
{
	(void)state;
	write_many(100);
	until_started();
	assert_int_equal(changes, 1);
	assert_int_equal(store->npods, 100);
}

static void files_written_together_are_one_change(void **state)
{
	(void)state;
	until_started();
	write_many(50);
	turn_until(has_pod, "p49");
	assert_int_equal(store->npods, 50);
	assert_int_equal(changes, 2);
}

static void a_replaced_file_replaces_its_objects(void **state)
{
	(void)state;
	overwrite("a.yaml", LABELLED("a", "1") LABELLED("b", "1"));
	until_started();
	replace("a.yaml", LABELLED("a", "2") LABELLED("c", "2"));
	turn_until(has_label, "a=2");
	assert_int_equal(store->npods, 2);
	assert_string_equal(label("c"), "2");
	overwrite("a.yaml", LABELLED("a", "3"));
	turn_until(has_label, "a=3");
	assert_int_equal(store->npods, 1);
	assert_int_equal(faults.n, 0);
}

static void unchanged_content_changes_nothing(void **state)
{
	const struct knp_pod *pod;
	uint64_t version;

	(void)state;
	overwrite("a.yaml", LABELLED("a", "1"));
	overwrite("b.yaml", LABELLED("b", "1") LABELLED("c", "1"));
	until_started();
	version = store->version;
	pod = knp_store_pod(store, "x", "c");
	replace("a.yaml", LABELLED("a", "1"));
	overwrite("a.yaml", LABELLED("a", "1"));
	replace("b.yaml", "# other bytes, same objects\n"
		LABELLED("c", "1") LABELLED("b", "1"));
	until_marker("m");
	assert_int_equal(store->version, version + 1);
	assert_ptr_equal(knp_store_pod(store, "x", "c"), pod);
	assert_int_equal(changes, 2);
}

static void a_quick_second_write_of_the_same_size_is_seen(void **state)
{
	char text[128];

	(void)state;
	overwrite("a.yaml", LABELLED("a", "00"));
	until_started();
	for (int i = 1; i < 60; i++) {
		char want[16];

		snprintf(text, sizeof(text), LABELLED("a", "%02d"), i);
		snprintf(want, sizeof(want), "a=%02d", i);
		overwrite("a.yaml", text);
		turn_until(has_label, want);
	}
}

static void a_deleted_file_takes_its_objects_along(void **state)
{
	(void)state;
	overwrite("a.yaml", LABELLED("a", "1"));
	overwrite("b.yaml", LABELLED("b", "1"));
	until_started();
	assert_int_equal(unlink(path_of("a.yaml")), 0);
	turn_until(lacks_pod, "a");
	assert_int_equal(store->npods, 1);
	assert_int_equal(faults.n, 0);
}

static void a_renamed_file_changes_nothing(void **state)
{
	char from[256];
	uint64_t version;

	(void)state;
	overwrite("a.yaml", LABELLED("a", "1"));
	until_started();
	version = store->version;
	strcpy(from, path_of("a.yaml"));
	assert_int_equal(rename(from, path_of("b.yaml")), 0);
	until_marker("m");
	assert_int_equal(store->version, version + 1);
	assert_string_equal(label("a"), "1");
	assert_int_equal(unlink(path_of("b.yaml")), 0);
	turn_until(lacks_pod, "a");
}

static void an_open_file_is_not_read_before_it_is_closed(void **state)
{
	const struct knp_policy *policy;
	FILE *f;

	(void)state;
	overwrite("a.yaml", POLICY("p", CLOSED));
	until_started();
	f = fopen(path_of("a.yaml"), "w");
	assert_non_null(f);
	/* What is there so far is a valid policy: anybody may come in. */
	fputs(POLICY("p", "  ingress:\n  - from:\n"), f);
	fflush(f);
	until_marker("m");
	policy = knp_store_policy(store, "x", "p");
	assert_int_equal(policy->ningress, 0);
	rewind(f);
	fputs(POLICY("p", "  ingress:\n  - from:\n    - podSelector: {}\n"),
	      f);
	until_marker("n");
	assert_ptr_equal(knp_store_policy(store, "x", "p"), policy);
	fclose(f);
	until_marker("o");
	policy = knp_store_policy(store, "x", "p");
	while (!policy->ningress) {
		event_base_loop(base, EVLOOP_ONCE);
		policy = knp_store_policy(store, "x", "p");
	}
	assert_int_equal(policy->ingress[0].npeers, 1);
	assert_int_equal(faults.n, 0);
}

static void the_first_scan_waits_for_an_open_file(void **state)
{
	static const unsigned int once = 1;
	FILE *f;

	(void)state;
	overwrite("b.yaml", LABELLED("b", "1"));
	f = fopen(path_of("a.yaml"), "w");
	assert_non_null(f);
	start();
	turn_until(has_pod, "b");
	assert_int_equal(changes, 0);
	fputs(LABELLED("a", "1"), f);
	fclose(f);
	turn_until(has_changed, &once);
	assert_string_equal(label("a"), "1");
	assert_int_equal(faults.n, 0);
}

static void a_broken_file_keeps_its_objects_and_is_told_once(void **state)
{
	(void)state;
	overwrite("a.yaml", LABELLED("a", "1") LABELLED("b", "1"));
	until_started();
	overwrite("a.yaml", LABELLED("a", "2") "]\n");
	until_faults(1);
	assert_string_equal(faults.v[0].file, path_of("a.yaml"));
	assert_non_null(strstr(faults.v[0].reason, "line 5"));
	assert_string_equal(label("a"), "1");
	assert_string_equal(label("b"), "1");
	replace("a.yaml", LABELLED("a", "2") "]\n");
	until_marker("m");
	assert_int_equal(faults.n, 1);
	overwrite("a.yaml", LABELLED("a", "2") "}\n");
	until_faults(2);
	assert_string_equal(label("a"), "1");
	overwrite("a.yaml", LABELLED("a", "2"));
	turn_until(has_label, "a=2");
	assert_null(knp_store_pod(store, "x", "b"));
	assert_int_equal(faults.n, 2);
}

static void a_broken_file_that_is_restored_is_quiet(void **state)
{
	uint64_t version;

	(void)state;
	overwrite("a.yaml", LABELLED("a", "1"));
	until_started();
	version = store->version;
	overwrite("a.yaml", "]\n");
	until_faults(1);
	overwrite("a.yaml", LABELLED("a", "1"));
	until_marker("m");
	assert_int_equal(store->version, version + 1);
	overwrite("a.yaml", "]\n");
	until_faults(2);
}

static void a_bad_object_keeps_its_last_good_version(void **state)
{
	(void)state;
	overwrite("a.yaml", LABELLED("p", "good") LABELLED("a", "1"));
	until_started();
	overwrite("a.yaml", NOTHING("p", "2") LABELLED("a", "2"));
	until_faults(1);
	turn_until(has_label, "a=2");
	assert_string_equal(faults.v[0].object, "Pod x/p");
	assert_string_equal(faults.v[0].field, "metadata.labels[a]");
	assert_string_equal(label("p"), "good");
	/* Bad again in other words: still the last good one. */
	overwrite("a.yaml", NOTHING("p", "null"));
	until_faults(2);
	assert_string_equal(label("p"), "good");
	overwrite("a.yaml", LABELLED("p", "better"));
	turn_until(has_label, "p=better");
	/* Gone is gone. */
	overwrite("a.yaml", LABELLED("a", "3"));
	turn_until(has_label, "a=3");
	assert_false(has_pod("p"));
}

static void what_remains_of_a_bad_policy_replaces_its_last_version(void **state)
{
	const struct knp_policy *policy;

	(void)state;
	overwrite("a.yaml", POLICY("p", "  ingress: [{}, {}]\n"));
	until_started();
	overwrite("a.yaml", POLICY("p", BAD) LABELLED("a", "2"));
	until_faults(1);
	turn_until(has_label, "a=2");
	assert_string_equal(faults.v[0].object, "NetworkPolicy x/p");
	assert_string_equal(faults.v[0].field, "spec.ingress[0].from[0]");
	policy = knp_store_policy(store, "x", "p");
	assert_int_equal(policy->ningress, 1);
	assert_true(policy->ingress[0].closed);
	overwrite("a.yaml", POLICY("p", "  ingress: [{}]\n"));
	until_marker("m");
	policy = knp_store_policy(store, "x", "p");
	assert_int_equal(policy->ningress, 1);
	assert_false(policy->ingress[0].closed);
	/* Gone is gone. */
	overwrite("a.yaml", LABELLED("a", "3"));
	turn_until(has_label, "a=3");
	assert_false(has_policy("p"));
}

static void the_faults_that_hold_are_listed(void **state)
{
	const struct knp_faults *known;

	(void)state;
	overwrite("a.yaml", POLICY("p", BAD));
	until_started();
	known = knp_dir_faults(dir);
	assert_int_equal(known->n, 1);
	overwrite("a.yaml", "]");
	until_faults(2);
	assert_int_equal(known->n, 2);
	overwrite("a.yaml", POLICY("p", BAD));
	until_marker("m");
	assert_int_equal(known->n, 1);
	assert_string_equal(known->v[0].object, "NetworkPolicy x/p");
	overwrite("a.yaml", POLICY("p", CLOSED));
	until_marker("n");
	assert_int_equal(known->n, 0);
}

static void a_bad_object_keeps_its_version_across_files(void **state)
{
	(void)state;
	overwrite("a.yaml", LABELLED("p", "1"));
	until_started();
	replace("b.yaml", NOTHING("p", "2"));
	assert_int_equal(unlink(path_of("a.yaml")), 0);
	until_marker("m");
	assert_int_equal(faults.n, 1);
	assert_string_equal(label("p"), "1");
	assert_int_equal(unlink(path_of("b.yaml")), 0);
	until_marker("n");
	assert_false(has_pod("p"));
}

static void a_bad_object_keeps_its_place_before_other_files(void **state)
{
	(void)state;
	overwrite("a.yaml", LABELLED("p", "a"));
	overwrite("b.yaml", LABELLED("p", "b"));
	until_started();
	assert_int_equal(faults.n, 1);
	overwrite("a.yaml", NOTHING("p", "2"));
	until_faults(2);
	until_marker("m");
	assert_string_equal(label("p"), "a");
	assert_int_equal(unlink(path_of("a.yaml")), 0);
	until_marker("n");
	assert_string_equal(label("p"), "b");
}

static void what_remains_of_a_bad_policy_has_its_place(void **state)
{
	(void)state;
	overwrite("a.yaml", POLICY("p", BAD));
	overwrite("b.yaml", POLICY("p", "  ingress: [{}, {}]\n"));
	until_started();
	assert_int_equal(faults.n, 2);
	assert_int_equal(knp_store_policy(store, "x", "p")->ningress, 1);
	assert_int_equal(unlink(path_of("a.yaml")), 0);
	until_marker("m");
	assert_int_equal(knp_store_policy(store, "x", "p")->ningress, 2);
}

static void a_bad_object_of_which_nothing_remains_is_left_out(void **state)
{
	(void)state;
	overwrite("a.yaml", NOTHING("p", "2") LABELLED("q", "1"));
	until_started();
	assert_int_equal(faults.n, 1);
	assert_false(has_pod("p"));
	assert_true(has_pod("q"));
	/* Another file may have a good one. */
	overwrite("b.yaml", LABELLED("p", "1"));
	turn_until(has_pod, "p");
	assert_int_equal(faults.n, 1);
}

static void an_object_that_lost_its_name_deletes_nothing(void **state)
{
	(void)state;
	overwrite("a.yaml", POLICY("p", CLOSED) POLICY("q", CLOSED));
	until_started();
	overwrite("a.yaml", POLICY("", CLOSED) POLICY("r", CLOSED));
	until_faults(1);
	turn_until(has_policy, "r");
	assert_true(has_policy("p"));
	assert_true(has_policy("q"));
	overwrite("a.yaml", POLICY("r", CLOSED));
	until_marker("m");
	assert_false(has_policy("p"));
	assert_false(has_policy("q"));
	assert_true(has_policy("r"));
}

static void of_two_files_the_first_by_name_counts(void **state)
{
	(void)state;
	overwrite("b.yaml", LABELLED("a", "b"));
	overwrite("c.yaml", LABELLED("a", "c"));
	until_started();
	assert_string_equal(label("a"), "b");
	assert_int_equal(faults.n, 1);
	assert_string_equal(faults.v[0].file, path_of("c.yaml"));
	assert_non_null(strstr(faults.v[0].reason, path_of("b.yaml")));
	assert_string_equal(faults.v[0].object, "Pod x/a");

	overwrite("a.yaml", LABELLED("a", "a"));
	turn_until(has_label, "a=a");
	assert_int_equal(faults.n, 2);
	assert_string_equal(faults.v[1].file, path_of("b.yaml"));
	assert_int_equal(unlink(path_of("a.yaml")), 0);
	turn_until(has_label, "a=b");
	assert_int_equal(unlink(path_of("b.yaml")), 0);
	turn_until(has_label, "a=c");
	assert_int_equal(unlink(path_of("c.yaml")), 0);
	turn_until(lacks_pod, "a");
	assert_int_equal(store->npods, 0);
}

static void a_lost_folder_keeps_everything(void **state)
{
	char away[256];

	(void)state;
	overwrite("a.yaml", LABELLED("a", "1"));
	overwrite("b.yaml", LABELLED("b", "1"));
	until_started();
	snprintf(away, sizeof(away), "%s/away", top);
	assert_int_equal(rename(folder, away), 0);
	until_faults(1);
	assert_string_equal(faults.v[0].file, folder);
	assert_int_equal(store->npods, 2);
	/* A new folder of that name is followed, and the old one is not. */
	assert_int_equal(mkdir(folder, 0700), 0);
	overwrite("a.yaml", LABELLED("a", "2"));
	turn_until(has_label, "a=2");
	turn_until(lacks_pod, "b");
	assert_int_equal(run("rm -rf '%s'", away), 0);
	until_marker("m");
	assert_string_equal(label("a"), "2");
}

static void a_folder_behind_a_link_is_followed_when_the_link_moves(void **state)
{
	char one[256];
	char two[256];

	(void)state;
	snprintf(one, sizeof(one), "%s/one", top);
	snprintf(two, sizeof(two), "%s/two", top);
	assert_int_equal(rename(folder, one), 0);
	assert_int_equal(symlink("one", folder), 0);
	overwrite("a.yaml", LABELLED("a", "1"));
	until_started();
	assert_int_equal(mkdir(two, 0700), 0);
	assert_int_equal(run("ln -sfn two '%s'", folder), 0);
	overwrite("a.yaml", LABELLED("a", "2"));
	turn_until(has_label, "a=2");
}

static void a_swapped_configmap_volume_is_seen(void **state)
{
	(void)state;
	assert_int_equal(run("cd '%s' && mkdir ..1 && ln -s ..1 ..data &&\n"
			     "ln -s ..data/a.yaml a.yaml", folder), 0);
	overwrite("..1/a.yaml", LABELLED("a", "1"));
	until_started();
	assert_string_equal(label("a"), "1");
	assert_int_equal(run("cd '%s' && mkdir ..2", folder), 0);
	overwrite("..2/a.yaml", LABELLED("a", "2"));
	assert_int_equal(run("cd '%s' && ln -s ..2 ..tmp &&\n"
			     "mv -T ..tmp ..data && rm -r ..1", folder), 0);
	turn_until(has_label, "a=2");
	assert_int_equal(faults.n, 0);
}

static void a_dangling_link_is_a_fault_until_it_leads_somewhere(void **state)
{
	(void)state;
	overwrite("b.yaml", LABELLED("b", "1"));
	assert_int_equal(symlink("../a", path_of("a.yaml")), 0);
	until_started();
	assert_int_equal(faults.n, 1);
	assert_string_equal(faults.v[0].file, path_of("a.yaml"));
	assert_string_equal(label("b"), "1");
	overwrite("../a", LABELLED("a", "1"));
	turn_until(has_label, "a=1");
	assert_int_equal(faults.n, 1);
}

static void what_is_no_manifest_is_left_alone(void **state)
{
	(void)state;
	overwrite(".a.yaml", "]");
	overwrite("a.txt", "]");
	overwrite("a.yaml~", "]");
	assert_int_equal(mkdir(path_of("d.yaml"), 0700), 0);
	assert_int_equal(mkfifo(path_of("f.yaml"), 0600), 0);
	until_started();
	until_marker("m");
	assert_int_equal(faults.n, 0);
	assert_int_equal(store->npods, 1);
}

static unsigned long queue_length(void)
{
	FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
	unsigned long n;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu", &n), 1);
	fclose(f);
	return n;
}

static void a_lost_event_is_made_up_by_a_scan(void **state)
{
	unsigned long n = queue_length();

	(void)state;
	overwrite("a.yaml", LABELLED("a", "1"));
	overwrite("b.yaml", LABELLED("b", "1"));
	until_started();
	/* Two in turn, because equal events in a row are merged. */
	for (unsigned long i = 0; i <= n; i++)
		assert_int_equal(chmod(path_of(i % 2 ? "a.yaml" : "b.yaml"),
				       0600), 0);
	overwrite("a.yaml", LABELLED("a", "2"));
	overwrite("c.yaml", LABELLED("c", "1"));
	turn_until(has_label, "a=2");
	turn_until(has_pod, "c");
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void a_thousand_pods_are_read_in_time(void **state)
{
	double t;

	(void)state;
	write_many(1000);
	t = seconds();
	until_started();
	print_message("# 1000 files, first scan: %.1f ms\n",
		      (seconds() - t) * 1e3);
	assert_int_equal(store->npods, 1000);
	assert_int_equal(changes, 1);
	t = seconds();
	replace("500.yaml", LABELLED("p500", "1"));
	turn_until(has_label, "p500=1");
	print_message("# one of 1000 files changed: %.1f ms\n",
		      (seconds() - t) * 1e3);
}

/* Whatever happens to the files, the end is what a fresh reader sees. */
static void random_changes_end_as_a_fresh_scan(void **state)
{
	const char *env = getenv("KNP_SEED");
	unsigned int r = env ? (unsigned int)strtoul(env, NULL, 10)
			     : (unsigned int)time(NULL);
	struct knp_store *fresh;
	char name[32];
	char text[512];

	(void)state;
	print_message("# KNP_SEED=%u\n", r);
	until_started();
	for (int step = 0; step < 400; step++) {
		snprintf(name, sizeof(name), "%d.yaml", rand_r(&r) % 5);
		snprintf(text, sizeof(text), LABELLED("p%d", "%d")
			 LABELLED("q%d", "%d"), rand_r(&r) % 4, rand_r(&r) % 3,
			 rand_r(&r) % 4, rand_r(&r) % 3);
		if (rand_r(&r) % 4 == 0)
			unlink(path_of(name));
		else if (rand_r(&r) % 2)
			overwrite(name, text);
		else
			replace(name, text);
		if (rand_r(&r) % 3 == 0)
			event_base_loop(base, EVLOOP_NONBLOCK);
	}
	until_marker("m");
	knp_dir_close(dir);
	fresh = store;
	store = knp_store_new();
	changes = 0;
	until_started();
	assert_int_equal(store->npods, fresh->npods);
	for (size_t i = 0; i < store->npods; i++) {
		assert_string_equal(store->pods[i]->name, fresh->pods[i]->name);
		assert_string_equal(store->pods[i]->labels->v[0].value,
				    fresh->pods[i]->labels->v[0].value);
	}
	knp_store_free(fresh);
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(opening_what_is_no_folder_fails),
		TEST(an_empty_folder_is_announced_once),
		TEST(the_first_change_follows_the_whole_first_scan),
		TEST(files_written_together_are_one_change),
		TEST(a_replaced_file_replaces_its_objects),
		TEST(unchanged_content_changes_nothing),
		TEST(a_quick_second_write_of_the_same_size_is_seen),
		TEST(a_deleted_file_takes_its_objects_along),
		TEST(a_renamed_file_changes_nothing),
		TEST(an_open_file_is_not_read_before_it_is_closed),
		TEST(the_first_scan_waits_for_an_open_file),
		TEST(a_broken_file_keeps_its_objects_and_is_told_once),
		TEST(a_broken_file_that_is_restored_is_quiet),
		TEST(a_bad_object_keeps_its_last_good_version),
		TEST(the_faults_that_hold_are_listed),
		TEST(a_bad_object_keeps_its_version_across_files),
		TEST(a_bad_object_keeps_its_place_before_other_files),
		TEST(what_remains_of_a_bad_policy_replaces_its_last_version),
		TEST(what_remains_of_a_bad_policy_has_its_place),
		TEST(a_bad_object_of_which_nothing_remains_is_left_out),
		TEST(an_object_that_lost_its_name_deletes_nothing),
		TEST(of_two_files_the_first_by_name_counts),
		TEST(a_lost_folder_keeps_everything),
		TEST(a_folder_behind_a_link_is_followed_when_the_link_moves),
		TEST(a_swapped_configmap_volume_is_seen),
		TEST(a_dangling_link_is_a_fault_until_it_leads_somewhere),
		TEST(what_is_no_manifest_is_left_alone),
		TEST(a_lost_event_is_made_up_by_a_scan),
		TEST(a_thousand_pods_are_read_in_time),
		TEST(random_changes_end_as_a_fresh_scan),
	};

	return cmocka_run_group_tests_name("dir", tests, NULL, NULL);
}
