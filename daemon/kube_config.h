/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an API server is, how it proves itself, and who we are to it.
 *
 * In a pod this comes from the environment and the service account's folder;
 * elsewhere from a kubeconfig, whose rules are kubectl's: relative paths are
 * relative to the file, data wins over a file, tokenFile over token.
 *
 * Refused, with a reason: insecure-skip-tls-verify (whoever is between could
 * write our policies), exec and auth-provider plugins (no child process of a
 * privileged daemon), user names with passwords, impersonation, and plain
 * http:// to any but this host.
 */
#ifndef KNP_KUBE_CONFIG_H
#define KNP_KUBE_CONFIG_H

#include <stddef.h>

#define KNP_SERVICE_ACCOUNT_DIR	"/var/run/secrets/kubernetes.io/serviceaccount"

/** struct knp_bytes - decoded *-data of a kubeconfig; @v NULL if absent */
struct knp_bytes {
	char *v;
	size_t len;
};

/**
 * struct knp_kube_config - any string but @server may be NULL
 * @server: URL, without a slash at its end
 * @ca_file, @ca: who signs the server's certificate; neither: the system's CAs
 * @cert_file, @cert, @key_file, @key: client certificate
 * @token: bearer token; NULL if @token_file is set
 * @token_file: re-read while running
 * @server_name: expected in the server's certificate instead of the host
 * @proxy: URL; proxies of the environment are not used
 * @context: of the kubeconfig
 */
struct knp_kube_config {
	char *server;
	char *ca_file;
	struct knp_bytes ca;
	char *cert_file;
	struct knp_bytes cert;
	char *key_file;
	struct knp_bytes key;
	char *token;
	char *token_file;
	char *server_name;
	char *proxy;
	char *context;
};

/**
 * knp_kube_config_in_cluster() - the configuration of a pod
 * @dir: the service account's folder; NULL for the usual one
 * @ret: replaced on success; to knp_kube_config_clear()
 * @why: set to a reason to free(), or NULL, on -EINVAL
 *
 * Return: 0, -EINVAL, -ENOMEM.
 */
int knp_kube_config_in_cluster(const char *dir, struct knp_kube_config *ret,
			       char **why);

/**
 * knp_kube_config_load() - read a kubeconfig
 * @path: the file
 * @context: which of its contexts; NULL for its current one
 * @ret: replaced on success; to knp_kube_config_clear()
 * @why: set to a reason to free(), or NULL, on -EINVAL; it names no secret
 *
 * Return: 0, -EINVAL (also if it cannot be read), -ENOMEM.
 */
int knp_kube_config_load(const char *path, const char *context,
			 struct knp_kube_config *ret, char **why);

/* Free what is held, secrets wiped; all is NULL afterwards. */
void knp_kube_config_clear(struct knp_kube_config *c);

#endif /* KNP_KUBE_CONFIG_H */
