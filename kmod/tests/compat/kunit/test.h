/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * As much of KUnit as the suites need, for kernels that are configured without
 * it, as all packaged ones are. Kbuild takes this header there; in a kernel with
 * KUnit nothing of it is used.
 *
 * Suites stand in a section that begin.c opens and run.c closes. They run when
 * the module parameter "run" is written, and print KTAP to the kernel's log as
 * KUnit does: each case in a thread of its own, which a failed assertion ends.
 */
#ifndef KNP_COMPAT_KUNIT_TEST_H
#define KNP_COMPAT_KUNIT_TEST_H

#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>

#define KUNIT_PARAM_DESC_SIZE	128
#define KNP_KUNIT_BUFFERS	8

/**
 * struct kunit - a test that runs
 * @param_value: its parameter
 * @failed: an expectation was not met
 * @done: it has ended
 * @buffers: of kunit_kzalloc(), freed at its end
 * @run_case: the case
 */
struct kunit {
	const void *param_value;
	bool failed;
	struct completion done;
	void *buffers[KNP_KUNIT_BUFFERS];
	void (*run_case)(struct kunit *test);
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
		if (next - (array) >= ARRAY_SIZE(array))		\
			return NULL;					\
		get_desc(next, desc);					\
		return next;						\
	}

#define KNP_KUNIT_SECTION	"knp_kunit_suites"
#define kunit_test_suite(suite)						\
	static struct kunit_suite *knp_kunit_suite			\
		__used __section(KNP_KUNIT_SECTION) = &(suite)

/* Tell of an expectation that is not met. */
#define knp_kunit_expect(test, good, what, format, ...)			\
({									\
	bool knp_good = (good);						\
									\
	if (!knp_good) {						\
		(test)->failed = true;					\
		pr_info("    # EXPECTATION FAILED at %s:%d: %s; " format "\n", \
			__FILE__, __LINE__, what, ##__VA_ARGS__);	\
	}								\
	knp_good;							\
})

#define knp_kunit_assert(test, good, what)				\
do {									\
	if (!knp_kunit_expect(test, good, what, "so it ends"))		\
		kthread_complete_and_exit(&(test)->done, 0);		\
} while (0)

#define KUNIT_EXPECT_EQ_MSG(test, a, b, ...)				\
	knp_kunit_expect(test, (a) == (b), #a " == " #b, __VA_ARGS__)
#define KUNIT_EXPECT_GT_MSG(test, a, b, ...)				\
	knp_kunit_expect(test, (a) > (b), #a " > " #b, __VA_ARGS__)
#define KUNIT_EXPECT_EQ(test, a, b)	KUNIT_EXPECT_EQ_MSG(test, a, b, "it is not")
#define KUNIT_EXPECT_NE(test, a, b)					\
	knp_kunit_expect(test, (a) != (b), #a " != " #b, "it is")
#define KUNIT_EXPECT_LT(test, a, b)					\
	knp_kunit_expect(test, (a) < (b), #a " < " #b, "it is not")
#define KUNIT_EXPECT_TRUE(test, a)	knp_kunit_expect(test, a, #a, "false")
#define KUNIT_EXPECT_FALSE(test, a)	knp_kunit_expect(test, !(a), #a, "true")
#define KUNIT_EXPECT_NULL(test, a)	KUNIT_EXPECT_EQ(test, a, NULL)
#define KUNIT_EXPECT_NOT_NULL(test, a)	KUNIT_EXPECT_NE(test, a, NULL)
#define KUNIT_EXPECT_PTR_EQ(test, a, b)	KUNIT_EXPECT_EQ(test, (void *)(a), (void *)(b))
#define KUNIT_EXPECT_STREQ(test, a, b)					\
	knp_kunit_expect(test, !strcmp(a, b), #a " is " #b, "\"%s\"", a)
#define KUNIT_EXPECT_NOT_ERR_OR_NULL(test, a)				\
	knp_kunit_expect(test, !IS_ERR_OR_NULL(a), #a, "nothing")
#define KUNIT_ASSERT_EQ(test, a, b)	knp_kunit_assert(test, (a) == (b), #a " == " #b)
#define KUNIT_ASSERT_NOT_NULL(test, a)	knp_kunit_assert(test, (a) != NULL, #a)
#define KUNIT_ASSERT_NOT_ERR_OR_NULL(test, a)				\
	knp_kunit_assert(test, !IS_ERR_OR_NULL(a), #a)

/* Memory of a test, at most KNP_KUNIT_BUFFERS times; NULL if out of it. */
static inline void *kunit_kzalloc(struct kunit *test, size_t size, gfp_t gfp)
{
	int i;

	for (i = 0; i < KNP_KUNIT_BUFFERS; i++) {
		if (test->buffers[i])
			continue;
		test->buffers[i] = kzalloc(size, gfp);
		return test->buffers[i];
	}

	return NULL;
}

#endif /* KNP_COMPAT_KUNIT_TEST_H */
