/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Shims that let userspace compile the pure core of kmod/ unchanged. Only what
 * the core uses is here. They shadow the system's headers of the same name, so
 * each of them passes on to the system's where there is one.
 */
#ifndef KNP_SHIM_LINUX_TYPES_H
#define KNP_SHIM_LINUX_TYPES_H

#include_next <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/cdefs.h>	/* __always_inline */

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;

#define U32_MAX UINT32_MAX
#define U64_MAX UINT64_MAX

#define __weak __attribute__((__weak__))
#define __aligned(n) __attribute__((__aligned__(n)))
#ifdef __CHECKER__
#define __force __attribute__((force))
#else
#define __force
#endif

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#endif /* KNP_SHIM_LINUX_TYPES_H */
