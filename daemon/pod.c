// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "pod.h"

static char *copy(const struct knp_text *text)
{
	return strndup(text->n ? text->s : "", text->n);
}

static int by_key(const void *a, const void *b)
{
	const struct knp_label_view *la = a, *lb = b;
	size_t n = la->key.n < lb->key.n ? la->key.n : lb->key.n;
	int cmp = memcmp(la->key.s, lb->key.s, n);

	return cmp ? cmp : (la->key.n > lb->key.n) - (la->key.n < lb->key.n);
}

static bool copy_labels(struct knp_pod *pod, struct knp_pod_view *view)
{
	if (!view->nlabels)
		return true;
	qsort(view->labels, view->nlabels, sizeof(*view->labels), by_key);
	pod->labels.v = calloc(view->nlabels, sizeof(*pod->labels.v));
	if (!pod->labels.v)
		return false;
	for (size_t i = 0; i < view->nlabels; i++) {
		pod->labels.v[i].key = copy(&view->labels[i].key);
		pod->labels.v[i].value = copy(&view->labels[i].value);
		pod->labels.n++;
		if (!pod->labels.v[i].key || !pod->labels.v[i].value)
			return false;
	}
	return true;
}

static bool copy_ports(struct knp_pod *pod, const struct knp_pod_view *view)
{
	if (!view->nports)
		return true;
	pod->ports = calloc(view->nports, sizeof(*pod->ports));
	if (!pod->ports)
		return false;
	for (size_t i = 0; i < view->nports; i++) {
		pod->ports[i].name = copy(&view->ports[i].name);
		pod->ports[i].port = view->ports[i].port;
		pod->ports[i].proto = view->ports[i].proto;
		pod->nports++;
		if (!pod->ports[i].name)
			return false;
	}
	return true;
}

struct knp_pod *knp_pod_new(struct knp_pod_view *view)
{
	struct knp_pod *pod = calloc(1, sizeof(*pod));

	if (!pod)
		return NULL;
	pod->ns = copy(&view->ns);
	pod->name = copy(&view->name);
	pod->uid = copy(&view->uid);
	pod->node = copy(&view->node);
	pod->created = view->created;
	pod->host_network = view->host_network;
	pod->terminal = view->terminal;
	if (view->nips)
		pod->ips = calloc(view->nips, sizeof(*pod->ips));
	if (!pod->ns || !pod->name || !pod->uid || !pod->node ||
	    (view->nips && !pod->ips) || !copy_labels(pod, view) ||
	    !copy_ports(pod, view)) {
		knp_pod_free(pod);
		return NULL;
	}
	for (size_t i = 0; i < view->nips; i++)
		pod->ips[i] = view->ips[i];
	pod->nips = view->nips;
	return pod;
}
