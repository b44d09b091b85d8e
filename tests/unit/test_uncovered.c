// SPDX-License-Identifier: Apache-2.0
/*
 * What passes around netfilter, as far as it takes no kernel to find it: the
 * rest is in tests/guest/scenarios/invisible.sh.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "uncovered.h"

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/knp-uncovered-XXXXXX");
	assert_non_null(mkdtemp(dir));
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

/* @text: NULL: there is no such sysctl */
static void set(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
	if (!text)
		return;
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "%s\n", text);
	fclose(f);
}

static void bridges_are_seen_in_both_families(void **state)
{
	static const struct {
		const char *ip;
		const char *ip6;
		bool shown;
	} cases[] = {
		{ NULL, NULL, false },
		{ "0", "0", false },
		{ "1", "0", false },
		{ "0", "1", false },
		{ "1", NULL, false },
		{ NULL, "1", false },
		{ "1", "", false },
		{ "1", "1", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		set("bridge-nf-call-iptables", cases[i].ip);
		set("bridge-nf-call-ip6tables", cases[i].ip6);
		assert_int_equal(knp_uncovered_shows(dir), cases[i].shown);
	}
	set("bridge-nf-call-iptables", NULL);
	set("bridge-nf-call-ip6tables", NULL);
	assert_false(knp_uncovered_shows("/nowhere"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bridges_are_seen_in_both_families,
						make_dir, remove_dir),
	};

	return cmocka_run_group_tests_name("uncovered", tests, NULL, NULL);
}
