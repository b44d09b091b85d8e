// SPDX-License-Identifier: Apache-2.0
/* What pods may reach at their own node, as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "node_allow.h"

static void is_read_and_written(void **state)
{
	static const char text[] =
		"10250/TCP,169.254.20.10:53/UDP,[fd00::10]:53/SCTP";
	char back[KNP_NODE_ALLOW_TEXT];
	struct knp_node_allows list;

	(void)state;
	assert_int_equal(knp_node_allows_parse(text, &list), 0);
	assert_int_equal(list.n, 3);
	assert_int_equal(list.v[0].family, AF_UNSPEC);
	assert_int_equal(list.v[0].port, 10250);
	assert_int_equal(list.v[0].proto, IPPROTO_TCP);
	assert_int_equal(list.v[1].family, AF_INET);
	assert_memory_equal(list.v[1].addr, "\xa9\xfe\x14\x0a\0\0\0\0\0\0\0\0",
			    12);
	assert_int_equal(list.v[2].family, AF_INET6);
	assert_int_equal(list.v[2].addr[0], 0xfd);
	assert_int_equal(list.v[2].addr[15], 0x10);
	assert_string_equal(knp_node_allows_text(&list, back), text);
}

static void none_is_an_empty_list(void **state)
{
	struct knp_node_allows list = { .n = 3 };
	char back[KNP_NODE_ALLOW_TEXT];

	(void)state;
	assert_int_equal(knp_node_allows_parse("none", &list), 0);
	assert_int_equal(list.n, 0);
	assert_string_equal(knp_node_allows_text(&list, back), "none");
}

static void what_is_malformed_is_refused(void **state)
{
	static const char *const wrong[] = {
		"", ",", "53", "53/", "/TCP", "53/ICMP", "53/tcp", "0/TCP",
		"65536/TCP", "-1/TCP", "+1/TCP", " 1/TCP", "1x/TCP", ":53/TCP",
		"53/TCP,", ",53/TCP", "none,53/TCP", "10.0.0:53/TCP",
		"10.0.0.256:53/TCP", "[10.0.0.1]:53/TCP", "fd00::1:53/TCP",
		"[fd00::1:53/TCP", "[]:53/TCP", "[:53/TCP", "node:53/TCP",
		"[fd00:0000:0000:0000:0000:0000:0000:0000:0000:0001]:53/TCP",
		"18446744073709551617/TCP",
	};
	struct knp_node_allows list = { .n = 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		if (knp_node_allows_parse(wrong[i], &list) != -EINVAL)
			fail_msg("\"%s\" is not refused", wrong[i]);
		assert_int_equal(list.n, 7);
	}
}

static void the_longest_list_fits_and_one_more_does_not(void **state)
{
	static const char entry[] =
		"[1111:2222:3333:4444:5555:6666:7777:8888]:65535/SCTP,";
	char text[(KNP_NODE_ALLOW_MAX + 1) * sizeof(entry)] = "";
	struct knp_node_allows list = { 0 };
	char back[KNP_NODE_ALLOW_TEXT];

	(void)state;
	for (int i = 0; i < KNP_NODE_ALLOW_MAX; i++)
		strcat(text, entry);
	text[strlen(text) - 1] = '\0';
	assert_int_equal(knp_node_allows_parse(text, &list), 0);
	assert_int_equal(list.n, KNP_NODE_ALLOW_MAX);
	assert_string_equal(knp_node_allows_text(&list, back), text);

	strcat(text, ",1/TCP");
	assert_int_equal(knp_node_allows_parse(text, &list), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_read_and_written),
		cmocka_unit_test(none_is_an_empty_list),
		cmocka_unit_test(what_is_malformed_is_refused),
		cmocka_unit_test(the_longest_list_fits_and_one_more_does_not),
	};

	return cmocka_run_group_tests_name("node_allow", tests, NULL, NULL);
}
