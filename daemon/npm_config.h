/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings of Azure NPM, of its ConfigMap azure-npm-config: those that mean
 * something here are taken over, so that a cluster that moves needs no new ones.
 * PURE. Source: npm/config/config.go of azure-container-networking; docs/azure.md
 * says of every setting what becomes of it.
 */
#ifndef KNP_NPM_CONFIG_H
#define KNP_NPM_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "log.h"

/**
 * struct knp_npm_config - what is taken over
 * @level: of the log
 * @metrics: whether metrics are wanted
 * @address: where, "" if nothing is said; whether it is an address is not known
 * @port: 0 if nothing is said
 */
struct knp_npm_config {
	enum knp_level level;
	bool metrics;
	char address[64];
	int port;
};

/** enum knp_npm_note - why a setting is not taken over */
enum knp_npm_note {
	KNP_NPM_MEANINGLESS,	/* of something that there is not here */
	KNP_NPM_UNKNOWN,	/* not one of Azure NPM's */
	KNP_NPM_BAD,		/* its value is none */
};

typedef void (*knp_npm_note_fn)(void *arg, enum knp_npm_note note,
				const char *name);

/*
 * Read them. @ret holds the defaults, and keeps those of settings that are
 * missing or bad. @note is told of each that is not taken over. Return 0, or
 * -EBADMSG if it is no JSON object.
 */
int knp_npm_config_parse(const char *text, struct knp_npm_config *ret,
			 knp_npm_note_fn note, void *arg);

#endif /* KNP_NPM_CONFIG_H */
