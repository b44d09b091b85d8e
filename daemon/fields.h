/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the fields of one JSON object, with the path to the field at hand,
 * so that every refusal names it. Private to decode*.c.
 *
 * The getters return 1 if the field is there, 0 if it is absent or null, and
 * -errno once the object is refused (-EINVAL, the fault is recorded) or memory
 * ran out. Whoever gets a negative number passes it up.
 *
 * Strings with an embedded NUL are refused: they would be cut, and a cut name
 * is another name.
 *
 * A refusal need not be the end of the object: whoever knows how to do without
 * the part that was refused goes back to its path by knp_fields_leave(), and
 * on. What that means is said by @effect; that something was refused at all,
 * by @nfaults.
 */
#ifndef KNP_FIELDS_H
#define KNP_FIELDS_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "faults.h"

/* More faults than these of one object are counted, but not recorded. */
#define KNP_FIELDS_FAULTS_MAX	16

/**
 * struct knp_fields - a walk through one object
 * @file: for faults, may be NULL
 * @object: for faults, may be NULL
 * @faults: may be NULL
 * @nfaults: how often something was refused
 * @effect: what follows from a refusal here, for its reason; may be NULL
 * @path: "spec.ingress[0]", cut if it is too long
 * @len: bytes of @path
 */
struct knp_fields {
	const char *file;
	const char *object;
	struct knp_faults *faults;
	size_t nfaults;
	const char *effect;
	char path[512];
	size_t len;
};

/*
 * Go down to a field, an element of a list, or the value of a map; each
 * returns what knp_fields_leave() needs to come back.
 */
size_t knp_fields_enter(struct knp_fields *f, const char *name);
size_t knp_fields_enter_item(struct knp_fields *f, size_t index);
size_t knp_fields_enter_key(struct knp_fields *f, const char *key);
void knp_fields_leave(struct knp_fields *f, size_t mark);

/* Record a fault at the current path. Return -EINVAL, or -ENOMEM. */
int knp_fields_refuse(struct knp_fields *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* As above, at a field below the current path. */
int knp_fields_refuse_at(struct knp_fields *f, const char *name,
			 const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A field of a given type, borrowed. */
int knp_fields_get(struct knp_fields *f, struct json_object *obj,
		   const char *name, enum json_type type,
		   struct json_object **ret);

/* A string, borrowed. */
int knp_fields_get_string(struct knp_fields *f, struct json_object *obj,
			  const char *name, const char **ret);

/* A string, copied; a copy of @dflt if it is not there. Return 0 or -errno. */
int knp_fields_dup(struct knp_fields *f, struct json_object *obj,
		   const char *name, const char *dflt, char **ret);

/* The same, interned (strings.h). */
int knp_fields_intern(struct knp_fields *f, struct json_object *obj,
		      const char *name, const char *dflt, const char **ret);

/* A boolean; false if it is not there. Return 0 or -errno. */
int knp_fields_get_bool(struct knp_fields *f, struct json_object *obj,
			const char *name, bool *ret);

/* A port number, 1 .. 65535. */
int knp_fields_get_port(struct knp_fields *f, struct json_object *obj,
			const char *name, uint16_t *ret);

/* "TCP", "UDP" or "SCTP"; IPPROTO_TCP if it is not there. 0 or -errno. */
int knp_fields_get_protocol(struct knp_fields *f, struct json_object *obj,
			    uint8_t *ret);

/* That @value, at the current path, has a type. Return 0 or -errno. */
int knp_fields_expect(struct knp_fields *f, struct json_object *value,
		      enum json_type type);

/* As above, and the text, borrowed. */
int knp_fields_expect_string(struct knp_fields *f, struct json_object *value,
			     const char **ret);

/* That @obj has no fields but those of the NULL-terminated list. */
int knp_fields_only(struct knp_fields *f, struct json_object *obj,
		    const char *const *names);

/*
 * A list field: allocate an array of zeroed elements of @size for it, and
 * decode each. @decode may return KNP_FIELDS_SKIP for an element that is to be
 * left out, and holds nothing any more. @n counts the elements begun and not
 * left out, so that the owner's destructor frees them also after a failure.
 * Return 0 (@n is 0 if the list is absent, null or empty) or -errno.
 */
#define KNP_FIELDS_SKIP	1

int knp_fields_list(struct knp_fields *f, struct json_object *obj,
		    const char *name, size_t size, void **array, size_t *n,
		    int (*decode)(struct knp_fields *f,
				  struct json_object *item, void *element));

/* How many elements a list field has; 0 if it is no list. */
size_t knp_fields_count(struct json_object *obj, const char *name);

#endif /* KNP_FIELDS_H */
