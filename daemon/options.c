// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "families.h"
#include "node_name.h"
#include "npm_options.h"
#include "options.h"
#include "runtime.h"
#include "state_file.h"

#ifndef KNP_VERSION
#define KNP_VERSION	"unknown"
#endif

#define NULL_BACKEND	"null:"

const struct knp_options knp_options_default = {
	.runtime_dir = KNP_RUNTIME_DIR,
	.push = {
		.families = KNP_FAMILY_ALL,
		.mode = -1,
		.unknown_local = -1,
		.node_egress = -1,
		.lb_probes = -1,
	},
	.exporter = {
		.http.listen = KNP_METRICS_LISTEN,
		.health = {
			.fatal = KNP_FATAL_DEFAULT,
			.stale_ms = KNP_STALE_MS,
		},
	},
	.level = KNP_LOG_INFO,
	.kube = {
		.spread_ms = KNP_START_SPREAD_MS,
	},
};

static void usage(FILE *out)
{
	fputs("usage: knpd [SOURCE] [OPTION]...\n"
	      "Enforce the NetworkPolicies of a cluster, or of a folder of manifests, on this\n"
	      "node.\n"
	      "\n"
	      "Where they come from, one of:\n"
	      "      --in-cluster        the API server of the cluster this is a pod of (default\n"
	      "                          in a pod)\n"
	      "  -k, --kubeconfig FILE   the API server of a kubeconfig\n"
	      "  -m, --manifests DIR     folder of YAML and JSON manifests, watched\n"
	      "\n"
	      "Options:\n"
	      "      --context NAME      of the kubeconfig (default: its current one)\n"
	      "  -n, --node NAME         whose pods are judged (default: the host's name);\n"
	      "                          in lower case, as Kubernetes has it\n"
	      "      --families LIST     of ipv4, ipv6 and bridge: frames between ports of a\n"
	      "                          bridge, where br_netfilter does not show them (default:\n"
	      "                          ipv4,ipv6)\n"
	      "      --mode MODE         enforce or audit (default: leave as it is)\n"
	      "      --cni               hear of pods by knp-cni before they start; then\n"
	      "                          unknown-local is drop if not said otherwise\n"
	      "      --unknown-local WHAT\n"
	      "                          pass, or drop: addresses behind interfaces of pods that\n"
	      "                          are not known yet (default: leave as it is)\n"
	      "      --node-egress WHAT  allow, or enforce: what a pod sends to its own node and\n"
	      "                          its policies deny (default: leave as it is, which is\n"
	      "                          allow at first)\n"
	      "      --node-egress-allow LIST\n"
	      "                          with enforce, what passes all the same: none, or\n"
	      "                          [ADDRESS:]PORT/PROTOCOL,... (default: leave as it is,\n"
	      "                          which is 169.254.20.10:53/UDP and /TCP at first)\n"
	      "      --allow-lb-probes   let Azure's load balancer (168.63.129.16) reach pods\n"
	      "      --metrics LIST      where to serve metrics, /healthz and /readyz: none, or\n"
	      "                          ADDRESS:PORT,... (default: " KNP_METRICS_LISTEN ")\n"
	      "      --metrics-cert FILE, --metrics-key FILE\n"
	      "                          for addresses that are not of the loopback, with\n"
	      "      --metrics-token FILE, --metrics-client-ca FILE\n"
	      "                          one or both: whom to answer there\n"
	      "      --stale-after S     objects are stale if nothing said for S seconds that\n"
	      "                          they are current (default: 300)\n"
	      "      --unready LIST      what makes knpd unready, too: uncovered, stale,\n"
	      "                          source-waiting, set-aside, limits (default: none)\n"
	      "      --npm-config FILE   settings of Azure NPM (azure-npm.json): those that mean\n"
	      "                          something here are taken over\n"
	      "      --runtime-dir DIR   for what others are to find (default: "
	      KNP_RUNTIME_DIR ")\n"
	      "      --state FILE        keep there what is enforced, and restore it while the API\n"
	      "                          server does not answer; or none (default: " KNP_STATE_FILE ";\n"
	      "                          none with another --runtime-dir)\n"
	      "      --startup-taint KEY take this taint from the node once policies hold there\n"
	      "      --start-spread S    ask the API server first within S seconds (default: 5)\n"
	      "      --idle-timeout S    ask anew if a watch is silent so long (default: 180)\n"
	      "      --backend null:FILE no kernel: note every transaction in FILE (to measure\n"
	      "                          knpd)\n"
	      "      --once              enforce what is there now and exit\n"
	      "      --dry-run           print what would be written and exit\n"
	      "  -v, --verbose           say more\n"
	      "  -h, --help\n"
	      "  -V, --version\n"
	      "\n"
	      "SIGHUP reads everything again. SIGTERM and SIGINT stop knpd; the kernel goes on\n"
	      "enforcing until `knpctl detach --yes`.\n", out);
}

static int bad_usage(const char *what, const char *value)
{
	fprintf(stderr, "knpd: %s%s%s (see knpd --help)\n", what,
		value ? " " : "", value ? value : "");
	return -EINVAL;
}

static int parse_families(char *list, uint32_t *ret)
{
	uint32_t families = 0;
	char *word;

	while ((word = strsep(&list, ","))) {
		if (!knp_family_bit(word))
			return bad_usage("--families: unknown family", word);
		families |= knp_family_bit(word);
	}

	*ret = families;
	return 0;
}

enum {
	OPT_FAMILIES = 256,
	OPT_MODE,
	OPT_RUNTIME_DIR,
	OPT_ONCE,
	OPT_DRY_RUN,
	OPT_IN_CLUSTER,
	OPT_CONTEXT,
	OPT_START_SPREAD,
	OPT_IDLE_TIMEOUT,
	OPT_BACKEND,
	OPT_CNI,
	OPT_UNKNOWN_LOCAL,
	OPT_NODE_EGRESS,
	OPT_NODE_EGRESS_ALLOW,
	OPT_ALLOW_LB_PROBES,
	OPT_STATE,
	OPT_METRICS,
	OPT_METRICS_CERT,
	OPT_METRICS_KEY,
	OPT_METRICS_TOKEN,
	OPT_METRICS_CLIENT_CA,
	OPT_STALE_AFTER,
	OPT_UNREADY,
	OPT_NPM_CONFIG,
	OPT_STARTUP_TAINT,
};

/* Seconds with a fraction, up to an hour, as milliseconds. */
static int parse_seconds(const char *option, const char *text, int64_t *ret)
{
	double seconds;
	char *end;

	seconds = strtod(text, &end);
	if (end == text || *end || !(seconds >= 0 && seconds <= 3600))
		return bad_usage(option, text);
	*ret = (int64_t)(seconds * 1000);
	return 0;
}

static int parse_unready(char *list, uint32_t *ret)
{
	char *word;
	int what;

	while ((word = strsep(&list, ","))) {
		what = knp_condition_parse(word);
		if (what < 0)
			return bad_usage("--unready: unknown condition", word);
		*ret |= 1U << what;
	}
	return 0;
}

/* One of two words, and what they mean. */
struct choice {
	const char *word[2];
	int value[2];
};

static int parse_choice(const char *option, const char *text,
			const struct choice *choice, int *ret)
{
	for (int i = 0; i < 2; i++) {
		if (strcmp(text, choice->word[i]))
			continue;
		*ret = choice->value[i];
		return 0;
	}
	return bad_usage(option, text);
}

/*
 * The options by what they are about. Each of the functions that follow returns 1
 * if @c is none of its own, 0, or -EINVAL.
 */

static int source_option(int c, struct knp_options *o)
{
	switch (c) {
	case 'm':
		o->manifests = optarg;
		return 0;
	case 'k':
		o->kubeconfig = optarg;
		return 0;
	case OPT_CONTEXT:
		o->context = optarg;
		return 0;
	case OPT_IN_CLUSTER:
		o->in_cluster = true;
		return 0;
	case OPT_START_SPREAD:
		return parse_seconds("--start-spread: bad time", optarg,
				     &o->kube.spread_ms);
	case OPT_IDLE_TIMEOUT:
		return parse_seconds("--idle-timeout: bad time", optarg,
				     &o->kube.idle_ms);
	case OPT_STARTUP_TAINT:
		o->startup_taint = optarg;
		return 0;
	default:
		return 1;
	}
}

static int push_option(int c, struct knp_options *o)
{
	static const struct choice mode = {
		{ "enforce", "audit" }, { KNP_MODE_ENFORCE, KNP_MODE_AUDIT }
	};
	static const struct choice unknown_local = {
		{ "pass", "drop" }, { KNP_PASS, KNP_DROP }
	};
	static const struct choice node_egress = {
		{ "allow", "enforce" }, { KNP_PASS, KNP_DROP }
	};

	switch (c) {
	case OPT_FAMILIES:
		return parse_families(optarg, &o->push.families);
	case OPT_MODE:
		return parse_choice("--mode: unknown mode", optarg, &mode,
				    &o->push.mode);
	case OPT_UNKNOWN_LOCAL:
		return parse_choice("--unknown-local: pass or drop, not", optarg,
				    &unknown_local, &o->push.unknown_local);
	case OPT_NODE_EGRESS:
		return parse_choice("--node-egress: allow or enforce, not", optarg,
				    &node_egress, &o->push.node_egress);
	case OPT_NODE_EGRESS_ALLOW:
		if (knp_node_allows_parse(optarg, &o->node_allow))
			return bad_usage("--node-egress-allow: none, or at most 32 entries [ADDRESS:]PORT/PROTOCOL, not",
					 optarg);
		o->push.node_allow = &o->node_allow;
		return 0;
	case OPT_ALLOW_LB_PROBES:
		o->push.lb_probes = KNP_PASS;
		return 0;
	default:
		return 1;
	}
}

static int metrics_option(int c, struct knp_options *options)
{
	struct knp_exporter_options *o = &options->exporter;

	switch (c) {
	case OPT_METRICS:
		o->http.listen = strcmp(optarg, "none") ? optarg : NULL;
		return 0;
	case OPT_METRICS_CERT:
		o->http.tls.cert = optarg;
		return 0;
	case OPT_METRICS_KEY:
		o->http.tls.key = optarg;
		return 0;
	case OPT_METRICS_TOKEN:
		o->http.tls.token = optarg;
		return 0;
	case OPT_METRICS_CLIENT_CA:
		o->http.tls.client_ca = optarg;
		return 0;
	case OPT_STALE_AFTER:
		return parse_seconds("--stale-after: bad time", optarg,
				     &o->health.stale_ms);
	case OPT_UNREADY:
		return parse_unready(optarg, &o->health.fatal);
	default:
		return 1;
	}
}

static int run_option(int c, struct knp_options *o)
{
	switch (c) {
	case 'n':
		o->node = knp_node_name(optarg);
		return 0;
	case OPT_CNI:
		o->cni = true;
		return 0;
	case OPT_NPM_CONFIG:
		if (knp_npm_options_load(optarg, o))
			return bad_usage("--npm-config: out of memory", NULL);
		return 0;
	case OPT_RUNTIME_DIR:
		o->runtime_dir = optarg;
		return 0;
	case OPT_STATE:
		o->state = optarg;
		return 0;
	case OPT_BACKEND:
		if (strncmp(optarg, NULL_BACKEND, strlen(NULL_BACKEND)))
			return bad_usage("--backend: unknown backend", optarg);
		o->null_backend = optarg + strlen(NULL_BACKEND);
		return 0;
	case OPT_ONCE:
		o->once = true;
		return 0;
	case OPT_DRY_RUN:
		o->dry_run = true;
		return 0;
	case 'v':
		o->level = KNP_LOG_DEBUG;
		return 0;
	default:
		return 1;
	}
}

/* Return 1 if all is said, 0, or -EINVAL. */
static int take_option(int c, struct knp_options *o)
{
	static int (*const by_subject[])(int c, struct knp_options *o) = {
		source_option, push_option, metrics_option, run_option
	};
	int ret;

	switch (c) {
	case 'h':
		usage(stdout);
		return 1;
	case 'V':
		printf("knpd %s (ABI %d)\n", KNP_VERSION, KNP_ABI_VERSION);
		return 1;
	}

	for (size_t i = 0; i < sizeof(by_subject) / sizeof(*by_subject); i++) {
		ret = by_subject[i](c, o);
		if (ret <= 0)
			return ret;
	}
	return bad_usage("bad option", NULL);
}

static int check_metrics(struct knp_options *o)
{
	char why[256];

	/* Nobody asks one that ends at once. */
	if (o->once || o->dry_run)
		o->exporter.http.listen = NULL;
	if (!o->exporter.http.listen ||
	    !knp_metrics_http_check(&o->exporter.http, why))
		return 0;
	return bad_usage("--metrics:", why);
}

/* Exactly one source, which in a pod need not be named. */
static int choose_source(struct knp_options *o)
{
	int n = !!o->manifests + !!o->kubeconfig + o->in_cluster;

	if (!n && getenv("KUBERNETES_SERVICE_HOST")) {
		o->in_cluster = true;
		n++;
	}
	if (!n)
		return bad_usage("--kubeconfig FILE or --manifests DIR is missing",
				 NULL);
	if (n > 1)
		return bad_usage("more than one of --manifests, --kubeconfig and --in-cluster",
				 NULL);
	if (o->startup_taint && o->manifests)
		return bad_usage("--startup-taint with --manifests: there is no API server",
				 NULL);
	if (o->context && !o->kubeconfig)
		return bad_usage("--context without --kubeconfig", NULL);
	/* Whoever waits for the result does not start with many others. */
	if (o->once || o->dry_run)
		o->kube.spread_ms = 0;
	/* A pod that waits for knpd is never unknown for a moment. */
	if (o->cni && o->push.unknown_local < 0)
		o->push.unknown_local = KNP_DROP;
	return 0;
}

/* Two knpd of one machine are told apart by their runtime folders. */
static void choose_state(struct knp_options *o)
{
	bool lasting = !o->once && !o->dry_run && !o->null_backend;
	const char *dir = o->runtime_dir;

	if (!o->state && dir && !strcmp(dir, KNP_RUNTIME_DIR))
		o->state = KNP_STATE_FILE;
	if (!lasting || (o->state && !strcmp(o->state, "none")))
		o->state = NULL;
}

int knp_options_parse(int argc, char **argv, struct knp_options *o)
{
	static const struct option options[] = {
		{ "manifests",	 required_argument, NULL, 'm' },
		{ "kubeconfig",	 required_argument, NULL, 'k' },
		{ "context",	 required_argument, NULL, OPT_CONTEXT },
		{ "in-cluster",	 no_argument,	    NULL, OPT_IN_CLUSTER },
		{ "start-spread", required_argument, NULL, OPT_START_SPREAD },
		{ "idle-timeout", required_argument, NULL, OPT_IDLE_TIMEOUT },
		{ "node",	 required_argument, NULL, 'n' },
		{ "families",	 required_argument, NULL, OPT_FAMILIES },
		{ "mode",	 required_argument, NULL, OPT_MODE },
		{ "cni",	 no_argument,	    NULL, OPT_CNI },
		{ "unknown-local", required_argument, NULL, OPT_UNKNOWN_LOCAL },
		{ "node-egress", required_argument, NULL, OPT_NODE_EGRESS },
		{ "node-egress-allow", required_argument, NULL,
		  OPT_NODE_EGRESS_ALLOW },
		{ "allow-lb-probes", no_argument, NULL, OPT_ALLOW_LB_PROBES },
		{ "metrics",	 required_argument, NULL, OPT_METRICS },
		{ "metrics-cert", required_argument, NULL, OPT_METRICS_CERT },
		{ "metrics-key", required_argument, NULL, OPT_METRICS_KEY },
		{ "metrics-token", required_argument, NULL, OPT_METRICS_TOKEN },
		{ "metrics-client-ca", required_argument, NULL,
		  OPT_METRICS_CLIENT_CA },
		{ "stale-after", required_argument, NULL, OPT_STALE_AFTER },
		{ "unready",	 required_argument, NULL, OPT_UNREADY },
		{ "npm-config",	 required_argument, NULL, OPT_NPM_CONFIG },
		{ "runtime-dir", required_argument, NULL, OPT_RUNTIME_DIR },
		{ "state",	 required_argument, NULL, OPT_STATE },
		{ "startup-taint", required_argument, NULL, OPT_STARTUP_TAINT },
		{ "backend",	 required_argument, NULL, OPT_BACKEND },
		{ "once",	 no_argument,	    NULL, OPT_ONCE },
		{ "dry-run",	 no_argument,	    NULL, OPT_DRY_RUN },
		{ "verbose",	 no_argument,	    NULL, 'v' },
		{ "help",	 no_argument,	    NULL, 'h' },
		{ "version",	 no_argument,	    NULL, 'V' },
		{ 0 },
	};
	int c, err;

	while ((c = getopt_long(argc, argv, "m:k:n:vhV", options, NULL)) != -1) {
		err = take_option(c, o);
		if (err)
			return err;
	}

	if (optind < argc)
		return bad_usage("unexpected argument", argv[optind]);
	choose_state(o);
	err = choose_source(o);
	return err ? err : check_metrics(o);
}
