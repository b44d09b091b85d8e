// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kube_event.h"
#include "kube_lines.h"

#define SIZE_FIRST	(16UL << 10)
/* What is kept between events: all but a few are smaller. */
#define SIZE_KEPT	(256UL << 10)

static int reserve(struct knp_lines *l, size_t more)
{
	size_t need = l->len + more + KNP_JSON_PADDING;
	size_t size = l->size ? l->size : SIZE_FIRST;
	char *buf;

	if (need <= l->size)
		return 0;
	while (size < need)
		size *= 2;
	buf = realloc(l->buf, size);
	if (!buf)
		return -ENOMEM;
	l->buf = buf;
	l->size = size;
	return 0;
}

int knp_lines_append(struct knp_lines *l, const char *data, size_t n,
		     size_t max)
{
	if (n > max || l->len > max - n)
		return -EFBIG;
	if (reserve(l, n))
		return -ENOMEM;
	if (n)
		memcpy(l->buf + l->len, data, n);
	l->len += n;
	memset(l->buf + l->len, 0, KNP_JSON_PADDING);
	return 0;
}

int knp_lines_feed(struct knp_lines *l, const char *data, size_t n,
		   knp_line_fn fn, void *arg)
{
	const char *end;
	size_t part;
	int err;

	while (n) {
		end = memchr(data, '\n', n);
		part = end ? (size_t)(end - data) : n;
		err = knp_lines_append(l, data, part, KNP_LINE_MAX);
		if (err || !end)
			return err;
		err = l->len ? fn(arg, l->buf, l->len) : 0;
		knp_lines_reset(l);
		if (err)
			return err;
		data += part + 1;
		n -= part + 1;
	}
	return 0;
}

void knp_lines_rewind(struct knp_lines *l)
{
	l->len = 0;
}

void knp_lines_reset(struct knp_lines *l)
{
	knp_lines_rewind(l);
	if (l->size > SIZE_KEPT)
		knp_lines_clear(l);
}

void knp_lines_clear(struct knp_lines *l)
{
	free(l->buf);
	*l = (struct knp_lines){ 0 };
}
