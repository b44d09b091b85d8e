// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "decode_pod.h"
#include "decode_policy.h"
#include "pod.h"

/* struct draft - a pod while it is read; the texts are those of the JSON */
struct draft {
	struct knp_pod_view view;
	struct knp_ip *ips;
	struct knp_port_view *ports;
};

/* Seconds since the epoch of an RFC 3339 time in UTC, 0 if it is none. */
static int64_t parse_time(const char *text)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	if (!end || *end != 'Z')
		return 0;
	return timegm(&tm);
}

static int add_ip(struct knp_fields *f, struct draft *pod, const char *text)
{
	struct knp_ip *v;
	struct knp_ip ip;

	if (knp_ip_parse(text, &ip))
		return knp_fields_refuse(f, "must be an IPv4 or IPv6 address, is \"%s\"",
					 text);
	for (size_t i = 0; i < pod->view.nips; i++)
		if (!memcmp(&pod->ips[i], &ip, sizeof(ip)))
			return 0;
	v = reallocarray(pod->ips, pod->view.nips + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	v[pod->view.nips++] = ip;
	pod->ips = v;
	return 0;
}

static int decode_ip_item(struct knp_fields *f, struct json_object *item,
			  struct draft *pod)
{
	const char *text = "";
	size_t mark;
	int err;

	err = knp_fields_expect(f, item, json_type_object);
	if (err)
		return err;
	err = knp_fields_get_string(f, item, "ip", &text);
	if (err < 0)
		return err;
	mark = knp_fields_enter(f, "ip");
	err = add_ip(f, pod, text);
	if (err)
		return err;
	knp_fields_leave(f, mark);
	return 0;
}

static int decode_ips(struct knp_fields *f, struct json_object *status,
		      struct draft *pod)
{
	struct json_object *list;
	const char *text = "";
	size_t n = 0;
	size_t mark;
	int err;

	err = knp_fields_get(f, status, "podIPs", json_type_array, &list);
	if (err < 0)
		return err;
	if (err)
		n = json_object_array_length(list);
	mark = knp_fields_enter(f, "podIPs");
	for (size_t i = 0; i < n; i++) {
		size_t item = knp_fields_enter_item(f, i);

		err = decode_ip_item(f, json_object_array_get_idx(list, i),
				     pod);
		if (err && err != -EINVAL)
			return err;
		knp_fields_leave(f, item);
	}
	knp_fields_leave(f, mark);
	if (pod->view.nips)
		return 0;

	err = knp_fields_get_string(f, status, "podIP", &text);
	if (err < 0 || !*text)
		return err < 0 ? err : 0;
	mark = knp_fields_enter(f, "podIP");
	err = add_ip(f, pod, text);
	if (err && err != -EINVAL)
		return err;
	knp_fields_leave(f, mark);
	return 0;
}

static int decode_status(struct knp_fields *f, struct json_object *obj,
			 struct draft *pod)
{
	struct json_object *status;
	const char *phase = "";
	size_t mark;
	int err;

	err = knp_fields_get(f, obj, "status", json_type_object, &status);
	if (err <= 0)
		return err;
	mark = knp_fields_enter(f, "status");
	err = knp_fields_get_string(f, status, "phase", &phase);
	if (err < 0)
		return err;
	pod->view.terminal = !strcmp(phase, "Succeeded") ||
			     !strcmp(phase, "Failed");
	err = decode_ips(f, status, pod);
	if (err)
		return err;
	knp_fields_leave(f, mark);
	return 0;
}

static int read_cport(struct knp_fields *f, struct json_object *item,
		      struct knp_port_view *port)
{
	const char *name = "";
	int err;

	err = knp_fields_expect(f, item, json_type_object);
	if (err)
		return err;
	err = knp_fields_get_string(f, item, "name", &name);
	if (err < 0)
		return err;
	port->name = knp_text_of(name);
	err = knp_fields_get_protocol(f, item, &port->proto);
	if (err)
		return err;
	err = knp_fields_get_port(f, item, "containerPort", &port->port);
	if (err < 0)
		return err;
	if (!err)
		return knp_fields_refuse_at(f, "containerPort", "is required");
	return 0;
}

/* Names can only allow: without a port less is allowed. */
static int decode_cport(struct knp_fields *f, struct json_object *item,
			void *element)
{
	size_t mark = f->len;
	int err;

	f->effect = "this port has no name";
	err = read_cport(f, item, element);
	f->effect = NULL;
	if (err != -EINVAL)
		return err;
	knp_fields_leave(f, mark);
	return KNP_FIELDS_SKIP;
}

/* Append the ports of one container to those of its pod. */
static int decode_container(struct knp_fields *f, struct json_object *item,
			    struct draft *pod)
{
	size_t had = pod->view.nports;
	struct knp_port_view *all;
	void *more = NULL;
	size_t n = 0;
	int err;

	err = knp_fields_list(f, item, "ports", sizeof(*pod->ports), &more, &n,
			      decode_cport);
	if (err || !n)
		goto out;
	err = -ENOMEM;
	all = reallocarray(pod->ports, had + n, sizeof(*all));
	if (!all)
		goto out;
	memcpy(all + had, more, n * sizeof(*all));
	pod->ports = all;
	pod->view.nports += n;
	err = 0;
out:
	free(more);
	return err;
}

/* A restartable init container runs as long as the pod: its ports count. */
static int is_sidecar(struct knp_fields *f, struct json_object *item)
{
	const char *policy = "";
	int err;

	err = knp_fields_get_string(f, item, "restartPolicy", &policy);
	return err < 0 ? err : !strcmp(policy, "Always");
}

static int decode_containers(struct knp_fields *f, struct json_object *spec,
			     const char *name, bool init, struct draft *pod)
{
	struct json_object *list;
	size_t mark;
	int err;

	err = knp_fields_get(f, spec, name, json_type_array, &list);
	if (err <= 0)
		return err;
	mark = knp_fields_enter(f, name);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		size_t inner = knp_fields_enter_item(f, i);

		err = knp_fields_expect(f, item, json_type_object);
		if (err)
			return err;
		err = init ? is_sidecar(f, item) : 1;
		if (err > 0)
			err = decode_container(f, item, pod);
		if (err < 0)
			return err;
		knp_fields_leave(f, inner);
	}
	knp_fields_leave(f, mark);
	return 0;
}

static int decode_spec(struct knp_fields *f, struct json_object *obj,
		       struct draft *pod)
{
	struct json_object *spec;
	const char *node = "";
	size_t mark;
	int err;

	err = knp_fields_get(f, obj, "spec", json_type_object, &spec);
	if (err <= 0)
		return err;
	mark = knp_fields_enter(f, "spec");
	err = knp_fields_get_string(f, spec, "nodeName", &node);
	if (err < 0)
		return err;
	pod->view.node = knp_text_of(node);
	err = knp_fields_get_bool(f, spec, "hostNetwork",
				  &pod->view.host_network);
	if (!err)
		err = decode_containers(f, spec, "containers", false, pod);
	if (!err)
		err = decode_containers(f, spec, "initContainers", true, pod);
	if (err)
		return err;
	knp_fields_leave(f, mark);
	return 0;
}

static int decode_meta(struct knp_fields *f, struct json_object *meta,
		       struct draft *pod)
{
	size_t mark = knp_fields_enter(f, "metadata");
	const char *created = "";
	const char *uid = "";
	int err;

	err = knp_fields_get_string(f, meta, "uid", &uid);
	if (err < 0)
		return err;
	pod->view.uid = knp_text_of(uid);
	err = knp_decode_labels(f, meta, "labels", &pod->view.labels,
				&pod->view.nlabels);
	if (err)
		return err;
	err = knp_fields_get_string(f, meta, "creationTimestamp", &created);
	if (err < 0)
		return err;
	pod->view.created = parse_time(created);
	knp_fields_leave(f, mark);
	return 0;
}

int knp_decode_pod(struct knp_fields *f, struct json_object *obj,
		   struct json_object *meta, struct knp_object *ret)
{
	struct draft pod = {
		.view = {
			.ns = knp_text_of(ret->ns),
			.name = knp_text_of(ret->name),
		},
	};
	int err;

	err = decode_meta(f, meta, &pod);
	if (!err)
		err = decode_spec(f, obj, &pod);
	if (!err)
		err = decode_status(f, obj, &pod);
	if (err)
		goto out;
	pod.view.ips = pod.ips;
	pod.view.ports = pod.ports;
	ret->pod = knp_pod_new(&pod.view);
	if (!ret->pod)
		err = -ENOMEM;
out:
	free(pod.view.labels);
	free(pod.ips);
	free(pod.ports);
	return err;
}
