// SPDX-License-Identifier: Apache-2.0
/* knpctl restore: what was enforced last, before knpd can say what is to be. */
#include "ctl.h"

#include <stdio.h>

#include "node_name.h"
#include "restore.h"
#include "state_file.h"

static const char restore_help[] =
	"usage: knpctl restore [--state FILE] [--node NAME]\n"
	"Make the module enforce what knpd saved last, if it holds no generation: for\n"
	"the boot, before the kubelet starts. A file of this boot is restored in full. One\n"
	"of another boot, or one that cannot be used, closes the node to what passes\n"
	"through it until knpd commits; what the node itself sends and receives passes.\n"
	"Without a file nothing is done.\n"
	"  --state FILE  default: " KNP_STATE_FILE "\n"
	"  --node NAME   refuse the file of another node\n"
	"Exit status 1 also if the file cannot be used.\n";

static int restore(const struct knp_ctl *c, const struct knp_restore_from *from)
{
	struct knp_restored restored;

	if (knp_restore(&knp_push_netlink, c->g, from, &restored))
		return knp_ctl_fail("cannot restore %s: %s", from->path,
				    restored.text);
	if (restored.end == KNP_RESTORE_REFUSED)
		return knp_ctl_fail("%s", restored.text);
	puts(restored.text);
	return CTL_OK;
}

int knp_ctl_restore(int argc, char **argv)
{
	enum { OPT_STATE = CTL_OPT_FIRST, OPT_NODE };
	static const struct option options[] = {
		CTL_OPTIONS,
		{ "state", required_argument, NULL, OPT_STATE },
		{ "node",  required_argument, NULL, OPT_NODE },
		{ 0 },
	};
	struct knp_restore_from from = {
		.path = KNP_STATE_FILE,
		.families = KNP_FAMILY_ALL,
	};
	struct knp_ctl c;
	int opt, status;

	knp_ctl_begin(&c, argv[0]);
	while ((opt = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		switch (opt) {
		case OPT_STATE:
			from.path = optarg;
			break;
		case OPT_NODE:
			from.node = knp_node_name(optarg);
			break;
		default:
			status = knp_ctl_option(&c, opt, restore_help);
			if (status >= 0)
				return status;
		}
	}
	if (optind < argc)
		return knp_ctl_usage(&c, "unexpected argument %s",
				     argv[optind]);

	status = knp_ctl_connect(&c);
	if (status)
		return status;
	status = restore(&c, &from);
	knp_ctl_end(&c);
	return status;
}
