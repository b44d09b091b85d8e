// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "states.h"

static void add(struct knp_recs *recs, const void *rec)
{
	assert_non_null(knp_recs_add(recs, rec));
}

static void add_portset(struct knp_ruleset *rs, uint32_t id, uint32_t nports)
{
	struct knp_rs_portset portset = {
		.rec = { .id = id, .nports = nports, .tag = { (uint8_t)id, 2 } },
	};

	if (nports)
		portset.ports = calloc(nports, sizeof(*portset.ports));
	for (uint32_t i = 0; i < nports; i++)
		portset.ports[i] = (struct knp_rec_port){
			.rule = 1, .lo = (uint16_t)(80 + i),
			.hi = (uint16_t)(80 + i), .proto = 6,
		};
	add(&rs->portsets, &portset);
}

struct knp_ruleset *some_ruleset(void)
{
	struct knp_rec_rule rule = { .id = 1, .tag = { 1, 1 } };
	struct knp_rec_class class = { .id = 7, .tag = { 7, 3 } };
	struct knp_rec_set set = {
		.id = 2, .dflt = 4, .direction = KNP_INGRESS, .tag = { 2, 4 },
	};
	struct knp_rec_row row = { .set = 2, .class_id = 7, .portset = 3 };
	struct knp_rec_peer peer = {
		.addr = { 10, 0, 0, 1 }, .family = AF_INET, .class_id = 7,
	};
	struct knp_rec_cidr cidr = {
		.addr = { 192, 168 }, .family = AF_INET, .prefixlen = 16,
		.class_id = 7,
	};
	struct knp_rec_endpoint endpoint = {
		.addr = { 0xfd, 0, [15] = 1 }, .family = AF_INET6,
		.ingress_set = 2,
	};
	struct knp_rec_iface iface = { .ifindex = 12, .role = KNP_ROLE_POD };
	struct knp_rec_binding binding = {
		.addr = { 0xfd, 0, [15] = 1 }, .family = AF_INET6, .ifindex = 12,
	};
	struct knp_ruleset *rs = knp_ruleset_new();

	assert_non_null(rs);
	add(&rs->rules, &rule);
	add_portset(rs, 3, 2);
	add_portset(rs, 4, 0);
	add(&rs->classes, &class);
	add(&rs->sets, &set);
	add(&rs->rows, &row);
	add(&rs->peers, &peer);
	add(&rs->cidrs, &cidr);
	add(&rs->endpoints, &endpoint);
	add(&rs->ifaces, &iface);
	add(&rs->bindings, &binding);
	return rs;
}

struct knp_state some_state(void)
{
	struct knp_state s = {
		.node = "n",
		.saved = 1234567890,
		.info = {
			.instance = 0x1122334455667788,
			.generation = 42,
			.families = KNP_FAMILY_ALL,
			.mode = KNP_MODE_ENFORCE,
			.unknown_local = KNP_DROP,
			.event_rate = 17,
			.encap = KNP_DROP,
			.node_egress = KNP_PASS,
			.lb_probes = KNP_DROP,
			.node_allow = { 2, {
				{ .proto = 6, .port = 10250 },
				{ { 10 }, AF_INET, 17, 53 },
			} },
		},
		.rs = some_ruleset(),
	};

	knp_boot_read(&s.boot);
	return s;
}

void *some_bytes(size_t *len)
{
	struct knp_state s = some_state();
	void *data;

	assert_int_equal(knp_state_encode(&s, &data, len), 0);
	knp_state_clear(&s);
	return data;
}

void assert_rulesets_equal(const struct knp_ruleset *a,
			   const struct knp_ruleset *b)
{
	struct knp_diff *d;

	assert_int_equal(knp_ruleset_diff(a, b, &d), 0);
	assert_int_equal(d->count, 0);
	knp_diff_free(d);
}

void assert_states_equal(const struct knp_state *a, const struct knp_state *b)
{
	assert_string_equal(a->boot.id, b->boot.id);
	assert_int_equal(a->boot.netns, b->boot.netns);
	assert_string_equal(a->node, b->node);
	assert_int_equal(a->saved, b->saved);
	assert_true(knp_state_same(&a->info, &b->info));
	assert_rulesets_equal(a->rs, b->rs);
}
