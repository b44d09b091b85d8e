// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>

#include "alloc.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
void __wrap_free(void *p);

static long countdown = -1;
static bool failed;
static long bytes;
static long peak;

void allocs_fail_after(long n)
{
	countdown = n;
	failed = false;
}

bool allocs_failed(void)
{
	return failed;
}

long allocs_bytes(void)
{
	return bytes;
}

long allocs_peak(void)
{
	long was = peak;

	peak = bytes;
	return was;
}

static void count(long more)
{
	bytes += more;
	if (bytes > peak)
		peak = bytes;
}

static bool fails(void)
{
	if (countdown < 0 || countdown--)
		return false;
	failed = true;
	errno = ENOMEM;
	return true;
}

static long held(void *p)
{
	long n = p ? (long)malloc_usable_size(p) : 0;

	if (!p)
		return 0;
	return n <= 24 ? 32 : (n + 8 + 15) / 16 * 16;
}

void *__wrap_malloc(size_t n)
{
	void *p = fails() ? NULL : __real_malloc(n);

	count(held(p));
	return p;
}

void *__wrap_calloc(size_t n, size_t size)
{
	void *p = fails() ? NULL : __real_calloc(n, size);

	count(held(p));
	return p;
}

void *__wrap_realloc(void *p, size_t n)
{
	long had = held(p);
	void *moved = fails() ? NULL : __real_realloc(p, n);

	if (moved)
		count(held(moved) - had);
	return moved;
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	if (size && n > SIZE_MAX / size)
		return NULL;
	return __wrap_realloc(p, n * size);
}

void __wrap_free(void *p)
{
	bytes -= held(p);
	__real_free(p);
}
