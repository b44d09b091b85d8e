// SPDX-License-Identifier: Apache-2.0
/*
 * Arbitrary bytes as the stream of a watch: gathered to lines, decoded and told
 * to the machine of kube_reflect.h, as kube.c does it.
 *
 * The same bytes are told three times: by cutting them into lines here, fed at
 * once, and fed in pieces. What happens is the same. A list is complete by
 * nothing but a bookmark that says so, and no version ever goes back.
 *
 * The first line of an input chooses: the resource (n, p, k), "l" for a watch
 * after a list rather than one that begins with one, and how it is cut.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdint.h>
#include <string.h>

#include "decoded.h"
#include "kube_json.h"
#include "kube_lines.h"
#include "kube_reflect.h"
#include "manifest_text.h"
#include "pod_json.h"
#include "require.h"

#define NOW	1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct knp_pod_json *pods;

/**
 * struct world - one telling
 * @r: the machine
 * @log: what happened, one line each
 * @may_complete: the event at hand says that the list is complete
 * @listing: a list is being received
 * @over: the request is over
 */
struct world {
	struct knp_reflect r;
	FILE *log;
	char *text;
	size_t len;
	bool may_complete;
	bool listing;
	bool over;
};

static void say(struct world *w, const char *what, const struct knp_object *o)
{
	fprintf(w->log, "%s %d %s/%s %d\n", what, o->kind, o->ns ? o->ns : "-",
		o->name ? o->name : "-", o->refused);
}

static int begin(void *arg)
{
	struct world *w = arg;

	require(!w->listing, "a list in a list");
	w->listing = true;
	fputs("begin\n", w->log);
	return 0;
}

static int put(void *arg, struct knp_object *object)
{
	struct world *w = arg;

	require(w->listing, "an item outside of a list");
	say(w, "put", object);
	knp_object_clear(object);
	return 0;
}

static int del(void *arg, const struct knp_object *object)
{
	struct world *w = arg;

	require(w->listing, "an item outside of a list");
	say(w, "del", object);
	return 0;
}

static int commit(void *arg)
{
	struct world *w = arg;

	require(w->listing && w->may_complete, "a list is taken before its end");
	w->listing = false;
	fputs("commit\n", w->log);
	return 0;
}

static void drop(void *arg)
{
	struct world *w = arg;

	require(w->listing, "no list to give up");
	w->listing = false;
	fputs("abort\n", w->log);
}

static int apply(void *arg, struct knp_kube_event *event)
{
	struct world *w = arg;

	require(!w->listing && w->r.synced, "a change before the list");
	say(w, event->type == KNP_EVENT_DELETED ? "deleted" : "set",
	    &event->object);
	knp_object_clear(&event->object);
	return 0;
}

static uint32_t dice(void *arg)
{
	(void)arg;
	return 7;
}

static const struct knp_reflect_ops ops = {
	begin, put, del, commit, drop, apply, dice,
};

/* What the annotation says, read as plainly as possible. */
static bool says_complete(const char *line, size_t len)
{
	struct json_object *event = NULL, *o = NULL;
	char *why = NULL;
	bool says = false;

	if (!knp_json_parse_one(line, len, &event, &why) &&
	    json_object_object_get_ex(event, "object", &o) &&
	    json_object_object_get_ex(o, "metadata", &o) &&
	    json_object_object_get_ex(o, "annotations", &o) &&
	    json_object_object_get_ex(o, "k8s.io/initial-events-end", &o))
		says = json_object_is_type(o, json_type_string) &&
		       !strcmp(json_object_get_string(o), "true");
	json_object_put(event);
	free(why);
	return says;
}

static int decode(struct world *w, const char *line, size_t len,
		  struct knp_kube_event *e)
{
	struct knp_faults faults = { 0 };
	char *why = NULL;
	int err = 1;

	if (w->r.kind == KNP_KIND_POD)
		err = knp_pod_json_event(pods, line, len, e, &faults);
	if (err > 0)
		err = knp_kube_json_event(line, len, w->r.kind, e, &faults,
					  &why);
	require(err != -ENOMEM, "no memory");
	require(!err || why, "refused without a reason");
	fprintf(w->log, "%s, %zu faults\n", why ? why : "read", faults.n);
	free(why);
	knp_faults_clear(&faults);
	return err;
}

static int take_line(void *arg, const char *line, size_t len)
{
	struct knp_kube_event e = { 0 };
	char before[KNP_VERSION_LEN];
	struct world *w = arg;
	int cmp;

	if (decode(w, line, len, &e))
		return -EBADMSG;
	w->may_complete = e.type == KNP_EVENT_BOOKMARK &&
			  says_complete(line, len);
	require(w->may_complete || !e.initial_end, "an end nobody spoke of");
	memcpy(before, w->r.version, sizeof(before));
	w->over = knp_reflect_event(&w->r, NOW, &e);
	w->may_complete = false;
	require(!knp_version_compare(w->r.version, before, &cmp) || cmp >= 0,
		"a version goes back");
	return w->over;
}

/* The next request is made, and answered by what the caller says next. */
static void ask_next(struct knp_reflect *r)
{
	char *target = NULL;

	require(!knp_reflect_request(r, NOW, &target), "no memory");
	free(target);
}

/* A list of nothing, for the watch to begin after it. */
static void sync(struct world *w)
{
	struct knp_page page = { .version = "5" };
	struct knp_ending no = {
		.how = KNP_END_STATUS, .status.code = 422,
	};

	knp_reflect_end(&w->r, NOW, &no);
	ask_next(&w->r);
	w->may_complete = true;
	knp_reflect_page(&w->r, NOW, &page);
	w->may_complete = false;
	ask_next(&w->r);
	require(w->r.synced && knp_reflect_streams(&w->r), "no watch follows");
}

static void world_open(struct world *w, enum knp_kind kind, bool listed)
{
	*w = (struct world){ 0 };
	w->log = open_memstream(&w->text, &w->len);
	require(w->log, "no memory");
	knp_reflect_init(&w->r, kind, &ops, w, NOW, 0);
	ask_next(&w->r);
	if (listed)
		sync(w);
	knp_reflect_answered(&w->r, NOW);
}

/* @err: of the last line */
static void world_close(struct world *w, int err)
{
	struct knp_ending ending = {
		.how = err ? KNP_END_BAD : KNP_END_CLEAN,
	};

	if (!w->over)
		knp_reflect_end(&w->r, NOW, &ending);
	fprintf(w->log, "version %s step %d due %lld events %u error %s\n",
		w->r.version, w->r.step, (long long)w->r.due, w->r.events,
		w->r.error);
	require(!w->r.running && !w->listing, "the request goes on");
	require(!w->r.synced || *w->r.version, "in step with no version");
	knp_reflect_clear(&w->r);
	require(!fclose(w->log), "no memory");
}

static int feed_twin(struct world *w, const char *data, size_t size)
{
	const char *end = data + size;
	int err = 0;

	while (data < end && !err) {
		const char *nl = memchr(data, '\n', (size_t)(end - data));
		char *line;

		if (!nl)
			break;
		line = padded_copy(data, (size_t)(nl - data));
		if (nl > data)
			err = take_line(w, line, (size_t)(nl - data));
		free(line);
		data = nl + 1;
	}
	return err;
}

/* In pieces of 1 to @most bytes; 0: at once. */
static int feed(struct world *w, const char *data, size_t size,
		unsigned int most)
{
	struct knp_lines lines = { 0 };
	uint32_t x = most;
	int err = 0;

	while (size && !err) {
		size_t n = size;

		x = x * 1664525 + 1013904223;
		if (most && (x >> 8) % most + 1 < size)
			n = (x >> 8) % most + 1;
		err = knp_lines_feed(&lines, data, n, take_line, w);
		data += n;
		size -= n;
	}
	knp_lines_clear(&lines);
	return err;
}

static void require_same(const struct world *a, const struct world *b)
{
	if (a->len == b->len && !memcmp(a->text, b->text, a->len))
		return;
	fprintf(stderr, "one way:\n%s\nanother:\n%s\n", a->text, b->text);
	require(false, "it matters how a stream is cut");
}

static enum knp_kind kind_of(uint8_t letter)
{
	switch (letter) {
	case 'n':
		return KNP_KIND_NAMESPACE;
	case 'p':
		return KNP_KIND_POD;
	default:
		return KNP_KIND_POLICY;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world whole, pieces, twin;
	enum knp_kind kind;
	const char *text;
	bool listed;

	if (size < 4)
		return 0;
	if (!pods)
		pods = knp_pod_json_new();
	require(pods, "no memory");
	kind = kind_of(data[0]);
	listed = data[1] == 'l';
	text = (const char *)data + 4;
	size -= 4;

	world_open(&twin, kind, listed);
	world_close(&twin, feed_twin(&twin, text, size));
	world_open(&whole, kind, listed);
	world_close(&whole, feed(&whole, text, size, 0));
	world_open(&pieces, kind, listed);
	world_close(&pieces, feed(&pieces, text, size, data[2] % 64 + 1));
	require_same(&twin, &whole);
	require_same(&whole, &pieces);
	free(twin.text);
	free(whole.text);
	free(pieces.text);
	return 0;
}
