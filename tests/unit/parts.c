// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"

struct parts *parts(void)
{
	static struct parts p;

	p = (struct parts){
		.label = { knp_text_of("app"), knp_text_of("a") },
		.port = { knp_text_of("http"), 80, 6 },
		.view = {
			.ns = knp_text_of("x"), .name = knp_text_of("a"),
			.node = knp_text_of("n1"),
			.labels = &p.label, .nlabels = 1,
			.ips = &p.ip, .nips = 1,
			.ports = &p.port, .nports = 1,
		},
	};
	assert_int_equal(knp_ip_parse("10.0.0.1", &p.ip), 0);
	return &p;
}

struct knp_pod *made(struct parts *p)
{
	struct knp_pod *pod = knp_pod_new(&p->view);

	assert_non_null(pod);
	return pod;
}

uint32_t parse_ips(const char *text, struct knp_ip *ips)
{
	char copy[256], *rest = copy, *word;
	uint32_t n = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	while ((word = strsep(&rest, " ")))
		if (*word)
			assert_int_equal(knp_ip_parse(word, &ips[n++]), 0);
	return n;
}

struct knp_binding *binding(const char *container, const char *name,
			    const char *uid, uint32_t ifindex, const char *ips)
{
	struct knp_binding *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->at.container = strdup(container);
	b->at.ifname = strdup("eth0");
	b->network = strdup("net");
	b->ns = strdup("x");
	b->name = strdup(name);
	b->uid = strdup(uid);
	b->ifindex = ifindex;
	b->nips = parse_ips(ips, b->ips);
	return b;
}
