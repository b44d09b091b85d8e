/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As much of KUnit as the suites of kmod/tests need, for userspace. One suite
 * is one program; it prints TAP, with a line for each parameter. A failed
 * assertion ends the program.
 */
#ifndef KNP_SHIM_KUNIT_TEST_H
#define KNP_SHIM_KUNIT_TEST_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define KUNIT_PARAM_DESC_SIZE	128

#ifndef __aligned
#define __aligned(n)	__attribute__((__aligned__(n)))
#endif

/** struct kunit - a test that runs */
struct kunit {
	const void *param_value;
	bool failed;
};

/** struct kunit_case - one test, for each of its parameters */
struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
	const void *(*generate_params)(const void *prev, char *desc);
};

/** struct kunit_suite - tests; an empty one ends @test_cases */
struct kunit_suite {
	const char *name;
	struct kunit_case *test_cases;
};

#define KUNIT_CASE(test)		{ test, #test, NULL }
#define KUNIT_CASE_PARAM(test, gen)	{ test, #test, gen }

#define KUNIT_ARRAY_PARAM(name, array, get_desc)			\
	static const void *name##_gen_params(const void *prev, char *desc) \
	{								\
		typeof(&(array)[0]) next = prev;			\
									\
		next = next ? next + 1 : (array);			\
		if (next - (array) >=					\
		    (long)(sizeof(array) / sizeof((array)[0])))		\
			return NULL;					\
		get_desc(next, desc);					\
		return next;						\
	}

#define knp_kunit_check(test, good, what, ...)				\
	do {								\
		if (!(good)) {						\
			(test)->failed = true;				\
			printf("# %s:%d: %s: ", __FILE__, __LINE__, what); \
			printf(__VA_ARGS__);				\
			putchar('\n');					\
		}							\
	} while (0)

#define KUNIT_EXPECT_EQ_MSG(test, a, b, ...) \
	knp_kunit_check(test, (a) == (b), #a " == " #b, __VA_ARGS__)
#define KUNIT_EXPECT_GT_MSG(test, a, b, ...) \
	knp_kunit_check(test, (a) > (b), #a " > " #b, __VA_ARGS__)
#define KUNIT_EXPECT_EQ(test, a, b)	KUNIT_EXPECT_EQ_MSG(test, a, b, "not")
#define KUNIT_EXPECT_NOT_ERR_OR_NULL(test, a) \
	knp_kunit_check(test, (a) != NULL, #a, "NULL")
#define KUNIT_ASSERT_NOT_ERR_OR_NULL(test, a)				\
	do {								\
		KUNIT_EXPECT_NOT_ERR_OR_NULL(test, a);			\
		if (!(a))						\
			exit(1);					\
	} while (0)

#define MODULE_DESCRIPTION(text)
#define MODULE_LICENSE(text)

/* The first of a case's parameters, or the next; a case without any has one. */
static inline const void *knp_kunit_param(const struct kunit_case *c,
					  const void *prev, char *desc)
{
	if (c->generate_params)
		return c->generate_params(prev, desc);
	*desc = '\0';
	return prev ? NULL : c;
}

static inline int knp_kunit_run(const struct kunit_suite *suite)
{
	char desc[KUNIT_PARAM_DESC_SIZE];
	unsigned int n = 0, failed = 0;
	const struct kunit_case *c;
	const void *param;

	for (c = suite->test_cases; c->run_case; c++) {
		for (param = knp_kunit_param(c, NULL, desc); param;
		     param = knp_kunit_param(c, param, desc)) {
			struct kunit test = { .param_value = param };

			c->run_case(&test);
			failed += test.failed;
			printf("%s %u - %s%s%s\n", test.failed ? "not ok" : "ok",
			       ++n, c->name, *desc ? ": " : "", desc);
		}
	}
	printf("1..%u\n", n);
	return failed || !n;
}

#define kunit_test_suite(suite)						\
	int main(void)							\
	{								\
		exit(knp_kunit_run(&(suite)));				\
	}

#endif /* KNP_SHIM_KUNIT_TEST_H */
