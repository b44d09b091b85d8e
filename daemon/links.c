// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <event2/event.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "links.h"
#include "numbers.h"
#include "ruleset.h"

#define LINKS_MS	20
#define BUFFER_SIZE	(1 << 20)
/* A dump that changes meanwhile is read again. */
#define TRIES		10

/**
 * struct knp_links - who listens
 * @sock: in the groups of links and routes
 * @timer: @changed is due
 * @told_ns: when it was called last
 */
struct knp_links {
	struct nl_sock *sock;
	struct event *readable;
	struct event *timer;
	int64_t told_ns;
	void (*changed)(void *arg);
	void *arg;
};

/**
 * struct reading - what is being read
 * @all, @veths, @uplinks: uint32_t; of those whose other end is elsewhere; with
 *	a default route
 * @hosts: struct knp_bound, by routes of one address
 * @ports: uint32_t, of bridges, those of @veths
 */
struct reading {
	struct knp_recs all;
	struct knp_recs veths;
	struct knp_recs hosts;
	struct knp_recs ports;
	struct knp_recs uplinks;
	int err;
};

/* libnl numbers errors its own way. */
static int error_of(int nl)
{
	switch (-nl) {
	case NLE_SUCCESS:
		return 0;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_DUMP_INTR:
	case NLE_AGAIN:
		return -EAGAIN;
	case NLE_PERM:
		return -EPERM;
	default:
		return -EIO;
	}
}

static void note(struct reading *r, struct knp_recs *recs, uint32_t ifindex)
{
	if (!knp_recs_add(recs, &ifindex))
		r->err = -ENOMEM;
}

static void note_host(struct reading *r, const struct rtmsg *rt,
		      struct nlattr *attr[RTA_MAX + 1])
{
	struct knp_bound bound = {
		.ip.family = rt->rtm_family,
		.ifindex = nla_get_u32(attr[RTA_OIF]),
	};

	if (!attr[RTA_DST] || (size_t)nla_len(attr[RTA_DST]) > sizeof(bound.ip.b))
		return;
	memcpy(bound.ip.b, nla_data(attr[RTA_DST]),
	       (size_t)nla_len(attr[RTA_DST]));
	if (!knp_recs_add(&r->hosts, &bound))
		r->err = -ENOMEM;
}

/* What kind of link it is, or of what kind of master a port. */
static bool is_kind(const struct nlattr *linkinfo, int which, const char *kind)
{
	struct nlattr *info[IFLA_INFO_MAX + 1];

	return linkinfo &&
	       !nla_parse_nested(info, IFLA_INFO_MAX,
				 (struct nlattr *)linkinfo, NULL) &&
	       info[which] && !nla_strcmp(info[which], kind);
}

/* A veth whose other end is in another network namespace. */
static bool leads_away(struct nlattr *attr[IFLA_MAX + 1])
{
	return attr[IFLA_LINK_NETNSID] &&
	       is_kind(attr[IFLA_LINKINFO], IFLA_INFO_KIND, "veth");
}

bool knp_links_is_port(const struct nlattr *linkinfo)
{
	return is_kind(linkinfo, IFLA_INFO_SLAVE_KIND, "bridge");
}

static int on_link(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct nlattr *attr[IFLA_MAX + 1];
	const struct ifinfomsg *info;
	struct reading *r = arg;

	if (nlh->nlmsg_type != RTM_NEWLINK ||
	    nlmsg_parse(nlh, sizeof(*info), attr, IFLA_MAX, NULL))
		return NL_OK;
	info = nlmsg_data(nlh);
	note(r, &r->all, (uint32_t)info->ifi_index);
	if (!leads_away(attr))
		return NL_OK;
	note(r, &r->veths, (uint32_t)info->ifi_index);
	if (knp_links_is_port(attr[IFLA_LINKINFO]))
		note(r, &r->ports, (uint32_t)info->ifi_index);
	return NL_OK;
}

/* A unicast route without a gateway, of one address or of all. */
static bool is_direct(struct nlmsghdr *nlh, struct nlattr *attr[RTA_MAX + 1])
{
	const struct rtmsg *rt = nlmsg_data(nlh);

	if (nlmsg_parse(nlh, sizeof(*rt), attr, RTA_MAX, NULL))
		return false;
	return rt->rtm_type == RTN_UNICAST && !(rt->rtm_flags & RTM_F_CLONED) &&
	       !attr[RTA_GATEWAY] && !attr[RTA_VIA] &&
	       rt->rtm_dst_len == (rt->rtm_family == AF_INET ? 32 : 128);
}

static int on_route(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct nlattr *attr[RTA_MAX + 1];
	const struct rtmsg *rt;
	struct reading *r = arg;

	if (nlh->nlmsg_type != RTM_NEWROUTE ||
	    nlmsg_parse(nlh, sizeof(*rt), attr, RTA_MAX, NULL) ||
	    !attr[RTA_OIF])
		return NL_OK;
	rt = nlmsg_data(nlh);
	if (is_direct(nlh, attr))
		note_host(r, rt, attr);
	else if (!rt->rtm_dst_len && rt->rtm_type == RTN_UNICAST)
		note(r, &r->uplinks, nla_get_u32(attr[RTA_OIF]));
	return NL_OK;
}

static int dump(struct nl_sock *sock, int type, void *header, size_t len,
		nl_recvmsg_msg_cb_t fn, struct reading *r)
{
	int err;

	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, fn, r);
	err = nl_send_simple(sock, type, NLM_F_DUMP, header, len);
	if (err >= 0)
		err = nl_recvmsgs_default(sock);
	return err < 0 ? error_of(err) : r->err;
}

static int read_all(struct nl_sock *sock, struct reading *r)
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct rtmsg route4 = { .rtm_family = AF_INET };
	struct rtmsg route6 = { .rtm_family = AF_INET6 };
	int err;

	err = dump(sock, RTM_GETLINK, &link, sizeof(link), on_link, r);
	if (!err)
		err = dump(sock, RTM_GETROUTE, &route4, sizeof(route4),
			   on_route, r);
	if (!err)
		err = dump(sock, RTM_GETROUTE, &route6, sizeof(route6),
			   on_route, r);
	return err;
}

static void sort(struct knp_recs *recs)
{
	if (recs->n > 1)
		qsort(recs->v, recs->n, recs->size, knp_by_number);
}

static bool has(const struct knp_recs *recs, uint32_t ifindex)
{
	return recs->n && bsearch(&ifindex, recs->v, recs->n, recs->size,
				  knp_by_number);
}

/* @hosts becomes what leads to pods, @pods the interfaces that do. */
static int choose(struct reading *r, struct knp_recs *pods)
{
	const uint32_t *ports = r->ports.v;
	struct knp_bound *v = r->hosts.v;
	uint32_t *unique = NULL;
	size_t n = 0;

	sort(&r->all);
	sort(&r->veths);
	sort(&r->uplinks);
	for (size_t i = 0; i < r->hosts.n; i++) {
		if (!has(&r->veths, v[i].ifindex) ||
		    has(&r->uplinks, v[i].ifindex))
			continue;
		v[n++] = v[i];
		if (!knp_recs_add(pods, &v[i].ifindex))
			return -ENOMEM;
	}
	r->hosts.n = n;
	for (size_t i = 0; i < r->ports.n; i++)
		if (!has(&r->uplinks, ports[i]) &&
		    !knp_recs_add(pods, &ports[i]))
			return -ENOMEM;
	sort(pods);
	unique = pods->v;
	n = 0;
	for (size_t i = 0; i < pods->n; i++)
		if (!n || unique[i] != unique[n - 1])
			unique[n++] = unique[i];
	pods->n = n;
	return 0;
}

static void reading_clear(struct reading *r)
{
	free(r->all.v);
	free(r->veths.v);
	free(r->hosts.v);
	free(r->ports.v);
	free(r->uplinks.v);
}

static int read_once(struct reading *r)
{
	struct nl_sock *sock = nl_socket_alloc();
	int err;

	*r = (struct reading){
		.all.size = sizeof(uint32_t),
		.veths.size = sizeof(uint32_t),
		.hosts.size = sizeof(struct knp_bound),
		.ports.size = sizeof(uint32_t),
		.uplinks.size = sizeof(uint32_t),
	};
	if (!sock)
		return -ENOMEM;
	err = error_of(nl_connect(sock, NETLINK_ROUTE));
	if (!err)
		err = read_all(sock, r);
	nl_socket_free(sock);
	return err;
}

int knp_links_read(struct knp_links_view *ret)
{
	struct knp_recs pods = { .size = sizeof(uint32_t) };
	struct reading r;
	int err = -EAGAIN;

	for (int i = 0; i < TRIES && err == -EAGAIN; i++) {
		err = read_once(&r);
		if (err)
			reading_clear(&r);
	}
	if (err)
		return err;
	err = choose(&r, &pods);
	if (err) {
		free(pods.v);
		reading_clear(&r);
		return err;
	}
	free(r.veths.v);
	free(r.ports.v);
	free(r.uplinks.v);
	*ret = (struct knp_links_view){
		.all = r.all.v,
		.nall = r.all.n,
		.pods = pods.v,
		.npods = pods.n,
		.bounds = r.hosts.v,
		.nbounds = r.hosts.n,
	};
	return 0;
}

void knp_links_clear(struct knp_links_view *view)
{
	free(view->all);
	free(view->pods);
	free(view->bounds);
	*view = (struct knp_links_view){ 0 };
}

/* ---- notifications ------------------------------------------------------- */

static void tell_soon(struct knp_links *l)
{
	int64_t ms = (knp_now_ns() - l->told_ns) / 1000000;
	struct timeval tv = { 0 };

	if (evtimer_pending(l->timer, NULL))
		return;
	if (ms < LINKS_MS)
		tv.tv_usec = (suseconds_t)(LINKS_MS - ms) * 1000;
	evtimer_add(l->timer, &tv);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct knp_links *l = arg;

	(void)fd;
	(void)what;
	l->told_ns = knp_now_ns();
	l->changed(l->arg);
}

static int on_message(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct nlattr *link[IFLA_MAX + 1];
	struct nlattr *route[RTA_MAX + 1];

	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
		if (!nlmsg_parse(nlh, sizeof(struct ifinfomsg), link, IFLA_MAX,
				 NULL) && leads_away(link) &&
		    knp_links_is_port(link[IFLA_LINKINFO]))
			tell_soon(arg);
		break;
	case RTM_DELLINK:
		tell_soon(arg);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		if (is_direct(nlh, route))
			tell_soon(arg);
		break;
	}
	return NL_OK;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct knp_links *l = arg;
	int err;

	(void)fd;
	(void)what;
	do
		err = nl_recvmsgs_default(l->sock);
	while (!err);
	/* Messages were lost, or cannot be read: look at everything. */
	if (err != -NLE_AGAIN)
		tell_soon(l);
}

static int listen_to(struct knp_links *l)
{
	int err;

	l->sock = nl_socket_alloc();
	if (!l->sock)
		return -ENOMEM;
	nl_socket_disable_seq_check(l->sock);
	nl_socket_modify_cb(l->sock, NL_CB_VALID, NL_CB_CUSTOM, on_message, l);
	err = error_of(nl_connect(l->sock, NETLINK_ROUTE));
	if (!err)
		err = error_of(nl_socket_add_memberships(l->sock, RTNLGRP_LINK,
							 RTNLGRP_IPV4_ROUTE,
							 RTNLGRP_IPV6_ROUTE,
							 0));
	if (!err)
		err = error_of(nl_socket_set_nonblocking(l->sock));
	if (!err)
		err = error_of(nl_socket_set_buffer_size(l->sock, BUFFER_SIZE,
							 0));
	return err;
}

int knp_links_open(struct event_base *base, void (*changed)(void *arg),
		   void *arg, struct knp_links **ret)
{
	struct knp_links *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return -ENOMEM;
	l->changed = changed;
	l->arg = arg;
	err = listen_to(l);
	if (err)
		goto failed;
	err = -ENOMEM;
	l->readable = event_new(base, nl_socket_get_fd(l->sock),
				EV_READ | EV_PERSIST, on_readable, l);
	l->timer = evtimer_new(base, on_timer, l);
	if (!l->readable || !l->timer || event_add(l->readable, NULL))
		goto failed;
	*ret = l;
	return 0;

failed:
	knp_links_close(l);
	return err;
}

void knp_links_close(struct knp_links *l)
{
	if (!l)
		return;
	if (l->readable)
		event_free(l->readable);
	if (l->timer)
		event_free(l->timer);
	nl_socket_free(l->sock);
	free(l);
}
