/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fields of Pods that policy needs, found in the API server's JSON without
 * building a tree: the part of pod_json.c that simdjson does, and the only C++
 * of the project (pod_walk.cc). What the fields mean is not decided here.
 *
 * A text is walked as a whole, also where nothing is needed: what is reported
 * as walked is JSON that json-c reads in the same way. Where an object has a
 * needed field that is not plain (another type, given twice, a string or key
 * with an escape, more than there is room for) the object is reported as not
 * plain and its neighbours are not touched by that.
 */
#ifndef KNP_POD_WALK_H
#define KNP_POD_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "cports.h"
#include "labels.h"
#include "strings.h"

/* Bytes that must be readable, with any content, behind a text. */
#define KNP_WALK_PADDING	64

/* More of one Pod are not plain. */
#define KNP_WALK_LABELS		64
#define KNP_WALK_IPS		8
#define KNP_WALK_PORTS		128

/**
 * struct knp_pod_item - one object that was walked
 * @bytes: all of it, white space may follow
 * @plain: the members below count
 * @api, @kind: apiVersion and kind
 * @version: metadata.resourceVersion
 * @created: metadata.creationTimestamp
 * @ip: status.podIP
 * @ips: status.podIPs[].ip
 * @ports: of containers, then of sidecars, with their protocol and number
 *	checked
 *
 * A string that is absent or null has .s NULL. All points into the text.
 */
struct knp_pod_item {
	struct knp_text bytes;
	bool plain;
	struct knp_text api;
	struct knp_text kind;
	struct knp_text name;
	struct knp_text ns;
	struct knp_text uid;
	struct knp_text version;
	struct knp_text created;
	struct knp_text node;
	struct knp_text phase;
	struct knp_text ip;
	struct knp_text ips[KNP_WALK_IPS];
	size_t nips;
	struct knp_label_view labels[KNP_WALK_LABELS];
	size_t nlabels;
	struct knp_port_view ports[2 * KNP_WALK_PORTS];
	size_t nports;
	bool host_network;
};

/** struct knp_pod_list - a list beside its items; .s is NULL where absent */
struct knp_pod_list {
	struct knp_text api;
	struct knp_text kind;
	struct knp_text version;
	struct knp_text next;
	bool has_items;
};

struct knp_pod_walker;

/* NULL if out of memory. */
struct knp_pod_walker *knp_pod_walker_new(void);
void knp_pod_walker_free(struct knp_pod_walker *w);

/* Called for every item, which is valid until it returns. Not 0 ends. */
typedef int (*knp_pod_item_fn)(void *arg, struct knp_pod_item *item);

/**
 * knp_pod_walk_page() - walk a list
 * @w: the walker
 * @buf: the list, with KNP_WALK_PADDING bytes behind it
 * @len: of the list
 * @fn: called for every item in its order, before the rest is known to be good
 * @arg: for @fn
 * @ret: set on 0
 *
 * Return: 0; 1 if the list as a whole is not plain, or no JSON; -ENOMEM; what
 * @fn returned, if not 0.
 */
int knp_pod_walk_page(struct knp_pod_walker *w, const char *buf, size_t len,
		      knp_pod_item_fn fn, void *arg, struct knp_pod_list *ret);

/**
 * knp_pod_walk_event() - walk a watch event
 * @w: the walker
 * @buf: the event, with KNP_WALK_PADDING bytes behind it
 * @len: of the event
 * @type: its type, set on 0
 * @ret: its object, valid until the next call; set on 0
 *
 * Return: 0; 1 if the event is not plain, or no JSON; -ENOMEM.
 */
int knp_pod_walk_event(struct knp_pod_walker *w, const char *buf, size_t len,
		       struct knp_text *type, struct knp_pod_item **ret);

#endif /* KNP_POD_WALK_H */
