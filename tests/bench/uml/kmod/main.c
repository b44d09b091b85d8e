// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The device. What it does for callers is in knp_bench.h.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "lane.h"

#define LANES	64
#define WALK	(16U << 20)

/**
 * struct trace - the flows of one slot
 * @flows: to kvfree()
 * @count: of them
 */
struct trace {
	struct kb_flow *flows;
	u32 count;
};

/**
 * struct bench - an open file
 * @lock: one call at a time; covers the rest
 * @traces: by slot
 * @lanes: by number
 * @nlanes: how many
 * @batches: cycles of the batches of a run
 * @walk: what is read to make caches forget
 * @sum: of what was read, so that it is
 */
struct bench {
	struct mutex lock; /* covers the rest */
	struct trace traces[KB_SLOTS];
	struct kb_lane *lanes[LANES];
	u32 nlanes;
	u32 *batches;
	u8 *walk;
	u64 sum;
};

/* Neither earlier nor later instructions are counted. */
static u64 tsc(void)
{
	u32 lo, hi;

	asm volatile("lfence; rdtsc; lfence" : "=a" (lo), "=d" (hi) : : "memory");

	return ((u64)hi << 32) | lo;
}

static int trace_set(struct bench *b, const struct kb_trace *arg)
{
	struct kb_flow *flows;

	if (arg->slot >= KB_SLOTS || !arg->count)
		return -EINVAL;
	flows = vmemdup_user(u64_to_user_ptr(arg->flows),
			     array_size(arg->count, sizeof(*flows)));
	if (IS_ERR(flows))
		return PTR_ERR(flows);
	kvfree(b->traces[arg->slot].flows);
	b->traces[arg->slot] = (struct trace){ flows, arg->count };

	return 0;
}

static int lane_add(struct bench *b, const struct kb_lane_new *arg)
{
	struct kb_lane *l;

	if (b->nlanes == LANES)
		return -ENOSPC;
	l = kb_lane_new(arg);
	if (IS_ERR(l))
		return PTR_ERR(l);
	b->lanes[b->nlanes] = l;

	return b->nlanes++;
}

/* The lane and the trace a call names, NULL if there is none. */
static struct kb_lane *find(struct bench *b, u32 lane, u32 slot,
			    struct trace *t)
{
	if (lane >= b->nlanes || slot >= KB_SLOTS || !b->traces[slot].count)
		return NULL;
	*t = b->traces[slot];

	return b->lanes[lane];
}

/* Return: the position after the batch. */
static u32 batch(struct kb_lane *l, const struct trace *t, u32 at, u32 span)
{
	unsigned int i;

	local_bh_disable();
	rcu_read_lock();
	for (i = 0; i < KB_BATCH; i++) {
		kb_lane_judge(l, i, &t->flows[at]);
		if (++at >= span)
			at = 0;
	}
	rcu_read_unlock();
	local_bh_enable();

	return at;
}

static int compare(const void *a, const void *b)
{
	const u32 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int run(struct bench *b, struct kb_run *arg)
{
	u64 start, before, now;
	struct kb_lane *l;
	struct trace t;
	u32 span, n = 0;

	l = find(b, arg->lane, arg->slot, &t);
	if (!l)
		return -EINVAL;
	span = arg->span ? min(arg->span, t.count) : t.count;
	kb_lane_state(l, arg->established);
	start = tsc();
	do {
		before = tsc();
		l->next = batch(l, &t, l->next < span ? l->next : 0, span);
		now = tsc();
		b->batches[n++] = min_t(u64, now - before, U32_MAX);
		cond_resched();
	} while (now - start < arg->min_cycles && n < KB_BATCHES);
	arg->cycles = now - start;
	arg->packets = (u64)n * KB_BATCH;
	sort(b->batches, n, sizeof(*b->batches), compare, NULL);
	arg->median = b->batches[n / 2];

	return 0;
}

static void forget(struct bench *b, u32 bytes)
{
	u32 i;

	for (i = 0; i < bytes; i += 64)
		b->sum += READ_ONCE(b->walk[i]);
}

static u32 time_one(struct bench *b, struct kb_lane *l, const struct kb_flow *f,
		    unsigned int i, u32 walk)
{
	u64 start, end;

	local_bh_disable();
	rcu_read_lock();
	if (walk)
		forget(b, walk);
	start = tsc();
	kb_lane_judge(l, i % KB_BATCH, f);
	end = tsc();
	rcu_read_unlock();
	local_bh_enable();

	return min_t(u64, end - start, U32_MAX);
}

static int sample(struct bench *b, const struct kb_sample *arg)
{
	struct kb_lane *l;
	struct trace t;
	u32 i, *cycles;
	int err = 0;

	l = find(b, arg->lane, arg->slot, &t);
	if (!l || arg->pad || arg->walk > WALK)
		return -EINVAL;
	cycles = kvmalloc_array(arg->count, sizeof(*cycles), GFP_KERNEL);
	if (!cycles)
		return -ENOMEM;
	kb_lane_state(l, arg->established);
	for (i = 0; i < arg->count; i++) {
		if (l->next >= t.count)
			l->next = 0;
		cycles[i] = time_one(b, l, &t.flows[l->next++], i, arg->walk);
		if (!(i % KB_BATCH))
			cond_resched();
	}
	if (copy_to_user(u64_to_user_ptr(arg->cycles), cycles,
			 array_size(arg->count, sizeof(*cycles))))
		err = -EFAULT;
	kvfree(cycles);

	return err;
}

static int check(struct bench *b, struct kb_check *arg)
{
	struct kb_lane *l;
	struct trace t;
	bool pass;
	u32 i;

	l = find(b, arg->lane, arg->slot, &t);
	if (!l || arg->bit > 7)
		return -EINVAL;
	kb_lane_state(l, arg->established);
	arg->wrong = 0;
	arg->drops = 0;
	arg->first = 0;
	arg->count = t.count;
	for (i = 0; i < t.count; i++) {
		local_bh_disable();
		rcu_read_lock();
		pass = kb_lane_judge(l, i % KB_BATCH, &t.flows[i]);
		rcu_read_unlock();
		local_bh_enable();
		arg->drops += !pass;
		if (pass != !!(t.flows[i].expect & BIT(arg->bit))) {
			if (!arg->wrong++)
				arg->first = i;
		}
		cond_resched();
	}

	return 0;
}

/* A call whose argument is an in/out structure of that type. */
union arg {
	struct kb_trace trace;
	struct kb_lane_new lane;
	struct kb_run run;
	struct kb_sample sample;
	struct kb_check check;
};

static long call(struct bench *b, unsigned int cmd, union arg *arg)
{
	switch (cmd) {
	case KB_TRACE:
		return trace_set(b, &arg->trace);
	case KB_LANE:
		return lane_add(b, &arg->lane);
	case KB_RUN:
		return run(b, &arg->run);
	case KB_SAMPLE:
		return sample(b, &arg->sample);
	case KB_CHECK:
		return check(b, &arg->check);
	default:
		return -ENOTTY;
	}
}

static long bench_ioctl(struct file *file, unsigned int cmd, unsigned long p)
{
	struct bench *b = file->private_data;
	void __user *user = (void __user *)p;
	size_t size = _IOC_SIZE(cmd);
	union arg arg;
	long ret;

	if (size > sizeof(arg))
		return -ENOTTY;
	if (copy_from_user(&arg, user, size))
		return -EFAULT;
	mutex_lock(&b->lock);
	ret = call(b, cmd, &arg);
	mutex_unlock(&b->lock);
	if (ret >= 0 && _IOC_DIR(cmd) & _IOC_READ &&
	    copy_to_user(user, &arg, size))
		return -EFAULT;

	return ret;
}

static int bench_open(struct inode *inode, struct file *file)
{
	struct bench *b = kzalloc(sizeof(*b), GFP_KERNEL);

	if (!b)
		return -ENOMEM;
	b->walk = vzalloc(WALK);
	b->batches = vcalloc(KB_BATCHES, sizeof(*b->batches));
	if (!b->walk || !b->batches) {
		vfree(b->batches);
		vfree(b->walk);
		kfree(b);
		return -ENOMEM;
	}
	mutex_init(&b->lock);
	file->private_data = b;

	return 0;
}

static int bench_release(struct inode *inode, struct file *file)
{
	struct bench *b = file->private_data;
	unsigned int i;

	for (i = 0; i < b->nlanes; i++)
		kb_lane_free(b->lanes[i]);
	for (i = 0; i < KB_SLOTS; i++)
		kvfree(b->traces[i].flows);
	vfree(b->batches);
	vfree(b->walk);
	kfree(b);

	return 0;
}

static const struct file_operations ops = {
	.owner = THIS_MODULE,
	.open = bench_open,
	.release = bench_release,
	.unlocked_ioctl = bench_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "knp_bench",
	.fops = &ops,
	.mode = 0600,
};

module_misc_device(device);

MODULE_DESCRIPTION("Times the hooks of a network namespace");
MODULE_LICENSE("Dual MIT/GPL");
