// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cni_error.h"
#include "cni_server.h"
#include "clock.h"
#include "json_build.h"
#include "log.h"

#define REQUEST_MAX	(256 << 10)
#define CLIENTS_MAX	256
#define READ_S		5
#define WAIT_MAX_MS	600000
#define BACKLOG		128
#define ATTACHMENTS_MAX	4096

/**
 * struct client - one connection
 * @at: what it waits for, while it does
 * @pod: whose that is, for the log
 * @timer: until when
 * @since_ns: it came
 * @answered: only the answer has to leave
 */
struct client {
	struct client *next;
	struct knp_cni_server *s;
	struct bufferevent *bev;
	struct event *timer;
	struct knp_attachment at;
	char pod[512];
	int64_t since_ns;
	bool waiting;
	bool answered;
};

struct knp_cni_server {
	struct event_base *base;
	struct evconnlistener *listener;
	const struct knp_cni_server_ops *ops;
	void *arg;
	struct client *clients;
	size_t nclients;
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
};

static void client_free(struct client *c)
{
	struct client **at = &c->s->clients;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	c->s->nclients--;
	if (c->timer)
		event_free(c->timer);
	bufferevent_free(c->bev);
	knp_attachment_clear(&c->at);
	free(c);
}

/* Its addition has failed: nothing of it is to stay. */
static void give_up(struct client *c)
{
	if (c->waiting)
		c->s->ops->del(c->s->arg, &c->at);
	c->waiting = false;
}

/* ---- answers ------------------------------------------------------------- */

/* What cannot be said for want of memory is said by hanging up. */
static void send_line(struct client *c, struct json_object *doc, int err)
{
	const char *text = err ? NULL :
		json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN |
					       JSON_C_TO_STRING_NOSLASHESCAPE);

	c->answered = true;
	if (c->timer)
		evtimer_del(c->timer);
	if (text)
		err = bufferevent_write(c->bev, text, strlen(text)) ||
		      bufferevent_write(c->bev, "\n", 1);
	json_object_put(doc);
	if (text && !err)
		return;
	/* Not from within its callbacks. */
	shutdown(bufferevent_getfd(c->bev), SHUT_RDWR);
}

static void answer_error(struct client *c, const struct knp_cni_error *e)
{
	struct json_object *doc = json_object_new_object();
	int err = doc ? 0 : -ENOMEM;

	if (doc) {
		err |= knp_json_add_number(doc, "code", (uint64_t)e->code);
		err |= knp_json_add_string(doc, "msg", e->msg);
		err |= knp_json_add_string(doc, "details", e->details);
	}
	send_line(c, doc, err);
}

static void answer(struct client *c)
{
	struct json_object *doc = json_object_new_object();
	int err = doc ? 0 : -ENOMEM;

	c->waiting = false;
	if (doc)
		err |= knp_json_add_number(doc, "generation",
					   c->s->ops->generation(c->s->arg));
	send_line(c, doc, err);
}

static void log_added(const struct client *c)
{
	knp_log(KNP_LOG_INFO, "cni: pod %s is enforced, after %lld ms", c->pod,
		(long long)(knp_now_ns() - c->since_ns) / 1000000);
}

void knp_cni_server_enforced(struct knp_cni_server *s)
{
	for (struct client *c = s->clients; c; c = c->next) {
		if (!c->waiting || s->ops->pending(s->arg, &c->at))
			continue;
		log_added(c);
		answer(c);
	}
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;
	struct knp_cni_error e;
	const char *pending;

	(void)fd;
	(void)what;
	pending = c->s->ops->pending(c->s->arg, &c->at);
	knp_cni_explain(&e, KNP_CNI_LATER, "knpd could not classify the pod in time",
			"%s", pending ? pending : "");
	knp_log(KNP_LOG_WARNING, "cni: pod %s may not start yet: %s", c->pod,
		e.details);
	give_up(c);
	answer_error(c, &e);
}

/* ---- requests ------------------------------------------------------------ */

static int bad_request(struct knp_cni_error *e, int err)
{
	if (err == -ENOMEM)
		return knp_cni_fail(e, KNP_CNI_LATER, "knpd is out of memory");
	return knp_cni_explain(e, KNP_CNI_INTERNAL,
			       "knpd does not understand the request", "%s",
			       "are knp-cni and knpd of one version?");
}

static struct json_object *member(struct json_object *doc, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(doc, key, &value);
	return value;
}

static int start_waiting(struct client *c, struct json_object *doc)
{
	int64_t ms = json_object_get_int64(member(doc, "timeout_ms"));
	struct timeval tv;

	if (ms < 0)
		ms = 0;
	if (ms > WAIT_MAX_MS)
		ms = WAIT_MAX_MS;
	tv = knp_timeval(ms);
	c->timer = evtimer_new(c->s->base, on_timer, c);
	if (!c->timer || evtimer_add(c->timer, &tv))
		return -ENOMEM;
	return 0;
}

static int failed_to_add(struct client *c, struct knp_cni_error *e, int err)
{
	give_up(c);
	if (err == -ENOMEM)
		return bad_request(e, err);
	return knp_cni_explain(e, KNP_CNI_IO, "knpd cannot keep what CNI says",
			       "%s", strerror(-err));
}

static int do_add(struct client *c, struct json_object *doc,
		  struct knp_cni_error *e)
{
	struct knp_binding *binding;
	int err;

	err = knp_binding_parse(member(doc, "binding"), &binding);
	if (!err) {
		err = knp_attachment_parse(member(doc, "binding"), &c->at);
		if (err)
			knp_binding_free(binding);
	}
	if (err)
		return bad_request(e, err);
	err = start_waiting(c, doc);
	if (err) {
		knp_binding_free(binding);
		return bad_request(e, err);
	}
	snprintf(c->pod, sizeof(c->pod), "%s/%s", binding->ns, binding->name);
	/* It may be enforced, and its client answered, within the call. */
	c->waiting = true;
	err = c->s->ops->add(c->s->arg, binding);
	if (err && c->waiting)
		return failed_to_add(c, e, err);
	knp_cni_server_enforced(c->s);
	return 0;
}

static int do_check(struct client *c, struct json_object *doc,
		    struct knp_cni_error *e)
{
	struct knp_binding *binding;
	const char *pending;
	int err;

	err = knp_binding_parse(member(doc, "binding"), &binding);
	if (err)
		return bad_request(e, err);
	if (!c->s->ops->has(c->s->arg, binding)) {
		knp_binding_free(binding);
		return knp_cni_fail(e, KNP_CNI_UNKNOWN,
				    "knpd does not know this attachment");
	}
	pending = c->s->ops->pending(c->s->arg, &binding->at);
	if (pending)
		knp_cni_explain(e, KNP_CNI_UNENFORCED,
				"the kernel does not classify this attachment",
				"%s", pending);
	knp_binding_free(binding);
	if (pending)
		return -1;
	answer(c);
	return 0;
}

static int do_del(struct client *c, struct json_object *doc,
		  struct knp_cni_error *e)
{
	struct knp_attachment at;
	int err;

	err = knp_attachment_parse(doc, &at);
	if (err)
		return bad_request(e, err);
	c->s->ops->del(c->s->arg, &at);
	knp_attachment_clear(&at);
	answer(c);
	return 0;
}

static int parse_attachments(struct json_object *array,
			     struct knp_attachment **ret, size_t *n)
{
	size_t len = json_object_is_type(array, json_type_array) ?
		     json_object_array_length(array) : SIZE_MAX;
	struct knp_attachment *v;
	int err = 0;

	*n = 0;
	if (len > ATTACHMENTS_MAX)
		return -EINVAL;
	v = calloc(len + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (; !err && *n < len; *n += !err)
		err = knp_attachment_parse(json_object_array_get_idx(array, *n),
					   &v[*n]);
	*ret = v;
	return err;
}

static int do_gc(struct client *c, struct json_object *doc,
		 struct knp_cni_error *e)
{
	struct json_object *network = member(doc, "network");
	struct knp_attachment *v = NULL;
	size_t n = 0;
	int err = -EINVAL;

	if (json_object_is_type(network, json_type_string))
		err = parse_attachments(member(doc, "attachments"), &v, &n);
	if (!err)
		c->s->ops->keep(c->s->arg, json_object_get_string(network), v,
				n);
	for (size_t i = 0; i < n; i++)
		knp_attachment_clear(&v[i]);
	free(v);
	if (err)
		return bad_request(e, err);
	answer(c);
	return 0;
}

static int do_status(struct client *c, struct json_object *doc,
		     struct knp_cni_error *e)
{
	const char *unready = c->s->ops->unready(c->s->arg);

	(void)doc;
	if (unready)
		return knp_cni_explain(e, KNP_CNI_UNAVAILABLE,
				       "knpd cannot classify pods now", "%s",
				       unready);
	answer(c);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(struct client *c, struct json_object *doc,
		   struct knp_cni_error *e);
} requests[] = {
	{ "add", do_add },
	{ "check", do_check },
	{ "del", do_del },
	{ "gc", do_gc },
	{ "status", do_status },
};

static int dispatch(struct client *c, struct json_object *doc,
		    struct knp_cni_error *e)
{
	struct json_object *op = member(doc, "op");
	const char *name = json_object_is_type(op, json_type_string) ?
			   json_object_get_string(op) : "";

	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
		if (!strcmp(requests[i].name, name))
			return requests[i].run(c, doc, e);
	return bad_request(e, -EINVAL);
}

static void take_request(struct client *c, const char *line)
{
	struct json_object *doc = json_tokener_parse(line);
	struct knp_cni_error e;
	int err;

	err = json_object_is_type(doc, json_type_object) ?
	      dispatch(c, doc, &e) : bad_request(&e, -EINVAL);
	json_object_put(doc);
	if (err)
		answer_error(c, &e);
}

/* ---- connections --------------------------------------------------------- */

static void on_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct client *c = arg;
	char *line;

	if (c->waiting || c->answered) {
		evbuffer_drain(in, evbuffer_get_length(in));
		return;
	}
	line = evbuffer_readln(in, NULL, EVBUFFER_EOL_LF);
	if (line) {
		bufferevent_set_timeouts(bev, NULL, NULL);
		take_request(c, line);
		free(line);
	} else if (evbuffer_get_length(in) >= REQUEST_MAX) {
		client_free(c);
	}
}

static void on_written(struct bufferevent *bev, void *arg)
{
	struct client *c = arg;

	(void)bev;
	if (c->answered)
		client_free(c);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct client *c = arg;

	(void)bev;
	(void)what;
	give_up(c);
	client_free(c);
}

static bool is_allowed(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return false;
	return !peer.uid || peer.uid == geteuid();
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd,
		      struct sockaddr *addr, int len, void *arg)
{
	const struct timeval patience = { .tv_sec = READ_S };
	struct knp_cni_server *s = arg;
	struct client *c = NULL;

	(void)listener;
	(void)addr;
	(void)len;
	if (s->nclients < CLIENTS_MAX && is_allowed(fd))
		c = calloc(1, sizeof(*c));
	if (c)
		c->bev = bufferevent_socket_new(s->base, fd,
						BEV_OPT_CLOSE_ON_FREE);
	if (!c || !c->bev) {
		free(c);
		close(fd);
		return;
	}
	c->s = s;
	c->since_ns = knp_now_ns();
	c->next = s->clients;
	s->clients = c;
	s->nclients++;
	bufferevent_setwatermark(c->bev, EV_READ, 0, REQUEST_MAX);
	bufferevent_setcb(c->bev, on_read, on_written, on_event, c);
	bufferevent_set_timeouts(c->bev, &patience, &patience);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

static int bind_socket(struct knp_cni_server *s, const char *dir)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	mode_t mask;
	int fd, n, err = 0;

	n = snprintf(s->path, sizeof(s->path), "%s/%s", dir, KNP_CNI_SOCKET);
	if (n < 0 || (size_t)n >= sizeof(s->path)) {
		s->path[0] = '\0';
		return -ENAMETOOLONG;
	}
	memcpy(addr.sun_path, s->path, sizeof(addr.sun_path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* Of one that was killed: this process has the lock of the folder. */
	unlink(s->path);
	mask = umask(0177);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		err = -errno;
	umask(mask);
	if (!err && listen(fd, BACKLOG))
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

int knp_cni_server_open(struct event_base *base, const char *dir,
			const struct knp_cni_server_ops *ops, void *arg,
			struct knp_cni_server **ret)
{
	struct knp_cni_server *s = calloc(1, sizeof(*s));
	int fd;

	if (!s)
		return -ENOMEM;
	s->base = base;
	s->ops = ops;
	s->arg = arg;
	fd = bind_socket(s, dir);
	if (fd < 0) {
		free(s);
		return fd;
	}
	s->listener = evconnlistener_new(base, on_accept, s,
					 LEV_OPT_CLOSE_ON_FREE |
					 LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!s->listener) {
		close(fd);
		knp_cni_server_close(s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

void knp_cni_server_close(struct knp_cni_server *s)
{
	struct client *next;

	if (!s)
		return;
	for (struct client *c = s->clients; c; c = next) {
		next = c->next;
		client_free(c);
	}
	if (s->listener)
		evconnlistener_free(s->listener);
	if (s->path[0])
		unlink(s->path);
	free(s);
}
