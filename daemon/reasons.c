// SPDX-License-Identifier: Apache-2.0
#include <linux/knp.h>

#include "reasons.h"

static const char * const words[KNP_REASON_MAX + 1] = {
	[KNP_REASON_NOT_ISOLATED]  = "not-isolated",
	[KNP_REASON_ALLOWED]	   = "allowed",
	[KNP_REASON_SELF]	   = "self",
	[KNP_REASON_NODE]	   = "node",
	[KNP_REASON_NDP]	   = "ndp",
	[KNP_REASON_DEFAULT_PASS]  = "default-pass",
	[KNP_REASON_EGRESS]	   = "egress",
	[KNP_REASON_INGRESS]	   = "ingress",
	[KNP_REASON_DEFAULT_DROP]  = "default-drop",
	[KNP_REASON_UNKNOWN_LOCAL] = "unknown-local",
	[KNP_REASON_FRAGMENT]	   = "fragment",
	[KNP_REASON_MALFORMED]	   = "malformed",
	[KNP_REASON_CT_INVALID]	   = "ct-invalid",
	[KNP_REASON_SPOOF]	   = "spoof",
	[KNP_REASON_ROUTER]	   = "router",
	[KNP_REASON_ENCAP]	   = "encap",
	[KNP_REASON_L2PROTO]	   = "l2proto",
};

const char *knp_reason_name(uint32_t reason)
{
	return reason <= KNP_REASON_MAX && words[reason] ? words[reason] :
							   "unknown";
}
