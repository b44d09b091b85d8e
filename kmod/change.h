/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Changes of a table that keep its counts right. PURE, see table.h.
 *
 * Callers have checked everything (record.c). The only error is -ENOMEM; a
 * change may then be half done, and the table can only be freed.
 */
#ifndef KNP_CHANGE_H
#define KNP_CHANGE_H

#include "table_impl.h"

/* Count references to an object (@delta 1) or not any more (-1). Id 0: none. */
int knp_use(struct knp_tables *t, u32 table, u32 id, int delta);

/* Move a reference from object @old to @new. */
int knp_use_instead(struct knp_tables *t, u32 table, u32 old, u32 new);

/* Set the tag of an object, which comes into being if it is new. */
int knp_object_add(struct knp_tables *t, u32 table, u32 id, const u8 *tag);

/* Give a portset these ports; takes over the reference, NULL: none. */
int knp_ports_set(struct knp_tables *t, u32 id, struct knp_part *new);

/* Set what a set is, but for its tag. */
int knp_set_put(struct knp_tables *t, u32 id, u8 direction, u32 dflt);

/* Set an entry of a set's row; @portset 0 removes it. */
int knp_entry_set(struct knp_tables *t, u32 id, u32 class_id, u32 portset);

/* Empty a set that is about to be deleted: its row and its default. */
int knp_set_clear(struct knp_tables *t, u32 id);

/* Set the class of an address; 0 removes it from the peers. */
int knp_peer_set(struct knp_tables *t, unsigned int family,
		 const struct knp_addr *addr, u32 class_id);

/* Records that are slots of a map: find or insert, NULL if out of memory. */
struct knp_slot *knp_slot_edit(struct knp_tables *t, u32 table,
			       struct knp_map *map, const struct knp_addr *key,
			       u32 extra);

/* The same: remove one that is there. */
int knp_slot_remove(struct knp_tables *t, u32 table, struct knp_map *map,
		    const struct knp_addr *key, u32 extra);

#endif /* KNP_CHANGE_H */
