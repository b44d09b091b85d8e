# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# knpd is killed at every step on its way to the kernel or to the disk, see
# crash.c, while it takes node1 from one set of policies to another: the kernel
# holds all of the one or all of the other, knpd comes back to what it has to be,
# and of what both allow not a packet is lost, of what neither does none passes.
# Sourced after lib.sh.

STATE=/run/state/file
# Two sets of manifests.
ONE=/run/sets/one
# shellcheck disable=SC2034 # for the scenarios
OTHER=/run/sets/other

# ---- two sets of policies ------------------------------------------------------

# Both let x and z reach x, and nobody else on port 81.
policies_one() {
	policy x/own <<-END
	podSelector: {}
	ingress:
	- from:
	  - podSelector: {}
	  - namespaceSelector: {matchLabels: {team: z-team}}
	END
}

policies_other() {
	policy x/own <<-END
	podSelector: {}
	policyTypes: [Ingress, Egress]
	ingress:
	- from:
	  - namespaceSelector: {matchExpressions: [{key: team, operator: In, values: [x-team, z-team]}]}
	- from: [{namespaceSelector: {matchLabels: {team: y-team}}}]
	  ports: [{port: 80}, {port: 80, protocol: UDP}]
	egress:
	- to: [{podSelector: {}}, {ipBlock: {cidr: 10.0.0.0/8, except: [10.244.3.0/24]}}, {ipBlock: {cidr: "fd00::/16"}}]
	END
	policy y/own <<-END
	podSelector: {matchLabels: {app: client}}
	ingress: []
	END
}

sides() {
	local side

	for side in one other; do
		mkdir -p /run/sets/$side
		{ cluster_manifests; "policies_$side"; } >/run/sets/$side/cluster.yaml
	done
}

# give FOLDER: its manifests are the ones to enforce
give() { publish cluster.yaml <"$1/cluster.yaml"; }

# same WHERE FOLDER: what the kernel holds is what these compile to
same() { on "$1" knpctl diff -f "$2" --node node1 >/run/diff; }

# ---- a life of knpd ------------------------------------------------------------

# armed WHERE OF AT: knpd, that ends at that step
armed() {
	mkdir -p /run/knp-crash
	rm -f /run/knp-crash/status.json /run/steps
	LD_PRELOAD=/guest/crash.so KNP_CRASH_OF=$2 KNP_CRASH_AT=$3 \
		KNP_CRASH_LOG=/run/steps ip netns exec "$1" knpd --node node1 \
		--manifests "$MANIFESTS" --runtime-dir /run/knp-crash \
		--state $STATE --node-egress enforce \
		>>"$LOGS/knpd-crash.log" 2>&1 &
	crash_pid=$!
}

enforces() {
	jq -e --argjson v "$1" '.state == "synced" and .enforced_version > $v and
		.enforced_version == .store_version' /run/knp-crash/status.json
}

# done_or_dead VERSION: it enforces a later one, or has ended
done_or_dead() { [ ! -e "/proc/$crash_pid" ] || enforces "$1"; }

dead() { [ ! -e "/proc/$crash_pid" ]; }

# What is enforced is saved by a thread, a little later.
saved_or_dead() {
	dead || equals "$(jq .state_file.generation /run/knp-crash/status.json)" \
		"$(generation node1)"
}

# turns FOLDER: knpd is given these, and gets to the end of it, or of itself
turns() {
	local version

	version=$(jq .enforced_version /run/knp-crash/status.json)
	give "$1"
	await "$PATIENCE" done_or_dead "$version"
}

# life OF AT FOLDER: knpd of node1 starts with what there is, and is given others;
# whether it lived to the end of both
life() {
	armed node1 "$1" "$2"
	await "$PATIENCE" done_or_dead 0
	dead || turns "$3"
	[ "$1" != disk ] || await "$PATIENCE" saved_or_dead
	give "$3"
	! dead
}

# killed: and not ended in another way
killed() {
	local code=0

	wait "$crash_pid" || code=$?
	equals $code $((128 + 9))
}

stop() {
	kill -KILL "$crash_pid" 2>/dev/null
	wait "$crash_pid" 2>/dev/null
	return 0
}

# back WHERE FOLDER [NEXT]: without a crash it gets to where it has to be, and then
# to what is to be next
back() {
	give "$2"
	armed "$1" none 0
	await "$PATIENCE" enforces 0 || return 1
	same "$1" "$2" || return 1
	[ -z "${3:-}" ] || turns "$3"
	[ "$1" != node1 ] || await "$PATIENCE" saved_or_dead
	stop
	[ -z "${3:-}" ] || same "$1" "$3"
}

# Whole, or not there yet: no crash leaves half a file.
file_is_whole() {
	local said

	[ -e $STATE ] || return 0
	said=$(on fresh knpctl restore --state $STATE 2>&1)
	contains "$said" "is of another network namespace"
}

runtime_is_whole() {
	[ ! -e /run/knp-crash/status.json ] ||
		jq -e . /run/knp-crash/status.json >/dev/null
}

# ---- the kernel's side of a crash ------------------------------------------------

# held WHERE OLD NEW: which one it is
held() {
	if same "$1" "$2"; then
		echo old
	elif same "$1" "$3"; then
		echo new
	else
		echo "neither: $(cat /run/diff)"
		return 1
	fi
}

# crash OF OLD NEW: one, and what becomes of it
crash() {
	local of=$1 what held

	what=$(tail -n 1 /run/steps)
	check "$of: step $what is its last" killed
	held=$(held node1 "$2" "$3")
	check "$of: killed at $what: the kernel holds all of the $held" \
		grep -qxE 'old|new' <<<"$held"
	kills=$((kills + 1))
	[ "$held" != new ] || news=$((news + 1))
	[ "$of" != disk ] || {
		check "$of: killed at $what: files are whole" file_is_whole
		check "$of: killed at $what: and what others read" runtime_is_whole
	}
	check "$of: killed at $what: it comes back" back node1 "$3" "$2"
}

# crashes OF OLD NEW [STEP]: at each step, or from the first of that name on, of the
# way from one set to the other
crashes() {
	local of=$1 old=$2 new=$3 n=1 total

	kills=0 news=0
	check "$of: node1 has the old set" back node1 "$old"
	life "$of" 0 "$new"
	check "$of: a life without a crash has the new set" same node1 "$new"
	# What is asked after the commit depends on the time.
	awk -v of="$of" '{ print } of == "netlink" && / commit$/ { exit }' \
		/run/steps >/run/total
	turns "$old"
	stop
	total=$(wc -l </run/total)
	[ -z "${4:-}" ] || n=$(awk -v step="$4" '$2 == step { print $1; exit }' \
		/run/total)
	for ((; n <= total; n++)); do
		give "$old"
		if life "$of" "$n" "$new"; then
			check "$of: step $n was not reached: it lives" \
				[ "$of" = disk ]
			turns "$old"
			stop
			continue
		fi
		crash "$of" "$old" "$new"
	done
	check "$of: some were killed after the commit" [ $news -gt 0 ]
	echo "# figure: crash: $of: $kills kills, $((kills - news)) with the old set, $news with the new; $(
		cut -d' ' -f2- /run/total | sort | uniq -c |
		awk '{ printf "%s%d %s", (NR > 1 ? ", " : ""), $1, substr($0, index($0, $2)) }')"
}

# ---- traffic ----------------------------------------------------------------------

# asks: until it is told to stop: what both sets allow is answered, each time, and
# what neither does never is; the last line says how often, or what went wrong
asks() {
	local got rounds=0 refused=0

	hold_twelve
	touch /run/asking
	while [ ! -e /run/enough ]; do
		got=$(twelve_answer) || {
			echo "round $rounds, $got"
			return 1
		}
		rounds=$((rounds + 1))
		[ $((rounds % 5)) = 0 ] || continue
		got=$(DEADLINE=300 one y-a "$(ip4_of x/b)" 81/UDP)
		[ "$got" = no ] || {
			echo "round $rounds, y/a to x/b: $got"
			return 1
		}
		refused=$((refused + 1))
	done
	echo "$rounds rounds of 12 connections answered, $refused others refused"
}

# prepare: both nodes enforce the first set, and files are kept
prepare() {
	topology_up
	serve
	sides
	give $ONE
	mkdir -p /run/state
	ip netns add fresh
	check "module loads" load_module
	knpd_start node2
	check "node2 enforces" enforced_since node2 0
	check "node1 enforces" back node1 $ONE
}

ask() {
	asks >/run/asked 2>&1 &
	asker=$!
	check "there is traffic" await 20 [ -e /run/asking ]
}

enough() {
	touch /run/enough
	wait "$asker"
	check "nothing was lost, and nothing passed" \
		grep -q "^[1-9][0-9]* rounds of 12 connections answered" /run/asked
	diag "$(tail -n 1 /run/asked)"
	echo "# figure: crash: $(tail -n 1 /run/asked)"
}
