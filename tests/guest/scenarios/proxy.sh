#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Services by the rules of kube-proxy's three modes, on node1 (proxies.sh):
# ClusterIP, NodePort and LoadBalancer with both external traffic policies, a pod
# that reaches itself through its Service, and NodeLocal DNS without connection
# tracking. Each connection is one of TCP, UDP and SCTP over either family, and
# has to be answered twice: packet 1, packet 2 and the replies of both.
#
# Policy says what is true of every mode. x's servers admit y's and z's clients
# and one of two clients outside, at the backends' port; y/a may send to x's
# servers and to the DNS only, x/b to nobody.
#
# The DNS has to be named by a policy here: it is asked of as all else on the node.
KNPD_OPTIONS="--node-egress enforce --node-egress-allow none"
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/proxies.sh
. /guest/proxies.sh

ADMITTED4=198.51.100.1 ADMITTED6=2001:db8:51::1
STRANGER4=198.51.100.2 STRANGER6=2001:db8:51::2

# world_up: what is outside of the cluster, behind node1
world_up() {
	ip netns add world &&
		ip -n node1 link add world type veth peer name eth0 netns world &&
		ip -n world -batch - <<-END &&
		link set eth0 up
		addr add $ADMITTED4/24 dev eth0
		addr add $STRANGER4/24 dev eth0
		addr add $ADMITTED6/64 dev eth0 nodad
		addr add $STRANGER6/64 dev eth0 nodad
		route add default via 198.51.100.254
		route add default via 2001:db8:51::fe
		END
		ip -n node1 -batch - <<-END
		link set world up
		addr add 198.51.100.254/24 dev world
		addr add 2001:db8:51::fe/64 dev world nodad
		route add default via $ADMITTED4
		route add default via $ADMITTED6
		END
}

# to EXPECT CLIENT ADDRESS PORT NAME: a line for each protocol
to() {
	local proto

	for proto in ${ONLY:-TCP UDP SCTP}; do
		echo "$2 $3 $4 $proto $1 $2->$5/$proto/v$FAMILY"
	done
}

# service EXPECT CLIENT N KIND...: by its ClusterIP (vip), NodePort (port),
# LoadBalancer (lb)
service() {
	local expect=$1 client=$2 n=$3 kind

	shift 3
	for kind; do
		case $kind in
		port) to "$expect" "$client" "$node" "3008$n" "port$n" ;;
		*) to "$expect" "$client" "${!kind}$n" 8080 "$kind$n" ;;
		esac
	done
}

# A Service whose backend is on the other node, asked at this one's address, is
# masqueraded: there the client is the node, and is not admitted. That is the
# API's limit, not the mode's.
flows_of() {
	local admitted=ADMITTED$1 stranger=STRANGER$1 dns=DNS$1 n

	FAMILY=$1
	family "$1"
	for n in 1 3; do
		service yes y-a $n vip port lb
		service no x-a $n vip port lb
		service yes "world@${!admitted}" $n port lb
		service no "world@${!stranger}" $n vip port lb
	done
	service yes "world@${!admitted}" 1 vip
	service yes y-a 2 vip
	service no x-a 2 vip port lb
	service no y-a 2 port lb
	service no "world@${!admitted}" 2 vip port lb
	service no y-a 4 vip port lb
	service yes x-a 4 vip port lb
	service yes "world@${!stranger}" 4 vip port lb
	service yes z-a 1 port
	service no y-b 1 port
	service yes x-b 1 vip port lb
	service no x-b 4 vip
	service yes node1 1 vip port lb
	service yes node1 4 vip
	ONLY="TCP UDP"
	to yes y-a "${!dns}" 53 dns
	to yes x-a "${!dns}" 53 dns
	to no x-b "${!dns}" 53 dns
	ONLY=
}

flows() {
	flows_of 4
	flows_of 6
}

# What is counted: two rounds of UDP, which repeats nothing, are four packets.
counted_flows() {
	local f

	ONLY=UDP
	for f in 4 6; do
		FAMILY=$f
		family $f
		service yes y-a 1 vip port
		service yes y-a 2 vip
		service no x-a 1 vip
		service no y-a 4 vip
	done
	ONLY=
}

# Both families: 3 allowed flows pass the sender's egress on node1, 2 of them the
# receiver's ingress there, and 1 on node2. A denied one is a packet.
COUNTED1='{"allowed":24,"egress":2,"ingress":2,"x/servers":16,"y/client":24}'
COUNTED2='{"allowed":8,"egress":0,"ingress":0,"x/servers":8,"y/client":0}'

# count_flows NAME
count_flows() {
	local before1 before2

	before1=$(counts node1 "$COUNTED1") before2=$(counts node2 "$COUNTED2")
	try_flows "$1: packets to be counted" < <(counted_flows)
	check "$1: each counted once for a side, on the sender's node" equals \
		"$(counted node1 "$before1")" "$COUNTED1"
	check "$1: each counted once for a side, on the other node" equals \
		"$(counted node2 "$before2")" "$COUNTED2"
}

topology_up
serve
probe serve node1 -- 53/TCP 53/UDP >/run/dns.ready 2>"$LOGS/dns.log" &
DNS_PID=$!
cluster_manifests | publish cluster.yaml
apply x/servers <<-END
	podSelector: {matchLabels: {app: server}}
	ingress:
	- from:
	  - namespaceSelector: {matchExpressions: [{key: team, operator: In, values: [y-team, z-team]}]}
	    podSelector: {matchLabels: {app: client}}
	  - ipBlock: {cidr: $ADMITTED4/32}
	  - ipBlock: {cidr: $ADMITTED6/128}
	  ports: [{port: 80}, {port: 80, protocol: UDP}, {port: 80, protocol: SCTP}]
END
apply y/client <<-END
	podSelector: {matchLabels: {app: client}}
	policyTypes: [Egress]
	egress:
	- to: [{namespaceSelector: {matchLabels: {team: x-team}}, podSelector: {matchLabels: {app: server}}}]
	- to: [{ipBlock: {cidr: $DNS4/32}}, {ipBlock: {cidr: $DNS6/128}}]
	  ports: [{port: 53}, {port: 53, protocol: UDP}]
END
apply x/closed <<-END
	podSelector: {matchLabels: {app: server}}
	policyTypes: [Egress]
END
check "modules are there" modprobe -a nft_compat nft_numgen nft_fib_ipv4 \
	nft_fib_ipv6 nft_reject_ipv4 nft_reject_ipv6 xt_addrtype xt_conntrack \
	xt_CT xt_MASQUERADE xt_mark xt_nat xt_sctp xt_set xt_statistic \
	xt_tcpudp ip_set_hash_ipport ip_set_hash_ipportip ip_set_bitmap_port \
	ip_vs ip_vs_rr
check "module loads, both nodes enforce" nodes_start
check "the world is there" world_up
check "the node has a DNS" dns_link

for mode in iptables nftables ipvs; do
	check "$mode: Services are set up" proxy_up $mode
	check "$mode: the DNS is not tracked" dns_up
	try_flows "$mode: who is admitted, and nobody else" < <(flows)
	count_flows "$mode"
	check "$mode: Services are gone" proxy_down
done
kill $DNS_PID

finish
