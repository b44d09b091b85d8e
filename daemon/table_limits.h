/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tables of the module hold at most: records, and the largest id. The
 * numbers are those of kmod/table.h, which userspace libraries do not include;
 * a unit test holds the two together.
 */
#ifndef KNP_LIMITS_H
#define KNP_LIMITS_H

#include <stdint.h>
#include <linux/knp.h>

/** struct knp_limits - by enum knp_table */
struct knp_limits {
	uint32_t v[KNP_TABLE_MAX + 1];
};

extern const struct knp_limits knp_limits;

/* The limit of one table, enum knp_table. */
static inline uint32_t knp_limit(uint32_t table)
{
	return knp_limits.v[table];
}

#endif /* KNP_LIMITS_H */
