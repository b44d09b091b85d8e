/* SPDX-License-Identifier: Apache-2.0 */
/* The clock by which durations and deadlines are measured. */
#ifndef KNP_CLOCK_H
#define KNP_CLOCK_H

#include <stdint.h>
#include <sys/time.h>
#include <time.h>

/* CLOCK_MONOTONIC, nanoseconds. */
static inline int64_t knp_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Milliseconds, 0 or more, as timers of libevent and sockets want them. */
static inline struct timeval knp_timeval(int64_t ms)
{
	return (struct timeval){
		.tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000) * 1000,
	};
}

#endif /* KNP_CLOCK_H */
