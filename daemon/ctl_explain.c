// SPDX-License-Identifier: Apache-2.0
/*
 * knpctl explain: ask the code that judges packets about a made-up connection.
 *
 * Pods stand for their addresses, so that a dual-stack pair is judged twice,
 * once per family. Names of the objects that decided come by their tags, which
 * EXPLAIN returns, those of classes from tables of the same generation: what is
 * printed belongs to the one that answered.
 */
#include "ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"

static const char help[] =
	"usage: knpctl explain FROM TO PORT/PROTO\n"
	"Would the kernel let this connection pass, and which policies decide?\n"
	"FROM and TO are NAMESPACE/POD, or addresses. PORT/PROTO is 80/TCP, 53/UDP,\n"
	"9000/SCTP, or 80 for TCP, or ICMP, ICMPv6.\n"
	"Exit status 0 whatever the answer is.\n";

#define ADDRESSES_MAX	32

/** struct party - one end: the name given, and its addresses */
struct party {
	const char *name;
	struct knp_ip ips[ADDRESSES_MAX];
	size_t n;
};

static int find_party(struct knp_ctl *c, const char *text, struct party *party)
{
	const struct knp_address_name *a = NULL;
	struct knp_ip *ip;

	party->name = text;
	party->n = 0;
	if (!knp_ip_parse(text, &party->ips[0])) {
		party->n = 1;
		return CTL_OK;
	}
	if (!strchr(text, '/'))
		return knp_ctl_usage(c, "%s is neither NAMESPACE/POD nor an address",
				     text);
	if (!c->names)
		return knp_ctl_fail("cannot tell the address of %s without names: give an address",
				    text);

	while ((a = knp_names_pod(c->names, text, a)) &&
	       party->n < ADDRESSES_MAX) {
		ip = &party->ips[party->n++];
		memcpy(ip->b, a->addr, sizeof(ip->b));
		ip->family = a->family;
	}

	if (!party->n)
		return knp_ctl_fail("no pod %s with an address is known on this node",
				    text);
	return CTL_OK;
}

static void add_named(struct knp_ctl *c, struct json_object *obj,
		      const char *key, const char *name_key, uint32_t id,
		      bool tagged, const uint8_t *tag)
{
	knp_ctl_add_number(obj, key, id);
	knp_ctl_add_text(obj, name_key,
			 tagged && id ? knp_names_tag(c->names, tag) : NULL);
}

static struct json_object *side_json(struct knp_ctl *c,
				     const struct knp_side_info *s)
{
	struct json_object *obj = knp_ctl_object();
	bool allowed = !s->judged || s->verdict == KNP_PASS;
	const char *policies;

	knp_ctl_add_bool(obj, "isolated", s->judged);
	knp_ctl_add_bool(obj, "allowed", allowed);
	if (!s->judged)
		return obj;

	policies = s->has_tags ? knp_names_tag(c->names, s->set_tag) : NULL;
	knp_ctl_add_number(obj, "set", s->set);
	knp_ctl_add(obj, "policies", knp_ctl_list(policies));
	if (allowed)
		add_named(c, obj, "rule_id", "rule", s->rule, s->has_tags,
			  s->rule_tag);
	knp_ctl_add_number(obj, "class", s->class_id);
	knp_ctl_add_text(obj, "class_name", knp_ctl_class(c, s->class_id));
	add_named(c, obj, "portset", "portset_name", s->portset, s->has_tags,
		  s->portset_tag);
	return obj;
}

static void print_side(struct knp_ctl *c, const char *direction,
		       const struct knp_side_info *s)
{
	const char *name;

	printf("  %-8s", direction);
	if (!s->judged) {
		puts("not isolated");
		return;
	}

	if (s->verdict == KNP_PASS) {
		name = knp_names_tag(c->names, s->rule_tag);
		printf("allows by rule %u%s%s", s->rule, name ? " " : "",
		       name ? name : "");
	} else {
		name = knp_names_tag(c->names, s->set_tag);
		printf("drops: isolated by %s, no rule allows it",
		       name ? name : "policies of unknown names");
	}

	name = knp_ctl_class(c, s->class_id);
	printf(" (set %u, class %u%s%s%s, portset %u", s->set, s->class_id,
	       name ? " [" : "", name ? name : "", name ? "]" : "",
	       s->portset);
	name = s->portset ? knp_names_tag(c->names, s->portset_tag) : NULL;
	printf("%s%s%s)\n", name ? " [" : "", name ? name : "",
	       name ? "]" : "");
}

static const char *address_name(struct knp_ctl *c, const uint8_t *addr,
				uint8_t family)
{
	return knp_names_address(c->names, family, addr);
}

static void print_end(struct knp_ctl *c, const uint8_t *addr, uint8_t family)
{
	const char *name = address_name(c, addr, family);
	char text[46];

	knp_ctl_address(addr, family, text);
	if (name)
		printf("%s (%s)", name, text);
	else
		printf("%s", text);
}

static void print_flow(struct knp_ctl *c, const struct knp_tuple *t,
		       const struct knp_explanation *e)
{
	bool pass = e->verdict == KNP_PASS;
	char proto[8];

	print_end(c, t->src, t->family);
	printf(" -> ");
	print_end(c, t->dst, t->family);
	if (t->has_port)
		printf(" %u/%s", t->port, knp_ctl_proto(t->proto, proto));
	else
		printf(" %s", knp_ctl_proto(t->proto, proto));
	printf(": %s%s%s (%s) at generation %" PRIu64 "\n",
	       pass ? knp_ctl_green() : knp_ctl_red(),
	       pass ? "allowed" : "dropped", knp_ctl_plain(),
	       knp_ctl_reason(e->reason), e->generation);
	print_side(c, "egress", &e->egress);
	print_side(c, "ingress", &e->ingress);
}

static struct json_object *flow_json(struct knp_ctl *c,
				     const struct knp_tuple *t,
				     const struct knp_explanation *e)
{
	struct json_object *obj = knp_ctl_object();
	char text[46];

	knp_ctl_add_bool(obj, "allowed", e->verdict == KNP_PASS);
	knp_ctl_add_text(obj, "reason", knp_ctl_reason(e->reason));
	knp_ctl_add_number(obj, "generation", e->generation);
	knp_ctl_add_text(obj, "src", knp_ctl_address(t->src, t->family, text));
	knp_ctl_add_text(obj, "src_pod", address_name(c, t->src, t->family));
	knp_ctl_add_text(obj, "dst", knp_ctl_address(t->dst, t->family, text));
	knp_ctl_add_text(obj, "dst_pod", address_name(c, t->dst, t->family));
	knp_ctl_add(obj, "egress", side_json(c, &e->egress));
	knp_ctl_add(obj, "ingress", side_json(c, &e->ingress));
	return obj;
}

/* Judge one pair; adds to @flows in JSON, prints otherwise. */
static int judge(struct knp_ctl *c, struct knp_tuple *t,
		 struct json_object *flows, bool *allowed)
{
	struct knp_explanation e;
	int err;

	err = knp_genl_explain(c->g, t, &e);
	if (err == -ENODATA)
		return knp_ctl_fail("nothing has been committed yet: start knpd, or look at `knpctl status`");
	if (err)
		return knp_ctl_refused(c, err, "cannot explain");

	/* The tables may have moved on since the names were read. */
	if (e.generation != c->info.generation) {
		c->info.generation = e.generation;
		knp_ctl_names(c);
	}

	*allowed &= e.verdict == KNP_PASS;
	if (knp_ctl_structured(c))
		knp_ctl_push(flows, flow_json(c, t, &e));
	else
		print_flow(c, t, &e);
	return CTL_OK;
}

static int judge_all(struct knp_ctl *c, const struct party *from,
		     const struct party *to, struct knp_tuple *t,
		     struct json_object *flows, bool *allowed)
{
	size_t i, j, pairs = 0;
	int status;

	for (i = 0; i < from->n; i++) {
		for (j = 0; j < to->n; j++) {
			if (from->ips[i].family != to->ips[j].family)
				continue;

			pairs++;
			t->family = from->ips[i].family;
			memcpy(t->src, from->ips[i].b, sizeof(t->src));
			memcpy(t->dst, to->ips[j].b, sizeof(t->dst));
			status = judge(c, t, flows, allowed);
			if (status)
				return status;
		}
	}

	if (!pairs)
		return knp_ctl_fail("%s and %s have no address family in common",
				    from->name, to->name);
	return CTL_OK;
}

static int explain(struct knp_ctl *c, char **args)
{
	struct json_object *flows, *doc;
	struct party from, to;
	struct knp_tuple t = { 0 };
	bool allowed = true;
	int status;

	if (knp_ctl_parse_port(args[2], &t))
		return knp_ctl_usage(c, "bad port %s: 80/TCP, 53/UDP, ICMP",
				     args[2]);

	status = knp_ctl_connect(c);
	if (status)
		return status;

	knp_ctl_names(c);
	status = find_party(c, args[0], &from);
	if (!status)
		status = find_party(c, args[1], &to);
	if (status)
		return status;

	flows = knp_ctl_array();
	status = judge_all(c, &from, &to, &t, flows, &allowed);
	if (status || !knp_ctl_structured(c)) {
		json_object_put(flows);
		return status;
	}

	doc = knp_ctl_object();
	knp_ctl_add_bool(doc, "allowed", allowed);
	knp_ctl_add_text(doc, "mode", knp_ctl_mode(c->info.mode));
	knp_ctl_add_bool(doc, "named", c->names != NULL);
	knp_ctl_add(doc, "flows", flows);
	knp_ctl_print_doc(c, doc);
	return CTL_OK;
}

int knp_ctl_explain(int argc, char **argv)
{
	static const struct option options[] = { CTL_OPTIONS, { 0 } };
	struct knp_ctl c;
	int opt, status;

	knp_ctl_begin(&c, argv[0]);
	while ((opt = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		status = knp_ctl_option(&c, opt, help);
		if (status >= 0)
			return status;
	}
	if (argc - optind != 3)
		return knp_ctl_usage(&c, "FROM TO PORT/PROTO are needed");

	status = explain(&c, argv + optind);
	knp_ctl_end(&c);
	return status;
}
