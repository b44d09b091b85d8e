// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reflect_world.h"

struct world world;

void world_names_add(struct names *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->v[i], name))
			return;
	assert_true(s->n < WORLD_MAX);
	snprintf(s->v[s->n++], sizeof(s->v[0]), "%s", name);
}

static void names_del(struct names *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->v[i], name))
			continue;
		s->n--;
		memmove(s->v[i], s->v[i + 1], (s->n - i) * sizeof(s->v[0]));
		return;
	}
}

static int fails(void)
{
	int err = world.fail;

	world.fail = 0;
	return err;
}

static int begin(void *arg)
{
	(void)arg;
	assert_false(world.open);
	if (world.fail)
		return fails();
	world.open = true;
	world.staged.n = 0;
	return 0;
}

static int put(void *arg, struct knp_object *object)
{
	(void)arg;
	assert_true(world.open);
	world_names_add(&world.staged, object->name);
	knp_object_clear(object);
	return fails();
}

static int del(void *arg, const struct knp_object *object)
{
	(void)arg;
	assert_true(world.open);
	names_del(&world.staged, object->name);
	return 0;
}

static int commit(void *arg)
{
	(void)arg;
	assert_true(world.open);
	if (world.fail)
		return fails();
	world.store = world.staged;
	world.open = false;
	world.commits++;
	return 0;
}

static void drop(void *arg)
{
	(void)arg;
	assert_true(world.open);
	world.open = false;
	world.aborts++;
}

static int apply(void *arg, struct knp_kube_event *e)
{
	int err = fails();

	(void)arg;
	assert_false(world.open);
	if (!err && e->type == KNP_EVENT_DELETED)
		names_del(&world.store, e->object.name);
	else if (!err)
		world_names_add(&world.store, e->object.name);
	knp_object_clear(&e->object);
	return err;
}

static uint32_t dice(void *arg)
{
	(void)arg;
	return world.random;
}

const struct knp_reflect_ops world_ops = {
	begin, put, del, commit, drop, apply, dice,
};

int world_setup(void **state)
{
	(void)state;
	free(world.target);
	memset(&world, 0, sizeof(world));
	world.now = 1000;
	knp_reflect_init(&world.r, KNP_KIND_POD, &world_ops, NULL, world.now, 0);
	return 0;
}

int world_teardown(void **state)
{
	(void)state;
	knp_reflect_clear(&world.r);
	free(world.target);
	world.target = NULL;
	return 0;
}

/* Wait until something is due, and ask. Return how long the wait was. */
int64_t world_ask(void)
{
	int64_t waited = knp_reflect_due(&world.r) - world.now;

	assert_false(world.r.running);
	if (waited < 0)
		waited = 0;
	world.now += waited;
	free(world.target);
	world.target = NULL;
	assert_int_equal(knp_reflect_request(&world.r, world.now, &world.target), 0);
	return waited;
}

bool world_asked(const char *what)
{
	return strstr(world.target, what);
}

bool world_event(enum knp_event_type type, const char *name,
		 const char *version)
{
	struct knp_kube_event e = { .type = type };

	snprintf(e.version, sizeof(e.version), "%s", version);
	e.object.kind = KNP_KIND_POD;
	e.object.ns = strdup("x");
	e.object.name = strdup(name);
	return knp_reflect_event(&world.r, world.now, &e);
}

bool world_added(const char *name, const char *version)
{
	return world_event(KNP_EVENT_ADDED, name, version);
}

bool world_bookmark(const char *version, bool initial_end)
{
	struct knp_kube_event e = {
		.type = KNP_EVENT_BOOKMARK,
		.initial_end = initial_end,
	};

	snprintf(e.version, sizeof(e.version), "%s", version);
	return knp_reflect_event(&world.r, world.now, &e);
}

bool world_error(int code, const char *reason)
{
	struct knp_kube_event e = { .type = KNP_EVENT_ERROR };

	e.status.code = code;
	snprintf(e.status.reason, sizeof(e.status.reason), "%s", reason);
	return knp_reflect_event(&world.r, world.now, &e);
}

void world_end(enum knp_end how)
{
	struct knp_ending ending = { .how = how };

	knp_reflect_end(&world.r, world.now, &ending);
}

void world_refuse(int code, int retry_after)
{
	struct knp_ending ending = {
		.how = KNP_END_STATUS,
		.status.code = code,
		.retry_after = retry_after,
	};

	knp_reflect_end(&world.r, world.now, &ending);
}

void world_too_large(void)
{
	struct knp_ending ending = {
		.how = KNP_END_STATUS,
		.status = { .code = 504, .too_large = true },
	};

	knp_reflect_end(&world.r, world.now, &ending);
}

void world_answered(void)
{
	knp_reflect_answered(&world.r, world.now);
}

void world_page(const char *names, const char *version, const char *next)
{
	struct knp_page p = { .next = next ? strdup(next) : NULL };

	snprintf(p.version, sizeof(p.version), "%s", version);
	for (; *names; names++) {
		struct knp_object o = { .kind = KNP_KIND_POD };
		char name[2] = { *names };

		o.ns = strdup("x");
		o.name = strdup(name);
		assert_int_equal(knp_reflect_item(&world.r, &o), 0);
	}
	knp_reflect_page(&world.r, world.now, &p);
}

/* The store holds these, one letter each. */
void world_assert_store(const char *names)
{
	char text[WORLD_MAX + 1] = "";

	for (size_t i = 0; i < world.store.n; i++)
		strcat(text, world.store.v[i]);
	assert_string_equal(text, names);
}

void world_sync_by_watchlist(const char *version)
{
	world_ask();
	world_answered();
	assert_false(world_added("a", version));
	assert_false(world_bookmark(version, true));
	assert_true(world.r.synced);
}

void world_sync_by_list(const char *version)
{
	world_ask();
	world_refuse(422, 0);
	world_ask();
	world_page("a", version, NULL);
	world_ask();
	world_answered();
	assert_true(world.r.synced);
}
