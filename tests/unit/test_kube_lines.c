// SPDX-License-Identifier: Apache-2.0
/* Lines out of chunks: every cut, every chunk size, limits, memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kube_event.h"
#include "kube_json.h"
#include "kube_lines.h"

/* Escapes, UTF-8 of two to four bytes, an empty line. */
static const char stream[] =
	"{\"type\":\"ADDED\",\"object\":{\"apiVersion\":\"v1\","
	"\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\",\"namespace\":\"x\","
	"\"resourceVersion\":\"1\",\"labels\":{\"k\":\"v\"},"
	"\"annotations\":{\"t\":\"\\u00e9 \\\" é ✓ 😀\"}}}}\n"
	"\n"
	"{\"type\":\"MODIFIED\",\"object\":{\"apiVersion\":\"v1\","
	"\"kind\":\"Pod\",\"metadata\":{\"name\":\"b\",\"namespace\":\"x\","
	"\"resourceVersion\":\"2\"},\"status\":{\"podIP\":\"10.0.0.1\"}}}\r\n"
	"{\"type\":\"BOOKMARK\",\"object\":{\"apiVersion\":\"v1\","
	"\"kind\":\"Pod\",\"metadata\":{\"resourceVersion\":\"3\","
	"\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}}}}\n";

/* What came out, as text. */
struct seen {
	char text[256];
	size_t lines;
};

static int on_event(void *arg, const char *line, size_t len)
{
	struct seen *seen = arg;
	struct knp_kube_event e;
	char *why;

	for (size_t i = 0; i < KNP_JSON_PADDING; i++)
		assert_int_equal(line[len + i], 0);
	assert_int_equal(knp_kube_json_event(line, len, KNP_KIND_POD, &e, NULL,
					     &why), 0);
	snprintf(seen->text + strlen(seen->text),
		 sizeof(seen->text) - strlen(seen->text), "%d %s %s %d;",
		 e.type, e.object.name ? e.object.name : "-", e.version,
		 e.initial_end);
	seen->lines++;
	knp_object_clear(&e.object);
	return 0;
}

static void feed(struct knp_lines *l, const char *data, size_t len,
		 struct seen *seen)
{
	assert_int_equal(knp_lines_feed(l, data, len, on_event, seen), 0);
}

static const char *const want = "1 a 1 0;2 b 2 0;4 - 3 1;";

static void any_cut_yields_the_same_events(void **state)
{
	size_t len = strlen(stream);

	(void)state;
	for (size_t cut = 0; cut <= len; cut++) {
		struct knp_lines l = { 0 };
		struct seen seen = { 0 };
		/* A copy that ends where the chunk ends, for the sanitizer. */
		char *first = malloc(cut + 1);

		memcpy(first, stream, cut);
		assert_int_equal(knp_lines_feed(&l, first, cut, on_event,
						&seen), 0);
		free(first);
		assert_int_equal(knp_lines_feed(&l, stream + cut, len - cut,
						on_event, &seen), 0);
		assert_string_equal(seen.text, want);
		assert_int_equal(l.len, 0);
		knp_lines_clear(&l);
	}
}

static void any_chunk_size_yields_the_same_events(void **state)
{
	size_t len = strlen(stream);

	(void)state;
	for (size_t size = 1; size <= 64; size++) {
		struct knp_lines l = { 0 };
		struct seen seen = { 0 };

		for (size_t at = 0; at < len; at += size)
			feed(&l, stream + at, size < len - at ? size :
			     len - at, &seen);
		assert_string_equal(seen.text, want);
		knp_lines_clear(&l);
	}
}

static void a_stream_that_is_cut_yields_the_whole_events_only(void **state)
{
	const char *last = strstr(stream, "{\"type\":\"BOOKMARK\"");

	(void)state;
	for (size_t cut = (size_t)(last - stream); cut < strlen(stream);
	     cut++) {
		struct knp_lines l = { 0 };
		struct seen seen = { 0 };

		knp_lines_feed(&l, stream, cut, on_event, &seen);
		assert_int_equal(seen.lines, 2);
		assert_int_equal(l.len, cut - (size_t)(last - stream));
		knp_lines_clear(&l);
	}
}

static int on_length(void *arg, const char *line, size_t len)
{
	(void)line;
	*(size_t *)arg = len;
	return 0;
}

static void a_line_may_be_as_long_as_the_limit_and_no_longer(void **state)
{
	char *data = malloc(KNP_LINE_MAX + 2);
	struct knp_lines l = { 0 };
	size_t len = 0;

	(void)state;
	memset(data, 'x', KNP_LINE_MAX);
	data[KNP_LINE_MAX] = '\n';
	assert_int_equal(knp_lines_feed(&l, data, KNP_LINE_MAX + 1, on_length,
					&len), 0);
	assert_int_equal(len, KNP_LINE_MAX);
	/* The huge buffer is given back. */
	assert_null(l.buf);

	data[KNP_LINE_MAX] = 'x';
	data[KNP_LINE_MAX + 1] = '\n';
	assert_int_equal(knp_lines_feed(&l, data, KNP_LINE_MAX + 2, on_length,
					&len), -EFBIG);
	knp_lines_clear(&l);
	assert_int_equal(knp_lines_feed(&l, data, KNP_LINE_MAX, on_length,
					&len), 0);
	assert_int_equal(knp_lines_feed(&l, "x", 1, on_length, &len), -EFBIG);
	knp_lines_clear(&l);
	free(data);
}

static int on_stop(void *arg, const char *line, size_t len)
{
	(void)line;
	(void)len;
	return ++*(int *)arg == 2 ? 7 : 0;
}

static void the_reader_may_stop(void **state)
{
	struct knp_lines l = { 0 };
	int n = 0;

	(void)state;
	assert_int_equal(knp_lines_feed(&l, "a\nb\nc\n", 6, on_stop, &n), 7);
	assert_int_equal(n, 2);
	knp_lines_clear(&l);
}

static void a_small_buffer_is_kept(void **state)
{
	struct knp_lines l = { 0 };
	size_t len;
	char *buf;

	(void)state;
	knp_lines_feed(&l, "abc\n", 4, on_length, &len);
	buf = l.buf;
	assert_non_null(buf);
	knp_lines_feed(&l, "abcdef\n", 7, on_length, &len);
	assert_ptr_equal(l.buf, buf);
	knp_lines_clear(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_cut_yields_the_same_events),
		cmocka_unit_test(any_chunk_size_yields_the_same_events),
		cmocka_unit_test(a_stream_that_is_cut_yields_the_whole_events_only),
		cmocka_unit_test(a_line_may_be_as_long_as_the_limit_and_no_longer),
		cmocka_unit_test(the_reader_may_stop),
		cmocka_unit_test(a_small_buffer_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
