// SPDX-License-Identifier: Apache-2.0
#include "npm_options.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "npm_config.h"
#include "options.h"

static void say(void *arg, enum knp_npm_note note, const char *name)
{
	static const char *const notes[] = {
		[KNP_NPM_MEANINGLESS] = "means nothing here",
		[KNP_NPM_UNKNOWN] = "is no setting of Azure NPM",
		[KNP_NPM_BAD] = "has a value that is none; the default counts",
	};

	fprintf(stderr, "knpd: %s: %s %s\n", (const char *)arg, name,
		notes[note]);
}

static bool is_loopback(const char *address)
{
	return !*address || !strncmp(address, "127.", 4) ||
	       !strcmp(address, "localhost") || !strcmp(address, "::1");
}

static void take_metrics(const char *path, const struct knp_npm_config *c,
			 struct knp_options *o)
{
	if (!c->metrics || !c->port)
		return;
	if (!is_loopback(c->address))
		fprintf(stderr, "knpd: %s: metrics are served on the loopback, not at %s: for that see --metrics, with TLS\n",
			path, c->address);
	snprintf(o->npm_listen, sizeof(o->npm_listen), "%s,127.0.0.1:%d",
		 KNP_METRICS_LISTEN, c->port);
	o->exporter.http.listen = o->npm_listen;
}

/* The whole file as a text, or NULL and errno. */
static char *read_text(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!file)
		return NULL;
	errno = 0;
	if (getdelim(&text, &size, '\0', file) < 0) {
		free(text);
		text = errno ? NULL : strdup("");
	}
	fclose(file);
	return text;
}

int knp_npm_options_load(const char *path, struct knp_options *o)
{
	struct knp_npm_config c = { .level = o->level, .metrics = true };
	char *text = read_text(path);
	int err;

	if (!text && errno == ENOMEM)
		return -ENOMEM;
	if (!text) {
		fprintf(stderr, "knpd: %s: %s; defaults count\n", path,
			strerror(errno));
		return 0;
	}
	err = knp_npm_config_parse(text, &c, say, (void *)(uintptr_t)path);
	free(text);
	if (err) {
		fprintf(stderr, "knpd: %s: it is no JSON object; defaults count\n",
			path);
		return 0;
	}
	o->level = c.level;
	take_metrics(path, &c, o);
	return 0;
}
