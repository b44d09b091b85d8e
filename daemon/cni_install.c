// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni_chain.h"
#include "cni_install.h"
#include "runtime.h"

#define PROGRAM		"knp-cni"
#define SELF		"/proc/self/exe"
#define LIST		".conflist"

/* ---- a file that is replaced -------------------------------------------- */

/**
 * struct draft - what will take the place of a file
 * @temp: its name until then, which no runtime takes for a configuration
 */
struct draft {
	int dir;
	int fd;
	const char *name;
	char temp[NAME_MAX + 1];
};

static int draft_open(struct draft *d, const char *dir, const char *name,
		      mode_t mode)
{
	int n = snprintf(d->temp, sizeof(d->temp), ".%s.knp", name);
	int err;

	if (n < 0 || (size_t)n >= sizeof(d->temp))
		return -ENAMETOOLONG;
	d->name = name;
	d->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->dir < 0)
		return -errno;
	d->fd = openat(d->dir, d->temp, O_WRONLY | O_CREAT | O_TRUNC |
		       O_CLOEXEC | O_NOFOLLOW, 0600);
	if (d->fd < 0) {
		err = -errno;
		goto close_dir;
	}
	if (!fchmod(d->fd, mode))
		return 0;
	err = -errno;
	close(d->fd);
	unlinkat(d->dir, d->temp, 0);
close_dir:
	close(d->dir);
	return err;
}

/* It takes the file's place; after an error it is gone instead. */
static int draft_close(struct draft *d, int err)
{
	if (!err && fsync(d->fd))
		err = -errno;
	if (close(d->fd) && !err)
		err = -errno;
	if (!err && renameat(d->dir, d->temp, d->dir, d->name))
		err = -errno;
	if (err)
		unlinkat(d->dir, d->temp, 0);
	else if (fsync(d->dir))
		err = -errno;
	close(d->dir);
	return err;
}

static int path_of(char path[PATH_MAX], const char *dir, const char *name)
{
	int n = snprintf(path, PATH_MAX, "%s/%s", dir, name);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* ---- the program --------------------------------------------------------- */

static bool same_bytes(FILE *a, FILE *b)
{
	int c;

	do {
		c = getc(a);
		if (c != getc(b))
			return false;
	} while (c != EOF);
	return !ferror(a) && !ferror(b);
}

static bool is_installed(const char *path)
{
	FILE *self = fopen(SELF, "re"), *other = fopen(path, "re");
	struct stat st;
	bool same = false;

	if (self && other && !fstat(fileno(other), &st))
		same = (st.st_mode & 0777) == 0755 && same_bytes(self, other);
	if (self)
		fclose(self);
	if (other)
		fclose(other);
	return same;
}

static int copy_all(int to, int from)
{
	ssize_t n;

	do {
		n = sendfile(to, from, NULL, 1 << 20);
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 ? -errno : 0;
}

int knp_cni_install_program(const char *bin_dir)
{
	char path[PATH_MAX];
	struct draft d;
	int self, err;

	err = path_of(path, bin_dir, PROGRAM);
	if (err)
		return err;
	if (is_installed(path))
		return 0;
	self = open(SELF, O_RDONLY | O_CLOEXEC);
	if (self < 0)
		return -errno;
	err = draft_open(&d, bin_dir, PROGRAM, 0755);
	if (!err)
		err = draft_close(&d, copy_all(d.fd, self));
	close(self);
	return err;
}

/* ---- the chain ----------------------------------------------------------- */

static int write_json(struct draft *d, struct json_object *conf)
{
	const char *text;

	text = json_object_to_json_string_ext(conf, JSON_C_TO_STRING_PRETTY |
					      JSON_C_TO_STRING_SPACED |
					      JSON_C_TO_STRING_NOSLASHESCAPE);
	if (!text)
		return -ENOMEM;
	return dprintf(d->fd, "%s\n", text) < 0 ? -errno : 0;
}

static int replace(const char *dir, const char *name, struct json_object *conf)
{
	char path[PATH_MAX];
	struct draft d;
	struct stat st;
	int err;

	err = path_of(path, dir, name);
	if (err)
		return err;
	if (stat(path, &st))
		return -errno;
	err = draft_open(&d, dir, name, st.st_mode & 0777);
	if (err)
		return err;
	if (fchown(d.fd, st.st_uid, st.st_gid))
		return draft_close(&d, -errno);
	return draft_close(&d, write_json(&d, conf));
}

typedef int (*edit_fn)(struct json_object *conf, bool *changed);

static int edit_file(const char *dir, const char *name, edit_fn edit,
		     bool *ret)
{
	struct json_object *conf;
	bool changed = false;
	int err;

	err = knp_runtime_read(dir, name, &conf);
	if (err)
		return err;
	err = edit(conf, &changed);
	if (!err && changed)
		err = replace(dir, name, conf);
	json_object_put(conf);
	if (!err)
		*ret = changed;
	return err;
}

static bool ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && !strcmp(name + n - m, end);
}

static int is_list(const struct dirent *entry)
{
	return ends_with(entry->d_name, LIST);
}

static int is_conf(const struct dirent *entry)
{
	return is_list(entry) || ends_with(entry->d_name, ".conf") ||
	       ends_with(entry->d_name, ".json");
}

/* As the runtimes do it: by bytes, not by the rules of a language. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void free_names(struct dirent **names, int n)
{
	while (n > 0)
		free(names[--n]);
	free(names);
}

int knp_cni_install(const char *conf_dir, struct knp_cni_place *ret)
{
	struct dirent **names;
	int n, err;

	*ret = (struct knp_cni_place){ 0 };
	n = scandir(conf_dir, &names, is_conf, by_name);
	if (n < 0)
		return -errno;
	err = n ? 0 : -ENOENT;
	if (n) {
		snprintf(ret->name, sizeof(ret->name), "%s", names[0]->d_name);
		err = is_list(names[0]) ? 0 : -EINVAL;
	}
	free_names(names, n);
	if (err)
		return err;
	return edit_file(conf_dir, ret->name, knp_cni_chain_add,
			 &ret->changed);
}

int knp_cni_uninstall(const char *conf_dir,
		      void (*done)(void *arg, const char *name, int err),
		      void *arg)
{
	struct dirent **names;
	bool changed;
	int n, err;

	n = scandir(conf_dir, &names, is_list, by_name);
	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		changed = false;
		err = edit_file(conf_dir, names[i]->d_name,
				knp_cni_chain_remove, &changed);
		if (err || changed)
			done(arg, names[i]->d_name, err);
	}
	free_names(names, n);
	return 0;
}
