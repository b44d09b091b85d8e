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

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define U32_MAX UINT32_MAX
#define U64_MAX UINT64_MAX

#ifndef __always_inline
#define __always_inline inline __attribute__((__always_inline__))
#endif
#ifndef __maybe_unused
#define __maybe_unused __attribute__((__unused__))
#endif

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#endif /* KNP_SHIM_LINUX_TYPES_H */
