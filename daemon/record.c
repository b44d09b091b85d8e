// SPDX-License-Identifier: Apache-2.0
#include "record.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "class_names.h"
#include "families.h"

static int record_info(void *ctx, struct knp_info *ret)
{
	struct knp_record *r = ctx;

	if (r->g)
		return knp_genl_info(r->g, ret);

	*ret = (struct knp_info){ .abi = KNP_ABI_VERSION };
	return 0;
}

static int record_read(void *ctx, struct knp_ruleset **ret,
		       struct knp_info *info)
{
	struct knp_record *r = ctx;
	struct knp_ruleset *rs;

	if (r->g)
		return knp_genl_snapshot(r->g, 0, ret, info);

	rs = knp_ruleset_new();
	if (!rs)
		return -ENOMEM;
	*ret = rs;
	return record_info(ctx, info);
}

static int record_begin(void *ctx, uint64_t generation)
{
	struct knp_record *r = ctx;

	r->generation = generation;
	fprintf(r->out, "begin at generation %" PRIu64 "\n", generation);
	return 0;
}

static const char *name(struct knp_record *r, const uint8_t *tag)
{
	const char *text = r->names ? knp_ruleset_name(r->names, tag) : NULL;

	return text ? text : "";
}

/* Only here has the ruleset the ids under which it is written. */
static const char *class_name(struct knp_record *r, uint32_t id)
{
	const struct knp_recs *a = r->names ? &r->names->addresses : NULL;
	const char *text;

	if (a && !r->classes)
		knp_class_names_new(r->names, a->v, a->n, &r->classes);
	text = knp_class_name(r->classes, id);
	return text ? text : "";
}

static void forget_classes(struct knp_record *r)
{
	knp_class_names_free(r->classes);
	r->classes = NULL;
}

static const char *address(const void *addr, uint8_t family,
			   char buf[INET6_ADDRSTRLEN])
{
	if (!inet_ntop(family, addr, buf, INET6_ADDRSTRLEN))
		strcpy(buf, "?");
	return buf;
}

/* Print one record; return its length, 0 if it makes no sense. */
static size_t print(struct knp_record *r, uint32_t table, const char *p,
		    size_t len, bool delete)
{
	char buf[INET6_ADDRSTRLEN];
	union {
		struct knp_rec_rule rule;
		struct knp_rec_portset portset;
		struct knp_rec_class class;
		struct knp_rec_set set;
		struct knp_rec_row row;
		struct knp_rec_peer peer;
		struct knp_rec_cidr cidr;
		struct knp_rec_endpoint endpoint;
		struct knp_rec_iface iface;
		struct knp_rec_binding binding;
	} u;
	FILE *out = r->out;
	size_t size;

	memset(&u, 0, sizeof(u));
	memcpy(&u, p, len < sizeof(u) ? len : sizeof(u));

	switch ((enum knp_table)table) {
	case KNP_TABLE_RULE:
		size = sizeof(u.rule);
		fprintf(out, "rule %u %s", u.rule.id, name(r, u.rule.tag));
		break;
	case KNP_TABLE_PORTSET:
		size = sizeof(u.portset);
		if (!delete)
			size += u.portset.nports * sizeof(struct knp_rec_port);
		fprintf(out, "portset %u %s", u.portset.id,
			name(r, u.portset.tag));
		break;
	case KNP_TABLE_CLASS:
		size = sizeof(u.class);
		fprintf(out, "class %u %s", u.class.id,
			class_name(r, u.class.id));
		break;
	case KNP_TABLE_SET:
		size = sizeof(u.set);
		fprintf(out, "set %u %s default portset %u %s", u.set.id,
			u.set.direction == KNP_EGRESS ? "egress" : "ingress",
			u.set.dflt, name(r, u.set.tag));
		break;
	case KNP_TABLE_ROW:
		size = sizeof(u.row);
		fprintf(out, "row set %u class %u portset %u", u.row.set,
			u.row.class_id, u.row.portset);
		break;
	case KNP_TABLE_PEER:
		size = sizeof(u.peer);
		fprintf(out, "peer %s class %u",
			address(u.peer.addr, u.peer.family, buf),
			u.peer.class_id);
		break;
	case KNP_TABLE_CIDR:
		size = sizeof(u.cidr);
		fprintf(out, "cidr %s/%u class %u",
			address(u.cidr.addr, u.cidr.family, buf),
			u.cidr.prefixlen, u.cidr.class_id);
		break;
	case KNP_TABLE_ENDPOINT:
		size = sizeof(u.endpoint);
		fprintf(out, "endpoint %s egress set %u ingress set %u",
			address(u.endpoint.addr, u.endpoint.family, buf),
			u.endpoint.egress_set, u.endpoint.ingress_set);
		break;
	case KNP_TABLE_IFACE:
		size = sizeof(u.iface);
		fprintf(out, "iface %u role %u", u.iface.ifindex,
			u.iface.role);
		break;
	case KNP_TABLE_BINDING:
		size = sizeof(u.binding);
		fprintf(out, "binding %s iface %u",
			address(u.binding.addr, u.binding.family, buf),
			u.binding.ifindex);
		break;
	default:
		return 0;
	}

	return size <= len ? size : 0;
}

static int record_write(void *ctx, const struct knp_op *op)
{
	struct knp_record *r = ctx;
	const char *p = op->recs;
	size_t size, left = op->len;

	while (left) {
		fputs(op->delete ? "  - " : "  + ", r->out);
		size = print(r, op->table, p, left, op->delete);
		fputc('\n', r->out);
		if (!size)
			return -EINVAL;
		p += size;
		left -= size;
	}

	return 0;
}

static int record_commit(void *ctx, uint64_t count, uint64_t *generation)
{
	struct knp_record *r = ctx;

	forget_classes(r);
	fprintf(r->out, "commit of %" PRIu64 " records\n", count);
	*generation = r->generation + 1;
	return 0;
}

static int record_abort(void *ctx)
{
	forget_classes(ctx);
	return 0;
}

static int record_mode(void *ctx, uint8_t mode)
{
	struct knp_record *r = ctx;

	fprintf(r->out, "set mode %s\n",
		mode == KNP_MODE_AUDIT ? "audit" : "enforce");
	return 0;
}

static int record_unknown_local(void *ctx, uint8_t action)
{
	struct knp_record *r = ctx;

	fprintf(r->out, "set unknown-local %s\n",
		action == KNP_DROP ? "drop" : "pass");
	return 0;
}

static int record_config(void *ctx, const struct knp_config *c)
{
	char text[KNP_NODE_ALLOW_TEXT];
	struct knp_record *r = ctx;

	if (c->node_egress >= 0)
		fprintf(r->out, "set node-egress %s\n",
			c->node_egress == KNP_DROP ? "drop" : "pass");
	if (c->node_allow)
		fprintf(r->out, "set node-egress-allow %s\n",
			knp_node_allows_text(c->node_allow, text));
	if (c->lb_probes >= 0)
		fprintf(r->out, "set lb-probes %s\n",
			c->lb_probes == KNP_DROP ? "drop" : "pass");
	return 0;
}

static int record_attach(void *ctx, uint32_t families)
{
	char text[KNP_FAMILIES_TEXT];
	struct knp_record *r = ctx;

	fprintf(r->out, "attach%s\n", knp_families_text(families, text));
	return 0;
}

static const char *record_text(void *ctx)
{
	struct knp_record *r = ctx;

	return r->g ? knp_genl_text(r->g) : "";
}

const struct knp_push_ops knp_push_record = {
	.info	= record_info,
	.read	= record_read,
	.begin	= record_begin,
	.write	= record_write,
	.commit	= record_commit,
	.abort	= record_abort,
	.mode	= record_mode,
	.unknown_local = record_unknown_local,
	.config = record_config,
	.attach	= record_attach,
	.text	= record_text,
};
