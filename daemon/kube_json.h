/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an API server sends, read with json-c: a line of a watch, a page of a
 * list, the Status of a refusal.
 *
 * Strict about what a text is: an event or a list of another kind (a Table,
 * say) is none. Namespaces may come as PartialObjectMetadata. What an object
 * holds is judged by decode.c, one by one; a refused one is named and its
 * neighbours are decoded.
 *
 * Texts are at most 64 levels deep, valid UTF-8, and no object in them holds a
 * key twice. Whoever reads bounds their length.
 */
#ifndef KNP_KUBE_JSON_H
#define KNP_KUBE_JSON_H

#include "kube_event.h"

/* "namespaces", "pods", "networkpolicies": as in a URL, and for faults. */
const char *knp_kube_resource(enum knp_kind kind);

/**
 * knp_kube_json_event() - decode one watch event
 * @buf: one JSON text; a NUL follows it
 * @len: of the text
 * @kind: which resource is watched
 * @ret: the event; to knp_object_clear() its object. An object without a name
 *	makes it KNP_EVENT_UNKNOWN: there is nothing to do but to tell.
 * @faults: appended to, with the resource as file; may be NULL
 * @why: set to a reason to free(), or NULL, on -EBADMSG
 *
 * Return: 0; -EBADMSG if it is no event of this resource; -ENOMEM. @ret is set
 * only on 0.
 */
int knp_kube_json_event(const char *buf, size_t len, enum knp_kind kind,
			struct knp_kube_event *ret, struct knp_faults *faults,
			char **why);

/**
 * knp_kube_json_page() - decode one page of a list
 * @buf: one JSON text; a NUL follows it
 * @len: of the text
 * @kind: which resource is listed
 * @fn: called for every item that has a name, in their order
 * @arg: for @fn
 * @ret: what the page says beside its items
 * @faults: appended to, with the resource as file; may be NULL
 * @why: set to a reason to free(), or NULL, on -EBADMSG
 *
 * Items may have been handed to @fn when an error is returned; a list that did
 * not end is none, and the caller must discard them.
 *
 * Return: 0; -EBADMSG if it is no list of this resource; -ENOMEM; what @fn
 * returned, if not 0.
 */
int knp_kube_json_page(const char *buf, size_t len, enum knp_kind kind,
		       knp_object_fn fn, void *arg, struct knp_page *ret,
		       struct knp_faults *faults, char **why);

/*
 * Decode the Status in the body of a refusal; a NUL follows it. Return 0,
 * -EBADMSG if it is none, or -ENOMEM; @ret is set only on 0.
 */
int knp_kube_json_status(const char *buf, size_t len, struct knp_status *ret);

#endif /* KNP_KUBE_JSON_H */
