/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A json-c tree as YAML, which manifest_text.h reads back as the same tree.
 *
 * Only strings that no reader takes for anything else are plain: those of a
 * letter and then letters, digits and _ . / -, but for the words that YAML 1.1
 * has for booleans and null. All others are in double quotes.
 */
#ifndef KNP_YAML_WRITE_H
#define KNP_YAML_WRITE_H

#include <stdio.h>

struct json_object;

/*
 * Write one document, begun by "---". NULL is null. Return 0; -ENOMEM, also
 * for a text that is not UTF-8; -EIO if @out takes no more.
 */
int knp_yaml_write(FILE *out, struct json_object *doc);

#endif /* KNP_YAML_WRITE_H */
