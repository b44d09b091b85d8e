#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The first seconds of a pod: its network is there, the API server does not know
# its address yet. With knp-cni in the chain (node1) it is judged by its policies
# from its first packet on; without (node2) it is closed or open until then, as
# the operator has chosen. Pods are made as a container runtime makes them.
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/runtime.sh
. /guest/runtime.sh

# a SYN that is lost is sent again after a second: yes means that none was
DEADLINE=900

# born NAME NODE NUMBER LABELS: a pod is scheduled; it has no address yet
born() {
	local net=${2#node}

	echo "$1 ${1/\//-} $2 10.244.$net.$3 fd00:10:244:$net::$3 $4" >>$HOSTS
	line_of "$1" | pod_manifest |
		sed '/podIPs/d; s/phase: .*/phase: Pending/' |
		publish "pod-${1/\//-}.yaml"
}

# told NAME: the API server tells its addresses
told() { line_of "$1" | pod_manifest | publish "pod-${1/\//-}.yaml"; }

has_role() {
	local index

	index=$(on "$1" cat "/sys/class/net/azv-$2/ifindex")
	ctl "$1" get ifaces -o json | jq -e --argjson index "$index" \
		'.. | objects | select(.ifindex? == $index)'
}

node1_starts() {
	knpd_start node1 --cni
	enforced_since node1 0
}

# tells NAME NODE: and to that node, where it is new, it is enforced
tells() {
	local version

	version=$(status "$2" enforced_version)
	told "$1"
	enforced_since "$2" "$version"
}

topology_up
serve
cluster_manifests | publish cluster.yaml
check "module loads" load_module
check "node1 enforces, with knp-cni" node1_starts
knpd_start node2 --unknown-local drop
check "node2 enforces, without" enforced_since node2 0
check "what node1 does not know is dropped" contains \
	"$(ctl node1 status)" "unknown-local drop"
change "x reaches x alone" apply x/own <<-END
	podSelector: {}
	policyTypes: [Ingress, Egress]
	ingress: [{from: [{podSelector: {}}]}]
	egress: [{to: [{podSelector: {}}]}]
END

# ---- with knp-cni -----------------------------------------------------------

before=$(unknown_drops node1)
born x/new node1 21 app=client
check "knp-cni adds a pod whose address nobody has told" starts x/new
check "it prints the result before it" jq -e \
	--slurpfile conf /run/cni.conf ". == \$conf[0].prevResult" /run/cni.out
check "its first packets reach whom they may" \
	reaches yes x/new x/b 80/TCP 80/UDP
check "its first packets reach nobody else" reaches no x/new y/a 80/TCP 80/UDP
check "who may not does not reach it" reaches no y/a x/new 80/TCP
check "the node reaches it" on node1 ping -c 1 -W 2 "$(ip4_of x/new)"
check "nothing of it was dropped as unknown" \
	equals "$(unknown_drops node1)" "$before"
check "CHECK says so" cni CHECK x/new

generation=$(generation node1)
knpd_kill node1
check "knpd is killed before the address is told: the kernel has it" \
	is_endpoint node1 "$(ip4_of x/new)"
check "knpd is started again" node1_starts
check "it has written nothing" equals "$(generation node1)" "$generation"
sleep 1.5
check "the address is told 1.5 s late" tells x/new node2
change "something comes after it" apply y/nobody <<-END
	podSelector: {matchLabels: {app: nobody}}
END
check "nothing was to be written for it" \
	equals "$(generation node1)" "$generation"

knpd_kill node1
born x/down node1 22 app=client
refute "knpd is down: an addition fails" starts x/down
check "it is to be tried again" refused_with 11 "knpd does not answer"
check "a deletion succeeds" ends x/down
check "knpd is back" node1_starts
check "knpd is back: an addition succeeds" starts x/down
check "it is judged by its policies" reaches no x/down y/a 80/TCP

born y/free node1 23 app=client
check "a pod that no policy selects" starts y/free
check "its address is told" tells y/free node2
check "it reaches whom it likes" reaches yes y/free y/a 80/TCP
check "it ends, and the API server still shows it" ends y/free
born x/next node1 23 app=client
check "the next pod has its address" starts x/next
check "it is judged by its own policies" reaches no x/next y/a 80/TCP
check "it ends" ends x/next
refute "nobody has the address now" cni CHECK x/next
refute "CHECK of the one before fails, too" cni CHECK y/free

# ---- without ----------------------------------------------------------------

born z/late node2 21 app=client
pod_network_up z/late
check "its interface is found by its routes" \
	await 5 has_role node2 z-late
check "drop: closed until the address is told" reaches no z/late y/b 80/TCP
refute "and counted" equals "$(unknown_drops node2)" 0
before=$(unknown_drops node2)
check "nor is it reached" reaches no y/b z/late 80/UDP
check "by a datagram of either family" equals "$(unknown_drops node2)" $((before + 2))
check "the address is told" tells z/late node2
check "drop: open then" reaches yes z/late y/b 80/TCP 80/UDP

check "the operator chooses pass" on node2 knpctl config unknown-local=pass
born x/late node2 22 app=client
pod_network_up x/late
check "pass: open until the address is told" reaches yes x/late y/b 80/TCP
check "the address of that one is told" tells x/late node2
check "pass: judged by its policies then" reaches no x/late y/b 80/TCP

finish
