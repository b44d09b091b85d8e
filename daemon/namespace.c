// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "namespace.h"

#define NAME_LABEL	"kubernetes.io/metadata.name"

struct knp_namespace *knp_namespace_new(const char *name,
					struct knp_label_view *labels,
					size_t n)
{
	struct knp_namespace *ns = calloc(1, sizeof(*ns));
	size_t i = 0;

	if (!ns)
		return NULL;
	while (i < n && !knp_string_is(NAME_LABEL, &labels[i].key))
		i++;
	labels[i] = (struct knp_label_view){
		.key = knp_text_of(NAME_LABEL),
		.value = knp_text_of(name),
	};
	ns->name = knp_string_dup(name);
	ns->labels = knp_labels_make(labels, i < n ? n : n + 1);
	if (ns->name && ns->labels)
		return ns;
	knp_namespace_free(ns);
	return NULL;
}

bool knp_namespace_equal(const struct knp_namespace *a,
			 const struct knp_namespace *b)
{
	return a->labels == b->labels && a->terminating == b->terminating;
}

void knp_namespace_free(struct knp_namespace *ns)
{
	if (!ns)
		return;
	knp_string_put(ns->name);
	knp_labels_put(ns->labels);
	free(ns);
}
