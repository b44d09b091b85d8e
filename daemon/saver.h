/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps the state file (state_file.h) current: reads from the kernel what is
 * enforced, and writes it down, in a thread of its own, so that neither a commit
 * nor the event loop ever waits for the disk.
 *
 * What is written is what the kernel says, not what knpd believes: what others
 * commit or configure is in it, too. Where the kernel has no generation, or the
 * file holds this one already, nothing is written.
 *
 * The first change after a pause is written at once; after that there is a pause
 * of a second, or of 20 times what the last write took if that is longer: so no
 * more than a twentieth of one CPU and of a slow disk is spent, however many
 * commits there are. What cannot be written is tried again after ten pauses.
 */
#ifndef KNP_SAVER_H
#define KNP_SAVER_H

#include <stdint.h>

#include "ruleset.h"
#include "wire.h"

struct event_base;
struct json_object;
struct knp_saver;

/**
 * typedef knp_saver_read_fn - read all tables, as knp_genl_snapshot()
 * @arg: of the options
 * @there: what the file holds
 * @rs: set to NULL if that is what there is (knp_state_same()), or if there is
 *	no generation
 * @info: of @rs
 *
 * Called in the saver's thread. Return: 0; -ENOENT: there is no module; -errno.
 */
typedef int (*knp_saver_read_fn)(void *arg, const struct knp_info *there,
				 struct knp_ruleset **rs,
				 struct knp_info *info);

/**
 * struct knp_saver_options - what to save, and where
 * @path: of the file
 * @node: whose state it is
 * @read: where from; NULL: the kernel, by a socket of its own
 * @arg: for @read
 * @pause_ms: the least pause between two writes; 0: a second
 */
struct knp_saver_options {
	const char *path;
	const char *node;
	knp_saver_read_fn read;
	void *arg;
	int pause_ms;
};

/**
 * knp_saver_open() - start the thread
 * @base: where @told is called
 * @options: copied; its strings must outlive the saver
 * @told: something was saved, or could not be; see knp_saver_error()
 * @arg: for @told
 * @ret: the saver, to knp_saver_close()
 *
 * Return: 0 or -errno.
 */
int knp_saver_open(struct event_base *base,
		   const struct knp_saver_options *options,
		   void (*told)(void *arg), void *arg, struct knp_saver **ret);

/* What the kernel enforces may not be what the file says. Accepts NULL. */
void knp_saver_touch(struct knp_saver *s);

/* Write what is not written yet, and end the thread. Accepts NULL. */
void knp_saver_close(struct knp_saver *s);

/* Why the last try failed, "" if it did not. */
void knp_saver_error(struct knp_saver *s, char text[256]);

/*
 * For status.json: path; generation and saved_at of the file, 0 as long as it has
 * none of use; bytes and save_us of the last write, saves, of this process; error,
 * null if there is none. Null as a whole, which is no error, if @s is NULL.
 * Return 0 or -ENOMEM.
 */
int knp_saver_json(struct knp_saver *s, struct json_object *doc,
		   const char *key);

#endif /* KNP_SAVER_H */
