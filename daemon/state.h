/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel enforces, as bytes that outlive it: its tables, its settings
 * and whose they are. PURE: what is read and written where is in state_file.h.
 *
 *   header   "KNPSTATE", the version of this format, that of the tables' records
 *            (KNP_ABI_VERSION), the size of all of it; boot, network namespace,
 *            node; instance and generation of the module, when it was saved;
 *            families that were attached, mode and settings; the entries of
 *            NODE_ALLOW
 *   parts    number of a table, length, packed records as PUT takes them;
 *            tables in the order of enum knp_table, none, one or many parts each
 *   digest   SHA-256 of all before it
 *
 * Numbers are in the machine's own order: it is the only one that may read
 * them. What does not hold in every byte is refused as a whole, with a reason:
 * half a policy may be an open one. What later versions change must keep the
 * first twelve bytes, so that they are told from damage.
 *
 * Names of policies and pods are not in it; the tags are, so a knpd recognises
 * what was restored, and writes the names again with its next commit.
 */
#ifndef KNP_STATE_H
#define KNP_STATE_H

#include "boot.h"
#include "ruleset.h"
#include "wire.h"

#define KNP_STATE_VERSION	1
#define KNP_STATE_NODE_LEN	253	/* a DNS subdomain, as node names are */

/* For a reason, "is damaged: ...", to stand behind the name of the file. */
#define KNP_STATE_WHY		96

/**
 * struct knp_state - what was enforced, where and when
 * @saved: seconds since the epoch
 * @info: of it instance, generation, families and the settings; the rest is 0
 *	when read
 * @rs: of @info.generation, without names; knp_state_clear() frees it
 */
struct knp_state {
	struct knp_boot boot;
	char node[KNP_STATE_NODE_LEN + 1];
	int64_t saved;
	struct knp_info info;
	struct knp_ruleset *rs;
};

/*
 * Write it down. @ret: to free(); @len: bytes. Return 0 or -ENOMEM, with both
 * untouched.
 */
int knp_state_encode(const struct knp_state *s, void **ret, size_t *len);

/**
 * knp_state_decode() - read it
 * @data: any bytes
 * @len: how many
 * @ret: what they say, to knp_state_clear()
 * @why: why they are refused
 *
 * Return: 0; -EBADMSG if they are refused; -ENOMEM. @ret is untouched on
 * failure.
 */
int knp_state_decode(const void *data, size_t len, struct knp_state *ret,
		     char why[KNP_STATE_WHY]);

void knp_state_clear(struct knp_state *s);

/*
 * Whether two of the kernel's infos say the same of all that is kept: the same
 * tables of the same instance, under the same settings.
 */
bool knp_state_same(const struct knp_info *a, const struct knp_info *b);

#endif /* KNP_STATE_H */
