// SPDX-License-Identifier: Apache-2.0
/* What is said on standard error. Names come from whoever may create objects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "log.h"

/* What is said of a name, at a level, by a knpd that says no more than notices. */
static const char *said(enum knp_level level, const char *name)
{
	static char text[256];
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t n;

	assert_non_null(file);
	assert_true(saved >= 0);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	knp_log_open("knpd", KNP_LOG_NOTICE);
	knp_log(level, "pod %s", name);
	fflush(stderr);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);

	rewind(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	fclose(file);
	return text;
}

static void a_name_makes_no_line_of_its_own(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	assert_string_equal(said(KNP_LOG_NOTICE, "x\nknpd: error: y\r\x1b\x7f"),
			    "knpd: pod x?knpd: error: y???\n");
}

static void how_bad_it_is_is_said(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	assert_string_equal(said(KNP_LOG_ERR, "x"), "knpd: error: pod x\n");
	assert_string_equal(said(KNP_LOG_WARNING, "x"),
			    "knpd: warning: pod x\n");
	assert_string_equal(said(KNP_LOG_INFO, "x"), "");
}

static void the_journal_is_told_in_its_own_way(void **state)
{
	(void)state;
	setenv("JOURNAL_STREAM", "8:1", 1);
	assert_string_equal(said(KNP_LOG_ERR, "x"), "<3>pod x\n");
	assert_string_equal(said(KNP_LOG_WARNING, "a\n<1>b"),
			    "<4>pod a?<1>b\n");
	unsetenv("JOURNAL_STREAM");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_makes_no_line_of_its_own),
		cmocka_unit_test(how_bad_it_is_is_said),
		cmocka_unit_test(the_journal_is_told_in_its_own_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
