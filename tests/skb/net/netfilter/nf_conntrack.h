/* SPDX-License-Identifier: Apache-2.0 */
/* See ../../linux/skbuff.h: a connection's two tuples. */
#ifndef KNP_SKB_NET_NETFILTER_NF_CONNTRACK_H
#define KNP_SKB_NET_NETFILTER_NF_CONNTRACK_H

#include <linux/in6.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/skbuff.h>

struct nf_conntrack_tuple {
	struct {
		union {
			__be32 ip;
			struct in6_addr in6;
		} u3;
		union {
			__be16 all;
		} u;
	} src;
};

struct nf_conn {
	struct nf_conntrack_tuple tuple[IP_CT_DIR_MAX];
	u8 l3num;
	u8 protonum;
};

static inline const struct nf_conntrack_tuple *
nf_ct_tuple(const struct nf_conn *ct, enum ip_conntrack_dir dir)
{
	return &ct->tuple[dir];
}

static inline u8 nf_ct_l3num(const struct nf_conn *ct)
{
	return ct->l3num;
}

static inline u8 nf_ct_protonum(const struct nf_conn *ct)
{
	return ct->protonum;
}

#endif /* KNP_SKB_NET_NETFILTER_NF_CONNTRACK_H */
