// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode_policy.h"
#include "strings.h"

int knp_decode_labels(struct knp_fields *f, struct json_object *obj,
		      const char *name, struct knp_label_view **v, size_t *n)
{
	struct json_object *map = NULL;
	struct knp_label_view *label;
	const char *text;
	size_t mark;
	int err;

	err = knp_fields_get(f, obj, name, json_type_object, &map);
	if (err < 0)
		return err;
	*v = calloc((err ? (size_t)json_object_object_length(map) : 0) + 1,
		    sizeof(**v));
	if (!*v)
		return -ENOMEM;
	if (!err)
		return 0;
	mark = knp_fields_enter(f, name);
	json_object_object_foreach(map, key, value) {
		size_t inner = knp_fields_enter_key(f, key);

		err = knp_fields_expect_string(f, value, &text);
		if (err)
			return err;
		label = &(*v)[(*n)++];
		label->key = knp_text_of(key);
		label->value = knp_text_of(text);
		knp_fields_leave(f, inner);
	}
	knp_fields_leave(f, mark);
	return 0;
}

static int label_cmp(const void *a, const void *b)
{
	return strcmp(((const struct knp_label *)a)->key,
		      ((const struct knp_label *)b)->key);
}

static int decode_match_labels(struct knp_fields *f, struct json_object *obj,
			       struct knp_labels *ret)
{
	struct knp_label_view *v = NULL;
	size_t n = 0;
	int err;

	err = knp_decode_labels(f, obj, "matchLabels", &v, &n);
	if (err || !n)
		goto out;
	err = -ENOMEM;
	ret->v = calloc(n, sizeof(*ret->v));
	if (!ret->v)
		goto out;
	for (; ret->n < n; ret->n++) {
		struct knp_label *label = &ret->v[ret->n];
		struct knp_label_view *view = &v[ret->n];

		label->key = knp_string_get(view->key.s, view->key.n);
		label->value = knp_string_get(view->value.s, view->value.n);
		if (!label->key || !label->value) {
			ret->n++;
			goto out;
		}
	}
	qsort(ret->v, n, sizeof(*ret->v), label_cmp);
	err = 0;
out:
	free(v);
	return err;
}

static int decode_value(struct knp_fields *f, struct json_object *item,
			void *element)
{
	const char **value = element;
	const char *text;
	int err;

	err = knp_fields_expect_string(f, item, &text);
	if (err)
		return err;
	*value = knp_string_dup(text);
	return *value ? 0 : -ENOMEM;
}

static int decode_operator(struct knp_fields *f, struct json_object *obj,
			   enum knp_operator *ret)
{
	static const char *const names[] = {
		[KNP_OP_IN] = "In",
		[KNP_OP_NOT_IN] = "NotIn",
		[KNP_OP_EXISTS] = "Exists",
		[KNP_OP_DOES_NOT_EXIST] = "DoesNotExist",
	};
	const char *text;
	int there;

	there = knp_fields_get_string(f, obj, "operator", &text);
	if (there < 0)
		return there;
	if (!there)
		return knp_fields_refuse_at(f, "operator", "is required");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(text, names[i]))
			continue;
		*ret = (enum knp_operator)i;
		return 0;
	}
	return knp_fields_refuse_at(f, "operator",
				    "must be In, NotIn, Exists or DoesNotExist, is \"%s\"",
				    text);
}

static int decode_requirement(struct knp_fields *f, struct json_object *item,
			      void *element)
{
	static const char *const known[] = {
		"key", "operator", "values", NULL,
	};
	struct knp_requirement *req = element;
	void *values = NULL;
	bool wants;
	int err;

	err = knp_fields_expect(f, item, json_type_object);
	if (!err)
		err = knp_fields_only(f, item, known);
	if (!err)
		err = knp_fields_intern(f, item, "key", "", &req->key);
	if (err)
		return err;
	if (!*req->key)
		return knp_fields_refuse_at(f, "key", "is required");
	err = decode_operator(f, item, &req->op);
	if (err)
		return err;
	err = knp_fields_list(f, item, "values", sizeof(*req->values), &values,
			      &req->nvalues, decode_value);
	req->values = values;
	if (err)
		return err;

	wants = req->op == KNP_OP_IN || req->op == KNP_OP_NOT_IN;
	if (wants && !req->nvalues)
		return knp_fields_refuse_at(f, "values",
					    "needs at least one value for In and NotIn");
	if (!wants && req->nvalues)
		return knp_fields_refuse_at(f, "values",
					    "must be empty for Exists and DoesNotExist");
	return 0;
}

static int decode_selector(struct knp_fields *f, struct json_object *obj,
			   struct knp_selector *ret)
{
	static const char *const known[] = {
		"matchLabels", "matchExpressions", NULL,
	};
	void *reqs = NULL;
	int err;

	err = knp_fields_only(f, obj, known);
	if (!err)
		err = decode_match_labels(f, obj, &ret->labels);
	if (err)
		return err;
	err = knp_fields_list(f, obj, "matchExpressions", sizeof(*ret->reqs),
			      &reqs, &ret->nreqs, decode_requirement);
	ret->reqs = reqs;
	return err;
}

/* An optional selector of a peer: *ret stays NULL if it is absent. */
static int decode_peer_selector(struct knp_fields *f, struct json_object *obj,
				const char *name, struct knp_selector **ret)
{
	struct json_object *value;
	size_t mark;
	int err;

	err = knp_fields_get(f, obj, name, json_type_object, &value);
	if (err <= 0)
		return err;
	*ret = calloc(1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	mark = knp_fields_enter(f, name);
	err = decode_selector(f, value, *ret);
	if (err)
		return err;
	knp_fields_leave(f, mark);
	return 0;
}

static int parse_prefix(struct knp_fields *f, const char *text,
			struct knp_prefix *ret)
{
	if (!knp_prefix_parse(text, ret))
		return 0;
	return knp_fields_refuse(f, "must be an IPv4 or IPv6 CIDR such as 10.0.0.0/8, is \"%s\"",
				 text);
}

static int decode_except(struct knp_fields *f, struct json_object *item,
			 void *element)
{
	const char *text;
	int err;

	err = knp_fields_expect_string(f, item, &text);
	return err ? err : parse_prefix(f, text, element);
}

static int check_excepts(struct knp_fields *f, const struct knp_ipblock *block)
{
	for (size_t i = 0; i < block->nexcept; i++) {
		if (knp_prefix_contains(&block->cidr, &block->except[i]))
			continue;
		knp_fields_enter(f, "except");
		knp_fields_enter_item(f, i);
		return knp_fields_refuse(f, "must lie inside the cidr");
	}
	return 0;
}

static int decode_block(struct knp_fields *f, struct json_object *obj,
			struct knp_ipblock *ret)
{
	static const char *const known[] = { "cidr", "except", NULL };
	void *except = NULL;
	const char *text;
	size_t mark;
	int err;

	err = knp_fields_only(f, obj, known);
	if (err)
		return err;
	err = knp_fields_get_string(f, obj, "cidr", &text);
	if (err < 0)
		return err;
	if (!err)
		return knp_fields_refuse_at(f, "cidr", "is required");
	mark = knp_fields_enter(f, "cidr");
	err = parse_prefix(f, text, &ret->cidr);
	if (err)
		return err;
	knp_fields_leave(f, mark);
	err = knp_fields_list(f, obj, "except", sizeof(*ret->except), &except,
			      &ret->nexcept, decode_except);
	ret->except = except;
	return err ? err : check_excepts(f, ret);
}

static int decode_peer_block(struct knp_fields *f, struct json_object *obj,
			     struct knp_ipblock **ret)
{
	struct json_object *value;
	size_t mark;
	int err;

	err = knp_fields_get(f, obj, "ipBlock", json_type_object, &value);
	if (err <= 0)
		return err;
	*ret = calloc(1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	mark = knp_fields_enter(f, "ipBlock");
	err = decode_block(f, value, *ret);
	if (err)
		return err;
	knp_fields_leave(f, mark);
	return 0;
}

static int read_peer(struct knp_fields *f, struct json_object *item,
		     struct knp_peer *peer)
{
	static const char *const known[] = {
		"podSelector", "namespaceSelector", "ipBlock", NULL,
	};
	int err;

	err = knp_fields_expect(f, item, json_type_object);
	if (!err)
		err = knp_fields_only(f, item, known);
	if (!err)
		err = decode_peer_block(f, item, &peer->block);
	if (!err)
		err = decode_peer_selector(f, item, "namespaceSelector",
					   &peer->ns);
	if (!err)
		err = decode_peer_selector(f, item, "podSelector", &peer->pod);
	if (err)
		return err;
	if (peer->block && (peer->ns || peer->pod))
		return knp_fields_refuse(f, "ipBlock excludes podSelector and namespaceSelector");
	if (!peer->block && !peer->ns && !peer->pod)
		return knp_fields_refuse(f, "needs a podSelector, a namespaceSelector or an ipBlock");
	return 0;
}

/* Peers are alternatives: without one of them the rule allows less. */
static int decode_peer(struct knp_fields *f, struct json_object *item,
		       void *element)
{
	const char *outer = f->effect;
	size_t mark = f->len;
	int err;

	f->effect = "this peer matches nobody";
	err = read_peer(f, item, element);
	f->effect = outer;
	if (err != -EINVAL)
		return err;
	knp_fields_leave(f, mark);
	knp_peer_clear(element);
	return KNP_FIELDS_SKIP;
}

/* The syntax of an IANA service name, which the API server demands. */
static bool is_port_name(const char *text)
{
	size_t len = strlen(text);
	bool letter = false;

	if (!len || len > 15 || text[0] == '-' || text[len - 1] == '-' ||
	    strstr(text, "--"))
		return false;
	for (; *text; text++) {
		if (*text >= 'a' && *text <= 'z')
			letter = true;
		else if ((*text < '0' || *text > '9') && *text != '-')
			return false;
	}
	return letter;
}

static int decode_port_name(struct knp_fields *f, struct json_object *obj,
			    struct knp_port *port)
{
	const char *text;
	int err;

	err = knp_fields_get_string(f, obj, "port", &text);
	if (err < 0)
		return err;
	if (!is_port_name(text))
		return knp_fields_refuse_at(f, "port",
					    "must be a number or a port name (a-z, 0-9, \"-\", at least one letter), is \"%s\"",
					    text);
	port->name = knp_string_dup(text);
	return port->name ? 0 : -ENOMEM;
}

static int read_port(struct knp_fields *f, struct json_object *item,
		     struct knp_port *port)
{
	static const char *const known[] = {
		"protocol", "port", "endPort", NULL,
	};
	struct json_object *value;
	uint16_t end;
	int there;
	int err;

	err = knp_fields_expect(f, item, json_type_object);
	if (!err)
		err = knp_fields_only(f, item, known);
	if (!err)
		err = knp_fields_get_protocol(f, item, &port->proto);
	if (err)
		return err;

	there = json_object_object_get_ex(item, "port", &value) && value;
	port->hi = 65535;
	if (there && json_object_is_type(value, json_type_string)) {
		err = decode_port_name(f, item, port);
	} else if (there) {
		err = knp_fields_get_port(f, item, "port", &port->lo);
		port->hi = port->lo;
	}
	if (err < 0)
		return err;

	err = knp_fields_get_port(f, item, "endPort", &end);
	if (err <= 0)
		return err;
	if (!there)
		return knp_fields_refuse_at(f, "endPort", "needs a port");
	if (port->name)
		return knp_fields_refuse_at(f, "endPort",
					    "needs a port number, not the name \"%s\"",
					    port->name);
	if (end < port->lo)
		return knp_fields_refuse_at(f, "endPort",
					    "must not be less than port (%u < %u)",
					    end, port->lo);
	port->hi = end;
	return 0;
}

/* As are ports. */
static int decode_port(struct knp_fields *f, struct json_object *item,
		       void *element)
{
	const char *outer = f->effect;
	size_t mark = f->len;
	int err;

	f->effect = "this entry matches no port";
	err = read_port(f, item, element);
	f->effect = outer;
	if (err != -EINVAL)
		return err;
	knp_fields_leave(f, mark);
	knp_port_clear(element);
	return KNP_FIELDS_SKIP;
}

/* @rule is closed unless all that restricts it was read. */
static int read_rule(struct knp_fields *f, struct json_object *item,
		     const char *peers, struct knp_rule *rule)
{
	const char *const known[] = { peers, "ports", NULL };
	void *v = NULL;
	int err;

	rule->closed = true;
	err = knp_fields_expect(f, item, json_type_object);
	if (!err)
		err = knp_fields_only(f, item, known);
	if (err)
		return err;
	err = knp_fields_list(f, item, peers, sizeof(*rule->peers), &v,
			      &rule->npeers, decode_peer);
	rule->peers = v;
	if (err)
		return err;
	v = NULL;
	err = knp_fields_list(f, item, "ports", sizeof(*rule->ports), &v,
			      &rule->nports, decode_port);
	rule->ports = v;
	if (err)
		return err;
	/* A list of which nothing is left must not become one that is absent. */
	rule->closed = (!rule->npeers && knp_fields_count(item, peers)) ||
		       (!rule->nports && knp_fields_count(item, "ports"));
	return 0;
}

/* A rule is never left out: rules are named by their places. */
static int decode_rule(struct knp_fields *f, struct json_object *item,
		       const char *peers, struct knp_rule *rule)
{
	const char *outer = f->effect;
	size_t mark = f->len;
	int err;

	f->effect = "the rule allows nothing";
	err = read_rule(f, item, peers, rule);
	f->effect = outer;
	if (err != -EINVAL)
		return err;
	knp_fields_leave(f, mark);
	return 0;
}

static int decode_ingress(struct knp_fields *f, struct json_object *item,
			  void *element)
{
	return decode_rule(f, item, "from", element);
}

static int decode_egress(struct knp_fields *f, struct json_object *item,
			 void *element)
{
	return decode_rule(f, item, "to", element);
}

/* enum direction - bits, what policyTypes may name */
enum direction {
	INGRESS = 1 << 0,
	EGRESS = 1 << 1,
	BOTH = INGRESS | EGRESS,
};

/**
 * struct draft - a spec while it is read
 * @spec: the object
 * @strange: it has a field that is not known, which may mean anything
 * @anybody: whom it selects cannot be read
 * @egress: it has egress rules, readable or not
 * @named: the directions of policyTypes
 * @unnamed: policyTypes has more than @named, which cannot be read
 */
struct draft {
	struct json_object *spec;
	bool strange;
	bool anybody;
	bool egress;
	unsigned int named;
	bool unnamed;
};

/* Note a part that cannot be read, and go on behind it. */
static int note(struct knp_fields *f, size_t mark, int err, bool *unread)
{
	f->effect = NULL;
	if (err != -EINVAL)
		return err;
	knp_fields_leave(f, mark);
	*unread = true;
	return 0;
}

static int read_type(struct knp_fields *f, struct json_object *item,
		     enum direction *type)
{
	const char *text;
	int err;

	err = knp_fields_expect_string(f, item, &text);
	if (err)
		return err;
	if (!strcmp(text, "Ingress"))
		*type = INGRESS;
	else if (!strcmp(text, "Egress"))
		*type = EGRESS;
	else
		return knp_fields_refuse(f, "must be Ingress or Egress, is \"%s\"",
					 text);
	return 0;
}

static int decode_type(struct knp_fields *f, struct json_object *item,
		       void *element)
{
	size_t mark = f->len;
	int err;

	err = read_type(f, item, element);
	if (err != -EINVAL)
		return err;
	knp_fields_leave(f, mark);
	return KNP_FIELDS_SKIP;
}

static int decode_types(struct knp_fields *f, struct draft *d)
{
	enum direction *types;
	size_t mark = f->len;
	void *v = NULL;
	size_t n = 0;
	int err;

	f->effect = "a direction that is not named is isolated, and no rule allows anything in it";
	err = knp_fields_list(f, d->spec, "policyTypes", sizeof(*types), &v, &n,
			      decode_type);
	types = v;
	for (size_t i = 0; i < n; i++)
		d->named |= types[i];
	free(v);
	d->unnamed = n < knp_fields_count(d->spec, "policyTypes");
	return note(f, mark, err, &d->unnamed);
}

static int read_subject(struct knp_fields *f, struct draft *d,
			struct knp_selector *ret)
{
	struct json_object *value;
	int err;

	err = knp_fields_get(f, d->spec, "podSelector", json_type_object,
			     &value);
	if (err <= 0)
		return err;
	knp_fields_enter(f, "podSelector");
	return decode_selector(f, value, ret);
}

/* A selector of which nothing is left selects everybody. */
static int decode_subject(struct knp_fields *f, struct draft *d,
			  struct knp_selector *ret)
{
	size_t mark = f->len;
	int err;

	f->effect = "all pods of the namespace are isolated, and no rule allows anything";
	err = read_subject(f, d, ret);
	if (!err)
		knp_fields_leave(f, mark);
	if (err == -EINVAL)
		knp_selector_clear(ret);
	return note(f, mark, err, &d->anybody);
}

/* Rules that are no list are none: without a rule nothing is allowed. */
static int decode_rules(struct knp_fields *f, struct draft *d, const char *name,
			struct knp_rule **rules, size_t *n,
			int (*decode)(struct knp_fields *f,
				      struct json_object *item, void *element),
			bool *there)
{
	size_t mark = f->len;
	void *v = NULL;
	int err;

	f->effect = "no rule allows anything in this direction";
	err = knp_fields_list(f, d->spec, name, sizeof(**rules), &v, n, decode);
	*rules = v;
	*there = *n;
	return note(f, mark, err, there);
}

static int decode_known(struct knp_fields *f, struct draft *d)
{
	static const char *const known[] = {
		"podSelector", "policyTypes", "ingress", "egress", NULL,
	};
	size_t mark = f->len;
	int err;

	f->effect = "both directions are isolated, and no rule allows anything";
	err = knp_fields_only(f, d->spec, known);
	return note(f, mark, err, &d->strange);
}

static int decode_spec(struct knp_fields *f, struct draft *d,
		       struct knp_policy *ret)
{
	bool ingress;
	int err;

	err = decode_known(f, d);
	if (!err)
		err = decode_subject(f, d, &ret->subject);
	if (!err)
		err = decode_rules(f, d, "ingress", &ret->ingress,
				   &ret->ningress, decode_ingress, &ingress);
	if (!err)
		err = decode_rules(f, d, "egress", &ret->egress,
				   &ret->negress, decode_egress, &d->egress);
	return err ? err : decode_types(f, d);
}

static void close_rules(struct knp_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rules[i].closed = true;
}

/*
 * What is isolated, and in which of these directions rules count: only in those
 * that are named for certain, since rules of a direction that the types leave
 * out mean nothing.
 */
static void settle(const struct draft *d, struct knp_policy *policy)
{
	unsigned int isolated = d->named;
	unsigned int closed;

	if (!isolated && !d->unnamed)
		isolated = INGRESS | (d->egress ? EGRESS : 0);
	closed = d->strange || d->anybody ? BOTH : BOTH & ~isolated;
	if (d->strange || d->unnamed)
		isolated = BOTH;
	policy->isolates_ingress = isolated & INGRESS;
	policy->isolates_egress = isolated & EGRESS;
	if (isolated & closed & INGRESS)
		close_rules(policy->ingress, policy->ningress);
	if (isolated & closed & EGRESS)
		close_rules(policy->egress, policy->negress);
}

void knp_decode_unread_policy(struct knp_policy *ret)
{
	const struct draft d = { .strange = true };

	settle(&d, ret);
}

int knp_decode_policy(struct knp_fields *f, struct json_object *obj,
		      struct knp_policy *ret)
{
	struct draft d = { 0 };
	size_t mark = f->len;
	bool unread = false;
	int err;

	f->effect = "all pods of the namespace are isolated in both directions";
	err = knp_fields_get(f, obj, "spec", json_type_object, &d.spec);
	if (!err)
		err = knp_fields_refuse_at(f, "spec", "is required");
	err = note(f, mark, err < 0 ? err : 0, &unread);
	if (err)
		return err;
	if (unread) {
		knp_decode_unread_policy(ret);
		return 0;
	}
	knp_fields_enter(f, "spec");
	err = decode_spec(f, &d, ret);
	if (err)
		return err;
	knp_fields_leave(f, mark);
	settle(&d, ret);
	return 0;
}
