// SPDX-License-Identifier: Apache-2.0
/*
 * Namespaces, and which of them have a label: a namespaceSelector with
 * matchLabels looks at those that have one of them, not at all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "live_impl.h"
#include "selector.h"

#define NAME_LABEL	"kubernetes.io/metadata.name"

/* A label, of interned strings, and the namespaces that have it. */
struct label {
	struct knp_hash_node node;
	const char *key;
	const char *value;
	struct knp_recs namespaces;	/* struct live_ns * */
};

static bool is_label(const struct knp_hash_node *node, const void *arg)
{
	const struct label *label = knp_hash_entry(node, struct label, node);
	const struct knp_label *key = arg;

	return label->key == key->key && label->value == key->value;
}

static uint32_t label_hash(const struct knp_label *key)
{
	return knp_hash_bytes(key, sizeof(*key));
}

static struct label *find_label(const struct knp_live *l,
				const struct knp_label *key)
{
	struct knp_hash_node *node;

	node = knp_hash_find(&l->ns_labels, label_hash(key), is_label, key);
	return node ? knp_hash_entry(node, struct label, node) : NULL;
}

static void label_free(struct label *label)
{
	knp_string_put(label->key);
	knp_string_put(label->value);
	free(label->namespaces.v);
	free(label);
}

static struct label *get_label(struct knp_live *l, const struct knp_label *key)
{
	struct label *label = find_label(l, key);

	if (label)
		return label;
	label = calloc(1, sizeof(*label));
	if (!label)
		return NULL;
	label->key = knp_string_hold(key->key);
	label->value = knp_string_hold(key->value);
	label->namespaces.size = sizeof(struct live_ns *);
	if (knp_hash_add(&l->ns_labels, &label->node, label_hash(key))) {
		label_free(label);
		return NULL;
	}
	return label;
}

/* Of one whose object was not seen the name is known, see selector.h. */
static size_t labels_of(const struct knp_live *l, const struct live_ns *ns,
			struct knp_label *name, const struct knp_label **ret)
{
	if (ns->labels) {
		*ret = ns->labels->v;
		return ns->labels->n;
	}
	name->key = l->name_label;
	name->value = ns->name;
	*ret = name;
	return 1;
}

static int add_labels(struct knp_live *l, struct live_ns *ns)
{
	const struct knp_label *v;
	struct knp_label name;
	struct label *label;
	size_t n = labels_of(l, ns, &name, &v);

	for (size_t i = 0; i < n; i++) {
		label = get_label(l, &v[i]);
		if (!label || !knp_recs_add(&label->namespaces, &ns))
			return -ENOMEM;
	}
	return 0;
}

static void del_labels(struct knp_live *l, struct live_ns *ns)
{
	const struct knp_label *v;
	struct live_ns **namespaces;
	struct knp_label name;
	struct label *label;
	size_t n = labels_of(l, ns, &name, &v);

	for (size_t i = 0; i < n; i++) {
		label = find_label(l, &v[i]);
		if (!label)
			continue;
		namespaces = label->namespaces.v;
		for (size_t j = 0; j < label->namespaces.n; j++) {
			if (namespaces[j] != ns)
				continue;
			namespaces[j] = namespaces[--label->namespaces.n];
			break;
		}
		if (label->namespaces.n)
			continue;
		knp_hash_del(&l->ns_labels, &label->node);
		label_free(label);
	}
}

static bool is_ns(const struct knp_hash_node *node, const void *key)
{
	return knp_hash_entry(node, struct live_ns, node)->name == key;
}

static void ns_free(struct live_ns *ns)
{
	free(ns->policies.v);
	free(ns->peers.v);
	knp_labels_put(ns->labels);
	knp_string_put(ns->name);
	free(ns);
}

struct live_ns *live_ns(struct knp_live *l, const char *name)
{
	uint32_t hash = knp_hash_bytes(&name, sizeof(name));
	const struct knp_namespace *object;
	struct knp_hash_node *node;
	struct live_ns *ns;

	node = knp_hash_find(&l->namespaces, hash, is_ns, name);
	if (node)
		return knp_hash_entry(node, struct live_ns, node);
	ns = calloc(1, sizeof(*ns));
	if (!ns)
		return NULL;
	ns->policies.size = sizeof(struct live_policy *);
	ns->peers.size = sizeof(uint32_t);
	object = knp_store_namespace(l->store, name);
	if (object)
		ns->labels = knp_labels_hold(object->labels);
	ns->name = knp_string_hold(name);
	if (knp_hash_add(&l->namespaces, &ns->node, hash)) {
		ns_free(ns);
		return NULL;
	}
	return add_labels(l, ns) ? NULL : ns;
}

int live_ns_label(struct knp_live *l, const char *name,
		  const struct knp_labels *labels)
{
	struct live_ns *ns = live_ns(l, name);

	if (!ns)
		return -ENOMEM;
	del_labels(l, ns);
	knp_labels_put(ns->labels);
	ns->labels = labels ? knp_labels_hold(labels) : NULL;
	ns->relabelled = true;
	if (add_labels(l, ns))
		return -ENOMEM;
	return live_queue(&l->ns_queue, ns, &ns->queued);
}

void live_ns_sweep(struct knp_live *l, struct live_ns *ns)
{
	if (ns->labels || ns->groups || ns->policies.n || ns->peers.n)
		return;
	del_labels(l, ns);
	knp_hash_del(&l->namespaces, &ns->node);
	ns_free(ns);
}

/* The rarest of the labels that a selector asks for; false: one has no ns. */
static bool rarest(const struct knp_live *l, const struct knp_labels *labels,
		   const struct knp_recs **ret)
{
	const struct label *label;

	for (size_t i = 0; i < labels->n; i++) {
		label = find_label(l, &labels->v[i]);
		if (!label)
			return false;
		if (!*ret || label->namespaces.n < (*ret)->n)
			*ret = &label->namespaces;
	}
	return true;
}

static int visit(struct knp_live *l, const struct knp_selector *selector,
		 struct live_ns *ns, live_ns_fn fn, void *arg)
{
	if (!knp_selector_matches_namespace(selector, ns->name, ns->labels))
		return 0;
	return fn(l, ns, arg);
}

int live_ns_select(struct knp_live *l, const struct knp_selector *selector,
		   live_ns_fn fn, void *arg)
{
	const struct knp_recs *some = NULL;
	struct knp_hash_node *node;
	struct live_ns **v;
	int err = 0;

	if (!rarest(l, &selector->labels, &some))
		return 0;
	if (some) {
		v = some->v;
		for (size_t i = 0; !err && i < some->n; i++)
			err = visit(l, selector, v[i], fn, arg);
		return err;
	}
	knp_hash_for_each(&l->namespaces, node) {
		err = visit(l, selector, knp_hash_entry(node, struct live_ns,
							node), fn, arg);
		if (err)
			break;
	}
	return err;
}

int live_ns_init(struct knp_live *l)
{
	l->name_label = knp_string_dup(NAME_LABEL);
	return l->name_label ? 0 : -ENOMEM;
}

void live_ns_clear(struct knp_live *l)
{
	struct knp_hash_node *node, *next;

	for (node = knp_hash_next(&l->ns_labels, NULL); node; node = next) {
		next = knp_hash_next(&l->ns_labels, node);
		label_free(knp_hash_entry(node, struct label, node));
	}
	for (node = knp_hash_next(&l->namespaces, NULL); node; node = next) {
		next = knp_hash_next(&l->namespaces, node);
		ns_free(knp_hash_entry(node, struct live_ns, node));
	}
	knp_hash_clear(&l->ns_labels);
	knp_hash_clear(&l->namespaces);
	knp_string_put(l->name_label);
}
