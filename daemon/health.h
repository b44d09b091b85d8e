/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether this node enforces what it should, and why not. PURE: no socket, no
 * clock.
 *
 * Some conditions say that it does not: then knpd is not ready. The others are
 * warnings, of which two can be made to count, too. What follows from the API
 * server being away is a warning: the kernel goes on, and a daemon that is
 * restarted for it would know less than before.
 */
#ifndef KNP_HEALTH_H
#define KNP_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "status.h"

/** enum knp_condition - what may be said about knpd; the first ones count */
enum knp_condition {
	KNP_NOT_SYNCED,		/* not all of the source was read yet */
	KNP_NO_MODULE,		/* knp.ko is not loaded */
	KNP_COMMIT_REFUSED,	/* the last state could not be enforced */
	KNP_NO_TABLE,		/* nothing was committed yet */
	KNP_DETACHED,		/* hooks of a wanted family are not there */
	KNP_UNCOVERED,		/* packets pass around the hooks */
	KNP_STALE,		/* the objects may be older than allowed */
	KNP_SOURCE_WAITING,	/* the API server does not answer */
	KNP_SET_ASIDE,		/* objects that could not be read in full */
	KNP_LIMITS,		/* tables that are too small */
	KNP_CONDITIONS,
};

#define KNP_FATAL_DEFAULT	((1U << KNP_UNCOVERED) - 1)

/** struct knp_vitals - what is known; pointers are borrowed */
struct knp_vitals {
	const struct knp_daemon_status *status;
	bool scanned;			/* all was read once */
	bool kernel;			/* there is one: no null backend */
	uint32_t families;		/* attached, KNP_FAMILY_* */
	uint32_t families_wanted;
	int64_t pending_ns;		/* of the oldest change not enforced, 0 */
};

/**
 * struct knp_health_options - what counts
 * @fatal: bits of enum knp_condition
 * @stale_ms: how old objects may be
 */
struct knp_health_options {
	uint32_t fatal;
	int64_t stale_ms;
};

/* Called for each condition that holds; @text: one line. */
typedef void (*knp_health_fn)(void *arg, enum knp_condition what, bool fatal,
			      const char *text);

/* Say what holds, at a time in monotonic ms. Return whether knpd is ready. */
bool knp_health_check(const struct knp_vitals *s,
		      const struct knp_health_options *o, int64_t now_ms,
		      knp_health_fn fn, void *arg);

/* "not-synced", ...; the condition of such a word, -EINVAL if there is none. */
const char *knp_condition_name(enum knp_condition what);
int knp_condition_parse(const char *name);

/* How old the objects of the source may be, ms; 0 where they are always new. */
int64_t knp_health_age(const struct knp_vitals *s, int64_t now_ms);

#endif /* KNP_HEALTH_H */
