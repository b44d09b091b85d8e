/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's end of a pod's interface. Only for knp-cni: it links libnl-route.
 */
#ifndef KNP_CNI_LINK_H
#define KNP_CNI_LINK_H

#include <stdint.h>

struct json_object;

/**
 * knp_cni_link() - find the host's end of a pod's interface
 * @netns: path of the pod's network namespace
 * @ifname: name of the interface there
 * @prev: prevResult, asked if the pod's namespace cannot be
 * @ret: its index in this namespace; 0 if the interface has no end here: of the
 *	kinds that containers get only veth does. An ipvlan's or macvlan's other
 *	end is the node's own uplink.
 *
 * Return: 0, or -errno if neither can be asked.
 */
int knp_cni_link(const char *netns, const char *ifname,
		 struct json_object *prev, uint32_t *ret);

#endif /* KNP_CNI_LINK_H */
