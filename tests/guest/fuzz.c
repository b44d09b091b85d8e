// SPDX-License-Identifier: Apache-2.0
/*
 * Messages that nobody should send, to the module's netlink family.
 *
 *   fuzz SEED MESSAGES
 *
 * Of ten messages seven are built by the grammar of uapi/linux/knp.h, with few ids and
 * addresses so that records meet, and half of these get one value changed; two
 * are broken in their structure (bytes flipped, attributes cut, doubled, nested,
 * of wrong length); one is noise behind a header. They come from several sockets
 * of a namespace, which open and close with transactions and dumps half-way, and
 * from a second namespace, which goes when its sockets are closed. Subscribers
 * listen and do not read.
 *
 * After each burst the namespace is emptied by what it dumps, a canonical policy
 * is committed, and its dump and verdicts are looked at.
 *
 * Prints one line of what was sent, and one for each thing that was wrong. Ends
 * with 1 if there was one.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "door.h"
#include "records.h"

#define BURST		2000
#define SOCKETS		4
#define AWAY		2	/* further ones, of the other namespace */
#define RECS_MAX	24

/**
 * struct sender - a socket, and what its transaction has taken
 * @count: records
 * @changing: there is one
 * @open: it is open
 * @busy: with an answer that nobody reads; the next turn closes it
 */
struct sender {
	struct door d;
	uint64_t count;
	bool changing;
	bool open;
	bool busy;
};

/** struct made - what is known of a message that was built */
struct made {
	uint8_t cmd;
	bool sound;
	uint64_t records;
};

static uint64_t rng;
static struct sender senders[SOCKETS + AWAY];
static struct door ear, eye;
static int home, away = -1;
static int policy = POLICY_A;
static unsigned long accepted, refused, commits, bursts, bad;

/* Of the other namespace. */
static bool is_away(const struct sender *s)
{
	return s - senders >= SOCKETS;
}

static uint32_t pick(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)((rng >> 32) % n);
}

static bool one_in(uint32_t n)
{
	return !pick(n);
}

/* Mostly small, so that it is of something; now and then at an edge. */
static uint32_t some_id(void)
{
	static const uint32_t edges[] = {
		0, 16383, 16384, 65535, 65536, UINT32_MAX,
	};

	return one_in(40) ? edges[pick(6)] : 1 + pick(8);
}

static void some_addr(uint8_t *addr, uint8_t *family)
{
	memset(addr, 0, KNP_ADDR_LEN);
	*family = one_in(2) ? AF_INET : AF_INET6;
	addr[0] = *family == AF_INET ? 10 : 0xfd;
	addr[*family == AF_INET ? 3 : 15] = (uint8_t)pick(64);
	addr[1] = (uint8_t)pick(3);
	if (one_in(60))
		addr[pick(KNP_ADDR_LEN)] = (uint8_t)pick(256);
	if (one_in(80))
		*family = (uint8_t)pick(256);
}

static uint8_t some_prefixlen(uint8_t *addr, uint8_t family)
{
	uint32_t len = pick(family == AF_INET ? 33 : 129);

	if (one_in(60))
		return (uint8_t)pick(256);
	for (uint32_t bit = len; bit < 128; bit++)
		addr[bit / 8] &= (uint8_t)~(0x80 >> bit % 8);
	return (uint8_t)len;
}

/* ---- records ----------------------------------------------------------------- */

static size_t some_portset(uint8_t *to)
{
	struct knp_rec_portset rec = { .id = some_id(), .nports = pick(5) };
	size_t len = sizeof(rec);
	uint16_t lo = 0;

	for (uint32_t i = 0; i < rec.nports; i++) {
		struct knp_rec_port port = {
			.rule = some_id(), .proto = one_in(9) ? 17 : 6,
		};

		lo = (uint16_t)(lo + pick(100));
		port.lo = lo;
		lo = (uint16_t)(lo + pick(100));
		port.hi = lo++;
		memcpy(to + len, &port, sizeof(port));
		len += sizeof(port);
	}
	if (one_in(50))
		rec.nports = pick(600);
	memcpy(to, &rec, sizeof(rec));
	return len;
}

static size_t some_place(uint32_t table, uint8_t *to)
{
	struct knp_rec_endpoint endpoint = { 0 };
	struct knp_rec_binding binding = { 0 };
	struct knp_rec_peer peer = { 0 };
	struct knp_rec_cidr cidr = { 0 };

	switch (table) {
	case KNP_TABLE_PEER:
		some_addr(peer.addr, &peer.family);
		peer.class_id = some_id();
		memcpy(to, &peer, sizeof(peer));
		return sizeof(peer);
	case KNP_TABLE_CIDR:
		some_addr(cidr.addr, &cidr.family);
		cidr.prefixlen = some_prefixlen(cidr.addr, cidr.family);
		cidr.class_id = one_in(5) ? 0 : some_id();
		memcpy(to, &cidr, sizeof(cidr));
		return sizeof(cidr);
	case KNP_TABLE_ENDPOINT:
		some_addr(endpoint.addr, &endpoint.family);
		endpoint.ingress_set = one_in(2) ? 0 : 1 + 2 * pick(3);
		endpoint.egress_set = one_in(2) ? 0 : 2 + 2 * pick(3);
		memcpy(to, &endpoint, sizeof(endpoint));
		return sizeof(endpoint);
	default:
		some_addr(binding.addr, &binding.family);
		binding.ifindex = some_id();
		memcpy(to, &binding, sizeof(binding));
		return sizeof(binding);
	}
}

static size_t some_object(uint32_t table, uint8_t *to)
{
	struct knp_rec_set set = { .id = some_id() };
	struct knp_rec_rule rule = { .id = some_id() };
	struct knp_rec_iface iface = {
		.ifindex = some_id(), .role = (uint8_t)pick(one_in(40) ? 256 : 3),
	};
	struct knp_rec_row row = {
		.set = some_id(), .class_id = some_id(), .portset = some_id(),
	};

	switch (table) {
	case KNP_TABLE_SET:
		/* as in records.c: even ones are of egress, but for a few */
		set.direction = set.id % 2 ? KNP_INGRESS : KNP_EGRESS;
		if (one_in(40))
			set.direction = (uint8_t)pick(4);
		set.dflt = one_in(2) ? 0 : some_id();
		memcpy(to, &set, sizeof(set));
		return sizeof(set);
	case KNP_TABLE_ROW:
		memcpy(to, &row, sizeof(row));
		return sizeof(row);
	case KNP_TABLE_IFACE:
		memcpy(to, &iface, sizeof(iface));
		return sizeof(iface);
	default:
		rule.tag[0] = (uint8_t)pick(256);
		memcpy(to, &rule, sizeof(rule));
		return sizeof(rule);
	}
}

static size_t some_record(uint32_t table, bool delete, uint8_t *to)
{
	size_t len;

	switch (table) {
	case KNP_TABLE_PORTSET:
		len = some_portset(to);
		return delete ? sizeof(struct knp_rec_portset) : len;
	case KNP_TABLE_PEER:
	case KNP_TABLE_CIDR:
	case KNP_TABLE_ENDPOINT:
	case KNP_TABLE_BINDING:
		return some_place(table, to);
	default:
		return some_object(table, to);
	}
}

/* ---- messages by the grammar --------------------------------------------------- */

static void put_u32(struct door_message *m, uint16_t type, uint32_t value)
{
	door_put(m, type, &value, sizeof(value));
}

static void put_u64(struct door_message *m, uint16_t type, uint64_t value)
{
	door_put(m, type, &value, sizeof(value));
}

static void put_u8(struct door_message *m, uint16_t type, uint32_t value)
{
	uint8_t byte = (uint8_t)value;

	door_put(m, type, &byte, sizeof(byte));
}

static void build_records(struct door_message *m, struct made *made)
{
	uint32_t table = 1 + pick(KNP_TABLE_MAX);
	uint32_t n = one_in(6) ? pick(RECS_MAX) : 1 + pick(3);
	uint8_t recs[RECS_MAX * 160];
	size_t len = 0;

	for (uint32_t i = 0; i < n; i++)
		len += some_record(table, made->cmd == KNP_CMD_DELETE,
				   recs + len);
	put_u32(m, KNP_A_TABLE, table);
	door_put(m, KNP_A_RECORDS, recs, len);
	made->records = n;
}

static void build_config(struct door_message *m)
{
	static const uint16_t types[] = {
		KNP_A_MODE, KNP_A_DEFAULT, KNP_A_UNKNOWN_LOCAL, KNP_A_ENCAP,
		KNP_A_NODE_EGRESS, KNP_A_LB_PROBES,
	};
	struct knp_node_allow allow[4] = {
		{ .proto = 6, .port = 53 }, { .proto = 17, .port = 53 },
		{ .proto = 6, .port = (uint16_t)pick(3) }, { .proto = 1 },
	};

	put_u8(m, types[pick(6)], pick(one_in(8) ? 256 : 2));
	if (one_in(3))
		put_u32(m, KNP_A_EVENT_RATE, pick(1000));
	if (one_in(3))
		door_put(m, KNP_A_NODE_ALLOW, allow,
			 pick(5) * sizeof(allow[0]));
}

static void build_explain(struct door_message *m)
{
	uint8_t src[KNP_ADDR_LEN], dst[KNP_ADDR_LEN], family, other;
	uint16_t port = (uint16_t)pick(200);
	uint32_t proto = one_in(9) ? 1 : 6;

	some_addr(src, &other);
	some_addr(dst, &family);
	put_u8(m, KNP_A_FAMILY, family);
	door_put(m, KNP_A_SRC, src, sizeof(src));
	door_put(m, KNP_A_DST, dst, sizeof(dst));
	put_u8(m, KNP_A_PROTO, proto);
	if (proto == 6 || one_in(5))
		door_put(m, KNP_A_PORT, &port, sizeof(port));
}

/* Mostly what leads on: changes and then a commit in a transaction. */
static uint8_t some_command(const struct sender *s)
{
	static const uint8_t inside[] = {
		KNP_CMD_PUT, KNP_CMD_PUT, KNP_CMD_PUT, KNP_CMD_PUT,
		KNP_CMD_DELETE, KNP_CMD_COMMIT,
	};
	static const uint8_t outside[] = {
		KNP_CMD_BEGIN, KNP_CMD_BEGIN, KNP_CMD_BEGIN, KNP_CMD_BEGIN,
		KNP_CMD_GET, KNP_CMD_EXPLAIN, KNP_CMD_CONFIG, KNP_CMD_PUT,
	};

	if (one_in(8))
		return (uint8_t)pick(KNP_CMD_MAX + 3);
	return s->changing ? inside[pick(sizeof(inside))] :
	       outside[pick(sizeof(outside))];
}

static void build(struct sender *s, struct door_message *m, struct made *made)
{
	uint8_t cmd = some_command(s);
	bool dumps = cmd == KNP_CMD_GET || cmd == KNP_CMD_COUNTERS;
	uint64_t generation;

	*made = (struct made){ .cmd = cmd, .sound = true };
	door_start(&s->d, m, cmd, dumps ? NLM_F_DUMP : 0);
	switch (cmd) {
	case KNP_CMD_ATTACH:
		put_u32(m, KNP_A_FAMILIES, one_in(9) ? pick(256) : 1 + pick(7));
		break;
	case KNP_CMD_DETACH:
		if (one_in(2))
			put_u32(m, KNP_A_FAMILIES, 1 + pick(7));
		break;
	case KNP_CMD_BEGIN:
		if (one_in(9) || door_generation(is_away(s) ? &s->d : &eye,
						 &generation))
			generation = pick(9);
		put_u64(m, KNP_A_GENERATION, generation);
		break;
	case KNP_CMD_PUT:
	case KNP_CMD_DELETE:
		build_records(m, made);
		break;
	case KNP_CMD_COMMIT:
		put_u64(m, KNP_A_COUNT, one_in(9) ? pick(9) : s->count);
		break;
	case KNP_CMD_GET:
		if (one_in(2))
			put_u32(m, KNP_A_TABLE, pick(KNP_TABLE_MAX + 2));
		break;
	case KNP_CMD_CONFIG:
		build_config(m);
		break;
	case KNP_CMD_EXPLAIN:
		build_explain(m);
		break;
	}
}

/* ---- what is done to them ------------------------------------------------------ */

#define HEAD	(NLMSG_HDRLEN + GENL_HDRLEN)

/* The place of one of its attributes, 0: it has none. */
static size_t some_attr(const struct door_message *m)
{
	size_t at = HEAD, chosen = 0;
	uint32_t seen = 0;

	while (at + NLA_HDRLEN <= m->len) {
		const struct nlattr *attr = (const void *)(m->buf + at);

		if (one_in(++seen))
			chosen = at;
		if (attr->nla_len < NLA_HDRLEN)
			break;
		at += NLA_ALIGN(attr->nla_len);
	}
	return chosen;
}

static void change_value(struct door_message *m)
{
	size_t at = some_attr(m);
	struct nlattr *attr = (struct nlattr *)(m->buf + at);

	if (!at || attr->nla_len <= NLA_HDRLEN)
		return;
	m->buf[at + NLA_HDRLEN + pick(attr->nla_len - NLA_HDRLEN)] =
		(uint8_t)pick(256);
}

static void break_structure(struct door_message *m)
{
	size_t at = some_attr(m);
	struct nlattr *attr = (struct nlattr *)(m->buf + at);
	size_t len = at ? NLA_ALIGN(attr->nla_len) : 0;

	switch (pick(7)) {
	case 0:
		m->buf[HEAD - GENL_HDRLEN + pick((uint32_t)m->len - NLMSG_HDRLEN)] ^=
			(uint8_t)(1 << pick(8));
		break;
	case 1:
		m->len -= pick((uint32_t)(m->len - NLMSG_HDRLEN) + 1);
		break;
	case 2:
		if (len && m->len + len <= sizeof(m->buf)) {
			memcpy(m->buf + m->len, m->buf + at, len);
			m->len += len;
		}
		break;
	case 3:
		if (len)
			attr->nla_len = (uint16_t)pick(one_in(2) ? 65536 : 64);
		break;
	case 4:
		if (len)
			attr->nla_type = (uint16_t)pick(one_in(2) ? 65536 : 48);
		break;
	case 5:
		if (len)
			attr->nla_type |= NLA_F_NESTED;
		break;
	default:
		m->buf[NLMSG_HDRLEN + pick(GENL_HDRLEN)] = (uint8_t)pick(256);
		break;
	}
}

static void make_noise(struct sender *s, struct door_message *m)
{
	uint32_t n = pick(one_in(20) ? 40000 : 300);

	door_start(&s->d, m, (uint8_t)pick(20), (uint16_t)(one_in(4) ? NLM_F_DUMP : 0));
	for (uint32_t i = 0; i < n; i++)
		m->buf[m->len++] = (uint8_t)pick(256);
}

/* ---- sending ------------------------------------------------------------------- */

static void wrong(const char *what, const char *detail)
{
	bad++;
	printf("burst %lu: %s: %s\n", bursts, what, detail);
}

static void sender_open(struct sender *s)
{
	if (is_away(s) && away < 0) {
		door_new_netns();
		away = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	} else if (is_away(s) && setns(away, CLONE_NEWNET)) {
		door_die("away");
	}
	door_must(door_open(&s->d), "open");
	if (one_in(4))
		door_join(&s->d, pick(2));
	if (is_away(s) && setns(home, CLONE_NEWNET))
		door_die("home");
	s->count = 0;
	s->changing = false;
	s->open = true;
	s->busy = false;
}

static void sender_close(struct sender *s)
{
	door_close(&s->d);
	s->open = false;
	if (is_away(s) && !senders[SOCKETS].open && !senders[SOCKETS + 1].open) {
		close(away);
		away = -1;
	}
}

/* What is answered, a dump perhaps, is not read. */
static void send_only(struct sender *s, struct door_message *m)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	((struct nlmsghdr *)m->buf)->nlmsg_len = (uint32_t)m->len;
	sendto(s->d.fd, m->buf, m->len, MSG_DONTWAIT,
	       (struct sockaddr *)&kernel, sizeof(kernel));
	s->busy = true;
}

static void note(struct sender *s, const struct made *made, int err)
{
	/* Of what it has joined, and does not read. */
	if (err == -ENOBUFS) {
		s->busy = true;
		return;
	}
	if (err) {
		refused++;
		if (made->sound && made->cmd && made->cmd < KNP_CMD_EVENT &&
		    !s->d.text[0])
			wrong("a refusal without words", strerrorname_np(-err));
		if (s->changing && made->cmd >= KNP_CMD_BEGIN &&
		    made->cmd <= KNP_CMD_ABORT)
			s->changing = false;
		return;
	}
	accepted++;
	switch (made->cmd) {
	case KNP_CMD_BEGIN:
		s->count = 0;
		s->changing = true;
		break;
	case KNP_CMD_PUT:
	case KNP_CMD_DELETE:
		s->count += made->records;
		break;
	case KNP_CMD_COMMIT:
		commits++;
		s->changing = false;
		break;
	case KNP_CMD_ABORT:
		s->changing = false;
		break;
	}
}

/* Who has a transaction, mostly, since nobody else gets far then. */
static struct sender *some_sender(void)
{
	for (size_t i = 0; i < SOCKETS + AWAY; i++)
		if (senders[i].open && senders[i].changing && !one_in(3))
			return &senders[i];
	return &senders[pick(SOCKETS + AWAY)];
}

static void send_one(void)
{
	struct sender *s = some_sender();
	static struct door_message m;
	struct made made;
	uint32_t kind = pick(10);
	int err;

	if (!s->open)
		sender_open(s);
	if (s->busy || one_in(150)) {
		sender_close(s);
		return;
	}
	build(s, &m, &made);
	if (kind < 7 && one_in(2)) {
		change_value(&m);
	} else if (kind >= 7) {
		made.sound = false;
		if (kind == 9)
			make_noise(s, &m);
		else
			break_structure(&m);
	}
	/* What does not reach the module is not answered by it. */
	if (m.len < HEAD || one_in(100)) {
		send_only(s, &m);
		return;
	}
	((struct nlmsghdr *)m.buf)->nlmsg_flags |= NLM_F_ACK;
	err = door_talk(&s->d, &m, NULL);
	if (err == -ETIMEDOUT)
		wrong("silence", "no answer in 30 s");
	note(s, &made, err);
}

/* ---- the canonical policy ------------------------------------------------------ */

/* Delete the records of one table as they were dumped; how many, or -errno. */
static int delete_dumped(struct door *d, uint32_t table, const uint8_t *recs,
			 size_t len)
{
	struct knp_rec_portset portset;
	int n = 0, err = 0;

	if (table != KNP_TABLE_PORTSET)
		return door_records(d, KNP_CMD_DELETE, table, recs, len);
	for (size_t at = 0; !err && at < len; n++) {
		memcpy(&portset, recs + at, sizeof(portset));
		err = door_records(d, KNP_CMD_DELETE, table, &portset,
				   sizeof(portset));
		at += sizeof(portset) +
		      portset.nports * sizeof(struct knp_rec_port);
	}
	return err;
}

static int empty_table(struct door *d, uint32_t table)
{
	struct door_bytes got = { 0 };
	struct door_message m;
	int err;

	door_start(d, &m, KNP_CMD_GET, NLM_F_DUMP);
	put_u32(&m, KNP_A_TABLE, table);
	err = door_talk(d, &m, &got);
	for (size_t at = 0; !err && at + NLA_HDRLEN <= got.len;) {
		const struct nlattr *attr = (const void *)(got.data + at);

		if (attr->nla_type == KNP_A_RECORDS)
			err = delete_dumped(d, table,
					    (const uint8_t *)(attr + 1),
					    attr->nla_len - NLA_HDRLEN);
		at += NLA_ALIGN(attr->nla_len);
	}
	door_bytes_clear(&got);
	return err;
}

static unsigned int count_all(struct door *d)
{
	struct door_bytes got = { 0 };
	unsigned int n;

	door_must(door_dump(d, KNP_CMD_GET, &got), "dump");
	n = records_dumped(&got);
	door_bytes_clear(&got);
	return n;
}

static void check_canonical(void)
{
	unsigned int there;
	struct door d;
	int err;

	for (size_t i = 0; i < SOCKETS + AWAY; i++)
		if (senders[i].open)
			sender_close(&senders[i]);
	door_must(door_open(&d), "open");
	there = count_all(&d);
	err = door_begin(&d);
	for (uint32_t table = KNP_TABLE_MAX; !err && table; table--)
		err = empty_table(&d, table);
	if (!err)
		err = door_commit(&d, there);
	if (err)
		wrong("what was dumped cannot be deleted", d.text);
	if (count_all(&d))
		wrong("empty tables", "have records");
	policy = !policy;
	err = records_commit(&d, policy);
	if (err)
		wrong("the canonical policy is refused", d.text);
	if (count_all(&d) != records_count())
		wrong("the canonical policy", "dumps otherwise");
	if (!records_hold(&d, policy))
		wrong("the canonical policy", "judges otherwise");
	door_command(&d, KNP_CMD_DETACH);
	door_close(&d);
	bursts++;
}

int main(int argc, char **argv)
{
	unsigned long messages, n;

	if (argc != 3) {
		fprintf(stderr, "usage: fuzz SEED MESSAGES\n");
		return 2;
	}
	rng = strtoull(argv[1], NULL, 10) * 0x9e3779b97f4a7c15ULL | 1;
	messages = strtoul(argv[2], NULL, 10);
	door_new_netns();
	home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0)
		door_die("home");
	door_must(door_open(&ear), "open");
	door_must(door_join(&ear, DOOR_EVENTS), "join");
	door_must(door_join(&ear, DOOR_COMMITS), "join");
	door_must(door_open(&eye), "open");
	check_canonical();
	for (n = 0; n < messages; n++) {
		send_one();
		if (n % BURST == BURST - 1 || n + 1 == messages)
			check_canonical();
	}
	printf("seed %s: %lu messages, %lu bursts, %lu accepted, %lu refused, %lu commits\n",
	       argv[1], messages, bursts, accepted, refused, commits);
	return bad || !commits || !accepted;
}
