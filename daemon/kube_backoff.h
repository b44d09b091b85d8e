/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long to wait before asking an API server again.
 *
 * The numbers are client-go's: 0.8 s doubled per failure, at most 30 s, each
 * with up to the same again of jitter, so that a server that is down is asked
 * at most every 30 to 60 s. After two minutes without a failure it starts over.
 * Times are milliseconds of a monotonic clock.
 */
#ifndef KNP_KUBE_BACKOFF_H
#define KNP_KUBE_BACKOFF_H

#include <stdint.h>

#define KNP_BACKOFF_FIRST_MS	800
#define KNP_BACKOFF_LAST_MS	30000
#define KNP_BACKOFF_RESET_MS	120000
/* A Retry-After beyond this is not believed. */
#define KNP_RETRY_AFTER_MAX_MS	300000

/**
 * struct knp_backoff - all zero is the start
 * @base_ms: before jitter, of the last failure; 0 if there was none
 * @until: when the wait after the last failure was over
 */
struct knp_backoff {
	int64_t base_ms;
	int64_t until;
};

/**
 * knp_backoff_next() - a failure: how long to wait
 * @b: the state
 * @now: monotonic, ms
 * @random: uniform over 32 bits
 * @retry_after: what the server asks for, in seconds; 0 if nothing
 *
 * Return: milliseconds; not less than what the server asks for, within reason.
 */
int64_t knp_backoff_next(struct knp_backoff *b, int64_t now, uint32_t random,
			 int retry_after);

/* The shortest wait, jittered, for what is no failure; the state stays. */
int64_t knp_backoff_first(uint32_t random);

#endif /* KNP_KUBE_BACKOFF_H */
