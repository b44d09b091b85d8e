// SPDX-License-Identifier: Apache-2.0
#include "state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime.h"

/* More than full tables take: what is larger was not written by knpd. */
#define SIZE_LIMIT	((off_t)512 << 20)

/* The folder of a file, "." for a bare name; @name: without the folder. */
static int split(const char *path, char dir[PATH_MAX], const char **name)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (len >= PATH_MAX)
		return -ENAMETOOLONG;
	*name = slash ? slash + 1 : path;
	if (!slash)
		snprintf(dir, PATH_MAX, ".");
	else if (!len)
		snprintf(dir, PATH_MAX, "/");
	else
		snprintf(dir, PATH_MAX, "%.*s", (int)len, path);
	return **name ? 0 : -EISDIR;
}

static int sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (fsync(fd))
		err = -errno;
	close(fd);
	return err;
}

int knp_state_file_write(const char *path, const void *data, size_t len)
{
	char dir[PATH_MAX];
	const char *name;
	int fd, err;

	err = split(path, dir, &name);
	if (err)
		return err;
	if (mkdir(dir, 0700) && errno != EEXIST)
		return -errno;
	fd = knp_runtime_replace(dir, name, data, len);
	if (fd < 0)
		return fd;
	close(fd);
	return sync_dir(dir);
}

static int read_size(int fd, uint8_t *data, size_t size)
{
	size_t have = 0;
	ssize_t n;

	while (have < size) {
		n = read(fd, data + have, size - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		/* A file that shrinks is not one that is only ever replaced. */
		if (!n)
			return -EIO;
		have += (size_t)n;
	}
	return 0;
}

static int read_file(int fd, uint8_t **ret, size_t *len)
{
	struct stat st;
	uint8_t *data;
	int err;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > SIZE_LIMIT)
		return -EFBIG;
	data = malloc((size_t)st.st_size + 1);
	if (!data)
		return -ENOMEM;
	err = read_size(fd, data, (size_t)st.st_size);
	if (err) {
		free(data);
		return err;
	}
	*ret = data;
	*len = (size_t)st.st_size;
	return 0;
}

static int failed(int err, char why[KNP_STATE_WHY])
{
	snprintf(why, KNP_STATE_WHY, "cannot be read: %s", strerror(-err));
	return err;
}

int knp_state_file_read(const char *path, struct knp_state *ret,
			char why[KNP_STATE_WHY])
{
	/* A FIFO must not hold up a machine that boots. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	uint8_t *data = NULL;
	size_t len = 0;
	int err;

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0)
		return failed(-errno, why);
	err = read_file(fd, &data, &len);
	close(fd);
	if (err)
		return failed(err, why);
	err = knp_state_decode(data, len, ret, why);
	free(data);
	return err && err != -EBADMSG ? failed(err, why) : err;
}
