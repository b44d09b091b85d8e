// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "intern.h"

struct knp_intern_entry {
	size_t offset;
	size_t len;
	uint64_t hash;
};

void knp_buf_add(struct knp_buf *b, const void *bytes, size_t n)
{
	size_t cap = b->cap ? b->cap : 64;
	uint8_t *v;

	if (b->failed || !n)
		return;
	while (cap - b->n < n)
		cap *= 2;
	if (cap != b->cap) {
		v = realloc(b->v, cap);
		if (!v) {
			b->failed = true;
			return;
		}
		b->v = v;
		b->cap = cap;
	}
	memcpy(b->v + b->n, bytes, n);
	b->n += n;
}

void knp_buf_u8(struct knp_buf *b, uint8_t value)
{
	knp_buf_add(b, &value, sizeof(value));
}

void knp_buf_u32(struct knp_buf *b, uint32_t value)
{
	/* Tags must not depend on the machine: little endian. */
	const uint8_t le[4] = { value, value >> 8, value >> 16, value >> 24 };

	knp_buf_add(b, le, sizeof(le));
}

void knp_buf_str(struct knp_buf *b, const char *s)
{
	size_t n = strlen(s);

	knp_buf_u32(b, n);
	knp_buf_add(b, s, n);
}

void knp_buf_clear(struct knp_buf *b)
{
	free(b->v);
	*b = (struct knp_buf){ 0 };
}

/* FNV-1a, 64 bits; equality is decided by the bytes. */
static uint64_t hash_of(const uint8_t *p, size_t n)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	while (n--)
		h = (h ^ *p++) * 0x100000001b3ULL;
	return h ^ (h >> 32);
}

static int rehash(struct knp_intern *t)
{
	const struct knp_intern_entry *entries = t->entries.v;
	size_t n = t->nslots ? 2 * t->nslots : 64;
	uint32_t *slots = calloc(n, sizeof(*slots));
	size_t at;

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < t->entries.n; i++) {
		at = entries[i].hash & (n - 1);
		while (slots[at])
			at = (at + 1) & (n - 1);
		slots[at] = i + 1;
	}
	free(t->slots);
	t->slots = slots;
	t->nslots = n;
	return 0;
}

/* The slot of a string, or the free one where it belongs. */
static size_t slot_of(const struct knp_intern *t, const void *key, size_t len,
		      uint64_t hash)
{
	const struct knp_intern_entry *seen;
	size_t at;

	for (at = hash & (t->nslots - 1); t->slots[at];
	     at = (at + 1) & (t->nslots - 1)) {
		seen = (const struct knp_intern_entry *)t->entries.v +
		       t->slots[at] - 1;
		if (seen->hash == hash && seen->len == len &&
		    (!len || !memcmp(t->bytes.v + seen->offset, key, len)))
			break;
	}
	return at;
}

int knp_intern(struct knp_intern *t, const void *key, size_t len,
	       uint32_t *ret)
{
	struct knp_intern_entry entry = { .len = len };
	size_t at;

	t->entries.size = sizeof(entry);
	if (2 * (t->entries.n + 1) > t->nslots && rehash(t))
		return -ENOMEM;

	entry.hash = hash_of(key, len);
	at = slot_of(t, key, len, entry.hash);
	if (t->slots[at]) {
		*ret = t->slots[at] - 1;
		return 0;
	}

	entry.offset = t->bytes.n;
	knp_buf_add(&t->bytes, key, len);
	if (t->bytes.failed || !knp_recs_add(&t->entries, &entry))
		return -ENOMEM;
	t->slots[at] = t->entries.n;
	*ret = t->entries.n - 1;
	return 1;
}

bool knp_intern_has(const struct knp_intern *t, const void *key, size_t len)
{
	return t->nslots && t->slots[slot_of(t, key, len, hash_of(key, len))];
}

const void *knp_intern_key(const struct knp_intern *t, uint32_t id,
			   size_t *len)
{
	const struct knp_intern_entry *entry = t->entries.v;

	*len = entry[id].len;
	return t->bytes.v + entry[id].offset;
}

void knp_intern_clear(struct knp_intern *t)
{
	free(t->entries.v);
	knp_buf_clear(&t->bytes);
	free(t->slots);
	*t = (struct knp_intern){ 0 };
}
