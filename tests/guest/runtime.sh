# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What a container runtime does when a pod starts and ends: the plugins before
# knp-cni make its network, then knp-cni is run as one of the chain. The pod is a
# line of HOSTS. Sourced after lib.sh.

# seconds until knp-cni gives up
CNI_TIMEOUT=20

line_of() { awk -v name="$1" '$1 == name' "$HOSTS"; }

# pod_network_up NAME, pod_network_down NAME: what the plugins before do
pod_network_up() {
	local ns node ip4 ip6

	read -r _ ns node ip4 ip6 _ < <(line_of "$1")
	ip netns add "$ns" &&
		pod_link "$ns" "$ip4" "$ip6" | ip -n "$node" -batch - &&
		pod_inside "$ip4" "$ip6" | ip -n "$ns" -batch -
}

pod_network_down() {
	local ns node

	read -r _ ns node _ < <(line_of "$1")
	ip -n "$node" link del "azv-$ns"
	ip netns del "$ns"
}

# pod_uid NAME: as the API server knows it
pod_uid() { echo "pod-${1/\//-}"; }

# cni COMMAND NAME: what it says is in /run/cni.out
cni() {
	local ns node ip4 ip6

	read -r _ ns node ip4 ip6 _ < <(line_of "$2")
	cat >/run/cni.conf <<-END
	{"cniVersion": "1.0.0", "name": "azure", "type": "knp-cni",
	 "socket": "$(runtime_of "$node")/cni.sock", "timeout": $CNI_TIMEOUT,
	 "prevResult": {"cniVersion": "1.0.0",
	  "interfaces": [{"name": "eth0", "sandbox": "/run/netns/$ns"}],
	  "ips": [{"address": "$ip4/32", "interface": 0},
	          {"address": "$ip6/128", "interface": 0}]}}
	END
	on "$node" env CNI_COMMAND="$1" CNI_CONTAINERID="id-$ns" \
		CNI_NETNS="/run/netns/$ns" CNI_IFNAME=eth0 CNI_PATH=/bin \
		CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=${2%/*};K8S_POD_NAME=${2#*/};K8S_POD_UID=$(pod_uid "$2")" \
		knp-cni </run/cni.conf >/run/cni.out 2>>"$LOGS/cni.err"
}

# starts NAME: network, then knp-cni
starts() { pod_network_up "$1" && cni ADD "$1"; }

# ends NAME: as the runtime does it; the API server still shows it for a while
ends() { cni DEL "$1" && pod_network_down "$1"; }

refused_with() {
	jq -e --argjson code "$1" --arg words "$2" \
		'.code == $code and (.msg | contains($words))' /run/cni.out
}

# is_endpoint NODE ADDRESS
is_endpoint() {
	ctl "$1" get endpoints -o json | grep "\"$2\"" >/dev/null
}

# unknown_drops NODE: packets
unknown_drops() {
	ctl "$1" stats -o json |
		jq '[.. | objects | select(.reason? == "unknown-local") | .packets] | add // 0'
}
