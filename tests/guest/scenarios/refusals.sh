#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What goes wrong says so in one clear line, with a status that scripts see, and
# nothing enforced is lost by it: no module, no permission, malformed and
# half-written manifests (of what is set aside the rest counts), stale and half-open transactions, a second daemon.
# Mode audit judges and reports, and lets everything pass.
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh

# refused STATUS WORDS COMMAND...: fails with that status and one line with these
# words on standard error
refused() {
	local status=$1 words=$2 got=0 err

	shift 2
	err=$("$@" 2>&1 >/dev/null) || got=$?
	equals "$got" "$status" && contains "$err" "$words" &&
		equals "$(echo "$err" | wc -l)" 1
}

as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all "$@"
}

state() { equals "$(status "$1" state)" "$2"; }
fault() { status "$1" 'faults[]' | grep -q "$2"; }
no_fault() { equals "$(status "$1" faults_count)" 0; }
reason_count() {
	ctl "$1" stats -o json | jq --arg r "$2" \
		'[.reasons[] | select(.reason == $r).packets] | add // 0'
}

topology_up
serve
cluster_manifests | publish cluster.yaml

# ---- no module
check "no module: knpctl status says what to do" \
	refused 1 "modprobe knp" ctl node1 status
check "no module: knpctl get says what to do" \
	refused 1 "modprobe knp" ctl node1 get endpoints
check "no module: knpd --once fails" \
	on node1 sh -c "! knpd --once --node node1 --manifests $MANIFESTS --runtime-dir /run/once"
check "no folder of manifests: knpd says so" \
	refused 1 "/nowhere" on node1 knpd --once --manifests /nowhere --runtime-dir /run/once
knpd_start node1
knpd_start node2
check "no module: knpd waits" await 10 state node1 waiting
check "no module: knpd's status names the reason" \
	contains "$(status node1 error)" "modprobe knp"
check "the module is loaded" load_module
check "knpd of node1 begins by itself" enforced_since node1 0
check "knpd of node2 begins by itself" enforced_since node2 0

# ---- no permission
check "nobody may not read the status" \
	refused 1 "root" as_nobody knpctl status
check "nobody may not dump the tables" \
	refused 1 "root" as_nobody knpctl get rules
check "nobody may not configure" \
	refused 1 "root" as_nobody knpctl config mode=audit
check "nobody may not detach" \
	refused 1 "root" as_nobody knpctl detach --yes
cp -r $MANIFESTS /tmp/manifests
chmod -R a+rX /tmp/manifests
check "nobody may simulate" as_nobody knpctl simulate -f /tmp/manifests \
	--from x/a --to x/b --port 80/TCP
check "detach without --yes is refused" sh -c "! knpctl detach 2>/dev/null"
check "bad usage has status 2" refused 2 "knpctl" knpctl get nonsense
check "a second knpd on the runtime folder is refused" \
	sh -c "! timeout 10 knpd --node node1 --manifests $MANIFESTS --runtime-dir /run/knp-node1 2>/run/second"
check "it is told why" contains "$(cat /run/second)" "another knpd"

# ---- manifests
change "x/b is closed" apply x/closed <<-END
	podSelector: {matchLabels: {app: server}}
	policyTypes: [Ingress]
END
{
	policy x/bad <<-END
	podSelector: {matchLabels: {app: client}}
	ingress:
	- ports: [{port: 80, protocol: TCPP}, {port: 81}]
	- unless: {time: night}
	END
	policy y/good <<-END
	podSelector: {matchLabels: {app: client}}
	policyTypes: [Ingress]
	END
} >/run/mixed.yaml
change "a file with a malformed and a good policy" publish mixed.yaml </run/mixed.yaml
check "the malformed policy is named with its field" \
	fault node1 'mixed.yaml.*x/bad.*protocol'
check "so is its field of a newer API" \
	fault node1 'x/bad.*spec.ingress\[1\].unless.*the rule allows nothing'
check "the log names it too" grep -q 'x/bad.*unless' "$LOGS/knpd-node1.log"
check "it is counted" equals "$(status node1 objects_set_aside)" 1
check "knpctl status says so" contains "$(ctl node1 status)" "1 object(s): what remains"
matrix "what remains of it is enforced, as is everything else" "80/TCP 81/TCP" <<-END
	deny * x/a *
	allow * x/a 81/TCP
	deny * x/b *
	deny * x/c *
	deny * y/a *
END

head -c 150 $MANIFESTS/policy-x-closed.yaml >/run/half
printf '\n    - {' >>/run/half
cat /run/half >$MANIFESTS/policy-x-closed.yaml
check "a half-written file is named" await 20 fault node1 policy-x-closed.yaml
check "a half-written file is named on the other node" \
	await 20 fault node2 policy-x-closed.yaml
matrix "the last good version of it stays enforced" "80/TCP 81/UDP" <<-END
	deny * x/a *
	deny * x/b *
	deny * x/c *
	deny * y/a *
END
change "the file is completed, with another port open" apply x/closed <<-END
	podSelector: {matchLabels: {app: server}}
	ingress: [{ports: [{port: 80}]}]
END
change "the malformed file goes" withdraw mixed.yaml
check "no fault is left" await 20 no_fault node1
check "nothing is set aside any more" equals "$(status node1 objects_set_aside)" 0
matrix "the completed version is enforced" "80/TCP 81/UDP" <<-END
	deny * x/b 81/UDP
	deny * x/c 81/UDP
END

# ---- more than a table takes
# ports N: a policy of N ports that do not touch, among them 80
ports() {
	cat <<-END
	podSelector: {matchLabels: {app: client}}
	ingress: [{ports: [{port: $(seq -s '}, {port: ' 2 2 $((2 * $1)))}]}]
	END
}
change "a policy with one port too many" apply x/ports < <(ports 513)
check "it is named, with what is closed" \
	contains "$(ctl node1 status)" "policy x/ports: ingress denied"
check "it is counted" equals "$(status node1 troubles_count)" 1
matrix "its pods are closed, everything else is as it was" "80/TCP 81/UDP" <<-END
	deny * x/a *
	deny * x/b 81/UDP
	deny * x/c 81/UDP
END
change "it has as many ports as there may be" apply x/ports < <(ports 512)
check "nothing is closed for want of room" equals "$(status node1 troubles_count)" 0
matrix "all of it is enforced" "80/TCP 81/UDP" <<-END
	deny * x/a 81/UDP
	deny * x/b 81/UDP
	deny * x/c 81/UDP
END
change "it goes" delete x/ports

# ---- transactions
transactions() { on node1 txn "$@"; }
says() {
	local want=$1 out

	shift
	out=$(transactions "$@")
	contains "$out" "$want"
}
before=$(generation node1)
check "BEGIN from a stale generation is refused" says "ESTALE" a.begin=0
check "the module says why" contains "$(transactions a.begin=0)" "generation"
check "a second transaction is refused" says "b.begin=now EBUSY" a.begin=now b.begin=now
check "closing the socket forgets its transaction" \
	says "b.begin=now ok" a.begin=now a.rule=4000 a.close b.begin=now
check "a wrong count is refused" says "a.commit=2 EBADMSG" a.begin=now a.rule=4000 a.commit=2
check "an aborted transaction cannot be committed" \
	says "a.commit=1 ENOENT" a.begin=now a.rule=4000 a.abort a.commit=1
check "a PUT without a transaction is refused" says "a.rule=4000 ENOENT" a.rule=4000
check "id 0 is refused" says "a.rule=0 E" a.begin=now a.rule=0
check "after a refused PUT nothing can be committed" \
	says "a.commit=1 ECANCELED" a.begin=now a.rule=0 a.commit=1
check "nothing of it was published" equals "$(generation node1)" "$before"

# ---- settings
n=0
for why in "" "an address without its family" "more than an IPv4 address" \
	"unknown family" "a protocol without ports" "port 0"; do
	[ -z "$why" ] || check "NODE_ALLOW is refused: $why" \
		says "a.allow=$n EINVAL NODE_ALLOW: $why" "a.allow=$n"
	n=$((n + 1))
done
check "NODE_ALLOW is refused: one entry too many" \
	says "a.allow=33 E2BIG NODE_ALLOW: too many entries" a.allow=33
check "the initial list is still there" contains "$(ctl node1 config)" \
	"node-egress-allow=169.254.20.10:53/UDP,169.254.20.10:53/TCP"
check "as many as there may be are taken" says "a.allow=32 ok" a.allow=32
check "none is a list, too" ctl node1 config node-egress-allow=none
check "it is what there is" contains "$(ctl node1 config)" \
	"node-egress-allow=none"

# ---- full tables, in a namespace of their own
ip netns add tables
# edge BEFORE LAST MORE WORDS: BEFORE, up to limit - 1, and LAST, up to the
# limit, are taken; MORE, beyond it, is refused with these words
edge() {
	local out

	out=$(on tables txn a.begin=now a.class=1 "a.$1" "a.$2" "a.$3")
	contains "$out" "a.$1 ok" && contains "$out" "a.$2 ok" &&
		contains "$out" "a.$3 E2BIG $4"
}
for what in rule:65535 class:65535 portset:65535 set:16383; do
	table=${what%:*} limit=${what#*:}
	check "the last id of the $table table is $limit" edge \
		"$table=$((limit - 1))" "$table=$limit" "$table=$((limit + 1))" \
		"id is above the table's limit"
done
for what in ifaces:16384 endpoints:16384 cidrs:131072 peers:1048576; do
	table=${what%:*} limit=${what#*:}
	check "there may be $limit $table" edge "$table=$((limit - 1))" \
		"$table=1" "$table=1" "the table is full"
done
ip netns del tables

# ---- audit
judged=$(reason_count node1 ingress)
check "mode audit" ctl node1 config mode=audit
matrix "audit on node1: everything passes there, node2 enforces" "80/TCP 81/UDP" <<-END
	deny * x/c 81/UDP
END
check "audit counts what it would have dropped" \
	sh -c "[ $(reason_count node1 ingress) -gt $judged ]"
check "mode enforce" ctl node1 config mode=enforce
matrix "enforced again" "80/TCP 81/UDP" <<-END
	deny * x/b 81/UDP
	deny * x/c 81/UDP
END

finish
