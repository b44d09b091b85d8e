#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The containers of deploy/knp.yaml and deploy/uninstall.yaml on two nodes, from the
# images of "make image", with the capabilities, mounts and seccomp profiles that
# the manifests give them, run by crun beside a real API server (tests/deploy/pods):
# load the module, chain knp-cni, enforce, be replaced, be deleted, be uninstalled.
#
# A node is a network namespace with its own folders for what a hostPath names.
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/cluster.sh
. /guest/cluster.sh

PODS=/guest/pods.d
HOST_PATHS='/etc/cni/net.d /opt/cni/bin /var/lib/knp'
CONFLIST=/etc/cni/net.d/10-azure.conflist
PORTS='80/TCP 81/TCP'
# containers start on an emulated CPU
PATIENCE=120
NET_ADMIN=0000000000001000
crun=(crun --cgroup-manager=cgroupfs)

# What Azure CNI writes.
conflist() {
	cat <<-END
	{ "cniVersion": "0.3.0", "name": "azure", "plugins": [
	    { "type": "azure-vnet", "mode": "transparent",
	      "ipsToRouteViaHost": ["169.254.20.10"],
	      "ipam": { "type": "azure-vnet-ipam" } },
	    { "type": "portmap", "capabilities": { "portMappings": true },
	      "snat": true } ] }
	END
}

# node_folders NODE: what its hostPaths, emptyDirs and token are
node_folders() {
	local dir

	for dir in $HOST_PATHS; do
		mkdir -p "$dir" "/node/$1$dir"
	done
	mkdir -p /run/knp "$(runtime_of "$1")" "/run/pod/$1/module"
	ln -s $ACCOUNT "/run/pod/$1/token"
	conflist >"/node/$1$CONFLIST"
}

nodes_up() {
	mount -t cgroup2 none /sys/fs/cgroup && cluster_up && node_folders node1 && node_folders node2
}

# in_node NODE COMMAND...: in its network, with its folders; `ip netns exec` has
# made the namespace of mounts
in_node() {
	local node=$1

	shift
	# shellcheck disable=SC2016 # expanded by the inner shell
	ip netns exec "$node" bash -c '
		for dir in '"$HOST_PATHS"'; do
			mount --bind "/node/$0$dir" "$dir" || exit
		done
		mount --bind "/run/knp-$0" /run/knp &&
		mount -t cgroup2 none /sys/fs/cgroup && exec "$@"' "$node" "$@"
}

# contained NODE POD CONTAINER: until it ends; its words are kept. The root of an
# initramfs cannot be pivoted.
contained() {
	in_node "$1" "${crun[@]}" run --no-pivot --bundle "$PODS/$1/$2/$3" "$1-$3" \
		>/run/said 2>&1 </dev/null
	local status=$?

	cat /run/said
	cat /run/said >>"$LOGS/$1-$2-$3"
	return $status
}

# says WORDS NODE POD CONTAINER: it ends well, and says so
says() {
	contained "${@:2}" && contains "$(cat /run/said)" "$1"
}

# fails WORDS NODE POD CONTAINER
fails() {
	! contained "${@:2}" && contains "$(cat /run/said)" "$1"
}

pod_start() {
	rm -f "$(status_of "$1")"
	in_node "$1" "${crun[@]}" run --no-pivot --bundle "$PODS/$1/${2:-knp}/knpd" \
		"$1-knpd" >>"$LOGS/knpd-$1.log" 2>&1 </dev/null &
	KNPD_PID[$1]=$!
	enforced_since "$1" 0
}

# pod_end NODE: as a kubelet ends it
pod_end() {
	"${crun[@]}" kill "$1-knpd" TERM
	wait "${KNPD_PID[$1]}"
	contained_none "$1-knpd"
}

# as the kubelet asks, from the node
probed() {
	on "$1" curl -sSf --max-time 5 http://127.0.0.1:10097/healthz &&
		on "$1" curl -sSf --max-time 5 http://127.0.0.1:10097/readyz
}

contained_none() { ! "${crun[@]}" list -q | grep -x "$1"; }
inside() { "${crun[@]}" exec "$1-knpd" "${@:2}"; }

# of the process itself, as the kernel has it
facts() {
	local pid

	pid=$("${crun[@]}" state "$1-knpd" | jq .pid)
	awk '/^(CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):/ {
		printf "%s%s ", $1, $2 }' "/proc/$pid/status"
}

chain_is() {
	equals "$(jq -cS . "/node/$1$CONFLIST")" "$(conflist | jq -cS "$2")"
}

# STATUS of the plugin as the node's runtime runs it, by the path it was put at
plugin() {
	echo '{"cniVersion": "1.1.0", "name": "azure", "type": "knp-cni"}' |
		in_node "$1" env CNI_COMMAND=STATUS /opt/cni/bin/knp-cni
}

loaded() { test -e /sys/module/knp; }
module_file() { cp $PODS/module/knp.ko "/run/pod/$1/module/"; }
other_module() { cp $PODS/module/other.ko "/run/pod/$1/module/knp.ko"; }

host_package() {
	local dir

	dir=/lib/modules/$(uname -r)/updates/dkms
	ln -s kmod /bin/depmod
	mkdir -p "$dir" && cp $PODS/module/knp.ko "$dir" && depmod
}

policy_comes() {
	policy x/own <<-END | update
	podSelector: {}
	ingress: [{from: [{namespaceSelector: {matchLabels: {team: z-team}}}],
	  ports: [{port: 80}]}]
	END
}

enforced_everywhere() {
	matrix "$1" <<-END
	deny * x/* *
	allow z/* x/* 80/TCP
	END
}

open_everywhere() {
	matrix "$1" <<-END
	END
}

commits_nothing() {
	equals "$(generation "$1") $(status "$1" commits)" "$2 0"
}

# ---- install -----------------------------------------------------------------

check "the nodes have a way to the API server" nodes_up
serve
check "the manifests are applied" host kubectl apply -f - <$PODS/knp.yaml
check "namespaces and pods are made" cluster_create
check "a policy is made" policy_comes
refute "no module is loaded" loaded

check "module: without one it says what is missing" \
	fails "no module for $(uname -r), and none was built" node1 knp module
check "a module that was built for another kernel is there" other_module node1
check "module: it is refused" fails "is for 0." node1 knp module
check "the module that the build container has made is there" module_file node1
check "module: it is loaded" says "is loaded, built for this node" node1 knp module
check "module: on a node that has it nothing is done" \
	says "is loaded already" node2 knp module
for node in node1 node2; do
	check "cni: the chain of $node has knp-cni" \
		says "added to $CONFLIST" $node knp cni
	check "... at its end, and all that was in it" \
		chain_is $node '.plugins += [{"type": "knp-cni"}]'
	refute "... and no pod may start before knpd is there" plugin $node
	check "knpd: all is enforced on $node" pod_start $node
	check "... and pods may start" plugin $node
	check "liveness, readiness: its probes say so" probed $node
done
enforced_everywhere "the policy is enforced on both nodes"

# ---- confined ----------------------------------------------------------------

check "knpd has one capability, no way to more, and a seccomp filter" \
	equals "$(facts node1)" "CapPrm:$NET_ADMIN CapEff:$NET_ADMIN \
CapBnd:$NET_ADMIN CapAmb:0000000000000000 NoNewPrivs:1 Seccomp:2 "
refute "it cannot write to its image" inside node1 sh -c 'echo >/usr/x'
refute "... nor see the node's files" inside node1 ls /guest /etc/cni/net.d
refute "... nor load or unload modules" inside node1 rmmod knp
check "... which is still there" loaded
refute "... nor see the node's processes" inside node1 ls /proc/$$

# ---- replaced, deleted -------------------------------------------------------

before=$(generation node1)
hold_open c z-a "$(ip4_of x/a)" 80 TCP
check "a connection is open" equals "$(hold_say c ping)" pong
check "knpd's pod is ended" pod_end node1
check "... the connection goes on" equals "$(hold_say c ping)" pong
enforced_everywhere "... and the policy is enforced without it"
refute "... and no pod may start" plugin node1
check "knpd: its successor is started" pod_start node1
check "... and writes nothing: no gap" commits_nothing node1 "$before"
check "... the connection is the same" equals "$(hold_say c ping)" pong
hold_close c
check "its state is kept on the node" test -s /node/node1/var/lib/knp/state
check "cni: again, nothing is changed" says "already in" node1 knp cni

# ---- audit -------------------------------------------------------------------

check "audit: knpd's pod is ended" pod_end node1
check "audit: the chain is as it was" says "taken out" node1 audit cni
check "... all of it" chain_is node1 .
check "audit: knpd is started" pod_start node1 audit
check "... and judges, but drops nothing" \
	equals "$(ctl node1 config -o json | jq -r .mode)" audit
matrix "... on this node" <<-END
	deny * x/c *
	allow z/* x/c 80/TCP
END
check "audit: knpd's pod is ended" pod_end node1
check "enforce again: cni" says "added to" node1 knp cni
check "enforce again: knpd" pod_start node1
enforced_everywhere "... enforces"

# ---- uninstalled -------------------------------------------------------------

check "the manifests are deleted" host kubectl delete -f - <$PODS/knp.yaml
check "uninstall: a node with knpd is refused" \
	fails "knpd runs on this node" node1 uninstall detach
enforced_everywhere "... and enforces"
check "the pods of knpd are ended" pod_end node1
check "... on both nodes" pod_end node2
enforced_everywhere "without any pod of knp the policy is enforced"
check "the manifest of the end is applied" \
	host kubectl apply -f - <$PODS/uninstall.yaml
for node in node1 node2; do
	check "uninstall: cni, $node" says "taken out of $CONFLIST" $node uninstall cni
	check "... the chain is as it was" chain_is $node .
	check "uninstall: detach, $node" says "nothing is enforced" \
		$node uninstall detach
	check "... and nothing is left of knpd's files" \
		equals "$(ls -A "$(runtime_of $node)")$(ls -A /node/$node/var/lib/knp)" ""
done
open_everywhere "nothing is enforced"
check "uninstall: unload" says "knp is unloaded" node1 uninstall unload
refute "... the module is gone" loaded
for container in cni detach unload; do
	check "uninstall: $container, on a node without knp" \
		contained node2 uninstall $container
done

# ---- a node's own package ----------------------------------------------------

check "the node has a package of the module" host_package
rm /run/pod/node1/module/knp.ko
check "module: the package's is loaded" \
	says "is loaded, from the node's package" node1 knp module
check "uninstall: unload" says "knp is unloaded" node1 uninstall unload

finish
