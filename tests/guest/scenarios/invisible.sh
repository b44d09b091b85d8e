#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What passes around netfilter is not seen, and knpd says so: programs of XDP
# and tc, flowtables, a bridge whose frames are not shown, and a pod without an
# interface on the node. It says it once, and when it is over.
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh

PINS=/run/bpf

programs_up() {
	mkdir -p $PINS && mount -t bpf bpf $PINS &&
		probe bpf xdp $PINS/xdp && probe bpf tc $PINS/tc &&
		ip -n node1 link set dev azv-x-a xdpgeneric pinned $PINS/xdp &&
		on node1 tc qdisc add dev azv-x-b clsact &&
		on node1 tc filter add dev azv-x-b egress bpf direct-action \
			object-pinned $PINS/tc
}

flowtable_up() {
	on node1 nft -f - <<-END
	table inet fast {
		flowtable f {
			hook ingress priority 0
			devices = { uplink, azv-y-a }
		}
	}
	END
}

bridge_up() {
	ip netns add other &&
		ip -n node1 -batch - <<-END
		link add docker0 type bridge
		link set docker0 up
		link add port type veth peer name eth0 netns other
		link set port master docker0 up
		END
}

# macvlan_up: a pod whose interface is none of the node's
macvlan_up() {
	echo "v/a v-a node1 192.168.50.9 fd00:50::9 app=fast" >>$HOSTS
	ip netns add v-a &&
		ip -n node1 link add link uplink name fast type macvlan mode bridge &&
		ip -n node1 link set fast netns v-a &&
		tail -n 1 $HOSTS | pod_manifest | publish pod-v-a.yaml
}

# has_tcx: programs of tc that are links
has_tcx() { probe bpf tcx $PINS/tcx node1 azv-y-a 2>/dev/null; }

# says TEXT: in status.json
says() {
	status node1 'uncovered[]' | grep -qF "$1"
}

says_nothing() {
	equals "$(status node1 uncovered_count)" 0
}

# times TEXT: how often knpd has logged it
times() { grep -cF "$1" "$LOGS/knpd-node1.log"; }

# uncovered WHAT TEXT
uncovered() {
	check "$1 is told" await 20 says "$2"
	check "$1 is told by knpctl" contains "$(ctl node1 status)" "$2"
}

topology_up
cluster_manifests | publish cluster.yaml
check "modules are there" modprobe -a macvlan bridge sch_ingress cls_bpf \
	nf_flow_table_inet
check "module loads, both nodes enforce" nodes_start
check "programs are attached" programs_up
check "a flowtable is there" flowtable_up
check "a bridge is there" bridge_up
check "a macvlan pod is there" macvlan_up
tcx=
! has_tcx || tcx=1

uncovered "an XDP program" "XDP program at azv-x-a: what it redirects passes no hook"
uncovered "a BPF program of tc" "tc BPF program at azv-x-b, egress: what it redirects"
uncovered "a flowtable" "flowtable f in table inet fast: what it offloads passes no hook"
uncovered "a bridge" "bridge docker0: frames between its ports pass no hook"
uncovered "a macvlan pod" "v/a: 192.168.50.9 is behind uplink, no pod's interface"
uncovered "its IPv6 address" "v/a: fd00:50::9 is behind uplink, no pod's interface"
[ -z "$tcx" ] || uncovered "a program of tcx" "tcx BPF program at azv-y-a, ingress"
diag "tcx: ${tcx:-not in this kernel}"
check "it is scraped" scrape node1
counted_as() { equals "$(metric "knp_uncovered_ifaces{kind=\"$1\"}")" "$2"; }
check "an XDP program is counted" counted_as xdp 1
check "so are those of tc" counted_as tc $((1 + ${tcx:-0}))
check "and flowtables" counted_as flowtable 1
check "and bridges" counted_as bridge 1
check "and addresses" counted_as address 2
check "a probe is warned" contains "$(ask node1 /readyz)" \
	"warning uncovered: XDP program at azv-x-a"
check "and the node is ready" contains "$(ask node1 /readyz)" "200 OK"
check "the other node has none of it" equals "$(status node2 uncovered_count)" 0

ip -n node1 link set dev azv-x-a xdpgeneric off
on node1 tc qdisc del dev azv-x-b clsact
on node1 nft delete table inet fast
ip -n node1 link del docker0
withdraw pod-v-a.yaml
rm -f $PINS/tcx
check "when it is over, that is told, too" await 20 says_nothing
check "it was logged once" equals "$(times 'uncovered: XDP program')" 1
check "and its end" equals "$(times 'covered again: XDP program')" 1

finish
