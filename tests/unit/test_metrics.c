// SPDX-License-Identifier: Apache-2.0
/* What is rendered of what knpd and the kernel count, and readiness. */
#include "clusters.h"

#include <errno.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics.h"

#define DROP(direction, ns, policy, value) \
	"knp_policy_drop_total{direction=\"" direction "\",namespace=\"" ns \
	"\",policy=\"" policy "\"} " value

#define SECOND	1000000000

/* struct node - what a scrape is made of */
struct node {
	struct knp_metrics m;
	struct knp_store *store;
	struct knp_troubles troubles;
	struct knp_daemon_status status;
	struct knp_vitals state;
	struct knp_health_options health;
	struct knp_kernel_view kernel;
	struct knp_http_counts http;
	struct knp_counter sets[4];
	struct knp_counter rules[4];
	char *text;
};

static const char objects[] =
	"{apiVersion: v1, kind: Namespace, metadata: {name: x}}\n---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: x},"
	" status: {phase: Running, podIPs: [{ip: 10.0.0.1}]}}\n---\n"
	"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: x},"
	" spec: {podSelector: {}}}\n";

static void node_init(struct node *n)
{
	*n = (struct node){ 0 };
	assert_int_equal(knp_metrics_init(&n->m), 0);
	n->store = cluster(objects);
	n->status.state = "synced";
	n->status.troubles = &n->troubles;
	n->status.store = n->store;
	n->status.last.generation = 4;
	n->state.status = &n->status;
	n->state.scanned = true;
	n->state.kernel = true;
	n->state.families = KNP_FAMILY_ALL;
	n->state.families_wanted = KNP_FAMILY_ALL;
	n->health.fatal = KNP_FATAL_DEFAULT;
	n->health.stale_ms = 1000;
	n->kernel.there = true;
	n->kernel.info.instance = 1;
	n->kernel.counters.sets = n->sets;
	n->kernel.counters.rules = n->rules;
}

static void node_clear(struct node *n)
{
	knp_metrics_clear(&n->m);
	knp_store_free(n->store);
	free(n->text);
}

/* What is rendered now; valid until the next call. */
static const char *render(struct node *n)
{
	const struct knp_scrape s = {
		.m = &n->m,
		.state = &n->state,
		.health = &n->health,
		.kernel = &n->kernel,
		.http = &n->http,
		.now_ms = 100000,
	};
	struct evbuffer *out = evbuffer_new();
	size_t len;

	assert_non_null(out);
	assert_int_equal(knp_metrics_render(&s, out), 0);
	len = evbuffer_get_length(out);
	free(n->text);
	n->text = calloc(1, len + 2);
	assert_non_null(n->text);
	/* So that a line can be looked for with its beginning. */
	n->text[0] = '\n';
	evbuffer_remove(out, n->text + 1, len);
	evbuffer_free(out);
	return n->text;
}

/* Whether a line is there, whole. */
static bool says(struct node *n, const char *line)
{
	char whole[512];

	snprintf(whole, sizeof(whole), "\n%s\n", line);
	return strstr(render(n), whole);
}

static void expect_line(struct node *n, const char *line)
{
	assert_true(says(n, line));
}

static void deny(struct node *n, size_t i, uint32_t id, uint64_t packets)
{
	n->sets[i] = (struct knp_counter){
		.id = id, .packets = packets, .bytes = packets * 100,
	};
	if (n->kernel.counters.nsets <= i)
		n->kernel.counters.nsets = i + 1;
}

/* Sets 1 and 2 and rule 1 have names; a tag is the id and what is in @arg. */
static bool name_of(void *arg, uint32_t table, uint32_t id,
		    struct knp_enforced_name *ret)
{
	static const char * const sets[] = { NULL, "x/p", "x/p, y/q" };
	const uint8_t *epoch = arg;

	if (table == KNP_TABLE_RULE && id != 1)
		return false;
	if (table == KNP_TABLE_SET && (id > 2 || *epoch == UINT8_MAX))
		return false;
	memset(ret->tag, (int)(id + *epoch), sizeof(ret->tag));
	ret->direction = table == KNP_TABLE_SET && id == 2 ? KNP_EGRESS :
							     KNP_INGRESS;
	ret->text = table == KNP_TABLE_SET ? sets[id] : "x/p ingress[3]";
	return true;
}

static void take(struct node *n, uint8_t epoch)
{
	assert_int_equal(knp_metrics_take(&n->m, &n->kernel, name_of, &epoch),
			 0);
}

static void a_drop_counts_for_all_policies_that_isolate(void **state)
{
	struct node n;

	(void)state;
	node_init(&n);
	deny(&n, 0, 1, 5);
	deny(&n, 1, 2, 7);
	deny(&n, 2, 3, 9);
	take(&n, 0);
	assert_true(says(&n, DROP("ingress", "x", "p", "5")));
	assert_true(says(&n, DROP("egress", "x", "p", "7")));
	assert_true(says(&n, DROP("egress", "y", "q", "7")));
	assert_true(says(&n, DROP("", "", "", "9")));
	assert_true(says(&n, "knp_policy_drop_bytes_total{direction=\"ingress\","
			 "namespace=\"x\",policy=\"p\"} 500"));

	/* Only what is new counts the next time. */
	deny(&n, 0, 1, 6);
	take(&n, 0);
	take(&n, 0);
	assert_true(says(&n, DROP("ingress", "x", "p", "6")));
	assert_true(says(&n, DROP("egress", "x", "p", "7")));
	node_clear(&n);
}

static void an_allow_counts_for_the_policy_of_the_rule(void **state)
{
	struct node n;

	(void)state;
	node_init(&n);
	n.rules[0] = (struct knp_counter){ .id = 1, .packets = 3, .bytes = 70 };
	n.kernel.counters.nrules = 1;
	take(&n, 0);
	assert_true(says(&n, "knp_policy_allow_total{direction=\"ingress\","
			 "namespace=\"x\",policy=\"p\"} 3"));
	assert_true(says(&n, "knp_policy_allow_bytes_total{direction=\"ingress\","
			 "namespace=\"x\",policy=\"p\"} 70"));
	assert_true(says(&n, DROP("", "", "", "0")));
	node_clear(&n);
}

static void counts_go_on_when_the_module_is_loaded_anew(void **state)
{
	struct node n;

	(void)state;
	node_init(&n);
	deny(&n, 0, 1, 5);
	take(&n, 0);
	/* It counted more since than the one before it. */
	n.kernel.info.instance = 2;
	deny(&n, 0, 1, 8);
	take(&n, 0);
	assert_true(says(&n, DROP("ingress", "x", "p", "13")));
	node_clear(&n);
}

static void an_id_that_was_given_anew_starts_from_zero(void **state)
{
	struct node n;

	(void)state;
	node_init(&n);
	deny(&n, 0, 1, 5);
	take(&n, 0);
	/* The same number, another set. */
	deny(&n, 0, 1, 8);
	take(&n, 9);
	assert_true(says(&n, DROP("ingress", "x", "p", "13")));
	/* The same set, put anew. */
	deny(&n, 0, 1, 2);
	take(&n, 9);
	assert_true(says(&n, DROP("ingress", "x", "p", "15")));
	node_clear(&n);
}

static void nothing_counts_twice_while_names_are_not_known(void **state)
{
	struct node n;

	(void)state;
	node_init(&n);
	deny(&n, 0, 1, 5);
	take(&n, 0);
	deny(&n, 0, 1, 6);
	take(&n, UINT8_MAX);
	deny(&n, 0, 1, 8);
	take(&n, 0);
	assert_true(says(&n, DROP("ingress", "x", "p", "7")));
	assert_true(says(&n, DROP("", "", "", "1")));
	node_clear(&n);
}

static void reasons_are_of_drops_or_of_passes(void **state)
{
	struct knp_counter *c;
	struct node n;

	(void)state;
	node_init(&n);
	for (uint32_t i = 1; i <= KNP_REASON_MAX; i++) {
		c = &n.kernel.counters.reasons[i];
		c->packets = 100 + i;
		c->bytes = 1000 + i;
	}
	assert_true(says(&n, "knp_drop_total{reason=\"egress\"} 107"));
	assert_true(says(&n, "knp_drop_bytes_total{reason=\"l2proto\"} 1017"));
	assert_true(says(&n, "knp_pass_total{reason=\"allowed\"} 102"));
	assert_true(says(&n, "knp_pass_bytes_total{reason=\"default-pass\"} 1006"));
	assert_null(strstr(n.text, "knp_pass_total{reason=\"egress\"}"));
	assert_null(strstr(n.text, "knp_drop_total{reason=\"allowed\"}"));
	assert_null(strstr(n.text, "\"unknown\""));
	node_clear(&n);
}

static void without_a_module_its_metrics_have_no_sample(void **state)
{
	struct node n;

	(void)state;
	node_init(&n);
	assert_non_null(strstr(render(&n), "\nknp_module_info{"));
	assert_non_null(strstr(n.text, "\nknp_table_limit{table=\"rows\"}"));
	n.kernel.there = false;
	assert_null(strstr(render(&n), "\nknp_module_info{"));
	assert_null(strstr(n.text, "\nknp_table_"));
	assert_null(strstr(n.text, "\nknp_drop_total"));
	assert_non_null(strstr(n.text, "\n# TYPE knp_drop_total counter\n"));
	node_clear(&n);
}

static void what_is_enforced_is_observed(void **state)
{
	struct knp_push_result res = {
		.wrote = true, .committed_ns = 10LL * SECOND,
		.commit_ns = SECOND / 500,
	};
	struct node n;

	(void)state;
	node_init(&n);
	knp_metrics_enforced(&n.m, n.store, &res, 9LL * SECOND);
	assert_true(says(&n, "knp_event_to_enforced_seconds_bucket{le=\"0.5\"} 0"));
	assert_true(says(&n, "knp_event_to_enforced_seconds_bucket{le=\"1\"} 1"));
	assert_true(says(&n, "knp_event_to_enforced_seconds_sum 1"));
	assert_true(says(&n, "knp_commit_seconds_bucket{le=\"0.001\"} 0"));
	assert_true(says(&n, "knp_commit_seconds_bucket{le=\"0.0025\"} 1"));
	expect_line(&n,
		    "npm_add_policy_exec_time{had_error=\"false\",quantile=\"0.5\"} 1000");
	expect_line(&n,
		    "npm_controller_pod_exec_time_count{operation=\"create\",had_error=\"false\"} 1");
	expect_line(&n,
		    "npm_linux_iptables_restore_latency_seconds_bucket{operation=\"create\",le=\"0.016\"} 1");
	assert_true(says(&n, "npm_add_iptables_rule_exec_time_sum 2"));

	/* No change and no transaction: nothing took time. */
	res.wrote = false;
	knp_metrics_enforced(&n.m, n.store, &res, 0);
	assert_true(says(&n, "knp_event_to_enforced_seconds_count 1"));
	assert_true(says(&n, "knp_commit_seconds_count 1"));

	knp_store_del_policy(n.store, "x", "p");
	res.wrote = true;
	knp_metrics_enforced(&n.m, n.store, &res, 9LL * SECOND);
	expect_line(&n,
		    "npm_controller_policy_exec_time_count{operation=\"delete\",had_error=\"false\"} 1");
	assert_true(says(&n, "npm_linux_iptables_delete_latency_seconds_count 1"));
	expect_line(&n,
		    "npm_controller_pod_exec_time_count{operation=\"create\",had_error=\"false\"} 1");
	node_clear(&n);
}

static void refusals_are_counted_by_reason(void **state)
{
	static const struct {
		int err;
		const char *line;
	} cases[] = {
		{ -ESTALE, "knp_commit_fail_total{reason=\"contended\"} 1" },
		{ -EBUSY, "knp_commit_fail_total{reason=\"contended\"} 2" },
		{ -ENOMEM, "knp_commit_fail_total{reason=\"memory\"} 1" },
		{ -E2BIG, "knp_commit_fail_total{reason=\"limit\"} 1" },
		{ -ENOSPC, "knp_commit_fail_total{reason=\"limit\"} 2" },
		{ -EPERM, "knp_commit_fail_total{reason=\"permission\"} 1" },
		{ -EACCES, "knp_commit_fail_total{reason=\"permission\"} 2" },
		{ -ENOENT, "knp_commit_fail_total{reason=\"module\"} 1" },
		{ -EPROTONOSUPPORT, "knp_commit_fail_total{reason=\"module\"} 2" },
		{ -ETIMEDOUT, "knp_commit_fail_total{reason=\"timeout\"} 1" },
		{ -EINVAL, "knp_commit_fail_total{reason=\"other\"} 1" },
	};
	struct node n;

	(void)state;
	node_init(&n);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		knp_metrics_refused(&n.m, n.store, cases[i].err, 0);
		assert_true(says(&n, cases[i].line));
	}
	/* The objects failed once, whatever was tried after that. */
	assert_true(says(&n, "npm_add_policy_exec_time_count{had_error=\"true\"} 1"));
	expect_line(&n,
		    "npm_linux_iptables_restore_failure_total{operation=\"create\"} 1");
	node_clear(&n);
}

static void every_family_is_there_once(void **state)
{
	char *at, *name, *end;
	struct node n;

	(void)state;
	node_init(&n);
	render(&n);
	for (at = n.text; (at = strstr(at, "\n# TYPE "));) {
		name = at + strlen("\n# TYPE ");
		end = strchr(name, ' ');
		at = end;
		*end = '\0';
		for (char *other = end + 1; (other = strstr(other, "# TYPE "));) {
			other += strlen("# TYPE ");
			assert_false(!strncmp(other, name, strlen(name)) &&
				     other[strlen(name)] == ' ');
		}
		*end = ' ';
	}
	node_clear(&n);
}

/* ---- readiness ------------------------------------------------------------ */

/* struct said - the conditions, and whether the last one was fatal */
struct said {
	uint32_t what;
	uint32_t fatal;
};

static void hear(void *arg, enum knp_condition what, bool fatal,
		 const char *text)
{
	struct said *said = arg;

	assert_true(*text);
	assert_null(strchr(text, '\n'));
	said->what |= 1U << what;
	if (fatal)
		said->fatal |= 1U << what;
}

/* Ready or not, these conditions hold and no other. */
static void assert_health(struct node *n, bool ready, uint32_t conditions)
{
	struct said said = { 0 };

	assert_int_equal(knp_health_check(&n->state, &n->health, 100000, hear,
					  &said), ready);
	assert_int_equal(said.what, conditions);
	assert_int_equal(said.fatal, conditions & n->health.fatal);
}

#define BIT(condition) (1U << (condition))

static void what_is_not_enforced_is_not_ready(void **state)
{
	struct node n;

	(void)state;
	node_init(&n);
	assert_health(&n, true, 0);
	assert_true(says(&n, "knp_ready 1"));

	n.state.scanned = false;
	assert_health(&n, false, BIT(KNP_NOT_SYNCED));
	assert_true(says(&n, "knp_ready 0"));
	assert_true(says(&n, "knp_condition{condition=\"not-synced\",fatal=\"true\"} 1"));
	assert_true(says(&n, "knp_stale 1"));
	n.state.scanned = true;

	n.status.last.generation = 0;
	assert_health(&n, false, BIT(KNP_NO_TABLE));
	n.status.last.generation = 4;

	strcpy(n.status.error, "put rows: no memory");
	n.status.state = "failed";
	assert_health(&n, false, BIT(KNP_COMMIT_REFUSED));
	n.status.state = "waiting";
	assert_health(&n, false, BIT(KNP_NO_MODULE));
	n.status.state = "synced";

	n.state.families = KNP_FAMILY_IPV4;
	assert_health(&n, false, BIT(KNP_DETACHED));
	/* There is nothing to be attached to. */
	n.state.kernel = false;
	assert_health(&n, true, 0);
	node_clear(&n);
}

static void a_warning_counts_where_it_is_told_to(void **state)
{
	struct knp_trouble trouble = { .text = "a pod is closed" };
	struct node n;

	(void)state;
	node_init(&n);
	n.troubles.v = &trouble;
	n.troubles.n = 1;
	assert_health(&n, true, BIT(KNP_LIMITS));
	assert_true(says(&n, "knp_condition{condition=\"limits\",fatal=\"false\"} 1"));
	n.health.fatal |= BIT(knp_condition_parse("limits"));
	assert_health(&n, false, BIT(KNP_LIMITS));
	assert_true(says(&n, "knp_condition{condition=\"limits\",fatal=\"true\"} 1"));
	assert_int_equal(knp_condition_parse("no such"), -EINVAL);
	node_clear(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_drop_counts_for_all_policies_that_isolate),
		cmocka_unit_test(an_allow_counts_for_the_policy_of_the_rule),
		cmocka_unit_test(counts_go_on_when_the_module_is_loaded_anew),
		cmocka_unit_test(an_id_that_was_given_anew_starts_from_zero),
		cmocka_unit_test(nothing_counts_twice_while_names_are_not_known),
		cmocka_unit_test(reasons_are_of_drops_or_of_passes),
		cmocka_unit_test(without_a_module_its_metrics_have_no_sample),
		cmocka_unit_test(what_is_enforced_is_observed),
		cmocka_unit_test(refusals_are_counted_by_reason),
		cmocka_unit_test(every_family_is_there_once),
		cmocka_unit_test(what_is_not_enforced_is_not_ready),
		cmocka_unit_test(a_warning_counts_where_it_is_told_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
