/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports by name: a (protocol, name) of a policy is a small number here, and
 * what it stands for is looked up on pods, each of which may mean another port
 * by it, several, or none. PURE.
 *
 * Numbers are never given back; there are as many as policies have used names.
 */
#ifndef KNP_PORT_NAMES_H
#define KNP_PORT_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "intern.h"
#include "store.h"

/** struct knp_port_name - a port by name */
struct knp_port_name {
	const char *name;	/* interned */
	uint8_t proto;
};

/** struct knp_port_of - a port name and a number that it stands for */
struct knp_port_of {
	uint32_t name;
	uint32_t port;
};

/** struct knp_port_names - the names seen so far; all zero is none */
struct knp_port_names {
	struct knp_recs v;		/* struct knp_port_name */
	struct knp_intern ids;
	struct knp_buf buf;
};

/* The number of a name. Return 0 or -ENOMEM. */
int knp_port_names_id(struct knp_port_names *names, uint8_t proto,
		      const char *name, uint32_t *ret);

/*
 * Append what a name stands for among some container ports to @ret, an array
 * of struct knp_port_of. Not sorted. Return 0 or -ENOMEM.
 */
int knp_port_names_resolve(const struct knp_port_names *names, uint32_t name,
			   const struct knp_cport *ports, size_t nports,
			   struct knp_recs *ret);

/* Sort an array of struct knp_port_of and drop what is double. */
void knp_port_names_sort(struct knp_recs *ports);

/*
 * Write an array of struct knp_port_of in an order that does not depend on the
 * numbers of names. Return 0 or -ENOMEM.
 */
int knp_port_names_write(const struct knp_port_names *names, struct knp_buf *b,
			 const struct knp_port_of *ports, size_t n);

void knp_port_names_clear(struct knp_port_names *names);

#endif /* KNP_PORT_NAMES_H */
