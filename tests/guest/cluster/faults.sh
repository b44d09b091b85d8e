#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The server is there and refuses: a watch goes on after etcd was compacted and is
# answered 410, a token is rotated and the file is late, a verb is missing from
# the role, the CA is another. In each case enforcement stays, knpd says in one
# line what it misses, and converges when it has it. The first server offers
# WatchList, the later one does not, so that lists are pages there.
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/cluster.sh
. /guest/cluster.sh

PORTS='80/TCP 80/UDP'
# some failures in a row make long pauses
PATIENCE=90

nodes_begin() {
	load_module || return 1
	knpd_start node1
	knpd_start node2
	enforced_since node1 0 && enforced_since node2 0
}

policy_comes() { policy "$1" | update; }
waits_for() { knpd_says "$1" ".waiting // \"\" | contains(\"$2\")"; }
waits_for_nothing() { knpd_says "$1" '.waiting == null'; }
refused() { equals "$(from node2 /api/v1/pods -o /dev/null -w '%{http_code}')" 401; }

# says_once NODE TEXT: so does its log
says_once() {
	equals "$(grep -c "waiting for .*$2.*; what is enforced stays" \
		"$LOGS/knpd-$1.log")" 1
}

relists() {
	knpd_says "$1" "of(\"networkpolicies\").relists[\"expired\"] $2"
}

# Both knpd are stopped without a connection, at a version that the server, when
# it is back, and etcd have forgotten; the same change is made on the way.
forget_versions() {
	host kubectl create configmap -n default one &&
		host apiserver stop || return 1
	await 20 waits_for node1 connect && await 20 waits_for node2 connect ||
		return 1
	kill -STOP "${KNPD_PID[node1]}" "${KNPD_PID[node2]}"
	host apiserver start older && host etcd compact || return 1
	kill -CONT "${KNPD_PID[node1]}" "${KNPD_PID[node2]}"
}

# ask_anew NODE: the next requests are made now, and not when a watch ends
ask_anew() { kill -HUP "${KNPD_PID[$1]}"; }

stays() {
	matrix "$1" <<-END
	deny * x/* *
	allow x/* x/* 80/TCP
	END
	check "... and nothing was written" equals \
		"$(generation node1) $(generation node2)" "$before"
}

check "the nodes have a way to the API server" cluster_up
serve
check "namespaces and pods are made" cluster_create
make_own() {
	policy_comes x/own <<-END
	podSelector: {}
	ingress: [{from: [{podSelector: {}}], ports: [{port: 80, protocol: TCP}]}]
	END
}
check "a policy isolates x" make_own
check "it is enforced" nodes_begin
before="$(generation node1) $(generation node2)"

# ---- the token ----------------------------------------------------------------

late=$(host token rotate)
check "the token is rotated, the file is late: the old one is refused" \
	await 30 refused
ask_anew node1
check "... knpd says so" await 20 waits_for node1 "401 unauthorized"
stays "... what is enforced stays"
check "the file is there" account_write ca.crt <<<"$late"
check "... and knpd content" await $PATIENCE waits_for_nothing node1
ask_anew node2
change "a node that asks only now has the new one" policy_comes y/deny <<-END
	podSelector: {}
END
refute "... and never had to wait for it" grep -q 401 "$LOGS/knpd-node2.log"
refute "no token is in the logs" grep -qF "$late" "$LOGS/knpd-node1.log"
brings "the policy is deleted" "$(objects networkpolicies 1)" \
	host kubectl delete networkpolicy -n y deny
before="$(generation node1) $(generation node2)"

# ---- a verb is missing -------------------------------------------------------

check "watching policies is not allowed any more" \
	host rbac without watch networkpolicies
ask_anew node1
check "... knpd says so" await 20 waits_for node1 \
	"knpd may not watch networkpolicies (missing from its ClusterRole?)"
check "... so does knpctl, in one line" contains "$(ctl node1 status)" \
	"networkpolicies: 403 forbidden"
check "... the other node's watch goes on" waits_for_nothing node2
stays "... what is enforced stays"
check "the role is restored" host rbac restore
check "... and knpd content" await $PATIENCE waits_for_nothing node1
check "... its log has said it once" says_once node1 "may not watch"

# ---- the CA -------------------------------------------------------------------

knpd_kill node2
check "node2 has another CA" account_write other-ca.crt <<<"$late"
knpd_start node2
check "... it talks to no such server, and says so" \
	await 20 waits_for node2 certificate
check "... in its log, too" grep -q "waiting for .*certificate" \
	"$LOGS/knpd-node2.log"
stays "... what is enforced stays"
check "the CA is corrected" account_write ca.crt <<<"$late"
check "... and knpd content" await $PATIENCE waits_for_nothing node2
stays "... with what was enforced"

# ---- 410 ---------------------------------------------------------------------

check "the server forgets what the watches go on from" forget_versions
check "... they are answered 410, and list again" await $PATIENCE relists node1 '> 0'
check "... on the other node, too" await $PATIENCE relists node2 '> 0'
stays "... what is enforced stays"
change "a policy is changed" policy_comes y/deny <<<'podSelector: {}'
matrix "... and enforced" <<-END
	deny * x/* *
	allow x/* x/* 80/TCP
	deny * y/* *
END
brings "it is deleted" "$(objects networkpolicies 1)" \
	host kubectl delete networkpolicy -n y deny
before="$(generation node1) $(generation node2)"

# ---- a verb that only pages need ----------------------------------------------

check "a knpd that starts now gets its first lists in pages" knpd_restart node2
check "listing pods is not allowed any more" host rbac without list pods
ask_anew node2
check "... knpd says so" await 20 waits_for node2 \
	"knpd may not list pods (missing from its ClusterRole?)"
stays "... what is enforced stays"
check "the role is restored" host rbac restore
check "... and knpd content" await $PATIENCE waits_for_nothing node2

finish
