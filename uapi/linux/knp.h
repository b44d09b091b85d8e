/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR MIT) */
/*
 * knp: Kubernetes NetworkPolicy in the kernel. The contract between knp.ko
 * and everything that talks to it.
 *
 * Transport
 * ---------
 * Generic netlink, family "knp", family version 1. The ABI has a number of its
 * own, KNP_ABI_VERSION, reported by INFO; a client that was built for another
 * number must not write.
 *
 * Every command needs CAP_NET_ADMIN in the initial user namespace, dumps
 * included (a policy is not public). Tables, hooks and configuration belong to
 * the network namespace of the socket that sends the command.
 *
 * Messages are validated strictly: an unknown attribute, a wrong length, a
 * missing attribute or a reserved member that is not zero is refused with
 * -EINVAL, a value outside the range of its attribute (and a byte string of
 * another length than its attribute's) with -ERANGE. Every refusal carries an
 * extack text, and where one attribute is to blame its offset. A message of a
 * dump is at most 32 KiB long.
 *
 * The objects
 * -----------
 * Addresses are 16 bytes in network byte order; IPv4 occupies the first four
 * and the other twelve are zero. All other integers are in host byte order.
 * Ids are chosen by the client, 1 .. limit (see INFO); id 0 is reserved and
 * means what each record below says.
 *
 *   rule      a name for counters and events: id and tag
 *   portset   (protocol, port range) -> rule; the empty answer denies
 *   class     an equivalence class of peers: id and tag
 *   set       what selects an endpoint in one direction (a policy set);
 *             holds one row: class -> portset
 *   row       one entry of that row
 *   peer      address -> class
 *   cidr      prefix -> class, longest prefix wins, consulted when no peer
 *             record exists for the address
 *   endpoint  address -> egress set, ingress set
 *   iface     interface index -> role
 *   binding   address -> the interface behind which it is
 *
 * A tag is 16 bytes that only the client understands. The kernel returns it,
 * so that a restarted client recognises its own objects.
 *
 * A connection src -> dst passes when both hold:
 *   - src is no endpoint, or its egress set is 0, or the egress set's row
 *     allows (class of dst, protocol, port);
 *   - dst is no endpoint, or its ingress set is 0, or the ingress set's row
 *     allows (class of src, protocol, port).
 * src == dst always passes. An address in neither peer nor cidr is class 0.
 *
 * Before that, what comes in by an interface of role pod is dropped if
 *   - its source is an endpoint that is bound to another interface, or what is
 *     no pod's: loopback, multicast, unspecified (but for what finds neighbours
 *     and duplicates), IPv4 in IPv6, an address of the node, 168.63.129.16;
 *   - it says by ARP or a neighbour advertisement that it has such an endpoint's
 *     address, or the node's;
 *   - it is an ICMP redirect, or an advertisement of a router;
 *   - ENCAP is drop, and it is a packet in a packet (IP protocols 4, 41 and 47,
 *     UDP ports 4754, 4789, 6081 and 8472) for an address of the node, a group,
 *     all, or the routers of a network.
 * An ICMP error about a connection none of whose ends is behind its interface
 * is dropped, too.
 *
 * Transactions
 * ------------
 * BEGIN opens the only transaction of the namespace, PUT and DELETE change its
 * private copy of the tables, COMMIT publishes the copy as the next generation
 * in one step, ABORT or closing the socket forgets it. Packets and dumps see a
 * generation whole or not at all.
 *
 * What a record refers to must exist when it is put, and nothing may refer to
 * what is deleted. The order that works for any difference is: put rules,
 * portsets, classes, sets, rows, peers, cidrs, endpoints, then delete in
 * reverse. Interfaces and bindings refer to nothing.
 *
 * A refused PUT or DELETE fails the whole transaction: its copy is released at
 * once, and PUT, DELETE and COMMIT answer -ECANCELED until COMMIT, ABORT or
 * BEGIN by the same socket ends it.
 *
 * Commands
 * --------
 * KNP_CMD_INFO (do; also the notification of the group "commits", sent after
 * every COMMIT, ATTACH, DETACH and CONFIG that changed something)
 *   request: no attributes.
 *   reply: ABI_VERSION, MODULE_VERSION, INSTANCE, GENERATION, COMMIT_TIME,
 *     FAMILIES, MODE, DEFAULT, UNKNOWN_LOCAL, EVENT_RATE, TXN_PORTID (absent:
 *     no transaction is open), TABLE_INFO, ENCAP, NODE_EGRESS, LB_PROBES,
 *     NODE_ALLOW, MEMORY.
 *
 * KNP_CMD_ATTACH (do)
 *   FAMILIES  required, at least one bit of KNP_FAMILY_*. Registers the hooks
 *             of those families that have none yet. BRIDGE judges frames
 *             between ports of bridges where br_netfilter does not show them
 *             to IPV4 and IPV6, and needs nf_conntrack_bridge.
 *   errors: -EOPNOTSUPP the kernel lacks the family; -ENOMEM; others as
 *     conntrack refuses. On an error nothing has changed.
 *
 * KNP_CMD_DETACH (do)
 *   FAMILIES  optional, absent: all. Removes those hooks. The tables stay.
 *
 * KNP_CMD_BEGIN (do)
 *   GENERATION  required: the generation the client's difference starts from.
 *   errors: -ESTALE it is not the current one; -EBUSY another socket has a
 *     transaction open; -ENOMEM. A second BEGIN by the same socket restarts
 *     its transaction; where it is refused, what the first had begun is gone.
 *
 * KNP_CMD_PUT (do)
 *   TABLE    required, enum knp_table.
 *   RECORDS  required, an array of that table's records, at least one. A
 *            record replaces the one with the same key.
 *   errors: -ENOENT no transaction of this socket, or a record refers to
 *     something that does not exist; -EINVAL a record is malformed; -E2BIG a
 *     limit would be passed; -ENOMEM; -ECANCELED an earlier PUT or DELETE of
 *     this transaction failed.
 *
 * KNP_CMD_DELETE (do)
 *   TABLE, RECORDS as in PUT; only the members marked "key" are read, the
 *     others are ignored, and a portset record stands without its ports.
 *     Deleting a set deletes its row.
 *   errors: -ENOENT no such record, or no transaction; -EBUSY something still
 *     refers to it; -EINVAL; -ENOMEM; -ECANCELED.
 *
 * KNP_CMD_COMMIT (do)
 *   COUNT  required: the number of records put and deleted since BEGIN.
 *   reply: GENERATION, the new one.
 *   errors: -ENOENT no transaction; -EBADMSG COUNT differs, a message was
 *     lost; -ENOMEM; -ECANCELED. On an error the transaction is over (but where
 *     the message itself is malformed) and the published generation unchanged.
 *
 * KNP_CMD_ABORT (do)
 *   no attributes. errors: -ENOENT no transaction of this socket.
 *
 * KNP_CMD_GET (dump)
 *   TABLE  optional, absent: all tables, in the order of enum knp_table.
 *   reply messages: GENERATION, TABLE, RECORDS. All come from one generation,
 *     pinned when the dump starts. A table without records sends no message.
 *     A namespace that has committed nothing answers an empty dump.
 *   errors: -EBUSY too many dumps are open.
 *
 * KNP_CMD_CONFIG (do)
 *   MODE, DEFAULT, UNKNOWN_LOCAL, EVENT_RATE, ENCAP, NODE_EGRESS, LB_PROBES,
 *   NODE_ALLOW: each optional, absent: unchanged; at least one.
 *   errors: -EINVAL a setting or an entry of NODE_ALLOW is malformed; -E2BIG
 *     it has more than KNP_NODE_ALLOW_MAX; -ENOMEM. On an error nothing has
 *     changed.
 *
 * KNP_CMD_EXPLAIN (do)
 *   FAMILY  required, AF_INET or AF_INET6.
 *   SRC, DST  required, 16 bytes each.
 *   PROTO   required, IP protocol number 1 .. 255.
 *   PORT    destination port; required for TCP, UDP and SCTP, refused for
 *           others.
 *   reply: GENERATION, VERDICT, REASON, EGRESS, INGRESS. The verdict comes
 *     from the code that judges packets; the exemptions that depend on how a
 *     packet came (generated by the node, answers to the node) do not apply.
 *   errors: -ENODATA nothing has been committed.
 *
 * KNP_CMD_COUNTERS (dump)
 *   reply messages: REASON_COUNTERS, RULE_COUNTERS (what a rule allowed),
 *     SET_COUNTERS (what a set denied; a packet that both sides deny counts for
 *     both). Each message has one of them, the first that of reasons; rules and
 *     sets that were never hit are left out.
 *
 * KNP_CMD_EVENT (notification of the group "events")
 *   a packet that was dropped, or that would have been in mode audit:
 *   GENERATION, TIME, MODE, REASON, FAMILY, SRC, DST, PROTO, PORT (where the
 *   protocol has one), IIF, OIF (absent: none), EGRESS, INGRESS (absent: not
 *   judged), LOST. SRC and DST are the policy tuple: before source NAT, after
 *   destination NAT; of ARP, whose PROTO is 0, its sender and target. FAMILY,
 *   SRC, DST and PROTO are absent where the packet has none (L2PROTO).
 *
 * Joining a group needs CAP_NET_ADMIN over the network namespace.
 */
#ifndef _UAPI_LINUX_KNP_H
#define _UAPI_LINUX_KNP_H

#include <linux/types.h>

#define KNP_GENL_NAME		"knp"
#define KNP_GENL_VERSION	1
#define KNP_ABI_VERSION		2

#define KNP_MCGRP_EVENTS	"events"
#define KNP_MCGRP_COMMITS	"commits"

#define KNP_TAG_LEN		16
#define KNP_ADDR_LEN		16

/* enum knp_cmd - commands, see the manual above */
enum knp_cmd {
	KNP_CMD_UNSPEC,
	KNP_CMD_INFO,
	KNP_CMD_ATTACH,
	KNP_CMD_DETACH,
	KNP_CMD_BEGIN,
	KNP_CMD_PUT,
	KNP_CMD_DELETE,
	KNP_CMD_COMMIT,
	KNP_CMD_ABORT,
	KNP_CMD_GET,
	KNP_CMD_CONFIG,
	KNP_CMD_EXPLAIN,
	KNP_CMD_COUNTERS,
	KNP_CMD_EVENT,
	__KNP_CMD_MAX,
};

#define KNP_CMD_MAX (__KNP_CMD_MAX - 1)

/* enum knp_attr - top-level attributes */
enum knp_attr {
	KNP_A_UNSPEC,
	KNP_A_PAD,
	KNP_A_ABI_VERSION,	/* u32 */
	KNP_A_MODULE_VERSION,	/* string */
	KNP_A_INSTANCE,		/* u64, random per namespace and module load */
	KNP_A_GENERATION,	/* u64, 0: nothing was committed yet */
	KNP_A_COMMIT_TIME,	/* u64, ns since the epoch, of GENERATION */
	KNP_A_FAMILIES,		/* u32, KNP_FAMILY_* */
	KNP_A_MODE,		/* u8, enum knp_mode */
	KNP_A_DEFAULT,		/* u8, enum knp_action */
	KNP_A_UNKNOWN_LOCAL,	/* u8, enum knp_action */
	KNP_A_EVENT_RATE,	/* u32, events per second and CPU, 0: none */
	KNP_A_TXN_PORTID,	/* u32, netlink port of the open transaction */
	KNP_A_TABLE_INFO,	/* struct knp_table_info[] */
	KNP_A_TABLE,		/* u32, enum knp_table */
	KNP_A_RECORDS,		/* record[], by KNP_A_TABLE */
	KNP_A_COUNT,		/* u64 */
	KNP_A_FAMILY,		/* u8, AF_INET or AF_INET6 */
	KNP_A_SRC,		/* 16 bytes */
	KNP_A_DST,		/* 16 bytes */
	KNP_A_PROTO,		/* u8, 1 .. 255 */
	KNP_A_PORT,		/* u16, host byte order */
	KNP_A_VERDICT,		/* u8, enum knp_action */
	KNP_A_REASON,		/* u32, enum knp_reason */
	KNP_A_EGRESS,		/* nest, enum knp_side_attr */
	KNP_A_INGRESS,		/* nest, enum knp_side_attr */
	KNP_A_REASON_COUNTERS,	/* struct knp_counter[], id: enum knp_reason */
	KNP_A_RULE_COUNTERS,	/* struct knp_counter[], id: rule */
	KNP_A_TIME,		/* u64, ns since the epoch */
	KNP_A_IIF,		/* u32, interface index */
	KNP_A_OIF,		/* u32, interface index */
	KNP_A_LOST,		/* u64, events not sent since the module was loaded */
	KNP_A_ENCAP,		/* u8, enum knp_action */
	KNP_A_NODE_EGRESS,	/* u8, enum knp_action */
	KNP_A_LB_PROBES,	/* u8, enum knp_action */
	KNP_A_NODE_ALLOW,	/* struct knp_node_allow[], may be empty */
	KNP_A_SET_COUNTERS,	/* struct knp_counter[], id: set */
	KNP_A_MEMORY,		/* u64, bytes that tables take, of all namespaces */
				/* and of generations that are going */
	__KNP_A_MAX,
};

#define KNP_A_MAX (__KNP_A_MAX - 1)

/*
 * enum knp_side_attr - one side of a verdict
 *
 * Present for the sides that were judged: the address is an endpoint and
 * isolated in that direction. RULE and RULE_TAG are there if it allowed.
 * Tags are sent by EXPLAIN, not by EVENT.
 */
enum knp_side_attr {
	KNP_SIDE_A_UNSPEC,
	KNP_SIDE_A_PAD,
	KNP_SIDE_A_VERDICT,	/* u8, enum knp_action */
	KNP_SIDE_A_SET,		/* u32 */
	KNP_SIDE_A_SET_TAG,	/* 16 bytes */
	KNP_SIDE_A_CLASS,	/* u32, 0: the address is in no class */
	KNP_SIDE_A_CLASS_TAG,	/* 16 bytes, absent for class 0 */
	KNP_SIDE_A_PORTSET,	/* u32, 0: the empty one */
	KNP_SIDE_A_PORTSET_TAG,	/* 16 bytes, absent for portset 0 */
	KNP_SIDE_A_RULE,	/* u32 */
	KNP_SIDE_A_RULE_TAG,	/* 16 bytes */
	__KNP_SIDE_A_MAX,
};

#define KNP_SIDE_A_MAX (__KNP_SIDE_A_MAX - 1)

#define KNP_FAMILY_IPV4		(1U << 0)
#define KNP_FAMILY_IPV6		(1U << 1)
#define KNP_FAMILY_BRIDGE	(1U << 2)
#define KNP_FAMILY_ALL		(KNP_FAMILY_IPV4 | KNP_FAMILY_IPV6)
#define KNP_FAMILY_MASK		(KNP_FAMILY_ALL | KNP_FAMILY_BRIDGE)

/**
 * enum knp_mode - what a drop verdict does
 * @KNP_MODE_ENFORCE: the packet is dropped
 * @KNP_MODE_AUDIT: the packet is counted and reported as dropped, and passes
 */
enum knp_mode {
	KNP_MODE_ENFORCE,
	KNP_MODE_AUDIT,
};

/**
 * enum knp_action - a verdict, or the setting of a default
 * @KNP_PASS: pass
 * @KNP_DROP: drop
 *
 * DEFAULT (initially pass) judges forwarded packets between ATTACH and the
 * first COMMIT. UNKNOWN_LOCAL (initially pass) judges an address behind an
 * interface of role pod that is no endpoint; one of the link (fe80::/10) is judged
 * as if it were drop, but to the node where NODE_EGRESS is pass. ENCAP (initially drop) judges
 * packets in packets that a pod sends to the node. NODE_EGRESS
 * (initially pass, as the API promises) judges what a pod sends to the node it
 * runs on, its egress set denies, and NODE_ALLOW does not name. LB_PROBES
 * (initially drop) judges what Azure's load balancer sends to pods (from
 * 168.63.129.16) and their ingress sets deny.
 */
enum knp_action {
	KNP_PASS,
	KNP_DROP,
};

/* enum knp_table - tables, in the order in which they may be filled */
enum knp_table {
	KNP_TABLE_UNSPEC,
	KNP_TABLE_RULE,		/* struct knp_rec_rule */
	KNP_TABLE_PORTSET,	/* struct knp_rec_portset and its ports */
	KNP_TABLE_CLASS,	/* struct knp_rec_class */
	KNP_TABLE_SET,		/* struct knp_rec_set */
	KNP_TABLE_ROW,		/* struct knp_rec_row */
	KNP_TABLE_PEER,		/* struct knp_rec_peer */
	KNP_TABLE_CIDR,		/* struct knp_rec_cidr */
	KNP_TABLE_ENDPOINT,	/* struct knp_rec_endpoint */
	KNP_TABLE_IFACE,	/* struct knp_rec_iface */
	KNP_TABLE_BINDING,	/* struct knp_rec_binding */
	__KNP_TABLE_MAX,
};

#define KNP_TABLE_MAX (__KNP_TABLE_MAX - 1)

/*
 * enum knp_reason - why a packet passed or was dropped
 *
 * Those up to KNP_REASON_PASS_LAST passed, the others were dropped (in mode
 * audit: would have been).
 */
enum knp_reason {
	KNP_REASON_UNSPEC,
	KNP_REASON_NOT_ISOLATED, /* neither side is isolated by a policy */
	KNP_REASON_ALLOWED,	/* every isolated side allows */
	KNP_REASON_SELF,	/* source and destination are one address */
	KNP_REASON_NODE,	/* generated by this node, or an answer to it, */
				/* or by NODE_EGRESS, NODE_ALLOW, LB_PROBES */
	KNP_REASON_NDP,		/* neighbour discovery with the node */
	KNP_REASON_DEFAULT_PASS, /* no generation yet, DEFAULT is pass */
	KNP_REASON_EGRESS,	/* the source's egress set does not allow */
	KNP_REASON_INGRESS,	/* the destination's ingress set does not allow */
	KNP_REASON_DEFAULT_DROP, /* no generation yet, DEFAULT is drop */
	KNP_REASON_UNKNOWN_LOCAL, /* UNKNOWN_LOCAL is drop, or fe80::/10 */
	KNP_REASON_FRAGMENT,	/* a fragment without ports, side isolated */
	KNP_REASON_MALFORMED,	/* headers cannot be parsed, side isolated */
	KNP_REASON_CT_INVALID,	/* no connection, not untracked, side isolated */
	KNP_REASON_SPOOF,	/* a source that is not behind its interface */
	KNP_REASON_ROUTER,	/* of a pod, what only routers may say */
	KNP_REASON_ENCAP,	/* of a pod, a packet in a packet for the node */
	KNP_REASON_L2PROTO,	/* a frame that a pod's port of a bridge does not */
				/* carry: tagged, or neither sound IP nor ARP */
	__KNP_REASON_MAX,
};

#define KNP_REASON_MAX (__KNP_REASON_MAX - 1)
#define KNP_REASON_PASS_LAST KNP_REASON_DEFAULT_PASS

/* enum knp_direction - the side of a connection that a set judges */
enum knp_direction {
	KNP_EGRESS = 1,
	KNP_INGRESS,
};

/* enum knp_role - what is behind an interface */
enum knp_role {
	KNP_ROLE_OTHER,
	KNP_ROLE_POD,
	KNP_ROLE_UPLINK,
};

/* struct knp_rec_rule - a policy rule's name */
struct knp_rec_rule {
	__u32 id;			/* key, 1 .. limit */
	__u8 tag[KNP_TAG_LEN];
};

/*
 * struct knp_rec_port - one entry of a portset
 *
 * Entries stand in ascending order of (proto, lo) and do not overlap within
 * one protocol. A connection matches the entry of its own protocol that holds
 * its port, else the entry of protocol 0.
 */
struct knp_rec_port {
	__u32 rule;			/* an existing rule */
	__u16 lo;			/* lo <= hi; protocols other than */
	__u16 hi;			/* TCP, UDP, SCTP: 0 and 65535 */
	__u8 proto;			/* IP protocol, 0: any */
	__u8 pad[3];			/* 0 */
};

/* struct knp_rec_portset - a port set, followed by nports knp_rec_port */
struct knp_rec_portset {
	__u32 id;			/* key, 1 .. limit */
	__u32 nports;			/* 0 .. KNP_PORTS_MAX */
	__u8 tag[KNP_TAG_LEN];
};

/* struct knp_rec_class - a class of peers */
struct knp_rec_class {
	__u32 id;			/* key, 1 .. limit */
	__u8 tag[KNP_TAG_LEN];
};

/* struct knp_rec_set - a policy set */
struct knp_rec_set {
	__u32 id;			/* key, 1 .. limit */
	__u32 dflt;			/* portset of classes without a row */
					/* entry, 0: deny */
	__u8 direction;			/* enum knp_direction, never changes */
	__u8 pad[3];			/* 0 */
	__u8 tag[KNP_TAG_LEN];
};

/* struct knp_rec_row - what a set allows one class */
struct knp_rec_row {
	__u32 set;			/* key, an existing set */
	__u32 class_id;			/* key, an existing class */
	__u32 portset;			/* an existing portset, never 0 */
};

/* struct knp_rec_peer - the class of one address */
struct knp_rec_peer {
	__u8 addr[KNP_ADDR_LEN];	/* key */
	__u8 family;			/* key, AF_INET or AF_INET6 */
	__u8 pad[3];			/* 0 */
	__u32 class_id;			/* an existing class */
};

/* struct knp_rec_cidr - the class of a prefix */
struct knp_rec_cidr {
	__u8 addr[KNP_ADDR_LEN];	/* key, host bits zero */
	__u8 family;			/* key, AF_INET or AF_INET6 */
	__u8 prefixlen;			/* key, 0 .. 32 or 0 .. 128 */
	__u8 pad[2];			/* 0 */
	__u32 class_id;			/* an existing class, or 0 */
};

/* struct knp_rec_endpoint - a local address and the sets that judge it */
struct knp_rec_endpoint {
	__u8 addr[KNP_ADDR_LEN];	/* key */
	__u8 family;			/* key, AF_INET or AF_INET6 */
	__u8 pad[3];			/* 0 */
	__u32 egress_set;		/* of that direction, 0: not isolated */
	__u32 ingress_set;		/* of that direction, 0: not isolated */
};

/* struct knp_rec_iface - the role of an interface */
struct knp_rec_iface {
	__u32 ifindex;			/* key, 1 .. 2^31 - 1 */
	__u8 role;			/* enum knp_role */
	__u8 pad[3];			/* 0 */
};

/*
 * struct knp_rec_binding - the interface behind which an address is
 *
 * It counts while the address is an endpoint; the interface need not be known.
 */
struct knp_rec_binding {
	__u8 addr[KNP_ADDR_LEN];	/* key */
	__u8 family;			/* key, AF_INET or AF_INET6 */
	__u8 pad[3];			/* 0 */
	__u32 ifindex;			/* 1 .. KNP_BOUND_MAX */
};

#define KNP_BOUND_MAX		((1U << 28) - 1)

#define KNP_PORTS_MAX		512

/*
 * struct knp_node_allow - what every pod may reach at its own node
 *
 * Where NODE_EGRESS is drop, connections to these pass whatever the egress set
 * of the pod says. The list is replaced as a whole; initially it is DNS at
 * NodeLocal DNSCache's address: 169.254.20.10, port 53, UDP and TCP.
 */
struct knp_node_allow {
	__u8 addr[KNP_ADDR_LEN];	/* of the node; 0 if family is 0 */
	__u8 family;			/* AF_INET or AF_INET6; 0: any address */
	__u8 proto;			/* TCP, UDP or SCTP */
	__u16 port;			/* 1 .. 65535, host byte order */
};

#define KNP_NODE_ALLOW_MAX	32

/* struct knp_table_info - how full a table is, in INFO */
struct knp_table_info {
	__u32 table;			/* enum knp_table */
	__u32 count;			/* records in the current generation */
	__u32 limit;			/* records (and the largest id) allowed */
};

/* struct knp_counter - packets and bytes of one reason, rule or set */
struct knp_counter {
	__u32 id;
	__u32 pad;
	__u64 packets;
	__u64 bytes;
};

#endif /* _UAPI_LINUX_KNP_H */
