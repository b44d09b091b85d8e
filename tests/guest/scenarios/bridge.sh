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
# shellcheck source=tests/guest/runtime.sh
. /guest/runtime.sh

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
	! ctl node2 attach "$@" 2>/run/refused &&
		contains "$(cat /run/refused)" nf_conntrack_bridge
}

attaches_to() { contains "$(ctl node2 status)" "$1"; }

# As nft shows them, where the kernel can (not in 6.1).
hooks() {
	on node2 nft list hooks | grep -v '^$'
	return 0
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
		knpd_start node2 --families ipv4,ipv6,bridge --cni --unknown-local pass &&
		enforced_since node1 0 && enforced_since node2 0
}

# No route leads to a port, so knp-cni alone can say which pod is behind it.
bound() {
	local name

	for name in x/c y/b z/a; do
		cni ADD $name || return 1
	done
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

# outside_up: a port of node2's bridge that is no pod's, and who is behind it has
# the tags and addresses of y-b. What they send is no pod's, but x-c is one.
outside_up() {
	ip netns add out &&
		ip -n node2 -batch - <<-END &&
		link add port type veth peer name beyond
		link set port master cni0 up
		link set beyond up
		link add link beyond name out0 type macvlan mode bridge
		link set out0 netns out name eth0
		END
		ip -n out link set eth0 up &&
		tagged out 2 &&
		ip -n out -batch /run/neighbours-2 &&
		hold_open tags out 10.5.0.3 80 UDP
}

# ---- frames, byte by byte: raw reads them; protocol 253 needs no checksum -------

mac_of() { on "$1" cat "/sys/class/net/${2:-eth0}/address" | tr -d :; }
hex4() {
	# shellcheck disable=SC2046,SC2183 # words are wanted
	printf '%02x%02x%02x%02x' $(echo "$1" | tr . ' ')
}
# of A:B:C:D::E
hex6() {
	local a b c d e

	IFS=: read -r a b c d _ e <<<"$1"
	printf '%04x%04x%04x%04x%016x' "0x$a" "0x$b" "0x$c" "0x$d" "0x$e"
}
link_local() {
	local mac

	mac=$(mac_of "$1")
	printf 'fe80000000000000%02x%sfffe%s' $((0x${mac:0:2} ^ 2)) "${mac:2:4}" "${mac:6}"
}

# checksum HEX
checksum() {
	local i sum=0

	for ((i = 0; i < ${#1}; i += 4)); do
		sum=$((sum + 0x${1:i:4}))
	done
	while [ $sum -gt 65535 ]; do
		sum=$((sum % 65536 + sum / 65536))
	done
	printf '%04x' $((65535 - sum))
}

# ipv4 FROM TO PROTOCOL NUMBER PAYLOAD [FIRST-BYTE [TOTAL-LENGTH]]: all but lengths
# in hexadecimal
ipv4() {
	local before

	before=$(printf '%s00%04x%04x000040%s' "${6:-45}" \
		"${7:-$((20 + ${#5} / 2))}" "$4" "$3")
	printf '0800%s%s%s%s%s' "$before" "$(checksum "${before}0000$1$2")" "$1" "$2" "$5"
}

# ipv6 FROM TO PROTOCOL NUMBER PAYLOAD [PAYLOAD-LENGTH]
ipv6() {
	printf '86dd6%07x%04x%sff%s%s%s' "$4" "${6:-$((${#5} / 2))}" "$3" "$1" "$2" "$5"
}

# arp SENDER-MAC SENDER TARGET [SIZE-OF-A-MAC [SIZE-OF-AN-ADDRESS]]: an answer
arp() {
	printf '08060001080%s%s%s0002%s%s000000000000%s' 0 "${4:-06}" "${5:-04}" \
		"$1" "$2" "$3"
}

# one_case TITLE FROM TO-MAC FRAME RECEIVER FAMILY SOUND REASON: then one that is
# sound has to arrive; both have numbers of their own
one_case() {
	local macs

	number=$((number + 1))
	macs=$3$(mac_of "$2")
	echo "case $1"
	echo "send $2 $macs${4//NUMBER/$(printf %04x $number)}"
	echo "mark $2 $macs$7"
	echo "expect $5 $6 $number $((number + 32768)) gone $8"
}

# sound FAMILY FROM TO: what arrives after the next case
sound() {
	"ipv$1" "$2" "$3" fd $((number + 1 + 32768)) 6b6e7030
}

# Of y/b, to x/c beside it, which admits it.
lies() {
	local from to from6 to6 mac next

	from=$(hex4 "$(ip4_of y/b)") to=$(hex4 "$(ip4_of x/c)")
	from6=$(hex6 "$(ip6_of y/b)") to6=$(hex6 "$(ip6_of x/c)")
	mac=$(mac_of x-c)
	while read -r family reason title frame; do
		# shellcheck disable=SC2034 # frames say it
		next=$((number + 1))
		if [ "$family" = 4 ]; then
			one_case "${title//_/ }" y-b "$mac" "$(eval "$frame")" x-c 4 \
				"$(sound 4 "$from" "$to")" "$reason"
		else
			one_case "${title//_/ }" y-b "$mac" "$(eval "$frame")" x-c 6 \
				"$(sound 6 "$from6" "$to6")" "$reason"
		fi
	done <<-'END'
	4 17:l2proto a_header_too_short ipv4 $from $to fd $next 6b6e7030 44
	4 17:l2proto another_version ipv4 $from $to fd $next 6b6e7030 65
	4 17:l2proto longer_than_the_frame ipv4 $from $to fd $next 6b6e7030 45 200
	4 17:l2proto options_that_are_not_there ipv4 $from $to fd $next 6b6e7030 4f 24
	4 17:l2proto shorter_than_its_header ipv4 $from $to fd $next 6b6e7030 45 19
	4 17:l2proto a_session_of_PPP echo 8864110000010006002145000014
	6 17:l2proto a_type_that_is_none_of_IP ipv6 $from6 $to6 fd $next 6b6e7030 | sed s/^86dd/88b5/
	6 17:l2proto another_version,_IPv6 ipv6 $from6 $to6 fd $next 6b6e7030 | sed s/^86dd6/86dd5/
	6 17:l2proto longer_than_the_frame,_IPv6 ipv6 $from6 $to6 fd $next 6b6e7030 2000
	4 14:spoof ARP_for_another_pod arp $(mac_of y-b) $to $from
	4 14:spoof ARP_for_the_bridge arp $(mac_of y-b) $(hex4 10.244.2.254) $from
	4 17:l2proto ARP_of_other_sizes arp $(mac_of y-b) $from $to 08
	4 17:l2proto ARP_of_addresses_of_other_sizes arp $(mac_of y-b) $from $to 06 06
	6 14:spoof an_advertisement_for_another_pod ipv6 $from6 $to6 3a $next 8800000060000000$to6
	4 14:spoof the_load_balancer's_address ipv4 $(hex4 168.63.129.16) $to fd $next 6b6e7030
	6 10:unknown-local between_link-local_addresses ipv6 $(link_local y-b) $(link_local x-c) fd $next 6b6e7030
	6 10:unknown-local to_a_link-local_address ipv6 $from6 $(link_local x-c) fd $next 6b6e7030
	6 8:ingress from_a_link-local_address ipv6 $(link_local y-b) $to6 fd $next 6b6e7030
	END
}

# stranger: y/b says by ARP that it is who nobody has told of, at 10.244.2.77
stranger() {
	one_case "ARP of who is not known" y-b "$(mac_of x-c)" \
		"$(arp "$(mac_of y-b)" "$(hex4 10.244.2.77)" "$(hex4 "$(ip4_of x/c)")")" \
		x-c 4 "$(sound 4 "$(hex4 "$(ip4_of y/b)")" "$(hex4 "$(ip4_of x/c)")")" "$1"
}

# finds_duplicate NETNS ADDRESS: somebody else says that it has it
finds_duplicate() { ! on "$1" busybox arping -D -q -w 3 -I eth0 "$2"; }

# An error of y/b about what node2 has sent to x/c, by its port 9994
forged_error() {
	local icmp node

	node=$(hex4 10.244.2.254)
	icmp=$(ipv4 "$node" "$(hex4 "$(ip4_of x/c)")" 11 7 270a0051000c0000)
	icmp=00000000${icmp:4}
	icmp=0301$(checksum "03010000$icmp")$icmp
	one_case "an error that it has made up" y-b "$(mac_of node2 cni0)" \
		"$(ipv4 "$(hex4 "$(ip4_of y/b)")" "$node" 01 $((number + 1)) "$icmp")" \
		node2 4 "$(sound 4 "$(hex4 "$(ip4_of y/b)")" "$node")" 14:spoof
}

# node_asks: node2 has a connection with x/c, which answers
node_asks() {
	on node2 sysctl -qw net.ipv4.ip_local_port_range="9994 9994"
	equals "$(one node2 "$(ip4_of x/c)" 81/UDP)" yes
}

# Where br_netfilter shows them, from y/a to x/b
shown_link_local() {
	one_case "between link-local addresses, shown" y-a "$(mac_of x-b)" \
		"$(ipv6 "$(link_local y-a)" "$(link_local x-b)" fd $((number + 1)) 6b6e7030)" \
		x-b 6 "$(sound 6 "$(hex6 "$(ip6_of y/a)")" "$(hex6 "$(ip6_of x/b)")")" \
		10:unknown-local
}

# frames NODE CASES
frames() {
	local code=0

	raw "$1" <"$2" >/run/raw 2>&1 || code=$?
	cat "$2" >>"$LOGS/frames"
	cat /run/raw
	return $code
}

# A pod that nobody has told of, on node1's bridge, and a datagram to it.
late_up() {
	ip netns add late &&
		ip -n node1 -batch - <<-END &&
		link add azv-late type veth peer name eth0 netns late
		link set azv-late master cni0 up
		END
		pod_inside 10.244.1.99 fd00:10:244:1::99 | ip -n late -batch - &&
		await 20 port_is_pod node1 late
}

# unknown COUNT NETNS ADDRESS: so many of one datagram are dropped as unknown
unknown() {
	local before

	before=$(counts node1 '{"unknown-local":0}')
	DEADLINE=500 one "$2" "$3" 80/UDP >/dev/null
	equals "$(counted node1 "$before")" "{\"unknown-local\":$1}"
}

# What is larger than the length of IPv6 can say, which is 0 then, is cut up where it
# leaves. Where none is seen in FORWARD (6.1), what is sent has to arrive.
big_up() {
	ip -n y-b link set eth0 gso_max_size 150000
	on node2 nft -f - <<-END
	table bridge big {
		chain forward {
			type filter hook forward priority 1000
			ip6 length 0 counter
		}
	}
	END
}

# 8 MB from y/b to z/a
big_arrives() {
	local nc before

	on z-a nc -l -p 99 >/run/big &
	nc=$!
	before=$(counts node2 '{"l2proto":0,"ct-invalid":0}')
	# shellcheck disable=SC2016 # of the other shell
	await 5 on y-b bash -c 'head -c 8000000 /dev/zero >"/dev/tcp/$0/99"' \
		"$(ip6_of z/a)" || kill $nc
	wait $nc
	equals "$(wc -c </run/big)" 8000000 &&
		equals "$(counted node2 "$before")" '{"l2proto":0,"ct-invalid":0}'
}

big_was_big() { on node2 nft list table bridge big | grep "counter packets [1-9]"; }

frames_reported() {
	grep "l2proto: a frame from azv-y-b" /run/monitor
}

check "modules are there" modprobe -a bridge br_netfilter 8021q macvlan nft_meta_bridge
topology_up
shown node1 1
shown node2 0
serve
cluster_manifests | publish cluster.yaml
check "module loads" load_module
check "bridges are refused without their connection tracking" \
	refused_without_conntrack ipv4 ipv6 bridge
check "and nothing is attached" attaches_to "nothing is enforced"
check "IP is attached" ctl node2 attach ipv4 ipv6
check "bridges are refused again" refused_without_conntrack bridge
check "and what was attached stays so" attaches_to "ipv4 ipv6"
check "bridges are refused, with what is attached already" \
	refused_without_conntrack ipv4 ipv6 bridge
check "and that stays so, too" attaches_to "ipv4 ipv6"
check "until it is detached" ctl node2 detach --yes
hooks_before=$(hooks)
check "connection tracking of bridges is there" modprobe nf_conntrack_bridge
check "both nodes enforce" nodes_up
check "node2 attached to bridges" attached node2
check "knp-cni tells node2 which pod is behind which port" bound
check "the ports of a bridge are pods'" port_is_pod node1 x-a
check "on either node" port_is_pod node2 y-b

refused_by() { equals "$(one y-a "$1" 83/UDP)" refused; }
check "an error of a pod is its own where nobody says by which port it is" \
	refused_by "$(ip4_of x/b)"
check "that of IPv6 as well" refused_by "$(ip6_of x/b)"
check "a pod that nobody has told of is on the bridge of node1" late_up
check "it is reached by default" unknown 0 y-a 10.244.1.99
check "and reaches the node" unknown 0 late 10.244.1.254
check "what is not known is closed" ctl node1 config unknown-local=drop
check "it is not reached then, by the port that is its own" unknown 1 y-a 10.244.1.99
check "nor does it reach the node, by the same port" unknown 1 late 10.244.1.254
ctl node1 config unknown-local=pass

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

check "somebody looks for what is larger than a packet" big_up
check "between ports, it arrives" big_arrives
[[ $(uname -r) == [1-6].* ]] || check "... and was not cut up before" big_was_big
on node2 nft delete table bridge big
ip -n y-b link set eth0 gso_max_size 65536

number=0
lies >/run/frames.lies
check "between ports, what a pod makes up does not pass" frames node2 /run/frames.lies
check "who looks for a duplicate of his address finds it" \
	finds_duplicate y-b "$(ip4_of x/c)"
stranger "" >/run/frames.known
check "who is not known may say where he is" frames node2 /run/frames.known
ctl node2 config unknown-local=drop
stranger 10:unknown-local >/run/frames.unknown
check "but where he is closed: not even by ARP" frames node2 /run/frames.unknown
check "whoever looks for a duplicate there finds it as well" \
	finds_duplicate y-b "$(ip4_of x/c)"
ctl node2 config unknown-local=pass
check "node2 has a connection of its own" node_asks
forged_error >/run/frames.error
check "an error about it is not another pod's" frames node2 /run/frames.error
shown_link_local >/run/frames.shown
check "shown by br_netfilter, nor do link-local addresses" frames node1 /run/frames.shown

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
check "somebody is there who is no pod" outside_up
ctl node2 config mode=enforce
hold_say tags "send tags-enforced" >/dev/null
ctl node2 config mode=audit
hold_say tags "send tags-audited" >/dev/null
check "audit lets what he sends to a pod with a tag pass" \
	await 5 datagram_seen tags-audited
refute "which is dropped otherwise" datagram_seen tags-enforced
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
check "node2 leaves all" ctl node2 detach --yes
check "its hooks, and those of connection tracking, are as before" \
	equals "$(hooks)" "$hooks_before"

finish
