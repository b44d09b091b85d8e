#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A policy change cuts an open connection at its next packet, in TCP, UDP and
# SCTP, and leaves the others alone; the connection goes on when it is allowed
# again. The node reaches its own pods, and is answered, whatever the policies
# say; a pod that uses the node's address is not the node.
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh

# open_all: a connection of each protocol and family from y/a to x/b (watched)
# and from z/a to x/c (the bystander)
open_all() {
	local proto f to other

	for proto in TCP UDP SCTP; do
		for f in 4 6; do
			if [ $f = 4 ]; then
				to=$(ip4_of x/b) other=$(ip4_of x/c)
			else
				to=$(ip6_of x/b) other=$(ip6_of x/c)
			fi
			hold_open "${proto}_$f" y-a "$to" 80 $proto --deadline 1200
			hold_open "by_${proto}_$f" z-a "$other" 80 $proto
		done
	done
}

# say_all EXPECT [PREFIX]: a ping on all of them is answered, or is not
say_all() {
	local expect=$1 proto f got

	for proto in TCP UDP SCTP; do
		for f in 4 6; do
			got=$(hold_say "${2:-}${proto}_$f" ping)
			[ "$got" = "$expect" ] || {
				echo "${2:-}$proto over IPv$f: $got"
				return 1
			}
		done
	done
}

# Retransmission timers back off while the path is closed, so the first answer
# after it opened may take some pings.
resumes() {
	await 30 say_all pong
}

datagram_seen() {
	grep -q "$1" /run/datagrams
}

clients() {
	apply x/clients <<-END
	podSelector: {}
	ingress:
	- from:
	  - namespaceSelector: {matchLabels: {team: z-team}}
	$1
	END
}

topology_up
serve
cluster_manifests | publish cluster.yaml
check "module loads, both nodes enforce" nodes_start

change "y and z may reach x" clients "  - namespaceSelector: {matchLabels: {team: y-team}}"
open_all
check "connections are open" say_all pong
check "bystanders are open" say_all pong by_

change "an unrelated policy comes" apply y/unrelated <<-END
	podSelector: {matchLabels: {app: nobody}}
	ingress: []
END
check "an unrelated change disturbs nothing" say_all pong
check "an unrelated change disturbs no bystander" say_all pong by_

change "y may no longer reach x" clients ""
check "open connections are cut at the next packet" say_all lost
check "bystanders go on" say_all pong by_

change "y may reach x again" clients "  - namespaceSelector: {matchLabels: {team: y-team}}"
check "the same connections go on" resumes

change "the client's egress is closed" apply y/closed <<-END
	podSelector: {}
	policyTypes: [Egress]
END
check "closing egress cuts them as well" say_all lost
change "the client's egress is open" delete y/closed

change "default deny, ingress and egress, in x" apply x/clients <<-END
	podSelector: {}
	policyTypes: [Ingress, Egress]
END
check "the node reaches its pod and is answered" \
	reaches yes node1 x/b 80/TCP 80/UDP 80/SCTP
check "the other node does not" \
	reaches no node2 x/b 80/UDP
check "the pod does not reach its node by itself" \
	reaches no x/b node1 80/TCP 80/UDP 80/SCTP

# IPv4 refuses a node's own address from outside by itself; IPv6 does not.
# The server cannot answer this client, so it is asked what it received.
ip -n x-a -batch - <<-END
	addr add 192.168.50.1/32 dev lo
	addr add fd00:50::1/128 dev lo nodad
END
change "x/a may send to x/b, x/b takes from nobody" apply x/clients <<-END
	podSelector: {matchLabels: {app: server}}
	policyTypes: [Ingress]
END
hold_open spoof4 x-a "$(ip4_of x/b)" 80 UDP --bind 192.168.50.1
hold_open spoof6 x-a "$(ip6_of x/b)" 80 UDP --bind fd00:50::1
hold_say spoof4 "send spoofed-4" >/dev/null
hold_say spoof6 "send spoofed-6" >/dev/null
hold_open honest node1 "$(ip6_of x/b)" 80 UDP
hold_say honest "send honest-6" >/dev/null
check "the node's datagram arrives" await 5 datagram_seen honest-6
refute "a pod with the node's IPv4 address is not the node" datagram_seen spoofed-4
refute "a pod with the node's IPv6 address is not the node" datagram_seen spoofed-6

finish
