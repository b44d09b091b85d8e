/* SPDX-License-Identifier: Apache-2.0 */
/* The protocols of NetworkPolicy and of container ports, and their names. */
#ifndef KNP_PROTOCOLS_H
#define KNP_PROTOCOLS_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static const struct knp_protocol {
	const char *name;
	uint8_t number;
} knp_protocols[] = {
	{ "TCP", IPPROTO_TCP },
	{ "UDP", IPPROTO_UDP },
	{ "SCTP", IPPROTO_SCTP },
};

#define KNP_PROTOCOLS	(sizeof(knp_protocols) / sizeof(*knp_protocols))

/* IPPROTO_* of a name as the API writes it; 0 if it is none. */
static inline uint8_t knp_protocol_number(const char *name)
{
	for (size_t i = 0; i < KNP_PROTOCOLS; i++)
		if (!strcmp(knp_protocols[i].name, name))
			return knp_protocols[i].number;
	return 0;
}

/* The name of one of them, "?" of any other. */
static inline const char *knp_protocol_name(uint8_t number)
{
	for (size_t i = 0; i < KNP_PROTOCOLS; i++)
		if (knp_protocols[i].number == number)
			return knp_protocols[i].name;
	return "?";
}

#endif /* KNP_PROTOCOLS_H */
