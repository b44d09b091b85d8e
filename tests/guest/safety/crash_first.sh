#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# knpd is killed at each message to a module that holds nothing, see crashes.sh:
# it holds nothing, or all of it.
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/crashes.sh
. /guest/crashes.sh

n=0

# empty_or_all FOLDER: nothing at all, or all of it
empty_or_all() {
	same blank "$1" || equals "$(on blank knpctl status -o json |
		jq -c .module.generation)" 0
}

prepare
while n=$((n + 1)); do
	ip netns add blank
	rm -f $STATE
	armed blank netlink $n
	await "$PATIENCE" done_or_dead 0
	dead || break
	what=$(tail -n 1 /run/steps)
	check "first: step $what is its last" killed
	check "first: killed at $what: nothing, or all of it" empty_or_all "$ONE"
	check "first: killed at $what: it comes back" back blank "$ONE"
	ip netns del blank
done
check "first: the last step was to attach" \
	grep -q " attach$" <<<"$what"
stop
echo "# figure: crash: a module that held nothing: $((n - 1)) kills"

finish
