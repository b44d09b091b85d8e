// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Records into a table and out of it: validation, references, limits.
 *
 * Everything about a record is checked before the first change, so that a
 * refused record leaves no trace. The exception is memory: where it runs out
 * half-way, the table is marked broken and can only be freed.
 *
 * Messages end up in front of people, by extack: no full stop, no newline.
 */

#include <linux/errno.h>
#include <linux/socket.h>
#include <linux/string.h>

#include "mem.h"
#include "change.h"

#define IPPROTO_NUM_TCP		6
#define IPPROTO_NUM_UDP		17
#define IPPROTO_NUM_SCTP	132

/* An address as records have it, and as maps have it. */
struct place {
	unsigned int family;
	struct knp_addr addr;
};

static int refuse(const char **msg, int err, const char *text)
{
	*msg = text;
	return err;
}

static int no_memory(struct knp_tables *t, const char **msg)
{
	t->broken = true;
	return refuse(msg, -ENOMEM, "out of memory");
}

static bool is_zero(const void *data, u32 len)
{
	const u8 *b = data;

	while (len--) {
		if (*b++)
			return false;
	}
	return true;
}

static int check_id(u32 table, u32 id, const char **msg)
{
	if (!id)
		return refuse(msg, -EINVAL, "id 0 is reserved");
	if (id > knp_tables_limit(table))
		return refuse(msg, -E2BIG, "id is above the table's limit");
	return 0;
}

static int check_room(const struct knp_tables *t, u32 table, const char **msg)
{
	if (t->count[table] >= knp_tables_limit(table))
		return refuse(msg, -E2BIG, "the table is full");
	return 0;
}

static int check_class(const struct knp_tables *t, u32 id, const char **msg)
{
	if (!id)
		return refuse(msg, -EINVAL, "class 0 is not allowed here");
	if (!knp_uses(t, KNP_TABLE_CLASS, id))
		return refuse(msg, -ENOENT, "no such class");
	return 0;
}

static int get_place(struct place *p, const u8 *addr, u8 family,
		     const char **msg)
{
	switch (family) {
	case AF_INET:
		p->family = KNP_V4;
		break;
	case AF_INET6:
		p->family = KNP_V6;
		break;
	default:
		return refuse(msg, -EINVAL,
			      "family is neither AF_INET nor AF_INET6");
	}

	memcpy(p->addr.b, addr, sizeof(p->addr.b));
	if (p->family == KNP_V4 && !is_zero(p->addr.b + 4, 12))
		return refuse(msg, -EINVAL,
			      "bytes behind an IPv4 address are not 0");
	return 0;
}

static int get_prefix(struct place *p, const struct knp_rec_cidr *rec,
		      const char **msg)
{
	int err = get_place(p, rec->addr, rec->family, msg);
	u32 whole = rec->prefixlen / 8;
	u32 bits = rec->prefixlen % 8;

	if (err)
		return err;
	if (rec->prefixlen > (p->family == KNP_V4 ? 32 : 128))
		return refuse(msg, -EINVAL, "prefix is too long");
	if (bits && p->addr.b[whole++] & (0xff >> bits))
		return refuse(msg, -EINVAL, "host bits are not 0");
	if (!is_zero(p->addr.b + whole, KNP_ADDR_LEN - whole))
		return refuse(msg, -EINVAL, "host bits are not 0");
	return 0;
}

static int put_rule(struct knp_tables *t, const void *data, const char **msg)
{
	struct knp_rec_rule rec;
	int err;

	memcpy(&rec, data, sizeof(rec));
	err = check_id(KNP_TABLE_RULE, rec.id, msg);
	if (err)
		return err;
	return knp_object_add(t, KNP_TABLE_RULE, rec.id, rec.tag);
}

static int put_class(struct knp_tables *t, const void *data, const char **msg)
{
	struct knp_rec_class rec;
	int err;

	memcpy(&rec, data, sizeof(rec));
	err = check_id(KNP_TABLE_CLASS, rec.id, msg);
	if (err)
		return err;
	return knp_object_add(t, KNP_TABLE_CLASS, rec.id, rec.tag);
}

static void get_port(struct knp_rec_port *port, const void *ports, u32 i)
{
	memcpy(port, (const u8 *)ports + i * sizeof(*port), sizeof(*port));
}

static bool has_ports(u8 proto)
{
	return proto == IPPROTO_NUM_TCP || proto == IPPROTO_NUM_UDP ||
	       proto == IPPROTO_NUM_SCTP;
}

static int check_port(const struct knp_tables *t,
		      const struct knp_rec_port *port,
		      const struct knp_rec_port *before, const char **msg)
{
	if (!is_zero(port->pad, sizeof(port->pad)))
		return refuse(msg, -EINVAL, "padding of a port is not 0");
	if (port->lo > port->hi)
		return refuse(msg, -EINVAL, "a port range ends before it starts");
	if (!has_ports(port->proto) && (port->lo || port->hi != 65535))
		return refuse(msg, -EINVAL,
			      "a protocol without ports needs ports 0 to 65535");
	if (!port->rule)
		return refuse(msg, -EINVAL, "a port without a rule");
	if (!knp_uses(t, KNP_TABLE_RULE, port->rule))
		return refuse(msg, -ENOENT, "no such rule");
	if (!before)
		return 0;
	if (port->proto < before->proto ||
	    (port->proto == before->proto && port->lo < before->lo))
		return refuse(msg, -EINVAL, "ports are not in ascending order");
	if (port->proto == before->proto && port->lo <= before->hi)
		return refuse(msg, -EINVAL, "port ranges overlap");
	return 0;
}

/* Ports that have been checked, in the form in which packets read them. */
static struct knp_part *pack_ports(const void *ports, u32 n)
{
	struct knp_rec_port port = { 0 };
	struct knp_portset *p;
	struct knp_part *part;
	u32 i, first = 0;

	if (n)
		get_port(&port, ports, 0);
	if (n && !port.proto)
		first = 1;

	part = knp_part_new(sizeof(*p) + (n - first) * sizeof(p->port[0]), 0,
			    0);
	if (!part)
		return NULL;

	p = (struct knp_portset *)part->data;
	p->n = n - first;
	if (first)
		p->any = port.rule;

	for (i = first; i < n; i++) {
		get_port(&port, ports, i);
		p->port[i - first] = (struct knp_port){
			.key = knp_port_key(port.proto, port.lo),
			.last = port.hi,
			.rule = port.rule,
		};
	}
	return part;
}

static int put_portset(struct knp_tables *t, const void *data,
		       const char **msg)
{
	struct knp_rec_port port, before;
	struct knp_rec_portset rec;
	struct knp_part *part;
	const void *ports = (const u8 *)data + sizeof(rec);
	int err;
	u32 i;

	memcpy(&rec, data, sizeof(rec));
	err = check_id(KNP_TABLE_PORTSET, rec.id, msg);
	if (err)
		return err;

	for (i = 0; i < rec.nports; i++) {
		get_port(&port, ports, i);
		err = check_port(t, &port, i ? &before : NULL, msg);
		if (err)
			return err;
		before = port;
	}

	part = pack_ports(ports, rec.nports);
	if (!part)
		return -ENOMEM;
	err = knp_ports_set(t, rec.id, part);
	if (err)
		return err;
	return knp_object_add(t, KNP_TABLE_PORTSET, rec.id, rec.tag);
}

static int put_set(struct knp_tables *t, const void *data, const char **msg)
{
	const struct knp_set *old;
	struct knp_rec_set rec;
	int err;

	memcpy(&rec, data, sizeof(rec));
	err = check_id(KNP_TABLE_SET, rec.id, msg);
	if (err)
		return err;
	if (!is_zero(rec.pad, sizeof(rec.pad)))
		return refuse(msg, -EINVAL, "padding of a set is not 0");
	if (rec.direction != KNP_EGRESS && rec.direction != KNP_INGRESS)
		return refuse(msg, -EINVAL, "no such direction");
	if (rec.dflt && !knp_uses(t, KNP_TABLE_PORTSET, rec.dflt))
		return refuse(msg, -ENOENT, "no such portset");

	old = knp_set_at(t, rec.id);
	if (knp_uses(t, KNP_TABLE_SET, rec.id) &&
	    old->direction != rec.direction)
		return refuse(msg, -EINVAL,
			      "the direction of a set cannot change");

	err = knp_set_put(t, rec.id, rec.direction, rec.dflt);
	if (err)
		return err;
	return knp_object_add(t, KNP_TABLE_SET, rec.id, rec.tag);
}

static int put_row(struct knp_tables *t, const void *data, const char **msg)
{
	struct knp_rec_row rec;
	int err;

	memcpy(&rec, data, sizeof(rec));
	if (!rec.set)
		return refuse(msg, -EINVAL, "id 0 is reserved");
	if (!knp_uses(t, KNP_TABLE_SET, rec.set))
		return refuse(msg, -ENOENT, "no such set");
	err = check_class(t, rec.class_id, msg);
	if (err)
		return err;
	if (!rec.portset)
		return refuse(msg, -EINVAL, "a row entry without a portset");
	if (!knp_uses(t, KNP_TABLE_PORTSET, rec.portset))
		return refuse(msg, -ENOENT, "no such portset");
	if (!knp_row_get(knp_set_at(t, rec.set)->row, rec.class_id)) {
		err = check_room(t, KNP_TABLE_ROW, msg);
		if (err)
			return err;
	}
	return knp_entry_set(t, rec.set, rec.class_id, rec.portset);
}

static int put_peer(struct knp_tables *t, const void *data, const char **msg)
{
	struct knp_rec_peer rec;
	struct place p;
	int err;

	memcpy(&rec, data, sizeof(rec));
	err = get_place(&p, rec.addr, rec.family, msg);
	if (err)
		return err;
	if (!is_zero(rec.pad, sizeof(rec.pad)))
		return refuse(msg, -EINVAL, "padding of a peer is not 0");
	err = check_class(t, rec.class_id, msg);
	if (err)
		return err;
	if (!knp_peer_class(t, p.family, &p.addr)) {
		err = check_room(t, KNP_TABLE_PEER, msg);
		if (err)
			return err;
	}
	return knp_peer_set(t, p.family, &p.addr, rec.class_id);
}

/* The slot of a key for writing: one that is there, or a new one. */
static int get_slot(struct knp_tables *t, u32 table, struct knp_map *map,
		    const struct knp_addr *key, u32 extra, const char **msg,
		    struct knp_slot **ret)
{
	int err;

	if (!knp_map_find(map, &t->seed, key, extra)) {
		err = check_room(t, table, msg);
		if (err)
			return err;
	}

	*ret = knp_slot_edit(t, table, map, key, extra);
	return *ret ? 0 : -ENOMEM;
}

static int put_cidr(struct knp_tables *t, const void *data, const char **msg)
{
	struct knp_rec_cidr rec;
	struct knp_slot *slot;
	struct knp_map *map;
	struct place p;
	int err;

	memcpy(&rec, data, sizeof(rec));
	err = get_prefix(&p, &rec, msg);
	if (err)
		return err;
	if (!is_zero(rec.pad, sizeof(rec.pad)))
		return refuse(msg, -EINVAL, "padding of a cidr is not 0");
	if (rec.class_id && !knp_uses(t, KNP_TABLE_CLASS, rec.class_id))
		return refuse(msg, -ENOENT, "no such class");

	map = &t->map[KNP_MAP_CIDRS + p.family];
	err = get_slot(t, KNP_TABLE_CIDR, map, &p.addr, rec.prefixlen, msg, &slot);
	if (err)
		return err;
	t->stale[p.family] = true;
	err = knp_use_instead(t, KNP_TABLE_CLASS, slot->a, rec.class_id);
	if (err)
		return err;
	slot->a = rec.class_id;
	return 0;
}

static int check_endpoint_set(const struct knp_tables *t, u32 id, u8 direction,
			      const char **msg)
{
	if (!id)
		return 0;
	if (!knp_uses(t, KNP_TABLE_SET, id))
		return refuse(msg, -ENOENT, "no such set");
	if (knp_set_at(t, id)->direction != direction)
		return refuse(msg, -EINVAL, "the set is of the other direction");
	return 0;
}

static int put_endpoint(struct knp_tables *t, const void *data,
			const char **msg)
{
	struct knp_rec_endpoint rec;
	struct knp_slot *slot;
	struct knp_map *map;
	struct place p;
	int err;

	memcpy(&rec, data, sizeof(rec));
	err = get_place(&p, rec.addr, rec.family, msg);
	if (err)
		return err;
	if (!is_zero(rec.pad, sizeof(rec.pad)))
		return refuse(msg, -EINVAL, "padding of an endpoint is not 0");
	err = check_endpoint_set(t, rec.egress_set, KNP_EGRESS, msg);
	if (err)
		return err;
	err = check_endpoint_set(t, rec.ingress_set, KNP_INGRESS, msg);
	if (err)
		return err;

	map = &t->map[KNP_MAP_ENDPOINTS + p.family];
	err = get_slot(t, KNP_TABLE_ENDPOINT, map, &p.addr, 0, msg, &slot);
	if (err)
		return err;
	if (knp_use_instead(t, KNP_TABLE_SET, slot->a, rec.egress_set) ||
	    knp_use_instead(t, KNP_TABLE_SET, slot->b, rec.ingress_set))
		return -ENOMEM;
	slot->a = rec.egress_set;
	slot->b = rec.ingress_set;
	t->unbound[p.family] = true;
	return 0;
}

static int check_ifindex(u32 ifindex, const char **msg)
{
	if (!ifindex || ifindex >> 31)
		return refuse(msg, -EINVAL, "no interface has this index");
	return 0;
}

static int put_iface(struct knp_tables *t, const void *data, const char **msg)
{
	struct knp_map *map = &t->map[KNP_MAP_IFACES];
	struct knp_rec_iface rec;
	struct knp_addr key = { 0 };
	struct knp_slot *slot;
	int err;

	memcpy(&rec, data, sizeof(rec));
	err = check_ifindex(rec.ifindex, msg);
	if (err)
		return err;
	if (rec.role > KNP_ROLE_UPLINK)
		return refuse(msg, -EINVAL, "no such role");
	if (!is_zero(rec.pad, sizeof(rec.pad)))
		return refuse(msg, -EINVAL, "padding of an iface is not 0");

	key.q[0] = rec.ifindex;
	err = get_slot(t, KNP_TABLE_IFACE, map, &key, 0, msg, &slot);
	if (err)
		return err;
	slot->a = rec.role;
	return 0;
}

static int put_binding(struct knp_tables *t, const void *data, const char **msg)
{
	struct knp_rec_binding rec;
	struct knp_slot *slot;
	struct knp_map *map;
	struct place p;
	int err;

	memcpy(&rec, data, sizeof(rec));
	err = get_place(&p, rec.addr, rec.family, msg);
	if (err)
		return err;
	if (!rec.ifindex || rec.ifindex > KNP_BOUND_MAX)
		return refuse(msg, -EINVAL, "no address can be bound to this interface");
	if (!is_zero(rec.pad, sizeof(rec.pad)))
		return refuse(msg, -EINVAL, "padding of a binding is not 0");

	map = &t->map[KNP_MAP_BINDINGS + p.family];
	err = get_slot(t, KNP_TABLE_BINDING, map, &p.addr, 0, msg, &slot);
	if (err)
		return err;
	slot->a = rec.ifindex;
	t->unbound[p.family] = true;
	return 0;
}

/* Check that object @id exists and that nothing refers to it. */
static int check_unused(const struct knp_tables *t, u32 table, u32 id,
			const char **msg)
{
	u32 uses;

	if (!id)
		return refuse(msg, -EINVAL, "id 0 is reserved");

	uses = knp_uses(t, table, id);
	if (!uses)
		return refuse(msg, -ENOENT, "no such record");
	if (uses > 1)
		return refuse(msg, -EBUSY, "something still refers to it");
	return 0;
}

static int delete_object(struct knp_tables *t, u32 table, u32 id)
{
	t->count[table]--;
	return knp_use(t, table, id, -1);
}

static int delete_rule(struct knp_tables *t, const void *data,
		       const char **msg)
{
	struct knp_rec_rule rec;
	int err;

	memcpy(&rec, data, sizeof(rec));
	err = check_unused(t, KNP_TABLE_RULE, rec.id, msg);
	if (err)
		return err;
	return delete_object(t, KNP_TABLE_RULE, rec.id);
}

static int delete_portset(struct knp_tables *t, const void *data,
			  const char **msg)
{
	struct knp_rec_portset rec;
	int err;

	memcpy(&rec, data, sizeof(rec));
	err = check_unused(t, KNP_TABLE_PORTSET, rec.id, msg);
	if (err)
		return err;
	err = knp_ports_set(t, rec.id, NULL);
	if (err)
		return err;
	return delete_object(t, KNP_TABLE_PORTSET, rec.id);
}

static int delete_class(struct knp_tables *t, const void *data,
			const char **msg)
{
	struct knp_rec_class rec;
	int err;

	memcpy(&rec, data, sizeof(rec));
	err = check_unused(t, KNP_TABLE_CLASS, rec.id, msg);
	if (err)
		return err;
	return delete_object(t, KNP_TABLE_CLASS, rec.id);
}

static int delete_set(struct knp_tables *t, const void *data,
		      const char **msg)
{
	struct knp_rec_set rec;
	int err;

	memcpy(&rec, data, sizeof(rec));
	err = check_unused(t, KNP_TABLE_SET, rec.id, msg);
	if (err)
		return err;
	err = knp_set_clear(t, rec.id);
	if (err)
		return err;
	return delete_object(t, KNP_TABLE_SET, rec.id);
}

static int delete_row(struct knp_tables *t, const void *data,
		      const char **msg)
{
	struct knp_rec_row rec;

	memcpy(&rec, data, sizeof(rec));
	if (!rec.set || !rec.class_id)
		return refuse(msg, -EINVAL, "id 0 is reserved");
	if (!knp_uses(t, KNP_TABLE_SET, rec.set) ||
	    !knp_row_get(knp_set_at(t, rec.set)->row, rec.class_id))
		return refuse(msg, -ENOENT, "no such record");
	return knp_entry_set(t, rec.set, rec.class_id, 0);
}

static int delete_peer(struct knp_tables *t, const void *data,
		       const char **msg)
{
	struct knp_rec_peer rec;
	struct place p;
	int err;

	memcpy(&rec, data, sizeof(rec));
	err = get_place(&p, rec.addr, rec.family, msg);
	if (err)
		return err;
	if (!knp_peer_class(t, p.family, &p.addr))
		return refuse(msg, -ENOENT, "no such record");
	return knp_peer_set(t, p.family, &p.addr, 0);
}

static int delete_cidr(struct knp_tables *t, const void *data,
		       const char **msg)
{
	const struct knp_slot *slot;
	struct knp_rec_cidr rec;
	struct knp_map *map;
	struct place p;
	int err;

	memcpy(&rec, data, sizeof(rec));
	err = get_prefix(&p, &rec, msg);
	if (err)
		return err;

	map = &t->map[KNP_MAP_CIDRS + p.family];
	slot = knp_map_find(map, &t->seed, &p.addr, rec.prefixlen);
	if (!slot)
		return refuse(msg, -ENOENT, "no such record");

	t->stale[p.family] = true;
	if (knp_use(t, KNP_TABLE_CLASS, slot->a, -1))
		return -ENOMEM;
	return knp_slot_remove(t, KNP_TABLE_CIDR, map, &p.addr, rec.prefixlen);
}

static int delete_endpoint(struct knp_tables *t, const void *data,
			   const char **msg)
{
	const struct knp_slot *slot;
	struct knp_rec_endpoint rec;
	struct knp_map *map;
	struct place p;
	int err;

	memcpy(&rec, data, sizeof(rec));
	err = get_place(&p, rec.addr, rec.family, msg);
	if (err)
		return err;

	map = &t->map[KNP_MAP_ENDPOINTS + p.family];
	slot = knp_map_find(map, &t->seed, &p.addr, 0);
	if (!slot)
		return refuse(msg, -ENOENT, "no such record");

	if (knp_use(t, KNP_TABLE_SET, slot->a, -1) ||
	    knp_use(t, KNP_TABLE_SET, slot->b, -1) ||
	    knp_cells_remove(&t->endpoints[p.family], &t->seed,
			     p.family == KNP_V6, &p.addr))
		return -ENOMEM;
	return knp_slot_remove(t, KNP_TABLE_ENDPOINT, map, &p.addr, 0);
}

static int delete_iface(struct knp_tables *t, const void *data,
			const char **msg)
{
	struct knp_map *map = &t->map[KNP_MAP_IFACES];
	struct knp_rec_iface rec;
	struct knp_addr key = { 0 };
	int err;

	memcpy(&rec, data, sizeof(rec));
	err = check_ifindex(rec.ifindex, msg);
	if (err)
		return err;

	key.q[0] = rec.ifindex;
	if (!knp_map_find(map, &t->seed, &key, 0))
		return refuse(msg, -ENOENT, "no such record");
	return knp_slot_remove(t, KNP_TABLE_IFACE, map, &key, 0);
}

static int delete_binding(struct knp_tables *t, const void *data,
			  const char **msg)
{
	struct knp_rec_binding rec;
	struct knp_map *map;
	struct place p;
	int err;

	memcpy(&rec, data, sizeof(rec));
	err = get_place(&p, rec.addr, rec.family, msg);
	if (err)
		return err;

	map = &t->map[KNP_MAP_BINDINGS + p.family];
	if (!knp_map_find(map, &t->seed, &p.addr, 0))
		return refuse(msg, -ENOENT, "no such record");
	t->unbound[p.family] = true;
	return knp_slot_remove(t, KNP_TABLE_BINDING, map, &p.addr, 0);
}

/**
 * struct kind - what differs between tables
 * @size: bytes of a record, a portset's without its ports
 * @put: one record
 * @delete: one record
 */
struct kind {
	u32 size;
	int (*put)(struct knp_tables *t, const void *data, const char **msg);
	int (*delete)(struct knp_tables *t, const void *data,
		      const char **msg);
};

static const struct kind kinds[__KNP_TABLE_MAX] = {
	[KNP_TABLE_RULE] = {
		sizeof(struct knp_rec_rule), put_rule, delete_rule },
	[KNP_TABLE_PORTSET] = {
		sizeof(struct knp_rec_portset), put_portset, delete_portset },
	[KNP_TABLE_CLASS] = {
		sizeof(struct knp_rec_class), put_class, delete_class },
	[KNP_TABLE_SET] = {
		sizeof(struct knp_rec_set), put_set, delete_set },
	[KNP_TABLE_ROW] = {
		sizeof(struct knp_rec_row), put_row, delete_row },
	[KNP_TABLE_PEER] = {
		sizeof(struct knp_rec_peer), put_peer, delete_peer },
	[KNP_TABLE_CIDR] = {
		sizeof(struct knp_rec_cidr), put_cidr, delete_cidr },
	[KNP_TABLE_ENDPOINT] = {
		sizeof(struct knp_rec_endpoint), put_endpoint,
		delete_endpoint },
	[KNP_TABLE_IFACE] = {
		sizeof(struct knp_rec_iface), put_iface, delete_iface },
	[KNP_TABLE_BINDING] = {
		sizeof(struct knp_rec_binding), put_binding, delete_binding },
};

/* Bytes of the record at @data, of which @left are there; or -errno. */
static int record_size(u32 table, const void *data, size_t left, bool ports,
		       const char **msg)
{
	struct knp_rec_portset rec;
	u32 size = kinds[table].size;

	if (left < size)
		return refuse(msg, -EINVAL, "a record is cut off");
	if (table != KNP_TABLE_PORTSET || !ports)
		return size;

	memcpy(&rec, data, sizeof(rec));
	if (rec.nports > KNP_PORTS_MAX)
		return refuse(msg, -E2BIG, "too many ports");
	size += rec.nports * sizeof(struct knp_rec_port);
	if (left < size)
		return refuse(msg, -EINVAL, "the ports are cut off");
	return size;
}

/* Put or delete records; which of both is in @put. */
static int change(struct knp_tables *t, u32 table, const void *recs,
		  size_t len, bool put, struct knp_refusal *why)
{
	size_t at = 0;
	int size, err;
	int n = 0;

	why->offset = 0;
	if (!table || table > KNP_TABLE_MAX)
		return refuse(&why->msg, -EINVAL, "no such table");
	if (!len)
		return refuse(&why->msg, -EINVAL, "no records");
	if (t->frozen)
		return refuse(&why->msg, -EINVAL, "the table is frozen");
	if (t->broken)
		return no_memory(t, &why->msg);

	for (; at < len; at += size, n++) {
		const void *rec = (const u8 *)recs + at;

		why->offset = at;
		size = record_size(table, rec, len - at, put, &why->msg);
		if (size < 0)
			return size;
		err = put ? kinds[table].put(t, rec, &why->msg) :
			    kinds[table].delete(t, rec, &why->msg);
		if (err == -ENOMEM)
			return no_memory(t, &why->msg);
		if (err)
			return err;
	}
	return n;
}

int knp_tables_put(struct knp_tables *t, u32 table, const void *recs,
		   size_t len, struct knp_refusal *why)
{
	return change(t, table, recs, len, true, why);
}

int knp_tables_delete(struct knp_tables *t, u32 table, const void *recs,
		      size_t len, struct knp_refusal *why)
{
	return change(t, table, recs, len, false, why);
}
