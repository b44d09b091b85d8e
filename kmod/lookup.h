/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What a packet looks up in a frozen table, in line in match_inline.h. PURE, see
 * table.h.
 *
 * @wide: IPv6; always a constant, so that each family has code of its own.
 */
#ifndef KNP_LOOKUP_H
#define KNP_LOOKUP_H

#include "ranges.h"
#include "table_impl.h"

/* The words of the seed that a family's hash takes. */
static __always_inline const u64 *knp_look_seed(const struct knp_tables *t,
						bool wide)
{
	return wide ? t->seed.s : &t->front[KNP_V4].seed;
}

/*
 * The endpoint with an address, NULL if there is none; or an empty cell, which
 * isolates nothing.
 */
static __always_inline const struct knp_cell *
knp_look_endpoint(const struct knp_tables *t, bool wide,
		  const struct knp_addr *addr)
{
	const struct knp_front *front = &t->front[wide];
	const struct knp_cell *cell;

	if (!(front->endpoint_filter & knp_endpoint_bit(wide, addr)))
		return NULL;
	cell = knp_cells_look(front->endpoints, front->nendpoints,
			      knp_look_seed(t, wide), wide, addr);
	if (!cell || !knp_addr_equal(&cell->key, addr, wide))
		return NULL;
	return cell;
}

/* The class of an address, 0 if it is in none. */
static __always_inline u32 knp_look_class(const struct knp_tables *t, bool wide,
					  const struct knp_addr *addr)
{
	const struct knp_front *front = &t->front[wide];
	const struct knp_cell *cell;
	struct knp_addr block;
	u32 class_id;
	u32 i;

	if (front->block_filter & knp_block_bit(wide, addr)) {
		i = knp_block_of(wide, addr, &block);
		cell = knp_cells_look(front->blocks, front->nblocks,
				      knp_look_seed(t, wide), wide, &block);
		if (cell && knp_addr_equal(&cell->key, &block, wide)) {
			class_id = knp_block_class(wide, cell, i);
			if (class_id)
				return class_id;
		}
	}
	if (wide)
		return knp_ranges_class(front->ranges, addr);
	return knp_trie_look(front->trie, __be32_to_cpu(addr->w[0]));
}

/* What an endpoint's row holds for a class: portset id, 0 denies. */
static __always_inline u32 knp_look_row(const struct knp_cell *endpoint,
					u32 side, u32 class_id)
{
	u32 portset = knp_row_look(endpoint->page[side], endpoint->last[side],
				   class_id);

	return portset ? portset : endpoint->dflt[side];
}

/*
 * The rule by which a portset allows a port, 0 if it does not allow. Without
 * @has_port only entries of the full range match, or those of protocol 0.
 */
static __always_inline u32 knp_look_rule(const struct knp_tables *t, bool wide,
					 u32 portset, u8 proto, u16 port,
					 bool has_port)
{
	const u16 lo = has_port ? port : 0;
	const u16 hi = has_port ? port : 65535;
	const struct knp_front *front = &t->front[wide];
	const struct knp_ports *p = front->ports;
	u32 i;

	if (!portset)
		return 0;

	/* What a row holds is there, so its leaf is. */
	i = portset;
	if (front->ports_level) {
		p = knp_part_data(((struct knp_part *const *)front->ports)
				  [i / KNP_PORTS_LEAF]);
		i %= KNP_PORTS_LEAF;
	}
	p += i;
	if (unlikely(p->many))
		return knp_ports_many(p, proto, port, has_port);

	for (i = 0; i < KNP_PORTS_NEAR; i++) {
		if ((p->proto[i] == proto || !p->proto[i]) && p->lo[i] <= lo &&
		    hi <= p->hi[i])
			return p->rule[i];
	}
	return 0;
}

#endif /* KNP_LOOKUP_H */
