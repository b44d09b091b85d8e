// SPDX-License-Identifier: Apache-2.0
#include "random_pods.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct writer {
	FILE *out;
	struct dice *dice;
	unsigned int oddity;
	bool first;		/* of the object that is being written */
};

static bool one_in(struct writer *w, unsigned int n)
{
	return !dice_below(w->dice, n);
}

static const char *pick(struct writer *w, const char *const *list,
			unsigned int n)
{
	return list[dice_below(w->dice, n)];
}

static void space(struct writer *w)
{
	static const char *const spaces[] = { " ", "\n", "\t", "\r\n  " };

	if (one_in(w, 12))
		fputs(pick(w, spaces, ARRAY_SIZE(spaces)), w->out);
}

/* A string, now and then with characters written as escapes. */
static void text(struct writer *w, const char *s)
{
	bool escape = one_in(w, 4 * w->oddity);

	fputc('"', w->out);
	for (; *s; s++)
		if (escape && one_in(w, 3))
			fprintf(w->out, "\\u%04x", (unsigned char)*s);
		else
			fputc(*s, w->out);
	fputc('"', w->out);
}

static void key(struct writer *w, const char *name)
{
	if (!w->first)
		fputc(',', w->out);
	w->first = false;
	space(w);
	text(w, name);
	space(w);
	fputc(':', w->out);
	space(w);
}

static void any(struct writer *w)
{
	static const char *const values[] = {
		"null", "true", "false", "0", "-1", "80", "1.5", "8e1", "080",
		"9223372036854775807", "9223372036854775808", "tru", "\"\"",
		"18446744073709551616", "{}", "[]", "[null]", "{\"a\":[]}",
		"\"\\u0000\"", "\"\\ud800\"", "\"\\udc00x\"", "\"\\q\"",
		"\"\\ud83d\\ude00\"", "\"\xff\"", "\"TCP\"", "\"Failed\"",
		"\"a\":1", "'a'", "\"\\u00e9\"", "[{\"ip\":\"10.0.0.9\"}]",
	};

	fputs(pick(w, values, ARRAY_SIZE(values)), w->out);
}

/* Whether a value is to be written; an odd one is written here. */
static bool plain(struct writer *w)
{
	if (!one_in(w, w->oddity))
		return true;
	any(w);
	return false;
}

static void unneeded(struct writer *w)
{
	static const char *const names[] = {
		"x", "managedFields", "nameX", "Name", "podIPsX", "", "portsx",
		"f:k{\\\"name\\\":\\\"a\\\"}", "\\u0041", "m\\u006ftadata",
	};
	static const char *const values[] = {
		"null", "\"a\\nb\"", "12", "[1,[2,{\"a\":\"]}\"}]]", "-0.5e+3",
		"{\"metadata\":{\"name\":\"no\"},\"labels\":[]}", "true",
	};

	if (!one_in(w, 3))
		return;
	if (!w->first)
		fputc(',', w->out);
	w->first = false;
	fprintf(w->out, "\"%s\":%s", pick(w, names, ARRAY_SIZE(names)),
		pick(w, values, ARRAY_SIZE(values)));
}

static void string_field(struct writer *w, const char *name,
			 const char *const *values, unsigned int n)
{
	unsigned int times = one_in(w, 2 * w->oddity) ? 2 : 1;

	if (one_in(w, 6))
		return;
	while (times--) {
		key(w, name);
		if (plain(w))
			text(w, values[dice_below(w->dice, n)]);
		unneeded(w);
	}
}

#define STRING(w, name, ...) do {					\
	static const char *const values_[] = { __VA_ARGS__ };		\
	string_field(w, name, values_, ARRAY_SIZE(values_));		\
} while (0)

static void labels(struct writer *w)
{
	static const char *const keys[] = {
		"app", "app", "b", "kubernetes.io/name", "z", "ap", "",
	};
	unsigned int n = dice_below(w->dice, 5);

	if (one_in(w, 40))
		n = 70;
	w->first = true;
	fputc('{', w->out);
	for (unsigned int i = 0; i < n; i++) {
		char name[32];

		snprintf(name, sizeof(name), "%s%u",
			 pick(w, keys, ARRAY_SIZE(keys)),
			 one_in(w, w->oddity) ? 0 : i);
		key(w, name);
		if (plain(w))
			text(w, i % 2 ? "" : "web");
	}
	fputc('}', w->out);
	w->first = false;
}

static void metadata(struct writer *w)
{
	w->first = true;
	fputc('{', w->out);
	unneeded(w);
	key(w, "name");
	if (plain(w))
		text(w, one_in(w, w->oddity) ? "No" : "web-1");
	STRING(w, "namespace", "shop", "shop", "", "-x", "default");
	STRING(w, "uid", "0-1", "");
	STRING(w, "resourceVersion", "12", "", "99999999999999999999");
	if (!one_in(w, 6)) {
		key(w, "labels");
		if (plain(w))
			labels(w);
	}
	STRING(w, "creationTimestamp", "2026-01-02T03:04:05Z",
	       "1999-12-31T23:59:59Z", "2024-02-29T00:00:00Z",
	       "2023-02-31T10:00:00Z", "0001-01-01T00:00:00Z", "",
	       "2026-01-02T03:04:60Z", "2026-01-02T03:04:05.5Z", "yesterday",
	       "2026-1-2T3:4:5Z", "2026-01-02T03:04:05+01", "9999-12-31T23:59:59Z");
	unneeded(w);
	fputc('}', w->out);
	w->first = false;
}

static void port(struct writer *w)
{
	static const char *const numbers[] = {
		"80", "8080", "65535", "1", "53", "443", "9090", "6443",
	};
	static const char *const bad[] = { "0", "65536", "-1", "1.0", "1e2" };

	w->first = true;
	fputc('{', w->out);
	STRING(w, "name", "http", "dns", "");
	key(w, "containerPort");
	if (plain(w))
		fputs(one_in(w, 3 * w->oddity) ?
		      pick(w, bad, ARRAY_SIZE(bad)) :
		      pick(w, numbers, ARRAY_SIZE(numbers)), w->out);
	STRING(w, "protocol", "TCP", "UDP", "SCTP");
	unneeded(w);
	fputc('}', w->out);
	w->first = false;
}

static void containers(struct writer *w, bool init)
{
	unsigned int n = dice_below(w->dice, 3);

	fputc('[', w->out);
	for (unsigned int i = 0; i < n; i++) {
		unsigned int nports = dice_below(w->dice, 3);

		fputs(i ? "," : "", w->out);
		if (!plain(w))
			continue;
		if (one_in(w, 60))
			nports = 130;
		w->first = true;
		fputc('{', w->out);
		unneeded(w);
		if (init)
			STRING(w, "restartPolicy", "Always", "Never", "");
		key(w, "ports");
		if (plain(w)) {
			fputc('[', w->out);
			for (unsigned int k = 0; k < nports; k++) {
				fputs(k ? "," : "", w->out);
				if (plain(w))
					port(w);
			}
			fputc(']', w->out);
		}
		w->first = false;
		unneeded(w);
		fputc('}', w->out);
	}
	fputc(']', w->out);
	w->first = false;
}

static void spec(struct writer *w)
{
	bool init = one_in(w, 2);

	w->first = true;
	fputc('{', w->out);
	unneeded(w);
	if (init) {
		key(w, "initContainers");
		if (plain(w))
			containers(w, true);
	}
	key(w, "containers");
	if (plain(w))
		containers(w, false);
	STRING(w, "nodeName", "n1", "");
	if (one_in(w, 2)) {
		key(w, "hostNetwork");
		if (plain(w))
			fputs(one_in(w, 2) ? "true" : "false", w->out);
	}
	fputc('}', w->out);
	w->first = false;
}

static void ips(struct writer *w)
{
	static const char *const values[] = {
		"10.0.0.1", "10.0.0.1", "fd00::1", "10.0.0.2", "fd00:0::1",
	};
	static const char *const bad[] = {
		"", "::ffff:10.0.0.1", "10.0.0", "010.0.0.1",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa",
	};
	unsigned int n = dice_below(w->dice, one_in(w, 40) ? 12 : 4);

	fputc('[', w->out);
	for (unsigned int i = 0; i < n; i++) {
		fputs(i ? "," : "", w->out);
		if (!plain(w))
			continue;
		w->first = true;
		fputc('{', w->out);
		key(w, "ip");
		if (plain(w))
			text(w, one_in(w, 2 * w->oddity) ?
			     pick(w, bad, ARRAY_SIZE(bad)) :
			     pick(w, values, ARRAY_SIZE(values)));
		unneeded(w);
		fputc('}', w->out);
	}
	fputc(']', w->out);
	w->first = false;
}

static void status(struct writer *w)
{
	w->first = true;
	fputc('{', w->out);
	STRING(w, "phase", "Running", "Succeeded", "Failed", "Pending", "");
	STRING(w, "podIP", "10.0.0.7", "", "fd00::7");
	if (!one_in(w, 4)) {
		key(w, "podIPs");
		if (plain(w))
			ips(w);
	}
	unneeded(w);
	fputc('}', w->out);
	w->first = false;
}

char *random_pod(struct dice *d, unsigned int oddity)
{
	struct writer w = { .dice = d, .oddity = oddity, .first = true };
	char *buf = NULL;
	size_t len = 0;

	w.out = open_memstream(&buf, &len);
	if (!w.out)
		abort();
	fputc('{', w.out);
	if (!one_in(&w, 3)) {
		key(&w, "kind");
		if (plain(&w))
			text(&w, one_in(&w, oddity) ? "Namespace" : "Pod");
		key(&w, "apiVersion");
		if (plain(&w))
			text(&w, one_in(&w, oddity) ? "v2" : "v1");
	}
	unneeded(&w);
	key(&w, "metadata");
	if (plain(&w))
		metadata(&w);
	key(&w, "spec");
	if (plain(&w))
		spec(&w);
	key(&w, "status");
	if (plain(&w))
		status(&w);
	fputc('}', w.out);
	space(&w);
	if (fclose(w.out))
		abort();
	return buf;
}

void random_damage(struct dice *d, char *text, size_t *len)
{
	static const char bytes[] = "\"\\{}[]:,0n\n \xc3\xa9u";
	unsigned int n = 1 + dice_below(d, 3);

	while (n-- && *len > 1) {
		size_t at = dice_below(d, (__u32)*len);

		switch (dice_below(d, 3)) {
		case 0:
			text[at] = bytes[dice_below(d, sizeof(bytes))];
			break;
		case 1:
			text[at] = (char)dice_below(d, 256);
			break;
		default:
			memmove(text + at, text + at + 1, *len - at - 1);
			--*len;
		}
	}
}
