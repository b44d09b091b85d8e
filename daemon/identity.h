/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the compiler's objects are called. PURE.
 *
 * A tag is the hash of what an object means, never of a number that depends on
 * the order of things: a restarted daemon recognises its own objects in the
 * kernel by it, and two compilers that mean the same say the same. A name is
 * for people.
 *
 * Every function that writes to a buffer starts by emptying it and uses it as
 * scratch; tags are written only on success. Return 0 or -ENOMEM.
 */
#ifndef KNP_IDENTITY_H
#define KNP_IDENTITY_H

#include "intern.h"
#include "port_names.h"
#include "store.h"

enum { EGRESS, INGRESS, NDIRECTIONS };

/* One entry of a port set; what @rule numbers is the caller's. */
struct knp_centry {
	uint32_t rule;
	uint16_t lo;
	uint16_t hi;
	uint8_t proto;
};

/* The tag of what is in the buffer. */
int knp_identity_seal(const struct knp_buf *b, uint8_t tag[KNP_TAG_LEN]);

/*
 * A peer in canonical form, in the buffer: two that mean the same by the order
 * of labels, requirements, values or excepts are the same. A peer without
 * namespaceSelector means @ns, the namespace of its policy.
 */
int knp_identity_peer(struct knp_buf *b, const char *ns,
		      const struct knp_peer *peer);

int knp_identity_rule(struct knp_buf *b, const struct knp_policy *policy,
		      int direction, uint32_t index, uint8_t tag[KNP_TAG_LEN]);

/*
 * A set is its policies, in the order of their names, and what they mean by
 * port names here, not what the policies say: an edited policy changes its
 * sets in place.
 */
int knp_identity_set(struct knp_buf *b, int direction,
		     const struct knp_policy *const *policies, size_t n,
		     const struct knp_port_names *names,
		     const struct knp_port_of *ports, size_t nports,
		     uint8_t tag[KNP_TAG_LEN]);

/* A class is its peers, whose tags are sorted in place, and its port names. */
int knp_identity_class(struct knp_buf *b, uint8_t peers[][KNP_TAG_LEN],
		       size_t n, const struct knp_port_names *names,
		       const struct knp_port_of *ports, size_t nports,
		       uint8_t tag[KNP_TAG_LEN]);

/*
 * A port set is its entries: another content is another port set. @rule_tag
 * gives the tag of the rule with a number.
 */
int knp_identity_portset(struct knp_buf *b, const struct knp_centry *entries,
			 size_t n,
			 const uint8_t *(*rule_tag)(void *arg, uint32_t rule),
			 void *arg, uint8_t tag[KNP_TAG_LEN]);

/* Names, in the buffer, with a NUL: "ns/policy ingress[0]", ... */
int knp_identity_rule_name(struct knp_buf *b, const struct knp_policy *policy,
			   int direction, uint32_t index);

/* ... "ns/a, ns/b", ... */
int knp_identity_set_name(struct knp_buf *b,
			  const struct knp_policy *const *policies, size_t n);

/* ... "80/TCP,8080-8090/TCP". */
int knp_identity_portset_name(struct knp_buf *b,
			      const struct knp_centry *entries, size_t n);

#endif /* KNP_IDENTITY_H */
