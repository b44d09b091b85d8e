/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder source: a folder of manifests, watched, kept in a store.
 *
 * What is in the store follows the files (those of knp_manifest_suits()):
 *   - a file that cannot be read or parsed keeps its last good objects;
 *   - of an object that is refused what remains of it counts (decode.h); if
 *     nothing does, it keeps its last good version; a file with a refused
 *     object whose name is unknown deletes nothing;
 *   - a file that another process has open for writing is not read until it
 *     is closed (by a read lease, fcntl(2); on a file system without leases,
 *     until its close was seen or it has not changed for a second): cut in
 *     the right place, half a policy is a valid one that allows more. The
 *     first scan waits for such files, for at most 5 seconds;
 *   - a file that is gone takes its objects with it;
 *   - of the same object in two files the first by file name counts;
 *   - if the folder itself is gone or cannot be read, all stays, and it is
 *     looked for until it is back.
 * Each of these but the plain deletion is a fault, reported once per content.
 *
 * Event-driven: inotify names the files to read again, everything readable at
 * that moment is one batch, and unchanged content does not change the store's
 * version. A symbolic link in the folder is followed; it is looked at again
 * with the next event in the folder (as ConfigMap volumes cause).
 *
 * Context: all callbacks come from the event loop, never from within
 * knp_dir_open(). A callback must not call knp_dir_close().
 */
#ifndef KNP_DIR_H
#define KNP_DIR_H

#include <stdint.h>

#include "faults.h"
#include "store.h"

struct event_base;
struct knp_dir;

/**
 * knp_dir_open() - start to follow a folder
 * @base: the event loop
 * @path: the folder
 * @store: filled by the first turns of the loop; nobody else changes it
 * @changed: called once when the first scan is complete, whether or not it
 *	found anything, and then once per batch that changed the store
 * @fault: called for every fault; may be NULL
 * @arg: for both
 * @ret: the source, to knp_dir_close()
 *
 * Return: 0; -ENOMEM; -errno of inotify_init1(); -ENOENT, -ENOTDIR, -EACCES if
 * @path is no folder to watch.
 */
int knp_dir_open(struct event_base *base, const char *path,
		 struct knp_store *store, void (*changed)(void *arg),
		 void (*fault)(void *arg, const struct knp_fault *fault),
		 void *arg, struct knp_dir **ret);

/*
 * When the first inotify event of the batch that changed() reports became
 * readable, CLOCK_MONOTONIC in ns; 0 for the first scan and for rescans.
 */
int64_t knp_dir_since(const struct knp_dir *dir);

/* Look at every file again, from the event loop. */
void knp_dir_rescan(struct knp_dir *dir);

/*
 * The faults that hold now: what is set aside, or stands at its last good
 * state. That another file holds an object is withdrawn when the file is read
 * again, or by knp_dir_rescan().
 */
const struct knp_faults *knp_dir_faults(const struct knp_dir *dir);

/*
 * Have @healed called, with the argument of knp_dir_open(), when faults were
 * withdrawn.
 */
void knp_dir_on_healed(struct knp_dir *dir, void (*healed)(void *arg));

/* Stop. The store keeps what it has. Accepts NULL. */
void knp_dir_close(struct knp_dir *dir);

#endif /* KNP_DIR_H */
