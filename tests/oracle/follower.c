// SPDX-License-Identifier: Apache-2.0
/*
 * What knpd makes of events, without knpd, kernel and server: lines on stdin
 * are taken in by the decoders, the store, the live ruleset and the module's
 * tables, and every question is answered three times over.
 *
 * A line is a command, and each is answered by one line:
 *
 *   reset [NODE]	forget all; the pods of NODE are endpoints, or every pod
 *   pods EVENT		a watch event, as an API server sends it; likewise
 *   namespaces EVENT	   "ok", or "refused REASON", and what can be read of
 *   networkpolicies EVENT  the object is kept
 *   restart		another live ruleset, as after a restart of the daemon
 *   forget		what the tables hold is not known, as after a failure
 *   ask PODS OTHERS PORTS
 *			lists like 10.0.0.1,fd00::1 and 80/TCP,53/UDP; OTHERS may be
 *			"-". For every pair of addresses of one family that are not
 *			both OTHERS, and every port: "same BITS", or "differs BITS
 *			BITS"
 *
 * The bits, "1" is allowed, come from tables that only ever got the differences
 * of the live ruleset, and from new tables with the result of the compiler.
 * "same": the two rulesets are equal, record by record, and so are the bits.
 *
 * Whatever else goes wrong ends the program with a reason on stderr.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compile.h"
#include "kube_json.h"
#include "labels.h"
#include "live.h"
#include "pod_json.h"
#include "protocols.h"
#include "simulate.h"
#include "strings.h"
#include "table_limits.h"

/* What a message of a dump may hold. */
#define ROOM	16384

/* struct world - a store, its live ruleset, and tables that follow it */
struct world {
	char *node;
	struct knp_store *store;
	struct knp_live *live;
	struct knp_tables *tables;
	struct knp_pod_json *parser;
};

/* struct questions - from each address to each, each port; pods come first */
struct questions {
	struct knp_ip *ips;
	size_t nips;
	size_t npods;
	struct {
		uint16_t number;
		uint8_t proto;
	} *ports;
	size_t nports;
};

static void die(const char *fmt, ...) __attribute__((format(printf, 1, 2),
						     noreturn));

static void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("follower: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static void must(int err, const char *what)
{
	if (err)
		die("%s: %s", what, strerror(-err));
}

static void *there(void *p)
{
	if (!p)
		die("out of memory");
	return p;
}

/* ---- the world ----------------------------------------------------------- */

static void start_live(struct world *w)
{
	knp_live_free(w->live);
	must(knp_live_new(w->store, w->node, &knp_limits, &w->live),
	     "a live ruleset");
}

static void stop(struct world *w)
{
	knp_live_free(w->live);
	knp_store_free(w->store);
	knp_tables_free(w->tables);
	free(w->node);
	w->live = NULL;
	w->store = NULL;
	w->node = NULL;
	if (knp_string_count() || knp_labels_count())
		die("%zu strings and %zu label sets are left",
		    knp_string_count(), knp_labels_count());
}

static void start(struct world *w, const char *node)
{
	w->node = *node ? there(strdup(node)) : NULL;
	w->store = there(knp_store_new());
	w->tables = there(knp_tables_new());
	must(knp_tables_freeze(w->tables), "freezing empty tables");
	start_live(w);
}

/* ---- events -------------------------------------------------------------- */

static enum knp_kind kind_of(const char *resource)
{
	for (int kind = KNP_KIND_NAMESPACE; kind <= KNP_KIND_POLICY; kind++)
		if (!strcmp(knp_kube_resource(kind), resource))
			return kind;
	die("no command %s", resource);
}

static void decode(struct world *w, enum knp_kind kind, const char *text,
		   struct knp_kube_event *e, struct knp_faults *faults)
{
	size_t len = strlen(text);
	char *buf = there(calloc(1, len + KNP_JSON_PADDING));
	char *why = NULL;
	int err = 1;

	memcpy(buf, text, len);
	if (kind == KNP_KIND_POD)
		err = knp_pod_json_event(w->parser, buf, len, e, faults);
	if (err > 0)
		err = knp_kube_json_event(buf, len, kind, e, faults, &why);
	if (err)
		die("no event: %s: %s", why ? why : strerror(-err), text);
	free(buf);
}

static void take_event(struct world *w, enum knp_kind kind, const char *text)
{
	struct knp_faults faults = { 0 };
	struct knp_kube_event e;
	char *line;

	decode(w, kind, text, &e, &faults);
	if (e.type == KNP_EVENT_DELETED)
		knp_store_del(w->store, kind, e.object.ns, e.object.name);
	else if (e.type != KNP_EVENT_ADDED && e.type != KNP_EVENT_MODIFIED)
		die("no change: %s", text);
	else if (e.object.any)
		must(knp_object_put(&e.object, w->store), "a put");
	if (faults.n) {
		line = there(knp_fault_format(&faults.v[0]));
		printf("refused %s\n", line);
		free(line);
	} else {
		puts("ok");
	}
	knp_object_clear(&e.object);
	knp_faults_clear(&faults);
}

/* ---- the tables ---------------------------------------------------------- */

static struct knp_ruleset *read_back(const struct knp_tables *t)
{
	struct knp_ruleset *rs = there(knp_ruleset_new());
	static uint8_t buf[ROOM];
	struct knp_cursor cursor;
	size_t len;

	for (uint32_t table = 1; table <= KNP_TABLE_MAX; table++) {
		memset(&cursor, 0, sizeof(cursor));
		while ((len = knp_tables_next(t, table, &cursor, buf, ROOM)))
			must(knp_ruleset_unpack(rs, table, buf, len),
			     "reading back");
	}
	knp_ruleset_sort(rs);
	return rs;
}

static void commit(struct world *w, const struct knp_diff *diff)
{
	struct knp_tables *next = there(knp_tables_clone(w->tables));
	struct knp_refusal why = { 0 };
	const struct knp_op *op;
	int n;

	for (size_t i = 0; i < diff->nops; i++) {
		op = &diff->ops[i];
		n = op->delete ?
		    knp_tables_delete(next, op->table, op->recs, op->len,
				      &why) :
		    knp_tables_put(next, op->table, op->recs, op->len, &why);
		if (n < 0)
			die("the tables refuse a difference: %s", why.msg);
	}
	must(knp_tables_freeze(next), "freezing");
	knp_tables_free(w->tables);
	w->tables = next;
}

static struct knp_ruleset *whole(struct world *w)
{
	struct knp_ruleset *rs;

	must(knp_live_ruleset(w->live, &rs), "the whole ruleset");
	return rs;
}

/* The tables become the live ruleset, as knpd does it. */
static void follow(struct world *w)
{
	struct knp_ruleset *have, *rs;
	struct knp_diff *diff;

	must(knp_live_update(w->live), "an update");
	if (knp_live_known(w->live)) {
		must(knp_live_diff(w->live, &diff), "a difference");
		commit(w, diff);
		knp_live_confirm(w->live);
		knp_diff_free(diff);
		return;
	}
	have = read_back(w->tables);
	rs = whole(w);
	must(knp_ruleset_adopt(rs, have), "adopting ids");
	must(knp_ruleset_diff(have, rs, &diff), "comparing the whole");
	commit(w, diff);
	must(knp_live_adopt(w->live, rs), "adopting the whole");
	knp_diff_free(diff);
	knp_ruleset_free(have);
	knp_ruleset_free(rs);
}

static bool equal(const struct knp_ruleset *a, const struct knp_ruleset *b)
{
	struct knp_diff *there_to, *back;
	bool is;

	must(knp_ruleset_diff(a, b, &there_to), "comparing");
	must(knp_ruleset_diff(b, a, &back), "comparing");
	is = !there_to->count && !back->count;
	knp_diff_free(there_to);
	knp_diff_free(back);
	return is;
}

/* The definition, and whether the tables hold nothing else. */
static struct knp_simulator *scratch(struct world *w, bool *same)
{
	struct knp_ruleset *rs, *twin, *have = read_back(w->tables);
	struct knp_troubles troubles = { 0 };
	struct knp_simulator *s;
	const char *why;

	must(knp_compile(w->store, w->node, &rs, &troubles), "compiling");
	if (troubles.n)
		die("trouble: %s", troubles.v[0].text);
	must(knp_compile(w->store, w->node, &twin, NULL), "compiling");
	must(knp_ruleset_adopt(twin, have), "adopting ids");
	*same = equal(twin, have);
	knp_ruleset_free(twin);
	knp_ruleset_free(have);
	if (knp_simulator_new(rs, &s, &why))
		die("the tables refuse the whole: %s", why ? why : "no memory");
	return s;
}

/* ---- questions ----------------------------------------------------------- */

static uint8_t proto_of(const char *name)
{
	uint8_t proto = knp_protocol_number(name);

	if (!proto)
		die("no protocol %s", name);
	return proto;
}

static size_t parts(const char *list)
{
	size_t n = 1;

	for (; *list; list++)
		n += *list == ',';
	return n;
}

static void parse_addresses(char *list, struct questions *q)
{
	char *word;

	if (!strcmp(list, "-"))
		return;
	q->ips = there(reallocarray(q->ips, q->nips + parts(list),
				    sizeof(*q->ips)));
	while ((word = strsep(&list, ",")))
		must(knp_ip_parse(word, &q->ips[q->nips++]), word);
}

static void parse_ports(char *list, struct questions *q)
{
	char *word, *proto;

	q->ports = there(calloc(parts(list), sizeof(*q->ports)));
	while ((word = strsep(&list, ","))) {
		q->ports[q->nports].number = strtoul(word, &proto, 10);
		if (*proto != '/')
			die("no port %s", word);
		q->ports[q->nports++].proto = proto_of(proto + 1);
	}
}

static char *answer(const struct knp_simulator *s, const struct questions *q)
{
	char *bits = there(malloc(q->nips * q->nips * q->nports + 1));
	struct knp_verdict v;
	char *bit = bits;

	for (size_t i = 0; i < q->nips; i++) {
		for (size_t j = 0; j < q->nips; j++) {
			if (q->ips[i].family != q->ips[j].family ||
			    (i >= q->npods && j >= q->npods))
				continue;
			for (size_t k = 0; k < q->nports; k++) {
				knp_simulator_judge(s, &q->ips[i], &q->ips[j],
						    q->ports[k].proto,
						    q->ports[k].number, &v);
				*bit++ = v.pass ? '1' : '0';
			}
		}
	}
	*bit = '\0';
	return bits;
}

static void ask(struct world *w, char *line)
{
	char *pods = strsep(&line, " "), *others = strsep(&line, " ");
	struct knp_simulator followed, *compiled;
	struct questions q = { 0 };
	char *one, *other;
	bool same;

	if (!line)
		die("ask whom, and for which ports?");
	parse_addresses(pods, &q);
	q.npods = q.nips;
	parse_addresses(others, &q);
	parse_ports(line, &q);
	follow(w);
	followed = (struct knp_simulator){ .tables = w->tables };
	compiled = scratch(w, &same);
	one = answer(&followed, &q);
	other = answer(compiled, &q);
	if (same && !strcmp(one, other))
		printf("same %s\n", one);
	else
		printf("differs %s %s\n", one, other);
	knp_simulator_free(compiled);
	free(one);
	free(other);
	free(q.ips);
	free(q.ports);
}

/* ---- lines --------------------------------------------------------------- */

static void obey(struct world *w, char *line)
{
	char *word = strsep(&line, " ");

	if (!strcmp(word, "reset")) {
		stop(w);
		start(w, line ? line : "");
		puts("ok");
	} else if (!strcmp(word, "restart")) {
		start_live(w);
		puts("ok");
	} else if (!strcmp(word, "forget")) {
		knp_live_forget(w->live);
		puts("ok");
	} else if (!line) {
		die("%s what?", word);
	} else if (!strcmp(word, "ask")) {
		ask(w, line);
	} else {
		take_event(w, kind_of(word), line);
	}
}

int main(void)
{
	struct world w = { .parser = there(knp_pod_json_new()) };
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	start(&w, "");
	while ((len = getline(&line, &room, stdin)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		obey(&w, line);
		if (fflush(stdout))
			return 1;
	}
	stop(&w);
	knp_pod_json_free(w.parser);
	free(line);
	return 0;
}
