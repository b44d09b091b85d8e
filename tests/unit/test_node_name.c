// SPDX-License-Identifier: Apache-2.0
/* The name of a node, from that of its host or from a command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "node_name.h"

static void becomes(const char *name, const char *want)
{
	char buf[64];

	snprintf(buf, sizeof(buf), "%s", name);
	assert_ptr_equal(knp_node_name(buf), buf);
	assert_string_equal(buf, want);
}

static void test_is_in_lower_case(void **state)
{
	(void)state;
	becomes("Node-1.Example.COM", "node-1.example.com");
	becomes("AZaz", "azaz");
}

/* What is beside the letters, and what is none of ASCII's, stays. */
static void test_nothing_else_changes(void **state)
{
	(void)state;
	becomes("", "");
	becomes("node-1.x_9", "node-1.x_9");
	becomes("@[`{", "@[`{");
	becomes("\xc3\x84", "\xc3\x84");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_in_lower_case),
		cmocka_unit_test(test_nothing_else_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
