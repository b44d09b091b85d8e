// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "labels.h"
#include "store.h"

/* struct set - one of them; the node's data counts its users */
struct set {
	struct knp_hash_node node;
	struct knp_labels labels;
	struct knp_label v[];
};

struct views {
	const struct knp_label_view *v;
	size_t n;
};

static struct knp_hash sets;

static int by_key(const void *a, const void *b)
{
	const struct knp_text *ka = &((const struct knp_label_view *)a)->key;
	const struct knp_text *kb = &((const struct knp_label_view *)b)->key;
	size_t n = ka->n < kb->n ? ka->n : kb->n;
	int cmp = n ? memcmp(ka->s, kb->s, n) : 0;

	return cmp ? cmp : (ka->n > kb->n) - (ka->n < kb->n);
}

/* The API server writes maps sorted: mostly there is nothing to do. */
static void sort(struct knp_label_view *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (by_key(&v[i - 1], &v[i]) <= 0)
			continue;
		qsort(v, n, sizeof(*v), by_key);
		return;
	}
}

static uint32_t hash_of(const struct views *views)
{
	uint64_t h = knp_hash_seed();

	for (size_t i = 0; i < views->n; i++) {
		h = knp_hash64(views->v[i].key.s, views->v[i].key.n, h);
		h = knp_hash64(views->v[i].value.s, views->v[i].value.n, h);
	}
	return (uint32_t)h;
}

static bool has_labels(const struct knp_hash_node *node, const void *key)
{
	const struct set *set = (const struct set *)node;
	const struct views *views = key;

	if (set->labels.n != views->n)
		return false;
	for (size_t i = 0; i < views->n; i++)
		if (!knp_string_is(set->v[i].key, &views->v[i].key) ||
		    !knp_string_is(set->v[i].value, &views->v[i].value))
			return false;
	return true;
}

static void set_free(struct set *set)
{
	for (size_t i = 0; i < set->labels.n; i++) {
		knp_string_put(set->v[i].key);
		knp_string_put(set->v[i].value);
	}
	free(set);
}

static struct set *set_new(const struct views *views)
{
	struct set *set = malloc(sizeof(*set) + views->n * sizeof(set->v[0]));

	if (!set)
		return NULL;
	set->labels = (struct knp_labels){ .v = set->v };
	for (size_t i = 0; i < views->n; i++) {
		const struct knp_label_view *view = &views->v[i];

		set->v[i].key = knp_string_get(view->key.s, view->key.n);
		set->v[i].value = knp_string_get(view->value.s, view->value.n);
		set->labels.n++;
		if (set->v[i].key && set->v[i].value)
			continue;
		set_free(set);
		return NULL;
	}
	return set;
}

const struct knp_labels *knp_labels_make(struct knp_label_view *v, size_t n)
{
	const struct views views = { v, n };
	struct knp_hash_node *node;
	struct set *set;
	uint32_t hash;

	sort(v, n);
	hash = hash_of(&views);
	node = knp_hash_find(&sets, hash, has_labels, &views);
	if (node) {
		node->data++;
		return &knp_hash_entry(node, struct set, node)->labels;
	}
	set = set_new(&views);
	if (!set)
		return NULL;
	set->node.data = 1;
	if (knp_hash_add(&sets, &set->node, hash)) {
		set_free(set);
		return NULL;
	}
	return &set->labels;
}

static struct set *set_of(const struct knp_labels *labels)
{
	return knp_hash_entry(labels, struct set, labels);
}

const struct knp_labels *knp_labels_hold(const struct knp_labels *labels)
{
	set_of(labels)->node.data++;
	return labels;
}

void knp_labels_put(const struct knp_labels *labels)
{
	struct set *set;

	if (!labels)
		return;
	set = set_of(labels);
	if (--set->node.data)
		return;
	knp_hash_del(&sets, &set->node);
	set_free(set);
}

size_t knp_labels_count(void)
{
	return sets.n;
}
