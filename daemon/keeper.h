/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What knpd does with its state file: restore.h as long as nothing else says
 * what is to be enforced, saver.h all the time; both logged. Context: one event
 * loop.
 */
#ifndef KNP_KEEPER_H
#define KNP_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct json_object;
struct knp_keeper;
struct knp_watch;

/** struct knp_keeper_options - what to keep, and where */
struct knp_keeper_options {
	const char *path;	/* of the state file */
	const char *node;
	uint32_t families;	/* to attach where the file cannot say */
	struct knp_watch *watch; /* who calls knp_keeper_touch() for what it hears */
};

/*
 * Open it. Nothing is restored yet. @options is copied, its strings must outlive
 * it; @told is called when knp_keeper_json() is new. Return 0 or -errno.
 */
int knp_keeper_open(struct event_base *base,
		    const struct knp_keeper_options *options,
		    void (*told)(void *arg), void *arg,
		    struct knp_keeper **ret);

/* Save what is not saved. All that follows accepts NULL: nothing is kept. */
void knp_keeper_close(struct knp_keeper *k);

/* The module came: what it enforces was not looked at. */
void knp_keeper_loaded(struct knp_keeper *k);

/*
 * Restore, if that was not done since the start or since the module came, and have
 * saved what there is then. The watch joins before that, so that it hears of what
 * others change from then on. Return 0, also if there is no module; -errno if it
 * has to be tried again, and knp_keeper_error() says why.
 */
int knp_keeper_restore(struct knp_keeper *k);
const char *knp_keeper_error(const struct knp_keeper *k);

/* The kernel may enforce something else now. */
void knp_keeper_touch(struct knp_keeper *k);

/*
 * For status.json: "restored", what was restored in words, null if nothing was,
 * and "state_file", see knp_saver_json(). Return 0 or -ENOMEM.
 */
int knp_keeper_json(struct knp_keeper *k, struct json_object *doc);

#endif /* KNP_KEEPER_H */
