/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of knpd. */
#ifndef KNP_OPTIONS_H
#define KNP_OPTIONS_H

#include <stdbool.h>

#include "exporter.h"
#include "kube.h"
#include "log.h"
#include "node_allow.h"
#include "push.h"

/* Beside 10091, which Azure NPM has. */
#define KNP_METRICS_LISTEN	"127.0.0.1:10097"
#define KNP_STALE_MS		300000

/**
 * struct knp_options - strings are those of the command line, which may change
 *
 * One of @manifests, @kubeconfig and @in_cluster is set.
 */
struct knp_options {
	const char *manifests;
	const char *kubeconfig;
	const char *context;
	bool in_cluster;
	struct knp_kube_options kube;
	const char *node;
	const char *runtime_dir;
	const char *state;		/* NULL: no state file */
	const char *startup_taint;	/* its key; NULL: there is none */
	const char *null_backend;	/* see null_backend.h; NULL: the kernel */
	struct knp_push_options push;	/* may point at @node_allow */
	struct knp_node_allows node_allow;
	struct knp_exporter_options exporter;
	char npm_listen[64];		/* what @exporter may point at */
	enum knp_level level;
	bool dry_run;
	bool once;
	bool cni;
};

/* What holds where the command line says nothing. */
extern const struct knp_options knp_options_default;

/*
 * Read the command line into @o, which holds the defaults. Says on standard
 * error what is wrong with it. Return 0, 1 if there is nothing more to do, or
 * -EINVAL.
 */
int knp_options_parse(int argc, char **argv, struct knp_options *o);

#endif /* KNP_OPTIONS_H */
