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

#include "families.h"

static const char help[] =
	"usage: knpctl monitor [-o table|json|yaml] [--count N] [--events] [--commits]\n"
	"Print dropped packets (in mode audit: those that would be) and commits as they\n"
	"happen, until interrupted. With -o json one object per line.\n"
	"  --count N   end after N lines\n"
	"  --events    drops only\n"
	"  --commits   commits and changes of the configuration only\n";

struct monitor {
	struct knp_ctl c;
	struct knp_watch *watch;
	bool events;
	bool commits;
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

	printf("%s %s %s: ", time_text(e->time, stamp),
	       e->mode == KNP_MODE_AUDIT ? "would drop" : "drop",
	       knp_ctl_reason(e->reason));
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

int knp_ctl_monitor(int argc, char **argv)
{
	enum { OPT_COUNT = CTL_OPT_FIRST, OPT_EVENTS, OPT_COMMITS };
	static const struct option options[] = {
		CTL_OPTIONS,
		{ "count",   required_argument, NULL, OPT_COUNT },
		{ "events",  no_argument,	NULL, OPT_EVENTS },
		{ "commits", no_argument,	NULL, OPT_COMMITS },
		{ 0 },
	};
	struct monitor m = { 0 };
	int opt, status;
	char *end;

	knp_ctl_begin(&m.c, argv[0]);
	while ((opt = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		switch (opt) {
		case OPT_COUNT:
			m.count = strtoull(optarg, &end, 10);
			if (*optarg < '0' || *optarg > '9' || *end || !m.count)
				return knp_ctl_usage(&m.c, "bad count %s",
						     optarg);
			break;
		case OPT_EVENTS:
			m.events = true;
			break;
		case OPT_COMMITS:
			m.commits = true;
			break;
		default:
			status = knp_ctl_option(&m.c, opt, help);
			if (status >= 0)
				return status;
		}
	}
	if (optind < argc)
		return knp_ctl_usage(&m.c, "unexpected argument %s",
				     argv[optind]);

	/* Neither named: both. */
	if (!m.events && !m.commits) {
		m.events = true;
		m.commits = true;
	}

	status = run(&m);
	knp_watch_close(m.watch);
	knp_ctl_end(&m.c);
	return status;
}
