// SPDX-License-Identifier: Apache-2.0
/*
 * Transactions by hand, for the scenarios about refusals.
 *
 *   txn STEP...
 *
 * A step is "SOCKET.VERB[=NUMBER]", for example "a.begin=3". Sockets are a and
 * b, opened when first used; verbs are begin (a generation, "now" is the
 * current one), rule, class, portset, set (put one of that id), ifaces,
 * endpoints, peers, cidrs (put so many more; those of class 1), commit (a
 * count), abort, allow (NODE_ALLOW: the entry of that index in allows[], so
 * many if it is more), rate (EVENT_RATE), close. Prints one line a step:
 * "a.begin=3 ok", or the errno's name and the module's words. Ends with 2 if a
 * step cannot be understood or the module is not there.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "genl.h"

static struct knp_genl *sockets[2];

static struct knp_genl *opened(char letter)
{
	size_t i = letter == 'b';
	int err;

	if (sockets[i])
		return sockets[i];
	err = knp_genl_open(&sockets[i]);
	if (err) {
		fprintf(stderr, "txn: %s\n", knp_genl_advice(err));
		exit(2);
	}
	return sockets[i];
}

static uint64_t current(struct knp_genl *g)
{
	struct knp_info info;

	return knp_genl_info(g, &info) ? 0 : info.generation;
}

static int put_rule(struct knp_genl *g, uint32_t id)
{
	struct knp_rec_rule rule = { .id = id, .tag = "by hand" };

	return knp_genl_put(g, KNP_TABLE_RULE, &rule, sizeof(rule));
}

static int put_class(struct knp_genl *g, uint32_t id)
{
	struct knp_rec_class class = { .id = id, .tag = "by hand" };

	return knp_genl_put(g, KNP_TABLE_CLASS, &class, sizeof(class));
}

static int put_portset(struct knp_genl *g, uint32_t id)
{
	struct knp_rec_portset portset = { .id = id, .tag = "by hand" };

	return knp_genl_put(g, KNP_TABLE_PORTSET, &portset, sizeof(portset));
}

static int put_set(struct knp_genl *g, uint32_t id)
{
	struct knp_rec_set set = {
		.id = id, .direction = KNP_INGRESS, .tag = "by hand",
	};

	return knp_genl_put(g, KNP_TABLE_SET, &set, sizeof(set));
}

/* The nth record of a table: fd00::n, fd00::n00/120, interface n. */
static size_t nth(uint32_t table, uint32_t n, void *rec)
{
	struct knp_rec_endpoint *endpoint = rec;
	struct knp_rec_iface *iface = rec;
	struct knp_rec_peer *peer = rec;
	struct knp_rec_cidr *cidr = rec;
	uint8_t addr[KNP_ADDR_LEN] = { [0] = 0xfd };
	uint32_t bits = htonl(n);

	switch (table) {
	case KNP_TABLE_IFACE:
		*iface = (struct knp_rec_iface){
			.ifindex = n + 1, .role = KNP_ROLE_POD,
		};
		return sizeof(*iface);
	case KNP_TABLE_ENDPOINT:
		*endpoint = (struct knp_rec_endpoint){ .family = AF_INET6 };
		memcpy(addr + 12, &bits, sizeof(bits));
		memcpy(endpoint->addr, addr, sizeof(addr));
		return sizeof(*endpoint);
	case KNP_TABLE_PEER:
		*peer = (struct knp_rec_peer){
			.family = AF_INET6, .class_id = 1,
		};
		memcpy(addr + 12, &bits, sizeof(bits));
		memcpy(peer->addr, addr, sizeof(addr));
		return sizeof(*peer);
	default:
		*cidr = (struct knp_rec_cidr){
			.family = AF_INET6, .prefixlen = 120, .class_id = 1,
		};
		memcpy(addr + 11, &bits, sizeof(bits));
		memcpy(cidr->addr, addr, sizeof(addr));
		return sizeof(*cidr);
	}
}

/* Put @n more records of a table, some in each message. */
static int put_more(struct knp_genl *g, uint32_t table, uint32_t n)
{
	static uint32_t put[KNP_TABLE_MAX + 1];
	struct knp_rec_endpoint recs[512];
	size_t len = 0;
	int err = 0;

	while (!err && n--) {
		len += nth(table, put[table]++, (char *)recs + len);
		if (n && len + sizeof(recs[0]) <= sizeof(recs))
			continue;
		err = knp_genl_put(g, table, recs, len);
		len = 0;
	}
	return err;
}

/* struct verb - a put; by id, or of more records of a table */
struct verb {
	const char *name;
	int (*by_id)(struct knp_genl *g, uint32_t id);
	uint32_t more_of;
};

static const struct verb puts_of[] = {
	{ "rule", put_rule, 0 },
	{ "class", put_class, 0 },
	{ "portset", put_portset, 0 },
	{ "set", put_set, 0 },
	{ "ifaces", NULL, KNP_TABLE_IFACE },
	{ "endpoints", NULL, KNP_TABLE_ENDPOINT },
	{ "peers", NULL, KNP_TABLE_PEER },
	{ "cidrs", NULL, KNP_TABLE_CIDR },
};

static const struct knp_node_allow allows[] = {
	{ .proto = IPPROTO_TCP, .port = 1 },
	{ .addr = { 1 }, .proto = IPPROTO_TCP, .port = 1 },
	{ .addr = { 10, 0, 0, 1, 1 }, AF_INET, IPPROTO_TCP, 1 },
	{ .family = AF_UNIX, .proto = IPPROTO_TCP, .port = 1 },
	{ .proto = IPPROTO_ICMP, .port = 1 },
	{ .proto = IPPROTO_TCP },
};

static int set_allow(struct knp_genl *g, size_t n)
{
	size_t known = sizeof(allows) / sizeof(*allows);
	struct knp_config c = KNP_CONFIG_NONE;
	struct knp_node_allows *list;
	int err;

	/* It may be longer than the type has room for. */
	list = calloc(1, sizeof(*list) + n * sizeof(*allows));
	if (!list)
		return -ENOMEM;
	list->n = n < known ? 1 : n;
	for (size_t i = 0; i < list->n; i++)
		memcpy((char *)list->v + i * sizeof(*allows),
		       &allows[n < known ? n : 0], sizeof(*allows));
	c.node_allow = list;
	err = knp_genl_config(g, &c);
	free(list);
	return err;
}

static int set_rate(struct knp_genl *g, uint32_t n)
{
	struct knp_config c = KNP_CONFIG_NONE;

	c.event_rate = n;
	return knp_genl_config(g, &c);
}

static int step(struct knp_genl *g, const char *verb, const char *arg)
{
	uint64_t n = strtoull(arg, NULL, 10), generation;

	if (!strcmp(verb, "begin"))
		return knp_genl_begin(g, strcmp(arg, "now") ? n : current(g));
	for (size_t i = 0; i < sizeof(puts_of) / sizeof(*puts_of); i++) {
		if (strcmp(verb, puts_of[i].name))
			continue;
		return puts_of[i].by_id ? puts_of[i].by_id(g, (uint32_t)n) :
		       put_more(g, puts_of[i].more_of, (uint32_t)n);
	}
	if (!strcmp(verb, "commit"))
		return knp_genl_commit(g, n, &generation);
	if (!strcmp(verb, "allow"))
		return set_allow(g, n);
	if (!strcmp(verb, "rate"))
		return set_rate(g, (uint32_t)n);
	if (!strcmp(verb, "abort"))
		return knp_genl_abort(g);
	fprintf(stderr, "txn: what is %s?\n", verb);
	exit(2);
}

int main(int argc, char **argv)
{
	char verb[16], arg[32];
	struct knp_genl *g;
	char letter;
	int i, err;

	for (i = 1; i < argc; i++) {
		arg[0] = '\0';
		if (sscanf(argv[i], "%c.%15[a-z]=%31s", &letter, verb, arg) < 2 ||
		    letter < 'a' || letter > 'b') {
			fprintf(stderr, "txn: bad step %s\n", argv[i]);
			return 2;
		}
		if (!strcmp(verb, "close")) {
			knp_genl_close(sockets[letter - 'a']);
			sockets[letter - 'a'] = NULL;
			printf("%s ok\n", argv[i]);
			continue;
		}
		g = opened(letter);
		err = step(g, verb, arg);
		if (err)
			printf("%s %s %s\n", argv[i], strerrorname_np(-err),
			       knp_genl_text(g));
		else
			printf("%s ok\n", argv[i]);
	}
	knp_genl_close(sockets[0]);
	knp_genl_close(sockets[1]);
	return 0;
}
