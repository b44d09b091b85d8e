/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the live ruleset. live.h says what it does; this is how.
 *
 * The objects of the compiler (compile_impl.h), each one held once, found by
 * its content, counted by its users, and gone with the last of them:
 *
 *   address ─► cell = group × blocks ─► class = peers of both, port names
 *	 group: namespace, labels, ports ─► peers that match, sets that judge
 *	 blocks: the ipBlocks around an address
 *   policy ─► rules, while a set has it ─► peers, port names
 *   set = policies that select a group × its own port names ─► rows
 *   row = set × class ─► port set
 *
 *   live.c	     the observer, the steps of an update
 *   live_ns.c	     namespaces and their labels
 *   live_address.c  addresses and their owners, groups, cells
 *   live_policy.c   groups -> sets, policies -> rules, peers
 *   live_peer.c     peers -> groups
 *   live_blocks.c   ipBlocks -> regions -> cells
 *   live_class.c    cells and regions -> classes
 *   live_row.c	     sets x classes -> port sets
 *   live_id.c	     numbers and ids
 *   live_record.c   objects -> records
 *   live_whole.c    the whole ruleset, and the ids that the kernel gave it
 *   live_link.c     interfaces of pods, and the addresses behind them
 *   live_diff.c     what differs from what the kernel holds
 *   live_trouble.c  what does not fit
 *
 * An update. The observer settles the owners of addresses at once, because pods
 * go; everything else is only marked, and taken in by knp_live_update() in one
 * direction, from left to right, so that what ten events do to one class is
 * done once: sets, rules, peers, blocks, classes, rows.
 *
 * What the kernel holds. Every object knows its id there. An address does not:
 * its records follow from its cell and group, whose ids there are known, as
 * long as it was in them at the last commit. Those that moved since are in
 * @moved, with the records they had.
 *
 * Numbers stand for objects in arrays of peers, rows and entries. Numbers and
 * ids of what is gone are given back when the kernel has confirmed it, so that
 * none gets a new meaning within a transaction.
 *
 * A failure leaves it unfit for anything but knp_live_free(), which needs no
 * invariant but that every object is in its table.
 */
#ifndef KNP_LIVE_IMPL_H
#define KNP_LIVE_IMPL_H

#include "cports.h"
#include "hash.h"
#include "identity.h"
#include "intern.h"
#include "labels.h"
#include "live.h"
#include "port_names.h"
#include "port_ranges.h"
#include "regions.h"

/**
 * struct live_numbers - numbers of objects, from 1
 * @v: the objects, void *; NULL for a number that is free
 * @spare: uint32_t, free
 */
struct live_numbers {
	struct knp_recs v;
	struct knp_recs spare;
};

/**
 * struct live_id - an object as the kernel knows it
 * @number: its own, 0 for none
 * @id: in the kernel, or the one that it will have; 0: none yet
 * @there: the kernel has it
 */
struct live_id {
	uint32_t number;
	uint32_t id;
	bool there;
	uint8_t tag[KNP_TAG_LEN];
};

/**
 * struct live_ns - a namespace that has pods, policies or peers
 * @labels: of its object, NULL: not seen
 * @policies: struct live_policy *, by name
 * @peers: uint32_t, numbers of peers without namespaceSelector
 * @reselect: policies may select others
 * @relabelled: namespaceSelectors may match otherwise
 * @recount: its ipBlocks are to be counted
 * @refused: policies of it were refused then
 */
struct live_ns {
	struct knp_hash_node node;
	const char *name;
	const struct knp_labels *labels;
	struct live_group *groups;
	struct knp_recs policies;
	struct knp_recs peers;
	bool reselect;
	bool relabelled;
	bool recount;
	bool refused;
	bool queued;
};

struct live_rules {
	struct live_rule **v;
	uint32_t n;
};

/**
 * struct live_policy - a policy of the store
 * @policy: the newest version, held
 * @used: by direction: sets that have it
 * @rules: by direction: while it is used
 * @changed: since the rules were made
 * @refused: its ipBlocks match nobody, see block_limits.h
 * @gone: from the store
 */
struct live_policy {
	struct live_ns *ns;
	struct knp_policy *policy;
	uint32_t used[NDIRECTIONS];
	struct live_rules rules[NDIRECTIONS];
	bool changed;
	bool refused;
	bool gone;
	bool queued;
};

/**
 * struct live_rule - a rule of a policy that is used
 * @ranges: ports, sorted, then those by name
 */
struct live_rule {
	struct live_id id;
	struct live_policy *policy;
	uint32_t index;
	uint8_t direction;
	bool any_peer;
	bool any_port;
	struct live_peer **peers;
	size_t npeers;
	struct knp_crange *ranges;
	size_t nranges;
	size_t nnames;
};

/** struct live_name - an egress port name of a peer, and how many rules use it */
struct live_name {
	uint32_t name;
	uint32_t uses;
};

/**
 * struct live_peer - a distinct peer
 * @key: its canonical form
 * @policy: whose @peer is part of, held
 * @ns: whose pods are meant, NULL if @peer says it
 * @names: struct live_name
 * @classes: struct live_class *, those that have it
 * @renamed: @names has changed
 * @fresh: not matched yet
 */
struct live_peer {
	struct knp_hash_node node;
	void *key;
	size_t len;
	uint32_t number;
	uint32_t refs;
	struct knp_policy *policy;
	const struct knp_peer *peer;
	struct live_ns *ns;
	struct knp_recs names;
	struct knp_recs classes;
	bool renamed;
	bool fresh;
	uint8_t tag[KNP_TAG_LEN];
};

/**
 * struct live_blocks - the ipBlocks around an address
 * @class: of the addresses there that are no pod's; NULL: class 0
 * @refs: regions and cells
 */
struct live_blocks {
	struct knp_hash_node node;
	struct live_class *class;
	uint32_t refs;
	uint32_t n;
	uint32_t v[];			/* numbers of peers, ascending */
};

/** struct live_place - a /16 (IPv6: /64) that pods have @n addresses in */
struct live_place {
	struct knp_hash_node node;
	struct knp_prefix prefix;
	uint32_t n;
};

/**
 * struct live_cell - the addresses of a group in the same blocks
 * @members: who() of the addresses
 * @class: NULL: what the blocks say, no peer record
 * @there: id of the class in the kernel's peer records, 0: there are none
 */
struct live_cell {
	struct live_group *group;
	struct live_blocks *blocks;
	struct live_class *class;
	struct live_cell *next;
	uintptr_t *members;
	uint32_t n;
	uint32_t cap;
	uint32_t there;
	bool queued;
};

/**
 * struct live_group - pods that differ in nothing that policy sees
 * @peers: numbers of the selector peers that match, ascending
 * @nlocal: addresses on this node
 * @there: ids of the sets in the kernel's endpoint records
 * @fresh: no peer was matched yet
 * @reselect, @reclass: sets, or classes, are to be found anew
 */
struct live_group {
	struct knp_hash_node node;
	struct live_ns *ns;
	struct live_group *next;
	const struct knp_labels *labels;
	const struct knp_cports *ports;
	uint32_t *peers;
	uint32_t npeers;
	uint32_t cap;
	struct live_set *sets[NDIRECTIONS];
	uint32_t there[NDIRECTIONS];
	uint32_t nlocal;
	bool fresh;
	bool reselect;
	bool reclass;
	bool queued;
	bool moved;			/* sets differ from @there */
	struct live_cell cell;
};

/** struct live_class - a class of peers that is not class 0 */
struct live_class {
	struct knp_hash_node node;
	struct live_id id;
	uint32_t refs;
	uint32_t npeers;
	uint32_t nports;
	bool fresh;			/* no row was computed yet */
	struct knp_port_of *ports;
	uint32_t peers[];		/* ascending; then @ports */
};

/** struct live_portset - a port set that is not the empty one */
struct live_portset {
	struct knp_hash_node node;
	struct live_id id;
	uint32_t refs;
	uint32_t n;
	struct knp_centry entries[];	/* their rules are numbers */
};

/**
 * struct live_row - what a set allows one class
 * @number, @class_id: of the class
 * @portset: NULL: none, the row is only there in the kernel
 * @there: id of the port set in the kernel's record, 0: none
 */
struct live_row {
	uint32_t number;
	uint32_t class_id;
	struct live_portset *portset;
	uint32_t there;
};

/** struct live_hit - a rule of a set, by its @order in it, and a peer of it */
struct live_hit {
	uint32_t peer;
	uint32_t order;
	bool named;
};

/**
 * struct live_set - a policy set
 * @dflt: NULL: the empty one
 * @dflt_there: id in the kernel's record
 * @rules: struct live_rule *, of the policies in their order
 * @any: uint32_t, orders of the rules to any peer
 * @hits: struct live_hit of the others, by (peer, order)
 * @rows: struct live_row, by number
 * @left_out: uint32_t, numbers of classes whose port sets would be too large:
 *	they have the default, see compile_impl.h
 * @denied: the default would be: it is the empty one, and there are no rows
 */
struct live_set {
	struct knp_hash_node node;
	struct live_id id;
	uint32_t refs;
	uint8_t direction;
	bool dirty;			/* all rows are to be computed */
	bool redone;			/* they were, in this update */
	bool any_names;			/* rules to any peer by port name */
	uint32_t npolicies;
	uint32_t nports;
	struct live_policy **policies;
	struct knp_port_of *ports;
	struct live_portset *dflt;
	uint32_t dflt_there;
	struct knp_recs rules;
	struct knp_recs any;
	struct knp_recs hits;
	struct knp_recs rows;
	struct knp_recs left_out;
	bool denied;
};

/** struct live_slot - an address in the table; @who 0: free */
struct live_slot {
	uintptr_t who;
	struct live_cell *cell;
};

/** struct live_moved - the records of an address at the last commit */
struct live_moved {
	struct knp_ip ip;
	uint32_t class_id;		/* 0: no peer record */
	uint32_t sets[NDIRECTIONS];
	bool endpoint;
};

/**
 * struct live_gone - an object that is no more
 * @there: the kernel still has it; if not, only its numbers wait for the end
 *	of the update, because something may still say them
 */
struct live_gone {
	uint32_t number;
	uint32_t id;
	bool there;
	uint8_t tag[KNP_TAG_LEN];
};

/** struct live_touch - a row that may differ from the kernel's */
struct live_touch {
	struct live_set *set;
	uint32_t number;
};

/** enum live_kind - objects that have ids; as enum knp_table - 1 */
enum live_kind {
	LIVE_RULE,
	LIVE_PORTSET,
	LIVE_CLASS,
	LIVE_SET,
	LIVE_KINDS,
};

/* Tables that are compared, not followed: KNP_TABLE_IFACE, KNP_TABLE_BINDING. */
#define LIVE_LINKS	2

/**
 * struct live_links - one of them
 * @there: the kernel's records
 * @next: in the difference at hand
 * @version: of the store's that are there
 */
struct live_links {
	struct knp_recs there;
	struct knp_recs next;
	uint64_t version;
};

/**
 * struct knp_live - all of it
 * @failed: errno of a failed observer call; the next update returns it
 * @known: what the kernel holds is known
 * @numbers, @ids, @fresh, @gone: by enum live_kind; @ids has the objects by
 *	id, @fresh those that the kernel does not have (pointers), @gone struct
 *	live_gone
 * @any_names: struct live_name, of egress rules to any peer
 */
struct knp_live {
	struct knp_store *store;
	const struct knp_limits *limits;
	const char *node;
	int failed;
	bool known;

	struct live_slot *slots;
	size_t nslots;
	size_t naddresses;
	size_t nlocal;
	struct knp_recs losers;		/* uintptr_t, who() */

	struct knp_hash namespaces;
	struct knp_hash ns_labels;	/* of live_ns.c */
	const char *name_label;
	struct knp_hash groups;
	struct knp_hash peers;
	struct knp_hash blocks;
	struct knp_hash places;
	struct knp_hash classes;
	struct knp_hash portsets;
	struct knp_hash sets;
	size_t nrows;

	struct live_numbers peer_numbers;
	struct live_numbers numbers[LIVE_KINDS];
	struct live_numbers ids[LIVE_KINDS];
	struct knp_recs fresh[LIVE_KINDS];
	struct knp_recs gone[LIVE_KINDS];

	struct knp_regions regions;
	struct live_blocks **around;	/* as the regions */
	struct live_blocks *outside;
	struct knp_recs cidr_regions;	/* uint32_t: those with a record */
	struct knp_recs cidrs_there;	/* struct knp_rec_cidr */
	struct knp_recs cidrs_next;	/* in the difference at hand */
	bool cidrs_changed;
	struct live_links links[LIVE_LINKS];

	struct knp_port_names names;
	struct knp_recs any_names;

	/* marked by the observer and by earlier steps */
	struct knp_recs ns_queue;	/* struct live_ns * */
	struct knp_recs policy_queue;	/* struct live_policy * */
	struct knp_recs group_queue;	/* struct live_group * */
	struct knp_recs peer_queue;	/* struct live_peer *, fresh or renamed */
	struct knp_recs idle_peers;	/* struct live_peer *, without users */
	struct knp_recs fresh_classes;	/* struct live_class * */
	bool blocks_changed;
	bool blocks_reach;		/* perhaps around an address of a pod */
	bool any_renamed;
	bool sets_dirty;		/* at least one is */
	bool misfits;			/* something may not fit; live_trouble.c looks */

	/* for the difference */
	struct knp_intern moved_ids;
	struct knp_recs moved;		/* struct live_moved */
	struct knp_recs cell_queue;	/* struct live_cell *, another class */
	struct knp_recs moved_groups;	/* struct live_group *, other sets */
	struct knp_recs touched;	/* struct live_touch */

	struct knp_buf buf;
};

/*
 * who() - an address: its pod and which of the pod's it is. Blocks of malloc()
 * are aligned to 16, and nobody has that many addresses: see live_address.c.
 */
#define LIVE_IPS_MAX	16

static inline uintptr_t live_who(const struct knp_pod *pod, uint32_t i)
{
	return (uintptr_t)pod | i;
}

static inline const struct knp_pod *live_pod(uintptr_t who)
{
	return (const struct knp_pod *)(who & ~(uintptr_t)(LIVE_IPS_MAX - 1));
}

static inline const struct knp_ip *live_ip(uintptr_t who)
{
	return &live_pod(who)->ips[who & (LIVE_IPS_MAX - 1)];
}

static inline bool live_is_local(const struct knp_live *l, uintptr_t who)
{
	return !l->node || live_pod(who)->node == l->node;
}

/* All below return 0, or -ENOMEM where nothing else is said. */

/* live.c */
int live_queue(struct knp_recs *queue, void *object, bool *queued);

/* live_id.c */
extern const uint32_t live_table[LIVE_KINDS];	/* enum knp_table */
int live_number(struct live_numbers *n, void *object, uint32_t *ret);
void live_number_free(struct live_numbers *n, uint32_t number);
struct live_id *live_id_of(enum live_kind kind, void *object);

/* An object is new, or is no more. -E2BIG: there are too many of its kind. */
int live_fresh(struct knp_live *l, enum live_kind kind, struct live_id *id,
	       void *object);
void live_gone(struct knp_live *l, enum live_kind kind, struct live_id *id);

/* Numbers and ids of what is gone; with @there, of what the kernel has too. */
void live_give_back(struct knp_live *l, bool there);

/* The update is at its end. */
void live_end(struct knp_live *l);

static inline void *live_numbered(const struct live_numbers *n, uint32_t number)
{
	return ((void **)n->v.v)[number - 1];
}

/* live_ns.c */
int live_ns_init(struct knp_live *l);

/* The one of a name, which is interned; NULL if out of memory. */
struct live_ns *live_ns(struct knp_live *l, const char *name);

/* A namespace has other labels; NULL: its object is gone. */
int live_ns_label(struct knp_live *l, const char *name,
		  const struct knp_labels *labels);

/* Free it if nothing needs it any more. */
void live_ns_sweep(struct knp_live *l, struct live_ns *ns);

/* Call @fn for all that a selector matches, until it returns not 0: that. */
typedef int (*live_ns_fn)(struct knp_live *l, struct live_ns *ns, void *arg);
int live_ns_select(struct knp_live *l, const struct knp_selector *selector,
		   live_ns_fn fn, void *arg);
void live_ns_clear(struct knp_live *l);

/* live_address.c */
int live_pod_came(struct knp_live *l, const struct knp_pod *pod);
int live_pod_went(struct knp_live *l, const struct knp_pod *pod);

/* The slot of an address, NULL if it is nobody's. */
struct live_slot *live_slot(const struct knp_live *l, const struct knp_ip *ip);

/* Put the addresses into the cells of their blocks, which have changed. */
int live_address_reblock(struct knp_live *l);
int live_group_queue(struct knp_live *l, struct live_group *group);

/* Of the groups in the queue free those, and their cells, without an address. */
void live_groups_sweep(struct knp_live *l);
void live_address_clear(struct knp_live *l);

/* live_policy.c */
int live_policy_put(struct knp_live *l, struct knp_policy *policy);
int live_policy_del(struct knp_live *l, const struct knp_policy *policy);
int live_subjects(struct knp_live *l);
void live_set_put(struct knp_live *l, struct live_set *set);

/* The policies of a set, to free(); NULL if out of memory. */
const struct knp_policy **live_set_policies(const struct live_set *set);
int live_rules(struct knp_live *l);
void live_policy_clear(struct knp_live *l);

/* live_peer.c */
static inline struct live_peer *live_peer_at(const struct knp_live *l,
					     uint32_t number)
{
	return live_numbered(&l->peer_numbers, number);
}

int live_peer_get(struct knp_live *l, struct live_policy *policy,
		  const struct knp_peer *peer, struct live_peer **ret);

/* It goes when the rules have settled: another one may take it up again. */
void live_peer_put(struct knp_live *l, struct live_peer *peer);

/* Count uses, +1 or -1, of an egress port name: of a peer, of any peer. */
int live_peer_name(struct knp_live *l, struct live_peer *peer, uint32_t name,
		   int uses);
int live_any_name(struct knp_live *l, uint32_t name, int uses);
int live_match(struct knp_live *l);

/* Free the peers that no rule, and by now no class, has. */
void live_peers_sweep(struct knp_live *l);
void live_peer_clear(struct knp_live *l);

/* live_blocks.c */

/* One more (@n 1), or one less (-1), address of a pod. */
int live_place_count(struct knp_live *l, const struct knp_ip *ip, int n);

/* A block comes or goes. */
void live_blocks_touch(struct knp_live *l, const struct knp_ipblock *block);
int live_regions(struct knp_live *l);
void live_blocks_put(struct knp_live *l, struct live_blocks *blocks);
void live_blocks_clear(struct knp_live *l);

/* live_class.c */
int live_classes(struct knp_live *l);
void live_class_put(struct knp_live *l, struct live_class *class);
void live_class_clear(struct knp_live *l);

/* live_row.c */
int live_rows(struct knp_live *l);

/* The row of a set towards the class with a number, NULL: there is none. */
struct live_row *live_row(const struct live_set *s, uint32_t number);
void live_row_remove(struct live_set *s, struct live_row *row);
void live_row_class_gone(struct knp_live *l, struct live_class *class);
void live_row_clear_set(struct knp_live *l, struct live_set *set);
void live_row_clear(struct knp_live *l);

/* live_record.c: ids are 0 for NULL */
uint32_t live_class_id(const struct live_class *class);
uint32_t live_portset_id(const struct live_portset *portset);
uint32_t live_set_id(const struct live_set *set);

/* Rules and classes are an id and a tag. */
struct knp_rec_rule live_named_record(const struct live_id *id);

/* To free() @ret->ports. */
int live_portset_record(const struct knp_live *l, const struct live_portset *p,
			struct knp_rs_portset *ret);
struct knp_rec_set live_set_record(const struct live_set *set);
struct knp_rec_row live_row_record(const struct live_set *set,
				   const struct live_row *row);
struct knp_rec_peer live_peer_record(const struct knp_ip *ip,
				     uint32_t class_id);
struct knp_rec_endpoint live_endpoint_record(const struct knp_ip *ip,
					     uint32_t egress,
					     uint32_t ingress);

/* Append all CIDR records, in the order of regions. */
int live_cidr_records(const struct knp_live *l, struct knp_recs *ret);

static inline void live_group_there(struct live_group *g)
{
	for (int d = 0; d < NDIRECTIONS; d++)
		g->there[d] = live_set_id(g->sets[d]);
}

/* live_link.c */

/* Append the records of the store's for one of these tables, in order. */
int live_link_records(const struct knp_live *l, uint32_t table,
		      struct knp_recs *ret);

/* For a difference, what is to be written, and when the kernel has it. */
int live_link_prepare(struct knp_live *l);
int live_link_write(const struct knp_live *l, struct knp_diff *d, bool delete);
void live_link_confirm(struct knp_live *l);

/* The kernel has those of the store. */
int live_link_adopt(struct knp_live *l);
void live_link_clear(struct knp_live *l);

/* live_diff.c */

/*
 * An address leaves a cell (comes into its first: NULL). What the kernel has of
 * it is remembered, once.
 */
int live_move(struct knp_live *l, uintptr_t who, const struct live_cell *cell);

/* A group, and its cells, are in no list any more. */
void live_diff_drop(struct knp_live *l, struct live_group *group);
void live_diff_clear(struct knp_live *l);

#endif /* KNP_LIVE_IMPL_H */
