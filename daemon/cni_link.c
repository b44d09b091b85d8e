// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/socket.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "cni_conf.h"
#include "cni_link.h"

static int open_here(struct nl_sock **ret)
{
	struct nl_sock *sock = nl_socket_alloc();

	if (!sock)
		return -ENOMEM;
	if (nl_connect(sock, NETLINK_ROUTE)) {
		nl_socket_free(sock);
		return -EIO;
	}
	*ret = sock;
	return 0;
}

/* A socket stays in the namespace in which it was made. */
static int open_in(const char *netns, struct nl_sock **ret)
{
	int there = open(netns, O_RDONLY | O_CLOEXEC);
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int err = 0;

	if (there < 0 || here < 0)
		err = -errno;
	if (!err && setns(there, CLONE_NEWNET))
		err = -errno;
	if (!err) {
		err = open_here(ret);
		if (setns(here, CLONE_NEWNET) && !err) {
			err = -errno;
			nl_socket_free(*ret);
		}
	}
	if (there >= 0)
		close(there);
	if (here >= 0)
		close(here);
	return err;
}

static int veth_of(struct nl_sock *sock, const char *ifname,
		   struct rtnl_link **ret)
{
	struct rtnl_link *link;
	const char *type;
	int err;

	err = rtnl_link_get_kernel(sock, 0, ifname, &link);
	if (err)
		return err == -NLE_OBJ_NOTFOUND || err == -NLE_NODEV ?
		       -ENODEV : -EIO;
	type = rtnl_link_get_type(link);
	if (!type || strcmp(type, "veth")) {
		rtnl_link_put(link);
		return -EOPNOTSUPP;
	}
	*ret = link;
	return 0;
}

static int ask_pod(const char *netns, const char *ifname, uint32_t *ret)
{
	struct rtnl_link *link;
	struct nl_sock *sock = NULL;
	int err;

	err = open_in(netns, &sock);
	if (err)
		return err;
	err = veth_of(sock, ifname, &link);
	if (!err) {
		*ret = (uint32_t)rtnl_link_get_link(link);
		rtnl_link_put(link);
	}
	nl_socket_free(sock);
	return err;
}

/* The last interface without a sandbox that is a veth: bridges come before. */
static int ask_prev(struct json_object *prev, uint32_t *ret)
{
	struct json_object *interfaces = NULL, *entry;
	struct rtnl_link *link;
	struct nl_sock *sock = NULL;
	int err;

	if (!json_object_object_get_ex(prev, "interfaces", &interfaces) ||
	    !json_object_is_type(interfaces, json_type_array))
		return -ENODEV;
	err = open_here(&sock);
	if (err)
		return err;
	err = -ENODEV;
	for (size_t i = json_object_array_length(interfaces); err && i--;) {
		entry = json_object_array_get_idx(interfaces, i);
		if (*knp_cni_text(entry, "sandbox"))
			continue;
		err = veth_of(sock, knp_cni_text(entry, "name"), &link);
		if (err)
			continue;
		*ret = (uint32_t)rtnl_link_get_ifindex(link);
		rtnl_link_put(link);
	}
	nl_socket_free(sock);
	return err;
}

int knp_cni_link(const char *netns, const char *ifname,
		 struct json_object *prev, uint32_t *ret)
{
	uint32_t ifindex = 0;
	int err;

	err = ask_pod(netns, ifname, &ifindex);
	if (err && err != -EOPNOTSUPP && !ask_prev(prev, &ifindex))
		err = 0;
	if (err && err != -EOPNOTSUPP)
		return err;
	*ret = ifindex;
	return 0;
}
