// SPDX-License-Identifier: Apache-2.0
/*
 * A generator API server: the objects of a large cluster, written before the
 * first request, over plain HTTP on loopback. model.h says what is in the
 * cluster, api.h what is answered, control.h how to make it change.
 *
 * It prints "ready PORT" when it listens, and ends with its standard input.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/http.h>

#include "api.h"
#include "control.h"
#include "model.h"

#define OBJECT_ROOM	4096	/* a Namespace or policy */
#define ONE_DAY_S	86400

struct options {
	struct model_options model;
	unsigned int port;
	bool watchlist;
};

static void usage(FILE *out)
{
	fputs("usage: kube_server [OPTION]...\n"
	      "  --pods N --namespaces N --policies N   size of the cluster\n"
	      "  --local N --spread N   Pods of node1, and how many namespaces have them\n"
	      "  --crowd N              Pods of the one namespace of node2\n"
	      "  --pod-size BYTES       of a Pod's JSON\n"
	      "  --seed N\n"
	      "  --port N               on 127.0.0.1 (default: any)\n"
	      "  --no-watchlist         answer 422 to sendInitialEvents\n", out);
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
		{ "pods",	  required_argument, NULL, 'p' },
		{ "namespaces",	  required_argument, NULL, 'n' },
		{ "policies",	  required_argument, NULL, 'y' },
		{ "local",	  required_argument, NULL, 'l' },
		{ "spread",	  required_argument, NULL, 's' },
		{ "crowd",	  required_argument, NULL, 'c' },
		{ "pod-size",	  required_argument, NULL, 'z' },
		{ "seed",	  required_argument, NULL, 'e' },
		{ "port",	  required_argument, NULL, 'o' },
		{ "no-watchlist", no_argument,	     NULL, 'w' },
		{ 0 },
	};
	uint32_t *const numbers[] = {
		['p'] = &o->model.pods, ['n'] = &o->model.namespaces,
		['y'] = &o->model.policies, ['l'] = &o->model.local,
		['s'] = &o->model.spread, ['c'] = &o->model.crowd,
		['z'] = &o->model.pod_size,
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == '?')
			return -EINVAL;
		if (c == 'w')
			o->watchlist = false;
		else if (c == 'e')
			o->model.seed = strtoull(optarg, NULL, 0);
		else if (c == 'o')
			o->port = (unsigned int)strtoul(optarg, NULL, 10);
		else
			*numbers[c] = (uint32_t)strtoul(optarg, NULL, 10);
	}
	return optind == argc ? 0 : -EINVAL;
}

static int fill(struct api *api, enum api_resource resource, uint32_t n,
		int (*write)(const struct model *, uint32_t, uint64_t, char *,
			     size_t))
{
	struct objects *o = &api->objects[resource];
	size_t left;
	char *at;
	int len;

	for (uint32_t i = 0; i < n; i++) {
		at = objects_place(o, &left);
		len = write(api->model, i, ++api->version, at, left);
		if (len < 0)
			return len;
		objects_placed(o, (size_t)len);
	}
	o->changed = api->version;
	return 0;
}

static int make_objects(struct api *api, const struct model_options *m)
{
	/* gen_pods keeps to the size roughly. */
	size_t pod_room = 2 * (size_t)m->pod_size + OBJECT_ROOM;
	int err;

	err = objects_init(&api->objects[API_NAMESPACES], "Namespace", "v1",
			   m->namespaces, (size_t)m->namespaces * OBJECT_ROOM);
	/* One more: the-crowd/everybody, which is not there at first. */
	if (!err)
		err = objects_init(&api->objects[API_POLICIES], "NetworkPolicy",
				   "networking.k8s.io/v1", m->policies + 1,
				   (size_t)m->policies * OBJECT_ROOM);
	if (!err)
		err = objects_init(&api->objects[API_PODS], "Pod", "v1",
				   m->pods, m->pods * pod_room);
	if (!err)
		err = fill(api, API_NAMESPACES, m->namespaces,
			   model_write_namespace);
	if (!err)
		err = fill(api, API_POLICIES, m->policies, model_write_policy);
	if (!err)
		err = fill(api, API_PODS, m->pods, model_write_pod);
	if (!err)
		api->objects[API_POLICIES].n++;
	return err;
}

static int listen_on(struct api *api, struct evhttp *http, unsigned int port)
{
	struct evhttp_bound_socket *bound;
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	bound = evhttp_bind_socket_with_handle(http, "127.0.0.1",
					       (ev_uint16_t)port);
	if (!bound || getsockname(evhttp_bound_socket_get_fd(bound),
				  (struct sockaddr *)&sin, &len))
		return -errno;

	/* A watch that is silent for long is not broken. */
	evhttp_set_timeout(http, ONE_DAY_S);
	printf("ready %u\n", ntohs(sin.sin_port));
	fflush(stdout);
	return event_base_dispatch(api->base) < 0 ? -EIO : 0;
}

static void on_stdin(evutil_socket_t fd, short what, void *arg)
{
	char buf[64];

	(void)what;
	if (read(fd, buf, sizeof(buf)) <= 0)
		event_base_loopbreak(arg);
}

/* Nobody has to end a server whose benchmark was killed. */
static struct event *watch_stdin(struct event_base *base)
{
	struct event *event = event_new(base, STDIN_FILENO,
					EV_READ | EV_PERSIST, on_stdin, base);

	if (event && event_add(event, NULL)) {
		event_free(event);
		return NULL;
	}
	return event;
}

static int serve(const struct options *o)
{
	struct event *input = NULL;
	struct evhttp *http = NULL;
	struct control *control = NULL;
	struct api api = { .watchlist = o->watchlist };
	int err = -ENOMEM;

	api.base = event_base_new();
	if (api.base)
		http = evhttp_new(api.base);
	if (http)
		input = watch_stdin(api.base);
	if (input)
		err = model_new(&o->model, &api.model);
	if (!err)
		err = make_objects(&api, &o->model);
	if (!err)
		err = api_serve(&api, http);
	if (!err)
		err = control_serve(&api, http, o->model.seed, &control);
	if (!err)
		err = listen_on(&api, http, o->port);

	if (http)
		evhttp_free(http);
	control_free(control);
	if (input)
		event_free(input);
	for (int i = 0; i < API_RESOURCES; i++)
		objects_clear(&api.objects[i]);
	model_free(api.model);
	free(api.requests);
	if (api.base)
		event_base_free(api.base);
	return err;
}

int main(int argc, char **argv)
{
	struct options o = {
		.model = {
			.seed = 1,
			.pods = 100000,
			.namespaces = 5000,
			.policies = 10000,
			.local = 250,
			.spread = 120,
			.crowd = 250,
			.pod_size = 5120,
		},
		.watchlist = true,
	};
	int err;

	if (parse(argc, argv, &o)) {
		usage(stderr);
		return 2;
	}
	err = serve(&o);
	if (err)
		fprintf(stderr, "kube_server: %s\n", strerror(-err));
	return err ? 1 : 0;
}
