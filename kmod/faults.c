// SPDX-License-Identifier: GPL-2.0 OR MIT
/* See faults.h. */
#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

#include "faults.h"

static atomic_t left = ATOMIC_INIT(0);
static atomic_t reached = ATOMIC_INIT(0);

static int counter_set(const char *text, const struct kernel_param *kp)
{
	int n, err;

	err = kstrtoint(text, 10, &n);
	if (err)
		return err;
	if (n < 0)
		return -EINVAL;
	atomic_set(kp->arg, n);

	return 0;
}

static int counter_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%d\n", atomic_read(kp->arg));
}

static const struct kernel_param_ops counter_ops = {
	.set = counter_set,
	.get = counter_get,
};

module_param_cb(fail_nth, &counter_ops, &left, 0600);
MODULE_PARM_DESC(fail_nth, "the how many-th allocation from now on fails");
module_param_cb(fail_reach, &counter_ops, &reached, 0400);
MODULE_PARM_DESC(fail_reach, "allocations so far");

bool knp_fault_is_due(const char *file, int line)
{
	atomic_inc(&reached);
	if (!atomic_add_unless(&left, -1, 0) || atomic_read(&left))
		return false;
	pr_info("knp: fault at %s:%d\n", kbasename(file), line);

	return true;
}
