// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "simulate.h"

static int put_all(struct knp_tables *t, const struct knp_diff *diff,
		   const char **why)
{
	struct knp_refusal refusal = { 0 };
	int n;

	for (size_t i = 0; i < diff->nops; i++) {
		n = knp_tables_put(t, diff->ops[i].table, diff->ops[i].recs,
				   diff->ops[i].len, &refusal);
		if (n >= 0)
			continue;
		if (why)
			*why = refusal.msg;
		return n;
	}
	return 0;
}

static int load(const struct knp_ruleset *rs, struct knp_tables *t,
		const char **why)
{
	struct knp_ruleset *empty = knp_ruleset_new();
	struct knp_diff *diff;
	int err;

	if (!empty)
		return -ENOMEM;
	err = knp_ruleset_diff(empty, rs, &diff);
	knp_ruleset_free(empty);
	if (err)
		return err;
	err = put_all(t, diff, why);
	knp_diff_free(diff);
	return err ? err : knp_tables_freeze(t);
}

int knp_simulator_new(struct knp_ruleset *rs, struct knp_simulator **ret,
		      const char **why)
{
	struct knp_simulator *s = calloc(1, sizeof(*s));
	int err;

	if (why)
		*why = NULL;
	if (!s)
		return -ENOMEM;
	s->tables = knp_tables_new();
	err = s->tables ? load(rs, s->tables, why) : -ENOMEM;
	if (err) {
		knp_simulator_free(s);
		return err;
	}
	s->rs = rs;
	*ret = s;
	return 0;
}

void knp_simulator_free(struct knp_simulator *s)
{
	if (!s)
		return;
	knp_ruleset_free(s->rs);
	knp_tables_free(s->tables);
	free(s);
}

void knp_simulator_judge(const struct knp_simulator *s,
			 const struct knp_ip *src, const struct knp_ip *dst,
			 uint8_t proto, uint16_t port, struct knp_verdict *v)
{
	struct knp_flow flow = {
		.dport = port,
		.family = src->family == AF_INET ? KNP_V4 : KNP_V6,
		.proto = proto,
		.has_port = true,
	};

	memcpy(flow.src.b, src->b, sizeof(flow.src.b));
	memcpy(flow.dst.b, dst->b, sizeof(flow.dst.b));
	knp_match(s->tables, &flow, v);
}

static const char *name(const struct knp_simulator *s, uint32_t table,
			uint32_t id)
{
	const uint8_t *tag = knp_tables_tag(s->tables, table, id);

	return tag ? knp_ruleset_name(s->rs, tag) : NULL;
}

const char *knp_simulator_rule(const struct knp_simulator *s, uint32_t id)
{
	return id ? name(s, KNP_TABLE_RULE, id) : NULL;
}

const char *knp_simulator_set(const struct knp_simulator *s, uint32_t id)
{
	return id ? name(s, KNP_TABLE_SET, id) : NULL;
}
