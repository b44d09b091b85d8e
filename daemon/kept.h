/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policies that a store keeps beyond the deletion of their objects, see
 * knp_store_del(): told to people.
 */
#ifndef KNP_KEPT_H
#define KNP_KEPT_H

#include "store.h"

struct json_object;

/* Log each policy that is kept, once for as long as it is. */
void knp_kept_log(struct knp_store *s);

/* Their names, "ns/policy", as a list; NULL if out of memory. */
struct json_object *knp_kept_json(const struct knp_store *s);

#endif /* KNP_KEPT_H */
