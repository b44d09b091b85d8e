#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# knpd goes and comes: the kernel enforces without it, a restarted knpd adopts
# what it finds by its tags, and where nothing changed it writes nothing, however
# the objects are ordered and the files are named.
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh

nothing_written() {
	equals "$(generation "$1")" "$2" && equals "$(status "$1" commits)" 0
}

seen_batch() { [ "$(status "$1" batches)" -gt "$2" ]; }

# the same documents in one file, the last first, under another name
reorder() {
	cat $MANIFESTS/*.yaml >/run/all.yaml
	rm $MANIFESTS/*.yaml
	awk -v RS='---\n' '{ doc[NR] = $0 } END {
		for (i = NR; i > 0; i--) if (doc[i] != "") printf "---\n%s", doc[i]
	}' /run/all.yaml | publish other-name.yaml
}

topology_up
serve
cluster_manifests | publish cluster.yaml
check "module loads, both nodes enforce" nodes_start
change "x admits x" apply x/own <<-END
	podSelector: {}
	ingress: [{from: [{podSelector: {}}], ports: [{port: 80}, {port: 81, protocol: UDP}]}]
END
before=$(generation node1)

knpd_kill node1
knpd_kill node2
check "knpd is gone: the kernel keeps its generation" \
	equals "$(generation node1)" "$before"
matrix "knpd is gone: the kernel enforces" "80/TCP 81/UDP" <<-END
	deny * x/* *
	allow x/* x/* *
END

check "restart, nothing changed" knpd_restart node1
check "restart, nothing changed: nothing written" nothing_written node1 "$before"

knpd_kill node1
reorder
check "restart, other order and file names" knpd_restart node1
check "restart, other order and file names: nothing written" \
	nothing_written node1 "$before"
check "knpd of node2 is started again" knpd_restart node2

batches=$(status node1 batches)
cp $MANIFESTS/other-name.yaml $MANIFESTS/.copy
echo "# a comment" >>$MANIFESTS/.copy
mv $MANIFESTS/.copy $MANIFESTS/other-name.yaml
await 5 seen_batch node1 "$batches" || true
check "a file rewritten with the same objects: nothing written" \
	nothing_written node1 "$before"

knpd_kill node1
apply y/deny <<-END
	podSelector: {}
	policyTypes: [Ingress]
END
matrix "policy comes while knpd of node1 is away: node1 enforces the old" \
	"80/TCP 81/UDP" <<-END
	deny * x/* *
	allow x/* x/* *
	deny * y/b *
END
check "knpd is back" knpd_restart node1
matrix "knpd is back: the new policy is enforced" "80/TCP 81/UDP" <<-END
	deny * x/* *
	allow x/* x/* *
	deny * y/* *
END
refute "a new generation was needed" equals "$(generation node1)" "$before"

one=$(generation node1) two=$(generation node2)
change "a policy that concerns node1 alone" apply y/front <<-END
	podSelector: {matchLabels: {app: client}}
	ingress: [{from: [{podSelector: {}}]}]
END
refute "node1 has a new generation" equals "$(generation node1)" "$one"
check "node2 was left alone" equals "$(generation node2)" "$two"

one=$(generation node1)
check "somebody else commits on node1" contains \
	"$(on node1 txn a.begin=now a.rule=4000 a.commit=1)" "commit=1 ok"
foreign_gone() {
	local rules

	rules=$(ctl node1 get rules -o json) && ! grep -q "\\b$1\\b" <<<"$rules"
}
check "knpd takes the foreign record out again" await 20 foreign_gone 4000

# knpd_lost: its socket had no room for a notification
knpd_lost() {
	awk '$2 == 16 && $9 > 0 { n++ } END { exit !n }' \
		"/proc/${KNPD_PID[node1]}/net/netlink"
}

# make_noise: notifications that are no reason to write anything
make_noise() {
	local i steps=()

	for ((i = 0; i < 500; i++)); do
		steps+=(a.rate=1 a.rate=2)
	done
	on node1 txn "${steps[@]}" && knpd_lost
}

kill -STOP "${KNPD_PID[node1]}"
check "knpd of node1 stands still: notifications are lost" \
	await $PATIENCE make_noise
check "somebody else commits meanwhile" contains \
	"$(on node1 txn a.begin=now a.rule=4001 a.commit=1)" "commit=1 ok"
kill -CONT "${KNPD_PID[node1]}"
check "knpd goes on, and takes that record out, too" \
	await $PATIENCE foreign_gone 4001
matrix "knpd and the kernel agree again" "80/TCP 81/UDP" <<-END
	deny * x/* *
	allow x/* x/* *
	deny * y/* *
	allow y/* y/a *
END

finish
