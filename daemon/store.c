// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "numbers.h"
#include "store.h"

/* What the three kinds differ in. */
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

static bool namespace_equal(const void *a, const void *b)
{
	return knp_namespace_equal(a, b);
}

static void namespace_free(void *object)
{
	knp_namespace_free(object);
}

static const char *pod_ns(const void *object)
{
	return ((const struct knp_pod *)object)->ns;
}

static const char *pod_name(const void *object)
{
	return ((const struct knp_pod *)object)->name;
}

static bool pod_equal(const void *a, const void *b)
{
	return knp_pod_equal(a, b);
}

static void pod_free(void *object)
{
	knp_pod_free(object);
}

static const char *policy_ns(const void *object)
{
	return ((const struct knp_policy *)object)->ns;
}

static const char *policy_name(const void *object)
{
	return ((const struct knp_policy *)object)->name;
}

static bool policy_equal(const void *a, const void *b)
{
	return knp_policy_equal(a, b);
}

static void policy_free(void *object)
{
	knp_policy_free(object);
}

static const struct kind kinds[] = {
	[KNP_KIND_NAMESPACE] = {
		no_ns, namespace_name, namespace_equal, namespace_free,
	},
	[KNP_KIND_POD] = { pod_ns, pod_name, pod_equal, pod_free },
	[KNP_KIND_POLICY] = {
		policy_ns, policy_name, policy_equal, policy_free,
	},
};

const char *knp_kind_ns_of(enum knp_kind kind, const void *object)
{
	return kinds[kind].ns(object);
}

const char *knp_kind_name_of(enum knp_kind kind, const void *object)
{
	return kinds[kind].name(object);
}

bool knp_kind_equal(enum knp_kind kind, const void *a, const void *b)
{
	return kinds[kind].equal(a, b);
}

void knp_kind_free(enum knp_kind kind, void *object)
{
	kinds[kind].free(object);
}

static void *array_of(const struct knp_store *s, enum knp_kind kind)
{
	if (kind == KNP_KIND_NAMESPACE)
		return s->namespaces;
	if (kind == KNP_KIND_POD)
		return s->pods;
	return s->policies;
}

static void array_set(struct knp_store *s, enum knp_kind kind, void *array)
{
	if (kind == KNP_KIND_NAMESPACE)
		s->namespaces = array;
	else if (kind == KNP_KIND_POD)
		s->pods = array;
	else
		s->policies = array;
}

static size_t *count_of(struct knp_store *s, enum knp_kind kind)
{
	if (kind == KNP_KIND_NAMESPACE)
		return &s->nnamespaces;
	return kind == KNP_KIND_POD ? &s->npods : &s->npolicies;
}

size_t knp_store_count(const struct knp_store *s, enum knp_kind kind)
{
	if (kind == KNP_KIND_NAMESPACE)
		return s->nnamespaces;
	return kind == KNP_KIND_POD ? s->npods : s->npolicies;
}

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

const void *knp_store_at(const struct knp_store *s, enum knp_kind kind,
			 size_t at)
{
	return get(array_of(s, kind), at);
}

/* Namespaces are interned: mostly the same pointer. */
#define NEAR_END	32

static int compare(enum knp_kind kind, const void *object, const char *ns,
		   const char *name)
{
	const char *has = kinds[kind].ns(object);
	int cmp = has == ns ? 0 : strcmp(has, ns);

	return cmp ? cmp : strcmp(kinds[kind].name(object), name);
}

bool knp_store_find(const struct knp_store *s, enum knp_kind kind,
		    const char *ns, const char *name, size_t *at)
{
	const void *array = array_of(s, kind);
	size_t hi = knp_store_count(s, kind);
	size_t lo = 0;

	/* Lists are in order, nearly: what comes next belongs near the end. */
	if (hi && compare(kind, get(array, hi - 1), ns, name) < 0)
		lo = hi;
	else if (hi > NEAR_END &&
		 compare(kind, get(array, hi - NEAR_END), ns, name) < 0)
		lo = hi - NEAR_END;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int cmp = compare(kind, get(array, mid), ns, name);

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

int knp_store_reserve(struct knp_store *s, enum knp_kind kind, size_t n)
{
	void *array;

	if (n <= s->room[kind])
		return 0;
	array = reallocarray(array_of(s, kind), n, sizeof(void *));
	if (!array)
		return -ENOMEM;
	array_set(s, kind, array);
	s->room[kind] = n;
	return 0;
}

/* By a half: doubling leaves too much unused. */
static int make_room(struct knp_store *s, enum knp_kind kind)
{
	size_t n = *count_of(s, kind);

	if (n < s->room[kind])
		return 0;
	return knp_store_reserve(s, kind, n + n / 2 + 8);
}

static void changed(struct knp_store *s, enum knp_kind kind, const void *was,
		    const void *is)
{
	s->version++;
	s->changes[kind][!was ? KNP_CREATED : is ? KNP_UPDATED : KNP_DELETED]++;
	if (!s->ops)
		return;
	if (kind == KNP_KIND_NAMESPACE)
		s->ops->ns(s->arg, was, is);
	else if (kind == KNP_KIND_POD)
		s->ops->pod(s->arg, was, is);
	else
		s->ops->policy(s->arg, was, is);
}

/* Whether policies of a namespace are kept: it terminates, and has a pod. */
static bool keeps(const struct knp_store *s, const char *ns)
{
	size_t at;

	if (!knp_store_find(s, KNP_KIND_NAMESPACE, "", ns, &at) ||
	    !s->namespaces[at]->terminating)
		return false;
	/* No pod has this name: the place is that of the first one. */
	knp_store_find(s, KNP_KIND_POD, ns, "", &at);
	return at < s->npods && !strcmp(s->pods[at]->ns, ns);
}

/* A change, of which those who follow the rules need not know. */
static void set_kept(struct knp_store *s, struct knp_policy *policy, bool kept)
{
	if (policy->kept == kept)
		return;
	policy->kept = kept;
	policy->told = false;
	if (kept)
		s->nkept++;
	else
		s->nkept--;
	s->version++;
}

void knp_store_confirm(struct knp_store *s, enum knp_kind kind, size_t at)
{
	if (kind == KNP_KIND_POLICY)
		set_kept(s, s->policies[at], false);
}

static void *take(struct knp_store *s, enum knp_kind kind, size_t at)
{
	size_t *n = count_of(s, kind);
	char *array = array_of(s, kind);
	void *object = get(array, at);

	knp_store_confirm(s, kind, at);
	*n -= 1;
	memmove(array + at * sizeof(void *), array + (at + 1) * sizeof(void *),
		(*n - at) * sizeof(void *));
	changed(s, kind, object, NULL);
	return object;
}

/* @ns NULL: of all namespaces. */
static void release(struct knp_store *s, const char *ns)
{
	const struct knp_policy *policy;
	size_t at = 0;

	if (!s->nkept || s->pinned)
		return;
	if (ns)
		knp_store_find(s, KNP_KIND_POLICY, ns, "", &at);
	while (at < s->npolicies) {
		policy = s->policies[at];
		if (ns && strcmp(policy->ns, ns))
			break;
		if (policy->kept && !keeps(s, policy->ns))
			knp_policy_free(take(s, KNP_KIND_POLICY, at));
		else
			at++;
	}
}

void knp_store_pin(struct knp_store *s)
{
	s->pinned = true;
}

void knp_store_unpin(struct knp_store *s)
{
	if (!s->pinned)
		return;
	s->pinned = false;
	release(s, NULL);
}

/* What was taken in is put; @object is freed if it cannot be. */
static int put(struct knp_store *s, enum knp_kind kind, void *object)
{
	size_t *n = count_of(s, kind);
	char *array;
	void *old;
	size_t at;

	if (knp_store_find(s, kind, kinds[kind].ns(object),
			   kinds[kind].name(object), &at)) {
		old = get(array_of(s, kind), at);
		if (old == object)
			return 0;
		knp_store_confirm(s, kind, at);
		if (kinds[kind].equal(old, object)) {
			kinds[kind].free(object);
			return 0;
		}
		set(array_of(s, kind), at, object);
		changed(s, kind, old, object);
		kinds[kind].free(old);
		if (kind == KNP_KIND_NAMESPACE)
			release(s, kinds[kind].name(object));
		return 0;
	}
	if (make_room(s, kind)) {
		kinds[kind].free(object);
		return -ENOMEM;
	}
	array = array_of(s, kind);
	memmove(array + (at + 1) * sizeof(void *), array + at * sizeof(void *),
		(*n - at) * sizeof(void *));
	set(array, at, object);
	*n += 1;
	changed(s, kind, NULL, object);
	return 0;
}

void knp_store_intake(struct knp_store *s, knp_store_intake_fn intake,
		      void *arg)
{
	s->intake = intake;
	s->intake_arg = arg;
}

static int take_in(const struct knp_store *s, enum knp_kind kind,
		   void **object)
{
	struct knp_pod *other = NULL;
	int err;

	if (kind != KNP_KIND_POD || !s->intake)
		return 0;
	err = s->intake(s->intake_arg, *object, &other);
	if (err || !other)
		return err;
	knp_pod_free(*object);
	*object = other;
	return 0;
}

int knp_store_put(struct knp_store *s, enum knp_kind kind, void *object)
{
	int err = take_in(s, kind, &object);

	if (!err)
		return put(s, kind, object);
	kinds[kind].free(object);
	return err;
}

void *knp_store_take(struct knp_store *s, enum knp_kind kind, const char *ns,
		     const char *name)
{
	void *object;
	size_t at;

	if (!knp_store_find(s, kind, ns, name, &at))
		return NULL;
	object = take(s, kind, at);
	if (kind == KNP_KIND_NAMESPACE)
		release(s, kinds[kind].name(object));
	else if (kind == KNP_KIND_POD)
		release(s, kinds[kind].ns(object));
	return object;
}

void knp_store_del(struct knp_store *s, enum knp_kind kind, const char *ns,
		   const char *name)
{
	void *object;
	size_t at;

	if (kind == KNP_KIND_POLICY && keeps(s, ns)) {
		if (knp_store_find(s, kind, ns, name, &at))
			set_kept(s, s->policies[at], true);
		return;
	}
	object = knp_store_take(s, kind, ns, name);
	if (object)
		kinds[kind].free(object);
}

int knp_store_take_in(const struct knp_store *s, enum knp_kind kind,
		      struct knp_store *from)
{
	void *array = array_of(from, kind);
	void *object;
	int err = 0;

	for (size_t i = 0; !err && i < knp_store_count(from, kind); i++) {
		object = get(array, i);
		err = take_in(s, kind, &object);
		set(array, i, object);
	}
	return err;
}

void knp_store_put_all(struct knp_store *s, enum knp_kind kind,
		       struct knp_store *from)
{
	const void *array = array_of(from, kind);
	size_t n = knp_store_count(from, kind);

	*count_of(from, kind) = 0;
	for (size_t i = 0; i < n; i++)
		(void)put(s, kind, get(array, i));
}

int knp_store_set_ifaces(struct knp_store *s, const uint32_t *ifaces, size_t n)
{
	uint32_t *v = calloc(n + 1, sizeof(*v));
	size_t used = 0;

	if (!v)
		return -ENOMEM;
	if (n) {
		memcpy(v, ifaces, n * sizeof(*v));
		qsort(v, n, sizeof(*v), knp_by_number);
	}
	for (size_t i = 0; i < n; i++)
		if (!used || v[i] != v[used - 1])
			v[used++] = v[i];
	if (used == s->nifaces &&
	    (!used || !memcmp(v, s->ifaces, used * sizeof(*v)))) {
		free(v);
		return 0;
	}
	free(s->ifaces);
	s->ifaces = v;
	s->nifaces = used;
	s->ifaces_version = ++s->version;
	return 0;
}

static int by_bound(const void *a, const void *b)
{
	const struct knp_bound *ba = a, *bb = b;

	if (ba->ip.family != bb->ip.family)
		return ba->ip.family < bb->ip.family ? -1 : 1;
	return memcmp(ba->ip.b, bb->ip.b, sizeof(ba->ip.b));
}

/* Sorted; those that are behind several interfaces are left out. */
static size_t settle_bounds(struct knp_bound *v, size_t n)
{
	size_t used = 0, same;
	bool several;

	for (size_t i = 0; i < n; i += same) {
		several = false;
		for (same = 1; i + same < n && !by_bound(&v[i], &v[i + same]);
		     same++)
			several |= v[i].ifindex != v[i + same].ifindex;
		if (!several)
			v[used++] = v[i];
	}
	return used;
}

int knp_store_set_bounds(struct knp_store *s, const struct knp_bound *bounds,
			 size_t n)
{
	struct knp_bound *v = calloc(n + 1, sizeof(*v));
	bool same;

	if (!v)
		return -ENOMEM;
	if (n) {
		memcpy(v, bounds, n * sizeof(*v));
		qsort(v, n, sizeof(*v), by_bound);
	}
	n = settle_bounds(v, n);
	same = n == s->nbounds;
	for (size_t i = 0; same && i < n; i++)
		same = !by_bound(&v[i], &s->bounds[i]) &&
		       v[i].ifindex == s->bounds[i].ifindex;
	if (same) {
		free(v);
		return 0;
	}
	free(s->bounds);
	s->bounds = v;
	s->nbounds = n;
	s->bounds_version = ++s->version;
	return 0;
}

static const void *look(const struct knp_store *s, enum knp_kind kind,
			const char *ns, const char *name)
{
	size_t at;

	if (!knp_store_find(s, kind, ns, name, &at))
		return NULL;
	return knp_store_at(s, kind, at);
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
	free(s->ifaces);
	free(s->bounds);
	free(s);
}

void knp_store_watch(struct knp_store *s, const struct knp_store_ops *ops,
		     void *arg)
{
	s->ops = ops;
	s->arg = arg;
}

int knp_store_put_namespace(struct knp_store *s, struct knp_namespace *ns)
{
	return knp_store_put(s, KNP_KIND_NAMESPACE, ns);
}

int knp_store_put_pod(struct knp_store *s, struct knp_pod *pod)
{
	return knp_store_put(s, KNP_KIND_POD, pod);
}

int knp_store_put_policy(struct knp_store *s, struct knp_policy *policy)
{
	return knp_store_put(s, KNP_KIND_POLICY, policy);
}

struct knp_namespace *knp_store_take_namespace(struct knp_store *s,
					       const char *name)
{
	return knp_store_take(s, KNP_KIND_NAMESPACE, "", name);
}

struct knp_pod *knp_store_take_pod(struct knp_store *s, const char *ns,
				   const char *name)
{
	return knp_store_take(s, KNP_KIND_POD, ns, name);
}

struct knp_policy *knp_store_take_policy(struct knp_store *s, const char *ns,
					 const char *name)
{
	return knp_store_take(s, KNP_KIND_POLICY, ns, name);
}

void knp_store_del_namespace(struct knp_store *s, const char *name)
{
	knp_store_del(s, KNP_KIND_NAMESPACE, "", name);
}

void knp_store_del_pod(struct knp_store *s, const char *ns, const char *name)
{
	knp_store_del(s, KNP_KIND_POD, ns, name);
}

void knp_store_del_policy(struct knp_store *s, const char *ns, const char *name)
{
	knp_store_del(s, KNP_KIND_POLICY, ns, name);
}

const struct knp_namespace *knp_store_namespace(const struct knp_store *s,
						const char *name)
{
	return look(s, KNP_KIND_NAMESPACE, "", name);
}

const struct knp_pod *knp_store_pod(const struct knp_store *s, const char *ns,
				    const char *name)
{
	return look(s, KNP_KIND_POD, ns, name);
}

const struct knp_policy *knp_store_policy(const struct knp_store *s,
					  const char *ns, const char *name)
{
	return look(s, KNP_KIND_POLICY, ns, name);
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

int knp_prefix_order(const struct knp_prefix *a, const struct knp_prefix *b)
{
	int order;

	if (a->ip.family != b->ip.family)
		return a->ip.family < b->ip.family ? -1 : 1;
	order = memcmp(a->ip.b, b->ip.b, sizeof(a->ip.b));
	return order ? order : (a->len > b->len) - (a->len < b->len);
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

bool knp_ip_equal(const struct knp_ip *a, const struct knp_ip *b)
{
	return a->family == b->family && !memcmp(a->b, b->b, sizeof(a->b));
}

bool knp_ip_among(const struct knp_ip *ip, const struct knp_ip *ips, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (knp_ip_equal(ip, &ips[i]))
			return true;
	return false;
}

const char *knp_ip_format(const struct knp_ip *ip, char buf[46])
{
	return inet_ntop(ip->family, ip->b, buf, 46);
}
