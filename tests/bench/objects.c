// SPDX-License-Identifier: Apache-2.0
#include "objects.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int objects_init(struct objects *o, const char *kind, const char *api,
		 uint32_t n, size_t room)
{
	*o = (struct objects){ .kind = kind, .api = api };
	o->v = calloc(n + 1, sizeof(*o->v));
	o->history = calloc(OBJECTS_HISTORY, sizeof(*o->history));
	o->arena = malloc(room + 1);
	o->arena_room = room;
	if (o->v && o->history && o->arena)
		return 0;

	objects_clear(o);
	return -ENOMEM;
}

void objects_clear(struct objects *o)
{
	for (uint32_t i = 0; o->v && i < o->n; i++)
		if (o->v[i].own)
			free((char *)o->v[i].v);
	for (uint32_t i = 0; o->history && i < OBJECTS_HISTORY; i++)
		free(o->history[i].line);
	free(o->v);
	free(o->history);
	free(o->arena);
	*o = (struct objects){ 0 };
}

char *objects_place(struct objects *o, size_t *left)
{
	*left = o->arena_room - o->arena_len;
	return o->arena + o->arena_len;
}

void objects_placed(struct objects *o, size_t len)
{
	o->v[o->n++] = (struct objects_text){
		.v = o->arena + o->arena_len,
		.len = (uint32_t)len,
	};
	o->live++;
	o->arena_len += len;
	o->arena[o->arena_len++] = ',';
}

void objects_unset(struct objects *o, uint32_t i, uint64_t version)
{
	if (o->v[i].own)
		free((char *)o->v[i].v);
	o->live -= o->v[i].v != NULL;
	o->v[i] = (struct objects_text){ 0 };
	o->changed = version;
}

int objects_set(struct objects *o, uint32_t i, const char *text, size_t len,
		uint64_t version)
{
	char *copy = malloc(len);

	if (!copy)
		return -ENOMEM;

	memcpy(copy, text, len);
	objects_unset(o, i, version);
	o->v[i] = (struct objects_text){
		.v = copy,
		.len = (uint32_t)len,
		.own = true,
	};
	o->live++;
	return 0;
}

const struct objects_change *objects_record(struct objects *o,
					    const char *type, const char *text,
					    size_t len, uint64_t version)
{
	struct objects_change *c = &o->history[o->nhistory % OBJECTS_HISTORY];
	char *line;
	int n;

	n = asprintf(&line, "{\"type\":\"%s\",\"object\":{\"kind\":\"%s\",\"apiVersion\":\"%s\",%.*s}\n",
		     type, o->kind, o->api, (int)len - 1, text + 1);
	if (n < 0)
		return NULL;

	if (c->line && c->version > o->floor)
		o->floor = c->version;
	free(c->line);
	*c = (struct objects_change){
		.version = version,
		.line = line,
		.len = (size_t)n,
	};
	o->nhistory++;
	return c;
}

uint64_t objects_after(const struct objects *o, uint64_t version)
{
	uint64_t i = o->nhistory;

	while (i && o->nhistory - i < OBJECTS_HISTORY &&
	       o->history[(i - 1) % OBJECTS_HISTORY].version > version)
		i--;
	return i;
}

int objects_page(const struct objects *o, uint32_t *at, uint32_t limit,
		 struct evbuffer *out, uint32_t *sent)
{
	uint32_t i = *at;
	uint32_t n = 0;

	while (i < o->n && n < limit) {
		const struct objects_text *t = &o->v[i++];
		const char *end = t->v ? t->v + t->len : NULL;
		int err;

		if (!end)
			continue;
		if (n++ && evbuffer_add(out, ",", 1))
			return -ENOMEM;
		if (t->own) {
			if (evbuffer_add(out, t->v, t->len))
				return -ENOMEM;
			continue;
		}
		while (i < o->n && n < limit && o->v[i].v == end + 1) {
			end = o->v[i].v + o->v[i].len;
			i++;
			n++;
		}
		err = evbuffer_add_reference(out, t->v, (size_t)(end - t->v),
					     NULL, NULL);
		if (err)
			return -ENOMEM;
	}

	*at = i;
	*sent = n;
	return 0;
}

int objects_added(const struct objects *o, uint32_t *at, uint32_t limit,
		  struct evbuffer *out)
{
	uint32_t i = *at;
	char prefix[128];
	int len;

	len = snprintf(prefix, sizeof(prefix),
		       "{\"type\":\"ADDED\",\"object\":{\"kind\":\"%s\",\"apiVersion\":\"%s\",",
		       o->kind, o->api);
	for (uint32_t n = 0; i < o->n && n < limit; i++) {
		const struct objects_text *t = &o->v[i];

		if (!t->v)
			continue;
		if (evbuffer_add(out, prefix, (size_t)len) ||
		    evbuffer_add(out, t->v + 1, t->len - 1) ||
		    evbuffer_add(out, "}\n", 2))
			return -ENOMEM;
		n++;
	}

	*at = i;
	return 0;
}
