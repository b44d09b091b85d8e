/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of knpctl get. Each function appends to @rows one object for each
 * record of @c->rs, in the kernel's order; columns of tables are some of their
 * members. Members are added to them over time, and none is renamed or removed:
 * tests/ctl/golden/schema has them all.
 *
 * Return CTL_OK, or CTL_FAILED after it was said why.
 */
#ifndef KNP_CTL_GET_H
#define KNP_CTL_GET_H

#include "ctl.h"

int knp_ctl_list_endpoints(struct knp_ctl *c, struct json_object *rows);
int knp_ctl_list_policies(struct knp_ctl *c, struct json_object *rows);
int knp_ctl_list_rules(struct knp_ctl *c, struct json_object *rows);
int knp_ctl_list_sets(struct knp_ctl *c, struct json_object *rows);
int knp_ctl_list_rows(struct knp_ctl *c, struct json_object *rows);
int knp_ctl_list_peers(struct knp_ctl *c, struct json_object *rows);
int knp_ctl_list_cidrs(struct knp_ctl *c, struct json_object *rows);
int knp_ctl_list_classes(struct knp_ctl *c, struct json_object *rows);
int knp_ctl_list_portsets(struct knp_ctl *c, struct json_object *rows);
int knp_ctl_list_ifaces(struct knp_ctl *c, struct json_object *rows);

/* How many endpoints a set judges; and their pods, added to @pods, each once. */
uint64_t knp_ctl_endpoints_of(const struct knp_ctl *c, uint32_t set);
void knp_ctl_pods_of(const struct knp_ctl *c, uint32_t set,
		     struct json_object *pods);

#endif /* KNP_CTL_GET_H */
