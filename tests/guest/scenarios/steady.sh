#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What does not concern a connection does not disturb it: a thousand commits, a
# daemon that is killed and comes back. Not one packet is lost: no answer of UDP
# is missing, which nobody sends again, and the module has dropped nothing.
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh

COMMITS=1000

dropped() {
	ctl node1 stats -o json |
		jq '[.reasons[] | select(.verdict == "drop") | .packets] | add // 0'
}

# Each puts the record of a rule that nothing refers to.
commit_many() {
	local i steps=()

	for ((i = 0; i < COMMITS; i++)); do
		steps+=(a.begin=now "a.rule=$((4000 + i % 100))" a.commit=1)
	done
	on node1 txn "${steps[@]}" >/run/commits
}

all_committed() {
	equals "$(grep -c '^a.commit=1 ok$' /run/commits)" $COMMITS
}

# As long as process $1 runs, and once more.
answered_while() {
	local rounds=0

	while [ -e "/proc/$1" ]; do
		twelve_answer || return 1
		rounds=$((rounds + 1))
	done
	twelve_answer && [ $rounds -gt 0 ] && echo "$rounds rounds"
}

topology_up
serve
cluster_manifests | publish cluster.yaml
check "module loads, both nodes enforce" nodes_start
change "x admits x and z" apply x/own <<-END
	podSelector: {}
	ingress:
	- from:
	  - podSelector: {}
	  - namespaceSelector: {matchLabels: {team: z-team}}
END
hold_twelve
check "connections are open" twelve_answer
drops=$(dropped)

knpd_kill node1
check "knpd is killed: connections go on" twelve_answer
before=$(generation node1)
commit_many &
check "connections go on while there are $COMMITS commits" answered_while $!
wait $!
check "... all of which were made" all_committed
check "... one generation each" equals "$(generation node1)" $((before + COMMITS))
check "knpd comes back" knpd_restart node1
check "connections go on" twelve_answer
change "a policy that concerns others" apply y/own <<-END
	podSelector: {}
	ingress: []
END
check "connections go on again" twelve_answer
check "nothing was dropped" equals "$(dropped)" "$drops"

finish
