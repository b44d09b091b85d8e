// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "families.h"
#include "health.h"

static const char * const names[KNP_CONDITIONS] = {
	[KNP_NOT_SYNCED]	= "not-synced",
	[KNP_NO_MODULE]		= "no-module",
	[KNP_COMMIT_REFUSED]	= "commit-refused",
	[KNP_NO_TABLE]		= "no-table",
	[KNP_DETACHED]		= "detached",
	[KNP_UNCOVERED]		= "uncovered",
	[KNP_STALE]		= "stale",
	[KNP_SOURCE_WAITING]	= "source-waiting",
	[KNP_SET_ASIDE]		= "set-aside",
	[KNP_LIMITS]		= "limits",
};

/** struct check - one pass over the conditions */
struct check {
	const struct knp_vitals *s;
	const struct knp_daemon_status *status;
	const struct knp_health_options *o;
	int64_t now_ms;
	knp_health_fn fn;
	void *arg;
	bool ready;
};

const char *knp_condition_name(enum knp_condition what)
{
	return names[what];
}

int knp_condition_parse(const char *name)
{
	for (int i = 0; i < KNP_CONDITIONS; i++)
		if (!strcmp(names[i], name))
			return i;
	return -EINVAL;
}

__attribute__((format(printf, 3, 4)))
static void say(struct check *c, enum knp_condition what, const char *format,
		...)
{
	bool fatal = c->o->fatal & 1U << what;
	char text[768];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (fatal)
		c->ready = false;
	c->fn(c->arg, what, fatal, text);
}

static void check_source(struct check *c)
{
	struct knp_input *input = c->status->input;
	int64_t age = knp_health_age(c->s, c->now_ms);
	const char *waiting;
	int64_t since = 0;

	waiting = input ? knp_input_waiting(input, &since) : NULL;
	if (!c->s->scanned)
		say(c, KNP_NOT_SYNCED, "%s", waiting ? waiting :
		    "the first lists are not complete");
	else if (waiting)
		say(c, KNP_SOURCE_WAITING, "%s for %" PRId64 " s; what is enforced stays",
		    waiting, since ? (c->now_ms - since) / 1000 : 0);
	if (c->s->scanned && age > c->o->stale_ms)
		say(c, KNP_STALE, "objects were last known to be current %" PRId64 " s ago",
		    age / 1000);
}

static void check_kernel(struct check *c)
{
	const struct knp_daemon_status *status = c->status;
	uint32_t missing = c->s->families_wanted & ~c->s->families;
	char text[KNP_FAMILIES_TEXT];

	if (!strcmp(status->state, "waiting"))
		say(c, KNP_NO_MODULE, "%s", status->error);
	else if (!strcmp(status->state, "failed"))
		say(c, KNP_COMMIT_REFUSED, "%s", status->error);
	else if (!status->last.generation)
		say(c, KNP_NO_TABLE, "nothing was committed to the kernel yet");
	else if (c->s->kernel && missing)
		say(c, KNP_DETACHED, "not attached to%s: policy is not enforced there",
		    knp_families_text(missing, text));
}

static void check_warnings(struct check *c)
{
	const struct knp_daemon_status *status = c->status;
	size_t n, aside = 0;
	const char *const *lines;

	n = knp_uncovered_lines(status->uncovered, &lines);
	for (size_t i = 0; i < n; i++)
		say(c, KNP_UNCOVERED, "%s", lines[i]);
	if (status->input)
		aside = knp_faults_objects(knp_input_faults(status->input));
	if (aside)
		say(c, KNP_SET_ASIDE, "%zu objects could not be read in full, see knpctl status",
		    aside);
	for (size_t i = 0; i < status->troubles->n; i++)
		say(c, KNP_LIMITS, "%s", status->troubles->v[i].text);
}

int64_t knp_health_age(const struct knp_vitals *s, int64_t now_ms)
{
	struct knp_input *input = s->status->input;
	int64_t current = input ? knp_input_current(input) : 0;

	return current ? now_ms - current : 0;
}

bool knp_health_check(const struct knp_vitals *s,
		      const struct knp_health_options *o, int64_t now_ms,
		      knp_health_fn fn, void *arg)
{
	struct check c = {
		.s = s,
		.status = s->status,
		.o = o,
		.now_ms = now_ms,
		.fn = fn,
		.arg = arg,
		.ready = true,
	};

	check_source(&c);
	check_kernel(&c);
	check_warnings(&c);
	return c.ready;
}
