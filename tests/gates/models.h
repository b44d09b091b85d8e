/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The models that have figures, the workloads W1 to W3 among them, and the kinds
 * of flows whose verdicts are timed or counted in them.
 */
#ifndef KNP_GATES_MODELS_H
#define KNP_GATES_MODELS_H

#include "model.h"

static const struct model models[] = {
	{ .name = "10pods", .pods = 10, .classes = 5, .portsets = 20 },
	{ .name = "1kpods", .pods = 1000, .classes = 200, .portsets = 100,
	  .cidrs = 100, .dual = true },
	{ .name = "1kclasses", .pods = 100000, .classes = 1000,
	  .portsets = 500, .cidrs = 100 },
	{ .name = "6kclasses", .pods = 100000, .classes = 6000,
	  .portsets = 1000 },
	{ .name = "28kclasses", .pods = 100000, .classes = 28000,
	  .portsets = 2000 },
	{ .name = "w3", .pods = 100000, .classes = 1000, .portsets = 1000,
	  .cidrs = 100000, .policies_per_pod = 4 },
	{ .name = "dual", .pods = 100000, .classes = 1000, .portsets = 500,
	  .cidrs = 10000, .dual = true },
};

#define NMODELS (sizeof(models) / sizeof(models[0]))

/** struct named_flow - a kind of flow by name */
struct named_flow {
	const char *name;
	enum flow_kind kind;
	unsigned int family;
};

static const struct named_flow flows[] = {
	{ "pod4", FLOW_POD, KNP_V4 },
	{ "pair4", FLOW_PAIR, KNP_V4 },
	{ "nobody4", FLOW_NOBODY, KNP_V4 },
	{ "cidr4", FLOW_CIDR, KNP_V4 },
	{ "pod6", FLOW_POD, KNP_V6 },
	{ "cidr6", FLOW_CIDR, KNP_V6 },
};

#define NFLOWS (sizeof(flows) / sizeof(flows[0]))

#endif /* KNP_GATES_MODELS_H */
