/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prometheus' text format, version 0.0.4: families of samples are written into
 * an evbuffer. And what a family of observations is kept in.
 *
 * Writers are called without looking; @failed is checked once at the end.
 */
#ifndef KNP_PROM_H
#define KNP_PROM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evbuffer;

#define KNP_PROM_TYPE	"text/plain; version=0.0.4; charset=utf-8"

/**
 * struct knp_prom - a writer
 * @out: borrowed
 * @name: of the family at hand
 * @failed: memory ran out, what is written is incomplete
 */
struct knp_prom {
	struct evbuffer *out;
	const char *name;
	bool failed;
};

/** struct knp_prom_label - a label; the last of an array has @name NULL */
struct knp_prom_label {
	const char *name;
	const char *value;	/* escaped, '?' for what is not ASCII; NULL as "" */
};

/* Labels of one sample: KNP_PROM_LABELS({ "reason", reason }, { "x", y }) */
#define KNP_PROM_LABELS(...) ((const struct knp_prom_label[]){ __VA_ARGS__, { NULL, NULL } })

/*
 * Begin a family. @type: counter, gauge, histogram or summary. @name and @help
 * are literals; a family without a sample is allowed.
 */
void knp_prom_family(struct knp_prom *p, const char *name, const char *type,
		     const char *help);

/* A sample of the family; @labels NULL: none. */
void knp_prom_count(struct knp_prom *p, const struct knp_prom_label *labels,
		    uint64_t value);
void knp_prom_value(struct knp_prom *p, const struct knp_prom_label *labels,
		    double value);

/* A family of one sample without labels. */
void knp_prom_gauge(struct knp_prom *p, const char *name, const char *help,
		    double value);
void knp_prom_counter(struct knp_prom *p, const char *name, const char *help,
		      uint64_t value);

#define KNP_BUCKETS_MAX	20

/**
 * struct knp_histogram - observations by size
 * @bounds: upper bounds, ascending; borrowed
 * @nbounds: at most KNP_BUCKETS_MAX
 * @counts: observations by bucket, not yet summed up; the last is above all
 */
struct knp_histogram {
	const double *bounds;
	size_t nbounds;
	uint64_t counts[KNP_BUCKETS_MAX + 1];
	double sum;
};

void knp_histogram_add(struct knp_histogram *h, double value);

/* The samples of one histogram of the family. */
void knp_prom_histogram(struct knp_prom *p, const struct knp_prom_label *labels,
			const struct knp_histogram *h);

#define KNP_SUMMARY_LAST	256
#define KNP_SUMMARY_MS		600000

/**
 * struct knp_summary - observations, of which quantiles are asked
 * @last: the last ones, as a ring
 * @at: when, monotonic ms
 * @kept: how many there are
 * @next: where the next goes
 *
 * The quantiles are those of the last KNP_SUMMARY_LAST within KNP_SUMMARY_MS,
 * NaN if there are none; count and sum are of all.
 */
struct knp_summary {
	uint64_t count;
	double sum;
	double last[KNP_SUMMARY_LAST];
	int64_t at[KNP_SUMMARY_LAST];
	size_t kept;
	size_t next;
};

/* @n observations of one value. */
void knp_summary_add(struct knp_summary *s, double value, uint64_t n,
		     int64_t now_ms);

/* The quantile 0 <= @q <= 1 of the last ones. */
double knp_summary_quantile(const struct knp_summary *s, double q,
			    int64_t now_ms);

/* The samples of one summary of the family: quantiles 0.5, 0.9 and 0.99. */
void knp_prom_summary(struct knp_prom *p, const struct knp_prom_label *labels,
		      const struct knp_summary *s, int64_t now_ms);

#endif /* KNP_PROM_H */
