// SPDX-License-Identifier: Apache-2.0
/* knpctl attach, detach and config: what the operator decides. */
#include "ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "families.h"

static const char attach_help[] =
	"usage: knpctl attach [ipv4] [ipv6] [bridge]\n"
	"Start to judge packets with the tables that the module holds (default: ipv4 and\n"
	"ipv6). knpd does this by itself when it starts.\n";

static const char detach_help[] =
	"usage: knpctl detach --yes [ipv4] [ipv6] [bridge]\n"
	"STOP ENFORCING (default: all families). The tables stay, and knpd goes on filling\n"
	"them; it attaches again when it is started the next time, or the module is loaded\n"
	"again.\n"
	"\n"
	"      --yes  say that you mean it\n";

static const char config_help[] =
	"usage: knpctl config [mode=enforce|audit] [default=pass|drop]\n"
	"                     [unknown-local=pass|drop] [event-rate=N]\n"
	"                     [encap=pass|drop]\n"
	"                     [node-egress=pass|drop] [node-egress-allow=LIST]\n"
	"                     [lb-probes=pass|drop]\n"
	"Change, or without arguments show, the module's settings.\n"
	"  mode           audit: judge, count and report, but let everything pass\n"
	"  default        forwarded packets between attach and the first generation\n"
	"  unknown-local  an address behind a pod's interface that is no endpoint\n"
	"  encap          packets in packets that a pod sends to the node\n"
	"  event-rate     drop events per second and CPU, 0: none\n"
	"  node-egress    what a pod sends to its own node and its policies deny\n"
	"  node-egress-allow\n"
	"                 what passes there although node-egress is drop: none, or entries\n"
	"                 [ADDRESS:]PORT/PROTOCOL with commas between, as 10250/TCP,\n"
	"                 169.254.20.10:53/UDP, [fd00::10]:53/UDP\n"
	"  lb-probes      what Azure's load balancer sends to a pod (from 168.63.129.16) and\n"
	"                 its policies deny\n";

static int parse_families(struct knp_ctl *c, int argc, char **argv,
			  uint32_t *ret)
{
	uint32_t families = 0;
	int i;

	for (i = optind; i < argc; i++) {
		if (!knp_family_bit(argv[i]))
			return knp_ctl_usage(c, "unknown family %s", argv[i]);
		families |= knp_family_bit(argv[i]);
	}

	*ret = families;
	return CTL_OK;
}

int knp_ctl_attach(int argc, char **argv)
{
	static const struct option options[] = { CTL_OPTIONS, { 0 } };
	uint32_t families = 0;
	struct knp_ctl c;
	int opt, err, status;

	knp_ctl_begin(&c, argv[0]);
	while ((opt = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		status = knp_ctl_option(&c, opt, attach_help);
		if (status >= 0)
			return status;
	}

	status = parse_families(&c, argc, argv, &families);
	if (!status)
		status = knp_ctl_connect(&c);
	if (status)
		return status;

	err = knp_genl_attach(c.g, families ? families : KNP_FAMILY_ALL);
	if (err)
		status = knp_ctl_refused(&c, err, "cannot attach");
	knp_ctl_end(&c);
	return status;
}

int knp_ctl_detach(int argc, char **argv)
{
	static const struct option options[] = {
		CTL_OPTIONS,
		{ "yes", no_argument, NULL, 'y' },
		{ 0 },
	};
	uint32_t families = 0;
	struct knp_ctl c;
	bool yes = false;
	int opt, err, status;

	knp_ctl_begin(&c, argv[0]);
	while ((opt = getopt_long(argc, argv, "yo:h", options, NULL)) != -1) {
		if (opt == 'y') {
			yes = true;
			continue;
		}
		status = knp_ctl_option(&c, opt, detach_help);
		if (status >= 0)
			return status;
	}

	status = parse_families(&c, argc, argv, &families);
	if (!status && !yes)
		status = knp_ctl_usage(&c, "this stops enforcing every policy on this node: add --yes");
	if (!status)
		status = knp_ctl_connect(&c);
	if (status)
		return status;

	err = knp_genl_detach(c.g, families);
	if (err)
		status = knp_ctl_refused(&c, err, "cannot detach");
	knp_ctl_end(&c);
	return status;
}

static int parse_action(const char *text)
{
	if (!strcmp(text, "pass"))
		return KNP_PASS;
	if (!strcmp(text, "drop"))
		return KNP_DROP;
	return -1;
}

static int parse_mode(const char *text)
{
	if (!strcmp(text, "enforce"))
		return KNP_MODE_ENFORCE;
	if (!strcmp(text, "audit"))
		return KNP_MODE_AUDIT;
	return -1;
}

static int64_t parse_rate(const char *text)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || *text < '0' || *text > '9' || *end || n > UINT32_MAX)
		return -1;
	return (int64_t)n;
}

/* Where the action of a setting goes; NULL: the setting is none of an action. */
static int *action_of(struct knp_config *config, const char *name, size_t len)
{
	const struct {
		const char *name;
		int *to;
	} actions[] = {
		{ "default", &config->dflt },
		{ "unknown-local", &config->unknown_local },
		{ "encap", &config->encap },
		{ "node-egress", &config->node_egress },
		{ "lb-probes", &config->lb_probes },
	};

	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
		if (strlen(actions[i].name) == len &&
		    !strncmp(actions[i].name, name, len))
			return actions[i].to;
	return NULL;
}

static int64_t parse_node_allow(const char *text, struct knp_config *config)
{
	static struct knp_node_allows list;

	if (knp_node_allows_parse(text, &list))
		return -1;
	config->node_allow = &list;
	return 0;
}

static int parse_setting(struct knp_ctl *c, const char *text,
			 struct knp_config *config)
{
	const char *value = strchr(text, '=');
	size_t len = value ? (size_t)(value - text) : 0;
	int *action;
	int64_t n;

	if (!value++)
		return knp_ctl_usage(c, "%s is not of the form NAME=VALUE",
				     text);

	action = action_of(config, text, len);
	if (action) {
		*action = parse_action(value);
		n = *action;
	} else if (!strncmp(text, "mode", len) && len == 4) {
		config->mode = parse_mode(value);
		n = config->mode;
	} else if (!strncmp(text, "event-rate", len) && len == 10) {
		config->event_rate = parse_rate(value);
		n = config->event_rate;
	} else if (!strncmp(text, "node-egress-allow", len) && len == 17) {
		n = parse_node_allow(value, config);
	} else {
		return knp_ctl_usage(c, "unknown setting %s", text);
	}

	if (n < 0)
		return knp_ctl_usage(c, "bad value in %s", text);
	return CTL_OK;
}

static void show(const struct knp_ctl *c)
{
	const struct knp_info *info = &c->info;
	char allow[KNP_NODE_ALLOW_TEXT];
	struct json_object *doc;

	knp_node_allows_text(&info->node_allow, allow);
	if (!knp_ctl_structured(c)) {
		printf("mode=%s default=%s unknown-local=%s event-rate=%u encap=%s node-egress=%s node-egress-allow=%s lb-probes=%s\n",
		       knp_ctl_mode(info->mode), knp_ctl_action(info->dflt),
		       knp_ctl_action(info->unknown_local), info->event_rate,
		       knp_ctl_action(info->encap),
		       knp_ctl_action(info->node_egress), allow,
		       knp_ctl_action(info->lb_probes));
		return;
	}

	doc = knp_ctl_object();
	knp_ctl_add_text(doc, "mode", knp_ctl_mode(info->mode));
	knp_ctl_add_text(doc, "default", knp_ctl_action(info->dflt));
	knp_ctl_add_text(doc, "unknown_local",
			 knp_ctl_action(info->unknown_local));
	knp_ctl_add_number(doc, "event_rate", info->event_rate);
	knp_ctl_add_text(doc, "encap", knp_ctl_action(info->encap));
	knp_ctl_add_text(doc, "node_egress",
			 knp_ctl_action(info->node_egress));
	knp_ctl_add_text(doc, "node_egress_allow", allow);
	knp_ctl_add_text(doc, "lb_probes", knp_ctl_action(info->lb_probes));
	knp_ctl_print_doc(c, doc);
}

int knp_ctl_config(int argc, char **argv)
{
	static const struct option options[] = { CTL_OPTIONS, { 0 } };
	struct knp_config config = KNP_CONFIG_NONE;
	struct knp_ctl c;
	int opt, i, err, status;

	knp_ctl_begin(&c, argv[0]);
	while ((opt = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		status = knp_ctl_option(&c, opt, config_help);
		if (status >= 0)
			return status;
	}

	for (i = optind; i < argc; i++) {
		status = parse_setting(&c, argv[i], &config);
		if (status)
			return status;
	}

	status = knp_ctl_connect(&c);
	if (status)
		return status;

	if (optind == argc) {
		show(&c);
	} else {
		err = knp_genl_config(c.g, &config);
		if (err)
			status = knp_ctl_refused(&c, err, "cannot configure");
	}

	knp_ctl_end(&c);
	return status;
}
