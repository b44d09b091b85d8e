/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ruleset in the module's own tables, without a module: what the packet path
 * looks up, in userspace. Needs the pure core of kmod/ and, to be included, its
 * shims.
 */
#ifndef KNP_SIMULATE_H
#define KNP_SIMULATE_H

#include "match.h"
#include "ruleset.h"
#include "store.h"

/**
 * struct knp_simulator - a ruleset, loaded
 * @rs: names and records
 * @tables: the same, as the module holds them, frozen
 */
struct knp_simulator {
	struct knp_ruleset *rs;
	struct knp_tables *tables;
};

/**
 * knp_simulator_new() - load a ruleset as knpd pushes it into an empty module
 * @rs: the ruleset, sorted; taken over on success only
 * @ret: the simulator
 * @why: on a refusal by the tables their words, static; may be NULL
 *
 * Return: 0, -ENOMEM, or as knp_tables_put() and knp_tables_freeze().
 */
int knp_simulator_new(struct knp_ruleset *rs, struct knp_simulator **ret,
		      const char **why);
void knp_simulator_free(struct knp_simulator *s);

/**
 * knp_simulator_judge() - the verdict on a connection
 * @s: the simulator
 * @src: who opens it
 * @dst: who answers, of the same family
 * @proto: IPPROTO_TCP, _UDP or _SCTP
 * @port: destination port
 * @v: filled completely
 */
void knp_simulator_judge(const struct knp_simulator *s,
			 const struct knp_ip *src, const struct knp_ip *dst,
			 uint8_t proto, uint16_t port, struct knp_verdict *v);

/* Name of a rule or a set by its id, NULL for 0. */
const char *knp_simulator_rule(const struct knp_simulator *s, uint32_t id);
const char *knp_simulator_set(const struct knp_simulator *s, uint32_t id);

#endif /* KNP_SIMULATE_H */
