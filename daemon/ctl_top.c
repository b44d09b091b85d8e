// SPDX-License-Identifier: Apache-2.0
/*
 * knpctl top: the busiest rules and reasons of drops, over and over.
 *
 * On a terminal each reading takes the place of the one before, cut to the
 * height of the screen; elsewhere they follow each other, whole.
 */
#include "ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "rates.h"

#define INTERVAL_S	2
#define HEADING_LINES	4	/* and the line of the cursor */
#define CLEAR		"\033[H\033[J"

static const char help[] =
	"usage: knpctl top [OPTION]...\n"
	"The busiest rules, by what they allowed, policies, by what they denied together,\n"
	"and reasons of drops: packets and bytes per second between two reads of the\n"
	"counters. Until interrupted.\n"
	"\n"
	"  -i, --interval SECONDS  between two reads (default: 2; 0.1 to 3600)\n"
	"  -n, --iterations N      end after N readings\n"
	"      --once              as -n 1\n"
	"  -s, --sort KEY          packets (default), bytes, or id\n"
	"  -l, --lines N           of each reading the first N (default: all that fit a\n"
	"                          terminal, elsewhere all)\n";

static const struct knp_column columns[] = {
	{ "packets_per_second", "PACKETS/S", CTL_RIGHT },
	{ "bytes_per_second", "BYTES/S", CTL_RIGHT },
	{ "verdict", "VERDICT", CTL_VERDICT },
	{ "kind", "BY", 0 },
	{ "id", "ID", CTL_RIGHT },
	{ "name", "NAME", 0 },
	{ "packets", "PACKETS", CTL_RIGHT | CTL_EXTRA },
	{ "bytes", "BYTES", CTL_RIGHT | CTL_EXTRA },
};

/**
 * struct top - the command at work
 * @iterations: 0: no end
 * @lines: 0: as many as there are, or fit
 * @before: valid if @begun
 * @before_ns: when that was read
 */
struct top {
	struct knp_ctl c;
	double interval;
	uint64_t iterations;
	uint64_t lines;
	enum knp_rate_order order;
	bool begun;
	struct knp_reading before;
	int64_t before_ns;
};

static void clear_reading(struct knp_reading *r)
{
	knp_counters_clear(&r->counters);
	free(r->rules.v);
	free(r->sets.v);
	memset(r, 0, sizeof(*r));
}

/* One table of the kernel's, which is moved to @ret. */
static int read_table(struct top *t, uint32_t table, struct knp_recs *ret)
{
	struct knp_ctl *c = &t->c;
	struct knp_ruleset *rs;
	struct knp_recs *from;
	int err;

	err = knp_genl_snapshot(c->g, table, &rs, &c->info);
	if (err)
		return err;
	from = knp_ruleset_table(rs, table);
	*ret = *from;
	from->v = NULL;
	from->n = 0;
	knp_ruleset_free(rs);
	return 0;
}

/*
 * Tables first: what comes in between is seen the next time, and what goes has
 * a counter of nothing.
 */
static int read_now(struct top *t, struct knp_reading *ret)
{
	uint64_t instance = t->c.info.instance;
	int err;

	err = read_table(t, KNP_TABLE_RULE, &ret->rules);
	if (!err)
		err = read_table(t, KNP_TABLE_SET, &ret->sets);
	if (!err)
		err = knp_genl_counters(t->c.g, &ret->counters);
	if (err) {
		clear_reading(ret);
		return knp_ctl_refused(&t->c, err, "cannot read the counters");
	}
	if (t->begun && t->c.info.instance != instance)
		clear_reading(&t->before);
	return CTL_OK;
}

static uint64_t per_second(uint64_t n, double seconds)
{
	return (uint64_t)((double)n / seconds + 0.5);
}

static struct json_object *row_json(const struct top *t,
				    const struct knp_rate *r, double seconds)
{
	static const char * const kinds[] = {
		[KNP_RATE_RULE] = "rule",
		[KNP_RATE_SET]	= "policies",
		[KNP_RATE_DROP] = "reason",
	};
	struct json_object *row = knp_ctl_object();

	knp_ctl_add_number(row, "packets_per_second",
			   per_second(r->packets, seconds));
	knp_ctl_add_number(row, "bytes_per_second",
			   per_second(r->bytes, seconds));
	knp_ctl_add_text(row, "verdict",
			 knp_ctl_action(r->kind == KNP_RATE_RULE ? KNP_PASS :
								   KNP_DROP));
	knp_ctl_add_text(row, "kind", kinds[r->kind]);
	if (r->kind == KNP_RATE_DROP)
		knp_ctl_add_text(row, "id", NULL);
	else
		knp_ctl_add_number(row, "id", r->id);
	knp_ctl_add_text(row, "name", r->kind == KNP_RATE_DROP ?
			 knp_ctl_reason(r->id) :
			 knp_names_tag(t->c.names, r->tag));
	knp_ctl_add_number(row, "packets", r->packets);
	knp_ctl_add_number(row, "bytes", r->bytes);
	return row;
}

/* How many rows may be shown. */
static size_t room(const struct top *t)
{
	struct winsize size;

	if (t->lines)
		return t->lines;
	if (knp_ctl_structured(&t->c) || !isatty(STDOUT_FILENO) ||
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ||
	    size.ws_row <= HEADING_LINES)
		return SIZE_MAX;
	return size.ws_row - HEADING_LINES;
}

static void print_document(const struct top *t, struct json_object *rows,
			   double seconds)
{
	struct json_object *doc = knp_ctl_object();

	knp_ctl_add_number(doc, "generation", t->c.info.generation);
	knp_ctl_add_text(doc, "mode", knp_ctl_mode(t->c.info.mode));
	knp_ctl_add_number(doc, "milliseconds",
			   (uint64_t)(seconds * 1000 + 0.5));
	knp_ctl_add(doc, "rows", rows);
	knp_ctl_print_line(&t->c, doc);
}

static void print_screen(const struct top *t, struct json_object *rows,
			 double seconds, size_t all)
{
	size_t shown = json_object_array_length(rows);

	if (isatty(STDOUT_FILENO) && t->iterations != 1)
		fputs(CLEAR, stdout);
	printf("generation %ju, mode %s, %zu of %zu in %.1f s\n\n",
	       (uintmax_t)t->c.info.generation, knp_ctl_mode(t->c.info.mode),
	       shown, all, seconds);
	knp_ctl_print_table(&t->c, rows, columns,
			    sizeof(columns) / sizeof(columns[0]));
	if (!isatty(STDOUT_FILENO) && t->iterations != 1)
		putchar('\n');
	json_object_put(rows);
}

static int show(struct top *t, const struct knp_reading *now, double seconds)
{
	struct json_object *rows = knp_ctl_array();
	struct knp_rate *rates;
	size_t i, n, most = room(t);
	int err;

	err = knp_rates_new(&t->before, now, t->order, &rates, &n);
	if (err) {
		json_object_put(rows);
		return knp_ctl_fail("%s", strerror(-err));
	}

	for (i = 0; i < n && i < most; i++)
		knp_ctl_push(rows, row_json(t, &rates[i], seconds));
	free(rates);

	if (knp_ctl_structured(&t->c))
		print_document(t, rows, seconds);
	else
		print_screen(t, rows, seconds, n);
	return fflush(stdout) ? CTL_FAILED : CTL_OK;
}

static int step(struct top *t)
{
	struct knp_reading now = { 0 };
	uint64_t generation = t->c.info.generation;
	int64_t now_ns;
	int status;

	status = read_now(t, &now);
	if (status)
		return status;

	now_ns = knp_now_ns();
	if (!t->begun)
		knp_ctl_names(&t->c);
	else if (t->c.info.generation != generation || !t->c.names)
		knp_ctl_names_now(&t->c);
	if (t->begun)
		status = show(t, &now, (double)(now_ns - t->before_ns) / 1e9);

	clear_reading(&t->before);
	t->before = now;
	t->before_ns = now_ns;
	t->begun = true;
	return status;
}

static int run(struct top *t)
{
	time_t seconds = (time_t)t->interval;
	const struct timespec pause = {
		.tv_sec = seconds,
		.tv_nsec = (long)((t->interval - (double)seconds) * 1e9),
	};
	uint64_t i;
	int status;

	status = knp_ctl_connect(&t->c);
	if (!status)
		status = step(t);
	for (i = 0; !status && (!t->iterations || i < t->iterations); i++) {
		nanosleep(&pause, NULL);
		status = step(t);
	}
	return status;
}

static int parse_count(struct top *t, const char *option, const char *text,
		       uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	if (errno || *text < '0' || *text > '9' || *end || !*ret)
		return knp_ctl_usage(&t->c, "%s takes a number from 1 on, not %s",
				     option, text);
	return CTL_OK;
}

static int parse_interval(struct top *t, const char *text)
{
	char *end;

	t->interval = strtod(text, &end);
	if (end == text || *end || !(t->interval >= 0.1 && t->interval <= 3600))
		return knp_ctl_usage(&t->c, "--interval takes 0.1 to 3600 seconds, not %s",
				     text);
	return CTL_OK;
}

static int parse_order(struct top *t, const char *text)
{
	static const char * const words[] = {
		[KNP_RATE_BY_PACKETS] = "packets",
		[KNP_RATE_BY_BYTES]   = "bytes",
		[KNP_RATE_BY_ID]      = "id",
	};
	int i;

	for (i = KNP_RATE_BY_PACKETS; i <= KNP_RATE_BY_ID; i++) {
		if (strcmp(text, words[i]))
			continue;
		t->order = (enum knp_rate_order)i;
		return CTL_OK;
	}
	return knp_ctl_usage(&t->c, "--sort takes packets, bytes or id, not %s",
			     text);
}

int knp_ctl_top(int argc, char **argv)
{
	enum { OPT_ONCE = CTL_OPT_FIRST };
	static const struct option options[] = {
		CTL_OPTIONS,
		{ "interval",	required_argument, NULL, 'i' },
		{ "iterations", required_argument, NULL, 'n' },
		{ "once",	no_argument,	   NULL, OPT_ONCE },
		{ "sort",	required_argument, NULL, 's' },
		{ "lines",	required_argument, NULL, 'l' },
		{ 0 },
	};
	struct top t = { .interval = INTERVAL_S };
	int opt, status;

	knp_ctl_begin(&t.c, argv[0]);
	while ((opt = getopt_long(argc, argv, "i:n:s:l:o:h", options,
				  NULL)) != -1) {
		switch (opt) {
		case 'i':
			status = parse_interval(&t, optarg);
			break;
		case 'n':
			status = parse_count(&t, "-n", optarg, &t.iterations);
			break;
		case OPT_ONCE:
			t.iterations = 1;
			status = CTL_OK;
			break;
		case 's':
			status = parse_order(&t, optarg);
			break;
		case 'l':
			status = parse_count(&t, "--lines", optarg, &t.lines);
			break;
		default:
			status = knp_ctl_option(&t.c, opt, help);
			if (status < 0)
				status = CTL_OK;
			else
				return status;
		}
		if (status)
			return status;
	}
	if (optind < argc)
		return knp_ctl_usage(&t.c, "unexpected argument %s",
				     argv[optind]);

	status = run(&t);
	clear_reading(&t.before);
	knp_ctl_end(&t.c);
	return status;
}
