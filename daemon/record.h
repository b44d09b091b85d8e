/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A push backend that writes nothing: it prints what would be sent. It compares
 * with the real tables where the module can be reached, else with empty ones.
 */
#ifndef KNP_RECORD_H
#define KNP_RECORD_H

#include <stdio.h>

#include "push.h"

/**
 * struct knp_record - the ctx of knp_push_record
 * @out: where to print
 * @g: the module, NULL if there is none
 * @names: a ruleset with names; may be NULL
 * @generation: internal
 * @classes: internal
 */
struct knp_record {
	FILE *out;
	struct knp_genl *g;
	const struct knp_ruleset *names;
	uint64_t generation;
	struct knp_class_names *classes;
};

extern const struct knp_push_ops knp_push_record;

#endif /* KNP_RECORD_H */
