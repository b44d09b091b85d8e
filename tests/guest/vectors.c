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

static void die(const char *what, const char *why)
{
	printf("Bail out! %s: %s\n", what, why);
	exit(1);
}

static void *must(void *p)
{
	if (!p)
		die("vectors", "out of memory");
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

static bool parse_address(const char *text, uint8_t *addr, uint8_t *family)
{
	*family = strchr(text, ':') ? AF_INET6 : AF_INET;
	memset(addr, 0, KNP_ADDR_LEN);
	return inet_pton(*family, text, addr) == 1;
}

/* Whether the verdict of a side names all that it should. */
static bool names_all(const struct world *w, const struct knp_side_info *side,
		      char *words)
{
	const uint8_t *tag = side->verdict == KNP_PASS ? side->rule_tag :
							 side->set_tag;
	const char *name = side->has_tags ? knp_names_tag(w->names, tag) : NULL;
	char *rest;

	if (!side->judged || !name)
		return false;
	for (char *word = strtok_r(words, ",", &rest); word;
	     word = strtok_r(NULL, ",", &rest))
		if (!strstr(name, word))
			return false;
	return true;
}

/* One pair of addresses; false if it is not known. */
static bool explain(struct world *w, struct step *s, struct knp_tuple *t,
		    const char *from, const char *to, struct knp_explanation *e)
{
	uint8_t other;
	int err;

	if (!to || !parse_address(from, t->src, &t->family) ||
	    !parse_address(to, t->dst, &other) || other != t->family) {
		wrong(s, "# bad addresses: %s %s\n", from, to ? to : "none");
		return false;
	}
	err = knp_genl_explain(w->g, t, e);
	if (err)
		wrong(s, "# %s -> %s: %s\n", from, to, strerror(-err));
	else if (e->generation != w->result.generation)
		wrong(s, "# %s -> %s: of another generation\n", from, to);
	else
		return true;
	return false;
}

static void ask(struct world *w, struct step *s, char *line)
{
	struct knp_tuple t = { .has_port = true };
	struct knp_explanation e, decides = { 0 };
	bool want, passes = true;
	char side[16], words[256], verdict[16];
	char *from, *to, *rest;
	int used;

	if (sscanf(line, "ask %15s %hhu %hu %15s %255s %n", verdict, &t.proto,
		   &t.port, side, words, &used) != 5) {
		wrong(s, "# bad question: %s\n", line);
		return;
	}
	want = !strcmp(verdict, "allow");
	for (from = strtok_r(line + used, " ", &rest); from;
	     from = strtok_r(NULL, " ", &rest)) {
		to = strtok_r(NULL, " ", &rest);
		if (!explain(w, s, &t, from, to, &e))
			return;
		if (passes)
			decides = e;
		passes &= e.verdict == KNP_PASS;
		if (passes != want && !want)
			continue;
		if (passes != want) {
			wrong(s, "# %s -> %s %u protocol %u: dropped\n", from,
			      to, t.port, t.proto);
			return;
		}
	}
	if (passes != want)
		wrong(s, "# port %u protocol %u: passes, %s\n", t.port, t.proto,
		      line);
	else if (strcmp(side, "-") &&
		 !names_all(w, !strcmp(side, "egress") ? &decides.egress :
						       &decides.ingress, words))
		wrong(s, "# port %u protocol %u: %s is not named\n", t.port,
		      t.proto, words);
}

/* ---- the file ---------------------------------------------------------------- */

static bool finish(struct step *s, size_t number)
{
	bool good = !s->wrong;

	printf("%s %zu - %s\n%s", good ? "ok" : "not ok", number, s->title,
	       s->said);
	fflush(stdout);
	free(s->title);
	*s = (struct step){ 0 };
	return good;
}

static char *objects_of(FILE *in, const char *line, size_t *len)
{
	char *text;

	if (sscanf(line, "objects %zu", len) != 1)
		die("bad line", line);
	text = must(malloc(*len + 1));
	if (fread(text, 1, *len, in) != *len)
		die("objects", "the file is cut off");
	text[*len] = '\0';
	fgetc(in);
	return text;
}

static int run(struct world *w, FILE *in)
{
	size_t steps = 0, asked = 0, failed = 0, room = 0, len;
	struct step s = { 0 };
	char *line = NULL;
	char *text;

	while (getline(&line, &room, in) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "step ", 5)) {
			if (s.title)
				failed += !finish(&s, steps);
			steps++;
			s.title = must(strdup(line + 5));
		} else if (!strncmp(line, "ask ", 4)) {
			ask(w, &s, line);
			asked++;
		} else {
			text = objects_of(in, line, &len);
			enforce(w, &s, text, len);
			free(text);
		}
	}
	if (s.title)
		failed += !finish(&s, steps);
	free(line);
	printf("# %zu questions, generation %llu\n1..%zu\n", asked,
	       (unsigned long long)w->result.generation, steps);
	return failed || !steps || !asked;
}

static void world_open(struct world *w, const char *folder)
{
	const struct knp_push_options options = { .mode = -1 };
	int err;

	w->folder = folder;
	w->store = must(knp_store_new());
	err = knp_genl_open(&w->g);
	if (err)
		die("module", knp_genl_advice(err));
	err = knp_push_new(&knp_push_netlink, &options, &w->push);
	if (!err)
		err = knp_names_log_open(folder, &w->log);
	if (!err)
		err = knp_enforcer_new(w->store, NODE, w->push, w->log,
				       &w->enforcer);
	if (err)
		die("vectors", strerror(-err));
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
	int status;
	FILE *in;

	if (argc != 3) {
		fprintf(stderr, "usage: vectors FILE FOLDER\n");
		return 2;
	}
	in = fopen(argv[1], "r");
	if (!in)
		die(argv[1], strerror(errno));
	world_open(&w, argv[2]);
	status = run(&w, in);
	world_close(&w);
	fclose(in);
	return status;
}
