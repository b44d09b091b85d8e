/* SPDX-License-Identifier: Apache-2.0 */
/* The families of hooks, KNP_FAMILY_*, by name. */
#ifndef KNP_FAMILIES_H
#define KNP_FAMILIES_H

#include <stdint.h>

#define KNP_FAMILIES_TEXT	32

/* struct knp_family - one of them */
struct knp_family {
	uint32_t bit;
	const char *name;
};

/* All of them; the name after the last is NULL. */
extern const struct knp_family knp_families[];

/* The family of a name, 0 if there is none. */
uint32_t knp_family_bit(const char *name);

/* Their names, " ipv4 ipv6"; " other" for what is unknown. Return @text. */
const char *knp_families_text(uint32_t families, char text[KNP_FAMILIES_TEXT]);

#endif /* KNP_FAMILIES_H */
