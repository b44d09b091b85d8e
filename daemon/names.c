// SPDX-License-Identifier: Apache-2.0
#include "names.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "runtime.h"
#include "store.h"

static const char * const kinds[] = {
	[KNP_NAME_RULE]		= "rule",
	[KNP_NAME_PORTSET]	= "portset",
	[KNP_NAME_SET]		= "set",
};

#define NKINDS	(sizeof(kinds) / sizeof(kinds[0]))

const char *knp_tag_format(const uint8_t tag[KNP_TAG_LEN],
			   char buf[2 * KNP_TAG_LEN + 1])
{
	int i;

	for (i = 0; i < KNP_TAG_LEN; i++)
		sprintf(buf + 2 * i, "%02x", tag[i]);
	return buf;
}

static int tag_parse(const char *text, uint8_t tag[KNP_TAG_LEN])
{
	unsigned int byte;
	int i;

	if (strlen(text) != 2 * KNP_TAG_LEN ||
	    strspn(text, "0123456789abcdef") != 2 * KNP_TAG_LEN)
		return -EBADMSG;

	for (i = 0; i < KNP_TAG_LEN; i++) {
		sscanf(text + 2 * i, "%2x", &byte);
		tag[i] = (uint8_t)byte;
	}

	return 0;
}

/* Add a member; takes @value over. A NULL value is "out of memory". */
static int add(struct json_object *obj, const char *key,
	       struct json_object *value)
{
	if (!value)
		return -ENOMEM;
	if (json_object_object_add(obj, key, value)) {
		json_object_put(value);
		return -ENOMEM;
	}
	return 0;
}

static int add_tags(struct json_object *tags, const struct knp_ruleset *rs)
{
	const struct knp_name *name = rs->names.v;
	char hex[2 * KNP_TAG_LEN + 1];
	struct json_object *entry;
	size_t i;
	int err;

	for (i = 0; i < rs->names.n; i++, name++) {
		entry = json_object_new_object();
		err = add(tags, knp_tag_format(name->tag, hex), entry);
		if (!err)
			err = add(entry, "kind",
				  json_object_new_string(kinds[name->kind]));
		if (!err)
			err = add(entry, "name",
				  json_object_new_string(name->text));
		if (err)
			return err;
	}

	return 0;
}

static int add_addresses(struct json_object *obj, const struct knp_ruleset *rs)
{
	const struct knp_address_name *a = rs->addresses.v;
	struct knp_ip ip;
	char text[46];
	size_t i;
	int err;

	for (i = 0; i < rs->addresses.n; i++, a++) {
		memcpy(ip.b, a->addr, sizeof(ip.b));
		ip.family = a->family;
		err = add(obj, knp_ip_format(&ip, text),
			  json_object_new_string(a->text));
		if (err)
			return err;
	}

	return 0;
}

int knp_names_write(const char *dir, const struct knp_ruleset *rs,
		    uint64_t instance, uint64_t generation)
{
	struct json_object *doc = json_object_new_object();
	struct json_object *tags = json_object_new_object();
	struct json_object *addresses = json_object_new_object();
	char hex[17];
	int err;

	if (!doc || !tags || !addresses) {
		json_object_put(doc);
		json_object_put(tags);
		json_object_put(addresses);
		return -ENOMEM;
	}

	snprintf(hex, sizeof(hex), "%016" PRIx64, instance);
	err = add(doc, "instance", json_object_new_string(hex));
	if (!err)
		err = add(doc, "generation",
			  json_object_new_uint64(generation));
	if (!err)
		err = add_tags(tags, rs);
	if (!err)
		err = add_addresses(addresses, rs);

	/* From here on @doc owns both, if they could be added. */
	if (!err)
		err = add(doc, "tags", tags);
	else
		json_object_put(tags);
	if (!err)
		err = add(doc, "addresses", addresses);
	else
		json_object_put(addresses);

	if (!err)
		err = knp_runtime_write(dir, KNP_NAMES_FILE, doc);
	json_object_put(doc);
	return err;
}

static int by_tag(const void *a, const void *b)
{
	const struct knp_name *x = a, *y = b;

	return memcmp(x->tag, y->tag, KNP_TAG_LEN);
}

static int by_address(const void *a, const void *b)
{
	const struct knp_address_name *x = a, *y = b;

	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	return memcmp(x->addr, y->addr, KNP_ADDR_LEN);
}

static struct json_object *member(struct json_object *obj, const char *key,
				  enum json_type type)
{
	struct json_object *value;

	if (!json_object_object_get_ex(obj, key, &value) ||
	    !json_object_is_type(value, type))
		return NULL;
	return value;
}

/* Names go to terminals; what is not printable must not reach them. */
static char *clean(struct json_object *value)
{
	char *text = strdup(json_object_get_string(value));
	char *p;

	for (p = text; p && *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	return text;
}

static int read_tag(const char *key, struct json_object *value,
		    struct knp_name *name)
{
	struct json_object *text, *kind;
	size_t i;

	if (!json_object_is_type(value, json_type_object))
		return -EBADMSG;

	text = member(value, "name", json_type_string);
	kind = member(value, "kind", json_type_string);
	if (!text || !kind || tag_parse(key, name->tag))
		return -EBADMSG;

	for (i = 0; i < NKINDS; i++)
		if (!strcmp(json_object_get_string(kind), kinds[i]))
			break;
	if (i == NKINDS)
		return -EBADMSG;

	name->kind = (enum knp_name_kind)i;
	name->text = clean(text);
	return name->text ? 0 : -ENOMEM;
}

static int read_address(const char *key, struct json_object *value,
			struct knp_address_name *name)
{
	struct knp_ip ip;

	if (!json_object_is_type(value, json_type_string) ||
	    knp_ip_parse(key, &ip))
		return -EBADMSG;

	memcpy(name->addr, ip.b, sizeof(name->addr));
	name->family = ip.family;
	name->text = clean(value);
	return name->text ? 0 : -ENOMEM;
}

static int read_document(struct json_object *doc, struct knp_names *names)
{
	struct json_object *instance, *generation, *tags, *addresses;
	int err;

	instance = member(doc, "instance", json_type_string);
	generation = member(doc, "generation", json_type_int);
	tags = member(doc, "tags", json_type_object);
	addresses = member(doc, "addresses", json_type_object);
	if (!instance || !generation || !tags || !addresses)
		return -EBADMSG;

	names->instance = strtoull(json_object_get_string(instance), NULL, 16);
	names->generation = json_object_get_uint64(generation);

	/* One more, so that an empty map is no failure. */
	names->v = calloc((size_t)json_object_object_length(tags) + 1,
			  sizeof(*names->v));
	names->addresses =
		calloc((size_t)json_object_object_length(addresses) + 1,
		       sizeof(*names->addresses));
	if (!names->v || !names->addresses)
		return -ENOMEM;

	json_object_object_foreach(tags, tag, entry) {
		err = read_tag(tag, entry, &names->v[names->n]);
		if (err)
			return err;
		names->n++;
	}

	json_object_object_foreach(addresses, address, text) {
		err = read_address(address, text,
				   &names->addresses[names->naddresses]);
		if (err)
			return err;
		names->naddresses++;
	}

	qsort(names->v, names->n, sizeof(*names->v), by_tag);
	qsort(names->addresses, names->naddresses, sizeof(*names->addresses),
	      by_address);
	return 0;
}

int knp_names_read(const char *dir, struct knp_names **ret)
{
	struct knp_names *names;
	struct json_object *doc;
	int err;

	err = knp_runtime_read(dir, KNP_NAMES_FILE, &doc);
	if (err)
		return err;

	names = calloc(1, sizeof(*names));
	err = names ? read_document(doc, names) : -ENOMEM;
	json_object_put(doc);
	if (err) {
		knp_names_free(names);
		return err;
	}

	*ret = names;
	return 0;
}

void knp_names_free(struct knp_names *names)
{
	size_t i;

	if (!names)
		return;

	for (i = 0; i < names->n; i++)
		free(names->v[i].text);
	for (i = 0; i < names->naddresses; i++)
		free(names->addresses[i].text);
	free(names->v);
	free(names->addresses);
	free(names);
}

const char *knp_names_tag(const struct knp_names *names,
			  const uint8_t tag[KNP_TAG_LEN])
{
	const struct knp_name *found;
	struct knp_name key = { 0 };

	if (!names)
		return NULL;

	memcpy(key.tag, tag, KNP_TAG_LEN);
	found = bsearch(&key, names->v, names->n, sizeof(key), by_tag);
	return found ? found->text : NULL;
}

const char *knp_names_address(const struct knp_names *names, uint8_t family,
			      const uint8_t addr[KNP_ADDR_LEN])
{
	const struct knp_address_name *found;
	struct knp_address_name key = { 0 };

	if (!names)
		return NULL;

	key.family = family;
	memcpy(key.addr, addr, KNP_ADDR_LEN);
	found = bsearch(&key, names->addresses, names->naddresses, sizeof(key),
			by_address);
	return found ? found->text : NULL;
}

const struct knp_address_name *
knp_names_pod(const struct knp_names *names, const char *pod,
	      const struct knp_address_name *prev)
{
	const struct knp_address_name *a, *end;

	if (!names)
		return NULL;

	end = names->addresses + names->naddresses;
	for (a = prev ? prev + 1 : names->addresses; a < end; a++)
		if (!strcmp(a->text, pod))
			return a;
	return NULL;
}
