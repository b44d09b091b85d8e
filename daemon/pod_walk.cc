// SPDX-License-Identifier: Apache-2.0
/*
 * A function that is true or false, is false where the text as a whole cannot
 * be relied on; that ends the walk. What only makes one object not plain is
 * noted in it, and the walk goes on to the object's end.
 */
#include <netinet/in.h>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>

#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

extern "C" {
#include "pod_walk.h"
}

namespace od = simdjson::ondemand;

static_assert(KNP_WALK_PADDING >= simdjson::SIMDJSON_PADDING,
	      "simdjson reads further behind a text");

/* Containers within each other: far above any Pod, below json-c's bound. */
static const unsigned int depth_max = 48;

/* Room grows in steps, or every event that is a little larger moves it. */
static const size_t room_min = 1 << 16;

struct knp_pod_walker {
	od::parser parser;
	struct knp_pod_item item;
	const char *end;	/* of the text */
	const char *escape;	/* the first, @end if none */
	const char *escaped;	/* behind the last */
	bool unicode;		/* the text has \u: so may keys */
	bool plain;		/* what is being walked: an item, or around it */
};

static bool is_hex(const char *s)
{
	for (int i = 0; i < 4; i++)
		if (!((s[i] >= '0' && s[i] <= '9') ||
		      ((s[i] | 0x20) >= 'a' && (s[i] | 0x20) <= 'f')))
			return false;
	return true;
}

/* simdjson looks at escapes where a string is asked for, and nowhere else. */
static bool check_escapes(struct knp_pod_walker *w, const char *s, size_t len)
{
	const char *end = s + len;

	w->escape = w->escaped = end;
	w->unicode = false;
	while (s < end) {
		s = static_cast<const char *>(memchr(s, '\\', end - s));
		if (!s)
			break;
		if (end - s < 2 || !s[1] || !strchr("\"\\/bfnrtu", s[1]))
			return false;
		if (s[1] == 'u') {
			if (end - s < 6 || !is_hex(s + 2))
				return false;
			w->unicode = true;
		}
		if (w->escape == end)
			w->escape = s;
		s += 2;
		w->escaped = s;
	}
	return true;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/*
 * The bytes of a scalar, quotes included. A text that was cut goes on with what
 * is behind it, for a token or two that have no length.
 */
static std::string_view token(const struct knp_pod_walker *w, od::value &v)
{
	std::string_view t = v.raw_json_token();

	if (t.data() >= w->end ||
	    t.size() > static_cast<size_t>(w->end - t.data()))
		return {};
	while (!t.empty() && is_space(t.back()))
		t.remove_suffix(1);
	return t;
}

static size_t count_digits(std::string_view t)
{
	size_t n = 0;

	while (n < t.size() && t[n] >= '0' && t[n] <= '9')
		n++;
	return n;
}

static bool is_number(std::string_view t)
{
	size_t n;

	if (!t.empty() && t[0] == '-')
		t.remove_prefix(1);
	n = count_digits(t);
	if (!n || (n > 1 && t[0] == '0'))
		return false;
	t.remove_prefix(n);
	if (!t.empty() && t[0] == '.') {
		n = count_digits(t.substr(1));
		if (!n)
			return false;
		t.remove_prefix(n + 1);
	}
	if (!t.empty() && (t[0] | 0x20) == 'e') {
		t.remove_prefix(1);
		if (!t.empty() && (t[0] == '+' || t[0] == '-'))
			t.remove_prefix(1);
		n = count_digits(t);
		if (!n)
			return false;
		t.remove_prefix(n);
	}
	return t.empty();
}

static bool is_literal(std::string_view t)
{
	return t == "null" || t == "true" || t == "false";
}

/*
 * Pass over a value that is not needed, and see that it is one: simdjson by
 * itself would only count brackets.
 */
static bool skip(const struct knp_pod_walker *w, od::value &v,
		 unsigned int depth)
{
	od::json_type type;
	od::object object;
	od::array array;

	if (v.type().get(type))
		return false;
	switch (type) {
	case od::json_type::string:
		return !v.get_raw_json_string().error();
	case od::json_type::object:
		if (depth > depth_max || v.get_object().get(object))
			return false;
		for (auto next : object)
			if (next.error() ||
			    !skip(w, next.value_unsafe().value(), depth + 1))
				return false;
		return true;
	case od::json_type::array:
		if (depth > depth_max || v.get_array().get(array))
			return false;
		for (auto next : array)
			if (next.error() ||
			    !skip(w, next.value_unsafe(), depth + 1))
				return false;
		return true;
	default:
		return is_literal(token(w, v)) || is_number(token(w, v));
	}
}

/* A needed value that is not what it should be. */
static bool odd(struct knp_pod_walker *w, od::value &v, unsigned int depth)
{
	w->plain = false;
	return skip(w, v, depth);
}

static bool has_escape(const struct knp_pod_walker *w, std::string_view t)
{
	const char *end = t.data() + t.size();

	/* Mostly there are few, close together: in an annotation. */
	return w->escape < end && t.data() < w->escaped &&
	       memchr(t.data(), '\\', t.size());
}

/* A string without escapes, or null, which is as good as absent. */
static bool get_text(struct knp_pod_walker *w, od::value &v, unsigned int depth,
		     struct knp_text *ret)
{
	std::string_view t = token(w, v);

	if (t == "null")
		return true;
	if (t.size() < 2 || t[0] != '"' || has_escape(w, t))
		return odd(w, v, depth);
	ret->s = t.data() + 1;
	ret->n = t.size() - 2;
	return !v.get_raw_json_string().error();
}

static bool is_text(const struct knp_text *text, std::string_view is)
{
	return text->s && std::string_view(text->s, text->n) == is;
}

static std::string_view key_of(od::field &f)
{
	const char *s = f.key().raw();

	/* The quote is there: simdjson has found the string's end. */
	return {s, static_cast<size_t>(static_cast<const char *>
				       (rawmemchr(s, '"')) - s)};
}

/* What the needed fields of one level are called. */
template <size_t N> struct names {
	std::string_view v[N];
};

/*
 * Which name a field has, N if none. A field that is there twice (@seen has a
 * bit for each), or may be a needed one in disguise, is not plain.
 */
template <size_t N>
static size_t which(struct knp_pod_walker *w, const names<N> &names,
		    od::field &f, unsigned int *seen)
{
	const char *s = f.key().raw();
	std::string_view key;

	for (size_t i = 0; i < N; i++) {
		std::string_view name = names.v[i];

		/* What is behind a short key can be read: the padding is. */
		if (s[0] != name[0] || s[name.size()] != '"' ||
		    memcmp(s, name.data(), name.size()))
			continue;
		if (*seen & 1U << i)
			w->plain = false;
		*seen |= 1U << i;
		return i;
	}
	if (w->unicode) {
		key = key_of(f);
		if (has_escape(w, key))
			w->plain = false;
	}
	return N;
}

/*
 * Begin an object or a list. If @open is false the value has been passed over:
 * it is null, or has another type.
 */
template <typename T>
static bool enter(struct knp_pod_walker *w, od::value &v, unsigned int depth,
		  od::json_type wanted, T *ret, bool *open)
{
	od::json_type type;

	*open = false;
	if (v.type().get(type))
		return false;
	if (type != wanted)
		return type == od::json_type::null ? skip(w, v, depth) :
						     odd(w, v, depth);
	*open = true;
	return !v.get(*ret);
}

/* Call @fn with the number and the value of every field that has a name. */
template <size_t N, typename F>
static bool each_field(struct knp_pod_walker *w, od::object &object,
		       unsigned int depth, const names<N> &names, F fn)
{
	unsigned int seen = 0;

	for (auto next : object) {
		size_t at;

		if (next.error())
			return false;

		od::field &f = next.value_unsafe();

		at = which(w, names, f, &seen);
		if (at == N ? !skip(w, f.value(), depth + 1) : !fn(at, f.value()))
			return false;
	}
	return true;
}

template <size_t N, typename F>
static bool each_field(struct knp_pod_walker *w, od::value &v,
		       unsigned int depth, const names<N> &names, F fn)
{
	od::object object;
	bool open;

	if (!enter(w, v, depth, od::json_type::object, &object, &open))
		return false;
	return !open || each_field(w, object, depth, names, fn);
}

/* Call @fn with every element of a list; each must be an object. */
template <typename F>
static bool each_object(struct knp_pod_walker *w, od::value &v,
			unsigned int depth, F fn)
{
	od::array array;
	bool open;

	if (!enter(w, v, depth, od::json_type::array, &array, &open))
		return false;
	if (!open)
		return true;
	for (auto next : array) {
		if (next.error())
			return false;

		od::value &element = next.value_unsafe();

		/* Unlike a field, an element cannot be absent. */
		if (token(w, element) == "null")
			w->plain = false;
		if (!fn(element))
			return false;
	}
	return true;
}

static bool walk_labels(struct knp_pod_walker *w, od::value &v,
			unsigned int depth)
{
	struct knp_pod_item *item = &w->item;
	struct knp_label_view label;
	std::string_view key;
	od::object object;
	bool open;

	if (!enter(w, v, depth, od::json_type::object, &object, &open))
		return false;
	if (!open)
		return true;
	for (auto next : object) {
		if (next.error())
			return false;

		od::field &f = next.value_unsafe();

		key = key_of(f);
		label = {{key.data(), key.size()}, {nullptr, 0}};
		if (!get_text(w, f.value(), depth + 1, &label.value))
			return false;
		if (!label.value.s || has_escape(w, key) ||
		    item->nlabels == KNP_WALK_LABELS) {
			w->plain = false;
			continue;
		}
		for (size_t i = 0; i < item->nlabels; i++)
			if (is_text(&item->labels[i].key, key))
				w->plain = false;
		item->labels[item->nlabels++] = label;
	}
	return true;
}

static bool walk_metadata(struct knp_pod_walker *w, od::value &v,
			  unsigned int depth)
{
	static const names<6> names = {{
		"labels", "name", "namespace", "uid", "resourceVersion",
		"creationTimestamp",
	}};
	struct knp_pod_item *item = &w->item;
	struct knp_text *const texts[] = {
		nullptr, &item->name, &item->ns, &item->uid, &item->version,
		&item->created,
	};

	return each_field(w, v, depth, names, [&](size_t at, od::value &field) {
		if (!texts[at])
			return walk_labels(w, field, depth + 1);
		return get_text(w, field, depth + 1, texts[at]);
	});
}

/* 1 to 65535, else 0. */
static uint16_t port_number(std::string_view t)
{
	unsigned int port = 0;

	if (t.empty() || t.size() > 5 || count_digits(t) != t.size() ||
	    t[0] == '0')
		return 0;
	for (char c : t)
		port = port * 10 + static_cast<unsigned int>(c - '0');
	return port <= UINT16_MAX ? static_cast<uint16_t>(port) : 0;
}

static uint8_t protocol(const struct knp_text *text)
{
	if (!text->s || is_text(text, "TCP"))
		return IPPROTO_TCP;
	if (is_text(text, "UDP"))
		return IPPROTO_UDP;
	return is_text(text, "SCTP") ? IPPROTO_SCTP : 0;
}

/* The ports of one kind of container. */
struct ports {
	struct knp_port_view v[KNP_WALK_PORTS];
	size_t n;
};

static bool walk_port(struct knp_pod_walker *w, od::value &v,
		      unsigned int depth, struct ports *ports)
{
	static const names<3> names = {{ "containerPort", "name", "protocol" }};
	struct knp_text text[3] = {};
	struct knp_port_view port = {};
	bool ok;

	ok = each_field(w, v, depth, names, [&](size_t at, od::value &field) {
		if (at)
			return get_text(w, field, depth + 1, &text[at]);
		port.port = port_number(token(w, field));
		return skip(w, field, depth + 1);
	});
	port.name = text[1];
	port.proto = protocol(&text[2]);
	if (!port.port || !port.proto || ports->n == KNP_WALK_PORTS)
		w->plain = false;
	else
		ports->v[ports->n++] = port;
	return ok;
}

static bool walk_ports(struct knp_pod_walker *w, od::value &v,
		       unsigned int depth, struct ports *ports)
{
	return each_object(w, v, depth, [&](od::value &element) {
		return walk_port(w, element, depth + 1, ports);
	});
}

static bool walk_containers(struct knp_pod_walker *w, od::value &v,
			    unsigned int depth, struct ports *ports)
{
	static const names<1> names = {{ "ports" }};

	return each_object(w, v, depth, [&](od::value &element) {
		return each_field(w, element, depth + 1, names,
				  [&](size_t, od::value &field) {
			return walk_ports(w, field, depth + 2, ports);
		});
	});
}

/* An init container that restarts runs as long as the pod: a sidecar. */
static bool walk_init_containers(struct knp_pod_walker *w, od::value &v,
				 unsigned int depth, struct ports *ports)
{
	static const names<2> names = {{ "ports", "restartPolicy" }};

	return each_object(w, v, depth, [&](od::value &element) {
		struct knp_text policy = {nullptr, 0};
		size_t before = ports->n;
		bool ok;

		ok = each_field(w, element, depth + 1, names,
				[&](size_t at, od::value &field) {
			if (!at)
				return walk_ports(w, field, depth + 2, ports);
			return get_text(w, field, depth + 2, &policy);
		});
		if (!is_text(&policy, "Always"))
			ports->n = before;
		return ok;
	});
}

static bool walk_bool(struct knp_pod_walker *w, od::value &v,
		      unsigned int depth, bool *ret)
{
	std::string_view t = token(w, v);

	if (!is_literal(t))
		return odd(w, v, depth);
	*ret = t == "true";
	return skip(w, v, depth);
}

static bool walk_spec(struct knp_pod_walker *w, od::value &v,
		      unsigned int depth)
{
	static const names<4> names = {{
		"containers", "initContainers", "nodeName", "hostNetwork",
	}};
	struct knp_pod_item *item = &w->item;
	struct ports regular, sidecar;
	bool ok;

	regular.n = 0;
	sidecar.n = 0;
	ok = each_field(w, v, depth, names, [&](size_t at, od::value &field) {
		switch (at) {
		case 0:
			return walk_containers(w, field, depth + 1, &regular);
		case 1:
			return walk_init_containers(w, field, depth + 1,
						    &sidecar);
		case 2:
			return get_text(w, field, depth + 1, &item->node);
		default:
			return walk_bool(w, field, depth + 1,
					 &item->host_network);
		}
	});
	memcpy(item->ports, regular.v, regular.n * sizeof(*regular.v));
	memcpy(item->ports + regular.n, sidecar.v,
	       sidecar.n * sizeof(*sidecar.v));
	item->nports = regular.n + sidecar.n;
	return ok;
}

static bool walk_ip(struct knp_pod_walker *w, od::value &v, unsigned int depth)
{
	static const names<1> names = {{ "ip" }};
	struct knp_pod_item *item = &w->item;
	struct knp_text ip = {nullptr, 0};
	bool ok;

	ok = each_field(w, v, depth, names, [&](size_t, od::value &field) {
		return get_text(w, field, depth + 1, &ip);
	});
	if (!ip.s || item->nips == KNP_WALK_IPS)
		w->plain = false;
	else
		item->ips[item->nips++] = ip;
	return ok;
}

static bool walk_status(struct knp_pod_walker *w, od::value &v,
			unsigned int depth)
{
	static const names<3> names = {{ "podIPs", "podIP", "phase" }};
	struct knp_pod_item *item = &w->item;

	return each_field(w, v, depth, names, [&](size_t at, od::value &field) {
		if (at)
			return get_text(w, field, depth + 1,
					at == 1 ? &item->ip : &item->phase);
		return each_object(w, field, depth + 1, [&](od::value &element) {
			return walk_ip(w, element, depth + 2);
		});
	});
}

static void clear(struct knp_pod_item *item)
{
	/* The arrays hold what their counts say. */
	item->api = item->kind = item->name = item->ns = {nullptr, 0};
	item->uid = item->version = item->created = {nullptr, 0};
	item->node = item->phase = item->ip = {nullptr, 0};
	item->nips = item->nlabels = item->nports = 0;
	item->host_network = false;
}

static bool walk_item(struct knp_pod_walker *w, od::value &v,
		      unsigned int depth)
{
	static const names<5> names = {{
		"metadata", "spec", "status", "apiVersion", "kind",
	}};
	struct knp_pod_item *item = &w->item;
	const char *start = v.raw_json_token().data();
	bool around = w->plain;
	const char *end;
	bool ok;

	clear(item);
	w->plain = true;
	ok = each_field(w, v, depth, names, [&](size_t at, od::value &field) {
		switch (at) {
		case 0:
			return walk_metadata(w, field, depth + 1);
		case 1:
			return walk_spec(w, field, depth + 1);
		case 2:
			return walk_status(w, field, depth + 1);
		case 3:
			return get_text(w, field, depth + 1, &item->api);
		default:
			return get_text(w, field, depth + 1, &item->kind);
		}
	});
	item->plain = w->plain;
	w->plain = around;
	/* What holds the item has an end behind it, unless it was cut. */
	if (!ok || v.current_location().get(end) || end < start ||
	    end >= w->end)
		return false;
	item->bytes = {start, static_cast<size_t>(end - start)};
	return true;
}

static int fault(simdjson::error_code error)
{
	return error == simdjson::MEMALLOC ? -ENOMEM : 1;
}

static int start(struct knp_pod_walker *w, const char *buf, size_t len,
		 od::document *doc, od::object *ret)
{
	size_t room = room_min;
	simdjson::error_code error;

	if (!check_escapes(w, buf, len) ||
	    len > w->parser.max_capacity() / 2)
		return 1;
	w->plain = true;
	w->end = buf + len;
	while (room < len)
		room *= 2;
	if (room > w->parser.capacity()) {
		error = w->parser.allocate(room);
		if (error)
			return fault(error);
	}
	error = w->parser.iterate(buf, len, len + KNP_WALK_PADDING).get(*doc);
	if (!error)
		error = doc->get_object().get(*ret);
	return error ? fault(error) : 0;
}

/* Whether nothing is left; what is behind the end is no JSON either. */
static bool at_end(od::document *doc)
{
	return doc->current_location().error() == simdjson::OUT_OF_BOUNDS;
}

static bool walk_list_metadata(struct knp_pod_walker *w, od::value &v,
			       struct knp_pod_list *list)
{
	static const names<2> names = {{ "resourceVersion", "continue" }};

	return each_field(w, v, 2, names, [&](size_t at, od::value &field) {
		return get_text(w, field, 3,
				at ? &list->next : &list->version);
	});
}

extern "C" int knp_pod_walk_page(struct knp_pod_walker *w, const char *buf,
				 size_t len, knp_pod_item_fn fn, void *arg,
				 struct knp_pod_list *ret)
{
	static const names<4> names = {{
		"items", "metadata", "apiVersion", "kind",
	}};
	struct knp_pod_list list = {};
	od::document doc;
	od::object object;
	int err;
	bool ok;

	err = start(w, buf, len, &doc, &object);
	if (err)
		return err;
	ok = each_field(w, object, 1, names, [&](size_t at, od::value &field) {
		if (at == 1)
			return walk_list_metadata(w, field, &list);
		if (at)
			return get_text(w, field, 2,
					at == 2 ? &list.api : &list.kind);
		list.has_items = true;
		return each_object(w, field, 2, [&](od::value &element) {
			if (!walk_item(w, element, 3))
				return false;
			err = fn(arg, &w->item);
			return !err;
		});
	});
	if (err)
		return err;
	if (!ok || !w->plain || !at_end(&doc))
		return 1;
	*ret = list;
	return 0;
}

extern "C" int knp_pod_walk_event(struct knp_pod_walker *w, const char *buf,
				  size_t len, struct knp_text *type,
				  struct knp_pod_item **ret)
{
	static const names<2> names = {{ "type", "object" }};
	struct knp_text is = {nullptr, 0};
	od::document doc;
	od::object object;
	bool found = false;
	int err;
	bool ok;

	err = start(w, buf, len, &doc, &object);
	if (err)
		return err;
	ok = each_field(w, object, 1, names, [&](size_t at, od::value &field) {
		if (!at)
			return get_text(w, field, 2, &is);
		found = true;
		return walk_item(w, field, 2);
	});
	if (!ok || !w->plain || !found || !is.s || !at_end(&doc))
		return 1;
	*type = is;
	*ret = &w->item;
	return 0;
}

extern "C" struct knp_pod_walker *knp_pod_walker_new(void)
{
	return new (std::nothrow) knp_pod_walker();
}

extern "C" void knp_pod_walker_free(struct knp_pod_walker *w)
{
	delete w;
}
