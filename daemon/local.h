/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this node knows of its own pods, beside what the source of objects says:
 * their bindings (bindings.h) and their interfaces (links.h). It puts both into
 * the store:
 *   - every pod of this node, from wherever it comes, passes by here on its way
 *     in and gets the addresses that are bound to it; a binding that comes or
 *     goes later changes the pod that is in. So lists may be received at any
 *     time: those that wait to be put are taken in then;
 *   - the interfaces of pods are those of bindings and those links.h finds;
 *   - an address is behind the interface of its binding; if it has none, behind
 *     that to which its route leads.
 *
 * Bindings outlive the daemon: they are in the runtime folder, in "bindings",
 *
 *   { "boot": BOOT_ID, "bindings": [...] }
 *
 * replaced before an addition is confirmed. Those of another boot are ignored:
 * no pod of then has a network now. Those whose interface is gone are dropped:
 * their pod's network is gone, and nobody was there to be told.
 */
#ifndef KNP_LOCAL_H
#define KNP_LOCAL_H

#include "bindings.h"
#include "links.h"
#include "store.h"

#define KNP_BINDINGS_FILE	"bindings"

struct knp_local;

/*
 * Look after a store from here on, which must outlive it as @node must. Return
 * 0 or -ENOMEM; to knp_local_free(), which accepts NULL.
 */
int knp_local_new(struct knp_store *store, const char *node,
		  struct knp_local **ret);
void knp_local_free(struct knp_local *l);

/*
 * Read the bindings of a runtime folder, and, with @keep, keep them there;
 * @dir must outlive it. Return 0, also if there are none; -errno if they
 * cannot be used: there are none then, and the next addition replaces them.
 */
int knp_local_load(struct knp_local *l, const char *dir, bool keep);

/* The interfaces are these now. Return 0 or -ENOMEM. */
int knp_local_set_links(struct knp_local *l, const struct knp_links_view *view);

/*
 * An attachment was added, deleted; or only these of a network are left.
 * @binding is taken over. Return 0; -ENOMEM, or -errno if the folder cannot be
 * written: an addition did not happen then, a deletion did.
 */
int knp_local_add(struct knp_local *l, struct knp_binding *binding);
int knp_local_del(struct knp_local *l, const struct knp_attachment *at);
int knp_local_keep(struct knp_local *l, const char *network,
		   const struct knp_attachment *v, size_t n);

/*
 * What is still missing until the store has the addresses of an attachment, one
 * line, valid until the next call; NULL if it has them.
 */
const char *knp_local_pending(struct knp_local *l,
			      const struct knp_attachment *at);

/* Whether a binding is there, and says the same but for its age. */
bool knp_local_has(const struct knp_local *l,
		   const struct knp_binding *binding);

#endif /* KNP_LOCAL_H */
