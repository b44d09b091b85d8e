# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What scenarios share: TAP, servers and reachability matrices, knpd on the two
# nodes, waiting for conditions. Sourced; runs in the guest as root.
#
# A scenario is a sequence of steps and checks that ends with finish. Nothing
# sleeps for a result: await polls a condition until a deadline, and a deadline
# that passes is a failed test.

# shellcheck source=tests/guest/topology.sh
. /guest/topology.sh
# shellcheck source=tests/guest/tap.sh
. /guest/tap.sh

option() {
	sed -n "s/.*\\bknp\\.$1=\\([^ ]*\\).*/\\1/p" /proc/cmdline
}

# how many seconds what is to happen may take
SLOW=$(option slow)
PATIENCE=$((40 * ${SLOW:-1}))

# effort SHORT FULL SOAK: the one that is asked for
effort() {
	case $(option effort) in
	full) echo "$2" ;;
	soak) echo "$3" ;;
	*) echo "$1" ;;
	esac
}

PORTS='80/TCP 81/TCP 80/UDP 81/UDP 80/SCTP 81/SCTP'
declare -A KNPD_PID
# where knpd of a node gets its objects from
declare -A KNPD_SOURCE=(
	[node1]="--manifests $MANIFESTS" [node2]="--manifests $MANIFESTS"
)

# What a pod sends to its own node is judged as the rest is, but where a scenario
# is about the default.
KNPD_OPTIONS=${KNPD_OPTIONS-"--node-egress enforce"}

# ---- servers and connections -----------------------------------------------

# serve: echo servers on PORTS in every host
serve() {
	local ready=/run/serve.ready

	# shellcheck disable=SC2046,SC2086 # words are wanted
	probe serve --log /run/datagrams $(awk '{ print $2 }' $HOSTS) -- \
		$PORTS >$ready 2>"$LOGS/serve.log" &
	SERVE_PID=$!
	await 20 grep -q ready $ready || diag "$(cat "$LOGS/serve.log")"
}

# rules_to_spec: the expectation of every connection of every host to every
# host. Rules on stdin, the last match decides, everything is allowed at first:
#
#   allow|deny FROM TO PORT/PROTO [4|6]
#
# Words are hosts or patterns (x/*, *), comments start with #. What no policy
# can change is added at the end: a host reaches itself, a node its own pods.
rules_to_spec() {
	awk -v ports="${1:-$PORTS}" '
	function glob(word) {
		gsub(/[.]/, "\\.", word)
		gsub(/[*]/, ".*", word)
		gsub(/[?]/, ".", word)
		return "^" word "$"
	}
	FNR == NR {
		name[++hosts] = $1; ns[hosts] = $2; node[hosts] = $3
		addr[hosts, 4] = $4; addr[hosts, 6] = $5
		next
	}
	{ sub(/#.*/, "") }
	NF == 0 { next }
	($1 != "allow" && $1 != "deny") || NF < 4 {
		print "bad rule: " $0 > "/dev/stderr"; exit 1
	}
	{
		verdict[++rules] = $1 == "allow" ? "yes" : "no"
		from[rules] = glob($2); to[rules] = glob($3); what[rules] = glob($4)
		fam[rules] = NF > 4 ? $5 : "[46]"
	}
	END {
		n = split(ports, port, " ")
		for (s = 1; s <= hosts; s++)
		for (d = 1; d <= hosts; d++)
		for (p = 1; p <= n; p++)
		for (f = 4; f <= 6; f += 2) {
			e = "yes"
			for (r = 1; r <= rules; r++)
				if (name[s] ~ from[r] && name[d] ~ to[r] &&
				    port[p] ~ what[r] && f ~ fam[r])
					e = verdict[r]
			if (s == d || (name[s] == node[s] && node[d] == node[s]))
				e = "yes"
			split(port[p], w, "/")
			print ns[s], addr[d, f], w[1], w[2], e, \
				name[s] "->" name[d] ":" port[p] "/v" f
		}
	}' $HOSTS -
}

# matrix NAME [PORTS]: every connection is as the rules on stdin say
matrix() {
	local name=$1 spec=/run/spec out code=0

	rules_to_spec "${2:-$PORTS}" >$spec
	echo "== $name" >>"$LOGS/matrix.log"
	out=$(probe matrix --log "$LOGS/matrix.log" <$spec 2>&1) || code=$?
	result "$code" "$name"
	diag "${out//# /}"
	return 0
}

# simulated NAME: knpctl simulate expects between pods what the rules of the
# last matrix expect, for every port
simulated() {
	local name=$1 port code=0

	for port in $PORTS; do
		knpctl simulate -f $MANIFESTS --matrix --port "$port" -o json \
			2>>"$LOGS/simulate.err" || code=1
	done >/run/simulated
	jq -r '"\(.port)/\(.protocol)" as $port | .allowed | to_entries[] |
		.key as $from | .value | to_entries[] | .key as $to |
		("4", "6") as $f | "\($from)->\($to):\($port)/v\($f) " +
		(if .value then "yes" else "no" end)' /run/simulated |
		sort >/run/simulated.lines
	awk '$6 !~ /node/ { print $6, $5 }' /run/spec | sort >/run/expected.lines
	cmp -s /run/simulated.lines /run/expected.lines || code=1
	result "$code" "$name"
	[ "$code" = 0 ] || diag "$(diff /run/expected.lines /run/simulated.lines | head)"
	return 0
}

# try_flows NAME: those of stdin (see probe matrix) are answered twice, or denied
try_flows() {
	local out code=0

	echo "== $1" >>"$LOGS/matrix.log"
	out=$(probe matrix --rounds 2 --log "$LOGS/matrix.log" 2>&1) || code=$?
	result "$code" "$1"
	diag "${out//# /}"
}

# one NETNS ADDRESS PORT/PROTO: prints yes, no, refused or error
one() {
	rm -f /run/one
	echo "$1 $2 ${3%/*} ${3#*/} yes x" |
		probe matrix --deadline "${DEADLINE:-2500}" --log /run/one >/dev/null
	sed -n 's/.*got=\([a-z]*\).*/\1/p' /run/one
}

# connections EXPECT NAME HOST PORT/PROTO...: one() of both families
reaches() {
	local expect=$1 from=$2 to=$3 port got

	shift 3
	for port; do
		for address in "$(ip4_of "$to")" "$(ip6_of "$to")"; do
			got=$(one "$(netns_of "$from")" "$address" "$port")
			equals "$from to $address $port: $got" \
				"$from to $address $port: $expect" || return 1
		done
	done
}

# hold_open NAME NETNS ADDRESS PORT PROTO [OPTIONS]: a long-lived connection,
# driven by hold_say NAME COMMAND, which prints the answer
hold_open() {
	local name=$1

	shift
	mkfifo "/run/hold-$name.in" "/run/hold-$name.out"
	probe hold "$@" <"/run/hold-$name.in" >"/run/hold-$name.out" \
		2>>"$LOGS/hold.err" &
	eval "exec {HOLD_IN_$name}>/run/hold-$name.in {HOLD_OUT_$name}</run/hold-$name.out"
}

hold_say() {
	local in=HOLD_IN_$1 out=HOLD_OUT_$1 answer

	echo "$2" >&"${!in}"
	read -r -t 20 -u "${!out}" answer || answer=silent
	echo "${answer%% *}"
}

hold_close() {
	eval "exec {HOLD_IN_$1}>&- {HOLD_OUT_$1}<&-"
	rm -f "/run/hold-$1.in" "/run/hold-$1.out"
}

# hold_twelve: one of each protocol and family to x/b, from its node and from another
hold_twelve() {
	local f proto to

	for f in 4 6; do
		to=$("ip${f}_of" x/b)
		for proto in TCP UDP SCTP; do
			hold_open "near_${proto}_$f" x-a "$to" 80 $proto
			hold_open "far_${proto}_$f" z-a "$to" 80 $proto
		done
	done
}

# twelve_answer: each of them, or says which does not
twelve_answer() {
	local name got

	for name in {near,far}_{TCP,UDP,SCTP}_{4,6}; do
		got=$(hold_say "$name" ping)
		[ "$got" = pong ] || {
			echo "$name: $got"
			return 1
		}
	done
}

# ---- knpd ------------------------------------------------------------------

runtime_of() { echo "/run/knp-$1"; }
status_of() { echo "/run/knp-$1/status.json"; }
names_of() { echo "/run/knp-$1/names"; }
ctl() {
	local node=$1

	shift
	on "$node" knpctl --runtime-dir "$(runtime_of "$node")" "$@"
}

# ask NODE PATH: what knpd answers by HTTP, with its headers
ask() {
	# shellcheck disable=SC2016 # of the other shell
	on "$1" bash -c 'exec 3<>/dev/tcp/127.0.0.1/10097 &&
		printf "GET %s HTTP/1.0\r\n\r\n" "$1" >&3 && cat <&3' - "$2"
}

# scrape NODE: into a file, of which metric NAME prints one value
scrape() { ask "$1" /metrics >/run/metrics && grep -q '^knp_ready' /run/metrics; }
metric() { awk -v name="$1" '$1 == name { print $2 }' /run/metrics; }

load_module() { insmod /guest/knp.ko; }

knpd_start() {
	local node=$1

	shift
	mkdir -p "$(runtime_of "$node")" $MANIFESTS
	# shellcheck disable=SC2086 # words are wanted
	ip netns exec "$node" knpd --node "$node" ${KNPD_SOURCE[$node]} \
		--runtime-dir "$(runtime_of "$node")" $KNPD_OPTIONS "$@" \
		>>"$LOGS/knpd-$node.log" 2>&1 &
	KNPD_PID[$node]=$!
}

# knpd_kill NODE [SIGNAL]: and waits until it is gone
knpd_kill() {
	kill "-${2:-KILL}" "${KNPD_PID[$1]}" 2>/dev/null
	wait "${KNPD_PID[$1]}" 2>/dev/null
	return 0
}

# knpd_restart NODE [OPTION...]: killed, started again, and all is enforced
knpd_restart() {
	knpd_kill "$1"
	rm -f "$(status_of "$1")"
	knpd_start "$@"
	enforced_since "$1" 0
}

# status NODE FIELD: of the status file
status() { jq -r ".$2" "$(status_of "$1")" 2>/dev/null; }

generation() { ctl "$1" status -o json | jq -r .module.generation; }

# counts NODE WHAT: packets by reason, and by the policy that allowed, of those
# that are keys of WHAT
counts() {
	ctl "$1" stats -o json | jq -c --argjson what "$2" '
		[(.reasons[] | {(.reason): .packets}),
		 (.rules | group_by(.rule | split(" ")[0])[] |
		  {(.[0].rule | split(" ")[0]): (map(.packets) | add)})] | add |
		. as $all | $what | with_entries(.value = ($all[.key] // 0))'
}

# counted NODE BEFORE: what was counted since then
counted() {
	jq -cn --argjson a "$2" --argjson b "$(counts "$1" "$2")" \
		'$b | with_entries(.value -= $a[.key])'
}

# enforced_since NODE VERSION [SECONDS]: waits until a later version of the store
# is enforced, and nothing newer is under way
enforced_since() {
	probe enforced "${3:-$PATIENCE}" "$(status_of "$1")" "$2"
}

# nodes_start: module, both daemons, and the state they start from enforced
nodes_start() {
	local node

	load_module || return 1
	for node in node1 node2; do
		knpd_start "$node"
	done
	for node in node1 node2; do
		enforced_since "$node" 0 || {
			diag "knpd of $node: $(tail -n 5 "$LOGS/knpd-$node.log")"
			return 1
		}
	done
}

# change NAME COMMAND...: the command changes one manifest; returns when both
# nodes report it enforced. It is a test: it has to happen in time.
change() {
	local name=$1 node code=0
	local -A version

	shift
	for node in node1 node2; do
		version[$node]=$(status "$node" enforced_version)
	done
	"$@" || code=1
	for node in node1 node2; do
		enforced_since "$node" "${version[$node]}" || code=1
	done
	result "$code" "$name: enforced on both nodes"
	[ "$code" = 0 ] || for node in node1 node2; do
		diag "$node: $(cat "$(status_of "$node")"; tail -n 3 "$LOGS/knpd-$node.log")"
	done
	return 0
}

withdraw() { rm "$MANIFESTS/$1"; }

# policy NAMESPACE/NAME: stdin is its spec
policy() {
	cat <<-END
	---
	apiVersion: networking.k8s.io/v1
	kind: NetworkPolicy
	metadata: {namespace: ${1%/*}, name: ${1#*/}}
	spec:
	$(sed 's/^/  /')
	END
}

# apply NAMESPACE/NAME, delete NAMESPACE/NAME: one policy is one file
apply() { policy "$1" | publish "policy-${1//\//-}.yaml"; }
delete() { withdraw "policy-${1//\//-}.yaml"; }

# What a stranger needs who looks at a failure; the harness fetches LOGS.
keep_evidence() {
	local node

	for node in "${!KNPD_PID[@]}"; do
		ctl "$node" status >"$LOGS/status-$node" 2>&1
		ctl "$node" stats >"$LOGS/stats-$node" 2>&1
		cp "$(status_of "$node")" "$LOGS/status-$node.json" 2>/dev/null
	done
	cp -r $MANIFESTS "$LOGS/" 2>/dev/null
	return 0
}

# The scenario's end, however it comes: evidence, processes, namespaces, module.
cleanup() {
	local pid

	keep_evidence
	for pid in "${KNPD_PID[@]}" ${SERVE_PID:+"$SERVE_PID"}; do
		kill "$pid" 2>/dev/null
	done
	topology_down
	rmmod knp 2>/dev/null
	return 0
}

# shellcheck disable=SC2086 # words are wanted
modprobe -a ${KERNEL_MODULES:-veth sctp nf_conntrack nft_chain_nat nft_ct \
	nft_masq nft_nat dummy}
# Debian's 6.12 has it, 6.1 has not
modprobe -q nfnetlink_hook
# a module of its own in 5.10; nobody here asks for one
modprobe -q nft_counter
# The guest is small, and so would the table of connections be.
echo 65536 >/sys/module/nf_conntrack/parameters/hashsize
echo 262144 >/proc/sys/net/netfilter/nf_conntrack_max
trap cleanup EXIT
