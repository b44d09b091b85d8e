/* SPDX-License-Identifier: Apache-2.0 */
/* The order of numbers. */
#ifndef KNP_NUMBERS_H
#define KNP_NUMBERS_H

#include <stdint.h>

/* For qsort(3) and bsearch(3) of uint32_t, ascending. */
static inline int knp_by_number(const void *a, const void *b)
{
	const uint32_t *na = a, *nb = b;

	return (*na > *nb) - (*na < *nb);
}

#endif /* KNP_NUMBERS_H */
