// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The test vectors by the tables and lookups that judge packets: each step's
 * difference goes into a copy of the tables, as a commit does it, and every
 * connection that the vector has an answer for is judged.
 *
 * A KUnit suite, in userspace as well (tests/kunit/shim). vectors_data.h is
 * made by tests/kunit/gen_vectors.c.
 */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/socket.h>
#include <linux/string.h>

#include "match.h"
#include "table.h"
#include "vectors.h"
#include "vectors_data.h"

/**
 * struct walk - a vector while it is followed
 * @t: the tables; NULL once an allocation has failed
 * @frozen: they answer questions, and are to be copied before they change
 * @step: title of the step
 * @passes: whether all connections of the question so far pass
 */
struct walk {
	struct knp_tables *t;
	bool frozen;
	const char *step;
	bool passes;
};

static const struct knp_vector_item *item_at(u32 offset)
{
	return (const void *)(knp_vectors + offset);
}

static u32 behind(u32 offset)
{
	u32 end = offset + sizeof(struct knp_vector_item) +
		  item_at(offset)->len;

	return (end + 7) & ~7U;
}

static void copy_frozen(struct kunit *test, struct walk *w)
{
	struct knp_tables *old = w->t;

	if (!w->frozen)
		return;
	w->t = knp_tables_clone(old);
	w->frozen = false;
	knp_tables_free(old);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, w->t);
}

static void change(struct kunit *test, struct walk *w,
		   const struct knp_vector_item *item)
{
	struct knp_refusal why = { 0 };
	int n;

	copy_frozen(test, w);
	if (!w->t)
		return;
	if (item->kind == KNP_VECTOR_PUT)
		n = knp_tables_put(w->t, item->table, item + 1, item->len,
				   &why);
	else
		n = knp_tables_delete(w->t, item->table, item + 1, item->len,
				      &why);
	KUNIT_EXPECT_GT_MSG(test, n, 0, "%s: table %u: %s", w->step,
			    item->table, why.msg ? why.msg : "nothing");
}

static void ask(struct kunit *test, struct walk *w,
		const struct knp_vector_ask *a)
{
	struct knp_verdict v;
	struct knp_flow f = {
		.dport = a->port,
		.family = a->family == AF_INET ? KNP_V4 : KNP_V6,
		.proto = a->proto,
		.has_port = true,
	};

	if (!w->t)
		return;
	if (!w->frozen)
		KUNIT_EXPECT_EQ(test, knp_tables_freeze(w->t), 0);
	w->frozen = true;
	memcpy(f.src.b, a->src, sizeof(f.src.b));
	memcpy(f.dst.b, a->dst, sizeof(f.dst.b));
	knp_match(w->t, &f, &v);
	w->passes &= v.pass;
	if (a->more)
		return;
	KUNIT_EXPECT_EQ_MSG(test, w->passes, (bool)a->pass,
			    "%s: port %u, protocol %u, reason %u", w->step,
			    a->port, a->proto, v.reason);
	w->passes = true;
}

static void verdicts_are_those_of_the_vector(struct kunit *test)
{
	u32 at = behind(*(const u32 *)test->param_value);
	struct walk w = { .step = "", .passes = true };
	const struct knp_vector_item *item;

	w.t = knp_tables_new();
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, w.t);
	for (item = item_at(at);
	     item->kind != KNP_VECTOR_BEGIN && item->kind != KNP_VECTOR_END;
	     at = behind(at), item = item_at(at)) {
		if (item->kind == KNP_VECTOR_STEP)
			w.step = (const char *)(item + 1);
		else if (item->kind == KNP_VECTOR_ASK)
			ask(test, &w, (const void *)(item + 1));
		else
			change(test, &w, item);
	}
	knp_tables_free(w.t);
}

static void name_of(const u32 *at, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s",
		 (const char *)(item_at(*at) + 1));
}

KUNIT_ARRAY_PARAM(vector, knp_vector_at, name_of);

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(verdicts_are_those_of_the_vector, vector_gen_params),
	{}
};

static struct kunit_suite suite = {
	.name = "knp-vectors",
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("knp: the test vectors");
MODULE_LICENSE("Dual MIT/GPL");
