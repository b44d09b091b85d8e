#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Packets byte by byte: the corpus of tests/packets, whose README.md says who
# sends what to whom and what is expected. One check is one group of it, all of
# its cases on all of their paths. Pods say nothing of their own meanwhile.
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh

# add_pod NAME NODE IP4 IP6 LABELS
add_pod() {
	local ns=${1/\//-}

	echo "$1 $ns $2 $3 $4 $5" >>$HOSTS
	ip netns add "$ns" &&
		pod_link "$ns" "$3" "$4" | ip -n "$2" -batch - &&
		pod_inside "$3" "$4" | ip -n "$ns" -batch -
}

# corpus GROUP
corpus() {
	local code=0 n

	raw node1 <"/guest/packets/$1" >/run/corpus 2>&1 || code=$?
	cat /run/corpus >>"$LOGS/corpus"
	n=$(sed -n 's/ cases$//p' /run/corpus)
	total=$((total + ${n:-0}))
	cat /run/corpus
	return $code
}

quiet() {
	local ns

	while read -r _ ns _; do
		on "$ns" nft -f - <<-END || return 1
		table inet quiet {
			chain out {
				type filter hook output priority 0; policy drop
			}
		}
		END
	done < <(pods)
}

# notrack PRIORITY: nothing that comes to node1 is tracked
notrack() {
	on node1 nft -f - <<-END
	table inet untracked {
		chain pre {
			type filter hook prerouting priority $1
			notrack
		}
	}
	END
}

track() { on node1 nft delete table inet untracked; }

# The node's datagrams to a pod that does not answer: conntrack knows of them for
# half a minute. An error about one is among the cases.
node_sends() {
	local address range

	range=$(on node1 sysctl -n net.ipv4.ip_local_port_range)
	on node1 sysctl -qw net.ipv4.ip_local_port_range="9994 9994"
	for address in "$(ip4_of y/d)" "$(ip6_of y/d)"; do
		DEADLINE=50 one node1 "$address" 81/UDP
	done
	on node1 sysctl -qw net.ipv4.ip_local_port_range="$range"
}

# Port 80 is taken for FTP's.
help_ftp() {
	# a module of its own before 6.2
	modprobe -q nft_objref
	modprobe nf_conntrack_ftp &&
		on node1 nft -f - <<-END
		table ip helpers {
			ct helper ftp {
				type "ftp" protocol tcp
			}
			chain pre {
				type filter hook prerouting priority 0
				tcp dport 80 ct helper set "ftp"
			}
		}
		END
}

enforces() {
	knpd_start node1
	enforced_since node1 0
}

# The kernel says so once for each packet; the guest's log has to stay clean.
fill_conntrack() {
	echo 0 >/proc/sys/net/core/message_burst
	on node1 cat /proc/sys/net/netfilter/nf_conntrack_count \
		>/proc/sys/net/netfilter/nf_conntrack_max
}

empty_conntrack() {
	echo 262144 >/proc/sys/net/netfilter/nf_conntrack_max
	echo 10 >/proc/sys/net/core/message_burst
}

total=0
topology_up
add_pod y/d node1 10.244.1.4 fd00:10:244:1::4 app=client
serve
cluster_manifests | publish cluster.yaml
{
	policy x/to <<-END
	podSelector: {matchLabels: {app: server}}
	policyTypes: [Ingress]
	ingress: [{ports: [{port: 4000, protocol: UDP}, {port: 80}]}]
	END
	policy x/from <<-END
	podSelector: {matchLabels: {app: client}}
	policyTypes: [Egress]
	egress: [{ports: [{port: 4000, protocol: UDP}, {port: 80}]}]
	END
} | publish policies.yaml
check "module loads" load_module
check "node1 enforces" enforces

# ---- no room for a connection ---------------------------------------------

hold_open first y-a "$(ip4_of y/d)" 80 TCP
hold_open second y-a "$(ip6_of y/d)" 80 TCP
check "a connection" equals "$(hold_say first ping) $(hold_say second ping)" \
	"pong pong"
fill_conntrack
check "no room for connections: an allowed one does not pass" \
	reaches no y/a x/b 80/TCP
check "no room for connections: one between free pods does not pass" \
	reaches no y/a y/d 81/UDP
check "those that are there go on" equals \
	"$(hold_say first ping) $(hold_say second ping)" "pong pong"
empty_conntrack
check "there is room: an allowed one passes" reaches yes y/a x/b 80/TCP
hold_close first
hold_close second

# ---- the next pod with an address ---------------------------------------------

next_pod() {
	sed -i "s|^y/d y-d|x/e y-d|; /^x\/e/s/app=client/app=server/" $HOSTS
	cluster_manifests | publish cluster.yaml
	enforced_since node1 "$before"
}

hold_open datagrams y-a "$(ip4_of y/d)" 81 UDP --deadline 1000
check "datagrams are answered" equals "$(hold_say datagrams ping)" pong
before=$(status node1 enforced_version)
check "the pod has gone, another one has its address" next_pod
check "the next pod gets nothing of its connections" \
	equals "$(hold_say datagrams ping)" lost
hold_close datagrams
before=$(status node1 enforced_version)
sed -i "s|^x/e y-d|y/d y-d|; /^y\/d/s/app=server/app=client/" $HOSTS
cluster_manifests | publish cluster.yaml
check "the first one is back" enforced_since node1 "$before"

# ---- the corpus --------------------------------------------------------------

check "pods are quiet" quiet
check "addresses, protocols and ports decide" corpus plain
check "fragments are judged as a whole, in any order" corpus fragments
check "options, extension headers and lengths hide nothing" corpus headers
check "ICMP errors pass with their connection alone" corpus icmp
check "what looks like part of a connection does not pass with it" \
	corpus tracking
check "frames that are not plain IP reach nobody" corpus link
check "multicast and broadcast are nobody's address" corpus multicast
check "neighbours are found" corpus neighbours
check "the node sends to a pod that does not answer" \
	equals "$(node_sends | tr "\n" " ")" "no no "
check "nobody sends in another's name" corpus spoof
check "pods are no routers" corpus router
check "a packet in a packet does not reach the node" corpus encap
check "the operator lets packets in packets pass" \
	on node1 knpctl config encap=pass
check "packets in packets are judged by policies then" corpus encap_pass
check "the operator lets nothing unknown pass" \
	on node1 knpctl config encap=drop unknown-local=drop
check "nobody is behind a pod's interface but the pod" corpus unknown
check "the operator lets it pass again" \
	on node1 knpctl config unknown-local=pass
check "a helper of conntrack expects connections" help_ftp
check "what a helper expects is judged, too" corpus helpers
notrack -300
check "untracked packets are judged by their headers" corpus untracked
track
notrack -450
check "fragments that nobody puts together have no ports" corpus unassembled
track
check "the corpus has not shrunk ($total cases)" test "$total" -ge 1300

finish
