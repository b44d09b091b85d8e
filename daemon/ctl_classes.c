// SPDX-License-Identifier: Apache-2.0
/* Names of classes: a join of the kernel's own tables with those of addresses. */
#include "ctl.h"

#include <errno.h>

/* One table of the generation that is being shown. */
static int read_table(struct knp_ctl *c, uint32_t table,
		      struct knp_ruleset **ret)
{
	struct knp_ruleset *rs;
	struct knp_info info;
	int err;

	if (!c->g)
		return -ENOTCONN;

	err = knp_genl_snapshot(c->g, table, &rs, &info);
	if (err)
		return err;

	if (info.instance != c->info.instance ||
	    info.generation != c->info.generation) {
		knp_ruleset_free(rs);
		return -ESTALE;
	}

	*ret = rs;
	return 0;
}

static int name_classes(struct knp_ctl *c, const struct knp_ruleset *rs)
{
	return knp_class_names_new(rs, c->names->addresses,
				   c->names->naddresses, &c->classes);
}

/* Of a large cluster these two are most of the tables, but not all. */
static int read_and_name(struct knp_ctl *c)
{
	struct knp_ruleset *peers = NULL, *cidrs = NULL;
	struct knp_recs swap;
	int err;

	err = read_table(c, KNP_TABLE_PEER, &peers);
	if (!err)
		err = read_table(c, KNP_TABLE_CIDR, &cidrs);
	if (!err) {
		swap = peers->cidrs;
		peers->cidrs = cidrs->cidrs;
		cidrs->cidrs = swap;
		err = name_classes(c, peers);
	}
	knp_ruleset_free(cidrs);
	knp_ruleset_free(peers);
	return err;
}

const char *knp_ctl_class(struct knp_ctl *c, uint32_t id)
{
	int err = 0;

	/* Class 0 is that of all who are in no other. */
	if (!id || !c->names)
		return NULL;
	if (!c->classes)
		err = c->rs ? name_classes(c, c->rs) : read_and_name(c);
	return err ? NULL : knp_class_name(c->classes, id);
}

void knp_ctl_classes_drop(struct knp_ctl *c)
{
	knp_class_names_free(c->classes);
	c->classes = NULL;
}
