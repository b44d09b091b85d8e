/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The address space as ipBlocks cut it. PURE.
 *
 * The prefixes of all ipBlocks, cidrs and excepts alike, cut the address space
 * into nested regions. Inside one region, below its smaller ones, every address
 * is in the same blocks: a block holds from its cidr down, and no longer from
 * any of its excepts down. So a walk in the order (address, length) that keeps
 * the enclosing region knows the blocks of each from those of its parent.
 */
#ifndef KNP_REGIONS_H
#define KNP_REGIONS_H

#include <stddef.h>
#include <stdint.h>

#include "ruleset.h"
#include "store.h"

#define KNP_NONE	UINT32_MAX

/** struct knp_span - a number list in a pool: @n numbers from @first */
struct knp_span {
	uint32_t first;
	uint32_t n;
};

/** struct knp_block_of - an ipBlock and the number that it has */
struct knp_block_of {
	const struct knp_ipblock *block;
	uint32_t number;
};

/**
 * struct knp_region - a prefix of an ipBlock
 * @parent: the smallest region around it, KNP_NONE: none
 * @blocks: in the regions' pool, ascending: the blocks that hold right below
 */
struct knp_region {
	struct knp_prefix prefix;
	uint32_t parent;
	struct knp_span blocks;
};

/** struct knp_regions - all of them; all zero is none */
struct knp_regions {
	struct knp_recs v;	/* struct knp_region, by (family, address, length) */
	struct knp_recs pool;	/* uint32_t */
};

/* Cut. @ret is all zero before. Return 0 or -ENOMEM. */
int knp_regions_build(const struct knp_block_of *blocks, size_t n,
		      struct knp_regions *ret);

/* The region right around an address, KNP_NONE: outside of all. */
uint32_t knp_regions_find(const struct knp_regions *regions,
			  const struct knp_ip *ip);

void knp_regions_clear(struct knp_regions *regions);

static inline const struct knp_region *
knp_region_at(const struct knp_regions *regions, uint32_t i)
{
	return (const struct knp_region *)regions->v.v + i;
}

static inline const uint32_t *
knp_region_blocks(const struct knp_regions *regions,
		  const struct knp_region *region)
{
	return (const uint32_t *)regions->pool.v + region->blocks.first;
}

#endif /* KNP_REGIONS_H */
