// SPDX-License-Identifier: Apache-2.0
/* Settings of Azure NPM: what is taken over, and what is said of the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "npm_config.h"

/* What the ConfigMap of Azure NPM 1.6 has. */
#define AS_DEPLOYED							\
	"{ \"ResyncPeriodInMinutes\": 15, \"ListeningPort\": 10091,"	\
	" \"ListeningAddress\": \"0.0.0.0\", \"NetPolInvervalInMilliseconds\": 500,"	\
	" \"MaxPendingNetPols\": 100, \"Toggles\": {"			\
	" \"EnablePrometheusMetrics\": true, \"EnablePprof\": true,"	\
	" \"EnableHTTPDebugAPI\": true, \"EnableV2NPM\": true,"		\
	" \"PlaceAzureChainFirst\": false, \"ApplyIPSetsOnNeed\": false,"	\
	" \"NetPolInBackground\": true } }"

struct notes {
	char text[3][1024];
};

static void note(void *arg, enum knp_npm_note what, const char *name)
{
	char *text = ((struct notes *)arg)->text[what];
	size_t len = strlen(text);

	snprintf(text + len, sizeof(((struct notes *)arg)->text[what]) - len,
		 "%s%s", len ? " " : "", name);
}

static struct knp_npm_config parse(const char *text, struct notes *notes)
{
	struct knp_npm_config config = {
		.level = KNP_LOG_INFO, .metrics = true,
	};

	*notes = (struct notes){ 0 };
	assert_int_equal(knp_npm_config_parse(text, &config, note, notes), 0);
	return config;
}

static void what_is_deployed_is_taken(void **state)
{
	struct notes notes;
	struct knp_npm_config c = parse(AS_DEPLOYED, &notes);

	(void)state;
	assert_int_equal(c.level, KNP_LOG_INFO);
	assert_true(c.metrics);
	assert_string_equal(c.address, "0.0.0.0");
	assert_int_equal(c.port, 10091);
	assert_string_equal(notes.text[KNP_NPM_UNKNOWN], "");
	assert_string_equal(notes.text[KNP_NPM_BAD], "");
	assert_string_equal(notes.text[KNP_NPM_MEANINGLESS],
			    "EnablePprof EnableHTTPDebugAPI EnableV2NPM PlaceAzureChainFirst ApplyIPSetsOnNeed NetPolInBackground ResyncPeriodInMinutes NetPolInvervalInMilliseconds MaxPendingNetPols");
}

static void every_setting_is_known(void **state)
{
	struct notes notes;

	(void)state;
	parse("{\"ApplyMaxBatches\": 1, \"ApplyIntervalInMilliseconds\": 1,"
	      "\"MaxBatchedACLsPerPod\": 1, \"Toggles\": {"
	      "\"ApplyInBackground\": true, \"EnableNPMLite\": true}}", &notes);
	assert_string_equal(notes.text[KNP_NPM_UNKNOWN], "");
	assert_string_equal(notes.text[KNP_NPM_MEANINGLESS],
			    "ApplyInBackground EnableNPMLite ApplyMaxBatches ApplyIntervalInMilliseconds MaxBatchedACLsPerPod");
}

static void levels_of_the_log(void **state)
{
	static const struct {
		const char *text;
		int level;
	} cases[] = {
		{ "{\"LogLevel\": \"debug\"}", KNP_LOG_DEBUG },
		{ "{\"LogLevel\": \"info\"}", KNP_LOG_INFO },
		{ "{\"LogLevel\": \"warn\"}", KNP_LOG_WARNING },
		{ "{\"LogLevel\": \"error\"}", KNP_LOG_ERR },
		{ "{}", KNP_LOG_INFO },
	};
	struct notes notes;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(parse(cases[i].text, &notes).level,
				 cases[i].level);
}

static void metrics_may_be_unwanted(void **state)
{
	struct notes notes;

	(void)state;
	assert_false(parse("{\"Toggles\": {\"EnablePrometheusMetrics\": false}}",
			   &notes).metrics);
}

static void a_bad_value_is_named_and_the_default_stays(void **state)
{
	static const struct {
		const char *text, *name;
	} cases[] = {
		{ "{\"LogLevel\": \"loud\"}", "LogLevel" },
		{ "{\"LogLevel\": 7}", "LogLevel" },
		{ "{\"ListeningPort\": 0}", "ListeningPort" },
		{ "{\"ListeningPort\": 65536}", "ListeningPort" },
		{ "{\"ListeningPort\": \"10091\"}", "ListeningPort" },
		{ "{\"ListeningAddress\": 1}", "ListeningAddress" },
		{ "{\"ListeningAddress\": \"0123456789012345678901234567890123456789012345678901234567890123\"}",
		  "ListeningAddress" },
		{ "{\"Toggles\": true}", "Toggles" },
		{ "{\"Toggles\": {\"EnablePrometheusMetrics\": 0}}",
		  "EnablePrometheusMetrics" },
	};
	struct knp_npm_config c;
	struct notes notes;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		c = parse(cases[i].text, &notes);
		assert_string_equal(notes.text[KNP_NPM_BAD], cases[i].name);
		assert_int_equal(c.level, KNP_LOG_INFO);
		assert_true(c.metrics);
		assert_string_equal(c.address, "");
		assert_int_equal(c.port, 0);
	}
}

static void what_nobody_knows_is_named(void **state)
{
	struct notes notes;

	(void)state;
	parse("{\"New\": 1, \"Toggles\": {\"EnableNew\": true}}", &notes);
	assert_string_equal(notes.text[KNP_NPM_UNKNOWN], "EnableNew New");
}

static void what_is_no_object_is_refused(void **state)
{
	struct knp_npm_config config = { .port = 7 };
	struct notes notes = { 0 };

	(void)state;
	for (const char *const *text = (const char *const []){
		     "", "{", "[]", "1", "null", NULL }; *text; text++)
		assert_int_equal(knp_npm_config_parse(*text, &config, note,
						      &notes), -EBADMSG);
	assert_int_equal(config.port, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_deployed_is_taken),
		cmocka_unit_test(every_setting_is_known),
		cmocka_unit_test(levels_of_the_log),
		cmocka_unit_test(metrics_may_be_unwanted),
		cmocka_unit_test(a_bad_value_is_named_and_the_default_stays),
		cmocka_unit_test(what_nobody_knows_is_named),
		cmocka_unit_test(what_is_no_object_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
