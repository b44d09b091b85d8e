// SPDX-License-Identifier: Apache-2.0
/*
 * Transactions by hand, for the scenarios about refusals.
 *
 *   txn STEP...
 *
 * A step is "SOCKET.VERB[=NUMBER]", for example "a.begin=3". Sockets are a and
 * b, opened when first used; verbs are begin (a generation, "now" is the
 * current one), rule (put a rule of that id), commit (a count), abort, close.
 * Prints one line a step: "a.begin=3 ok", or the errno's name and the module's
 * words. Ends with 2 if a step cannot be understood or the module is not there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "genl.h"

static struct knp_genl *sockets[2];

static struct knp_genl *opened(char letter)
{
	size_t i = letter == 'b';
	int err;

	if (sockets[i])
		return sockets[i];
	err = knp_genl_open(&sockets[i]);
	if (err) {
		fprintf(stderr, "txn: %s\n", knp_genl_advice(err));
		exit(2);
	}
	return sockets[i];
}

static uint64_t current(struct knp_genl *g)
{
	struct knp_info info;

	return knp_genl_info(g, &info) ? 0 : info.generation;
}

static int put_rule(struct knp_genl *g, uint32_t id)
{
	struct knp_rec_rule rule = { .id = id, .tag = "by hand" };

	return knp_genl_put(g, KNP_TABLE_RULE, &rule, sizeof(rule));
}

static int step(struct knp_genl *g, const char *verb, const char *arg)
{
	uint64_t n = strtoull(arg, NULL, 10), generation;

	if (!strcmp(verb, "begin"))
		return knp_genl_begin(g, strcmp(arg, "now") ? n : current(g));
	if (!strcmp(verb, "rule"))
		return put_rule(g, (uint32_t)n);
	if (!strcmp(verb, "commit"))
		return knp_genl_commit(g, n, &generation);
	if (!strcmp(verb, "abort"))
		return knp_genl_abort(g);
	fprintf(stderr, "txn: what is %s?\n", verb);
	exit(2);
}

int main(int argc, char **argv)
{
	char verb[16], arg[32];
	struct knp_genl *g;
	char letter;
	int i, err;

	for (i = 1; i < argc; i++) {
		arg[0] = '\0';
		if (sscanf(argv[i], "%c.%15[a-z]=%31s", &letter, verb, arg) < 2 ||
		    letter < 'a' || letter > 'b') {
			fprintf(stderr, "txn: bad step %s\n", argv[i]);
			return 2;
		}
		if (!strcmp(verb, "close")) {
			knp_genl_close(sockets[letter - 'a']);
			sockets[letter - 'a'] = NULL;
			printf("%s ok\n", argv[i]);
			continue;
		}
		g = opened(letter);
		err = step(g, verb, arg);
		if (err)
			printf("%s %s %s\n", argv[i], strerrorname_np(-err),
			       knp_genl_text(g));
		else
			printf("%s ok\n", argv[i]);
	}
	knp_genl_close(sockets[0]);
	knp_genl_close(sockets[1]);
	return 0;
}
