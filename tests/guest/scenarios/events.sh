#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What an operator sees: a drop is reported live with the names of the policies,
# or only what is asked for, the rate is limited in the kernel and the loss is
# counted, rules and reasons have counters and rates, explain says what the packet
# path does, diff what the kernel lacks, wait when it is there; Prometheus is told
# which policies drop, and a kubelet whether the node enforces.
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh

# monitor_start: drop events of node1 go into /run/events, in the background
monitor_start() {
	: >/run/events
	ip netns exec node1 knpctl monitor --runtime-dir /run/knp-node1 -o json \
		>/run/events 2>/run/monitor.err &
	MONITOR_PID=$!
}

# The kernel sends to listeners only; one is there once a drop is reported.
listening() {
	one x-a "$(ip4_of x/b)" 81/UDP >/dev/null
	[ -s /run/events ]
}

monitor_end() {
	kill $MONITOR_PID 2>/dev/null
	wait $MONITOR_PID 2>/dev/null
	return 0
}

event() { jq -e -s "any(.[]; $1)" /run/events >/dev/null || { tail -n 3 /run/events; return 1; }; }
rule_packets() {
	ctl node1 stats -o json | jq '[.rules[] | select(.rule // "" |
		startswith("x/web")).packets] | add // 0'
}
reason_packets() {
	ctl node1 stats -o json | jq --arg r "$1" \
		'[.reasons[] | select(.reason == $r).packets] | add // 0'
}
more() { [ "$("$1" ${3:+"$3"})" -gt "$2" ]; }

# flood N: datagrams that are dropped, as fast as they go
flood() {
	for _ in $(seq "$1"); do
		echo "x-a $(ip4_of x/b) 81 UDP no flood"
	done | probe matrix --grace 50 >/dev/null
}

topology_up
serve
cluster_manifests | publish cluster.yaml
check "module loads, both nodes enforce" nodes_start
change "x is isolated, 80/TCP of x/b is open to x" apply x/web <<-END
	podSelector: {matchLabels: {app: server}}
	ingress: [{from: [{podSelector: {}}], ports: [{port: 80}]}]
END

DEADLINE=100
monitor_start
check "a drop is reported to a monitor" await 20 listening
check "it names the pods" event '(tostring | contains("x/a")) and (tostring | contains("x/b"))'
check "it names the policy that isolates" event 'tostring | contains("x/web")'
check "it names the reason" event '.reason == "ingress"'
check "it has the port and the protocol" event '(tostring | contains("81")) and (tostring | contains("UDP"))'
check "it has the time of day" event '.time | sub("[.][0-9]+Z$"; "Z") | fromdate |
	. > now - 60 and . <= now'
check "it says by which interface it came, and would have left" \
	event '.iif == "azv-x-a" and .oif == "azv-x-b"'

flood 600
DEADLINE=100
lost_reported() {
	one x-a "$(ip4_of x/b)" 81/UDP >/dev/null
	event '.lost > 0'
}
check "a flood is limited and the loss is counted" await 20 lost_reported
check "fewer events than drops" sh -c "[ $(wc -l </run/events) -lt 600 ]"
monitor_end
DEADLINE=2500

# A pod sends by the address of another: dropped where it comes in, by no policy.
ip -n x-a addr add "$(ip4_of y/a)/32" dev lo
monitor_start
check "there is a monitor again" await 20 listening
hold_open forged x-a "$(ip4_of x/b)" 81 UDP --bind "$(ip4_of y/a)"
forged_reported() {
	hold_say forged "send forged" >/dev/null
	event '.reason == "spoof"'
}
check "what is sent in another's name is reported" await 20 forged_reported
check "with its addresses, its port, and where it came in" event \
	".reason == \"spoof\" and .src == \"$(ip4_of y/a)\" and .port == 81 and
	.protocol == \"UDP\" and .iif == \"azv-x-a\""
refute "and does not arrive" grep -q forged /run/datagrams
check "mode is audit" on node1 knpctl config mode=audit
hold_say forged "send forged" >/dev/null
check "then it arrives" await 5 grep -q forged /run/datagrams
check "mode is enforce" on node1 knpctl config mode=enforce
hold_close forged
monitor_end
ip -n x-a addr del "$(ip4_of y/a)/32" dev lo

before=$(rule_packets)
check "an allowed connection" reaches yes x/a x/b 80/TCP
check "counts on the rule that allowed it" more rule_packets "$before"
before=$(reason_packets ingress)
check "a denied connection" reaches no x/a x/b 81/UDP
check "counts on the reason" more reason_packets "$before" ingress

# Headers of IP and UDP are 28 bytes, and no packet of ours is large.
counts_bytes() {
	ctl node1 stats -o json | jq -e "$1 | .packets > 0 and
		.bytes >= 28 * .packets and .bytes < 1500 * .packets"
}
check "their bytes are counted, too: of the rule" counts_bytes \
	'.rules[] | select(.rule // "" | startswith("x/web"))'
check "... and of the reason" counts_bytes \
	'.reasons[] | select(.reason == "ingress")'

explained() {
	equals "$(ctl node1 explain "$1" "$2" "$3" -o json | jq -c "$4")" "$5"
}
check "explain by names: allowed, by the rule" explained x/a x/b 80/TCP \
	'[.flows[].ingress.rule]' '["x/web ingress[0]","x/web ingress[0]"]'
check "explain names the class after its members" explained x/a x/b 80/TCP \
	'[.flows[].ingress.class_name] | unique' '["x/a, x/b, x/c"]'
members() {
	equals "$(ctl node1 get "$1" -o json | jq -c "[.$1[].$2] | unique")" \
		'["x/a, x/b, x/c"]'
}
check "so does the table of classes" members classes name
check "so does the table of peers" members peers class_name
dropped() {
	contains "$(ctl node1 explain "$@")" "dropped (ingress)"
}
check "explain by address: dropped" dropped "$(ip4_of y/a)" "$(ip4_of x/b)" 80/TCP
check "explain by IPv6 address: dropped" dropped "$(ip6_of y/a)" "$(ip6_of x/b)" 80/TCP

# filtered NAME OPTION...: drops that a filter wants go into /run/NAME.events
declare -A FILTER_PID
filtered() {
	local name=$1

	shift
	ip netns exec node1 knpctl monitor --runtime-dir /run/knp-node1 -o json \
		"$@" >"/run/$name.events" 2>>/run/monitor.err &
	FILTER_PID[$name]=$!
}
filtered wanted --policy x/web --pod x/a --namespace x --direction ingress \
	--reason ingress --port 81/UDP --drops -n 1
filtered ports --port 82
filtered audited --audit

# denied PORT NAME: until the filter of that name has shown something
denied() {
	one x-a "$(ip4_of x/b)" "$1" >/dev/null
	[ -s "/run/$2.events" ]
}
DEADLINE=100
check "a filter shows a drop that it is for" await 20 denied 81/UDP wanted
check "... it is that drop" jq -e '.src_pod == "x/a" and .dst_pod == "x/b" and
	.port == 81 and .protocol == "UDP"' /run/wanted.events
check "... and ends after as many as were wanted" wait "${FILTER_PID[wanted]}"
check "a filter for another port shows that" await 20 denied 82/UDP ports
check "... and no other" jq -e -s 'all(.port == 82)' /run/ports.events
check "mode becomes audit" on node1 knpctl config mode=audit
check "a filter for that mode shows what would be dropped" \
	await 20 denied 81/UDP audited
check "... and not what was" jq -e -s 'all(.mode == "audit")' /run/audited.events
check "mode becomes enforce" on node1 knpctl config mode=enforce
kill "${FILTER_PID[ports]}" "${FILTER_PID[audited]}"
DEADLINE=2500

# Allowed and denied connections for as long as top looks.
busy() {
	while one x-a "$(ip4_of x/b)" 80/TCP && one x-a "$(ip4_of x/b)" 81/UDP; do
		:
	done >/dev/null
}
look_at_top() {
	DEADLINE=100 busy &
	ctl node1 top --once -i 3 -o json >/run/top
	kill $!
}
# tops FILTER: it had a row of that kind, which counted something
tops() {
	jq -e "any(.rows[]; .packets > 0 and $1)" /run/top || { cat /run/top; return 1; }
}
check "top looks twice" look_at_top
check "... and shows the rule that is busy" \
	tops '.name == "x/web ingress[0]" and .verdict == "pass"'
check "... the reason of drops" tops '.name == "ingress" and .verdict == "drop"'
check "... and the policies that deny" tops '.name == "x/web" and .kind == "policies"'

differs() {
	local code=0

	ctl node1 diff -f $MANIFESTS "$@" >/run/diff || code=$?
	equals "$code" 1 || { cat /run/diff; return 1; }
}
same() { ctl node1 diff -f $MANIFESTS; }
check "the kernel holds what the manifests say" same
policy y/late >/run/late.yaml <<-END
	podSelector: {}
	policyTypes: [Ingress]
END
check "a policy more is a difference" differs -f /run/late.yaml
check "... that names it" grep -qE '^\+set +ingress of y/late' /run/diff
refute "nobody waits for what does not come" \
	ctl node1 wait policy y/late --timeout 1
ctl node1 wait policy y/late --timeout 20 >/run/waited &
waiting=$!
change "it comes" apply y/late <<-END
	podSelector: {}
	policyTypes: [Ingress]
END
check "who waits for it is told" wait $waiting
check "... that it is enforced" grep -q "policy y/late is enforced" /run/waited
check "its pod is there" ctl node1 wait pod y/a --timeout 0
check "the kernel holds it, too" same
ctl node1 wait policy y/late --for=delete --timeout 20 >/run/waited &
waiting=$!
change "it goes" delete y/late
check "who waits for its end is told" wait $waiting

# by WHAT DIRECTION POLICY: of knp_policy_WHAT_total
by() { metric "knp_policy_$1_total{direction=\"$2\",namespace=\"x\",policy=\"$3\"}"; }
grown() { [ "${2:-0}" -gt "${1:-0}" ] || { echo "$1 -> $2"; return 1; }; }

check "metrics are served" scrape node1
check "the module answers them" equals "$(metric 'knp_attached{family="ipv4"}')" 1
check "the tables take memory" grown 0 "$(metric knp_module_memory_bytes)"
check "drops are the policy's that isolates" grown 0 "$(by drop ingress web)"
check "all of them: there is no other policy" equals "$(by drop ingress web)" \
	"$(metric 'knp_drop_total{reason="ingress"}')"
check "allows are the policy's of the rule" grown 0 "$(by allow ingress web)"
before=$(by drop ingress web)
check "the next denied connection" reaches no x/a x/b 81/UDP
check "is scraped" scrape node1
check "and counted" grown "$before" "$(by drop ingress web)"

before=$(by drop ingress web)
change "another port is open" apply x/web <<-END
	podSelector: {matchLabels: {app: server}}
	ingress: [{from: [{podSelector: {}}], ports: [{port: 81}]}]
END
check "scraped with another set" scrape node1
refute "the count did not shrink" grown "$(by drop ingress web)" "$before"
check "what is closed now" reaches no x/a x/b 80/TCP
check "is scraped" scrape node1
check "and goes on counting" grown "$before" "$(by drop ingress web)"

change "x may send nothing" apply x/out <<-END
	podSelector: {}
	policyTypes: [Egress]
END
before=$(by drop ingress web)
check "what both sides deny" reaches no x/a x/b 80/UDP
check "is scraped" scrape node1
check "counts for the policy of the sender" grown 0 "$(by drop egress out)"
check "and for that of the receiver" grown "$before" "$(by drop ingress web)"

ready() { contains "$(ask node1 /readyz)" "$1"; }
check "the node is ready" ready "HTTP/1.0 200 OK"
check "hooks are taken away" ctl node1 detach --yes ipv6
check "then it is not" await 5 ready "HTTP/1.0 503"
check "and says why" ready "error detached: not attached to ipv6"
check "hooks are back" ctl node1 attach
check "and it is ready" await 5 ready "HTTP/1.0 200 OK"

finish
