/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding Pods. Private to decode*.c; the rules are in decode.h. */
#ifndef KNP_DECODE_POD_H
#define KNP_DECODE_POD_H

#include "decode.h"
#include "fields.h"

/*
 * The Pod @obj with the metadata @meta, named by @ret, whose pod is set.
 * Return 0 or -errno.
 */
int knp_decode_pod(struct knp_fields *f, struct json_object *obj,
		   struct json_object *meta, struct knp_object *ret);

#endif /* KNP_DECODE_POD_H */
