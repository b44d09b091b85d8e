/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts by name, of which the largest are shown: labels of a metric are kept
 * for as long as a server keeps its data, so there must not be many.
 *
 * Every name that is counted competes for one of a bounded number of places.
 * What has a place is shown by its name, all the rest as one number. A name that
 * has counted half as much again as another one takes that one's place: what the
 * other showed goes to the rest, and the new one starts at zero, since what it
 * counted so far is in the rest already. So the sum of all is exact, and no
 * number that is shown ever shrinks.
 */
#ifndef KNP_TALLY_H
#define KNP_TALLY_H

#include <stddef.h>
#include <stdint.h>

/* How many of those without a place are remembered. */
#define KNP_TALLY_WAITING	1024

struct knp_tally;

/** struct knp_tally_count - what is shown */
struct knp_tally_count {
	uint64_t packets;
	uint64_t bytes;
};

/* One with this many places, at least 1; NULL if out of memory. */
struct knp_tally *knp_tally_new(size_t places);

/* Accepts NULL. */
void knp_tally_free(struct knp_tally *t);

/*
 * Count for a name; NULL: for the rest. Where there is no memory for a name it
 * is the rest that counts.
 */
void knp_tally_add(struct knp_tally *t, const char *name, uint64_t packets,
		   uint64_t bytes);

/* How many have a place; the one at a place, and its name. */
size_t knp_tally_shown(const struct knp_tally *t);
const char *knp_tally_at(const struct knp_tally *t, size_t place,
			 struct knp_tally_count *ret);
struct knp_tally_count knp_tally_rest(const struct knp_tally *t);

#endif /* KNP_TALLY_H */
