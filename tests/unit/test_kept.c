// SPDX-License-Identifier: Apache-2.0
/*
 * Policies that outlive their objects: those of a namespace that terminates, for
 * as long as it has pods.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "kept.h"
#include "parts.h"
#include "replace.h"

static void put_namespace(struct knp_store *s, const char *name, bool ends)
{
	struct knp_label_view none[1];
	struct knp_namespace *ns = knp_namespace_new(name, none, 0);

	assert_non_null(ns);
	ns->terminating = ends;
	assert_int_equal(knp_store_put_namespace(s, ns), 0);
}

static void put_pod(struct knp_store *s, const char *ns, const char *name)
{
	struct parts *p = parts();

	p->view.ns = knp_text_of(ns);
	p->view.name = knp_text_of(name);
	assert_int_equal(knp_store_put_pod(s, made(p)), 0);
}

static struct knp_policy *policy(const char *ns, const char *name,
				 const char *uid)
{
	struct knp_policy *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->ns = knp_string_dup(ns);
	p->name = strdup(name);
	p->uid = strdup(uid);
	p->isolates_ingress = true;
	return p;
}

static void put_policy(struct knp_store *s, const char *ns, const char *name)
{
	assert_int_equal(knp_store_put_policy(s, policy(ns, name, "u")), 0);
}

static unsigned int policies_gone;

static void on_namespace(void *arg, const struct knp_namespace *was,
			 const struct knp_namespace *is)
{
	(void)arg;
	(void)was;
	(void)is;
}

static void on_pod(void *arg, const struct knp_pod *was,
		   const struct knp_pod *is)
{
	(void)arg;
	(void)was;
	(void)is;
}

static void on_policy(void *arg, const struct knp_policy *was,
		      const struct knp_policy *is)
{
	(void)arg;
	if (was && !is)
		policies_gone++;
}

static const struct knp_store_ops ops = { on_namespace, on_pod, on_policy };

/* x terminates, with two pods and two policies; y/a and y/p are beside it. */
static struct knp_store *store_of_x(void)
{
	struct knp_store *s = knp_store_new();

	assert_non_null(s);
	put_namespace(s, "x", true);
	put_namespace(s, "y", false);
	put_pod(s, "x", "a");
	put_pod(s, "x", "b");
	put_pod(s, "y", "a");
	put_policy(s, "x", "p");
	put_policy(s, "x", "q");
	put_policy(s, "y", "p");
	policies_gone = 0;
	knp_store_watch(s, &ops, NULL);
	return s;
}

static bool has(const struct knp_store *s, const char *name)
{
	return knp_store_policy(s, "x", name);
}

static void a_policy_stays_until_the_last_pod_of_its_namespace_goes(void **state)
{
	struct knp_store *s = store_of_x();
	uint64_t version = s->version;

	(void)state;
	knp_store_del_policy(s, "x", "p");
	assert_true(has(s, "p"));
	assert_int_equal(s->nkept, 1);
	assert_true(s->version > version);
	knp_store_del_pod(s, "y", "a");
	knp_store_del_pod(s, "x", "a");
	assert_true(has(s, "p"));
	assert_int_equal(policies_gone, 0);
	knp_store_del_pod(s, "x", "b");
	assert_false(has(s, "p"));
	assert_int_equal(policies_gone, 1);
	assert_int_equal(s->nkept, 0);
	/* Nobody deleted the other. */
	assert_true(has(s, "q"));
	knp_store_free(s);
}

static void elsewhere_a_policy_goes_at_once(void **state)
{
	struct knp_store *s = store_of_x();

	(void)state;
	put_namespace(s, "z", true);
	put_policy(s, "z", "p");
	put_policy(s, "nowhere", "p");
	put_pod(s, "nowhere", "a");
	/* Not terminating, without a pod, without a Namespace. */
	knp_store_del_policy(s, "y", "p");
	knp_store_del_policy(s, "z", "p");
	knp_store_del_policy(s, "nowhere", "p");
	assert_int_equal(policies_gone, 3);
	assert_int_equal(s->nkept, 0);
	knp_store_del_policy(s, "x", "unknown");
	assert_int_equal(s->nkept, 0);
	knp_store_free(s);
}

static void a_kept_policy_goes_with_its_namespace(void **state)
{
	struct knp_store *s = store_of_x();

	(void)state;
	knp_store_del_policy(s, "x", "p");
	knp_store_del_policy(s, "x", "q");
	knp_store_del_namespace(s, "x");
	assert_int_equal(policies_gone, 2);
	assert_int_equal(s->nkept, 0);
	knp_store_free(s);
}

static void a_kept_policy_goes_when_its_namespace_is_another_one(void **state)
{
	struct knp_store *s = store_of_x();

	(void)state;
	knp_store_del_policy(s, "x", "p");
	put_namespace(s, "x", false);
	assert_false(has(s, "p"));
	assert_true(has(s, "q"));
	knp_store_free(s);
}

static void a_put_of_its_name_ends_the_keeping(void **state)
{
	struct knp_store *s = store_of_x();

	(void)state;
	knp_store_del_policy(s, "x", "p");
	knp_store_del_policy(s, "x", "q");
	assert_int_equal(s->nkept, 2);
	assert_int_equal(knp_store_put_policy(s, policy("x", "p", "other")), 0);
	put_policy(s, "x", "q");
	assert_int_equal(s->nkept, 0);
	knp_store_del_pod(s, "x", "a");
	knp_store_del_pod(s, "x", "b");
	assert_string_equal(knp_store_policy(s, "x", "p")->uid, "other");
	assert_true(has(s, "q"));
	knp_store_free(s);
}

static void list_policy(struct knp_replace *r, const char *ns, const char *name)
{
	struct knp_object object = {
		.kind = KNP_KIND_POLICY, .ns = strdup(ns),
		.name = strdup(name), .policy = policy(ns, name, "u"),
	};

	assert_int_equal(knp_replace_put(r, &object), 0);
}

static void a_list_without_a_kept_policy_does_not_end_it(void **state)
{
	struct knp_store *s = store_of_x();
	struct knp_replace *r;

	(void)state;
	knp_store_del_policy(s, "x", "p");
	assert_int_equal(knp_replace_begin(s, KNP_KIND_POLICY, &r), 0);
	list_policy(r, "a", "new");
	assert_int_equal(knp_replace_commit(r), 0);
	/* The other is not in the list either: that is a deletion as any. */
	assert_true(has(s, "p"));
	assert_true(has(s, "q"));
	assert_null(knp_store_policy(s, "y", "p"));
	assert_int_equal(s->nkept, 2);
	assert_int_equal(s->npolicies, 3);
	knp_store_del_pod(s, "x", "a");
	knp_store_del_pod(s, "x", "b");
	assert_int_equal(s->npolicies, 1);
	knp_store_free(s);
}

static void a_list_with_a_kept_policy_ends_the_keeping(void **state)
{
	struct knp_store *s = store_of_x();
	struct knp_replace *r;

	(void)state;
	knp_store_del_policy(s, "x", "p");
	knp_store_del_policy(s, "x", "q");
	assert_int_equal(knp_replace_begin(s, KNP_KIND_POLICY, &r), 0);
	list_policy(r, "x", "p");
	assert_int_equal(knp_replace_commit(r), 0);
	assert_int_equal(s->nkept, 1);
	knp_store_del_namespace(s, "x");
	assert_true(has(s, "p"));
	assert_false(has(s, "q"));
	knp_store_free(s);
}

static void none_goes_while_a_list_is_received(void **state)
{
	struct knp_store *s = store_of_x();
	struct knp_replace *r;

	(void)state;
	for (int commit = 0; commit < 2; commit++) {
		put_namespace(s, "x", true);
		knp_store_del_policy(s, "x", commit ? "q" : "p");
		assert_int_equal(knp_replace_begin(s, KNP_KIND_POLICY, &r), 0);
		list_policy(r, "y", "p");
		knp_store_del_namespace(s, "x");
		assert_int_equal(s->nkept, 1);
		if (commit)
			assert_int_equal(knp_replace_commit(r), 0);
		else
			knp_replace_abort(r);
		assert_int_equal(s->nkept, 0);
		assert_int_equal(has(s, "p"), false);
		assert_int_equal(has(s, "q"), !commit);
	}
	assert_int_equal(s->npolicies, 1);
	knp_store_free(s);
}

static void their_names_are_told(void **state)
{
	struct knp_store *s = store_of_x();
	struct json_object *names = knp_kept_json(s);

	(void)state;
	assert_string_equal(json_object_to_json_string(names), "[ ]");
	json_object_put(names);
	knp_store_del_policy(s, "x", "q");
	names = knp_kept_json(s);
	assert_int_equal(json_object_array_length(names), 1);
	assert_string_equal(json_object_get_string(json_object_array_get_idx(names, 0)),
			    "x/q");
	json_object_put(names);
	knp_store_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy_stays_until_the_last_pod_of_its_namespace_goes),
		cmocka_unit_test(elsewhere_a_policy_goes_at_once),
		cmocka_unit_test(a_kept_policy_goes_with_its_namespace),
		cmocka_unit_test(a_kept_policy_goes_when_its_namespace_is_another_one),
		cmocka_unit_test(a_put_of_its_name_ends_the_keeping),
		cmocka_unit_test(a_list_without_a_kept_policy_does_not_end_it),
		cmocka_unit_test(a_list_with_a_kept_policy_ends_the_keeping),
		cmocka_unit_test(none_goes_while_a_list_is_received),
		cmocka_unit_test(their_names_are_told),
	};

	return cmocka_run_group_tests_name("kept", tests, NULL, NULL);
}
