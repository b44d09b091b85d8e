// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "store.h"

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

static bool namespace_equal(const void *a, const void *b)
{
	return knp_namespace_equal(a, b);
}

static bool pod_equal(const void *a, const void *b)
{
	return knp_pod_equal(a, b);
}

static bool policy_equal(const void *a, const void *b)
{
	return knp_policy_equal(a, b);
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
