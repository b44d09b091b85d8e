// SPDX-License-Identifier: Apache-2.0
#include "push.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"

#define TRIES		5
#define BUSY_WAIT_NS	(20 * 1000 * 1000)

struct knp_push {
	const struct knp_push_ops *ops;
	struct knp_push_options options;
	struct knp_ruleset *mirror;	/* NULL: unknown, or dropped */
	bool known;			/* the next two are the last success's */
	uint64_t instance;
	uint64_t generation;
	uint64_t set_up;		/* instance that was set up */
	bool is_set_up;
	char error[384];
};

static const char * const table_names[KNP_TABLE_MAX + 1] = {
	[KNP_TABLE_RULE]	= "rules",
	[KNP_TABLE_PORTSET]	= "portsets",
	[KNP_TABLE_CLASS]	= "classes",
	[KNP_TABLE_SET]		= "sets",
	[KNP_TABLE_ROW]		= "rows",
	[KNP_TABLE_PEER]	= "peers",
	[KNP_TABLE_CIDR]	= "cidrs",
	[KNP_TABLE_ENDPOINT]	= "endpoints",
	[KNP_TABLE_IFACE]	= "ifaces",
	[KNP_TABLE_BINDING]	= "bindings",
};

const char *knp_table_name(uint32_t table)
{
	if (table > KNP_TABLE_MAX || !table_names[table])
		return "unknown";
	return table_names[table];
}

int knp_push_new(const struct knp_push_ops *ops,
		 const struct knp_push_options *options,
		 struct knp_push **ret)
{
	struct knp_push *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;

	p->ops = ops;
	p->options = *options;
	*ret = p;
	return 0;
}

void knp_push_drop_mirror(struct knp_push *p)
{
	knp_ruleset_free(p->mirror);
	p->mirror = NULL;
}

static void forget(struct knp_push *p)
{
	knp_push_drop_mirror(p);
	p->known = false;
}

void knp_push_free(struct knp_push *p)
{
	if (!p)
		return;

	forget(p);
	free(p);
}

const char *knp_push_error(const struct knp_push *p)
{
	return p->error;
}

const struct knp_ruleset *knp_push_mirror(const struct knp_push *p)
{
	return p->mirror;
}

bool knp_push_differs(const struct knp_push *p, const struct knp_info *info)
{
	return !p->known || info->instance != p->instance ||
	       info->generation != p->generation;
}

/* Keep the words for @err before a later call overwrites them; return @err. */
__attribute__((format(printf, 4, 5)))
static int failed(struct knp_push *p, void *ctx, int err, const char *format,
		  ...)
{
	const char *text = p->ops->text(ctx);
	char what[128];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);

	snprintf(p->error, sizeof(p->error), "%s: %s%s%s", what,
		 strerror(-err), *text ? ": " : "", text);
	return err;
}

static int send_ops(struct knp_push *p, void *ctx, const struct knp_diff *d,
		    struct knp_push_result *res)
{
	const struct knp_op *op;
	size_t i;
	int err;

	for (i = 0; i < d->nops; i++) {
		op = &d->ops[i];
		err = p->ops->write(ctx, op);
		if (err)
			return failed(p, ctx, err, "%s %s",
				      op->delete ? "delete" : "put",
				      knp_table_name(op->table));
		if (op->delete)
			res->deletes += op->count;
		else
			res->puts += op->count;
	}

	return 0;
}

static int transaction(struct knp_push *p, void *ctx, uint64_t base,
		       const struct knp_diff *d, struct knp_push_result *res)
{
	int64_t begun = knp_now_ns();
	int err;

	err = p->ops->begin(ctx, base);
	if (err)
		return failed(p, ctx, err, "begin at generation %llu",
			      (unsigned long long)base);

	err = send_ops(p, ctx, d, res);
	if (err) {
		p->ops->abort(ctx);
		return err;
	}

	err = p->ops->commit(ctx, d->count, &res->generation);
	if (err)
		return failed(p, ctx, err, "commit");

	res->commit_ns = knp_now_ns() - begun;
	res->wrote = true;
	return 0;
}

static int set_mode(struct knp_push *p, void *ctx, const struct knp_info *info,
		    enum knp_mode mode)
{
	int err;

	if (p->options.mode != (int)mode || info->mode == mode)
		return 0;

	err = p->ops->mode(ctx, (uint8_t)mode);
	return err ? failed(p, ctx, err, "set the mode") : 0;
}

static int set_unknown_local(struct knp_push *p, void *ctx,
			     const struct knp_info *info,
			     enum knp_action action)
{
	int err;

	if (p->options.unknown_local != (int)action ||
	    info->unknown_local == action)
		return 0;

	err = p->ops->unknown_local(ctx, (uint8_t)action);
	return err ? failed(p, ctx, err, "set unknown-local") : 0;
}

/*
 * Isolated addresses that are no endpoints are closed as unknown ones. Not from
 * what was seen of the setting: a wrong guess would leave them open.
 */
static int close_unheld(struct knp_push *p, void *ctx,
			const struct knp_ruleset *rs)
{
	int err;

	if (!rs->unheld)
		return 0;
	err = p->ops->unknown_local(ctx, KNP_DROP);
	return err ? failed(p, ctx, err, "set unknown-local") : 0;
}

static bool is_same(const struct knp_node_allows *a,
		    const struct knp_node_allows *b)
{
	return a->n == b->n && !memcmp(a->v, b->v, a->n * sizeof(*a->v));
}

static int set_switches(struct knp_push *p, void *ctx,
			const struct knp_info *info)
{
	struct knp_config c = KNP_CONFIG_NONE;
	int err;

	if (p->options.node_egress != (int)info->node_egress)
		c.node_egress = p->options.node_egress;
	if (p->options.lb_probes != (int)info->lb_probes)
		c.lb_probes = p->options.lb_probes;
	if (p->options.node_allow &&
	    !is_same(p->options.node_allow, &info->node_allow))
		c.node_allow = p->options.node_allow;
	if (c.node_egress < 0 && c.lb_probes < 0 && !c.node_allow)
		return 0;

	err = p->ops->config(ctx, &c);
	return err ? failed(p, ctx, err, "set node-egress, node-egress-allow and lb-probes") : 0;
}

static int attach(struct knp_push *p, void *ctx, const struct knp_info *info)
{
	uint32_t wanted = p->options.families;
	int err;

	if ((info->families & wanted) == wanted)
		return 0;

	err = p->ops->attach(ctx, wanted);
	return err ? failed(p, ctx, err, "attach") : 0;
}

/* Know the kernel: by the mirror if it is still there, else by reading. */
static int look(struct knp_push *p, void *ctx, struct knp_info *info,
		struct knp_push_result *res)
{
	int err;

	err = p->ops->info(ctx, info);
	if (err)
		return failed(p, ctx, err, "info");
	if (p->mirror && !knp_push_differs(p, info))
		return 0;

	forget(p);
	err = p->ops->read(ctx, &p->mirror, info);
	if (err)
		return failed(p, ctx, err, "read the tables");

	p->known = true;
	p->instance = info->instance;
	p->generation = info->generation;
	res->reread = true;
	return 0;
}

static bool is_set_up(const struct knp_push *p, const struct knp_info *info)
{
	return p->is_set_up && p->set_up == info->instance;
}

static void succeed(struct knp_push *p, const struct knp_push_result *res,
		    struct knp_push_result *ret)
{
	p->known = true;
	p->instance = res->instance;
	p->generation = res->generation;
	p->error[0] = '\0';
	*ret = *res;
}

static int apply_once(struct knp_push *p, void *ctx, struct knp_ruleset *rs,
		      struct knp_push_result *res)
{
	struct knp_diff *diff = NULL;
	struct knp_info info;
	bool set_up;
	int err;

	err = look(p, ctx, &info, res);
	if (err)
		return err;

	err = knp_ruleset_adopt(rs, p->mirror);
	if (!err)
		err = knp_ruleset_diff(p->mirror, rs, &diff);
	if (err) {
		snprintf(p->error, sizeof(p->error),
			 "compare with the kernel's tables: %s",
			 strerror(-err));
		return err;
	}

	set_up = is_set_up(p, &info);
	if (!set_up)
		err = set_mode(p, ctx, &info, KNP_MODE_AUDIT);
	if (!err && !set_up)
		err = set_unknown_local(p, ctx, &info, KNP_PASS);

	if (!err)
		err = close_unheld(p, ctx, rs);

	res->instance = info.instance;
	res->generation = info.generation;
	if (!err && (diff->count || !info.generation))
		err = transaction(p, ctx, info.generation, diff, res);
	res->committed_ns = knp_now_ns();
	knp_diff_free(diff);

	if (!err && !set_up)
		err = set_mode(p, ctx, &info, KNP_MODE_ENFORCE);
	if (!err && !set_up)
		err = set_unknown_local(p, ctx, &info, KNP_DROP);
	if (!err && !set_up)
		err = set_switches(p, ctx, &info);
	if (!err && !set_up)
		err = attach(p, ctx, &info);
	if (err)
		return err;

	p->is_set_up = true;
	p->set_up = info.instance;
	return 0;
}

bool knp_push_transient(int err)
{
	return err == -ESTALE || err == -EBUSY || err == -EAGAIN;
}

int knp_push_apply(struct knp_push *p, void *ctx, struct knp_ruleset *rs,
		   struct knp_push_result *ret)
{
	const struct timespec pause = { .tv_nsec = BUSY_WAIT_NS };
	struct knp_push_result res;
	int i, err = -EAGAIN;

	for (i = 0; i < TRIES && knp_push_transient(err); i++) {
		if (err == -EBUSY)
			nanosleep(&pause, NULL);

		res = (struct knp_push_result){ 0 };
		err = apply_once(p, ctx, rs, &res);
		if (err)
			forget(p);
	}

	if (err) {
		knp_ruleset_free(rs);
		return err;
	}

	knp_push_drop_mirror(p);
	p->mirror = rs;
	succeed(p, &res, ret);
	return 0;
}

static int send_once(struct knp_push *p, void *ctx,
		     const struct knp_diff *diff, struct knp_push_result *res)
{
	struct knp_info info;
	int err;

	err = p->ops->info(ctx, &info);
	if (err)
		return failed(p, ctx, err, "info");
	if (knp_push_differs(p, &info) || !is_set_up(p, &info)) {
		snprintf(p->error, sizeof(p->error),
			 "the kernel's tables were changed by others");
		return -ESTALE;
	}
	res->instance = info.instance;
	res->generation = info.generation;
	if (diff->count)
		err = transaction(p, ctx, info.generation, diff, res);
	res->committed_ns = knp_now_ns();
	return err;
}

int knp_push_send(struct knp_push *p, void *ctx, const struct knp_diff *diff,
		  struct knp_push_result *ret)
{
	struct knp_push_result res = { 0 };
	int err;

	err = send_once(p, ctx, diff, &res);
	knp_push_drop_mirror(p);
	if (err) {
		forget(p);
		return err;
	}
	succeed(p, &res, ret);
	return 0;
}

static int netlink_info(void *ctx, struct knp_info *ret)
{
	return knp_genl_info(ctx, ret);
}

static int netlink_read(void *ctx, struct knp_ruleset **ret,
			struct knp_info *info)
{
	return knp_genl_snapshot(ctx, 0, ret, info);
}

static int netlink_begin(void *ctx, uint64_t generation)
{
	return knp_genl_begin(ctx, generation);
}

static int netlink_write(void *ctx, const struct knp_op *op)
{
	if (op->delete)
		return knp_genl_delete(ctx, op->table, op->recs, op->len);
	return knp_genl_put(ctx, op->table, op->recs, op->len);
}

static int netlink_commit(void *ctx, uint64_t count, uint64_t *generation)
{
	return knp_genl_commit(ctx, count, generation);
}

static int netlink_abort(void *ctx)
{
	return knp_genl_abort(ctx);
}

static int netlink_mode(void *ctx, uint8_t mode)
{
	struct knp_config c = KNP_CONFIG_NONE;

	c.mode = mode;
	return knp_genl_config(ctx, &c);
}

static int netlink_unknown_local(void *ctx, uint8_t action)
{
	struct knp_config c = KNP_CONFIG_NONE;

	c.unknown_local = action;
	return knp_genl_config(ctx, &c);
}

static int netlink_config(void *ctx, const struct knp_config *c)
{
	return knp_genl_config(ctx, c);
}

static int netlink_attach(void *ctx, uint32_t families)
{
	return knp_genl_attach(ctx, families);
}

static const char *netlink_text(void *ctx)
{
	return knp_genl_text(ctx);
}

const struct knp_push_ops knp_push_netlink = {
	.info	= netlink_info,
	.read	= netlink_read,
	.begin	= netlink_begin,
	.write	= netlink_write,
	.commit	= netlink_commit,
	.abort	= netlink_abort,
	.mode	= netlink_mode,
	.unknown_local = netlink_unknown_local,
	.config	= netlink_config,
	.attach	= netlink_attach,
	.text	= netlink_text,
};
