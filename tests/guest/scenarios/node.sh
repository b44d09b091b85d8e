#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A pod and its own node. What the pod sends there passes whatever policies say,
# as the API promises, unless the operator wants it enforced; other nodes are
# peers as all others. And Azure's load balancer, whose health probes come from
# one address, reaches pods if the operator allows that.
# shellcheck source=tests/guest/lib.sh
KNPD_OPTIONS=
. /guest/lib.sh

PORTS='80/TCP 80/UDP 80/SCTP'
PROBES=168.63.129.16

# world_up: the fabric behind node1, with the platform's address
world_up() {
	ip netns add world &&
		ip -n node1 link add world type veth peer name eth0 netns world &&
		ip -n world -batch - <<-END &&
		link set eth0 up
		addr add 198.51.100.1/24 dev eth0
		addr add $PROBES/32 dev eth0
		route add default via 198.51.100.254
		END
		ip -n node1 -batch - <<-END
		link set world up
		addr add 198.51.100.254/24 dev world
		route add $PROBES via 198.51.100.1 dev world
		END
}

# node_port: of x/b, without masquerading, as externalTrafficPolicy Local
node_port() {
	on node1 nft -f - <<-END
	table ip proxy {
		chain pre {
			type nat hook prerouting priority dstnat
			ip daddr $(ip4_of node1) meta l4proto { tcp, udp } th dport 30080 dnat to $(ip4_of x/b):80
		}
	}
	END
}

datagram_seen() { grep -q "$1" /run/datagrams; }

switches() { contains "$(ctl node1 status)" "$1"; }

# asks EXPECT CLIENT: lines for probe
asks() {
	local proto

	for proto in TCP UDP; do
		echo "$2 $(ip4_of node1) 30080 $proto $1 $2/$proto"
	done
}

# x is closed in both directions
closed="
deny x/* * *
deny * x/* *
"
# but its nodes are reached by it
open_to_node="$closed
allow x/a node1 *
allow x/b node1 *
allow x/c node2 *
"

topology_up
serve
cluster_manifests | publish cluster.yaml
check "module loads, both nodes enforce" nodes_start
check "the default is to allow" switches "node-egress pass, lb-probes drop"
change "x is closed" apply x/closed <<-END
	podSelector: {}
	policyTypes: [Ingress, Egress]
END
matrix "an isolated pod reaches its own node, and nobody else" <<<"$open_to_node"

hold_open held x-b "$(ip4_of node1)" 80 TCP --deadline 1200
check "a connection to the node is open" equals "$(hold_say held ping)" pong
check "node1 enforces" ctl node1 config node-egress=drop
check "it is cut at its next packet" equals "$(hold_say held ping)" lost
matrix "where it is enforced, it does not; on the other node it does" <<-END
	$closed
	allow x/c node2 *
END

check "the world is there" world_up
check "a NodePort leads to an isolated pod" node_port
try_flows "who asks it from outside is denied, the load balancer too" < <(
	asks no world@$PROBES
	asks no world@198.51.100.1
)
check "its probes are allowed" ctl node1 config lb-probes=pass
ip -n y-a addr add $PROBES/32 dev lo
try_flows "they pass, and nobody else does" < <(
	asks yes world@$PROBES
	asks no world@198.51.100.1
	asks no y-a
)
# Answers to it would go to the world, so the server is asked what it received.
hold_open forged y-a "$(ip4_of x/b)" 80 UDP --bind $PROBES
hold_say forged "send forged" >/dev/null
hold_open honest world "$(ip4_of node1)" 30080 UDP --bind $PROBES
hold_say honest "send honest" >/dev/null
check "a probe arrives" await 5 datagram_seen honest
refute "a pod with that address is not the load balancer" datagram_seen forged

knpd_kill node1
rmmod_and_load() {
	knpd_kill node2
	rmmod knp && load_module
}
check "the module is loaded again" rmmod_and_load
KNPD_OPTIONS="--node-egress enforce --allow-lb-probes"
knpd_start node1
knpd_start node2
check "knpd sets both switches" await 20 switches \
	"node-egress drop, lb-probes pass"

finish
