# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The programs that are hard on the module, as checks. Sourced after lib.sh, with
# the module loaded. See docs/safety.md.
# shellcheck disable=SC2154 # those of lib.sh

# who_may_talk: by perms.c
who_may_talk() {
	local before=$tap_count

	# Debian's kernels have a switch for it
	echo 1 >/proc/sys/kernel/unprivileged_userns_clone 2>/dev/null
	steps < <(perms)
	check "no step is missing" equals "$planned" $((tap_count - before))
}

# fuzz_both SEED MESSAGES: from two processes at once, half of them each
fuzz_both() {
	local pid code=0

	fuzz "$1" $(($2 / 2)) >/run/fuzz.1 2>&1 &
	pid=$!
	fuzz $(($1 + 1)) $(($2 / 2)) >/run/fuzz.2 2>&1 || code=1
	wait $pid || code=1
	cat /run/fuzz.1 /run/fuzz.2
	[ "$(cat /run/fuzz.[12] | wc -l)" = 2 ] || code=1
	return $code
}

# fuzzed MESSAGES: with the seed that knp.seed names, or another each time
fuzzed() {
	local seed

	seed=$(option seed)
	seed=${seed:-$((EPOCHSECONDS % 100000))}
	reported "$1 messages, seed $seed" fuzz_both "$seed" "$1"
	head -n 1 /run/reported | sed 's/^/# /'
}

namespaces() {
	echo 1 >/sys/kernel/slab/net_namespace/shrink
	awk '$1 == "net_namespace" { print $2 }' /proc/slabinfo
}

few_namespaces() {
	local n

	n=$(namespaces)
	echo "$n, before them $1"
	[ "$n" -le $(($1 + 1)) ]
}

# namespaces_gone BEFORE: there are as many again as before the first ones. A work
# item takes them apart later, and kernels since 6.13, and the stable ones, free
# those of one batch with the next ("net: defer final 'struct net' free in netns
# dismantle"): so one more is made, and is all that may be left. If it went with
# others, another; they get more time each, so that the next does not join them.
namespaces_gone() {
	local wait=1 until=$((SECONDS + PATIENCE))

	while [ $SECONDS -lt $until ]; do
		ip netns add last && ip netns del last
		! await $((wait++)) few_namespaces "$1" || break
	done
	few_namespaces "$1"
}
