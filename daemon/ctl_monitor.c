// SPDX-License-Identifier: Apache-2.0
/*
 * knpctl monitor: drops and commits as they happen, one line each.
 *
 * Events carry ids. Their names come from the tables of the event's own
 * generation: they are read again whenever an event is of another one, and
 * bare ids are shown where that generation is gone already.
 */
#include "ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "event_filter.h"
#include "families.h"

static const char help[] =
	"usage: knpctl monitor [OPTION]...\n"
	"Print dropped packets (in mode audit: those that would be) and commits as they\n"
	"happen, until interrupted. With -o json one object per line.\n"
	"\n"
	"  -n, --count N            end after N lines\n"
	"      --events             drops only\n"
	"      --commits            commits and changes of the configuration only\n"
	"\n"
	"Of the drops only those for which all of these hold; commits are left out then\n"
	"unless --commits asks for them:\n"
	"      --namespace NS       source or destination is a pod of NS\n"
	"      --pod NS/POD         source or destination is this pod\n"
	"      --policy NS/POLICY   a side that denies is isolated by this policy\n"
	"      --direction WHICH    egress or ingress: that side denies\n"
	"      --reason REASON,...  as in `knpctl stats`: ingress, spoof, fragment, ...\n"
	"      --port PORT[/PROTO]  to this port; or to any port of a protocol: ICMP\n"
	"      --drops              what was dropped, not what would be in mode audit\n"
	"      --audit              what would be dropped in mode audit\n"
	"\n"
	"The module tells no more than event-rate drops a second and CPU: a filter sees\n"
	"what is left.\n";

struct monitor {
	struct knp_ctl c;
	struct knp_watch *watch;
	struct knp_event_filter filter;
	bool events;
	bool commits;
	bool warned;		/* that names are missing */
	uint64_t count;		/* 0: no end */
	uint64_t seen;
	uint64_t lost;		/* as last reported by the module */
	bool has_lost;
	bool gone;		/* the module was unloaded */
	bool back;		/* the module was loaded again */
};

static bool full(const struct monitor *m)
{
	return m->count && m->seen >= m->count;
}

/* Make @m->c hold the tables and names of a generation, if they can be had. */
static void catch_up(struct monitor *m, uint64_t generation)
{
	struct knp_ctl *c = &m->c;
	struct knp_ruleset *rs;

	if (c->rs && c->info.generation == generation && c->names)
		return;
	if (!c->rs || c->info.generation != generation) {
		if (!c->g || knp_genl_snapshot(c->g, 0, &rs, &c->info))
			return;
		knp_ruleset_free(c->rs);
		c->rs = rs;
	}

	knp_ctl_names_now(c);
}

/* Time of day in UTC, with microseconds, as other logs have it. */
static const char *time_text(uint64_t ns, char buf[40])
{
	time_t seconds = (time_t)(ns / 1000000000);
	struct tm tm;
	size_t len;

	if (!gmtime_r(&seconds, &tm))
		return strcpy(buf, "?");

	len = strftime(buf, 40, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + len, 40 - len, ".%06uZ",
		 (unsigned int)(ns % 1000000000 / 1000));
	return buf;
}

static const char *set_name(struct monitor *m, const struct knp_event *e,
			    const struct knp_side_info *s)
{
	if (!m->c.rs || m->c.info.generation != e->generation)
		return NULL;
	return knp_ctl_name(&m->c, KNP_TABLE_SET, s->set);
}

static const char *rule_name(struct monitor *m, const struct knp_event *e,
			     const struct knp_side_info *s)
{
	if (!m->c.rs || m->c.info.generation != e->generation)
		return NULL;
	return knp_ctl_name(&m->c, KNP_TABLE_RULE, s->rule);
}

static struct json_object *side_json(struct monitor *m,
				     const struct knp_event *e,
				     const struct knp_side_info *s)
{
	struct json_object *obj;

	if (!s->judged)
		return NULL;

	obj = knp_ctl_object();
	knp_ctl_add_bool(obj, "allowed", s->verdict == KNP_PASS);
	knp_ctl_add_number(obj, "set", s->set);
	knp_ctl_add(obj, "policies", knp_ctl_list(set_name(m, e, s)));
	if (s->verdict == KNP_PASS) {
		knp_ctl_add_number(obj, "rule_id", s->rule);
		knp_ctl_add_text(obj, "rule", rule_name(m, e, s));
	}
	knp_ctl_add_number(obj, "class", s->class_id);
	knp_ctl_add_number(obj, "portset", s->portset);
	return obj;
}

static void add_iface(struct json_object *obj, const char *key, uint32_t index)
{
	char name[IF_NAMESIZE];

	knp_ctl_add_text(obj, key, index ? if_indextoname(index, name) : NULL);
}

static void flow_json(struct monitor *m, struct json_object *obj,
		      const struct knp_tuple *t)
{
	char text[46], proto[8];

	knp_ctl_add_text(obj, "src", knp_ctl_address(t->src, t->family, text));
	knp_ctl_add_text(obj, "src_pod",
			 knp_names_address(m->c.names, t->family, t->src));
	knp_ctl_add_text(obj, "dst", knp_ctl_address(t->dst, t->family, text));
	knp_ctl_add_text(obj, "dst_pod",
			 knp_names_address(m->c.names, t->family, t->dst));
	knp_ctl_add_text(obj, "protocol", knp_ctl_proto(t->proto, proto));
	if (t->has_port)
		knp_ctl_add_number(obj, "port", t->port);
	else
		knp_ctl_add_text(obj, "port", NULL);
}

static void event_json(struct monitor *m, const struct knp_event *e)
{
	struct json_object *obj = knp_ctl_object();
	const struct knp_tuple *t = &e->tuple;
	char stamp[40];

	knp_ctl_add_text(obj, "type", "drop");
	knp_ctl_add_text(obj, "time", time_text(e->time, stamp));
	knp_ctl_add_number(obj, "generation", e->generation);
	knp_ctl_add_text(obj, "mode", knp_ctl_mode(e->mode));
	knp_ctl_add_text(obj, "reason", knp_ctl_reason(e->reason));
	if (t->family)
		flow_json(m, obj, t);
	add_iface(obj, "iif", e->iif);
	add_iface(obj, "oif", e->oif);
	knp_ctl_add(obj, "egress", side_json(m, e, &e->egress));
	knp_ctl_add(obj, "ingress", side_json(m, e, &e->ingress));
	knp_ctl_add_number(obj, "lost", e->lost);
	knp_ctl_print_line(&m->c, obj);
}

static void print_end(struct monitor *m, const uint8_t *addr, uint8_t family)
{
	const char *name = knp_names_address(m->c.names, family, addr);
	char text[46];

	knp_ctl_address(addr, family, text);
	if (name)
		printf("%s (%s)", name, text);
	else
		printf("%s", text);
}

static void print_side(struct monitor *m, const struct knp_event *e,
		       const char *direction, const struct knp_side_info *s)
{
	const char *name;

	if (!s->judged || s->verdict == KNP_PASS)
		return;

	name = set_name(m, e, s);
	if (name)
		printf(" %s isolated by %s", direction, name);
	else
		printf(" %s isolated by set %u", direction, s->set);
}

/* What has no addresses is told by its ports. */
static void print_frame(const struct knp_event *e)
{
	char in[IF_NAMESIZE], out[IF_NAMESIZE];

	printf("a frame from %s", if_indextoname(e->iif, in) ? in : "?");
	if (e->oif)
		printf(" to %s", if_indextoname(e->oif, out) ? out : "?");
	putchar('\n');
}

static void event_text(struct monitor *m, const struct knp_event *e)
{
	const struct knp_tuple *t = &e->tuple;
	char stamp[40], proto[8];

	printf("%s %s%s%s %s: ", time_text(e->time, stamp), knp_ctl_red(),
	       e->mode == KNP_MODE_AUDIT ? "would drop" : "drop",
	       knp_ctl_plain(), knp_ctl_reason(e->reason));
	if (!t->family) {
		print_frame(e);
		return;
	}
	print_end(m, t->src, t->family);
	fputs(" -> ", stdout);
	print_end(m, t->dst, t->family);
	if (t->has_port)
		printf(" %u/%s", t->port, knp_ctl_proto(t->proto, proto));
	else
		printf(" %s", knp_ctl_proto(t->proto, proto));
	print_side(m, e, "egress", &e->egress);
	print_side(m, e, "ingress", &e->ingress);
	putchar('\n');
}

static void lost_line(struct monitor *m, const char *where, uint64_t n)
{
	struct json_object *obj;

	if (!knp_ctl_structured(&m->c)) {
		printf("%" PRIu64 " events were lost in %s\n", n, where);
		return;
	}

	obj = knp_ctl_object();
	knp_ctl_add_text(obj, "type", "lost");
	knp_ctl_add_text(obj, "where", where);
	knp_ctl_add_number(obj, "count", n);
	knp_ctl_print_line(&m->c, obj);
}

/* Whether it is wanted. Names that are missing may hide some that are. */
static bool is_wanted(struct monitor *m, const struct knp_event *e)
{
	const struct knp_tuple *t = &e->tuple;
	struct knp_event_names names = { 0 };

	if (t->family) {
		names.src = knp_names_address(m->c.names, t->family, t->src);
		names.dst = knp_names_address(m->c.names, t->family, t->dst);
	}
	if (e->egress.judged)
		names.egress = set_name(m, e, &e->egress);
	if (e->ingress.judged)
		names.ingress = set_name(m, e, &e->ingress);

	if (!m->c.names && knp_event_filter_names(&m->filter) && !m->warned) {
		m->warned = true;
		fprintf(stderr,
			"knpctl: no names of generation %" PRIu64 ": what has no name is not shown\n",
			e->generation);
	}
	return knp_event_filter_match(&m->filter, e, &names);
}

static void on_event(void *arg, const struct knp_event *e)
{
	struct monitor *m = arg;

	if (!m->events || full(m))
		return;

	catch_up(m, e->generation);
	if (m->has_lost && e->lost > m->lost && !knp_ctl_structured(&m->c))
		lost_line(m, "the kernel (rate limit)", e->lost - m->lost);
	m->has_lost = true;
	m->lost = e->lost;
	if (!is_wanted(m, e))
		return;

	if (knp_ctl_structured(&m->c))
		event_json(m, e);
	else
		event_text(m, e);
	m->seen++;
}

static void on_info(void *arg, const struct knp_info *info)
{
	char text[KNP_FAMILIES_TEXT];
	const struct knp_family *f;
	struct monitor *m = arg;
	struct json_object *obj;
	char stamp[40];
	struct timespec ts;

	if (!m->commits || full(m))
		return;

	clock_gettime(CLOCK_REALTIME, &ts);
	time_text((uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec,
		  stamp);
	if (knp_ctl_structured(&m->c)) {
		obj = knp_ctl_object();
		knp_ctl_add_text(obj, "type", "commit");
		knp_ctl_add_text(obj, "time", stamp);
		knp_ctl_add_number(obj, "generation", info->generation);
		knp_ctl_add_text(obj, "mode", knp_ctl_mode(info->mode));
		for (f = knp_families; f->name; f++)
			knp_ctl_add_bool(obj, f->name, info->families & f->bit);
		knp_ctl_print_line(&m->c, obj);
	} else {
		printf("%s generation %" PRIu64 ", mode %s, attached%s\n",
		       stamp, info->generation, knp_ctl_mode(info->mode),
		       info->families ?
		       knp_families_text(info->families, text) : " to nothing");
	}
	m->seen++;
}

static void on_family(void *arg, bool present)
{
	struct monitor *m = arg;

	if (present)
		m->back = true;
	else
		m->gone = true;
}

static void on_lost(void *arg)
{
	fputs("knpctl: notifications were lost: this terminal is too slow\n",
	      stderr);
	(void)arg;
}

static const struct knp_watch_ops ops = {
	.family	= on_family,
	.info	= on_info,
	.event	= on_event,
	.lost	= on_lost,
};

static int join(struct monitor *m)
{
	int err = 0;

	if (m->events)
		err = knp_watch_join(m->watch, KNP_MCGRP_EVENTS);
	if (!err && m->commits)
		err = knp_watch_join(m->watch, KNP_MCGRP_COMMITS);
	if (err)
		return knp_ctl_fail("cannot listen: %s", knp_genl_advice(err));
	return CTL_OK;
}

/* The module went or came back; names and tables start anew. */
static int reload(struct monitor *m)
{
	if (m->gone) {
		fputs("knpctl: knp.ko was unloaded\n", stderr);
		knp_ctl_end(&m->c);
		m->has_lost = false;
		m->gone = false;
	}
	if (!m->back)
		return CTL_OK;

	m->back = false;
	fputs("knpctl: knp.ko was loaded\n", stderr);
	knp_genl_close(m->c.g);
	m->c.g = NULL;
	return knp_ctl_connect(&m->c) || join(m) ? CTL_FAILED : CTL_OK;
}

static int run(struct monitor *m)
{
	struct pollfd fd = { .events = POLLIN };
	int status, err;

	status = knp_ctl_view(&m->c);
	if (status)
		return status;

	err = knp_watch_open(&ops, m, &m->watch);
	if (err)
		return knp_ctl_fail("cannot open a netlink socket: %s",
				    strerror(-err));

	status = join(m);
	if (status)
		return status;

	fd.fd = knp_watch_fd(m->watch);
	while (!status && !full(m)) {
		if (poll(&fd, 1, -1) < 0 && errno != EINTR)
			return knp_ctl_fail("poll: %s", strerror(errno));

		err = knp_watch_read(m->watch);
		if (err)
			return knp_ctl_fail("notifications: %s",
					    strerror(-err));
		if (fflush(stdout))
			return CTL_FAILED;	/* the reader has gone */
		status = reload(m);
	}

	return status;
}

enum {
	OPT_EVENTS = CTL_OPT_FIRST,
	OPT_COMMITS,
	OPT_NAMESPACE,
	OPT_POD,
	OPT_POLICY,
	OPT_DIRECTION,
	OPT_REASON,
	OPT_PORT,
	OPT_DROPS,
	OPT_AUDIT,
};

/* Only reasons of drops: what passes is not told. */
static int parse_reasons(struct monitor *m, char *list)
{
	uint32_t reason;
	char *word;

	while ((word = strsep(&list, ","))) {
		for (reason = KNP_REASON_PASS_LAST + 1;
		     reason <= KNP_REASON_MAX; reason++)
			if (!strcmp(word, knp_ctl_reason(reason)))
				break;
		if (reason > KNP_REASON_MAX)
			return knp_ctl_usage(&m->c, "unknown reason %s of a drop",
					     word);
		m->filter.reasons |= 1U << reason;
	}
	return CTL_OK;
}

static int parse_direction(struct monitor *m, const char *text)
{
	if (!strcmp(text, "egress"))
		m->filter.direction = KNP_EGRESS;
	else if (!strcmp(text, "ingress"))
		m->filter.direction = KNP_INGRESS;
	else
		return knp_ctl_usage(&m->c, "--direction takes egress or ingress, not %s",
				     text);
	return CTL_OK;
}

/* A number alone is a port of any protocol, a word a protocol with any port. */
static int parse_port(struct monitor *m, const char *text)
{
	bool number = *text >= '0' && *text <= '9';
	struct knp_tuple t = { 0 };
	int err;

	err = number ? knp_ctl_parse_port(text, &t) :
		       knp_ctl_parse_proto(text, &t.proto);
	if (err)
		return knp_ctl_usage(&m->c, "bad port %s: 80, 80/TCP, ICMP",
				     text);

	m->filter.proto = !number || strchr(text, '/') ? t.proto : 0;
	m->filter.has_port = number;
	m->filter.port = t.port;
	return CTL_OK;
}

/* "ns/name" */
static int parse_name(struct monitor *m, const char *option, const char *text,
		      const char **ret)
{
	const char *slash = strchr(text, '/');

	if (!slash || slash == text || !slash[1] || strchr(slash + 1, '/'))
		return knp_ctl_usage(&m->c, "%s takes NAMESPACE/NAME, not %s",
				     option, text);
	*ret = text;
	return CTL_OK;
}

static int parse_count(struct monitor *m, const char *text)
{
	char *end;

	m->count = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || !m->count)
		return knp_ctl_usage(&m->c, "bad count %s", text);
	return CTL_OK;
}

static int parse_option(struct monitor *m, int opt)
{
	switch (opt) {
	case 'n':
		return parse_count(m, optarg);
	case OPT_EVENTS:
		m->events = true;
		return CTL_OK;
	case OPT_COMMITS:
		m->commits = true;
		return CTL_OK;
	case OPT_NAMESPACE:
		m->filter.ns = optarg;
		return CTL_OK;
	case OPT_POD:
		return parse_name(m, "--pod", optarg, &m->filter.pod);
	case OPT_POLICY:
		return parse_name(m, "--policy", optarg, &m->filter.policy);
	case OPT_DIRECTION:
		return parse_direction(m, optarg);
	case OPT_REASON:
		return parse_reasons(m, optarg);
	case OPT_PORT:
		return parse_port(m, optarg);
	case OPT_DROPS:
		m->filter.modes |= 1U << KNP_MODE_ENFORCE;
		return CTL_OK;
	case OPT_AUDIT:
		m->filter.modes |= 1U << KNP_MODE_AUDIT;
		return CTL_OK;
	}
	return -1;
}

static bool is_filtering(const struct monitor *m)
{
	const struct knp_event_filter *f = &m->filter;

	return knp_event_filter_names(f) || f->direction || f->reasons ||
	       f->modes || f->proto || f->has_port;
}

int knp_ctl_monitor(int argc, char **argv)
{
	static const struct option options[] = {
		CTL_OPTIONS,
		{ "count",     required_argument, NULL, 'n' },
		{ "events",    no_argument,	  NULL, OPT_EVENTS },
		{ "commits",   no_argument,	  NULL, OPT_COMMITS },
		{ "namespace", required_argument, NULL, OPT_NAMESPACE },
		{ "pod",       required_argument, NULL, OPT_POD },
		{ "policy",    required_argument, NULL, OPT_POLICY },
		{ "direction", required_argument, NULL, OPT_DIRECTION },
		{ "reason",    required_argument, NULL, OPT_REASON },
		{ "port",      required_argument, NULL, OPT_PORT },
		{ "drops",     no_argument,	  NULL, OPT_DROPS },
		{ "audit",     no_argument,	  NULL, OPT_AUDIT },
		{ 0 },
	};
	struct monitor m = { 0 };
	int opt, status;

	knp_ctl_begin(&m.c, argv[0]);
	while ((opt = getopt_long(argc, argv, "n:o:h", options, NULL)) != -1) {
		status = parse_option(&m, opt);
		if (status < 0)
			status = knp_ctl_option(&m.c, opt, help);
		else if (!status)
			continue;
		if (status >= 0)
			return status;
	}
	if (optind < argc)
		return knp_ctl_usage(&m.c, "unexpected argument %s",
				     argv[optind]);

	/* A filter is about drops; nothing named is about both. */
	if (is_filtering(&m))
		m.events = true;
	if (!m.events && !m.commits) {
		m.events = true;
		m.commits = true;
	}

	status = run(&m);
	knp_watch_close(m.watch);
	knp_ctl_end(&m.c);
	return status;
}
