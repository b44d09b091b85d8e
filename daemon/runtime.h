/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runtime folder (/run/knp): what knpd leaves there for knpctl.
 *
 *   names        names of the kernel's objects, see names.h
 *   status.json  how knpd is doing, see status.h
 *   knpd.lock    locked while a knpd runs
 *
 * Files are replaced by rename(2): a reader sees an old one or a new one, never
 * a part, also after a crash. What is appended to one may be seen in part: its
 * format has to tell. Only the holder of the lock writes.
 */
#ifndef KNP_RUNTIME_H
#define KNP_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>

#define KNP_RUNTIME_DIR	"/run/knp"

struct json_object;

/*
 * Make the folder (0755) if it is not there. Return 0 or -errno; -ENOTDIR if
 * the path is something else.
 */
int knp_runtime_make(const char *dir);

/*
 * Take the lock of the folder for the life of this process. Return a file
 * descriptor to keep open, -EBUSY if another process has it, or -errno.
 */
int knp_runtime_lock(const char *dir);

/* Whether some process holds the lock. */
bool knp_runtime_locked(const char *dir);

/*
 * Replace @dir/@name, mode 0600, with one write(2) as far as the kernel takes it
 * at once. Return a file descriptor that appends to the new file, or -errno; the
 * old file is there then.
 */
int knp_runtime_replace(const char *dir, const char *name, const void *data,
			size_t len);

/*
 * Append to a file of knp_runtime_replace(). Return 0, -ESTALE if the file was
 * removed or replaced since, or -errno; a part may be written then.
 */
int knp_runtime_append(int fd, const void *data, size_t len);

/*
 * Read @dir/@name whole. @ret: the bytes and a NUL, to free(); @len: without
 * the NUL. Return 0, -ENOENT or -errno.
 */
int knp_runtime_load(const char *dir, const char *name, char **ret,
		     size_t *len);

/*
 * Replace @dir/@name with a JSON document, mode 0600. Return 0 or -errno; the
 * old file is there then.
 */
int knp_runtime_write(const char *dir, const char *name,
		      struct json_object *doc);

/*
 * Read @dir/@name. Return 0, -ENOENT, -EBADMSG if it is no JSON object, or
 * -errno. The caller puts @ret.
 */
int knp_runtime_read(const char *dir, const char *name,
		     struct json_object **ret);

#endif /* KNP_RUNTIME_H */
