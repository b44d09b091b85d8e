// SPDX-License-Identifier: Apache-2.0
/*
 * Addresses into classes.
 *
 * The prefixes of all ipBlocks, cidrs and excepts alike, cut the address space
 * into nested regions. Inside one region, below its smaller ones, every address
 * is in the same blocks: a block holds from its cidr down, and no longer from
 * any of its excepts down. So a walk in the order (address, length) that keeps
 * the enclosing region knows the blocks of each from those of its parent.
 *
 * The class of an address is the selectors that match its pod, the blocks of
 * its region and what the pod's port names stand for, as far as a rule asks. A
 * pod's address needs a peer record only if something beyond its region does.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "compile_impl.h"
#include "selector.h"

#define NAME_LABEL	"kubernetes.io/metadata.name"

/*
 * Of a namespace whose object was not seen only the name is known. What labels
 * it lacks is not: NotIn and DoesNotExist about others do not hold, or a late
 * object would open something.
 */
static bool matches_unseen(const struct knp_selector *selector,
			   const char *name)
{
	struct knp_label label = {
		.key = NAME_LABEL,
		.value = name,
	};
	const struct knp_labels labels = { .v = &label, .n = 1 };

	for (size_t i = 0; i < selector->nreqs; i++)
		if (strcmp(selector->reqs[i].key, NAME_LABEL))
			return false;
	return knp_selector_matches(selector, &labels);
}

static bool matches_namespace(const struct knp_selector *selector,
			      const struct knp_cns *ns)
{
	if (!ns->labels)
		return matches_unseen(selector, ns->name);
	return knp_selector_matches(selector, ns->labels);
}

static int match_pods(struct knp_comp *c, uint32_t atom,
		      const struct knp_selector *selector,
		      const struct knp_cns *ns)
{
	struct knp_cpod *pod = knp_cpods(c) + ns->first;

	for (uint32_t i = 0; i < ns->n; i++, pod++) {
		if (!pod->owner ||
		    (selector &&
		     !knp_selector_matches(selector, pod->pod->labels)))
			continue;
		if (!knp_recs_add(&pod->atoms, &atom))
			return -ENOMEM;
	}
	return 0;
}

int knp_comp_match(struct knp_comp *c)
{
	const struct knp_cns *namespaces = c->namespaces.v;
	const struct knp_catom *atom = knp_catoms(c);
	const struct knp_peer *peer;
	int err;

	for (uint32_t i = 0; i < c->atoms.n; i++, atom++) {
		peer = atom->peer;
		if (peer->block)
			continue;
		for (size_t j = 0; j < c->namespaces.n; j++) {
			if (peer->ns ?
			    !matches_namespace(peer->ns, &namespaces[j]) :
			    strcmp(atom->ns, namespaces[j].name))
				continue;
			err = match_pods(c, i, peer->pod, &namespaces[j]);
			if (err)
				return err;
		}
	}
	return 0;
}

/* struct edge - a prefix where a block begins, or (@except) ends */
struct edge {
	struct knp_prefix prefix;
	uint32_t atom;
	bool except;
};

static int by_place(const struct knp_prefix *a, const struct knp_prefix *b)
{
	int cmp;

	if (a->ip.family != b->ip.family)
		return a->ip.family < b->ip.family ? -1 : 1;
	cmp = memcmp(a->ip.b, b->ip.b, sizeof(a->ip.b));
	if (cmp)
		return cmp;
	return (a->len > b->len) - (a->len < b->len);
}

static int by_edge(const void *a, const void *b)
{
	const struct edge *ea = a, *eb = b;
	int cmp = by_place(&ea->prefix, &eb->prefix);

	if (cmp)
		return cmp;
	if (ea->except != eb->except)
		return ea->except - eb->except;
	return (ea->atom > eb->atom) - (ea->atom < eb->atom);
}

/* Decoding refuses what would make this true by more than one prefix. */
static bool is_empty(const struct knp_ipblock *block)
{
	for (size_t i = 0; i < block->nexcept; i++)
		if (knp_prefix_contains(&block->except[i], &block->cidr))
			return true;
	return false;
}

static int collect_edges(const struct knp_comp *c, struct knp_recs *edges)
{
	const struct knp_ipblock *block;
	struct edge edge;

	for (uint32_t i = 0; i < c->atoms.n; i++) {
		block = knp_catoms(c)[i].peer->block;
		if (!block || is_empty(block))
			continue;
		edge = (struct edge){ .prefix = block->cidr, .atom = i };
		if (!knp_recs_add(edges, &edge))
			return -ENOMEM;
		edge.except = true;
		for (size_t j = 0; j < block->nexcept; j++) {
			edge.prefix = block->except[j];
			if (!knp_recs_add(edges, &edge))
				return -ENOMEM;
		}
	}
	if (edges->n > 1)
		qsort(edges->v, edges->n, edges->size, by_edge);
	return 0;
}

static uint32_t enclosing(const struct knp_comp *c, uint32_t from,
			  const struct knp_prefix *prefix)
{
	const struct knp_cregion *regions = c->regions.v;

	while (from != KNP_NONE &&
	       !knp_prefix_contains(&regions[from].prefix, prefix))
		from = regions[from].parent;
	return from;
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *na = a, *nb = b;

	return (*na > *nb) - (*na < *nb);
}

/* The blocks of a region: its parent's, and the edges at its own prefix. */
static int region_atoms(struct knp_comp *c, struct knp_cregion *region,
			const struct edge *edge, size_t n)
{
	const struct knp_cregion *regions = c->regions.v;
	struct knp_span parent = { 0 };
	uint32_t *atoms;
	uint32_t atom;

	if (region->parent != KNP_NONE)
		parent = regions[region->parent].atoms;
	region->atoms.first = c->region_atoms.n;
	for (uint32_t i = 0; i < parent.n; i++) {
		atom = knp_numbers(&c->region_atoms, parent)[i];
		if (!knp_recs_add(&c->region_atoms, &atom))
			return -ENOMEM;
		region->atoms.n++;
	}
	for (size_t i = 0; i < n; i++) {
		atoms = (uint32_t *)c->region_atoms.v + region->atoms.first;
		if (!edge[i].except) {
			if (!knp_recs_add(&c->region_atoms, &edge[i].atom))
				return -ENOMEM;
			region->atoms.n++;
			continue;
		}
		for (uint32_t j = 0; j < region->atoms.n; j++) {
			if (atoms[j] != edge[i].atom)
				continue;
			atoms[j] = atoms[--region->atoms.n];
			c->region_atoms.n--;
			break;
		}
	}
	if (region->atoms.n > 1)
		qsort((uint32_t *)c->region_atoms.v + region->atoms.first,
		      region->atoms.n, sizeof(uint32_t), by_number);
	return 0;
}

int knp_comp_regions(struct knp_comp *c)
{
	struct knp_recs edges = { .size = sizeof(struct edge) };
	struct knp_cregion region;
	const struct edge *edge;
	size_t n;
	int err;

	err = collect_edges(c, &edges);
	edge = edges.v;
	for (size_t i = 0; !err && i < edges.n; i += n) {
		for (n = 1; i + n < edges.n; n++)
			if (by_place(&edge[i].prefix, &edge[i + n].prefix))
				break;
		region = (struct knp_cregion){ .prefix = edge[i].prefix };
		region.parent = enclosing(c, c->regions.n ? c->regions.n - 1 :
					  KNP_NONE, &region.prefix);
		err = region_atoms(c, &region, &edge[i], n);
		if (!err && !knp_recs_add(&c->regions, &region))
			err = -ENOMEM;
	}
	free(edges.v);
	return err;
}

/* The region that an address is in, KNP_NONE: outside of all. */
static uint32_t region_of(const struct knp_comp *c, const struct knp_ip *ip)
{
	const struct knp_cregion *regions = c->regions.v;
	struct knp_prefix host = {
		.ip = *ip,
		.len = ip->family == AF_INET ? 32 : 128,
	};
	size_t lo = 0, hi = c->regions.n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (by_place(&regions[mid].prefix, &host) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? enclosing(c, lo - 1, &host) : KNP_NONE;
}

/* struct signature - what makes a class */
struct signature {
	struct knp_recs atoms;		/* uint32_t, ascending */
	struct knp_recs ports;		/* struct knp_cport_of, sorted */
};

static int by_tag(const void *a, const void *b)
{
	return memcmp(a, b, KNP_TAG_LEN);
}

static int class_tag(struct knp_comp *c, const struct signature *sig,
		     uint8_t tag[KNP_TAG_LEN])
{
	uint8_t (*tags)[KNP_TAG_LEN] = calloc(sig->atoms.n + 1, sizeof(*tags));
	const uint32_t *atoms = sig->atoms.v;
	int err;

	if (!tags)
		return -ENOMEM;
	for (size_t i = 0; i < sig->atoms.n; i++)
		memcpy(tags[i], knp_catoms(c)[atoms[i]].tag, KNP_TAG_LEN);
	qsort(tags, sig->atoms.n, sizeof(*tags), by_tag);

	knp_buf_reset(&c->buf);
	knp_buf_str(&c->buf, "class");
	knp_buf_u32(&c->buf, sig->atoms.n);
	knp_buf_add(&c->buf, tags, sig->atoms.n * sizeof(*tags));
	free(tags);
	err = knp_comp_write_ports(c, sig->ports.v, sig->ports.n);
	return err ? err : knp_comp_tag(c, tag);
}

static int add_class(struct knp_comp *c, const struct signature *sig)
{
	const struct knp_cport_of *ports = sig->ports.v;
	const uint32_t *atoms = sig->atoms.v;
	struct knp_cclass class = {
		.atoms = { c->class_atoms.n, sig->atoms.n },
		.ports = { c->class_ports.n, sig->ports.n },
	};
	int err;

	for (size_t i = 0; i < sig->atoms.n; i++)
		if (!knp_recs_add(&c->class_atoms, &atoms[i]))
			return -ENOMEM;
	for (size_t i = 0; i < sig->ports.n; i++)
		if (!knp_recs_add(&c->class_ports, &ports[i]))
			return -ENOMEM;
	err = class_tag(c, sig, class.tag);
	if (err)
		return err;
	return knp_recs_add(&c->classes, &class) ? 0 : -ENOMEM;
}

static int intern_class(struct knp_comp *c, const struct signature *sig,
			uint32_t *ret)
{
	uint32_t limit = c->limits->v[KNP_TABLE_CLASS];
	uint32_t id;
	int err;

	knp_buf_reset(&c->buf);
	knp_buf_u32(&c->buf, sig->atoms.n);
	knp_buf_add(&c->buf, sig->atoms.v, sig->atoms.n * sig->atoms.size);
	knp_buf_add(&c->buf, sig->ports.v, sig->ports.n * sig->ports.size);
	if (c->buf.failed)
		return -ENOMEM;
	err = knp_intern(&c->class_ids, c->buf.v, c->buf.n, &id);
	if (err < 0)
		return err;

	/* Class 0 is the empty one and takes no id. */
	if (id > limit) {
		*ret = 0;
		if (c->classes_full)
			return 0;
		c->classes_full = true;
		return knp_comp_trouble(c, "more than %u classes of peers: the rest matches no selector and no ipBlock",
					limit);
	}
	*ret = id;
	return err ? add_class(c, sig) : 0;
}

static int classify_regions(struct knp_comp *c)
{
	struct knp_cregion *regions = c->regions.v;
	struct signature sig = {
		.atoms = { .size = sizeof(uint32_t) },
		.ports = { .size = sizeof(struct knp_cport_of) },
	};
	uint32_t around, limit = c->limits->v[KNP_TABLE_CIDR], n = 0;
	int err;

	for (size_t i = 0; i < c->regions.n; i++) {
		sig.atoms.v = (uint32_t *)c->region_atoms.v +
			      regions[i].atoms.first;
		sig.atoms.n = regions[i].atoms.n;
		err = intern_class(c, &sig, &regions[i].class_id);
		if (err)
			return err;
		around = regions[i].parent == KNP_NONE ? 0 :
			 regions[regions[i].parent].class_id;
		regions[i].record = regions[i].class_id != around;
		n += regions[i].record;
	}
	if (n <= limit)
		return 0;

	/* Not some of them: the ones left out may be holes in others. */
	for (size_t i = 0; i < c->regions.n; i++)
		regions[i].record = false;
	return knp_comp_trouble(c, "more than %u prefixes in ipBlocks: no ipBlock matches an address that is no pod",
				limit);
}

static int add_names(struct knp_comp *c, const struct knp_cpod *pod,
		     const uint32_t *names, size_t n, struct knp_recs *ports)
{
	int err = 0;

	for (size_t i = 0; !err && i < n; i++)
		err = knp_comp_resolve(c, pod->pod, names[i], ports);
	return err;
}

static int resolve_egress(struct knp_comp *c, const struct knp_cpod *pod,
			  struct knp_recs *ports)
{
	const struct knp_cname *names = c->names.v;
	const uint32_t *atoms = pod->atoms.v;
	int err = 0;

	ports->n = 0;
	if (!pod->pod->ports->n)
		return 0;
	for (uint32_t i = 0; !err && i < c->names.n; i++)
		if (names[i].any_peer)
			err = add_names(c, pod, &i, 1, ports);
	for (size_t i = 0; !err && i < pod->atoms.n; i++) {
		const struct knp_recs *used = &knp_catoms(c)[atoms[i]].names;

		err = add_names(c, pod, used->v, used->n, ports);
	}
	knp_comp_sort_ports(ports);
	return err;
}

static int add_numbers(struct knp_recs *to, const uint32_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!knp_recs_add(to, &v[i]))
			return -ENOMEM;
	return 0;
}

static int classify_ip(struct knp_comp *c, struct knp_cip *ip,
		       struct signature *sig)
{
	const struct knp_cregion *regions = c->regions.v;
	const struct knp_cpod *pod = &knp_cpods(c)[ip->pod];
	uint32_t region;
	int err;

	ip->class_id = 0;
	err = resolve_egress(c, pod, &sig->ports);
	if (err)
		return err;
	ip->peer = pod->atoms.n || sig->ports.n;
	region = region_of(c, &ip->ip);
	if (!ip->peer) {
		if (region != KNP_NONE)
			ip->class_id = regions[region].class_id;
		return 0;
	}

	sig->atoms.n = 0;
	err = add_numbers(&sig->atoms, pod->atoms.v, pod->atoms.n);
	if (!err && region != KNP_NONE)
		err = add_numbers(&sig->atoms,
				  knp_numbers(&c->region_atoms,
					      regions[region].atoms),
				  regions[region].atoms.n);
	if (err)
		return err;
	if (sig->atoms.n > 1)
		qsort(sig->atoms.v, sig->atoms.n, sizeof(uint32_t), by_number);
	err = intern_class(c, sig, &ip->class_id);
	/* Without a class of its own it is what its region is. */
	ip->peer = ip->class_id;
	return err;
}

int knp_comp_classes(struct knp_comp *c)
{
	struct signature sig = {
		.atoms = { .size = sizeof(uint32_t) },
		.ports = { .size = sizeof(struct knp_cport_of) },
	};
	uint32_t limit = c->limits->v[KNP_TABLE_PEER], npeers = 0, none;
	struct knp_cip *ips = c->ips.v;
	int err;

	err = intern_class(c, &sig, &none);
	if (!err)
		err = classify_regions(c);
	for (size_t i = 0; !err && i < c->ips.n; i++) {
		err = classify_ip(c, &ips[i], &sig);
		if (err || !ips[i].peer || ++npeers <= limit)
			continue;
		ips[i].peer = false;
		if (npeers == limit + 1)
			err = knp_comp_trouble(c, "more than %u addresses of pods match selectors: the rest matches none",
					       limit);
	}
	free(sig.atoms.v);
	free(sig.ports.v);
	return err;
}
