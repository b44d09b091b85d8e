// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faults.h"

static void fault_clear(struct knp_fault *fault)
{
	free(fault->file);
	free(fault->object);
	free(fault->field);
	free(fault->reason);
}

static int copy(char **ret, const char *text)
{
	if (!text)
		return 0;
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

int knp_faults_add(struct knp_faults *faults, const char *file,
		   const char *object, const char *field, const char *fmt, ...)
{
	struct knp_fault fault = { 0 };
	struct knp_fault *v;
	va_list ap;
	int n;

	if (!faults)
		return 0;
	v = reallocarray(faults->v, faults->n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	faults->v = v;

	va_start(ap, fmt);
	n = vasprintf(&fault.reason, fmt, ap);
	va_end(ap);
	if (n < 0) {
		fault.reason = NULL;
		goto err;
	}
	if (copy(&fault.file, file) || copy(&fault.object, object) ||
	    copy(&fault.field, field))
		goto err;
	v[faults->n++] = fault;
	return 0;

err:
	fault_clear(&fault);
	return -ENOMEM;
}

int knp_faults_move(struct knp_faults *faults, struct knp_faults *from)
{
	struct knp_fault *v;

	if (!from->n)
		return 0;
	v = reallocarray(faults->v, faults->n + from->n, sizeof(*v));
	if (!v)
		return -ENOMEM;
	memcpy(v + faults->n, from->v, from->n * sizeof(*v));
	faults->v = v;
	faults->n += from->n;
	free(from->v);
	*from = (struct knp_faults){ 0 };
	return 0;
}

static bool equal(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

size_t knp_faults_drop(struct knp_faults *faults, const char *file,
		       bool objects)
{
	size_t dropped, n = 0;

	for (size_t i = 0; i < faults->n; i++) {
		struct knp_fault *fault = &faults->v[i];

		if (equal(fault->file, file) && (objects || !fault->object))
			fault_clear(fault);
		else
			faults->v[n++] = *fault;
	}
	dropped = faults->n - n;
	faults->n = n;
	return dropped;
}

size_t knp_faults_drop_object(struct knp_faults *faults, const char *file,
			      const char *object)
{
	size_t dropped, n = 0;

	for (size_t i = 0; i < faults->n; i++) {
		struct knp_fault *fault = &faults->v[i];

		if (equal(fault->file, file) && equal(fault->object, object))
			fault_clear(fault);
		else
			faults->v[n++] = *fault;
	}
	dropped = faults->n - n;
	faults->n = n;
	return dropped;
}

size_t knp_faults_objects(const struct knp_faults *faults)
{
	const struct knp_fault *last = NULL;
	size_t n = 0;

	for (size_t i = 0; i < faults->n; i++) {
		const struct knp_fault *fault = &faults->v[i];

		if (!fault->object)
			continue;
		n += !last || !equal(last->file, fault->file) ||
		     !equal(last->object, fault->object);
		last = fault;
	}
	return n;
}

bool knp_faults_has(const struct knp_faults *faults,
		    const struct knp_fault *fault)
{
	for (size_t i = 0; i < faults->n; i++) {
		const struct knp_fault *other = &faults->v[i];

		if (equal(other->file, fault->file) &&
		    equal(other->object, fault->object) &&
		    equal(other->field, fault->field) &&
		    equal(other->reason, fault->reason))
			return true;
	}
	return false;
}

void knp_faults_clear(struct knp_faults *faults)
{
	if (!faults)
		return;
	for (size_t i = 0; i < faults->n; i++)
		fault_clear(&faults->v[i]);
	free(faults->v);
	*faults = (struct knp_faults){ 0 };
}

char *knp_fault_format(const struct knp_fault *fault)
{
	const char *const parts[] = {
		fault->file, fault->object, fault->field, fault->reason,
	};
	size_t len = 0;
	char *text;
	char *end;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		len += parts[i] ? strlen(parts[i]) + 2 : 0;
	text = malloc(len + 1);
	if (!text)
		return NULL;
	end = text;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (!parts[i])
			continue;
		if (end != text)
			end = stpcpy(end, ": ");
		end = stpcpy(end, parts[i]);
	}
	*end = '\0';
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	return text;
}
