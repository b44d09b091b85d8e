// SPDX-License-Identifier: Apache-2.0
#include "node_name.h"

/* By bytes: a language may have other rules for these letters. */
char *knp_node_name(char *name)
{
	for (char *p = name; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	return name;
}
