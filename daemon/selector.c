// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "selector.h"

const char *knp_labels_get(const struct knp_labels *labels, const char *key)
{
	size_t lo = 0;
	size_t hi = labels->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int cmp = strcmp(labels->v[mid].key, key);

		if (!cmp)
			return labels->v[mid].value;
		if (cmp < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static bool among(const struct knp_requirement *req, const char *value)
{
	for (size_t i = 0; i < req->nvalues; i++)
		if (!strcmp(req->values[i], value))
			return true;
	return false;
}

static bool holds(const struct knp_requirement *req,
		  const struct knp_labels *labels)
{
	const char *value = knp_labels_get(labels, req->key);

	switch (req->op) {
	case KNP_OP_IN:
		return value && among(req, value);
	case KNP_OP_NOT_IN:
		return !value || !among(req, value);
	case KNP_OP_EXISTS:
		return value;
	case KNP_OP_DOES_NOT_EXIST:
		return !value;
	}
	return false;
}

bool knp_selector_matches(const struct knp_selector *selector,
			  const struct knp_labels *labels)
{
	for (size_t i = 0; i < selector->labels.n; i++) {
		const struct knp_label *want = &selector->labels.v[i];
		const char *value = knp_labels_get(labels, want->key);

		if (!value || strcmp(value, want->value))
			return false;
	}
	for (size_t i = 0; i < selector->nreqs; i++)
		if (!holds(&selector->reqs[i], labels))
			return false;
	return true;
}

#define NAME_LABEL	"kubernetes.io/metadata.name"

static bool matches_unseen(const struct knp_selector *selector,
			   const char *name)
{
	struct knp_label label = {
		.key = NAME_LABEL,
		.value = name,
	};
	const struct knp_labels labels = { .v = &label, .n = 1 };

	for (size_t i = 0; i < selector->nreqs; i++)
		if (strcmp(selector->reqs[i].key, NAME_LABEL))
			return false;
	return knp_selector_matches(selector, &labels);
}

bool knp_selector_matches_namespace(const struct knp_selector *selector,
				    const char *name,
				    const struct knp_labels *labels)
{
	if (!labels)
		return matches_unseen(selector, name);
	return knp_selector_matches(selector, labels);
}
