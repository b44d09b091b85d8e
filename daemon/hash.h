/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chained hash table of elements that carry their own link.
 *
 * There are hundreds of thousands of elements (label sets, strings, addresses),
 * so what one costs counts: 16 bytes in the element and 4 to 8 in the table.
 * uthash has 56 in the element, and hsearch() and tsearch() allocate a node for
 * each. Elements never move, and the table owns none of them.
 *
 * The order in which elements are met is none: it depends on the process.
 * Not thread-safe.
 */
#ifndef KNP_HASH_H
#define KNP_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct knp_hash_node - the link, a member of the element
 * @next: in its chain
 * @hash: of the element's key
 * @data: the owner's, for instance a count: would be padding otherwise
 */
struct knp_hash_node {
	struct knp_hash_node *next;
	uint32_t hash;
	uint32_t data;
};

/**
 * struct knp_hash - a table; all zero is an empty one, which holds no memory
 * @nslots: a power of two, 0 while empty
 * @n: how many elements
 */
struct knp_hash {
	struct knp_hash_node **slots;
	size_t nslots;
	size_t n;
};

/* The element of a node that is its member. */
#define knp_hash_entry(node, type, member) \
	((type *)(void *)((char *)(node) - offsetof(type, member)))

/*
 * Go through all elements. The one at hand must stay in the table until the
 * next was fetched.
 */
#define knp_hash_for_each(h, node) \
	for (node = knp_hash_next(h, NULL); node; node = knp_hash_next(h, node))

/**
 * knp_hash64() - hash bytes
 * @bytes: what to hash; may be NULL if @n is 0
 * @n: how many
 * @h: where to start: a seed, or the hash of what comes before
 *
 * Eight bytes at a time are folded in by one multiplication to 128 bits, as
 * wyhash does it. Not for what an attacker must not forge.
 */
uint64_t knp_hash64(const void *bytes, size_t n, uint64_t h);

/* A number of this process, so that nobody can prepare long chains. */
uint64_t knp_hash_seed(void);

static inline uint32_t knp_hash_bytes(const void *bytes, size_t n)
{
	return (uint32_t)knp_hash64(bytes, n, knp_hash_seed());
}

/* The element with a hash for which @equal(element, @key) holds, or NULL. */
struct knp_hash_node *
knp_hash_find(const struct knp_hash *h, uint32_t hash,
	      bool (*equal)(const struct knp_hash_node *node, const void *key),
	      const void *key);

/*
 * Add an element whose key is not there yet. Return 0, or -ENOMEM: only into
 * an empty table. A table that cannot grow gets slower instead.
 */
int knp_hash_add(struct knp_hash *h, struct knp_hash_node *node, uint32_t hash);

/* Remove an element, which must be there. */
void knp_hash_del(struct knp_hash *h, struct knp_hash_node *node);

/* The element after @node, the first for NULL; NULL at the end. */
struct knp_hash_node *knp_hash_next(const struct knp_hash *h,
				    const struct knp_hash_node *node);

/* Empty the table; the elements are left alone. */
void knp_hash_clear(struct knp_hash *h);

#endif /* KNP_HASH_H */
