// SPDX-License-Identifier: Apache-2.0
#include "state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#define DIGEST_LEN	32

static const char magic[8] = { 'K', 'N', 'P', 'S', 'T', 'A', 'T', 'E' };

/**
 * struct state_header - how it begins
 * @size: of everything, with the digest
 * @boot: a UUID and a NUL, or "" and NULs
 * @node: a name and NULs
 * @nallow: entries of NODE_ALLOW, which follow
 */
struct state_header {
	char magic[8];
	uint32_t version;
	uint32_t abi;
	uint64_t size;
	uint64_t netns;
	int64_t saved;
	uint64_t instance;
	uint64_t generation;
	uint32_t families;
	uint32_t event_rate;
	uint32_t nallow;
	uint8_t mode;
	uint8_t dflt;
	uint8_t unknown_local;
	uint8_t encap;
	uint8_t node_egress;
	uint8_t lb_probes;
	char boot[KNP_BOOT_ID_LEN + 1];
	char node[KNP_STATE_NODE_LEN + 1];
	uint8_t pad[3];
};

/* struct state_part - followed by @len bytes of records */
struct state_part {
	uint32_t table;
	uint32_t len;
};

_Static_assert(sizeof(struct state_header) == 368, "the format has no holes");

static bool digest(const void *data, size_t len, uint8_t ret[DIGEST_LEN])
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	size_t n = 0;

	if (!EVP_Q_digest(NULL, "SHA256", NULL, data, len, sum, &n))
		return false;
	memcpy(ret, sum, DIGEST_LEN);
	return true;
}

static struct state_header header_of(const struct knp_state *s, size_t size)
{
	struct state_header h = {
		.version = KNP_STATE_VERSION,
		.abi = KNP_ABI_VERSION,
		.size = size,
		.netns = s->boot.netns,
		.saved = s->saved,
		.instance = s->info.instance,
		.generation = s->info.generation,
		.families = s->info.families,
		.event_rate = s->info.event_rate,
		.nallow = (uint32_t)s->info.node_allow.n,
		.mode = s->info.mode,
		.dflt = s->info.dflt,
		.unknown_local = s->info.unknown_local,
		.encap = s->info.encap,
		.node_egress = s->info.node_egress,
		.lb_probes = s->info.lb_probes,
	};

	memcpy(h.magic, magic, sizeof(h.magic));
	snprintf(h.boot, sizeof(h.boot), "%s", s->boot.id);
	snprintf(h.node, sizeof(h.node), "%s", s->node);
	return h;
}

/* Of so many entries of NODE_ALLOW, bytes. */
static size_t allow_len(size_t n)
{
	return n * sizeof(struct knp_node_allow);
}

static uint8_t *append(uint8_t *to, const void *data, size_t len)
{
	memcpy(to, data, len);
	return to + len;
}

static void write_down(const struct knp_state *s, const struct knp_diff *d,
		       uint8_t *to, size_t size)
{
	struct state_header h = header_of(s, size);
	struct state_part part;

	to = append(to, &h, sizeof(h));
	to = append(to, s->info.node_allow.v, allow_len(h.nallow));
	for (size_t i = 0; i < d->nops; i++) {
		part = (struct state_part){ d->ops[i].table,
					    (uint32_t)d->ops[i].len };
		to = append(to, &part, sizeof(part));
		to = append(to, d->ops[i].recs, d->ops[i].len);
	}
}

int knp_state_encode(const struct knp_state *s, void **ret, size_t *len)
{
	size_t size = sizeof(struct state_header) + DIGEST_LEN +
		      allow_len(s->info.node_allow.n);
	struct knp_ruleset *nothing = knp_ruleset_new();
	struct knp_diff *d = NULL;
	uint8_t *data = NULL;
	int err = -ENOMEM;

	if (!nothing || knp_ruleset_diff(nothing, s->rs, &d))
		goto out;
	for (size_t i = 0; i < d->nops; i++)
		size += sizeof(struct state_part) + d->ops[i].len;
	data = malloc(size);
	if (!data)
		goto out;
	write_down(s, d, data, size);
	if (!digest(data, size - DIGEST_LEN, data + size - DIGEST_LEN))
		goto out;
	*ret = data;
	*len = size;
	data = NULL;
	err = 0;
out:
	free(data);
	knp_diff_free(d);
	knp_ruleset_free(nothing);
	return err;
}

/* ---- reading ------------------------------------------------------------- */

static int refuse(char why[KNP_STATE_WHY], const char *text)
{
	snprintf(why, KNP_STATE_WHY, "%s", text);
	return -EBADMSG;
}

/* What is said first is what is the least likely to be damage. */
static int check_whole(const uint8_t *data, size_t len, struct state_header *h,
		       char why[KNP_STATE_WHY])
{
	uint8_t sum[DIGEST_LEN];

	if (len < offsetof(struct state_header, abi))
		return refuse(why, "is truncated");
	memcpy(h, data, len < sizeof(*h) ? len : sizeof(*h));
	if (memcmp(h->magic, magic, sizeof(magic)))
		return refuse(why, "is no state of knp");
	if (h->version != KNP_STATE_VERSION) {
		snprintf(why, KNP_STATE_WHY,
			 "is of %s version %u, this program reads version %d",
			 h->version > KNP_STATE_VERSION ? "the newer" : "the",
			 h->version, KNP_STATE_VERSION);
		return -EBADMSG;
	}
	if (len < sizeof(*h) + DIGEST_LEN || len < h->size)
		return refuse(why, "is truncated");
	if (len > h->size)
		return refuse(why, "is damaged: it is longer than it was");
	if (!digest(data, len - DIGEST_LEN, sum))
		return -ENOMEM;
	if (memcmp(sum, data + len - DIGEST_LEN, DIGEST_LEN))
		return refuse(why, "is damaged: its checksum does not match");
	return 0;
}

/* Whether a field holds a text and nothing behind it. */
static bool is_text(const char *field, size_t size)
{
	size_t len = strnlen(field, size);

	for (size_t i = len; i < size; i++)
		if (field[i])
			return false;
	return len < size;
}

static bool is_sound(const struct state_header *h, size_t len)
{
	static const uint8_t none[sizeof(h->pad)];

	return is_text(h->boot, sizeof(h->boot)) &&
	       is_text(h->node, sizeof(h->node)) &&
	       !memcmp(h->pad, none, sizeof(none)) && h->generation &&
	       h->nallow <= KNP_NODE_ALLOW_MAX &&
	       len >= sizeof(*h) + allow_len(h->nallow) + DIGEST_LEN &&
	       !(h->families & ~(uint32_t)KNP_FAMILY_MASK) &&
	       h->mode <= KNP_MODE_AUDIT && h->dflt <= KNP_DROP &&
	       h->unknown_local <= KNP_DROP && h->encap <= KNP_DROP &&
	       h->node_egress <= KNP_DROP && h->lb_probes <= KNP_DROP;
}

/* -EINVAL: they are malformed. */
static int read_parts(struct knp_ruleset *rs, const uint8_t *p,
		      const uint8_t *end)
{
	struct state_part part = { 0 };
	uint32_t table = 0;
	int err = 0;

	while (p < end && !err) {
		if ((size_t)(end - p) < sizeof(part))
			return -EINVAL;
		memcpy(&part, p, sizeof(part));
		p += sizeof(part);
		if (part.len > (size_t)(end - p) || part.table < table)
			return -EINVAL;
		table = part.table;
		err = knp_ruleset_unpack(rs, table, p, part.len);
		p += part.len;
	}
	return err;
}

static void take_header(const struct state_header *h, const uint8_t *allow,
			struct knp_state *ret)
{
	*ret = (struct knp_state){
		.boot.netns = h->netns,
		.saved = h->saved,
		.info = {
			.instance = h->instance,
			.generation = h->generation,
			.families = h->families,
			.event_rate = h->event_rate,
			.mode = h->mode,
			.dflt = h->dflt,
			.unknown_local = h->unknown_local,
			.encap = h->encap,
			.node_egress = h->node_egress,
			.lb_probes = h->lb_probes,
			.node_allow.n = h->nallow,
		},
	};
	memcpy(ret->info.node_allow.v, allow, allow_len(h->nallow));
	memcpy(ret->boot.id, h->boot, sizeof(ret->boot.id));
	memcpy(ret->node, h->node, sizeof(ret->node));
}

int knp_state_decode(const void *data, size_t len, struct knp_state *ret,
		     char why[KNP_STATE_WHY])
{
	struct state_header h = { 0 };
	const uint8_t *p = data;
	struct knp_ruleset *rs;
	int err;

	err = check_whole(p, len, &h, why);
	if (err)
		return err;
	if (h.abi != KNP_ABI_VERSION)
		return refuse(why, "holds tables of another version of the module");
	if (!is_sound(&h, len))
		return refuse(why, "is malformed: its header");

	rs = knp_ruleset_new();
	if (!rs)
		return -ENOMEM;
	err = read_parts(rs, p + sizeof(h) + allow_len(h.nallow),
			 p + len - DIGEST_LEN);
	if (err) {
		knp_ruleset_free(rs);
		return err == -EINVAL ?
			refuse(why, "is malformed: its tables") : err;
	}
	knp_ruleset_sort(rs);
	take_header(&h, p + sizeof(h), ret);
	ret->rs = rs;
	return 0;
}

void knp_state_clear(struct knp_state *s)
{
	knp_ruleset_free(s->rs);
	s->rs = NULL;
}

bool knp_state_same(const struct knp_info *a, const struct knp_info *b)
{
	return a->instance == b->instance && a->generation == b->generation &&
	       a->families == b->families && a->mode == b->mode &&
	       a->dflt == b->dflt && a->unknown_local == b->unknown_local &&
	       a->encap == b->encap && a->node_egress == b->node_egress &&
	       a->lb_probes == b->lb_probes && a->event_rate == b->event_rate &&
	       a->node_allow.n == b->node_allow.n &&
	       !memcmp(a->node_allow.v, b->node_allow.v,
		       allow_len(a->node_allow.n));
}
