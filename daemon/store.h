/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The objects that policy needs, as the sources (a folder, an API server) saw
 * them last.
 *
 * Ownership: the store owns every object and string in it. store_put_*() take
 * ownership of the object passed, also on failure. Pointers into the store are
 * valid until the next call that changes it.
 *
 * Not thread-safe; one event loop uses it.
 */
#ifndef KNP_STORE_H
#define KNP_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** enum knp_kind - what an object is */
enum knp_kind {
	KNP_KIND_NAMESPACE = 1,
	KNP_KIND_POD,
	KNP_KIND_POLICY,
};

/** enum knp_change - what happened to an object */
enum knp_change {
	KNP_CREATED,
	KNP_UPDATED,
	KNP_DELETED,
	KNP_CHANGES,
};

/** struct knp_label - one label, or one entry of matchLabels */
struct knp_label {
	const char *key;	/* interned */
	const char *value;	/* interned */
};

/**
 * struct knp_labels - a label set, sorted by key, keys unique
 *
 * Those of pods and namespaces are shared, see labels.h.
 */
struct knp_labels {
	struct knp_label *v;
	size_t n;
};

/** enum knp_operator - of a matchExpressions entry */
enum knp_operator {
	KNP_OP_IN,
	KNP_OP_NOT_IN,
	KNP_OP_EXISTS,
	KNP_OP_DOES_NOT_EXIST,
};

/** struct knp_requirement - one matchExpressions entry */
struct knp_requirement {
	const char *key;	/* interned */
	enum knp_operator op;
	const char **values;	/* interned */
	size_t nvalues;
};

/** struct knp_selector - a label selector; all requirements are ANDed */
struct knp_selector {
	struct knp_labels labels;
	struct knp_requirement *reqs;
	size_t nreqs;
};

/** struct knp_ip - an address; IPv4 in the first four bytes, the rest zero */
struct knp_ip {
	uint8_t b[16];
	uint8_t family;		/* AF_INET or AF_INET6 */
};

/** struct knp_bound - an address and the interface behind which it is */
struct knp_bound {
	struct knp_ip ip;
	uint32_t ifindex;
};

/** struct knp_prefix - a canonical prefix: host bits are zero */
struct knp_prefix {
	struct knp_ip ip;
	uint8_t len;
};

/** struct knp_ipblock - cidr without the excepts */
struct knp_ipblock {
	struct knp_prefix cidr;
	struct knp_prefix *except;
	size_t nexcept;
};

/**
 * struct knp_peer - one entry of from/to
 *
 * Either @block, or selectors: @ns NULL means the policy's own namespace, @pod
 * NULL means all pods of the selected namespaces; not both NULL.
 */
struct knp_peer {
	struct knp_ipblock *block;
	struct knp_selector *ns;
	struct knp_selector *pod;
};

/**
 * struct knp_port - one entry of ports
 *
 * @name set: a named port. Else @lo .. @hi; a missing port is 0 .. 65535.
 */
struct knp_port {
	uint8_t proto;		/* IPPROTO_TCP, _UDP, _SCTP */
	const char *name;	/* interned */
	uint16_t lo;
	uint16_t hi;
};

/**
 * struct knp_rule - one entry of ingress/egress
 * @closed: allows nothing, because what would restrict it cannot be read
 *
 * @npeers 0: any peer. @nports 0: any protocol and port.
 */
struct knp_rule {
	bool closed;
	struct knp_peer *peers;
	size_t npeers;
	struct knp_port *ports;
	size_t nports;
};

/**
 * struct knp_policy - a NetworkPolicy, defaults applied
 * @holders: beside its owner, see knp_policy_hold()
 * @kept: its object was deleted, see knp_store_del(); of store.c
 * @told: that it is kept, see kept.h
 */
struct knp_policy {
	unsigned int holders;
	bool kept;
	bool told;
	const char *ns;		/* interned */
	char *name;
	char *uid;		/* "" where the manifest has none */
	struct knp_selector subject;
	bool isolates_ingress;	/* policyTypes, after defaulting */
	bool isolates_egress;
	struct knp_rule *ingress;
	size_t ningress;
	struct knp_rule *egress;
	size_t negress;
};

/** struct knp_cport - a named or unnamed container port */
struct knp_cport {
	const char *name;	/* interned, "" if unnamed */
	uint16_t port;
	uint8_t proto;
};

/** struct knp_cports - the container ports of a pod; shared, see cports.h */
struct knp_cports {
	struct knp_cport *v;
	size_t n;
};

/**
 * struct knp_pod - a pod, reduced to what policy needs
 * @ns: interned, as all @ns of objects: equal ones are equal pointers
 * @node: interned; "" until scheduled
 * @labels: shared, never NULL: equal sets are equal pointers
 * @ports: shared, never NULL: equal lists are equal pointers
 * @name: behind @ips
 * @uid: see knp_uid_parse(); zeroes where the manifest has none
 * @created: seconds since the epoch, 0 if unknown
 * @terminal: phase Succeeded or Failed: has no address
 * @ips: @nips of them; the last @nbound are bound, see knp_pod_bind()
 *
 * There may be hundreds of thousands: one allocation, 64 bytes and the two
 * tails. Made by knp_pod_new(), and immutable from then on.
 */
struct knp_pod {
	const char *ns;
	const char *node;
	const struct knp_labels *labels;
	const struct knp_cports *ports;
	const char *name;
	uint8_t uid[16];
	uint32_t created;
	uint32_t nips : 24;
	uint32_t nbound : 6;
	bool host_network : 1;
	bool terminal : 1;
	struct knp_ip ips[];
};

/**
 * struct knp_namespace - a namespace
 * @terminating: it has a deletionTimestamp: what is in it is being deleted
 */
struct knp_namespace {
	const char *name;	/* interned, so it is the ns of its objects */
	const struct knp_labels *labels; /* shared; metadata.name added */
	bool terminating;
};

/**
 * typedef knp_store_intake_fn - see every pod that is put, before the others do
 * @arg: of knp_store_intake()
 * @pod: as it came
 * @ret: set to the pod to put in its place, if it is another one
 *
 * Return: 0 or -ENOMEM.
 */
typedef int (*knp_store_intake_fn)(void *arg, const struct knp_pod *pod,
				   struct knp_pod **ret);

/**
 * struct knp_store_ops - told of every change of a store
 *
 * Each is called after the change, with what was there (NULL: nothing, the
 * object is new) and what is there now (NULL: it is gone); both are valid
 * during the call. A put that changes nothing is not told. The store must not
 * be changed from within.
 */
struct knp_store_ops {
	void (*ns)(void *arg, const struct knp_namespace *was,
		   const struct knp_namespace *is);
	void (*pod)(void *arg, const struct knp_pod *was,
		    const struct knp_pod *is);
	void (*policy)(void *arg, const struct knp_policy *was,
		       const struct knp_policy *is);
};

/**
 * struct knp_store - all objects, each array sorted by (ns, name)
 * @version: grows with every change, so that a batch without one can be told
 * @changes: how many there were, by kind and enum knp_change
 * @room: what the arrays have room for, by kind; of store.c
 * @nkept: how many of the policies are kept, see knp_store_del()
 * @pinned: see knp_store_pin()
 * @ops: who is told of changes; NULL: nobody
 * @arg: for @ops
 * @intake: NULL: pods are put as they come
 * @intake_arg: for @intake
 * @ifaces: indexes of the interfaces of pods here, @nifaces of them, ascending
 * @ifaces_version: of the store, when they changed last
 * @bounds: addresses behind them, @nbounds of them, ascending
 * @bounds_version: of the store, when they changed last
 */
struct knp_store {
	struct knp_namespace **namespaces;
	size_t nnamespaces;
	struct knp_pod **pods;
	size_t npods;
	struct knp_policy **policies;
	size_t npolicies;
	uint64_t version;
	uint64_t changes[KNP_KIND_POLICY + 1][KNP_CHANGES];
	size_t room[KNP_KIND_POLICY + 1];
	size_t nkept;
	bool pinned;
	const struct knp_store_ops *ops;
	void *arg;
	knp_store_intake_fn intake;
	void *intake_arg;
	uint32_t *ifaces;
	size_t nifaces;
	uint64_t ifaces_version;
	struct knp_bound *bounds;
	size_t nbounds;
	uint64_t bounds_version;
};

struct knp_store *knp_store_new(void);
void knp_store_free(struct knp_store *s);

/*
 * Tell one observer of all changes from here on; NULL: nobody any more. It is
 * not told of what the store holds already, nor of the end of the store.
 */
void knp_store_watch(struct knp_store *s, const struct knp_store_ops *ops,
		     void *arg);

/* Have pods seen by one function from here on; NULL: by nobody any more. */
void knp_store_intake(struct knp_store *s, knp_store_intake_fn intake,
		      void *arg);

/*
 * The pods of this node are behind these interfaces, in any order. Return 0, or
 * -ENOMEM with the old ones there.
 */
int knp_store_set_ifaces(struct knp_store *s, const uint32_t *ifaces, size_t n);

/*
 * These addresses are behind these interfaces, in any order. An address that is
 * said to be behind several is behind none. Return 0, or -ENOMEM with the old
 * ones there.
 */
int knp_store_set_bounds(struct knp_store *s, const struct knp_bound *bounds,
			 size_t n);

/*
 * Insert or replace by (ns, name). An object that equals the one there changes
 * nothing, not even the version. Return 0 or -ENOMEM (the object is freed, the
 * old one stays).
 */
int knp_store_put_namespace(struct knp_store *s, struct knp_namespace *ns);
int knp_store_put_pod(struct knp_store *s, struct knp_pod *pod);
int knp_store_put_policy(struct knp_store *s, struct knp_policy *policy);

/*
 * Remove by name; nothing happens if there is none.
 *
 * A policy is kept instead while its namespace terminates and has a pod: the
 * order in which the objects of a namespace are deleted is not defined, and its
 * pods would be open for as long as they outlive their policies (CVE-2024-7598;
 * an API server with OrderedNamespaceDeletion deletes pods first). A kept policy
 * is as any other, and goes
 *   - with the last pod of its namespace, whatever that pod's phase,
 *   - with the namespace, or once that does not terminate any more: the object
 *     of that name is another one then,
 *   - by a put of its name, which replaces it or makes it one that is there.
 * A list of policies that lacks it does not end it.
 *
 * Who deletes a policy of a terminating namespace by hand gets the same.
 *
 * What cannot be told: a policy that is deleted before it is seen that the
 * namespace terminates, or before its pods are seen, was deleted by somebody who
 * wanted that, as far as one can know. Namespaces, pods and policies come by
 * watches of their own, of which none waits for another. And what is kept is
 * known to this store alone: it is gone after a restart.
 */
void knp_store_del_namespace(struct knp_store *s, const char *name);
void knp_store_del_pod(struct knp_store *s, const char *ns, const char *name);
void knp_store_del_policy(struct knp_store *s, const char *ns, const char *name);

/*
 * Remove by name and hand the object to the caller; NULL if there is none. None
 * is kept. A put that follows at once does not fail for want of memory.
 */
struct knp_namespace *knp_store_take_namespace(struct knp_store *s,
					       const char *name);
struct knp_pod *knp_store_take_pod(struct knp_store *s, const char *ns,
				   const char *name);
struct knp_policy *knp_store_take_policy(struct knp_store *s, const char *ns,
					 const char *name);

/*
 * From pin to unpin no policy that is kept goes by itself, so that the places of
 * the policies stay what they are. A second unpin does nothing.
 */
void knp_store_pin(struct knp_store *s);
void knp_store_unpin(struct knp_store *s);

/* The object at a place is there: if it is a policy it is not kept any more. */
void knp_store_confirm(struct knp_store *s, enum knp_kind kind, size_t at);

/* Find by name, NULL if there is none. */
const struct knp_namespace *knp_store_namespace(const struct knp_store *s,
						const char *name);
const struct knp_pod *knp_store_pod(const struct knp_store *s, const char *ns,
				    const char *name);
const struct knp_policy *knp_store_policy(const struct knp_store *s,
					  const char *ns, const char *name);

/*
 * The same for objects of any kind: @object is a struct knp_namespace, knp_pod
 * or knp_policy. The namespace of namespaces is "".
 */
int knp_store_put(struct knp_store *s, enum knp_kind kind, void *object);
void knp_store_del(struct knp_store *s, enum knp_kind kind, const char *ns,
		   const char *name);
void *knp_store_take(struct knp_store *s, enum knp_kind kind, const char *ns,
		     const char *name);

/* How many there are. */
size_t knp_store_count(const struct knp_store *s, enum knp_kind kind);

/* The one at a place, counted from 0 in the order of (ns, name). */
const void *knp_store_at(const struct knp_store *s, enum knp_kind kind,
			 size_t at);

/* Whether there is one of a name; its place, or the one it belongs to. */
bool knp_store_find(const struct knp_store *s, enum knp_kind kind,
		    const char *ns, const char *name, size_t *at);

/* Make room for @n objects, so that puts up to then cannot fail. 0, -ENOMEM. */
int knp_store_reserve(struct knp_store *s, enum knp_kind kind, size_t n);

/*
 * The intake of a store sees all objects of a kind that another store has, which
 * are those to put then. Return 0, or -ENOMEM: it did not see all, and may be
 * shown them again.
 */
int knp_store_take_in(const struct knp_store *s, enum knp_kind kind,
		      struct knp_store *from);

/*
 * Put all objects of a kind that another store has, which loses them. There
 * must be room for them, and the intake must have seen them.
 */
void knp_store_put_all(struct knp_store *s, enum knp_kind kind,
		       struct knp_store *from);

/* Name, equality and end of an object of any kind. */
const char *knp_kind_ns_of(enum knp_kind kind, const void *object);
const char *knp_kind_name_of(enum knp_kind kind, const void *object);
bool knp_kind_equal(enum knp_kind kind, const void *a, const void *b);
void knp_kind_free(enum knp_kind kind, void *object);

/* Whether two objects of one name are the same in all else. */
bool knp_namespace_equal(const struct knp_namespace *a,
			 const struct knp_namespace *b);
bool knp_pod_equal(const struct knp_pod *a, const struct knp_pod *b);
bool knp_policy_equal(const struct knp_policy *a, const struct knp_policy *b);

/*
 * Destructors accept NULL and half-built objects. A policy that is held by
 * others too is freed by the last of them.
 */
void knp_namespace_free(struct knp_namespace *ns);
void knp_pod_free(struct knp_pod *pod);
void knp_policy_free(struct knp_policy *policy);

/* Free what a part of a policy holds; it is all zero afterwards. */
void knp_selector_clear(struct knp_selector *selector);
void knp_peer_clear(struct knp_peer *peer);
void knp_port_clear(struct knp_port *port);

/* One more holder, to knp_policy_free(); returns it. */
struct knp_policy *knp_policy_hold(struct knp_policy *policy);

/*
 * Parse "10.0.0.1", "fd00::1". Return 0 or -EINVAL. IPv4-mapped IPv6 addresses
 * are refused: they are ambiguous.
 */
int knp_ip_parse(const char *text, struct knp_ip *ret);

/*
 * Parse "10.0.0.0/8", "fd00::/8", "10.1.2.3/8" (host bits are cleared).
 * Return 0 or -EINVAL.
 */
int knp_prefix_parse(const char *text, struct knp_prefix *ret);

/* By family, address, length: what a prefix holds comes right after it. */
int knp_prefix_order(const struct knp_prefix *a, const struct knp_prefix *b);

/* Whether @outer holds all of @inner; false for different families. */
bool knp_prefix_contains(const struct knp_prefix *outer,
			 const struct knp_prefix *inner);

bool knp_ip_equal(const struct knp_ip *a, const struct knp_ip *b);

/* Whether an address is one of @n. */
bool knp_ip_among(const struct knp_ip *ip, const struct knp_ip *ips, size_t n);

/* Write an address as text into 46 bytes. */
const char *knp_ip_format(const struct knp_ip *ip, char buf[46]);

#endif /* KNP_STORE_H */
