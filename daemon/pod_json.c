// SPDX-License-Identifier: Apache-2.0
#include "pod_json.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "kube_json.h"
#include "manifest_text.h"
#include "pod.h"
#include "pod_walk.h"

struct knp_pod_json {
	struct knp_pod_walker *walker;
};

struct knp_pod_json *knp_pod_json_new(void)
{
	struct knp_pod_json *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->walker = knp_pod_walker_new();
	if (p->walker)
		return p;
	free(p);
	return NULL;
}

void knp_pod_json_free(struct knp_pod_json *p)
{
	if (!p)
		return;
	knp_pod_walker_free(p->walker);
	free(p);
}

/* ---- plain Pods ---------------------------------------------------------- */

static bool text_is(const struct knp_text *text, const char *is)
{
	return text->s && text->n == strlen(is) && !memcmp(text->s, is, text->n);
}

static int number(const char *s, size_t n)
{
	int value = 0;

	for (; n; s++, n--) {
		if (*s < '0' || *s > '9')
			return -1;
		value = value * 10 + *s - '0';
	}
	return value;
}

/* Days from 1970-01-01 to the first of a month of the Gregorian calendar. */
static int64_t days_before(int year, int month)
{
	/* Years begin in March, so that the leap day is the last. */
	static const int before[12] = {
		306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275,
	};
	int y = month < 3 ? year - 1 : year;

	return y * 365LL + y / 4 - y / 100 + y / 400 + before[month - 1] -
	       719468;
}

/*
 * "2026-01-02T03:04:05Z" as decode.c reads it. False for any other form, of
 * which decode.c makes what it does.
 */
static bool parse_time(const struct knp_text *text, int64_t *ret)
{
	const char *s = text->s;
	int year, month, day, hour, min, sec;

	if (text->n != 20 || s[4] != '-' || s[7] != '-' || s[10] != 'T' ||
	    s[13] != ':' || s[16] != ':' || s[19] != 'Z')
		return false;
	year = number(s, 4);
	month = number(s + 5, 2);
	day = number(s + 8, 2);
	hour = number(s + 11, 2);
	min = number(s + 14, 2);
	sec = number(s + 17, 2);
	if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31 ||
	    hour < 0 || hour > 23 || min < 0 || min > 59 || sec < 0 || sec > 59)
		return false;
	*ret = ((days_before(year, month) + day - 1) * 24 + hour) * 3600LL +
	       min * 60 + sec;
	return true;
}

static bool parse_ip(const struct knp_text *text, struct knp_ip *ret)
{
	char buf[46];

	if (text->n >= sizeof(buf))
		return false;
	memcpy(buf, text->s, text->n);
	buf[text->n] = '\0';
	return !knp_ip_parse(buf, ret);
}

/* How many addresses, -1 if one is none. */
static int parse_ips(const struct knp_pod_item *item,
		     struct knp_ip ips[KNP_WALK_IPS])
{
	int n = 0;

	for (size_t i = 0; i < item->nips; i++) {
		int same = 0;

		if (!parse_ip(&item->ips[i], &ips[n]))
			return -1;
		while (memcmp(&ips[same], &ips[n], sizeof(*ips)))
			same++;
		n += same == n;
	}
	if (n || !item->ip.n)
		return n;
	return parse_ip(&item->ip, &ips[0]) ? 1 : -1;
}

/* A copy that ends with a NUL; "" of none. */
static char *copy(const struct knp_text *text)
{
	return strndup(text->n ? text->s : "", text->n);
}

/* That an item's type, where it has one, is that of the list. */
static bool is_pod(const struct knp_pod_item *item)
{
	return (!item->kind.s || text_is(&item->kind, "Pod")) &&
	       (!item->api.s || text_is(&item->api, "v1"));
}

/* 0; 1 if decode.c has to decide; -ENOMEM. */
static int make_plain(struct knp_pod_item *item, struct knp_object *ret)
{
	static const struct knp_text dflt = { "default", 7 };
	struct knp_object object = { .kind = KNP_KIND_POD };
	struct knp_text ns = item->ns.n ? item->ns : dflt;
	struct knp_ip ips[KNP_WALK_IPS];
	struct knp_pod_view view = {
		.ns = ns,
		.name = item->name,
		.uid = item->uid,
		.node = item->node,
		.labels = item->labels,
		.nlabels = item->nlabels,
		.ips = ips,
		.ports = item->ports,
		.nports = item->nports,
		.host_network = item->host_network,
		.terminal = text_is(&item->phase, "Succeeded") ||
			    text_is(&item->phase, "Failed"),
	};
	int nips;

	if (!item->plain || !is_pod(item) ||
	    !knp_name_valid(view.name.s, view.name.n) ||
	    !knp_name_valid(ns.s, ns.n) ||
	    (item->created.n && !parse_time(&item->created, &view.created)))
		return 1;
	nips = parse_ips(item, ips);
	if (nips < 0)
		return 1;
	view.nips = (size_t)nips;
	object.ns = copy(&ns);
	object.name = copy(&view.name);
	object.pod = knp_pod_new(&view);
	if (!object.ns || !object.name || !object.pod) {
		knp_object_clear(&object);
		return -ENOMEM;
	}
	*ret = object;
	return 0;
}

/* ---- by json-c ----------------------------------------------------------- */

static const char *faults_file(void)
{
	return knp_kube_resource(KNP_KIND_POD);
}

/* 0, -EBADMSG or -ENOMEM. */
static int parse(const char *s, size_t len, struct json_object **ret)
{
	struct json_tokener *tok;
	struct json_object *obj;
	size_t end;
	bool good;

	if (len > INT_MAX)
		return -EBADMSG;
	tok = json_tokener_new_ex(KNP_JSON_DEPTH_MAX);
	if (!tok)
		return -ENOMEM;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT |
				    JSON_TOKENER_ALLOW_TRAILING_CHARS);
	obj = json_tokener_parse_ex(tok, s, (int)len);
	good = json_tokener_get_error(tok) == json_tokener_success;
	end = json_tokener_get_parse_end(tok);
	json_tokener_free(tok);
	while (good && end < len && strchr(" \t\r\n", s[end]) && s[end])
		end++;
	if (!good || end < len) {
		json_object_put(obj);
		return -EBADMSG;
	}
	*ret = obj;
	return 0;
}

/*
 * A string of an object; .s is NULL if it is absent. -EBADMSG if it is there
 * and no string.
 */
static int get_text(struct json_object *obj, const char *name,
		    struct knp_text *ret)
{
	struct json_object *value;
	struct knp_text text = { 0 };

	if (json_object_object_get_ex(obj, name, &value) && value) {
		if (!json_object_is_type(value, json_type_string))
			return -EBADMSG;
		text.s = json_object_get_string(value);
		text.n = (size_t)json_object_get_string_len(value);
		if (!text.s || strlen(text.s) != text.n)
			return -EBADMSG;
	}
	*ret = text;
	return 0;
}

static int get_metadata(struct json_object *obj, struct json_object **ret)
{
	struct json_object *value = NULL;

	if (json_object_object_get_ex(obj, "metadata", &value) && value &&
	    !json_object_is_type(value, json_type_object))
		return -EBADMSG;
	*ret = value;
	return 0;
}

/* ---- an event ------------------------------------------------------------ */

static int copy_version(char ret[KNP_VERSION_LEN], const struct knp_text *text)
{
	if (text->n >= KNP_VERSION_LEN)
		return -EBADMSG;
	if (text->n)
		memcpy(ret, text->s, text->n);
	ret[text->n] = '\0';
	return 0;
}

static bool event_type(const struct knp_text *type, enum knp_event_type *ret)
{
	if (text_is(type, "ADDED"))
		*ret = KNP_EVENT_ADDED;
	else if (text_is(type, "MODIFIED"))
		*ret = KNP_EVENT_MODIFIED;
	else if (text_is(type, "DELETED"))
		*ret = KNP_EVENT_DELETED;
	else
		return false;
	return true;
}

/* A tree that was an event's object; as knp_pod_json_event(). */
static int decode_tree(struct json_object *obj, struct knp_kube_event *event,
		       struct knp_faults *faults)
{
	struct knp_objects objects = { 0 };
	struct knp_faults found = { 0 };
	struct knp_text version = { 0 };
	struct json_object *meta;
	int err;

	if (get_metadata(obj, &meta) ||
	    get_text(meta, "resourceVersion", &version) ||
	    copy_version(event->version, &version))
		return 1;
	err = knp_decode_object(obj, faults_file(), &objects, &found);
	if (!err && (objects.n != 1 || objects.v->kind != KNP_KIND_POD))
		err = 1;
	if (!err && faults)
		err = knp_faults_move(faults, &found);
	if (!err) {
		event->object = *objects.v;
		objects.n = 0;
	}
	knp_faults_clear(&found);
	knp_objects_clear(&objects);
	return err;
}

int knp_pod_json_event(struct knp_pod_json *p, const char *buf, size_t len,
		       struct knp_kube_event *ret, struct knp_faults *faults)
{
	struct knp_kube_event event = { 0 };
	struct knp_pod_item *item;
	struct json_object *obj;
	struct knp_text type;
	int err;

	err = knp_pod_walk_event(p->walker, buf, len, &type, &item);
	if (err)
		return err;
	if (!event_type(&type, &event.type))
		return 1;
	if (item->plain) {
		if (!item->kind.s || !item->api.s ||
		    copy_version(event.version, &item->version))
			return 1;
		err = make_plain(item, &event.object);
		if (!err)
			*ret = event;
		if (err <= 0)
			return err;
	}

	err = parse(item->bytes.s, item->bytes.n, &obj);
	if (err)
		return err == -EBADMSG ? 1 : err;
	err = decode_tree(obj, &event, faults);
	json_object_put(obj);
	if (!err)
		*ret = event;
	return err;
}

/* ---- a page -------------------------------------------------------------- */

struct reading {
	struct knp_objects objects;
	struct knp_faults faults;
	size_t index;		/* of the next item */
};

static void forget(struct reading *r)
{
	knp_objects_clear(&r->objects);
	knp_faults_clear(&r->faults);
}

static int take_item(void *arg, struct knp_pod_item *item)
{
	struct reading *r = arg;
	struct knp_object object;
	struct json_object *obj;
	size_t index = r->index++;
	int err;

	err = make_plain(item, &object);
	if (!err) {
		err = knp_objects_add(&r->objects, &object);
		if (err)
			knp_object_clear(&object);
	}
	if (err <= 0)
		return err;
	err = parse(item->bytes.s, item->bytes.n, &obj);
	/* What is no object by itself is no page either: see there. */
	if (err)
		return err == -EBADMSG ? 1 : err;
	err = knp_decode_item(obj, KNP_KIND_POD, index, faults_file(),
			      &r->objects, &r->faults);
	json_object_put(obj);
	return err;
}

/* What is beside the items. 0, -EBADMSG or -ENOMEM. */
static int finish_page(const struct knp_pod_list *list, struct knp_page *ret)
{
	struct knp_page page = { 0 };

	if (!text_is(&list->kind, "PodList") || !text_is(&list->api, "v1") ||
	    !list->has_items || copy_version(page.version, &list->version))
		return -EBADMSG;
	if (list->next.n) {
		page.next = copy(&list->next);
		if (!page.next)
			return -ENOMEM;
	}
	*ret = page;
	return 0;
}

/* The whole page as a tree. 0, -EBADMSG or -ENOMEM. */
static int read_tree(const char *buf, size_t len, struct reading *r,
		     struct knp_page *ret)
{
	struct knp_pod_list list = { 0 };
	struct json_object *obj, *meta, *items;
	int err;

	err = parse(buf, len, &obj);
	if (err)
		return err;
	err = -EBADMSG;
	if (!json_object_is_type(obj, json_type_object) ||
	    get_text(obj, "kind", &list.kind) ||
	    get_text(obj, "apiVersion", &list.api) ||
	    get_metadata(obj, &meta) ||
	    get_text(meta, "resourceVersion", &list.version) ||
	    get_text(meta, "continue", &list.next))
		goto out;
	list.has_items = json_object_object_get_ex(obj, "items", &items);
	if (list.has_items && items &&
	    !json_object_is_type(items, json_type_array))
		goto out;
	err = finish_page(&list, ret);
	if (err)
		goto out;
	err = knp_decode_object(obj, faults_file(), &r->objects,
				&r->faults);
	if (err) {
		free(ret->next);
		ret->next = NULL;
	}
out:
	json_object_put(obj);
	return err;
}

/* Hand over what was read; the objects that @fn does not take are freed. */
static int deliver(struct reading *r, knp_object_fn fn, void *arg)
{
	for (size_t i = 0; i < r->objects.n; i++) {
		struct knp_object object = r->objects.v[i];
		int err;

		r->objects.v[i] = (struct knp_object){ 0 };
		err = fn(arg, &object);
		if (err)
			return err;
	}
	return 0;
}

int knp_pod_json_page(struct knp_pod_json *p, const char *buf, size_t len,
		      knp_object_fn fn, void *arg, struct knp_page *ret,
		      struct knp_faults *faults)
{
	struct reading r = { 0 };
	struct knp_pod_list list;
	struct knp_page page = { 0 };
	int err;

	err = knp_pod_walk_page(p->walker, buf, len, take_item, &r, &list);
	if (!err) {
		err = finish_page(&list, &page);
	} else if (err > 0) {
		forget(&r);
		err = read_tree(buf, len, &r, &page);
	}
	if (!err && faults)
		err = knp_faults_move(faults, &r.faults);
	if (!err)
		err = deliver(&r, fn, arg);
	forget(&r);
	if (err)
		free(page.next);
	else
		*ret = page;
	return err;
}
