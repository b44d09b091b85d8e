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

# Of a namespace 12 KiB of counters, 18 of its ring of events, of two processors.
percpu() { awk '$1 == "Percpu:" { print $2 }' /proc/meminfo; }
percpu_is_back() {
	echo "$percpu kB before, $(percpu) kB after"
	[ $(($(percpu) - percpu)) -lt 512 ]
}

check "the module is loaded" load_module
who_may_talk
before=$(namespaces)
fuzzed 5000
reported "policies are swapped under load" swap 1000 10000
reported "namespaces" lives netns 5
check "the namespaces are gone" namespaces_gone "$before"
percpu=$(percpu)
reported "more of them" lives netns 60
reported "a dump that takes too long says so" lives dump
check "they are gone, with all that each has of each processor" \
	await "$PATIENCE" percpu_is_back
check "the module goes" await 20 rmmod knp

finish
