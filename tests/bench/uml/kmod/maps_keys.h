/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Keys and values of the maps, in Cilium's layout and size: struct ipcache_key,
 * remote_endpoint_info, endpoint_key, policy_key, policy_entry of
 * bpf/lib/{common,eps,policy}.h.
 */
#ifndef MAPS_KEYS_H
#define MAPS_KEYS_H

#include <linux/types.h>

#define KB_FAMILY_V4		1
#define KB_FAMILY_V6		2
#define KB_IPCACHE_STATIC	32	/* bits before the address */
#define KB_POLICY_FULL		64	/* bits of a key that names a port */
#define KB_IDENTITY_WORLD	2
#define KB_IDENTITY_FIRST	256	/* of pods */

struct kb_ipcache_key {
	__u32 prefixlen;
	__u16 cluster;
	__u8 pad;
	__u8 family;
	__u8 ip[16];
};

struct kb_ipcache_value {
	__u32 identity;
	__u8 tunnel[16];
	__u16 pad;
	__u8 key;
	__u8 flags;
};

struct kb_endpoint_key {
	__u8 ip[16];
	__u8 family;
	__u8 key;
	__u16 cluster;
};

struct kb_policy_key {
	__u32 prefixlen;
	__u32 identity;
	__u8 egress;
	__u8 proto;
	__be16 dport;
};

struct kb_policy_value {
	__be16 proxy_port;
	__u8 deny;
	__u8 auth;
	__u32 precedence;
	__u32 cookie;
};

#endif /* MAPS_KEYS_H */
