#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What comes, changes and goes at a real API server is what packets meet:
# policies, pods and namespaces, made, relabelled and deleted; a pod whose
# address comes later, one that has ended, an address that is used again. Nothing
# is pushed before all three lists are complete, and a knpd that was killed
# writes nothing when nothing has changed. node1 has a kubeconfig, node2 what a
# pod has. At the end it is measured how long a change takes to the first packet.
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/cluster.sh
. /guest/cluster.sh

PORTS='80/TCP 81/TCP 80/UDP'
CHANGES=40

not_allowed() {
	knpd_says "$1" '(.waiting | contains("knpd may not watch networkpolicies"))
		and of("pods").state == "watching"
		and of("namespaces").state == "watching"'
}

knpd_begins() {
	load_module && host rbac without watch networkpolicies || return 1
	knpd_start node1
	knpd_start node2
	await 30 not_allowed node1 && await 30 not_allowed node2
}

untouched() { equals "$(generation node1) $(generation node2)" "0 0"; }
label() { host kubectl label --overwrite "$@"; }
gone() { host kubectl delete --timeout=40s "$@"; }

# pod_comes NAME ADDRESS4 ADDRESS6 LABELS: on node2
pod_comes() { echo "$1 - node2 $2 $3 $4" | pods_create; }

address_comes() {
	host kubectl annotate pod -n z a \
		"knp.test/addresses=$(ip4_of z/a),$(ip6_of z/a)" || return 1
	address_seen a
}

address_seen() {
	host kubectl wait --for=jsonpath='{.status.podIPs}' --timeout=20s \
		-n z "pod/$1"
}

pod_ends() {
	host kubectl patch pod -n z a --subresource=status \
		-p '{"status": {"phase": "Succeeded"}}'
}

policy_comes() { policy "$1" | update; }

nothing_written() {
	equals "$(generation node1) $(status node1 commits)" "$1 0"
}

# ---- what comes first --------------------------------------------------------

check "the nodes have a way to the API server" cluster_up
serve
check "namespaces and pods are made" namespaces_create x y z
grep -v '^z/' $HOSTS >/run/first
pods_first() { awk '$6 != "-"' /run/first | pods_create; }
check "all pods but one have their address" pods_first
echo "z/a - node2 - - app=client,tier=other" | pod_object |
	sed '/annotations:/d; /knp.test/d' >/run/late
late_pod() { create </run/late; }
check "this one waits for it" late_pod
make_own() {
	policy_comes x/own <<-END
	podSelector: {}
	ingress:
	- from:
	  - podSelector: {}
	  - namespaceSelector: {matchLabels: {team: z-team}}
	    podSelector: {matchLabels: {app: client}}
	  ports: [{port: web, protocol: TCP}]
	END
}
check "a policy isolates x" make_own

check "knpd has two lists, and may not watch policies: it says so" knpd_begins
check "... and has pushed nothing" untouched
matrix "... so that everything passes" <<-END
END
brings "it may: everything is enforced" "$(objects networkpolicies 1)" \
	host rbac restore
matrix "x is isolated; who has no address yet is nobody" <<-END
	deny * x/* *
	allow x/* x/* 80/TCP
END

# ---- pods --------------------------------------------------------------------

check "the pod gets its address" address_comes
brings "... and the nodes know" "$(newest pods)" true
matrix "... it is a client now" <<-END
	deny * x/* *
	allow x/* x/* 80/TCP
	allow z/a x/* 80/TCP
END
brings "the pod ends" "$(objects pods 5)" pod_ends
matrix "... its address is nobody's" <<-END
	deny * x/* *
	allow x/* x/* 80/TCP
END
check "a pod with other labels comes by this address" \
	pod_comes z/other "$(ip4_of z/a)" "$(ip6_of z/a)" app=other
check "... and has it" address_seen other
brings "... and the nodes know" "$(newest pods)" true
matrix "... its own labels count" <<-END
	deny * x/* *
	allow x/* x/* 80/TCP
END
change "the pod is relabelled" label pod -n z other app=client
matrix "... it is a client now" <<-END
	deny * x/* *
	allow x/* x/* 80/TCP
	allow z/a x/* 80/TCP
END

# ---- namespaces --------------------------------------------------------------

change "a namespace is relabelled" label namespace y team=z-team
matrix "... its client is one" <<-END
	deny * x/* *
	allow x/* x/* 80/TCP
	allow z/a x/* 80/TCP
	allow y/a x/* 80/TCP
END
brings "a namespace is deleted with what is in it" "$(objects pods 5) and
	$(objects namespaces 6)" gone namespace z
matrix "... its pod is nobody any more" <<-END
	deny * x/* *
	allow x/* x/* 80/TCP
	allow y/a x/* 80/TCP
END

# ---- policies ----------------------------------------------------------------

change "the policy is changed in place" policy_comes x/own <<-END
	podSelector: {matchLabels: {app: server}}
	ingress: [{from: [{namespaceSelector: {}}], ports: [{port: web-udp, protocol: UDP}]}]
END
matrix "... the new one holds, the old one is gone" <<-END
	deny * x/b *
	deny * x/c *
	allow x/* x/b 80/UDP
	allow x/* x/c 80/UDP
	allow y/* x/b 80/UDP
	allow y/* x/c 80/UDP
END

version() {
	host kubectl get networkpolicy -n x own \
		-o jsonpath='{.metadata.resourceVersion}'
}
enforced() {
	ctl node1 wait policy x/own --resource-version "$(version)" --timeout 20
}
check "knpctl waits for its resourceVersion" enforced
annotate() { host kubectl annotate networkpolicy -n x own knp.test/a=b; }
check "... which becomes another without a change" annotate
check "... and that is waited for, too" enforced
same() { ctl node1 diff --kubeconfig $KUBECONFIG_KNPD; }
check "the kernel holds what the API server says" same

before=$(generation node1)
check "knpd of node1 is killed and started again" knpd_restart node1
check "... nothing has changed: nothing is written" nothing_written "$before"
knpd_kill node1
policy_comes y/deny <<<'podSelector: {}'
check "a policy comes while it is away; it is started again" knpd_restart node1
matrix "... it is enforced" <<-END
	deny * x/b *
	deny * x/c *
	allow x/* x/b 80/UDP
	allow x/* x/c 80/UDP
	allow y/* x/b 80/UDP
	allow y/* x/c 80/UDP
	deny * y/* *
END
brings "both policies are deleted" "$(objects networkpolicies 0)" \
	gone networkpolicy -A --all
matrix "... everything passes" <<-END
END

# ---- how long it takes -------------------------------------------------------

# one_change VERDICT INGRESS: through the API; returns with the answer's time
one_change() {
	local start=${EPOCHREALTIME/./}

	echo "$1 $start" >&"$changes_in"
	echo "{\"spec\": {\"ingress\": $2}}" | host patch \
		/apis/networking.k8s.io/v1/namespaces/x/networkpolicies/own - || return 1
	echo $((${EPOCHREALTIME/./} - start)) >>/run/writes
	read -r -t 20 -u "$changes_out" _
}

all_changes() {
	local i

	for ((i = 0; i < CHANGES; i += 2)); do
		one_change no '[]' || return 1
		one_change yes '[{"from": [{"namespaceSelector": {}}]}]' || return 1
	done
}

change "a policy to be changed" policy_comes x/own <<-END
	podSelector: {matchLabels: {app: server}}
	ingress: [{from: [{namespaceSelector: {}}]}]
END
mkfifo /run/changes.in /run/changes.out
probe changes y-a "$(ip4_of x/b)" 80 </run/changes.in >/run/changes.out \
	2>"$LOGS/changes.err" &
exec {changes_in}>/run/changes.in {changes_out}</run/changes.out
check "$CHANGES changes at the API server reach the packets one by one" all_changes
exec {changes_in}>&-
read -r -t 20 -u "$changes_out" figures
sort -n /run/writes >/run/writes.sorted
check "... all were measured" contains "$figures" "changes=$CHANGES"
printf '# figure: API write sent to first packet with the new verdict (emulated guest, another beside it): %s\n' \
	"$figures"
printf '# figure: API write sent to its answer, the same changes: p50_us=%s\n' \
	"$(sed -n $((CHANGES / 2))p /run/writes.sorted)"

finish
