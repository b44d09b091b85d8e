// SPDX-License-Identifier: Apache-2.0
#include "names.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "runtime.h"
#include "store.h"

#define MAGIC	"knp-names 1 "
#define SEAL	"generation "

static const char * const kinds[] = {
	[KNP_NAME_RULE]		= "rule",
	[KNP_NAME_PORTSET]	= "portset",
	[KNP_NAME_SET]		= "set",
};

#define NKINDS	(sizeof(kinds) / sizeof(kinds[0]))

const char *knp_name_kind_word(enum knp_name_kind kind)
{
	return kinds[kind];
}

const char *knp_tag_format(const uint8_t tag[KNP_TAG_LEN],
			   char buf[2 * KNP_TAG_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";
	int i;

	for (i = 0; i < KNP_TAG_LEN; i++) {
		buf[2 * i] = digits[tag[i] >> 4];
		buf[2 * i + 1] = digits[tag[i] & 15];
	}
	buf[2 * KNP_TAG_LEN] = '\0';
	return buf;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int tag_parse(const char *text, uint8_t tag[KNP_TAG_LEN])
{
	int i, high, low;

	if (strlen(text) != 2 * KNP_TAG_LEN)
		return -EBADMSG;

	for (i = 0; i < KNP_TAG_LEN; i++) {
		high = digit(text[2 * i]);
		low = digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return -EBADMSG;
		tag[i] = (uint8_t)(high << 4 | low);
	}

	return 0;
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

/* The same, and then in the order of the file, which is that of the texts. */
static int by_tag_and_line(const void *a, const void *b)
{
	const struct knp_name *x = a, *y = b;
	int order = by_tag(a, b);

	return order ? order : (x->text > y->text) - (x->text < y->text);
}

static int by_address_and_line(const void *a, const void *b)
{
	const struct knp_address_name *x = a, *y = b;
	int order = by_address(a, b);

	return order ? order : (x->text > y->text) - (x->text < y->text);
}

static int parse_number(const char *text, uint64_t *ret)
{
	char *end;

	/* strtoull() would take a sign or spaces. */
	if (*text < '0' || *text > '9')
		return -EBADMSG;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno || *end ? -EBADMSG : 0;
}

static int parse_magic(const char *line, uint64_t *instance)
{
	const char *hex = line + strlen(MAGIC);

	if (strncmp(line, MAGIC, strlen(MAGIC)) || strlen(hex) != 16 ||
	    strspn(hex, "0123456789abcdef") != 16)
		return -EBADMSG;

	*instance = strtoull(hex, NULL, 16);
	return 0;
}

/* Names go to terminals; what is not printable must not reach them. */
static void clean(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

/** struct reading - the lines of a file so far; an empty text is "gone" */
struct reading {
	struct knp_recs tags;
	struct knp_recs addresses;
};

static int read_tag(struct reading *r, enum knp_name_kind kind,
		    const char *key, char *text)
{
	struct knp_name name = { .kind = kind, .text = text };

	if (tag_parse(key, name.tag))
		return -EBADMSG;
	return knp_recs_add(&r->tags, &name) ? 0 : -ENOMEM;
}

static int read_address(struct reading *r, const char *key, char *text)
{
	struct knp_address_name name = { .text = text };
	struct knp_ip ip;

	if (knp_ip_parse(key, &ip))
		return -EBADMSG;

	memcpy(name.addr, ip.b, sizeof(name.addr));
	name.family = ip.family;
	return knp_recs_add(&r->addresses, &name) ? 0 : -ENOMEM;
}

/* @end: the NUL of @line, and so an empty text at its place in the file. */
static int read_gone(struct reading *r, const char *key, char *end)
{
	int err = read_tag(r, KNP_NAME_RULE, key, end);

	return err == -EBADMSG ? read_address(r, key, end) : err;
}

static int read_line(struct reading *r, char *line, char *end)
{
	char *text = line, *word, *key;
	uint64_t generation;
	size_t i;

	word = strsep(&text, " ");
	if (!text)
		return -EBADMSG;
	if (!strcmp(word, "generation"))
		return parse_number(text, &generation);
	if (!strcmp(word, "gone"))
		return read_gone(r, text, end);

	key = strsep(&text, " ");
	if (!text || !*text)
		return -EBADMSG;

	clean(text);
	if (!strcmp(word, "address"))
		return read_address(r, key, text);
	for (i = 0; i < NKINDS; i++)
		if (!strcmp(word, kinds[i]))
			return read_tag(r, (enum knp_name_kind)i, key, text);
	return -EBADMSG;
}

/* Where lines end that a seal covers: that of @wanted, else the last one. */
static const char *sealed(char *text, const char *end, uint64_t wanted,
			  uint64_t *generation)
{
	const char *found = NULL;
	uint64_t number;
	char *line, *eol;

	for (line = text; line < end; line = eol + 1) {
		eol = memchr(line, '\n', (size_t)(end - line));
		if (!eol)
			break;
		if (strncmp(line, SEAL, strlen(SEAL)))
			continue;

		*eol = '\0';
		if (!parse_number(line + strlen(SEAL), &number) &&
		    (!found || *generation != wanted || number == wanted)) {
			*generation = number;
			found = eol + 1;
		}
		*eol = '\n';
	}

	return found;
}

static int read_lines(struct knp_names *names, const char *end,
		      struct reading *r)
{
	char *line, *eol;
	int err;

	for (line = names->text; line < end; line = eol + 1) {
		eol = memchr(line, '\n', (size_t)(end - line));
		*eol = '\0';
		if (line == names->text)
			err = parse_magic(line, &names->instance);
		else
			err = read_line(r, line, eol);
		if (err)
			return err;
	}

	return 0;
}

/* Sort; of the lines about one key keep the last, unless it says "gone". */
static void settle(struct knp_recs *r, size_t text,
		   int (*by_key)(const void *, const void *),
		   int (*by_line)(const void *, const void *))
{
	char *at, *next, *to = r->v;
	size_t i, n = r->n;

	if (n)
		qsort(r->v, n, r->size, by_line);

	for (i = 0; i < n; i++) {
		at = (char *)r->v + i * r->size;
		next = at + r->size;
		if ((i + 1 < n && !by_key(at, next)) ||
		    !**(char **)(at + text)) {
			r->n--;
			continue;
		}
		memmove(to, at, r->size);
		to += r->size;
	}
}

static int read_text(struct knp_names *names, size_t len, uint64_t wanted)
{
	struct reading r = {
		.tags = { .size = sizeof(struct knp_name) },
		.addresses = { .size = sizeof(struct knp_address_name) },
	};
	const char *end;
	int err;

	end = sealed(names->text, names->text + len, wanted,
		     &names->generation);
	err = end ? read_lines(names, end, &r) : -EBADMSG;
	if (!err) {
		settle(&r.tags, offsetof(struct knp_name, text), by_tag,
		       by_tag_and_line);
		settle(&r.addresses, offsetof(struct knp_address_name, text),
		       by_address, by_address_and_line);
	}

	names->v = r.tags.v;
	names->n = r.tags.n;
	names->addresses = r.addresses.v;
	names->naddresses = r.addresses.n;
	return err;
}

int knp_names_read_at(const char *dir, uint64_t generation,
		      struct knp_names **ret)
{
	struct knp_names *names = calloc(1, sizeof(*names));
	size_t len;
	int err;

	if (!names)
		return -ENOMEM;

	err = knp_runtime_load(dir, KNP_NAMES_FILE, &names->text, &len);
	if (!err)
		err = read_text(names, len, generation);
	if (err) {
		knp_names_free(names);
		return err;
	}

	*ret = names;
	return 0;
}

int knp_names_read(const char *dir, struct knp_names **ret)
{
	/* No seal is of the last number there is. */
	return knp_names_read_at(dir, UINT64_MAX, ret);
}

void knp_names_free(struct knp_names *names)
{
	if (!names)
		return;

	free(names->v);
	free(names->addresses);
	free(names->text);
	free(names);
}

const char *knp_names_tag(const struct knp_names *names,
			  const uint8_t tag[KNP_TAG_LEN])
{
	const struct knp_name *found;
	struct knp_name key = { 0 };

	if (!names || !names->n)
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

	if (!names || !names->naddresses)
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

	if (!names || !names->naddresses)
		return NULL;

	end = names->addresses + names->naddresses;
	for (a = prev ? prev + 1 : names->addresses; a < end; a++)
		if (!strcmp(a->text, pod))
			return a;
	return NULL;
}
