/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON objects of the Kubernetes API -> the structs of store.h.
 *
 * Decoding is strict where leniency would widen a policy: a wrong type, an
 * unknown value, or an unknown field inside a spec, rule, peer, port, ipBlock
 * or selector refuses the object. Unknown fields elsewhere are ignored.
 * A refused object is named, with each field that is wrong, and its neighbours
 * are decoded. What remains of it is kept where that cannot open anything:
 *   a policy     what it isolates, and the rules that are whole, see
 *                decode_policy.h; with no more than its name, all of its
 *                namespace
 *   a pod        without the ports and addresses that are wrong
 * Of a pod or a namespace with other mistakes nothing remains.
 *
 * Absent and null are the same, as for the API server, except as elements of
 * lists and values of maps, where null is refused. Where [] differs from
 * absent nothing does: the API server drops empty lists on the wire.
 *   policyTypes   absent or []: Ingress, and Egress if egress is not empty
 *   ingress etc.  absent or []: no rule, nothing allowed
 *   from, to      absent or []: any peer
 *   ports         absent or []: any protocol and port
 *   podSelector   of the spec: absent or {}: all pods of the namespace
 *   a peer        {} is refused
 *   a port        {} is all of TCP
 *
 * Kinds: Pod, Namespace, NetworkPolicy, their Lists and v1 List. Other kinds
 * are ignored and counted; an object without kind or apiVersion is refused.
 */
#ifndef KNP_DECODE_H
#define KNP_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include "faults.h"
#include "store.h"

struct json_object;

/**
 * struct knp_object - one object, or what remains of a refused one
 * @kind: selects the member of the union
 * @refused: the object was refused; the union holds what remains of it, NULL
 *	if that is only its identity
 * @ns: its namespace, "" for namespaces
 * @name: its name
 */
struct knp_object {
	enum knp_kind kind;
	bool refused;
	char *ns;
	char *name;
	union {
		struct knp_namespace *namespace;
		struct knp_pod *pod;
		struct knp_policy *policy;
		void *any;
	};
};

/**
 * struct knp_objects - what was decoded
 * @v: the objects, in the order of the source
 * @n: how many
 * @nrefused: how many of @v are refused
 * @nunnamed: refused objects that are not in @v, because what they are is
 *	unknown (no kind, no name)
 * @nignored: objects of kinds that do not matter here
 *
 * All zero is an empty list. It owns what it holds.
 */
struct knp_objects {
	struct knp_object *v;
	size_t n;
	size_t nrefused;
	size_t nunnamed;
	size_t nignored;
};

/* Free what is held; all is zero afterwards. */
void knp_object_clear(struct knp_object *object);
void knp_objects_clear(struct knp_objects *objects);

/*
 * Append an object; the list takes over what it holds. Return 0, or -ENOMEM
 * with nothing taken over.
 */
int knp_objects_add(struct knp_objects *objects,
		    const struct knp_object *object);

/**
 * knp_decode_object() - decode one object or list
 * @obj: what to decode; not changed, not kept
 * @file: for faults, may be NULL
 * @ret: appended to
 * @faults: appended to, may be NULL
 *
 * Return: 0, also if the object was refused or ignored; -ENOMEM, with @ret
 * holding what was decoded before.
 */
int knp_decode_object(struct json_object *obj, const char *file,
		      struct knp_objects *ret, struct knp_faults *faults);

/*
 * As above, for one object whose kind is known from elsewhere: an item of a
 * typed list has neither kind nor apiVersion, and those it has are not looked
 * at. At most one object is appended.
 */
int knp_decode_known(struct json_object *obj, enum knp_kind kind,
		     const char *file, struct knp_objects *ret,
		     struct knp_faults *faults);

/**
 * knp_decode_item() - decode one item of a typed list that is read in parts
 * @obj: the item, which needs no kind and no apiVersion; NULL is null
 * @kind: of the list's items
 * @index: the item's place in the list, for faults
 * @file: for faults, may be NULL
 * @ret: appended to
 * @faults: appended to, may be NULL
 *
 * The result is what knp_decode_object() makes of the item when it is given
 * the whole list.
 *
 * Return: as knp_decode_object().
 */
int knp_decode_item(struct json_object *obj, enum knp_kind kind, size_t index,
		    const char *file, struct knp_objects *ret,
		    struct knp_faults *faults);

/*
 * Whether a text is letters, digits, "-" and "." in the places where a DNS
 * subdomain has them; names of other objects are refused.
 */
bool knp_name_valid(const char *text, size_t len);

/* "Namespace", "Pod", "NetworkPolicy". */
const char *knp_kind_name(enum knp_kind kind);

/* "NetworkPolicy ns/name", "Namespace name"; to free(), NULL if no memory. */
char *knp_kind_describe(enum knp_kind kind, const char *ns, const char *name);

/*
 * Put an object into a store. The store takes over what the union holds and
 * the union becomes NULL, also on failure. Return 0, -EINVAL (refused, or
 * already taken) or -ENOMEM.
 */
int knp_object_put(struct knp_object *object, struct knp_store *store);

#endif /* KNP_DECODE_H */
