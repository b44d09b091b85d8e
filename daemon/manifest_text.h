/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML and JSON text -> json-c trees. Private to manifest.c.
 *
 * Both take the text whole: on -EINVAL the documents before the error are not
 * to be used. *why is a reason to free(), or NULL.
 *
 * Plain YAML scalars follow the fork of go-yaml that kubectl uses, with one
 * exception: y and n are strings, as in YAML 1.2, because they are names that
 * people use and a boolean is nowhere meant.
 */
#ifndef KNP_MANIFEST_TEXT_H
#define KNP_MANIFEST_TEXT_H

#include <stddef.h>

struct json_object;

/*
 * Append every document to the array @docs. Return 0, -EINVAL or -ENOMEM.
 * @text must be followed by a NUL that @len does not count.
 */
int knp_yaml_parse(const char *text, size_t len, struct json_object *docs,
		   char **why);
int knp_json_parse(const char *text, size_t len, struct json_object *docs,
		   char **why);

#endif /* KNP_MANIFEST_TEXT_H */
