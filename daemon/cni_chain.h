/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chain of plugins of a network, a *.conflist, with knp-cni at its end and
 * without. What the other plugins are given stays as it is. PURE.
 */
#ifndef KNP_CNI_CHAIN_H
#define KNP_CNI_CHAIN_H

#include <stdbool.h>

struct json_object;

/*
 * Put knp-cni at the end of @conf, unless it is in it. @ret: whether @conf is
 * another than before. Return 0; -EINVAL if it is no list of plugins;
 * -EPROTONOSUPPORT if its cniVersion is one that knp-cni would refuse, so that no
 * pod could start; -ENOMEM.
 */
int knp_cni_chain_add(struct json_object *conf, bool *ret);

/* Take every knp-cni out; as above. */
int knp_cni_chain_remove(struct json_object *conf, bool *ret);

#endif /* KNP_CNI_CHAIN_H */
