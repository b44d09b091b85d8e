// SPDX-License-Identifier: Apache-2.0
/* When `knpctl wait` has what it waits for, and what it says until then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "goal.h"

#define STATUS(generation, batches, policies)				\
	"{\"state\": \"synced\", \"instance\": \"00000000000000aa\","	\
	" \"generation\": " generation ", \"enforced_batches\": " batches "," \
	" \"source\": {\"resources\": ["				\
	"  {\"resource\": \"pods\", \"enforced_resource_version\": \"99\"},"	\
	"  {\"resource\": \"networkpolicies\","				\
	"   \"enforced_resource_version\": " policies "}]}}"

/* One set of two policies, one pod. */
struct world {
	struct knp_info info;
	struct knp_ruleset *rs;
	struct knp_name name;
	struct knp_address_name address;
	struct knp_names names;
	struct json_object *status;
	struct knp_goal_view view;
	char why[256];
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct knp_rec_set set = { .id = 1, .tag = "s" };

	assert_non_null(w);
	w->info = (struct knp_info){
		.instance = 0xaa, .generation = 12, .families = 1,
	};
	w->rs = knp_ruleset_new();
	assert_non_null(knp_recs_add(&w->rs->sets, &set));
	memcpy(w->name.tag, set.tag, KNP_TAG_LEN);
	w->name.kind = KNP_NAME_SET;
	w->name.text = (char *)"x/p, x/q";
	w->address.family = AF_INET;
	w->address.text = (char *)"x/a";
	w->names = (struct knp_names){
		.instance = 0xaa, .generation = 12, .v = &w->name, .n = 1,
		.addresses = &w->address, .naddresses = 1,
	};
	w->view = (struct knp_goal_view){
		.info = &w->info, .rs = w->rs, .names = &w->names,
		.running = true,
	};
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	knp_ruleset_free(w->rs);
	json_object_put(w->status);
	free(w);
	return 0;
}

static void set_status(struct world *w, const char *json)
{
	json_object_put(w->status);
	w->status = json_tokener_parse(json);
	assert_non_null(w->status);
	w->view.status = w->status;
}

static void assert_state(struct world *w, struct knp_goal g,
			 enum knp_goal_state state, const char *why)
{
	*w->why = '\0';
	assert_int_equal(knp_goal_check(&g, &w->view, w->why, sizeof(w->why)),
			 state);
	if (!strstr(w->why, why))
		fail_msg("\"%s\" is not in \"%s\"", why, w->why);
}

static void assert_reached(struct world *w, struct knp_goal g)
{
	assert_state(w, g, KNP_GOAL_REACHED, "");
}

static void a_generation_is_this_or_a_later_one(void **state)
{
	struct world *w = *state;

	assert_reached(w, (struct knp_goal){ .generation = 11 });
	assert_reached(w, (struct knp_goal){ .generation = 12 });
	assert_state(w, (struct knp_goal){ .generation = 13 },
		     KNP_GOAL_WAITING, "generation 12");
}

static void a_policy_is_there_if_a_set_has_its_name(void **state)
{
	struct world *w = *state;
	struct knp_goal g = { .kind = KNP_GOAL_POLICY, .name = "x/q" };

	assert_reached(w, g);
	g.name = "x/r";
	assert_state(w, g, KNP_GOAL_WAITING, "isolates no pod");
	g.name = "x/p, x/q";
	assert_state(w, g, KNP_GOAL_WAITING, "isolates no pod");
	g.gone = true;
	assert_reached(w, g);
	g.name = "x/p";
	assert_state(w, g, KNP_GOAL_WAITING, "it is there");
}

static void a_pod_is_there_if_an_address_has_its_name(void **state)
{
	struct world *w = *state;
	struct knp_goal g = { .kind = KNP_GOAL_POD, .name = "x/a" };

	assert_reached(w, g);
	g.gone = true;
	assert_state(w, g, KNP_GOAL_WAITING, "it is there");
	g.name = "x/b";
	assert_reached(w, g);
	g.gone = false;
	assert_state(w, g, KNP_GOAL_WAITING, "no address");
}

static void without_names_nothing_is_known_unless_there_is_nothing(void **state)
{
	struct world *w = *state;
	struct knp_goal g = {
		.kind = KNP_GOAL_POD, .name = "x/a", .gone = true,
	};

	w->view.names = NULL;
	assert_state(w, g, KNP_GOAL_WAITING, "no names");
	w->info.generation = 0;
	assert_reached(w, g);
}

static void nothing_is_enforced_while_knp_is_detached(void **state)
{
	struct world *w = *state;
	struct knp_goal g = { .kind = KNP_GOAL_POD, .name = "x/a" };

	w->info.families = 0;
	assert_state(w, g, KNP_GOAL_WAITING, "detached");
	assert_reached(w, (struct knp_goal){ .generation = 12 });
	g.gone = true;
	g.name = "x/b";
	assert_reached(w, g);
}

static void synced_needs_a_daemon_at_the_kernels_generation(void **state)
{
	struct world *w = *state;
	const struct knp_goal g = { .synced = true, .batch = 4 };

	assert_state(w, g, KNP_GOAL_WAITING, "no knpd");
	set_status(w, STATUS("12", "4", "null"));
	assert_reached(w, g);
	w->view.running = false;
	assert_state(w, g, KNP_GOAL_WAITING, "no knpd");
	w->view.running = true;
	set_status(w, STATUS("12", "3", "null"));
	assert_state(w, g, KNP_GOAL_WAITING, "3 batches");
	set_status(w, STATUS("11", "4", "null"));
	assert_state(w, g, KNP_GOAL_WAITING, "knpd at 11");
	set_status(w, STATUS("13", "4", "null"));
	assert_state(w, g, KNP_GOAL_WAITING, "knpd at 13");
	set_status(w, STATUS("12", "4", "null"));
	w->info.instance = 0xab;
	assert_state(w, g, KNP_GOAL_WAITING, "another module");
}

static void a_version_is_that_of_the_resource_that_is_named(void **state)
{
	struct world *w = *state;
	struct knp_goal g = {
		.kind = KNP_GOAL_POLICY, .name = "x/p", .version = "100",
	};

	set_status(w, STATUS("12", "4", "\"100\""));
	assert_reached(w, g);
	g.version = "101";
	assert_state(w, g, KNP_GOAL_WAITING, "networkpolicies are enforced up to version 100");
	g.version = "99";
	g.kind = KNP_GOAL_POD;
	g.name = "x/a";
	assert_reached(w, g);
	g.version = "100";
	assert_state(w, g, KNP_GOAL_WAITING, "pods are enforced up to version 99");
}

static void a_version_alone_is_that_of_all_resources(void **state)
{
	struct world *w = *state;

	set_status(w, STATUS("12", "4", "\"100\""));
	assert_reached(w, (struct knp_goal){ .version = "99" });
	assert_state(w, (struct knp_goal){ .version = "100" },
		     KNP_GOAL_WAITING, "pods");
	set_status(w, STATUS("12", "4", "null"));
	assert_state(w, (struct knp_goal){ .version = "99" },
		     KNP_GOAL_WAITING, "no version of networkpolicies");
}

static void versions_are_numbers_not_texts(void **state)
{
	struct world *w = *state;

	set_status(w, STATUS("12", "4", "\"1000\""));
	assert_reached(w, (struct knp_goal){
		.kind = KNP_GOAL_POLICY, .name = "x/p", .version = "999" });
	set_status(w, STATUS("12", "4", "\"abc\""));
	assert_reached(w, (struct knp_goal){
		.kind = KNP_GOAL_POLICY, .name = "x/p", .version = "abc" });
	assert_state(w, (struct knp_goal){
		.kind = KNP_GOAL_POLICY, .name = "x/p", .version = "abd" },
		KNP_GOAL_WAITING, "version abc");
}

static void a_version_says_that_an_object_concerns_others(void **state)
{
	struct world *w = *state;
	struct knp_goal g = {
		.kind = KNP_GOAL_POLICY, .name = "y/p", .version = "100",
	};

	set_status(w, STATUS("12", "4", "\"100\""));
	assert_reached(w, g);
	assert_false(knp_goal_present(&g, &w->view));
	g.name = "x/p";
	g.gone = true;
	assert_state(w, g, KNP_GOAL_WAITING, "it is there");
}

static void a_version_is_of_a_generation_that_the_kernel_has_reached(void **state)
{
	struct world *w = *state;

	set_status(w, STATUS("13", "4", "\"100\""));
	assert_state(w, (struct knp_goal){ .version = "1" }, KNP_GOAL_WAITING,
		     "knpd at 13");
	/* Commits since then do not take it back. */
	set_status(w, STATUS("11", "4", "\"100\""));
	assert_reached(w, (struct knp_goal){ .version = "1" });
}

static void a_folder_has_no_versions(void **state)
{
	struct world *w = *state;

	set_status(w, "{\"instance\": \"00000000000000aa\", \"generation\": 12,"
		   " \"source\": {\"kind\": \"folder\"}}");
	assert_state(w, (struct knp_goal){ .version = "1" }, KNP_GOAL_NEVER,
		     "folder");
}

#define WITH_WORLD(test) \
	cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORLD(a_generation_is_this_or_a_later_one),
		WITH_WORLD(a_policy_is_there_if_a_set_has_its_name),
		WITH_WORLD(a_pod_is_there_if_an_address_has_its_name),
		WITH_WORLD(without_names_nothing_is_known_unless_there_is_nothing),
		WITH_WORLD(nothing_is_enforced_while_knp_is_detached),
		WITH_WORLD(synced_needs_a_daemon_at_the_kernels_generation),
		WITH_WORLD(a_version_is_that_of_the_resource_that_is_named),
		WITH_WORLD(a_version_alone_is_that_of_all_resources),
		WITH_WORLD(versions_are_numbers_not_texts),
		WITH_WORLD(a_version_says_that_an_object_concerns_others),
		WITH_WORLD(a_version_is_of_a_generation_that_the_kernel_has_reached),
		WITH_WORLD(a_folder_has_no_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
