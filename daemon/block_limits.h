/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many ipBlocks of a namespace may lie around one another. PURE.
 *
 * An address is in a class for the blocks around it, so what has to be held is
 * not the prefixes that policies write but, for each of them, all blocks around
 * it. Blocks that differ only in an except make that the square of their
 * number: 10,000 of them, one policy of half a megabyte, are 10^8.
 *
 * So a namespace may have at most KNP_BLOCKS_AROUND_MAX different blocks around
 * any address, and KNP_BLOCKS_NESTED_MAX pairs of a prefix and a block around
 * it. That is counted, in memory linear in the prefixes, before any list is
 * made. What one namespace writes is its own limit only: a limit for all of them
 * together would let one close the others' blocks. Only namespaces with pods of
 * this node count, so that there are not many.
 *
 * Of the policies of a namespace, those that need least come first; one with
 * which it would be too much is refused as a whole, so that none of its blocks
 * matches anybody. Excepts are part of their block: none is left out alone.
 */
#ifndef KNP_BLOCK_LIMITS_H
#define KNP_BLOCK_LIMITS_H

#include <stdbool.h>
#include <stddef.h>

#include "identity.h"
#include "store.h"

#define KNP_BLOCKS_AROUND_MAX	128U
#define KNP_BLOCKS_NESTED_MAX	(1U << 18)

/**
 * struct knp_block_user - a policy of the namespace
 * @used: by direction: it selects pods of this node
 * @refused: written: its ipBlocks match nobody
 */
struct knp_block_user {
	const struct knp_policy *policy;
	bool used[NDIRECTIONS];
	bool refused;
};

/* Which of the policies of a namespace are refused. Return 0 or -ENOMEM. */
int knp_block_limits(struct knp_block_user *users, size_t n);

#endif /* KNP_BLOCK_LIMITS_H */
