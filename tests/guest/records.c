// SPDX-License-Identifier: Apache-2.0
/* See records.h. */
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "records.h"

#define RULES		300	/* more than a page of counters */
#define PORTSETS	8
#define PORTS		40	/* of the last portset */
#define CLASSES		600
#define SETS		4
#define PEERS		400
#define CIDRS		300
#define ENDPOINTS	20
#define IFACES		20
#define PORT		80	/* and the next one */

/* ---- addresses --------------------------------------------------------------- */

static void addr_of(uint8_t *addr, uint8_t family, uint8_t net, uint32_t n)
{
	memset(addr, 0, KNP_ADDR_LEN);
	if (family == AF_INET) {
		addr[0] = 10;
		addr[1] = net;
		addr[2] = (uint8_t)(n >> 8);
		addr[3] = (uint8_t)n;
	} else {
		addr[0] = 0xfd;
		addr[3] = net;
		addr[14] = (uint8_t)(n >> 8);
		addr[15] = (uint8_t)n;
	}
}

static uint8_t family_of(uint32_t n)
{
	return n % 2 ? AF_INET6 : AF_INET;
}

/* ---- the records of each table ----------------------------------------------- */

/*
 * A writer fills in the nth record and returns its bytes. Set 1 is ingress of
 * the endpoints that are asked about, class 1 the peers of its row.
 */
static size_t put_rule(void *to, uint32_t n, int policy)
{
	struct knp_rec_rule rec = { .id = n + 1 };

	rec.tag[0] = (uint8_t)policy;
	memcpy(to, &rec, sizeof(rec));
	return sizeof(rec);
}

/* Portset 1 has the port that the policy allows; the last has very many. */
static size_t put_portset(void *to, uint32_t n, int policy)
{
	uint32_t nports = n + 1 == PORTSETS ? PORTS : n % 4;
	struct knp_rec_portset rec = { .id = n + 1, .nports = nports };
	uint8_t *at = to;

	if (!n)
		rec.nports = 1;
	memcpy(at, &rec, sizeof(rec));
	at += sizeof(rec);
	for (uint32_t i = 0; i < rec.nports; i++) {
		struct knp_rec_port port = {
			.rule = 1 + i + n, .proto = 6,
			.lo = (uint16_t)(1000 + 10 * i),
			.hi = (uint16_t)(1005 + 10 * i),
		};

		if (!n) {
			port.lo = policy == POLICY_A ? PORT + 1 : PORT;
			port.hi = port.lo;
		}
		memcpy(at, &port, sizeof(port));
		at += sizeof(port);
	}
	return (size_t)(at - (uint8_t *)to);
}

static size_t put_class(void *to, uint32_t n, int policy)
{
	struct knp_rec_class rec = { .id = n + 1 };

	rec.tag[0] = (uint8_t)policy;
	memcpy(to, &rec, sizeof(rec));
	return sizeof(rec);
}

static size_t put_set(void *to, uint32_t n, int policy)
{
	struct knp_rec_set rec = {
		.id = n + 1, .direction = n % 2 ? KNP_EGRESS : KNP_INGRESS,
		.dflt = n == 3 ? 2 : 0,
	};

	rec.tag[0] = (uint8_t)policy;
	memcpy(to, &rec, sizeof(rec));
	return sizeof(rec);
}

/* Class 1 of set 1, then entries of the others: far apart, then many. */
static size_t put_row(void *to, uint32_t n, int policy)
{
	struct knp_rec_row rec = { .set = 1, .class_id = 1, .portset = 1 };

	if (n)
		rec = (struct knp_rec_row){
			.set = 2 + n % (SETS - 1),
			.class_id = 1 + n * 7 % CLASSES,
			.portset = 1 + (n + (uint32_t)policy) % PORTSETS,
		};
	memcpy(to, &rec, sizeof(rec));
	return sizeof(rec);
}

static size_t put_peer(void *to, uint32_t n, int policy)
{
	struct knp_rec_peer rec = { .family = family_of(n), .class_id = 1 };

	addr_of(rec.addr, rec.family, 0, 1);
	if (n > 1) {
		addr_of(rec.addr, rec.family, 2, n * 5);
		rec.class_id = 2 + (n + (uint32_t)policy) % (CLASSES - 1);
	}
	memcpy(to, &rec, sizeof(rec));
	return sizeof(rec);
}

static size_t put_cidr(void *to, uint32_t n, int policy)
{
	struct knp_rec_cidr rec = { .family = family_of(n), .class_id = 1 };
	bool wide = rec.family == AF_INET6;

	if (n > 1) {
		addr_of(rec.addr, rec.family, 3, n << 2);
		rec.prefixlen = wide ? 126 : 30;
		rec.class_id = 2 + (n + (uint32_t)policy) % (CLASSES - 1);
	} else {
		addr_of(rec.addr, rec.family, 1, 0);
		rec.prefixlen = wide ? 32 : 16;
	}
	memcpy(to, &rec, sizeof(rec));
	return sizeof(rec);
}

static size_t put_endpoint(void *to, uint32_t n, int policy)
{
	struct knp_rec_endpoint rec = {
		.family = family_of(n), .ingress_set = 1,
	};

	addr_of(rec.addr, rec.family, 0, 2);
	if (n > 1) {
		addr_of(rec.addr, rec.family, 4, n);
		rec.ingress_set = policy == POLICY_A ? 1 : 3;
		rec.egress_set = policy == POLICY_A ? 4 : 2;
	}
	memcpy(to, &rec, sizeof(rec));
	return sizeof(rec);
}

static size_t put_iface(void *to, uint32_t n, int policy)
{
	struct knp_rec_iface rec = {
		.ifindex = 100 + n,
		.role = policy == POLICY_A ? KNP_ROLE_POD : KNP_ROLE_UPLINK,
	};

	memcpy(to, &rec, sizeof(rec));
	return sizeof(rec);
}

static size_t put_binding(void *to, uint32_t n, int policy)
{
	struct knp_rec_binding rec = {
		.family = family_of(n), .ifindex = 100 + n + (uint32_t)policy,
	};

	addr_of(rec.addr, rec.family, 4, n);
	memcpy(to, &rec, sizeof(rec));
	return sizeof(rec);
}

static const struct kind {
	const char *name;
	uint32_t table;
	uint32_t n;
	size_t (*put)(void *to, uint32_t n, int policy);
} kinds[] = {
	{ "rules", KNP_TABLE_RULE, RULES, put_rule },
	{ "portsets", KNP_TABLE_PORTSET, PORTSETS, put_portset },
	{ "classes", KNP_TABLE_CLASS, CLASSES, put_class },
	{ "sets", KNP_TABLE_SET, SETS, put_set },
	{ "rows", KNP_TABLE_ROW, CLASSES, put_row },
	{ "peers", KNP_TABLE_PEER, PEERS, put_peer },
	{ "cidrs", KNP_TABLE_CIDR, CIDRS, put_cidr },
	{ "endpoints", KNP_TABLE_ENDPOINT, ENDPOINTS, put_endpoint },
	{ "ifaces", KNP_TABLE_IFACE, IFACES, put_iface },
	{ "bindings", KNP_TABLE_BINDING, ENDPOINTS, put_binding },
};

#define NKINDS	(sizeof(kinds) / sizeof(kinds[0]))

/* What DELETE wants of records that the commit has put before: their keys. */
static const uint32_t doomed[] = {
	KNP_TABLE_BINDING, KNP_TABLE_IFACE, KNP_TABLE_ENDPOINT, KNP_TABLE_CIDR,
	KNP_TABLE_PEER,
};

#define NDOOMED	(sizeof(doomed) / sizeof(doomed[0]))

/* All records of a kind, or the later half of them, as one message. */
static int send_kind(struct door *d, const struct kind *k, uint8_t cmd,
		     int policy)
{
	uint8_t recs[32768];
	size_t len = 0;

	for (uint32_t n = cmd == KNP_CMD_DELETE ? k->n / 2 : 0; n < k->n; n++)
		len += k->put(recs + len, n, policy);
	return door_records(d, cmd, k->table, recs, len);
}

/* Rows repeat where sevens do; what counts is how many messages say. */
static uint64_t records_sent(void)
{
	uint64_t sent = 0;

	for (size_t i = 0; i < NKINDS; i++)
		sent += kinds[i].n;
	for (size_t i = 0; i < NDOOMED; i++)
		sent += kinds[doomed[i] - 1].n - kinds[doomed[i] - 1].n / 2;
	return sent;
}

unsigned int records_count(void)
{
	unsigned int n = 0;

	for (size_t i = 0; i < NKINDS; i++)
		n += kinds[i].n;
	for (size_t i = 0; i < NDOOMED; i++)
		n -= kinds[doomed[i] - 1].n - kinds[doomed[i] - 1].n / 2;
	return n;
}

unsigned int records_steps(void)
{
	return 1 + NKINDS + NDOOMED + 1;
}

const char *records_step_name(unsigned int n)
{
	if (!n)
		return "begin";
	if (n <= NKINDS)
		return kinds[n - 1].name;
	return n <= NKINDS + NDOOMED ? "delete" : "commit";
}

int records_step(struct door *d, int policy, unsigned int n)
{
	if (!n)
		return door_begin(d);
	if (n <= NKINDS)
		return send_kind(d, &kinds[n - 1], KNP_CMD_PUT, policy);
	if (n <= NKINDS + NDOOMED)
		return send_kind(d, &kinds[doomed[n - 1 - NKINDS] - 1],
				 KNP_CMD_DELETE, policy);
	return door_commit(d, records_sent());
}

int records_commit(struct door *d, int policy)
{
	int err = 0;

	for (unsigned int n = 0; !err && n < records_steps(); n++)
		err = records_step(d, policy, n);
	return err;
}

static bool allows(struct door *d, uint8_t family, uint8_t net, uint32_t host,
		   uint16_t port)
{
	uint8_t src[KNP_ADDR_LEN], dst[KNP_ADDR_LEN];
	struct door_bytes got = { 0 };
	const uint8_t *verdict;
	bool pass = false;
	size_t len;

	addr_of(src, family, net, host);
	addr_of(dst, family, 0, 2);
	if (door_explain(d, family, src, dst, port, &got))
		door_die("explain: %s", d->text);
	verdict = door_find(&got, KNP_A_VERDICT, &len);
	if (verdict)
		pass = *verdict == KNP_PASS;
	door_bytes_clear(&got);
	return pass;
}

bool records_hold(struct door *d, int policy)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	bool good = true;

	for (size_t i = 0; i < sizeof(families); i++) {
		for (uint16_t port = PORT; port <= PORT + 1; port++) {
			bool yes = port % 2 == (policy == POLICY_A);

			good &= allows(d, families[i], 0, 1, port) == yes;
			good &= allows(d, families[i], 1, 7, port) == yes;
			good &= !allows(d, families[i], 9, 9, port);
		}
	}
	return good;
}

/* Records of a message by the size of those of its table. */
static unsigned int records_in(uint32_t table, const uint8_t *recs, size_t len)
{
	static const size_t sizes[] = {
		[KNP_TABLE_RULE] = sizeof(struct knp_rec_rule),
		[KNP_TABLE_CLASS] = sizeof(struct knp_rec_class),
		[KNP_TABLE_SET] = sizeof(struct knp_rec_set),
		[KNP_TABLE_ROW] = sizeof(struct knp_rec_row),
		[KNP_TABLE_PEER] = sizeof(struct knp_rec_peer),
		[KNP_TABLE_CIDR] = sizeof(struct knp_rec_cidr),
		[KNP_TABLE_ENDPOINT] = sizeof(struct knp_rec_endpoint),
		[KNP_TABLE_IFACE] = sizeof(struct knp_rec_iface),
		[KNP_TABLE_BINDING] = sizeof(struct knp_rec_binding),
	};
	struct knp_rec_portset portset;
	unsigned int n = 0;

	if (table != KNP_TABLE_PORTSET)
		return (unsigned int)(len / sizes[table]);
	for (size_t at = 0; at < len; n++) {
		memcpy(&portset, recs + at, sizeof(portset));
		at += sizeof(portset) +
		      portset.nports * sizeof(struct knp_rec_port);
	}
	return n;
}

/* Attributes of all messages one after the other: TABLE comes before RECORDS. */
unsigned int records_dumped(const struct door_bytes *dump)
{
	const uint8_t *at = dump->data;
	size_t left = dump->len;
	uint32_t table = 0;
	unsigned int n = 0;

	while (left >= NLA_HDRLEN) {
		const struct nlattr *attr = (const struct nlattr *)at;
		size_t step = NLA_ALIGN(attr->nla_len);

		if (attr->nla_type == KNP_A_TABLE)
			memcpy(&table, attr + 1, sizeof(table));
		if (attr->nla_type == KNP_A_RECORDS)
			n += records_in(table, (const uint8_t *)(attr + 1),
					attr->nla_len - NLA_HDRLEN);
		if (!step || step > left)
			break;
		at += step;
		left -= step;
	}
	return n;
}
