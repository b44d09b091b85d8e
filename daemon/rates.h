/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What counters did between two reads: who was busy. PURE: no socket, no clock.
 *
 * A counter that went back was begun anew (the module was loaded again), so all
 * of it is new. Ids of rules and sets are used again, under another tag; one that
 * was not there at the first read began at zero.
 */
#ifndef KNP_RATES_H
#define KNP_RATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "genl.h"
#include "ruleset.h"

/** enum knp_rate_kind - what was counted */
enum knp_rate_kind {
	KNP_RATE_RULE,		/* @id: of a rule: what it allowed */
	KNP_RATE_SET,		/* @id: of a policy set: what it denied */
	KNP_RATE_DROP,		/* @id: enum knp_reason, of which two are */
				/* denials by sets, added up */
};

/** struct knp_rate - packets and bytes between two reads */
struct knp_rate {
	enum knp_rate_kind kind;
	uint32_t id;
	uint8_t tag[KNP_TAG_LEN];	/* of a rule or a set */
	uint64_t packets;
	uint64_t bytes;
};

/** enum knp_rate_order - the busiest first, by what; equal ones by kind and id */
enum knp_rate_order {
	KNP_RATE_BY_PACKETS,
	KNP_RATE_BY_BYTES,
	KNP_RATE_BY_ID,
};

/**
 * struct knp_reading - one read
 * @rules, @sets: the tables of the same time, sorted by id
 */
struct knp_reading {
	struct knp_counters counters;
	struct knp_recs rules;
	struct knp_recs sets;
};

/**
 * knp_rates_new() - compare two reads
 * @before: NULL: all counters began at zero
 * @now: the later one
 * @order: of the result
 * @ret: rules and sets that are there now, and reasons of drops, that counted
 *	 something; to free()
 * @n: how many
 *
 * Return: 0 or -ENOMEM.
 */
int knp_rates_new(const struct knp_reading *before,
		  const struct knp_reading *now, enum knp_rate_order order,
		  struct knp_rate **ret, size_t *n);

#endif /* KNP_RATES_H */
