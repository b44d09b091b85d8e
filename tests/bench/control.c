// SPDX-License-Identifier: Apache-2.0
#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#define TEXT_ROOM	(1 << 20)
#define TICK_US		1000

enum roll { FLIPS = 60, DELETES = 73, ROLLS = 100 };

/* Where the walk over the candidates of a scope is. */
struct walk {
	uint32_t next;
	uint32_t swapped;	/* candidate with the other tier */
	uint32_t gone;		/* candidate that is deleted */
	bool has_swapped;
	bool has_gone;
};

/* A running or finished rate. */
struct pace {
	struct event *tick;
	int64_t first_ns;
	int64_t last_ns;
	uint64_t wanted;
	uint64_t sent;
	uint64_t flips;
	uint64_t rate;
	uint32_t *gone;		/* deleted Pods, a stack */
	uint32_t ngone;
	uint32_t pending;	/* the one that is made again, if any */
	bool has_pending;
};

struct control {
	struct api *api;
	struct walk walks[MODEL_SCOPES];
	struct pace pace;
	uint64_t random;
	uint32_t ports;
	uint32_t peers;
	bool everybody;
	char *text;
};

/* The answer of a command, to be filled; not 0 refuses it. */
typedef int (*command_fn)(struct control *c, char **words, int n,
			  struct evbuffer *answer);

static uint32_t everybody_at(const struct control *c)
{
	return c->api->objects[API_POLICIES].n - 1;
}

/*
 * gen_pods writes Pods that are ready. The field's name occurs unescaped only
 * among the conditions.
 */
static int unready(char *text, int len)
{
	static const char from[] = "\"type\":\"Ready\",\"status\":\"True\"";
	static const char to[] = "\"type\":\"Ready\",\"status\":\"False\"";
	char *at = memmem(text, (size_t)len, from, sizeof(from) - 1);

	if (!at)
		return len;
	memmove(at + sizeof(to) - 1, at + sizeof(from) - 1,
		(size_t)(text + len - at) - (sizeof(from) - 1));
	memcpy(at, to, sizeof(to) - 1);
	return len + 1;
}

static int write_pod(struct control *c, uint32_t i)
{
	struct model *m = c->api->model;
	int len = model_write_pod(m, i, ++c->api->version, c->text,
				  TEXT_ROOM - 1);

	if (len > 0 && model_pod(m, i)->unready)
		len = unready(c->text, len);
	return len;
}

static int publish(struct control *c, enum api_resource resource, uint32_t i,
		   const char *type, int len, int64_t *sent)
{
	struct objects *o = &c->api->objects[resource];
	const struct objects_change *change;
	int err = 0;

	if (len < 0)
		return len;
	if (!strcmp(type, "DELETED"))
		objects_unset(o, i, c->api->version);
	else
		err = objects_set(o, i, c->text, (size_t)len, c->api->version);
	if (err)
		return err;

	change = objects_record(o, type, c->text, (size_t)len,
				c->api->version);
	if (!change)
		return -ENOMEM;
	*sent = api_send(c->api, resource, change);
	return 0;
}

static int publish_pod(struct control *c, uint32_t i, const char *type,
		       int64_t *sent)
{
	return publish(c, API_PODS, i, type, write_pod(c, i), sent);
}

static int delete_pod(struct control *c, uint32_t i, int64_t *sent)
{
	model_pod(c->api->model, i)->gone = true;
	return publish_pod(c, i, "DELETED", sent);
}

/* As a controller makes it: not scheduled, without address. */
static int add_pod(struct control *c, uint32_t i, int64_t *sent)
{
	struct model_pod *pod = model_pod(c->api->model, i);

	pod->life++;
	pod->gone = false;
	pod->pending = true;
	pod->unready = false;
	return publish_pod(c, i, "ADDED", sent);
}

static int run_pod(struct control *c, uint32_t i, int64_t *sent)
{
	model_pod(c->api->model, i)->pending = false;
	return publish_pod(c, i, "MODIFIED", sent);
}

static int change_pod(struct control *c, struct walk *w, const char *what,
		      uint32_t i, int64_t *sent)
{
	struct model_pod *pod = model_pod(c->api->model, i);

	if (!strcmp(what, "label")) {
		pod->swapped = !pod->swapped;
		w->swapped = i;
		w->has_swapped = pod->swapped;
	} else if (!strcmp(what, "ip")) {
		pod->moves++;
	} else {
		pod->unready = !pod->unready;
	}
	return publish_pod(c, i, "MODIFIED", sent);
}

static int remake_pod(struct control *c, struct walk *w, int64_t *sent)
{
	int err = add_pod(c, w->gone, sent);

	w->has_gone = false;
	return err ? err : run_pod(c, w->gone, sent);
}

static int remove_pod(struct control *c, struct walk *w, uint32_t i,
		      int64_t *sent)
{
	w->gone = i;
	w->has_gone = true;
	return delete_pod(c, i, sent);
}

/* The next candidate that is as it was made. */
static int next_candidate(struct control *c, enum model_scope scope,
			  uint32_t *ret)
{
	struct walk *w = &c->walks[scope];
	const uint32_t *v;
	uint32_t n;

	v = model_candidates(c->api->model, scope, &n);
	for (uint32_t i = 0; i < n; i++) {
		struct model_pod *pod;

		*ret = v[w->next++ % n];
		pod = model_pod(c->api->model, *ret);
		if (!pod->gone && !pod->pending && !pod->swapped)
			return 0;
	}
	return -ENOENT;
}

static int cmd_pod(struct control *c, char **words, int n,
		   struct evbuffer *answer)
{
	static const char *const changes[] = {
		"label", "ip", "ready", "delete", "create",
	};
	enum model_scope scope = MODEL_REMOTE;
	struct walk *w;
	int64_t sent;
	uint32_t i;
	int err;

	for (i = 0; n == 3 && i < 5 && strcmp(words[1], changes[i]); i++)
		;
	if (n != 3 || i == 5)
		return -EINVAL;
	if (!strcmp(words[2], "local"))
		scope = MODEL_LOCAL;
	else if (strcmp(words[2], "remote"))
		return -EINVAL;

	w = &c->walks[scope];
	if (!strcmp(words[1], "create") && !w->has_gone)
		return -ENOENT;
	if (!strcmp(words[1], "delete") && w->has_gone)
		return -EEXIST;
	if (!strcmp(words[1], "create"))
		i = w->gone;
	else if (!strcmp(words[1], "label") && w->has_swapped)
		i = w->swapped;
	else if (next_candidate(c, scope, &i))
		return -ENOENT;

	if (!strcmp(words[1], "create"))
		err = remake_pod(c, w, &sent);
	else if (!strcmp(words[1], "delete"))
		err = remove_pod(c, w, i, &sent);
	else
		err = change_pod(c, w, words[1], i, &sent);
	if (!err)
		evbuffer_add_printf(answer, "{\"sent_ns\":%lld,\"version\":\"%llu\",\"pod\":%u}\n",
				    (long long)sent,
				    (unsigned long long)c->api->version, i);
	return err;
}

static int cmd_policy(struct control *c, char **words, int n,
		      struct evbuffer *answer)
{
	const char *type = "MODIFIED";
	int64_t sent;
	int len, err;

	if (n != 2)
		return -EINVAL;
	if (strcmp(words[1], "add") && !c->everybody)
		return -ENOENT;
	if (!strcmp(words[1], "add")) {
		type = "ADDED";
		if (c->everybody)
			return -EEXIST;
		c->everybody = true;
	} else if (!strcmp(words[1], "delete")) {
		type = "DELETED";
		c->everybody = false;
	} else if (!strcmp(words[1], "ports")) {
		c->ports++;
	} else if (!strcmp(words[1], "peers")) {
		c->peers++;
	} else {
		return -EINVAL;
	}

	len = model_write_everybody(c->api->model, c->ports, c->peers,
				    ++c->api->version, c->text, TEXT_ROOM);
	err = publish(c, API_POLICIES, everybody_at(c), type, len, &sent);
	if (!err)
		evbuffer_add_printf(answer, "{\"sent_ns\":%lld,\"version\":\"%llu\"}\n",
				    (long long)sent,
				    (unsigned long long)c->api->version);
	return err;
}

static int flip_random(struct control *c, int64_t *sent)
{
	uint32_t n = c->api->objects[API_PODS].n;
	struct model_pod *pod;
	uint32_t i;

	do {
		i = (uint32_t)(model_random(&c->random) % n);
		pod = model_pod(c->api->model, i);
	} while (pod->gone || pod->pending);

	pod->unready = !pod->unready;
	c->pace.flips++;
	return publish_pod(c, i, "MODIFIED", sent);
}

static int delete_random(struct control *c, int64_t *sent)
{
	uint32_t n = c->api->objects[API_PODS].n;
	uint32_t i;

	do {
		i = (uint32_t)(model_random(&c->random) % n);
	} while (model_pod(c->api->model, i)->gone ||
		 model_pod(c->api->model, i)->pending);

	c->pace.gone[c->pace.ngone++] = i;
	return delete_pod(c, i, sent);
}

/* One of the two steps in which a deleted Pod comes back. */
static int create_step(struct control *c, int64_t *sent)
{
	struct pace *p = &c->pace;

	p->has_pending = !p->has_pending;
	if (!p->has_pending)
		return run_pod(c, p->pending, sent);
	p->pending = p->gone[--p->ngone];
	return add_pod(c, p->pending, sent);
}

static int send_random(struct control *c, int64_t *sent)
{
	unsigned int roll = model_random(&c->random) % ROLLS;
	uint32_t n = c->api->objects[API_PODS].n;

	if (roll >= DELETES && (c->pace.ngone || c->pace.has_pending))
		return create_step(c, sent);
	if (roll >= FLIPS && roll < DELETES && c->pace.ngone < n / 4)
		return delete_random(c, sent);
	return flip_random(c, sent);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct control *c = arg;
	struct pace *p = &c->pace;
	int64_t now = api_now();
	uint64_t due = (uint64_t)(now - p->first_ns) * p->rate / 1000000000;

	(void)fd;
	(void)what;
	if (due > p->wanted)
		due = p->wanted;
	while (p->sent < due) {
		if (send_random(c, &p->last_ns)) {
			perror("kube_server: rate");
			exit(1);
		}
		p->sent++;
	}
	if (p->sent == p->wanted)
		event_del(p->tick);
}

static int cmd_rate(struct control *c, char **words, int n,
		    struct evbuffer *answer)
{
	struct timeval tick = { .tv_usec = TICK_US };
	struct pace *p = &c->pace;
	unsigned int seconds;

	if (n != 3 || p->sent < p->wanted)
		return -EINVAL;
	p->rate = strtoul(words[1], NULL, 10);
	seconds = (unsigned int)strtoul(words[2], NULL, 10);
	if (!p->rate || !seconds || !c->api->objects[API_PODS].live)
		return -EINVAL;

	p->wanted = p->rate * seconds;
	p->sent = 0;
	p->flips = 0;
	p->first_ns = api_now();
	evbuffer_add_printf(answer, "{\"started_ns\":%lld}\n",
			    (long long)p->first_ns);
	return event_add(p->tick, &tick) ? -ENOMEM : 0;
}

static int cmd_drift(struct control *c, char **words, int n,
		     struct evbuffer *answer)
{
	struct objects *pods = &c->api->objects[API_PODS];
	unsigned long count = n == 2 ? strtoul(words[1], NULL, 10) : 0;
	uint32_t i, total;
	int len, err;

	model_candidates(c->api->model, MODEL_REMOTE, &total);
	/* A Pod that moved twice would be back where it was. */
	if (!count || count > total)
		return -EINVAL;

	for (unsigned long done = 0; done < count; done++) {
		err = next_candidate(c, MODEL_REMOTE, &i);
		if (err)
			return err;
		model_pod(c->api->model, i)->moves++;
		len = write_pod(c, i);
		err = len < 0 ? len : objects_set(pods, i, c->text, (size_t)len,
						  c->api->version);
		if (err)
			return err;
	}
	evbuffer_add_printf(answer, "{\"moved\":%lu}\n", count);
	return 0;
}

static int cmd_gone(struct control *c, char **words, int n,
		    struct evbuffer *answer)
{
	(void)words;
	if (n != 1)
		return -EINVAL;
	evbuffer_add_printf(answer, "{\"sent_ns\":%lld}\n",
			    (long long)api_now());
	api_gone(c->api);
	return 0;
}

static int cmd_watchlist(struct control *c, char **words, int n,
			 struct evbuffer *answer)
{
	if (n != 2 || (strcmp(words[1], "on") && strcmp(words[1], "off")))
		return -EINVAL;
	c->api->watchlist = !strcmp(words[1], "on");
	evbuffer_add_printf(answer, "{}\n");
	return 0;
}

static int cmd_stats(struct control *c, char **words, int n,
		     struct evbuffer *answer)
{
	const struct api *api = c->api;
	const struct pace *p = &c->pace;

	(void)words;
	if (n != 1)
		return -EINVAL;
	evbuffer_add_printf(answer, "{\"bytes\":%llu,\"requests\":%llu,\"version\":\"%llu\",\"pods\":%u,\"namespaces\":%u,\"policies\":%u,\"watching\":%u",
			    (unsigned long long)api->bytes,
			    (unsigned long long)api->nrequests,
			    (unsigned long long)api->version,
			    api->objects[API_PODS].live,
			    api->objects[API_NAMESPACES].live,
			    api->objects[API_POLICIES].live,
			    api_watching(api, API_PODS));
	evbuffer_add_printf(answer, ",\"rate\":{\"wanted\":%llu,\"sent\":%llu,\"flips\":%llu,\"first_ns\":%lld,\"last_ns\":%lld}}\n",
			    (unsigned long long)p->wanted,
			    (unsigned long long)p->sent,
			    (unsigned long long)p->flips,
			    (long long)p->first_ns, (long long)p->last_ns);
	return 0;
}

static int cmd_requests(struct control *c, char **words, int n,
			struct evbuffer *answer)
{
	const struct api *api = c->api;
	uint64_t first = n == 2 ? strtoull(words[1], NULL, 10) : UINT64_MAX;

	if (first > api->nrequests || api->nrequests - first > API_LOG)
		return -EINVAL;
	evbuffer_add_printf(answer, "{\"requests\":[");
	for (uint64_t i = first; i < api->nrequests; i++) {
		const struct api_request *r = &api->requests[i % API_LOG];

		evbuffer_add_printf(answer, "%s{\"ns\":%lld,\"what\":\"%s\"}",
				    i > first ? "," : "", (long long)r->ns,
				    r->what);
	}
	evbuffer_add_printf(answer, "]}\n");
	return 0;
}

static const struct {
	const char *word;
	command_fn run;
} commands[] = {
	{ "pod", cmd_pod },
	{ "policy", cmd_policy },
	{ "rate", cmd_rate },
	{ "drift", cmd_drift },
	{ "gone", cmd_gone },
	{ "watchlist", cmd_watchlist },
	{ "stats", cmd_stats },
	{ "requests", cmd_requests },
};

static int run_command(struct control *c, char *line, struct evbuffer *answer)
{
	char *words[4];
	char *word;
	int n = 0;

	while (n < 4 && (word = strsep(&line, " ")))
		if (*word)
			words[n++] = word;
	for (size_t i = 0; n && i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(words[0], commands[i].word))
			return commands[i].run(c, words, n, answer);
	return -EINVAL;
}

static void on_control(struct evhttp_request *req, void *arg)
{
	struct evbuffer *answer = evhttp_request_get_output_buffer(req);
	struct evbuffer *body = evhttp_request_get_input_buffer(req);
	char line[128] = "";
	int err;

	evbuffer_remove(body, line, sizeof(line) - 1);
	err = run_command(arg, line, answer);
	if (!err) {
		evhttp_send_reply(req, 200, "OK", NULL);
		return;
	}
	evbuffer_drain(answer, evbuffer_get_length(answer));
	evbuffer_add_printf(answer, "{\"error\":\"%s\"}\n", strerror(-err));
	evhttp_send_reply(req, 400, "Bad Request", NULL);
}

int control_serve(struct api *api, struct evhttp *http, uint64_t seed,
		  struct control **ret)
{
	struct control *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;

	c->api = api;
	c->random = seed;
	c->text = malloc(TEXT_ROOM);
	c->pace.gone = calloc(api->objects[API_PODS].n + 1,
			      sizeof(*c->pace.gone));
	c->pace.tick = event_new(api->base, -1, EV_PERSIST, on_tick, c);
	if (!c->text || !c->pace.gone || !c->pace.tick ||
	    evhttp_set_cb(http, "/control", on_control, c)) {
		control_free(c);
		return -ENOMEM;
	}
	*ret = c;
	return 0;
}

void control_free(struct control *c)
{
	if (!c)
		return;

	if (c->pace.tick)
		event_free(c->pace.tick);
	free(c->pace.gone);
	free(c->text);
	free(c);
}
