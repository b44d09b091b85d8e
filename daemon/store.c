// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "store.h"

static void labels_clear(struct knp_labels *labels)
{
	for (size_t i = 0; i < labels->n; i++) {
		free(labels->v[i].key);
		free(labels->v[i].value);
	}
	free(labels->v);
}

static void selector_clear(struct knp_selector *selector)
{
	labels_clear(&selector->labels);
	for (size_t i = 0; i < selector->nreqs; i++) {
		struct knp_requirement *req = &selector->reqs[i];

		for (size_t j = 0; j < req->nvalues; j++)
			free(req->values[j]);
		free(req->values);
		free(req->key);
	}
	free(selector->reqs);
}

static void selector_free(struct knp_selector *selector)
{
	if (!selector)
		return;
	selector_clear(selector);
	free(selector);
}

static void rules_free(struct knp_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct knp_rule *rule = &rules[i];

		for (size_t j = 0; j < rule->npeers; j++) {
			if (rule->peers[j].block)
				free(rule->peers[j].block->except);
			free(rule->peers[j].block);
			selector_free(rule->peers[j].ns);
			selector_free(rule->peers[j].pod);
		}
		for (size_t j = 0; j < rule->nports; j++)
			free(rule->ports[j].name);
		free(rule->peers);
		free(rule->ports);
	}
	free(rules);
}

void knp_namespace_free(struct knp_namespace *ns)
{
	if (!ns)
		return;
	free(ns->name);
	labels_clear(&ns->labels);
	free(ns);
}

void knp_pod_free(struct knp_pod *pod)
{
	if (!pod)
		return;
	free(pod->ns);
	free(pod->name);
	free(pod->uid);
	free(pod->node);
	labels_clear(&pod->labels);
	free(pod->ips);
	for (size_t i = 0; i < pod->nports; i++)
		free(pod->ports[i].name);
	free(pod->ports);
	free(pod);
}

void knp_policy_free(struct knp_policy *policy)
{
	if (!policy)
		return;
	free(policy->ns);
	free(policy->name);
	free(policy->uid);
	selector_clear(&policy->subject);
	rules_free(policy->ingress, policy->ningress);
	rules_free(policy->egress, policy->negress);
	free(policy);
}

/* NULL equals only NULL: an absent name is not the empty one. */
static bool text_equal(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	return !strcmp(a, b);
}

static bool labels_equal(const struct knp_labels *a, const struct knp_labels *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!text_equal(a->v[i].key, b->v[i].key) ||
		    !text_equal(a->v[i].value, b->v[i].value))
			return false;
	return true;
}

static bool requirement_equal(const struct knp_requirement *a,
			      const struct knp_requirement *b)
{
	if (a->op != b->op || a->nvalues != b->nvalues ||
	    !text_equal(a->key, b->key))
		return false;
	for (size_t i = 0; i < a->nvalues; i++)
		if (!text_equal(a->values[i], b->values[i]))
			return false;
	return true;
}

static bool selector_equal(const struct knp_selector *a,
			   const struct knp_selector *b)
{
	if (!a || !b)
		return a == b;
	if (a->nreqs != b->nreqs || !labels_equal(&a->labels, &b->labels))
		return false;
	for (size_t i = 0; i < a->nreqs; i++)
		if (!requirement_equal(&a->reqs[i], &b->reqs[i]))
			return false;
	return true;
}

static bool ip_equal(const struct knp_ip *a, const struct knp_ip *b)
{
	return a->family == b->family && !memcmp(a->b, b->b, sizeof(a->b));
}

static bool prefix_equal(const struct knp_prefix *a, const struct knp_prefix *b)
{
	return a->len == b->len && ip_equal(&a->ip, &b->ip);
}

static bool block_equal(const struct knp_ipblock *a,
			const struct knp_ipblock *b)
{
	if (!a || !b)
		return a == b;
	if (a->nexcept != b->nexcept || !prefix_equal(&a->cidr, &b->cidr))
		return false;
	for (size_t i = 0; i < a->nexcept; i++)
		if (!prefix_equal(&a->except[i], &b->except[i]))
			return false;
	return true;
}

static bool port_equal(const struct knp_port *a, const struct knp_port *b)
{
	return a->proto == b->proto && a->lo == b->lo && a->hi == b->hi &&
	       text_equal(a->name, b->name);
}

static bool rule_equal(const struct knp_rule *a, const struct knp_rule *b)
{
	if (a->npeers != b->npeers || a->nports != b->nports)
		return false;
	for (size_t i = 0; i < a->npeers; i++)
		if (!block_equal(a->peers[i].block, b->peers[i].block) ||
		    !selector_equal(a->peers[i].ns, b->peers[i].ns) ||
		    !selector_equal(a->peers[i].pod, b->peers[i].pod))
			return false;
	for (size_t i = 0; i < a->nports; i++)
		if (!port_equal(&a->ports[i], &b->ports[i]))
			return false;
	return true;
}

static bool rules_equal(const struct knp_rule *a, size_t na,
			const struct knp_rule *b, size_t nb)
{
	if (na != nb)
		return false;
	for (size_t i = 0; i < na; i++)
		if (!rule_equal(&a[i], &b[i]))
			return false;
	return true;
}

static bool policy_equal(const void *x, const void *y)
{
	const struct knp_policy *a = x;
	const struct knp_policy *b = y;

	return text_equal(a->uid, b->uid) &&
	       a->isolates_ingress == b->isolates_ingress &&
	       a->isolates_egress == b->isolates_egress &&
	       selector_equal(&a->subject, &b->subject) &&
	       rules_equal(a->ingress, a->ningress, b->ingress, b->ningress) &&
	       rules_equal(a->egress, a->negress, b->egress, b->negress);
}

static bool pod_equal(const void *x, const void *y)
{
	const struct knp_pod *a = x;
	const struct knp_pod *b = y;

	if (!text_equal(a->uid, b->uid) || !text_equal(a->node, b->node) ||
	    a->created != b->created || a->host_network != b->host_network ||
	    a->terminal != b->terminal || a->nips != b->nips ||
	    a->nports != b->nports || !labels_equal(&a->labels, &b->labels))
		return false;
	for (size_t i = 0; i < a->nips; i++)
		if (!ip_equal(&a->ips[i], &b->ips[i]))
			return false;
	for (size_t i = 0; i < a->nports; i++)
		if (a->ports[i].port != b->ports[i].port ||
		    a->ports[i].proto != b->ports[i].proto ||
		    !text_equal(a->ports[i].name, b->ports[i].name))
			return false;
	return true;
}

static bool namespace_equal(const void *x, const void *y)
{
	const struct knp_namespace *a = x;
	const struct knp_namespace *b = y;

	return labels_equal(&a->labels, &b->labels);
}

/* What the three arrays differ in. */
struct kind {
	const char *(*ns)(const void *object);
	const char *(*name)(const void *object);
	bool (*equal)(const void *a, const void *b);
	void (*free)(void *object);
};

static const char *no_ns(const void *object)
{
	(void)object;
	return "";
}

static const char *namespace_name(const void *object)
{
	return ((const struct knp_namespace *)object)->name;
}

static const char *pod_ns(const void *object)
{
	return ((const struct knp_pod *)object)->ns;
}

static const char *pod_name(const void *object)
{
	return ((const struct knp_pod *)object)->name;
}

static const char *policy_ns(const void *object)
{
	return ((const struct knp_policy *)object)->ns;
}

static const char *policy_name(const void *object)
{
	return ((const struct knp_policy *)object)->name;
}

static void namespace_drop(void *object)
{
	knp_namespace_free(object);
}

static void pod_drop(void *object)
{
	knp_pod_free(object);
}

static void policy_drop(void *object)
{
	knp_policy_free(object);
}

static const struct kind namespaces = {
	no_ns, namespace_name, namespace_equal, namespace_drop,
};

static const struct kind pods = {
	pod_ns, pod_name, pod_equal, pod_drop,
};

static const struct kind policies = {
	policy_ns, policy_name, policy_equal, policy_drop,
};

/* The arrays have three element types: go through bytes, not through void **. */
static void *get(const void *array, size_t i)
{
	void *object;

	memcpy(&object, (const char *)array + i * sizeof(object),
	       sizeof(object));
	return object;
}

static void set(void *array, size_t i, void *object)
{
	memcpy((char *)array + i * sizeof(object), &object, sizeof(object));
}

/* Where (ns, name) is, or belongs; true if it is there. */
static bool find(const struct kind *kind, const void *array, size_t n,
		 const char *ns, const char *name, size_t *at)
{
	size_t lo = 0;
	size_t hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const void *object = get(array, mid);
		int cmp = strcmp(kind->ns(object), ns);

		if (!cmp)
			cmp = strcmp(kind->name(object), name);
		if (!cmp) {
			*at = mid;
			return true;
		}
		if (cmp < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*at = lo;
	return false;
}

/* Capacity is the next power of two, so the array grows when n is one. */
static void *grow(void *array, size_t n)
{
	if (n & (n - 1))
		return array;
	return reallocarray(array, n ? n * 2 : 1, sizeof(void *));
}

static int put(struct knp_store *s, const struct kind *kind, void **array,
	       size_t *n, void *object)
{
	void *old;
	void *v;
	size_t at;

	if (find(kind, *array, *n, kind->ns(object), kind->name(object), &at)) {
		old = get(*array, at);
		if (old == object)
			return 0;
		if (kind->equal(old, object)) {
			kind->free(object);
			return 0;
		}
		set(*array, at, object);
		kind->free(old);
		s->version++;
		return 0;
	}
	v = grow(*array, *n);
	if (!v) {
		kind->free(object);
		return -ENOMEM;
	}
	memmove((char *)v + (at + 1) * sizeof(void *),
		(char *)v + at * sizeof(void *), (*n - at) * sizeof(void *));
	set(v, at, object);
	*array = v;
	*n += 1;
	s->version++;
	return 0;
}

static void *take(struct knp_store *s, const struct kind *kind, void *array,
		  size_t *n, const char *ns, const char *name)
{
	void *object;
	size_t at;

	if (!find(kind, array, *n, ns, name, &at))
		return NULL;
	object = get(array, at);
	memmove((char *)array + at * sizeof(void *),
		(char *)array + (at + 1) * sizeof(void *),
		(*n - at - 1) * sizeof(void *));
	*n -= 1;
	s->version++;
	return object;
}

static const void *look(const struct kind *kind, const void *array, size_t n,
			const char *ns, const char *name)
{
	size_t at;

	return find(kind, array, n, ns, name, &at) ? get(array, at) : NULL;
}

struct knp_store *knp_store_new(void)
{
	return calloc(1, sizeof(struct knp_store));
}

void knp_store_free(struct knp_store *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nnamespaces; i++)
		knp_namespace_free(s->namespaces[i]);
	for (size_t i = 0; i < s->npods; i++)
		knp_pod_free(s->pods[i]);
	for (size_t i = 0; i < s->npolicies; i++)
		knp_policy_free(s->policies[i]);
	free(s->namespaces);
	free(s->pods);
	free(s->policies);
	free(s);
}

int knp_store_put_namespace(struct knp_store *s, struct knp_namespace *ns)
{
	void *v = s->namespaces;
	int err = put(s, &namespaces, &v, &s->nnamespaces, ns);

	s->namespaces = v;
	return err;
}

int knp_store_put_pod(struct knp_store *s, struct knp_pod *pod)
{
	void *v = s->pods;
	int err = put(s, &pods, &v, &s->npods, pod);

	s->pods = v;
	return err;
}

int knp_store_put_policy(struct knp_store *s, struct knp_policy *policy)
{
	void *v = s->policies;
	int err = put(s, &policies, &v, &s->npolicies, policy);

	s->policies = v;
	return err;
}

struct knp_namespace *knp_store_take_namespace(struct knp_store *s,
					       const char *name)
{
	return take(s, &namespaces, s->namespaces, &s->nnamespaces, "", name);
}

struct knp_pod *knp_store_take_pod(struct knp_store *s, const char *ns,
				   const char *name)
{
	return take(s, &pods, s->pods, &s->npods, ns, name);
}

struct knp_policy *knp_store_take_policy(struct knp_store *s, const char *ns,
					 const char *name)
{
	return take(s, &policies, s->policies, &s->npolicies, ns, name);
}

void knp_store_del_namespace(struct knp_store *s, const char *name)
{
	knp_namespace_free(knp_store_take_namespace(s, name));
}

void knp_store_del_pod(struct knp_store *s, const char *ns, const char *name)
{
	knp_pod_free(knp_store_take_pod(s, ns, name));
}

void knp_store_del_policy(struct knp_store *s, const char *ns, const char *name)
{
	knp_policy_free(knp_store_take_policy(s, ns, name));
}

const struct knp_namespace *knp_store_namespace(const struct knp_store *s,
						const char *name)
{
	return look(&namespaces, s->namespaces, s->nnamespaces, "", name);
}

const struct knp_pod *knp_store_pod(const struct knp_store *s, const char *ns,
				    const char *name)
{
	return look(&pods, s->pods, s->npods, ns, name);
}

const struct knp_policy *knp_store_policy(const struct knp_store *s,
					  const char *ns, const char *name)
{
	return look(&policies, s->policies, s->npolicies, ns, name);
}

static bool is_mapped(const struct knp_ip *ip)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return ip->family == AF_INET6 && !memcmp(ip->b, mapped, sizeof(mapped));
}

int knp_ip_parse(const char *text, struct knp_ip *ret)
{
	struct knp_ip ip = { 0 };

	ip.family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(ip.family, text, ip.b) != 1 || is_mapped(&ip))
		return -EINVAL;
	*ret = ip;
	return 0;
}

/* Decimal digits without sign, space or leading zero. */
static int prefix_len(const char *text, unsigned int max, uint8_t *ret)
{
	unsigned int len = 0;
	size_t i;

	for (i = 0; text[i] >= '0' && text[i] <= '9' && i < 3; i++)
		len = len * 10 + (unsigned int)(text[i] - '0');
	if (!i || text[i] || (i > 1 && text[0] == '0') || len > max)
		return -EINVAL;
	*ret = (uint8_t)len;
	return 0;
}

static uint8_t byte_mask(unsigned int len, unsigned int byte)
{
	unsigned int bits = len > byte * 8 ? len - byte * 8 : 0;

	return bits >= 8 ? 0xff : (uint8_t)(0xff00U >> bits);
}

int knp_prefix_parse(const char *text, struct knp_prefix *ret)
{
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN];
	struct knp_prefix prefix;
	int err;

	if (!slash || (size_t)(slash - text) >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	err = knp_ip_parse(address, &prefix.ip);
	if (!err)
		err = prefix_len(slash + 1,
				 prefix.ip.family == AF_INET ? 32 : 128,
				 &prefix.len);
	if (err)
		return err;
	for (unsigned int i = 0; i < sizeof(prefix.ip.b); i++)
		prefix.ip.b[i] &= byte_mask(prefix.len, i);
	*ret = prefix;
	return 0;
}

bool knp_prefix_contains(const struct knp_prefix *outer,
			 const struct knp_prefix *inner)
{
	if (outer->ip.family != inner->ip.family || outer->len > inner->len)
		return false;
	for (unsigned int i = 0; i < sizeof(outer->ip.b); i++)
		if ((inner->ip.b[i] & byte_mask(outer->len, i)) !=
		    outer->ip.b[i])
			return false;
	return true;
}

const char *knp_ip_format(const struct knp_ip *ip, char buf[46])
{
	return inet_ntop(ip->family, ip->b, buf, 46);
}
