/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of the core share: records by hand, dumps, seeds. */
#ifndef KNP_TEST_TABLES_H
#define KNP_TEST_TABLES_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sys/socket.h>
#include <linux/errno.h>
#include <linux/types.h>

#include "table.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* What a message of a dump may hold. */
#define ROOM 8192

/* All records of a table of records, as knp_tables_next() gave them. */
struct dump {
	__u8 *buf[__KNP_TABLE_MAX];
	size_t len[__KNP_TABLE_MAX];
};

/* Pseudo-random numbers that depend only on the seed. */
struct dice {
	__u64 state;
};

/* KNP_SEED from the environment, or a new one; printed. */
void dice_init(struct dice *d);
__u32 dice_below(struct dice *d, __u32 n);

/* One record; the result is knp_tables_put()'s or knp_tables_delete()'s. */
int put(struct knp_tables *t, __u32 table, const void *recs, size_t len);
int delete(struct knp_tables *t, __u32 table, const void *recs, size_t len);

#define PUT(t, table, ...) put(t, table, &(__VA_ARGS__), sizeof(__VA_ARGS__))
#define DELETE(t, table, ...) \
	delete(t, table, &(__VA_ARGS__), sizeof(__VA_ARGS__))

/* Delete an object or an interface, of which only the id is set; an entry. */
int delete_id(struct knp_tables *t, __u32 table, __u32 id);
int delete_row(struct knp_tables *t, __u32 set, __u32 class_id);

/* The text of the last refusal, NULL if there was none. */
const char *refusal(void);

int put_rule(struct knp_tables *t, __u32 id);
int put_class(struct knp_tables *t, __u32 id);
int put_set(struct knp_tables *t, __u32 id, __u8 direction, __u32 dflt);
int put_row(struct knp_tables *t, __u32 set, __u32 class_id, __u32 portset);
int put_peer(struct knp_tables *t, const char *addr, __u32 class_id);
int put_cidr(struct knp_tables *t, const char *addr, __u8 len, __u32 class_id);
int put_endpoint(struct knp_tables *t, const char *addr, __u32 egress,
		 __u32 ingress);
int put_binding(struct knp_tables *t, const char *addr, __u32 ifindex);
int put_iface(struct knp_tables *t, __u32 ifindex, __u8 role);

/* A portset with @n ports at @ports. */
int put_ports(struct knp_tables *t, __u32 id, const struct knp_rec_port *ports,
	      __u32 n);

/* The entry that allows everything, by rule 1. */
extern const struct knp_rec_port any_port;

/* Two of everything, all of it connected. */
void fill(struct knp_tables *t);

void freeze(struct knp_tables *t);

/* What a verdict consists of (kmod/lookup.h), one by one. */
__u32 knp_tables_class(const struct knp_tables *t, unsigned int family,
		       const struct knp_addr *addr);
__u32 knp_tables_row(const struct knp_tables *t, __u32 set, __u32 class_id);
__u32 knp_tables_port(const struct knp_tables *t, __u32 portset, __u8 proto,
		      __u16 port, bool has_port);

/* "10.0.0.1" or "fd00::1"; returns AF_INET or AF_INET6. */
__u8 parse(const char *text, __u8 *addr);
struct knp_addr address(const char *text);

__u32 class_of(const struct knp_tables *t, const char *addr);

void dump_get(struct dump *d, const struct knp_tables *t, size_t room);
void dump_free(struct dump *d);
void dump_assert_equal(const struct dump *a, const struct dump *b);

/* Sort the records of tables without an order. */
void dump_sort(struct dump *d);

/* Fill an empty table from a dump. */
void dump_put(const struct dump *d, struct knp_tables *t);

/* Bytes of the record of @table at @rec, a portset's with its ports. */
size_t rec_size(__u32 table, const void *rec);

#endif /* KNP_TEST_TABLES_H */
