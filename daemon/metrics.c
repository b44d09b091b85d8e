// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "metrics.h"

#define MS_NS		1000000
#define NAME_LEN	640	/* a namespace, a policy and a direction */

/** struct knp_seen_id - one id; the tag is zero while it has no name */
struct knp_seen_id {
	uint32_t id;
	uint8_t tag[KNP_TAG_LEN];
	uint64_t packets;
	uint64_t bytes;
};

static const double latency_bounds[] = {
	0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
	2.5, 5, 10, 30, 60,
};

static const double commit_bounds[] = {
	0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
	0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
};

#define NBOUNDS(v) (sizeof(v) / sizeof(*(v)))

int knp_metrics_init(struct knp_metrics *m)
{
	*m = (struct knp_metrics){
		.started = time(NULL),
		.latency.bounds = latency_bounds,
		.latency.nbounds = NBOUNDS(latency_bounds),
		.commit.bounds = commit_bounds,
		.commit.nbounds = NBOUNDS(commit_bounds),
	};
	knp_npm_init(&m->npm);
	for (int i = 0; i < KNP_POLICY_COUNTS; i++) {
		m->by_policy[i] = knp_tally_new(KNP_POLICIES_SHOWN);
		if (!m->by_policy[i])
			return -ENOMEM;
	}
	return 0;
}

void knp_metrics_clear(struct knp_metrics *m)
{
	for (int i = 0; i < KNP_POLICY_COUNTS; i++) {
		knp_tally_free(m->by_policy[i]);
		free(m->seen[i].v);
		m->by_policy[i] = NULL;
		m->seen[i] = (struct knp_seen){ 0 };
	}
}

/* ---- what knpd does ------------------------------------------------------- */

void knp_metrics_enforced(struct knp_metrics *m, const struct knp_store *store,
			  const struct knp_push_result *res, int64_t since_ns)
{
	int64_t took = since_ns ? res->committed_ns - since_ns : 0;
	double commit_ms = -1;

	if (since_ns)
		knp_histogram_add(&m->latency, (double)took / 1e9);
	if (res->wrote) {
		knp_histogram_add(&m->commit, (double)res->commit_ns / 1e9);
		commit_ms = (double)res->commit_ns / MS_NS;
	}
	knp_npm_observe(&m->npm, store, false, (double)took / MS_NS, commit_ms,
			res->committed_ns / MS_NS);
}

static enum knp_failure failure_of(int err)
{
	switch (err) {
	case -ESTALE:
	case -EBUSY:
	case -EAGAIN:
		return KNP_FAILED_CONTENDED;
	case -ENOMEM:
		return KNP_FAILED_MEMORY;
	case -E2BIG:
	case -EMSGSIZE:
	case -ENOSPC:
		return KNP_FAILED_LIMIT;
	case -EPERM:
	case -EACCES:
		return KNP_FAILED_PERMISSION;
	case -ENOENT:
	case -EPROTONOSUPPORT:
		return KNP_FAILED_MODULE;
	case -ETIMEDOUT:
		return KNP_FAILED_TIMEOUT;
	default:
		return KNP_FAILED_OTHER;
	}
}

void knp_metrics_refused(struct knp_metrics *m, const struct knp_store *store,
			 int err, int64_t since_ns)
{
	int64_t now = knp_now_ns();

	m->failures[failure_of(err)]++;
	knp_npm_observe(&m->npm, store, true,
			since_ns ? (double)(now - since_ns) / MS_NS : 0, -1,
			now / MS_NS);
}

/* ---- what the kernel counts ----------------------------------------------- */

static bool same_tag(const uint8_t *a, const uint8_t *b)
{
	return !memcmp(a, b, KNP_TAG_LEN);
}

/* For each policy of "ns/a, ns/b" or "ns/a ingress[0]", with the direction. */
static void count_policies(struct knp_tally *t,
			   const struct knp_enforced_name *name,
			   uint64_t packets, uint64_t bytes)
{
	const char *direction = name->direction == KNP_INGRESS ? "ingress" :
								 "egress";
	const char *at = name->text;
	char key[NAME_LEN];
	size_t len;

	while (*at) {
		len = strcspn(at, ", ");
		snprintf(key, sizeof(key), "%s/%.*s", direction, (int)len, at);
		knp_tally_add(t, key, packets, bytes);
		/* A rule has one, and its number follows. */
		if (at[len] != ',')
			return;
		at += len + 1;
		at += *at == ' ';
	}
}

static void count_id(struct knp_metrics *m, enum knp_policy_count what,
		     const struct knp_seen_id *was, struct knp_seen_id *is,
		     const struct knp_enforced_name *name)
{
	static const uint8_t none[KNP_TAG_LEN];
	uint64_t packets = is->packets, bytes = is->bytes;
	bool same;

	/* A name that is not known now may have been, and may be again. */
	if (was && !name)
		memcpy(is->tag, was->tag, KNP_TAG_LEN);
	same = was && (same_tag(was->tag, is->tag) || same_tag(was->tag, none));
	if (same && was->packets <= packets && was->bytes <= bytes) {
		packets -= was->packets;
		bytes -= was->bytes;
	}
	if (!packets && !bytes)
		return;
	if (name)
		count_policies(m->by_policy[what], name, packets, bytes);
	else
		knp_tally_add(m->by_policy[what], NULL, packets, bytes);
}

static int take(struct knp_metrics *m, enum knp_policy_count what,
		uint32_t table, const struct knp_counter *v, size_t n,
		knp_metrics_name_fn name_of, void *arg)
{
	struct knp_seen *seen = &m->seen[what];
	struct knp_seen_id *ids = calloc(n ? n : 1, sizeof(*ids));
	struct knp_enforced_name name;
	size_t old = 0;
	bool known;

	if (!ids)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		ids[i].id = v[i].id;
		ids[i].packets = v[i].packets;
		ids[i].bytes = v[i].bytes;
		known = name_of(arg, table, v[i].id, &name);
		if (known)
			memcpy(ids[i].tag, name.tag, KNP_TAG_LEN);
		while (old < seen->n && seen->v[old].id < v[i].id)
			old++;
		count_id(m, what, old < seen->n && seen->v[old].id == v[i].id ?
			 &seen->v[old] : NULL, &ids[i], known ? &name : NULL);
	}
	free(seen->v);
	seen->v = ids;
	seen->n = n;
	return 0;
}

int knp_metrics_take(struct knp_metrics *m, const struct knp_kernel_view *k,
		     knp_metrics_name_fn name, void *arg)
{
	const struct knp_counters *c = &k->counters;
	int err;

	/* Another module counts from zero. */
	if (m->instance != k->info.instance) {
		m->seen[KNP_POLICY_DROPS].n = 0;
		m->seen[KNP_POLICY_ALLOWS].n = 0;
		m->instance = k->info.instance;
	}
	err = take(m, KNP_POLICY_DROPS, KNP_TABLE_SET, c->sets, c->nsets, name,
		   arg);
	if (err)
		return err;
	return take(m, KNP_POLICY_ALLOWS, KNP_TABLE_RULE, c->rules, c->nrules,
		    name, arg);
}
