// SPDX-License-Identifier: Apache-2.0
#include <linux/knp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "families.h"

const struct knp_family knp_families[] = {
	{ KNP_FAMILY_IPV4, "ipv4" },
	{ KNP_FAMILY_IPV6, "ipv6" },
	{ KNP_FAMILY_BRIDGE, "bridge" },
	{ 0, NULL },
};

uint32_t knp_family_bit(const char *name)
{
	for (const struct knp_family *f = knp_families; f->name; f++)
		if (!strcmp(f->name, name))
			return f->bit;
	return 0;
}

const char *knp_families_text(uint32_t families, char text[KNP_FAMILIES_TEXT])
{
	bool other = families & ~(uint32_t)KNP_FAMILY_MASK;

	snprintf(text, KNP_FAMILIES_TEXT, "%s%s%s%s",
		 families & KNP_FAMILY_IPV4 ? " ipv4" : "",
		 families & KNP_FAMILY_IPV6 ? " ipv6" : "",
		 families & KNP_FAMILY_BRIDGE ? " bridge" : "",
		 other ? " other" : "");
	return text;
}
