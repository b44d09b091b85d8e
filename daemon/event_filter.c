// SPDX-License-Identifier: Apache-2.0
#include "event_filter.h"

#include <string.h>

bool knp_list_has(const char *list, const char *name)
{
	size_t len = strlen(name);
	const char *end;

	while (list) {
		end = strstr(list, ", ");
		if ((end ? (size_t)(end - list) : strlen(list)) == len &&
		    !memcmp(list, name, len))
			return true;
		list = end ? end + 2 : NULL;
	}
	return false;
}

static bool is_in(const char *pod, const char *ns)
{
	size_t len = strlen(ns);

	return pod && !strncmp(pod, ns, len) && pod[len] == '/';
}

static bool is_pod(const char *pod, const char *name)
{
	return pod && !strcmp(pod, name);
}

static bool denies(const struct knp_side_info *side)
{
	return side->judged && side->verdict == KNP_DROP;
}

static bool is_by(const struct knp_event_filter *f, const struct knp_event *e,
		  const struct knp_event_names *names)
{
	return (denies(&e->egress) && knp_list_has(names->egress, f->policy)) ||
	       (denies(&e->ingress) && knp_list_has(names->ingress, f->policy));
}

static bool has_names(const struct knp_event_filter *f,
		      const struct knp_event *e,
		      const struct knp_event_names *names)
{
	if (f->ns && !is_in(names->src, f->ns) && !is_in(names->dst, f->ns))
		return false;
	if (f->pod && !is_pod(names->src, f->pod) &&
	    !is_pod(names->dst, f->pod))
		return false;
	return !f->policy || is_by(f, e, names);
}

bool knp_event_filter_match(const struct knp_event_filter *f,
			    const struct knp_event *e,
			    const struct knp_event_names *names)
{
	const struct knp_tuple *t = &e->tuple;

	if (f->reasons && !(f->reasons & 1U << e->reason))
		return false;
	if (f->modes && !(f->modes & 1U << e->mode))
		return false;
	if (f->direction && !denies(f->direction == KNP_EGRESS ? &e->egress :
								 &e->ingress))
		return false;
	/* A frame without addresses has no protocol and no port. */
	if ((f->proto || f->has_port) && !t->family)
		return false;
	if (f->proto && t->proto != f->proto)
		return false;
	if (f->has_port && (!t->has_port || t->port != f->port))
		return false;
	return has_names(f, e, names);
}
