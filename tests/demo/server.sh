# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The walk's source: a real API server beside the guest, spoken to with kubectl.
# node1's knpd has a kubeconfig, node2's what a pod of its account has. Sourced by
# demo.sh.
# shellcheck source=tests/guest/cluster.sh
. /guest/cluster.sh

source_up() { cluster_up || fail "no topology"; }

# documents KIND: of cluster.yaml, as one creates them; addresses are for the
# stand-in of the kubelets, which sets the status
documents() {
	awk -v kind="$1" '
	FNR == NR { addresses[$1] = $4 "," $5; next }
	$0 !~ "kind: " kind "\n" { next }
	kind == "Pod" {
		match($0, /namespace: [a-z]+/)
		name = substr($0, RSTART + 11, RLENGTH - 11)
		match($0, /  name: [a-z]+/)
		name = name "/" substr($0, RSTART + 8, RLENGTH - 8)
		sub(/status:\n.*/, "")
		sub(/metadata:\n/, "&  annotations: {knp.test/addresses: \"" \
			addresses[name] "\"}\n")
		sub(/  - name: [a-z]+\n/, "&    image: none\n")
	}
	{ printf "---\n%s", $0 }' "$HOSTS" RS='---\n' "$DEMO/manifests/cluster.yaml"
}

kubectl() {
	host kubectl "$@" >/run/kubectl.out || fail "kubectl: $(cat /run/kubectl.out)"
	cat /run/kubectl.out
}

# enforced_when CONDITION: of knpd_says, on both nodes
enforced_when() {
	local node

	for node in node1 node2; do
		await 40 knpd_says $node "enforced and ($1)" ||
			fail "$node: $(tail -n 3 "$LOGS/knpd-$node.log")"
	done
}

objects_come() {
	local namespace

	say "A real kube-apiserver, with etcd, RBAC and TLS, runs beside the guest. Pods are
routed, dual stack, and serve port 80."
	typed "kubectl apply -f cluster.yaml"
	documents Namespace | kubectl apply -f -
	for namespace in shop ops lab; do
		kubectl wait --for=create --timeout=20s -n $namespace \
			serviceaccount/default >/dev/null
	done
	documents Pod | kubectl apply -f -
	kubectl wait --for=condition=Ready --timeout=20s pod -A --all >/dev/null
	typed "kubectl get pods -A -o wide"
	kubectl get pods -A -o custom-columns=NAMESPACE:.metadata.namespace,NAME:.metadata.name,NODE:.spec.nodeName,IP:'.status.podIPs[*].ip'
	say "knpd may list and watch pods, namespaces and network policies, and nothing
else (deploy/base/rbac.yaml):"
}

policies_come() {
	local file

	say "Four files are applied:"
	describe_policies
	for file in "$DEMO"/manifests/[1-9]*.yaml; do
		typed "kubectl apply -f $(basename "$file")"
		kubectl apply -f - <"$file"
	done
	enforced_when "$(objects networkpolicies 5)"
	say "knpd watches: each was enforced as it came; for the last, node1 took
$(status node1 last_us) us from the event's first byte to the enforced generation."
}

# policy_changes FILE: stdin is its new content
policy_changes() {
	typed "kubectl apply -f $1"
	kubectl apply -f -
	enforced_when "$(newest networkpolicies)"
}
