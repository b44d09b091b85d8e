/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where knpd listens to knp-cni: a Unix stream socket in the runtime folder,
 * "cni.sock", mode 0600, for root and for whom knpd itself runs as.
 *
 * A client sends one request, one line of JSON, and gets one line back:
 *
 *   {"op": "add", "timeout_ms": N, "binding": B}  waits, see below
 *   {"op": "check", "binding": B}
 *   {"op": "del", "containerID": ..., "ifname": ...}
 *   {"op": "gc", "network": ..., "attachments": [{"containerID", "ifname"}]}
 *   {"op": "status"}
 *
 *   {"generation": N} or {"code": CNI error code, "msg": ..., "details": ...}
 *
 * B is a binding as of bindings.h. An addition is answered when the kernel
 * holds a generation that classifies all its addresses: until the API server
 * has told of the pod, and until the module is there, for as long as the
 * client wants to wait. One that fails, or whose client leaves, leaves no
 * binding behind.
 *
 * What a client may cost is bounded: REQUEST_MAX bytes, CLIENTS_MAX at a time,
 * READ_S seconds to say what it wants, WAIT_MAX_MS to wait.
 *
 * Context: one event loop. The callbacks come from it; they must not close the
 * server.
 */
#ifndef KNP_CNI_SERVER_H
#define KNP_CNI_SERVER_H

#include <stdint.h>

#include "bindings.h"

#define KNP_CNI_SOCKET	"cni.sock"

struct event_base;
struct knp_cni_server;

/**
 * struct knp_cni_server_ops - what the server asks of knpd
 * @add: note an attachment; taken over. 0, -ENOMEM or -errno of a file
 * @del: forget one
 * @keep: forget those of a network that are not listed
 * @has: whether a binding is there, and the same
 * @pending: what is missing until an attachment is enforced, one line; NULL if
 *	it is
 * @unready: what keeps every addition from being answered, one line, or NULL
 * @generation: the kernel's
 *
 * A failure of @del and @keep is knpd's: what they say holds until its end.
 */
struct knp_cni_server_ops {
	int (*add)(void *arg, struct knp_binding *binding);
	void (*del)(void *arg, const struct knp_attachment *at);
	void (*keep)(void *arg, const char *network,
		     const struct knp_attachment *v, size_t n);
	bool (*has)(void *arg, const struct knp_binding *binding);
	const char *(*pending)(void *arg, const struct knp_attachment *at);
	const char *(*unready)(void *arg);
	uint64_t (*generation)(void *arg);
};

/**
 * knp_cni_server_open() - listen
 * @base: the event loop
 * @dir: the runtime folder; this process has its lock
 * @ops: must outlive the server
 * @arg: for them
 * @ret: the server
 *
 * Return: 0 or -errno.
 */
int knp_cni_server_open(struct event_base *base, const char *dir,
			const struct knp_cni_server_ops *ops, void *arg,
			struct knp_cni_server **ret);

/* Something was enforced: answer those for whom nothing is missing any more. */
void knp_cni_server_enforced(struct knp_cni_server *s);

/* Clients that wait get no answer, and the socket is gone. Accepts NULL. */
void knp_cni_server_close(struct knp_cni_server *s);

#endif /* KNP_CNI_SERVER_H */
