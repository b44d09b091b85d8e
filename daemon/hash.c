// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "hash.h"

#define FIRST_SLOTS	16
/* Elements per slot at which the table doubles: 4 to 8 bytes of it for each. */
#define FULL		2

/* Odd, with as many ones as zeroes, as wyhash wants its constants. */
#define MUL1	0xa0761d6478bd642fULL
#define MUL2	0xe7037ed1a0b428dbULL

static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load32(const unsigned char *p)
{
	uint32_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/* Fewer than eight bytes, in loads of one size each. */
static uint64_t last_word(const unsigned char *p, size_t n)
{
	if (n >= 4)
		return load32(p) | load32(p + n - 4) << 32;
	return n ? p[0] | (uint64_t)p[n / 2] << 8 | (uint64_t)p[n - 1] << 16 :
		   0;
}

uint64_t knp_hash64(const void *bytes, size_t n, uint64_t h)
{
	const unsigned char *p = bytes;
	uint64_t word;
	size_t left = n;

	for (; left >= sizeof(word); left -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = fold(h ^ word ^ MUL1, MUL2);
	}
	/* The length too: a shorter text is not one that ends in zeroes. */
	return fold(h ^ last_word(p, left) ^ MUL1, MUL2 ^ n << 1);
}

uint64_t knp_hash_seed(void)
{
	static uint64_t seed;

	if (!seed) {
		/* Early at boot there is no randomness; the table works. */
		if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) !=
		    sizeof(seed))
			seed = 0;
		seed |= 1;
	}
	return seed;
}

static struct knp_hash_node **slot(const struct knp_hash *h, uint32_t hash)
{
	return &h->slots[hash & (h->nslots - 1)];
}

struct knp_hash_node *
knp_hash_find(const struct knp_hash *h, uint32_t hash,
	      bool (*equal)(const struct knp_hash_node *node, const void *key),
	      const void *key)
{
	struct knp_hash_node *node;

	if (!h->nslots)
		return NULL;
	for (node = *slot(h, hash); node; node = node->next)
		if (node->hash == hash && equal(node, key))
			return node;
	return NULL;
}

static void link_node(struct knp_hash *h, struct knp_hash_node *node)
{
	struct knp_hash_node **at = slot(h, node->hash);

	node->next = *at;
	*at = node;
}

static int resize(struct knp_hash *h, size_t nslots)
{
	struct knp_hash grown = { .nslots = nslots, .n = h->n };
	struct knp_hash_node *node, *next;

	grown.slots = calloc(nslots, sizeof(struct knp_hash_node *));
	if (!grown.slots)
		return -ENOMEM;
	for (size_t i = 0; i < h->nslots; i++) {
		for (node = h->slots[i]; node; node = next) {
			next = node->next;
			link_node(&grown, node);
		}
	}
	free(h->slots);
	*h = grown;
	return 0;
}

int knp_hash_add(struct knp_hash *h, struct knp_hash_node *node, uint32_t hash)
{
	if (!h->nslots) {
		if (resize(h, FIRST_SLOTS))
			return -ENOMEM;
	} else if (h->n >= h->nslots * FULL) {
		(void)resize(h, h->nslots * 2);
	}
	node->hash = hash;
	link_node(h, node);
	h->n++;
	return 0;
}

void knp_hash_del(struct knp_hash *h, struct knp_hash_node *node)
{
	struct knp_hash_node **at = slot(h, node->hash);

	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	h->n--;
	if (!h->n)
		knp_hash_clear(h);
}

struct knp_hash_node *knp_hash_next(const struct knp_hash *h,
				    const struct knp_hash_node *node)
{
	size_t i = 0;

	if (node && node->next)
		return node->next;
	if (node)
		i = (node->hash & (h->nslots - 1)) + 1;
	for (; i < h->nslots; i++)
		if (h->slots[i])
			return h->slots[i];
	return NULL;
}

void knp_hash_clear(struct knp_hash *h)
{
	free(h->slots);
	*h = (struct knp_hash){ 0 };
}
