/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults: what a source refused, where, and why. One fault is one line of a
 * log and concerns one object or one file; everything else goes on.
 *
 * Ownership: the list owns its strings. An all-zero struct knp_faults is an
 * empty list.
 */
#ifndef KNP_FAULTS_H
#define KNP_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct knp_fault - one refusal; any member but @reason may be NULL
 * @file: path as the user gave it, or the file's name
 * @object: "NetworkPolicy ns/name", as far as it is known
 * @field: "spec.ingress[0].ports[1].endPort"
 * @reason: what is wrong, one line
 */
struct knp_fault {
	char *file;
	char *object;
	char *field;
	char *reason;
};

/** struct knp_faults - a list of them, in the order in which they were found */
struct knp_faults {
	struct knp_fault *v;
	size_t n;
};

/**
 * knp_faults_add() - append one fault
 * @faults: the list; NULL discards the fault
 * @file: copied, may be NULL
 * @object: copied, may be NULL
 * @field: copied, may be NULL
 * @fmt: printf format of the reason
 *
 * Return: 0 or -ENOMEM; the list is unchanged on failure.
 */
int knp_faults_add(struct knp_faults *faults, const char *file,
		   const char *object, const char *field, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/*
 * Move the faults of @from to the end of @faults; @from is empty afterwards.
 * Return 0, or -ENOMEM with nothing changed.
 */
int knp_faults_move(struct knp_faults *faults, struct knp_faults *from);

/*
 * Free the faults of one file: all, or only those that concern the file itself
 * and no object. Return how many.
 */
size_t knp_faults_drop(struct knp_faults *faults, const char *file,
		       bool objects);

/* Free the faults of one file that concern one object. Return how many. */
size_t knp_faults_drop_object(struct knp_faults *faults, const char *file,
			      const char *object);

/* How many objects they are about; those of one object stand side by side. */
size_t knp_faults_objects(const struct knp_faults *faults);

/* Whether a fault that says the same is in the list. */
bool knp_faults_has(const struct knp_faults *faults,
		    const struct knp_fault *fault);

/* Free all faults; the list is empty afterwards. Accepts NULL. */
void knp_faults_clear(struct knp_faults *faults);

/**
 * knp_fault_format() - a fault as one line
 * @fault: the fault
 *
 * "pods.yaml: NetworkPolicy x/p: spec.ingress[0].from[1]: reason", without the
 * parts that are NULL. Control characters are replaced by "?", so that a
 * manifest cannot forge log lines.
 *
 * Return: a string to free(), NULL if out of memory.
 */
char *knp_fault_format(const struct knp_fault *fault);

#endif /* KNP_FAULTS_H */
