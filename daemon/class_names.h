/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of the classes of peers: their first members,
 *
 *   ns/pod, ns/pod, 10.0.0.0/8 +3
 *
 * made of the tables, so that they say what a class holds and not what somebody
 * meant it to. Pods come first, in the order of namespace and name, one with
 * several addresses once; then addresses of no known pod; then prefixes.
 *
 * Members are what the packet path puts into the class: an address with a peer
 * record is in that one's class, one without in that of its longest prefix.
 */
#ifndef KNP_CLASS_NAMES_H
#define KNP_CLASS_NAMES_H

#include "ruleset.h"

struct knp_class_names;

/**
 * knp_class_names_new() - name the classes of a ruleset
 * @rs: its peers and cidrs are read, sorted; not kept
 * @addresses: names of addresses, sorted by (family, addr); not kept
 * @naddresses: how many
 * @ret: the names, to knp_class_names_free()
 *
 * Return: 0 or -ENOMEM.
 */
int knp_class_names_new(const struct knp_ruleset *rs,
			const struct knp_address_name *addresses,
			size_t naddresses, struct knp_class_names **ret);
void knp_class_names_free(struct knp_class_names *names);

/* NULL for a class without members, and where @names is NULL. */
const char *knp_class_name(const struct knp_class_names *names, uint32_t id);

#endif /* KNP_CLASS_NAMES_H */
