// SPDX-License-Identifier: Apache-2.0
/*
 * How fast Pods are decoded: json-c and decode.c against pod_json.h, on the
 * same bytes, in pages of 500 and as single events. A rate is input bytes per
 * second of this thread's CPU time, with the pods made, kept as a store does, and
 * freed when the next version of them comes; "walk" is pod_walk.h alone, which
 * makes none. The ways take turns in every round, so
 * that a slow moment of the machine meets all of them, each in a process of its
 * own after a pass that is not measured: one does not pay for the state in
 * which another left the heap.
 *
 * usage: decode [ROUNDS]
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gen_pods.h"
#include "pod_json.h"
#include "pod_walk.h"

#define PODS		500
#define ROUNDS_MAX	1000
#define KB		1024

static const size_t sizes[] = { 2 * KB, 5 * KB, 20 * KB };
#define NSIZES	(sizeof(sizes) / sizeof(*sizes))

enum way { JSON_C, POD_JSON, WALK, NWAYS };

static const char *const ways[NWAYS] = { "json-c", "pod_json", "walk" };

/**
 * struct input - Pods of one size, as a page or as events
 * @buf: the texts one after the other, each with its padding
 * @start, @len: of each text
 * @n: how many texts
 * @bytes: of all, without the padding
 */
struct input {
	char *buf;
	size_t start[PODS];
	size_t len[PODS];
	size_t n;
	size_t bytes;
};

static void need(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

/* ---- input --------------------------------------------------------------- */

static size_t write_pod(size_t size, size_t index, bool typed, char *buf,
			size_t room)
{
	static const char *const apps[] = { "web", "api", "db", "cache" };
	struct gen_label labels[] = {
		{ "app.kubernetes.io/name", apps[index % 4] },
		{ "app.kubernetes.io/part-of", "shop" },
		{ "pod-template-hash", "6b7f8c9d54" },
		{ "tier", "backend" },
	};
	char name[32], ns[32], node[32], ip[32], ip6[32], version[32];
	struct gen_pod pod = {
		.seed = 1, .index = index, .size = size, .typed = typed,
		.name = name, .ns = ns, .version = version, .labels = labels,
		.nlabels = 4, .node = node, .ip = ip, .ip6 = ip6,
	};
	size_t len;

	snprintf(name, sizeof(name), "web-6b7f8c9d54-%05zu", index);
	snprintf(ns, sizeof(ns), "team-%zu", index % 50);
	snprintf(node, sizeof(node), "node-%03zu.example.com", index % 200);
	snprintf(ip, sizeof(ip), "10.1.%zu.%zu", index / 250, index % 250 + 1);
	snprintf(ip6, sizeof(ip6), "fd00:10:1::%zx", index + 1);
	snprintf(version, sizeof(version), "%zu", 1000000 + index);
	len = gen_pod_write(&pod, buf, room);
	need(len <= room, "a Pod is larger than planned");
	return len;
}

/* Append literal text. */
static void add(struct input *in, size_t *at, const char *text)
{
	size_t len = strlen(text);

	memcpy(in->buf + *at, text, len);
	*at += len;
}

static void end_text(struct input *in, size_t *at)
{
	in->len[in->n] = *at - in->start[in->n];
	in->bytes += in->len[in->n++];
	memset(in->buf + *at, 0, KNP_JSON_PADDING);
	*at += KNP_JSON_PADDING;
}

static void input_init(struct input *in, size_t size, bool events)
{
	size_t room = PODS * (size + size / 4 + 4 * KB);
	size_t at = 0;

	*in = (struct input){ .buf = malloc(room) };
	need(in->buf, "out of memory");
	if (!events)
		add(in, &at, "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"1000000\"},\"items\":[");
	for (size_t i = 0; i < PODS; i++) {
		if (events) {
			in->start[i] = at;
			add(in, &at, "{\"type\":\"MODIFIED\",\"object\":");
		} else if (i) {
			add(in, &at, ",");
		}
		at += write_pod(size, i, events, in->buf + at,
				room - at - KB);
		if (events) {
			add(in, &at, "}\n");
			end_text(in, &at);
		}
	}
	if (events)
		return;
	add(in, &at, "]}\n");
	end_text(in, &at);
}

/* ---- ways to decode ------------------------------------------------------ */

/* The newest version of each Pod; the one that comes next has number @at. */
static struct {
	struct knp_pod *v[PODS];
	size_t at;
} kept;

static size_t keep(struct knp_object *object)
{
	size_t n = !object->refused;

	knp_pod_free(kept.v[kept.at]);
	kept.v[kept.at] = object->pod;
	object->pod = NULL;
	kept.at = (kept.at + 1) % PODS;
	knp_object_clear(object);
	return n;
}

static size_t use_objects(struct knp_objects *objects)
{
	size_t n = 0;

	for (size_t i = 0; i < objects->n; i++)
		n += keep(&objects->v[i]);
	knp_objects_clear(objects);
	return n;
}

static size_t by_json_c(struct input *in, bool events)
{
	struct json_tokener *tok = json_tokener_new_ex(64);
	size_t pods = 0;

	need(tok, "out of memory");
	for (size_t i = 0; i < in->n; i++) {
		struct knp_objects objects = { 0 };
		struct json_object *obj;

		json_tokener_reset(tok);
		obj = json_tokener_parse_ex(tok, in->buf + in->start[i],
					    (int)in->len[i]);
		need(obj, "json-c refuses a text");
		need(!knp_decode_object(events ?
					json_object_object_get(obj, "object") :
					obj, NULL, &objects, NULL),
		     "out of memory");
		json_object_put(obj);
		pods += use_objects(&objects);
	}
	json_tokener_free(tok);
	return pods;
}

static int take_object(void *arg, struct knp_object *object)
{
	size_t *pods = arg;

	*pods += keep(object);
	return 0;
}

static size_t by_pod_json(struct knp_pod_json *p, struct input *in,
			  bool events)
{
	size_t pods = 0;

	for (size_t i = 0; i < in->n; i++) {
		const char *text = in->buf + in->start[i];
		struct knp_kube_event event;
		struct knp_page page;

		if (events) {
			need(!knp_pod_json_event(p, text, in->len[i], &event,
						 NULL), "an event is not plain");
			take_object(&pods, &event.object);
		} else {
			need(!knp_pod_json_page(p, text, in->len[i],
						take_object, &pods, &page,
						NULL), "a page is refused");
			free(page.next);
		}
	}
	return pods;
}

static int take_item(void *arg, struct knp_pod_item *item)
{
	size_t *pods = arg;

	*pods += item->plain;
	return 0;
}

static size_t by_walk(struct knp_pod_walker *w, struct input *in, bool events)
{
	size_t pods = 0;

	for (size_t i = 0; i < in->n; i++) {
		const char *text = in->buf + in->start[i];
		struct knp_pod_item *item;
		struct knp_pod_list list;
		struct knp_text type;

		if (events) {
			need(!knp_pod_walk_event(w, text, in->len[i], &type,
						 &item), "no event");
			take_item(&pods, item);
		} else {
			need(!knp_pod_walk_page(w, text, in->len[i], take_item,
						&pods, &list), "no page");
		}
	}
	return pods;
}

/* ---- measuring ----------------------------------------------------------- */

struct bench {
	struct knp_pod_json *parser;
	struct knp_pod_walker *walker;
	size_t rounds;
	double *result;		/* shared with the process that measures */
	double rates[NWAYS][ROUNDS_MAX];
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* MB/s of one pass. */
static double pass(struct bench *b, enum way by, struct input *in, bool events)
{
	double start = now();
	size_t pods;

	if (by == JSON_C)
		pods = by_json_c(in, events);
	else if (by == POD_JSON)
		pods = by_pod_json(b->parser, in, events);
	else
		pods = by_walk(b->walker, in, events);
	start = now() - start;
	need(pods == PODS, "a Pod was lost");
	return (double)in->bytes / start / 1e6;
}

static double measure(struct bench *b, enum way by, struct input *in,
		      bool events)
{
	pid_t child;
	int status;

	child = fork();
	need(child >= 0, "cannot fork");
	if (!child) {
		pass(b, by, in, events);
		*b->result = pass(b, by, in, events);
		_exit(0);
	}
	need(waitpid(child, &status, 0) == child && !status, "a pass failed");
	return *b->result;
}

static int by_rate(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void run(struct bench *b, size_t size, bool events)
{
	const char *what = events ? "events" : "pages of 500";
	double median[NWAYS];
	struct input in;

	input_init(&in, size, events);
	for (size_t round = 0; round < b->rounds; round++)
		for (int way = 0; way < NWAYS; way++)
			b->rates[way][round] = measure(b, way, &in, events);
	for (int way = 0; way < NWAYS; way++) {
		double *rates = b->rates[way];

		qsort(rates, b->rounds, sizeof(*rates), by_rate);
		median[way] = rates[b->rounds / 2];
		printf("%4zu KB  %-13s %-9s %8.0f %8.0f %8.0f %7.1fx\n",
		       size / KB, what, ways[way], median[way],
		       rates[b->rounds / 4], rates[b->rounds * 3 / 4],
		       median[way] / median[JSON_C]);
	}
	printf("# figure: Pods of %zu KB, %s: %.0f MB/s, json-c %.0f MB/s: %.1fx (without making pods %.1fx)\n",
	       size / KB, what, median[POD_JSON], median[JSON_C],
	       median[POD_JSON] / median[JSON_C],
	       median[WALK] / median[JSON_C]);
	free(in.buf);
}

int main(int argc, char **argv)
{
	static struct bench b = { .rounds = 15 };

	if (argc > 1)
		b.rounds = strtoul(argv[1], NULL, 10);
	if (argc > 2 || !b.rounds || b.rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: decode [ROUNDS]\n");
		return 2;
	}
	b.parser = knp_pod_json_new();
	b.walker = knp_pod_walker_new();
	b.result = mmap(NULL, sizeof(*b.result), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(b.parser && b.walker && b.result != MAP_FAILED, "out of memory");
	/* Before the first fork, which would print it again. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("%zu rounds; MB/s of CPU time\n%7s  %-13s %-9s %8s %8s %8s %8s\n",
	       b.rounds, "Pods of", "in", "by", "median", "25 %", "75 %",
	       "json-c");
	for (size_t i = 0; i < NSIZES; i++) {
		run(&b, sizes[i], false);
		run(&b, sizes[i], true);
	}
	knp_pod_walker_free(b.walker);
	knp_pod_json_free(b.parser);
	return 0;
}
