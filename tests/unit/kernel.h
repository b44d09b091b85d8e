/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kernel without a kernel: a push backend made of the module's own tables,
 * that is changed by others and fails as told.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include "push.h"
#include "table.h"

/**
 * struct kernel - the ctx of kernel_ops
 * @next: the open transaction
 * @reads: how often all tables were read
 * @fail_write: errno that the next write returns, once
 * @fail_commit: likewise
 * @why: the last refusal of the tables
 */
struct kernel {
	struct knp_tables *tables;
	struct knp_tables *next;
	struct knp_info info;
	uint64_t puts;
	uint64_t deletes;
	int reads;
	int fail_write;
	int fail_commit;
	struct knp_refusal why;
};

extern const struct knp_push_ops kernel_ops;

/* Nothing was committed yet. Return 0 or -ENOMEM. */
int kernel_init(struct kernel *k);
void kernel_clear(struct kernel *k);

/* What tables hold, sorted, without names; NULL out of memory. */
struct knp_ruleset *kernel_dump(const struct knp_tables *t);

#endif /* KERNEL_H */
