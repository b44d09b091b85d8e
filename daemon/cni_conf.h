/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container runtime says to knp-cni: environment variables and a network
 * configuration on standard input. PURE. Source: the CNI specification 1.1.0,
 * sections 2 and 4, which differs from 0.3.0 .. 1.0.0 for this plugin only in
 * the operations that there are.
 *
 * Of the configuration, whose unknown fields do not matter:
 *   cniVersion, name       of the network
 *   prevResult             of the plugin before; ADD and CHECK need it
 *   socket                 of knpd, "/run/knp/cni.sock"
 *   timeout                seconds to wait for knpd, 30, at most 600
 *   cni.dev/valid-attachments  of GC
 */
#ifndef KNP_CNI_CONF_H
#define KNP_CNI_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "bindings.h"
#include "cni_error.h"

#define KNP_CNI_NEWEST		"1.1.0"
#define KNP_CNI_TIMEOUT_MS	30000

struct json_object;

/** enum knp_cni_command - CNI_COMMAND */
enum knp_cni_command {
	KNP_CNI_ADD,
	KNP_CNI_DEL,
	KNP_CNI_CHECK,
	KNP_CNI_GC,
	KNP_CNI_STATUS,
	KNP_CNI_VERSIONS,	/* "VERSION" */
};

/** struct knp_cni_env - the variables CNI_*, NULL where they are not set */
struct knp_cni_env {
	const char *command;
	const char *container;
	const char *netns;
	const char *ifname;
	const char *args;
};

/**
 * struct knp_cni_call - one call, understood
 * @version: as text for the answers; of the configuration
 * @socket: of knpd
 * @netns: of the pod, NULL if there is none
 * @binding: of ADD and CHECK, but for its ifindex; of DEL only its attachment
 *	and network; NULL of the others
 * @network: name
 * @attachments: of GC, an array
 * @prev: prevResult, or NULL
 *
 * To knp_cni_call_clear(), which accepts half of one.
 */
struct knp_cni_call {
	enum knp_cni_command command;
	const char *version;
	const char *socket;
	const char *netns;
	const char *network;
	int64_t timeout_ms;
	struct knp_binding *binding;
	struct json_object *conf;
	struct json_object *attachments;
	struct json_object *prev;
};

/**
 * knp_cni_call_parse() - understand a call
 * @env: the variables; must outlive @ret
 * @text: the configuration, @len bytes
 * @ret: the call
 * @e: what is wrong with it
 *
 * Return: 0; or -1 with @e filled in, and @ret to be cleared nevertheless: its
 * version is that for the answer.
 */
int knp_cni_call_parse(const struct knp_cni_env *env, const char *text,
		       size_t len, struct knp_cni_call *ret,
		       struct knp_cni_error *e);
void knp_cni_call_clear(struct knp_cni_call *call);

/* A text of an object, "" if there is none; valid as long as the object. */
const char *knp_cni_text(struct json_object *obj, const char *key);

/* Whether a network may say that it is of this cniVersion. */
bool knp_cni_version_known(const char *version);

/* What VERSION answers; NULL if out of memory. */
struct json_object *knp_cni_versions(const char *version);

/* What is written on failure; NULL if out of memory. */
struct json_object *knp_cni_error_json(const char *version,
				       const struct knp_cni_error *e);

/* What is written after an ADD: prevResult, with a version if it has none. */
struct json_object *knp_cni_result(const struct knp_cni_call *call);

#endif /* KNP_CNI_CONF_H */
