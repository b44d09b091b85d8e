// SPDX-License-Identifier: Apache-2.0
/* Names and values of policies are interned: they are compared as pointers. */
#include <stdlib.h>
#include <string.h>

#include "store.h"
#include "strings.h"

static void labels_clear(struct knp_labels *labels)
{
	for (size_t i = 0; i < labels->n; i++) {
		knp_string_put(labels->v[i].key);
		knp_string_put(labels->v[i].value);
	}
	free(labels->v);
}

void knp_selector_clear(struct knp_selector *selector)
{
	labels_clear(&selector->labels);
	for (size_t i = 0; i < selector->nreqs; i++) {
		struct knp_requirement *req = &selector->reqs[i];

		for (size_t j = 0; j < req->nvalues; j++)
			knp_string_put(req->values[j]);
		free(req->values);
		knp_string_put(req->key);
	}
	free(selector->reqs);
	*selector = (struct knp_selector){ 0 };
}

static void selector_free(struct knp_selector *selector)
{
	if (!selector)
		return;
	knp_selector_clear(selector);
	free(selector);
}

void knp_peer_clear(struct knp_peer *peer)
{
	if (peer->block)
		free(peer->block->except);
	free(peer->block);
	selector_free(peer->ns);
	selector_free(peer->pod);
	*peer = (struct knp_peer){ 0 };
}

void knp_port_clear(struct knp_port *port)
{
	knp_string_put(port->name);
	*port = (struct knp_port){ 0 };
}

static void rules_free(struct knp_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct knp_rule *rule = &rules[i];

		for (size_t j = 0; j < rule->npeers; j++)
			knp_peer_clear(&rule->peers[j]);
		for (size_t j = 0; j < rule->nports; j++)
			knp_port_clear(&rule->ports[j]);
		free(rule->peers);
		free(rule->ports);
	}
	free(rules);
}

struct knp_policy *knp_policy_hold(struct knp_policy *policy)
{
	policy->holders++;
	return policy;
}

void knp_policy_free(struct knp_policy *policy)
{
	if (!policy || policy->holders--)
		return;
	knp_string_put(policy->ns);
	free(policy->name);
	free(policy->uid);
	knp_selector_clear(&policy->subject);
	rules_free(policy->ingress, policy->ningress);
	rules_free(policy->egress, policy->negress);
	free(policy);
}

static bool labels_equal(const struct knp_labels *a, const struct knp_labels *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].key != b->v[i].key ||
		    a->v[i].value != b->v[i].value)
			return false;
	return true;
}

static bool requirement_equal(const struct knp_requirement *a,
			      const struct knp_requirement *b)
{
	if (a->op != b->op || a->nvalues != b->nvalues ||
	    a->key != b->key)
		return false;
	for (size_t i = 0; i < a->nvalues; i++)
		if (a->values[i] != b->values[i])
			return false;
	return true;
}

static bool selector_equal(const struct knp_selector *a,
			   const struct knp_selector *b)
{
	if (!a || !b)
		return a == b;
	if (a->nreqs != b->nreqs || !labels_equal(&a->labels, &b->labels))
		return false;
	for (size_t i = 0; i < a->nreqs; i++)
		if (!requirement_equal(&a->reqs[i], &b->reqs[i]))
			return false;
	return true;
}

static bool prefix_equal(const struct knp_prefix *a, const struct knp_prefix *b)
{
	return a->len == b->len && knp_ip_equal(&a->ip, &b->ip);
}

static bool block_equal(const struct knp_ipblock *a,
			const struct knp_ipblock *b)
{
	if (!a || !b)
		return a == b;
	if (a->nexcept != b->nexcept || !prefix_equal(&a->cidr, &b->cidr))
		return false;
	for (size_t i = 0; i < a->nexcept; i++)
		if (!prefix_equal(&a->except[i], &b->except[i]))
			return false;
	return true;
}

static bool port_equal(const struct knp_port *a, const struct knp_port *b)
{
	return a->proto == b->proto && a->lo == b->lo && a->hi == b->hi &&
	       a->name == b->name;
}

static bool rule_equal(const struct knp_rule *a, const struct knp_rule *b)
{
	if (a->closed != b->closed || a->npeers != b->npeers ||
	    a->nports != b->nports)
		return false;
	for (size_t i = 0; i < a->npeers; i++)
		if (!block_equal(a->peers[i].block, b->peers[i].block) ||
		    !selector_equal(a->peers[i].ns, b->peers[i].ns) ||
		    !selector_equal(a->peers[i].pod, b->peers[i].pod))
			return false;
	for (size_t i = 0; i < a->nports; i++)
		if (!port_equal(&a->ports[i], &b->ports[i]))
			return false;
	return true;
}

static bool rules_equal(const struct knp_rule *a, size_t na,
			const struct knp_rule *b, size_t nb)
{
	if (na != nb)
		return false;
	for (size_t i = 0; i < na; i++)
		if (!rule_equal(&a[i], &b[i]))
			return false;
	return true;
}

bool knp_policy_equal(const struct knp_policy *a, const struct knp_policy *b)
{
	return !strcmp(a->uid, b->uid) &&
	       a->isolates_ingress == b->isolates_ingress &&
	       a->isolates_egress == b->isolates_egress &&
	       selector_equal(&a->subject, &b->subject) &&
	       rules_equal(a->ingress, a->ningress, b->ingress, b->ningress) &&
	       rules_equal(a->egress, a->negress, b->egress, b->negress);
}
