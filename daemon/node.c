// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cni_server.h"
#include "local.h"
#include "log.h"
#include "node.h"

struct knp_node {
	struct knp_store *store;
	const struct knp_node_options *options;
	const struct knp_node_ops *ops;
	void *arg;
	struct knp_local *local;
	struct knp_links *links;
	struct knp_cni_server *server;
};

/* ---- interfaces ---------------------------------------------------------- */

static void read_links(struct knp_node *n)
{
	struct knp_links_view view;
	int err;

	err = knp_links_read(&view);
	if (!err) {
		err = knp_local_set_links(n->local, &view);
		knp_links_clear(&view);
	}
	if (err)
		knp_log(KNP_LOG_WARNING, "cannot take in the interfaces of pods: %s",
			strerror(-err));
}

static void on_links(void *arg)
{
	struct knp_node *n = arg;
	uint64_t version = n->store->version;

	read_links(n);
	if (n->store->version != version)
		n->ops->changed(n->arg);
}

/* ---- knp-cni ------------------------------------------------------------- */

static int on_add(void *arg, struct knp_binding *binding)
{
	struct knp_node *n = arg;
	int err;

	err = knp_local_add(n->local, binding);
	if (!err)
		n->ops->changed(n->arg);
	return err;
}

static void settle(struct knp_node *n, int err)
{
	if (err)
		knp_log(KNP_LOG_WARNING, "cni: what was deleted may be back after a restart: %s",
			strerror(-err));
	n->ops->changed(n->arg);
}

static void on_del(void *arg, const struct knp_attachment *at)
{
	struct knp_node *n = arg;

	settle(n, knp_local_del(n->local, at));
}

static void on_keep(void *arg, const char *network,
		    const struct knp_attachment *v, size_t count)
{
	struct knp_node *n = arg;

	settle(n, knp_local_keep(n->local, network, v, count));
}

static bool on_has(void *arg, const struct knp_binding *binding)
{
	const struct knp_node *n = arg;

	return knp_local_has(n->local, binding);
}

static const char *on_unready(void *arg)
{
	const struct knp_node *n = arg;

	return n->ops->held_up(n->arg);
}

static const char *on_pending(void *arg, const struct knp_attachment *at)
{
	const struct knp_node *n = arg;
	const char *pending = n->ops->held_up(n->arg);

	return pending ? pending : knp_local_pending(n->local, at);
}

static uint64_t on_generation(void *arg)
{
	const struct knp_node *n = arg;

	return n->ops->generation(n->arg);
}

static const struct knp_cni_server_ops server_ops = {
	.add = on_add,
	.del = on_del,
	.keep = on_keep,
	.has = on_has,
	.pending = on_pending,
	.unready = on_unready,
	.generation = on_generation,
};

static int open_server(struct knp_node *n, struct event_base *base)
{
	const char *dir = n->options->dir;
	int err;

	err = knp_cni_server_open(base, dir, &server_ops, n, &n->server);
	if (err)
		knp_log(KNP_LOG_ERR, "cannot listen to knp-cni at %s/%s: %s",
			dir, KNP_CNI_SOCKET, strerror(-err));
	return err;
}

/* ---- both ---------------------------------------------------------------- */

static void load(struct knp_node *n)
{
	const char *dir = n->options->dir;
	int err = knp_local_load(n->local, dir, n->options->listen);

	if (err)
		knp_log(KNP_LOG_WARNING, "cannot use %s/%s, pods without status.podIPs are not known: %s",
			dir, KNP_BINDINGS_FILE, strerror(-err));
}

int knp_node_open(struct event_base *base, struct knp_store *store,
		  const struct knp_node_options *options,
		  const struct knp_node_ops *ops, void *arg,
		  struct knp_node **ret)
{
	struct knp_node *n = calloc(1, sizeof(*n));
	int err;

	if (!n)
		return -ENOMEM;
	n->store = store;
	n->options = options;
	n->ops = ops;
	n->arg = arg;
	err = knp_local_new(store, options->name, &n->local);
	if (err)
		goto failed;
	if (options->cni)
		load(n);
	/* Listen first, read then: what happens in between is told. */
	if (options->listen) {
		err = knp_links_open(base, on_links, n, &n->links);
		if (err)
			knp_log(KNP_LOG_WARNING, "cannot follow the interfaces: %s",
				strerror(-err));
	}
	read_links(n);
	err = options->cni && options->listen ? open_server(n, base) : 0;
	if (err)
		goto failed;
	*ret = n;
	return 0;

failed:
	knp_node_close(n);
	return err;
}

void knp_node_enforced(struct knp_node *n)
{
	if (n->server)
		knp_cni_server_enforced(n->server);
}

void knp_node_close(struct knp_node *n)
{
	if (!n)
		return;
	knp_cni_server_close(n->server);
	knp_links_close(n->links);
	knp_local_free(n->local);
	free(n);
}
