// SPDX-License-Identifier: Apache-2.0
#include "gen_pods.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* 1 January 2026; pod number i was made i seconds later. */
#define FIRST_CREATED	1767225600

#define MAX_CONTAINERS	4

struct writer {
	const struct gen_pod *pod;
	char *buf;
	size_t room;
	size_t len;
	size_t containers;
	size_t nenv;		/* entries of each container's env */
	bool bare;		/* no controller, no service account's token */
	bool rich;		/* probes, tolerations, annotations */
	uint64_t state;
	char created[24];
	char uid[40];
	char hash[12];		/* pod-template-hash */
};

/* splitmix64 */
static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static void put_bytes(struct writer *w, const char *s, size_t n)
{
	if (w->len < w->room)
		memcpy(w->buf + w->len, s,
		       n < w->room - w->len ? n : w->room - w->len);
	w->len += n;
}

/* Strings up to a NULL, one after the other. */
static void put(struct writer *w, ...)
{
	const char *s;
	va_list ap;

	va_start(ap, w);
	while ((s = va_arg(ap, const char *)))
		put_bytes(w, s, strlen(s));
	va_end(ap);
}

#define PUT(w, ...) put(w, __VA_ARGS__, (const char *)NULL)

static const char *digits(char buf[24], uint64_t value)
{
	char *at = buf + 23;

	*at = '\0';
	do {
		*--at = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	return at;
}

/* @n hexadecimal digits and a NUL. */
static void hex(struct writer *w, char *buf, size_t n)
{
	uint64_t value = 0;

	for (size_t i = 0; i < n; i++) {
		if (!(i % 16))
			value = next(&w->state);
		buf[i] = "0123456789abcdef"[value & 15];
		value >>= 4;
	}
	buf[n] = '\0';
}

static void uid(struct writer *w, char buf[40])
{
	hex(w, buf, 36);
	buf[8] = '-';
	buf[13] = '-';
	buf[14] = '4';
	buf[18] = '-';
	buf[23] = '-';
}

static void put_labels(struct writer *w)
{
	const struct gen_pod *pod = w->pod;

	PUT(w, ",\"labels\":{");
	for (size_t i = 0; i < pod->nlabels; i++)
		PUT(w, i ? ",\"" : "\"", pod->labels[i].key, "\":\"",
		    pod->labels[i].value, "\"");
	PUT(w, "}");
}

static void put_owner(struct writer *w)
{
	char owner[40];

	uid(w, owner);
	PUT(w, ",\"ownerReferences\":[{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\",\"name\":\"",
	    w->pod->labels[0].value, "-", w->hash, "\",\"uid\":\"", owner,
	    "\",\"controller\":true,\"blockOwnerDeletion\":true}]");
}

static const char *env_name(char buf[40], size_t i)
{
	static const char *const words[] = {
		"DATABASE", "CACHE", "QUEUE", "METRICS", "TRACING", "LOG",
		"FEATURE", "UPSTREAM",
	};
	static const char *const what[] = {
		"HOST", "PORT", "TIMEOUT", "LEVEL", "URL", "USER",
	};
	char number[24];

	snprintf(buf, 40, "%s_%s_%s", words[i % 8], what[i / 8 % 6],
		 digits(number, i));
	return buf;
}

static const char *container_name(size_t i)
{
	static const char *const names[MAX_CONTAINERS] = {
		"app", "proxy", "log-shipper", "config-reloader",
	};

	return names[i];
}

/* What the ReplicaSet's controller owns of one container. */
static void put_fields_of_container(struct writer *w, size_t i)
{
	char name[40];

	PUT(w, "\"k:{\\\"name\\\":\\\"", container_name(i),
	    "\\\"}\":{\".\":{},\"f:image\":{},\"f:imagePullPolicy\":{},\"f:name\":{}");
	if (w->nenv)
		PUT(w, ",\"f:env\":{\".\":{}");
	for (size_t e = 0; e < w->nenv; e++)
		PUT(w, ",\"k:{\\\"name\\\":\\\"", env_name(name, e),
		    "\\\"}\":{\".\":{},\"f:name\":{},\"f:value\":{}}");
	if (w->nenv)
		PUT(w, "}");
	PUT(w, ",\"f:ports\":{\".\":{}}",
	    ",\"f:resources\":{},\"f:terminationMessagePath\":{},\"f:terminationMessagePolicy\":{}}");
}

/* The controller's part of managedFields. */
static void put_fields_of_spec(struct writer *w)
{
	PUT(w, "{\"manager\":\"kube-controller-manager\",\"operation\":\"Update\",\"apiVersion\":\"v1\",\"time\":\"",
	    w->created,
	    "\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:metadata\":{\"f:generateName\":{},\"f:labels\":{\".\":{}");
	for (size_t i = 0; i < w->pod->nlabels; i++)
		PUT(w, ",\"f:", w->pod->labels[i].key, "\":{}");
	PUT(w, "},\"f:ownerReferences\":{\".\":{}}},\"f:spec\":{\"f:containers\":{");
	for (size_t i = 0; i < w->containers; i++) {
		if (i)
			PUT(w, ",");
		put_fields_of_container(w, i);
	}
	PUT(w, "},\"f:dnsPolicy\":{},\"f:enableServiceLinks\":{},\"f:restartPolicy\":{},\"f:schedulerName\":{},\"f:securityContext\":{}}}}");
}

static void put_managed_fields(struct writer *w)
{
	PUT(w, ",\"managedFields\":[");
	if (!w->bare)
		put_fields_of_spec(w);
	if (w->pod->node)
		PUT(w, w->bare ? "{" : ",{",
		    "\"manager\":\"kubelet\",\"operation\":\"Update\",\"apiVersion\":\"v1\",\"time\":\"",
		    w->created,
		    "\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:status\":{\"f:conditions\":{\"k:{\\\"type\\\":\\\"Ready\\\"}\":{\".\":{},\"f:lastTransitionTime\":{},\"f:status\":{},\"f:type\":{}}},\"f:containerStatuses\":{},\"f:hostIP\":{},\"f:phase\":{},\"f:podIP\":{},\"f:podIPs\":{},\"f:startTime\":{}}},\"subresource\":\"status\"}");
	PUT(w, "]");
}

static void put_metadata(struct writer *w)
{
	const struct gen_pod *pod = w->pod;

	PUT(w, "\"metadata\":{\"name\":\"", pod->name);
	if (!w->bare)
		PUT(w, "\",\"generateName\":\"", pod->labels[0].value, "-",
		    w->hash, "-");
	PUT(w, "\",\"namespace\":\"", pod->ns, "\",\"uid\":\"", w->uid,
	    "\",\"resourceVersion\":\"", pod->version,
	    "\",\"creationTimestamp\":\"", w->created, "\"");
	put_labels(w);
	if (w->rich)
		PUT(w, ",\"annotations\":{\"checksum/config\":\"", w->hash,
		    w->hash,
		    "\",\"prometheus.io/scrape\":\"true\",\"prometheus.io/port\":\"9090\",\"kubectl.kubernetes.io/restartedAt\":\"",
		    w->created, "\"}");
	if (!w->bare)
		put_owner(w);
	put_managed_fields(w);
	PUT(w, "}");
}

static void put_env(struct writer *w, size_t i)
{
	char number[24];
	char name[40];

	if (!w->nenv)
		return;
	PUT(w, ",\"env\":[");
	for (size_t e = 0; e < w->nenv; e++)
		PUT(w, e ? ",{\"name\":\"" : "{\"name\":\"", env_name(name, e),
		    "\",\"value\":\"http://", w->pod->labels[0].value, ".",
		    w->pod->ns, ".svc.cluster.local:",
		    digits(number, 8000 + 10 * i + e % 10), "\"}");
	PUT(w, "]");
}

static void put_probes(struct writer *w)
{
	if (!w->rich)
		return;
	for (int i = 0; i < 2; i++)
		PUT(w, i ? ",\"readinessProbe\"" : ",\"livenessProbe\"",
		    ":{\"httpGet\":{\"path\":\"/healthz\",\"port\":\"http\",\"scheme\":\"HTTP\"},\"initialDelaySeconds\":5,\"timeoutSeconds\":1,\"periodSeconds\":10,\"successThreshold\":1,\"failureThreshold\":3}");
}

static void put_container(struct writer *w, size_t i)
{
	char number[24];

	PUT(w, i ? ",{\"name\":\"" : "{\"name\":\"", container_name(i),
	    "\",\"image\":\"registry.example.com/", w->pod->ns, "/",
	    container_name(i), ":1.4.", digits(number, w->pod->index % 10),
	    "\",\"ports\":[");
	if (i)
		PUT(w, "{\"containerPort\":", digits(number, 9100 + i),
		    ",\"protocol\":\"TCP\"}]");
	else
		PUT(w, "{\"name\":\"http\",\"containerPort\":8080,\"protocol\":\"TCP\"},",
		    "{\"name\":\"metrics\",\"containerPort\":9090,\"protocol\":\"TCP\"}]");
	put_env(w, i);
	if (!w->bare)
		PUT(w, ",\"resources\":{\"limits\":{\"memory\":\"256Mi\"},\"requests\":{\"cpu\":\"100m\",\"memory\":\"128Mi\"}},\"volumeMounts\":[{\"name\":\"kube-api-access-",
		    w->hash, "\",\"readOnly\":true,\"mountPath\":\"/var/run/secrets/kubernetes.io/serviceaccount\"}]");
	put_probes(w);
	PUT(w, ",\"terminationMessagePath\":\"/dev/termination-log\",\"terminationMessagePolicy\":\"File\",\"imagePullPolicy\":\"IfNotPresent\"}");
}

static void put_volumes(struct writer *w)
{
	PUT(w, "\"volumes\":[{\"name\":\"kube-api-access-", w->hash,
	    "\",\"projected\":{\"sources\":[{\"serviceAccountToken\":{\"expirationSeconds\":3607,\"path\":\"token\"}}");
	if (w->rich)
		PUT(w, ",{\"configMap\":{\"name\":\"kube-root-ca.crt\",\"items\":[{\"key\":\"ca.crt\",\"path\":\"ca.crt\"}]}},{\"downwardAPI\":{\"items\":[{\"path\":\"namespace\",\"fieldRef\":{\"apiVersion\":\"v1\",\"fieldPath\":\"metadata.namespace\"}}]}}");
	PUT(w, "],\"defaultMode\":420}}],");
}

static void put_spec(struct writer *w)
{
	const struct gen_pod *pod = w->pod;

	PUT(w, ",\"spec\":{");
	if (!w->bare)
		put_volumes(w);
	PUT(w, "\"containers\":[");
	for (size_t i = 0; i < w->containers; i++)
		put_container(w, i);
	PUT(w, "],\"restartPolicy\":\"Always\",\"terminationGracePeriodSeconds\":30,\"dnsPolicy\":\"ClusterFirst\",\"serviceAccountName\":\"default\",\"serviceAccount\":\"default\"");
	if (pod->node)
		PUT(w, ",\"nodeName\":\"", pod->node, "\"");
	if (pod->host_network)
		PUT(w, ",\"hostNetwork\":true");
	PUT(w, ",\"securityContext\":{},\"schedulerName\":\"default-scheduler\"");
	if (w->rich)
		PUT(w, ",\"tolerations\":[{\"key\":\"node.kubernetes.io/not-ready\",\"operator\":\"Exists\",\"effect\":\"NoExecute\",\"tolerationSeconds\":300},{\"key\":\"node.kubernetes.io/unreachable\",\"operator\":\"Exists\",\"effect\":\"NoExecute\",\"tolerationSeconds\":300}]");
	PUT(w, ",\"priority\":0,\"enableServiceLinks\":true,\"preemptionPolicy\":\"PreemptLowerPriority\"}");
}

static void put_conditions(struct writer *w)
{
	static const char *const types[] = {
		"Ready", "PodScheduled", "Initialized", "ContainersReady",
		"PodReadyToStartContainers",
	};
	size_t n = w->rich ? 5 : 2;

	PUT(w, ",\"conditions\":[");
	for (size_t i = 0; i < n; i++)
		PUT(w, i ? ",{\"type\":\"" : "{\"type\":\"", types[i],
		    "\",\"status\":\"True\",\"lastProbeTime\":null,\"lastTransitionTime\":\"",
		    w->created, "\"}");
	PUT(w, "]");
}

static void put_container_status(struct writer *w, size_t i)
{
	char image[65];
	char self[65];
	char number[24];

	hex(w, image, 64);
	hex(w, self, 64);
	PUT(w, i ? ",{\"name\":\"" : "{\"name\":\"", container_name(i),
	    "\",\"state\":{\"running\":{\"startedAt\":\"", w->created,
	    "\"}},\"lastState\":{},\"ready\":true,\"restartCount\":0,\"image\":\"registry.example.com/",
	    w->pod->ns, "/", container_name(i), ":1.4.",
	    digits(number, w->pod->index % 10),
	    "\",\"imageID\":\"registry.example.com/", w->pod->ns, "/",
	    container_name(i), "@sha256:", image,
	    "\",\"containerID\":\"containerd://", self, "\",\"started\":true}");
}

static void put_status(struct writer *w)
{
	const struct gen_pod *pod = w->pod;
	const char *phase = pod->phase;

	if (!phase)
		phase = pod->node ? "Running" : "Pending";
	PUT(w, ",\"status\":{\"phase\":\"", phase, "\"");
	if (pod->node) {
		put_conditions(w);
		PUT(w, ",\"hostIP\":\"192.0.2.10\"");
	}
	if (pod->ip)
		PUT(w, ",\"podIP\":\"", pod->ip, "\",\"podIPs\":[{\"ip\":\"",
		    pod->ip, "\"}");
	if (pod->ip && pod->ip6)
		PUT(w, ",{\"ip\":\"", pod->ip6, "\"}");
	if (pod->ip)
		PUT(w, "]");
	if (pod->node) {
		PUT(w, ",\"startTime\":\"", w->created,
		    "\",\"containerStatuses\":[");
		for (size_t i = 0; i < w->containers; i++)
			put_container_status(w, i);
		PUT(w, "]");
	}
	PUT(w, ",\"qosClass\":\"Burstable\"}");
}

static void write_once(struct writer *w)
{
	const struct gen_pod *pod = w->pod;
	time_t created = FIRST_CREATED + (time_t)pod->index;
	struct tm tm;

	w->len = 0;
	w->state = pod->seed ^ (pod->index + 1) * 0xd1342543de82ef95ULL;
	gmtime_r(&created, &tm);
	strftime(w->created, sizeof(w->created), "%Y-%m-%dT%H:%M:%SZ", &tm);
	uid(w, w->uid);
	hex(w, w->hash, 10);
	PUT(w, pod->typed ? "{\"kind\":\"Pod\",\"apiVersion\":\"v1\"," : "{");
	put_metadata(w);
	put_spec(w);
	put_status(w);
	PUT(w, "}");
}

/* The environment is what makes real Pods large, twice: managedFields. */
static size_t env_for(const struct writer *like)
{
	struct writer w = *like;
	size_t none, few;

	write_once(&w);
	none = w.len;
	if (none >= w.pod->size)
		return 0;
	w.nenv = 8;
	write_once(&w);
	few = w.len;
	return (w.pod->size - none) * 8 / (few - none);
}

size_t gen_pod_write(const struct gen_pod *pod, char *buf, size_t room)
{
	struct writer w = {
		.pod = pod,
		.containers = 1,
		.bare = pod->size < 3072,
		.rich = pod->size >= 4096,
	};

	if (pod->size >= 6144)
		w.containers = pod->size < 12288 ? 2 : MAX_CONTAINERS;
	w.nenv = env_for(&w);
	w.buf = buf;
	w.room = room;
	write_once(&w);
	return w.len;
}
