/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ruleset: the records of the uapi tables, flat, with the names of what they
 * stand for. The compiler makes one, the kernel's dump reads back as one, the
 * difference of two is what is pushed, the simulator loads one into the match
 * core.
 *
 * Two stages:
 *   - as compiled, objects refer to each other by provisional ids (1 .. n in
 *     the order of their arrays);
 *   - knp_ruleset_adopt() renumbers it with the ids under which another ruleset
 *     (the kernel's) holds the same tags; the rest gets free ids. Ids that the
 *     other ruleset uses for a tag that is gone are not reused, so that one
 *     transaction never gives an id a new meaning.
 *
 * Arrays are kept sorted by key, so equal rulesets are equal byte by byte.
 */
#ifndef KNP_RULESET_H
#define KNP_RULESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/knp.h>

/** struct knp_recs - a growing array of records of one table */
struct knp_recs {
	void *v;
	size_t n;		/* records */
	size_t size;		/* of one record, bytes */
	size_t cap;
};

/**
 * struct knp_rs_portset - a portset with its ports
 * @ports: nports entries, sorted by (proto, lo)
 */
struct knp_rs_portset {
	struct knp_rec_portset rec;
	struct knp_rec_port *ports;
};

/** enum knp_name_kind - what a name belongs to */
enum knp_name_kind {
	KNP_NAME_RULE,		/* "ns/policy ingress[0]" */
	KNP_NAME_PORTSET,	/* "80/TCP,8080-8090/TCP" */
	KNP_NAME_SET,		/* the policies that isolate: "ns/a, ns/b" */
};

/** struct knp_name - the name of a tag */
struct knp_name {
	uint8_t tag[KNP_TAG_LEN];
	enum knp_name_kind kind;
	char *text;
};

/** struct knp_address_name - the pod of an address */
struct knp_address_name {
	uint8_t addr[KNP_ADDR_LEN];
	uint8_t family;
	char *text;		/* "ns/pod" */
};

/**
 * struct knp_ruleset - all tables
 * @rules .. @bindings: struct knp_rec_*, sorted by key
 * @portsets: struct knp_rs_portset, sorted by id
 * @names: struct knp_name, sorted by tag; empty when read from the kernel
 * @addresses: struct knp_address_name, sorted by (family, addr)
 * @unheld: addresses that are isolated and, for want of room, no endpoints: who
 *	commits this must have unknown addresses behind pods' interfaces dropped
 */
struct knp_ruleset {
	struct knp_recs rules;
	struct knp_recs portsets;
	struct knp_recs classes;
	struct knp_recs sets;
	struct knp_recs rows;
	struct knp_recs peers;
	struct knp_recs cidrs;
	struct knp_recs endpoints;
	struct knp_recs ifaces;
	struct knp_recs bindings;
	struct knp_recs names;
	struct knp_recs addresses;
	size_t unheld;
};

struct knp_ruleset *knp_ruleset_new(void);
void knp_ruleset_free(struct knp_ruleset *rs);

/* Append one record (copied). Return a pointer to it, NULL if out of memory. */
void *knp_recs_add(struct knp_recs *r, const void *rec);

/* The array of one table, enum knp_table; NULL for an unknown one. */
struct knp_recs *knp_ruleset_table(struct knp_ruleset *rs, uint32_t table);

/* Id, and tag, of a record of rules, portsets, classes or sets. */
uint32_t knp_ruleset_id(const struct knp_recs *r, size_t i);
const uint8_t *knp_ruleset_tag(uint32_t table, const struct knp_recs *r,
			       size_t i);

/* The record of an id in rules, portsets, classes or sets, sorted; or NULL. */
const void *knp_recs_find(const struct knp_recs *r, uint32_t id);

/* The order of two records of a table, by their keys. */
int knp_ruleset_order(uint32_t table, const void *a, const void *b);

/* Whether two records of a table are the same, ids included. */
bool knp_ruleset_same(uint32_t table, const void *a, const void *b);

/* Sort every array by its key. */
void knp_ruleset_sort(struct knp_ruleset *rs);

/*
 * Append packed records of one table, as a dump message carries them.
 * Return 0, -EINVAL (malformed) or -ENOMEM.
 */
int knp_ruleset_unpack(struct knp_ruleset *rs, uint32_t table,
		       const void *recs, size_t len);

/*
 * Renumber @rs with the ids of @base, see above, and sort it.
 * Return 0, -ENOMEM, or -E2BIG if the ids of a table run out.
 */
int knp_ruleset_adopt(struct knp_ruleset *rs, const struct knp_ruleset *base);

/*
 * struct knp_op - one message's worth of a difference
 * @recs, @len: packed records, at most 32 KiB, of one table
 * @count: how many
 */
struct knp_op {
	bool delete;
	uint32_t table;
	void *recs;
	size_t len;
	size_t count;
};

/* struct knp_diff - what turns one ruleset into another, in a valid order */
struct knp_diff {
	struct knp_op *ops;
	size_t nops;
	size_t cap;
	uint64_t count;		/* records in all ops */
};

/* One without a record; NULL if out of memory. */
struct knp_diff *knp_diff_new(void);

/*
 * Append one record (copied) of a table, struct knp_rs_portset of portsets. The
 * order is the caller's. Return 0 or -ENOMEM.
 */
int knp_diff_add(struct knp_diff *d, bool delete, uint32_t table,
		 const void *rec);

/*
 * The difference from @from (the kernel's) to @to (adopted). Both sorted.
 * Interface records of @from that @to lacks are deleted like all others.
 * Return 0 or -ENOMEM; @ret is untouched on failure.
 */
int knp_ruleset_diff(const struct knp_ruleset *from,
		     const struct knp_ruleset *to, struct knp_diff **ret);
void knp_diff_free(struct knp_diff *d);

/*
 * Told of a record that two rulesets do not have alike. NULL: one has none of
 * that key. Not 0 ends the comparison.
 */
typedef int (*knp_compare_fn)(void *arg, uint32_t table, const void *from,
			      const void *to);

/*
 * Compare one table of @from and @to (adopted), both sorted, in the order of
 * keys. Return 0, or what @fn returned.
 */
int knp_ruleset_compare(const struct knp_ruleset *from,
			const struct knp_ruleset *to, uint32_t table,
			knp_compare_fn fn, void *arg);

/* Name of a tag, NULL if unknown. */
const char *knp_ruleset_name(const struct knp_ruleset *rs,
			     const uint8_t tag[KNP_TAG_LEN]);

#endif /* KNP_RULESET_H */
