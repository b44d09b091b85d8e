// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

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
