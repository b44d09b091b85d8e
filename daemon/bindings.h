/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bindings: what the container runtime said, through knp-cni, when it gave a
 * pod its network. PURE: no kernel, network, clock or file.
 *
 * The API server tells a pod's addresses one to three seconds after the pod
 * has them. A binding knows them before the pod's first process runs: an
 * attachment (container and interface, what a runtime adds and deletes) of a
 * pod (namespace, name, uid), its addresses, and the host's end of its
 * interface.
 *
 * Which pod. Namespace and name, and the uid, so that the next pod of a name
 * is not taken for the one before. A uid that is no UUID of an API server (the
 * kubelet's own of a static pod, whose mirror has another) and a pod without
 * one are matched by name alone. A pod has the addresses of all its bindings
 * beside those that the API server says: a pod whose sandbox is made anew has
 * new ones here first, and the old ones there, until its kubelet has told
 * them.
 *
 * Which address. The last binding that names one has it: the runtime has given
 * it to the next pod, whatever is left of the one before.
 *
 * Ownership: everything in here is the bindings' own; pointers to a binding are
 * valid until the next change.
 */
#ifndef KNP_BINDINGS_H
#define KNP_BINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store.h"

struct json_object;
struct knp_bindings;

/* Addresses of one attachment, and of all of a pod. */
#define KNP_BINDING_IPS		8

/** struct knp_attachment - what CNI adds and deletes */
struct knp_attachment {
	char *container;
	char *ifname;
};

/**
 * struct knp_binding - an attachment and whose it is
 * @network: name of the network configuration
 * @uid: of the pod, as it was said; may be empty
 * @ifindex: of the host's end, 0: it has none
 */
struct knp_binding {
	struct knp_attachment at;
	char *network;
	char *ns;
	char *name;
	char *uid;
	uint32_t ifindex;
	uint32_t nips;
	struct knp_ip ips[KNP_BINDING_IPS];
};

/*
 * Told of each pod that has other addresses now; bindings must not be changed
 * from within.
 */
typedef void (*knp_bindings_fn)(void *arg, const char *ns, const char *name);

/* NULL if out of memory. */
struct knp_bindings *knp_bindings_new(knp_bindings_fn touched, void *arg);
void knp_bindings_free(struct knp_bindings *b);

/**
 * knp_bindings_add() - add one, or replace that of the same attachment
 * @b: the bindings
 * @binding: taken over, also on failure
 *
 * Return: 0 or -ENOMEM, with nothing changed.
 */
int knp_bindings_add(struct knp_bindings *b, struct knp_binding *binding);

/* Whether there was one. */
bool knp_bindings_del(struct knp_bindings *b, const struct knp_attachment *at);

/* Delete those of a network that are not in @v; how many there were. */
size_t knp_bindings_keep(struct knp_bindings *b, const char *network,
			 const struct knp_attachment *v, size_t n);

/*
 * Delete those that had an interface which is none of @v, ascending, any more;
 * how many there were.
 */
size_t knp_bindings_keep_links(struct knp_bindings *b, const uint32_t *v,
			       size_t n);

size_t knp_bindings_count(const struct knp_bindings *b);

/* The one at a place, the oldest first. */
const struct knp_binding *knp_bindings_at(const struct knp_bindings *b,
					  size_t i);
const struct knp_binding *knp_bindings_find(const struct knp_bindings *b,
					    const struct knp_attachment *at);

/* Whether a binding is this pod's. */
bool knp_binding_is_of(const struct knp_binding *binding,
		       const struct knp_pod *pod);

/**
 * knp_bindings_bind() - a pod with the addresses that are bound to it
 * @b: the bindings
 * @pod: of this node, with any addresses bound to it or none
 * @ret: a copy to knp_pod_free(), or NULL if it has just those
 *
 * A pod on the host's network, or one that is over, has none.
 *
 * Return: 0 or -ENOMEM.
 */
int knp_bindings_bind(const struct knp_bindings *b, const struct knp_pod *pod,
		      struct knp_pod **ret);

/* All as JSON, and back, appended; NULL if out of memory. -EINVAL, -ENOMEM. */
struct json_object *knp_bindings_json(const struct knp_bindings *b);
int knp_bindings_parse(struct knp_bindings *b, struct json_object *array);

/*
 * One as JSON, and back. Parsing returns 0, -EINVAL if something is missing,
 * malformed or of a size that no runtime says, -ENOMEM.
 */
struct json_object *knp_binding_json(const struct knp_binding *binding);
int knp_binding_parse(struct json_object *obj, struct knp_binding **ret);
int knp_attachment_parse(struct json_object *obj, struct knp_attachment *ret);

/* Accept NULL, and half of one. */
void knp_binding_free(struct knp_binding *binding);
void knp_attachment_clear(struct knp_attachment *at);

#endif /* KNP_BINDINGS_H */
