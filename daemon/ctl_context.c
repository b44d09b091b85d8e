// SPDX-License-Identifier: Apache-2.0
/* The context of a command: options, the module, tables and names. */
#include "ctl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reasons.h"
#include "runtime.h"

/* How long names may lag behind the commit that they belong to. */
#define NAMES_TRIES	25
#define NAMES_PAUSE_NS	(20 * 1000 * 1000)

void knp_ctl_begin(struct knp_ctl *c, const char *command)
{
	const char *dir = getenv("KNP_RUNTIME_DIR");

	memset(c, 0, sizeof(*c));
	c->command = command;
	c->runtime_dir = dir && *dir ? dir : KNP_RUNTIME_DIR;
}

void knp_ctl_end(struct knp_ctl *c)
{
	knp_ctl_classes_drop(c);
	knp_ruleset_free(c->rs);
	knp_names_free(c->names);
	knp_genl_close(c->g);
	c->rs = NULL;
	c->names = NULL;
	c->g = NULL;
}

static const char common_help[] =
	"\n"
	"As every command:\n"
	"  -o, --output FORMAT    table (default), wide, json or yaml\n"
	"      --runtime-dir DIR  where knpd leaves names and its status (default:\n"
	"                         $KNP_RUNTIME_DIR, else " KNP_RUNTIME_DIR ")\n"
	"  -h, --help             this text\n";

static int parse_format(struct knp_ctl *c, const char *text)
{
	static const char * const words[] = {
		[CTL_TABLE] = "table",
		[CTL_WIDE]  = "wide",
		[CTL_JSON]  = "json",
		[CTL_YAML]  = "yaml",
	};
	int i;

	for (i = CTL_TABLE; i <= CTL_YAML; i++) {
		if (strcmp(text, words[i]))
			continue;
		c->format = (enum ctl_format)i;
		return -1;
	}
	return knp_ctl_usage(c, "-o takes table, wide, json or yaml, not %s",
			     text);
}

int knp_ctl_option(struct knp_ctl *c, int option, const char *help)
{
	switch (option) {
	case 'o':
		return parse_format(c, optarg);
	case CTL_OPT_RUNTIME_DIR:
		c->runtime_dir = optarg;
		return -1;
	case 'h':
		fputs(help, stdout);
		fputs(common_help, stdout);
		return CTL_OK;
	}

	return knp_ctl_usage(c, "bad option");
}

int knp_ctl_fail(const char *format, ...)
{
	va_list args;

	fputs("knpctl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return CTL_FAILED;
}

int knp_ctl_usage(const struct knp_ctl *c, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "knpctl %s: ", c->command);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, " (see knpctl %s --help)\n", c->command);
	return CTL_USAGE;
}

int knp_ctl_refused(const struct knp_ctl *c, int err, const char *what)
{
	const char *text = knp_genl_text(c->g);

	return knp_ctl_fail("%s: %s%s%s", what, strerror(-err),
			    *text ? ": " : "", text);
}

int knp_ctl_connect(struct knp_ctl *c)
{
	int err;

	err = knp_genl_open(&c->g);
	if (!err)
		err = knp_genl_info(c->g, &c->info);
	if (err)
		return knp_ctl_fail("%s", knp_genl_advice(err));
	return CTL_OK;
}

static int fit(const struct knp_ctl *c, struct knp_names **ret)
{
	struct knp_names *names;
	int err;

	err = knp_names_read_at(c->runtime_dir, c->info.generation, &names);
	if (err)
		return err;

	if (names->instance != c->info.instance ||
	    names->generation != c->info.generation) {
		knp_names_free(names);
		return -ESTALE;
	}

	*ret = names;
	return 0;
}

void knp_ctl_names_now(struct knp_ctl *c)
{
	knp_ctl_classes_drop(c);
	knp_names_free(c->names);
	c->names = NULL;
	fit(c, &c->names);
}

void knp_ctl_names(struct knp_ctl *c)
{
	const struct timespec pause = { .tv_nsec = NAMES_PAUSE_NS };
	int i, err = -ESTALE;

	knp_ctl_classes_drop(c);
	knp_names_free(c->names);
	c->names = NULL;
	if (!c->info.generation)
		return;

	/* knpd writes them just after its commit; without one, why wait? */
	for (i = 0; i < NAMES_TRIES; i++) {
		err = fit(c, &c->names);
		if (err != -ESTALE || !knp_runtime_locked(c->runtime_dir))
			break;
		nanosleep(&pause, NULL);
	}

	if (err == -ESTALE)
		fprintf(stderr,
			"knpctl: the names in %s are not those of generation %" PRIu64 ": showing bare ids\n",
			c->runtime_dir, c->info.generation);
	else if (err)
		fprintf(stderr,
			"knpctl: no names in %s (%s): showing bare ids\n",
			c->runtime_dir, err == -ENOENT ? "no file " KNP_NAMES_FILE :
			strerror(-err));
}

int knp_ctl_view(struct knp_ctl *c)
{
	int err, status;

	if (!c->g) {
		status = knp_ctl_connect(c);
		if (status)
			return status;
	}

	knp_ruleset_free(c->rs);
	c->rs = NULL;
	err = knp_genl_snapshot(c->g, 0, &c->rs, &c->info);
	if (err)
		return knp_ctl_refused(c, err, "cannot read the tables");

	knp_ctl_names(c);
	return CTL_OK;
}

const uint8_t *knp_ctl_tag(const struct knp_ctl *c, uint32_t table,
			   uint32_t id)
{
	struct knp_recs *recs;
	const char *rec;
	size_t offset;

	switch (table) {
	case KNP_TABLE_RULE:
		offset = offsetof(struct knp_rec_rule, tag);
		break;
	case KNP_TABLE_PORTSET:
		offset = offsetof(struct knp_rs_portset, rec.tag);
		break;
	case KNP_TABLE_CLASS:
		offset = offsetof(struct knp_rec_class, tag);
		break;
	case KNP_TABLE_SET:
		offset = offsetof(struct knp_rec_set, tag);
		break;
	default:
		return NULL;
	}

	recs = knp_ruleset_table(c->rs, table);
	rec = recs ? knp_recs_find(recs, id) : NULL;
	return rec ? (const uint8_t *)rec + offset : NULL;
}

const char *knp_ctl_name(const struct knp_ctl *c, uint32_t table, uint32_t id)
{
	const uint8_t *tag = knp_ctl_tag(c, table, id);

	return tag ? knp_names_tag(c->names, tag) : NULL;
}

static void port_text(const struct knp_rec_port *port, char *buf, size_t size)
{
	char proto[8];

	if (!port->proto) {
		snprintf(buf, size, "any");
		return;
	}

	knp_ctl_proto(port->proto, proto);
	if (!port->lo && port->hi == UINT16_MAX)
		snprintf(buf, size, "*/%s", proto);
	else if (port->lo == port->hi)
		snprintf(buf, size, "%u/%s", port->lo, proto);
	else
		snprintf(buf, size, "%u-%u/%s", port->lo, port->hi, proto);
}

struct json_object *knp_ctl_ports(const struct knp_ctl *c, uint32_t portset)
{
	const struct knp_rs_portset *ps = knp_recs_find(&c->rs->portsets, portset);
	struct json_object *array = knp_ctl_array();
	char text[32];
	uint32_t i;

	for (i = 0; ps && i < ps->rec.nports; i++) {
		port_text(&ps->ports[i], text, sizeof(text));
		knp_ctl_push(array, json_object_new_string(text));
	}

	return array;
}

static const char *word(const char * const *words, size_t n, uint32_t i)
{
	return i < n && words[i] ? words[i] : "unknown";
}

#define WORD(words, i)	word(words, sizeof(words) / sizeof((words)[0]), i)

const char *knp_ctl_reason(uint32_t reason)
{
	return knp_reason_name(reason);
}

const char *knp_ctl_mode(uint8_t mode)
{
	static const char * const words[] = {
		[KNP_MODE_ENFORCE] = "enforce",
		[KNP_MODE_AUDIT]   = "audit",
	};

	return WORD(words, mode);
}

const char *knp_ctl_action(uint8_t action)
{
	static const char * const words[] = {
		[KNP_PASS] = "pass",
		[KNP_DROP] = "drop",
	};

	return WORD(words, action);
}

const char *knp_ctl_direction(uint8_t direction)
{
	static const char * const words[] = {
		[KNP_EGRESS]  = "egress",
		[KNP_INGRESS] = "ingress",
	};

	return WORD(words, direction);
}

const char *knp_ctl_role(uint8_t role)
{
	static const char * const words[] = {
		[KNP_ROLE_OTHER]  = "other",
		[KNP_ROLE_POD]	  = "pod",
		[KNP_ROLE_UPLINK] = "uplink",
	};

	return WORD(words, role);
}

static const struct {
	const char *name;
	uint8_t proto;
	bool ports;
} protocols[] = {
	{ "TCP",    IPPROTO_TCP,    true },
	{ "UDP",    IPPROTO_UDP,    true },
	{ "SCTP",   IPPROTO_SCTP,   true },
	{ "ICMP",   IPPROTO_ICMP,   false },
	{ "ICMPv6", IPPROTO_ICMPV6, false },
};

#define NPROTOCOLS	(sizeof(protocols) / sizeof(protocols[0]))

const char *knp_ctl_proto(uint8_t proto, char buf[8])
{
	size_t i;

	for (i = 0; i < NPROTOCOLS; i++) {
		if (protocols[i].proto == proto) {
			strcpy(buf, protocols[i].name);
			return buf;
		}
	}

	sprintf(buf, "%u", proto);
	return buf;
}

const char *knp_ctl_address(const uint8_t *addr, uint8_t family, char buf[46])
{
	if (!inet_ntop(family, addr, buf, 46))
		strcpy(buf, "?");
	return buf;
}

int knp_ctl_parse_proto(const char *text, uint8_t *ret)
{
	char *end;
	size_t i;
	long n;

	for (i = 0; i < NPROTOCOLS; i++) {
		if (!strcasecmp(text, protocols[i].name)) {
			*ret = protocols[i].proto;
			return 0;
		}
	}

	n = strtol(text, &end, 10);
	if (end == text || *end || n < 1 || n > 255)
		return -EINVAL;
	*ret = (uint8_t)n;
	return 0;
}

static bool has_ports(uint8_t proto)
{
	size_t i;

	for (i = 0; i < NPROTOCOLS; i++)
		if (protocols[i].proto == proto)
			return protocols[i].ports;
	return false;
}

int knp_ctl_parse_port(const char *text, struct knp_tuple *ret)
{
	uint8_t proto = IPPROTO_TCP;
	char *end;
	long n = 0;

	/* Without a number: a protocol without ports. */
	if (*text < '0' || *text > '9') {
		if (knp_ctl_parse_proto(text, &proto) || has_ports(proto))
			return -EINVAL;
	} else {
		n = strtol(text, &end, 10);
		if (n < 1 || n > UINT16_MAX)
			return -EINVAL;
		if (*end == '/' && knp_ctl_parse_proto(end + 1, &proto))
			return -EINVAL;
		if ((*end && *end != '/') || !has_ports(proto))
			return -EINVAL;
	}

	ret->proto = proto;
	ret->has_port = has_ports(proto);
	ret->port = (uint16_t)n;
	return 0;
}
