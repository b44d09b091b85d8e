/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pods from the API server's JSON, fast: simdjson's On-Demand parser walks the
 * bytes once (pod_walk.h) and no tree is built. Everything else of the project
 * reads JSON with json-c, at a tenth of the rate and less: `make bench-decode`.
 *
 * One meaning, one place: an object whose needed fields are not plainly what
 * the API promises (another type, a duplicate, a value that decode.c refuses,
 * broken UTF-8) is handed, with its own bytes, to json-c and decode.c, so that
 * what is refused, and with which words, is decided there alone. A page that is
 * not plain JSON as a whole, where for instance one object's bytes are no UTF-8,
 * goes there as a whole, so that the object's neighbours are not lost.
 *
 * Ownership: the parser owns its buffers and reuses them. Not thread-safe.
 */
#ifndef KNP_POD_JSON_H
#define KNP_POD_JSON_H

#include "kube_event.h"

struct knp_pod_json;

/* NULL if out of memory. */
struct knp_pod_json *knp_pod_json_new(void);
void knp_pod_json_free(struct knp_pod_json *p);

/**
 * knp_pod_json_event() - decode one watch event of Pods
 * @p: the parser
 * @buf: the event, one JSON text; KNP_JSON_PADDING bytes behind it are readable
 * @len: of the event
 * @ret: the event; to knp_object_clear() its object
 * @faults: appended to, if the object is refused, with "pods" as file; may be
 *	NULL
 *
 * Return: 0; 1 if this is none of ADDED, MODIFIED, DELETED of a Pod, or is not
 * plain: decode it with json-c; -ENOMEM. @ret is set only on 0.
 */
int knp_pod_json_event(struct knp_pod_json *p, const char *buf, size_t len,
		       struct knp_kube_event *ret, struct knp_faults *faults);

/**
 * knp_pod_json_page() - decode one page of a list of Pods
 * @p: the parser
 * @buf: a PodList; KNP_JSON_PADDING bytes behind it are readable
 * @len: of the list
 * @fn: called for every item, refused ones included, in their order
 * @arg: for @fn
 * @ret: what the page says beside its items
 * @faults: appended to for refused items, with "pods" as file; may be NULL
 *
 * Nothing is handed to @fn before the end of the list is seen: a list that does
 * not end is none. Nor is one without items; "items": null has none in it. A
 * refused item without a name is only in @faults.
 *
 * Return: 0; -EBADMSG if it is no JSON or no PodList; -ENOMEM; what @fn
 * returned, if not 0, and then the items after that one are freed.
 */
int knp_pod_json_page(struct knp_pod_json *p, const char *buf, size_t len,
		      knp_object_fn fn, void *arg, struct knp_page *ret,
		      struct knp_faults *faults);

#endif /* KNP_POD_JSON_H */
