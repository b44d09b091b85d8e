/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Shim, see types.h: there is one thread. */
#ifndef KNP_SHIM_LINUX_ATOMIC_H
#define KNP_SHIM_LINUX_ATOMIC_H

struct knp_shim_counter {
	long counter;
};

#define atomic_long_t struct knp_shim_counter

static inline void atomic_long_add(long n, atomic_long_t *v)
{
	v->counter += n;
}

static inline void atomic_long_sub(long n, atomic_long_t *v)
{
	v->counter -= n;
}

static inline long atomic_long_read(const atomic_long_t *v)
{
	return v->counter;
}

#endif /* KNP_SHIM_LINUX_ATOMIC_H */
