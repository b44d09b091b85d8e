// SPDX-License-Identifier: Apache-2.0
/* The objects of the live ruleset as records. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "live_impl.h"

uint32_t live_class_id(const struct live_class *class)
{
	return class ? class->id.id : 0;
}

uint32_t live_portset_id(const struct live_portset *portset)
{
	return portset ? portset->id.id : 0;
}

uint32_t live_set_id(const struct live_set *set)
{
	return set ? set->id.id : 0;
}

static int by_lo(const void *a, const void *b)
{
	const struct knp_rec_port *pa = a, *pb = b;

	if (pa->proto != pb->proto)
		return pa->proto < pb->proto ? -1 : 1;
	return (pa->lo > pb->lo) - (pa->lo < pb->lo);
}

/* To free() @ret->ports. */
int live_portset_record(const struct knp_live *l, const struct live_portset *p,
			struct knp_rs_portset *ret)
{
	const struct live_rule *rule;

	*ret = (struct knp_rs_portset){
		.rec = { .id = p->id.id, .nports = p->n },
		.ports = calloc(p->n, sizeof(*ret->ports)),
	};
	if (!ret->ports)
		return -ENOMEM;
	memcpy(ret->rec.tag, p->id.tag, KNP_TAG_LEN);
	for (uint32_t i = 0; i < p->n; i++) {
		rule = live_numbered(&l->numbers[LIVE_RULE], p->entries[i].rule);
		ret->ports[i].rule = rule->id.id;
		ret->ports[i].lo = p->entries[i].lo;
		ret->ports[i].hi = p->entries[i].hi;
		ret->ports[i].proto = p->entries[i].proto;
	}
	qsort(ret->ports, p->n, sizeof(*ret->ports), by_lo);
	return 0;
}

/* Rules and classes are an id and a tag. */
struct knp_rec_rule live_named_record(const struct live_id *id)
{
	struct knp_rec_rule rec = { .id = id->id };

	memcpy(rec.tag, id->tag, KNP_TAG_LEN);
	return rec;
}

struct knp_rec_set live_set_record(const struct live_set *set)
{
	struct knp_rec_set rec = {
		.id = set->id.id,
		.dflt = live_portset_id(set->dflt),
		.direction = set->direction == EGRESS ? KNP_EGRESS :
							KNP_INGRESS,
	};

	memcpy(rec.tag, set->id.tag, KNP_TAG_LEN);
	return rec;
}

struct knp_rec_row live_row_record(const struct live_set *set,
				   const struct live_row *row)
{
	return (struct knp_rec_row){
		.set = set->id.id,
		.class_id = row->class_id,
		.portset = live_portset_id(row->portset),
	};
}

struct knp_rec_peer live_peer_record(const struct knp_ip *ip,
				     uint32_t class_id)
{
	struct knp_rec_peer rec = { .family = ip->family, .class_id = class_id };

	memcpy(rec.addr, ip->b, KNP_ADDR_LEN);
	return rec;
}

struct knp_rec_endpoint live_endpoint_record(const struct knp_ip *ip,
					     uint32_t egress,
					     uint32_t ingress)
{
	struct knp_rec_endpoint rec = {
		.family = ip->family,
		.egress_set = egress,
		.ingress_set = ingress,
	};

	memcpy(rec.addr, ip->b, KNP_ADDR_LEN);
	return rec;
}

int live_cidr_records(const struct knp_live *l, struct knp_recs *ret)
{
	const uint32_t *v = l->cidr_regions.v;
	const struct knp_region *region;
	struct knp_rec_cidr rec = { 0 };

	for (size_t i = 0; i < l->cidr_regions.n; i++) {
		region = knp_region_at(&l->regions, v[i]);
		memcpy(rec.addr, region->prefix.ip.b, KNP_ADDR_LEN);
		rec.family = region->prefix.ip.family;
		rec.prefixlen = region->prefix.len;
		rec.class_id = live_class_id(l->around[v[i]]->class);
		if (!knp_recs_add(ret, &rec))
			return -ENOMEM;
	}
	return 0;
}
