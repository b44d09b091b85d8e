// SPDX-License-Identifier: Apache-2.0
#include "model.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen_pods.h"

#define TEAMS			40
#define REPLICAS		5
#define WORKLOADS		4
#define PODS_PER_NODE		100
#define CROWD_POLICIES		20
#define NAME_LEN		64
#define NOWHERE			UINT32_MAX

struct place {
	uint32_t node;		/* 1, 2: the local ones; else 3 and more */
	uint32_t slot;		/* number on its node */
};

struct model {
	struct model_options opt;
	uint32_t plain;		/* Pods that are not of the crowd */
	uint32_t per_ns;
	uint32_t nodes;		/* remote ones */
	struct model_pod *pods;
	struct place *places;
	uint32_t *candidates[MODEL_SCOPES];
	uint32_t ncandidates[MODEL_SCOPES];
};

/* Text that is written into a caller's buffer. */
struct text {
	char *buf;
	size_t room;
	size_t len;
};

enum policy_kind {
	DEFAULT_DENY,
	SAME_NAMESPACE,
	TEAM,
	NAMESPACE_AND_PODS,
	BLOCK,
	DNS,
};

static const char *const kind_names[] = {
	[DEFAULT_DENY] = "default-deny",
	[SAME_NAMESPACE] = "allow-frontend",
	[TEAM] = "allow-team",
	[NAMESPACE_AND_PODS] = "allow-monitoring",
	[BLOCK] = "allow-outside",
	[DNS] = "allow-dns",
};

/* The two policies of a namespace, by its number. */
static const enum policy_kind kinds_of[5][2] = {
	{ DEFAULT_DENY, SAME_NAMESPACE },
	{ SAME_NAMESPACE, DNS },
	{ TEAM, SAME_NAMESPACE },
	{ DEFAULT_DENY, NAMESPACE_AND_PODS },
	{ BLOCK, SAME_NAMESPACE },
};

uint64_t model_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

__attribute__((format(printf, 2, 3)))
static void put(struct text *t, const char *format, ...)
{
	size_t left = t->len < t->room ? t->room - t->len : 0;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->buf + t->room - left, left, format, args);
	va_end(args);
	t->len += n > 0 ? (size_t)n : 0;
}

/* vsnprintf() needs a byte for its NUL. */
static int length(const struct text *t)
{
	return t->len < t->room ? (int)t->len : -EINVAL;
}

/* Names ascend with numbers: a server lists in the order of names. */
static const char *ns_name(const struct model *m, uint32_t ns, char *buf)
{
	static const char *const words[] = {
		"shop", "billing", "search", "media", "ledger", "mail", "maps",
	};

	if (ns == 0)
		return "kube-system";
	if (ns == 1)
		return "monitoring";
	if (ns == m->opt.namespaces - 1)
		return "the-crowd";
	snprintf(buf, NAME_LEN, "n%05u-%s", ns, words[ns % 7]);
	return buf;
}

static uint32_t ns_of(const struct model *m, uint32_t pod)
{
	return pod < m->plain ? pod / m->per_ns : m->opt.namespaces - 1;
}

static bool has_frontend_policy(uint32_t ns)
{
	return kinds_of[ns % 5][0] == SAME_NAMESPACE ||
	       kinds_of[ns % 5][1] == SAME_NAMESPACE;
}

/* Local Pod number k is the first of a workload, in a namespace that is full. */
static uint32_t local_pod(const struct model *m, uint32_t k)
{
	uint32_t spread = m->opt.spread;
	uint64_t full = m->plain / m->per_ns;
	uint64_t ns = k % spread * full / spread;

	return (uint32_t)ns * m->per_ns + k / spread * REPLICAS;
}

static int place_pods(struct model *m)
{
	for (uint32_t i = 0; i < m->plain; i++)
		m->places[i] = (struct place){
			.node = 3 + i % m->nodes,
			.slot = i / m->nodes,
		};
	for (uint32_t i = m->plain; i < m->opt.pods; i++)
		m->places[i] = (struct place){ .node = 2, .slot = i - m->plain };

	for (uint32_t k = 0; k < m->opt.local; k++) {
		uint32_t i = local_pod(m, k);

		if (i >= m->plain || m->places[i].node == 1)
			return -EINVAL;
		m->places[i] = (struct place){ .node = 1, .slot = k };
	}
	return 0;
}

static void find_candidates(struct model *m)
{
	uint32_t spread = m->opt.local < m->opt.spread ? m->opt.local :
			  m->opt.spread;

	for (uint32_t k = 0; k < m->opt.local; k++) {
		uint32_t i = local_pod(m, k);

		if (has_frontend_policy(ns_of(m, i)))
			m->candidates[MODEL_LOCAL][m->ncandidates[MODEL_LOCAL]++] = i;
	}

	/* The first Pod of web is local; the others are allowed as frontends. */
	for (uint32_t k = 0; k < spread; k++) {
		uint32_t web = local_pod(m, k);

		if (!has_frontend_policy(ns_of(m, web)))
			continue;
		for (uint32_t i = web + 1; i < web + REPLICAS; i++)
			m->candidates[MODEL_REMOTE][m->ncandidates[MODEL_REMOTE]++] = i;
	}
}

static int check(const struct model *m)
{
	const struct model_options *o = &m->opt;

	if (o->namespaces < 3 || o->crowd > o->pods || o->crowd > 250 ||
	    o->local > 250 || o->policies < CROWD_POLICIES || !o->spread ||
	    o->spread > o->namespaces - 1)
		return -EINVAL;
	/* Whole workloads of web, and room for the local Pods. */
	if (o->local && (m->per_ns < REPLICAS ||
			 m->plain / m->per_ns < o->spread ||
			 (o->local - 1) / o->spread >= m->per_ns / REPLICAS))
		return -EINVAL;
	return m->nodes <= 40000 ? 0 : -EINVAL;
}

int model_new(const struct model_options *options, struct model **ret)
{
	struct model *m = calloc(1, sizeof(*m));
	int err = -ENOMEM;

	if (!m)
		return -ENOMEM;

	m->opt = *options;
	m->plain = options->pods - options->crowd;
	if (options->namespaces > 1)
		m->per_ns = (m->plain + options->namespaces - 2) /
			    (options->namespaces - 1);
	m->nodes = m->plain / PODS_PER_NODE + 1;
	err = check(m);
	if (err)
		goto fail;

	err = -ENOMEM;
	m->pods = calloc(options->pods + 1, sizeof(*m->pods));
	m->places = calloc(options->pods + 1, sizeof(*m->places));
	for (int i = 0; i < MODEL_SCOPES; i++)
		m->candidates[i] = calloc((size_t)options->local * REPLICAS + 1,
					  sizeof(*m->candidates[i]));
	if (!m->pods || !m->places || !m->candidates[MODEL_LOCAL] ||
	    !m->candidates[MODEL_REMOTE])
		goto fail;

	err = place_pods(m);
	if (err)
		goto fail;
	find_candidates(m);
	*ret = m;
	return 0;

fail:
	model_free(m);
	return err;
}

void model_free(struct model *m)
{
	if (!m)
		return;

	for (int i = 0; i < MODEL_SCOPES; i++)
		free(m->candidates[i]);
	free(m->places);
	free(m->pods);
	free(m);
}

struct model_pod *model_pod(struct model *m, uint32_t pod)
{
	return &m->pods[pod];
}

const uint32_t *model_candidates(const struct model *m, enum model_scope scope,
				 uint32_t *n)
{
	*n = m->ncandidates[scope];
	return m->candidates[scope];
}

static void put_uid(struct text *t, uint64_t seed, uint64_t what)
{
	uint64_t state = seed ^ what * 0xd1342543de82ef95ULL;
	uint64_t a = model_random(&state);
	uint64_t b = model_random(&state);

	put(t, "%08x-%04x-4%03x-a%03x-%012llx", (unsigned int)(a >> 32),
	    (unsigned int)(a >> 16 & 0xffff), (unsigned int)(a & 0xfff),
	    (unsigned int)(b >> 52), (unsigned long long)(b & 0xffffffffffffULL));
}

static void put_metadata(struct text *t, const struct model *m,
			 const char *ns, const char *name, uint64_t what,
			 uint64_t version)
{
	put(t, "{\"metadata\":{\"name\":\"%s\"", name);
	if (ns)
		put(t, ",\"namespace\":\"%s\"", ns);
	put(t, ",\"uid\":\"");
	put_uid(t, m->opt.seed, what);
	put(t, "\",\"resourceVersion\":\"%llu\"", (unsigned long long)version);
	if (ns)
		put(t, ",\"generation\":1");
	put(t, ",\"creationTimestamp\":\"2026-01-01T00:00:00Z\"");
}

int model_write_namespace(const struct model *m, uint32_t i, uint64_t version,
			  char *buf, size_t room)
{
	static const char *const envs[] = { "prod", "staging", "dev" };
	struct text t = { .buf = buf, .room = room };
	char name_buf[NAME_LEN];
	const char *name = ns_name(m, i, name_buf);

	put_metadata(&t, m, NULL, name, 1ULL << 40 | i, version);
	put(&t, ",\"labels\":{\"env\":\"%s\",\"kubernetes.io/metadata.name\":\"%s\",\"team\":\"team-%02u\"}",
	    envs[i % 3], name, i % TEAMS);
	put(&t, ",\"managedFields\":[{\"manager\":\"kubectl-create\",\"operation\":\"Update\",\"apiVersion\":\"v1\",\"time\":\"2026-01-01T00:00:00Z\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:metadata\":{\"f:labels\":{\".\":{},\"f:env\":{},\"f:kubernetes.io/metadata.name\":{},\"f:team\":{}}}}}]}");
	put(&t, ",\"spec\":{\"finalizers\":[\"kubernetes\"]},\"status\":{\"phase\":\"Active\"}}");
	return length(&t);
}

static void put_policy_fields(struct text *t)
{
	put(t, ",\"managedFields\":[{\"manager\":\"kubectl-client-side-apply\",\"operation\":\"Update\",\"apiVersion\":\"networking.k8s.io/v1\",\"time\":\"2026-01-01T00:00:00Z\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:metadata\":{\"f:annotations\":{\".\":{},\"f:kubectl.kubernetes.io/last-applied-configuration\":{}}},\"f:spec\":{\"f:egress\":{},\"f:ingress\":{},\"f:podSelector\":{},\"f:policyTypes\":{}}}}]}");
}

static void put_spec(struct text *t, const struct model *m,
		     enum policy_kind kind, uint32_t i)
{
	char name[NAME_LEN];

	put(t, ",\"spec\":{");
	switch (kind) {
	case DEFAULT_DENY:
		put(t, "\"podSelector\":{},\"policyTypes\":[\"Ingress\",\"Egress\"]");
		break;
	case SAME_NAMESPACE:
		put(t, "\"podSelector\":{\"matchLabels\":{\"tier\":\"backend\"}},\"ingress\":[{\"ports\":[{\"protocol\":\"TCP\",\"port\":8080},{\"protocol\":\"TCP\",\"port\":\"metrics\"}],\"from\":[{\"podSelector\":{\"matchLabels\":{\"tier\":\"frontend\"}}}]}],\"policyTypes\":[\"Ingress\"]");
		break;
	case TEAM:
		put(t, "\"podSelector\":{},\"ingress\":[{\"from\":[{\"namespaceSelector\":{\"matchLabels\":{\"team\":\"team-%02u\"}}}]}],\"policyTypes\":[\"Ingress\"]",
		    i / 5 % TEAMS);
		break;
	case NAMESPACE_AND_PODS:
		put(t, "\"podSelector\":{\"matchExpressions\":[{\"key\":\"tier\",\"operator\":\"In\",\"values\":[\"frontend\",\"backend\"]}]},\"ingress\":[{\"ports\":[{\"protocol\":\"TCP\",\"port\":9090}],\"from\":[{\"podSelector\":{\"matchLabels\":{\"app\":\"web\"}},\"namespaceSelector\":{\"matchLabels\":{\"kubernetes.io/metadata.name\":\"%s\"}}}]}],\"policyTypes\":[\"Ingress\"]",
		    ns_name(m, 1, name));
		break;
	case BLOCK:
		put(t, "\"podSelector\":{\"matchLabels\":{\"tier\":\"frontend\"}},\"egress\":[{\"ports\":[{\"protocol\":\"TCP\",\"port\":%u,\"endPort\":%u}],\"to\":[{\"ipBlock\":{\"cidr\":\"172.16.0.0/12\",\"except\":[\"172.%u.%u.0/24\"]}}]}],\"policyTypes\":[\"Egress\"]",
		    8000 + i % 7, 8100 + i % 7, 16 + i % 16, i % 251);
		break;
	case DNS:
		put(t, "\"podSelector\":{},\"egress\":[{\"ports\":[{\"protocol\":\"UDP\",\"port\":53},{\"protocol\":\"TCP\",\"port\":53}],\"to\":[{\"podSelector\":{\"matchLabels\":{\"k8s-app\":\"kube-dns\"}},\"namespaceSelector\":{\"matchLabels\":{\"kubernetes.io/metadata.name\":\"kube-system\"}}}]},{\"ports\":[{\"protocol\":\"TCP\",\"port\":\"http\"}],\"to\":[{\"podSelector\":{\"matchLabels\":{\"tier\":\"backend\"}}}]}],\"policyTypes\":[\"Egress\"]");
		break;
	}
	put(t, "}}");
}

int model_write_policy(const struct model *m, uint32_t i, uint64_t version,
		       char *buf, size_t room)
{
	struct text t = { .buf = buf, .room = room };
	uint32_t n = m->opt.namespaces - 1;
	char ns_buf[NAME_LEN];
	char name[NAME_LEN];
	const char *ns;
	enum policy_kind kind;

	if (i < m->opt.policies - CROWD_POLICIES) {
		ns = ns_name(m, i % n, ns_buf);
		kind = kinds_of[i % n % 5][i / n % 2];
	} else {
		ns = ns_name(m, n, ns_buf);
		kind = SAME_NAMESPACE + i % 5;
	}
	snprintf(name, sizeof(name), "%s-%u", kind_names[kind], i / n);
	if (i >= m->opt.policies - CROWD_POLICIES)
		snprintf(name, sizeof(name), "%s-%u", kind_names[kind],
			 i - (m->opt.policies - CROWD_POLICIES));

	put_metadata(&t, m, ns, name, 2ULL << 40 | i, version);
	put_policy_fields(&t);
	put_spec(&t, m, kind, i);
	return length(&t);
}

int model_write_everybody(const struct model *m, uint32_t ports,
			  uint32_t peers, uint64_t version, char *buf,
			  size_t room)
{
	struct text t = { .buf = buf, .room = room };

	put_metadata(&t, m, "the-crowd", "everybody", 3ULL << 40, version);
	put_policy_fields(&t);
	put(&t, ",\"spec\":{\"podSelector\":{},\"ingress\":[{\"ports\":[{\"protocol\":\"TCP\",\"port\":%u},{\"protocol\":\"TCP\",\"port\":\"http\"}],\"from\":[{\"podSelector\":{\"matchLabels\":{\"tier\":\"frontend\"}},\"namespaceSelector\":{\"matchLabels\":{\"team\":\"team-%02u\"}}},{\"ipBlock\":{\"cidr\":\"198.51.100.0/24\",\"except\":[\"198.51.100.128/25\"]}}]}],\"policyTypes\":[\"Ingress\"]}}",
	    ports % 2 ? 9443 : 8443, peers % 2 ? 11 : 7);
	return length(&t);
}

/* Pods of local nodes have a /23, others the lower or upper half of a /24. */
static void address(const struct model *m, uint32_t i, char *buf, size_t room)
{
	const struct place *p = &m->places[i];
	uint32_t odd = (m->pods[i].life + m->pods[i].moves) % 2;

	if (p->node < 3)
		snprintf(buf, room, "10.%u.%u.%u", 200 + p->node, odd,
			 p->slot + 2);
	else
		snprintf(buf, room, "10.%u.%u.%u", p->node / 256,
			 p->node % 256, p->slot + 2 + 120 * odd);
}

struct pod_labels {
	struct gen_label v[6];
	size_t n;
	char team[16];
	char hash[16];
	char index[16];
};

static void add_label(struct pod_labels *l, const char *key, const char *value)
{
	l->v[l->n++] = (struct gen_label){ .key = key, .value = value };
}

static const char *tier_of(const struct model *m, uint32_t i,
			   uint32_t workload)
{
	static const char *const tiers[WORKLOADS] = {
		"frontend", "backend", "backend", "data",
	};
	const char *tier = tiers[workload];

	if (!m->pods[i].swapped)
		return tier;
	return strcmp(tier, "frontend") ? "frontend" : "backend";
}

/* In the order of the server's encoder; the name of the workload is first. */
static void make_labels(const struct model *m, uint32_t i, const char *name,
			bool stateful, uint32_t workload, const char *app,
			struct pod_labels *l)
{
	uint32_t ns = ns_of(m, i);

	snprintf(l->team, sizeof(l->team), "team-%02u", ns % TEAMS);
	add_label(l, "app", app);
	if (stateful) {
		snprintf(l->index, sizeof(l->index), "%u", i % REPLICAS);
		add_label(l, "apps.kubernetes.io/pod-index", l->index);
		add_label(l, "controller-revision-hash", l->hash);
		add_label(l, "statefulset.kubernetes.io/pod-name", name);
	} else {
		if (!ns && !workload)
			add_label(l, "k8s-app", "kube-dns");
		add_label(l, "pod-template-hash", l->hash);
	}
	add_label(l, "team", l->team);
	add_label(l, "tier", tier_of(m, i, workload));
}

/* Another one for every Pod and life: the products are odd, and far apart. */
static unsigned int name_suffix(uint32_t i, uint32_t life)
{
	return (i + life * 104729) * 0x9e3b1 & 0xfffff;
}

int model_write_pod(const struct model *m, uint32_t i, uint64_t version,
		    char *buf, size_t room)
{
	static const char *const apps[WORKLOADS] = {
		"web", "api", "worker", "db",
	};
	const struct model_pod *pod = &m->pods[i];
	uint32_t in_ns = i < m->plain ? i % m->per_ns : i - m->plain;
	uint32_t workload = in_ns / REPLICAS % WORKLOADS;
	struct pod_labels labels = { .n = 0 };
	char ns_buf[NAME_LEN], name[NAME_LEN], ip[48], rv[24], node[24];
	uint32_t ns = ns_of(m, i);
	uint64_t state;
	bool stateful;
	size_t len;

	stateful = workload == 3 && ns % 5 == 0;
	state = m->opt.seed ^ ((uint64_t)ns * WORKLOADS + workload);
	snprintf(labels.hash, sizeof(labels.hash), "%08x",
		 (unsigned int)model_random(&state));
	if (stateful)
		snprintf(name, sizeof(name), "%s-%u", apps[workload],
			 in_ns / (REPLICAS * WORKLOADS) * REPLICAS +
			 in_ns % REPLICAS);
	else
		snprintf(name, sizeof(name), "%s-%s-%05x", apps[workload],
			 labels.hash,
			 name_suffix(i, pod->life));
	make_labels(m, i, name, stateful, workload, apps[workload], &labels);
	address(m, i, ip, sizeof(ip));
	snprintf(rv, sizeof(rv), "%llu", (unsigned long long)version);
	snprintf(node, sizeof(node), m->places[i].node < 3 ? "node%u" :
		 "worker-%04u", m->places[i].node);

	len = gen_pod_write(&(struct gen_pod){
		.seed = m->opt.seed,
		.index = i + (uint64_t)pod->life * m->opt.pods,
		.size = m->opt.pod_size,
		.name = name,
		.ns = ns_name(m, ns, ns_buf),
		.version = rv,
		.labels = labels.v,
		.nlabels = labels.n,
		.node = pod->pending ? NULL : node,
		.ip = pod->pending ? NULL : ip,
	}, buf, room);
	return len <= room ? (int)len : -EINVAL;
}
