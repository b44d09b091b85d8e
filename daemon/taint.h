/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The startup taint: a node registers with it, so that no pod comes before
 * policies hold there, and its knpd takes it away when they do.
 *
 *   GET the node ─► no such taint: done
 *              └──► PATCH: "if taint I is still this one, remove it" ─► again
 *
 * What others have put there stays: where the taints have changed meanwhile the
 * server refuses the patch, and the node is read anew. Whatever fails is tried
 * again as kube_backoff.h says, as long as knpd runs, and logged once per reason.
 * Once it is gone nobody looks again: a node registers once, and who sets the
 * taint later means it.
 *
 * Context: the event loop.
 */
#ifndef KNP_TAINT_H
#define KNP_TAINT_H

struct event_base;
struct knp_kube_config;
struct knp_taint;

/*
 * @config, the @node's name and the taint's @key must outlive it. Asks nothing
 * yet. Return 0 or -ENOMEM. To knp_taint_close(), which accepts NULL.
 */
int knp_taint_open(struct event_base *base,
		   const struct knp_kube_config *config, const char *node,
		   const char *key, struct knp_taint **ret);
void knp_taint_close(struct knp_taint *t);

/* Policies hold: take it away. Only the first call counts. Accepts NULL. */
void knp_taint_take(struct knp_taint *t);

#endif /* KNP_TAINT_H */
