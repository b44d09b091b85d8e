// SPDX-License-Identifier: Apache-2.0
/*
 * A module for knpctl that needs no kernel: linked in front of genl.c, it holds
 * what a folder of manifests compiles to, and judges with the module's own
 * look-ups. Time is its own, too: it goes on only while somebody sleeps, so that
 * what is printed is always the same. Of the environment:
 *
 *   KNP_FAKE		the folder; unset: the module is not loaded
 *   KNP_FAKE_LATER	the folder from one second on: the next generation
 *   KNP_FAKE_NODE	the node; unset: every pod is an endpoint
 *   KNP_FAKE_NAMELESS	set: knpd has left no names
 *   KNP_FAKE_RELOADED	set: the names are those of the module before this one
 *   KNP_FAKE_MOVES	set: a second passes before a question is answered
 *   KNP_FAKE_KNPD	set: knpd runs
 *   KNP_FAKE_ERROR	refuse with this errno
 *   KNP_FAKE_AUDIT	set: mode audit
 *   KNP_FAKE_EMPTY	set: nothing was ever committed
 *   KNP_FAKE_EVENTS	file of drops, a JSON object a line: src, dst, protocol
 *			(a number), port, and reason and mode (numbers), iif
 *
 * Counters grow with the time, each rule and reason at a rate of its own. What is
 * to be changed is only printed, number by number, as the module would get it.
 */
#include <errno.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "compile.h"
#include "genl.h"
#include "manifest.h"
#include "names.h"
#include "node_allow.h"
#include "runtime.h"
#include "simulate.h"

#define INSTANCE	0x1122334455667788
#define GENERATION	12
#define START_S		1764136800	/* 2025-11-26T06:00:00Z */
#define SECOND_NS	1000000000L

struct knp_genl {
	uint32_t families;
};

struct knp_watch {
	const struct knp_watch_ops *ops;
	void *arg;
	FILE *events;
	int pipe[2];
	bool told;
};

static int64_t passed_ns;

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_nanosleep(const struct timespec *time, struct timespec *left);
time_t __wrap_time(time_t *ret);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	ts->tv_sec = (clock == CLOCK_REALTIME ? START_S : 1000) +
		     passed_ns / SECOND_NS;
	ts->tv_nsec = passed_ns % SECOND_NS;
	return 0;
}

int __wrap_nanosleep(const struct timespec *time, struct timespec *left)
{
	(void)left;
	passed_ns += time->tv_sec * SECOND_NS + time->tv_nsec;
	return 0;
}

time_t __wrap_time(time_t *ret)
{
	time_t now = START_S + passed_ns / SECOND_NS;

	if (ret)
		*ret = now;
	return now;
}

static void die(const char *what, int err)
{
	fprintf(stderr, "fake: %s: %s\n", what, strerror(-err));
	exit(99);
}

static bool is_later(void)
{
	return getenv("KNP_FAKE_LATER") && passed_ns >= SECOND_NS;
}

static uint64_t generation(void)
{
	if (getenv("KNP_FAKE_EMPTY"))
		return 0;
	return is_later() ? GENERATION + 1 : GENERATION;
}

static struct knp_ruleset *compile(void)
{
	const char *dir = getenv(is_later() ? "KNP_FAKE_LATER" : "KNP_FAKE");
	const uint32_t loopback = 1;
	struct knp_bound bound = { .ifindex = loopback };
	struct knp_store *store;
	struct knp_ruleset *rs;
	int err;

	if (getenv("KNP_FAKE_EMPTY"))
		return knp_ruleset_new();
	store = knp_store_new();
	err = knp_manifest_load(dir, store, NULL);
	if (!err && store->npods) {
		bound.ip = store->pods[0]->ips[0];
		err = knp_store_set_ifaces(store, &loopback, 1);
	}
	if (!err && store->npods)
		err = knp_store_set_bounds(store, &bound, 1);
	if (!err)
		err = knp_compile(store, getenv("KNP_FAKE_NODE"), &rs, NULL);
	if (err)
		die(dir, err);
	knp_store_free(store);
	return rs;
}

static void write_names(void)
{
	const char *dir = getenv("KNP_RUNTIME_DIR");
	struct knp_names_log *log;
	struct knp_ruleset *rs;
	uint64_t instance;
	char path[4096];
	int err;

	snprintf(path, sizeof(path), "%s/" KNP_NAMES_FILE, dir);
	unlink(path);
	if (getenv("KNP_FAKE_NAMELESS") || getenv("KNP_FAKE_EMPTY"))
		return;
	rs = compile();
	instance = getenv("KNP_FAKE_RELOADED") ? INSTANCE - 1 : INSTANCE;
	err = knp_names_log_open(dir, &log);
	if (!err)
		err = knp_names_log_ruleset(log, rs, instance, generation());
	if (err)
		die("names", err);
	knp_names_log_close(log);
	knp_ruleset_free(rs);
}

int knp_genl_open(struct knp_genl **ret)
{
	const char *error = getenv("KNP_FAKE_ERROR");

	if (error)
		return -atoi(error);
	if (!getenv("KNP_FAKE"))
		return -ENOENT;
	*ret = calloc(1, sizeof(**ret));
	(*ret)->families = KNP_FAMILY_ALL;
	write_names();
	return 0;
}

void knp_genl_close(struct knp_genl *g)
{
	free(g);
}

const char *knp_genl_text(const struct knp_genl *g)
{
	(void)g;
	return "";
}

int knp_genl_info(struct knp_genl *g, struct knp_info *ret)
{
	struct knp_ruleset *rs = compile();

	*ret = (struct knp_info){
		.abi = KNP_ABI_VERSION,
		.version = "0.0",
		.instance = INSTANCE,
		.generation = generation(),
		.commit_time = (START_S - 60) * (uint64_t)SECOND_NS,
		.families = g->families,
		.mode = getenv("KNP_FAKE_AUDIT") ? KNP_MODE_AUDIT :
						   KNP_MODE_ENFORCE,
		.dflt = KNP_PASS,
		.unknown_local = KNP_DROP,
		.event_rate = 100,
		.encap = KNP_DROP,
		.node_egress = KNP_PASS,
		.lb_probes = KNP_DROP,
	};
	for (uint32_t t = 1; t <= KNP_TABLE_MAX; t++) {
		ret->tables[t].count = knp_ruleset_table(rs, t)->n;
		ret->tables[t].limit = 1000;
	}
	knp_ruleset_free(rs);
	/* Whoever looks again is told the names of what came meanwhile. */
	if (is_later())
		write_names();
	return 0;
}

int knp_genl_snapshot(struct knp_genl *g, uint32_t table,
		      struct knp_ruleset **ret, struct knp_info *info)
{
	(void)table;
	*ret = compile();
	return knp_genl_info(g, info);
}

/* The first rule has a packet a second, the second one two, ... */
static void grow(struct knp_counter *c, uint32_t id)
{
	c->id = id;
	c->packets = id * (10000 + (uint64_t)passed_ns * 10 / SECOND_NS) / 10;
	c->bytes = 100 * c->packets;
}

int knp_genl_counters(struct knp_genl *g, struct knp_counters *ret)
{
	struct knp_ruleset *rs = compile();
	uint32_t i;

	(void)g;
	*ret = (struct knp_counters){ .nrules = rs->rules.n };
	ret->rules = calloc(rs->rules.n + 1, sizeof(*ret->rules));
	for (i = 0; i < rs->rules.n; i++)
		grow(&ret->rules[i], knp_ruleset_id(&rs->rules, i));
	ret->nsets = rs->sets.n;
	ret->sets = calloc(rs->sets.n + 1, sizeof(*ret->sets));
	for (i = 0; i < rs->sets.n; i++)
		grow(&ret->sets[i], knp_ruleset_id(&rs->sets, i));
	for (i = 0; i <= KNP_REASON_MAX; i++)
		grow(&ret->reasons[i], i % 2 ? i : 0);
	for (i = 0; i <= KNP_REASON_MAX; i++)
		ret->reasons[i].id = i;
	knp_ruleset_free(rs);
	return 0;
}

int knp_genl_config(struct knp_genl *g, const struct knp_config *c)
{
	char allow[KNP_NODE_ALLOW_TEXT] = "-";

	(void)g;
	if (c->node_allow)
		knp_node_allows_text(c->node_allow, allow);
	printf("mode %d default %d unknown-local %d event-rate %lld encap %d node-egress %d node-egress-allow %s lb-probes %d\n",
	       c->mode, c->dflt, c->unknown_local, (long long)c->event_rate,
	       c->encap, c->node_egress, allow, c->lb_probes);
	return 0;
}

int knp_genl_attach(struct knp_genl *g, uint32_t families)
{
	printf("attach %#x\n", families);
	g->families |= families;
	return 0;
}

int knp_genl_detach(struct knp_genl *g, uint32_t families)
{
	printf("detach %#x\n", families);
	g->families &= ~families;
	return 0;
}

/* ---- verdicts ------------------------------------------------------------ */

static void tag_of(const struct knp_recs *recs, uint32_t table, uint32_t id,
		   uint8_t tag[KNP_TAG_LEN])
{
	for (size_t i = 0; i < recs->n; i++)
		if (knp_ruleset_id(recs, i) == id)
			memcpy(tag, knp_ruleset_tag(table, recs, i),
			       KNP_TAG_LEN);
}

static void fill_side(const struct knp_ruleset *rs, const struct knp_side *from,
		      struct knp_side_info *to)
{
	*to = (struct knp_side_info){ .judged = from->set };
	if (!from->set)
		return;
	to->verdict = from->rule ? KNP_PASS : KNP_DROP;
	to->set = from->set;
	to->class_id = from->class_id;
	to->portset = from->portset;
	to->rule = from->rule;
	to->has_tags = true;
	tag_of(&rs->sets, KNP_TABLE_SET, to->set, to->set_tag);
	tag_of(&rs->classes, KNP_TABLE_CLASS, to->class_id, to->class_tag);
	tag_of(&rs->portsets, KNP_TABLE_PORTSET, to->portset, to->portset_tag);
	tag_of(&rs->rules, KNP_TABLE_RULE, to->rule, to->rule_tag);
}

static void judge(const struct knp_tuple *t, struct knp_explanation *ret)
{
	struct knp_ip src = { .family = t->family };
	struct knp_ip dst = { .family = t->family };
	struct knp_simulator *s;
	struct knp_verdict v;
	int err;

	err = knp_simulator_new(compile(), &s, NULL);
	if (err)
		die("tables", err);
	memcpy(src.b, t->src, sizeof(src.b));
	memcpy(dst.b, t->dst, sizeof(dst.b));
	knp_simulator_judge(s, &src, &dst, t->proto, t->port, &v);
	*ret = (struct knp_explanation){
		.generation = generation(),
		.verdict = v.pass ? KNP_PASS : KNP_DROP,
		.reason = v.reason,
	};
	fill_side(s->rs, &v.egress, &ret->egress);
	fill_side(s->rs, &v.ingress, &ret->ingress);
	knp_simulator_free(s);
}

int knp_genl_explain(struct knp_genl *g, const struct knp_tuple *t,
		     struct knp_explanation *ret)
{
	(void)g;
	if (getenv("KNP_FAKE_EMPTY"))
		return -ENODATA;
	if (getenv("KNP_FAKE_MOVES")) {
		passed_ns = SECOND_NS;
		write_names();
	}
	judge(t, ret);
	return 0;
}

/* ---- events -------------------------------------------------------------- */

static struct json_object *member(struct json_object *doc, const char *key)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(doc, key, &value);
	return value;
}

static void take_event(struct knp_watch *w, struct json_object *doc)
{
	struct knp_event e = {
		.generation = generation(),
		.time = (START_S + 1) * (uint64_t)SECOND_NS + 123456000,
		.mode = (uint8_t)json_object_get_int(member(doc, "mode")),
		.iif = (uint32_t)json_object_get_int(member(doc, "iif")),
		.lost = (uint64_t)json_object_get_int(member(doc, "lost")),
		.tuple = {
			.proto = (uint8_t)json_object_get_int(member(doc, "protocol")),
			.port = (uint16_t)json_object_get_int(member(doc, "port")),
			.has_port = member(doc, "port"),
		},
	};
	struct knp_explanation verdict;
	struct knp_ip src, dst;

	if (member(doc, "src")) {
		if (knp_ip_parse(json_object_get_string(member(doc, "src")),
				 &src) ||
		    knp_ip_parse(json_object_get_string(member(doc, "dst")),
				 &dst))
			die("address", -EINVAL);
		e.tuple.family = src.family;
		memcpy(e.tuple.src, src.b, sizeof(src.b));
		memcpy(e.tuple.dst, dst.b, sizeof(dst.b));
		judge(&e.tuple, &verdict);
		e.reason = verdict.reason;
		e.egress = verdict.egress;
		e.ingress = verdict.ingress;
	}
	if (member(doc, "reason"))
		e.reason = (uint32_t)json_object_get_int(member(doc, "reason"));
	w->ops->event(w->arg, &e);
}

int knp_watch_open(const struct knp_watch_ops *ops, void *arg,
		   struct knp_watch **ret)
{
	struct knp_watch *w = calloc(1, sizeof(*w));

	w->ops = ops;
	w->arg = arg;
	/* The end of the file is always readable. */
	if (pipe(w->pipe))
		die("pipe", -errno);
	close(w->pipe[1]);
	*ret = w;
	return 0;
}

void knp_watch_close(struct knp_watch *w)
{
	if (!w)
		return;
	if (w->events)
		fclose(w->events);
	close(w->pipe[0]);
	free(w);
}

int knp_watch_join(struct knp_watch *w, const char *group)
{
	const char *events = getenv("KNP_FAKE_EVENTS");

	if (strcmp(group, KNP_MCGRP_EVENTS) || !events || w->events)
		return 0;
	w->events = fopen(events, "r");
	if (!w->events)
		die(events, -errno);
	return 0;
}

int knp_watch_fd(const struct knp_watch *w)
{
	return w->pipe[0];
}

/* One commit, then the drops; who waits for more waits for what never comes. */
int knp_watch_read(struct knp_watch *w)
{
	struct json_object *doc;
	struct knp_genl g = { KNP_FAMILY_ALL };
	struct knp_info info;
	char line[1024];

	if (!w->told) {
		w->told = true;
		knp_genl_info(&g, &info);
		w->ops->info(w->arg, &info);
		return 0;
	}
	if (!w->events || !fgets(line, sizeof(line), w->events))
		return -ENODATA;
	doc = json_tokener_parse(line);
	if (!doc)
		die(line, -EINVAL);
	take_event(w, doc);
	json_object_put(doc);
	return 0;
}

bool knp_runtime_locked(const char *dir)
{
	(void)dir;
	return getenv("KNP_FAKE_KNPD");
}
