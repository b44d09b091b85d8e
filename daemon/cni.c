// SPDX-License-Identifier: Apache-2.0
/*
 * knp-cni: a CNI plugin that makes pods known to knpd before they start. It is
 * chained after the plugins that give a pod its network:
 *
 *   { "cniVersion": "1.0.0", "name": "azure", "plugins": [
 *	{ "type": "azure-vnet", ... }, { "type": "portmap", ... },
 *	{ "type": "knp-cni", "timeout": 30 } ] }
 *
 * ADD	   tells knpd the pod's namespace, name, uid, addresses and interface,
 *	   and returns when the kernel classifies them; prints prevResult as it
 *	   came. It fails with code 11, "try again later", if knpd does not
 *	   answer, or not in time: the runtime tears down the pod's network and
 *	   tries again.
 * DEL	   tells knpd. It succeeds also while knpd is away: a runtime repeats a
 *	   failed DEL for ever, and nobody could delete a pod then. What knpd is
 *	   not told it finds out: the interface is gone, the next pod has the
 *	   address.
 * CHECK   fails unless the kernel classifies what was added.
 * GC	   as DEL, for all attachments that are not listed.
 * STATUS  fails with code 50 while an ADD would.
 * VERSION
 *
 * Errors are written as CNI wants them, to standard output; exit status 1. With
 * arguments it is the operator who runs it: see cni_setup.h.
 */
#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "cni_conf.h"
#include "cni_link.h"
#include "cni_setup.h"
#include "json_build.h"

#define CONF_MAX	(4 << 20)
#define ANSWER_MAX	4096
/* knpd says what is missing when the time is over; then it is to be heard. */
#define GRACE_MS	2000

static int print(struct json_object *doc)
{
	const char *text = doc ?
		json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PRETTY |
					       JSON_C_TO_STRING_SPACED |
					       JSON_C_TO_STRING_NOSLASHESCAPE) :
		NULL;
	int err = !text || puts(text) < 0 || fflush(stdout);

	json_object_put(doc);
	return err ? 1 : 0;
}

/* ---- knpd --------------------------------------------------------------- */

static int no_knpd(struct knp_cni_error *e, const char *socket, int err)
{
	return knp_cni_explain(e, KNP_CNI_LATER, "knpd does not answer",
			       "%.256s: %s", socket, strerror(err));
}

/* A knpd that hangs takes no connections either, in the end. */
static void limit(int fd, int64_t ms)
{
	const struct timeval tv = knp_timeval(ms);

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

static int dial(const struct knp_cni_call *call, struct knp_cni_error *e)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *path = call->socket;
	size_t len = strlen(path);
	int fd, err;

	if (len >= sizeof(addr.sun_path))
		return knp_cni_explain(e, KNP_CNI_CONFIG, "socket is too long a path",
				       "%s", path);
	memcpy(addr.sun_path, path, len);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return no_knpd(e, path, errno);
	limit(fd, call->timeout_ms);
	if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	err = errno;
	close(fd);
	return no_knpd(e, path, err);
}

static int send_all(int fd, const char *text, size_t len)
{
	ssize_t n;

	while (len) {
		n = send(fd, text, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

static int send_request(int fd, struct json_object *request)
{
	const char *text;
	int err;

	text = json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN);
	if (!text)
		return -ENOMEM;
	err = send_all(fd, text, strlen(text));
	return err ? err : send_all(fd, "\n", 1);
}

/* One line, before @until. */
static int receive(int fd, int64_t until, char answer[ANSWER_MAX])
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	size_t len = 0;
	int64_t left;
	ssize_t n;

	for (;;) {
		left = (until - knp_now_ns()) / 1000000;
		if (left <= 0)
			return -ETIMEDOUT;
		n = poll(&pfd, 1, (int)left);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n <= 0)
			continue;
		n = recv(fd, answer + len, ANSWER_MAX - 1 - len, 0);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (!n || len + 1 == ANSWER_MAX)
			return -ECONNRESET;
		if (n > 0)
			len += (size_t)n;
		answer[len] = '\0';
		if (len && answer[len - 1] == '\n')
			return 0;
	}
}

static int understand(const char *answer, struct knp_cni_error *e)
{
	struct json_object *doc = json_tokener_parse(answer);
	struct json_object *code = NULL;
	int err = 0;

	if (!json_object_is_type(doc, json_type_object))
		err = knp_cni_fail(e, KNP_CNI_INTERNAL,
				   "knpd answers in no known way");
	else if (json_object_object_get_ex(doc, "code", &code))
		err = knp_cni_explain(e, json_object_get_int(code),
				      knp_cni_text(doc, "msg"), "%s",
				      knp_cni_text(doc, "details"));
	json_object_put(doc);
	return err;
}

static int ask(const struct knp_cni_call *call, struct json_object *request,
	       struct knp_cni_error *e)
{
	int64_t until = knp_now_ns() + (call->timeout_ms + GRACE_MS) * 1000000;
	char answer[ANSWER_MAX];
	int fd, err;

	if (!request)
		return knp_cni_fail(e, KNP_CNI_LATER, "out of memory");
	fd = dial(call, e);
	if (fd < 0) {
		json_object_put(request);
		return -1;
	}
	err = send_request(fd, request);
	if (!err)
		err = receive(fd, until, answer);
	close(fd);
	json_object_put(request);
	return err ? no_knpd(e, call->socket, -err) : understand(answer, e);
}

/* ---- operations --------------------------------------------------------- */

/* NULL if out of memory; takes over @value, which may be NULL. */
static struct json_object *request_new(const char *op, const char *key,
				       struct json_object *value)
{
	struct json_object *request = json_object_new_object();

	if (request && !knp_json_add_string(request, "op", op) &&
	    !knp_json_add(request, key, value))
		return request;
	json_object_put(request);
	return NULL;
}

static int find_link(const struct knp_cni_call *call, struct knp_cni_error *e)
{
	struct knp_binding *b = call->binding;
	int err;

	err = knp_cni_link(call->netns, b->at.ifname, call->prev, &b->ifindex);
	if (!err)
		return 0;
	return knp_cni_explain(e, KNP_CNI_IO, "the pod's interface is not there",
			       "%.64s in %.256s: %s", b->at.ifname, call->netns,
			       strerror(-err));
}

static int do_add(const struct knp_cni_call *call, struct knp_cni_error *e)
{
	struct json_object *request;

	if (find_link(call, e))
		return -1;
	request = request_new("add", "binding",
			      knp_binding_json(call->binding));
	if (request && knp_json_add_number(request, "timeout_ms",
					   (uint64_t)call->timeout_ms)) {
		json_object_put(request);
		request = NULL;
	}
	return ask(call, request, e);
}

static int do_check(const struct knp_cni_call *call, struct knp_cni_error *e)
{
	if (find_link(call, e))
		return -1;
	return ask(call, request_new("check", "binding",
				     knp_binding_json(call->binding)), e);
}

/* What knpd is not told it finds out: see above. */
static int forgive(int err, const struct knp_cni_error *e)
{
	if (err && e->code == KNP_CNI_LATER) {
		fprintf(stderr, "knp-cni: %s: %s\n", e->msg, e->details);
		return 0;
	}
	return err;
}

static int do_del(const struct knp_cni_call *call, struct knp_cni_error *e)
{
	const struct knp_attachment *at = &call->binding->at;
	struct json_object *request;

	request = request_new("del", "containerID",
			      json_object_new_string(at->container));
	if (request && knp_json_add_string(request, "ifname", at->ifname)) {
		json_object_put(request);
		request = NULL;
	}
	return forgive(ask(call, request, e), e);
}

static int do_gc(const struct knp_cni_call *call, struct knp_cni_error *e)
{
	struct json_object *request;

	request = request_new("gc", "network",
			      json_object_new_string(call->network));
	if (request && knp_json_add(request, "attachments",
				    json_object_get(call->attachments))) {
		json_object_put(request);
		request = NULL;
	}
	return forgive(ask(call, request, e), e);
}

static int do_status(const struct knp_cni_call *call, struct knp_cni_error *e)
{
	int err = ask(call, request_new("status", "network",
					json_object_new_string(call->network)),
		      e);

	if (err)
		e->code = KNP_CNI_UNAVAILABLE;
	return err;
}

static int run(const struct knp_cni_call *call, struct knp_cni_error *e)
{
	switch (call->command) {
	case KNP_CNI_ADD:
		if (do_add(call, e))
			return -1;
		return print(knp_cni_result(call));
	case KNP_CNI_DEL:
		return do_del(call, e);
	case KNP_CNI_CHECK:
		return do_check(call, e);
	case KNP_CNI_GC:
		return do_gc(call, e);
	case KNP_CNI_STATUS:
		return do_status(call, e);
	case KNP_CNI_VERSIONS:
		return print(knp_cni_versions(call->version));
	}
	return 0;
}

static char *read_conf(size_t *len)
{
	char *text = malloc(CONF_MAX);
	size_t n;

	if (!text)
		return NULL;
	n = fread(text, 1, CONF_MAX - 1, stdin);
	text[n] = '\0';
	*len = n;
	return text;
}

int main(int argc, char **argv)
{
	const struct knp_cni_env env = {
		.command = getenv("CNI_COMMAND"),
		.container = getenv("CNI_CONTAINERID"),
		.netns = getenv("CNI_NETNS"),
		.ifname = getenv("CNI_IFNAME"),
		.args = getenv("CNI_ARGS"),
	};
	struct knp_cni_error e = { 0 };
	struct knp_cni_call call;
	size_t len = 0;
	char *text;
	int err;

	if (argc > 1 || !env.command)
		return knp_cni_setup(argc, argv);
	text = read_conf(&len);
	if (!text)
		return 1;
	err = knp_cni_call_parse(&env, text, len, &call, &e);
	if (!err)
		err = run(&call, &e);
	if (err < 0)
		print(knp_cni_error_json(call.version, &e));
	knp_cni_call_clear(&call);
	free(text);
	return err ? 1 : 0;
}
