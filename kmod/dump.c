// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Records back out of a table, by table.h's knp_tables_next().
 *
 * A cursor holds where to look next, so that a dump needs no memory between
 * two calls: the id; for rows the set and (sub) the class; for maps and blocks
 * of peers the family in the upper and the slot in the lower half, for peers
 * also (sub) the place in the block.
 */

#include <linux/socket.h>
#include <linux/string.h>

#include "table_impl.h"

/**
 * struct out - where records go
 * @buf: the buffer
 * @room: bytes of it
 * @len: bytes that are written
 */
struct out {
	u8 *buf;
	size_t room;
	size_t len;
};

static bool fits(const struct out *o, size_t size)
{
	return o->room - o->len >= size;
}

static void write(struct out *o, const void *data, size_t size)
{
	memcpy(o->buf + o->len, data, size);
	o->len += size;
}

static u8 af_of(unsigned int family)
{
	return family == KNP_V4 ? AF_INET : AF_INET6;
}

static bool write_tagged(const struct knp_tables *t, u32 table, u32 id,
			 struct out *o)
{
	struct knp_rec_rule rec = { .id = id };

	if (!fits(o, sizeof(rec)))
		return false;

	memcpy(rec.tag, knp_tables_tag(t, table, id), sizeof(rec.tag));
	write(o, &rec, sizeof(rec));
	return true;
}

static bool write_portset(const struct knp_tables *t, u32 id, struct out *o)
{
	const struct knp_portset *p = knp_portset_at(t, id);
	struct knp_rec_portset rec = { .id = id, .nports = p->n + !!p->any };
	u32 i;

	if (!fits(o, sizeof(rec) + rec.nports * sizeof(struct knp_rec_port)))
		return false;

	memcpy(rec.tag, knp_tables_tag(t, KNP_TABLE_PORTSET, id),
	       sizeof(rec.tag));
	write(o, &rec, sizeof(rec));
	if (p->any) {
		struct knp_rec_port port = { .rule = p->any, .hi = 65535 };

		write(o, &port, sizeof(port));
	}
	for (i = 0; i < p->n; i++) {
		struct knp_rec_port port = {
			.rule = p->port[i].rule,
			.lo = p->port[i].key,
			.hi = p->port[i].last,
			.proto = p->port[i].key >> 16,
		};

		write(o, &port, sizeof(port));
	}
	return true;
}

static bool write_set(const struct knp_tables *t, u32 id, struct out *o)
{
	const struct knp_set *set = knp_set_at(t, id);
	struct knp_rec_set rec = {
		.id = id, .dflt = set->dflt, .direction = set->direction,
	};

	if (!fits(o, sizeof(rec)))
		return false;

	memcpy(rec.tag, knp_tables_tag(t, KNP_TABLE_SET, id), sizeof(rec.tag));
	write(o, &rec, sizeof(rec));
	return true;
}

static bool write_object(const struct knp_tables *t, u32 table, u32 id,
			 struct out *o)
{
	switch (table) {
	case KNP_TABLE_PORTSET:
		return write_portset(t, id, o);
	case KNP_TABLE_SET:
		return write_set(t, id, o);
	default:
		return write_tagged(t, table, id, o);
	}
}

/* The next existing id from @id on, U32_MAX if there is none. */
static u32 next_id(const struct knp_tables *t, u32 table, u32 id)
{
	const struct knp_part *uses = t->root[knp_uses_root(table)];

	for (;; id++) {
		id = knp_array_seek(uses, id, &knp_shape_uses);
		if (id > knp_tables_limit(table))
			return U32_MAX;
		if (knp_uses(t, table, id))
			return id;
	}
}

static void dump_objects(const struct knp_tables *t, u32 table,
			 struct knp_cursor *cur, struct out *o)
{
	for (;; cur->pos++) {
		cur->pos = next_id(t, table, cur->pos);
		if (cur->pos == U32_MAX ||
		    !write_object(t, table, cur->pos, o))
			return;
	}
}

/* The row of set @rec->set from class *sub on; false: @o is full. */
static bool dump_row(const struct knp_part *row, struct knp_rec_row *rec,
		     u32 *sub, struct out *o)
{
	for (;; ++*sub) {
		*sub = knp_row_next(row, *sub);
		if (*sub == U32_MAX)
			return true;
		if (!fits(o, sizeof(*rec)))
			return false;
		rec->portset = knp_row_get(row, *sub);
		rec->class_id = *sub;
		write(o, rec, sizeof(*rec));
	}
}

static void dump_rows(const struct knp_tables *t, struct knp_cursor *cur,
		      struct out *o)
{
	struct knp_rec_row rec;

	for (;; cur->pos++, cur->sub = 0) {
		cur->pos = next_id(t, KNP_TABLE_SET, cur->pos);
		if (cur->pos == U32_MAX)
			return;
		rec.set = cur->pos;
		if (!dump_row(knp_set_at(t, rec.set)->row, &rec, &cur->sub, o))
			return;
	}
}

static bool write_peers(const struct knp_cell *cell, unsigned int family,
			u32 *sub, struct out *o)
{
	const bool wide = family == KNP_V6;

	for (; *sub < knp_block_size(wide); ++*sub) {
		struct knp_rec_peer rec = {
			.family = af_of(family),
			.class_id = knp_block_class(wide, cell, *sub),
		};
		struct knp_addr addr;

		if (!rec.class_id)
			continue;
		if (!fits(o, sizeof(rec)))
			return false;
		addr = knp_block_addr(wide, cell, *sub);
		memcpy(rec.addr, addr.b, sizeof(rec.addr));
		write(o, &rec, sizeof(rec));
	}
	return true;
}

static bool write_cidr(const struct knp_slot *slot, unsigned int family,
		       struct out *o)
{
	struct knp_rec_cidr rec = {
		.family = af_of(family),
		.prefixlen = slot->extra,
		.class_id = slot->a,
	};

	if (!fits(o, sizeof(rec)))
		return false;

	memcpy(rec.addr, slot->key.b, sizeof(rec.addr));
	write(o, &rec, sizeof(rec));
	return true;
}

static bool write_endpoint(const struct knp_slot *slot, unsigned int family,
			   struct out *o)
{
	struct knp_rec_endpoint rec = {
		.family = af_of(family),
		.egress_set = slot->a,
		.ingress_set = slot->b,
	};

	if (!fits(o, sizeof(rec)))
		return false;

	memcpy(rec.addr, slot->key.b, sizeof(rec.addr));
	write(o, &rec, sizeof(rec));
	return true;
}

static bool write_iface(const struct knp_slot *slot, struct out *o)
{
	struct knp_rec_iface rec = {
		.ifindex = slot->key.q[0],
		.role = slot->a,
	};

	if (!fits(o, sizeof(rec)))
		return false;

	write(o, &rec, sizeof(rec));
	return true;
}

static bool write_binding(const struct knp_slot *slot, unsigned int family,
			  struct out *o)
{
	struct knp_rec_binding rec = {
		.family = af_of(family),
		.ifindex = slot->a,
	};

	if (!fits(o, sizeof(rec)))
		return false;

	memcpy(rec.addr, slot->key.b, sizeof(rec.addr));
	write(o, &rec, sizeof(rec));
	return true;
}

static bool write_slot(u32 table, const struct knp_slot *slot,
		       unsigned int family, struct out *o)
{
	switch (table) {
	case KNP_TABLE_CIDR:
		return write_cidr(slot, family, o);
	case KNP_TABLE_ENDPOINT:
		return write_endpoint(slot, family, o);
	case KNP_TABLE_BINDING:
		return write_binding(slot, family, o);
	default:
		return write_iface(slot, o);
	}
}

/* The @nmaps maps of a table, from @map on. */
static void dump_maps(const struct knp_map *map, u32 nmaps, u32 table,
		      struct knp_cursor *cur, struct out *o)
{
	u32 family = cur->pos >> 32;
	u32 pos = cur->pos;

	for (; family < nmaps; family++, pos = 0) {
		for (; pos < map[family].nslots; pos++) {
			const struct knp_slot *slot;

			cur->pos = (u64)family << 32 | pos;
			slot = knp_map_at(&map[family], pos);
			if (slot && !write_slot(table, slot, family, o))
				return;
		}
	}
	cur->pos = (u64)family << 32;
}

static void dump_peers(const struct knp_cells *blocks, struct knp_cursor *cur,
		       struct out *o)
{
	u32 family = cur->pos >> 32;
	u32 pos = cur->pos;

	for (; family < KNP_NFAMILIES; family++, pos = 0) {
		for (; pos < knp_cells_end(&blocks[family]);
		     pos++, cur->sub = 0) {
			const struct knp_cell *cell;

			cur->pos = (u64)family << 32 | pos;
			cell = knp_cells_at(&blocks[family], pos);
			if (cell && !write_peers(cell, family, &cur->sub, o))
				return;
		}
	}
	cur->pos = (u64)family << 32;
}

size_t knp_tables_next(const struct knp_tables *t, u32 table,
		       struct knp_cursor *cur, void *buf, size_t room)
{
	struct out o = { .buf = buf, .room = room };

	switch (table) {
	case KNP_TABLE_RULE:
	case KNP_TABLE_PORTSET:
	case KNP_TABLE_CLASS:
	case KNP_TABLE_SET:
		dump_objects(t, table, cur, &o);
		break;
	case KNP_TABLE_ROW:
		dump_rows(t, cur, &o);
		break;
	case KNP_TABLE_PEER:
		dump_peers(t->blocks, cur, &o);
		break;
	case KNP_TABLE_CIDR:
		dump_maps(&t->map[KNP_MAP_CIDRS], KNP_NFAMILIES, table, cur,
			  &o);
		break;
	case KNP_TABLE_ENDPOINT:
		dump_maps(&t->map[KNP_MAP_ENDPOINTS], KNP_NFAMILIES, table, cur,
			  &o);
		break;
	case KNP_TABLE_IFACE:
		dump_maps(&t->map[KNP_MAP_IFACES], 1, table, cur, &o);
		break;
	case KNP_TABLE_BINDING:
		dump_maps(&t->map[KNP_MAP_BINDINGS], KNP_NFAMILIES, table, cur,
			  &o);
		break;
	}
	return o.len;
}
