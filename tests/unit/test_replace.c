// SPDX-License-Identifier: Apache-2.0
/* Replacing all objects of a kind by a list: all of it, or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "alloc.h"
#include "parts.h"
#include "replace.h"

/* What the observer was told, as text: "+x/a" is new, "-" gone, "~" other. */
static char told[4096];

static void tell(const char *ns, const char *name, bool was, bool is)
{
	size_t n = strlen(told);

	snprintf(told + n, sizeof(told) - n, "%s%c%s/%s", n ? " " : "",
		 !was ? '+' : !is ? '-' : '~', ns, name);
}

static void tell_namespace(void *arg, const struct knp_namespace *was,
			   const struct knp_namespace *is)
{
	(void)arg;
	tell("", (is ? is : was)->name, was, is);
}

static void tell_pod(void *arg, const struct knp_pod *was,
		     const struct knp_pod *is)
{
	const struct knp_pod *pod = is ? is : was;

	(void)arg;
	tell(pod->ns, pod->name, was, is);
}

static void tell_policy(void *arg, const struct knp_policy *was,
			const struct knp_policy *is)
{
	const struct knp_policy *policy = is ? is : was;

	(void)arg;
	tell(policy->ns, policy->name, was, is);
}

static const struct knp_store_ops ops = { tell_namespace, tell_pod, tell_policy };

/* A pod in a version: its creation time. */
static struct knp_pod *pod_of(const char *ns, const char *name,
			      unsigned int version)
{
	struct parts *p = parts();

	p->view.ns = knp_text_of(ns);
	p->view.name = knp_text_of(name);
	p->view.created = version;
	return made(p);
}

static struct knp_object object_of(const char *name, unsigned int version)
{
	return (struct knp_object){
		.kind = KNP_KIND_POD,
		.ns = strdup("x"),
		.name = strdup(name),
		.pod = pod_of("x", name, version),
	};
}

static struct knp_object refused(const char *name)
{
	return (struct knp_object){
		.kind = KNP_KIND_POD,
		.refused = true,
		.ns = strdup("x"),
		.name = strdup(name),
	};
}

/* A store of x/b, x/d and x/f in version 1, watched from now on. */
static struct knp_store *store_of_bdf(void)
{
	struct knp_store *s = knp_store_new();

	assert_non_null(s);
	assert_int_equal(knp_store_put_pod(s, pod_of("x", "b", 1)), 0);
	assert_int_equal(knp_store_put_pod(s, pod_of("x", "d", 1)), 0);
	assert_int_equal(knp_store_put_pod(s, pod_of("x", "f", 1)), 0);
	told[0] = '\0';
	knp_store_watch(s, &ops, NULL);
	return s;
}

static struct knp_replace *begun(struct knp_store *s)
{
	struct knp_replace *r;

	assert_int_equal(knp_replace_begin(s, KNP_KIND_POD, &r), 0);
	return r;
}

static void put(struct knp_replace *r, const char *name, unsigned int version)
{
	struct knp_object object = object_of(name, version);

	assert_int_equal(knp_replace_put(r, &object), 0);
	assert_null(object.any);
	assert_null(object.name);
}

static void put_refused(struct knp_replace *r, const char *name)
{
	struct knp_object object = refused(name);

	assert_int_equal(knp_replace_put(r, &object), 0);
}

/* The version of x/name, -1 if there is none. */
static long version_of(const struct knp_store *s, const char *name)
{
	const struct knp_pod *pod = knp_store_pod(s, "x", name);

	return pod ? (long)pod->created : -1;
}

static int nothing_shared(void **state)
{
	(void)state;
	allocs_fail_after(-1);
	assert_int_equal(knp_string_count(), 0);
	assert_int_equal(knp_labels_count(), 0);
	return 0;
}

static void the_store_becomes_the_list(void **state)
{
	struct knp_store *s = store_of_bdf();
	struct knp_replace *r = begun(s);

	(void)state;
	put(r, "a", 1);
	put(r, "b", 1);
	put(r, "d", 2);
	put(r, "e", 1);
	assert_string_equal(told, "");
	assert_int_equal(s->npods, 3);
	assert_int_equal(knp_replace_commit(r), 0);
	assert_string_equal(told, "-x/f +x/a ~x/d +x/e");
	assert_int_equal(s->npods, 4);
	assert_int_equal(version_of(s, "a"), 1);
	assert_int_equal(version_of(s, "b"), 1);
	assert_int_equal(version_of(s, "d"), 2);
	assert_int_equal(version_of(s, "e"), 1);
	knp_store_free(s);
}

static void a_list_of_what_is_known_changes_nothing(void **state)
{
	struct knp_store *s = store_of_bdf();
	struct knp_replace *r = begun(s);
	uint64_t version = s->version;

	(void)state;
	put(r, "f", 1);
	put(r, "b", 1);
	put(r, "d", 1);
	put(r, "b", 1);
	assert_int_equal(knp_replace_commit(r), 0);
	assert_string_equal(told, "");
	assert_int_equal(s->version, version);
	assert_int_equal(s->npods, 3);
	knp_store_free(s);
}

static void an_empty_list_empties_the_store(void **state)
{
	struct knp_store *s = store_of_bdf();

	(void)state;
	assert_int_equal(knp_replace_commit(begun(s)), 0);
	assert_string_equal(told, "-x/f -x/d -x/b");
	assert_int_equal(s->npods, 0);
	assert_int_equal(knp_replace_commit(begun(s)), 0);
	knp_store_free(s);
}

static void a_list_that_breaks_off_leaves_no_trace(void **state)
{
	struct knp_store *s = store_of_bdf();
	struct knp_replace *r = begun(s);

	(void)state;
	put(r, "a", 1);
	put(r, "d", 2);
	knp_replace_abort(r);
	knp_replace_abort(NULL);
	assert_string_equal(told, "");
	assert_int_equal(s->npods, 3);

	/* Nor is the next list mixed with it. */
	r = begun(s);
	put(r, "b", 1);
	assert_int_equal(knp_replace_commit(r), 0);
	assert_string_equal(told, "-x/f -x/d");
	knp_store_free(s);
}

static void the_last_version_of_a_list_counts(void **state)
{
	struct knp_store *s = store_of_bdf();
	struct knp_replace *r = begun(s);

	(void)state;
	put(r, "a", 1);
	put(r, "a", 2);
	put(r, "b", 2);
	put(r, "b", 1);		/* as the store has it */
	put(r, "d", 1);
	put(r, "d", 2);
	assert_int_equal(knp_replace_commit(r), 0);
	assert_string_equal(told, "-x/f +x/a ~x/d");
	assert_int_equal(version_of(s, "a"), 2);
	assert_int_equal(version_of(s, "b"), 1);
	assert_int_equal(version_of(s, "d"), 2);
	knp_store_free(s);
}

static void what_is_deleted_during_the_list_is_not_in_it(void **state)
{
	struct knp_store *s = store_of_bdf();
	struct knp_replace *r = begun(s);

	(void)state;
	put(r, "a", 1);
	put(r, "b", 1);
	put(r, "d", 2);
	put(r, "f", 1);
	assert_int_equal(knp_replace_del(r, "x", "a"), 0);
	assert_int_equal(knp_replace_del(r, "x", "b"), 0);
	assert_int_equal(knp_replace_del(r, "x", "d"), 0);
	assert_int_equal(knp_replace_del(r, "x", "f"), 0);
	assert_int_equal(knp_replace_del(r, "x", "never"), 0);
	put(r, "f", 3);		/* and made anew */
	assert_int_equal(knp_replace_commit(r), 0);
	assert_string_equal(told, "-x/d -x/b ~x/f");
	assert_int_equal(version_of(s, "f"), 3);
	knp_store_free(s);
}

static void a_refused_object_keeps_its_last_version(void **state)
{
	struct knp_store *s = store_of_bdf();
	struct knp_replace *r = begun(s);

	(void)state;
	put_refused(r, "b");
	put(r, "d", 2);
	put_refused(r, "d");
	put(r, "e", 5);
	put_refused(r, "e");
	put_refused(r, "unknown");
	assert_int_equal(knp_replace_commit(r), 0);
	assert_string_equal(told, "-x/f ~x/d +x/e");
	assert_int_equal(version_of(s, "b"), 1);
	assert_int_equal(version_of(s, "d"), 2);
	assert_int_equal(version_of(s, "e"), 5);
	assert_null(knp_store_pod(s, "x", "unknown"));
	knp_store_free(s);
}

static void an_object_of_another_kind_is_no_part_of_it(void **state)
{
	struct knp_store *s = store_of_bdf();
	struct knp_replace *r = begun(s);
	struct knp_label_view none[1];
	struct knp_object object = {
		.kind = KNP_KIND_NAMESPACE, .name = strdup("x"),
		.namespace = knp_namespace_new("x", none, 0),
	};

	(void)state;
	assert_int_equal(knp_replace_put(r, &object), -EINVAL);
	assert_null(object.any);
	assert_int_equal(knp_replace_commit(r), 0);
	assert_int_equal(s->nnamespaces, 0);
	knp_store_free(s);
}

static void other_kinds_are_left_alone(void **state)
{
	struct knp_label_view none[1];
	struct knp_store *s = store_of_bdf();
	struct knp_replace *r;
	struct knp_object object = {
		.kind = KNP_KIND_NAMESPACE,
		.ns = strdup(""), .name = strdup("y"),
	};

	(void)state;
	assert_int_equal(knp_store_put_namespace(s, knp_namespace_new("x", none,
								      0)), 0);
	assert_int_equal(knp_replace_begin(s, KNP_KIND_NAMESPACE, &r), 0);
	object.namespace = knp_namespace_new("y", none, 0);
	assert_int_equal(knp_replace_put(r, &object), 0);
	assert_int_equal(knp_replace_commit(r), 0);
	assert_int_equal(s->nnamespaces, 1);
	assert_string_equal(s->namespaces[0]->name, "y");
	assert_int_equal(s->npods, 3);
	knp_store_free(s);
}

/* One whole list, of which an allocation fails; 0 if it went through. */
static int list_without(struct knp_store *s, long n)
{
	struct knp_object objects[] = {
		object_of("a", 1), object_of("b", 1), object_of("d", 2),
		refused("f"), object_of("g", 1),
	};
	struct knp_replace *r = NULL;
	int err;

	allocs_fail_after(n);
	err = knp_replace_begin(s, KNP_KIND_POD, &r);
	for (size_t i = 0; i < sizeof(objects) / sizeof(*objects); i++) {
		if (!err)
			err = knp_replace_put(r, &objects[i]);
		knp_object_clear(&objects[i]);
	}
	if (!err)
		err = knp_replace_commit(r);
	assert_int_equal(err, allocs_failed() ? -ENOMEM : 0);
	if (err)
		knp_replace_abort(r);
	return err;
}

static void a_list_without_memory_leaves_no_trace(void **state)
{
	struct knp_store *s = store_of_bdf();
	long n = 0;

	(void)state;
	while (list_without(s, n)) {
		assert_string_equal(told, "");
		assert_int_equal(s->npods, 3);
		assert_int_equal(version_of(s, "d"), 1);
		n++;
	}
	/* Three to begin, the staged array, room in the store. */
	assert_int_equal(n, 4);
	assert_string_equal(told, "+x/a ~x/d +x/g");
	knp_store_free(s);
}

static void a_commit_without_memory_can_be_tried_again(void **state)
{
	struct knp_store *s = store_of_bdf();
	struct knp_replace *r = begun(s);
	char name[16];

	(void)state;
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		put(r, name, 1);
	}
	allocs_fail_after(0);
	assert_int_equal(knp_replace_commit(r), -ENOMEM);
	assert_string_equal(told, "");
	assert_int_equal(s->npods, 3);
	allocs_fail_after(-1);
	assert_int_equal(knp_replace_commit(r), 0);
	assert_int_equal(s->npods, 50);
	knp_store_free(s);
}

/* Every pod is bound to one address more, which takes memory. */
static int bind_one(void *arg, const struct knp_pod *pod, struct knp_pod **ret)
{
	if (pod->nbound)
		return 0;
	*ret = knp_pod_bind(pod, arg, 1);
	return *ret ? 0 : -ENOMEM;
}

static void a_commit_whose_intake_fails_changes_nothing(void **state)
{
	struct knp_ip ip = { .b = { 10, 0, 0, 1 }, .family = AF_INET };
	struct knp_store *s = store_of_bdf();
	struct knp_replace *r = begun(s);
	long n = 0;

	(void)state;
	/* There is room for as many: what is allocated are the copies. */
	put(r, "a", 1);
	put(r, "d", 2);
	put(r, "e", 1);
	knp_store_intake(s, bind_one, &ip);
	for (;; n++) {
		allocs_fail_after(n);
		if (!knp_replace_commit(r))
			break;
		assert_true(allocs_failed());
		assert_string_equal(told, "");
		assert_int_equal(s->npods, 3);
		assert_int_equal(version_of(s, "d"), 1);
	}
	allocs_fail_after(-1);
	/* Two failures: a pod that was copied is not copied again. */
	assert_int_equal(n, 2);
	assert_string_equal(told, "-x/f -x/b +x/a ~x/d +x/e");
	assert_int_equal(s->npods, 3);
	for (size_t i = 0; i < s->npods; i++)
		assert_int_equal(s->pods[i]->nbound, 1);
	knp_store_free(s);
}

#define NAMES	40

/* A step of a list, and what becomes of one object by it. */
static void step(struct knp_replace *r, unsigned int *seed, const int *stored,
		 int *listed)
{
	unsigned int at = (unsigned int)rand_r(seed) % NAMES;
	unsigned int what = (unsigned int)rand_r(seed) % 8;
	char name[16];

	snprintf(name, sizeof(name), "p%u", at);
	if (what == 0) {
		assert_int_equal(knp_replace_del(r, "x", name), 0);
		listed[at] = -1;
	} else if (what == 1) {
		put_refused(r, name);
		if (listed[at] < 0)
			listed[at] = stored[at];
	} else {
		put(r, name, what % 3);
		listed[at] = (int)what % 3;
	}
}

static void random_lists_equal_a_plain_table(void **state)
{
	const char *text = getenv("KNP_SEED");
	unsigned int seed = text ? (unsigned int)strtoul(text, NULL, 10) : 1;
	struct knp_store *s = knp_store_new();
	int stored[NAMES], listed[NAMES];
	char name[16];

	(void)state;
	print_message("# KNP_SEED=%u\n", seed);
	memset(stored, -1, sizeof(stored));
	for (int round = 0; round < 300; round++) {
		struct knp_replace *r = begun(s);

		memset(listed, -1, sizeof(listed));
		for (int i = rand_r(&seed) % 100; i--;)
			step(r, &seed, stored, listed);
		if (rand_r(&seed) % 4) {
			assert_int_equal(knp_replace_commit(r), 0);
			memcpy(stored, listed, sizeof(stored));
		} else {
			knp_replace_abort(r);
		}
		for (int i = 0; i < NAMES; i++) {
			snprintf(name, sizeof(name), "p%d", i);
			assert_int_equal(version_of(s, name), stored[i]);
		}
	}
	knp_store_free(s);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, nothing_shared, \
						nothing_shared)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_store_becomes_the_list),
		TEST(a_list_of_what_is_known_changes_nothing),
		TEST(an_empty_list_empties_the_store),
		TEST(a_list_that_breaks_off_leaves_no_trace),
		TEST(the_last_version_of_a_list_counts),
		TEST(what_is_deleted_during_the_list_is_not_in_it),
		TEST(a_refused_object_keeps_its_last_version),
		TEST(an_object_of_another_kind_is_no_part_of_it),
		TEST(other_kinds_are_left_alone),
		TEST(a_list_without_memory_leaves_no_trace),
		TEST(a_commit_without_memory_can_be_tried_again),
		TEST(a_commit_whose_intake_fails_changes_nothing),
		TEST(random_lists_equal_a_plain_table),
	};

	return cmocka_run_group_tests_name("replace", tests, NULL, NULL);
}
