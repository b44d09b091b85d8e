#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Kubernetes' own NetworkPolicy specs: see tests/conformance/run. The guest itself
# is the cluster's node: kube-proxy, a stand-in for the kubelet, which makes the
# pods (tests/cluster/servers/kubelet), and knpd. The suite runs on the host; a
# spec is a test of this scenario.
#
# On the kernel's command line:
#   knp.proxy=nftables|iptables
#   knp.agent=knpd|none     none: nothing enforces, and the specs have to notice
#   knp.specs=NUMBER        of specs that must run; without it, any but none
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/cluster.sh
. /guest/cluster.sh

NODE_FILES=$HOST_FILES/node
ALL_SPECS=50
# everything starts at once, on an emulated CPU
PATIENCE=120
POD_NETWORK=10.244.0.0/16

option() {
	sed -n "s/.*\\bknp\\.$1=\\([^ ]*\\).*/\\1/p" /proc/cmdline
}

proxy=$(option proxy)
agent=$(option agent)
specs=$(option specs)

# What holds where nothing is enforced. In the last one, whoever is left may reach
# everybody but himself, and nobody looks at that.
UNENFORCED="\
API should support creating NetworkPolicy API operations
API should support creating NetworkPolicy API with endport field
should enforce policy to allow ingress traffic from pods in all namespaces
should support allow-all policy
should enforce policy based on any PodSelectors
"

# The guest's own network namespace is what the others call by the node's name.
node_up() {
	echo "node1 node1 node1 $GUEST_ADDRESS - -" >$HOSTS
	echo /bin/modprobe >/proc/sys/kernel/modprobe
	set_defaults
	uplink_up && account_up && ip netns attach node1 $$
}

# A pod's command is named by its place in its image.
programs_up() {
	local name

	cp $NODE_FILES/{kube-proxy,kubelet} /bin/
	cp $NODE_FILES/agnhost /
	for name in iptables ip6tables; do
		ln -s xtables-nft-multi /bin/$name
		ln -s xtables-nft-multi /bin/$name-save
		ln -s xtables-nft-multi /bin/$name-restore
	done
}

kubelet_up() {
	kubelet --kubeconfig $NODE_FILES/kubelet.kubeconfig --node node1 \
		--address $GUEST_ADDRESS --external "$(cat $NODE_FILES/external)" \
		--tls-cert $NODE_FILES/kubelet.crt --client-ca $NODE_FILES/ca.crt \
		--tls-key $NODE_FILES/kubelet.key 2>"$LOGS/kubelet.log" &
	KUBELET_PID=$!
	await "$PATIENCE" host kubectl wait --for=condition=Ready node/node1
}

# Its limits of the conntrack table are not the guest's.
proxy_up() {
	kube-proxy --kubeconfig $NODE_FILES/proxy.kubeconfig \
		--proxy-mode "$proxy" --hostname-override node1 \
		--cluster-cidr $POD_NETWORK --conntrack-max-per-core 0 \
		2>"$LOGS/kube-proxy.log" &
	PROXY_PID=$!
	await "$PATIENCE" proxy_says "$proxy"
}

# the tables of either mode
proxy_says() {
	case $1 in
	nftables) nft list table ip kube-proxy ;;
	iptables) iptables -t nat -L KUBE-SERVICES -n ;;
	*) false ;;
	esac
}

agent_up() {
	load_module && knpd_start node1 && enforced_since node1 0
}

# how a spec has to end
expected() {
	if [ "$agent" = knpd ] || grep -qxF -- "$1" <<<"$UNENFORCED"; then
		echo passed
	else
		echo failed
	fi
}

# spec STATE SECONDS TITLE WHY: one test. A failure that is expected is one of
# connections, not of the harness.
spec() {
	local code=0 end=$1

	[[ $1 != failed || $4 == *"wrong results in reachability matrix"* ]] ||
		end="failed for another reason"
	equals "$end" "$(expected "$3")" >/run/check.out || code=1
	result "$code" "$3 ($2 s)"
	[ "$code" = 0 ] || diag "$(cat /run/check.out; printf '%b' "$4")"
	ended=$((ended + 1))
	[ "$1" = passed ] || failed=1
}

# suite: every line the suite says until its end
suite() {
	local line words

	host suite start || return 1
	while line=$(host suite next); do
		case $line in
		specs\ *) read -r _ planned _ all <<<"$line" ;;
		end\ *)
			verdict=${line#end }
			return
			;;
		*)
			IFS=$'\t' read -ra words <<<"$line"
			spec "${words[@]}"
			;;
		esac
	done
}

# An error of any kind looks like a denied connection to the specs. Denied is only
# what timed out; refused is what came before kube-proxy knew of the Service. SCTP's
# connect begins anew when a signal interrupts it, and is told if the other end has
# answered meanwhile: EISCONN, of an association that is established.
probes_ran() {
	grep 'exec ' "$LOGS/kubelet.log" | awk '
		/\]: CONNECTED/ { connected++; next }
		/\]: OTHER: .*endpoint is already connected/ { connected++; next }
		/\]: TIMEOUT/ { denied++; next }
		/\]: REFUSED/ { early++; next }
		/\]: OTHER: .*(network is unreachable|connection refused)/ {
			early++
			next
		}
		{ other = other $0 "\n" }
		END {
			printf "%d connected, %d timed out, %d refused\n%s",
				connected, denied, early, other
			exit connected == 0 || other != ""
		}'
}

stop_all() {
	kill "$KUBELET_PID" "$PROXY_PID" 2>/dev/null
	wait "$KUBELET_PID" "$PROXY_PID" 2>/dev/null
	cluster_evidence
}

planned=0
all=0
ended=0
failed=0
verdict=none
trap stop_all EXIT
check "the node has a way to the host" node_up
check "its programs are there" programs_up
check "its kubelet is ready" kubelet_up
check "kube-proxy has set up $proxy" proxy_up
if [ "$agent" = knpd ]; then
	check "knpd enforces" agent_up
else
	refute "nothing enforces" test -e /sys/module/knp
fi

suite
check "all of upstream's specs are there" equals "$all" $ALL_SPECS
check "those that were chosen have ended" equals "$ended" "${specs:-$planned}"
refute "... and are more than none" equals "$ended" 0
check "the suite's own verdict is the same" equals "$verdict" "$failed"
check "each of their probes has come to a verdict" probes_ran
echo "# $(head -n 1 /run/check.out)"
finish
