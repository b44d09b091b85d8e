// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <event2/event.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "links.h"
#include "log.h"
#include "ruleset.h"
#include "uncovered.h"

#define UNCOVERED_MS	5000
#define BR_NETFILTER	"/proc/sys/net/bridge"

/* enum bpf_attach_type; the headers may be older than the kernel */
#define TCX_INGRESS	46
#define TCX_EGRESS	47

/* struct lines - texts, of allocated memory, and how many are of each kind */
struct lines {
	char **v;
	size_t n;
	size_t kinds[KNP_UNCOVERED_KINDS];
	int err;
};

/**
 * struct looking - one look at everything
 * @links: uint32_t, all interfaces
 * @queued: uint32_t, those with a queue for filters
 * @suspects: of addresses; named if they were there the last time, too
 * @blind: nobody shows what passes between ports
 * @oif: an answer about a route
 * @filtered: how many programs a dump of filters had
 */
struct looking {
	const struct knp_uncovered *u;
	struct lines found;
	struct lines suspects;
	struct knp_recs links;
	struct knp_recs queued;
	bool blind;
	uint32_t oif;
	uint32_t filtered;
};

struct knp_uncovered {
	struct knp_uncovered_options options;
	struct event *timer;
	struct lines lines;
	struct lines suspects;
	void (*changed)(void *arg);
	void *arg;
};

/* ---- lines ---------------------------------------------------------------- */

static void lines_clear(struct lines *l)
{
	while (l->n)
		free(l->v[--l->n]);
	free(l->v);
	*l = (struct lines){ 0 };
}

__attribute__((format(printf, 3, 4)))
static void add(struct lines *l, enum knp_uncovered_kind kind,
		const char *format, ...)
{
	char **v = realloc(l->v, (l->n + 1) * sizeof(*v));
	va_list ap;
	int n;

	if (!v) {
		l->err = -ENOMEM;
		return;
	}
	l->v = v;
	va_start(ap, format);
	n = vasprintf(&v[l->n], format, ap);
	va_end(ap);
	if (n < 0) {
		l->err = -ENOMEM;
		return;
	}
	l->n++;
	l->kinds[kind]++;
}

static bool has(const struct lines *l, const char *text)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->v[i], text))
			return true;
	return false;
}

static const char *name_of(uint32_t ifindex, char name[IF_NAMESIZE])
{
	return if_indextoname(ifindex, name) ? name : "an interface that is gone";
}

/* ---- netlink -------------------------------------------------------------- */

static int ask(int protocol, int type, int flags, void *header, size_t len,
	       nl_recvmsg_msg_cb_t fn, struct looking *k)
{
	struct nl_sock *sock = nl_socket_alloc();
	int err;

	if (!sock)
		return -ENOMEM;
	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, fn, k);
	err = nl_connect(sock, protocol);
	if (!err)
		err = nl_send_simple(sock, type, flags, header, len);
	if (err >= 0)
		err = nl_recvmsgs_default(sock);
	nl_socket_free(sock);
	return err;
}

static void note(struct looking *k, struct knp_recs *recs, uint32_t ifindex)
{
	if (!knp_recs_add(recs, &ifindex))
		k->found.err = -ENOMEM;
}

static bool is_pods(const struct looking *k, uint32_t ifindex)
{
	const struct knp_store *store = k->u->options.store;

	for (size_t i = 0; i < store->nifaces; i++)
		if (store->ifaces[i] == ifindex)
			return true;
	return false;
}

/* ---- programs ------------------------------------------------------------- */

static bool has_xdp(const struct nlattr *attr)
{
	struct nlattr *xdp[IFLA_XDP_MAX + 1];

	return attr &&
	       !nla_parse_nested(xdp, IFLA_XDP_MAX, (struct nlattr *)attr,
				 NULL) &&
	       xdp[IFLA_XDP_ATTACHED] &&
	       nla_get_u8(xdp[IFLA_XDP_ATTACHED]) != XDP_ATTACHED_NONE;
}

static void on_bridge_port(struct looking *k, uint32_t bridge)
{
	char name[IF_NAMESIZE], *line;

	if (asprintf(&line, "bridge %s: frames between its ports pass no hook; needs knpd --families ipv4,ipv6,bridge",
		     name_of(bridge, name)) < 0) {
		k->found.err = -ENOMEM;
		return;
	}
	if (!has(&k->found, line))
		add(&k->found, KNP_UNCOVERED_BRIDGE, "%s", line);
	free(line);
}

static int sysctl_of(const char *dir, const char *name)
{
	int value = 0;
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%d", &value) != 1)
		value = 0;
	fclose(f);
	return value;
}

bool knp_uncovered_shows(const char *dir)
{
	return sysctl_of(dir, "bridge-nf-call-iptables") &&
	       sysctl_of(dir, "bridge-nf-call-ip6tables");
}

static int on_link(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct nlattr *attr[IFLA_MAX + 1];
	const struct ifinfomsg *info;
	struct looking *k = arg;
	char name[IF_NAMESIZE];
	uint32_t ifindex;

	if (nlh->nlmsg_type != RTM_NEWLINK ||
	    nlmsg_parse(nlh, sizeof(*info), attr, IFLA_MAX, NULL))
		return NL_OK;
	info = nlmsg_data(nlh);
	ifindex = (uint32_t)info->ifi_index;
	note(k, &k->links, ifindex);
	if (has_xdp(attr[IFLA_XDP]))
		add(&k->found, KNP_UNCOVERED_XDP,
		    "XDP program at %s: what it redirects passes no hook",
		    name_of(ifindex, name));
	if (k->blind && attr[IFLA_MASTER] && is_pods(k, ifindex) &&
	    knp_links_is_port(attr[IFLA_LINKINFO]))
		on_bridge_port(k, nla_get_u32(attr[IFLA_MASTER]));
	return NL_OK;
}

static void found_program(struct looking *k, const char *kind, uint32_t ifindex,
			  const char *direction)
{
	char name[IF_NAMESIZE];

	add(&k->found, KNP_UNCOVERED_TC,
	    "%s program at %s, %s: what it redirects passes no hook", kind,
	    name_of(ifindex, name), direction);
}

/* BPF programs that are links, from kernel 6.6; others say EINVAL. */
static bool has_tcx(uint32_t ifindex, uint32_t where)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = ifindex;
	attr.query.attach_type = where;
	return !syscall(__NR_bpf, BPF_PROG_QUERY, &attr, sizeof(attr)) &&
	       attr.query.prog_cnt;
}

static int on_qdisc(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct nlattr *attr[TCA_MAX + 1];
	const struct tcmsg *tc;
	struct looking *k = arg;

	if (nlmsg_parse(nlh, sizeof(*tc), attr, TCA_MAX, NULL) ||
	    !attr[TCA_KIND])
		return NL_OK;
	tc = nlmsg_data(nlh);
	if (!nla_strcmp(attr[TCA_KIND], "clsact") ||
	    !nla_strcmp(attr[TCA_KIND], "ingress"))
		note(k, &k->queued, (uint32_t)tc->tcm_ifindex);
	return NL_OK;
}

static int on_filter(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct nlattr *attr[TCA_MAX + 1];
	struct looking *k = arg;

	if (!nlmsg_parse(nlh, sizeof(struct tcmsg), attr, TCA_MAX, NULL) &&
	    attr[TCA_KIND] && !nla_strcmp(attr[TCA_KIND], "bpf"))
		k->filtered++;
	return NL_OK;
}

static void look_at_filters(struct looking *k, uint32_t ifindex, uint32_t which,
			    const char *direction)
{
	struct tcmsg tc = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = (int)ifindex,
		.tcm_parent = TC_H_MAKE(TC_H_CLSACT, which),
	};

	k->filtered = 0;
	ask(NETLINK_ROUTE, RTM_GETTFILTER, NLM_F_DUMP, &tc, sizeof(tc),
	    on_filter, k);
	if (k->filtered)
		found_program(k, "tc BPF", ifindex, direction);
}

static void look_at_programs(struct looking *k)
{
	const uint32_t *v = k->links.v;

	for (size_t i = 0; i < k->links.n; i++) {
		if (has_tcx(v[i], TCX_INGRESS))
			found_program(k, "tcx BPF", v[i], "ingress");
		if (has_tcx(v[i], TCX_EGRESS))
			found_program(k, "tcx BPF", v[i], "egress");
	}
	v = k->queued.v;
	for (size_t i = 0; i < k->queued.n; i++) {
		look_at_filters(k, v[i], TC_H_MIN_INGRESS, "ingress");
		look_at_filters(k, v[i], TC_H_MIN_EGRESS, "egress");
	}
}

/* ---- flowtables ----------------------------------------------------------- */

static const char *table_family(uint8_t family)
{
	switch (family) {
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	default:
		return "inet";
	}
}

static int on_flowtable(struct nl_msg *msg, void *arg)
{
	struct nlattr *attr[NFTA_FLOWTABLE_MAX + 1];
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	const struct nfgenmsg *nf;
	struct looking *k = arg;

	if (nlmsg_parse(nlh, sizeof(*nf), attr, NFTA_FLOWTABLE_MAX, NULL) ||
	    !attr[NFTA_FLOWTABLE_TABLE] || !attr[NFTA_FLOWTABLE_NAME])
		return NL_OK;
	nf = nlmsg_data(nlh);
	add(&k->found, KNP_UNCOVERED_FLOWTABLE,
	    "flowtable %s in table %s %s: what it offloads passes no hook",
	    nla_get_string(attr[NFTA_FLOWTABLE_NAME]),
	    table_family(nf->nfgen_family),
	    nla_get_string(attr[NFTA_FLOWTABLE_TABLE]));
	return NL_OK;
}

/* ---- addresses ------------------------------------------------------------ */

static int on_route(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct nlattr *attr[RTA_MAX + 1];
	struct looking *k = arg;

	if (!nlmsg_parse(nlh, sizeof(struct rtmsg), attr, RTA_MAX, NULL) &&
	    attr[RTA_OIF])
		k->oif = nla_get_u32(attr[RTA_OIF]);
	return NL_OK;
}

/* Where a packet to an address would leave, 0: nowhere. */
static uint32_t interface_to(struct looking *k, const struct knp_ip *ip)
{
	size_t len = ip->family == AF_INET ? 4 : 16;
	struct {
		struct rtmsg rt;
		struct nlattr attr;
		uint8_t addr[16];
	} request = {
		.rt = {
			.rtm_family = ip->family,
			.rtm_dst_len = (unsigned char)(len * 8),
		},
		.attr = {
			.nla_len = (uint16_t)(NLA_HDRLEN + len),
			.nla_type = RTA_DST,
		},
	};

	memcpy(request.addr, ip->b, len);
	k->oif = 0;
	if (ask(NETLINK_ROUTE, RTM_GETROUTE, 0, &request,
		sizeof(request) - sizeof(request.addr) + len, on_route, k) < 0)
		return 0;
	return k->oif;
}

static bool is_bridge(uint32_t ifindex)
{
	char path[64], name[IF_NAMESIZE];

	snprintf(path, sizeof(path), "/sys/class/net/%s/bridge",
		 name_of(ifindex, name));
	return !access(path, F_OK);
}

static void look_at_address(struct looking *k, const struct knp_pod *pod,
			    const struct knp_ip *ip)
{
	uint32_t oif = interface_to(k, ip);
	char name[IF_NAMESIZE], text[46];

	if (!oif || is_pods(k, oif) || is_bridge(oif))
		return;
	add(&k->suspects, KNP_UNCOVERED_ADDRESS,
	    "%s/%s: %s is behind %s, no pod's interface (macvlan, ipvlan, SR-IOV?)",
	    pod->ns, pod->name, knp_ip_format(ip, text), name_of(oif, name));
}

static void look_at_pods(struct looking *k)
{
	const struct knp_uncovered_options *o = &k->u->options;

	for (size_t i = 0; i < o->store->npods; i++) {
		const struct knp_pod *pod = o->store->pods[i];

		if (pod->host_network || pod->terminal ||
		    strcmp(pod->node, o->node) != 0)
			continue;
		for (uint32_t j = 0; j < pod->nips; j++)
			look_at_address(k, pod, &pod->ips[j]);
	}
	for (size_t i = 0; i < k->suspects.n; i++)
		if (has(&k->u->suspects, k->suspects.v[i]))
			add(&k->found, KNP_UNCOVERED_ADDRESS, "%s",
			    k->suspects.v[i]);
}

/* Interfaces of pods, and no pod: this node has another name. */
static void look_at_node(struct looking *k)
{
	const struct knp_uncovered_options *o = &k->u->options;

	if (!o->store->nifaces || !o->store->npods)
		return;
	for (size_t i = 0; i < o->store->npods; i++)
		if (!strcmp(o->store->pods[i]->node, o->node))
			return;
	add(&k->found, KNP_UNCOVERED_NODE,
	    "node %s: there are pods here, and none is on a node of this name; needs another knpd --node?",
	    o->node);
}

/* ---- all of it ------------------------------------------------------------ */

static void look(struct looking *k)
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct tcmsg tc = { .tcm_family = AF_UNSPEC };
	struct nfgenmsg nf = { .nfgen_family = AF_UNSPEC };

	k->blind = !k->u->options.bridges && !knp_uncovered_shows(BR_NETFILTER);
	ask(NETLINK_ROUTE, RTM_GETLINK, NLM_F_DUMP, &link, sizeof(link),
	    on_link, k);
	ask(NETLINK_ROUTE, RTM_GETQDISC, NLM_F_DUMP, &tc, sizeof(tc), on_qdisc,
	    k);
	look_at_programs(k);
	ask(NETLINK_NETFILTER, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETFLOWTABLE,
	    NLM_F_DUMP, &nf, sizeof(nf), on_flowtable, k);
	look_at_pods(k);
	look_at_node(k);
}

/* Say what is new and what is over. */
static bool differs(const struct lines *old, const struct lines *new)
{
	bool changed = false;

	for (size_t i = 0; i < new->n; i++)
		if (!has(old, new->v[i])) {
			knp_log(KNP_LOG_WARNING, "uncovered: %s", new->v[i]);
			changed = true;
		}
	for (size_t i = 0; i < old->n; i++)
		if (!has(new, old->v[i])) {
			knp_log(KNP_LOG_NOTICE, "covered again: %s", old->v[i]);
			changed = true;
		}
	return changed;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct knp_uncovered *u = arg;
	struct looking k = {
		.u = u,
		.links.size = sizeof(uint32_t),
		.queued.size = sizeof(uint32_t),
	};
	bool changed = false;

	(void)fd;
	(void)what;
	look(&k);
	if (!k.found.err && !k.suspects.err) {
		changed = differs(&u->lines, &k.found);
		lines_clear(&u->lines);
		lines_clear(&u->suspects);
		u->lines = k.found;
		u->suspects = k.suspects;
	} else {
		lines_clear(&k.found);
		lines_clear(&k.suspects);
	}
	free(k.links.v);
	free(k.queued.v);
	if (changed)
		u->changed(u->arg);
}

int knp_uncovered_open(struct event_base *base,
		       const struct knp_uncovered_options *options,
		       void (*changed)(void *arg), void *arg,
		       struct knp_uncovered **ret)
{
	struct timeval tv = { .tv_sec = UNCOVERED_MS / 1000 };
	struct knp_uncovered *u = calloc(1, sizeof(*u));

	if (!u)
		return -ENOMEM;
	u->options = *options;
	u->changed = changed;
	u->arg = arg;
	u->timer = event_new(base, -1, EV_PERSIST, on_timer, u);
	if (!u->timer || event_add(u->timer, &tv)) {
		knp_uncovered_close(u);
		return -ENOMEM;
	}
	*ret = u;
	return 0;
}

void knp_uncovered_close(struct knp_uncovered *u)
{
	if (!u)
		return;
	if (u->timer)
		event_free(u->timer);
	lines_clear(&u->lines);
	lines_clear(&u->suspects);
	free(u);
}

size_t knp_uncovered_lines(const struct knp_uncovered *u,
			   const char *const **ret)
{
	if (!u)
		return 0;
	*ret = (const char *const *)u->lines.v;
	return u->lines.n;
}

size_t knp_uncovered_count(const struct knp_uncovered *u,
			   enum knp_uncovered_kind kind)
{
	return u ? u->lines.kinds[kind] : 0;
}

const char *knp_uncovered_name(enum knp_uncovered_kind kind)
{
	static const char * const names[KNP_UNCOVERED_KINDS] = {
		[KNP_UNCOVERED_XDP]	  = "xdp",
		[KNP_UNCOVERED_TC]	  = "tc",
		[KNP_UNCOVERED_FLOWTABLE] = "flowtable",
		[KNP_UNCOVERED_BRIDGE]	  = "bridge",
		[KNP_UNCOVERED_ADDRESS]	  = "address",
		[KNP_UNCOVERED_NODE]	  = "node",
	};

	return names[kind];
}
