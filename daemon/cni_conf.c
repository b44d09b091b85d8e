// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "cni_conf.h"
#include "cni_server.h"
#include "json_build.h"
#include "runtime.h"

#define TIMEOUT_MAX_S	600
#define VALID		"cni.dev/valid-attachments"

/**
 * struct version - one that is understood
 * @check, @gc: it has CHECK; GC and STATUS
 */
struct version {
	const char *text;
	bool check;
	bool gc;
};

static const struct version versions[] = {
	{ "0.3.0", false, false },
	{ "0.3.1", false, false },
	{ "0.4.0", true, false },
	{ "1.0.0", true, false },
	{ KNP_CNI_NEWEST, true, true },
};

#define NVERSIONS	(sizeof(versions) / sizeof(*versions))

static const char *const commands[] = {
	[KNP_CNI_ADD] = "ADD",
	[KNP_CNI_DEL] = "DEL",
	[KNP_CNI_CHECK] = "CHECK",
	[KNP_CNI_GC] = "GC",
	[KNP_CNI_STATUS] = "STATUS",
	[KNP_CNI_VERSIONS] = "VERSION",
};

static struct json_object *member(struct json_object *obj, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(obj, key, &value);
	return value;
}

const char *knp_cni_text(struct json_object *obj, const char *key)
{
	struct json_object *value = member(obj, key);

	return json_object_is_type(value, json_type_string) ?
	       json_object_get_string(value) : "";
}

static int out_of_memory(struct knp_cni_error *e)
{
	return knp_cni_fail(e, KNP_CNI_LATER, "out of memory");
}

static int take_command(const struct knp_cni_env *env,
			struct knp_cni_call *call, struct knp_cni_error *e)
{
	if (!env->command)
		return knp_cni_explain(e, KNP_CNI_ENVIRONMENT,
				       "CNI_COMMAND is not set", "%s",
				       "knp-cni is run by a container runtime");
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(commands[i], env->command))
			continue;
		call->command = (enum knp_cni_command)i;
		return 0;
	}
	return knp_cni_explain(e, KNP_CNI_ENVIRONMENT, "CNI_COMMAND is unknown",
			       "%s", env->command);
}

static int decode(const char *text, size_t len, struct knp_cni_call *call,
		  struct knp_cni_error *e)
{
	struct json_tokener *tok = json_tokener_new();
	const char *why;

	if (!tok)
		return out_of_memory(e);
	/* With the end, so that a number at the end is complete. */
	call->conf = json_tokener_parse_ex(tok, text, (int)len + 1);
	why = json_tokener_error_desc(json_tokener_get_error(tok));
	json_tokener_free(tok);
	if (!call->conf)
		return knp_cni_explain(e, KNP_CNI_DECODE,
				       "the network configuration is no JSON",
				       "%s", why);
	if (!json_object_is_type(call->conf, json_type_object))
		return knp_cni_fail(e, KNP_CNI_DECODE,
				    "the network configuration is no JSON object");
	return 0;
}

/* NULL: not understood. */
static const struct version *version_of(const char *text)
{
	for (size_t i = 0; i < NVERSIONS; i++)
		if (!strcmp(versions[i].text, text))
			return &versions[i];
	return NULL;
}

bool knp_cni_version_known(const char *version)
{
	return version_of(version);
}

static int take_version(struct knp_cni_call *call, struct knp_cni_error *e)
{
	const char *text = knp_cni_text(call->conf, "cniVersion");
	const struct version *v = version_of(text);
	bool has;

	if (!v)
		return knp_cni_explain(e, KNP_CNI_VERSION,
				       "knp-cni does not speak this version of CNI",
				       "cniVersion \"%.32s\", understood are 0.3.0 to "
				       KNP_CNI_NEWEST, text);
	call->version = v->text;
	has = true;
	if (call->command == KNP_CNI_CHECK)
		has = v->check;
	else if (call->command == KNP_CNI_GC || call->command == KNP_CNI_STATUS)
		has = v->gc;
	if (!has)
		return knp_cni_explain(e, KNP_CNI_VERSION,
				       "this version of CNI has no such operation",
				       "cniVersion %s, %s", v->text,
				       commands[call->command]);
	return 0;
}

static int take_options(struct knp_cni_call *call, struct knp_cni_error *e)
{
	struct json_object *timeout = member(call->conf, "timeout");
	double s;

	call->network = knp_cni_text(call->conf, "name");
	call->socket = knp_cni_text(call->conf, "socket");
	if (!*call->socket)
		call->socket = KNP_RUNTIME_DIR "/" KNP_CNI_SOCKET;
	call->timeout_ms = KNP_CNI_TIMEOUT_MS;
	if (!timeout)
		return 0;
	s = json_object_get_double(timeout);
	if ((!json_object_is_type(timeout, json_type_int) &&
	     !json_object_is_type(timeout, json_type_double)) ||
	    !(s > 0 && s <= TIMEOUT_MAX_S))
		return knp_cni_explain(e, KNP_CNI_CONFIG,
				       "timeout is no number of seconds up to 600",
				       "%s", json_object_get_string(timeout));
	call->timeout_ms = (int64_t)(s * 1000);
	return 0;
}

/* ---- the environment ---------------------------------------------------- */

static bool is_set(const char *value)
{
	return value && *value;
}

static int need(const char *name, const char *value, struct knp_cni_error *e)
{
	if (is_set(value))
		return 0;
	return knp_cni_explain(e, KNP_CNI_ENVIRONMENT,
			       "an environment variable is not set", "%s", name);
}

/* Where the value of an argument goes; NULL: it is not for us. */
static char **arg_of(struct knp_binding *b, const char *key, size_t len)
{
	const struct {
		const char *key;
		char **to;
	} args[] = {
		{ "K8S_POD_NAMESPACE", &b->ns },
		{ "K8S_POD_NAME", &b->name },
		{ "K8S_POD_UID", &b->uid },
	};

	for (size_t i = 0; i < sizeof(args) / sizeof(*args); i++)
		if (strlen(args[i].key) == len &&
		    !strncmp(args[i].key, key, len))
			return args[i].to;
	return NULL;
}

/* "K=V;K=V": those of other plugins are not ours to judge. */
static int take_args(const char *args, struct knp_binding *b)
{
	while (args && *args) {
		size_t len = strcspn(args, ";");
		size_t key = strcspn(args, "=;");
		char **to = key < len ? arg_of(b, args, key) : NULL;

		if (to) {
			free(*to);
			*to = strndup(args + key + 1, len - key - 1);
			if (!*to)
				return -ENOMEM;
		}
		args += len + (args[len] == ';');
	}
	if (b->uid)
		return 0;
	b->uid = strdup("");
	return b->uid ? 0 : -ENOMEM;
}

static int take_pod(const struct knp_cni_env *env, struct knp_binding *b,
		    struct knp_cni_error *e)
{
	if (take_args(env->args, b))
		return out_of_memory(e);
	if (is_set(b->ns) && is_set(b->name))
		return 0;
	return knp_cni_explain(e, KNP_CNI_ENVIRONMENT,
			       "CNI_ARGS does not say which pod it is", "%s",
			       "K8S_POD_NAMESPACE and K8S_POD_NAME are needed");
}

/* ---- prevResult --------------------------------------------------------- */

static int bad_prev(struct knp_cni_error *e, const char *why)
{
	return knp_cni_explain(e, KNP_CNI_CONFIG, "prevResult cannot be used",
			       "%s", why);
}

static int take_ip(struct json_object *entry, struct knp_binding *b)
{
	const char *text = knp_cni_text(entry, "address");
	size_t len = strcspn(text, "/");
	struct knp_ip ip;
	char address[46];

	if (len >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, len);
	address[len] = '\0';
	if (knp_ip_parse(address, &ip))
		return -EINVAL;
	for (uint32_t i = 0; i < b->nips; i++)
		if (!memcmp(&b->ips[i], &ip, sizeof(ip)))
			return 0;
	if (b->nips == KNP_BINDING_IPS)
		return -E2BIG;
	b->ips[b->nips++] = ip;
	return 0;
}

static int take_prev(struct knp_cni_call *call, struct knp_cni_error *e)
{
	struct json_object *ips;
	int err;

	call->prev = member(call->conf, "prevResult");
	if (!json_object_is_type(call->prev, json_type_object))
		return knp_cni_explain(e, KNP_CNI_CONFIG, "there is no prevResult",
				       "%s", "knp-cni is to be chained after the plugin that gives pods their addresses");
	ips = member(call->prev, "ips");
	if (!json_object_is_type(ips, json_type_array) ||
	    !json_object_array_length(ips))
		return bad_prev(e, "it has no ips");
	for (size_t i = 0; i < json_object_array_length(ips); i++) {
		err = take_ip(json_object_array_get_idx(ips, i), call->binding);
		if (err == -E2BIG)
			return bad_prev(e, "it has more than 8 addresses");
		if (err)
			return bad_prev(e, "one of its ips has no address");
	}
	return 0;
}

/* ---- operations --------------------------------------------------------- */

static int take_attachment(const struct knp_cni_env *env,
			   struct knp_cni_call *call, struct knp_cni_error *e)
{
	struct knp_binding *b;

	if (need("CNI_CONTAINERID", env->container, e) ||
	    need("CNI_IFNAME", env->ifname, e))
		return -1;
	b = calloc(1, sizeof(*b));
	call->binding = b;
	if (!b)
		return out_of_memory(e);
	b->at.container = strdup(env->container);
	b->at.ifname = strdup(env->ifname);
	b->network = strdup(call->network);
	if (!b->at.container || !b->at.ifname || !b->network)
		return out_of_memory(e);
	call->netns = is_set(env->netns) ? env->netns : NULL;
	return 0;
}

static int take_gc(struct knp_cni_call *call, struct knp_cni_error *e)
{
	call->attachments = member(call->conf, VALID);
	if (json_object_is_type(call->attachments, json_type_array))
		return 0;
	return knp_cni_fail(e, KNP_CNI_CONFIG, "there is no " VALID);
}

int knp_cni_call_parse(const struct knp_cni_env *env, const char *text,
		       size_t len, struct knp_cni_call *ret,
		       struct knp_cni_error *e)
{
	*ret = (struct knp_cni_call){ .version = KNP_CNI_NEWEST };
	if (take_command(env, ret, e) || decode(text, len, ret, e))
		return -1;
	if (ret->command == KNP_CNI_VERSIONS) {
		ret->version = knp_cni_text(ret->conf, "cniVersion");
		return 0;
	}
	if (take_version(ret, e) || take_options(ret, e))
		return -1;
	switch (ret->command) {
	case KNP_CNI_ADD:
	case KNP_CNI_CHECK:
		if (take_attachment(env, ret, e) ||
		    need("CNI_NETNS", env->netns, e) ||
		    take_pod(env, ret->binding, e))
			return -1;
		return take_prev(ret, e);
	case KNP_CNI_DEL:
		return take_attachment(env, ret, e);
	case KNP_CNI_GC:
		return take_gc(ret, e);
	default:
		return 0;
	}
}

void knp_cni_call_clear(struct knp_cni_call *call)
{
	knp_binding_free(call->binding);
	json_object_put(call->conf);
	*call = (struct knp_cni_call){ 0 };
}

/* ---- answers ------------------------------------------------------------ */

struct json_object *knp_cni_versions(const char *version)
{
	struct json_object *array = json_object_new_array();
	struct json_object *doc = json_object_new_object();
	int err = array && doc ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < NVERSIONS; i++)
		err = knp_json_append(array,
				      json_object_new_string(versions[i].text));
	if (!err)
		err = knp_json_add_string(doc, "cniVersion", *version ? version :
					  KNP_CNI_NEWEST);
	if (err) {
		json_object_put(array);
		json_object_put(doc);
		return NULL;
	}
	if (!knp_json_add(doc, "supportedVersions", array))
		return doc;
	json_object_put(doc);
	return NULL;
}

struct json_object *knp_cni_error_json(const char *version,
				       const struct knp_cni_error *e)
{
	struct json_object *doc = json_object_new_object();
	int err = 0;

	if (!doc)
		return NULL;
	err |= knp_json_add_string(doc, "cniVersion", version);
	err |= knp_json_add_number(doc, "code", (uint64_t)e->code);
	err |= knp_json_add_string(doc, "msg", e->msg);
	if (e->details[0])
		err |= knp_json_add_string(doc, "details", e->details);
	if (!err)
		return doc;
	json_object_put(doc);
	return NULL;
}

struct json_object *knp_cni_result(const struct knp_cni_call *call)
{
	struct json_object *doc = json_object_get(call->prev);

	if (member(doc, "cniVersion") ||
	    !knp_json_add_string(doc, "cniVersion", call->version))
		return doc;
	json_object_put(doc);
	return NULL;
}
