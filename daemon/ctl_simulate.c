// SPDX-License-Identifier: Apache-2.0
/*
 * knpctl simulate: manifests through the daemon's compiler and the module's
 * match core. Needs no root, no kernel and no daemon.
 *
 * Every pod is an endpoint, whatever node it is on. A pod on the host's network
 * is its node's address: no policy selects it, ipBlocks match it. Not simulated
 * is what depends on how a packet came: that a node always reaches its own pods.
 *
 * One question, as JSON:
 *
 *   { "from": "x/a", "to": "y/b", "port": 80, "protocol": "TCP",
 *     "allowed": false, "reason": "ingress",
 *     "egress":  { "isolated": true, "allowed": true, "policy": "x/p",
 *                  "rule": "x/p egress[0]", "policies": [ "x/p" ] },
 *     "ingress": { "isolated": true, "allowed": false, "policy": null,
 *                  "rule": null, "policies": [ "y/q", "y/r" ] },
 *     "paths": [ { "from": "10.0.0.1", "to": "10.0.0.2", "allowed": ...,
 *                  "reason", "egress", "ingress" } ] }
 *
 * policies are those that isolate the pod; policy and rule those that allowed.
 * A pod has one address or two: paths are all pairs of one family, allowed says
 * that each of them is, and egress and ingress are those of the first path that
 * is denied, else of the first.
 *
 * A manifest that cannot be read in full is refused, since the answer is to be
 * about what was written; with --keep-going it is about what knpd makes of it.
 *
 * The matrix holds null where a pod has no address (completed, not started, or
 * superseded by a younger pod with its address) or the two have no family in
 * common. A question about such a pod is answered by exit status 2.
 */
#include "ctl_load.h"

#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <libsmartcols.h>

#include "compile.h"
#include "protocols.h"
#include "simulate.h"

#define HEADING_WIDTH	100	/* above it the columns have numbers */

static const char help[] =
"usage: knpctl simulate -f FILE|DIR... --from WHO --to WHO --port PORT[/PROTO]\n"
"       knpctl simulate -f FILE|DIR... --matrix --port PORT[/PROTO]\n"
"Evaluate manifests with the daemon's compiler and the module's lookups. Needs\n"
"no root and no kernel.\n"
"\n"
"  -f, --file FILE|DIR  Pods, Namespaces and NetworkPolicies, as YAML or JSON;\n"
"                       may be given several times; - is standard input\n"
"      --from WHO       who opens the connection: namespace/pod or an address\n"
"      --to WHO         who is called: namespace/pod or an address\n"
"      --port N[/PROTO]  TCP (default), UDP or SCTP\n"
"      --matrix         all pairs of pods\n"
"      --keep-going     name what cannot be read, and evaluate what knpd would\n"
"                       enforce of it\n"
"\n"
"Exit status: 0 evaluated, whatever the verdict; 1 it could not be done; 2 bad\n"
"usage or bad manifest, unless --keep-going.\n";

/* struct side - who is asked about */
struct side {
	const char *text;
	const struct knp_ip *ips;
	size_t nips;
	struct knp_ip own;		/* where @text is an address */
};

/* struct place - a pod of the store and its addresses */
struct place {
	const struct knp_pod *pod;
	char *name;
	struct knp_ip *ips;
	size_t nips;
};

struct sim {
	struct knp_ctl ctl;
	struct knp_store *store;
	struct knp_simulator *simulator;
	struct place *places;		/* by name */
	size_t nplaces;
	char **files;
	size_t nfiles;
	const char *from;
	const char *to;
	const char *port_text;
	uint16_t port;
	uint8_t proto;
	bool matrix;
	bool keep_going;
};

/* struct answer - all paths of one question */
struct answer {
	bool any;			/* there is a path */
	bool allowed;
	struct knp_verdict v;		/* of the path that decides */
};

static void *must(void *p)
{
	if (p)
		return p;
	fputs("knpctl: out of memory\n", stderr);
	exit(CTL_FAILED);
}

static int parse_port(struct sim *s)
{
	const char *text = s->port_text;
	unsigned long port;
	char *end;

	if (*text < '0' || *text > '9')
		goto bad;
	errno = 0;
	port = strtoul(text, &end, 10);
	if (errno || !port || port > UINT16_MAX)
		goto bad;
	s->port = port;
	s->proto = IPPROTO_TCP;
	if (!*end)
		return 0;
	if (*end != '/')
		goto bad;
	for (size_t i = 0; i < KNP_PROTOCOLS; i++) {
		if (!strcasecmp(end + 1, knp_protocols[i].name)) {
			s->proto = knp_protocols[i].number;
			return 0;
		}
	}
bad:
	return knp_ctl_usage(&s->ctl, "--port %s: give 1 to 65535, and TCP, UDP or SCTP, as in 80/TCP",
			     text);
}

static int check_usage(struct sim *s)
{
	if (!s->nfiles)
		return knp_ctl_usage(&s->ctl, "which manifests? give -f FILE or -f DIR");
	if (!s->port_text)
		return knp_ctl_usage(&s->ctl, "which port? give --port, as in --port 80/TCP");
	if (s->matrix && (s->from || s->to))
		return knp_ctl_usage(&s->ctl, "--matrix is about all pods: leave out --from and --to");
	if (!s->matrix && (!s->from || !s->to))
		return knp_ctl_usage(&s->ctl, "give --from and --to, or --matrix");
	return parse_port(s);
}

static int parse(struct sim *s, int argc, char **argv)
{
	enum { FROM = CTL_OPT_FIRST, TO, PORT, MATRIX, KEEP_GOING };
	static const struct option options[] = {
		CTL_OPTIONS,
		{ "file",   required_argument, NULL, 'f' },
		{ "from",   required_argument, NULL, FROM },
		{ "to",	    required_argument, NULL, TO },
		{ "port",   required_argument, NULL, PORT },
		{ "matrix", no_argument,       NULL, MATRIX },
		{ "keep-going", no_argument,   NULL, KEEP_GOING },
		{ 0 }
	};
	int option, status;

	s->files = must(calloc(argc, sizeof(*s->files)));
	while ((option = getopt_long(argc, argv, "f:o:h", options, NULL)) != -1) {
		switch (option) {
		case 'f':
			s->files[s->nfiles++] = optarg;
			break;
		case FROM:
			s->from = optarg;
			break;
		case TO:
			s->to = optarg;
			break;
		case PORT:
			s->port_text = optarg;
			break;
		case MATRIX:
			s->matrix = true;
			break;
		case KEEP_GOING:
			s->keep_going = true;
			break;
		default:
			status = knp_ctl_option(&s->ctl, option, help);
			if (status >= 0)
				return status;
		}
	}
	if (optind < argc) {
		status = knp_ctl_usage(&s->ctl, "what is %s? see --help",
				       argv[optind]);
		return status;
	}
	status = check_usage(s);
	return status ? status : -1;
}

static int compile(struct sim *s)
{
	struct knp_troubles troubles = { 0 };
	struct knp_ruleset *rs;
	const char *why = NULL;
	int err;

	err = knp_compile(s->store, NULL, &rs, &troubles);
	for (size_t i = 0; i < troubles.n; i++)
		fprintf(stderr, "knpctl: warning: %s\n", troubles.v[i].text);
	knp_troubles_clear(&troubles);
	if (err)
		return knp_ctl_fail("cannot compile: %s", strerror(-err));
	if (rs->unheld) {
		knp_ruleset_free(rs);
		return knp_ctl_fail("more isolated pods than one node can have: simulate fewer of them");
	}
	err = knp_simulator_new(rs, &s->simulator, &why);
	if (!err)
		return 0;
	knp_ruleset_free(rs);
	return knp_ctl_fail("cannot load the tables: %s",
			    why ? why : strerror(-err));
}

static int by_name(const void *a, const void *b)
{
	const struct place *pa = a, *pb = b;

	return strcmp(pa->name, pb->name);
}

static struct place *find_place(const struct sim *s, const char *name)
{
	struct place key = { .name = (char *)name };

	if (!s->nplaces)
		return NULL;
	return bsearch(&key, s->places, s->nplaces, sizeof(key), by_name);
}

static void take_node_addresses(struct place *place)
{
	for (size_t i = 0; i < place->pod->nips; i++)
		place->ips[place->nips++] = place->pod->ips[i];
}

/* The addresses are those that the compiler gave the pods. */
static void find_places(struct sim *s)
{
	const struct knp_recs *addresses = &s->simulator->rs->addresses;
	const struct knp_address_name *address = addresses->v;
	struct place *place;

	s->nplaces = s->store->npods;
	s->places = must(calloc(s->nplaces + 1, sizeof(*s->places)));
	for (size_t i = 0; i < s->nplaces; i++) {
		place = &s->places[i];
		place->pod = s->store->pods[i];
		if (asprintf(&place->name, "%s/%s", place->pod->ns,
			     place->pod->name) < 0)
			must(NULL);
		place->ips = must(calloc(place->pod->nips + 1,
					 sizeof(*place->ips)));
		if (place->pod->host_network && !place->pod->terminal)
			take_node_addresses(place);
	}
	qsort(s->places, s->nplaces, sizeof(*s->places), by_name);
	for (size_t i = 0; i < addresses->n; i++, address++) {
		place = find_place(s, address->text);
		if (!place)
			continue;
		memcpy(place->ips[place->nips].b, address->addr,
		       sizeof(address->addr));
		place->ips[place->nips++].family = address->family;
	}
}

static const char *why_no_address(const struct knp_pod *pod)
{
	if (pod->terminal)
		return "has completed and has no address";
	if (!pod->nips)
		return "has no address yet (status.podIPs)";
	return "has lost its address to a younger pod";
}

static int find_side(struct sim *s, const char *option, const char *text,
		     struct side *ret)
{
	struct place *place;

	ret->text = text;
	if (!knp_ip_parse(text, &ret->own)) {
		ret->ips = &ret->own;
		ret->nips = 1;
		return 0;
	}
	if (!strchr(text, '/'))
		return knp_ctl_usage(&s->ctl, "%s %s: give namespace/pod or an address",
				     option, text);
	place = find_place(s, text);
	if (!place)
		return knp_ctl_usage(&s->ctl, "%s %s: no such pod in the manifests",
				     option, text);
	if (!place->nips)
		return knp_ctl_usage(&s->ctl, "%s %s: the pod %s", option, text,
				     why_no_address(place->pod));
	ret->ips = place->ips;
	ret->nips = place->nips;
	return 0;
}

static struct answer ask(const struct sim *s, const struct knp_ip *from,
			 size_t nfrom, const struct knp_ip *to, size_t nto)
{
	struct answer a = { .allowed = true };
	struct knp_verdict v;

	for (size_t i = 0; i < nfrom; i++) {
		for (size_t j = 0; j < nto; j++) {
			if (from[i].family != to[j].family)
				continue;
			knp_simulator_judge(s->simulator, &from[i], &to[j],
					    s->proto, s->port, &v);
			if (!a.any || (a.allowed && !v.pass))
				a.v = v;
			a.any = true;
			a.allowed &= v.pass;
		}
	}
	return a;
}

static struct json_object *side_json(const struct sim *s,
				     const struct knp_side *side)
{
	const char *rule = knp_simulator_rule(s->simulator, side->rule);
	const char *set = knp_simulator_set(s->simulator, side->set);
	struct json_object *obj = knp_ctl_object();
	char *policy = rule ? must(strdup(rule)) : NULL;

	if (policy)
		policy[strcspn(policy, " ")] = '\0';
	knp_ctl_add_bool(obj, "isolated", side->set);
	knp_ctl_add_bool(obj, "allowed", !side->set || side->rule);
	knp_ctl_add_text(obj, "policy", policy);
	knp_ctl_add_text(obj, "rule", rule);
	knp_ctl_add(obj, "policies", knp_ctl_list(set ? set : ""));
	free(policy);
	return obj;
}

static void add_verdict(const struct sim *s, struct json_object *obj,
			bool allowed, const struct knp_verdict *v)
{
	knp_ctl_add_bool(obj, "allowed", allowed);
	knp_ctl_add_text(obj, "reason", knp_ctl_reason(v->reason));
	knp_ctl_add(obj, "egress", side_json(s, &v->egress));
	knp_ctl_add(obj, "ingress", side_json(s, &v->ingress));
}

static struct json_object *paths_json(const struct sim *s,
				      const struct side *from,
				      const struct side *to)
{
	struct json_object *array = knp_ctl_array();
	struct json_object *obj;
	struct answer a;
	char buf[46];

	for (size_t i = 0; i < from->nips; i++) {
		for (size_t j = 0; j < to->nips; j++) {
			a = ask(s, &from->ips[i], 1, &to->ips[j], 1);
			if (!a.any)
				continue;
			obj = knp_ctl_object();
			knp_ctl_add_text(obj, "from",
					 knp_ip_format(&from->ips[i], buf));
			knp_ctl_add_text(obj, "to",
					 knp_ip_format(&to->ips[j], buf));
			add_verdict(s, obj, a.allowed, &a.v);
			knp_ctl_push(array, obj);
		}
	}
	return array;
}

static void print_verdict(bool allowed)
{
	printf("%s%s%s", allowed ? knp_ctl_green() : knp_ctl_red(),
	       allowed ? "allowed" : "denied", knp_ctl_plain());
}

static const char *word(const struct knp_side *side)
{
	if (!side->set)
		return "not isolated";
	return side->rule ? "allowed" : "denied";
}

static void print_side(const struct sim *s, const char *name,
		       const struct knp_side *side)
{
	const char *rule = knp_simulator_rule(s->simulator, side->rule);
	const char *set = knp_simulator_set(s->simulator, side->set);

	printf("  %-8s %s", name, word(side));
	if (rule)
		printf(" by %s", rule);
	if (set)
		printf("%s isolated by %s", rule ? ";" : ",", set);
	putchar('\n');
}

static void print_path(const struct sim *s, const struct knp_ip *from,
		       const struct knp_ip *to, const struct answer *a)
{
	char src[46], dst[46];

	printf("%s -> %s: ", knp_ip_format(from, src), knp_ip_format(to, dst));
	print_verdict(a->allowed);
	printf(" (%s)\n", knp_ctl_reason(a->v.reason));
	print_side(s, "egress", &a->v.egress);
	print_side(s, "ingress", &a->v.ingress);
}

static void print_answer(const struct sim *s, const struct side *from,
			 const struct side *to, const struct answer *answer)
{
	struct answer a;

	printf("%s -> %s %u/%s: ", from->text, to->text, s->port,
	       knp_protocol_name(s->proto));
	print_verdict(answer->allowed);
	putchar('\n');
	for (size_t i = 0; i < from->nips; i++) {
		for (size_t j = 0; j < to->nips; j++) {
			a = ask(s, &from->ips[i], 1, &to->ips[j], 1);
			if (a.any)
				print_path(s, &from->ips[i], &to->ips[j], &a);
		}
	}
}

static int question(struct sim *s)
{
	struct side from = { 0 }, to = { 0 };
	struct json_object *doc;
	struct answer a;
	int status;

	status = find_side(s, "--from", s->from, &from);
	if (!status)
		status = find_side(s, "--to", s->to, &to);
	if (status)
		return status;
	a = ask(s, from.ips, from.nips, to.ips, to.nips);
	if (!a.any)
		return knp_ctl_usage(&s->ctl, "%s and %s have no address family in common",
				     from.text, to.text);
	if (!knp_ctl_structured(&s->ctl)) {
		print_answer(s, &from, &to, &a);
		return CTL_OK;
	}

	doc = knp_ctl_object();
	knp_ctl_add_text(doc, "from", from.text);
	knp_ctl_add_text(doc, "to", to.text);
	knp_ctl_add_number(doc, "port", s->port);
	knp_ctl_add_text(doc, "protocol", knp_protocol_name(s->proto));
	add_verdict(s, doc, a.allowed, &a.v);
	knp_ctl_add(doc, "paths", paths_json(s, &from, &to));
	knp_ctl_print_doc(&s->ctl, doc);
	return CTL_OK;
}

static struct answer cell(const struct sim *s, size_t from, size_t to)
{
	const struct place *a = &s->places[from], *b = &s->places[to];
	struct answer self = { .any = a->nips, .allowed = true };

	if (from == to)
		return self;
	return ask(s, a->ips, a->nips, b->ips, b->nips);
}

static int matrix_json(const struct sim *s)
{
	struct json_object *allowed = knp_ctl_object();
	struct json_object *doc = knp_ctl_object();
	struct json_object *row;
	struct answer a;

	for (size_t i = 0; i < s->nplaces; i++) {
		row = knp_ctl_object();
		for (size_t j = 0; j < s->nplaces; j++) {
			a = cell(s, i, j);
			if (a.any)
				knp_ctl_add_bool(row, s->places[j].name,
						 a.allowed);
			else
				knp_ctl_add(row, s->places[j].name, NULL);
		}
		knp_ctl_add(allowed, s->places[i].name, row);
	}
	knp_ctl_add_number(doc, "port", s->port);
	knp_ctl_add_text(doc, "protocol", knp_protocol_name(s->proto));
	knp_ctl_add(doc, "allowed", allowed);
	knp_ctl_print_doc(&s->ctl, doc);
	return CTL_OK;
}

static void add_column(struct libscols_table *table, const char *title)
{
	must(scols_table_new_column(table, title, 0, 0));
}

/* Names as headings where they fit, else the numbers of the rows. */
static bool add_columns(const struct sim *s, struct libscols_table *table)
{
	char number[24];
	size_t width = 0;

	for (size_t i = 0; i < s->nplaces; i++)
		width += strlen(s->places[i].name) + 1;
	if (width > HEADING_WIDTH)
		add_column(table, "#");
	add_column(table, "FROM \\ TO");
	for (size_t i = 0; i < s->nplaces; i++) {
		snprintf(number, sizeof(number), "%zu", i + 1);
		add_column(table, width > HEADING_WIDTH ? number :
				  s->places[i].name);
	}
	return width > HEADING_WIDTH;
}

static void set_cell(struct libscols_line *line, size_t n, const char *text)
{
	if (scols_line_set_data(line, n, text))
		must(NULL);
}

static void set_verdict(struct libscols_line *line, size_t n,
			const struct answer *a)
{
	set_cell(line, n, !a->any ? "-" : a->allowed ? "." : "X");
	if (a->any && scols_cell_set_color(scols_line_get_cell(line, n),
					   a->allowed ? "green" : "red"))
		must(NULL);
}

static int matrix_table(const struct sim *s)
{
	struct libscols_table *table = must(scols_new_table());
	struct libscols_line *line;
	char number[24];
	struct answer a;
	bool numbered;
	size_t n;

	/* A picture to paste: never cut to the width of a terminal. */
	scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
	scols_table_enable_colors(table, knp_ctl_colored());
	numbered = add_columns(s, table);
	for (size_t i = 0; i < s->nplaces; i++) {
		line = must(scols_table_new_line(table, NULL));
		n = 0;
		snprintf(number, sizeof(number), "%zu", i + 1);
		if (numbered)
			set_cell(line, n++, number);
		set_cell(line, n++, s->places[i].name);
		for (size_t j = 0; j < s->nplaces; j++) {
			a = cell(s, i, j);
			set_verdict(line, n++, &a);
		}
	}
	printf("%u/%s   . allowed   X denied   - no address in common\n\n",
	       s->port, knp_protocol_name(s->proto));
	if (s->nplaces)
		scols_print_table(table);
	else
		puts("(no pods)");
	scols_unref_table(table);
	return CTL_OK;
}

static int evaluate(struct sim *s)
{
	int status = 0;

	s->store = must(knp_store_new());
	for (size_t i = 0; !status && i < s->nfiles; i++)
		status = knp_ctl_load(s->files[i], s->keep_going, s->store);
	if (!status)
		status = compile(s);
	if (status)
		return status;
	find_places(s);
	if (!s->matrix)
		return question(s);
	return knp_ctl_structured(&s->ctl) ? matrix_json(s) : matrix_table(s);
}

int knp_ctl_simulate(int argc, char **argv)
{
	struct sim s = { 0 };
	int status;

	knp_ctl_begin(&s.ctl, "simulate");
	status = parse(&s, argc, argv);
	if (status < 0)
		status = evaluate(&s);
	for (size_t i = 0; i < s.nplaces; i++) {
		free(s.places[i].name);
		free(s.places[i].ips);
	}
	free(s.places);
	free(s.files);
	knp_simulator_free(s.simulator);
	knp_store_free(s.store);
	knp_ctl_end(&s.ctl);
	return status;
}
