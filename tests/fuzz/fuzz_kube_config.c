// SPDX-License-Identifier: Apache-2.0
/*
 * Arbitrary bytes as a kubeconfig. What is taken names a server by TLS, or on
 * this host; what is refused has a reason, in which no secret stands: seeds have
 * the word "s3cr3t" where secrets stand, and where it stands nowhere else the
 * reason does not have it.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kube_config.h"
#include "manifest_text.h"
#include "require.h"

#define SECRET	"s3cr3t"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_server(const struct knp_kube_config *c)
{
	const char *server = c->server;
	size_t len;

	require(server, "no server");
	len = strlen(server);
	require(len && server[len - 1] != '/', "a slash at the end");
	if (!strncmp(server, "https://", 8))
		return;
	require(!strncmp(server, "http://127.0.0.1", 16) ||
		!strncmp(server, "http://localhost", 16) ||
		!strncmp(server, "http://[::1]", 12),
		"a server without TLS on another host");
	require(!c->proxy, "a token is shown to a proxy");
}

static void check_bytes(const struct knp_bytes *b, const char *file)
{
	require(!b->v || !file, "data and a file");
	require(b->v || !b->len, "a length of nothing");
	require(!b->v || !b->v[b->len], "no NUL behind the data");
}

static void check_config(const struct knp_kube_config *c)
{
	check_server(c);
	check_bytes(&c->ca, c->ca_file);
	check_bytes(&c->cert, c->cert_file);
	check_bytes(&c->key, c->key_file);
	require(!(c->cert.v || c->cert_file) == !(c->key.v || c->key_file),
		"half of a client certificate");
	require(!c->token || !c->token_file, "two tokens");
	require(!c->token || (*c->token && !strpbrk(c->token, " \t\r\n")),
		"a token that ends a header");
	require(c->context, "no context");
}

static bool is_secret(struct json_object *user)
{
	static const char *const keys[] = {
		"token", "password", "client-key-data",
	};
	struct json_object *value;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (json_object_object_get_ex(user, keys[i], &value) &&
		    json_object_is_type(value, json_type_string) &&
		    strstr(json_object_get_string(value), SECRET))
			return true;
	return false;
}

static bool has_secrets(struct json_object *config)
{
	struct json_object *users, *user;

	if (!json_object_object_get_ex(config, "users", &users) ||
	    !json_object_is_type(users, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(users); i++) {
		user = json_object_array_get_idx(users, i);
		if (json_object_object_get_ex(user, "user", &user) &&
		    is_secret(user))
			return true;
	}
	return false;
}

/* Whether the word is there once, as a secret of a user. */
static bool has_secret(const char *text, size_t len)
{
	struct json_object *docs = json_object_new_array();
	const char *at = strstr(text, SECRET);
	char *why = NULL;
	bool has;

	require(docs, "no memory");
	has = at && !strstr(at + 1, SECRET) &&
	      !knp_yaml_parse(text, len, docs, &why) &&
	      has_secrets(json_object_array_get_idx(docs, 0));
	free(why);
	json_object_put(docs);
	return has;
}

static void check_reason(const char *why, const uint8_t *data, size_t size)
{
	char *text;

	if (!strstr(why, SECRET))
		return;
	text = calloc(1, size + 1);
	require(text, "no memory");
	memcpy(text, data, size);
	require(!has_secret(text, size), "a secret in a reason");
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct knp_kube_config c = { 0 };
	char *why = NULL;
	char path[32];
	int fd;
	int err;

	fd = memfd_create("kubeconfig", MFD_CLOEXEC);
	require(fd >= 0 && write(fd, data, size) == (ssize_t)size,
		"no memory");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = knp_kube_config_load(path, NULL, &c, &why);
	if (!err)
		check_config(&c);
	require(!err || err == -EINVAL, "an odd error");
	require(!err == !why, "refused without a reason, or taken with one");
	if (why)
		check_reason(why, data, size);
	free(why);
	knp_kube_config_clear(&c);
	close(fd);
	return 0;
}
