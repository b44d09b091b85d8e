// SPDX-License-Identifier: Apache-2.0
/*
 * Arbitrary bytes as a page, as an event, as an item of a page and as the
 * object of an event: pod_json.h and json-c must agree.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/pods.h"

#define PAGE	"{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[{\"metadata\":{\"name\":\"a\"}},"
#define EVENT	"{\"type\":\"ADDED\",\"object\":"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef const char *(*differ_fn)(struct knp_pod_json *p, const char *text,
				 size_t len);

static struct knp_pod_json *parser;

static void check(differ_fn differ, const char *head, const uint8_t *data,
		  size_t size, const char *tail)
{
	size_t nhead = strlen(head), ntail = strlen(tail);
	char *text = malloc(nhead + size + ntail + 1);
	const char *what;

	if (!text)
		abort();
	memcpy(text, head, nhead);
	if (size)
		memcpy(text + nhead, data, size);
	memcpy(text + nhead + size, tail, ntail);
	what = differ(parser, text, nhead + size + ntail);
	if (what) {
		fprintf(stderr, "%s differ between pod_json and json-c:\n%.*s\n",
			what, (int)(nhead + size + ntail), text);
		abort();
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!parser)
		parser = knp_pod_json_new();
	if (!parser)
		abort();
	check(pages_differ, "", data, size, "");
	check(events_differ, "", data, size, "");
	check(pages_differ, PAGE, data, size, "]}");
	check(events_differ, EVENT, data, size, "}");
	return 0;
}
