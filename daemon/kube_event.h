/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an API server sends, decoded: one event of a watch, one page of a list.
 *
 * Two decoders give the same results: kube_json.c (json-c) reads every
 * resource and everything a server may say; pod_json.c (simdjson) reads Pods,
 * the only resource of which there are very many, and leaves what is not plain
 * to the first. The words are those of the Kubernetes API: metadata.
 * resourceVersion is opaque here, 410 Gone is an ERROR event with a Status.
 */
#ifndef KNP_KUBE_EVENT_H
#define KNP_KUBE_EVENT_H

#include <stdbool.h>
#include <stddef.h>

#include "decode.h"
#include "faults.h"

/* Bytes that must be readable, with any content, behind a text to decode. */
#define KNP_JSON_PADDING	64

/* The longest resourceVersion that is believed, with its NUL. */
#define KNP_VERSION_LEN		64

/** enum knp_event_type - the type of a watch event */
enum knp_event_type {
	KNP_EVENT_ADDED = 1,
	KNP_EVENT_MODIFIED,
	KNP_EVENT_DELETED,
	KNP_EVENT_BOOKMARK,
	KNP_EVENT_ERROR,
	KNP_EVENT_UNKNOWN,	/* a type from the future: to log and skip */
};

/**
 * struct knp_status - a v1 Status, as far as a client acts on it
 * @code: HTTP status code, 0 if it has none
 * @reason: "Expired", "Gone", "Timeout", ...; "" if none
 * @message: for the log, cut where it is long
 * @retry_after: details.retryAfterSeconds, 0 if none
 * @too_large: details.causes name ResourceVersionTooLarge
 */
struct knp_status {
	int code;
	char reason[64];
	char message[256];
	int retry_after;
	bool too_large;
};

/**
 * struct knp_kube_event - one decoded watch event
 * @type: which of the members below count
 * @object: ADDED, MODIFIED, DELETED: the object, or the identity of a refused
 *	one; to knp_object_clear()
 * @version: metadata.resourceVersion, "" if there is none; not for ERROR
 * @initial_end: BOOKMARK: annotated k8s.io/initial-events-end: "true"
 * @status: ERROR
 */
struct knp_kube_event {
	enum knp_event_type type;
	struct knp_object object;
	char version[KNP_VERSION_LEN];
	bool initial_end;
	struct knp_status status;
};

/**
 * struct knp_page - what a page of a list says beside its items
 * @version: metadata.resourceVersion
 * @next: metadata.continue, to free(); NULL on the last page
 */
struct knp_page {
	char version[KNP_VERSION_LEN];
	char *next;
};

/* Called for every item of a page; takes over what @object holds. Not 0 ends. */
typedef int (*knp_object_fn)(void *arg, struct knp_object *object);

#endif /* KNP_KUBE_EVENT_H */
