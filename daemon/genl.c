// SPDX-License-Identifier: Apache-2.0
#include "genl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <linux/genetlink.h>
#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#define TIMEOUT_S	30
#define RECV_SIZE	(64 * 1024)
#define SEND_BUFFER	(1 << 20)
#define WATCH_BUFFER	(4 << 20)
#define DUMP_TRIES	8

/*
 * What to do with each answer; returns 0 or -errno, which ends up as the
 * request's result after the kernel's last message was read.
 */
typedef int (*answer_fn)(struct nlmsghdr *nlh, void *arg);

struct knp_genl {
	struct nl_sock *sk;
	struct nl_cb *cb;
	uint16_t family;
	/* the request on its way */
	answer_fn answer;
	void *arg;
	int err;
	bool done;
	bool refused;
	bool interrupted;
	char text[256];
};

struct knp_watch {
	struct nl_sock *sk;
	struct nl_cb *cb;
	const struct knp_watch_ops *ops;
	void *arg;
	uint16_t family;
};

static int nl_errno(int nlerr)
{
	switch (nlerr < 0 ? -nlerr : nlerr) {
	case NLE_SUCCESS:
		return 0;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_OBJ_NOTFOUND:
		return -ENOENT;
	case NLE_AGAIN:
		return -ETIMEDOUT;
	case NLE_MSG_TRUNC:
	case NLE_MSG_TOOSHORT:
	case NLE_PARSE_ERR:
		return -EBADMSG;
	case NLE_PROTO_MISMATCH:
	case NLE_AF_NOSUPPORT:
		return -EPROTONOSUPPORT;
	default:
		return -EIO;
	}
}

/* Family or group number; a socket of its own keeps answers apart. */
static int resolve(const char *family, const char *group)
{
	struct nl_sock *sk = nl_socket_alloc();
	int ret;

	if (!sk)
		return -ENOMEM;

	ret = genl_connect(sk);
	if (!ret && group)
		ret = genl_ctrl_resolve_grp(sk, family, group);
	else if (!ret)
		ret = genl_ctrl_resolve(sk, family);
	nl_socket_free(sk);

	return ret < 0 ? nl_errno(ret) : ret;
}

/* The extack text behind an error or the end of a dump. */
static void keep_text(struct knp_genl *g, struct nlmsghdr *nlh, size_t skip)
{
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1];
	size_t len = nlh->nlmsg_len - NLMSG_HDRLEN;
	struct nlattr *head;

	skip = NLMSG_ALIGN(skip);
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) || skip >= len)
		return;

	head = (struct nlattr *)((char *)NLMSG_DATA(nlh) + skip);
	if (nla_parse(tb, NLMSGERR_ATTR_MAX, head, (int)(len - skip), NULL))
		return;

	if (tb[NLMSGERR_ATTR_MSG])
		nla_strlcpy(g->text, tb[NLMSGERR_ATTR_MSG], sizeof(g->text));
}

static int on_valid(struct nl_msg *msg, void *arg)
{
	struct knp_genl *g = arg;
	int err;

	if (g->answer) {
		err = g->answer(nlmsg_hdr(msg), g->arg);
		if (err && !g->err)
			g->err = err;
	}

	return NL_OK;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
	struct knp_genl *g = arg;

	(void)msg;
	g->done = true;
	return NL_STOP;
}

static int on_finish(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct knp_genl *g = arg;
	int32_t err = 0;

	if (nlmsg_datalen(nlh) >= (int)sizeof(err))
		memcpy(&err, nlmsg_data(nlh), sizeof(err));
	if (err < 0) {
		keep_text(g, nlh, sizeof(err));
		g->refused = true;
		g->err = err;
	}

	g->done = true;
	return NL_STOP;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *e, void *arg)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)((char *)e - NLMSG_HDRLEN);
	struct knp_genl *g = arg;
	size_t skip = sizeof(*e);

	(void)from;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += e->msg.nlmsg_len - NLMSG_HDRLEN;

	keep_text(g, nlh, skip);
	g->refused = true;
	g->err = e->error;
	g->done = true;
	return NL_STOP;
}

static int on_interrupted(struct nl_msg *msg, void *arg)
{
	struct knp_genl *g = arg;

	(void)msg;
	g->interrupted = true;
	return NL_OK;
}

/* Send a request, consume it, and wait for the end of its answer. */
static int transact(struct knp_genl *g, struct nl_msg *msg, answer_fn answer,
		    void *arg)
{
	int ret;

	if (!msg)
		return -ENOMEM;

	g->answer = answer;
	g->arg = arg;
	g->err = 0;
	g->done = false;
	g->refused = false;
	g->interrupted = false;
	g->text[0] = '\0';

	ret = nl_send_auto(g->sk, msg);
	nlmsg_free(msg);

	while (ret >= 0 && !g->done)
		ret = nl_recvmsgs(g->sk, g->cb);

	return g->done ? g->err : nl_errno(ret);
}

static int set_option(struct nl_sock *sk, int level, int option, int value)
{
	if (setsockopt(nl_socket_get_fd(sk), level, option, &value,
		       sizeof(value)))
		return -errno;
	return 0;
}

static int configure(struct nl_sock *sk)
{
	struct timeval timeout = { .tv_sec = TIMEOUT_S };
	int fd = nl_socket_get_fd(sk);
	int err;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)))
		return -errno;

	err = set_option(sk, SOL_NETLINK, NETLINK_EXT_ACK, 1);
	if (!err)
		err = set_option(sk, SOL_NETLINK, NETLINK_CAP_ACK, 1);
	if (err)
		return err;

	/* Best effort: it needs privilege, and requests fit the default. */
	set_option(sk, SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER);
	return nl_errno(nl_socket_set_msg_buf_size(sk, RECV_SIZE));
}

static int connect_family(struct knp_genl *g)
{
	int ret;

	g->sk = nl_socket_alloc();
	g->cb = nl_cb_alloc(NL_CB_DEFAULT);
	if (!g->sk || !g->cb)
		return -ENOMEM;

	nl_cb_set(g->cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, g);
	nl_cb_set(g->cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, g);
	nl_cb_set(g->cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, g);
	nl_cb_set(g->cb, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_interrupted, g);
	nl_cb_err(g->cb, NL_CB_CUSTOM, on_error, g);

	ret = genl_connect(g->sk);
	if (ret)
		return nl_errno(ret);

	ret = configure(g->sk);
	if (ret)
		return ret;

	ret = resolve(KNP_GENL_NAME, NULL);
	if (ret < 0)
		return ret;

	g->family = (uint16_t)ret;
	return 0;
}

int knp_genl_open(struct knp_genl **ret)
{
	struct knp_genl *g = calloc(1, sizeof(*g));
	struct knp_info info;
	int err;

	if (!g)
		return -ENOMEM;

	err = connect_family(g);
	if (!err)
		err = knp_genl_info(g, &info);
	if (!err && info.abi != KNP_ABI_VERSION)
		err = -EPROTONOSUPPORT;
	if (err) {
		knp_genl_close(g);
		return err;
	}

	*ret = g;
	return 0;
}

void knp_genl_close(struct knp_genl *g)
{
	if (!g)
		return;

	nl_cb_put(g->cb);
	nl_socket_free(g->sk);
	free(g);
}

const char *knp_genl_text(const struct knp_genl *g)
{
	return g->text;
}

bool knp_genl_refused(const struct knp_genl *g)
{
	return g->refused;
}

const char *knp_genl_advice(int err)
{
	switch (err) {
	case -ENOENT:
		return "knp.ko is not loaded: modprobe knp";
	case -EPERM:
		return "no permission: run as root (CAP_NET_ADMIN in the initial user namespace)";
	case -EPROTONOSUPPORT:
		return "knp.ko speaks another ABI: install module and tools of one release";
	default:
		return strerror(-err);
	}
}

static int answer_info(struct nlmsghdr *nlh, void *arg)
{
	return knp_wire_parse_info(nlh, arg);
}

int knp_genl_info(struct knp_genl *g, struct knp_info *ret)
{
	struct knp_info info = { 0 };
	int err;

	err = transact(g, knp_wire_plain(g->family, KNP_CMD_INFO), answer_info,
		       &info);
	if (err)
		return err;
	if (!info.abi)
		return -EBADMSG;

	*ret = info;
	return 0;
}

int knp_genl_attach(struct knp_genl *g, uint32_t families)
{
	return transact(g, knp_wire_families(g->family, KNP_CMD_ATTACH,
					     families), NULL, NULL);
}

int knp_genl_detach(struct knp_genl *g, uint32_t families)
{
	return transact(g, knp_wire_families(g->family, KNP_CMD_DETACH,
					     families), NULL, NULL);
}

int knp_genl_begin(struct knp_genl *g, uint64_t generation)
{
	return transact(g, knp_wire_begin(g->family, generation), NULL, NULL);
}

int knp_genl_put(struct knp_genl *g, uint32_t table, const void *recs,
		 size_t len)
{
	return transact(g, knp_wire_records(g->family, KNP_CMD_PUT, table, recs,
					    len), NULL, NULL);
}

int knp_genl_delete(struct knp_genl *g, uint32_t table, const void *recs,
		    size_t len)
{
	return transact(g, knp_wire_records(g->family, KNP_CMD_DELETE, table,
					    recs, len), NULL, NULL);
}

static int answer_generation(struct nlmsghdr *nlh, void *arg)
{
	return knp_wire_parse_generation(nlh, arg);
}

int knp_genl_commit(struct knp_genl *g, uint64_t count, uint64_t *ret)
{
	uint64_t generation = 0;
	int err;

	err = transact(g, knp_wire_commit(g->family, count), answer_generation,
		       &generation);
	if (err)
		return err;
	if (!generation)
		return -EBADMSG;

	*ret = generation;
	return 0;
}

int knp_genl_abort(struct knp_genl *g)
{
	return transact(g, knp_wire_plain(g->family, KNP_CMD_ABORT), NULL,
			NULL);
}

int knp_genl_config(struct knp_genl *g, const struct knp_config *c)
{
	return transact(g, knp_wire_config(g->family, c), NULL, NULL);
}

static int answer_explanation(struct nlmsghdr *nlh, void *arg)
{
	return knp_wire_parse_explanation(nlh, arg);
}

int knp_genl_explain(struct knp_genl *g, const struct knp_tuple *t,
		     struct knp_explanation *ret)
{
	struct knp_explanation e = { 0 };
	int err;

	err = transact(g, knp_wire_explain(g->family, t), answer_explanation,
		       &e);
	if (err)
		return err;
	if (!e.reason)
		return -EBADMSG;

	*ret = e;
	return 0;
}

struct dump {
	struct knp_ruleset *rs;
	uint64_t generation;
	bool any;
};

static int answer_part(struct nlmsghdr *nlh, void *arg)
{
	struct dump *d = arg;
	struct knp_part part;
	int err;

	err = knp_wire_parse_part(nlh, &part);
	if (err)
		return err;
	if (d->any && part.generation != d->generation)
		return -EAGAIN;

	d->any = true;
	d->generation = part.generation;
	return knp_ruleset_unpack(d->rs, part.table, part.recs, part.len);
}

/* One attempt. The module can be reloaded in between: INFO on both sides. */
static int dump_once(struct knp_genl *g, uint32_t table,
		     struct knp_ruleset **ret, struct knp_info *info)
{
	struct knp_info before, after;
	struct dump d = { 0 };
	int err;

	d.rs = knp_ruleset_new();
	if (!d.rs)
		return -ENOMEM;

	err = knp_genl_info(g, &before);
	if (!err)
		err = transact(g, knp_wire_get(g->family, table), answer_part,
			       &d);
	if (!err && g->interrupted)
		err = -EAGAIN;
	if (!err)
		err = knp_genl_info(g, &after);
	if (!err && before.instance != after.instance)
		err = -EAGAIN;
	/* Empty tables send nothing, so that INFO has to say whose they are. */
	if (!err && !d.any && before.generation != after.generation)
		err = -EAGAIN;
	if (err) {
		knp_ruleset_free(d.rs);
		return err;
	}

	if (d.any)
		after.generation = d.generation;
	knp_ruleset_sort(d.rs);
	*info = after;
	*ret = d.rs;
	return 0;
}

int knp_genl_snapshot(struct knp_genl *g, uint32_t table,
		      struct knp_ruleset **ret, struct knp_info *info)
{
	int i, err = -EAGAIN;

	for (i = 0; i < DUMP_TRIES && err == -EAGAIN; i++)
		err = dump_once(g, table, ret, info);
	return err;
}

static int by_id(const void *a, const void *b)
{
	const struct knp_counter *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int append_counts(struct knp_counter **v, size_t *n, const void *part,
			 size_t more)
{
	struct knp_counter *grown;

	if (!more)
		return 0;
	grown = reallocarray(*v, *n + more, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	memcpy(grown + *n, part, more * sizeof(*grown));
	*v = grown;
	*n += more;
	return 0;
}

static int answer_counts(struct nlmsghdr *nlh, void *arg)
{
	struct knp_counters *c = arg;
	struct knp_counts part;
	struct knp_counter one;
	size_t i;
	int err;

	err = knp_wire_parse_counts(nlh, &part);
	if (err)
		return err;

	for (i = 0; i < part.nreasons; i++) {
		memcpy(&one, (const char *)part.reasons + i * sizeof(one),
		       sizeof(one));
		if (one.id <= KNP_REASON_MAX)
			c->reasons[one.id] = one;
	}

	err = append_counts(&c->rules, &c->nrules, part.rules, part.nrules);
	if (err)
		return err;
	return append_counts(&c->sets, &c->nsets, part.sets, part.nsets);
}

int knp_genl_counters(struct knp_genl *g, struct knp_counters *ret)
{
	struct knp_counters c = { 0 };
	uint32_t i;
	int err;

	for (i = 0; i <= KNP_REASON_MAX; i++)
		c.reasons[i].id = i;

	err = transact(g, knp_wire_plain(g->family, KNP_CMD_COUNTERS),
		       answer_counts, &c);
	if (err) {
		knp_counters_clear(&c);
		return err;
	}

	if (c.nrules)
		qsort(c.rules, c.nrules, sizeof(*c.rules), by_id);
	if (c.nsets)
		qsort(c.sets, c.nsets, sizeof(*c.sets), by_id);
	*ret = c;
	return 0;
}

void knp_counters_clear(struct knp_counters *c)
{
	free(c->rules);
	free(c->sets);
	c->rules = NULL;
	c->nrules = 0;
	c->sets = NULL;
	c->nsets = 0;
}

const struct knp_counter *knp_counters_rule(const struct knp_counters *c,
					    uint32_t rule)
{
	struct knp_counter key = { .id = rule };

	if (!c->nrules)
		return NULL;
	return bsearch(&key, c->rules, c->nrules, sizeof(key), by_id);
}

static void watch_ctrl(struct knp_watch *w, struct nlmsghdr *nlh)
{
	struct nlattr *tb[CTRL_ATTR_MAX + 1];
	struct genlmsghdr *gh;

	if (!genlmsg_valid_hdr(nlh, 0) ||
	    genlmsg_parse(nlh, 0, tb, CTRL_ATTR_MAX, NULL))
		return;
	if (!tb[CTRL_ATTR_FAMILY_NAME] ||
	    nla_strcmp(tb[CTRL_ATTR_FAMILY_NAME], KNP_GENL_NAME))
		return;

	gh = genlmsg_hdr(nlh);
	if (gh->cmd == CTRL_CMD_NEWFAMILY && w->ops->family)
		w->ops->family(w->arg, true);
	else if (gh->cmd == CTRL_CMD_DELFAMILY && w->ops->family)
		w->ops->family(w->arg, false);
}

static void watch_knp(struct knp_watch *w, struct nlmsghdr *nlh)
{
	struct knp_event event;
	struct knp_info info;

	if (!genlmsg_valid_hdr(nlh, 0))
		return;

	switch (genlmsg_hdr(nlh)->cmd) {
	case KNP_CMD_INFO:
		if (w->ops->info && !knp_wire_parse_info(nlh, &info))
			w->ops->info(w->arg, &info);
		break;
	case KNP_CMD_EVENT:
		if (w->ops->event && !knp_wire_parse_event(nlh, &event))
			w->ops->event(w->arg, &event);
		break;
	}
}

static int on_notification(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct knp_watch *w = arg;

	if (nlh->nlmsg_type == GENL_ID_CTRL)
		watch_ctrl(w, nlh);
	else if (w->family && nlh->nlmsg_type == w->family)
		watch_knp(w, nlh);
	return NL_OK;
}

/* Notifications answer nothing, so that their sequence means nothing. */
static int on_sequence(struct nl_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
	return NL_OK;
}

static int connect_watch(struct knp_watch *w)
{
	int ret;

	w->sk = nl_socket_alloc();
	w->cb = nl_cb_alloc(NL_CB_DEFAULT);
	if (!w->sk || !w->cb)
		return -ENOMEM;

	nl_cb_set(w->cb, NL_CB_VALID, NL_CB_CUSTOM, on_notification, w);
	nl_cb_set(w->cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, on_sequence, NULL);

	ret = genl_connect(w->sk);
	if (!ret)
		ret = nl_socket_set_nonblocking(w->sk);
	if (!ret)
		ret = nl_socket_set_msg_buf_size(w->sk, RECV_SIZE);
	if (ret)
		return nl_errno(ret);

	/* Best effort: it needs privilege. */
	set_option(w->sk, SOL_SOCKET, SO_RCVBUFFORCE, WATCH_BUFFER);

	ret = resolve("nlctrl", "notify");
	if (ret < 0)
		return ret;

	return nl_errno(nl_socket_add_membership(w->sk, ret));
}

int knp_watch_open(const struct knp_watch_ops *ops, void *arg,
		   struct knp_watch **ret)
{
	struct knp_watch *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;

	w->ops = ops;
	w->arg = arg;
	err = connect_watch(w);
	if (err) {
		knp_watch_close(w);
		return err;
	}

	*ret = w;
	return 0;
}

void knp_watch_close(struct knp_watch *w)
{
	if (!w)
		return;

	nl_cb_put(w->cb);
	nl_socket_free(w->sk);
	free(w);
}

int knp_watch_join(struct knp_watch *w, const char *group)
{
	int family, number;

	family = resolve(KNP_GENL_NAME, NULL);
	if (family < 0)
		return family;

	number = resolve(KNP_GENL_NAME, group);
	if (number < 0)
		return number;

	w->family = (uint16_t)family;
	return nl_errno(nl_socket_add_membership(w->sk, number));
}

int knp_watch_fd(const struct knp_watch *w)
{
	return nl_socket_get_fd(w->sk);
}

int knp_watch_read(struct knp_watch *w)
{
	int ret;

	do {
		ret = nl_recvmsgs(w->sk, w->cb);
		/* The socket ran over: libnl calls ENOBUFS by this name. */
		if (ret == -NLE_NOMEM) {
			if (w->ops->lost)
				w->ops->lost(w->arg);
			ret = 0;
		}
	} while (ret >= 0);

	return ret == -NLE_AGAIN ? 0 : nl_errno(ret);
}
