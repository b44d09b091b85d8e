// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manifest.h"
#include "manifest_text.h"

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text);
	size_t n = strlen(end);

	return len > n && !strcmp(text + len - n, end);
}

bool knp_manifest_suits(const char *name)
{
	return name[0] != '.' && (ends_with(name, ".yaml") ||
				  ends_with(name, ".yml") ||
				  ends_with(name, ".json"));
}

/* The documents of a text. A { may begin JSON or a YAML flow mapping. */
static int parse_text(const char *text, size_t len, const char *file,
		      struct json_object *docs, char **why)
{
	bool json = file && ends_with(file, ".json");
	size_t n;
	int err;

	if (!json && text[strspn(text, " \t\r\n")] != '{')
		return knp_yaml_parse(text, len, docs, why);
	err = knp_json_parse(text, len, docs, why);
	if (json || err != -EINVAL)
		return err;
	free(*why);
	n = json_object_array_length(docs);
	if (n)
		json_object_array_del_idx(docs, 0, n);
	return knp_yaml_parse(text, len, docs, why);
}

static int object_cmp(const void *a, const void *b)
{
	const struct knp_object *x = *(const struct knp_object *const *)a;
	const struct knp_object *y = *(const struct knp_object *const *)b;
	int cmp;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	cmp = strcmp(x->ns, y->ns);
	if (!cmp)
		cmp = strcmp(x->name, y->name);
	if (!cmp)
		cmp = x < y ? -1 : x > y;
	return cmp;
}

static bool same_object(const struct knp_object *a, const struct knp_object *b)
{
	return a->kind == b->kind && !strcmp(a->ns, b->ns) &&
	       !strcmp(a->name, b->name);
}

/* Of objects with one name all but the first are cleared. */
static int clear_twins(struct knp_objects *objects, const char *file,
		       struct knp_faults *faults)
{
	struct knp_object **sorted;
	int err = 0;

	if (objects->n < 2)
		return 0;
	sorted = calloc(objects->n, sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < objects->n; i++)
		sorted[i] = &objects->v[i];
	qsort(sorted, objects->n, sizeof(*sorted), object_cmp);
	for (size_t i = 1, first = 0; i < objects->n && !err; i++) {
		struct knp_object *object = sorted[i];
		char *text;

		if (!same_object(object, sorted[first])) {
			first = i;
			continue;
		}
		err = -ENOMEM;
		text = knp_kind_describe(object->kind, object->ns,
					 object->name);
		if (text)
			err = knp_faults_add(faults, file, text, NULL,
					     "is there twice, the first counts");
		free(text);
		objects->nrefused -= object->refused;
		knp_object_clear(object);
	}
	free(sorted);
	return err;
}

/* Close the gaps that cleared objects left. */
static void squeeze(struct knp_objects *objects)
{
	size_t n = 0;

	for (size_t i = 0; i < objects->n; i++) {
		if (objects->v[i].kind)
			objects->v[n++] = objects->v[i];
	}
	objects->n = n;
}

int knp_manifest_parse(const void *text, size_t len, const char *file,
		       struct knp_objects *ret, struct knp_faults *faults)
{
	struct knp_objects objects = { 0 };
	struct json_object *docs;
	char *why = NULL;
	int err;

	if (len > KNP_MANIFEST_SIZE_MAX)
		return -EFBIG;
	docs = json_object_new_array();
	if (!docs)
		return -ENOMEM;
	err = parse_text(text, len, file, docs, &why);
	if (err == -EINVAL)
		knp_faults_add(faults, file, NULL, NULL, "%s",
			       why ? why : "malformed");
	free(why);
	for (size_t i = 0; !err && i < json_object_array_length(docs); i++) {
		struct json_object *doc = json_object_array_get_idx(docs, i);

		/* An empty document is what "---" leaves at the end. */
		if (doc)
			err = knp_decode_object(doc, file, &objects, faults);
	}
	json_object_put(docs);
	if (!err)
		err = clear_twins(&objects, file, faults);
	squeeze(&objects);
	if (err) {
		knp_objects_clear(&objects);
		return err;
	}
	*ret = objects;
	return 0;
}

int knp_manifest_slurp(int fd, char **ret, size_t *len)
{
	size_t room = 0;
	size_t n = 0;
	char *buf = NULL;
	char *more;
	ssize_t got;
	int err;

	for (;;) {
		if (n + 1 >= room) {
			room = room ? room * 2 : 64 << 10;
			more = realloc(buf, room);
			if (!more) {
				err = -ENOMEM;
				goto err;
			}
			buf = more;
		}
		got = read(fd, buf + n, room - n - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			err = -errno;
			goto err;
		}
		if (!got)
			break;
		n += (size_t)got;
		if (n > KNP_MANIFEST_SIZE_MAX) {
			err = -EFBIG;
			goto err;
		}
	}
	buf[n] = '\0';
	*ret = buf;
	*len = n;
	return 0;

err:
	free(buf);
	return err;
}

int knp_manifest_read(const char *path, struct knp_objects *ret,
		      struct knp_faults *faults)
{
	bool input = !strcmp(path, "-");
	char *text = NULL;
	size_t len = 0;
	int err;
	int fd;

	fd = input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	err = fd < 0 ? -errno : knp_manifest_slurp(fd, &text, &len);
	if (!input && fd >= 0)
		close(fd);
	if (err || !text) {
		knp_faults_add(faults, path, NULL, NULL, "%s", strerror(-err));
		return err;
	}
	err = knp_manifest_parse(text, len, path, ret, faults);
	free(text);
	return err;
}

/* Objects of all files, each with the index of its file. */
struct entry {
	struct knp_object object;
	size_t file;
};

struct load {
	char **files;
	size_t nfiles;
	struct entry *v;
	size_t n;
	bool failed;	/* a file could not be read or parsed */
};

static int entry_cmp(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;
	int cmp;

	if (x->object.kind != y->object.kind)
		return x->object.kind < y->object.kind ? -1 : 1;
	cmp = strcmp(x->object.ns, y->object.ns);
	if (!cmp)
		cmp = strcmp(x->object.name, y->object.name);
	if (!cmp)
		cmp = x->file < y->file ? -1 : x->file > y->file;
	return cmp;
}

static int name_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_file(struct load *l, char *path)
{
	char **files;

	if (!path)
		return -ENOMEM;
	files = reallocarray(l->files, l->nfiles + 1, sizeof(*files));
	if (!files) {
		free(path);
		return -ENOMEM;
	}
	l->files = files;
	files[l->nfiles++] = path;
	return 0;
}

static int list_folder(struct load *l, DIR *folder, const char *path)
{
	const char *slash = ends_with(path, "/") ? "" : "/";
	struct dirent *e;
	struct stat st;
	char *file;
	int err = 0;

	while (!err) {
		errno = 0;
		e = readdir(folder);
		if (!e)
			return -errno;
		if (!knp_manifest_suits(e->d_name))
			continue;
		if (!fstatat(dirfd(folder), e->d_name, &st, 0) &&
		    S_ISDIR(st.st_mode))
			continue;
		if (asprintf(&file, "%s%s%s", path, slash, e->d_name) < 0)
			return -ENOMEM;
		err = add_file(l, file);
	}
	return err;
}

static int list_files(struct load *l, const char *path)
{
	DIR *folder = opendir(path);
	int err;

	if (!folder) {
		if (errno != ENOTDIR && strcmp(path, "-"))
			return -errno;
		return add_file(l, strdup(path));
	}
	err = list_folder(l, folder, path);
	closedir(folder);
	if (l->nfiles)
		qsort(l->files, l->nfiles, sizeof(*l->files), name_cmp);
	return err;
}

/* The objects of one file; a file that is refused is no error yet. */
static int load_file(struct load *l, size_t file, struct knp_faults *faults)
{
	struct knp_objects objects = { 0 };
	struct entry *v;
	int err;

	err = knp_manifest_read(l->files[file], &objects, faults);
	if (err == -ENOMEM)
		return err;
	if (err)
		l->failed = true;
	if (!objects.n)
		goto out;
	err = -ENOMEM;
	v = reallocarray(l->v, l->n + objects.n, sizeof(*v));
	if (!v)
		goto out;
	l->v = v;
	for (size_t i = 0; i < objects.n; i++)
		v[l->n++] = (struct entry){ objects.v[i], file };
	objects.n = 0;
	err = 0;
out:
	knp_objects_clear(&objects);
	return err == -ENOMEM ? err : 0;
}

static int put_all(struct load *l, struct knp_store *store,
		   struct knp_faults *faults)
{
	char *text;
	int err;

	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), entry_cmp);
	for (size_t i = 0, first = 0; i < l->n; i++) {
		struct knp_object *object = &l->v[i].object;

		if (!i || !same_object(object, &l->v[first].object)) {
			first = i;
			if (!object->any)
				continue;
			err = knp_object_put(object, store);
			if (err)
				return err;
			continue;
		}
		text = knp_kind_describe(object->kind, object->ns,
					 object->name);
		if (!text)
			return -ENOMEM;
		err = knp_faults_add(faults, l->files[l->v[i].file], text,
				     NULL, "is also in %s, which counts",
				     l->files[l->v[first].file]);
		free(text);
		if (err)
			return err;
	}
	return 0;
}

int knp_manifest_load(const char *path, struct knp_store *store,
		      struct knp_faults *faults)
{
	struct knp_faults own = { 0 };
	struct load l = { 0 };
	size_t before;
	int err;

	if (!faults)
		faults = &own;
	before = faults->n;
	err = list_files(&l, path);
	if (err)
		knp_faults_add(faults, path, NULL, NULL, "%s", strerror(-err));
	for (size_t i = 0; i < l.nfiles && !err; i++)
		err = load_file(&l, i, faults);
	if (!err)
		err = put_all(&l, store, faults);
	if (!err && (l.failed || faults->n > before))
		err = -EINVAL;

	for (size_t i = 0; i < l.n; i++)
		knp_object_clear(&l.v[i].object);
	free(l.v);
	for (size_t i = 0; i < l.nfiles; i++)
		free(l.files[i]);
	free(l.files);
	knp_faults_clear(&own);
	return err;
}
