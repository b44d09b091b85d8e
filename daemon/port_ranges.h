/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules into disjoint port ranges. PURE.
 *
 * Each port belongs to the first rule that allows it, so that counters and
 * explanations name one rule; what is allowed is the plain union.
 *
 * A rule without ports is one entry of protocol 0. Rules after it add nothing;
 * entries of rules before it stay, for their names. Where they do not fit, the
 * one entry alone allows the same.
 */
#ifndef KNP_PORT_RANGES_H
#define KNP_PORT_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "identity.h"
#include "regions.h"

/* A port or a range, or (@name not KNP_NONE) a port by name. */
struct knp_crange {
	uint32_t lo;
	uint32_t hi;
	uint32_t name;
	uint8_t proto;
};

/**
 * struct knp_port_rule - what a rule says about ports
 * @id: what its entries are to be marked with
 * @ranges: sorted by (proto, lo)
 * @names: ports by name; none where names mean nothing
 */
struct knp_port_rule {
	uint32_t id;
	bool any_port;
	const struct knp_crange *ranges;
	size_t nranges;
	const struct knp_crange *names;
	size_t nnames;
};

/* Into the order that a rule's ranges have. */
void knp_port_ranges_sort(struct knp_crange *v, size_t n);

/** struct knp_port_list - entries, sorted by (proto, lo) and disjoint */
struct knp_port_list {
	struct knp_centry v[KNP_PORTS_MAX + 1];
	size_t n;
};

/**
 * knp_port_ranges() - the ports that some rules allow together
 * @l: written to
 * @rules: the rules, the one that counts first
 * @n: how many
 * @ports: what port names stand for
 * @nports: how many
 *
 * Return: 0, -ENOMEM, or -EOVERFLOW if there are more than KNP_PORTS_MAX ranges,
 * which is not a table that is too small: one row does not fit, no others.
 */
int knp_port_ranges(struct knp_port_list *l, const struct knp_port_rule *rules,
		    size_t n, const struct knp_port_of *ports, size_t nports);

#endif /* KNP_PORT_RANGES_H */
