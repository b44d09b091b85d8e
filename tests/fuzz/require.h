/* SPDX-License-Identifier: Apache-2.0 */
/* What a fuzzer holds to be true of every input. */
#ifndef KNP_FUZZ_REQUIRE_H
#define KNP_FUZZ_REQUIRE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static inline void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

#endif /* KNP_FUZZ_REQUIRE_H */
