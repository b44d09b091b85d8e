// SPDX-License-Identifier: Apache-2.0
#include "kernel.h"

#include <errno.h>
#include <string.h>

/* What a message of a dump may hold. */
#define ROOM	16384

int kernel_init(struct kernel *k)
{
	*k = (struct kernel){ .info.instance = 7 };
	k->tables = knp_tables_new();
	if (!k->tables)
		return -ENOMEM;
	return knp_tables_freeze(k->tables);
}

void kernel_clear(struct kernel *k)
{
	knp_tables_free(k->next);
	knp_tables_free(k->tables);
}

static int dump_into(const struct knp_tables *t, struct knp_ruleset *rs)
{
	static uint8_t buf[ROOM];
	struct knp_cursor cursor;
	size_t len;
	int err;

	for (uint32_t table = 1; table <= KNP_TABLE_MAX; table++) {
		memset(&cursor, 0, sizeof(cursor));
		while ((len = knp_tables_next(t, table, &cursor, buf, ROOM))) {
			err = knp_ruleset_unpack(rs, table, buf, len);
			if (err)
				return err;
		}
	}
	knp_ruleset_sort(rs);
	return 0;
}

struct knp_ruleset *kernel_dump(const struct knp_tables *t)
{
	struct knp_ruleset *rs = knp_ruleset_new();

	if (rs && dump_into(t, rs)) {
		knp_ruleset_free(rs);
		return NULL;
	}
	return rs;
}

static int once(int *err)
{
	int ret = *err;

	*err = 0;
	return ret;
}

static int kernel_info(void *ctx, struct knp_info *ret)
{
	*ret = ((struct kernel *)ctx)->info;
	return 0;
}

static int kernel_read(void *ctx, struct knp_ruleset **ret,
		       struct knp_info *info)
{
	struct kernel *k = ctx;

	k->reads++;
	*ret = kernel_dump(k->tables);
	*info = k->info;
	return *ret ? 0 : -ENOMEM;
}

static int kernel_abort(void *ctx)
{
	struct kernel *k = ctx;

	knp_tables_free(k->next);
	k->next = NULL;
	return 0;
}

static int kernel_begin(void *ctx, uint64_t generation)
{
	struct kernel *k = ctx;

	if (generation != k->info.generation)
		return -ESTALE;
	k->next = knp_tables_clone(k->tables);
	k->puts = 0;
	k->deletes = 0;
	return k->next ? 0 : -ENOMEM;
}

static int kernel_write(void *ctx, const struct knp_op *op)
{
	struct kernel *k = ctx;
	int n = once(&k->fail_write);

	if (n)
		return n;
	n = op->delete ? knp_tables_delete(k->next, op->table, op->recs,
					   op->len, &k->why) :
			 knp_tables_put(k->next, op->table, op->recs, op->len,
					&k->why);
	if (n < 0)
		return n;
	if (op->delete)
		k->deletes += op->count;
	else
		k->puts += op->count;
	return 0;
}

static int kernel_commit(void *ctx, uint64_t count, uint64_t *generation)
{
	struct kernel *k = ctx;
	int err = once(&k->fail_commit);

	if (!err && count != k->puts + k->deletes)
		err = -EBADMSG;
	if (!err)
		err = knp_tables_freeze(k->next);
	if (err) {
		kernel_abort(k);
		return err;
	}
	knp_tables_free(k->tables);
	k->tables = k->next;
	k->next = NULL;
	*generation = ++k->info.generation;
	return 0;
}

static int kernel_mode(void *ctx, uint8_t mode)
{
	((struct kernel *)ctx)->info.mode = mode;
	return 0;
}

static int kernel_attach(void *ctx, uint32_t families)
{
	((struct kernel *)ctx)->info.families |= families;
	return 0;
}

static const char *kernel_text(void *ctx)
{
	const struct kernel *k = ctx;

	return k->why.msg ? k->why.msg : "";
}

const struct knp_push_ops kernel_ops = {
	.info	= kernel_info,
	.read	= kernel_read,
	.begin	= kernel_begin,
	.write	= kernel_write,
	.commit	= kernel_commit,
	.abort	= kernel_abort,
	.mode	= kernel_mode,
	.attach	= kernel_attach,
	.text	= kernel_text,
};
