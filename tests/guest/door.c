// SPDX-License-Identifier: Apache-2.0
/* See door.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "door.h"

#define PATIENCE_MS	30000

void door_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, ": %s\n", strerror(errno));
	exit(2);
}

void door_must(int err, const char *what)
{
	if (err) {
		errno = -err;
		door_die("%s", what);
	}
}

static int socket_open(struct door *d)
{
	struct sockaddr_nl me = { .nl_family = AF_NETLINK };
	int one = 1, size = 1 << 20;

	memset(d, 0, sizeof(*d));
	d->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (d->fd < 0)
		return -errno;
	setsockopt(d->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(d->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (setsockopt(d->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one)) ||
	    setsockopt(d->fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one)) ||
	    bind(d->fd, (struct sockaddr *)&me, sizeof(me)))
		return -errno;
	return 0;
}

void door_close(struct door *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

static void start(struct door_message *m, uint16_t family, uint8_t cmd,
		  uint16_t flags)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)m->buf;
	struct genlmsghdr *genl = NLMSG_DATA(nlh);

	m->len = NLMSG_LENGTH(GENL_HDRLEN);
	memset(m->buf, 0, m->len);
	nlh->nlmsg_type = family;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	genl->cmd = cmd;
	genl->version = KNP_GENL_VERSION;
}

void door_start(const struct door *d, struct door_message *m, uint8_t cmd,
		uint16_t flags)
{
	start(m, d->family, cmd, flags);
}

void door_put(struct door_message *m, uint16_t type, const void *data,
	      size_t len)
{
	struct nlattr *attr = (struct nlattr *)(m->buf + m->len);

	if (m->len + NLA_HDRLEN + NLA_ALIGN(len) > sizeof(m->buf) ||
	    NLA_HDRLEN + len > UINT16_MAX) {
		errno = EMSGSIZE;
		door_die("door_put");
	}
	attr->nla_type = type;
	attr->nla_len = (uint16_t)(NLA_HDRLEN + len);
	memcpy(m->buf + m->len + NLA_HDRLEN, data, len);
	memset(m->buf + m->len + NLA_HDRLEN + len, 0, NLA_ALIGN(len) - len);
	m->len += NLA_HDRLEN + NLA_ALIGN(len);
}

static const struct nlattr *find(const void *data, size_t len, uint16_t type)
{
	const uint8_t *at = data;

	while (len >= NLA_HDRLEN) {
		const struct nlattr *attr = (const struct nlattr *)at;
		size_t step = NLA_ALIGN(attr->nla_len);

		if (attr->nla_len < NLA_HDRLEN || attr->nla_len > len)
			break;
		if ((attr->nla_type & NLA_TYPE_MASK) == type)
			return attr;
		if (step >= len)
			break;
		at += step;
		len -= step;
	}
	return NULL;
}

static void text_read(struct door *d, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *ack = NLMSG_DATA(nlh);
	const struct nlattr *text;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	text = find(ack + 1, nlh->nlmsg_len - NLMSG_LENGTH(sizeof(*ack)),
		    NLMSGERR_ATTR_MSG);
	if (text)
		snprintf(d->text, sizeof(d->text), "%.*s",
			 (int)(text->nla_len - NLA_HDRLEN),
			 (const char *)(text + 1));
}

static void append(struct door_bytes *b, const void *data, size_t len)
{
	b->data = realloc(b->data, b->len + len);
	if (!b->data)
		door_die("memory");
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

/* One datagram. 1: the answer is complete; 0: it goes on; -errno. */
static int receive(struct door *d, struct door_bytes *got, int *answer)
{
	static _Thread_local uint8_t buf[DOOR_ROOM]
		__attribute__((__aligned__(8)));
	struct pollfd pollfd = { .fd = d->fd, .events = POLLIN };
	struct nlmsghdr *nlh = (struct nlmsghdr *)buf;
	ssize_t n;

	if (poll(&pollfd, 1, PATIENCE_MS) <= 0)
		return -ETIMEDOUT;
	n = recv(d->fd, buf, sizeof(buf), 0);
	if (n < 0)
		return -errno;
	for (; NLMSG_OK(nlh, n); nlh = NLMSG_NEXT(nlh, n)) {
		if (nlh->nlmsg_seq != d->seq)
			continue;
		if (nlh->nlmsg_type == NLMSG_ERROR) {
			*answer = ((struct nlmsgerr *)NLMSG_DATA(nlh))->error;
			text_read(d, nlh);
			return 1;
		}
		if (nlh->nlmsg_type == NLMSG_DONE) {
			*answer = *(int *)NLMSG_DATA(nlh);
			d->interrupted = nlh->nlmsg_flags & NLM_F_DUMP_INTR;
			return 1;
		}
		if (got && nlh->nlmsg_len > NLMSG_LENGTH(GENL_HDRLEN))
			append(got, (uint8_t *)nlh + NLMSG_LENGTH(GENL_HDRLEN),
			       nlh->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN));
	}
	return 0;
}

int door_send(struct door *d, struct door_message *m)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct nlmsghdr *nlh = (struct nlmsghdr *)m->buf;

	d->text[0] = '\0';
	d->interrupted = false;
	nlh->nlmsg_len = (uint32_t)m->len;
	nlh->nlmsg_seq = ++d->seq;
	return sendto(d->fd, m->buf, m->len, 0, (struct sockaddr *)&kernel,
		      sizeof(kernel)) < 0 ? -errno : 0;
}

int door_answer(struct door *d, struct door_bytes *got)
{
	int answer = 0, done = 0;

	while (!done)
		done = receive(d, got, &answer);
	return done < 0 ? done : answer;
}

int door_talk(struct door *d, struct door_message *m, struct door_bytes *got)
{
	int err = door_send(d, m);

	return err ? err : door_answer(d, got);
}

void door_bytes_clear(struct door_bytes *b)
{
	free(b->data);
	*b = (struct door_bytes){ 0 };
}

bool door_bytes_equal(const struct door_bytes *a, const struct door_bytes *b)
{
	return a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len));
}

const void *door_find(const struct door_bytes *got, uint16_t type, size_t *len)
{
	const struct nlattr *attr = find(got->data, got->len, type);

	if (!attr)
		return NULL;
	*len = attr->nla_len - NLA_HDRLEN;
	return attr + 1;
}

static void group_read(struct door *d, const struct nlattr *group)
{
	const void *data = group + 1;
	size_t len = group->nla_len - NLA_HDRLEN;
	const struct nlattr *name = find(data, len, CTRL_ATTR_MCAST_GRP_NAME);
	const struct nlattr *id = find(data, len, CTRL_ATTR_MCAST_GRP_ID);
	bool commits;

	if (!name || !id)
		return;
	commits = !strcmp((const char *)(name + 1), KNP_MCGRP_COMMITS);
	memcpy(&d->groups[commits ? DOOR_COMMITS : DOOR_EVENTS], id + 1, 4);
}

static int family_find(struct door *d)
{
	struct door_message m = { .len = 0 };
	struct door_bytes got = { 0 };
	const uint8_t *groups;
	const void *id;
	size_t len;
	int err;

	start(&m, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	door_put(&m, CTRL_ATTR_FAMILY_NAME, KNP_GENL_NAME,
		 sizeof(KNP_GENL_NAME));
	err = door_talk(d, &m, &got);
	if (err)
		goto out;
	id = door_find(&got, CTRL_ATTR_FAMILY_ID, &len);
	groups = door_find(&got, CTRL_ATTR_MCAST_GROUPS, &len);
	if (!id || !groups) {
		err = -EPROTO;
		goto out;
	}
	memcpy(&d->family, id, sizeof(d->family));
	while (len >= NLA_HDRLEN) {
		const struct nlattr *group = (const struct nlattr *)groups;
		size_t step = NLA_ALIGN(group->nla_len);

		group_read(d, group);
		if (step >= len)
			break;
		groups += step;
		len -= step;
	}
out:
	door_bytes_clear(&got);
	return err;
}

int door_open(struct door *d)
{
	int err = socket_open(d);

	if (!err)
		err = family_find(d);
	if (err)
		door_close(d);
	return err;
}

int door_join(struct door *d, unsigned int group)
{
	return setsockopt(d->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
			  &d->groups[group], sizeof(d->groups[group])) ?
	       -errno : 0;
}

int door_command(struct door *d, uint8_t cmd)
{
	struct door_message m;

	door_start(d, &m, cmd, 0);
	return door_talk(d, &m, NULL);
}

int door_generation(struct door *d, uint64_t *ret)
{
	struct door_bytes got = { 0 };
	struct door_message m;
	const void *value;
	size_t len;
	int err;

	door_start(d, &m, KNP_CMD_INFO, 0);
	err = door_talk(d, &m, &got);
	if (!err) {
		value = door_find(&got, KNP_A_GENERATION, &len);
		if (value)
			memcpy(ret, value, sizeof(*ret));
		else
			err = -EPROTO;
	}
	door_bytes_clear(&got);
	return err;
}

int door_begin(struct door *d)
{
	struct door_message m;
	uint64_t generation;
	int err;

	err = door_generation(d, &generation);
	if (err)
		return err;
	door_start(d, &m, KNP_CMD_BEGIN, 0);
	door_put(&m, KNP_A_GENERATION, &generation, sizeof(generation));
	return door_talk(d, &m, NULL);
}

int door_records(struct door *d, uint8_t cmd, uint32_t table, const void *recs,
		 size_t len)
{
	struct door_message m;

	door_start(d, &m, cmd, 0);
	door_put(&m, KNP_A_TABLE, &table, sizeof(table));
	door_put(&m, KNP_A_RECORDS, recs, len);
	return door_talk(d, &m, NULL);
}

int door_commit(struct door *d, uint64_t count)
{
	struct door_message m;

	door_start(d, &m, KNP_CMD_COMMIT, 0);
	door_put(&m, KNP_A_COUNT, &count, sizeof(count));
	return door_talk(d, &m, NULL);
}

int door_attach(struct door *d, uint32_t families)
{
	struct door_message m;

	door_start(d, &m, KNP_CMD_ATTACH, 0);
	door_put(&m, KNP_A_FAMILIES, &families, sizeof(families));
	return door_talk(d, &m, NULL);
}

int door_config(struct door *d, uint16_t type, uint8_t value)
{
	struct door_message m;

	door_start(d, &m, KNP_CMD_CONFIG, 0);
	door_put(&m, type, &value, sizeof(value));
	return door_talk(d, &m, NULL);
}

int door_dump(struct door *d, uint8_t cmd, struct door_bytes *got)
{
	struct door_message m;

	door_start(d, &m, cmd, NLM_F_DUMP);
	return door_talk(d, &m, got);
}

int door_explain(struct door *d, uint8_t family, const uint8_t *src,
		 const uint8_t *dst, uint16_t port, struct door_bytes *got)
{
	const uint8_t proto = 6;
	struct door_message m;

	door_start(d, &m, KNP_CMD_EXPLAIN, 0);
	door_put(&m, KNP_A_FAMILY, &family, sizeof(family));
	door_put(&m, KNP_A_SRC, src, KNP_ADDR_LEN);
	door_put(&m, KNP_A_DST, dst, KNP_ADDR_LEN);
	door_put(&m, KNP_A_PROTO, &proto, sizeof(proto));
	door_put(&m, KNP_A_PORT, &port, sizeof(port));
	return door_talk(d, &m, got);
}

int door_hear(struct door *d, int ms, void *buf, size_t room)
{
	struct pollfd pollfd = { .fd = d->fd, .events = POLLIN };
	ssize_t n;

	if (poll(&pollfd, 1, ms) <= 0)
		return 0;
	n = recv(d->fd, buf, room, MSG_DONTWAIT);
	return n < 0 ? -errno : (int)n;
}

static void address_add(int fd, const char *label, uint32_t ip)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	struct ifreq req = { 0 };

	sa.sin_addr.s_addr = htonl(ip);
	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", label);
	memcpy(&req.ifr_addr, &sa, sizeof(sa));
	if (ioctl(fd, SIOCSIFADDR, &req))
		door_die("address of %s", label);
}

void door_new_netns(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	if (unshare(CLONE_NEWNET))
		door_die("network namespace");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo))
		door_die("loopback");
	address_add(fd, "lo:1", 0x0a000001);
	address_add(fd, "lo:2", 0x0a000002);
	address_add(fd, "lo:3", 0x0a010001);
	close(fd);
}
