// SPDX-License-Identifier: Apache-2.0
/*
 * The test vectors against the real module: each step's objects become the
 * store's, knpd's enforcer brings the kernel to it as after events of an API
 * server, and each question is answered by the kernel's EXPLAIN.
 *
 *   vectors FILE FOLDER
 *
 * FILE is what tests/vectors/export writes, FOLDER is for the names. Prints
 * TAP, a line for every step, and ends with 1 if one failed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enforcer.h"
#include "manifest.h"
#include "replace.h"
#include "../vectors/reader.h"

#define NODE	"node-1"	/* of all pods in vectors */
#define SHOWN	5		/* wrong answers of a step */

/* struct world - what the kernel is brought to, and by whom */
struct world {
	struct knp_store *store;
	struct knp_genl *g;
	struct knp_push *push;
	struct knp_names_log *log;
	struct knp_enforcer *enforcer;
	const char *folder;
	struct knp_push_result result;
	struct knp_names *names;
};

/* struct step - and how it went */
struct step {
	char *title;
	size_t wrong;
	char said[2048];
};

/* struct run - all of them */
struct run {
	struct world *w;
	struct step step;
	size_t steps;
	size_t asked;
	size_t failed;
};

static void *must(void *p)
{
	if (!p)
		vectors_die("vectors", "out of memory");
	return p;
}

__attribute__((format(printf, 2, 3)))
static void wrong(struct step *s, const char *format, ...)
{
	size_t len = strlen(s->said);
	va_list args;

	if (s->wrong++ >= SHOWN)
		return;
	va_start(args, format);
	vsnprintf(s->said + len, sizeof(s->said) - len, format, args);
	va_end(args);
}

/* ---- a step's state -------------------------------------------------------- */

/* The objects of a kind become those that were decoded: what differs changes. */
static int replace_kind(struct world *w, struct knp_objects *objects,
			enum knp_kind kind)
{
	struct knp_replace *r;
	int err;

	err = knp_replace_begin(w->store, kind, &r);
	if (err)
		return err;
	for (size_t i = 0; !err && i < objects->n; i++)
		if (objects->v[i].kind == kind)
			err = knp_replace_put(r, &objects->v[i]);
	if (!err)
		err = knp_replace_commit(r);
	if (err)
		knp_replace_abort(r);
	return err;
}

static int put_objects(struct world *w, const char *text, size_t len)
{
	static const enum knp_kind kinds[] = {
		KNP_KIND_NAMESPACE, KNP_KIND_POD, KNP_KIND_POLICY,
	};
	struct knp_objects objects = { 0 };
	int err;

	err = knp_manifest_parse(text, len, "objects.json", &objects, NULL);
	for (size_t i = 0; !err && i < sizeof(kinds) / sizeof(*kinds); i++)
		err = replace_kind(w, &objects, kinds[i]);
	knp_objects_clear(&objects);
	return err;
}

static void enforce(struct world *w, struct step *s, const char *text,
		    size_t len)
{
	int err = put_objects(w, text, len);

	if (!err)
		err = knp_enforcer_run(w->enforcer, w->g, &w->result);
	if (err)
		wrong(s, "# not enforced: %s %s\n", strerror(-err),
		      knp_enforcer_error(w->enforcer));
	knp_names_free(w->names);
	w->names = NULL;
	err = knp_names_read_at(w->folder, w->result.generation, &w->names);
	if (err)
		wrong(s, "# no names: %s\n", strerror(-err));
}

/* ---- its questions --------------------------------------------------------- */

/* Whether the verdict of a side names all that it should. */
static bool names_all(const struct world *w, const struct knp_side_info *side,
		      const char *wanted)
{
	char words[sizeof(((struct vector_ask *)0)->words)];
	const uint8_t *tag = side->verdict == KNP_PASS ? side->rule_tag :
							 side->set_tag;
	const char *name = side->has_tags ? knp_names_tag(w->names, tag) : NULL;
	char *rest;

	if (!side->judged || !name)
		return false;
	strcpy(words, wanted);
	for (char *word = strtok_r(words, ",", &rest); word;
	     word = strtok_r(NULL, ",", &rest))
		if (!strstr(name, word))
			return false;
	return true;
}

static bool explain(struct world *w, struct step *s,
		    const struct vector_ask *ask,
		    const struct vector_pair *pair, struct knp_explanation *e)
{
	struct knp_tuple t = {
		.family = pair->family,
		.proto = ask->proto,
		.has_port = true,
		.port = ask->port,
	};
	int err;

	memcpy(t.src, pair->src, sizeof(t.src));
	memcpy(t.dst, pair->dst, sizeof(t.dst));
	err = knp_genl_explain(w->g, &t, e);
	if (err)
		wrong(s, "# cannot explain: %s\n", strerror(-err));
	else if (e->generation != w->result.generation)
		wrong(s, "# explained by another generation\n");
	else
		return true;
	return false;
}

static void complain(struct step *s, const struct vector_ask *ask,
		     const char *what)
{
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
	const struct vector_pair *pair = &ask->pairs[0];

	wrong(s, "# %s -> %s port %u protocol %u: %s\n",
	      inet_ntop(pair->family, pair->src, from, sizeof(from)),
	      inet_ntop(pair->family, pair->dst, to, sizeof(to)), ask->port,
	      ask->proto, what);
}

/* The pair that decides is the first that is denied, else the first. */
static void on_ask(void *arg, const struct vector_ask *ask)
{
	struct knp_explanation e, decides = { 0 };
	struct run *r = arg;
	bool egress = !strcmp(ask->side, "egress");
	bool passes = true;

	r->asked++;
	for (size_t i = 0; i < ask->n && passes; i++) {
		if (!explain(r->w, &r->step, ask, &ask->pairs[i], &e))
			return;
		passes = e.verdict == KNP_PASS;
		if (!i || !passes)
			decides = e;
	}
	if (passes != ask->allow)
		complain(&r->step, ask, passes ? "passes" : "is dropped");
	else if (strcmp(ask->side, "-") &&
		 !names_all(r->w, egress ? &decides.egress : &decides.ingress,
			    ask->words))
		complain(&r->step, ask, "not by whom it should");
}

/* ---- steps ----------------------------------------------------------------- */

static void finish(struct run *r)
{
	struct step *s = &r->step;

	if (!s->title)
		return;
	printf("%s %zu - %s\n%s", s->wrong ? "not ok" : "ok", ++r->steps,
	       s->title, s->said);
	fflush(stdout);
	r->failed += s->wrong > 0;
	free(s->title);
	*s = (struct step){ 0 };
}

static void on_step(void *arg, const char *title, const char *objects,
		    size_t len)
{
	struct run *r = arg;

	finish(r);
	r->step.title = must(strdup(title));
	enforce(r->w, &r->step, objects, len);
}

static const struct vector_ops ops = {
	.step = on_step,
	.ask = on_ask,
};

static void world_open(struct world *w, const char *folder)
{
	const struct knp_push_options options = { .mode = -1 };
	int err;

	w->folder = folder;
	w->store = must(knp_store_new());
	err = knp_genl_open(&w->g);
	if (err)
		vectors_die("module", knp_genl_advice(err));
	err = knp_push_new(&knp_push_netlink, &options, &w->push);
	if (!err)
		err = knp_names_log_open(folder, &w->log);
	if (!err)
		err = knp_enforcer_new(w->store, NODE, w->push, w->log,
				       &w->enforcer);
	if (err)
		vectors_die("vectors", strerror(-err));
}

static void world_close(struct world *w)
{
	knp_names_free(w->names);
	knp_enforcer_free(w->enforcer);
	knp_names_log_close(w->log);
	knp_push_free(w->push);
	knp_genl_close(w->g);
	knp_store_free(w->store);
}

int main(int argc, char **argv)
{
	struct world w = { 0 };
	struct run r = { .w = &w };

	if (argc != 3) {
		fprintf(stderr, "usage: vectors FILE FOLDER\n");
		return 2;
	}
	world_open(&w, argv[2]);
	vectors_read(argv[1], &ops, &r);
	finish(&r);
	printf("# %zu questions, generation %llu\n1..%zu\n", r.asked,
	       (unsigned long long)w.result.generation, r.steps);
	world_close(&w);
	return r.failed || !r.asked;
}
