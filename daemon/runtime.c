// SPDX-License-Identifier: Apache-2.0
#include "runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json.h>

#define LOCK_NAME	"knpd.lock"

static int join(char path[PATH_MAX], const char *dir, const char *name,
		const char *suffix)
{
	int n = snprintf(path, PATH_MAX, "%s/%s%s", dir, name, suffix);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int knp_runtime_make(const char *dir)
{
	struct stat st;

	if (mkdir(dir, 0755) && errno != EEXIST)
		return -errno;
	if (stat(dir, &st))
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int knp_runtime_lock(const char *dir)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[PATH_MAX];
	int fd, err;

	err = join(path, dir, LOCK_NAME, "");
	if (err)
		return err;

	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;

	if (fcntl(fd, F_OFD_SETLK, &lock)) {
		err = errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
		close(fd);
		return err;
	}

	return fd;
}

bool knp_runtime_locked(const char *dir)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[PATH_MAX];
	bool locked;
	int fd;

	if (join(path, dir, LOCK_NAME, ""))
		return false;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;

	/* Only asks: a reader must never be the one who holds it. */
	locked = !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
	close(fd);
	return locked;
}

static int write_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}

	return 0;
}

int knp_runtime_write(const char *dir, const char *name,
		      struct json_object *doc)
{
	char path[PATH_MAX], temp[PATH_MAX];
	const char *text;
	int fd, err;

	text = json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PRETTY |
					      JSON_C_TO_STRING_SPACED |
					      JSON_C_TO_STRING_NOSLASHESCAPE);
	if (!text)
		return -ENOMEM;

	err = join(path, dir, name, "");
	if (!err)
		err = join(temp, dir, name, ".new");
	if (err)
		return err;

	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		  0600);
	if (fd < 0)
		return -errno;

	err = write_all(fd, text, strlen(text));
	if (!err)
		err = write_all(fd, "\n", 1);
	if (!err && fsync(fd))
		err = -errno;
	close(fd);
	if (!err && rename(temp, path))
		err = -errno;
	if (err)
		unlink(temp);
	return err;
}

int knp_runtime_read(const char *dir, const char *name,
		     struct json_object **ret)
{
	struct json_object *doc;
	char path[PATH_MAX];
	int fd, err;

	err = join(path, dir, name, "");
	if (err)
		return err;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	doc = json_object_from_fd(fd);
	close(fd);
	if (!doc)
		return -EBADMSG;
	if (!json_object_is_type(doc, json_type_object)) {
		json_object_put(doc);
		return -EBADMSG;
	}

	*ret = doc;
	return 0;
}
