// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "pod.h"

#define MAX_IPS	((1U << 24) - 1)

/* What a lower case digit is worth, plus one: 0 is no digit. */
static const uint8_t hex[256] = {
	['0'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
	['a'] = 11, 12, 13, 14, 15, 16,
};

/* 32 lower case digits, with or without the dashes of a UUID. */
static bool uuid_parse(const struct knp_text *text, uint8_t ret[16])
{
	static const uint8_t group[16] = { [4] = 1, [6] = 1, [8] = 1, [10] = 1 };
	const uint8_t *s = (const uint8_t *)text->s;

	if (text->n != 36 && text->n != 32)
		return false;
	for (unsigned int i = 0; i < 16; i++) {
		unsigned int hi, lo;

		if (text->n == 36 && group[i] && *s++ != '-')
			return false;
		hi = hex[*s++];
		lo = hex[*s++];
		if (!hi || !lo)
			return false;
		ret[i] = (uint8_t)((hi - 1) << 4 | (lo - 1));
	}
	return true;
}

bool knp_uid_is_uuid(const struct knp_text *text)
{
	uint8_t uid[16];

	return text->n == 36 && uuid_parse(text, uid);
}

void knp_uid_parse(const struct knp_text *text, uint8_t ret[16])
{
	uint64_t h[2];

	if (uuid_parse(text, ret))
		return;
	if (text->n <= 16) {
		memset(ret, 0, 16);
		if (text->n)
			memcpy(ret, text->s, text->n);
		return;
	}
	h[0] = knp_hash64(text->s, text->n, 0);
	h[1] = knp_hash64(text->s, text->n, 1);
	memcpy(ret, h, sizeof(h));
}

static uint32_t seconds(int64_t created)
{
	if (created < 0)
		return 0;
	return created > UINT32_MAX ? UINT32_MAX : (uint32_t)created;
}

struct knp_pod *knp_pod_new(struct knp_pod_view *view)
{
	struct knp_pod *pod;
	size_t ips;
	char *name;

	if (view->nips > MAX_IPS)
		return NULL;
	ips = view->nips * sizeof(pod->ips[0]);
	pod = calloc(1, offsetof(struct knp_pod, ips) + ips + view->name.n + 1);
	if (!pod)
		return NULL;
	if (ips)
		memcpy(pod->ips, view->ips, ips);
	name = (char *)pod->ips + ips;
	if (view->name.n)
		memcpy(name, view->name.s, view->name.n);
	pod->name = name;
	pod->ns = knp_string_get(view->ns.s, view->ns.n);
	pod->node = knp_string_get(view->node.s, view->node.n);
	pod->labels = knp_labels_make(view->labels, view->nlabels);
	pod->ports = knp_cports_make(view->ports, view->nports);
	knp_uid_parse(&view->uid, pod->uid);
	pod->created = seconds(view->created);
	pod->nips = (uint32_t)view->nips & MAX_IPS;
	pod->host_network = view->host_network;
	pod->terminal = view->terminal;
	if (pod->ns && pod->node && pod->labels && pod->ports)
		return pod;
	knp_pod_free(pod);
	return NULL;
}

struct knp_pod *knp_pod_bind(const struct knp_pod *pod,
			     const struct knp_ip *ips, uint32_t n)
{
	size_t name = strlen(pod->name) + 1;
	uint32_t own = pod->nips - pod->nbound;
	uint32_t nips = 0;
	struct knp_pod *copy;

	if (n > KNP_POD_BOUND_MAX || own + n > MAX_IPS)
		return NULL;
	copy = calloc(1, offsetof(struct knp_pod, ips) +
		      (own + n) * sizeof(pod->ips[0]) + name);
	if (!copy)
		return NULL;
	memcpy(copy, pod, offsetof(struct knp_pod, ips));
	for (uint32_t i = 0; i < own; i++)
		if (!knp_ip_among(&pod->ips[i], ips, n))
			copy->ips[nips++] = pod->ips[i];
	for (uint32_t i = 0; i < n; i++)
		copy->ips[nips++] = ips[i];
	copy->nips = nips & MAX_IPS;
	copy->nbound = n & KNP_POD_BOUND_MAX;
	copy->name = memcpy(copy->ips + nips, pod->name, name);
	copy->ns = knp_string_hold(pod->ns);
	copy->node = knp_string_hold(pod->node);
	copy->labels = knp_labels_hold(pod->labels);
	copy->ports = knp_cports_hold(pod->ports);
	return copy;
}

bool knp_pod_equal(const struct knp_pod *a, const struct knp_pod *b)
{
	return a->labels == b->labels && a->ports == b->ports &&
	       a->node == b->node && a->created == b->created &&
	       a->nips == b->nips && a->nbound == b->nbound &&
	       a->host_network == b->host_network &&
	       a->terminal == b->terminal &&
	       !memcmp(a->uid, b->uid, sizeof(a->uid)) &&
	       !memcmp(a->ips, b->ips, a->nips * sizeof(a->ips[0]));
}

void knp_pod_free(struct knp_pod *pod)
{
	if (!pod)
		return;
	knp_string_put(pod->ns);
	knp_string_put(pod->node);
	knp_labels_put(pod->labels);
	knp_cports_put(pod->ports);
	free(pod);
}
