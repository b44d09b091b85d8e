// SPDX-License-Identifier: Apache-2.0
/*
 * Addresses into classes.
 *
 * The class of an address is the selectors that match its pod, the blocks of
 * its region and what the pod's port names stand for, as far as a rule asks. A
 * pod's address needs a peer record only if something beyond its region does.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile_impl.h"
#include "numbers.h"
#include "selector.h"

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
			    !knp_selector_matches_namespace(peer->ns,
							    namespaces[j].name,
							    namespaces[j].labels) :
			    strcmp(atom->ns, namespaces[j].name))
				continue;
			err = match_pods(c, i, peer->pod, &namespaces[j]);
			if (err)
				return err;
		}
	}
	return 0;
}

int knp_comp_regions(struct knp_comp *c)
{
	struct knp_recs blocks = { .size = sizeof(struct knp_block_of) };
	struct knp_block_of block;
	int err = 0;

	for (uint32_t i = 0; !err && i < c->atoms.n; i++) {
		block = (struct knp_block_of){
			knp_catoms(c)[i].peer->block, i,
		};
		if (block.block && !knp_recs_add(&blocks, &block))
			err = -ENOMEM;
	}
	if (!err)
		err = knp_regions_build(blocks.v, blocks.n, &c->regions);
	free(blocks.v);
	if (err)
		return err;
	c->cregions = calloc(c->regions.v.n + 1, sizeof(*c->cregions));
	return c->cregions ? 0 : -ENOMEM;
}

/* struct signature - what makes a class */
struct signature {
	struct knp_recs atoms;		/* uint32_t, ascending */
	struct knp_recs ports;		/* struct knp_port_of, sorted */
};

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
	err = knp_identity_class(&c->buf, tags, sig->atoms.n, &c->names,
				 sig->ports.v, sig->ports.n, tag);
	free(tags);
	return err;
}

static int add_class(struct knp_comp *c, const struct signature *sig)
{
	const struct knp_port_of *ports = sig->ports.v;
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
		return knp_trouble(c->troubles, "more than %u classes of peers: the rest matches no selector and no ipBlock",
				   limit);
	}
	*ret = id;
	return err ? add_class(c, sig) : 0;
}

static int classify_regions(struct knp_comp *c)
{
	struct signature sig = {
		.atoms = { .size = sizeof(uint32_t) },
		.ports = { .size = sizeof(struct knp_port_of) },
	};
	uint32_t around, limit = c->limits->v[KNP_TABLE_CIDR], n = 0;
	struct knp_cregion *of = c->cregions;
	const struct knp_region *region;
	int err;

	for (size_t i = 0; i < c->regions.v.n; i++) {
		region = knp_region_at(&c->regions, i);
		sig.atoms.v = (void *)knp_region_blocks(&c->regions, region);
		sig.atoms.n = region->blocks.n;
		err = intern_class(c, &sig, &of[i].class_id);
		if (err)
			return err;
		around = region->parent == KNP_NONE ? 0 :
			 of[region->parent].class_id;
		of[i].record = of[i].class_id != around;
		n += of[i].record;
	}
	if (n <= limit)
		return 0;

	/* Not some of them: the ones left out may be holes in others. */
	for (size_t i = 0; i < c->regions.v.n; i++)
		of[i].record = false;
	return knp_trouble(c->troubles, "more than %u prefixes in ipBlocks: no ipBlock matches an address that is no pod",
			   limit);
}

static int add_names(struct knp_comp *c, const struct knp_cpod *pod,
		     const uint32_t *names, size_t n, struct knp_recs *ports)
{
	int err = 0;

	for (size_t i = 0; !err && i < n; i++)
		err = knp_port_names_resolve(&c->names, names[i],
					     pod->pod->ports->v,
					     pod->pod->ports->n,
					     ports);
	return err;
}

static int resolve_egress(struct knp_comp *c, const struct knp_cpod *pod,
			  struct knp_recs *ports)
{
	const uint32_t *any_peer = c->any_peer_names.v;
	const uint32_t *atoms = pod->atoms.v;
	int err = 0;

	ports->n = 0;
	if (!pod->pod->ports->n)
		return 0;
	err = add_names(c, pod, any_peer, c->any_peer_names.n, ports);
	for (size_t i = 0; !err && i < pod->atoms.n; i++) {
		const struct knp_recs *used = &knp_catoms(c)[atoms[i]].names;

		err = add_names(c, pod, used->v, used->n, ports);
	}
	knp_port_names_sort(ports);
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
	const struct knp_cpod *pod = &knp_cpods(c)[ip->pod];
	const struct knp_region *around;
	uint32_t region;
	int err;

	ip->class_id = 0;
	err = resolve_egress(c, pod, &sig->ports);
	if (err)
		return err;
	ip->peer = pod->atoms.n || sig->ports.n;
	region = knp_regions_find(&c->regions, &ip->ip);
	if (!ip->peer) {
		if (region != KNP_NONE)
			ip->class_id = c->cregions[region].class_id;
		return 0;
	}

	sig->atoms.n = 0;
	err = add_numbers(&sig->atoms, pod->atoms.v, pod->atoms.n);
	if (!err && region != KNP_NONE) {
		around = knp_region_at(&c->regions, region);
		err = add_numbers(&sig->atoms,
				  knp_region_blocks(&c->regions, around),
				  around->blocks.n);
	}
	if (err)
		return err;
	if (sig->atoms.n > 1)
		qsort(sig->atoms.v, sig->atoms.n, sizeof(uint32_t),
		      knp_by_number);
	err = intern_class(c, sig, &ip->class_id);
	/* Without a class of its own it is what its region is. */
	ip->peer = ip->class_id;
	return err;
}

int knp_comp_classes(struct knp_comp *c)
{
	struct signature sig = {
		.atoms = { .size = sizeof(uint32_t) },
		.ports = { .size = sizeof(struct knp_port_of) },
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
			err = knp_trouble(c->troubles, "more than %u addresses of pods match selectors: the rest matches none",
					  limit);
	}
	free(sig.atoms.v);
	free(sig.ports.v);
	return err;
}
