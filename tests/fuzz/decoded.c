// SPDX-License-Identifier: Apache-2.0
#include "decoded.h"

#include <string.h>

#include "kube_event.h"
#include "require.h"

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

void decoded_require_same(const struct knp_objects *a,
			  const struct knp_objects *b)
{
	require(a->n == b->n && a->nrefused == b->nrefused &&
		a->nunnamed == b->nunnamed && a->nignored == b->nignored,
		"other numbers of objects");
	for (size_t i = 0; i < a->n; i++) {
		const struct knp_object *x = &a->v[i];
		const struct knp_object *y = &b->v[i];

		require(x->kind == y->kind && x->refused == y->refused &&
			same_text(x->ns, y->ns) && same_text(x->name, y->name),
			"other objects");
		require(!x->any == !y->any &&
			(!x->any || knp_kind_equal(x->kind, x->any, y->any)),
			"an object says something else");
	}
}

void faults_require_same(const struct knp_faults *a, const struct knp_faults *b)
{
	require(a->n == b->n, "other numbers of faults");
	for (size_t i = 0; i < a->n; i++)
		require(same_text(a->v[i].object, b->v[i].object) &&
			same_text(a->v[i].field, b->v[i].field) &&
			same_text(a->v[i].reason, b->v[i].reason),
			"other faults");
}

static void require_line(const struct knp_fault *fault)
{
	char *line = knp_fault_format(fault);

	require(line, "no memory");
	require(*line && !strpbrk(line, "\r\n\033"), "a fault of many lines");
	free(line);
}

void decoded_require_sound(const struct knp_objects *objects,
			   const struct knp_faults *faults)
{
	size_t refused = 0;

	for (size_t i = 0; i < objects->n; i++) {
		const struct knp_object *o = &objects->v[i];

		require(o->name && *o->name, "an object without a name");
		require(o->ns && !*o->ns == (o->kind == KNP_KIND_NAMESPACE),
			"an object in no namespace, or one in another");
		require(o->refused || o->any, "an object that holds nothing");
		refused += o->refused;
	}
	require(refused == objects->nrefused, "refused objects are miscounted");
	require(!faults->n == !(refused + objects->nunnamed),
		"refused without a fault, or a fault without a refusal");
	for (size_t i = 0; i < faults->n; i++)
		require_line(&faults->v[i]);
}

char *padded_copy(const void *text, size_t len)
{
	char *copy = calloc(1, len + KNP_JSON_PADDING);

	require(copy, "no memory");
	if (len)
		memcpy(copy, text, len);
	return copy;
}
