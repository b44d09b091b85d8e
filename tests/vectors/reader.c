// SPDX-License-Identifier: Apache-2.0
#include "reader.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void vectors_die(const char *what, const char *why)
{
	printf("Bail out! %s: %s\n", what, why);
	exit(1);
}

static void parse_address(const char *text, uint8_t family, uint8_t *addr)
{
	memset(addr, 0, KNP_ADDR_LEN);
	if (inet_pton(family, text, addr) != 1)
		vectors_die("bad address", text);
}

static void parse_ask(char *line, struct vector_ask *ask)
{
	struct vector_pair *pair;
	char *from, *to, *rest;
	char verdict[8];
	int used;

	if (sscanf(line, "ask %7s %hhu %hu %15s %255s %n", verdict, &ask->proto,
		   &ask->port, ask->side, ask->words, &used) != 5)
		vectors_die("bad question", line);
	ask->allow = !strcmp(verdict, "allow");
	ask->n = 0;
	for (from = strtok_r(line + used, " ", &rest); from;
	     from = strtok_r(NULL, " ", &rest)) {
		to = strtok_r(NULL, " ", &rest);
		if (!to || ask->n == sizeof(ask->pairs) / sizeof(*ask->pairs))
			vectors_die("bad question about", from);
		pair = &ask->pairs[ask->n++];
		pair->family = strchr(from, ':') ? AF_INET6 : AF_INET;
		parse_address(from, pair->family, pair->src);
		parse_address(to, pair->family, pair->dst);
	}
	if (!ask->n)
		vectors_die("no addresses", line);
}

static char *read_objects(FILE *in, const char *line, size_t *len)
{
	char *text;

	if (sscanf(line, "objects %zu", len) != 1)
		vectors_die("bad line", line);
	text = malloc(*len + 1);
	if (!text)
		vectors_die("objects", "out of memory");
	if (fread(text, 1, *len, in) != *len || fgetc(in) != '\n')
		vectors_die("objects", "the file is cut off");
	text[*len] = '\0';
	return text;
}

void vectors_read(const char *path, const struct vector_ops *ops, void *arg)
{
	FILE *in = fopen(path, "r");
	char *line = NULL, *title = NULL;
	struct vector_ask ask;
	size_t room = 0, len;
	char *text;

	if (!in)
		vectors_die(path, strerror(errno));
	while (getline(&line, &room, in) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "step ", 5)) {
			free(title);
			title = strdup(line + 5);
		} else if (!strncmp(line, "ask ", 4)) {
			parse_ask(line, &ask);
			ops->ask(arg, &ask);
		} else {
			text = read_objects(in, line, &len);
			ops->step(arg, title ? title : "", text, len);
			free(text);
		}
	}
	free(line);
	free(title);
	fclose(in);
}
