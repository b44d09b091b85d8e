// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "runtime.h"

#ifndef KNP_VERSION
#define KNP_VERSION	"unknown"
#endif

static void usage(FILE *out)
{
	fputs("usage: knpd --manifests DIR [OPTION]...\n"
	      "Enforce the NetworkPolicies of a folder of manifests on this node.\n"
	      "\n"
	      "  -m, --manifests DIR     folder of YAML and JSON manifests, watched\n"
	      "  -n, --node NAME         whose pods are judged (default: the host's name)\n"
	      "      --families LIST     ipv4,ipv6 (default), ipv4 or ipv6\n"
	      "      --mode MODE         enforce or audit (default: leave as it is)\n"
	      "      --runtime-dir DIR   for names and status.json (default: "
	      KNP_RUNTIME_DIR ")\n"
	      "      --once              enforce what is there now and exit\n"
	      "      --dry-run           print what would be written and exit\n"
	      "  -v, --verbose           say more\n"
	      "  -h, --help\n"
	      "  -V, --version\n"
	      "\n"
	      "SIGHUP reads the folder again. SIGTERM and SIGINT stop knpd; the kernel goes on\n"
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
		if (!strcmp(word, "ipv4"))
			families |= KNP_FAMILY_IPV4;
		else if (!strcmp(word, "ipv6"))
			families |= KNP_FAMILY_IPV6;
		else
			return bad_usage("--families: unknown family", word);
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
};

int knp_options_parse(int argc, char **argv, struct knp_options *o)
{
	static const struct option options[] = {
		{ "manifests",	 required_argument, NULL, 'm' },
		{ "node",	 required_argument, NULL, 'n' },
		{ "families",	 required_argument, NULL, OPT_FAMILIES },
		{ "mode",	 required_argument, NULL, OPT_MODE },
		{ "runtime-dir", required_argument, NULL, OPT_RUNTIME_DIR },
		{ "once",	 no_argument,	    NULL, OPT_ONCE },
		{ "dry-run",	 no_argument,	    NULL, OPT_DRY_RUN },
		{ "verbose",	 no_argument,	    NULL, 'v' },
		{ "help",	 no_argument,	    NULL, 'h' },
		{ "version",	 no_argument,	    NULL, 'V' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "m:n:vhV", options, NULL)) != -1) {
		switch (c) {
		case 'm':
			o->manifests = optarg;
			break;
		case 'n':
			o->node = optarg;
			break;
		case OPT_FAMILIES:
			if (parse_families(optarg, &o->push.families))
				return -EINVAL;
			break;
		case OPT_MODE:
			if (!strcmp(optarg, "enforce"))
				o->push.mode = KNP_MODE_ENFORCE;
			else if (!strcmp(optarg, "audit"))
				o->push.mode = KNP_MODE_AUDIT;
			else
				return bad_usage("--mode: unknown mode",
						 optarg);
			break;
		case OPT_RUNTIME_DIR:
			o->runtime_dir = optarg;
			break;
		case OPT_ONCE:
			o->once = true;
			break;
		case OPT_DRY_RUN:
			o->dry_run = true;
			break;
		case 'v':
			o->level = KNP_LOG_DEBUG;
			break;
		case 'h':
			usage(stdout);
			return 1;
		case 'V':
			printf("knpd %s (ABI %d)\n", KNP_VERSION,
			       KNP_ABI_VERSION);
			return 1;
		default:
			return bad_usage("bad option", NULL);
		}
	}

	if (optind < argc)
		return bad_usage("unexpected argument", argv[optind]);
	if (!o->manifests)
		return bad_usage("--manifests DIR is missing", NULL);
	return 0;
}
