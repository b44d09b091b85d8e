# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Two nodes with three pods each, as network namespaces of one kernel. Pods are
# routed, as with Azure CNI's transparent mode: a /32 (IPv6: /128) route per pod
# to its veth, link-local gateway inside, no bridge. Everything is dual stack.
#
#   +- node1 ----------------------------+   +- node2 ----------------------------+
#   |  x/a 10.244.1.1  fd00:10:244:1::1  |   |  x/c 10.244.2.1  fd00:10:244:2::1  |
#   |  x/b 10.244.1.2  fd00:10:244:1::2  |   |  y/b 10.244.2.2  fd00:10:244:2::2  |
#   |  y/a 10.244.1.3  fd00:10:244:1::3  |   |  z/a 10.244.2.3  fd00:10:244:2::3  |
#   |   |eth0            (pod netns)     |   |   |eth0                            |
#   |   |veth                            |   |   |veth                            |
#   |  node netns: routes, knp's hooks   |   |  node netns                        |
#   |  192.168.50.1  fd00:50::1  uplink -+---+- uplink  192.168.50.2  fd00:50::2  |
#   +------------------------------------+   +------------------------------------+
#
# Neighbours are static, so that the first packet of a test is a test packet.
# A pod's namespace is named like it with a dash: x-a. Bare facts are in HOSTS,
# one host a line: name, netns, node, IPv4, IPv6, labels.

MANIFESTS=/run/manifests
HOSTS=/run/hosts

GATEWAY4=169.254.1.1
GATEWAY6=fe80::1
GATEWAY_MAC=aa:aa:aa:aa:aa:aa

write_hosts() {
	cat >$HOSTS <<-END
	x/a x-a node1 10.244.1.1 fd00:10:244:1::1 app=client,tier=front
	x/b x-b node1 10.244.1.2 fd00:10:244:1::2 app=server,tier=back
	y/a y-a node1 10.244.1.3 fd00:10:244:1::3 app=client,tier=front
	x/c x-c node2 10.244.2.1 fd00:10:244:2::1 app=server,tier=back
	y/b y-b node2 10.244.2.2 fd00:10:244:2::2 app=server,tier=back
	z/a z-a node2 10.244.2.3 fd00:10:244:2::3 app=client,tier=other
	node1 node1 node1 192.168.50.1 fd00:50::1 -
	node2 node2 node2 192.168.50.2 fd00:50::2 -
	END
}

pods() {
	awk '$6 != "-"' $HOSTS
}

# host_field NAME N: the Nth fact of a host
host_field() {
	awk -v name="$1" -v n="$2" '$1 == name { print $n }' $HOSTS
}

netns_of() { host_field "$1" 2; }
ip4_of() { host_field "$1" 4; }
ip6_of() { host_field "$1" 5; }

on() {
	local where=$1

	shift
	ip netns exec "$where" "$@"
}

# What a new namespace inherits (devconf_inherit_init_net): no duplicate address
# detection, no reverse path filter, no router advertisements.
set_defaults() {
	echo 1 >/proc/sys/net/core/devconf_inherit_init_net
	echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
	echo 0 >/proc/sys/net/ipv6/conf/all/accept_dad
	echo 0 >/proc/sys/net/ipv6/conf/default/accept_ra
	echo 0 >/proc/sys/net/ipv4/conf/default/rp_filter
	echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter
}

pod_mac() {
	local ip=$1

	printf '02:00:0a:f4:%02x:%02x' "$(echo "$ip" | cut -d. -f3)" \
		"$(echo "$ip" | cut -d. -f4)"
}

# pod_link NETNS IP4 IP6: the node's side of a pod's network
pod_link() {
	local mac

	mac=$(pod_mac "$2")
	cat <<-END
	link add azv-$1 address $GATEWAY_MAC type veth peer name eth0 address $mac netns $1
	link set azv-$1 up
	route add $2/32 dev azv-$1
	route add $3/128 dev azv-$1
	neigh replace $2 lladdr $mac nud permanent dev azv-$1
	neigh replace $3 lladdr $mac nud permanent dev azv-$1
	END
}

pod_links() {
	local ns node ip4 ip6

	while read -r _ ns node ip4 ip6 _; do
		[ "$node" != "$1" ] || pod_link "$ns" "$ip4" "$ip6"
	done < <(pods)
}

pod_inside() {
	cat <<-END
	link set lo up
	link set eth0 up
	addr add $1/32 dev eth0
	addr add $2/128 dev eth0 nodad
	neigh replace $GATEWAY4 lladdr $GATEWAY_MAC nud permanent dev eth0
	neigh replace $GATEWAY6 lladdr $GATEWAY_MAC nud permanent dev eth0
	route add $GATEWAY4 dev eth0
	route add default via $GATEWAY4 dev eth0
	route add default via $GATEWAY6 dev eth0
	END
}

# node_up MINE OTHER: the node's own addresses and its routes to the other's pods
node_up() {
	local me=$1 other=$2

	ip -n "node$me" -batch - <<-END
	link set lo up
	addr add 192.168.50.$me/24 dev uplink
	addr add fd00:50::$me/64 dev uplink nodad
	link set uplink up
	neigh replace 192.168.50.$other lladdr 02:00:c0:a8:32:0$other nud permanent dev uplink
	neigh replace fd00:50::$other lladdr 02:00:c0:a8:32:0$other nud permanent dev uplink
	END
	pod_links "node$me" | ip -n "node$me" -batch -
	on "node$me" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

node_routes() {
	ip -n "node$1" -batch - <<-END
	route add 10.244.$2.0/24 via 192.168.50.$2
	route add fd00:10:244:$2::/64 via fd00:50::$2
	END
}

topology_up() {
	local ns ip4 ip6

	write_hosts
	set_defaults
	{
		echo netns add node1
		echo netns add node2
		pods | awk '{ print "netns add", $2 }'
	} | ip -batch -
	ip -n node1 link add uplink address 02:00:c0:a8:32:01 type veth \
		peer name uplink address 02:00:c0:a8:32:02 netns node2
	node_up 1 2
	node_up 2 1
	node_routes 1 2
	node_routes 2 1
	while read -r _ ns _ ip4 ip6 _; do
		pod_inside "$ip4" "$ip6" | ip -n "$ns" -batch -
	done < <(pods)
}

topology_down() {
	local ns

	while read -r _ ns _; do
		ip netns del "$ns" 2>/dev/null
	done <$HOSTS
	return 0
}

# pod_manifest: one Pod read from stdin as "NAME - NODE IP4 IP6 LABELS". The
# container names its ports; in y they have the other number.
pod_manifest() {
	local name node ip4 ip6 labels web=80

	read -r name _ node ip4 ip6 labels
	[ "${name%/*}" != y ] || web=81
	cat <<-END
	---
	apiVersion: v1
	kind: Pod
	metadata:
	  namespace: ${name%/*}
	  name: ${name#*/}
	  uid: pod-${name%/*}-${name#*/}
	  labels:
	$(echo "$labels" | tr , '\n' | sed 's/=/: /; s/^/    /')
	spec:
	  nodeName: $node
	  containers:
	  - name: main
	    ports:
	    - {name: web, containerPort: $web, protocol: TCP}
	    - {name: web-udp, containerPort: $web, protocol: UDP}
	    - {name: web-sctp, containerPort: $web, protocol: SCTP}
	status:
	  phase: Running
	  podIPs: [{ip: $ip4}, {ip: "$ip6"}]
	END
}

namespace_manifest() {
	cat <<-END
	---
	apiVersion: v1
	kind: Namespace
	metadata:
	  name: $1
	  labels: {team: $1-team, kubernetes.io/metadata.name: $1}
	END
}

# publish FILE: stdin becomes that manifest in one step
publish() {
	mkdir -p $MANIFESTS
	cat >"$MANIFESTS/.$1.new"
	mv "$MANIFESTS/.$1.new" "$MANIFESTS/$1"
}

cluster_manifests() {
	local line

	while read -r line; do
		namespace_manifest "$line"
	done < <(pods | sed 's|/.*||' | sort -u)
	while read -r line; do
		echo "$line" | pod_manifest
	done < <(pods)
}
