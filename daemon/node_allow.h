/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of what every pod may reach at its own node, as text and as NODE_ALLOW
 * of uapi/linux/knp.h has them.
 *
 * The text is entries with commas between, or "none". An entry is
 * [ADDRESS:]PORT/PROTOCOL, an IPv6 address in brackets; without an address it
 * means any of the node's: 10250/TCP, 169.254.20.10:53/UDP, [fd00::10]:53/UDP.
 */
#ifndef KNP_DAEMON_NODE_ALLOW_H
#define KNP_DAEMON_NODE_ALLOW_H

#include <stddef.h>
#include <linux/knp.h>

/* Of the longest list. */
#define KNP_NODE_ALLOW_TEXT	(KNP_NODE_ALLOW_MAX * 64)

/** struct knp_node_allows - a list */
struct knp_node_allows {
	size_t n;
	struct knp_node_allow v[KNP_NODE_ALLOW_MAX];
};

/**
 * knp_node_allows_parse() - read a list
 * @text: as above
 * @ret: untouched on failure
 *
 * Return: 0; -EINVAL an entry is malformed; -E2BIG there are more than
 * KNP_NODE_ALLOW_MAX.
 */
int knp_node_allows_parse(const char *text, struct knp_node_allows *ret);

/** knp_node_allows_text() - write a list; return @text */
const char *knp_node_allows_text(const struct knp_node_allows *list,
				 char text[KNP_NODE_ALLOW_TEXT]);

#endif /* KNP_DAEMON_NODE_ALLOW_H */
