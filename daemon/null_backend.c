// SPDX-License-Identifier: Apache-2.0
#include "null_backend.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"

struct knp_null {
	FILE *out;
	struct knp_info info;
	uint64_t puts;
	uint64_t deletes;
	uint64_t bytes;
};

int knp_null_open(const char *path, struct knp_null **ret)
{
	struct knp_null *n = calloc(1, sizeof(*n));
	int err;

	if (!n)
		return -ENOMEM;
	n->out = fopen(path, "we");
	if (!n->out) {
		err = -errno;
		free(n);
		return err;
	}
	n->info.instance = 1;
	n->info.mode = KNP_MODE_ENFORCE;
	n->info.encap = KNP_DROP;
	*ret = n;
	return 0;
}

void knp_null_close(struct knp_null *n)
{
	if (!n)
		return;
	fclose(n->out);
	free(n);
}

static int null_info(void *ctx, struct knp_info *ret)
{
	const struct knp_null *n = ctx;

	*ret = n->info;
	return 0;
}

/* What was sent is not kept. */
static int null_read(void *ctx, struct knp_ruleset **ret,
		     struct knp_info *info)
{
	const struct knp_null *n = ctx;
	struct knp_ruleset *rs;

	if (n->info.generation)
		return -EOPNOTSUPP;
	rs = knp_ruleset_new();
	if (!rs)
		return -ENOMEM;
	*ret = rs;
	*info = n->info;
	return 0;
}

static int null_begin(void *ctx, uint64_t generation)
{
	struct knp_null *n = ctx;

	if (generation != n->info.generation)
		return -ESTALE;
	n->puts = 0;
	n->deletes = 0;
	n->bytes = 0;
	return 0;
}

static int null_write(void *ctx, const struct knp_op *op)
{
	struct knp_null *n = ctx;

	if (op->delete)
		n->deletes += op->count;
	else
		n->puts += op->count;
	n->bytes += op->len;
	return 0;
}

static int null_commit(void *ctx, uint64_t count, uint64_t *generation)
{
	struct knp_null *n = ctx;

	if (count != n->puts + n->deletes)
		return -EBADMSG;
	*generation = ++n->info.generation;
	fprintf(n->out, "commit %" PRIu64 " %" PRId64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
		*generation, knp_now_ns(), n->puts, n->deletes, n->bytes);
	return fflush(n->out) ? -errno : 0;
}

static int null_abort(void *ctx)
{
	(void)ctx;
	return 0;
}

static int null_mode(void *ctx, uint8_t mode)
{
	struct knp_null *n = ctx;

	n->info.mode = mode;
	return 0;
}

static int null_config(void *ctx, const struct knp_config *c)
{
	struct knp_null *n = ctx;

	if (c->node_egress >= 0)
		n->info.node_egress = (uint8_t)c->node_egress;
	if (c->lb_probes >= 0)
		n->info.lb_probes = (uint8_t)c->lb_probes;
	if (c->node_allow)
		n->info.node_allow = *c->node_allow;
	return 0;
}

static int null_unknown_local(void *ctx, uint8_t action)
{
	struct knp_null *n = ctx;

	n->info.unknown_local = action;
	return 0;
}

static int null_attach(void *ctx, uint32_t families)
{
	struct knp_null *n = ctx;

	n->info.families |= families;
	return 0;
}

static const char *null_text(void *ctx)
{
	(void)ctx;
	return "";
}

const struct knp_push_ops knp_push_null = {
	.info	= null_info,
	.read	= null_read,
	.begin	= null_begin,
	.write	= null_write,
	.commit	= null_commit,
	.abort	= null_abort,
	.mode	= null_mode,
	.unknown_local = null_unknown_local,
	.config = null_config,
	.attach	= null_attach,
	.text	= null_text,
};
