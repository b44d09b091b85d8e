// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bindings.h"
#include "numbers.h"
#include "pod.h"

/**
 * struct knp_bindings - all of them
 * @v: the oldest first
 */
struct knp_bindings {
	struct knp_binding **v;
	size_t n;
	knp_bindings_fn touched;
	void *arg;
};

void knp_attachment_clear(struct knp_attachment *at)
{
	free(at->container);
	free(at->ifname);
	*at = (struct knp_attachment){ 0 };
}

void knp_binding_free(struct knp_binding *binding)
{
	if (!binding)
		return;
	knp_attachment_clear(&binding->at);
	free(binding->network);
	free(binding->ns);
	free(binding->name);
	free(binding->uid);
	free(binding);
}

struct knp_bindings *knp_bindings_new(knp_bindings_fn touched, void *arg)
{
	struct knp_bindings *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->touched = touched;
	b->arg = arg;
	return b;
}

void knp_bindings_free(struct knp_bindings *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->n; i++)
		knp_binding_free(b->v[i]);
	free(b->v);
	free(b);
}

size_t knp_bindings_count(const struct knp_bindings *b)
{
	return b->n;
}

const struct knp_binding *knp_bindings_at(const struct knp_bindings *b,
					  size_t i)
{
	return b->v[i];
}

static bool same_attachment(const struct knp_attachment *a,
			    const struct knp_attachment *b)
{
	return !strcmp(a->container, b->container) &&
	       !strcmp(a->ifname, b->ifname);
}

static size_t place(const struct knp_bindings *b,
		    const struct knp_attachment *at)
{
	size_t i = 0;

	while (i < b->n && !same_attachment(&b->v[i]->at, at))
		i++;
	return i;
}

const struct knp_binding *knp_bindings_find(const struct knp_bindings *b,
					    const struct knp_attachment *at)
{
	size_t i = place(b, at);

	return i < b->n ? b->v[i] : NULL;
}

static void touch(const struct knp_bindings *b, const struct knp_binding *of)
{
	b->touched(b->arg, of->ns, of->name);
}

static void del_at(struct knp_bindings *b, size_t i)
{
	struct knp_binding *gone = b->v[i];

	b->n--;
	memmove(&b->v[i], &b->v[i + 1], (b->n - i) * sizeof(*b->v));
	touch(b, gone);
	knp_binding_free(gone);
}

/* Addresses that @by has now are no longer @from's. */
static void take_ips(const struct knp_bindings *b, struct knp_binding *from,
		     const struct knp_binding *by)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < from->nips; i++)
		if (!knp_ip_among(&from->ips[i], by->ips, by->nips))
			from->ips[n++] = from->ips[i];
	if (n == from->nips)
		return;
	from->nips = n;
	touch(b, from);
}

int knp_bindings_add(struct knp_bindings *b, struct knp_binding *binding)
{
	struct knp_binding **v;
	size_t old;

	v = reallocarray(b->v, b->n + 1, sizeof(*v));
	if (!v) {
		knp_binding_free(binding);
		return -ENOMEM;
	}
	b->v = v;
	old = place(b, &binding->at);
	v[b->n++] = binding;
	if (old + 1 < b->n)
		del_at(b, old);
	for (size_t i = 0; i + 1 < b->n; i++)
		take_ips(b, b->v[i], binding);
	touch(b, binding);
	return 0;
}

bool knp_bindings_del(struct knp_bindings *b, const struct knp_attachment *at)
{
	size_t i = place(b, at);

	if (i == b->n)
		return false;
	del_at(b, i);
	return true;
}

static bool is_listed(const struct knp_attachment *at,
		      const struct knp_attachment *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (same_attachment(at, &v[i]))
			return true;
	return false;
}

size_t knp_bindings_keep(struct knp_bindings *b, const char *network,
			 const struct knp_attachment *v, size_t n)
{
	size_t before = b->n;

	for (size_t i = b->n; i--;)
		if (!strcmp(b->v[i]->network, network) &&
		    !is_listed(&b->v[i]->at, v, n))
			del_at(b, i);
	return before - b->n;
}

size_t knp_bindings_keep_links(struct knp_bindings *b, const uint32_t *v,
			       size_t n)
{
	size_t before = b->n;

	for (size_t i = b->n; i--;)
		if (b->v[i]->ifindex &&
		    !(n && bsearch(&b->v[i]->ifindex, v, n, sizeof(*v),
				   knp_by_number)))
			del_at(b, i);
	return before - b->n;
}

bool knp_binding_is_of(const struct knp_binding *binding,
		       const struct knp_pod *pod)
{
	static const uint8_t none[sizeof(pod->uid)];
	struct knp_text text = knp_text_of(binding->uid);
	uint8_t uid[sizeof(pod->uid)];

	if (strcmp(binding->name, pod->name) || strcmp(binding->ns, pod->ns))
		return false;
	if (!knp_uid_is_uuid(&text) || !memcmp(pod->uid, none, sizeof(none)))
		return true;
	knp_uid_parse(&text, uid);
	return !memcmp(uid, pod->uid, sizeof(uid));
}

/* The last ones first, should there be too many. */
static uint32_t collect(const struct knp_bindings *b, const struct knp_pod *pod,
			struct knp_ip ips[KNP_BINDING_IPS])
{
	const struct knp_binding *binding;
	uint32_t n = 0;

	if (pod->host_network || pod->terminal)
		return 0;
	for (size_t i = b->n; i--;) {
		binding = b->v[i];
		if (!knp_binding_is_of(binding, pod))
			continue;
		for (uint32_t j = 0; j < binding->nips; j++)
			if (n < KNP_BINDING_IPS)
				ips[n++] = binding->ips[j];
	}
	return n;
}

int knp_bindings_bind(const struct knp_bindings *b, const struct knp_pod *pod,
		      struct knp_pod **ret)
{
	struct knp_ip ips[KNP_BINDING_IPS];
	uint32_t n = collect(b, pod, ips);
	struct knp_pod *copy;

	if (n == pod->nbound &&
	    (!n || !memcmp(ips, pod->ips + pod->nips - n, n * sizeof(*ips)))) {
		*ret = NULL;
		return 0;
	}
	copy = knp_pod_bind(pod, ips, n);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}
