/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compiler: store -> ruleset. PURE: no kernel, network, clock or file.
 *
 * The result depends only on the objects and interfaces of the store, never on
 * the order in which they came: tags are hashes of what an object means, arrays are sorted.
 */
#ifndef KNP_COMPILE_H
#define KNP_COMPILE_H

#include "ruleset.h"
#include "store.h"
#include "troubles.h"

/**
 * knp_compile() - compile the policies for one node
 * @store: the objects
 * @node: name of the node whose pods are endpoints; NULL: every pod is one
 * @ret: the ruleset, with provisional ids, names and addresses, sorted
 * @troubles: appended to; may be NULL
 *
 * Where more addresses of this node are isolated than the endpoint table holds,
 * those of other pods are left out first, and then the last of these: @ret then
 * asks for unknown addresses to be dropped, see @unheld of ruleset.h. Whose
 * interface knpd does not know is not reached by that.
 *
 * Return: 0 or -ENOMEM. @ret is untouched on failure.
 */
int knp_compile(const struct knp_store *store, const char *node,
		struct knp_ruleset **ret, struct knp_troubles *troubles);

#endif /* KNP_COMPILE_H */
