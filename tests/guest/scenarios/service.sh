#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Services: destination NAT as kube-proxy's nftables mode does it, with and
# without masquerading. Policy has to judge the true client and the chosen
# backend on packet 1 (where the translation is new), on packet 2 and on the
# replies (where the header says neither), in TCP, UDP and SCTP, both families.
#
#   VIP 10.96.0.1, fd00:96::1     -> x/b, on the client's node
#   VIP 10.96.0.2, fd00:96::2     -> x/c, on the other node
#   VIP 10.96.0.3, fd00:96::3     -> x/b, masqueraded
#   VIP 10.96.0.4, fd00:96::4     -> x/b, port 8080 -> port 80
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh

# proxy_of FAMILY TYPE LOCAL REMOTE PREFIX... TARGET: one family's table; the
# third VIP is masqueraded, the fourth has a port of its own towards TARGET
proxy_of() {
	cat <<-END
	table $1 proxy {
		map backends {
			type $2 : $2
			elements = { ${5}1 : $3, ${5}2 : $4, ${5}3 : $3 }
		}
		chain pre {
			type nat hook prerouting priority dstnat
			$1 daddr ${5}3 meta mark set 0x4000
			$1 daddr ${5}4 tcp dport 8080 dnat to $7
			$1 daddr ${5}4 udp dport 8080 dnat to $7
			$1 daddr ${5}4 sctp dport 8080 dnat to $7
			$1 daddr $6 dnat to $1 daddr map @backends
		}
		chain post {
			type nat hook postrouting priority srcnat
			meta mark 0x4000 masquerade
		}
	}
	END
}

proxy() {
	proxy_of ip ipv4_addr "$(ip4_of x/b)" "$(ip4_of x/c)" 10.96.0. \
		10.96.0.0/16 "$(ip4_of x/b):80"
	proxy_of ip6 ipv6_addr "$(ip6_of x/b)" "$(ip6_of x/c)" fd00:96:: \
		fd00:96::/64 "[$(ip6_of x/b)]:80"
}

# through EXPECT FROM N: three round trips of one connection in every protocol
# through the Nth Service, to port PORT of it
through() {
	local expect=$1 from=$2 n=$3 address proto i got id=0

	for address in "10.96.0.$n" "fd00:96::$n"; do
		for proto in TCP UDP SCTP; do
			id=$((id + 1))
			hold_open s$id "$(netns_of "$from")" "$address" \
				"${PORT:-80}" $proto --deadline "${DEADLINE:-10000}"
			for i in 1 2 3; do
				got=$(hold_say s$id ping)
				[ "$got" = "$expect" ] || {
					echo "$proto to $address, round trip $i: $got"
					hold_close s$id
					return 1
				}
				[ "$expect" = pong ] || break
			done
			hold_close s$id
		done
	done
}

denied() {
	DEADLINE=600 through lost "$@"
}

# The same through the Service whose port is not its backends'.
translated() {
	PORT=8080 through pong "$1" 4
}

translated_denied() {
	PORT=8080 denied "$1" 4
}

# ports NUMBER: as a policy has them
ports() {
	echo "[{port: $1}, {port: $1, protocol: UDP}, {port: $1, protocol: SCTP}]"
}

topology_up
serve
cluster_manifests | publish cluster.yaml
check "module loads, both nodes enforce" nodes_start
check "Services are set up" on node1 nft -f - < <(proxy)

check "no policy: a Service with a backend here answers" through pong y/a 1
check "no policy: a Service with a backend elsewhere answers" through pong y/a 2
check "no policy: a masqueraded Service answers" through pong y/a 3
check "no policy: a Service with another port than its backend answers" translated y/a

change "x admits clients of y only" apply x/clients <<-END
	podSelector: {}
	ingress:
	- from:
	  - namespaceSelector: {matchLabels: {team: y-team}}
	    podSelector: {matchLabels: {app: client}}
END
check "admitted client: backend here, all packets and replies" through pong y/a 1
check "admitted client: backend elsewhere, all packets and replies" through pong y/a 2
check "admitted client: masqueraded, judged as itself" through pong y/a 3
check "other client: backend here is denied" denied x/a 1
check "other client: backend elsewhere is denied" denied x/a 2
check "other client: masquerading does not hide it" denied x/a 3
check "a backend reaches itself through its masqueraded Service" through pong x/b 3

change "the Service's address is no peer: y may send to VIPs only" \
	apply y/egress <<-END
	podSelector: {}
	policyTypes: [Egress]
	egress:
	- to: [{ipBlock: {cidr: 10.96.0.0/16}}, {ipBlock: {cidr: "fd00:96::/64"}}]
END
check "egress to a VIP is judged by its backend: denied" denied y/a 1
check "egress to a masqueraded VIP is judged by its backend: denied" denied y/a 3

change "y may send to the backends" apply y/egress <<-END
	podSelector: {}
	policyTypes: [Egress]
	egress:
	- to: [{namespaceSelector: {matchLabels: {team: x-team}}}]
	  ports: [{port: 80}, {port: 80, protocol: UDP}, {port: 80, protocol: SCTP}]
END
check "egress to the backend, here" through pong y/a 1
check "egress to the backend, elsewhere" through pong y/a 2
check "egress to the backend, masqueraded" through pong y/a 3
check "egress to the backend's port, not the Service's" translated y/a

change "x admits clients to the backend's port" apply x/clients <<-END
	podSelector: {}
	ingress:
	- ports: $(ports 80)
END
check "ingress at the backend's port, not the Service's" translated y/a

change "y may send to the Service's port only" apply y/egress <<-END
	podSelector: {}
	policyTypes: [Egress]
	egress:
	- ports: $(ports 8080)
END
check "egress to the Service's port is none to its backend" translated_denied y/a

change "x admits clients to the Service's port only" apply x/clients <<-END
	podSelector: {}
	ingress:
	- ports: $(ports 8080)
END
change "y may send anything" apply y/egress <<-END
	podSelector: {}
	policyTypes: [Egress]
	egress: [{}]
END
check "ingress at the Service's port is none at its backend" translated_denied y/a

finish
