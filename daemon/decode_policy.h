/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoding the parts of objects that are long enough for a file of their own.
 * Private to decode*.c; the rules are in decode.h.
 */
#ifndef KNP_DECODE_POLICY_H
#define KNP_DECODE_POLICY_H

#include "fields.h"
#include "labels.h"
#include "store.h"

/*
 * A map of strings. @v is to free(), also after a failure, and has room for
 * one more than the @n that are in it, also if the map is absent; the texts are
 * those of @obj. Both are NULL and 0 before. Return 0 or -errno.
 */
int knp_decode_labels(struct knp_fields *f, struct json_object *obj,
		      const char *name, struct knp_label_view **v, size_t *n);

/*
 * The spec of a NetworkPolicy. What of it cannot be read is a fault, and @ret
 * is what remains: it isolates at least what the whole would isolate, and
 * allows at most what the whole would allow.
 *   a peer, a port     is left out; a list of which nothing remains allows none
 *   a field of a rule  the rule allows nothing
 *   ingress, egress    no rule of this direction
 *   policyTypes        what is not named is isolated, with no rule
 *   podSelector        the whole namespace is isolated, with no rule
 *   a field of spec    both directions are isolated, with no rule
 *   spec               both directions of the whole namespace are isolated
 * Return 0, with or without faults, or -ENOMEM; then @ret may be half filled.
 */
int knp_decode_policy(struct knp_fields *f, struct json_object *obj,
		      struct knp_policy *ret);

/* The last line of it, for a policy of which nothing is read but its name. */
void knp_decode_unread_policy(struct knp_policy *ret);

#endif /* KNP_DECODE_POLICY_H */
