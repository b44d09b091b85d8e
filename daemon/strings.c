// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "strings.h"

/* struct string - one of them; the node's data counts its users */
struct string {
	struct knp_hash_node node;
	char text[];
};

static struct knp_hash strings;

bool knp_string_is(const char *s, const struct knp_text *text)
{
	/* What is longer than @s differs where @s ends, and is read no further. */
	return (!text->n || !strncmp(s, text->s, text->n)) && !s[text->n];
}

static bool has_text(const struct knp_hash_node *node, const void *key)
{
	return knp_string_is(((const struct string *)node)->text, key);
}

static struct string *string_of(const char *s)
{
	return (struct string *)(s - offsetof(struct string, text));
}

const char *knp_string_get(const char *s, size_t n)
{
	const struct knp_text text = { s, n };
	uint32_t hash = knp_hash_bytes(s, n);
	struct knp_hash_node *node;
	struct string *string;

	node = knp_hash_find(&strings, hash, has_text, &text);
	if (node) {
		node->data++;
		return knp_hash_entry(node, struct string, node)->text;
	}
	string = malloc(sizeof(*string) + n + 1);
	if (!string)
		return NULL;
	if (n)
		memcpy(string->text, s, n);
	string->text[n] = '\0';
	string->node.data = 1;
	if (knp_hash_add(&strings, &string->node, hash)) {
		free(string);
		return NULL;
	}
	return string->text;
}

const char *knp_string_dup(const char *s)
{
	return knp_string_get(s, strlen(s));
}

const char *knp_string_hold(const char *s)
{
	string_of(s)->node.data++;
	return s;
}

void knp_string_put(const char *s)
{
	struct string *string;

	if (!s)
		return;
	string = string_of(s);
	if (--string->node.data)
		return;
	knp_hash_del(&strings, &string->node);
	free(string);
}

size_t knp_string_count(void)
{
	return strings.n;
}
