// SPDX-License-Identifier: Apache-2.0
/* Where the server is and who we are: kubeconfigs, pods, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kube_config.h"

static char dir[64];
static char path[128];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/knp-config.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/kubeconfig", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	rmdir(dir);
	return 0;
}

static void write_config(const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(fclose(out), 0);
}

#define CONTEXTS \
	"current-context: c\n" \
	"contexts:\n" \
	"- name: c\n" \
	"  context: {cluster: k, user: u}\n" \
	"- name: other\n" \
	"  context: {cluster: k2}\n"

/* A kubeconfig with these members of its cluster and user. */
static int load(const char *cluster, const char *user, const char *context,
		struct knp_kube_config *c, char **why)
{
	char text[4096];

	snprintf(text, sizeof(text), CONTEXTS
		 "clusters:\n"
		 "- name: k\n  cluster: {%s}\n"
		 "- name: k2\n  cluster: {server: 'https://other:1'}\n"
		 "users:\n"
		 "- name: u\n  user: {%s}\n", cluster, user);
	write_config(text);
	return knp_kube_config_load(path, context, c, why);
}

static void a_kubeconfig_names_server_ca_and_token(void **state)
{
	struct knp_kube_config c;
	char want[128];
	char *why;

	(void)state;
	assert_int_equal(load("server: 'https://[::1]:6443/a/', certificate-authority: pki/ca.crt, tls-server-name: api, proxy-url: 'http://p:1'",
			      "token: abc", NULL, &c, &why), 0);
	assert_string_equal(c.server, "https://[::1]:6443/a");
	snprintf(want, sizeof(want), "%s/pki/ca.crt", dir);
	assert_string_equal(c.ca_file, want);
	assert_string_equal(c.server_name, "api");
	assert_string_equal(c.proxy, "http://p:1");
	assert_string_equal(c.token, "abc");
	assert_string_equal(c.context, "c");
	assert_null(c.token_file);
	knp_kube_config_clear(&c);
	assert_null(c.token);
}

static void another_context_may_be_named(void **state)
{
	struct knp_kube_config c;
	char *why;

	(void)state;
	assert_int_equal(load("server: 'https://h'", "token: abc", "other", &c,
			      &why), 0);
	assert_string_equal(c.server, "https://other:1");
	assert_null(c.token);
	knp_kube_config_clear(&c);
	assert_int_equal(load("server: 'https://h'", "", "none", &c, &why),
			 -EINVAL);
	assert_non_null(strstr(why, "there is no context \"none\""));
	free(why);
}

static void data_wins_over_files_and_a_token_file_over_a_token(void **state)
{
	struct knp_kube_config c;
	char *why;

	(void)state;
	/* "CA", "a", "abc" */
	assert_int_equal(load("server: 'https://h', certificate-authority: x, certificate-authority-data: Q0E=",
			      "token: abc, tokenFile: /t, client-certificate: y, client-certificate-data: YQ==, client-key-data: YWJj",
			      NULL, &c, &why), 0);
	assert_null(c.ca_file);
	assert_int_equal(c.ca.len, 2);
	assert_memory_equal(c.ca.v, "CA", 2);
	assert_null(c.cert_file);
	assert_int_equal(c.cert.len, 1);
	assert_memory_equal(c.cert.v, "a", 1);
	assert_int_equal(c.key.len, 3);
	assert_memory_equal(c.key.v, "abc", 3);
	assert_null(c.token);
	assert_string_equal(c.token_file, "/t");
	knp_kube_config_clear(&c);
}

static void what_is_not_supported_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *cluster;
		const char *user;
		const char *why;
	} cases[] = {
		{ "server: 'https://h', insecure-skip-tls-verify: true", "",
		  "insecure-skip-tls-verify is not supported" },
		{ "server: 'http://127.0.0.1:80', proxy-url: 'http://p:1'", "",
		  "would show the token to the proxy" },
		{ "server: 'https://h'", "exec: {command: x}",
		  "exec is not supported" },
		{ "server: 'https://h'", "auth-provider: {name: x}",
		  "auth-provider is not supported" },
		{ "server: 'https://h'", "username: a", "username" },
		{ "server: 'https://h'", "password: s3cret", "password" },
		{ "server: 'https://h'", "as: root", "as is not supported" },
		{ "server: 'https://h'", "client-certificate: x", "its key" },
		{ "server: 'https://h'", "client-key: x", "its key" },
		{ "server: 'https://h'", "token: 's3cret\\nx'", "" },
		{ "server: 'https://h'", "token: \"s3cret\\nx\"",
		  "token holds white space" },
		{ "server: 'https://h'", "token: 5", "token must be a string" },
		{ "server: 'https://h', certificate-authority-data: '!'", "",
		  "certificate-authority-data is no base64" },
		{ "server: 'http://h'", "", "must start with https://" },
		{ "server: 'http://localhost.evil'", "",
		  "must start with https://" },
		{ "server: 'https://u:s3cret@h'", "", "the server's URL" },
		{ "server: 'https://h?x'", "", "the server's URL" },
		{ "server: 'https://'", "", "names no host" },
		{ "server: 'https:///api'", "", "names no host" },
		{ "server: 'https://:6443'", "", "names no host" },
		{ "", "", "server is missing" },
	};
	struct knp_kube_config c;
	char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int err = load(cases[i].cluster, cases[i].user, NULL, &c, &why);

		/* In single quotes there is no line break. */
		if (!*cases[i].why) {
			assert_int_equal(err, 0);
			knp_kube_config_clear(&c);
			continue;
		}
		assert_int_equal(err, -EINVAL);
		assert_non_null(why);
		if (!strstr(why, cases[i].why))
			fail_msg("\"%s\" is not \"%s\"", why, cases[i].why);
		assert_non_null(strstr(why, path));
		assert_null(strstr(why, "s3cret"));
		free(why);
	}
}

static void what_is_off_is_no_reason_to_refuse(void **state)
{
	struct knp_kube_config c;
	char *why;

	(void)state;
	assert_int_equal(load("server: 'http://127.0.0.1:8001', insecure-skip-tls-verify: false",
			      "username: '', exec: null, as-groups: [], token: ''",
			      NULL, &c, &why), 0);
	assert_null(c.token);
	knp_kube_config_clear(&c);
}

static void what_is_no_kubeconfig_is_refused(void **state)
{
	static const char *const cases[] = {
		"", "[]", "a: b\n---\nc: d\n", "7", "current-context: c\n",
		"current-context: c\ncontexts: 5\n",
		"current-context: c\ncontexts: [{name: c}]\n",
		"current-context: c\ncontexts: [{name: c, context: {}}]\n",
		"current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\n",
		"a: [\n", "contexts: []\n",
	};
	struct knp_kube_config c;
	char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		write_config(cases[i]);
		assert_int_equal(knp_kube_config_load(path, NULL, &c, &why),
				 -EINVAL);
		assert_non_null(why);
		free(why);
	}
	unlink(path);
	assert_int_equal(knp_kube_config_load(path, NULL, &c, &why), -EINVAL);
	assert_non_null(strstr(why, "No such file"));
	free(why);
}

static void a_pod_is_told_by_its_environment(void **state)
{
	struct knp_kube_config c;
	char *why;

	(void)state;
	unsetenv("KUBERNETES_SERVICE_HOST");
	unsetenv("KUBERNETES_SERVICE_PORT");
	assert_int_equal(knp_kube_config_in_cluster("/sa", &c, &why), -EINVAL);
	assert_non_null(strstr(why, "KUBERNETES_SERVICE_HOST"));
	free(why);

	setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1", 1);
	setenv("KUBERNETES_SERVICE_PORT", "443", 1);
	assert_int_equal(knp_kube_config_in_cluster("/sa", &c, &why), 0);
	assert_string_equal(c.server, "https://10.96.0.1:443");
	assert_string_equal(c.token_file, "/sa/token");
	assert_string_equal(c.ca_file, "/sa/ca.crt");
	knp_kube_config_clear(&c);

	setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
	assert_int_equal(knp_kube_config_in_cluster(NULL, &c, &why), 0);
	assert_string_equal(c.server, "https://[fd00::1]:443");
	assert_string_equal(c.token_file, KNP_SERVICE_ACCOUNT_DIR "/token");
	knp_kube_config_clear(&c);
}

#define t(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		t(a_kubeconfig_names_server_ca_and_token),
		t(another_context_may_be_named),
		t(data_wins_over_files_and_a_token_file_over_a_token),
		t(what_is_not_supported_is_refused_with_a_reason),
		t(what_is_off_is_no_reason_to_refuse),
		t(what_is_no_kubeconfig_is_refused),
		t(a_pod_is_told_by_its_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
