// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "live_impl.h"

int live_queue(struct knp_recs *queue, void *object, bool *queued)
{
	queue->size = sizeof(object);
	if (*queued)
		return 0;
	if (!knp_recs_add(queue, &object))
		return -ENOMEM;
	*queued = true;
	return 0;
}

static void note(struct knp_live *l, int err)
{
	if (err && !l->failed)
		l->failed = err;
}

static void on_namespace(void *arg, const struct knp_namespace *old,
			 const struct knp_namespace *new)
{
	const char *name = new ? new->name : old->name;
	struct knp_live *l = arg;

	if (l->failed)
		return;
	note(l, live_ns_label(l, name, new ? new->labels : NULL));
}

static void on_pod(void *arg, const struct knp_pod *old,
		   const struct knp_pod *new)
{
	struct knp_live *l = arg;

	/* What is half done must not be touched: only freed. */
	if (l->failed)
		return;
	if (old)
		note(l, live_pod_went(l, old));
	if (new && !l->failed)
		note(l, live_pod_came(l, new));
}

static void on_policy(void *arg, const struct knp_policy *old,
		      const struct knp_policy *new)
{
	struct knp_live *l = arg;

	if (l->failed)
		return;
	/* An object of the same name that is another one. */
	if (old && (!new || strcmp(old->uid, new->uid)))
		note(l, live_policy_del(l, old));
	if (new)
		note(l, live_policy_put(l, (struct knp_policy *)new));
}

static const struct knp_store_ops ops = {
	.ns = on_namespace,
	.pod = on_pod,
	.policy = on_policy,
};

static int read_store(struct knp_live *l)
{
	const struct knp_store *s = l->store;
	int err = 0;

	for (size_t i = 0; !err && i < s->npods; i++)
		err = live_pod_came(l, s->pods[i]);
	for (size_t i = 0; !err && i < s->npolicies; i++)
		err = live_policy_put(l, s->policies[i]);
	return err;
}

int knp_live_new(struct knp_store *store, const char *node,
		 const struct knp_limits *limits, struct knp_live **ret)
{
	struct knp_live *l = calloc(1, sizeof(*l));
	int err = -ENOMEM;

	if (!l)
		return -ENOMEM;
	l->store = store;
	l->limits = limits;
	if (node) {
		l->node = knp_string_dup(node);
		if (!l->node)
			goto failed;
	}
	l->losers.size = sizeof(uintptr_t);
	err = live_ns_init(l);
	if (!err)
		err = live_regions(l);
	if (!err)
		err = read_store(l);
	/* Too many addresses of one pod: the first update says so. */
	if (err == -E2BIG) {
		l->failed = err;
		err = 0;
	}
	if (err)
		goto failed;
	knp_store_watch(store, &ops, l);
	*ret = l;
	return 0;

failed:
	knp_live_free(l);
	return err;
}

static void numbers_clear(struct live_numbers *n)
{
	free(n->v.v);
	free(n->spare.v);
}

void knp_live_free(struct knp_live *l)
{
	if (!l)
		return;
	knp_store_watch(l->store, NULL, NULL);
	live_row_clear(l);
	live_policy_clear(l);
	live_class_clear(l);
	live_blocks_clear(l);
	live_peer_clear(l);
	live_address_clear(l);
	live_ns_clear(l);
	live_diff_clear(l);
	live_link_clear(l);
	numbers_clear(&l->peer_numbers);
	for (int i = 0; i < LIVE_KINDS; i++) {
		numbers_clear(&l->numbers[i]);
		numbers_clear(&l->ids[i]);
	}
	knp_port_names_clear(&l->names);
	free(l->any_names.v);
	free(l->ns_queue.v);
	free(l->group_queue.v);
	knp_buf_clear(&l->buf);
	knp_string_put(l->node);
	free(l);
}

/* Tables that are too small are compile.c's business. */
static int check_limits(const struct knp_live *l)
{
	const uint32_t *limit = l->limits->v;

	if (l->nrows > limit[KNP_TABLE_ROW] ||
	    l->naddresses > limit[KNP_TABLE_PEER] ||
	    l->cidr_regions.n > limit[KNP_TABLE_CIDR] ||
	    l->nlocal > limit[KNP_TABLE_ENDPOINT] ||
	    l->store->nifaces > limit[KNP_TABLE_IFACE] ||
	    l->store->nbounds > limit[KNP_TABLE_BINDING])
		return -E2BIG;
	return 0;
}

static void end_queues(struct knp_live *l)
{
	struct live_group **groups = l->group_queue.v;
	struct live_ns **namespaces = l->ns_queue.v;

	for (size_t i = 0; i < l->group_queue.n; i++)
		groups[i]->queued = false;
	for (size_t i = 0; i < l->ns_queue.n; i++) {
		namespaces[i]->queued = false;
		/* A policy that is gone may still point to it. */
		if (!l->failed)
			live_ns_sweep(l, namespaces[i]);
	}
	l->group_queue.n = 0;
	l->ns_queue.n = 0;
}

int knp_live_update(struct knp_live *l)
{
	static int (*const steps[])(struct knp_live *l) = {
		live_subjects, live_rules, live_match, live_regions,
		live_classes, live_rows,
	};

	live_groups_sweep(l);
	for (size_t i = 0; !l->failed && i < sizeof(steps) / sizeof(*steps); i++)
		note(l, steps[i](l));
	if (!l->failed)
		note(l, check_limits(l));
	end_queues(l);
	live_end(l);
	return l->failed;
}

bool knp_live_known(const struct knp_live *l)
{
	return l->known;
}
