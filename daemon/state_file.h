/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state (state.h) on disk. The file is replaced by rename(2) after what is
 * in it has reached the disk, and so has the new name before the call returns:
 * whenever the machine loses power, the file is the old one or the new one,
 * whole. Beside it FILE.new may be left over, which the next write overwrites.
 */
#ifndef KNP_STATE_FILE_H
#define KNP_STATE_FILE_H

#include "state.h"

#define KNP_STATE_FILE	"/var/lib/knp/state"

/*
 * Replace the file @path, mode 0600; its folder is made, 0700, if it is missing.
 * Return 0 or -errno; the old file is there then, or, if only its folder could
 * not be synced, maybe the new one.
 */
int knp_state_file_write(const char *path, const void *data, size_t len);

/**
 * knp_state_file_read() - read and check the file
 * @path: the file
 * @ret: what it holds, to knp_state_clear()
 * @why: why it is refused
 *
 * Return: 0; -ENOENT; -EBADMSG if it is refused; -errno. @why is set unless it
 * is 0 or -ENOENT, and @ret is untouched unless it is 0.
 */
int knp_state_file_read(const char *path, struct knp_state *ret,
			char why[KNP_STATE_WHY]);

#endif /* KNP_STATE_FILE_H */
