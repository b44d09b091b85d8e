/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pods decoded twice: by pod_json.h, and as the whole text's tree by json-c
 * and decode.h. Shared by the unit tests and the fuzzer; asserts nothing.
 */
#ifndef KNP_TEST_PODS_H
#define KNP_TEST_PODS_H

#include <stdbool.h>
#include <stddef.h>

#include "pod_json.h"

/**
 * struct outcome - what a decoder made of a text
 * @err: what it returned; the rest counts if it is 0
 * @type: of an event
 * @objects: the object of an event, the items of a page
 * @faults: also if @err is not 0
 * @version: resourceVersion
 * @next: continue, NULL if none
 */
struct outcome {
	int err;
	enum knp_event_type type;
	struct knp_objects objects;
	struct knp_faults faults;
	char version[KNP_VERSION_LEN];
	char *next;
};

void outcome_clear(struct outcome *o);

/*
 * By pod_json.h: from memory that ends with the padding, which is filled with
 * what would go on with the text if it were read.
 */
void fast_page(struct knp_pod_json *p, const char *text, size_t len,
	       struct outcome *ret);
void fast_event(struct knp_pod_json *p, const char *text, size_t len,
		struct outcome *ret);

/* By json-c. An event that is none of a Pod's is 1, as for pod_json.h. */
void slow_page(const char *text, size_t len, struct outcome *ret);
void slow_event(const char *text, size_t len, struct outcome *ret);

/* What @a and @b differ in, NULL if in nothing; their pods are freed. */
const char *outcomes_differ(struct outcome *a, struct outcome *b);

/*
 * Decode in both ways: what the results differ in, NULL if in nothing. An
 * event that pod_json.h leaves to others does not differ.
 */
const char *pages_differ(struct knp_pod_json *p, const char *text, size_t len);
const char *events_differ(struct knp_pod_json *p, const char *text, size_t len);

#endif /* KNP_TEST_PODS_H */
