// SPDX-License-Identifier: Apache-2.0
#include "kube_backoff.h"

/* @ms to twice that. */
static int64_t jitter(int64_t ms, uint32_t random)
{
	return ms + (int64_t)((uint64_t)ms * random >> 32);
}

int64_t knp_backoff_next(struct knp_backoff *b, int64_t now, uint32_t random,
			 int retry_after)
{
	int64_t asked = (int64_t)retry_after * 1000;
	int64_t ms;

	if (b->base_ms && now - b->until < KNP_BACKOFF_RESET_MS)
		b->base_ms *= 2;
	else
		b->base_ms = KNP_BACKOFF_FIRST_MS;
	if (b->base_ms > KNP_BACKOFF_LAST_MS)
		b->base_ms = KNP_BACKOFF_LAST_MS;

	ms = jitter(b->base_ms, random);
	if (asked > KNP_RETRY_AFTER_MAX_MS)
		asked = KNP_RETRY_AFTER_MAX_MS;
	if (ms < asked)
		ms = asked;
	b->until = now + ms;
	return ms;
}

int64_t knp_backoff_first(uint32_t random)
{
	return jitter(KNP_BACKOFF_FIRST_MS, random);
}
