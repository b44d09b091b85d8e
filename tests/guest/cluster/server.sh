#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The ground of the other scenarios of this folder, as far as it is in the guest:
# a node reaches the API server with what a pod of knpd's account has, sees what
# is made on the host and what is done to the server, and nothing else has become
# different in the topology. What holds without a guest is in tests/cluster/check.
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/cluster.sh
. /guest/cluster.sh

PODS_PATH=/api/v1/pods
POLICIES_PATH=/apis/networking.k8s.io/v1/networkpolicies

# code NODE PATH [CURL-OPTION...]: the HTTP status, or curl's complaint
code() { from "$@" -o /dev/null -w '%{http_code}' 2>&1; }
answers() { equals "$(code "$1" "$2" "${@:4}")" "$3"; }
complains() { contains "$(code node1 $PODS_PATH "${@:2}")" "$1"; }

# what a node sees of the pods, a line each
seen() {
	from node2 $PODS_PATH | jq -r '.items[] | [.metadata.namespace + "/" +
		.metadata.name, .spec.nodeName, .status.phase,
		(.status.podIPs // [] | map(.ip) | join(","))] | join(" ")' | sort
}

all_seen() {
	equals "$(seen)" \
		"$(pods | awk '{ print $1, $3, "Running", $4 "," $5 }' | sort)"
}

policies_seen() {
	equals "$(from node1 $POLICIES_PATH | jq -c '[.items[] |
		[.metadata.namespace, .metadata.name, .spec.policyTypes[]]]')" "$1"
}

pod_reaches_host() { on x-a curl -sS --max-time 2 -k "$(server)/readyz"; }
make_policy() { echo 'podSelector: {}' | policy y/deny | create; }

check "the nodes have a way to the host" cluster_up
serve
check "node1 reaches the API server, its certificate is verified" \
	answers node1 $PODS_PATH 200
check "node2 as well" answers node2 $PODS_PATH 200
check "with another CA it is not" complains certificate \
	--cacert $ACCOUNT/other-ca.crt
refute "a pod has no way to the host" pod_reaches_host
matrix "everything else is as it was" 80/TCP <<-END
END

check "namespaces and pods are made on the host" cluster_create
check "a node sees them Running with their addresses" await 20 all_seen
check "a policy is made on the host" make_policy
check "a node sees it, with its defaults" policies_seen '[["y","deny","Ingress"]]'
refute "what kubectl refuses is refused here" host kubectl get pod -n x nobody

check "the server is stopped" host apiserver stop
check "... and refuses connections" complains "Couldn't connect"
check "the server is started" host apiserver start
check "... and answers" answers node1 $PODS_PATH 200
check "the server is paused" host apiserver pause
check "... and says nothing" complains "timed out" --max-time 2
check "the server is resumed" host apiserver resume

old=$(cat $ACCOUNT/token)
check "the token is rotated" token_rotate
refute "... and is another" equals "$(cat $ACCOUNT/token)" "$old"
check "... and is taken" answers node1 $PODS_PATH 200

finish
