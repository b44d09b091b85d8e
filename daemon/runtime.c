// SPDX-License-Identifier: Apache-2.0
#include "runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
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

int knp_runtime_append(int fd, const void *data, size_t len)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!st.st_nlink)
		return -ESTALE;
	return write_all(fd, data, len);
}

int knp_runtime_replace(const char *dir, const char *name, const void *data,
			size_t len)
{
	char path[PATH_MAX], temp[PATH_MAX];
	int fd, err;

	err = join(path, dir, name, "");
	if (!err)
		err = join(temp, dir, name, ".new");
	if (err)
		return err;

	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC |
		  O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;

	err = write_all(fd, data, len);
	if (!err && fsync(fd))
		err = -errno;
	if (!err && rename(temp, path))
		err = -errno;
	if (err) {
		close(fd);
		unlink(temp);
		return err;
	}

	return fd;
}

int knp_runtime_write(const char *dir, const char *name,
		      struct json_object *doc)
{
	const char *text;
	char *line;
	int fd, len;

	text = json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PRETTY |
					      JSON_C_TO_STRING_SPACED |
					      JSON_C_TO_STRING_NOSLASHESCAPE);
	if (!text)
		return -ENOMEM;

	len = asprintf(&line, "%s\n", text);
	if (len < 0)
		return -ENOMEM;

	fd = knp_runtime_replace(dir, name, line, (size_t)len);
	free(line);
	if (fd < 0)
		return fd;

	close(fd);
	return 0;
}

static int read_all(int fd, char **ret, size_t *len)
{
	size_t cap = 1 << 16, n = 0;
	char *text = malloc(cap), *more;
	ssize_t got;

	while (text) {
		got = read(fd, text + n, cap - n - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			got = -errno;
			free(text);
			return (int)got;
		}
		if (!got) {
			text[n] = '\0';
			*ret = text;
			*len = n;
			return 0;
		}

		n += (size_t)got;
		if (cap - n > 1)
			continue;
		cap *= 2;
		more = realloc(text, cap);
		if (!more)
			free(text);
		text = more;
	}

	return -ENOMEM;
}

int knp_runtime_load(const char *dir, const char *name, char **ret,
		     size_t *len)
{
	char path[PATH_MAX];
	int fd, err;

	err = join(path, dir, name, "");
	if (err)
		return err;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	err = read_all(fd, ret, len);
	close(fd);
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
