/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The map from tags and addresses to names, names.json in the runtime folder.
 *
 *   {
 *     "instance": "0123456789abcdef",
 *     "generation": 12,
 *     "tags": { "<32 hex digits>": { "kind": "rule", "name": "..." }, ... },
 *     "addresses": { "10.0.0.1": "ns/pod", ... }
 *   }
 *
 * The kernel holds no names; knpd writes them after each commit, knpctl joins
 * them. Instance and generation say whose names they are: a reader that sees
 * others in the kernel shows bare ids.
 */
#ifndef KNP_NAMES_H
#define KNP_NAMES_H

#include "ruleset.h"

#define KNP_NAMES_FILE	"names.json"

/**
 * struct knp_names - the map, as read
 * @v: sorted by tag
 * @addresses: sorted by (family, addr)
 */
struct knp_names {
	uint64_t instance;
	uint64_t generation;
	struct knp_name *v;
	size_t n;
	struct knp_address_name *addresses;
	size_t naddresses;
};

/* Write the names of a ruleset. Return 0 or -errno; the old file is there then. */
int knp_names_write(const char *dir, const struct knp_ruleset *rs,
		    uint64_t instance, uint64_t generation);

/*
 * Read the map. Return 0, -ENOENT, -EBADMSG if it is no such file, or -errno.
 */
int knp_names_read(const char *dir, struct knp_names **ret);
void knp_names_free(struct knp_names *names);

/* Lookups return NULL where there is no name; @names may be NULL. */
const char *knp_names_tag(const struct knp_names *names,
			  const uint8_t tag[KNP_TAG_LEN]);
const char *knp_names_address(const struct knp_names *names, uint8_t family,
			      const uint8_t addr[KNP_ADDR_LEN]);

/*
 * The addresses of a pod "ns/pod", one after the other: @prev is NULL at first.
 * Return NULL at the end.
 */
const struct knp_address_name *
knp_names_pod(const struct knp_names *names, const char *pod,
	      const struct knp_address_name *prev);

/* A tag as 32 hex digits. */
const char *knp_tag_format(const uint8_t tag[KNP_TAG_LEN],
			   char buf[2 * KNP_TAG_LEN + 1]);

#endif /* KNP_NAMES_H */
