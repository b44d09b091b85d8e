/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Label sets of pods and namespaces, each held once, counted and immutable:
 * equal content is the equal pointer. The pods of a workload share one.
 *
 * As strings.h: one table of the process, not thread-safe.
 */
#ifndef KNP_LABELS_H
#define KNP_LABELS_H

#include <stddef.h>

#include "strings.h"

#ifdef __cplusplus
extern "C" {
#endif

/* In store.h, which C++ cannot read. */
struct knp_labels;

/** struct knp_label_view - one label; the value may be empty */
struct knp_label_view {
	struct knp_text key;
	struct knp_text value;
};

/*
 * The set of some labels, to knp_labels_put(); NULL if out of memory. Keys are
 * unique, in any order; @v is sorted in place.
 */
const struct knp_labels *knp_labels_make(struct knp_label_view *v, size_t n);

/* One more user of a set from here; returns it. */
const struct knp_labels *knp_labels_hold(const struct knp_labels *labels);

/* One user less; the last one frees it. Accepts NULL. */
void knp_labels_put(const struct knp_labels *labels);

/* How many sets there are. For tests, as knp_string_count(). */
size_t knp_labels_count(void);

#ifdef __cplusplus
}
#endif

#endif /* KNP_LABELS_H */
