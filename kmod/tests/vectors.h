/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The test vectors as data: what tests/kunit/gen_vectors.c writes and
 * vectors_test.c reads. An array of bytes that holds items one after the other,
 * each beginning at a multiple of 8 and followed by its @len bytes.
 */
#ifndef KNP_TESTS_VECTORS_H
#define KNP_TESTS_VECTORS_H

#include <linux/types.h>
#include <linux/knp.h>

/**
 * enum knp_vector_kind - what an item is
 * @KNP_VECTOR_END: there are no more
 * @KNP_VECTOR_BEGIN: a vector begins, with empty tables; its name
 * @KNP_VECTOR_STEP: a step begins; its title
 * @KNP_VECTOR_PUT: records for the tables
 * @KNP_VECTOR_DELETE: records that leave them
 * @KNP_VECTOR_ASK: a struct knp_vector_ask about the tables
 *
 * Names end with a NUL.
 */
enum knp_vector_kind {
	KNP_VECTOR_END,
	KNP_VECTOR_BEGIN,
	KNP_VECTOR_STEP,
	KNP_VECTOR_PUT,
	KNP_VECTOR_DELETE,
	KNP_VECTOR_ASK,
};

/**
 * struct knp_vector_item - the head of an item
 * @kind: enum knp_vector_kind
 * @table: enum knp_table, of records
 * @len: of what follows, the bytes up to the next item left out
 */
struct knp_vector_item {
	__u16 kind;
	__u16 table;
	__u32 len;
};

/**
 * struct knp_vector_ask - a connection, and what is expected
 * @src: address that opens it
 * @dst: address that is called
 * @port: destination port, host byte order
 * @family: AF_INET or AF_INET6
 * @proto: IP protocol
 * @pass: whether it passes
 * @more: with the next one it is one question: whether both pass
 * @pad: 0
 */
struct knp_vector_ask {
	__u8 src[KNP_ADDR_LEN];
	__u8 dst[KNP_ADDR_LEN];
	__u16 port;
	__u8 family;
	__u8 proto;
	__u8 pass;
	__u8 more;
	__u8 pad[2];
};

#endif /* KNP_TESTS_VECTORS_H */
