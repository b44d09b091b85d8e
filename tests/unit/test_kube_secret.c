// SPDX-License-Identifier: Apache-2.0
/*
 * Tokens and CAs that are replaced while in use. The comments name client-go's
 * tests of its cached token source and its CA reloading.
 */
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

#include "kube_secret.h"

static char dir[64];
static char path[128];
static struct knp_secret s;

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/knp-secret.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/..data", dir);
	s = (struct knp_secret){
		.path = path,
		.check = knp_secret_is_token,
		.period_ms = KNP_TOKEN_MS,
	};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	knp_secret_clear(&s);
	unlink(path);
	rmdir(dir);
	return 0;
}

static void write_file(const char *text, size_t len)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fwrite(text, 1, len, out);
	assert_int_equal(fclose(out), 0);
}

static void put(const char *text)
{
	write_file(text, strlen(text));
}

/* cached token; refreshed after the period */
static void a_token_is_looked_at_again_after_a_minute(void **state)
{
	(void)state;
	put("one\n");
	assert_int_equal(knp_secret_refresh(&s, 1000, false), 0);
	assert_string_equal(s.text, "one");
	assert_int_equal(s.generation, 1);
	put("two");
	assert_int_equal(knp_secret_refresh(&s, 60999, false), 0);
	assert_string_equal(s.text, "one");
	assert_int_equal(knp_secret_refresh(&s, 61000, false), 0);
	assert_string_equal(s.text, "two");
	assert_int_equal(s.generation, 2);
	assert_int_equal(knp_secret_refresh(&s, 130000, false), 0);
	assert_int_equal(s.generation, 2);
}

/* 401 on cached */
static void a_token_is_looked_at_at_once_when_forced(void **state)
{
	(void)state;
	put("one");
	knp_secret_refresh(&s, 1000, false);
	put("two");
	assert_int_equal(knp_secret_refresh(&s, 1001, true), 0);
	assert_string_equal(s.text, "two");
}

/* read error with a cached one */
static void what_is_no_token_leaves_the_last_one(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		int error;
	} cases[] = {
		{ "", 0, -EINVAL }, { "\n\t\n", 3, -EINVAL },
		{ "a b", 3, -EINVAL }, { "a\nb", 3, -EINVAL },
		{ "a\0b", 3, -EINVAL }, { "a\177", 2, -EINVAL },
	};

	(void)state;
	put("one");
	knp_secret_refresh(&s, 0, true);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		write_file(cases[i].text, cases[i].len);
		assert_int_equal(knp_secret_refresh(&s, 0, true), 0);
		assert_string_equal(s.text, "one");
		assert_int_equal(s.error, cases[i].error);
	}
	unlink(path);
	assert_int_equal(knp_secret_refresh(&s, 0, true), 0);
	assert_int_equal(s.error, -ENOENT);
	assert_string_equal(s.text, "one");
	assert_int_equal(s.generation, 1);
}

/* read error without a cached one */
static void without_any_token_the_error_is_told(void **state)
{
	(void)state;
	assert_int_equal(knp_secret_refresh(&s, 0, false), -ENOENT);
	put("");
	assert_int_equal(knp_secret_refresh(&s, 0, true), -EINVAL);
	assert_null(s.text);
	/* initially empty then valid */
	put("one");
	assert_int_equal(knp_secret_refresh(&s, 0, true), 0);
	assert_string_equal(s.text, "one");
}

static void a_file_that_is_too_long_is_none(void **state)
{
	char *text = malloc(KNP_SECRET_MAX + 1);

	(void)state;
	memset(text, 'x', KNP_SECRET_MAX + 1);
	write_file(text, KNP_SECRET_MAX + 1);
	assert_int_equal(knp_secret_refresh(&s, 0, true), -EFBIG);
	write_file(text, KNP_SECRET_MAX - 1);
	assert_int_equal(knp_secret_refresh(&s, 0, true), 0);
	assert_int_equal(s.len, KNP_SECRET_MAX - 1);
	free(text);
}

static void a_given_token_needs_no_file(void **state)
{
	struct knp_secret given = { .text = strdup("abc"), .len = 3 };

	(void)state;
	assert_int_equal(knp_secret_refresh(&given, 1 << 30, true), 0);
	assert_string_equal(given.text, "abc");
	knp_secret_clear(&given);
}

/* A self-signed certificate, only to be read. */
static const char cert[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBfTCCASOgAwIBAgIUWh+Kh9RsfUra2KsR0gli2UqjSjwwCgYIKoZIzj0EAwIw\n"
	"EzERMA8GA1UEAwwIa25wIHRlc3QwIBcNMjYxMTI1MjAzNTIxWhgPMjEyNjExMDEy\n"
	"MDM1MjFaMBMxETAPBgNVBAMMCGtucCB0ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0D\n"
	"AQcDQgAEpUGaF5f8lvmFBIEUHEnu30bwjTTpONF6AIolXMrSujg8XtTElekqld18\n"
	"hfKnQSKJLqOlWEK+N2xdlm23LCNiMaNTMFEwHQYDVR0OBBYEFOpWa5yfPtf3Z1pg\n"
	"fB9nlxwH1DocMB8GA1UdIwQYMBaAFOpWa5yfPtf3Z1pgfB9nlxwH1DocMA8GA1Ud\n"
	"EwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAMrZsTyygAu0utsUUyT7ZmwA\n"
	"sQGF8+UmeBKTXJZ3UkZdAiBus2epNomF+Fhb8Y3j8POJA45xofaObxhAck0RRQ8L\n"
	"LA==\n"
	"-----END CERTIFICATE-----\n";

static void a_ca_is_pem_with_a_certificate(void **state)
{
	char text[2048];
	size_t len;

	(void)state;
	snprintf(text, sizeof(text), "# a comment\n%s", cert);
	len = strlen(text);
	assert_true(knp_secret_is_ca(text, &len));
	len = strlen(cert) / 2;
	assert_false(knp_secret_is_ca(cert, &len));
	len = 0;
	assert_false(knp_secret_is_ca("", &len));
	len = 5;
	assert_false(knp_secret_is_ca("hello", &len));
	strstr(text, "MII")[3] ^= 1;
	len = strlen(text);
	assert_false(knp_secret_is_ca(text, &len));
}

/* CA unchanged / changed / invalid */
static void an_invalid_ca_leaves_the_last_one(void **state)
{
	(void)state;
	s.check = knp_secret_is_ca;
	s.period_ms = 0;
	put(cert);
	assert_int_equal(knp_secret_refresh(&s, 0, false), 0);
	assert_int_equal(knp_secret_refresh(&s, 0, false), 0);
	assert_int_equal(s.generation, 1);
	put("-----BEGIN CERTIFICATE-----\n");
	assert_int_equal(knp_secret_refresh(&s, 0, false), 0);
	assert_string_equal(s.text, cert);
}

#define t(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		t(a_token_is_looked_at_again_after_a_minute),
		t(a_token_is_looked_at_at_once_when_forced),
		t(what_is_no_token_leaves_the_last_one),
		t(without_any_token_the_error_is_told),
		t(a_file_that_is_too_long_is_none),
		t(a_given_token_needs_no_file),
		t(a_ca_is_pem_with_a_certificate),
		t(an_invalid_ca_leaves_the_last_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
