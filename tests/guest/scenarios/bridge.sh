#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Pods on a bridge, as the plugins bridge and flannel and Azure's bridge mode
# make them: pods of one node reach each other through ports alone. On node1
# br_netfilter shows their frames to the hooks of IP; on node2 it does not, and
# knpd attaches to bridges. Neighbours are not static: ARP and NDP have to pass
# wherever a connection does.
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh

# pod_links NODE: the bridge and its ports; of node N, in 10.244.N.0/24
pod_links() {
	local node=$1 net=${1#node} ns where

	cat <<-END
	link add cni0 type bridge forward_delay 0
	addr add 10.244.$net.254/24 dev cni0
	addr add fd00:10:244:$net::fe/64 dev cni0 nodad
	link set cni0 up
	END
	while read -r _ ns where _; do
		[ "$where" = "$node" ] || continue
		cat <<-END
		link add azv-$ns type veth peer name eth0 netns $ns
		link set azv-$ns master cni0 up
		link set azv-$ns type bridge_slave hairpin on
		END
	done < <(pods)
}

pod_inside() {
	local net=${1%.*}

	net=${net##*.}
	cat <<-END
	link set lo up
	link set eth0 up
	addr add $1/24 dev eth0
	addr add $2/64 dev eth0 nodad
	route add default via 10.244.$net.254
	route add default via fd00:10:244:$net::fe
	END
}

# shown NODE 0|1: br_netfilter shows frames to the hooks of IP
shown() {
	on "$1" sysctl -qw "net.bridge.bridge-nf-call-iptables=$2" \
		"net.bridge.bridge-nf-call-ip6tables=$2"
}

refused_without_conntrack() {
	! ctl node2 attach bridge 2>/run/refused &&
		contains "$(cat /run/refused)" nf_conntrack_bridge &&
		contains "$(ctl node2 status)" "nothing is enforced"
}

attached() { contains "$(ctl "$1" status)" "ipv4 ipv6 bridge"; }

# port_is_pod NODE NETNS
port_is_pod() {
	local index

	index=$(on "$1" cat "/sys/class/net/azv-$2/ifindex")
	ctl "$1" get ifaces -o json | jq -e --argjson index "$index" \
		'.. | objects | select(.ifindex? == $index and .role == "pod")'
}

nodes_up() {
	knpd_start node1 &&
		knpd_start node2 --families ipv4,ipv6,bridge &&
		enforced_since node1 0 && enforced_since node2 0
}

# y's clients may reach x at port 80. A server of SCTP with several addresses
# answers by that of the bridge, and conntrack takes the connection for invalid.
y_to_x="
deny * x/* *
allow y/* x/* 80/*
deny x/a node1 80/SCTP
deny x/b node1 80/SCTP
deny x/c node2 80/SCTP
"

# two_rounds EXPECT: UDP beside each other on either node, both families
two_rounds() {
	echo "y-a $(ip4_of x/b) 80 UDP $1 node1/v4
y-a $(ip6_of x/b) 80 UDP $1 node1/v6
y-b $(ip4_of x/c) 80 UDP $1 node2/v4
y-b $(ip6_of x/c) 80 UDP $1 node2/v6"
}

# An allowed flow is four packets, a denied one is one.
PASSED='{"allowed":8,"ingress":0,"x/clients":8}'
DENIED='{"allowed":0,"ingress":2,"x/clients":0}'

# count_rounds NAME EXPECT COUNTS
count_rounds() {
	local before1 before2

	before1=$(counts node1 "$3") before2=$(counts node2 "$3")
	try_flows "$1" < <(two_rounds "$2")
	check "$1: counted once by node1" equals "$(counted node1 "$before1")" "$3"
	check "$1: counted once by node2" equals "$(counted node2 "$before2")" "$3"
}

# open_all, say_all EXPECT: a connection of each protocol and family on either node
open_all() {
	local proto

	for proto in TCP UDP SCTP; do
		hold_open "${proto}_1_4" y-a "$(ip4_of x/b)" 80 $proto --deadline 1200
		hold_open "${proto}_1_6" y-a "$(ip6_of x/b)" 80 $proto --deadline 1200
		hold_open "${proto}_2_4" y-b "$(ip4_of x/c)" 80 $proto --deadline 1200
		hold_open "${proto}_2_6" y-b "$(ip6_of x/c)" 80 $proto --deadline 1200
	done
}

say_all() {
	local name

	for name in {TCP,UDP,SCTP}_{1,2}_{4,6}; do
		equals "$name $(hold_say "$name" ping)" "$name $1" || return 1
	done
}

# tagged NETNS N: it is N in networks of its own, behind a tag and behind two; its
# neighbour 5 - N there is known
tagged() {
	local mac

	ip -n "$1" -batch - <<-END
	link add link eth0 name tag type vlan id 5
	link add link eth0 name outer type vlan proto 802.1ad id 6
	link add link outer name inner type vlan id 7
	link set tag up
	link set outer up
	link set inner up
	addr add 10.5.0.$2/24 dev tag
	addr add 10.7.0.$2/24 dev inner
	END
	mac=$(on "$1" cat /sys/class/net/eth0/address)
	printf 'neigh replace 10.%d.0.%d lladdr %s dev %s\n' 5 "$2" "$mac" tag \
		7 "$2" "$mac" inner >/run/neighbours-$((5 - $2))
}

tags_pass() {
	equals "$(DEADLINE=1000 one y-b 10.5.0.3 80/UDP)" "$1" &&
		equals "$(DEADLINE=1000 one y-b 10.7.0.3 80/UDP)" "$1"
}

datagram_seen() { grep -q "$1" /run/datagrams; }

frames_reported() {
	grep "l2proto: a frame from azv-y-b" /run/monitor
}

check "modules are there" modprobe -a bridge br_netfilter 8021q
topology_up
shown node1 1
shown node2 0
serve
cluster_manifests | publish cluster.yaml
check "module loads" load_module
check "bridges are refused without their connection tracking, and nothing is attached" \
	refused_without_conntrack
check "connection tracking of bridges is there" modprobe nf_conntrack_bridge
check "both nodes enforce" nodes_up
check "node2 attached to bridges" attached node2
check "the ports of a bridge are pods'" port_is_pod node1 x-a
check "on either node" port_is_pod node2 y-b

change "y may reach x at port 80" apply x/clients <<-END
	podSelector: {}
	ingress:
	- from: [{namespaceSelector: {matchLabels: {team: y-team}}}]
	  ports: [{port: 80}, {port: 80, protocol: UDP}, {port: 80, protocol: SCTP}]
END
matrix "between ports and between nodes: what policy allows, and nothing else" \
	'80/TCP 81/TCP 80/UDP 80/SCTP' <<<"$y_to_x"
count_rounds "between ports, allowed" yes "$PASSED"

change "y may no longer" apply x/clients <<-END
	podSelector: {}
	ingress: []
END
count_rounds "between ports, denied" no "$DENIED"
check "node1 attaches to bridges, beside br_netfilter" ctl node1 attach bridge
count_rounds "seen by both, denied" no "$DENIED"
change "y may again" apply x/clients <<-END
	podSelector: {}
	ingress:
	- from: [{namespaceSelector: {matchLabels: {team: y-team}}}]
END
count_rounds "seen by both, allowed" yes "$PASSED"

open_all
check "connections between ports are open" say_all pong
change "x is closed" apply x/clients <<-END
	podSelector: {}
	ingress: []
END
check "they are cut at the next packet" say_all lost
change "y may again reach x" apply x/clients <<-END
	podSelector: {}
	ingress:
	- from: [{namespaceSelector: {matchLabels: {team: y-team}}}]
END
check "the same connections go on" await 30 say_all pong

# z/a beside it is not isolated, so only the address can be the reason.
ip -n y-b -batch - <<-END
addr add $(ip4_of node2)/32 dev lo
addr add $(ip6_of node2)/128 dev lo nodad
END
hold_open forged4 y-b "$(ip4_of z/a)" 80 UDP --bind "$(ip4_of node2)"
hold_open forged6 y-b "$(ip6_of z/a)" 80 UDP --bind "$(ip6_of node2)"
hold_open honest y-b "$(ip6_of z/a)" 80 UDP
hold_say forged4 "send forged-4" >/dev/null
hold_say forged6 "send forged-6" >/dev/null
hold_say honest "send honest" >/dev/null
check "between ports, a pod's own address arrives" await 5 datagram_seen honest
refute "the node's IPv4 address does not, from a pod" datagram_seen forged-4
refute "the node's IPv6 address does not, from a pod" datagram_seen forged-6

tagged x-c 3
tagged y-b 2
ip -n x-c -batch /run/neighbours-3
ip -n y-b -batch /run/neighbours-2
ctl node2 monitor >/run/monitor 2>&1 &
MONITOR=$!
check "a pod's tagged frames do not pass, with one tag or two" tags_pass no
check "their drop is reported" await 10 frames_reported
kill $MONITOR
check "audit lets them pass" ctl node2 config mode=audit
check "tags pass then" tags_pass yes
ctl node2 config mode=enforce

change "x is closed" apply x/clients <<-END
	podSelector: {}
	ingress: []
END
check "node2 leaves its bridge" ctl node2 detach --yes bridge
check "then nothing is seen between ports: that is what the hook is for" \
	reaches yes y/b x/c 80/TCP 80/UDP 80/SCTP
check "and comes back" ctl node2 attach bridge
check "and enforces" reaches no y/b x/c 80/TCP 80/UDP 80/SCTP

finish
