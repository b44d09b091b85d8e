// SPDX-License-Identifier: Apache-2.0
#include "table_limits.h"

const struct knp_limits knp_limits = {
	.v = {
		[KNP_TABLE_RULE]	= 65535,
		[KNP_TABLE_PORTSET]	= 65535,
		[KNP_TABLE_CLASS]	= 65535,
		[KNP_TABLE_SET]		= 16383,
		[KNP_TABLE_ROW]		= 16U << 20,
		[KNP_TABLE_PEER]	= 1U << 20,
		[KNP_TABLE_CIDR]	= 1U << 17,
		[KNP_TABLE_ENDPOINT]	= 16384,
		[KNP_TABLE_IFACE]	= 16384,
		[KNP_TABLE_BINDING]	= 16384,
	},
};
