// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Linked last: runs the suites that stand before it, see kunit/test.h. */
#include <kunit/test.h>
#include <linux/moduleparam.h>

extern struct kunit_suite *knp_kunit_begin;

static struct kunit_suite *end __used __section(KNP_KUNIT_SECTION);

static int thread(void *arg)
{
	struct kunit *test = arg;

	test->run_case(test);
	kthread_complete_and_exit(&test->done, 0);
}

/* One case with one parameter; whether it failed. */
static bool fails(const struct kunit_case *c, const void *param)
{
	struct kunit test = { .param_value = param, .run_case = c->run_case };
	struct task_struct *task;
	int i;

	init_completion(&test.done);
	task = kthread_run(thread, &test, "knp-kunit");
	if (IS_ERR(task))
		return true;
	wait_for_completion(&test.done);
	for (i = 0; i < KNP_KUNIT_BUFFERS; i++)
		kfree(test.buffers[i]);

	return test.failed;
}

static bool params_fail(const struct kunit_case *c)
{
	const void *param = NULL;
	char *desc = kzalloc(KUNIT_PARAM_DESC_SIZE, GFP_KERNEL);
	bool failed = false, bad;
	int n = 0;

	if (!desc)
		return true;
	for (;;) {
		param = c->generate_params(param, desc);
		if (!param)
			break;
		bad = fails(c, param);
		failed |= bad;
		pr_info("        %sok %d %s\n", bad ? "not " : "", ++n, desc);
	}
	kfree(desc);

	return failed || !n;
}

static bool suite_fails(const struct kunit_suite *suite)
{
	const struct kunit_case *c;
	bool failed = false, bad;
	int n = 0;

	for (c = suite->test_cases; c->run_case; c++)
		n++;
	pr_info("    # Subtest: %s\n", suite->name);
	pr_info("    1..%d\n", n);
	for (c = suite->test_cases, n = 0; c->run_case; c++) {
		bad = c->generate_params ? params_fail(c) : fails(c, NULL);
		failed |= bad;
		pr_info("    %sok %d %s\n", bad ? "not " : "", ++n, c->name);
	}

	return failed;
}

static int run_set(const char *text, const struct kernel_param *kp)
{
	struct kunit_suite **suite = &knp_kunit_begin;
	int n = 0;

	/* What stands between the two is of other files. */
	OPTIMIZER_HIDE_VAR(suite);
	for (suite++; suite != &end; suite++)
		pr_info("%sok %d %s\n", suite_fails(*suite) ? "not " : "", ++n,
			(*suite)->name);

	return 0;
}

static const struct kernel_param_ops run_ops = { .set = run_set };

module_param_cb(run, &run_ops, NULL, 0200);
MODULE_PARM_DESC(run, "run the suites");
