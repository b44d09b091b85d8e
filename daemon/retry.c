// SPDX-License-Identifier: Apache-2.0
#include "retry.h"

int knp_retry_next(struct knp_retry *r)
{
	r->ms = r->ms ? r->ms * 2 : KNP_RETRY_FIRST_MS;
	if (r->ms > KNP_RETRY_LAST_MS)
		r->ms = KNP_RETRY_LAST_MS;
	return r->ms;
}

void knp_retry_reset(struct knp_retry *r)
{
	*r = (struct knp_retry){ 0 };
}
