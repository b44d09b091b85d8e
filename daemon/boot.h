/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which life of the network this is. Addresses and interface indexes mean the
 * same thing only within one: in the same boot of the machine, and in the same
 * network namespace (a node in a container gets a new one with every start of
 * its container, while the machine goes on).
 */
#ifndef KNP_BOOT_H
#define KNP_BOOT_H

#include <stdint.h>

#define KNP_BOOT_ID_LEN	36

/**
 * struct knp_boot - as the kernel tells it
 * @id: a UUID, new with every boot; "" if it cannot be read
 * @netns: the cookie of this network namespace, never used twice in a boot; 0
 *	before Linux 5.14, which has none
 */
struct knp_boot {
	char id[KNP_BOOT_ID_LEN + 1];
	uint64_t netns;
};

void knp_boot_read(struct knp_boot *ret);

#endif /* KNP_BOOT_H */
