/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long knpd waits before it tries again what the kernel refused, or could not
 * be asked: a second, twice as long after each further failure, at most 30 s. PURE.
 */
#ifndef KNP_RETRY_H
#define KNP_RETRY_H

#define KNP_RETRY_FIRST_MS	1000
#define KNP_RETRY_LAST_MS	30000

/**
 * struct knp_retry - all zero is the start
 * @ms: how long it was waited last, 0 if nothing has failed
 */
struct knp_retry {
	int ms;
};

/* It failed: return how long to wait, ms. */
int knp_retry_next(struct knp_retry *r);

/* It worked, or there is a reason why it should now. */
void knp_retry_reset(struct knp_retry *r);

#endif /* KNP_RETRY_H */
