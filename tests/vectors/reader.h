/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads what tests/vectors/export writes, for programs. Their input is this
 * tree's own: a mistake in it ends the program.
 */
#ifndef KNP_VECTORS_READER_H
#define KNP_VECTORS_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/knp.h>

/** struct vector_pair - two addresses of one family */
struct vector_pair {
	uint8_t family;		/* AF_INET or AF_INET6 */
	uint8_t src[KNP_ADDR_LEN];
	uint8_t dst[KNP_ADDR_LEN];
};

/**
 * struct vector_ask - a question
 * @allow: all pairs pass; else not all of them
 * @side: "egress", "ingress" or "-"
 * @words: what the verdict of @side names, separated by commas, or "-"
 */
struct vector_ask {
	bool allow;
	uint8_t proto;
	uint16_t port;
	char side[16];
	char words[256];
	struct vector_pair pairs[8];
	size_t n;
};

/** struct vector_ops - what the reader tells; texts are its own */
struct vector_ops {
	void (*step)(void *arg, const char *title, const char *objects,
		     size_t len);
	void (*ask)(void *arg, const struct vector_ask *ask);
};

/* Read a file to its end. */
void vectors_read(const char *path, const struct vector_ops *ops, void *arg);

/* End the program with a message. */
_Noreturn void vectors_die(const char *what, const char *why);

#endif /* KNP_VECTORS_READER_H */
