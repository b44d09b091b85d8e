// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kube_config.h"
#include "kube_secret.h"
#include "manifest.h"
#include "manifest_text.h"

static int refuse(char **why, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int refuse(char **why, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(why, format, args);
	va_end(args);
	if (n >= 0)
		return -EINVAL;
	*why = NULL;
	return -ENOMEM;
}

static void wipe(char **text)
{
	if (*text)
		knp_secret_free(*text, strlen(*text));
	*text = NULL;
}

static void wipe_bytes(struct knp_bytes *bytes)
{
	knp_secret_free(bytes->v, bytes->len);
	*bytes = (struct knp_bytes){ 0 };
}

void knp_kube_config_clear(struct knp_kube_config *c)
{
	wipe_bytes(&c->ca);
	wipe_bytes(&c->cert);
	wipe_bytes(&c->key);
	wipe(&c->token);
	/* A proxy's URL may hold a password. */
	wipe(&c->proxy);
	free(c->server);
	free(c->ca_file);
	free(c->cert_file);
	free(c->key_file);
	free(c->token_file);
	free(c->server_name);
	free(c->context);
	*c = (struct knp_kube_config){ 0 };
}

static bool is_loopback(const char *host)
{
	static const char *const names[] = { "127.0.0.1", "localhost", "[::1]" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t n = strlen(names[i]);

		if (!strncmp(host, names[i], n) && strchr(":/", host[n]))
			return true;
	}
	return false;
}

/* The URL without slashes at its end, checked. */
static int set_server(struct knp_kube_config *c, const char *url, char **why)
{
	size_t len = strlen(url);

	for (const char *p = url; *p; p++)
		if (*p <= ' ' || strchr("?#@\\\"", *p))
			return refuse(why, "the server's URL must be https://HOST[:PORT][/PATH]");
	if (strncmp(url, "https://", 8) &&
	    !(!strncmp(url, "http://", 7) && is_loopback(url + 7)))
		return refuse(why, "the server's URL must start with https://, is \"%s\"",
			      url);
	/* What is left of it would be read with the path's first part as host. */
	if (url[4] == 's' && strchr("/:", url[8]))
		return refuse(why, "the server's URL names no host, is \"%s\"",
			      url);
	while (len && url[len - 1] == '/')
		len--;
	c->server = strndup(url, len);
	return c->server ? 0 : -ENOMEM;
}

int knp_kube_config_in_cluster(const char *dir, struct knp_kube_config *ret,
			       char **why)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	const char *port = getenv("KUBERNETES_SERVICE_PORT");
	struct knp_kube_config c = { 0 };
	bool v6;
	char *url;
	int err;

	*why = NULL;
	if (!host || !port || !*host || !*port)
		return refuse(why, "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set: this is no pod of a cluster");
	if (!dir)
		dir = KNP_SERVICE_ACCOUNT_DIR;
	v6 = strchr(host, ':') && *host != '[';
	if (asprintf(&url, "https://%s%s%s:%s", v6 ? "[" : "", host,
		     v6 ? "]" : "", port) < 0)
		return -ENOMEM;
	err = set_server(&c, url, why);
	free(url);
	if (!err && (asprintf(&c.token_file, "%s/token", dir) < 0 ||
		     asprintf(&c.ca_file, "%s/ca.crt", dir) < 0))
		err = -ENOMEM;
	if (err)
		knp_kube_config_clear(&c);
	else
		*ret = c;
	return err;
}

/*
 * A mapping of a kubeconfig, walked with the path that refusals name.
 * @folder: what relative paths start with, its slash included; or ""
 */
struct section {
	struct json_object *obj;
	const char *name;
	const char *folder;
	char **why;
};

/* 1 if it is there, 0 if it is absent, null or empty; borrowed. */
static int get(const struct section *s, const char *key, const char **ret)
{
	struct json_object *value;
	const char *text;

	if (!json_object_object_get_ex(s->obj, key, &value) || !value)
		return 0;
	if (!json_object_is_type(value, json_type_string))
		return refuse(s->why, "%s: %s must be a string", s->name, key);
	text = json_object_get_string(value);
	if (!text)
		return -ENOMEM;
	if (strlen(text) != (size_t)json_object_get_string_len(value))
		return refuse(s->why, "%s: %s must not hold a NUL character",
			      s->name, key);
	*ret = text;
	return *text != '\0';
}

static int get_copy(const struct section *s, const char *key, char **ret)
{
	const char *text;
	int there = get(s, key, &text);

	if (there <= 0)
		return there;
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

static int get_path(const struct section *s, const char *key, char **ret)
{
	const char *text;
	int there = get(s, key, &text);

	if (there <= 0)
		return there;
	if (*text == '/' || !*s->folder)
		*ret = strdup(text);
	else if (asprintf(ret, "%s%s", s->folder, text) < 0)
		*ret = NULL;
	return *ret ? 0 : -ENOMEM;
}

static int decode_base64(const char *text, struct knp_bytes *ret)
{
	size_t len = strlen(text);
	unsigned char *out;
	int n;

	if (len % 4 || len > INT_MAX / 2)
		return -EINVAL;
	out = malloc(len / 4 * 3 + 1);
	if (!out)
		return -ENOMEM;
	n = EVP_DecodeBlock(out, (const unsigned char *)text, (int)len);
	if (n < 0) {
		free(out);
		return -EINVAL;
	}
	/* Padding is decoded as zero bytes. */
	n -= text[len - 1] == '=';
	n -= len > 1 && text[len - 2] == '=';
	out[n] = '\0';
	ret->v = (char *)out;
	ret->len = (size_t)n;
	return 0;
}

static int get_data(const struct section *s, const char *key,
		    struct knp_bytes *ret)
{
	const char *text;
	int there = get(s, key, &text);
	int err;

	if (there <= 0)
		return there;
	err = decode_base64(text, ret);
	if (err == -EINVAL)
		return refuse(s->why, "%s: %s is no base64", s->name, key);
	return err;
}

static bool is_set(const struct section *s, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(s->obj, key, &value) || !value)
		return false;
	switch (json_object_get_type(value)) {
	case json_type_boolean:
		return json_object_get_boolean(value);
	case json_type_string:
		return json_object_get_string_len(value) > 0;
	case json_type_array:
		return json_object_array_length(value) > 0;
	default:
		return true;
	}
}

static int read_cluster(const struct section *s, struct knp_kube_config *c)
{
	const char *server = NULL;
	int there;
	int err;

	if (is_set(s, "insecure-skip-tls-verify"))
		return refuse(s->why, "%s: insecure-skip-tls-verify is not supported: whoever is between could write the policies",
			      s->name);
	there = get(s, "server", &server);
	if (there < 0)
		return there;
	if (!there || !server)
		return refuse(s->why, "%s: server is missing", s->name);
	err = set_server(c, server, s->why);
	if (!err)
		err = get_data(s, "certificate-authority-data", &c->ca);
	if (!err && !c->ca.v)
		err = get_path(s, "certificate-authority", &c->ca_file);
	if (!err)
		err = get_copy(s, "tls-server-name", &c->server_name);
	if (!err)
		err = get_copy(s, "proxy-url", &c->proxy);
	if (!err && c->proxy && c->server && !strncmp(c->server, "http://", 7))
		return refuse(s->why, "%s: proxy-url with http:// would show the token to the proxy",
			      s->name);
	return err;
}

static int read_user(const struct section *s, struct knp_kube_config *c)
{
	static const char *const refused[][2] = {
		{ "exec", "a privileged daemon starts no plugins" },
		{ "auth-provider", "a privileged daemon starts no plugins" },
		{ "username", "use a token or a client certificate" },
		{ "password", "use a token or a client certificate" },
		{ "as", "nobody is impersonated" },
		{ "as-uid", "nobody is impersonated" },
		{ "as-groups", "nobody is impersonated" },
	};
	size_t len;
	int err;

	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		if (is_set(s, refused[i][0]))
			return refuse(s->why, "%s: %s is not supported: %s",
				      s->name, refused[i][0], refused[i][1]);

	err = get_data(s, "client-certificate-data", &c->cert);
	if (!err && !c->cert.v)
		err = get_path(s, "client-certificate", &c->cert_file);
	if (!err)
		err = get_data(s, "client-key-data", &c->key);
	if (!err && !c->key.v)
		err = get_path(s, "client-key", &c->key_file);
	if (!err)
		err = get_path(s, "tokenFile", &c->token_file);
	if (!err && !c->token_file)
		err = get_copy(s, "token", &c->token);
	if (err)
		return err;
	if ((c->cert.v || c->cert_file) != (c->key.v || c->key_file))
		return refuse(s->why, "%s: a client certificate needs its key, and a key its certificate",
			      s->name);
	len = c->token ? strlen(c->token) : 0;
	if (c->token && !knp_secret_is_token(c->token, &len))
		return refuse(s->why, "%s: token holds white space or control characters",
			      s->name);
	if (c->token)
		c->token[len] = '\0';
	return 0;
}

/* The mapping @key of the element of @list that has the name. */
static int find(struct json_object *doc, const char *list, const char *key,
		const char *name, struct json_object **ret, char **why)
{
	struct json_object *array;
	struct json_object *value;
	struct json_object *e;
	size_t n = 0;

	if (json_object_object_get_ex(doc, list, &array) &&
	    json_object_is_type(array, json_type_array))
		n = json_object_array_length(array);
	for (size_t i = 0; i < n; i++) {
		e = json_object_array_get_idx(array, i);
		if (!json_object_is_type(e, json_type_object) ||
		    !json_object_object_get_ex(e, "name", &value) ||
		    !json_object_is_type(value, json_type_string) ||
		    strcmp(json_object_get_string(value), name))
			continue;
		if (!json_object_object_get_ex(e, key, &value) ||
		    !json_object_is_type(value, json_type_object))
			return refuse(why, "%s \"%s\" has no mapping \"%s\"",
				      key, name, key);
		*ret = value;
		return 0;
	}
	return refuse(why, "there is no %s \"%s\"", key, name);
}

static int read_context(struct section *s, struct json_object *doc,
			const char *context, struct knp_kube_config *c)
{
	const char *cluster = NULL;
	const char *user = NULL;
	int there_user;
	int there;
	int err;

	err = find(doc, "contexts", "context", context, &s->obj, s->why);
	if (err)
		return err;
	s->name = "context";
	there = get(s, "cluster", &cluster);
	if (there < 0)
		return there;
	if (!there || !cluster)
		return refuse(s->why, "context \"%s\" names no cluster",
			      context);
	there_user = get(s, "user", &user);
	if (there_user < 0)
		return there_user;

	err = find(doc, "clusters", "cluster", cluster, &s->obj, s->why);
	s->name = "cluster";
	if (!err)
		err = read_cluster(s, c);
	if (err || !there_user || !user)
		return err;
	err = find(doc, "users", "user", user, &s->obj, s->why);
	s->name = "user";
	return err ? err : read_user(s, c);
}

static int read_doc(struct json_object *docs, const char *folder,
		    const char *context, struct knp_kube_config *c, char **why)
{
	struct section s = { .name = "kubeconfig", .folder = folder,
			     .why = why };
	int there = 1;

	s.obj = json_object_array_get_idx(docs, 0);
	if (json_object_array_length(docs) != 1 ||
	    !json_object_is_type(s.obj, json_type_object))
		return refuse(why, "this is no kubeconfig");
	if (!context)
		there = get(&s, "current-context", &context);
	if (there < 0)
		return there;
	if (!there || !context)
		return refuse(why, "no current-context is set: name one with --context");
	c->context = strdup(context);
	if (!c->context)
		return -ENOMEM;
	return read_context(&s, json_object_array_get_idx(docs, 0), context,
			    c);
}

static int slurp(const char *path, char **text, size_t *len, char **why)
{
	int err;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return refuse(why, "%s: %s", path, strerror(errno));
	err = knp_manifest_slurp(fd, text, len);
	close(fd);
	if (err && err != -ENOMEM)
		return refuse(why, "%s: %s", path, strerror(-err));
	return err;
}

/* Name the file in a reason. */
static int name_file(const char *path, char **why)
{
	char *what = *why;
	int err;

	if (!what)
		return -ENOMEM;
	err = refuse(why, "%s: %s", path, what);
	free(what);
	return err;
}

int knp_kube_config_load(const char *path, const char *context,
			 struct knp_kube_config *ret, char **why)
{
	const char *slash = strrchr(path, '/');
	struct knp_kube_config c = { 0 };
	struct json_object *docs;
	char *folder = NULL;
	char *text = NULL;
	size_t len = 0;
	int err;

	*why = NULL;
	err = slurp(path, &text, &len, why);
	if (err)
		return err;
	docs = json_object_new_array();
	folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup("");
	err = docs && folder ? knp_yaml_parse(text, len, docs, why) : -ENOMEM;
	if (!err)
		err = read_doc(docs, folder, context, &c, why);
	if (err == -EINVAL)
		err = name_file(path, why);
	free(folder);
	json_object_put(docs);
	knp_secret_free(text, len);
	if (err)
		knp_kube_config_clear(&c);
	else
		*ret = c;
	return err;
}
