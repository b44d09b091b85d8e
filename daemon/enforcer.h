/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the store to the kernel: makes the kernel hold what the store says, and
 * the runtime folder name it.
 *
 *   store ─► live ─► difference ─► push		what changed
 *		└───► whole ruleset ─► push		where it is not known what
 *							the kernel holds
 *   store ─► compile ─► push				where a table is too small
 */
#ifndef KNP_ENFORCER_H
#define KNP_ENFORCER_H

#include "compile.h"
#include "names.h"
#include "push.h"
#include "store.h"

struct knp_enforcer;

/* All but @node must outlive it. Return 0 or -ENOMEM. */
int knp_enforcer_new(struct knp_store *store, const char *node,
		     struct knp_push *push, struct knp_names_log *names,
		     struct knp_enforcer **ret);
void knp_enforcer_free(struct knp_enforcer *e);

/**
 * knp_enforcer_run() - make the kernel hold what the store says now
 * @e: the state
 * @ctx: of the push backend; may be another one with each call
 * @ret: what was done
 *
 * Return: 0; what knp_push_apply() returns; -ENOMEM of the compiler.
 * Then the kernel has its last generation, and knp_enforcer_error() says what
 * failed.
 */
int knp_enforcer_run(struct knp_enforcer *e, void *ctx,
		     struct knp_push_result *ret);

/**
 * struct knp_enforced_name - what an id in the kernel stands for
 * @text: as knp_names_tag() has it; valid until the next call
 * @tag: tells two objects apart that had one id after each other
 * @direction: enum knp_direction
 */
struct knp_enforced_name {
	const char *text;
	uint8_t tag[KNP_TAG_LEN];
	uint8_t direction;
};

/* Whether names of ids are known: they are not from a failure to the next success. */
bool knp_enforcer_names(const struct knp_enforcer *e);

/*
 * The name of a rule (KNP_TABLE_RULE) or a set (KNP_TABLE_SET). Return false if
 * the kernel's last generation has none of this id, or out of memory.
 */
bool knp_enforcer_name(struct knp_enforcer *e, uint32_t table, uint32_t id,
		       struct knp_enforced_name *ret);

/* Let the next run read the kernel's tables and compile everything anew. */
void knp_enforcer_resync(struct knp_enforcer *e);
const char *knp_enforcer_error(const struct knp_enforcer *e);

/* What does not fit now. */
const struct knp_troubles *knp_enforcer_troubles(const struct knp_enforcer *e);

#endif /* KNP_ENFORCER_H */
