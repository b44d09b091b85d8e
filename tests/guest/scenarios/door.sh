#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The short form of safety/: who may talk to the module, messages that nobody
# should send, policies that are swapped under load, namespaces that go in the
# middle of everything.
# Needs both processors at once: policies are swapped while packets are judged.
KERNEL_MODULES="nf_conntrack nf_conntrack_bridge"
# shellcheck source=tests/guest/lib.sh
. /guest/lib.sh
# shellcheck source=tests/guest/safety.sh
. /guest/safety.sh

# Of a namespace each of two processors has 1.6 KiB of counters by reasons, 10 of those
# by identities, 18 of a ring of events. Pages are not given back, but used again: those
# of 60 that end as they may are enough for 20.
ROUNDS=12
percpu() { awk '$1 == "Percpu:" { print $2 }' /proc/meminfo; }
percpu_is_enough() {
	echo "$percpu kB before, $(percpu) kB after"
	[ $(($(percpu) - percpu)) -lt $((ROUNDS * 20 * 16 / 10)) ]
}
come_and_go() {
	lives netns "$1" && namespaces_gone "$before"
}
rounds() {
	local round

	for ((round = 0; round < ROUNDS; round++)); do
		come_and_go 20 || return 1
	done
}

before=$(namespaces)
check "the module is loaded" load_module
who_may_talk
fuzzed 5000
reported "policies are swapped under load" swap 1000 10000
check "sixty namespaces come and go" come_and_go 60
percpu=$(percpu)
check "more of them do" rounds
check "with all that each has of each processor" percpu_is_enough
reported "a dump that takes too long says so" lives dump
check "the module goes" await 20 rmmod knp

finish
