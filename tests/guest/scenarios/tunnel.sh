#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Azure's tunnel modes: what a pod sends to another pod of its node leaves the
# node, and the fabric sends it back, so each packet passes twice. It counts for
# the sender on its way out and for the receiver on its way in, and is reported
# once if it is dropped.
#
#   node1  tunnel: pods and eth0 are ports of azure0; what comes from a pod's
#          port is sent to the fabric's address, by ebtables -j dnat. Frames are
#          seen by knp's own hooks.
#   node2  the same, and br_netfilter shows them to the hooks of IP.
#
# In transparent-tunnel pods are routed, by a table of their own to the fabric,
# and what comes back is not tracked (NOTRACK). Then an answer cannot be told
# from a question. That costs answers of UDP that no policy allows as questions.
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh

FABRIC_MAC=12:34:56:78:9a:bc
KNPD_SOURCE[node3]=${KNPD_SOURCE[node1]}

# write_hosts: two pods that talk on each node, and nothing between nodes
write_hosts() {
	cat >$HOSTS <<-END
	x/b x-b node1 10.244.1.2 fd00:10:244:1::2 app=server
	y/a y-a node1 10.244.1.3 fd00:10:244:1::3 app=client
	x/c x-c node2 10.244.2.2 fd00:10:244:2::2 app=server
	y/b y-b node2 10.244.2.3 fd00:10:244:2::3 app=client
	x/r x-r node3 10.244.3.2 fd00:10:244:3::2 app=server
	y/r y-r node3 10.244.3.3 fd00:10:244:3::3 app=client
	node1 node1 node1 10.244.1.1 fd00:10:244:1::1 -
	node2 node2 node2 10.244.2.1 fd00:10:244:2::1 -
	node3 node3 node3 10.244.3.1 fd00:10:244:3::1 -
	END
}

# node_link NODE: eth0, of a kind that no pod has, to the fabric's own namespace
node_link() {
	local n=${1#node}

	ip -n "$1" -batch - <<-END
	link set lo up
	link add wire type veth peer name wire$n netns fabric
	link set wire up
	link add link wire name eth0 type vlan id 100
	link set eth0 up
	END
	ip -n fabric -batch - <<-END
	link set wire$n up
	link add link wire$n name eth$n type vlan id 100
	link set eth$n address $FABRIC_MAC up
	END
}

# fabric_up: it forwards what it is sent, and complains to nobody about the way
fabric_up() {
	on fabric sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	on fabric nft -f - <<-END
	table inet quiet {
		chain out {
			type filter hook output priority 0
			icmp type redirect drop
			icmpv6 type nd-redirect drop
		}
	}
	END
}

# fabric_knows NODE: it sends back whatever is for a pod of a node
fabric_knows() {
	local n=${1#node} ns where ip4 ip6 mac

	echo "addr add 10.244.$n.200/24 dev eth$n"
	while read -r _ ns where ip4 ip6 _; do
		[ "$where" = "$1" ] || continue
		mac=$(pod_mac "$ip4")
		[ "$1" != node3 ] || mac=$(on "$1" cat /sys/class/net/eth0/address)
		cat <<-END
		route add $ip4/32 dev eth$n
		route add $ip6/128 dev eth$n
		neigh replace $ip4 lladdr $mac nud permanent dev eth$n
		neigh replace $ip6 lladdr $mac nud permanent dev eth$n
		END
	done < <(pods)
}

# tunnel_up NODE: azure0 with eth0 and its pods
tunnel_up() {
	local n=${1#node} ns where ip4

	ip -n "$1" -batch - <<-END
	link add azure0 type bridge forward_delay 0
	link set eth0 master azure0
	addr add 10.244.$n.1/24 dev azure0
	addr add fd00:10:244:$n::1/64 dev azure0 nodad
	link set azure0 up
	END
	while read -r _ ns where ip4 _; do
		[ "$where" = "$1" ] || continue
		ip -n "$1" -batch - <<-END
		link add azv-$ns type veth peer name eth0 address $(pod_mac "$ip4") netns $ns
		link set azv-$ns master azure0 up
		END
	done < <(pods)
	on "$1" xtables-nft-multi ebtables -t nat -A PREROUTING -i azv+ -j dnat \
		--to-dst $FABRIC_MAC --dnat-target ACCEPT
}

# routed_up NODE: transparent-tunnel
routed_up() {
	local ns where ip4 ip6

	pod_links "$1" | ip -n "$1" -batch -
	ip -n "$1" -batch - <<-END
	addr add 169.254.3.3/24 dev eth0
	neigh replace 169.254.3.1 lladdr $FABRIC_MAC nud permanent dev eth0
	route add default via 169.254.3.1 dev eth0 table 3
	rule add fwmark 3 table 3
	neigh replace fe80::3 lladdr $FABRIC_MAC nud permanent dev eth0
	route add default via fe80::3 dev eth0 table 3
	END
	ip -n "$1" -6 rule add fwmark 3 table 3
	on "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
		net.ipv4.conf.all.src_valid_mark=1
	on "$1" nft -f - <<-END
	table inet tt {
		chain raw {
			type filter hook prerouting priority raw
			ip saddr 10.244.3.0/24 ip daddr 10.244.3.0/24 notrack
			ip6 saddr fd00:10:244:3::/64 ip6 daddr fd00:10:244:3::/64 notrack
		}
		chain fwmark {
			type filter hook prerouting priority mangle
			iifname "azv*" meta mark set 3
		}
	}
	END
}

# pod_inside_bridged IP4 IP6: with neighbours that are known
pod_inside_bridged() {
	local net=${1%.*} n

	net=${net##*.}
	cat <<-END
	link set lo up
	link set eth0 up
	addr add $1/24 dev eth0
	addr add $2/64 dev eth0 nodad
	END
	for n in 2 3; do
		cat <<-END
		neigh replace 10.244.$net.$n lladdr $(pod_mac "10.244.$net.$n") nud permanent dev eth0
		neigh replace fd00:10:244:$net::$n lladdr $(pod_mac "10.244.$net.$n") nud permanent dev eth0
		END
	done
}

# seen NODE: the fabric is, so that the bridge knows where it is
seen() { on fabric ping -c 1 -W 2 "$(ip4_of "$1")" >/dev/null; }

tunnel_topology_up() {
	local ns where ip4 ip6 node

	write_hosts
	set_defaults
	{
		printf 'netns add %s\n' fabric node1 node2 node3
		pods | awk '{ print "netns add", $2 }'
	} | ip -batch -
	for node in node1 node2 node3; do
		node_link $node
	done
	fabric_up
	tunnel_up node1
	tunnel_up node2
	routed_up node3
	while read -r _ ns where ip4 ip6 _; do
		if [ "$where" = node3 ]; then
			pod_inside "$ip4" "$ip6"
		else
			pod_inside_bridged "$ip4" "$ip6"
		fi | ip -n "$ns" -batch -
	done < <(pods)
	for node in node1 node2 node3; do
		fabric_knows $node | ip -n fabric -batch -
	done
	on node2 sysctl -qw net.bridge.bridge-nf-call-iptables=1 \
		net.bridge.bridge-nf-call-ip6tables=1
	on node1 sysctl -qw net.bridge.bridge-nf-call-iptables=0 \
		net.bridge.bridge-nf-call-ip6tables=0
}

nodes_up() {
	local node

	load_module || return 1
	knpd_start node1 --families ipv4,ipv6,bridge
	knpd_start node2
	knpd_start node3
	for node in node1 node2 node3; do
		enforced_since $node 0 || return 1
	done
}

# between EXPECT PROTOCOL CLIENT SERVER...: lines for probe
between() {
	local expect=$1 proto=$2

	shift 2
	while [ $# -gt 0 ]; do
		echo "$(netns_of "$1") $(ip4_of "$2") 80 $proto $expect $1->$2/$proto/v4"
		echo "$(netns_of "$1") $(ip6_of "$2") 80 $proto $expect $1->$2/$proto/v6"
		shift 2
	done
}

# the fabric has forwarded, so the packets did pass twice
fabric_forwarded() {
	on fabric cat /proc/net/snmp | awk '/^Ip: [0-9]/ { print $16 + $7 }'
}

# Two rounds of UDP in both families are eight packets, each of which passes twice.
PASSED='{"allowed":16,"egress":0,"ingress":0,"x/servers":8,"y/clients":8}'
DENIED='{"allowed":0,"egress":0,"ingress":2,"x/servers":0,"y/clients":0}'

# all_nodes NAME COMMAND...: as change, for three
all_nodes() {
	local version

	version=$(status node3 enforced_version)
	change "$@"
	check "$1: on the third, too" enforced_since node3 "$version"
}

servers() {
	apply x/servers <<-END
	podSelector: {}
	ingress: [$1]
	END
}

check "modules are there" modprobe -a bridge br_netfilter nf_conntrack_bridge \
	8021q nft_compat nft_meta_bridge ebt_dnat
tunnel_topology_up
check "the fabric is seen by node1" seen node1
check "the fabric is seen by node2" seen node2
serve
cluster_manifests | publish cluster.yaml
check "module loads, three nodes enforce" nodes_up
ctl node1 monitor >/run/monitor1 2>&1 &
ctl node2 monitor >/run/monitor2 2>&1 &
before=$(fabric_forwarded)
try_flows "no policy: every pod reaches its neighbour" < <(
	for proto in TCP UDP SCTP; do
		between yes $proto y/a x/b y/b x/c y/r x/r
	done
)
# nine connections of IPv4 in two rounds each, with what TCP and SCTP add
check "the fabric forwards them" test $(($(fabric_forwarded) - before)) -ge 60

all_nodes "x admits y" servers '{from: [{namespaceSelector: {matchLabels: {team: y-team}}}]}'
all_nodes "y sends to x, and admits nobody" apply y/clients <<-END
	podSelector: {}
	policyTypes: [Ingress, Egress]
	egress: [{to: [{namespaceSelector: {matchLabels: {team: x-team}}}]}]
END
try_flows "tunnel: allowed, and answered" < <(
	for proto in TCP SCTP; do
		between yes $proto y/a x/b y/b x/c
	done
	between no UDP x/b y/a x/c y/b
)

# counted_flows NAME EXPECT COUNTS
counted_flows() {
	local before1 before2

	before1=$(counts node1 "$3") before2=$(counts node2 "$3")
	try_flows "$1" < <(between "$2" UDP y/a x/b y/b x/c)
	check "$1: counted once for each side by node1" equals \
		"$(counted node1 "$before1")" "$3"
	check "$1: counted once for each side by node2" equals \
		"$(counted node2 "$before2")" "$3"
}

# reported MONITOR: drops of x/servers
reported() { grep -c "ingress isolated by x/servers" "$1"; }

counted_flows "tunnel, allowed" yes "$PASSED"
try_flows "transparent-tunnel: TCP is answered, and what is denied is denied" < <(
	between yes TCP y/r x/r
	between no TCP x/r y/r
	between no UDP x/r y/r
)
try_flows "transparent-tunnel: answers of UDP look like questions (a limit)" < <(
	between no UDP y/r x/r
)
all_nodes "x admits nobody" servers ""
counted_flows "tunnel, denied" no "$DENIED"
check "each drop is reported once by node1, with its policy" equals \
	"$(reported /run/monitor1)" 2
check "each drop is reported once by node2, with its policy" equals \
	"$(reported /run/monitor2)" 2
try_flows "transparent-tunnel: denied" < <(between no TCP y/r x/r)

finish
