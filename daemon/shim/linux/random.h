/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Shim, see types.h. */
#ifndef KNP_SHIM_LINUX_RANDOM_H
#define KNP_SHIM_LINUX_RANDOM_H

#include <unistd.h>
#include <linux/types.h>

/* Not 0: a test wants the same bytes, in every run. */
extern u64 knp_shim_seed;
u64 knp_shim_seed __weak;

static inline void get_random_bytes(void *buf, size_t len)
{
	u64 x = knp_shim_seed;
	u8 *p = buf;

	if (!x && !getentropy(buf, len))
		return;

	for (; len; len--) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		*p++ = x >> 56;
	}
}

#endif /* KNP_SHIM_LINUX_RANDOM_H */
