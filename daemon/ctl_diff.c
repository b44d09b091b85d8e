// SPDX-License-Identifier: Apache-2.0
/*
 * knpctl diff: what the kernel holds against what objects compile to. Exit
 * status as of diff(1) and `kubectl diff`: 0 the same, 1 different, 2 trouble.
 *
 * The compiled ruleset takes over the kernel's ids by their tags, which are
 * hashes of what an object means; what is different then is different in
 * meaning. Interfaces, and the addresses behind them, are the node's own: no
 * object says them, so they are not compared.
 *
 * Lines are told by names, not ids: those of the objects for both sides where
 * they have the tag, else those that knpd left.
 */
#include "ctl_load.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compile.h"
#include "input.h"
#include "json_member.h"
#include "node_name.h"
#include "push.h"
#include "runtime.h"
#include "status.h"

#define DIFFERENT	1
#define TROUBLE		2
#define TIMEOUT_S	30

static const char help[] =
	"usage: knpctl diff -f FILE|DIR... [OPTION]...\n"
	"       knpctl diff --kubeconfig FILE | --in-cluster [OPTION]...\n"
	"What the kernel holds (-) against what objects compile to (+). Interfaces, and\n"
	"which addresses are behind them, are not compared.\n"
	"\n"
	"  -f, --file FILE|DIR      Pods, Namespaces and NetworkPolicies, as YAML or JSON;\n"
	"                           may be given several times; - is standard input\n"
	"      --keep-going         name what cannot be read, and compare with what knpd\n"
	"                           would enforce of it\n"
	"  -k, --kubeconfig FILE    the objects of an API server, listed once\n"
	"      --context NAME       of the kubeconfig (default: its current one)\n"
	"      --in-cluster         the API server of the cluster this is a pod of\n"
	"      --timeout SECONDS    for the API server (default: 30)\n"
	"  -n, --node NAME          whose pods are judged (default: that of knpd here, else\n"
	"                           the host's name)\n"
	"\n"
	"Exit status: 0 the same, 1 different, 2 trouble.\n";

/**
 * struct diff - the command at work
 * @wanted: what the objects compile to, with the kernel's ids
 * @names: of it; borrowed from it
 * @classes: names of its classes
 * @rows: differences, for a document
 */
struct diff {
	struct knp_ctl c;
	char **files;
	size_t nfiles;
	bool keep_going;
	const char *kubeconfig;
	const char *context;
	bool in_cluster;
	int timeout;
	const char *node;
	char node_buf[256];
	struct knp_store *store;
	struct knp_ruleset *wanted;
	struct knp_names names;
	struct knp_class_names *classes;
	struct json_object *rows;
	uint64_t count;
	struct event_base *base;
	bool listed;
};

/* ---- objects of an API server -------------------------------------------- */

static void on_changed(void *arg)
{
	struct diff *d = arg;

	d->listed = true;
	event_base_loopbreak(d->base);
}

static void on_fault(void *arg, const struct knp_fault *fault)
{
	(void)arg;
	knp_ctl_fault(fault);
}

static void on_nothing(void *arg)
{
	(void)arg;
}

static const struct knp_input_ops input_ops = {
	.changed = on_changed,
	.fault	 = on_fault,
	.healed	 = on_nothing,
	.state	 = on_nothing,
};

static int list_all(struct diff *d, const struct knp_kube_config *config)
{
	const struct knp_kube_options options = { .spread_ms = 0 };
	const struct timeval patience = { .tv_sec = d->timeout };
	struct knp_input *in;
	const char *why;
	int64_t since;
	int err;

	d->base = event_base_new();
	if (!d->base)
		return knp_ctl_fail("out of memory");
	err = knp_input_open_kube(d->base, config, &options, d->store,
				  &input_ops, d, &in);
	if (err) {
		event_base_free(d->base);
		return knp_ctl_fail("%s", strerror(-err));
	}

	event_base_loopexit(d->base, &patience);
	event_base_dispatch(d->base);
	if (!d->listed) {
		why = knp_input_waiting(in, &since);
		knp_ctl_fail("gave up after %d s: waiting for %s", d->timeout,
			     why ? why : config->server);
	}
	knp_input_close(in);
	event_base_free(d->base);
	return d->listed ? CTL_OK : CTL_FAILED;
}

static int load_server(struct diff *d)
{
	struct knp_kube_config config = { 0 };
	char *why = NULL;
	int err, status;

	err = d->in_cluster ?
	      knp_kube_config_in_cluster(NULL, &config, &why) :
	      knp_kube_config_load(d->kubeconfig, d->context, &config, &why);
	if (err) {
		knp_ctl_fail("%s", why ? why : strerror(-err));
		free(why);
		return CTL_FAILED;
	}
	status = list_all(d, &config);
	knp_kube_config_clear(&config);
	return status;
}

static int load(struct diff *d)
{
	size_t i;
	int status = CTL_OK;

	if (!d->nfiles)
		return load_server(d);
	for (i = 0; !status && i < d->nfiles; i++)
		status = knp_ctl_load(d->files[i], d->keep_going, d->store);
	return status;
}

/* ---- both sides ---------------------------------------------------------- */

/* The node that knpd has here, so that nobody has to say it twice. */
static void find_node(struct diff *d)
{
	struct json_object *status;
	const char *node;

	if (d->node)
		return;
	d->node = d->node_buf;
	if (!knp_runtime_read(d->c.runtime_dir, KNP_STATUS_FILE, &status)) {
		node = knp_json_text(status, "node");
		snprintf(d->node_buf, sizeof(d->node_buf), "%s",
			 node ? node : "");
		json_object_put(status);
	}
	if (*d->node_buf)
		return;
	gethostname(d->node_buf, sizeof(d->node_buf) - 1);
	knp_node_name(d->node_buf);
}

static int compile(struct diff *d)
{
	struct knp_troubles troubles = { 0 };
	size_t i;
	int err;

	err = knp_compile(d->store, d->node, &d->wanted, &troubles);
	for (i = 0; i < troubles.n; i++)
		fprintf(stderr, "knpctl: warning: %s\n", troubles.v[i].text);
	knp_troubles_clear(&troubles);
	if (!err)
		err = knp_ruleset_adopt(d->wanted, d->c.rs);
	if (!err)
		err = knp_class_names_new(d->wanted, d->wanted->addresses.v,
					  d->wanted->addresses.n, &d->classes);
	if (err)
		return knp_ctl_fail("cannot compile: %s", strerror(-err));

	d->names = (struct knp_names){
		.v = d->wanted->names.v,
		.n = d->wanted->names.n,
		.addresses = d->wanted->addresses.v,
		.naddresses = d->wanted->addresses.n,
	};
	return CTL_OK;
}

/* ---- names --------------------------------------------------------------- */

/* struct side - one of the two, while a line of it is written */
struct side {
	struct diff *d;
	struct knp_ruleset *rs;
	bool kernel;
	FILE *out;
};

static const char *tag_name(const struct side *s, const uint8_t *tag)
{
	const char *name = knp_names_tag(&s->d->names, tag);

	return name ? name : knp_names_tag(s->d->c.names, tag);
}

/* The name of a record, else its id. */
static void put_name(const struct side *s, uint32_t table, uint32_t id)
{
	const struct knp_recs *recs = knp_ruleset_table(s->rs, table);
	const char *rec = knp_recs_find(recs, id), *name = NULL;

	if (rec)
		name = tag_name(s, knp_ruleset_tag(table, recs,
						   (size_t)(rec - (char *)recs->v) /
						   recs->size));
	if (name)
		fputs(name, s->out);
	else
		fprintf(s->out, "(%u)", id);
}

static void put_class(const struct side *s, uint32_t id)
{
	const char *name = s->kernel ? knp_ctl_class(&s->d->c, id) :
				       knp_class_name(s->d->classes, id);

	if (name)
		fputs(name, s->out);
	else
		fprintf(s->out, "(class %u)", id);
}

static void put_address(const struct side *s, uint8_t family,
			const uint8_t *addr)
{
	const struct knp_names *names = s->kernel ? s->d->c.names :
						    &s->d->names;
	const char *name = knp_names_address(names, family, addr);
	char text[46];

	fputs(knp_ctl_address(addr, family, text), s->out);
	if (name)
		fprintf(s->out, " (%s)", name);
}

/* What a portset allows, and by which rules. */
static void put_ports(const struct side *s, uint32_t id)
{
	const struct knp_rs_portset *p = knp_recs_find(&s->rs->portsets, id);
	uint32_t i, last = 0;

	if (!p) {
		fputs("nothing", s->out);
		return;
	}
	put_name(s, KNP_TABLE_PORTSET, id);
	for (i = 0; i < p->rec.nports; i++) {
		if (p->ports[i].rule == last)
			continue;
		fputs(last ? ", " : " by ", s->out);
		last = p->ports[i].rule;
		put_name(s, KNP_TABLE_RULE, last);
	}
}

static void put_set(const struct side *s, uint32_t id)
{
	const struct knp_rec_set *set = knp_recs_find(&s->rs->sets, id);

	fprintf(s->out, "%s of ", set ? knp_ctl_direction(set->direction) :
					"(unknown)");
	put_name(s, KNP_TABLE_SET, id);
}

static void put_isolation(const struct side *s, const char *direction,
			  uint32_t set)
{
	if (!set)
		return;
	fprintf(s->out, ", %s isolated by ", direction);
	put_name(s, KNP_TABLE_SET, set);
}

static void put_endpoint(const struct side *s,
			 const struct knp_rec_endpoint *e)
{
	put_address(s, e->family, e->addr);
	put_isolation(s, "egress", e->egress_set);
	put_isolation(s, "ingress", e->ingress_set);
	if (!e->egress_set && !e->ingress_set)
		fputs(", not isolated", s->out);
}

static void put_row(const struct side *s, const struct knp_rec_row *row)
{
	const struct knp_rec_set *set = knp_recs_find(&s->rs->sets, row->set);

	put_set(s, row->set);
	fputs(set && set->direction == KNP_EGRESS ? " to " : " from ", s->out);
	put_class(s, row->class_id);
	fputs(": ", s->out);
	put_ports(s, row->portset);
}

static void put_cidr(const struct side *s, const struct knp_rec_cidr *cidr)
{
	char text[46];

	fprintf(s->out, "%s/%u in class ",
		knp_ctl_address(cidr->addr, cidr->family, text),
		cidr->prefixlen);
	put_class(s, cidr->class_id);
}

static void put_record(const struct side *s, uint32_t table, const void *rec)
{
	const struct knp_rec_peer *peer = rec;
	const struct knp_rec_set *set = rec;
	uint32_t id;

	/* Of a table with ids it is the first member. */
	memcpy(&id, rec, sizeof(id));

	switch (table) {
	case KNP_TABLE_ENDPOINT:
		put_endpoint(s, rec);
		break;
	case KNP_TABLE_SET:
		put_set(s, id);
		fputs(", any peer: ", s->out);
		put_ports(s, set->dflt);
		break;
	case KNP_TABLE_ROW:
		put_row(s, rec);
		break;
	case KNP_TABLE_PORTSET:
		put_ports(s, id);
		break;
	case KNP_TABLE_CLASS:
		put_class(s, id);
		break;
	case KNP_TABLE_PEER:
		put_address(s, peer->family, peer->addr);
		fputs(" in class ", s->out);
		put_class(s, peer->class_id);
		break;
	case KNP_TABLE_CIDR:
		put_cidr(s, rec);
		break;
	default:
		put_name(s, table, id);
	}
}

static char *text_of(struct diff *d, bool kernel, uint32_t table,
		     const void *rec)
{
	struct side s = {
		.d = d,
		.rs = kernel ? d->c.rs : d->wanted,
		.kernel = kernel,
	};
	char *text = NULL;
	size_t len;

	if (!rec)
		return NULL;
	s.out = open_memstream(&text, &len);
	if (s.out) {
		put_record(&s, table, rec);
		if (!fclose(s.out))
			return text;
	}
	knp_ctl_fail("out of memory");
	exit(TROUBLE);
}

/* ---- lines --------------------------------------------------------------- */

static const struct {
	uint32_t table;
	const char *word;
} tables[] = {
	/* what is asked for first: who is isolated, what is allowed */
	{ KNP_TABLE_ENDPOINT, "endpoint" },
	{ KNP_TABLE_SET, "set" },
	{ KNP_TABLE_ROW, "row" },
	{ KNP_TABLE_RULE, "rule" },
	{ KNP_TABLE_PORTSET, "portset" },
	{ KNP_TABLE_CLASS, "class" },
	{ KNP_TABLE_PEER, "peer" },
	{ KNP_TABLE_CIDR, "cidr" },
};

#define NTABLES	(sizeof(tables) / sizeof(tables[0]))

static const char *word_of(uint32_t table)
{
	size_t i;

	for (i = 0; i < NTABLES - 1; i++)
		if (tables[i].table == table)
			break;
	return tables[i].word;
}

static void print_line(const char *color, char sign, uint32_t table,
		       const char *text)
{
	if (text)
		printf("%s%c%-8s %s%s\n", color, sign, word_of(table), text,
		       knp_ctl_plain());
}

static void print_difference(struct diff *d, uint32_t table, const char *from,
			     const char *to)
{
	if (d->count++ == 0) {
		printf("%s--- kernel, generation %" PRIu64 "%s\n",
		       knp_ctl_red(), d->c.info.generation, knp_ctl_plain());
		printf("%s+++ objects, node %s%s\n", knp_ctl_green(), d->node,
		       knp_ctl_plain());
	}
	print_line(knp_ctl_red(), '-', table, from);
	print_line(knp_ctl_green(), '+', table, to);
}

static void add_difference(struct diff *d, uint32_t table, const char *from,
			   const char *to)
{
	struct json_object *row = knp_ctl_object();

	d->count++;
	knp_ctl_add_text(row, "table", word_of(table));
	knp_ctl_add_text(row, "change", !from ? "add" : !to ? "delete" :
			 "change");
	knp_ctl_add_text(row, "kernel", from);
	knp_ctl_add_text(row, "objects", to);
	knp_ctl_push(d->rows, row);
}

static int on_difference(void *arg, uint32_t table, const void *from,
			 const void *to)
{
	struct diff *d = arg;
	char *was = text_of(d, true, table, from);
	char *is = text_of(d, false, table, to);

	if (d->rows)
		add_difference(d, table, was, is);
	else
		print_difference(d, table, was, is);
	free(was);
	free(is);
	return 0;
}

static void compare(struct diff *d)
{
	struct json_object *doc;
	size_t i;

	if (knp_ctl_structured(&d->c))
		d->rows = knp_ctl_array();
	for (i = 0; i < NTABLES; i++)
		knp_ruleset_compare(d->c.rs, d->wanted, tables[i].table,
				    on_difference, d);
	if (!d->rows)
		return;

	doc = knp_ctl_object();
	knp_ctl_add_number(doc, "generation", d->c.info.generation);
	knp_ctl_add_text(doc, "node", d->node);
	knp_ctl_add_bool(doc, "same", !d->count);
	knp_ctl_add(doc, "differences", d->rows);
	knp_ctl_print_doc(&d->c, doc);
}

static int run(struct diff *d)
{
	d->store = knp_store_new();
	if (!d->store) {
		knp_ctl_fail("out of memory");
		return TROUBLE;
	}
	find_node(d);
	if (load(d) || knp_ctl_view(&d->c) || compile(d))
		return TROUBLE;
	compare(d);
	if (fflush(stdout))
		return TROUBLE;
	return d->count ? DIFFERENT : CTL_OK;
}

/* ---- command line -------------------------------------------------------- */

enum {
	OPT_CONTEXT = CTL_OPT_FIRST,
	OPT_IN_CLUSTER,
	OPT_TIMEOUT,
	OPT_KEEP_GOING,
};

static int parse_timeout(struct diff *d, const char *text)
{
	char *end;
	long n;

	n = strtol(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || n < 1 || n > 3600)
		return knp_ctl_usage(&d->c, "--timeout takes 1 to 3600 seconds, not %s",
				     text);
	d->timeout = (int)n;
	return CTL_OK;
}

/* Return -1 if the option is another one. */
static int parse_option(struct diff *d, int opt)
{
	switch (opt) {
	case 'f':
		d->files[d->nfiles++] = optarg;
		return CTL_OK;
	case 'k':
		d->kubeconfig = optarg;
		return CTL_OK;
	case 'n':
		d->node = knp_node_name(optarg);
		return CTL_OK;
	case OPT_CONTEXT:
		d->context = optarg;
		return CTL_OK;
	case OPT_IN_CLUSTER:
		d->in_cluster = true;
		return CTL_OK;
	case OPT_TIMEOUT:
		return parse_timeout(d, optarg);
	case OPT_KEEP_GOING:
		d->keep_going = true;
		return CTL_OK;
	}
	return -1;
}

static int check_usage(struct diff *d)
{
	int sources = !!d->nfiles + !!d->kubeconfig + d->in_cluster;

	if (sources != 1)
		return knp_ctl_usage(&d->c, "compare with what? one of -f, --kubeconfig and --in-cluster");
	if (d->context && !d->kubeconfig)
		return knp_ctl_usage(&d->c, "--context without --kubeconfig");
	return CTL_OK;
}

static int parse(struct diff *d, int argc, char **argv)
{
	static const struct option options[] = {
		CTL_OPTIONS,
		{ "file",	required_argument, NULL, 'f' },
		{ "keep-going", no_argument,	   NULL, OPT_KEEP_GOING },
		{ "kubeconfig", required_argument, NULL, 'k' },
		{ "context",	required_argument, NULL, OPT_CONTEXT },
		{ "in-cluster", no_argument,	   NULL, OPT_IN_CLUSTER },
		{ "timeout",	required_argument, NULL, OPT_TIMEOUT },
		{ "node",	required_argument, NULL, 'n' },
		{ 0 },
	};
	int opt, status;

	while ((opt = getopt_long(argc, argv, "f:k:n:o:h", options,
				  NULL)) != -1) {
		status = parse_option(d, opt);
		if (status < 0)
			status = knp_ctl_option(&d->c, opt, help);
		else if (!status)
			continue;
		if (status >= 0)
			return status;
	}
	if (optind < argc)
		return knp_ctl_usage(&d->c, "unexpected argument %s",
				     argv[optind]);
	status = check_usage(d);
	return status ? status : -1;
}

int knp_ctl_diff(int argc, char **argv)
{
	struct diff d = { .timeout = TIMEOUT_S };
	int status;

	knp_ctl_begin(&d.c, argv[0]);
	d.files = calloc((size_t)argc, sizeof(*d.files));
	if (!d.files) {
		knp_ctl_fail("out of memory");
		return TROUBLE;
	}

	status = parse(&d, argc, argv);
	if (status < 0)
		status = run(&d);
	knp_class_names_free(d.classes);
	knp_ruleset_free(d.wanted);
	knp_store_free(d.store);
	free(d.files);
	knp_ctl_end(&d.c);
	return status;
}
