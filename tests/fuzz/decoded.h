/* SPDX-License-Identifier: Apache-2.0 */
/* What decoders made of a text, compared and checked; all of it aborts. */
#ifndef KNP_FUZZ_DECODED_H
#define KNP_FUZZ_DECODED_H

#include <stddef.h>

#include "decode.h"

/* Both are the same, in the same order. */
void decoded_require_same(const struct knp_objects *a,
			  const struct knp_objects *b);
void faults_require_same(const struct knp_faults *a,
			 const struct knp_faults *b);

/*
 * Each object has a name, and what is refused is no more than its remains; there
 * is a fault exactly where something was refused, and each fits on one line.
 */
void decoded_require_sound(const struct knp_objects *objects,
			   const struct knp_faults *faults);

/* @text with a NUL and the padding behind it, to free(). */
char *padded_copy(const void *text, size_t len);

#endif /* KNP_FUZZ_DECODED_H */
