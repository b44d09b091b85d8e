/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML and JSON text -> json-c trees. For manifest.c, and for what else is read
 * in these forms: kubeconfigs, and what an API server sends.
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

/*
 * Containers within each other in what a server sends: as the API server bounds
 * them, because managedFields are of any shape, and whoever makes an object could
 * stop the watch of all of them with one that is not read.
 */
#define KNP_JSON_DEPTH_MAX	10000

/*
 * Read one JSON text, as an API server sends it: strings may hold a NUL, since
 * whoever makes an object may put one into an annotation, and what follows the
 * text must be white space. @text must be followed by a NUL that @len does not
 * count. Return 0, -EINVAL or -ENOMEM; the caller puts @ret.
 */
int knp_json_parse_one(const char *text, size_t len, struct json_object **ret,
		       char **why);

#endif /* KNP_MANIFEST_TEXT_H */
