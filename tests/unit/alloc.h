/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the code under test allocates: counted, and made to fail. The program is
 * linked with --wrap; libraries, and libc itself (strdup), are not seen.
 */
#ifndef KNP_TEST_ALLOC_H
#define KNP_TEST_ALLOC_H

#include <stdbool.h>

/* Let the allocation after the next @n ones fail, and only that; -1: none. */
void allocs_fail_after(long n);

/* Whether it came to that. */
bool allocs_failed(void);

/*
 * Bytes that glibc holds for what is allocated: 8 for each, in steps of 16, at
 * least 32. Only differences mean something.
 */
long allocs_bytes(void);

/* The most of them at any time since the last call. */
long allocs_peak(void);

#endif /* KNP_TEST_ALLOC_H */
