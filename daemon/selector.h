/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Label selectors. PURE.
 *
 * A selector says something about objects that exist: it is the caller who
 * asks only about pods and namespaces, so NotIn and DoesNotExist never reach
 * addresses that are no pods.
 */
#ifndef KNP_SELECTOR_H
#define KNP_SELECTOR_H

#include <stdbool.h>
#include "store.h"

/**
 * knp_labels_get() - the value of a label
 * @labels: the set
 * @key: the label's key
 *
 * Return: the value, "" included; NULL if the key is absent.
 */
const char *knp_labels_get(const struct knp_labels *labels, const char *key);

/**
 * knp_selector_matches() - whether a selector matches a label set
 * @selector: the selector; an empty one matches everything
 * @labels: the set
 *
 * All requirements must hold. On an absent key matchLabels, In and Exists do
 * not hold, NotIn and DoesNotExist do.
 */
bool knp_selector_matches(const struct knp_selector *selector,
			  const struct knp_labels *labels);

/**
 * knp_selector_matches_namespace() - whether a selector matches a namespace
 * @selector: a namespaceSelector
 * @name: of the namespace
 * @labels: of its object; NULL if that was not seen yet
 *
 * Of a namespace whose object was not seen only the name is known. What labels
 * it lacks is not: NotIn and DoesNotExist about others do not hold, or a late
 * object would open something.
 */
bool knp_selector_matches_namespace(const struct knp_selector *selector,
				    const char *name,
				    const struct knp_labels *labels);

#endif /* KNP_SELECTOR_H */
