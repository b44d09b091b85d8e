// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "cports.h"
#include "hash.h"
#include "store.h"

/* struct list - one of them; the node's data counts its users */
struct list {
	struct knp_hash_node node;
	struct knp_cports ports;
	struct knp_cport v[];
};

struct views {
	const struct knp_port_view *v;
	size_t n;
};

static struct knp_hash lists;

static uint32_t hash_of(const struct views *views)
{
	uint64_t h = knp_hash_seed();

	for (size_t i = 0; i < views->n; i++) {
		const struct knp_port_view *view = &views->v[i];
		uint32_t number = (uint32_t)view->port << 8 | view->proto;

		h = knp_hash64(view->name.s, view->name.n, h);
		h = knp_hash64(&number, sizeof(number), h);
	}
	return (uint32_t)h;
}

static bool has_ports(const struct knp_hash_node *node, const void *key)
{
	const struct list *list = (const struct list *)node;
	const struct views *views = key;

	if (list->ports.n != views->n)
		return false;
	for (size_t i = 0; i < views->n; i++)
		if (list->v[i].port != views->v[i].port ||
		    list->v[i].proto != views->v[i].proto ||
		    !knp_string_is(list->v[i].name, &views->v[i].name))
			return false;
	return true;
}

static void list_free(struct list *list)
{
	for (size_t i = 0; i < list->ports.n; i++)
		knp_string_put(list->v[i].name);
	free(list);
}

static struct list *list_new(const struct views *views)
{
	struct list *list = malloc(sizeof(*list) +
				   views->n * sizeof(list->v[0]));

	if (!list)
		return NULL;
	list->ports = (struct knp_cports){ .v = list->v };
	for (size_t i = 0; i < views->n; i++) {
		const struct knp_port_view *view = &views->v[i];

		list->v[i] = (struct knp_cport){
			.name = knp_string_get(view->name.s, view->name.n),
			.port = view->port,
			.proto = view->proto,
		};
		list->ports.n++;
		if (list->v[i].name)
			continue;
		list_free(list);
		return NULL;
	}
	return list;
}

const struct knp_cports *knp_cports_make(const struct knp_port_view *v,
					 size_t n)
{
	const struct views views = { v, n };
	uint32_t hash = hash_of(&views);
	struct knp_hash_node *node;
	struct list *list;

	node = knp_hash_find(&lists, hash, has_ports, &views);
	if (node) {
		node->data++;
		return &knp_hash_entry(node, struct list, node)->ports;
	}
	list = list_new(&views);
	if (!list)
		return NULL;
	list->node.data = 1;
	if (knp_hash_add(&lists, &list->node, hash)) {
		list_free(list);
		return NULL;
	}
	return &list->ports;
}

static struct list *list_of(const struct knp_cports *ports)
{
	return knp_hash_entry(ports, struct list, ports);
}

const struct knp_cports *knp_cports_hold(const struct knp_cports *ports)
{
	list_of(ports)->node.data++;
	return ports;
}

void knp_cports_put(const struct knp_cports *ports)
{
	struct list *list;

	if (!ports)
		return;
	list = list_of(ports);
	if (--list->node.data)
		return;
	knp_hash_del(&lists, &list->node);
	list_free(list);
}

size_t knp_cports_count(void)
{
	return lists.n;
}
