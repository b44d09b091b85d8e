/* SPDX-License-Identifier: Apache-2.0 */
/* The clock by which durations and deadlines are measured. */
#ifndef KNP_CLOCK_H
#define KNP_CLOCK_H

#include <stdint.h>
#include <time.h>

/* CLOCK_MONOTONIC, nanoseconds. */
static inline int64_t knp_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

#endif /* KNP_CLOCK_H */
