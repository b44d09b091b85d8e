/* SPDX-License-Identifier: Apache-2.0 */
/* Making a struct knp_namespace. */
#ifndef KNP_NAMESPACE_H
#define KNP_NAMESPACE_H

#include <stddef.h>

#include "labels.h"
#include "store.h"

/**
 * knp_namespace_new() - a namespace of its own
 * @name: its name
 * @labels: as for knp_labels_make(), with room for one more at the end
 * @n: how many
 *
 * kubernetes.io/metadata.name is added, or set right: only the API server sets
 * this label, and a manifest cannot forge it.
 *
 * Return: the namespace, to knp_namespace_free(); NULL if out of memory.
 */
struct knp_namespace *knp_namespace_new(const char *name,
					struct knp_label_view *labels,
					size_t n);

#endif /* KNP_NAMESPACE_H */
