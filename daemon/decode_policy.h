/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoding the parts of objects that are long enough for a file of their own.
 * Private to decode*.c; the rules are in decode.h.
 */
#ifndef KNP_DECODE_POLICY_H
#define KNP_DECODE_POLICY_H

#include "fields.h"
#include "store.h"

/* A map of strings: sorted by key. Return 0 or -errno. */
int knp_decode_labels(struct knp_fields *f, struct json_object *obj,
		      const char *name, struct knp_labels *ret);

/* The spec of a NetworkPolicy. Return 0 or -errno; @ret may be half filled. */
int knp_decode_policy(struct knp_fields *f, struct json_object *obj,
		      struct knp_policy *ret);

#endif /* KNP_DECODE_POLICY_H */
