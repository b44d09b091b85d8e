/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Allocations that fail on demand. Only in builds with KNP_FAULTS=1, which are
 * for tests; see mem.h for how the module's allocations get here.
 *
 * Module parameters:
 *   fail_nth     the how many-th allocation from now on fails, 0: none does.
 *	          Counts down, and stops at 0. May be given when loading, so that
 *	          those of the module's init are reached.
 *   fail_reach   allocations since the module was loaded
 *
 * Each failure is a line of the kernel log: "knp: fault at FILE:LINE".
 */
#ifndef KNP_FAULTS_H
#define KNP_FAULTS_H

#include <linux/types.h>

/**
 * knp_fault_is_due() - whether the allocation that stands there fails
 * @file: where it stands
 * @line: where it stands
 *
 * Context: any.
 */
bool knp_fault_is_due(const char *file, int line);

#endif /* KNP_FAULTS_H */
