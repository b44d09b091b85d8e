/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The tables of one network namespace: records in, lookups out.
 *
 * PURE: no skb, netlink, lock or RCU; userspace compiles this file unchanged
 * (tests, simulator, fuzzers).
 *
 * Life of a table
 *   knp_tables_new()      an empty one
 *   knp_tables_clone()    a private copy, cheap: it shares every part
 *   knp_tables_put(), knp_tables_delete()
 *                        change a private copy; the parts they touch are
 *                        copied first, so the original never changes
 *   knp_tables_freeze()   compiles what lookups need; after it the table is
 *                        immutable and may be published
 *   knp_tables_free()     drops the references; parts that nobody else shares
 *                        are freed
 *
 * Ownership: parts are shared between clones by a plain count. All calls of
 * this file that take a table non-const, and knp_tables_clone(), must be
 * serialised by the caller for all tables that stem from one
 * knp_tables_new(). Lookups and knp_tables_next() take a frozen table const,
 * touch no count and need only that the table stays alive.
 *
 * Context: everything that may allocate may sleep. knp_tables_free() may
 * reschedule.
 */
#ifndef KNP_TABLE_H
#define KNP_TABLE_H

#include <linux/types.h>
#include <linux/knp.h>

struct knp_tables;

/* Largest id, and number of records, of each table. */
#define KNP_RULES_MAX		65535
#define KNP_PORTSETS_MAX	65535
#define KNP_CLASSES_MAX		65535
#define KNP_SETS_MAX		16383
#define KNP_ROWS_MAX		(16U << 20)
#define KNP_PEERS_MAX		(1U << 20)
#define KNP_CIDRS_MAX		(1U << 17)
#define KNP_ENDPOINTS_MAX	16384
#define KNP_IFACES_MAX		16384
#define KNP_BINDINGS_MAX	16384

/** enum knp_family - index of the per-family tables */
enum knp_family {
	KNP_V4,
	KNP_V6,
	KNP_NFAMILIES,
};

/**
 * struct knp_addr - an address as tables and flows hold it
 * @b: network byte order; IPv4 in the first four bytes, the rest zero
 * @w: the same as words
 * @q: the same, for comparing and hashing only
 */
struct knp_addr {
	union {
		__u8 b[KNP_ADDR_LEN];
		__be32 w[4];
		__u64 q[2];
	};
};

/**
 * struct knp_refusal - why a record was refused
 * @msg: static text, for extack
 * @offset: of the refused record in the buffer, bytes
 */
struct knp_refusal {
	const char *msg;
	__u32 offset;
};

/**
 * struct knp_cursor - where knp_tables_next() goes on
 * @pos: position in the table
 * @sub: position within that
 *
 * All zero at the start of each table.
 */
struct knp_cursor {
	__u64 pos;
	__u32 sub;
};

/**
 * knp_tables_new() - an empty, unfrozen table
 *
 * Return: the table, NULL if out of memory.
 */
struct knp_tables *knp_tables_new(void);

/**
 * knp_tables_clone() - a private, unfrozen copy of a table
 * @t: frozen or not
 *
 * Return: the copy, NULL if out of memory.
 */
struct knp_tables *knp_tables_clone(struct knp_tables *t);

/**
 * knp_tables_free() - drop a table
 * @t: the table, may be NULL
 */
void knp_tables_free(struct knp_tables *t);

/**
 * knp_tables_put() - insert or replace records
 * @t: an unfrozen table
 * @table: enum knp_table
 * @recs: packed records of that table (portsets with their ports)
 * @len: bytes of @recs
 * @why: filled on a refusal
 *
 * A refused record leaves no trace, those before it stay in. After -ENOMEM the
 * table can only be freed: everything else answers -ENOMEM.
 *
 * Return: number of records, or -EINVAL, -ENOENT, -E2BIG, -ENOMEM as the uapi
 * says for PUT.
 */
int knp_tables_put(struct knp_tables *t, __u32 table, const void *recs,
		   size_t len, struct knp_refusal *why);

/**
 * knp_tables_delete() - remove records
 * @t: an unfrozen table
 * @table: enum knp_table
 * @recs: packed records, of which the keys are read (portsets without ports)
 * @len: bytes of @recs
 * @why: filled on a refusal
 *
 * Return: number of records, or -EINVAL, -ENOENT, -EBUSY, -ENOMEM.
 */
int knp_tables_delete(struct knp_tables *t, __u32 table, const void *recs,
		      size_t len, struct knp_refusal *why);

/**
 * knp_tables_freeze() - make a table ready for lookups
 * @t: the table; on failure it stays unfrozen and can be dropped
 *
 * Return: 0 or -ENOMEM.
 */
int knp_tables_freeze(struct knp_tables *t);

/**
 * knp_tables_next() - read records back
 * @t: the table
 * @table: enum knp_table
 * @cur: advanced past what was written
 * @buf: where to write packed records
 * @room: bytes of @buf; at least 8 KiB, so that any portset fits
 *
 * Records come in a fixed order: by id, or for rows by (set, class). The order
 * of peers, CIDRs, endpoints, interfaces and bindings is unspecified but the
 * same for every dump of one table.
 *
 * Return: bytes written; 0 at the end of the table.
 */
size_t knp_tables_next(const struct knp_tables *t, __u32 table,
		       struct knp_cursor *cur, void *buf, size_t room);

/** knp_tables_count() - records in one table (enum knp_table) */
__u32 knp_tables_count(const struct knp_tables *t, __u32 table);

/** knp_tables_limit() - records (and largest id) that one table may hold */
__u32 knp_tables_limit(__u32 table);

/**
 * knp_tables_tag() - the tag of an object
 * @t: the table
 * @table: KNP_TABLE_RULE, _PORTSET, _CLASS or _SET
 * @id: the object
 *
 * Return: KNP_TAG_LEN bytes that live as long as @t, NULL if there is none.
 */
const __u8 *knp_tables_tag(const struct knp_tables *t, __u32 table, __u32 id);

/*
 * Lookups, for the hook; those of match.c are in lookup.h. They need a frozen
 * table, never fail, allocate or write.
 */

/**
 * knp_tables_endpoint() - the sets that judge a local address
 * @t: the table
 * @family: enum knp_family
 * @addr: the address
 * @egress_set: set id, 0 if not isolated
 * @ingress_set: set id, 0 if not isolated
 *
 * Return: true if @addr is an endpoint; else the out-parameters are 0.
 */
bool knp_tables_endpoint(const struct knp_tables *t, unsigned int family,
			 const struct knp_addr *addr, __u32 *egress_set,
			 __u32 *ingress_set);

/**
 * knp_tables_bound() - the interface behind which a local address is
 * @t: the table
 * @family: enum knp_family
 * @addr: the address
 * @ifindex: the interface, 0: it is bound to none, or no endpoint
 *
 * Return: true if @addr is an endpoint.
 */
bool knp_tables_bound(const struct knp_tables *t, unsigned int family,
		      const struct knp_addr *addr, __u32 *ifindex);

/** knp_tables_role() - enum knp_role of an interface, KNP_ROLE_OTHER if unknown */
__u8 knp_tables_role(const struct knp_tables *t, __u32 ifindex);

#endif /* KNP_TABLE_H */
