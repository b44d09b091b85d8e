// SPDX-License-Identifier: Apache-2.0
#include <event2/buffer.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prom.h"

/* Enough digits that no double is changed. */
#define NUMBER	"%.17g"

/* An integer or a short decimal is written as people write it. */
static const char *number(double value, char buf[32])
{
	if (isnan(value))
		return "NaN";
	if (isinf(value))
		return value > 0 ? "+Inf" : "-Inf";
	snprintf(buf, 32, "%.15g", value);
	if (strtod(buf, NULL) != value)
		snprintf(buf, 32, NUMBER, value);
	return buf;
}

static void put(struct knp_prom *p, const char *text, size_t len)
{
	if (evbuffer_add(p->out, text, len))
		p->failed = true;
}

static void put_text(struct knp_prom *p, const char *text)
{
	put(p, text, strlen(text));
}

/* A server refuses all that is scraped for one byte that is no UTF-8. */
static void put_escaped(struct knp_prom *p, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '\n':
			put(p, "\\n", 2);
			break;
		case '"':
		case '\\':
			put(p, "\\", 1);
			put(p, text, 1);
			break;
		default:
			put(p, *text & 0x80 ? "?" : text, 1);
		}
	}
}

static void put_label(struct knp_prom *p, const char *before,
		      const struct knp_prom_label *label)
{
	put_text(p, before);
	put_text(p, label->name);
	put_text(p, "=\"");
	put_escaped(p, label->value ? label->value : "");
	put_text(p, "\"");
}

/* @extra: one label more, of a bucket or a quantile; NULL: none */
static void put_labels(struct knp_prom *p, const struct knp_prom_label *labels,
		       const struct knp_prom_label *extra)
{
	const char *before = "{";

	for (; labels && labels->name; labels++) {
		put_label(p, before, labels);
		before = ",";
	}
	if (extra) {
		put_label(p, before, extra);
		before = ",";
	}
	if (*before == ',')
		put_text(p, "}");
}

static void sample(struct knp_prom *p, const char *suffix,
		   const struct knp_prom_label *labels,
		   const struct knp_prom_label *extra, const char *value)
{
	put_text(p, p->name);
	put_text(p, suffix);
	put_labels(p, labels, extra);
	put_text(p, " ");
	put_text(p, value);
	put_text(p, "\n");
}

static void sample_count(struct knp_prom *p, const char *suffix,
			 const struct knp_prom_label *labels,
			 const struct knp_prom_label *extra, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	sample(p, suffix, labels, extra, text);
}

void knp_prom_family(struct knp_prom *p, const char *name, const char *type,
		     const char *help)
{
	p->name = name;
	if (evbuffer_add_printf(p->out, "# HELP %s %s\n# TYPE %s %s\n", name,
				help, name, type) < 0)
		p->failed = true;
}

void knp_prom_count(struct knp_prom *p, const struct knp_prom_label *labels,
		    uint64_t value)
{
	sample_count(p, "", labels, NULL, value);
}

void knp_prom_value(struct knp_prom *p, const struct knp_prom_label *labels,
		    double value)
{
	char text[32];

	sample(p, "", labels, NULL, number(value, text));
}

void knp_prom_gauge(struct knp_prom *p, const char *name, const char *help,
		    double value)
{
	knp_prom_family(p, name, "gauge", help);
	knp_prom_value(p, NULL, value);
}

void knp_prom_counter(struct knp_prom *p, const char *name, const char *help,
		      uint64_t value)
{
	knp_prom_family(p, name, "counter", help);
	knp_prom_count(p, NULL, value);
}

/* ---- histograms ----------------------------------------------------------- */

void knp_histogram_add(struct knp_histogram *h, double value)
{
	size_t i = 0;

	while (i < h->nbounds && value > h->bounds[i])
		i++;
	h->counts[i]++;
	h->sum += value;
}

void knp_prom_histogram(struct knp_prom *p, const struct knp_prom_label *labels,
			const struct knp_histogram *h)
{
	struct knp_prom_label le = { "le", NULL };
	uint64_t below = 0;
	char text[32];

	for (size_t i = 0; i <= h->nbounds; i++) {
		below += h->counts[i];
		le.value = i < h->nbounds ? number(h->bounds[i], text) : "+Inf";
		sample_count(p, "_bucket", labels, &le, below);
	}
	sample(p, "_sum", labels, NULL, number(h->sum, text));
	sample_count(p, "_count", labels, NULL, below);
}

/* ---- summaries ------------------------------------------------------------ */

void knp_summary_add(struct knp_summary *s, double value, uint64_t n,
		     int64_t now_ms)
{
	if (!n)
		return;
	s->count += n;
	s->sum += value * (double)n;
	s->last[s->next] = value;
	s->at[s->next] = now_ms;
	s->next = (s->next + 1) % KNP_SUMMARY_LAST;
	if (s->kept < KNP_SUMMARY_LAST)
		s->kept++;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double knp_summary_quantile(const struct knp_summary *s, double q,
			    int64_t now_ms)
{
	double v[KNP_SUMMARY_LAST];
	size_t n = 0, at;

	for (size_t i = 0; i < s->kept; i++)
		if (now_ms - s->at[i] < KNP_SUMMARY_MS)
			v[n++] = s->last[i];
	if (!n)
		return NAN;
	qsort(v, n, sizeof(*v), by_value);
	at = (size_t)(q * (double)n);
	return v[at < n ? at : n - 1];
}

void knp_prom_summary(struct knp_prom *p, const struct knp_prom_label *labels,
		      const struct knp_summary *s, int64_t now_ms)
{
	static const struct {
		const char *text;
		double q;
	} asked[] = { { "0.5", 0.5 }, { "0.9", 0.9 }, { "0.99", 0.99 } };
	struct knp_prom_label quantile = { "quantile", NULL };
	char text[32];

	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
		quantile.value = asked[i].text;
		sample(p, "", labels, &quantile,
		       number(knp_summary_quantile(s, asked[i].q, now_ms),
			      text));
	}
	sample(p, "_sum", labels, NULL, number(s->sum, text));
	sample_count(p, "_count", labels, NULL, s->count);
}
