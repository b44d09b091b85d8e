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
# Of IPv6, the same bytes in front.
PROBES6=a83f:8110::1
DNS=169.254.20.10

# world_up: the fabric behind node1, with the platform's address
world_up() {
	ip netns add world &&
		ip -n node1 link add world type veth peer name eth0 netns world &&
		ip -n world -batch - <<-END &&
		link set eth0 up
		addr add 198.51.100.1/24 dev eth0
		addr add $PROBES/32 dev eth0
		addr add $PROBES6/64 dev eth0 nodad
		route add default via 198.51.100.254
		route add default via a83f:8110::fe
		END
		ip -n node1 -batch - <<-END
		link set world up
		addr add 198.51.100.254/24 dev world
		addr add a83f:8110::fe/64 dev world nodad
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

# NodeLocal DNSCache as its manifest sets it up: an interface of its own with the
# address, and its packets untracked.
dns_up() {
	ip -n node1 link add nodelocaldns type dummy &&
		ip -n node1 addr add $DNS/32 dev nodelocaldns &&
		on node1 nft -f - <<-END
		table ip dns {
			chain pre {
				type filter hook prerouting priority raw
				ip daddr $DNS meta l4proto { tcp, udp } th dport 53 notrack
			}
			chain out {
				type filter hook output priority raw
				ip saddr $DNS meta l4proto { tcp, udp } th sport 53 notrack
			}
		}
		END
}

datagram_seen() { grep -q "$1" /run/datagrams; }

switches() { contains "$(ctl node1 status)" "$1"; }

# On its way out, and again when it comes back to the node itself
node_asks_all() {
	local before

	before=$(counts node1 '{"spoof":0,"node":0}')
	on node1 ping -c 1 -W 1 -I azv-y-a 224.0.0.1
	counted node1 "$before" | jq -e '.spoof == 0 and .node >= 2'
}

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
PORTS="$PORTS 81/UDP 53/TCP 53/UDP" serve
cluster_manifests | publish cluster.yaml
check "module loads, both nodes enforce" nodes_start
check "the default is to allow" switches "node-egress pass, lb-probes drop"
change "x is closed" apply x/closed <<-END
	podSelector: {}
	policyTypes: [Ingress, Egress]
END
matrix "an isolated pod reaches its own node, and nobody else" <<<"$open_to_node"

check "what the node sends to all behind a pod's interface comes back as its own" \
	node_asks_all

hold_open held x-b "$(ip4_of node1)" 80 TCP --deadline 1200
check "a connection to the node is open" equals "$(hold_say held ping)" pong
check "node1 enforces" ctl node1 config node-egress=drop
check "it is cut at its next packet" equals "$(hold_say held ping)" lost
matrix "where it is enforced, it does not; on the other node it does" <<-END
	$closed
	allow x/c node2 *
END

check "a DNS cache listens on the node" dns_up
try_flows "it may be asked by default, and nothing else at its address" <<-END
	x-a $DNS 53 UDP yes dns/udp
	x-a $DNS 53 TCP yes dns/tcp
	x-a $DNS 80 TCP no dns/other-port
	x-a $DNS 80 UDP no dns/other-port
	x-a $(ip4_of node1) 53 UDP no dns/other-address
	x-c $DNS 53 UDP no dns/other-node
END
check "a list of the operator's replaces it" \
	ctl node1 config "node-egress-allow=80/TCP,$(ip4_of node1):81/UDP,[$(ip6_of node1)]:80/SCTP"
matrix "what it names passes, by address, protocol and port" "$PORTS 81/UDP" <<-END
	deny x/* * *
	deny * x/* *
	allow x/c node2 *
	allow x/[ab] node1 80/TCP
	allow x/[ab] node1 81/UDP 4
	allow x/[ab] node1 80/SCTP 6
END
try_flows "what it does not name is closed" <<-END
	x-a $DNS 53 UDP no dns/not-named
	x-a $DNS 80 TCP yes dns/any-address
END
check "an empty list" ctl node1 config node-egress-allow=none
matrix "nothing passes again" <<-END
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
	echo "world@$PROBES6 $(ip6_of x/b) 80 UDP no world6/UDP"
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
KNPD_OPTIONS="--node-egress enforce --node-egress-allow 10250/TCP --allow-lb-probes"
knpd_start node1
knpd_start node2
check "knpd sets both switches" await 20 switches \
	"node-egress drop, lb-probes pass"
check "and the list" switches "node-egress-allow 10250/TCP"

finish
