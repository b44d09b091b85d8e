// SPDX-License-Identifier: Apache-2.0
/*
 * Arbitrary bytes as a packet: kmod/packet.c itself, with the stand-in for its
 * sk_buff of tests/skb.
 *
 * A walk over the bytes as one array, with nothing but their length in mind, finds
 * the same. How much of a packet is linear makes no difference, and of a packet
 * that is cut off nothing is read that is not there: it says the same as the
 * whole one, or that it is malformed.
 *
 * The first byte of an input chooses the family (4, 6), the second one how much
 * of what is behind the network header is linear, the third one the cut.
 */
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <linux/knp.h>
#include <linux/netfilter.h>

#include "packet.h"
#include "require.h"

#define OPTIONS	3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is known of a packet; all zero but @reason where that is not 0. */
struct found {
	uint32_t reason;
	uint32_t offset;
	uint16_t sport;
	uint16_t dport;
	uint8_t proto;
	bool has_port;
	bool first;
	bool ndp;
};

/* ---- the walk ---------------------------------------------------------------- */

static uint16_t two(const uint8_t *b)
{
	return (uint16_t)(b[0] << 8 | b[1]);
}

/* Behind the extension headers of IPv6; the fragment's offset, in bytes. */
static bool skip_extensions(const uint8_t *p, size_t n, size_t *at,
			    uint8_t *proto, unsigned int *fragment)
{
	for (;;) {
		size_t len;

		switch (*proto) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_DSTOPTS:
			if (n < *at + 2)
				return false;
			len = (p[*at + 1] + 1UL) << 3;
			break;
		case IPPROTO_ROUTING:
			if (n < *at + 4)
				return false;
			len = (p[*at + 1] + 1UL) << 3;
			break;
		case IPPROTO_AH:
			if (n < *at + 2)
				return false;
			len = (p[*at + 1] + 2UL) << 2;
			break;
		case IPPROTO_FRAGMENT:
			if (n < *at + 4)
				return false;
			*fragment = two(p + *at + 2) & ~7U;
			len = 8;
			break;
		default:
			return true;
		}
		*proto = p[*at];
		if (*fragment)
			return *proto != IPPROTO_HOPOPTS &&
			       *proto != IPPROTO_DSTOPTS &&
			       *proto != IPPROTO_ROUTING &&
			       *proto != IPPROTO_AH &&
			       *proto != IPPROTO_FRAGMENT;
		*at += len;
	}
}

static bool is_neighbours(uint8_t type)
{
	return (type >= 130 && type <= 133) || type == 135 || type == 136 ||
	       type == 143;
}

static void walk_transport(const uint8_t *p, size_t n, struct found *f)
{
	size_t needs = 0;

	if (f->proto == IPPROTO_TCP)
		needs = 20;
	else if (f->proto == IPPROTO_UDP || f->proto == IPPROTO_SCTP)
		needs = 4;
	if (needs && n < f->offset + needs) {
		*f = (struct found){ .reason = KNP_REASON_MALFORMED };
		return;
	}
	f->first = true;
	if (!needs)
		return;
	f->has_port = true;
	f->sport = two(p + f->offset);
	f->dport = two(p + f->offset + 2);
	/* SYN without ACK */
	if (f->proto == IPPROTO_TCP)
		f->first = (p[f->offset + 13] & 0x12) == 0x02;
}

static struct found walk(uint8_t pf, const uint8_t *p, size_t n)
{
	struct found f = { 0 };
	unsigned int fragment = 0;
	size_t at;

	if (pf == NFPROTO_IPV4) {
		f.proto = p[9];
		at = (p[0] & 0xf) * 4UL;
		fragment = two(p + 6) & 0x1fff;
	} else {
		f.proto = p[6];
		at = 40;
		if (!skip_extensions(p, n, &at, &f.proto, &fragment))
			return (struct found){
				.reason = KNP_REASON_MALFORMED,
			};
	}
	if (fragment)
		return (struct found){ .reason = KNP_REASON_FRAGMENT };
	f.offset = (uint32_t)at;
	walk_transport(p, n, &f);
	f.ndp = pf == NFPROTO_IPV6 && f.proto == IPPROTO_ICMPV6 &&
		n >= at + 8 && is_neighbours(p[at]);
	return f;
}

/* ---- the module ---------------------------------------------------------------- */

static const uint8_t *copy(const uint8_t *data, size_t n)
{
	uint8_t *p = malloc(n ? n : 1);

	require(p, "no memory");
	if (n)
		memcpy(p, data, n);
	return p;
}

static void check_header(const struct sk_buff *skb, uint8_t pf,
			 const uint8_t *p)
{
	struct knp_packet packet;
	struct knp_addr src;

	memset(&packet, 0xff, sizeof(packet));
	knp_packet_set_header(&packet, skb, pf);
	knp_packet_source(skb, pf, &src);
	require(!memcmp(&packet.flow.src, &src, sizeof(src)), "two sources");
	if (pf == NFPROTO_IPV4)
		require(packet.flow.family == KNP_V4 &&
			!memcmp(src.b, p + 12, 4) && !src.w[1] && !src.q[1] &&
			!memcmp(packet.flow.dst.b, p + 16, 4) &&
			packet.flow.proto == p[9], "another header");
	else
		require(packet.flow.family == KNP_V6 &&
			!memcmp(src.b, p + 8, 16) &&
			!memcmp(packet.flow.dst.b, p + 24, 16) &&
			packet.flow.proto == p[6], "another header");
	require(!packet.flow.has_port && !packet.flow.dport && !packet.reply &&
		!packet.tracked && !packet.verdict.pass, "of something else");
}

static struct found parse(const struct sk_buff *skb, uint8_t pf)
{
	struct knp_transport t = { 0 };
	struct knp_flow flow = { 0 };
	struct found f = { 0 };

	f.reason = knp_transport_parse(skb, pf, &flow, &t);
	f.ndp = knp_packet_is_ndp(skb, pf);
	if (f.reason) {
		require(!f.ndp && !flow.has_port && !flow.dport,
			"something of a packet that cannot be read");
		return f;
	}
	require(!knp_transport_find(skb, pf, &f.proto, &f.offset) &&
		f.proto == flow.proto, "two transport headers");
	f.sport = t.sport;
	f.first = t.first;
	f.dport = flow.dport;
	f.has_port = flow.has_port;
	return f;
}

static struct found ask(uint8_t pf, const uint8_t *p, size_t n, size_t linear)
{
	struct sk_buff skb = {
		.head = copy(p, linear),
		.rest = copy(p + linear, n - linear),
		.headlen = (unsigned int)linear,
		.len = (unsigned int)n,
	};
	struct found f;

	check_header(&skb, pf, p);
	f = parse(&skb, pf);
	free((void *)skb.head);
	free((void *)skb.rest);
	return f;
}

static bool same(const struct found *a, const struct found *b)
{
	return a->reason == b->reason && a->offset == b->offset &&
	       a->sport == b->sport && a->dport == b->dport &&
	       a->proto == b->proto && a->has_port == b->has_port &&
	       a->first == b->first && a->ndp == b->ndp;
}

/* What ip_rcv() and ip6_rcv() let pass: the header's bytes, 0 for none. */
static size_t header_len(uint8_t pf, const uint8_t *p, size_t n)
{
	size_t len;

	if (pf == NFPROTO_IPV6)
		return n >= 40 ? 40 : 0;
	if (n < 20)
		return 0;
	len = (p[0] & 0xf) * 4UL;
	return len >= 20 && len <= n ? len : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct found wanted, whole, part;
	const uint8_t *p = data + OPTIONS;
	size_t n, header, linear;
	uint8_t pf;

	if (size < OPTIONS)
		return 0;
	n = size - OPTIONS;
	pf = data[0] == '4' ? NFPROTO_IPV4 : NFPROTO_IPV6;
	header = header_len(pf, p, n);
	if (!header)
		return 0;

	wanted = walk(pf, p, n);
	whole = ask(pf, p, n, n);
	require(same(&wanted, &whole), "a walk finds something else");
	linear = header + data[1] % (n - header + 1);
	part = ask(pf, p, n, linear);
	require(same(&wanted, &part), "it matters how much is linear");

	n = header + data[2] % (n - header + 1);
	wanted = walk(pf, p, n);
	part = ask(pf, p, n, header);
	require(same(&wanted, &part), "a walk of a part finds something else");
	require(part.reason == KNP_REASON_MALFORMED || part.reason ==
		whole.reason, "a part says more than the whole");
	return 0;
}
