#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# knp-cni and a real API server: a pod is created there, the container runtime
# makes its network and runs the plugin, and the API server learns the address
# last, as it is in a cluster. The pod is judged by its policies from its first
# packet on, also while the API server is away.
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/cluster.sh
. /guest/cluster.sh
# shellcheck source=tests/guest/runtime.sh
. /guest/runtime.sh

# a SYN that is lost is sent again after a second: yes means that none was
DEADLINE=900

pod_uid() {
	jq -r .metadata.uid "/run/pod-${1/\//-}"
}

# born NAME NODE NUMBER LABELS: created and scheduled; it has no address yet
born() {
	local net=${2#node}

	echo "$1 ${1/\//-} $2 10.244.$net.$3 fd00:10:244:$net::$3 $4" >>$HOSTS
	line_of "$1" | pod_object | sed '/annotations:/d; /knp.test/d' | create
	host kubectl get pod -n "${1%/*}" "${1#*/}" -o json >"/run/pod-${1/\//-}"
}

told_nothing() {
	equals "$(host kubectl get pod -n "${1%/*}" "${1#*/}" \
		-o 'jsonpath={.status.podIPs}')" ""
}

told() {
	host kubectl annotate pod -n "${1%/*}" "${1#*/}" \
		"knp.test/addresses=$(ip4_of "$1"),$(ip6_of "$1")" &&
		host kubectl wait --for=jsonpath='{.status.podIPs}' --timeout=20s \
			-n "${1%/*}" "pod/${1#*/}"
}

deleted() { host kubectl delete pod --timeout=20s -n "${1%/*}" "${1#*/}"; }

knpd_begins() {
	load_module
	knpd_start node1 --cni
	knpd_start node2
	enforced_since node1 0 && enforced_since node2 0
}

own() {
	policy x/own <<-END | update
	podSelector: {}
	policyTypes: [Ingress, Egress]
	ingress: [{from: [{podSelector: {}}]}]
	egress: [{to: [{podSelector: {}}]}]
	END
}

check "the nodes have a way to the API server" cluster_up
serve
check "pods and a policy are made" cluster_create
check "x reaches x alone" own
check "knpd enforces on both nodes" knpd_begins

before=$(unknown_drops node1)
check "a pod is created" born x/new node1 21 app=client
check "the runtime starts it" starts x/new
check "its first packets reach whom they may" \
	reaches yes x/new x/b 80/TCP 80/UDP
check "its first packets reach nobody else" reaches no x/new y/a 80/TCP 80/UDP
check "who may not does not reach it" reaches no y/a x/new 80/TCP
check "nothing of it was dropped as unknown" \
	equals "$(unknown_drops node1)" "$before"
check "the API server does not know its address yet" told_nothing x/new
generation=$(generation node1)
brings "it does: both nodes know" "$(objects pods 7)" told x/new
check "nothing was to be written for it on its own node" \
	equals "$(generation node1)" "$generation"

check "another pod is created" born x/away node1 22 app=client
check "knpd knows of it" await 20 knpd_says node1 "$(objects pods 8)"
check "the API server goes away" host apiserver stop
check "the runtime starts the pod all the same" starts x/away
check "it is judged by its policies" reaches no x/away y/a 80/TCP 80/UDP
check "it reaches whom it may" reaches yes x/away x/b 80/TCP 80/UDP
check "the API server comes back" host apiserver start

brings "the first one is deleted" "$(objects pods 7)" deleted x/new
check "its network goes" ends x/new
refute "its address is nobody's" is_endpoint node1 "$(ip4_of x/new)"
check "the other one is still there" is_endpoint node1 "$(ip4_of x/away)"

finish
