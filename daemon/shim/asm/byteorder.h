/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Shim, see types.h: the kernel's casts have __force, which is stripped from
 * the headers that userspace gets.
 */
#ifndef KNP_SHIM_ASM_BYTEORDER_H
#define KNP_SHIM_ASM_BYTEORDER_H

#include_next <asm/byteorder.h>
#include <linux/types.h>

#ifdef __CHECKER__
#undef __be32_to_cpu
#undef __cpu_to_be32
#undef __cpu_to_be64
#define __be32_to_cpu(x) ((__force __u32)(__be32)(x))
#define __cpu_to_be32(x) ((__force __be32)(__u32)(x))
#define __cpu_to_be64(x) ((__force __be64)(__u64)(x))
#endif

#endif /* KNP_SHIM_ASM_BYTEORDER_H */
