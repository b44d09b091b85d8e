// SPDX-License-Identifier: Apache-2.0
#include <linux/knp.h>
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
	uint32_t other = families;
	size_t n = 0;

	text[0] = '\0';
	for (const struct knp_family *f = knp_families; f->name; f++) {
		other &= ~f->bit;
		if (families & f->bit)
			n += (size_t)snprintf(text + n, KNP_FAMILIES_TEXT - n,
					      " %s", f->name);
	}
	if (other)
		snprintf(text + n, KNP_FAMILIES_TEXT - n, " other");
	return text;
}
