// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot.h"
#include "json_build.h"
#include "local.h"
#include "log.h"
#include "ruleset.h"
#include "runtime.h"

/**
 * struct knp_local - a store that is looked after
 * @dir: of the bindings; NULL: they are not kept
 * @pods: uint32_t, interfaces of pods as links.h has found them
 * @routes: struct knp_bound, addresses behind them, likewise
 * @failed: errno of a change of the store that could not be made
 */
struct knp_local {
	struct knp_store *store;
	const char *node;
	const char *dir;
	struct knp_boot boot;
	struct knp_bindings *bindings;
	struct knp_recs pods;
	struct knp_recs routes;
	int failed;
	char pending[640];
};

static int intake(void *arg, const struct knp_pod *pod, struct knp_pod **ret)
{
	const struct knp_local *l = arg;

	if (strcmp(pod->node, l->node))
		return 0;
	return knp_bindings_bind(l->bindings, pod, ret);
}

/* A pod of this node may have other addresses now. */
static void on_touched(void *arg, const char *ns, const char *name)
{
	struct knp_local *l = arg;
	const struct knp_pod *pod = knp_store_pod(l->store, ns, name);
	struct knp_pod *other = NULL;
	int err;

	if (!pod)
		return;
	err = intake(l, pod, &other);
	if (!err && other)
		err = knp_store_put_pod(l->store, other);
	if (err)
		l->failed = err;
}

int knp_local_new(struct knp_store *store, const char *node,
		  struct knp_local **ret)
{
	struct knp_local *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->store = store;
	l->node = node;
	l->pods.size = sizeof(uint32_t);
	l->routes.size = sizeof(struct knp_bound);
	l->bindings = knp_bindings_new(on_touched, l);
	if (!l->bindings) {
		free(l);
		return -ENOMEM;
	}
	knp_boot_read(&l->boot);
	knp_store_intake(store, intake, l);
	*ret = l;
	return 0;
}

void knp_local_free(struct knp_local *l)
{
	if (!l)
		return;
	knp_store_intake(l->store, NULL, NULL);
	knp_bindings_free(l->bindings);
	free(l->pods.v);
	free(l->routes.v);
	free(l);
}

/* ---- on disk ------------------------------------------------------------- */

static int take_document(struct knp_local *l, struct json_object *doc)
{
	struct json_object *boot, *array;

	if (!json_object_object_get_ex(doc, "boot", &boot) ||
	    !json_object_object_get_ex(doc, "bindings", &array))
		return -EBADMSG;
	if (!l->boot.id[0] || !json_object_is_type(boot, json_type_string) ||
	    strcmp(json_object_get_string(boot), l->boot.id))
		return 0;
	return knp_bindings_parse(l->bindings, array);
}

/* Half of them would be as bad as none, and would look like all. */
static int forget_all(struct knp_local *l, int err)
{
	struct knp_bindings *none = knp_bindings_new(on_touched, l);

	if (none) {
		knp_bindings_free(l->bindings);
		l->bindings = none;
	}
	return err;
}

int knp_local_load(struct knp_local *l, const char *dir, bool keep)
{
	struct json_object *doc;
	int err;

	l->dir = keep ? dir : NULL;
	err = knp_runtime_read(dir, KNP_BINDINGS_FILE, &doc);
	if (err)
		return err == -ENOENT ? 0 : err;
	err = take_document(l, doc);
	json_object_put(doc);
	return err ? forget_all(l, err) : 0;
}

static int save(const struct knp_local *l)
{
	struct json_object *doc;
	int err = 0;

	if (!l->dir)
		return 0;
	doc = json_object_new_object();
	if (!doc)
		return -ENOMEM;
	err |= knp_json_add_string(doc, "boot", l->boot.id);
	err |= knp_json_add(doc, "bindings", knp_bindings_json(l->bindings));
	if (!err)
		err = knp_runtime_write(l->dir, KNP_BINDINGS_FILE, doc);
	json_object_put(doc);
	return err;
}

/* ---- interfaces ---------------------------------------------------------- */

static int update_ifaces(struct knp_local *l)
{
	size_t n = knp_bindings_count(l->bindings);
	uint32_t *v = calloc(l->pods.n + n + 1, sizeof(*v));
	size_t used = l->pods.n;
	uint32_t ifindex;
	int err;

	if (!v)
		return -ENOMEM;
	if (used)
		memcpy(v, l->pods.v, used * sizeof(*v));
	for (size_t i = 0; i < n; i++) {
		ifindex = knp_bindings_at(l->bindings, i)->ifindex;
		if (ifindex)
			v[used++] = ifindex;
	}
	err = knp_store_set_ifaces(l->store, v, used);
	free(v);
	return err;
}

static int add_bound(const struct knp_binding *b, struct knp_recs *ret)
{
	struct knp_bound bound = { .ifindex = b->ifindex };

	for (uint32_t i = 0; b->ifindex && i < b->nips; i++) {
		bound.ip = b->ips[i];
		if (!knp_recs_add(ret, &bound))
			return -ENOMEM;
	}
	return 0;
}

static bool is_bound(const struct knp_local *l, const struct knp_ip *ip)
{
	const struct knp_binding *b;

	for (size_t i = 0; i < knp_bindings_count(l->bindings); i++) {
		b = knp_bindings_at(l->bindings, i);
		if (b->ifindex && knp_ip_among(ip, b->ips, b->nips))
			return true;
	}
	return false;
}

static int update_bounds(struct knp_local *l)
{
	struct knp_recs all = { .size = sizeof(struct knp_bound) };
	const struct knp_bound *routes = l->routes.v;
	int err = 0;

	for (size_t i = 0; !err && i < knp_bindings_count(l->bindings); i++)
		err = add_bound(knp_bindings_at(l->bindings, i), &all);
	for (size_t i = 0; !err && i < l->routes.n; i++)
		if (!is_bound(l, &routes[i].ip) &&
		    !knp_recs_add(&all, &routes[i]))
			err = -ENOMEM;
	if (!err)
		err = knp_store_set_bounds(l->store, all.v, all.n);
	free(all.v);
	return err;
}

static int update_links(struct knp_local *l)
{
	int err = update_ifaces(l);

	return err ? err : update_bounds(l);
}

/* Everything that follows from a change of the bindings. */
static int settle(struct knp_local *l)
{
	int err = update_links(l);

	if (!err)
		err = save(l);
	if (!err)
		err = l->failed;
	l->failed = 0;
	return err;
}

static bool copy(struct knp_recs *ret, const void *v, size_t n)
{
	const char *rec = v;

	for (size_t i = 0; i < n; i++, rec += ret->size)
		if (!knp_recs_add(ret, rec))
			return false;
	return true;
}

int knp_local_set_links(struct knp_local *l, const struct knp_links_view *view)
{
	struct knp_recs routes = { .size = sizeof(struct knp_bound) };
	struct knp_recs pods = { .size = sizeof(uint32_t) };
	size_t gone;

	if (!copy(&pods, view->pods, view->npods) ||
	    !copy(&routes, view->bounds, view->nbounds)) {
		free(pods.v);
		free(routes.v);
		return -ENOMEM;
	}
	free(l->pods.v);
	free(l->routes.v);
	l->pods = pods;
	l->routes = routes;
	gone = knp_bindings_keep_links(l->bindings, view->all, view->nall);
	if (!gone)
		return update_links(l);
	knp_log(KNP_LOG_INFO, "%zu pods lost their interface without a word of knp-cni",
		gone);
	return settle(l);
}

/* ---- bindings ------------------------------------------------------------ */

int knp_local_add(struct knp_local *l, struct knp_binding *binding)
{
	struct knp_attachment at = {
		.container = strdup(binding->at.container),
		.ifname = strdup(binding->at.ifname),
	};
	int err;

	if (!at.container || !at.ifname) {
		knp_binding_free(binding);
		knp_attachment_clear(&at);
		return -ENOMEM;
	}
	err = knp_bindings_add(l->bindings, binding);
	if (!err) {
		err = settle(l);
		if (err)
			knp_local_del(l, &at);
	}
	knp_attachment_clear(&at);
	return err;
}

int knp_local_del(struct knp_local *l, const struct knp_attachment *at)
{
	return knp_bindings_del(l->bindings, at) ? settle(l) : 0;
}

int knp_local_keep(struct knp_local *l, const char *network,
		   const struct knp_attachment *v, size_t n)
{
	return knp_bindings_keep(l->bindings, network, v, n) ? settle(l) : 0;
}

static bool shows(const struct knp_pod *pod, const struct knp_ip *ip)
{
	const struct knp_ip *bound = pod->ips + pod->nips - pod->nbound;

	return knp_ip_among(ip, bound, pod->nbound);
}

__attribute__((format(printf, 2, 3)))
static const char *missing(struct knp_local *l, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(l->pending, sizeof(l->pending), format, args);
	va_end(args);
	return l->pending;
}

const char *knp_local_pending(struct knp_local *l,
			      const struct knp_attachment *at)
{
	const struct knp_binding *b = knp_bindings_find(l->bindings, at);
	const struct knp_pod *pod;

	if (!b)
		return missing(l, "the attachment was deleted");
	pod = knp_store_pod(l->store, b->ns, b->name);
	if (!pod)
		return missing(l, "no Pod %.253s/%.253s is known", b->ns, b->name);
	if (!knp_binding_is_of(b, pod))
		return missing(l, "the Pod %.253s/%.253s that is known has another uid",
			       b->ns, b->name);
	if (strcmp(pod->node, l->node))
		return missing(l, "Pod %.253s/%.253s is not known to be on node %.253s",
			       b->ns, b->name, l->node);
	if (pod->host_network || pod->terminal)
		return missing(l, "Pod %.253s/%.253s is known to have no network of its own",
			       b->ns, b->name);
	for (uint32_t i = 0; i < b->nips; i++)
		if (!shows(pod, &b->ips[i]))
			return missing(l, "an address of Pod %.253s/%.253s was given to another one",
				       b->ns, b->name);
	return NULL;
}

bool knp_local_has(const struct knp_local *l,
		   const struct knp_binding *binding)
{
	const struct knp_binding *b = knp_bindings_find(l->bindings,
							&binding->at);

	return b && !strcmp(b->ns, binding->ns) &&
	       !strcmp(b->name, binding->name) && b->nips == binding->nips &&
	       !memcmp(b->ips, binding->ips, b->nips * sizeof(b->ips[0]));
}
